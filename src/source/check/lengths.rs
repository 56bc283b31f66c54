//! How long every script is, from the words that were rendered for the checks.

use std::collections::BTreeMap;

use crate::{
    domain::{airtime::Heard, id::WardId, speech::Weight},
    render::BodyPart,
    source::raw::bulletin::RawBulletin,
    speech::Speech,
};

use super::{lints::Rendered, recordings::Recordings};

/// How a bulletin is heard; `None` without a script, or where its words do not come out.
pub(super) fn measure(
    raw: &RawBulletin,
    rendered: &Rendered<'_>,
    recordings: &Recordings,
    speech: &Speech,
) -> Option<Heard> {
    let file = raw.recording.as_ref().map(|(file, _)| file);
    let recorded = match file.and_then(|file| recordings.get(file)) {
        Some(Ok(examined)) => Some(examined.length),
        _ => None,
    };
    let is_script = |part: &BodyPart| matches!(part, BodyPart::Script | BodyPart::Turn(_));
    // The turns of a dialogue are one text, as they are spoken and estimated later.
    let mut said: BTreeMap<&WardId, Vec<&str>> = BTreeMap::new();
    for (_, words) in rendered.iter().filter(|(part, _)| is_script(part)) {
        for (ward, words) in words {
            said.entry(&ward.id).or_default().push(words);
        }
    }
    let wards: BTreeMap<WardId, Weight> = said
        .into_iter()
        .map(|(ward, texts)| (ward.clone(), speech.weight(texts)))
        .collect();
    let most = wards.values().max().copied()?;
    Some(Heard {
        recorded,
        wards,
        most,
    })
}
