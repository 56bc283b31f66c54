//! Words → a finished sound, ahead of time.
//!
//! A [`Studio`] lets an engine say the spoken words turn by turn (`engine`), puts the takes together (`assemble`), packs
//! them for the channel (`encode`) and keeps the result under the hash of everything that it depends on (`cache`). A
//! recording by a person takes the engine's place. An engine that hangs, dies, or gives silence or something else is a
//! failure with its reason; nothing of this ever runs while a delivery is being sent.

pub mod assemble;
pub mod cache;
mod chime;
mod encode;
mod engine;
pub mod equipment;
mod error;
mod process;
pub mod wav;

use std::{
    ffi::OsString,
    io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use serde_json::{Value, json};

use self::{
    assemble::{AssembleError, Programme, Take},
    cache::{Cache, Facts},
    engine::Service,
    process::Workshop,
    wav::WavError,
};
pub use self::{error::AudioError, process::ProcessError};
use crate::{
    adapter::transport::{Route, Transport, TransportSettings},
    clock::Clock,
    domain::{
        audio::{
            Audio, AudioFormat, AudioSettings, Chime, Ends, Engine, Form, Recording, SoundHash,
        },
        bulletin::{Turn, Voice},
        message::Content,
        secret::Secret,
        speech::{Rate, Region},
        time::Timestamp,
        workspace::Workspace,
    },
    speech::{Speech, duration},
};

/// The most bytes that an engine or an encoder may give: half an hour of WAV.
pub const SOUND_CAP: usize = 96 * 1024 * 1024;

/// The folder of recordings, relative to the workspace.
pub const RECORDINGS: &str = "content/recordings";

/// A take that lasts less than this share of what its words should, or more than the other, is not what was ordered.
pub const PLAUSIBLE: std::ops::RangeInclusive<f64> = 0.4..=2.5;

/// Shorter turns than this are too short to judge by their length.
pub const JUDGED: Duration = Duration::from_secs(2);

/// Raised when the same order would come out as another sound: old ones are then made again.
const VERSION: u32 = 1;

/// Where programs run, and whether services are asked.
#[derive(Debug, Clone)]
pub struct Home {
    /// The workspace's folder.
    pub root: PathBuf,
    /// The environment of programs.
    pub environment: Vec<(OsString, OsString)>,
    /// Where calls go; `None` in the simulated city, which has no speech service.
    pub route: Option<Route>,
}

/// Voice and speed, as engines want to know them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Manner {
    /// Whose dialect it is.
    pub region: Region,
    /// Syllables a minute.
    pub rate: Rate,
}

/// A sound and where it came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Made {
    /// The sound.
    pub audio: Audio,
    /// Whether it was there already, so that nothing had to run.
    pub was_kept: bool,
}

/// Makes sounds for one workspace.
#[derive(Debug)]
pub struct Studio {
    settings: AudioSettings,
    speech: Speech,
    rate: Rate,
    region: Region,
    workshop: Workshop,
    service: Option<Service>,
    cache: Cache,
}

impl Studio {
    /// Makes ready; runs nothing yet. `token` is the service's, if it wants one and it can be had.
    #[must_use]
    pub fn new(workspace: &Workspace, home: &Home, token: Option<Secret>) -> Self {
        let settings = workspace.settings.audio.clone();
        let speaking = workspace.settings.speech;
        let service = match (&settings.engine, home.route) {
            (Engine::Http(engine), Some(route)) if engine.token.is_none() || token.is_some() => {
                let transport = Transport::new(TransportSettings {
                    connect_timeout: workspace.settings.delivery.connect_timeout,
                    total_timeout: settings.timeout,
                    allow: workspace.settings.allow.clone(),
                    answer_cap: SOUND_CAP,
                    route,
                });
                transport.ok().map(|transport| Service { transport, token })
            }
            _ => None,
        };
        Self {
            region: speaking.dialect.region,
            speech: Speech::new(&workspace.readings, speaking.dialect),
            rate: speaking.rate,
            workshop: Workshop {
                root: home.root.clone(),
                environment: home.environment.clone(),
                limit: settings.timeout,
                cap: SOUND_CAP as u64,
            },
            cache: Cache::new(home.root.join(&settings.folder), settings.most_bytes),
            service,
            settings,
        }
    }

    /// What is said, turn by turn, as it is spoken: as it was frozen and approved. What was frozen without its spoken words
    /// is read by today's readings.
    #[must_use]
    pub fn turns(&self, content: &Content) -> Vec<Turn> {
        let written = match content.turns.as_slice() {
            [] => vec![(self.settings.voice, content.text.as_str())],
            turns => turns
                .iter()
                .map(|turn| (turn.voice, turn.text.as_str()))
                .collect(),
        };
        let said = |(index, (voice, text)): (usize, (Voice, &str))| Turn {
            voice,
            text: match content.spoken.get(index) {
                Some(spoken) => spoken.clone(),
                None => self.speech.say(text),
            },
        };
        written.into_iter().enumerate().map(said).collect()
    }

    /// How long spoken words should last at `rate`, or at the installation's where there is none.
    #[must_use]
    pub fn expected(&self, spoken: &str, rate: Option<Rate>) -> Duration {
        duration::estimate(spoken, rate.unwrap_or(self.rate))
    }

    /// The engine's name, for people.
    #[must_use]
    pub fn engine(&self) -> &str {
        self.settings.engine.name()
    }

    /// The sound of `content` in this form, from the cache if it is there.
    ///
    /// # Errors
    /// [`AudioError`].
    pub async fn make(&self, content: &Content, form: Form) -> Result<Made, AudioError> {
        let Form { format, rate, ends } = form;
        let manner = Manner {
            region: self.region,
            rate: rate.unwrap_or(self.rate),
        };
        let turns = self.turns(content);
        let recording = content.recording.as_ref();
        let key = self.key(&turns, recording, (format, ends), manner);
        if let Some(audio) = self.find(&key).await {
            return Ok(Made {
                audio,
                was_kept: true,
            });
        }
        if format == AudioFormat::Wav {
            let programme = self.programme(&turns, recording, manner, ends).await?;
            let facts = Facts {
                length: whole(wav::seconds(programme.samples.len())),
                spoken: whole(programme.spoken),
                loudness: programme.loudness,
                peak: programme.peak,
            };
            let data = blocking(move || wav::encode(&programme.samples)).await;
            let audio = self.keep(key, format, facts, data).await?;
            return Ok(Made {
                audio,
                was_kept: false,
            });
        }
        let plain = Form {
            format: AudioFormat::Wav,
            ..form
        };
        let wav = Box::pin(self.make(content, plain)).await?.audio;
        let facts = Facts {
            length: wav.sound.length,
            spoken: wav.sound.spoken,
            loudness: wav.sound.loudness,
            peak: wav.sound.peak,
        };
        let packed =
            encode::encode(&self.workshop, &self.settings, format, wav.data.into()).await?;
        let audio = self.keep(key, format, facts, packed).await?;
        Ok(Made {
            audio,
            was_kept: false,
        })
    }

    /// The bytes of a sound that was made before.
    ///
    /// # Errors
    /// The system's; [`io::ErrorKind::InvalidData`] when the file is damaged.
    pub fn read(&self, hash: &SoundHash, format: AudioFormat) -> io::Result<Bytes> {
        self.cache.read(hash, format)
    }

    async fn find(&self, key: &str) -> Option<Audio> {
        let (cache, key) = (self.cache.clone(), key.to_owned());
        // Files carry the system's time, also in the simulated city.
        let now = system_time(Clock::system().now());
        blocking(move || cache.find(&key, now)).await
    }

    async fn keep(
        &self,
        key: String,
        format: AudioFormat,
        facts: Facts,
        data: Vec<u8>,
    ) -> Result<Audio, AudioError> {
        let cache = self.cache.clone();
        let kept = blocking(move || cache.put(&key, format, facts, data.into())).await;
        kept.map_err(|source| AudioError::Keep {
            folder: self.cache.folder().to_owned(),
            source,
        })
    }

    async fn programme(
        &self,
        turns: &[Turn],
        recording: Option<&Recording>,
        manner: Manner,
        ends: Ends,
    ) -> Result<Programme, AudioError> {
        let mut takes = Vec::new();
        match recording {
            Some(recording) => takes.push(self.recorded(recording).await?),
            None => {
                for (number, turn) in (1..).zip(turns) {
                    takes.push(self.take(number, turn, manner).await?);
                }
            }
        }
        let (chime, loudness) = (self.settings.chime, self.settings.loudness);
        Ok(blocking(move || assemble::assemble(&takes, chime, ends, loudness)).await?)
    }

    async fn take(&self, number: usize, turn: &Turn, manner: Manner) -> Result<Take, AudioError> {
        let service = self.service.as_ref();
        let now = Clock::system().now();
        let bytes = engine::say(&self.settings, manner, &self.workshop, service, turn, now).await?;
        let engine = self.engine().to_owned();
        // Arithmetic over millions of samples, which nobody else has to wait for.
        let heard = blocking(move || {
            let samples =
                wav::decode(&bytes).map_err(|source| AudioError::NotSound { engine, source })?;
            let (is_silent, loudness) = assemble::is_silent(&samples)?;
            if is_silent {
                let turn = number;
                return Err(AssembleError::Silent { turn, loudness }.into());
            }
            let seconds = wav::seconds(assemble::trim(&samples).len());
            Ok::<_, AudioError>((samples, seconds))
        });
        let (samples, seconds) = heard.await?;
        let expected = self.expected(&turn.text, Some(manner.rate));
        if expected >= JUDGED && !PLAUSIBLE.contains(&(seconds / expected.as_secs_f64())) {
            return Err(AudioError::WrongLength {
                turn: number,
                seconds,
                expected: expected.as_secs_f64(),
            });
        }
        Ok(Take {
            voice: turn.voice,
            samples,
        })
    }

    async fn recorded(&self, recording: &Recording) -> Result<Take, AudioError> {
        let path = self.workshop.root.join(RECORDINGS).join(&recording.file);
        let file = recording.file.clone();
        let bytes = blocking(move || read_capped(&path)).await;
        let bytes = bytes.map_err(|source| AudioError::NoRecording {
            file: file.clone(),
            source,
        })?;
        if blake3::hash(&bytes).to_hex().as_str() != recording.hash {
            return Err(AudioError::OtherRecording { file });
        }
        let samples = blocking(move || wav::decode(&bytes)).await;
        let samples = samples.map_err(|source| AudioError::BadRecording { file, source })?;
        Ok(Take {
            voice: self.settings.voice,
            samples,
        })
    }

    /// The hash of everything that the sound depends on.
    fn key(
        &self,
        turns: &[Turn],
        recording: Option<&Recording>,
        (format, ends): (AudioFormat, Ends),
        manner: Manner,
    ) -> String {
        let settings = &self.settings;
        let source = match recording {
            Some(recording) => json!({ "recording": recording.hash }),
            None => json!({
                "turns": Content::turns_json(turns),
                "engine": self.engine_json(turns, manner),
            }),
        };
        let encoder = encode::program(settings, format)
            .map(|program| json!([program.name, program.arguments]));
        let order = json!({
            "version": VERSION,
            "source": source,
            "loudness": settings.loudness,
            "chime": heard_chime(settings.chime, ends),
            "format": format.as_str(),
            "encoder": encoder,
        });
        blake3::hash(order.to_string().as_bytes())
            .to_hex()
            .to_string()
    }

    fn engine_json(&self, turns: &[Turn], manner: Manner) -> Value {
        let voices: Vec<_> = turns
            .iter()
            .map(|turn| {
                let timbre = self.settings.timbre(turn.voice);
                (
                    turn.voice.as_str(),
                    engine::espeak_arguments(manner, timbre, turn.voice),
                )
            })
            .collect::<std::collections::BTreeMap<_, _>>()
            .into_iter()
            .map(|(voice, arguments)| json!([voice, arguments]))
            .collect();
        let engine = match &self.settings.engine {
            Engine::None => json!("none"),
            Engine::Espeak => json!("espeak"),
            Engine::Command(program) => {
                json!({ "command": program.name, "arguments": program.arguments })
            }
            Engine::Http(engine) => json!({ "url": engine.url, "body": engine.body.as_str() }),
        };
        json!({ "engine": engine, "rate": manner.rate.get(), "voices": voices })
    }
}

/// What is heard of the chime, as one word.
fn heard_chime(chime: Chime, ends: Ends) -> &'static str {
    match (chime, ends.opens, ends.closes) {
        (Chime::Bell, true, false) => "bell before",
        (Chime::Bell, false, true) => "bell after",
        (Chime::Bell, false, false) => Chime::None.as_str(),
        (Chime::Bell, true, true) | (Chime::None, ..) => chime.as_str(),
    }
}

/// What can be seen of a recording without making anything of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Examined {
    /// BLAKE3 of its bytes, in hexadecimal.
    pub hash: String,
    /// How long it is.
    pub length: Duration,
    /// Whether there is hardly anything to hear in it.
    pub is_silent: bool,
}

/// Looks at a recording.
///
/// # Errors
/// [`WavError`] when it is no sound.
pub fn examine(bytes: &[u8]) -> Result<Examined, WavError> {
    /// About -45 dBFS; a voice close to any microphone is 20 dB above.
    const FAINT: f32 = 0.005;
    let (samples, rate) = wav::decode_as_is(bytes)?;
    #[expect(
        clippy::cast_precision_loss,
        reason = "2^24 samples of one block are not there"
    )]
    let strength = |block: &[f32]| {
        (block.iter().map(|sample| sample * sample).sum::<f32>() / block.len() as f32).sqrt()
    };
    #[expect(
        clippy::cast_precision_loss,
        reason = "2^52 samples are thousands of years"
    )]
    let seconds = samples.len() as f64 / f64::from(rate);
    Ok(Examined {
        hash: blake3::hash(bytes).to_hex().to_string(),
        length: Duration::from_secs_f64(seconds),
        is_silent: samples
            .chunks(rate as usize / 2)
            .map(strength)
            .fold(0.0, f32::max)
            < FAINT,
    })
}

fn read_capped(path: &Path) -> io::Result<Vec<u8>> {
    if std::fs::metadata(path)?.len() > SOUND_CAP as u64 {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    std::fs::read(path)
}

/// A length in whole microseconds, as it is kept everywhere.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "lengths are positive and short"
)]
fn whole(seconds: f64) -> Duration {
    Duration::from_micros((seconds * 1e6).round() as u64)
}

fn system_time(now: Timestamp) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_micros(u64::try_from(now.as_micros()).unwrap_or(0))
}

/// Arithmetic and disks, away from the threads that others wait for.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}
