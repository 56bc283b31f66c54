//! Portals that no program can write to: offered for pasting, looked for afterwards, and missed where nobody pasted.

use loa::{
    clock::Clock,
    domain::{
        delivery::{Evidence, Reason, State},
        id::ChannelId,
    },
    simulator::HeardFilter,
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
    }
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
