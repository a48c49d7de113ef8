//! What earlier runs left claimed: where each mail of it goes on.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use mailshelf_storage::model::{Mail, MailState};

use super::{PassError, end_passes};
use crate::drop::{Claimed, DropFolder};
use crate::record::Settled;
use crate::site::Site;
use crate::whereabouts;

/// Mail that was claimed before this run.
pub struct Inherited {
    /// Their fate is on record; only the claim is still there.
    pub settled: Vec<(Claimed, Settled)>,
    /// Not tried yet, or interrupted.
    pub fresh: Vec<Claimed>,
    /// Tried, and found to have to wait; in no order, lest the same mails use up the patience with DNS in each run.
    pub waiting: Vec<Claimed>,
    /// A worker may have died of it; in no order either, lest one that kills this one each time always comes first.
    pub suspects: Vec<Claimed>,
    /// On record as waiting, and its file is nowhere.
    pub gone: Vec<Mail>,
}

/// Sorts the claims of earlier runs, those of nodes that died included; the passes of these get their events now.
pub fn inherit(site: &Site, drop: &DropFolder) -> Result<Inherited, PassError> {
    let leftovers = drop.leftovers(&mut |node| end_passes(site, node))?;
    let suspects = drop.slots().suspects();
    let ids: HashSet<_> = leftovers.iter().map(|claimed| claimed.id).collect();
    for gone in suspects.iter().filter(|suspect| !ids.contains(suspect)) {
        drop.slots().acquit(*gone)?;
    }
    let (settled, fresh, waiting) = (Vec::new(), Vec::new(), Vec::new());
    let mut inherited = Inherited { settled, fresh, waiting, suspects: Vec::new(), gone: Vec::new() };
    let reader = site.catalog.read()?;
    for claimed in leftovers {
        match reader.mail(claimed.id)?.map(|mail| mail.state) {
            Some(MailState::Done) => inherited.settled.push((claimed, Settled::Final)),
            Some(MailState::Badmail) => inherited.settled.push((claimed, Settled::Badmail)),
            _ if suspects.contains(&claimed.id) => inherited.suspects.push(claimed),
            Some(MailState::Open) => inherited.waiting.push(claimed),
            None => inherited.fresh.push(claimed),
        }
    }
    let order = RandomState::new();
    for claims in [&mut inherited.waiting, &mut inherited.suspects] {
        claims.sort_by_cached_key(|claimed| order.hash_one(claimed.id));
    }
    for id in reader.open_mails(&site.config.site.node)? {
        // Another node may have adopted it, or may be about to.
        if !ids.contains(&id) && whereabouts::find(&site.config, id)?.is_empty() {
            inherited.gone.extend(reader.mail(id)?);
        }
    }
    Ok(inherited)
}
