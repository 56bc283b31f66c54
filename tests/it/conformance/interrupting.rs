//! Adapters that are wrong on purpose in what only some do: telling a device to stop, sending pictures, keeping a receiver's own
//! reference. Each is caught by the scenario that is meant for it, and the right one by none.
//!
//! All of them speak the same small language: `POST /stop` ends what plays, `PUT /picture` brings a picture, `POST /say` sends the words and
//! gives an `id`, `GET /there` tells whether they have come.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use loa::{
    adapter::{
        Acts, Adapter, Exchange, Failure, Hidden, Hoped, Hopes, Request, Response, Step, classify,
    },
    conformance::{Findings, Scenario, Subject, Verdict, examine},
    domain::{
        channel::ChannelKind, delivery::Reason, detail::Detail, message::Message, secret::Secret,
    },
};
use serde_json::{Value, json};

use super::{
    adapters::channel,
    ground::{broken, told},
};

const KEY: &str = "khoa-cua-thiet-bi-7";

/// What such an adapter is examined for.
const SCENARIOS: [&str; 8] = [
    "secrets-receipt",
    "stop",
    "stop-refused",
    "stop-silent",
    "stop-repeated",
    "picture",
    "no-picture",
    "picture-repeated",
];

/// What is wrong with an adapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flaw {
    None,
    NeverStops,
    StopsLate,
    StopsBeforeAsking,
    GivesUpWithoutStop,
    BelievesEveryStop,
    DeniesEveryStop,
    CutsPictures,
    SendsPicturesTwice,
    SendsPicturesBeforeAsking,
    SendsNoPictures,
    SendsEmptyPictures,
    ShowsItsKey,
}

#[derive(Debug)]
struct Speaker {
    flaw: Flaw,
    secrets: Vec<Secret>,
}

fn says(exchange: &Exchange) -> Option<Value> {
    let answer = exchange.result.as_ref().ok();
    let answer = answer.filter(|answer| answer.is_success())?;
    serde_json::from_slice(&answer.body).ok()
}

impl Speaker {
    /// The calls of an attempt, as far as they are known after `done`.
    fn plan(&self, message: &Message, done: &[Exchange]) -> Vec<&'static str> {
        let flaw = self.flaw;
        let repeats = message.attempt > 1;
        let has_picture = message.content.picture.is_some() && flaw != Flaw::SendsNoPictures;
        let shows = has_picture || flaw == Flaw::SendsEmptyPictures;
        let mut plan = Vec::new();
        if repeats && message.preempts && flaw == Flaw::StopsBeforeAsking {
            plan.push("/stop");
        }
        if repeats && shows && flaw == Flaw::SendsPicturesBeforeAsking {
            plan.push("/picture");
        }
        if repeats {
            let asked = done.get(plan.len()).and_then(says);
            plan.push("/there");
            if asked.is_some_and(|said| said["there"] == true) {
                return plan;
            }
        }
        let stops = message.preempts && flaw != Flaw::NeverStops && !plan.contains(&"/stop");
        if stops && flaw != Flaw::StopsLate {
            plan.push("/stop");
        }
        let times = if flaw == Flaw::SendsPicturesTwice {
            2
        } else {
            1
        };
        plan.extend(std::iter::repeat_n(
            "/picture",
            if shows { times } else { 0 },
        ));
        plan.push("/say");
        if stops && flaw == Flaw::StopsLate {
            plan.push("/stop");
        }
        plan
    }

    fn request(&self, path: &str, message: &Message) -> Request {
        let picture = message.picture.clone().unwrap_or_default();
        let (method, kind, body) = match path {
            "/there" => ("GET", "text/plain", Bytes::new()),
            "/picture" if self.flaw == Flaw::CutsPictures => {
                ("PUT", "image/png", picture.slice(..picture.len() - 1))
            }
            "/picture" => ("PUT", "image/png", picture),
            "/stop" => ("POST", "text/plain", Bytes::new()),
            _ => {
                let said = json!({ "text": message.content.voiced() });
                ("POST", "application/json", said.to_string().into())
            }
        };
        let headers = [
            ("Content-Type", kind),
            ("X-Device-Key", KEY),
            ("Idempotency-Key", message.delivery.as_str()),
        ];
        Request {
            method: method.to_owned(),
            url: format!("http://10.0.2.1{path}").into(),
            headers: headers
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            body,
            wait: Duration::ZERO,
            hidden: Hidden::default(),
            login: None,
        }
    }
}

impl Adapter for Speaker {
    fn step(&self, message: &Message, done: &[Exchange]) -> Step {
        let mut receipt = None;
        for (at, path) in self.plan(message, done).into_iter().enumerate() {
            let Some(exchange) = done.get(at) else {
                return Step::Call(self.request(path, message));
            };
            let said = says(exchange);
            match (path, said) {
                ("/stop", None) if self.flaw == Flaw::GivesUpWithoutStop => {
                    let detail = Detail::new("call-no-field");
                    return Step::Failed(Failure::reject(Reason::Unexpected, detail));
                }
                ("/stop", _) | ("/there" | "/picture", Some(_)) => {}
                ("/say", Some(said)) if said["ok"] == true => {
                    receipt = said["id"].as_str().map(str::to_owned);
                }
                ("/say", _) => return Step::Failed(classify(exchange)),
                (_, _) => return Step::Failed(classify(exchange).without_effect()),
            }
        }
        Step::accepted(receipt)
    }

    fn can_ask(&self) -> bool {
        true
    }

    fn can_stop(&self) -> bool {
        true
    }

    fn wants_picture(&self) -> bool {
        true
    }

    fn stopped(&self, message: &Message, done: &[Exchange]) -> Option<bool> {
        let plan = self.plan(message, done);
        let at = plan.into_iter().position(|path| path == "/stop")?;
        let stopped = done
            .get(at)?
            .result
            .as_ref()
            .is_ok_and(Response::is_success);
        Some(match self.flaw {
            Flaw::BelievesEveryStop => true,
            Flaw::DeniesEveryStop => false,
            _ => stopped,
        })
    }

    fn hoped(
        &self,
        message: Option<&Message>,
        done: &[Exchange],
        hopes: Hopes<'_>,
    ) -> Option<Hoped> {
        let path = *self.plan(message?, done).get(done.len())?;
        let id = hopes.receipt.unwrap_or("1");
        let body = json!({ "ok": true, "id": id, "there": hopes.is_there });
        Some(Hoped {
            status: 200,
            headers: Vec::new(),
            body: body.to_string().into(),
            acts: if path == "/say" {
                Acts::New
            } else {
                Acts::Nothing
            },
            ..Hoped::default()
        })
    }

    fn name(&self) -> &'static str {
        "speaker"
    }

    fn host(&self) -> &'static str {
        "10.0.2.1"
    }

    fn secrets(&self) -> &[Secret] {
        match self.flaw {
            // Who does not say what is secret shows it.
            Flaw::ShowsItsKey => &[],
            _ => &self.secrets,
        }
    }
}

async fn found(flaw: Flaw, is_wanted: impl Fn(&Scenario) -> bool) -> Findings {
    let channel = channel(ChannelKind::Loudspeaker);
    let secrets = vec![Secret::new(KEY.to_owned())];
    let subject = Subject {
        channel: &channel,
        ward_name: "phường Hưng Bình",
        adapter: Arc::new(Speaker {
            flaw,
            secrets: secrets.clone(),
        }),
        secrets,
        warnings: Vec::new(),
    };
    examine(&subject, is_wanted).await.unwrap()
}

#[tokio::test]
async fn the_right_one_holds_whatever_it_can() {
    let found = found(Flaw::None, |one| SCENARIOS.contains(&one.id)).await;
    let held = |id: &str| {
        let mut all = found.all.iter();
        all.any(|one| one.scenario.id == id && one.verdict == Verdict::Held)
    };
    assert!(SCENARIOS.into_iter().all(held), "{}", told(&found));
}

#[tokio::test]
async fn every_wrong_one_is_caught_by_the_scenario_that_is_meant_for_it() {
    let mut missed = Vec::new();
    for (flaw, scenario, code) in [
        (Flaw::ShowsItsKey, "secrets-receipt", "leaked"),
        (Flaw::NeverStops, "stop", "no-stop"),
        (Flaw::StopsLate, "stop", "no-stop"),
        (Flaw::StopsLate, "stop", "stops-itself"),
        (Flaw::DeniesEveryStop, "stop", "stop-unsaid"),
        (Flaw::GivesUpWithoutStop, "stop-refused", "not-yes"),
        (Flaw::BelievesEveryStop, "stop-refused", "stop-believed"),
        (Flaw::GivesUpWithoutStop, "stop-silent", "not-yes"),
        (Flaw::BelievesEveryStop, "stop-silent", "stop-believed"),
        (Flaw::StopsBeforeAsking, "stop-repeated", "stops-itself"),
        (Flaw::CutsPictures, "picture", "picture-lost"),
        (Flaw::SendsNoPictures, "picture", "picture-lost"),
        (Flaw::SendsPicturesTwice, "picture", "picture-again"),
        (Flaw::SendsEmptyPictures, "no-picture", "picture-empty"),
        (
            Flaw::SendsPicturesBeforeAsking,
            "picture-repeated",
            "picture-again",
        ),
    ] {
        let found = found(flaw, |one| one.id == scenario).await;
        let codes = broken(&found).remove(scenario).unwrap_or_default();
        if !codes.contains(&code) {
            missed.push(format!("{flaw:?} in {scenario}:\n{}", told(&found)));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}
