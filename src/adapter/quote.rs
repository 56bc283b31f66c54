//! What a record may hold of what receivers say: nothing that they were told in confidence.

use std::{borrow::Cow, fmt::Write as _};

use base64::{
    Engine, alphabet,
    engine::{
        DecodePaddingMode,
        general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD_NO_PAD, URL_SAFE_NO_PAD},
    },
};

use crate::domain::secret::Secret;

/// What stands in the place of a secret.
const BLACK: &str = "***";

/// `text` with every secret in it replaced, also where it is written as an address, a form or JSON writes it, in base64 or in
/// hexadecimal digits: a receiver that repeats what it was called by repeats it so. Secrets of fewer than four letters stay: they would black out ordinary words.
#[must_use]
pub fn redact<'t>(text: &'t str, secrets: &[Secret]) -> Cow<'t, str> {
    let mut text = Cow::Borrowed(text);
    for secret in secrets
        .iter()
        .map(Secret::expose)
        .filter(|secret| secret.len() >= 4)
    {
        // First what is longer than the secret itself: some hold signs that are an escape's beginning.
        if text.contains(['%', '\\', '+'])
            && let Some(black) = redact_written(&text, secret)
        {
            text = Cow::Owned(black);
        }
        if text.contains(secret) {
            text = Cow::Owned(text.replace(secret, BLACK));
        }
        // What is shorter than any of these forms holds none.
        if text.len() > secret.len() {
            for coded in coded(secret) {
                if text.contains(&coded) {
                    text = Cow::Owned(text.replace(&coded, BLACK));
                }
            }
        }
    }
    match redact_packed(&text, secrets) {
        Some(black) => Cow::Owned(black),
        None => text,
    }
}

/// A secret as templates may code it. Padding stays behind.
fn coded(secret: &str) -> [String; 6] {
    let mut hex = String::with_capacity(secret.len() * 2);
    for byte in secret.bytes() {
        let _ = write!(hex, "{byte:02x}");
    }
    let mut wide = String::with_capacity(secret.len() * 4);
    for unit in secret.encode_utf16() {
        let _ = write!(wide, "{unit:04x}");
    }
    [
        STANDARD_NO_PAD.encode(secret),
        URL_SAFE_NO_PAD.encode(secret),
        hex.to_ascii_uppercase(),
        hex,
        wide.to_ascii_uppercase(),
        wide,
    ]
}

/// Whatever stands at the end of a word in base64, and whether it was padded.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// `text` without those words in which a secret is packed as base64 among other letters, such as an account's name before its
/// password; `None` where there is none.
fn redact_packed(text: &str, secrets: &[Secret]) -> Option<String> {
    let secrets = secrets.iter().map(Secret::expose);
    let secrets: Vec<&str> = secrets.filter(|secret| secret.len() >= 4).collect();
    let least = secrets.iter().map(|secret| secret.len()).min()? * 4 / 3;
    let is_packed = |c: char| c.is_ascii_alphanumeric() || "+/-_".contains(c);
    let shows = |word: &str| {
        let word = word.replace('-', "+").replace('_', "/");
        // What stands before it may be of the same letters.
        (0..4.min(word.len())).any(|from| {
            let rest = &word[from..];
            let rest = &rest[..rest.len() - usize::from(rest.len() % 4 == 1)];
            let packed = LENIENT.decode(rest).unwrap_or_default();
            let holds = |secret: &&str| {
                let secret = secret.as_bytes();
                packed.windows(secret.len()).any(|part| part == secret)
            };
            secrets.iter().any(holds)
        })
    };
    let mut black = String::new();
    let mut is_found = false;
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c| !is_packed(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        if word.len() >= least && shows(word) {
            black.push_str(BLACK);
            is_found = true;
        } else {
            black.push_str(word);
        }
        let end = after.find(is_packed).unwrap_or(after.len());
        black.push_str(&after[..end]);
        rest = &after[end..];
    }
    is_found.then_some(black)
}

/// The same for a secret that is written with escapes; `None` where there is none.
fn redact_written(text: &str, secret: &str) -> Option<String> {
    let mut black = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (kept, after) = match written(rest.as_bytes(), secret.as_bytes()) {
            Some(length) => (BLACK, length),
            None => (&rest[..first.len_utf8()], first.len_utf8()),
        };
        black.push_str(kept);
        rest = &rest[after..];
    }
    (black != text).then_some(black)
}

/// How many bytes at the beginning of `text` are `secret`, each byte of it as it is, as `%XX`, as `+` for a blank, or behind a
/// backslash.
fn written(text: &[u8], secret: &[u8]) -> Option<usize> {
    let mut at = 0;
    for byte in secret {
        at += match &text[at..] {
            [b'%', high, low, ..] if hex(*high).zip(hex(*low)) == Some((byte >> 4, byte & 15)) => 3,
            [b'\\', one, ..] if one == byte => 2,
            [b'+', ..] if *byte == b' ' => 1,
            [one, ..] if one == byte => 1,
            _ => return None,
        };
    }
    Some(at)
}

fn hex(digit: u8) -> Option<u8> {
    let value = char::from(digit).to_digit(16)?;
    u8::try_from(value).ok()
}

/// What a receiver says of itself, as a record may hold it: without `secrets`, and at most `most` characters.
#[must_use]
pub fn quote(said: &str, secrets: &[Secret], most: usize) -> String {
    // Redacted before it is cut: half a secret is still half a secret.
    redact(said.trim(), secrets).chars().take(most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_blacked_out_however_it_is_written() {
        let secrets = ["xin=1/ñ 2", "abc", "100%25"].map(|text| Secret::new(text.to_owned()));
        for (text, black) in [
            ("a xin=1/ñ 2 b", "a *** b"),
            ("GET /?a=xin%3D1%2F%c3%B1+2&b", "GET /?a=***&b"),
            ("%78in%3d1/ñ%202", "***"),
            (r#"{"a":"xin=1\/ñ 2"}"#, r#"{"a":"***"}"#),
            ("100%25 100%2525", "*** ***"),
            ("Key eGluPTEvw7EgMg== no", "Key ***== no"),
            ("78696e3d312fc3b12032 78696E3D312FC3B12032", "*** ***"),
            ("x 00780069006E003D0031002F00F100200032 y", "x *** y"),
            // `loa:`, `lo:` and `l:` before it, and a path before those.
            ("bG9hOnhpbj0xL8OxIDI= a", "***= a"),
            ("bG86eGluPTEvw7EgMg a", "bG86*** a"),
            ("/v1/bDp4aW49MS_DsSAy a", "*** a"),
        ] {
            assert_eq!(redact(text, &secrets), black);
        }
        for text in ["", "xin%3D1%2F", "xin=1/ñ", "abc 50% 1+1 \\", "ñ%c3%b1%"] {
            assert!(matches!(redact(text, &secrets), Cow::Borrowed(same) if same == text));
        }
    }
}
