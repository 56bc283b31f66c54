//! Which files belong to a workspace, and which look as if they should.

use std::{
    collections::BTreeMap,
    fs::{File, Metadata},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use super::{
    check::{Pictures, Recordings},
    similar::nearest,
};
use crate::audio::{SOUND_CAP, examine};
use crate::diagnostic::{Arg, Code, Diagnostic, Phrase, Place};
use crate::domain::picture::{self, NoPicture};

/// Files above this size are refused: nobody writes a mebibyte of bulletins or channels into one file by hand.
pub(super) const TOO_LARGE: usize = 1024 * 1024;

/// Pictures above this size are not even looked at.
const PICTURE_CAP: usize = 32 * 1024 * 1024;

/// Folders in one another at most; also what ends a circle of symbolic links.
pub(super) const DEEPEST: usize = 4;

/// The folders that are searched.
const FOLDERS: [&str; 3] = ["content", "schedules", "channels"];

/// The folders and files that people may have meant.
const PLACES: [&str; 14] = [
    "loa.yaml",
    "content/topics.yaml",
    "content/contacts.yaml",
    "content/speech.yaml",
    "content/bulletins/",
    "content/recordings/",
    "content/pictures/",
    "content/templates/",
    "schedules/",
    "schedules/holidays.yaml",
    "schedules/policy.yaml",
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
    /// `schedules/holidays.yaml`.
    Exceptions,
    /// `schedules/policy.yaml`.
    Policy,
    /// A bulletin, by its id.
    Bulletin(String),
    /// A recipe, by its id.
    Recipe(String),
    /// A shared template, by its file name.
    Template(String),
    /// A recording, by its file name.
    Recording(String),
    /// A picture, by its file name.
    Picture(String),
    /// Nothing, though it looks like one of ours.
    Stray,
    /// A whole folder, by its path; only for what could not be read.
    Folder(String),
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
        (["schedules"], "holidays.yaml", _) => Role::Exceptions,
        (["schedules"], "policy.yaml", _) => Role::Policy,
        (["content", "bulletins"], _, "yaml") => Role::Bulletin(stem.to_owned()),
        (
            ["content", "recordings"],
            _,
            "wav" | "mp3" | "m4a" | "aac" | "ogg" | "opus" | "flac" | "wma",
        ) => Role::Recording((*name).to_owned()),
        (["content", "pictures"], _, extension) if is_picture(extension) => {
            Role::Picture((*name).to_owned())
        }
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

/// Whether files of this ending are pictures, as far as anybody knows: also of sorts that no channel shows, so that somebody is told.
fn is_picture(extension: &str) -> bool {
    [
        "jpg", "jpeg", "png", "gif", "webp", "avif", "heic", "heif", "bmp", "tif", "tiff", "svg",
        "pdf",
    ]
    .iter()
    .any(|known| extension.eq_ignore_ascii_case(known))
}

/// Whether a folder of the workspace is one of ours, or misspelt so.
fn is_ours(folder: &str) -> bool {
    nearest(folder, FOLDERS.map(|name| (name, None))).is_some()
        || matches!(folder, "bulletins" | "templates" | "recipes")
}

/// Whether files are read from the folder at `path`.
pub(super) fn is_read(path: &str) -> bool {
    let listed = PLACES.iter().filter_map(|place| place.strip_suffix('/'));
    FOLDERS.into_iter().chain(listed).any(|place| place == path)
}

/// What stands at a path, links followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    File,
    Folder,
    /// A pipe, a socket, a device: reading one may wait for ever, or never end.
    Special,
}

impl Kind {
    fn of(metadata: &Metadata) -> Self {
        if metadata.is_dir() {
            Self::Folder
        } else if metadata.is_file() {
            Self::File
        } else {
            Self::Special
        }
    }

    fn word(self) -> Arg {
        let word = match self {
            Self::File => "kind-file",
            Self::Folder => "kind-folder",
            Self::Special => "kind-special",
        };
        Arg::Word(word.to_owned())
    }
}

/// The mistake of a folder where a file should be, and so on.
fn wrong_kind(path: &str, found: Kind, expected: Kind) -> Diagnostic {
    Diagnostic::new(Code::WrongKind, Place::absent(path))
        .with("found", found.word())
        .with("expected", expected.word())
        .help(Phrase::new("L180-help").with("expected", expected.word()))
}

/// The mistake of reading the files taking so long that nobody waits for it any more.
pub(super) fn too_slow() -> Diagnostic {
    Diagnostic::new(Code::Unreadable, Place::absent("."))
        .with("error", Arg::Word("io-slow".to_owned()))
        .help(Phrase::new("L001-help-slow"))
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
    /// The same for pictures.
    pub pictures: Pictures,
    /// Files that could not be read, and why.
    pub diagnostics: Vec<Diagnostic>,
    /// What those files would have been for.
    pub unreadable: Vec<Role>,
}

/// Reads every file of the workspace in `root`.
pub(super) fn gather(root: &Path) -> Gathered {
    let mut gathered = Gathered::default();
    for entry in gathered.entries(root, "") {
        if entry.kind != Some(Kind::Folder) || role(&entry.name).is_some() || is_ours(&entry.name) {
            gathered.take(&entry, 1);
        }
    }
    gathered
}

/// Reads some files of the workspace in `root` by their names, as far as they are there.
pub(super) fn gather_only(root: &Path, names: &[&str]) -> Gathered {
    let mut gathered = Gathered::default();
    for name in names {
        let path = root.join(name);
        if path.symlink_metadata().is_err() {
            continue;
        }
        let entry = Entry {
            kind: std::fs::metadata(&path).ok().as_ref().map(Kind::of),
            is_link: false,
            name: (*name).to_owned(),
            path,
        };
        gathered.take(&entry, 1);
    }
    gathered
}

/// Something in a folder.
struct Entry {
    /// Its path in the workspace.
    name: String,
    path: PathBuf,
    /// `None` when the system does not say, as of a link that leads nowhere.
    kind: Option<Kind>,
    is_link: bool,
}

impl Entry {
    /// Whether it is a link to a folder that it lies in.
    fn is_circle(&self) -> bool {
        let above = self.path.parent().map(Path::canonicalize);
        match (self.path.canonicalize(), above) {
            (Ok(target), Some(Ok(above))) => above.starts_with(target),
            _ => true,
        }
    }
}

impl Gathered {
    pub(super) fn fail(&mut self, path: &str, error: &io::Error) {
        self.miss(path);
        let code = Diagnostic::new(Code::Unreadable, Place::absent(path));
        self.diagnostics.push(
            code.with("error", reason(error))
                .help(Phrase::new("L001-help")),
        );
    }

    /// Remembers what is not known because `path` could not be read.
    fn miss(&mut self, path: &str) {
        let role = role(path).or_else(|| is_read(path).then(|| Role::Folder(path.to_owned())));
        self.unreadable.extend(role);
    }

    fn entries(&mut self, folder: &Path, name: &str) -> Vec<Entry> {
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
        let mut entries = Vec::new();
        for entry in list.filter_map(Result::ok) {
            let path = entry.path();
            let child = match entry.file_name().into_string() {
                Ok(child) => child,
                // Beside the workspace's own folders anything may lie.
                Err(_) if name.is_empty() => continue,
                Err(child) => {
                    self.misnamed(&format!("{name}/{}", child.to_string_lossy()));
                    continue;
                }
            };
            entries.push(Entry {
                kind: std::fs::metadata(&path).ok().as_ref().map(Kind::of),
                is_link: entry.file_type().is_ok_and(|sort| sort.is_symlink()),
                name: if name.is_empty() {
                    child
                } else {
                    format!("{name}/{child}")
                },
                path,
            });
        }
        entries
    }

    /// A file whose name is not UTF-8, as old systems and archives leave behind: nothing can name it, so nothing of it would
    /// ever be read.
    fn misnamed(&mut self, path: &str) {
        self.diagnostics.push(
            Diagnostic::new(Code::Unreadable, Place::absent(path))
                .with("error", Arg::Word("io-name".to_owned()))
                .help(Phrase::new("L001-help-name")),
        );
    }

    fn take(&mut self, entry: &Entry, depth: usize) {
        let name = entry.name.as_str();
        let is_folder = entry.kind == Some(Kind::Folder);
        let is_file = matches!(role(name), Some(role) if role != Role::Stray);
        match entry.kind {
            Some(found) if !is_folder && is_read(name) => {
                self.miss(name);
                self.diagnostics.push(wrong_kind(name, found, Kind::Folder));
            }
            Some(found) if is_file && found != Kind::File => {
                self.miss(name);
                self.diagnostics.push(wrong_kind(name, found, Kind::File));
            }
            Some(Kind::Folder) => self.folder(entry, depth),
            None if is_read(name) => self.fail(name, &io::ErrorKind::NotFound.into()),
            _ => self.file(&entry.path, name),
        }
    }

    fn folder(&mut self, folder: &Entry, depth: usize) {
        let name = folder.name.as_str();
        if depth > DEEPEST
            || name
                .rsplit('/')
                .next()
                .is_some_and(|own| own.starts_with('.'))
        {
            return;
        }
        // Behind a link lies what somebody else keeps, or the workspace itself once more.
        if folder.is_link && (!is_read(name) || folder.is_circle()) {
            self.miss(name);
            self.diagnostics.push(
                Diagnostic::new(Code::LinkedFolder, Place::absent(name))
                    .help(Phrase::new("L181-help")),
            );
            return;
        }
        for entry in self.entries(&folder.path, name) {
            self.take(&entry, depth + 1);
        }
    }

    fn file(&mut self, path: &Path, name: &str) {
        let Some(role) = role(name) else { return };
        if role == Role::Stray {
            self.keep(name, role, Vec::new());
            return;
        }
        let cap = cap(&role);
        match File::open(path).and_then(|file| read(file, cap)) {
            Ok(bytes) => self.keep(name, role, bytes),
            Err(error) => self.fail(name, &error),
        }
    }

    /// Takes in what was read of the file `name`.
    pub(super) fn keep(&mut self, name: &str, role: Role, bytes: Vec<u8>) {
        if bytes.len() > cap(&role)
            && let Role::Picture(file) = role
        {
            // It is said where all pictures are judged: one that nobody shows is in nobody's way.
            self.pictures.insert(file, Err(NoPicture::TooLarge));
            return;
        }
        if bytes.len() > cap(&role) {
            self.diagnostics.push(too_large(name));
            self.unreadable.push(role);
            return;
        }
        match role {
            // Nobody reads what stands in these.
            Role::Stray => {
                self.files.insert(name.to_owned(), Vec::new());
            }
            // One at a time: together they may be large.
            Role::Recording(file) => {
                self.recordings.insert(file, examine(&bytes));
            }
            Role::Picture(file) => {
                self.pictures.insert(file, picture::look(&bytes));
            }
            _ => {
                self.files.insert(name.to_owned(), bytes);
            }
        }
    }
}

/// How large a file of that sort may be.
pub(super) fn cap(role: &Role) -> usize {
    match role {
        Role::Recording(_) => SOUND_CAP,
        Role::Picture(_) => PICTURE_CAP,
        _ => TOO_LARGE,
    }
}

/// Reads a file; of one that is too large, and of one that grows meanwhile, no more than shows that it is.
pub(super) fn read(file: impl io::Read, cap: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let most = cap as u64 + 1;
    file.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles() {
        for (path, expected) in [
            ("loa.yaml", Some(Role::Settings)),
            ("content/speech.yaml", Some(Role::Readings)),
            ("schedules/policy.yaml", Some(Role::Policy)),
            ("schedules/holidays.yaml", Some(Role::Exceptions)),
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
