//! The plan of a day: what is heard has a length, gives way, keeps to the hours, and is the same however it is asked for.

mod air;
mod reference;
mod target;
mod traps;

use std::time::Duration;

use chrono::{NaiveTime, Weekday};
use loa::domain::{
    airtime::Heard,
    audio::{AudioFormat, Chime},
    bulletin::{Dated, Priority, Source},
    delivery::Reason,
    id::{BulletinId, RuleId, WardId},
    plan::{Plan, PlannedDelivery},
    policy::{Hours, Policy, Rule, Sessions, Window},
    speech::Weight,
    time::Timestamp,
    ward::Validity,
    workspace::Workspace,
};

use crate::support::workspace::{Folder, bulletin};

/// A workspace with these schedules, and bulletins of these lengths in seconds and priorities.
fn city(schedules: &str, bulletins: &[(&str, u64, &str)]) -> Workspace {
    edited(schedules, bulletins, |_| {})
}

fn edited(
    schedules: &str,
    bulletins: &[(&str, u64, &str)],
    edit: impl FnOnce(&Folder),
) -> Workspace {
    let folder = Folder::small();
    folder.write("schedules/lich.yaml", schedules);
    for (id, _, priority) in bulletins {
        let text = bulletin(&format!("lời {id}"));
        let text = text.replace("priority: normal", &format!("priority: {priority}"));
        folder.write(&format!("content/bulletins/{id}.yaml"), &text);
    }
    edit(&folder);
    let mut workspace = folder.load();
    plays_recordings(&mut workspace);
    for (id, seconds, _) in bulletins {
        let id = BulletinId::parse(id).unwrap();
        let length = Duration::from_secs(*seconds);
        let heard = Heard {
            recorded: Some(length),
            ..Heard::default()
        };
        workspace.lengths.insert(id, heard);
    }
    workspace
}

/// Loudspeakers that are sent recordings, without a chime: so that lengths are exact.
fn plays_recordings(workspace: &mut Workspace) {
    workspace.settings.audio.chime = Chime::None;
    for channel in workspace.channels.values_mut() {
        channel.audio = Some(AudioFormat::Wav);
    }
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(&format!("{text}+07:00")).unwrap()
}

/// Monday, 25 March 2024.
fn monday(workspace: &Workspace) -> Vec<PlannedDelivery> {
    Plan::new(workspace)
        .deliveries(at("2024-03-25T00:00:00"), at("2024-03-26T00:00:00"))
        .collect()
}

/// Each delivery as `05:30:00 mot loa-hb-1`, or with its reason and detail where it is skipped.
fn shown(deliveries: &[PlannedDelivery]) -> Vec<String> {
    let show = |delivery: &PlannedDelivery| {
        let due = delivery.due.to_utc() + chrono::TimeDelta::hours(7);
        let bulletin = delivery.bulletin.as_ref().map_or("-", BulletinId::as_str);
        let skip = delivery.skip.as_ref().map_or_else(String::new, |why| {
            let detail = why.detail.as_deref().unwrap_or_default();
            format!(" {}: {detail}", why.reason.as_str())
        });
        let due = due.format("%H:%M:%S");
        format!("{due} {bulletin} {}{skip}", delivery.channel)
    };
    deliveries.iter().map(show).collect()
}

fn schedule(id: &str, at: &str, bulletin: &str, channels: &str, more: &str) -> String {
    format!(
        "  {id}:\n    when: {{ at: [\"{at}\"] }}\n    bulletins: {bulletin}\n    to: {{ channels: [{channels}] }}\n    missed: skip\n{more}"
    )
}

fn schedules(list: &[String]) -> String {
    format!("schedules:\n{}", list.concat())
}

const SOFT: &str = "    start: { soft: { max_wait: 30m } }\n";
const HARD: &str = "    start: hard\n";

fn rule(name: &str, windows: &[(u32, u32)], sessions: Sessions) -> Rule {
    let time = |minute| NaiveTime::from_num_seconds_from_midnight_opt(minute * 60, 0).unwrap();
    let every_day = [
        Weekday::Mon,
        Weekday::Tue,
        Weekday::Wed,
        Weekday::Thu,
        Weekday::Fri,
        Weekday::Sat,
        Weekday::Sun,
    ];
    Rule {
        id: RuleId::parse("quy-dinh").unwrap(),
        name: name.to_owned(),
        document: Source {
            document: "QĐ 1".to_owned(),
            dated: Dated::Year(2024),
        },
        note: None,
        wards: Vec::new(),
        except: Vec::new(),
        valid: Validity::default(),
        windows: Some(
            windows
                .iter()
                .map(|(from, until)| Window {
                    days: every_day.to_vec(),
                    hours: Hours {
                        from: time(*from),
                        until: (*until < 24 * 60).then(|| time(*until)),
                    },
                })
                .collect(),
        ),
        quiet: Vec::new(),
        sessions,
        exempt: vec![Priority::Emergency],
    }
}

#[test]
fn on_one_loudspeaker_the_more_urgent_goes_first_and_the_other_waits() {
    let workspace = city(
        &schedules(&[
            schedule("a", "05:30", "{ only: dai }", "loa-hb-1", SOFT),
            schedule("b", "05:31", "{ only: gap }", "loa-hb-1", SOFT),
        ]),
        &[("dai", 120, "normal"), ("gap", 60, "priority")],
    );
    // A minute and its reserve of three seconds, and five seconds of silence.
    assert_eq!(
        shown(&monday(&workspace)),
        ["05:31:00 gap loa-hb-1", "05:32:08 dai loa-hb-1"]
    );
    let waited = &monday(&workspace)[1];
    assert_eq!(waited.scheduled, at("2024-03-25T05:30:00"));
    assert_eq!(waited.length, Some(Duration::from_mins(2)));
}

#[test]
fn what_must_begin_on_time_is_skipped_and_says_what_was_in_the_way() {
    let workspace = city(
        &schedules(&[
            schedule("a", "05:30", "{ only: dai }", "loa-hb-1", HARD),
            schedule("b", "05:31", "{ only: gap }", "loa-hb-1", HARD),
        ]),
        &[("dai", 120, "normal"), ("gap", 60, "normal")],
    );
    let plan = monday(&workspace);
    assert_eq!(
        shown(&plan),
        [
            "05:30:00 dai loa-hb-1",
            "05:31:00 gap loa-hb-1 collision: collision with=Cảnh giác lời dai; channel=Cụm loa 1 Hưng Bình; from=05:30:00; until=05:32:06"
        ]
    );
    // The skipped one is none that the first has to give way to.
    assert_eq!(plan[0].limit, None);
}

#[test]
fn neighbours_hear_each_other_but_one_chorus_is_no_collision() {
    let two = [
        schedule("a", "05:30", "{ only: dai }", "loa-hb-1, loa-ll-1", SOFT),
        schedule("b", "05:31", "{ only: gap }", "loa-hb-2", SOFT),
    ];
    let lengths = [("dai", 120, "normal"), ("gap", 60, "normal")];
    assert_eq!(
        shown(&monday(&city(&schedules(&two), &lengths))),
        [
            "05:30:00 dai loa-hb-1",
            "05:30:00 dai loa-ll-1",
            "05:32:11 gap loa-hb-2"
        ]
    );
    let apart = [
        schedule("a", "05:30", "{ only: dai }", "loa-hb-1", SOFT),
        schedule("b", "05:31", "{ only: gap }", "loa-ll-1", SOFT),
    ];
    let neighbours = city(&schedules(&apart), &lengths);
    assert_eq!(
        shown(&monday(&neighbours)),
        ["05:30:00 dai loa-hb-1", "05:32:11 gap loa-ll-1"]
    );
    let strangers = edited(&schedules(&apart), &lengths, |folder| {
        folder.edit("channels/wards.yaml", ", neighbours: [le-loi]", "");
        folder.edit("channels/wards.yaml", ", neighbours: [hung-binh]", "");
    });
    assert_eq!(
        shown(&monday(&strangers)),
        ["05:30:00 dai loa-hb-1", "05:31:00 gap loa-ll-1"]
    );
}

#[test]
fn between_equals_the_ward_decides() {
    let both = schedules(&[
        schedule("a", "05:30", "{ only: dai }", "loa-hb-1", SOFT),
        schedule("b", "05:30", "{ only: gap }", "loa-hb-1", SOFT),
    ]);
    let lengths = [("dai", 120, "normal"), ("gap", 60, "normal")];
    assert_eq!(
        shown(&monday(&city(&both, &lengths))),
        ["05:30:00 dai loa-hb-1", "05:32:11 gap loa-hb-1"]
    );
    let decided = edited(&both, &lengths, |folder| {
        folder.edit(
            "channels/wards.yaml",
            "name: Hưng Bình,",
            "name: Hưng Bình, first: [b],",
        );
    });
    assert_eq!(
        shown(&monday(&decided)),
        ["05:30:00 gap loa-hb-1", "05:31:08 dai loa-hb-1"]
    );
}

#[test]
fn nothing_begins_or_ends_outside_the_hours() {
    let mut workspace = city(
        &schedules(&[
            schedule("a", "05:20", "{ only: dai }", "loa-hb-1", SOFT),
            schedule("b", "06:59", "{ only: dai }", "loa-hb-1", SOFT),
            schedule("c", "12:00", "{ only: khan }", "loa-hb-1", HARD),
            schedule("d", "12:00", "{ only: gap }", "web-hb", ""),
        ]),
        &[
            ("dai", 120, "normal"),
            ("gap", 60, "normal"),
            ("khan", 60, "emergency"),
        ],
    );
    workspace.policy = Policy {
        rules: vec![rule(
            "Giờ loa",
            &[(5 * 60 + 30, 7 * 60)],
            Sessions::default(),
        )],
    };
    let plan = monday(&workspace);
    assert_eq!(
        shown(&plan),
        [
            "05:30:00 dai loa-hb-1",
            "06:59:00 dai loa-hb-1 policy: outside-hours rule=Giờ loa; document=QĐ 1, 2024; from=06:59:00; until=07:01:00",
            "12:00:00 khan loa-hb-1",
            "12:00:00 gap web-hb",
        ]
    );
    // It may begin late, but not so late that it would not be over at seven.
    let limit = plan[0].limit.as_ref().unwrap();
    assert_eq!(
        (limit.over, limit.why.reason),
        (at("2024-03-25T07:00:00"), Reason::Policy)
    );
    assert_eq!(plan[0].deadline, at("2024-03-25T05:40:00"));
    assert_eq!(
        plan[2].limit, None,
        "the rule does not hold for emergencies"
    );
}

#[test]
fn a_deadline_leaves_time_to_be_over() {
    let mut workspace = city(
        &schedules(&[schedule("a", "06:55", "{ only: dai }", "loa-hb-1", SOFT)]),
        &[("dai", 120, "normal")],
    );
    let hours = rule("Giờ loa", &[(330, 420)], Sessions::default());
    let stricter = Rule {
        wards: vec![WardId::parse("hung-binh").unwrap()],
        ..rule("Bệnh viện", &[(330, 418)], Sessions::default())
    };
    workspace.policy = Policy {
        rules: vec![hours, stricter],
    };
    let plan = monday(&workspace);
    assert_eq!(plan[0].deadline, at("2024-03-25T06:56:00"));
    let why = &plan[0].limit.as_ref().unwrap().why;
    assert!(
        why.detail.as_deref().unwrap().contains("rule=Bệnh viện"),
        "{why:?}"
    );
}

#[test]
fn amounts_are_those_of_an_area_and_a_day() {
    let all: Vec<String> = ["05:30", "05:33", "06:00", "17:00"]
        .into_iter()
        .zip(["a", "b", "c", "d"])
        .map(|(at, id)| schedule(id, at, "{ only: dai }", "loa-hb-1, loa-hb-2", HARD))
        .collect();
    let planned = |sessions| {
        let mut workspace = city(&schedules(&all), &[("dai", 120, "normal")]);
        workspace.policy.rules = vec![rule("Giờ loa", &[(0, 1439)], sessions)];
        let plan = monday(&workspace);
        let skipped = plan.iter().filter_map(|delivery| delivery.skip.clone());
        let codes = skipped.map(|why| why.detail.unwrap().split(' ').next().unwrap().to_owned());
        (plan.len(), codes.collect::<Vec<_>>())
    };
    let none = Sessions::default();
    assert_eq!(planned(none), (8, vec![]));
    // 05:30 and 05:33 are one session, and both loudspeakers of a ward are heard together.
    let two = Sessions {
        per_day: Some(2),
        ..none
    };
    assert_eq!(planned(two), (8, vec!["too-many-sessions".to_owned(); 2]));
    let short = Sessions {
        longest: Some(Duration::from_mins(4)),
        ..none
    };
    assert_eq!(planned(short), (8, vec!["session-too-long".to_owned(); 2]));
    let day = Sessions {
        longest_day: Some(Duration::from_mins(7)),
        ..none
    };
    assert_eq!(planned(day), (8, vec!["day-too-long".to_owned(); 2]));
}

#[test]
fn a_session_is_several_broadcasts_with_silence_between_them() {
    let session = "{ session: { ident: hieu, parts: [{ only: dai }, { rotate: { list: [gap, dai] } }], gap: 4s } }";
    let lengths = [
        ("hieu", 20, "normal"),
        ("dai", 120, "normal"),
        ("gap", 60, "normal"),
    ];
    let list = schedules(&[schedule("a", "05:30", session, "loa-hb-1", HARD)]);
    let workspace = city(&list, &lengths);
    let plan = monday(&workspace);
    // 84 days after the first of January 2024: an even turn.
    assert_eq!(
        shown(&plan),
        [
            "05:30:00 hieu loa-hb-1",
            "05:30:25 dai loa-hb-1",
            "05:32:35 gap loa-hb-1"
        ]
    );
    assert_eq!(
        plan.iter()
            .map(|delivery| delivery.part)
            .collect::<Vec<_>>(),
        [0, 1, 2]
    );
    let ids: std::collections::BTreeSet<_> = plan.iter().map(|delivery| &delivery.id).collect();
    assert_eq!(ids.len(), 3);

    let mut narrow = city(&list, &lengths);
    let sessions = Sessions {
        longest: Some(Duration::from_mins(3)),
        ..Sessions::default()
    };
    narrow.policy.rules = vec![rule("Giờ loa", &[(0, 1439)], sessions)];
    let plan = monday(&narrow);
    let skipped: Vec<bool> = plan
        .iter()
        .map(|delivery| delivery.skip.is_some())
        .collect();
    assert_eq!(skipped.iter().filter(|skipped| **skipped).count(), 1);
    let sessions = Sessions {
        longest: Some(Duration::from_mins(1)),
        ..Sessions::default()
    };
    narrow.policy.rules = vec![rule("Giờ loa", &[(0, 1439)], sessions)];
    assert!(
        monday(&narrow)
            .iter()
            .all(|delivery| delivery.skip.is_some()),
        "an ident is not heard alone"
    );
}

#[test]
fn a_session_in_several_wards_is_one_chorus_though_their_names_are_not_equally_long() {
    let session = "{ session: { parts: [{ only: dai }, { only: gap }], gap: 4s } }";
    let channels = "loa-hb-1, loa-hb-2, loa-ll-1";
    let list = schedules(&[schedule("a", "05:30", session, channels, HARD)]);
    let mut workspace = city(&list, &[("dai", 120, "normal"), ("gap", 60, "normal")]);
    let most = Weight::tenths(3_000);
    let wards = [(WardId::parse("hung-binh").unwrap(), Weight::tenths(2_950))].into();
    let dai = BulletinId::parse("dai").unwrap();
    let heard = Heard {
        recorded: None,
        wards,
        most,
    };
    workspace.lengths.insert(dai, heard);
    let plan = monday(&workspace);
    assert_eq!(plan.len(), 6);
    for delivery in &plan {
        assert_eq!(
            (&delivery.skip, &delivery.limit),
            (&None, &None),
            "{delivery:#?}"
        );
    }
    assert_ne!(plan[3].due, plan[5].due);
}

#[test]
fn midnight_ends_no_hours_and_hides_no_collision() {
    let mut workspace = city(
        &schedules(&[
            schedule("a", "23:59", "{ only: dai }", "loa-hb-1", HARD),
            schedule("b", "00:00", "{ only: gap }", "loa-hb-1", SOFT),
        ]),
        &[("dai", 120, "normal"), ("gap", 60, "normal")],
    );
    let plan = Plan::new(&workspace);
    let (noon, next_noon) = (at("2024-03-25T12:00:00"), at("2024-03-26T12:00:00"));
    let all: Vec<_> = plan.deliveries(noon, next_noon).collect();
    assert_eq!(
        shown(&all),
        ["23:59:00 dai loa-hb-1", "00:01:11 gap loa-hb-1"]
    );
    let midnight = at("2024-03-26T00:00:00");
    let pieces = plan
        .deliveries(noon, midnight)
        .chain(plan.deliveries(midnight, next_noon));
    assert_eq!(pieces.collect::<Vec<_>>(), all);

    // Open until midnight, and not beyond.
    workspace.policy.rules = vec![rule("Giờ loa", &[(22 * 60, 24 * 60)], Sessions::default())];
    let night: Vec<_> = Plan::new(&workspace).deliveries(noon, next_noon).collect();
    let skipped = |delivery: &PlannedDelivery| delivery.skip.as_ref().map(|why| why.reason);
    assert_eq!(
        night.iter().map(skipped).collect::<Vec<_>>(),
        [Some(Reason::Policy); 2]
    );
    // Open from 22:00 over midnight to 00:02.
    workspace.policy.rules = vec![rule(
        "Giờ loa",
        &[(0, 2), (22 * 60, 24 * 60)],
        Sessions::default(),
    )];
    let night: Vec<_> = Plan::new(&workspace).deliveries(noon, next_noon).collect();
    assert_eq!(
        night.iter().map(skipped).collect::<Vec<_>>(),
        [None, Some(Reason::Policy)],
        "behind the other it would be over too late"
    );
    assert_eq!(
        night[0].limit.as_ref().map(|limit| limit.over),
        Some(at("2024-03-26T00:02:00"))
    );
}

#[test]
fn what_is_urgent_takes_nothing_else_along_into_the_night() {
    let session = "{ session: { parts: [{ only: khan }, { only: dai }] } }";
    let list = schedules(&[schedule("a", "22:00", session, "loa-hb-1", HARD)]);
    let mut workspace = city(&list, &[("khan", 60, "emergency"), ("dai", 120, "normal")]);
    workspace.policy.rules = vec![rule("Giờ loa", &[(330, 420)], Sessions::default())];
    let plan = monday(&workspace);
    let reasons = plan
        .iter()
        .map(|delivery| delivery.skip.as_ref().map(|why| why.reason));
    assert_eq!(reasons.collect::<Vec<_>>(), [None, Some(Reason::Policy)]);
}

#[test]
fn a_loudspeaker_that_is_sent_words_speaks_them_as_long_as_they_are() {
    let list = schedules(&[schedule(
        "a",
        "05:30",
        "{ only: dai }",
        "loa-hb-1, loa-hb-2",
        HARD,
    )]);
    let mut workspace = city(&list, &[("dai", 120, "normal")]);
    let heard = Heard {
        recorded: Some(Duration::from_mins(2)),
        wards: [].into(),
        most: Weight::tenths(1_000),
    };
    let words = heard.most.at(workspace.settings.speech.rate);
    workspace
        .lengths
        .insert(BulletinId::parse("dai").unwrap(), heard);
    workspace.channels.get_mut("loa-hb-2").unwrap().audio = None;
    let lengths = monday(&workspace)
        .into_iter()
        .map(|delivery| delivery.length);
    assert_eq!(
        lengths.collect::<Vec<_>>(),
        [Some(Duration::from_mins(2)), Some(words)]
    );
}
