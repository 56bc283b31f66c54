//! Decisions: what goes on record, what follows for deliveries, and who waits for whom.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use loa::{
    domain::{
        approval::{ApprovalRules, Approver, Decision, Proposal, Refusal, Standing, Subject},
        bulletin::Priority,
        delivery::{Outcome, Reason, State},
        id::{BulletinId, ScheduleId},
        plan::{
            PlannedDelivery,
            air::{OnAir, Settled},
        },
        time::Timestamp,
        version::{BulletinRecord, Version},
    },
    store::{
        Approved, Frozen, Store, StoreError, World,
        air::Sending,
        approval::{Retraction, SampleApprovers, Verdict},
        row::DeliveryRow,
    },
};

use super::ground::{Ground, NODE, PATIENCE, R1, accepted, at, content, end, planned, planned_by};

pub(super) const MAI: &str = "Trần Thị Mai";
pub(super) const HOA: &str = "Nguyễn Văn Hòa";

fn rules() -> ApprovalRules {
    let approver = |name: &str| Approver {
        name: name.to_owned(),
        role: "Lãnh đạo".to_owned(),
    };
    ApprovalRules {
        approvers: vec![approver(MAI), approver(HOA)],
        ..ApprovalRules::default()
    }
}

/// A version of the bulletin that [`planned`] deliveries carry.
pub(super) fn version(source: &str, needed: u32) -> Version {
    let id = BulletinId::parse("gia-danh").unwrap();
    let record = BulletinRecord {
        id: id.to_string(),
        needed,
        title: "Cảnh giác".to_owned(),
        priority: Priority::Priority.as_str().to_owned(),
        from: None,
        until: None,
        editors: vec!["Lê Văn Tám".to_owned()],
        source: source.to_owned(),
        topic: String::new(),
        city: [String::new(), String::new()],
        templates: BTreeMap::new(),
        contacts: BTreeMap::new(),
        readings: BTreeMap::new(),
        wards: BTreeMap::new(),
        words: BTreeMap::new(),
    };
    Version::bulletin(id, record)
}

pub(super) async fn decide(
    store: &Store,
    version: &Version,
    decision: Decision,
    person: &str,
    now: Timestamp,
) -> Result<Standing, Refusal> {
    let words = Arc::new(content(version.hash.short()));
    let rules = rules();
    let verdict = Verdict {
        version,
        contents: &[(words.hash(), words)],
        rules: &rules,
        proposal: Proposal {
            decision,
            person,
            seen: version.hash.short(),
            remark: "vì thế",
        },
    };
    store.decide(&verdict, now).await.unwrap()
}

async fn approve(ground: &Ground, version: &Version, now: Timestamp) -> Standing {
    decide(&ground.store, version, Decision::Approved, MAI, now)
        .await
        .unwrap()
}

/// Freezes `deliveries` on the strength of `version`.
async fn freeze(store: &Store, deliveries: &[PlannedDelivery], version: &Version) -> u64 {
    let words = content(version.hash.short());
    let frozen: Vec<Frozen> = deliveries
        .iter()
        .map(|delivery| Frozen {
            id: delivery.id.clone(),
            hash: words.hash(),
            host: format!("{}.test:80", delivery.channel),
            can_ask: false,
            approved: Some(Approved {
                bulletin: (BulletinId::parse("gia-danh").unwrap(), version.hash.clone()),
                schedule: None,
                priority: Priority::Priority,
                needed: 1,
            }),
            length: None,
            overrides: None,
            limit: None,
        })
        .collect();
    store.freeze(&[], &frozen, R1, at(1)).await.unwrap()
}

pub(super) async fn a_decision_is_on_record_with_its_version(ground: Ground) {
    let v = version("a", 2);
    let one = approve(&ground, &v, at(1)).await;
    assert!(!one.allows(&v.hash), "an emergency needs two");
    let again = decide(
        &ground.store,
        &v,
        Decision::Approved,
        "trần thị  MAI",
        at(2),
    )
    .await;
    assert_eq!(again, Err(Refusal::Twice));
    let two = decide(&ground.store, &v, Decision::Approved, HOA, at(3)).await;
    assert!(two.unwrap().allows(&v.hash));
    let entries = ground.store.decisions(&v.subject).await.unwrap();
    let told: Vec<_> = entries
        .iter()
        .map(|entry| {
            (
                entry.person.as_str(),
                entry.role.as_str(),
                entry.at,
                entry.decision,
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (MAI, "Lãnh đạo", at(1), Decision::Approved),
            (HOA, "Lãnh đạo", at(3), Decision::Approved)
        ]
    );
    let kept = ground
        .another()
        .await
        .versions(&[v.hash.clone()].into())
        .await
        .unwrap();
    assert_eq!(kept[&v.hash], v);
    let words = content(v.hash.short());
    let stored = ground.store.contents(&[words.hash()]).await.unwrap();
    assert_eq!(
        stored,
        [(words.hash(), words)],
        "the words are kept with the approval"
    );
    let journal = ground.store.journal_rows(None, 10).await.unwrap();
    assert_eq!(
        (journal[0].event.as_str(), journal[0].actor.as_str()),
        ("approved", HOA)
    );
    assert_eq!(
        journal[0].detail,
        format!("bulletin gia-danh {}: vì thế", v.hash.short())
    );
    assert_eq!(
        journal.len(),
        2,
        "what was refused leaves no trace of a decision"
    );
}

pub(super) async fn nothing_of_it_can_be_changed(ground: Ground) {
    let v = version("a", 1);
    approve(&ground, &v, at(1)).await;
    for sql in [
        "UPDATE approval SET person = 'x'",
        "DELETE FROM approval",
        "UPDATE version SET json = '{}'",
        "DELETE FROM version",
    ] {
        let refused = ground.meddle(sql).await.unwrap_err().to_string();
        assert!(refused.contains("append-only"), "{sql}: {refused}");
    }
    // A record that is not what its hash says is never taken for one.
    ground
        .meddle("INSERT INTO version (hash, kind, subject, needed, json, at_us) VALUES ('f00', 'bulletin', 'gia-danh', 1, '{}', 0)")
        .await
        .unwrap();
    let forged = [loa::domain::version::VersionHash::from_store(
        "f00".to_owned(),
    )]
    .into();
    assert!(matches!(
        ground.store.versions(&forged).await,
        Err(StoreError::Corrupt {
            table: "version",
            ..
        })
    ));
}

pub(super) async fn only_what_is_approved_is_frozen(ground: Ground) {
    let (a, b) = (version("a", 1), version("b", 1));
    let deliveries = [planned("loa-1", 100), planned("loa-2", 100)];
    ground.store.plan(&deliveries, R1, at(0)).await.unwrap();
    assert_eq!(
        freeze(&ground.store, &deliveries, &a).await,
        0,
        "nobody has said yes"
    );
    approve(&ground, &a, at(1)).await;
    assert_eq!(
        freeze(&ground.store, &deliveries, &b).await,
        0,
        "not to this"
    );
    assert_eq!(freeze(&ground.store, &deliveries, &a).await, 2);
    let row = ground.row(&deliveries[0].id).await;
    assert_eq!(
        (row.state, row.priority),
        (State::Ready, Priority::Priority)
    );
    // Another version takes its place: what has not begun is frozen again.
    approve(&ground, &b, at(2)).await;
    assert_eq!(ground.state(&deliveries[0].id).await.0, State::Planned);
    assert_eq!(freeze(&ground.store, &deliveries, &a).await, 0);
    assert_eq!(freeze(&ground.store, &deliveries, &b).await, 2);
    ground.is_sound().await;
}

pub(super) async fn a_return_stops_what_was_frozen_and_what_is_tried_again(ground: Ground) {
    let v = version("a", 1);
    let other = PlannedDelivery {
        bulletin: Some(BulletinId::parse("khac").unwrap()),
        ..planned_by("khac", "web-9", 100)
    };
    // There would be time for another try elsewhere on the day.
    let heard = |number| PlannedDelivery {
        length: Some(Duration::from_secs(30)),
        latest: Some(at(900)),
        ..planned(&format!("loa-{number}"), 100)
    };
    let deliveries: Vec<_> = (1..=4).map(heard).collect();
    ground.store.plan(&deliveries, R1, at(0)).await.unwrap();
    ground
        .store
        .plan(&[other.clone()], R1, at(0))
        .await
        .unwrap();
    approve(&ground, &v, at(1)).await;
    assert_eq!(freeze(&ground.store, &deliveries, &v).await, 4);
    ground.freeze(R1).await;
    let claimed = ground.turn(at(100), &[], 3).await.claimed;
    // One will be tried again, one is in doubt and will be tried again, one is on its way.
    let ends = [
        end(&claimed[0], Outcome::Retry, State::Ready),
        end(&claimed[1], Outcome::Unknown, State::Ready),
    ];
    ground.turn(at(106), &ends, 0).await;
    decide(&ground.store, &v, Decision::Returned, HOA, at(107))
        .await
        .unwrap();
    let state = async |id| ground.state(id).await;
    assert_eq!(
        state(&claimed[0].id).await,
        (State::Failed, Some(Reason::Unapproved))
    );
    assert_eq!(
        state(&claimed[1].id).await,
        (State::Unknown, Some(Reason::Unapproved))
    );
    assert_eq!(state(&claimed[2].id).await.0, State::Sending);
    let left = deliveries
        .iter()
        .find(|delivery| claimed.iter().all(|claimed| claimed.id != delivery.id))
        .unwrap();
    assert_eq!(
        state(&left.id).await.0,
        State::Planned,
        "to be judged again"
    );
    assert_eq!(
        state(&other.id).await.0,
        State::Ready,
        "of no concern to it"
    );
    // What was on its way does not get another try.
    ground
        .turn(
            at(108),
            &[end(&claimed[2], Outcome::Retry, State::Ready)],
            0,
        )
        .await;
    let turn = ground.turn(at(130), &[], 10).await.claimed;
    assert!(
        turn.iter().all(|claimed| claimed.id == other.id),
        "{turn:?}"
    );
    ground.store.expire(NODE, at(130)).await.unwrap();
    assert_eq!(state(&claimed[2].id).await.0, State::Failed);
    ground.is_sound().await;
}

pub(super) async fn what_was_skipped_for_want_of_it_is_taken_up_again(ground: Ground) {
    let v = version("a", 1);
    let (past, future, by_policy) = (
        planned("loa-1", 100),
        planned("loa-2", 200),
        planned("loa-3", 200),
    );
    let all = [past.clone(), future.clone(), by_policy.clone()];
    ground.store.plan(&all, R1, at(0)).await.unwrap();
    let skip = async |delivery: &PlannedDelivery, reason| {
        let ids = [delivery.id.clone()];
        ground
            .store
            .end_unbegun(&ids, State::Skipped, reason, "vì", at(50))
            .await
            .unwrap();
    };
    skip(&past, Reason::Unapproved).await;
    skip(&future, Reason::Unapproved).await;
    skip(&by_policy, Reason::Policy).await;
    ground.store.plan(&all, R1, at(60)).await.unwrap();
    assert_eq!(
        ground.state(&future.id).await.0,
        State::Skipped,
        "planning again changes nothing"
    );
    approve(&ground, &v, at(150)).await;
    assert_eq!(ground.state(&future.id).await, (State::Planned, None));
    assert_eq!(
        ground.state(&past.id).await,
        (State::Skipped, Some(Reason::Unapproved))
    );
    assert_eq!(
        ground.state(&by_policy.id).await,
        (State::Skipped, Some(Reason::Policy))
    );
    assert!(
        ground
            .events(&future.id)
            .await
            .iter()
            .any(|(event, _)| event == "taken-up")
    );
    ground.is_sound().await;
}

pub(super) async fn a_schedule_stands_for_itself(ground: Ground) {
    let subject = Subject::Schedule(ScheduleId::parse("gia-danh").unwrap());
    let v = version("a", 1);
    approve(&ground, &v, at(1)).await;
    let standings = ground
        .store
        .standings(&[subject.clone(), v.subject.clone()].into())
        .await
        .unwrap();
    assert!(standings[&v.subject].allows(&v.hash));
    assert_eq!(
        standings[&subject],
        Standing::default(),
        "of the same id, and another thing"
    );
}

pub(super) async fn the_sample_is_approved_in_simulation_only(ground: Ground) {
    let v = version("a", 2);
    let names = ["mẫu".to_owned(), "mẫu hai".to_owned()];
    let by = SampleApprovers {
        names: &names,
        role: "mô phỏng",
        remark: "tự động",
    };
    let refused = ground.store.approve_sample(&v, &[], by, at(1)).await;
    assert!(
        matches!(refused, Err(StoreError::WrongWorld { .. })),
        "{refused:?}"
    );
    assert_eq!(ground.store.decisions(&v.subject).await.unwrap(), []);
    ground
        .meddle("UPDATE meta SET value = 'simulated' WHERE key = 'world'")
        .await
        .unwrap();
    let store = Store::open(&ground.url, World::Simulated, false)
        .await
        .unwrap();
    assert!(store.approve_sample(&v, &[], by, at(1)).await.unwrap());
    assert!(
        !store.approve_sample(&v, &[], by, at(2)).await.unwrap(),
        "once is enough"
    );
    decide(&store, &v, Decision::Returned, MAI, at(3))
        .await
        .unwrap();
    assert!(
        !store.approve_sample(&v, &[], by, at(4)).await.unwrap(),
        "a person has decided"
    );
}

pub(super) async fn a_retraction_calls_off_and_corrects(ground: Ground) {
    let v = version("a", 1);
    let carried = [planned("loa-1", 100), planned("web-1", 100)];
    let (failed, waiting) = (planned("loa-2", 100), planned("loa-1", 500));
    let on_its_way = planned("loa-3", 100);
    let all: Vec<_> = carried
        .iter()
        .chain([&failed, &waiting, &on_its_way])
        .cloned()
        .collect();
    ground.store.plan(&all, R1, at(0)).await.unwrap();
    approve(&ground, &v, at(1)).await;
    assert_eq!(freeze(&ground.store, &all, &v).await, 5);
    let claimed = ground.turn(at(100), &[], 4).await.claimed;
    assert_eq!(claimed.len(), 4);
    let ends: Vec<_> = claimed
        .iter()
        .filter_map(|claimed| match claimed.channel.as_str() {
            "loa-3" => None,
            "loa-2" => Some(end(claimed, Outcome::Rejected, State::Failed)),
            _ => Some(accepted(claimed)),
        })
        .collect();
    ground.turn(at(106), &ends, 0).await;
    let retraction = Retraction {
        bulletin: &BulletinId::parse("gia-danh").unwrap(),
        version: &v,
        contents: &[],
        revision: R1,
        person: MAI,
        role: "Lãnh đạo",
        reason: "sai số",
    };
    let correct = |carried: &[DeliveryRow], on_air: Vec<OnAir>| {
        // What was called off is not on air any more.
        assert!(on_air.iter().all(|one| one.id != waiting.id), "{on_air:?}");
        let schedule = ScheduleId::correction("x");
        let correction = |row: &DeliveryRow| PlannedDelivery {
            due: at(200),
            deadline: at(200) + PATIENCE,
            ..planned_by(schedule.as_str(), row.channel.as_str(), 200)
        };
        Sending {
            deliveries: carried.iter().map(correction).collect(),
            settled: Settled::default(),
        }
    };
    let day = (at(0), at(100_000));
    let taken = ground
        .store
        .retract(&retraction, (at(200), day), correct)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(taken.called_off, 1);
    let channels: Vec<_> = taken
        .corrections
        .iter()
        .map(|one| one.channel.as_str())
        .collect();
    assert_eq!(
        channels,
        ["loa-1", "loa-3", "web-1"],
        "whoever has it or may get it"
    );
    let off = ground.row(&waiting.id).await;
    assert_eq!(
        (off.state, off.reason),
        (State::Cancelled, Some(Reason::ByHand))
    );
    assert_eq!(
        (off.closed_by.as_deref(), off.detail.as_deref()),
        (Some(MAI), Some("sai số"))
    );
    assert!(off.deadline > at(200), "what was decided stays readable");
    // It cannot be frozen any more, and cannot be taken back twice.
    ground
        .store
        .plan(&[planned("loa-4", 600)], R1, at(201))
        .await
        .unwrap();
    assert_eq!(freeze(&ground.store, &[planned("loa-4", 600)], &v).await, 0);
    let again = ground
        .store
        .retract(&retraction, (at(202), day), correct)
        .await
        .unwrap();
    assert_eq!(again, Err(Refusal::Retracted));
    // What came to nothing is sent once more by the same command, and calls nothing off.
    let over = at(201) + PATIENCE;
    assert_eq!(ground.store.expire(NODE, over).await.unwrap().len(), 3);
    let correct_again = |carried: &[DeliveryRow], _: Vec<OnAir>| {
        let schedule = ScheduleId::correction("y");
        let correction =
            |row: &DeliveryRow| planned_by(schedule.as_str(), row.channel.as_str(), 900);
        Sending {
            deliveries: carried.iter().map(correction).collect(),
            settled: Settled::default(),
        }
    };
    let once_more = || {
        ground
            .store
            .retract(&retraction, (over, day), correct_again)
    };
    let taken = once_more().await.unwrap().unwrap();
    assert_eq!((taken.called_off, taken.corrections.len()), (0, 3));
    assert_eq!(once_more().await.unwrap(), Err(Refusal::Retracted));
    assert_eq!(
        decide(&ground.store, &v, Decision::Approved, HOA, at(203)).await,
        Err(Refusal::Dead)
    );
    let actors: Vec<_> = ground.store.journal_rows(None, 50).await.unwrap();
    assert!(
        actors
            .iter()
            .any(|line| line.event == "retracted" && line.actor == MAI)
    );
    assert_eq!(ground.row(&claimed[0].id).await.attempts, 1);
    ground.is_sound().await;
}

/// A return and a freeze at the same moment: whichever comes first, nothing is ready in the end.
pub(super) async fn a_return_and_a_freeze_at_once(ground: Ground) {
    let (one, other) = (ground.another().await, ground.another().await);
    for round in 0..20 {
        let v = version(&format!("r{round}"), 1);
        let deliveries: Vec<_> = (0..20)
            .map(|n| planned(&format!("loa-{n}"), 1_000 + round))
            .collect();
        ground.store.plan(&deliveries, R1, at(0)).await.unwrap();
        approve(&ground, &v, at(1)).await;
        let (_, returned) = tokio::join!(
            freeze(&one, &deliveries, &v),
            decide(&other, &v, Decision::Returned, HOA, at(2))
        );
        returned.unwrap();
        for delivery in &deliveries {
            let state = ground.state(&delivery.id).await.0;
            assert_eq!(state, State::Planned, "round {round}");
        }
    }
}

/// Two approvers at the same moment on two nodes count as two; one person on two nodes counts as one.
pub(super) async fn approvals_from_two_nodes_at_once(ground: Ground) {
    let (one, other) = (ground.another().await, ground.another().await);
    let v = version("hai", 2);
    let both = tokio::join!(
        decide(&one, &v, Decision::Approved, MAI, at(1)),
        decide(&other, &v, Decision::Approved, "TRẦN THỊ MAI", at(1))
    );
    let refused = [&both.0, &both.1]
        .into_iter()
        .filter(|one| **one == Err(Refusal::Twice));
    assert_eq!(refused.count(), 1, "{both:?}");
    let w = version("hai nữa", 2);
    let both = tokio::join!(
        decide(&one, &w, Decision::Approved, MAI, at(2)),
        decide(&other, &w, Decision::Approved, HOA, at(2))
    );
    let counted = [both.0.unwrap(), both.1.unwrap()];
    assert_eq!(counted.iter().filter(|one| one.allows(&w.hash)).count(), 1);
    let standings = one.standings(&[w.subject.clone()].into()).await.unwrap();
    assert!(standings[&w.subject].allows(&w.hash));
}
