//! Where a command works: which workspace, which world, which database, and what time it is there.

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::bail;
use chrono_tz::Tz;
use indicatif::ProgressBar;

use super::{Findings, Global, output::Output};
use crate::{
    clock::Clock,
    config::{self, Secrets},
    diagnostic::{Diagnostic, render},
    domain::{time::Timestamp, workspace::Workspace},
    source::{self, Loaded},
    store::{Store, StoreError, World},
};

/// A loaded workspace and the world it is used in.
#[derive(Debug)]
pub(super) struct Place {
    /// The workspace's folder.
    pub root: PathBuf,
    /// Real or simulated.
    pub world: World,
    /// The workspace.
    pub workspace: Arc<Workspace>,
    /// Its secrets.
    pub secrets: Secrets,
    /// What `check` has to say of its files.
    pub diagnostics: Vec<Diagnostic>,
    database: String,
    /// Whether the command line names the database, and not the workspace.
    names_database: bool,
}

impl Place {
    /// Loads the workspace. Mistakes are printed and end the command as findings.
    ///
    /// # Errors
    /// [`Findings`] for mistakes in the workspace; others when the database's address is a secret that is missing.
    pub(super) fn load(global: &Global, output: &Output) -> anyhow::Result<Self> {
        let loaded = read(global, output);
        match loaded.workspace {
            Some(workspace) => Self::at(global, workspace, loaded.diagnostics),
            None => Err(refused(&loaded.diagnostics, output)),
        }
    }

    /// The same for a command that reads or closes the record: a mistake in a file must not keep anybody from it. Where there
    /// is one elsewhere than in the settings, standard error says so, and the workspace is what is left of it.
    ///
    /// # Errors
    /// As [`Place::load`], where the settings are not good.
    pub(super) fn of_record(global: &Global, output: &Output) -> anyhow::Result<Self> {
        let loaded = read(global, output);
        match (loaded.workspace, loaded.rest) {
            (Some(workspace), _) => Self::at(global, workspace, loaded.diagnostics),
            (None, Some(rest)) => {
                eprint_text(&output.say("cli.record-in-spite-of-mistakes", &[]));
                Self::at(global, rest, loaded.diagnostics)
            }
            (None, None) => Err(refused(&loaded.diagnostics, output)),
        }
    }

    /// A workspace that is loaded already.
    ///
    /// # Errors
    /// When the database's address is a secret that is missing.
    pub(super) fn of(global: &Global, workspace: Workspace) -> anyhow::Result<Self> {
        Self::at(global, workspace, Vec::new())
    }

    fn at(
        global: &Global,
        workspace: Workspace,
        diagnostics: Vec<Diagnostic>,
    ) -> anyhow::Result<Self> {
        let world = global.world();
        let database = config::database_url(
            &workspace.settings,
            &global.dir,
            world,
            global.database.as_deref(),
        )?;
        Ok(Self {
            root: global.dir.clone(),
            world,
            secrets: Secrets::of(&global.dir, world),
            diagnostics,
            workspace: Arc::new(workspace),
            database,
            names_database: global.database.is_some(),
        })
    }

    /// Opens the database; `exclusive` for a daemon.
    ///
    /// # Errors
    /// The store's.
    pub(super) async fn store(&self, exclusive: bool, output: &Output) -> anyhow::Result<Store> {
        self.tell_name(output);
        Ok(Store::open(&self.database, self.world, exclusive).await?)
    }

    /// Lets later errors name the database.
    fn tell_name(&self, output: &Output) {
        // A command that opens it twice opens the same.
        let _ = output.database.set(Store::name(&self.database));
    }

    /// Opens the database of a command that only reads it, or that needs what is on record. Nothing is made: a mistyped
    /// name must not become an empty log in which everything is in order.
    ///
    /// # Errors
    /// When there is no such database or nothing in it, in the reader's language; else the store's.
    pub(super) async fn record(&self, output: &Output) -> anyhow::Result<Store> {
        if let Some(path) = Store::absent_file(&self.database) {
            let key = match (self.names_database, self.world) {
                (true, _) => "cli.no-database",
                (false, World::Real) => "cli.no-record",
                (false, World::Simulated) => "cli.no-record-simulated",
            };
            bail!(output.say(key, &[("path", &path.display())]));
        }
        self.tell_name(output);
        let opened = Store::open_record(&self.database, self.world).await;
        if let Err(StoreError::Empty) = opened {
            let key = if self.names_database {
                "cli.empty-database"
            } else {
                "cli.empty-record"
            };
            bail!(output.say(key, &[("name", &Store::name(&self.database))]));
        }
        Ok(opened?)
    }

    /// Opens the database of a command that puts something on record, or that has something to say before anything is there. The
    /// workspace's own may be made, because approving comes before the first run; a file that was named has to be there: a
    /// mistyped name must not take what was meant for the daemon. A database in which nothing is yet was made by somebody
    /// for this.
    ///
    /// # Errors
    /// As [`Place::record`].
    pub(super) async fn desk(&self, output: &Output) -> anyhow::Result<Store> {
        if self.names_database && Store::absent_file(&self.database).is_some() {
            return self.record(output).await;
        }
        self.store(false, output).await
    }

    /// Opens the database of a command that only reads it and has something to say before anything is there. Where there is none, that is
    /// a database of nothing: what only looks makes no file.
    ///
    /// # Errors
    /// As [`Place::record`], where the database was named.
    pub(super) async fn reading(&self, output: &Output) -> anyhow::Result<Store> {
        if Store::absent_file(&self.database).is_some() {
            if self.names_database {
                return self.record(output).await;
            }
            return Ok(Store::nothing(self.world).await?);
        }
        self.tell_name(output);
        match Store::open_record(&self.database, self.world).await {
            Err(StoreError::Empty) => Ok(Store::nothing(self.world).await?),
            opened => Ok(opened?),
        }
    }

    /// The same for a command that only has more to say where there is one: `None` where nothing has run yet.
    ///
    /// # Errors
    /// As [`Place::record`].
    pub(super) async fn record_if_any(&self, output: &Output) -> anyhow::Result<Option<Store>> {
        let begins = !self.names_database && Store::absent_file(&self.database).is_some();
        if begins {
            return Ok(None);
        }
        self.record(output).await.map(Some)
    }

    /// What time it is here, for a command that wants nothing else of the record. A simulated city that has not run yet stands at
    /// its beginning.
    ///
    /// # Errors
    /// As [`Place::record`], where the database was named.
    pub(super) async fn moment(&self, output: &Output) -> anyhow::Result<Timestamp> {
        let begins = !self.names_database && Store::absent_file(&self.database).is_some();
        match self.world {
            World::Real => Ok(Clock::system().now()),
            World::Simulated if begins => Ok(self.workspace.settings.simulate_start),
            World::Simulated => self.now(&self.record(output).await?).await,
        }
    }

    /// The installation's zone.
    #[must_use]
    pub(super) fn zone(&self) -> Tz {
        self.workspace.settings.zone
    }

    /// What time it is here: the system's, or the last instant of the simulated city.
    ///
    /// # Errors
    /// The store's.
    pub(super) async fn now(&self, store: &Store) -> anyhow::Result<Timestamp> {
        Ok(match self.world {
            World::Real => Clock::system().now(),
            World::Simulated => store
                .last_instant()
                .await?
                .unwrap_or(self.workspace.settings.simulate_start),
        })
    }
}

fn read(global: &Global, output: &Output) -> Loaded {
    let progress = progress(&output.say("cli.loading", &[]));
    // What time it is in a simulated city its database says.
    let loaded = match global.world() {
        World::Real => source::load_from(&global.dir, Clock::system().now()),
        World::Simulated => source::load(&global.dir),
    };
    progress.finish_and_clear();
    loaded
}

/// Prints the mistakes that keep a command from its work.
fn refused(mistakes: &[Diagnostic], output: &Output) -> anyhow::Error {
    eprint_text(&render::to_text(mistakes, output.lang, output.color));
    Findings(output.say("cli.workspace-has-mistakes", &[])).into()
}

/// A sign of life on a terminal for what takes longer than a second.
#[must_use]
pub(super) fn progress(text: &str) -> ProgressBar {
    let bar = ProgressBar::new_spinner().with_message(text.to_owned());
    bar.enable_steady_tick(Duration::from_secs(1));
    bar
}

/// Writes text for people to standard error.
#[expect(
    clippy::print_stderr,
    reason = "the one place where commands talk beside their output"
)]
pub(super) fn eprint_text(text: &str) {
    eprintln!("{}", text.trim_end());
}
