//! `mailshelf document move`: another name, folder or library.

use mailshelf::escape::Escaped;
use mailshelf::file::name::clean;
use mailshelf::site::Site;
use mailshelf_storage::model::Destination;
use mailshelf_storage::{Error, LibraryName};
use serde::Serialize;

use super::{apart, find};
use crate::cli::{Context, DONE, library, wrong};

/// A document that was moved.
#[derive(Serialize)]
struct Moved<'a> {
    library: &'a LibraryName,
    path: String,
    /// Its newest; all came along.
    version: u32,
    from: From<'a>,
}

#[derive(Serialize)]
struct From<'a> {
    library: &'a LibraryName,
    path: String,
}

pub fn relocate(
    context: &Context,
    site: &Site,
    (name, path): (&LibraryName, &str),
    (to, new_path): (Option<&LibraryName>, Option<&str>),
) -> anyhow::Result<u8> {
    let mut writer = site.catalog.write()?;
    let (from, document) = find(&*writer, name, path, None)?;
    let to = to.unwrap_or(name);
    let target = library::find(&*writer, to)?;
    let old_path = document.path();
    let asked = new_path.unwrap_or(&old_path);
    let (folder, file) = place(asked, &document.name)?;
    let destination = Destination { library: target.id, folder: &folder, name: &file };
    let moved = writer.move_document(from.id, &document.folder, &document.name, destination);
    let placed = moved.map_err(|error| match error {
        Error::Taken { .. } => wrong(error, Some("choose another name, or move that one first".to_owned())),
        error => error.into(),
    })?;
    writer.commit()?;
    let from = From { library: name, path: old_path.clone() };
    let moved = Moved { library: to, path: placed.path(), version: placed.version, from };
    context.out.value(&moved, || {
        let library = if to == name { String::new() } else { format!(" in library {to}") };
        let is_as_asked = moved.path == asked || asked.ends_with('/');
        let cleaned = if is_as_asked { "" } else { ", as names are here" };
        format!("{} is now {}{library}{cleaned}.", Escaped(&old_path), Escaped(&moved.path))
    })?;
    Ok(DONE)
}

/// Folder and name of a path that is asked for, made such as those of mail are. One that ends in a slash is a folder, and
/// the name stays.
fn place(asked: &str, name: &str) -> anyhow::Result<(String, String)> {
    let (folder, file) = apart(asked);
    let folder = folder.strip_prefix('/').unwrap_or(folder);
    if folder.contains('/') {
        let hint = "a library has folders, and no folders in them: FOLDER/NAME".to_owned();
        return Err(wrong(format!("path {asked}: a folder in a folder"), Some(hint)));
    }
    let cleaned = |text: &str, none: &str| if text.is_empty() { none.to_owned() } else { clean(text, none) };
    Ok((if folder.is_empty() { String::new() } else { clean(folder, "folder") }, cleaned(file, name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_names_as_those_of_mail() {
        for (asked, folder, name) in [
            ("b.pdf", "", "b.pdf"),
            ("F/b.pdf", "F", "b.pdf"),
            ("F/", "F", "a.pdf"),
            ("/", "", "a.pdf"),
            ("/F/b", "F", "b"),
            (" F? /b:c.pdf", "F_", "b_c.pdf"),
            ("CON/nul", "CON_", "nul_"),
            ("../b", "folder", "b"),
            ("...", "", "a.pdf"),
        ] {
            assert_eq!(place(asked, "a.pdf").unwrap(), (folder.to_owned(), name.to_owned()), "{asked}");
        }
        assert!(place("a/b/c", "a.pdf").is_err());
        assert!(place("//c", "a.pdf").is_ok());
    }
}
