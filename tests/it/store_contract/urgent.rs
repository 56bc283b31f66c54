//! Emergencies: what they overtake, and what they may interrupt.

use std::{collections::BTreeSet, time::Duration};

use loa::{
    domain::{
        bulletin::Priority,
        delivery::{Outcome, State},
        id::{BulletinId, ScheduleId},
        message::Playing,
        plan::PlannedDelivery,
    },
    store::{Claimed, Finished},
};

use super::ground::{Ground, R1, accepted, at, end, ids, planned, planned_by};

pub(super) async fn an_emergency_overtakes_what_is_not_being_sent(ground: Ground) {
    let of = |channel: &str, due, priority| PlannedDelivery {
        priority,
        ..planned(channel, due)
    };
    let first = of("web-1", 100, Priority::Normal);
    let urgent = of("web-1", 110, Priority::Emergency);
    let later = of("web-1", 111, Priority::Emergency);
    ground
        .ready(&[first.clone(), urgent.clone(), later.clone()])
        .await;
    // One at a time all the same, and emergencies among themselves in their order.
    let turn = ground.turn(at(120), &[], 10).await;
    assert_eq!(ids(&turn.claimed), [urgent.id]);
    let turn = ground
        .turn(at(121), &[accepted(&turn.claimed[0])], 10)
        .await;
    assert_eq!(ids(&turn.claimed), [later.id]);
    let turn = ground
        .turn(at(122), &[accepted(&turn.claimed[0])], 10)
        .await;
    assert_eq!(ids(&turn.claimed), [first.id]);
    // What is being sent is waited for.
    ground.ready(&[of("web-1", 123, Priority::Emergency)]).await;
    assert!(ground.turn(at(124), &[], 10).await.claimed.is_empty());
    ground.is_sound().await;
}

pub(super) async fn a_correction_waits_behind_its_own_bulletin_only(ground: Ground) {
    let of = |schedule: &ScheduleId, bulletin: &str, channel: &str, due| PlannedDelivery {
        bulletin: Some(BulletinId::parse(bulletin).unwrap()),
        ..planned_by(schedule.as_str(), channel, due)
    };
    let (plain, corrects) = (ScheduleId::by_hand("a"), ScheduleId::correction("sai"));
    let wrong = of(&plain, "sai", "web-1", 100);
    let other = of(&plain, "khac", "web-1", 101);
    let correction = of(&corrects, "sai", "web-1", 110);
    // What is heard has its times, and keeps them.
    let length = Some(Duration::from_mins(1));
    let spoken = [
        of(&plain, "khac", "loa-1", 101),
        of(&corrects, "sai", "loa-1", 110),
    ]
    .map(|planned| PlannedDelivery { length, ..planned });
    let all = [wrong.clone(), other.clone(), correction.clone()];
    ground.ready(&[&all[..], &spoken[..]].concat()).await;
    let turn = ground.turn(at(120), &[], 10).await;
    let claimed: BTreeSet<_> = ids(&turn.claimed).into_iter().collect();
    assert_eq!(
        claimed,
        BTreeSet::from([wrong.id.clone(), spoken[0].id.clone()])
    );
    // One at a time all the same. What is heard is held for hours, and what is read then, too.
    let held = |claimed: &Claimed| Finished {
        next_at: Some(at(20_000)),
        ..end(claimed, Outcome::Retry, State::Ready)
    };
    let ends: Vec<_> = turn
        .claimed
        .iter()
        .map(|one| {
            if one.id == wrong.id {
                accepted(one)
            } else {
                held(one)
            }
        })
        .collect();
    let turn = ground.turn(at(121), &ends, 10).await;
    assert_eq!(ids(&turn.claimed), [other.id]);
    let turn = ground.turn(at(122), &[held(&turn.claimed[0])], 10).await;
    assert_eq!(ids(&turn.claimed), [correction.id]);
    ground.is_sound().await;
}

pub(super) async fn what_may_be_playing(ground: Ground) {
    let of = |channel: &str, due, priority| PlannedDelivery {
        priority,
        length: Some(Duration::from_mins(1)),
        ..planned(channel, due)
    };
    let planned = [
        of("loa-1", 100, Priority::Normal),
        of("loa-2", 100, Priority::Emergency),
        of("loa-3", 100, Priority::Normal),
    ];
    ground.ready(&planned).await;
    let claimed = ground.turn(at(100), &[], 10).await.claimed;
    let ends: Vec<_> = claimed
        .iter()
        .filter(|claimed| claimed.channel.as_str() != "loa-3")
        .map(accepted)
        .collect();
    ground.turn(at(102), &ends, 0).await;
    let urgent = ["loa-1", "loa-2", "loa-3"].map(|channel| of(channel, 110, Priority::Emergency));
    // Of the same bulletin, and of another one.
    let correction = |bulletin: &str, from: u32| PlannedDelivery {
        bulletin: Some(BulletinId::parse(bulletin).unwrap()),
        length: Some(Duration::from_mins(1)),
        ..planned_by(ScheduleId::correction(bulletin).as_str(), "loa-1", from)
    };
    let own = planned[0].bulletin.clone().unwrap();
    let (corrects, other) = (correction(own.as_str(), 111), correction("khac", 112));
    let all = [&urgent[..], &[corrects.clone(), other.clone()]].concat();
    ground.store.plan(&all, R1, at(103)).await.unwrap();
    let urgent: Vec<_> = urgent.iter().map(|urgent| &urgent.id).collect();
    let playing = |now| ground.store.playing(&urgent, at(now));
    let what = Playing {
        delivery: planned[0].id.clone(),
        receipt: Some("r-1".to_owned()),
    };
    let one = [(planned[0].channel.clone(), what)];
    assert_eq!(
        playing(110).await.unwrap(),
        one,
        "not the emergency, nor what nobody took"
    );
    assert_eq!(
        ground.store.playing(&urgent[1..], at(110)).await.unwrap(),
        []
    );
    let corrected = ground.store.playing(&[&corrects.id], at(110)).await;
    assert_eq!(corrected.unwrap(), one, "what it corrects");
    let nothing = ground.store.playing(&[&other.id], at(110)).await;
    assert_eq!(nothing.unwrap(), [], "it corrects something else");
    assert_eq!(playing(300).await.unwrap(), [], "it is over");
}
