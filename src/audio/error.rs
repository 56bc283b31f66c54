//! Why there is no sound: what a delivery says that ends for it, and which package would help.

use std::{io, path::PathBuf};

use super::{assemble::AssembleError, process::ProcessError, wav::WavError};
use crate::domain::{
    audio::AudioFormat,
    delivery::Reason,
    detail::{Detail, cause},
};

/// Why there is no sound.
#[derive(Debug, thiserror::Error)]
pub enum AudioError {
    /// `speech.engine` is `none`, and there is no recording.
    #[error("no engine is chosen and there is no recording")]
    NoEngine,
    /// The engine's program gave nothing.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// What packs a format is not installed.
    #[error("the program {program}, which makes {}, is not installed", .format.as_str())]
    NoEncoder {
        /// Its name.
        program: String,
        /// What it makes.
        format: AudioFormat,
    },
    /// It wrote something else.
    #[error("what {program} wrote is not {}", .format.as_str())]
    NotPacked {
        /// Its name.
        program: String,
        /// What it should make.
        format: AudioFormat,
    },
    /// The service cannot be used here: in the simulated city, or because its token is missing.
    #[error("the speech service cannot be asked here")]
    NoService,
    /// The service gave no answer.
    #[error("the speech service gave no answer ({}): {detail}", .reason.as_str())]
    Service {
        /// Why.
        reason: Reason,
        /// More of it.
        detail: String,
    },
    /// The service said no.
    #[error("the speech service answered with status {status}")]
    Answer {
        /// Its status.
        status: u16,
    },
    /// What the engine gave is no sound.
    #[error("what {engine} gave is no sound: {source}")]
    NotSound {
        /// Its name.
        engine: String,
        /// Why.
        source: WavError,
    },
    /// The sound is silent, or cannot be measured.
    #[error(transparent)]
    Assemble(#[from] AssembleError),
    /// The sound cannot be those words.
    #[error("turn {turn} lasts {seconds:.1} s and should last about {expected:.1} s")]
    WrongLength {
        /// Which, from 1.
        turn: usize,
        /// How long it is.
        seconds: f64,
        /// How long its words are.
        expected: f64,
    },
    /// The recording cannot be read.
    #[error("the recording {file} cannot be read: {source}")]
    NoRecording {
        /// Its file's name.
        file: String,
        /// The system's words.
        source: io::Error,
    },
    /// The recording is no sound.
    #[error("the recording {file} is no sound: {source}")]
    BadRecording {
        /// Its file's name.
        file: String,
        /// Why.
        source: WavError,
    },
    /// The recording is not the one that was checked.
    #[error("the recording {file} has changed since the files were read")]
    OtherRecording {
        /// Its file's name.
        file: String,
    },
    /// The sound could not be kept.
    #[error("the sound cannot be kept in {}: {source}", .folder.display())]
    Keep {
        /// Where.
        folder: PathBuf,
        /// The system's words.
        source: io::Error,
    },
}

impl AudioError {
    /// What a delivery says that ends for this.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match self {
            Self::NoEngine
            | Self::NoService
            | Self::NoEncoder { .. }
            | Self::Process(ProcessError::Missing { .. }) => Reason::NoVoice,
            Self::Assemble(AssembleError::Silent { .. }) | Self::WrongLength { .. } => {
                Reason::SilentVoice
            }
            _ => Reason::VoiceFailed,
        }
    }

    /// What people are told, in the reader's language; for records.
    #[must_use]
    pub fn told(&self) -> Detail {
        match self {
            Self::NoEngine => Detail::new("sound-no-engine"),
            Self::Process(error) => told_of_process(error),
            Self::NoEncoder { program, .. } => missing(program),
            Self::NoService => Detail::new("sound-no-service"),
            Self::Service { reason, detail } => {
                let problem = if detail.is_empty() {
                    reason.as_str()
                } else {
                    detail
                };
                Detail::new("sound-service").with("problem", problem)
            }
            Self::Answer { status } => Detail::new("sound-status").with("status", status),
            Self::NotPacked { program, .. }
            | Self::NotSound {
                engine: program, ..
            } => Detail::new("sound-garbage").with("program", program),
            Self::Assemble(AssembleError::Silent { turn, .. }) => {
                Detail::new("sound-silent").with("turn", turn)
            }
            Self::Assemble(AssembleError::Meter) => Detail::new("sound-meter"),
            Self::WrongLength {
                turn,
                seconds,
                expected,
            } => Detail::new("sound-length")
                .with("turn", turn)
                .with("seconds", format_args!("{seconds:.1}"))
                .with("expected", format_args!("{expected:.1}")),
            Self::NoRecording { file, source } => Detail::new("sound-recording-unread")
                .with("file", file)
                .with("problem", cause(source)),
            Self::BadRecording { file, .. } => Detail::new("sound-recording").with("file", file),
            Self::OtherRecording { file } => {
                Detail::new("sound-recording-changed").with("file", file)
            }
            Self::Keep { folder, source } => Detail::new("sound-keep")
                .with("folder", folder.display())
                .with("problem", cause(source)),
        }
    }
}

fn told_of_process(error: &ProcessError) -> Detail {
    match error {
        ProcessError::Missing { program } => missing(program),
        ProcessError::Start { program, source } | ProcessError::Broken { program, source } => {
            Detail::new("sound-start")
                .with("program", program)
                .with("problem", cause(source))
        }
        ProcessError::TimedOut { program, limit } => Detail::new("sound-timeout")
            .with("program", program)
            .with("seconds", limit.as_secs_f64()),
        ProcessError::Died {
            program,
            status,
            complaint,
        } => Detail::new("sound-died").with("program", program).with(
            "problem",
            if complaint.is_empty() {
                status.clone()
            } else {
                format!("{status}: {complaint}")
            },
        ),
        ProcessError::TooMuch { program, .. } => {
            Detail::new("sound-too-much").with("program", program)
        }
    }
}

fn missing(program: &str) -> Detail {
    match package_of(program) {
        Some(package) => Detail::new("sound-missing-package")
            .with("program", program)
            .with("package", package),
        None => Detail::new("sound-missing").with("program", program),
    }
}

/// The Debian package that brings a program that we know.
pub(super) fn package_of(program: &str) -> Option<&'static str> {
    [
        ("espeak-ng", "espeak-ng"),
        ("lame", "lame"),
        ("opusenc", "opus-tools"),
    ]
    .iter()
    .find_map(|(name, package)| (*name == program).then_some(*package))
}
