//! Contents: bytes, each kept once, under the digest of what they are.

use std::io::Read;

use crate::{Digest, Result};

pub mod local;

/// Bytes to be kept, and the digest of just these bytes.
#[derive(Clone, Copy, Debug)]
pub struct Content<'a> {
    /// What they are called.
    pub digest: Digest,
    /// The bytes.
    pub bytes: &'a [u8],
}

/// A store of contents. Every implementation passes `conformance::contents` (feature `testing`).
///
/// It must be safe to use from several threads, processes and machines at once.
pub trait Contents: Send + Sync {
    /// Keeps all of `batch`. When this returns `Ok`, every one of them must be readable under its digest and must
    /// survive a power cut. After an error any of them may or may not be there: none may be damaged, and calling
    /// again must be harmless. A content that is already there is written afresh: the caller leaves out those
    /// that it knows to be durable, and the store cannot know of the others whether they are.
    ///
    /// A sync that failed must never be tried again on the same file.
    fn put(&self, batch: &[Content<'_>]) -> Result<()>;

    /// Removes what interrupted writes have left; tells how many there were. It must cost little when there are none:
    /// every pass begins with it.
    fn tidy(&self) -> Result<u64>;

    /// The size in bytes of the content, or `None` if there is none.
    fn size(&self, digest: Digest) -> Result<Option<u64>>;

    /// The bytes of a content, unchecked. `Error::Damaged` if there is none.
    fn open(&self, digest: Digest) -> Result<Box<dyn Read + Send>>;

    /// Removes a content, or a leftover that [`Contents::each`] named. One that is gone already is no error.
    fn remove(&self, stored: &Stored) -> Result<()>;

    /// Names everything the store holds, in no order; things that come and go meanwhile may or may not be named.
    fn each(&self, visit: &mut dyn FnMut(Stored) -> Result<()>) -> Result<()>;
}

/// A thing found in a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stored {
    /// A content, by its digest and its size in bytes.
    Content(Digest, u64),
    /// What an interrupted write left behind, by the name the store gives it: never read by anyone.
    Leftover(String),
    /// Something that is not ours; reported, never removed.
    Alien(String),
}
