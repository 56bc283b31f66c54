//! Takes → a programme: silence trimmed, voices equally loud, gaps between turns, a chime around it, the whole at one
//! loudness under one peak. Pure arithmetic: equal input gives equal samples.
//!
//! Loudness is the integrated loudness of EBU R 128 / ITU-R BS.1770, in LUFS, of one channel; peaks are true peaks, in dBTP.

use ebur128::{EbuR128, Mode};

use super::{
    chime,
    wav::{RATE, seconds},
};
use crate::domain::{
    audio::{Chime, Ends},
    bulletin::Voice,
};

/// No finished sound has a true peak above this (EBU R 128 s 4 leaves the same room for coders).
pub const CEILING: f64 = -1.0;

/// What is softer is no voice, whatever it is.
const SOFTEST: f64 = -50.0;

/// Frames softer than this, of 10 ms, count as silence at the ends of a take; relative to its loudest frame.
const SILENCE: f32 = 0.003;

/// What is kept of the silence before the first sound and after the last, in seconds: breath, not a cut.
const LEAD: f64 = 0.05;
const TAIL: f64 = 0.15;

/// Between two turns of a dialogue, in seconds.
const BETWEEN_TURNS: f64 = 0.45;

/// Between chime and words, in seconds.
const AFTER_CHIME: f64 = 0.6;

/// How much softer the chime is than the words, in LU.
const CHIME_BELOW: f64 = 1.0;

/// How far the limiter looks ahead and back, in samples: 5 ms.
const LOOK: usize = RATE as usize / 200;

/// One voice's turn as the engine gave it.
#[derive(Debug, Clone)]
pub struct Take {
    /// Who speaks.
    pub voice: Voice,
    /// Samples at [`RATE`].
    pub samples: Vec<f32>,
}

/// A finished programme and what was measured on it.
#[derive(Debug, Clone)]
pub struct Programme {
    /// Samples at [`RATE`].
    pub samples: Vec<f32>,
    /// Seconds of words, gaps between turns included.
    pub spoken: f64,
    /// Integrated loudness in LUFS.
    pub loudness: f64,
    /// True peak in dBTP.
    pub peak: f64,
}

/// Why takes make no programme.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum AssembleError {
    /// A take is silent, or nearly.
    #[error("turn {turn} is silent or nearly so ({loudness:.0} LUFS)")]
    Silent {
        /// Which, from 1.
        turn: usize,
        /// Its loudness in LUFS; minus infinity for digital silence.
        loudness: f64,
    },
    /// The meter refused.
    #[error("the loudness cannot be measured")]
    Meter,
}

/// What a meter shows: loudness in LUFS and true peak in dBTP, minus infinity for silence.
///
/// # Errors
/// [`AssembleError::Meter`].
pub fn measure(samples: &[f32]) -> Result<(f64, f64), AssembleError> {
    let meter = |_| AssembleError::Meter;
    let mut state = EbuR128::new(1, RATE, Mode::I | Mode::TRUE_PEAK).map_err(meter)?;
    state.add_frames_f32(samples).map_err(meter)?;
    // Loudness is made of blocks of 400 ms; a shorter sound is followed by silence.
    let block = RATE as usize * 2 / 5;
    if samples.len() < block {
        state
            .add_frames_f32(&vec![0.0; block - samples.len()])
            .map_err(meter)?;
    }
    let loudness = state.loudness_global().map_err(meter)?;
    let peak = state.true_peak(0).map_err(meter)?;
    Ok((loudness, 20.0 * peak.log10()))
}

/// Whether a sound is too soft to be anything, with its loudness.
///
/// # Errors
/// [`AssembleError::Meter`].
pub fn is_silent(samples: &[f32]) -> Result<(bool, f64), AssembleError> {
    let (loudness, _) = measure(samples)?;
    Ok((loudness < SOFTEST, loudness))
}

/// Puts takes together, with the chime at `ends`.
///
/// # Errors
/// [`AssembleError`].
pub fn assemble(
    takes: &[Take],
    chime: Chime,
    ends: Ends,
    target: f64,
) -> Result<Programme, AssembleError> {
    let mut trimmed = Vec::with_capacity(takes.len());
    for (turn, take) in (1..).zip(takes) {
        let samples = trim(&take.samples);
        let (is_silent, loudness) = is_silent(samples)?;
        if is_silent {
            return Err(AssembleError::Silent { turn, loudness });
        }
        trimmed.push((take.voice, samples));
    }
    if trimmed.is_empty() {
        return Err(AssembleError::Silent {
            turn: 1,
            loudness: f64::NEG_INFINITY,
        });
    }
    // Each voice is brought to the loudness by itself: one has higher peaks than the other, and a limiter that hears both
    // would make that one softer.
    let mut turns: Vec<Vec<f32>> = vec![Vec::new(); trimmed.len()];
    for voice in Voice::ALL {
        let of_voice = || {
            trimmed
                .iter()
                .enumerate()
                .filter(|(_, (of, _))| *of == voice)
        };
        let all: Vec<f32> = of_voice()
            .flat_map(|(_, (_, samples))| samples.iter().copied())
            .collect();
        if all.is_empty() {
            continue;
        }
        let mut levelled = level(&all, target)?.into_iter();
        for (index, (_, samples)) in of_voice() {
            turns[index] = levelled.by_ref().take(samples.len()).collect();
        }
    }
    let mut words = Vec::new();
    for (index, samples) in turns.iter().enumerate() {
        if index > 0 {
            words.extend(silence(BETWEEN_TURNS));
        }
        words.extend(samples);
    }
    let words = level(&words, target)?;
    let spoken = seconds(words.len());
    let mut samples = words;
    if chime == Chime::Bell && ends.opens {
        let before = level(&chime::before(), target - CHIME_BELOW)?;
        samples = [before, silence(AFTER_CHIME), samples].concat();
    }
    if chime == Chime::Bell && ends.closes {
        samples.extend(silence(AFTER_CHIME));
        samples.extend(level(&chime::after(), target - CHIME_BELOW)?);
    }
    let (loudness, peak) = measure(&samples)?;
    Ok(Programme {
        samples,
        spoken,
        loudness,
        peak,
    })
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a few seconds"
)]
fn count(seconds: f64) -> usize {
    (seconds * f64::from(RATE)) as usize
}

fn silence(seconds: f64) -> Vec<f32> {
    vec![0.0; count(seconds)]
}

#[expect(clippy::cast_possible_truncation, reason = "samples are f32")]
fn gain(decibels: f64) -> f32 {
    10_f64.powf(decibels / 20.0) as f32
}

/// The take without the silence around it.
#[must_use]
pub fn trim(samples: &[f32]) -> &[f32] {
    let frame = RATE as usize / 100;
    let levels: Vec<f32> = samples
        .chunks(frame)
        .map(|frame| {
            #[expect(clippy::cast_precision_loss, reason = "a frame is short")]
            let count = frame.len() as f32;
            (frame.iter().map(|sample| sample * sample).sum::<f32>() / count).sqrt()
        })
        .collect();
    let loudest = levels.iter().copied().fold(0.0, f32::max);
    let is_sound = |level: &f32| *level > loudest * SILENCE;
    let (Some(first), Some(last)) = (
        levels.iter().position(is_sound),
        levels.iter().rposition(is_sound),
    ) else {
        return &samples[..0];
    };
    let begin = (first * frame).saturating_sub(count(LEAD));
    let end = ((last + 1) * frame + count(TAIL)).min(samples.len());
    &samples[begin..end]
}

/// The same sound at `target`, with no true peak above [`CEILING`]. Speech has peaks 17 to 20 dB above its loudness, so a
/// limiter has to hold some of them down, and what it takes away is given back.
fn level(samples: &[f32], target: f64) -> Result<Vec<f32>, AssembleError> {
    const ROUNDS: usize = 14;
    // Under a limiter a decibel more in is less than a decibel more out; with this factor it still comes to rest.
    const EAGER: f64 = 1.7;
    let mut decibels = target - measure(samples)?.0;
    let mut ceiling = CEILING - 0.2;
    let mut best = Vec::new();
    for round in 1..=ROUNDS {
        let tried = limit(samples, gain(decibels), gain(ceiling));
        let (loudness, peak) = measure(&tried)?;
        // Between two samples a wave may rise above both.
        let is_under = peak <= CEILING;
        if !is_under {
            ceiling -= (peak - CEILING) + 0.05;
        }
        if is_under || (round == ROUNDS && best.is_empty()) {
            best = tried;
        }
        let off = target - loudness;
        if is_under && off.abs() < 0.1 {
            break;
        }
        decibels += off * EAGER;
    }
    Ok(best)
}

/// Multiplies by `gain` and holds every sample under `ceiling`. The gain moves as a mean over 10 ms of the least gain that
/// is needed nearby, so it is never above what any sample needs, and never jumps.
fn limit(samples: &[f32], gain: f32, ceiling: f32) -> Vec<f32> {
    let needed: Vec<f32> = samples
        .iter()
        .map(|sample| {
            let loud = (sample * gain).abs();
            if loud > ceiling { ceiling / loud } else { 1.0 }
        })
        .collect();
    if needed.iter().all(|needed| *needed >= 1.0) {
        return samples.iter().map(|sample| sample * gain).collect();
    }
    let least = sliding_least(&needed, LOOK);
    let mut sums = Vec::with_capacity(least.len() + 1);
    let mut sum = 0.0_f64;
    sums.push(sum);
    for value in &least {
        sum += f64::from(*value);
        sums.push(sum);
    }
    samples
        .iter()
        .enumerate()
        .map(|(at, sample)| {
            let (from, until) = (at.saturating_sub(LOOK), (at + LOOK + 1).min(least.len()));
            #[expect(
                clippy::cast_precision_loss,
                clippy::cast_possible_truncation,
                reason = "a window of some hundred samples"
            )]
            let mean = ((sums[until] - sums[from]) / (until - from) as f64) as f32;
            sample * gain * mean.min(1.0)
        })
        .collect()
}

/// The least value within `reach` of each place, in linear time.
fn sliding_least(values: &[f32], reach: usize) -> Vec<f32> {
    let mut least = Vec::with_capacity(values.len());
    // Places whose values may still be the least, rising.
    let mut waiting: std::collections::VecDeque<usize> = std::collections::VecDeque::new();
    let mut next = 0;
    for at in 0..values.len() {
        while next < values.len() && next <= at + reach {
            while waiting
                .back()
                .is_some_and(|last| values[*last] >= values[next])
            {
                waiting.pop_back();
            }
            waiting.push_back(next);
            next += 1;
        }
        while waiting.front().is_some_and(|first| first + reach < at) {
            waiting.pop_front();
        }
        least.push(waiting.front().map_or(1.0, |first| values[*first]));
    }
    least
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "a few seconds of samples"
    )]

    use super::*;

    /// Something like a voice: syllables of harmonics with pauses, and peaks far above its loudness.
    fn babble(seconds: f64, pitch: f64, level: f32) -> Vec<f32> {
        (0..count(seconds))
            .map(|n| {
                let t = n as f64 / f64::from(RATE);
                let syllable = (std::f64::consts::TAU * 4.0 * t).sin().max(0.0).powi(2);
                let voice: f64 = (1..12)
                    .map(|k| {
                        (std::f64::consts::TAU * pitch * f64::from(k) * t).cos() / f64::from(k)
                    })
                    .sum();
                (voice / 3.0 * syllable) as f32 * level
            })
            .collect()
    }

    fn with_silence(samples: &[f32]) -> Vec<f32> {
        [silence(1.0), samples.to_vec(), silence(2.0)].concat()
    }

    #[test]
    fn a_programme_has_the_loudness_that_was_asked_for() {
        for target in [-23.0, -16.0] {
            for level in [0.05, 0.3, 1.0] {
                for chime in [Chime::None, Chime::Bell] {
                    let take = Take {
                        voice: Voice::Nu,
                        samples: with_silence(&babble(6.0, 180.0, level)),
                    };
                    let made = assemble(&[take], chime, Ends::BOTH, target).unwrap();
                    let (loudness, peak) = measure(&made.samples).unwrap();
                    assert!(
                        (loudness - target).abs() < 1.0,
                        "{target} {level} {chime:?}: {loudness}"
                    );
                    assert!(peak <= CEILING + 0.01, "{target} {level} {chime:?}: {peak}");
                    assert!((made.spoken - 6.1).abs() < 0.2, "{}", made.spoken);
                }
            }
        }
    }

    #[test]
    fn both_voices_are_equally_loud() {
        let takes = [
            Take {
                voice: Voice::Nu,
                samples: babble(4.0, 200.0, 0.8),
            },
            Take {
                voice: Voice::Nam,
                samples: babble(4.0, 100.0, 0.05),
            },
        ];
        let made = assemble(&takes, Chime::None, Ends::BOTH, -20.0).unwrap();
        let half = made.samples.len() / 2;
        let (first, second) = (
            measure(&made.samples[..half]).unwrap().0,
            measure(&made.samples[half..]).unwrap().0,
        );
        assert!((first - second).abs() < 0.7, "{first} {second}");
    }

    #[test]
    fn silence_is_no_take() {
        let quiet: Vec<f32> = babble(3.0, 150.0, 1.0)
            .iter()
            .map(|sample| sample * 0.0005)
            .collect();
        for samples in [silence(2.0), quiet, Vec::new()] {
            let takes = [
                Take {
                    voice: Voice::Nu,
                    samples: babble(1.0, 200.0, 0.5),
                },
                Take {
                    voice: Voice::Nam,
                    samples,
                },
            ];
            assert!(matches!(
                assemble(&takes, Chime::None, Ends::BOTH, -16.0),
                Err(AssembleError::Silent { turn: 2, .. })
            ));
        }
        assert!(matches!(
            assemble(&[], Chime::Bell, Ends::BOTH, -16.0),
            Err(AssembleError::Silent { turn: 1, .. })
        ));
    }

    #[test]
    fn equal_takes_give_equal_samples() {
        let takes = [Take {
            voice: Voice::Nu,
            samples: babble(2.0, 200.0, 0.5),
        }];
        let once = assemble(&takes, Chime::Bell, Ends::BOTH, -16.0).unwrap();
        let twice = assemble(&takes, Chime::Bell, Ends::BOTH, -16.0).unwrap();
        assert_eq!(once.samples, twice.samples);
    }

    #[test]
    fn the_limiter_never_lets_a_sample_through() {
        let samples = babble(2.0, 120.0, 1.0);
        let limited = limit(&samples, 8.0, 0.5);
        let loudest = limited
            .iter()
            .map(|sample| sample.abs())
            .fold(0.0, f32::max);
        assert!(loudest <= 0.5001, "{loudest}");
        // Its gain does not jump.
        let gains: Vec<f32> = samples
            .iter()
            .zip(&limited)
            .filter(|(was, _)| was.abs() > 0.2)
            .map(|(was, is)| is / was)
            .collect();
        assert!(gains.windows(2).all(|pair| (pair[0] - pair[1]).abs() < 1.0));
    }

    #[test]
    fn the_least_nearby() {
        let values = [3.0, 1.0, 4.0, 1.5, 9.0, 2.0, 6.0];
        for reach in 0..8 {
            let expected: Vec<f32> = (0..values.len())
                .map(|at: usize| {
                    let until = (at + reach + 1).min(values.len());
                    values[at.saturating_sub(reach)..until]
                        .iter()
                        .copied()
                        .fold(f32::MAX, f32::min)
                })
                .collect();
            assert_eq!(sliding_least(&values, reach), expected, "{reach}");
        }
    }
}
