//! Broadcasts that the rules for what is heard refuse: outside the hours, too long, too many. The plan itself is asked, so that
//! this and what will happen are the same.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    catalogue::{self, Lang},
    diagnostic::{Arg, Code, Diagnostic, Phrase},
    domain::{
        calendar::local,
        delivery::Reason,
        detail::Detail,
        id::{ScheduleId, WardId},
        plan::{PlannedDelivery, Why},
        time::Timestamp,
        workspace::Workspace,
    },
    source::{
        notebook::Notebook,
        raw::{policy::RawRule, schedule::RawSchedule},
    },
};

/// What one rule refuses of one schedule, in one way.
struct Case {
    wards: BTreeSet<WardId>,
    first: Timestamp,
    detail: Detail,
}

/// What is refused, by schedule, sort of refusal and rule.
#[derive(Default)]
pub(super) struct Refusals {
    cases: BTreeMap<(ScheduleId, String, String), Case>,
    heard: BTreeSet<ScheduleId>,
}

impl Refusals {
    /// Takes a delivery of the plan into account, with why it waits.
    pub(super) fn take(&mut self, delivery: &PlannedDelivery, waits: Option<&Why>) {
        let refused = delivery
            .skip
            .as_ref()
            .filter(|why| why.reason == Reason::Policy)
            .and_then(|why| Detail::parse(why.detail.as_deref()?));
        // At its own time the rule would let it be heard, if nothing else were.
        let is_permitted = refused.is_none() || waits.is_some();
        if is_permitted && delivery.length.is_some() && !self.heard.contains(&delivery.schedule) {
            self.heard.insert(delivery.schedule.clone());
        }
        let Some(detail) = refused else {
            return;
        };
        let rule = detail.get("rule").unwrap_or_default().to_owned();
        let key = (delivery.schedule.clone(), detail.code().to_owned(), rule);
        let case = self.cases.entry(key).or_insert_with(|| Case {
            wards: BTreeSet::new(),
            first: delivery.scheduled,
            detail,
        });
        case.wards.insert(delivery.ward.clone());
    }

    /// Says it where the schedules say when they fire.
    pub(super) fn report(
        self,
        notebook: &Notebook,
        workspace: &Workspace,
        schedules: &[RawSchedule],
        rules: &[RawRule],
    ) {
        for ((schedule, _, rule), case) in self.cases {
            let raw = schedules.iter().find(|raw| raw.schedule.id == schedule);
            let Some(at) = raw.and_then(|raw| raw.when.clone()) else {
                continue;
            };
            let why = |lang| {
                let arguments = case.detail.arguments();
                catalogue::detail(lang, case.detail.code(), arguments).unwrap_or_default()
            };
            let first = local(case.first, workspace.settings.zone);
            let (code, help) = if self.heard.contains(&schedule) {
                (Code::PartlyRefused, "L210-help")
            } else {
                (Code::NeverPermitted, "L211-help")
            };
            let mut mistake = Diagnostic::new(code, at)
                .with("count", case.wards.len())
                .with("ward", case.wards.first().map_or("", WardId::as_str))
                .with("when", first.format("%H:%M, %d/%m/%Y").to_string())
                .with(
                    "why",
                    Arg::Said {
                        vi: why(Lang::Vi),
                        en: why(Lang::En),
                    },
                )
                .help(Phrase::new(help));
            if let Some(raw) = rules.iter().find(|raw| raw.rule.name == rule) {
                mistake = mistake.note(raw.at.clone(), Phrase::new("note-rule"));
            }
            notebook.report(mistake);
        }
    }
}
