//! Where mailshelf keeps documents: bytes in [`contents`], everything about them in the [`catalog`]. It knows
//! libraries, people, documents and bytes; it knows nothing of mail parsing. README.md states formats and invariants.

pub mod digest;
pub mod id;
pub mod name;
pub mod address;
pub mod model;
pub mod error;
pub mod durable;
pub mod contents;
pub mod catalog;
pub mod verify;
pub mod recycle;
pub mod failpoint;
#[cfg(feature = "testing")]
pub mod conformance;
#[cfg(feature = "testing")]
pub mod faulty;

pub use address::Address;
pub use catalog::{Catalog, Reader, Writer};
pub use contents::{Content, Contents};
pub use digest::Digest;
pub use error::{Error, IoContext, Result};
pub use id::{DeliveryId, DocumentId, GroupId, LibraryId, PassId, RemovalId, UserId};
pub use name::{Alias, GroupName, LibraryName, Login};
