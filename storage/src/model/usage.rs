//! How full libraries are, and what they were reached by before.

use std::fmt;

use jiff::Timestamp;

use crate::{Alias, DeliveryId};

/// How full a library is, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Of all versions of all its documents, each counted, whatever contents they share.
    pub used: u64,
    /// Of documents that nobody proven has filed there on one day.
    pub filed_today: u64,
}

/// What stands aside because a library was full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Aside {
    /// How many mails, whoever sent them.
    pub mails: u64,
    /// The bytes of those that nobody proven sent.
    pub anonymous: u64,
    /// Of these, what came on one day.
    pub today: u64,
}

/// A mail that is put aside because a library is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewAside {
    /// Which mail; it is on record.
    pub delivery: DeliveryId,
    /// Its bytes.
    pub size: u64,
    /// Nothing proves who sent it.
    pub anonymous: bool,
    /// It had been given back, and is kept once more.
    pub again: bool,
}

/// A library whose sum of bytes on record is not that of its documents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Miscount {
    /// Which; as it is written.
    pub library: String,
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
