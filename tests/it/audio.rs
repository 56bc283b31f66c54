//! Sound: real engines and encoders, broken ones, and daemons that air what was made.

mod airing;
mod engines;
mod session;
mod streams;

use std::process::Command;

use loa::{
    audio::{
        Home, Made, Studio,
        assemble::{CEILING, measure},
        wav,
    },
    config::Secrets,
    domain::{
        audio::{AudioFormat, Recording},
        bulletin::{Format, Turn, Voice},
        id::BulletinId,
        message::Content,
    },
    store::World,
};

use crate::support::{cli::loa, without, workspace::Folder};

const WORDS: &str = "Thưa bà con phường Hưng Bình. Cơ quan công an không làm việc qua điện thoại. Khi có người lạ gọi \
    điện yêu cầu chuyển tiền, bà con hãy dừng lại, không làm theo, và báo cho công an phường.";

/// Whether tests that need the program `name` run. Without it they fail, unless they are left out on purpose.
fn has(name: &str, package: &str) -> bool {
    if without("audio") {
        return false;
    }
    let is_there = Command::new(name).arg("--version").output().is_ok();
    assert!(
        is_there,
        "{name} is missing; install it with: sudo apt-get install {package}"
    );
    true
}

fn spoken(text: &str) -> Content {
    Content {
        bulletin: BulletinId::parse("b").unwrap(),
        format: Format::Script,
        title: "Tiêu đề".into(),
        summary: None,
        text: text.to_owned(),
        html: None,
        turns: Vec::new(),
        spoken: Vec::new(),
        quoted: loa::domain::message::Quoted::default(),
        contacts: Vec::new(),
        recording: None,
        picture: None,
    }
}

/// The small workspace with `speech` in its settings.
fn folder(speech: &str) -> Folder {
    let folder = Folder::small();
    folder.amend("loa.yaml", &format!("speech: {speech}\n"));
    folder
}

fn home(folder: &Folder) -> Home {
    Secrets::of(&folder.path(), World::Real).home()
}

fn studio(folder: &Folder) -> Studio {
    Studio::new(&folder.load(), &home(folder), None)
}

/// The tone of a voice in hertz: the median over frames of the lag at which each is most like itself.
#[expect(clippy::cast_precision_loss, reason = "a few seconds of samples")]
fn pitch(samples: &[f32]) -> f64 {
    let mut found = Vec::new();
    for frame in samples.chunks_exact(1_024).step_by(4) {
        if frame.iter().map(|sample| sample * sample).sum::<f32>() < 3.0 {
            continue;
        }
        let likeness =
            |lag: &usize| -> f32 { (0..700).map(|at| frame[at] * frame[at + lag]).sum() };
        let best = (60..300)
            .max_by(|a, b| likeness(a).total_cmp(&likeness(b)))
            .unwrap();
        found.push(f64::from(wav::RATE) / best as f64);
    }
    found.sort_by(f64::total_cmp);
    found[found.len() / 2]
}

fn samples(made: &Made) -> Vec<f32> {
    wav::decode(&made.audio.data).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn words_come_out_as_loud_as_they_should_and_about_as_long() {
    if !has("espeak-ng", "espeak-ng") {
        return;
    }
    for (speech, target) in [
        ("{ engine: espeak }", -16.0),
        ("{ engine: espeak, loudness: -23, chime: none }", -23.0),
    ] {
        let folder = folder(speech);
        let made = studio(&folder)
            .make(&spoken(WORDS), AudioFormat::Wav.into())
            .await
            .unwrap();
        let sound = &made.audio.sound;
        let (loudness, peak) = measure(&samples(&made)).unwrap();
        assert!((loudness - target).abs() < 1.0, "{loudness}");
        assert!(peak <= CEILING + 0.1, "{peak}");
        assert!(
            (sound.loudness - loudness).abs() < 0.1 && sound.size == made.audio.data.len() as u64
        );
        // 41 syllables at 180 a minute.
        let seconds = sound.spoken.as_secs_f64();
        assert!((10.0..18.0).contains(&seconds), "{seconds}");
        let chime = sound.length.as_secs_f64() - seconds;
        assert!(
            if target < -20.0 {
                chime < 0.01
            } else {
                (4.0..7.0).contains(&chime)
            },
            "{chime}"
        );
        // The same order in another place gives the same bytes.
        let elsewhere = self::folder(speech);
        let again = studio(&elsewhere)
            .make(&spoken(WORDS), AudioFormat::Wav.into())
            .await
            .unwrap();
        assert!(!again.was_kept);
        assert_eq!(again.audio.sound.hash, sound.hash);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_voices_differ_and_take_turns() {
    if !has("espeak-ng", "espeak-ng") {
        return;
    }
    let folder = folder("{ engine: espeak, chime: none }");
    let studio = studio(&folder);
    let turn = |voice| Turn {
        voice,
        text: WORDS.to_owned(),
    };
    let mut dialogue = spoken(WORDS);
    dialogue.turns = vec![turn(Voice::Nu), turn(Voice::Nam)];
    dialogue.text = Content::text_of(&dialogue.turns);
    let made = studio
        .make(&dialogue, AudioFormat::Wav.into())
        .await
        .unwrap();
    let heard = samples(&made);
    let (nu, nam) = heard.split_at(heard.len() / 2);
    assert!(
        pitch(nu) > 1.4 * pitch(nam),
        "{} and {}",
        pitch(nu),
        pitch(nam)
    );
    let (nu, nam) = (measure(nu).unwrap().0, measure(nam).unwrap().0);
    assert!((nu - nam).abs() < 1.5, "{nu} and {nam}");
    dialogue.turns.reverse();
    let other = studio
        .make(&dialogue, AudioFormat::Wav.into())
        .await
        .unwrap();
    assert!(!other.was_kept, "who speaks is part of the order");
    let heard = samples(&other);
    let (nam, nu) = heard.split_at(heard.len() / 2);
    assert!(pitch(nu) > 1.4 * pitch(nam));
}

#[tokio::test(flavor = "multi_thread")]
async fn packed_sounds_are_smaller_and_always_the_same() {
    if !(has("espeak-ng", "espeak-ng") && has("lame", "lame") && has("opusenc", "opus-tools")) {
        return;
    }
    for format in [AudioFormat::Mp3, AudioFormat::Opus] {
        let folder = folder("{ engine: espeak }");
        let studio = studio(&folder);
        let wav = studio
            .make(&spoken(WORDS), AudioFormat::Wav.into())
            .await
            .unwrap();
        let packed = studio.make(&spoken(WORDS), format.into()).await.unwrap();
        assert!(packed.audio.sound.size * 4 < wav.audio.sound.size);
        assert_eq!(packed.audio.sound.length, wav.audio.sound.length);
        assert!(
            studio
                .make(&spoken(WORDS), format.into())
                .await
                .unwrap()
                .was_kept
        );
        let elsewhere = self::folder("{ engine: espeak }");
        let again = self::studio(&elsewhere)
            .make(&spoken(WORDS), format.into())
            .await
            .unwrap();
        assert_eq!(
            again.audio.sound.hash, packed.audio.sound.hash,
            "{format:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_takes_the_place_of_the_engine() {
    let folder = folder("{ engine: none }");
    let bytes = wav::encode(&engines::babble(4.0));
    folder.write_bytes("content/recordings/loi.wav", &bytes);
    let bulletin =
        std::fs::read_to_string(folder.path().join("content/bulletins/mot.yaml")).unwrap();
    folder.write(
        "content/bulletins/mot.yaml",
        &format!("{bulletin}recording: loi.wav\n"),
    );
    let workspace = folder.load();
    let recording = workspace.bulletins["mot"].recording.clone();
    assert_eq!(
        recording,
        Some(Recording {
            file: "loi.wav".into(),
            hash: blake3::hash(&bytes).to_hex().to_string()
        })
    );
    let mut content = spoken(WORDS);
    content.recording = recording;
    let made = studio(&folder)
        .make(&content, AudioFormat::Wav.into())
        .await
        .unwrap();
    assert!((made.audio.sound.spoken.as_secs_f64() - 4.0).abs() < 0.5);
    // Another file under the same name is another workspace, and is not aired for this one.
    let before = workspace.revision;
    folder.write_bytes(
        "content/recordings/loi.wav",
        &wav::encode(&engines::babble(5.0)),
    );
    assert_ne!(folder.load().revision, before);
    std::fs::remove_dir_all(folder.path().join(".loa")).unwrap();
    let error = studio(&folder)
        .make(&content, AudioFormat::Wav.into())
        .await
        .unwrap_err();
    assert!(
        matches!(error, loa::audio::AudioError::OtherRecording { .. }),
        "{error}"
    );
}

#[test]
fn commands_speak_and_report() {
    if !has("espeak-ng", "espeak-ng") {
        return;
    }
    let folder = folder("{ engine: espeak }");
    let out = folder.path().join("ra.wav");
    let preview = |file: &str| {
        loa(
            &folder.path(),
            &["preview", "mot", "--ward", "hung-binh", "--speak", file],
        )
    };
    let said = preview(out.to_str().unwrap());
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(
        said.out.contains("LUFS") && said.out.contains("espeak-ng"),
        "{}",
        said.out
    );
    assert!(wav::decode(&std::fs::read(&out).unwrap()).unwrap().len() > 22_050);
    let said = preview("ra.txt");
    assert_eq!(said.code, 2);
    assert!(said.err.contains(".mp3"), "{}", said.err);
    let said = loa(&folder.path(), &["speech", "report", "--format", "json"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let report = said.json();
    let rows = report["bulletins"].as_array().unwrap();
    assert_eq!(rows.len(), 2);
    for row in rows {
        assert!(
            row["synthesised_seconds"].as_f64().unwrap() > 1.0
                && row["syllables"].as_u64().unwrap() > 5,
            "{row}"
        );
    }
    assert!(report["median_error_percent"].is_number());
}

#[test]
fn a_machine_without_an_engine_says_what_to_install() {
    let folder = folder("{ engine: { command: { program: no-such-voice } } }");
    let out = folder.path().join("ra.wav");
    let arguments = [
        "preview",
        "mot",
        "--ward",
        "hung-binh",
        "--speak",
        out.to_str().unwrap(),
    ];
    let said = loa(&folder.path(), &arguments);
    assert_eq!(said.code, 2);
    assert!(
        said.err.contains("chưa cài chương trình `no-such-voice`"),
        "{}",
        said.err
    );
    assert!(!out.exists());
    let missing = loa::audio::ProcessError::Missing {
        program: "espeak-ng".into(),
    };
    let error = loa::audio::AudioError::from(missing);
    assert!(
        error.told().to_string() == "sound-missing-package program=espeak-ng; package=espeak-ng",
        "{}",
        error.told()
    );
    // What needs no sound works all the same.
    assert_eq!(loa(&folder.path(), &["check"]).code, 0);
}
