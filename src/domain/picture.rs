//! The picture of an article: what it is addressed by, and what its first bytes say of it. Data only.
//!
//! A picture goes out as it lies in the editors' folder, byte for byte: what was approved is what readers see.

use super::hash::BytesHash;

/// The most bytes of a picture. Zalo takes pictures of up to 1 MB, and pages on a telephone are better off with less.
pub const MOST_BYTES: usize = 1_000_000;

/// The most pixels of a picture. Unpacked each takes four bytes, and what needs more than 200 MB so opens on no telephone, however few
/// bytes its file has.
pub const MOST_PIXELS: u64 = 50_000_000;

/// What a picture is packed as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PictureFormat {
    /// JPEG (ISO/IEC 10918).
    Jpeg,
    /// PNG (ISO/IEC 15948).
    Png,
}

impl PictureFormat {
    /// All formats.
    pub const ALL: [Self; 2] = [Self::Jpeg, Self::Png];

    /// The word used in JSON and the database; also the ending of a file's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
        }
    }

    /// Reads the word back.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == text)
    }

    /// Its media type, for a `Content-Type`.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
        }
    }
}

/// The sort of bytes that pictures are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PictureBytes;

/// The address of a picture.
pub type PictureHash = BytesHash<PictureBytes>;

/// A picture that editors put into `content/pictures/`, as it was when the files were read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Its file's name.
    pub file: String,
    /// The address of its bytes.
    pub hash: PictureHash,
    /// What it is packed as, by its first bytes.
    pub format: PictureFormat,
    /// What is said in its place to whoever does not see it. In a bulletin a template, in frozen words it is words.
    pub alt: String,
}

impl Picture {
    /// The file with the beginning of its hash, and what is said in its place, as one line for people who compare two of them.
    #[must_use]
    pub fn line(&self) -> String {
        format!("{} ({}): {}", self.file, self.hash.short(), self.alt)
    }

    /// The name under which it is kept and served: its address with its ending. Nothing else is in such a name.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}.{}", self.hash, self.format.as_str())
    }

    /// A name for the picture on a website, the same for the same bytes whichever article shows them.
    #[must_use]
    pub fn slug(&self) -> String {
        /// 96 bits: nobody meets another picture by chance, and the name is still short enough for an address.
        const DIGITS: usize = 24;
        format!("loa-{}", &self.hash.as_str()[..DIGITS])
    }
}

/// What is known of a picture from its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looked {
    /// The address of its bytes.
    pub hash: PictureHash,
    /// What it is packed as.
    pub format: PictureFormat,
    /// How wide it is, in pixels.
    pub width: u32,
    /// How high it is, in pixels.
    pub height: u32,
}

/// Why a file is no picture that can be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoPicture {
    /// There is nothing in it.
    Empty,
    /// It is something else; what, where its first bytes say so.
    Other(Option<&'static str>),
    /// It begins as a picture and does not go on as one, breaks off, or is not what its sums say.
    Broken(PictureFormat),
    /// So many bytes stand behind its end, where no picture has any.
    GoesOn(usize),
    /// It has more than [`MOST_BYTES`].
    TooLarge,
    /// It has more than [`MOST_PIXELS`].
    TooManyPixels {
        /// How wide it is, in pixels.
        width: u32,
        /// How high it is, in pixels.
        height: u32,
    },
}

/// Looks at the bytes of a file: that its parts follow each other up to its end. No pixel is decoded.
///
/// # Errors
/// [`NoPicture`].
pub fn look(bytes: &[u8]) -> Result<Looked, NoPicture> {
    let (format, (size, whole)) = if bytes.is_empty() {
        return Err(NoPicture::Empty);
    } else if bytes.starts_with(PNG) {
        (PictureFormat::Png, png(bytes))
    } else if bytes.starts_with(JPEG) {
        (PictureFormat::Jpeg, jpeg(bytes))
    } else {
        return Err(NoPicture::Other(known(bytes)));
    };
    // The size stands at the beginning, and may be more than a picture has bytes for.
    if let Some((width, height)) = size
        && u64::from(width) * u64::from(height) > MOST_PIXELS
    {
        return Err(NoPicture::TooManyPixels { width, height });
    }
    // Of what is too large only the beginning may have been read.
    if bytes.len() > MOST_BYTES {
        return Err(NoPicture::TooLarge);
    }
    let broken = || NoPicture::Broken(format);
    let end = whole.ok_or_else(broken)?;
    // Telephones write a second picture behind a JPEG, and readers know it; behind a PNG stands nothing.
    if format == PictureFormat::Png && end < bytes.len() {
        return Err(NoPicture::GoesOn(bytes.len() - end));
    }
    let (width, height) = size
        .filter(|(width, height)| *width > 0 && *height > 0)
        .ok_or_else(broken)?;
    Ok(Looked {
        hash: PictureHash::of(bytes),
        format,
        width,
        height,
    })
}

/// Width and height, as far as they are there, and where the picture ends; `None` where it does not.
type Parts = (Option<(u32, u32)>, Option<usize>);

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
const JPEG: &[u8] = b"\xff\xd8\xff";

/// What a file is that is none of ours.
fn known(bytes: &[u8]) -> Option<&'static str> {
    let at =
        |from: usize, mark: &[u8]| bytes.get(from..).is_some_and(|rest| rest.starts_with(mark));
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(512)]).to_lowercase();
    let marks: [(bool, &str); 10] = [
        (at(0, b"GIF8"), "GIF"),
        (at(0, b"RIFF") && at(8, b"WEBP"), "WebP"),
        (at(4, b"ftypavif"), "AVIF"),
        (
            at(4, b"ftyphei") || at(4, b"ftyphev") || at(4, b"ftypmif1"),
            "HEIC",
        ),
        (at(0, b"BM"), "BMP"),
        (at(0, b"II*\0") || at(0, b"MM\0*"), "TIFF"),
        (at(0, b"%PDF"), "PDF"),
        (text.contains("<svg"), "SVG"),
        (text.contains("<html") || text.contains("<!doctype"), "HTML"),
        (at(0, b"PK\x03\x04"), "ZIP"),
    ];
    marks
        .into_iter()
        .find_map(|(is_it, name)| is_it.then_some(name))
}

/// A number of `N` bytes, the greatest first.
fn number<const N: usize>(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at + N)?;
    Some(
        bytes
            .iter()
            .fold(0, |sum, byte| sum << 8 | u32::from(*byte)),
    )
}

/// The sum of a PNG's chunk (ISO/IEC 15948, 5.5).
const SUM: crc::Crc<u32> = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC);

/// From chunk to chunk: `IHDR` comes first and has the size, `IEND` is the end.
fn png(bytes: &[u8]) -> Parts {
    let size = || {
        let is_head = bytes.get(8..16)? == b"\0\0\0\x0dIHDR";
        // A size that is not what it was is none.
        let is_whole = number::<4>(bytes, 29)? == SUM.checksum(bytes.get(12..29)?);
        let size = (number::<4>(bytes, 16)?, number::<4>(bytes, 20)?);
        (is_head && is_whole).then_some(size)
    };
    let size = size();
    (size, size.and_then(|_| png_end(bytes)))
}

fn png_end(bytes: &[u8]) -> Option<usize> {
    let mut at = PNG.len();
    let mut has_data = false;
    loop {
        let length = usize::try_from(number::<4>(bytes, at)?).ok()?;
        let end = at.checked_add(8)?.checked_add(length)?;
        let chunk = bytes.get(at + 4..end)?;
        if number::<4>(bytes, end)? != SUM.checksum(chunk) {
            return None;
        }
        at = end + 4;
        match &chunk[..4] {
            b"IEND" => return (has_data && length == 0).then_some(at),
            kind => has_data |= kind == b"IDAT",
        }
    }
}

/// From segment to segment: a frame's header (`SOF`), which comes after tables of any number, has the size; then come scans, and
/// `EOI` is the end.
fn jpeg(bytes: &[u8]) -> Parts {
    let mut size = None;
    let end = jpeg_end(bytes, &mut size);
    (size, end)
}

fn jpeg_end(bytes: &[u8], size: &mut Option<(u32, u32)>) -> Option<usize> {
    let mut at = 2;
    let mut has_data = false;
    loop {
        // Between segments stands FF, as often as one likes.
        while bytes.get(at) == Some(&0xff) && bytes.get(at + 1) == Some(&0xff) {
            at += 1;
        }
        if bytes.get(at) != Some(&0xff) {
            return None;
        }
        let marker = *bytes.get(at + 1)?;
        match marker {
            0xd9 => return has_data.then_some(at + 2),
            // Segments without a length.
            0x01 | 0xd0..=0xd8 => return None,
            _ => {}
        }
        let length = usize::try_from(number::<2>(bytes, at + 2)?).ok()?;
        let after = at + 2 + length;
        if length < 2 || after > bytes.len() {
            return None;
        }
        match marker {
            // All frames but DHT, JPG and DAC, which have numbers among them.
            0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => {
                let (height, width) = (number::<2>(bytes, at + 5)?, number::<2>(bytes, at + 7)?);
                size.get_or_insert((width, height));
            }
            0xda if size.is_none() => return None,
            0xda => {
                // In a scan FF is followed by 0, or by the number of a restart, or once more by FF. Anything else is the next segment.
                let goes_on =
                    |pair: &[u8]| pair[0] != 0xff || matches!(pair[1], 0 | 0xd0..=0xd7 | 0xff);
                at = after + bytes[after..].windows(2).position(|pair| !goes_on(pair))?;
                has_data |= at > after;
                continue;
            }
            _ => {}
        }
        at = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(kind: &[u8], data: &[u8]) -> Vec<u8> {
        let length = u32::try_from(data.len()).unwrap().to_be_bytes();
        let summed = [kind, data].concat();
        let sum = SUM.checksum(&summed).to_be_bytes();
        [&length[..], &summed, &sum].concat()
    }

    fn png(width: u32, height: u32) -> Vec<u8> {
        let head = [
            &width.to_be_bytes()[..],
            &height.to_be_bytes(),
            b"\x08\x02\0\0\0",
        ]
        .concat();
        let chunks = [
            chunk(b"IHDR", &head),
            chunk(b"tEXt", b"IEND\xae\x42\x60\x82"),
            chunk(b"IDAT", b"pixels"),
            chunk(b"IEND", b""),
        ];
        [PNG, &chunks.concat()].concat()
    }

    /// A table, a comment that looks like a frame, fill bytes, and the frame.
    fn jpeg(width: u16, height: u16) -> Vec<u8> {
        let mut bytes =
            b"\xff\xd8\xff\xe0\0\x07JFIF\0\xff\xfe\0\x06\xff\xc0\0\0\xff\xff\xff\xc2\0\x0b\x08"
                .to_vec();
        bytes.extend(height.to_be_bytes());
        bytes.extend(width.to_be_bytes());
        // Two scans, and between them a table in which an end seems to be.
        bytes.extend(b"\x01\0\0\0\xff\xda\0\x02da\xff\0\xff\xd3ta");
        bytes.extend(b"\xff\xc4\0\x04\xff\xd9\xff\xda\0\x02data\xff\xd9");
        bytes
    }

    fn size(bytes: &[u8]) -> Option<(PictureFormat, u32, u32)> {
        let looked = look(bytes).ok()?;
        Some((looked.format, looked.width, looked.height))
    }

    #[test]
    fn heads_give_the_size_and_the_format() {
        assert_eq!(size(&png(640, 480)), Some((PictureFormat::Png, 640, 480)));
        assert_eq!(size(&jpeg(1024, 70)), Some((PictureFormat::Jpeg, 1024, 70)));
    }

    #[test]
    fn what_breaks_off_anywhere_is_broken_or_nothing() {
        for (whole, format) in [
            (png(640, 480), PictureFormat::Png),
            (jpeg(9, 9), PictureFormat::Jpeg),
        ] {
            for end in 0..whole.len() {
                let expected = match end {
                    0 => NoPicture::Empty,
                    _ if end < if format == PictureFormat::Png { 8 } else { 3 } => {
                        NoPicture::Other(None)
                    }
                    _ => NoPicture::Broken(format),
                };
                assert_eq!(look(&whole[..end]), Err(expected), "{end} of {format:?}");
            }
        }
        assert_eq!(
            look(&png(0, 480)),
            Err(NoPicture::Broken(PictureFormat::Png))
        );
    }

    #[test]
    fn other_files_are_called_what_they_are() {
        for (bytes, name) in [
            (&b"GIF89a"[..], Some("GIF")),
            (b"RIFF\0\0\0\0WEBPVP8 ", Some("WebP")),
            (b"RIFF\0\0\0\0WAVEfmt ", None),
            (b"\0\0\0\x18ftypheic", Some("HEIC")),
            (b"\0\0\0\x18ftypavif", Some("AVIF")),
            (b"<?xml version=\"1.0\"?><SVG ", Some("SVG")),
            (b"<!DOCTYPE html>", Some("HTML")),
            (b"%PDF-1.7", Some("PDF")),
            (b"anh.jpg", None),
        ] {
            assert_eq!(look(bytes), Err(NoPicture::Other(name)));
        }
        let mut large = png(10, 10);
        large.resize(MOST_BYTES + 1, 0);
        assert_eq!(look(&large), Err(NoPicture::TooLarge));
    }

    #[test]
    fn damage_anywhere_in_a_png_is_seen() {
        let whole = png(640, 480);
        // The mark at its beginning makes it a PNG, and the kind of the first chunk its head.
        for at in PNG.len()..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            let found = look(&damaged);
            assert_eq!(found, Err(NoPicture::Broken(PictureFormat::Png)), "{at}");
        }
    }

    #[test]
    fn nothing_stands_behind_a_png_and_anything_behind_a_jpeg() {
        let behind = |mut bytes: Vec<u8>| {
            bytes.extend(b"<script>");
            bytes
        };
        assert_eq!(look(&behind(png(640, 480))), Err(NoPicture::GoesOn(8)));
        assert_eq!(size(&behind(jpeg(9, 7))), Some((PictureFormat::Jpeg, 9, 7)));
    }

    #[test]
    fn too_many_pixels_are_said_before_anything_else() {
        let (width, height) = (60_000, 60_000);
        let expected = Err(NoPicture::TooManyPixels { width, height });
        let mut large = png(width, height);
        assert_eq!(look(&large), expected);
        large.resize(MOST_BYTES + 1, 0);
        assert_eq!(look(&large), expected);
        assert_eq!(look(&jpeg(60_000, 60_000)), expected);
        assert!(size(&png(10_000, 5_000)).is_some());
    }

    #[test]
    fn names_hold_the_address_and_nothing_else() {
        let picture = Picture {
            file: "../a b.jpg".to_owned(),
            hash: PictureHash::of(b"x"),
            format: PictureFormat::Jpeg,
            alt: "Biển báo".to_owned(),
        };
        let hash = blake3::hash(b"x").to_hex().to_string();
        assert_eq!(picture.name(), format!("{hash}.jpg"));
        assert_eq!(picture.slug(), format!("loa-{}", &hash[..24]));
        assert_eq!(
            picture.line(),
            format!("../a b.jpg ({}): Biển báo", &hash[..12])
        );
        assert_eq!(PictureHash::parse(&hash), Some(picture.hash));
        assert_eq!(PictureHash::parse("../../etc/passwd"), None);
        assert_eq!(PictureHash::parse(&hash.to_uppercase()), None);
    }
}
