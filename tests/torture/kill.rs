//! kill -9 at each system call, and once more while the next run recovers.

use std::time::Instant;

use crate::bench::Bench;
use crate::mails::Scenario;
use crate::trace::{Act, all};

/// Kills at call `at`; gives whether the run came to it.
pub fn once(bench: &Bench<'_>, sweep: &str, scenario: &Scenario, at: usize) -> bool {
    let begun = Instant::now();
    bench.place.put(&scenario.picture);
    let (ended, mut wrong) = bench.disturbed(all, at, Act::Kill);
    wrong.extend(bench.judge_any_moment(&scenario.mails));
    wrong.extend(bench.recover_and_judge(&scenario.mails));
    bench.record(sweep, at, ended.reached.map(|call| call.name()), wrong, begun);
    ended.reached.is_some()
}

/// Kills at call `at`, and the run after it at another one: which, is drawn by `salt`, always the same.
pub fn twice(bench: &Bench<'_>, sweep: &str, scenario: &Scenario, at: usize, salt: usize) -> bool {
    let begun = Instant::now();
    bench.place.put(&scenario.picture);
    let (ended, mut wrong) = bench.disturbed(all, at, Act::Kill);
    if ended.reached.is_some() {
        // A recovery makes about as many calls as a run from the beginning.
        let second = 1 + ((at * 7919 + salt * 104_729) % 1100);
        wrong.extend(bench.disturbed(all, second, Act::Kill).1);
        wrong.extend(bench.judge_any_moment(&scenario.mails));
    }
    wrong.extend(bench.recover_and_judge(&scenario.mails));
    bench.record(sweep, at, ended.reached.map(|call| call.name()), wrong, begun);
    ended.reached.is_some()
}
