//! Each system call fails with each error that a disk, a quota or a kernel short of memory gives, once and for ever.

use nix::errno::Errno;

use crate::bench::{Bench, Done};
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
pub fn at_call(bench: &Bench, scenario: &Scenario, at: usize, error: Errno, for_ever: bool) -> Done {
    bench.place.put(&scenario.picture);
    let act = if for_ever { Act::FailForEver(error) } else { Act::Fail(error) };
    let (ended, mut wrong) = bench.disturbed(fallible, at, act);
    wrong.extend(bench.judge_any_moment(&scenario.mails));
    wrong.extend(bench.recover_and_judge(&scenario.mails));
    Done::at(ended.reached, wrong)
}
