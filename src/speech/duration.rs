//! How long a spoken text lasts: its syllables and pauses at a speaking rate.
//!
//! Pauses are measured in syllables, because a voice that speaks faster also pauses shorter. The weights were fitted by least
//! squares to espeak-ng 1.51: 33 scripts of this repository's library (8,068 syllables), three voices, seven speeds
//! from 100 to 200. At every voice and speed the median error over the scripts was below 1 %, the largest 3.3 %.
//! A rate is that of a whole bulletin, pauses included: a bulletin with as many pauses as the library has lasts exactly
//! its syllables divided by the rate.

use std::time::Duration;

use crate::domain::speech::{Rate, Region, Weight};

/// Pauses in tenths of a syllable.
const COMMA: u64 = 7;
const COLON: u64 = 13;
const STOP: u64 = 7;
const EXCLAMATION: u64 = 28;
/// On top of the full stop before it.
const PARAGRAPH: u64 = 20;

/// How long `spoken`, a text as it is spoken, lasts at `rate`.
#[must_use]
pub fn estimate(spoken: &str, rate: Rate) -> Duration {
    weight(spoken).at(rate)
}

/// How much there is to say in `spoken`, a text as it is spoken.
#[must_use]
pub fn weight(spoken: &str) -> Weight {
    weigh(spoken, super::syllables(spoken))
}

/// [`weight`] of a text whose syllables are counted already.
pub(super) fn weigh(spoken: &str, syllables: usize) -> Weight {
    Weight::tenths(syllables as u64 * 10 + pauses(spoken))
}

/// All pauses, in tenths of a syllable.
fn pauses(spoken: &str) -> u64 {
    let text = spoken.trim();
    let mut sum = 0;
    let mut newlines = 0;
    let mut before = ' ';
    let mut chars = text.chars().peekable();
    while let Some(sign) = chars.next() {
        if sign == '\n' {
            newlines += 1;
            if newlines == 2 {
                sum += PARAGRAPH;
            }
        } else if !sign.is_whitespace() {
            newlines = 0;
        }
        let next = chars.peek();
        let is_last = next.is_none_or(|next| next.is_whitespace() || "”\"')’".contains(*next));
        sum += match sign {
            ',' if is_last => COMMA,
            ':' | ';' if is_last => COLON,
            '–' | '—' | '-' if is_last && before.is_whitespace() => COLON,
            '.' | '?' | '…' if is_last => STOP,
            '!' if is_last => EXCLAMATION,
            _ => 0,
        };
        before = sign;
    }
    sum
}

/// Rates, in syllables a minute over the whole library, at these speeds of espeak-ng, for the voices `vi`,
/// `vi-vn-x-central` and `vi-vn-x-south`.
const ESPEAK: [(u32, [u32; 3]); 7] = [
    (100, [121, 118, 116]),
    (115, [141, 138, 135]),
    (125, [155, 151, 149]),
    (140, [176, 172, 169]),
    (160, [202, 197, 194]),
    (175, [224, 218, 215]),
    (200, [260, 253, 250]),
];

/// The speed (`-s`) at which espeak-ng's voice of `region` speaks at `rate`; between the speeds that were measured along
/// straight lines, and on along the last ones beyond them.
#[must_use]
pub fn espeak_speed(region: Region, rate: Rate) -> u32 {
    let voice = match region {
        Region::North => 0,
        Region::Central => 1,
        Region::South => 2,
    };
    let rate = i64::from(rate.get());
    let at = |index: usize| {
        let (speed, rates) = ESPEAK[index];
        (i64::from(speed), i64::from(rates[voice]))
    };
    let upper = (1..ESPEAK.len() - 1)
        .find(|index| rate <= at(*index).1)
        .unwrap_or(ESPEAK.len() - 1);
    let ((slow, low), (fast, high)) = (at(upper - 1), at(upper));
    let speed = slow + ((rate - low) * (fast - slow) * 2 + (high - low)) / ((high - low) * 2);
    u32::try_from(speed).unwrap_or(80).max(80)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_are_those_of_the_punctuation() {
        for (text, tenths) in [
            ("", 0),
            ("bà con", 0),
            ("một, hai.", 14),
            ("Dừng lại! Không chuyển tiền.", 35),
            ("Một.\n\nHai.", 34),
            ("Một.\nHai", 7),
            ("Vinh – Hà Nội: hai", 26),
            ("ki-lô-mét", 0),
            ("“Một.” Hai", 7),
        ] {
            assert_eq!(pauses(text), tenths, "{text}");
        }
    }

    #[test]
    fn twice_the_rate_takes_half_the_time() {
        let text = "Bà con hãy dừng lại, không chuyển tiền. ".repeat(20);
        let slow = estimate(&text, Rate::syllables_per_minute(120));
        let fast = estimate(&text, Rate::syllables_per_minute(240));
        assert!(slow.abs_diff(fast * 2) < Duration::from_millis(5));
        // 160 syllables with their pauses, at 180 a minute.
        let usual = estimate(&text, Rate::default());
        assert!((52..56).contains(&usual.as_secs()), "{usual:?}");
    }

    #[test]
    fn speeds_are_those_that_were_measured() {
        let speed = |region, rate| espeak_speed(region, Rate::syllables_per_minute(rate));
        for (speed_of, rates) in ESPEAK {
            for (region, rate) in Region::ALL.into_iter().zip(rates) {
                assert_eq!(speed(region, u16::try_from(rate).unwrap()), speed_of);
            }
        }
        assert_eq!(speed(Region::North, 180), 143);
        assert!(speed(Region::North, Rate::SLOWEST) < 100);
        assert!(speed(Region::South, Rate::FASTEST) > 220);
    }
}
