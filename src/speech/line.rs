//! The words as they are put together, with the spaces and pauses that speech needs and no others.

use unicode_normalization::{UnicodeNormalization as _, is_nfc};

use super::token::{Kind, Token};

/// What was said so far.
pub(super) struct Line {
    out: String,
    /// Whether the last thing was said by a rule, and not kept.
    was_said: bool,
    /// Whether the last thing was left out.
    was_dropped: bool,
    /// Whether a sentence ended before the first word.
    after_stop: bool,
}

impl Line {
    pub(super) fn new(capacity: usize, after_stop: bool) -> Self {
        Self {
            out: String::with_capacity(capacity),
            was_said: false,
            was_dropped: false,
            after_stop,
        }
    }

    fn last(&self) -> Option<char> {
        self.out.chars().next_back()
    }

    /// Whether a sentence ended just before. Voices make a pause only before a capital.
    pub(super) fn begins_sentence(&self) -> bool {
        let before = self.out.trim_end();
        if before.is_empty() {
            return self.after_stop;
        }
        before.len() < self.out.len() && ends_sentence(before)
    }

    fn ends_in_space(&self) -> bool {
        self.last().is_none_or(char::is_whitespace)
    }

    pub(super) fn keep(&mut self, token: &Token<'_>) {
        if token.is(Kind::Space) && self.was_dropped && self.ends_in_space() {
            return;
        }
        let is_spoken = matches!(token.kind, Kind::Word | Kind::Number);
        if is_spoken && self.was_said && self.last().is_some_and(char::is_alphanumeric) {
            self.out.push(' ');
        }
        self.out.push_str(token.text);
        self.was_said = false;
        self.was_dropped = false;
    }

    pub(super) fn say(&mut self, text: &str, next: Option<&Token<'_>>) {
        if text.is_empty() {
            self.was_dropped = true;
            // What is left out leaves no space before a comma or a full stop.
            let is_closed = next.is_none_or(|next| {
                next.is(Kind::Break)
                    || (next.is(Kind::Sign)
                        && next
                            .text
                            .starts_with([',', '.', ';', ':', '!', '?', ')', '”', '…']))
            });
            if is_closed {
                self.out
                    .truncate(self.out.trim_end_matches([' ', '\t', '\u{a0}']).len());
            } else if self.last().is_some_and(char::is_alphanumeric)
                && next.is_some_and(|next| matches!(next.kind, Kind::Word | Kind::Number))
            {
                self.out.push(' ');
            }
            return;
        }
        let begins = text.starts_with(char::is_alphanumeric);
        if begins
            && self.last().is_some_and(|last| {
                last.is_alphanumeric()
                    || matches!(last, ',' | ';' | ':' | '%' | '.' | '!' | '?' | ')' | '…')
            })
        {
            self.out.push(' ');
        }
        if text.starts_with([',', '.']) {
            self.out.truncate(self.out.trim_end_matches(' ').len());
        }
        self.out.push_str(text);
        self.was_said = true;
        self.was_dropped = false;
    }

    /// A line or passage ends here that is a unit by itself. Where its words end without a sign, the voice gets one:
    /// `sign`. `false` when there was no need.
    pub(super) fn pause(&mut self, sign: char) -> bool {
        let words = self.out.trim_end().trim_end_matches(CLOSING);
        if !words.ends_with(char::is_alphanumeric) {
            return false;
        }
        self.out.truncate(self.out.trim_end().len());
        self.out.push(sign);
        self.was_said = false;
        self.was_dropped = false;
        true
    }

    pub(super) fn finish(self) -> String {
        // What was left out may have kept two marks apart.
        if is_nfc(&self.out) {
            self.out
        } else {
            self.out.nfc().collect()
        }
    }
}

/// Signs that close what was opened before the end of a sentence.
pub(super) const CLOSING: [char; 6] = ['”', '"', ')', '’', '»', ']'];

/// Whether `text`, without white space at its end, ends a sentence.
pub(super) fn ends_sentence(text: &str) -> bool {
    text.trim_end_matches(CLOSING)
        .ends_with(['.', '!', '?', '…'])
}
