//! Why there is no sound: what a delivery says that ends for it, and which package would help.

use std::{io, path::PathBuf};

use super::{assemble::AssembleError, process::ProcessError, wav::WavError};
use crate::domain::{audio::AudioFormat, delivery::Reason};

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

    /// The Debian package that would help.
    #[must_use]
    pub fn package(&self) -> Option<&'static str> {
        let (Self::NoEncoder { program, .. } | Self::Process(ProcessError::Missing { program })) =
            self
        else {
            return None;
        };
        package_of(program)
    }

    /// All of it on one line, causes and the command that helps included; for records.
    #[must_use]
    pub fn detail(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            let words = error.to_string();
            if !text.contains(&words) {
                text = format!("{text}: {words}");
            }
            cause = error.source();
        }
        match self.package() {
            Some(package) => format!("{text} (sudo apt-get install {package})"),
            None => text,
        }
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
