//! Every mistake that can be made in the files, one folder of `fixtures/diagnostics` each: the broken files laid over
//! a good workspace (`_base`), and what is said about them in Vietnamese and English.
//!
//! Files that an editor or git would mend (byte-order marks, line ends, decomposed letters) are made here in code; their
//! folders hold only what is expected. `LOA_UPDATE_FIXTURES=1` writes the expectations anew.

mod made;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use loa::{
    audio::{
        Home,
        equipment::{self, Lack},
    },
    catalogue::Lang,
    diagnostic::{Code, Severity, render},
    domain::{time::Timestamp, workspace::Workspace},
    source::{self, Loaded, load, load_files, load_files_at},
};
use proptest::{prelude::*, test_runner::RngSeed};

use made::{certificates, edit, generate};

type Files = BTreeMap<String, Vec<u8>>;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/diagnostics")
}

fn collect(folder: &Path, prefix: &str, files: &mut Files) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
        if entry.path().is_dir() {
            collect(&entry.path(), &format!("{name}/"), files);
        } else if !name.starts_with("expected") {
            files.insert(name, fs::read(entry.path()).unwrap());
        }
    }
}

fn base() -> Files {
    let mut files = Files::new();
    collect(&root().join("_base"), "", &mut files);
    files
}

fn sample() -> Files {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Files::from([(
        "loa.yaml".to_owned(),
        fs::read(root.join("loa.yaml")).unwrap(),
    )]);
    for folder in ["content", "schedules", "channels"] {
        collect(&root.join(folder), &format!("{folder}/"), &mut files);
    }
    files
}

fn fixtures() -> Vec<String> {
    let names = fs::read_dir(root())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name != "_base").collect();
    names.sort_unstable();
    names
}

/// The files of a fixture over those of the base. `_remove` lists files of the base that are not there.
fn files_of(fixture: &str) -> Files {
    let mut files = base();
    collect(&root().join(fixture), "", &mut files);
    if let Some(list) = files.remove("_remove") {
        for path in String::from_utf8(list).unwrap().lines() {
            assert!(
                files.remove(path).is_some(),
                "{fixture} removes {path}, which is not there"
            );
        }
    }
    generate(fixture, &mut files);
    files
}

fn load_fixture(fixture: &str) -> Loaded {
    // What depends on the day is looked at on one.
    if ["L107", "L108", "L226", "L280"].contains(&&fixture[..4]) {
        let now = Timestamp::parse_rfc3339("2024-06-10T08:00:00+07:00").unwrap();
        return load_files_at(&files_of(fixture), Some(now));
    }
    let change: fn(&Path) = match fixture {
        // A link that leads nowhere: also root cannot read it.
        "L001-unreadable" => {
            |root| instead(&root.join("content/topics.yaml"), link("/nonexistent"))
        }
        "L180-kinds" => |root| {
            instead(&root.join("content/contacts.yaml"), folder);
            instead(&root.join("content/bulletins/bao-tin.yaml"), folder);
            instead(&root.join("content/topics.yaml"), link("/dev/zero"));
            instead(&root.join("channels/wards.yaml"), pipe);
        },
        "L180-schedules" => |root| {
            fs::remove_dir_all(root.join("schedules")).unwrap();
            fs::write(root.join("schedules"), "x").unwrap();
        },
        "L180-settings" => |root| instead(&root.join("loa.yaml"), folder),
        "L181-above" => |root| {
            link("..")(&root.join("content/loop"));
            link("../..")(&root.join("channels/tat-ca"));
        },
        "L230-programs" | "L276-authorities" => |_| {},
        "L231-not-executable" => |root| {
            let path = root.join("bin/doc.sh");
            fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
        },
        "L232-voices" => |root| allow(&root.join("bin/espeak-ng")),
        _ => return load_files(&files_of(fixture)),
    };
    let folder = tempfile::tempdir().unwrap();
    for (path, bytes) in files_of(fixture) {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    change(folder.path());
    let mut loaded = load(folder.path());
    certificates(fixture, folder.path(), &mut loaded);
    if ["L230", "L231", "L232"].contains(&&fixture[..4]) {
        let lacks = lacks(folder.path(), loaded.workspace.as_ref().unwrap());
        loaded.diagnostics = source::equipment::report(folder.path(), &lacks);
    }
    loaded
}

/// What a machine lacks that has nothing but a `bin` in the workspace.
fn lacks(root: &Path, workspace: &Workspace) -> Vec<Lack> {
    let home = Home {
        root: root.to_owned(),
        environment: vec![("PATH".into(), root.join("bin").into())],
        route: None,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(equipment::lacks(workspace, &home))
}

/// A program of the fixture, which git may have taken the permission from.
fn allow(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Puts something else in the place of a file.
fn instead(path: &Path, make: impl FnOnce(&Path)) {
    fs::remove_file(path).unwrap();
    make(path);
}

fn folder(path: &Path) {
    fs::create_dir(path).unwrap();
}

fn link(target: &'static str) -> impl Fn(&Path) {
    move |path| std::os::unix::fs::symlink(target, path).unwrap()
}

/// A pipe that nobody writes to: who opens it waits for ever.
fn pipe(path: &Path) {
    let made = std::process::Command::new("mkfifo").arg(path).status();
    assert!(made.unwrap().success(), "mkfifo is part of coreutils");
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "a switch for those who change what is said; no test reads it otherwise"
)]
fn every_fixture_says_what_is_expected() {
    let update = std::env::var_os("LOA_UPDATE_FIXTURES").is_some();
    let mut wrong = Vec::new();
    for fixture in fixtures() {
        let loaded = load_fixture(&fixture);
        for (lang, file) in [(Lang::Vi, "expected.txt"), (Lang::En, "expected.en.txt")] {
            let text = render::to_text(&loaded.diagnostics, lang, false);
            assert!(
                !text.contains("[diagnostic."),
                "{fixture} lacks a sentence: {text}"
            );
            let path = root().join(&fixture).join(file);
            if update {
                fs::write(&path, &text).unwrap();
            } else if fs::read_to_string(&path).ok().as_deref() != Some(&text) {
                wrong.push(format!("{fixture}/{file} is not what is said now:\n{text}"));
            }
        }
        let code = &fixture[..4];
        assert!(
            loaded
                .diagnostics
                .iter()
                .any(|found| found.code.as_str() == code),
            "{fixture} does not show {code}"
        );
        let has_error = loaded
            .diagnostics
            .iter()
            .any(|found| found.severity == Severity::Error);
        assert_eq!(loaded.workspace.is_none(), has_error, "{fixture}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_code_has_a_fixture() {
    let fixtures = fixtures();
    let have: BTreeSet<&str> = fixtures.iter().map(|name| &name[..4]).collect();
    let want: BTreeSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(have, want);
    assert_eq!(want.len(), Code::ALL.len(), "a number is used twice");
}

#[test]
fn good_workspaces_are_good() {
    for files in [base(), sample()] {
        let loaded = load_files(&files);
        assert_eq!(render::to_text(&loaded.diagnostics, Lang::En, false), "");
        let workspace = loaded.workspace.unwrap();
        assert_eq!(workspace.revision.len(), 16);
        assert_eq!(load_files(&files).workspace, Some(workspace.clone()));
        // A comment is no other content, and yet another revision: it is the files that nodes compare.
        let mut files = files;
        edit(&mut files, "loa.yaml", |text| (text + "# x\n").into_bytes());
        assert_ne!(
            load_files(&files).workspace.unwrap().revision,
            workspace.revision
        );
    }
}

/// Windows Notepad saves with a byte-order mark and CRLF; nothing of it may reach the words.
#[test]
fn files_from_windows_are_as_good() {
    let windows = |files: Files| -> Files {
        // A picture is no text.
        let convert = |bytes: Vec<u8>| match String::from_utf8(bytes) {
            Ok(text) => format!("\u{feff}{text}").replace('\n', "\r\n").into_bytes(),
            Err(picture) => picture.into_bytes(),
        };
        files
            .into_iter()
            .map(|(path, bytes)| (path, convert(bytes)))
            .collect()
    };
    for files in [base(), sample()] {
        let mut from_windows = load_files(&windows(files.clone()));
        assert_eq!(
            render::to_text(&from_windows.diagnostics, Lang::En, false),
            ""
        );
        let plain = load_files(&files).workspace.unwrap();
        let from_windows = from_windows.workspace.as_mut().unwrap();
        from_windows.revision.clone_from(&plain.revision);
        assert_eq!(*from_windows, plain);
    }
}

#[test]
fn one_run_shows_all_mistakes_each_at_its_place() {
    let mut files = base();
    let bulletin = "tile: A\ntopic: gia-dan\npriority: cao\nvalid: { from: 2024-02-30, until: [x] }\n\
        source: { document: B, month: 2024-13, ngay: 1 }\ncontacts: cong-an\nscript: { a: 1 }\n";
    files.insert("content/bulletins/bao-tin.yaml".into(), bulletin.into());
    edit(&mut files, "schedules/hang-ngay.yaml", |text| {
        text.replace("0 8 * * 1", "0 25 * * 1").into_bytes()
    });
    let shown: Vec<String> = load_files(&files)
        .diagnostics
        .iter()
        .map(|found| {
            let (at, name) = (
                found.at.position(),
                found.at.file.path().rsplit('/').next().unwrap().to_owned(),
            );
            format!("{name}:{}:{} {}", at.line, at.column, found.code.as_str())
        })
        .collect();
    assert_eq!(
        shown,
        [
            "bao-tin.yaml:1:1 L012",
            "bao-tin.yaml:2:8 L023",
            "bao-tin.yaml:3:11 L015",
            "bao-tin.yaml:4:16 L032",
            "bao-tin.yaml:4:35 L014",
            "bao-tin.yaml:5:31 L032",
            "bao-tin.yaml:5:40 L012",
            "bao-tin.yaml:6:11 L014",
            "bao-tin.yaml:7:9 L014",
            "hang-ngay.yaml:8:22 L030",
        ]
    );
}

#[test]
fn json_has_stable_fields() {
    let loaded = load_fixture("L012-windows");
    let json: serde_json::Value =
        serde_json::from_str(&render::to_json(&loaded.diagnostics, Lang::En)).unwrap();
    assert_eq!(
        json,
        serde_json::json!([{
            "code": "L012",
            "severity": "error",
            "file": "content/bulletins/bao-tin.yaml",
            "line": 5,
            "column": 1,
            "end_line": 5,
            "end_column": 5,
            "message": "there is no key `đoạn` here",
            "help": json[0]["help"],
            "notes": [],
        }])
    );
    assert!(json[0]["help"].as_str().unwrap().contains("`title`"));
    assert_eq!(
        render::to_line(&loaded.diagnostics[0], Lang::Vi),
        "content/bulletins/bao-tin.yaml:5:1: lỗi L012: không có khóa `đoạn` ở đây"
    );
    let colored = render::to_text(&loaded.diagnostics, Lang::Vi, true);
    assert!(
        colored.starts_with("content/bulletins/bao-tin.yaml:5:1: "),
        "{colored:?}"
    );
}

#[test]
fn a_province_costs_no_more_a_ward_than_a_quarter_of_it() {
    let (quarter, quarter_took) = province(1);
    let (whole, took) = province(4);
    assert_eq!((quarter.wards.len(), quarter.channels.len()), (106, 1_252));
    assert_eq!((whole.wards.len(), whole.channels.len()), (415, 5_002));
    // Four times the wards take four times as long, and sixteen times where something is quadratic. Both are of this run,
    // so a slow machine is as good as a fast one.
    assert!(took < quarter_took * 10, "{took:?}, {quarter_took:?}");
}

/// Loads a province of so many quarters, 103 wards and 1,250 channels each, and tells how long it took.
fn province(quarters: usize) -> (Workspace, Duration) {
    let mut files = base();
    let (wards, channels) = (103 * quarters, 1_250 * quarters);
    let ward = |index: usize| {
        let syllables = ["an", "bo", "ca", "du", "em", "ga", "hai", "la", "mo", "nu"];
        let name: Vec<&str> = format!("{index:03}")
            .bytes()
            .map(|digit| syllables[usize::from(digit - b'0')])
            .collect();
        let name = name.join(" ");
        format!("  x-{index}: {{ kind: xa, name: Tân {name} }}\n")
    };
    let channel = |index: usize| {
        let (ward, a, b) = (index % wards, index / 250, index % 250);
        format!(
            "  loa-{index}:\n    ward: x-{ward}\n    name: Cụm loa {index}\n    kind: loudspeaker\n    adapter: {{ recipe: \
             {{ use: loa-http, with: {{ url: \"http://10.1.{a}.{b}\", token: \"env:LOA_{index}\" }} }} }}\n"
        )
    };
    let lines: String = (0..wards).map(ward).collect();
    edit(&mut files, "channels/wards.yaml", |text| {
        (text + &lines).into_bytes()
    });
    for part in 0..channels / 250 {
        let channels: String = (part * 250..(part + 1) * 250).map(channel).collect();
        files.insert(
            format!("channels/phan-{part}.yaml"),
            format!("channels:\n{channels}").into_bytes(),
        );
    }
    // Everything that is heard is judged, in every ward.
    edit(&mut files, "loa.yaml", |text| {
        text.replace(
            "{ all: off }",
            "{ no-greeting: off, no-sign-off: off, no-correction: off, no-expiry: off, no-editors: off, no-claims: off }",
        )
        .into_bytes()
    });
    let start = Instant::now();
    let loaded = load_files(&files);
    let took = start.elapsed();
    assert_eq!(render::to_text(&loaded.diagnostics, Lang::En, false), "");
    (loaded.workspace.unwrap(), took)
}

#[test]
fn mistakes_by_the_thousand_are_quick() {
    let mut files = base();
    let channels: String = (0..4_000)
        .map(|index| format!("  c-{index}: {{ ward: w-{index}, kind: chta, adaptor: {{}} }}\n"))
        .collect();
    files.insert(
        "channels/nhieu.yaml".into(),
        format!("channels:\n{channels}").into_bytes(),
    );
    let start = Instant::now();
    let loaded = load_files(&files);
    assert!(loaded.diagnostics.len() >= 12_000);
    assert!(render::to_text(&loaded.diagnostics, Lang::Vi, false).len() > 1_000_000);
    assert!(
        start.elapsed() < Duration::from_secs(20),
        "{:?}",
        start.elapsed()
    );
}

/// One thing done to the bytes of a file.
#[derive(Debug, Clone)]
enum Damage {
    Cut(usize),
    Drop { at: usize, length: usize },
    Insert { at: usize, bytes: Vec<u8> },
    Repeat { at: usize, length: usize },
    Byte { at: usize, value: u8 },
}

fn damage() -> impl Strategy<Value = Damage> {
    let at = any::<usize>;
    let pieces = prop_oneof![
        proptest::sample::select(vec![
            "\t",
            "\r",
            "\r\n",
            "\u{feff}",
            "{",
            "}",
            "[",
            "]",
            "\"",
            "'",
            ": ",
            "- ",
            "&a ",
            "*a ",
            "<<: ",
            "!x ",
            "|\n",
            ">\n",
            "---\n",
            "? ",
            "#",
            "{{ ",
            "{% if ",
            "{% include \"",
            "\u{301}",
            "\u{0}",
            "0",
            "-1",
            "99999999999999999999",
            "null",
            "~",
            "~",
            "ư",
            "2024-02-30",
            "* * * * *",
        ])
        .prop_map(|piece| piece.as_bytes().to_vec()),
        proptest::collection::vec(any::<u8>(), 1..6),
    ];
    prop_oneof![
        at().prop_map(Damage::Cut),
        (at(), 1..40_usize).prop_map(|(at, length)| Damage::Drop { at, length }),
        (at(), pieces).prop_map(|(at, bytes)| Damage::Insert { at, bytes }),
        (at(), 1..200_usize).prop_map(|(at, length)| Damage::Repeat { at, length }),
        (at(), any::<u8>()).prop_map(|(at, value)| Damage::Byte { at, value }),
    ]
}

fn apply(bytes: &mut Vec<u8>, damage: &Damage) {
    let within = |at: usize| at % (bytes.len() + 1);
    match damage {
        Damage::Cut(at) => bytes.truncate(within(*at)),
        Damage::Drop { at, length } => {
            let at = within(*at);
            bytes.drain(at..(at + length).min(bytes.len()));
        }
        Damage::Insert { at, bytes: piece } => {
            let at = within(*at);
            bytes.splice(at..at, piece.iter().copied());
        }
        Damage::Repeat { at, length } => {
            let at = within(*at);
            let piece = bytes[at..(at + length).min(bytes.len())].to_vec();
            bytes.splice(at..at, piece);
        }
        Damage::Byte { at, value } => {
            let at = within(*at);
            if let Some(byte) = bytes.get_mut(at) {
                *byte = *value;
            }
        }
    }
}

fn check_damaged(mut files: Files, damages: &[(usize, Damage)]) {
    let paths: Vec<String> = files.keys().cloned().collect();
    for (which, damage) in damages {
        apply(files.get_mut(&paths[which % paths.len()]).unwrap(), damage);
    }
    let loaded = load_files(&files);
    let has_error = loaded
        .diagnostics
        .iter()
        .any(|found| found.severity == Severity::Error);
    assert_eq!(loaded.workspace.is_none(), has_error);
    for found in &loaded.diagnostics {
        assert!(found.at.end_position() >= found.at.position());
        for lang in [Lang::Vi, Lang::En] {
            let line = render::to_line(found, lang);
            assert!(
                !line.contains('\n') && !line.contains("[diagnostic."),
                "{line}"
            );
        }
    }
    assert_eq!(
        render::to_text(&loaded.diagnostics, Lang::Vi, true).is_empty(),
        loaded.diagnostics.is_empty()
    );
    let json: serde_json::Value =
        serde_json::from_str(&render::to_json(&loaded.diagnostics, Lang::En)).unwrap();
    assert_eq!(json.as_array().unwrap().len(), loaded.diagnostics.len());
}

#[test]
fn a_file_whose_name_is_no_text_is_a_mistake() {
    use std::os::unix::ffi::OsStrExt as _;
    let folder = crate::support::workspace::Folder::small();
    let name = std::ffi::OsStr::from_bytes(b"c\xf4ng-an.yaml");
    fs::write(folder.path().join("content/bulletins").join(name), "x").unwrap();
    // Not the workspace's.
    fs::write(folder.path().join(name), "x").unwrap();
    let said = crate::support::cli::loa(&folder.path(), &["check", "--format", "json"]);
    assert_eq!(said.code, 1, "{said:?}");
    let found = said.json();
    let found: Vec<_> = found
        .as_array()
        .unwrap()
        .iter()
        .filter(|found| found["severity"] == "error")
        .map(|found| {
            (
                found["code"].as_str().unwrap(),
                found["file"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(found, [("L001", "content/bulletins/c\u{fffd}ng-an.yaml")]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, rng_seed: RngSeed::Fixed(2024), ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_it_panic(damages in proptest::collection::vec((any::<usize>(), damage()), 1..8)) {
        check_damaged(base(), &damages);
    }

    #[test]
    fn positions_lead_back(text in "([a-zưà\u{301} :]{0,9}(\r\n|\n|\r)?){0,8}", at in any::<usize>()) {
        let file = loa::diagnostic::SourceFile::new("a.yaml", text.clone());
        let at = at % (text.len() + 1);
        prop_assume!(text.is_char_boundary(at));
        // Between the two halves of a line end there is no column of its own.
        prop_assume!(!(at > 0 && text.as_bytes()[at - 1] == b'\r' && text.as_bytes().get(at) == Some(&b'\n')));
        let position = file.position(at);
        let line = file.line(position.line);
        let column = text[line.start..].char_indices().nth(position.column - 1).map_or(text.len(), |(byte, _)| line.start + byte);
        prop_assert_eq!(column, at);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 30, failure_persistence: None, rng_seed: RngSeed::Fixed(2024), ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_of_the_sample_make_it_panic(damages in proptest::collection::vec((any::<usize>(), damage()), 1..30)) {
        let mut files = sample();
        // Reading the words of all takes minutes where nothing is optimised; these have every part and kind of tag.
        let bulletins: Vec<_> = files.keys().filter(|path| path.starts_with("content/bulletins/")).cloned().collect();
        for path in bulletins.iter().skip(4) {
            files.remove(path);
        }
        check_damaged(files, &damages);
    }
}
