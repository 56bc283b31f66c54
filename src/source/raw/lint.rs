//! `lint` of `loa.yaml`: how severe each rule is, and how much is too much.

use crate::{
    domain::lint::{Level, Limits, LintSettings, Rule},
    source::reader::{Fields, Value},
};

/// Reads the rules' levels; `all` stands for those that are not named.
pub(super) fn read(value: Value<'_>) -> Option<LintSettings> {
    value.map(|fields| {
        let levels = Level::ALL.map(|level| (level.as_str(), level));
        let level = |name| {
            fields
                .get(name)
                .and_then(|value: Value<'_>| value.one_of(&levels))
        };
        let mut settings = match fields.get("all") {
            Some(value) => LintSettings::all(value.one_of(&levels).unwrap_or(Level::Off)),
            None => LintSettings::default(),
        };
        for rule in Rule::ALL {
            if let Some(level) = level(rule.as_str()) {
                settings.set(rule, level);
            }
        }
        if let Some(limits) = fields.get("limits").and_then(|value| value.map(limits)) {
            settings.limits = limits;
        }
        settings
    })
}

fn limits(fields: &Fields<'_>) -> Limits {
    let default = Limits::default();
    let limit = |name, default| {
        let given = fields
            .get(name)
            .and_then(|value| value.integer(1..=100_000));
        given.map_or(default, super::settings::count)
    };
    Limits {
        sentence_syllables: limit("sentence_syllables", default.sentence_syllables),
        message_characters: limit("message_characters", default.message_characters),
        sign_characters: limit("sign_characters", default.sign_characters),
        title_characters: limit("title_characters", default.title_characters),
        summary_characters: limit("summary_characters", default.summary_characters),
        validity_days: limit("validity_days", default.validity_days),
    }
}
