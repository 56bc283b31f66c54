//! The questions of a recipe: whether it is there already, whether it was done, and whether the channel is alive.

use std::{collections::BTreeMap, time::Duration};

use super::{conditions, pointer, request, required_request, take, takes};
use crate::{
    domain::recipe::{Confirm, Find, Later, Next, Pages, Poll, Probe, Take, Turn},
    source::reader::{Fields, Value},
};

/// Most questions of one attempt; together with everything else they have to fit into its time.
const MOST_QUESTIONS: u64 = 30;

pub(super) fn poll(value: Value<'_>) -> Option<Poll> {
    value.map(|fields| Poll {
        every: fields
            .required("every")
            .and_then(|value| value.duration())
            .unwrap_or_default(),
        most: count(fields.required("most")),
    })
}

fn count(value: Option<Value<'_>>) -> u16 {
    let count = value.and_then(|value| value.integer(1..=MOST_QUESTIONS));
    count.and_then(|count| count.try_into().ok()).unwrap_or(1)
}

pub(super) fn confirm(fields: &Fields<'_>) -> Confirm {
    Confirm {
        request: required_request(fields),
        confirmed: fields
            .required("confirmed")
            .and_then(|value| value.map(conditions))
            .unwrap_or_default(),
        refuted: fields
            .get("refuted")
            .and_then(|value| value.map(conditions)),
        poll: fields.get("poll").and_then(poll),
        later: fields.get("later").and_then(later),
    }
}

/// How often and how long a device is asked afterwards.
fn later(value: Value<'_>) -> Option<Later> {
    let time = |value: Option<Value<'_>>, low, high| {
        let range = Duration::from_secs(low)..=Duration::from_secs(high);
        value.and_then(|value| value.duration_in(range))
    };
    value
        .map(|fields| {
            let every = time(fields.required("every"), 10, 3600);
            let within = time(fields.required("within"), 60, 24 * 3600)?;
            // Whoever is first asked when the time is over is asked never.
            let after = time(fields.get("after"), 10, within.as_secs());
            Some(Later {
                after,
                every: every?,
                within,
            })
        })
        .flatten()
}

/// The question of the whole recipe: when it is asked, and what is sent where it is there.
pub(super) fn find(fields: &Fields<'_>) -> Find {
    Find {
        always: fields.or("when", false, |value| {
            value.one_of(&[("always", true), ("repeat", false)])
        }),
        update: fields.get("update").and_then(request),
        ..sought(fields)
    }
}

/// The question of a step, which is asked whenever the step would be made.
pub(super) fn sought(fields: &Fields<'_>) -> Find {
    let matched = |name| {
        fields
            .required(name)
            .and_then(|value| value.map(conditions))
            .unwrap_or_default()
    };
    Find {
        always: true,
        request: required_request(fields),
        list: fields.get("list").and_then(pointer),
        found: matched("found"),
        absent: matched("absent"),
        pages: fields.get("pages").and_then(pages),
        take: fields.or("take", BTreeMap::new(), takes),
        update: None,
    }
}

pub(super) fn probe(fields: &Fields<'_>) -> Probe {
    let healthy = fields
        .get("healthy")
        .and_then(|value| value.map(conditions));
    Probe {
        request: required_request(fields),
        healthy: healthy.unwrap_or_default(),
    }
}

/// How a list's pages are turned: by a number, after an answer with more, or by an address in the answer.
fn pages(value: Value<'_>) -> Option<Pages> {
    value
        .map(|fields| {
            let most = count(fields.required("most"));
            let turn = match (fields.get("more"), fields.get("next")) {
                (Some(more), None) => Turn::Number(more.map(conditions)?),
                (None, Some(next)) => Turn::Address(address(next)?),
                _ => return value.choose_one(&["more", "next"], "L019-help-pages"),
            };
            Some(Pages { turn, most })
        })
        .flatten()
}

/// Where the address of the next page is: as what is taken from an answer, but no cookie; in a header also among links (RFC 8288).
fn address(value: Value<'_>) -> Option<Next> {
    if value.is_scalar() {
        let take = take(value)?;
        return Some(Next { take, rel: None });
    }
    value
        .map(|fields| {
            let rel = fields.get("rel").and_then(|value| value.words());
            let take = match (fields.get("header"), fields.get("pattern")) {
                (Some(header), None) => Take::Header(header.words()?),
                (None, Some(pattern)) if rel.is_none() => Take::Pattern(pattern.text()?.value),
                _ => return value.choose_one(&["header", "pattern"], "L019-help-next"),
            };
            Some(Next { take, rel })
        })
        .flatten()
}
