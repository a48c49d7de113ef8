//! Libraries, and what an administrator sets for them.

use jiff::Timestamp;
use serde::Serialize;

use super::words;
use crate::{Alias, LibraryId, LibraryName};

words!(
    /// Whom a library accepts mail from.
    SenderPolicy, "a sender policy" {
        /// Users with the right to contribute.
        Permissions = "permissions",
        /// Anyone at all.
        Anyone = "anyone",
    }
);

words!(
    /// Whether a library believes the bare From header.
    TrustFrom, "trust-from" {
        /// As the site does.
        Inherit = "inherit",
        /// It does, whatever the site says.
        Yes = "yes",
        /// It does not, whatever the site says.
        No = "no",
    }
);

/// What an administrator sets for a library.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct LibrarySettings {
    /// Shown to people; empty: the name.
    pub title: String,
    /// Whether the mail itself is filed beside its attachments.
    pub save_original: bool,
    /// Whom it accepts mail from.
    pub sender_policy: SenderPolicy,
    /// Whether it believes the bare From header.
    pub trust_from: TrustFrom,
    /// Whether it takes mail at all.
    pub enabled: bool,
}

impl Default for LibrarySettings {
    fn default() -> LibrarySettings {
        LibrarySettings {
            title: String::new(),
            save_original: false,
            sender_policy: SenderPolicy::Permissions,
            trust_from: TrustFrom::Inherit,
            enabled: true,
        }
    }
}

/// A library: where documents are filed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Library {
    /// Its row.
    pub id: LibraryId,
    /// What it is called.
    pub name: LibraryName,
    /// The local-part that mail to it is sent to; unique.
    pub alias: Alias,
    /// What an administrator set.
    pub settings: LibrarySettings,
    /// When it was made.
    pub created_at: Timestamp,
}
