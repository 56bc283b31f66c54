//! How a page speaks to its reader: in which language, in which zone, seen from which moment.

use std::fmt::Display;

use chrono::{Datelike, Days, NaiveDate, NaiveTime};
use chrono_tz::Tz;

use crate::{
    catalogue::{self, Lang},
    domain::{
        calendar,
        delivery::{Reason, State},
        detail::Detail,
        time::Timestamp,
    },
    store::row::DeliveryRow,
    why::Words,
};

/// A reader.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader {
    /// The language of the page.
    pub(super) lang: Lang,
    /// The installation's zone.
    pub(super) zone: Tz,
    /// The moment of the request.
    pub(super) now: Timestamp,
}

impl Reader {
    /// The catalogue's `web.` sentence `name`.
    pub(super) fn text(&self, name: &str, args: &[(&str, &dyn Display)]) -> String {
        catalogue::text(self.lang, &format!("web.{name}"), args)
    }

    /// The catalogue's `state.` word `name`.
    pub(super) fn word(&self, name: &str) -> String {
        catalogue::text(self.lang, &format!("state.{name}"), &[])
    }

    /// Why something ended as it did.
    pub(super) fn reason(&self, reason: Reason) -> String {
        catalogue::text(self.lang, &format!("reason.{}", reason.as_str()), &[])
    }

    /// Lets `tell` say it in this reader's words, for those who connect channels, too.
    fn in_words<T>(&self, tell: impl FnOnce(&Words<'_>) -> T) -> T {
        self.worded(false, tell)
    }

    fn worded<T>(&self, is_plain: bool, tell: impl FnOnce(&Words<'_>) -> T) -> T {
        tell(&Words {
            lang: self.lang,
            zone: self.zone,
            moment: &|at| self.moment(at),
            is_plain,
        })
    }

    /// Why a delivery stands where it does, in plain words.
    pub(super) fn why(&self, row: &DeliveryRow) -> Option<String> {
        self.worded(true, |words| words.of(row))
    }

    /// The same in one piece, for a list.
    pub(super) fn whole_why(&self, row: &DeliveryRow) -> Option<String> {
        self.worded(true, |words| words.whole(row))
    }

    /// What of a row's detail the words of [`Reader::why`] do not say.
    pub(super) fn rest_of_detail(&self, row: &DeliveryRow) -> Option<String> {
        self.worded(true, |words| words.rest(row))
    }

    /// Why an attempt ended as it did, and what these words leave out.
    pub(super) fn attempt(
        &self,
        reason: Reason,
        detail: Option<&str>,
        day: NaiveDate,
    ) -> (String, Option<String>) {
        let Some(detail) = detail else {
            return (self.reason(reason), None);
        };
        if let Some(spoken) = self.spoken(reason, detail, day) {
            return (spoken, None);
        }
        self.in_words(|words| {
            let said = words.reason(reason, Some(detail));
            (said, Some(words.remark(detail)))
        })
    }

    fn spoken(&self, reason: Reason, detail: &str, day: NaiveDate) -> Option<String> {
        self.in_words(|words| words.spoken(reason, detail, day))
    }

    /// The detail of a journal line: words of the program (`skipped: expired`, `expired: FROM..UNTIL`) in the reader's.
    pub(super) fn journal_detail(&self, detail: &str, day: NaiveDate) -> String {
        let word = |word: &str| {
            let state = State::parse(word).map(|_| self.word(word));
            state.or_else(|| Reason::parse(word).map(|reason| self.reason(reason)))
        };
        let known = Detail::parse(detail)
            .and_then(|known| catalogue::detail(self.lang, known.code(), known.arguments()));
        if let Some(said) = known {
            return said;
        }
        let Some((first, rest)) = detail.split_once(": ") else {
            return word(detail).unwrap_or_else(|| detail.to_owned());
        };
        // As elsewhere: what waits for its host, and what was tried, wait for no instant of the plan.
        if State::parse(first) == Some(State::Ready)
            && let Some(reason) = Reason::parse(rest)
        {
            return match reason {
                Reason::Unreachable => self.word("left-alone"),
                reason => format!("{}: {}", self.word("retrying"), self.reason(reason)),
            };
        }
        let spoken = Reason::parse(first).and_then(|reason| self.spoken(reason, rest, day));
        spoken.unwrap_or_else(|| match (word(first), word(rest)) {
            (Some(first), Some(rest)) => format!("{first}: {rest}"),
            (Some(first), None) => format!("{first}: {rest}"),
            (None, _) => detail.to_owned(),
        })
    }

    /// The day that the reader's calendar shows.
    pub(super) fn today(&self) -> NaiveDate {
        self.day_of(self.now)
    }

    /// The day of an instant.
    pub(super) fn day_of(&self, at: Timestamp) -> NaiveDate {
        calendar::local(at, self.zone).date()
    }

    /// When `day` begins here.
    pub(super) fn start_of(&self, day: NaiveDate) -> Timestamp {
        calendar::resolve(day.and_time(NaiveTime::MIN), self.zone)
    }

    /// When `day` has ended here.
    pub(super) fn end_of(&self, day: NaiveDate) -> Timestamp {
        self.start_of(day.checked_add_days(Days::new(1)).unwrap_or(day))
    }

    /// `Thứ Hai 25/3`, with the year when it is not this one.
    pub(super) fn day(&self, day: NaiveDate) -> String {
        let weekday = self.text(
            &format!("weekday-{}", day.weekday().num_days_from_monday() + 1),
            &[],
        );
        let month = self.text(&format!("month-{}", day.month()), &[]);
        let args: [(&str, &dyn Display); 4] = [
            ("weekday", &weekday),
            ("day", &day.day()),
            ("month", &month),
            ("year", &day.year()),
        ];
        let pattern = if day.year() == self.today().year() {
            "day"
        } else {
            "day-and-year"
        };
        self.text(pattern, &args)
    }

    /// `05:30`.
    pub(super) fn clock(&self, at: Timestamp) -> String {
        calendar::local(at, self.zone).format("%H:%M").to_string()
    }

    /// `05:30:02`.
    pub(super) fn seconds(&self, at: Timestamp) -> String {
        calendar::clock(at, self.zone)
    }

    /// `05:30, Thứ Hai 25/3`.
    pub(super) fn moment(&self, at: Timestamp) -> String {
        self.text(
            "moment",
            &[
                ("clock", &self.clock(at)),
                ("day", &self.day(self.day_of(at))),
            ],
        )
    }

    /// The time of day when `at` is on `day`, else the day with it.
    pub(super) fn moment_near(&self, at: Timestamp, day: NaiveDate) -> String {
        if self.day_of(at) == day {
            self.seconds(at)
        } else {
            self.text(
                "moment",
                &[
                    ("clock", &self.seconds(at)),
                    ("day", &self.day(self.day_of(at))),
                ],
            )
        }
    }

    /// An address on this site that keeps the language. Values have to be ids, days, numbers or keys: characters that
    /// need no quoting in an address.
    pub(super) fn link(&self, path: &str, parameters: &[(&str, &str)]) -> String {
        let lang = [("lang", "en")];
        let kept = if self.lang == Lang::En {
            &lang[..]
        } else {
            &[]
        };
        let mut link = path.to_owned();
        for (name, value) in parameters
            .iter()
            .chain(kept)
            .filter(|(_, value)| !value.is_empty())
        {
            link.push(if link.contains('?') { '&' } else { '?' });
            link.push_str(name);
            link.push('=');
            link.push_str(value);
        }
        link
    }
}

/// Whether somebody ought to look at it: it was not heard, or may not have been, and nobody had decided that.
pub(super) fn needs_attention(row: &DeliveryRow) -> bool {
    match row.state {
        State::Failed | State::Unheard | State::Unknown => true,
        State::Skipped => !matches!(
            row.reason,
            Some(Reason::Superseded | Reason::Paused | Reason::Policy | Reason::ByHand)
        ),
        _ => false,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A reader at 06:00 on Monday, 25 March 2024, in Vietnam.
    pub(in crate::web) fn reader(lang: Lang) -> Reader {
        let now = Timestamp::parse_rfc3339("2024-03-25T06:00:00+07:00").unwrap();
        Reader {
            lang,
            zone: chrono_tz::Asia::Ho_Chi_Minh,
            now,
        }
    }

    #[test]
    fn days_are_named_as_people_say_them() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        for (date, vi, en) in [
            ("2024-03-25", "Thứ Hai 25/3", "Monday 25 March"),
            ("2024-03-31", "Chủ nhật 31/3", "Sunday 31 March"),
            (
                "2023-12-06",
                "Thứ Tư 6/12/2023",
                "Wednesday 6 December 2023",
            ),
        ] {
            assert_eq!(reader(Lang::Vi).day(day(date)), vi);
            assert_eq!(reader(Lang::En).day(day(date)), en);
        }
    }

    #[test]
    fn details_of_programs_are_said_in_words() {
        let reader = reader(Lang::Vi);
        let day = reader.today();
        for (detail, said) in [
            (
                "expired: 2024-03-24T22:27:00.000123Z..2024-03-25T02:30:00Z",
                "Hệ thống ngừng chạy từ 05:27 đến 09:30 nên lượt này không phát",
            ),
            (
                "expired: 2024-03-23T22:27:00Z..2024-03-25T02:30:00Z",
                "Hệ thống ngừng chạy từ 05:27, Chủ nhật 24/3 đến 09:30 nên lượt này không phát",
            ),
            (
                "expired: no-valid-bulletin",
                "Không có bản tin nào còn hiệu lực nên không có gì để phát",
            ),
            (
                "policy: outside-hours rule=Khung giờ; document=QĐ 1, 01/03/2024; from=20:50; until=21:05",
                "Phát từ 20:50 đến 21:05 là ngoài khung giờ mà “Khung giờ” cho phép (QĐ 1, 01/03/2024)",
            ),
            (
                "skipped: expired",
                "bỏ qua: Đã quá giờ phát nên không phát nữa",
            ),
            ("ready: unreachable", "chờ kênh trả lời lại"),
            (
                "ready: timeout",
                "chờ gửi lại: Đã gửi nhưng chờ mãi không thấy trả lời, chưa rõ đã phát hay chưa",
            ),
            ("unknown", "chưa rõ"),
            ("mot → all: diễn tập: lần 1", "mot → all: diễn tập: lần 1"),
        ] {
            assert_eq!(reader.journal_detail(detail, day), said);
        }
    }

    #[test]
    fn an_attempt_says_what_happened_and_below_it_what_exactly() {
        let said = |lang, reason, detail| {
            let reader = reader(lang);
            reader.attempt(reason, detail, reader.today())
        };
        let (what, more) = said(Lang::Vi, Reason::Busy, Some("call-status status=503"));
        assert_eq!(what, "Kênh báo đang bận nên chưa nhận");
        assert_eq!(more.as_deref(), Some("Mã trả lời 503"));
        let (what, more) = said(Lang::En, Reason::Unanswered, Some("asked-too-large"));
        assert!(
            what.contains("too large") && what.contains("nothing was sent"),
            "{what}"
        );
        assert_eq!(more, None);
        let old = said(Lang::Vi, Reason::Reset, Some("Connection reset by peer"));
        assert_eq!(old.1.as_deref(), Some("Connection reset by peer"));
        let at = "call-status call=steps.upload; status=404";
        let (what, more) = said(Lang::En, Reason::Status, Some(at));
        assert_eq!(
            what,
            "The channel answered with an error (in the step `steps.upload`)"
        );
        assert_eq!(more.as_deref(), Some("Status 404"));
        let lost = "step-lost call=steps.write; met=call-timeout";
        let (what, more) = said(Lang::Vi, Reason::Unanswered, Some(lost));
        assert!(
            what.contains("(Không có trả lời trong thời gian chờ (`delivery.total_timeout`))"),
            "{what}"
        );
        assert!(what.ends_with("(ở bước `steps.write`)"), "{what}");
        assert_eq!(more, None);
    }

    #[test]
    fn a_day_is_the_zones_day() {
        let reader = reader(Lang::Vi);
        let day = reader.today();
        assert_eq!(reader.start_of(day).to_rfc3339(), "2024-03-24T17:00:00Z");
        assert_eq!(reader.end_of(day).to_rfc3339(), "2024-03-25T17:00:00Z");
        assert_eq!(reader.clock(reader.start_of(day)), "00:00");
        assert_eq!(reader.moment(reader.now), "06:00, Thứ Hai 25/3");
        assert_eq!(reader.moment_near(reader.now, day), "06:00:00");
    }

    #[test]
    fn links_keep_the_language_and_leave_out_what_is_empty() {
        assert_eq!(reader(Lang::Vi).link("/", &[("phuong", "")]), "/");
        assert_eq!(
            reader(Lang::Vi).link("/", &[("a", "1"), ("b", "2")]),
            "/?a=1&b=2"
        );
        assert_eq!(
            reader(Lang::En).link("/nhat-ky", &[("a", "1")]),
            "/nhat-ky?a=1&lang=en"
        );
    }
}
