//! A second of silence in each format: enough for whoever sends it, and made without any program.

use std::time::Duration;

use crate::domain::audio::{Audio, AudioFormat, RATE, Sound, SoundHash};

/// How long what stands before the samples of the WAV is, in bytes.
pub(super) const WAV_HEAD: usize = 44;

/// Silence in `format`.
pub(super) fn silence(format: AudioFormat) -> Audio {
    let data = match format {
        AudioFormat::Wav => wav(),
        AudioFormat::Mp3 => mp3(),
        AudioFormat::Opus => opus(),
    };
    let length = Duration::from_secs(1);
    Audio {
        sound: Sound {
            hash: SoundHash::of(&data),
            format,
            length,
            spoken: length,
            loudness: -16.0,
            peak: -1.0,
            size: data.len() as u64,
        },
        data: data.into(),
    }
}

/// RIFF with 16-bit PCM, mono.
fn wav() -> Vec<u8> {
    let bytes = RATE * 2;
    let mut wav = b"RIFF".to_vec();
    wav.extend((36 + bytes).to_le_bytes());
    wav.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    wav.extend(RATE.to_le_bytes());
    wav.extend((RATE * 2).to_le_bytes());
    wav.extend(b"\x02\0\x10\0data");
    wav.extend(bytes.to_le_bytes());
    // So faint that nobody hears it, and like no other: a receiver may be sent nothing but these.
    let faint = |at: u32| u16::from(at.wrapping_mul(2_654_435_761) >> 31 == 1);
    wav.extend((0..RATE).flat_map(|at| faint(at).to_le_bytes()));
    wav
}

/// Frames of MPEG 2 layer III at 22.05 kHz and 48 kbit/s: 156 bytes, 26 ms each.
fn mp3() -> Vec<u8> {
    let mut frame = vec![0xff, 0xf3, 0x60, 0xc4];
    frame.resize(156, 0);
    frame.repeat(38)
}

/// Ogg pages (RFC 3533, 6) with Opus (RFC 7845): its two heads, and one page of sound.
fn opus() -> Vec<u8> {
    let page = |position: u64, number: u8, body: &[u8]| {
        let mut page = b"OggS\0\0".to_vec();
        page.extend(position.to_le_bytes());
        page.extend(b"loa\0");
        page.extend([number, 0, 0, 0, 0, 0, 0, 0, 1]);
        page.push(u8::try_from(body.len()).unwrap_or(u8::MAX));
        page.extend(body);
        page
    };
    let pages = [
        page(0, 0, b"OpusHead\x01\x01\x38\x01\x80\xbb\0\0\0\0\0"),
        page(0, 1, b"OpusTags\x03\0\0\0loa\0\0\0\0"),
        // One packet of silence, 20 ms; the position says a second.
        page(48_312, 2, b"\xf8\xff\xfe"),
    ];
    pages.concat()
}
