//! `loa preview`: what a ward gets of a bulletin, word for word.

use anyhow::bail;
use clap::Args;

use super::{
    Global,
    output::{Format, Output},
    place::Place,
};
use crate::{
    domain::{bulletin, message::Content},
    render::Renderer,
    source::nearest,
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
    #[arg(long = "as", value_name = "FORMAT", default_value = "script", value_parser = parse_format)]
    carried: bulletin::Format,
}

fn parse_format(text: &str) -> Result<bulletin::Format, &'static str> {
    bulletin::Format::parse(text).ok_or("the formats are script, article, message and sign")
}

/// Shows the words.
///
/// # Errors
/// When the bulletin or ward does not exist, or the bulletin has no such format.
pub(super) fn run(global: &Global, args: &PreviewArgs, output: &Output) -> anyhow::Result<()> {
    let place = Place::load(global, output)?;
    let workspace = &place.workspace;
    let Some(found) = workspace.bulletins.get(args.bulletin.as_str()) else {
        let names = workspace
            .bulletins
            .values()
            .map(|known| (known.id.as_str(), known.title.as_str()));
        bail!(unknown(output, "cli.no-bulletin", &args.bulletin, names));
    };
    let city = &workspace.settings.city;
    let ward = workspace
        .wards
        .get(args.ward.as_str())
        .or_else(|| (city.id.as_str() == args.ward).then_some(city));
    let Some(ward) = ward else {
        let names = std::iter::once(city)
            .chain(workspace.wards.values())
            .map(|known| (known.id.as_str(), known.name.as_str()));
        bail!(unknown(output, "cli.no-ward", &args.ward, names));
    };
    let (renderer, _) = Renderer::new(workspace);
    if !found.has(args.carried) {
        let carried = args.carried.as_str();
        bail!(output.say(
            "cli.no-format",
            &[("name", &args.bulletin), ("format", &carried)]
        ));
    }
    let content = renderer.render(workspace, found, ward, args.carried)?;
    match output.format {
        Format::Json => output.json(&serde_json::json!({
            "turns": Content::turns_json(&content.turns),
            "bulletin": content.bulletin,
            "ward": ward.id,
            "format": content.format.as_str(),
            "title": content.title,
            "summary": content.summary,
            "text": content.text,
            "html": content.html,
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
            Ok(output.line(&content.text)?)
        }
    }
}

/// "There is no …", with the nearest known name.
pub(super) fn unknown<'a>(
    output: &Output,
    key: &str,
    name: &str,
    known: impl Iterator<Item = (&'a str, &'a str)>,
) -> String {
    let sentence = output.say(key, &[("name", &name)]);
    match nearest(name, known) {
        Some(near) => format!(
            "{sentence} {}",
            output.say("cli.did-you-mean", &[("name", &near)])
        ),
        None => sentence,
    }
}
