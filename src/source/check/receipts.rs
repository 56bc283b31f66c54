//! Recipes that name the receiver's reference where nothing ever takes it: a question that is never asked, a stop that is never made.

use crate::{
    diagnostic::{Code, Diagnostic, Phrase},
    domain::recipe::Recipe,
    source::{notebook::Notebook, raw::recipe::RawRecipe},
};

use super::{questions::texts_of, recipes::place_at};

pub(super) fn check(notebook: &Notebook, recipes: &[RawRecipe]) {
    for raw in recipes {
        // With stand-ins in it, it would be told mistakes that nobody made.
        if notebook.has_errors_in(raw.at.file.path()) {
            continue;
        }
        let recipe = &raw.recipe;
        let tell = |path: &str, help| {
            let call = path.split('.').next().unwrap_or_default();
            let found = Diagnostic::new(Code::NoReceipt, place_at(raw, path)).with("call", call);
            notebook.report(found.help(Phrase::new(help)));
        };
        let is_found_without = recipe
            .find
            .as_ref()
            .is_some_and(|find| find.update.is_none() && !find.take.contains_key("receipt"));
        for (path, texts, is_of_found) in uses(recipe) {
            let using = || texts.iter().filter(|text| names(text));
            if using().next().is_none() {
                continue;
            }
            if recipe.accepted.receipt.is_none() {
                tell(path, "L292-help");
            } else if is_found_without && is_of_found && !using().any(|text| is_guarded(text)) {
                tell(path, "L292-help-found");
            }
        }
    }
}

/// What may name the reference: where it stands, its texts, and whether it comes after what was found, too.
fn uses(recipe: &Recipe) -> Vec<(&'static str, Vec<&str>, bool)> {
    let confirm = recipe.confirm.iter().map(|confirm| {
        let mut texts = confirm.request.texts();
        texts.extend(texts_of(&confirm.confirmed));
        texts.extend(confirm.refuted.iter().flat_map(texts_of));
        // In the attempt, what was found is not asked for again.
        ("confirm.request.url", texts, confirm.later.is_some())
    });
    let stop = recipe.stop.iter();
    let stop = stop.map(|stop| ("stop.url", stop.texts(), true));
    confirm.chain(stop).collect()
}

/// Whether a template names `receipt` or `playing.receipt`, and not a field of something else.
fn names(text: &str) -> bool {
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
    tags(text).any(|tag| {
        tag.match_indices("receipt").any(|(at, found)| {
            let (before, after) = (&tag[..at], &tag[at + found.len()..]);
            let is_field = before.ends_with('.') && !before.ends_with("playing.");
            !is_field && !before.ends_with(is_part) && !after.starts_with(is_part)
        })
    })
}

/// Whether the recipe says itself what goes out without one.
fn is_guarded(text: &str) -> bool {
    tags(text).any(|tag| {
        let word = tag.trim_start_matches('-').trim_start();
        let asks = word.starts_with("if ") || word.starts_with("elif ");
        tag.contains("receipt") && (asks || tag.contains("default") || tag.contains(" or "))
    })
}

/// What stands between the braces of a template.
fn tags(text: &str) -> impl Iterator<Item = &str> {
    let opened = text.split('{').skip(1);
    let inside = opened.map(|inside| inside.split('}').next().unwrap_or_default());
    inside.map(|inside| inside.trim_matches('%'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_is_known_by_its_name() {
        for (text, named, guarded) in [
            ("/jobs/{{ receipt }}", true, false),
            ("/jobs/{{receipt|urlencode}}", true, false),
            (
                "{% if playing %}/{{ playing.receipt }}{% endif %}",
                true,
                false,
            ),
            ("{% if receipt %}/{{ receipt }}{% endif %}", true, true),
            (
                "{%- if playing.receipt -%}/{{ playing.receipt }}{% endif %}",
                true,
                true,
            ),
            ("/{{ receipt | default(value='-') }}", true, true),
            ("/receipt/{{ message.delivery }}", false, false),
            (
                "/{{ with.receipt }}/{{ receipts }}/{{ my_receipt }}",
                false,
                false,
            ),
        ] {
            assert_eq!((names(text), is_guarded(text)), (named, guarded), "{text}");
        }
    }
}
