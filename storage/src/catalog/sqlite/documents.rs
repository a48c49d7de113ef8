//! Documents and their names.

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::fault::{Sql, refused};
use super::values::Millis;
use crate::model::{Document, NewDocument, name_key, numbered};
use crate::{DeliveryId, Digest, DocumentId, Error, LibraryId};

/// Numbers tried one by one before the steps double.
const CLOSE_BY: u32 = 100;

const DOCUMENT: &str = "libraries.name, folder, documents.name, version, size, digest, media_type,
                        created_by, versions.created_at, delivery, original
                        FROM documents JOIN versions ON versions.document = documents.id
                        JOIN contents ON contents.id = versions.content
                        JOIN libraries ON libraries.id = documents.library";
const NEWEST: &str = "version = (SELECT max(version) FROM versions WHERE document = documents.id)";

fn document(row: &Row<'_>) -> rusqlite::Result<Document> {
    let Millis(created_at) = row.get(8)?;
    Ok(Document {
        library: row.get(0)?,
        folder: row.get(1)?,
        name: row.get(2)?,
        version: row.get(3)?,
        size: row.get(4)?,
        digest: row.get(5)?,
        media_type: row.get(6)?,
        created_by: row.get(7)?,
        created_at,
        delivery: row.get(9)?,
        original: row.get(10)?,
    })
}

/// In the order of the index that keeps names apart, so that the first comes at once however many there are.
pub(super) fn each(
    db: &Connection,
    library: LibraryId,
    visit: &mut dyn FnMut(Document) -> Result<(), Error>,
) -> Sql<()> {
    let sql = format!("SELECT {DOCUMENT} WHERE library = ?1 AND {NEWEST} ORDER BY folder_key, name_key");
    let mut query = db.prepare_cached(&sql)?;
    for found in query.query_map([library], document)? {
        visit(found?)?;
    }
    Ok(())
}

pub(super) fn find(
    db: &Connection,
    library: LibraryId,
    folder: &str,
    name: &str,
    version: Option<u32>,
) -> Sql<Option<Document>> {
    let which = if version.is_some() { "version = ?4" } else { NEWEST };
    let sql =
        format!("SELECT {DOCUMENT} WHERE library = ?1 AND folder_key = ?2 AND name_key = ?3 AND {which}");
    let mut query = db.prepare_cached(&sql)?;
    let (folder, name) = (name_key(folder), name_key(name));
    let found = match version {
        Some(version) => query.query_row(params![library, folder, name, version], document),
        None => query.query_row(params![library, folder, name], document),
    };
    Ok(found.optional()?)
}

pub(super) fn filed_as(db: &Connection, digest: Digest, limit: usize) -> Sql<Vec<Document>> {
    // In the order of the index by content: a content may be filed a million times.
    let sql = format!(
        "SELECT {DOCUMENT} WHERE content = (SELECT id FROM contents WHERE digest = ?1)
         ORDER BY document, version LIMIT ?2"
    );
    let mut query = db.prepare_cached(&sql)?;
    let found = query.query_map(params![digest, limit], document)?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn of_delivery(db: &Connection, delivery: DeliveryId) -> Sql<Vec<Document>> {
    let sql = format!("SELECT {DOCUMENT} WHERE delivery = ?1 ORDER BY document, version");
    let mut query = db.prepare_cached(&sql)?;
    Ok(query.query_map([delivery], document)?.collect::<rusqlite::Result<_>>()?)
}

/// A place for documents: their folder, what names compare by there, and which were promised and not added yet.
struct Place<'d> {
    db: &'d Connection,
    library: LibraryId,
    folder_key: String,
    /// Keys of names.
    promised: HashSet<String>,
    /// The last number promised of each series.
    numbers: HashMap<String, u32>,
}

impl<'d> Place<'d> {
    fn new(db: &'d Connection, library: LibraryId, folder_key: String) -> Place<'d> {
        Place { db, library, folder_key, promised: HashSet::new(), numbers: HashMap::new() }
    }

    fn promise(&mut self, name: &str, series_key: String, number: u32) {
        self.promised.insert(name_key(name));
        let last = self.numbers.entry(series_key).or_insert(number);
        *last = number.max(*last);
    }

    fn is_taken(&self, name: &str) -> Sql<bool> {
        let name_key = name_key(name);
        if self.promised.contains(&name_key) {
            return Ok(true);
        }
        let sql = "SELECT 1 FROM documents WHERE library = ?1 AND folder_key = ?2 AND name_key = ?3";
        let mut query = self.db.prepare_cached(sql)?;
        Ok(query.exists(params![self.library, self.folder_key, name_key])?)
    }

    fn last_number(&self, series_key: &str) -> Sql<u32> {
        let sql = "SELECT coalesce(max(number), 1) FROM documents
                   WHERE library = ?1 AND folder_key = ?2 AND series_key = ?3";
        let mut query = self.db.prepare_cached(sql)?;
        let stored: u32 =
            query.query_row(params![self.library, self.folder_key, series_key], |row| row.get(0))?;
        Ok(self.numbers.get(series_key).map_or(stored, |&promised| promised.max(stored)))
    }

    /// The name a document gets and its number. One look-up where the name is free; where it is taken, one more for
    /// the number after the last of the series, whatever their count. Names that were proposed with a number in
    /// them stand in the way of a series; past those close by the steps double, so that nobody can make us count.
    fn settle(&self, proposed: &str, series_key: &str) -> Sql<(String, u32)> {
        let mut number = 1;
        let mut tried = 0;
        loop {
            let name = numbered(proposed, number);
            if !self.is_taken(&name)? {
                return Ok((name, number));
            }
            let step = match tried {
                0 => self.last_number(series_key)?,
                1..CLOSE_BY => 1,
                _ => number,
            };
            let next = number.checked_add(step);
            number =
                next.ok_or_else(|| refused("name a document", format!("no free number for {proposed}")))?;
            tried += 1;
        }
    }
}

/// What names are numbered together by.
fn series_key(proposed: &str) -> String {
    name_key(&numbered(proposed, 2))
}

pub(super) fn names(db: &Connection, library: LibraryId, proposed: &[(&str, &str)]) -> Sql<Vec<String>> {
    let mut places: HashMap<String, Place<'_>> = HashMap::new();
    let mut names = Vec::with_capacity(proposed.len());
    for (folder, proposed) in proposed {
        let folder_key = name_key(folder);
        let new = |key: &String| Place::new(db, library, key.clone());
        let place = places.entry(folder_key).or_insert_with_key(new);
        let series_key = series_key(proposed);
        let (name, number) = place.settle(proposed, &series_key)?;
        place.promise(&name, series_key, number);
        names.push(name);
    }
    Ok(names)
}

pub(super) fn add(db: &Connection, new: &NewDocument) -> Sql<String> {
    let place = Place::new(db, new.library, name_key(&new.folder));
    let series_key = series_key(&new.name);
    let (name, number) = place.settle(&new.name, &series_key)?;
    let sql = "INSERT INTO documents (library, folder, folder_key, name, name_key, series_key, number)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let folder_key = place.folder_key;
    db.prepare_cached(sql)?.execute(params![
        new.library,
        new.folder,
        folder_key,
        name,
        name_key(&name),
        series_key,
        number
    ])?;
    let document = DocumentId(db.last_insert_rowid());
    if let Err(fault) = add_version(db, document, new) {
        // Taken back by hand: a savepoint for each document costs more than the document.
        db.prepare_cached("DELETE FROM documents WHERE id = ?1")?.execute([document])?;
        return Err(fault);
    }
    Ok(name)
}

/// Not for a content that is doomed: its file may be gone already.
fn add_version(db: &Connection, document: DocumentId, new: &NewDocument) -> Sql<()> {
    let sql = "INSERT INTO versions
                   (document, version, content, media_type, created_by, created_at, delivery, original)
               SELECT ?1, 1, id, ?4, ?5, ?6, ?7, ?8 FROM contents
               WHERE digest = ?2 AND size = ?3 AND NOT doomed";
    let added = db.prepare_cached(sql)?.execute(params![
        document,
        new.digest,
        new.size,
        new.media_type,
        new.created_by,
        Millis(new.created_at),
        new.delivery,
        new.original,
    ])?;
    match added {
        0 => Err(refused("add a document", format!("content {} is not on record with its size", new.digest))),
        _ => Ok(()),
    }
}
