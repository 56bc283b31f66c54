//! `loa diff`: exactly what changed since the last approval, in the words that people hear and read, and in what editors
//! wrote. It ends with the hash that an approval has to name.

use std::collections::HashMap;

use clap::Args;

use super::{
    Global,
    output::{Format, Output, harmless},
    place::Place,
    subject::{Desk, EntryRow, title},
};
use crate::{
    domain::{
        approval::Subject,
        audio::Recording,
        bulletin::{Bulletin, NotContact},
        message::{Content, ContentHash},
        picture::Picture,
        version::{BulletinRecord, Record, Version},
    },
    source::pictures::PICTURES,
    store::World,
    version::diff::{self, Change, Piece, Side, SourceChange},
};

/// Wards that are named one by one.
const NAMED: usize = 6;

/// Letters of unchanged text that are shown before and after a change.
const AROUND: usize = 60;

/// What to compare.
#[derive(Debug, Args)]
pub(super) struct DiffArgs {
    /// The bulletin or schedule (`bulletin:ID` or `schedule:ID` where both have the id)
    id: String,
}

/// Shows the changes.
///
/// # Errors
/// When there is no such thing, or the store fails.
pub(super) async fn run(global: &Global, args: &DiffArgs, output: &Output) -> anyhow::Result<()> {
    let desk = Desk::look(Place::load(global, output)?, output).await?;
    let version = desk.find(&args.id, output)?;
    let standing = desk.standing(&version.subject).await?;
    let old = match &standing.in_force {
        Some(granted) => {
            let hashes = [granted.version.clone()].into();
            desk.store.versions(&hashes).await?.into_values().next()
        }
        None => None,
    };
    let repeated = desk.repeated(version, &standing).await?;
    let (changes, sources) = compare(&desk, old.as_ref(), version).await?;
    match output.format {
        Format::Json => output.json(&serde_json::json!({
            "kind": version.subject.kind(),
            "id": version.subject.id(),
            "version": version.hash,
            "against": old.as_ref().map(|old| &old.hash),
            "taken_back": repeated.as_ref().map(|entry| EntryRow::of(entry, desk.place.zone())),
            "claims": present(&desk, version)
                .map_or(&[][..], |bulletin| &bulletin.claims)
                .iter()
                .map(|claim| serde_json::json!({ "says": claim.says, "source": claim.source }))
                .collect::<Vec<_>>(),
            "not_contacts": exceptions_json(&desk, version),
            "recording": recording(&desk, version)
                .map(|recording| serde_json::json!({ "file": recording.file, "hash": recording.hash })),
            "picture": picture(&desk, version).map(|picture| serde_json::json!({
                "file": picture.file,
                "hash": picture.hash.as_str(),
                "alt": picture.alt,
            })),
            "words": changes.iter().map(change_json).collect::<Vec<_>>(),
            "sources": sources.iter().map(source_json).collect::<Vec<_>>(),
        })),
        Format::Text => {
            show(&desk, version, old.as_ref(), output)?;
            let taken_back = repeated.map(|entry| desk.tell_repeated(&entry, output));
            if let Some(sentence) = &taken_back {
                output.line(sentence)?;
            }
            for change in &changes {
                show_change(change, old.is_none(), output)?;
            }
            for source in &sources {
                show_source(source, old.is_none(), output)?;
            }
            let key = match (
                standing.allows(&version.hash),
                changes.is_empty() && sources.is_empty(),
            ) {
                _ if taken_back.is_some() => "approval.diff-taken-back",
                (true, _) => "approval.diff-approved",
                (false, true) => "approval.diff-same",
                (false, false) => "approval.diff-hash",
            };
            let world = world(&desk);
            let args: [(&str, &dyn std::fmt::Display); 4] = [
                ("id", &args.id),
                ("hash", &version.hash),
                ("short", &version.hash.short()),
                ("world", &world),
            ];
            Ok(output.line(&format!("\n{}", output.say(key, &args)))?)
        }
    }
}

async fn compare(
    desk: &Desk,
    old: Option<&Version>,
    new: &Version,
) -> anyhow::Result<(Vec<Change>, Vec<SourceChange>)> {
    let record = match &new.record {
        Record::Bulletin(record) => record,
        Record::Schedule(record) => {
            let before = old.and_then(|old| match &old.record {
                Record::Schedule(record) => Some(record),
                Record::Bulletin(_) => None,
            });
            return Ok((Vec::new(), diff::schedule(before, record)));
        }
    };
    let before = old.and_then(|old| match &old.record {
        Record::Bulletin(record) => Some(record),
        Record::Schedule(_) => None,
    });
    let kept = kept(desk, before).await?;
    let contents = desk.contents(&new.subject);
    let new = Side {
        record,
        contents: &contents,
    };
    let old = before.map(|record| Side {
        record,
        contents: &kept,
    });
    let mut sources = diff::sources(before, record);
    let unread = [diff::recording(old, new), diff::picture(old, new)];
    sources.splice(..0, unread.into_iter().flatten());
    Ok((diff::changes(old, new), sources))
}

/// The words of an approved version, as the store keeps them.
async fn kept(
    desk: &Desk,
    record: Option<&BulletinRecord>,
) -> anyhow::Result<HashMap<ContentHash, Content>> {
    let Some(record) = record else {
        return Ok(HashMap::new());
    };
    let mut hashes: Vec<ContentHash> = record
        .words
        .values()
        .flat_map(|slots| slots.values())
        .map(|hash| ContentHash::from_store(hash))
        .collect();
    hashes.sort_unstable();
    hashes.dedup();
    Ok(desk.store.contents(&hashes).await?.into_iter().collect())
}

/// Pieces as they stand in JSON.
pub(super) fn pieces_json(pieces: &[Piece]) -> Vec<serde_json::Value> {
    let json = |piece: &Piece| {
        let (sort, text) = match piece {
            Piece::Same(text) => ("same", text),
            Piece::Gone(text) => ("gone", text),
            Piece::New(text) => ("new", text),
        };
        serde_json::json!({ sort: text })
    };
    pieces.iter().map(json).collect()
}

fn change_json(change: &Change) -> serde_json::Value {
    serde_json::json!({
        "format": change.slot.format.as_str(),
        "correction": change.slot.correction,
        "spoken": change.is_spoken,
        "wards": change.wards,
        "pieces": pieces_json(&change.pieces),
    })
}

fn source_json(source: &SourceChange) -> serde_json::Value {
    serde_json::json!({
        "part": source.part,
        "name": source.name,
        "lines": pieces_json(&source.pieces),
    })
}

fn show(
    desk: &Desk,
    version: &Version,
    old: Option<&Version>,
    output: &Output,
) -> anyhow::Result<()> {
    output.line(title(&desk.place, &version.subject))?;
    let against = match old {
        Some(old) => output.say("approval.diff-against", &[("hash", &old.hash.short())]),
        None => output.say("approval.diff-first", &[]),
    };
    output.line(&against)?;
    let editors = version.editors().join("; ");
    output.line(&output.say("approval.diff-editors", &[("names", &editors)]))?;
    for claim in present(desk, version).map_or(&[][..], |bulletin| &bulletin.claims) {
        let source = match &claim.source {
            Some(source) => harmless(source).to_string(),
            None => output.say("approval.diff-no-source", &[]),
        };
        let says = harmless(&claim.says);
        let args: [(&str, &dyn std::fmt::Display); 2] = [("says", &says), ("source", &source)];
        output.line(&output.say("approval.diff-claim", &args))?;
    }
    if let Some(recording) = recording(desk, version) {
        // Whoever approves has to have heard it: no text says what is in it.
        let ward = desk.place.workspace.wards.keys().next();
        let ward = ward.map_or("", |ward| ward.as_str());
        let (line, world) = (recording.line(), world(desk));
        let line = harmless(&line).into_owned();
        let args: [(&str, &dyn std::fmt::Display); 4] = [
            ("world", &world),
            ("recording", &line),
            ("id", &version.subject.id()),
            ("ward", &ward),
        ];
        output.line(&output.say("approval.diff-recording", &args))?;
    }
    if let Some(picture) = picture(desk, version) {
        // Whoever approves has to have seen it, and has to know where it lies.
        let path = format!("{PICTURES}/{}", picture.file);
        let (path, alt) = (harmless(&path), harmless(&picture.alt));
        let args: [(&str, &dyn std::fmt::Display); 3] = [
            ("path", &path),
            ("hash", &picture.hash.short()),
            ("alt", &alt),
        ];
        output.line(&output.say("approval.diff-picture", &args))?;
    }
    tell_exceptions(desk, version, output)
}

/// What commands to copy have to end with to work on the record that was looked at.
fn world(desk: &Desk) -> &'static str {
    match desk.place.world {
        World::Simulated => " --simulate",
        World::Real => "",
    }
}

/// What is heard of it instead of a voice.
fn recording<'d>(desk: &'d Desk, version: &Version) -> Option<&'d Recording> {
    present(desk, version)?.recording.as_ref()
}

/// The picture of its article, as it stands in its file.
fn picture<'d>(desk: &'d Desk, version: &Version) -> Option<&'d Picture> {
    present(desk, version)?.article.as_ref()?.picture.as_ref()
}

/// The bulletin as it stands in its file. Whoever approves answers for its claims and exceptions too.
fn present<'d>(desk: &'d Desk, version: &Version) -> Option<&'d Bulletin> {
    match &version.subject {
        Subject::Bulletin(id) => desk.place.workspace.bulletins.get(id),
        Subject::Schedule(_) => None,
    }
}

/// What its editors say looks like a contact and is none.
fn exceptions<'d>(desk: &'d Desk, version: &Version) -> &'d [NotContact] {
    present(desk, version).map_or(&[], |bulletin| bulletin.not_contacts.as_slice())
}

/// The same for programs.
pub(super) fn exceptions_json(desk: &Desk, version: &Version) -> Vec<serde_json::Value> {
    exceptions(desk, version)
        .iter()
        .map(|exception| serde_json::json!({ "text": exception.text, "reason": exception.reason }))
        .collect()
}

/// The same for people.
///
/// # Errors
/// When nothing can be written.
pub(super) fn tell_exceptions(
    desk: &Desk,
    version: &Version,
    output: &Output,
) -> anyhow::Result<()> {
    for exception in exceptions(desk, version) {
        let (text, reason) = (harmless(&exception.text), harmless(&exception.reason));
        let args: [(&str, &dyn std::fmt::Display); 2] = [("text", &text), ("reason", &reason)];
        output.line(&output.say("approval.diff-not-contact", &args))?;
    }
    Ok(())
}

fn show_change(change: &Change, is_first: bool, output: &Output) -> anyhow::Result<()> {
    let format = output.say(
        &format!("state.format-{}", change.slot.format.as_str()),
        &[],
    );
    let what = if change.slot.correction {
        output.say("approval.slot-correction", &[("format", &format)])
    } else {
        format
    };
    let what = if change.is_spoken {
        output.say("approval.slot-spoken", &[("what", &what)])
    } else {
        what
    };
    let count = change.wards.len();
    let mut wards = change.wards[..count.min(NAMED)].join(", ");
    if count > NAMED {
        wards.push_str(", …");
    }
    let args: [(&str, &dyn std::fmt::Display); 3] =
        [("what", &what), ("count", &count), ("wards", &wards)];
    output.line(&format!("\n{}", output.say("approval.diff-words", &args)))?;
    Ok(output.styled(&text(&change.pieces, is_first, output.color))?)
}

fn show_source(source: &SourceChange, is_first: bool, output: &Output) -> anyhow::Result<()> {
    // At the first approval the rendered words say it all; the file itself is for those who want it.
    if is_first && source.part == "file" {
        return Ok(());
    }
    let what = output.say(&format!("approval.part-{}", source.part), &[]);
    output.line(
        &format!("\n{what} {}", source.name)
            .trim_end()
            .replace("\n\n", "\n"),
    )?;
    for piece in &source.pieces {
        let (sign, lines) = match piece {
            Piece::Same(_) => continue,
            Piece::Gone(lines) => ('-', lines),
            Piece::New(lines) => ('+', lines),
        };
        for line in lines.lines() {
            output.styled(&painted(&format!("{sign} {line}"), sign, output.color))?;
        }
    }
    Ok(())
}

/// The text with its changes marked: `[-gone-]{+new+}`; what nothing changed in is cut short.
pub(super) fn text(pieces: &[Piece], is_first: bool, color: bool) -> String {
    let last = pieces.len().saturating_sub(1);
    let show = |(index, piece): (usize, &Piece)| match piece {
        Piece::Same(text) => harmless(&shortened(text, index > 0, index < last)).into_owned(),
        // Line ends that are gone or new have to be seen.
        Piece::Gone(text) => painted(&format!("[-{}-]", text.replace('\n', "⏎\n")), '-', color),
        Piece::New(text) if is_first => harmless(text).into_owned(),
        Piece::New(text) => painted(&format!("{{+{}+}}", text.replace('\n', "⏎\n")), '+', color),
    };
    pieces.iter().enumerate().map(show).collect()
}

fn shortened(text: &str, after: bool, before: bool) -> String {
    let letters: Vec<char> = text.chars().collect();
    if letters.len() <= 3 * AROUND {
        return text.to_owned();
    }
    let head: String = letters[..AROUND].iter().collect();
    let tail: String = letters[letters.len() - AROUND..].iter().collect();
    match (after, before) {
        (true, true) => format!("{head} … {tail}"),
        (true, false) => format!("{head} …"),
        _ => format!("… {tail}"),
    }
}

fn painted(text: &str, sign: char, color: bool) -> String {
    let code = if sign == '-' { 31 } else { 32 };
    let text = harmless(text);
    if color {
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    } else {
        text.into_owned()
    }
}
