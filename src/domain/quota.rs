//! What Official Accounts may still send, as Zalo itself says it, and which of the planned deliveries go beyond that.
//!
//! What is said holds until a day (`valid_through`). Beyond that day nothing is known, so nothing is said of what is planned there.

use std::{collections::BTreeMap, time::Duration};

use chrono::{Days, NaiveDate, NaiveTime};

use super::{
    bulletin::Priority,
    id::{AccountId, ChannelId, DeliveryId},
    plan::Plan,
    time::Timestamp,
    workspace::Workspace,
};

/// How far ahead it is looked where nobody asks for another time.
pub const AHEAD: Duration = Duration::from_hours(14 * 24);

/// Vietnam is seven hours ahead of UTC, summer and winter, since 1975.
const EAST: Duration = Duration::from_hours(7);

/// What remained when Zalo was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remaining {
    /// Of which account.
    pub account: AccountId,
    /// Under which name it was asked for (`product_type`).
    pub product: String,
    /// So many more may be sent.
    pub remain: u64,
    /// Of so many; `None` where Zalo does not say.
    pub total: Option<u64>,
    /// To the end of this day in Vietnam; `None` where Zalo does not say.
    pub until: Option<NaiveDate>,
    /// When it was asked.
    pub read: Timestamp,
}

impl Remaining {
    /// The first instant at which it does not hold any more. What does not say how long it holds is taken for the day's.
    #[must_use]
    pub fn end(&self) -> Timestamp {
        let of_reading = || {
            let local = self.read + EAST;
            let days = local.as_micros().div_euclid(24 * 3_600_000_000);
            let days = u64::try_from(days).unwrap_or_default();
            NaiveDate::default().checked_add_days(Days::new(days))
        };
        let last = self.until.or_else(of_reading);
        let next = last.and_then(|day| day.checked_add_days(Days::new(1)));
        next.map_or(self.read, |day| {
            let midnight = day.and_time(NaiveTime::MIN).and_utc();
            Timestamp::from_micros(midnight.timestamp_micros()) - EAST
        })
    }
}

/// A planned delivery that goes beyond what remains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Over {
    /// The delivery.
    pub id: DeliveryId,
    /// Its channel.
    pub channel: ChannelId,
    /// When it is due.
    pub due: Timestamp,
    /// What it goes beyond.
    pub of: Remaining,
}

/// What of the plan from `now` to `until` goes beyond what remains, in order. `sent` is what went out, or is about to, since it was
/// asked. An emergency uses up what others may send, and is never beyond: it is tried whatever Zalo says.
#[must_use]
pub fn over(
    workspace: &Workspace,
    remaining: &[Remaining],
    sent: &[(ChannelId, DeliveryId, Timestamp)],
    (now, until): (Timestamp, Timestamp),
) -> Vec<Over> {
    let meters: BTreeMap<&ChannelId, usize> = workspace
        .channels
        .values()
        .filter_map(|channel| {
            let (account, product) = channel.meter()?;
            let is_its = |one: &Remaining| one.account == account && one.product == product;
            Some((&channel.id, remaining.iter().position(is_its)?))
        })
        .collect();
    let mut left: Vec<u64> = remaining.iter().map(|one| one.remain).collect();
    for (channel, _, due) in sent {
        if let Some(of) = meters.get(channel)
            && (remaining[*of].read..now).contains(due)
        {
            left[*of] = left[*of].saturating_sub(1);
        }
    }
    let mut over = Vec::new();
    let Some(last) = meters.values().map(|of| remaining[*of].end()).max() else {
        return over;
    };
    let until = until.min(last);
    if until <= now {
        return over;
    }
    let plan = Plan::new(workspace).only(|channel| meters.contains_key(&channel.id));
    for delivery in plan.deliveries(now, until) {
        let Some(of) = meters.get(&delivery.channel) else {
            continue;
        };
        if delivery.skip.is_some() || delivery.due >= remaining[*of].end() {
            continue;
        }
        if left[*of] > 0 {
            left[*of] -= 1;
        } else if delivery.priority != Priority::Emergency {
            over.push(Over {
                id: delivery.id,
                channel: delivery.channel,
                due: delivery.due,
                of: remaining[*of].clone(),
            });
        }
    }
    over
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).unwrap()
    }

    #[test]
    fn it_holds_to_the_end_of_a_day_in_vietnam() {
        let mut remaining = Remaining {
            account: AccountId::zalo("1", "2"),
            product: "cs".to_owned(),
            remain: 1,
            total: None,
            until: NaiveDate::from_ymd_opt(2024, 4, 30),
            read: at("2024-03-25T23:30:00+07:00"),
        };
        assert_eq!(remaining.end(), at("2024-05-01T00:00:00+07:00"));
        remaining.until = None;
        assert_eq!(remaining.end(), at("2024-03-26T00:00:00+07:00"));
        remaining.read = at("2024-03-26T00:00:00+07:00");
        assert_eq!(remaining.end(), at("2024-03-27T00:00:00+07:00"));
    }
}
