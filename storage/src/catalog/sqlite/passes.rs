//! Passes, what they have to say, and the events.

use std::collections::HashSet;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::fault::{Sql, not_found};
use super::values::Millis;
use crate::model::{Event, EventQuery, NewEvent, Pass};
use crate::{DeliveryId, PassId};

pub(super) fn open(db: &Connection, node: &str) -> Sql<Vec<Pass>> {
    let sql = "SELECT pass, node, started_at FROM passes WHERE node = ?1 AND ended_at IS NULL
               ORDER BY started_at, pass";
    let mut query = db.prepare_cached(sql)?;
    let pass = |row: &Row<'_>| {
        let Millis(started_at) = row.get(2)?;
        Ok(Pass { id: row.get(0)?, node: row.get(1)?, started_at })
    };
    Ok(query.query_map([node], pass)?.collect::<rusqlite::Result<_>>()?)
}

/// Backwards through the table, which is in the order in which passes were begun: an index would be kept for each pass,
/// and serve a report that finds what it asks for among the newest few.
pub(super) fn last(db: &Connection, node: &str) -> Sql<Option<(PassId, Timestamp)>> {
    let sql = "SELECT pass, ended_at FROM passes WHERE node = ?1 AND ended_at IS NOT NULL
               ORDER BY rowid DESC LIMIT 1";
    let pass = |row: &Row<'_>| {
        let Millis(ended_at) = row.get(1)?;
        Ok((row.get(0)?, ended_at))
    };
    Ok(db.prepare_cached(sql)?.query_row([node], pass).optional()?)
}

pub(super) fn begin(db: &Connection, pass: &Pass) -> Sql<()> {
    let sql = "INSERT INTO passes (pass, node, started_at) VALUES (?1, ?2, ?3)";
    db.prepare_cached(sql)?.execute(params![pass.id, pass.node, Millis(pass.started_at)])?;
    Ok(())
}

pub(super) fn end(db: &Connection, pass: PassId, now: Timestamp) -> Sql<()> {
    let sql = "UPDATE passes SET ended_at = coalesce(ended_at, ?2) WHERE pass = ?1";
    if db.prepare_cached(sql)?.execute(params![pass, Millis(now)])? == 0 {
        return Err(not_found("pass", pass));
    }
    db.prepare_cached("DELETE FROM records WHERE pass = ?1")?.execute([pass])?;
    Ok(())
}

pub(super) fn records(db: &Connection, pass: PassId) -> Sql<Vec<String>> {
    let mut query = db.prepare_cached("SELECT body FROM records WHERE pass = ?1 ORDER BY id")?;
    Ok(query.query_map([pass], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn add_record(db: &Connection, pass: PassId, delivery: DeliveryId, body: &str) -> Sql<()> {
    let sql = "INSERT INTO records (pass, delivery, body) VALUES (?1, ?2, ?3)
               ON CONFLICT (pass, delivery) DO UPDATE SET body = ?3";
    db.prepare_cached(sql)?.execute(params![pass, delivery, body])?;
    Ok(())
}

pub(super) fn events_after(db: &Connection, seq: u64, limit: usize) -> Sql<Vec<Event>> {
    events(db, &EventQuery { after: seq, limit, ..EventQuery::default() })
}

/// In the order of the table, so that the first comes at once: with the index by time all would have to be sorted. The
/// body stands last, and is read only of those that are given.
pub(super) fn events(db: &Connection, asked: &EventQuery) -> Sql<Vec<Event>> {
    let ids: Vec<_> = asked.event_ids.iter().map(u16::to_string).collect();
    let ids = if ids.is_empty() { String::new() } else { format!("AND event_id IN ({})", ids.join(", ")) };
    let order = if asked.newest_first { "DESC" } else { "ASC" };
    let sql = format!(
        "SELECT seq, event_id, time, body FROM events
         WHERE seq > ?1 AND seq < ?2 AND +time >= ?3 AND +time < ?4 {ids} ORDER BY seq {order} LIMIT ?5"
    );
    let mut query = db.prepare_cached(&sql)?;
    let event = |row: &Row<'_>| {
        let Millis(time) = row.get(2)?;
        Ok(Event { seq: row.get(0)?, event_id: row.get(1)?, time, body: row.get(3)? })
    };
    let seq = |seq: u64| i64::try_from(seq).unwrap_or(i64::MAX);
    let (after, before) = (seq(asked.after), seq(asked.before.unwrap_or(u64::MAX)));
    let since = asked.since.map_or(i64::MIN, Timestamp::as_millisecond);
    let until = asked.until.map_or(i64::MAX, Timestamp::as_millisecond);
    let found = query.query_map(params![after, before, since, until, asked.limit], event)?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn events_between(db: &Connection, since: Timestamp, until: Timestamp) -> Sql<Option<(u64, u64)>> {
    let sql = "SELECT min(seq), max(seq) FROM events WHERE time >= ?1 AND time < ?2";
    let mut query = db.prepare_cached(sql)?;
    let bounds =
        query.query_row(params![Millis(since), Millis(until)], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let (first, last): (Option<u64>, Option<u64>) = bounds;
    Ok(first.zip(last))
}

pub(super) fn last_event(db: &Connection) -> Sql<u64> {
    let mut query = db.prepare_cached("SELECT coalesce(max(seq), 0) FROM events")?;
    Ok(query.query_row([], |row| row.get(0))?)
}

pub(super) fn add_event(db: &Connection, event: &NewEvent) -> Sql<u64> {
    let sql = "INSERT INTO events (event_id, pass, time, body) VALUES (?1, ?2, ?3, ?4) RETURNING seq";
    let NewEvent { event_id, pass, time, body } = event;
    let mut insert = db.prepare_cached(sql)?;
    Ok(insert.query_row(params![event_id, pass, Millis(*time), body], |row| row.get(0))?)
}

pub(super) fn add_notice(db: &Connection, node: &str, key: &str, now: Timestamp) -> Sql<bool> {
    let sql = "INSERT INTO notices (node, key, since) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
    Ok(db.prepare_cached(sql)?.execute(params![node, key, Millis(now)])? > 0)
}

pub(super) fn keep_notices(db: &Connection, node: &str, keys: &[String]) -> Sql<bool> {
    let keep: HashSet<&str> = keys.iter().map(String::as_str).collect();
    let mut query = db.prepare_cached("SELECT key FROM notices WHERE node = ?1")?;
    let noted = query.query_map([node], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
    let mut delete = db.prepare_cached("DELETE FROM notices WHERE node = ?1 AND key = ?2")?;
    let mut any = false;
    for key in noted.iter().filter(|key| !keep.contains(key.as_str())) {
        any |= delete.execute(params![node, key])? > 0;
    }
    Ok(any)
}

pub(super) fn settings_version(db: &Connection) -> Sql<u64> {
    let mut query = db.prepare_cached("SELECT settings_version FROM meta")?;
    Ok(query.query_row([], |row| row.get(0)).optional()?.unwrap_or_default())
}
