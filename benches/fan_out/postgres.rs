//! A private PostgreSQL in a temporary directory, on a Unix socket only, with the settings that its package ships:
//! what is committed is on the disk.

use std::{
    fs,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, bail};
use tempfile::TempDir;

/// The user that the server runs as when this runs as root, which it refuses.
const USER: &str = "postgres";

/// A running server; stopped and removed with the value.
#[derive(Debug)]
pub(crate) struct Cluster {
    directory: TempDir,
    programs: PathBuf,
    /// The user and group that the server runs as, when they are not our own.
    user: Option<(u32, u32)>,
    pid: u32,
}

impl Cluster {
    /// Makes and starts one.
    pub(crate) fn start() -> anyhow::Result<Self> {
        let programs = programs()
            .context("no /usr/lib/postgresql/*/bin/initdb: apt-get install postgresql")?;
        let directory = tempfile::Builder::new().prefix("loa-bench-pg-").tempdir()?;
        let user = server_user()?;
        if let Some((user, group)) = user {
            std::os::unix::fs::chown(directory.path(), Some(user), Some(group))?;
        }
        let mut cluster = Self {
            directory,
            programs,
            user,
            pid: 0,
        };
        let (data, log) = (cluster.path("data"), cluster.path("log"));
        let settings = format!(
            "-c listen_addresses='' -c unix_socket_directories='{}'",
            cluster.directory.path().display()
        );
        cluster.run(
            "initdb",
            &[
                "-D",
                &data,
                "-U",
                USER,
                "--auth=trust",
                "--encoding=UTF8",
                "--no-locale",
            ],
        )?;
        cluster.run(
            "pg_ctl",
            &["start", "-w", "-D", &data, "-l", &log, "-o", &settings],
        )?;
        let pid = fs::read_to_string(Path::new(&data).join("postmaster.pid"))?;
        cluster.pid = pid
            .lines()
            .next()
            .context("an empty postmaster.pid")?
            .parse()?;
        Ok(cluster)
    }

    /// The server's first process.
    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// Makes an empty database and gives its address.
    pub(crate) fn database(&self, name: &str) -> anyhow::Result<String> {
        let socket = self.directory.path().display();
        self.run(
            "createdb",
            &[
                "-h",
                &socket.to_string(),
                "-U",
                USER,
                "--template=template0",
                name,
            ],
        )?;
        Ok(format!(
            "postgres:///{name}?host={socket}&user={USER}&sslmode=disable"
        ))
    }

    fn path(&self, name: &str) -> String {
        self.directory.path().join(name).display().to_string()
    }

    fn run(&self, program: &str, arguments: &[&str]) -> anyhow::Result<()> {
        let mut command = Command::new(self.programs.join(program));
        command.args(arguments).current_dir("/").env("LC_ALL", "C");
        // A server that is started keeps what it inherits: a pipe would never end.
        let said = tempfile::tempfile()?;
        command
            .stdin(std::process::Stdio::null())
            .stdout(said.try_clone()?)
            .stderr(said.try_clone()?);
        if let Some((user, group)) = self.user {
            command.uid(user).gid(group);
        }
        let status = command
            .status()
            .with_context(|| format!("{program} cannot be run"))?;
        if !status.success() {
            bail!("{program} ended with {status}:\n{}", read(said)?);
        }
        Ok(())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if self.pid != 0 {
            // nobody is left to tell; a server whose directory goes away, as it does now, ends by itself
            let _ = self.run(
                "pg_ctl",
                &["stop", "-w", "-m", "immediate", "-D", &self.path("data")],
            );
        }
    }
}

fn read(mut file: fs::File) -> anyhow::Result<String> {
    use std::io::{Read as _, Seek as _};
    let mut text = String::new();
    file.rewind()?;
    file.read_to_string(&mut text)?;
    Ok(text)
}

/// Where the newest installed server's programs are.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
    let newest = versions
        .filter_map(|entry| {
            Some((
                entry.file_name().to_str()?.parse::<u32>().ok()?,
                entry.path().join("bin"),
            ))
        })
        .filter(|(_, programs)| programs.join("initdb").exists())
        .max()?;
    Some(newest.1)
}

/// The server's user and group when this runs as root.
fn server_user() -> anyhow::Result<Option<(u32, u32)>> {
    use std::os::unix::fs::MetadataExt as _;
    if fs::metadata("/proc/self")?.uid() != 0 {
        return Ok(None);
    }
    let users = fs::read_to_string("/etc/passwd")?;
    let line = users
        .lines()
        .find_map(|line| line.strip_prefix(USER)?.strip_prefix(':'));
    let mut fields = line
        .context("there is no user postgres")?
        .split(':')
        .skip(1);
    let mut number = || {
        fields
            .next()
            .and_then(|field| field.parse().ok())
            .context("a strange /etc/passwd")
    };
    Ok(Some((number()?, number()?)))
}
