//! The recycle bin: `document remove`, `restore`, `purge`, and `list --removed`.

use std::collections::BTreeSet;

use jiff::Timestamp;
use mailshelf::escape::Escaped;
use mailshelf::record::words::time;
use mailshelf::recycle::until;
use mailshelf::site::Site;
use mailshelf_storage::model::{Document, Library, name_key};
use mailshelf_storage::{LibraryName, Reader, RemovalId, recycle};
use serde::Serialize;

use super::view::View;
use super::{apart, find};
use crate::cli::output::Show;
use crate::cli::{Context, DONE, library, prefix, wrong};

/// A document in the bin.
#[derive(Serialize)]
struct Removed {
    #[serde(flatten)]
    document: View,
    id: RemovalId,
    removed_at: String,
    /// When its term is over.
    removed_until: Option<String>,
}

impl Removed {
    fn new(site: &Site, reader: &dyn Reader, id: RemovalId, document: Document) -> anyhow::Result<Removed> {
        Ok(Removed {
            document: View::new(document, reader)?,
            id,
            removed_at: time(id.time()),
            removed_until: until(id, site.config.storage.recycle).map(time),
        })
    }
}

impl Show for Removed {
    const COLUMNS: &'static [&'static str] =
        &["path", "versions", "size", "created by", "removed", "until", "id"];

    fn row(&self) -> Vec<String> {
        let Removed { document, id, removed_at, removed_until } = self;
        vec![
            document.path.clone(),
            document.version.to_string(),
            document.size.to_string(),
            document.by(),
            removed_at.clone(),
            removed_until.clone().unwrap_or_default(),
            id.to_string(),
        ]
    }
}

pub fn list(context: &Context, site: &Site, name: &LibraryName) -> anyhow::Result<u8> {
    let reader = site.catalog.read()?;
    let library = library::find(&*reader, name)?;
    let mut views = Vec::new();
    for (id, document) in bin(&*reader, &library)? {
        views.push(Removed::new(site, &*reader, id, document)?);
    }
    context.out.list(&views, &format!("The recycle bin of library {name} is empty."))?;
    Ok(DONE)
}

/// All that is in the bin of a library, in the order of removal.
fn bin(reader: &dyn Reader, library: &Library) -> mailshelf_storage::Result<Vec<(RemovalId, Document)>> {
    let mut found = Vec::new();
    reader.each_removed(library.id, &mut |document| {
        found.extend(document.removal.map(|removal| (removal, document)));
        Ok(())
    })?;
    Ok(found)
}

/// All that is named, or nothing of it.
pub fn remove(context: &Context, site: &Site, name: &LibraryName, paths: &[String]) -> anyhow::Result<u8> {
    let mut writer = site.catalog.write()?;
    let mut views = Vec::new();
    for path in paths {
        let (library, document) = find(&*writer, name, path, None)?;
        let id = RemovalId::generate();
        let document = writer.remove_document(library.id, &document.folder, &document.name, id)?;
        views.push(Removed::new(site, &*writer, id, document)?);
    }
    writer.commit()?;
    for view in &views {
        context.out.value(view, || {
            let (path, versions) = (Escaped(&view.document.path), versions(view.document.version));
            let end = view.removed_until.as_ref().map(|until| format!(" until {until}")).unwrap_or_default();
            let id = view.id;
            format!("{path}{versions} is in the recycle bin{end}; `mailshelf document restore {name} {id}` gives it back.")
        })?;
    }
    Ok(DONE)
}

fn versions(count: u32) -> String {
    if count > 1 { format!(", with its {count} versions,") } else { String::new() }
}

/// A document that has come back.
#[derive(Serialize)]
struct Restored {
    library: LibraryName,
    path: String,
    version: u32,
    /// The path that it had.
    was: String,
    id: RemovalId,
    /// Another document has its name.
    #[serde(skip)]
    was_taken: bool,
}

pub fn restore(context: &Context, site: &Site, name: &LibraryName, named: &[String]) -> anyhow::Result<u8> {
    let mut writer = site.catalog.write()?;
    let library = library::find(&*writer, name)?;
    let mut back = Vec::new();
    for (id, document) in choose(bin(&*writer, &library)?, name, named)? {
        let place = writer.restore_document(id)?;
        let (version, was_taken) = (place.version, place.name != document.name);
        let (path, was) = (place.path(), document.path());
        back.push(Restored { library: name.clone(), path, version, was, id, was_taken });
    }
    writer.commit()?;
    for one in &back {
        context.out.value(one, || {
            let (path, was) = (Escaped(&one.path), Escaped(&one.was));
            let why = if one.was_taken { "its place was taken" } else { "its folder is spelt so now" };
            if one.path == one.was {
                format!("{path} is back in library {name}.")
            } else {
                format!("{was} is back in library {name} as {path}: {why}.")
            }
        })?;
    }
    Ok(DONE)
}

/// What is named, by its path or its id, or by the beginning of that.
fn choose(
    bin: Vec<(RemovalId, Document)>,
    library: &LibraryName,
    named: &[String],
) -> anyhow::Result<Vec<(RemovalId, Document)>> {
    let hint = || Some(format!("`mailshelf document list {library} --removed` shows those there are"));
    let mut chosen = Vec::new();
    for named in named {
        let (folder, file) = apart(named);
        let keys = (name_key(folder), name_key(file));
        let is_it = |document: &Document| (name_key(&document.folder), name_key(&document.name)) == keys;
        let ids: Vec<_> = bin.iter().filter(|(_, document)| is_it(document)).map(|(id, _)| *id).collect();
        let id = match ids.as_slice() {
            [] => prefix::only("document", named, |prefix| {
                let ids = bin.iter().map(|(id, _)| *id);
                Ok(ids.filter(|id| id.to_string().starts_with(prefix)).collect())
            })?,
            [one] => Some(*one),
            [one, other, ..] => {
                let hint = format!("name the one that is meant by its id: {one} or {other}, for example");
                return Err(wrong(format!("document {named}: several of these were removed"), Some(hint)));
            }
        };
        let found = bin.iter().find(|(one, _)| Some(*one) == id).cloned();
        chosen.push(found.ok_or_else(|| {
            let what = format!("document {named}: there is none in the recycle bin of library {library}");
            wrong(what, hint())
        })?);
    }
    // One that is named twice is meant once.
    chosen.sort_by_key(|(id, _)| *id);
    chosen.dedup_by_key(|(id, _)| *id);
    Ok(chosen)
}

/// A document that is gone for good.
#[derive(Serialize)]
struct Gone {
    library: LibraryName,
    path: String,
    id: RemovalId,
}

/// Which documents are purged.
pub struct Which<'a> {
    pub named: &'a [String],
    pub older_than: Option<Timestamp>,
    pub all: bool,
}

pub fn purge(context: &Context, site: &Site, name: &LibraryName, which: Which<'_>) -> anyhow::Result<u8> {
    let Which { named, older_than, all } = which;
    if named.is_empty() && older_than.is_none() && !all {
        let hint = format!(
            "name it by its path or id, or say --older-than 7d, or --all; `mailshelf document list {name} --removed` \
             shows those there are"
        );
        return Err(wrong("document purge: no document is named", Some(hint)));
    }
    let reader = site.catalog.read()?;
    let library = library::find(&*reader, name)?;
    let mut chosen = bin(&*reader, &library)?;
    drop(reader);
    if !named.is_empty() {
        chosen = choose(chosen, name, named)?;
    }
    if let Some(than) = older_than {
        chosen.retain(|(id, _)| id.time() < than);
    }
    let ids: Vec<_> = chosen.iter().map(|(id, _)| *id).collect();
    let (why, mut purged) = ("asked for by `mailshelf document purge`", BTreeSet::new());
    let ended = recycle::purge(&*site.catalog, &*site.contents, &ids, why, &mut |id| {
        purged.insert(id);
    });
    if ended.is_ok() && purged.is_empty() && !context.out.is_json() {
        context.out.line("Nothing was purged.")?;
    }
    for (id, document) in chosen.into_iter().filter(|(id, _)| purged.contains(id)) {
        let gone = Gone { library: name.clone(), path: document.path(), id };
        context.out.value(&gone, || {
            format!("{} is gone for good; what is on record of its mail stays.", Escaped(&gone.path))
        })?;
    }
    ended?;
    Ok(DONE)
}
