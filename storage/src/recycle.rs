//! The end of removed documents. Their rows go first, and with them what refers to their contents; a content that no
//! document has any more is removed as [`crate::verify`] says.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::failpoint::reached;
use crate::verify::remove_doomed;
use crate::{Catalog, Contents, Digest, Error, RemovalId, Result};

/// Documents purged in one transaction, with all their versions, and contents removed in one: writers wait for no more
/// than the rows of these, or the unlinks of those.
const AT_ONCE: usize = 256;

/// Purges documents of the recycle bin for good; `told` learns of each that is gone, before its contents are. One that is
/// there no more, because somebody restored or purged it meanwhile, is passed over. After an error, what was purged stays
/// so; a content that could not be removed is an orphan, for the next repair.
pub fn purge(
    catalog: &dyn Catalog,
    contents: &dyn Contents,
    removals: &[RemovalId],
    why: &str,
    told: &mut dyn FnMut(RemovalId),
) -> Result<()> {
    for part in removals.chunks(AT_ONCE) {
        let doomed = purge_rows(catalog, part, why, told)?;
        let mut fault = None;
        for part in doomed.chunks(AT_ONCE) {
            remove_doomed(catalog, contents, part, &mut |_, removed| {
                fault = fault.take().or(removed.err());
                Ok(())
            })?;
        }
        if let Some(fault) = fault {
            return Err(fault);
        }
    }
    Ok(())
}

/// Forgets documents in one transaction; gives the contents that it has doomed.
fn purge_rows(
    catalog: &dyn Catalog,
    removals: &[RemovalId],
    why: &str,
    told: &mut dyn FnMut(RemovalId),
) -> Result<Vec<Digest>> {
    let (mut purged, mut unused, mut doomed) = (Vec::new(), BTreeSet::new(), Vec::new());
    let mut writer = catalog.write()?;
    for &removal in removals {
        match writer.purge_document(removal, why, Timestamp::now()) {
            Ok(digests) => {
                unused.extend(digests);
                purged.push(removal);
            }
            Err(Error::NotFound { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    for digest in unused {
        if writer.doom_content(digest)? {
            doomed.push(digest);
        }
    }
    writer.commit()?;
    reached("contents-doomed", "");
    purged.into_iter().for_each(told);
    Ok(doomed)
}
