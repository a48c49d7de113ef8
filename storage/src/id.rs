//! Identifiers are types, so that no two can be taken for one another.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};
use ulid::Ulid;

/// Not one of our identifiers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an id is 26 characters, as a ULID is")]
pub struct NotAnId;

macro_rules! ulid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        pub struct $name(Ulid);

        impl $name {
            /// A new one, like no other.
            pub fn generate() -> $name {
                $name(Ulid::generate())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<$name, NotAnId> {
                Ulid::from_string(text).map($name).map_err(|_| NotAnId)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    };
}

ulid_id!(
    /// One mail handed over once by the drop; stays the same however often we begin again with it.
    DeliveryId
);
ulid_id!(
    /// One pass.
    PassId
);

macro_rules! row_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        pub struct $name(pub i64);
    };
}

row_id!(
    /// A library, whatever it is called today.
    LibraryId
);
row_id!(
    /// A user, whatever the login is today.
    UserId
);
row_id!(
    /// A group.
    GroupId
);
row_id!(
    /// A document: one name in one folder of one library, with all its versions.
    DocumentId
);
