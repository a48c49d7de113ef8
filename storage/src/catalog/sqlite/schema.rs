//! Whether tables, indexes and triggers are those of a new catalog.

use std::collections::BTreeMap;

use rusqlite::{Connection, Row};

use super::fault::Sql;
use super::open;

/// Kind and name, and how it was made. What an `ALTER TABLE` leaves as text is SQLite's own: of tables only the names count.
type Schema = BTreeMap<(String, String), Option<String>>;

fn schema(db: &Connection) -> Sql<Schema> {
    let sql =
        "SELECT type, name, iif(type = 'table', NULL, sql) FROM sqlite_schema WHERE name NOT GLOB 'sqlite_*'";
    let part = |row: &Row<'_>| Ok(((row.get(0)?, row.get(1)?), row.get(2)?));
    Ok(db.prepare(sql)?.query_map([], part)?.collect::<rusqlite::Result<_>>()?)
}

/// A sentence for each. What somebody has added is left alone, unless it may change rows by itself.
pub(super) fn differences(db: &Connection) -> Sql<Vec<String>> {
    let (ours, found) = (schema(&open::fresh()?)?, schema(db)?);
    let wrong = ours.iter().filter_map(|(part, made)| match found.get(part) {
        None => Some((part, "is missing")),
        Some(other) if other != made => Some((part, "is not that of this schema")),
        Some(_) => None,
    });
    let added = found.keys().filter(|part| part.0 == "trigger" && !ours.contains_key(*part));
    let all = wrong.chain(added.map(|part| (part, "is not of this schema")));
    Ok(all.map(|((kind, name), what)| format!("{kind} {name} {what}")).collect())
}
