//! Headlines for lists: those of the frozen words, and before there are any, those of the bulletin as it is now.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
};

use crate::{
    domain::{message::ContentHash, workspace::Workspace},
    store::{Store, StoreError, row::DeliveryRow},
};

/// How many headlines are remembered. A content's headline never changes, so forgetting is only a matter of memory.
const REMEMBERED: usize = 4_096;

/// The headlines seen lately.
#[derive(Default)]
pub(super) struct Titles(Mutex<HashMap<ContentHash, Arc<str>>>);

impl Titles {
    /// The headline of each row, in the rows' order; `None` for a delivery without a bulletin.
    pub(super) async fn of(
        &self,
        store: &Store,
        workspace: &Workspace,
        rows: &[DeliveryRow],
    ) -> Result<Vec<Option<Arc<str>>>, StoreError> {
        let wanted: HashSet<&ContentHash> = rows
            .iter()
            .filter_map(|row| row.content_hash.as_ref())
            .collect();
        let mut found: HashMap<ContentHash, Arc<str>> = {
            let remembered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            wanted
                .iter()
                .filter_map(|&hash| Some((hash.clone(), remembered.get(hash)?.clone())))
                .collect()
        };
        let missing: Vec<_> = wanted
            .into_iter()
            .filter(|&hash| !found.contains_key(hash))
            .cloned()
            .collect();
        if !missing.is_empty() {
            let contents = store.contents(&missing).await?;
            let mut remembered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if remembered.len() + contents.len() > REMEMBERED {
                remembered.clear();
            }
            for (hash, content) in contents {
                let title: Arc<str> = content.title.into();
                remembered.insert(hash.clone(), title.clone());
                found.insert(hash, title);
            }
        }
        Ok(rows
            .iter()
            .map(|row| title(row, &found, workspace))
            .collect())
    }
}

fn title(
    row: &DeliveryRow,
    found: &HashMap<ContentHash, Arc<str>>,
    workspace: &Workspace,
) -> Option<Arc<str>> {
    let bulletin = row.bulletin.as_ref()?;
    let frozen = row
        .content_hash
        .as_ref()
        .and_then(|hash| found.get(hash))
        .cloned();
    let current = || {
        workspace
            .bulletins
            .get(bulletin)
            .map(|bulletin| bulletin.title.as_str().into())
    };
    frozen
        .or_else(current)
        .or_else(|| Some(bulletin.as_str().into()))
}
