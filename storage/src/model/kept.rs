//! Mail that was rejected and kept aside, and left again.

use jiff::Timestamp;

use super::words;

words!(
    /// What became of a mail that was kept aside.
    KeptFate, "a fate of kept mail" {
        /// It was given back to the drop, where it is another delivery.
        Replayed = "replayed",
        /// It was deleted.
        Purged = "purged",
    }
);

/// How a mail that was kept aside left the folder; on record before its file goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptEnd {
    /// What became of it.
    pub fate: KeptFate,
    /// Because of what, in words.
    pub why: String,
    /// When.
    pub at: Timestamp,
}
