//! Opening and closing: addresses, pools, migrations, the world, the lock.

use std::{
    fs::{File, TryLockError},
    io,
    path::{Path, PathBuf},
    str::FromStr as _,
    sync::Arc,
    time::Duration,
};

use sqlx::{
    ConnectOptions as _, Connection as _, PgConnection, PgPool, SqlSafeStr as _,
    migrate::{Migration, MigrationType, Migrator},
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tokio::sync::watch;

use super::{
    Obstacle, Store, StoreError, World,
    link::{Cells as _, Link, Place, Pools, Purpose, SqlitePools, execute, rows},
    sql,
};

/// How long a writer waits for another process.
const BUSY: Duration = Duration::from_secs(5);

/// How long a caller waits for a free connection before it hears that the database does not answer.
const ACQUIRE: Duration = Duration::from_secs(10);

/// Prepared statements a connection keeps: all of them.
const STATEMENTS: usize = 128;

pub(super) async fn open(url: &str, world: World, exclusive: bool) -> Result<Store, StoreError> {
    let (pools, lock) = if let Some(path) = sqlite_file(url) {
        let lock = prepare_file(&path, exclusive)?;
        (Link::Sqlite(open_sqlite(&path).await?), lock)
    } else if is_postgres(url) {
        (Link::Postgres(open_postgres(url).await?), None)
    } else {
        return Err(StoreError::Scheme);
    };
    let store = Store {
        pools,
        lock: lock.map(Arc::new),
        pulse: Arc::new(watch::Sender::new(0)),
    };
    belongs(&store, world).await?;
    Ok(store)
}

fn sqlite_file(url: &str) -> Option<PathBuf> {
    let path = url.strip_prefix("sqlite:")?;
    Some(path.strip_prefix("//").unwrap_or(path).into())
}

pub(super) fn absent_file(url: &str) -> Option<PathBuf> {
    // What cannot be looked at is left to the opening, which says why.
    sqlite_file(url).filter(|path| matches!(path.try_exists(), Ok(false)))
}

/// Makes the directory, and the file where there is none, for nobody but whoever runs this; and takes the lock. The lock is the operating system's: it ends with the process, however that
/// ends.
fn prepare_file(path: &Path, exclusive: bool) -> Result<Option<File>, StoreError> {
    let failed = |path: &Path, source| StoreError::File {
        path: path.to_owned(),
        source,
    };
    if let Some(directory) = path
        .parent()
        .filter(|directory| !directory.as_os_str().is_empty())
    {
        std::fs::create_dir_all(directory).map_err(|source| failed(directory, source))?;
    }
    // The tokens of accounts stand in it. What lies beside it, SQLite makes as readable as the file itself.
    let mut new = File::options();
    new.create_new(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut new, 0o600);
    match new.open(path) {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(source) => return Err(failed(path, source)),
    }
    if !exclusive {
        return Ok(None);
    }
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let name = PathBuf::from(name);
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&name);
    let file = file.map_err(|source| failed(&name, source))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Err(StoreError::Locked { path: name }),
        Err(TryLockError::Error(source)) => Err(failed(&name, source)),
    }
}

/// Whether the database has none of our tables. Nothing is made to find that out; what cannot be looked at is left to the
/// opening, which says why.
pub(super) async fn is_empty(url: &str) -> Result<bool, StoreError> {
    let has = if let Some(path) = sqlite_file(url) {
        let options = SqliteConnectOptions::new().filename(path).read_only(true);
        let Ok(mut connection) = options.connect().await else {
            return Ok(false);
        };
        let has = sqlx::query_scalar(sql::plan::HAS_TABLES.sqlite)
            .fetch_one(&mut connection)
            .await;
        // Whether it says goodbye properly is of no interest.
        let _ = connection.close().await;
        has
    } else if is_postgres(url) {
        let mut connection = knock(&postgres_options(url)?).await?;
        let has = sqlx::query_scalar(sql::plan::HAS_TABLES.postgres)
            .fetch_one(&mut connection)
            .await;
        let _ = connection.close().await;
        has
    } else {
        return Err(StoreError::Scheme);
    };
    Ok(matches!(has, Ok(false)))
}

/// What people call the database: its file, or host, port and name.
pub(super) fn name(url: &str) -> String {
    match (sqlite_file(url), postgres_options(url)) {
        (Some(path), _) => path.display().to_string(),
        (None, Ok(options)) if is_postgres(url) => address(&options),
        _ => "PostgreSQL".to_owned(),
    }
}

fn is_postgres(url: &str) -> bool {
    url.starts_with("postgres:") || url.starts_with("postgresql:")
}

/// The parameters that the driver knows. Anything else after a question mark that is followed by `@` is the rest of a password.
const PARAMETERS: [&str; 18] = [
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "statement-cache-capacity",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
];

/// Whether a `/`, `?` or `#` that was meant for the user or the password ends them: then the `@` behind them stands where
/// none belongs, and what is left of the password would be taken for a host or a database, and be shown as one.
fn ends_early(url: &str) -> bool {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    let Some(end) = rest.find(['/', '?', '#']) else {
        return false;
    };
    let rest = &rest[end..];
    let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let is_odd = |parameter: &str| {
        let key = parameter.split_once('=').map_or("", |(key, _)| key);
        parameter.contains('@') && !PARAMETERS.contains(&key) && !key.starts_with("options[")
    };
    path.contains('@') || fragment.contains('@') || query.split('&').any(is_odd)
}

fn postgres_options(url: &str) -> Result<PgConnectOptions, StoreError> {
    if ends_early(url) {
        return Err(StoreError::Unescaped);
    }
    PgConnectOptions::from_str(url).map_err(|source| StoreError::Address { source })
}

/// Host, port and name, without user and password.
fn address(options: &PgConnectOptions) -> String {
    let database = options.get_database().unwrap_or_default();
    match options.get_socket() {
        Some(socket) => format!("{}/{database}", socket.display()),
        None => format!("{}:{}/{database}", options.get_host(), options.get_port()),
    }
}

async fn open_sqlite(path: &Path) -> Result<SqlitePools, StoreError> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(BUSY)
        .foreign_keys(true)
        .statement_cache_capacity(STATEMENTS)
        .pragma("cache_size", "-4000")
        .pragma("temp_store", "memory")
        .disable_statement_logging();
    let writing = options
        .clone()
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // What a fan-out to ten thousand channels touches; readers look at a page or two.
        .pragma("cache_size", "-16000")
        // Pages in the log, 16 MB, before they are written back: a whole fan-out fits, and is written back once.
        .pragma("wal_autocheckpoint", "4000")
        // FULL: what is committed as begun must not be forgotten by a power cut, or it would be sent twice.
        .synchronous(SqliteSynchronous::Full)
        .optimize_on_close(true, 400);
    let pool = || {
        SqlitePoolOptions::new()
            .acquire_timeout(ACQUIRE)
            .test_before_acquire(false)
    };
    let writer = pool()
        .min_connections(1)
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None);
    let writer = writer
        .connect_with(writing)
        .await
        .map_err(StoreError::connect)?;
    migrator(|(version, name, text, _)| (*version, name, text))
        .run(&writer)
        .await
        .map_err(StoreError::migrate)?;
    let readers = pool()
        .max_connections(4)
        .connect_with(options.read_only(true))
        .await
        .map_err(StoreError::connect)?;
    let place = Place::of(path).map_err(|source| StoreError::File {
        path: path.to_owned(),
        source,
    })?;
    Ok(SqlitePools {
        writer,
        readers,
        place: Some(Arc::new(place)),
    })
}

async fn open_postgres(url: &str) -> Result<PgPool, StoreError> {
    let options = postgres_options(url)?
        .application_name("loa")
        .statement_cache_capacity(STATEMENTS)
        // A node that hangs in a transaction must not hold others up for ever. Compiling these short statements would
        // cost more than running them.
        .options([
            ("idle_in_transaction_session_timeout", "30s"),
            ("jit", "off"),
        ])
        .disable_statement_logging();
    // The pool tries again until its time is up and then only says that it was; this says at once what is wrong.
    // Whether it says goodbye properly is of no interest.
    let _ = knock(&options).await?.close().await;
    let pool = PgPoolOptions::new()
        .max_connections(8)
        .acquire_timeout(ACQUIRE);
    let pool = pool
        .connect_with(options)
        .await
        .map_err(|source| StoreError::Connect { source })?;
    migrator(|(version, name, _, text)| (*version, name, text))
        .run(&pool)
        .await
        .map_err(StoreError::migrate)?;
    Ok(pool)
}

/// Connects once, to hear the cause where that is not possible.
async fn knock(options: &PgConnectOptions) -> Result<PgConnection, StoreError> {
    let connected = tokio::time::timeout(ACQUIRE, PgConnection::connect_with(options)).await;
    let source = match connected {
        Ok(Ok(connection)) => return Ok(connection),
        Ok(Err(source)) => source,
        Err(_) => io::Error::from(io::ErrorKind::TimedOut).into(),
    };
    let obstacle = match &source {
        sqlx::Error::Io(error) => match error.kind() {
            // A socket's file that is not there means the same.
            io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound => Obstacle::Refused,
            io::ErrorKind::TimedOut => Obstacle::Timeout,
            // The resolver's errors have no kind of their own.
            _ if error.raw_os_error().is_none() => Obstacle::NoAddress,
            _ => Obstacle::Other,
        },
        // Appendix A of PostgreSQL's manual.
        sqlx::Error::Database(error) => match error.code().as_deref() {
            Some("28P01" | "28000") => Obstacle::Login,
            Some("3D000") => Obstacle::NoDatabase,
            _ => Obstacle::Other,
        },
        _ => Obstacle::Other,
    };
    Err(StoreError::Unreachable {
        address: address(options),
        obstacle,
        source,
    })
}

type Migrated = (i64, &'static str, &'static str, &'static str);

fn migrator(text: impl Fn(&'static Migrated) -> (i64, &'static str, &'static str)) -> Migrator {
    let migrations = sql::MIGRATIONS
        .iter()
        .map(text)
        .map(|(version, name, text)| {
            Migration::new(
                version,
                name.into(),
                MigrationType::Simple,
                text.into_sql_str(),
                false,
            )
        });
    Migrator::with_migrations(migrations.collect())
}

/// Writes the world into a new database, and refuses one of another world.
async fn belongs(store: &Store, world: World) -> Result<(), StoreError> {
    let mut reader = store.pools.reader().await?;
    let mut found = rows!(reader, sql::plan::WORLD, [], |row| row
        .text(0)
        .map(str::to_owned))?;
    drop(reader);
    if found.is_empty() {
        let mut tx = store.pools.begin(Purpose::Write).await?;
        execute!(tx, sql::plan::WORLD_SET, world.as_str())?;
        found = rows!(tx, sql::plan::WORLD, [], |row| row
            .text(0)
            .map(str::to_owned))?;
        tx.commit().await?;
    }
    let word = found.first().map_or("", String::as_str);
    match World::parse(word) {
        Some(found) if found == world => Ok(()),
        Some(found) => Err(StoreError::WrongWorld {
            expected: world,
            found,
        }),
        None => Err(StoreError::Corrupt {
            table: "meta",
            column: "value",
            id: "world".to_owned(),
        }),
    }
}

impl Store {
    /// A database of nothing, for whoever only reads where nothing is on record yet. It is in memory alone, and gone when it is
    /// closed.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub async fn nothing(world: World) -> Result<Self, StoreError> {
        // Each has a name of its own, under which its connections find it.
        let options = SqliteConnectOptions::from_str("sqlite::memory:")
            .map_err(StoreError::connect)?
            .foreign_keys(true)
            .statement_cache_capacity(STATEMENTS)
            .disable_statement_logging();
        let pool = |most| {
            SqlitePoolOptions::new()
                .acquire_timeout(ACQUIRE)
                .min_connections(1)
                .max_connections(most)
                .idle_timeout(None)
                .max_lifetime(None)
                .connect_with(options.clone())
        };
        let writer = pool(1).await.map_err(StoreError::connect)?;
        migrator(|(version, name, text, _)| (*version, name, text))
            .run(&writer)
            .await
            .map_err(StoreError::migrate)?;
        let store = Self {
            pools: Link::Sqlite(SqlitePools {
                readers: pool(1).await.map_err(StoreError::connect)?,
                writer,
                place: None,
            }),
            lock: None,
            pulse: Arc::new(watch::Sender::new(0)),
        };
        belongs(&store, world).await?;
        Ok(store)
    }
}

impl Pools {
    /// Closes every connection. Closing the last one on SQLite writes the log back into the file.
    pub(super) async fn close(&self) {
        match self {
            Link::Sqlite(pools) => {
                pools.readers.close().await;
                pools.writer.close().await;
            }
            Link::Postgres(pool) => pool.close().await,
        }
    }
}
