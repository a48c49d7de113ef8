//! How full libraries are, and what stands aside for it. The sums are kept by triggers: see the migration that made them.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::fault::{Sql, not_found};
use super::values::{Millis, as_written};
use crate::LibraryId;
use crate::model::{Aside, Miscount, NewAside, Usage};

const DAY: i64 = 86_400_000;

/// Days since 1970, UTC.
fn day(at: Timestamp) -> i64 {
    at.as_millisecond().div_euclid(DAY)
}

pub(super) fn of(db: &Connection, library: LibraryId, at: Timestamp) -> Sql<Usage> {
    let sql =
        "SELECT used, coalesce(filed, 0) FROM libraries LEFT JOIN anonymous ON library = id AND day = ?2
               WHERE id = ?1";
    let usage = |row: &Row<'_>| Ok(Usage { used: row.get(0)?, filed_today: row.get(1)? });
    let mut query = db.prepare_cached(sql)?;
    let found = query.query_row(params![library, day(at)], usage).optional()?;
    found.ok_or_else(|| not_found("library", library.0))
}

/// The day before stays: the clocks of two workers need not be of one day.
pub(super) fn add(db: &Connection, library: LibraryId, at: Timestamp, bytes: u64) -> Sql<()> {
    let today = day(at);
    let sql = "DELETE FROM anonymous WHERE library = ?1 AND day < ?2";
    db.prepare_cached(sql)?.execute(params![library, today.saturating_sub(1)])?;
    let sql = "INSERT INTO anonymous (library, day, filed) VALUES (?1, ?2, ?3)
               ON CONFLICT (library, day) DO UPDATE SET filed = filed + ?3";
    db.prepare_cached(sql)?.execute(params![library, today, bytes])?;
    Ok(())
}

pub(super) fn aside(db: &Connection, library: LibraryId, at: Timestamp, since: Timestamp) -> Sql<Aside> {
    let sql = "SELECT count(*), coalesce(sum(size) FILTER (WHERE anonymous), 0),
                   coalesce(sum(size) FILTER (WHERE anonymous AND NOT again AND at >= ?3 AND at < ?4), 0)
               FROM aside WHERE library = ?1 AND at >= ?2";
    let aside = |row: &Row<'_>| Ok(Aside { mails: row.get(0)?, anonymous: row.get(1)?, today: row.get(2)? });
    let midnight = day(at).saturating_mul(DAY);
    let values = params![library, Millis(since), midnight, midnight.saturating_add(DAY)];
    Ok(db.prepare_cached(sql)?.query_row(values, aside)?)
}

pub(super) fn put_aside(db: &Connection, library: LibraryId, at: Timestamp, mail: &NewAside) -> Sql<()> {
    let sql =
        "INSERT INTO aside (library, at, delivery, size, anonymous, again) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let NewAside { delivery, size, anonymous, again } = mail;
    db.prepare_cached(sql)?.execute(params![library, Millis(at), delivery, size, anonymous, again])?;
    Ok(())
}

const MISCOUNTS: &str = "SELECT name, used, counted FROM (
    SELECT id, name, used, (
        SELECT coalesce(sum(size), 0) FROM documents JOIN versions ON versions.document = documents.id
        JOIN contents ON contents.id = versions.content WHERE documents.library = libraries.id) AS counted
    FROM libraries) WHERE used <> counted ORDER BY name";

pub(super) fn miscounts(db: &Connection) -> Sql<Vec<Miscount>> {
    let miscount = |row: &Row<'_>| {
        Ok(Miscount { library: as_written(row, 0)?, used: row.get(1)?, counted: row.get(2)? })
    };
    let mut query = db.prepare_cached(MISCOUNTS)?;
    Ok(query.query_map([], miscount)?.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn recount(db: &Connection) -> Sql<Vec<Miscount>> {
    let found = miscounts(db)?;
    for Miscount { library, counted, .. } in &found {
        let sql = "UPDATE libraries SET used = ?2 WHERE name = ?1";
        db.prepare_cached(sql)?.execute(params![library, counted])?;
    }
    Ok(found)
}
