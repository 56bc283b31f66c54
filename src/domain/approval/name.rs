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

/// What stands before a name without being part of it, word by word, folded.
const TITLES: [&str; 24] = [
    "ông", "bà", "anh", "chị", "cô", "chú", "đồng", "chí", "đ", "c", "đc", "ts", "ths", "bs", "gs",
    "pgs", "ks", "kts", "ls", "cn", "tiến", "thạc", "bác", "sĩ",
];

/// Whether a text that says who wrote something may name `person`: it is the name, or holds all of it in order as whole words,
/// whatever stands around it (a title, an office in brackets, another person) and whichever marks are between the words. Words
/// before the last may be shortened (*Ng. Văn An*). Where the text says less than `person` does, titles and offices on that side
/// do not count either. Names of one word are compared as a whole only.
#[must_use]
pub fn may_name(text: &str, person: &str) -> bool {
    may_be_same(text, person)
        || holds(&words(text), &core(person))
        || holds(&words(person), &core(text))
}

/// A word of a name, and whether it is shortened.
type Word = (String, bool);

/// The words of a text, folded. A full stop after one says that it is shortened.
fn words(text: &str) -> Vec<Word> {
    let visible: String = text.nfkd().filter(|c| !is_invisible(*c)).nfc().collect();
    let mut words: Vec<Word> = Vec::new();
    let mut word = String::new();
    for c in visible.chars().chain([' ']) {
        if c.is_alphanumeric() || matches!(u32::from(c), 0x300..=0x36f) {
            word.push(c);
        } else if !word.is_empty() {
            words.push((fold_name(&word), c == '.'));
            word.clear();
        }
    }
    words
}

/// A text without what stands in brackets.
fn outside(text: &str) -> String {
    let mut depth = 0_usize;
    let keep = |c: char| {
        depth += usize::from(matches!(c, '(' | '[' | '（'));
        let is_outside = depth == 0;
        if matches!(c, ')' | ']' | '）') {
            depth = depth.saturating_sub(1);
        }
        if is_outside { c } else { ' ' }
    };
    text.chars().map(keep).collect()
}

/// The words of a name alone: without what stands in brackets, and without titles.
fn core(name: &str) -> Vec<Word> {
    let outside = outside(name);
    let words = words(&outside);
    let titles: Vec<String> = TITLES.iter().map(|title| fold_name(title)).collect();
    let before = words
        .iter()
        .take_while(|(word, _)| titles.contains(word))
        .count();
    // A name may begin like a title; somebody is left in any case.
    let first = before.min(words.len().saturating_sub(2));
    words[first..].to_vec()
}

/// Whether `text` holds the whole of `name`.
fn holds(text: &[Word], name: &[Word]) -> bool {
    if name.len() < 2 {
        return false;
    }
    let last = name.len() - 1;
    let joined = |words: &[&str]| words.join(" ");
    text.windows(name.len()).any(|window| {
        let both = window.iter().zip(name).enumerate();
        let filled: Vec<(&str, &str)> = both
            .map(
                |(index, ((ours, is_ours_short), (theirs, is_theirs_short)))| {
                    let begins = |whole: &str, short: &str| bare(whole).starts_with(&bare(short));
                    if index < last && *is_ours_short && begins(theirs, ours) {
                        (theirs.as_str(), theirs.as_str())
                    } else if index < last && *is_theirs_short && begins(ours, theirs) {
                        (ours.as_str(), ours.as_str())
                    } else {
                        (ours.as_str(), theirs.as_str())
                    }
                },
            )
            .collect();
        let (ours, theirs): (Vec<&str>, Vec<&str>) = filled.into_iter().unzip();
        may_be_same(&joined(&ours), &joined(&theirs))
    })
}

/// Whether a text names two people where one belongs: both sides of a comma, a semicolon, an ampersand or a word for *and* are as
/// long as a name. What is longer is an office's.
#[must_use]
pub fn names_two(text: &str) -> bool {
    let text: String = outside(text).nfc().collect();
    let parted = text.split_whitespace().map(|word| match word {
        "và" => ";",
        word => word,
    });
    let parted = parted.collect::<Vec<_>>().join(" ");
    let full = |part: &&str| (2..=5).contains(&core(part).len());
    parted.split([',', ';', '&']).filter(full).count() >= 2
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

    #[test]
    fn whoever_is_named_among_other_words_is_named() {
        let an = "Nguyễn Văn An";
        for text in [
            an,
            "Ông Nguyễn Văn An",
            "Nguyễn Văn An (Trưởng phòng)",
            "Ng. Văn An",
            "N.V. An",
            "Nguyễn Văn An.",
            "Nguyễn-Văn-An",
            "NGUYỄN  VĂN\u{a0}AN – Phòng Văn hóa",
            "Nguyễn Văn An, Trần Văn Bình",
            "Trần Văn Bình và Nguyễn Văn An",
            "Nguyen Van An (VHXH)",
            "Đ/c Nguyễn Văn An",
        ] {
            for person in [
                an,
                "Ông Nguyễn Văn An",
                "Đồng chí Nguyễn Văn An (Phó chủ tịch)",
            ] {
                assert!(may_name(text, person), "{text:?} {person:?}");
                assert!(
                    may_name(person, text) || text.contains("Bình"),
                    "{text:?} {person:?}"
                );
            }
        }
        for text in [
            "Nguyễn Văn Ân",
            "Ông Nguyễn Văn Anh",
            "Nguyễn Văn Anh.",
            "Nguyễn Thị An (Trưởng phòng)",
            "Trần Văn Bình",
            "T. Văn An",
            "Văn phòng",
            "An",
        ] {
            assert!(!may_name(text, an), "{text:?}");
        }
    }

    #[test]
    fn two_people_in_one_place() {
        for two in [
            "Nguyễn Văn An, Trần Văn Bình",
            "Nguyễn Văn An và Trần Bình",
            "Nguyễn Văn An; Trần Văn Bình",
            "Nguyễn Văn An & Trần Văn Bình",
        ] {
            assert!(names_two(two), "{two}");
        }
        for one in [
            "Nguyễn Văn An",
            "Ông Nguyễn Văn An",
            "Nguyễn Văn An (Trưởng phòng, thường trực)",
            "Nguyễn Văn Và",
            "Tổ biên tập Trung tâm Văn hóa - Thể thao và Truyền thông Thành phố",
        ] {
            assert!(!names_two(one), "{one}");
        }
    }
}
