//! `loa preview`: what a ward gets of a bulletin, word for word, and how it sounds.

use std::{
    io::{IsTerminal as _, Write as _},
    path::{Path, PathBuf},
};

use anyhow::bail;
use clap::Args;

use super::{
    Global, named,
    output::{Format, Output},
    place::Place,
    sound::{studio, why},
    usage::one_of,
};
use crate::{
    domain::{audio::AudioFormat, bulletin, message::Content},
    render::Renderer,
    source::pictures::PICTURES,
};

/// Which words to show.
#[derive(Debug, Args)]
pub(super) struct PreviewArgs {
    /// The bulletin: the name of its file without .yaml
    bulletin: String,
    /// The ward's id; the city's own id for city-wide channels
    #[arg(long)]
    ward: String,
    /// The format: script, article, message or sign
    #[arg(long = "as", value_name = "FORMAT", default_value = "script", value_parser = one_of(&bulletin::Format::ALL, bulletin::Format::as_str))]
    carried: bulletin::Format,
    /// Make the sound too and write it to this file, packed as its ending says: .wav, .mp3 or .opus; - for WAV on standard
    /// output
    #[arg(long, value_name = "FILE", conflicts_with = "carried")]
    speak: Option<PathBuf>,
}

/// Shows the words.
///
/// # Errors
/// When the bulletin or ward does not exist, or the bulletin has no such format.
pub(super) async fn run(
    global: &Global,
    args: &PreviewArgs,
    output: &Output,
) -> anyhow::Result<()> {
    let place = Place::load(global, output)?;
    let workspace = &place.workspace;
    let found = named::bulletin(workspace, &args.bulletin, output)?;
    let ward = named::ward(workspace, &args.ward, output)?;
    let (renderer, _) = Renderer::new(workspace);
    if !found.has(args.carried) {
        let carried = args.carried.as_str();
        bail!(output.say(
            "cli.no-format",
            &[("name", &args.bulletin), ("format", &carried)]
        ));
    }
    let content = renderer.render(workspace, found, ward, args.carried)?;
    if let Some(file) = &args.speak {
        return speak(&place, &content, file, output).await;
    }
    match output.format {
        Format::Json => output.json(&serde_json::json!({
            "turns": Content::turns_json(&content.turns),
            "bulletin": content.bulletin,
            "ward": ward.id,
            "format": content.format.as_str(),
            "title": content.title,
            "summary": content.summary,
            "text": content.text,
            "spoken": content.spoken,
            "html": content.html,
            "picture": content.picture.as_ref().map(|picture| serde_json::json!({
                "file": picture.file,
                "hash": picture.hash.as_str(),
                "alt": picture.alt,
            })),
            "content_hash": content.hash(),
        })),
        Format::Text => {
            output.line(&format!(
                "{}\n{}",
                content.title,
                "─".repeat(content.title.chars().count())
            ))?;
            if let Some(summary) = &content.summary {
                output.line(&format!("{summary}\n"))?;
            }
            if let Some(picture) = &content.picture {
                let path = format!("{PICTURES}/{}", picture.file);
                let args: [(&str, &dyn std::fmt::Display); 2] =
                    [("path", &path), ("alt", &picture.alt)];
                output.line(&format!("{}\n", output.say("cli.preview-picture", &args)))?;
            }
            output.line(&content.text)?;
            // How it sounds, where that is something else than what is written.
            let voiced = content.voiced();
            if *voiced != *content.text {
                let format = format!("state.format-{}", content.format.as_str());
                let what = output.say(&format, &[]);
                let head = output.say("approval.slot-spoken", &[("what", &what)]);
                output.line(&format!("\n── {head}\n{voiced}"))?;
            }
            Ok(())
        }
    }
}

/// Makes the sound of `content`, writes it, and says what was measured.
async fn speak(
    place: &Place,
    content: &Content,
    file: &Path,
    output: &Output,
) -> anyhow::Result<()> {
    let to_stdout = file.as_os_str() == "-";
    if to_stdout && std::io::stdout().is_terminal() {
        bail!(output.say("cli.speak-terminal", &[]));
    }
    let ending = file
        .extension()
        .and_then(|ending| ending.to_str())
        .unwrap_or_default();
    let format = match (to_stdout, AudioFormat::parse(&ending.to_ascii_lowercase())) {
        (true, _) => AudioFormat::Wav,
        (false, Some(format)) => format,
        (false, None) => bail!(output.say("cli.speak-ending", &[("file", &file.display())])),
    };
    let studio = studio(place)?;
    let made = match studio.make(content, format.into()).await {
        Ok(made) => made,
        Err(error) => bail!(why(&error, output)),
    };
    let sound = &made.audio.sound;
    if to_stdout {
        std::io::stdout().lock().write_all(&made.audio.data)?;
        return Ok(());
    }
    std::fs::write(file, &made.audio.data).map_err(|error| output.file(file, &error))?;
    let engine = match &content.recording {
        Some(recording) => recording.file.as_str(),
        None => studio.engine(),
    };
    match output.format {
        Format::Json => output.json(&serde_json::json!({
            "file": file.display().to_string(),
            "format": sound.format.as_str(),
            "engine": engine,
            "seconds": tenths(sound.length),
            "spoken_seconds": tenths(sound.spoken),
            "loudness_lufs": round(sound.loudness),
            "true_peak_dbtp": round(sound.peak),
            "bytes": sound.size,
            "hash": sound.hash.as_str(),
            "content_hash": content.hash(),
            "was_cached": made.was_kept,
        })),
        Format::Text => Ok(output.line(&output.say(
            "cli.spoken",
            &[
                ("file", &file.display()),
                ("seconds", &format!("{:.1}", sound.length.as_secs_f64())),
                ("words", &format!("{:.1}", sound.spoken.as_secs_f64())),
                ("loudness", &format!("{:.1}", sound.loudness)),
                ("peak", &format!("{:.1}", sound.peak)),
                ("engine", &engine),
            ],
        ))?),
    }
}

fn tenths(length: std::time::Duration) -> f64 {
    round(length.as_secs_f64())
}

fn round(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}
