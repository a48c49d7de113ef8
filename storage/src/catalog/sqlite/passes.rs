//! Passes, what they have to say, and the events.

use std::collections::HashSet;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::fault::{Sql, not_found};
use super::values::Millis;
use crate::model::{Event, NewEvent, Pass};
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
    let mut query = db.prepare_cached("SELECT seq, body FROM events WHERE seq > ?1 ORDER BY seq LIMIT ?2")?;
    let event = |row: &Row<'_>| Ok(Event { seq: row.get(0)?, body: row.get(1)? });
    Ok(query.query_map(params![seq, limit], event)?.collect::<rusqlite::Result<_>>()?)
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
