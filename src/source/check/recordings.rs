//! Recordings by people, and channels that want sound: that every recording is one, says something, and is used; and that
//! whatever wants sound can have it.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    adapter::axis::MOST_KIBIBYTES,
    audio::{
        Examined, JUDGED, PLAUSIBLE, RECORDINGS,
        wav::{BYTES_PER_SECOND, WavError},
    },
    diagnostic::{Code, Diagnostic, Phrase, Place},
    domain::{
        audio::{AudioFormat, Engine, Recording},
        bulletin::Format,
        channel::AdapterConfig,
        workspace::Workspace,
    },
    render::Renderer,
    source::{
        notebook::Notebook,
        raw::{
            bulletin::RawBulletin,
            channel::{RawAdapter, RawChannel},
        },
    },
};

/// What was found in each file of the folder, by its name.
pub(in crate::source) type Recordings = BTreeMap<String, Result<Examined, WavError>>;

/// Shorter recordings say nothing; longer ones are longer than any session.
const LENGTHS: std::ops::RangeInclusive<Duration> =
    Duration::from_secs(1)..=Duration::from_mins(30);

/// The recording that a bulletin names, as far as it is one.
pub(super) fn of(raw: &RawBulletin, recordings: &Recordings) -> Option<Recording> {
    let (file, _) = raw.recording.as_ref()?;
    let hash = match recordings.get(file) {
        Some(Ok(examined)) => examined.hash.clone(),
        // Reported elsewhere.
        _ => String::new(),
    };
    Some(Recording {
        file: file.clone(),
        hash,
    })
}

pub(super) fn check(
    notebook: &Notebook,
    workspace: &Workspace,
    recordings: &Recordings,
    bulletins: &[RawBulletin],
    channels: &[RawChannel],
) {
    for (file, found) in recordings {
        let place = || Place::absent(&format!("{RECORDINGS}/{file}"));
        match found {
            Err(error) => {
                let word = match error {
                    WavError::Empty => Phrase::new("wav-empty"),
                    WavError::NotWav => Phrase::new("wav-other"),
                    WavError::Unusual(words) => {
                        Phrase::new("wav-unusual").with("words", words.as_str())
                    }
                };
                let diagnostic = Diagnostic::new(Code::BadRecording, place()).with("problem", word);
                notebook.report(diagnostic.help(Phrase::new("L121-help")));
            }
            Ok(examined) if !LENGTHS.contains(&examined.length) => {
                let diagnostic = Diagnostic::new(Code::RecordingLength, place())
                    .with("seconds", format!("{:.1}", examined.length.as_secs_f64()));
                notebook.report(diagnostic.help(Phrase::new("L123-help")));
            }
            Ok(examined) if examined.is_silent => {
                notebook.report(
                    Diagnostic::new(Code::SilentRecording, place()).help(Phrase::new("L122-help")),
                );
            }
            Ok(_) => {}
        }
        let is_used = bulletins
            .iter()
            .any(|raw| raw.recording.as_ref().is_some_and(|(name, _)| name == file));
        if !is_used {
            notebook.report(
                Diagnostic::new(Code::UnusedRecording, place()).help(Phrase::new("L126-help")),
            );
        }
    }
    one_for_all(notebook, workspace, bulletins);
    for raw in channels {
        let Some((_, at)) = &raw.audio else {
            // A sort that the adapter does not take is said where it stands.
            let asked_for = || sends_sound(workspace, raw).filter(|_| !raw.says_audio);
            if let Some(adapter) = asked_for() {
                let diagnostic =
                    Diagnostic::new(Code::AudioNotAsked, raw.at.clone()).with("adapter", adapter);
                let help = match &raw.adapter {
                    Some(RawAdapter::Other(AdapterConfig::Icecast(_))) => "L128-help-icecast",
                    Some(RawAdapter::Other(AdapterConfig::Snapcast(_))) => "L128-help-snapcast",
                    _ => "L128-help",
                };
                notebook.report(diagnostic.help(Phrase::new(help)));
            }
            continue;
        };
        if raw.format == Format::Script {
            size(notebook, raw);
        }
        if raw.format != Format::Script {
            let diagnostic = Diagnostic::new(Code::AudioNotSpoken, at.clone())
                .with("format", raw.format.as_str());
            notebook.report(diagnostic.help(Phrase::new("L125-help")));
        } else if sends_no_sound(workspace, raw) {
            let diagnostic = Diagnostic::new(Code::AudioNotSent, at.clone());
            notebook.report(diagnostic.help(Phrase::new("L129-help")));
        } else if workspace.settings.audio.engine == Engine::None {
            let without = bulletins
                .iter()
                .find(|raw| raw.bulletin.script.is_some() && raw.recording.is_none());
            if let Some(bulletin) = without {
                let diagnostic = Diagnostic::new(Code::AudioWithoutVoice, at.clone())
                    .with("bulletin", bulletin.bulletin.id.as_str())
                    .help(Phrase::new("L124-help"))
                    .note(bulletin.at.clone(), Phrase::new("note-bulletin"));
                notebook.report(diagnostic);
            }
        }
    }
}

/// Warns of sound as WAV where the device keeps little: what is longer is refused on air.
fn size(notebook: &Notebook, raw: &RawChannel) {
    if let Some((AudioFormat::Wav, at)) = &raw.audio
        && let Some(RawAdapter::Other(AdapterConfig::Axis(_))) = &raw.adapter
    {
        let seconds = MOST_KIBIBYTES * 1024 / BYTES_PER_SECOND;
        let large =
            Diagnostic::new(Code::AudioTooLarge, at.clone()).with("seconds", seconds.to_string());
        notebook.report(large.help(Phrase::new("L252-help")));
    }
}

/// Whether a channel's adapter is known to send words only.
fn sends_no_sound(workspace: &Workspace, raw: &RawChannel) -> bool {
    let is_known = match &raw.adapter {
        Some(RawAdapter::Recipe { recipe, .. }) => workspace.recipes.contains_key(recipe),
        Some(RawAdapter::Other(_)) => true,
        None => false,
    };
    is_known && sends_sound(workspace, raw).is_none()
}

/// The adapter of a channel, or its recipe, if it sends sound.
fn sends_sound<'a>(workspace: &'a Workspace, raw: &'a RawChannel) -> Option<&'a str> {
    match raw.adapter.as_ref()? {
        RawAdapter::Recipe { recipe, .. } => {
            let recipe = workspace.recipes.get(recipe)?;
            recipe.wants_sound().then_some(recipe.id.as_str())
        }
        RawAdapter::Other(config) => {
            let facts = config.facts();
            (!facts.sounds.is_empty()).then_some(facts.word)
        }
    }
}

/// Says which recordings cannot be the words of their bulletin, going by how long both are. The lengths have to be known.
pub(super) fn check_lengths(notebook: &Notebook, workspace: &Workspace, bulletins: &[RawBulletin]) {
    for raw in bulletins {
        let Some((_, at)) = &raw.recording else {
            continue;
        };
        let heard = workspace.lengths.get(&raw.bulletin.id);
        let Some((heard, recorded)) = heard.and_then(|heard| Some((heard, heard.recorded?))) else {
            continue;
        };
        // Other mistakes are told of by themselves.
        if !LENGTHS.contains(&recorded) {
            continue;
        }
        let expected = heard.most.at(workspace.settings.speech.rate);
        let (recorded, seconds) = (recorded.as_secs_f64(), expected.as_secs_f64());
        if expected >= JUDGED && !PLAUSIBLE.contains(&(recorded / seconds)) {
            let diagnostic = Diagnostic::new(Code::RecordingUnlike, at.clone())
                .with("bulletin", raw.bulletin.id.as_str())
                .with("seconds", format!("{recorded:.1}"))
                .with("expected", format!("{seconds:.0}"));
            notebook.report(diagnostic.help(Phrase::new("L251-help")));
        }
    }
}

/// A recording says the same everywhere. Words that differ from ward to ward are not what it says.
fn one_for_all(notebook: &Notebook, workspace: &Workspace, bulletins: &[RawBulletin]) {
    let recorded = || bulletins.iter().filter(|raw| raw.recording.is_some());
    if recorded().next().is_none() {
        return;
    }
    let (renderer, _) = Renderer::new(workspace);
    for raw in recorded() {
        let said = |ward| {
            renderer
                .render(workspace, &raw.bulletin, ward, Format::Script)
                .ok()
        };
        let mut wards = workspace.wards.values();
        let Some(first) = wards.next() else { continue };
        let Some(words) = said(first) else { continue };
        let other = wards.find(|ward| said(ward).is_some_and(|other| other.text != words.text));
        if let (Some(other), Some((_, at))) = (other, &raw.recording) {
            let diagnostic = Diagnostic::new(Code::RecordingForOneWard, at.clone())
                .with("first", first.name.as_str())
                .with("second", other.name.as_str());
            notebook.report(diagnostic.help(Phrase::new("L127-help")));
        }
    }
}
