//! The recycle bin: how long removed documents stay there, and the end of their term.

use std::time::Duration;

use jiff::Timestamp;
use mailshelf_storage::{RemovalId, Result, recycle};

use crate::config::term;
use crate::site::Site;

/// A pass purges at most so many, so that it stays short.
const AT_ONCE: usize = 1000;

/// When the term of a removed document is over; `None`: never.
pub fn until(removal: RemovalId, term: Duration) -> Option<Timestamp> {
    term::until(removal.time(), term)
}

/// Purges documents whose term is over at `now`, a bounded number, those removed first; `purged` counts them, also where
/// it ends with a fault.
pub fn purge_expired(site: &Site, now: Timestamp, purged: &mut u64) -> Result<()> {
    let Some(begun) = term::begun(now, site.config.storage.recycle) else { return Ok(()) };
    let expired = site.catalog.read()?.removed_before(RemovalId::first_at(begun), AT_ONCE)?;
    let why = "its term (storage.recycle) was over";
    recycle::purge(&*site.catalog, &*site.contents, &expired, why, &mut |_| *purged += 1)
}
