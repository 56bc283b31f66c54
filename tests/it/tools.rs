//! What editors' own tools need: a file to begin with, annotations for GitHub, SARIF for scanners.

use std::fs;

use serde_json::Value;

use crate::support::{cli::loa, workspace::Folder};

/// The keys at which `loa check` finds something missing in the new bulletin, and whatever else it finds there.
fn found(folder: &Folder) -> Vec<(String, String)> {
    let said = loa(&folder.path(), &["check", "--format", "json"]).json();
    let path = "content/bulletins/moi.yaml";
    let text = fs::read_to_string(folder.path().join(path)).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    said.as_array()
        .unwrap()
        .iter()
        .filter(|found| found["file"] == path)
        .map(|found| {
            let line = usize::try_from(found["line"].as_u64().unwrap()).unwrap();
            let key = lines[line - 1].trim().trim_start_matches("- ");
            let key = key.split(':').next().unwrap();
            (found["code"].as_str().unwrap().to_owned(), key.to_owned())
        })
        .collect()
}

#[test]
fn a_new_bulletin_lacks_only_what_the_editor_has_to_say() {
    let folder = Folder::small();
    let said = loa(
        &folder.path(),
        &["new", "bulletin", "moi", "--format", "json"],
    );
    assert_eq!(said.code, 0, "{said:?}");
    let said = said.json();
    assert_eq!(said["file"], "content/bulletins/moi.yaml");
    let fill: Vec<&str> = said["fill"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert_eq!(
        fill,
        [
            "title",
            "topic",
            "document",
            "says",
            "source",
            "script",
            "summary",
            "body",
            "message",
            "sign",
            "correction"
        ]
    );
    let missing: Vec<(String, String)> = fill
        .iter()
        .map(|key| ("L014".to_owned(), (*key).to_owned()))
        .collect();
    assert_eq!(found(&folder), missing, "exactly what it says");

    // The guidance shows the topics, and what is filled in makes it good, without a warning.
    let path = folder.path().join("content/bulletins/moi.yaml");
    let mut text = fs::read_to_string(&path).unwrap();
    assert!(text.contains("#   gia-danh: Giả danh cán bộ\n"), "{text}");
    assert!(!text.contains('@'), "{text}");
    for (key, value) in [
        ("title:", "title: Bản tin mới"),
        ("topic:", "topic: gia-danh"),
        ("  document:", "  document: Văn bản thử"),
        ("  - says:", "  - says: Công an không thu tiền"),
        ("    source:", "    source: Văn bản thử"),
        (
            "script:",
            "script: Kính thưa bà con {{ ward.name }}! Bà con chú ý. Trân trọng cảm ơn bà con!",
        ),
        ("  summary:", "  summary: Tóm tắt."),
        ("  body:", "  body: Thân bài."),
        ("message:", "message: Bà con chú ý."),
        ("sign:", "sign: Bà con chú ý."),
        ("correction:", "correction: Bản tin được thu hồi."),
    ] {
        let line = format!("\n{key}\n");
        assert!(text.contains(&line), "{key}");
        text = text.replace(&line, &format!("\n{value}\n"));
    }
    fs::write(&path, &text).unwrap();
    assert_eq!(found(&folder), []);
}

#[test]
fn a_new_bulletin_takes_what_is_already_known_and_overwrites_nothing() {
    let folder = Folder::small();
    let said = loa(
        &folder.path(),
        &[
            "new",
            "bulletin",
            "moi",
            "--title",
            "Kẻ gian: \"công an\" # giả",
            "--topic",
            "gia-danh",
            "--editor",
            "Nguyễn Văn An",
            "--editor",
            "Lê, Thị Bình",
        ],
    );
    assert_eq!(said.code, 0, "{said:?}");
    assert!(
        said.out
            .contains("Còn phải điền: document, says, source, script, "),
        "{}",
        said.out
    );
    let path = folder.path().join("content/bulletins/moi.yaml");
    let text = fs::read_to_string(&path).unwrap();
    assert!(
        text.contains("editors: [\"Nguyễn Văn An\", \"Lê, Thị Bình\"]"),
        "{text}"
    );
    let keys: Vec<String> = found(&folder).into_iter().map(|(_, key)| key).collect();
    assert!(!keys.contains(&"title".to_owned()) && !keys.contains(&"topic".to_owned()));

    let again = loa(&folder.path(), &["new", "bulletin", "moi", "--lang", "en"]);
    assert_eq!(again.code, 2);
    assert!(again.err.contains("is not overwritten"), "{}", again.err);
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
    // The workspace has mistakes now, and one can begin all the same.
    assert_eq!(loa(&folder.path(), &["new", "bulletin", "nua"]).code, 0);
}

#[test]
fn a_new_bulletin_has_a_good_id_a_topic_that_exists_and_a_workspace() {
    let folder = Folder::small();
    for (arguments, expected) in [
        (
            vec!["new", "bulletin", "Giả danh cán bộ"],
            "Có phải là `gia-danh-can-bo`?",
        ),
        (
            vec!["new", "bulletin", "../thoat"],
            "`../thoat` không dùng làm tên",
        ),
        (
            vec!["new", "bulletin", "moi", "--topic", "gia-dan"],
            "Có phải là `gia-danh`?",
        ),
    ] {
        let said = loa(&folder.path(), &arguments);
        assert_eq!(said.code, 2, "{said:?}");
        assert!(said.err.contains(expected), "{}", said.err);
    }
    assert!(!folder.path().join("content/bulletins/moi.yaml").exists());
    let empty = tempfile::tempdir().unwrap();
    let said = loa(empty.path(), &["new", "bulletin", "moi"]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("loa.yaml"), "{}", said.err);
    assert_eq!(fs::read_dir(empty.path()).unwrap().count(), 0);
}

/// A workspace with a mistake, a warning, and a mistake with a second place.
fn broken() -> Folder {
    let folder = Folder::small();
    folder.write(
        "content/bulletins/mot.yaml",
        "title: CẢNH BÁO LỪA ĐẢO\ntopic: gia-dan\nsource: { document: Văn bản, year: 2024 }\nscript: |\n  a\ndialogue:\n  - nu: b\n",
    );
    folder
}

#[test]
fn github_is_told_line_by_line() {
    let folder = broken();
    let said = loa(
        &folder.path(),
        &["check", "--format", "github", "--lang", "en"],
    );
    assert_eq!(said.code, 1);
    let path = folder.path().join("content/bulletins/mot.yaml");
    let topic = format!(
        "::error file={},line=2,endLine=2,col=8,endColumn=15,title=L023::there is no topic `gia-dan`%0Ahelp: did you mean \
         `gia-danh`?",
        path.display()
    );
    assert!(said.out.lines().any(|line| line == topic), "{}", said.out);
    assert!(said.out.contains("::warning file="), "{}", said.out);
    for line in said.out.lines().filter(|line| line.contains("::")) {
        assert!(
            line.starts_with("::error file=") || line.starts_with("::warning file="),
            "{line}"
        );
    }
    let good = loa(&Folder::small().path(), &["plan", "--format", "github"]);
    assert_eq!(good.code, 2);
    assert!(good.err.contains("loa check"), "{}", good.err);
}

#[test]
fn sarif_has_rules_places_and_remedies() {
    let folder = broken();
    let said = loa(
        &folder.path(),
        &["check", "--format", "sarif", "--lang", "en"],
    );
    assert_eq!(said.code, 1);
    let log = said.json();
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    assert_eq!(run["columnKind"], "unicodeCodePoints");
    let driver = &run["tool"]["driver"];
    assert_eq!(driver["name"], "loa");
    let rules = driver["rules"].as_array().unwrap();
    let ids: std::collections::BTreeSet<&str> = rules
        .iter()
        .map(|rule| rule["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids.len(), rules.len(), "a rule stands there once (3.19.23)");
    for rule in rules {
        // A short description is one sentence on one line (3.49.9).
        let short = rule["shortDescription"]["text"].as_str().unwrap();
        assert!(!short.is_empty() && !short.contains('\n'), "{rule}");
        let level = &rule["defaultConfiguration"]["level"];
        assert!(level == "error" || level == "warning", "{rule}");
    }
    // What `%SRCROOT%` stands for is said, though not where it is (3.14.14).
    let base = &run["originalUriBaseIds"]["%SRCROOT%"];
    assert!(base["description"]["text"].is_string() && base.get("uri").is_none());
    let results = run["results"].as_array().unwrap();
    let plain = loa(
        &folder.path(),
        &["check", "--format", "json", "--lang", "en"],
    )
    .json();
    let plain = plain.as_array().unwrap();
    assert_eq!(results.len(), plain.len());
    for (result, plain) in results.iter().zip(plain) {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert_eq!(result["ruleId"], plain["code"]);
        assert_eq!(result["level"], plain["severity"]);
        let place = &result["locations"][0]["physicalLocation"];
        let artifact = &place["artifactLocation"];
        // The folder lies outside of where the check was started; see `artifact` for those inside.
        assert_eq!(artifact.get("uriBaseId"), None);
        let uri = artifact["uri"].as_str().unwrap();
        assert!(
            uri.is_ascii() && !uri.contains([' ', '\\', '#', '?']),
            "{uri}"
        );
        assert!(!result["message"]["text"].as_str().unwrap().is_empty());
        let region = &place["region"];
        let at = |key: &str| region[key].as_u64().unwrap();
        assert!(at("startLine") >= 1 && at("startColumn") >= 1, "{region}");
        // The end is the column after the last character, never before the start (3.30.8).
        assert!((at("startLine"), at("startColumn")) <= (at("endLine"), at("endColumn")));
        assert!(uri.ends_with(plain["file"].as_str().unwrap()), "{uri}");
        for (here, there) in [
            ("startLine", "line"),
            ("startColumn", "column"),
            ("endLine", "end_line"),
            ("endColumn", "end_column"),
        ] {
            assert_eq!(place["region"][here], plain[there]);
        }
    }
    let both = results
        .iter()
        .find(|result| result["ruleId"] == "L170")
        .unwrap();
    assert_eq!(
        both["relatedLocations"][0]["physicalLocation"]["region"]["startLine"],
        4
    );
    assert_eq!(
        both["relatedLocations"][0]["message"]["text"],
        "`script` is here"
    );
    let fingerprints: std::collections::BTreeSet<String> = results
        .iter()
        .map(|result| result["partialFingerprints"].to_string())
        .collect();
    assert_eq!(fingerprints.len(), results.len(), "each its own");
    // A good workspace is a log without results.
    let good = loa(&Folder::small().path(), &["check", "--format", "sarif"]).json();
    let good = good["runs"][0]["results"].as_array().unwrap();
    assert!(good.iter().all(|result| result["level"] == "warning"));
}
