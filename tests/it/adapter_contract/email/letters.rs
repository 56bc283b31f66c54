//! Letters as they are written, read by a reader that knows nothing of their writer.

use std::sync::Arc;

use loa::{
    adapter::{Adapter as _, Step},
    domain::{
        mail::MailTls,
        message::{Content, Message},
    },
};
use mail_parser::{MessageParser, MimeHeaders as _};

use super::{
    super::instant,
    {adapter, article, config, short},
};

/// The letter that would be sent.
fn written(message: &Message) -> Vec<u8> {
    match adapter(&config(465, MailTls::Implicit)).step(message, &[]) {
        Step::Mail(mail) => mail.request.body.to_vec(),
        other => panic!("{other:?}"),
    }
}

fn header(raw: &[u8], name: &str) -> Option<String> {
    let read = MessageParser::default().parse(raw).unwrap();
    let raw = read.header_raw(name)?;
    Some(raw.trim().to_owned())
}

#[test]
fn a_short_text_is_a_plain_letter() {
    let raw = written(&short());
    assert!(raw.is_ascii(), "seven bits pass everywhere");
    let read = MessageParser::default().parse(&raw).unwrap();
    assert_eq!(read.subject(), Some(short().content.title.as_str()));
    let people = |list: Option<&mail_parser::Address<'_>>| -> Vec<(Option<String>, String)> {
        let all = list.into_iter().flat_map(mail_parser::Address::iter);
        let owned = |text: Option<&str>| text.map(str::to_owned);
        all.map(|one| (owned(one.name()), one.address().unwrap().to_owned()))
            .collect()
    };
    let named = |name: &str, address: &str| (Some(name.to_owned()), address.to_owned());
    assert_eq!(
        people(read.from()),
        [named("Hệ thống loa", "loa@vinh.example")]
    );
    assert_eq!(
        people(read.to()),
        [
            named("Trực ban, ca 1", "truc-ban@vinh.example"),
            (None, "ca-2@vinh.example".to_owned())
        ]
    );
    assert_eq!(
        people(read.reply_to()),
        [(None, "phong-vhtt@vinh.example".to_owned())]
    );
    assert_eq!(
        read.message_id(),
        Some("loa.0123456789abcdefghjk@vinh.example")
    );
    assert_eq!(read.date().unwrap().to_rfc3339(), "2024-03-24T22:30:01Z");
    assert_eq!(
        header(&raw, "Auto-Submitted").as_deref(),
        Some("auto-generated")
    );
    assert_eq!(header(&raw, "In-Reply-To"), None);
    let text = read.body_text(0).unwrap().replace("\r\n", "\n");
    assert_eq!(text.trim_end(), short().content.text);
    assert_eq!(read.attachment_count(), 0);
}

#[test]
fn an_article_is_a_letter_of_text_and_a_page() {
    let raw = written(&article());
    let read = MessageParser::default().parse(&raw).unwrap();
    let kind = read.content_type().unwrap();
    assert_eq!(
        (kind.ctype(), kind.subtype()),
        ("multipart", Some("alternative"))
    );
    assert_eq!(
        read.parts.len(),
        3,
        "one for the whole, and the same words twice"
    );
    let text = read.body_text(0).unwrap();
    assert!(text.starts_with("Kẻ gian giả danh <cán bộ>"), "{text}");
    // Without its marks: nobody is to take them for a part of the words or of the address.
    let (_, body) = text.split_once("<cán bộ>").unwrap();
    assert_eq!(
        body.trim(),
        "Đừng bấm vào đường dẫn lạ: https://vinh.example/a?b=1&c=2"
    );
    let page = read.body_html(0).unwrap();
    assert!(
        page.contains("<strong>Kẻ gian giả danh &lt;cán bộ&gt;</strong>"),
        "{page}"
    );
    assert!(
        page.contains("<a href=\"https://vinh.example/a?b=1&amp;c=2\">đây</a>"),
        "{page}"
    );
    assert!(
        page.contains("<h1>Cảnh giác &quot;cán bộ thuế&quot;</h1>"),
        "{page}"
    );
}

#[test]
fn letters_are_composed() {
    use unicode_normalization::UnicodeNormalization as _;
    let mut message = article();
    let apart = |text: &str| text.nfd().collect::<String>();
    let content = Content {
        title: apart(&message.content.title),
        text: apart(&message.content.text),
        html: message.content.html.as_deref().map(apart),
        summary: message.content.summary.as_deref().map(apart),
        ..(*message.content).clone()
    };
    message.content = Arc::new(content);
    assert_eq!(written(&message), written(&article()));
}

#[test]
fn a_title_becomes_no_header() {
    for title in [
        "Cảnh giác\r\nBcc: ai-do@la.example",
        "Cảnh giác\nBcc: ai-do@la.example\n\nLời khác",
        "Cảnh giác\rBcc: ai-do@la.example",
        "Canh giac\r\nBcc: ai-do@la.example",
        "Canh giac\u{0}\u{b}\u{85}\u{2028}Bcc: ai-do@la.example",
        "=?utf-8?q?Canh=0D=0ABcc:_ai-do@la.example?=",
    ] {
        let mut message = short();
        message.content = Arc::new(Content {
            title: title.into(),
            ..(*message.content).clone()
        });
        let raw = written(&message);
        let read = MessageParser::default().parse(&raw).unwrap();
        assert_eq!(read.bcc(), None, "{title:?}");
        assert_eq!(header(&raw, "Bcc"), None, "{title:?}");
        let text = read.body_text(0).unwrap();
        assert!(text.starts_with("Thưa bà con,"), "{title:?}: {text}");
        let head = String::from_utf8(raw).unwrap();
        let (head, _) = head.split_once("\r\n\r\n").unwrap();
        let is_sound = |line: &str| line.starts_with([' ', '\t']) || line.contains(':');
        assert!(head.split("\r\n").all(is_sound), "{head}");
        assert!(!head.replace("\r\n", "").contains(['\r', '\n']), "{head:?}");
    }
}

#[test]
fn an_attempt_again_is_the_same_letter_and_a_correction_answers_it() {
    let adapter = adapter(&config(465, MailTls::Implicit));
    let first = short();
    let mut again = short();
    (again.attempt, again.sent_at) = (2, instant("2024-03-25T05:30:31+07:00"));
    let id = |message: &Message| header(&written(message), "Message-ID");
    assert_eq!(id(&first), id(&again));
    let boundary = |message: &Message| header(&written(message), "Content-Type");
    assert_eq!(boundary(&article()), boundary(&article()));
    let note = adapter.note(&first, &[]).unwrap();
    let mut correction = short();
    correction.delivery = loa::domain::id::DeliveryId::from_text("zyxwvutsrqponmlkjihg");
    correction.kept.holds = Some(note.text.clone());
    assert_eq!(
        header(&written(&correction), "In-Reply-To"),
        None,
        "the next week's is no answer"
    );
    correction.kept.is_correction = true;
    for name in ["In-Reply-To", "References"] {
        assert_eq!(header(&written(&correction), name), id(&first), "{name}");
    }
    // What another sort of adapter left on record is no id.
    for other in ["{\"article\":\"a\"}", "<loa.a@b>\r\nBcc: <c@d>", "<a b@c>"] {
        correction.kept.holds = Some(other.into());
        assert_eq!(
            header(&written(&correction), "In-Reply-To"),
            None,
            "{other}"
        );
    }
}
