//! A plan carried out in one write transaction. The order is such that no change needs what another one only gives it
//! later: what goes, goes first; aliases change all at once; groups lose members before any gets one.

use std::collections::BTreeSet;

use jiff::Timestamp;
use mailshelf_storage::model::Member;
use mailshelf_storage::{
    Alias, Error, GroupName, LibraryId, LibraryName, Login, Reader, Result, UserId, Writer,
};

use super::{Change, Plan};
use crate::site::declaration::{Declaration, Library};

/// A library that should go and cannot.
#[derive(Debug)]
pub struct NotRemoved {
    /// Which.
    pub library: LibraryName,
    /// Why.
    pub why: Error,
}

/// What came of carrying out a plan.
#[derive(Debug)]
pub enum Carried {
    /// All of it is done, and has only to be committed.
    Out,
    /// These libraries cannot go. Nothing of the plan may be committed.
    Not(Vec<NotRemoved>),
}

impl Plan {
    /// Makes the changes. After an error, or where something cannot be removed, the transaction must be dropped.
    pub fn carry_out(&self, writer: &mut (impl Writer + ?Sized), now: Timestamp) -> Result<Carried> {
        for Change { which: (library, principal), to, .. } in &self.grants {
            if to.is_none() {
                writer.revoke(library_id(writer, library)?, principal)?;
            }
        }
        let refused = self.remove(writer)?;
        if !refused.is_empty() {
            return Ok(Carried::Not(refused));
        }
        self.put_users(writer)?;
        self.put_groups(writer)?;
        self.put_libraries(writer, now)?;
        for Change { which: (library, principal), to, .. } in &self.grants {
            if let Some(role) = to {
                writer.grant(library_id(writer, library)?, principal, *role)?;
            }
        }
        // What is committed is what was shown: else the fault is ours, and nothing is.
        match Declaration::of(writer)? == self.target {
            true => Ok(Carried::Out),
            false => {
                let why = "the site would be another one than was declared".to_owned();
                Err(Error::Refused { action: "apply a declaration", why })
            }
        }
    }

    /// Libraries, groups and users that go; gives the libraries that cannot.
    fn remove(&self, writer: &mut (impl Writer + ?Sized)) -> Result<Vec<NotRemoved>> {
        let mut refused = Vec::new();
        for library in self.libraries.iter().filter(|change| change.to.is_none()) {
            match writer.remove_library(library_id(writer, &library.which)?) {
                Ok(()) => {}
                Err(why) if why.is_temporary() => return Err(why),
                Err(why) => refused.push(NotRemoved { library: library.which.clone(), why }),
            }
        }
        for group in self.groups.iter().filter(|change| change.to.is_none()) {
            writer.remove_group(&group.which)?;
        }
        for user in self.users.iter().filter(|change| change.to.is_none()) {
            writer.remove_user(user_id(writer, user)?)?;
        }
        Ok(refused)
    }

    fn put_users(&self, writer: &mut (impl Writer + ?Sized)) -> Result<()> {
        for user in &self.users {
            let Some(addresses) = &user.to else { continue };
            let addresses: Vec<_> = addresses.iter().cloned().collect();
            match user.from {
                None => drop(writer.add_user(&user.which, &addresses)?),
                Some(_) => writer.set_user(user_id(writer, user)?, &addresses)?,
            }
        }
        Ok(())
    }

    /// Once every group has only members that it keeps, what is there is part of what is wanted, in which no group is in
    /// itself: so none comes to be so on the way.
    fn put_groups(&self, writer: &mut (impl Writer + ?Sized)) -> Result<()> {
        let wanted =
            || self.groups.iter().filter_map(|group| Some((&group.which, &group.from, group.to.as_ref()?)));
        for (name, from, to) in wanted() {
            match from {
                None => writer.add_group(name, &[])?,
                Some(from) if !from.is_subset(to) => {
                    set_group(writer, name, &from.intersection(to).cloned().collect())?;
                }
                Some(_) => {}
            }
        }
        wanted().try_for_each(|(name, _, to)| set_group(writer, name, to))
    }

    fn put_libraries(&self, writer: &mut (impl Writer + ?Sized), now: Timestamp) -> Result<()> {
        let changed =
            || self.libraries.iter().filter_map(|l| Some((&l.which, l.from.as_ref()?, l.to.as_ref()?)));
        let other_alias = changed().filter(|(_, from, to)| from.alias != to.alias);
        let aliases: Vec<(LibraryId, Alias)> = other_alias
            .map(|(name, _, to)| Ok((library_id(writer, name)?, to.alias.clone())))
            .collect::<Result<_>>()?;
        if !aliases.is_empty() {
            writer.set_aliases(&aliases)?;
        }
        for (name, from, Library { alias, settings }) in changed() {
            if from.settings != *settings {
                writer.set_library(library_id(writer, name)?, alias, settings)?;
            }
        }
        for library in self.libraries.iter().filter(|change| change.from.is_none()) {
            if let Some(Library { alias, settings }) = &library.to {
                writer.add_library(&library.which, alias, settings, now)?;
            }
        }
        Ok(())
    }
}

fn set_group(
    writer: &mut (impl Writer + ?Sized),
    name: &GroupName,
    members: &BTreeSet<Member>,
) -> Result<()> {
    writer.set_group(name, &members.iter().cloned().collect::<Vec<_>>())
}

fn library_id(reader: &(impl Reader + ?Sized), name: &LibraryName) -> Result<LibraryId> {
    let gone = || Error::NotFound { what: "library", name: name.to_string() };
    Ok(reader.library(name)?.ok_or_else(gone)?.id)
}

fn user_id<V>(reader: &(impl Reader + ?Sized), user: &Change<Login, V>) -> Result<UserId> {
    let gone = || Error::NotFound { what: "user", name: user.which.to_string() };
    Ok(reader.user(&user.which)?.ok_or_else(gone)?.id)
}
