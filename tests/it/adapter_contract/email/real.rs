//! A real mail server (aiosmtpd), with encryption in both ways.

use std::time::Duration;

use loa::{
    adapter::{
        attempt::{NoNotes, attempt, probe},
        email::EmailAdapter,
        transport::{Transport, TransportSettings},
    },
    domain::{
        delivery::Reason,
        mail::{EmailConfig, MailTls},
        message::Message,
        secret::{Secret, SecretRef},
    },
};
use mail_parser::MessageParser;

use super::{
    super::{message, transport::settings},
    Peer, article, config, ending, impatient, mailbox, receipt, send, short,
};
use crate::support::smtp::{self, Smtp};

#[tokio::test(flavor = "multi_thread")]
async fn a_real_server_takes_letters_over_an_encrypted_connection() {
    for (mode, tls) in [
        ("starttls", MailTls::Starttls),
        ("implicit", MailTls::Implicit),
    ] {
        let Some(mut server) = Smtp::start(mode) else {
            return;
        };
        let config = EmailConfig {
            server: "localhost".into(),
            ca: Some(SecretRef::File("ca.pem".into())),
            login: Some((smtp::USER.into(), SecretRef::Env("LOA_SMTP".into()))),
            ..config(server.port, tls)
        };
        let with = |config: &EmailConfig, password: &str, authority: Option<String>| {
            let password = Secret::new(password.to_owned());
            EmailAdapter::new(config, Some(password), authority.map(Secret::new)).unwrap()
        };
        let good = with(&config, smtp::PASSWORD, Some(smtp::authority()));
        let transport = Transport::new(settings()).unwrap();
        let now = || message().sent_at;
        assert_eq!(
            probe(&good, None, &transport, now).await,
            Some(Ok(())),
            "{mode}"
        );
        let mail = async |adapter: &EmailAdapter, message: &Message| {
            attempt(adapter, message, &NoNotes, &transport, now).await
        };
        for message in [short(), article()] {
            let end = mail(&good, &message).await;
            assert_eq!(receipt(&end), "250 2.0.0 queued as 4F2B");
            let letter = server.letter();
            assert!(letter.encrypted);
            assert_eq!(letter.login.as_deref(), Some("loa"));
            assert_eq!(letter.from, "loa@vinh.example");
            assert_eq!(letter.to, ["truc-ban@vinh.example", "ca-2@vinh.example"]);
            let raw = letter.raw();
            let read = MessageParser::default().parse(&raw).unwrap();
            assert_eq!(read.subject(), Some(message.content.title.as_str()));
            let text = read.body_text(0).unwrap().replace("\r\n", "\n");
            // Marks of Markdown are for the page.
            let words = message.content.text.replace(['*', '<', '>'], "");
            assert!(text.contains(&words), "{text}");
        }
        let refused = mail(&with(&config, "sai", Some(smtp::authority())), &short()).await;
        assert_eq!(
            (ending(&refused).0, ending(&refused).1),
            ("reject", Reason::Unauthorised)
        );
        // Nobody whom this machine does not believe gets a password.
        let stranger = mail(&with(&config, smtp::PASSWORD, None), &short()).await;
        let (sort, reason, detail) = ending(&stranger);
        assert_eq!((sort, reason), ("retry", Reason::Tls));
        assert!(detail.starts_with("tls-untrusted problem="), "{detail}");
        // The other way of encrypting, at the same port: neither is about certificates.
        let (other, reason, detail) = match tls {
            MailTls::Starttls => (MailTls::Implicit, Reason::Tls, "mail-no-tls"),
            _ => (MailTls::Starttls, Reason::Unanswered, "mail-silent"),
        };
        let elsewhere = EmailConfig {
            tls: other,
            ..config.clone()
        };
        let adapter = with(&elsewhere, smtp::PASSWORD, Some(smtp::authority()));
        let impatient = Transport::new(impatient()).unwrap();
        let end = attempt(&adapter, &short(), &NoNotes, &impatient, now).await;
        assert_eq!(ending(&end), ("retry", reason, detail.to_owned()), "{mode}");
        let no_file = with(&config, smtp::PASSWORD, Some("mat-khau".into()));
        assert_eq!(
            ending(&mail(&no_file, &short()).await).2,
            "mail-no-certificate"
        );
        for (to, sort, reason) in [
            ("khong-co@vinh.example", "reject", Reason::Status),
            ("cho-chut@vinh.example", "retry", Reason::Busy),
        ] {
            let to = EmailConfig {
                to: vec![mailbox("truc-ban@vinh.example"), mailbox(to)],
                ..config.clone()
            };
            let adapter = with(&to, smtp::PASSWORD, Some(smtp::authority()));
            let end = mail(&adapter, &short()).await;
            assert_eq!((ending(&end).0, ending(&end).1), (sort, reason));
            if reason == Reason::Busy {
                assert_eq!(
                    receipt(&mail(&adapter, &short()).await),
                    "250 2.0.0 queued as 4F2B"
                );
                // Nothing came in between: nobody was sent anything while one was refused.
                assert_eq!(server.letter().to.len(), 2);
            }
        }
    }
}

/// A server that wants to be asked for encryption, where a channel begins with it: that is about the port, not about certificates.
#[tokio::test]
async fn a_server_that_does_not_encrypt_is_not_told_of_as_a_certificate() {
    let peer = Peer::start("220 x", &[]);
    let end = send(&config(peer.port, MailTls::Implicit), &short(), settings()).await;
    assert_eq!(
        ending(&end),
        ("retry", Reason::Tls, "mail-no-tls".to_owned())
    );
    // Nobody takes this connection, so nothing is ever said on it.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let quick = TransportSettings {
        connect_timeout: Duration::from_millis(400),
        ..settings()
    };
    let end = send(&config(port, MailTls::Implicit), &short(), quick).await;
    assert_eq!(
        ending(&end),
        ("retry", Reason::Tls, "tls-silent".to_owned())
    );
}
