//! How full libraries are. The sums are kept by triggers: see the migration that made them.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::fault::{Sql, not_found};
use crate::LibraryId;
use crate::model::{Anonymous, Miscount, Usage};

const DAY: i64 = 86_400_000;

/// Days since 1970, UTC.
fn day(at: Timestamp) -> i64 {
    at.as_millisecond().div_euclid(DAY)
}

pub(super) fn of(db: &Connection, library: LibraryId, at: Timestamp, since: Timestamp) -> Sql<Usage> {
    let sql = "SELECT used, coalesce(filed, 0), coalesce(kept, 0),
                   (SELECT coalesce(sum(kept), 0) FROM anonymous WHERE library = ?1 AND day >= ?3)
               FROM libraries LEFT JOIN anonymous ON library = id AND day = ?2 WHERE id = ?1";
    let usage = |row: &Row<'_>| {
        let today = Anonymous { filed: row.get(1)?, kept: row.get(2)? };
        Ok(Usage { used: row.get(0)?, today, kept: row.get(3)? })
    };
    let mut query = db.prepare_cached(sql)?;
    let found = query.query_row(params![library, day(at), day(since)], usage).optional()?;
    found.ok_or_else(|| not_found("library", library.0))
}

/// The day before stays whatever `since` is: the clocks of two workers need not be of one day.
pub(super) fn add(
    db: &Connection,
    library: LibraryId,
    at: Timestamp,
    since: Timestamp,
    bytes: Anonymous,
) -> Sql<()> {
    let today = day(at);
    let sql = "DELETE FROM anonymous WHERE library = ?1 AND day < ?2";
    db.prepare_cached(sql)?.execute(params![library, day(since).min(today.saturating_sub(1))])?;
    let sql = "INSERT INTO anonymous (library, day, filed, kept) VALUES (?1, ?2, ?3, ?4)
               ON CONFLICT (library, day) DO UPDATE SET filed = filed + ?3, kept = kept + ?4";
    db.prepare_cached(sql)?.execute(params![library, today, bytes.filed, bytes.kept])?;
    Ok(())
}

const MISCOUNTS: &str = "SELECT name, used, counted FROM (
    SELECT id, name, used, (
        SELECT coalesce(sum(size), 0) FROM documents JOIN versions ON versions.document = documents.id
        JOIN contents ON contents.id = versions.content WHERE documents.library = libraries.id) AS counted
    FROM libraries) WHERE used <> counted ORDER BY name";

pub(super) fn miscounts(db: &Connection) -> Sql<Vec<Miscount>> {
    let miscount =
        |row: &Row<'_>| Ok(Miscount { library: row.get(0)?, used: row.get(1)?, counted: row.get(2)? });
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
