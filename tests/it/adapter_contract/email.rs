//! Mail: what is written, read by a reader that knows nothing of its writer; what each answer means, from servers that do as they are
//! told; and a real server (aiosmtpd) with encryption.

mod letters;
mod peer;
mod real;

use std::{sync::Arc, time::Duration};

use loa::{
    adapter::{
        Adapter, Step,
        attempt::{AttemptEnd, Ending, NoNotes, attempt, probe},
        email::EmailAdapter,
        transport::{Transport, TransportSettings},
    },
    domain::{
        bulletin::Format,
        delivery::Reason,
        mail::{EmailConfig, MailTls, Mailbox},
        message::{Content, Message},
        secret::{Secret, SecretRef},
    },
};
use mail_parser::MessageParser;
use peer::Peer;

use super::{
    instant, message,
    server::nobody,
    steps::failure,
    transport::{range, settings},
};

const PASSWORD: &str = "mat-khau-hom-thu";

fn mailbox(text: &str) -> Mailbox {
    Mailbox::parse(text).unwrap()
}

fn config(port: u16, tls: MailTls) -> EmailConfig {
    EmailConfig {
        server: "127.0.0.1".into(),
        port,
        tls,
        ca: None,
        login: Some(("loa".into(), SecretRef::Env("LOA_SMTP".into()))),
        from: mailbox("Hệ thống loa <loa@vinh.example>"),
        to: vec![
            mailbox("Trực ban, ca 1 <truc-ban@vinh.example>"),
            mailbox("ca-2@vinh.example"),
        ],
        reply_to: Some(mailbox("phong-vhtt@vinh.example")),
    }
}

fn adapter(config: &EmailConfig) -> EmailAdapter {
    EmailAdapter::new(config, Some(Secret::new(PASSWORD.into())), None).unwrap()
}

fn short() -> Message {
    let message = message();
    let content = Content {
        format: Format::Message,
        title: "Cảnh giác \"cán bộ thuế\" gọi điện yêu cầu bà con cài ứng dụng lạ và chuyển tiền"
            .into(),
        text: "Thưa bà con,\n.\nđừng bấm vào https://thue-gia.example/a?b=1&c=2\nQUIT".into(),
        html: None,
        ..(*message.content).clone()
    };
    Message {
        content: Arc::new(content),
        ..message
    }
}

fn article() -> Message {
    let message = message();
    let content = Content {
        format: Format::Article,
        summary: Some("Kẻ gian giả danh <cán bộ>".into()),
        text: "Đừng bấm vào **đường dẫn** lạ: <https://vinh.example/a?b=1&c=2>".into(),
        html: Some("<p>Đừng bấm vào <strong>đường dẫn</strong> lạ: <a href=\"https://vinh.example/a?b=1&amp;c=2\">đây</a></p>".into()),
        ..(*message.content).clone()
    };
    Message {
        content: Arc::new(content),
        ..message
    }
}

async fn send(config: &EmailConfig, message: &Message, settings: TransportSettings) -> AttemptEnd {
    let transport = Transport::new(settings).unwrap();
    attempt(&adapter(config), message, &NoNotes, &transport, || {
        message.sent_at
    })
    .await
}

fn ending(end: &AttemptEnd) -> (&'static str, Reason, String) {
    match &end.ending {
        Ending::Failed(why) => {
            let (sort, reason) = failure(&Step::Failed(why.clone()));
            (sort, reason, why.detail().to_owned())
        }
        Ending::Accepted(receipt) => panic!("{receipt:?}"),
    }
}

fn receipt(end: &AttemptEnd) -> String {
    match &end.ending {
        Ending::Accepted(receipt) => receipt.reference.clone().unwrap(),
        Ending::Failed(why) => panic!("{why:?}"),
    }
}

/// It was called and it answered, whatever it lacks: who counts on that for its host must know.
#[tokio::test]
async fn a_server_without_a_login_has_answered() {
    let peer = Peer::start("220 hello", &[("EHLO ", "250-x\r\n250 8BITMIME")]);
    let end = send(&config(peer.port, MailTls::None), &short(), settings()).await;
    let told = ("reject", Reason::Unauthorised, "mail-no-login".to_owned());
    assert_eq!(ending(&end), told);
    assert_eq!((end.status, end.answered), (None, true));
    let nobody = nobody().port();
    let end = send(&config(nobody, MailTls::None), &short(), settings()).await;
    assert_eq!((end.exchanges, end.answered), (1, false), "{end:?}");
}

#[tokio::test]
async fn what_is_said_to_the_server() {
    let peer = Peer::start(
        "220 smtp.vinh.example ESMTP",
        &[
            (
                "EHLO [127.0.0.1]",
                "250-smtp.vinh.example\r\n250-AUTH LOGIN PLAIN\r\n250 8BITMIME",
            ),
            ("AUTH PLAIN AGxvYQBtYXQta2hhdS1ob20tdGh1", "235 2.7.0 ok"),
            ("MAIL FROM:<loa@vinh.example>", "250 ok"),
            ("RCPT TO:<truc-ban@vinh.example>", "250 ok"),
            ("RCPT TO:<ca-2@vinh.example>", "251 forwarded"),
            ("DATA", "354 go on"),
            ("letter", "250-2.0.0 Ok\r\n250 queued as 4F2B"),
            ("QUIT", "221 bye"),
        ],
    );
    let end = send(&config(peer.port, MailTls::None), &short(), settings()).await;
    assert_eq!(receipt(&end), "250-2.0.0 Ok 250 queued as 4F2B");
    assert_eq!((end.status, end.exchanges), (Some(250), 1));
    let letter = peer.letter();
    assert!(letter.ends_with("\r\n.\r\n"), "{letter}");
    let unstuffed = letter.trim_end_matches(".\r\n").replace("\r\n..", "\r\n.");
    let read = MessageParser::default()
        .parse(unstuffed.as_bytes())
        .unwrap();
    let text = read.body_text(0).unwrap().replace("\r\n", "\n");
    assert_eq!(text.trim_end(), short().content.text);
}

#[tokio::test]
async fn the_older_way_to_log_in_and_none() {
    let peer = Peer::start(
        "220-hello\r\n220 again",
        &[
            ("EHLO ", "250-x\r\n250 AUTH=LOGIN CRAM-MD5"),
            ("AUTH LOGIN", "334 VXNlcm5hbWU6"),
            ("bG9h", "334 UGFzc3dvcmQ6"),
            ("bWF0LWtoYXUtaG9tLXRodQ==", "235 ok"),
            ("NOOP", "250 ok"),
            ("QUIT", "221 bye"),
        ],
    );
    let transport = Transport::new(settings()).unwrap();
    let now = || instant("2024-03-25T05:30:00Z");
    let asked = probe(
        &adapter(&config(peer.port, MailTls::None)),
        None,
        &transport,
        now,
    )
    .await;
    assert_eq!(asked, Some(Ok(())));
    peer.ended();
    let peer = Peer::start(
        "220 x",
        &[("EHLO ", "250 x"), ("NOOP", "250 ok"), ("QUIT", "!close")],
    );
    let open = EmailConfig {
        login: None,
        ..config(peer.port, MailTls::None)
    };
    let open = EmailAdapter::new(&open, None, None).unwrap();
    assert_eq!(probe(&open, None, &transport, now).await, Some(Ok(())));
    peer.ended();
}

/// The lines of a server that goes along until the letter.
const ALONG: [(&str, &str); 6] = [
    ("EHLO ", "250-x\r\n250 AUTH PLAIN"),
    ("AUTH ", "235 ok"),
    ("MAIL ", "250 ok"),
    ("RCPT ", "250 ok"),
    ("RCPT ", "250 ok"),
    ("DATA", "354 go on"),
];

/// A server that goes along for so many lines, and then answers this to what begins so.
fn until(count: usize, last: (&'static str, &'static str)) -> Peer {
    let lines: Vec<_> = ALONG[..count].iter().copied().chain([last]).collect();
    Peer::start("220 x", &lines)
}

fn impatient() -> TransportSettings {
    TransportSettings {
        total_timeout: Duration::from_millis(400),
        ..settings()
    }
}

#[tokio::test]
async fn what_answers_mean() {
    let login = "mail-login said=535 5.7.8 no";
    for (count, line, answer, sort, reason, detail) in [
        (
            0,
            "EHLO ",
            "421 4.3.2 busy",
            "retry",
            Reason::Busy,
            "call-mail-refused said=421 4.3.2 busy",
        ),
        (
            0,
            "EHLO ",
            "554 5.7.1 go away",
            "reject",
            Reason::Status,
            "call-mail-refused said=554 5.7.1 go away",
        ),
        (
            1,
            "AUTH ",
            "535 5.7.8 no",
            "reject",
            Reason::Unauthorised,
            login,
        ),
        (
            1,
            "AUTH ",
            "454 4.7.0 later",
            "retry",
            Reason::Busy,
            "call-mail-refused said=454 4.7.0 later",
        ),
        (
            2,
            "MAIL ",
            "530 5.7.0 who are you",
            "reject",
            Reason::Unauthorised,
            "mail-login said=530 5.7.0 who are you",
        ),
        (
            2,
            "MAIL ",
            "452 4.3.1 full",
            "retry",
            Reason::Busy,
            "call-mail-refused said=452 4.3.1 full",
        ),
        (
            3,
            "RCPT ",
            "451 4.7.1 greylisted",
            "retry",
            Reason::Busy,
            "call-mail-recipient recipient=truc-ban@vinh.example; said=451 4.7.1 greylisted",
        ),
        (
            4,
            "RCPT ",
            "550 5.1.1 nobody",
            "reject",
            Reason::Status,
            "call-mail-recipient recipient=ca-2@vinh.example; said=550 5.1.1 nobody",
        ),
        (
            5,
            "DATA",
            "554 5.5.1 no",
            "reject",
            Reason::Status,
            "call-mail-refused said=554 5.5.1 no",
        ),
        (
            5,
            "DATA",
            "250 what",
            "reject",
            Reason::Unexpected,
            "call-mail-refused said=250 what",
        ),
        (
            6,
            "letter",
            "451 4.3.0 try again",
            "retry",
            Reason::Busy,
            "call-mail-refused said=451 4.3.0 try again",
        ),
        (
            6,
            "letter",
            "552 5.3.4 too big",
            "reject",
            Reason::Status,
            "call-mail-refused said=552 5.3.4 too big",
        ),
        (
            6,
            "letter",
            "354 more",
            "reject",
            Reason::Unexpected,
            "call-mail-refused said=354 more",
        ),
    ] {
        let peer = until(count, (line, answer));
        let end = send(&config(peer.port, MailTls::None), &short(), settings()).await;
        assert_eq!(
            ending(&end),
            (sort, reason, detail.to_owned()),
            "{line} {answer}"
        );
    }
}

#[tokio::test]
async fn until_the_last_line_nothing_was_sent_and_then_silence_is_doubt() {
    for (count, line, answer, sort, reason, detail) in [
        (
            0,
            "EHLO ",
            "!close",
            "retry",
            Reason::Unanswered,
            "mail-reset",
        ),
        (
            3,
            "RCPT ",
            "!reset",
            "retry",
            Reason::Unanswered,
            "mail-reset",
        ),
        (
            5,
            "DATA",
            "!hang",
            "retry",
            Reason::Unanswered,
            "mail-timeout",
        ),
        (
            5,
            "DATA",
            "HTTP/1.1 400 Bad Request",
            "retry",
            Reason::Unanswered,
            "mail-unreadable",
        ),
        (
            5,
            "DATA",
            "354-go\r\n250 on",
            "retry",
            Reason::Unanswered,
            "mail-unreadable",
        ),
        (5, "DATA", "!half", "retry", Reason::Unanswered, "mail-cut"),
        (
            5,
            "DATA",
            "!endless",
            "retry",
            Reason::Unanswered,
            "mail-too-large",
        ),
        (
            6,
            "letter",
            "!close",
            "unknown",
            Reason::Reset,
            "call-closed",
        ),
        (
            6,
            "letter",
            "!reset",
            "unknown",
            Reason::Reset,
            "call-reset",
        ),
        (
            6,
            "letter",
            "!hang",
            "unknown",
            Reason::Timeout,
            "call-timeout",
        ),
        (6, "letter", "!half", "unknown", Reason::Cut, "call-closed"),
        (
            6,
            "letter",
            "what?",
            "unknown",
            Reason::Unreadable,
            "call-mail-no-smtp",
        ),
        (
            6,
            "letter",
            "!endless",
            "unknown",
            Reason::TooLarge,
            "call-too-large bytes=65536",
        ),
    ] {
        let peer = until(count, (line, answer));
        let patience = if answer == "!hang" {
            impatient()
        } else {
            settings()
        };
        let end = send(&config(peer.port, MailTls::None), &short(), patience).await;
        assert_eq!(
            ending(&end),
            (sort, reason, detail.to_owned()),
            "{line} {answer}"
        );
    }
    // One that says nothing at all, or speaks another language.
    for (greeting, reason, detail) in [
        ("!hang", Reason::Unanswered, "mail-silent"),
        ("SSH-2.0-OpenSSH_9.2", Reason::Unanswered, "mail-unreadable"),
    ] {
        let peer = Peer::start(greeting, &[]);
        let end = send(&config(peer.port, MailTls::None), &short(), impatient()).await;
        assert_eq!(
            ending(&end),
            ("retry", reason, detail.to_owned()),
            "{greeting}"
        );
    }
    let peer = Peer::start("554 5.3.2 no service", &[]);
    let end = send(&config(peer.port, MailTls::None), &short(), settings()).await;
    assert_eq!(ending(&end).1, Reason::Status);
}

/// Half of a letter is no letter to a server: only its last line makes it one.
#[tokio::test]
async fn a_connection_that_breaks_within_the_letter_left_none() {
    let peer = until(6, ("part", "!reset"));
    let Step::Mail(mut mail) = adapter(&config(peer.port, MailTls::None)).step(&short(), &[])
    else {
        panic!("a letter");
    };
    // More than both machines' buffers hold, so that the end is not written when the connection breaks.
    mail.request.body = format!("{}\n", "x".repeat(900)).repeat(14_000).into();
    let transport = Transport::new(settings()).unwrap();
    let patience = tokio::time::Instant::now() + Duration::from_mins(1);
    let fault = transport.mail(&mail, patience).await.unwrap_err();
    let said = (fault.may_have_left, fault.reason, fault.detail.as_str());
    assert_eq!(said, (false, Reason::Unanswered, "mail-reset"));
}

#[tokio::test]
async fn nobody_there_nothing_allowed_and_nothing_in_clear_text_far_away() {
    let port = {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        taken.local_addr().unwrap().port()
    };
    let clear = config(port, MailTls::None);
    let end = send(&clear, &short(), settings()).await;
    assert_eq!(
        ending(&end),
        ("retry", Reason::Refused, "call-refused".to_owned())
    );
    for server in ["127.0.0.1", "localhost"] {
        let elsewhere = TransportSettings {
            allow: vec![range("10.0.0.0/8")],
            ..settings()
        };
        let config = EmailConfig {
            server: server.into(),
            ..clear.clone()
        };
        let end = send(&config, &short(), elsewhere).await;
        assert_eq!(ending(&end).1, Reason::NotAllowed, "{server}");
    }
    let nowhere = EmailConfig {
        server: "smtp.vinh.invalid".into(),
        ..clear.clone()
    };
    assert_eq!(
        ending(&send(&nowhere, &short(), settings()).await).1,
        Reason::NoAddress
    );
    // An address of a documentation network: the call ends before anybody is called.
    let far = TransportSettings {
        allow: vec![range("203.0.113.0/24")],
        ..settings()
    };
    let config = EmailConfig {
        server: "203.0.113.7".into(),
        ..clear
    };
    let end = send(&config, &short(), far).await;
    assert_eq!(
        ending(&end),
        ("retry", Reason::Tls, "mail-clear".to_owned())
    );
}

#[tokio::test]
async fn no_secret_is_in_anything_that_is_kept() {
    let proof = "AGxvYQBtYXQta2hhdS1ob20tdGh1";
    let alone = "bWF0LWtoYXUtaG9tLXRodQ==";
    let repeats = format!("you said {proof} and {alone} which is {PASSWORD}");
    for (count, line, code) in [
        (1, "AUTH ", 535),
        (3, "RCPT ", 550),
        (6, "letter", 451),
        (6, "letter", 250),
    ] {
        let answer: &'static str = format!("{code}-{repeats}\r\n{code} {repeats}").leak();
        let peer = until(count, (line, answer));
        let config = config(peer.port, MailTls::None);
        let end = send(&config, &short(), settings()).await;
        let shown = format!(
            "{end:?} {:?} {:?}",
            adapter(&config),
            adapter(&config).step(&short(), &[])
        );
        for secret in [proof, alone, PASSWORD] {
            assert!(!shown.contains(secret), "{line}: {shown}");
        }
        assert!(shown.contains("***"), "{shown}");
    }
    // Nor is anything that moves a cursor, or more than a line.
    let long: &'static str = format!("550 \u{1b}[2J{}", "x".repeat(5_000)).leak();
    let peer = until(6, ("letter", long));
    let end = send(&config(peer.port, MailTls::None), &short(), settings()).await;
    let (_, _, detail) = ending(&end);
    assert!(!detail.contains('\u{1b}') && detail.len() < 300, "{detail}");
    assert!(end.answer.unwrap().len() <= 4096);
}

#[tokio::test]
async fn nothing_is_sent_where_encryption_does_not_come_about() {
    for (lines, reason, detail) in [
        (
            vec![("EHLO ", "250-x\r\n250 AUTH PLAIN")],
            Reason::Tls,
            "mail-no-starttls",
        ),
        (
            vec![
                ("EHLO ", "250-x\r\n250 STARTTLS"),
                ("STARTTLS", "454 4.7.0 no"),
            ],
            Reason::Tls,
            "call-problem problem=454 4.7.0 no",
        ),
        // Whoever can change what is not encrypted yet puts an answer there that would count afterwards.
        (
            vec![
                ("EHLO ", "250-x\r\n250 STARTTLS"),
                ("STARTTLS", "220 go\r\n250-x\r\n250 AUTH PLAIN"),
            ],
            Reason::Tls,
            "call-problem problem=the server spoke before the connection was encrypted",
        ),
    ] {
        let peer = Peer::start("220 x", &lines);
        let end = send(&config(peer.port, MailTls::Starttls), &short(), settings()).await;
        let (sort, why, said) = ending(&end);
        assert_eq!((sort, why), ("retry", reason), "{lines:?} {said}");
        assert!(said.starts_with(detail), "{said}");
        for line in peer.ended() {
            assert!(line.starts_with("EHLO") || line == "STARTTLS", "{line}");
        }
    }
}
