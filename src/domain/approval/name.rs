//! Names of people: the same person however the name is typed.

use unicode_normalization::UnicodeNormalization as _;

/// Vietnamese tone marks: grave, acute, tilde, hook above, dot below. The other marks make other letters.
const TONES: [char; 5] = ['\u{300}', '\u{301}', '\u{303}', '\u{309}', '\u{323}'];

/// What can be seen of a name, in one spelling: composed or not, in any letter case, with any spaces, and with the tone on
/// either vowel (*Hoà*, *Hòa*). Names that differ in a letter or a tone stay apart: *An* and *Ân* are two people.
#[must_use]
pub fn fold_name(name: &str) -> String {
    let visible: String = name
        .nfkd()
        .map(|c| if is_space(c) { ' ' } else { c })
        .filter(|c| !is_invisible(*c))
        .collect();
    let words = visible.split_whitespace().map(|word| {
        let lower = word.to_lowercase();
        let letters: String = lower.nfd().filter(|c| !TONES.contains(c)).collect();
        // The tone belongs to the word; where in it the mark stands is a matter of style.
        let mut tones: Vec<char> = lower.nfd().filter(|c| TONES.contains(c)).collect();
        tones.sort_unstable();
        letters.nfc().chain(tones).collect::<String>()
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Whether two names may be one person's: the same by [`fold_name`], or one of them is typed without any marks, as on a
/// keyboard that has none, and the letters are the same. Where one may not count twice, or not judge the own words, doubt counts against.
#[must_use]
pub fn may_be_same(one: &str, other: &str) -> bool {
    let (one, other) = (fold_name(one), fold_name(other));
    let (bare_one, bare_other) = (bare(&one), bare(&other));
    one == other || (bare_one == bare_other && (one == bare_one || other == bare_other))
}

/// A folded name without marks.
fn bare(folded: &str) -> String {
    folded
        .nfd()
        .filter(|c| !matches!(u32::from(*c), 0x300..=0x36f))
        .map(|c| if c == 'đ' { 'd' } else { c })
        .collect()
}

/// Whether a text can be a person's name: at least two letters, all of them Latin. Letters of other scripts that look the
/// same would make one person look like two.
#[must_use]
pub fn is_name(name: &str) -> bool {
    let folded = fold_name(name);
    let mut letters = folded.chars().filter(|c| c.is_alphabetic()).peekable();
    letters.peek().is_some()
        && folded.chars().filter(|c| c.is_alphabetic()).count() >= 2
        && letters.all(
            |c| matches!(u32::from(c), 0x41..=0x7a | 0xaa..=0x24f | 0x300..=0x36f | 0x1e00..=0x1eff),
        )
}

fn is_space(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{2800}' | '\u{3164}' | '\u{180e}')
}

/// What takes no place: zero-width characters, soft hyphens, marks of direction, variation selectors.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(u32::from(c), 0xad | 0x34f | 0x61c | 0x200b..=0x200f | 0x202a..=0x202e | 0x2060..=0x206f
            | 0xfe00..=0xfe0f | 0xfeff | 0xe0000..=0xe0fff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_person_however_typed() {
        let same = [
            "Nguyễn Thị Hòa",
            "nguyễn thị hòa",
            "NGUYỄN THỊ HÒA",
            "Nguyễn Thị Hoà",
            "  Nguyễn\u{a0} Thị   Hòa ",
            "Nguye\u{302}\u{303}n Thi\u{323} Ho\u{300}a",
            "Nguyễn\u{200b} Thị\tHò\u{ad}a",
            "Ｎguyễn Thị Hòa",
        ];
        for name in same {
            assert_eq!(fold_name(name), fold_name(same[0]), "{name:?}");
            assert!(is_name(name), "{name:?}");
        }
    }

    #[test]
    fn others_are_others() {
        let others = [
            "Nguyễn Văn An",
            "Nguyễn Văn Ân",
            "Nguyễn Văn Ấn",
            "Nguyên Văn An",
            "Nguyễn An Văn",
            "Đặng Văn An",
            "Dặng Văn An",
        ];
        for (index, one) in others.iter().enumerate() {
            for other in &others[index + 1..] {
                assert_ne!(fold_name(one), fold_name(other), "{one} {other}");
                assert!(!may_be_same(one, other), "{one} {other}");
            }
        }
    }

    #[test]
    fn a_name_typed_without_marks_may_be_anybodys_with_these_letters() {
        for bare in ["Dang Van An", "DANG  VAN AN"] {
            assert!(may_be_same("Đặng Văn Ân", bare) && may_be_same(bare, "Đặng Văn An"));
            assert!(!may_be_same("Đặng Văn Anh", bare));
        }
        // Some marks are enough to tell people apart.
        assert!(!may_be_same("Đặng Văn Ân", "Đặng Văn An"));
    }

    #[test]
    fn letters_of_other_scripts_are_no_name() {
        // The first letter is Cyrillic.
        assert!(!is_name("\u{410}n Thị Hòa"));
        for no in ["", " ", "\u{200b}", "A", "123", "Α\u{3b1}"] {
            assert!(!is_name(no), "{no:?}");
        }
        for yes in ["An", "Y Bích", "Đỗ Ơn", "D. Müller"] {
            assert!(is_name(yes), "{yes}");
        }
    }
}
