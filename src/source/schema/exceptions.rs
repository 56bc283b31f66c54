//! `schedules/holidays.yaml`. The reader is in `raw/exception.rs`.

use serde_json::{Value, json};

use super::{Shape, by_id, date, id, list, may, need, one_of, text};
use crate::{domain::channel::ChannelKind, source::raw::exception::KEEP};

pub(super) fn holidays(shape: &Shape) -> Value {
    let keep = KEEP.map(|(word, _)| word);
    let mut day = shape.choice(
        "day",
        "oneOf",
        &["date", "yearly", "from"],
        vec![
            need("name", text()),
            may("date", date()),
            may(
                "yearly",
                json!({ "type": "string", "pattern": "^[0-3][0-9]-[01][0-9]$" }),
            ),
            may("from", date()),
            may("until", date()),
            may(
                "kinds",
                list(one_of(&ChannelKind::ALL.map(ChannelKind::as_str))),
            ),
            may("wards", list(id())),
            may("keep", one_of(&keep)),
            may("document", text()),
        ],
    );
    day["dependencies"] = json!({ "from": ["until"], "until": ["from"] });
    let mut exception = shape.object(
        "exception",
        vec![
            need("schedule", id()),
            need("at", text()),
            may("wards", list(id())),
            may("skip", text()),
            may("move", text()),
            may("replace", id()),
            may("reason", text()),
            need("by", text()),
        ],
    );
    let is_altered = json!([{ "required": ["move"] }, { "required": ["replace"] }]);
    exception["oneOf"] = json!([
        { "required": ["skip"] },
        { "required": ["reason"], "anyOf": is_altered },
    ]);
    // Whoever calls an occurrence off says why there, and alters nothing.
    exception["dependencies"] = json!({ "reason": { "anyOf": is_altered } });
    shape.object(
        "holidays",
        vec![may("days", by_id(day)), may("exceptions", list(exception))],
    )
}
