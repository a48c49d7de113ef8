//! How full libraries are, and what they were reached by before.

use std::fmt;

use jiff::Timestamp;

use crate::{Alias, LibraryName};

/// How full a library is, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Of all versions of all its documents, each counted, whatever contents they share.
    pub used: u64,
    /// What nobody proven has sent to it on one day.
    pub today: Anonymous,
    /// Of the mails of nobody proven that were kept aside because it was full, over the whole term.
    pub kept: u64,
}

/// Bytes that nobody proven has sent to a library.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Anonymous {
    /// Of documents that were filed.
    pub filed: u64,
    /// Of mails that were kept aside because the library was full.
    pub kept: u64,
}

/// A library whose sum of bytes on record is not that of its documents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Miscount {
    /// Which.
    pub library: LibraryName,
    /// On record.
    pub used: u64,
    /// What its documents come to.
    pub counted: u64,
}

impl fmt::Display for Miscount {
    /// As a sentence without its full stop.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Miscount { library, used, counted } = self;
        write!(f, "library {library} has {used} bytes on record, and its documents come to {counted}")
    }
}

/// An alias that a library had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormerAlias {
    /// Nobody has it now.
    pub alias: Alias,
    /// When the library got another.
    pub since: Timestamp,
}
