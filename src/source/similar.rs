//! "Did you mean": the known name nearest to one that is not known, by its letters without marks.

use strsim::damerau_levenshtein;
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Letters without marks, in lower case; everything between words is one hyphen: `Phường Hưng Bình` → `phuong-hung-binh`.
pub(super) fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text.nfd().filter(|c| !is_combining_mark(*c)) {
        match c {
            'đ' | 'Đ' => folded.push('d'),
            c if c.is_alphanumeric() => folded.extend(c.to_lowercase()),
            _ if folded.ends_with('-') || folded.is_empty() => {}
            _ => folded.push('-'),
        }
    }
    folded.truncate(folded.trim_end_matches('-').len());
    folded
}

/// The candidate nearest to `wanted`, if any is near. A candidate is an id and, where there is one, its name; both count.
pub(super) fn nearest<'c>(
    wanted: &str,
    candidates: impl IntoIterator<Item = (&'c str, Option<&'c str>)>,
) -> Option<&'c str> {
    // Longer texts are no misspelt names, and measuring them takes long.
    if wanted.len() > 200 {
        return None;
    }
    let wanted = fold(wanted);
    let length = wanted.chars().count();
    let most = (length / 3).max(1);
    let score = |name: &str| {
        let name = fold(name);
        let near = name.chars().count().abs_diff(length) <= most;
        near.then(|| damerau_levenshtein(&wanted, &name))
            .filter(|distance| *distance <= most)
    };
    candidates
        .into_iter()
        .filter_map(|(id, name)| {
            Some((score(id).into_iter().chain(name.and_then(score)).min()?, id))
        })
        .min()
        .map(|(_, id)| id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_by_letters_without_marks() {
        let wards = [
            ("hung-binh", Some("Hưng Bình")),
            ("hung-phuc", Some("Hưng Phúc")),
            ("p24", Some("Đội Cung")),
        ];
        for (wanted, found) in [
            ("hung-bin", Some("hung-binh")),
            ("Hưng Bình", Some("hung-binh")),
            ("hung_binh", Some("hung-binh")),
            ("ĐỘI CUNG", Some("p24")),
            ("doi-cugn", Some("p24")),
            ("ha-noi", None),
            ("", None),
        ] {
            assert_eq!(nearest(wanted, wards), found, "{wanted}");
        }
        assert_eq!(nearest(&"a".repeat(1_000_000), wards), None);
    }

    #[test]
    fn folding() {
        assert_eq!(fold("  Phường  Hưng Bình!"), "phuong-hung-binh");
        assert_eq!(fold("Đặng"), "dang");
    }
}
