//! `loa cron`: what a crontab line means, in words, and when it fires next.
//!
//! Every word is in `catalogue/cron.yaml`.

mod words;

use chrono::{Datelike, NaiveDateTime};
use chrono_tz::Tz;
use clap::Args;
use serde::ser::{Serialize, SerializeStruct, Serializer};

use crate::{
    catalogue::{Lang, text},
    domain::{
        calendar::{Firing, When},
        crontab::{Crontab, CrontabError, YEARS},
        time::Timestamp,
    },
    source::nearest,
};

use super::{
    output::{Format, Output, parse_instant, rfc3339},
    usage::{Wrong, between},
};
pub use crate::diagnostic::crontab::{error_text, mend_text, problem_text};
pub use words::describe;

/// Which line, and from when on.
#[derive(Debug, Args)]
pub struct CronArgs {
    /// The line, in quotes: '30 5 * * 1-5'
    line: String,
    /// The zone whose clocks it follows
    #[arg(long, default_value = "Asia/Ho_Chi_Minh", value_parser = zone)]
    zone: Tz,
    /// From this instant on (default now)
    #[arg(long, allow_hyphen_values = true)]
    from: Option<String>,
    /// How many instants to list
    #[arg(short = 'n', long, default_value_t = 5, value_parser = |text: &str| between(text, 1_u16, 1_000))]
    count: u16,
}

fn zone(text: &str) -> Result<Tz, Wrong> {
    let known = || {
        chrono_tz::TZ_VARIANTS
            .iter()
            .map(|zone| (zone.name(), zone.name()))
    };
    crate::domain::calendar::parse_zone(text).ok_or_else(|| Wrong::Zone(nearest(text, known())))
}

/// Shows what the line means.
///
/// # Errors
/// When it is not a crontab line: that is an argument like any other, and no finding in a file.
pub fn run(args: &CronArgs, output: &Output) -> anyhow::Result<()> {
    let now = crate::clock::Clock::system().now();
    let from = args
        .from
        .as_deref()
        .map_or(Ok(now), |text| parse_instant(text, args.zone, now))?;
    match report(
        &args.line,
        args.zone,
        from,
        usize::from(args.count),
        output.lang,
    ) {
        Ok(report) => match output.format {
            Format::Json => output.json(&report),
            Format::Text => Ok(output.line(to_text(&report, output.lang).trim_end())?),
        },
        Err(error) => anyhow::bail!(error_text(&args.line, &error, output.lang)),
    }
}

/// What there is to say about a crontab line.
#[derive(Debug, Clone, PartialEq)]
pub struct CronReport {
    /// The line as written.
    pub line: String,
    /// The line in words.
    pub words: String,
    /// The zone whose clocks it follows.
    pub zone: Tz,
    /// The next firings, with the clock times that the clocks skip and that each stands for; empty for a day that does not exist.
    pub next: Vec<(Firing, Vec<NaiveDateTime>)>,
    /// The last year that was looked at, where fewer firings than asked for were found in it and there may be later ones.
    pub looked_until: Option<i32>,
}

/// Reads a line and looks up its next `count` firings at or after `from`.
///
/// # Errors
/// [`CrontabError`] when it is not a crontab(5) line; [`error_text`] shows it to people.
pub fn report(
    line: &str,
    zone: Tz,
    from: Timestamp,
    count: usize,
    lang: Lang,
) -> Result<CronReport, CrontabError> {
    let crontab = Crontab::parse(line)?;
    let (line, words) = (crontab.as_str().to_owned(), describe(&crontab, lang));
    let forever = Timestamp::from_micros(i64::MAX);
    let comes_again = !crontab.is_never();
    let when = When::Cron(crontab);
    let next: Vec<_> = when
        .firings(zone, from, forever)
        .take(count)
        .map(|firing| (firing, when.skipped(zone, firing).collect()))
        .collect();
    Ok(CronReport {
        line,
        words,
        zone,
        looked_until: (comes_again && next.len() < count).then_some(*YEARS.end()),
        next,
    })
}

/// The report for people: the line, its words, and one firing a line.
#[must_use]
pub fn to_text(report: &CronReport, lang: Lang) -> String {
    let CronReport {
        line,
        words,
        zone,
        next,
        looked_until,
    } = report;
    let mut shown = format!("{line}\n{words}\n\n");
    let limit = looked_until.map(|year| {
        let key = if next.is_empty() {
            "cron.none-until"
        } else {
            "cron.no-more-until"
        };
        text(lang, key, &[("year", &year)])
    });
    if next.is_empty() {
        let none = limit.unwrap_or_else(|| text(lang, "cron.no-next", &[]));
        return shown + &none + "\n";
    }
    shown += &text(lang, "cron.next", &[("zone", zone)]);
    for (firing, skipped) in next {
        shown = shown + "\n  " + &firing_text(*firing, skipped, *zone, lang);
    }
    if let Some(limit) = limit {
        shown = shown + "\n" + &limit;
    }
    shown + "\n"
}

/// Skipped clock times that are named one by one; of more, the first and the last.
const NAMED: usize = 6;

fn firing_text(firing: Firing, skipped: &[NaiveDateTime], zone: Tz, lang: Lang) -> String {
    let at = firing.at.to_utc().with_timezone(&zone);
    let local = at.naive_local();
    let shown = text(
        lang,
        "cron.firing",
        &[
            (
                "weekday",
                &text(
                    lang,
                    words::WEEKDAYS[local.weekday().num_days_from_sunday() as usize],
                    &[],
                ),
            ),
            ("date", &date_text(local, lang)),
            ("time", &local.format("%H:%M")),
            ("offset", &at.format("%:z")),
        ],
    );
    let clock = |wall: &NaiveDateTime| {
        let time = wall.format("%H:%M").to_string();
        if local.date() == wall.date() {
            time
        } else {
            format!("{time} {}", date_text(*wall, lang))
        }
    };
    let wall = match skipped {
        [] => return shown,
        [first, .., last] if skipped.len() > NAMED => text(
            lang,
            "cron.skipped-many",
            &[
                ("count", &skipped.len()),
                ("first", &clock(first)),
                ("last", &clock(last)),
            ],
        ),
        few => words::list(few.iter().map(clock).collect(), "cron.and", lang),
    };
    text(
        lang,
        "cron.firing-moved",
        &[("firing", &shown), ("wall", &wall)],
    )
}

fn date_text(wall: NaiveDateTime, lang: Lang) -> String {
    let parts: [(&str, &dyn std::fmt::Display); 3] = [
        ("day", &wall.format("%d")),
        ("month", &wall.format("%m")),
        ("year", &wall.format("%Y")),
    ];
    text(lang, "cron.calendar-date", &parts)
}

impl Serialize for CronReport {
    /// `{"line", "words", "zone", "next": [{"at", "wall", "skipped"}], "looked_until"}`, instants with the offset that the zone has
    /// then; the last of each only where there is something to say.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(serde::Serialize)]
        struct Row {
            at: String,
            wall: String,
            #[serde(skip_serializing_if = "Vec::is_empty")]
            skipped: Vec<String>,
        }
        let clock = |wall: &NaiveDateTime| wall.format("%Y-%m-%dT%H:%M").to_string();
        let row = |(firing, skipped): &(Firing, Vec<NaiveDateTime>)| Row {
            at: rfc3339(firing.at, self.zone),
            wall: clock(&firing.wall),
            skipped: skipped.iter().map(clock).collect(),
        };
        let fields = 4 + usize::from(self.looked_until.is_some());
        let mut report = serializer.serialize_struct("CronReport", fields)?;
        report.serialize_field("line", &self.line)?;
        report.serialize_field("words", &self.words)?;
        report.serialize_field("zone", self.zone.name())?;
        report.serialize_field("next", &self.next.iter().map(row).collect::<Vec<_>>())?;
        match self.looked_until {
            Some(year) => report.serialize_field("looked_until", &year)?,
            None => report.skip_field("looked_until")?,
        }
        report.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report_on(line: &str, zone: Tz, from: &str, lang: Lang) -> CronReport {
        report(line, zone, Timestamp::parse_rfc3339(from).unwrap(), 2, lang).unwrap()
    }

    #[test]
    fn as_text() {
        let report = report_on(
            "30 5 * * 1-5",
            Tz::Asia__Ho_Chi_Minh,
            "2024-03-24T00:00:00Z",
            Lang::Vi,
        );
        let expected = "30 5 * * 1-5
lúc 05:30, thứ Hai đến thứ Sáu

Các lần tới, theo giờ Asia/Ho_Chi_Minh:
  thứ Hai, 25/03/2024 lúc 05:30 (+07:00)
  thứ Ba, 26/03/2024 lúc 05:30 (+07:00)
";
        assert_eq!(to_text(&report, Lang::Vi), expected);

        let report = report_on(
            "30 2 * * *",
            Tz::America__New_York,
            "2026-03-08T00:00:00Z",
            Lang::En,
        );
        let expected = "30 2 * * *
at 02:30, every day

Next, on the clocks of America/New_York:
  Sunday, 2026-03-08 at 03:00 (-04:00), in place of 02:30, which the clocks skip
  Monday, 2026-03-09 at 02:30 (-04:00)
";
        assert_eq!(to_text(&report, Lang::En), expected);

        let report = report_on(
            "0 5 * * *",
            Tz::Pacific__Apia,
            "2011-12-30T00:00:00Z",
            Lang::Vi,
        );
        assert!(to_text(&report, Lang::Vi).contains("thay cho 05:00 30/12/2011 bị bỏ qua"));

        let report = report_on("0 0 30 2 *", Tz::UTC, "2024-03-24T00:00:00Z", Lang::Vi);
        assert!(to_text(&report, Lang::Vi).ends_with("Không có lần nào nữa.\n"));
    }

    /// 2100 is no leap year, 2104 is one, and lies beyond what is looked at.
    #[test]
    fn a_limit_of_the_search_is_no_never() {
        let report = report_on("0 5 29 2 *", Tz::UTC, "2096-03-01T00:00:00Z", Lang::Vi);
        assert!(
            to_text(&report, Lang::Vi)
                .ends_with("\nTừ đó đến hết năm 2100 không có lần nào; loa không tính xa hơn.\n")
        );
        assert_eq!(serde_json::to_value(&report).unwrap()["looked_until"], 2100);

        let report = report_on("0 5 29 2 *", Tz::UTC, "2096-01-01T00:00:00Z", Lang::En);
        assert_eq!(report.next.len(), 1);
        assert!(
            to_text(&report, Lang::En)
                .ends_with("\nNo more until the end of 2100; loa looks no further.\n")
        );
        let report = report_on("0 5 * * *", Tz::UTC, "2026-01-01T00:00:00Z", Lang::En);
        assert_eq!(report.looked_until, None);
    }

    #[test]
    fn every_skipped_time_is_named() {
        let on = |line| {
            report_on(
                line,
                Tz::America__New_York,
                "2024-03-10T00:00:00Z",
                Lang::Vi,
            )
        };
        let shown = |line| to_text(&on(line), Lang::Vi);
        let text = shown("15,45 2 * * *");
        assert!(
            text.contains("10/03/2024 lúc 03:00 (-04:00), thay cho 02:15 và 02:45 bị bỏ qua"),
            "{text}"
        );
        let json = serde_json::to_value(on("15,45 2 * * *")).unwrap();
        assert_eq!(
            json["next"]
                .as_array()
                .unwrap()
                .iter()
                .find(|row| row["skipped"].is_array())
                .unwrap()["skipped"],
            serde_json::json!(["2024-03-10T02:15", "2024-03-10T02:45"])
        );
        // It fires at 03:00 anyway, and the skipped ones are not lost on the way.
        let text = shown("0,30 2,3 * * *");
        assert!(
            text.contains("lúc 03:00 (-04:00), thay cho 02:00 và 02:30"),
            "{text}"
        );
        let text = shown("0-59 2 * * *");
        assert!(
            text.contains("thay cho 60 giờ từ 02:00 đến 02:59"),
            "{text}"
        );
        // What follows the clocks skips nothing.
        assert!(!shown("*/15 * * * *").contains("thay cho"));
    }

    #[test]
    fn as_json() {
        let report = report_on(
            " 30 5 * * mon",
            Tz::Asia__Ho_Chi_Minh,
            "2024-03-24T00:00:00Z",
            Lang::En,
        );
        let expected = serde_json::json!({
            "line": "30 5 * * mon",
            "words": "at 05:30, Mondays",
            "zone": "Asia/Ho_Chi_Minh",
            "next": [
                { "at": "2024-03-25T05:30:00+07:00", "wall": "2024-03-25T05:30" },
                { "at": "2024-04-01T05:30:00+07:00", "wall": "2024-04-01T05:30" },
            ],
        });
        assert_eq!(serde_json::to_value(&report).unwrap(), expected);
    }
}
