//! The catalog in SQLite: one file with a write-ahead log. This file and those below it are the only users of
//! `rusqlite`. README.md states the schema and what each table means.

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError, TryLockError};

use rusqlite::Connection;

use super::{Catalog, Reader, Writer};
use crate::Result;
use fault::told;
use session::Session;

mod open;
mod values;
mod fault;
mod session;
mod people;
mod nested;
mod libraries;
mod mails;
mod kept;
mod documents;
mod removed;
mod rekey;
mod lent;
mod contents;
mod usage;
mod passes;
mod integrity;
mod schema;
mod readable;

/// Connections kept for reading; a read beyond them opens one of its own.
const READERS: usize = 4;

/// A catalog in an SQLite file. Several processes of one machine may have it open at once.
pub struct SqliteCatalog {
    path: PathBuf,
    name: String,
    writer: Mutex<Connection>,
    /// Each is opened when it is first asked for: most commands need one.
    readers: [OnceLock<Mutex<Connection>>; READERS],
    /// How to open them.
    reader: Reads,
}

/// Who reads.
#[derive(Clone, Copy)]
enum Reads {
    /// Beside a writer.
    Beside,
    /// Only to look; whether a log stood there before.
    Alone { kept_log: bool },
}

impl SqliteCatalog {
    /// Opens the catalog at `path`, brings its schema up to date, and makes it if its folder is there. Whoever
    /// calls this at the same time waits.
    pub fn open(path: &Path) -> Result<SqliteCatalog> {
        Ok(SqliteCatalog::of(path, open::open(path)?, Reads::Beside))
    }

    /// Opens the catalog at `path` only to look at it: it is neither made nor brought up to date, every change of it
    /// is refused, and once this is dropped its folder holds what it held before.
    pub fn look(path: &Path) -> Result<SqliteCatalog> {
        let kept_log = open::has_log(path);
        Ok(SqliteCatalog::of(path, open::looker(path, kept_log)?, Reads::Alone { kept_log }))
    }

    fn of(path: &Path, writer: Connection, reader: Reads) -> SqliteCatalog {
        let name = path.display().to_string();
        let readers = Default::default();
        SqliteCatalog { path: path.to_owned(), name, writer: Mutex::new(writer), readers, reader }
    }

    fn open_reader(&self) -> Result<Connection> {
        match self.reader {
            Reads::Beside => open::reader(&self.path),
            Reads::Alone { kept_log } => open::looker(&self.path, kept_log),
        }
    }

    fn idle_reader(&self) -> Result<Held<'_>> {
        for reader in &self.readers {
            if reader.get().is_none() {
                // Of two who are here at once one opens it for nothing.
                let _ = reader.set(Mutex::new(self.open_reader()?));
            }
            match reader.get().map(Mutex::try_lock) {
                Some(Ok(guard)) => return Ok(Held::Shared(guard)),
                Some(Err(TryLockError::Poisoned(poisoned))) => {
                    return Ok(Held::Shared(poisoned.into_inner()));
                }
                Some(Err(TryLockError::WouldBlock)) | None => {}
            }
        }
        self.open_reader().map(Held::Own)
    }
}

impl Catalog for SqliteCatalog {
    fn read(&self) -> Result<Box<dyn Reader + '_>> {
        let held = self.idle_reader()?;
        // The first read, not BEGIN, is what fixes the moment.
        let begun = held.begin("BEGIN DEFERRED; SELECT settings_version FROM meta");
        begun.map_err(|error| told(&self.name, "begin to read", error))?;
        Ok(Box::new(Session::new(held, &self.name)))
    }

    fn write(&self) -> Result<Box<dyn Writer + '_>> {
        // Poisoned: a writer panicked. `begin` takes back what it left; the connection itself is sound.
        let held = Held::Shared(self.writer.lock().unwrap_or_else(PoisonError::into_inner));
        held.begin("BEGIN IMMEDIATE").map_err(|error| told(&self.name, "begin to write", error))?;
        Ok(Box::new(Session::new(held, &self.name)))
    }
}

/// A connection in use. Dropped, it takes back what was not committed.
enum Held<'c> {
    Shared(MutexGuard<'c, Connection>),
    Own(Connection),
}

impl Held<'_> {
    fn begin(&self, sql: &str) -> rusqlite::Result<()> {
        self.end()?;
        self.execute_batch(sql)
    }

    fn end(&self) -> rusqlite::Result<()> {
        if self.is_autocommit() { Ok(()) } else { self.execute_batch("ROLLBACK") }
    }
}

impl Deref for Held<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        match self {
            Held::Shared(guard) => guard,
            Held::Own(connection) => connection,
        }
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        // If it fails, the next `begin` tries again and reports.
        let _ = self.end();
    }
}

#[cfg(test)]
mod tests;
