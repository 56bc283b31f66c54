//! Every sentence that editors, ward staff and citizens see, in Vietnamese (the default) and English, side by side in
//! `catalogue/*.yaml` and nowhere else.
//!
//! A key is `<file>.<name>`, as in `state.accepted`. Placeholders are written `{name}`. Tests hold both languages of
//! every entry to the same placeholders and every key that the code uses to an entry.

use std::{collections::HashMap, fmt, str::FromStr, sync::OnceLock};

/// The language of a reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Lang {
    /// Vietnamese, the default.
    #[default]
    Vi,
    /// English.
    En,
}

impl Lang {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Vi, Self::En];

    /// The word for it, as in `--lang`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Vi => "vi",
            Self::En => "en",
        }
    }
}

impl FromStr for Lang {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "vi" => Ok(Self::Vi),
            "en" => Ok(Self::En),
            _ => Err("the languages are vi and en"),
        }
    }
}

impl fmt::Display for Lang {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One sentence in both languages.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    vi: String,
    en: String,
}

/// The files, by the first part of their keys.
const FILES: &[(&str, &str)] = &[
    ("diagnostic", include_str!("catalogue/diagnostic.yaml")),
    ("diagnostic", include_str!("catalogue/channel.yaml")),
    ("diagnostic", include_str!("catalogue/recipe.yaml")),
    ("state", include_str!("catalogue/state.yaml")),
    ("reason", include_str!("catalogue/reason.yaml")),
    ("detail", include_str!("catalogue/detail.yaml")),
    ("detail", include_str!("catalogue/device.yaml")),
    ("detail", include_str!("catalogue/mail.yaml")),
    ("detail", include_str!("catalogue/zalo.yaml")),
    ("approval", include_str!("catalogue/approval.yaml")),
    ("cron", include_str!("catalogue/cron.yaml")),
    ("cli", include_str!("catalogue/cli.yaml")),
    ("conformance", include_str!("catalogue/conformance.yaml")),
    ("web", include_str!("catalogue/web.yaml")),
    ("schema", include_str!("catalogue/schema.yaml")),
    ("watchdog", include_str!("catalogue/watchdog.yaml")),
    ("usage", include_str!("catalogue/usage.yaml")),
];

fn entries() -> &'static HashMap<String, Entry> {
    static ENTRIES: OnceLock<HashMap<String, Entry>> = OnceLock::new();
    ENTRIES.get_or_init(|| {
        let mut entries = HashMap::new();
        for (area, yaml) in FILES {
            let file: HashMap<String, Entry> = serde_yaml::from_str(yaml)
                .expect("the catalogue is compiled in and read by a test");
            entries.extend(
                file.into_iter()
                    .map(|(name, entry)| (format!("{area}.{name}"), entry)),
            );
        }
        entries
    })
}

/// The sentence `key` in `lang` with its placeholders filled. A key that is not there comes back in brackets, so that
/// a slip shows on the page and does not take the daemon down.
#[must_use]
pub fn text(lang: Lang, key: &str, args: &[(&str, &dyn fmt::Display)]) -> String {
    let Some(entry) = entries().get(key) else {
        return format!("[{key}]");
    };
    let pattern = match lang {
        Lang::Vi => &entry.vi,
        Lang::En => &entry.en,
    };
    fill(pattern, args)
}

/// The word `key`, which has no placeholders, for those who keep it for ever. A key that is not there comes back as it is.
#[must_use]
pub fn word(lang: Lang, key: &'static str) -> &'static str {
    match (entries().get(key), lang) {
        (Some(entry), Lang::Vi) => &entry.vi,
        (Some(entry), Lang::En) => &entry.en,
        (None, _) => key,
    }
}

/// Whether the catalogue has `key`.
#[must_use]
pub fn has(key: &str) -> bool {
    entries().contains_key(key)
}

/// What follows `prefix` in the keys that begin with it, sorted.
#[must_use]
pub fn names(prefix: &str) -> Vec<&'static str> {
    let keys = entries().keys();
    let mut names: Vec<_> = keys.filter_map(|key| key.strip_prefix(prefix)).collect();
    names.sort_unstable();
    names
}

/// The sentence for a detail that the program wrote, by its code; `None` for a code that is not there.
#[must_use]
pub fn detail<'a>(
    lang: Lang,
    code: &str,
    arguments: impl Iterator<Item = (&'a str, &'a str)>,
) -> Option<String> {
    told(lang, code, arguments, false)
}

/// The same for lists and headings, which are read by people who connect no channels: without the names of keys, lines and calls of a
/// recipe or of the settings, where the sentence has a plain one beside it (`CODE-plain`).
#[must_use]
pub fn plain_detail<'a>(
    lang: Lang,
    code: &str,
    arguments: impl Iterator<Item = (&'a str, &'a str)>,
) -> Option<String> {
    told(lang, code, arguments, true)
}

fn told<'a>(
    lang: Lang,
    code: &str,
    arguments: impl Iterator<Item = (&'a str, &'a str)>,
    is_plain: bool,
) -> Option<String> {
    let best = |key: String| {
        let plain = format!("{key}-plain");
        if is_plain && has(&plain) { plain } else { key }
    };
    let key = best(format!("detail.{code}"));
    let given: Vec<(&str, &str)> = arguments.collect();
    let plain: Vec<(&str, &dyn fmt::Display)> = given
        .iter()
        .map(|(name, value)| (*name, value as &dyn fmt::Display))
        .collect();
    let arguments: Vec<(&str, String)> = given
        .iter()
        .map(|(name, value)| {
            // What a call or a host met, the system said, or a template's mistake is, may be part of another sentence.
            let file = match value.split_once('-') {
                Some(("call", _)) => "detail",
                Some(("cause", _)) => "cli",
                Some(("host", _)) => "state",
                Some(("template" | "render", _)) => "diagnostic",
                _ => return (*name, (*value).to_owned()),
            };
            let met = best(format!("{file}.{value}"));
            let met = has(&met).then(|| text(lang, &met, &plain));
            (*name, met.unwrap_or_else(|| (*value).to_owned()))
        })
        .collect();
    let arguments: Vec<(&str, &dyn fmt::Display)> = arguments
        .iter()
        .map(|(name, value)| (*name, value as &dyn fmt::Display))
        .collect();
    let said = has(&key).then(|| text(lang, &key, &arguments))?;
    // What came of what is said first: a sentence of its own.
    let then = given.iter().position(|(name, _)| *name == "then");
    let said = match then {
        Some(index) => format!("{said}. {}", arguments[index].1),
        None => said,
    };
    // What stands below a reason leaves that to the reason.
    if code.starts_with("call-") || is_plain {
        return Some(said);
    }
    let call = given.iter().find(|(name, _)| *name == "call");
    Some(call.map_or(said.clone(), |(_, call)| at_call(lang, &said, call)))
}

/// What is `said` of a call of a recipe, with which of its calls that is: the keys that lead there, such as `steps.upload`.
#[must_use]
pub fn at_call(lang: Lang, said: &str, call: &str) -> String {
    let key = match call {
        "request" => "state.call-request",
        "find" => "state.call-find",
        "find.update" => "state.call-update",
        "confirm" => "state.call-confirm",
        "probe" => "state.call-probe",
        step if step.rsplit('.').next() == Some("find") => "state.call-step-find",
        _ => "state.call-step",
    };
    text(lang, key, &[("said", &said), ("call", &call)])
}

/// What keeps an airtime target from being met: the sentence for a detail, and on how many days of the week that is so.
#[must_use]
pub fn obstacle<'a>(
    lang: Lang,
    code: &str,
    arguments: impl Iterator<Item = (&'a str, &'a str)>,
    days: usize,
) -> Option<String> {
    let why = detail(lang, code, arguments)?;
    Some(text(
        lang,
        "detail.target-days",
        &[("why", &why), ("days", &days)],
    ))
}

/// Puts `args` into `{name}` places, once: a value that looks like a placeholder stays as it is.
fn fill(pattern: &str, args: &[(&str, &dyn fmt::Display)]) -> String {
    let mut filled = String::with_capacity(pattern.len() + 32);
    let mut rest = pattern;
    while let Some(open) = rest.find('{') {
        filled.push_str(&rest[..open]);
        rest = &rest[open..];
        let known = rest.find('}').and_then(|close| {
            let (_, value) = args.iter().find(|(name, _)| *name == &rest[1..close])?;
            Some((value, close))
        });
        if let Some((value, close)) = known {
            filled.push_str(&value.to_string());
            rest = &rest[close + 1..];
        } else {
            filled.push('{');
            rest = &rest[1..];
        }
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placeholders(pattern: &str) -> std::collections::BTreeSet<&str> {
        pattern
            .split('{')
            .skip(1)
            .filter_map(|part| part.split_once('}'))
            .map(|(name, _)| name)
            .collect()
    }

    #[test]
    fn both_languages_say_the_same_things() {
        for (key, entry) in entries() {
            assert!(
                !entry.vi.trim().is_empty() && !entry.en.trim().is_empty(),
                "{key} is empty in a language"
            );
            assert_eq!(placeholders(&entry.vi), placeholders(&entry.en), "{key}");
        }
    }

    #[test]
    fn placeholders_are_filled_once() {
        assert_eq!(
            fill("a {x} {y} {", &[("x", &"{y}"), ("y", &1)]),
            "a {y} 1 {"
        );
        assert_eq!(fill("{z}", &[]), "{z}");
    }

    #[test]
    fn an_unknown_key_shows_itself() {
        assert_eq!(text(Lang::Vi, "no.such", &[]), "[no.such]");
    }
}
