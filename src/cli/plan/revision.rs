//! A workspace as it was: in another folder, or in a revision of git.
//!
//! `git` is run as a program and asked for an archive, which is read as it comes: nothing is checked out and nothing is
//! written. The name of a revision is typed by people and may come from elsewhere, so it is looked up first, where it
//! cannot be an option, and only the hash that git answers with is used afterwards.

use std::{
    io,
    path::Path,
    process::{Command, Output as Answer, Stdio},
};

use anyhow::{anyhow, bail};

use super::super::output::Output;
use crate::source::{self, Loaded};

/// What people put before a change that they review.
pub(super) struct Revision {
    /// How it is called, with the beginning of its hash where it has one.
    pub name: String,
    /// What was read.
    pub loaded: Loaded,
}

/// Digits of a hash that people are shown.
const SHOWN: usize = 12;

/// Reads the workspace `name`: a folder with a `loa.yaml` in it, or a revision of the repository in which the workspace in
/// `root` lies.
///
/// # Errors
/// When it is neither, git is not there, or it fails.
pub(super) fn read(root: &Path, name: &str, output: &Output) -> anyhow::Result<Revision> {
    let folder = Path::new(name);
    if !name.is_empty() && folder.join("loa.yaml").is_file() {
        return Ok(Revision {
            name: name.to_owned(),
            loaded: source::load(folder),
        });
    }
    let say = |key: &str, args: &[(&str, &dyn std::fmt::Display)]| anyhow!(output.say(key, args));
    let dir = root.display();
    let inside = ask(root, &["rev-parse", "--is-inside-work-tree"], output)?;
    if !inside.status.success() || inside.stdout.trim_ascii() != b"true" {
        let words = String::from_utf8_lossy(&inside.stderr);
        let words = words.lines().next().unwrap_or_default();
        bail!(say(
            "cli.whatif-no-repository",
            &[("name", &name), ("dir", &dir), ("words", &words)]
        ));
    }
    let no_revision = || say("cli.whatif-no-revision", &[("name", &name), ("dir", &dir)]);
    // No revision begins with a hyphen; older gits would take it for an option in spite of `--end-of-options`.
    if name.starts_with('-') || name.is_empty() {
        bail!(no_revision());
    }
    let commit = format!("{name}^{{commit}}");
    let looked_up = [
        "rev-parse",
        "--verify",
        "--quiet",
        "--end-of-options",
        &commit,
    ];
    let found = ask(root, &looked_up, output)?;
    let hash = String::from_utf8_lossy(&found.stdout).trim().to_owned();
    let is_hash = hash.len() >= 40 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !found.status.success() || !is_hash {
        bail!(no_revision());
    }
    let name = format!("{name} ({})", &hash[..SHOWN]);
    let folder = format!("{hash}:./");
    if !ask(root, &["rev-parse", "--verify", "--quiet", &folder], output)?
        .status
        .success()
    {
        bail!(say(
            "cli.whatif-not-there",
            &[("name", &name), ("dir", &dir)]
        ));
    }
    // In a folder of a working tree this is the archive of that folder.
    let mut child = git(root, &["archive", "--format=tar", &hash])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| output.file(Path::new("git"), &error))?;
    let archive = child.stdout.take();
    let loaded = archive.map(|archive| source::load_archive(io::BufReader::new(archive)));
    let ended = child.wait();
    match loaded {
        Some(Ok(loaded)) if ended.is_ok_and(|ended| ended.success()) => {
            Ok(Revision { name, loaded })
        }
        _ => bail!(say("cli.whatif-unreadable", &[("name", &name)])),
    }
}

fn ask(root: &Path, arguments: &[&str], output: &Output) -> anyhow::Result<Answer> {
    match git(root, arguments).output() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            bail!(output.say("cli.whatif-no-git", &[]))
        }
        answer => answer.map_err(|error| output.file(Path::new("git"), &error)),
    }
}

/// Git in the folder `root`, whatever repository a hook that started us works on, and asking nobody anything.
fn git(root: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("git");
    command.arg("-C").arg(root).args(arguments);
    command.stdin(Stdio::null());
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"] {
        command.env_remove(name);
    }
    command
        .env("LC_ALL", "C")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_OPTIONAL_LOCKS", "0");
    command
}
