//! Recipes that prove who calls, sign what they send, and send sound in other shapes than as it is.

use std::time::Duration;

use bytes::Bytes;
use loa::{
    adapter::{Request, Step},
    domain::{audio::AudioFormat, delivery::Reason, message::Message},
};
use serde_json::Value;

use super::{
    message, sound,
    steps::{failure, header, ok, play, says, written},
};

const DIGEST: &str = r#"
auth: { digest: { user: "{{ with.user }}", password: "{{ with.password }}" } }
request: { method: GET, url: "{{ with.url }}/axis-cgi/playclip.cgi?clip=3" }
accepted: { status: 200, pattern: '(?i)^ok\s+playing=' }
"#;

/// The values are checked by the definition (RFC 7616, 3.4), worked out here once more.
#[test]
fn a_digest_is_answered() {
    let adapter = written(DIGEST);
    let asked = |more: &str| {
        let value =
            format!(r#"Basic realm="x", Digest realm="AXIS_1", nonce="so-1", qop="auth"{more}"#);
        says(401, &[("www-authenticate", &value)], "")
    };
    let (requests, end) = play(&adapter, &message(), [asked(""), ok("OK\nplaying=3")]);
    assert!(matches!(end, Step::Accepted(_)), "{end:?}");
    assert_eq!(
        (requests.len(), header(&requests[0], "authorization")),
        (2, None)
    );
    let proof = header(&requests[1], "authorization").unwrap();
    let field = |name: &str| {
        let (_, rest) = proof.split_once(&format!("{name}=")).unwrap();
        rest.split(',').next().unwrap().trim_matches('"').to_owned()
    };
    let md5 = |text: String| {
        use md5::{Digest as _, Md5};
        Md5::digest(text.as_bytes())
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    let uri = "/axis-cgi/playclip.cgi?clip=3";
    assert_eq!(
        (field("uri").as_str(), field("nonce").as_str()),
        (uri, "so-1")
    );
    let (user, place) = (
        md5("loa:AXIS_1:mat-khau-2".to_owned()),
        md5(format!("GET:{uri}")),
    );
    let expected = md5(format!(
        "{user}:so-1:{}:{}:auth:{place}",
        field("nc"),
        field("cnonce")
    ));
    assert_eq!(field("response"), expected);
    // Refused is refused; only a number that got too old is answered once more.
    let (_, end) = play(&adapter, &message(), [asked(""), asked("")]);
    assert_eq!(failure(&end), ("reject", Reason::Unauthorised));
    let (requests, _) = play(
        &adapter,
        &message(),
        [asked(""), asked(", stale=true"), ok("OK\nplaying=3")],
    );
    assert_eq!(requests.len(), 3);
    let own = |request: &Request| header(request, "authorization").map(str::to_owned);
    assert_ne!(own(&requests[1]), own(&requests[2]));
    // One that does not ask is answered as any other.
    let (requests, _) = play(&adapter, &message(), [ok("OK\nplaying=3")]);
    assert_eq!(requests.len(), 1);
}

/// A sound does not cross a ward's modem twice: once the device has asked, what follows carries its proof from the start.
#[test]
fn what_follows_a_challenge_carries_a_proof_from_the_start() {
    let adapter = written(
        r#"
auth: { digest: { user: "{{ with.user }}", password: "{{ with.password }}" } }
steps:
  list: { request: { method: GET, url: "{{ with.url }}/list" }, take: { slot: { pattern: 'slot=([0-9]+)' } } }
  other: { request: { method: GET, url: "http://10.9.9.9/other" } }
request: { method: POST, url: "{{ with.url }}/play?{{ steps.list.slot }}" }
"#,
    );
    let asked = |nonce: &str| {
        let value = format!(r#"Digest realm="đường", nonce="{nonce}", qop="auth""#);
        Ok(loa::adapter::Response {
            status: 401,
            headers: [(
                "www-authenticate".parse().unwrap(),
                value.as_bytes().try_into().unwrap(),
            )]
            .into_iter()
            .collect(),
            ..Default::default()
        })
    };
    let answers = [asked("a"), ok("slot=3"), ok(""), ok("")];
    let (requests, end) = play(&adapter, &message(), answers);
    assert!(matches!(end, Step::Accepted(_)), "{end:?}");
    let proofs: Vec<Option<&str>> = requests
        .iter()
        .map(|request| header(request, "authorization"))
        .collect();
    let has = |proof: Option<&str>, text: &str| proof.is_some_and(|proof| proof.contains(text));
    assert_eq!((requests.len(), proofs[0], proofs[2]), (4, None, None));
    assert!(
        has(proofs[1], "nc=00000001") && has(proofs[3], "nc=00000002"),
        "{proofs:?}"
    );
    // A number that is good for one request only is asked for again.
    let answers = [asked("a"), ok("slot=3"), ok(""), asked("b"), ok("")];
    let (requests, end) = play(&adapter, &message(), answers);
    assert!(matches!(end, Step::Accepted(_)), "{end:?}");
    assert!(has(header(&requests[4], "authorization"), "nonce=\"b\""));
}

#[test]
fn a_request_can_be_signed() {
    let adapter = written(
        r#"
request:
  method: POST
  url: "{{ with.url }}/v1/send?x=1"
  headers:
    X-Time: "{{ message.sent_unix }}"
    X-Nonce: "{{ message.nonce }}"
    X-Sum: "{{ request.body_sha256 }}"
    X-Sign: "{{ (request.method ~ request.path ~ message.sent_unix ~ request.body) | hmac_sha256(key=with.token, encoding='base64') }}"
    X-Old: "{{ (message.sent_unix_ms ~ with.token) | md5 }}"
  body: { json: { text: "{{ message.title }}" } }
"#,
    );
    let (requests, _) = play(&adapter, &message(), []);
    let request = &requests[0];
    let at = message().sent_at.as_micros();
    let time = (at / 1_000_000).to_string();
    assert_eq!(header(request, "x-time"), Some(time.as_str()));
    let sign = {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        use hmac::{Hmac, KeyInit as _, Mac as _};
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(b"mat-khau-1").unwrap();
        let body = std::str::from_utf8(&request.body).unwrap();
        mac.update(format!("POST/v1/send?x=1{time}{body}").as_bytes());
        STANDARD.encode(mac.finalize().into_bytes())
    };
    assert_eq!(header(request, "x-sign"), Some(sign.as_str()));
    assert_eq!(header(request, "x-sum").map(str::len), Some(64));
    assert_eq!(header(request, "x-old").map(str::len), Some(32));
    let again = Message {
        attempt: 2,
        ..message()
    };
    let (others, _) = play(&adapter, &again, []);
    assert_ne!(header(request, "x-nonce"), header(&others[0], "x-nonce"));
    let (same, _) = play(&adapter, &message(), []);
    assert_eq!(header(request, "x-nonce"), header(&same[0], "x-nonce"));
}

#[test]
fn sound_as_a_part_and_as_text() {
    let data = Bytes::from_static(b"RIFF\0\xff\r\n--");
    let mut message = message();
    let mut audio = sound(data.clone(), AudioFormat::Wav);
    audio.sound.length = Duration::from_millis(9200);
    message.audio = Some(audio);
    let parts = written(
        r#"
request:
  method: POST
  url: "{{ with.url }}/media?name={{ audio.hash }}"
  body: { multipart: { tep: { audio: true, filename: "ban-tin.{{ audio.extension }}" }, dai: "{{ audio.seconds }}" } }
"#,
    );
    let (requests, _) = play(&parts, &message, []);
    let hash = message
        .audio
        .as_ref()
        .unwrap()
        .sound
        .hash
        .as_str()
        .to_owned();
    assert!(requests[0].url.ends_with(&hash));
    let body = String::from_utf8_lossy(&requests[0].body);
    assert!(
        body.contains("filename=\"ban-tin.wav\"\r\nContent-Type: audio/"),
        "{body}"
    );
    assert!(
        requests[0]
            .body
            .windows(data.len())
            .any(|part| part == data)
    );
    assert!(body.contains("name=\"dai\"\r\n\r\n10\r\n"), "{body}");
    let coded = written(
        r#"
request: { method: POST, url: "{{ with.url }}/x", body: { json: { data: { $audio: base64 }, type: "{{ audio.type }}" } } }
"#,
    );
    let (requests, _) = play(&coded, &message, []);
    let body: Value = serde_json::from_slice(&requests[0].body).unwrap();
    assert_eq!(body["data"], "UklGRgD/DQotLQ==");
    let without = Message {
        audio: None,
        ..message
    };
    let (_, end) = play(&coded, &without, []);
    assert_eq!(failure(&end), ("reject", Reason::Unwritable));
}
