//! Users and groups.

use rusqlite::{Connection, OptionalExtension, Params, Row, params};

use super::fault::{Sql, not_found, taken};
use super::nested;
use super::values::as_written;
use crate::model::{Group, Member, UnusedAddress, User};
use crate::{Address, GroupId, GroupName, Login, UserId};

/// Reads users from rows of id, login and one address each, those of one user together. An address in a form that is
/// not canonical is passed over, as it is when users are looked up by address; `integrity` tells of it.
fn users_of(db: &Connection, sql: &str, params: impl Params) -> Sql<Vec<User>> {
    let mut query = db.prepare_cached(sql)?;
    let mut rows = query.query(params)?;
    let mut users: Vec<User> = Vec::new();
    while let Some(row) = rows.next()? {
        let (id, address) = (row.get(0)?, row.get::<_, Option<String>>(2)?.and_then(|text| canonical(&text)));
        match users.last_mut() {
            Some(user) if user.id == id => user.addresses.extend(address),
            _ => users.push(User { id, login: row.get(1)?, addresses: address.into_iter().collect() }),
        }
    }
    Ok(users)
}

fn canonical(text: &str) -> Option<Address> {
    text.parse().ok().filter(|address: &Address| address.as_str() == text)
}

pub(super) fn unused_addresses(db: &Connection) -> Sql<Vec<UnusedAddress>> {
    let mut query = db.prepare_cached(
        "SELECT login, address FROM addresses JOIN users ON id = user ORDER BY login, address",
    )?;
    let pair = |row: &Row<'_>| Ok((as_written(row, 0)?, as_written(row, 1)?));
    let mut unused = Vec::new();
    for found in query.query_map([], pair)? {
        let (login, address) = found?;
        // `integrity` tells of such a login by itself.
        let Ok(login) = login.parse::<Login>() else { continue };
        let why = match address.parse::<Address>() {
            Ok(form) if form.as_str() == address => continue,
            Ok(form) => format!("its canonical form is {form}"),
            Err(error) => error.to_string(),
        };
        unused.push(UnusedAddress { login, address, why });
    }
    Ok(unused)
}

pub(super) fn users(db: &Connection) -> Sql<Vec<User>> {
    let sql = "SELECT id, login, address FROM users LEFT JOIN addresses ON user = id ORDER BY login, address";
    users_of(db, sql, [])
}

pub(super) fn user(db: &Connection, login: &Login) -> Sql<Option<User>> {
    let sql = "SELECT id, login, address FROM users LEFT JOIN addresses ON user = id WHERE login = ?1 ORDER BY address";
    Ok(users_of(db, sql, [login])?.pop())
}

pub(super) fn users_by_address(db: &Connection, address: &Address) -> Sql<Vec<User>> {
    let sql = "SELECT id, login, address FROM users LEFT JOIN addresses ON user = id
               WHERE id IN (SELECT user FROM addresses WHERE address = ?1) ORDER BY login, address";
    users_of(db, sql, [address])
}

fn find_user(db: &Connection, login: &Login) -> Sql<Option<UserId>> {
    let mut query = db.prepare_cached("SELECT id FROM users WHERE login = ?1")?;
    Ok(query.query_row([login], |row| row.get(0)).optional()?)
}

pub(super) fn user_id(db: &Connection, login: &Login) -> Sql<UserId> {
    find_user(db, login)?.ok_or_else(|| not_found("user", login))
}

fn find_group(db: &Connection, name: &GroupName) -> Sql<Option<GroupId>> {
    let mut query = db.prepare_cached("SELECT id FROM groups WHERE name = ?1")?;
    Ok(query.query_row([name], |row| row.get(0)).optional()?)
}

pub(super) fn group_id(db: &Connection, name: &GroupName) -> Sql<GroupId> {
    find_group(db, name)?.ok_or_else(|| not_found("group", name))
}

pub(super) fn add_user(db: &Connection, login: &Login, addresses: &[Address]) -> Sql<UserId> {
    if find_user(db, login)?.is_some() {
        return Err(taken("login", login, "another user"));
    }
    db.prepare_cached("INSERT INTO users (login) VALUES (?1)")?.execute([login])?;
    let user = UserId(db.last_insert_rowid());
    add_addresses(db, user, addresses)?;
    Ok(user)
}

fn add_addresses(db: &Connection, user: UserId, addresses: &[Address]) -> Sql<()> {
    let mut insert = db.prepare_cached("INSERT OR IGNORE INTO addresses (address, user) VALUES (?1, ?2)")?;
    for address in addresses {
        insert.execute(params![address, user])?;
    }
    Ok(())
}

pub(super) fn set_user(db: &Connection, user: UserId, addresses: &[Address]) -> Sql<()> {
    let mut query = db.prepare_cached("SELECT 1 FROM users WHERE id = ?1")?;
    if !query.exists([user])? {
        return Err(not_found("user", user.0));
    }
    db.prepare_cached("DELETE FROM addresses WHERE user = ?1")?.execute([user])?;
    add_addresses(db, user, addresses)
}

pub(super) fn remove_user(db: &Connection, user: UserId) -> Sql<()> {
    match db.prepare_cached("DELETE FROM users WHERE id = ?1")?.execute([user])? {
        0 => Err(not_found("user", user.0)),
        _ => Ok(()),
    }
}

/// Groups with a row for each member: a login, or the name of a group; users first.
const GROUPS: &str = r#"SELECT name, login, NULL FROM groups LEFT JOIN members ON "group" = groups.id
        LEFT JOIN users ON users.id = user WHERE ?1 IS NULL OR name = ?1
    UNION ALL SELECT outside.name, NULL, inside.name FROM nested JOIN groups AS outside ON outside.id = "group"
        JOIN groups AS inside ON inside.id = member WHERE ?1 IS NULL OR outside.name = ?1
    ORDER BY 1, 3, 2"#;

/// All groups, or the one of a name.
fn groups_of(db: &Connection, name: Option<&GroupName>) -> Sql<Vec<Group>> {
    let mut query = db.prepare_cached(GROUPS)?;
    let mut rows = query.query([name])?;
    let mut groups: Vec<Group> = Vec::new();
    while let Some(row) = rows.next()? {
        let name: GroupName = row.get(0)?;
        let user = row.get::<_, Option<Login>>(1)?.map(Member::User);
        let member = user.or(row.get::<_, Option<GroupName>>(2)?.map(Member::Group));
        match groups.last_mut() {
            Some(group) if group.name == name => group.members.extend(member),
            _ => groups.push(Group { name, members: member.into_iter().collect() }),
        }
    }
    Ok(groups)
}

pub(super) fn groups(db: &Connection) -> Sql<Vec<Group>> {
    groups_of(db, None)
}

pub(super) fn group(db: &Connection, name: &GroupName) -> Sql<Option<Group>> {
    Ok(groups_of(db, Some(name))?.pop())
}

pub(super) fn add_group(db: &Connection, name: &GroupName, members: &[Member]) -> Sql<()> {
    if find_group(db, name)?.is_some() {
        return Err(taken("group", name, "another group"));
    }
    db.prepare_cached("INSERT INTO groups (name) VALUES (?1)")?.execute([name])?;
    add_members(db, GroupId(db.last_insert_rowid()), members)
}

fn add_members(db: &Connection, group: GroupId, members: &[Member]) -> Sql<()> {
    let mut insert = db.prepare_cached(r#"INSERT OR IGNORE INTO members ("group", user) VALUES (?1, ?2)"#)?;
    for member in members {
        match member {
            Member::User(login) => drop(insert.execute(params![group, user_id(db, login)?])?),
            Member::Group(name) => nested::add(db, group, name)?,
        }
    }
    Ok(())
}

pub(super) fn set_group(db: &Connection, name: &GroupName, members: &[Member]) -> Sql<()> {
    let group = group_id(db, name)?;
    db.prepare_cached(r#"DELETE FROM members WHERE "group" = ?1"#)?.execute([group])?;
    nested::clear(db, group)?;
    add_members(db, group, members)
}

pub(super) fn remove_group(db: &Connection, name: &GroupName) -> Sql<()> {
    let group = group_id(db, name)?;
    db.prepare_cached("DELETE FROM groups WHERE id = ?1")?.execute([group])?;
    Ok(())
}
