//! What a recipe is tried with before there is any: a message with everything that a message can have, one without a picture, and
//! what could be taken from answers.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use serde_json::{Map, Value};

use super::{RecipeProblem, RecipeProblemKind, judge::Take};
use crate::{
    domain::{
        audio::{Audio, AudioFormat, Sound, SoundHash},
        bulletin::{Format, Priority},
        id::{BulletinId, ChannelId, DeliveryId, WardId},
        message::{Content, Kept, Message, Quoted},
        picture::{Picture, PictureFormat, PictureHash},
        time::Timestamp,
    },
    template::TemplateErrorKind,
};

/// What is taken from an answer, as it could be.
pub(super) fn sample_of(take: &[(String, Take)]) -> Map<String, Value> {
    take.iter()
        .map(|(name, _)| (name.clone(), Value::from("1")))
        .collect()
}

/// Whether something could not be filled in for want of a receipt.
pub(super) fn lacks_receipt(problem: &RecipeProblem) -> bool {
    matches!(
        &problem.kind,
        RecipeProblemKind::Template(error)
            if matches!(&error.kind, TemplateErrorKind::UndefinedVariable { name, .. } if name == "receipt")
    )
}

/// A message with everything that a message can have.
pub(super) fn sample() -> Message {
    let content = Content {
        bulletin: BulletinId::parse("sample").expect("an id"),
        format: Format::Article,
        title: "Tiêu đề".to_owned(),
        summary: Some("Tóm tắt".to_owned()),
        text: "Nội dung".to_owned(),
        html: Some("<p>Nội dung</p>".to_owned()),
        turns: Vec::new(),
        spoken: Vec::new(),
        quoted: Quoted::default(),
        contacts: Vec::new(),
        recording: None,
        picture: Some(Picture {
            file: "sample.jpg".to_owned(),
            hash: PictureHash::of(b""),
            format: PictureFormat::Jpeg,
            alt: "Hình".to_owned(),
        }),
    };
    let at = Timestamp::from_micros(1_711_319_400_000_000);
    Message {
        delivery: DeliveryId::from_text("00000000000000000000"),
        attempt: 1,
        channel: ChannelId::parse("sample").expect("an id"),
        channel_name: "Sample".to_owned(),
        ward: WardId::parse("sample").expect("an id"),
        ward_name: "phường Mẫu".to_owned(),
        priority: Priority::Normal,
        preempts: false,
        due: at,
        deadline: at,
        sent_at: at,
        hash: content.hash(),
        content: Arc::new(content),
        kept: Kept::default(),
        audio: Some(Audio {
            sound: Sound {
                hash: SoundHash::of(b""),
                format: AudioFormat::Wav,
                length: Duration::ZERO,
                spoken: Duration::ZERO,
                loudness: 0.0,
                peak: 0.0,
                size: 0,
            },
            data: Bytes::new(),
        }),
        picture: Some(Bytes::new()),
    }
}

/// The same without a picture, as most messages are.
pub(super) fn without_picture(message: Message) -> Message {
    let mut content = Content::clone(&message.content);
    content.picture = None;
    Message {
        content: Arc::new(content),
        picture: None,
        ..message
    }
}
