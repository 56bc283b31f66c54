//! Asks every channel that can be asked, now and then, whether it is alive.
//!
//! A question has no effect. Few are under way at once, one at a time at one host, spread over the interval. What comes of it feeds the
//! breaker of the host; while that is open the host gets the trial's question and no other.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use futures_util::{FutureExt as _, StreamExt as _, stream::FuturesUnordered};

use super::{Shared, keeper, live::Live};
use crate::{
    adapter::{
        Adapter, Failure,
        attempt::{self, AttemptEnd, Ending},
    },
    domain::{
        breaker::{Caller, Entry},
        delivery::Reason,
        id::ChannelId,
        retry::{jitter, share},
        settings::HealthSettings,
        time::Timestamp,
    },
};

/// Questions under way at once.
const ABREAST: usize = 8;

/// How long the other channels of a host that is being asked wait.
const APART: Duration = Duration::from_secs(1);

/// What came of a question.
struct Told {
    channel: ChannelId,
    host: String,
    is_trial: bool,
    answer: Answer,
}

/// `Ok` when a channel says that it is alive.
enum Answer {
    /// It was called.
    Asked(Result<(), Failure>),
    /// Nobody was called.
    NotAsked(Result<(), Failure>),
}

impl Told {
    fn result(&self) -> &Result<(), Failure> {
        let (Answer::Asked(result) | Answer::NotAsked(result)) = &self.answer;
        result
    }
}

/// Asks, until told to stop.
pub(super) async fn run(shared: Shared) {
    let mut changes = shared.live.subscribe();
    let mut rounds = Rounds::default();
    let mut asking = FuturesUnordered::new();
    let mut busy = None;
    while !shared.stop.soft.is_cancelled() {
        let live = changes.borrow_and_update().clone();
        rounds.adopt(&live, shared.clock.now(), shared.poll());
        while asking.len() < ABREAST
            && let Some((channel, host, is_trial)) = rounds.next(&shared, &live)
        {
            busy.get_or_insert_with(|| shared.clock.busy());
            asking.push(ask(&shared, live.clone(), channel, host, is_trial));
        }
        if asking.is_empty() {
            busy = None;
        }
        let wake = rounds.wake().filter(|_| asking.len() < ABREAST);
        tokio::select! {
            () = shared.stop.soft.cancelled() => {}
            _ = changes.changed() => {}
            Some(told) = asking.next(), if !asking.is_empty() => rounds.take(&shared, &live, told),
            () = until(&shared, wake) => {}
        }
    }
}

async fn until(shared: &Shared, wake: Option<Timestamp>) {
    match wake {
        Some(wake) => shared.clock.sleep_until(wake).await,
        None => std::future::pending().await,
    }
}

async fn ask(
    shared: &Shared,
    live: Arc<Live>,
    channel: ChannelId,
    host: String,
    is_trial: bool,
) -> Told {
    let answer = match live.adapters.get(&channel) {
        Some(adapter) => question(shared, adapter.as_ref()).await,
        None => Answer::NotAsked(Ok(())),
    };
    Told {
        channel,
        host,
        is_trial,
        answer,
    }
}

/// Puts the question. Without a token where one is needed nothing can be asked, and nothing can be sent.
async fn question(shared: &Shared, adapter: &dyn Adapter) -> Answer {
    let (pair, access) = match keeper::access(shared, adapter).await.transpose() {
        Ok(access) => access.unzip(),
        Err(failure) => return Answer::NotAsked(Err(failure)),
    };
    let asked = attempt::question(adapter, access.as_ref(), &shared.transport, || {
        shared.clock.now()
    });
    // A defect of one adapter is no reason to ask nobody any more.
    let asked = std::panic::AssertUnwindSafe(asked).catch_unwind().await;
    let end = match asked {
        Ok(Some(end)) => end,
        // It cannot be asked: that says nothing of its account either.
        Ok(None) => return Answer::NotAsked(Ok(())),
        Err(_) => AttemptEnd::failed(Failure::retry(Reason::Defect, "panic")),
    };
    let answered = match end.ending {
        Ending::Accepted(_) => Ok(()),
        Ending::Failed(failure) => Err(failure),
    };
    shared.keeper.hear(adapter, pair, answered.as_ref().err());
    match answered {
        Err(failure) if failure.reason().is_of_ours(end.answered) => Answer::NotAsked(Err(failure)),
        answered => Answer::Asked(answered),
    }
}

/// Who is to be asked when.
#[derive(Default)]
struct Rounds {
    /// The files.
    of: Option<Arc<Live>>,
    queue: BTreeSet<(Timestamp, ChannelId)>,
    /// Hosts that are being asked.
    asking: HashSet<String>,
    /// Channels that did not say when they were last asked that they are alive.
    unwell: HashSet<ChannelId>,
}

impl Rounds {
    /// Takes other files: what is known of channels that stay stays, and new ones come at some moment of the interval.
    fn adopt(&mut self, live: &Arc<Live>, now: Timestamp, stride: Duration) {
        if self.of.as_ref().is_some_and(|of| Arc::ptr_eq(of, live)) {
            return;
        }
        self.of = Some(live.clone());
        let known: HashMap<ChannelId, Timestamp> = std::mem::take(&mut self.queue)
            .into_iter()
            .map(|(at, channel)| (channel, at))
            .collect();
        let Some(every) = settings(live).every else {
            self.unwell.clear();
            return;
        };
        for (channel, adapter) in live.adapters.iter() {
            if adapter.account().is_some() || adapter.probe(&[]).is_some() {
                let at = known.get(channel).copied();
                let at = at.unwrap_or_else(|| now + every.mul_f64(share(channel.as_str(), 0)));
                let at = in_strides(at.min(now + every), stride);
                self.queue.insert((at, channel.clone()));
            }
        }
        self.unwell
            .retain(|channel| live.adapters.get(channel).is_some());
    }

    /// When somebody is to be asked.
    fn wake(&self) -> Option<Timestamp> {
        self.queue.first().map(|(at, _)| *at)
    }

    /// The next channel that is to be asked now.
    fn next(&mut self, shared: &Shared, live: &Live) -> Option<(ChannelId, String, bool)> {
        let now = shared.clock.now();
        while self.wake().is_some_and(|at| at <= now) {
            let (_, channel) = self.queue.pop_first()?;
            let Some(adapter) = live.adapters.get(&channel) else {
                continue;
            };
            let host = adapter.host();
            let entry = if self.asking.contains(host) {
                Entry::Held
            } else {
                shared.health.enter(host, Caller::Question, now)
            };
            if entry == Entry::Held {
                let free = shared.health.free_at(host, Caller::Question);
                let again = free.filter(|free| *free > now).unwrap_or(now + APART);
                self.queue.insert((again, channel));
                continue;
            }
            self.asking.insert(host.to_owned());
            return Some((channel, host.to_owned(), entry == Entry::Trial));
        }
        None
    }

    /// Learns what came of a question, and when the next one is due.
    fn take(&mut self, shared: &Shared, live: &Live, told: Told) {
        let (now, settings) = (shared.clock.now(), settings(live));
        self.asking.remove(&told.host);
        let reason = told.result().as_ref().err().map(Failure::reason);
        let health = &shared.health;
        match told.answer {
            Answer::Asked(_) => {
                if health.learn(&told.host, reason, told.is_trial, now, &settings) {
                    // Somebody may have waited for it.
                    shared.prepared.notify_one();
                }
            }
            // Nobody was called, so nothing is known of the host.
            Answer::NotAsked(_) if told.is_trial => {
                health.give_back(&told.host);
                shared.prepared.notify_one();
            }
            Answer::NotAsked(_) => {}
        }
        let answered = reason.is_none_or(|reason| reason.host_answered() != Some(false));
        shared.metrics.asked(match (told.result(), answered) {
            (Ok(()), _) => "alive",
            (Err(_), true) => "unwell",
            (Err(_), false) => "no-answer",
        });
        self.tell(&told);
        shared.metrics.set_unwell(self.unwell.len());
        let Some(every) = settings.every else {
            return;
        };
        // Whoever gave no answer is asked again soon, so that it is known whether that was chance.
        let next = if answered {
            let wait = every.mul_f64(jitter(&format!("{} {now}", told.channel), 0));
            in_strides(now + wait, shared.poll())
        } else {
            now + settings.breaker.first.min(every)
        };
        let free = health.free_at(&told.host, Caller::Question);
        if self
            .of
            .as_ref()
            .is_some_and(|of| of.adapters.get(&told.channel).is_some())
        {
            let at = next.max(free.unwrap_or(now));
            self.queue.insert((at, told.channel));
        }
    }

    /// One line when a channel falls ill, and one when it is well again.
    fn tell(&mut self, told: &Told) {
        match told.result() {
            Err(failure) => {
                if self.unwell.insert(told.channel.clone()) {
                    tracing::warn!(
                        channel.id = %told.channel, host = told.host, reason = failure.reason().as_str(),
                        detail = failure.detail(), "a channel does not say that it is alive"
                    );
                }
            }
            Ok(()) => {
                if self.unwell.remove(&told.channel) {
                    tracing::info!(channel.id = %told.channel, host = told.host, "a channel is alive again");
                }
            }
        }
    }
}

fn settings(live: &Live) -> HealthSettings {
    live.workspace.settings.delivery.health
}

/// The next instant from `at` on at which a loop looks anyway: a clock that runs fast, and stands at each instant that somebody waits for,
/// would stop for every single channel.
fn in_strides(at: Timestamp, stride: Duration) -> Timestamp {
    let stride = i64::try_from(stride.as_micros()).unwrap_or(i64::MAX).max(1);
    let over = at.as_micros().rem_euclid(stride);
    if over == 0 {
        at
    } else {
        Timestamp::from_micros(at.as_micros().saturating_add(stride - over))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_put_together_into_strides() {
        let two = Duration::from_secs(2);
        for (at, next) in [
            (0, 0),
            (1, 2_000_000),
            (2_000_000, 2_000_000),
            (3_999_999, 4_000_000),
        ] {
            let at = Timestamp::from_micros(at);
            assert_eq!(in_strides(at, two), Timestamp::from_micros(next));
        }
    }

    #[test]
    fn channels_are_spread_over_the_interval() {
        let shares: Vec<f64> = (0..1_000)
            .map(|number| share(&format!("loa-{number}"), 0))
            .collect();
        for tenth in 0..10 {
            let from = f64::from(tenth) / 10.0;
            let among = shares
                .iter()
                .filter(|share| (from..from + 0.1).contains(*share))
                .count();
            assert!(
                (50..=170).contains(&among),
                "{among} of 1000 in the tenth from {from}"
            );
        }
    }
}
