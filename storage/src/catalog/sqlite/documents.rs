//! Documents and their names.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::fault::{Sql, refused};
use super::values::{Millis, as_written};
use crate::model::{Clash, Document, FiledAs, NewDocument, Placed, Wanted, name_key, numbered, path};
use crate::{DeliveryId, Digest, DocumentId, Error, LibraryId};

/// Numbers tried one by one before the steps double.
const CLOSE_BY: u32 = 100;

pub(super) const DOCUMENT: &str = "libraries.name, folder, documents.name, version, size, digest, media_type,
                        created_by, versions.created_at, delivery, original, sniffed_type,
                        coalesce(filed_in, documents.library), removal, identity, level
                        FROM documents JOIN versions ON versions.document = documents.id
                        JOIN contents ON contents.id = versions.content
                        JOIN libraries ON libraries.id = documents.library";
pub(super) const NEWEST: &str = "version = (SELECT max(version) FROM versions WHERE document = documents.id)";

pub(super) fn document(row: &Row<'_>) -> rusqlite::Result<Document> {
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
        sniffed_type: row.get(11)?,
        filed_in: row.get(12)?,
        removal: row.get(13)?,
        identity: row.get(14)?,
        level: row.get(15)?,
    })
}

/// In the order of the index that keeps names apart, so that the first comes at once however many there are.
pub(super) fn each(
    db: &Connection,
    library: LibraryId,
    visit: &mut dyn FnMut(Document) -> Result<(), Error>,
) -> Sql<()> {
    let sql = format!(
        "SELECT {DOCUMENT} WHERE library = ?1 AND removal IS NULL AND {NEWEST}
                       ORDER BY folder_key, name_key"
    );
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

pub(super) fn versions(db: &Connection, library: LibraryId, folder: &str, name: &str) -> Sql<Vec<Document>> {
    let sql = format!(
        "SELECT {DOCUMENT} WHERE library = ?1 AND folder_key = ?2 AND name_key = ?3 ORDER BY version DESC"
    );
    let mut query = db.prepare_cached(&sql)?;
    let found = query.query_map(params![library, name_key(folder), name_key(name)], document)?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn filed_as(db: &Connection, digest: Digest, limit: usize) -> Sql<Vec<FiledAs>> {
    // In the order of the index by content: a content may be filed a million times.
    let sql = format!(
        "SELECT {DOCUMENT} WHERE content = (SELECT id FROM contents WHERE digest = ?1)
         ORDER BY document, version LIMIT ?2"
    );
    let filed_as = |row: &Row<'_>| {
        let path = path(&as_written(row, 1)?, &as_written(row, 2)?);
        let removed = row.get_ref(13)? != ValueRef::Null;
        Ok(FiledAs { library: as_written(row, 0)?, path, version: row.get(3)?, removed })
    };
    let mut query = db.prepare_cached(&sql)?;
    let found = query.query_map(params![digest, limit], filed_as)?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn of_delivery(db: &Connection, delivery: DeliveryId) -> Sql<Vec<Document>> {
    let sql = format!("SELECT {DOCUMENT} WHERE delivery = ?1 ORDER BY document, version");
    let mut query = db.prepare_cached(&sql)?;
    Ok(query.query_map([delivery], document)?.collect::<rusqlite::Result<_>>()?)
}

/// A document that has a name already.
pub(super) struct Holder {
    document: DocumentId,
    pub(super) name: String,
    version: u32,
    /// Whose newest version came with the mail that asks.
    is_ours: bool,
}

/// Where a document goes: to one that is there, or to a new one of this number in its series.
pub(super) enum Slot {
    New { name: String, number: u32 },
    Version(Holder),
}

/// A folder: what names compare by there, and which were promised and not added yet.
pub(super) struct Folder<'d> {
    db: &'d Connection,
    pub(super) library: LibraryId,
    /// The mail whose documents are added; `None` where its places are only foretold.
    delivery: Option<DeliveryId>,
    /// As the first document there spells it.
    pub(super) spelt: String,
    pub(super) key: String,
    /// Keys of names.
    promised: HashSet<String>,
    /// The last number promised of each series.
    numbers: HashMap<String, u32>,
}

impl<'d> Folder<'d> {
    pub(super) fn open(
        db: &'d Connection,
        library: LibraryId,
        delivery: Option<DeliveryId>,
        proposed: &str,
    ) -> Sql<Folder<'d>> {
        let key = name_key(proposed);
        let mut spelt = None;
        if !key.is_empty() {
            let sql = "SELECT folder FROM documents WHERE library = ?1 AND folder_key = ?2 LIMIT 1";
            let mut query = db.prepare_cached(sql)?;
            spelt = query.query_row(params![library, key], |row| row.get(0)).optional()?;
        }
        let spelt = spelt.unwrap_or_else(|| proposed.to_owned());
        let (promised, numbers) = (HashSet::new(), HashMap::new());
        Ok(Folder { db, library, delivery, spelt, key, promised, numbers })
    }

    fn promise(&mut self, name: &str, series_key: String, number: u32) {
        self.promised.insert(name_key(name));
        let last = self.numbers.entry(series_key).or_insert(number);
        *last = number.max(*last);
    }

    pub(super) fn is_taken(&self, name_key: &str) -> Sql<bool> {
        if self.promised.contains(name_key) {
            return Ok(true);
        }
        let sql = "SELECT 1 FROM documents WHERE library = ?1 AND folder_key = ?2 AND name_key = ?3";
        let mut query = self.db.prepare_cached(sql)?;
        Ok(query.exists(params![self.library, self.key, name_key])?)
    }

    fn holder(&self, name_key: &str) -> Sql<Option<Holder>> {
        let sql = format!(
            "SELECT documents.id, name, version, delivery FROM documents
             JOIN versions ON versions.document = documents.id
             WHERE library = ?1 AND folder_key = ?2 AND name_key = ?3 AND {NEWEST}"
        );
        let mut query = self.db.prepare_cached(&sql)?;
        let holder = |row: &Row<'_>| {
            let delivery: DeliveryId = row.get(3)?;
            let is_ours = Some(delivery) == self.delivery;
            Ok(Holder { document: row.get(0)?, name: row.get(1)?, version: row.get(2)?, is_ours })
        };
        Ok(query.query_row(params![self.library, self.key, name_key], holder).optional()?)
    }

    fn last_number(&self, series_key: &str) -> Sql<u32> {
        let sql = "SELECT coalesce(max(number), 1) FROM documents
                   WHERE library = ?1 AND folder_key = ?2 AND series_key = ?3";
        let mut query = self.db.prepare_cached(sql)?;
        let stored: u32 = query.query_row(params![self.library, self.key, series_key], |row| row.get(0))?;
        Ok(self.numbers.get(series_key).map_or(stored, |&promised| promised.max(stored)))
    }

    /// What a document of this name and number in its series would be; `None` if it must go on to another number.
    fn slot(&self, clash: Clash, name: String, number: u32) -> Sql<Option<Slot>> {
        let name_key = name_key(&name);
        match clash {
            Clash::Number => Ok((!self.is_taken(&name_key)?).then_some(Slot::New { name, number })),
            Clash::Version(_) if self.promised.contains(&name_key) => Ok(None),
            Clash::Version(_) => Ok(match self.holder(&name_key)? {
                None => Some(Slot::New { name, number }),
                Some(holder) if holder.is_ours => None,
                Some(holder) => Some(Slot::Version(holder)),
            }),
        }
    }

    /// Where a document goes. One look-up where the name is free, or may be shared; where a number is needed, one more
    /// for the number after the last of the series, whatever their count. Names that were proposed with a number in
    /// them stand in the way of a series.
    pub(super) fn settle(&self, wanted: &Wanted<'_>, series_key: &str) -> Sql<Slot> {
        let proposed = wanted.name;
        let first = match wanted.clash {
            Clash::Number => 1,
            Clash::Version(nth) => nth.max(1),
        };
        if let Some(slot) = self.slot(wanted.clash, numbered(proposed, first), first)? {
            return Ok(slot);
        }
        let last = match wanted.clash {
            Clash::Number => self.last_number(series_key)?,
            Clash::Version(_) => first,
        };
        self.settle_after(last, wanted)
    }

    /// The next number of a series, `own` being one that it has given before.
    pub(super) fn next(&self, wanted: &Wanted<'_>, series_key: &str, own: u32) -> Sql<Slot> {
        self.settle_after(self.last_number(series_key)?.max(own), wanted)
    }

    fn settle_after(&self, last: u32, wanted: &Wanted<'_>) -> Sql<Slot> {
        let proposed = wanted.name;
        for number in Numbers::after(last) {
            if let Some(slot) = self.slot(wanted.clash, numbered(proposed, number), number)? {
                return Ok(slot);
            }
        }
        Err(refused("name a document", format!("no free number for {proposed}")))
    }
}

/// The numbers that are tried. Past those close by the steps double, so that a row of taken ones costs little; and
/// where they lead beyond all numbers, the rest comes one by one, so that nobody can take up all that would be tried.
struct Numbers {
    near: u32,
    far: u32,
    tried: u32,
}

impl Numbers {
    fn after(last: u32) -> Numbers {
        Numbers { near: last, far: last, tried: 0 }
    }
}

impl Iterator for Numbers {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        self.tried = self.tried.saturating_add(1);
        let doubled = self.far.checked_mul(2).filter(|_| self.tried > CLOSE_BY);
        if let Some(far) = doubled {
            self.far = far;
            return doubled;
        }
        self.near = self.near.checked_add(1)?;
        if self.tried <= CLOSE_BY {
            self.far = self.near;
        }
        Some(self.near)
    }
}

/// What names are numbered together by.
pub(super) fn series_key(proposed: &str) -> String {
    name_key(&numbered(proposed, 2))
}

fn next_version(holder: &Holder) -> Sql<u32> {
    let next = holder.version.checked_add(1);
    next.ok_or_else(|| refused("add a version", format!("no free number for {}", holder.name)))
}

pub(super) fn names(db: &Connection, library: LibraryId, wanted: &[Wanted<'_>]) -> Sql<Vec<Placed>> {
    let mut folders: HashMap<String, Folder<'_>> = HashMap::new();
    let mut places = Vec::with_capacity(wanted.len());
    for wanted in wanted {
        let folder = match folders.entry(name_key(wanted.folder)) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(Folder::open(db, library, None, wanted.folder)?),
        };
        let series_key = series_key(wanted.name);
        let (name, number, version) = match folder.settle(wanted, &series_key)? {
            Slot::New { name, number } => (name, number, 1),
            Slot::Version(holder) => (holder.name.clone(), 1, next_version(&holder)?),
        };
        folder.promise(&name, series_key, number);
        places.push(Placed { folder: folder.spelt.clone(), name, version });
    }
    Ok(places)
}

pub(super) fn add(db: &Connection, new: &NewDocument) -> Sql<Placed> {
    let folder = Folder::open(db, new.library, Some(new.delivery), &new.folder)?;
    let wanted = Wanted { folder: &new.folder, name: &new.name, clash: new.clash };
    let series_key = series_key(&new.name);
    let (name, version) = match folder.settle(&wanted, &series_key)? {
        Slot::New { name, number } => (add_first(&folder, &name, (&series_key, number), new)?, 1),
        Slot::Version(holder) => {
            let version = next_version(&holder)?;
            add_version(db, holder.document, version, new)?;
            (holder.name, version)
        }
    };
    Ok(Placed { folder: folder.spelt, name, version })
}

/// Adds a document with its first version; gives its name.
fn add_first(
    folder: &Folder<'_>,
    name: &str,
    (series_key, number): (&str, u32),
    new: &NewDocument,
) -> Sql<String> {
    let Folder { db, library, spelt, key, .. } = folder;
    let sql = "INSERT INTO documents (library, folder, folder_key, name, name_key, series_key, number)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let values = params![library, spelt, key, name, name_key(name), series_key, number];
    db.prepare_cached(sql)?.execute(values)?;
    let document = DocumentId(db.last_insert_rowid());
    if let Err(fault) = add_version(db, document, 1, new) {
        // Taken back by hand: a savepoint for each document costs more than the document.
        db.prepare_cached("DELETE FROM documents WHERE id = ?1")?.execute([document])?;
        return Err(fault);
    }
    Ok(name.to_owned())
}

/// Not for a content that is doomed: its file may be gone already.
fn add_version(db: &Connection, document: DocumentId, version: u32, new: &NewDocument) -> Sql<()> {
    let sql = "INSERT INTO versions
                   (document, version, content, media_type, created_by, created_at, delivery, original,
                    sniffed_type, identity, level)
               SELECT ?1, ?9, id, ?4, ?5, ?6, ?7, ?8, ?10, ?11, ?12 FROM contents
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
        version,
        new.sniffed_type,
        new.identity,
        new.level,
    ])?;
    match added {
        0 => Err(refused("add a document", format!("content {} is not on record with its size", new.digest))),
        _ => Ok(()),
    }
}
