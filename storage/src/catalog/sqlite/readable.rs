//! Whether each value is one that can be read: who writes by hand need not keep to the forms.

use jiff::Timestamp;

use crate::{Alias, DeliveryId, GroupName, LibraryName, Login, PassId, RemovalId};

/// A table, a column, and what stands there.
type Column = (&'static str, &'static str, &'static str);

/// The columns whose form the schema does not know. Addresses are looked at elsewhere.
const COLUMNS: [Column; 28] = [
    ("libraries", "name", "name of a library"),
    ("libraries", "alias", "alias"),
    ("libraries", "created_at", "time"),
    ("former_aliases", "alias", "alias"),
    ("former_aliases", "since", "time"),
    ("users", "login", "login"),
    ("groups", "name", "name of a group"),
    ("mails", "delivery", "id of a delivery"),
    ("mails", "arrived_at", "time"),
    ("mails", "date", "time"),
    ("mails", "calendar_stamp", "time"),
    ("mails", "attempts", "number"),
    ("mails", "calendar_sequence", "number"),
    ("outcomes", "identity", "login"),
    ("kept", "at", "time"),
    ("documents", "folder", "name of a folder"),
    ("documents", "name", "name of a document"),
    ("documents", "number", "number"),
    ("documents", "removal", "id of a removal"),
    ("versions", "version", "number"),
    ("versions", "created_at", "time"),
    ("purged", "library", "name of a library"),
    ("purged", "version", "number"),
    ("purged", "removal", "id of a removal"),
    ("purged", "at", "time"),
    ("passes", "pass", "id of a pass"),
    ("passes", "started_at", "time"),
    ("events", "time", "time"),
];

/// Each gives a sentence for each value that cannot be read.
pub(super) fn checks() -> impl Iterator<Item = String> {
    COLUMNS.into_iter().map(|(table, column, what)| {
        format!(
            "SELECT 'table {table}: the {column} ' || {column} || ' is no {what}' FROM {table}
             WHERE {column} IS NOT NULL AND NOT is_readable('{what}', {column})"
        )
    })
}

/// Whether this text, or this number as text, is what it should be.
pub(super) fn is_readable(what: &str, bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    match what {
        "alias" => text.parse::<Alias>().is_ok(),
        "login" => text.parse::<Login>().is_ok(),
        "name of a library" => text.parse::<LibraryName>().is_ok(),
        "name of a group" => text.parse::<GroupName>().is_ok(),
        "id of a delivery" => text.parse::<DeliveryId>().is_ok(),
        "id of a removal" => text.parse::<RemovalId>().is_ok(),
        "id of a pass" => text.parse::<PassId>().is_ok(),
        "name of a document" => is_name(text),
        "name of a folder" => text.is_empty() || is_name(text),
        "number" => text.parse::<u32>().is_ok(),
        _ => text.parse().is_ok_and(|at| Timestamp::from_millisecond(at).is_ok()),
    }
}

/// What a path is never led astray by. Whoever proposes names has a rule of more words.
fn is_name(text: &str) -> bool {
    let is_path = matches!(text, "" | "." | "..") || text.contains(['/', '\\']);
    !is_path && !text.contains(char::is_control)
}
