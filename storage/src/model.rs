//! What the catalog holds, as plain values.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use crate::name::BadName;
use crate::{Address, Alias, DeliveryId, Digest, GroupName, LibraryId, LibraryName, Login, UserId};

mod log;
mod member;
mod numbering;
mod query;

pub use log::{Event, NewEvent, Pass};
pub use member::{Member, Way};
pub use numbering::{NAME_LENGTH, name_key, numbered};
pub use query::{EventQuery, MailQuery};

/// An enum whose values have one spelling each: on command lines, in the catalog and in JSON.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $what:literal { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum $name { $($(#[$vdoc])* $variant),+ }

        impl $name {
            /// Every value, in order.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// Its one spelling.
            pub fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word),+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = BadName;

            fn from_str(text: &str) -> Result<$name, BadName> {
                match text {
                    $($word => Ok($name::$variant),)+
                    _ => Err(BadName(concat!($what, " is one of", $(" ", $word),+))),
                }
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}

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
    /// What a principal may do in a library; each includes those before it.
    Role, "a role" {
        /// May read.
        Reader = "reader",
        /// May file.
        Contributor = "contributor",
        /// May change the library.
        Owner = "owner",
    }
);

words!(
    /// How well it is proven who sent a mail, weakest first.
    Level, "a level" {
        /// Not at all.
        None = "none",
        /// The bare From header, because the site or the library says so.
        FromHeader = "from-header",
        /// SPF, aligned with From.
        Spf = "spf",
        /// DMARC, or DKIM aligned with From.
        Domain = "domain",
        /// Our own server saw the user sign in.
        Submission = "submission",
        /// The user signed it.
        Signature = "signature",
    }
);

words!(
    /// How a mail ended for one recipient.
    OutcomeKind, "an outcome" {
        /// Its documents are in the library.
        Filed = "filed",
        /// This very mail was filed in this library before.
        Duplicate = "duplicate",
        /// Refused, with a reason.
        Rejected = "rejected",
        /// Not an end but a wait.
        Deferred = "deferred",
    }
);

words!(
    /// Where a mail stands.
    MailState, "a mail state" {
        /// A recipient is deferred.
        Open = "open",
        /// Every recipient has a final outcome.
        Done = "done",
        /// Given up and moved to badmail.
        Badmail = "badmail",
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

/// A person. Two users may share an address; then mail from it belongs to neither.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The row.
    pub id: UserId,
    /// What the user signs in as; unique.
    pub login: Login,
    /// The addresses the user sends from, sorted.
    pub addresses: Vec<Address>,
}

/// A group of users, and of other groups. None is in itself, at whatever depth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// What it is called; unique.
    pub name: GroupName,
    /// Its members, sorted, users first.
    pub members: Vec<Member>,
}

/// Whom a right is given to: `user:LOGIN`, `group:NAME` or `everyone`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Principal {
    /// One user.
    User(Login),
    /// The members of a group, and of the groups in it.
    Group(GroupName),
    /// Every known user.
    Everyone,
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Principal::User(login) => write!(f, "user:{login}"),
            Principal::Group(name) => write!(f, "group:{name}"),
            Principal::Everyone => f.write_str("everyone"),
        }
    }
}

impl FromStr for Principal {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Principal, BadName> {
        match text.split_once(':') {
            Some(("user", login)) => login.parse().map(Principal::User),
            Some(("group", name)) => name.parse().map(Principal::Group),
            None if text == "everyone" => Ok(Principal::Everyone),
            _ => Err(BadName("a principal is user:LOGIN, group:NAME or everyone")),
        }
    }
}

impl Serialize for Principal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A right in a library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// To whom.
    pub principal: Principal,
    /// Which.
    pub role: Role,
}

/// What is on record of a mail, whatever became of it. Texts are as the sender wrote them, decoded, not escaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// The delivery.
    pub delivery: DeliveryId,
    /// The file's name in the drop; bytes that are not UTF-8 as `\xNN`.
    pub file: String,
    /// The worker that took it.
    pub node: String,
    /// Digest of the message, envelope block apart; `None` where it could not be read.
    pub digest: Option<Digest>,
    /// Size of the message in bytes, envelope block apart.
    pub size: u64,
    /// `Message-ID`, without its brackets (RFC 5322 section 3.6.4).
    pub message_id: Option<String>,
    /// The address in `From`.
    pub from: Option<String>,
    /// The return path.
    pub envelope_sender: Option<String>,
    /// `Subject`.
    pub subject: Option<String>,
    /// When the file came to the drop.
    pub arrived_at: Timestamp,
    /// Where it stands.
    pub state: MailState,
    /// How often it failed by a fault that only this mail shows.
    pub attempts: u32,
    /// The last fault, in words.
    pub fault: Option<String>,
}

/// How a mail ended for one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The recipient: canonical where it can be, else as written; empty where the mail names none.
    pub recipient: String,
    /// How it ended.
    pub kind: OutcomeKind,
    /// Why it was rejected or deferred.
    pub reason: Option<String>,
    /// The library that its address leads to.
    pub library: Option<LibraryId>,
    /// The user it was proven to come from.
    pub identity: Option<Login>,
    /// How well that was proven.
    pub level: Level,
    /// By what, or why not, in words; `None` where that was not asked.
    pub proof: Option<String>,
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_and_levels_are_ordered() {
        assert!(Role::Owner > Role::Contributor && Role::Contributor > Role::Reader);
        assert!(Level::Submission > Level::Domain && Level::Domain > Level::FromHeader);
    }
}
