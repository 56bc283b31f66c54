//! What changed between two versions: word by word in what people hear and read, line by line in what editors wrote.
//!
//! Wards whose words changed in the same way are told of once. For that a ward's own name is masked, unless the name itself
//! changed.

use std::collections::{BTreeMap, HashMap};

use crate::domain::{
    audio::Recording,
    bulletin::Format,
    message::{Content, ContentHash},
    picture::Picture,
    version::{BulletinRecord, ScheduleRecord, Slot},
};

/// Where a ward's name stood.
const MASK: &str = "⟦…⟧";

/// Cells of the table that finds common words; beyond it a text counts as replaced as a whole.
const LARGEST: usize = 4_000_000;

/// A stretch of text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// In both.
    Same(String),
    /// Only in the old text.
    Gone(String),
    /// Only in the new text.
    New(String),
}

/// One change of rendered words, and the wards that it is the same for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The format, or the correction in it.
    pub slot: Slot,
    /// Whether it is what a voice says, and not what is written.
    pub is_spoken: bool,
    /// Ids of the wards.
    pub wards: Vec<String>,
    /// The text.
    pub pieces: Vec<Piece>,
}

/// One change of something authored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceChange {
    /// What: a key of the catalogue's `approval.part-…`.
    pub part: &'static str,
    /// Which one, where there are several.
    pub name: String,
    /// The lines; only those that changed.
    pub pieces: Vec<Piece>,
}

/// A version of a bulletin with its words.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// The version.
    pub record: &'a BulletinRecord,
    /// Its words by address.
    pub contents: &'a HashMap<ContentHash, Content>,
}

impl Side<'_> {
    fn content(&self, ward: &str, slot: Slot) -> Option<&Content> {
        let hash = self.record.words.get(ward)?.get(&slot.key())?;
        self.contents.get(&ContentHash::from_store(hash))
    }

    /// The recording that is heard instead of a voice, in every ward the same: its file and its bytes' address.
    fn recording(&self) -> Option<&Recording> {
        let slot = Slot {
            format: Format::Script,
            correction: false,
        };
        let mut wards = self.record.words.keys();
        wards.find_map(|ward| self.content(ward, slot)?.recording.as_ref())
    }

    /// The picture of the article, with the words that stand for it in the first ward: those of the others differ in names only.
    fn picture(&self) -> Option<&Picture> {
        let slot = Slot {
            format: Format::Article,
            correction: false,
        };
        let mut wards = self.record.words.keys();
        wards.find_map(|ward| self.content(ward, slot)?.picture.as_ref())
    }

    /// What `ward` reads in `slot`, or what it hears where that `is_spoken`.
    fn text(&self, ward: &str, slot: Slot, is_spoken: bool, mask: bool) -> Option<String> {
        let content = self.content(ward, slot)?;
        let mut text = if is_spoken {
            spoken(content)?
        } else {
            written(content)
        };
        if let Some([name, short, _]) = self.record.wards.get(ward).filter(|_| mask) {
            text = masked(&text, name, short);
        }
        Some(text)
    }
}

/// `text` with a mark for the ward's name, in full and `short`.
pub(super) fn masked(text: &str, name: &str, short: &str) -> String {
    let mut first = name.chars();
    let capital: String = first
        .next()
        .into_iter()
        .flat_map(char::to_uppercase)
        .chain(first)
        .collect();
    let names = [name, &capital, short];
    let names = names.into_iter().filter(|name| !name.is_empty());
    names.fold(text.to_owned(), |text, name| text.replace(name, MASK))
}

/// What is read, as one text.
pub(super) fn written(content: &Content) -> String {
    let mut parts = vec![content.title.clone()];
    parts.extend(content.summary.clone());
    if content.turns.is_empty() {
        parts.push(content.text.clone());
    }
    // Who speaks counts too: a turn is told with its voice.
    let turns = content.turns.iter();
    parts.extend(turns.map(|turn| [turn.voice.as_str(), ": ", &turn.text].concat()));
    parts.join("\n")
}

/// What a voice says; `None` where nobody speaks.
pub(super) fn spoken(content: &Content) -> Option<String> {
    let mut turns = content.turns.iter();
    let parts = content.spoken.iter().map(|text| match turns.next() {
        Some(turn) => [turn.voice.as_str(), ": ", text].concat(),
        None => text.clone(),
    });
    (!content.spoken.is_empty()).then(|| parts.collect::<Vec<_>>().join("\n"))
}

/// Whether nothing is spoken, or everything as it is written.
pub(super) fn is_plain(content: &Content) -> bool {
    match content.turns.as_slice() {
        [] => content.spoken.iter().all(|text| *text == content.text),
        turns => {
            let pairs = content.spoken.iter().zip(turns);
            pairs.into_iter().all(|(text, turn)| *text == turn.text)
        }
    }
}

/// A part that there is once, and how it reads.
type Single<R> = (&'static str, fn(&R) -> String);

/// What wards share whose words changed in the same way: the slot, whether it is what is spoken, and both texts.
type Group = (Slot, bool, [Option<String>; 2]);

/// What changed in the words from `old` to `new`; everything is new without an `old`.
#[must_use]
pub fn changes(old: Option<Side<'_>>, new: Side<'_>) -> Vec<Change> {
    let mut wards: Vec<&String> = new.record.words.keys().collect();
    if let Some(old) = old {
        wards.extend(
            old.record
                .words
                .keys()
                .filter(|ward| !new.record.words.contains_key(*ward)),
        );
    }
    let mut groups: BTreeMap<Group, Vec<String>> = BTreeMap::new();
    for ward in wards {
        let name = |record: &BulletinRecord| record.wards.get(ward).cloned();
        let is_renamed = old.is_some_and(|old| name(old.record) != name(new.record));
        for slot in Slot::all() {
            let hash = |side: Side<'_>| {
                let slots = side.record.words.get(ward)?;
                slots.get(&slot.key()).cloned()
            };
            let (before, after) = (old.and_then(hash), hash(new));
            if before == after {
                continue;
            }
            // What is spoken as it is written is told once.
            let is_plain = |side: Side<'_>| side.content(ward, slot).is_none_or(is_plain);
            let plain = old.is_none_or(is_plain) && is_plain(new);
            for is_spoken in [false, true] {
                if is_spoken && plain {
                    continue;
                }
                let text = |side: Side<'_>| side.text(ward, slot, is_spoken, !is_renamed);
                let texts = [old.and_then(text), text(new)];
                if texts[0] != texts[1] {
                    let group = groups.entry((slot, is_spoken, texts)).or_default();
                    group.push(ward.clone());
                }
            }
        }
    }
    groups
        .into_iter()
        .map(|((slot, is_spoken, [before, after]), wards)| Change {
            slot,
            is_spoken,
            wards,
            pieces: words(
                before.as_deref().unwrap_or_default(),
                after.as_deref().unwrap_or_default(),
            ),
        })
        .collect()
}

/// What changed in everything that a bulletin's version covers besides the rendered words.
#[must_use]
pub fn sources(old: Option<&BulletinRecord>, new: &BulletinRecord) -> Vec<SourceChange> {
    let mut found = Vec::new();
    let old_or =
        |pick: fn(&BulletinRecord) -> String| (old.map(pick).unwrap_or_default(), pick(new));
    let singles: [Single<BulletinRecord>; 7] = [
        ("file", |record| record.source.clone()),
        ("editors", |record| record.editors.join(", ")),
        ("priority", |record| record.priority.clone()),
        ("valid", |record| {
            let day = |day: Option<chrono::NaiveDate>| {
                day.map_or_else(String::new, |day| day.to_string())
            };
            format!("{} – {}", day(record.from), day(record.until))
        }),
        ("topic", |record| record.topic.clone()),
        ("city", |record| record.city.join(", ")),
        ("needed", |record| record.needed.to_string()),
    ];
    for (part, pick) in singles {
        let (before, after) = old_or(pick);
        push(&mut found, part, "", &before, &after);
    }
    let nothing = BTreeMap::new();
    let before = old.map_or(&nothing, |old| &old.templates);
    maps(&mut found, "template", before, &new.templates);
    let contacts = |record: &BulletinRecord| -> BTreeMap<String, String> {
        let line = |contact: &crate::domain::version::ContactRecord| {
            let value = contact.value.as_deref().unwrap_or("–");
            format!("{} | {value} | {}", contact.name, contact.about)
        };
        record
            .contacts
            .iter()
            .map(|(id, contact)| (id.clone(), line(contact)))
            .collect()
    };
    let before = old.map(contacts).unwrap_or_default();
    maps(&mut found, "contact", &before, &contacts(new));
    let before = old.map_or(&nothing, |old| &old.readings);
    maps(&mut found, "reading", before, &new.readings);
    let wards = |record: &BulletinRecord| -> BTreeMap<String, String> {
        record
            .wards
            .iter()
            .map(|(id, names)| (id.clone(), names.join(" | ")))
            .collect()
    };
    if let Some(old) = old {
        maps(&mut found, "ward", &wards(old), &wards(new));
    }
    found
}

/// What changed in the recording. Its bytes are among what is approved, and nothing of them is in any text.
#[must_use]
pub fn recording(old: Option<Side<'_>>, new: Side<'_>) -> Option<SourceChange> {
    let line = |side: Side<'_>| side.recording().map_or_else(String::new, Recording::line);
    let mut found = Vec::new();
    let before = old.map(line).unwrap_or_default();
    push(&mut found, "recording", "", &before, &line(new));
    found.pop()
}

/// The same for the picture of the article, with the words that stand for it.
#[must_use]
pub fn picture(old: Option<Side<'_>>, new: Side<'_>) -> Option<SourceChange> {
    let line = |side: Side<'_>| side.picture().map_or_else(String::new, Picture::line);
    let mut found = Vec::new();
    let before = old.map(line).unwrap_or_default();
    push(&mut found, "picture", "", &before, &line(new));
    found.pop()
}

/// What changed in a schedule.
#[must_use]
pub fn schedule(old: Option<&ScheduleRecord>, new: &ScheduleRecord) -> Vec<SourceChange> {
    let mut found = Vec::new();
    let singles: [Single<ScheduleRecord>; 6] = [
        ("file", |record| record.source.clone()),
        ("editors", |record| record.editors.join(", ")),
        ("when", |record| record.when.clone()),
        ("bulletins", |record| record.bulletins.clone()),
        ("lateness", |record| record.lateness.clone()),
        ("policy", |record| record.policy.clone()),
    ];
    for (part, pick) in singles {
        let before = old.map(pick).unwrap_or_default();
        push(&mut found, part, "", &before, &pick(new));
    }
    let nothing = BTreeMap::new();
    let before = old.map_or(&nothing, |old| &old.targets);
    maps(&mut found, "target", before, &new.targets);
    let before = old.map_or(&nothing, |old| &old.exceptions);
    maps(&mut found, "exception", before, &new.exceptions);
    found
}

fn maps(
    found: &mut Vec<SourceChange>,
    part: &'static str,
    old: &BTreeMap<String, String>,
    new: &BTreeMap<String, String>,
) {
    let mut names: Vec<&String> = old.keys().chain(new.keys()).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let text = |map: &BTreeMap<String, String>| map.get(name).cloned().unwrap_or_default();
        push(found, part, name, &text(old), &text(new));
    }
}

fn push(found: &mut Vec<SourceChange>, part: &'static str, name: &str, old: &str, new: &str) {
    if old == new {
        return;
    }
    let pieces = lines(old, new)
        .into_iter()
        .filter(|piece| !matches!(piece, Piece::Same(_)))
        .collect();
    found.push(SourceChange {
        part,
        name: name.to_owned(),
        pieces,
    });
}

/// The words of both texts, in order, told apart.
#[must_use]
pub fn words(old: &str, new: &str) -> Vec<Piece> {
    diff(&tokens(old), &tokens(new))
}

/// The lines of both texts, in order, told apart.
#[must_use]
pub fn lines(old: &str, new: &str) -> Vec<Piece> {
    let split = |text| -> Vec<&str> { str::split_inclusive(text, '\n').collect() };
    diff(&split(old), &split(new))
}

/// Words, spaces and marks, each for itself.
fn tokens(text: &str) -> Vec<&str> {
    let sort = |c: char| match c {
        c if c.is_whitespace() => 1,
        c if c.is_alphanumeric() || unicode_normalization::char::is_combining_mark(c) => 2,
        _ => 0,
    };
    let mut found = Vec::new();
    let mut begin = 0;
    let mut last = None;
    for (at, c) in text.char_indices() {
        let now = sort(c);
        if last.is_some_and(|last| last != now || now == 0) {
            found.push(&text[begin..at]);
            begin = at;
        }
        last = Some(now);
    }
    if begin < text.len() {
        found.push(&text[begin..]);
    }
    found
}

/// The longest common subsequence, by the textbook's table, after what both begin and end with is taken off.
fn diff(old: &[&str], new: &[&str]) -> Vec<Piece> {
    let head = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let rest = (&old[head..], &new[head..]);
    let tail = rest
        .0
        .iter()
        .rev()
        .zip(rest.1.iter().rev())
        .take_while(|(a, b)| a == b)
        .count();
    let (a, b) = (
        &rest.0[..rest.0.len() - tail],
        &rest.1[..rest.1.len() - tail],
    );
    let mut pieces = Pieces::default();
    old[..head].iter().for_each(|token| pieces.same(token));
    if a.len().saturating_mul(b.len()) > LARGEST {
        for token in a {
            pieces.gone(token);
        }
        for token in b {
            pieces.fresh(token);
        }
    } else {
        middle(a, b, &mut pieces);
    }
    old[old.len() - tail..]
        .iter()
        .for_each(|token| pieces.same(token));
    pieces.done()
}

fn middle(a: &[&str], b: &[&str], pieces: &mut Pieces) {
    let width = b.len() + 1;
    let mut longest = vec![0_u32; (a.len() + 1) * width];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            longest[i * width + j] = if a[i] == b[j] {
                longest[(i + 1) * width + j + 1] + 1
            } else {
                longest[(i + 1) * width + j].max(longest[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    while i < a.len() || j < b.len() {
        if i < a.len() && j < b.len() && a[i] == b[j] {
            pieces.same(a[i]);
            (i, j) = (i + 1, j + 1);
        } else if j == b.len()
            || (i < a.len() && longest[(i + 1) * width + j] >= longest[i * width + j + 1])
        {
            pieces.gone(a[i]);
            i += 1;
        } else {
            pieces.fresh(b[j]);
            j += 1;
        }
    }
}

/// Collects pieces; what is gone and what is new between two common stretches come as one each.
#[derive(Default)]
struct Pieces {
    done: Vec<Piece>,
    same: String,
    gone: String,
    new: String,
}

impl Pieces {
    fn same(&mut self, token: &str) {
        self.changed();
        self.same.push_str(token);
    }

    fn gone(&mut self, token: &str) {
        self.common();
        self.gone.push_str(token);
    }

    fn fresh(&mut self, token: &str) {
        self.common();
        self.new.push_str(token);
    }

    fn common(&mut self) {
        if !self.same.is_empty() {
            self.done.push(Piece::Same(std::mem::take(&mut self.same)));
        }
    }

    fn changed(&mut self) {
        if !self.gone.is_empty() {
            self.done.push(Piece::Gone(std::mem::take(&mut self.gone)));
        }
        if !self.new.is_empty() {
            self.done.push(Piece::New(std::mem::take(&mut self.new)));
        }
    }

    fn done(mut self) -> Vec<Piece> {
        self.changed();
        self.common();
        self.done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(pieces: &[Piece]) -> String {
        let show = |piece: &Piece| match piece {
            Piece::Same(text) => text.clone(),
            Piece::Gone(text) => format!("[-{text}-]"),
            Piece::New(text) => format!("{{+{text}+}}"),
        };
        pieces.iter().map(show).collect()
    }

    #[test]
    fn single_words_are_told_apart() {
        let check = |old, new, expected| assert_eq!(shown(&words(old, new)), expected);
        check("gọi 113 ngay", "gọi 114 ngay", "gọi [-113-]{+114+} ngay");
        check("", "mới", "{+mới+}");
        check("cũ", "", "[-cũ-]");
        check("như cũ", "như cũ", "như cũ");
        check("a b c", "a c", "a [-b -]c");
        check("không chuyển tiền", "chuyển tiền", "[-không -]chuyển tiền");
        check("Dừng lại.", "Dừng lại!", "Dừng lại[-.-]{+!+}");
        check("a  b", "a b", "a[-  -]{+ +}b");
    }

    #[test]
    fn both_texts_can_be_put_together_again() {
        let texts = [
            "",
            "a",
            "a b",
            "b a",
            "Thưa bà con, a b c.",
            "c b a, Thưa con bà",
        ];
        for old in texts {
            for new in texts {
                let pieces = words(old, new);
                let side = |gone: bool| -> String {
                    let pick = |piece: &Piece| match piece {
                        Piece::Same(text) => text.clone(),
                        Piece::Gone(text) if gone => text.clone(),
                        Piece::New(text) if !gone => text.clone(),
                        _ => String::new(),
                    };
                    pieces.iter().map(pick).collect()
                };
                assert_eq!((side(true), side(false)), (old.to_owned(), new.to_owned()));
            }
        }
    }

    #[test]
    fn lines_stay_whole() {
        assert_eq!(shown(&lines("a\nb\n", "a\nc\n")), "a\n[-b\n-]{+c\n+}");
    }
}
