//! What the catalog holds, as plain values.

mod document;
mod kept;
mod log;
mod mail;
mod member;
mod numbering;
mod people;
mod query;
mod settings;
mod usage;

pub(crate) use document::path;
pub use document::{
    Clash, Counts, Destination, Document, FiledAs, KnownContent, NewDocument, Placed, Purged, Wanted,
};
pub use kept::{KeptEnd, KeptFate};
pub use log::{Event, NewEvent, Pass};
pub use mail::{Calendar, Filing, Level, Mail, MailFields, MailState, Outcome, OutcomeKind};
pub use member::{Member, Way};
pub use numbering::{NAME_BYTES, NAME_LENGTH, fitted, name_key, numbered, split_extension};
pub use people::{Grant, Group, Principal, Role, UnusedAddress, User};
pub use query::{EventQuery, MailQuery};
pub use settings::{Attachments, Library, LibrarySettings, SenderPolicy, TrustFrom};
pub use usage::{Aside, FormerAlias, Miscount, NewAside, Usage};

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

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = crate::name::BadName;

            fn from_str(text: &str) -> Result<$name, crate::name::BadName> {
                match text {
                    $($word => Ok($name::$variant),)+
                    _ => Err(crate::name::BadName(concat!($what, " is one of", $(" ", $word),+))),
                }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}

// By its path, wherever it is used: textual scope would hang on the order of the modules.
use words;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_and_levels_are_ordered() {
        assert!(Role::Owner > Role::Contributor && Role::Contributor > Role::Reader);
        assert!(Level::Submission > Level::Domain && Level::Domain > Level::FromHeader);
    }
}
