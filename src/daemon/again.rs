//! Another place for what is to be tried again and has no time left for that where it stands. It is looked for by `liveness`, beside
//! the dispatcher, whose turns it would hold up.

use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

use super::{Shared, live::Live};
use crate::{
    clock::Busy,
    domain::{plan::air::Air, time::Timestamp},
    store::StoreError,
};

/// Says that something may have no time left where it stands. A fast clock waits until that was looked at.
#[derive(Debug, Default)]
pub(super) struct Bell {
    busy: Mutex<Option<Busy>>,
    came: Notify,
}

impl Bell {
    /// Rings.
    pub(super) fn ring(&self, busy: Busy) {
        *self.busy.lock().unwrap_or_else(PoisonError::into_inner) = Some(busy);
        self.came.notify_one();
    }

    /// Returns once it has been rung.
    pub(super) async fn rung(&self) -> Busy {
        loop {
            let busy = self
                .busy
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take();
            if let Some(busy) = busy {
                return busy;
            }
            self.came.notified().await;
        }
    }
}

/// Looks for places, by the files in force.
pub(super) async fn place(shared: &Shared, live: &Live, now: Timestamp) -> Result<(), StoreError> {
    let workspace = &live.workspace;
    let placed = shared
        .store
        .place_again(
            now,
            |from, until| Air::reach(workspace, from, until),
            |on_air, stranded| Air::new(workspace, on_air).place_again(stranded, now),
        )
        .await?;
    if placed > 0 {
        tracing::info!(
            deliveries = placed,
            "what is to be tried again was given another time"
        );
        // What gives way is frozen again, and the dispatcher waits for other instants.
        shared.planned.notify_one();
        shared.prepared.notify_one();
    }
    Ok(())
}
