//! A place beside what is on record, against trying every minute: whoever looks for one passes over no minute that would have done. What
//! is in the way may end within a minute, so both may be one minute apart.

use std::time::Duration;

use loa::domain::{
    bulletin::Priority,
    id::{BulletinId, ChannelId, DeliveryId, ScheduleId, WardId},
    plan::air::{Air, OnAir, again::Stranded},
    policy::{Policy, Rule, Sessions, Span, Spoken},
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

/// A minute in which `wish`, which was tried before, could begin: inside the hours, and over nothing that anybody hears.
fn is_free(wish: &OnAir, begin: Timestamp, items: &[OnAir], hours: &[Span]) -> bool {
    let pause = Duration::from_secs(5);
    let over = begin + wish.length;
    let is_open = hours
        .iter()
        .any(|(from, until)| *from <= begin && over <= *until);
    is_open
        && items.iter().all(|other| {
            let spare = if other.is_begun {
                Duration::ZERO
            } else {
                other.length / 20
            };
            begin >= other.from + other.length + spare + pause
                || other.from >= over + wish.length / 20 + pause
        })
}

#[test]
fn what_is_tried_again_takes_nobody_s_place_and_the_first_that_is_free() {
    const PLACES: [(&str, &str); 3] = [
        ("hung-binh", "loa-hb-1"),
        ("hung-binh", "loa-hb-2"),
        ("le-loi", "loa-ll-1"),
    ];
    let mut dice = Dice(0xa9);
    let mut workspace = city("schedules: {}\n", &[]);
    let midnight = at("2024-03-25T00:00:00");
    let urgency = [Priority::Normal, Priority::Priority];
    let (mut at_once, mut later, mut never) = (0, 0, 0);
    for round in 0..200 {
        let until = 8 * 60 + dice.below(120);
        let rules = vec![rule(
            "Giờ loa",
            &[(5 * 60, until), (14 * 60, 22 * 60)],
            Sessions::default(),
        )];
        workspace.policy = Policy { rules };
        let minute = |number: u32| midnight + MINUTE * number;
        let hours = [
            (minute(5 * 60), minute(until)),
            (minute(14 * 60), minute(22 * 60)),
        ];
        let from = minute(300 + dice.below(until - 300));
        let items: Vec<OnAir> = (0..4 + dice.below(20))
            .map(|number| OnAir {
                priority: urgency[dice.below(2) as usize],
                is_begun: dice.below(4) == 0,
                ..on_air(
                    &format!("s{number}"),
                    PLACES[dice.below(3) as usize],
                    from + MINUTE * dice.below(60),
                    1 + dice.below(4),
                )
            })
            .collect();
        let wish = OnAir {
            priority: urgency[dice.below(2) as usize],
            is_begun: true,
            ..on_air("send.1", PLACES[0], from, 1 + dice.below(3))
        };
        let now = from + MINUTE * dice.below(2);
        let latest = from + MINUTE * (1 + dice.below(90));
        let stranded = [Stranded {
            id: wish.id.clone(),
            due: from,
            latest,
            detail: String::new(),
        }];
        let on_record = items.iter().cloned().chain([wish.clone()]);
        let again = Air::new(&workspace, on_record).place_again(&stranded, now);
        let minutes = (0..90).map(|number| now + MINUTE * number);
        let first = minutes
            .take_while(|begin| *begin < latest)
            .find(|begin| is_free(&wish, *begin, &items, &hours));
        assert!(
            again.settled.gives_way.is_empty(),
            "round {round}: {again:?}"
        );
        let Some(there) = again.placed.first() else {
            assert_eq!(again.hopeless, [wish.id], "round {round}");
            // What ends with the hours has no moment to spare for its call.
            assert!(
                first.is_none_or(|first| first + wish.length == hours[0].1),
                "round {round}: {first:?}"
            );
            never += 1;
            continue;
        };
        let begin = there.due;
        assert!(now <= begin && begin < there.deadline && there.deadline <= latest);
        assert!(
            is_free(&wish, begin, &items, &hours),
            "round {round}: {there:?}"
        );
        let spared = begin + wish.length == hours[0].1;
        assert!(
            first.is_none_or(|first| begin < first + MINUTE) || spared,
            "round {round}: {first:?} {there:?}"
        );
        for next in items.iter().filter(|next| begin < next.from) {
            let last = next.from.max(begin + wish.length);
            assert!(
                there.deadline + wish.length <= last,
                "round {round}: {next:?} {there:?}"
            );
        }
        if begin == now {
            at_once += 1;
        } else {
            later += 1;
        }
    }
    assert!(
        at_once > 10 && later > 10 && never > 10,
        "{at_once} {later} {never}"
    );
}

#[test]
fn an_emergency_that_is_tried_again_waits_for_nothing() {
    let workspace = city("schedules: {}\n", &[]);
    let from = at("2024-03-25T05:30:00");
    let place = ("hung-binh", "loa-hb-1");
    let other = on_air("s", ("le-loi", "loa-ll-1"), from, 5);
    let of = |priority| {
        let wish = OnAir {
            priority,
            is_begun: true,
            ..on_air("send.1", place, from, 2)
        };
        let stranded = [Stranded {
            id: wish.id.clone(),
            due: from,
            latest: from + MINUTE * 20,
            detail: String::new(),
        }];
        let air = Air::new(&workspace, [other.clone(), wish]);
        let again = air.place_again(&stranded, from + MINUTE);
        let gives_way = again.settled.gives_way.len();
        (again.placed[0].due.since(from).as_secs(), gives_way)
    };
    assert_eq!(of(Priority::Emergency), (60, 1));
    assert_eq!(of(Priority::Priority), (320, 0));
}

/// What is tried again finds a place behind an emergency that is on its way, and that does not have to be over by then.
#[test]
fn nothing_that_is_tried_again_ends_an_emergency_that_waits() {
    let workspace = city("schedules: {}\n", &[]);
    let from = at("2024-03-25T05:31:00");
    let of = |priority| {
        let waits = OnAir {
            priority,
            ..on_air("send.hai", ("hung-binh", "loa-hb-1"), from, 1)
        };
        let wish = OnAir {
            is_begun: true,
            ..on_air("mot", ("hung-binh", "loa-hb-1"), from, 1)
        };
        let stranded = [Stranded {
            id: wish.id.clone(),
            due: from,
            latest: from + MINUTE * 20,
            detail: String::new(),
        }];
        let id = waits.id.clone();
        let again = Air::new(&workspace, [waits, wish]).place_again(&stranded, from);
        assert!(again.placed[0].due > from + MINUTE);
        let mut bound = again.settled.over_by.iter();
        bound.any(|(bound, _)| *bound == id)
    };
    assert!(of(Priority::Normal));
    assert!(!of(Priority::Emergency));
}

/// What somebody sends by hand for a later time ends nothing that is more urgent than all.
#[test]
fn an_emergency_has_to_be_over_for_another_one_only() {
    let workspace = city("schedules: {}\n", &[]);
    let from = at("2024-03-25T05:33:00");
    let of = |priority, next| {
        let item = OnAir {
            priority,
            ..on_air("send.hai", ("hung-binh", "loa-hb-1"), from, 1)
        };
        let next = OnAir {
            priority: next,
            ..on_air("send.mot", ("hung-binh", "loa-hb-1"), from + MINUTE * 2, 1)
        };
        let air = Air::new(&workspace, [item.clone(), next]);
        air.over_by(&item).map(|limit| limit.over)
    };
    let over = Some(from + MINUTE * 2);
    assert_eq!(of(Priority::Normal, Priority::Normal), over);
    assert_eq!(of(Priority::Emergency, Priority::Emergency), over);
    assert_eq!(of(Priority::Emergency, Priority::Normal), None);
}

#[test]
fn a_part_of_a_session_that_is_tried_again_is_heard_after_the_parts_that_follow() {
    let workspace = city("schedules: {}\n", &[]);
    let first = at("2024-03-25T05:30:00");
    let second = first + Duration::from_secs(200);
    let wish = OnAir {
        is_begun: true,
        ..part(0, Priority::Normal, first)
    };
    let stranded = [Stranded {
        id: wish.id.clone(),
        due: first,
        latest: first + MINUTE * 20,
        detail: String::new(),
    }];
    let air = Air::new(&workspace, [wish, part(1, Priority::Normal, second)]);
    let again = air.place_again(&stranded, first + MINUTE);
    // Three minutes with their reserve, and a pause.
    assert_eq!(again.placed[0].due, second + Duration::from_secs(189 + 5));
}
