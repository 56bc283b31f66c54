//! A workspace with a channel for every recipe and adapter that is shipped, and what is made of what the kit finds.

use std::{collections::BTreeMap, convert::Infallible, fs, path::Path, sync::Arc};

use loa::{
    adapter::registry::Registry,
    conformance::{Findings, Scenario, Subject, Verdict, examine, warned},
    diagnostic::Diagnostic,
    domain::{id::ChannelId, secret::Secret, workspace::Workspace},
    source,
};

use crate::support::workspace::Folder;

/// The row of the README's table of adapters, and the channel that stands for it.
pub(super) const SHIPPED: [(&str, &str); 22] = [
    ("recipe: loudspeaker-http", "loa-hb-1"),
    ("recipe: truyen-thanh-json", "kit-truyen-thanh"),
    ("recipe: barix", "kit-barix"),
    ("recipe: home-assistant", "kit-home"),
    ("recipe: sonos", "kit-sonos"),
    ("recipe: 2n", "kit-2n"),
    ("recipe: liquidsoap", "kit-liquidsoap"),
    ("recipe: wordpress", "web-hb"),
    ("recipe: drupal", "kit-drupal"),
    ("recipe: joomla", "kit-joomla"),
    ("recipe: liferay", "kit-liferay"),
    ("recipe: chat-webhook", "kit-chat"),
    ("screen", "kit-man-hinh"),
    ("vnpt", "kit-cong"),
    ("axis", "kit-axis"),
    ("icecast", "kit-icecast"),
    ("snapcast", "kit-snapcast"),
    ("webhook", "oa-vinh"),
    ("email", "kit-thu"),
    ("email`, `format: article", "kit-thu-bai"),
    ("zalo`, `format: article", "kit-zalo"),
    ("zalo`, `format: message", "kit-zalo-tin"),
];

const CHANNELS: &str = r#"
channels:
  kit-truyen-thanh:
    ward: le-loi
    name: Cổng truyền thanh
    kind: loudspeaker
    audio: mp3
    adapter: { recipe: { use: truyen-thanh-json, with: { url: "http://10.0.1.1", device: LOA-3, files: "http://10.0.1.9/tep", password: "env:LOA_K" } } }
  kit-barix:
    ward: le-loi
    name: Barix
    kind: loudspeaker
    audio: mp3
    adapter: { recipe: { use: barix, with: { url: "http://10.0.1.2", password: "env:LOA_K", play: c=4, stop: c=0, files: "http://10.0.1.9/tep", files_password: "env:LOA_K" } } }
  kit-home:
    ward: le-loi
    name: Home Assistant
    kind: loudspeaker
    audio: wav
    adapter: { recipe: { use: home-assistant, with: { url: "http://10.0.1.3:8123", token: "env:LOA_K", entity: media_player.khoi_3 } } }
  kit-sonos:
    ward: le-loi
    name: Sonos
    kind: loudspeaker
    audio: mp3
    adapter: { recipe: { use: sonos, with: { client: loa, secret: "env:LOA_K", refresh: "env:LOA_K", player: RINCON_1, files: "http://10.0.1.9/tep", password: "env:LOA_K" } } }
  kit-2n:
    ward: le-loi
    name: 2N
    kind: loudspeaker
    audio: mp3
    adapter: { recipe: { use: 2n, with: { url: "http://10.0.1.4:8088/api", session: "1", emergency: "1", files: "http://10.0.1.9/tep", password: "env:LOA_K" } } }
  kit-liquidsoap:
    ward: le-loi
    name: Liquidsoap
    kind: loudspeaker
    audio: opus
    adapter: { recipe: { use: liquidsoap, with: { url: "http://10.0.1.5:8007", key: "env:LOA_K" } } }
  kit-drupal:
    ward: le-loi
    kind: website
    adapter: { recipe: { use: drupal, with: { url: "https://drupal.vinh.example", user: loa, password: "env:LOA_K" } } }
  kit-joomla:
    ward: le-loi
    kind: website
    adapter: { recipe: { use: joomla, with: { url: "https://joomla.vinh.example", token: "env:LOA_K", category: "9" } } }
  kit-liferay:
    ward: le-loi
    kind: website
    adapter: { recipe: { use: liferay, with: { url: "https://liferay.vinh.example", site: "20126", client: loa, secret: "env:LOA_K" } } }
  kit-cong:
    ward: le-loi
    kind: website
    adapter: { vnpt: { url: "https://cong.vinh.example" } }
  kit-man-hinh:
    ward: le-loi
    kind: sign
    adapter: { screen: { key: "env:LOA_K" } }
  kit-chat:
    name: Nhóm
    kind: chat
    adapter: { recipe: { use: chat-webhook, with: { url: "https://nhom.vinh.example/hook", token: "env:LOA_K" } } }
  kit-axis:
    ward: le-loi
    name: Axis
    kind: loudspeaker
    audio: wav
    adapter: { axis: { url: "http://10.0.1.6", user: loa, password: "env:LOA_K", volume: 80 } }
  kit-icecast:
    ward: le-loi
    name: Icecast
    kind: loudspeaker
    audio: mp3
    adapter: { icecast: { url: "http://10.0.1.7:8000", mount: le-loi.mp3, password: "env:LOA_K", listeners: 1 } }
  kit-snapcast:
    ward: le-loi
    name: Snapcast
    kind: loudspeaker
    audio: wav
    adapter: { snapcast: { url: "http://10.0.1.8:1780", stream: le-loi, group: khoi-3, volume: 80, listeners: 1 } }
  kit-thu:
    name: Thư trực ban
    kind: chat
    adapter: { email: { server: smtp.vinh.example, user: loa, password: "env:LOA_K", from: "Loa <loa@vinh.example>", to: ["truc-ban@vinh.example"] } }
  kit-thu-bai:
    name: Thư cho phòng ban
    kind: chat
    format: article
    adapter: { email: { server: smtp.vinh.example, tls: starttls, ca: "file:ca.pem", user: loa, password: "env:LOA_K", from: "loa@vinh.example", to: ["phong-vhtt@vinh.example", "cong-an@vinh.example"] } }
  kit-zalo:
    name: OA
    kind: chat
    format: article
    adapter: { zalo: { app: "123456789", oa: "987654321", secret: env:LOA_K, callback: "https://loa.vinh.example/zalo", cover: "https://vinh.example/bia.jpg" } }
  kit-zalo-tin:
    name: OA, tin
    kind: chat
    format: message
    mode: at-most-once
    adapter: { zalo: { app: "123456789", oa: "987654321", secret: env:LOA_K, callback: "https://loa.vinh.example/zalo", user: "4343" } }
"#;

/// The workspace.
pub(super) fn folder() -> Folder {
    let folder = Folder::small();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("channels/recipes");
    for entry in fs::read_dir(shipped).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let text = fs::read_to_string(&path).unwrap();
        folder.write(&format!("channels/recipes/{name}"), &text);
    }
    folder.write("channels/kit.yaml", CHANNELS);
    // As long as without it: recipes that poll are made for that.
    folder.edit("loa.yaml", "total_timeout: 2s", "total_timeout: 20s");
    folder.edit(
        "loa.yaml",
        "\"*.vinh.example\"",
        "\"*.vinh.example\", \"*.sonos.com\", \"*.zalo.me\", \"*.zaloapp.com\"",
    );
    folder
}

/// What the kit finds of a channel in the scenarios that are wanted.
pub(super) async fn examined(
    workspace: &Workspace,
    channel: &str,
    is_wanted: impl Fn(&Scenario) -> bool,
) -> Findings {
    with_warnings(workspace, &[], channel, is_wanted).await
}

/// The same with what `check` warns of, as the command has it.
pub(super) async fn examined_as_checked(
    folder: &Folder,
    channel: &str,
    is_wanted: impl Fn(&Scenario) -> bool,
) -> Findings {
    let loaded = source::load(&folder.path());
    with_warnings(&folder.load(), &loaded.diagnostics, channel, is_wanted).await
}

async fn with_warnings(
    workspace: &Workspace,
    diagnostics: &[Diagnostic],
    channel: &str,
    is_wanted: impl Fn(&Scenario) -> bool,
) -> Findings {
    let id = ChannelId::parse(channel).unwrap();
    let (registry, problems) =
        Registry::new(workspace, &|_| Ok::<_, Infallible>(Secret::simulated()));
    assert!(problems.is_empty(), "{problems:?}");
    let channel = &workspace.channels[&id];
    let subject = Subject {
        channel,
        ward_name: "phường Lê Lợi",
        adapter: Arc::clone(registry.get(&id).unwrap()),
        secrets: vec![Secret::simulated()],
        warnings: warned(channel, diagnostics),
    };
    examine(&subject, is_wanted).await.unwrap()
}

/// The scenarios that did not hold, with the codes of what was seen.
pub(super) fn broken(found: &Findings) -> BTreeMap<&'static str, Vec<&'static str>> {
    let broken = found.all.iter().filter_map(|one| match &one.verdict {
        Verdict::Broken(breaches) => {
            let codes = breaches.iter().map(|breach| breach.code).collect();
            Some((one.scenario.id, codes))
        }
        Verdict::Held | Verdict::Spared(_) | Verdict::Unseen => None,
    });
    broken.collect()
}

/// All that was seen, for whoever reads why a test failed.
pub(super) fn told(found: &Findings) -> String {
    let lines = found
        .all
        .iter()
        .map(|one| format!("{}: {:?} {:?}\n", one.scenario.id, one.verdict, one.tries));
    lines.collect()
}
