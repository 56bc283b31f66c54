//! A session is one programme: one chime before its first part and one after its last, whichever parts those are in the end.

use std::time::Duration;

use loa::{
    audio::wav,
    clock::Clock,
    domain::{
        airtime::CHIME,
        audio::{AudioFormat, Ends, Form},
        delivery::State,
        time::Timestamp,
    },
    simulator::{Effect, HeardFilter},
    store::row::DeliveryRow,
};

use super::{airing::audible, engines::babble, has, home, spoken};
use crate::support::{
    city::{Scene, at},
    cli::loa,
    on_both_databases,
    workspace::bulletin,
};

const SESSION: &str = "schedules:
  ban-tin:
    when: { at: [\"05:30\"] }
    bulletins: { session: { parts: [{ only: mot }, { only: hai }, { only: ba }], gap: 4s } }
    to: { channels: [loa-hb-1] }
    missed: skip
";

/// Three parts on one loudspeaker that is sent sound, the last about something else.
fn session(scene: &Scene, script: &str) {
    audible(scene, script);
    let folder = &scene.folder;
    folder.write("schedules/lich.yaml", SESSION);
    let other = bulletin("lời thứ ba, dài hơn hai lời kia một chút")
        .replace("topic: gia-danh", "topic: khac");
    folder.write("content/bulletins/ba.yaml", &other);
    for id in ["mot", "hai", "ba"] {
        let path = format!("content/bulletins/{id}.yaml");
        folder.edit(
            &path,
            "contacts: [cong-an]",
            "editors: [Lan]\ncontacts: [cong-an]",
        );
    }
    folder.amend(
        "content/topics.yaml",
        "  khac: { title: Việc khác, official: 14 }\n",
    );
}

fn says(scene: &Scene, arguments: &[&str]) {
    let world = ["--simulate", "--database", &scene.database];
    let who = ["--by", "Lan", "--reason", "sai lời"];
    let said = loa(&scene.folder.path(), &[arguments, &who, &world].concat());
    assert_eq!(said.code, 0, "{said:?}");
}

async fn parts(scene: &Scene) -> Vec<DeliveryRow> {
    let mut rows = scene.log().await;
    rows.retain(|row| {
        row.schedule.as_str() == "ban-tin" && row.scheduled == at("2024-03-25T05:30")
    });
    rows.sort_by_key(|row| row.part);
    rows
}

/// At how many ends each part's sound has the chime; `None` for a part that is not to be heard.
async fn chimes(scene: &Scene) -> Vec<Option<u32>> {
    let rows = parts(scene).await;
    let ids: Vec<_> = rows.iter().map(|row| row.id.clone()).collect();
    let sounds = scene.store().await.sounds(&ids).await.unwrap();
    let count = |row: &DeliveryRow| {
        let is_heard = matches!(row.state, State::Ready | State::Accepted);
        let sound = is_heard.then(|| &sounds[&row.id])?;
        assert_eq!(row.length, Some(sound.length));
        let around = sound.length.saturating_sub(sound.spoken).as_secs_f64() / CHIME.as_secs_f64();
        assert!((around - around.round()).abs() < 0.01, "{around}");
        format!("{around:.0}").parse().ok()
    };
    rows.iter().map(count).collect()
}

/// Runs at a standing clock until all that waits for the session's day is frozen, and `is_so`.
async fn prepare(scene: &Scene, now: Timestamp, expected: [Option<u32>; 3]) {
    let daemon = scene.start_with(Clock::manual(now)).await;
    let patience = Duration::from_secs(20);
    let waiting = async {
        let mut pulse = daemon.shared.store.pulse();
        while chimes(scene).await != expected {
            let _ = tokio::time::timeout(Duration::from_millis(100), pulse.changed()).await;
        }
    };
    let is_so = tokio::time::timeout(patience, waiting).await.is_ok();
    assert!(is_so, "{:?} and not {expected:?}", chimes(scene).await);
    daemon.stop().await;
}

/// Where `samples` holds all of `wanted`.
fn places(samples: &[f32], wanted: &[f32]) -> Vec<usize> {
    samples
        .windows(wanted.len())
        .enumerate()
        .filter(|(_, window)| *window == wanted)
        .map(|(place, _)| place)
        .collect()
}

on_both_databases! {
    async fn real_words_have_one_chime_before_and_one_after_all_of_them(scene: Scene) {
        if !has("espeak-ng", "espeak-ng") {
            return;
        }
        session(&scene, "true");
        scene.folder.edit("loa.yaml", "engine: { command: { program: bin/engine } }, timeout: 5s", "engine: espeak");
        let planned: Vec<Duration> = {
            let workspace = scene.folder.load();
            let plan = loa::domain::plan::Plan::new(&workspace);
            plan.deliveries(at("2024-03-25T05:00"), at("2024-03-25T06:00")).map(|one| one.length.unwrap()).collect()
        };
        let daemon = scene.start_with(Clock::simulated(at("2024-03-25T05:10"), 240.0)).await;
        daemon.reach("2024-03-25T05:40").await;
        daemon.stop().await;
        assert_eq!(chimes(&scene).await, [Some(1), Some(0), Some(1)]);

        // What the loudspeaker was sent, in the order in which it was.
        let studio = loa::audio::Studio::new(&scene.folder.load(), &home(&scene.folder), None);
        let rows = parts(&scene).await;
        let ids: Vec<_> = rows.iter().map(|row| row.id.clone()).collect();
        let sounds = scene.store().await.sounds(&ids).await.unwrap();
        let digests = scene.city.heard(&HeardFilter {
            host: Some("10.0.0.1".to_owned()),
            effect: Some(Effect::Heard),
            ..HeardFilter::default()
        });
        let digests: Vec<&str> = digests.iter().map(|heard| heard.digest.as_str()).collect();
        assert_eq!(digests, ids.iter().map(|id| sounds[id].hash.as_str()).collect::<Vec<_>>());
        let heard: Vec<Vec<f32>> = ids
            .iter()
            .map(|id| wav::decode(&studio.read(&sounds[id].hash, AudioFormat::Wav).unwrap()).unwrap())
            .collect();
        let programme = heard.concat();

        // Both chimes as they are around words that are heard by themselves.
        let alone = studio.make(&spoken("Thưa bà con."), AudioFormat::Wav.into()).await.unwrap();
        let alone = wav::decode(&alone.audio.data).unwrap();
        let bell = usize::try_from(CHIME.as_millis()).unwrap() * wav::RATE as usize / 1_000 - wav::RATE as usize * 6 / 10;
        let (before, after) = (&alone[..bell], &alone[alone.len() - bell..]);
        assert_ne!(before, after);
        assert_eq!(places(&programme, before), [0]);
        assert_eq!(places(&programme, after), [programme.len() - bell]);

        // What was planned is what was heard, but for what an estimate errs.
        for (planned, row) in planned.iter().zip(&rows) {
            let real = row.length.unwrap().as_secs_f64();
            assert!((planned.as_secs_f64() - real).abs() < real * 0.15 + 0.3, "{planned:?} and {real}");
        }
        scene.check().await;
    }

    async fn what_is_left_of_a_session_begins_and_ends_with_the_chime(scene: Scene) {
        session(&scene, "cat voice.wav");
        scene.folder.write_bytes("voice.wav", &wav::encode(&babble(5.0)));
        let now = at("2024-03-25T05:16");
        // One that is taken back before the words of the others are frozen.
        prepare(&scene, at("2024-03-25T05:00"), [None; 3]).await;
        says(&scene, &["retract", "mot"]);
        prepare(&scene, now, [None, Some(1), Some(1)]).await;
        // One after that: what is left is all by itself. A pause does the same, and leaves it again.
        says(&scene, &["pause", "topic:khac", "--until", "2024-03-25T05:45"]);
        prepare(&scene, now, [None, Some(2), Some(1)]).await;
        says(&scene, &["resume", "1"]);
        prepare(&scene, now, [None, Some(1), Some(1)]).await;
        says(&scene, &["retract", "ba"]);
        prepare(&scene, now, [None, Some(2), None]).await;
        let daemon = scene.start("2024-03-25T05:29").await;
        daemon.reach("2024-03-25T05:40").await;
        daemon.stop().await;
        assert_eq!(chimes(&scene).await, [None, Some(2), None]);
        assert_eq!(parts(&scene).await[1].state, State::Accepted);
        scene.check().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_chime_is_belongs_to_the_order() {
    let folder = super::engines::scripted("cat voice.wav", "");
    let studio = super::studio(&folder);
    let mut hashes = std::collections::BTreeSet::new();
    for (opens, closes) in [(true, true), (true, false), (false, true), (false, false)] {
        let ends = Ends { opens, closes };
        let form = Form {
            ends,
            ..AudioFormat::Wav.into()
        };
        let made = studio.make(&spoken("Thưa bà con."), form).await.unwrap();
        let sound = made.audio.sound;
        let around = sound.length.saturating_sub(sound.spoken);
        let off = around.abs_diff(CHIME * ends.count());
        assert!(
            !made.was_kept && off < Duration::from_millis(1),
            "{ends:?}: {around:?}"
        );
        hashes.insert(sound.hash);
    }
    assert_eq!(hashes.len(), 4);
}
