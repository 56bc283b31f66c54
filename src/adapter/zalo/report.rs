//! What Zalo reports by itself (webhooks): whether it is to be believed, and what it says of a broadcast.
//!
//! `X-ZEvent-Signature: mac=HEX`, where HEX is the plain SHA-256 of the application's id, the body byte for byte, the `timestamp` in
//! it, and the Official Account's secret key, one behind the other. It is no HMAC, and the key is not the application's, whatever
//! clients are written as if it were.

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{hex, oauth::integer};
use crate::{
    adapter::{NotBelieved, Report},
    domain::{secret::Secret, time::Timestamp},
};

/// How old a report may be, in milliseconds: Zalo repeats for twelve hours what was not taken, with the same signature.
const OLDEST: i64 = 13 * 60 * 60 * 1000;

/// How early one may be: the clocks of two machines.
const EARLIEST: i64 = 5 * 60 * 1000;

/// Events that say that somebody has what was sent.
const RECEIVED: [&str; 2] = ["user_received_message", "user_seen_message"];

/// The signature of a report, in hexadecimal.
fn mac(app: &str, body: &[u8], timestamp: &str, secret: &Secret) -> String {
    let mut hash = Sha256::new();
    for part in [
        app.as_bytes(),
        body,
        timestamp.as_bytes(),
        secret.expose().as_bytes(),
    ] {
        hash.update(part);
    }
    hex(&hash.finalize())
}

/// Whether two texts are equal, in a time that does not depend on where they differ.
fn is_equal(one: &str, other: &str) -> bool {
    let differs = one.bytes().zip(other.bytes());
    one.len() == other.len() && differs.fold(0, |all, (a, b)| all | (a ^ b)) == 0
}

/// Reads a report that came with the header `signature`.
///
/// # Errors
/// [`NotBelieved`].
pub(super) fn read(
    app: &str,
    secret: &Secret,
    signature: Option<&str>,
    body: &[u8],
    now: Timestamp,
) -> Result<Report, NotBelieved> {
    let signature = signature.ok_or(NotBelieved::Signature)?.trim();
    let claimed = signature.strip_prefix("mac=").unwrap_or(signature);
    // The timestamp is looked up in what is not believed yet, as a text, and nothing else is made of it.
    let json: Value = serde_json::from_slice(body).map_err(|_| NotBelieved::Unreadable)?;
    let timestamp = match &json["timestamp"] {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return Err(NotBelieved::Unreadable),
    };
    let expected = mac(app, body, &timestamp, secret);
    if !is_equal(&expected, &claimed.to_ascii_lowercase()) {
        return Err(NotBelieved::Signature);
    }
    let at = integer(&json["timestamp"]).ok_or(NotBelieved::Unreadable)?;
    let age = (now.as_micros() / 1000).saturating_sub(at);
    if !(-EARLIEST..=OLDEST).contains(&age) {
        return Err(NotBelieved::Time);
    }
    let event = json["event_name"].as_str().unwrap_or_default();
    let message = json["message"]["msg_id"].as_str().map(str::to_owned);
    Ok(Report {
        message: message.filter(|_| RECEIVED.contains(&event)),
        event: event.chars().take(60).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: i64 = 1_700_000_000_000;

    fn key() -> Secret {
        Secret::new("k".into())
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_micros(millis * 1000)
    }

    /// Worked out from the formula with another program.
    #[test]
    fn the_signature_is_a_plain_hash() {
        assert_eq!(
            mac("123", br#"{"a":1}"#, "1700000000000", &key()),
            "3408c69cac8ee6f3080705c880de5e0ab31ff5ef98faf5e628a8d0631874ecee"
        );
    }

    #[test]
    fn reports_are_believed_byte_for_byte_and_for_a_while() {
        let body = br#"{ "event_name":"user_received_message", "timestamp":"1700000000000","message":{"msg_id":"m1"} }"#;
        let mac = mac("123", body, "1700000000000", &key());
        let read = |app: &str, signature: Option<&str>, body: &[u8], now: i64| {
            read(app, &key(), signature, body, at(now))
        };
        let report = Report {
            message: Some("m1".into()),
            event: "user_received_message".into(),
        };
        let with = format!("mac={mac}");
        for (name, signature, now) in [
            ("as it comes", with.as_str(), AT),
            ("without a prefix", mac.as_str(), AT),
            ("in capitals", &mac.to_uppercase(), AT),
            ("repeated after twelve hours", &with, AT + 12 * 3_600_000),
            ("early", &with, AT - 299_000),
        ] {
            assert_eq!(
                read("123", Some(signature), body, now),
                Ok(report.clone()),
                "{name}"
            );
        }
        let compact = br#"{"event_name":"user_received_message","timestamp":"1700000000000","message":{"msg_id":"m1"}}"#;
        for (name, app, signature, body, now, why) in [
            ("none", "123", None, &body[..], AT, NotBelieved::Signature),
            (
                "empty",
                "123",
                Some("mac="),
                body,
                AT,
                NotBelieved::Signature,
            ),
            (
                "cut",
                "123",
                Some(&with[..40]),
                body,
                AT,
                NotBelieved::Signature,
            ),
            (
                "another application",
                "124",
                Some(&*with),
                body,
                AT,
                NotBelieved::Signature,
            ),
            (
                "written again",
                "123",
                Some(&*with),
                compact,
                AT,
                NotBelieved::Signature,
            ),
            (
                "too late",
                "123",
                Some(&*with),
                body,
                AT + 14 * 3_600_000,
                NotBelieved::Time,
            ),
            (
                "too early",
                "123",
                Some(&*with),
                body,
                AT - 301_000,
                NotBelieved::Time,
            ),
            (
                "no JSON",
                "123",
                Some(&*with),
                b"x",
                AT,
                NotBelieved::Unreadable,
            ),
            (
                "no time",
                "123",
                Some(&*with),
                b"{}",
                AT,
                NotBelieved::Unreadable,
            ),
        ] {
            assert_eq!(read(app, signature, body, now), Err(why), "{name}");
        }
    }

    #[test]
    fn other_events_say_nothing_of_a_message() {
        let body =
            br#"{"event_name":"follow","timestamp":1700000000000,"message":{"msg_id":"m1"}}"#;
        let mac = mac("123", body, "1700000000000", &key());
        let report = read("123", &key(), Some(&mac), body, at(AT)).unwrap();
        assert_eq!((report.event.as_str(), report.message), ("follow", None));
    }
}
