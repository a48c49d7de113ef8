//! What can go wrong in storage, and the one thing a caller asks of it: again, or never?

use std::io;
use std::path::{Path, PathBuf};

use crate::name::shown;

/// An error of storage. It names the object, the action and the source, once.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder could not be read or written.
    #[error("cannot {action} {}: {cause}", shown(path))]
    Io {
        /// What was tried: `open`, `sync`, …
        action: &'static str,
        /// With which file.
        path: PathBuf,
        /// What the system said; told in the words above, and not again as a source.
        cause: io::Error,
    },
    /// The catalog cannot be reached, is full or busy: nothing is wrong with what was asked.
    #[error("catalog {name}: cannot {action}: {why}")]
    Catalog {
        /// Where the catalog is.
        name: String,
        /// What was tried.
        action: &'static str,
        /// What the database said.
        why: String,
    },
    /// The catalog refused just this: a fault of what was asked, or of ours.
    #[error("catalog: {action} refused: {why}")]
    Refused {
        /// What was tried.
        action: &'static str,
        /// What the database said.
        why: String,
    },
    /// The catalog was written by a newer version.
    #[error("catalog {name}: made by a newer version (schema {found}, this program knows {known})")]
    TooNew {
        /// Where the catalog is.
        name: String,
        /// The schema it has.
        found: u32,
        /// The newest schema this program knows.
        known: u32,
    },
    /// What was set up does not fit what is there; says what and why.
    #[error("{0}")]
    Setup(String),
    /// A name or an alias that another one has already.
    #[error("{what} {name}: already taken by {by}")]
    Taken {
        /// `alias`, `library`, …
        what: &'static str,
        /// The name asked for.
        name: String,
        /// Who has it.
        by: String,
    },
    /// No such library, user, group or document.
    #[error("{what} {name}: there is none")]
    NotFound {
        /// `library`, `user`, …
        what: &'static str,
        /// The name asked for.
        name: String,
    },
    /// A group would be a member of itself.
    #[error("group {name}: a member of itself{}", by_way_of(through))]
    Cycle {
        /// The group.
        name: String,
        /// The groups between, the outermost first; empty: it was to be its own member.
        through: Vec<crate::GroupName>,
    },
    /// A library that holds documents is not removed, be they in its recycle bin.
    #[error("library {name}: it holds {}", held(*documents, *removed))]
    NotEmpty {
        /// The library.
        name: String,
        /// How many documents stand in it.
        documents: u64,
        /// How many are in its recycle bin.
        removed: u64,
    },
    /// Content that the catalog names is not there, or is not what its name says.
    #[error("content {digest}: {why}")]
    Damaged {
        /// The content's name.
        digest: crate::Digest,
        /// `missing`, `3 bytes, not 5`, …
        why: String,
    },
}

fn held(documents: u64, removed: u64) -> String {
    match (documents, removed) {
        (documents, 0) => format!("{documents} documents"),
        (0, removed) => format!("no documents, but {removed} in its recycle bin"),
        (documents, removed) => format!("{documents} documents, and {removed} in its recycle bin"),
    }
}

fn by_way_of(through: &[crate::GroupName]) -> String {
    let names: Vec<_> = through.iter().map(crate::GroupName::as_str).collect();
    if names.is_empty() { String::new() } else { format!(" through {}", names.join(", ")) }
}

/// Results of storage.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// True for a fault of the site (disk, catalog, contents) that may pass by itself: the same call may succeed
    /// later, and no mail is to blame. False where the same call will fail again.
    pub fn is_temporary(&self) -> bool {
        matches!(self, Error::Io { .. } | Error::Catalog { .. } | Error::Damaged { .. })
    }
}

/// Puts the action and the path on an I/O error, once.
pub trait IoContext<T> {
    /// `action` reads after "cannot": `open`, `sync`, `make`.
    fn while_doing(self, action: &'static str, path: &Path) -> Result<T>;
}

impl<T, E: Into<io::Error>> IoContext<T> for std::result::Result<T, E> {
    fn while_doing(self, action: &'static str, path: &Path) -> Result<T> {
        self.map_err(|cause| Error::Io { action, path: path.to_owned(), cause: cause.into() })
    }
}
