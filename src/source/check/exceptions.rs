//! Exceptions against schedules, channels and bulletins: that each is about one occurrence that there is, and that what it
//! decides can be.

use std::time::Duration;

use chrono_tz::Tz;

use crate::{
    diagnostic::{Code, Diagnostic, Phrase, Place},
    domain::{
        calendar::{self, Firing, resolve},
        channel::Channel,
        exception::{Change, Exception, Exceptions},
        id::BulletinId,
        schedule::Schedule,
        time::Timestamp,
        workspace::Workspace,
    },
    source::{
        notebook::Notebook,
        raw::{
            bulletin::RawBulletin,
            exception::{RawException, RawExceptions},
            schedule::RawSchedule,
        },
    },
};

/// How far back an occurrence is looked for, to be suggested: longer and longer, so that a schedule of every minute is not
/// counted through for a year.
const BACK: [u32; 4] = [1, 8, 32, 370];

/// Checks the exceptions, and builds what the plan goes by.
pub(super) fn check(
    notebook: &Notebook,
    workspace: &Workspace,
    raw: &RawExceptions,
    schedules: &[RawSchedule],
    bulletins: &[RawBulletin],
    now: Option<Timestamp>,
) -> Exceptions {
    let mut exceptions = Exceptions {
        days: raw.days.iter().map(|(day, _)| day.clone()).collect(),
        ..Exceptions::default()
    };
    let mut known: Vec<Known<'_>> = Vec::new();
    for one in &raw.once {
        let Some(schedule) = workspace.schedules.get(&one.schedule) else {
            continue;
        };
        // Without its times nobody can say at which it fires.
        let is_readable =
            |raw: &&RawSchedule| raw.schedule.id == one.schedule && raw.when.is_some();
        if !schedules.iter().any(|raw| is_readable(&raw)) {
            continue;
        }
        let case = Case {
            notebook,
            workspace,
            raw: one,
            schedule,
        };
        let Some(firing) = case.firing() else {
            case.no_such_occurrence();
            continue;
        };
        let channels = case.channels();
        for other in &known {
            case.twice(other, &channels, firing.at);
        }
        let due = case.due(firing.at, now);
        let day = calendar::local(due.unwrap_or(firing.at), schedule.zone).date();
        if let Some((bulletin, at)) = &one.bulletin {
            case.replaced(bulletin, at, day, &channels, bulletins);
        }
        if let Some((_, at)) = &one.due {
            let day = calendar::local(due.unwrap_or(firing.at), workspace.settings.zone).date();
            case.silent(&exceptions, day, &channels, at, raw);
        }
        let skips = one.due.is_none() && one.bulletin.is_none();
        let change = if skips {
            Change::Skip
        } else {
            Change::Alter {
                due,
                bulletin: one.bulletin.as_ref().map(|(id, _)| id.clone()),
            }
        };
        let by_instant = exceptions.once.entry(one.schedule.clone()).or_default();
        by_instant.entry(firing.at).or_default().push(Exception {
            wards: one.wards.0.clone(),
            change,
            reason: one.reason.clone(),
            by: one.by.clone(),
            text: super::plain(one.place.text()),
        });
        known.push(Known {
            raw: one,
            at: firing.at,
            channels,
        });
    }
    exceptions
}

/// An exception that was looked at before.
struct Known<'a> {
    raw: &'a RawException,
    at: Timestamp,
    channels: Vec<&'a Channel>,
}

/// One exception and what it is about.
struct Case<'a> {
    notebook: &'a Notebook,
    workspace: &'a Workspace,
    raw: &'a RawException,
    schedule: &'a Schedule,
}

impl<'a> Case<'a> {
    /// The occurrence, if the schedule fires then.
    fn firing(&self) -> Option<Firing> {
        let at = resolve(self.raw.at.0, self.schedule.zone);
        let firing = self.schedule.when.next(self.schedule.zone, at)?;
        let is_valid = self.schedule.valid.contains(firing.wall.date());
        (firing.at == at && is_valid).then_some(firing)
    }

    /// Reports that the schedule does not fire then, with the occurrence that may have been meant.
    fn no_such_occurrence(&self) {
        let at = resolve(self.raw.at.0, self.schedule.zone);
        let help = nearest(self.schedule, at).map_or(Phrase::new("L220-help"), |nearest| {
            let nearest = shown(nearest, self.schedule.zone);
            Phrase::new("L220-help-nearest").with("nearest", nearest)
        });
        let diagnostic = Diagnostic::new(Code::NoSuchOccurrence, self.raw.at.1.clone())
            .with("schedule", self.schedule.id.as_str())
            .with("at", shown(at, self.schedule.zone));
        self.notebook.report(diagnostic.help(help));
    }

    /// The channels that it is about. None is a mistake, unless a ward is unknown anyway.
    fn channels(&self) -> Vec<&'a Channel> {
        let (wards, place) = &self.raw.wards;
        let channels: Vec<&Channel> = self
            .workspace
            .channels
            .values()
            .filter(|channel| self.schedule.to.include(channel))
            .filter(|channel| wards.is_empty() || wards.contains(&channel.ward))
            .collect();
        let are_known = wards.iter().all(|ward| self.workspace.ward(ward).is_some());
        if let Some(place) = place.as_ref().filter(|_| channels.is_empty() && are_known) {
            let diagnostic = Diagnostic::new(Code::ExceptionReachesNothing, place.clone())
                .with("schedule", self.schedule.id.as_str());
            self.notebook
                .report(diagnostic.help(Phrase::new("L223-help")));
        }
        channels
    }

    /// Reports another exception for the same occurrence on the same channel.
    fn twice(&self, other: &Known<'_>, channels: &[&Channel], at: Timestamp) {
        if (&other.raw.schedule, other.at) != (&self.raw.schedule, at) {
            return;
        }
        let is_same = |channel: &&&Channel| other.channels.iter().any(|one| one.id == channel.id);
        if let Some(channel) = channels.iter().find(is_same) {
            let diagnostic = Diagnostic::new(Code::TwoExceptions, self.raw.at.1.clone())
                .with("schedule", self.schedule.id.as_str())
                .with("at", shown(at, self.schedule.zone))
                .with("channel", channel.id.as_str())
                .help(Phrase::new("L221-help"));
            let first = other.raw.at.1.clone();
            self.notebook
                .report(diagnostic.note(first, Phrase::new("note-first")));
        }
    }

    /// The instant that the occurrence at `at` is moved to.
    fn due(&self, at: Timestamp, now: Option<Timestamp>) -> Option<Timestamp> {
        let (wall, place) = self.raw.due.as_ref()?;
        let due = resolve(*wall, self.schedule.zone);
        if due == at {
            let diagnostic = Diagnostic::new(Code::MovedNowhere, place.clone());
            self.notebook
                .report(diagnostic.help(Phrase::new("L222-help")));
        }
        // What has been sent by now, at its new time or its old one, is no mistake.
        if now.is_some_and(|now| due <= now && now < at) {
            let diagnostic = Diagnostic::new(Code::MovedToPast, place.clone())
                .with("to", shown(due, self.schedule.zone));
            self.notebook
                .report(diagnostic.help(Phrase::new("L226-help")));
        }
        Some(due)
    }

    /// Whether `bulletin` can be sent in the place of the schedule's.
    fn replaced(
        &self,
        bulletin: &BulletinId,
        at: &Place,
        day: chrono::NaiveDate,
        channels: &[&Channel],
        bulletins: &[RawBulletin],
    ) {
        let Some(bulletin) = self.workspace.bulletins.get(bulletin) else {
            return;
        };
        let source = bulletins.iter().find(|raw| raw.bulletin.id == bulletin.id);
        let Some(source) = source.filter(|raw| {
            !self
                .notebook
                .has_any_in(raw.at.file.path(), &[Code::UnknownKey])
        }) else {
            return;
        };
        if !bulletin.valid.contains(day) {
            let valid = source.valid.clone().unwrap_or_else(|| source.at.clone());
            let diagnostic = Diagnostic::new(Code::InvalidThen, at.clone())
                .with("bulletin", bulletin.id.as_str())
                .with("day", day.to_string())
                .help(Phrase::new("L224-help"))
                .note(
                    valid,
                    Phrase::new("note-valid").with("bulletin", bulletin.id.as_str()),
                );
            self.notebook.report(diagnostic);
        }
        let lacking = |channel: &&&Channel| !bulletin.has(channel.format);
        if let Some(channel) = channels.iter().find(lacking) {
            let format = channel.format.as_str();
            let diagnostic = Diagnostic::new(Code::LacksFormat, at.clone())
                .with("bulletin", bulletin.id.as_str())
                .with("format", format)
                .with("channel", channel.id.as_str())
                .help(
                    Phrase::new("L044-help-exception")
                        .with("bulletin", bulletin.id.as_str())
                        .with("format", format),
                )
                .note(source.at.clone(), Phrase::new("note-bulletin"));
            self.notebook.report(diagnostic);
        }
    }

    /// Warns of a move to a day on which everything that the schedule sends is silent.
    fn silent(
        &self,
        exceptions: &Exceptions,
        day: chrono::NaiveDate,
        channels: &[&Channel],
        at: &Place,
        raw: &RawExceptions,
    ) {
        let chosen = match &self.raw.bulletin {
            Some((id, _)) => self.workspace.bulletins.get(id).into_iter().collect(),
            None => self.workspace.choices(&self.schedule.bulletins),
        };
        let Some(priority) = chosen.iter().map(|bulletin| bulletin.priority).max() else {
            return;
        };
        let silenced = channels.iter().find_map(|channel| {
            let quiet = exceptions.silent(channel, day, priority)?;
            Some((channel, quiet))
        });
        let Some((channel, quiet)) = silenced else {
            return;
        };
        let mut diagnostic = Diagnostic::new(Code::MovedToSilence, at.clone())
            .with("day", quiet.name.as_str())
            .with("channel", channel.id.as_str())
            .help(Phrase::new("L225-help"));
        if let Some((_, place)) = raw.days.iter().find(|(day, _)| day.id == quiet.id) {
            diagnostic = diagnostic.note(place.clone(), Phrase::new("note-day"));
        }
        self.notebook.report(diagnostic);
    }
}

/// The occurrence of `schedule` that is nearest to `at`.
fn nearest(schedule: &Schedule, at: Timestamp) -> Option<Timestamp> {
    let (when, zone) = (&schedule.when, schedule.zone);
    let is_valid = |firing: &Firing| schedule.valid.contains(firing.wall.date());
    let far = Duration::from_hours(24 * u64::from(BACK[BACK.len() - 1]));
    let after = when.firings(zone, at, at + far).find(is_valid);
    let before = BACK.into_iter().find_map(|days| {
        let from = at - Duration::from_hours(24 * u64::from(days));
        when.firings(zone, from, at).filter(is_valid).last()
    });
    match (before, after) {
        (Some(before), Some(after)) if at.since(before.at) <= after.at.since(at) => Some(before.at),
        (before, None) => before.map(|before| before.at),
        (_, after) => after.map(|after| after.at),
    }
}

/// As people write it in the file.
fn shown(at: Timestamp, zone: Tz) -> String {
    calendar::local(at, zone)
        .format("%Y-%m-%d %H:%M")
        .to_string()
}
