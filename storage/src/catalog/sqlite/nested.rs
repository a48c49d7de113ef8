//! Groups in groups: that none is in itself, and what a user has by way of them.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet, VecDeque};
use std::iter::successors;

use rusqlite::{Connection, Row, params};

use super::fault::{Fault, Sql};
use super::people;
use crate::model::{Principal, Role, Way};
use crate::{Error, GroupId, GroupName, LibraryId, Login, UserId};

/// The groups that user ?1 is in, at whatever depth. UNION takes each once, so that even a circle would come to an end.
const MINE: &str = r#"WITH RECURSIVE mine (id) AS (SELECT "group" FROM members WHERE user = ?1
    UNION SELECT nested."group" FROM mine JOIN nested ON nested.member = mine.id)"#;

/// The rights in library ?2 that user ?1 has by name, by a group, or as one of everyone.
const APPLIES: &str = r#"library = ?2 AND EXISTS (SELECT 1 FROM users WHERE id = ?1)
    AND (user = ?1 OR everyone = 1 OR "group" IN (SELECT id FROM mine))"#;

/// Puts a group in a group, unless that is in it already, at whatever depth, or is the same.
pub(super) fn add(db: &Connection, group: GroupId, member: &GroupName) -> Sql<()> {
    let inner = people::group_id(db, member)?;
    if let Some(chain) = chain(db, inner, group)? {
        let mut names = chain.into_iter().map(|id| name(db, id)).collect::<Sql<Vec<_>>>()?;
        let name = names.pop().map(|name| name.to_string()).unwrap_or_default();
        return Err(Fault::Ours(Error::Cycle { name, through: names }));
    }
    let mut insert =
        db.prepare_cached(r#"INSERT OR IGNORE INTO nested ("group", member) VALUES (?1, ?2)"#)?;
    insert.execute(params![group, inner])?;
    Ok(())
}

pub(super) fn clear(db: &Connection, group: GroupId) -> Sql<()> {
    db.prepare_cached(r#"DELETE FROM nested WHERE "group" = ?1"#)?.execute([group])?;
    Ok(())
}

fn name(db: &Connection, group: GroupId) -> Sql<GroupName> {
    let mut query = db.prepare_cached("SELECT name FROM groups WHERE id = ?1")?;
    Ok(query.query_row([group], |row| row.get(0))?)
}

/// The groups from one down to another that is in it, both named, by the fewest steps; `None` if it is not.
fn chain(db: &Connection, from: GroupId, to: GroupId) -> Sql<Option<Vec<GroupId>>> {
    let mut query = db.prepare_cached(r#"SELECT member FROM nested WHERE "group" = ?1 ORDER BY member"#)?;
    let mut outer: HashMap<GroupId, Option<GroupId>> = HashMap::from([(from, None)]);
    let mut queue = VecDeque::from([from]);
    while let Some(group) = queue.pop_front() {
        if group == to {
            let upwards = successors(Some(to), |group| outer.get(group).copied().flatten());
            let mut chain: Vec<_> = upwards.collect();
            chain.reverse();
            return Ok(Some(chain));
        }
        for member in query.query_map([group], |row| row.get(0))? {
            if let Entry::Vacant(entry) = outer.entry(member?) {
                queue.push_back(*entry.key());
                entry.insert(Some(group));
            }
        }
    }
    Ok(None)
}

pub(super) fn role(db: &Connection, library: LibraryId, user: UserId) -> Sql<Option<Role>> {
    let mut query = db.prepare_cached(&format!("{MINE} SELECT role FROM grants WHERE {APPLIES}"))?;
    let roles = query.query_map(params![user, library], |row| row.get(0))?;
    Ok(roles.collect::<rusqlite::Result<Vec<Role>>>()?.into_iter().max())
}

pub(super) fn ways(db: &Connection, library: LibraryId, user: UserId, limit: usize) -> Sql<Vec<Way>> {
    let sql = format!(
        r#"{MINE} SELECT role, (SELECT login FROM users WHERE id = grants.user), "group" FROM grants WHERE {APPLIES}"#
    );
    let mut query = db.prepare_cached(&sql)?;
    let right = |row: &Row<'_>| Ok((row.get(0)?, row.get::<_, Option<Login>>(1)?, row.get(2)?));
    let groups = Groups::of(db, user)?;
    let mut ways = Vec::new();
    for found in query.query_map(params![user, library], right)? {
        let (role, login, group): (Role, _, Option<GroupId>) = found?;
        let through = match (login, group) {
            (Some(login), _) => vec![vec![Principal::User(login)]],
            (None, Some(group)) => groups.chains(group, limit),
            (None, None) => vec![vec![Principal::Everyone]],
        };
        ways.extend(through.into_iter().map(|through| Way { role, through }));
    }
    let rank = |way: &Way| (std::cmp::Reverse(way.role), way.through.len());
    ways.sort_by(|a, b| rank(a).cmp(&rank(b)).then_with(|| a.through.cmp(&b.through)));
    Ok(ways)
}

/// The groups that a user is in, at whatever depth.
struct Groups {
    names: HashMap<GroupId, GroupName>,
    /// Those that the user is a member of.
    direct: HashSet<GroupId>,
    /// Which of them are members of which.
    inner: HashMap<GroupId, Vec<GroupId>>,
}

impl Groups {
    fn of(db: &Connection, user: UserId) -> Sql<Groups> {
        let mut names = db.prepare_cached(&format!(
            "{MINE} SELECT id, name FROM groups WHERE id IN (SELECT id FROM mine)"
        ))?;
        let names = names.query_map([user], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let names = names.collect::<rusqlite::Result<_>>()?;
        let mut direct = db.prepare_cached(r#"SELECT "group" FROM members WHERE user = ?1"#)?;
        let direct = direct.query_map([user], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        let mut pairs = db.prepare_cached(&format!(
            r#"{MINE} SELECT "group", member FROM nested WHERE member IN (SELECT id FROM mine)"#
        ))?;
        let mut inner: HashMap<_, Vec<_>> = HashMap::new();
        for pair in pairs.query_map([user], |row| Ok((row.get(0)?, row.get(1)?)))? {
            let (group, member) = pair?;
            inner.entry(group).or_default().push(member);
        }
        Ok(Groups { names, direct, inner })
    }

    /// Up to `limit` chains from a group down to one that the user is a member of. Each group here leads to such a one,
    /// so that the search ends with the chains asked for, however many there are.
    fn chains(&self, from: GroupId, limit: usize) -> Vec<Vec<Principal>> {
        let mut found = Vec::new();
        let mut open = vec![vec![from]];
        while let Some(chain) = open.pop().filter(|_| found.len() < limit) {
            let Some(last) = chain.last() else { continue };
            if self.direct.contains(last) {
                let names = chain.iter().filter_map(|group| self.names.get(group));
                found.push(names.cloned().map(Principal::Group).collect());
            }
            let inner = self.inner.get(last).into_iter().flatten().filter(|inner| !chain.contains(inner));
            open.extend(inner.map(|&inner| [chain.as_slice(), &[inner]].concat()));
        }
        found
    }
}
