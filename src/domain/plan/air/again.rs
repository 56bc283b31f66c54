//! Another place for what is to be tried again and has no time left for that where it stands: something else is heard next, or the
//! hours end. It is looked for by the rules of the plan, beside everything on record, and nothing that has its place gives way to it,
//! except to an emergency.

use std::{cmp::Reverse, collections::HashMap};

use super::{Air, Limit, OnAir, Settled};
use crate::domain::{id::DeliveryId, time::Timestamp};

/// What has no time left where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Stranded {
    /// The delivery.
    pub id: DeliveryId,
    /// Where it stands.
    pub due: Timestamp,
    /// When it may begin at the latest.
    pub latest: Timestamp,
    /// What it had to be over for.
    pub detail: String,
}

/// The place of a delivery.
#[derive(Debug, Clone, PartialEq)]
pub struct Spot {
    /// The delivery.
    pub id: DeliveryId,
    /// When it is due.
    pub due: Timestamp,
    /// When its sending must have begun.
    pub deadline: Timestamp,
    /// When it has to be over.
    pub limit: Option<Limit>,
}

/// What becomes of what had no time left.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Again {
    /// Where it stands now.
    pub placed: Vec<Spot>,
    /// What there is no other place for.
    pub hopeless: Vec<DeliveryId>,
    /// What the new places ask of others.
    pub settled: Settled,
    /// Until when any of it may be heard.
    pub until: Option<Timestamp>,
}

impl Air<'_> {
    /// Another place for each of `stranded`, from `now` on and not before it would have been tried again: the more urgent first, then the
    /// earlier.
    #[must_use]
    pub fn place_again(mut self, stranded: &[Stranded], now: Timestamp) -> Again {
        let mut again = Again::default();
        let mut wanted: HashMap<&DeliveryId, Timestamp> =
            stranded.iter().map(|one| (&one.id, one.latest)).collect();
        let mut wishes: Vec<(OnAir, Timestamp)> = Vec::new();
        // None of them is heard where it stands, so none is in another's way there.
        for items in &mut self.items {
            for item in std::mem::take(items) {
                if let Some(latest) = wanted.remove(&item.id) {
                    let from = item.from.max(now);
                    wishes.push((OnAir { from, ..item }, latest));
                } else {
                    items.push(item);
                }
            }
        }
        // Of no area of these files.
        again.hopeless.extend(wanted.into_keys().cloned());
        wishes.sort_by(|(one, _), (other, _)| {
            let order = |item: &OnAir| (Reverse(item.priority), item.from);
            order(one)
                .cmp(&order(other))
                .then_with(|| one.id.cmp(&other.id))
        });
        let mut placed: Vec<OnAir> = Vec::new();
        for (wish, latest) in wishes {
            let found = self.place(&wish, latest, false).ok().and_then(|place| {
                let begun = place.limit.as_ref().map(|limit| limit.over - wish.length);
                let deadline = begun.map_or(latest, |begun| begun.min(latest));
                // A call takes a moment.
                (place.from < deadline).then_some((place, deadline))
            });
            let Some((place, deadline)) = found else {
                again.hopeless.push(wish.id);
                continue;
            };
            let there = OnAir {
                from: place.from,
                deadline,
                ..wish
            };
            again.placed.push(Spot {
                id: there.id.clone(),
                due: place.from,
                deadline,
                limit: place.limit,
            });
            again.until = again.until.max(Some(deadline + there.length));
            self.put(there.clone());
            placed.push(there);
        }
        again.settled = self.settle(&placed);
        again
    }
}
