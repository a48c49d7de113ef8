//! A plain folder as a drop. Here two links mean a delivery in progress (link, then unlink of the temporary name): such
//! files are looked at again, all together, before anything is said of them.

use std::ffi::OsString;
use std::thread;
use std::time::{Duration, Instant};

/// How long a delivery may take to unlink its other name.
const SECOND_LOOK: Duration = Duration::from_millis(100);
/// How many names wait at most, so that a folder full of links costs time and not memory.
const MOST: usize = 4096;

/// A name with two links, and its inode.
#[derive(Debug)]
pub(super) struct Linked {
    pub name: OsString,
    pub inode: u64,
}

/// Names with two links, to be looked at once more.
#[derive(Debug, Default)]
pub(super) struct SecondLook {
    names: Vec<Linked>,
    since: Option<Instant>,
}

impl SecondLook {
    pub fn add(&mut self, linked: Linked) {
        self.names.push(linked);
        self.since = Some(Instant::now());
    }

    pub fn is_full(&self) -> bool {
        self.names.len() >= MOST
    }

    /// All names, each after its time is over.
    pub fn due(&mut self) -> Vec<Linked> {
        if let Some(since) = self.since.take() {
            thread::sleep(SECOND_LOOK.saturating_sub(since.elapsed()));
        }
        std::mem::take(&mut self.names)
    }
}
