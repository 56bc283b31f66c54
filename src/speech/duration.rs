//! How long a spoken text lasts: syllables and pauses at a speaking rate.

use std::time::Duration;

use crate::domain::speech::Rate;

/// How long `spoken` lasts at `rate`.
#[must_use]
pub fn estimate(spoken: &str, rate: Rate) -> Duration {
    let syllables = super::syllables(spoken);
    Duration::from_millis(syllables as u64 * 60_000 / u64::from(rate.get()))
}
