//! Dots between the labels of a name: as signs, with blanks and brackets around them, and as words.

use super::{
    fold::Letter,
    letters::{is_common_end, is_shortener, letter_said},
    token::Token,
};

/// How a dot is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// A dot between letters.
    Direct,
    /// With a blank behind it only, as at the end of a sentence.
    Trailing,
    /// With a blank before it.
    Spaced,
    /// As a word.
    Spelled,
}

#[derive(Debug, Clone, Copy)]
/// A dot with what stands around it.
pub(super) struct Dot {
    /// Where the label before it ends.
    pub from: usize,
    /// Where the label behind it begins.
    pub to: usize,
    /// How it is written.
    pub manner: Manner,
}

/// A part of a label.
pub(super) fn is_label(letter: &Letter) -> bool {
    letter.is_word() || letter.c == '-'
}

pub(super) fn is_blank(letter: &Letter) -> bool {
    matches!(letter.c, ' ' | '\n')
}

/// The dots of a text with the blanks and brackets around them.
pub(super) fn dots(letters: &[Letter], tokens: &[Token]) -> Vec<Dot> {
    let around = |from: usize, to: usize, manner: Option<Manner>| {
        let before = letters[..from].iter().rev().take(3);
        // chấm (gov) chấm (vn): around a word the labels have brackets, too.
        let is_spelled = manner == Some(Manner::Spelled);
        let bracket = |c: char| manner.is_some() && c == '-';
        // A pause before the word is heard, too.
        let quote = |c: char| is_spelled && matches!(c, '"' | '“' | '”' | '\'' | ',');
        let left = before
            .take_while(|letter| {
                is_blank(letter)
                    || matches!(letter.c, '(' | '[' | '{')
                    || (is_spelled && matches!(letter.c, ')' | ']' | '}'))
                    || bracket(letter.c)
                    || quote(letter.c)
            })
            .count();
        let right = letters[to..]
            .iter()
            .take(3)
            .take_while(|letter| {
                is_blank(letter)
                    || matches!(letter.c, ')' | ']' | '}')
                    || (is_spelled && matches!(letter.c, '(' | '[' | '{'))
                    || bracket(letter.c)
                    || quote(letter.c)
            })
            .count();
        let has_blank = |range: &[Letter]| range.iter().any(is_blank);
        let manner = manner.unwrap_or_else(|| {
            if has_blank(&letters[from - left..from]) {
                Manner::Spaced
            } else if has_blank(&letters[to..to + right]) {
                Manner::Trailing
            } else {
                Manner::Direct
            }
        });
        Dot {
            from: from - left,
            to: to + right,
            manner,
        }
    };
    let mut words = tokens
        .iter()
        .filter(|token| token.is_one_of(&["chấm", "châm", "dot", "phẩy"]))
        .peekable();
    let mut dots = blank_dots(letters, tokens);
    for (at, letter) in letters.iter().enumerate() {
        if words.peek().is_some_and(|word| word.from == at)
            && let Some(word) = words.next()
        {
            dots.push(around(word.from, word.to, Some(Manner::Spelled)));
        } else if letter.c == '.' {
            dots.push(around(at, at + 1, None));
        } else if letter.c == ','
            && at > 0
            && is_label(&letters[at - 1])
            && letters
                .get(at + 1)
                .is_some_and(|next| next.c.is_alphabetic())
        {
            // Taken for a dot by readers who want to: `congan,com`.
            dots.push(around(at, at + 1, Some(Manner::Spaced)));
        } else {
            dots.extend(bracket(letters, at));
        }
    }
    dots.sort_by_key(|dot| dot.from);
    dots
}

/// `dichvucong[com]`, `dichvucong[gov][vn]`: brackets that stand for a dot, right behind a word. Round ones are also put around
/// what explains a word, so only before ends that explain none.
fn bracket(letters: &[Letter], at: usize) -> Option<Dot> {
    const PLAIN: [&str; 8] = ["vn", "com", "net", "org", "gov", "xyz", "top", "vip"];
    /// An end of names is no longer.
    const LONGEST: usize = 10;
    let close = match letters[at].c {
        '[' => ']',
        '{' => '}',
        '(' => ')',
        _ => return None,
    };
    let is_closed = |at: usize| matches!(letters[at].c, ']' | '}' | ')');
    let from = if at > 1 && is_closed(at - 1) {
        at - 1
    } else {
        at
    };
    let before = from.checked_sub(1).map(|before| &letters[before])?;
    let inside: String = letters[at + 1..]
        .iter()
        .take(LONGEST)
        .take_while(|letter| letter.is_word())
        .map(|letter| letter.plain)
        .collect();
    let behind = letters.get(at + 1 + inside.chars().count())?;
    let is_end = if close == ')' {
        PLAIN.contains(&inside.as_str())
    } else {
        is_common_end(&inside)
    };
    (is_label(before) && is_end && behind.c == close).then_some(Dot {
        from,
        to: at + 1,
        manner: Manner::Spaced,
    })
}

/// `dichvucong gov vn`, `dichvucong/gov/vn`, `www congan com`, `t me/congan`: blanks and strokes that stand for dots, where
/// nothing else can be meant.
fn blank_dots(letters: &[Letter], tokens: &[Token]) -> Vec<Dot> {
    /// Words that say a stroke: `bít ly gạch chéo abc`.
    const STROKES: [&str; 8] = [
        "gạch", "xuyệt", "xoẹt", "xẹt", "sẹc", "suyệt", "chéo", "slash",
    ];
    /// Words that speak of the end of a name, before one that is said alone.
    const ABOUT: [&str; 9] = [
        "miền", "đuôi", "bằng", "là", "cụm", "chữ", "chấm", "dot", "phẩy",
    ];
    let dot = |before: &Token, after: &Token| {
        let between = &letters[before.to..after.from];
        let is_all = |c: char| between.iter().all(|letter| letter.c == c);
        let is_joint = is_all(' ') || (is_all('/') && between.len() == 1);
        (!between.is_empty() && is_joint).then_some(Dot {
            from: before.to,
            to: after.from,
            manner: Manner::Spelled,
        })
    };
    let mut dots = Vec::new();
    for three in tokens.windows(3) {
        let [first, second, third] = three else {
            continue;
        };
        let is_national = third.text == "vn"
            && matches!(second.text.as_str(), "gov" | "com" | "edu" | "org" | "net")
            && !first.is_one_of(&ABOUT);
        let is_whole = first.text == "www" && is_common_end(&third.text);
        if (is_national || is_whole)
            && let (Some(one), Some(other)) = (dot(first, second), dot(second, third))
        {
            dots.extend([one, other]);
        }
        // `dichvucong gov.vn`
        let is_name = first.text.len() >= 5
            && first.text.is_ascii()
            && !matches!(first.text.as_str(), "trang" | "website" | "domain");
        let has_dot = matches!(&letters[second.to..third.from], [sign] if sign.c == '.');
        if is_national && is_name && has_dot {
            dots.extend(dot(first, second));
        }
    }
    for (at, pair) in tokens.windows(2).enumerate() {
        let [first, second] = pair else { continue };
        dots.extend(tail(letters, tokens, at));
        // Most pairs are far longer than any service's name.
        let is_short = second.to - first.from <= 12;
        // `rebrand ly / abc`; `u to / nhỏ` is none.
        let is_stroke = |at: usize| letters.get(at).is_some_and(|sign| sign.c == '/');
        let is_wide = first.text.len() > 2
            && letters.get(second.to).is_some_and(is_blank)
            && is_stroke(second.to + 1);
        let has_path = is_short
            && (is_stroke(second.to)
                || is_wide
                || tokens
                    .get(at + 2)
                    .is_some_and(|next| next.is_one_of(&STROKES)));
        if has_path
            && is_shortener(&format!(
                "{}.{}",
                plain(letters, first),
                plain(letters, second)
            ))
        {
            dots.extend(dot(first, second));
        }
    }
    dots
}

/// `thuevinh đuôi com`, `trang thuế vinh com`: an end of names that is told as such, or said without its dot behind a word for sites.
fn tail(letters: &[Letter], tokens: &[Token], at: usize) -> Option<Dot> {
    const PLAIN: [&str; 5] = ["com", "net", "org", "info", "xyz"];
    const SITES: [&str; 5] = ["trang", "web", "website", "vào", "cập"];
    const ABOUT: [&str; 9] = [
        "đuôi", "miền", "có", "là", "như", "chấm", "hoặc", "và", "bằng",
    ];
    /// Words that lead to a site and name none.
    const GENERAL: [&str; 4] = ["website", "facebook", "internet", "youtube"];
    /// No syllable is as long.
    const LONG: usize = 8;
    /// How far before its end a name is introduced.
    const REACH: usize = 5;
    let (first, second) = (&tokens[at], &tokens[at + 1]);
    if second.text != "đuôi" && !PLAIN.contains(&second.text.as_str()) {
        return None;
    }
    let between = |one: usize, signs: &[char]| {
        let letters = letters.get(tokens[one].to..tokens.get(one + 1)?.from)?;
        letters
            .iter()
            .all(|letter| signs.contains(&letter.c))
            .then_some(())
    };
    let dot = |end: &Token| Dot {
        from: first.to,
        to: end.from,
        manner: Manner::Spelled,
    };
    // `hoantien24h`
    let length = letters[..first.to].iter().rev().take(3 * LONG);
    let length = length.take_while(|letter| letter.is_word()).count();
    let run = &letters[first.to - length..first.to];
    let is_nick = run.len() >= LONG
        && run.iter().all(|letter| letter.is_ascii)
        && !GENERAL.contains(&first.text.as_str());
    if second.text == "đuôi" && is_nick {
        between(at, &[' ', ','])?;
        let mut end = at + 2;
        while end < at + 4 && tokens.get(end)?.is_exactly_one_of(&["là", "chấm"]) {
            end += 1;
        }
        return is_common_end(&tokens.get(end)?.text).then(|| dot(&tokens[end]));
    }
    between(at, &[' '])?;
    let is_end = letters[second.from..second.to]
        .iter()
        .all(|letter| letter.is_ascii && !letter.is_upper);
    let stops = match tokens.get(at + 2) {
        None => true,
        Some(next) => {
            letters[second.to..next.from]
                .iter()
                .any(|letter| letter.c != ' ')
                || next.is_exactly_one_of(&["để", "nhé", "rồi", "là", "khi", "và", "hoặc"])
        }
    };
    let before = tokens[at.saturating_sub(REACH)..at].iter().rev();
    let mut before = before.take_while(|word| word.sentence == first.sentence);
    let is_introduced = before.any(|word| word.is_exactly_one_of(&SITES));
    (is_end
        && stops
        && is_introduced
        && !first.is_exactly_one_of(&ABOUT)
        && !first.is_exactly_one_of(&SITES))
    .then(|| dot(second))
}

/// An end of names whose letters are said one by one from `from` on, and where it ends: `xê o em`, `cờ o mờ`.
pub(super) fn spelt(letters: &[Letter], tokens: &[Token], from: usize) -> Option<(usize, String)> {
    /// More letters than this has no end that is spelt.
    const LONGEST: usize = 4;
    let first = tokens.partition_point(|token| token.from < from);
    let mut name = String::new();
    let mut end = from;
    for token in tokens[first..].iter().take(LONGEST) {
        let is_next = if name.is_empty() {
            token.from == from
        } else {
            token.from == end + 1 && letters[end].c == ' '
        };
        let letter = is_next.then(|| letter_said(&plain(letters, token)));
        let Some(letter) = letter.flatten() else {
            break;
        };
        name.push(letter);
        end = token.to;
        if name.len() > 2 && is_common_end(&name) {
            return Some((end, name));
        }
    }
    None
}

/// What a token is without its marks.
fn plain(letters: &[Letter], token: &Token) -> String {
    let letters = letters[token.from..token.to].iter();
    letters.map(|letter| letter.plain).collect()
}
