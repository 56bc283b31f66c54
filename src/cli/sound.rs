//! What commands need to make sound, and how they say that it failed.

use super::{output::Output, place::Place};
use crate::audio::{AudioError, ProcessError, Studio, assemble::AssembleError};

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

/// Why there is no sound, in the reader's language, with the command that helps.
pub(super) fn why(error: &AudioError, output: &Output) -> String {
    let detail = error.detail();
    let sentence = match error {
        AudioError::NoEngine => output.say("cli.sound-no-engine", &[]),
        AudioError::Process(ProcessError::Missing { program })
        | AudioError::NoEncoder { program, .. } => {
            output.say("cli.sound-missing", &[("program", program)])
        }
        AudioError::Process(ProcessError::TimedOut { program, limit }) => output.say(
            "cli.sound-timeout",
            &[("program", program), ("seconds", &limit.as_secs_f64())],
        ),
        AudioError::Process(
            ProcessError::Start { program, .. }
            | ProcessError::Died { program, .. }
            | ProcessError::TooMuch { program, .. }
            | ProcessError::Broken { program, .. },
        ) => output.say(
            "cli.sound-died",
            &[("program", program), ("detail", &detail)],
        ),
        AudioError::NoService | AudioError::Service { .. } | AudioError::Answer { .. } => {
            output.say("cli.sound-service", &[("detail", &detail)])
        }
        AudioError::NotPacked { program, .. }
        | AudioError::NotSound {
            engine: program, ..
        } => output.say(
            "cli.sound-garbage",
            &[("program", program), ("detail", &detail)],
        ),
        AudioError::Assemble(AssembleError::Silent { turn, .. }) => {
            output.say("cli.sound-silent", &[("turn", turn)])
        }
        AudioError::WrongLength {
            turn,
            seconds,
            expected,
        } => output.say(
            "cli.sound-length",
            &[
                ("turn", turn),
                ("seconds", &format!("{seconds:.1}")),
                ("expected", &format!("{expected:.1}")),
            ],
        ),
        AudioError::NoRecording { file, .. }
        | AudioError::BadRecording { file, .. }
        | AudioError::OtherRecording { file } => output.say(
            "cli.sound-recording",
            &[("file", file), ("detail", &detail)],
        ),
        AudioError::Keep { folder, .. } => output.say(
            "cli.sound-keep",
            &[("folder", &folder.display()), ("detail", &detail)],
        ),
        AudioError::Assemble(AssembleError::Meter) => detail,
    };
    match error.package() {
        Some(package) => format!(
            "{sentence} {}",
            output.say("cli.sound-install", &[("package", &package)])
        ),
        None => sentence,
    }
}
