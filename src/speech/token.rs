//! Text → tokens: runs of letters, runs of digits, spaces, line ends, and signs. Every byte belongs to exactly one token.

use std::borrow::Cow;

/// What sort of token it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Letters, with their marks.
    Word,
    /// ASCII digits.
    Number,
    /// Spaces and tabs.
    Space,
    /// Line ends with the spaces around them; also what lies before the beginning and after the end.
    Break,
    /// A sign, or the same sign several times.
    Sign,
}

/// A piece of the text.
#[derive(Debug)]
pub(super) struct Token<'t> {
    /// What sort it is.
    pub kind: Kind,
    /// As it is written.
    pub text: &'t str,
    /// In small letters; the text itself for anything but words.
    pub lower: Cow<'t, str>,
    /// The byte at which it begins.
    pub start: usize,
}

/// What lies before the beginning and after the end.
pub(super) const NOTHING: Token<'static> = Token {
    kind: Kind::Break,
    text: "",
    lower: Cow::Borrowed(""),
    start: 0,
};

impl Token<'_> {
    pub(super) fn is(&self, kind: Kind) -> bool {
        self.kind == kind
    }

    /// Whether it is the sign `text`.
    pub(super) fn is_sign(&self, text: &str) -> bool {
        self.kind == Kind::Sign && self.text == text
    }

    /// A hyphen or dash.
    pub(super) fn is_dash(&self) -> bool {
        self.kind == Kind::Sign && matches!(self.text, "-" | "–" | "—" | "−" | "‑" | "‒")
    }

    /// Whether its first letter is a capital.
    pub(super) fn is_capitalised(&self) -> bool {
        self.kind == Kind::Word && self.text.chars().next().is_some_and(char::is_uppercase)
    }

    /// Whether all its letters are capitals, and there are at least two.
    pub(super) fn is_all_capitals(&self) -> bool {
        self.kind == Kind::Word
            && self.text.chars().nth(1).is_some()
            && self.text.chars().all(char::is_uppercase)
    }

    /// The value of a number of at most four digits.
    pub(super) fn small(&self) -> Option<u32> {
        (self.kind == Kind::Number && self.text.len() <= 4)
            .then(|| self.text.parse().ok())
            .flatten()
    }
}

fn kind_of(c: char) -> Kind {
    match c {
        '0'..='9' => Kind::Number,
        '\n' | '\r' | '\u{2028}' | '\u{2029}' | '\u{b}' | '\u{c}' | '\u{85}' => Kind::Break,
        c if c.is_whitespace() => Kind::Space,
        // Fractions, circled digits and the like count as numbers for Unicode; for speech they are signs.
        c if c.is_alphabetic() && !matches!(c, 'ª' | 'º') => Kind::Word,
        c if unicode_normalization::char::is_combining_mark(c)
            && !matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{20e3}') =>
        {
            Kind::Word
        }
        _ => Kind::Sign,
    }
}

/// Cuts `text` up.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::with_capacity(text.len() / 3 + 4);
    let mut chars = text.char_indices().peekable();
    while let Some((start, first)) = chars.next() {
        let kind = kind_of(first);
        let mut end = start + first.len_utf8();
        while let Some((at, next)) = chars.peek().copied() {
            let goes_on = match kind {
                Kind::Sign => next == first,
                Kind::Break => matches!(kind_of(next), Kind::Break | Kind::Space),
                _ => kind_of(next) == kind,
            };
            if !goes_on {
                break;
            }
            end = at + next.len_utf8();
            chars.next();
        }
        let text = &text[start..end];
        let lower = if kind == Kind::Word && text.chars().any(char::is_uppercase) {
            Cow::Owned(text.to_lowercase())
        } else {
            Cow::Borrowed(text)
        };
        tokens.push(Token {
            kind,
            text,
            lower,
            start,
        });
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_digits_and_signs_part() {
        let text = "TP.Vinh  8h30… m² “a”\n - x";
        let found: Vec<&str> = tokens(text).iter().map(|token| token.text).collect();
        assert_eq!(
            found,
            [
                "TP", ".", "Vinh", "  ", "8", "h", "30", "…", " ", "m", "²", " ", "“", "a", "”",
                "\n ", "-", " ", "x"
            ]
        );
        assert_eq!(found.concat(), text);
    }
}
