//! kill -9 at each system call, and once more while the next run recovers.

use crate::bench::{Bench, Done};
use crate::mails::Scenario;
use crate::trace::{Act, all};

/// Kills at call `at`; gives whether the run came to it.
pub fn once(bench: &Bench, scenario: &Scenario, at: usize) -> Done {
    bench.place.put(&scenario.picture);
    let (ended, mut wrong) = bench.disturbed(all, at, Act::Kill);
    wrong.extend(bench.judge_any_moment(&scenario.mails));
    wrong.extend(bench.recover_and_judge(&scenario.mails));
    Done::at(ended.reached, wrong)
}

/// Kills at call `at`, and the run after it at another one: which, is drawn by `salt`, always the same.
pub fn twice(bench: &Bench, scenario: &Scenario, at: usize, salt: usize) -> Done {
    bench.place.put(&scenario.picture);
    let (first, mut wrong) = bench.disturbed(all, at, Act::Kill);
    let mut second = None;
    if first.reached.is_some() {
        let left = bench.place.picture();
        let drawn = at * 7919 + salt * 104_729;
        let (mut again, more) = bench.disturbed(all, 1 + drawn % MOST, Act::Kill);
        wrong.extend(more);
        if again.reached.is_none() {
            // Now it is known how many calls this recovery makes.
            bench.place.put(&left);
            let (once_more, more) = bench.disturbed(all, 1 + drawn % again.calls, Act::Kill);
            wrong.extend(more);
            again = once_more;
        }
        second = again.reached;
        wrong.extend(bench.judge_any_moment(&scenario.mails));
    }
    wrong.extend(bench.recover_and_judge(&scenario.mails));
    Done { more: first.reached.is_some(), met: second.map(|call| call.name()), wrong }
}

/// No recovery makes more calls.
const MOST: usize = 2500;
