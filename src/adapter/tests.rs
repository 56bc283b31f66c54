//! What calls mean where nothing else is said, and that nothing secret is shown.

use super::*;

fn exchange(result: Result<Response, Fault>) -> Exchange {
    let request = Request {
        method: "POST".into(),
        url: "http://user:hunter2@10.1.4.3:8080/bot-hunter2/say?token=hunter2".into(),
        headers: vec![("authorization".into(), "Bearer hunter2".into())],
        body: Bytes::from_static(b"hunter2"),
        wait: Duration::ZERO,
        hidden: Hidden {
            answer: true,
            values: vec![Taken {
                name: "steps.login.token".to_owned(),
                value: Secret::new("hunter2".to_owned()),
                opens: true,
            }],
        },
        login: None,
    };
    Exchange { request, result }
}

#[test]
fn what_calls_mean_by_default() {
    let after = Some(Duration::from_secs(7));
    let answer = |status| {
        exchange(Ok(Response {
            status,
            retry_after: after,
            ..Response::default()
        }))
    };
    for (status, reason, meaning) in [
        (200, Reason::Unexpected, "reject"),
        (204, Reason::Unexpected, "reject"),
        (301, Reason::Redirect, "reject"),
        (304, Reason::Redirect, "reject"),
        (400, Reason::Status, "reject"),
        (401, Reason::Unauthorised, "reject"),
        (403, Reason::Unauthorised, "reject"),
        (404, Reason::Status, "reject"),
        (408, Reason::Status, "retry"),
        (409, Reason::Status, "reject"),
        (410, Reason::Status, "reject"),
        (425, Reason::Status, "retry"),
        (429, Reason::Busy, "retry"),
        (500, Reason::Status, "unknown"),
        (502, Reason::Status, "unknown"),
        (503, Reason::Busy, "retry"),
        (504, Reason::Status, "unknown"),
        (507, Reason::Status, "unknown"),
        (999, Reason::Unexpected, "reject"),
    ] {
        let detail = format!("call-status status={status}");
        let expected = match meaning {
            "retry" => Failure::Retry {
                after,
                reason,
                detail,
            },
            "reject" => Failure::Reject { reason, detail },
            _ => Failure::Unknown { reason, detail },
        };
        assert_eq!(classify(&answer(status)), expected);
    }
    for reason in [
        Reason::Refused,
        Reason::NoAddress,
        Reason::NoConnection,
        Reason::Tls,
        Reason::NotAllowed,
    ] {
        assert_eq!(
            classify(&exchange(Err(Fault::never_left(reason, "x")))),
            Failure::retry(reason, "x")
        );
    }
    for reason in [
        Reason::Timeout,
        Reason::Reset,
        Reason::Cut,
        Reason::Unreadable,
        Reason::TooLarge,
    ] {
        let failure = classify(&exchange(Err(Fault::may_have_left(reason, "x"))));
        assert_eq!(failure, Failure::unknown(reason, "x"));
        assert!(reason.is_doubt());
        let asked = format!("asked-{}", reason.as_str());
        let retry = Failure::retry(Reason::Unanswered, asked);
        assert_eq!(failure.without_effect(), retry);
    }
    let failed = classify(&answer(500)).without_effect();
    assert_eq!(
        failed,
        Failure::retry(Reason::Status, "call-status status=500"),
        "an answer that can be read"
    );
    let unwritable = classify(&exchange(Err(Fault::never_left(Reason::Unwritable, "x"))));
    assert_eq!(unwritable, Failure::reject(Reason::Unwritable, "x"));
}

#[test]
fn nothing_secret_is_shown() {
    let header = |(name, value): (&str, &str)| (name.parse().unwrap(), value.parse().unwrap());
    let headers = [("set-cookie", "hunter2")]
        .into_iter()
        .map(header)
        .collect();
    let answer = Response {
        status: 200,
        headers,
        body: Bytes::from_static(b"hunter2"),
        retry_after: None,
    };
    let shown = format!("{:?}", exchange(Ok(answer)));
    assert!(!shown.contains("hunter2"), "{shown}");
    assert!(
        shown.contains("10.1.4.3:8080") && shown.contains("set-cookie"),
        "{shown}"
    );
}

/// The device is asked with it later: what an upload gave may be a part of it.
#[test]
fn a_reference_keeps_what_opens_nothing() {
    let mut exchange = exchange(Err(Fault::never_left(Reason::Refused, "x")));
    exchange.request.hidden.values.push(Taken {
        name: "steps.upload.clip".to_owned(),
        value: Secret::new("a81f".to_owned()),
        opens: false,
    });
    let kept = |said| attempt::kept_receipt(said, std::slice::from_ref(&exchange), &[]);
    assert_eq!(kept("a81f-1"), "a81f-1");
    assert_eq!(kept("a81f-hunter2"), "a81f-***");
}
