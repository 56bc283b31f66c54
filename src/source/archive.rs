//! The files of a workspace in a tar archive, as `git archive` writes one, read as if they lay in a folder.
//!
//! Nothing is unpacked: an archive of a revision that nobody has looked at yet cannot write anywhere, and nothing is left
//! behind. A symbolic link counts where it leads to something else in the archive.

use std::{
    collections::BTreeMap,
    io::{self, Read},
    path::{Component, Path},
};

use tar::{Archive, EntryType};

use super::files::{self, DEEPEST, Gathered, TOO_LARGE};

/// Reads every file of the workspace in the archive.
pub(super) fn gather(from: impl Read) -> io::Result<Gathered> {
    let mut gathered = Gathered::default();
    let mut links: BTreeMap<String, String> = BTreeMap::new();
    // What is none of our business where it lies, but may be what a link leads to.
    let mut others: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let mut archive = Archive::new(from);
    for entry in archive.entries()? {
        let entry = entry?;
        let Some(path) = inside("", &entry.path()?) else {
            continue;
        };
        match entry.header().entry_type() {
            EntryType::Regular | EntryType::Continuous => {
                let role = files::role(&path).filter(|_| path.split('/').count() <= DEEPEST + 1);
                let is_text = path
                    .rsplit_once('.')
                    .is_some_and(|(_, ending)| matches!(ending, "yaml" | "tera"));
                if let Some(role) = role {
                    let bytes = files::read(entry, files::cap(&role))?;
                    gathered.keep(&path, role, bytes);
                } else if is_text && entry.size() <= TOO_LARGE as u64 {
                    others.insert(path, files::read(entry, TOO_LARGE)?);
                }
            }
            EntryType::Symlink if files::role(&path).is_some() || files::is_read(&path) => {
                let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                let target = entry.link_name()?;
                let target = target.and_then(|target| inside(folder, &target));
                links.insert(path, target.unwrap_or_default());
            }
            _ => {}
        }
    }
    for (link, target) in links {
        follow(&mut gathered, &others, &link, &target);
    }
    Ok(gathered)
}

/// Takes in what the link at `link` leads to.
fn follow(gathered: &mut Gathered, others: &BTreeMap<String, Vec<u8>>, link: &str, target: &str) {
    let below = |path: &String| -> Option<String> {
        let rest = path.strip_prefix(target)?;
        (!target.is_empty() && (rest.is_empty() || rest.starts_with('/')))
            .then(|| format!("{link}{rest}"))
    };
    let ours = gathered.files.iter();
    let found: Vec<(String, Vec<u8>)> = ours
        .chain(others)
        .filter_map(|(path, bytes)| Some((below(path)?, bytes.clone())))
        .collect();
    if found.is_empty() {
        gathered.fail(link, &io::ErrorKind::NotFound.into());
    }
    for (path, bytes) in found {
        if let Some(role) = files::role(&path) {
            gathered.keep(&path, role, bytes);
        }
    }
}

/// `path` as seen from `folder`, with `/`; `None` when it leads out of the archive or is not UTF-8.
fn inside(folder: &str, path: &Path) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::Normal(part) => parts.push(part.to_str()?),
            Component::ParentDir => drop(parts.pop()?),
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::{super::files::Role, *};

    fn archive(entries: &[(&str, Result<&[u8], &str>)]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (path, what) in entries {
            let mut header = tar::Header::new_gnu();
            match what {
                Ok(bytes) => {
                    header.set_size(bytes.len() as u64);
                    header.set_cksum();
                    builder.append_data(&mut header, path, *bytes).unwrap();
                }
                Err(target) => {
                    header.set_entry_type(EntryType::Symlink);
                    header.set_size(0);
                    builder.append_link(&mut header, path, target).unwrap();
                }
            }
        }
        builder.into_inner().unwrap()
    }

    #[test]
    fn what_is_ours_is_read_and_links_count_inside_only() {
        let large = vec![b' '; TOO_LARGE + 1];
        let bytes = archive(&[
            ("loa.yaml", Ok(b"a: 1")),
            ("./schedules/a.yaml", Ok(b"b: 1")),
            ("docs/read.yaml", Ok(b"c: 1")),
            ("bulletins/x.yaml", Ok(b"d: 1")),
            ("shared/loi-chao.tera", Ok(b"e")),
            ("content/templates", Err("../shared")),
            ("content/topics.yaml", Err("../docs/read.yaml")),
            ("content/contacts.yaml", Err("../../secret.yaml")),
            ("channels/wards.yaml", Err("/etc/passwd")),
            ("channels/kenh.yaml", Ok(&large)),
        ]);
        let gathered = gather(&bytes[..]).unwrap();
        let files: Vec<(&str, &[u8])> = gathered
            .files
            .iter()
            .map(|(path, bytes)| (path.as_str(), bytes.as_slice()))
            .collect();
        assert_eq!(
            files,
            [
                ("bulletins/x.yaml", &b""[..]),
                ("content/templates/loi-chao.tera", b"e"),
                ("content/topics.yaml", b"c: 1"),
                ("loa.yaml", b"a: 1"),
                ("schedules/a.yaml", b"b: 1"),
            ]
        );
        assert_eq!(
            gathered.unreadable,
            [Role::Channels, Role::Wards, Role::Contacts]
        );
        assert!(
            gather(&bytes[..700]).is_err(),
            "a broken archive is no empty one"
        );
    }
}
