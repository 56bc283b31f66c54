//! The part of `speech` in `loa.yaml` that is about sound: engine, voices, loudness, chime, encoders, cache.

use crate::{
    domain::{
        audio::{AudioSettings, Chime, Engine, HttpBody, HttpEngine, Program, Timbre},
        bulletin::Voice,
    },
    source::{
        raw::channel::web_address,
        reader::{Fields, Value},
    },
};

/// Reads the fields of `speech` that are about sound.
pub(crate) fn read(fields: &Fields<'_>) -> AudioSettings {
    let defaults = AudioSettings::default();
    let voices = Voice::ALL.map(|voice| (voice.as_str(), voice));
    let (nu, nam) = fields
        .get("voices")
        .and_then(|value| {
            value.map(|fields| {
                (
                    fields
                        .get("nu")
                        .and_then(|value| timbre(value, &defaults.nu)),
                    fields
                        .get("nam")
                        .and_then(|value| timbre(value, &defaults.nam)),
                )
            })
        })
        .unwrap_or_default();
    let (mp3, opus) = fields
        .get("encoders")
        .and_then(|value| {
            value.map(|fields| {
                (
                    fields.get("mp3").and_then(program),
                    fields.get("opus").and_then(program),
                )
            })
        })
        .unwrap_or_default();
    let (folder, megabytes) = fields
        .get("cache")
        .and_then(|value| {
            value.map(|fields| {
                (
                    fields.get("folder").and_then(|value| value.words()),
                    fields
                        .get("megabytes")
                        .and_then(|value| value.integer(10..=1_000_000)),
                )
            })
        })
        .unwrap_or_default();
    AudioSettings {
        engine: fields.or("engine", defaults.engine, engine),
        voice: fields.or("voice", defaults.voice, |value| value.one_of(&voices)),
        nu: nu.unwrap_or(defaults.nu),
        nam: nam.unwrap_or(defaults.nam),
        timeout: fields.or("timeout", defaults.timeout, |value| value.duration()),
        loudness: fields.or("loudness", defaults.loudness, |value| {
            value.number(-30.0..=-10.0)
        }),
        chime: fields.or("chime", defaults.chime, |value| {
            value.one_of(&[("bell", Chime::Bell), ("none", Chime::None)])
        }),
        mp3: mp3.unwrap_or(defaults.mp3),
        opus: opus.unwrap_or(defaults.opus),
        folder: folder.unwrap_or(defaults.folder),
        most_bytes: megabytes.map_or(defaults.most_bytes, |megabytes| megabytes * 1_000_000),
    }
}

/// `espeak`, `none`, `{ command: … }` or `{ http: … }`.
fn engine(value: Value<'_>) -> Option<Engine> {
    if value.is_scalar() {
        let is_espeak = value.one_of(&[("espeak", true), ("none", false)])?;
        return Some(if is_espeak {
            Engine::Espeak
        } else {
            Engine::None
        });
    }
    value
        .map(|fields| match (fields.get("command"), fields.get("http")) {
            (Some(command), None) => program(command).map(Engine::Command),
            (None, Some(http)) => http.map(service).flatten().map(Engine::Http),
            _ => value.choose_one(&["command", "http"], "L019-help-engine"),
        })
        .flatten()
}

fn service(fields: &Fields<'_>) -> Option<HttpEngine> {
    let url = fields.required("url").and_then(web_address);
    Some(HttpEngine {
        token: fields.get("token").and_then(|value| value.secret()),
        body: fields.or("body", HttpBody::Json, |value| {
            value.one_of(&[("json", HttpBody::Json), ("text", HttpBody::Text)])
        }),
        url: url?,
    })
}

/// `{ program: …, arguments: […] }`.
fn program(value: Value<'_>) -> Option<Program> {
    value
        .map(|fields| {
            let name = fields.required("program").and_then(|value| value.words());
            let arguments = fields.or("arguments", Vec::new(), |value| {
                value.list(|value| value.words())
            });
            Some(Program {
                name: name?,
                arguments,
            })
        })
        .flatten()
}

/// The engine's name for a voice, or `{ name: …, pitch: … }`.
fn timbre(value: Value<'_>, usual: &Timbre) -> Option<Timbre> {
    if value.is_scalar() {
        return value.words().map(|name| Timbre {
            name: Some(name),
            pitch: usual.pitch,
        });
    }
    value.map(|fields| Timbre {
        name: fields.get("name").and_then(|value| value.words()),
        pitch: fields
            .get("pitch")
            .and_then(|value| value.integer(0..=99))
            .and_then(|pitch| u8::try_from(pitch).ok())
            .unwrap_or(usual.pitch),
    })
}
