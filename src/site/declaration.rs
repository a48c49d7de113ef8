//! What a site is declared to be: its libraries, users, groups and rights as plain values, and as one TOML file.

use std::collections::{BTreeMap, BTreeSet};

use mailshelf_storage::model::{self, Grant, LibrarySettings, Member, Principal, Role};
use mailshelf_storage::{Address, Alias, GroupName, LibraryName, Login, Reader, Result};

mod json;
mod read;
mod setting;
mod write;

pub use read::{Fault, Lines, Part, Written, read};
pub use setting::{Value, check_title, quota, settings};
pub use write::{key, text};

/// The libraries, users, groups and rights of a site.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Declaration {
    /// Libraries and their settings.
    pub libraries: BTreeMap<LibraryName, Library>,
    /// Users and the addresses they send from.
    pub users: BTreeMap<Login, BTreeSet<Address>>,
    /// Groups and their members.
    pub groups: BTreeMap<GroupName, BTreeSet<Member>>,
    /// Rights: where, whose, which.
    pub grants: BTreeMap<(LibraryName, Principal), Role>,
}

/// A library as it is declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Library {
    /// The local-part that mail to it is sent to.
    pub alias: Alias,
    /// All else that is set for it.
    pub settings: LibrarySettings,
}

impl Declaration {
    /// What a site is now. Each value of the catalog is taken apart whole: what is added to one must be declared, or
    /// left out on purpose, before this compiles again. An address that nobody is found by is none.
    pub fn of(reader: &(impl Reader + ?Sized)) -> Result<Declaration> {
        let mut found = Declaration::default();
        for library in reader.libraries()? {
            let model::Library { id, name, alias, settings, created_at: _ } = library;
            for Grant { principal, role } in reader.grants(id)? {
                found.grants.insert((name.clone(), principal), role);
            }
            found.libraries.insert(name, Library { alias, settings });
        }
        for model::User { id: _, login, addresses } in reader.users()? {
            found.users.insert(login, addresses.into_iter().collect());
        }
        for model::Group { name, members } in reader.groups()? {
            found.groups.insert(name, members.into_iter().collect());
        }
        Ok(found)
    }
}

#[cfg(test)]
pub(super) mod any;
#[cfg(test)]
mod tests;
