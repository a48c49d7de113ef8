//! Opening: is it ours, is it of our time, and how it is set.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use super::fault::{Sql, told};
use super::lent::lend;
use super::rekey;
use crate::durable::sync_folder;
use crate::{Error, IoContext, Result};

/// The first that cannot corrupt a WAL database with two connections.
const OLDEST_SQLITE: i32 = 3_051_003;
/// "MSLF", in the header of every catalog.
const APPLICATION_ID: i32 = 0x4d53_4c46;
/// One for each schema version, applied in order; never changed once released.
const MIGRATIONS: [&str; 9] = [
    include_str!("../../../migrations/sqlite/0001_init.sql"),
    include_str!("../../../migrations/sqlite/0002_look_back.sql"),
    include_str!("../../../migrations/sqlite/0003_nested_groups.sql"),
    include_str!("../../../migrations/sqlite/0004_proof.sql"),
    include_str!("../../../migrations/sqlite/0005_library_settings.sql"),
    include_str!("../../../migrations/sqlite/0006_media_types.sql"),
    include_str!("../../../migrations/sqlite/0007_likeness.sql"),
    include_str!("../../../migrations/sqlite/0008_documents_live.sql"),
    include_str!("../../../migrations/sqlite/0009_quota_aliases.sql"),
];
/// The schema version that comes with keys of another rule.
const REKEYED: u32 = 5;
/// How long to wait for another process.
const PATIENCE: Duration = Duration::from_secs(10);
/// More than there are statements.
const STATEMENTS: usize = 128;

/// A connection that may write, to a catalog of the present schema.
pub(super) fn open(path: &Path) -> Result<Connection> {
    if rusqlite::version_number() < OLDEST_SQLITE {
        let found = rusqlite::version();
        return Err(Error::Setup(format!("SQLite {found} is too old: 3.51.3 or later is needed")));
    }
    make_file(path)?;
    let name = path.display().to_string();
    let mut connection = connect(path)?;
    check(&connection, &name)?;
    keep_log(&connection, &name)?;
    migrate(&mut connection, &name)?;
    Ok(connection)
}

/// A connection that only reads, to a catalog that is open already.
pub(super) fn reader(path: &Path) -> Result<Connection> {
    let connection = connect(path)?;
    let set = connection.pragma_update(None, "query_only", true);
    set.map_err(|error| told(&path.display().to_string(), "set up a reader", error))?;
    Ok(connection)
}

/// Whether a log stands beside the catalog: it is in use, or whoever used it was killed.
pub(super) fn has_log(path: &Path) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    Path::new(&log).exists()
}

/// A connection that only reads, to a catalog that must be there and of the present schema. The last one to be closed
/// removes the log, and first writes back what it holds; not so where the log was there before (`kept_log`).
pub(super) fn looker(path: &Path, kept_log: bool) -> Result<Connection> {
    let name = path.display().to_string();
    let absent = |what: &str| Error::Setup(format!("catalog {name}: {what}"));
    if !path.exists() {
        return Err(absent("there is none yet; `mailshelf library add` makes it"));
    }
    let connection = reader(path)?;
    let set = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, kept_log);
    set.map_err(|error| told(&name, "set up a reader", error))?;
    check(&connection, &name)?;
    match identity(&connection).map_err(|error| unopened(&name, "read its header", error))? {
        (APPLICATION_ID, version, _) if version == MIGRATIONS.len() as u32 => Ok(connection),
        (0, 0, 0) => Err(absent("it is empty; `mailshelf library add` makes one of it")),
        _ => Err(absent(
            "its schema is older than this mailshelf; `mailshelf library list` brings it up to date",
        )),
    }
}

/// SQLite would make the file readable by strangers; an empty one it takes for a new database.
fn make_file(path: &Path) -> Result<()> {
    let folder = match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => Path::new("/"),
    };
    if !folder.is_dir() {
        return Err(Error::Setup(format!("catalog {}: its folder is not there", path.display())));
    }
    if path.exists() {
        return Ok(());
    }
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o640)
        .open(path)
        .while_doing("make", path)?;
    sync_folder(folder)
}

fn connect(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let name = path.display().to_string();
    let connection =
        Connection::open_with_flags(path, flags).map_err(|error| told(&name, "open it", error))?;
    set_up(&connection).map_err(|error| unopened(&name, "set it up", error))?;
    Ok(connection)
}

fn unopened(name: &str, action: &'static str, error: rusqlite::Error) -> Error {
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => Error::Setup(format!("catalog {name}: not an SQLite database")),
        _ => told(name, action, error),
    }
}

/// What holds for a connection and is not written in the file.
fn set_up(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(PATIENCE)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    lend(connection)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    // Without it a statement is planned anew for each value bound to it.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // Savepoints copy pages aside; that belongs in memory, not in a file for each mail.
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    // Four times the usual: digests scatter over the pages, and one written back once for many commits costs less.
    connection.pragma_update(None, "wal_autocheckpoint", 4096)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "synchronous", "FULL")
}

/// Refuses what is no catalog of ours before anything is written to it.
fn check(connection: &Connection, name: &str) -> Result<()> {
    let found = identity(connection).map_err(|error| unopened(name, "read its header", error))?;
    let known = MIGRATIONS.len() as u32;
    match found {
        (APPLICATION_ID, version, _) if version > known => {
            Err(Error::TooNew { name: name.to_owned(), found: version, known })
        }
        (APPLICATION_ID, ..) | (0, 0, 0) => Ok(()),
        _ => Err(Error::Setup(format!("catalog {name}: an SQLite database, but not a catalog of mailshelf"))),
    }
}

/// Application id, schema version and number of tables, all of one moment.
fn identity(connection: &Connection) -> rusqlite::Result<(i32, u32, u32)> {
    let sql = "SELECT application_id, user_version, (SELECT count(*) FROM sqlite_schema)
               FROM pragma_application_id, pragma_user_version";
    connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
}

/// Two processes that turn the log on at once: one of them is told "busy" without having waited.
fn keep_log(connection: &Connection, name: &str) -> Result<()> {
    let begun = Instant::now();
    loop {
        match connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get::<_, String>(0)) {
            Ok(mode) if mode == "wal" => return Ok(()),
            Ok(_) => {
                let why = "its file system does not let SQLite keep a write-ahead log";
                return Err(Error::Setup(format!("catalog {name}: {why}")));
            }
            Err(error) if is_busy(&error) && begun.elapsed() < PATIENCE => {
                std::thread::sleep(Duration::from_millis(10));
            }
            Err(error) => return Err(told(name, "keep a write-ahead log", error)),
        }
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

fn migrate(connection: &mut Connection, name: &str) -> Result<()> {
    let done = version(connection).map_err(|error| told(name, "migrate it", error))?;
    for (version, sql) in (0..).zip(MIGRATIONS).skip(done as usize) {
        step(connection, version, sql).map_err(|fault| fault.told(name, "migrate it"))?;
    }
    // Another process may have gone further meanwhile.
    check(connection, name)
}

/// A catalog of the present schema that nothing is in, nor in any file.
pub(super) fn fresh() -> Result<Connection> {
    let made = Connection::open_in_memory().and_then(|connection| lend(&connection).map(|()| connection));
    let mut connection = made.map_err(|error| told("in memory", "make it", error))?;
    migrate(&mut connection, "in memory")?;
    Ok(connection)
}

fn version(connection: &Connection) -> rusqlite::Result<u32> {
    connection.query_row("SELECT user_version FROM pragma_user_version", [], |row| row.get(0))
}

/// Goes from `version` to the next, unless another process was faster.
fn step(connection: &mut Connection, version: u32, sql: &str) -> Sql<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if self::version(&transaction)? == version {
        transaction.execute_batch(sql)?;
        if version + 1 == REKEYED {
            rekey::documents(&transaction)?;
        }
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", version + 1)?;
    }
    Ok(transaction.commit()?)
}
