//! Documents that are removed, restored, moved and purged. Every other look-up of a name goes by the keys, and the keys of
//! a removed document are nobody's name.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::documents::{DOCUMENT, Folder, NEWEST, Slot, document, series_key};
use super::fault::{Sql, not_found, taken};
use super::libraries;
use super::values::Millis;
use crate::model::{Clash, Destination, Document, Placed, Purged, Wanted, name_key, path, split_extension};
use crate::{DeliveryId, Digest, DocumentId, Error, LibraryId, RemovalId};

/// The folder key of what is not in any folder: no name holds a slash.
const NOWHERE: &str = "/";

pub(super) fn each(
    db: &Connection,
    library: LibraryId,
    visit: &mut dyn FnMut(Document) -> Result<(), Error>,
) -> Sql<()> {
    let sql = format!(
        "SELECT {DOCUMENT} WHERE library = ?1 AND folder_key = '{NOWHERE}' AND {NEWEST} ORDER BY name_key"
    );
    let mut query = db.prepare_cached(&sql)?;
    for found in query.query_map([library], document)? {
        visit(found?)?;
    }
    Ok(())
}

pub(super) fn before(db: &Connection, before: RemovalId, limit: usize) -> Sql<Vec<RemovalId>> {
    let sql = "SELECT removal FROM documents WHERE removal < ?1 ORDER BY removal LIMIT ?2";
    let mut query = db.prepare_cached(sql)?;
    let found = query.query_map(params![before, limit], |row| row.get(0))?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn purged(db: &Connection, delivery: DeliveryId) -> Sql<Vec<Purged>> {
    let sql = "SELECT library, path, version, size, digest, removal, why, at FROM purged WHERE delivery = ?1
               ORDER BY id";
    let purged = |row: &Row<'_>| {
        let Millis(at) = row.get(7)?;
        Ok(Purged {
            library: row.get(0)?,
            path: row.get(1)?,
            version: row.get(2)?,
            size: row.get(3)?,
            digest: row.get(4)?,
            removal: row.get(5)?,
            why: row.get(6)?,
            at,
        })
    };
    let mut query = db.prepare_cached(sql)?;
    Ok(query.query_map([delivery], purged)?.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn remove(
    db: &Connection,
    library: LibraryId,
    folder: &str,
    name: &str,
    removal: RemovalId,
) -> Sql<Document> {
    let sql = format!(
        "UPDATE documents SET removal = ?4, folder_key = '{NOWHERE}', name_key = ?4
         WHERE library = ?1 AND folder_key = ?2 AND name_key = ?3"
    );
    let values = params![library, name_key(folder), name_key(name), removal];
    if db.prepare_cached(&sql)?.execute(values)? == 0 {
        return Err(not_found("document", path(folder, name)));
    }
    let mut query = db.prepare_cached(&format!("SELECT {DOCUMENT} WHERE removal = ?1 AND {NEWEST}"))?;
    Ok(query.query_row([removal], document)?)
}

/// A document that is about to get a place.
struct Bare {
    id: DocumentId,
    library: LibraryId,
    folder: String,
    name: String,
    series_key: String,
    number: u32,
    version: u32,
}

/// The one of these keys: `selection` is compared with `values`.
fn bare(db: &Connection, selection: &str, values: impl rusqlite::Params) -> Sql<Option<Bare>> {
    let sql = format!(
        "SELECT id, library, folder, name, series_key, number,
                (SELECT max(version) FROM versions WHERE document = documents.id) FROM documents WHERE {selection}"
    );
    let mut query = db.prepare_cached(&sql)?;
    let bare = query.query_row(values, |row| {
        Ok(Bare {
            id: row.get(0)?,
            library: row.get(1)?,
            folder: row.get(2)?,
            name: row.get(3)?,
            series_key: row.get(4)?,
            number: row.get(5)?,
            version: row.get(6)?,
        })
    });
    Ok(bare.optional()?)
}

/// Under its name or, where that is taken, the next number of its series.
pub(super) fn restore(db: &Connection, removal: RemovalId) -> Sql<Placed> {
    let found = bare(db, "removal = ?1", [removal])?;
    let bare = found.ok_or_else(|| not_found("removed document", removal))?;
    let folder = Folder::open(db, bare.library, None, &bare.folder)?;
    if !folder.is_taken(&name_key(&bare.name))? {
        return put(db, &folder, bare);
    }
    let Bare { name, series_key, number, .. } = bare;
    let free = next_free(&folder, &InSeries { name, series_key, number })?;
    let InSeries { name, series_key, number } = free;
    put(db, &folder, Bare { name, series_key, number, ..bare })
}

/// A name, and which of its series it is.
pub(super) struct InSeries {
    pub(super) name: String,
    pub(super) series_key: String,
    pub(super) number: u32,
}

/// The next number of its series, for a name that is taken.
pub(super) fn next_free(folder: &Folder<'_>, old: &InSeries) -> Sql<InSeries> {
    let proposed = proposed(old);
    let wanted = Wanted { folder: &folder.spelt, name: &proposed, clash: Clash::Number };
    let series_key = series_key(&proposed);
    // Not the name proposed, nor a number before its own: another document of the bin may have had that.
    let own = if series_key == old.series_key { old.number } else { 1 };
    match folder.next(&wanted, &series_key, own)? {
        Slot::New { name, number } => Ok(InSeries { name, series_key, number }),
        // None of these are asked for.
        Slot::Version(holder) => Err(taken("document", path(&folder.spelt, &holder.name), "another")),
    }
}

/// The name that this one is a number of, as far as that can be told: of `a (2).pdf` in the series of `a.pdf`, that.
fn proposed(old: &InSeries) -> String {
    let (stem, extension) = split_extension(&old.name);
    let stem = stem.strip_suffix(&format!(" ({})", old.number));
    let first = stem.map(|stem| format!("{stem}{extension}"));
    first.filter(|first| series_key(first) == old.series_key).unwrap_or_else(|| old.name.clone())
}

/// Gives a document its place, which is free. It is in no recycle bin any more.
fn put(db: &Connection, folder: &Folder<'_>, bare: Bare) -> Sql<Placed> {
    let Folder { library, spelt, key, .. } = folder;
    let sql = "UPDATE documents SET library = ?2, folder = ?3, folder_key = ?4, name = ?5, name_key = ?6, series_key = ?7,
               number = ?8, removal = NULL WHERE id = ?1";
    let Bare { id, name, series_key, number, version, .. } = bare;
    let values = params![id, library, spelt, key, name, name_key(&name), series_key, number];
    db.prepare_cached(sql)?.execute(values)?;
    Ok(Placed { folder: spelt.clone(), name, version })
}

pub(super) fn relocate(
    db: &Connection,
    library: LibraryId,
    (folder, name): (&str, &str),
    to: Destination<'_>,
) -> Sql<Placed> {
    let target = libraries::name(db, to.library)?;
    let keys = "library = ?1 AND folder_key = ?2 AND name_key = ?3";
    let found = bare(db, keys, params![library, name_key(folder), name_key(name)])?;
    let bare = found.ok_or_else(|| not_found("document", path(folder, name)))?;
    // Out of its own way: a name may change in its case alone, and a folder that held it alone be spelt anew.
    let aside = format!("UPDATE documents SET folder_key = '{NOWHERE}', name_key = '' WHERE id = ?1");
    db.prepare_cached(&aside)?.execute([bare.id])?;
    let folder = Folder::open(db, to.library, None, to.folder)?;
    if folder.is_taken(&name_key(to.name))? {
        let by = format!("a document of library {target}");
        return Err(taken("document", path(to.folder, to.name), by));
    }
    let sql = "UPDATE versions SET filed_in = nullif(coalesce(filed_in, ?2), ?3) WHERE document = ?1";
    db.prepare_cached(sql)?.execute(params![bare.id, bare.library, to.library])?;
    put(db, &folder, Bare { name: to.name.to_owned(), series_key: series_key(to.name), number: 1, ..bare })
}

/// Forgets a document; gives the contents it had, each once.
pub(super) fn purge(db: &Connection, removal: RemovalId, why: &str, now: Timestamp) -> Sql<Vec<Digest>> {
    let found = bare(db, "removal = ?1", [removal])?;
    let Bare { id, folder, name, .. } = found.ok_or_else(|| not_found("removed document", removal))?;
    let sql = "INSERT INTO purged (delivery, library, filed_in, document, path, version, size, digest, removal, why, at)
               SELECT delivery, libraries.name, coalesce(filed_in, library), document, ?2, version, size, digest, removal,
                   ?3, ?4
               FROM versions JOIN contents ON contents.id = content JOIN documents ON documents.id = document
               JOIN libraries ON libraries.id = library WHERE document = ?1 ORDER BY version";
    db.prepare_cached(sql)?.execute(params![id, path(&folder, &name), why, Millis(now)])?;
    let sql =
        "SELECT DISTINCT digest FROM versions JOIN contents ON contents.id = content WHERE document = ?1";
    let mut query = db.prepare_cached(sql)?;
    let digests = query.query_map([id], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    db.prepare_cached("DELETE FROM versions WHERE document = ?1")?.execute([id])?;
    db.prepare_cached("DELETE FROM documents WHERE id = ?1")?.execute([id])?;
    Ok(digests)
}
