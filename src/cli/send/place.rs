//! When each channel gets a send by hand: at once, after what is heard there, or not at all.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use crate::{
    adapter::zalo,
    cli::{
        output::{Output, clock, local, rfc3339},
        place::Place,
        plan::why_so,
    },
    domain::{
        bulletin::{Bulletin, Priority},
        channel::Channel,
        delivery::Reason,
        id::{DeliveryId, ScheduleId},
        pause::Pause,
        plan::{
            PlannedDelivery, Why,
            air::{Air, NoPlace, OnAir, Place as Spot, Settled, displaced},
        },
        policy::Verdict,
        time::Timestamp,
    },
    store::air::Sending,
};

/// How long a send by hand may take to begin.
const DEADLINE: Duration = Duration::from_mins(10);

/// What is sent, by hand.
pub(super) struct Wanted<'a> {
    pub place: &'a Place,
    pub schedule: ScheduleId,
    pub bulletin: &'a Bulletin,
    pub priority: Priority,
    /// How long it may wait for its place on air.
    pub within: Duration,
    pub pauses: Vec<Pause>,
    pub now: Timestamp,
}

/// A delivery that is not sent, with why.
pub(super) struct Refused {
    delivery: PlannedDelivery,
    /// When it would be permitted, and what is in the way until then if that is something else.
    next: Option<Timestamp>,
    until_then: Option<Why>,
}

/// What becomes of a send.
#[derive(Default)]
pub(super) struct Outcome {
    /// What is sent, each with what was in the way at once.
    pub sent: Vec<(PlannedDelivery, Option<Why>)>,
    pub refused: Vec<Refused>,
    /// What it asks of others.
    pub settled: Settled,
    /// What was on air before.
    before: Vec<OnAir>,
}

impl Outcome {
    /// Finds a place for each channel beside what is on air.
    pub(super) fn of(wanted: &Wanted<'_>, channels: &[&Channel], on_air: Vec<OnAir>) -> Self {
        let workspace = &wanted.place.workspace;
        let mut air = Air::new(workspace, on_air.iter().cloned());
        let mut outcome = Self {
            before: on_air,
            ..Self::default()
        };
        for channel in channels {
            let length = workspace.airtime(&wanted.bulletin.id, channel);
            let found = wanted.silenced(channel).map_or_else(
                || wanted.spot(channel, length, &mut air),
                |pause| {
                    let why = Why {
                        reason: Reason::Paused,
                        detail: None,
                    };
                    let next = Some(pause.end());
                    Err(NoPlace {
                        why,
                        next,
                        until_then: None,
                    })
                },
            );
            match found {
                Ok(spot) => {
                    let waits = spot.waits.clone();
                    outcome
                        .sent
                        .push((wanted.delivery(channel, length, Ok(spot)), waits));
                }
                Err(NoPlace {
                    why,
                    next,
                    until_then,
                }) => outcome.refused.push(Refused {
                    delivery: wanted.delivery(channel, length, Err(why)),
                    next,
                    until_then,
                }),
            }
        }
        outcome.settled = air.settle(&outcome.heard());
        outcome
    }

    /// What of it is heard.
    fn heard(&self) -> Vec<OnAir> {
        let heard = self.sent.iter().filter_map(|(one, _)| OnAir::of(one));
        heard.collect()
    }

    /// What will not be heard later on the same day, because this uses up what a rule permits, each with what the rule says.
    pub(super) fn uses_up(&self, wanted: &Wanted<'_>) -> Vec<(OnAir, Why)> {
        let workspace = &wanted.place.workspace;
        let yields = &self.settled.gives_way;
        let mut lost = displaced(workspace, &self.before, &self.heard(), yields);
        lost.retain(|(_, why)| why.reason == Reason::Policy);
        lost
    }

    /// The same in words: one line for each session.
    fn uses_up_said(&self, wanted: &Wanted<'_>, output: &Output) -> Vec<String> {
        #[derive(Default)]
        struct Lost<'a> {
            from: Option<Timestamp>,
            titles: BTreeSet<&'a str>,
            wards: BTreeSet<String>,
        }
        let lost = self.uses_up(wanted);
        let workspace = &wanted.place.workspace;
        let mut sessions: BTreeMap<_, Lost<'_>> = BTreeMap::new();
        for (one, why) in &lost {
            let key = (one.scheduled, &one.schedule, why_so(why, output));
            let session = sessions.entry(key).or_default();
            session.from = session.from.into_iter().chain([one.from]).min();
            let bulletin = one.bulletin.as_ref();
            let bulletin = bulletin.and_then(|id| workspace.bulletins.get(id));
            let title = bulletin.map(|bulletin| bulletin.title.as_str());
            session.titles.extend(title);
            let ward = workspace.ward(&one.ward);
            session.wards.extend(ward.map(|ward| ward.name.clone()));
        }
        let line = |((scheduled, _, why), lost): ((Timestamp, _, String), Lost<'_>)| {
            let at = clock(lost.from.unwrap_or(scheduled), wanted.place.zone());
            let titles = lost.titles.into_iter().collect::<Vec<_>>().join("”, “");
            let wards = lost.wards.into_iter().collect::<Vec<_>>().join(", ");
            let args: [(&str, &dyn std::fmt::Display); 4] = [
                ("at", &at),
                ("title", &titles),
                ("wards", &wards),
                ("why", &why),
            ];
            output.say("cli.send-uses-up", &args)
        };
        sessions.into_iter().map(line).collect()
    }

    /// What goes on record. Nothing, where nothing is sent at all.
    pub(super) fn sending(&self) -> Sending {
        if self.sent.is_empty() {
            return Sending::default();
        }
        let sent = self.sent.iter().map(|(delivery, _)| delivery);
        // What is kept out stands on record, too: somebody wanted it to be heard.
        let refused = self.refused.iter().map(|refused| &refused.delivery);
        Sending {
            deliveries: sent.chain(refused).cloned().collect(),
            settled: self.settled.clone(),
        }
    }

    /// When it is heard or read where it has to wait, one line for all areas with the same time; and what gives way to it.
    pub(super) fn said(&self, wanted: &Wanted<'_>, output: &Output) -> Vec<String> {
        let (place, zone) = (wanted.place, wanted.place.zone());
        let mut later: BTreeMap<(Timestamp, String), BTreeSet<&str>> = BTreeMap::new();
        let mut at_once: BTreeSet<&str> = BTreeSet::new();
        for (delivery, waits) in &self.sent {
            if delivery.length.is_none() && waits.is_none() {
                continue;
            }
            match waits {
                None => at_once.insert(&delivery.ward_name),
                Some(why) => later
                    .entry((delivery.due, why_so(why, output)))
                    .or_default()
                    .insert(&delivery.ward_name),
            };
        }
        let names = |wards: BTreeSet<&str>| wards.into_iter().collect::<Vec<_>>().join(", ");
        let mut lines = Vec::new();
        if !at_once.is_empty() {
            lines.push(output.say("cli.send-at-once", &[("wards", &names(at_once))]));
        }
        lines.extend(later.into_iter().map(|((at, why), wards)| {
            let (at, wards) = (clock(at, zone), names(wards));
            output.say(
                "cli.send-waits",
                &[("at", &at), ("wards", &wards), ("why", &why)],
            )
        }));
        let mut yielding: BTreeMap<(Timestamp, &str), BTreeSet<&str>> = BTreeMap::new();
        for one in &self.settled.gives_way {
            let bulletins = &place.workspace.bulletins;
            let bulletin = one.bulletin.as_ref().and_then(|id| bulletins.get(id));
            let title = bulletin.map_or("", |bulletin| bulletin.title.as_str());
            let channels = yielding.entry((one.from, title)).or_default();
            channels.insert(&one.channel_name);
        }
        lines.extend(yielding.into_iter().map(|((at, title), channels)| {
            let (at, channels) = (clock(at, zone), names(channels));
            output.say(
                "cli.send-gives-way",
                &[("at", &at), ("title", &title), ("channels", &channels)],
            )
        }));
        lines.extend(self.uses_up_said(wanted, output));
        lines.extend(refused_said(&self.refused, place, output));
        lines
    }

    /// The same for programs: when each is due.
    pub(super) fn rows(&self, place: &Place) -> Vec<serde_json::Value> {
        let row = |(delivery, waits): &(PlannedDelivery, Option<Why>)| {
            serde_json::json!({
                "delivery": delivery.id,
                "channel": delivery.channel,
                "ward": delivery.ward,
                "due": rfc3339(delivery.due, place.zone()),
                "seconds": delivery.length.map(|length| length.as_secs()),
                "waits": waits.as_ref().map(why_row),
            })
        };
        self.sent.iter().map(row).collect()
    }
}

impl Wanted<'_> {
    /// The pause that covers a channel.
    fn silenced(&self, channel: &Channel) -> Option<&Pause> {
        let topic = Some(&self.bulletin.topic);
        self.pauses.iter().find(|pause| {
            pause.is_in_force(self.now)
                && pause.covers(&channel.ward, &channel.id, topic, self.priority)
        })
    }

    /// Where something of that `length` is heard; at once where it is read.
    fn spot(
        &self,
        channel: &Channel,
        length: Option<Duration>,
        air: &mut Air<'_>,
    ) -> Result<Spot, NoPlace> {
        let at_once = |limit| Spot {
            from: self.now,
            limit,
            waits: None,
        };
        let Some(length) = length else {
            return self.by_day(channel).unwrap_or_else(|| Ok(at_once(None)));
        };
        if self.schedule.is_test() {
            let (policy, zone) = (&self.place.workspace.policy, self.place.zone());
            return match policy.judge(&channel.ward, zone, self.priority, self.now, length) {
                Verdict::Permitted(limit) => Ok(at_once(limit)),
                Verdict::Refused { why, next } => Err(NoPlace {
                    why,
                    next: next.map(|(at, _)| at),
                    until_then: None,
                }),
            };
        }
        let mut wish = OnAir {
            id: DeliveryId::of(&self.schedule, self.now, &channel.id),
            schedule: self.schedule.clone(),
            scheduled: self.now,
            part: 0,
            bulletin: Some(self.bulletin.id.clone()),
            ward: channel.ward.clone(),
            channel: channel.id.clone(),
            channel_name: channel.name.clone(),
            priority: self.priority,
            from: self.now,
            length,
            deadline: self.now + DEADLINE,
            is_begun: false,
            is_open: true,
        };
        let spot = air.place(&wish, self.now + self.within, false)?;
        wish.from = spot.from;
        air.put(wish);
        Ok(spot)
    }

    /// Where it is night: it waits for the morning if that comes before its deadline, and is refused until then otherwise.
    fn by_day(&self, channel: &Channel) -> Option<Result<Spot, NoPlace>> {
        let (morning, detail) = zalo::night(channel, self.now)?;
        let why = Why {
            reason: Reason::Night,
            detail: Some(detail),
        };
        Some(if morning < self.now + DEADLINE {
            Ok(Spot {
                from: morning,
                limit: None,
                waits: Some(why),
            })
        } else {
            Err(NoPlace {
                why,
                next: Some(morning),
                until_then: None,
            })
        })
    }

    fn delivery(
        &self,
        channel: &Channel,
        length: Option<Duration>,
        found: Result<Spot, Why>,
    ) -> PlannedDelivery {
        let workspace = &self.place.workspace;
        let (due, limit, skip) = match found {
            Ok(spot) => (spot.from, spot.limit, None),
            Err(why) => (self.now, None, Some(why)),
        };
        let begun = limit
            .as_ref()
            .map(|limit| limit.over - length.unwrap_or_default());
        PlannedDelivery {
            id: DeliveryId::of(&self.schedule, self.now, &channel.id),
            schedule: self.schedule.clone(),
            scheduled: self.now,
            part: 0,
            due,
            deadline: begun
                .map_or(due + DEADLINE, |begun| begun.min(due + DEADLINE))
                .max(due),
            latest: length.map(|_| (self.now + self.within).max(due + DEADLINE)),
            // Whoever sends by hand is told how long it is good; a daemon that was down in between changes nothing of that.
            late: true,
            channel: channel.id.clone(),
            channel_name: channel.name.clone(),
            kind: channel.kind,
            format: channel.format,
            mode: channel.mode,
            ward: channel.ward.clone(),
            ward_name: workspace
                .ward(&channel.ward)
                .map_or_else(String::new, |ward| ward.name.clone()),
            bulletin: Some(self.bulletin.id.clone()),
            topic: Some(self.bulletin.topic.clone()),
            priority: self.priority,
            // What is a test is nobody's airtime.
            length: length.filter(|_| !self.schedule.is_test()),
            limit,
            skip,
        }
    }
}

/// Why something does not begin at once, for programs.
pub(super) fn why_row(why: &Why) -> serde_json::Value {
    serde_json::json!({ "reason": why.reason.as_str(), "detail": why.detail })
}

/// One of those that are kept out, for programs.
pub(super) fn refused_row(refused: &Refused, place: &Place) -> serde_json::Value {
    let Refused { delivery, next, .. } = refused;
    let why = delivery.skip.as_ref();
    serde_json::json!({
        "delivery": delivery.id,
        "channel": delivery.channel,
        "ward": delivery.ward,
        "reason": why.map(|why| why.reason.as_str()),
        "detail": why.and_then(|why| why.detail.as_deref()),
        "permitted_from": next.map(|next| rfc3339(next, place.zone())),
        "until_then": refused.until_then.as_ref().map(why_row),
    })
}

/// What is kept out, and why: one line for all areas for which the same is true.
pub(super) fn refused_said(refused: &[Refused], place: &Place, output: &Output) -> Vec<String> {
    let mut lines: BTreeMap<(String, String), BTreeSet<&str>> = BTreeMap::new();
    for one in refused {
        let why = one.delivery.skip.as_ref();
        let said = why.map_or_else(String::new, |why| why_so(why, output));
        let next = match (one.next, &one.until_then) {
            (None, _) => output.say("cli.send-never-permitted", &[]),
            (Some(next), None) => {
                let at = local(next, place.zone());
                output.say("cli.send-permitted-from", &[("at", &at)])
            }
            (Some(next), Some(until_then)) => {
                let (at, why) = (local(next, place.zone()), why_so(until_then, output));
                output.say(
                    "cli.send-permitted-from-then",
                    &[("at", &at), ("why", &why)],
                )
            }
        };
        let wards = lines.entry((said, next)).or_default();
        wards.insert(&one.delivery.ward_name);
    }
    let line = |((why, next), wards): ((String, String), BTreeSet<&str>)| {
        let wards = wards.into_iter().collect::<Vec<_>>().join(", ");
        output.say(
            "cli.send-refused",
            &[("wards", &wards), ("why", &why), ("next", &next)],
        )
    };
    lines.into_iter().map(line).collect()
}
