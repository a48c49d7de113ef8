//! `mailshelf document`: what was filed.

use std::path::PathBuf;

use mailshelf::record::words::time;
use mailshelf::site::Site;
use mailshelf_storage::{LibraryName, model};
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
    /// Show one
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
    created_by: String,
    created_at: String,
    mail: String,
    original: bool,
}

impl From<model::Document> for View {
    fn from(document: model::Document) -> View {
        View {
            path: document.path(),
            library: document.library.to_string(),
            folder: document.folder,
            name: document.name,
            version: document.version,
            size: document.size,
            sha256: document.digest.to_string(),
            media_type: document.media_type,
            created_by: document.created_by,
            created_at: time(document.created_at),
            mail: document.delivery.to_string(),
            original: document.original,
        }
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
            self.created_by.clone(),
            self.created_at.clone(),
            self.media_type.clone(),
            self.mail.clone(),
            self.sha256.clone(),
        ]
    }
}

/// The same in a table, where a digest has no room.
#[derive(Serialize)]
struct Row(View);

impl Show for Row {
    const COLUMNS: &'static [&'static str] = &["path", "size", "created by", "created at", "mail"];

    fn row(&self) -> Vec<String> {
        let view = &self.0;
        let (size, by) = (view.size.to_string(), view.created_by.clone());
        vec![view.path.clone(), size, by, view.created_at.clone(), view.mail.clone()]
    }
}

impl Document {
    pub fn run(&self, context: &Context) -> anyhow::Result<u8> {
        let site = context.site()?;
        match self {
            Document::List { library } => list(context, &site, library)?,
            Document::Show { library, path, version } => {
                context.out.show(&View::from(find(&site, library, path, *version)?))?;
            }
            Document::Get { library, path, version, output } => {
                let digest = find(&site, library, path, *version)?.digest;
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
        let view = View::from(document);
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

fn find(
    site: &Site,
    name: &LibraryName,
    path: &str,
    version: Option<u32>,
) -> anyhow::Result<model::Document> {
    let reader = site.catalog.read()?;
    let library = library::find(&*reader, name)?;
    let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
    match reader.document(library.id, folder, file, version)? {
        Some(document) => Ok(document),
        None => {
            let version = version.map(|version| format!(", version {version}")).unwrap_or_default();
            let hint = format!("`mailshelf document list {name}` shows those there are");
            Err(wrong(format!("document {path}{version}: there is none in library {name}"), Some(hint)))
        }
    }
}
