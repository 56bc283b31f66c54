//! `content/`: bulletins, topics, contacts. The readers are in `raw/bulletin.rs`, `raw/contact.rs` and
//! `raw/approval.rs`.

use serde_json::{Value, json};

use super::{
    Shape, by_id, by_name, date, either, id, integer, list, may, month, need, one_of, text,
};
use crate::domain::{
    bulletin::{Priority, Voice},
    contact::ContactKind,
};

pub(super) fn bulletin(shape: &Shape) -> Value {
    let claim = shape.object("claim", vec![need("says", text()), may("source", text())]);
    let not_contact = shape.object(
        "not-contact",
        vec![need("text", text()), need("reason", text())],
    );
    let voices = Voice::ALL.map(Voice::as_str);
    let turn = shape.choice(
        "turn",
        "oneOf",
        &voices,
        voices.map(|voice| may(voice, text())).into(),
    );
    let mut dialogue = list(turn);
    dialogue["minItems"] = 1.into();
    let picture = shape.object("picture", vec![need("file", text()), need("alt", text())]);
    let article = shape.object(
        "article",
        vec![
            may("summary", text()),
            need("body", text()),
            may("picture", picture),
        ],
    );
    let mut bulletin = shape.object(
        "bulletin",
        vec![
            need("title", text()),
            need("topic", id()),
            may("priority", one_of(&Priority::ALL.map(Priority::as_str))),
            may("valid", shape.validity()),
            need("source", shape.source()),
            may("editors", list(text())),
            may("claims", list(claim)),
            may("contacts", list(id())),
            may("not_contacts", list(not_contact)),
            may("script", text()),
            may("dialogue", dialogue),
            may("recording", text()),
            may("article", article),
            may("message", text()),
            may("sign", text()),
            may("correction", text()),
        ],
    );
    bulletin["not"] = json!({ "required": ["script", "dialogue"] });
    bulletin
}

/// The reader is in `raw/speech.rs`.
pub(super) fn speech(shape: &Shape) -> Value {
    let choice = shape.object(
        "reading",
        vec![
            may("before", list(text())),
            may("after", list(text())),
            need("say", text()),
        ],
    );
    let readings = || by_name(either(&[text(), list(choice.clone())]));
    shape.object(
        "speech",
        vec![
            may("abbreviations", readings()),
            may("addresses", readings()),
            may("words", readings()),
        ],
    )
}

pub(super) fn topics(shape: &Shape) -> Value {
    let topic = shape.object(
        "topic",
        vec![need("title", text()), may("official", integer(1, 24))],
    );
    shape.object("topics", vec![need("topics", by_id(topic))])
}

pub(super) fn contacts(shape: &Shape) -> Value {
    let day_or_month = || either(&[date(), month()]);
    let mut contact = shape.object(
        "contact",
        vec![
            need("kind", one_of(&ContactKind::ALL.map(ContactKind::as_str))),
            need("name", text()),
            may("value", text()),
            need("owner", text()),
            need("purpose", text()),
            need("source", text()),
            may("verified_on", day_or_month()),
            may("verified_by", text()),
            may("expires", day_or_month()),
        ],
    );
    // An office is a place to go to.
    contact["if"] = json!({ "properties": { "kind": { "const": "office" } } });
    contact["else"] = json!({ "required": ["value"] });
    // All that makes a verification, or none of it.
    contact["dependencies"] = json!({
        "verified_on": ["verified_by", "expires"],
        "verified_by": ["verified_on", "expires"],
        "expires": ["verified_on", "verified_by"],
    });
    shape.object("contacts", vec![need("contacts", by_id(contact))])
}
