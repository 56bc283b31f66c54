//! The picture of an article: what it is addressed by, and what its first bytes say of it. Data only.
//!
//! A picture goes out as it lies in the editors' folder, byte for byte: what was approved is what readers see.

use super::hash::BytesHash;

/// The most bytes of a picture. Zalo takes pictures of up to 1 MB, and pages on a telephone are better off with less.
pub const MOST_BYTES: usize = 1_000_000;

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
    /// It begins as a picture and does not go on as one, or breaks off.
    Broken(PictureFormat),
    /// It has so many bytes, which are too many.
    TooLarge(usize),
}

/// Looks at the bytes of a file, as far as its head and its end go. Nothing is decoded.
///
/// # Errors
/// [`NoPicture`].
pub fn look(bytes: &[u8]) -> Result<Looked, NoPicture> {
    let (format, size) = if bytes.is_empty() {
        return Err(NoPicture::Empty);
    } else if bytes.starts_with(PNG) {
        (PictureFormat::Png, png_size(bytes))
    } else if bytes.starts_with(JPEG) {
        (PictureFormat::Jpeg, jpeg_size(bytes))
    } else {
        return Err(NoPicture::Other(known(bytes)));
    };
    // Of what is too large only the beginning may have been read.
    if bytes.len() > MOST_BYTES {
        return Err(NoPicture::TooLarge(bytes.len()));
    }
    let (width, height) = size.ok_or(NoPicture::Broken(format))?;
    Ok(Looked {
        hash: PictureHash::of(bytes),
        format,
        width,
        height,
    })
}

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

/// Width and height from `IHDR`, which comes first; `None` also where the end (`IEND`) is missing.
fn png_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let is_head = bytes.get(12..16) == Some(b"IHDR");
    let (width, height) = (number::<4>(bytes, 16)?, number::<4>(bytes, 20)?);
    let ends = bytes.windows(8).any(|part| part == b"IEND\xae\x42\x60\x82");
    (is_head && ends && width > 0 && height > 0).then_some((width, height))
}

/// Width and height from the frame's header (`SOF`), which comes after tables of any number; `None` also where the end (`EOI`)
/// is missing.
fn jpeg_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut at = 2;
    loop {
        // Between segments stands FF, as often as one likes.
        while bytes.get(at) == Some(&0xff) && bytes.get(at + 1) == Some(&0xff) {
            at += 1;
        }
        if bytes.get(at) != Some(&0xff) {
            return None;
        }
        let length = usize::try_from(number::<2>(bytes, at + 2)?).ok()?;
        match bytes.get(at + 1)? {
            // All frames but DHT, JPG and DAC, which have numbers among them.
            0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => {
                let (height, width) = (number::<2>(bytes, at + 5)?, number::<2>(bytes, at + 7)?);
                let rest = bytes.get(at + length..)?;
                let ends = rest.windows(2).any(|mark| mark == b"\xff\xd9");
                return (ends && width > 0 && height > 0).then_some((width, height));
            }
            // Segments without a length, the beginning of the data, and the end: no frame comes any more.
            0x01 | 0xd0..=0xda => return None,
            _ if length < 2 => return None,
            _ => at += 2 + length,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = [PNG, b"\0\0\0\x0dIHDR"].concat();
        bytes.extend(width.to_be_bytes());
        bytes.extend(height.to_be_bytes());
        bytes.extend(b"\x08\x02\0\0\0....\0\0\0\0IEND\xae\x42\x60\x82");
        bytes
    }

    /// A table, a comment that looks like a frame, fill bytes, and the frame.
    fn jpeg(width: u16, height: u16) -> Vec<u8> {
        let mut bytes =
            b"\xff\xd8\xff\xe0\0\x07JFIF\0\xff\xfe\0\x06\xff\xc0\0\0\xff\xff\xff\xc2\0\x0b\x08"
                .to_vec();
        bytes.extend(height.to_be_bytes());
        bytes.extend(width.to_be_bytes());
        bytes.extend(b"\x01\0\0\0\xff\xda\0\x02data\xff\xd9");
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
        assert_eq!(look(&large), Err(NoPicture::TooLarge(MOST_BYTES + 1)));
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
