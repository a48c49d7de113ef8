//! How kept mail left the folder it was kept in, and came back.

use rusqlite::{Connection, OptionalExtension, params};

use super::fault::Sql;
use super::values::Millis;
use crate::model::KeptEnd;
use crate::{DeliveryId, Digest};

pub(super) fn end(db: &Connection, delivery: DeliveryId) -> Sql<Option<KeptEnd>> {
    let mut query = db.prepare_cached("SELECT fate, why, at FROM kept WHERE delivery = ?1")?;
    let found = query.query_row([delivery], |row| {
        let Millis(at) = row.get(2)?;
        Ok(KeptEnd { fate: row.get(0)?, why: row.get(1)?, at })
    });
    Ok(found.optional()?)
}

pub(super) fn put_end(db: &Connection, delivery: DeliveryId, end: &KeptEnd) -> Sql<()> {
    let sql = "INSERT INTO kept (delivery, fate, why, at, awaited) VALUES (?1, ?2, ?3, ?4,
                   (SELECT digest FROM mails WHERE delivery = ?1 AND ?2 = 'replayed'))
               ON CONFLICT (delivery) DO UPDATE SET fate = ?2, why = ?3, at = ?4, awaited = excluded.awaited";
    db.prepare_cached(sql)?.execute(params![delivery, end.fate, end.why, Millis(end.at)])?;
    db.prepare_cached("DELETE FROM aside WHERE delivery = ?1")?.execute([delivery])?;
    Ok(())
}

/// One look-up where no mail with this digest is awaited.
pub(super) fn given_back(db: &Connection, digest: Digest, recipient: &str) -> Sql<Option<DeliveryId>> {
    let sql = "SELECT delivery FROM kept WHERE awaited = ?1 AND EXISTS (
                   SELECT 1 FROM outcomes
                   WHERE outcomes.delivery = kept.delivery AND recipient = ?2 AND kind = 'rejected')
               ORDER BY delivery LIMIT 1";
    Ok(db.prepare_cached(sql)?.query_row(params![digest, recipient], |row| row.get(0)).optional()?)
}

pub(super) fn put_taken(db: &Connection, delivery: DeliveryId) -> Sql<()> {
    db.prepare_cached("UPDATE kept SET awaited = NULL WHERE delivery = ?1")?.execute([delivery])?;
    Ok(())
}
