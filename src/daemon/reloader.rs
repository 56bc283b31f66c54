//! Brings in edits: on SIGHUP, when a file changes, and once a minute in case nobody told (network shares do not).
//!
//! A workspace with mistakes changes nothing: the one in force stays, and the mistakes are logged and shown.

use std::{os::unix::fs::MetadataExt as _, path::PathBuf, sync::Arc, time::Duration};

use notify::RecursiveMode;
use notify_debouncer_full::{DebounceEventResult, new_debouncer};
use tokio::sync::{Notify, Semaphore, watch};

use super::{Shared, live::Live, liveness};
use crate::{
    catalogue::Lang,
    config::Secrets,
    diagnostic::{Diagnostic, Severity, render},
    domain::{time::Timestamp, workspace::Workspace},
    source::{self, Loaded},
};

/// Several writes of one save come in one.
const SETTLE: Duration = Duration::from_millis(300);

/// How often files are looked at without being told, in real time.
const RESCAN: Duration = Duration::from_mins(1);

/// How long reading the files may take, in real time: a network drive that does not answer is no reason to stop looking.
const PATIENCE: Duration = Duration::from_mins(1);

/// What a reload needs besides what all loops share.
#[derive(Debug, Clone)]
pub struct Reloader {
    /// The workspace's folder.
    pub root: PathBuf,
    /// Resolves the new channels' secrets.
    pub secrets: Secrets,
    /// Set by whoever wants a reload now (the signal's owner).
    pub wanted: Arc<Notify>,
    /// Approves what is edited in a simulated city, where nobody else would.
    pub sample_approver: bool,
    /// Why the files as they lie there are not in force; `None` when they are.
    pub refused: watch::Sender<Option<Refused>>,
    /// In which language mistakes are logged.
    pub lang: Lang,
    /// Set by the watcher of the files.
    touched: Arc<Notify>,
    /// Held while files are read: one that hangs is given up and not joined by a second.
    reading: Arc<Semaphore>,
}

/// Files with mistakes, beside a workspace that goes on.
#[derive(Debug, Clone, PartialEq)]
pub struct Refused {
    /// Since when the files in force are no longer those that lie there.
    pub since: Timestamp,
    /// What is wrong, as it was last read.
    pub mistakes: Vec<Diagnostic>,
}

impl Reloader {
    /// For the workspace at `root`.
    #[must_use]
    pub fn new(root: PathBuf, secrets: Secrets) -> Self {
        Self {
            root,
            secrets,
            wanted: Arc::new(Notify::new()),
            sample_approver: false,
            refused: watch::Sender::new(None),
            lang: Lang::default(),
            touched: Arc::new(Notify::new()),
            reading: Arc::new(Semaphore::new(1)),
        }
    }

    /// Reloads when there is a reason to, until told to stop.
    pub async fn run(self, shared: Shared) {
        let mut watcher = None;
        let mut watched = None;
        while !shared.stop.soft.is_cancelled() {
            let folders = tokio::select! {
                () = shared.stop.soft.cancelled() => break,
                folders = self.folders() => folders,
            };
            if folders.is_some() && folders != watched {
                watcher = self.watch();
                if watcher.is_none() {
                    tracing::warn!(
                        "files are not watched; edits are noticed within a minute or on SIGHUP"
                    );
                } else if watched.is_some() {
                    // What changed before the new folders were watched.
                    self.touched.notify_one();
                }
                watched = folders;
            }
            let elapsed = tokio::time::timeout(RESCAN, self.touched.notified());
            tokio::select! {
                () = shared.stop.soft.cancelled() => break,
                () = self.wanted.notified() => self.reload_as(&shared, true).await,
                _ = elapsed => self.reload(&shared).await,
            }
        }
        drop(watcher);
    }

    /// What the system knows the watched folders by: another folder that takes the name of one is not the one watched. `None`
    /// when that cannot be told now.
    async fn folders(&self) -> Option<Vec<Option<(u64, u64)>>> {
        let permit = self.reading.clone().try_acquire_owned().ok()?;
        let root = self.root.clone();
        let looking = tokio::task::spawn_blocking(move || {
            let _held = permit;
            let identity = |(folder, _): &(&str, bool)| {
                let found = std::fs::metadata(root.join(folder)).ok()?;
                Some((found.dev(), found.ino()))
            };
            source::WATCHED.iter().map(identity).collect()
        });
        tokio::time::timeout(PATIENCE, looking).await.ok()?.ok()
    }

    /// Loads the files again and takes them if they are good and different. At a stop, what is being read is left alone:
    /// nothing has changed yet.
    pub async fn reload(&self, shared: &Shared) {
        self.reload_as(shared, false).await;
    }

    /// The same; whoever asked for it hears of it though nothing is new.
    pub async fn reload_as(&self, shared: &Shared, asked: bool) {
        let loaded = tokio::select! {
            () = shared.stop.soft.cancelled() => return,
            loaded = self.load(shared.clock.now()) => loaded,
        };
        match loaded {
            Loaded {
                workspace: Some(workspace),
                ..
            } => self.take(shared, workspace, asked).await,
            Loaded {
                diagnostics,
                contacts,
                ..
            } => {
                if let Some(contacts) = contacts {
                    shared.latest.send_replace(Some(Arc::new(contacts)));
                    shared.look_at_contacts();
                }
                self.refuse(shared, diagnostics, asked).await;
            }
        }
    }

    /// Reads the files, unless that takes too long, or what took too long is still being read.
    async fn load(&self, now: Timestamp) -> Loaded {
        let Ok(permit) = self.reading.clone().try_acquire_owned() else {
            return source::too_slow();
        };
        let root = self.root.clone();
        let reading = tokio::task::spawn_blocking(move || {
            let _held = permit;
            source::load_from(&root, now)
        });
        match tokio::time::timeout(PATIENCE, reading).await {
            Ok(loaded) => {
                loaded.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
            }
            Err(_) => source::too_slow(),
        }
    }

    async fn take(&self, shared: &Shared, workspace: Workspace, asked: bool) {
        let is_mended = self
            .refused
            .send_if_modified(|refused| refused.take().is_some());
        if shared.live.borrow().workspace.revision == workspace.revision {
            if is_mended {
                tracing::info!("the mistakes are gone; the files are again those in force");
                // The pages hear of it by this line.
                let (now, revision) = (shared.clock.now(), &workspace.revision);
                note(shared, "reload-mended", revision, now).await;
            } else if asked {
                tracing::info!("asked to reload: the files are those in force");
            }
            shared.latest.send_replace(None);
            shared.look_at_contacts();
            return;
        }
        if let Err(error) = shared.transport.adopt(&workspace.settings) {
            let error = &error as &dyn std::error::Error;
            tracing::error!(error, "the edited workspace was not taken");
            return;
        }
        let before = shared.live.borrow().workspace.clone();
        if (&before.settings.database, before.settings.web)
            != (&workspace.settings.database, workspace.settings.web)
        {
            tracing::warn!("another database or web address is used from the next start on");
        }
        let now = shared.clock.now();
        let workspace = Arc::new(workspace);
        let live = Arc::new(Live::new(workspace.clone(), &self.secrets));
        // First the store, then the loops: a loop that sees the new workspace finds it in force, and approved in simulation.
        let stored = async {
            if self.sample_approver {
                super::sample::approve(&shared.store, &live, now).await?;
            }
            shared
                .store
                .keep_versions(live.versions.iter(), now)
                .await?;
            super::pictures::keep(&shared.store, &self.root, &workspace, now).await?;
            liveness::in_force(shared, &live, now).await?;
            shared
                .store
                .journal("reloaded", None, &shared.node, &workspace.revision, now)
                .await
        };
        if let Err(error) = stored.await {
            shared.store_failed("reloader", &error).await;
            self.wanted.notify_one();
            return;
        }
        shared.store_works("reloader");
        tracing::info!(
            revision = workspace.revision,
            "the edited workspace is in force"
        );
        shared.metrics.reloaded("taken");
        shared.workspace.send_replace(workspace);
        shared.live.send_replace(live);
        shared.latest.send_replace(None);
        shared.look_at_contacts();
    }

    async fn refuse(&self, shared: &Shared, diagnostics: Vec<Diagnostic>, asked: bool) {
        let errors: Vec<_> = diagnostics
            .into_iter()
            .filter(|found| found.severity == Severity::Error)
            .collect();
        let before = self.refused.borrow().clone();
        let is_known = before
            .as_ref()
            .is_some_and(|before| before.mistakes == errors);
        if is_known && !asked {
            return;
        }
        for error in &errors {
            tracing::error!(
                place = render::to_line(error, self.lang),
                "the edit has a mistake"
            );
        }
        tracing::error!(
            mistakes = errors.len(),
            "the edited workspace was refused; the one in force stays"
        );
        shared.metrics.reloaded("refused");
        if is_known {
            return;
        }
        let first = errors
            .first()
            .map(|error| render::to_line(error, Lang::Vi))
            .unwrap_or_default();
        let now = shared.clock.now();
        self.refused.send_replace(Some(Refused {
            since: before.map_or(now, |before| before.since),
            mistakes: errors,
        }));
        note(shared, "reload-refused", &first, now).await;
    }

    /// Watches the folders that people edit; `None` when the system cannot.
    fn watch(&self) -> Option<impl Sized + use<>> {
        let touched = self.touched.clone();
        let tell = move |events: DebounceEventResult| {
            // Reading a file is an event too on some systems; a reload reads files.
            let changed =
                events.is_ok_and(|events| events.iter().any(|event| !event.kind.is_access()));
            if changed {
                touched.notify_one();
            }
        };
        let mut debouncer = new_debouncer(SETTLE, None, tell).ok()?;
        for (folder, recursive) in source::WATCHED {
            let mode = if *recursive {
                RecursiveMode::Recursive
            } else {
                RecursiveMode::NonRecursive
            };
            let path = self.root.join(folder);
            if path.is_dir() {
                debouncer.watch(&path, mode).ok()?;
            }
        }
        Some(debouncer)
    }
}

/// Writes a line of the journal, which also tells the pages that something is new.
async fn note(shared: &Shared, event: &str, detail: &str, now: Timestamp) {
    let noted = shared.store.journal(event, None, &shared.node, detail, now);
    if let Err(error) = noted.await {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            event,
            "this could not be written to the journal"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_folder_that_takes_anothers_name_is_another() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        std::fs::create_dir(at("content")).unwrap();
        let secrets = Secrets::of(root.path(), crate::store::World::Simulated);
        let reloader = Reloader::new(root.path().to_owned(), secrets);
        let before = reloader.folders().await.unwrap();
        std::fs::write(at("content/a.yaml"), "a").unwrap();
        assert_eq!(reloader.folders().await.as_ref(), Some(&before), "an edit");
        std::fs::rename(at("content"), at("old")).unwrap();
        let without = reloader.folders().await.unwrap();
        assert_ne!(without, before);
        std::fs::create_dir(at("content")).unwrap();
        let after = reloader.folders().await.unwrap();
        assert!(after != before && after != without);
        // While files are read nothing can be told.
        let _reading = reloader.reading.acquire().await.unwrap();
        assert_eq!(reloader.folders().await, None);
    }
}
