//! What was tried and what came of it, a line for each trial: a run that was stopped goes on where it was.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use crate::bench::Done;
use crate::model::Kind;
use crate::place::program;
use crate::seen::sha256;

/// One trial: something was done to a site, and the model judged what was left.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Trial {
    /// Method, scenario and variant.
    pub sweep: String,
    /// The call, or the case, that it was about.
    pub at: usize,
    /// What was met, if the run came to it at all: which call, or which case.
    pub met: Option<String>,
    /// Whether there may be more beyond it.
    pub more: bool,
    pub wrong: Vec<(String, String)>,
    pub seconds: f64,
}

impl Trial {
    pub fn new(sweep: &str, at: usize, done: Done, seconds: f64) -> Trial {
        let mut wrong: Vec<_> =
            done.wrong.into_iter().map(|one| (format!("{:?}", one.kind), one.what)).collect();
        wrong.dedup();
        let met = done.met.map(str::to_owned);
        Trial { sweep: sweep.to_owned(), at, met, more: done.more, wrong, seconds }
    }
}

pub struct Journal {
    file: Mutex<File>,
    before: BTreeMap<String, BTreeMap<usize, bool>>,
    trials: Mutex<Vec<Trial>>,
}

#[derive(Serialize, Deserialize, PartialEq)]
struct Head {
    /// SHA-256 of the program that is tried, and of this one.
    program: String,
    judge: String,
}

impl Journal {
    /// Goes on with the journal in `file`. One of another program, or of another judge, is laid aside.
    pub fn open(file: &Path) -> Journal {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        let digest = |path: &Path| sha256(&fs::read(path).unwrap());
        let judge = digest(&std::env::current_exe().unwrap());
        let head = Head { program: digest(Path::new(program())), judge };
        let text = fs::read_to_string(file).unwrap_or_default();
        let mut lines = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        let was = lines.next().map(|line| serde_json::from_str::<Head>(line).ok());
        let trials: Vec<Trial> = match was {
            None => Vec::new(),
            // A line that was cut off is tried again.
            Some(was) if was.as_ref() == Some(&head) => {
                lines.filter_map(|line| serde_json::from_str(line).ok()).collect()
            }
            Some(_) => {
                let aside = file.with_extension("old");
                println!("{} is of another program: now {}", file.display(), aside.display());
                fs::rename(file, aside).unwrap();
                Vec::new()
            }
        };
        let fresh = file.with_extension("new");
        let mut out = File::create(&fresh).unwrap();
        writeln!(out, "{}", serde_json::to_string(&head).unwrap()).unwrap();
        let mut before: BTreeMap<String, BTreeMap<usize, bool>> = BTreeMap::new();
        for trial in &trials {
            writeln!(out, "{}", serde_json::to_string(trial).unwrap()).unwrap();
            before.entry(trial.sweep.clone()).or_default().insert(trial.at, trial.more);
        }
        fs::rename(&fresh, file).unwrap();
        Journal { file: Mutex::new(out), before, trials: Mutex::new(trials) }
    }

    /// Whether this trial was made already, and if so, whether there may be more beyond it.
    pub fn made(&self, sweep: &str, at: usize) -> Option<bool> {
        self.before.get(sweep)?.get(&at).copied()
    }

    /// Whether any trial of a sweep met what it was about.
    pub fn has_met(&self, sweep: &str) -> bool {
        self.trials.lock().unwrap().iter().any(|trial| trial.sweep == sweep && trial.met.is_some())
    }

    pub fn add(&self, trial: Trial) {
        for (kind, what) in &trial.wrong {
            let call = trial.met.as_deref().unwrap_or("its end");
            eprintln!("{} at {} ({call}): {kind}: {what}", trial.sweep, trial.at);
        }
        let line = serde_json::to_string(&trial).unwrap() + "\n";
        self.file.lock().unwrap().write_all(line.as_bytes()).unwrap();
        self.trials.lock().unwrap().push(trial);
    }

    /// How many trials met what they were about, and in how many of them what was wrong.
    pub fn table(&self) -> String {
        let trials = self.trials.lock().unwrap();
        let mut rows: BTreeMap<String, Row> = BTreeMap::new();
        for trial in trials.iter() {
            for name in rows_of(&trial.sweep) {
                rows.entry(name).or_default().add(trial);
            }
        }
        let mut text = format!("{:34} {:>8}", "what", "trials");
        for kind in KINDS {
            text.push_str(&format!(" {:>9}", format!("{kind:?}").to_lowercase()));
        }
        text.push_str(&format!(" {:>9}\n", "seconds"));
        for (name, row) in &rows {
            text.push_str(&format!("{:34} {:>8}", name.replace('~', "–"), row.met));
            for kind in KINDS {
                text.push_str(&format!(" {:>9}", row.wrong.get(&format!("{kind:?}")).unwrap_or(&0)));
            }
            text.push_str(&format!(" {:>9.0}\n", row.seconds));
        }
        text
    }

    /// The sweeps and calls at which something was wrong.
    pub fn failed(&self) -> BTreeSet<(String, usize)> {
        let trials = self.trials.lock().unwrap();
        trials.iter().filter(|trial| !trial.wrong.is_empty()).map(|one| (one.sweep.clone(), one.at)).collect()
    }
}

/// The rows that a trial is counted in: of errors and power cuts one for each scenario, of disks and races one for each
/// thing done; and one for all of its method.
fn rows_of(sweep: &str) -> [String; 2] {
    let words: Vec<_> = sweep.split(' ').collect();
    let own = match words.as_slice() {
        [method @ ("disk" | "race"), _, variant @ ..] => format!("{method} {}", variant.join(" ")),
        [method, scenario, ..] => format!("{method} {scenario}"),
        _ => sweep.to_owned(),
    };
    [own, format!("{} ~ all", words[0])]
}

const KINDS: [Kind; 7] =
    [Kind::Lost, Kind::Doubled, Kind::Dangling, Kind::Misfiled, Kind::Untold, Kind::Left, Kind::Stuck];

#[derive(Default)]
struct Row {
    met: usize,
    /// Trials with at least one of each kind.
    wrong: BTreeMap<String, usize>,
    seconds: f64,
}

impl Row {
    fn add(&mut self, trial: &Trial) {
        self.met += usize::from(trial.met.is_some());
        self.seconds += trial.seconds;
        for kind in trial.wrong.iter().map(|(kind, _)| kind).collect::<BTreeSet<_>>() {
            *self.wrong.entry(kind.clone()).or_default() += 1;
        }
    }
}
