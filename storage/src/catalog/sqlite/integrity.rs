//! Whether the catalog is sound: what the schema itself cannot forbid.

use rusqlite::Connection;

use super::fault::{Fault, Sql};
use super::values::as_written;
use super::{people, readable, schema};

/// What lets it seem that documents are gone which nobody removed. Each gives one sentence for each thing that must not be.
const LOSSES: [&str; 6] = [
    "SELECT integrity_check FROM pragma_integrity_check WHERE integrity_check <> 'ok'",
    "SELECT 'row ' || coalesce(rowid, '?') || ' of ' || \"table\" || ' refers to a row of ' || parent ||
         ' that is not there' FROM pragma_foreign_key_check",
    "SELECT 'document ' || documents.id || ' (' || documents.name || ') has no version' FROM documents
     WHERE NOT EXISTS (SELECT 1 FROM versions WHERE document = documents.id)",
    "SELECT 'document ' || documents.id || ' (' || name || ') has not all of its versions' FROM documents
     JOIN versions ON document = documents.id GROUP BY documents.id HAVING max(version) <> count(*) OR min(version) <> 1",
    // Without a library: it was removed, and what it had was moved or purged before.
    "SELECT 'mail ' || delivery || ' was filed for ' || recipient || ', and no document of it is there, nor on record as purged'
     FROM outcomes WHERE kind = 'filed' AND NOT EXISTS (
         SELECT 1 FROM versions JOIN documents ON documents.id = document WHERE versions.delivery = outcomes.delivery
         AND coalesce(outcomes.library = coalesce(filed_in, documents.library),
             coalesce(filed_in, documents.library) NOT IN (SELECT id FROM libraries)))
     AND NOT EXISTS (
         SELECT 1 FROM purged WHERE purged.delivery = outcomes.delivery
         AND coalesce(outcomes.library = filed_in, filed_in NOT IN (SELECT id FROM libraries)))",
    "SELECT 'mail ' || delivery || ' is done and has no outcome' FROM mails
     WHERE state = 'done' AND NOT EXISTS (SELECT 1 FROM outcomes WHERE outcomes.delivery = mails.delivery)",
];

/// The rest of them.
const CHECKS: [&str; 10] = [
    "SELECT 'document ' || id || ' (' || name || ') ' || iif(removal IS NULL, 'stands, and has the keys of a removed one',
         'is in the recycle bin, and its keys are not those of its removal') FROM documents
     WHERE (folder_key = '/') <> (removal IS NOT NULL) OR removal IS NOT NULL AND name_key <> removal",
    "SELECT 'document ' || document || ' version ' || version || ' has a doomed content' FROM versions
     JOIN contents ON contents.id = versions.content WHERE doomed",
    "SELECT 'mail ' || delivery || ' is done but has a deferred outcome' FROM mails
     WHERE state = 'done' AND EXISTS (
         SELECT 1 FROM outcomes WHERE outcomes.delivery = mails.delivery AND kind = 'deferred')",
    "WITH RECURSIVE below (top, id) AS (SELECT \"group\", member FROM nested
         UNION SELECT top, member FROM below JOIN nested ON \"group\" = below.id)
     SELECT 'group ' || name || ' is a member of itself' FROM below JOIN groups ON groups.id = top WHERE top = below.id
     ORDER BY name",
    "SELECT 'document ' || id || ' (' || name || ') is not found by its own name' FROM documents
     WHERE removal IS NULL AND (name_key <> name_key(name) OR folder_key <> name_key(folder))",
    "SELECT 'document ' || document || ' version ' || version || ' was filed in a library that never was, or in its own'
     FROM versions JOIN documents ON documents.id = document
     WHERE filed_in = library OR NOT filed_in BETWEEN 1 AND (SELECT seq FROM sqlite_sequence WHERE name = 'libraries')",
    "SELECT 'alias ' || libraries.alias || ' of library ' || name || ' is a former one, too' FROM libraries
     JOIN former_aliases ON former_aliases.alias = libraries.alias",
    "SELECT 'mail ' || delivery || ' is said to have been kept aside, and was never rejected' FROM kept
     WHERE NOT EXISTS (SELECT 1 FROM outcomes WHERE outcomes.delivery = kept.delivery AND kind = 'rejected')",
    "SELECT 'mail ' || delivery || ' is said to have been kept aside, and is not done' FROM kept JOIN mails USING (delivery)
     WHERE state = 'open'",
    "SELECT 'document ' || document || ' version ' || version || ' is said to have been purged, and stands' FROM purged
     JOIN versions USING (document, version, delivery) JOIN documents ON documents.id = document
     WHERE purged.filed_in = coalesce(versions.filed_in, documents.library)",
];

pub(super) fn problems(db: &Connection) -> Sql<Vec<String>> {
    let mut problems = schema::differences(db)?;
    let is_whole = problems.is_empty();
    let mut take = |found: Sql<Vec<String>>| match found {
        Ok(found) => {
            problems.extend(found);
            Ok(())
        }
        // Without a table or a column nothing can be asked of it; that it is not there has been told.
        Err(Fault::Sqlite(_)) if !is_whole => Ok(()),
        Err(fault) => Err(fault),
    };
    LOSSES.iter().chain(&CHECKS).try_for_each(|check| take(found(db, check)))?;
    readable::checks().try_for_each(|check| take(found(db, &check)))?;
    let unused = people::unused_addresses(db).map(|unused| unused.iter().map(ToString::to_string).collect());
    take(unused)?;
    Ok(problems)
}

pub(super) fn losses(db: &Connection) -> Sql<Vec<String>> {
    let found = LOSSES.iter().map(|check| found(db, check));
    Ok(found.collect::<Sql<Vec<_>>>()?.concat())
}

fn found(db: &Connection, check: &str) -> Sql<Vec<String>> {
    let mut query = db.prepare(check)?;
    let found = query.query_map([], |row| as_written(row, 0))?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}
