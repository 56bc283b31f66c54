//! Every statement, by name. No other file holds SQL.
//!
//! One text serves both databases. Where a statement takes a batch, the batch is one JSON parameter, and `batch!`
//! writes the only part that differs: `jsonb_each` on SQLite (three times as quick as `json_each`, whose objects are parsed
//! again for each column), `json_to_recordset` on PostgreSQL. Only what locks
//! (`FOR UPDATE`) has two texts, side by side. Parameters whose type PostgreSQL cannot see are cast.

/// A statement under its name, for both databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statement {
    /// Its constant's name, for errors.
    pub name: &'static str,
    /// The text for SQLite.
    pub sqlite: &'static str,
    /// The text for PostgreSQL.
    pub postgres: &'static str,
}

/// One text for both databases.
macro_rules! one {
    ($($text:expr),+ $(,)?) => { (concat!($($text),+), concat!($($text),+)) };
}

/// A statement over a batch: `$1` is a JSON array of objects, seen as the table `batch` with the columns named here.
macro_rules! batch {
    ([$first:ident $first_type:ident $(, $column:ident $type:ident)*] $text:expr) => {
        (
            concat!(
                "WITH batch AS (SELECT value->>'", stringify!($first), "' AS ", stringify!($first),
                $(", value->>'", stringify!($column), "' AS ", stringify!($column),)*
                " FROM jsonb_each($1)) ", $text
            ),
            concat!(
                "WITH batch AS (SELECT * FROM json_to_recordset(CAST($1 AS JSON)) AS r(",
                stringify!($first), " ", stringify!($first_type),
                $(", ", stringify!($column), " ", stringify!($type),)*
                ")) ", $text
            ),
        )
    };
}

/// A statement over a list: `$1` is a JSON array of strings, seen as the table `list` with the column `item`.
macro_rules! list {
    ($text:expr) => {
        (
            concat!("WITH list AS (SELECT value AS item FROM json_each($1)) ", $text),
            concat!("WITH list AS (SELECT value AS item FROM json_array_elements_text(CAST($1 AS JSON))) ", $text),
        )
    };
}

/// A statement over pairs: `$1` is a JSON object, seen as the table `pairs` with the columns `item` and `number`. SQLite takes
/// an object apart for a fraction of what values out of an array of objects cost.
macro_rules! pairs {
    ($text:expr) => {
        (
            concat!(
                "WITH pairs AS (SELECT key AS item, value AS number FROM json_each($1)) ",
                $text
            ),
            concat!(
                "WITH pairs AS (SELECT key AS item, CAST(value AS BIGINT) AS number
                FROM json_each_text(CAST($1 AS JSON))) ",
                $text
            ),
        )
    };
}

/// A state, tested on a row that was found by its id. Written so that PostgreSQL cannot take the partial index of that
/// state instead of the primary key: with statistics from a quieter hour it takes it for nearly empty, and then walks
/// through all of it for each row of a batch.
macro_rules! is_in_state {
    ($state:literal) => {
        concat!("(delivery.state || '') = '", $state, "'")
    };
}

/// Unfinished delivery `e` comes before `d` on their channel. An emergency waits behind no less than an emergency, and nothing behind
/// what is held until a contact is verified again: that can take as long as a page may be late. A correction of what is read waits
/// only behind its own bulletin: another one may be held until the morning or for its quota, and readers have the wrong words meanwhile.
/// What is heard has its times.
macro_rules! stands_before {
    () => {
        "(e.due_us, e.id) < (d.due_us, d.id) AND e.reason IS DISTINCT FROM 'contact'
            AND (d.priority <> 'emergency' OR e.priority = 'emergency')
            AND (d.length_us IS NOT NULL OR substr(d.schedule, 1, 16) <> 'send.correction.'
                OR e.bulletin IS NOT DISTINCT FROM d.bulletin)"
    };
}

/// Declares statements and lists them in `ALL`.
macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $texts:expr;)+) => {
        $(
            $(#[$doc])*
            pub const $name: $crate::store::sql::Statement = {
                let (sqlite, postgres) = $texts;
                $crate::store::sql::Statement { name: stringify!($name), sqlite, postgres }
            };
        )+

        /// Every statement of this file.
        pub const ALL: &[$crate::store::sql::Statement] = &[$($name),+];
    };
}

pub mod account;
pub mod air;
pub mod approval;
pub mod audio;
pub mod deliver;
pub mod health;
pub mod pause;
pub mod picture;
pub mod plan;
pub mod progress;
pub mod read;
pub mod silence;

/// Every statement there is, file by file.
pub const ALL: [&[Statement]; 12] = [
    account::ALL,
    air::ALL,
    plan::ALL,
    approval::ALL,
    audio::ALL,
    deliver::ALL,
    health::ALL,
    pause::ALL,
    picture::ALL,
    progress::ALL,
    read::ALL,
    silence::ALL,
];

/// The two migration folders hold files of the same names: version, name, text for SQLite, text for PostgreSQL. Versions only
/// ascend; there was never a 5.
pub const MIGRATIONS: &[(i64, &str, &str, &str)] = &[
    (
        1,
        "begin",
        include_str!("../../migrations/sqlite/0001_begin.sql"),
        include_str!("../../migrations/postgres/0001_begin.sql"),
    ),
    (
        2,
        "approval",
        include_str!("../../migrations/sqlite/0002_approval.sql"),
        include_str!("../../migrations/postgres/0002_approval.sql"),
    ),
    (
        3,
        "audio",
        include_str!("../../migrations/sqlite/0003_audio.sql"),
        include_str!("../../migrations/postgres/0003_audio.sql"),
    ),
    (
        4,
        "pause",
        include_str!("../../migrations/sqlite/0004_pause.sql"),
        include_str!("../../migrations/postgres/0004_pause.sql"),
    ),
    (
        6,
        "silence",
        include_str!("../../migrations/sqlite/0006_silence.sql"),
        include_str!("../../migrations/postgres/0006_silence.sql"),
    ),
    (
        7,
        "health",
        include_str!("../../migrations/sqlite/0007_health.sql"),
        include_str!("../../migrations/postgres/0007_health.sql"),
    ),
    (
        8,
        "account",
        include_str!("../../migrations/sqlite/0008_account.sql"),
        include_str!("../../migrations/postgres/0008_account.sql"),
    ),
    (
        9,
        "progress",
        include_str!("../../migrations/sqlite/0009_progress.sql"),
        include_str!("../../migrations/postgres/0009_progress.sql"),
    ),
    (
        10,
        "spoilt",
        include_str!("../../migrations/sqlite/0010_spoilt.sql"),
        include_str!("../../migrations/postgres/0010_spoilt.sql"),
    ),
    (
        11,
        "picture",
        include_str!("../../migrations/sqlite/0011_picture.sql"),
        include_str!("../../migrations/postgres/0011_picture.sql"),
    ),
    (
        12,
        "latest",
        include_str!("../../migrations/sqlite/0012_latest.sql"),
        include_str!("../../migrations/postgres/0012_latest.sql"),
    ),
    (
        13,
        "silence_detail",
        include_str!("../../migrations/sqlite/0013_silence_detail.sql"),
        include_str!("../../migrations/postgres/0013_silence_detail.sql"),
    ),
    (
        14,
        "screen",
        include_str!("../../migrations/sqlite/0014_screen.sql"),
        include_str!("../../migrations/postgres/0014_screen.sql"),
    ),
    (
        15,
        "quota",
        include_str!("../../migrations/sqlite/0015_quota.sql"),
        include_str!("../../migrations/postgres/0015_quota.sql"),
    ),
];
