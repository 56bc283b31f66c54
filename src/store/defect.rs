//! What is the matter with a database, in a word that has a sentence in the catalogue.

use sqlx::{Error, migrate::MigrateError, sqlite::SqliteError};

use super::StoreError;

/// What the database refused or could not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Defect {
    /// The file cannot be opened: a folder, or no permission.
    CannotOpen,
    /// The file is something else.
    NotADatabase,
    /// What is in it makes no sense any more.
    Damaged,
    /// Another process keeps it for itself for longer than we wait, or every connection is taken.
    Busy,
    /// It may be read and not written.
    ReadOnly,
    /// The disk under it does not read or write.
    Disk,
    /// There is no room left.
    Full,
    /// The server has gone away.
    Lost,
    /// A statement failed, for a reason that only the database's own words tell.
    Statement,
}

impl Defect {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::CannotOpen,
        Self::NotADatabase,
        Self::Damaged,
        Self::Busy,
        Self::ReadOnly,
        Self::Disk,
        Self::Full,
        Self::Lost,
        Self::Statement,
    ];

    /// A word for it, as in the catalogue.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CannotOpen => "cannot-open",
            Self::NotADatabase => "not-a-database",
            Self::Damaged => "damaged",
            Self::Busy => "busy",
            Self::ReadOnly => "read-only",
            Self::Disk => "disk",
            Self::Full => "full",
            Self::Lost => "lost",
            Self::Statement => "statement",
        }
    }

    /// What `error` says of the database.
    fn of(error: &Error) -> Self {
        let Some(database) = error.as_database_error() else {
            return match error {
                Error::PoolTimedOut => Self::Busy,
                Error::Io(_) | Error::Tls(_) | Error::Protocol(_) | Error::WorkerCrashed => {
                    Self::Lost
                }
                _ => Self::Statement,
            };
        };
        let code = database.code().unwrap_or_default();
        if database.try_downcast_ref::<SqliteError>().is_some() {
            // The low byte of an extended code is the code itself (sqlite.org/rescode.html).
            match code.parse().map(|code: u32| code & 0xff) {
                Ok(5 | 6) => Self::Busy,
                Ok(3 | 8) => Self::ReadOnly,
                Ok(10) => Self::Disk,
                Ok(11) => Self::Damaged,
                Ok(13) => Self::Full,
                Ok(14) => Self::CannotOpen,
                Ok(26) => Self::NotADatabase,
                _ => Self::Statement,
            }
        } else {
            // Appendix A of PostgreSQL's manual.
            match &*code {
                "25006" | "42501" => Self::ReadOnly,
                "53100" => Self::Full,
                "53300" | "55P03" => Self::Busy,
                "57P01" | "57P02" | "57P03" => Self::Lost,
                "58030" => Self::Disk,
                "XX001" | "XX002" => Self::Damaged,
                code if code.starts_with("08") => Self::Lost,
                _ => Self::Statement,
            }
        }
    }
}

impl StoreError {
    /// What is the matter with the database and its own words for it; `None` where the error is of another sort.
    #[must_use]
    pub fn defect(&self) -> Option<(Defect, &Error)> {
        match self {
            Self::DiskFull { source } => Some((Defect::Full, source)),
            Self::Connect { source } | Self::Query { source, .. } => {
                Some((Defect::of(source), source))
            }
            Self::Migrate {
                source: MigrateError::Execute(source) | MigrateError::ExecuteMigration(source, _),
            } => Some((Defect::of(source), source)).filter(|(defect, _)| {
                // What a statement of the migration itself met is no fault of the place.
                *defect != Defect::Statement
            }),
            _ => None,
        }
    }
}
