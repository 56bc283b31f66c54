//! The adapter alone: tables of answers, the calls that follow, and the notes before them.

use std::{sync::Arc, time::Duration};

use loa::{
    adapter::{Adapter, Exchange, Failure, Fault, Response, Step, zalo::ZaloAdapter},
    domain::{
        bulletin::{Format, Priority},
        channel::{AdapterConfig, Channel, ChannelKind, Mode},
        delivery::Reason,
        id::{BulletinId, ChannelId, DeliveryId, WardId},
        message::{Content, Kept, Message, Noted, Quoted},
        secret::{Secret, SecretRef},
        time::Timestamp,
        zalo::{Correction, Quiet, Quota, ZaloConfig},
    },
};
use serde_json::{Value, json};

use crate::support::city::at;

pub(crate) fn config() -> ZaloConfig {
    ZaloConfig {
        app: "123".into(),
        oa: "456".into(),
        secret: SecretRef::Env("X".into()),
        callback: "https://loa.example/zalo".into(),
        proof: true,
        user: None,
        cover: Some("https://loa.example/ảnh bìa.jpg".into()),
        pictures: None,
        picture: false,
        author: Some("Ủy ban nhân dân ".repeat(9)),
        comments: false,
        correction: Correction::Update,
        quiet: Quiet::default(),
        reports: None,
        quota: Quota::default(),
    }
}

pub(super) fn adapter(config: &ZaloConfig) -> ZaloAdapter {
    of(config, Format::Article)
}

pub(super) fn of(config: &ZaloConfig, format: Format) -> ZaloAdapter {
    let channel = channel(config, format);
    ZaloAdapter::new(&channel, config, Secret::new("appSecretKey".into()), None)
}

pub(super) fn channel(config: &ZaloConfig, format: Format) -> Channel {
    Channel {
        id: ChannelId::parse("oa").unwrap(),
        name: "OA".into(),
        ward: WardId::parse("vinh").unwrap(),
        kind: ChannelKind::Chat,
        format,
        mode: Mode::AtLeastOnce,
        rate: None,
        audio: None,
        reports: Vec::new(),
        test: false,
        operator: false,
        adapter: AdapterConfig::Zalo(Box::new(config.clone())),
    }
}

pub(super) fn message(kept: Kept, sent_at: Timestamp) -> Message {
    let content = Content {
        bulletin: BulletinId::parse("mot").unwrap(),
        format: Format::Article,
        title: "Cảnh giác ".repeat(20),
        summary: None,
        text: "**Bà con** chú ý.\n\nGọi 113.".into(),
        html: None,
        turns: Vec::new(),
        spoken: Vec::new(),
        quoted: Quoted::default(),
        contacts: Vec::new(),
        recording: None,
        picture: None,
    };
    let access = Some(Secret::new("accessToken".into()));
    Message {
        delivery: DeliveryId::from_text("0123456789abcdefghjk"),
        attempt: 2,
        channel: ChannelId::parse("oa").unwrap(),
        channel_name: "OA".into(),
        ward: WardId::parse("vinh").unwrap(),
        ward_name: "thành phố Vinh".into(),
        priority: Priority::Normal,
        preempts: false,
        due: sent_at,
        deadline: sent_at + Duration::from_hours(2),
        sent_at,
        hash: content.hash(),
        content: Arc::new(content),
        audio: None,
        picture: None,
        kept: Kept { access, ..kept },
    }
}

pub(super) fn noted(text: &Value, came_to_nothing: bool, at: Timestamp) -> Kept {
    Kept {
        noted: Some(Noted {
            text: text.to_string(),
            at,
            came_to_nothing,
        }),
        ..Kept::default()
    }
}

/// What an exchange holds.
pub(super) type Got = Result<Response, Fault>;

pub(super) fn yes(data: &Value) -> Got {
    answered(&json!({ "error": 0, "message": "Success", "data": data }))
}

pub(super) fn no(code: i64) -> Got {
    answered(&json!({ "error": code, "message": "no" }))
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "a row of answers holds lost ones too"
)]
fn answered(body: &Value) -> Got {
    Ok(Response {
        status: 200,
        body: body.to_string().into(),
        ..Response::default()
    })
}

pub(super) fn lost() -> Got {
    Err(Fault::may_have_left(Reason::Reset, ""))
}

/// The paths that are called with these answers, the steps of their notes (`-` where there is none), and the end.
pub(super) fn play(
    adapter: &ZaloAdapter,
    message: &Message,
    answers: Vec<Result<Response, Fault>>,
) -> (Vec<String>, Vec<Exchange>, Option<Step>) {
    let (mut done, mut calls) = (Vec::new(), Vec::new());
    let mut answers = answers.into_iter();
    loop {
        match adapter.step(message, &done) {
            Step::Call(request) => {
                let note = adapter.note(message, &done);
                let step = note.map_or_else(
                    || "-".to_owned(),
                    |note| {
                        let json: Value = serde_json::from_str(&note.text).unwrap();
                        json["step"].as_str().unwrap().to_owned()
                    },
                );
                let path = request.url.rsplit('/').next().unwrap();
                calls.push(format!("{path} {step}"));
                let Some(result) = answers.next() else {
                    return (calls, done, None);
                };
                done.push(Exchange { request, result });
            }
            end => {
                assert_eq!(
                    answers.next().map(|_| ()),
                    None,
                    "an answer nobody asked for"
                );
                return (calls, done, Some(end));
            }
        }
    }
}

pub(super) const MORNING: &str = "2024-03-25T08:00";

pub(super) fn reason(end: Option<&Step>) -> (&'static str, Reason) {
    match end {
        Some(Step::Failed(failure @ Failure::Retry { .. })) => ("retry", failure.reason()),
        Some(Step::Failed(failure @ Failure::Reject { .. })) => ("reject", failure.reason()),
        Some(Step::Failed(failure @ Failure::Unknown { .. })) => ("unknown", failure.reason()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_article_is_written_within_the_platforms_limits() {
    let adapter = adapter(&config());
    let message = message(Kept::default(), at(MORNING));
    let (calls, done, end) = play(
        &adapter,
        &message,
        vec![
            yes(&json!({ "token": "t" })),
            no(-214),
            yes(&json!({ "article_id": "a1" })),
            yes(&json!({ "message_id": "m1" })),
        ],
    );
    assert_eq!(
        calls,
        [
            "create creating",
            "verify verifying",
            "verify -",
            "message broadcasting"
        ]
    );
    assert_eq!(end, Some(Step::accepted(Some("m1".into()))));
    let body: Value = serde_json::from_slice(&done[0].request.body).unwrap();
    let length = |field: &Value| field.as_str().unwrap().chars().count();
    assert!(length(&body["title"]) <= 140 && length(&body["author"]) <= 50);
    assert_eq!(body["description"], "Bà con chú ý.");
    assert_eq!(
        body["cover"]["photo_url"],
        "https://loa.example/%E1%BA%A3nh%20b%C3%ACa.jpg"
    );
    assert_eq!(
        (&body["status"], &body["comment"]),
        (&json!("show"), &json!("hide"))
    );
    assert_eq!(
        body["body"],
        json!([{ "type": "text", "content": "Bà con chú ý." }, { "type": "text", "content": "Gọi 113." }])
    );
    let body: Value = serde_json::from_slice(&done[3].request.body).unwrap();
    assert_eq!(body["recipient"], json!({ "target": {} }));
    assert_eq!(
        body["message"]["attachment"]["payload"],
        json!({ "template_type": "media", "elements": [{ "media_type": "article", "attachment_id": "a1" }] })
    );
    for exchange in &done {
        let header = |name: &str| {
            let found = exchange
                .request
                .headers
                .iter()
                .find(|(known, _)| known == name);
            found.map(|(_, value)| value.as_str())
        };
        assert_eq!(header("access_token"), Some("accessToken"));
        assert_eq!(
            header("appsecret_proof"),
            Some("0584869ec908cfecf20763760e69c4baca98ac64aaeb6a938f47ca758dfe779f")
        );
        assert!(!format!("{exchange:?}").contains("accessToken"));
    }
    let waits: Vec<u64> = done.iter().map(|one| one.request.wait.as_secs()).collect();
    assert_eq!(waits, [0, 1, 1, 0]);
}

#[test]
fn where_an_attempt_goes_on() {
    let adapter = adapter(&config());
    let begun = at(MORNING);
    let later = begun + Duration::from_mins(5);
    let creating = json!({ "step": "creating" });
    let broadcasting = json!({ "step": "broadcasting", "article": "a1" });
    let ten: Vec<Value> = (0..10)
        .map(|n| json!({ "id": n.to_string(), "title": "khác" }))
        .collect();
    let full = || yes(&json!({ "medias": ten }));
    for (name, kept, sent_at, answers, calls) in [
        (
            "nothing is known",
            Kept::default(),
            begun,
            vec![],
            vec!["create creating"],
        ),
        (
            "the channel has it",
            Kept {
                holds: Some("a1".into()),
                ..Kept::default()
            },
            begun,
            vec![],
            vec!["update updating"],
        ),
        (
            "creating came to nothing",
            noted(&creating, true, begun),
            later,
            vec![],
            vec!["create creating"],
        ),
        (
            "it may have been created, and is there",
            noted(&creating, false, begun),
            later,
            vec![found()],
            vec![
                "getslice?offset=0&limit=10&type=normal -",
                "update updating",
            ],
        ),
        (
            "it may have been created, and is not",
            noted(&creating, false, begun),
            later,
            vec![none(), none(), none()],
            vec![
                "getslice?offset=0&limit=10&type=normal -",
                "getslice?offset=0&limit=10&type=normal -",
                "getslice?offset=0&limit=10&type=normal -",
                "create creating",
            ],
        ),
        (
            "it is looked for in three lists",
            noted(&creating, false, begun),
            later,
            vec![full(), full(), full(), full(), full(), found()],
            vec![
                "getslice?offset=0&limit=10&type=normal -",
                "getslice?offset=10&limit=10&type=normal -",
                "getslice?offset=20&limit=10&type=normal -",
                "getslice?offset=0&limit=10&type=normal -",
                "getslice?offset=10&limit=10&type=normal -",
                "getslice?offset=20&limit=10&type=normal -",
                "update updating",
            ],
        ),
        (
            "it is being worked on",
            noted(&json!({ "step": "verifying", "token": "t" }), false, begun),
            later,
            vec![yes(&json!({ "id": "a1" }))],
            vec!["verify -", "message broadcasting"],
        ),
        (
            "its token is over",
            noted(&json!({ "step": "verifying", "token": "t" }), false, begun),
            later,
            vec![no(-201), found()],
            vec![
                "verify -",
                "getslice?offset=0&limit=10&type=normal -",
                "update updating",
            ],
        ),
        (
            "broadcasting came to nothing",
            noted(&broadcasting, true, begun),
            later,
            vec![],
            vec!["message broadcasting"],
        ),
        (
            "it is gone at Zalo",
            Kept {
                holds: Some("a1".into()),
                ..Kept::default()
            },
            begun,
            vec![no(-201), no(-201)],
            vec!["update updating", "getdetail?id=a1 -", "create creating"],
        ),
    ] {
        let (made, _, end) = play(&adapter, &message(kept, sent_at), answers);
        assert_eq!(made, calls, "{name}");
        assert_eq!(end, None, "{name}");
    }
}

pub(super) fn found() -> Got {
    yes(&json!({ "total": 1, "medias": [{ "id": "a7", "title": title() }] }))
}

pub(super) fn none() -> Got {
    yes(&json!({ "total": 0, "medias": [] }))
}

pub(super) fn title() -> String {
    // As it was cut.
    let adapter = adapter(&config());
    let message = message(Kept::default(), at(MORNING));
    let Step::Call(request) = adapter.step(&message, &[]) else {
        panic!("a call");
    };
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    body["title"].as_str().unwrap().to_owned()
}

#[test]
fn where_an_attempt_ends() {
    let adapter = adapter(&config());
    let begun = at(MORNING);
    let token = || yes(&json!({ "token": "t" }));
    let ready = || yes(&json!({ "id": "a1" }));
    let broadcasting = json!({ "step": "broadcasting", "article": "a1" });
    let creating = json!({ "step": "creating" });
    for (name, kept, sent_at, answers, ends) in [
        (
            "no answer to create",
            Kept::default(),
            begun,
            vec![lost()],
            ("unknown", Reason::Reset),
        ),
        (
            "a success without a token",
            Kept::default(),
            begun,
            vec![yes(&json!({}))],
            ("unknown", Reason::Unexpected),
        ),
        (
            "a refusal",
            Kept::default(),
            begun,
            vec![no(-201)],
            ("reject", Reason::Status),
        ),
        (
            "no answer about the id",
            Kept::default(),
            begun,
            vec![token(), lost()],
            ("retry", Reason::Unanswered),
        ),
        (
            "a bad picture",
            Kept::default(),
            begun,
            vec![token(), no(-200)],
            ("reject", Reason::Status),
        ),
        (
            "still being worked on",
            Kept::default(),
            begun,
            vec![token(), no(-214), no(-214), no(-214), no(-214), no(-214)],
            ("retry", Reason::Busy),
        ),
        (
            "no answer to the broadcast",
            Kept::default(),
            begun,
            vec![token(), ready(), lost()],
            ("unknown", Reason::Reset),
        ),
        (
            "a token that is over",
            Kept::default(),
            begun,
            vec![token(), ready(), no(-216)],
            ("retry", Reason::Unauthorised),
        ),
        (
            "a token that is over as it comes",
            Kept::default(),
            begun,
            vec![token(), no(-201)],
            ("reject", Reason::Status),
        ),
        (
            "another token that is over as it comes",
            noted(
                &json!({ "step": "verifying", "token": "old" }),
                false,
                begun,
            ),
            begun,
            vec![no(-201), found(), token(), no(-201)],
            ("reject", Reason::Status),
        ),
        (
            "night at Zalo",
            Kept::default(),
            begun,
            vec![token(), ready(), no(-234)],
            ("retry", Reason::Night),
        ),
        (
            "the quota",
            Kept::default(),
            begun,
            vec![token(), ready(), no(-211)],
            ("retry", Reason::Quota),
        ),
        (
            "may have been broadcast",
            noted(&broadcasting, false, begun),
            begun,
            vec![],
            ("reject", Reason::Unconfirmed),
        ),
        (
            "a note that is none of ours",
            noted(&json!({}), false, begun),
            begun,
            vec![],
            ("reject", Reason::Unconfirmed),
        ),
        (
            "looked for too early",
            noted(&creating, false, begun),
            begun + Duration::from_secs(30),
            vec![none(), none(), none()],
            ("retry", Reason::Waiting),
        ),
        (
            "a change that is refused",
            Kept {
                holds: Some("a1".into()),
                ..Kept::default()
            },
            begun,
            vec![no(-210), yes(&json!({ "id": "a1" }))],
            ("reject", Reason::Status),
        ),
        (
            "a change that is refused, and a question that is",
            Kept {
                holds: Some("a1".into()),
                ..Kept::default()
            },
            begun,
            vec![no(-210), no(-223)],
            ("reject", Reason::Status),
        ),
        (
            "no answer to a change",
            Kept {
                holds: Some("a1".into()),
                ..Kept::default()
            },
            begun,
            vec![lost()],
            ("retry", Reason::Unanswered),
        ),
        (
            "night",
            Kept::default(),
            at("2024-03-25T23:00"),
            vec![],
            ("retry", Reason::Night),
        ),
    ] {
        let (_, _, end) = play(&adapter, &message(kept, sent_at), answers);
        assert_eq!(reason(end.as_ref()), ends, "{name}");
    }
    let without = Message {
        kept: Kept::default(),
        ..message(Kept::default(), begun)
    };
    assert_eq!(
        reason(Some(&adapter.step(&without, &[]))),
        ("retry", Reason::Unauthorised)
    );
}

#[test]
fn corrections_change_take_away_or_tell_again() {
    let correction = |holds: Option<&str>| {
        let kept = Kept {
            holds: holds.map(str::to_owned),
            is_correction: true,
            ..Kept::default()
        };
        message(kept, at("2024-03-25T23:00"))
    };
    let with = |correction| {
        adapter(&ZaloConfig {
            correction,
            ..config()
        })
    };
    let rewritten = || vec![yes(&json!({ "token": "t" })), yes(&json!({ "id": "a1" }))];
    let update = with(Correction::Update);
    let (calls, _, end) = play(&update, &correction(Some("a1")), rewritten());
    assert_eq!(
        calls,
        ["update updating", "verify verifying"],
        "at night too: nobody is told"
    );
    assert_eq!(end, Some(Step::accepted(Some("a1".into()))));
    let (calls, _, _) = play(&update, &correction(None), vec![]);
    assert_eq!(calls, ["create creating"]);

    // Who reads it has the right words at once; who is told of it, in the morning.
    let again = with(Correction::Broadcast);
    let (calls, _, end) = play(&again, &correction(Some("a1")), rewritten());
    assert_eq!(calls, ["update updating", "verify verifying"]);
    assert_eq!(reason(end.as_ref()), ("retry", Reason::Night));

    let remove = with(Correction::Remove);
    let (calls, _, end) = play(&remove, &correction(Some("a1")), vec![yes(&json!({}))]);
    assert_eq!(calls, ["remove removing"]);
    assert_eq!(end, Some(Step::accepted(Some("a1".into()))));
    let (_, _, end) = play(&remove, &correction(None), vec![]);
    assert_eq!(reason(end.as_ref()), ("reject", Reason::Status));
}
