//! Sound as Snapserver takes it: bare samples, for which both sides have agreed on rate, width and channels beforehand.

use std::{fmt, io::Cursor, time::Duration};

use bytes::Bytes;

use crate::{adapter::transport::stream::Piece, domain::audio::AudioFormat};

/// How long a piece is. Snapserver plays whole chunks only, of 20 ms where its file says nothing, so the last piece is filled with
/// silence.
const PIECE: Duration = Duration::from_millis(100);

/// The width of all that is sent, in bits.
const BITS: u32 = 16;

/// More channels than any loudspeaker has.
const MOST_CHANNELS: u32 = 8;

/// How samples are packed, as Snapserver writes it: `22050:16:1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Format {
    pub(super) rate: u32,
    bits: u32,
    channels: u32,
}

impl Format {
    /// What goes out at a rate, where nobody wants more.
    pub(super) fn mono(rate: u32) -> Self {
        Self {
            rate,
            bits: BITS,
            channels: 1,
        }
    }

    /// Reads Snapserver's word for it.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(':').map(|part| part.parse().ok());
        let format = Self {
            rate: parts.next()??,
            bits: parts.next()??,
            channels: parts.next()??,
        };
        parts.next().is_none().then_some(format)
    }

    /// Whether sound at `rate` can be sent so: samples can be repeated for each channel, and not more than that.
    pub(super) fn takes(self, rate: u32) -> bool {
        self.rate == rate && self.bits == BITS && (1..=MOST_CHANNELS).contains(&self.channels)
    }

    /// For a `Content-Type`, where there is one.
    pub(super) fn media_type(self) -> String {
        format!("audio/pcm; rate={}; channels={}", self.rate, self.channels)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.rate, self.bits, self.channels)
    }
}

/// The samples of a WAV with one channel of 16 bits.
pub(super) struct Samples {
    /// How many a second.
    pub(super) rate: u32,
    data: Bytes,
}

impl Samples {
    /// `None` where it is another sort of sound, or none.
    pub(super) fn read(format: AudioFormat, sound: &Bytes) -> Option<Self> {
        if format != AudioFormat::Wav {
            return None;
        }
        let reader = hound::WavReader::new(Cursor::new(&sound[..])).ok()?;
        let (spec, count) = (reader.spec(), usize::try_from(reader.len()).ok()?);
        let is_ours = spec.sample_format == hound::SampleFormat::Int
            && u32::from(spec.bits_per_sample) == BITS
            && spec.channels == 1;
        let from = usize::try_from(reader.into_inner().position()).ok()?;
        let until = from.checked_add(count.checked_mul(2)?)?;
        (is_ours && count > 0 && until <= sound.len()).then(|| Self {
            rate: spec.sample_rate,
            data: sound.slice(from..until),
        })
    }

    /// What is sent, each sample for every channel, and its pieces.
    pub(super) fn packed(&self, format: Format) -> (Bytes, Vec<Piece>) {
        let per_piece = (u64::from(self.rate) * u64::from(PIECE.subsec_millis()) / 1000).max(1);
        let per_piece = usize::try_from(per_piece).unwrap_or(usize::MAX);
        let channels = usize::try_from(format.channels).unwrap_or(1);
        let count = (self.data.len() / 2).div_ceil(per_piece);
        let length = count * per_piece * channels * 2;
        let mut packed = Vec::with_capacity(length);
        for sample in self.data.chunks_exact(2) {
            for _ in 0..channels {
                packed.extend_from_slice(sample);
            }
        }
        packed.resize(length, 0);
        let pieces = (1..=count).map(|at| Piece {
            until: span(at * per_piece, self.rate),
            end: at * per_piece * channels * 2,
        });
        (packed.into(), pieces.collect())
    }
}

fn span(samples: usize, rate: u32) -> Duration {
    let samples = u64::try_from(samples).unwrap_or(u64::MAX);
    Duration::from_micros(samples.saturating_mul(1_000_000) / u64::from(rate.max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wav(channels: u16, bits: u16, rate: u32, count: u16) -> Bytes {
        let spec = hound::WavSpec {
            channels,
            sample_rate: rate,
            bits_per_sample: bits,
            sample_format: hound::SampleFormat::Int,
        };
        let mut bytes = Cursor::new(Vec::new());
        let mut writer = hound::WavWriter::new(&mut bytes, spec).unwrap();
        for sample in 0..count {
            writer.write_sample(i32::from(sample % 100)).unwrap();
        }
        writer.finalize().unwrap();
        bytes.into_inner().into()
    }

    #[test]
    fn formats_are_read_and_written_as_snapserver_does() {
        for (text, takes) in [
            ("22050:16:1", true),
            ("22050:16:2", true),
            ("22050:16:0", false),
            ("22050:16:9", false),
            ("22050:24:1", false),
            ("48000:16:2", false),
        ] {
            let format = Format::parse(text).unwrap();
            assert_eq!(format.to_string(), text);
            assert_eq!(format.takes(22_050), takes, "{text}");
        }
        for none in ["", "22050", "22050:16", "22050:16:1:1", "*:16:2", "a:b:c"] {
            assert_eq!(Format::parse(none), None, "{none}");
        }
    }

    #[test]
    fn samples_are_those_of_the_file_for_each_channel_and_silence_fills_the_end() {
        // 2.5 pieces of 2205 samples.
        let sound = wav(1, 16, 22_050, 5_512);
        let samples = Samples::read(AudioFormat::Wav, &sound).unwrap();
        assert_eq!(samples.rate, 22_050);
        let (mono, pieces) = samples.packed(Format::parse("22050:16:1").unwrap());
        assert_eq!(&mono[..5_512 * 2], &sound[44..]);
        assert!(mono[5_512 * 2..].iter().all(|byte| *byte == 0));
        let (stereo, wide) = samples.packed(Format::parse("22050:16:2").unwrap());
        for at in [0, 1, 99, 5_511] {
            let sample = &mono[at * 2..][..2];
            assert_eq!(&stereo[at * 4..][..4], [sample, sample].concat(), "{at}");
        }
        for (data, pieces, frame) in [(mono, pieces, 2), (stereo, wide, 4)] {
            let ends: Vec<_> = pieces.iter().map(|piece| piece.end).collect();
            assert_eq!(ends, [2_205 * frame, 4_410 * frame, 6_615 * frame]);
            assert_eq!(data.len(), 6_615 * frame);
            let last = pieces.last().unwrap().until;
            assert_eq!(last, Duration::from_millis(300));
        }
    }

    #[test]
    fn other_sounds_are_none() {
        let good = wav(1, 16, 22_050, 10);
        assert!(Samples::read(AudioFormat::Wav, &good).is_some());
        for (format, sound) in [
            (AudioFormat::Mp3, good.clone()),
            (AudioFormat::Wav, wav(2, 16, 22_050, 10)),
            (AudioFormat::Wav, wav(1, 8, 22_050, 10)),
            (AudioFormat::Wav, wav(1, 16, 22_050, 0)),
            (AudioFormat::Wav, good.slice(..good.len() - 1)),
            (AudioFormat::Wav, Bytes::from_static(b"RIFF")),
            (AudioFormat::Wav, Bytes::new()),
        ] {
            assert!(Samples::read(format, &sound).is_none());
        }
    }
}
