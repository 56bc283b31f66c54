//! Random sequences of everything the store can do, against a model in memory that is simple enough to be right.
//! Sequences come from fixed seeds, so a failure repeats itself.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use loa::{
    domain::{
        bulletin::Priority,
        delivery::{Account, Outcome, Reason, State},
        id::{BulletinId, DeliveryId},
        plan::{PlannedDelivery, Why},
        time::Timestamp,
    },
    store::{Claimed, Finished, Frozen, LogFilter, Order, Planned, Room},
};

use crate::support::dice::Dice;

use super::ground::{FAR, Ground, LEASE, all, at, at_most_once, content, end, planned_by, silent};

const SEEDS: u64 = 4;
const STEPS: u32 = 120;
const NODES: [&str; 2] = ["a", "b"];

/// What the model knows of one delivery.
#[derive(Debug, Clone)]
struct Known {
    plan: PlannedDelivery,
    revision: u32,
    state: State,
    reason: Option<Reason>,
    by_plan: bool,
    attempts: u32,
    next: Option<Timestamp>,
    lease: Option<(&'static str, Timestamp)>,
    doubt: bool,
    by_hand: bool,
}

impl Known {
    fn waits(&self) -> bool {
        matches!(self.state, State::Planned | State::Ready)
    }

    fn unbegun(&self) -> bool {
        self.waits() && self.attempts == 0
    }

    fn becomes(&mut self, state: State, reason: impl Into<Option<Reason>>) {
        (self.state, self.reason, self.next, self.lease) = (state, reason.into(), None, None);
    }

    fn plan(&mut self, plan: &PlannedDelivery, revision: u32) {
        (self.plan, self.revision) = (plan.clone(), revision);
        self.by_plan = plan.skip.is_some();
        match &plan.skip {
            Some(why) => self.becomes(State::Skipped, why.reason),
            None => self.becomes(State::Planned, None),
        }
    }
}

#[derive(Default)]
struct Model {
    known: BTreeMap<DeliveryId, Known>,
    revision: u32,
    in_force: u32,
}

impl Model {
    fn plan(&mut self, batch: &[PlannedDelivery], now: Timestamp) -> Planned {
        let mut planned = Planned::default();
        for plan in batch {
            let Some(known) = self.known.get_mut(&plan.id) else {
                let mut known = Known {
                    plan: plan.clone(),
                    revision: 0,
                    state: State::Planned,
                    reason: None,
                    by_plan: false,
                    attempts: 0,
                    next: None,
                    lease: None,
                    doubt: false,
                    by_hand: false,
                };
                known.plan(plan, self.revision);
                self.known.insert(plan.id.clone(), known);
                planned.inserted += 1;
                continue;
            };
            let differs = known.plan.bulletin != plan.bulletin
                || known.plan.skip != plan.skip
                || known.plan.due != plan.due;
            let comes_back = known.state == State::Skipped
                && known.attempts == 0
                && plan.due > now
                && known.plan.due > now
                && (known.reason == Some(Reason::Superseded) || (known.by_plan && differs));
            if comes_back || (known.unbegun() && known.plan != *plan) {
                known.plan(plan, self.revision);
                planned.changed += 1;
            } else if known.unbegun() && known.revision != self.revision {
                known.plan(plan, self.revision);
            }
        }
        planned
    }

    /// Ends whatever `which` picks, and counts it.
    fn end(
        &mut self,
        which: impl Fn(&Known) -> bool,
        how: impl Fn(&Known) -> (State, Reason),
    ) -> u64 {
        let mut count = 0;
        for known in self.known.values_mut().filter(|known| which(known)) {
            let (state, reason) = how(known);
            known.becomes(state, reason);
            known.by_plan = false;
            count += 1;
        }
        count
    }

    fn finish(&mut self, node: &str, end: &Finished) -> bool {
        let known = self.known.get_mut(&end.id).unwrap();
        let holds = known.state == State::Sending
            && known.attempts == end.attempt
            && known.lease.is_some_and(|(holder, _)| holder == node);
        if holds {
            known.becomes(end.next, end.reason);
            known.next = end.next_at;
            known.doubt = end.doubt;
        }
        holds
    }

    fn claim(&mut self, node: &'static str, now: Timestamp, room: &Room<'_>) -> Vec<DeliveryId> {
        let urgent = |known: &Known| known.plan.priority == Priority::Emergency;
        let leads = |known: &Known| {
            self.known.values().all(|other| {
                other.plan.channel != known.plan.channel
                    || other.plan.id == known.plan.id
                    || other.state.is_final()
                    || (other.state != State::Sending
                        && ((urgent(known) && !urgent(other))
                            || (other.plan.due, &other.plan.id) > (known.plan.due, &known.plan.id)))
            })
        };
        let mut chosen: Vec<_> = self
            .known
            .values()
            .filter(|known| {
                known.state == State::Ready && known.next <= Some(now) && known.plan.deadline > now
            })
            .filter(|known| leads(known))
            .map(|known| {
                (
                    Reverse(known.plan.priority),
                    !at_most_once(known.plan.mode),
                    known.next,
                    known.plan.id.clone(),
                )
            })
            .collect();
        chosen.sort();
        // What an emergency overtakes waits.
        let mut taken = BTreeSet::new();
        chosen.retain(|(.., id)| taken.insert(self.known[id].plan.channel.clone()));
        let mut singular = 0;
        chosen.retain(|(_, repeatable, ..)| {
            singular += usize::from(!repeatable);
            *repeatable || singular <= room.at_most_once
        });
        chosen.truncate(room.in_all);
        let ids: Vec<_> = chosen.into_iter().map(|(.., id)| id).collect();
        for id in &ids {
            let known = self.known.get_mut(id).unwrap();
            (known.state, known.next, known.lease) =
                (State::Sending, None, Some((node, now + LEASE)));
            known.attempts += 1;
        }
        ids
    }

    fn rescue(&mut self, node: &str, alone: bool, now: Timestamp) -> Vec<(DeliveryId, State)> {
        let mut rescued = Vec::new();
        for (id, known) in &mut self.known {
            let Some((holder, until)) = known.lease else {
                continue;
            };
            if until < now || (alone && holder != node) {
                let again = !at_most_once(known.plan.mode)
                    || known.plan.channel.as_str().starts_with("asks");
                let state = if again { State::Ready } else { State::Unknown };
                known.becomes(state, Reason::Crashed);
                known.next = again.then_some(now);
                known.doubt = true;
                rescued.push((id.clone(), state));
            }
        }
        rescued
    }

    fn account(&self) -> Account {
        let mut account = Account {
            occurrences: self.known.len() as u64,
            ..Account::default()
        };
        for known in self.known.values() {
            account.add(known.state, 1);
        }
        account
    }
}

pub(super) async fn random_sequences(ground: Ground) {
    // One database for all seeds: schedules carry the seed, and each seed is later than the one before.
    let mut model = Model::default();
    let mut reached: BTreeSet<State> = BTreeSet::new();
    let stores = [ground.another().await, ground.another().await];
    for seed in 1..=SEEDS {
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let start = u32::try_from(seed).unwrap() * 100_000;
        let mut now = at(start);
        let mut flying: Vec<(usize, Claimed)> = Vec::new();
        let mut did: Vec<String> = Vec::new();
        for _ in 0..STEPS {
            let n = usize::from(dice.one_in(2));
            let (store, node) = (&stores[n], NODES[n]);
            let name = |revision: u32| format!("revision-{revision}");
            match dice.below(13) {
                0 | 1 => {
                    if dice.one_in(3) {
                        model.revision += 1;
                    }
                    if dice.below(5) > 0 {
                        model.in_force = model.revision;
                        store
                            .set_revision(&name(model.revision), now)
                            .await
                            .unwrap();
                    }
                    let batch = some_deliveries(&mut dice, seed, start);
                    did.push(format!("plan {} under {}", batch.len(), model.revision));
                    let got = store
                        .plan(&batch, &name(model.revision), now)
                        .await
                        .unwrap();
                    assert_eq!(got, model.plan(&batch, now), "{did:#?}");
                }
                2 => {
                    let (from, until) = (at(start), at(start + dice.below(2_000)));
                    did.push(format!("supersede until {until}"));
                    let got = store
                        .supersede(from, until, &name(model.revision), now)
                        .await
                        .unwrap();
                    let revision = model.revision;
                    let gone = |known: &Known| {
                        known.unbegun()
                            && (from..until).contains(&known.plan.due)
                            && known.revision != revision
                            && !known.plan.schedule.is_by_hand()
                    };
                    assert_eq!(
                        got,
                        model.end(gone, |_| (State::Skipped, Reason::Superseded)),
                        "{did:#?}"
                    );
                }
                3 | 4 => {
                    let until = now + Duration::from_secs(u64::from(dice.below(600)));
                    did.push(format!("freeze until {until}"));
                    let unprepared = store.unprepared(until, 1_000).await.unwrap();
                    let mut expected: Vec<_> = model
                        .known
                        .values()
                        .filter(|known| known.state == State::Planned && known.plan.due < until)
                        .map(|known| (known.plan.due, known.plan.id.clone()))
                        .collect();
                    expected.sort();
                    assert!(
                        unprepared
                            .iter()
                            .map(|u| &u.id)
                            .eq(expected.iter().map(|(_, id)| id)),
                        "{did:#?}"
                    );
                    let words = Arc::new(content("words"));
                    let frozen: Vec<_> = unprepared
                        .into_iter()
                        .map(|delivery| Frozen {
                            can_ask: delivery.channel.as_str().starts_with("asks"),
                            host: "h".to_owned(),
                            id: delivery.id,
                            hash: words.hash(),
                            approved: None,
                            length: None,
                            overrides: None,
                            limit: None,
                        })
                        .collect();
                    let revision = name(model.revision);
                    let got = store
                        .freeze(&[(words.hash(), words)], &frozen, &revision, now)
                        .await
                        .unwrap();
                    let counts = model.revision == model.in_force;
                    assert_eq!(
                        got,
                        if counts { frozen.len() as u64 } else { 0 },
                        "{did:#?}"
                    );
                    for frozen in frozen.iter().filter(|_| counts) {
                        let known = model.known.get_mut(&frozen.id).unwrap();
                        (known.state, known.next) = (State::Ready, Some(known.plan.due));
                    }
                }
                5..=8 => {
                    let mut ends = Vec::new();
                    let mut kept = Vec::new();
                    for (holder, claimed) in flying {
                        // Now and then a node reports what another one claimed.
                        if (holder == n && dice.below(4) > 0) || dice.one_in(40) {
                            ends.push(some_end(&mut dice, &claimed, now));
                        } else {
                            kept.push((holder, claimed));
                        }
                    }
                    flying = kept;
                    let room = Room {
                        in_all: usize::try_from(dice.below(5)).unwrap(),
                        at_most_once: usize::try_from(dice.below(5)).unwrap(),
                        full: &[],
                        ..Room::default()
                    };
                    did.push(format!("turn of {node}: {} ends, {room:?}", ends.len()));
                    let turn = store
                        .turn(node, now, now + LEASE, &ends, &room, all)
                        .await
                        .unwrap();
                    let lost: Vec<_> = ends
                        .iter()
                        .filter(|end| !model.finish(node, end))
                        .map(|end| end.id.clone())
                        .collect();
                    assert_eq!(turn.lost, lost, "{did:#?}");
                    let got: Vec<_> = turn
                        .claimed
                        .iter()
                        .map(|claimed| claimed.id.clone())
                        .collect();
                    assert_eq!(got, model.claim(node, now, &room), "{did:#?}");
                    for claimed in turn.claimed {
                        let known = &model.known[&claimed.id];
                        assert_eq!(
                            (claimed.attempt, claimed.doubt),
                            (known.attempts, known.doubt),
                            "{did:#?}"
                        );
                        flying.push((n, claimed));
                    }
                }
                9 => {
                    let alone = dice.one_in(4);
                    did.push(format!("rescue by {node}, alone: {alone}"));
                    let got = store.rescue(node, alone, now, now).await.unwrap();
                    assert_eq!(got, model.rescue(node, alone, now), "{did:#?}");
                }
                10 => {
                    did.push("expire".to_owned());
                    let got = store.expire(node, now).await.unwrap();
                    let how = |known: &Known| match (known.attempts, known.doubt) {
                        (0, _) => (State::Skipped, Reason::Expired),
                        (_, true) => (State::Unknown, Reason::Deadline),
                        (_, false) => (State::Failed, known.reason.unwrap_or(Reason::Deadline)),
                    };
                    let over = |known: &Known| known.waits() && known.plan.deadline <= now;
                    assert_eq!(got.len() as u64, model.end(over, how), "{did:#?}");
                }
                11 => {
                    let (from, until) =
                        (at(start + dice.below(1_000)), at(start + dice.below(1_000)));
                    did.push(format!("judge {from} to {until}"));
                    let until = until.min(now);
                    let got = store.judge_missed(from, until, "down", now).await.unwrap();
                    let missed = |known: &Known| {
                        known.unbegun()
                            && (!known.plan.late || known.plan.deadline <= now)
                            && known.plan.due >= from
                            && known.plan.due < until
                    };
                    assert_eq!(
                        got,
                        model.end(missed, |_| (State::Skipped, Reason::Expired)),
                        "{did:#?}"
                    );
                }
                _ => {
                    let Some(index) = u32::try_from(model.known.len()).ok().filter(|len| *len > 0)
                    else {
                        continue;
                    };
                    let pick = usize::try_from(dice.below(index)).unwrap();
                    let id = model.known.keys().nth(pick).unwrap().clone();
                    let heard = dice.one_in(2);
                    did.push(format!("reconcile {id}: {heard}"));
                    let got = store.reconcile(&id, heard, "x", now).await.unwrap();
                    let known = model.known.get_mut(&id).unwrap();
                    let open =
                        matches!(known.state, State::Accepted | State::Unknown) || known.by_hand;
                    assert_eq!(got, open, "{did:#?}");
                    if open {
                        known.becomes(
                            if heard {
                                State::Confirmed
                            } else {
                                State::Unheard
                            },
                            Reason::ByHand,
                        );
                        known.by_hand = true;
                    }
                }
            }
            agrees(&ground, &model, &did).await;
            reached.extend(model.known.values().map(|known| known.state));
            now = now + Duration::from_secs(u64::from(dice.below(30)));
        }
        // Whatever is still in the air is given up before the next seed.
        stores[0].rescue("nobody", true, now, now).await.unwrap();
        model.rescue("nobody", true, now);
    }
    // The sequences are worth something: everything was reached but what only a person's cancelling reaches.
    assert!(
        reached.iter().eq(State::ALL
            .iter()
            .filter(|state| **state != State::Cancelled)),
        "{reached:?}"
    );
}

async fn agrees(ground: &Ground, model: &Model, did: &[String]) {
    let rows = ground
        .store
        .log(&LogFilter::default(), Order::OldestFirst, None, 100_000)
        .await
        .unwrap();
    assert_eq!(rows.len(), model.known.len(), "{did:#?}");
    for row in rows {
        let known = &model.known[&row.id];
        assert_eq!(
            (row.state, row.reason, row.attempts, row.next_at),
            (known.state, known.reason, known.attempts, known.next),
            "{known:?} after {did:#?}"
        );
    }
    assert_eq!(
        ground.store.account(&LogFilter::default()).await.unwrap(),
        model.account(),
        "{did:#?}"
    );
    assert!(model.account().balances());
    assert_eq!(
        ground
            .store
            .contradictions(&LogFilter::default())
            .await
            .unwrap(),
        [],
        "{did:#?}"
    );
    let next = ground.store.next_unprepared().await.unwrap();
    let planned = model
        .known
        .values()
        .filter(|known| known.state == State::Planned);
    assert_eq!(
        next,
        planned
            .map(|known| known.plan.due)
            .min()
            .filter(|due| *due < FAR),
        "{did:#?}"
    );
}

/// Some of the deliveries of a small city, as one or another edit would have them.
fn some_deliveries(dice: &mut Dice, seed: u64, start: u32) -> Vec<PlannedDelivery> {
    let mut batch = Vec::new();
    for (s, schedule) in (0..).zip([
        format!("s{seed}"),
        format!("t{seed}"),
        format!("send.{seed}"),
    ]) {
        for channel in ["loa-1", "loa-2", "web-1", "asks-1"] {
            for n in 0..6 {
                if dice.one_in(3) {
                    continue;
                }
                // Two schedules meet at some instants.
                let due = start + n * 200 + s * 100 % 200;
                let mut delivery = planned_by(&schedule, channel, due);
                if channel == "asks-1" {
                    delivery.mode = loa::domain::channel::Mode::AtMostOnce;
                }
                if dice.one_in(8) {
                    // It gives way to another.
                    delivery.due = at(due + 30);
                }
                delivery.deadline = delivery.due + Duration::from_secs(u64::from(60 + n * 60));
                delivery.late = dice.one_in(8);
                delivery.priority = if dice.one_in(8) {
                    Priority::Emergency
                } else {
                    Priority::Normal
                };
                match dice.below(24) {
                    0 | 1 => delivery = silent(delivery),
                    2 | 3 => {
                        delivery.skip = Some(Why {
                            reason: Reason::Policy,
                            detail: Some("outside-hours".to_owned()),
                        });
                    }
                    4..7 => delivery.bulletin = Some(BulletinId::parse("other").unwrap()),
                    _ => {}
                }
                batch.push(delivery);
            }
        }
    }
    batch
}

/// Some end of an attempt, as the dispatcher's rules would give it.
fn some_end(dice: &mut Dice, claimed: &Claimed, now: Timestamp) -> Finished {
    let later = now + Duration::from_secs(u64::from(dice.below(60)));
    let finished = match dice.below(6) {
        0 => end(claimed, Outcome::Rejected, State::Failed),
        1 => Finished {
            next_at: Some(later),
            ..end(claimed, Outcome::Retry, State::Ready)
        },
        2 if at_most_once(claimed.mode) => end(claimed, Outcome::Unknown, State::Unknown),
        2 => Finished {
            next_at: Some(later),
            ..end(claimed, Outcome::Unknown, State::Ready)
        },
        _ => end(claimed, Outcome::Accepted, State::Accepted),
    };
    Finished {
        finished: now,
        ..finished
    }
}
