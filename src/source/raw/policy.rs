//! `schedules/policy.yaml`.

use crate::{
    diagnostic::{Code, Phrase, Place},
    domain::{
        bulletin::Priority,
        id::{RuleId, WardId},
        policy::{Hours, Rule, Sessions, Window},
    },
    source::{
        notebook::Named,
        reader::{Fields, Value},
    },
};

use super::schedule::{EVERY_DAY, clock_time, weekdays};

/// A rule, and the places of it that later checks point at.
#[derive(Debug)]
pub(crate) struct RawRule {
    /// The rule, with stand-ins for what could not be read.
    pub rule: Rule,
    /// Where it is named.
    pub at: Place,
    /// Where it says in which areas it holds, if it does.
    pub wards: Option<Place>,
    /// Its windows, one by one.
    pub windows: Vec<Place>,
    /// Where it says how long a session may last, if it does.
    pub longest: Option<Place>,
    /// Exactly what is written.
    pub text: String,
}

/// Reads the file.
pub(crate) fn read(root: Value<'_>) -> Vec<RawRule> {
    super::defined(root, "rules", Named::Rule, RuleId::parse, rule)
}

fn rule(id: RuleId, value: Value<'_>) -> Option<RawRule> {
    value.map(|fields| {
        let wards = |name| {
            fields.or(name, Vec::new(), |value| {
                value.list(|value| value.reference(Named::Ward, WardId::parse))
            })
        };
        let priorities = Priority::ALL.map(|priority| (priority.as_str(), priority));
        let mut windows_at = Vec::new();
        let mut longest = None;
        let rule = Rule {
            name: super::words(fields, "name"),
            document: super::bulletin::required_source(fields),
            note: fields.get("note").and_then(|value| value.words()),
            wards: wards("wards"),
            except: wards("except"),
            valid: fields
                .get("valid")
                .and_then(super::validity)
                .unwrap_or_default(),
            windows: fields.get("windows").map(|value| {
                let windows = value.list(|value| {
                    let window = window(value)?;
                    windows_at.push(value.place());
                    Some(window)
                });
                windows.unwrap_or_default()
            }),
            quiet: fields.or("quiet", Vec::new(), |value| {
                value.list(|value| value.map(|fields| hours(fields, true)).flatten())
            }),
            sessions: fields.or("sessions", Sessions::default(), |value| {
                value.map(|fields| {
                    longest = fields.get("longest").map(|value| value.place());
                    sessions(fields)
                })
            }),
            exempt: fields.or("exempt", Vec::new(), |value| {
                value.list(|value| value.one_of(&priorities))
            }),
            id,
        };
        RawRule {
            rule,
            at: value.key_place(),
            wards: ["wards", "except"]
                .into_iter()
                .find_map(|name| fields.get(name))
                .map(|value| value.key_place()),
            windows: windows_at,
            longest,
            text: value.place().text().to_owned(),
        }
    })
}

pub(super) fn window(value: Value<'_>) -> Option<Window> {
    value
        .map(|fields| {
            let days = match fields.get("days") {
                Some(days) => weekdays(days),
                None => Some(EVERY_DAY.to_vec()),
            };
            let hours = hours(fields, false);
            Some(Window {
                days: days?,
                hours: hours?,
            })
        })
        .flatten()
}

/// `from` and `until`. Only quiet hours may reach over midnight.
fn hours(fields: &Fields<'_>, is_quiet: bool) -> Option<Hours> {
    let from = fields.required("from").and_then(clock_time);
    let until_at = fields.required("until");
    let is_end_of_day = until_at.is_some_and(|value| {
        value.is_scalar() && value.words().is_some_and(|words| words == "24:00")
    });
    let until = until_at.filter(|_| !is_end_of_day).and_then(clock_time);
    let from = from?;
    if until.is_none() && !is_end_of_day {
        return None;
    }
    let is_backwards = until.is_some_and(|until| {
        if is_quiet {
            until == from
        } else {
            until <= from
        }
    });
    if let (true, Some(until_at)) = (is_backwards, until_at) {
        let help = if is_quiet {
            "L201-help-quiet"
        } else {
            "L201-help"
        };
        let diagnostic = until_at
            .wrong(Code::BackwardsHours)
            .with("from", from.format("%H:%M").to_string())
            .with("until", until_at.words().unwrap_or_default());
        until_at.notebook.report(diagnostic.help(Phrase::new(help)));
        return None;
    }
    Some(Hours { from, until })
}

fn sessions(fields: &Fields<'_>) -> Sessions {
    let usual = Sessions::default();
    let length = |name| fields.get(name).and_then(|value| value.duration());
    Sessions {
        per_day: fields
            .get("per_day")
            .and_then(|value| value.integer(1..=100))
            .and_then(|number| u32::try_from(number).ok()),
        longest: length("longest"),
        longest_day: length("longest_day"),
        gap: length("gap").unwrap_or(usual.gap),
    }
}
