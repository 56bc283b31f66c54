//! What is heard: how fast its channel speaks, and whether it may last as long as it really does.

use std::time::Duration;

use crate::{
    daemon::live::Live,
    domain::{
        bulletin::{Format, Priority},
        calendar,
        channel::{Channel, ChannelKind},
        delivery::Reason,
        detail::Detail,
        policy::Spoken,
        speech::Rate,
        time::minutes_seconds,
    },
    store::Unprepared,
};

use super::choice::Refused;

/// Something that is heard, on its channel.
#[derive(Clone, Copy)]
pub(super) struct Heard<'a> {
    pub channel: &'a Channel,
    pub delivery: &'a Unprepared,
}

impl<'a> Heard<'a> {
    /// `None` for what is read.
    pub(super) fn of(live: &'a Live, delivery: &'a Unprepared) -> Option<Self> {
        let channel = live.workspace.channels.get(&delivery.channel)?;
        let is_heard = channel.audio.is_some()
            || (channel.kind == ChannelKind::Loudspeaker && delivery.format == Format::Script);
        is_heard.then_some(Self { channel, delivery })
    }

    /// How fast the channel speaks.
    pub(super) fn rate(&self, live: &Live) -> Rate {
        let usual = live.workspace.settings.speech.rate;
        self.channel.rate.unwrap_or(usual)
    }

    /// Whether it may be heard if it lasts that long: it has to be over in time, and no longer than a session may be. What a
    /// rule would refuse if this were not so urgent, `beside` what its area hears on that day, is the detail of a line in the journal.
    pub(super) fn permitted(
        &self,
        live: &Live,
        length: Duration,
        priority: Priority,
        beside: &[Spoken],
    ) -> Result<Option<String>, Refused> {
        let workspace = &live.workspace;
        let zone = workspace.settings.zone;
        let due = self.delivery.due;
        let until = due + length;
        if let Some(limit) = self
            .delivery
            .limit
            .as_ref()
            .filter(|limit| limit.over < until)
        {
            let given = limit.why.detail.clone().unwrap_or_default();
            let detail = Detail::parse(&given).map_or(given, |detail| {
                // What was estimated gives way to what is known.
                let until = calendar::clock(until, zone);
                let detail = if detail.get("until").is_some() {
                    detail.set("until", until)
                } else {
                    detail
                };
                let lasts = minutes_seconds(length);
                let is_given = detail.get("length").is_some();
                let detail = if is_given {
                    detail
                } else {
                    detail.with("lasts", lasts)
                };
                detail.to_string()
            });
            return Err((limit.why.reason, detail));
        }
        if self.channel.kind != ChannelKind::Loudspeaker {
            return Ok(None);
        }
        let (policy, ward) = (&workspace.policy, &self.delivery.ward);
        let day = calendar::local(due, zone).date();
        let permit = policy.permit(ward, day, zone, priority);
        if let Some((longest, rule)) = permit.longest.filter(|(longest, _)| length > *longest) {
            let detail = rule.too_long(length, longest).to_string();
            return Err((Reason::Policy, detail));
        }
        let overridden = policy.overridden(ward, zone, priority, (due, until), beside);
        Ok(overridden.map(|detail| detail.to_string()))
    }
}
