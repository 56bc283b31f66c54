//! Whether what makes sound is on this machine: engine, encoders, and the voices that the settings name. `loa check` says
//! what is missing long before a delivery would.
//!
//! Nothing of the workspace's own is run for that, only looked up; of espeak-ng the lists of its voices are asked.

use std::{
    ffi::OsStr,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{Home, ProcessError, engine::ESPEAK, error::package_of, process::Workshop};
use crate::domain::{
    audio::{AudioFormat, AudioSettings, Engine, Program},
    bulletin::Voice,
    workspace::Workspace,
};

/// How long espeak-ng may take to name its voices.
const PATIENCE: Duration = Duration::from_secs(5);

/// The most that such a list has, in bytes.
const LONGEST_LIST: u64 = 256 * 1024;

/// Where programs are looked up when the environment does not say.
const USUAL_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// What a missing program or voice is needed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// `speech.engine`.
    Engine,
    /// `speech.encoders`.
    Encoder(AudioFormat),
    /// `speech.voices`.
    Voice(Voice),
}

/// What is not as the settings have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lack {
    /// There is no such program.
    Missing {
        /// What it is for.
        part: Part,
        /// Its name.
        program: String,
        /// The Debian package that would bring it.
        package: Option<&'static str>,
    },
    /// There is a file, and it cannot be started.
    NotExecutable {
        /// What it is for.
        part: Part,
        /// Its name.
        program: String,
    },
    /// espeak-ng has no such voice, or no such variant of it, which it would pass over in silence.
    UnknownVoice {
        /// Whose voice it is.
        voice: Voice,
        /// Its name in the settings.
        name: String,
    },
}

/// What `workspace` needs for its sound and this machine does not have. The usual engine and the encoders are only looked
/// for where a channel wants sound; a program or voice that the settings name, always.
pub async fn lacks(workspace: &Workspace, home: &Home) -> Vec<Lack> {
    let settings = &workspace.settings.audio;
    let wanted: Vec<AudioFormat> = workspace
        .channels
        .values()
        .filter_map(|channel| channel.audio)
        .collect();
    let espeak = Program::new(ESPEAK, &[]);
    let engine = match &settings.engine {
        Engine::Command(program) => Some(program),
        Engine::Espeak if !wanted.is_empty() => Some(&espeak),
        Engine::Espeak | Engine::Http(_) | Engine::None => None,
    };
    let encoders = [
        (AudioFormat::Mp3, &settings.mp3),
        (AudioFormat::Opus, &settings.opus),
    ];
    let programs = engine.map(|program| (Part::Engine, program)).into_iter();
    let programs = programs.chain(
        encoders
            .into_iter()
            .filter(|(format, _)| wanted.contains(format))
            .map(|(format, program)| (Part::Encoder(format), program)),
    );
    let mut lacks: Vec<Lack> = programs
        .filter_map(|(part, program)| lack(part, program, home))
        .collect();
    if settings.engine == Engine::Espeak && lack(Part::Engine, &espeak, home).is_none() {
        lacks.extend(unknown_voices(settings, home, &espeak).await);
    }
    lacks
}

fn lack(part: Part, program: &Program, home: &Home) -> Option<Lack> {
    let places = places(&program.name, home);
    if places.iter().any(|path| is_executable(path)) {
        return None;
    }
    let program = program.name.clone();
    Some(if places.iter().any(|path| path.is_file()) {
        Lack::NotExecutable { part, program }
    } else {
        Lack::Missing {
            part,
            package: package_of(&program),
            program,
        }
    })
}

/// Where a program of that name may be, as [`Workshop::run`] looks for it.
fn places(name: &str, home: &Home) -> Vec<PathBuf> {
    if name.contains('/') {
        return vec![home.root.join(name)];
    }
    let path = home
        .environment
        .iter()
        .find(|(name, _)| name == "PATH")
        .map_or(OsStr::new(USUAL_PATH), |(_, path)| path);
    std::env::split_paths(path)
        .map(|folder| folder.join(name))
        .collect()
}

fn is_executable(path: &Path) -> bool {
    std::fs::metadata(path)
        .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

/// The voices that the settings name and espeak-ng does not have. What it does not answer is not known to be wrong.
async fn unknown_voices(settings: &AudioSettings, home: &Home, espeak: &Program) -> Vec<Lack> {
    let workshop = Workshop {
        root: home.root.clone(),
        environment: home.environment.clone(),
        limit: PATIENCE,
        cap: LONGEST_LIST,
    };
    let mut lacks = Vec::new();
    for voice in Voice::ALL {
        let Some(name) = &settings.timbre(voice).name else {
            continue;
        };
        let (base, variant) = name.split_once('+').unwrap_or((name, ""));
        let is_known = knows_base(&workshop, espeak, base).await
            && (variant.is_empty() || knows_variant(&workshop, espeak, variant).await);
        if !is_known {
            lacks.push(Lack::UnknownVoice {
                voice,
                name: name.clone(),
            });
        }
    }
    lacks
}

/// Asks by saying nothing: espeak-ng ends badly where it has no such voice.
async fn knows_base(workshop: &Workshop, espeak: &Program, base: &str) -> bool {
    let arguments = ["-v", base, "-q", "--stdin"].map(str::to_owned);
    let said = workshop.run(espeak, &arguments, b"").await;
    !matches!(said, Err(ProcessError::Died { .. }))
}

/// Asks for the list: espeak-ng passes over a variant that it does not have. Each stands there as a file `!v/NAME`; numbers
/// are other names of some.
async fn knows_variant(workshop: &Workshop, espeak: &Program, variant: &str) -> bool {
    if variant.bytes().all(|byte| byte.is_ascii_digit()) {
        return true;
    }
    let arguments = ["--voices=variant".to_owned()];
    let Ok(list) = workshop.run(espeak, &arguments, b"").await else {
        return true;
    };
    let list = String::from_utf8_lossy(&list);
    list.lines()
        .filter_map(|line| Some(line.split_once("!v/")?.1))
        .any(|file| file.split("  ").next().map(str::trim) == Some(variant))
}
