//! Why a delivery stands where it does, in the reader's words: for the pages, the command line and the operator's letters, which
//! write instants in ways of their own.

use chrono::NaiveDate;
use chrono_tz::Tz;

use crate::{
    catalogue::{self, Lang},
    domain::{
        calendar,
        delivery::{Reason, State},
        detail::Detail,
        time::{Timestamp, parse_span},
    },
    store::row::{DeliveryRow, LeftAlone},
};

/// How much of a detail stands behind its reason in a list, in characters. A delivery's own page has all of it.
const MOST: usize = 160;

/// How much stands there of a sentence of the program's own, which may hold words of a channel.
const MOST_OWN: usize = 400;

/// The word of the catalogue for where a delivery stands: a waiting one that was tried, or whose host does not answer, is a
/// different thing to a reader than one whose time has not come; [`State::word`] has the rest.
#[must_use]
pub fn standing(row: &DeliveryRow) -> &'static str {
    match row.state {
        State::Ready if row.left_alone.is_some() => "left-alone",
        State::Ready if row.attempts > 0 => "retrying",
        state => state.word(row.reason),
    }
}

/// How a host is left alone, as a detail that stands on record: `moment` writes instants.
#[must_use]
pub fn alone(left: &LeftAlone, moment: &dyn Fn(Timestamp) -> String) -> Detail {
    Detail::new("left-alone")
        .with("since", moment(left.since))
        .with("until", moment(left.until))
        .with("why", format!("host-{}", left.reason.as_str()))
}

/// The sentence for a detail that the program wrote in place of a reason's words; `None` for words of its own, and for what
/// only adds to the reason.
#[must_use]
pub fn said(lang: Lang, detail: &str) -> Option<String> {
    let known = Detail::parse(detail).filter(|known| !known.stands_beside())?;
    sentence(lang, &known, false)
}

fn sentence(lang: Lang, known: &Detail, is_plain: bool) -> Option<String> {
    if is_plain {
        catalogue::plain_detail(lang, known.code(), known.arguments())
    } else {
        catalogue::detail(lang, known.code(), known.arguments())
    }
}

/// Who is told, and how instants are written for them.
pub struct Words<'a> {
    /// The reader's language.
    pub lang: Lang,
    /// The installation's zone.
    pub zone: Tz,
    /// An instant on whatever day.
    pub moment: &'a dyn Fn(Timestamp) -> String,
    /// Whether whoever reads it connects no channels: nothing is called as it is called in a recipe or in the settings.
    pub is_plain: bool,
}

impl std::fmt::Debug for Words<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Words({})", self.lang)
    }
}

impl Words<'_> {
    fn say(&self, key: &str, args: &[(&str, &dyn std::fmt::Display)]) -> String {
        catalogue::text(self.lang, key, args)
    }

    /// Why something ended as it did; with `detail`, at which of several calls.
    #[must_use]
    pub fn reason(&self, reason: Reason, detail: Option<&str>) -> String {
        let said = self.say(&format!("reason.{}", reason.as_str()), &[]);
        let known = detail.and_then(Detail::parse).filter(|_| !self.is_plain);
        let call = known.as_ref().and_then(|known| known.get("call"));
        call.map_or_else(
            || said.clone(),
            |call| catalogue::at_call(self.lang, &said, call),
        )
    }

    /// Why a delivery stands where it does; `None` where nothing is to be explained. Its detail is in these words where they have
    /// room for it.
    #[must_use]
    pub fn of(&self, row: &DeliveryRow) -> Option<String> {
        self.why(row, None)
    }

    /// The same in one piece, for a list: with what [`Words::of`] leaves out behind the reason, as far as there is room.
    #[must_use]
    pub fn whole(&self, row: &DeliveryRow) -> Option<String> {
        self.why(row, self.rest(row).as_deref())
    }

    fn why(&self, row: &DeliveryRow, rest: Option<&str>) -> Option<String> {
        if let Some(left) = &row.left_alone {
            let detail = alone(left, self.moment);
            return sentence(self.lang, &detail, self.is_plain);
        }
        if let (Some(before), None) = (&row.behind, row.reason) {
            let key = if before.is_sending {
                "state.behind-sending"
            } else {
                "state.behind-waiting"
            };
            return Some(self.say(key, &[("at", &(self.moment)(before.due))]));
        }
        let reason = row.reason?;
        if let Some((heard, name, at)) = row.word_of() {
            let key = if heard {
                "state.heard-by-hand"
            } else {
                "state.not-heard-by-hand"
            };
            let at = (self.moment)(at);
            return Some(self.say(key, &[("name", &name), ("at", &at)]));
        }
        let day = calendar::local(row.due, self.zone).date();
        let detail = row.detail.as_deref();
        let spoken = detail.and_then(|detail| self.spoken(reason, detail, day));
        Some(match spoken {
            // Both belong to the answer: what the channel said, and why nobody asked again.
            Some(limit) if row.is_cut_off() => format!("{}. {limit}", self.reason(reason, None)),
            Some(spoken) => self.with_doubt(row, reason, self.for_good(row.state, detail, spoken)),
            None => self.with_doubt(row, reason, joined(self.reason(reason, detail), rest)),
        })
    }

    /// `said` of the last try, and that no other came, where it was only asked for patience.
    fn for_good(&self, state: State, detail: Option<&str>, said: String) -> String {
        let known = detail.and_then(Detail::parse);
        let is_patience = |known: &Detail| known.code() == "not-now" && known.get("then").is_none();
        if state == State::Failed && known.as_ref().is_some_and(is_patience) {
            self.say("state.tries-used-up", &[("said", &said)])
        } else {
            said
        }
    }

    /// What of a row's detail the words of [`Words::of`] do not say.
    #[must_use]
    pub fn rest(&self, row: &DeliveryRow) -> Option<String> {
        let detail = row.detail.as_deref()?;
        let day = calendar::local(row.due, self.zone).date();
        let is_spoken = row
            .reason
            .is_some_and(|reason| self.spoken(reason, detail, day).is_some());
        (!is_spoken).then(|| self.remark(detail))
    }

    /// A reason and its detail in one piece, for a list. Of an instant on `day` the clock says enough.
    #[must_use]
    pub fn told(&self, reason: Reason, detail: Option<&str>, day: NaiveDate) -> String {
        let spoken = detail.and_then(|detail| self.spoken(reason, detail, day));
        match (spoken, detail) {
            (Some(spoken), _) => shortened(&spoken, MOST_OWN),
            (None, detail) => {
                let rest = detail.map(|detail| self.remark(detail));
                joined(self.reason(reason, detail), rest.as_deref())
            }
        }
    }

    /// A detail that stands beside a reason, in words.
    #[must_use]
    pub fn remark(&self, detail: &str) -> String {
        let known = Detail::parse(detail);
        let known = known.and_then(|known| sentence(self.lang, &known, self.is_plain));
        known.unwrap_or_else(|| detail.to_owned())
    }

    /// `said` of the last try, and that it is in doubt what was heard, where these words do not say so.
    fn with_doubt(&self, row: &DeliveryRow, reason: Reason, said: String) -> String {
        if row.state == State::Unknown && !reason.is_doubt() {
            format!("{said}. {}", self.say("state.unknown-still", &[]))
        } else {
            said
        }
    }

    /// A reason together with a detail that programs wrote; `None` for a detail in words of its own. Of an instant on `day` the
    /// clock says enough.
    #[must_use]
    pub fn spoken(&self, reason: Reason, detail: &str, day: NaiveDate) -> Option<String> {
        let known = Detail::parse(detail).filter(|known| !known.stands_beside());
        let known = known.and_then(|known| sentence(self.lang, &known, self.is_plain));
        if known.is_some() || reason != Reason::Expired {
            return known;
        }
        let (from, until) = parse_span(detail)?;
        let near = |at| {
            let local = calendar::local(at, self.zone);
            if local.date() == day {
                local.format("%H:%M").to_string()
            } else {
                (self.moment)(at)
            }
        };
        let (from, until) = (near(from), near(until));
        Some(self.say(
            "state.expired-downtime",
            &[("from", &from), ("until", &until)],
        ))
    }
}

/// A sentence and what stands behind it, on one line.
fn joined(why: String, rest: Option<&str>) -> String {
    let rest = rest.map(|rest| shortened(rest, MOST)).unwrap_or_default();
    if rest.is_empty() {
        why
    } else {
        format!("{}: {rest}", why.trim_end_matches('.'))
    }
}

/// One line, and no more than so many characters of it.
fn shortened(text: &str, most: usize) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(tell: impl FnOnce(&Words<'_>) -> String) -> String {
        tell(&Words {
            lang: Lang::Vi,
            zone: chrono_tz::Asia::Ho_Chi_Minh,
            moment: &|at| at.to_rfc3339(),
            is_plain: false,
        })
    }

    /// What lists and headings on pages say: the channel's own words, and nothing that only a recipe calls so.
    #[test]
    fn whoever_connects_no_channels_reads_plain_words() {
        let plain = Words {
            lang: Lang::Vi,
            zone: chrono_tz::Asia::Ho_Chi_Minh,
            moment: &|at| at.to_rfc3339(),
            is_plain: true,
        };
        let day = NaiveDate::default();
        for (reason, detail, said) in [
            (
                Reason::Status,
                "receiver-says call=find; status=422; rule=errors[0]; words=Thiếu tiêu đề",
                "Bên nhận trả lời “Thiếu tiêu đề”",
            ),
            (
                Reason::Unexpected,
                "call-no-field call=find; pointer=/items/0/id",
                "Kênh trả lời khác với quy ước, cần người kiểm tra: Hỏi kênh xem đã có chưa, câu trả lời thiếu phần cần có",
            ),
            (
                Reason::Timeout,
                "call-timeout call=request",
                "Đã gửi nhưng chờ mãi không thấy trả lời, chưa rõ đã phát hay chưa: Không có trả lời trong thời gian chờ",
            ),
        ] {
            assert_eq!(plain.told(reason, Some(detail), day), said);
        }
        // What people call a rule for airtime stands in other quotes. Voices are set up where the program runs.
        let codes = catalogue::names("detail.").into_iter();
        for code in codes.filter(|code| !code.starts_with("sound-")) {
            let given = ["rule", "pointer", "step", "path", "call"].map(|name| (name, "errors[0]"));
            let said = catalogue::plain_detail(Lang::Vi, code, given.into_iter()).unwrap();
            for word in [
                "`errors[0]`",
                "`find`",
                "`delivery.",
                "`network.",
                "`method`",
            ] {
                assert!(!said.contains(word), "{code}: {said}");
            }
        }
    }

    fn told(reason: Reason, detail: Option<&str>) -> String {
        let day = NaiveDate::from_ymd_opt(2024, 3, 25).unwrap();
        words(|words| words.told(reason, detail, day))
    }

    /// What the receiver said, and what came of its wish: nothing in place of the other.
    #[test]
    fn a_wish_that_came_too_late_stands_behind_what_was_said() {
        for (detail, said) in [
            (
                "receiver-says asked=600; then=call-too-late; status=503; rule=errors[0]; words=Đang bảo trì",
                "Bên nhận trả lời “Đang bảo trì” (mã 503, theo dòng `errors[0]` của công thức kết nối). Kênh xin được gửi lại sau 600 giây, quá hạn",
            ),
            (
                "own-words asked=600; then=call-last-try; words=Đang bảo trì",
                "Đang bảo trì. Kênh xin được gửi lại sau 600 giây",
            ),
        ] {
            let whole = said_in_vietnamese(detail);
            assert!(whole.starts_with(said), "{whole}");
        }
        let whole =
            words(|words| words.remark("call-status asked=600; then=call-too-late; status=503"));
        assert!(
            whole.starts_with("Mã trả lời 503. Kênh xin được gửi lại sau 600 giây"),
            "{whole}"
        );
    }

    fn said_in_vietnamese(detail: &str) -> String {
        said(Lang::Vi, detail).expect("a detail of ours")
    }

    #[test]
    fn a_list_has_what_a_channel_said_behind_the_reason() {
        assert_eq!(
            told(Reason::Status, None),
            "Kênh trả lời báo lỗi",
            "nothing more is known"
        );
        let refused = "call-mail-recipient recipient=a@b.vn; said=550 5.1.1 User unknown";
        assert_eq!(
            told(Reason::Status, Some(refused)),
            "Kênh trả lời báo lỗi: Máy chủ thư không nhận thư cho a@b.vn, nên chưa gửi cho ai cả: 550 5.1.1 User unknown"
        );
        assert_eq!(
            told(Reason::Reset, Some("Connection\nreset  by peer")),
            "Đã gửi nhưng kết nối bị ngắt, chưa rõ đã phát hay chưa: Connection reset by peer"
        );
        assert_eq!(
            told(Reason::Unanswered, Some("asked-timeout")),
            "Hỏi kênh trước khi gửi thì chờ mãi không thấy trả lời; lần này chưa gửi gì",
            "a sentence that stands in place of the reason's words"
        );
        let long = told(Reason::Reset, Some(&"ằ".repeat(4_000)));
        assert!(long.ends_with("ằ…") && long.chars().count() < 240, "{long}");
    }

    #[test]
    fn a_host_that_is_left_alone_is_told_with_its_instants_and_the_last_cause() {
        let left = LeftAlone {
            since: Timestamp::from_micros(0),
            until: Timestamp::from_micros(60_000_000),
            reason: Reason::Refused,
        };
        let detail = alone(&left, &|at| at.to_rfc3339()).to_string();
        let said = told(Reason::Unreachable, Some(&detail));
        for part in [
            "1970-01-01T00:00:00Z",
            "1970-01-01T00:01:00Z",
            "không nhận kết nối",
        ] {
            assert!(said.contains(part), "{said}");
        }
        for reason in Reason::ALL {
            let key = format!("state.host-{}", reason.as_str());
            assert_eq!(
                catalogue::has(&key),
                reason.host_answered() == Some(false),
                "{key}"
            );
        }
    }

    #[test]
    fn not_now_to_the_last_try_is_told_as_that() {
        let words = Words {
            lang: Lang::En,
            zone: chrono_tz::Asia::Ho_Chi_Minh,
            moment: &|at| at.to_rfc3339(),
            is_plain: false,
        };
        let day = NaiveDate::default();
        let told = |state, detail: &str| {
            let said = words.spoken(Reason::Busy, detail, day).unwrap();
            words.for_good(state, Some(detail), said)
        };
        let not_now = "not-now call=request; status=200; rule=errors[1]";
        let said = "The receiver said “not now” (status 200, by `errors[1]` of the recipe) (in the call that counts, `request`)";
        assert_eq!(told(State::Ready, not_now), said);
        assert_eq!(
            told(State::Failed, not_now),
            format!("{said}. No try or no time was left")
        );
        let refused = "receiver-says status=422; rule=errors[0]; words=x";
        assert!(!told(State::Failed, refused).contains("left"));
    }
}
