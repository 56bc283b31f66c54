//! Filters about bytes: how they are written, and what is made of them for signatures.
//!
//! Templates know texts only, so bytes that are no text are written in hexadecimal digits or base64, and every filter here can be told
//! by `from` that it is given such a writing. Hexadecimal digits can be joined: `(a | hex) ~ (b | hex)` are the bytes of both.

use std::borrow::Cow;

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use tera::{Error, Kwargs, State, Tera, TeraResult, Value};

use super::{hex, text};

/// Makes the filters known to `tera`.
pub(super) fn register(tera: &mut Tera) {
    tera.register_filter("hex", |value: &Value, given: Kwargs, _: &State<'_>| {
        Ok::<_, Error>(hex(&input(value, &given)?))
    });
    tera.register_filter("base64", |value: &Value, given: Kwargs, _: &State<'_>| {
        Ok::<_, Error>(STANDARD.encode(input(value, &given)?))
    });
    tera.register_filter(
        "base64url",
        |value: &Value, given: Kwargs, _: &State<'_>| {
            Ok::<_, Error>(URL_SAFE_NO_PAD.encode(input(value, &given)?))
        },
    );
    tera.register_filter("decode", |value: &Value, given: Kwargs, _: &State<'_>| {
        given.must_get::<&str>("from")?;
        String::from_utf8(input(value, &given)?.into_owned())
            .map_err(|_| Error::message("what is decoded is no text in UTF-8"))
    });
    tera.register_filter(
        "utf16_hex",
        |value: &Value, given: Kwargs, _: &State<'_>| utf16_hex(&text(value)?, &given),
    );
    // MD5 and SHA-1 are weak, and what many a vendor's interface signs with all the same.
    digest::<Md5>(tera, "md5");
    digest::<Sha1>(tera, "sha1");
    digest::<Sha256>(tera, "sha256");
    digest::<Sha512>(tera, "sha512");
    sealed::<Hmac<Sha1>>(tera, "hmac_sha1");
    sealed::<Hmac<Sha256>>(tera, "hmac_sha256");
    sealed::<Hmac<Sha512>>(tera, "hmac_sha512");
}

fn digest<D: Digest + 'static>(tera: &mut Tera, name: &'static str) {
    tera.register_filter(name, |value: &Value, given: Kwargs, _: &State<'_>| {
        encoded(&D::digest(input(value, &given)?), &given)
    });
}

fn sealed<M: Mac + KeyInit + 'static>(tera: &mut Tera, name: &'static str) {
    tera.register_filter(name, |value: &Value, given: Kwargs, _: &State<'_>| {
        let key: &Value = given.must_get("key")?;
        let key = bytes(&text(key)?, given.get::<&str>("key_from")?)?.into_owned();
        let mut mac = <M as KeyInit>::new_from_slice(&key)
            .map_err(|error| Error::message(error.to_string()))?;
        mac.update(&input(value, &given)?);
        encoded(&mac.finalize().into_bytes(), &given)
    });
}

/// The bytes that a filter is given: those of a text, or those that `from` says are written there.
fn input<'v>(value: &'v Value, given: &Kwargs) -> TeraResult<Cow<'v, [u8]>> {
    let from = given.get::<&str>("from")?;
    match text(value)? {
        Cow::Borrowed(text) => bytes(text, from),
        Cow::Owned(text) => Ok(Cow::Owned(bytes(&text, from)?.into_owned())),
    }
}

fn bytes<'t>(text: &'t str, from: Option<&str>) -> TeraResult<Cow<'t, [u8]>> {
    match from {
        None | Some("text") => Ok(Cow::Borrowed(text.as_bytes())),
        Some("hex") => unhex(text).map(Cow::Owned),
        // Both alphabets, with and without padding: vendors mix them.
        Some("base64") => {
            let plain: String = text
                .chars()
                .map(|letter| match letter {
                    '+' => '-',
                    '/' => '_',
                    other => other,
                })
                .collect();
            URL_SAFE_NO_PAD
                .decode(plain.trim_end_matches('='))
                .map(Cow::Owned)
                .map_err(|_| Error::message("the value is not written in base64"))
        }
        Some(_) => Err(Error::message("`from` is text, hex or base64")),
    }
}

fn unhex(text: &str) -> TeraResult<Vec<u8>> {
    let digits = text
        .chars()
        .map(|digit| {
            digit
                .to_digit(16)
                .and_then(|digit| u8::try_from(digit).ok())
        })
        .collect::<Option<Vec<u8>>>();
    digits
        .filter(|digits| digits.len().is_multiple_of(2))
        .map(|digits| {
            digits
                .chunks(2)
                .map(|pair| pair[0] << 4 | pair[1])
                .collect()
        })
        .ok_or_else(|| Error::message("the value is not written in pairs of hexadecimal digits"))
}

/// Bytes as `encoding` says: `hex`, which is usual, `base64` or `base64url`.
fn encoded(bytes: &[u8], given: &Kwargs) -> TeraResult<String> {
    match given.get::<&str>("encoding")? {
        None | Some("hex") => Ok(hex(bytes)),
        Some("base64") => Ok(STANDARD.encode(bytes)),
        Some("base64url") => Ok(URL_SAFE_NO_PAD.encode(bytes)),
        Some(_) => Err(Error::message("`encoding` is hex, base64 or base64url")),
    }
}

/// The text in UTF-16, which gateways of text messages call UCS-2, as hexadecimal digits.
fn utf16_hex(text: &str, given: &Kwargs) -> TeraResult<String> {
    let bytes: Vec<u8> = match given.get::<&str>("order")? {
        None | Some("be") => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        Some("le") => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        Some(_) => return Err(Error::message("`order` is be or le")),
    };
    Ok(hex(&bytes))
}
