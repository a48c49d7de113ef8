//! What is exported, and what each file is called in the folder it goes to.

use std::collections::{HashMap, HashSet};
use std::time::SystemTime;

use mailshelf::file::name::clean;
use mailshelf_storage::model::{Document, Library, fitted, name_key, numbered, split_extension};
use mailshelf_storage::{Digest, Reader, Result};

/// A version of a document, and where it goes.
#[derive(Debug)]
pub struct Item {
    /// Its path in the library.
    pub path: String,
    pub version: u32,
    /// There is a newer one, and this is called by its number.
    pub is_older: bool,
    pub size: u64,
    pub digest: Digest,
    pub created_at: SystemTime,
    /// The folder it goes to; empty: the one that was named.
    pub folder: String,
    /// What it is called there.
    pub name: String,
}

impl Item {
    /// Folder and name, where it goes.
    pub fn target(&self) -> String {
        if self.folder.is_empty() { self.name.clone() } else { format!("{}/{}", self.folder, self.name) }
    }

    /// Whether it is called otherwise there than it is here.
    pub fn is_renamed(&self) -> bool {
        let (folder, name) = self.path.rsplit_once('/').unwrap_or(("", &self.path));
        let older = self.is_older.then(|| numbered_version(name, self.version));
        self.folder != folder || self.name != older.as_deref().unwrap_or(name)
    }

    fn of(document: Document, is_older: bool, folder: String, name: String) -> Item {
        Item {
            path: document.path(),
            version: document.version,
            is_older,
            size: document.size,
            digest: document.digest,
            created_at: document.created_at.into(),
            folder,
            name,
        }
    }
}

/// Every document of a library, by path; with `versions` the older ones, too. The same library gives the same plan.
///
/// Names are cleaned once more: an earlier version may have let through what a file system does not take. What clashes
/// then gets a number, and so does a document that is called as a folder beside it: a folder keeps its name whatever is
/// filed beside it later, so that what it holds is found again where it was exported to.
pub fn plan(reader: &dyn Reader, library: &Library, versions: bool) -> Result<Vec<Item>> {
    let mut newest = Vec::new();
    reader.each_document(library.id, &mut |document| {
        newest.push(document);
        Ok(())
    })?;
    let mut names = Names::default();
    for document in &newest {
        names.folder(&document.folder);
    }
    let mut items = Vec::new();
    for document in newest {
        let folder = names.folder(&document.folder);
        let name = names.free(&folder, &clean(&document.name, "document"));
        let older = match versions && document.version > 1 {
            true => reader.versions(library.id, &document.folder, &document.name)?,
            false => Vec::new(),
        };
        for old in older.into_iter().skip(1) {
            let name = names.free(&folder, &numbered_version(&name, old.version));
            items.push(Item::of(old, true, folder.clone(), name));
        }
        items.push(Item::of(document, false, folder, name));
    }
    Ok(items)
}

/// What an older version of a document is called.
fn numbered_version(name: &str, version: u32) -> String {
    let (stem, extension) = split_extension(name);
    fitted(stem, &format!(" (version {version}){extension}"))
}

/// What is taken already.
#[derive(Default)]
struct Names {
    /// What the folders of the library are called.
    folders: HashMap<String, String>,
    /// The keys in each folder.
    taken: HashMap<String, HashSet<String>>,
}

impl Names {
    fn folder(&mut self, folder: &str) -> String {
        if folder.is_empty() {
            return String::new();
        }
        let key = name_key(folder);
        if let Some(known) = self.folders.get(&key) {
            return known.clone();
        }
        let name = self.free("", &clean(folder, "folder"));
        self.folders.insert(key, name.clone());
        name
    }

    /// The first number of a name that is free in a folder.
    fn free(&mut self, folder: &str, name: &str) -> String {
        let taken = self.taken.entry(folder.to_owned()).or_default();
        let mut numbers = (1..u32::MAX).map(|number| numbered(name, number));
        let free = numbers.find(|name| taken.insert(name_key(name)));
        free.unwrap_or_else(|| name.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_apart_whatever_the_library_held() {
        let mut names = Names::default();
        assert_eq!(names.folder("A"), "A");
        assert_eq!(names.folder("a"), "A");
        assert_eq!(names.free("", "a"), "a (2)", "a folder has that name");
        assert_eq!(names.folder(".."), "folder");
        assert_eq!(names.folder("a/b"), "a_b");
        assert_eq!(names.folder("a:b"), "a_b (2)", "two folders stay two");
        assert_eq!(names.free("A", "x.pdf"), "x.pdf");
        assert_eq!(names.free("A", "X.PDF"), "X (2).PDF");
        assert_eq!(names.free("a_b", "x.pdf"), "x.pdf");
    }
}
