//! What is missing on this machine for the sound that `loa.yaml` orders, as diagnostics at its lines. Warnings, all of them:
//! files are checked on many machines, and only the one that broadcasts needs the programs.

use std::{path::Path, sync::Arc};

use super::{
    SETTINGS, files,
    yaml::{self, Kind, Node},
};
use crate::{
    audio::equipment::{Lack, Part},
    diagnostic::{Arg, Code, Diagnostic, Phrase, Place, SourceFile},
};

/// Says what is missing, each at its line of the workspace in `root`.
#[must_use]
pub fn report(root: &Path, lacks: &[Lack]) -> Vec<Diagnostic> {
    if lacks.is_empty() {
        return Vec::new();
    }
    let gathered = files::gather_only(root, &[SETTINGS]);
    let text = gathered.files.get(SETTINGS).map(Vec::as_slice);
    let text = String::from_utf8_lossy(text.unwrap_or_default()).into_owned();
    let file = SourceFile::new(SETTINGS, text);
    let tree = yaml::parse(&file, &mut Vec::new());
    lacks
        .iter()
        .map(|lack| diagnostic(&file, tree.as_ref(), lack))
        .collect()
}

fn diagnostic(file: &Arc<SourceFile>, tree: Option<&Node>, lack: &Lack) -> Diagnostic {
    let at = |part| {
        tree.and_then(|tree| place(file, tree, keys(part)))
            .unwrap_or_else(|| Place::whole(file))
    };
    match lack {
        Lack::Missing {
            part,
            program,
            package,
        } => Diagnostic::new(Code::ProgramMissing, at(*part))
            .with("part", word(*part))
            .with("program", program.as_str())
            .help(match package {
                Some(package) => Phrase::new("L230-help-package").with("package", *package),
                None => Phrase::new("L230-help"),
            }),
        Lack::NotExecutable { part, program } => {
            Diagnostic::new(Code::ProgramNotExecutable, at(*part))
                .with("part", word(*part))
                .with("program", program.as_str())
                .help(Phrase::new("L231-help").with("program", program.as_str()))
        }
        Lack::UnknownVoice { voice, name } => {
            Diagnostic::new(Code::UnknownVoice, at(Part::Voice(*voice)))
                .with("voice", voice.as_str())
                .with("name", name.as_str())
                .help(Phrase::new("L232-help"))
        }
    }
}

fn word(part: Part) -> Arg {
    let word = match part {
        Part::Engine => "part-engine".to_owned(),
        Part::Encoder(format) => format!("part-encoder-{}", format.as_str()),
        Part::Voice(voice) => voice.as_str().to_owned(),
    };
    Arg::Word(word)
}

/// Where that part stands in the settings, key by key.
fn keys(part: Part) -> &'static [&'static str] {
    use crate::domain::{audio::AudioFormat, bulletin::Voice};
    match part {
        Part::Engine => &["speech", "engine", "command", "program"],
        Part::Encoder(AudioFormat::Mp3) => &["speech", "encoders", "mp3", "program"],
        Part::Encoder(_) => &["speech", "encoders", "opus", "program"],
        Part::Voice(Voice::Nu) => &["speech", "voices", "nu", "name"],
        Part::Voice(Voice::Nam) => &["speech", "voices", "nam", "name"],
    }
}

/// The value under as many of `keys` as there are: of what is left to the defaults, the nearest that is written.
fn place(file: &Arc<SourceFile>, tree: &Node, keys: &[&str]) -> Option<Place> {
    let (first, rest) = keys.split_first()?;
    let Kind::Map(entries) = &tree.kind else {
        return None;
    };
    let entry = entries.iter().find(|entry| entry.key == *first)?;
    let deeper = place(file, &entry.value, rest);
    Some(deeper.unwrap_or_else(|| {
        let span = match entry.value.kind {
            Kind::Scalar(_) => &entry.value.span,
            _ => &entry.key_span,
        };
        Place::new(file, span.clone())
    }))
}
