//! A small workspace in a temporary folder: two wards, three loudspeakers, two websites, one chat, the shipped recipes.

use std::path::{Path, PathBuf};

use loa::{domain::workspace::Workspace, source};

const LOA: &str = r#"
name: Thử nghiệm
zone: Asia/Ho_Chi_Minh
city: { id: vinh, name: thành phố Vinh, province: tỉnh Nghệ An }
database: sqlite:.loa/loa.db
web: { listen: "127.0.0.1:0" }
approval: { required: off }
plan: { horizon: 24h, prepare: 15m, grace: 1m }
delivery:
  workers: 8
  connect_timeout: 2s
  total_timeout: 2s
  lease: 30s
  retry: { first: 5s, longest: 1m, attempts: 8 }
  hosts: { concurrency: 4, per_second: 100 }
  health: { every: off }
network: { allow: ["10.0.0.0/8", "*.vinh.example"] }
simulate: { start: "2024-03-25T05:00:00", speed: 60 }
"#;

/// Two who may approve, and one who also writes.
const APPROVAL: &str = r"
approval:
  required: bulletins-and-schedules
  unapproved: last-approved
  emergency: 2
  approvers:
    - { name: Trần Thị Mai, role: Giám đốc }
    - { name: Nguyễn Văn Hòa, role: Phó giám đốc }
    - { name: Lê Văn Tám, role: Trưởng phòng }
";

const WARDS: &str = r#"
wards:
  hung-binh: { kind: phuong, name: Hưng Bình, code: "16672", valid: { from: 2024-01-01 }, neighbours: [le-loi] }
  le-loi: { kind: phuong, name: Lê Lợi, code: "16669", valid: { from: 2024-01-01 }, neighbours: [hung-binh] }
"#;

const CHANNELS: &str = r#"
channels:
  loa-hb-1:
    ward: hung-binh
    name: Cụm loa 1 Hưng Bình
    kind: loudspeaker
    adapter: { recipe: { use: loudspeaker-http, with: { url: "http://10.0.0.1", token: "env:LOA_T1" } } }
  loa-hb-2:
    ward: hung-binh
    name: Cụm loa 2 Hưng Bình
    kind: loudspeaker
    adapter: { recipe: { use: loudspeaker-http, with: { url: "http://10.0.0.2", token: "env:LOA_T2" } } }
  loa-ll-1:
    ward: le-loi
    name: Cụm loa 1 Lê Lợi
    kind: loudspeaker
    adapter: { recipe: { use: loudspeaker-http, with: { url: "http://10.0.0.3", token: "env:LOA_T3" } } }
  web-hb:
    ward: hung-binh
    name: Trang Hưng Bình
    kind: website
    adapter: { recipe: { use: wordpress, with: { url: "https://hung-binh.vinh.example", user: loa, password: "env:LOA_W1" } } }
  web-ll:
    ward: le-loi
    name: Trang Lê Lợi
    kind: website
    adapter: { recipe: { use: wordpress, with: { url: "https://le-loi.vinh.example", user: loa, password: "env:LOA_W2" } } }
  oa-vinh:
    name: OA thành phố
    kind: chat
    adapter: { webhook: { url: "https://oa.vinh.example/hook", secrets: ["env:LOA_OA"] } }
"#;

const TOPICS: &str = "topics:\n  gia-danh: { title: Giả danh cán bộ, official: 14 }\n";

const CONTACTS: &str = r#"
contacts:
  cong-an: { kind: office, name: Công an thành phố Vinh, owner: Công an, purpose: Báo tin, source: "Công văn", verified_on: 2024-03, verified_by: "Công văn", expires: 2030-12 }
"#;

/// A bulletin's file, with its own words in every format.
pub(crate) fn bulletin(words: &str) -> String {
    format!(
        r#"
title: Cảnh giác {words}
topic: gia-danh
priority: normal
valid: {{ from: 2024-03-01, until: 2024-12-31 }}
source: {{ document: "Công văn", month: 2024-03 }}
contacts: [cong-an]
script: |
  Thưa bà con {{{{ ward.name }}}}. {words}.
article:
  summary: Tóm tắt {words}
  body: |
    Bà con {{{{ ward.name }}}} chú ý: {words}.
message: "{words}, {{{{ ward.name }}}}."
sign: "{words}"
correction: "Đính chính: {words}."
"#
    )
}

/// The schedules of the small workspace.
pub(crate) const SCHEDULES: &str = r#"
schedules:
  loa-sang:
    when: { at: ["05:30"], days: [mon, tue, wed, thu, fri] }
    bulletins: { only: [mot] }
    to: { kind: loudspeaker }
    missed: skip
    deadline: 10m
  trang-tin:
    when: { cron: "0 6 * * 1-5" }
    bulletins: { rotate: { list: [mot, hai] } }
    to: { kind: website }
    missed: { late: { within: 6h } }
  oa:
    when: { at: ["06:10"], days: [mon] }
    bulletins: { rotate: { topic: gia-danh } }
    to: { kind: chat }
    missed: { late: { within: 2h } }
"#;

/// A workspace that people edit; gone with the value.
#[derive(Debug)]
pub(crate) struct Folder {
    root: tempfile::TempDir,
}

impl Folder {
    /// The small workspace.
    pub(crate) fn small() -> Self {
        let folder = Self {
            root: tempfile::tempdir().unwrap(),
        };
        folder.write("loa.yaml", LOA);
        folder.write("channels/wards.yaml", WARDS);
        folder.write("channels/kenh.yaml", CHANNELS);
        folder.write("content/topics.yaml", TOPICS);
        folder.write("content/contacts.yaml", CONTACTS);
        folder.write("content/bulletins/mot.yaml", &bulletin("lời thứ nhất"));
        folder.write("content/bulletins/hai.yaml", &bulletin("lời thứ hai"));
        folder.write("schedules/lich.yaml", SCHEDULES);
        for recipe in ["loudspeaker-http", "wordpress", "chat-webhook"] {
            let path = format!("channels/recipes/{recipe}.yaml");
            let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join(&path);
            folder.write(&path, &std::fs::read_to_string(shipped).unwrap());
        }
        folder
    }

    /// Where it is.
    pub(crate) fn path(&self) -> PathBuf {
        self.root.path().to_owned()
    }

    /// Writes a file of it.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.root.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Edits a file of it: what stands for `old` is `new` from now on.
    pub(crate) fn edit(&self, path: &str, old: &str, new: &str) {
        let text = std::fs::read_to_string(self.root.path().join(path)).unwrap();
        assert!(text.contains(old), "{path} has no {old}");
        self.write(path, &text.replace(old, new));
    }

    /// From now on nothing airs without approval.
    pub(crate) fn wants_approval(&self) {
        self.edit("loa.yaml", "approval: { required: off }", APPROVAL);
        for bulletin in ["mot", "hai"] {
            let path = format!("content/bulletins/{bulletin}.yaml");
            self.edit(
                &path,
                "contacts: [cong-an]",
                "editors: [Lê Văn Tám]\ncontacts: [cong-an]",
            );
        }
        self.edit(
            "schedules/lich.yaml",
            "    to: {",
            "    editors: [Lê Văn Tám]\n    to: {",
        );
    }

    /// Writes a file that is no text.
    pub(crate) fn write_bytes(&self, path: &str, bytes: &[u8]) {
        let path = self.root.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    /// Adds to the end of a file of it.
    pub(crate) fn amend(&self, path: &str, text: &str) {
        let before = std::fs::read_to_string(self.root.path().join(path)).unwrap();
        self.write(path, &format!("{before}{text}"));
    }

    /// Its own SQLite database.
    pub(crate) fn sqlite(&self) -> String {
        let path = self.root.path().join("test.db");
        // Commands that only look make none; an empty file is an empty database.
        std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .unwrap();
        format!("sqlite:{}", path.display())
    }

    /// Loads it; it has to be good.
    pub(crate) fn load(&self) -> Workspace {
        let loaded = source::load(self.root.path());
        let shown =
            loa::diagnostic::render::to_text(&loaded.diagnostics, loa::catalogue::Lang::En, false);
        loaded
            .workspace
            .unwrap_or_else(|| panic!("the test's workspace has mistakes:\n{shown}"))
    }
}
