//! Reading the fields of a crontab line, and saying exactly where it is wrong.
//!
//! Only what crontab(5) has: numbers, names, `*`, lists, ranges and steps. The signs of other schedulers (`L W # ? ~`,
//! a seconds or a year field) are recognised in order to be refused by name.

use std::ops::Range;

use super::{Field, FieldName, Fields};

/// Why a text is not a crontab line, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct CrontabError {
    /// Bytes of the line that the caret belongs under; empty where something is missing.
    pub span: Range<usize>,
    /// What is wrong there.
    pub problem: CrontabProblem,
}

/// What can be wrong with a crontab line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CrontabProblem {
    /// Nothing but blanks.
    #[error("the line is empty")]
    Empty,
    /// Fewer than five fields.
    #[error("a crontab line has five fields, this one has {found}")]
    TooFewFields {
        /// How many there are.
        found: usize,
    },
    /// Six fields: other schedulers have a field for seconds or for the year.
    #[error(
        "a crontab line has five fields, the first is the minute; there is none for seconds or for the year"
    )]
    SixFields,
    /// More than six fields.
    #[error("a crontab line has five fields, this one has {found}")]
    TooManyFields {
        /// How many there are.
        found: usize,
    },
    /// `@reboot`, which names no time.
    #[error("@reboot names no time")]
    Reboot,
    /// A word with `@` that crontab(5) does not know.
    #[error("{name} is not one of @hourly @daily @midnight @weekly @monthly @yearly @annually")]
    UnknownNickname {
        /// The word.
        name: String,
    },
    /// Something after `@daily` and the like.
    #[error("{name} stands alone")]
    AfterNickname {
        /// The word before it.
        name: String,
    },
    /// A comma with nothing before or after it.
    #[error("a value is missing beside the comma in the {field} field")]
    EmptyItem {
        /// The field.
        field: FieldName,
    },
    /// A sign of other schedulers.
    #[error("`{sign}` in the {field} field is not crontab(5)")]
    Extension {
        /// The field.
        field: FieldName,
        /// The sign: `L`, `W`, `#`, `?` or `~`.
        sign: char,
    },
    /// Neither a number nor a name of the field.
    #[error("`{text}` is not a value of the {field} field")]
    NotAValue {
        /// The field.
        field: FieldName,
        /// What is there.
        text: String,
    },
    /// A number outside the field's range.
    #[error("the {field} field has {low} to {high}, not {value}")]
    OutOfRange {
        /// The field.
        field: FieldName,
        /// The number; the largest that fits when more digits were written.
        value: u32,
        /// The lowest allowed.
        low: u8,
        /// The highest allowed.
        high: u8,
    },
    /// A range whose end is before its beginning.
    #[error("the range {first}-{last} in the {field} field runs backwards")]
    Backwards {
        /// The field.
        field: FieldName,
        /// The beginning.
        first: u8,
        /// The end.
        last: u8,
    },
    /// A step after a single value.
    #[error(
        "in the {field} field a step follows the single value {value}; it needs `*` or a range"
    )]
    StepAlone {
        /// The field.
        field: FieldName,
        /// The single value.
        value: u8,
        /// The step.
        step: u8,
    },
    /// A step that is not a whole number from 1.
    #[error("`{text}` is not a step in the {field} field")]
    BadStep {
        /// The field.
        field: FieldName,
        /// What is there.
        text: String,
    },
    /// A step that is never taken.
    #[error("a step of {step} is too long for the {field} field, whose largest value is {high}")]
    StepTooLong {
        /// The field.
        field: FieldName,
        /// The step; the largest that fits when more digits were written.
        step: u32,
        /// The largest allowed.
        high: u8,
    },
}

/// What stands for the words with `@`. @reboot is missing on purpose.
const NICKNAMES: [(&str, &str); 7] = [
    ("@hourly", "0 * * * *"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@weekly", "0 0 * * 0"),
    ("@monthly", "0 0 1 * *"),
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
];

/// Reads a whole line.
pub(super) fn fields(line: &str) -> Result<Fields, CrontabError> {
    let words = words(line);
    let end = line.trim_ascii_end().len();
    let Some(first) = words.first() else {
        return fail(end..end, CrontabProblem::Empty);
    };
    if line[first.clone()].starts_with('@') {
        return nickname(line, &words);
    }
    match words.as_slice() {
        [minute, hour, day_of_month, month, day_of_week] => Ok(Fields {
            minute: field(line, minute, FieldName::Minute)?,
            hour: field(line, hour, FieldName::Hour)?,
            day_of_month: field(line, day_of_month, FieldName::DayOfMonth)?,
            month: field(line, month, FieldName::Month)?,
            day_of_week: field(line, day_of_week, FieldName::DayOfWeek)?,
        }),
        [first, .., last] if words.len() == 6 => {
            // A year or a stray word at the end when only the first five make a line; otherwise seconds in front,
            // also where `?` and the like tell that the line comes from Quartz.
            let (head, tail) = (&line[..words[4].end], &line[words[1].start..]);
            let tail_is_foreign = fields(tail)
                .is_err_and(|error| !matches!(error.problem, CrontabProblem::Extension { .. }));
            let extra_is_last = fields(head).is_ok() && tail_is_foreign;
            fail(
                if extra_is_last {
                    last.clone()
                } else {
                    first.clone()
                },
                CrontabProblem::SixFields,
            )
        }
        words if words.len() < 5 => fail(
            end..end,
            CrontabProblem::TooFewFields { found: words.len() },
        ),
        words => fail(
            words[5].start..end,
            CrontabProblem::TooManyFields { found: words.len() },
        ),
    }
}

fn fail<T>(span: Range<usize>, problem: CrontabProblem) -> Result<T, CrontabError> {
    Err(CrontabError { span, problem })
}

/// Where the words of the line are. Every ASCII blank separates: a folded YAML text may hold line ends.
fn words(line: &str) -> Vec<Range<usize>> {
    let mut start = 0;
    let mut words = Vec::with_capacity(6);
    for word in line.split(|c: char| c.is_ascii_whitespace()) {
        if !word.is_empty() {
            words.push(start..start + word.len());
        }
        start += word.len() + 1;
    }
    words
}

fn nickname(line: &str, words: &[Range<usize>]) -> Result<Fields, CrontabError> {
    let name = &line[words[0].clone()];
    if name == "@reboot" {
        return fail(words[0].clone(), CrontabProblem::Reboot);
    }
    let Some((_, meaning)) = NICKNAMES.iter().find(|(nickname, _)| *nickname == name) else {
        return fail(
            words[0].clone(),
            CrontabProblem::UnknownNickname {
                name: name.to_owned(),
            },
        );
    };
    match words {
        [_, second, ..] => fail(
            second.start..line.trim_ascii_end().len(),
            CrontabProblem::AfterNickname {
                name: name.to_owned(),
            },
        ),
        _ => fields(meaning),
    }
}

fn field(line: &str, word: &Range<usize>, field: FieldName) -> Result<Field, CrontabError> {
    let text = &line[word.clone()];
    let mut bits = 0;
    let mut start = word.start;
    for item in text.split(',') {
        if item.is_empty() {
            // The caret goes under the comma that is too many: the one before, or the very first character.
            let comma = if start > word.start { start - 1 } else { start };
            return fail(comma..comma + 1, CrontabProblem::EmptyItem { field });
        }
        bits |= Item {
            field,
            text: item,
            start,
        }
        .bits()?;
        start += item.len() + 1;
    }
    Ok(Field {
        bits,
        size: field.size(),
        starred: text.starts_with('*'),
    })
}

/// One part of a comma list.
#[derive(Clone, Copy)]
struct Item<'a> {
    field: FieldName,
    text: &'a str,
    /// Where the text begins in the line.
    start: usize,
}

impl<'a> Item<'a> {
    /// The same field, another piece of its text.
    fn part(self, text: &'a str, offset: usize) -> Self {
        Self {
            text,
            start: self.start + offset,
            ..self
        }
    }

    fn span(self) -> Range<usize> {
        self.start..self.start + self.text.len()
    }

    fn bits(self) -> Result<u64, CrontabError> {
        let field = self.field;
        self.refuse_extensions()?;
        let (range, step) = match self.text.split_once('/') {
            Some((range, step)) => (self.part(range, 0), Some(self.part(step, range.len() + 1))),
            None => (self, None),
        };
        let (first, last) = if range.text == "*" {
            (field.low(), field.high())
        } else if let Some((first, last)) = range.text.split_once('-') {
            let second = range.part(last, first.len() + 1);
            let (first, last) = (range.part(first, 0).value(range)?, second.value(range)?);
            if first > last {
                return fail(
                    range.span(),
                    CrontabProblem::Backwards { field, first, last },
                );
            }
            (first, last)
        } else {
            let value = range.value(self)?;
            if let Some(step) = step {
                let step = step.step()?;
                return fail(
                    self.span(),
                    CrontabProblem::StepAlone { field, value, step },
                );
            }
            (value, value)
        };
        let step = step.map_or(Ok(1), Self::step)?;
        // Folding comes last, so that 5-7 is Friday to Sunday and 0-7 the whole week.
        let fold = |value: u8| {
            if field == FieldName::DayOfWeek {
                value % 7
            } else {
                value
            }
        };
        Ok((first..=last)
            .step_by(step.into())
            .fold(0, |bits, value| bits | 1 << fold(value)))
    }

    /// A number or a name. `whole` is what to point at when there is nothing here.
    fn value(self, whole: Self) -> Result<u8, CrontabError> {
        let field = self.field;
        let Some(value) = number(self.text) else {
            let mut names = (field.low()..).zip(field.names());
            if let Some((value, _)) = names.find(|(_, name)| name.eq_ignore_ascii_case(self.text)) {
                return Ok(value);
            }
            let at = if self.text.is_empty() { whole } else { self };
            let text = at.text.to_owned();
            return fail(at.span(), CrontabProblem::NotAValue { field, text });
        };
        match u8::try_from(value) {
            Ok(value) if (field.low()..=field.high()).contains(&value) => Ok(value),
            _ => fail(
                self.span(),
                CrontabProblem::OutOfRange {
                    field,
                    value,
                    low: field.low(),
                    high: field.high(),
                },
            ),
        }
    }

    fn step(self) -> Result<u8, CrontabError> {
        let (field, high) = (self.field, self.field.high());
        match number(self.text) {
            None | Some(0) => fail(
                self.span(),
                CrontabProblem::BadStep {
                    field,
                    text: self.text.to_owned(),
                },
            ),
            Some(step) => match u8::try_from(step) {
                Ok(step) if step <= high => Ok(step),
                _ => fail(
                    self.span(),
                    CrontabProblem::StepTooLong { field, step, high },
                ),
            },
        }
    }

    /// Signs that mean something to Quartz, Jenkins, croner or newer BSD crons and nothing to crontab(5).
    fn refuse_extensions(self) -> Result<(), CrontabError> {
        let sign = self.text.find(['#', '?', '~']).or_else(|| {
            // `L`, `5L`, `15W`, `LW`, `L-3`: letters that stand alone or right after digits, never part of a name.
            let mut offset = 0;
            for part in self.text.split(['-', '/']) {
                let letters = part.trim_start_matches(|c: char| c.is_ascii_digit());
                if !letters.is_empty()
                    && letters.chars().all(|c| matches!(c, 'L' | 'W' | 'l' | 'w'))
                {
                    return Some(offset + part.len() - letters.len());
                }
                offset += part.len() + 1;
            }
            None
        });
        let Some(offset) = sign else { return Ok(()) };
        let sign = self.text[offset..]
            .chars()
            .next()
            .unwrap_or('?')
            .to_ascii_uppercase();
        let at = self.start + offset;
        fail(
            at..at + 1,
            CrontabProblem::Extension {
                field: self.field,
                sign,
            },
        )
    }
}

/// A number written with digits only; one that does not fit is the largest there is, and so out of every range.
fn number(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line, and under it the caret and the message. `!` marks a place where something is missing.
    const MISTAKES: &str = include_str!("mistakes.txt");

    #[test]
    fn mistakes_are_found_where_they_are() {
        for case in MISTAKES.trim().split("\n\n") {
            let (line, expected) = case.split_once('\n').unwrap();
            let CrontabError { span, problem } = fields(line).expect_err(line);
            let caret = if span.is_empty() {
                "!".to_owned()
            } else {
                "^".repeat(span.len())
            };
            let shown = format!("{}{caret} {problem}", " ".repeat(span.start));
            assert_eq!(shown, expected, "{line}");
            assert!(line.get(span).is_some(), "{line}");
        }
    }

    #[test]
    fn blanks() {
        for line in ["", " \t\n"] {
            assert_eq!(
                fields(line).unwrap_err(),
                CrontabError {
                    span: 0..0,
                    problem: CrontabProblem::Empty
                }
            );
        }
        // Pasted from a web page: a blank that looks like one and is none.
        assert_eq!(fields("0 5\u{a0}* * * 1").unwrap_err().span, 2..6);
        assert_eq!(
            fields("\n0\t5  * * *\n").unwrap(),
            fields("0 5 * * *").unwrap()
        );
    }
}
