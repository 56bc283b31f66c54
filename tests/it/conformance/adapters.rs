//! Adapters that are wrong on purpose: each is caught by the scenario that is meant for it, and the right one by none.
//!
//! All of them speak the same small language: `POST /login` gives a token, `POST /say` with it sends the words, `GET /state` tells
//! whether the device is alive.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use loa::{
    adapter::{
        Acts, Adapter, Exchange, Failure, Hidden, Hoped, Hopes, Login, Request, Response, Step,
        classify,
    },
    conformance::{Finding, Findings, Scenario, Subject, Verdict, examine},
    domain::{
        channel::{Channel, ChannelKind},
        delivery::Reason,
        detail::Detail,
        message::Message,
        secret::Secret,
    },
};
use serde_json::{Value, json};
use unicode_normalization::UnicodeNormalization as _;

use super::ground::{broken, folder, told};

/// What the device knows its caller by.
const PASSWORD: &str = "mat-khau/cua+loa=1";

/// What is wrong with an adapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flaw {
    None,
    FollowsRedirects,
    TellsSecrets,
    LogsSecrets,
    ShowsSecrets,
    ShowsItsToken,
    StripsMarks,
    Decomposes,
    WritesLatin,
    NeverRenews,
    KeepsADeadToken,
    RenewsForEver,
    Hammers,
    Panics,
    PanicsOnStrangers,
    ForgetsTheKey,
    BelievesSilence,
    BelievesNobody,
    BelievesHalves,
    ProbeBelieves500,
    ProbeSpeaks,
    SaysLess,
    SendsTwice,
    NeverEnds,
}

struct Device {
    flaw: Flaw,
    secrets: Vec<Secret>,
    /// A token that was once given.
    old: Mutex<Option<String>>,
}

impl std::fmt::Debug for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("Device");
        if self.flaw == Flaw::ShowsItsToken {
            shown.field("old", &self.old);
        }
        shown.finish_non_exhaustive()
    }
}

impl Device {
    fn new(flaw: Flaw) -> Self {
        Self {
            flaw,
            secrets: vec![Secret::new(PASSWORD.to_owned())],
            old: Mutex::default(),
        }
    }

    fn request(method: &str, path: &str, headers: &[(&str, &str)], body: Bytes) -> Request {
        let headers = headers.iter();
        Request {
            method: method.to_owned(),
            url: format!("http://10.0.2.1{path}").into(),
            headers: headers
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            body,
            wait: Duration::ZERO,
            hidden: Hidden::default(),
            login: None,
        }
    }

    fn login(&self) -> Request {
        let body = json!({ "password": PASSWORD }).to_string();
        let mut login = Self::request(
            "POST",
            "/login",
            &[("Content-Type", "application/json")],
            body.into(),
        );
        login.hidden.answer = true;
        if self.flaw == Flaw::KeepsADeadToken {
            login.login = Some(Login {
                key: "device".to_owned(),
                is_remembered: false,
            });
        }
        login
    }

    fn words(&self, message: &Message) -> String {
        let words = message.content.voiced();
        match self.flaw {
            Flaw::StripsMarks => words
                .nfd()
                .filter(|c| !('\u{300}'..='\u{36f}').contains(c))
                .map(|c| if c == 'đ' { 'd' } else { c })
                .collect(),
            Flaw::Decomposes => words.nfd().collect(),
            Flaw::SaysLess => words.chars().take(20).collect(),
            _ => words.into_owned(),
        }
    }

    fn say(&self, message: &Message, token: &str) -> Request {
        let key = match self.flaw {
            Flaw::ForgetsTheKey => message.nonce(""),
            _ => message.delivery.as_str().to_owned(),
        };
        let body = json!({ "text": self.words(message) }).to_string();
        let body = match self.flaw {
            // One byte a letter, as in the days before Unicode.
            Flaw::WritesLatin => body
                .chars()
                .map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?'))
                .collect(),
            _ => Bytes::from(body),
        };
        let bearer = format!("Bearer {token}");
        Self::request(
            "POST",
            "/say",
            &[
                ("Authorization", &bearer),
                ("X-Device-Key", PASSWORD),
                ("Idempotency-Key", &key),
                ("Content-Type", "application/json"),
            ],
            body,
        )
    }

    /// Reads the answer to the call that counts.
    fn judge(&self, exchange: &Exchange) -> Step {
        let flaw = self.flaw;
        let answer = match &exchange.result {
            Ok(answer) => answer,
            Err(fault) => {
                let believes = match fault.reason {
                    Reason::Cut => flaw == Flaw::BelievesHalves,
                    Reason::Timeout => flaw == Flaw::BelievesSilence,
                    _ => false,
                };
                return if believes {
                    Step::accepted(None)
                } else {
                    Step::Failed(classify(exchange))
                };
            }
        };
        if flaw == Flaw::LogsSecrets {
            tracing::info!(
                url = "http://10.0.2.1/login?p=mat-khau%2fcua%2bloa%3d1",
                "an answer came"
            );
        }
        if flaw == Flaw::PanicsOnStrangers {
            let _: Value = serde_json::from_slice(&answer.body).expect("the device speaks JSON");
        }
        let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        if answer.is_success() && said["ok"] == true {
            return Step::accepted(None);
        }
        let told = match flaw {
            Flaw::TellsSecrets => format!("http://10.0.2.1/login with {PASSWORD} was refused"),
            _ => Detail::new("call-status")
                .with("status", answer.status)
                .to_string(),
        };
        Step::Failed(match classify(exchange) {
            Failure::Reject {
                reason: Reason::Unexpected,
                ..
            } => Failure::unknown(Reason::Unexpected, told),
            Failure::Reject { reason, .. } => Failure::Reject {
                reason,
                detail: told,
            },
            other => other,
        })
    }
}

/// What the answer to a login gives.
fn token(exchange: &Exchange) -> Option<String> {
    let answer = exchange
        .result
        .as_ref()
        .ok()
        .filter(|answer| answer.is_success())?;
    let said: Value = serde_json::from_slice(&answer.body).ok()?;
    Some(said["token"].as_str()?.to_owned())
}

fn is_to(exchange: &Exchange, path: &str) -> bool {
    exchange.request.url.ends_with(path)
}

impl Adapter for Device {
    fn step(&self, message: &Message, done: &[Exchange]) -> Step {
        let flaw = self.flaw;
        assert!(flaw != Flaw::Panics, "wrong on purpose");
        let old = self.old.lock().unwrap().clone();
        if let (Flaw::NeverRenews, Some(old)) = (flaw, &old)
            && done.is_empty()
        {
            return Step::Call(self.say(message, old));
        }
        let Some(last) = done.last() else {
            return Step::Call(self.login());
        };
        if is_to(last, "/login") {
            if self.flaw == Flaw::BelievesNobody && last.result.is_err() {
                return Step::accepted(None);
            }
            let Some(token) = token(last) else {
                return Step::Failed(match classify(last).without_effect() {
                    Failure::Reject {
                        reason: Reason::Unexpected,
                        ..
                    } => Failure::retry(Reason::Unanswered, Detail::new("asked-cut")),
                    other => other,
                });
            };
            *self.old.lock().unwrap() = Some(token.clone());
            return Step::Call(self.say(message, &token));
        }
        let status = last
            .result
            .as_ref()
            .map_or(0, |answer: &Response| answer.status);
        let token = old.unwrap_or_default();
        match (flaw, status) {
            (Flaw::FollowsRedirects, 307) => {
                let answer = last.result.as_ref().unwrap();
                let to = answer.headers.get("location").unwrap().into_owned();
                return Step::Call(Request {
                    url: to.into(),
                    ..self.say(message, &token)
                });
            }
            (Flaw::RenewsForEver, 401) => return Step::Call(self.login()),
            (Flaw::Hammers, 503) => return Step::Call(self.say(message, &token)),
            (Flaw::NeverEnds, 200) => {
                return Step::Call(Self::request("GET", "/state", &[], Bytes::new()));
            }
            (Flaw::SendsTwice, 200) if done.len() == 2 => {
                return Step::Call(Request {
                    headers: vec![("Idempotency-Key".to_owned(), "another".to_owned())],
                    ..self.say(message, &token)
                });
            }
            _ => {}
        }
        self.judge(last)
    }

    fn probe(&self, done: &[Exchange]) -> Option<Step> {
        let Some(last) = done.last() else {
            let path = if self.flaw == Flaw::ProbeSpeaks {
                "/say"
            } else {
                "/state"
            };
            let method = if self.flaw == Flaw::ProbeSpeaks {
                "POST"
            } else {
                "GET"
            };
            return Some(Step::Call(Self::request(method, path, &[], Bytes::new())));
        };
        Some(match &last.result {
            Ok(answer) if self.flaw == Flaw::ProbeBelieves500 && answer.status == 500 => {
                Step::accepted(None)
            }
            Ok(answer) if answer.is_success() && answer.body.starts_with(b"{\"ok\":true") => {
                Step::accepted(None)
            }
            Ok(_) => Step::Failed(Failure::reject(
                Reason::Status,
                Detail::new("call-no-field"),
            )),
            Err(_) => Step::Failed(classify(last).without_effect()),
        })
    }

    fn hoped(
        &self,
        message: Option<&Message>,
        done: &[Exchange],
        hopes: Hopes<'_>,
    ) -> Option<Hoped> {
        let asks_state = self.flaw == Flaw::NeverEnds && done.len() > 1;
        let is_said = self.step_path(message, done) == "/say";
        let logs_in = message.is_some() && !is_said && !asks_state;
        let body = if logs_in {
            json!({ "ok": true, "token": hopes.given })
        } else {
            json!({ "ok": true })
        };
        Some(Hoped {
            status: 200,
            headers: Vec::new(),
            body: body.to_string().into(),
            acts: if is_said { Acts::New } else { Acts::Nothing },
            gives: logs_in,
            ..Hoped::default()
        })
    }

    fn lasts(&self, _: Option<&Message>, exchange: &Exchange) -> Option<Duration> {
        token(exchange).map(|_| Duration::from_mins(10))
    }

    fn ended(&self, _: &Message) -> Option<Hoped> {
        (self.flaw == Flaw::KeepsADeadToken).then(|| Hoped {
            status: 401,
            ..Hoped::default()
        })
    }

    fn name(&self) -> &'static str {
        "device"
    }

    fn host(&self) -> &'static str {
        "10.0.2.1"
    }

    fn secrets(&self) -> &[Secret] {
        match self.flaw {
            // Who does not say what is secret shows it.
            Flaw::ShowsSecrets => &[],
            _ => &self.secrets,
        }
    }
}

impl Device {
    /// Where the call at this point goes.
    fn step_path(&self, message: Option<&Message>, done: &[Exchange]) -> &'static str {
        let flaw = self.flaw;
        let Some(last) = done.last() else {
            let is_old = flaw == Flaw::NeverRenews && self.old.lock().unwrap().is_some();
            return match message {
                Some(_) if is_old => "/say",
                Some(_) => "/login",
                None if flaw == Flaw::ProbeSpeaks => "/say",
                None => "/state",
            };
        };
        if flaw == Flaw::RenewsForEver && is_to(last, "/say") {
            return "/login";
        }
        if flaw == Flaw::NeverEnds && done.len() > 1 {
            "/state"
        } else {
            "/say"
        }
    }
}

/// The channel of a loudspeaker or of a chat.
pub(super) fn channel(kind: ChannelKind) -> Channel {
    let workspace = folder().load();
    let id = if kind == ChannelKind::Chat {
        "kit-chat"
    } else {
        "loa-hb-1"
    };
    let found = workspace
        .channels
        .iter()
        .find(|(known, _)| known.as_str() == id);
    found.unwrap().1.clone()
}

async fn found(kind: ChannelKind, flaw: Flaw, is_wanted: impl Fn(&Scenario) -> bool) -> Findings {
    let channel = channel(kind);
    let subject = Subject {
        channel: &channel,
        ward_name: "phường Hưng Bình",
        adapter: Arc::new(Device::new(flaw)),
        secrets: vec![Secret::new(PASSWORD.to_owned())],
        warnings: Vec::new(),
    };
    examine(&subject, is_wanted).await.unwrap()
}

#[tokio::test]
async fn the_right_one_is_caught_by_none() {
    for kind in [ChannelKind::Loudspeaker, ChannelKind::Chat] {
        let found = found(kind, Flaw::None, |_| true).await;
        assert!(broken(&found).is_empty(), "{kind:?} {}", told(&found));
        let spared = |one: &&Finding| matches!(one.verdict, Verdict::Spared(_));
        let spared = found.all.iter().filter(spared).map(|one| one.scenario.id);
        // What it cannot do is examined in `interrupting`, `recipes` and `calls`.
        let beyond = [
            "secrets-receipt",
            "challenge",
            "stop",
            "stop-refused",
            "stop-silent",
            "stop-repeated",
            "picture",
            "no-picture",
            "picture-repeated",
            "asked-later",
            "question-error",
            "question-unauthorised",
            "question-forbidden",
            "question-stranger",
            "question-foreign",
            "there-already",
            "found-again",
            "confirm-error",
            "confirm-gone",
            "confirm-stranger",
            "confirm-lost",
            "quiet-calls",
            "secret-owners",
        ];
        assert_eq!(spared.collect::<Vec<_>>(), beyond, "{}", told(&found));
    }
}

#[tokio::test]
async fn every_wrong_one_is_caught_by_the_scenario_that_is_meant_for_it() {
    use ChannelKind::{Chat, Loudspeaker};
    let mut missed = Vec::new();
    for (flaw, kind, scenario, code) in [
        (Flaw::FollowsRedirects, Loudspeaker, "redirect", "followed"),
        (Flaw::TellsSecrets, Loudspeaker, "secrets-refused", "leaked"),
        (Flaw::LogsSecrets, Loudspeaker, "secrets", "leaked"),
        (Flaw::ShowsSecrets, Loudspeaker, "secrets", "leaked"),
        (Flaw::ShowsItsToken, Loudspeaker, "secrets", "leaked"),
        (Flaw::StripsMarks, Loudspeaker, "vietnamese-nfc", "words"),
        (Flaw::StripsMarks, Loudspeaker, "vietnamese-nfd", "words"),
        (Flaw::Decomposes, Loudspeaker, "vietnamese-nfc", "words"),
        (Flaw::WritesLatin, Loudspeaker, "vietnamese-nfc", "words"),
        (Flaw::SaysLess, Loudspeaker, "vietnamese-nfc", "words"),
        (Flaw::NeverRenews, Loudspeaker, "renewal", "old-token"),
        (Flaw::KeepsADeadToken, Loudspeaker, "renewal", "no-renewal"),
        (Flaw::RenewsForEver, Loudspeaker, "unauthorised", "hammers"),
        (Flaw::Hammers, Loudspeaker, "unavailable", "hammers"),
        (Flaw::Panics, Loudspeaker, "accepted", "panicked"),
        (Flaw::PanicsOnStrangers, Loudspeaker, "stranger", "panicked"),
        (
            Flaw::PanicsOnStrangers,
            Loudspeaker,
            "wrong-charset",
            "panicked",
        ),
        (Flaw::ForgetsTheKey, Chat, "resend", "other-key"),
        (Flaw::ForgetsTheKey, Chat, "timeout", "other-key"),
        (
            Flaw::BelievesNobody,
            Loudspeaker,
            "no-connection",
            "said-yes",
        ),
        (Flaw::BelievesSilence, Loudspeaker, "timeout", "said-yes"),
        (Flaw::BelievesSilence, Loudspeaker, "slow-body", "said-yes"),
        (Flaw::BelievesHalves, Loudspeaker, "cut", "said-yes"),
        (
            Flaw::ProbeBelieves500,
            Loudspeaker,
            "probe-error",
            "said-well",
        ),
        (Flaw::ProbeSpeaks, Loudspeaker, "probe-well", "probe-acts"),
        (Flaw::SendsTwice, Loudspeaker, "accepted", "again"),
        (Flaw::SendsTwice, Chat, "accepted", "other-key"),
        (Flaw::NeverEnds, Loudspeaker, "accepted", "hammers"),
    ] {
        let found = found(kind, flaw, |one| one.id == scenario).await;
        let codes = broken(&found).remove(scenario).unwrap_or_default();
        if !codes.contains(&code) {
            missed.push(format!(
                "{flaw:?} in {scenario}: {codes:?}\n{}",
                told(&found)
            ));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}
