//! A picture like no other, and whether it arrived as it is.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::words::readings;
use crate::{
    domain::picture::{Picture, PictureFormat, PictureHash},
    simulator::Request,
};

/// Its sides, in pixels.
const SIDE: u16 = 300;

/// A white PNG with a chunk that holds every byte there is, so that whoever takes bytes for letters shows.
pub(super) fn bytes() -> Vec<u8> {
    let row = [&[0][..], &vec![0xff; usize::from(SIDE).div_ceil(8)]].concat();
    let rows = row.repeat(usize::from(SIDE));
    let length = u16::try_from(rows.len()).unwrap_or(u16::MAX);
    // One block that is stored as it is (RFC 1950 and 1951).
    let data = [
        &b"\x78\x01\x01"[..],
        &length.to_le_bytes(),
        &(!length).to_le_bytes(),
        &rows,
        &adler(&rows).to_be_bytes(),
    ];
    let side = u32::from(SIDE).to_be_bytes();
    let head = [&side[..], &side, b"\x01\0\0\0\0"].concat();
    let all: Vec<u8> = (0..=u8::MAX).collect();
    let chunks = [
        chunk(*b"IHDR", &head),
        chunk(*b"loAb", &all),
        chunk(*b"IDAT", &data.concat()),
        chunk(*b"IEND", &[]),
    ];
    [&b"\x89PNG\r\n\x1a\n"[..], &chunks.concat()].concat()
}

fn chunk(kind: [u8; 4], data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(data.len()).unwrap_or_default().to_be_bytes();
    let named = [&kind, data].concat();
    let sum = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC).checksum(&named);
    [&length[..], &named, &sum.to_be_bytes()].concat()
}

/// Adler-32 (RFC 1950, 9).
fn adler(bytes: &[u8]) -> u32 {
    const MOST: u32 = 65_521;
    let (low, high) = bytes.iter().fold((1, 0), |(low, high), byte| {
        let low = (low + u32::from(*byte)) % MOST;
        (low, (high + low) % MOST)
    });
    high << 16 | low
}

/// What an article says of it.
pub(super) fn named() -> Picture {
    Picture {
        file: "kiem-tra.png".to_owned(),
        hash: PictureHash::of(&bytes()),
        format: PictureFormat::Png,
        alt: "Hình kiểm tra kết nối".to_owned(),
    }
}

/// In how many requests its bytes are, plain or in base64.
pub(super) fn sent(requests: &[&Request]) -> usize {
    let (plain, folded) = (bytes(), STANDARD.encode(bytes()));
    let carries = |request: &&&Request| {
        let body = &request.body;
        body.windows(plain.len()).any(|part| part == plain)
            || readings(request).iter().any(|text| text.contains(&folded))
    };
    requests.iter().filter(carries).count()
}

/// Whether a request leads to it: by its address, which has its hash.
pub(super) fn is_led_to(requests: &[&Request]) -> bool {
    let hash = named().hash;
    let mut all = requests.iter().flat_map(|request| readings(request));
    all.any(|text| text.contains(hash.as_str()))
}

/// Whether a request says that it brings a picture.
pub(super) fn is_announced(requests: &[&Request]) -> bool {
    let says = |request: &&Request| {
        let kind = request.header("content-type").unwrap_or_default();
        let body = String::from_utf8_lossy(&request.body).to_ascii_lowercase();
        kind.starts_with("image/") || body.contains("content-type: image/")
    };
    requests.iter().any(says)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::picture::look;

    #[test]
    fn it_is_a_picture() {
        let looked = look(&bytes()).unwrap();
        assert_eq!((looked.width, looked.height), (300, 300));
        assert_eq!(looked.hash, named().hash);
    }
}
