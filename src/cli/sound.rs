//! What commands need to make sound, and how they say that it failed.

use super::{log::said, output::Output, place::Place};
use crate::audio::{AudioError, Studio};

/// The studio of the workspace at `place`.
///
/// # Errors
/// When the speech service's token cannot be had.
pub(super) fn studio(place: &Place) -> anyhow::Result<Studio> {
    let token = place.workspace.settings.audio.engine.token();
    let token = token
        .map(|reference| place.secrets.resolve(reference))
        .transpose()?;
    Ok(Studio::new(&place.workspace, &place.secrets.home(), token))
}

/// Why there is no sound, in the reader's language, with what helps.
pub(super) fn why(error: &AudioError, output: &Output) -> String {
    said(&error.told().to_string(), output).unwrap_or_else(|| error.to_string())
}
