//! Sound: how words become audible here, and what is known of a finished sound. Data only; `crate::audio` makes it.

use std::time::Duration;

use bytes::Bytes;

use super::{bulletin::Voice, hash::BytesHash, secret::SecretRef, speech::Rate};

/// Samples a second of every sound that is made here, where its format does not have a rate of its own.
///
/// 22.05 kHz is what espeak-ng speaks, so the usual engine is never resampled; an outdoor horn gives nothing above 8 kHz.
pub const RATE: u32 = 22_050;

/// How a finished sound is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AudioFormat {
    /// 16-bit PCM, mono.
    Wav,
    /// MPEG audio layer III.
    Mp3,
    /// Opus in Ogg (RFC 7845).
    Opus,
}

impl AudioFormat {
    /// All formats.
    pub const ALL: [Self; 3] = [Self::Wav, Self::Mp3, Self::Opus];

    /// The word used in files, JSON and the database; also the ending of a file's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Wav => "wav",
            Self::Mp3 => "mp3",
            Self::Opus => "opus",
        }
    }

    /// Reads the word back.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == text)
    }

    /// Its media type, for a `Content-Type`.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Wav => "audio/wav",
            Self::Mp3 => "audio/mpeg",
            Self::Opus => "audio/ogg; codecs=opus",
        }
    }
}

/// A program with its arguments. It is started directly, never through a shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// A name that is looked up, or a path; a path with a slash in it is relative to the workspace.
    pub name: String,
    /// Its arguments.
    pub arguments: Vec<String>,
}

impl Program {
    /// A program with arguments.
    #[must_use]
    pub fn new(name: &str, arguments: &[&str]) -> Self {
        Self {
            name: name.to_owned(),
            arguments: arguments
                .iter()
                .map(|argument| (*argument).to_owned())
                .collect(),
        }
    }
}

/// What turns words into sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Engine {
    /// Nothing does; only recordings are audible.
    None,
    /// Debian's espeak-ng.
    Espeak,
    /// A program that reads words from its standard input and writes a WAV file to its standard output.
    Command(Program),
    /// A service that is sent words and answers with a WAV file.
    Http(HttpEngine),
}

impl Engine {
    /// What people call it.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::None => "none",
            Self::Espeak => "espeak-ng",
            Self::Command(program) => &program.name,
            Self::Http(_) => "http",
        }
    }

    /// The token that it asks for.
    #[must_use]
    pub fn token(&self) -> Option<&SecretRef> {
        match self {
            Self::Http(engine) => engine.token.as_ref(),
            Self::None | Self::Espeak | Self::Command(_) => None,
        }
    }
}

impl HttpBody {
    /// The word used in files.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Text => "text",
        }
    }
}

/// A speech service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpEngine {
    /// Where words are posted to.
    pub url: String,
    /// A bearer token.
    pub token: Option<SecretRef>,
    /// How the words are posted.
    pub body: HttpBody,
}

/// How a speech service wants its words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HttpBody {
    /// `{"text": …, "voice": …, "rate": …}`
    Json,
    /// The words alone.
    Text,
}

/// One of the two voices, as its engine knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timbre {
    /// The engine's name for the voice; `None` for the usual one of the region.
    pub name: Option<String>,
    /// How high it is, 0 to 99; espeak-ng only.
    pub pitch: u8,
}

/// What is heard before and after the words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chime {
    /// Nothing.
    None,
    /// Three tones of a bell, up before the words and down after them.
    Bell,
}

impl Chime {
    /// The word used in files.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Bell => "bell",
        }
    }
}

/// At which ends of what is heard the chime is. A session has it before its first part and after its last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ends {
    /// Before the words.
    pub opens: bool,
    /// After them.
    pub closes: bool,
}

impl Ends {
    /// Of what is heard by itself.
    pub const BOTH: Self = Self {
        opens: true,
        closes: true,
    };

    /// At how many.
    #[must_use]
    pub fn count(self) -> u32 {
        u32::from(self.opens) + u32::from(self.closes)
    }
}

/// What a channel wants of words that are to become sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Form {
    /// How it is packed.
    pub format: AudioFormat,
    /// How fast it is spoken, where that is not the installation's rate.
    pub rate: Option<Rate>,
    /// Where the chime is, if there is one.
    pub ends: Ends,
}

impl From<AudioFormat> for Form {
    /// By itself, at the installation's rate.
    fn from(format: AudioFormat) -> Self {
        Self {
            format,
            rate: None,
            ends: Ends::BOTH,
        }
    }
}

/// How words become audible: the part of `speech` in `loa.yaml` that is about sound.
#[derive(Debug, Clone, PartialEq)]
pub struct AudioSettings {
    /// What speaks.
    pub engine: Engine,
    /// Who reads a script of one voice.
    pub voice: Voice,
    /// The woman's voice.
    pub nu: Timbre,
    /// The man's voice.
    pub nam: Timbre,
    /// How long an engine may take for one turn, and an encoder for one sound.
    pub timeout: Duration,
    /// The loudness of finished sounds in LUFS (EBU R 128).
    pub loudness: f64,
    /// What is heard around the words.
    pub chime: Chime,
    /// Makes MP3 on its standard output from WAV on its standard input.
    pub mp3: Program,
    /// Makes Ogg Opus likewise.
    pub opus: Program,
    /// Where finished sounds are kept, relative to the workspace.
    pub folder: String,
    /// How many bytes of them are kept.
    pub most_bytes: u64,
}

impl AudioSettings {
    /// How `voice` sounds.
    #[must_use]
    pub fn timbre(&self, voice: Voice) -> &Timbre {
        match voice {
            Voice::Nu => &self.nu,
            Voice::Nam => &self.nam,
        }
    }
}

impl Default for AudioSettings {
    fn default() -> Self {
        Self {
            engine: Engine::Espeak,
            voice: Voice::Nu,
            nu: Timbre {
                name: None,
                pitch: 70,
            },
            nam: Timbre {
                name: None,
                pitch: 40,
            },
            timeout: Duration::from_mins(1),
            loudness: -16.0,
            chime: Chime::Bell,
            mp3: Program::new("lame", &["--quiet", "-m", "m", "-b", "48", "-", "-"]),
            // Without a serial number of its own every run would give other bytes.
            opus: Program::new(
                "opusenc",
                &[
                    "--quiet",
                    "--speech",
                    "--bitrate",
                    "32",
                    "--serial",
                    "1",
                    "-",
                    "-",
                ],
            ),
            folder: ".loa/audio".into(),
            most_bytes: 2_000_000_000,
        }
    }
}

/// A recording that editors put into `content/recordings/`, as it was when the files were read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    /// Its file's name.
    pub file: String,
    /// BLAKE3 of its bytes, in hexadecimal.
    pub hash: String,
}

impl Recording {
    /// The file with the beginning of its hash, as one line for people who compare two of them.
    #[must_use]
    pub fn line(&self) -> String {
        /// Enough to tell two recordings apart, and to be read out on the telephone.
        const DIGITS: usize = 12;
        let hash = self.hash.get(..DIGITS).unwrap_or(&self.hash);
        format!("{} ({hash})", self.file)
    }
}

/// The sort of bytes that finished sounds are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SoundBytes;

/// The address of a finished sound.
pub type SoundHash = BytesHash<SoundBytes>;

/// What is known of a finished sound.
#[derive(Debug, Clone, PartialEq)]
pub struct Sound {
    /// Its address.
    pub hash: SoundHash,
    /// How it is packed.
    pub format: AudioFormat,
    /// How long it is, measured.
    pub length: Duration,
    /// How long the words alone are, without chime, measured.
    pub spoken: Duration,
    /// Its integrated loudness in LUFS, measured before it was packed.
    pub loudness: f64,
    /// Its true peak in dBTP, likewise.
    pub peak: f64,
    /// How many bytes it has.
    pub size: u64,
}

/// A finished sound with its bytes, as an adapter gets it.
#[derive(Debug, Clone, PartialEq)]
pub struct Audio {
    /// What is known of it.
    pub sound: Sound,
    /// Its bytes.
    pub data: Bytes,
}
