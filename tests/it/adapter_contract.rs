//! What every adapter and the transport promise.
//!
//! Adapters are tables of answers in `tests/fixtures/adapters`; the transport talks to real sockets on loopback.

mod attempts;
mod axis;
mod bodies;
mod calls;
mod cases;
mod cms;
mod email;
mod filters;
mod icecast;
mod language;
mod limits;
mod lines;
mod liquidsoap;
mod logins;
mod paging;
mod pictures;
mod proofs;
mod receipts;
mod recipes;
mod rulings;
mod server;
mod signing;
mod simulated;
mod snapcast;
pub(crate) mod steps;
mod transport;
mod webhook;
mod wordpress;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bytes::Bytes;
use loa::{
    catalogue,
    domain::{
        audio::{Audio, AudioFormat, Sound, SoundHash},
        bulletin::{Format, Priority},
        channel::{AdapterConfig, Channel, ChannelKind},
        delivery::Reason,
        id::{BulletinId, ChannelId, DeliveryId, WardId},
        message::{Content, Kept, Message},
        retry::RetryPolicy,
        settings::{DatabaseSetting, DeliverySettings, Settings},
        time::Timestamp,
        ward::{Validity, Ward, WardKind},
    },
};

fn instant(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap()
}

/// The message of every test.
pub(crate) fn message() -> Message {
    let content = Content {
        bulletin: BulletinId::parse("gia-danh-can-bo-thue").unwrap(),
        format: Format::Script,
        title: "Cảnh giác \"cán bộ thuế\"".into(),
        summary: None,
        text: "Thưa bà con,\nđừng bấm vào đường dẫn lạ.".into(),
        html: Some("<p>Đừng bấm</p>".into()),
        turns: Vec::new(),
        spoken: Vec::new(),
        quoted: loa::domain::message::Quoted::default(),
        contacts: Vec::new(),
        recording: None,
        picture: None,
    };
    Message {
        delivery: DeliveryId::from_text("0123456789abcdefghjk"),
        attempt: 1,
        channel: ChannelId::parse("kenh").unwrap(),
        channel_name: "Kênh".into(),
        ward: WardId::parse("hung-binh").unwrap(),
        ward_name: "phường Hưng Bình".into(),
        priority: Priority::Priority,
        preempts: false,
        due: instant("2024-03-25T05:30:00+07:00"),
        deadline: instant("2024-03-25T05:45:00+07:00"),
        sent_at: instant("2024-03-25T05:30:01+07:00"),
        hash: content.hash(),
        content: Arc::new(content),
        audio: None,
        picture: None,
        kept: Kept::default(),
    }
}

/// A sound, as far as these tests go.
fn sound(data: impl Into<Bytes>, format: AudioFormat) -> Audio {
    let data = data.into();
    Audio {
        sound: Sound {
            hash: SoundHash::of(&data),
            format,
            length: Duration::from_secs(2),
            spoken: Duration::from_secs(2),
            loudness: -16.0,
            peak: -1.0,
            size: data.len() as u64,
        },
        data,
    }
}

fn channel(adapter: AdapterConfig) -> Channel {
    Channel {
        id: ChannelId::parse("kenh").unwrap(),
        name: "Kênh".into(),
        ward: WardId::parse("hung-binh").unwrap(),
        kind: ChannelKind::Loudspeaker,
        format: Format::Script,
        mode: ChannelKind::Loudspeaker.mode(),
        rate: None,
        reports: Vec::new(),
        test: false,
        operator: false,
        audio: None,
        adapter,
    }
}

/// Settings of a workspace, of which adapters use nothing.
fn settings() -> Settings {
    let second = Duration::from_secs(1);
    Settings {
        name: String::new(),
        zone: chrono_tz::Asia::Ho_Chi_Minh,
        city: Ward {
            id: WardId::parse("vinh").unwrap(),
            kind: WardKind::City,
            short: "Vinh".into(),
            name: "thành phố Vinh".into(),
            code: None,
            valid: Validity::default(),
            neighbours: Vec::new(),
            first: Vec::new(),
        },
        province: String::new(),
        database: DatabaseSetting::Url("sqlite:loa.db".into()),
        web: "127.0.0.1:0".parse().unwrap(),
        horizon: second,
        prepare: second,
        grace: second,
        approval: loa::domain::approval::ApprovalRules::default(),
        delivery: DeliverySettings {
            workers: 1,
            connect_timeout: second,
            total_timeout: second,
            lease: second,
            retry: RetryPolicy {
                first: second,
                longest: second,
                attempts: 1,
            },
            host_concurrency: 1,
            host_per_second: 1.0,
            health: Default::default(),
        },
        speech: Default::default(),
        allow: Vec::new(),
        audio: loa::domain::audio::AudioSettings::default(),
        simulate_start: Timestamp::default(),
        simulate_speed: 1.0,
        lint: loa::domain::lint::LintSettings::default(),
        watchdog: Default::default(),
    }
}

fn map<const N: usize>(entries: [(&str, &str); N]) -> BTreeMap<String, String> {
    entries
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into()
}

#[test]
fn every_reason_has_words_and_every_word_a_reason() {
    for reason in Reason::ALL {
        assert!(
            catalogue::has(&format!("reason.{}", reason.as_str())),
            "{reason:?}"
        );
    }
    let yaml = include_str!("../../src/catalogue/reason.yaml");
    let entries: BTreeMap<String, BTreeMap<String, String>> = serde_yaml::from_str(yaml).unwrap();
    for word in entries.keys() {
        assert!(Reason::parse(word).is_some(), "{word}");
    }
}
