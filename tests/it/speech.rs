//! Reading aloud from the command line; the estimated lengths of the library's scripts against a real voice: espeak-ng, whose sound is as long as it is on air.

use std::{
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use loa::{
    domain::{
        bulletin::Format,
        speech::{Dialect, Rate, Region},
    },
    render::Renderer,
    source,
    speech::{Speech, duration},
};

use crate::support::{cli::loa, without, workspace::Folder};

/// Seconds of sound that espeak-ng makes of `text`.
fn sound(voice: &str, speed: u32, text: &str) -> f64 {
    let mut child = Command::new("espeak-ng")
        .args(["-v", voice, "-s", &speed.to_string(), "--stdin", "--stdout"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("espeak-ng is missing: apt-get install espeak-ng");
    child
        .stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    let wav = child.wait_with_output().unwrap().stdout;
    let data = wav.windows(4).position(|part| part == b"data").unwrap() + 8;
    // 16-bit samples of one channel, 22,050 a second.
    f64::from(u32::try_from(wav.len() - data).unwrap()) / 2.0 / 22_050.0
}

#[test]
fn scripts_last_as_long_as_they_are_estimated() {
    if without("audio") {
        return;
    }
    let loaded = source::load(Path::new(env!("CARGO_MANIFEST_DIR")));
    let workspace = loaded.workspace.unwrap();
    let (renderer, _) = Renderer::new(&workspace);
    let ward = workspace.wards.values().next().unwrap();
    for (region, voice, rate) in [
        (Region::North, "vi", 180),
        (Region::Central, "vi-vn-x-central", 150),
        (Region::South, "vi-vn-x-south", 220),
    ] {
        let rate = Rate::syllables_per_minute(rate);
        let speech = Speech::new(&workspace.readings, Dialect::of(region));
        let speed = duration::espeak_speed(region, rate);
        let mut errors = Vec::new();
        for bulletin in workspace.bulletins.values() {
            let Ok(content) = renderer.render(&workspace, bulletin, ward, Format::Script) else {
                continue;
            };
            let spoken = speech.say(&content.text);
            let estimated = duration::estimate(&spoken, rate).as_secs_f64();
            let real = sound(voice, speed, &spoken);
            errors.push(((estimated - real).abs() / real, bulletin.id.clone()));
        }
        errors.sort_by(|one, other| one.0.total_cmp(&other.0));
        assert!(errors.len() > 20, "{}", errors.len());
        let median = errors[errors.len() / 2].0;
        let (worst, id) = errors.last().unwrap();
        assert!(median < 0.05, "{voice}: half are wrong by {median}");
        assert!(*worst < 0.12, "{voice}: {id} is wrong by {worst}");
    }
}

/// Reading aloud needs two files; a mistake in any other is no reason to do without the workspace's readings.
#[test]
fn a_text_is_read_by_settings_and_readings_alone() {
    let folder = Folder::small();
    folder.write("content/speech.yaml", "words: { Vinh Tân: vinh tân mới }\n");
    folder.amend("channels/kenh.yaml", "zzz: [\n");
    folder.amend("loa.yaml", "watchdog: { operator: oa-vinh }\n");
    let said = loa(&folder.path(), &["speech", "read", "Chợ Vinh Tân"]);
    assert_eq!(
        (said.code, said.out.trim()),
        (0, "Chợ vinh tân mới"),
        "{said:?}"
    );
    assert_eq!(said.err, "");
    folder.amend("content/speech.yaml", "zzz: [\n");
    let said = loa(&folder.path(), &["speech", "read", "Chợ Vinh Tân"]);
    assert!(said.err.contains("content/speech.yaml có lỗi"), "{said:?}");
}
