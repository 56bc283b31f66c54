//! What is wrong with a crontab line and how to mend it, for people.

use crate::{
    catalogue::{Lang, text},
    domain::crontab::{CrontabError, CrontabProblem as Problem, FieldName},
};

/// The short forms that may be written instead of a line.
const NICKNAMES: &str = "@hourly @daily @midnight @weekly @monthly @yearly @annually";

/// The whole message: what is wrong, the line with a caret under the place, how to mend it.
#[must_use]
pub fn error_text(line: &str, error: &CrontabError, lang: Lang) -> String {
    // A line end inside the line would tear the caret from its place.
    let shown: String = line
        .trim_ascii_end()
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let width = |bytes: Option<&str>| bytes.map_or(0, |text| text.chars().count());
    let indent = " ".repeat(width(line.get(..error.span.start)));
    let caret = "^".repeat(width(line.get(error.span.clone())).max(1));
    let (problem, mend) = (problem_text(line, error, lang), mend_text(error, lang));
    format!("{problem}\n  {shown}\n  {indent}{caret}\n{mend}")
}

/// What is wrong, in one sentence.
#[must_use]
pub fn problem_text(line: &str, error: &CrontabError, lang: Lang) -> String {
    // As written: the number in the error is cut off where it was too long to read.
    let written = line.get(error.span.clone()).unwrap_or_default();
    let say = |key, args: &[(&str, &dyn std::fmt::Display)]| text(lang, key, args);
    let name = |field: &FieldName| text(lang, field_key(*field), &[]);
    match &error.problem {
        Problem::Empty => say("cron.error-empty", &[]),
        Problem::TooFewFields { found } => say("cron.error-too-few-fields", &[("found", found)]),
        Problem::SixFields => say("cron.error-six-fields", &[]),
        Problem::TooManyFields { found } => say("cron.error-too-many-fields", &[("found", found)]),
        Problem::Reboot => say("cron.error-reboot", &[]),
        Problem::UnknownNickname { name } => say("cron.error-unknown-nickname", &[("name", name)]),
        Problem::AfterNickname { name } => say("cron.error-after-nickname", &[("name", name)]),
        Problem::EmptyItem { field } => say("cron.error-empty-item", &[("field", &name(field))]),
        Problem::Extension { field, sign } => say(
            "cron.error-extension",
            &[("field", &name(field)), ("sign", sign)],
        ),
        Problem::NotAValue { field, text } => say(
            "cron.error-not-a-value",
            &[("field", &name(field)), ("text", text)],
        ),
        Problem::OutOfRange {
            field, low, high, ..
        } => say(
            "cron.error-out-of-range",
            &[
                ("field", &name(field)),
                ("low", low),
                ("high", high),
                ("text", &written),
            ],
        ),
        Problem::Backwards { field, .. } => say(
            "cron.error-backwards",
            &[("field", &name(field)), ("text", &written)],
        ),
        Problem::StepAlone { field, step, .. } => say(
            "cron.error-step-alone",
            &[("field", &name(field)), ("step", step)],
        ),
        Problem::BadStep { field, text } if text.is_empty() => {
            say("cron.error-step-missing", &[("field", &name(field))])
        }
        Problem::BadStep { field, text } => say(
            "cron.error-bad-step",
            &[("field", &name(field)), ("text", text)],
        ),
        Problem::StepTooLong { field, high, .. } => say(
            "cron.error-step-too-long",
            &[("field", &name(field)), ("high", high), ("text", &written)],
        ),
    }
}

/// How to mend it, in one sentence.
#[must_use]
pub fn mend_text(error: &CrontabError, lang: Lang) -> String {
    let say = |key, args: &[(&str, &dyn std::fmt::Display)]| text(lang, key, args);
    let bounds =
        |key, field: &FieldName| text(lang, key, &[("low", &field.low()), ("high", &field.high())]);
    match &error.problem {
        Problem::Empty | Problem::TooFewFields { .. } | Problem::Reboot => {
            say("cron.mend-five-fields", &[])
        }
        Problem::SixFields | Problem::AfterNickname { .. } => say("cron.mend-leave-out", &[]),
        Problem::TooManyFields { .. } => say("cron.mend-no-command", &[]),
        Problem::UnknownNickname { .. } => say("cron.mend-nickname", &[("names", &NICKNAMES)]),
        Problem::EmptyItem { .. } => say("cron.mend-comma", &[]),
        Problem::Extension { sign: '?', .. } => say("cron.mend-question", &[]),
        Problem::Extension {
            field: FieldName::DayOfMonth,
            sign: 'L',
        } => say("cron.mend-last-day", &[]),
        Problem::Extension { field, .. } => bounds("cron.mend-plain-values", field),
        Problem::OutOfRange {
            field: FieldName::Hour,
            value: 24,
            ..
        } => say("cron.mend-midnight", &[]),
        Problem::OutOfRange {
            field: FieldName::Minute,
            value: 60,
            ..
        } => say("cron.mend-full-hour", &[]),
        Problem::NotAValue { field, .. } | Problem::OutOfRange { field, .. } => match field.names()
        {
            [] => bounds("cron.mend-numbers", field),
            names => say(
                "cron.mend-numbers-or-names",
                &[
                    ("low", &field.low()),
                    ("high", &field.high()),
                    ("names", &names.join(" ")),
                ],
            ),
        },
        Problem::Backwards { field, first, last } => say(
            "cron.mend-write",
            &[("example", &around(*field, *first, *last))],
        ),
        Problem::StepAlone { field, value, step } => {
            let from_there = format!("{value}-{}/{step}", field.high());
            let from_start = format!("*/{step}");
            say(
                "cron.mend-step-alone",
                &[
                    ("from-there", &from_there),
                    ("from-start", &from_start),
                    ("value", value),
                ],
            )
        }
        Problem::BadStep { field, .. } | Problem::StepTooLong { field, .. } => {
            let example = field.high().min(15).div_ceil(5);
            say(
                "cron.mend-step",
                &[("high", &field.high()), ("example", &example)],
            )
        }
    }
}

/// A range that runs over the end of its field, written so that crontab(5) takes it: `22-2` as `22-23,0-2`.
fn around(field: FieldName, first: u8, last: u8) -> String {
    let range = |first: u8, last: u8| {
        if first == last {
            first.to_string()
        } else {
            format!("{first}-{last}")
        }
    };
    match field {
        FieldName::DayOfWeek if last == 0 => range(first, 7),
        FieldName::DayOfWeek if first == 7 => range(0, last),
        FieldName::DayOfWeek => format!("{},{}", range(first, 6), range(0, last)),
        _ => format!(
            "{},{}",
            range(first, field.high()),
            range(field.low(), last)
        ),
    }
}

const fn field_key(field: FieldName) -> &'static str {
    match field {
        FieldName::Minute => "cron.field-minute",
        FieldName::Hour => "cron.field-hour",
        FieldName::DayOfMonth => "cron.field-day-of-month",
        FieldName::Month => "cron.field-month",
        FieldName::DayOfWeek => "cron.field-day-of-week",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::crontab::Crontab;

    fn shown(line: &str, lang: Lang) -> String {
        error_text(line, &Crontab::parse(line).unwrap_err(), lang)
    }

    #[test]
    fn the_caret_is_under_the_place() {
        let expected = "Khoảng 22-2 trong trường giờ bị ngược.
  0 22-2 * * *
    ^^^^
Hãy viết 22-23,0-2.";
        assert_eq!(shown("0 22-2 * * *", Lang::Vi), expected);
        let expected = "A crontab line has five fields, here there are only 4.
  30 5 * *
          ^
Write five fields: minute, hour, day of month, month, day of week. For example, 30 5 * * 1-5 is 05:30 on Mondays to Fridays.";
        assert_eq!(shown("30 5 * *", Lang::En), expected);
        // Counted in characters, and a line end does not tear the line apart.
        assert!(shown("0\n5 thứ-5,x * *", Lang::Vi).contains("\n  0 5 thứ-5,x * *\n      ^^^\n"));
    }

    #[test]
    fn mended_lines_are_read() {
        for (line, mended) in [
            ("0 22-2 * * *", "22-23,0-2"),
            ("0 23-0 * * *", "23,0"),
            ("0 5 * * fri-sun", "5-7"),
            ("0 5 * * 6-1", "6,0-1"),
            ("0 5 * * 7-2", "0-2"),
            ("0 5 * 11-2 *", "11-12,1-2"),
            ("5/15 * * * *", "5-59/15"),
            ("5/15 * * * *", "*/15"),
            ("*/100 * * * *", "*/3"),
            ("0 5 * * */9", "*/2"),
        ] {
            let error = Crontab::parse(line).unwrap_err();
            assert!(mend_text(&error, Lang::En).contains(mended), "{line}");
            let start = line[..error.span.start]
                .rfind(' ')
                .map_or(0, |blank| blank + 1);
            let mended = format!("{}{mended}{}", &line[..start], &line[error.span.end..]);
            assert!(Crontab::parse(&mended).is_ok(), "{mended}");
        }
    }

    /// One line for every kind of problem: each has its own sentence and its own remedy in both languages.
    #[test]
    fn every_problem_has_words() {
        for line in [
            "",
            "1",
            "0 6 * * * *",
            "1 2 3 4 5 6 7",
            "@reboot",
            "@x",
            "@daily 1",
            "1,, * * * *",
            "? * * * *",
            "L * * * *",
            "* * L * *",
            "x * * * *",
            "* * * x *",
            "60 * * * *",
            "0 24 * * *",
            "* * * * 9",
            "9-1 * * * *",
            "5/5 * * * *",
            "*/ * * * *",
            "*/x * * * *",
            "*/60 * * * *",
        ] {
            for lang in [Lang::Vi, Lang::En] {
                let shown = shown(line, lang);
                assert!(
                    !shown.contains(['[', '{', ']', '}']) && shown.lines().count() == 4,
                    "{shown}"
                );
            }
        }
    }
}
