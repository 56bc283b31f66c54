//! A template's text, what was taken out of it so that the next mistake shows, and what the engine is given.
//!
//! The engine gets a text with questions written in (see `budget`), and for checks one without the mistakes that were
//! found already. Every place that it names is led back to the text as it was written.

use std::{collections::BTreeMap, ops::Range};

use super::{
    MOST_MENDS_EACH, TemplateError, TemplateErrorKind, balance, budget,
    tag::{Tag, identifier, path_at, tags},
};
use crate::template::Cause;

/// What stands in rendered words for what was taken out: a character that no text has (for private use in Unicode).
pub const MENDED: char = '\u{f8ff}';

/// Bytes of one text that are other bytes in another.
#[derive(Debug, Clone)]
struct Edit {
    old: Range<usize>,
    new: String,
    /// Where something in the new bytes is said to be.
    at: usize,
}

/// A text and its changes, by place.
#[derive(Debug, Clone, Default)]
struct Edited {
    text: String,
    edits: Vec<Edit>,
}

impl Edited {
    fn new(text: &str, mut edits: Vec<Edit>) -> Self {
        edits.sort_by_key(|edit| edit.old.start);
        let mut edited = String::with_capacity(text.len() + edits.len() * 48);
        let mut at = 0;
        for edit in &edits {
            edited.push_str(&text[at..edit.old.start]);
            edited.push_str(&edit.new);
            at = edit.old.end;
        }
        edited.push_str(&text[at..]);
        Self {
            text: edited,
            edits,
        }
    }

    /// Where byte `at` of the edited text stands in the text before.
    fn back(&self, at: usize) -> usize {
        let (mut old, mut new) = (0, 0);
        for edit in &self.edits {
            let start = new + (edit.old.start - old);
            if at < start {
                break;
            }
            if at < start + edit.new.len() {
                return edit.at;
            }
            (old, new) = (edit.old.end, start + edit.new.len());
        }
        old + at.saturating_sub(new)
    }
}

/// Which of a template's texts a place belongs to.
#[derive(Debug, Clone, Copy)]
pub(super) enum Stage {
    /// The one that was parsed alone.
    Parsed,
    /// The one that is rendered.
    Compiled,
}

/// A template's text in all its forms.
#[derive(Debug, Clone)]
pub(super) struct Source {
    text: String,
    /// What was taken out, by its first byte.
    mends: BTreeMap<usize, Edit>,
    mended: Edited,
    compiled: Edited,
    /// Whether a tag was taken out that others may end.
    lost_a_tag: bool,
}

impl Source {
    pub(super) fn new(text: &str) -> Self {
        let mut source = Self {
            text: text.to_owned(),
            mends: BTreeMap::new(),
            mended: Edited::default(),
            compiled: Edited::default(),
            lost_a_tag: false,
        };
        source.compile();
        source
    }

    fn compile(&mut self) {
        self.mended = Edited::new(&self.text, self.mends.values().cloned().collect());
        self.compiled = Edited::new(&self.mended.text, questions(&self.mended.text));
    }

    /// The text as it was written.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The text without mistakes that were found already.
    pub(super) fn mended(&self) -> &str {
        &self.mended.text
    }

    /// The text for the engine.
    pub(super) fn compiled(&self) -> &str {
        &self.compiled.text
    }

    /// Where a byte of one of the other texts stands in the text as it was written.
    pub(super) fn back(&self, stage: Stage, at: usize) -> usize {
        let at = match stage {
            Stage::Parsed => at,
            Stage::Compiled => self.compiled.back(at),
        };
        self.mended.back(at)
    }

    /// Where a 1-based line and column of one of the other texts stands in the text as it was written.
    pub(super) fn back_from(&self, stage: Stage, line: usize, column: usize) -> usize {
        let text = match stage {
            Stage::Parsed => &self.mended.text,
            Stage::Compiled => &self.compiled.text,
        };
        self.back(stage, offset(text, line, column))
    }

    /// Whether a mistake is only there because of what was taken out.
    pub(super) fn is_consequence(&self, error: &TemplateError) -> bool {
        self.lost_a_tag
            && match error.cause() {
                Some(Cause::Ends) => true,
                Some(Cause::UnknownTag) => {
                    let tag = self.tag_at(offset(&self.text, error.line, error.column));
                    tag.is_none_or(|tag| balance::needs_another(tag.word(&self.text)))
                }
                _ => false,
            }
    }

    /// Takes out what `error` is about, so that a mistake behind it shows; `false` when that is not possible.
    pub(super) fn mend(&mut self, error: &TemplateError) -> bool {
        if error.line == 0 || self.mends.len() >= MOST_MENDS_EACH {
            return false;
        }
        match error.cause() {
            Some(Cause::Ends) => return self.end(),
            Some(Cause::OpenQuote) => return self.close(),
            Some(Cause::OpenComment) => {
                let Some(open) = self.mended.text.rfind("{#") else {
                    return false;
                };
                // Nobody knows where it should end, so it ends with the text.
                let open = self.mended.back(open);
                self.replace(open..self.text.len(), gone());
                return true;
            }
            _ => {}
        }
        let at = offset(&self.text, error.line, error.column);
        let Some(tag) = self.tag_at(at) else {
            return false;
        };
        let word = tag.word(&self.text);
        if matches!(error.kind, TemplateErrorKind::UndefinedVariable { .. })
            && word != "for"
            && let Some(path) = path_at(&self.text, &tag.inner, at)
            && !self.is_mended(&path)
        {
            let new = format!("\"{MENDED}\"");
            self.replace(path, new);
            return true;
        }
        if error.kind == TemplateErrorKind::Syntax && balance::needs_another(word) {
            return self.pair(&tag);
        }
        let new = match word {
            "set" | "filter" | "block" | "extends" | "raw" => return false,
            _ if balance::needs_another(word) && word != "elif" => return false,
            word => instead_of(word),
        };
        if self
            .mends
            .get(&tag.range.start)
            .is_some_and(|edit| edit.old == tag.range)
        {
            return false;
        }
        let is_lost = tag.is_block && !matches!(word, "if" | "elif" | "for" | "include");
        self.lost_a_tag |= is_lost;
        self.replace(tag.range, new);
        true
    }

    /// Ends what is still open where the text ends: a tag, or what tags have opened.
    fn end(&mut self) -> bool {
        if self.close() {
            return true;
        }
        let end = self.text.len();
        let missing = balance::missing(&self.mended.text);
        if missing.is_empty() {
            return false;
        }
        let before = self.mends.get(&end).map_or("", |edit| edit.new.as_str());
        let new = format!("{before}{missing}{}", gone());
        self.replace(end..end, new);
        true
    }

    /// Takes out a tag that never closes.
    fn close(&mut self) -> bool {
        let Some(range) = balance::unclosed(&self.mended.text) else {
            return false;
        };
        let old = self.mended.back(range.start)..self.mended.back(range.end);
        let tag = Tag::new(&self.text, old.clone());
        let word = tag.word(&self.text);
        // What others may end.
        self.lost_a_tag |= tag.is_block && !matches!(word, "if" | "elif" | "for" | "include");
        let new = instead_of(word);
        self.replace(old, new);
        true
    }

    /// Lets a tag that ends nothing here do so, or takes it out.
    fn pair(&mut self, tag: &Tag) -> bool {
        if self.is_mended(&tag.range) {
            return false;
        }
        let text = &self.mended.text;
        let here = tags(text)
            .into_iter()
            .find(|here| self.mended.back(here.range.start) == tag.range.start);
        let before = here.and_then(|here| balance::before(text, &here));
        let new = if let Some(before) = before {
            format!("{before}{}{}", &self.text[tag.range.clone()], gone())
        } else {
            // It may have been meant for what is open.
            self.lost_a_tag = true;
            gone()
        };
        self.replace(tag.range.clone(), new);
        true
    }

    fn is_mended(&self, range: &Range<usize>) -> bool {
        self.mends
            .values()
            .any(|edit| edit.old.start < range.end && range.start < edit.old.end)
    }

    fn replace(&mut self, old: Range<usize>, new: String) {
        self.mends
            .retain(|_, edit| edit.old.end <= old.start || old.end <= edit.old.start);
        let at = old.start;
        self.mends.insert(at, Edit { old, new, at });
        self.compile();
    }

    /// The tag with byte `at` in or right behind it. One that never closes ends with its line, or where the next begins.
    fn tag_at(&self, at: usize) -> Option<Tag> {
        let text = self.text.as_str();
        let known = tags(text)
            .into_iter()
            .find(|tag| tag.range.start <= at && at < tag.range.end)
            // A tag that never closes seems to go on to the end of the next.
            .filter(|tag| {
                let inner = &text[tag.inner.clone()];
                !inner.contains("{{") && !inner.contains("{%")
            });
        if known.is_some() {
            return known;
        }
        let before = &text[..at.min(text.len())];
        let open = before.rfind("{{").max(before.rfind("{%"))?;
        let body = &text[open + 2..];
        let end = body.find(['{', '}', '\n']).unwrap_or(body.len());
        let closed = body[end..].len() - body[end..].trim_start_matches('}').len();
        Some(Tag::new(text, open..open + 2 + end + closed.min(2)))
    }
}

/// What stands for what was taken out.
fn gone() -> String {
    format!("{{{{ \"{MENDED}\" }}}}")
}

/// What stands for a tag whose first word is `word`, so that what ends it still ends something.
fn instead_of(word: &str) -> String {
    match word {
        "if" => "{% if true %}".to_owned(),
        "elif" => "{% elif true %}".to_owned(),
        "for" => format!("{}{{% for unused in [] %}}", gone()),
        _ => gone(),
    }
}

/// What a rendering is asked, and where.
fn questions(text: &str) -> Vec<Edit> {
    let mut edits = Vec::new();
    let mut ask = |at: usize, tag: &Range<usize>, function: &str, argument: String| {
        // What a dash takes away behind a tag, it takes away behind the question.
        let dash = if text[..at].ends_with("-%}") && at == tag.end {
            "-"
        } else {
            ""
        };
        edits.push(Edit {
            old: at..at,
            new: format!("{{% if {function}({argument}) %}}{{% endif {dash}%}}"),
            at: tag.start,
        });
    };
    let tags = tags(text);
    if tags.first().is_none_or(|tag| tag.word(text) != "extends") {
        let cost = format!("cost={}, begins=true", budget::cost(text.len()));
        ask(0, &(0..0), budget::PASS, cost);
    }
    let mut loops: Vec<&Tag> = Vec::new();
    let mut sets = Vec::new();
    for tag in &tags {
        match tag.word(text) {
            "for" => loops.push(tag),
            "endfor" => {
                if let Some(open) = loops.pop() {
                    let cost = budget::cost(tag.range.start - open.range.end);
                    ask(
                        open.range.end,
                        &open.range,
                        budget::PASS,
                        format!("cost={cost}"),
                    );
                }
            }
            "set" => {
                let rest = tag.rest(text).trim_start();
                let (name, rest) = rest.split_at(identifier(rest));
                if rest.trim_start().starts_with('=') {
                    ask(
                        tag.range.end,
                        &tag.range,
                        budget::HOLD,
                        format!("value={name}"),
                    );
                } else {
                    sets.push((name, tag));
                }
            }
            "endset" => {
                if let Some((name, _)) = sets.pop() {
                    ask(
                        tag.range.end,
                        &tag.range,
                        budget::HOLD,
                        format!("value={name}"),
                    );
                }
            }
            _ => {}
        }
    }
    edits
}

/// The byte at a 1-based line and column in characters.
pub(super) fn offset(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(str::len)
        .sum();
    let rest = &text[start..];
    let inside = rest
        .char_indices()
        .nth(column.saturating_sub(1))
        .map_or(rest.len(), |(at, _)| at);
    start + inside
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_leads_back() {
        let text =
            "đ{% for a in b -%} x {% endfor %}{% set c = 1 %}{% set d %}e{% endset %}{{ f }}";
        let source = Source::new(text);
        assert!(source.compiled().len() > text.len());
        for (at, _) in text.char_indices() {
            let here = source
                .compiled
                .text
                .char_indices()
                .find(|(new, _)| source.back(Stage::Compiled, *new) == at);
            let (new, _) = here.unwrap();
            assert_eq!(source.back(Stage::Compiled, new), at);
        }
        let f = source.compiled().rfind("f }}").unwrap();
        assert_eq!(source.back(Stage::Compiled, f), text.rfind("f }}").unwrap());
        assert!(
            source.compiled().contains("{% endif -%} x"),
            "{}",
            source.compiled()
        );
    }
}
