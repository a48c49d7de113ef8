//! How kept mail left the folder it was kept in.

use rusqlite::{Connection, OptionalExtension, params};

use super::fault::Sql;
use super::values::Millis;
use crate::DeliveryId;
use crate::model::KeptEnd;

pub(super) fn end(db: &Connection, delivery: DeliveryId) -> Sql<Option<KeptEnd>> {
    let mut query = db.prepare_cached("SELECT fate, why, at FROM kept WHERE delivery = ?1")?;
    let found = query.query_row([delivery], |row| {
        let Millis(at) = row.get(2)?;
        Ok(KeptEnd { fate: row.get(0)?, why: row.get(1)?, at })
    });
    Ok(found.optional()?)
}

pub(super) fn put_end(db: &Connection, delivery: DeliveryId, end: &KeptEnd) -> Sql<()> {
    let sql = "INSERT INTO kept (delivery, fate, why, at) VALUES (?1, ?2, ?3, ?4)
               ON CONFLICT (delivery) DO UPDATE SET fate = ?2, why = ?3, at = ?4";
    db.prepare_cached(sql)?.execute(params![delivery, end.fate, end.why, Millis(end.at)])?;
    Ok(())
}
