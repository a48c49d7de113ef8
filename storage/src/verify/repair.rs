//! Takes away what nothing refers to. The order of steps is argued in the module above.

use std::collections::HashMap;

use super::{Orphan, OrphanKind, Report};
use crate::contents::Stored;
use crate::failpoint::reached;
use crate::model::Miscount;
use crate::{Catalog, Contents, Digest, Result};

/// Contents removed in one transaction: writers wait for no more unlinks than these.
const AT_ONCE: usize = 256;

/// Puts right the sums of bytes, and says so: looked at anew, for mail may have been filed meanwhile.
pub(super) fn recount(catalog: &dyn Catalog) -> Result<Vec<String>> {
    let mut writer = catalog.write()?;
    let found = writer.recount()?;
    writer.commit()?;
    let told = |Miscount { library, used, counted }: &Miscount| {
        format!("set the bytes of library {library} from {used} to {counted}")
    };
    Ok(found.iter().map(told).collect())
}

/// Afterwards the report's orphans are those that could not be removed, or must not be.
pub(super) fn remove_orphans(
    catalog: &dyn Catalog,
    contents: &dyn Contents,
    report: &mut Report,
) -> Result<()> {
    let (leftovers, orphans): (Vec<_>, Vec<_>) =
        report.orphans.drain(..).partition(|orphan| orphan.kind == OrphanKind::Leftover);
    let (orphans, spared): (Vec<_>, Vec<_>) = orphans.into_iter().partition(|orphan| orphan.why.is_empty());
    report.orphans = spared;
    for part in orphans.chunks(AT_ONCE) {
        remove_contents(catalog, contents, part, report)?;
    }
    for orphan in leftovers {
        match contents.remove(&Stored::Leftover(orphan.name.clone())) {
            Ok(()) => report.repaired.push(format!("removed the leftover {}", orphan.name)),
            Err(error) => report.orphans.push(Orphan { why: error.to_string(), ..orphan }),
        }
    }
    Ok(())
}

fn remove_contents(
    catalog: &dyn Catalog,
    contents: &dyn Contents,
    orphans: &[Orphan],
    report: &mut Report,
) -> Result<()> {
    let (mut doomed, mut digests) = (HashMap::new(), Vec::new());
    let mut writer = catalog.write()?;
    for orphan in orphans {
        // Always a digest: these came from one.
        let Ok(digest) = orphan.name.parse::<Digest>() else { continue };
        // Where a document has it by now it is no orphan.
        if writer.doom_content(digest)? {
            doomed.insert(digest, orphan);
            digests.push(digest);
        }
    }
    writer.commit()?;
    reached("contents-doomed", "");
    remove_doomed(catalog, contents, &digests, &mut |digest, removed| {
        match (removed, doomed.get(&digest)) {
            (Ok(()), _) => report.repaired.push(format!("removed the content {digest}")),
            (Err(error), Some(&orphan)) => {
                report.orphans.push(Orphan { why: error.to_string(), ..orphan.clone() });
            }
            (Err(error), None) => return Err(error),
        }
        Ok(())
    })
}

/// The second step: removes what is still doomed. `told` learns of each how that went, and an error of its own ends it;
/// then nothing of this step is on record, and files may be gone whose rows stay doomed.
pub(crate) fn remove_doomed(
    catalog: &dyn Catalog,
    contents: &dyn Contents,
    doomed: &[Digest],
    told: &mut dyn FnMut(Digest, Result<()>) -> Result<()>,
) -> Result<()> {
    let mut writer = catalog.write()?;
    for &digest in doomed {
        if !writer.content(digest)?.is_some_and(|known| known.doomed) {
            continue;
        }
        let removed = contents.remove(&Stored::Content(digest, 0));
        if removed.is_ok() {
            writer.drop_content(digest)?;
        }
        told(digest, removed)?;
    }
    reached("contents-removed", "");
    writer.commit()
}
