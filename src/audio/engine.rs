//! The engines: words in, a WAV file out. What they have in common is that they may hang, die, or give anything at all;
//! nothing here trusts them.

use std::time::Duration;

use serde_json::json;

use super::{AudioError, Manner, process::Workshop};
use crate::{
    adapter::{Hidden, Request, transport::Transport},
    domain::{
        audio::{AudioSettings, Engine, HttpBody, HttpEngine, Program, Timbre},
        bulletin::{Turn, Voice},
        detail::Detail,
        secret::Secret,
        speech::Region,
        time::Timestamp,
    },
    speech::duration,
};

/// The program behind [`Engine::Espeak`].
pub(super) const ESPEAK: &str = "espeak-ng";

/// espeak-ng's variants: a woman's voice and a man's.
const VARIANTS: [(Voice, &str); 2] = [(Voice::Nu, "f2"), (Voice::Nam, "m3")];

/// Full amplitude would clip before we could turn it down.
const AMPLITUDE: &str = "60";

/// What asks a speech service.
#[derive(Debug, Clone)]
pub(super) struct Service {
    /// The client; it obeys the network allow-list.
    pub transport: Transport,
    /// What the service wants to see.
    pub token: Option<Secret>,
}

/// Lets the engine say one turn.
pub(super) async fn say(
    settings: &AudioSettings,
    manner: Manner,
    workshop: &Workshop,
    service: Option<&Service>,
    turn: &Turn,
    now: Timestamp,
) -> Result<Vec<u8>, AudioError> {
    let timbre = settings.timbre(turn.voice);
    match &settings.engine {
        Engine::None => Err(AudioError::NoEngine),
        Engine::Espeak => {
            let program = Program::new(ESPEAK, &[]);
            let arguments = espeak_arguments(manner, timbre, turn.voice);
            Ok(workshop
                .run(&program, &arguments, espeak_text(&turn.text).as_bytes())
                .await?)
        }
        Engine::Command(program) => {
            let arguments: Vec<String> = program
                .arguments
                .iter()
                .map(|argument| {
                    argument
                        .replace(
                            "{voice}",
                            timbre.name.as_deref().unwrap_or(turn.voice.as_str()),
                        )
                        .replace("{rate}", &manner.rate.get().to_string())
                })
                .collect();
            Ok(workshop
                .run(program, &arguments, turn.text.as_bytes())
                .await?)
        }
        Engine::Http(engine) => {
            let service = service.ok_or(AudioError::NoService)?;
            ask(engine, service, manner, timbre, turn, now).await
        }
    }
}

/// espeak-ng's voices for the three dialects.
fn base(region: Region) -> &'static str {
    match region {
        Region::North => "vi",
        Region::Central => "vi-vn-x-central",
        Region::South => "vi-vn-x-south",
    }
}

/// What the name of the engine's voice and its speed are made of; part of a sound's key.
pub(super) fn espeak_arguments(manner: Manner, timbre: &Timbre, voice: Voice) -> Vec<String> {
    let usual = || {
        let variant = VARIANTS
            .iter()
            .find(|(of, _)| *of == voice)
            .map_or("", |(_, variant)| variant);
        format!("{}+{variant}", base(manner.region))
    };
    let name = timbre.name.clone().unwrap_or_else(usual);
    let arguments = [
        "-v",
        &name,
        "-s",
        &duration::espeak_speed(manner.region, manner.rate).to_string(),
        "-p",
        &timbre.pitch.to_string(),
        "-a",
        AMPLITUDE,
        "-b",
        "1",
        "--stdin",
        "--stdout",
    ];
    arguments.map(str::to_owned).to_vec()
}

/// `[[` begins phonemes in espeak-ng's language, and a NUL ends everything.
fn espeak_text(text: &str) -> String {
    text.replace("[[", "[ [").replace('\0', " ")
}

async fn ask(
    engine: &HttpEngine,
    service: &Service,
    manner: Manner,
    timbre: &Timbre,
    turn: &Turn,
    now: Timestamp,
) -> Result<Vec<u8>, AudioError> {
    let (media_type, body) = match engine.body {
        HttpBody::Text => ("text/plain; charset=utf-8", turn.text.clone()),
        HttpBody::Json => {
            let voice = timbre.name.as_deref().unwrap_or(turn.voice.as_str());
            let body = json!({ "text": turn.text, "voice": voice, "rate": manner.rate.get() });
            ("application/json", body.to_string())
        }
    };
    let mut headers = vec![
        ("Content-Type".to_owned(), media_type.to_owned()),
        ("Accept".to_owned(), "audio/wav".to_owned()),
    ];
    if let Some(token) = &service.token {
        headers.push((
            "Authorization".to_owned(),
            format!("Bearer {}", token.expose()),
        ));
    }
    let request = Request {
        method: "POST".into(),
        url: engine.url.as_str().into(),
        headers,
        body: body.into(),
        wait: Duration::ZERO,
        hidden: Hidden::default(),
        login: None,
    };
    let answer = service
        .transport
        .call(&request, now)
        .await
        .map_err(|fault| AudioError::Service {
            reason: fault.reason,
            detail: met(&fault.detail),
        })?;
    if answer.status != 200 {
        return Err(AudioError::Answer {
            status: answer.status,
        });
    }
    Ok(answer.body.into())
}

/// What a call met, to stand in another sentence: the system's own words, or the code that the catalogue has a sentence for.
fn met(detail: &str) -> String {
    Detail::parse(detail).map_or_else(
        || detail.to_owned(),
        |met| met.get("problem").unwrap_or(met.code()).to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::speech::Rate;

    #[test]
    fn what_espeak_is_told() {
        let manner = Manner {
            region: Region::North,
            rate: Rate::default(),
        };
        let usual = Timbre {
            name: None,
            pitch: 70,
        };
        let line = espeak_arguments(manner, &usual, Voice::Nu).join(" ");
        assert_eq!(line, "-v vi+f2 -s 143 -p 70 -a 60 -b 1 --stdin --stdout");
        let named = Timbre {
            name: Some("vi-vn-x-south+m1".into()),
            pitch: 5,
        };
        let line = espeak_arguments(manner, &named, Voice::Nam).join(" ");
        assert!(
            line.starts_with("-v vi-vn-x-south+m1 -s 143 -p 5 "),
            "{line}"
        );
        assert_eq!(espeak_text("a [[b]] c\0d"), "a [ [b]] c d");
    }
}
