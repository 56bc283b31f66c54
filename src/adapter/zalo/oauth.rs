//! How an Official Account permits an application to act (OAuth v4): consent, and pairs of tokens.
//!
//! Pure: requests are made and answers read here; `daemon/keeper` and `loa zalo authorize` make the calls.
//!
//! - A refresh token is good for one use and comes with its successor. Whoever loses the answer has lost both, so a pair is
//!   put on record before it is used, and nothing but two tokens that are not empty is taken for a pair.
//! - Refusals come with HTTP 200 as well, as `error`, `error_name`, `error_reason` or `error_description`, in any
//!   combination.

use std::{fmt, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{
    answer::{self, LONGEST},
    taken,
};
use crate::{
    adapter::{Exchange, Hidden, Request, quote},
    domain::{detail::Detail, id::AccountId, secret::Secret, zalo::ZaloConfig},
    template::urlencode,
};

/// Where consent is given and tokens are had.
const OAUTH: &str = "https://oauth.zaloapp.com";

/// How long an access token lives where the answer does not say: 25 hours, as three sources have it.
const USUAL_LIFE: Duration = Duration::from_hours(25);

/// Fields of a request for tokens that everybody may know.
const OPEN: [&str; 2] = ["app_id", "grant_type"];

/// Where an answer without a pair says why, the best first.
const SAID: [&str; 4] = ["error_name", "error_reason", "error_description", "message"];

/// Words of what may pass, in small letters.
const PASSING: [&str; 8] = [
    "too many",
    "limit",
    "temporar",
    "unavailable",
    "try again",
    "server error",
    "internal",
    "timeout",
];

/// Words of a token or an application that is no good, in small letters.
const CLEAR: [&str; 10] = [
    "invalid",
    "expired",
    "revoked",
    "denied",
    "unauthorized",
    "not exist",
    "not found",
    "disabled",
    "already used",
    "unsupported grant",
];

/// What an answer may say of that without being taken for a mistake.
const LIVES: std::ops::RangeInclusive<u64> = 60..=400 * 24 * 3600;

/// An application at an Official Account.
#[derive(Clone)]
pub struct Account {
    id: AccountId,
    app: String,
    oa: String,
    callback: String,
    secret: Secret,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Account").field(&self.id.as_str()).finish()
    }
}

/// Two tokens that were given together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// What calls carry.
    pub access: Secret,
    /// What the next pair is had for, once.
    pub refresh: Secret,
    /// How long the access token lives.
    pub life: Duration,
}

/// Why there is no new pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoPair {
    /// The answer is no. Nothing was spent.
    Refused(Detail),
    /// Zalo asks for patience, or says no without saying that the token or the application is no good. Nothing was spent.
    Busy {
        /// What people are told.
        detail: Detail,
        /// How long Zalo wants to be left alone, where it says so.
        after: Option<Duration>,
    },
    /// It did not get that far; what was sent never left.
    NeverLeft(Detail),
    /// It cannot be told whether what was sent was spent.
    Unclear(Detail),
}

impl NoPair {
    /// What people are told.
    #[must_use]
    pub fn detail(&self) -> &Detail {
        match self {
            Self::Refused(detail)
            | Self::Busy { detail, .. }
            | Self::NeverLeft(detail)
            | Self::Unclear(detail) => detail,
        }
    }

    /// Whether it is the authorisation code that is refused: it was used, or is older than ten minutes. Neither the application
    /// nor its secret is to blame then.
    #[must_use]
    pub fn is_about_code(&self) -> bool {
        let Self::Refused(detail) = self else {
            return false;
        };
        let said = plain(detail.get("said").unwrap_or_default());
        detail.get("code") == Some("-14005")
            || [
                "invalid code",
                "code expired",
                "expired code",
                "authorization code",
            ]
            .iter()
            .any(|words| said.contains(words))
    }
}

/// What the callback address carried.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Callback {
    /// The authorisation code: good once, for ten minutes.
    pub code: String,
    /// For which Official Account.
    pub oa: Option<String>,
    /// What the consent address was made with.
    pub state: Option<String>,
}

impl Account {
    /// Of a channel.
    #[must_use]
    pub fn new(config: &ZaloConfig, secret: Secret) -> Self {
        Self {
            id: AccountId::zalo(&config.app, &config.oa),
            app: config.app.clone(),
            oa: config.oa.clone(),
            callback: config.callback.clone(),
            secret,
        }
    }

    /// What its tokens are kept under.
    #[must_use]
    pub fn id(&self) -> &AccountId {
        &self.id
    }

    /// The Official Account's id.
    #[must_use]
    pub fn oa(&self) -> &str {
        &self.oa
    }

    /// The application's id.
    pub(super) fn app(&self) -> &str {
        &self.app
    }

    /// The application's secret.
    pub(super) fn secret(&self) -> &Secret {
        &self.secret
    }

    /// The page on which an administrator of the Official Account consents. `verifier` is kept for [`Account::exchange`].
    #[must_use]
    pub fn consent(&self, verifier: &Secret, state: &str) -> String {
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.expose().as_bytes()));
        let form = form(&[
            ("app_id", &self.app),
            ("redirect_uri", &self.callback),
            ("code_challenge", &challenge),
            ("state", state),
        ]);
        format!("{OAUTH}/v4/oa/permission?{form}")
    }

    /// The first pair, for an authorisation code.
    #[must_use]
    pub fn exchange(&self, code: &str, verifier: &Secret) -> Request {
        self.ask(&[
            ("code", code),
            ("app_id", &self.app),
            ("grant_type", "authorization_code"),
            ("code_verifier", verifier.expose()),
        ])
    }

    /// The next pair, for a refresh token.
    #[must_use]
    pub fn refresh(&self, refresh: &Secret) -> Request {
        self.ask(&[
            ("refresh_token", refresh.expose()),
            ("app_id", &self.app),
            ("grant_type", "refresh_token"),
        ])
    }

    fn ask(&self, fields: &[(&str, &str)]) -> Request {
        let carried = fields
            .iter()
            .filter(|(name, _)| !OPEN.contains(name))
            .chain(&[("secret_key", self.secret.expose())])
            // As it is, and as it stands in the form.
            .flat_map(|(name, value)| {
                [(*value).to_owned(), urlencode(value)].map(|value| (*name, Secret::new(value)))
            })
            .collect::<Vec<_>>();
        let headers = [
            ("secret_key", self.secret.expose()),
            ("Content-Type", "application/x-www-form-urlencoded"),
        ];
        Request {
            method: "POST".to_owned(),
            url: format!("{OAUTH}/v4/oa/access_token").into(),
            headers: headers
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            body: Bytes::from(form(fields)),
            wait: Duration::ZERO,
            hidden: Hidden {
                answer: true,
                values: taken(carried),
            },
            login: None,
        }
    }
}

/// Reads what came of [`Account::exchange`] or [`Account::refresh`].
///
/// # Errors
/// [`NoPair`].
pub fn read(exchange: &Exchange) -> Result<Pair, NoPair> {
    let answer = match &exchange.result {
        Ok(answer) => answer,
        Err(fault) => {
            let detail = Detail::new("zalo-no-answer").with("reason", fault.reason.as_str());
            return Err(if fault.may_have_left {
                NoPair::Unclear(detail)
            } else {
                NoPair::NeverLeft(detail)
            });
        }
    };
    // A pair is lost with its answer. So a byte that is no text keeps nobody from reading the rest.
    let json: Value =
        serde_json::from_str(&String::from_utf8_lossy(&answer.body)).unwrap_or_default();
    let token = |name: &str| {
        let text = json.get(name)?.as_str()?.trim();
        let is_whole = !text.is_empty() && !text.contains(char::REPLACEMENT_CHARACTER);
        is_whole.then(|| Secret::new(text.to_owned()))
    };
    let tokens = ["access_token", "refresh_token"].map(token);
    if let [Some(access), Some(refresh)] = tokens {
        let life = life(json.get("expires_in")).unwrap_or(USUAL_LIFE);
        return Ok(Pair {
            access,
            refresh,
            life,
        });
    }
    let code = json
        .get("error")
        .and_then(integer)
        .filter(|code| *code != 0);
    // What it was sent, and what it gave of a pair.
    let secrets: Vec<Secret> = exchange
        .request
        .hidden_values()
        .into_iter()
        .chain(tokens.into_iter().flatten())
        .collect();
    let word = |name: &str| {
        let text = json.get(name)?.as_str()?.trim();
        (!text.is_empty()).then(|| quote(text, &secrets, LONGEST))
    };
    let said = SAID.into_iter().find_map(word);
    let name = word("error_name").or_else(|| word("error_description"));
    let after = answer.retry_after;
    if code.is_none() && name.is_none() {
        let busy = matches!(answer.status, 429 | 503);
        let detail = Detail::new("zalo-no-pair").with("status", answer.status);
        return Err(if busy {
            NoPair::Busy { detail, after }
        } else {
            // Two tokens were not there: what was sent may be spent all the same.
            NoPair::Unclear(detail)
        });
    }
    let all: Vec<String> = SAID.into_iter().filter_map(word).collect();
    let words = plain(&all.join(" "));
    let status = format!("HTTP {}", answer.status);
    let told = |word: &str| {
        let code = code.map_or_else(|| status.clone(), |code| code.to_string());
        Detail::new(word)
            .with("code", code)
            .with("said", said.clone().unwrap_or_default())
    };
    let later = || {
        let code = code.map_or_else(|| status.clone(), |code| format!("{code}, {status}"));
        Detail::new("zalo-no-tokens")
            .with("code", code)
            .with("said", said.clone().unwrap_or_default())
    };
    Err(match answer.status {
        // Whatever stands in it: a gateway, a limit or a breakdown says nothing of the token.
        408 | 425 | 429 | 503 => NoPair::Busy {
            detail: later(),
            after,
        },
        500.. => NoPair::Unclear(later()),
        status if is_clear(status, code, &words) => {
            // Then nothing is wrong with the application or its secret.
            let is_lapsed = words.contains("refresh token");
            let word = if is_lapsed {
                "zalo-lapsed"
            } else {
                "zalo-refused"
            };
            NoPair::Refused(told(word))
        }
        _ => NoPair::Busy {
            detail: later(),
            after,
        },
    })
}

/// Words without what differs between the forms in which refusals come.
fn plain(words: &str) -> String {
    words.to_lowercase().replace(['_', '-'], " ")
}

/// Whether an answer says that the token or the application is no good, so that only a person can help: the codes of the
/// authorisation server's own (-14003 and its neighbours) and those of the other table that say so, the statuses with which
/// RFC 6749 (section 5.2) has a token refused, and the words that were seen. All else may pass.
fn is_clear(status: u16, code: Option<i64>, words: &str) -> bool {
    if PASSING.iter().any(|passing| words.contains(passing)) {
        return false;
    }
    match code {
        Some(-14_999..=-14_000) => return true,
        Some(code) if answer::is_known(code) => return answer::is_final(code),
        _ => {}
    }
    matches!(status, 400 | 401) || CLEAR.iter().any(|clear| words.contains(clear))
}

/// A length in seconds, as a number or as a text of digits: both were seen.
fn life(value: Option<&Value>) -> Option<Duration> {
    let seconds = integer(value?).and_then(|seconds| u64::try_from(seconds).ok())?;
    LIVES
        .contains(&seconds)
        .then(|| Duration::from_secs(seconds))
}

/// A whole number, written as one or as a text.
pub(super) fn integer(value: &Value) -> Option<i64> {
    value
        .as_i64()
        .or_else(|| value.as_str()?.trim().parse().ok())
}

/// Reads what an operator pasted: the whole callback address, or the code alone.
#[must_use]
pub fn callback(pasted: &str) -> Option<Callback> {
    let pasted = pasted.trim();
    let Some((_, query)) = pasted.split_once('?') else {
        let is_code = !pasted.is_empty() && !pasted.contains(['/', ' ', '&', '=']);
        return is_code.then(|| Callback {
            code: pasted.to_owned(),
            ..Callback::default()
        });
    };
    let query = query.split('#').next().unwrap_or_default();
    let mut found = Callback::default();
    for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
        let value = decode(value);
        match name {
            "code" => found.code = value,
            "oa_id" => found.oa = Some(value),
            "state" => found.state = Some(value),
            _ => {}
        }
    }
    (!found.code.is_empty()).then_some(found)
}

/// A visit to a consent page, as a browser makes it: only in the simulated city does anybody consent without a person.
#[must_use]
pub fn visit(consent: &str) -> Request {
    Request {
        method: "GET".to_owned(),
        url: consent.into(),
        headers: Vec::new(),
        body: Bytes::new(),
        wait: Duration::ZERO,
        hidden: Hidden {
            answer: true,
            values: Vec::new(),
        },
        login: None,
    }
}

/// Names and values as a form has them.
fn form(fields: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{name}={}", urlencode(value)))
        .collect();
    pairs.join("&")
}

fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let digits = text.get(at + 1..at + 3);
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (bytes[at], byte) {
            (b'%', Some(byte)) => {
                decoded.push(byte);
                at += 2;
            }
            (b'+', _) => decoded.push(b' '),
            (other, _) => decoded.push(other),
        }
        at += 1;
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests;
