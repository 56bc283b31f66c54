//! The chime: three strokes of a bell, made of tones, so that there is no file to lose and no right to clear.

use super::wav::RATE;

/// The strokes of the chime before the words: G4, C5, E5.
const UP: [f64; 3] = [392.00, 523.25, 659.26];

/// After the words they go down again.
const DOWN: [f64; 3] = [659.26, 523.25, 392.00];

/// From one stroke to the next, in seconds.
const STEP: f64 = 0.38;

/// How long the last one rings, in seconds.
const RING: f64 = 1.3;

/// What a stroke sounds like: multiples of its tone, how strong each is, and in how many seconds it fades to a third.
const PARTIALS: [(f64, f64, f64); 4] = [
    (1.0, 1.0, 0.55),
    (2.0, 0.45, 0.40),
    (3.0, 0.20, 0.25),
    (4.2, 0.10, 0.15),
];

/// The chime that says: listen.
#[must_use]
pub(super) fn before() -> Vec<f32> {
    strokes(&UP)
}

/// The chime that says: that was all.
#[must_use]
pub(super) fn after() -> Vec<f32> {
    strokes(&DOWN)
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "two seconds of samples"
)]
fn strokes(tones: &[f64]) -> Vec<f32> {
    let rate = f64::from(RATE);
    let length = STEP * (tones.len() - 1) as f64 + RING;
    (0..(length * rate) as usize)
        .map(|n| {
            let at = n as f64 / rate;
            let sum: f64 = tones
                .iter()
                .enumerate()
                .map(|(index, tone)| stroke(*tone, at - STEP * index as f64))
                .sum();
            // The end fades out and is not cut off.
            let fade = ((length - at) / 0.2).clamp(0.0, 1.0);
            (sum * fade * 0.25) as f32
        })
        .collect()
}

/// One stroke, `since` seconds ago.
fn stroke(tone: f64, since: f64) -> f64 {
    if since < 0.0 {
        return 0.0;
    }
    // Five milliseconds to full strength, so that it does not click.
    let attack = (since / 0.005).min(1.0);
    let ring: f64 = PARTIALS
        .iter()
        .map(|(multiple, strength, fade)| {
            strength
                * (-since / fade).exp()
                * (std::f64::consts::TAU * tone * multiple * since).sin()
        })
        .sum();
    attack * ring
}

#[cfg(test)]
mod tests {
    #![expect(clippy::cast_precision_loss, reason = "a few seconds of samples")]

    use super::*;

    #[test]
    fn two_seconds_without_clicks_or_clipping() {
        for chime in [before(), after()] {
            let seconds = chime.len() as f64 / f64::from(RATE);
            assert!((1.9..2.3).contains(&seconds), "{seconds}");
            assert!(chime.iter().all(|sample| sample.abs() < 0.9));
            assert!(chime[0].abs() < 0.001 && chime[chime.len() - 1].abs() < 0.001);
            assert!(
                chime
                    .windows(2)
                    .all(|pair| (pair[0] - pair[1]).abs() < 0.25)
            );
        }
        assert_ne!(before(), after());
    }
}
