//! Filters about words and times.

use std::{borrow::Cow, fmt::Write};

use chrono::{DateTime, Utc, format::StrftimeItems};
use chrono_tz::Tz;
use tera::{Error, Kwargs, State, Tera, TeraResult, Value};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use super::text;

/// The references that HTML and XML share, and the blank that pages are full of.
const REFERENCES: [(&str, char); 6] = [
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("nbsp", '\u{a0}'),
];

/// The longest reference that is looked for, in bytes.
const LONGEST: usize = 10;

/// Makes the filters known to `tera`.
pub(super) fn register(tera: &mut Tera) {
    tera.register_filter("unaccent", |value: &Value, _: Kwargs, _: &State<'_>| {
        Ok::<_, Error>(unaccent(&text(value)?))
    });
    tera.register_filter("ascii", |value: &Value, _: Kwargs, _: &State<'_>| {
        Ok::<_, Error>(ascii(&text(value)?))
    });
    tera.register_filter("unescape", |value: &Value, _: Kwargs, _: &State<'_>| {
        Ok::<_, Error>(unescape(&text(value)?).into_owned())
    });
    tera.register_filter("date", |value: &Value, given: Kwargs, _: &State<'_>| {
        let zone = given.get::<&str>("zone")?.unwrap_or("Asia/Ho_Chi_Minh");
        date(&text(value)?, given.must_get("format")?, zone)
    });
}

/// The text without tone and vowel marks, `đ` as `d`: for receivers that have no Vietnamese letters.
fn unaccent(text: &str) -> String {
    let bare = text.nfd().filter(|letter| !is_combining_mark(*letter));
    // Composed again, for other scripts come apart as well.
    bare.nfc()
        .map(|letter| match letter {
            'đ' => 'd',
            'Đ' => 'D',
            other => other,
        })
        .collect()
}

/// Letters and signs with a plain form that no decomposition gives. The backquote is ASCII, but not in the alphabet of text messages.
const PLAIN: [(&str, &str); 38] = [
    ("‐‑‒–—―⸺⸻−⁃•·∙●○◦▪▫■□◆◇▶►‣➤", "-"),
    ("‘’‚‛′‹›`ʼ", "'"),
    ("“”„‟″«»", "\""),
    ("đð", "d"),
    ("ĐÐ", "D"),
    ("₫", "d"),
    ("€", "EUR"),
    ("£", "GBP"),
    ("¥", "JPY"),
    ("ß", "ss"),
    ("æ", "ae"),
    ("Æ", "AE"),
    ("œ", "oe"),
    ("Œ", "OE"),
    ("ø", "o"),
    ("Ø", "O"),
    ("ł", "l"),
    ("Ł", "L"),
    ("ı", "i"),
    ("þ", "th"),
    ("Þ", "Th"),
    ("×", "x"),
    ("÷⁄∕", "/"),
    ("→⇒➔➜", "->"),
    ("←⇐", "<-"),
    ("↔⇔", "<->"),
    ("≤", "<="),
    ("≥", ">="),
    ("≠", "!="),
    ("≈", "~"),
    ("±", "+-"),
    ("©", "(c)"),
    ("®", "(R)"),
    ("⚠❗❕", "!"),
    ("❓❔", "?"),
    ("、", ","),
    ("。", "."),
    ("\u{2028}\u{2029}\u{85}", "\n"),
];

/// The text in ASCII: letters without their marks, typographic signs in their plain forms (`–` as `-`, `“` as `"`, `…` as `...`), and
/// nothing in place of what has none.
fn ascii(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    // What a letter or a sign is put together from comes apart, `…` and full-width letters among it.
    for letter in text.chars().flat_map(apart) {
        if let Some((_, form)) = PLAIN.iter().find(|(letters, _)| letters.contains(letter)) {
            plain.push_str(form);
        } else if letter.is_ascii_control() && !"\n\r\t".contains(letter) {
        } else if letter.is_ascii() {
            plain.push(letter);
        } else if letter.is_whitespace() {
            plain.push(' ');
        }
    }
    plain
}

/// What a letter is put together from. Marks that stand alone are put together with a blank, which is nothing of a text's.
fn apart(letter: char) -> impl Iterator<Item = char> {
    let is_mark = "´¨¯¸˘˙˚˛˜˝".contains(letter);
    std::iter::once(letter).filter(move |_| !is_mark).nfkd()
}

/// The text with the references of HTML and XML resolved (`&amp;`, `&#39;`); one that is not known stays as it is.
fn unescape(text: &str) -> Cow<'_, str> {
    let Some((before, rest)) = text.split_once('&') else {
        return Cow::Borrowed(text);
    };
    let mut plain = before.to_owned();
    for part in rest.split('&') {
        let end = part.bytes().take(LONGEST).position(|byte| byte == b';');
        let resolved = end.and_then(|end| Some((reference(&part[..end])?, &part[end + 1..])));
        if let Some((letter, after)) = resolved {
            plain.push(letter);
            plain.push_str(after);
        } else {
            plain.push('&');
            plain.push_str(part);
        }
    }
    Cow::Owned(plain)
}

fn reference(name: &str) -> Option<char> {
    let Some(number) = name.strip_prefix('#') else {
        let known = REFERENCES.iter().find(|(known, _)| *known == name);
        return known.map(|(_, letter)| *letter);
    };
    let code = match number.strip_prefix(['x', 'X']) {
        Some(digits) => u32::from_str_radix(digits, 16).ok()?,
        None => number.parse().ok()?,
    };
    char::from_u32(code)
}

/// An instant (RFC 3339) as `format` says, on the clocks of `zone`.
fn date(instant: &str, format: &str, zone: &str) -> TeraResult<String> {
    let at = DateTime::parse_from_rfc3339(instant)
        .map_err(|_| Error::message("`date` wants a time in RFC 3339, such as message.due"))?;
    let zone: Tz = zone.parse().map_err(|_| {
        Error::message("`zone` is the name of a zone, such as Asia/Ho_Chi_Minh or UTC")
    })?;
    let wrong = || Error::message("`format` is written as in strftime, such as %Y%m%d%H%M%S");
    let items = StrftimeItems::new(format).parse().map_err(|_| wrong())?;
    let mut written = String::new();
    let local = at.with_timezone(&Utc).with_timezone(&zone);
    write!(written, "{}", local.format_with_items(items.iter())).map_err(|_| wrong())?;
    Ok(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_taken_off_and_nothing_else() {
        assert_eq!(
            unaccent("Đề phòng lừa đảo: ĐƯỜNG dây “nóng”, 한글 ỹ"),
            "De phong lua dao: DUONG day “nong”, 한글 y"
        );
        assert_eq!(unaccent("e\u{302}\u{301}"), "e");
    }

    #[test]
    fn signs_get_their_plain_forms() {
        for (text, plain) in [
            (
                "Đề phòng lừa đảo – “nóng”…",
                "De phong lua dao - \"nong\"...",
            ),
            ("• 1.200.000₫ 😀 ‘a’ — b", "- 1.200.000d  'a' - b"),
            ("⚠️ ½ №5 ™ ﬁ Ａ！ 38℃ x²", "! 1/2 No5 TM fi A! 38C x2"),
            ("a\u{a0}b\u{202f}c\u{2009}d\u{200b}e\u{feff}", "a b c de"),
            ("a\u{7}\u{0}b\nc\td\r\u{2028}", "ab\nc\td\r\n"),
            ("e\u{302}\u{301} ´ 한글 ß→Œ `x`", "e   ss->OE 'x'"),
            ("@£$[]{}\\^~|", "@GBP$[]{}\\^~|"),
        ] {
            assert_eq!(ascii(text), plain, "{text}");
        }
    }

    proptest::proptest! {
        /// A gateway that takes nothing else gets nothing else, whatever the words.
        #[test]
        fn what_comes_out_is_ascii(text in "\\PC{0,40}|[\\x00-\\u{10ffff}]{0,40}|[àảãáạăâđêôơưý–—“”…•₫]{0,40}") {
            let plain = ascii(&text);
            proptest::prop_assert!(plain.is_ascii(), "{plain}");
            proptest::prop_assert!(!plain.contains('`'));
            let stays = |letter: char| letter.is_ascii_alphanumeric() || " \n.,:;!?()-'\"/".contains(letter);
            if text.chars().all(stays) {
                proptest::prop_assert_eq!(&plain, &text);
            }
            // What is plain stays as it is.
            proptest::prop_assert_eq!(ascii(&plain), plain);
        }
    }

    #[test]
    fn references_are_resolved_once() {
        for (text, plain) in [
            ("a&amp;b&#39;c&#x1EA1;&lt;", "a&b'cạ<"),
            (
                "&amp;amp; &khong; &; & &#; &#55555555; &#xD800;",
                "&amp; &khong; &; & &#; &#55555555; &#xD800;",
            ),
            ("&ạ;&", "&ạ;&"),
            ("", ""),
        ] {
            assert_eq!(unescape(text), plain);
        }
    }

    #[test]
    fn times_are_local_unless_a_zone_is_named() {
        let at = "2024-12-31T17:30:00.5Z";
        let written = |format, zone| date(at, format, zone).ok();
        assert_eq!(
            written("%Y%m%d%H%M%S", "Asia/Ho_Chi_Minh").as_deref(),
            Some("20250101003000")
        );
        assert_eq!(
            written("%Y-%m-%dT%H:%M:%SZ", "UTC").as_deref(),
            Some("2024-12-31T17:30:00Z")
        );
        assert_eq!(written("%Q", "UTC"), None);
        assert_eq!(written("%Y", "Vinh"), None);
        assert_eq!(date("hôm qua", "%Y", "UTC").ok(), None);
    }
}
