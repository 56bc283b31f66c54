//! Text as it came → composed text to read, with a way back: every byte of what is read knows where it stood.
//!
//! Decomposed letters are composed, full-width signs made plain, invisible characters taken out, and look-alikes of
//! Vietnamese letters (ð for đ, Cyrillic letters) replaced and reported. Text in the fonts of the last century (TCVN3,
//! VNI) cannot be read at all, and is reported.

use std::{borrow::Cow, ops::Range};

use unicode_normalization::{UnicodeNormalization as _, char::canonical_combining_class, is_nfc};

use super::{Change, Problem, ProblemKind};

/// Composed text and where it came from.
#[derive(Debug)]
pub(super) struct Prepared<'t> {
    /// What is read.
    pub text: Cow<'t, str>,
    /// Pairs of offsets, in what is read and in what came, at every cluster; empty when both are the same.
    map: Vec<(usize, usize)>,
}

impl Prepared<'_> {
    /// Where a stretch of what is read stood in what came.
    pub(super) fn origin(&self, range: &Range<usize>, length: usize) -> Range<usize> {
        if self.map.is_empty() {
            return range.clone();
        }
        let start = self.map.partition_point(|(at, _)| *at <= range.start);
        let end = self.map.partition_point(|(at, _)| *at < range.end);
        let start = self
            .map
            .get(start.saturating_sub(1))
            .map_or(0, |pair| pair.1);
        let end = self.map.get(end).map_or(length, |pair| pair.1);
        start..end.max(start)
    }
}

/// Letters that pass for Vietnamese ones and are others.
fn look_alike(c: char) -> Option<&'static str> {
    Some(match c {
        'ð' | 'ɖ' | 'ƌ' => "đ",
        'Ð' | 'Ɖ' | 'Ƌ' => "Đ",
        'А' => "A",
        'В' => "B",
        'с' => "c",
        'С' => "C",
        'е' => "e",
        'Е' => "E",
        'Н' => "H",
        'І' => "I",
        'К' => "K",
        'М' => "M",
        'о' | 'ο' => "o",
        'О' | 'Ο' => "O",
        'р' | 'ρ' => "p",
        'Р' | 'Ρ' => "P",
        'Т' | 'Τ' => "T",
        'у' => "y",
        'х' => "x",
        'Х' => "X",
        'і' | 'ı' => "i",
        'а' | 'ɑ' => "a",
        _ => return None,
    })
}

/// Characters that nobody sees and nobody hears.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{20e3}' | '\u{feff}' | '\u{fe0e}' | '\u{fe0f}')
        || (c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{b}' | '\u{c}' | '\u{85}'))
}

/// Full-width letters, digits and signs as East Asian keyboards write them.
fn plain(c: char) -> Option<char> {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0),
        '\u{3000}' => Some(' '),
        _ => None,
    }
}

/// Composes `text`; what was changed or is wrong is noted.
pub(super) fn prepare<'t>(
    text: &'t str,
    changes: &mut Vec<Change>,
    problems: &mut Vec<Problem>,
) -> Prepared<'t> {
    let is_plain = text.is_ascii()
        || (is_nfc(text)
            && !text
                .chars()
                .any(|c| is_invisible(c) || plain(c).is_some() || look_alike(c).is_some()));
    if is_plain
        && !text
            .bytes()
            .any(|byte| byte.is_ascii_control() && !byte.is_ascii_whitespace())
    {
        return Prepared {
            text: Cow::Borrowed(text),
            map: Vec::new(),
        };
    }
    let mut out = String::with_capacity(text.len());
    let mut map = Vec::with_capacity(text.len());
    let mut chars = text.char_indices().peekable();
    while let Some((start, first)) = chars.next() {
        let mut end = start + first.len_utf8();
        while let Some((at, next)) =
            chars.next_if(|(_, next)| canonical_combining_class(*next) != 0)
        {
            end = at + next.len_utf8();
        }
        map.push((out.len(), start));
        let cluster = &text[start..end];
        let before = out.len();
        let rule = if is_invisible(first) {
            "invisible"
        } else if let Some(meant) = look_alike(first).filter(|_| beside_latin(text, start, end)) {
            problems.push(Problem::new(ProblemKind::LookAlike, start..end, cluster));
            out.extend(meant.chars().chain(cluster.chars().skip(1)).nfc());
            "look-alike"
        } else if let Some(meant) = plain(first) {
            out.push(meant);
            "full-width"
        } else {
            out.extend(cluster.nfc());
            "compose"
        };
        let made = &out[before..];
        if made != cluster {
            note(changes, rule, start..end, cluster, made);
        }
    }
    Prepared {
        text: Cow::Owned(out),
        map,
    }
}

/// Changes of one rule that touch are one change.
fn note(changes: &mut Vec<Change>, rule: &'static str, range: Range<usize>, from: &str, to: &str) {
    if let Some(last) = changes
        .last_mut()
        .filter(|last| last.rule == rule && last.range.end == range.start)
    {
        last.range.end = range.end;
        last.from.push_str(from);
        last.to.push_str(to);
        return;
    }
    changes.push(Change {
        range,
        rule,
        from: from.to_owned(),
        to: to.to_owned(),
    });
}

/// Whether Latin letters stand on either side, or nothing but signs does: a word of Russian is not taken for Vietnamese.
fn beside_latin(text: &str, start: usize, end: usize) -> bool {
    let is_foreign = |c: char| {
        c.is_alphabetic() && ('\u{370}'..='\u{52f}').contains(&c) && look_alike(c).is_none()
    };
    let before = text[..start].chars().next_back();
    let after = text[end..].chars().next();
    !before.is_some_and(is_foreign) && !after.is_some_and(is_foreign)
}

/// The first word in an old Vietnamese font's encoding, or in UTF-8 read as something else, if the text is in one.
pub(super) fn legacy(text: &str) -> Option<Range<usize>> {
    if text.is_ascii() {
        return None;
    }
    let mut first = None;
    let mut suspects = 0;
    for word in text.split_whitespace() {
        if word.is_ascii() {
            continue;
        }
        let weight = suspicion(word);
        if weight > 0 && first.is_none() {
            let start = word.as_ptr() as usize - text.as_ptr() as usize;
            first = Some(start..start + word.len());
        }
        suspects += weight;
        if suspects >= 4 {
            return first;
        }
    }
    None
}

/// How much a word looks as if it were written for an old font: 0 not at all, 2 strongly.
fn suspicion(word: &str) -> usize {
    // Letters of Western Europe that Vietnamese does not have; VNI puts its marks there, TCVN3 whole letters.
    const WESTERN: &str = "äåæçëîïñöøûüÿÄÅÆÇËÎÏÑÖØÛÜßþÞ";
    // Signs of Latin-1 among letters: TCVN3, or UTF-8 that was read as Latin-1.
    const SIGNS: &str = "¡¢£¤¥¦§¨©ª«¬®¯±µ¶·¸¹º»¼½¾¿×÷";
    // Those that also stand beside words in good text.
    const FREE: &str = "«»©®±×÷º°§·";
    let is_plain = |c: char| c.is_ascii_alphabetic();
    let is_lead = |c: char| is_plain(c) || "ÃÂÁÄÆáâãäêìíîïóôõéè".contains(c);
    let mut chars = word.chars().peekable();
    let mut before = None::<char>;
    let mut weight = 0;
    while let Some(c) = chars.next() {
        let after = chars.peek().copied();
        let led = before.is_some_and(is_lead);
        let beside = led || after.is_some_and(is_plain);
        let inside = led && after.is_some_and(is_plain);
        let begins_word = c == '®'
            && before.is_none()
            && after.is_some_and(|next| next.is_alphabetic() || SIGNS.contains(next));
        if SIGNS.contains(c) && (inside || begins_word || (beside && !FREE.contains(c))) {
            weight = 2;
        } else if WESTERN.contains(c) && beside {
            weight = weight.max(1);
        } else if "øûïâ".contains(c) && before.is_some_and(|b| "aeouAEOUöôêâÖÔ".contains(b))
        {
            // VNI: a vowel, then its mark as a letter of its own.
            weight = weight.max(1);
        }
        before = Some(c);
    }
    weight
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prepared(text: &str) -> (String, Vec<Problem>) {
        let mut problems = Vec::new();
        let prepared = prepare(text, &mut Vec::new(), &mut problems);
        (prepared.text.into_owned(), problems)
    }

    #[test]
    fn letters_are_composed_and_lead_back() {
        let decomposed: String = "Cảnh báo lừa đảo".nfd().collect();
        let mut changes = Vec::new();
        let made = prepare(&decomposed, &mut changes, &mut Vec::new());
        assert_eq!(made.text, "Cảnh báo lừa đảo");
        let at = made.text.find("lừa").unwrap();
        let origin = made.origin(&(at..at + "lừa".len()), decomposed.len());
        assert_eq!(decomposed[origin].nfc().collect::<String>(), "lừa");
        assert_eq!(changes[0].rule, "compose");
        assert_eq!(prepared("１１３\u{200b} a\u{ad}b").0, "113 ab");
    }

    #[test]
    fn look_alikes_are_replaced_and_reported() {
        let (text, problems) = prepared("lừa ðảo tại Ðô thị, cоn");
        assert_eq!(text, "lừa đảo tại Đô thị, con");
        assert_eq!(problems.len(), 3);
        assert!(
            problems
                .iter()
                .all(|problem| problem.kind == ProblemKind::LookAlike)
        );
    }

    #[test]
    fn old_fonts_are_told() {
        for text in [
            "C¶nh b¸o lõa ®¶o qua ®iÖn tho¹i",
            "Caûnh baùo löøa ñaûo qua ñieän thoaïi",
            "Cáº£nh bÃ¡o lá»«a Ä‘áº£o",
        ] {
            assert!(legacy(text).is_some(), "{text}");
        }
        for text in [
            "Cảnh báo lừa đảo qua điện thoại",
            "Ông Müller và bà Beyoncé ở “Café”",
            "hoà, thuỷ, loá, khoẻ; 30°C ± 2, 5 m² × 3 – © loa",
            "«Bà con» chú ý · nghe",
        ] {
            assert_eq!(legacy(text), None, "{text}");
        }
    }
}
