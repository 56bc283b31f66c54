//! When each part of a sound is heard: what a live source has to know, because it must not send faster than people listen.
//!
//! MPEG audio, layer III (ISO 11172-3 and 13818-3), frame by frame; Ogg Opus (RFC 3533, RFC 7845), page by page. Parts are a
//! quarter of a second long or a page.

use std::time::Duration;

use crate::adapter::transport::stream::Piece;

/// How long a part is at least, but for the last one.
const PART: Duration = Duration::from_millis(250);

/// The parts of a sound, and how many bytes at its beginning a listener needs first, whenever it begins; `None` where it is no
/// MP3 and no Ogg Opus, or broken.
pub(super) fn pieces(data: &[u8]) -> Option<(Vec<Piece>, usize)> {
    let (ends, head) = if data.starts_with(b"OggS") {
        pages(data)?
    } else {
        (frames(data)?, 0)
    };
    let mut pieces: Vec<Piece> = Vec::new();
    let mut since = Duration::ZERO;
    for (until, end) in ends {
        if let Some(last) = pieces.last_mut()
            && last.until < since + PART
        {
            *last = Piece { until, end };
        } else {
            since = pieces.last().map_or(Duration::ZERO, |last| last.until);
            pieces.push(Piece { until, end });
        }
    }
    (!pieces.is_empty()).then_some((pieces, head))
}

/// Until when and until which byte each frame goes.
fn frames(data: &[u8]) -> Option<Vec<(Duration, usize)>> {
    let mut at = tag(data);
    let mut samples = 0_u64;
    let mut ends = Vec::new();
    let mut rate = 0;
    while let Some(frame) = data.get(at..).and_then(frame) {
        if rate != 0 && rate != frame.rate {
            return None;
        }
        rate = frame.rate;
        samples += frame.samples;
        at = (at + frame.length).min(data.len());
        ends.push((span(samples, u64::from(rate)), at));
    }
    // What follows the last frame (a tag of the older sort) is not heard.
    Some(ends).filter(|ends| !ends.is_empty())
}

fn span(samples: u64, rate: u64) -> Duration {
    Duration::from_micros(samples.saturating_mul(1_000_000) / rate.max(1))
}

/// How long the tag at the beginning is (`ID3v2`: four times seven bits, and ten bytes before them).
fn tag(data: &[u8]) -> usize {
    match data {
        [b'I', b'D', b'3', _, _, _, a, b, c, d, ..] => {
            let size = [a, b, c, d];
            10 + size
                .into_iter()
                .fold(0, |size, bits| (size << 7) | usize::from(bits & 0x7f))
        }
        _ => 0,
    }
}

struct Frame {
    length: usize,
    samples: u64,
    rate: u32,
}

/// The frame that begins here.
fn frame(data: &[u8]) -> Option<Frame> {
    let [0xff, second, third, _, ..] = *data else {
        return None;
    };
    // Layer III is 01; version 1 is 11, version 2 is 10, version 2.5 is 00.
    let version = (second >> 3) & 3;
    if second & 0xe0 != 0xe0 || (second >> 1) & 3 != 1 || version == 1 {
        return None;
    }
    let is_first = version == 3;
    let rates: [usize; 15] = if is_first {
        [
            0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320,
        ]
    } else {
        [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160]
    };
    let kilobits = *rates
        .get(usize::from(third >> 4))
        .filter(|rate| **rate > 0)?;
    let base = *[44_100_u32, 48_000, 32_000].get(usize::from((third >> 2) & 3))?;
    let rate = match version {
        3 => base,
        2 => base / 2,
        _ => base / 4,
    };
    let samples = if is_first { 1152 } else { 576 };
    let padding = usize::from((third >> 1) & 1);
    let length = samples / 8 * kilobits * 1000 / usize::try_from(rate).ok()? + padding;
    Some(Frame {
        length,
        samples: u64::try_from(samples).ok()?,
        rate,
    })
}

/// Until when and until which byte each page of sound goes, and where the pages before the sound end.
fn pages(data: &[u8]) -> Option<(Vec<(Duration, usize)>, usize)> {
    let mut at = 0;
    let mut head = 0;
    let mut skip = None;
    let mut ends = Vec::new();
    while let Some(page) = data.get(at..).and_then(|rest| rest.strip_prefix(b"OggS")) {
        let position = u64::from_le_bytes(page.get(2..10)?.try_into().ok()?);
        let count = usize::from(*page.get(22)?);
        let table = page.get(23..23 + count)?;
        let length: usize = table.iter().map(|size| usize::from(*size)).sum();
        let body = page.get(23 + count..23 + count + length)?;
        at += 27 + count + length;
        if skip.is_none() {
            // Opus sounds at 48 kHz, whatever went in, after so many samples that are not heard.
            let samples = body.strip_prefix(b"OpusHead")?.get(2..4)?;
            skip = Some(u64::from(u16::from_le_bytes(samples.try_into().ok()?)));
            head = at;
        } else if ends.is_empty() && position == 0 {
            head = at;
        } else if position != u64::MAX {
            let heard = position.saturating_sub(skip.unwrap_or(0));
            ends.push((span(heard, 48_000), at));
        }
    }
    (at == data.len() && !ends.is_empty()).then_some((ends, head))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A silent frame of version 2 at 22.05 kHz, 48 kbit/s: 156 bytes, 26 ms.
    fn silent(count: usize) -> Vec<u8> {
        let mut frame = vec![0xff, 0xf3, 0x60, 0xc4];
        frame.resize(156, 0);
        frame.repeat(count)
    }

    #[test]
    fn frames_take_their_time() {
        let sound = silent(100);
        let (pieces, head) = pieces(&sound).unwrap();
        assert_eq!(head, 0);
        let last = pieces.last().unwrap();
        assert_eq!((last.end, last.until), (sound.len(), span(57_600, 22_050)));
        let mut before = Piece {
            until: Duration::ZERO,
            end: 0,
        };
        for piece in &pieces {
            assert!(piece.end > before.end && piece.until > before.until);
            assert!(piece.until.saturating_sub(before.until) < PART * 2);
            before = *piece;
        }
        let tagged = [b"ID3\x04\0\0\0\0\x02\x01".as_slice(), &[0; 257], &sound].concat();
        let (with_tag, _) = super::pieces(&tagged).unwrap();
        assert_eq!(with_tag.last().unwrap().until, last.until);
        assert_eq!(with_tag.last().unwrap().end, tagged.len());
        let trailed = [sound.as_slice(), b"TAG", &[0; 125]].concat();
        assert_eq!(
            super::pieces(&trailed).unwrap().0.last().unwrap().end,
            sound.len()
        );
    }

    fn page(position: u64, body: &[u8]) -> Vec<u8> {
        let mut page = b"OggS\0\0".to_vec();
        page.extend(position.to_le_bytes());
        page.extend([0; 12]);
        page.extend([1, u8::try_from(body.len()).unwrap()]);
        page.extend(body);
        page
    }

    #[test]
    fn pages_take_their_time_and_every_listener_needs_the_first_ones() {
        let head = [
            page(0, b"OpusHead\x01\x01\x38\x01\0\0\0\0\0\0\0"),
            page(0, b"OpusTags"),
        ]
        .concat();
        let sound = [
            page(48_000 + 312, b"a"),
            page(u64::MAX, b"b"),
            page(96_000 + 312, b"c"),
        ]
        .concat();
        let all = [head.as_slice(), &sound].concat();
        let (pieces, first) = pieces(&all).unwrap();
        assert_eq!(first, head.len());
        let seconds: Vec<u64> = pieces.iter().map(|piece| piece.until.as_secs()).collect();
        assert_eq!((seconds, pieces[1].end), (vec![1, 2], all.len()));
        assert_eq!(super::pieces(&all[..all.len() - 1]), None);
        assert_eq!(super::pieces(&sound), None);
    }

    #[test]
    fn what_is_no_sound_is_none() {
        for none in [
            b"".as_slice(),
            b"RIFF\0\0\0\0WAVE",
            b"OggS",
            b"ID3",
            &[0xff; 64],
        ] {
            assert_eq!(pieces(none), None, "{none:?}");
        }
        for cut in 0..silent(2).len() {
            let _ = pieces(&silent(2)[..cut]);
        }
    }
}
