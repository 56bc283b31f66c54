//! Telling the operator of silences: one message for all that he has not been told, tried again until it arrives.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Display,
    panic::AssertUnwindSafe,
    sync::Arc,
    time::Duration,
};

use futures_util::FutureExt as _;

use crate::{
    adapter::{
        Failure,
        attempt::{Ending, NoNotes, attempt},
    },
    catalogue::{self, Lang},
    daemon::{Shared, keeper, live::Live, watchdog::written},
    domain::{
        bulletin::{Format, Priority},
        calendar,
        channel::Channel,
        delivery::{Reason, State},
        id::{BulletinId, DeliveryId, ScheduleId},
        message::{Content, Kept, Message, Quoted},
        time::Timestamp,
    },
    store::{StoreError, silence::Silence},
    why::Words,
};

/// The first wait after a try that failed. Each further wait is twice as long, up to [`LONGEST`].
const FIRST: Duration = Duration::from_secs(15);

/// The longest wait between two tries.
const LONGEST: Duration = Duration::from_mins(10);

/// Places that are named in a message; the log names them all.
const NAMED: usize = 20;

/// What is known of tries that failed.
#[derive(Default)]
pub(super) struct Operator {
    failures: u32,
    /// When to try again.
    again: Option<Timestamp>,
}

impl Operator {
    /// Something new is to be told: no wait for that.
    pub(super) fn hurry(&mut self) {
        self.again = None;
    }

    /// Tells the operator of everything that he was not told yet, unless the last try failed a moment ago.
    pub(super) async fn tell(&mut self, shared: &Shared, live: &Live) -> Result<(), StoreError> {
        let settings = &live.workspace.settings;
        let Some(id) = &settings.watchdog.operator else {
            return Ok(());
        };
        let now = shared.clock.now();
        // A clock that was set back is no reason to wait longer.
        if self
            .again
            .is_some_and(|again| now < again && again.since(now) <= LONGEST)
        {
            return Ok(());
        }
        let (Some(channel), Some(adapter)) =
            (live.workspace.channels.get(id), live.adapters.get(id))
        else {
            self.failed(now);
            tracing::error!(channel.id = %id, "the operator cannot be told of a silence: his channel cannot be used here");
            return Ok(());
        };
        let lease = settings.delivery.lease;
        let taken = shared
            .store
            .take_silences(lease, now, shared.clock.lease_now())
            .await?;
        if taken.is_empty() {
            // Another node is about to tell him.
            return Ok(());
        }
        let mut message = message(live, channel, &taken, now);
        let access = keeper::access(shared, adapter.as_ref()).await;
        let (pair, access) = access.and_then(Result::ok).unzip();
        message.kept.access = access;
        let clock = shared.clock.clone();
        let call = attempt(
            adapter.as_ref(),
            &message,
            &NoNotes,
            &shared.transport,
            || clock.now(),
        );
        let failure = match AssertUnwindSafe(call).catch_unwind().await {
            Ok(end) => match end.ending {
                Ending::Accepted(_) => None,
                Ending::Failed(failure) => Some(failure),
            },
            Err(_) => Some(Failure::retry(Reason::Defect, "panic")),
        };
        shared.keeper.hear(adapter.as_ref(), pair, failure.as_ref());
        let now = shared.clock.now();
        let Some(failure) = failure else {
            (self.failures, self.again) = (0, None);
            tracing::info!(channel.id = %id, silences = taken.len(), "the operator was told of silences");
            return shared
                .store
                .told_of_silences(&taken, id.as_str(), &shared.node, now)
                .await;
        };
        self.failed(now);
        let (reason, detail) = (failure.reason(), failure.detail());
        tracing::error!(
            channel.id = %id, silences = taken.len(), reason = reason.as_str(), detail, tries = self.failures,
            "the operator could not be told of silences; trying again"
        );
        // The journal has the first of several tries in a row; the log has them all.
        let line = format!("{id}: {}: {detail}", reason.as_str());
        let line = (self.failures == 1).then_some(line.as_str());
        shared
            .store
            .not_told_of_silences(&taken, line, &shared.node, now)
            .await
    }

    fn failed(&mut self, now: Timestamp) {
        let wait = FIRST * 2_u32.pow(self.failures.min(10));
        self.failures = self.failures.saturating_add(1);
        self.again = Some(now + wait.min(LONGEST));
    }
}

/// What the operator reads, in Vietnamese like everything that goes out: what is silent, then what is heard again.
fn message(live: &Live, channel: &Channel, taken: &[Silence], now: Timestamp) -> Message {
    let workspace = &live.workspace;
    let (begun, over): (Vec<&Silence>, Vec<&Silence>) =
        taken.iter().partition(|one| one.told.is_none());
    let parts: Vec<(String, Vec<String>)> = [("silent", begun), ("over", over)]
        .into_iter()
        .filter(|(_, silences)| !silences.is_empty())
        .map(|(key, silences)| {
            let wards: BTreeSet<_> = silences.iter().map(|one| &one.place.ward).collect();
            let city = &workspace.settings.city.name;
            let title = say(key, &[("city", city), ("count", &wards.len())]);
            (title, lines(&silences, workspace.settings.zone))
        })
        .collect();
    let title = parts
        .first()
        .map_or_else(String::new, |(title, _)| title.clone());
    let text: Vec<String> = parts
        .into_iter()
        .map(|(title, lines)| format!("{title}\n{}", lines.join("\n")))
        .collect();
    let content = Content {
        bulletin: BulletinId::parse("im-lang").expect("a plain word is an id"),
        format: Format::Message,
        title,
        summary: None,
        text: text.join("\n\n"),
        html: None,
        turns: Vec::new(),
        spoken: Vec::new(),
        quoted: Quoted::default(),
        contacts: Vec::new(),
        recording: None,
        picture: None,
    };
    let hash = content.hash();
    // The same news has the same key however often it is tried, so that a receiver takes it once.
    let schedule = ScheduleId::from_store(&format!("watchdog.{}", hash.as_str()));
    let first = taken.first().map_or(now, |one| one.place.due);
    Message {
        delivery: DeliveryId::of(&schedule, first, &channel.id),
        attempt: 1,
        channel: channel.id.clone(),
        channel_name: channel.name.clone(),
        ward: channel.ward.clone(),
        ward_name: workspace
            .ward(&channel.ward)
            .map_or_else(String::new, |ward| ward.name.clone()),
        priority: Priority::Priority,
        preempts: false,
        due: now,
        deadline: now + LONGEST,
        sent_at: now,
        hash,
        content: Arc::new(content),
        audio: None,
        picture: None,
        kept: Kept::default(),
    }
}

/// By instant and ward: that is how people ask what happened.
fn lines(silences: &[&Silence], zone: chrono_tz::Tz) -> Vec<String> {
    let mut places: BTreeMap<(Timestamp, &str), Vec<&Silence>> = BTreeMap::new();
    for one in silences {
        let place = &one.place;
        places
            .entry((place.due, &place.ward_name))
            .or_default()
            .push(one);
    }
    let mut lines: Vec<String> = places
        .iter()
        .take(NAMED)
        .map(|((due, ward), silences)| {
            let at = written(*due, zone);
            let channels: Vec<String> =
                silences.iter().map(|one| channel_line(one, zone)).collect();
            format!("{at}, {ward}: {}", channels.join("; "))
        })
        .collect();
    if places.len() > NAMED {
        lines.push(say("more", &[("count", &(places.len() - NAMED))]));
    }
    lines
}

/// A channel, and what is known of it: where the silence stood when it was noticed, and whether it is over already.
fn channel_line(one: &Silence, zone: chrono_tz::Tz) -> String {
    let name = &one.place.channel_name;
    if one.told.is_some() {
        return name.clone();
    }
    let mut why = match one.state {
        None => say("unplanned", &[]),
        Some(State::Ready) if one.reason == Some(Reason::Unreachable) => known("state.left-alone"),
        // Tried, and to be tried again.
        Some(State::Ready) if one.reason.is_some() => known("state.retrying"),
        Some(state) => known(&format!("state.{}", state.word(one.reason))),
    };
    if let Some(reason) = one.reason {
        let words = Words {
            lang: Lang::Vi,
            zone,
            moment: &|at| written(at, zone),
            is_plain: false,
        };
        let day = calendar::local(one.place.due, zone).date();
        let told = words.told(reason, one.detail.as_deref(), day);
        why = format!("{why}: {told}");
    }
    if one.over.is_some() {
        why = format!("{why}; {}", say("already-over", &[]));
    }
    format!("{name} ({why})")
}

fn say(key: &str, args: &[(&str, &dyn Display)]) -> String {
    catalogue::text(Lang::Vi, &format!("watchdog.{key}"), args)
}

/// What the catalogue calls a state or a reason.
fn known(key: &str) -> String {
    catalogue::text(Lang::Vi, key, &[])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::id::{ChannelId, WardId},
        store::silence::Silent,
    };

    const DUE: Timestamp = Timestamp::from_micros(1_711_319_400_000_000);

    fn silence(number: usize) -> Silence {
        let schedule = ScheduleId::from_store("sang");
        let channel = ChannelId::parse(&format!("loa-{number}")).unwrap();
        Silence {
            place: Silent {
                delivery: DeliveryId::of(&schedule, DUE, &channel),
                schedule,
                ward: WardId::parse(&format!("phuong-{number}")).unwrap(),
                ward_name: format!("phường {number:02}"),
                channel,
                channel_name: format!("Cụm loa {number}"),
                due: DUE,
            },
            state: Some(State::Failed),
            reason: Some(Reason::Refused),
            detail: None,
            over: None,
            told: None,
        }
    }

    fn read(silences: &[Silence]) -> Vec<String> {
        let silences: Vec<&Silence> = silences.iter().collect();
        lines(&silences, chrono_tz::Tz::Asia__Ho_Chi_Minh)
    }

    #[test]
    fn a_whole_city_fits_into_one_message() {
        let city: Vec<Silence> = (0..412).map(silence).collect();
        let lines = read(&city);
        assert_eq!(lines.len(), NAMED + 1);
        assert!(lines[0].starts_with("05:30 25/03/2024, phường 00: Cụm loa 0 (không gửi được: "));
        assert_eq!(lines[NAMED], "… và 392 mục nữa; xem nhật ký phát");
        assert!(lines.iter().map(String::len).sum::<usize>() < 4_000);
    }

    #[test]
    fn what_is_over_already_or_tried_again_says_so() {
        let mut one = silence(1);
        one.state = Some(State::Ready);
        assert!(read(std::slice::from_ref(&one))[0].contains("chờ gửi lại"));
        one.over = Some(DUE);
        assert!(read(std::slice::from_ref(&one))[0].contains("nay đã nhận bản tin trở lại"));
        one.told = Some(DUE);
        assert_eq!(
            read(&[one]),
            ["05:30 25/03/2024, phường 01: Cụm loa 1"],
            "what was told before is not told again"
        );
    }

    #[test]
    fn what_a_channel_said_is_in_the_letter_and_never_at_length() {
        let mut one = silence(1);
        one.reason = Some(Reason::Status);
        let said = "call-mail-recipient recipient=a@b.vn; said=550 5.1.1 User unknown";
        one.detail = Some(said.to_owned());
        let line = &read(std::slice::from_ref(&one))[0];
        assert!(
            line.contains("a@b.vn") && line.contains("550 5.1.1 User unknown"),
            "{line}"
        );
        one.detail = Some("receiver-says words=".to_owned() + &"đ".repeat(4_000));
        let line = &read(&[one])[0];
        assert!(line.chars().count() < 500, "{line}");
    }

    #[test]
    fn what_waits_for_a_host_that_is_left_alone_says_so() {
        let mut one = silence(1);
        one.state = Some(State::Ready);
        one.reason = Some(Reason::Unreachable);
        one.detail = Some(
            "left-alone since=05:00 25/03/2024; until=05:40 25/03/2024; why=host-timeout"
                .to_owned(),
        );
        let line = &read(&[one])[0];
        for part in [
            "chờ kênh trả lời lại",
            "từ 05:00 25/03/2024",
            "thử lại từ 05:40 25/03/2024",
            "chờ mãi không có trả lời",
        ] {
            assert!(line.contains(part), "{line}");
        }
    }

    #[test]
    fn the_wait_grows_and_ends_with_what_is_new() {
        let mut operator = Operator::default();
        let mut waits = Vec::new();
        for _ in 0..8 {
            operator.failed(DUE);
            waits.push(operator.again.unwrap().since(DUE).as_secs());
        }
        assert_eq!(waits, [15, 30, 60, 120, 240, 480, 600, 600]);
        operator.hurry();
        assert_eq!(operator.again, None);
    }
}
