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

use super::{answer::LONGEST, taken};
use crate::{
    adapter::{Exchange, Hidden, Request, quote},
    domain::{detail::Detail, id::AccountId, secret::Secret, zalo::ZaloConfig},
    template::urlencode,
};

/// Where consent is given and tokens are had.
pub const OAUTH: &str = "https://oauth.zaloapp.com";

/// How long an access token lives where the answer does not say: 25 hours, as three sources have it.
const USUAL_LIFE: Duration = Duration::from_hours(25);

/// Fields of a request for tokens that everybody may know.
const OPEN: [&str; 2] = ["app_id", "grant_type"];

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
    /// Zalo asks for patience. Nothing was spent.
    Busy(Detail),
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
            | Self::Busy(detail)
            | Self::NeverLeft(detail)
            | Self::Unclear(detail) => detail,
        }
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
    let json: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let token = |name: &str| {
        let text = json.get(name)?.as_str()?.trim();
        (!text.is_empty()).then(|| Secret::new(text.to_owned()))
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
    let said = ["error_name", "error_reason", "error_description", "message"]
        .into_iter()
        .find_map(word);
    let name = word("error_name").or_else(|| word("error_description"));
    if code.is_none() && name.is_none() {
        let busy = matches!(answer.status, 429 | 503);
        let detail = Detail::new("zalo-no-pair").with("status", answer.status);
        return Err(if busy {
            NoPair::Busy(detail)
        } else {
            // Two tokens were not there: what was sent may be spent all the same.
            NoPair::Unclear(detail)
        });
    }
    let shown = code.map_or_else(|| "-".to_owned(), |code| code.to_string());
    let detail = Detail::new("zalo-refused")
        .with("code", shown)
        .with("said", said.unwrap_or_default());
    Err(if code == Some(-32) {
        NoPair::Busy(detail)
    } else {
        NoPair::Refused(detail)
    })
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
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        adapter::{Fault, Response},
        domain::{
            delivery::Reason,
            secret::SecretRef,
            zalo::{Correction, Quiet, Quota},
        },
    };

    fn account() -> Account {
        let config = ZaloConfig {
            app: "123".into(),
            oa: "456".into(),
            secret: SecretRef::Env("X".into()),
            callback: "https://loa.vinh.example/zalo?a=1".into(),
            proof: false,
            user: None,
            cover: None,
            pictures: None,
            picture: false,
            author: None,
            comments: true,
            correction: Correction::default(),
            quiet: Quiet::default(),
            reports: None,
            quota: Quota::default(),
        };
        Account::new(&config, Secret::new("khoa-ung-dung".into()))
    }

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    fn answered(status: u16, body: &str) -> Exchange {
        Exchange {
            request: account().refresh(&secret("r1")),
            result: Ok(Response {
                status,
                body: body.to_owned().into(),
                ..Response::default()
            }),
        }
    }

    #[test]
    fn requests_are_forms_with_the_secret_in_a_header() {
        let request = account().refresh(&secret("r/1+="));
        assert_eq!(request.method, "POST");
        assert_eq!(
            *request.url,
            *"https://oauth.zaloapp.com/v4/oa/access_token"
        );
        assert_eq!(
            &request.body[..],
            b"refresh_token=r%2F1%2B%3D&app_id=123&grant_type=refresh_token"
        );
        assert!(request.hidden.answer);
        assert!(
            request
                .headers
                .contains(&("secret_key".into(), "khoa-ung-dung".into()))
        );
        let request = account().exchange("c", &secret("v"));
        assert_eq!(
            &request.body[..],
            b"code=c&app_id=123&grant_type=authorization_code&code_verifier=v"
        );
        let shown = format!("{request:?} {:?}", account());
        assert!(!shown.contains("khoa-ung-dung"), "{shown}");
    }

    /// The verifier and its challenge are the example of RFC 7636, appendix B.
    #[test]
    fn the_consent_page_is_asked_for_with_a_challenge() {
        let verifier = secret("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(
            account().consent(&verifier, "s"),
            "https://oauth.zaloapp.com/v4/oa/permission?app_id=123&\
             redirect_uri=https%3A%2F%2Floa.vinh.example%2Fzalo%3Fa%3D1&\
             code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&state=s"
        );
    }

    #[test]
    fn a_pair_is_two_tokens_and_nothing_less() {
        let pair = |life: u64| Pair {
            access: secret("a2"),
            refresh: secret("r2"),
            life: Duration::from_secs(life),
        };
        for (expires, life) in [
            (r#","expires_in":"3600""#, 3600),
            (r#","expires_in":3600"#, 3600),
            (r#","expires_in":"soon""#, 90_000),
            (r#","expires_in":-1"#, 90_000),
            (r#","expires_in":0"#, 90_000),
            (r#","expires_in":99999999999"#, 90_000),
            ("", 90_000),
        ] {
            let body = format!(r#"{{"access_token":"a2","refresh_token":" r2 "{expires}}}"#);
            assert_eq!(read(&answered(200, &body)), Ok(pair(life)), "{expires}");
        }
        for body in [
            "",
            "{}",
            "[]",
            "<html>",
            r#"{"access_token":"a2"}"#,
            r#"{"refresh_token":"r2"}"#,
            r#"{"access_token":"a2","refresh_token":""}"#,
            r#"{"access_token":"  ","refresh_token":"r2"}"#,
            r#"{"access_token":"a2","refresh_token":null}"#,
            r#"{"access_token":1,"refresh_token":"r2"}"#,
            r#"{"error":0,"message":"Success"}"#,
        ] {
            let read = read(&answered(200, body));
            assert!(matches!(read, Err(NoPair::Unclear(_))), "{body}: {read:?}");
        }
    }

    #[test]
    fn refusals_come_in_many_forms() {
        for (status, body, code, said) in [
            (
                200,
                r#"{"error_name":"Invalid refresh token","error_reason":"x"}"#,
                "-",
                "Invalid refresh token",
            ),
            (
                400,
                r#"{"error":-14,"error_description":"bad"}"#,
                "-14",
                "bad",
            ),
            (200, r#"{"error":"-201","message":"no"}"#, "-201", "no"),
            (200, r#"{"error_description":"gone"}"#, "-", "gone"),
        ] {
            let expected = Detail::new("zalo-refused")
                .with("code", code)
                .with("said", said);
            assert_eq!(
                read(&answered(status, body)),
                Err(NoPair::Refused(expected)),
                "{body}"
            );
        }
        for (status, body) in [(200, r#"{"error":-32}"#), (503, ""), (429, "{}")] {
            let read = read(&answered(status, body));
            assert!(matches!(read, Err(NoPair::Busy(_))), "{body}: {read:?}");
        }
        for (may_have_left, left) in [(true, true), (false, false)] {
            let mut exchange = answered(200, "");
            exchange.result = Err(Fault {
                may_have_left,
                reason: Reason::Timeout,
                detail: String::new(),
            });
            let is_unclear = matches!(read(&exchange), Err(NoPair::Unclear(_)));
            assert_eq!(is_unclear, left);
        }
    }

    #[test]
    fn what_is_said_repeats_no_secret() {
        let body = json!({
            "error_name": format!("{} of khoa-ung-dung: r/abc+, r%2Fabc%2B, new-refresh, code-12345", "x".repeat(60)),
            "error": -1,
            "refresh_token": "new-refresh",
        });
        let said = |request: Request| {
            let mut exchange = answered(200, &body.to_string());
            exchange.request = request;
            let no_pair = read(&exchange).unwrap_err();
            no_pair.detail().get("said").unwrap().to_owned()
        };
        let x = "x".repeat(60);
        assert_eq!(
            said(account().refresh(&secret("r/abc+"))),
            format!("{x} of ***: ***, ***, ***, code-12345")
        );
        assert_eq!(
            said(account().exchange("code-12345", &secret("r/abc+"))),
            format!("{x} of ***: ***, ***, ***, ***")
        );
    }

    #[test]
    fn what_an_operator_pastes() {
        let whole = "https://loa.vinh.example/zalo?oa_id=456&code=a%2Bb+c&state=s#top";
        let expected = Callback {
            code: "a+b c".into(),
            oa: Some("456".into()),
            state: Some("s".into()),
        };
        assert_eq!(callback(whole), Some(expected));
        assert_eq!(callback("  abc-_. \n").unwrap().code, "abc-_.");
        for nothing in [
            "",
            "https://loa.vinh.example/zalo",
            "https://x/?code=",
            "https://oauth.zaloapp.com/v4/permission/error?error_code=-14003",
            "two words",
        ] {
            assert_eq!(callback(nothing), None, "{nothing}");
        }
        assert_eq!(decode("%zz%4"), "%zz%4");
        assert_eq!(decode("%C3%A1%"), "á%");
    }
}
