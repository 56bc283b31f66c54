//! The filters that the engine lacks.

mod bytes;
mod settings;
mod words;

use std::{borrow::Cow, fmt::Write};

pub use settings::FILTERS;
pub(super) use settings::unknown_setting;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use tera::{Error, ErrorKind, Kwargs, State, Tera, TeraResult, Value};

/// The names of which [`uuid`] makes UUIDs are those that `loa` gives. It may never change: pages that are there already are found by it.
const NAMES: [u8; 16] = [
    0x7b, 0x0d, 0x1c, 0x52, 0x3f, 0x7e, 0x4b, 0x0a, 0x9c, 0x55, 0x10, 0xa0, 0xb1, 0xe2, 0xc3, 0xd4,
];

/// Makes the filters known to `tera`.
pub(super) fn register(tera: &mut Tera) {
    bytes::register(tera);
    words::register(tera);
    tera.register_filter("urlencode", |value: &Value, _: Kwargs, _: &State<'_>| {
        Ok::<_, Error>(urlencode(&text(value)?))
    });
    tera.register_filter("json_encode", |value: &Value, _: Kwargs, _: &State<'_>| {
        json_encode(value)
    });
    tera.register_filter("upper_first", |value: &Value, _: Kwargs, _: &State<'_>| {
        Ok::<_, Error>(upper_first(&text(value)?))
    });
    tera.register_filter("uuid", |value: &Value, _: Kwargs, _: &State<'_>| {
        Ok::<_, Error>(uuid(&text(value)?))
    });
}

/// The text of a text, a number or a boolean; nothing else has one here.
fn text(value: &Value) -> TeraResult<Cow<'_, str>> {
    match value.as_str() {
        Some(text) => Ok(Cow::Borrowed(text)),
        None if value.is_number() || value.is_bool() => Ok(Cow::Owned(value.to_string())),
        None => Err(wrong_type("string", value)),
    }
}

fn wrong_type(expected: &str, value: &Value) -> Error {
    Error::new(ErrorKind::InvalidArgument {
        expected_type: expected.to_owned(),
        actual_type: value.name().to_owned(),
    })
}

/// One component of an address: everything but RFC 3986's unreserved characters is written as `%XX`.
#[must_use]
pub fn urlencode(text: &str) -> String {
    percent(text, |byte| {
        byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
    })
}

/// `text` with every byte written as `%XX` that `stays` does not name.
#[must_use]
pub fn percent(text: &str, stays: impl Fn(u8) -> bool) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if stays(byte) {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "%{byte:02X}").expect("writing to a string cannot fail");
        }
    }
    encoded
}

fn json_encode(value: &Value) -> TeraResult<String> {
    if value.is_undefined() {
        return Err(wrong_type("value", value));
    }
    // Through a tree with sorted keys: the engine's own maps have another order in every run.
    let tree = serde_json::to_value(value)
        .map_err(|error| Error::chain("the value has no JSON form", error))?;
    Ok(tree.to_string())
}

/// The text with its first letter in upper case and all others as they are.
fn upper_first(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

/// The UUID of a name, always the same one (RFC 9562, version 5): for receivers that let us say what something is called there.
fn uuid(name: &str) -> String {
    let hash = Sha1::new()
        .chain_update(NAMES)
        .chain_update(name)
        .finalize();
    let mut bytes: [u8; 16] = std::array::from_fn(|at| hash[at]);
    bytes[6] = bytes[6] & 0x0f | 0x50; // the version
    bytes[8] = bytes[8] & 0x3f | 0x80; // the variant
    let digits = hex(&bytes);
    let groups = [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| &digits[part]);
    groups.join("-")
}

/// SHA-256 as 64 small hexadecimal digits.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// The digest of bytes as small hexadecimal digits.
#[must_use]
pub fn digest_hex<D: Digest>(bytes: &[u8]) -> String {
    hex(&D::digest(bytes))
}

/// Bytes as small hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    let mut hex = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        write!(hex, "{byte:02x}").expect("writing to a string cannot fail");
    }
    hex
}
