//! Identifiers are types, so that no two can be taken for one another.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
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

            /// When it was made, to the millisecond.
            pub fn time(self) -> Timestamp {
                let milliseconds = i64::try_from(self.0.timestamp_ms()).unwrap_or(i64::MAX);
                Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::MAX)
            }

            /// The least id of the millisecond of `at`. Before 1970 there are none.
            pub fn first_at(at: Timestamp) -> $name {
                $name(Ulid::from_parts(u64::try_from(at.as_millisecond()).unwrap_or(0), 0))
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
    /// One mail handed over once by the drop; stays the same however often we begin again with it. Made when the worker
    /// took it.
    DeliveryId
);

ulid_id!(
    /// One pass.
    PassId
);
ulid_id!(
    /// One removal of one document: what it is called in the recycle bin, and when it came there.
    RemovalId
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delivery_knows_when_it_was_taken() {
        let at = Timestamp::from_millisecond(1_700_000_000_123).unwrap();
        let first = DeliveryId::first_at(at);
        assert_eq!(first.time(), at);
        assert_eq!(first.to_string().get(10..), Some("0000000000000000"));
        let earlier = Timestamp::from_millisecond(1_700_000_000_122).unwrap();
        assert!(DeliveryId::first_at(earlier) < first);
        let now = DeliveryId::generate();
        assert!(DeliveryId::first_at(now.time()) <= now);
    }

    #[test]
    fn times_beyond_ids_and_ids_beyond_times() {
        assert_eq!(DeliveryId::first_at(Timestamp::MIN).to_string(), "0".repeat(26));
        assert_eq!(
            DeliveryId::first_at(Timestamp::MAX).time().as_millisecond(),
            Timestamp::MAX.as_millisecond()
        );
        let last: DeliveryId = format!("7{}", "Z".repeat(25)).parse().unwrap();
        assert_eq!(last.time(), Timestamp::MAX);
    }
}
