//! `targets` in `schedules/*.yaml`.

use std::time::Duration;

use chrono_tz::Tz;

use crate::{
    domain::{
        calendar::When,
        id::{ScheduleId, TopicId},
        schedule::{Choice, Missed, Schedule, Start},
        target::{AirtimeTarget, Cap},
    },
    source::{notebook::Named, reader::Value},
};

use super::{
    policy::window,
    schedule::{DEADLINE, RawSchedule, not_empty, targets},
};

/// Minutes of a week.
const WEEK: f64 = 10_080.0;

/// The most times for which a bulletin can be asked.
const OFTEN: u64 = 1_000;

/// Reads an airtime target. `zone` is the workspace's.
pub(super) fn read(id: ScheduleId, value: Value<'_>, zone: Tz) -> Option<RawSchedule> {
    value.map(|fields| {
        let topic = fields.required("topic").and_then(|value| {
            let topic = value.reference(Named::Topic, TopicId::parse)?;
            Some((Choice::RotateTopic(topic), value.key_place()))
        });
        let weekly = fields.required("minutes").and_then(|value| {
            let weekly = Duration::from_secs_f64(value.number(0.5..=WEEK)? * 60.0);
            Some((weekly, value.key_place()))
        });
        let to = fields
            .required("to")
            .and_then(|value| Some((targets(value)?, value.key_place())));
        let (bulletins, bulletins_at) = topic.unzip();
        let (weekly, weekly_at) = weekly.unzip();
        let (to, to_at) = to.unzip();
        let deadline = fields.or("deadline", DEADLINE, |value| value.duration());
        let windows = fields.get("windows").and_then(not_empty);
        let schedule = Schedule {
            id,
            editors: super::approval::editors(fields),
            when: When::Target(AirtimeTarget {
                weekly: weekly.unwrap_or_default(),
                cap: fields.or("cap", Cap::default(), cap),
                windows: windows.and_then(|value| value.list(window)),
            }),
            zone,
            valid: fields
                .get("valid")
                .and_then(super::validity)
                .unwrap_or_default(),
            bulletins: bulletins.unwrap_or_else(|| Choice::Rotate(Vec::new())),
            to: to.unwrap_or_default(),
            missed: Missed::Skip,
            deadline,
            start: Start::Hard,
        };
        RawSchedule {
            schedule,
            at: value.key_place(),
            when: weekly_at,
            bulletins: bulletins_at,
            to: to_at,
            missed: None,
            names_editors: super::approval::names_editors(fields),
            text: value.place().text().to_owned(),
        }
    })
}

fn cap(value: Value<'_>) -> Option<Cap> {
    value.map(|fields| {
        let times = |name| {
            let value = fields.get(name)?.integer(1..=OFTEN)?;
            u32::try_from(value).ok()
        };
        let usual = Cap::default();
        Cap {
            per_day: times("per_day").unwrap_or(usual.per_day),
            per_week: times("per_week"),
        }
    })
}
