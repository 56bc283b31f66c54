//! What recipes sign: digests of bodies and of the sound, and what is new in every request.

use std::collections::BTreeSet;

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use loa::{
    adapter::{Adapter, Request, Step, recipe::RecipeAdapter},
    catalogue::Lang,
    diagnostic::render,
    domain::{audio::AudioFormat, id::RecipeId, message::Message, time::Timestamp},
};
use sha1::{Digest, Sha1};

use super::{
    message,
    recipes::{adapter_with, parameters},
    sound,
    steps::{header, ok, play, written},
};
use crate::support::workspace::Folder;

const SOUND: &[u8] = b"RIFF\xff\xfe\x00WAVE";
// As openssl has them.
const MD5: &str = "869f60b7fdb19de0a6d7183c17854089";
const MD5_BASE64: &str = "hp9gt/2xneCm1xg8F4VAiQ==";
const SHA1: &str = "99c86c298e998c7bf21bbe1e4d8506a75d46f142";
const SHA256: &str = "16919486febde597b43b65b749ac9944d7641d3310346fdf343bfbc0403f04ed";
const SHA512_BEGIN: &str = "7c745236de703e56";

fn with_sound() -> Message {
    let mut message = message();
    message.audio = Some(sound(Bytes::from_static(SOUND), AudioFormat::Wav));
    message
}

fn first(adapter: &RecipeAdapter, message: &Message) -> Request {
    match adapter.step(message, &[]) {
        Step::Call(request) => request,
        end => panic!("{end:?}"),
    }
}

#[test]
fn digests_of_the_sound_are_those_of_its_bytes() {
    let adapter = written(
        r#"
request:
  method: PUT
  url: "{{ with.url }}"
  headers:
    Content-MD5: "{{ request.body_md5 | base64(from='hex') }}"
    X-SHA1: "{{ request.body_sha1 }}"
    X-SHA256: "{{ request.body_sha256 }}"
    X-SHA512: "{{ request.body_sha512 | truncate(length=16, end='') }}"
    X-Audio: "{{ audio.md5 }} {{ audio.sha1 }} {{ audio.sha256 }} {{ audio.base64 }}"
  body: audio
"#,
    );
    let request = first(&adapter, &with_sound());
    assert_eq!(request.body, SOUND);
    let given = |name| header(&request, name).unwrap();
    assert_eq!(given("content-md5"), MD5_BASE64);
    assert_eq!(given("x-sha1"), SHA1);
    assert_eq!(given("x-sha256"), SHA256);
    assert_eq!(given("x-sha512"), SHA512_BEGIN);
    let base64 = STANDARD.encode(SOUND);
    assert_eq!(given("x-audio"), format!("{MD5} {SHA1} {SHA256} {base64}"));
}

/// Whoever signs the body of a sound by its text would sign nothing.
#[test]
fn the_text_of_a_sound_is_refused() {
    for body in [
        "audio",
        "{ multipart: { file: { audio: true, filename: a.wav } } }",
    ] {
        let folder = Folder::small();
        folder.write(
            "channels/recipes/thu.yaml",
            &format!(
                "title: Thử\nparameters: {{ url: {{}} }}\nrequest:\n  method: PUT\n  url: \"{{{{ with.url }}}}\"\n  headers: {{ X-MD5: \"{{{{ request.body | md5 }}}}\" }}\n  body: {body}\n"
            ),
        );
        let found = loa::source::load(&folder.path()).diagnostics;
        let found = render::to_text(&found, Lang::En, false);
        assert!(
            found.contains("L061") && found.contains("`body`"),
            "{body}: {found}"
        );
    }
}

const ASKED_OFTEN: &str = r#"
steps:
  login:
    when: always
    request: { method: POST, url: "{{ with.url }}/login", body: { text: "{{ request.nonce }} {{ request.unix }}" } }
    poll: { every: 1s, most: 3 }
    accepted: { text: yes }
request:
  method: POST
  url: "{{ with.url }}/speak?t={{ request.unix_ms }}"
  headers: { X-Nonce: "{{ request.nonce }}", X-Attempt: "{{ message.nonce }}" }
probe:
  request: { method: GET, url: "{{ with.url }}/state?t={{ request.unix }}&n={{ request.nonce }}" }
"#;

#[test]
fn every_request_has_a_time_and_a_nonce_of_its_own() {
    let adapter = written(ASKED_OFTEN);
    let message = message();
    let (requests, _) = play(&adapter, &message, [ok("no"), ok("no"), ok("yes")]);
    let mut nonces: BTreeSet<String> = requests[..3]
        .iter()
        .map(|request| String::from_utf8(request.body.to_vec()).unwrap())
        .collect();
    nonces.insert(header(&requests[3], "x-nonce").unwrap().to_owned());
    nonces.insert(header(&requests[3], "x-attempt").unwrap().to_owned());
    assert_eq!(nonces.len(), 5, "{nonces:?}");
    let again = first(&adapter, &message);
    assert_eq!(again.body, requests[0].body, "the same in every trial");
    let later = Timestamp::from_micros(1_800_000_000_123_456);
    let Step::Call(late) = adapter.step_at(&message, &[], later) else {
        panic!()
    };
    let body = String::from_utf8(late.body.to_vec()).unwrap();
    assert!(body.ends_with(" 1800000000"), "{body}");
}

#[test]
fn a_probe_has_a_time_without_a_message() {
    let adapter = written(ASKED_OFTEN);
    let asked = |micros: i64| {
        let at = Timestamp::from_micros(micros);
        match adapter.question_at(None, &[], at) {
            Some(Step::Call(request)) => String::from_utf8(request.body.to_vec()).unwrap(),
            other => panic!("{other:?}"),
        }
    };
    let (one, other) = (asked(1_700_000_000_000_000), asked(1_700_000_001_000_000));
    assert!(
        one.ends_with(" 1700000000") && other.ends_with(" 1700000001"),
        "{one}"
    );
    assert_ne!(one[..32], other[..32]);
}

/// What the description of the language shows of SOAP is what WS-Security asks for (Username Token Profile 1.0, section 3.1):
/// `Base64(SHA-1(nonce + created + password))`, with the bytes that the nonce is base64 of.
#[test]
fn the_soap_example_makes_the_digest_of_ws_security() {
    let language = std::fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/src/adapter/recipe/LANGUAGE.md"
    ))
    .unwrap();
    let example = language
        .split("```yaml\n")
        .find(|part| part.contains("PasswordDigest"))
        .unwrap();
    let (example, _) = example.split_once("```").unwrap();
    let folder = Folder::small();
    folder.write("channels/recipes/thu.yaml", example);
    let recipes = folder.load().recipes;
    let adapter = adapter_with(&recipes[&RecipeId::parse("thu").unwrap()], &parameters());
    let body = String::from_utf8(first(&adapter, &message()).body.to_vec()).unwrap();
    let between = |begin: &str, end: &str| {
        let (_, rest) = body.split_once(begin).unwrap();
        rest.split_once(end).unwrap().0
    };
    let nonce = STANDARD.decode(between("<wsse:Nonce>", "<")).unwrap();
    let created = between("<wsu:Created>", "<");
    assert_eq!((nonce.len(), created), (16, "2024-03-24T22:30:01Z"));
    let digest = Sha1::new()
        .chain_update(&nonce)
        .chain_update(created)
        .chain_update("mat-khau-2")
        .finalize();
    assert_eq!(between("#PasswordDigest\">", "<"), STANDARD.encode(digest));
    assert!(
        body.contains("<TieuDe>Cảnh giác &quot;cán bộ thuế&quot;</TieuDe>"),
        "{body}"
    );
}
