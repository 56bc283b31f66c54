//! A place beside what is on record, against trying every minute: whoever looks for one passes over no minute that would have done. What
//! is in the way may end within a minute, so both may be one minute apart.

use std::time::Duration;

use loa::domain::{
    bulletin::Priority,
    id::{BulletinId, ChannelId, DeliveryId, ScheduleId, WardId},
    plan::air::{Air, OnAir},
    policy::{Policy, Rule, Sessions, Spoken},
    time::Timestamp,
};

use super::{at, city, rule};
use crate::support::dice::Dice;

const MINUTE: Duration = Duration::from_mins(1);

fn on_air(schedule: &str, (ward, channel): (&str, &str), from: Timestamp, minutes: u32) -> OnAir {
    let schedule = ScheduleId::from_store(schedule);
    let channel = ChannelId::parse(channel).unwrap();
    OnAir {
        id: DeliveryId::of(&schedule, from, &channel),
        schedule,
        scheduled: from,
        part: 0,
        bulletin: Some(BulletinId::parse("mot").unwrap()),
        ward: WardId::parse(ward).unwrap(),
        channel_name: channel.to_string(),
        channel,
        priority: Priority::Normal,
        from,
        length: MINUTE * minutes,
        deadline: from + MINUTE * 10,
        is_begun: false,
        is_open: true,
    }
}

#[test]
fn no_minute_that_would_have_done_is_passed_over() {
    const PLACES: [(&str, &str); 3] = [
        ("hung-binh", "loa-hb-1"),
        ("hung-binh", "loa-hb-2"),
        ("le-loi", "loa-ll-1"),
    ];
    let mut dice = Dice(0xa1);
    let mut workspace = city("schedules: {}\n", &[]);
    let midnight = at("2024-03-25T00:00:00");
    let (mut at_once, mut later, mut never) = (0, 0, 0);
    for round in 0..60 {
        let sessions = |dice: &mut Dice| Sessions {
            per_day: Some(1 + dice.below(4)),
            gap: MINUTE * (5 + dice.below(20)),
            ..Sessions::default()
        };
        let hours = [(5 * 60, 11 * 60 + dice.below(60)), (14 * 60, 22 * 60)];
        let lenient = Rule {
            exempt: vec![Priority::Normal],
            ..rule("Không ràng buộc", &hours, sessions(&mut dice))
        };
        workspace.policy = Policy {
            rules: vec![rule("Giờ loa", &hours, sessions(&mut dice)), lenient],
        };
        let items: Vec<OnAir> = (0..dice.below(8))
            .map(|number| {
                let place = PLACES[dice.below(3) as usize];
                let from = midnight + MINUTE * (300 + dice.below(1_000));
                let mut item = on_air(&format!("s{number}"), place, from, 1 + dice.below(8));
                item.priority = [Priority::Normal, Priority::Priority][dice.below(2) as usize];
                item
            })
            .collect();
        let from = midnight + MINUTE * (300 + dice.below(700));
        let wish = on_air("send.1", PLACES[0], from, 1 + dice.below(6));
        let latest = from + MINUTE * dice.below(12 * 60);
        let air = Air::new(&workspace, items);
        let does = |begin: Timestamp| {
            let there = OnAir {
                from: begin,
                ..wish.clone()
            };
            air.place(&there, begin, false).is_ok()
        };
        let first = (0..12 * 60)
            .map(|minute| from + MINUTE * minute)
            .take_while(|begin| *begin <= latest)
            .find(|begin| does(*begin));
        match air.place(&wish, latest, false) {
            Ok(place) => {
                assert!(does(place.from), "round {round}");
                assert!(
                    first.is_none_or(|first| place.from < first + MINUTE),
                    "round {round}: {first:?}"
                );
                if place.from == from {
                    at_once += 1;
                } else {
                    later += 1;
                }
            }
            Err(refused) => {
                assert!(
                    first.is_none_or(|first| latest < first + MINUTE),
                    "round {round}: {first:?} {refused:?}"
                );
                never += 1;
            }
        }
    }
    assert!(
        at_once > 5 && later > 5 && never > 5,
        "{at_once} {later} {never}"
    );
}

/// A part of a session: when its parts begin, the schedule names one instant.
fn part(number: u16, priority: Priority, begin: Timestamp) -> OnAir {
    let first = at("2024-03-25T05:30:00");
    let place = ("hung-binh", "loa-hb-1");
    OnAir {
        id: DeliveryId::from_text(&format!("part-{number}")),
        part: number,
        priority,
        from: begin,
        ..on_air("ban-tin", place, first, 3)
    }
}

#[test]
fn a_session_of_several_priorities_counts_as_its_least_urgent_and_stands_as_its_most_urgent_part() {
    let mut workspace = city("schedules: {}\n", &[]);
    let first = at("2024-03-25T05:30:00");
    let second = first + Duration::from_secs(185);
    let over = second + MINUTE * 3;
    let session = |urgent| [part(0, Priority::Normal, first), part(1, urgent, second)];
    let place = ("hung-binh", "loa-hb-1");
    let begin = at("2024-03-25T05:37:00");
    let wish = on_air("send.1", place, begin, 2);

    // To a rule that makes an exception for the one part it is still a session of six minutes.
    let sessions = Sessions {
        longest: Some(MINUTE * 7),
        gap: MINUTE * 3,
        ..Sessions::default()
    };
    let held = rule("Giờ loa", &[(0, 24 * 60)], sessions);
    workspace.policy.rules = vec![held];
    let air = Air::new(&workspace, session(Priority::Emergency));
    let beside = air.beside(&wish.ward, &wish.id, begin);
    let whole = Spoken {
        span: (first, over),
        priority: Priority::Normal,
    };
    assert_eq!(beside, [whole]);
    let refused = air.place(&wish, begin, false).unwrap_err();
    let detail = refused.why.detail.unwrap_or_default();
    assert!(
        detail.starts_with("session-too-long rule=Giờ loa; document=QĐ 1, 2024; length=9:00"),
        "{detail}"
    );

    // What is as urgent as its most urgent part takes no part of it away.
    workspace.policy.rules.clear();
    let air = Air::new(&workspace, session(Priority::Priority));
    let send = |priority| OnAir {
        priority,
        ..on_air("send.1", place, first, 2)
    };
    let found = air.place(&send(Priority::Priority), first + MINUTE * 20, false);
    assert!(found.is_ok_and(|place| place.from >= over));
    let gives_way = |priority| {
        let settled = air.settle(&[send(priority)]);
        settled
            .gives_way
            .into_iter()
            .map(|one| one.part)
            .collect::<Vec<_>>()
    };
    assert_eq!(gives_way(Priority::Priority), [0; 0]);
    assert_eq!(gives_way(Priority::Emergency), [0]);
}
