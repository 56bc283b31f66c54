//! The silence watchdog: notices what should have been heard and was not, and has the operator told.
//!
//! It trusts no other loop: it works out from the files what is due, asks the store where that and everything else that was
//! due stands, and takes only what a channel has accepted for heard. So a sender that hangs is noticed, a delivery that is
//! stuck in whatever state, and a planner that planned nothing. The store takes each silence once, so whatever number of
//! nodes look, and however often they start, it is told once.

mod operator;

use std::{
    collections::{HashSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use super::{Shared, live::Live};
use crate::{
    domain::{
        calendar,
        delivery::{Evidence, Reason, State},
        id::DeliveryId,
        pause::Pause,
        plan::{Plan, PlannedDelivery},
        time::Timestamp,
    },
    store::{
        StoreError,
        silence::{Silent, WasDue},
    },
    why::alone,
};
use operator::Operator;

/// How far back a start looks at most for what was not heard while nobody was running.
const BACK: Duration = Duration::from_hours(168);

/// How far ahead what is due is worked out at a time.
const AHEAD: Duration = Duration::from_hours(1);

/// How often it looks at least: what is sent by hand stands in no file, a silence may be over, somebody may have to be told.
const OFTEN: Duration = Duration::from_secs(15);

/// How seldom the record of how far it looked is renewed while nothing is due. So much is looked at again after a start.
const SELDOM: Duration = Duration::from_mins(15);

/// Looks, until told to stop.
pub async fn run(shared: Shared) {
    let mut changes = shared.live.subscribe();
    let mut watchdog = Watchdog::default();
    while !shared.stop.soft.is_cancelled() {
        let live = changes.borrow_and_update().clone();
        let busy = shared.clock.busy();
        let looked = shared.clock.now();
        let result = watchdog.step(&shared, &live).await;
        drop(busy);
        let next = match result {
            Ok(next) => {
                shared.store_works("watchdog");
                next
            }
            Err(error) => {
                shared.store_failed("watchdog", &error).await;
                continue;
            }
        };
        tokio::select! {
            () = shared.stop.soft.cancelled() => {}
            _ = changes.changed() => {}
            () = shared.clock.sleep_since(looked, next) => {}
        }
    }
}

/// What a watchdog remembers from one look to the next.
#[derive(Default)]
struct Watchdog {
    /// What was due before this was looked at.
    looked: Option<Timestamp>,
    /// Until when that is on record.
    recorded: Option<Timestamp>,
    due: Due,
    operator: Operator,
}

impl Watchdog {
    /// One look. Returns when to look again.
    async fn step(&mut self, shared: &Shared, live: &Arc<Live>) -> Result<Timestamp, StoreError> {
        let now = shared.clock.now();
        if !shared.is_time_certain() {
            // By a clock that nobody believes nothing is due, or everything is.
            return Ok(now + shared.poll());
        }
        let after = live.workspace.settings.watchdog.after;
        // What is due this very instant belongs to it.
        let until = now - after + Duration::from_micros(1);
        let begin = match self.looked {
            Some(looked) => looked,
            None => shared.store.watched().await?.unwrap_or(until),
        };
        // A clock that was set back makes what is due later due once more.
        let from = begin.clamp(until - BACK, until);
        let is_first = self.recorded.is_none();
        if (from < until || is_first) && self.look(shared, live, from, until).await? {
            self.operator.hurry();
        }
        self.looked = Some(until);
        let (silent, untold) = shared.store.count_silences(now).await?;
        let over = if silent > 0 {
            shared.store.end_silence(&shared.node, now).await?
        } else {
            Vec::new()
        };
        for one in &over {
            let place = &one.place;
            tracing::info!(
                delivery.id = %place.delivery, ward.id = %place.ward, ward.name = place.ward_name,
                channel.id = %place.channel, due = %place.due, "a silence is over"
            );
        }
        let (silent, untold) = if over.is_empty() {
            (silent, untold)
        } else {
            shared.store.count_silences(now).await?
        };
        shared.metrics.set_silent(silent);
        if untold > 0 {
            self.operator.tell(shared, live).await?;
        }
        let next = self.due.next(live, until, now) + after;
        Ok(next
            .min(now + OFTEN.max(shared.poll()))
            .max(now + Duration::from_secs(1)))
    }

    /// Notices what was due in `[from, until)` and was not heard. `true` when somebody is to be told of it.
    async fn look(
        &mut self,
        shared: &Shared,
        live: &Arc<Live>,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        let now = shared.clock.now();
        let (store, revision) = (&shared.store, &live.workspace.revision);
        let in_force = store.revision().await?;
        // Nobody had to plan by files that were not in force.
        let since = in_force.and_then(|(now, since)| (now == *revision).then_some(since));
        let ids = self.due.between(live, from, until);
        let recorded = store
            .was_due(&ids.iter().collect::<Vec<_>>(), from, until)
            .await?;
        let known: HashSet<&DeliveryId> = recorded.iter().map(|one| &one.place.delivery).collect();
        let mut missing: HashSet<&DeliveryId> = ids.iter().collect();
        missing.retain(|id| !known.contains(id));
        let unplanned: Vec<WasDue> = if missing.is_empty() {
            Vec::new()
        } else {
            Plan::new(&live.workspace)
                .deliveries(from, until)
                .filter(is_due)
                .filter(|one| {
                    since.is_some_and(|since| since <= one.due) && missing.contains(&one.id)
                })
                .map(|one| unplanned(&one))
                .collect()
        };
        let pauses = store.pauses(from).await?;
        let mut silent: Vec<WasDue> = recorded
            .into_iter()
            .chain(unplanned)
            // What gave way to something sent by hand is looked at when its own time has come.
            .filter(|one| one.place.due < until && is_silence(one, &pauses))
            .map(|one| with_host(one, live.workspace.settings.zone))
            .collect();
        // Nodes that write at once do so in the same order.
        silent.sort_unstable_by(|one, other| one.place.delivery.cmp(&other.place.delivery));
        let is_recent = self
            .recorded
            .is_some_and(|at| at <= until && until.since(at) < SELDOM);
        if silent.is_empty() && is_recent {
            return Ok(false);
        }
        let new = store
            .notice_silence(&silent, until, &shared.node, now)
            .await?;
        self.recorded = Some(until);
        shared.metrics.silences(new.len());
        for one in &new {
            let (place, state) = (&one.place, one.state.map_or("unplanned", State::as_str));
            tracing::error!(
                delivery.id = %place.delivery, ward.id = %place.ward, ward.name = place.ward_name,
                channel.id = %place.channel, schedule.id = %place.schedule, due = %place.due, state,
                reason = one.reason.map(Reason::as_str), "should have been heard and was not"
            );
        }
        Ok(!new.is_empty())
    }
}

/// When something is due, worked out some time ahead. No more than that and the ids: one instant can be that of every
/// channel of a province, and who they are has to be known of those only that are on no record.
#[derive(Default)]
struct Due {
    /// The files, and until when.
    of: Option<(Arc<Live>, Timestamp, Timestamp)>,
    deliveries: VecDeque<(Timestamp, DeliveryId)>,
}

impl Due {
    /// Works out what is due from `from` until at least `until`, if that was not done.
    fn reach(&mut self, live: &Arc<Live>, from: Timestamp, until: Timestamp) {
        let is_there = self.of.as_ref().is_some_and(|(of, begin, end)| {
            Arc::ptr_eq(of, live) && *begin <= from && until <= *end
        });
        if is_there {
            return;
        }
        let end = until + AHEAD;
        self.deliveries.clear();
        let plan = Plan::new(&live.workspace);
        let deliveries = plan.deliveries(from, end).filter(is_due);
        self.deliveries
            .extend(deliveries.map(|one| (one.due, one.id)));
        self.of = Some((live.clone(), from, end));
    }

    /// What is due in `[from, until)`. What is due before is forgotten.
    fn between(&mut self, live: &Arc<Live>, from: Timestamp, until: Timestamp) -> Vec<DeliveryId> {
        self.reach(live, from, until);
        while self.deliveries.front().is_some_and(|(due, _)| *due < from) {
            self.deliveries.pop_front();
        }
        if let Some((_, begin, _)) = &mut self.of {
            *begin = from;
        }
        let due = self.deliveries.iter();
        due.take_while(|(due, _)| *due < until)
            .map(|(_, id)| id.clone())
            .collect()
    }

    /// The first instant from `from` on at which something is due, if it is before `now`'s next hour; else the end of that.
    fn next(&mut self, live: &Arc<Live>, from: Timestamp, now: Timestamp) -> Timestamp {
        self.reach(live, from, now);
        let first = self.deliveries.iter().find(|(due, _)| from <= *due);
        first.map_or(now + AHEAD, |(due, _)| *due)
    }
}

/// Whether the plan means it to be sent.
fn is_due(one: &PlannedDelivery) -> bool {
    one.skip.is_none() && one.bulletin.is_some()
}

/// What the files say is due and is not on record.
fn unplanned(one: &PlannedDelivery) -> WasDue {
    WasDue {
        place: Silent {
            delivery: one.id.clone(),
            schedule: one.schedule.clone(),
            ward: one.ward.clone(),
            ward_name: one.ward_name.clone(),
            channel: one.channel.clone(),
            channel_name: one.channel_name.clone(),
            due: one.due,
        },
        state: None,
        reason: None,
        detail: None,
        left_alone: None,
        priority: one.priority,
        topic: one.topic.clone(),
        deadline: one.deadline,
        updated: one.due,
        by_plan: false,
        evidence: Evidence::None,
    }
}

/// Of what waits because its host is left alone, that is why.
fn with_host(mut one: WasDue, zone: chrono_tz::Tz) -> WasDue {
    if let Some(left) = &one.left_alone {
        one.reason = Some(Reason::Unreachable);
        one.detail = Some(alone(left, &|at| written(at, zone)).to_string());
    }
    one
}

/// An instant as letters and details on record have it.
fn written(at: Timestamp, zone: chrono_tz::Tz) -> String {
    calendar::local(at, zone)
        .format("%H:%M %d/%m/%Y")
        .to_string()
}

/// Whether a delivery should have been heard by now and was not: neither accepted, nor taken back by a person or a rule.
fn is_silence(one: &WasDue, pauses: &[Pause]) -> bool {
    if one.place.schedule.is_test() {
        return false;
    }
    match one.state {
        // Put up for a screen that has not come to show it.
        Some(State::Accepted) if one.evidence == Evidence::None => !is_paused(one, pauses),
        Some(State::Accepted | State::Confirmed | State::Cancelled) => false,
        Some(State::Skipped) => match one.reason {
            _ if one.by_plan => false,
            Some(Reason::Expired | Reason::Unreachable) | None => true,
            // A rule's or another broadcast's, where that was known in time. Where the deadline had to come first it had its
            // place on air, and nobody used it.
            Some(Reason::Policy | Reason::Collision) => one.deadline <= one.updated,
            Some(_) => false,
        },
        Some(State::Failed | State::Unheard | State::Unknown) => {
            !matches!(one.reason, Some(Reason::Paused | Reason::ByHand))
        }
        // A sender that hangs ends nothing that is paused either.
        Some(State::Planned | State::Ready | State::Sending) | None => !is_paused(one, pauses),
    }
}

fn is_paused(one: &WasDue, pauses: &[Pause]) -> bool {
    let place = &one.place;
    pauses.iter().any(|pause| {
        pause.is_in_force(place.due)
            && pause.covers(
                &place.ward,
                &place.channel,
                one.topic.as_ref(),
                one.priority,
            )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        bulletin::Priority,
        id::{ChannelId, ScheduleId, WardId},
        pause::Scope,
    };

    const DUE: Timestamp = Timestamp::from_micros(1_711_319_400_000_000);

    fn was_due(state: Option<State>, reason: Option<Reason>) -> WasDue {
        let schedule = ScheduleId::from_store("sang");
        let channel = ChannelId::parse("loa-1").unwrap();
        WasDue {
            place: Silent {
                delivery: DeliveryId::of(&schedule, DUE, &channel),
                schedule,
                ward: WardId::parse("hung-binh").unwrap(),
                ward_name: "phường Hưng Bình".to_owned(),
                channel,
                channel_name: "Cụm loa 1".to_owned(),
                due: DUE,
            },
            state,
            reason,
            detail: None,
            left_alone: None,
            priority: Priority::Normal,
            topic: None,
            deadline: DUE + Duration::from_mins(10),
            updated: DUE,
            by_plan: false,
            evidence: Evidence::Accepted,
        }
    }

    #[test]
    fn a_decision_is_no_silence_and_a_failure_is() {
        let silent = |state, reason| is_silence(&was_due(Some(state), reason), &[]);
        for state in [State::Planned, State::Ready, State::Sending] {
            assert!(silent(state, None), "{state:?}");
            assert!(silent(state, Some(Reason::Busy)), "{state:?}");
        }
        for state in [State::Accepted, State::Confirmed, State::Cancelled] {
            for reason in Reason::ALL.iter().copied().map(Some).chain([None]) {
                assert!(!silent(state, reason), "{state:?} {reason:?}");
            }
        }
        for (reason, is_silent) in [
            (Reason::Expired, true),
            (Reason::Unreachable, true),
            (Reason::Policy, false),
            (Reason::Collision, false),
            (Reason::Paused, false),
            (Reason::Unapproved, false),
            (Reason::Superseded, false),
            (Reason::Exception, false),
            (Reason::Holiday, false),
        ] {
            assert_eq!(
                silent(State::Skipped, Some(reason)),
                is_silent,
                "{reason:?}"
            );
        }
        for state in [State::Failed, State::Unknown] {
            assert!(silent(state, Some(Reason::Refused)));
            assert!(silent(state, Some(Reason::Deadline)));
            assert!(!silent(state, Some(Reason::Paused)));
        }
        assert!(!silent(State::Unheard, Some(Reason::ByHand)));
        assert!(is_silence(&was_due(None, None), &[]), "never planned");
        let mut unseen = was_due(Some(State::Accepted), None);
        unseen.evidence = Evidence::None;
        assert!(is_silence(&unseen, &[]), "no screen has shown it");
        unseen.state = Some(State::Confirmed);
        unseen.evidence = Evidence::Device;
        assert!(!is_silence(&unseen, &[]));
    }

    #[test]
    fn what_the_plan_skips_is_decided_and_what_runs_out_is_not() {
        let mut one = was_due(Some(State::Skipped), Some(Reason::Expired));
        one.by_plan = true;
        assert!(!is_silence(&one, &[]));
        let mut one = was_due(Some(State::Skipped), Some(Reason::Policy));
        assert!(!is_silence(&one, &[]), "when its words were frozen");
        one.updated = one.deadline;
        assert!(
            is_silence(&one, &[]),
            "the hours ended and nobody had sent it"
        );
    }

    #[test]
    fn what_is_paused_is_decided_even_when_nobody_ends_it() {
        let pause = |scope, emergency| Pause {
            number: 1,
            scope,
            emergency,
            from: DUE - Duration::from_mins(1),
            until: DUE + Duration::from_mins(1),
            by: "Nguyễn Thị Hoa".to_owned(),
            reason: "Lễ tang".to_owned(),
            resumed: None,
        };
        let ward = Scope::Ward(WardId::parse("hung-binh").unwrap());
        for state in [Some(State::Ready), Some(State::Planned), None] {
            let mut one = was_due(state, None);
            assert!(!is_silence(&one, &[pause(ward.clone(), false)]));
            let elsewhere = Scope::Ward(WardId::parse("le-loi").unwrap());
            assert!(is_silence(&one, &[pause(elsewhere, false)]));
            one.priority = Priority::Emergency;
            assert!(is_silence(&one, &[pause(Scope::All, false)]));
            assert!(!is_silence(&one, &[pause(Scope::All, true)]));
        }
    }

    #[test]
    fn a_test_is_nobodys_silence() {
        let mut one = was_due(Some(State::Failed), Some(Reason::Refused));
        one.place.schedule = ScheduleId::from_store("send.test.x");
        assert!(!is_silence(&one, &[]));
    }
}
