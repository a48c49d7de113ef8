//! Keys of names that an earlier version made by another rule are made anew, as part of the migration to schema 5.
//!
//! Names come from strangers, who may have taken any name that would be given now: so each is looked for like the name of
//! a document that is filed. Of `documents` only columns of the first schema are asked for.

use rusqlite::{Connection, Row, params};

use super::documents::Folder;
use super::fault::Sql;
use super::removed::{InSeries, next_free};
use crate::model::name_key;
use crate::{DocumentId, LibraryId};

/// A document whose keys are not those of its name and folder.
struct Stale {
    id: DocumentId,
    library: LibraryId,
    folder: String,
    place: InSeries,
}

/// Whoever has the name that another would have now keeps it; of several that would, the first one gets it.
pub(super) fn documents(db: &Connection) -> Sql<()> {
    let series =
        "UPDATE documents SET series_key = name_key(series_key) WHERE series_key <> name_key(series_key)";
    db.execute(series, [])?;
    let stale = stale(db)?;
    // Out of each other's way: an old key of one may be the new key of another. No name holds a slash.
    let mut aside =
        db.prepare("UPDATE documents SET folder_key = '/', name_key = '/' || id WHERE id = ?1")?;
    for document in &stale {
        aside.execute([document.id])?;
    }
    // Those that get a number come last: it must not be the name of one that could have kept it.
    let mut unnamed = Vec::new();
    for document in stale {
        let folder = Folder::open(db, document.library, None, &document.folder)?;
        match folder.is_taken(&name_key(&document.place.name))? {
            true => unnamed.push(document),
            false => put(db, &folder, document.id, &document.place)?,
        }
    }
    for Stale { id, library, folder, place } in unnamed {
        let folder = Folder::open(db, library, None, &folder)?;
        put(db, &folder, id, &next_free(&folder, &place)?)?;
    }
    Ok(())
}

fn stale(db: &Connection) -> Sql<Vec<Stale>> {
    let sql = "SELECT id, library, folder, name, series_key, number FROM documents
               WHERE name_key <> name_key(name) OR folder_key <> name_key(folder) ORDER BY id";
    let stale = |row: &Row<'_>| {
        Ok(Stale {
            id: row.get(0)?,
            library: row.get(1)?,
            folder: row.get(2)?,
            place: InSeries { name: row.get(3)?, series_key: row.get(4)?, number: row.get(5)? },
        })
    };
    Ok(db.prepare(sql)?.query_map([], stale)?.collect::<rusqlite::Result<_>>()?)
}

fn put(db: &Connection, folder: &Folder<'_>, id: DocumentId, place: &InSeries) -> Sql<()> {
    let InSeries { name, series_key, number } = place;
    let sql = "UPDATE documents SET folder = ?2, folder_key = ?3, name = ?4, name_key = ?5, series_key = ?6, number = ?7
               WHERE id = ?1";
    let values = params![id, folder.spelt, folder.key, name, name_key(name), series_key, number];
    db.prepare_cached(sql)?.execute(values)?;
    Ok(())
}
