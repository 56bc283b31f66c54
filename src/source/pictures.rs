//! The bytes of pictures. The checks keep none of them; whoever publishes one reads it again, and gets what was checked or nothing.

use std::{fs::File, io, path::Path};

use super::files;
use crate::domain::picture::{MOST_BYTES, Picture, PictureHash};

/// The folder of pictures, relative to the workspace.
pub const PICTURES: &str = "content/pictures";

/// The bytes of `picture` in the workspace in `root`.
///
/// # Errors
/// The system's own; [`io::ErrorKind::InvalidData`] where another file lies there by now.
pub fn read(root: &Path, picture: &Picture) -> io::Result<Vec<u8>> {
    let path = root.join(PICTURES).join(&picture.file);
    // Opening a pipe waits for somebody who writes.
    if !std::fs::metadata(&path)?.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let bytes = files::read(File::open(path)?, MOST_BYTES)?;
    if PictureHash::of(&bytes) != picture.hash {
        return Err(io::ErrorKind::InvalidData.into());
    }
    Ok(bytes)
}
