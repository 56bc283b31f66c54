//! How a website makes an address of a title.

use unicode_normalization::UnicodeNormalization as _;

/// The longest slug, in bytes.
const MAX_SLUG: usize = 200;

/// What a title or a wanted slug becomes in an address: `Cảnh báo đường` → `canh-bao-duong`.
pub(super) fn slugify(text: &str) -> String {
    let mut slug = String::new();
    for letter in text.nfd().flat_map(char::to_lowercase) {
        match letter {
            'đ' => slug.push('d'),
            'a'..='z' | '0'..='9' | '_' => slug.push(letter),
            '\u{300}'..='\u{36f}' => {} // a tone or vowel mark
            _ if slug.ends_with('-') || slug.is_empty() => {}
            _ => slug.push('-'),
        }
    }
    slug.truncate(MAX_SLUG); // ASCII only
    slug.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs() {
        for (title, slug) in [
            (
                "Cảnh báo giả danh cán bộ thuế đường",
                "canh-bao-gia-danh-can-bo-thue-duong",
            ),
            ("  A -- B!  ", "a-b"),
            ("ban-tin_1", "ban-tin_1"),
            ("ĐƯỜNG", "duong"),
        ] {
            assert_eq!(slugify(title), slug);
        }
    }
}
