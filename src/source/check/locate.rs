//! From words that came out back to the template that they stand in.
//!
//! Names were filled in and other templates included on the way, so the words as a whole stand nowhere: the longest row
//! of them that does is the place.

use std::{collections::BTreeMap, ops::Range};

use crate::{diagnostic::Place, domain::workspace::Workspace, source::text::Text};

/// Where `words` come from: one of `own`, or a shared template that one of them includes. `None` when no two words in a
/// row stand in any of them.
pub(super) fn locate(
    workspace: &Workspace,
    own: &[&Text],
    shared: &BTreeMap<String, Text>,
    words: &str,
) -> Option<Place> {
    let wanted = tokens(words);
    let mut texts: Vec<&Text> = own.to_vec();
    let mut index = 0;
    while let Some(text) = texts.get(index).copied() {
        let included = shared
            .iter()
            .filter(|(name, _)| text.value.contains(name.as_str()));
        for (_, template) in included {
            if !texts.iter().any(|known| std::ptr::eq(*known, template)) {
                texts.push(template);
            }
        }
        index += 1;
    }
    let mut best: Option<(usize, &Text, Range<usize>)> = None;
    for text in texts.iter().copied() {
        if let Some((length, range)) = longest(&wanted, &tokens(&text.value))
            && best.as_ref().is_none_or(|(most, ..)| length > *most)
        {
            best = Some((length, text, range));
        }
    }
    match best {
        Some((length, text, range)) if length >= 2 || length == wanted.len() => {
            Some(text.part(range))
        }
        _ => filled_in(workspace, &texts, words),
    }
}

/// The tag that filled in the contact whose value is `words`.
fn filled_in(workspace: &Workspace, texts: &[&Text], words: &str) -> Option<Place> {
    let mut contacts = workspace.contacts.values();
    let contact = contacts.find(|contact| contact.value.as_deref() == Some(words))?;
    let id = contact.id.as_str();
    let forms = [
        format!("contact[\"{id}\"].value"),
        format!("contact['{id}'].value"),
        format!("contact.{id}.value"),
    ];
    texts.iter().find_map(|text| {
        forms.iter().find_map(|form| {
            let at = text.value.find(form.as_str())?;
            Some(text.part(at..at + form.len()))
        })
    })
}

/// A word of a text and where it stands; a tag is an empty word, which is like no other.
type Token<'t> = (Range<usize>, &'t str);

fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut rest = 0;
    while rest < text.len() {
        let open = text[rest..].find('{').map_or(text.len(), |at| rest + at);
        for word in text[rest..open].split_whitespace() {
            let start = word.as_ptr() as usize - text.as_ptr() as usize;
            let core = word.trim_matches(|c: char| !c.is_alphanumeric());
            found.push((
                start..start + word.len(),
                if core.is_empty() { word } else { core },
            ));
        }
        let close = match text[open..].get(..2) {
            Some("{{") => "}}",
            Some("{%") => "%}",
            Some("{#") => "#}",
            _ => "{",
        };
        let end = text[open..]
            .find(close)
            .map_or(text.len(), |at| open + at + close.len());
        if open < text.len() {
            found.push((open..end, ""));
        }
        rest = end;
    }
    found
}

/// The longest row of words that stands in both: how many words, and where in the second.
fn longest(wanted: &[Token<'_>], text: &[Token<'_>]) -> Option<(usize, Range<usize>)> {
    let mut best = (0, 0);
    let mut above = vec![0; wanted.len() + 1];
    for (at, (_, word)) in text.iter().enumerate() {
        let mut row = vec![0; wanted.len() + 1];
        for (index, (_, other)) in wanted.iter().enumerate() {
            if !word.is_empty() && word == other {
                row[index + 1] = above[index] + 1;
                if row[index + 1] > best.0 {
                    best = (row[index + 1], at);
                }
            }
        }
        above = row;
    }
    let (length, last) = best;
    (length > 0).then(|| (length, text[last + 1 - length].0.start..text[last].0.end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found<'t>(words: &str, template: &'t str) -> Option<(usize, &'t str)> {
        let (length, range) = longest(&tokens(words), &tokens(template))?;
        Some((length, &template[range]))
    }

    #[test]
    fn the_longest_row_of_words_is_the_place() {
        let template =
            "Kính thưa bà con {{ ward.name }}!\nBà con {% include \"a.tera\" %} hãy báo ngay.\n";
        assert_eq!(
            found("Kính thưa bà con phường A!", template),
            Some((4, "Kính thưa bà con"))
        );
        assert_eq!(
            found("Bà con đến một cửa hãy báo ngay.", template),
            Some((3, "hãy báo ngay."))
        );
        // Words in tags are no words, and nothing goes across a tag.
        assert_eq!(found("include ward.name", template), None);
        assert_eq!(found("con hãy", template), Some((1, "con")));
        assert_eq!(found("x", "a { b"), None);
        assert_eq!(found("b", "a { b {"), Some((1, "b")));
    }
}
