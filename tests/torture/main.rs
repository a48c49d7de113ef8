//! Torture: a site is disturbed in every way that can be thought of, and a model that knows nothing of the program
//! judges what is left. `cargo test --release --test torture` takes a sample, in minutes;
//! `cargo test --release --test torture -- --full` takes all of it, in hours, and goes on where it was stopped.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    reason = "a test, though it has no harness: what it does not expect ends it"
)]

mod bench;
mod disk;
mod error;
mod journal;
mod kill;
mod mails;
mod model;
mod mounts;
mod place;
mod plan;
mod power;
mod race;
mod seen;
mod sweep;
mod trace;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use clap::Parser;

use bench::Bench;
use journal::{Journal, Trial};
use mails::Scenario;
use mounts::{Form, Mounts};
use place::Place;
use plan::{Able, Job};

#[derive(Parser)]
struct Arguments {
    /// Every call, not a sample of them
    #[arg(long)]
    full: bool,
    /// Only what begins with this text, such as "kill accept"; may be given several times
    #[arg(long)]
    only: Vec<String>,
    /// Only this call of each
    #[arg(long)]
    at: Option<usize>,
    /// How many are tried at a time; two for each processor if left out, as many of them wait for locks
    #[arg(long)]
    jobs: Option<usize>,
    /// What was tried; with the same file and the same program the next run goes on
    #[arg(long)]
    journal: Option<PathBuf>,
}

/// Set where mounts are this process's own.
const INSIDE: &str = "MAILSHELF_TORTURE_INSIDE";
/// Where it is tried, if mounts are this process's own. A short name: whoever follows a path looks at each folder in it, and
/// each look is a call to be disturbed.
const MEMORY: &str = "/mnt";

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let inside = std::env::var_os(INSIDE).is_some();
    if !inside && rustix::process::geteuid().is_root() {
        // Whatever ends this, its mounts go with it.
        let private = |program: &OsStr| {
            let mut unshare = Command::new("unshare");
            unshare.args(["--mount", "--propagation", "private"]).arg(program);
            unshare
        };
        match private(OsStr::new("true")).output() {
            Ok(tried) if tried.status.success() => {
                let own = std::env::current_exe().unwrap();
                let error =
                    private(own.as_os_str()).args(std::env::args_os().skip(1)).env(INSIDE, "1").exec();
                println!("unshare: {error}");
                return ExitCode::FAILURE;
            }
            // A container may not let its root mount anything; then this says itself what is skipped.
            tried => println!("no mounts of its own: {tried:?}"),
        }
    }
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("torture");
    let own = match fs::create_dir_all(&target).and_then(|()| tempfile::tempdir_in(&target)) {
        Ok(own) => own,
        Err(error) => {
            println!("cannot write to {}: {error}", target.display());
            return ExitCode::FAILURE;
        }
    };
    let work = if inside { Path::new(MEMORY) } else { own.path() };
    if inside {
        // What a disk does is tried on disks made for it; all else need not wait for one.
        mounts::command("mount", &["-t", "tmpfs", "torture", MEMORY]);
    }
    let sound = torture(&arguments, inside, &target, work);
    if inside {
        mounts::command("umount", &["--lazy", MEMORY]);
    }
    if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Gives whether nothing was wrong.
fn torture(arguments: &Arguments, inside: bool, target: &Path, work: &Path) -> bool {
    place::take_program(work);
    let scenarios = mails::scenarios(&Place::new(&work.join("made")));
    let mut jobs = plan::plan(&scenarios, &Able::here(inside, work), arguments.full);
    let wanted = |job: &Job| arguments.only.iter().any(|only| job.name.starts_with(only));
    jobs.retain(|job| arguments.only.is_empty() || wanted(job));
    if jobs.is_empty() {
        println!("nothing that can be done here begins with {:?}", arguments.only);
        return false;
    }
    // Only what takes long is worth going on with.
    let goes_on = arguments.full && arguments.at.is_none();
    let own = if goes_on { target.join("full.jsonl") } else { work.join("journal") };
    let journal = Journal::open(arguments.journal.as_deref().unwrap_or(&own));
    let workers =
        arguments.jobs.unwrap_or_else(|| 2 * std::thread::available_parallelism().map_or(1, usize::from));
    let failures = target.join("failed");
    if !goes_on {
        let _ = fs::remove_dir_all(&failures);
    }
    std::thread::scope(|scope| {
        for worker in 0..workers {
            let (jobs, scenarios, journal, failures) = (&jobs, &scenarios, &journal, &failures);
            let work = work.join(worker.to_string());
            let worker = Worker { jobs, scenarios, journal, failures, only: arguments.at };
            scope.spawn(move || worker.work_off(&work));
        }
    });
    println!("{}", journal.table());
    let failed = journal.failed();
    for (job, at) in &failed {
        println!("again: cargo test --release --test torture -- --full --only '{job}' --at {at}");
    }
    // A sweep that met nothing shows nothing.
    let idle: Vec<_> = jobs.iter().filter(|job| !journal.has_met(&job.name)).map(|job| &job.name).collect();
    for name in &idle {
        println!("met nothing: {name}");
    }
    failed.is_empty() && idle.is_empty()
}

struct Worker<'a> {
    jobs: &'a [Job],
    scenarios: &'a [Scenario],
    journal: &'a Journal,
    failures: &'a Path,
    only: Option<usize>,
}

impl Worker<'_> {
    /// Does what is left of the jobs, beside the other workers.
    fn work_off(&self, work: &Path) {
        let place = Place::new(&work.join("site"));
        place.make("delete");
        let here = Bench::new(place, &work.join("scratch"), self.failures);
        let mut made: Option<(Mounts, Bench)> = None;
        for job in self.jobs {
            if let Some(form) = job.form().filter(|_| !job.sweep.is_over())
                && made.as_ref().is_none_or(|(mounts, _)| mounts.form() != form)
            {
                drop(made.take());
                made = Some(self.mounted(work, form));
            }
            let (bench, mounts) = match &made {
                Some((mounts, bench)) if job.form().is_some() => (bench, Some(mounts)),
                _ => (&here, None),
            };
            while let Some(at) = job.sweep.next(self.only) {
                let more = self.journal.made(&job.name, at).unwrap_or_else(|| {
                    let (done, seconds) = job.attempt(bench, mounts, &self.scenarios[job.scenario], at);
                    let more = done.more;
                    self.journal.add(Trial::new(&job.name, at, done, seconds));
                    more
                });
                job.sweep.told(more);
            }
        }
    }

    fn mounted(&self, work: &Path, form: Form) -> (Mounts, Bench) {
        let (mounts, place) = Mounts::make(work, form);
        (mounts, Bench::new(place, &work.join("scratch"), self.failures))
    }
}
