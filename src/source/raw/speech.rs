//! `content/speech.yaml`, and `speech` in `loa.yaml`.

use crate::{
    diagnostic::{Code, Phrase, Place},
    domain::{
        audio::AudioSettings,
        speech::{Dialect, Linh, Nghin, Rate, Reading, Readings, Region, SpeechSettings},
    },
    source::{
        reader::{Fields, Value},
        text::Text,
    },
};

/// The editors' readings, and where each spoken form stands.
#[derive(Debug, Default)]
pub(crate) struct RawReadings {
    /// The readings.
    pub readings: Readings,
    /// Every spoken form with its place.
    pub spoken: Vec<Text>,
}

/// The words around a reading.
#[derive(Default)]
struct Around {
    before: Vec<String>,
    after: Vec<String>,
}

/// Reads the file.
pub(crate) fn read(root: Value<'_>) -> RawReadings {
    let mut spoken = Vec::new();
    let readings = root.map(|fields| {
        let words = fields.get("words");
        Readings {
            abbreviations: all(fields.get("abbreviations"), &mut spoken),
            addresses: all(fields.get("addresses"), &mut spoken)
                .into_iter()
                .map(|reading| (address(&reading.written), reading.spoken))
                .collect(),
            words: all(words, &mut spoken),
        }
    });
    RawReadings {
        readings: readings.unwrap_or_default(),
        spoken,
    }
}

/// The name of a site as it is looked up.
fn address(written: &str) -> String {
    let lower = written.to_lowercase();
    let bare = lower
        .trim_start_matches("https://")
        .trim_start_matches("http://")
        .trim_end_matches('/');
    bare.strip_prefix("www.").unwrap_or(bare).to_owned()
}

/// `VHTT: …`, or a list where the words around decide.
fn all(value: Option<Value<'_>>, spoken: &mut Vec<Text>) -> Vec<Reading> {
    let entries = value.and_then(|value| value.entries()).unwrap_or_default();
    let mut readings = Vec::new();
    for (written, value) in entries {
        if !written.chars().any(char::is_alphanumeric) {
            report_unwritable(&value, written);
            continue;
        }
        if value.is_scalar() {
            readings.extend(reading(written, &value, spoken, Around::default()));
            continue;
        }
        let choices = value.list(|value| {
            value
                .map(|fields| choice(written, fields, spoken))
                .flatten()
        });
        readings.extend(choices.unwrap_or_default());
    }
    readings
}

fn choice(written: &str, fields: &Fields<'_>, spoken: &mut Vec<Text>) -> Option<Reading> {
    let phrases = |name| fields.or(name, Vec::new(), |value| value.list(|value| value.words()));
    let around = Around {
        before: phrases("before"),
        after: phrases("after"),
    };
    let say = fields.required("say")?;
    reading(written, &say, spoken, around)
}

fn reading(
    written: &str,
    value: &Value<'_>,
    spoken: &mut Vec<Text>,
    around: Around,
) -> Option<Reading> {
    let text = value.text()?;
    let reading = Reading {
        written: crate::source::text::compose(written.trim()),
        spoken: text.value.trim().to_owned(),
        before: around.before,
        after: around.after,
    };
    spoken.push(text);
    Some(reading)
}

fn report_unwritable(value: &Value<'_>, written: &str) {
    let place: Place = value.key_place();
    let diagnostic = crate::diagnostic::Diagnostic::new(Code::BadReading, place)
        .with("text", written)
        .help(Phrase::new("L118-help-written"));
    value.notebook.report(diagnostic);
}

/// Reads `speech` in `loa.yaml`: how words are spoken, and how they become sound.
pub(super) fn settings(value: Value<'_>) -> Option<(SpeechSettings, AudioSettings)> {
    value.map(|fields| {
        let regions = Region::ALL.map(|region| (region.as_str(), region));
        let linh = [Linh::Linh, Linh::Le].map(|word| (word.as_str(), word));
        let nghin = [Nghin::Nghin, Nghin::Ngan].map(|word| (word.as_str(), word));
        let usual =
            Dialect::of(fields.or("dialect", Region::default(), |value| value.one_of(&regions)));
        let speech = SpeechSettings {
            dialect: Dialect {
                linh: fields.or("linh", usual.linh, |value| value.one_of(&linh)),
                nghin: fields.or("nghin", usual.nghin, |value| value.one_of(&nghin)),
                ..usual
            },
            rate: fields.or("rate", Rate::default(), rate),
        };
        (speech, super::audio::read(fields))
    })
}

/// Syllables a minute.
pub(super) fn rate(value: Value<'_>) -> Option<Rate> {
    let range = u64::from(Rate::SLOWEST)..=u64::from(Rate::FASTEST);
    let number = u16::try_from(value.integer(range)?).ok()?;
    Some(Rate::syllables_per_minute(number))
}
