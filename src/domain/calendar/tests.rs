//! Firings around changes of the clocks, the borders of a search, and ordinals.

use super::*;

fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap()
}

fn wall(text: &str) -> NaiveDateTime {
    NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap()
}

fn cron(line: &str) -> When {
    When::Cron(Crontab::parse(line).unwrap())
}

fn clock(times: &[&str], days: &[&str]) -> When {
    When::At {
        times: times
            .iter()
            .map(|text| parse_clock_time(text).unwrap())
            .collect(),
        days: days
            .iter()
            .map(|text| parse_weekday(text).unwrap())
            .collect(),
    }
}

const WEEK: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// The firings from one instant to another, each as its real local time, and the wall time where that differs.
fn fired(when: &When, zone: &str, from: &str, until: &str) -> Vec<String> {
    let zone = parse_zone(zone).unwrap();
    let show = |firing: Firing| {
        let real = firing.at.to_utc().with_timezone(&zone);
        let text = real.format("%d %H:%M%:z").to_string();
        if real.naive_local() == firing.wall {
            text
        } else {
            format!("{text} for {}", firing.wall)
        }
    };
    when.firings(zone, at(from), at(until)).map(show).collect()
}

#[test]
fn a_skipped_time_runs_after_the_gap() {
    for when in [cron("30 2 * * *"), clock(&["2:30"], &WEEK)] {
        let days = fired(
            &when,
            "America/New_York",
            "2026-03-07T12:00:00Z",
            "2026-03-10T00:00:00Z",
        );
        assert_eq!(
            days,
            ["08 03:00-04:00 for 2026-03-08 02:30:00", "09 02:30-04:00"]
        );
    }
    // Thirty minutes only.
    let days = fired(
        &cron("15 2 * * *"),
        "Australia/Lord_Howe",
        "2026-10-02T20:00:00Z",
        "2026-10-04T20:00:00Z",
    );
    assert_eq!(
        days,
        ["04 02:30+11:00 for 2026-10-04 02:15:00", "05 02:15+11:00"]
    );
    // Midnight itself.
    let days = fired(
        &cron("0 0 * * *"),
        "America/Sao_Paulo",
        "2018-11-03T12:00:00Z",
        "2018-11-05T12:00:00Z",
    );
    assert_eq!(
        days,
        ["04 01:00-02:00 for 2018-11-04 00:00:00", "05 00:00-02:00"]
    );
    // A whole day: Samoa went from Thursday to Saturday.
    let days = fired(
        &clock(&["05:30"], &WEEK),
        "Pacific/Apia",
        "2011-12-29T12:00:00Z",
        "2012-01-01T00:00:00Z",
    );
    assert_eq!(
        days,
        [
            "29 05:30-10:00",
            "31 00:00+14:00 for 2011-12-30 05:30:00",
            "31 05:30+14:00",
            "01 05:30+14:00"
        ]
    );
}

#[test]
fn times_skipped_together_are_one_firing() {
    let when = clock(&["02:00", "02:10", "02:50", "05:00"], &["sun"]);
    let days = fired(
        &when,
        "Europe/Berlin",
        "2026-03-28T12:00:00Z",
        "2026-03-30T12:00:00Z",
    );
    assert_eq!(
        days,
        ["29 03:00+02:00 for 2026-03-29 02:50:00", "29 05:00+02:00"]
    );
    // The time at which the gap ends is one of the series: the firing is its own.
    let when = cron("0,30 2,3 * * *");
    let days = fired(
        &when,
        "Europe/Berlin",
        "2026-03-29T00:00:00Z",
        "2026-03-29T12:00:00Z",
    );
    assert_eq!(days, ["29 03:00+02:00", "29 03:30+02:00"]);
}

#[test]
fn a_repeated_time_runs_once() {
    for when in [cron("30 1 * * *"), clock(&["01:30"], &WEEK)] {
        let days = fired(
            &when,
            "America/New_York",
            "2026-11-01T00:00:00Z",
            "2026-11-03T00:00:00Z",
        );
        assert_eq!(days, ["01 01:30-04:00", "02 01:30-05:00"]);
    }
    let zone = parse_zone("America/New_York").unwrap();
    // Asked in the second half of the doubled hour, when 01:45 is still to come on the clock.
    let next = cron("45 1 * * *")
        .next(zone, at("2026-11-01T06:30:00Z"))
        .unwrap();
    assert_eq!(next.wall, wall("2026-11-02 01:45"));
}

#[test]
fn an_interval_job_follows_the_clock() {
    let runs = |line, zone, from, until| fired(&cron(line), zone, from, until).join(", ");
    let doubled = runs(
        "*/30 * * * *",
        "America/New_York",
        "2026-11-01T05:00:00Z",
        "2026-11-01T07:30:00Z",
    );
    assert_eq!(
        doubled,
        "01 01:00-04:00, 01 01:30-04:00, 01 01:00-05:00, 01 01:30-05:00, 01 02:00-05:00"
    );
    let skipped = runs(
        "*/30 * * * *",
        "America/New_York",
        "2026-03-08T06:30:00Z",
        "2026-03-08T08:00:00Z",
    );
    assert_eq!(skipped, "08 01:30-05:00, 08 03:00-04:00, 08 03:30-04:00");
    let half = runs(
        "*/20 * * * *",
        "Australia/Lord_Howe",
        "2026-10-03T15:00:00Z",
        "2026-10-03T16:01:00Z",
    );
    assert_eq!(half, "04 01:40+10:30, 04 02:40+11:00, 04 03:00+11:00");
    // Only in the doubled hour of one day in the year: the second one counts, the year after has none.
    let rare = runs(
        "*/30 1 1 11 *",
        "America/New_York",
        "2026-06-01T00:00:00Z",
        "2027-06-01T00:00:00Z",
    );
    assert_eq!(
        rare,
        "01 01:00-04:00, 01 01:30-04:00, 01 01:00-05:00, 01 01:30-05:00"
    );
    let day = cron("*/15 * 30 12 *").next(
        parse_zone("Pacific/Apia").unwrap(),
        at("2011-12-30T00:00:00Z"),
    );
    assert_eq!(day.unwrap().wall, wall("2012-12-30 00:00"));
}

#[test]
fn the_borders_of_a_search() {
    let zone = parse_zone("Asia/Ho_Chi_Minh").unwrap();
    let when = cron("30 5 * * *");
    let due = at("2024-03-24T22:30:00Z");
    let count = |from, until| when.firings(zone, from, until).count();
    let micro = std::time::Duration::from_micros(1);
    assert_eq!(count(due, due + micro), 1);
    assert_eq!(count(due, due), 0);
    assert_eq!(count(due + micro, due + micro), 0);
    assert_eq!(count(due - micro, due), 0);
    assert_eq!(when.next(zone, due).unwrap().at, due);
    assert_eq!(
        when.next(zone, due + micro).unwrap().wall,
        wall("2024-03-26 05:30")
    );
    for when in [
        cron("30 5 * * *"),
        cron("*/30 5 * * *"),
        clock(&["5:30"], &["fri"]),
    ] {
        assert_eq!(when.next(zone, Timestamp::from_micros(i64::MAX)), None);
        assert_eq!(when.next(zone, at("2100-12-31T22:45:00Z")), None);
        assert_eq!(
            when.next(zone, Timestamp::from_micros(i64::MIN))
                .unwrap()
                .wall
                .year(),
            1970
        );
    }
    assert_eq!(clock(&["5:30"], &[]).next(zone, due), None);
    assert_eq!(cron("0 0 30 2 *").next(zone, due), None);
    assert_eq!(
        cron("* * 30 2 *").next(parse_zone("Europe/Berlin").unwrap(), due),
        None
    );
}

#[test]
fn clock_times_on_days() {
    let zone = "Asia/Ho_Chi_Minh";
    let when = clock(&["05:30", "17:00"], &["mon", "fri"]);
    let days = fired(&when, zone, "2024-03-24T23:00:00Z", "2024-04-01T00:00:00Z");
    assert_eq!(
        days,
        [
            "25 17:00+07:00",
            "29 05:30+07:00",
            "29 17:00+07:00",
            "01 05:30+07:00"
        ]
    );
    // Only a time that is over today, on this day of the week.
    let days = fired(
        &clock(&["05:30"], &["mon"]),
        zone,
        "2024-03-24T23:00:00Z",
        "2024-04-01T00:00:00Z",
    );
    assert_eq!(days, ["01 05:30+07:00"]);
}

#[test]
fn ordinals_count_clock_times() {
    let epoch = NaiveDate::from_ymd_opt(2024, 1, 1).unwrap();
    let when = clock(&["05:30", "17:00"], &["mon", "fri"]);
    for (text, ordinal) in [
        ("2023-06-01 00:00", 0),
        ("2024-01-01 00:00", 0),
        ("2024-01-01 05:30", 0),
        ("2024-01-01 05:31", 1),
        ("2024-01-01 17:00", 1),
        ("2024-01-02 00:00", 2),
        ("2024-01-08 17:00", 5),
        ("2024-02-01 00:00", 18),
    ] {
        assert_eq!(when.ordinal(wall(text), epoch), ordinal, "{text}");
    }
    let when = cron("*/15 6-7 1,31 * *");
    assert_eq!(when.ordinal(wall("2024-01-31 07:20"), epoch), 8 + 6);
    let middle = NaiveDate::from_ymd_opt(2024, 1, 15).unwrap();
    assert_eq!(when.ordinal(wall("2024-02-01 06:16"), middle), 8 + 2);
    assert_eq!(
        cron("0 0 * * *").ordinal(wall("2054-01-01 00:00"), epoch),
        10_958
    );
}

#[test]
fn small_readers() {
    let time = |hour, minute| Ok(NaiveTime::from_hms_opt(hour, minute, 0).unwrap());
    for (text, expected) in [
        ("05:30", time(5, 30)),
        ("5:30", time(5, 30)),
        ("23:59", time(23, 59)),
    ] {
        assert_eq!(parse_clock_time(text), expected, "{text}");
    }
    for text in [
        "", ":30", "24:00", "5:3", "05:60", "005:30", "05:30:00", "5h30", "+5:30", " 5:30",
        "05.30", "٠5:30",
    ] {
        assert_eq!(parse_clock_time(text), Err(InvalidClockTime), "{text}");
    }
    assert_eq!(parse_zone("Asia/Ho_Chi_Minh"), Some(Tz::Asia__Ho_Chi_Minh));
    assert_eq!(parse_zone("Hanoi"), None);
    assert_eq!(parse_weekday("sun"), Some(Weekday::Sun));
    assert_eq!(parse_weekday("sunday"), None);
}
