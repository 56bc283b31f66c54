//! The store: one SQL text for SQLite (embedded) and PostgreSQL (several nodes), and all that is known to have happened.
//!
//! `Store` is a struct, not a trait: tests use a real database. Every statement is a named constant in `store/sql.rs`.
//! No transaction is ever open while a call to a channel is under way. `now` is always a parameter.

pub mod account;
mod ahead;
pub mod air;
pub mod airtime;
pub mod approval;
pub mod audio;
mod batch;
pub mod defect;
mod deliver;
mod end;
pub mod health;
mod journal;
mod link;
mod node;
mod open;
pub mod pause;
pub mod picture;
mod plan;
mod prepare;
pub mod progress;
mod quota;
mod read;
pub mod row;
pub mod silence;
pub mod sql;

pub use end::Publication;

use std::{fs::File, path::PathBuf, sync::Arc, time::Duration};

use sqlx::migrate::MigrateError;
use tokio::sync::watch;

use crate::domain::{
    delivery::{Evidence, Outcome, Reason, State},
    id::{BulletinId, ChannelId, DeliveryId, ScheduleId, WardId},
    message::ContentHash,
    time::Timestamp,
    version::VersionHash,
};
use link::{Pools, rows};

/// Which world a database belongs to. It is written into the database when it is made and never changes, so that a
/// simulated broadcast cannot be taken for a real one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum World {
    /// Real channels.
    Real,
    /// The simulated city.
    Simulated,
}

impl World {
    /// The word in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Real => "real",
            Self::Simulated => "simulated",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Real, Self::Simulated]
            .into_iter()
            .find(|world| world.as_str() == text)
    }
}

/// What stands between us and PostgreSQL, as far as it can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obstacle {
    /// Nobody listens there.
    Refused,
    /// There is no such host.
    NoAddress,
    /// No answer came.
    Timeout,
    /// The user or the password is wrong, or that user may not come from here.
    Login,
    /// The server has no such database.
    NoDatabase,
    /// Something else; the source says what.
    Other,
}

impl Obstacle {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Refused,
        Self::NoAddress,
        Self::Timeout,
        Self::Login,
        Self::NoDatabase,
        Self::Other,
    ];

    /// A word for it, as in the catalogue.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::NoAddress => "no-address",
            Self::Timeout => "timeout",
            Self::Login => "login",
            Self::NoDatabase => "no-database",
            Self::Other => "other",
        }
    }
}

/// Why the store could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The address is neither SQLite's nor PostgreSQL's.
    #[error("a database address begins with `sqlite:` or `postgres:`")]
    Scheme,
    /// A sign in the user's name or password ends it before its time, for it is not percent-encoded. The address is not kept here:
    /// it holds a password.
    #[error("a sign in the user or password of the database's address has to be percent-encoded")]
    Unescaped,
    /// PostgreSQL's address cannot be read.
    #[error("the database's address cannot be read")]
    Address {
        /// Why; without the address.
        #[source]
        source: sqlx::Error,
    },
    /// There is nothing in the database, and whoever opens it only wants to read.
    #[error("the database is empty")]
    Empty,
    /// The directory or the lock file could not be made.
    #[error("{path} could not be made", path = path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The database's file was removed, renamed or replaced while it was open.
    #[error("{path} is no longer the database that was opened", path = path.display())]
    Gone {
        /// Which.
        path: PathBuf,
    },
    /// Another daemon works on this file.
    #[error("another process holds {path}", path = path.display())]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// The database could not be reached or opened.
    #[error("the database could not be opened")]
    Connect {
        /// Why.
        #[source]
        source: sqlx::Error,
    },
    /// PostgreSQL did not let us in.
    #[error("the database {address} could not be reached")]
    Unreachable {
        /// Which: host, port and name, without user and password.
        address: String,
        /// In a word.
        obstacle: Obstacle,
        /// Why.
        #[source]
        source: sqlx::Error,
    },
    /// The tables could not be made or brought up to date.
    #[error("the database could not be brought up to date")]
    Migrate {
        /// Why.
        #[source]
        source: MigrateError,
    },
    /// The database belongs to the other world.
    #[error("the database is {found}, not {expected}", found = found.as_str(), expected = expected.as_str())]
    WrongWorld {
        /// The world that was asked for.
        expected: World,
        /// The world that the database belongs to.
        found: World,
    },
    /// There is no room left to write, on the disk or under the process's limit for files.
    #[error("there is no room left for the database")]
    DiskFull {
        /// The database's own words.
        #[source]
        source: sqlx::Error,
    },
    /// A statement failed.
    #[error("statement {statement} failed")]
    Query {
        /// Its name in `sql.rs`.
        statement: &'static str,
        /// Why.
        #[source]
        source: sqlx::Error,
    },
    /// A cell has another type than its column: a defect of the program, or somebody changed the tables.
    #[error("a cell could not be read")]
    Cell {
        /// Which, and why.
        #[source]
        source: sqlx::Error,
    },
    /// A row holds a value that means nothing.
    #[error("{table}.{column} of {id} holds a value that means nothing")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The row.
        id: String,
    },
}

impl StoreError {
    fn query(statement: &'static str, source: sqlx::Error) -> Self {
        if has_no_room(&source) {
            Self::DiskFull { source }
        } else {
            Self::Query { statement, source }
        }
    }

    fn connect(source: sqlx::Error) -> Self {
        if has_no_room(&source) {
            Self::DiskFull { source }
        } else {
            Self::Connect { source }
        }
    }

    fn migrate(source: MigrateError) -> Self {
        match source {
            MigrateError::Execute(source) | MigrateError::ExecuteMigration(source, _)
                if has_no_room(&source) =>
            {
                Self::DiskFull { source }
            }
            source => Self::Migrate { source },
        }
    }

    /// Whether the database gave the transaction up so that another could go on. Nothing of it is there, and it may be tried
    /// again at once.
    fn is_given_up(&self) -> bool {
        let Self::Query { source, .. } = self else {
            return false;
        };
        let code = source
            .as_database_error()
            .and_then(sqlx::error::DatabaseError::code);
        // PostgreSQL's serialization_failure and deadlock_detected (appendix A of its manual). In SQLite, whose writers queue,
        // there is nothing like it.
        matches!(code.as_deref(), Some("40001" | "40P01"))
    }
}

/// Whether nothing more could be written.
fn has_no_room(error: &sqlx::Error) -> bool {
    let code = error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code);
    // SQLITE_FULL; SQLITE_IOERR_WRITE and SQLITE_IOERR_SHMSIZE, which is all that it says of a limit for files
    // (sqlite.org/rescode.html); PostgreSQL's disk_full (appendix A of its manual).
    matches!(code.as_deref(), Some("13" | "778" | "4874" | "53100"))
}

/// The store. Clones share one set of connections.
#[derive(Debug, Clone)]
pub struct Store {
    pools: Pools,
    lock: Option<Arc<File>>,
    pulse: Arc<watch::Sender<u64>>,
}

/// What planning changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Planned {
    /// Deliveries that are new.
    pub inserted: u64,
    /// Deliveries that an edit changed, or brought back, before they began.
    pub changed: u64,
}

/// A delivery that has to be frozen.
#[derive(Debug, Clone, PartialEq)]
pub struct Unprepared {
    /// The delivery.
    pub id: DeliveryId,
    /// Its bulletin.
    pub bulletin: BulletinId,
    /// Its ward.
    pub ward: WardId,
    /// Its channel.
    pub channel: ChannelId,
    /// The body it carries.
    pub format: crate::domain::bulletin::Format,
    /// Its schedule.
    pub schedule: ScheduleId,
    /// How urgent it is to be: what its bulletin says, or who sends it by hand.
    pub priority: crate::domain::bulletin::Priority,
    /// The instant that its schedule names.
    pub scheduled: Timestamp,
    /// When it is due.
    pub due: Timestamp,
    /// From when on it may not begin any more.
    pub deadline: Timestamp,
    /// When it has to be over, for what is heard.
    pub limit: Option<crate::domain::plan::Limit>,
    /// Which part of a session it is, from 0.
    pub part: u16,
}

/// What became of a delivery that had to be frozen.
#[derive(Debug, Clone, PartialEq)]
pub struct Frozen {
    /// The delivery.
    pub id: DeliveryId,
    /// Its words.
    pub hash: ContentHash,
    /// The host that its channel's calls go to, for limits per host.
    pub host: String,
    /// Whether its adapter can ask the channel "is it already there?".
    pub can_ask: bool,
    /// The approvals that it rests on; `None` where none is wanted.
    pub approved: Option<Approved>,
    /// How long it is heard, as far as that is known better than when it was planned.
    pub length: Option<Duration>,
    /// What a rule for what is heard would refuse if it were not so urgent, as a detail: the journal shows it.
    pub overrides: Option<String>,
    /// When it has to be over because of what is sent by hand, of which the plan knows nothing.
    pub limit: Option<crate::domain::plan::Limit>,
}

/// The approvals that a frozen delivery rests on.
#[derive(Debug, Clone, PartialEq)]
pub struct Approved {
    /// The bulletin, in the version whose words it carries.
    pub bulletin: (BulletinId, VersionHash),
    /// The schedule, in the version that sends it here; `None` for a send by hand, or where schedules need no approval.
    pub schedule: Option<(ScheduleId, VersionHash)>,
    /// How urgent it goes out.
    pub priority: crate::domain::bulletin::Priority,
    /// How many people have to have approved that version of the bulletin for it.
    pub needed: u32,
}

/// A delivery that could be sent now: the first unfinished one of its channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The delivery.
    pub id: DeliveryId,
    /// Its channel.
    pub channel: ChannelId,
    /// The host that its calls go to.
    pub host: String,
    /// Whether it must not be sent twice.
    pub mode: crate::domain::channel::Mode,
    /// How urgent it is.
    pub priority: crate::domain::bulletin::Priority,
}

/// What a turn may claim.
#[derive(Debug, Clone, Copy, Default)]
pub struct Room<'a> {
    /// How many deliveries.
    pub in_all: usize,
    /// How many of them may be such that must not be sent twice.
    pub at_most_once: usize,
    /// How many emergencies, whatever else is in hand: they wait for no worker and no host.
    pub emergencies: usize,
    /// Hosts that take nothing more, but emergencies.
    pub full: &'a [String],
    /// The revision that has to be in force; another node may know of channels and addresses that this one does not.
    pub revision: Option<&'a str>,
    /// Channels, ascending, that are left to other nodes until the last seconds before a deadline.
    pub not_here: &'a [ChannelId],
    /// Which bulletins are of which topic, for pauses of topics.
    pub topics: Option<&'a pause::Topics>,
}

impl Room<'_> {
    /// Whether there is none.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.in_all == 0 && self.emergencies == 0
    }
}

/// A delivery that this node has claimed: its attempt is on record as begun.
#[derive(Debug, Clone, PartialEq)]
pub struct Claimed {
    /// The delivery.
    pub id: DeliveryId,
    /// The number of this attempt, from 1.
    pub attempt: u32,
    /// Its schedule.
    pub schedule: ScheduleId,
    /// Its channel.
    pub channel: ChannelId,
    /// Its channel's name.
    pub channel_name: String,
    /// Its ward.
    pub ward: WardId,
    /// Its ward's name.
    pub ward_name: String,
    /// How urgent it is.
    pub priority: crate::domain::bulletin::Priority,
    /// When it is due.
    pub due: Timestamp,
    /// When its sending must have begun.
    pub deadline: Timestamp,
    /// Until when another place may be found for a further try that has no time left here; its deadline where none is looked for.
    pub latest: Timestamp,
    /// Its words.
    pub hash: ContentHash,
    /// The host that its calls go to.
    pub host: String,
    /// How doubt is treated.
    pub mode: crate::domain::channel::Mode,
    /// Whether its adapter can ask.
    pub can_ask: bool,
    /// Whether an earlier attempt may have arrived.
    pub doubt: bool,
    /// When this attempt began.
    pub started: Timestamp,
}

/// The end of one attempt.
#[derive(Debug, Clone, PartialEq)]
pub struct Finished {
    /// The delivery.
    pub id: DeliveryId,
    /// The attempt.
    pub attempt: u32,
    /// When it began.
    pub started: Timestamp,
    /// When it ended.
    pub finished: Timestamp,
    /// How it ended.
    pub outcome: Outcome,
    /// Why, unless accepted.
    pub reason: Option<Reason>,
    /// What the operator wants to know beyond the reason: an operating system's words, a status text. At most 300 characters.
    pub detail: Option<String>,
    /// The status of the last answer.
    pub status: Option<u16>,
    /// The first 4 KiB of the last answer, lossily as text.
    pub answer: Option<String>,
    /// The receiver's own reference.
    pub receipt: Option<String>,
    /// The state that follows; `Ready` for another attempt.
    pub next: State,
    /// When another attempt may begin, with `Ready`.
    pub next_at: Option<Timestamp>,
    /// Whether this attempt, or one before it, may have arrived without an answer.
    pub doubt: bool,
    /// Whether there would be another attempt at once or a little later, did its deadline not come before that. With `Ready` it waits for
    /// another place. Else, where what the delivery has to be over for draws that deadline, the record says so beside the reason.
    pub cut_off: bool,
    /// What is known about what was heard.
    pub evidence: Evidence,
    /// Whether its host answered any call of it. That is not put on record.
    pub answered: bool,
}

/// What one turn of the dispatcher gave.
#[derive(Debug, Default)]
pub struct Turn {
    /// Claimed deliveries.
    pub claimed: Vec<Claimed>,
    /// What became of those that a pause silences.
    pub paused: Vec<State>,
    /// Finished attempts whose lease was lost: somebody else has taken over; nothing was written for them but the attempt.
    pub lost: Vec<DeliveryId>,
}

/// A node that has not been heard of for so long is no longer alive.
pub const ALIVE: Duration = Duration::from_mins(1);

/// Which deliveries a reader wants to see. Every filter that is given must hold.
#[derive(Debug, Clone, Default)]
pub struct LogFilter {
    /// Of this ward.
    pub ward: Option<WardId>,
    /// Of this channel.
    pub channel: Option<ChannelId>,
    /// Of this schedule.
    pub schedule: Option<ScheduleId>,
    /// In this state.
    pub state: Option<State>,
    /// Due at or after.
    pub since: Option<Timestamp>,
    /// Due before.
    pub until: Option<Timestamp>,
}

/// Where a page begins: after this row.
#[derive(Debug, Clone, PartialEq)]
pub struct PageKey {
    /// The row's instant.
    pub due: Timestamp,
    /// The row's id.
    pub id: DeliveryId,
}

/// The direction of reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// By instant, oldest first.
    OldestFirst,
    /// By instant, newest first.
    NewestFirst,
}

impl Store {
    /// Opens (and makes) the database at `url` (`sqlite:PATH` or `postgres:…`), applies migrations, and checks that it
    /// belongs to `world`. On SQLite with `exclusive`, takes an operating-system lock beside the file, so that a second
    /// daemon on the same file refuses to start; readers (the command line) open without it.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub async fn open(url: &str, world: World, exclusive: bool) -> Result<Self, StoreError> {
        open::open(url, world, exclusive).await
    }

    /// Opens a database that has been worked on, and makes nothing where there is none.
    ///
    /// # Errors
    /// [`StoreError::Empty`] for one without our tables; else any [`StoreError`].
    pub async fn open_record(url: &str, world: World) -> Result<Self, StoreError> {
        if open::is_empty(url).await? {
            return Err(StoreError::Empty);
        }
        open::open(url, world, false).await
    }

    /// What people call the database at `url`: its file, or host, port and name. Never the password.
    #[must_use]
    pub fn name(url: &str) -> String {
        open::name(url)
    }

    /// The file of the SQLite database at `url`, where there is none yet: opening would make it.
    #[must_use]
    pub fn absent_file(url: &str) -> Option<PathBuf> {
        open::absent_file(url)
    }

    /// Whether no other process can be working on this database: it is a file, and this store holds its lock.
    #[must_use]
    pub fn is_exclusive(&self) -> bool {
        self.lock.is_some()
    }

    /// Changes whenever this process has written something that pages show.
    #[must_use]
    pub fn pulse(&self) -> watch::Receiver<u64> {
        self.pulse.subscribe()
    }

    /// Says that something which pages show was committed.
    fn changed(&self) {
        self.pulse
            .send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// [`StoreError::Query`] when it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let mut reader = self.pools.reader().await?;
        rows!(reader, sql::read::PING, [], |_row| Ok(())).map(|_| ())
    }

    /// Closes the pools; on SQLite also checkpoints and lets go of the lock.
    pub async fn close(&self) {
        self.pools.close().await;
        if let Some(lock) = &self.lock
            && let Err(error) = lock.unlock()
        {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the lock file could not be let go of"
            );
        }
    }
}
