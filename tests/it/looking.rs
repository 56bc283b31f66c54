//! Commands that only look: they make nothing, and what they say of a channel or of a first version is what it is.

use crate::support::{
    cli::{Said, loa},
    workspace::Folder,
};

/// What asks and changes nothing.
const LOOKS: [&[&str]; 13] = [
    &["plan"],
    &["plan", "--diff", "approved"],
    &["policy", "--ward", "hung-binh"],
    &["airtime"],
    &["status"],
    &["diff", "mot"],
    &["preview", "mot", "--ward", "hung-binh"],
    &["log"],
    &["pauses"],
    &["verify"],
    &["contacts"],
    &["channels"],
    &[
        "send",
        "mot",
        "--to",
        "all",
        "--by",
        "Lan",
        "--reason",
        "thử",
        "--dry-run",
    ],
];

#[test]
fn what_only_looks_makes_no_database() {
    for (approval, world) in [(true, &[][..]), (false, &["--simulate"])] {
        let folder = Folder::small();
        if approval {
            folder.wants_approval();
        }
        for look in LOOKS {
            let arguments = [look, world].concat();
            let said = loa(&folder.path(), &arguments);
            assert!(!said.err.contains("panicked"), "{said:?}");
            let made = folder.path().join(".loa");
            assert!(!made.exists(), "{arguments:?} made {made:?}: {said:?}");
        }
    }
}

#[test]
fn a_first_version_is_shown_before_anything_is_on_record() {
    let folder = Folder::small();
    folder.wants_approval();
    let said = loa(&folder.path(), &["diff", "mot"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.out.contains("loa approve mot"), "{}", said.out);
    // Its words are there; of its file no empty heading is.
    assert!(
        said.out.contains("Lời đọc") || said.out.contains("lời đọc"),
        "{}",
        said.out
    );
    let empty = said.out.lines().any(|line| line.trim() == "Tệp");
    assert!(!empty, "{}", said.out);
    let said = loa(&folder.path(), &["status"]);
    assert!(
        said.out.contains("mot") && said.out.contains("hai"),
        "{said:?}"
    );
    // What was approved first is on record for whoever looks then.
    let hash = loa(&folder.path(), &["diff", "mot", "--format", "json"]).json()["version"]
        .as_str()
        .unwrap()
        .to_owned();
    let arguments = ["approve", "mot", "--by", "Trần Thị Mai", "--hash", &hash];
    assert_eq!(loa(&folder.path(), &arguments).code, 0);
    let said = loa(&folder.path(), &["diff", "mot", "--format", "json"]).json();
    assert_eq!(said["against"], said["version"]);
}

#[test]
fn a_channel_that_gets_nothing_by_hand_is_said_to_be_what_it_is() {
    let folder = Folder::small();
    folder.amend("loa.yaml", "watchdog: { operator: truc-ban }\n");
    folder.write(
        "channels/truc-ban.yaml",
        "channels:\n  truc-ban:\n    name: Trực ban\n    kind: chat\n    adapter: { webhook: { url: \"https://truc-ban.example/hook\", secrets: [\"env:LOA_TB\"] } }\n  \
         loa-thu:\n    name: Loa thử\n    ward: hung-binh\n    kind: loudspeaker\n    test: true\n    adapter: { recipe: { use: loudspeaker-http, with: { url: \"http://10.0.0.9\", token: \"env:LOA_T9\" } } }\n",
    );
    let send = |to: &str, more: &[&str]| -> Said {
        let base = ["send", "mot", "--to", to, "--by", "Lan", "--reason", "thử"];
        loa(&folder.path(), &[&base, more].concat())
    };
    for (to, more, parts) in [
        (
            "channel:truc-ban",
            &[][..],
            ["Trực ban", "watchdog.operator", "loa channels --probe"],
        ),
        (
            "channel:truc-ban",
            &["--test"],
            ["Trực ban", "watchdog.operator", "loa channels --probe"],
        ),
        ("channel:loa-thu", &[], ["Loa thử", "test: true", "--test"]),
        // Among others it would have been left out without a word.
        (
            "channel:loa-hb-1,channel:loa-thu",
            &[],
            ["Loa thử", "test: true", "--test"],
        ),
        (
            "channel:loa-hb-1",
            &["--test"],
            ["loa-hb-1", "không phải kênh thử", "test: true"],
        ),
    ] {
        let said = send(to, more);
        assert_eq!(said.code, 2, "{said:?}");
        for part in parts {
            assert!(said.err.contains(part), "{to} {more:?}: {}", said.err);
        }
        assert!(!said.err.contains("Không có kênh"), "{}", said.err);
    }
    // What fits no channel at all is still nobody.
    assert!(send("kind:sign", &[]).err.contains("Không có kênh"));
}
