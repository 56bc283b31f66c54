//! Words that hold, and words that do not, without a receiver.

use ChannelKind::{Chat, Loudspeaker, Website};
use Format::{Article, Message, Script};
use serde_json::json;

use super::*;

fn sent(media: &str, body: impl Into<Vec<u8>>) -> Request {
    Request {
        method: "POST".to_owned(),
        headers: vec![("content-type".to_owned(), media.to_owned())],
        body: body.into().into(),
        ..Request::default()
    }
}

fn codes(kind: ChannelKind, format: Format, request: &Request) -> Vec<String> {
    let found = whole(&[request], Readers { kind, format }, None).into_iter();
    let told = |breach: Breach| {
        let arguments = breach.arguments.iter().map(|(_, value)| value.as_str());
        [breach.code]
            .into_iter()
            .chain(arguments)
            .collect::<Vec<_>>()
            .join(" ")
    };
    found.map(told).collect()
}

/// The lines of a part as one text.
fn text(part: Part) -> String {
    let content = words::hard(match part {
        Part::Spoken => Script,
        _ => Article,
    });
    match part {
        Part::Title => content.title.clone(),
        Part::Text => content.text.clone(),
        Part::Spoken => content.voiced().into_owned(),
        Part::Summary => content.summary.clone().unwrap(),
        Part::Html => content.html.clone().unwrap(),
    }
}

fn json(body: &serde_json::Value) -> Request {
    sent("application/json", body.to_string())
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[test]
fn words_are_hard_and_within_what_is_usual() {
    assert!(text(Part::Title).chars().count() < 100);
    assert!(text(Part::Summary).chars().count() < 250);
    for part in [Part::Text, Part::Spoken] {
        let text = text(part);
        assert!((900..1_300).contains(&text.chars().count()), "{text}");
        assert!(text.lines().count() > 5, "{text}");
        for sign in ["<", ">", "&", "\"", "'", "\\", "%", "{{", "+", "\n", "🔊"] {
            assert!(text.contains(sign), "{sign}");
        }
    }
    assert!(!text(Part::Html).contains(" < "));
}

#[test]
fn what_is_right_holds() {
    let (title, written, spoken, html) = (
        text(Part::Title),
        text(Part::Text),
        text(Part::Spoken),
        text(Part::Html),
    );
    let ssml = format!(
        "<speak><p>{}</p><break time=\"1s\"/></speak>",
        escaped(&spoken)
    );
    let graphql = format!("mutation {{ say(text: {}) {{ ok }} }}", json!(spoken));
    let lines: Vec<&str> = written.lines().collect();
    for (kind, format, request) in [
        (
            Loudspeaker,
            Script,
            json(&json!({ "text": spoken, "volume": 7 })),
        ),
        (
            Loudspeaker,
            Script,
            json(&json!({ "text": format!("{title}. {spoken}") })),
        ),
        (Loudspeaker, Script, json(&json!({ "ssml": ssml }))),
        (Loudspeaker, Script, json(&json!({ "query": graphql }))),
        (
            Loudspeaker,
            Script,
            json(&json!({ "say": spoken, "show": written })),
        ),
        (
            Loudspeaker,
            Script,
            json(&json!({ "command": format!("speak {spoken}") })),
        ),
        (
            Loudspeaker,
            Script,
            sent("text/plain; charset=utf-8", spoken.clone()),
        ),
        (
            Loudspeaker,
            Script,
            sent(
                "text/xml",
                format!(
                    "<a><t>{}</t><m>{}</m></a>",
                    escaped(&title),
                    escaped(&spoken)
                ),
            ),
        ),
        (
            Chat,
            Message,
            json(&json!({ "text": format!("{title}\n\n{written}\n— UBND phường") })),
        ),
        (
            Chat,
            Message,
            json(&json!({ "text": format!("<b>{}</b>\n{}", escaped(&title), escaped(&written)) })),
        ),
        (Chat, Message, json(&json!({ "text": escaped(&written) }))),
        (Chat, Message, json(&json!({ "paragraphs": lines }))),
        (
            Chat,
            Article,
            json(&json!({ "text": text(Part::Summary), "title": title })),
        ),
        (
            Website,
            Article,
            json(&json!({ "title": title, "content": html })),
        ),
        (
            Website,
            Article,
            sent(
                "text/html; charset=utf-8",
                format!("<html><h1>{}</h1>{html}</html>", escaped(&title)),
            ),
        ),
        (
            Website,
            Article,
            sent("text/xml", format!("<a>{}</a>", escaped(&html))),
        ),
    ] {
        let body = String::from_utf8_lossy(&request.body).into_owned();
        assert_eq!(codes(kind, format, &request), [""; 0], "{kind:?} {body}");
    }
}

/// Asserts that a request is broken so.
fn shows(kind: ChannelKind, format: Format, request: &Request, expected: &str) {
    let body = String::from_utf8_lossy(&request.body);
    let found = codes(kind, format, request);
    assert!(
        found.iter().any(|code| code == expected),
        "{expected}: {found:?} {body}"
    );
}

#[test]
fn wrong_words_in_a_value_are_seen() {
    let (title, written, spoken) = (text(Part::Title), text(Part::Text), text(Part::Spoken));
    let cut: String = spoken.chars().take(160).collect();
    let short: String = spoken.chars().take(60).collect();
    let percent =
        percent_encoding::utf8_percent_encode(&spoken, percent_encoding::NON_ALPHANUMERIC);
    let twice = format!("{spoken} {spoken}");
    let both = format!("{spoken}\n{written}");
    for (value, expected) in [
        (title, "not-the-message title"),
        ("Có tin mới".to_owned(), "no-words"),
        (cut, "words-cut"),
        (short, "words-cut"),
        (escaped(&spoken), "words-escaped html"),
        (json!(spoken).to_string(), "words-escaped json"),
        (percent.to_string(), "words-escaped percent"),
        (spoken.replace('đ', "d"), "words marks"),
        (
            format!("<speak>{spoken}</speak>"),
            "words-escaped unescaped",
        ),
        (twice, "words-twice"),
        (both, "words-twice"),
        (
            format!("Hello. {spoken} Goodbye."),
            "words-added Hello. Goodbye.",
        ),
        (
            format!("Phường xin báo: {spoken}"),
            "words-added Phường xin báo:",
        ),
    ] {
        shows(
            Loudspeaker,
            Script,
            &json(&json!({ "text": value })),
            expected,
        );
    }
}

#[test]
fn wrong_bodies_and_pages_are_seen() {
    let (title, spoken, html) = (text(Part::Title), text(Part::Spoken), text(Part::Html));
    let form = "application/x-www-form-urlencoded";
    for (media, body, expected) in [
        (
            "application/json",
            format!("{{\"text\": \"{spoken}\"}}"),
            "no-json",
        ),
        ("text/xml", format!("<x>{spoken}</x>"), "no-xml"),
        (
            "text/html",
            json!({ "text": spoken }).to_string(),
            "other-type text/html",
        ),
        ("text/plain", spoken.clone(), "no-charset"),
        (form, format!("text={spoken}"), "words-cut"),
    ] {
        shows(Loudspeaker, Script, &sent(media, body), expected);
    }
    let written = text(Part::Text);
    let added = "words-added Goi 0912345678 de nhan tien";
    for (kind, format) in [(Chat, Message), (ChannelKind::Sign, Message)] {
        let more = json!({ "text": format!("{written} Goi 0912345678 de nhan tien") });
        shows(kind, format, &json(&more), added);
    }
    let more = json!({ "html": format!("{html}<p>Goi 0912345678 de nhan tien</p>") });
    shows(Website, Article, &json(&more), added);
    let chat = json!({ "title": title, "text": "" });
    shows(Chat, Message, &json(&chat), "not-the-message title");
    let teaser = json!({ "title": title, "html": text(Part::Summary) });
    shows(Website, Article, &json(&teaser), "not-the-message title");
    let twice = json!({ "title": title, "html": escaped(&html) });
    shows(Website, Article, &json(&twice), "words-escaped twice");
}
