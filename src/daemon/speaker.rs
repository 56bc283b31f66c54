//! Makes the sounds that the preparer orders, a few at a time, ahead of their deliveries.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;
use tokio::task::JoinSet;

use super::Shared;
use crate::domain::{delivery::Reason, detail::Detail};

/// Sounds in the making at once: engines use a whole processor each.
const AT_ONCE: usize = 2;

/// Makes what is ordered, until told to stop. What is in the making then is given up; its programs are ended.
pub async fn run(shared: Shared) {
    let mut making = JoinSet::new();
    while !shared.stop.soft.is_cancelled() {
        let live = shared.live.borrow().clone();
        while making.len() < AT_ONCE
            && let Some((key, content)) = live.desk.next()
        {
            let (live, clock) = (live.clone(), shared.clock.clone());
            making.spawn(async move {
                // A fast clock does not run away from an engine that works at life's speed.
                let _busy = clock.busy();
                let work = live.studio.make(&content, key.1);
                // A panic is one failed sound.
                let made = match AssertUnwindSafe(work).catch_unwind().await {
                    Ok(Ok(made)) => Ok(made.audio.sound),
                    Ok(Err(error)) => {
                        tracing::error!(
                            error = &error as &dyn std::error::Error,
                            "the engine gave no sound"
                        );
                        Err((error.reason(), error.told().to_string()))
                    }
                    Err(_) => Err((Reason::Defect, Detail::new("panic").to_string())),
                };
                let (bulletin, format) = (&content.bulletin, key.1.format.as_str());
                match &made {
                    Ok(sound) => {
                        let seconds = sound.length.as_secs_f64();
                        tracing::info!(bulletin.id = %bulletin, format, seconds, sound.loudness, "a sound is ready");
                    }
                    Err((reason, detail)) => {
                        let reason = reason.as_str();
                        tracing::error!(bulletin.id = %bulletin, format, reason, detail, "a sound could not be made");
                    }
                }
                live.desk.done(key, made, clock.now());
            });
        }
        tokio::select! {
            () = shared.stop.soft.cancelled() => {}
            () = shared.ordered.notified() => {}
            _ = making.join_next(), if !making.is_empty() => shared.planned.notify_one(),
        }
    }
}
