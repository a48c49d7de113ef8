//! Contents, and how much there is.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::fault::Sql;
use crate::model::{Counts, KnownContent};
use crate::{Digest, Error};

pub(super) fn find(db: &Connection, digest: Digest) -> Sql<Option<KnownContent>> {
    let mut query = db.prepare_cached("SELECT size, doomed FROM contents WHERE digest = ?1")?;
    let known = |row: &Row<'_>| Ok(KnownContent { size: row.get(0)?, doomed: row.get(1)? });
    Ok(query.query_row([digest], known).optional()?)
}

pub(super) fn each(
    db: &Connection,
    visit: &mut dyn FnMut(Digest, KnownContent) -> Result<(), Error>,
) -> Sql<()> {
    let mut query = db.prepare_cached("SELECT digest, size, doomed FROM contents ORDER BY digest")?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        visit(row.get(0)?, KnownContent { size: row.get(1)?, doomed: row.get(2)? })?;
    }
    Ok(())
}

pub(super) fn add(db: &Connection, digest: Digest, size: u64) -> Sql<()> {
    let sql = "INSERT INTO contents (digest, size, doomed) VALUES (?1, ?2, 0)
               ON CONFLICT (digest) DO UPDATE SET size = ?2, doomed = 0";
    db.prepare_cached(sql)?.execute(params![digest, size])?;
    Ok(())
}

pub(super) fn doom(db: &Connection, digest: Digest) -> Sql<bool> {
    let sql = "INSERT INTO contents (digest, size, doomed)
               SELECT ?1, 0, 1 WHERE NOT EXISTS (
                   SELECT 1 FROM versions WHERE content = (SELECT id FROM contents WHERE digest = ?1))
               ON CONFLICT (digest) DO UPDATE SET doomed = 1";
    Ok(db.prepare_cached(sql)?.execute([digest])? > 0)
}

pub(super) fn forget(db: &Connection, digest: Digest) -> Sql<()> {
    db.prepare_cached("DELETE FROM contents WHERE digest = ?1 AND doomed")?.execute([digest])?;
    Ok(())
}

pub(super) fn any(db: &Connection) -> Sql<bool> {
    let mut query = db.prepare_cached("SELECT EXISTS (SELECT 1 FROM contents)")?;
    Ok(query.query_row([], |row| row.get(0))?)
}

pub(super) fn counts(db: &Connection) -> Sql<Counts> {
    let sql =
        "SELECT (SELECT count(*) FROM documents WHERE removal IS NULL), count(*), coalesce(sum(size), 0),
               (SELECT count(*) FROM mails), (SELECT count(*) FROM libraries), (SELECT count(*) FROM users),
               (SELECT count(removal) FROM documents) FROM contents";
    let mut query = db.prepare_cached(sql)?;
    Ok(query.query_row([], |row| {
        Ok(Counts {
            documents: row.get(0)?,
            contents: row.get(1)?,
            bytes: row.get(2)?,
            mails: row.get(3)?,
            libraries: row.get(4)?,
            users: row.get(5)?,
            removed: row.get(6)?,
        })
    })?)
}
