//! Domains, links, e-mail addresses and handles in a folded text, also with their dots said as words.

mod bare;
mod spoken;

use super::{
    Kind,
    dot::{Dot, Manner, dots, is_blank, is_label, spelt},
    fold::{Letter, in_full},
    letters::{is_common_end, is_end, is_ending_alone, is_shortener, is_syllable, look_alike},
    token::Token,
};

/// A name as found.
#[derive(Debug, Clone)]
pub(super) struct Name {
    /// What it is.
    pub kind: Kind,
    /// Its first letter, that of the scheme where there is one.
    pub from: usize,
    /// The letter behind the last one, the path with it.
    pub to: usize,
    /// Where the name without scheme and path stands.
    pub host: (usize, usize),
    /// What it names.
    pub normalised: String,
    /// What else it can name: said aloud, a label has no beginning.
    pub readings: Vec<String>,
    /// The name with all that is said before it, where it is said aloud.
    pub whole: Option<String>,
    /// Whether letters of it only look like what they name.
    pub is_disguised: bool,
}

#[derive(Debug, Clone)]
struct Label {
    from: usize,
    to: usize,
    name: String,
    /// How it is joined to the label before it.
    manner: Manner,
}

/// Letters that a scheme, a local part or a path is looked for in.
const REACH: usize = 300;

/// Words before an end of names, without their marks.
const ENDS_WITH: [&str; 10] = [
    "mien", "duoi", "bang", "la", "tan", "cung", "chu", "dang", "cum", "phan",
];

/// The names in a text, in the order of their places.
pub(super) fn names(letters: &[Letter], tokens: &[Token]) -> Vec<Name> {
    let search = Search {
        letters,
        tokens,
        dots: dots(letters, tokens),
    };
    let mut found = Vec::new();
    let mut at = 0;
    while at < search.dots.len() {
        let (name, next) = search.chain(at);
        found.extend(name);
        at = next;
    }
    let covered = |found: &[Name], at: usize| {
        let behind = found.partition_point(|name| name.from <= at);
        found[..behind]
            .iter()
            .rev()
            .take(4)
            .any(|name| (name.from..name.host.1).contains(&at))
    };
    let mut more = Vec::new();
    for (at, letter) in letters.iter().enumerate() {
        let name = match letter.c {
            '@' if !covered(&found, at) => search.handle(at),
            ':' if !covered(&found, at) => search.bare_link(at),
            '/' if !covered(&found, at) => search.bare_short_link(at),
            _ => None,
        };
        more.extend(name);
    }
    for (at, token) in tokens.iter().enumerate() {
        if let Some(name) = search.mail(at).filter(|_| !covered(&found, token.from)) {
            more.push(name);
        }
    }
    found.extend(more);
    found.sort_by_key(|name| name.from);
    found
}

struct Search<'a> {
    letters: &'a [Letter],
    tokens: &'a [Token],
    dots: Vec<Dot>,
}

impl Search<'_> {
    fn plain(&self, from: usize, to: usize) -> String {
        self.letters[from..to]
            .iter()
            .filter(|letter| is_label(letter))
            .map(|letter| letter.plain)
            .collect()
    }

    fn label_end(&self, from: usize) -> usize {
        self.letters[from..]
            .iter()
            .position(|letter| !is_label(letter))
            .map_or(self.letters.len(), |length| from + length)
    }

    fn label_start(&self, to: usize) -> usize {
        let before = self.letters[..to].iter().rev().take(REACH);
        to - before.take_while(|letter| is_label(letter)).count()
    }

    /// The name whose first dot is `first`, and the dot to go on with.
    fn chain(&self, first: usize) -> (Option<Name>, usize) {
        let dot = self.dots[first];
        let from = self.label_start(dot.from);
        if from == dot.from {
            return (None, first + 1);
        }
        let mut labels = vec![Label {
            from,
            to: dot.from,
            name: self.plain(from, dot.from),
            manner: dot.manner,
        }];
        let mut at = first;
        // More labels than a name can have are none.
        while labels.len() < 12 {
            let dot = self.dots[at];
            let Some((to, name)) = self.label_behind(at) else {
                break;
            };
            labels.push(Label {
                from: dot.to,
                to,
                name,
                manner: dot.manner,
            });
            match self.dots.get(at + 1) {
                Some(next) if next.from == to => at += 1,
                _ => break,
            }
        }
        let Some(end) = (1..labels.len())
            .rev()
            .find(|index| self.is_end(&labels[index - 1], &labels[*index]))
        else {
            return (None, first + 1);
        };
        labels.truncate(end + 1);
        (self.name(&labels), first + end)
    }

    /// Where the label behind dot `at` ends, and the label. Said aloud it may have several words.
    fn label_behind(&self, at: usize) -> Option<(usize, String)> {
        let dot = self.dots[at];
        let to = self.label_end(dot.to);
        if to == dot.to {
            return None;
        }
        let name = self.plain(dot.to, to);
        if dot.manner != Manner::Spelled {
            // `congan . v n`; initials are shorter.
            let rest = &self.letters[to..];
            let is_parted = name == "v"
                && dot.from - self.label_start(dot.from) > 2
                && matches!(rest, [blank, n, ..] if blank.c == ' ' && n.plain == 'n')
                && !rest.get(2).is_some_and(is_label);
            return Some(if is_parted {
                (to + 2, "vn".to_owned())
            } else if let Some((end, glued)) = self.glued_end(dot, to) {
                (end, glued.to_owned())
            } else {
                (to, name)
            });
        }
        // `vê en`, `việt nam`
        let second = self
            .letters
            .get(to)
            .filter(|letter| letter.c == ' ')
            .map(|_| {
                let end = self.label_end(to + 1);
                (end, self.plain(to + 1, end))
            });
        if let Some((end, second)) = second {
            let is_country = match name.as_str() {
                "ve" | "vi" | "vo" | "v" => matches!(second.as_str(), "en" | "no" | "n" | "en-no"),
                "viet" => second == "nam",
                _ => false,
            };
            if is_country {
                return Some((end, "vn".to_owned()));
            }
            // As they are said: `chấm in fô`, `chấm on lai`; `chấm on lại` says something else.
            let marked: String = self.letters[to + 1..end]
                .iter()
                .map(|letter| letter.c)
                .collect();
            let said = match (name.as_str(), marked.as_str()) {
                ("in", "fo" | "fô" | "phô") => Some("info"),
                ("on", "lai" | "lain" | "line") => Some("online"),
                _ => None,
            };
            if let Some(said) = said {
                return Some((end, said.to_owned()));
            }
        }
        if let Some(spelt) = spelt(self.letters, self.tokens, dot.to) {
            return Some(spelt);
        }
        let several = self.dots.get(at + 1).filter(|next| {
            next.manner == Manner::Spelled
                && next.from > to
                && next.from - dot.to <= 40
                && !is_common_end(&name)
                && self.letters[dot.to..next.from]
                    .iter()
                    .all(|letter| is_label(letter) || letter.c == ' ')
        });
        Some(match several {
            Some(next) => (next.from, self.plain(dot.to, next.from)),
            None => (to, name),
        })
    }

    /// Where an end of names ends to which the next word is glued, and the end: `hoanthue.vn-chính thức`, `hoanthue.vnnhé`. Programs for
    /// messages make a link of it.
    fn glued_end(&self, dot: Dot, to: usize) -> Option<(usize, &'static str)> {
        const ENDS: [&str; 5] = ["vn", "com", "net", "org", "info"];
        let run = &self.letters[dot.to..to];
        let goes_on = self.letters.get(to).is_some_and(|letter| letter.c == '.');
        // What is all ASCII may be an end that nobody here knows.
        if dot.manner != Manner::Direct || goes_on || run.iter().all(|letter| letter.is_ascii) {
            return None;
        }
        ENDS.into_iter().find_map(|end| {
            let is_head = run.len() > end.len()
                && run.iter().zip(end.chars()).all(|(letter, c)| letter.c == c);
            is_head.then_some((dot.to + end.len(), end))
        })
    }

    /// Whether a name can end with `label`, which stands behind `before`.
    fn is_end(&self, before: &Label, label: &Label) -> bool {
        let first = &self.letters[label.from];
        let name = label.name.as_str();
        let meant: String = name
            .chars()
            .map(|c| match c {
                '0' => 'o',
                '1' => 'l',
                '3' => 'e',
                c => c,
            })
            .collect();
        let is_common = name.contains(|c: char| c.is_ascii_alphabetic()) && is_common_end(&meant);
        match label.manner {
            Manner::Spelled | Manner::Spaced => {
                is_common || is_shortener(&format!("{}.{name}", before.name))
            }
            Manner::Trailing => is_common && !first.is_upper,
            Manner::Direct if is_common || name.starts_with("xn--") => true,
            Manner::Direct => {
                let run = &self.letters[before.from..before.to];
                // `khoản.Ai`, `BS.CK`, `8.am`: a blank is missing, an abbreviation, a time.
                let is_shouted = first.is_upper && run.iter().all(|letter| letter.is_upper);
                // `BS`, `ThS`
                let has_capitals = run.len() > 1 && run[0].is_upper && run[run.len() - 1].is_upper;
                let is_short = first.is_upper && (is_shouted || has_capitals) && run.len() <= 4;
                let is_sentence = is_syllable(name)
                    && ((first.is_upper && !is_shouted)
                        || !run.iter().all(|letter| letter.is_ascii));
                let goes_on = self
                    .letters
                    .get(label.to)
                    .is_some_and(|letter| letter.c == '/');
                let is_prose = (is_short || is_sentence) && !goes_on;
                is_end(name)
                    && !run.iter().all(Letter::is_digit)
                    && (!is_prose || is_shortener(&format!("{}.{name}", before.name)))
            }
        }
    }

    fn name(&self, labels: &[Label]) -> Option<Name> {
        let (first, last) = (&labels[0], &labels[labels.len() - 1]);
        let mut from = first.from;
        while self.letters[from].c == '-' && from + 1 < first.to {
            from += 1;
        }
        let to = last.to;
        if self.is_before_at(to) {
            return None;
        }
        let rest: Vec<&str> = labels[1..]
            .iter()
            .map(|label| label.name.as_str())
            .collect();
        let rest = rest.join(".");
        let head = first.name.trim_start_matches('-');
        if head.is_empty() {
            return None;
        }
        let mut normalised = format!("{head}.{rest}");
        let is_spoken = labels[1].manner == Manner::Spelled;
        let mut readings = Vec::new();
        let mut whole = None;
        if is_spoken {
            whole = Some(format!("{}{rest}", self.said_before(first)));
            let (words, is_dashed) = self.words_before(first.from);
            if is_dashed {
                normalised = format!("-{normalised}");
            } else {
                let mut label = head.to_owned();
                for word in words {
                    label = format!("{word}{label}");
                    readings.push(format!("{label}.{rest}"));
                }
            }
        }
        // Frameworks by their names.
        let is_shouted = self.letters[from..to]
            .iter()
            .all(|letter| letter.is_upper || letter.c == '.');
        if is_shouted && matches!(normalised.as_str(), "asp.net" | "ado.net" | "vb.net") {
            return None;
        }
        let bare = normalised.strip_prefix("www.");
        if bare.is_some_and(|bare| bare.contains('.')) {
            normalised.drain(.."www.".len());
        }
        // Said aloud, a name is Vietnamese words; written, it is ASCII in one piece.
        let is_odd = |letter: &Letter| {
            if is_spoken {
                letter.c != 'đ' && (look_alike(letter.c).is_some() || !letter.plain.is_ascii())
            } else {
                !letter.is_ascii
            }
        };
        let is_disguised = self.letters[from..to]
            .iter()
            .any(|letter| letter.c == '.' && !letter.is_ascii)
            || labels.iter().any(|label| {
                let run = &self.letters[label.from..label.to];
                run.iter().any(is_odd) || run.windows(2).any(|pair| pair[0].end != pair[1].start)
            });
        let mut name = Name {
            kind: Kind::Site,
            from,
            to,
            host: (from, to),
            normalised,
            readings,
            whole,
            is_disguised,
        };
        // `tên miền .gov.vn`, `đuôi “gov” chấm “vn”`: an end that names are given under leads to nobody.
        let is_said = |word: &str| ENDS_WITH.iter().any(|known| word.starts_with(known));
        let is_end_alone = match name.readings.first() {
            Some(reading) => is_ending_alone(&name.normalised) && is_said(reading),
            None => is_ending_alone(&name.normalised),
        } || (labels[1].manner == Manner::Spaced
            && self.letters[labels[1].from - 1].c == '.'
            && ENDS_WITH.contains(&head)
            && is_ending_alone(&rest))
            || (is_spoken && self.is_about_ends(labels));
        self.in_front(&mut name);
        self.behind(&mut name);
        let is_bare = name.kind == Kind::Site && name.to == to;
        (!(is_end_alone && is_bare)).then_some(name)
    }

    /// Whether `at` is the end of what stands before the @ of an address.
    fn is_before_at(&self, at: usize) -> bool {
        let rest = &self.letters[at..];
        match rest.first().map(|letter| letter.c) {
            Some('@') => rest.get(1).is_some_and(is_label),
            Some(':') => rest
                .iter()
                .take(REACH)
                .take_while(|letter| !is_blank(letter) && letter.c != '/')
                .any(|letter| letter.c == '@'),
            _ => false,
        }
    }

    /// Takes in the part before an @, and the scheme.
    fn in_front(&self, name: &mut Name) {
        if let Some((local, sign)) = self.local(name.from) {
            let is_userinfo = self.scheme(local).is_some();
            if !is_userinfo && local < sign {
                name.kind = Kind::Email;
                let local = self.in_full(local, sign);
                let local = local.strip_prefix("mailto:").unwrap_or(&local);
                name.normalised = format!("{local}@{}", name.normalised);
                name.readings.clear();
                name.whole = None;
            }
            name.from = local;
        }
        if let Some(scheme) = self.scheme(name.from) {
            name.from = scheme;
            name.kind = Kind::Link;
        }
    }

    /// Where the part before an @ that ends at `at` begins and ends.
    fn local(&self, at: usize) -> Option<(usize, usize)> {
        let blanks = |at: usize| {
            at - self.letters[..at]
                .iter()
                .rev()
                .take(3)
                .take_while(|letter| matches!(letter.c, ' ' | '(' | ')' | '[' | ']'))
                .count()
        };
        let sign_end = blanks(at);
        let sign = if sign_end > 0 && self.letters[sign_end - 1].c == '@' {
            sign_end - 1
        } else {
            let behind = self.tokens.partition_point(|token| token.to <= sign_end);
            let word = &self.tokens[..behind];
            match word {
                [.., a, last]
                    if last.to == sign_end
                        && a.text == "a"
                        && last.is_one_of(&["còng", "móc", "vòng"]) =>
                {
                    a.from
                }
                [.., last]
                    if last.to == sign_end
                        && last.text == "at"
                        && sign_end < at
                        && matches!(self.letters[sign_end].c, ')' | ']' | ' ') =>
                {
                    last.from
                }
                _ => return None,
            }
        };
        let end = blanks(sign);
        let length = self.letters[..end]
            .iter()
            .rev()
            .take(REACH)
            .take_while(|letter| is_label(letter) || matches!(letter.c, '.' | '+' | '%' | ':'))
            .count();
        Some((end - length, end))
    }

    /// Where the scheme begins whose `://` ends at `at`.
    fn scheme(&self, at: usize) -> Option<usize> {
        let signs = self.letters[..at]
            .iter()
            .rev()
            .take(10)
            .take_while(|letter| matches!(letter.c, '/' | ':' | ' ' | '[' | ']' | '(' | ')'))
            .count();
        let between = &self.letters[at - signs..at];
        let is_scheme = between.iter().any(|letter| letter.c == ':')
            && between.iter().filter(|letter| letter.c == '/').count() >= 2;
        let from = self.label_start(at - signs);
        (is_scheme && from < at - signs).then_some(from)
    }

    /// Takes in port and path.
    fn behind(&self, name: &mut Name) {
        let rest = &self.letters[name.to..];
        let port = match rest {
            [colon, digits @ ..] if colon.c == ':' => digits
                .iter()
                .take(6)
                .take_while(|letter| letter.is_digit())
                .count(),
            _ => 0,
        };
        let mut to = name.to;
        if port > 0 {
            to += 1 + port;
            let port: String = self.letters[name.to..to]
                .iter()
                .map(|letter| letter.c)
                .collect();
            name.normalised.push_str(&port);
            for reading in name.readings.iter_mut().chain(&mut name.whole) {
                reading.push_str(&port);
            }
        }
        let is_path = self
            .letters
            .get(to)
            .is_some_and(|letter| matches!(letter.c, '/' | '?' | '#'));
        let host_end = to;
        if is_path {
            to += self.letters[to..]
                .iter()
                .take(REACH)
                .take_while(|letter| {
                    !is_blank(letter)
                        && !matches!(letter.c, ')' | ']' | '>' | '<' | '"' | '”' | '“')
                })
                .count();
            while to > host_end
                && matches!(self.letters[to - 1].c, '.' | ',' | ';' | ':' | '!' | '?')
            {
                to -= 1;
            }
        }
        name.to = to;
        if is_shortener(&name.normalised) {
            name.kind = Kind::ShortLink;
            name.whole = None;
            // A letter's size counts in such paths.
            let path = in_full(&self.letters[host_end..to], |letter| {
                if letter.is_upper {
                    letter.c.to_ascii_uppercase()
                } else {
                    letter.c
                }
            });
            name.normalised.push_str(path.trim_end_matches('/'));
        }
    }

    /// The letters from `from` to `to` without their marks, and the low lines between them.
    fn in_full(&self, from: usize, to: usize) -> String {
        in_full(&self.letters[from..to], |letter| letter.plain)
    }

    /// `@congan`, and an address whose host has no end.
    fn handle(&self, at: usize) -> Option<Name> {
        let mut to = self.label_end(at + 1);
        // `@congan.vinh`; behind a full stop without a blank stands a capital.
        let goes_on = |to: usize| {
            let dot = self.letters.get(to).is_some_and(|letter| letter.c == '.');
            let next = self.letters.get(to + 1);
            dot && next.is_some_and(|next| next.is_ascii && is_label(next) && !next.is_upper)
        };
        while to > at + 1 && goes_on(to) {
            to = self.label_end(to + 1);
        }
        let name = self.in_full(at + 1, to);
        if name.len() < 3 || name.bytes().all(|b| b.is_ascii_digit() || b == b'-') {
            return None;
        }
        let from = self.local(at + 1).map_or(at, |(from, _)| from);
        let local = self.in_full(from, at);
        let is_near = at > 0 && is_label(&self.letters[at - 1]);
        let (kind, from, normalised) = if is_near && !local.is_empty() {
            (Kind::Email, from, format!("{local}@{name}"))
        } else {
            (Kind::Oa, at, format!("@{name}"))
        };
        Some(Name {
            kind,
            from,
            to,
            host: (from, to),
            normalised,
            readings: Vec::new(),
            whole: None,
            is_disguised: self.letters[from..to].iter().any(|letter| !letter.is_ascii),
        })
    }
}
