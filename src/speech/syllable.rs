//! Vietnamese syllables: whether a word can be spoken as one, and how many a text has.
//!
//! A syllable is an onset, a rime and a tone; the lists are those of the national spelling. Both `hòa` and `hoà` are
//! good. What is no syllable is foreign, an abbreviation, or misspelt.

use std::{borrow::Borrow, collections::HashSet, hash::Hash, sync::OnceLock};

use super::lexicon;

/// Every vowel letter with its six tones: ngang, huyền, sắc, hỏi, ngã, nặng.
const TONES: [[char; 6]; 12] = [
    ['a', 'à', 'á', 'ả', 'ã', 'ạ'],
    ['ă', 'ằ', 'ắ', 'ẳ', 'ẵ', 'ặ'],
    ['â', 'ầ', 'ấ', 'ẩ', 'ẫ', 'ậ'],
    ['e', 'è', 'é', 'ẻ', 'ẽ', 'ẹ'],
    ['ê', 'ề', 'ế', 'ể', 'ễ', 'ệ'],
    ['i', 'ì', 'í', 'ỉ', 'ĩ', 'ị'],
    ['o', 'ò', 'ó', 'ỏ', 'õ', 'ọ'],
    ['ô', 'ồ', 'ố', 'ổ', 'ỗ', 'ộ'],
    ['ơ', 'ờ', 'ớ', 'ở', 'ỡ', 'ợ'],
    ['u', 'ù', 'ú', 'ủ', 'ũ', 'ụ'],
    ['ư', 'ừ', 'ứ', 'ử', 'ữ', 'ự'],
    ['y', 'ỳ', 'ý', 'ỷ', 'ỹ', 'ỵ'],
];

/// Longest first.
const ONSETS: &[&str] = &[
    "ngh", "ng", "nh", "ch", "gh", "gi", "kh", "ph", "qu", "th", "tr", "b", "c", "d", "đ", "g",
    "h", "k", "l", "m", "n", "p", "r", "s", "t", "v", "x", "",
];

/// Rimes without their tone.
const RIMES: &str = " a ai ao au ay ac ach am an ang anh ap at ăc ăm ăn ăng ăp ăt âc âm ân âng âp ât âu ây \
e ec em en eng eo ep et ê êch êm ên ênh êp êt êu êng \
i ia ich im in inh ip it iu iêc iêm iên iêng iêp iêt iêu \
o oa oac oach oai oam oan oang oanh oao oap oat oay oăc oăm oăn oăng oăt oc oe oen oeo oet oem oi om on ong op ot ooc oong \
ô ôc ôi ôm ôn ông ôp ôt ơ ơi ơm ơn ơp ơt ơng \
u ua uân uâng uât uây uc uê uêch uênh uêt uên ui um un ung uôc uôi uôm uôn uông uôt up ut uơ uơt uy uya uych uyên uyêt uynh uyt uyu uyp uyn \
ư ưa ưc ưi ưm ưng ưt ưu ưn ươc ươi ươm ươn ương ươp ươt ươu \
y yêm yên yêng yêt yêu ynh ych yt ";

fn rimes() -> &'static HashSet<&'static str> {
    static KNOWN: OnceLock<HashSet<&'static str>> = OnceLock::new();
    KNOWN.get_or_init(|| RIMES.split_ascii_whitespace().collect())
}

/// The letter without its tone, and the tone's number.
fn split(letter: char) -> (char, usize) {
    if letter.is_ascii() {
        return (letter, 0);
    }
    TONES
        .iter()
        .find_map(|row| {
            let tone = row.iter().position(|toned| *toned == letter)?;
            Some((row[0], tone))
        })
        .unwrap_or((letter, 0))
}

/// Whether `word`, in small letters, can be spoken as one Vietnamese syllable.
pub(super) fn is_syllable(word: &str) -> bool {
    // The longest has seven letters: nghiêng.
    let mut plain = String::with_capacity(word.len());
    let mut tone = 0;
    let mut before = None;
    for (count, letter) in word.chars().enumerate() {
        let (base, its) = split(letter);
        if count > 7 || (its > 0 && tone > 0) {
            return false;
        }
        // The mark of ươ, iê, yê and uô stands on the second letter: người, not ngừơi.
        let is_late = matches!(
            (before, base),
            (Some(('ư', 1..)), 'ơ') | (Some(('i' | 'y', 1..)), 'ê') | (Some(('u', 1..)), 'ô' | 'â')
        );
        if is_late {
            return false;
        }
        tone = tone.max(its);
        before = Some((base, its));
        plain.push(base);
    }
    let fits = is_built(&plain, rimes());
    // A stopped syllable has the tone sắc or nặng.
    let is_stopped = ["c", "ch", "p", "t"]
        .iter()
        .any(|coda| plain.ends_with(coda));
    fits && (!is_stopped || matches!(tone, 2 | 5))
}

/// Whether `word`, in small letters, is what is left of a syllable whose marks were not typed: `thuc` of `thực`, `nguoi` of
/// `người`. Syllables that have no marks are such words, too.
pub(super) fn is_bare(word: &str) -> bool {
    static KNOWN: OnceLock<HashSet<String>> = OnceLock::new();
    let bare = KNOWN.get_or_init(|| {
        let unmarked = |letter| match letter {
            'ă' | 'â' => 'a',
            'ê' => 'e',
            'ô' | 'ơ' => 'o',
            'ư' => 'u',
            _ => letter,
        };
        let rimes = RIMES.split_ascii_whitespace();
        rimes
            .map(|rime| rime.chars().map(unmarked).collect())
            .collect()
    });
    is_built(word, bare)
}

/// Whether a word without its tone is an onset and one of `rimes`.
fn is_built<T: Borrow<str> + Eq + Hash>(plain: &str, rimes: &HashSet<T>) -> bool {
    let is_rime = |rime: &str| rimes.contains(rime);
    ONSETS.iter().any(|onset| {
        plain.strip_prefix(onset).is_some_and(|rime| {
            is_rime(rime)
                // The u of qu belongs to the rime: quốc, quyết.
                || (*onset == "qu" && is_rime(&format!("u{rime}")))
                // gì, gìn, giếng: the i is both.
                || (*onset == "gi" && (rime.is_empty() || is_rime(&format!("i{rime}"))))
        })
    })
}

/// How many syllables are heard when `text` is read: words by white space and hyphens, foreign words by their vowels.
#[must_use]
pub fn syllables(text: &str) -> usize {
    text.split(|c: char| {
        !(c.is_alphanumeric() || unicode_normalization::char::is_combining_mark(c))
    })
    .filter(|word| !word.is_empty())
    .map(of_word)
    .sum()
}

fn of_word(word: &str) -> usize {
    if word.bytes().all(|byte| byte.is_ascii_digit()) {
        return word.len();
    }
    let lower = word.to_lowercase();
    if is_syllable(&lower) {
        return 1;
    }
    if let Some(letters) = lexicon::consonants(&lower) {
        return letters;
    }
    let mut count = 0;
    let mut before = false;
    for letter in lower.chars() {
        let is_vowel = "aăâeêioôơuưy".contains(split(letter).0);
        count += usize::from(is_vowel && !before);
        before = is_vowel;
    }
    // A silent e: Google, Chrome, Skype.
    let is_silent = count > 1 && lower.ends_with('e') && !lower.ends_with("ee");
    (count - usize::from(is_silent)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_syllables() {
        for word in "cảnh báo lừa đảo nghiêng quốc quyết khuya hòa hoà thủy thuỷ gì giếng giữa yêu ý quý kỹ mỹ xoong \
            khoăm huỳnh nguyễn quỳnh loa loá ngoằn ngoèo uỷ ủy ban pin sim o ê ô ê ti vi điện thoại hươu nghệ tĩnh"
            .split_whitespace()
        {
            assert!(is_syllable(word), "{word}");
        }
    }

    #[test]
    fn not_syllables() {
        for word in
            "dich cat facebook ubnd otp zalo ngừơi đươngf xyz thuơng nghệan hàạ đ b gov vn tphcm"
                .split_whitespace()
        {
            assert!(!is_syllable(word), "{word}");
        }
    }

    #[test]
    fn words_without_their_marks() {
        for word in
            "khong cung cap ma xac thuc cho nguoi duoc chuyen quyet gieng nghieng dien thoai di"
                .split_whitespace()
        {
            assert!(is_bare(word), "{word}");
        }
        for word in "facebook ubnd zalo xyz được gov click download".split_whitespace() {
            assert!(!is_bare(word), "{word}");
        }
    }

    #[test]
    fn syllables_are_counted() {
        for (text, count) in [
            ("", 0),
            ("Kính thưa bà con!", 4),
            ("ki-lô-mét", 3),
            ("Zalo, Facebook và Telegram", 2 + 3 + 1 + 3),
            ("… – “”", 0),
        ] {
            assert_eq!(syllables(text), count, "{text}");
        }
    }
}
