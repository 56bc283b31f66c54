//! Why a delivery stands where it does, in the reader's words: for the pages and for the command line, which write instants in
//! ways of their own.

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
    store::row::DeliveryRow,
};

/// The sentence for a detail that the program wrote in place of a reason's words; `None` for words of its own, and for what
/// only adds to the reason.
#[must_use]
pub fn said(lang: Lang, detail: &str) -> Option<String> {
    let known = Detail::parse(detail).filter(|known| !known.stands_beside())?;
    catalogue::detail(lang, known.code(), known.arguments())
}

/// Who is told, and how instants are written for them.
pub struct Words<'a> {
    /// The reader's language.
    pub lang: Lang,
    /// The installation's zone.
    pub zone: Tz,
    /// An instant on whatever day.
    pub moment: &'a dyn Fn(Timestamp) -> String,
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

    /// Why something ended as it did.
    #[must_use]
    pub fn reason(&self, reason: Reason) -> String {
        self.say(&format!("reason.{}", reason.as_str()), &[])
    }

    /// Why a delivery stands where it does; `None` where nothing is to be explained. Its detail is in these words where they have
    /// room for it.
    #[must_use]
    pub fn of(&self, row: &DeliveryRow) -> Option<String> {
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
            Some(limit) if row.is_cut_off() => format!("{}. {limit}", self.reason(reason)),
            Some(spoken) => self.with_doubt(row, reason, spoken),
            None => self.with_doubt(row, reason, self.reason(reason)),
        })
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
        let known = said(self.lang, detail);
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
