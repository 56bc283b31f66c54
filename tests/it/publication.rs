//! What sites are asked afterwards. Portals that no program can write to: offered for pasting, looked for, and missed where nobody pasted.
//! Sites that programs write to: whether what they took still stands there.

use std::time::Duration;

use loa::{
    clock::Clock,
    domain::{
        delivery::{Evidence, Reason, State},
        id::ChannelId,
        secret::Secret,
    },
    simulator::HeardFilter,
    store::LogFilter,
};

use crate::support::city::{Running, Scene, at};

const DUE: &str = "2024-03-25T06:00";

/// A ward's portals, one for each thing that can become of an article.
async fn portals() -> (Scene, Clock, Running) {
    let scene = Scene::new(None).await;
    let mut channels = "channels:\n".to_owned();
    for (name, below) in [("mot", ""), ("hai", ""), ("ba", ""), ("bon", "/closed")] {
        channels += &format!(
            "  cong-{name}:\n    ward: le-loi\n    name: Cổng {name}\n    kind: website\n    adapter: {{ vnpt: {{ url: \
             \"https://cong-{name}.vinh.example{below}\", every: 10m, within: 3h }} }}\n"
        );
    }
    scene.folder.write("channels/cong.yaml", &channels);
    scene.folder.write(
        "schedules/lich.yaml",
        "schedules:\n  trang-tin:\n    when: { cron: \"0 6 * * 1-5\" }\n    bulletins: { only: [mot] }\n    to: { kind: website }\n    \
         missed: { late: { within: 6h } }\n",
    );
    let clock = Clock::simulated(at("2024-03-25T05:50"), 3_000.0);
    let daemon = scene.start_with(clock.clone()).await;
    (scene, clock, daemon)
}

/// How many lines of `loa log` say so.
fn log(scene: &Scene) -> [(&'static str, usize); 2] {
    let said = crate::support::cli::loa(
        &scene.folder.path(),
        &["log", "--simulate", "--database", &scene.database],
    );
    assert_eq!(said.code, 0, "{said:?}");
    ["chờ người dán bài", "đã nhận"].map(|word| {
        let lines = said.out.lines().filter(|line| line.contains("Cổng"));
        (word, lines.filter(|line| line.contains(word)).count())
    })
}

/// The events in the journal of what a channel was sent, oldest first.
async fn events(scene: &Scene, channel: &str) -> Vec<String> {
    let row = scene.row(channel, DUE).await;
    let lines = scene.store().await.journal_rows(Some(&row.id), 50).await;
    let mut events: Vec<_> = lines.unwrap().into_iter().map(|line| line.event).collect();
    events.reverse();
    events
}

#[tokio::test]
async fn what_is_pasted_is_confirmed_and_what_is_not_is_missed() {
    let (scene, clock, daemon) = portals().await;
    daemon.reach("2024-03-25T06:05").await;
    let pasting = clock.busy();
    for name in ["mot", "hai", "ba", "bon"] {
        let row = scene.row(&format!("cong-{name}"), DUE).await;
        assert_eq!(row.state, State::Accepted, "it is offered: {row:?}");
        assert_eq!(row.evidence, Evidence::Accepted);
        assert_eq!(row.reason, Some(Reason::Offered), "nobody published it");
    }
    let waiting = |number| ("chờ người dán bài", number);
    assert_eq!(log(&scene), [waiting(4), ("đã nhận", 0)]);
    let all = LogFilter::default();
    let account = scene.store().await.account(&all).await.unwrap();
    // The other sites may have been asked already.
    let taken = account.accepted + account.confirmed;
    assert_eq!((taken, account.offered), (6, 4));
    assert!(account.balances());
    let title = "Cảnh giác lời thứ nhất";
    let body = "<div>Bà con phường Lê Lợi&nbsp;chú ý: <em>lời thứ nhất</em>.</div>";
    scene
        .city
        .paste("cong-mot.vinh.example", title, body)
        .unwrap();
    let other = "<p>Bà con chú ý: lời khác.</p>";
    scene
        .city
        .paste("cong-ba.vinh.example", title, other)
        .unwrap();
    drop(pasting);

    let mot = |state: State| {
        move |rows: &[loa::store::row::DeliveryRow]| {
            rows.iter()
                .any(|row| row.channel.as_str() == "cong-mot" && row.state == state)
        }
    };
    daemon.wait(mot(State::Confirmed)).await;
    let row = scene.row("cong-mot", DUE).await;
    assert_eq!((row.evidence, row.reason), (Evidence::Device, None));
    assert!(row.updated_at <= at("2024-03-25T06:40"), "{row:?}");
    assert_eq!(log(&scene), [waiting(3), ("đã nhận", 0)]);
    assert!(
        events(&scene, "cong-mot")
            .await
            .contains(&"published".to_owned())
    );

    daemon.reach("2024-03-25T09:30").await;
    daemon
        .wait(|rows| {
            rows.iter()
                .filter(|row| row.reason == Some(Reason::NotPublished))
                .count()
                == 3
        })
        .await;
    for (channel, state, detail) in [
        ("cong-hai", State::Unheard, "portal-not-there"),
        ("cong-ba", State::Unheard, "portal-other-words"),
        ("cong-bon", State::Unknown, "portal-closed"),
    ] {
        let row = scene.row(channel, DUE).await;
        assert_eq!(
            (row.state, row.reason),
            (state, Some(Reason::NotPublished)),
            "{row:?}"
        );
        assert!(row.detail.as_deref().unwrap().contains(detail), "{row:?}");
        assert!(
            row.updated_at >= at("2024-03-25T09:00"),
            "not before its time is over: {row:?}"
        );
        // The operator is told, as of everything that was due and did not come.
        let told = events(&scene, channel).await;
        assert!(told.contains(&"silence".to_owned()), "{channel}: {told:?}");
        assert!(
            told.contains(&"not-published".to_owned()),
            "{channel}: {told:?}"
        );
    }
    assert!(
        !events(&scene, "cong-mot")
            .await
            .contains(&"silence".to_owned())
    );
    // Now and then, and never more: eighteen times in three hours, and once at their end.
    let filter = HeardFilter {
        host: Some("cong-hai.vinh.example".to_owned()),
        ..HeardFilter::default()
    };
    let asked = scene.city.heard(&filter).len();
    assert!((12..=22).contains(&asked), "asked {asked} times");

    // Whoever pastes it later says so; nobody is asked again.
    let hai = scene.row("cong-hai", DUE).await;
    let store = scene.store().await;
    assert!(
        store
            .reconcile(&hai.id, true, "Lan", clock.now())
            .await
            .unwrap()
    );
    assert_eq!(scene.row("cong-hai", DUE).await.state, State::Confirmed);
    daemon.stop().await;
    scene.check().await;
}

#[tokio::test]
async fn what_was_taken_back_is_not_looked_for_any_more() {
    let (scene, clock, daemon) = portals().await;
    daemon.reach("2024-03-25T06:05").await;
    let typing = clock.busy();
    scene.folder.edit(
        "content/bulletins/mot.yaml",
        "contacts: [cong-an]",
        "editors: [Lan]\ncontacts: [cong-an]",
    );
    let said = crate::support::cli::loa(
        &scene.folder.path(),
        &[
            "retract",
            "mot",
            "--by",
            "Lan",
            "--reason",
            "sai",
            "--simulate",
            "--database",
            &scene.database,
        ],
    );
    assert_eq!(said.code, 0, "{said:?}");
    drop(typing);
    daemon.reach("2024-03-25T10:00").await;
    daemon
        .wait(|rows| {
            rows.iter()
                .filter(|row| row.reason == Some(Reason::NotPublished))
                .count()
                == 4
        })
        .await;
    // The four that are missed are the corrections.
    let channel = ChannelId::parse("cong-mot").unwrap();
    for row in scene
        .log()
        .await
        .iter()
        .filter(|row| row.channel == channel && row.due <= at("2024-03-25T10:00"))
    {
        let expected = if row.schedule.is_correction() {
            State::Unheard
        } else {
            State::Accepted
        };
        assert_eq!(row.state, expected, "{row:?}");
    }
    daemon.stop().await;
    scene.check().await;
}

/// A site that carries out a call that was given up puts older words over newer ones.
#[tokio::test]
async fn older_words_that_a_site_puts_back_are_found_and_told() {
    let scene = Scene::new(None).await;
    let site = "    kind: website\n    adapter: { recipe: { use: wordpress, with: { url: \"https://NAME.vinh.example\", user: loa, \
                password: \"env:LOA_W1\" } } }\n";
    let mut channels = "channels:\n".to_owned();
    for name in ["con-nguyen", "loi-cu", "nguoi-sua"] {
        channels += &format!("  {name}:\n    ward: le-loi\n    name: Trang {name}\n");
        channels += &site.replace("NAME", name);
    }
    scene.folder.write("channels/kenh.yaml", &channels);
    scene.folder.write(
        "schedules/lich.yaml",
        "schedules:\n  trang-tin:\n    when: { cron: \"0 6 * * 1-5\" }\n    bulletins: { only: [mot] }\n    to: { kind: website }\n    \
         missed: skip\n",
    );
    let clock = Clock::simulated(at("2024-03-25T05:50"), 3_000.0);
    let daemon = scene.start_with(clock.clone()).await;
    daemon
        .wait(|rows| {
            let taken = |row: &&loa::store::row::DeliveryRow| row.state == State::Accepted;
            rows.iter().filter(taken).count() == 3
        })
        .await;
    let writing = clock.busy();
    assert!(clock.now() < at("2024-03-25T06:05"), "{}", clock.now());
    let http = reqwest::Client::new();
    for (name, words) in [
        (
            "loi-cu",
            "<div class=\"loa-0123456789abcdef\"><p>Lời đã thu hồi.</p></div>",
        ),
        (
            "nguoi-sua",
            "<p>Lời của biên tập viên, và một câu của phường.</p>",
        ),
    ] {
        let host = format!("{name}.vinh.example");
        let address = scene.city.device(&host).unwrap();
        let api = format!("http://{address}/wp-json/wp/v2/posts");
        let found = http
            .get(format!("{api}?slug=mot-le-loi"))
            .header("Host", &host);
        let found = found.send().await.unwrap().text().await.unwrap();
        let found: serde_json::Value = serde_json::from_str(&found).unwrap();
        let url = format!("{api}/{}", found[0]["id"]);
        let call = http
            .post(url)
            .header("Host", host)
            .basic_auth("loa", Some(Secret::simulated().expose()))
            .header("Content-Type", "application/json")
            .body(serde_json::json!({ "content": words }).to_string());
        let answer = call.send().await.unwrap();
        assert_eq!(answer.status(), 200, "{:?}", answer.text().await);
    }
    drop(writing);
    daemon.reach("2024-03-25T07:00").await;

    for (name, state, reason, event) in [
        ("con-nguyen", State::Confirmed, None, Some("published")),
        (
            "loi-cu",
            State::Unheard,
            Some(Reason::Overwritten),
            Some("overwritten"),
        ),
        // What a person made of it there says nothing of what the city sent.
        ("nguoi-sua", State::Accepted, None, None),
    ] {
        let row = scene.row(name, DUE).await;
        assert_eq!((row.state, row.reason), (state, reason), "{name}: {row:?}");
        let events = events(&scene, name).await;
        let told = ["published", "overwritten", "silence"].map(|one| {
            let is_told = events.iter().any(|event| event == one);
            (one, is_told)
        });
        for (one, is_told) in told {
            let is_expected = event == Some(one) || (one == "silence" && name == "loi-cu");
            assert_eq!(is_told, is_expected, "{name}, {one}: {events:?}");
        }
        if state != State::Accepted {
            let soonest = row.accepted_at.unwrap() + Duration::from_mins(5);
            assert!(row.updated_at >= soonest, "asked too early: {row:?}");
        }
    }
    // Whoever puts the words back by hand says so.
    let old = scene.row("loi-cu", DUE).await;
    let store = scene.store().await;
    let is_closed = store.reconcile(&old.id, true, "Lan", clock.now()).await;
    assert!(is_closed.unwrap());
    daemon.stop().await;
    scene.check().await;
}

/// What a device says when an attempt is long over counts like its own report; what it never says changes nothing.
#[tokio::test]
async fn what_a_device_says_afterwards_counts_and_what_it_never_says_changes_nothing() {
    let scene = Scene::new(None).await;
    let mut channels = "channels:\n".to_owned();
    // The device counts what it plays, so the second broadcast says what became of the first.
    for (name, said) in [
        ("roi", "confirmed: { json: { /heard: \"2\" } }"),
        (
            "hong",
            "confirmed: { json: { /heard: \"99\" } }, refuted: { json: { /heard: \"2\" } }",
        ),
        ("im", "confirmed: { json: { /heard: \"99\" } }"),
    ] {
        let recipe = format!(
            "title: Loa {name}\nparameters: {{ url: {{}} }}\nrequest: {{ method: POST, url: \"{{{{ with.url }}}}/api/speak\", body: {{ json: \
             {{ id: \"{{{{ message.delivery }}}}\", text: \"{{{{ message.spoken }}}}\" }} }} }}\naccepted: {{ status: 202, receipt: /id \
             }}\nconfirm: {{ request: {{ method: GET, url: \"{{{{ with.url }}}}/api/status?id={{{{ receipt }}}}\" }}, {said}, later: {{ every: \
             1m, within: 30m }} }}\n"
        );
        scene
            .folder
            .write(&format!("channels/recipes/{name}.yaml"), &recipe);
        channels += &format!(
            "  loa-{name}:\n    ward: le-loi\n    name: Loa {name}\n    kind: loudspeaker\n    adapter: {{ recipe: {{ use: {name}, with: {{ \
             url: \"http://loa-{name}.vinh.example\" }} }} }}\n"
        );
    }
    scene.folder.write("channels/sau.yaml", &channels);
    scene.folder.write(
        "schedules/lich.yaml",
        "schedules:\n  loa:\n    when: { cron: \"0,10 6 * * 1-5\" }\n    bulletins: { only: [mot] }\n    to: { channels: [loa-roi, loa-hong, \
         loa-im] }\n    missed: { late: { within: 6h } }\n",
    );
    let clock = Clock::simulated(at("2024-03-25T05:50"), 3_000.0);
    let daemon = scene.start_with(clock.clone()).await;
    daemon.reach("2024-03-25T06:05").await;
    for name in ["roi", "hong", "im"] {
        let row = scene.row(&format!("loa-{name}"), DUE).await;
        assert_eq!((row.state, row.reason), (State::Accepted, None), "{row:?}");
    }
    let settled = |rows: &[loa::store::row::DeliveryRow], channel: &str, state: State| {
        rows.iter()
            .any(|row| row.channel.as_str() == channel && row.due == at(DUE) && row.state == state)
    };
    daemon
        .wait(move |rows| {
            settled(rows, "loa-roi", State::Confirmed) && settled(rows, "loa-hong", State::Unheard)
        })
        .await;
    let row = scene.row("loa-roi", DUE).await;
    assert_eq!((row.evidence, row.reason), (Evidence::Device, None));
    assert!(row.updated_at >= at("2024-03-25T06:10"), "{row:?}");
    assert!(
        events(&scene, "loa-roi")
            .await
            .contains(&"played".to_owned())
    );
    let row = scene.row("loa-hong", DUE).await;
    assert_eq!(row.reason, Some(Reason::NotPlayed));

    daemon.reach("2024-03-25T08:00").await;
    let row = scene.row("loa-im", DUE).await;
    assert_eq!(
        (row.state, row.evidence),
        (State::Accepted, Evidence::Accepted)
    );
}
