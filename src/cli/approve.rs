//! `loa approve`, and its opposites `loa return` and `loa reject`: a person's decision about exactly what was seen.

use anyhow::bail;
use clap::Args;

use super::{
    Global,
    output::{Format, Output},
    place::Place,
    subject::{Desk, EntryRow, contents, refusal},
};
use crate::{
    domain::approval::{Decision, Proposal, Refusal, Subject},
    store::approval::Verdict,
};

/// What is approved, and by whom.
#[derive(Debug, Args)]
pub(super) struct ApproveArgs {
    /// The bulletin or schedule (`bulletin:ID` or `schedule:ID` where both have the id)
    id: String,
    /// Who approves, as loa.yaml lists the name
    #[arg(long, value_name = "NAME")]
    by: String,
    /// The version that was read: at least 12 digits of the hash that `loa diff` shows
    #[arg(long, value_name = "HASH", default_value = "")]
    hash: String,
    /// A remark for the record
    #[arg(long, value_name = "TEXT", default_value = "")]
    remark: String,
}

/// What is sent back, by whom and why.
#[derive(Debug, Args)]
pub(super) struct ReturnArgs {
    /// The bulletin or schedule (`bulletin:ID` or `schedule:ID` where both have the id)
    id: String,
    /// Who decides, as loa.yaml lists the name
    #[arg(long, value_name = "NAME")]
    by: String,
    /// Why
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
    /// The version that is meant (default: the present one)
    #[arg(long, value_name = "HASH")]
    hash: Option<String>,
}

/// Approves.
///
/// # Errors
/// When a rule of approval does not allow it, or the store fails.
pub(super) async fn approve(
    global: &Global,
    args: &ApproveArgs,
    output: &Output,
) -> anyhow::Result<()> {
    let proposal = Proposal {
        decision: Decision::Approved,
        person: &args.by,
        seen: &args.hash,
        remark: &args.remark,
    };
    decide(global, &args.id, proposal, output).await
}

/// Sends back, or rejects for good.
///
/// # Errors
/// When a rule of approval does not allow it, or the store fails.
pub(super) async fn refuse(
    global: &Global,
    args: &ReturnArgs,
    decision: Decision,
    output: &Output,
) -> anyhow::Result<()> {
    let proposal = Proposal {
        decision,
        person: &args.by,
        seen: args.hash.as_deref().unwrap_or_default(),
        remark: &args.reason,
    };
    decide(global, &args.id, proposal, output).await
}

async fn decide(
    global: &Global,
    name: &str,
    mut proposal: Proposal<'_>,
    output: &Output,
) -> anyhow::Result<()> {
    let desk = Desk::open(Place::load(global, output)?, output).await?;
    let current = desk.find(name, output)?;
    let standing = desk.standing(&current.subject).await?;
    // What may air although it is not the present version can be withdrawn, too.
    let kept = match &standing.in_force {
        Some(granted) if proposal.decision != Decision::Approved => {
            let hashes = [granted.version.clone()].into();
            desk.store.versions(&hashes).await?.into_values().next()
        }
        _ => None,
    };
    let named = |hash: &str| hash.starts_with(&proposal.seen.trim().to_ascii_lowercase());
    let version = kept
        .as_ref()
        .filter(|kept| !proposal.seen.is_empty() && named(kept.hash.as_str()))
        .unwrap_or(current);
    if proposal.seen.is_empty() && proposal.decision != Decision::Approved {
        proposal.seen = version.hash.as_str();
    }
    let words = match &version.subject {
        Subject::Bulletin(id)
            if matches!(proposal.decision, Decision::Approved | Decision::Rejected)
                && version.hash == current.hash =>
        {
            contents(&desk.place, &desk.renderer, id)
        }
        _ => Vec::new(),
    };
    let verdict = Verdict {
        version,
        contents: &words,
        rules: &desk.place.workspace.settings.approval,
        proposal,
    };
    let now = desk.place.now(&desk.store).await?;
    let after = match desk.store.decide(&verdict, now).await? {
        Ok(after) => after,
        Err(Refusal::Retracted) => {
            bail!(output.say("approval.refused-retracted", &[("id", &name)]))
        }
        Err(Refusal::SameWords) => {
            let standing = desk.standing(&version.subject).await?;
            match desk.repeated(version, &standing).await? {
                Some(entry) => bail!(desk.tell_repeated(&entry, output)),
                None => bail!(refusal(
                    output,
                    &desk.place,
                    Refusal::Dead,
                    name,
                    proposal.person
                )),
            }
        }
        Err(no) => bail!(refusal(output, &desk.place, no, name, proposal.person)),
    };
    let counted = after.counted(&version.hash).len();
    let in_force = after.allows(&version.hash);
    match output.format {
        Format::Json => {
            let last = after.last.get(&version.hash);
            output.json(&serde_json::json!({
                "kind": version.subject.kind(),
                "id": version.subject.id(),
                "version": version.hash,
                "in_force": in_force,
                "approvals": counted,
                "needed": version.needed(),
                "decision": last.map(|last| EntryRow::of(last, desk.place.zone())),
                "airs": after.in_force.as_ref().map(|granted| &granted.version),
                "replaced": after.replaced().map(|entry| EntryRow::of(entry, desk.place.zone())),
            }))
        }
        Format::Text => {
            let key = match (proposal.decision, in_force) {
                (Decision::Approved, true) if counted > version.needed() as usize => {
                    "approval.done-more"
                }
                (Decision::Approved, true) => "approval.done-approved",
                (Decision::Approved, false) => "approval.done-half",
                (Decision::Rejected, _) => "approval.done-rejected",
                (Decision::Returned | Decision::Retracted, _) => "approval.done-returned",
            };
            let args: [(&str, &dyn std::fmt::Display); 4] = [
                ("id", &version.subject.id()),
                ("hash", &version.hash.short()),
                ("count", &counted),
                ("needed", &version.needed()),
            ];
            output.line(&output.say(key, &args))?;
            if proposal.decision != Decision::Approved {
                output.line(&desk.meanwhile(&after, output))?;
            }
            Ok(())
        }
    }
}
