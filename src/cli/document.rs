//! `mailshelf document`: what was filed.

use std::path::PathBuf;

use mailshelf::record::words::{mark, time};
use mailshelf::site::Site;
use mailshelf_storage::model::{Level, Outcome, OutcomeKind};
use mailshelf_storage::{Address, Error, LibraryId, LibraryName, Reader, model};
use serde::Serialize;

use super::output::Show;
use super::{Context, DONE, library, wrong};

pub mod target;

/// Documents that were filed: list, show, get
#[derive(clap::Subcommand)]
pub enum Document {
    /// Show the newest version of each document of a library
    #[command(after_help = "Example: mailshelf document list invoices --json")]
    List {
        /// Of which
        library: LibraryName,
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
}

#[derive(Serialize)]
struct View {
    library: String,
    folder: String,
    name: String,
    path: String,
    version: u32,
    size: u64,
    sha256: String,
    media_type: String,
    /// What the bytes show, where that is another type.
    #[serde(skip_serializing_if = "Option::is_none")]
    sniffed_type: Option<String>,
    created_by: String,
    created_at: String,
    /// How well it was proven who sent it; `None` where that is not on record.
    level: Option<Level>,
    /// Nobody was proven to have.
    unverified: bool,
    /// Whom the mail claims to be from.
    claimed: Option<Address>,
    mail: String,
    original: bool,
}

impl View {
    /// A document of this library, with what is on record of the mail it came with.
    fn new(document: model::Document, library: LibraryId, reader: &dyn Reader) -> Result<View, Error> {
        let outcomes = reader.outcomes(document.delivery)?;
        let is_its = |one: &&Outcome| one.kind == OutcomeKind::Filed && one.library == Some(library);
        let outcome = outcomes.iter().find(is_its);
        Ok(View {
            level: outcome.map(|outcome| outcome.level),
            unverified: outcome.is_some_and(|outcome| outcome.identity.is_none()),
            claimed: reader.mail(document.delivery)?.and_then(|mail| mail.claimed()),
            path: document.path(),
            library: document.library.to_string(),
            folder: document.folder,
            name: document.name,
            version: document.version,
            size: document.size,
            sha256: document.digest.to_string(),
            media_type: document.media_type,
            sniffed_type: document.sniffed_type,
            created_by: document.created_by,
            created_at: time(document.created_at),
            mail: document.delivery.to_string(),
            original: document.original,
        })
    }

    /// For people: who created it, and what is not proven of that.
    fn by(&self) -> String {
        let level = self.level.map_or("", Level::as_str);
        let mark = mark(self.unverified, level, self.claimed.as_ref().map(Address::as_str));
        format!("{}{mark}", self.created_by)
    }
}

/// A document with all its versions, the newest first.
#[derive(Serialize)]
struct Whole {
    #[serde(flatten)]
    document: View,
    versions: Vec<Version>,
}

#[derive(Serialize)]
struct Version {
    version: u32,
    size: u64,
    sha256: String,
    created_by: String,
    created_at: String,
    mail: String,
}

impl From<model::Document> for Version {
    fn from(document: model::Document) -> Version {
        Version {
            version: document.version,
            size: document.size,
            sha256: document.digest.to_string(),
            created_by: document.created_by,
            created_at: time(document.created_at),
            mail: document.delivery.to_string(),
        }
    }
}

/// The same in a table, where a digest has no room.
impl Show for Version {
    const COLUMNS: &'static [&'static str] = &["version", "size", "created by", "created at", "mail"];

    fn row(&self) -> Vec<String> {
        let Version { version, size, created_by, created_at, mail, .. } = self;
        vec![version.to_string(), size.to_string(), created_by.clone(), created_at.clone(), mail.clone()]
    }
}

impl Show for View {
    const COLUMNS: &'static [&'static str] = &[
        "library",
        "folder",
        "path",
        "original",
        "version",
        "size",
        "created by",
        "level",
        "created at",
        "media type",
        "mail",
        "sha256",
    ];

    fn row(&self) -> Vec<String> {
        vec![
            self.library.clone(),
            if self.folder.is_empty() { "(root)".to_owned() } else { self.folder.clone() },
            self.path.clone(),
            library::word(self.original),
            self.version.to_string(),
            self.size.to_string(),
            self.by(),
            self.level.map_or("not on record", Level::as_str).to_owned(),
            self.created_at.clone(),
            self.types(),
            self.mail.clone(),
            self.sha256.clone(),
        ]
    }
}

impl View {
    /// Both types, where the bytes show another than was declared.
    fn types(&self) -> String {
        match &self.sniffed_type {
            Some(sniffed) => format!("{} (its bytes show {sniffed})", self.media_type),
            None => self.media_type.clone(),
        }
    }
}

/// The same in a table, where a digest has no room.
#[derive(Serialize)]
struct Row(View);

impl Show for Row {
    const COLUMNS: &'static [&'static str] = &["path", "version", "size", "created by", "created at", "mail"];

    fn row(&self) -> Vec<String> {
        let view = &self.0;
        let (version, size, by) = (view.version.to_string(), view.size.to_string(), view.by());
        vec![view.path.clone(), version, size, by, view.created_at.clone(), view.mail.clone()]
    }
}

impl Document {
    pub fn run(&self, context: &Context) -> anyhow::Result<u8> {
        let site = context.site()?;
        match self {
            Document::List { library } => list(context, &site, library)?,
            Document::Show { library, path, version } => {
                show(context, &site, library, path, *version)?;
            }
            Document::Get { library, path, version, output } => {
                let digest = find(&*site.catalog.read()?, library, path, *version)?.1.digest;
                target::write(&|| Ok(site.contents.open(digest)?), digest, output.as_deref())?;
            }
        }
        Ok(DONE)
    }
}

fn list(context: &Context, site: &Site, name: &LibraryName) -> anyhow::Result<()> {
    let reader = site.catalog.read()?;
    let library = library::find(&*reader, name)?;
    let mut rows = Vec::new();
    let mut printed = Ok(());
    reader.each_document(library.id, &mut |document| {
        let view = View::new(document, library.id, &*reader)?;
        if !context.out.is_json() {
            rows.push(Row(view));
        } else if printed.is_ok() {
            printed = context.out.object(&view);
        }
        Ok(())
    })?;
    printed?;
    if context.out.is_json() {
        return Ok(());
    }
    context.out.list(&rows, &format!("Library {name} holds no documents."))
}

fn show(
    context: &Context,
    site: &Site,
    name: &LibraryName,
    path: &str,
    version: Option<u32>,
) -> anyhow::Result<()> {
    let reader = site.catalog.read()?;
    let (library, document) = find(&*reader, name, path, version)?;
    let versions = reader.versions(library, &document.folder, &document.name)?;
    let versions: Vec<_> = versions.into_iter().map(Version::from).collect();
    let document = View::new(document, library, &*reader)?;
    if context.out.is_json() {
        return context.out.object(&Whole { document, versions });
    }
    context.out.show(&document)?;
    // What stands above tells all of a document that has but one.
    if versions.len() > 1 {
        context.out.line("\nVersions:")?;
        context.out.list(&versions, "")?;
    }
    Ok(())
}

/// The document of a path, and the library it is in.
fn find(
    reader: &dyn Reader,
    name: &LibraryName,
    path: &str,
    version: Option<u32>,
) -> anyhow::Result<(LibraryId, model::Document)> {
    let library = library::find(reader, name)?;
    let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
    match reader.document(library.id, folder, file, version)? {
        Some(document) => Ok((library.id, document)),
        None => {
            let version = version.map(|version| format!(", version {version}")).unwrap_or_default();
            let hint = format!("`mailshelf document list {name}` shows those there are");
            Err(wrong(format!("document {path}{version}: there is none in library {name}"), Some(hint)))
        }
    }
}
