//! Mail for operators and departments: a letter by SMTP to one server, which takes it for all recipients or for none.
//!
//! - `message` is a letter of plain text, `article` one of text and HTML (teaser and body; links as they are). The title is the
//!   subject. What comes in a title cannot become a header.
//! - The Message-ID follows from the delivery's id and is the same on every attempt, so that a mailbox shows what had to be sent
//!   again once. A correction answers the letter that it corrects.
//! - What the server says after the letter's last line is the receipt. Until then nothing was sent; silence after it is doubt.
//! - 4xx is *not now* (greylisting is ordinary), 5xx is no. A refused login is for the operator, and not tried again: servers
//!   lock accounts after enough wrong passwords.

mod letter;
mod plain;

use std::{fmt, sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use letter::Letterhead;

use super::{
    Adapter, Exchange, Failure, Hidden, Request, Response, Step, classify, redact,
    transport::mail::{COMMAND, Envelope, LETTER, Mail, NOOP, RECIPIENT, Server},
};
use crate::domain::{
    delivery::Reason,
    detail::Detail,
    mail::EmailConfig,
    message::{Holds, Message, Note},
    secret::Secret,
};

/// How much of what a server says is kept beside a reason or as a receipt, in letters.
const SAID: usize = 200;

/// A channel that sends mail.
pub struct EmailAdapter {
    server: Arc<Server>,
    place: String,
    head: Letterhead,
    envelope: Envelope,
    secrets: Vec<Secret>,
}

/// One of the addresses of a channel is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a mail address is not one")]
pub struct NoMailbox;

impl fmt::Debug for EmailAdapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmailAdapter")
            .field("server", &self.server)
            .field("recipients", &self.envelope.to.len())
            .finish_non_exhaustive()
    }
}

/// Whether it is a yes to what counts: one to a command before that, where something else was due, says nothing of the letter.
fn is_yes_to(answer: &Response, command: &str) -> bool {
    answer.is_success() && answer.headers.get(COMMAND).as_deref() == Some(command)
}

impl EmailAdapter {
    /// The adapter of one channel. `password` is that of the configuration's login, `authorities` the content of its `ca`.
    ///
    /// # Errors
    /// [`NoMailbox`].
    pub fn new(
        config: &EmailConfig,
        password: Option<Secret>,
        authorities: Option<Secret>,
    ) -> Result<Self, NoMailbox> {
        let user = config.login.as_ref().map(|(user, _)| user.clone());
        let login = user.zip(password);
        // A server may repeat what it was told, as it was told.
        let secrets = login.iter().flat_map(|(user, password)| {
            let plain = STANDARD.encode(format!("\0{user}\0{}", password.expose()));
            let alone = STANDARD.encode(password.expose());
            [password.clone(), Secret::new(plain), Secret::new(alone)]
        });
        let secrets = secrets.collect();
        let place = (config.server.as_str(), config.port, config.tls);
        let server = Server::new(place, login, authorities);
        Ok(Self {
            place: server.place(),
            server: Arc::new(server),
            head: Letterhead::new(config).ok_or(NoMailbox)?,
            envelope: Envelope {
                from: config.from.address.clone(),
                to: config.to.iter().map(|to| to.address.clone()).collect(),
            },
            secrets,
        })
    }

    fn request(&self, method: &str, body: Bytes) -> Request {
        Request {
            method: method.to_owned(),
            url: format!("smtp://{}", self.place).into(),
            headers: Vec::new(),
            body,
            wait: Duration::ZERO,
            hidden: Hidden::default(),
            login: None,
        }
    }

    fn mail(&self, message: &Message) -> Step {
        let Some(letter) = self.head.write(message) else {
            let detail = Detail::new("call-mail-unwritable");
            return Step::Failed(Failure::reject(Reason::Unwritable, detail));
        };
        let mut request = self.request("MAIL", Bytes::from(letter));
        let key = message.delivery.as_str().to_owned();
        request.headers.push(("Idempotency-Key".to_owned(), key));
        Step::Mail(Box::new(Mail {
            request,
            server: Arc::clone(&self.server),
            envelope: Some(self.envelope.clone()),
        }))
    }

    /// What a server said, as it may be kept.
    fn said(&self, answer: &Response) -> String {
        let text = String::from_utf8_lossy(&answer.body);
        let text = redact(&text, &self.secrets);
        let text: Vec<&str> = text.split_whitespace().collect();
        text.join(" ").chars().take(SAID).collect()
    }

    /// Why it did not go through.
    fn failure(&self, exchange: &Exchange) -> Failure {
        let answer = match &exchange.result {
            Ok(answer) => answer,
            Err(fault) if fault.reason == Reason::Unauthorised => {
                return Failure::reject(fault.reason, fault.detail.clone());
            }
            Err(_) => return classify(exchange),
        };
        let said = self.said(answer);
        let command = answer.headers.get(COMMAND).unwrap_or_default();
        let detail = match answer.headers.get(RECIPIENT) {
            Some(recipient) => Detail::new("call-mail-recipient").with("recipient", recipient),
            None => Detail::new("call-mail-refused"),
        };
        let detail = detail.with("said", &said);
        match answer.status {
            400..=499 => Failure::retry(Reason::Busy, detail),
            // 530: somebody has to log in first (RFC 4954, section 6).
            530 => Failure::reject(
                Reason::Unauthorised,
                Detail::new("mail-login").with("said", said),
            ),
            500..=599 if command == "AUTH" => Failure::reject(
                Reason::Unauthorised,
                Detail::new("mail-login").with("said", said),
            ),
            500..=599 => Failure::reject(Reason::Status, detail),
            _ => Failure::reject(Reason::Unexpected, detail),
        }
    }
}

impl Adapter for EmailAdapter {
    fn step(&self, message: &Message, done: &[Exchange]) -> Step {
        let [.., exchange] = done else {
            return self.mail(message);
        };
        match &exchange.result {
            Ok(answer) if is_yes_to(answer, LETTER) => Step::accepted(Some(self.said(answer))),
            _ => Step::Failed(self.failure(exchange)),
        }
    }

    fn probe(&self, done: &[Exchange]) -> Option<Step> {
        let [.., exchange] = done else {
            return Some(Step::Mail(Box::new(Mail {
                request: self.request("NOOP", Bytes::new()),
                server: Arc::clone(&self.server),
                envelope: None,
            })));
        };
        Some(match &exchange.result {
            Ok(answer) if is_yes_to(answer, NOOP) => Step::accepted(None),
            _ => Step::Failed(self.failure(exchange).without_effect()),
        })
    }

    fn gives_notes(&self) -> bool {
        true
    }

    /// Which letter it is, so that a correction can answer it.
    fn note(&self, message: &Message, done: &[Exchange]) -> Option<Note> {
        done.is_empty().then(|| Note {
            text: self.head.id(message),
            // What a refused letter left is nothing; a note whose call may have gone through counts by itself.
            holds: Holds::Nothing,
            whole_call: false,
        })
    }

    fn is_status_enough(&self, _: &Message) -> bool {
        // "The text is for the human user" (RFC 5321, section 4.2).
        true
    }

    fn name(&self) -> &'static str {
        "email"
    }

    fn host(&self) -> &str {
        &self.place
    }

    fn secrets(&self) -> &[Secret] {
        &self.secrets
    }
}
