//! Pictures of articles: that every file is one, suits a page, and is used.

use std::{collections::BTreeMap, ops::RangeInclusive};

use crate::{
    diagnostic::{Code, Diagnostic, Phrase, Place},
    domain::picture::{Looked, MOST_BYTES, MOST_PIXELS, NoPicture, PictureFormat},
    source::{notebook::Notebook, pictures::PICTURES, raw::bulletin::RawBulletin},
};

/// What was found in each file of the folder, by its name.
pub(in crate::source) type Pictures = BTreeMap<String, Result<Looked, NoPicture>>;

/// How wide and high a picture of a page is, in pixels: enough to be seen as the head of an article, and no more than what a
/// telephone can unpack.
const SIDES: RangeInclusive<u32> = 300..=6_000;

/// How many times longer than wide it is, or the other way round, before a page cuts most of it off.
const LONGEST: u32 = 4;

/// What is known of the picture that a bulletin names, as far as it is one.
pub(super) fn of(raw: &RawBulletin, pictures: &Pictures) -> Option<Looked> {
    let (file, _) = raw.picture.as_ref()?;
    // What is none is reported where its file is judged.
    pictures.get(file)?.as_ref().ok().cloned()
}

pub(super) fn check(notebook: &Notebook, pictures: &Pictures, bulletins: &[RawBulletin]) {
    for (file, found) in pictures {
        let named = bulletins.iter().find_map(|raw| {
            let (name, at) = raw.picture.as_ref()?;
            (name == file).then_some(at)
        });
        // Where it is named is where somebody looks; the file itself has no lines.
        let absent = || Place::absent(&format!("{PICTURES}/{file}"));
        let place = named.cloned().unwrap_or_else(absent);
        match found {
            // Nobody is shown it, so it keeps nothing else from its work.
            Err(problem) if named.is_none() => {
                notebook.report(bad(Code::BadUnusedPicture, problem, place));
                continue;
            }
            Err(problem) => notebook.report(bad(Code::BadPicture, problem, place)),
            Ok(looked) => {
                if let Some(problem) = misfit(looked) {
                    let diagnostic = Diagnostic::new(Code::PictureSize, place)
                        .with("width", looked.width.to_string())
                        .with("height", looked.height.to_string())
                        .with("problem", Phrase::new(problem));
                    let help = Phrase::new("L272-help")
                        .with("least", SIDES.start().to_string())
                        .with("most", SIDES.end().to_string());
                    notebook.report(diagnostic.help(help));
                }
            }
        }
        if named.is_none() {
            let unused = Diagnostic::new(Code::UnusedPicture, absent());
            notebook.report(unused.help(Phrase::new("L273-help")));
        }
    }
}

/// What a page does with a picture of that size, where it is nothing good.
fn misfit(looked: &Looked) -> Option<&'static str> {
    let (width, height) = (looked.width, looked.height);
    let is_long = width > height.saturating_mul(LONGEST) || height > width.saturating_mul(LONGEST);
    if width.max(height) > *SIDES.end() {
        Some("picture-heavy")
    } else if is_long {
        Some("picture-cropped")
    } else {
        (width.min(height) < *SIDES.start()).then_some("picture-blurred")
    }
}

fn bad(code: Code, problem: &NoPicture, place: Place) -> Diagnostic {
    let name = |format: &PictureFormat| match format {
        PictureFormat::Jpeg => "JPEG",
        PictureFormat::Png => "PNG",
    };
    let (phrase, help) = match problem {
        NoPicture::Empty => (Phrase::new("picture-empty"), "L271-help"),
        NoPicture::Other(None) => (Phrase::new("picture-other"), "L271-help"),
        NoPicture::Other(Some(name)) => (
            Phrase::new("picture-known").with("name", *name),
            "L271-help",
        ),
        NoPicture::Broken(format) => (
            Phrase::new("picture-broken").with("name", name(format)),
            "L271-help",
        ),
        NoPicture::GoesOn(count) => (
            Phrase::new("picture-goes-on").with("count", count.to_string()),
            "L271-help",
        ),
        NoPicture::TooLarge => (
            Phrase::new("picture-large").with("most", MOST_BYTES.to_string()),
            "L271-help-large",
        ),
        NoPicture::TooManyPixels { width, height } => {
            let phrase = Phrase::new("picture-pixels")
                .with("width", width.to_string())
                .with("height", height.to_string())
                .with("most", (MOST_PIXELS / 1_000_000).to_string());
            (phrase, "L271-help-large")
        }
    };
    Diagnostic::new(code, place)
        .with("problem", phrase)
        .help(Phrase::new(help))
}
