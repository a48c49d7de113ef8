//! All that is done, in the order in which it is done.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use nix::errno::Errno;

use crate::bench::{Bench, Done, stuck};
use crate::disk::{self, Scarce};
use crate::mails::Scenario;
use crate::mounts::{self, Form, Mounts};
use crate::race::{self, Race};
use crate::sweep::{Stride, Sweep};
use crate::{error, kill, power};

/// What is done to a site.
#[derive(Clone, Copy)]
enum Method {
    Kill,
    KillAgain(usize),
    Fail(Errno, bool),
    Cut { form: Form, flushed: bool },
    Full { part: usize, of: Scarce },
    Judge { kind: &'static str },
    Thin,
    ReadOnly,
    Undeletable,
    Damaged,
    Race(Race),
    Appended,
    Clock(&'static str, &'static str),
}

/// One thing done at each call, or in each case, of a scenario.
pub struct Job {
    pub name: String,
    pub scenario: usize,
    pub sweep: Sweep,
    method: Method,
}

impl Job {
    /// The file systems that it needs.
    pub fn form(&self) -> Option<Form> {
        match self.method {
            Method::Cut { form, .. } => Some(form),
            Method::Judge { kind } => Some(Form::Loop { kind, count: 1 }),
            Method::ReadOnly => Some(Form::Loop { kind: "ext4", count: 1 }),
            Method::Thin => Some(Form::Thin),
            Method::Full { .. } => Some(Form::Memory),
            _ => None,
        }
    }

    /// One trial; gives how it went, and how long that took.
    pub fn attempt(
        &self,
        bench: &Bench,
        mounts: Option<&Mounts>,
        scenario: &Scenario,
        at: usize,
    ) -> (Done, f64) {
        let begun = Instant::now();
        let tried = catch_unwind(AssertUnwindSafe(|| self.try_at(bench, mounts, scenario, at)));
        let done = tried.unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let what = text.or_else(|| panic.downcast_ref().copied()).unwrap_or("it panicked");
            // As if beyond the end: a bench that is broken is not tried for ever.
            Done { met: Some("panic"), more: false, wrong: vec![stuck(what)] }
        });
        if !done.wrong.is_empty() {
            bench.keep(&format!("{} {at}", self.name));
        }
        (done, begun.elapsed().as_secs_f64())
    }

    fn try_at(&self, bench: &Bench, mounts: Option<&Mounts>, scenario: &Scenario, at: usize) -> Done {
        match (self.method, mounts) {
            (Method::Cut { flushed, .. }, Some(mounts)) => power::cut(bench, mounts, scenario, at, flushed),
            (Method::Judge { .. }, Some(mounts)) => power::judge(bench, mounts, scenario, at),
            (Method::Full { part, of }, Some(mounts)) => disk::full(bench, mounts, scenario, at, part, of),
            (Method::Thin, Some(mounts)) => disk::thin(bench, mounts, scenario, at),
            (Method::ReadOnly, Some(mounts)) => disk::read_only(bench, mounts, scenario, at),
            (Method::Fail(error, for_ever), _) => error::at_call(bench, scenario, at, error, for_ever),
            (Method::KillAgain(salt), _) => kill::twice(bench, scenario, at, salt),
            (Method::Undeletable, _) => disk::undeletable(bench, scenario, at),
            (Method::Damaged, _) => disk::damaged(bench, scenario, at),
            (Method::Race(race), _) => race::at_call(bench, scenario, at, race),
            (Method::Appended, _) => race::appended(bench, scenario, at),
            (Method::Clock(first, second), _) => race::clock(bench, scenario, at, (first, second)),
            _ => kill::once(bench, scenario, at),
        }
    }
}

/// What this machine can do; the rest is said to be skipped, and why.
pub struct Able {
    mounts: bool,
    loops: bool,
    immutable: bool,
    clocks: bool,
}

impl Able {
    /// `inside`: this process may mount what it wants.
    pub fn here(inside: bool, work: &Path) -> Able {
        let skipped = |what: &str, why: &str| {
            println!("skipped: {what}: {why}");
            false
        };
        let may_mount = inside || skipped("power cuts and disks", "only root may mount");
        let missing = ["mkfs.ext4", "mkfs.xfs", "fsck.ext4", "xfs_io", "findmnt"]
            .into_iter()
            .find(|tool| Command::new(tool).arg("-V").output().is_err());
        let loops = match missing {
            _ if !may_mount => false,
            Some(tool) => skipped("power cuts and disks", &format!("there is no {tool}")),
            None => match mounts::loops(work) {
                Ok(()) => true,
                Err(why) => skipped("power cuts and disks", &why),
            },
        };
        let immutable = disk::can_be_immutable(work)
            || skipped("drops that nothing can be deleted from", "chattr makes no folder immutable here");
        let clocks = race::FAKE_TIME.iter().any(|library| Path::new(library).exists())
            || skipped("clocks that are off", "there is no libfaketime");
        Able { mounts: may_mount, loops, immutable, clocks }
    }
}

struct Plan<'a> {
    scenarios: &'a [Scenario],
    full: bool,
    jobs: Vec<Job>,
}

/// Each call of each of these is cut off; `mixed` holds what `accept`, `reject` and `two-recipients` do one by one.
const CUT: [&str; 8] = [
    "mixed",
    "reject-kept",
    "duplicate",
    "large",
    "maildir",
    "recovery-stored",
    "recovery-committed",
    "recovery-disposed",
];
/// Each call of each of these fails in eighteen ways, those of one before those of the next.
const FAILING: [&str; 8] = [
    "mixed",
    "large",
    "recovery-suspect",
    "reject-kept",
    "maildir",
    "duplicate",
    "tnef",
    "recovery-committed",
];

/// All jobs. Without `full` each takes a sample of its calls.
pub fn plan(scenarios: &[Scenario], able: &Able, full: bool) -> Vec<Job> {
    let mut plan = Plan { scenarios, full, jobs: Vec::new() };
    let all: Vec<_> = scenarios.iter().map(|scenario| scenario.name).collect();
    plan.add("kill", &all, "", 37, Method::Kill);
    for salt in 1..=if full { 2 } else { 1 } {
        plan.add("kill-again", &all, &salt.to_string(), 97, Method::KillAgain(salt));
    }
    plan.disks(able);
    for (race, name) in race::RACES {
        plan.add("race", &["mixed"], name, 41, Method::Race(race));
    }
    plan.add("race", &["mixed"], "appended", 11, Method::Appended);
    if able.clocks {
        for (first, second) in race::CLOCKS {
            plan.add(
                "race",
                &["mixed"],
                &format!("clock {first} {second}"),
                97,
                Method::Clock(first, second),
            );
        }
    }
    for scenario in FAILING {
        for error in error::ERRORS {
            for (for_ever, how) in [(false, "once"), (true, "for-ever")] {
                let variant = format!("{error:?} {how}");
                plan.add("error", &[scenario], &variant, 331, Method::Fail(error, for_ever));
            }
        }
    }
    plan.jobs
}

impl Plan<'_> {
    fn disks(&mut self, able: &Able) {
        let two = ["mixed", "large"];
        if able.loops {
            for kind in power::KINDS {
                self.add("judge", &["mixed"], kind, 1, Method::Judge { kind });
                for count in [1, 3] {
                    for (flushed, how) in [(false, "log-gone"), (true, "log-flushed")] {
                        let variant = format!("{kind} {count} {how}");
                        let form = Form::Loop { kind, count };
                        self.add("power", &CUT, &variant, 61, Method::Cut { form, flushed });
                    }
                }
            }
            self.add("disk", &two, "read-only", 37, Method::ReadOnly);
            self.add("disk", &two, "thin", 17, Method::Thin);
        }
        if able.mounts {
            for (part, name) in ["drop", "contents", "state"].into_iter().enumerate() {
                for (of, what) in [(Scarce::Blocks, "full"), (Scarce::Inodes, "no-inodes")] {
                    let sample = if of == Scarce::Blocks { 31 } else { 3 };
                    self.add("disk", &two, &format!("{what} {name}"), sample, Method::Full { part, of });
                }
            }
        }
        if able.immutable {
            self.add("disk", &["mixed", "maildir"], "undeletable", 29, Method::Undeletable);
        }
        self.add("disk", &two, "damaged", 5, Method::Damaged);
    }

    /// Adds a job for each of these scenarios; of a sample it takes every `sample`th call.
    fn add(&mut self, what: &str, names: &[&str], variant: &str, sample: usize, method: Method) {
        for (scenario, Scenario { name, .. }) in self.scenarios.iter().enumerate() {
            if !names.contains(name) {
                continue;
            }
            let name = format!("{what} {name} {variant}").trim_end().to_owned();
            // Samples of different jobs are taken at different calls; the fullest disk is the hardest.
            let hash = name.bytes().fold(7usize, |sum, byte| sum * 31 % 65_521 + usize::from(byte));
            let is_full = matches!(method, Method::Full { .. } | Method::Thin);
            let first = if is_full { 1 } else { 1 + hash % sample };
            let stride =
                if self.full { Stride { first: 1, every: 1 } } else { Stride { first, every: sample } };
            self.jobs.push(Job { name, scenario, sweep: Sweep::new(stride), method });
        }
    }
}
