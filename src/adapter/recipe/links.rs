//! Links in a header (RFC 8288, section 3): `<https://a.example/?page=2>; rel="next", </?page=9>; rel=last`.

/// The address of the first link with the relation `rel`, as it is written there.
pub(super) fn with(header: &str, rel: &str) -> Option<String> {
    let mut rest = header;
    // What stands before the first one is not ours to read.
    while let Some((_, after)) = rest.split_once('<') {
        let (address, after) = after.split_once('>')?;
        let end = end(after, ',');
        if has(&after[..end], rel) {
            return Some(address.trim().to_owned());
        }
        rest = &after[end..];
    }
    None
}

/// Whether what is said of a link has that relation: the first `rel` counts (section 3.3), which may name several.
fn has(said: &str, rel: &str) -> bool {
    let mut rest = said;
    while let Some((_, after)) = rest.split_once(';') {
        let end = end(after, ';');
        let named = after[..end].split_once('=');
        if let Some((name, value)) = named
            && name.trim().eq_ignore_ascii_case("rel")
        {
            let value = value.trim().trim_matches('"');
            let mut all = value.split_ascii_whitespace();
            return all.any(|one| one.eq_ignore_ascii_case(rel));
        }
        rest = &after[end..];
    }
    false
}

/// Where the first `mark` stands that is not within quotes; the end of the text where there is none.
fn end(text: &str, mark: char) -> usize {
    let (mut is_quoted, mut is_escaped) = (false, false);
    for (at, letter) in text.char_indices() {
        match letter {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            _ if letter == mark && !is_quoted => return at,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_with_the_relation_is_found() {
        for (header, next) in [
            (
                "<https://a.example/?p=2>; rel=\"next\"",
                Some("https://a.example/?p=2"),
            ),
            ("</?p=1>; rel=prev, </?p=3>; rel=next", Some("/?p=3")),
            (
                "</?p=9>; rel=last , < /?p=3 > ;title=\"x, y; rel=next\" ; REL = \"start Next\"",
                Some("/?p=3"),
            ),
            ("</?p=3,4;5>;rel=next", Some("/?p=3,4;5")),
            (
                "</a>; title=\"q\\\" rel=next, </b>; rel=next\"; rel=prev, </c>; rel=next",
                Some("/c"),
            ),
            // The first one counts.
            ("</a>; rel=prev; rel=next", None),
            ("</a>; rel=nextish, </b>; relative=next", None),
            ("</a>; title=\"rel=next", None),
            ("</a", None),
            ("rel=next", None),
            ("", None),
        ] {
            assert_eq!(with(header, "next").as_deref(), next, "{header}");
        }
    }
}
