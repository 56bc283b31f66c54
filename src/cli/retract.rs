//! `loa retract`: a bulletin is taken back with one command. What is still to go out is called off, and every channel that
//! carried it gets its correction.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use anyhow::bail;
use clap::Args;

use super::{
    Global,
    output::{Format, Output},
    place::Place,
    preview::unknown,
    subject::{contents, refusal},
};
use crate::{
    domain::{
        approval::{Decision, Refusal, Subject, fold_name},
        channel::ChannelKind,
        id::{BulletinId, DeliveryId, ScheduleId},
        message::{Content, ContentHash},
        plan::PlannedDelivery,
        time::Timestamp,
        version::{Record, Version},
    },
    render::Renderer,
    store::{Store, approval::Retraction, row::DeliveryRow},
    version::bulletin_version,
};

/// How long ago something spoken or sent is corrected; a page that still stands is corrected however old it is.
const LOOK_BACK: Duration = Duration::from_hours(7 * 24);

/// How long a loudspeaker may take to begin its correction.
const SPOKEN_WITHIN: Duration = Duration::from_hours(1);

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
    let store = place.store(false).await?;
    let now = place.now(&store).await?;
    let meant = Meant::find(&place, &store, &args.bulletin, output).await?;
    let Some((person, role)) = who(&place, &meant.editors, &args.by, output) else {
        bail!(refuse(Refusal::NotApprover));
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
    let correct = |row: &DeliveryRow| correction(&schedule, row, now);
    let taken = match store.retract(&retraction, now, correct).await? {
        Ok(taken) => taken,
        Err(no) => bail!(refuse(no)),
    };
    let ids: Vec<&DeliveryId> = taken.corrections.iter().map(|one| &one.id).collect();
    match output.format {
        Format::Json => output.json(&serde_json::json!({
            "bulletin": meant.id,
            "version": meant.version.hash,
            "called_off": taken.called_off,
            "schedule": schedule,
            "corrections": ids,
        })),
        Format::Text => {
            let count = |kind| {
                let is_so = |one: &&PlannedDelivery| one.kind == kind;
                taken.corrections.iter().filter(is_so).count()
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
            if !meant.has_correction && !taken.corrections.is_empty() {
                let id = &meant.id;
                output.line(&output.say("approval.retracted-speechless", &[("id", id)]))?;
            }
            Ok(())
        }
    }
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
        let Some(bulletin) = present else {
            let known = workspace.bulletins.values();
            let known = known.map(|known| (known.id.as_str(), known.title.as_str()));
            bail!(unknown(output, "cli.no-bulletin", name, known));
        };
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

/// The correction for the channel that made the delivery `row`.
fn correction(schedule: &ScheduleId, row: &DeliveryRow, now: Timestamp) -> Option<PlannedDelivery> {
    let (within, stands) = match row.kind {
        ChannelKind::Loudspeaker => (SPOKEN_WITHIN, false),
        ChannelKind::Chat => (WRITTEN_WITHIN, false),
        ChannelKind::Website | ChannelKind::Sign => (WRITTEN_WITHIN, true),
    };
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
        length: None,
        limit: None,
        skip: None,
    })
}
