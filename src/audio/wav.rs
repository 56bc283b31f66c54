//! WAV in and out. Inside there is one shape of sound only: mono, 22.05 kHz, `f32` between -1 and 1.
//!
//! Engines that write to a pipe cannot know lengths in advance and put huge ones into the header; what is really there counts.

use std::io::Cursor;

use hound::{SampleFormat, WavReader, WavSpec, WavWriter};

/// Samples a second of everything inside.
pub const RATE: u32 = crate::domain::audio::RATE;

/// How many bytes a second of what is written here takes: 16 bits a sample, one channel.
pub const BYTES_PER_SECOND: u32 = 2 * RATE;

/// Samples a second that can be read.
const RATES: std::ops::RangeInclusive<u32> = 4_000..=192_000;

/// Half the length of the resampler's kernel, in zero crossings.
const CROSSINGS: usize = 24;

/// Entries of its table from one crossing to the next.
const FINENESS: usize = 512;

/// Why bytes are no sound that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WavError {
    /// There is nothing, or a header alone.
    #[error("there is no sound in it")]
    Empty,
    /// It does not begin as a WAV file does.
    #[error("it is not a WAV file")]
    NotWav,
    /// It is a WAV file of a sort that is not read.
    #[error("it is a WAV file that cannot be read: {0}")]
    Unusual(String),
}

/// Seconds of so many samples.
#[must_use]
#[expect(
    clippy::cast_precision_loss,
    reason = "2^52 samples are thousands of years"
)]
pub fn seconds(samples: usize) -> f64 {
    samples as f64 / f64::from(RATE)
}

/// Reads a WAV file: any usual number of channels, rate and kind of PCM. Comes out at [`RATE`].
///
/// # Errors
/// [`WavError`].
pub fn decode(bytes: &[u8]) -> Result<Vec<f32>, WavError> {
    let (samples, rate) = decode_as_is(bytes)?;
    Ok(resample(samples, rate))
}

/// The same at the file's own rate, which is given too.
///
/// # Errors
/// [`WavError`].
pub fn decode_as_is(bytes: &[u8]) -> Result<(Vec<f32>, u32), WavError> {
    if bytes.is_empty() {
        return Err(WavError::Empty);
    }
    let bytes = honest(bytes)?;
    let reader =
        WavReader::new(Cursor::new(bytes)).map_err(|error| WavError::Unusual(error.to_string()))?;
    let spec = reader.spec();
    if !RATES.contains(&spec.sample_rate) || spec.channels == 0 || spec.channels > 8 {
        return Err(WavError::Unusual(format!(
            "{} channels at {} Hz",
            spec.channels, spec.sample_rate
        )));
    }
    let samples = samples(reader, spec).map_err(|error| WavError::Unusual(error.to_string()))?;
    let channels = usize::from(spec.channels);
    let mono: Vec<f32> = if channels == 1 {
        samples
    } else {
        samples
            .chunks_exact(channels)
            .map(|frame| frame.iter().sum::<f32>() / f32::from(spec.channels))
            .collect()
    };
    if mono.is_empty() {
        return Err(WavError::Empty);
    }
    if mono.iter().any(|sample| !sample.is_finite()) {
        return Err(WavError::Unusual("samples that are no numbers".into()));
    }
    Ok((mono, spec.sample_rate))
}

fn samples<R: std::io::Read>(
    mut reader: WavReader<R>,
    spec: WavSpec,
) -> Result<Vec<f32>, hound::Error> {
    match spec.sample_format {
        SampleFormat::Float => reader.samples::<f32>().collect(),
        SampleFormat::Int => {
            let full = 2_f32.powi(i32::from(spec.bits_per_sample) - 1);
            #[expect(
                clippy::cast_precision_loss,
                reason = "24 bits fit; of 32 the last 8 are far below hearing"
            )]
            let scale = |sample: i32| sample as f32 / full;
            reader
                .samples::<i32>()
                .map(|sample| sample.map(scale))
                .collect()
        }
    }
}

/// The same file with lengths that are true, cut after its samples.
fn honest(bytes: &[u8]) -> Result<Vec<u8>, WavError> {
    let word = |at: usize| bytes.get(at..at + 4);
    if word(0) != Some(b"RIFF") || word(8) != Some(b"WAVE") {
        return Err(WavError::NotWav);
    }
    let mut at = 12;
    let mut block = 1;
    loop {
        let (Some(name), Some(size)) = (word(at), word(at + 4)) else {
            return Err(WavError::Empty);
        };
        let size = u32::from_le_bytes([size[0], size[1], size[2], size[3]]) as usize;
        if name == b"fmt " {
            block = bytes.get(at + 20..at + 22).map_or(1, |pair| {
                usize::from(u16::from_le_bytes([pair[0], pair[1]])).max(1)
            });
        }
        if name == b"data" {
            let begin = at + 8;
            let there = size.min(bytes.len() - begin);
            let there = there - there % block;
            let mut whole = bytes[..begin + there].to_vec();
            put(&mut whole, 4, begin + there - 8);
            put(&mut whole, at + 4, there);
            return Ok(whole);
        }
        // Chunks begin at even places.
        at = at
            .saturating_add(8)
            .saturating_add(size)
            .saturating_add(size % 2);
    }
}

fn put(bytes: &mut [u8], at: usize, number: usize) {
    let number = u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes();
    bytes[at..at + 4].copy_from_slice(&number);
}

/// Writes 16-bit mono. Equal samples give equal bytes.
///
/// # Panics
/// Never: memory takes what is written, and no sound here is longer than a WAV file can be.
#[must_use]
pub fn encode(samples: &[f32]) -> Vec<u8> {
    const MEMORY: &str = "memory does not fail, and no sound is longer than a WAV file can be";
    let spec = WavSpec {
        channels: 1,
        sample_rate: RATE,
        bits_per_sample: 16,
        sample_format: SampleFormat::Int,
    };
    let mut bytes = Cursor::new(Vec::with_capacity(samples.len() * 2 + 44));
    let mut writer = WavWriter::new(&mut bytes, spec).expect(MEMORY);
    for sample in samples {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "clamped to the range of i16"
        )]
        let sample = (sample.clamp(-1.0, 1.0) * f32::from(i16::MAX)).round() as i16;
        writer.write_sample(sample).expect(MEMORY);
    }
    writer.finalize().expect(MEMORY);
    bytes.into_inner()
}

/// Band-limited resampling with a windowed sinc that is looked up in a table.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "positions in a sound of at most an hour"
)]
fn resample(samples: Vec<f32>, rate: u32) -> Vec<f32> {
    if rate == RATE {
        return samples;
    }
    let table: Vec<f32> = (0..=CROSSINGS * FINENESS + 1)
        .map(|index| kernel(index as f64 / FINENESS as f64) as f32)
        .collect();
    let step = f64::from(rate) / f64::from(RATE);
    // Going down, the kernel is stretched so that nothing folds back.
    let cutoff = (1.0 / step).min(1.0);
    let half = CROSSINGS as f64 / cutoff;
    let count = (samples.len() as f64 / step).floor() as usize;
    let mut out = Vec::with_capacity(count);
    for index in 0..count {
        let centre = index as f64 * step;
        let first = (centre - half).ceil().max(0.0) as usize;
        let last = ((centre + half).floor() as usize).min(samples.len() - 1);
        let mut sum = 0.0;
        for (at, sample) in (first..).zip(&samples[first..=last]) {
            let place = (at as f64 - centre).abs() * cutoff * FINENESS as f64;
            let (entry, rest) = (place as usize, place.fract() as f32);
            let pair = (table[entry], table[entry + 1]);
            sum += sample * (pair.0 + (pair.1 - pair.0) * rest);
        }
        out.push(sum * cutoff as f32);
    }
    out
}

/// A sinc under Blackman's window, so many zero crossings from its middle.
#[expect(clippy::cast_precision_loss, reason = "a small constant")]
fn kernel(crossings: f64) -> f64 {
    use std::f64::consts::PI;
    let place = crossings / CROSSINGS as f64;
    if place >= 1.0 {
        return 0.0;
    }
    let window = 0.42 + 0.5 * (PI * place).cos() + 0.08 * (2.0 * PI * place).cos();
    if crossings < 1e-9 {
        return window;
    }
    (PI * crossings).sin() / (PI * crossings) * window
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "a few seconds of samples"
    )]

    use super::*;

    fn tone(rate: u32, hertz: f64, count: usize) -> Vec<f32> {
        (0..count)
            .map(|n| {
                (0.5 * (std::f64::consts::TAU * hertz * n as f64 / f64::from(rate)).sin()) as f32
            })
            .collect()
    }

    #[test]
    fn samples_survive_to_the_last_bit() {
        let samples = tone(RATE, 440.0, 1_000);
        let bytes = encode(&samples);
        assert_eq!(bytes.len(), 44 + 2_000);
        let back = decode(&bytes).unwrap();
        for (was, is) in samples.iter().zip(&back) {
            assert!((was - is).abs() < 1.0 / 30_000.0);
        }
        assert_eq!(encode(&back), bytes);
    }

    #[test]
    fn lengths_of_a_pipe_are_not_believed() {
        let mut bytes = encode(&tone(RATE, 440.0, 500));
        put(&mut bytes, 4, 0x7fff_f024);
        put(&mut bytes, 40, 0x7fff_f000);
        assert_eq!(decode(&bytes).unwrap().len(), 500);
        // Half a sample at the end, as a program leaves it that dies.
        bytes.pop();
        assert_eq!(decode(&bytes).unwrap().len(), 499);
    }

    #[test]
    fn what_is_no_sound_is_refused() {
        assert_eq!(decode(b""), Err(WavError::Empty));
        assert_eq!(decode(b"sh: not found"), Err(WavError::NotWav));
        assert_eq!(decode(&encode(&[])), Err(WavError::Empty));
        assert_eq!(decode(b"RIFF\0\0\0\0WAVE"), Err(WavError::Empty));
        let mut strange = encode(&tone(RATE, 440.0, 10));
        put(&mut strange, 24, 1);
        assert!(matches!(decode(&strange), Err(WavError::Unusual(_))));
    }

    #[test]
    fn other_rates_and_stereo_come_out_as_the_same_tone() {
        for rate in [8_000, 16_000, 24_000, 44_100, 48_000] {
            let spec = WavSpec {
                channels: 2,
                sample_rate: rate,
                bits_per_sample: 16,
                sample_format: SampleFormat::Int,
            };
            let mut bytes = Cursor::new(Vec::new());
            let mut writer = WavWriter::new(&mut bytes, spec).unwrap();
            for sample in tone(rate, 1_000.0, rate as usize) {
                let sample = (sample * 32_767.0).round() as i16;
                writer.write_sample(sample).unwrap();
                writer.write_sample(sample).unwrap();
            }
            writer.finalize().unwrap();
            let found = decode(&bytes.into_inner()).unwrap();
            assert!(
                found.len().abs_diff(RATE as usize) <= 1,
                "{rate}: {}",
                found.len()
            );
            let wanted = tone(RATE, 1_000.0, found.len());
            let worst = found
                .iter()
                .zip(&wanted)
                .skip(500)
                .take(found.len() - 1_000)
                .map(|(is, should)| (is - should).abs())
                .fold(0.0, f32::max);
            assert!(worst < 0.002, "{rate}: {worst}");
        }
    }

    #[test]
    fn nothing_folds_back() {
        // 15 kHz at 48 kHz cannot be there at 22.05 kHz, and must not come out as 7.05 kHz.
        let found = resample(tone(48_000, 15_000.0, 48_000), 48_000);
        let loudest = found
            .iter()
            .skip(500)
            .take(20_000)
            .map(|sample| sample.abs())
            .fold(0.0, f32::max);
        assert!(loudest < 0.001, "{loudest}");
    }
}
