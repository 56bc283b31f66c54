//! Links without a domain that could be told by its dots: `bitly/3xYz9`, `https://1.2.3.4/x`, `zalo://qr`.

use super::{Name, REACH, Search};
use crate::contacts::{Kind, dot::is_blank, fold::Letter, letters::bare_shortener};

impl Search<'_> {
    /// `bitly/3xYz9`: a service that shortens, without its dot.
    pub(super) fn bare_short_link(&self, at: usize) -> Option<Name> {
        let from = self.label_start(at);
        let host = bare_shortener(&self.plain(from, at))?;
        let has_path = self.letters.get(at + 1).is_some_and(Letter::is_word);
        let next = self.plain(at + 1, self.label_end(at + 1));
        // `bitly/tinyurl` speaks of two services.
        if !has_path || bare_shortener(&next).is_some() {
            return None;
        }
        let mut name = Name {
            kind: Kind::ShortLink,
            from,
            to: at,
            host: (from, at),
            normalised: host.to_owned(),
            readings: Vec::new(),
            whole: None,
            is_disguised: !self.letters[from..at].iter().all(|letter| letter.is_ascii),
        };
        self.behind(&mut name);
        Some(name)
    }

    /// A link to something without a domain: `https://1.2.3.4/x`, `zalo://qr`.
    pub(super) fn bare_link(&self, at: usize) -> Option<Name> {
        let slashes = self.letters[at + 1..]
            .iter()
            .take(6)
            .take_while(|letter| matches!(letter.c, '/' | ' ' | ']' | ')'))
            .filter(|letter| letter.c == '/')
            .count();
        let from = self.label_start(at);
        let is_opaque = matches!(
            self.plain(from, at).as_str(),
            "javascript" | "data" | "intent"
        );
        if from == at || (slashes < 2 && !is_opaque) {
            return None;
        }
        let length = self.letters[at..]
            .iter()
            .take(REACH)
            .take_while(|letter| {
                !is_blank(letter) && !matches!(letter.c, ')' | '>' | '<' | '"' | '”')
            })
            .count();
        let to = at + length;
        Some(Name {
            kind: Kind::Link,
            from,
            to,
            host: (from, to),
            normalised: self.letters[from..to]
                .iter()
                .map(|letter| letter.plain)
                .collect(),
            readings: Vec::new(),
            whole: None,
            is_disguised: false,
        })
    }
}
