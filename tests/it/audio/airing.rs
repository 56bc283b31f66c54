//! Daemons with channels that want sound: it is made ahead of time, goes with the message, and its absence is a reason.

use loa::{
    audio::wav,
    clock::Clock,
    domain::{
        audio::AudioFormat,
        delivery::{Reason, State},
    },
    simulator::{Effect, HeardFilter},
};

use super::engines::{babble, engine};
use crate::support::{
    city::{Scene, at},
    on_both_databases,
};

/// Sends the sound itself.
const RECIPE: &str = "title: Loa phát tệp âm thanh
parameters:
  url: {}
  token: { secret: true }
request:
  method: POST
  url: \"{{ with.url }}/api/speak\"
  headers: { Authorization: \"Bearer {{ with.token }}\" }
  body: audio
accepted: { status: [202] }
";

/// Lets one loudspeaker of the city want sound from a script.
pub(super) fn audible(scene: &Scene, script: &str) {
    let channels = std::fs::read_to_string(scene.folder.path().join("channels/kenh.yaml")).unwrap();
    let wanting = channels
        .replacen("kind: loudspeaker", "kind: loudspeaker\n    audio: wav", 1)
        .replacen("use: loudspeaker-http", "use: loa-phat-tep", 1);
    assert!(wanting.contains("audio: wav") && wanting.contains("loa-phat-tep"));
    scene
        .folder
        .write("channels/recipes/loa-phat-tep.yaml", RECIPE);
    scene.folder.write("channels/kenh.yaml", &wanting);
    scene.folder.amend(
        "loa.yaml",
        "speech: { engine: { command: { program: bin/engine } }, timeout: 5s }\n",
    );
    scene
        .folder
        .write_bytes("voice.wav", &wav::encode(&babble(4.0)));
    engine(&scene.folder, script);
}

/// Lets the loudspeaker that wants sound be reached in another way.
pub(super) fn reached(scene: &Scene, way: &str) {
    let recipe =
        "recipe: { use: loa-phat-tep, with: { url: \"http://10.0.0.1\", token: \"env:LOA_T1\" } }";
    scene.folder.edit("channels/kenh.yaml", recipe, way);
}

/// What the loudspeaker did, as the words that it knows of it.
fn heard(scene: &Scene, effect: Effect) -> Vec<String> {
    let filter = HeardFilter {
        host: Some("10.0.0.1".to_owned()),
        effect: Some(effect),
        ..HeardFilter::default()
    };
    let all = scene.city.heard(&filter).into_iter();
    all.map(|heard| heard.text.unwrap_or_default()).collect()
}

on_both_databases! {
    async fn sound_is_made_ahead_and_goes_with_the_message(scene: Scene) {
        audible(&scene, "echo run >> runs; cat voice.wav");
        // Time stands still at a quarter to: what becomes ready now is ready in time.
        let daemon = scene.start_with(Clock::manual(at("2024-03-25T05:16"))).await;
        daemon.wait(|rows| rows.iter().filter(|row| row.due == at("2024-03-25T05:30")).all(|row| row.state == State::Ready)).await;
        daemon.stop().await;
        let row = scene.row("loa-hb-1", "2024-03-25T05:30").await;
        let other = scene.row("loa-hb-2", "2024-03-25T05:30").await;
        let sounds = scene.store().await.sounds(&[row.id.clone(), other.id]).await.unwrap();
        assert_eq!(sounds.len(), 1, "only one channel wants sound");
        let sound = &sounds[&row.id];
        assert_eq!(sound.format, AudioFormat::Wav);
        assert!((sound.spoken.as_secs_f64() - 4.0).abs() < 0.5 && sound.length > sound.spoken);
        assert!((sound.loudness + 16.0).abs() < 1.0, "{}", sound.loudness);
        let daemon = scene.start("2024-03-25T05:29").await;
        daemon.reach("2024-03-25T05:40").await;
        daemon.stop().await;
        let row = scene.row("loa-hb-1", "2024-03-25T05:30").await;
        assert_eq!((row.state, row.attempts), (State::Accepted, 1));
        let heard = scene.city.heard(&HeardFilter {
            host: Some("10.0.0.1".to_owned()),
            effect: Some(Effect::Heard),
            ..HeardFilter::default()
        });
        let heard: Vec<_> = heard.iter().map(|heard| heard.digest.as_str()).collect();
        assert_eq!(heard, [sound.hash.as_str()], "the very bytes");
        assert_eq!(std::fs::read_to_string(scene.folder.path().join("runs")).unwrap(), "run\n");
        scene.check().await;
    }

    async fn a_voice_that_fails_ends_the_delivery_with_its_reason_and_no_other(scene: Scene) {
        audible(&scene, "echo run >> runs; echo broken >&2; exit 1");
        let daemon = scene.start("2024-03-25T05:00").await;
        daemon.reach("2024-03-25T05:40").await;
        daemon.stop().await;
        let row = scene.row("loa-hb-1", "2024-03-25T05:30").await;
        assert_eq!((row.state, row.reason, row.attempts), (State::Failed, Some(Reason::VoiceFailed), 0));
        assert!(row.detail.is_some_and(|detail| detail.contains("broken")));
        for channel in ["loa-hb-2", "loa-ll-1"] {
            assert_eq!(scene.row(channel, "2024-03-25T05:30").await.state, State::Accepted, "{channel}");
        }
        let runs = std::fs::read_to_string(scene.folder.path().join("runs")).unwrap().lines().count();
        assert!(runs > 1, "it was tried again while there was time");
        scene.check().await;
    }

    async fn a_sound_that_is_gone_is_never_made_while_sending(scene: Scene) {
        audible(&scene, "echo run >> runs; cat voice.wav");
        let daemon = scene.start_with(Clock::manual(at("2024-03-25T05:16"))).await;
        daemon.wait(|rows| rows.iter().any(|row| row.channel.as_str() == "loa-hb-1" && row.state == State::Ready)).await;
        daemon.stop().await;
        std::fs::remove_dir_all(scene.folder.path().join(".loa/audio")).unwrap();
        let daemon = scene.start("2024-03-25T05:29").await;
        daemon.reach("2024-03-25T05:45").await;
        daemon.stop().await;
        let row = scene.row("loa-hb-1", "2024-03-25T05:30").await;
        assert_eq!((row.state, row.reason), (State::Failed, Some(Reason::NoSound)), "{row:?}");
        assert_eq!(std::fs::read_to_string(scene.folder.path().join("runs")).unwrap(), "run\n");
        scene.check().await;
    }

    async fn an_axis_loudspeaker_keeps_the_sound_and_plays_it(scene: Scene) {
        audible(&scene, "cat voice.wav");
        reached(&scene, "axis: { url: \"http://10.0.0.1\", user: loa, password: \"env:LOA_T1\" }");
        let daemon = scene.start("2024-03-25T05:00").await;
        daemon.reach("2024-03-25T05:40").await;
        daemon.stop().await;
        let row = scene.row("loa-hb-1", "2024-03-25T05:30").await;
        assert_eq!((row.state, row.attempts), (State::Accepted, 1), "playing is not heard");
        let sound = scene.store().await.sounds(&[row.id.clone()]).await.unwrap();
        let played = heard(&scene, Effect::Heard);
        let hash = &sound[&row.id].hash.as_str()[..20];
        assert!(played.len() == 1 && played[0].ends_with(hash), "{played:?}");
        assert_eq!(heard(&scene, Effect::Kept), played, "it was put there before");
        scene.check().await;
    }

    async fn a_mount_point_gets_its_stream_and_says_who_listens(scene: Scene) {
        if !super::has("lame", "lame") {
            return;
        }
        audible(&scene, "cat voice.wav");
        reached(
            &scene,
            "icecast: { url: \"http://10.0.0.1:8000\", mount: hung-binh.mp3, password: \"env:LOA_T1\", listeners: 1 }",
        );
        scene.folder.edit("channels/kenh.yaml", "audio: wav", "audio: mp3");
        let daemon = scene.start("2024-03-25T05:00").await;
        daemon.reach("2024-03-25T05:40").await;
        daemon.stop().await;
        let row = scene.row("loa-hb-1", "2024-03-25T05:30").await;
        assert_eq!((row.state, row.attempts), (State::Confirmed, 1), "{row:?}");
        let streams = scene.city.heard(&HeardFilter {
            host: Some("10.0.0.1".to_owned()),
            effect: Some(Effect::Heard),
            ..HeardFilter::default()
        });
        let sound = scene.store().await.sounds(&[row.id.clone()]).await.unwrap();
        let [stream] = streams.as_slice() else { panic!("{streams:?}") };
        assert_eq!((stream.method.as_str(), stream.path.as_str()), ("PUT", "/hung-binh.mp3"));
        assert_eq!(stream.digest, sound[&row.id].hash.as_str(), "the very bytes");
        scene.check().await;
    }

    async fn a_snapserver_gets_the_sound_and_says_who_hears_it(scene: Scene) {
        audible(&scene, "cat voice.wav");
        reached(
            &scene,
            "snapcast: { url: \"http://10.0.0.1:1780\", stream: hung-binh, group: khoi-3, volume: 80, listeners: 3 }",
        );
        let daemon = scene.start("2024-03-25T05:00").await;
        daemon.reach("2024-03-25T05:40").await;
        daemon.stop().await;
        let row = scene.row("loa-hb-1", "2024-03-25T05:30").await;
        assert_eq!((row.state, row.attempts), (State::Confirmed, 1), "{row:?}");
        let sounds = scene.city.heard(&HeardFilter {
            host: Some("10.0.0.1".to_owned()),
            effect: Some(Effect::Heard),
            ..HeardFilter::default()
        });
        let [sound] = &sounds[..] else { panic!("{sounds:?}") };
        assert_eq!((sound.method.as_str(), sound.key.as_deref()), ("PUT", Some(row.id.as_str())));
        scene.check().await;
    }

    async fn a_sound_that_lasts_longer_than_estimated_must_fit_all_the_same(scene: Scene) {
        audible(&scene, "cat voice.wav");
        scene.folder.write_bytes("voice.wav", &wav::encode(&babble(6.5)));
        let estimated = {
            let workspace = scene.folder.load();
            let id = workspace.bulletins.keys().find(|id| id.as_str() == "mot").unwrap();
            workspace.airtime(id, &workspace.channels["loa-hb-1"]).unwrap()
        };
        assert!(estimated < std::time::Duration::from_millis(10_800), "{estimated:?}");
        let longest = estimated.as_millis() + 100;
        scene.folder.write(
            "schedules/policy.yaml",
            &format!("rules:\n  ngan:\n    name: Phiên ngắn\n    source: {{ document: QĐ 12, year: 2024 }}\n    wards: [hung-binh]\n    sessions: {{ longest: {longest}ms }}\n"),
        );
        let daemon = scene.start("2024-03-25T05:00").await;
        daemon.reach("2024-03-25T05:40").await;
        daemon.stop().await;
        let row = scene.row("loa-hb-1", "2024-03-25T05:30").await;
        assert_eq!((row.state, row.reason, row.attempts), (State::Skipped, Some(Reason::Policy), 0), "{row:?}");
        let detail = row.detail.unwrap();
        assert!(detail.starts_with("session-end rule=Phiên ngắn; document=QĐ 12"), "{detail}");
        let other = scene.row("loa-ll-1", "2024-03-25T05:30").await;
        assert_eq!(other.state, State::Accepted, "the rule does not hold there: {other:?}");
        scene.check().await;
    }
}
