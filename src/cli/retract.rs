//! `loa retract`: a bulletin is taken back with one command. What is still to go out is called off, and every channel that
//! carried it gets its correction.

use std::time::Duration;

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
        bulletin::Bulletin,
        channel::ChannelKind,
        id::{DeliveryId, ScheduleId},
        plan::PlannedDelivery,
        time::Timestamp,
        version::Version,
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
    let place = Place::load(global, output)?;
    let workspace = &place.workspace;
    let Some(bulletin) = workspace.bulletins.get(args.bulletin.as_str()) else {
        let known = workspace.bulletins.values();
        let known = known.map(|known| (known.id.as_str(), known.title.as_str()));
        bail!(unknown(output, "cli.no-bulletin", &args.bulletin, known));
    };
    let refuse = |no| refusal(output, &place, no, &args.bulletin, args.by.trim());
    if args.reason.trim().is_empty() {
        bail!(refuse(Refusal::NoReason));
    }
    let Some((person, role)) = who(&place, bulletin, &args.by, output) else {
        bail!(refuse(Refusal::NotApprover));
    };
    let store = place.store(false).await?;
    let now = place.now(&store).await?;
    let Some((revision, _)) = store.revision().await? else {
        bail!(output.say("cli.send-no-daemon-ever", &[]));
    };
    let (renderer, _) = Renderer::new(workspace);
    let version = version(&place, &store, &renderer, bulletin).await?;
    let words = contents(&place, &renderer, &bulletin.id);
    let token = blake3::hash(format!("{person}\0{}\0{}", bulletin.id, now.as_micros()).as_bytes());
    let schedule = ScheduleId::correction(&token.to_hex()[..10]);
    let retraction = Retraction {
        bulletin: &bulletin.id,
        version: &version,
        contents: &words,
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
            "bulletin": bulletin.id,
            "version": version.hash,
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
                ("title", &bulletin.title),
                ("called", &taken.called_off),
                ("loudspeakers", &count(ChannelKind::Loudspeaker)),
                ("websites", &count(ChannelKind::Website)),
                ("chats", &count(ChannelKind::Chat)),
                ("signs", &count(ChannelKind::Sign)),
            ];
            output.line(&output.say("approval.retracted", &args))?;
            if bulletin.correction.is_none() && !taken.corrections.is_empty() {
                let id = &bulletin.id;
                output.line(&output.say("approval.retracted-speechless", &[("id", id)]))?;
            }
            Ok(())
        }
    }
}

/// The person's name and office, when this person may take the bulletin back. Stopping is never risky, so its editors may,
/// too; the words that follow were approved before.
fn who(place: &Place, bulletin: &Bulletin, by: &str, output: &Output) -> Option<(String, String)> {
    let rules = &place.workspace.settings.approval;
    if let Some(approver) = rules.approver(by) {
        return Some((approver.name.clone(), approver.role.clone()));
    }
    let folded = fold_name(by);
    let editor = bulletin
        .editors
        .iter()
        .find(|editor| fold_name(editor) == folded)?;
    Some((editor.clone(), output.say("approval.role-editor", &[])))
}

/// The version that is taken back: the one in force, else the last that was approved, else the present one.
async fn version(
    place: &Place,
    store: &Store,
    renderer: &Renderer,
    bulletin: &Bulletin,
) -> anyhow::Result<Version> {
    let subject = Subject::Bulletin(bulletin.id.clone());
    let standings = store.standings(&[subject.clone()].into()).await?;
    let in_force = standings
        .get(&subject)
        .and_then(|standing| standing.in_force.clone());
    let last = if in_force.is_some() {
        in_force
    } else {
        let entries = store.decisions(&subject).await?;
        let mut approved = entries.into_iter().rev();
        approved.find(|entry| entry.decision == Decision::Approved)
    };
    if let Some(entry) = last {
        let hashes = [entry.version.clone()].into();
        if let Some(version) = store.versions(&hashes).await?.into_values().next() {
            return Ok(version);
        }
    }
    Ok(bulletin_version(&place.workspace, renderer, bulletin))
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
        priority: row.priority,
    })
}
