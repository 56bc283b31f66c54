//! Engines of all sorts, most of them broken.

use std::{
    net::SocketAddr,
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use loa::{
    audio::{
        AudioError, Home, ProcessError,
        assemble::AssembleError,
        equipment::{self, Lack, Part},
        wav,
    },
    domain::{audio::AudioFormat, delivery::Reason, secret::Secret},
};

use super::{WORDS, folder, has, home, spoken, studio};
use crate::support::{cli::loa, workspace::Folder};

/// Something like a voice.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a few seconds of samples"
)]
pub(crate) fn babble(seconds: f64) -> Vec<f32> {
    let rate = f64::from(wav::RATE);
    (0..(seconds * rate) as usize)
        .map(|n| {
            let t = n as f64 / rate;
            let syllable = (std::f64::consts::TAU * 4.0 * t).sin().max(0.0);
            ((std::f64::consts::TAU * 180.0 * t).sin() * syllable * 0.4) as f32
        })
        .collect()
}

/// A workspace whose engine is a script; `$0`'s folder is the workspace.
pub(crate) fn scripted(script: &str, more: &str) -> Folder {
    let folder = folder(&format!(
        "{{ engine: {{ command: {{ program: bin/engine, arguments: [\"{{voice}}\", \"{{rate}}\"] }} }}{more} }}"
    ));
    engine(&folder, script);
    folder.write_bytes("voice.wav", &wav::encode(&babble(13.0)));
    folder
}

/// Writes the engine's script.
pub(crate) fn engine(folder: &Folder, script: &str) {
    folder.write("bin/engine", &format!("#!/bin/sh\n{script}\n"));
    let path: PathBuf = folder.path().join("bin/engine");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

async fn failure(script: &str, more: &str) -> AudioError {
    let folder = scripted(script, more);
    folder.write_bytes("silence.wav", &wav::encode(&vec![0.0; 300_000]));
    let faint: Vec<f32> = babble(13.0).iter().map(|sample| sample * 0.001).collect();
    folder.write_bytes("faint.wav", &wav::encode(&faint));
    folder.write_bytes("short.wav", &wav::encode(&babble(1.0)));
    let result = studio(&folder)
        .make(&spoken(WORDS), AudioFormat::Wav.into())
        .await;
    let error = result.expect_err(script);
    let kept = std::fs::read_dir(folder.path().join(".loa/audio"));
    assert!(
        kept.map_or(true, |mut entries| entries.next().is_none()),
        "nothing is kept of a failure: {script}"
    );
    error
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_to_fail_has_its_reason() {
    let failed = async |script: &str| failure(script, "").await;
    let error = failed("echo 'no such voice' >&2; exit 3").await;
    assert!(
        matches!(&error, AudioError::Process(ProcessError::Died { complaint, .. }) if complaint == "no such voice"),
        "{error}"
    );
    assert_eq!(error.reason(), Reason::VoiceFailed);
    assert!(
        error.told().to_string().contains("exit status: 3"),
        "{}",
        error.told()
    );
    // It dies before it has read a word, and by a signal.
    assert!(matches!(
        failed("kill -SEGV $$").await,
        AudioError::Process(ProcessError::Died { .. })
    ));
    for script in ["cat", "true", "head -c 20 voice.wav", "echo '<html>'"] {
        assert!(
            matches!(failed(script).await, AudioError::NotSound { .. }),
            "{script}"
        );
    }
    for script in ["cat silence.wav", "cat faint.wav"] {
        let error = failed(script).await;
        assert!(
            matches!(
                error,
                AudioError::Assemble(AssembleError::Silent { turn: 1, .. })
            ),
            "{script}: {error}"
        );
        assert_eq!(error.reason(), Reason::SilentVoice);
    }
    let error = failed("cat short.wav").await;
    assert!(
        matches!(error, AudioError::WrongLength { turn: 1, .. }),
        "{error}"
    );
    let error = failed("cat /dev/zero").await;
    assert!(
        matches!(error, AudioError::Process(ProcessError::TooMuch { .. })),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_hangs_is_ended_with_all_that_it_started() {
    let folder = scripted("sleep 1000 & echo $! > child; wait", ", timeout: 2s");
    let error = studio(&folder)
        .make(&spoken(WORDS), AudioFormat::Wav.into())
        .await
        .unwrap_err();
    assert!(
        matches!(error, AudioError::Process(ProcessError::TimedOut { .. })),
        "{error}"
    );
    let child = std::fs::read_to_string(folder.path().join("child")).unwrap();
    let status = format!("/proc/{}/stat", child.trim());
    // Killed at once; who inherits it may take a moment to bury it.
    let is_gone = || std::fs::read_to_string(&status).map_or(true, |stat| stat.contains(") Z "));
    let gone = tokio::time::timeout(std::time::Duration::from_secs(10), async {
        while !is_gone() {
            tokio::task::yield_now().await;
        }
    });
    assert!(gone.await.is_ok(), "{status}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_made_is_not_made_again_until_something_changes() {
    let script = "cat > words; echo \"$@\" >> runs; cat voice.wav";
    let folder = scripted(script, ", voices: { nu: mai }");
    let runs = || {
        std::fs::read_to_string(folder.path().join("runs"))
            .unwrap()
            .lines()
            .count()
    };
    let first = studio(&folder)
        .make(&spoken(WORDS), AudioFormat::Wav.into())
        .await
        .unwrap();
    assert_eq!(
        std::fs::read_to_string(folder.path().join("words")).unwrap(),
        WORDS
    );
    assert_eq!(
        std::fs::read_to_string(folder.path().join("runs")).unwrap(),
        "mai 180\n"
    );
    let second = studio(&folder)
        .make(&spoken(WORDS), AudioFormat::Wav.into())
        .await
        .unwrap();
    assert!(second.was_kept && second.audio == first.audio);
    assert_eq!(runs(), 1);
    // Damaged on disk: made again.
    let path = folder
        .path()
        .join(format!(".loa/audio/{}.wav", first.audio.sound.hash));
    std::fs::write(&path, b"RIFF").unwrap();
    let third = studio(&folder)
        .make(&spoken(WORDS), AudioFormat::Wav.into())
        .await
        .unwrap();
    assert!(!third.was_kept && third.audio == first.audio);
    assert_eq!(runs(), 2);
    // Other words, other settings.
    studio(&folder)
        .make(
            &spoken(&WORDS.replace("phường Hưng Bình", "phường Lê Lợi")),
            AudioFormat::Wav.into(),
        )
        .await
        .unwrap();
    assert_eq!(runs(), 3);
    let settings = std::fs::read_to_string(folder.path().join("loa.yaml")).unwrap();
    folder.write(
        "loa.yaml",
        &settings.replace("voices: { nu: mai }", "voices: { nu: mai }, loudness: -20"),
    );
    studio(&folder)
        .make(&spoken(WORDS), AudioFormat::Wav.into())
        .await
        .unwrap();
    assert_eq!(runs(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_get_no_secrets_and_no_shell() {
    let folder = scripted("cat > words; env > seen; cat voice.wav", "");
    let nasty = format!("$(touch pwned); `touch pwned` '\"; touch pwned # {WORDS}");
    studio(&folder)
        .make(&spoken(&nasty), AudioFormat::Wav.into())
        .await
        .unwrap();
    assert!(!folder.path().join("pwned").exists());
    let seen = std::fs::read_to_string(folder.path().join("seen")).unwrap();
    assert!(!seen.contains("CARGO"), "{seen}");
    assert!(seen.contains("PATH="));
}

/// A speech service on loopback that answers with `status` and a voice, and what it was asked.
async fn service(status: u16) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = asked.clone();
    let answer = async move |headers: HeaderMap, body: String| {
        let token = headers
            .get("authorization")
            .map_or("", |value| value.to_str().unwrap())
            .to_owned();
        seen.lock().unwrap().push(format!("{token} {body}"));
        (
            StatusCode::from_u16(status).unwrap(),
            wav::encode(&babble(13.0)),
        )
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().route("/tts", post(answer));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (address, asked)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_is_asked_within_the_allow_list() {
    let with = |address: SocketAddr, allow: &str| {
        let folder = folder(&format!(
            "{{ engine: {{ http: {{ url: \"http://{address}/tts\", token: \"env:T\" }} }} }}"
        ));
        let settings = std::fs::read_to_string(folder.path().join("loa.yaml")).unwrap();
        folder.write(
            "loa.yaml",
            &settings.replace("\"10.0.0.0/8\"", &format!("\"10.0.0.0/8\", {allow}")),
        );
        folder
    };
    let make = async |folder: &Folder, token: Option<&str>| {
        let token = token.map(|token| Secret::new(token.to_owned()));
        loa::audio::Studio::new(&folder.load(), &home(folder), token)
            .make(&spoken(WORDS), AudioFormat::Wav.into())
            .await
    };
    let (address, asked) = service(200).await;
    let folder = with(address, "127.0.0.1");
    make(&folder, Some("bi-mat")).await.unwrap();
    let expected = serde_json::json!({ "text": WORDS, "voice": "nu", "rate": 180 });
    assert_eq!(
        *asked.lock().unwrap(),
        [format!("Bearer bi-mat {expected}")]
    );
    let error = make(&with(address, "192.0.2.1"), Some("x"))
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            AudioError::Service {
                reason: Reason::NotAllowed,
                ..
            }
        ),
        "{error}"
    );
    // Without its token it is not even asked.
    let error = make(&with(address, "127.0.0.1"), None).await.unwrap_err();
    assert!(
        matches!(error, AudioError::NoService) && error.reason() == Reason::NoVoice,
        "{error}"
    );
    assert_eq!(asked.lock().unwrap().len(), 1);
    let (address, _) = service(503).await;
    let error = make(&with(address, "127.0.0.1"), Some("x"))
        .await
        .unwrap_err();
    assert!(
        matches!(error, AudioError::Answer { status: 503 }),
        "{error}"
    );
}

/// The warning comes at the desk, not from the loudspeaker that stays silent.
#[test]
fn check_says_which_voices_espeak_does_not_have() {
    if !has("espeak-ng", "espeak-ng") {
        return;
    }
    let folder = folder("{ voices: { nu: vi+f99, nam: vi+m3 } }");
    let said = loa(&folder.path(), &["check"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.out.contains("L232"), "{}", said.out);
    assert!(
        said.out.contains("vi+f99") && !said.out.contains("`vi+m3`"),
        "{}",
        said.out
    );
}

#[tokio::test]
async fn a_machine_without_anything_is_good_where_no_channel_wants_sound() {
    let lacks = |folder: Folder| async move {
        let empty = Home {
            root: folder.path(),
            environment: vec![("PATH".into(), folder.path().join("bin").into())],
            route: None,
        };
        equipment::lacks(&folder.load(), &empty).await
    };
    assert_eq!(lacks(folder("{ voices: { nu: vi+f99 } }")).await, []);
    // What the settings name themselves was meant to be there.
    let program = || "doc".to_owned();
    let missing = [Lack::Missing {
        part: Part::Engine,
        program: program(),
        package: None,
    }];
    let with = folder("{ engine: { command: { program: doc } } }");
    assert_eq!(lacks(with).await, missing);
    let with = folder("{ engine: { command: { program: doc } } }");
    std::fs::create_dir(with.path().join("bin")).unwrap();
    std::fs::write(with.path().join("bin/doc"), "#!/bin/sh\n").unwrap();
    let there = [Lack::NotExecutable {
        part: Part::Engine,
        program: program(),
    }];
    assert_eq!(lacks(with).await, there);
}
