//! Rules and days that look as if something were permitted that is not, or the other way round. Each trap is the file that people
//! would write, and what of a day's broadcasts is heard because of it.

use loa::domain::plan::{Plan, PlannedDelivery};

use super::{HARD, SOFT, at, edited, schedule, schedules};

/// A rule as it stands in its file.
fn rule(id: &str, lines: &str) -> String {
    format!(
        "  {id}:\n    name: Quy định {id}\n    source: {{ document: QĐ {id}, date: 2024-03-01 }}\n{lines}"
    )
}

fn rules(list: &[String]) -> String {
    format!("rules:\n{}", list.concat())
}

/// What is planned from one day until another, as `25 05:30:00 a loa-hb-1`, or with who forbids it. Bulletin `a` lasts one minute, `b`
/// ten, `k` one and is an emergency, `u` one and goes before others.
fn heard(policy: &str, holidays: &str, lines: &[String], (from, until): (u32, u32)) -> Vec<String> {
    let bulletins = [
        ("a", 60, "normal"),
        ("b", 600, "normal"),
        ("k", 60, "emergency"),
        ("u", 60, "priority"),
    ];
    let workspace = edited(&schedules(lines), &bulletins, |folder| {
        folder.write("schedules/policy.yaml", policy);
        if !holidays.is_empty() {
            folder.write("schedules/holidays.yaml", holidays);
        }
    });
    let day = |day: u32| at(&format!("2024-03-{day:02}T00:00:00"));
    let plan = Plan::new(&workspace);
    plan.deliveries(day(from), day(until)).map(said).collect()
}

fn said(delivery: PlannedDelivery) -> String {
    let due = delivery.due.to_utc() + chrono::TimeDelta::hours(7);
    let bulletin = delivery.bulletin.map(|bulletin| bulletin.to_string());
    let skip = delivery.skip.map_or_else(String::new, |why| {
        let detail = why.detail.unwrap_or_default();
        let named = |name: &str| {
            let (_, rest) = detail.split_once(&format!("{name}="))?;
            Some(rest.split(';').next()?.to_owned())
        };
        let (code, rest) = detail.split_once(' ').unwrap_or((&detail, ""));
        let by = named("rule")
            .or_else(|| named("name"))
            .unwrap_or(rest.to_owned());
        let document = named("document").unwrap_or_default();
        format!(" | {} {code} | {by} | {document}", why.reason.as_str())
    });
    let due = due.format("%d %H:%M:%S");
    format!(
        "{due} {} {}{skip}",
        bulletin.unwrap_or_default(),
        delivery.channel
    )
}

/// One schedule of bulletin `bulletin` on one loudspeaker.
fn once(id: &str, at: &str, bulletin: &str, channel: &str, more: &str) -> String {
    schedule(id, at, &format!("{{ only: {bulletin} }}"), channel, more)
}

#[test]
fn a_rule_over_midnight_holds_on_both_sides_of_it() {
    let night = rules(&[rule(
        "dem",
        "    quiet: [{ from: \"21:00\", until: \"06:00\" }]\n",
    )]);
    let lines = [
        once("s1", "20:58", "a", "loa-hb-1", HARD),
        once("s2", "20:55", "b", "loa-ll-1", HARD),
        once("s3", "23:55", "b", "loa-hb-1", HARD),
        once("s4", "05:59", "a", "loa-hb-1", HARD),
        once("s5", "06:00", "a", "loa-hb-1", HARD),
        once("s6", "05:45", "a", "loa-ll-1", SOFT),
    ];
    assert_eq!(
        heard(&night, "", &lines, (25, 26)),
        [
            "25 05:59:00 a loa-hb-1 | policy outside-hours | Quy định dem | QĐ dem, 01/03/2024",
            "25 06:00:00 a loa-hb-1",
            // The same at the same time next door is no collision.
            "25 06:00:00 a loa-ll-1",
            "25 20:55:00 b loa-ll-1 | policy outside-hours | Quy định dem | QĐ dem, 01/03/2024",
            "25 20:58:00 a loa-hb-1",
            "25 23:55:00 b loa-hb-1 | policy outside-hours | Quy định dem | QĐ dem, 01/03/2024",
        ]
    );
}

#[test]
fn a_rule_that_begins_at_midnight_cuts_off_a_session_that_goes_over_it() {
    let policy = rules(&[rule(
        "moi",
        "    valid: { from: 2024-03-26 }\n    quiet: [{ from: \"00:00\", until: \"05:00\" }]\n",
    )]);
    let session = schedule(
        "s",
        "23:56",
        "{ session: { parts: [{ only: a }, { only: a }, { only: a }, { only: a }], gap: 10s } }",
        "loa-hb-1",
        HARD,
    );
    let late = once("t", "23:59", "b", "loa-ll-1", HARD);
    // On the days before nothing keeps them from going on.
    assert_eq!(
        heard(&policy, "", &[session.clone()], (24, 25)),
        [
            "24 23:56:00 a loa-hb-1",
            "24 23:57:13 a loa-hb-1",
            "24 23:58:26 a loa-hb-1",
            "24 23:59:39 a loa-hb-1",
        ]
    );
    assert_eq!(
        heard(&policy, "", &[session], (25, 26)),
        [
            "25 23:56:00 a loa-hb-1",
            "25 23:56:00 a loa-hb-1 | policy outside-hours | Quy định moi | QĐ moi, 01/03/2024",
            "25 23:57:13 a loa-hb-1",
            "25 23:58:26 a loa-hb-1",
        ]
    );
    assert_eq!(
        heard(&policy, "", &[late], (24, 26)),
        [
            "24 23:59:00 b loa-ll-1",
            "25 23:59:00 b loa-ll-1 | policy outside-hours | Quy định moi | QĐ moi, 01/03/2024",
        ]
    );
}

#[test]
fn the_strictest_of_two_rules_wins_and_each_refusal_names_its_own() {
    let policy = rules(&[
        rule(
            "thanh-pho",
            "    windows: [{ from: \"05:00\", until: \"07:00\" }, { from: \"16:00\", until: \"18:00\" }]\n    sessions: { per_day: 3, longest: 15m, gap: 5m }\n    exempt: [emergency]\n",
        ),
        rule(
            "phuong",
            "    wards: [hung-binh]\n    quiet: [{ from: \"17:00\", until: \"06:00\" }]\n    sessions: { per_day: 2, longest: 9m, gap: 5m }\n    exempt: [emergency]\n",
        ),
    ]);
    let lines = [
        once("s1", "04:50", "a", "loa-hb-1", HARD),
        once("s2", "05:30", "a", "loa-hb-1", HARD),
        once("s3", "06:00", "a", "loa-hb-1", HARD),
        once("s4", "06:20", "b", "loa-hb-1", HARD),
        once("s5", "06:40", "a", "loa-hb-1", HARD),
        once("s6", "16:30", "a", "loa-hb-1", HARD),
        once("s7", "17:30", "a", "loa-hb-1", HARD),
        once("s8", "17:45", "u", "loa-ll-1", HARD),
    ];
    let (city, ward) = (
        "Quy định thanh-pho | QĐ thanh-pho, 01/03/2024",
        "Quy định phuong | QĐ phuong, 01/03/2024",
    );
    assert_eq!(
        heard(&policy, "", &lines, (25, 26)),
        [
            // Both forbid it; the one that does so first on that day is named.
            format!("25 04:50:00 a loa-hb-1 | policy outside-hours | {city}"),
            format!("25 05:30:00 a loa-hb-1 | policy outside-hours | {ward}"),
            "25 06:00:00 a loa-hb-1".to_owned(),
            format!("25 06:20:00 b loa-hb-1 | policy session-too-long | {ward}"),
            "25 06:40:00 a loa-hb-1".to_owned(),
            format!("25 16:30:00 a loa-hb-1 | policy too-many-sessions | {ward}"),
            format!("25 17:30:00 a loa-hb-1 | policy outside-hours | {ward}"),
            "25 17:45:00 u loa-ll-1".to_owned(),
        ]
    );
}

#[test]
fn an_emergency_breaks_only_the_rules_that_say_so() {
    let policy = rules(&[
        rule(
            "gio",
            "    windows: [{ from: \"05:00\", until: \"07:00\" }]\n    sessions: { per_day: 2, gap: 5m }\n    exempt: [emergency]\n",
        ),
        rule(
            "benh-vien",
            "    quiet: [{ from: \"22:00\", until: \"05:00\" }]\n    sessions: { per_day: 4, gap: 5m }\n",
        ),
    ]);
    let lines = [
        once("k1", "03:00", "k", "loa-hb-1", HARD),
        once("k2", "12:00", "k", "loa-hb-1", HARD),
        once("k3", "13:00", "k", "loa-hb-1", HARD),
        once("s1", "05:30", "a", "loa-hb-1", HARD),
        once("s2", "06:00", "a", "loa-hb-1", HARD),
        once("s3", "06:30", "a", "loa-hb-1", HARD),
        once("u1", "12:30", "u", "loa-hb-1", HARD),
    ];
    assert_eq!(
        heard(&policy, "", &lines, (25, 26)),
        [
            // One rule lets it through, the other does not.
            "25 03:00:00 k loa-hb-1 | policy outside-hours | Quy định benh-vien | QĐ benh-vien, 01/03/2024",
            // Two sessions of the first rule, which does not count emergencies; with those four of the second, which does.
            "25 05:30:00 a loa-hb-1",
            "25 06:00:00 a loa-hb-1",
            "25 06:30:00 a loa-hb-1 | policy too-many-sessions | Quy định gio | QĐ gio, 01/03/2024",
            "25 12:00:00 k loa-hb-1",
            "25 12:30:00 u loa-hb-1 | policy outside-hours | Quy định gio | QĐ gio, 01/03/2024",
            "25 13:00:00 k loa-hb-1",
        ]
    );
    // A fifth session is too many for the rule that makes no exception.
    let more = once("k4", "14:00", "k", "loa-hb-1", HARD);
    let last = heard(&policy, "", &[&lines[..], &[more]].concat(), (25, 26));
    assert_eq!(
        last.iter()
            .filter(|line| line.contains(" k "))
            .collect::<Vec<_>>(),
        [
            "25 03:00:00 k loa-hb-1 | policy outside-hours | Quy định benh-vien | QĐ benh-vien, 01/03/2024",
            "25 12:00:00 k loa-hb-1",
            "25 13:00:00 k loa-hb-1",
            "25 14:00:00 k loa-hb-1",
        ],
        "it goes before what is less urgent"
    );
    assert!(last.contains(&"25 06:00:00 a loa-hb-1 | policy too-many-sessions | Quy định benh-vien | QĐ benh-vien, 01/03/2024".to_owned()), "{last:#?}");
}

#[test]
fn each_rule_parts_sessions_by_its_own_gap() {
    // Ten minutes apart: three sessions to the one, a single one of 21 minutes to the other.
    let lines = [
        once("s1", "05:30", "a", "loa-hb-1", HARD),
        once("s2", "05:40", "a", "loa-hb-1", HARD),
        once("s3", "05:50", "a", "loa-hb-1", HARD),
    ];
    let one = rule("moi-luot", "    sessions: { per_day: 2, gap: 5m }\n");
    let other = rule("moi-buoi", "    sessions: { longest: 15m, gap: 30m }\n");
    let last = |policy: &[String]| heard(&rules(policy), "", &lines, (25, 26))[2].clone();
    let refused = |code, by| {
        format!("25 05:50:00 a loa-hb-1 | policy {code} | Quy định {by} | QĐ {by}, 01/03/2024")
    };
    assert_eq!(
        last(&[one.clone()]),
        refused("too-many-sessions", "moi-luot")
    );
    assert_eq!(
        last(&[other.clone()]),
        refused("session-too-long", "moi-buoi")
    );
    // Neither hides behind the other's gap.
    let wide = other.replace("longest: 15m", "longest: 60m");
    assert_eq!(
        last(&[one.clone(), wide]),
        refused("too-many-sessions", "moi-luot")
    );
    let many = one.replace("per_day: 2", "per_day: 9");
    assert_eq!(
        last(&[many, other]),
        refused("session-too-long", "moi-buoi")
    );
}

#[test]
fn windows_that_touch_are_one_and_what_ends_with_them_is_inside() {
    let policy = rules(&[rule(
        "khung",
        "    windows:\n      - { from: \"05:00\", until: \"05:30\" }\n      - { from: \"05:30\", until: \"06:00\" }\n      - { days: [mon], from: \"23:00\", until: \"24:00\" }\n      - { days: [tue], from: \"00:00\", until: \"00:30\" }\n",
    )]);
    let lines = [
        once("s1", "05:25", "b", "loa-hb-1", HARD),
        once("s2", "05:50", "b", "loa-ll-1", HARD),
        once("s3", "23:55", "b", "loa-hb-1", HARD),
    ];
    let refused = "| policy outside-hours | Quy định khung | QĐ khung, 01/03/2024";
    assert_eq!(
        // Sunday, Monday and Tuesday. The last one goes over midnight, from one window into the next.
        heard(&policy, "", &lines, (24, 27)),
        [
            "24 05:25:00 b loa-hb-1".to_owned(),
            "24 05:50:00 b loa-ll-1".to_owned(),
            format!("24 23:55:00 b loa-hb-1 {refused}"),
            "25 05:25:00 b loa-hb-1".to_owned(),
            "25 05:50:00 b loa-ll-1".to_owned(),
            "25 23:55:00 b loa-hb-1".to_owned(),
            "26 05:25:00 b loa-hb-1".to_owned(),
            "26 05:50:00 b loa-ll-1".to_owned(),
            format!("26 23:55:00 b loa-hb-1 {refused}"),
        ]
    );
    let longer = once("s", "05:51", "b", "loa-hb-1", HARD);
    assert_eq!(
        heard(&policy, "", &[longer], (25, 26)),
        [format!("25 05:51:00 b loa-hb-1 {refused}")]
    );
}

#[test]
fn a_ward_that_changed_its_rule_last_week_keeps_each_in_its_time() {
    let days = "days: [mon, tue, wed, thu, fri]";
    let policy = rules(&[
        rule(
            "chung",
            &format!(
                "    except: [hung-binh]\n    windows: [{{ {days}, from: \"05:00\", until: \"07:00\" }}]\n"
            ),
        ),
        rule(
            "cu",
            &format!(
                "    wards: [hung-binh]\n    valid: {{ until: 2024-03-20 }}\n    windows: [{{ {days}, from: \"05:00\", until: \"07:00\" }}]\n"
            ),
        ),
        rule(
            "moi",
            &format!(
                "    wards: [hung-binh]\n    valid: {{ from: 2024-03-21 }}\n    windows: [{{ {days}, from: \"06:00\", until: \"07:00\" }}]\n"
            ),
        ),
    ]);
    let lines = [
        once("s1", "05:30", "a", "loa-hb-1, loa-ll-1", HARD),
        once("s2", "06:30", "a", "loa-hb-1", HARD),
    ];
    let by = |by: &str| format!("| policy outside-hours | Quy định {by} | QĐ {by}, 01/03/2024");
    assert_eq!(
        heard(&policy, "", &lines, (20, 24)),
        [
            "20 05:30:00 a loa-hb-1".to_owned(),
            "20 05:30:00 a loa-ll-1".to_owned(),
            "20 06:30:00 a loa-hb-1".to_owned(),
            format!("21 05:30:00 a loa-hb-1 {}", by("moi")),
            "21 05:30:00 a loa-ll-1".to_owned(),
            "21 06:30:00 a loa-hb-1".to_owned(),
            format!("22 05:30:00 a loa-hb-1 {}", by("moi")),
            "22 05:30:00 a loa-ll-1".to_owned(),
            "22 06:30:00 a loa-hb-1".to_owned(),
            // A Saturday is nobody's day.
            format!("23 05:30:00 a loa-hb-1 {}", by("moi")),
            format!("23 05:30:00 a loa-ll-1 {}", by("chung")),
            format!("23 06:30:00 a loa-hb-1 {}", by("moi")),
        ]
    );
}

#[test]
fn an_exam_takes_the_day_and_a_move_goes_neither_onto_it_nor_out_of_the_hours() {
    let policy = rules(&[rule(
        "khung",
        "    windows: [{ from: \"05:00\", until: \"07:00\" }]\n",
    )]);
    let holidays = "days:\n  thi:\n    name: Thi tốt nghiệp\n    from: 2024-03-26\n    until: 2024-03-27\n    wards: [hung-binh]\n    document: CV thi\nexceptions:\n  - { schedule: s1, at: 2024-03-25 05:30, move: \"2024-03-26 05:40\", reason: Mất điện, by: Lan }\n  - { schedule: s2, at: 2024-03-25 06:30, move: \"07:30\", reason: Mất điện, by: Lan }\n";
    let lines = [
        once("s1", "05:30", "a", "loa-hb-1, loa-ll-1", HARD),
        once("s2", "06:30", "a", "loa-hb-1", HARD),
        once("k", "06:00", "k", "loa-hb-1", HARD),
    ];
    let exam = "| holiday holiday-by | Thi tốt nghiệp | CV thi";
    let found = heard(&policy, holidays, &lines, (25, 28));
    assert_eq!(
        found,
        [
            "25 06:00:00 k loa-hb-1".to_owned(),
            "25 07:30:00 a loa-hb-1 | policy outside-hours | Quy định khung | QĐ khung, 01/03/2024"
                .to_owned(),
            format!("26 05:30:00 a loa-hb-1 {exam}"),
            "26 05:30:00 a loa-ll-1".to_owned(),
            format!("26 05:40:00 a loa-hb-1 {exam}"),
            "26 05:40:00 a loa-ll-1".to_owned(),
            format!("26 06:00:00 k loa-hb-1 {exam}"),
            format!("26 06:30:00 a loa-hb-1 {exam}"),
            format!("27 05:30:00 a loa-hb-1 {exam}"),
            "27 05:30:00 a loa-ll-1".to_owned(),
            format!("27 06:00:00 k loa-hb-1 {exam}"),
            format!("27 06:30:00 a loa-hb-1 {exam}"),
        ]
    );
}

#[test]
fn what_waits_behind_others_into_a_rule_names_the_rule_and_what_no_rule_keeps_back_the_others() {
    let hours = |until: &str| {
        let windows = format!(
            "    windows: [{{ from: \"05:00\", until: \"{until}\" }}, {{ from: \"06:10\", until: \"07:00\" }}]\n"
        );
        rules(&[rule("khung", &windows)])
    };
    let others = [
        once("s1", "05:50", "b", "loa-hb-1", HARD),
        once("s2", "06:10", "b", "loa-hb-1", HARD),
        once(
            "t",
            "05:55",
            "a",
            "loa-hb-1",
            "    start: { soft: { max_wait: 18m } }\n",
        ),
    ];
    let last = |until: &str| heard(&hours(until), "", &others, (25, 26))[1].clone();
    // From 06:00:35, when the first is over with what is reserved for it, until 06:09 only the rule forbids it; then the next plays.
    let outside =
        "25 05:55:00 a loa-hb-1 | policy outside-hours | Quy định khung | QĐ khung, 01/03/2024";
    assert_eq!(last("06:01"), outside);
    // One instant that the rule leaves is enough.
    assert_eq!(last("06:02"), "25 06:00:35 a loa-hb-1");
    // What keeps a day's only session for itself: it plays at the wanted time, and the rule lets no second one follow.
    let single = rules(&[rule(
        "mot-phien",
        "    sessions: { per_day: 1, longest: 10m, gap: 1m }\n",
    )]);
    let lines = [
        once("s1", "05:50", "b", "loa-hb-1", HARD),
        once("t", "05:55", "a", "loa-hb-1", SOFT),
    ];
    assert_eq!(
        heard(&single, "", &lines, (25, 26))[1],
        "25 05:55:00 a loa-hb-1 | policy session-too-long | Quy định mot-phien | QĐ mot-phien, 01/03/2024"
    );
    // Where others play all the time, no rule is to blame, whatever it would have said.
    let busy = [
        once("s1", "05:50", "b", "loa-hb-1", HARD),
        once(
            "t",
            "05:55",
            "a",
            "loa-hb-1",
            "    start: { soft: { max_wait: 5m } }\n",
        ),
    ];
    let found = heard(&hours("06:01"), "", &busy, (25, 26));
    assert!(found[1].contains("| collision collision |"), "{found:#?}");
}
