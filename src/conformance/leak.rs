//! Secrets in what is kept: as they are, and as addresses, JSON or base64 write them.

use super::words::{from_base64, unfold};
use crate::{domain::secret::Secret, simulator::percent_decode};

/// How deep a text is unfolded.
const DEPTH: usize = 3;

/// Whether one of `secrets` can be read out of `text`.
pub(super) fn shows(text: &str, secrets: &[Secret]) -> bool {
    let mut readings = Vec::new();
    unfold(text, DEPTH, &mut readings);
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && !"+/=_-".contains(c));
    readings.extend(words.filter_map(from_base64));
    readings.push(percent_decode(text));
    readings.push(text.replace("\\/", "/"));
    let holds = |secret: &Secret| {
        let value = secret.expose();
        value.len() >= 4 && readings.iter().any(|reading| reading.contains(value))
    };
    secrets.iter().any(holds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_in_every_form() {
        let secrets = [Secret::new("mật khẩu/=1".to_owned())];
        for text in [
            "a mật khẩu/=1 b",
            "GET /?a=m%E1%BA%ADt+kh%e1%ba%a9u%2F%3D1&b",
            "Basic bG9hOm3huq10IGto4bqpdS89MQ== xin",
            r#"{"a":"m\u1eadt kh\u1ea9u\/=1"}"#,
        ] {
            assert!(shows(text, &secrets), "{text}");
        }
        for text in ["", "mật khẩu", "*** %", "Basic bG9hOnhpbi1jaGFv"] {
            assert!(!shows(text, &secrets), "{text}");
        }
    }
}
