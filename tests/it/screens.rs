//! Counter screens through a whole daemon: what they have to show, and what their word is worth.

use std::{sync::Arc, time::Duration};

use loa::{
    clock::Clock,
    config::Secrets,
    daemon::{
        Shared,
        screens::{self, Board, NotLetIn, Showing},
    },
    domain::{
        delivery::{Evidence, State},
        id::{ChannelId, WardId},
        pause::Scope,
        secret::Secret,
        time::Timestamp,
    },
    store::{World, pause::NewPause},
};

use crate::support::{
    city::{Scene, at},
    cli::loa,
    on_both_databases,
    workspace::bulletin,
};
use crate::watchdog::wait_about;

const CHANNEL: &str = r#"
channels:
  man-hinh-hb:
    ward: hung-binh
    name: Màn hình quầy Hưng Bình
    kind: sign
    adapter: { screen: { key: "env:LOA_MAN_HINH", stays: 3h } }
"#;

const SIGNS: &str = r#"
schedules:
  bang:
    when: { at: ["06:00", "07:00"], days: [mon] }
    bulletins: { rotate: { list: [mot, hai] } }
    to: { kind: sign }
    missed: skip
"#;

fn id() -> ChannelId {
    ChannelId::parse("man-hinh-hb").unwrap()
}

fn with_screen(scene: &Scene) {
    scene.folder.write("channels/man-hinh.yaml", CHANNEL);
    scene.folder.write("schedules/bang.yaml", SIGNS);
}

async fn board(shared: &Shared) -> Board {
    screens::board(shared, &id()).await.unwrap()
}

async fn texts(shared: &Shared) -> Vec<String> {
    let signs = board(shared).await.signs;
    signs.into_iter().map(|sign| sign.text).collect()
}

async fn say(shared: &Shared, shown: &[&str]) {
    let shown: Vec<String> = shown.iter().map(|id| (*id).to_owned()).collect();
    let signs = shown.len();
    let showing = Showing { shown, signs };
    screens::take(shared, &id(), &showing).await.unwrap();
}

/// Lets time pass until `instant`.
fn go(clock: &Clock, instant: Timestamp) {
    clock.advance(instant.since(clock.now()));
}

on_both_databases! {
    async fn a_sign_is_up_until_its_time_is_over_and_seen_when_the_screen_says_so(scene: Scene) {
        with_screen(&scene);
        let clock = Clock::manual(at("2024-03-25T05:50"));
        let daemon = scene.start_with(clock.clone()).await;
        let shared = daemon.shared.clone();
        assert_eq!(texts(&shared).await, [""; 0]);
        go(&clock, at("2024-03-25T06:00"));
        daemon.wait(|rows| rows.iter().any(|row| row.channel == id() && row.state == State::Accepted)).await;
        let first = board(&shared).await;
        assert_eq!((first.ward.as_str(), first.zone.as_str()), ("phường Hưng Bình", "Asia/Ho_Chi_Minh"));
        assert_eq!(first.now, at("2024-03-25T06:00").as_micros() / 1_000);
        let [sign] = first.signs.as_slice() else { panic!("{first:?}") };
        assert_eq!((sign.text.as_str(), sign.urgent), ("lời thứ nhất", false));
        assert_eq!(sign.until, at("2024-03-25T09:00").as_micros() / 1_000);
        let row = scene.row("man-hinh-hb", "2024-03-25T06:00").await;
        assert_eq!((row.state, row.evidence), (State::Accepted, Evidence::None), "nobody has seen it yet");

        say(&shared, &["khong-co", sign.delivery.as_str(), sign.delivery.as_str()]).await;
        let row = scene.row("man-hinh-hb", "2024-03-25T06:00").await;
        assert_eq!((row.state, row.evidence), (State::Confirmed, Evidence::Device));
        assert_eq!(scene.store().await.journal_of("played", 9).await.unwrap().len(), 1);
        // A screen speaks of its own signs only.
        daemon.wait(|rows| rows.iter().any(|row| row.channel.as_str() == "web-hb" && row.state == State::Accepted)).await;
        let other = scene.row("web-hb", "2024-03-25T06:00").await;
        say(&shared, &[other.id.as_str()]).await;
        assert_eq!(scene.row("web-hb", "2024-03-25T06:00").await.state, State::Accepted);

        go(&clock, at("2024-03-25T07:00"));
        daemon.wait(|rows| rows.iter().filter(|row| row.channel == id() && row.state != State::Planned).count() == 2).await;
        daemon.wait(|rows| rows.iter().filter(|row| row.channel == id() && matches!(row.state, State::Accepted | State::Confirmed)).count() == 2).await;
        assert_eq!(texts(&shared).await, ["lời thứ hai", "lời thứ nhất"], "the newest first");
        go(&clock, at("2024-03-25T09:00") + Duration::from_micros(1));
        assert_eq!(texts(&shared).await, ["lời thứ hai"], "three hours are over");
        daemon.stop().await;
        scene.check().await;
    }

    async fn what_no_longer_holds_leaves_the_counter(scene: Scene) {
        with_screen(&scene);
        let clock = Clock::manual(at("2024-03-25T05:50"));
        let daemon = scene.start_with(clock.clone()).await;
        let shared = daemon.shared.clone();
        for (now, up) in [("2024-03-25T06:00", 1), ("2024-03-25T07:00", 2)] {
            go(&clock, at(now));
            daemon.wait(|rows| rows.iter().filter(|row| row.channel == id() && row.state == State::Accepted).count() == up).await;
        }
        assert_eq!(texts(&shared).await, ["lời thứ hai", "lời thứ nhất"]);
        let (now, store) = (clock.now(), scene.store().await);
        let scope = Scope::Ward(WardId::parse("hung-binh").unwrap());
        let until = now + Duration::from_mins(10);
        let pause = NewPause { scope: &scope, emergency: false, until, by: "Lan", reason: "Lễ tang" };
        store.pause(&pause, now).await.unwrap();
        assert_eq!(texts(&shared).await, [""; 0], "while it is paused");
        go(&clock, until);
        assert_eq!(texts(&shared).await, ["lời thứ hai", "lời thứ nhất"]);

        let reload = |scene: &Scene| {
            let secrets = Secrets::of(&scene.folder.path(), World::Simulated);
            let live = loa::daemon::live::Live::new(Arc::new(scene.folder.load()), &secrets);
            shared.live.send_replace(Arc::new(live));
        };
        scene.folder.edit("content/bulletins/mot.yaml", "until: 2024-12-31", "until: 2024-03-24");
        reload(&scene);
        assert_eq!(texts(&shared).await, ["lời thứ hai"], "its days are over");
        scene.folder.edit("content/contacts.yaml", "expires: 2030-12", "expires: 2024-03-20");
        reload(&scene);
        assert_eq!(texts(&shared).await, [""; 0], "nobody has verified the contact again");
        daemon.stop().await;
    }

    async fn an_emergency_is_shown_alone(scene: Scene) {
        with_screen(&scene);
        let urgent = bulletin("Lũ về").replace("priority: normal", "priority: emergency");
        scene.folder.write("content/bulletins/ba.yaml", &urgent);
        scene.folder.edit("schedules/bang.yaml", "list: [mot, hai]", "list: [mot, ba]");
        let clock = Clock::manual(at("2024-03-25T05:50"));
        let daemon = scene.start_with(clock.clone()).await;
        for (now, up) in [("2024-03-25T06:00", 1), ("2024-03-25T07:00", 2)] {
            go(&clock, at(now));
            daemon.wait(|rows| rows.iter().filter(|row| row.channel == id() && row.state == State::Accepted).count() == up).await;
        }
        let signs = board(&daemon.shared).await.signs;
        let shown: Vec<_> = signs.iter().map(|sign| (sign.text.as_str(), sign.urgent)).collect();
        assert_eq!(shown, [("Lũ về", true)]);
        daemon.stop().await;
    }

    async fn a_screen_that_says_nothing_is_noticed(scene: Scene) {
        with_screen(&scene);
        let clock = Clock::manual(at("2024-03-25T05:50"));
        let daemon = scene.start_with(clock.clone()).await;
        let (shared, began) = (daemon.shared.clone(), clock.now());
        go(&clock, began + Duration::from_mins(3));
        assert_eq!(screens::silent(&shared, began), []);
        go(&clock, at("2024-03-25T06:00"));
        assert_eq!(screens::silent(&shared, began), [(id(), None)]);
        say(&shared, &[]).await;
        assert_eq!(screens::silent(&shared, began), []);
        daemon.wait(|rows| rows.iter().any(|row| row.channel == id() && row.state == State::Accepted)).await;
        go(&clock, at("2024-03-25T06:02"));
        let row = scene.row("man-hinh-hb", "2024-03-25T06:00").await;
        // Websites are due at the same time, and may be heard before or after the clock went on.
        wait_about(&shared, Some(&row.id), "silence", 1).await;
        say(&shared, &[row.id.as_str()]).await;
        go(&clock, at("2024-03-25T06:03"));
        wait_about(&shared, Some(&row.id), "silence-over", 1).await;
        go(&clock, at("2024-03-25T06:06"));
        assert_eq!(screens::silent(&shared, began), [(id(), Some(at("2024-03-25T06:02")))]);
        // What commands read of it is put on record with the next stamp.
        let recorded = async {
            let is_there = async || {
                let seen = shared.store.screens_seen().await.unwrap();
                let stamp = shared.store.last_alive().await.unwrap();
                seen.get(&id()) == Some(&at("2024-03-25T06:02")) && stamp >= Some(at("2024-03-25T06:06"))
            };
            while !is_there().await {
                clock.advance(Duration::from_secs(2));
                shared.clock.sleep_really(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), recorded).await.expect("it is put on record");
        daemon.stop().await;
        let probe = |more: &[&str]| {
            let base = ["channels", "--probe", "--simulate", "--database", &scene.database];
            loa(&scene.folder.path(), &[&base, more].concat())
        };
        let rows = probe(&["--format", "json"]).json();
        let row = rows.as_array().unwrap().iter().find(|row| row["channel"] == "man-hinh-hb").unwrap();
        assert_eq!((&row["screen"]["state"], &row["health"]), (&"silent".into(), &"cannot-be-asked".into()), "{row}");
        assert_eq!(row["screen"]["seen"], "2024-03-25T06:02:00+07:00");
        assert!(rows.as_array().unwrap().iter().all(|row| row["channel"] == "man-hinh-hb" || row["screen"].is_null()));
        let said = probe(&[]);
        assert!(said.out.contains("Màn hình không báo đang chiếu từ 25/03/2024 06:02"), "{}", said.out);
    }

    async fn only_the_right_key_lets_a_screen_in(scene: Scene) {
        with_screen(&scene);
        let shared = scene.shared(Clock::manual(at("2024-03-25T05:50"))).await;
        let key = Secret::simulated().expose().to_owned();
        assert_eq!(screens::let_in(&shared, "man-hinh-hb", &key), Ok(id()));
        for (channel, key, why) in [
            ("man-hinh-hb", "", NotLetIn::Key),
            ("man-hinh-hb", &key[1..], NotLetIn::Key),
            ("loa-hb-1", &key, NotLetIn::Nowhere),
            ("Không có", &key, NotLetIn::Nowhere),
        ] {
            assert_eq!(screens::let_in(&shared, channel, key), Err(why), "{channel}");
        }
    }
}
