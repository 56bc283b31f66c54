//! Standard Webhooks, from the first byte to the receiver's check.

use loa::{
    adapter::{
        Adapter, Step,
        webhook::{VerifyError, WebhookAdapter, WebhookProblem, verify},
    },
    domain::{channel::AdapterConfig, secret::Secret},
};

use super::{channel, message};

pub(super) const NEW: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OLD: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

fn build(url: &str, secrets: &[&str]) -> Result<WebhookAdapter, WebhookProblem> {
    let config = AdapterConfig::Webhook {
        url: url.into(),
        secrets: Vec::new(),
    };
    let secrets = secrets
        .iter()
        .map(|&text| Secret::new(text.into()))
        .collect();
    WebhookAdapter::new(&channel(config), url, secrets)
}

pub(super) fn adapter(url: &str, secrets: &[&str]) -> WebhookAdapter {
    build(url, secrets).unwrap()
}

#[test]
fn receivers_believe_either_secret_while_they_change_over() {
    let message = message();
    let Step::Call(request) = adapter("https://nhan.example/", &[NEW, OLD]).step(&message, &[])
    else {
        panic!()
    };
    let header = |name: &str| {
        &request
            .headers
            .iter()
            .find(|(given, _)| given == name)
            .unwrap()
            .1
    };
    let (id, timestamp, signature) = (
        header("webhook-id"),
        header("webhook-timestamp"),
        header("webhook-signature"),
    );
    assert_eq!(id, message.delivery.as_str());
    assert_eq!(timestamp, "1711319401");
    assert_eq!(signature.split(' ').count(), 2);
    let check = |secret: &str, id: &str, body: &[u8]| {
        verify(
            &Secret::new(secret.into()),
            id,
            timestamp,
            signature,
            body,
            message.sent_at,
        )
    };
    assert_eq!(check(NEW, id, &request.body), Ok(()));
    assert_eq!(check(OLD, id, &request.body), Ok(()));
    assert_eq!(check(OLD, "x", &request.body), Err(VerifyError::Signature));
    let stranger = "whsec_ISEhISEhISEhISEhISEhISEhISEhISEhISEhISEhISE=";
    assert_eq!(
        check(stranger, id, &request.body),
        Err(VerifyError::Signature)
    );
}

#[test]
fn what_cannot_work_is_said_at_once() {
    for (url, secrets, problem) in [
        ("https://nhan.example/", &[][..], WebhookProblem::NoSecret),
        ("ftp://nhan.example/", &[NEW][..], WebhookProblem::Address),
        ("nhan.example", &[NEW][..], WebhookProblem::Address),
        (
            "https://nhan.example/",
            &[NEW, "whsec_ngan"][..],
            WebhookProblem::Secret(2),
        ),
    ] {
        assert_eq!(build(url, secrets).unwrap_err(), problem);
    }
    let shown = format!("{:?}", adapter("https://nhan.example/bi-mat", &[NEW]));
    assert!(
        !shown.contains("MfKQ") && !shown.contains("bi-mat"),
        "{shown}"
    );
}
