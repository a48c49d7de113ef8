//! Whether the catalog is sound: what the schema itself cannot forbid.

use rusqlite::Connection;

use super::fault::Sql;
use super::people;

/// Each gives one sentence for each thing that must not be.
const CHECKS: [&str; 12] = [
    "SELECT integrity_check FROM pragma_integrity_check WHERE integrity_check <> 'ok'",
    "SELECT 'row ' || coalesce(rowid, '?') || ' of ' || \"table\" || ' refers to a row of ' || parent ||
         ' that is not there' FROM pragma_foreign_key_check",
    "SELECT 'document ' || documents.id || ' (' || documents.name || ') has no version' FROM documents
     WHERE NOT EXISTS (SELECT 1 FROM versions WHERE document = documents.id)",
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
    "SELECT 'document ' || documents.id || ' (' || name || ') has not all of its versions' FROM documents
     JOIN versions ON document = documents.id GROUP BY documents.id HAVING max(version) <> count(*) OR min(version) <> 1",
    "SELECT 'document ' || document || ' version ' || version || ' was filed in a library that never was, or in its own'
     FROM versions JOIN documents ON documents.id = document
     WHERE filed_in = library OR NOT filed_in BETWEEN 1 AND (SELECT seq FROM sqlite_sequence WHERE name = 'libraries')",
    "SELECT 'alias ' || libraries.alias || ' of library ' || name || ' is a former one, too' FROM libraries
     JOIN former_aliases ON former_aliases.alias = libraries.alias",
    "SELECT 'mail ' || delivery || ' is said to have been kept aside, and was never rejected' FROM kept
     WHERE NOT EXISTS (SELECT 1 FROM outcomes WHERE outcomes.delivery = kept.delivery AND kind = 'rejected')",
];

pub(super) fn problems(db: &Connection) -> Sql<Vec<String>> {
    let mut problems = Vec::new();
    for check in CHECKS {
        let mut query = db.prepare_cached(check)?;
        for problem in query.query_map([], |row| row.get(0))? {
            problems.push(problem?);
        }
    }
    problems.extend(people::unused_addresses(db)?.iter().map(ToString::to_string));
    Ok(problems)
}
