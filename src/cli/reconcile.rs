//! `loa reconcile`: a person's word on a broadcast whose outcome nobody knows.

use anyhow::bail;
use clap::Args;

use super::{
    Global,
    output::{Format, Output},
    place::Place,
};
use crate::domain::id::DeliveryId;

/// Which broadcast, what was heard, and who says so.
#[derive(Debug, Args)]
pub(super) struct ReconcileArgs {
    /// The delivery, as `loa log` shows it
    delivery: String,
    /// It was heard
    #[arg(long, conflicts_with = "not_heard")]
    heard: bool,
    /// It was not heard
    #[arg(long)]
    not_heard: bool,
    /// Who says so
    #[arg(long, value_name = "NAME")]
    by: String,
}

/// Writes the word down.
///
/// # Errors
/// When the delivery does not exist or needs no word, or the store fails.
pub(super) async fn run(
    global: &Global,
    args: &ReconcileArgs,
    output: &Output,
) -> anyhow::Result<()> {
    if !args.heard && !args.not_heard {
        bail!(output.say("cli.reconcile-choose", &[]));
    }
    let place = Place::of_record(global, output)?;
    if args.by.trim().is_empty() {
        bail!(output.say("cli.reconcile-by", &[]));
    }
    let store = place.record(output).await?;
    let now = place.now(&store).await?;
    let id = DeliveryId::from_text(&args.delivery);
    let Some(before) = store.delivery(&id).await? else {
        bail!(output.say("cli.no-delivery", &[("name", &args.delivery)]));
    };
    if !store
        .reconcile(&id, args.heard, args.by.trim(), now)
        .await?
    {
        let state = output.say(&format!("state.{}", before.state.as_str()), &[]);
        bail!(output.say("cli.reconcile-wrong-state", &[("state", &state)]));
    }
    let Some(after) = store.delivery(&id).await? else {
        bail!(output.say("cli.no-delivery", &[("name", &args.delivery)]));
    };
    match output.format {
        Format::Json => output.json(&super::log::Row::of(&after, output, place.zone())),
        Format::Text => {
            let state = output.say(&format!("state.{}", after.state.as_str()), &[]);
            Ok(output.line(&output.say(
                "cli.reconciled",
                &[("channel", &after.channel_name), ("state", &state)],
            ))?)
        }
    }
}
