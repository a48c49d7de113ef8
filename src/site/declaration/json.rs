//! A declaration as JSON, for programs: what its TOML says, in the same structure.

use std::collections::BTreeMap;

use mailshelf_storage::LibraryName;
use serde_json::{Map, Value, json};

use super::Declaration;
use super::setting::settings;

impl Declaration {
    /// `{"user":{…},"group":{…},"library":{…}}`, each by name. Every library has `grants`, be there none.
    pub fn to_json(&self) -> Value {
        let Declaration { libraries, users, groups, grants } = self;
        let users: Map<_, _> =
            users.iter().map(|(login, all)| (login.to_string(), json!({"addresses": all}))).collect();
        let groups = groups.iter().map(|(name, members)| {
            let members: Vec<_> = members.iter().map(ToString::to_string).collect();
            (name.to_string(), json!({"members": members}))
        });
        let mut rights: BTreeMap<&LibraryName, Map<_, _>> = BTreeMap::new();
        for ((library, principal), role) in grants {
            rights.entry(library).or_default().insert(principal.to_string(), json!(role.as_str()));
        }
        let libraries = libraries.iter().map(|(name, library)| {
            let mut fields = Map::from_iter([("alias".to_owned(), json!(library.alias.as_str()))]);
            fields.extend(
                settings(&library.settings).into_iter().map(|(key, value)| (key.to_owned(), json!(value))),
            );
            fields.insert("grants".to_owned(), Value::Object(rights.remove(name).unwrap_or_default()));
            (name.to_string(), Value::Object(fields))
        });
        json!({"user": users, "group": groups.collect::<Map<_, _>>(), "library": libraries.collect::<Map<_, _>>()})
    }
}
