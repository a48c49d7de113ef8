//! Each system call fails with each error that a disk, a quota or a kernel short of memory gives, once and for ever.

use std::time::Instant;

use nix::errno::Errno;

use crate::bench::Bench;
use crate::mails::Scenario;
use crate::trace::{Act, fallible};

pub const ERRORS: [Errno; 9] = [
    Errno::EIO,
    Errno::ENOSPC,
    Errno::EDQUOT,
    Errno::EMFILE,
    Errno::ENOMEM,
    Errno::EINTR,
    Errno::EACCES,
    Errno::EROFS,
    Errno::ESTALE,
];

/// Fails call `at`; gives whether the run came to it.
pub fn at_call(
    bench: &Bench<'_>,
    sweep: &str,
    scenario: &Scenario,
    at: usize,
    error: Errno,
    for_ever: bool,
) -> bool {
    let begun = Instant::now();
    bench.place.put(&scenario.picture);
    let act = if for_ever { Act::FailForEver(error) } else { Act::Fail(error) };
    let (ended, mut wrong) = bench.disturbed(fallible, at, act);
    wrong.extend(bench.judge_any_moment(&scenario.mails));
    wrong.extend(bench.recover_and_judge(&scenario.mails));
    bench.record(sweep, at, ended.reached.map(|call| call.name()), wrong, begun);
    ended.reached.is_some()
}
