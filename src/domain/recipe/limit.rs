//! How much of a message's words a receiver takes.

/// The most that a limit can be.
pub const LARGEST_LIMIT: u64 = 1_000_000;

/// The most of one text that a receiver takes. Nothing is cut: what has more is not sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// What is measured: `message.text`, or `value.words` where the recipe makes other words of them.
    pub of: String,
    /// The most.
    pub most: usize,
    /// Of what.
    pub unit: Unit,
}

/// What a receiver counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Letters: Unicode's scalar values.
    Letters,
    /// Units of UTF-16, of which an emoji has two.
    Utf16,
    /// Bytes of UTF-8.
    Bytes,
    /// Text messages (SMS) that it makes, joined by the telephone.
    Parts,
}

impl Unit {
    /// Every one, by its name in files.
    pub const ALL: [(&'static str, Self); 4] = [
        ("letters", Self::Letters),
        ("utf16", Self::Utf16),
        ("bytes", Self::Bytes),
        ("parts", Self::Parts),
    ];

    /// Its name in files.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Letters => "letters",
            Self::Utf16 => "utf16",
            Self::Bytes => "bytes",
            Self::Parts => "parts",
        }
    }

    /// How many of them a text has.
    #[must_use]
    pub fn count(self, text: &str) -> usize {
        match self {
            Self::Letters => text.chars().count(),
            Self::Utf16 => text.encode_utf16().count(),
            Self::Bytes => text.len(),
            Self::Parts => parts(text),
        }
    }
}

/// The letters of a text message without Vietnamese ones: the default alphabet of 3GPP TS 23.038, section 6.2.1.
const GSM: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";

/// Those that take the place of two (section 6.2.1.1).
const GSM_TWICE: &str = "\u{c}^{}\\[~]|€";

/// How many text messages a text makes. In the default alphabet one has 160 letters, or 153 where others follow or precede it; with
/// any other letter, such as `ư`, it is UCS-2 with 70 units, or 67. What takes two places is not torn apart.
fn parts(text: &str) -> usize {
    let gsm = |letter: char| {
        if GSM.contains(letter) {
            Some(1)
        } else {
            GSM_TWICE.contains(letter).then_some(2)
        }
    };
    let (sizes, alone, joined) = match text.chars().map(gsm).collect::<Option<Vec<usize>>>() {
        Some(sizes) => (sizes, 160, 153),
        None => (text.chars().map(char::len_utf16).collect(), 70, 67),
    };
    if sizes.iter().sum::<usize>() <= alone {
        return 1;
    }
    let (mut parts, mut filled) = (1, 0);
    for size in sizes {
        if filled + size > joined {
            (parts, filled) = (parts + 1, 0);
        }
        filled += size;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_counts_its_own() {
        let text = "Đề 😀";
        for ((name, unit), count) in Unit::ALL.into_iter().zip([4, 5, 10, 1]) {
            assert_eq!((name, unit.count(text)), (unit.as_str(), count));
        }
    }

    #[test]
    fn text_messages_are_counted_as_gateways_do() {
        for (letter, count, parts) in [
            ("a", 0, 1),
            ("a", 160, 1),
            ("a", 161, 2),
            ("a", 306, 2),
            ("a", 307, 3),
            ("€", 80, 1),
            // 76 fit into a part of 153.
            ("€", 81, 2),
            ("€", 152, 2),
            ("€", 153, 3),
            ("ư", 70, 1),
            ("ư", 71, 2),
            ("ư", 134, 2),
            ("ư", 135, 3),
            ("ư", 335, 5),
            ("ư", 336, 6),
            ("😀", 35, 1),
            ("😀", 66, 2),
            ("😀", 67, 3),
            ("`", 71, 2),
        ] {
            let text = letter.repeat(count);
            assert_eq!(Unit::Parts.count(&text), parts, "{count} × {letter}");
        }
        let mixed = format!("{}ư", "a".repeat(70));
        assert_eq!(
            Unit::Parts.count(&mixed),
            2,
            "one letter makes all of it UCS-2"
        );
    }
}
