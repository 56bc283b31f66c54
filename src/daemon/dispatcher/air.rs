//! Looks after streams that go on after their attempt has ended, and puts on record what was not heard to its end.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{
    adapter::transport::stream::{Aired, Airing},
    daemon::Shared,
    domain::{detail::Detail, id::DeliveryId},
};

/// How long to wait for the end of an attempt to be written down.
const AGAIN: Duration = Duration::from_millis(200);

/// Looks after streams until `done`, and then until those on air have ended. From the first signal on that is as long as a call
/// may take, like everything that is in flight: what is still on air then is ended, so that there is time to write that down.
pub(super) async fn run(shared: Shared, done: CancellationToken) {
    let Some(mut airings) = shared.transport.airings() else {
        return;
    };
    let mut on_air = JoinSet::new();
    let stop = CancellationToken::new();
    let patience = async {
        shared.stop.soft.cancelled().await;
        let length = shared.transport.total_timeout();
        shared.clock.sleep_really(length).await;
    };
    tokio::pin!(patience);
    loop {
        // What began before the closing is looked after like the rest.
        if airings.is_closed() && airings.is_empty() && on_air.is_empty() {
            return;
        }
        tokio::select! {
            Some(airing) = airings.recv() => {
                on_air.spawn(follow(shared.clone(), airing, stop.clone(), done.clone()));
            }
            Some(ended) = on_air.join_next() => if let Err(error) = ended {
                tracing::error!(error = &error as &dyn std::error::Error, "a stream's keeper died");
            },
            () = &mut patience, if !stop.is_cancelled() => stop.cancel(),
            () = done.cancelled(), if !airings.is_closed() => airings.close(),
        }
    }
}

/// Looks after one stream, and puts on record how it ended. While the database is away that is tried again.
async fn follow(shared: Shared, airing: Airing, stop: CancellationToken, done: CancellationToken) {
    let clock = shared.clock.clone();
    let (delivery, aired) = airing.run(stop, move || clock.now()).await;
    let Some((detail, is_open)) = told(&delivery, &aired) else {
        return;
    };
    let now = shared.clock.now();
    let (store, node) = (&shared.store, &shared.node);
    loop {
        let is_last = done.is_cancelled();
        let written = if is_open {
            store.broken_off(&delivery, node, &detail, now).await
        } else {
            store.gave_way(&delivery, node, &detail, now).await
        };
        match written {
            Ok(true) => return shared.store_works("air"),
            // Whoever ends attempts has not written down that this one ended with the beginning of the stream.
            Ok(false) if is_last => {
                tracing::error!(delivery.id = %delivery, detail, "how a stream ended could not be put on record");
                return;
            }
            Ok(false) => tokio::select! {
                () = shared.clock.sleep_really(AGAIN) => {}
                () = done.cancelled() => {}
            },
            Err(error) => shared.store_failed("air", &error).await,
        }
    }
}

/// What is written down of a stream that ended before its sound, and whether a person has to say what was heard.
fn told(delivery: &DeliveryId, aired: &Aired) -> Option<(String, bool)> {
    let (code, after, what) = match aired {
        Aired::Whole => return None,
        Aired::Overtaken { after } => (
            "broken-off-urgent",
            after,
            "gave way to what interrupted it",
        ),
        Aired::Late { after } => {
            let what = "was interrupted, and ended because it had to be over";
            ("broken-off-late", after, what)
        }
        Aired::Stopped { after } => (
            "broken-off-stop",
            after,
            "was ended, because this program ends",
        ),
        Aired::Broken { after, .. } => ("broken-off", after, "ended before its sound"),
    };
    let mut detail = Detail::new(code).with("seconds", after.as_secs());
    if let Aired::Broken { fault, .. } = aired {
        detail = detail.with("reason", fault.reason.as_str());
    }
    let detail = detail.to_string();
    if matches!(aired, Aired::Late { .. } | Aired::Broken { .. }) {
        tracing::error!(delivery.id = %delivery, detail, "a stream {what}");
    } else {
        tracing::warn!(delivery.id = %delivery, detail, "a stream {what}");
    }
    Some((detail, !matches!(aired, Aired::Overtaken { .. })))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{adapter::Fault, domain::delivery::Reason};

    #[test]
    fn a_person_is_asked_but_where_it_is_known_what_was_heard() {
        let after = Duration::from_millis(3900);
        let fault = Fault::may_have_left(Reason::Cut, "");
        for (aired, expected) in [
            (Aired::Whole, None),
            (
                Aired::Overtaken { after },
                Some(("broken-off-urgent seconds=3", false)),
            ),
            (
                Aired::Late { after },
                Some(("broken-off-late seconds=3", true)),
            ),
            (
                Aired::Stopped { after },
                Some(("broken-off-stop seconds=3", true)),
            ),
            (
                Aired::Broken { after, fault },
                Some(("broken-off seconds=3; reason=cut", true)),
            ),
        ] {
            let told = told(&DeliveryId::from_text("mot"), &aired);
            let told = told.as_ref();
            let told = told.map(|(detail, is_open)| (detail.as_str(), *is_open));
            assert_eq!(told, expected);
        }
    }
}
