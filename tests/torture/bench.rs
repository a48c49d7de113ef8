//! A bench to try one thing after another on: a place, what stands there at first, and what is wrong at the end.

use std::fs;
use std::path::{Path, PathBuf};

use crate::model::{self, Kind, Mail, Seen, Wrong};
use crate::place::Place;
use crate::seen;
use crate::trace::{self, Act, Counts, Ended};
use syscalls::Sysno;

/// A worker's own folders.
pub struct Bench {
    pub place: Place,
    scratch: PathBuf,
    failures: PathBuf,
}

impl Bench {
    /// `scratch` is a folder of this worker; what fails is kept in `failures`.
    pub fn new(place: Place, scratch: &Path, failures: &Path) -> Bench {
        fs::create_dir_all(scratch).unwrap();
        Bench { place, scratch: scratch.to_path_buf(), failures: failures.to_path_buf() }
    }

    /// What the last run printed.
    pub fn printed(&self) -> PathBuf {
        self.scratch.join("printed")
    }

    /// Runs the program once, disturbed.
    pub fn disturbed(&self, counts: Counts, at: usize, act: Act<'_>) -> (Ended, Vec<Wrong>) {
        self.disturbed_below(&[], counts, at, act)
    }

    /// The same, started by another program.
    pub fn disturbed_below(
        &self,
        by: &[&str],
        counts: Counts,
        at: usize,
        act: Act<'_>,
    ) -> (Ended, Vec<Wrong>) {
        let command = self.place.command(&["run", "--json"]);
        let command: Vec<_> = by.iter().copied().chain(command.iter().map(String::as_str)).collect();
        let ended = trace::run(&command, &self.printed(), counts, at, act);
        let hung = ended.hung.as_ref().map(|stood| stuck(format!("the disturbed run did not end: {stood}")));
        (ended, hung.into_iter().collect())
    }

    /// Runs the program once, and looks only whether it ends; gives its exit code.
    pub fn run(&self) -> (Option<i32>, Vec<Wrong>) {
        let (ended, wrong) = self.disturbed(trace::all, usize::MAX, Act::Kill);
        (ended.code, wrong)
    }

    pub fn judge_any_moment(&self, mails: &[Mail]) -> Vec<Wrong> {
        model::at_any_moment(mails, &self.look())
    }

    pub fn look(&self) -> Seen {
        let copy = self.scratch.join("copy");
        let _ = fs::remove_dir_all(&copy);
        fs::create_dir(&copy).unwrap();
        seen::look(&self.place, &copy)
    }

    /// Runs the program undisturbed, and judges what is there then, by the model and by the program's own `verify`.
    pub fn recover_and_judge(&self, mails: &[Mail]) -> Vec<Wrong> {
        let mut wrong = Vec::new();
        let run = self.place.output(&["run", "--json"]);
        if !run.status.success() {
            let said = String::from_utf8_lossy(&run.stderr).into_owned();
            wrong.push(stuck(format!("the next run ended with {}: {said}", run.status)));
        }
        wrong.extend(model::when_settled(mails, &self.look()));
        let verify = self.place.output(&["verify", "--json"]);
        if !verify.status.success() {
            wrong.push(Wrong {
                kind: Kind::Dangling,
                what: String::from_utf8_lossy(&verify.stdout).into_owned(),
            });
        }
        wrong
    }

    /// Keeps the site of a trial that failed.
    pub fn keep(&self, name: &str) {
        let kept = fs::read_dir(&self.failures).map_or(0, Iterator::count);
        let folder = self.failures.join(name.replace('/', "-"));
        if kept >= ENOUGH && !folder.exists() {
            return;
        }
        let _ = fs::remove_dir_all(&folder);
        let kept = Place::new(&folder);
        kept.make("delete");
        kept.put(&self.place.picture());
        let _ = fs::copy(self.printed(), folder.join("printed"));
    }
}

/// So many sites of trials that failed are kept: a disk is soon full of them.
const ENOUGH: usize = 50;

/// How a trial went.
pub struct Done {
    /// Which call, or which case, was met, if any.
    pub met: Option<&'static str>,
    /// Whether there may be more of them.
    pub more: bool,
    pub wrong: Vec<Wrong>,
}

impl Done {
    /// At a call of a run.
    pub fn at(call: Option<Sysno>, wrong: Vec<Wrong>) -> Done {
        Done::case(call.map(|call| call.name()), wrong)
    }

    /// One of several cases.
    pub fn case(met: Option<&'static str>, wrong: Vec<Wrong>) -> Done {
        Done { met, more: met.is_some(), wrong }
    }
}

pub fn stuck(what: impl Into<String>) -> Wrong {
    Wrong { kind: Kind::Stuck, what: what.into() }
}
