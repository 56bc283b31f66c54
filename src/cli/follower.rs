//! Following the log: every change of a delivery once, in the order of changes.

use std::collections::HashMap;

use crate::{
    domain::{delivery::State, id::DeliveryId, time::Timestamp},
    store::{Store, StoreError, row::DeliveryRow},
};

/// Rows that are read at once.
const PAGE: u32 = 1_000;

/// A reader of changes.
#[derive(Debug)]
pub(super) struct Follower {
    since: Timestamp,
    /// What was seen at `since` itself: those rows come again with the next question, because more may change at the same
    /// instant.
    seen: HashMap<DeliveryId, (State, u32)>,
}

impl Follower {
    /// Follows what changes at or after `since`.
    #[must_use]
    pub(super) fn new(since: Timestamp) -> Self {
        Self {
            since,
            seen: HashMap::new(),
        }
    }

    /// Hands every change since the last call to `tell`.
    ///
    /// # Errors
    /// The store's, or `tell`'s.
    pub(super) async fn changes<E: From<StoreError>>(
        &mut self,
        store: &Store,
        mut tell: impl FnMut(&[DeliveryRow]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut after: Option<DeliveryId> = None;
        loop {
            let mut rows = store
                .changed_since(self.since, after.as_ref(), PAGE)
                .await?;
            let full = rows.len() == PAGE as usize;
            let Some(last) = rows.last() else {
                return Ok(());
            };
            let (at, id) = (last.updated_at, last.id.clone());
            rows.retain(|row| {
                let news = (row.state, row.attempts);
                self.seen.insert(row.id.clone(), news) != Some(news)
            });
            if at > self.since {
                let now: std::collections::HashSet<_> = rows
                    .iter()
                    .filter(|row| row.updated_at == at)
                    .map(|row| &row.id)
                    .collect();
                self.seen.retain(|id, _| now.contains(id));
                self.since = at;
            }
            if !rows.is_empty() {
                tell(&rows)?;
            }
            if !full {
                return Ok(());
            }
            after = Some(id);
        }
    }
}
