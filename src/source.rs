//! Files → a checked workspace, or every mistake in them at once.
//!
//! Reading never stops at the first mistake and never panics, whatever the bytes. A workspace with errors is not given
//! out. `yaml` makes trees with places, `reader` reads typed values from them, `raw` knows what each file may say, and
//! `check` looks at what only shows when all files are read.

mod abreast;
mod address;
mod archive;
pub mod certificates;
mod check;
pub mod equipment;
mod files;
mod invisible;
mod notebook;
pub mod pictures;
pub mod quotas;
mod raw;
mod reader;
pub mod schema;
mod similar;
mod text;
mod yaml;

use std::{
    collections::BTreeMap,
    io::{self, Read},
    path::Path,
    sync::Arc,
};

use crate::{
    audio::{RECORDINGS, examine},
    diagnostic::{Code, Diagnostic, Phrase, Place, Severity, SourceFile},
    domain::{
        contact::Contact,
        id::{BulletinId, ContactId, RecipeId},
        picture,
        time::Timestamp,
        workspace::Workspace,
    },
};
use certificates::Authorities;
use check::{Parts, Pictures, Recordings};
use files::{Role, TOO_LARGE};
use notebook::{Named, Notebook};
use pictures::PICTURES;
use quotas::Metered;
use reader::{Value, stand_in_id};

/// What a watcher has to watch below the workspace, and whether with everything in it.
pub const WATCHED: &[(&str, bool)] = &[
    (".", false),
    ("content", true),
    ("schedules", true),
    ("channels", true),
];

/// The file of the settings.
const SETTINGS: &str = "loa.yaml";

/// The file of the contacts.
const CONTACTS: &str = "content/contacts.yaml";

/// The file of the readings.
const READINGS: &str = "content/speech.yaml";

/// What came of reading the files.
#[derive(Debug)]
pub struct Loaded {
    /// The workspace, if there is no error.
    pub workspace: Option<Workspace>,
    /// What is good of a workspace that has errors elsewhere than in its settings: enough to read and to close the record.
    /// Ids in it may name what is not there.
    pub rest: Option<Workspace>,
    /// The contacts, where their file has no error: what it says of them is known even if the workspace is not good.
    pub contacts: Option<BTreeMap<ContactId, Contact>>,
    /// All mistakes, by file and place.
    pub diagnostics: Vec<Diagnostic>,
    /// The files that were read, relative to the workspace, with `/`: what a watcher has to watch.
    pub files: Vec<String>,
    /// The files that channels name for certificates, which nobody has looked at.
    pub authorities: Vec<Authorities>,
    /// Where channels stand whose accounts are asked what remains of their quotas.
    pub metered: Metered,
}

/// The known id nearest to a mistyped one; each candidate is an id and what people call it, and both count.
#[must_use]
pub fn nearest<'c>(
    wanted: &str,
    known: impl IntoIterator<Item = (&'c str, &'c str)>,
) -> Option<&'c str> {
    similar::nearest(wanted, known.into_iter().map(|(id, name)| (id, Some(name))))
}

/// The id that a text could become: `Giả danh cán bộ` → `gia-danh-can-bo`.
#[must_use]
pub fn id_like(text: &str) -> Option<String> {
    let folded = similar::fold(text);
    BulletinId::parse(&folded).is_ok().then_some(folded)
}

/// Reads the workspace in the folder `root`.
#[must_use]
pub fn load(root: &Path) -> Loaded {
    load_seen(root, None, None)
}

/// The same for those who use it from `at` on: what is over by then is nobody's concern, and nothing else is looked at by the day.
#[must_use]
pub fn load_from(root: &Path, at: Timestamp) -> Loaded {
    load_seen(root, None, Some(at))
}

/// Reads the workspace in the folder `root` as of `now`: contacts that have expired or soon will are said as well.
#[must_use]
pub fn load_at(root: &Path, now: Option<Timestamp>) -> Loaded {
    load_seen(root, now, now)
}

fn load_seen(root: &Path, now: Option<Timestamp>, from: Option<Timestamp>) -> Loaded {
    let gathered = files::gather(root);
    read(
        &gathered.files,
        (gathered.recordings, gathered.pictures),
        gathered.diagnostics,
        &gathered.unreadable,
        (now, from),
    )
}

/// Reads no more of the workspace in the folder `root` than says how words are spoken: its settings and readings.
#[must_use]
pub fn load_speech(root: &Path) -> Loaded {
    let gathered = files::gather_only(root, &[SETTINGS, READINGS]);
    let mut unread = gathered.unreadable;
    // The settings may refer to anything in the files that are not looked at.
    let folders = ["content", "channels", "schedules"];
    unread.extend(folders.map(|folder| Role::Folder(folder.to_owned())));
    read(
        &gathered.files,
        (gathered.recordings, gathered.pictures),
        gathered.diagnostics,
        &unread,
        (None, None),
    )
}

/// What came of reading files that did not end in time.
#[must_use]
pub fn too_slow() -> Loaded {
    Loaded {
        workspace: None,
        rest: None,
        contacts: None,
        diagnostics: vec![files::too_slow()],
        files: Vec::new(),
        authorities: Vec::new(),
        metered: Metered::new(),
    }
}

/// Reads the workspace that the tar archive in `from` holds; its paths are those in the workspace.
///
/// # Errors
/// The reader's, and those of an archive that is broken.
pub fn load_archive(mut from: impl Read) -> io::Result<Loaded> {
    let gathered = archive::gather(&mut from)?;
    // Whoever writes the archive pads it, and would take a reader that goes away for a failure.
    io::copy(&mut from, &mut io::sink())?;
    Ok(read(
        &gathered.files,
        (gathered.recordings, gathered.pictures),
        gathered.diagnostics,
        &gathered.unreadable,
        (None, None),
    ))
}

/// Reads a workspace from memory: contents by path, relative and with `/`.
#[must_use]
pub fn load_files(files: &BTreeMap<String, Vec<u8>>) -> Loaded {
    load_files_at(files, None)
}

/// [`load_at`] from memory.
#[must_use]
pub fn load_files_at(files: &BTreeMap<String, Vec<u8>>, now: Option<Timestamp>) -> Loaded {
    let nothing = (Recordings::new(), Pictures::new());
    read(files, nothing, Vec::new(), &[], (now, now))
}

fn read(
    files: &BTreeMap<String, Vec<u8>>,
    (recordings, pictures): (Recordings, Pictures),
    first: Vec<Diagnostic>,
    unreadable: &[Role],
    seen: (Option<Timestamp>, Option<Timestamp>),
) -> Loaded {
    let notebook = Notebook::default();
    for diagnostic in first {
        notebook.report(diagnostic);
    }
    for role in unreadable {
        note_gap(&notebook, role);
    }
    let mut parts = Parts {
        recordings,
        pictures,
        ..Parts::default()
    };
    let mut read = Vec::new();
    let mut hasher = blake3::Hasher::new();
    let mut roles: Vec<(Role, &String, &Vec<u8>)> = files
        .iter()
        .filter_map(|(path, bytes)| Some((files::role(path)?, path, bytes)))
        .collect();
    // Settings come first: schedules are read in the zone that they give. Files whose names are no ids come last: what is an id
    // is known by then.
    roles.sort_by_key(|(role, path, _)| (*role != Role::Settings, is_misnamed(role), *path));
    if !roles.iter().any(|(role, ..)| *role == Role::Settings)
        && !unreadable.contains(&Role::Settings)
    {
        note_gap(&notebook, &Role::Settings);
        notebook.report(
            Diagnostic::new(Code::NoSettings, Place::absent(SETTINGS))
                .help(Phrase::new("L002-help")),
        );
    }
    for (role, path, bytes) in &roles {
        if *role == Role::Stray {
            notebook.report(files::misplaced(path));
            continue;
        }
        if let Role::Recording(file) = role {
            parts.recordings.insert(file.clone(), examine(bytes));
            continue;
        }
        if let Role::Picture(file) = role {
            parts.pictures.insert(file.clone(), picture::look(bytes));
            continue;
        }
        read.push((*path).clone());
        if !take(&notebook, &mut parts, role, path, bytes) {
            note_gap(&notebook, role);
        }
    }
    read.sort_unstable();
    for path in &read {
        let bytes = &files[path];
        hasher
            .update(&(path.len() as u64).to_be_bytes())
            .update(path.as_bytes());
        hasher
            .update(&(bytes.len() as u64).to_be_bytes())
            .update(bytes);
    }
    define_files(&notebook, &parts, &mut hasher);
    let revision = hasher.finalize().to_hex()[..16].to_owned();
    let contacts: BTreeMap<_, _> = parts
        .contacts
        .iter()
        .map(|raw| (raw.contact.id.clone(), raw.contact.clone()))
        .collect();
    let authorities = certificates::named(&parts.channels);
    let metered = quotas::metered(&parts.channels);
    let workspace = check::run(&notebook, parts, revision, seen);
    let mut diagnostics = notebook.into_report();
    diagnostics.sort_by(Diagnostic::order);
    diagnostics.dedup();
    let is_good = diagnostics
        .iter()
        .all(|diagnostic| diagnostic.severity != Severity::Error);
    let is_wrong = |path: &str| {
        diagnostics.iter().any(|diagnostic| {
            diagnostic.severity == Severity::Error && diagnostic.at.file.path() == path
        })
    };
    let contacts = (!contacts.is_empty() && !is_wrong(CONTACTS)).then_some(contacts);
    // The settings say which database it is.
    let (workspace, rest) = match (is_good, is_wrong(SETTINGS)) {
        (true, _) => (Some(workspace), None),
        (false, false) => (None, Some(workspace)),
        (false, true) => (None, None),
    };
    Loaded {
        contacts,
        workspace,
        rest,
        diagnostics,
        files: read,
        authorities,
        metered,
    }
}

/// Makes known the files that bulletins name; their bytes are part of the revision.
fn define_files(notebook: &Notebook, parts: &Parts, hasher: &mut blake3::Hasher) {
    let mut define = |sort, path: String, file: &str, hash: &str| {
        notebook.define(sort, file, None, &Place::absent(&path));
        hasher.update(format!("{path}\0{hash}").as_bytes());
    };
    for (file, found) in &parts.recordings {
        let hash = found.as_ref().map_or("", |examined| &examined.hash);
        define(Named::Recording, format!("{RECORDINGS}/{file}"), file, hash);
    }
    for (file, found) in &parts.pictures {
        let hash = found.as_ref().map_or("", |looked| looked.hash.as_str());
        define(Named::Picture, format!("{PICTURES}/{file}"), file, hash);
    }
}

/// Reads one file into `parts`; `false` when nothing in it can be known.
fn take(notebook: &Notebook, parts: &mut Parts, role: &Role, path: &str, bytes: &[u8]) -> bool {
    if bytes.len() > TOO_LARGE {
        notebook.report(files::too_large(path));
        return false;
    }
    let file = match std::str::from_utf8(bytes) {
        Ok(text) => SourceFile::new(path, text),
        Err(error) => {
            // Up to the mistake the replaced text is the same, so the place holds for the file as well.
            let file = SourceFile::new(path, String::from_utf8_lossy(bytes));
            let at = error.valid_up_to();
            let place = Place::new(&file, at..at + '\u{fffd}'.len_utf8());
            notebook.report(Diagnostic::new(Code::NotUtf8, place).help(Phrase::new("L004-help")));
            return false;
        }
    };
    if let Some(range) = text::first_decomposed(file.text()) {
        let place = Place::new(&file, range);
        notebook.report(Diagnostic::new(Code::NotComposed, place).help(Phrase::new("L011-help")));
    }
    for found in invisible::in_file(&file) {
        notebook.report(found);
    }
    if let Role::Template(name) = role {
        notebook.define(Named::Template, name, None, &Place::whole(&file));
        let text = text::Text::whole_file(&file);
        if let Some(found) = invisible::lone_returns(&text) {
            notebook.report(found);
        }
        parts.templates.insert(name.clone(), text);
        return true;
    }
    let (mut bulletin, mut recipe) = (None, None);
    match role {
        Role::Bulletin(stem) => {
            bulletin = identify(notebook, Named::Bulletin, stem, &file, BulletinId::parse);
        }
        Role::Recipe(stem) => {
            recipe = identify(notebook, Named::Recipe, stem, &file, RecipeId::parse);
        }
        _ => {}
    }
    let Some(tree) = notebook.collect(|report| yaml::parse(&file, report)) else {
        return false;
    };
    for found in invisible::escaped(&file, &tree) {
        notebook.report(found);
    }
    let root = Value::root(notebook, &file, &tree);
    match role {
        Role::Settings => parts.settings = Some(raw::settings::read(root)),
        Role::Topics => parts.topics.extend(raw::bulletin::read_topics(root)),
        Role::Contacts => parts.contacts.extend(raw::contact::read(root)),
        Role::Readings => parts.readings = raw::speech::read(root),
        Role::Wards => parts.wards.extend(raw::ward::read(root)),
        Role::Channels => parts.channels.extend(raw::channel::read(root)),
        Role::Schedules => parts
            .schedules
            .extend(raw::schedule::read(root, parts.zone())),
        Role::Exceptions => parts.exceptions = raw::exception::read(root),
        Role::Policy => parts.rules = raw::policy::read(root),
        Role::Bulletin(_) => parts
            .bulletins
            .extend(bulletin.and_then(|id| raw::bulletin::read(id, root))),
        Role::Recipe(_) => parts
            .recipes
            .extend(recipe.and_then(|id| raw::recipe::read(id, root))),
        Role::Template(_)
        | Role::Recording(_)
        | Role::Picture(_)
        | Role::Stray
        | Role::Folder(_) => {}
    }
    true
}

/// Whether the file's name has to be an id and is none.
fn is_misnamed(role: &Role) -> bool {
    match role {
        Role::Bulletin(stem) => BulletinId::parse(stem).is_err(),
        Role::Recipe(stem) => RecipeId::parse(stem).is_err(),
        _ => false,
    }
}

/// The id that a file's name is, known from now on even if the file turns out to be broken. Where its name is none, one to go on
/// with: what stands in it may be wrong, too, and whoever refers to it by the name that it is to get is right.
fn identify<T, E>(
    notebook: &Notebook,
    sort: Named,
    stem: &str,
    file: &Arc<SourceFile>,
    parse: impl Fn(&str) -> Result<T, E>,
) -> Option<T> {
    let place = Place::whole(file);
    let Ok(id) = parse(stem) else {
        let stand_in = stand_in_id(stem, |id| notebook.knows(sort, id));
        let nowhere = Place::absent(file.path());
        notebook.report(
            Diagnostic::new(Code::InvalidId, nowhere)
                .with("text", stem)
                .help(Phrase::new("L017-help-file").with("id", stand_in.as_str())),
        );
        notebook.expect(sort, &stand_in);
        return parse(&stand_in).ok();
    };
    notebook.define(sort, stem, None, &place);
    Some(id)
}

/// What is not known because a file could not be read.
fn note_gap(notebook: &Notebook, role: &Role) {
    match role {
        // The city is an area like a ward.
        Role::Settings | Role::Wards => notebook.gap(Named::Ward),
        Role::Topics => notebook.gap(Named::Topic),
        Role::Contacts => notebook.gap(Named::Contact),
        Role::Channels => notebook.gap(Named::Channel),
        Role::Schedules => notebook.gap(Named::Schedule),
        Role::Exceptions => notebook.gap(Named::Day),
        // These are known by their names, whatever is in them.
        Role::Bulletin(stem) => notebook.expect(Named::Bulletin, stem),
        Role::Recipe(stem) => notebook.expect(Named::Recipe, stem),
        Role::Template(name) => {
            notebook.expect(Named::Template, name);
            notebook.gap(Named::Template);
        }
        Role::Readings => notebook.gap(Named::Reading),
        Role::Folder(path) => {
            let inside = match path.as_str() {
                "content" => &[
                    Named::Topic,
                    Named::Contact,
                    Named::Bulletin,
                    Named::Template,
                    Named::Reading,
                    Named::Recording,
                    Named::Picture,
                ][..],
                "content/bulletins" => &[Named::Bulletin],
                "content/templates" => &[Named::Template],
                "content/recordings" => &[Named::Recording],
                "content/pictures" => &[Named::Picture],
                "schedules" => &[Named::Schedule, Named::Day],
                "channels" => &[Named::Ward, Named::Channel, Named::Recipe],
                "channels/recipes" => &[Named::Recipe],
                _ => &[],
            };
            for sort in inside {
                notebook.gap(*sort);
            }
        }
        Role::Recording(file) => notebook.expect(Named::Recording, file),
        Role::Picture(file) => notebook.expect(Named::Picture, file),
        // Nothing refers to rules.
        Role::Policy | Role::Stray => {}
    }
}
