//! Hosts that do not answer are left alone: the breaker against a second opinion, and whole daemons against a city with faults.

use std::time::Duration;

use loa::{
    clock::Clock,
    domain::{
        breaker::{Breaker, BreakerPolicy, COURTESY, Caller, Change, Entry},
        delivery::{Evidence, Reason, State},
        time::Timestamp,
    },
    simulator::{Effect, Fault, FaultOrder, HeardFilter},
    store::row::DeliveryRow,
};

use crate::support::{
    city::{Scene, at, count},
    cli::loa,
    dice::Dice,
    on_both_databases,
};

const LOUDSPEAKER: &str = "10.0.0.1";
const WEBSITE: &str = "hung-binh.vinh.example";

/// What a breaker may do, worked out from everything that has happened so far, which a breaker does not keep.
#[derive(Default)]
struct History {
    /// What ended when: `None` for an answer, and for no answer whether that ended a trial.
    ends: Vec<(Timestamp, Option<bool>)>,
    trial: Option<Caller>,
    turn: Caller,
}

impl History {
    /// Since when it is open, when it was opened last, and how often.
    fn open(&self, policy: &BreakerPolicy) -> Option<(Timestamp, Timestamp, u32)> {
        let (mut in_a_row, mut open) = (0, None);
        for (at, end) in &self.ends {
            match (end, &mut open) {
                (None, _) => (in_a_row, open) = (0, None),
                (Some(_), None) => {
                    in_a_row += 1;
                    if in_a_row == policy.failures {
                        open = Some((*at, *at, 1));
                    }
                }
                (Some(true), Some((_, last, rounds))) => (*last, *rounds) = (*at, *rounds + 1),
                (Some(false), Some(_)) => {}
            }
        }
        open
    }
}

#[test]
fn a_breaker_does_what_its_history_says() {
    let mut dice = Dice(0x5eed_b4ea_4e4d);
    let (mut trials, mut closings, mut held) = (0, 0, 0);
    for _ in 0..400 {
        let policy = BreakerPolicy {
            failures: 1 + dice.below(4),
            first: Duration::from_secs(u64::from(5 + dice.below(60))),
            longest: Duration::from_secs(u64::from(65 + dice.below(300))),
        };
        let (mut breaker, mut history) = (Breaker::default(), History::default());
        let clock = Clock::manual(at("2024-03-25T05:00"));
        for _ in 0..120 {
            let now = clock.now();
            let open = history.open(&policy);
            assert_eq!(breaker.open().is_some(), open.is_some());
            match dice.below(10) {
                0..=3 => clock.advance(Duration::from_millis(u64::from(dice.below(90_000)))),
                4..=6 => {
                    let caller = [Caller::Question, Caller::Delivery][dice.below(2) as usize];
                    let entry = breaker.enter(caller, now);
                    let Some((_, last, rounds)) = open else {
                        assert_eq!(entry, Entry::Free);
                        continue;
                    };
                    let plain = policy
                        .first
                        .saturating_mul(1 << (rounds - 1).min(20))
                        .min(policy.longest);
                    let waited = now.since(last);
                    let is_mine = history.turn == caller;
                    let courtesy = if is_mine { Duration::ZERO } else { COURTESY };
                    if history.trial.is_some() || waited < plain.mul_f64(0.8) + courtesy {
                        assert_eq!(entry, Entry::Held, "{waited:?} of {plain:?}");
                        held += 1;
                    } else if waited > plain.mul_f64(1.2) + courtesy {
                        assert_eq!(entry, Entry::Trial, "{waited:?} of {plain:?}");
                    }
                    if entry == Entry::Trial {
                        history.trial = Some(caller);
                        trials += 1;
                    } else {
                        assert_eq!(entry, Entry::Held);
                    }
                }
                7 => {
                    breaker.give_back();
                    history.trial = None;
                }
                8 if dice.one_in(3) => {
                    let change = breaker.answered();
                    assert_eq!(change.is_some(), open.is_some());
                    closings += usize::from(change.is_some());
                    history = History {
                        ends: history.ends,
                        ..History::default()
                    };
                    history.ends.push((now, None));
                }
                _ => {
                    let change = breaker.failed("10.0.0.1", now, &policy);
                    let tried = open.and_then(|_| history.trial.take());
                    let is_trial = tried.is_some();
                    history.turn = match tried {
                        Some(Caller::Question) => Caller::Delivery,
                        Some(Caller::Delivery) => Caller::Question,
                        None => history.turn,
                    };
                    history.ends.push((now, Some(is_trial)));
                    let after = history.open(&policy);
                    match change {
                        None => assert_eq!(open, after),
                        Some(Change::Opened(now)) => {
                            assert!(open.is_none());
                            assert_eq!(after.map(|(since, ..)| since), Some(now.since));
                        }
                        Some(Change::StaysOpen(now)) => {
                            assert_eq!(
                                after.map(|(since, _, rounds)| (since, rounds)),
                                Some((now.since, now.rounds))
                            );
                        }
                        Some(Change::Closed(_)) => panic!("no answer closes nothing"),
                    }
                }
            }
        }
    }
    assert!(
        trials > 1_000 && closings > 100 && held > 1_000,
        "{trials} {closings} {held}"
    );
}

fn requests(scene: &Scene, host: &str) -> Vec<loa::simulator::Heard> {
    let filter = HeardFilter {
        host: Some(host.to_owned()),
        ..HeardFilter::default()
    };
    scene.city.heard(&filter)
}

fn heard(scene: &Scene, host: &str, effect: Effect) -> usize {
    requests(scene, host)
        .iter()
        .filter(|heard| heard.effect == effect)
        .count()
}

/// Channels are asked, and hosts left alone, by these settings.
fn health(scene: &Scene, settings: &str) {
    scene
        .folder
        .edit("loa.yaml", "health: { every: off }", settings);
}

async fn events(scene: &Scene, event: &str) -> Vec<String> {
    let lines = scene.store().await.journal_of(event, 100).await.unwrap();
    lines.into_iter().rev().map(|line| line.detail).collect()
}

fn metric(daemon: &crate::support::city::Running, line: &str) -> bool {
    daemon
        .shared
        .metrics
        .to_text()
        .lines()
        .any(|known| known == line)
}

on_both_databases! {
    async fn a_loudspeaker_that_is_off_is_left_alone_and_what_was_never_tried_says_so(scene: Scene) {
        health(&scene, "health: { every: 10s, failures: 3, first: 2h, longest: 2h }");
        scene.fault(FaultOrder::new(LOUDSPEAKER, Fault::Refuse)).await;
        let daemon = scene.start("2024-03-25T05:00").await;
        daemon.reach("2024-03-25T05:45").await;
        assert!(metric(&daemon, "loa_hosts_left_alone 1"), "{}", daemon.shared.metrics.to_text());
        assert!(metric(&daemon, "loa_channels_unwell 1"));
        assert!(metric(&daemon, "loa_skipped_total{reason=\"unreachable\"} 1"), "{:?}", scene.row("loa-hb-1", "2024-03-25T05:30").await);
        let said = loa(&scene.folder.path(), &["channels", "--probe", "--simulate", "--format", "json", "--database", &scene.database]);
        let rows = said.json();
        let row = |id: &str| rows.as_array().unwrap().iter().find(|row| row["channel"] == id).unwrap().clone();
        let breaker = &row("loa-hb-1")["breaker"];
        assert!(["open", "half-open"].contains(&breaker["state"].as_str().unwrap()), "{breaker}");
        assert_eq!(breaker["reason"], "refused");
        assert!(breaker["since"].as_str().unwrap().starts_with("2024-03-25T05:1"), "{breaker}");
        assert!(row("loa-hb-2")["breaker"].is_null());
        let said = loa(&scene.folder.path(), &["channels", "--probe", "--simulate", "--database", &scene.database]);
        assert!(said.out.contains("Máy chủ không trả lời từ 25/03/2024 05:1"), "{}", said.out);
        daemon.stop().await;

        let away = scene.row("loa-hb-1", "2024-03-25T05:30").await;
        assert_eq!((away.state, away.reason, away.attempts), (State::Skipped, Some(Reason::Unreachable), 0));
        assert!(away.detail.as_deref().unwrap().starts_with("unreachable-because since=05:1"), "{away:?}");
        for channel in ["loa-hb-2", "loa-ll-1"] {
            assert_eq!(scene.row(channel, "2024-03-25T05:30").await.state, State::Accepted);
        }
        let log = loa(&scene.folder.path(), &["log", "--simulate", "--database", &scene.database]);
        assert!(log.out.contains("Kênh mất liên lạc từ 05:1"), "{}", log.out);
        assert!(log.out.contains("không nhận kết nối"), "the last cause: {}", log.out);
        assert_eq!(events(&scene, "host-left-alone").await, ["10.0.0.1: refused"]);
        assert_eq!(events(&scene, "host-answers").await, [""; 0]);
        scene.check().await;
    }

    async fn what_may_be_late_waits_until_the_host_answers_again(scene: Scene) {
        health(&scene, "health: { every: 1m, failures: 3, first: 30s, longest: 5m }");
        scene.fault(FaultOrder::new(WEBSITE, Fault::Reset)).await;
        scene.fault(FaultOrder::new(LOUDSPEAKER, Fault::Refuse)).await;
        let daemon = scene.start_with(Clock::simulated(at("2024-03-25T05:20"), 400.0)).await;
        daemon.shared.clock.sleep_until(at("2024-03-25T06:30")).await;
        let before = requests(&scene, WEBSITE).len();
        daemon.wait(|rows| rows.iter().any(|row| row.channel.as_str() == "web-hb" && row.state == State::Ready)).await;
        scene.city.clear_faults().await.unwrap();
        daemon.wait(|rows| rows.iter().any(|row| row.channel.as_str() == "web-hb" && row.state == State::Accepted)).await;
        daemon.wait(|_| metric(&daemon, "loa_hosts_left_alone 0")).await;
        daemon.stop().await;
        // Seventy minutes of which each has a question, and a website that is asked before it is sent to.
        assert!((4..=40).contains(&before), "{before} calls at a host that is dead");
        let late = scene.row("web-hb", "2024-03-25T06:00").await;
        assert_eq!((late.state, late.evidence), (State::Accepted, Evidence::Accepted), "{late:?}");
        assert!(late.accepted_at.unwrap() >= at("2024-03-25T06:30"));
        assert_eq!(heard(&scene, WEBSITE, Effect::Published), 1);
        let left = events(&scene, "host-left-alone").await;
        assert!(left.iter().any(|line| line.starts_with(WEBSITE)), "{left:?}");
        let back = events(&scene, "host-answers").await;
        assert!(back.iter().any(|line| line.starts_with(WEBSITE)), "{back:?}");
        scene.check().await;
    }

    async fn an_answer_of_any_sort_keeps_a_host_in_use(scene: Scene) {
        health(&scene, "health: { every: 30s, failures: 1, first: 30s, longest: 5m }");
        let no = Fault::Status { code: 401, retry_after: None, body: None };
        for host in [LOUDSPEAKER, "10.0.0.2"] {
            scene.fault(FaultOrder { path: Some("/api/status".to_owned()), ..FaultOrder::new(host, no.clone()) }).await;
        }
        let daemon = scene.start("2024-03-25T05:00").await;
        daemon.reach("2024-03-25T05:45").await;
        assert!(metric(&daemon, "loa_channels_unwell 2"), "{}", daemon.shared.metrics.to_text());
        assert!(metric(&daemon, "loa_hosts_left_alone 0"));
        daemon.stop().await;
        assert_eq!(scene.row("loa-hb-1", "2024-03-25T05:30").await.state, State::Accepted);
        assert_eq!(events(&scene, "host-left-alone").await, [""; 0]);
        scene.check().await;
    }

    async fn a_question_that_is_wrongly_put_silences_nobody(scene: Scene) {
        health(&scene, "health: { every: 30s, failures: 2, first: 30s, longest: 2m }");
        scene.fault(FaultOrder { path: Some("/api/status".to_owned()), ..FaultOrder::new(LOUDSPEAKER, Fault::Reset) }).await;
        let daemon = scene.start("2024-03-25T05:00").await;
        daemon.reach("2024-03-25T05:45").await;
        daemon.stop().await;
        assert_eq!(scene.row("loa-hb-1", "2024-03-25T05:30").await.state, State::Accepted, "it was a delivery's turn");
        assert!(!events(&scene, "host-left-alone").await.is_empty());
        scene.check().await;
    }

    async fn an_emergency_tries_a_host_that_is_left_alone(scene: Scene) {
        // Nobody asks, and the first trial is hours away: only the emergency can find out that it is back.
        health(&scene, "health: { every: off, failures: 1, first: 3h, longest: 3h }");
        scene.folder.wants_approval();
        scene.store().await.close().await;
        let says = |arguments: &[&str]| {
            let world = ["--simulate", "--database", &scene.database];
            loa(&scene.folder.path(), &[arguments, &world].concat())
        };
        for (id, by) in [("mot", "Trần Thị Mai"), ("loa-sang", "Trần Thị Mai"), ("hai", "Trần Thị Mai"), ("hai", "Nguyễn Văn Hòa")] {
            let hash = says(&["diff", id, "--format", "json"]).json()["version"].as_str().unwrap().to_owned();
            assert_eq!(says(&["approve", id, "--by", by, "--hash", &hash]).code, 0);
        }
        scene.fault(FaultOrder::new(LOUDSPEAKER, Fault::Refuse)).await;
        let clock = Clock::manual(at("2024-03-25T05:29"));
        let daemon = scene.start_with(clock.clone()).await;
        daemon.wait(|rows| count(rows, State::Ready) == 3).await;
        clock.advance(Duration::from_secs(61));
        let ordinary = |row: &DeliveryRow| row.channel.as_str() == "loa-hb-1" && !row.schedule.is_by_hand();
        daemon.wait(|rows| rows.iter().any(|row| ordinary(row) && row.attempts == 1 && row.state == State::Ready)).await;
        clock.advance(Duration::from_mins(1));
        daemon.wait(|_| { clock.advance(Duration::from_secs(2)); metric(&daemon, "loa_hosts_left_alone 1") }).await;
        scene.city.clear_faults().await.unwrap();
        let send = ["send", "hai", "--to", "channel:loa-hb-1", "--by", "Lan", "--reason", "lũ về", "--priority", "emergency"];
        let scale = says(&send).err;
        let scale = scale.split("--confirm \"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let said = says(&[&send[..], &["--confirm", &scale]].concat());
        assert_eq!(said.code, 0, "{said:?}");
        assert_eq!(scene.row("loa-hb-1", "2024-03-25T05:30").await.attempts, 1, "held, though its retry is due");
        clock.advance(Duration::from_secs(3));
        daemon.wait(|rows| rows.iter().any(|row| row.schedule.is_by_hand() && row.state == State::Accepted)).await;
        // Its answer lets everything else go there again.
        daemon.wait(|_| { clock.advance(Duration::from_secs(2)); metric(&daemon, "loa_hosts_left_alone 0") }).await;
        daemon.stop().await;
        scene.check().await;
    }

    async fn a_restart_remembers_who_is_left_alone(scene: Scene) {
        health(&scene, "health: { every: off, failures: 1, first: 3h, longest: 3h }");
        scene.fault(FaultOrder::new(LOUDSPEAKER, Fault::Refuse)).await;
        let daemon = scene.start_with(Clock::simulated(at("2024-03-25T05:29"), 100.0)).await;
        daemon.wait(|_| metric(&daemon, "loa_hosts_left_alone 1")).await;
        daemon.stop().await;
        scene.city.clear_faults().await.unwrap();
        let daemon = scene.start("2024-03-25T05:32").await;
        assert!(metric(&daemon, "loa_hosts_left_alone 1"));
        daemon.reach("2024-03-25T05:45").await;
        daemon.stop().await;
        let row = scene.row("loa-hb-1", "2024-03-25T05:30").await;
        assert_eq!((row.reason, row.attempts), (Some(Reason::Refused), 1), "it was not called again");
        assert_eq!(heard(&scene, LOUDSPEAKER, Effect::Heard), 0);
        scene.check().await;
    }
}

/// A dead modem is not called more often because there is more to send to it.
#[tokio::test(flavor = "multi_thread")]
async fn a_dead_host_of_many_channels_gets_one_call_at_a_time() {
    let scene = Scene::new(None).await;
    health(
        &scene,
        "health: { every: 1m, failures: 3, first: 1m, longest: 5m }",
    );
    let mut channels = String::new();
    for number in 0..40 {
        channels.push_str(&format!(
            "  nhieu-{number}:
    ward: le-loi
    name: Cụm loa {number}
    kind: loudspeaker
    adapter: {{ recipe: {{ use: loudspeaker-http, with: {{ url: \"http://10.0.9.9/{number}\", token: \"env:LOA_T3\" }} }} }}
"
        ));
    }
    scene.folder.amend("channels/kenh.yaml", &channels);
    scene.fault(FaultOrder::new("10.0.9.9", Fault::Reset)).await;
    let daemon = scene.start("2024-03-25T04:00").await;
    daemon.reach("2024-03-25T05:45").await;
    daemon.stop().await;
    let calls = requests(&scene, "10.0.9.9").len();
    assert!(
        (15..=60).contains(&calls),
        "{calls} calls in 105 minutes, of 40 channels that are asked every minute"
    );
    let rows: Vec<_> = scene
        .log()
        .await
        .into_iter()
        .filter(|row| {
            row.channel.as_str().starts_with("nhieu-") && row.due < at("2024-03-25T06:00")
        })
        .collect();
    let skipped = rows
        .iter()
        .filter(|row| row.reason == Some(Reason::Unreachable))
        .count();
    assert_eq!(rows.len(), 40);
    assert!(skipped >= 35, "{skipped} were spared the doubt");
    scene.check().await;
}
