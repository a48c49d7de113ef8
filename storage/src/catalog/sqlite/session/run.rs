//! What every call of a session goes through: it stands in the transaction, and a change is whole.

use rusqlite::Connection;

use super::Session;
use crate::catalog::sqlite::Held;
use crate::catalog::sqlite::fault::{Sql, refused};
use crate::{Error, Result};

impl<'c> Session<'c> {
    pub(in super::super) fn new(held: Held<'c>, name: &'c str) -> Session<'c> {
        Session { held, name, depth: 0 }
    }

    /// SQLite may end a transaction by itself after a grave error. What came after that would then stand alone and
    /// be durable at once, so nothing may come after it.
    pub(super) fn run<T>(&self, action: &'static str, sql: impl FnOnce(&Connection) -> Sql<T>) -> Result<T> {
        if self.held.is_autocommit() {
            let why = "SQLite has taken the transaction back after an error".to_owned();
            return Err(Error::Catalog { name: self.name.to_owned(), action, why });
        }
        sql(&self.held).map_err(|fault| fault.told(self.name, action))
    }

    /// Several statements that happen together or not at all.
    pub(super) fn run_whole<T>(
        &self,
        action: &'static str,
        sql: impl FnOnce(&Connection) -> Sql<T>,
    ) -> Result<T> {
        self.run(action, |db| {
            db.prepare_cached("SAVEPOINT whole")?.execute([])?;
            let done = sql(db);
            if done.is_err() && !db.is_autocommit() {
                db.prepare_cached("ROLLBACK TO whole")?.execute([])?;
            }
            if !db.is_autocommit() {
                db.prepare_cached("RELEASE whole")?.execute([])?;
            }
            done
        })
    }

    /// A change of libraries, users, groups or grants: the one place that raises the version, if anything changed.
    pub(super) fn change<T>(
        &self,
        action: &'static str,
        sql: impl FnOnce(&Connection) -> Sql<T>,
    ) -> Result<T> {
        self.run_whole(action, |db| {
            let before = db.total_changes();
            let done = sql(db)?;
            if db.total_changes() > before {
                db.prepare_cached("UPDATE meta SET settings_version = settings_version + 1")?.execute([])?;
            }
            Ok(done)
        })
    }

    #[cfg(test)]
    pub(in super::super) fn end_for_test(&self) {
        self.held.end().expect("the transaction ends");
    }

    pub(super) fn part(&mut self, action: &'static str, statements: &[&str], opens: bool) -> Result<()> {
        let depth = if opens { self.depth.checked_add(1) } else { self.depth.checked_sub(1) };
        self.depth = self.run(action, |db| {
            let depth = depth.ok_or_else(|| refused(action, "no part has begun"))?;
            statements.iter().try_for_each(|sql| db.prepare_cached(sql)?.execute([]).map(drop))?;
            Ok(depth)
        })?;
        Ok(())
    }
}
