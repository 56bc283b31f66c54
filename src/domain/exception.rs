//! Exceptions from schedules: days on which little or nothing is heard (holidays, exams, mourning), and single occurrences
//! that are skipped, moved or carry another bulletin.
//!
//! A day only takes away. One that is moved keeps the instant that its schedule names, and so its id: it airs once, however
//! often the files are edited.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate};

use super::{
    bulletin::Priority,
    calendar,
    channel::{Channel, ChannelKind},
    delivery::Reason,
    detail::Detail,
    id::{BulletinId, DayId, ScheduleId, WardId},
    plan::{NO_BULLETIN, Why, draft::Draft},
    schedule::Choice,
    time::Timestamp,
    workspace::Workspace,
};

/// The days on which something holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    /// From a first day to a last one; both belong to it.
    Days {
        /// The first.
        from: NaiveDate,
        /// The last.
        until: NaiveDate,
    },
    /// The same day of every year.
    Yearly {
        /// The day of the month.
        day: u32,
        /// The month, from 1.
        month: u32,
    },
}

impl Span {
    /// Whether `day` is one of them.
    #[must_use]
    pub fn contains(self, day: NaiveDate) -> bool {
        match self {
            Self::Days { from, until } => from <= day && day <= until,
            Self::Yearly { day: on, month } => (day.day(), day.month()) == (on, month),
        }
    }
}

/// A day, or several in a row, on which schedules are silent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuietDay {
    /// Its key in its file.
    pub id: DayId,
    /// What people call it.
    pub name: String,
    /// When it is.
    pub span: Span,
    /// The sorts of channels that are silent.
    pub kinds: Vec<ChannelKind>,
    /// Where; everywhere if it is empty.
    pub wards: Vec<WardId>,
    /// What is heard all the same: this and what is more urgent. `None`: nothing.
    pub keep: Option<Priority>,
    /// Who decided so.
    pub document: Option<String>,
}

impl QuietDay {
    /// Whether what `schedule` sends to `channel` on `day`, this urgent, is not sent.
    fn silences(&self, channel: &Channel, day: NaiveDate, priority: Priority) -> bool {
        self.span.contains(day)
            && self.kinds.contains(&channel.kind)
            && (self.wards.is_empty() || self.wards.contains(&channel.ward))
            && self.keep.is_none_or(|kept| priority < kept)
    }

    fn why(&self) -> Why {
        let detail = match &self.document {
            Some(document) => Detail::new("holiday-by")
                .with("name", &self.name)
                .with("document", document),
            None => Detail::new("holiday").with("name", &self.name),
        };
        Why {
            reason: Reason::Holiday,
            detail: Some(detail.to_string()),
        }
    }
}

/// What becomes of an occurrence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It is not sent.
    Skip,
    /// It is sent otherwise.
    Alter {
        /// When, if not at its time.
        due: Option<Timestamp>,
        /// What, if not its bulletin.
        bulletin: Option<BulletinId>,
    },
}

/// What somebody decided about one occurrence of a schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    /// Where; everywhere if it is empty.
    pub wards: Vec<WardId>,
    /// What.
    pub change: Change,
    /// Why.
    pub reason: String,
    /// Who decided so.
    pub by: String,
    /// Exactly what is written, for approvals.
    pub text: String,
}

impl Exception {
    /// Whether it is about what `channel` gets.
    #[must_use]
    pub fn concerns(&self, channel: &Channel) -> bool {
        self.wards.is_empty() || self.wards.contains(&channel.ward)
    }

    fn why(&self) -> Why {
        let detail = Detail::new("skipped-once")
            .with("reason", &self.reason)
            .with("by", &self.by);
        Why {
            reason: Reason::Exception,
            detail: Some(detail.to_string()),
        }
    }
}

/// All exceptions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Exceptions {
    /// Days, in the order of their file.
    pub days: Vec<QuietDay>,
    /// What is decided about single occurrences, by schedule and the instant that it names.
    pub once: BTreeMap<ScheduleId, BTreeMap<Timestamp, Vec<Exception>>>,
}

impl Exceptions {
    /// What is decided about the occurrence of `schedule` at `scheduled` on `channel`.
    #[must_use]
    pub fn of(
        &self,
        schedule: &ScheduleId,
        scheduled: Timestamp,
        channel: &Channel,
    ) -> Option<&Exception> {
        let here = self.once.get(schedule)?.get(&scheduled)?;
        here.iter().find(|exception| exception.concerns(channel))
    }

    /// The occurrences of `schedule` that are moved into `[from, until)` from outside it, ascending.
    pub(crate) fn moved_into(
        &self,
        schedule: &ScheduleId,
        from: Timestamp,
        until: Timestamp,
    ) -> impl Iterator<Item = Timestamp> {
        let is_within = move |at: Timestamp| from <= at && at < until;
        let all = self.once.get(schedule).into_iter().flatten();
        all.filter(move |(scheduled, exceptions)| {
            !is_within(**scheduled)
                && exceptions.iter().any(|exception| match exception.change {
                    Change::Alter { due: Some(due), .. } => is_within(due),
                    _ => false,
                })
        })
        .map(|(scheduled, _)| *scheduled)
    }

    /// The day that silences `schedule`'s broadcasts to `channel` on `day`, if they are only this urgent.
    #[must_use]
    pub fn silent(
        &self,
        channel: &Channel,
        day: NaiveDate,
        priority: Priority,
    ) -> Option<&QuietDay> {
        self.days
            .iter()
            .find(|quiet| quiet.silences(channel, day, priority))
    }

    /// Does to a draft what is decided about it: its own exception first, then the day on which it would air.
    pub(crate) fn apply<'w>(&self, workspace: &'w Workspace, draft: &mut Draft<'w>) {
        if let Some(exception) = self.of(&draft.schedule.id, draft.scheduled, draft.channel) {
            match &exception.change {
                Change::Skip => draft.skip = Some(exception.why()),
                Change::Alter { due, bulletin } => {
                    draft.due = due.unwrap_or(draft.due);
                    if let Some(bulletin) = bulletin {
                        // In a session it stands for everything but the station's ident, and is heard once.
                        let has_ident = matches!(
                            draft.schedule.bulletins,
                            Choice::Session { ident: true, .. }
                        );
                        let first = u16::from(has_ident);
                        if draft.part > first {
                            draft.skip = Some(exception.why());
                            return;
                        }
                        if draft.part == first {
                            draft.bulletin = workspace.bulletins.get(bulletin);
                        }
                    }
                    let day = calendar::local(draft.due, draft.schedule.zone).date();
                    draft.bulletin = draft
                        .bulletin
                        .filter(|bulletin| bulletin.valid.contains(day));
                    draft.length = draft
                        .bulletin
                        .and_then(|bulletin| workspace.airtime(&bulletin.id, draft.channel));
                    draft.skip = draft.bulletin.is_none().then(|| Why {
                        reason: Reason::Expired,
                        detail: Some(NO_BULLETIN.to_owned()),
                    });
                }
            }
        }
        if self.days.is_empty() || draft.skip.is_some() {
            return;
        }
        let day = calendar::local(draft.due, workspace.settings.zone).date();
        if let Some(quiet) = self.silent(draft.channel, day, draft.priority()) {
            draft.skip = Some(quiet.why());
        }
    }
}
