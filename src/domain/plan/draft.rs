//! A delivery while the plan of its day is being worked out.

use std::time::Duration;

use crate::domain::{
    bulletin::{Bulletin, Priority},
    calendar::resolve,
    channel::Channel,
    delivery::Reason,
    id::{ChannelId, DeliveryId, ScheduleId},
    schedule::{Choice, Missed, Schedule, Start},
    time::Timestamp,
    workspace::Workspace,
};

use super::{Limit, NO_BULLETIN, Why};

/// One schedule at one instant on one channel, or one part of it.
#[derive(Debug, Clone)]
pub(crate) struct Draft<'w> {
    /// What wants it.
    pub schedule: &'w Schedule,
    /// The instant that the schedule names.
    pub scheduled: Timestamp,
    /// Which part of a session it is.
    pub part: u16,
    /// Where it fills an airtime target: which airing of its bulletin on that day it is, from 0.
    pub filling: Option<u16>,
    /// When it begins.
    pub due: Timestamp,
    /// Where it goes.
    pub channel: &'w Channel,
    /// What it carries; `None` when no bulletin is valid on that day.
    pub bulletin: Option<&'w Bulletin>,
    /// How long it is heard; `None` for what is read.
    pub length: Option<Duration>,
    /// When it has to be over.
    pub limit: Option<Limit>,
    /// Why it is not sent at all.
    pub skip: Option<Why>,
    /// Why it does not begin when it was to begin, or could not, where that is not what it is skipped for.
    pub waits: Option<Why>,
}

impl<'w> Draft<'w> {
    /// A draft that begins when its schedule says so.
    pub(super) fn new(
        workspace: &Workspace,
        (schedule, scheduled, part): (&'w Schedule, Timestamp, u16),
        channel: &'w Channel,
        bulletin: Option<&'w Bulletin>,
    ) -> Self {
        Self {
            schedule,
            scheduled,
            part,
            filling: None,
            due: scheduled,
            channel,
            bulletin,
            length: bulletin.and_then(|bulletin| workspace.airtime(&bulletin.id, channel)),
            limit: None,
            skip: bulletin.is_none().then(|| Why {
                reason: Reason::Expired,
                detail: Some(NO_BULLETIN.to_owned()),
            }),
            waits: None,
        }
    }

    /// A draft that fills an airtime target on the day that begins at `midnight`: no schedule names its instant.
    pub(super) fn filling(
        (schedule, midnight, turn): (&'w Schedule, Timestamp, u16),
        channel: &'w Channel,
        bulletin: &'w Bulletin,
        length: Duration,
    ) -> Self {
        Self {
            schedule,
            scheduled: midnight,
            part: 0,
            filling: Some(turn),
            due: midnight,
            channel,
            bulletin: Some(bulletin),
            length: Some(length),
            limit: None,
            skip: None,
            waits: None,
        }
    }

    /// Its id. What fills a target is told by its day and its bulletin, so that an edit elsewhere moves it.
    pub(super) fn id(&self) -> DeliveryId {
        let (schedule, channel) = (&self.schedule.id, &self.channel.id);
        match (self.filling, self.bulletin) {
            (Some(turn), Some(bulletin)) => {
                DeliveryId::of_filling(schedule, self.scheduled, (&bulletin.id, turn), channel)
            }
            _ => DeliveryId::of_part(schedule, self.scheduled, self.part, channel),
        }
    }

    /// Whether both belong to one occurrence.
    pub(super) fn is_one_with(&self, other: &Self) -> bool {
        let filled = |draft: &Self| {
            draft
                .filling
                .and(draft.bulletin)
                .map(|bulletin| &bulletin.id)
        };
        self.schedule.id == other.schedule.id
            && self.scheduled == other.scheduled
            && self.filling == other.filling
            && filled(self) == filled(other)
    }

    /// The order in which a day's drafts are given out.
    pub(super) fn order(&self) -> (Timestamp, &'w ScheduleId, u16, &'w ChannelId) {
        (self.due, &self.schedule.id, self.part, &self.channel.id)
    }

    /// Whether it is the station's ident.
    pub(super) fn is_ident(&self) -> bool {
        self.part == 0 && matches!(self.schedule.bulletins, Choice::Session { ident: true, .. })
    }

    /// How long its place on air is. A little longer than it is expected to be: the largest error of an estimate over this
    /// repository's library was 4.5 %.
    pub(super) fn reserve(&self) -> Duration {
        let length = self.length.unwrap_or_default();
        length + length / 20
    }

    /// When its place on air ends.
    pub(super) fn reserved_until(&self) -> Timestamp {
        self.due + self.reserve()
    }

    /// How urgent it is.
    pub(crate) fn priority(&self) -> Priority {
        self.bulletin
            .map_or(Priority::Normal, |bulletin| bulletin.priority)
    }

    /// When its sending must have begun: as its schedule says, on its bulletin's last day, and so that it is over in time.
    pub(super) fn deadline(&self) -> Timestamp {
        let over = self.limit.as_ref().map(|limit| limit.over);
        let begun = over.map_or(Timestamp::from_micros(i64::MAX), |over| {
            over - self.length.unwrap_or_default()
        });
        self.in_time().min(begun).max(self.due)
    }

    /// When it may begin at the latest, whatever it has to be over for: as long as it may wait, or else be late.
    pub(super) fn latest(&self) -> Timestamp {
        let waited = match self.schedule.start {
            Start::Hard => self.scheduled,
            Start::Soft { max_wait } => self.scheduled + max_wait,
        };
        self.in_time().max(waited.min(self.last()))
    }

    /// When its sending must have begun if nothing else is in its way.
    fn in_time(&self) -> Timestamp {
        let within = match self.schedule.missed {
            Missed::Skip => self.schedule.deadline,
            Missed::Late { within } => within,
        };
        (self.due + within).min(self.last())
    }

    /// The end of its bulletin's last day.
    fn last(&self) -> Timestamp {
        self.bulletin
            .map_or(Timestamp::from_micros(i64::MAX), |bulletin| {
                last_instant(bulletin, self.schedule)
            })
    }
}

/// The end of the bulletin's last day.
fn last_instant(bulletin: &Bulletin, schedule: &Schedule) -> Timestamp {
    let after = bulletin
        .valid
        .until
        .and_then(|day| day.succ_opt())
        .and_then(|day| day.and_hms_opt(0, 0, 0));
    after.map_or(Timestamp::from_micros(i64::MAX), |midnight| {
        resolve(midnight, schedule.zone)
    })
}
