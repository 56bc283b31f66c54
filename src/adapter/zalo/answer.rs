//! What Zalo answers: one envelope for success and refusal, and what each refusal means for another attempt.
//!
//! The numbers are those of developers.zalo.me, "Mã lỗi" of the Official Account API, as two independent clients list them.
//! Lists differ between years, so what Zalo itself says stands beside our own words.

use std::time::Duration;

use serde_json::Value;

pub(super) use super::oauth::integer;
use crate::{
    adapter::{Exchange, Failure, Request, classify, quote},
    domain::{delivery::Reason, detail::Detail},
};

/// The longest text of Zalo's own that is kept.
pub(super) const LONGEST: usize = 120;

/// How long a busy account is left alone at least.
const BREATH: Duration = Duration::from_mins(1);

/// The word for a refusal that the table does not have.
const OTHER: &str = "other";

/// The word for what asks to come later without a number that the table has.
const LATER: &str = "later";

/// The word for what says that something broke, without saying whether anything was done.
const BROKEN: &str = "broken";

/// A success.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answer {
    data: Value,
}

/// What a refusal means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The token is not good any more; the next one may be.
    Token,
    /// Later.
    Later,
    /// Not before the quota is renewed.
    Quota,
    /// Not at night.
    Night,
    /// Still being worked on.
    Processing,
    /// No, and somebody has to do something at Zalo before it can be yes.
    Operator,
    /// No.
    Never,
}

/// A refusal's number, what it means, and the word for it in the catalogue (`detail.zalo-WORD`).
type Row = (i64, Meaning, &'static str);

/// Every refusal that is known.
pub(super) const TABLE: &[Row] = &[
    (-32, Meaning::Later, "rate"),
    (-100, Meaning::Never, "attachment"),
    (-200, Meaning::Later, "failed"),
    (-201, Meaning::Never, "parameter"),
    (-204, Meaning::Operator, "disabled"),
    (-205, Meaning::Operator, "no-oa"),
    (-209, Meaning::Operator, "no-api"),
    (-210, Meaning::Never, "too-large"),
    (-211, Meaning::Quota, "quota"),
    (-212, Meaning::Operator, "not-registered"),
    (-213, Meaning::Never, "no-follower"),
    (-214, Meaning::Processing, "processing"),
    (-216, Meaning::Token, "token"),
    (-217, Meaning::Never, "blocked"),
    (-218, Meaning::Quota, "user-quota"),
    (-219, Meaning::Operator, "app-disabled"),
    (-220, Meaning::Token, "token-over"),
    (-221, Meaning::Operator, "not-verified"),
    (-223, Meaning::Operator, "no-permission"),
    (-224, Meaning::Operator, "no-package"),
    (-227, Meaning::Never, "inactive"),
    (-230, Meaning::Never, "no-contact"),
    (-232, Meaning::Never, "never-wrote"),
    (-233, Meaning::Operator, "message-unsupported"),
    (-234, Meaning::Night, "night"),
    (-235, Meaning::Operator, "oa-unsupported"),
    (-240, Meaning::Operator, "shut-down"),
    (-242, Meaning::Operator, "proof"),
    (-244, Meaning::Never, "restricted"),
    (-248, Meaning::Never, "standards"),
    (-305, Meaning::Never, "too-late"),
    (-311, Meaning::Never, "replies"),
    (-320, Meaning::Operator, "cloud-account"),
    (-321, Meaning::Operator, "no-money"),
];

/// The words of all refusals, and that of those that are not known.
pub fn words() -> impl Iterator<Item = &'static str> {
    let known = TABLE.iter().map(|(_, _, word)| *word);
    known.chain([OTHER, LATER, BROKEN])
}

impl Answer {
    /// Reads an answer. A refusal that the table has certainly did nothing, whatever the status; of one that it does not have
    /// the status decides: Zalo refuses with 200 and 4xx, and what comes with 429 or 5xx may be a gateway's or a breakdown's,
    /// whatever stands in it.
    ///
    /// # Errors
    /// What it means that this is no success.
    pub(super) fn read(exchange: &Exchange) -> Result<Self, Failure> {
        let Ok(answer) = &exchange.result else {
            return Err(classify(exchange));
        };
        let Ok(mut json) = serde_json::from_slice::<Value>(&answer.body) else {
            return Err(unreadable(exchange));
        };
        match json.get("error").and_then(integer) {
            Some(0) if answer.is_success() => Ok(Self {
                data: json.get_mut("data").map(Value::take).unwrap_or_default(),
            }),
            Some(0) | None => Err(unreadable(exchange)),
            Some(code) => {
                let said = json.get("message").and_then(Value::as_str);
                let detail = |word| told(word, code, said.unwrap_or_default(), &exchange.request);
                Err(match (row(code), answer.status) {
                    (Some((meaning, word)), _) => {
                        refusal(meaning, &detail(word), answer.retry_after)
                    }
                    (None, 408 | 425 | 429 | 500..) => match classify(exchange) {
                        Failure::Retry { after, reason, .. } => Failure::Retry {
                            after,
                            reason,
                            detail: detail(LATER).to_string(),
                        },
                        other => Failure::unknown(other.reason(), detail(BROKEN)),
                    },
                    (None, _) => refusal(Meaning::Never, &detail(OTHER), None),
                })
            }
        }
    }

    /// The items of a list at a JSON pointer below `data`; none where there is no list.
    pub(super) fn list(&self, pointer: &str) -> &[Value] {
        let list = self.data.pointer(pointer).and_then(Value::as_array);
        list.map_or(&[], Vec::as_slice)
    }

    /// A text, or a number as a text, at a JSON pointer below `data`.
    pub(super) fn text(&self, pointer: &str) -> Option<String> {
        text(self.data.pointer(pointer)?)
    }
}

/// A text, or a number as a text: ids come as either, and have more digits than a float keeps.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The number of a refusal, where the answer is one.
pub(super) fn code(exchange: &Exchange) -> Option<i64> {
    let answer = exchange.result.as_ref().ok()?;
    let json: Value = serde_json::from_slice(&answer.body).ok()?;
    integer(json.get("error")?).filter(|code| *code != 0)
}

/// What means nothing: a success of which nobody knows whether it is one, or what any server's answer means.
fn unreadable(exchange: &Exchange) -> Failure {
    match &exchange.result {
        Ok(answer) if answer.is_success() => {
            Failure::unknown(Reason::Unexpected, Detail::new("zalo-unreadable"))
        }
        _ => classify(exchange),
    }
}

/// What a number means, and its word.
fn row(code: i64) -> Option<(Meaning, &'static str)> {
    let row = TABLE.iter().find(|(known, ..)| *known == code);
    row.map(|(_, meaning, word)| (*meaning, *word))
}

/// Whether the table has a number.
pub(super) fn is_known(code: i64) -> bool {
    row(code).is_some()
}

/// Whether a number says that it stays a no until somebody does something.
pub(super) fn is_final(code: i64) -> bool {
    let last = [Meaning::Token, Meaning::Operator, Meaning::Never];
    row(code).is_some_and(|(meaning, _)| last.contains(&meaning))
}

/// What people are told of an answer that is no.
fn told(word: &str, code: i64, said: &str, request: &Request) -> Detail {
    let said = quote(said, &request.hidden_values(), LONGEST);
    Detail::new(&format!("zalo-{word}"))
        .with("code", code)
        .with("said", said)
}

/// What a refusal means for another attempt; `wish` is the answer's Retry-After.
fn refusal(meaning: Meaning, detail: &Detail, wish: Option<Duration>) -> Failure {
    let retry = |reason, after| Failure::Retry {
        after,
        reason,
        detail: detail.to_string(),
    };
    match meaning {
        Meaning::Token => retry(Reason::Unauthorised, None),
        Meaning::Later => retry(Reason::Busy, Some(wish.unwrap_or(BREATH))),
        Meaning::Processing => retry(Reason::Busy, None),
        // Until when is the caller's to say.
        Meaning::Quota => retry(Reason::Quota, None),
        Meaning::Night => retry(Reason::Night, None),
        Meaning::Operator | Meaning::Never => Failure::reject(Reason::Status, detail.to_string()),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{
        adapter::{Fault, Hidden, Request, Response, zalo::taken},
        domain::secret::Secret,
    };

    pub(in crate::adapter::zalo) fn answered(status: u16, body: &str) -> Exchange {
        let request = Request {
            method: "POST".into(),
            url: "https://openapi.zalo.me/".into(),
            headers: Vec::new(),
            body: bytes::Bytes::new(),
            wait: Duration::ZERO,
            hidden: Hidden::default(),
            login: None,
        };
        let result = Ok(Response {
            status,
            body: body.to_owned().into(),
            ..Response::default()
        });
        Exchange { request, result }
    }

    #[test]
    fn success_is_an_error_of_zero() {
        let answer = Answer::read(&answered(
            200,
            r#"{"error":0,"message":"Success","data":{"message_id":"m","n":7,"x":" "}}"#,
        ))
        .unwrap();
        assert_eq!(answer.text("/message_id").as_deref(), Some("m"));
        assert_eq!(answer.text("/n").as_deref(), Some("7"));
        assert_eq!(answer.text("/x"), None);
        assert_eq!(answer.text("/y"), None);
        assert!(Answer::read(&answered(200, r#"{"error":"0"}"#)).is_ok());
    }

    #[test]
    fn a_success_that_cannot_be_read_is_doubt() {
        for body in [
            "",
            "<html>",
            "{}",
            "[]",
            r#"{"error":null}"#,
            r#"{"data":{}}"#,
        ] {
            let failure = Answer::read(&answered(200, body)).unwrap_err();
            assert!(matches!(failure, Failure::Unknown { .. }), "{body}");
        }
        let mut lost = answered(200, "");
        lost.result = Err(Fault::may_have_left(Reason::Reset, ""));
        assert_eq!(
            Answer::read(&lost),
            Err(Failure::unknown(Reason::Reset, ""))
        );
        for (status, reason) in [
            (500, Reason::Status),
            (503, Reason::Busy),
            (404, Reason::Status),
        ] {
            let failure = Answer::read(&answered(status, "<html>")).unwrap_err();
            assert_eq!(failure.reason(), reason);
        }
    }

    #[test]
    fn a_refusal_that_nobody_knows_is_none_where_something_broke() {
        let read = |status, body: &str, wish: Option<u64>| {
            let mut exchange = answered(status, body);
            if let Ok(answer) = &mut exchange.result {
                answer.retry_after = wish.map(Duration::from_secs);
            }
            Answer::read(&exchange).unwrap_err()
        };
        // One that the table has is one whatever its status.
        for status in [200, 400, 429, 500, 502, 503] {
            let failure = read(status, r#"{"error":-201}"#, None);
            assert!(matches!(failure, Failure::Reject { .. }), "{status}");
        }
        for status in [500, 501, 502, 504, 599] {
            let failure = read(status, r#"{"error":-1,"message":"internal error"}"#, None);
            let expected = "zalo-broken code=-1; said=internal error";
            assert_eq!(
                failure,
                Failure::unknown(Reason::Status, expected),
                "{status}"
            );
        }
        for (status, code, wish) in [(429, 429, Some(2)), (503, -1, Some(40)), (503, 503, None)] {
            let body = format!(r#"{{"error":{code},"message":"why"}}"#);
            let expected = Failure::Retry {
                after: wish.map(Duration::from_secs),
                reason: Reason::Busy,
                detail: format!("zalo-later code={code}; said=why"),
            };
            assert_eq!(read(status, &body, wish), expected, "{status}");
        }
        for status in [200, 400, 401, 404] {
            let failure = read(status, r#"{"error":-1}"#, None);
            let expected = Failure::reject(Reason::Status, "zalo-other code=-1; said=");
            assert_eq!(failure, expected, "{status}");
        }
        for (wish, waits) in [(Some(7), Duration::from_secs(7)), (None, BREATH)] {
            let failure = read(429, r#"{"error":-32}"#, wish);
            let after =
                matches!(failure, Failure::Retry { after: Some(after), .. } if after == waits);
            assert!(after, "{failure:?}");
        }
    }

    /// Redacted before it is cut.
    #[test]
    fn what_zalo_says_repeats_no_secret() {
        let key = "k".repeat(60);
        let body = format!(
            r#"{{"error":-216,"message":"token abcd1234 of {key}, {}, {key}"}}"#,
            "x".repeat(40)
        );
        let mut exchange = answered(200, &body);
        let carried = ["abcd1234", &key].map(|value| ("x", Secret::new(value.to_owned())));
        exchange.request.hidden.values = taken(carried);
        assert_eq!(
            Answer::read(&exchange).unwrap_err().detail(),
            format!(
                "zalo-token code=-216; said=token *** of ***, {}, ***",
                "x".repeat(40)
            )
        );
    }

    #[test]
    fn every_refusal_has_its_meaning_and_its_sentence() {
        let (mut codes, mut words) = (BTreeSet::new(), BTreeSet::new());
        for (code, meaning, word) in TABLE {
            assert!(codes.insert(code), "{code} is there twice");
            assert!(words.insert(word), "{code} has no sentence of its own");
            let body = format!(r#"{{"error":{code},"message":"why"}}"#);
            let failure = Answer::read(&answered(200, &body)).unwrap_err();
            let expected = match meaning {
                Meaning::Token => Some(Reason::Unauthorised),
                Meaning::Later | Meaning::Processing => Some(Reason::Busy),
                Meaning::Quota => Some(Reason::Quota),
                Meaning::Night => Some(Reason::Night),
                Meaning::Operator | Meaning::Never => None,
            };
            match (&failure, expected) {
                (Failure::Retry { reason, .. }, Some(expected)) => assert_eq!(*reason, expected),
                (Failure::Reject { reason, .. }, None) => assert_eq!(*reason, Reason::Status),
                other => panic!("{code}: {other:?}"),
            }
            assert_eq!(
                failure.detail(),
                format!("zalo-{word} code={code}; said=why")
            );
        }
        let other = Answer::read(&answered(200, r#"{"error":-9999}"#)).unwrap_err();
        assert_eq!(
            other,
            Failure::reject(Reason::Status, "zalo-other code=-9999; said=")
        );
        for (status, body) in [(200, r#"{"error":1}"#), (200, r#"{"error":"-201"}"#)] {
            assert!(Answer::read(&answered(status, body)).is_err(), "{body}");
        }
    }
}
