//! Bodies that vendors want in a shape of their own: forms with an order, JSON that is put together, files in pieces.

use loa::{
    adapter::{Adapter as _, Step},
    domain::{
        audio::AudioFormat,
        delivery::Reason,
        message::{Message, Playing},
    },
};
use md5::Digest as _;

use super::{
    message, sound,
    steps::{Answer, failure, header, lost, ok, play, says, written},
};

fn body(yaml: &str) -> String {
    let adapter = written(&format!(
        "request: {{ method: POST, url: \"{{{{ with.url }}}}\", body: {yaml} }}"
    ));
    match adapter.step(&message(), &[]) {
        Step::Call(request) => String::from_utf8(request.body.to_vec()).unwrap(),
        other => format!("{other:?}"),
    }
}

#[test]
fn a_form_as_a_list_keeps_its_order_and_may_repeat_a_name() {
    let list =
        r#"{ form: [ { zone: "2" }, { cmd: tts, zone: "1" }, { a: "{{ message.attempt }}" } ] }"#;
    assert_eq!(body(list), "zone=2&cmd=tts&zone=1&a=1");
    let map = r#"{ form: { zone: "2", cmd: tts } }"#;
    assert_eq!(body(map), "cmd=tts&zone=2");
}

#[test]
fn json_may_be_put_together_from_a_text() {
    for (text, json) in [
        ("[{{ '1,2' }}]", r#"{"zones":[1,2]}"#),
        (" 0.50 ", r#"{"zones":0.50}"#),
        (
            "{{ '1,2' | split(pat=',') | json_encode }}",
            r#"{"zones":["1","2"]}"#,
        ),
    ] {
        let yaml = format!(r#"{{ json: {{ zones: {{ $parse: "{text}" }} }} }}"#);
        assert_eq!(body(&yaml), json);
    }
    // Of a sample it is, of this message not.
    let none = body(
        r#"{ json: { zones: { $parse: "{% if message.title == 'Tiêu đề' %}1{% else %}x{% endif %}" } } }"#,
    );
    assert!(none.contains("call-recipe-json"), "{none}");
}

const PIECES: &str = r#"
auth: { bearer: "{{ with.token }}" }
steps:
  upload:
    request:
      method: PUT
      url: "{{ with.url }}/clips?part={{ piece.number }}{% if piece.last %}&last=1{% endif %}"
      headers:
        Content-Range: "bytes {{ piece.from }}-{{ piece.to }}/{{ piece.total }}"
        X-Piece: "{{ piece.index }} of {{ piece.count }}, {{ piece.bytes }} bytes, {{ request.body_md5 }}"
      body: BODY
      pieces: { bytes: 1024, accepted: { status: [200, 308] }, take: { etag: { header: ETag } } }
    accepted: { status: 201 }
    take: { clip: /id }
request:
  method: POST
  url: "{{ with.url }}/play/{{ steps.upload.clip }}"
  body: { text: "{% for p in steps.upload.pieces %}{{ p.number }}={{ p.etag }};{% endfor %}" }
errors:
  - { status: 200, json: { /full: true }, then: retry }
"#;

/// A message with a sound of that many bytes, each the number of its kibibyte.
fn sounding(bytes: usize) -> Message {
    let mut message = message();
    let data: Vec<u8> = (0..bytes)
        .map(|at| u8::try_from(at / 1024).unwrap())
        .collect();
    message.audio = Some(sound(data, AudioFormat::Mp3));
    message
}

fn tagged(status: u16, tag: &str, body: &str) -> Answer {
    says(status, &[("ETag", tag)], body)
}

#[test]
fn a_file_goes_out_in_pieces_and_what_each_answer_gives_is_a_list() {
    let adapter = written(&PIECES.replace("BODY", "audio"));
    let answers = [
        tagged(308, "a", ""),
        tagged(200, "b", ""),
        tagged(201, "c", r#"{"id":7}"#),
    ];
    let (requests, _) = play(&adapter, &sounding(2 * 1024 + 100), answers);
    let ways: Vec<&str> = requests
        .iter()
        .map(|request| request.url.trim_start_matches("http://10.1.4.3"))
        .collect();
    assert_eq!(
        ways,
        [
            "/clips?part=1",
            "/clips?part=2",
            "/clips?part=3&last=1",
            "/play/7"
        ]
    );
    let ranges: Vec<_> = requests
        .iter()
        .filter_map(|request| header(request, "content-range"))
        .collect();
    assert_eq!(
        ranges,
        [
            "bytes 0-1023/2148",
            "bytes 1024-2047/2148",
            "bytes 2048-2147/2148"
        ]
    );
    for (at, (request, bytes)) in requests.iter().zip([1024, 1024, 100]).enumerate() {
        assert_eq!(request.body, vec![u8::try_from(at).unwrap(); bytes]);
        let told = header(request, "x-piece").unwrap();
        let md5 = md5::Md5::digest(&request.body);
        let md5: String = md5.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(told, format!("{at} of 3, {bytes} bytes, {md5}"));
    }
    assert_eq!(requests[3].body, "1=a;2=b;3=c;");
}

/// The bytes of a piece are those of the sound itself.
#[test]
fn a_piece_is_no_copy() {
    let adapter = written(&PIECES.replace("BODY", "audio"));
    let message = sounding(4096);
    let whole = message.audio.as_ref().unwrap().data.as_ptr_range();
    let (requests, _) = play(&adapter, &message, [tagged(200, "a", "")]);
    for request in &requests {
        assert!(whole.contains(&request.body.as_ptr()));
    }
}

#[test]
fn parts_of_forms_and_of_json_are_cut_up_as_well() {
    let multipart =
        "{ multipart: { number: \"{{ piece.number }}\", file: { audio: true, filename: a.mp3 } } }";
    let adapter = written(&PIECES.replace("BODY", multipart));
    let (requests, _) = play(&adapter, &sounding(1025), [tagged(200, "a", "")]);
    let second = String::from_utf8_lossy(&requests[1].body);
    assert!(second.contains("name=\"number\"\r\n\r\n2\r\n"), "{second}");
    assert!(second.contains("audio/mpeg\r\n\r\n\u{1}\r\n--"), "{second}");
    let json = "{ json: { part: { $number: \"{{ piece.number }}\" }, data: { $audio: base64 } } }";
    let adapter = written(&PIECES.replace("BODY", json));
    let (requests, _) = play(&adapter, &sounding(1025), [tagged(200, "a", "")]);
    assert_eq!(requests[1].body, r#"{"data":"AQ==","part":2}"#);
}

#[test]
fn a_piece_that_is_not_taken_ends_the_attempt() {
    let adapter = written(&PIECES.replace("BODY", "audio"));
    let message = sounding(2048);
    for (answer, then) in [
        (tagged(500, "a", ""), ("retry", Reason::Status)),
        (tagged(400, "a", ""), ("reject", Reason::Status)),
        (tagged(204, "a", ""), ("retry", Reason::Unexpected)),
        (says(200, &[], ""), ("retry", Reason::Unexpected)),
        (
            tagged(200, "a", r#"{"full":true}"#),
            ("retry", Reason::Busy),
        ),
        (lost(), ("retry", Reason::Unanswered)),
    ] {
        let shown = format!("{answer:?}");
        let (requests, end) = play(&adapter, &message, [answer]);
        assert_eq!((failure(&end), requests.len()), (then, 1), "{shown}");
    }
}

/// Whoever hears the call in pieces may have heard it.
#[test]
fn a_lost_piece_of_the_call_that_counts_is_doubt() {
    let adapter = written(
        "request: { method: PUT, url: \"{{ with.url }}/live/{{ piece.number }}\", body: audio, pieces: { bytes: 1024 } }",
    );
    let message = sounding(2048);
    let (_, end) = play(&adapter, &message, [lost()]);
    assert_eq!(failure(&end), ("unknown", Reason::Timeout));
    let (requests, end) = play(&adapter, &message, [ok(""), ok("")]);
    assert_eq!((requests.len(), end), (2, Step::accepted(None)));
}

#[test]
fn a_file_has_a_hundred_pieces_at_most() {
    let adapter = written(
        "request: { method: PUT, url: \"{{ with.url }}/{{ piece.count }}\", body: audio, pieces: { bytes: 1024 } }",
    );
    let (requests, _) = play(&adapter, &sounding(100 * 1024), []);
    assert!(requests[0].url.ends_with("/100"));
    let (requests, end) = play(&adapter, &sounding(100 * 1024 + 1), []);
    assert_eq!(failure(&end), ("reject", Reason::Unwritable));
    assert!(requests.is_empty());
}

#[test]
fn what_is_to_stop_may_be_named() {
    let adapter = written(
        "request: { method: POST, url: \"{{ with.url }}/say\" }\n\
         stop: { method: POST, url: \"{{ with.url }}/stop{% if playing %}/{{ playing.receipt }}?d={{ playing.delivery }}{% endif %}\" }",
    );
    let mut message = message();
    message.preempts = true;
    let stop = |message: &Message| play(&adapter, message, []).0[0].url.to_string();
    assert_eq!(stop(&message), "http://10.1.4.3/stop");
    message.kept.playing = Some(Playing {
        delivery: message.delivery.clone(),
        receipt: Some("job-7".to_owned()),
    });
    let named = format!("http://10.1.4.3/stop/job-7?d={}", message.delivery);
    assert_eq!(stop(&message), named);
}
