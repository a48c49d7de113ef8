//! Power cuts: at each call that changes a disk everything stands still, the file systems are shut down as they are
//! (`FS_IOC_SHUTDOWN`), and what is left is mounted again.

use crate::bench::{Bench, Done, stuck};
use crate::mails::Scenario;
use crate::mounts::Mounts;
use crate::trace::{Act, changes};

pub const KINDS: [&str; 2] = ["ext4", "xfs"];

/// On a disk that says it synced and did not, power goes right after a run: if the model finds nothing wrong then, it
/// would find nothing wrong ever.
pub fn judge(bench: &Bench, mounts: &Mounts, scenario: &Scenario, at: usize) -> Done {
    if at > 1 {
        return Done::case(None, Vec::new());
    }
    bench.place.put(&scenario.picture);
    mounts.sync();
    let (ended, mut wrong) = bench.disturbed(changes, usize::MAX, Act::Lie);
    mounts.cut(true);
    mounts.mount_again();
    if ended.code != Some(0) || bench.judge_any_moment(&scenario.mails).is_empty() {
        wrong.push(stuck(format!("a disk that lies went unnoticed; the run ended with {:?}", ended.code)));
    }
    Done::case(Some("lying disk"), wrong)
}

/// Cuts at the call `at` of those that change a disk; gives whether the run came to it. If the log is `flushed`, it reaches
/// the disk, and the data that it speaks of need not.
pub fn cut(bench: &Bench, mounts: &Mounts, scenario: &Scenario, at: usize, flushed: bool) -> Done {
    bench.place.put(&scenario.picture);
    mounts.sync();
    let (ended, mut wrong) = bench.disturbed(changes, at, Act::Halt(&mut || mounts.cut(flushed)));
    if ended.reached.is_none() {
        // Beyond the last such call: right after the end.
        mounts.cut(flushed);
    }
    mounts.mount_again();
    wrong.extend(bench.judge_any_moment(&scenario.mails));
    wrong.extend(bench.recover_and_judge(&scenario.mails));
    Done {
        more: ended.reached.is_some(),
        met: Some(ended.reached.map_or("the end", |call| call.name())),
        wrong,
    }
}
