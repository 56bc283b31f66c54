//! Whole daemons against a simulated city, on both databases: what reaches the channels, and what is on record of it.

use std::time::Duration;

use loa::{
    clock::Clock,
    domain::{
        channel::ChannelKind,
        delivery::{Evidence, Outcome, Reason, State},
        id::DeliveryId,
        time::Timestamp,
    },
    simulator::{Effect, Fault, HeardFilter},
    template::Templates,
};

use crate::support::{
    city::{Scene, at, count, fault},
    cli::loa,
    on_both_databases,
    workspace::{SCHEDULES, bulletin},
};

const LOUDSPEAKER: &str = "10.0.0.1";
const WEBSITE: &str = "hung-binh.vinh.example";

fn heard(scene: &Scene, host: &str, effect: Effect) -> Vec<loa::simulator::Heard> {
    let filter = HeardFilter {
        host: Some(host.to_owned()),
        effect: Some(effect),
        ..HeardFilter::default()
    };
    scene.city.heard(&filter)
}

#[test]
fn the_longest_expression_of_a_template_fits_on_the_threads_that_compute() {
    let runtime = loa::daemon::runtime().expect("a runtime");
    let rendered = runtime.block_on(async {
        // With fewer the engine is content, with more it says that this is too complex.
        let text = format!(
            "{{{{ word{} }}}}",
            " | replace(from='à', to='a')".repeat(250)
        );
        tokio::task::spawn_blocking(move || {
            let mut templates = Templates::new();
            templates.add("plain", &text).expect("a template");
            let values = serde_json::json!({ "word": "và" });
            templates.render("plain", values.as_object().expect("an object"))
        })
        .await
    });
    let rendered = rendered.expect("no panic").expect("words");
    assert_eq!(rendered, "va");
}

on_both_databases! {
    async fn a_morning_reaches_every_channel_once_with_its_own_words(scene: Scene) {
        let daemon = scene.start("2024-03-25T05:00").await;
        daemon.reach("2024-03-25T06:30").await;
        daemon.stop().await;
        let rows: Vec<_> = scene.log().await.into_iter().filter(|row| row.due < at("2024-03-25T06:30")).collect();
        assert_eq!(rows.len(), 6, "three loudspeakers, two websites, one chat");
        for row in &rows {
            // Sites are asked afterwards whether the words stand there.
            let expected = if row.kind == ChannelKind::Website {
                (1, State::Confirmed, Evidence::Device)
            } else {
                (1, State::Accepted, Evidence::Accepted)
            };
            assert_eq!((row.attempts, row.state, row.evidence), expected, "{row:?}");
            assert!(row.accepted_at.is_some_and(|accepted| accepted >= row.due), "nothing airs before its time");
        }
        let words = heard(&scene, LOUDSPEAKER, Effect::Heard);
        assert_eq!(words.len(), 1);
        assert_eq!(words[0].text.as_deref(), Some("Thưa bà con phường Hưng Bình. lời thứ nhất."));
        assert_eq!(heard(&scene, WEBSITE, Effect::Published).len(), 1);
        assert_eq!(heard(&scene, "oa.vinh.example", Effect::Received).len(), 1);
        scene.check().await;
    }

    async fn what_fell_due_in_a_gap_is_skipped_or_late_as_its_schedule_says(scene: Scene) {
        let daemon = scene.start("2024-03-25T04:00").await;
        daemon.reach("2024-03-25T05:00").await;
        daemon.stop().await;
        let daemon = scene.start("2024-03-25T09:00").await;
        daemon.reach("2024-03-25T09:05").await;
        daemon.stop().await;
        let loudspeaker = scene.row("loa-hb-1", "2024-03-25T05:30").await;
        assert_eq!((loudspeaker.state, loudspeaker.reason), (State::Skipped, Some(Reason::Expired)));
        assert!(loudspeaker.detail.is_some_and(|detail| detail.contains("..")), "the gap is named");
        let website = scene.row("web-hb", "2024-03-25T06:00").await;
        assert!(matches!(website.state, State::Accepted | State::Confirmed), "{website:?}");
        assert!(website.accepted_at.unwrap() >= at("2024-03-25T09:00"));
        let chat = scene.row("oa-vinh", "2024-03-25T06:10").await;
        assert_eq!((chat.state, chat.reason), (State::Skipped, Some(Reason::Expired)), "two hours late at most");
        assert!(chat.detail.is_some_and(|detail| detail.contains("..")), "for what had no time left, too");
        assert!(heard(&scene, LOUDSPEAKER, Effect::Heard).is_empty());
        scene.check().await;
    }

    async fn what_is_sent_by_hand_is_good_until_its_deadline_whoever_is_down_meanwhile(scene: Scene) {
        let daemon = scene.start("2024-03-25T05:00").await;
        daemon.reach("2024-03-25T05:10").await;
        daemon.stop().await;
        let world = ["--simulate", "--database", &scene.database, "--format", "json"];
        let send = ["send", "mot", "--to", "channel:loa-hb-1", "--by", "Lan", "--reason", "thử"];
        let said = loa(&scene.folder.path(), &[&send[..], &world[..]].concat());
        assert!(said.code == 0, "{said:?}");
        let due = Timestamp::parse_rfc3339(said.json()["due"].as_str().unwrap()).unwrap();
        // Longer than what counts as on time, and not as long as it is good.
        let later = due + Duration::from_mins(5);
        let daemon = scene.start_with(Clock::simulated(later, 240.0)).await;
        daemon.wait(|rows| rows.iter().any(|row| row.schedule.is_by_hand() && row.state.is_final())).await;
        daemon.stop().await;
        let rows = scene.log().await;
        let sent = rows.iter().find(|row| row.schedule.is_by_hand()).unwrap();
        assert_eq!(sent.state, State::Accepted, "{sent:?}");
        scene.check().await;
    }

    async fn a_call_in_mid_air_when_the_daemon_dies_is_never_made_twice_on_a_loudspeaker(scene: Scene) {
        scene.fault(fault(LOUDSPEAKER, Fault::Slow { ms: 60_000 }, 1)).await;
        scene.fault(fault("10.0.0.2", Fault::Hang, 1)).await;
        let daemon = scene.start("2024-03-25T05:29").await;
        daemon.wait(|rows| count(rows, State::Sending) == 2 && count(rows, State::Accepted) == 1).await;
        daemon.kill().await;
        scene.city.clear_faults().await.unwrap();
        let daemon = scene.start("2024-03-25T05:31").await;
        daemon.reach("2024-03-25T05:50").await;
        daemon.stop().await;
        for channel in ["loa-hb-1", "loa-hb-2"] {
            let row = scene.row(channel, "2024-03-25T05:30").await;
            assert_eq!(row.state, State::Unknown, "{channel}");
            let attempts = scene.store().await.attempts(&row.id).await.unwrap();
            assert_eq!(attempts.len(), 1);
            assert_eq!((attempts[0].outcome, attempts[0].reason), (Outcome::Unknown, Some(Reason::Crashed)));
        }
        scene.check().await;
    }

    async fn a_website_in_mid_air_when_the_daemon_dies_is_published_once(scene: Scene) {
        scene.fault(fault(WEBSITE, Fault::AcceptedThenLost, 1).method("POST")).await;
        scene.fault(fault(WEBSITE, Fault::Hang, 1).method("GET")).await;
        let daemon = scene.start("2024-03-25T05:58").await;
        daemon.wait(|rows| rows.iter().any(|row| row.state == State::Sending && row.channel.as_str() == "web-hb")).await;
        daemon.kill().await;
        let daemon = scene.start("2024-03-25T06:01").await;
        daemon.reach("2024-03-25T06:40").await;
        daemon.stop().await;
        let row = scene.row("web-hb", "2024-03-25T06:00").await;
        assert_eq!(row.state, State::Confirmed);
        assert!(row.attempts >= 3, "hung, lost, and found: {}", row.attempts);
        assert_eq!(heard(&scene, WEBSITE, Effect::Published).len(), 1, "found, not published again");
        scene.check().await;
    }

    async fn the_end_of_a_website_that_answers_nonsense_agrees_with_its_reason(scene: Scene) {
        // One answers nonsense to every question, so nothing was ever sent; the other only to what it was sent, so it may be there.
        scene.fault(fault(WEBSITE, Fault::Garbage, 1000)).await;
        scene.fault(fault("le-loi.vinh.example", Fault::Huge { bytes: 1 << 20 }, 1000).method("POST")).await;
        let daemon = scene.start("2024-03-25T05:59").await;
        daemon.wait(|rows| {
            let websites: Vec<_> = rows.iter().filter(|row| row.channel.as_str().starts_with("web-") && row.due == at("2024-03-25T06:00")).collect();
            websites.len() == 2 && websites.iter().all(|row| row.state.is_final())
        }).await;
        daemon.stop().await;
        let never = scene.row("web-hb", "2024-03-25T06:00").await;
        assert_eq!(
            (never.state, never.reason, never.detail.as_deref()),
            (State::Failed, Some(Reason::Unanswered), Some("asked-unreadable call=find"))
        );
        let perhaps = scene.row("web-ll", "2024-03-25T06:00").await;
        assert_eq!((perhaps.state, perhaps.reason), (State::Unknown, Some(Reason::TooLarge)), "{perhaps:?}");
        for id in [&never.id, &perhaps.id] {
            for attempt in scene.store().await.attempts(id).await.unwrap() {
                assert_eq!(attempt.outcome == Outcome::Unknown, attempt.reason.is_some_and(Reason::is_doubt), "{attempt:?}");
            }
        }
        scene.check().await;
    }

    async fn a_refused_connection_is_tried_again_before_the_deadline_and_not_after(scene: Scene) {
        scene.fault(loa::simulator::FaultOrder::new(LOUDSPEAKER, Fault::Refuse)).await;
        scene.fault(loa::simulator::FaultOrder::new("10.0.0.2", Fault::Refuse)).await;
        // Slow enough that the device is back long before the tries run out.
        let daemon = scene.start_with(Clock::simulated(at("2024-03-25T05:29"), 200.0)).await;
        daemon
            .wait(|rows| rows.iter().any(|row| row.channel.as_str() == "loa-hb-1" && row.attempts >= 2 && row.state == State::Ready))
            .await;
        scene.city.clear_faults().await.unwrap();
        scene.fault(loa::simulator::FaultOrder::new("10.0.0.2", Fault::Refuse)).await;
        daemon.reach("2024-03-25T05:45").await;
        daemon.stop().await;
        let back = scene.row("loa-hb-1", "2024-03-25T05:30").await;
        assert_eq!(back.state, State::Accepted, "{back:?}");
        let away = scene.row("loa-hb-2", "2024-03-25T05:30").await;
        assert_eq!((away.state, away.reason), (State::Failed, Some(Reason::Refused)));
        let attempts = scene.store().await.attempts(&away.id).await.unwrap();
        assert!(attempts.len() > 2, "{}", attempts.len());
        assert!(attempts.iter().all(|attempt| attempt.started < away.deadline), "the deadline wins");
        scene.check().await;
    }

    async fn a_receiver_that_is_busy_is_left_alone_as_long_as_it_asks(scene: Scene) {
        let busy = |retry_after: &str| Fault::Status { code: 429, retry_after: Some(retry_after.to_owned()), body: None };
        scene.fault(fault(LOUDSPEAKER, busy("120"), 1)).await;
        scene.fault(fault("10.0.0.2", busy("Sun, 24 Mar 2024 22:34:00 GMT"), 1)).await;
        let daemon = scene.start("2024-03-25T05:29").await;
        daemon.reach("2024-03-25T05:45").await;
        daemon.stop().await;
        let store = scene.store().await;
        let waited = store.attempts(&scene.row("loa-hb-1", "2024-03-25T05:30").await.id).await.unwrap();
        assert_eq!(waited.len(), 2);
        assert!(waited[1].started.since(waited[0].finished) >= Duration::from_mins(2), "{waited:?}");
        let dated = store.attempts(&scene.row("loa-hb-2", "2024-03-25T05:30").await.id).await.unwrap();
        assert!(dated[1].started >= at("2024-03-25T05:34"), "{dated:?}");
        assert_eq!(dated[1].outcome, Outcome::Accepted);
        scene.check().await;
    }

    async fn a_wish_beyond_the_deadline_gets_one_last_try(scene: Scene) {
        let busy = || Fault::Status { code: 503, retry_after: Some("86400".to_owned()), body: None };
        scene.fault(fault(LOUDSPEAKER, busy(), 1)).await;
        scene.fault(fault("10.0.0.2", busy(), 1000)).await;
        let daemon = scene.start("2024-03-25T05:29").await;
        daemon.reach("2024-03-25T06:30").await;
        daemon.stop().await;
        let store = scene.store().await;
        for (channel, state, told) in [
            ("loa-hb-1", State::Accepted, ["call-last-try", ""]),
            ("loa-hb-2", State::Failed, ["call-last-try", "call-too-late"]),
        ] {
            let row = scene.row(channel, "2024-03-25T05:30").await;
            let attempts = store.attempts(&row.id).await.unwrap();
            assert_eq!((row.state, attempts.len()), (state, 2), "{attempts:?}");
            let left = row.deadline.since(attempts[1].started);
            assert!(left > Duration::ZERO && left <= Duration::from_secs(30), "{left:?}");
            for (attempt, code) in attempts.iter().zip(told) {
                let detail = attempt.detail.clone().unwrap_or_default();
                assert_eq!(detail.contains(&format!("then={code};")), !code.is_empty(), "{channel} {detail}");
                assert_eq!(detail.contains("asked=86400"), !code.is_empty(), "{detail}");
            }
        }
        scene.check().await;
    }

    async fn doubt_stays_with_a_loudspeaker_and_is_settled_on_a_website(scene: Scene) {
        for host in [LOUDSPEAKER, "10.0.0.2", "10.0.0.3"] {
            let doubtful = match host {
                LOUDSPEAKER => Fault::AcceptedThenLost,
                "10.0.0.2" => Fault::Status { code: 500, retry_after: None, body: None },
                _ => Fault::Cut,
            };
            scene.fault(fault(host, doubtful, 1)).await;
        }
        scene.fault(fault(WEBSITE, Fault::Cut, 1).method("POST")).await;
        scene.fault(fault("le-loi.vinh.example", Fault::Garbage, 2)).await;
        let daemon = scene.start("2024-03-25T05:29").await;
        daemon.reach("2024-03-25T06:30").await;
        daemon.stop().await;
        for channel in ["loa-hb-1", "loa-hb-2", "loa-ll-1"] {
            let row = scene.row(channel, "2024-03-25T05:30").await;
            assert_eq!((row.state, row.attempts), (State::Unknown, 1), "{channel}");
        }
        for channel in ["web-hb", "web-ll"] {
            assert_eq!(scene.row(channel, "2024-03-25T06:00").await.state, State::Confirmed, "{channel}");
        }
        assert_eq!(heard(&scene, WEBSITE, Effect::Published).len(), 1);
        scene.check().await;
    }

    async fn a_refusal_ends_it_and_the_answer_is_kept(scene: Scene) {
        let no = Fault::Status { code: 403, retry_after: None, body: Some("khóa \u{1b}[31m<script>".to_owned()) };
        scene.fault(fault(LOUDSPEAKER, no, 1)).await;
        scene.fault(fault("10.0.0.2", Fault::Redirect { to: "http://10.0.0.3/api/speak".to_owned() }, 1)).await;
        scene.fault(fault("10.0.0.3", Fault::Huge { bytes: 1 << 20 }, 1)).await;
        let daemon = scene.start("2024-03-25T05:29").await;
        daemon.reach("2024-03-25T05:45").await;
        daemon.stop().await;
        let refused = scene.row("loa-hb-1", "2024-03-25T05:30").await;
        assert_eq!((refused.state, refused.reason, refused.attempts), (State::Failed, Some(Reason::Unauthorised), 1));
        let attempts = scene.store().await.attempts(&refused.id).await.unwrap();
        assert_eq!(attempts[0].status, Some(403));
        assert!(attempts[0].answer.as_deref().is_some_and(|answer| answer.contains("khóa")));
        let redirected = scene.row("loa-hb-2", "2024-03-25T05:30").await;
        assert_eq!((redirected.state, redirected.reason), (State::Failed, Some(Reason::Redirect)));
        assert_eq!(scene.row("loa-ll-1", "2024-03-25T05:30").await.state, State::Unknown, "it played, the answer is too large");
        scene.check().await;
    }

    async fn an_edit_moves_what_has_not_begun_and_a_broken_one_changes_nothing(scene: Scene) {
        // Time stands still, so nothing comes due between the steps.
        let daemon = scene.start_with(Clock::manual(at("2024-03-25T05:00"))).await;
        daemon.wait(|rows| rows.len() == 6).await;
        let revision = || daemon.shared.workspace.borrow().revision.clone();
        let before = revision();

        scene.folder.write("schedules/lich.yaml", &SCHEDULES.replace("05:30", "5 giờ rưỡi"));
        daemon.reloader.reload(&daemon.shared).await;
        assert_eq!(revision(), before, "a file with mistakes never replaces a good one");
        assert!(daemon.reloader.refused.borrow().is_some());

        // Said once, and again to whoever asks; since when stays, whatever else is edited wrong meanwhile.
        let told = || daemon.shared.metrics.to_text().lines().find(|line| line.starts_with("loa_reloads_total") && line.contains("refused")).map(str::to_owned);
        let once = told();
        daemon.reloader.reload(&daemon.shared).await;
        assert_eq!(told(), once, "nobody asked, and nothing is new");
        daemon.reloader.reload_as(&daemon.shared, true).await;
        assert_ne!(told(), once, "somebody asked");
        let since = || daemon.reloader.refused.borrow().as_ref().map(|refused| (refused.since, refused.mistakes.len()));
        assert_eq!(since(), Some((at("2024-03-25T05:00"), 1)));
        daemon.shared.clock.advance(Duration::from_mins(1));
        scene.folder.write("schedules/lich.yaml", &SCHEDULES.replace("05:30", "5 giờ rưỡi").replace("06:10", "6 giờ"));
        daemon.reloader.reload(&daemon.shared).await;
        assert_eq!(since(), Some((at("2024-03-25T05:00"), 2)));
        scene.folder.write("schedules/lich.yaml", SCHEDULES);
        daemon.reloader.reload(&daemon.shared).await;
        assert_eq!((revision(), since()), (before.clone(), None));
        let mended = scene.store().await.journal_of("reload-mended", 9).await.unwrap();
        assert_eq!(mended.len(), 1, "the pages hear of it");

        scene.folder.write("schedules/lich.yaml", &SCHEDULES.replace("05:30", "05:40"));
        daemon.reloader.reload(&daemon.shared).await;
        assert_ne!(revision(), before);
        assert!(daemon.reloader.refused.borrow().is_none());
        daemon.wait(|rows| count(rows, State::Skipped) == 3 && rows.len() == 9).await;
        let moved = scene.row("loa-hb-1", "2024-03-25T05:30").await;
        assert_eq!(moved.reason, Some(Reason::Superseded));

        scene.folder.write("schedules/lich.yaml", SCHEDULES);
        daemon.reloader.reload(&daemon.shared).await;
        daemon
            .wait(|rows| {
                let is = |due, wanted: bool| {
                    rows.iter().any(|row| {
                        row.channel.as_str() == "loa-hb-1" && row.due == at(due) && row.state.is_final() == wanted
                    })
                };
                is("2024-03-25T05:30", false) && is("2024-03-25T05:40", true)
            })
            .await;
        let gone = scene.row("loa-hb-1", "2024-03-25T05:40").await;
        assert_eq!(gone.reason, Some(Reason::Superseded));
        daemon.stop().await;
        scene.check().await;
    }

    async fn a_pipe_among_the_files_is_a_mistake_and_holds_nothing_up(scene: Scene) {
        let daemon = scene.start_with(Clock::manual(at("2024-03-25T05:00"))).await;
        daemon.wait(|rows| rows.len() == 6).await;
        let pipe = scene.folder.path().join("content/bulletins/ong.yaml");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        std::os::unix::fs::symlink("/dev/zero", scene.folder.path().join("schedules/khong.yaml")).unwrap();
        scene.folder.write("content/bulletins/lap.yaml", &bulletin(
            "{% for a in range(end=9999) %}{% for b in range(end=9999) %}{% endfor %}{% endfor %}",
        ));
        daemon.reloader.reload(&daemon.shared).await;
        let refused: Vec<_> = daemon.reloader.refused.borrow().iter().flat_map(|refused| &refused.mistakes).map(|found| found.code.as_str()).collect();
        assert_eq!(refused.iter().filter(|code| **code == "L180").count(), 2, "{refused:?}");
        assert!(refused.contains(&"L062"), "{refused:?}");
        daemon.stop().await;
    }

    async fn words_are_frozen_again_when_they_are_edited_before_they_begin(scene: Scene) {
        let clock = Clock::manual(at("2024-03-25T05:20"));
        let daemon = scene.start_with(clock.clone()).await;
        daemon.wait(|rows| count(rows, State::Ready) == 3).await;
        let before = scene.row("loa-hb-1", "2024-03-25T05:30").await.content_hash;
        scene.folder.write("content/bulletins/mot.yaml", &bulletin("lời đã sửa"));
        daemon.reloader.reload(&daemon.shared).await;
        daemon.wait(|rows| rows.iter().all(|row| row.content_hash != before) && count(rows, State::Ready) == 3).await;
        clock.advance(Duration::from_secs(601));
        daemon.wait(|rows| count(rows, State::Accepted) == 3).await;
        daemon.stop().await;
        let words = heard(&scene, LOUDSPEAKER, Effect::Heard);
        assert_eq!(words[0].text.as_deref(), Some("Thưa bà con phường Hưng Bình. lời đã sửa."));
        scene.check().await;
    }

    async fn a_stamp_in_the_future_is_reported_and_not_trusted(scene: Scene) {
        let daemon = scene.start("2024-03-26T05:00").await;
        daemon.stop().await;
        let daemon = scene.start("2024-03-25T05:00").await;
        daemon.reach("2024-03-25T05:45").await;
        daemon.stop().await;
        let journal = scene.store().await.journal_rows(None, 100).await.unwrap();
        assert!(journal.iter().any(|line| line.event == "clock"), "{journal:?}");
        assert_eq!(scene.row("loa-hb-1", "2024-03-25T05:30").await.state, State::Accepted);
        scene.check().await;
    }

    async fn a_restart_with_edited_files_works_at_once(scene: Scene) {
        let clock = Clock::manual(at("2024-03-25T05:00"));
        let daemon = scene.start_with(clock.clone()).await;
        daemon.wait(|rows| rows.len() == 6).await;
        daemon.stop().await;
        scene.folder.write("schedules/lich.yaml", &SCHEDULES.replace("05:30", "05:40"));
        // The node before this one was alive a moment ago, and works with no files any more.
        let daemon = scene.start_with(clock).await;
        daemon.wait(|rows| rows.len() == 9 && count(rows, State::Skipped) == 3).await;
        assert_eq!(*daemon.shared.trouble.borrow(), None);
        daemon.stop().await;
        scene.check().await;
    }

    async fn an_edited_allow_list_holds_from_the_next_call_on(scene: Scene) {
        let clock = Clock::manual(at("2024-03-25T05:20"));
        let daemon = scene.start_with(clock.clone()).await;
        daemon.wait(|rows| count(rows, State::Ready) == 3).await;
        scene.folder.edit("loa.yaml", "10.0.0.0/8", "10.0.0.1/32");
        daemon.reloader.reload(&daemon.shared).await;
        daemon.wait(|rows| count(rows, State::Ready) == 3).await;
        clock.advance(Duration::from_secs(601));
        daemon
            .wait(|rows| {
                let refused = rows.iter().filter(|row| row.reason == Some(Reason::NotAllowed));
                count(rows, State::Accepted) == 1 && refused.count() == 2
            })
            .await;
        assert_eq!(heard(&scene, "10.0.0.2", Effect::Heard).len(), 0);
        daemon.stop().await;
        scene.check().await;
    }

    async fn an_address_that_is_secret_has_a_stand_in_in_the_city(scene: Scene) {
        scene.folder.edit("channels/kenh.yaml", "\"http://10.0.0.1\"", "\"env:LOA_HOOK\"");
        let daemon = scene.start("2024-03-25T05:00").await;
        daemon.reach("2024-03-25T05:45").await;
        daemon.stop().await;
        assert_eq!(scene.row("loa-hb-1", "2024-03-25T05:30").await.state, State::Accepted);
        assert_eq!(heard(&scene, "env.loa_hook.invalid", Effect::Heard).len(), 1);
        scene.check().await;
    }

    async fn what_nobody_planned_is_named(scene: Scene) {
        for start in ["2024-03-25T05:00", "2024-05-25T05:00"] {
            let daemon = scene.start_with(Clock::manual(at(start))).await;
            daemon.wait(|rows| !rows.is_empty()).await;
            daemon.stop().await;
        }
        let verify = |from, to| {
            let range = ["verify", "--simulate", "--from", from, "--to", to, "--format", "json"];
            loa(&scene.folder.path(), &[&range[..], &["--database", scene.database.as_str()]].concat())
        };
        let said = verify("2024-03-28", "2024-04-20");
        assert_eq!(said.code, 1, "{said:?}");
        let unplanned = said.json()["unplanned"].clone();
        assert_eq!(unplanned[0]["from"], "2024-03-28T00:00:00+07:00", "{said:?}");
        assert_eq!(unplanned[0]["until"], "2024-04-20T00:00:00+07:00", "{said:?}");
        let said = verify("2024-05-20", "2024-05-24");
        assert_eq!((said.code, said.json()["unplanned"].clone()), (0, serde_json::json!([])), "{said:?}");
    }

    async fn a_person_closes_what_nobody_knows(scene: Scene) {
        scene.fault(fault(LOUDSPEAKER, Fault::AcceptedThenLost, 1)).await;
        let daemon = scene.start("2024-03-25T05:29").await;
        daemon.reach("2024-03-25T05:45").await;
        daemon.stop().await;
        let store = scene.store().await;
        let row = scene.row("loa-hb-1", "2024-03-25T05:30").await;
        let now = at("2024-03-25T07:00");
        assert!(store.reconcile(&row.id, true, "Nguyễn Thị Lan", now).await.unwrap());
        let closed = scene.row("loa-hb-1", "2024-03-25T05:30").await;
        assert_eq!((closed.state, closed.evidence), (State::Confirmed, Evidence::Staff));
        assert_eq!(closed.closed_by.as_deref(), Some("Nguyễn Thị Lan"));
        assert!(!store.reconcile(&DeliveryId::from_text("none"), true, "x", now).await.unwrap());
        scene.check().await;
    }
}

/// Two daemons share one database; one of them dies in the middle.
#[tokio::test(flavor = "multi_thread")]
async fn two_daemons_on_one_postgres_share_the_work_and_double_nothing() {
    let Some(database) = crate::support::postgres::database().await else {
        return;
    };
    let scene = Scene::new(Some(database)).await;
    scene.fault(fault("10.0.0.2", Fault::Hang, 1)).await;
    let clock = Clock::simulated(at("2024-03-25T05:00"), 2_000.0);
    let first = scene.start_with(clock.clone()).await;
    let second = scene.start_with(clock.clone()).await;
    // Each hears only what it wrote itself, and either may be the last to write.
    let is_so = |rows: &[_]| count(rows, State::Accepted) >= 2 && count(rows, State::Sending) == 1;
    tokio::select! { () = first.wait(is_so) => {}, () = second.wait(is_so) => {} }
    let stuck = scene.row("loa-hb-2", "2024-03-25T05:30").await;
    first.kill().await;
    second.reach("2024-03-25T06:30").await;
    second.stop().await;
    let row = scene
        .store()
        .await
        .delivery(&stuck.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        row.state,
        State::Unknown,
        "whoever held it, nobody knows whether it was heard"
    );
    let rows: Vec<_> = scene
        .log()
        .await
        .into_iter()
        .filter(|row| row.due < at("2024-03-25T06:30"))
        .collect();
    // Sites are asked afterwards.
    let taken = count(&rows, State::Accepted) + count(&rows, State::Confirmed);
    assert_eq!((rows.len(), taken), (6, 5), "{rows:?}");
    scene.check().await;
}
