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

words!(
    /// Where the documents of a mail stand in a library.
    Attachments, "attachments" {
        /// In its root.
        Root = "root",
        /// In a folder that is named by the subject.
        Subject = "subject",
        /// In a folder that is named by the From address.
        Sender = "sender",
    }
);

/// What an administrator sets for a library.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct LibrarySettings {
    /// Shown to people; empty: the name.
    pub title: String,
    /// Where its documents stand.
    pub attachments: Attachments,
    /// Whether a document whose name is taken becomes a new version of the one that has it.
    pub overwrite: bool,
    /// Whether the mail itself is filed beside its attachments.
    pub save_original: bool,
    /// Whether invitations (`text/calendar`) are filed.
    pub save_invitations: bool,
    /// Whether images that the HTML body shows are filed.
    pub inline_images: bool,
    /// Whom it accepts mail from.
    pub sender_policy: SenderPolicy,
    /// Whether it believes the bare From header.
    pub trust_from: TrustFrom,
    /// Whether it takes mail at all.
    pub enabled: bool,
    /// The most bytes that all versions of all its documents may come to by mail; `None`: any number.
    pub quota: Option<u64>,
    /// The most bytes that nobody proven may file there in a day (UTC), all together; `None`: any number.
    pub anonymous_quota: Option<u64>,
}

impl Default for LibrarySettings {
    fn default() -> LibrarySettings {
        LibrarySettings {
            title: String::new(),
            attachments: Attachments::Root,
            overwrite: false,
            save_original: false,
            save_invitations: false,
            inline_images: false,
            sender_policy: SenderPolicy::Permissions,
            trust_from: TrustFrom::Inherit,
            enabled: true,
            quota: None,
            anonymous_quota: None,
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
