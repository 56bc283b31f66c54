//! Files of fixtures that are made here: what git or an editor would not keep as it is, and sound.

use std::path::Path;

use loa::source::{self, Loaded};

use super::Files;

pub(super) fn edit(files: &mut Files, path: &str, change: impl FnOnce(String) -> Vec<u8>) {
    let text = String::from_utf8(files[path].clone()).unwrap();
    files.insert(path.to_owned(), change(text));
}

/// What is said of certificates besides, where a fixture is about those that a machine has.
pub(super) fn certificates(fixture: &str, root: &Path, loaded: &mut Loaded) {
    if fixture.starts_with("L276") {
        let found = source::certificates::report(root, &loaded.authorities);
        loaded.diagnostics.extend(found);
    }
}

/// A recording of a tone.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a few seconds of samples"
)]
fn recording(files: &mut Files, name: &str, strength: f32, seconds: f32) {
    let rate = loa::audio::wav::RATE as f32;
    let samples: Vec<f32> = (0..(seconds * rate) as usize)
        .map(|n| strength * (n as f32 * 0.1).sin())
        .collect();
    files.insert(
        format!("content/recordings/{name}"),
        loa::audio::wav::encode(&samples),
    );
}

/// Files whose bytes git or an editor would not keep.
pub(super) fn generate(fixture: &str, files: &mut Files) {
    let bulletin = "content/bulletins/bao-tin.yaml";
    match fixture {
        "L120-unknown-recording" => {
            recording(files, "loi-doc.wav", 0.3, 2.0);
            edit(files, bulletin, |text| {
                format!("{text}recording: loi-doc.wav\n").into_bytes()
            });
        }
        "L122-silent" => recording(files, "im-lang.wav", 0.0, 2.0),
        "L123-length" => recording(files, "qua-ngan.wav", 0.3, 0.4),
        "L126-unused" => recording(files, "bo-quen.wav", 0.3, 2.0),
        "L127-one-for-all" => recording(files, "loi.wav", 0.3, 5.0),
        "L251-recording-unlike" => recording(files, "cut-cut.wav", 0.3, 1.5),
        // As it comes out of a telephone.
        "L271-larger" => {
            let mut picture = include_bytes!("../../fixtures/pictures/xanh.png").to_vec();
            picture.resize(1_000_001, 0);
            files.insert("content/pictures/lon.png".to_owned(), picture);
        }
        "L003-large" => edit(files, bulletin, |text| {
            (text + &"#\n".repeat(600_000)).into_bytes()
        }),
        "L004-not-utf-8" => {
            edit(files, bulletin, |text| {
                let at = text.find("ngay").unwrap();
                // Windows-1258, as an old word processor saves it.
                [
                    &text.as_bytes()[..at],
                    b"kh\xe2n c\xe2p ",
                    &text.as_bytes()[at..],
                ]
                .concat()
            });
        }
        "L006-tab" => edit(files, "schedules/hang-ngay.yaml", |text| {
            text.replace("    to: { kind: l", "\tto: { kind: l").into()
        }),
        "L006-tab-many" => edit(files, "content/topics.yaml", |text| {
            format!("{text}a:\n\tb: 1\n\tc: 2\n\t\td: 3\n").into()
        }),
        "L006-tab-late" => edit(files, "loa.yaml", |_| {
            b"name: a\nweb:\n\tlisten: x\n".to_vec()
        }),
        "L008-bomb" => edit(files, "content/topics.yaml", |mut text| {
            text.push_str("bom:\n  a0: &a0 [x, x, x, x, x, x, x, x]\n");
            for level in 1..12 {
                let copies = vec![format!("*a{}", level - 1); 8].join(", ");
                text.push_str(&format!("  a{level}: &a{level} [{copies}]\n"));
            }
            text.into_bytes()
        }),
        "L008-deep" => edit(files, "content/topics.yaml", |text| {
            format!("{text}x: {}\n", "[".repeat(100_000)).into_bytes()
        }),
        // Decomposed, as macOS names and some keyboards write; the caret below shows that places hold all the same.
        "L011-decomposed" => edit(files, bulletin, |text| {
            text.replace("Báo tin ngay", "Ba\u{301}o tin ngay")
                .replace("Bà con", "Ba\u{300} con")
                .into_bytes()
        }),
        // The base's settings with one key more.
        "L015-dialect" => edit(files, "loa.yaml", |text| {
            (text + "speech: { dialect: miền Bắc, linh: le, nghin: ngan, rate: 20 }\n").into_bytes()
        }),
        "L061-decomposed" => edit(files, bulletin, |text| {
            text.replace("Bà con {{ ward.name }}", "Ba\u{300} con {{ wrad.name }}")
                .into_bytes()
        }),
        "L012-windows" => edit(files, bulletin, |text| {
            format!("\u{feff}{text}đoạn: 1\n")
                .replace('\n', "\r\n")
                .into_bytes()
        }),
        "L012-long-line" => edit(files, bulletin, |text| {
            format!(
                "{text}ghi_chú: {{ a: \"{}\", b: 1, article: 2 }}\n",
                "ư".repeat(500_000)
            )
            .into_bytes()
        }),
        "L183-as-they-are" => edit(files, bulletin, |text| {
            text.replace("báo tin", "báo\u{200b} tin\u{202e}")
                .replace("Văn bản", "Văn\u{a0}bản 👨\u{200d}👩 \u{feff}")
                .into_bytes()
        }),
        "L183-control" => edit(files, bulletin, |text| {
            text.replace(
                "script: Bà con",
                "script: |\n  Thưa bà con.\n\n  Xin \u{1b}[31mchú ý.\n  Bà con",
            )
            .into_bytes()
        }),
        _ => {}
    }
}
