//! The record: a file with one line of JSON per effect, written before the answer leaves.
//!
//! So after a crash of the daemon or of the city the file tells what the outside world really took. A line that was cut
//! off by a crash was never answered and is thrown away; anything else that does not parse is an error.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, BufRead, BufReader, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use super::memory::Heard;

/// Why the record could not be used.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The file could not be opened, read or cut.
    #[error("cannot use the record {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The operating system's words.
        #[source]
        source: io::Error,
    },
    /// Another city writes to it.
    #[error("the record {} is in use by another city", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// A line is not an effect.
    #[error("{}:{line}: not an effect", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
}

/// The open record.
#[derive(Debug)]
pub(super) struct Record {
    file: File,
    path: PathBuf,
}

impl Record {
    /// Opens (or makes) the file, hands every effect in it to `each`, and gets ready to append. The file is locked for
    /// as long as the record is open.
    pub(super) fn open(path: &Path, mut each: impl FnMut(Heard)) -> Result<Self, RecordError> {
        let io_error = |source| RecordError::Io {
            path: path.to_owned(),
            source,
        };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(io_error)?;
        file.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => RecordError::InUse {
                path: path.to_owned(),
            },
            TryLockError::Error(source) => io_error(source),
        })?;
        let mut whole = 0;
        let mut reader = BufReader::new(&file);
        let mut text = Vec::new();
        for line in 1.. {
            text.clear();
            let length = reader.read_until(b'\n', &mut text).map_err(io_error)?;
            if !text.ends_with(b"\n") {
                break; // the end, or a line that a crash cut off
            }
            let heard = serde_json::from_slice(&text).map_err(|source| RecordError::Corrupt {
                path: path.to_owned(),
                line,
                source,
            })?;
            each(heard);
            whole += length as u64;
        }
        drop(reader);
        file.set_len(whole).map_err(io_error)?;
        file.seek(SeekFrom::Start(whole)).map_err(io_error)?;
        Ok(Self {
            file,
            path: path.to_owned(),
        })
    }

    /// Appends one effect. When this returns, the line has left the process and survives its death.
    pub(super) fn append(&mut self, heard: &Heard) -> Result<(), RecordError> {
        let mut line = serde_json::to_vec(heard).expect("an entry is texts and numbers");
        line.push(b'\n');
        self.file
            .write_all(&line)
            .map_err(|source| RecordError::Io {
                path: self.path.clone(),
                source,
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::memory::{Effect, Kind};

    fn heard(text: &str) -> Heard {
        Heard {
            host: "a".into(),
            number: 1,
            at_ms: 1,
            kind: Kind::Chat,
            method: "POST".into(),
            path: "/".into(),
            key: None,
            digest: "0".into(),
            text: Some(text.into()),
            status: None,
            effect: Effect::Received,
            fault: None,
            post: None,
            zalo: None,
            clip: None,
        }
    }

    fn read(path: &Path) -> (Record, Vec<Heard>) {
        let mut entries = Vec::new();
        let record = Record::open(path, |entry| entries.push(entry)).unwrap();
        (record, entries)
    }

    #[test]
    fn a_cut_line_is_forgotten_and_the_rest_comes_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("heard.jsonl");
        let (mut record, entries) = read(&path);
        assert!(entries.is_empty());
        record.append(&heard("một")).unwrap();
        record.append(&heard("hai")).unwrap();
        assert!(matches!(
            Record::open(&path, |_| ()),
            Err(RecordError::InUse { .. })
        ));
        drop(record);

        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() - 5]).unwrap();
        let (mut record, entries) = read(&path);
        assert_eq!(entries, [heard("một")]);
        record.append(&heard("ba")).unwrap();
        drop(record);
        assert_eq!(read(&path).1, [heard("một"), heard("ba")]);
    }

    #[test]
    fn a_corrupt_line_names_itself() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("heard.jsonl");
        read(&path).0.append(&heard("một")).unwrap();
        let whole = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, format!("{whole}{{}}\n{whole}")).unwrap();
        assert!(matches!(
            Record::open(&path, |_| ()),
            Err(RecordError::Corrupt { line: 2, .. })
        ));
    }
}
