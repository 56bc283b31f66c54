//! Requests for tokens, and the many forms of what comes back.

use serde_json::json;

use super::*;
use crate::{
    adapter::{Fault, Response},
    domain::{
        delivery::Reason,
        secret::SecretRef,
        zalo::{Correction, Quiet, Quota},
    },
};

fn account() -> Account {
    let config = ZaloConfig {
        app: "123".into(),
        oa: "456".into(),
        secret: SecretRef::Env("X".into()),
        callback: "https://loa.vinh.example/zalo?a=1".into(),
        proof: false,
        user: None,
        cover: None,
        pictures: None,
        picture: false,
        author: None,
        comments: true,
        correction: Correction::default(),
        quiet: Quiet::default(),
        reports: None,
        quota: Quota::default(),
    };
    Account::new(&config, Secret::new("khoa-ung-dung".into()))
}

fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

fn answered(status: u16, body: &str) -> Exchange {
    Exchange {
        request: account().refresh(&secret("r1")),
        result: Ok(Response {
            status,
            body: body.to_owned().into(),
            ..Response::default()
        }),
    }
}

#[test]
fn requests_are_forms_with_the_secret_in_a_header() {
    let request = account().refresh(&secret("r/1+="));
    assert_eq!(request.method, "POST");
    assert_eq!(
        *request.url,
        *"https://oauth.zaloapp.com/v4/oa/access_token"
    );
    assert_eq!(
        &request.body[..],
        b"refresh_token=r%2F1%2B%3D&app_id=123&grant_type=refresh_token"
    );
    assert!(request.hidden.answer);
    assert!(
        request
            .headers
            .contains(&("secret_key".into(), "khoa-ung-dung".into()))
    );
    let request = account().exchange("c", &secret("v"));
    assert_eq!(
        &request.body[..],
        b"code=c&app_id=123&grant_type=authorization_code&code_verifier=v"
    );
    let shown = format!("{request:?} {:?}", account());
    assert!(!shown.contains("khoa-ung-dung"), "{shown}");
}

/// The verifier and its challenge are the example of RFC 7636, appendix B.
#[test]
fn the_consent_page_is_asked_for_with_a_challenge() {
    let verifier = secret("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    assert_eq!(
        account().consent(&verifier, "s"),
        "https://oauth.zaloapp.com/v4/oa/permission?app_id=123&\
         redirect_uri=https%3A%2F%2Floa.vinh.example%2Fzalo%3Fa%3D1&\
         code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&state=s"
    );
}

#[test]
fn a_pair_is_two_tokens_and_nothing_less() {
    let pair = |life: u64| Pair {
        access: secret("a2"),
        refresh: secret("r2"),
        life: Duration::from_secs(life),
    };
    for (expires, life) in [
        (r#","expires_in":"3600""#, 3600),
        (r#","expires_in":3600"#, 3600),
        (r#","expires_in":"soon""#, 90_000),
        (r#","expires_in":-1"#, 90_000),
        (r#","expires_in":0"#, 90_000),
        (r#","expires_in":99999999999"#, 90_000),
        ("", 90_000),
    ] {
        let body = format!(r#"{{"access_token":"a2","refresh_token":" r2 "{expires}}}"#);
        assert_eq!(read(&answered(200, &body)), Ok(pair(life)), "{expires}");
    }
    for body in [
        "",
        "{}",
        "[]",
        "<html>",
        r#"{"access_token":"a2"}"#,
        r#"{"refresh_token":"r2"}"#,
        r#"{"access_token":"a2","refresh_token":""}"#,
        r#"{"access_token":"  ","refresh_token":"r2"}"#,
        r#"{"access_token":"a2","refresh_token":null}"#,
        r#"{"access_token":1,"refresh_token":"r2"}"#,
        r#"{"error":0,"message":"Success"}"#,
    ] {
        let read = read(&answered(200, body));
        assert!(matches!(read, Err(NoPair::Unclear(_))), "{body}: {read:?}");
    }
}

#[test]
fn the_hosts_that_are_asked_for_are_those_that_are_called() {
    let called = [super::super::API, OAUTH];
    assert_eq!(
        super::super::HOSTS.map(|host| format!("https://{host}")),
        called
    );
}

#[test]
fn refusals_come_in_many_forms() {
    for (status, body, code, said) in [
        (
            200,
            r#"{"error_name":"Invalid refresh token","error_reason":"x"}"#,
            "HTTP 200",
            "Invalid refresh token",
        ),
        (
            400,
            r#"{"error":-14,"error_description":"bad"}"#,
            "-14",
            "bad",
        ),
        (200, r#"{"error":"-201","message":"no"}"#, "-201", "no"),
        (
            200,
            r#"{"error":-14005,"error_name":"invalid_code"}"#,
            "-14005",
            "invalid_code",
        ),
        (401, r#"{"error_name":"gone"}"#, "HTTP 401", "gone"),
        (200, r#"{"error":-219,"message":"gone"}"#, "-219", "gone"),
    ] {
        // A refresh token that is over says nothing against the application.
        let word = if said.contains("refresh token") {
            "zalo-lapsed"
        } else {
            "zalo-refused"
        };
        let expected = Detail::new(word).with("code", code).with("said", said);
        assert_eq!(
            read(&answered(status, body)),
            Err(NoPair::Refused(expected)),
            "{body}"
        );
    }
    for (status, body) in [
        (200, r#"{"error":-32}"#),
        (503, ""),
        (429, "{}"),
        (
            503,
            r#"{"error":-1,"message":"Service temporarily unavailable"}"#,
        ),
        (429, r#"{"error":429,"message":"Invalid number of calls"}"#),
        (200, r#"{"error_name":"too_many_requests"}"#),
        (400, r#"{"error_name":"too_many_requests"}"#),
        (
            200,
            r#"{"error":-1,"message":"Service temporarily unavailable"}"#,
        ),
        (200, r#"{"error":-200,"message":"failed"}"#),
        (200, r#"{"error_description":"gone"}"#),
    ] {
        let mut exchange = answered(status, body);
        if let Ok(answer) = &mut exchange.result {
            answer.retry_after = Some(Duration::from_secs(7));
        }
        let read = read(&exchange);
        let is_busy = matches!(
            read,
            Err(NoPair::Busy { after: Some(after), .. }) if after == Duration::from_secs(7)
        );
        assert!(is_busy, "{body}: {read:?}");
    }
    // A breakdown: what was sent may be spent.
    let broken = read(&answered(500, r#"{"error":-1,"message":"Invalid state"}"#));
    assert!(matches!(broken, Err(NoPair::Unclear(_))), "{broken:?}");
    for (may_have_left, left) in [(true, true), (false, false)] {
        let mut exchange = answered(200, "");
        exchange.result = Err(Fault {
            may_have_left,
            reason: Reason::Timeout,
            detail: String::new(),
        });
        let is_unclear = matches!(read(&exchange), Err(NoPair::Unclear(_)));
        assert_eq!(is_unclear, left);
    }
}

#[test]
fn a_code_that_was_used_is_nobody_elses_fault() {
    for (body, is_about_code) in [
        (r#"{"error":-14005,"error_name":"x"}"#, true),
        (r#"{"error":-14003,"error_name":"Invalid code"}"#, true),
        (
            r#"{"error_description":"authorization_code expired"}"#,
            true,
        ),
        (
            r#"{"error":-14004,"error_name":"Invalid secret key"}"#,
            false,
        ),
        (r#"{"error_name":"Invalid refresh token"}"#, false),
    ] {
        let read = read(&answered(200, body)).unwrap_err();
        assert_eq!(read.is_about_code(), is_about_code, "{body}");
    }
}

/// One byte of Latin-1 beside two whole tokens.
#[test]
fn a_byte_that_is_no_text_does_not_lose_a_pair() {
    let with = |tokens: &[u8]| {
        let mut exchange = answered(200, "");
        let body = [
            br#"{"message":"th"#,
            b"\xe0nh".as_slice(),
            br#"","#,
            tokens,
            b"}",
        ]
        .concat();
        if let Ok(answer) = &mut exchange.result {
            answer.body = body.into();
        }
        read(&exchange)
    };
    let pair = with(br#""access_token":"a2","refresh_token":"r2""#).unwrap();
    assert_eq!((pair.access, pair.refresh), (secret("a2"), secret("r2")));
    let half = with(b"\"access_token\":\"a2\",\"refresh_token\":\"r\xe9\"");
    assert!(matches!(half, Err(NoPair::Unclear(_))), "{half:?}");
}

#[test]
fn what_is_said_repeats_no_secret() {
    let body = json!({
        "error_name": format!("{} of khoa-ung-dung: r/abc+, r%2Fabc%2B, new-refresh, code-12345", "x".repeat(60)),
        "error": -1,
        "refresh_token": "new-refresh",
    });
    let said = |request: Request| {
        let mut exchange = answered(200, &body.to_string());
        exchange.request = request;
        let no_pair = read(&exchange).unwrap_err();
        no_pair.detail().get("said").unwrap().to_owned()
    };
    let x = "x".repeat(60);
    assert_eq!(
        said(account().refresh(&secret("r/abc+"))),
        format!("{x} of ***: ***, ***, ***, code-12345")
    );
    assert_eq!(
        said(account().exchange("code-12345", &secret("r/abc+"))),
        format!("{x} of ***: ***, ***, ***, ***")
    );
}

#[test]
fn what_an_operator_pastes() {
    let whole = "https://loa.vinh.example/zalo?oa_id=456&code=a%2Bb+c&state=s#top";
    let expected = Callback {
        code: "a+b c".into(),
        oa: Some("456".into()),
        state: Some("s".into()),
    };
    assert_eq!(callback(whole), Some(expected));
    assert_eq!(callback("  abc-_. \n").unwrap().code, "abc-_.");
    for nothing in [
        "",
        "https://loa.vinh.example/zalo",
        "https://x/?code=",
        "https://oauth.zaloapp.com/v4/permission/error?error_code=-14003",
        "two words",
    ] {
        assert_eq!(callback(nothing), None, "{nothing}");
    }
    assert_eq!(decode("%zz%4"), "%zz%4");
    assert_eq!(decode("%C3%A1%"), "á%");
}
