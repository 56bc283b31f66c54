//! Standard Webhooks (specification of 2023, <https://www.standardwebhooks.com>): a JSON body signed with HMAC-SHA256
//! over `id.timestamp.body`, so that a receiver knows who sent it, that it is whole and that it is not an old one.
//!
//! `webhook-id` is the delivery's id and the same on every attempt. With several secrets every one signs, newest first,
//! so that a receiver can change over without a gap. The body does not change between attempts.

use std::{fmt, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{Adapter, Exchange, Hidden, Request, Step, classify, transport::Address};
use crate::domain::{channel::Channel, message::Message, secret::Secret, time::Timestamp};

/// How far a timestamp may lie from the receiver's clock, in seconds: what the specification's libraries allow.
const TOLERANCE: u64 = 5 * 60;

/// A channel reached by Standard Webhooks.
pub struct WebhookAdapter {
    url: Address,
    host: String,
    channel: serde_json::Value,
    keys: Vec<Key>,
    secrets: Vec<Secret>,
}

/// A signing secret, decoded.
struct Key(Vec<u8>);

/// Why a channel cannot be reached by a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WebhookProblem {
    /// The address is not one.
    #[error("the address is not one that begins with http:// or https://")]
    Address,
    /// Nothing to sign with.
    #[error("a webhook needs at least one signing secret")]
    NoSecret,
    /// A secret that is not one of the specification's: `whsec_` and the base64 of 24 to 64 bytes.
    #[error("signing secret {0} is not `whsec_` and the base64 of 24 to 64 bytes")]
    Secret(usize),
}

/// Why a webhook is not to be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The secret is not one.
    #[error("the signing secret is not `whsec_` and the base64 of 24 to 64 bytes")]
    Secret,
    /// The timestamp is not a number of seconds.
    #[error("the timestamp is not a number of seconds")]
    Timestamp,
    /// The timestamp is more than five minutes from now.
    #[error("the timestamp is more than five minutes from now")]
    TooOld,
    /// No signature fits.
    #[error("no signature fits")]
    Signature,
}

impl fmt::Debug for WebhookAdapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookAdapter")
            .field("channel", &self.channel)
            .field("host", &self.host)
            .field("keys", &self.keys.len())
            .finish_non_exhaustive()
    }
}

impl Key {
    fn read(secret: &Secret) -> Option<Self> {
        let text = secret.expose();
        let bytes = STANDARD
            .decode(text.strip_prefix("whsec_").unwrap_or(text))
            .ok()?;
        (24..=64).contains(&bytes.len()).then_some(Self(bytes))
    }

    fn mac(&self, id: &str, timestamp: &str, body: &[u8]) -> Hmac<Sha256> {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of every length");
        for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
            mac.update(part);
        }
        mac
    }

    fn sign(&self, id: &str, timestamp: &str, body: &[u8]) -> String {
        format!(
            "v1,{}",
            STANDARD.encode(self.mac(id, timestamp, body).finalize().into_bytes())
        )
    }
}

/// Whether something can be signed with `secret`.
#[must_use]
pub fn is_key(secret: &Secret) -> bool {
    Key::read(secret).is_some()
}

/// For receivers: whether a webhook comes from somebody who knows `secret`, is whole, and is at most five minutes old
/// (or early) at `now`. `signature` may hold several signatures; one that fits is enough. Comparing takes the same time
/// wherever the difference lies.
///
/// # Errors
/// [`VerifyError`].
pub fn verify(
    secret: &Secret,
    id: &str,
    timestamp: &str,
    signature: &str,
    body: &[u8],
    now: Timestamp,
) -> Result<(), VerifyError> {
    let key = Key::read(secret).ok_or(VerifyError::Secret)?;
    let seconds: i64 = timestamp.parse().map_err(|_| VerifyError::Timestamp)?;
    if now.as_micros().div_euclid(1_000_000).abs_diff(seconds) > TOLERANCE {
        return Err(VerifyError::TooOld);
    }
    let mac = key.mac(id, timestamp, body);
    let fits = signature
        .split(' ')
        .filter_map(|one| STANDARD.decode(one.strip_prefix("v1,")?).ok())
        .any(|claimed| mac.clone().verify_slice(&claimed).is_ok());
    if fits {
        Ok(())
    } else {
        Err(VerifyError::Signature)
    }
}

impl WebhookAdapter {
    /// The adapter of one channel; `secrets` newest first.
    ///
    /// # Errors
    /// [`WebhookProblem`].
    pub fn new(channel: &Channel, url: &str, secrets: Vec<Secret>) -> Result<Self, WebhookProblem> {
        let http = url.starts_with("http://") || url.starts_with("https://");
        let url = Address::from(url);
        let host = url.host().filter(|_| http).ok_or(WebhookProblem::Address)?;
        if secrets.is_empty() {
            return Err(WebhookProblem::NoSecret);
        }
        let mut keys = Vec::with_capacity(secrets.len());
        for (index, secret) in secrets.iter().enumerate() {
            keys.push(Key::read(secret).ok_or(WebhookProblem::Secret(index + 1))?);
        }
        let channel = serde_json::json!({ "id": channel.id, "name": channel.name });
        Ok(Self {
            url,
            host,
            channel,
            keys,
            secrets,
        })
    }

    fn request(&self, message: &Message) -> Request {
        let content = &message.content;
        let body = serde_json::json!({
            "type": "bulletin.broadcast",
            "timestamp": message.due,
            "data": {
                "delivery": message.delivery,
                "channel": self.channel,
                "ward": { "id": message.ward, "name": message.ward_name },
                "bulletin": content.bulletin,
                "format": content.format.as_str(),
                "priority": message.priority.as_str(),
                "title": content.title,
                "summary": content.summary,
                "text": content.text,
                "html": content.html,
                "hash": message.hash,
                "due": message.due,
                "deadline": message.deadline,
            },
        })
        .to_string();
        let id = message.delivery.as_str();
        let timestamp = message
            .sent_at
            .as_micros()
            .div_euclid(1_000_000)
            .to_string();
        let signatures: Vec<String> = self
            .keys
            .iter()
            .map(|key| key.sign(id, &timestamp, body.as_bytes()))
            .collect();
        let headers = [
            ("Content-Type", "application/json"),
            ("Idempotency-Key", id),
            ("webhook-id", id),
            ("webhook-timestamp", &timestamp),
            ("webhook-signature", &signatures.join(" ")),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        Request {
            method: "POST".to_owned(),
            url: self.url.clone(),
            headers: headers.into(),
            body: Bytes::from(body),
            wait: Duration::ZERO,
            hidden: Hidden::default(),
            login: None,
        }
    }
}

impl Adapter for WebhookAdapter {
    fn step(&self, message: &Message, done: &[Exchange]) -> Step {
        match done {
            [] => Step::Call(self.request(message)),
            [.., exchange] => match &exchange.result {
                Ok(answer) if answer.is_success() => Step::accepted(None),
                // 410 Gone, with which a receiver gives up its subscription, is among the rejections.
                _ => Step::Failed(classify(exchange)),
            },
        }
    }

    fn is_status_enough(&self, _: &Message) -> bool {
        // "A 2xx is a success": the specification gives the body no meaning.
        true
    }

    fn name(&self) -> &'static str {
        "webhook"
    }

    fn host(&self) -> &str {
        &self.host
    }

    fn secrets(&self) -> &[Secret] {
        &self.secrets
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // The example of the specification.
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    fn secret() -> Secret {
        Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".into())
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    #[test]
    fn the_specifications_example() {
        assert_eq!(
            Key::read(&secret()).unwrap().sign(ID, "1614265330", BODY),
            SIGNATURE
        );
    }

    #[test]
    fn receivers_check_everything() {
        let check = |id: &str, timestamp: &str, signature: &str, body: &[u8], now: i64| {
            verify(&secret(), id, timestamp, signature, body, at(now))
        };
        let now = 1_614_265_330;
        let stamp = "1614265330";
        let others = format!("v1,bm90IGl0 v1a,{} {SIGNATURE}", &SIGNATURE[3..]);
        for (name, result, expected) in [
            ("good", check(ID, stamp, SIGNATURE, BODY, now), Ok(())),
            (
                "one of several",
                check(ID, stamp, &others, BODY, now),
                Ok(()),
            ),
            (
                "five minutes late",
                check(ID, stamp, SIGNATURE, BODY, now + 300),
                Ok(()),
            ),
            (
                "later",
                check(ID, stamp, SIGNATURE, BODY, now + 301),
                Err(VerifyError::TooOld),
            ),
            (
                "five minutes early",
                check(ID, stamp, SIGNATURE, BODY, now - 300),
                Ok(()),
            ),
            (
                "earlier",
                check(ID, stamp, SIGNATURE, BODY, now - 301),
                Err(VerifyError::TooOld),
            ),
            (
                "another id",
                check("msg_x", stamp, SIGNATURE, BODY, now),
                Err(VerifyError::Signature),
            ),
            (
                "another time",
                check(ID, "1614265331", SIGNATURE, BODY, now),
                Err(VerifyError::Signature),
            ),
            (
                "another body",
                check(ID, stamp, SIGNATURE, b"{}", now),
                Err(VerifyError::Signature),
            ),
            (
                "no signature",
                check(ID, stamp, "", BODY, now),
                Err(VerifyError::Signature),
            ),
            (
                "half a signature",
                check(ID, stamp, &SIGNATURE[..23], BODY, now),
                Err(VerifyError::Signature),
            ),
            (
                "another version",
                check(ID, stamp, &others[..50], BODY, now),
                Err(VerifyError::Signature),
            ),
            (
                "no time",
                check(ID, "now", SIGNATURE, BODY, now),
                Err(VerifyError::Timestamp),
            ),
        ] {
            assert_eq!(result, expected, "{name}");
        }
        let short = Secret::new("whsec_c2hvcnQ=".into());
        assert_eq!(
            verify(&short, ID, stamp, SIGNATURE, BODY, at(now)),
            Err(VerifyError::Secret)
        );
    }
}
