//! What a bulletin's file says beside plain words: dialogues, claims, editors, and what only looks like a contact.

use std::collections::BTreeMap;

use loa::{
    catalogue::Lang,
    diagnostic::render,
    domain::{
        bulletin::{Claim, Dated, Format, NotContact, Turn, Voice},
        message::Content,
        workspace::Workspace,
    },
    render::{RenderError, Renderer},
    source::load_files,
};

/// A workspace of one bulletin.
fn workspace(bulletin: &str) -> Workspace {
    let files = [
        (
            "loa.yaml",
            "name: Thử\nzone: Asia/Ho_Chi_Minh\ncity: { id: thu, name: thành phố Thử, province: tỉnh Mẫu }\n\
             database: sqlite:.loa/loa.db\nlint: { all: off }\n",
        ),
        (
            "content/topics.yaml",
            "topics: { bao-tin: { title: Báo tin } }\n",
        ),
        (
            "channels/wards.yaml",
            "wards:\n  hung-binh: { kind: phuong, name: Hưng Bình }\n  nghi-an: { kind: xa, name: Nghi Ân }\n",
        ),
        ("content/bulletins/hai-giong.yaml", bulletin),
    ];
    let files: BTreeMap<String, Vec<u8>> = files
        .into_iter()
        .map(|(path, text)| (path.to_owned(), text.into()))
        .collect();
    let loaded = load_files(&files);
    loaded
        .workspace
        .unwrap_or_else(|| panic!("{}", render::to_text(&loaded.diagnostics, Lang::En, false)))
}

fn words(workspace: &Workspace, ward: &str) -> Result<Content, RenderError> {
    let (renderer, problems) = Renderer::new(workspace);
    assert_eq!(problems, []);
    renderer.render(
        workspace,
        &workspace.bulletins["hai-giong"],
        &workspace.wards[ward],
        Format::Script,
    )
}

#[test]
fn a_dialogue_is_a_paragraph_a_turn_with_the_voices_beside_it() {
    let workspace = workspace(
        "title: Hai giọng\ntopic: bao-tin\nsource: { document: Văn bản, year: 2024 }\ndialogue:\n\
         \x20 - nu: |\n      Chào bà con {{ ward.name }}.\n\n      {# lời dặn #}\n\n      Có người lạ gọi thì làm gì?\n\
         \x20 - nam: Dừng lại.\n  - nam: Báo tin ngay.\n",
    );
    let content = words(&workspace, "nghi-an").unwrap();
    let turn = |voice, text: &str| Turn {
        voice,
        text: text.to_owned(),
    };
    assert_eq!(
        content.turns,
        [
            turn(
                Voice::Nu,
                "Chào bà con xã Nghi Ân.\nCó người lạ gọi thì làm gì?"
            ),
            turn(Voice::Nam, "Dừng lại."),
            turn(Voice::Nam, "Báo tin ngay."),
        ]
    );
    assert_eq!(
        content.text,
        "Chào bà con xã Nghi Ân.\nCó người lạ gọi thì làm gì?\n\nDừng lại.\n\nBáo tin ngay."
    );
    assert_eq!(
        Content::from_json(&content.to_json()),
        Some(content.clone())
    );
    assert_ne!(
        words(&workspace, "hung-binh").unwrap().hash(),
        content.hash()
    );
}

#[test]
fn one_voice_has_no_turns() {
    let workspace = workspace(
        "title: Một giọng\ntopic: bao-tin\nsource: { document: Văn bản, year: 2024 }\n\
         script: Chào bà con {{ ward.name }}.\n",
    );
    let content = words(&workspace, "hung-binh").unwrap();
    assert_eq!(content.turns, []);
    assert!(!content.to_json().contains("turns"));
}

#[test]
fn what_stands_beside_the_words_is_read() {
    let workspace = workspace(
        "title: Một giọng\ntopic: bao-tin\nsource: { document: Văn bản, year: 2023 }\n\
         editors: [Nguyễn Văn A, \"Trần Thị B \"]\n\
         claims:\n  - { says: Công an không đòi tiền, source: Bộ Công an }\n  - says: Thủ đoạn mới\n\
         not_contacts: [{ text: 1900 2024, reason: Khoảng năm }]\n\
         message: Chào bà con.\n",
    );
    let bulletin = &workspace.bulletins["hai-giong"];
    assert_eq!(bulletin.source.dated, Dated::Year(2023));
    assert_eq!(bulletin.editors, ["Nguyễn Văn A", "Trần Thị B"]);
    let claim = |says: &str, source: Option<&str>| Claim {
        says: says.to_owned(),
        source: source.map(str::to_owned),
    };
    // A claim without a source is for a rule of `loa.yaml` to judge.
    let claims = [
        claim("Công an không đòi tiền", Some("Bộ Công an")),
        claim("Thủ đoạn mới", None),
    ];
    assert_eq!(bulletin.claims, claims);
    assert_eq!(
        bulletin.not_contacts,
        [NotContact {
            text: "1900 2024".into(),
            reason: "Khoảng năm".into(),
        }]
    );
    assert!(bulletin.has(Format::Message) && !bulletin.has(Format::Script));
}
