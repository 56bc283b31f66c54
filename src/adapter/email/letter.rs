//! A letter as it is written (RFC 5322, MIME): the same bytes on every attempt, but for its date.

use std::time::{Duration, SystemTime};

use lettre::{
    Address,
    message::{
        Mailbox, MessageBuilder, MultiPart, SinglePart,
        header::{HeaderName, HeaderValue},
    },
};
use unicode_normalization::UnicodeNormalization as _;

use super::plain;
use crate::domain::{
    bulletin::Format,
    mail::{self, EmailConfig},
    message::{Content, Message},
    time::Timestamp,
};

/// What all letters of a channel have in common.
pub(super) struct Letterhead {
    from: Mailbox,
    to: Vec<Mailbox>,
    reply_to: Option<Mailbox>,
    /// What our ids end in.
    domain: String,
}

fn mailbox(mailbox: &mail::Mailbox) -> Option<Mailbox> {
    let address: Address = mailbox.address.parse().ok()?;
    let name = mailbox.name.as_deref().map(line);
    Some(Mailbox::new(name, address))
}

/// A text as one line: composed letters, and nothing that could end a header.
fn line(text: &str) -> String {
    let text: String = text
        .nfc()
        .map(|c| {
            if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') {
                ' '
            } else {
                c
            }
        })
        .collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A text of several lines with composed letters.
fn lines(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let kept = text
        .nfc()
        .filter(|c| *c == '\n' || *c == '\t' || !c.is_control());
    kept.collect()
}

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    text.replace('>', "&gt;").replace('"', "&quot;")
}

fn at(instant: Timestamp) -> SystemTime {
    let micros = u64::try_from(instant.as_micros()).unwrap_or_default();
    SystemTime::UNIX_EPOCH + Duration::from_micros(micros)
}

impl Letterhead {
    /// `None` where an address is not one.
    pub(super) fn new(config: &EmailConfig) -> Option<Self> {
        Some(Self {
            from: mailbox(&config.from)?,
            to: config.to.iter().map(mailbox).collect::<Option<_>>()?,
            reply_to: match &config.reply_to {
                Some(reply_to) => Some(mailbox(reply_to)?),
                None => None,
            },
            domain: config.from.domain().to_owned(),
        })
    }

    /// The letter's id, the same on every attempt.
    pub(super) fn id(&self, message: &Message) -> String {
        let key = message.delivery.as_str().chars();
        // An id of ours is letters and digits; whatever else one is made of in tests, it stays an id.
        let key: String = key.filter(char::is_ascii_alphanumeric).collect();
        format!("<loa.{key}@{}>", self.domain)
    }

    /// Headers and text; `None` where they cannot be written.
    pub(super) fn write(&self, message: &Message) -> Option<Vec<u8>> {
        let content = &*message.content;
        let mut head = MessageBuilder::new()
            .date(at(message.sent_at))
            .message_id(Some(self.id(message)))
            .from(self.from.clone())
            .subject(line(&content.title));
        for to in &self.to {
            head = head.to(to.clone());
        }
        if let Some(reply_to) = &self.reply_to {
            head = head.reply_to(reply_to.clone());
        }
        let corrected = message.kept.holds.as_ref();
        if let Some(id) = corrected.filter(|id| message.kept.is_correction && is_id(id)) {
            head = head.in_reply_to(id.clone()).references(id.clone());
        }
        // No holiday answers to what no person wrote (RFC 3834).
        let auto = HeaderName::new_from_ascii_str("Auto-Submitted");
        head = head.raw_header(HeaderValue::new(auto, "auto-generated".to_owned()));
        let letter = match content.format {
            Format::Article => head.multipart(self.parts(message)),
            Format::Message | Format::Script | Format::Sign => {
                head.singlepart(SinglePart::plain(lines(&content.text)))
            }
        };
        Some(letter.ok()?.formatted())
    }

    /// The same words twice: as text, and as a page.
    fn parts(&self, message: &Message) -> MultiPart {
        let content = &*message.content;
        // The same on every attempt, and in no text: what is written here is base64, quoted or both.
        let id = self.id(message);
        let boundary = format!("=_{}", &blake3::hash(id.as_bytes()).to_hex()[..32]);
        MultiPart::builder()
            .kind(lettre::message::MultiPartKind::Alternative)
            .boundary(boundary)
            .singlepart(SinglePart::plain(text(content)))
            .singlepart(SinglePart::html(page(content)))
    }
}

/// Whether it is an id as we write them: what is on record may have been written by another channel's adapter.
fn is_id(text: &str) -> bool {
    let inner = text
        .strip_prefix("<loa.")
        .and_then(|text| text.strip_suffix('>'));
    let is_sign = |b: u8| b.is_ascii_alphanumeric() || b"@.-_".contains(&b);
    inner.is_some_and(|inner| inner.bytes().all(is_sign) && inner.contains('@'))
}

fn text(content: &Content) -> String {
    let summary = content.summary.iter().map(|summary| lines(summary));
    let all: Vec<String> = summary
        .chain([plain::readable(&lines(&content.text))])
        .collect();
    all.join("\n\n")
}

fn page(content: &Content) -> String {
    let title = escaped(&line(&content.title));
    let summary = content
        .summary
        .as_ref()
        .map_or_else(String::new, |summary| {
            format!("<p><strong>{}</strong></p>\n", escaped(&line(summary)))
        });
    let body = content.html.as_deref().map_or_else(
        || format!("<pre>{}</pre>", escaped(&lines(&content.text))),
        lines,
    );
    format!(
        "<!DOCTYPE html>\n<html lang=\"vi\">\n<head><meta charset=\"utf-8\"><title>{title}</title></head>\n<body>\n<h1>{title}</h1>\n\
         {summary}{body}\n</body>\n</html>\n"
    )
}
