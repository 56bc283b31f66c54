//! Which files belong to a workspace, and which look as if they should.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

use super::{check::Recordings, similar::nearest};
use crate::audio::{SOUND_CAP, examine};
use crate::diagnostic::{Arg, Code, Diagnostic, Phrase, Place};

/// Files above this size are refused: nobody writes a mebibyte of bulletins or channels into one file by hand.
pub(super) const TOO_LARGE: usize = 1024 * 1024;

/// Folders in one another at most; also what ends a circle of symbolic links.
const DEEPEST: usize = 4;

/// The folders that are searched.
const FOLDERS: [&str; 3] = ["content", "schedules", "channels"];

/// The folders and files that people may have meant.
const PLACES: [&str; 11] = [
    "loa.yaml",
    "content/topics.yaml",
    "content/contacts.yaml",
    "content/speech.yaml",
    "content/bulletins/",
    "content/recordings/",
    "content/templates/",
    "schedules/",
    "channels/",
    "channels/wards.yaml",
    "channels/recipes/",
];

/// What a file is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Role {
    /// `loa.yaml`.
    Settings,
    /// `content/topics.yaml`.
    Topics,
    /// `content/contacts.yaml`.
    Contacts,
    /// `content/speech.yaml`.
    Readings,
    /// `channels/wards.yaml`.
    Wards,
    /// A file of channels.
    Channels,
    /// A file of schedules.
    Schedules,
    /// A bulletin, by its id.
    Bulletin(String),
    /// A recipe, by its id.
    Recipe(String),
    /// A shared template, by its file name.
    Template(String),
    /// A recording, by its file name.
    Recording(String),
    /// Something that a later version will read.
    Planned,
    /// Nothing, though it looks like one of ours.
    Stray,
}

/// What the file at `path` is for; `None` when it is none of our business.
pub(super) fn role(path: &str) -> Option<Role> {
    let parts: Vec<&str> = path.split('/').collect();
    if parts.iter().any(|part| part.starts_with('.')) {
        return None;
    }
    let (name, folder) = parts.split_last()?;
    let (stem, extension) = name.rsplit_once('.')?;
    if stem.is_empty() {
        return None;
    }
    let role = match (folder, *name, extension) {
        ([], "loa.yaml", _) => Role::Settings,
        (["content"], "topics.yaml", _) => Role::Topics,
        (["content"], "contacts.yaml", _) => Role::Contacts,
        (["content"], "speech.yaml", _) => Role::Readings,
        (["schedules"], "policy.yaml" | "holidays.yaml", _) => Role::Planned,
        (["content", "bulletins"], _, "yaml") => Role::Bulletin(stem.to_owned()),
        (
            ["content", "recordings"],
            _,
            "wav" | "mp3" | "m4a" | "aac" | "ogg" | "opus" | "flac" | "wma",
        ) => Role::Recording((*name).to_owned()),
        (["content", "templates"], _, "tera") => Role::Template((*name).to_owned()),
        (["schedules"], _, "yaml") => Role::Schedules,
        (["channels"], "wards.yaml", _) => Role::Wards,
        (["channels"], _, "yaml") => Role::Channels,
        (["channels", "recipes"], _, "yaml") => Role::Recipe(stem.to_owned()),
        ([], "loa.yml", _) => Role::Stray,
        ([first, ..], _, "yaml" | "yml" | "tera") if is_ours(first) => Role::Stray,
        _ => return None,
    };
    Some(role)
}

/// Whether a folder of the workspace is one of ours, or misspelt so.
fn is_ours(folder: &str) -> bool {
    nearest(folder, FOLDERS.map(|name| (name, None))).is_some()
        || matches!(folder, "bulletins" | "templates" | "recipes")
}

/// The mistake of a file in a place where nobody reads it.
pub(super) fn misplaced(path: &str) -> Diagnostic {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let fitting = match name.rsplit_once('.') {
        Some((stem, "yml")) => Some(format!(
            "{folder}{}{stem}.yaml",
            if folder.is_empty() { "" } else { "/" }
        )),
        _ => None,
    };
    // A path that would be read if its ending or its folder were right.
    let meant = fitting
        .filter(|path| !matches!(role(path), None | Some(Role::Stray)))
        .or_else(|| {
            let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
            let folders = PLACES.iter().filter_map(|place| place.strip_suffix('/'));
            let folders =
                folders.filter(|folder| (extension == "tera") == (*folder == "content/templates"));
            nearest(
                folder,
                folders.map(|folder| (folder, folder.rsplit('/').next())),
            )
            .map(|folder| format!("{folder}/{name}"))
        });
    let help = match meant.filter(|meant| meant != path) {
        Some(meant) => Phrase::new("L010-help-move").with("path", meant),
        None => {
            Phrase::new("L010-help").with("names", Arg::Names(PLACES.map(str::to_owned).to_vec()))
        }
    };
    Diagnostic::new(Code::Misplaced, Place::absent(path)).help(help)
}

/// What the operating system said, in words where it is one of the usual things.
fn reason(error: &io::Error) -> Arg {
    let word = match error.kind() {
        io::ErrorKind::NotFound => "io-not-found",
        io::ErrorKind::PermissionDenied => "io-denied",
        io::ErrorKind::IsADirectory | io::ErrorKind::NotADirectory => "io-folder",
        io::ErrorKind::StaleNetworkFileHandle
        | io::ErrorKind::TimedOut
        | io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkUnreachable => "io-network",
        // A damaged disk says so in the system's own words, which those who mend disks want to see.
        _ => {
            return Phrase::new("io-other")
                .with("words", error.to_string())
                .into();
        }
    };
    Arg::Word(word.to_owned())
}

/// The warning about a file that a later version will read.
pub(super) fn planned(path: &str) -> Diagnostic {
    Diagnostic::new(Code::Planned, Place::absent(path)).help(Phrase::new("L027-help"))
}

/// The mistake of a file that is too large.
pub(super) fn too_large(path: &str) -> Diagnostic {
    Diagnostic::new(Code::TooLarge, Place::absent(path)).help(Phrase::new("L003-help"))
}

/// The files of a workspace as they are on disk.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    /// Contents by path; of stray files only the path.
    pub files: BTreeMap<String, Vec<u8>>,
    /// What was found in recordings, by file name; their bytes are not kept.
    pub recordings: Recordings,
    /// Files that could not be read, and why.
    pub diagnostics: Vec<Diagnostic>,
    /// What those files would have been for.
    pub unreadable: Vec<Role>,
}

/// Reads every file of the workspace in `root`.
pub(super) fn gather(root: &Path) -> Gathered {
    let mut gathered = Gathered::default();
    let top = gathered.entries(root, "");
    for (name, path, is_folder) in top {
        if is_folder && is_ours(&name) {
            gathered.folder(&path, &name, 1);
        } else if !is_folder {
            gathered.file(&path, &name);
        }
    }
    gathered
}

impl Gathered {
    fn fail(&mut self, path: &str, error: &io::Error) {
        if let Some(role) = role(path) {
            self.unreadable.push(role);
        }
        let code = Diagnostic::new(Code::Unreadable, Place::absent(path));
        self.diagnostics.push(
            code.with("error", reason(error))
                .help(Phrase::new("L001-help")),
        );
    }

    /// Names, paths and whether they are folders, of what is in a folder.
    fn entries(&mut self, folder: &Path, name: &str) -> Vec<(String, PathBuf, bool)> {
        let list = match std::fs::read_dir(folder) {
            Ok(list) => list,
            // Without a folder there is no `loa.yaml`, which is said elsewhere and better.
            Err(error) if name.is_empty() && error.kind() == io::ErrorKind::NotFound => {
                return Vec::new();
            }
            Err(error) => {
                self.fail(if name.is_empty() { "." } else { name }, &error);
                return Vec::new();
            }
        };
        let entries = list.filter_map(Result::ok).filter_map(|entry| {
            let path = entry.path();
            // A name that is not UTF-8 cannot be the name of anything here.
            let name = entry.file_name().into_string().ok()?;
            let is_folder = path.is_dir();
            Some((name, path, is_folder))
        });
        entries.collect()
    }

    fn folder(&mut self, folder: &Path, name: &str, depth: usize) {
        for (child, path, is_folder) in self.entries(folder, name) {
            let name = format!("{name}/{child}");
            if !is_folder {
                self.file(&path, &name);
            } else if depth < DEEPEST && !child.starts_with('.') {
                self.folder(&path, &name, depth + 1);
            }
        }
    }

    fn file(&mut self, path: &Path, name: &str) {
        let Some(role) = role(name) else { return };
        if matches!(role, Role::Stray | Role::Planned) {
            self.files.insert(name.to_owned(), Vec::new());
            return;
        }
        let size = match std::fs::metadata(path) {
            Ok(metadata) => metadata.len(),
            Err(error) => return self.fail(name, &error),
        };
        let cap = match role {
            Role::Recording(_) => SOUND_CAP,
            _ => TOO_LARGE,
        };
        if size > cap as u64 {
            self.diagnostics.push(too_large(name));
            self.unreadable.push(role);
            return;
        }
        match std::fs::read(path) {
            Ok(bytes) => match role {
                // One at a time: together they may be large.
                Role::Recording(file) => {
                    self.recordings.insert(file, examine(&bytes));
                }
                _ => {
                    self.files.insert(name.to_owned(), bytes);
                }
            },
            Err(error) => self.fail(name, &error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles() {
        for (path, expected) in [
            ("loa.yaml", Some(Role::Settings)),
            ("content/speech.yaml", Some(Role::Readings)),
            ("schedules/policy.yaml", Some(Role::Planned)),
            ("schedules/holidays.yaml", Some(Role::Planned)),
            ("content/bulletins/a.yaml", Some(Role::Bulletin("a".into()))),
            (
                "content/templates/a.tera",
                Some(Role::Template("a.tera".into())),
            ),
            ("channels/wards.yaml", Some(Role::Wards)),
            ("channels/recipes/a.yaml", Some(Role::Recipe("a".into()))),
            ("content/bulletin/a.yaml", Some(Role::Stray)),
            ("content/bulletins/2024/a.yaml", Some(Role::Stray)),
            ("schedule/a.yaml", Some(Role::Stray)),
            ("schedules/a.yml", Some(Role::Stray)),
            ("loa.yml", Some(Role::Stray)),
            ("content/README.md", None),
            ("docker-compose.yaml", None),
            ("deploy/a.yaml", None),
            ("content/.a.yaml", None),
            (
                "content/recordings/a.wav",
                Some(Role::Recording("a.wav".into())),
            ),
            (
                "content/recordings/a.mp3",
                Some(Role::Recording("a.mp3".into())),
            ),
            ("content/recordings/a.txt", None),
            ("content/bulletins/a.yaml~", None),
        ] {
            assert_eq!(role(path), expected, "{path}");
        }
    }
}
