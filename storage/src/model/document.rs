//! Documents, their contents, and how many there are.

use jiff::Timestamp;

use crate::{DeliveryId, Digest, LibraryId, LibraryName};

/// A document to be added; the name is a proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDocument {
    /// Where.
    pub library: LibraryId,
    /// In which folder; empty: in the root.
    pub folder: String,
    /// Under which name, if it is free.
    pub name: String,
    /// Its bytes.
    pub digest: Digest,
    /// How many bytes.
    pub size: u64,
    /// The media type the sender declared, lower case.
    pub media_type: String,
    /// A login, or the system account.
    pub created_by: String,
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
    /// A login, or the system account.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
    /// The mail it came with.
    pub delivery: DeliveryId,
    /// Whether it is the mail itself.
    pub original: bool,
}

impl Document {
    /// Folder and name; what commands take.
    pub fn path(&self) -> String {
        if self.folder.is_empty() { self.name.clone() } else { format!("{}/{}", self.folder, self.name) }
    }
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
    /// Documents, whatever the number of their versions.
    pub documents: u64,
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
