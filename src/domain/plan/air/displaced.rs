//! What new broadcasts leave no place for, later on their days: they are heard then, or use up what the rules permit.

use std::collections::{BTreeMap, BTreeSet};

use super::{Air, NoPlace, OnAir, latest};
use crate::domain::{
    calendar::local,
    id::{ChannelId, DeliveryId, ScheduleId},
    plan::Why,
    time::Timestamp,
    workspace::Workspace,
};

/// Sessions on loudspeakers, in the order in which their words are frozen.
type Sessions<'a> = BTreeMap<(Timestamp, &'a ScheduleId, Timestamp, &'a ChannelId), Vec<OnAir>>;

/// What of `before` is still to come on the days of `heard`, has its place without these, and none any more beside them, with why: as it
/// will be found out when its words are frozen. Of what gives way in any case (`yields`) nothing is said.
#[must_use]
pub fn displaced(
    workspace: &Workspace,
    before: &[OnAir],
    heard: &[OnAir],
    yields: &[OnAir],
) -> Vec<(OnAir, Why)> {
    let Some(first) = heard.iter().map(|one| one.from).min() else {
        return Vec::new();
    };
    let day = |at| local(at, workspace.settings.zone).date();
    let days: BTreeSet<_> = heard.iter().map(|one| day(one.from)).collect();
    let is_to_come = |item: &&OnAir| {
        item.is_open
            && !item.is_begun
            && !item.schedule.is_by_hand()
            && days.contains(&day(item.from))
            && item.until() > first
    };
    let mut air = Air::new(workspace, before.iter().cloned());
    let mut after = Air::new(workspace, before.iter().cloned());
    for one in heard.iter().filter(|one| one.schedule.is_correction()) {
        after.interrupt(one);
    }
    for one in heard {
        after.put(one.clone());
    }
    let yields: BTreeSet<&DeliveryId> = yields.iter().map(|one| &one.id).collect();
    let mut displaced = Vec::new();
    for parts in sessions(before.iter().filter(is_to_come)).into_values() {
        if parts.iter().any(|part| yields.contains(&part.id)) {
            give_way(workspace, &mut after, &parts);
            continue;
        }
        let lost: BTreeSet<DeliveryId> = left_out(&mut air, parts.clone())
            .into_iter()
            .map(|(part, _)| part.id)
            .collect();
        let out = left_out(&mut after, parts).into_iter();
        displaced.extend(out.filter(|(part, _)| !lost.contains(&part.id)));
    }
    displaced
}

fn sessions<'a>(items: impl Iterator<Item = &'a OnAir>) -> Sessions<'a> {
    let mut sessions: BTreeMap<(&ScheduleId, Timestamp, &ChannelId), Vec<OnAir>> = BTreeMap::new();
    for item in items {
        let key = (&item.schedule, item.scheduled, &item.channel);
        sessions.entry(key).or_default().push(item.clone());
    }
    let ordered = sessions
        .into_iter()
        .map(|((schedule, scheduled, channel), mut parts)| {
            parts.sort_by_key(|part| part.part);
            ((parts[0].from, schedule, scheduled, channel), parts)
        });
    ordered.collect()
}

/// Puts a session where it is heard later, or takes it out.
fn give_way(workspace: &Workspace, air: &mut Air<'_>, parts: &[OnAir]) {
    match air.place_together(parts, latest(workspace, &parts[0]), true) {
        Ok(places) => {
            for (place, part) in places.into_iter().zip(parts) {
                air.put(OnAir {
                    from: place.from,
                    ..part.clone()
                });
            }
        }
        Err(_) => parts
            .iter()
            .for_each(|part| air.remove(&part.ward, &part.id)),
    }
}

/// The parts of a session that have no place, from its end, taken out: they stand in nobody's way.
fn left_out(air: &mut Air<'_>, mut parts: Vec<OnAir>) -> Vec<(OnAir, Why)> {
    let mut out = Vec::new();
    while let Some(first) = parts.first() {
        let Err(NoPlace { why, .. }) = air.place_together(&parts, first.from, true) else {
            break;
        };
        if let Some(part) = parts.pop() {
            air.remove(&part.ward, &part.id);
            out.push((part, why));
        }
    }
    out
}
