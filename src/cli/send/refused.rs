//! What the rules for what is heard keep out of a send by hand.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    cli::{
        output::{Output, local, rfc3339},
        place::Place,
    },
    domain::{plan::PlannedDelivery, time::Timestamp},
};

/// A delivery that the rules for what is heard refuse, and when it would be permitted.
pub(super) type Refused = (PlannedDelivery, Option<Timestamp>);

/// One of them for programs.
pub(super) fn row((delivery, next): &Refused, place: &Place) -> serde_json::Value {
    let why = delivery.skip.as_ref();
    serde_json::json!({
        "delivery": delivery.id,
        "channel": delivery.channel,
        "ward": delivery.ward,
        "reason": why.map(|why| why.reason.as_str()),
        "detail": why.and_then(|why| why.detail.as_deref()),
        "permitted_from": next.map(|next| rfc3339(next, place.zone())),
    })
}

/// What is left out, and why: one line for all areas for which the same is true.
pub(super) fn said(refused: &[Refused], place: &Place, output: &Output) -> Vec<String> {
    let mut lines: BTreeMap<(String, Option<Timestamp>), BTreeSet<&str>> = BTreeMap::new();
    for (delivery, next) in refused {
        let why = delivery.skip.as_ref();
        let said = why.map_or_else(String::new, |why| crate::cli::plan::why_so(why, output));
        let wards = lines.entry((said, *next)).or_default();
        wards.insert(&delivery.ward_name);
    }
    let line = |((why, next), wards): ((String, Option<Timestamp>), BTreeSet<&str>)| {
        let wards = wards.into_iter().collect::<Vec<_>>().join(", ");
        let next = next.map_or_else(
            || output.say("cli.send-never-permitted", &[]),
            |next| {
                output.say(
                    "cli.send-permitted-from",
                    &[("at", &local(next, place.zone()))],
                )
            },
        );
        output.say(
            "cli.send-refused",
            &[("wards", &wards), ("why", &why), ("next", &next)],
        )
    };
    lines.into_iter().map(line).collect()
}
