//! Contents come back as they went, and every field of them counts.

use super::*;

fn picture(bytes: &[u8], alt: &str) -> Picture {
    Picture {
        file: "a.jpg".into(),
        hash: PictureHash::of(bytes),
        format: PictureFormat::Jpeg,
        alt: alt.into(),
    }
}

#[test]
fn contents_round_trip_and_every_field_counts() {
    let content = Content {
        bulletin: BulletinId::parse("b").unwrap(),
        format: Format::Article,
        title: "Tiêu đề".into(),
        summary: Some("Tóm tắt".into()),
        text: "Lời".into(),
        html: None,
        turns: Vec::new(),
        spoken: Vec::new(),
        quoted: Quoted::default(),
        contacts: Vec::new(),
        recording: None,
        picture: None,
    };
    assert_eq!(
        Content::from_json(&content.to_json()).as_ref(),
        Some(&content)
    );
    let changed = [
        Content {
            title: "x".into(),
            ..content.clone()
        },
        Content {
            summary: None,
            ..content.clone()
        },
        Content {
            text: "x".into(),
            ..content.clone()
        },
        Content {
            html: Some("x".into()),
            ..content.clone()
        },
        Content {
            format: Format::Sign,
            ..content.clone()
        },
        Content {
            turns: vec![Turn {
                voice: Voice::Nu,
                text: "Lời".into(),
            }],
            ..content.clone()
        },
        Content {
            contacts: vec![NamedContact {
                id: ContactId::parse("c").unwrap(),
                value: "113".into(),
            }],
            ..content.clone()
        },
        Content {
            spoken: vec!["Lời".into()],
            ..content.clone()
        },
        Content {
            recording: Some(Recording {
                file: "a.wav".into(),
                hash: "0".into(),
            }),
            ..content.clone()
        },
        Content {
            picture: Some(picture(b"a", "Biển báo")),
            ..content.clone()
        },
        Content {
            picture: Some(picture(b"b", "Biển báo")),
            ..content.clone()
        },
        Content {
            picture: Some(picture(b"a", "Biển khác")),
            ..content.clone()
        },
    ];
    let mut hashes = BTreeSet::new();
    for other in changed {
        assert_ne!(other.hash(), content.hash());
        assert!(hashes.insert(other.hash()), "{other:?}");
        if other.picture.is_some() {
            assert_ne!(other.wording(), content.wording(), "{other:?}");
        }
        if other.turns.is_empty() {
            assert_eq!(Content::from_json(&other.to_json()), Some(other));
        }
    }
}

#[test]
fn one_voice_keeps_its_hash_and_a_dialogue_its_voices() {
    let turn = |voice, text: &str| Turn {
        voice,
        text: text.to_owned(),
    };
    let turns = vec![turn(Voice::Nu, "Chào anh."), turn(Voice::Nam, "Chào chị.")];
    let mut content = Content {
        bulletin: BulletinId::parse("b").unwrap(),
        format: Format::Script,
        title: "Tiêu đề".into(),
        summary: None,
        text: Content::text_of(&turns),
        html: None,
        turns: Vec::new(),
        spoken: Vec::new(),
        quoted: Quoted::default(),
        contacts: Vec::new(),
        recording: None,
        picture: None,
    };
    assert_eq!(
        content.to_json(),
        r#"{"bulletin":"b","format":"script","html":null,"summary":null,"text":"Chào anh.\n\nChào chị.","title":"Tiêu đề"}"#
    );
    let alone = content.hash();
    content.turns = turns;
    assert_ne!(content.hash(), alone);
    content.spoken = vec!["Chào anh.".into(), "Chào chị.".into()];
    let json = content.to_json();
    assert_eq!(Content::from_json(&json).as_ref(), Some(&content));
    // Other voices are another broadcast.
    assert_ne!(
        blake3::hash(json.replace("\"nam\"", "\"nu\"").as_bytes())
            .to_hex()
            .to_string(),
        content.hash().as_str()
    );
    // Spoken words that are not the approved words are not read.
    for broken in [
        json.replace("\"text\":\"Chào anh.\"", "\"text\":\"Gọi ngay.\""),
        json.replace("\"nam\"", "\"ai\""),
    ] {
        assert_ne!(broken, json);
        assert_eq!(Content::from_json(&broken), None, "{broken}");
    }
}

#[test]
fn equal_wording_is_what_people_hear_and_read_as_the_same() {
    let says = |text: &str, title: &str, spoken: &str| {
        let content = Content::from_json(
            "{\"bulletin\":\"b\",\"format\":\"script\",\"text\":\"\",\"title\":\"\"}",
        );
        let mut content = content.unwrap();
        (content.text, content.title) = (text.to_owned(), title.to_owned());
        content.spoken = vec![spoken.to_owned()];
        content.wording()
    };
    let first = says("Thưa bà con, gọi 1,5 lần.", "Cảnh giác", "một phẩy năm");
    for same in [
        says("Thưa  bà con gọi\n1,5 lần!", "Cảnh giác:", "một phẩy năm"),
        says(
            "THƯA BÀ CON – gọi 1,5 lần …",
            "“cảnh giác”",
            " Một phẩy năm.",
        ),
    ] {
        assert_eq!(same, first);
    }
    for other in [
        says("Thưa bà con, gọi 15 lần.", "Cảnh giác", "một phẩy năm"),
        says("Thưa bà con, gọi 1.5 lần.", "Cảnh giác", "một phẩy năm"),
        says("Thưa bà cọn, gọi 1,5 lần.", "Cảnh giác", "một phẩy năm"),
        says("Thưa bà con, gọi 1,5 lần.", "Cảnh báo", "một phẩy năm"),
        says("Thưa bà con, gọi 1,5 lần.", "Cảnh giác", "một năm"),
    ] {
        assert_ne!(other, first);
    }
}
