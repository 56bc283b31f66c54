//! Finished sounds on disk.
//!
//! Two sorts of files in one folder: `HASH.wav` (or `.mp3`, `.opus`) under the address of its bytes, and `KEY.json`, which
//! says for an order which sound answers it. Both are written beside their place, flushed, and moved there, the sound
//! first: whoever dies in the middle leaves no half file under a name that counts. A sound is read with its address
//! checked, so a damaged one is not there.
//!
//! What was used longest ago goes when the folder gets too large, but never what was used within a day: a frozen delivery
//! may be waiting for it.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::domain::audio::{Audio, AudioFormat, Sound, SoundHash};

/// What was used so lately stays, however large the folder is.
const KEPT: Duration = Duration::from_hours(24);

/// The ending of what is being written. Older ones are left behind by the dead.
const PART: &str = "part";

/// The most bytes of a note.
const NOTE_CAP: u64 = 4_096;

static NUMBER: AtomicU64 = AtomicU64::new(0);

/// A folder of finished sounds. Clones share it.
#[derive(Debug, Clone)]
pub struct Cache {
    folder: PathBuf,
    most_bytes: u64,
    /// One at a time throws things out.
    broom: Arc<Mutex<()>>,
}

/// What a note says.
#[derive(Serialize, Deserialize)]
struct Note {
    hash: String,
    format: String,
    length_us: u64,
    spoken_us: u64,
    loudness: f64,
    peak: f64,
    size: u64,
}

/// What is known of a sound before it has an address.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Facts {
    /// How long it is.
    pub length: Duration,
    /// How long the words are.
    pub spoken: Duration,
    /// LUFS.
    pub loudness: f64,
    /// dBTP.
    pub peak: f64,
}

impl Cache {
    /// The cache in `folder`, of about `most_bytes`. Makes nothing yet.
    #[must_use]
    pub fn new(folder: PathBuf, most_bytes: u64) -> Self {
        Self {
            folder,
            most_bytes,
            broom: Arc::default(),
        }
    }

    /// Where it is.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The sound that answers the order `key`, whole, if it is there. Counts as use at `now`.
    #[must_use]
    pub fn find(&self, key: &str, now: SystemTime) -> Option<Audio> {
        let note_path = self.folder.join(format!("{key}.json"));
        let mut text = String::new();
        io::Read::read_to_string(
            &mut io::Read::take(File::open(&note_path).ok()?, NOTE_CAP),
            &mut text,
        )
        .ok()?;
        let note: Note = serde_json::from_str(&text).ok()?;
        let sound = Sound {
            hash: SoundHash::parse(&note.hash)?,
            format: AudioFormat::parse(&note.format)?,
            length: Duration::from_micros(note.length_us),
            spoken: Duration::from_micros(note.spoken_us),
            loudness: note.loudness,
            peak: note.peak,
            size: note.size,
        };
        let data = self.read(&sound.hash, sound.format).ok()?;
        for path in [note_path, self.path(&sound.hash, sound.format)] {
            // A file that cannot be stamped only looks older than it is.
            let _ = File::options()
                .append(true)
                .open(path)
                .and_then(|file| file.set_modified(now));
        }
        Some(Audio { sound, data })
    }

    /// The bytes at an address.
    ///
    /// # Errors
    /// The system's; [`io::ErrorKind::InvalidData`] when they are other bytes.
    pub fn read(&self, hash: &SoundHash, format: AudioFormat) -> io::Result<Bytes> {
        let bytes = fs::read(self.path(hash, format))?;
        if SoundHash::of(&bytes) != *hash {
            return Err(io::ErrorKind::InvalidData.into());
        }
        Ok(bytes.into())
    }

    /// Keeps a sound as the answer to the order `key`.
    ///
    /// # Errors
    /// The system's. Nothing half-written stays under a name that counts.
    pub fn put(
        &self,
        key: &str,
        format: AudioFormat,
        facts: Facts,
        data: Bytes,
    ) -> io::Result<Audio> {
        fs::create_dir_all(&self.folder)?;
        let sound = Sound {
            hash: SoundHash::of(&data),
            format,
            length: facts.length,
            spoken: facts.spoken,
            loudness: facts.loudness,
            peak: facts.peak,
            size: data.len() as u64,
        };
        let micros = |length: Duration| u64::try_from(length.as_micros()).unwrap_or(u64::MAX);
        let note = Note {
            hash: sound.hash.as_str().to_owned(),
            format: format.as_str().to_owned(),
            length_us: micros(sound.length),
            spoken_us: micros(sound.spoken),
            loudness: sound.loudness,
            peak: sound.peak,
            size: sound.size,
        };
        self.write(&self.path(&sound.hash, format), &data)?;
        self.write(
            &self.folder.join(format!("{key}.json")),
            serde_json::to_string(&note)?.as_bytes(),
        )?;
        self.sweep()?;
        Ok(Audio { sound, data })
    }

    fn path(&self, hash: &SoundHash, format: AudioFormat) -> PathBuf {
        self.folder.join(format!("{hash}.{}", format.as_str()))
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let part = self
            .folder
            .join(format!("{}-{number}.{PART}", std::process::id()));
        let written = File::create(&part).and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        });
        let moved = written.and_then(|()| fs::rename(&part, path));
        if moved.is_err() {
            let _ = fs::remove_file(&part);
            return moved;
        }
        // The name is on disk when the folder is.
        File::open(&self.folder)?.sync_all()
    }

    /// Throws out what is too much. The newest file says what time it is.
    fn sweep(&self) -> io::Result<()> {
        let Ok(_broom) = self.broom.try_lock().map_err(|_| PoisonError::new(())) else {
            return Ok(());
        };
        let mut files: Vec<(SystemTime, u64, PathBuf)> = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            // Another process may sweep too.
            if let Ok(metadata) = entry.metadata()
                && metadata.is_file()
            {
                files.push((metadata.modified()?, metadata.len(), entry.path()));
            }
        }
        let Some(newest) = files.iter().map(|(modified, ..)| *modified).max() else {
            return Ok(());
        };
        let is_old =
            |modified: &SystemTime| newest.duration_since(*modified).is_ok_and(|age| age > KEPT);
        let mut total: u64 = files.iter().map(|(_, size, _)| size).sum();
        files.sort_unstable();
        for (modified, size, path) in files {
            if !is_old(&modified) {
                break;
            }
            let is_part = path.extension().is_some_and(|extension| extension == PART);
            if (is_part || total > self.most_bytes) && fs::remove_file(&path).is_ok() {
                total -= size;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FACTS: Facts = Facts {
        length: Duration::from_micros(1_500_001),
        spoken: Duration::from_millis(1_200),
        loudness: -16.04,
        peak: -1.3,
    };

    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_hours(500_000)
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn what_is_kept_is_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path().join("a/b"), 1 << 20);
        assert_eq!(cache.find("k", now()), None);
        let kept = cache
            .put("k", AudioFormat::Wav, FACTS, Bytes::from_static(b"RIFF..."))
            .unwrap();
        assert_eq!(kept.sound.length, FACTS.length);
        assert_eq!(cache.find("k", now()), Some(kept.clone()));
        assert_eq!(cache.find("other", now()), None);
        assert_eq!(
            cache.read(&kept.sound.hash, AudioFormat::Wav).unwrap(),
            kept.data
        );
        assert_eq!(names(cache.folder()).len(), 2);
    }

    #[test]
    fn a_damaged_file_is_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path().to_owned(), 1 << 20);
        let kept = cache
            .put(
                "k",
                AudioFormat::Opus,
                FACTS,
                Bytes::from_static(b"OggS...."),
            )
            .unwrap();
        let path = cache.path(&kept.sound.hash, AudioFormat::Opus);
        for damage in [&b"OggS"[..], b"", b"OggS...!"] {
            fs::write(&path, damage).unwrap();
            assert_eq!(cache.find("k", now()), None);
            assert_eq!(
                cache
                    .read(&kept.sound.hash, AudioFormat::Opus)
                    .unwrap_err()
                    .kind(),
                io::ErrorKind::InvalidData
            );
        }
        cache
            .put("k", AudioFormat::Opus, FACTS, kept.data.clone())
            .unwrap();
        assert_eq!(cache.find("k", now()), Some(kept));
        for note in [
            "",
            "{",
            "{}",
            r#"{"hash":"../../etc/passwd","format":"wav","length_us":1,"spoken_us":1,"loudness":1,"peak":1,"size":1}"#,
        ] {
            fs::write(folder.path().join("k.json"), note).unwrap();
            assert_eq!(cache.find("k", now()), None);
        }
    }

    #[test]
    fn old_ones_go_when_it_is_full_and_used_ones_stay() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path().to_owned(), 2_500);
        let data = |n: u8| Bytes::from(vec![n; 1_000]);
        let hash = |n: u8| SoundHash::of(&data(n));
        let probe = tempfile::NamedTempFile::new().unwrap();
        let today = probe.as_file().metadata().unwrap().modified().unwrap();
        for n in 0..4 {
            cache
                .put(&format!("k{n}"), AudioFormat::Wav, FACTS, data(n))
                .unwrap();
        }
        // All are of today: none goes, though there are too many.
        assert!((0..4).all(|n| cache.find(&format!("k{n}"), today).is_some()));
        let stamp = |name: String, hours: u64| {
            let file = File::options()
                .append(true)
                .open(folder.path().join(name))
                .unwrap();
            file.set_modified(today - Duration::from_hours(hours))
                .unwrap();
        };
        for n in 0..4 {
            stamp(format!("k{n}.json"), 100 - u64::from(n));
            stamp(format!("{}.wav", hash(n)), 100 - u64::from(n));
        }
        fs::write(folder.path().join("77-1.part"), "half").unwrap();
        stamp("77-1.part".into(), 200);
        assert!(cache.find("k1", today).is_some());
        cache.put("k9", AudioFormat::Wav, FACTS, data(9)).unwrap();
        let left: Vec<bool> = (0..4)
            .map(|n| cache.find(&format!("k{n}"), today).is_some())
            .collect();
        assert_eq!(left, [false, true, false, false]);
        assert!(cache.find("k9", today).is_some());
        assert!(
            names(folder.path())
                .iter()
                .all(|name| !name.contains(".part"))
        );
    }
}
