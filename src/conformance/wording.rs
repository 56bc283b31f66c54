//! Words that are hard to carry, line by line: whether each arrives to its end, escaped as its container wants it and no further, and
//! whether people hear no others and hear them once.

use std::collections::BTreeSet;

use percent_encoding::percent_decode_str;

use super::{
    Breach,
    content::{self, Odd, TAG, Value},
    judge::View,
    words::{self, Part, change},
};
use crate::{
    adapter::Acts,
    contacts,
    domain::{
        bulletin::Format,
        channel::{Channel, ChannelKind},
    },
    simulator::{Effect, Request},
};

/// How many letters of other words are told.
const TOLD: usize = 60;

/// Whom the words are for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Readers {
    kind: ChannelKind,
    format: Format,
}

impl Readers {
    pub(super) fn of(channel: &Channel) -> Self {
        Self {
            kind: channel.kind,
            format: channel.format,
        }
    }

    /// The parts of a content of which one is the message. A title alone is none.
    fn needed(self) -> &'static [Part] {
        match (self.kind, self.format) {
            (ChannelKind::Website, _) => &[Part::Html, Part::Text],
            // A teaser that leads to the page.
            (ChannelKind::Chat | ChannelKind::Sign, Format::Article) => {
                &[Part::Html, Part::Text, Part::Summary]
            }
            _ => &[Part::Text, Part::Spoken],
        }
    }

    /// Whether they are hearers: nobody resolves what is escaped, and nobody passes over what is said twice.
    fn hear(self) -> bool {
        self.kind == ChannelKind::Loudspeaker && self.format == Format::Script
    }
}

/// What is missing where `found` arrived, and the sound did or did not.
pub(super) fn missing(
    readers: Readers,
    found: &BTreeSet<Part>,
    is_sound_whole: Option<bool>,
) -> Option<Breach> {
    if readers.needed().iter().any(|part| found.contains(part)) {
        return None;
    }
    match (is_sound_whole, found.first()) {
        (Some(true), _) => None,
        (Some(false), _) => Some(Breach::new("sound")),
        (None, None) => Some(Breach::new("no-words")),
        (None, Some(part)) => Some(Breach::new("not-the-message").with("part", part.as_str())),
    }
}

/// What became of one line of the words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    Whole,
    /// Escaped for another container, or once too often, or not where it had to be.
    Escaped(&'static str),
    /// Other letters.
    Changed(&'static str),
    /// Without its end, or not there while other lines are.
    Cut,
}

/// A line as it was sent.
struct Line {
    begin: String,
    end: String,
    words: String,
}

/// What a value has to be read by.
struct Reader {
    /// Whether nobody resolves what is escaped: people hear it.
    is_heard: bool,
}

impl Reader {
    /// What became of the line that begins at `at`.
    fn fate(&self, value: &str, at: usize, line: &Line) -> Fate {
        let rest = &value[at..];
        let Some(end) = rest.find(&line.end) else {
            return Fate::Cut;
        };
        let (got, wanted) = (&rest[..end + line.end.len()], line.words.as_str());
        let is_markup = TAG.is_match(value);
        if got == wanted {
            return if is_markup {
                Fate::Escaped("unescaped")
            } else {
                Fate::Whole
            };
        }
        if let Some(once) = content::unescaped(got) {
            let again = content::unescaped(&once);
            if once == wanted {
                // Many a chat and many a page resolve it without any tag around.
                return if is_markup || !self.is_heard {
                    Fate::Whole
                } else {
                    Fate::Escaped("html")
                };
            } else if again.as_deref() == Some(wanted) {
                return Fate::Escaped("twice");
            }
        }
        if serde_json::from_str::<String>(&format!("\"{got}\"")).is_ok_and(|text| text == wanted) {
            // A text of GraphQL or of a command is a string within a string; a string alone is one too many.
            let is_alone = serde_json::from_str::<String>(value.trim()).is_ok();
            return if is_alone {
                Fate::Escaped("json")
            } else {
                Fate::Whole
            };
        }
        if percent_decode_str(&got.replace('+', " ")).decode_utf8_lossy() == wanted
            || percent_decode_str(got).decode_utf8_lossy() == wanted
        {
            return Fate::Escaped("percent");
        }
        Fate::Changed(change(got, wanted))
    }

    /// The best that became of a line anywhere.
    fn best(&self, values: &[Value], line: &Line) -> Fate {
        let fates = values.iter().flat_map(|value| {
            let places = value.text.match_indices(&line.begin);
            places.map(|(at, _)| self.fate(&value.text, at, line))
        });
        fates.min().unwrap_or(Fate::Cut)
    }
}

/// What became of difficult words in what a receiver got.
pub(super) fn whole(
    requests: &[&Request],
    readers: Readers,
    is_sound_whole: Option<bool>,
) -> Vec<Breach> {
    let values: Vec<Value> = requests
        .iter()
        .flat_map(|one| content::values(one))
        .collect();
    let reader = Reader {
        is_heard: readers.hear(),
    };
    let mut breaches = Vec::new();
    let mut found = BTreeSet::new();
    let mut lines = Vec::new();
    for part in Part::ALL {
        let of_part: Vec<Line> = words::lines(part)
            .map(|(begin, words, end)| Line { begin, end, words })
            .collect();
        let holds = |value: &Value| {
            of_part
                .iter()
                .any(|line| value.text.contains(line.begin.as_str()))
        };
        if values.iter().any(holds) {
            found.insert(part);
            let fates = of_part.iter().map(|line| reader.best(&values, line));
            let worst = fates.max().unwrap_or(Fate::Whole);
            breaches.extend(match worst {
                Fate::Whole => None,
                Fate::Cut => Some(Breach::new("words-cut")),
                Fate::Changed(how) => Some(Breach::new("words").with("how", how)),
                Fate::Escaped(how) => Some(Breach::new("words-escaped").with("how", how)),
            });
        }
        lines.extend(of_part);
    }
    breaches.extend(missing(readers, &found, is_sound_whole));
    breaches.extend(requests.iter().find_map(|one| contradicts(one)));
    breaches.extend(words::other_charset(requests));
    if readers.hear() {
        breaches.extend(values.iter().find_map(|value| twice(value, &lines)));
    }
    let more = values
        .iter()
        .find_map(|value| added(value, &lines, readers));
    breaches.extend(more);
    let mut told = BTreeSet::new();
    breaches.retain(|breach| told.insert((breach.code, breach.arguments.clone())));
    breaches
}

/// A body with words in it that is not what it is said to be.
fn contradicts(request: &Request) -> Option<Breach> {
    let has_words = |text: &String| Part::ALL.iter().any(|part| text.contains(part.tag()));
    if !words::readings(request).iter().any(has_words) {
        return None;
    }
    Some(match content::odd(request)? {
        Odd::Json => Breach::new("no-json"),
        Odd::Xml => Breach::new("no-xml"),
        Odd::Said(media) => Breach::new("other-type").with("media", media),
        Odd::NoCharset => Breach::new("no-charset"),
    })
}

/// The same words twice in one value: those that are read and those that are heard are the same words.
fn twice(value: &Value, lines: &[Line]) -> Option<Breach> {
    // A page or an envelope has several values.
    if !value.is_own && TAG.is_match(&value.text) {
        return None;
    }
    let mut heard = 0;
    for part in [Part::Text, Part::Spoken] {
        let first = lines.iter().find(|line| line.begin.starts_with(part.tag()));
        heard += first.map_or(0, |line| value.text.matches(line.begin.as_str()).count());
    }
    (heard > 1).then(|| Breach::new("words-twice"))
}

/// Other words around them in the same value. Who reads may read who wrote it, too, and nothing by which to turn to somebody.
fn added(value: &Value, lines: &[Line], readers: Readers) -> Option<Breach> {
    if !value.is_own {
        return None;
    }
    let (mut rest, mut has_words) = (value.text.clone(), false);
    for line in lines {
        while let Some(at) = rest.find(&line.begin) {
            let end = rest[at..].find(&line.end)?;
            rest.replace_range(at..at + end + line.end.len(), " ");
            has_words = true;
        }
    }
    if !has_words {
        return None;
    }
    let rest = TAG.replace_all(&rest, " ");
    let rest = rest.split_whitespace().collect::<Vec<_>>().join(" ");
    // A program, a command or an address, which is for the device and not for people.
    let is_program = rest.contains(|c: char| "{}()[]<>=;|$&\"\\#%".contains(c));
    let tell =
        || Breach::new("words-added").with("rest", rest.chars().take(TOLD).collect::<String>());
    if is_program || !readers.hear() {
        return (!is_program && !contacts::find(&rest).is_empty()).then(tell);
    }
    if rest.contains(['/', '_', '@']) {
        return None;
    }
    let is_command = !rest.contains(' ') && rest.chars().all(|c| c.is_ascii_alphanumeric());
    let words = rest.split(|c: char| !c.is_alphabetic());
    let has_others = words.into_iter().any(|word| word.chars().count() > 1);
    (has_others && !is_command).then(tell)
}

impl View<'_> {
    /// What carried the words in the first attempt carries them in every later one.
    pub(super) fn says_the_same(&self) -> Option<Breach> {
        let needed = Readers::of(self.subject.channel).needed();
        let acting = self.run.arrivals.iter();
        let acting = acting.filter(|one| one.acts != Acts::Nothing);
        let first = acting.clone().map(|one| one.attempt).min()?;
        let mut said: BTreeSet<(u32, Effect)> = BTreeSet::new();
        let mut made: BTreeSet<(u32, Effect)> = BTreeSet::new();
        for one in acting {
            let place = (one.attempt, one.effect);
            made.insert(place);
            let readings = words::readings(&one.request);
            let says = |part: &Part| readings.iter().any(|text| text.contains(part.tag()));
            if needed.iter().any(says) {
                said.insert(place);
            }
        }
        let lost = made.iter().find(|(attempt, effect)| {
            said.contains(&(first, *effect)) && !said.contains(&(*attempt, *effect))
        });
        lost.map(|(attempt, _)| Breach::new("words-gone").with("attempt", attempt))
    }
}

#[cfg(test)]
mod tests;
