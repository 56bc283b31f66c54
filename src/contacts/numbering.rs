//! The national numbering plan: which digits are whose, and what the country's prefix stands for.

use super::Kind;

/// What digits are that somebody is to call.
pub(super) fn kind_of(digits: &str) -> Kind {
    if digits.len() <= 6 {
        Kind::ShortCode
    } else {
        Kind::Phone
    }
}

/// Digits with the country's prefix as 0, also where the 0 is written behind it: `+84 (0)69`.
pub(super) fn national(digits: &str) -> String {
    let rest = digits
        .strip_prefix("0084")
        .or_else(|| digits.strip_prefix("84"))
        .filter(|rest| rest.len() >= 9);
    rest.map_or_else(
        || digits.to_owned(),
        |rest| format!("0{}", rest.trim_start_matches('0')),
    )
}

/// Whether these digits can be nothing but a telephone number of Việt Nam: a mobile one of ten digits (or eleven, as
/// until 2018), a fixed line with its province's prefix, or one of the ministry of public security.
///
/// Prefixes as in the national numbering plan, Thông tư 22/2014/TT-BTTTT and the changes of 2018.
pub(super) fn is_telephone(digits: &str) -> bool {
    let bytes = digits.as_bytes();
    if bytes.first() != Some(&b'0') || bytes.len() < 10 {
        return false;
    }
    matches!(
        (bytes[1], bytes[2], bytes.len()),
        (b'3', b'2'..=b'9', 10)
            | (b'5', b'2' | b'5' | b'6' | b'8' | b'9', 10)
            | (b'7', b'0' | b'6'..=b'9', 10)
            | (b'8', b'1'..=b'9', 10)
            | (b'9', _, 10)
            | (b'2', _, 11)
            | (b'1', b'2' | b'6' | b'8' | b'9', 11)
            | (b'6', b'9', 10)
    )
}

/// Whether these digits are a service number: `1800 1234`, `1900 123456`.
pub(super) fn is_service(digits: &str) -> bool {
    (digits.starts_with("1800") || digits.starts_with("1900")) && matches!(digits.len(), 8 | 10)
}
