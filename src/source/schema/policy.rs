//! `schedules/policy.yaml`. The reader is in `raw/policy.rs`.

use serde_json::{Value, json};

use super::{Field, Shape, by_id, duration, id, integer, list, may, need, one_of, text};
use crate::domain::bulletin::Priority;

fn hours() -> Vec<Field> {
    let clock = || json!({ "type": "string", "pattern": "^[0-9]{1,2}:[0-9]{2}$" });
    vec![need("from", clock()), need("until", clock())]
}

/// Hours on days of the week.
pub(super) fn window(shape: &Shape) -> Value {
    let mut days = list(text());
    days["minItems"] = 1.into();
    let mut window = hours();
    window.push(may("days", days));
    shape.object("window", window)
}

pub(super) fn policy(shape: &Shape) -> Value {
    let sessions = shape.object(
        "sessions",
        vec![
            may("per_day", integer(1, 100)),
            may("longest", duration()),
            may("longest_day", duration()),
            may("gap", duration()),
        ],
    );
    let rule = shape.object(
        "rule",
        vec![
            need("name", text()),
            need("source", shape.source()),
            may("note", text()),
            may("wards", list(id())),
            may("except", list(id())),
            may("valid", shape.validity()),
            may("windows", list(window(shape))),
            may("quiet", list(shape.object("quiet", hours()))),
            may("sessions", sessions),
            may("exempt", list(one_of(&Priority::ALL.map(Priority::as_str)))),
        ],
    );
    shape.object("policy", vec![need("rules", by_id(rule))])
}
