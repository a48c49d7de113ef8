//! Documents, their contents, and how many there are.

use jiff::Timestamp;
use serde::Serialize;

use super::Level;
use crate::{DeliveryId, Digest, LibraryId, LibraryName, Login, RemovalId};

/// What becomes of a document whose name is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clash {
    /// It gets the next free number.
    Number,
    /// It is a new version of the one that has the name. The `n`-th of one name in a mail (from 1) goes to the `n`-th of
    /// the series, and never to one that the same mail has just filed: then to the next in the series.
    Version(u32),
}

/// A place that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted<'a> {
    /// In which folder; empty: in the root.
    pub folder: &'a str,
    /// Under which name.
    pub name: &'a str,
    /// What if that is taken.
    pub clash: Clash,
}

/// The place that a document gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Spelt as the first document there has it.
    pub folder: String,
    /// Spelt as the first version has it.
    pub name: String,
    /// 1 where the document is new.
    pub version: u32,
}

impl Placed {
    /// Folder and name; what commands take.
    pub fn path(&self) -> String {
        path(&self.folder, &self.name)
    }
}

/// Folder and name in one.
pub(crate) fn path(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// A document to be added; the place is a proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDocument {
    /// Where.
    pub library: LibraryId,
    /// In which folder; empty: in the root.
    pub folder: String,
    /// Under which name, if it is free.
    pub name: String,
    /// What if it is not.
    pub clash: Clash,
    /// Its bytes.
    pub digest: Digest,
    /// How many bytes.
    pub size: u64,
    /// The media type the sender declared, lower case.
    pub media_type: String,
    /// The one that its bytes show, where that is another.
    pub sniffed_type: Option<String>,
    /// A login, or the system account.
    pub created_by: String,
    /// The user its mail was proven to come from.
    pub identity: Option<Login>,
    /// How well that was proven.
    pub level: Level,
    /// When.
    pub created_at: Timestamp,
    /// The mail it came with.
    pub delivery: DeliveryId,
    /// Whether it is the mail itself.
    pub original: bool,
}

/// One version of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Where.
    pub library: LibraryName,
    /// In which folder; empty: in the root.
    pub folder: String,
    /// Its name, unique in the folder without regard to case.
    pub name: String,
    /// Counts from 1.
    pub version: u32,
    /// How many bytes.
    pub size: u64,
    /// Its bytes.
    pub digest: Digest,
    /// The media type the sender declared.
    pub media_type: String,
    /// The one that its bytes show, where that is another.
    pub sniffed_type: Option<String>,
    /// A login, or the system account.
    pub created_by: String,
    /// The user its mail was proven to come from where it was filed, whatever became of that library.
    pub identity: Option<Login>,
    /// How well that was proven.
    pub level: Level,
    /// When.
    pub created_at: Timestamp,
    /// The mail it came with.
    pub delivery: DeliveryId,
    /// Whether it is the mail itself.
    pub original: bool,
    /// The library that the mail was filed in; another, where the document was moved since. That one may be gone.
    pub filed_in: LibraryId,
    /// Of a document in the recycle bin: how it came there. It had this folder and name before.
    pub removal: Option<RemovalId>,
}

impl Document {
    /// Folder and name; what commands take.
    pub fn path(&self) -> String {
        path(&self.folder, &self.name)
    }
}

/// Where a content is filed. As it is written, for `verify`: what cannot be read must not hide what it refers to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FiledAs {
    /// The library.
    pub library: String,
    /// Folder and name.
    pub path: String,
    /// Which version.
    pub version: i64,
    /// Its document is in the recycle bin, and had this path before.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub removed: bool,
}

/// A place that a document is moved to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Destination<'a> {
    /// In which library.
    pub library: LibraryId,
    /// In which folder; empty: in the root.
    pub folder: &'a str,
    /// Under which name.
    pub name: &'a str,
}

/// What is left of a version whose document was purged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purged {
    /// What the library was called then.
    pub library: LibraryName,
    /// Folder and name.
    pub path: String,
    /// Which version.
    pub version: u32,
    /// How many bytes it had.
    pub size: u64,
    /// Which.
    pub digest: Digest,
    /// Its removal before that.
    pub removal: RemovalId,
    /// Because of what it was purged, in words.
    pub why: String,
    /// When.
    pub at: Timestamp,
}

/// What the catalog knows of a content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownContent {
    /// How many bytes.
    pub size: u64,
    /// About to be removed: its file may be gone at any moment.
    pub doomed: bool,
}

/// How much the catalog holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Documents that stand, whatever the number of their versions.
    pub documents: u64,
    /// Documents in the recycle bin.
    pub removed: u64,
    /// Contents.
    pub contents: u64,
    /// Bytes of all contents together.
    pub bytes: u64,
    /// Mails on record.
    pub mails: u64,
    /// Libraries.
    pub libraries: u64,
    /// Users.
    pub users: u64,
}
