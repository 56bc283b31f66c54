//! From what people wrote to what runs: secrets resolved, the database found, the environment read.
//!
//! The only place that reads environment variables. Values of secrets leave it only as [`Secret`].

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    adapter::{
        registry::{ChannelProblem, Registry},
        transport::Route,
    },
    audio::Home,
    domain::{
        detail::{Detail, cause},
        secret::{Secret, SecretRef},
        settings::{DatabaseSetting, Settings},
        workspace::Workspace,
    },
    store::World,
};

/// Why a secret cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// The variable is not set, or not text.
    #[error("the environment variable {0} is not set")]
    NoVariable(String),
    /// The file cannot be read.
    #[error("the secret file {path} cannot be read: {problem}")]
    NoFile {
        /// As written in the workspace.
        path: String,
        /// What the operating system said, as details have it.
        problem: String,
    },
}

impl SecretError {
    /// What people are told, in the reader's language; for records.
    #[must_use]
    pub fn told(&self) -> Detail {
        match self {
            Self::NoVariable(name) => Detail::new("secret-no-variable").with("variable", name),
            Self::NoFile { path, problem } => Detail::new("secret-no-file")
                .with("file", path)
                .with("problem", problem),
        }
    }
}

/// Resolves references to secrets. Clones resolve alike.
#[derive(Clone)]
pub struct Secrets {
    resolve: Arc<Resolve>,
    root: PathBuf,
    world: World,
}

type Resolve = dyn Fn(&SecretRef) -> Result<Secret, SecretError> + Send + Sync;

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets(…)")
    }
}

impl Secrets {
    /// From the environment and from files relative to `root`. In the simulated world every secret exists and is worth
    /// nothing, so that a newcomer needs none and a real one is never read.
    #[must_use]
    pub fn of(root: &Path, world: World) -> Self {
        let folder = root.to_owned();
        let resolve: Arc<Resolve> = match world {
            World::Real => Arc::new(move |reference| read_secret(&folder, reference)),
            World::Simulated => Arc::new(|_| Ok(Secret::simulated())),
        };
        Self {
            resolve,
            root: root.to_owned(),
            world,
        }
    }

    /// The value behind `reference`.
    ///
    /// # Errors
    /// [`SecretError`] when there is none.
    pub fn resolve(&self, reference: &SecretRef) -> Result<Secret, SecretError> {
        (self.resolve)(reference)
    }

    /// The adapters of the workspace's channels, and why some have none.
    #[must_use]
    pub fn registry(&self, workspace: &Workspace) -> (Registry, Vec<ChannelProblem>) {
        match self.world {
            World::Real => Registry::new(workspace, &|reference| self.resolve(reference)),
            World::Simulated => Registry::with_stand_ins(workspace, &|_| Secret::simulated()),
        }
    }

    /// Where the workspace's engines and encoders run. They get a few variables of this program's environment and none of
    /// its secrets; in the simulated city no speech service is called.
    #[must_use]
    pub fn home(&self) -> Home {
        Home {
            root: self.root.clone(),
            environment: inherited(),
            route: (self.world == World::Real).then_some(Route::Direct),
        }
    }
}

/// What programs that are started need to be found, to find their files and to know their language.
const INHERITED: [&str; 9] = [
    "PATH",
    "HOME",
    "TMPDIR",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "LD_LIBRARY_PATH",
    "ESPEAK_DATA_PATH",
    "XDG_DATA_HOME",
];

#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the environment"
)]
fn inherited() -> Vec<(OsString, OsString)> {
    INHERITED
        .iter()
        .filter_map(|name| Some(((*name).into(), std::env::var_os(name)?)))
        .collect()
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the environment"
)]
fn read_secret(root: &Path, reference: &SecretRef) -> Result<Secret, SecretError> {
    match reference {
        SecretRef::Env(name) => std::env::var(name)
            .map(Secret::new)
            .map_err(|_| SecretError::NoVariable(name.clone())),
        SecretRef::File(path) => std::fs::read_to_string(root.join(path))
            .map(|text| Secret::new(text.trim().to_owned()))
            .map_err(|error| SecretError::NoFile {
                path: path.clone(),
                problem: cause(&error),
            }),
    }
}

/// Where the database is: what the command line says, else the simulated city's own file, else what `loa.yaml` says.
/// SQLite paths are relative to the workspace.
///
/// # Errors
/// [`SecretError`] when the address is a secret that cannot be had.
pub fn database_url(
    settings: &Settings,
    root: &Path,
    world: World,
    command_line: Option<&str>,
) -> Result<String, SecretError> {
    let url = match (command_line, world, &settings.database) {
        (Some(url), _, _) => url.to_owned(),
        (None, World::Simulated, _) => "sqlite:.loa/simulated.db".to_owned(),
        (None, World::Real, DatabaseSetting::Url(url)) => url.clone(),
        (None, World::Real, DatabaseSetting::Secret(reference)) => Secrets::of(root, world)
            .resolve(reference)?
            .expose()
            .to_owned(),
    };
    let Some(path) = url.strip_prefix("sqlite:") else {
        return Ok(url);
    };
    // A path on the command line is relative to where the person stands; one in a file, to the workspace.
    let base = if command_line.is_some() {
        PathBuf::new()
    } else {
        root.to_owned()
    };
    Ok(format!(
        "sqlite:{}",
        base.join(path.trim_start_matches("//")).display()
    ))
}

/// What `RUST_LOG` says, else `default`.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the environment"
)]
pub fn log_filter(default: &str) -> String {
    std::env::var("RUST_LOG")
        .ok()
        .filter(|filter| !filter.trim().is_empty())
        .unwrap_or_else(|| default.to_owned())
}

/// Whether the reader asked for no colour (`NO_COLOR` set to anything, see no-color.org).
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the environment"
)]
pub fn no_color() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}

/// A name for this process that no other node has: host, process and start.
#[must_use]
pub fn node_name(started_micros: i64) -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host: String = host
        .trim()
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '-')
        .take(32)
        .collect();
    let host = if host.is_empty() {
        "node".to_owned()
    } else {
        host
    };
    format!("{host}.{}.{started_micros:x}", std::process::id())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_come_from_files_and_simulated_ones_are_worth_nothing() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("token"), "hunter2\n").unwrap();
        let reference = SecretRef::File("token".into());
        let real = Secrets::of(folder.path(), World::Real);
        assert_eq!(real.resolve(&reference).unwrap().expose(), "hunter2");
        assert!(matches!(
            real.resolve(&SecretRef::File("none".into())),
            Err(SecretError::NoFile { .. })
        ));
        assert!(matches!(
            real.resolve(&SecretRef::Env("LOA_TEST_NO_SUCH_VARIABLE".into())),
            Err(SecretError::NoVariable(_))
        ));
        let simulated = Secrets::of(folder.path(), World::Simulated);
        assert_ne!(simulated.resolve(&reference).unwrap().expose(), "hunter2");
    }
}
