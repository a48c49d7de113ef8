//! Where mailshelf keeps documents. It knows libraries, people, documents and bytes; it knows nothing of mail parsing.

pub mod digest;
pub mod id;
pub mod name;
pub mod address;

pub use address::Address;
pub use digest::Digest;
pub use id::{DeliveryId, DocumentId, GroupId, LibraryId, PassId, UserId};
pub use name::{Alias, GroupName, LibraryName, Login};
