//! Sounds that a recipe sends in pieces: that the longest of each channel is not cut up too often, and is through in an attempt's time.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    adapter::transport::last_turn,
    diagnostic::{Code, Diagnostic, Phrase},
    domain::{
        audio::{AudioFormat, AudioSettings, RATE},
        channel::{AdapterConfig, Channel},
        id::{BulletinId, RecipeId},
        recipe::MOST_PIECES,
        time::format_duration,
        workspace::Workspace,
    },
    source::{notebook::Notebook, raw::recipe::RawRecipe},
};

use super::{reach::requests, recipes::place_at};

/// The longest sound that a recipe's channels are sent.
struct Longest<'w> {
    bytes: u64,
    length: Duration,
    bulletin: &'w BulletinId,
    channel: &'w Channel,
}

pub(super) fn check(notebook: &Notebook, workspace: &Workspace, recipes: &[RawRecipe]) {
    let cut: Vec<(&RawRecipe, Vec<Call>)> = recipes
        .iter()
        .map(|raw| (raw, calls(raw)))
        .filter(|(_, calls)| !calls.is_empty())
        .collect();
    if cut.is_empty() {
        return;
    }
    let longest = longest(workspace, &cut);
    for (raw, calls) in cut {
        if let Some(sound) = longest.get(&raw.recipe.id) {
            judge(notebook, workspace, raw, &calls, sound);
        }
    }
}

/// A request that sends a sound in pieces: where it stands, and how large each is.
struct Call {
    path: String,
    bytes: u64,
}

fn calls(raw: &RawRecipe) -> Vec<Call> {
    requests(&raw.recipe)
        .into_iter()
        .filter(|(_, request)| request.body.has_sound())
        .filter_map(|(path, request)| {
            let bytes = request.pieces.as_ref()?.bytes.max(1);
            Some(Call { path, bytes })
        })
        .collect()
}

/// By recipe, as far as it can be told before there is any sound.
fn longest<'w>(
    workspace: &'w Workspace,
    cut: &[(&RawRecipe, Vec<Call>)],
) -> BTreeMap<RecipeId, Longest<'w>> {
    let mut found: BTreeMap<RecipeId, Longest<'w>> = BTreeMap::new();
    for channel in workspace.channels.values() {
        let AdapterConfig::Recipe { recipe, .. } = &channel.adapter else {
            continue;
        };
        let (Some(format), true) = (
            channel.audio,
            cut.iter().any(|(raw, _)| raw.recipe.id == *recipe),
        ) else {
            continue;
        };
        let Some(rate) = bytes_a_second(&workspace.settings.audio, format) else {
            continue;
        };
        for bulletin in workspace.bulletins.values() {
            let Some(length) = workspace.airtime(&bulletin.id, channel) else {
                continue;
            };
            let millis = u64::try_from(length.as_millis()).unwrap_or(u64::MAX);
            let bytes = rate.saturating_mul(millis) / 1_000;
            if found.get(recipe).is_none_or(|known| known.bytes < bytes) {
                let longest = Longest {
                    bytes,
                    length,
                    bulletin: &bulletin.id,
                    channel,
                };
                found.insert(recipe.clone(), longest);
            }
        }
    }
    found
}

/// How many bytes a second of sound has; `None` where the encoder's arguments do not say.
fn bytes_a_second(settings: &AudioSettings, format: AudioFormat) -> Option<u64> {
    let (program, option) = match format {
        // Two bytes a sample.
        AudioFormat::Wav => return Some(u64::from(RATE) * 2),
        AudioFormat::Mp3 => (&settings.mp3, "-b"),
        AudioFormat::Opus => (&settings.opus, "--bitrate"),
    };
    let mut arguments = program.arguments.iter();
    arguments.find(|argument| *argument == option)?;
    let kilobits: u64 = arguments.next()?.parse().ok()?;
    Some(kilobits.saturating_mul(1_000 / 8))
}

fn judge(
    notebook: &Notebook,
    workspace: &Workspace,
    raw: &RawRecipe,
    calls: &[Call],
    sound: &Longest<'_>,
) {
    let said = |code: Code, path: &str, pieces: u64| {
        Diagnostic::new(code, place_at(raw, path))
            .with("bulletin", sound.bulletin.as_str())
            .with("channel", sound.channel.id.as_str())
            .with("length", format_duration(whole(sound.length)))
            .with("pieces", pieces.to_string())
    };
    let count = |call: &Call| sound.bytes.div_ceil(call.bytes);
    let most = u64::try_from(MOST_PIECES).unwrap_or(u64::MAX);
    let mut is_refused = false;
    for call in calls.iter().filter(|call| count(call) > most) {
        is_refused = true;
        let least = sound.bytes.div_ceil(most).div_ceil(1024);
        let found =
            said(Code::TooManyPieces, &call.path, count(call)).with("most", most.to_string());
        notebook.report(found.help(Phrase::new("L289-help").with("least", least.to_string())));
    }
    if is_refused {
        return;
    }
    // What is updated is not sent anew. Other calls of the attempt have their turns, too: it is at least so long.
    let (steps, last): (Vec<&Call>, Vec<&Call>) = calls
        .iter()
        .partition(|call| call.path.starts_with("steps."));
    let last = last.into_iter().map(count).max();
    let pieces: u64 = steps.into_iter().map(count).sum::<u64>() + last.unwrap_or_default();
    let delivery = &workspace.settings.delivery;
    let between = Duration::try_from_secs_f64(delivery.host_per_second.recip());
    let waits = u32::try_from(pieces.saturating_sub(1)).unwrap_or(u32::MAX);
    let needed = between.unwrap_or_default().saturating_mul(waits);
    if needed <= last_turn(delivery.total_timeout) {
        return;
    }
    let Some(first) = calls.first() else { return };
    let found = said(Code::PiecesTooSlow, &first.path, pieces)
        .with("needed", format_duration(whole(needed)))
        .with("total", format_duration(delivery.total_timeout));
    notebook.report(found.help(Phrase::new("L290-help")));
}

/// Nobody wants to read milliseconds.
fn whole(length: Duration) -> Duration {
    Duration::from_secs(length.as_secs() + u64::from(length.subsec_nanos() > 0))
}
