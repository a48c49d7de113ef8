//! Libraries and the rights given in them.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::fault::{Fault, Sql, not_found, taken};
use super::people;
use super::values::Millis;
use crate::model::{FormerAlias, Grant, Library, LibrarySettings, Principal, Role};
use crate::{Alias, Error, GroupId, GroupName, LibraryId, LibraryName, Login, UserId};

const COLUMNS: &str = "id, name, alias, title, save_original, sender_policy, trust_from, enabled, created_at,
                       attachments, overwrite, save_invitations, inline_images, quota, anonymous_quota";

fn library(row: &Row<'_>) -> rusqlite::Result<Library> {
    let settings = LibrarySettings {
        title: row.get(3)?,
        attachments: row.get(9)?,
        overwrite: row.get(10)?,
        save_original: row.get(4)?,
        save_invitations: row.get(11)?,
        inline_images: row.get(12)?,
        sender_policy: row.get(5)?,
        trust_from: row.get(6)?,
        enabled: row.get(7)?,
        quota: row.get(13)?,
        anonymous_quota: row.get(14)?,
    };
    let Millis(created_at) = row.get(8)?;
    Ok(Library { id: row.get(0)?, name: row.get(1)?, alias: row.get(2)?, settings, created_at })
}

pub(super) fn by_alias(db: &Connection, alias: &Alias) -> Sql<Option<Library>> {
    let mut query = db.prepare_cached(&format!("SELECT {COLUMNS} FROM libraries WHERE alias = ?1"))?;
    Ok(query.query_row([alias], library).optional()?)
}

/// Whoever has the alias now has it alone: then there is no such row.
pub(super) fn by_former_alias(db: &Connection, alias: &Alias) -> Sql<Option<(Library, Timestamp)>> {
    let sql = format!(
        "SELECT {COLUMNS}, since FROM libraries
         JOIN (SELECT library, since FROM former_aliases WHERE alias = ?1) ON library = id"
    );
    let found = |row: &Row<'_>| {
        let Millis(since) = row.get(15)?;
        Ok((library(row)?, since))
    };
    Ok(db.prepare_cached(&sql)?.query_row([alias], found).optional()?)
}

pub(super) fn former_aliases(db: &Connection, id: LibraryId) -> Sql<Vec<FormerAlias>> {
    let sql = "SELECT alias, since FROM former_aliases WHERE library = ?1 ORDER BY since DESC, alias";
    let former = |row: &Row<'_>| {
        let Millis(since) = row.get(1)?;
        Ok(FormerAlias { alias: row.get(0)?, since })
    };
    let mut query = db.prepare_cached(sql)?;
    Ok(query.query_map([id], former)?.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn forget_former_alias(db: &Connection, id: LibraryId, alias: &Alias) -> Sql<bool> {
    let sql = "DELETE FROM former_aliases WHERE library = ?1 AND alias = ?2";
    Ok(db.prepare_cached(sql)?.execute(params![id, alias])? > 0)
}

pub(super) fn by_name(db: &Connection, name: &LibraryName) -> Sql<Option<Library>> {
    let mut query = db.prepare_cached(&format!("SELECT {COLUMNS} FROM libraries WHERE name = ?1"))?;
    Ok(query.query_row([name], library).optional()?)
}

pub(super) fn all(db: &Connection) -> Sql<Vec<Library>> {
    let mut query = db.prepare_cached(&format!("SELECT {COLUMNS} FROM libraries ORDER BY name"))?;
    let found = query.query_map([], library)?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn name(db: &Connection, id: LibraryId) -> Sql<LibraryName> {
    let mut query = db.prepare_cached("SELECT name FROM libraries WHERE id = ?1")?;
    query.query_row([id], |row| row.get(0)).optional()?.ok_or_else(|| not_found("library", id.0))
}

/// Refuses an alias that another library has.
fn check_alias(db: &Connection, alias: &Alias, of: Option<LibraryId>) -> Sql<()> {
    match by_alias(db, alias)? {
        Some(other) if Some(other.id) != of => Err(taken("alias", alias, format!("library {}", other.name))),
        _ => Ok(()),
    }
}

pub(super) fn add(
    db: &Connection,
    name: &LibraryName,
    alias: &Alias,
    settings: &LibrarySettings,
    now: Timestamp,
) -> Sql<LibraryId> {
    if let Some(other) = by_name(db, name)? {
        return Err(taken("library", name, format!("the library with alias {}", other.alias)));
    }
    check_alias(db, alias, None)?;
    let sql = "INSERT INTO libraries (name, alias, title, save_original, sender_policy, trust_from, enabled, created_at)
               VALUES (?1, ?2, '', 0, 'permissions', 'inherit', 0, ?3)";
    db.prepare_cached(sql)?.execute(params![name, alias, Millis(now)])?;
    let id = LibraryId(db.last_insert_rowid());
    put(db, id, alias, settings)?;
    Ok(id)
}

pub(super) fn set(db: &Connection, id: LibraryId, alias: &Alias, settings: &LibrarySettings) -> Sql<()> {
    name(db, id)?;
    check_alias(db, alias, Some(id))?;
    leave_alias(db, id, alias)?;
    put(db, id, alias, settings)
}

/// What it is reached by becomes a former alias, unless it stays.
fn leave_alias(db: &Connection, id: LibraryId, next: &Alias) -> Sql<()> {
    let sql = "INSERT OR REPLACE INTO former_aliases (alias, library, since)
               SELECT alias, id, ?3 FROM libraries WHERE id = ?1 AND alias <> ?2";
    db.prepare_cached(sql)?.execute(params![id, next, Millis(Timestamp::now())])?;
    Ok(())
}

/// An alias in use is no former one.
fn take_alias(db: &Connection, alias: &Alias) -> Sql<()> {
    db.prepare_cached("DELETE FROM former_aliases WHERE alias = ?1")?.execute([alias])?;
    Ok(())
}

/// Each row is looked at as it is written, so those that change theirs give them up first: no alias has a blank.
pub(super) fn set_aliases(db: &Connection, aliases: &[(LibraryId, Alias)]) -> Sql<()> {
    let mut give_up = db.prepare_cached("UPDATE libraries SET alias = ' ' || id WHERE id = ?1")?;
    for (id, alias) in aliases {
        name(db, *id)?;
        leave_alias(db, *id, alias)?;
        give_up.execute([id])?;
    }
    let mut take = db.prepare_cached("UPDATE libraries SET alias = ?2 WHERE id = ?1")?;
    for (id, alias) in aliases {
        check_alias(db, alias, Some(*id))?;
        take.execute(params![id, alias])?;
        take_alias(db, alias)?;
    }
    Ok(())
}

/// The one place that writes settings.
fn put(db: &Connection, id: LibraryId, alias: &Alias, settings: &LibrarySettings) -> Sql<()> {
    let sql = "UPDATE libraries SET alias = ?2, title = ?3, save_original = ?4, sender_policy = ?5, trust_from = ?6,
               enabled = ?7, attachments = ?8, overwrite = ?9, save_invitations = ?10, inline_images = ?11,
               quota = ?12, anonymous_quota = ?13
               WHERE id = ?1";
    let LibrarySettings { title, save_original, sender_policy, trust_from, enabled, .. } = settings;
    let LibrarySettings { attachments, overwrite, save_invitations, inline_images, .. } = settings;
    let LibrarySettings { quota, anonymous_quota, .. } = settings;
    db.prepare_cached(sql)?.execute(params![
        id,
        alias,
        title,
        save_original,
        sender_policy,
        trust_from,
        enabled,
        attachments,
        overwrite,
        save_invitations,
        inline_images,
        quota,
        anonymous_quota
    ])?;
    take_alias(db, alias)
}

pub(super) fn remove(db: &Connection, id: LibraryId) -> Sql<()> {
    let name = name(db, id)?.to_string();
    let sql =
        "SELECT count(*) FILTER (WHERE removal IS NULL), count(removal) FROM documents WHERE library = ?1";
    let mut count = db.prepare_cached(sql)?;
    let (documents, removed) = count.query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if (documents, removed) != (0, 0) {
        return Err(Fault::Ours(Error::NotEmpty { name, documents, removed }));
    }
    // Outcomes lose their reference with the row.
    let sql = "UPDATE outcomes SET gone_library = library, gone_name = ?2 WHERE library = ?1";
    db.prepare_cached(sql)?.execute(params![id, name])?;
    db.prepare_cached("DELETE FROM libraries WHERE id = ?1")?.execute([id])?;
    Ok(())
}

pub(super) fn grants(db: &Connection, id: LibraryId) -> Sql<Vec<Grant>> {
    let sql = r#"SELECT users.login, groups.name, role FROM grants LEFT JOIN users ON users.id = grants.user
                 LEFT JOIN groups ON groups.id = grants."group" WHERE library = ?1"#;
    let mut query = db.prepare_cached(sql)?;
    let grant = |row: &Row<'_>| {
        let principal = match (row.get::<_, Option<Login>>(0)?, row.get::<_, Option<GroupName>>(1)?) {
            (Some(login), _) => Principal::User(login),
            (None, Some(group)) => Principal::Group(group),
            (None, None) => Principal::Everyone,
        };
        Ok(Grant { principal, role: row.get(2)? })
    };
    let mut grants = query.query_map([id], grant)?.collect::<rusqlite::Result<Vec<_>>>()?;
    grants.sort_by(|a, b| a.principal.cmp(&b.principal));
    Ok(grants)
}

/// A principal as its row: exactly one of the three is there.
type Row3 = (Option<UserId>, Option<GroupId>, Option<bool>);

fn principal(db: &Connection, principal: &Principal) -> Sql<Row3> {
    Ok(match principal {
        Principal::User(login) => (Some(people::user_id(db, login)?), None, None),
        Principal::Group(group) => (None, Some(people::group_id(db, group)?), None),
        Principal::Everyone => (None, None, Some(true)),
    })
}

pub(super) fn grant(db: &Connection, id: LibraryId, to: &Principal, role: Role) -> Sql<()> {
    name(db, id)?;
    revoke(db, id, to)?;
    let (user, group, everyone) = principal(db, to)?;
    let sql = r#"INSERT INTO grants (library, user, "group", everyone, role) VALUES (?1, ?2, ?3, ?4, ?5)"#;
    db.prepare_cached(sql)?.execute(params![id, user, group, everyone, role])?;
    Ok(())
}

pub(super) fn revoke(db: &Connection, id: LibraryId, from: &Principal) -> Sql<bool> {
    let (user, group, everyone) = principal(db, from)?;
    let sql = r#"DELETE FROM grants WHERE library = ?1 AND user IS ?2 AND "group" IS ?3 AND everyone IS ?4"#;
    Ok(db.prepare_cached(sql)?.execute(params![id, user, group, everyone])? > 0)
}
