//! The command line's own words, help and mistakes, in the reader's language. `clap` speaks English only, so its headings
//! are set here, its texts come from `catalogue/usage.yaml`, and its mistakes are said again from what it knows of them.
//!
//! A command or option without an entry keeps the words of its doc comment; a test names those.

use std::{fmt::Display, net::SocketAddr, str::FromStr, time::Duration};

use chrono::NaiveDate;
use clap::{
    Arg, ArgAction, Command,
    builder::{PossibleValuesParser, TypedValueParser},
    error::{ContextKind, ContextValue, ErrorKind},
};

use crate::{
    catalogue::{Lang, has, text, word},
    domain::time::parse_duration,
    source::nearest,
};

/// What a help page looks like; `{usage-title}` is ours.
const PAGE: &str = "{about-with-newline}\n{usage-title} {usage}\n\n{all-args}{after-help}";

/// What `clap` writes where any options may stand.
const OPTIONS: &str = "[OPTIONS]";

/// The language that the arguments ask for, found before they are understood.
pub(super) fn lang(arguments: &[std::ffi::OsString]) -> Lang {
    let mut given = arguments.iter().filter_map(|argument| argument.to_str());
    let mut lang = None;
    while let Some(argument) = given.next() {
        lang = match argument.strip_prefix("--lang") {
            Some("") => given.next().map(str::to_owned),
            Some(rest) => rest.strip_prefix('=').map(str::to_owned).or(lang),
            None => lang,
        };
    }
    lang.and_then(|lang| lang.parse().ok()).unwrap_or_default()
}

/// `command` with its texts in `lang`.
pub(super) fn translate(command: Command, lang: Lang) -> Command {
    // An option of every command, for without it nobody finds the others.
    let help = Arg::new("help")
        .short('h')
        .long("help")
        .action(ArgAction::Help)
        .global(true)
        .help(text(lang, "usage.all-help", &[]));
    let version = Arg::new("version")
        .short('V')
        .long("version")
        .action(ArgAction::Version)
        .help(text(lang, "usage.all-version", &[]));
    let command = command
        .disable_help_flag(true)
        .disable_version_flag(true)
        .disable_help_subcommand(true)
        .arg(help)
        .arg(version);
    page(command, lang, "")
}

fn page(command: Command, lang: Lang, path: &str) -> Command {
    let path = if path.is_empty() {
        command.get_name().to_owned()
    } else {
        format!("{path}-{}", command.get_name()).replacen("loa-", "", 1)
    };
    let say = |key: &str| text(lang, &format!("usage.{key}"), &[]);
    let mut command = command
        .help_template(PAGE.replace("{usage-title}", &say("title")))
        .subcommand_help_heading(word(lang, "usage.commands"))
        .subcommand_value_name(word(lang, "usage.command"))
        .mut_args(|arg| argument(arg, lang, &path));
    if has(&format!("usage.{path}")) {
        command = command.about(say(&path));
    }
    command.mut_subcommands(|below| page(below, lang, &path))
}

fn argument(arg: Arg, lang: Lang, path: &str) -> Arg {
    let heading = if arg.is_positional() {
        "usage.arguments"
    } else {
        "usage.options"
    };
    let keys = [
        format!("usage.{path}-{}", arg.get_id()),
        format!("usage.all-{}", arg.get_id()),
    ];
    let mut arg = arg.help_heading(word(lang, heading));
    if let Some(key) = keys.iter().find(|key| has(key)) {
        let mut words = text(lang, key, &[]);
        let defaults: Vec<_> = arg
            .get_default_values()
            .iter()
            .map(|value| value.to_string_lossy())
            .filter(|value| !value.is_empty())
            .collect();
        if !defaults.is_empty() && arg.get_action().takes_values() {
            let default = defaults.join(" ");
            words = format!(
                "{words} {}",
                text(lang, "usage.default", &[("value", &default)])
            );
        }
        if arg.get_action().takes_values() {
            arg = arg.hide_possible_values(true).hide_default_value(true);
        }
        arg = arg.help(words);
    }
    arg
}

/// An argument that is one of some words; `clap` then knows them, and [`mistake`] names them.
pub(super) fn one_of<T: Copy + Send + Sync + 'static>(
    all: &'static [T],
    word: fn(T) -> &'static str,
) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(all.iter().map(move |one| word(*one))).try_map(move |text| {
        let found = all.iter().copied().find(|one| word(*one) == text);
        found.ok_or("it is none of the words")
    })
}

/// Why a value does not do, for [`mistake`] to say.
#[derive(Debug, thiserror::Error)]
pub(super) enum Wrong {
    /// It lies between two numbers.
    #[error("between {0} and {1}")]
    Between(f64, f64),
    /// It is an IANA zone; perhaps this one.
    #[error("an IANA zone")]
    Zone(Option<&'static str>),
    /// It is a length of time.
    #[error("a length of time up to {0}")]
    Length(&'static str),
    /// It is a whole number.
    #[error("a whole number")]
    Whole,
    /// It is a day.
    #[error("a day")]
    Day,
    /// It is an address with a port.
    #[error("an address with a port")]
    Socket,
}

/// A whole number, as large as its type holds.
pub(super) fn whole<T: FromStr>(text: &str) -> Result<T, Wrong> {
    text.parse().map_err(|_| Wrong::Whole)
}

/// A day.
pub(super) fn day(text: &str) -> Result<NaiveDate, Wrong> {
    text.parse().map_err(|_| Wrong::Day)
}

/// An address with a port.
pub(super) fn socket(text: &str) -> Result<SocketAddr, Wrong> {
    text.parse().map_err(|_| Wrong::Socket)
}

/// A length of time, up to six hours.
pub(super) fn length(text: &str) -> Result<Duration, Wrong> {
    let length = parse_duration(text).ok();
    let length = length.filter(|length| *length <= Duration::from_hours(6));
    length.ok_or(Wrong::Length("6h"))
}

/// A number from `least` to `most`.
pub(super) fn between<T>(text: &str, least: T, most: T) -> Result<T, Wrong>
where
    T: FromStr + PartialOrd + Copy + Into<f64>,
{
    let number = text
        .parse()
        .ok()
        .filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| Wrong::Between(least.into(), most.into()))
}

/// What is wrong with the arguments, with the mend and where to read on; `None` for what has no sentence here. `commands`
/// are the names that there are.
pub(super) fn mistake(error: &clap::Error, commands: &[String], lang: Lang) -> Option<String> {
    let say = |key: &str, args: &[(&str, &dyn Display)]| text(lang, &format!("usage.{key}"), args);
    let get = |kind| error.get(kind).map(words);
    let arg = get(ContextKind::InvalidArg).unwrap_or_default();
    let value = get(ContextKind::InvalidValue).unwrap_or_default();
    let (sentence, near) = match error.kind() {
        ErrorKind::UnknownArgument => (
            say("unknown-argument", &[("arg", &arg)]),
            get(ContextKind::SuggestedArg),
        ),
        ErrorKind::InvalidSubcommand => {
            let name = get(ContextKind::InvalidSubcommand).unwrap_or_default();
            // `clap` guesses by letters in common; `lgo` has to find `log`.
            let near = nearest(
                &name,
                commands
                    .iter()
                    .map(|known| (known.as_str(), known.as_str())),
            );
            (
                say("unknown-command", &[("name", &name)]),
                near.map(str::to_owned),
            )
        }
        ErrorKind::MissingRequiredArgument => (say("missing", &[("arg", &arg)]), None),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation | ErrorKind::NoEquals
            if value.is_empty() =>
        {
            (say("no-value", &[("arg", &arg)]), None)
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            let mut sentence = say("bad-value", &[("arg", &arg), ("value", &value)]);
            let known = get(ContextKind::ValidValue).filter(|known| !known.is_empty());
            if let Some(known) = &known {
                sentence = format!("{sentence} {}", say("values", &[("values", known)]));
            }
            let mut near = get(ContextKind::SuggestedValue);
            let source = std::error::Error::source(error);
            match source.and_then(|source| source.downcast_ref::<Wrong>()) {
                Some(Wrong::Between(least, most)) => {
                    let range = say("between", &[("least", least), ("most", most)]);
                    sentence = format!("{sentence} {range}");
                }
                Some(Wrong::Zone(zone)) => {
                    sentence = format!("{sentence} {}", say("zone", &[]));
                    near = zone.map(str::to_owned);
                }
                Some(Wrong::Length(most)) => {
                    sentence = format!("{sentence} {}", say("length", &[("most", most)]));
                }
                Some(Wrong::Whole) => sentence = format!("{sentence} {}", say("whole", &[])),
                Some(Wrong::Day) => sentence = format!("{sentence} {}", say("day", &[])),
                Some(Wrong::Socket) => sentence = format!("{sentence} {}", say("socket", &[])),
                None => {}
            }
            (sentence, near)
        }
        ErrorKind::ArgumentConflict => {
            let other = get(ContextKind::PriorArg).unwrap_or_default();
            if other == arg {
                (say("twice", &[("arg", &arg)]), None)
            } else {
                (say("conflict", &[("arg", &arg), ("other", &other)]), None)
            }
        }
        ErrorKind::InvalidUtf8 => (say("not-utf-8", &[]), None),
        ErrorKind::MissingSubcommand => (say("missing-command", &[]), None),
        _ => return None,
    };
    let near = near.filter(|near| !near.is_empty());
    let near = near.map(|near| {
        let question = text(lang, "cli.did-you-mean", &[("name", &near)]);
        format!(" {question}")
    });
    let usage = get(ContextKind::Usage).unwrap_or_default();
    let usage = usage.trim().trim_start_matches("Usage:").trim();
    let mut said = format!("loa: {sentence}{}", near.unwrap_or_default());
    if !usage.is_empty() {
        let usage = usage.replace(OPTIONS, word(lang, "usage.any-options"));
        said = format!("{said}\n{} {usage}", say("title", &[]));
    }
    Some(format!("{said}\n{}", say("more", &[])))
}

/// The page that was asked for: help, or the version.
pub(super) fn page_of(error: &clap::Error, color: bool, lang: Lang) -> String {
    let page = error.render();
    let page = if color {
        page.ansi().to_string()
    } else {
        page.to_string()
    };
    page.replace(OPTIONS, word(lang, "usage.any-options"))
}

fn words(value: &ContextValue) -> String {
    match value {
        ContextValue::String(text) => text.clone(),
        ContextValue::Strings(texts) => texts.join(", "),
        ContextValue::StyledStr(text) => text.to_string(),
        ContextValue::StyledStrs(texts) => {
            let texts: Vec<_> = texts.iter().map(ToString::to_string).collect();
            texts.join(", ")
        }
        ContextValue::Number(number) => number.to_string(),
        _ => String::new(),
    }
}
