//! `mailshelf document`: what was filed.

use std::path::PathBuf;

use jiff::Timestamp;
use mailshelf::escape::Escaped;
use mailshelf::site::Site;
use mailshelf_storage::model::{self, name_key};
use mailshelf_storage::{Error, LibraryName, Reader};

use super::output::Tone;
use super::{Context, DONE, library, open, when, wrong};
use view::{Email, Row, Version, View, Whole};

mod bin;
mod export;
mod place;
pub mod target;
mod view;

/// Documents that were filed: list, show, get, export, move, remove, restore, purge
///
/// What is removed stands in the recycle bin of its library for `storage.recycle`; then a pass purges it.
#[derive(clap::Subcommand)]
pub enum Document {
    /// Show the newest version of each document of a library
    #[command(after_help = "Example: mailshelf document list invoices --json")]
    List {
        /// Of which
        library: LibraryName,
        /// Show what is in the recycle bin, the first removed first, and until when
        #[arg(long)]
        removed: bool,
    },
    /// Show one, and the versions there are
    #[command(after_help = "Example: mailshelf document show invoices March.pdf")]
    Show {
        /// In which
        library: LibraryName,
        /// As `list` shows it
        path: String,
        /// An older version
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        version: Option<u32>,
    },
    /// Write its bytes to standard output, or to a file
    #[command(after_help = "Example: mailshelf document get invoices March.pdf -o March.pdf")]
    Get {
        /// In which
        library: LibraryName,
        /// As `list` shows it
        path: String,
        /// An older version
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        version: Option<u32>,
        /// Replaces FILE; `-` is standard output, even if it is a terminal
        #[arg(short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Write the newest version of each document of a library to a folder, as files
    ///
    /// Folders and names as `list` shows them, made such that any file system takes them; dated as they were filed. Each
    /// file is whole and checked before it gets its name. Exits 1 if one could not be written.
    #[command(after_help = "Example: mailshelf document export invoices /srv/export/invoices")]
    Export(export::Export),
    /// Give one another name, folder or library; all its versions go along
    ///
    /// Folder and name are made such as those of mail are. A place that is taken is refused. For a mail that comes again
    /// to the library it was filed in, it stands as before.
    #[command(after_help = "Example: mailshelf document move scans March.pdf 2026/March.pdf --to invoices")]
    Move {
        /// In which
        library: LibraryName,
        /// As `list` shows it
        path: String,
        /// NAME or FOLDER/NAME; FOLDER/ keeps the name, / is the root
        #[arg(required_unless_present = "to")]
        new_path: Option<String>,
        /// Into another library; without NEW_PATH, to the same path there
        #[arg(long, value_name = "LIBRARY")]
        to: Option<LibraryName>,
    },
    /// Put documents into the recycle bin, with all their versions: all that are named, or none
    ///
    /// Their names are free at once. What is on record of their mail stays; the same mail, should it come again once
    /// none of its documents stand, is filed again.
    #[command(after_help = "Example: mailshelf document remove invoices March.pdf")]
    Remove {
        /// In which
        library: LibraryName,
        /// As `list` shows it
        #[arg(value_name = "PATH", required = true)]
        paths: Vec<String>,
    },
    /// Take documents out of the recycle bin: all that are named, or none
    ///
    /// One whose name was taken meanwhile gets the next number.
    #[command(after_help = "Example: mailshelf document restore invoices March.pdf")]
    Restore {
        /// In which
        library: LibraryName,
        /// The path it had, or its id, as `list --removed` shows both; of an id its beginning will do, from 8 characters on
        #[arg(value_name = "PATH|ID", required = true)]
        named: Vec<String>,
    },
    /// Delete documents of the recycle bin for good, before their term
    #[command(after_help = format!("{}\n\
        Example: mailshelf document purge invoices --older-than 7d", when::FORMS))]
    Purge {
        /// In which
        library: LibraryName,
        /// The path it had, or its id, as `list --removed` shows both; of an id its beginning will do, from 8 characters on
        #[arg(value_name = "PATH|ID")]
        named: Vec<String>,
        /// All that has been there since before then
        #[arg(long, value_name = "TIME", value_parser = when::before_now, conflicts_with = "named")]
        older_than: Option<Timestamp>,
        /// All that is there
        #[arg(long, conflicts_with_all = ["named", "older_than"])]
        all: bool,
    },
}

impl Document {
    pub fn run(&self, context: &Context) -> anyhow::Result<u8> {
        // What is deleted is its owner's.
        let site = match self {
            Document::Purge { .. } => open(context.config_of_ours()?)?,
            _ => context.site()?,
        };
        let site = &site;
        match self {
            Document::List { library, removed: true } => bin::list(context, site, library),
            Document::List { library, removed: false } => list(context, site, library),
            Document::Show { library, path, version } => show(context, site, library, path, *version),
            Document::Get { library, path, version, output } => {
                let digest = find(&*site.catalog.read()?, library, path, *version)?.1.digest;
                target::write(&|| Ok(site.contents.open(digest)?), digest, output.as_deref())?;
                Ok(DONE)
            }
            Document::Export(export) => export.run(context, site),
            Document::Move { library, path, new_path, to } => {
                place::relocate(context, site, (library, path), (to.as_ref(), new_path.as_deref()))
            }
            Document::Remove { library, paths } => bin::remove(context, site, library, paths),
            Document::Restore { library, named } => bin::restore(context, site, library, named),
            Document::Purge { library, named, older_than, all } => {
                bin::purge(context, site, library, bin::Which { named, older_than: *older_than, all: *all })
            }
        }
    }
}

fn list(context: &Context, site: &Site, name: &LibraryName) -> anyhow::Result<u8> {
    let reader = site.catalog.read()?;
    let library = library::find(&*reader, name)?;
    let mut rows = Vec::new();
    let mut printed = Ok(());
    reader.each_document(library.id, &mut |document| {
        let view = View::new(document, &*reader)?;
        if !context.out.is_json() {
            rows.push(Row(view));
        } else if printed.is_ok() {
            printed = context.out.object(&view);
        }
        Ok(())
    })?;
    printed?;
    if !context.out.is_json() {
        context.out.list(&rows, &format!("Library {name} holds no documents."))?;
    }
    Ok(DONE)
}

fn show(
    context: &Context,
    site: &Site,
    name: &LibraryName,
    path: &str,
    version: Option<u32>,
) -> anyhow::Result<u8> {
    let reader = site.catalog.read()?;
    let (library, document) = find(&*reader, name, path, version)?;
    let versions = reader.versions(library.id, &document.folder, &document.name)?;
    let versions = versions.into_iter().map(|version| Version::new(version, &*reader));
    let versions = versions.collect::<Result<Vec<_>, _>>()?;
    let gone = || Error::NotFound { what: "mail", name: document.delivery.to_string() };
    let mut mail = reader.mail(document.delivery)?.ok_or_else(gone)?;
    let flaws = std::mem::take(&mut mail.flaws);
    let email = Email::from(mail);
    let document = View::new(document, &*reader)?;
    if context.out.is_json() {
        context.out.object(&Whole { document, email, flaws, versions })?;
        return Ok(DONE);
    }
    context.out.show(&document)?;
    context.out.line("\nIts mail:")?;
    let flaws = flaws.into_iter().map(|flaw| ("flaw", flaw));
    email.lines().chain(flaws).try_for_each(|(heading, text)| {
        context.out.line(&format!(
            "{}  {}",
            context.out.padded(Some(Tone::Heading), heading, 15),
            Escaped(&text)
        ))
    })?;
    // What stands above tells all of a document that has but one.
    if versions.len() > 1 {
        context.out.line("\nVersions:")?;
        context.out.list(&versions, "")?;
    }
    Ok(DONE)
}

/// The document of a path, and the library it is in.
fn find(
    reader: &dyn Reader,
    name: &LibraryName,
    path: &str,
    version: Option<u32>,
) -> anyhow::Result<(model::Library, model::Document)> {
    let library = library::find(reader, name)?;
    let (folder, file) = apart(path);
    match reader.document(library.id, folder, file, version)? {
        Some(document) => Ok((library, document)),
        None => {
            let version = version.map(|version| format!(", version {version}")).unwrap_or_default();
            let hint = if version.is_empty() && was_removed(reader, &library, path)? {
                format!("it was removed: `mailshelf document restore {name} PATH` gives it back")
            } else {
                format!("`mailshelf document list {name}` shows those there are")
            };
            Err(wrong(format!("document {path}{version}: there is none in library {name}"), Some(hint)))
        }
    }
}

fn was_removed(reader: &dyn Reader, library: &model::Library, path: &str) -> mailshelf_storage::Result<bool> {
    let (mut found, path) = (false, name_key(path));
    reader.each_removed(library.id, &mut |document| {
        found |= name_key(&document.path()) == path;
        Ok(())
    })?;
    Ok(found)
}

/// Folder and name.
fn apart(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}
