//! The two databases behind one face: an enum of two concrete drivers, and the macros that write the `match`.
//!
//! A body that goes through [`execute!`] or [`rows!`] is written once and checked by the compiler against both drivers.

use std::{
    io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use sqlx::{
    PgPool, Postgres, Row as _, Sqlite, SqlitePool, Transaction, pool::PoolConnection,
    postgres::PgRow, sqlite::SqliteRow,
};

use super::StoreError;

/// Something of one database or of the other.
#[derive(Debug, Clone)]
pub(super) enum Link<S, P> {
    /// Of SQLite.
    Sqlite(S),
    /// Of PostgreSQL.
    Postgres(P),
}

/// SQLite's pools. Writing goes through one connection, so that writers queue here and not at the file's lock; readers
/// never wait for it.
#[derive(Debug, Clone)]
pub(super) struct SqlitePools {
    /// One connection.
    pub writer: SqlitePool,
    /// A few connections that cannot write.
    pub readers: SqlitePool,
    /// The file that they have open; `None` for what is in memory alone.
    pub place: Option<Arc<Place>>,
}

/// A file by its name and by what the system knows it by.
#[derive(Debug)]
pub(super) struct Place {
    path: PathBuf,
    identity: (u64, u64),
}

impl Place {
    /// The file that has this name now.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        let identity = identity(path)?;
        let path = path.to_owned();
        Ok(Self { path, identity })
    }

    /// Refuses to go on with a file that nobody finds any more: it can be written to as long as it is open, and all of that
    /// is gone with the process.
    fn is_kept(&self) -> Result<(), StoreError> {
        let is_gone = match identity(&self.path) {
            Ok(identity) => identity != self.identity,
            // Whoever may not look cannot tell.
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        };
        if is_gone {
            let path = self.path.clone();
            return Err(StoreError::Gone { path });
        }
        Ok(())
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    std::fs::metadata(path).map(|found| (found.dev(), found.ino()))
}

/// The pools.
pub(super) type Pools = Link<SqlitePools, PgPool>;
/// A connection for reading.
pub(super) type Reader = Link<PoolConnection<Sqlite>, PoolConnection<Postgres>>;
/// A transaction.
pub(super) type Tx = Link<Transaction<'static, Sqlite>, Transaction<'static, Postgres>>;

/// What the contract of a transaction is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Writes.
    Write,
    /// Reads, all at one moment.
    Snapshot,
}

impl SqlitePools {
    /// Begins to write. When a disk is full SQLite ends the transaction by itself, the driver's own ROLLBACK then fails, and
    /// it believes for ever after that a transaction is open. Such a connection is of no use; the next one is.
    async fn write(&self) -> Result<Transaction<'static, Sqlite>, sqlx::Error> {
        const BEGIN: &str = "BEGIN IMMEDIATE";
        match self.writer.begin_with(BEGIN).await {
            Err(sqlx::Error::InvalidSavePointStatement) => {
                self.writer.acquire().await?.close().await?;
                self.writer.begin_with(BEGIN).await
            }
            begun => begun,
        }
    }
}

impl Pools {
    fn is_kept(&self) -> Result<(), StoreError> {
        match self {
            Link::Sqlite(pools) => pools.place.as_ref().map_or(Ok(()), |place| place.is_kept()),
            Link::Postgres(_) => Ok(()),
        }
    }

    /// A connection for reading; it sees all that is committed.
    pub(super) async fn reader(&self) -> Result<Reader, StoreError> {
        self.is_kept()?;
        match self {
            Link::Sqlite(pools) => pools.readers.acquire().await.map(Link::Sqlite),
            Link::Postgres(pool) => pool.acquire().await.map(Link::Postgres),
        }
        .map_err(|source| StoreError::query("acquire", source))
    }

    /// Begins a transaction.
    pub(super) async fn begin(&self, purpose: Purpose) -> Result<Tx, StoreError> {
        self.is_kept()?;
        match (self, purpose) {
            // A deferred transaction that begins to write after it has read fails at once when another process has
            // written in between, in spite of the busy timeout.
            (Link::Sqlite(pools), Purpose::Write) => pools.write().await.map(Link::Sqlite),
            (Link::Sqlite(pools), Purpose::Snapshot) => {
                pools.readers.begin().await.map(Link::Sqlite)
            }
            (Link::Postgres(pool), Purpose::Write) => pool.begin().await.map(Link::Postgres),
            (Link::Postgres(pool), Purpose::Snapshot) => pool
                .begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                .await
                .map(Link::Postgres),
        }
        .map_err(|source| StoreError::query("begin", source))
    }
}

impl Tx {
    /// Makes everything in it durable.
    pub(super) async fn commit(self) -> Result<(), StoreError> {
        match self {
            Link::Sqlite(tx) => tx.commit().await,
            Link::Postgres(tx) => tx.commit().await,
        }
        .map_err(|source| StoreError::query("commit", source))
    }

    /// Forgets everything in it.
    pub(super) async fn rollback(self) -> Result<(), StoreError> {
        match self {
            Link::Sqlite(tx) => tx.rollback().await,
            Link::Postgres(tx) => tx.rollback().await,
        }
        .map_err(|source| StoreError::query("rollback", source))
    }
}

/// Runs a statement on a connection or transaction; gives the number of rows it changed.
macro_rules! execute {
    ($link:expr, $statement:expr $(, $bind:expr)* $(,)?) => {{
        let statement: $crate::store::sql::Statement = $statement;
        match &mut $link {
            $crate::store::link::Link::Sqlite(on) => {
                let query = sqlx::query(statement.sqlite)$(.bind($bind))*;
                query.execute(&mut **on).await.map(|done| done.rows_affected())
            }
            $crate::store::link::Link::Postgres(on) => {
                let query = sqlx::query(statement.postgres)$(.bind($bind))*;
                query.execute(&mut **on).await.map(|done| done.rows_affected())
            }
        }
        .map_err(|source| $crate::store::StoreError::query(statement.name, source))
    }};
}

/// Runs a statement on a connection or transaction and reads each row with an expression over its [`Cells`].
macro_rules! rows {
    ($link:expr, $statement:expr, [$($bind:expr),* $(,)?], |$row:ident| $read:expr) => {{
        let statement: $crate::store::sql::Statement = $statement;
        let result: Result<Vec<_>, $crate::store::StoreError> = match &mut $link {
            $crate::store::link::Link::Sqlite(on) => {
                let query = sqlx::query(statement.sqlite)$(.bind($bind))*;
                match query.fetch_all(&mut **on).await {
                    Ok(rows) => rows.iter().map(|$row| $read).collect(),
                    Err(source) => Err($crate::store::StoreError::query(statement.name, source)),
                }
            }
            $crate::store::link::Link::Postgres(on) => {
                let query = sqlx::query(statement.postgres)$(.bind($bind))*;
                match query.fetch_all(&mut **on).await {
                    Ok(rows) => rows.iter().map(|$row| $read).collect(),
                    Err(source) => Err($crate::store::StoreError::query(statement.name, source)),
                }
            }
        };
        result
    }};
}

pub(super) use {execute, rows};

/// A row's cells by position, typed.
pub(super) trait Cells {
    /// A text.
    fn text(&self, index: usize) -> Result<&str, StoreError>;
    /// A text or nothing.
    fn text_or_null(&self, index: usize) -> Result<Option<&str>, StoreError>;
    /// An integer.
    fn integer(&self, index: usize) -> Result<i64, StoreError>;
    /// An integer or nothing.
    fn integer_or_null(&self, index: usize) -> Result<Option<i64>, StoreError>;
    /// Bytes.
    fn bytes(&self, index: usize) -> Result<&[u8], StoreError>;
    /// Yes or no.
    fn flag(&self, index: usize) -> Result<bool, StoreError>;
}

macro_rules! cells {
    ($row:ty) => {
        impl Cells for $row {
            fn text(&self, index: usize) -> Result<&str, StoreError> {
                self.try_get(index)
                    .map_err(|source| StoreError::Cell { source })
            }
            fn text_or_null(&self, index: usize) -> Result<Option<&str>, StoreError> {
                self.try_get(index)
                    .map_err(|source| StoreError::Cell { source })
            }
            fn integer(&self, index: usize) -> Result<i64, StoreError> {
                self.try_get(index)
                    .map_err(|source| StoreError::Cell { source })
            }
            fn integer_or_null(&self, index: usize) -> Result<Option<i64>, StoreError> {
                self.try_get(index)
                    .map_err(|source| StoreError::Cell { source })
            }
            fn bytes(&self, index: usize) -> Result<&[u8], StoreError> {
                self.try_get(index)
                    .map_err(|source| StoreError::Cell { source })
            }
            fn flag(&self, index: usize) -> Result<bool, StoreError> {
                self.try_get(index)
                    .map_err(|source| StoreError::Cell { source })
            }
        }
    };
}

cells!(SqliteRow);
cells!(PgRow);
