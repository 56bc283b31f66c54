//! `loa recipe try`: the requests of a recipe one after another, and what given answers are taken for, with nothing sent.

mod keys;
mod lists;

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use serde_json::{Value, json};

use crate::support::{cli::Said, workspace::Folder};

/// A device with a session, an upload, and a question afterwards.
const SESSION: &str = r#"
title: Loa có phiên đăng nhập
parameters:
  url: { about: "Địa chỉ thiết bị" }
  password: { secret: true }
auth: { bearer: "{{ steps.login.token }}" }
steps:
  login:
    when: always
    request: { method: POST, url: "{{ with.url }}/login", auth: none, body: { json: { password: "{{ with.password }}" } } }
    take: { token: /token }
  upload:
    request: { method: PUT, url: "{{ with.url }}/clips/{{ audio.hash }}.{{ audio.extension }}", body: audio }
    take: { clip: { header: Location } }
request: { method: POST, url: "{{ with.url }}{{ steps.upload.clip }}/play" }
accepted: { status: 202, receipt: /job }
errors:
  - { status: 423, then: retry }
confirm:
  request: { method: GET, url: "{{ with.url }}/jobs/{{ receipt }}" }
  confirmed: { json: { /state: playing } }
  refuted: { json: { /state: failed } }
  poll: { every: 1s, most: 5 }
"#;

fn folder() -> Folder {
    let folder = Folder::small();
    folder.write("channels/recipes/phien.yaml", SESSION);
    folder.write(
        "channels/phien.yaml",
        "channels:\n  loa-phien:\n    ward: le-loi\n    name: Loa có phiên\n    kind: loudspeaker\n    audio: wav\n    adapter: { recipe: { \
         use: phien, with: { url: \"http://10.0.0.77\", password: \"env:LOA_PHIEN\" } } }\n",
    );
    folder
}

/// The command with `answers` on its standard input.
fn tried(folder: &Folder, arguments: &[&str], answers: &str) -> Said {
    let mut child = Command::new(env!("CARGO_BIN_EXE_loa"))
        .args(["recipe", "try"])
        .args(arguments)
        .args(["--at", "2024-03-25T05:30", "--dir"])
        .arg(folder.path())
        // Whoever knows it may not see it either.
        .env("LOA_PHIEN", "hunter2-hunter2")
        .env("LOA_W1", "hunter2-hunter2")
        .env_remove("RUST_LOG")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(answers.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let said = Said {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    };
    assert!(
        !said.out.contains("hunter2") && !said.err.contains("hunter2"),
        "{said:?}"
    );
    said
}

fn as_json(folder: &Folder, arguments: &[&str], answers: &str) -> (i32, Value) {
    let said = tried(
        folder,
        &[arguments, &["--format", "json"]].concat(),
        answers,
    );
    (said.code, said.json())
}

#[test]
fn a_shipped_website_is_asked_first_and_then_changed() {
    let folder = folder();
    folder.write(
        "channels/recipes/joomla.yaml",
        include_str!("../../channels/recipes/joomla.yaml"),
    );
    folder.write(
        "channels/joomla.yaml",
        "channels:\n  web-joomla:\n    ward: le-loi\n    name: Trang Joomla\n    kind: website\n    adapter: { recipe: { use: joomla, with: { \
         url: \"https://joomla.vinh.example\", token: \"env:LOA_W1\", category: \"8\" } } }\n",
    );
    let list = |alias: &str, next: &str| {
        format!(
            "HTTP/1.1 200 OK\n\n{{\"links\": {{\"self\": \"x\"{next}}}, \"data\": [{{\"id\": \"7\", \"attributes\": {{\"alias\": \"{alias}\"}}}}], \"meta\": {{\"total-pages\": 2}}}}\n"
        )
    };
    let saved = "HTTP/1.1 200 OK\n\n{\"data\": {\"id\": \"7\", \"attributes\": {\"alias\": \"mot-le-loi\", \"state\": 1}}}\n";
    let answers = [
        list("mot-le-loi-2", ", \"next\": \"y\""),
        list("mot-le-loi", ""),
        saved.to_owned(),
    ]
    .concat();
    let (code, told) = as_json(&folder, &["web-joomla", "--bulletin", "mot"], &answers);
    assert_eq!((code, &told["verdict"]), (0, &json!("accepted")), "{told}");
    let requests = told["requests"].as_array().unwrap();
    let urls: Vec<&str> = requests
        .iter()
        .map(|request| request["url"].as_str().unwrap())
        .collect();
    let articles = "https://joomla.vinh.example/api/index.php/v1/content/articles";
    let search = format!("{articles}?filter%5Bsearch%5D=mot-le-loi&filter%5Bcategory%5D=8");
    assert_eq!(
        urls,
        [
            format!("{search}&page%5Boffset%5D=0&page%5Blimit%5D=20"),
            format!("{search}&page%5Boffset%5D=20&page%5Blimit%5D=20"),
            format!("{articles}/7"),
        ]
    );
    let token = json!(["X-Joomla-Token", "env:LOA_W1"]);
    for request in requests {
        assert!(
            request["headers"].as_array().unwrap().contains(&token),
            "{request}"
        );
    }
    let body: Value = serde_json::from_str(requests[2]["body"].as_str().unwrap()).unwrap();
    assert_eq!((&body["catid"], &body["state"]), (&json!(8), &json!(1)));
}

/// The picture of an article is shown as the upload that it is, and where it is there already nothing is uploaded.
#[test]
fn a_picture_is_looked_for_and_uploaded_where_there_is_none() {
    let folder = folder();
    let green = include_bytes!("../fixtures/pictures/xanh.png");
    folder.write_bytes("content/pictures/xanh.png", green);
    folder.edit(
        "content/bulletins/mot.yaml",
        "article:\n",
        "article:\n  picture: { file: xanh.png, alt: Ô xanh }\n",
    );
    let name = format!("loa-{}", &blake3::hash(green).to_hex()[..24]);
    let nothing = "HTTP/1.1 200 OK\n\n[]\n";
    let draft =
        "HTTP/1.1 201 Created\n\n{\"id\": 4, \"slug\": \"mot-le-loi\", \"status\": \"draft\"}\n";
    let mine = "HTTP/1.1 200 OK\n\n{\"id\": 4}\n";
    let (_, told) = as_json(
        &folder,
        &["web-ll", "--bulletin", "mot"],
        &[nothing, nothing, draft, mine].concat(),
    );
    // The mark of the account stands behind the name.
    let asked = told["requests"][4]["url"].as_str().unwrap();
    let (_, slug) = asked.split_once("/media?slug=").unwrap();
    assert!(
        slug.starts_with(&format!("{name}-")) && slug.len() == name.len() + 9,
        "{slug}"
    );
    let slug = slug.to_owned();
    let media = format!("HTTP/1.1 201 Created\n\n{{\"id\": 71234, \"slug\": \"{slug}\"}}\n");
    let named = "HTTP/1.1 200 OK\n\n{\"id\": 71234}\n";
    let answers = [nothing, nothing, draft, mine, nothing, &media, named].concat();
    let asked = ["web-ll", "--bulletin", "mot"];
    let (code, told) = as_json(&folder, &asked, &answers);
    assert_eq!((code, &told["verdict"]), (1, &json!("waits")), "{told}");
    let requests = told["requests"].as_array().unwrap();
    assert_eq!(requests.len(), 8, "{told}");
    let api = "https://le-loi.vinh.example/wp-json/wp/v2";
    let url = |at: usize| requests[at]["url"].as_str().unwrap();
    assert_eq!(url(2), format!("{api}/posts"));
    assert_eq!(url(3), format!("{api}/posts/4?context=edit&_fields=id"));
    assert_eq!(url(4), format!("{api}/media?slug={slug}"));
    assert_eq!(url(5), format!("{api}/media"));
    assert_eq!(requests[5]["body_bytes"], green.len());
    let name = json!([
        "Content-Disposition",
        format!("attachment; filename=\"{slug}.png\"")
    ]);
    let headers = requests[5]["headers"].as_array().unwrap();
    assert!(headers.contains(&name) && headers.contains(&json!(["Content-Type", "image/png"])));
    assert_eq!(url(6), format!("{api}/media/71234"));
    let body = |at: usize| -> Value {
        serde_json::from_str(requests[at]["body"].as_str().unwrap()).unwrap()
    };
    assert_eq!(body(6), json!({ "alt_text": "Ô xanh" }));
    assert_eq!(body(7)["featured_media"], 71_234);

    let there = format!("HTTP/1.1 200 OK\n\n[{{\"id\": 7, \"slug\": \"{slug}\"}}]\n");
    let said = tried(
        &folder,
        &asked,
        &[nothing, nothing, draft, mine, &there].concat(),
    );
    assert!(
        said.out
            .contains("6. POST https://le-loi.vinh.example/wp-json/wp/v2/media/7"),
        "{said:?}"
    );
}

const LOGGED_IN: &str =
    "HTTP/1.1 200 OK\nContent-Type: application/json\n\n{\"token\": \"tok-9f2c77\"}\n";
const UPLOADED: &str = "HTTP/1.1 201 Created\r\nLocation: /clips/7\r\n\r\n";
const TAKEN: &str = "HTTP/1.1 202 Accepted\n\n{\"job\": \"j-12\"}\n";

#[test]
fn steps_are_handled_one_after_another() {
    let folder = folder();
    let (code, told) = as_json(&folder, &["loa-phien"], "");
    assert_eq!((code, &told["verdict"]), (0, &json!("waits")));
    let login = &told["requests"][0];
    assert_eq!(login["url"], "http://10.0.0.77/login");
    assert_eq!(login["body"], "{\"password\":\"env:LOA_PHIEN\"}");
    assert_eq!(told["bulletin"], "hai");

    let playing = "HTTP/1.1 200 OK\n\n{\"state\": \"playing\"}\n";
    let waiting = "HTTP/1.1 200 OK\n\n{\"state\": \"queued\"}\n";
    let all = [LOGGED_IN, UPLOADED, TAKEN, waiting, playing].concat();
    let (code, told) = as_json(&folder, &["loa-phien", "--bulletin", "mot"], &all);
    assert_eq!((code, &told["verdict"]), (0, &json!("accepted")), "{told}");
    assert_eq!(
        (&told["receipt"], &told["evidence"]),
        (&json!("j-12"), &json!("device"))
    );
    let urls: Vec<&str> = told["requests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|request| request["url"].as_str().unwrap())
        .collect();
    assert_eq!(
        urls[2..],
        [
            "http://10.0.0.77‹steps.upload.clip›/play",
            "http://10.0.0.77/jobs/j-12",
            "http://10.0.0.77/jobs/j-12"
        ]
    );
    let clip = urls[1].strip_prefix("http://10.0.0.77/clips/");
    assert!(
        clip.is_some_and(|clip| clip.split_once('.').is_some_and(|(_, end)| end == "wav")),
        "{urls:?}"
    );
    assert_eq!(told["requests"][1]["body"], "‹âm thanh›");
    let (_, english) = as_json(&folder, &["loa-phien", "--lang", "en"], LOGGED_IN);
    assert_eq!(english["requests"][1]["body"], "‹sound›");
    // What a step took is as secret as a password, whoever gave it.
    let play = told["requests"][2].to_string();
    assert!(
        play.contains("Bearer ‹steps.login.token›") && !told.to_string().contains("tok-9f2c77"),
        "{play}"
    );
    assert!(play.to_lowercase().contains("idempotency-key"), "{play}");
    assert_eq!(told["requests"][4]["wait_ms"], 1000);
}

/// What stands for a sound is as long as two pieces, so that a whole one and the last are shown.
#[test]
fn a_sound_in_pieces_is_tried_with_two() {
    let folder = folder();
    folder.edit(
        "channels/recipes/phien.yaml",
        "body: audio }",
        "headers: { Content-Range: \"bytes {{ piece.from }}-{{ piece.to }}/{{ piece.total }}\" }, body: audio, pieces: { bytes: 1024 } }",
    );
    let answers = [LOGGED_IN, "HTTP/1.1 200 OK\n\n", UPLOADED].concat();
    let (_, told) = as_json(&folder, &["loa-phien"], &answers);
    let requests = told["requests"].as_array().unwrap();
    let ranges: Vec<String> = requests
        .iter()
        .flat_map(|request| request["headers"].as_array().unwrap())
        .filter(|header| header[0] == "Content-Range")
        .map(|header| header[1].as_str().unwrap().to_owned())
        .collect();
    assert_eq!((requests.len(), ranges.len()), (4, 2), "{told}");
    assert!(ranges[0].starts_with("bytes 0-1023/"), "{ranges:?}");
    assert!(ranges[1].starts_with("bytes 1024-"), "{ranges:?}");
    assert_eq!(requests[1]["body_bytes"], 1024);
}

/// The addresses of chat groups hold their key: such a one is a secret as a whole.
#[test]
fn an_address_that_is_secret_has_a_name_in_its_place() {
    let folder = folder();
    folder.edit(
        "channels/phien.yaml",
        "\"http://10.0.0.77\"",
        "\"env:LOA_HOOK\"",
    );
    let (code, told) = as_json(&folder, &["loa-phien"], "");
    assert_eq!((code, &told["verdict"]), (0, &json!("waits")), "{told}");
    let login = &told["requests"][0];
    let url = login["url"].as_str().unwrap();
    assert_eq!(url.to_lowercase(), "https://env.loa_hook.invalid/login");
    assert_eq!(login["body"], "{\"password\":\"env:LOA_PHIEN\"}");
}

/// A site that wants a summary takes a correction, too.
#[test]
fn a_correction_is_shown_as_retract_would_send_it() {
    let folder = folder();
    folder.write(
        "channels/recipes/joomla.yaml",
        include_str!("../../channels/recipes/joomla.yaml"),
    );
    folder.write(
        "channels/web.yaml",
        "channels:\n  web-phu:\n    ward: le-loi\n    name: Trang phường\n    kind: website\n    adapter: { recipe: { \
         use: joomla, with: { url: \"https://leloi.example\", token: \"env:LOA_JOOMLA\", category: \"8\" } } }\n",
    );
    let absent = "HTTP/1.1 200 OK\n\n{\"data\": [], \"meta\": {\"total-pages\": 0}}\n";
    let (code, told) = as_json(&folder, &["web-phu", "--correction"], absent);
    // Answers were given, and none for the call that counts.
    assert_eq!((code, &told["verdict"]), (1, &json!("waits")), "{told}");
    let requests = told["requests"].as_array().unwrap();
    let body = requests.last().unwrap()["body"].as_str().unwrap();
    let body: Value = serde_json::from_str(body).unwrap();
    let title = body["title"].as_str().unwrap();
    assert!(title.starts_with("Đính chính: "), "{body}");
    assert_eq!(body["metadesc"], title);
}

#[test]
fn answers_are_taken_for_what_the_recipe_says() {
    let folder = folder();
    let with = |last: &str| [LOGGED_IN, UPLOADED, last].concat();
    for (answers, verdict, reason) in [
        (with("HTTP/1.1 423 Locked\n\n"), "retry", "status"),
        (
            with("HTTP/1.1 429 Too Many Requests\nRetry-After: 30\n\n"),
            "retry",
            "busy",
        ),
        (with("HTTP/1.1 200 OK\n\n{}"), "unknown", "unexpected"),
        (
            with("HTTP/1.1 500 Internal Server Error\n\n"),
            "unknown",
            "status",
        ),
        (with("!timeout\n"), "unknown", "timeout"),
        (with("!refused\n"), "retry", "refused"),
        ("!timeout\n".to_owned(), "retry", "unanswered"),
        (
            format!("{LOGGED_IN}HTTP/1.1 201 Created\n\n"),
            "retry",
            "unexpected",
        ),
        (
            with(TAKEN) + "HTTP/1.1 200 OK\n\n{\"state\": \"failed\"}",
            "reject",
            "unexpected",
        ),
    ] {
        let (code, told) = as_json(&folder, &["loa-phien"], &answers);
        assert_eq!(
            (&told["verdict"], &told["reason"]),
            (&json!(verdict), &json!(reason)),
            "{answers}: {told}"
        );
        assert_eq!(code, 1, "{told}");
        assert!(
            told["why"].as_str().is_some_and(|why| !why.is_empty()),
            "{told}"
        );
    }
    let (_, told) = as_json(
        &folder,
        &["loa-phien"],
        &with("HTTP/1.1 429 -\nRetry-After: 30\n\n"),
    );
    assert_eq!(told["retry_after_seconds"], 30);
    let (_, told) = as_json(
        &folder,
        &["loa-phien"],
        &[LOGGED_IN, UPLOADED, "HTTP/1.1 423 -\n\n", TAKEN].concat(),
    );
    assert_eq!(told["unused_answers"], 1);
}

/// What is said names the request that has no answer, and nothing that nobody gave: no wish, no count that is none.
#[test]
fn what_is_missing_is_said() {
    let folder = folder();
    let said = |answers: &[&str]| {
        let said = tried(&folder, &["loa-phien", "--lang", "en"], &answers.concat());
        let last = said.out.trim_end().lines().last().unwrap().to_owned();
        (said.code, last, said.err)
    };
    let (code, last, err) = said(&[LOGGED_IN, UPLOADED]);
    assert_eq!(code, 1);
    assert_eq!(
        last,
        "Request 3 (POST http://10.0.0.77‹steps.upload.clip›/play) has no answer yet; give it on standard input or in `--answers`."
    );
    assert!(
        err.contains("the answer to request 3 is missing (answers given: 2)"),
        "{err}"
    );
    // Who gives none wants to see the first request.
    let (code, last, err) = said(&[]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(last.starts_with("Request 1 (POST http"), "{last}");
    let (_, last, _) = said(&[LOGGED_IN, UPLOADED, "HTTP/1.1 423 Locked\n\n"]);
    assert!(
        last.starts_with("Taken for NOT NOW: it would be tried again. "),
        "{last}"
    );
    let wish = "HTTP/1.1 429 -\nRetry-After: 30\n\n";
    let (_, last, _) = said(&[LOGGED_IN, UPLOADED, wish]);
    assert!(last.contains("(the receiver's wish: after 30 s)"), "{last}");
    let (_, last, _) = said(&[LOGGED_IN, UPLOADED, "HTTP/1.1 423 -\n\n", TAKEN]);
    assert_eq!(last, "Answers that no request asked for: 1.");
}

#[test]
fn questions_and_probes_are_tried_too() {
    let folder = folder();
    let there = "HTTP/1.1 200 OK\n\n[{\"id\": 5, \"slug\": \"mot-hung-binh\", \"link\": \"https://x/5\"}]\n";
    let there = &[there, there].concat();
    let (_, told) = as_json(&folder, &["web-hb", "--bulletin", "mot"], there);
    assert_eq!(
        told["requests"][2]["url"],
        "https://hung-binh.vinh.example/wp-json/wp/v2/posts/5"
    );
    assert_eq!(told["verdict"], "waits");
    let (code, told) = as_json(
        &folder,
        &["web-hb", "--probe"],
        "HTTP/1.1 200 OK\n\n{\"capabilities\": {\"publish_posts\": true, \"upload_files\": true}}",
    );
    assert_eq!(
        (code, &told["verdict"], &told["bulletin"]),
        (0, &json!("accepted"), &Value::Null)
    );
    // What a site is asked afterwards, and what its answers would be taken for.
    let asks = ["web-hb", "--bulletin", "mot", "--later"];
    let (code, told) = as_json(&folder, &asks, "");
    assert_eq!((code, &told["verdict"]), (0, &json!("waits")));
    let url = told["requests"][0]["url"].as_str().unwrap();
    assert!(url.contains("slug=mot-hung-binh&context=edit"), "{url}");
    let other = r#"HTTP/1.1 200 OK

[{"slug": "mot-hung-binh", "status": "publish", "content": {"raw": "<div class=\"loa-0123456789abcdef\"><p>Cũ</p></div>"}}]"#;
    let (code, told) = as_json(&folder, &asks, other);
    assert_eq!(
        (code, &told["verdict"], &told["reason"]),
        (1, &json!("reject"), &json!("not-played"))
    );
    let said = tried(&folder, &["loa-hb-1", "--later", "--lang", "en"], "");
    assert_eq!(said.code, 2, "{said:?}");
    assert!(said.err.contains("asks nothing afterwards"), "{said:?}");
    // An emergency tells the device to stop first.
    let (_, stop) = as_json(&folder, &["loa-hb-1", "--preempts"], "");
    let (_, plain) = as_json(&folder, &["loa-hb-1"], "");
    assert_ne!(stop["requests"][0]["url"], plain["requests"][0]["url"]);
}

#[test]
fn people_are_told_in_words_and_mistakes_with_their_line() {
    let folder = folder();
    let said = tried(
        &folder,
        &["loa-phien"],
        &[LOGGED_IN, UPLOADED, TAKEN, "!reset\n"].concat(),
    );
    assert_eq!(said.code, 0, "{said:?}");
    for part in [
        "Không gửi gì",
        "1. POST http://10.0.0.77/login",
        "env:LOA_PHIEN",
        "   ← HTTP 202",
        "4. GET http://10.0.0.77/jobs/j-12",
        "Được hiểu là ĐÃ NHẬN. Mã của bên nhận: j-12",
    ] {
        assert!(said.out.contains(part), "{part} in {}", said.out);
    }
    let said = tried(&folder, &["loa-phien"], "\n{\"token\": 1}\n");
    assert_eq!(said.code, 2);
    assert!(
        said.err.contains("-, dòng 2") && said.err.contains("HTTP/1.1 200 OK"),
        "{said:?}"
    );
    let said = tried(&folder, &["oa-vinh"], "");
    assert_eq!(said.code, 2);
    assert!(said.err.contains("không dùng công thức"), "{said:?}");
    let said = tried(&folder, &["loa-phien", "--probe"], "");
    assert!(said.err.contains("không có `probe`"), "{said:?}");
    folder.write("tra-loi.txt", LOGGED_IN);
    let path = folder.path().join("tra-loi.txt");
    let said = tried(
        &folder,
        &["loa-phien", "--answers", path.to_str().unwrap()],
        "không đọc",
    );
    assert!(
        said.out.contains("Yêu cầu 2 (PUT http://10.0.0.77/clips/")
            && said.out.contains(") chưa có câu trả lời"),
        "{said:?}"
    );
}
