//! A message with the picture of the bulletin's article: the picture is uploaded, and the message names what that gave.
//!
//! Nobody sees an upload, so one that is lost is made again, and no note is needed before it; the message itself is as it is without a picture.
//! What an upload gave ends after a while (-100): then it is uploaded once more, and the message, which was refused, is sent again.

use bytes::Bytes;
use serde_json::json;

use super::{
    ZaloAdapter,
    answer::{self, Answer},
};
use crate::{
    adapter::{Exchange, Failure, Request, Step},
    domain::{
        delivery::Reason, detail::Detail, message::Message, picture::Picture, secret::Secret,
    },
};

/// How often a picture is uploaded in one attempt: what has just been given does not end by itself.
const UPLOADS: u32 = 2;

/// Where an attempt stands.
enum Phase {
    Upload,
    Send(String),
}

impl ZaloAdapter {
    /// The next step of a message with a picture.
    pub(super) fn illustrated(
        &self,
        message: &Message,
        (picture, data): (&Picture, &Bytes),
        access: &Secret,
        done: &[Exchange],
    ) -> Step {
        let mut uploads = 0;
        let mut phase = Phase::Upload;
        for exchange in done {
            phase = match (phase, Answer::read(exchange)) {
                (Phase::Upload, Ok(answer)) => {
                    let Some(attachment) = answer.text("/attachment_id") else {
                        let detail = Detail::new("zalo-unreadable");
                        return Step::Failed(Failure::retry(Reason::Unexpected, detail));
                    };
                    uploads += 1;
                    Phase::Send(attachment)
                }
                (Phase::Upload, Err(failure)) => return Step::Failed(failure.without_effect()),
                (Phase::Send(_), Ok(answer)) => {
                    return Step::accepted(answer.text("/message_id"));
                }
                (Phase::Send(_), Err(failure)) => {
                    if answer::code(exchange) != Some(-100) || uploads == UPLOADS {
                        return Step::Failed(failure);
                    }
                    Phase::Upload
                }
            };
        }
        Step::Call(match phase {
            Phase::Upload => self.upload(picture, data, access),
            Phase::Send(attachment) => self.message(message, access, Some(&attachment)),
        })
    }

    /// RFC 7578, one file.
    fn upload(&self, picture: &Picture, data: &Bytes, access: &Secret) -> Request {
        let mut request = self.call(access, "POST", "/v2.0/oa/upload/image", None);
        // A hash of the bytes stands nowhere in them; the name is another text.
        let boundary = &picture.hash.as_str()[24..];
        let head = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{}.{}\"\r\nContent-Type: {}\r\n\r\n",
            picture.slug(),
            picture.format.as_str(),
            picture.format.media_type()
        );
        let end = format!("\r\n--{boundary}--\r\n");
        request.body = [head.as_bytes(), data, end.as_bytes()].concat().into();
        request.headers.push((
            "Content-Type".to_owned(),
            format!("multipart/form-data; boundary={boundary}"),
        ));
        request
    }

    /// A message to one person, with the attachment if there is one.
    pub(super) fn message(
        &self,
        message: &Message,
        access: &Secret,
        attachment: Option<&str>,
    ) -> Request {
        let mut body = json!({
            "recipient": { "user_id": self.user },
            "message": { "text": message.content.text },
        });
        if let Some(attachment) = attachment {
            body["message"]["attachment"] = json!({ "type": "template", "payload": {
                "template_type": "media",
                "elements": [{ "media_type": "image", "attachment_id": attachment }],
            } });
        }
        self.call(access, "POST", "/v3.0/oa/message/cs", Some(&body))
    }
}
