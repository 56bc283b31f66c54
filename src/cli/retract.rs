//! `loa retract`: a bulletin is taken back with one command. What is still to go out is called off, and every channel that
//! carried it gets its correction.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::bail;
use clap::Args;

use super::{
    Global, named,
    output::{self, Output, local, rfc3339},
    place::Place,
    subject::{contents, refusal},
};
use crate::{
    domain::{
        approval::{Decision, Refusal, Subject, fold_name},
        audio::Ends,
        bulletin::Format,
        channel::ChannelKind,
        delivery::Reason,
        id::{BulletinId, DeliveryId, ScheduleId},
        message::{Content, ContentHash},
        plan::{
            PlannedDelivery, Why,
            air::{Air, NoPlace, OnAir, Place as Spot, displaced},
        },
        time::Timestamp,
        version::{Record, Version},
        workspace::Workspace,
    },
    render::Renderer,
    speech::duration,
    store::{
        Store,
        air::Sending,
        approval::{Retraction, Taken},
        row::DeliveryRow,
    },
    version::bulletin_version,
};

/// How long ago something spoken or sent is corrected; a page that still stands is corrected however old it is.
const LOOK_BACK: Duration = Duration::from_hours(7 * 24);

/// How long a loudspeaker may take to begin its correction.
const SPOKEN_WITHIN: Duration = Duration::from_hours(1);

const A_MINUTE: Duration = Duration::from_mins(1);

/// So long it waits for its place on air, if the hours or other broadcasts leave none before.
const WAITS: Duration = Duration::from_hours(62 * 24);

/// How long everything else may take.
const WRITTEN_WITHIN: Duration = Duration::from_hours(24);

/// What is taken back, by whom and why.
#[derive(Debug, Args)]
pub(super) struct RetractArgs {
    /// The bulletin
    bulletin: String,
    /// Who takes it back: an approver of loa.yaml, or one of its editors
    #[arg(long, value_name = "NAME")]
    by: String,
    /// Why
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
}

/// Takes the bulletin back.
///
/// # Errors
/// When the person may not, it was taken back before, or the store fails.
pub(super) async fn run(
    global: &Global,
    args: &RetractArgs,
    output: &Output,
) -> anyhow::Result<()> {
    let place = Place::of_record(global, output)?;
    let refuse = |no| refusal(output, &place, no, &args.bulletin, args.by.trim());
    if args.reason.trim().is_empty() {
        bail!(refuse(Refusal::NoReason));
    }
    let store = place.desk(output).await?;
    let now = place.now(&store).await?;
    let meant = Meant::find(&place, &store, &args.bulletin, output).await?;
    let Some((person, role)) = who(&place, &meant.editors, &args.by, output) else {
        let approvers = &place.workspace.settings.approval.approvers;
        let approvers = approvers.iter().map(|approver| approver.name.as_str());
        let args: [(&str, &dyn std::fmt::Display); 4] = [
            ("name", &args.by.trim()),
            ("id", &meant.id),
            ("names", &listed(approvers, output)),
            (
                "editors",
                &listed(meant.editors.iter().map(String::as_str), output),
            ),
        ];
        bail!(output.say("approval.refused-retract-who", &args));
    };
    let Some((revision, _)) = store.revision().await? else {
        bail!(output.say("cli.send-no-daemon-ever", &[]));
    };
    let token = blake3::hash(format!("{person}\0{}\0{}", meant.id, now.as_micros()).as_bytes());
    let schedule = ScheduleId::correction(&token.to_hex()[..10]);
    let retraction = Retraction {
        bulletin: &meant.id,
        version: &meant.version,
        contents: &meant.contents,
        revision: &revision,
        person: &person,
        role: &role,
        reason: &args.reason,
    };
    let renderer = Renderer::new(&place.workspace).0;
    let span = Air::reach(
        &place.workspace,
        now,
        now + place.workspace.settings.horizon,
    );
    let found = Mutex::new(Found::default());
    let correct = |carried: &[DeliveryRow], on_air: Vec<OnAir>| {
        let length = |row: &DeliveryRow| spoken_length(&place, &renderer, row);
        let wished: Vec<PlannedDelivery> = carried
            .iter()
            .filter_map(|row| wished(&schedule, row, length(row), now))
            .collect();
        let (sending, all) = corrections(&place.workspace, wished, on_air);
        *found.lock().unwrap_or_else(PoisonError::into_inner) = all;
        sending
    };
    let taken = match store.retract(&retraction, (now, span), correct).await? {
        Ok(taken) => taken,
        Err(no) => bail!(refuse(no)),
    };
    let found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    let gives_way = found.gives_way(&place.workspace);
    let ids: Vec<&DeliveryId> = taken.corrections.iter().map(|one| &one.id).collect();
    match output.format {
        output::Format::Json => output.json(&serde_json::json!({
            "bulletin": meant.id,
            "version": meant.version.hash,
            "called_off": taken.called_off,
            "schedule": schedule,
            "corrections": ids,
            "later": taken.corrections.iter().filter(|one| is_later(one, now)).map(|one| serde_json::json!({
                "delivery": one.id,
                "due": one.skip.is_none().then(|| rfc3339(one.due, place.zone())),
                "why": found.waits.get(&one.id).map(|why| why.reason),
            })).collect::<Vec<_>>(),
            "gives_way": gives_way.iter().map(|one| serde_json::json!({
                "delivery": one.id,
                "due": rfc3339(one.from, place.zone()),
            })).collect::<Vec<_>>(),
        })),
        output::Format::Text => {
            told(&place, &meant, &taken, (&found, now), output)?;
            tell_gives_way(&place, &gives_way, output)
        }
    }
}

/// Whether a correction does not go out at once.
fn is_later(one: &PlannedDelivery, now: Timestamp) -> bool {
    one.due > now || one.skip.is_some()
}

/// Says what was taken back, and which loudspeakers are corrected later or never.
fn told(
    place: &Place,
    meant: &Meant,
    taken: &Taken,
    (found, now): (&Found, Timestamp),
    output: &Output,
) -> anyhow::Result<()> {
    let count = |kind| {
        taken
            .corrections
            .iter()
            .filter(|one| one.kind == kind)
            .count()
    };
    let args: [(&str, &dyn std::fmt::Display); 6] = [
        ("title", &meant.title),
        ("called", &taken.called_off),
        ("loudspeakers", &count(ChannelKind::Loudspeaker)),
        ("websites", &count(ChannelKind::Website)),
        ("chats", &count(ChannelKind::Chat)),
        ("signs", &count(ChannelKind::Sign)),
    ];
    output.line(&output.say("approval.retracted", &args))?;
    // Whoever hears the wrong words at night hears the right ones when loudspeakers may speak again.
    let mut waiting: BTreeMap<(Option<String>, &str), BTreeSet<&str>> = BTreeMap::new();
    for one in taken.corrections.iter().filter(|one| is_later(one, now)) {
        // People wait by the minute.
        let due = one.skip.is_none().then(|| local(one.due, place.zone()));
        let is_busy = found
            .waits
            .get(&one.id)
            .is_some_and(|why| why.reason == Reason::Collision);
        let key = if is_busy {
            "approval.retracted-busy"
        } else {
            "approval.retracted-later"
        };
        let names = waiting.entry((due, key)).or_default();
        names.insert(&one.channel_name);
    }
    for ((due, key), names) in waiting {
        // Nobody has to do anything about those that only wait; the log has them all.
        let told = if due.is_some() { TOLD } else { names.len() };
        let more = names.len().saturating_sub(told);
        let mut names = names.into_iter().take(told).collect::<Vec<_>>().join(", ");
        if more > 0 {
            names.push_str(&output.say("approval.retracted-more", &[("count", &more)]));
        }
        output.line(&match due {
            Some(due) => output.say(key, &[("at", &due), ("names", &names)]),
            None => output.say("approval.retracted-never", &[("names", &names)]),
        })?;
    }
    if !meant.has_correction && !taken.corrections.is_empty() {
        let id = &meant.id;
        output.line(&output.say("approval.retracted-speechless", &[("id", id)]))?;
    }
    Ok(())
}

/// The person's name and office, when this person may take the bulletin back. Stopping is never risky, so its editors may,
/// too; the words that follow were approved before.
fn who(place: &Place, editors: &[String], by: &str, output: &Output) -> Option<(String, String)> {
    let rules = &place.workspace.settings.approval;
    if let Some(approver) = rules.approver(by) {
        return Some((approver.name.clone(), approver.role.clone()));
    }
    let folded = fold_name(by);
    let editor = editors.iter().find(|editor| fold_name(editor) == folded)?;
    Some((editor.clone(), output.say("approval.role-editor", &[])))
}

/// Names, each once.
fn listed<'n>(names: impl Iterator<Item = &'n str>, output: &Output) -> String {
    let mut once: Vec<&str> = Vec::new();
    for name in names {
        if !once.contains(&name) {
            once.push(name);
        }
    }
    if once.is_empty() {
        return output.say("approval.none-listed", &[]);
    }
    once.join("; ")
}

/// How many channels are named that get the correction later.
const TOLD: usize = 5;

/// What is taken back. A bulletin that was approved stands on record with its words: it can be taken back whatever has become
/// of its file.
struct Meant {
    id: BulletinId,
    title: String,
    editors: Vec<String>,
    has_correction: bool,
    /// The version in force, else the last that was approved, else the present one.
    version: Version,
    /// The version's words, where they are not on record.
    contents: Vec<(ContentHash, Arc<Content>)>,
}

impl Meant {
    async fn find(
        place: &Place,
        store: &Store,
        name: &str,
        output: &Output,
    ) -> anyhow::Result<Self> {
        let workspace = &place.workspace;
        let present = workspace.bulletins.get(name);
        if let Ok(id) = BulletinId::parse(name)
            && let Some(version) = on_record(store, &id).await?
            && let Record::Bulletin(record) = &version.record
        {
            let slots = record.words.values().flat_map(BTreeMap::keys);
            let present = present.map(|bulletin| bulletin.editors.as_slice());
            return Ok(Self {
                title: record.title.clone(),
                editors: [&record.editors, present.unwrap_or_default()].concat(),
                has_correction: slots
                    .into_iter()
                    .any(|slot| slot.starts_with("correction-")),
                contents: Vec::new(),
                version,
                id,
            });
        }
        let bulletin = named::bulletin(workspace, name, output)?;
        let (renderer, _) = Renderer::new(workspace);
        Ok(Self {
            id: bulletin.id.clone(),
            title: bulletin.title.clone(),
            editors: bulletin.editors.clone(),
            has_correction: bulletin.correction.is_some(),
            version: bulletin_version(workspace, &renderer, bulletin),
            contents: contents(place, &renderer, &bulletin.id),
        })
    }
}

/// The version in force, else the last that was approved.
async fn on_record(store: &Store, id: &BulletinId) -> anyhow::Result<Option<Version>> {
    let subject = Subject::Bulletin(id.clone());
    let mut standings = store.standings(&[subject.clone()].into()).await?;
    let in_force = standings
        .remove(&subject)
        .and_then(|standing| standing.in_force);
    let last = if in_force.is_some() {
        in_force
    } else {
        let entries = store.decisions(&subject).await?;
        let mut approved = entries.into_iter().rev();
        approved.find(|entry| entry.decision == Decision::Approved)
    };
    let Some(entry) = last else { return Ok(None) };
    let mut versions = store.versions(&[entry.version.clone()].into()).await?;
    Ok(versions.remove(&entry.version))
}

/// How long the correction is heard where `row` was, as far as it can be told from the present files; a correction whose file
/// is gone is taken for a minute, and measured when it is frozen. `None` for what is read.
fn spoken_length(place: &Place, renderer: &Renderer, row: &DeliveryRow) -> Option<Duration> {
    if row.kind != ChannelKind::Loudspeaker || row.format != Format::Script {
        return None;
    }
    let workspace = &place.workspace;
    let channel = workspace.channels.get(&row.channel);
    let rendered = row
        .bulletin
        .as_ref()
        .and_then(|id| workspace.bulletins.get(id))
        .zip(workspace.ward(&row.ward))
        .and_then(|(bulletin, ward)| {
            renderer
                .correction(workspace, bulletin, ward, row.format)
                .ok()
        });
    let words = rendered.map_or(A_MINUTE, |content| {
        let rate = channel.and_then(|channel| channel.rate);
        let rate = rate.unwrap_or(workspace.settings.speech.rate);
        duration::estimate(&content.voiced(), rate)
    });
    Some(workspace.with_chime(words, channel, Ends::BOTH))
}

/// What was found out while corrections got their places, beside these.
#[derive(Debug, Default)]
struct Found {
    /// What was in the way of those that wait.
    waits: BTreeMap<DeliveryId, Why>,
    /// What was on air before.
    before: Vec<OnAir>,
    /// The corrections that are heard.
    heard: Vec<OnAir>,
}

impl Found {
    /// What had its place on the same days and has none any more: the corrections are heard then, or use up what the rules permit.
    fn gives_way(&self, workspace: &Workspace) -> Vec<OnAir> {
        let displaced = displaced(workspace, &self.before, &self.heard, &[]);
        displaced.into_iter().map(|(one, _)| one).collect()
    }
}

/// Says which broadcasts give way to the corrections, session by session.
fn tell_gives_way(place: &Place, gives_way: &[OnAir], output: &Output) -> anyhow::Result<()> {
    let mut sessions: BTreeMap<(Timestamp, &str), BTreeSet<&str>> = BTreeMap::new();
    for one in gives_way {
        let names = sessions.entry((one.from, one.schedule.as_str()));
        names.or_default().insert(&one.channel_name);
    }
    for ((from, schedule), names) in sessions {
        let count = names.len();
        let mut names = names.into_iter().take(TOLD).collect::<Vec<_>>().join(", ");
        if count > TOLD {
            let more = count - TOLD;
            names.push_str(&output.say("approval.retracted-more", &[("count", &more)]));
        }
        let at = local(from, place.zone());
        let args: [(&str, &dyn std::fmt::Display); 3] =
            [("at", &at), ("schedule", &schedule), ("names", &names)];
        output.line(&output.say("approval.retracted-gives-way", &args))?;
    }
    Ok(())
}

/// Those of the `wished` corrections each in its place, with what they ask of others, and what else was found out.
fn corrections(
    workspace: &Workspace,
    wished: Vec<PlannedDelivery>,
    on_air: Vec<OnAir>,
) -> (Sending, Found) {
    let mut air = Air::new(workspace, on_air.iter().cloned());
    let mut waits = BTreeMap::new();
    // All of them first: neighbours hear each other.
    for wish in wished.iter().filter_map(OnAir::of) {
        air.interrupt(&wish);
    }
    let deliveries: Vec<PlannedDelivery> = wished
        .into_iter()
        .map(|delivery| placed(&mut air, delivery, &mut waits))
        .collect();
    let sent = deliveries.iter().filter(|one| one.skip.is_none());
    let heard: Vec<OnAir> = sent.filter_map(OnAir::of).collect();
    let sending = Sending {
        settled: air.settle(&heard),
        deliveries,
    };
    let found = Found {
        waits,
        before: on_air,
        heard,
    };
    (sending, found)
}

/// How long the correction on a channel of that kind may take to begin, and whether what it corrects stands there until then.
fn patience(kind: ChannelKind) -> (Duration, bool) {
    match kind {
        ChannelKind::Loudspeaker => (SPOKEN_WITHIN, false),
        ChannelKind::Chat => (WRITTEN_WITHIN, false),
        ChannelKind::Website | ChannelKind::Sign => (WRITTEN_WITHIN, true),
    }
}

/// The correction for the channel that made the delivery `row`, at once; `None` where that is too long ago.
fn wished(
    schedule: &ScheduleId,
    row: &DeliveryRow,
    length: Option<Duration>,
    now: Timestamp,
) -> Option<PlannedDelivery> {
    let (within, stands) = patience(row.kind);
    if !stands && now.since(row.updated_at) > LOOK_BACK {
        return None;
    }
    Some(PlannedDelivery {
        id: DeliveryId::of(schedule, now, &row.channel),
        schedule: schedule.clone(),
        scheduled: now,
        part: 0,
        due: now,
        deadline: now + within,
        latest: None,
        late: true,
        channel: row.channel.clone(),
        channel_name: row.channel_name.clone(),
        kind: row.kind,
        format: row.format,
        mode: row.mode,
        ward: row.ward.clone(),
        ward_name: row.ward_name.clone(),
        bulletin: row.bulletin.clone(),
        topic: row.topic.clone(),
        priority: row.priority,
        length,
        limit: None,
        skip: None,
    })
}

/// The same in its place. Loudspeakers wait for the hours in which they may speak, and for what is heard there.
/// What is in the way goes into `in_the_way`.
fn placed(
    air: &mut Air<'_>,
    mut delivery: PlannedDelivery,
    in_the_way: &mut BTreeMap<DeliveryId, Why>,
) -> PlannedDelivery {
    let Some(wish) = OnAir::of(&delivery) else {
        return delivery;
    };
    let (within, _) = patience(delivery.kind);
    match air.place(&wish, wish.from + WAITS, false) {
        Ok(Spot { from, limit, waits }) => {
            in_the_way.extend(waits.map(|why| (delivery.id.clone(), why)));
            let over = limit.as_ref().map(|limit| limit.over - wish.length);
            let deadline = from + within;
            delivery.due = from;
            delivery.deadline = over.map_or(deadline, |over| over.min(deadline)).max(from);
            delivery.latest = Some(deadline);
            delivery.limit = limit;
            air.put(OnAir { from, ..wish });
        }
        Err(NoPlace { why, .. }) => delivery.skip = Some(why),
    }
    delivery
}
