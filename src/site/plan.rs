//! From what a site is to what a declaration says: which changes, and why not.

use std::collections::{BTreeMap, BTreeSet};

use mailshelf_storage::model::{Member, Principal, Role};
use mailshelf_storage::{Address, GroupName, LibraryName, Login};

use super::declaration::{Declaration, Library};

mod carry_out;
mod check;

pub use carry_out::{Carried, NotRemoved};

/// What changes of one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change<K, V> {
    /// Which.
    pub which: K,
    /// What it was; `None`: it is made.
    pub from: Option<V>,
    /// What it will be; `None`: it is removed.
    pub to: Option<V>,
}

/// A change of a right: in which library, of whom.
pub type GrantChange = Change<(LibraryName, Principal), Role>;

/// What changes, each kind by name. Plain values: nothing is read and nothing is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Changes of users.
    pub users: Vec<Change<Login, BTreeSet<Address>>>,
    /// Of groups.
    pub groups: Vec<Change<GroupName, BTreeSet<Member>>>,
    /// Of libraries.
    pub libraries: Vec<Change<LibraryName, Library>>,
    /// Of rights.
    pub grants: Vec<GrantChange>,
    /// What stays although the file lacks it.
    pub kept: Kept,
    /// What the site will be.
    pub target: Declaration,
}

/// How much of a site its declaration does not name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Kept {
    /// Users.
    pub users: usize,
    /// Groups.
    pub groups: usize,
    /// Libraries.
    pub libraries: usize,
    /// Rights.
    pub grants: usize,
}

impl Plan {
    /// The changes that make the site `now` as it is `wanted`. What is wanted of a thing replaces all that it was: its
    /// settings, addresses, members. What is not wanted goes only if it is to be pruned.
    pub fn new(now: &Declaration, wanted: &Declaration, prune: bool) -> Plan {
        let kept = if prune { Kept::default() } else { Kept::of(now, wanted) };
        let target = if prune { wanted.clone() } else { laid_over(now, wanted) };
        Plan {
            users: changes(&now.users, &target.users),
            groups: changes(&now.groups, &target.groups),
            libraries: changes(&now.libraries, &target.libraries),
            grants: changes(&now.grants, &target.grants),
            kept,
            target,
        }
    }

    /// How many changes there are.
    pub fn len(&self) -> usize {
        self.users.len() + self.groups.len() + self.libraries.len() + self.grants.len()
    }

    /// Whether the site is so already.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Kept {
    fn of(now: &Declaration, wanted: &Declaration) -> Kept {
        let Declaration { libraries, users, groups, grants } = now;
        Kept {
            users: absent(users, &wanted.users),
            groups: absent(groups, &wanted.groups),
            libraries: absent(libraries, &wanted.libraries),
            grants: absent(grants, &wanted.grants),
        }
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        *self == Kept::default()
    }
}

fn absent<K: Ord, V>(now: &BTreeMap<K, V>, wanted: &BTreeMap<K, V>) -> usize {
    now.keys().filter(|key| !wanted.contains_key(key)).count()
}

fn laid_over(now: &Declaration, wanted: &Declaration) -> Declaration {
    let mut target = now.clone();
    let Declaration { libraries, users, groups, grants } = wanted.clone();
    target.libraries.extend(libraries);
    target.users.extend(users);
    target.groups.extend(groups);
    target.grants.extend(grants);
    target
}

fn changes<K: Ord + Clone, V: PartialEq + Clone>(
    now: &BTreeMap<K, V>,
    target: &BTreeMap<K, V>,
) -> Vec<Change<K, V>> {
    let keys: BTreeSet<&K> = now.keys().chain(target.keys()).collect();
    let pairs = keys.into_iter().map(|key| (key, now.get(key), target.get(key)));
    let changed = pairs.filter(|(_, from, to)| from != to);
    changed
        .map(|(key, from, to)| Change { which: key.clone(), from: from.cloned(), to: to.cloned() })
        .collect()
}

#[cfg(test)]
mod tests;
