//! Looks after streams that go on after their attempt has ended, and puts on record what was not heard to its end.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{adapter::transport::stream::Aired, daemon::Shared, domain::id::DeliveryId};

/// Looks after streams until `done`, and then until those on air have ended, for as long as a call may take: what is still on air
/// then is ended.
pub(super) async fn run(shared: Shared, done: CancellationToken) {
    let Some(mut airings) = shared.transport.airings() else {
        return;
    };
    let mut on_air = JoinSet::new();
    let stop = CancellationToken::new();
    loop {
        tokio::select! {
            Some(airing) = airings.recv() => {
                let clock = shared.clock.clone();
                on_air.spawn(airing.run(stop.clone(), move || clock.now()));
            }
            Some(ended) = on_air.join_next() => match ended {
                Ok((delivery, aired)) => tell(&shared, &delivery, aired).await,
                Err(error) => tracing::error!(error = &error as &dyn std::error::Error, "a stream's keeper died"),
            },
            () = done.cancelled() => break,
        }
    }
    airings.close();
    let patience = shared.clock.sleep_really(shared.transport.total_timeout());
    tokio::pin!(patience);
    loop {
        tokio::select! {
            ended = on_air.join_next() => match ended {
                Some(Ok((delivery, aired))) => tell(&shared, &delivery, aired).await,
                Some(Err(_)) => {}
                None => return,
            },
            () = &mut patience, if !stop.is_cancelled() => stop.cancel(),
        }
    }
}

async fn tell(shared: &Shared, delivery: &DeliveryId, aired: Aired) {
    let seconds = |after: Duration| after.as_secs();
    let detail = match aired {
        Aired::Whole => return,
        Aired::Ended { after } => format!("after {} s", seconds(after)),
        Aired::Broken { after, fault } => {
            format!("after {} s: {}", seconds(after), fault.reason.as_str())
        }
    };
    tracing::error!(delivery.id = %delivery, detail, "a stream ended before its sound");
    let now = shared.clock.now();
    let written = shared
        .store
        .journal("broken-off", Some(delivery), &shared.node, &detail, now)
        .await;
    if let Err(error) = written {
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "the end of a stream could not be put on record"
        );
    }
}
