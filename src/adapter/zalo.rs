//! A Zalo Official Account (`OpenAPI` v2 and v3, `https://openapi.zalo.me`).
//!
//! - Every call carries the account's access token, which `daemon/keeper` keeps fresh; an adapter never sees how.
//! - HTTP 200 with an `error` that is not 0 is the normal way in which Zalo says no; `answer` has the table of what each
//!   means.
//! - An article goes to all followers, in steps that are on record (`article`).
//! - A message goes to one person who has written to the account lately: Zalo has no way to send a text to all followers.
//!
//! Sources: the official SDKs for Java (`zaloplatform/zalo-java-sdk`), PHP and .NET, and services that are in production.

pub mod answer;
mod article;
mod night;
pub mod oauth;
mod plain;
mod progress;
pub mod quota;
mod report;
mod upload;

use std::{fmt, time::Duration};

use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::Sha256;

use self::{answer::Answer, oauth::Account};
use super::{
    Adapter, Exchange, Failure, Hidden, NotBelieved, Report, Request, Step, Taken, transport,
};
use crate::domain::{
    bulletin::Format,
    channel::{AdapterConfig, Channel},
    delivery::Reason,
    detail::Detail,
    message::{Message, Note},
    picture::Picture,
    secret::Secret,
    time::Timestamp,
    zalo::{Correction, Quiet, ZaloConfig},
};

/// Where calls go.
const API: &str = "https://openapi.zalo.me";

/// Both hosts that an account needs: for calls, and for tokens.
pub const HOSTS: [&str; 2] = ["openapi.zalo.me", "oauth.zaloapp.com"];

/// A channel that is an Official Account.
pub struct ZaloAdapter {
    account: Account,
    host: String,
    proof: bool,
    /// What the channel carries.
    format: Format,
    user: String,
    cover: String,
    /// Where the platform can fetch pictures of ours, without a slash at its end.
    pictures: Option<String>,
    /// Whether messages carry the picture of their bulletin's article.
    attaches: bool,
    author: String,
    comments: bool,
    correction: Correction,
    quiet: Quiet,
    /// What the account's quota is asked for under.
    product: Option<String>,
    /// What the account's own reports are signed with.
    reports: Option<Secret>,
    secrets: Vec<Secret>,
}

impl fmt::Debug for ZaloAdapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ZaloAdapter")
            .field("account", &self.account)
            .finish_non_exhaustive()
    }
}

impl ZaloAdapter {
    /// The adapter of one channel; `secret` is the application's key, `reports` the Official Account's.
    #[must_use]
    pub fn new(
        channel: &Channel,
        config: &ZaloConfig,
        secret: Secret,
        reports: Option<Secret>,
    ) -> Self {
        Self {
            account: Account::new(config, secret.clone()),
            host: transport::host(API).unwrap_or_default(),
            proof: config.proof,
            format: channel.format,
            user: config.user.clone().unwrap_or_default(),
            cover: config.cover.clone().unwrap_or_default(),
            pictures: config
                .pictures
                .as_ref()
                .map(|address| address.trim_end_matches('/').to_owned()),
            attaches: config.picture && channel.format == Format::Message,
            author: config
                .author
                .clone()
                .unwrap_or_else(|| channel.name.clone()),
            comments: config.comments,
            correction: config.correction,
            quiet: config.quiet,
            product: config.quota.product.clone(),
            secrets: [secret].into_iter().chain(reports.clone()).collect(),
            reports,
        }
    }

    /// One call with the account's token.
    fn call(&self, access: &Secret, method: &str, path: &str, body: Option<&Value>) -> Request {
        let mut carried = vec![("access_token", access.clone())];
        if self.proof {
            let proof = proof(self.account.secret(), access);
            carried.push(("appsecret_proof", Secret::new(proof)));
        }
        let mut headers: Vec<(String, String)> = carried
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.expose().to_owned()))
            .collect();
        let known = self.secrets.iter().map(|secret| ("secret", secret.clone()));
        if body.is_some() {
            let json = "application/json".to_owned();
            headers.push(("Content-Type".to_owned(), json));
        }
        Request {
            method: method.to_owned(),
            url: format!("{API}{path}").into(),
            headers,
            body: body.map_or_else(Bytes::new, |body| Bytes::from(body.to_string())),
            wait: Duration::ZERO,
            hidden: Hidden {
                answer: false,
                values: taken(carried.into_iter().chain(known)),
            },
            login: None,
        }
    }

    /// The picture that goes with a message, with its bytes.
    fn attached<'m>(&self, message: &'m Message) -> Option<(&'m Picture, &'m Bytes)> {
        let picture = message.content.picture.as_ref().filter(|_| self.attaches)?;
        Some((picture, message.picture.as_ref()?))
    }
}

impl Adapter for ZaloAdapter {
    fn step(&self, message: &Message, done: &[Exchange]) -> Step {
        let Some(access) = &message.kept.access else {
            return Step::Failed(unauthorised());
        };
        let step = match (done, self.attached(message)) {
            _ if self.format == Format::Article => self.article(message, access, done).0,
            (done, Some(attached)) => self.illustrated(message, attached, access, done),
            ([], None) => Step::Call(self.message(message, access, None)),
            ([.., exchange], None) => match Answer::read(exchange) {
                Ok(answer) => Step::accepted(answer.text("/message_id")),
                Err(failure) => Step::Failed(failure),
            },
        };
        match step {
            // Whichever call it was that night or a quota refused.
            Step::Failed(failure) => {
                Step::Failed(night::until(failure, message.sent_at, self.quiet))
            }
            other => other,
        }
    }

    fn wants_picture(&self) -> bool {
        match self.format {
            // The bytes are fetched, not sent; but what is not on record could not be fetched.
            Format::Article => self.pictures.is_some(),
            _ => self.attaches,
        }
    }

    fn gives_notes(&self) -> bool {
        self.format == Format::Article
    }

    fn note(&self, message: &Message, done: &[Exchange]) -> Option<Note> {
        let access = message.kept.access.as_ref()?;
        if !self.gives_notes() {
            return None;
        }
        self.article(message, access, done).1
    }

    fn report(
        &self,
        signature: Option<&str>,
        body: &[u8],
        now: Timestamp,
    ) -> Option<Result<Report, NotBelieved>> {
        let secret = self.reports.as_ref()?;
        Some(report::read(
            self.account.app(),
            secret,
            signature,
            body,
            now,
        ))
    }

    fn can_ask(&self) -> bool {
        // What is on record and what the account lists say how far an article came; of a message nothing can be asked.
        self.format == Format::Article
    }

    fn question(&self, access: Option<&Secret>, done: &[Exchange]) -> Option<Step> {
        // Without a token nothing can be asked, and that there is none is told elsewhere.
        let access = access?;
        Some(match done {
            [] => Step::Call(self.call(access, "GET", "/v2.0/oa/getoa", None)),
            [.., exchange] => match Answer::read(exchange) {
                Ok(_) => Step::accepted(None),
                Err(failure) => Step::Failed(failure.without_effect()),
            },
        })
    }

    fn name(&self) -> &'static str {
        "zalo"
    }

    fn host(&self) -> &str {
        &self.host
    }

    fn secrets(&self) -> &[Secret] {
        &self.secrets
    }

    fn account(&self) -> Option<&Account> {
        Some(&self.account)
    }

    fn meter(&self, access: &Secret) -> Option<(&str, Request)> {
        let product = self.product.as_deref()?;
        Some((product, self.ask_quota(access, product)))
    }
}

/// Until when a channel broadcasts nothing, and why, where it is night there at `now`.
#[must_use]
pub fn night(channel: &Channel, now: Timestamp) -> Option<(Timestamp, String)> {
    let AdapterConfig::Zalo(config) = &channel.adapter else {
        return None;
    };
    // A message to one person is no broadcast.
    let quiet = Some(config.quiet).filter(|_| channel.format == Format::Article)?;
    let detail = night::held(now, quiet)?.detail().to_owned();
    Some((night::morning(now, quiet)?, detail))
}

/// What a call carries and nobody may see.
fn taken<'n>(values: impl IntoIterator<Item = (&'n str, Secret)>) -> Vec<Taken> {
    let values = values.into_iter().map(|(name, value)| Taken {
        name: name.to_owned(),
        value,
        opens: true,
    });
    values.collect()
}

/// There is no token to call with.
#[must_use]
pub fn unauthorised() -> Failure {
    Failure::retry(Reason::Unauthorised, Detail::new("zalo-unauthorised"))
}

/// The header with which an application proves that it knows its own secret: HMAC-SHA256 of the access token under the
/// application's secret, in hexadecimal.
fn proof(secret: &Secret, access: &Secret) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes())
        .expect("HMAC takes keys of every length");
    mac.update(access.expose().as_bytes());
    hex(&mac.finalize().into_bytes())
}

/// Bytes in hexadecimal, in small letters.
fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    /// The inputs are those of the Java SDK's `AppSecretProofUtil`.
    #[test]
    fn the_proof_is_an_hmac_of_the_token() {
        assert_eq!(
            proof(&secret("appSecretKey"), &secret("accessToken")),
            "0584869ec908cfecf20763760e69c4baca98ac64aaeb6a938f47ca758dfe779f"
        );
    }
}
