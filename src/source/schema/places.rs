//! `loa.yaml`, `channels/` without recipes, and `schedules/`. The readers are in `raw/settings.rs`, `raw/approval.rs`,
//! `raw/lint.rs`, `raw/ward.rs`, `raw/channel.rs`, `raw/schedule.rs` and `raw/target.rs`.

use serde_json::{Value, json};

use super::{
    Field, Shape, by_id, by_name, duration, either, id, integer, list, may, need, number, one_of,
    secret, text,
};
use crate::domain::{
    audio::AudioFormat,
    bulletin::{Format, Voice},
    channel::{ChannelKind, Mode},
    lint::{Level, Rule},
    mail::MailTls,
    speech::{Linh, Nghin, Rate, Region},
    zalo::Correction,
};
use crate::source::raw::{
    channel::{FULL_VOLUME, MOST_LISTENERS, MOST_VOLUME},
    mail::MOST_RECIPIENTS,
};

pub(super) fn settings(shape: &Shape) -> Value {
    let texts = |names: &[&'static str]| names.iter().map(|name| need(name, text())).collect();
    let lengths = |names: &[&'static str]| -> Vec<Field> {
        names.iter().map(|name| may(name, duration())).collect()
    };
    let retry = shape.object(
        "retry",
        vec![
            may("first", duration()),
            may("longest", duration()),
            may("attempts", integer(1, 100)),
        ],
    );
    let hosts = shape.object(
        "hosts",
        vec![
            may("concurrency", integer(1, 1_000)),
            may("per_second", number(0.1, 10_000.0)),
        ],
    );
    let health = shape.object(
        "health",
        vec![
            may("every", either(&[duration(), one_of(&["off"])])),
            may("failures", integer(1, 100)),
            may("first", duration()),
            may("longest", duration()),
        ],
    );
    let mut delivery = lengths(&["connect_timeout", "total_timeout", "lease"]);
    delivery.extend([
        may("workers", integer(1, 10_000)),
        may("retry", retry),
        may("hosts", hosts),
        may("health", health),
    ]);
    let approver = shape.object("approver", vec![need("name", text()), need("role", text())]);
    let approval = shape.object(
        "approval",
        vec![
            may(
                "required",
                one_of(&["bulletins-and-schedules", "bulletins", "off"]),
            ),
            may("unapproved", one_of(&["last-approved", "skip"])),
            may("approvers", list(approver)),
            may("emergency", integer(2, 9)),
        ],
    );
    shape.object(
        "loa",
        vec![
            need("name", text()),
            need("zone", text()),
            need("city", {
                let mut city = shape.object("city", texts(&["id", "name", "province"]));
                city["properties"]["id"]["pattern"] = id()["pattern"].clone();
                city
            }),
            need(
                "database",
                json!({ "type": "string", "pattern": "^(sqlite|postgres|postgresql|env|file):" }),
            ),
            may("web", shape.object("web", vec![may("listen", text())])),
            may(
                "plan",
                shape.object("plan", lengths(&["horizon", "prepare", "grace"])),
            ),
            may("delivery", shape.object("delivery", delivery)),
            may(
                "network",
                shape.object("network", vec![may("allow", list(text()))]),
            ),
            may(
                "simulate",
                shape.object(
                    "simulate",
                    vec![
                        need("start", text()),
                        may("speed", number(0.001, 100_000.0)),
                    ],
                ),
            ),
            may("approval", approval),
            may("speech", speech(shape)),
            may("lint", lint(shape)),
            may(
                "watchdog",
                shape.object(
                    "watchdog",
                    vec![may("operator", id()), may("after", duration())],
                ),
            ),
        ],
    )
}

/// The readers are in `raw/speech.rs` and `raw/audio.rs`.
fn speech(shape: &Shape) -> Value {
    shape.object(
        "voice",
        vec![
            may("dialect", one_of(&Region::ALL.map(Region::as_str))),
            may("linh", one_of(&[Linh::Linh, Linh::Le].map(Linh::as_str))),
            may(
                "nghin",
                one_of(&[Nghin::Nghin, Nghin::Ngan].map(Nghin::as_str)),
            ),
            may("rate", rate()),
            may("engine", engine(shape)),
            may("voice", one_of(&Voice::ALL.map(Voice::as_str))),
            may("voices", voices(shape)),
            may("timeout", duration()),
            may("loudness", number(-30.0, -10.0)),
            may("chime", one_of(&["bell", "none"])),
            may(
                "encoders",
                shape.object(
                    "encoders",
                    vec![may("mp3", program(shape)), may("opus", program(shape))],
                ),
            ),
            may(
                "cache",
                shape.object(
                    "cache",
                    vec![
                        may("folder", text()),
                        may("megabytes", integer(10, 1_000_000)),
                    ],
                ),
            ),
        ],
    )
}

fn engine(shape: &Shape) -> Value {
    let service = shape.object(
        "service",
        vec![
            need("url", json!({ "type": "string", "pattern": "^https?://" })),
            may("token", secret()),
            may("body", one_of(&["json", "text"])),
        ],
    );
    let made = shape.choice(
        "engine",
        "oneOf",
        &["command", "http"],
        vec![may("command", program(shape)), may("http", service)],
    );
    either(&[one_of(&["espeak", "none"]), made])
}

fn program(shape: &Shape) -> Value {
    shape.object(
        "program",
        vec![need("program", text()), may("arguments", list(text()))],
    )
}

fn voices(shape: &Shape) -> Value {
    let timbre = shape.object(
        "timbre",
        vec![may("name", text()), may("pitch", integer(0, 99))],
    );
    let timbre = || either(&[text(), timbre.clone()]);
    shape.object("voices", vec![may("nu", timbre()), may("nam", timbre())])
}

/// Syllables a minute.
fn rate() -> Value {
    integer(Rate::SLOWEST.into(), Rate::FASTEST.into())
}

fn lint(shape: &Shape) -> Value {
    let level = || one_of(&Level::ALL.map(Level::as_str));
    let limits = [
        "sentence_syllables",
        "message_characters",
        "sign_characters",
        "title_characters",
        "summary_characters",
        "validity_days",
    ];
    let limits = limits.map(|name| may(name, integer(1, 100_000)));
    let mut fields = vec![
        may("all", level()),
        may("limits", shape.object("limits", limits.into())),
    ];
    fields.extend(Rule::ALL.map(|rule| may(rule.as_str(), level())));
    shape.object("lint", fields)
}

pub(super) fn wards(shape: &Shape) -> Value {
    let ward = shape.object(
        "ward",
        vec![
            need("kind", one_of(&["phuong", "xa"])),
            need("name", text()),
            may("code", text()),
            may("valid", shape.validity()),
            may("neighbours", list(id())),
            may("first", list(id())),
        ],
    );
    shape.object("wards", vec![need("wards", by_id(ward))])
}

pub(super) fn channels(shape: &Shape) -> Value {
    let by_recipe = shape.object("use", vec![need("use", id()), may("with", by_name(text()))]);
    let mut secrets = list(secret());
    secrets["minItems"] = 1.into();
    let webhook = shape.object(
        "webhook",
        vec![
            need("url", json!({ "type": "string", "pattern": "^https?://" })),
            need("secrets", secrets.clone()),
        ],
    );
    let adapter = shape.choice(
        "adapter",
        "oneOf",
        &[
            "recipe", "webhook", "axis", "icecast", "snapcast", "screen", "zalo", "vnpt", "email",
        ],
        vec![
            may("recipe", by_recipe),
            may("webhook", webhook),
            may("axis", axis(shape)),
            may("icecast", icecast(shape)),
            may("snapcast", snapcast(shape)),
            may("screen", screen(shape)),
            may("zalo", zalo(shape)),
            may("vnpt", vnpt(shape)),
            may("email", email(shape)),
        ],
    );
    let channel = shape.object(
        "channel",
        vec![
            may("name", text()),
            may("ward", id()),
            need("kind", kinds()),
            may("format", one_of(&Format::ALL.map(Format::as_str))),
            may(
                "mode",
                one_of(&[Mode::AtMostOnce, Mode::AtLeastOnce].map(Mode::as_str)),
            ),
            may("rate", rate()),
            may("audio", one_of(&AudioFormat::ALL.map(AudioFormat::as_str))),
            may("test", json!({ "type": "boolean" })),
            may("reports", secrets),
            need("adapter", adapter),
        ],
    );
    shape.object("channels", vec![need("channels", by_id(channel))])
}

fn vnpt(shape: &Shape) -> Value {
    shape.object(
        "vnpt",
        vec![
            need("url", json!({ "type": "string", "pattern": "^https?://" })),
            may("language", text()),
            may("every", duration()),
            may("within", duration()),
        ],
    )
}

/// The reader is in `raw/mail.rs`.
fn email(shape: &Shape) -> Value {
    let mut recipients = list(text());
    recipients["minItems"] = 1.into();
    recipients["maxItems"] = MOST_RECIPIENTS.into();
    let mut email = shape.object(
        "email",
        vec![
            need("server", text()),
            may("port", integer(1, u16::MAX.into())),
            may("tls", one_of(&MailTls::ALL.map(MailTls::as_str))),
            may("ca", text()),
            may("user", text()),
            may("password", secret()),
            need("from", text()),
            need("to", recipients),
            may("reply_to", text()),
        ],
    );
    email["dependencies"] = json!({ "user": ["password"], "password": ["user"] });
    email
}

/// The reader is in `raw/zalo.rs`.
fn zalo(shape: &Shape) -> Value {
    let number = || json!({ "type": ["string", "integer"], "pattern": "^[0-9]{1,32}$" });
    shape.object(
        "zalo",
        vec![
            need("app", number()),
            need("oa", number()),
            need("secret", secret()),
            need(
                "callback",
                json!({ "type": "string", "pattern": "^https?://" }),
            ),
            may("proof", json!({ "type": "boolean" })),
            may("user", number()),
            may(
                "cover",
                json!({ "type": "string", "pattern": "^https?://" }),
            ),
            may(
                "pictures",
                json!({ "type": "string", "pattern": "^https?://" }),
            ),
            may("picture", json!({ "type": "boolean" })),
            may("author", text()),
            may("comments", json!({ "type": "boolean" })),
            may(
                "correction",
                one_of(&Correction::ALL.map(Correction::as_str)),
            ),
            may("reports", secret()),
            may(
                "quota",
                shape.object(
                    "quota",
                    vec![
                        may("per_day", integer(1, 10_000)),
                        may("per_month", integer(1, 10_000)),
                        may("product", text()),
                    ],
                ),
            ),
            may(
                "quiet",
                shape.object("night", vec![need("from", text()), need("until", text())]),
            ),
        ],
    )
}

fn axis(shape: &Shape) -> Value {
    shape.object(
        "axis",
        vec![
            need("url", json!({ "type": "string", "pattern": "^https?://" })),
            need("user", text()),
            need("password", secret()),
            may("volume", integer(0, MOST_VOLUME)),
        ],
    )
}

fn icecast(shape: &Shape) -> Value {
    shape.object(
        "icecast",
        vec![
            need("url", json!({ "type": "string", "pattern": "^https?://" })),
            need("mount", text()),
            may("user", text()),
            need("password", secret()),
            may("listeners", integer(1, MOST_LISTENERS)),
        ],
    )
}

fn snapcast(shape: &Shape) -> Value {
    shape.object(
        "snapcast",
        vec![
            need("url", json!({ "type": "string", "pattern": "^https?://" })),
            need("stream", text()),
            may("group", text()),
            may("volume", integer(0, FULL_VOLUME)),
            may("listeners", integer(1, MOST_LISTENERS)),
        ],
    )
}

fn screen(shape: &Shape) -> Value {
    shape.object(
        "screen",
        vec![need("key", secret()), may("stays", duration())],
    )
}

fn kinds() -> Value {
    one_of(&ChannelKind::ALL.map(ChannelKind::as_str))
}

pub(super) fn schedules(shape: &Shape) -> Value {
    let some = |item| {
        let mut list = list(item);
        list["minItems"] = 1.into();
        list
    };
    let when = shape.choice(
        "when",
        "oneOf",
        &["at", "cron"],
        vec![
            may("at", some(text())),
            may("days", some(text())),
            may("cron", text()),
        ],
    );
    let rotate = shape.choice(
        "rotate",
        "oneOf",
        &["topic", "list"],
        vec![may("topic", id()), may("list", list(id()))],
    );
    let mut only = list(id());
    only["maxItems"] = 1.into();
    let simple = vec![may("only", either(&[id(), only])), may("rotate", rotate)];
    let mut parts = list(shape.choice("choice", "oneOf", &["only", "rotate"], simple.clone()));
    parts["minItems"] = 1.into();
    let session = shape.object(
        "session",
        vec![
            may("ident", id()),
            need("parts", parts),
            may("gap", duration()),
        ],
    );
    let choice = shape.choice(
        "choice",
        "oneOf",
        &["only", "rotate", "session"],
        simple
            .into_iter()
            .chain([may("session", session)])
            .collect(),
    );
    let soft = shape.object("soft", vec![need("max_wait", duration())]);
    let soft = shape.object("start", vec![need("soft", soft)]);
    let to = shape.choice(
        "to",
        "anyOf",
        &["kind", "wards", "channels"],
        vec![
            may("kind", kinds()),
            may("wards", list(id())),
            may("channels", list(id())),
            may("except", list(id())),
        ],
    );
    let late = shape.object("late", vec![need("within", duration())]);
    let late = shape.object("missed", vec![need("late", late)]);
    let cap = vec![
        may("per_day", integer(1, 1_000)),
        may("per_week", integer(1, 1_000)),
    ];
    let target = shape.object(
        "target",
        vec![
            need("topic", id()),
            need("minutes", number(0.5, 10_080.0)),
            need("to", to.clone()),
            may("cap", shape.object("cap", cap)),
            may("windows", some(super::policy::window(shape))),
            may("valid", shape.validity()),
            may("deadline", duration()),
            may("editors", list(text())),
        ],
    );
    let schedule = shape.object(
        "schedule",
        vec![
            need("when", when),
            may("zone", text()),
            may("valid", shape.validity()),
            need("bulletins", choice),
            need("to", to),
            need("missed", either(&[json!({ "const": "skip" }), late])),
            may("deadline", duration()),
            may("start", either(&[json!({ "const": "hard" }), soft])),
            may("editors", list(text())),
        ],
    );
    shape.choice(
        "schedules",
        "anyOf",
        &["schedules", "targets"],
        vec![
            may("schedules", by_id(schedule)),
            may("targets", by_id(target)),
        ],
    )
}
