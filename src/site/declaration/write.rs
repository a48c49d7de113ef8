//! A declaration as TOML: each site has one text, to the byte, whatever the order in which it was made.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{Display, Write};

use mailshelf_storage::LibraryName;
use mailshelf_storage::model::{Principal, Role};

use super::setting::{Value, settings};
use super::{Declaration, Library};
use crate::escape::is_unsafe;

const HEAD: &str =
    "# The users, groups and libraries of a mailshelf site: `mailshelf apply` makes a site so.\n";

impl Declaration {
    /// The text: users, groups, then libraries with every setting and the rights given there, each by name. Fit for a
    /// terminal.
    pub fn to_toml(&self) -> String {
        let Declaration { libraries, users, groups, grants } = self;
        let mut rights: BTreeMap<&LibraryName, Vec<(&Principal, Role)>> = BTreeMap::new();
        for ((library, principal), role) in grants {
            rights.entry(library).or_default().push((principal, *role));
        }
        let sections = users.iter().map(|(login, addresses)| section("user", login, "addresses", addresses));
        let groups = groups.iter().map(|(name, members)| section("group", name, "members", members));
        let libraries = libraries.iter().map(|(name, library)| {
            written(name, library, rights.get(name).map(Vec::as_slice).unwrap_or_default())
        });
        std::iter::once(HEAD.to_owned()).chain(sections.chain(groups).chain(libraries)).collect()
    }
}

/// A section with one list. What changes in it changes lines of its own.
fn section(kind: &str, name: &impl Display, what: &str, items: &BTreeSet<impl Display>) -> String {
    let items: Vec<_> = items.iter().map(|item| text(&item.to_string())).collect();
    let list = match items.as_slice() {
        [] | [_] => items.concat(),
        items => items.iter().fold("\n".to_owned(), |list, item| format!("{list}    {item},\n")),
    };
    format!("\n[{kind}.{}]\n{what} = [{list}]\n", key(&name.to_string()))
}

fn written(name: &LibraryName, library: &Library, grants: &[(&Principal, Role)]) -> String {
    let Library { alias, settings: all } = library;
    let name = key(name.as_str());
    let mut toml = format!("\n[library.{name}]\nalias = {}\n", text(alias.as_str()));
    // Writing to a String cannot fail.
    for (setting, value) in settings(all) {
        let _ = writeln!(toml, "{setting} = {}", value.to_toml());
    }
    if !grants.is_empty() {
        let _ = writeln!(toml, "\n[library.{name}.grants]");
    }
    for (principal, role) in grants {
        let _ = writeln!(toml, "{} = {}", key(&principal.to_string()), text(role.as_str()));
    }
    toml
}

impl Value {
    /// As it stands in the file.
    pub(super) fn to_toml(&self) -> String {
        match self {
            Value::YesNo(yes) => yes.to_string(),
            Value::Word(word) => text(word),
            Value::Text(any) => text(any),
        }
    }
}

/// A key of TOML, in quotes where it needs them.
pub fn key(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !name.is_empty() && name.chars().all(bare) { name.to_owned() } else { text(name) }
}

/// A text of TOML in quotes, with whatever may do harm on a terminal as an escape of TOML's.
pub fn text(plain: &str) -> String {
    let mut quoted = String::with_capacity(plain.len() + 2);
    quoted.push('"');
    for c in plain.chars() {
        // Writing to a String cannot fail.
        let _ = match c {
            '"' | '\\' => write!(quoted, "\\{c}"),
            c if is_unsafe(c) && u32::from(c) > 0xffff => write!(quoted, "\\U{:08X}", u32::from(c)),
            c if is_unsafe(c) => write!(quoted, "\\u{:04X}", u32::from(c)),
            c => quoted.write_char(c),
        };
    }
    quoted.push('"');
    quoted
}
