//! Days on which schedules are silent, and single occurrences that are skipped, moved or replaced: in the plan, on the command
//! line, under approval, and in a running daemon.

use std::time::Duration;

use chrono::NaiveDate;
use loa::{
    diagnostic::Severity,
    domain::{
        bulletin::Priority,
        channel::ChannelKind,
        delivery::{Reason, State},
        plan::{Plan, PlannedDelivery},
        time::Timestamp,
        workspace::Workspace,
    },
};

use crate::support::{
    city::{Scene, at},
    cli::loa,
    on_both_databases,
    workspace::{Folder, SCHEDULES},
};

const HOLIDAYS: &str = "schedules/holidays.yaml";

/// Due, scheduled, channel, bulletin and why it is skipped.
fn rows(workspace: &Workspace, from: &str, until: &str) -> Vec<String> {
    Plan::new(workspace)
        .deliveries(at(from), at(until))
        .map(|row| shown(&row))
        .collect()
}

fn shown(row: &PlannedDelivery) -> String {
    let time = |at: Timestamp| {
        let local = loa::domain::calendar::local(at, chrono_tz::Asia::Ho_Chi_Minh);
        local.format("%d/%m %H:%M").to_string()
    };
    let moved = if row.due == row.scheduled {
        String::new()
    } else {
        format!(" (for {})", time(row.scheduled))
    };
    let skip = row.skip.as_ref().map_or_else(String::new, |why| {
        format!(
            " {}: {}",
            why.reason.as_str(),
            why.detail.as_deref().unwrap_or_default()
        )
    });
    let bulletin = row.bulletin.as_ref().map_or("–", |id| id.as_str());
    format!("{}{moved} {} {bulletin}{skip}", time(row.due), row.channel)
}

#[test]
fn a_day_silences_what_it_names_and_nothing_else() {
    let folder = Folder::small();
    folder.write(
        HOLIDAYS,
        "days:\n  le: { name: Lễ lớn, yearly: 26-03, document: QĐ 1 }\n  tang: { name: Lễ tang, from: 2024-03-27, until: \
         2024-03-28, wards: [le-loi], kinds: [loudspeaker, website], keep: priority }\n",
    );
    let workspace = folder.load();
    let all = rows(&workspace, "2024-03-26T00:00", "2024-03-29T00:00");
    let skipped: Vec<&String> = all.iter().filter(|row| row.contains(": ")).collect();
    assert_eq!(
        skipped,
        [
            "26/03 05:30 loa-hb-1 mot holiday: holiday-by name=Lễ lớn; document=QĐ 1",
            "26/03 05:30 loa-hb-2 mot holiday: holiday-by name=Lễ lớn; document=QĐ 1",
            "26/03 05:30 loa-ll-1 mot holiday: holiday-by name=Lễ lớn; document=QĐ 1",
            "27/03 05:30 loa-ll-1 mot holiday: holiday name=Lễ tang",
            "27/03 06:00 web-ll mot holiday: holiday name=Lễ tang",
            "28/03 05:30 loa-ll-1 mot holiday: holiday name=Lễ tang",
            "28/03 06:00 web-ll hai holiday: holiday name=Lễ tang",
        ]
    );
    assert_eq!(all.len(), 15, "they are all on record: {all:#?}");
    // What is as urgent as the day lets through is heard.
    folder.edit(
        "content/bulletins/mot.yaml",
        "priority: normal",
        "priority: priority",
    );
    let all = rows(&folder.load(), "2024-03-26T00:00", "2024-03-29T00:00");
    let skipped: Vec<&String> = all.iter().filter(|row| row.contains("Lễ tang")).collect();
    assert_eq!(
        skipped,
        ["28/03 06:00 web-ll hai holiday: holiday name=Lễ tang"]
    );
}

#[test]
fn one_occurrence_is_skipped_moved_or_replaced() {
    let folder = Folder::small();
    folder.edit(
        "content/bulletins/hai.yaml",
        "lời thứ hai.",
        "lời thứ hai dài hơn.",
    );
    folder.write(
        HOLIDAYS,
        "exceptions:\n  \
         - { schedule: loa-sang, at: 2024-03-26 05:30, wards: [le-loi], skip: Lễ tang, by: An }\n  \
         - { schedule: loa-sang, at: 2024-03-26 05:30, wards: [hung-binh], move: \"06:05\", reason: Mất điện, by: An }\n  \
         - { schedule: loa-sang, at: 2024-03-27 05:30, move: 2024-03-30 07:00, replace: hai, reason: Thi, by: An }\n  \
         - { schedule: trang-tin, at: 2024-03-27 06:00, replace: mot, reason: Tin mới, by: An }\n",
    );
    let workspace = folder.load();
    assert_eq!(
        rows(&workspace, "2024-03-26T00:00", "2024-03-28T00:00"),
        [
            "26/03 05:30 loa-ll-1 mot exception: skipped-once reason=Lễ tang; by=An",
            "26/03 06:00 web-hb hai",
            "26/03 06:00 web-ll hai",
            "26/03 06:05 (for 26/03 05:30) loa-hb-1 mot",
            "26/03 06:05 (for 26/03 05:30) loa-hb-2 mot",
            "27/03 06:00 web-hb mot",
            "27/03 06:00 web-ll mot",
        ]
    );
    // The day that it is moved to has it, with its own id, its lateness and its length.
    let moved: Vec<PlannedDelivery> = Plan::new(&workspace)
        .deliveries(at("2024-03-30T00:00"), at("2024-03-31T00:00"))
        .collect();
    assert_eq!(
        moved.iter().map(shown).collect::<Vec<_>>(),
        [
            "30/03 07:00 (for 27/03 05:30) loa-hb-1 hai",
            "30/03 07:00 (for 27/03 05:30) loa-hb-2 hai",
            "30/03 07:00 (for 27/03 05:30) loa-ll-1 hai",
        ]
    );
    let plain = Folder::small().load();
    let before: Vec<PlannedDelivery> = Plan::new(&plain)
        .deliveries(at("2024-03-27T05:30"), at("2024-03-27T05:31"))
        .collect();
    let ids = |rows: &[PlannedDelivery]| rows.iter().map(|row| row.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&moved), ids(&before));
    assert_eq!(moved[0].deadline, at("2024-03-30T07:10"));
    assert_ne!(
        moved[0].length, before[0].length,
        "another bulletin, another length"
    );
    assert!(moved[0].length.is_some());
}

/// A holiday wins over a move into it, and a bulletin does not air after its last day because its broadcast was moved.
#[test]
fn a_move_goes_round_neither_a_holiday_nor_the_last_day_of_a_bulletin() {
    let folder = Folder::small();
    folder.edit(
        "content/bulletins/mot.yaml",
        "until: 2024-12-31",
        "until: 2024-03-29",
    );
    folder.write(
        HOLIDAYS,
        "days:\n  tang: { name: Quốc tang, date: 2024-03-28 }\nexceptions:\n  \
         - { schedule: loa-sang, at: 2024-03-26 05:30, move: 2024-03-28 06:00, reason: Thi, by: An }\n  \
         - { schedule: loa-sang, at: 2024-03-28 05:30, move: 2024-03-29 05:00, reason: Quốc tang, by: An }\n  \
         - { schedule: loa-sang, at: 2024-03-27 05:30, wards: [le-loi], move: 2024-03-30 06:00, reason: Thi, by: An }\n",
    );
    let loaded = loa::source::load(&folder.path());
    let codes = loaded.diagnostics.iter().map(|found| found.code.as_str());
    let warned: Vec<&str> = codes.filter(|code| code.starts_with("L22")).collect();
    assert_eq!(warned, ["L225"]);
    let all = rows(
        &loaded.workspace.unwrap(),
        "2024-03-28T00:00",
        "2024-03-31T00:00",
    );
    let loudspeakers: Vec<&String> = all.iter().filter(|row| row.contains("loa-ll")).collect();
    assert_eq!(
        loudspeakers,
        [
            "28/03 06:00 (for 26/03 05:30) loa-ll-1 mot holiday: holiday name=Quốc tang",
            "29/03 05:00 (for 28/03 05:30) loa-ll-1 mot",
            "29/03 05:30 loa-ll-1 mot",
            "30/03 06:00 (for 27/03 05:30) loa-ll-1 – expired: no-valid-bulletin",
        ]
    );
}

/// Marsaglia's xorshift: random enough, and the same on every machine.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

/// Random exceptions and days over three weeks: a plan made in pieces, wherever they are cut, is the plan made at once, and
/// every occurrence is in it once.
#[test]
fn a_plan_in_pieces_is_the_plan_in_one() {
    let folder = Folder::small();
    // Not the workspace's zone, and a change of clocks in the middle.
    folder.amend(
        "schedules/lich.yaml",
        "  xa:\n    when: { at: [\"02:30\", \"23:45\"] }\n    zone: Europe/Berlin\n    bulletins: { only: mot }\n    to: { channels: \
         [loa-ll-1] }\n    missed: skip\n",
    );
    let plain = folder.load();
    let (from, until) = (at("2024-03-20T00:00"), at("2024-04-10T00:00"));
    let ids = |workspace: &Workspace, from, until| -> Vec<String> {
        let mut ids: Vec<String> = Plan::new(workspace)
            .deliveries(from, until)
            .map(|row| row.id.to_string())
            .collect();
        ids.sort_unstable();
        ids
    };
    let all = ids(&plain, from, until);
    let mut moved = 0;
    for seed in 1..=40_u64 {
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut text = "days:\n".to_owned();
        for number in 0..=dice.below(4) {
            let day =
                NaiveDate::from_ymd_opt(2024, 3, 21).unwrap() + chrono::Days::new(dice.below(18));
            text += &format!("  d{number}: {{ name: Ngày {number}, date: {day} }}\n");
        }
        text += "exceptions:\n";
        for day in 1..18 {
            let day = NaiveDate::from_ymd_opt(2024, 3, 21).unwrap() + chrono::Days::new(day);
            let (schedule, time) =
                [("xa", "02:30"), ("xa", "23:45")][usize::try_from(dice.below(2)).unwrap()];
            let to =
                NaiveDate::from_ymd_opt(2024, 3, 22).unwrap() + chrono::Days::new(dice.below(16));
            let change = match dice.below(4) {
                0 => continue,
                1 => "skip: Lễ".to_owned(),
                2 => "replace: hai, reason: Tin".to_owned(),
                _ => format!(
                    "move: {to} {:02}:{:02}, reason: Tin",
                    dice.below(24),
                    dice.below(60)
                ),
            };
            text +=
                &format!("  - {{ schedule: {schedule}, at: {day} {time}, {change}, by: An }}\n");
        }
        folder.write(HOLIDAYS, &text);
        let loaded = loa::source::load(&folder.path());
        let errors = loaded
            .diagnostics
            .iter()
            .filter(|found| found.severity == Severity::Error);
        assert_eq!(errors.count(), 0, "{text}");
        let workspace = loaded.workspace.unwrap();
        let plan = Plan::new(&workspace);
        let whole: Vec<PlannedDelivery> = plan.deliveries(from, until).collect();
        moved += whole.iter().filter(|row| row.due != row.scheduled).count();
        let mut pieces = Vec::new();
        let mut begin = from;
        while begin < until {
            let end = (begin + Duration::from_secs(1 + dice.below(5 * 86_400))).min(until);
            pieces.extend(plan.deliveries(begin, end));
            begin = end;
        }
        assert_eq!(pieces, whole, "seed {seed}\n{text}");
        assert!(whole.is_sorted_by_key(|row| row.due));
        let mut once: Vec<String> = whole.iter().map(|row| row.id.to_string()).collect();
        once.sort_unstable();
        assert_eq!(once, all, "seed {seed}: nothing is lost or doubled\n{text}");
    }
    assert!(moved > 100, "{moved}");
}

#[test]
fn the_sample_day_is_no_holiday_and_the_holidays_are() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let workspace = loa::source::load(root).workspace.unwrap();
    let loudspeakers = || {
        let channels = workspace.channels.values();
        channels.filter(|channel| channel.kind == ChannelKind::Loudspeaker)
    };
    let silent = |day: &str| {
        let day: NaiveDate = day.parse().unwrap();
        let is_silent = |channel| {
            let quiet = workspace
                .exceptions
                .silent(channel, day, Priority::Emergency);
            quiet.is_some_and(|quiet| quiet.document.is_some())
        };
        let all = loudspeakers().all(is_silent);
        assert_eq!(all, loudspeakers().any(is_silent), "{day}");
        all
    };
    assert!(loudspeakers().count() > 20);
    assert!(!silent("2024-03-25"));
    // Weekdays, on which loudspeakers speak otherwise.
    for day in [
        "2024-02-08",
        "2024-02-14",
        "2024-04-18",
        "2024-04-30",
        "2024-05-01",
        "2024-09-02",
        "2024-09-03",
        "2025-01-01",
    ] {
        assert!(silent(day), "{day}");
    }
    for day in [
        "2024-02-07",
        "2024-02-15",
        "2024-04-17",
        "2024-04-19",
        "2024-05-02",
        "2024-09-04",
        "2025-09-03",
    ] {
        assert!(!silent(day), "{day}");
    }
}

#[test]
fn the_plan_shows_what_was_moved_and_why() {
    let folder = Folder::small();
    folder.write(
        HOLIDAYS,
        "days:\n  le: { name: Lễ lớn, date: 2024-03-28 }\nexceptions:\n  \
         - { schedule: loa-sang, at: 2024-03-26 05:30, move: \"06:05\", reason: Mất điện, by: Nguyễn Văn An }\n  \
         - { schedule: loa-sang, at: 2024-03-27 05:30, wards: [le-loi], move: 2024-03-26 17:00, replace: hai, reason: Thi, by: Nguyễn Văn An }\n",
    );
    let said = loa(
        &folder.path(),
        &["plan", "--from", "2024-03-26", "--to", "2024-03-29"],
    );
    for line in [
        "  06:05  Cụm loa 1 Hưng Bình  Cảnh giác lời thứ nhất  [dời từ 05:30; Mất điện (Nguyễn Văn An)]",
        "  17:00  Cụm loa 1 Lê Lợi  Cảnh giác lời thứ hai  [dời từ 05:30 27/03; thay bản tin của lịch; Thi (Nguyễn Văn An)]",
        "  05:30  Cụm loa 1 Hưng Bình  Cảnh giác lời thứ nhất\n",
        "  05:30  Cụm loa 1 Hưng Bình  Cảnh giác lời thứ nhất  [Không phát vì là ngày “Lễ lớn”]",
    ] {
        assert!(said.out.contains(line), "{line}\n{}", said.out);
    }
}

#[test]
fn the_plan_says_what_something_waits_for() {
    let folder = Folder::small();
    let waiting = format!(
        "{SCHEDULES}  nhac-lai:\n    when: {{ at: [\"05:30\"] }}\n    bulletins: {{ only: [hai] }}\n    to: {{ wards: [le-loi], kind: loudspeaker }}\n    missed: skip\n    deadline: 10m\n"
    );
    folder.write("schedules/lich.yaml", &waiting);
    let plan = ["plan", "--from", "2024-03-26", "--to", "2024-03-27"];
    let said = loa(&folder.path(), &plan);
    let line = "  05:30:08  Cụm loa 1 Lê Lợi  Cảnh giác lời thứ hai  [dời từ 05:30; Từ 05:30:00 đến 05:30:03 loa Cụm loa 1 Hưng Bình phát “Cảnh giác lời thứ nhất”]";
    assert!(said.out.contains(line), "{}{}", said.out, said.err);
    let said = loa(&folder.path(), &[&plan[..], &["--format", "json"]].concat()).json();
    let rows = said.as_array().unwrap();
    let mut waiting = rows.iter().filter(|row| !row["waits"].is_null());
    let row = waiting.next().unwrap();
    assert!(waiting.next().is_none(), "{rows:#?}");
    assert_eq!(
        (&row["schedule"], &row["waits"], &row["skipped"]),
        (
            &"nhac-lai".into(),
            &"collision".into(),
            &serde_json::Value::Null
        )
    );
    assert!(
        row["detail"].as_str().unwrap().starts_with("collision"),
        "{row}"
    );
}

// What was skipped as a holiday airs when an edit moves it to a later hour; what is moved to a day beyond what is planned so far is
// not lost.
on_both_databases! {
    async fn edits_of_exceptions_change_what_a_running_daemon_airs(scene: Scene) {
        scene.folder.write(
            HOLIDAYS,
            "days:\n  le: { name: Lễ lớn, date: 2024-03-25, document: QĐ 1 }\nexceptions:\n  \
             - { schedule: trang-tin, at: 2024-03-25 06:00, wards: [hung-binh], skip: Bảo trì, by: An }\n",
        );
        scene.folder.edit("loa.yaml", "horizon: 24h", "horizon: 30h");
        let daemon = scene.start("2024-03-25T05:20").await;
        daemon.reach("2024-03-25T06:15").await;
        daemon.stop().await;
        let loudspeaker = scene.row("loa-hb-1", "2024-03-25T05:30").await;
        assert_eq!((loudspeaker.state, loudspeaker.reason), (State::Skipped, Some(Reason::Holiday)));
        assert_eq!(loudspeaker.detail.as_deref(), Some("holiday-by name=Lễ lớn; document=QĐ 1"));
        let website = scene.row("web-hb", "2024-03-25T06:00").await;
        assert_eq!((website.state, website.reason), (State::Skipped, Some(Reason::Exception)));
        let other = scene.row("web-ll", "2024-03-25T06:00").await;
        assert!(matches!(other.state, State::Accepted | State::Confirmed), "{other:?}");

        // It is no holiday after all; this morning's broadcast is made up for in the afternoon, tomorrow's on Thursday.
        scene.folder.write(
            HOLIDAYS,
            "exceptions:\n  \
             - { schedule: loa-sang, at: 2024-03-25 05:30, move: \"17:00\", reason: Hết lễ, by: An }\n  \
             - { schedule: loa-sang, at: 2024-03-26 05:30, move: 2024-03-28 17:00, reason: Thi, by: An }\n",
        );
        let daemon = scene.start("2024-03-25T16:50").await;
        daemon.reach("2024-03-25T17:15").await;
        daemon.stop().await;
        let row = scene.row("loa-hb-1", "2024-03-25T17:00").await;
        assert_eq!((row.state, &row.id), (State::Accepted, &loudspeaker.id), "the same occurrence");
        let tomorrow = scene.row("loa-hb-1", "2024-03-26T05:30").await;
        assert_eq!((tomorrow.state, tomorrow.reason), (State::Skipped, Some(Reason::Superseded)));
        let daemon = scene.start("2024-03-28T16:50").await;
        daemon.reach("2024-03-28T17:15").await;
        daemon.stop().await;
        let row = scene.row("loa-hb-1", "2024-03-28T17:00").await;
        assert_eq!((row.state, &row.id), (State::Accepted, &tomorrow.id), "not lost");
        scene.check().await;
    }
}
