//! The end of removed documents. Their rows go first, and with them what refers to their contents; a content that no
//! document has any more is removed as [`crate::verify`] says.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::failpoint::reached;
use crate::verify::remove_doomed;
use crate::{Catalog, Contents, Error, RemovalId, Result};

/// Documents purged in one transaction: writers wait for no more than these.
const AT_ONCE: usize = 256;

/// Purges documents of the recycle bin for good; says how many. One that is there no more, because somebody restored or
/// purged it meanwhile, is passed over. After an error, what was purged stays so; a content that could not be removed is
/// an orphan, for the next repair.
pub fn purge(
    catalog: &dyn Catalog,
    contents: &dyn Contents,
    removals: &[RemovalId],
    why: &str,
) -> Result<u64> {
    let mut purged = 0;
    for part in removals.chunks(AT_ONCE) {
        let mut unused = BTreeSet::new();
        let mut writer = catalog.write()?;
        for &removal in part {
            match writer.purge_document(removal, why, Timestamp::now()) {
                Ok(digests) => {
                    unused.extend(digests);
                    purged += 1;
                }
                Err(Error::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        let mut doomed = Vec::new();
        for digest in unused {
            if writer.doom_content(digest)? {
                doomed.push(digest);
            }
        }
        writer.commit()?;
        reached("contents-doomed", "");
        let mut fault = None;
        remove_doomed(catalog, contents, &doomed, &mut |_, removed| {
            fault = fault.take().or(removed.err());
            Ok(())
        })?;
        if let Some(fault) = fault {
            return Err(fault);
        }
    }
    Ok(purged)
}
