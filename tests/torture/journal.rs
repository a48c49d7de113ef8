//! What was tried and what came of it, a line for each trial: a run that was stopped goes on where it was.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use crate::model::{Kind, Wrong};
use crate::place::PROGRAM;
use crate::seen::sha256;

/// One trial: something was done to a site, and the model judged what was left.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Trial {
    /// Method, scenario and variant.
    pub sweep: String,
    /// The call, or the case, that it was about.
    pub at: usize,
    /// What was met, if the run came to it at all: which call, or which case.
    pub reached: Option<String>,
    pub wrong: Vec<(String, String)>,
    pub seconds: f64,
}

impl Trial {
    pub fn new(sweep: &str, at: usize, reached: Option<&str>, wrong: &[Wrong], seconds: f64) -> Trial {
        let reached = reached.map(str::to_owned);
        let wrong = wrong.iter().map(|one| (format!("{:?}", one.kind), one.what.clone())).collect();
        Trial { sweep: sweep.to_owned(), at, reached, wrong, seconds }
    }
}

pub struct Journal {
    file: Mutex<File>,
    before: BTreeMap<String, BTreeMap<usize, bool>>,
    trials: Mutex<Vec<Trial>>,
}

#[derive(Serialize, Deserialize)]
struct Head {
    /// SHA-256 of the program that is tried.
    program: String,
}

impl Journal {
    /// Goes on with the journal in `file`, unless it is of another program: then it begins anew.
    pub fn open(file: &Path) -> Journal {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        let head = Head { program: sha256(&fs::read(PROGRAM).unwrap()) };
        let text = fs::read_to_string(file).unwrap_or_default();
        let mut lines = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        let same = lines.next().is_some_and(|line| {
            serde_json::from_str::<Head>(line).is_ok_and(|was| was.program == head.program)
        });
        let trials: Vec<Trial> =
            if same { lines.map(|line| serde_json::from_str(line).unwrap()).collect() } else { Vec::new() };
        // Written anew: what was cut off in the middle of a line goes.
        let mut out = File::create(file).unwrap();
        writeln!(out, "{}", serde_json::to_string(&head).unwrap()).unwrap();
        let mut before: BTreeMap<String, BTreeMap<usize, bool>> = BTreeMap::new();
        for trial in &trials {
            writeln!(out, "{}", serde_json::to_string(trial).unwrap()).unwrap();
            before.entry(trial.sweep.clone()).or_default().insert(trial.at, trial.reached.is_some());
        }
        drop(out);
        let out = OpenOptions::new().append(true).open(file).unwrap();
        Journal { file: Mutex::new(out), before, trials: Mutex::new(trials) }
    }

    /// Whether this trial was made already, and if so, whether the run came to that call.
    pub fn made(&self, sweep: &str, at: usize) -> Option<bool> {
        self.before.get(sweep)?.get(&at).copied()
    }

    pub fn add(&self, trial: Trial) {
        for (kind, what) in &trial.wrong {
            let call = trial.reached.as_deref().unwrap_or("its end");
            eprintln!("{} at {} ({call}): {kind}: {what}", trial.sweep, trial.at);
        }
        let line = serde_json::to_string(&trial).unwrap() + "\n";
        self.file.lock().unwrap().write_all(line.as_bytes()).unwrap();
        self.trials.lock().unwrap().push(trial);
    }

    /// The table, and whether nothing was wrong.
    pub fn table(&self) -> (String, bool) {
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
        let mut sound = true;
        for (name, row) in &rows {
            sound &= row.wrong.is_empty();
            text.push_str(&format!("{:34} {:>8}", name.replace('~', "–"), row.reached));
            for kind in KINDS {
                text.push_str(&format!(" {:>9}", row.wrong.get(&format!("{kind:?}")).unwrap_or(&0)));
            }
            text.push_str(&format!(" {:>9.0}\n", row.seconds));
        }
        (text, sound)
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
    reached: usize,
    /// Trials with at least one of each kind.
    wrong: BTreeMap<String, usize>,
    seconds: f64,
}

impl Row {
    fn add(&mut self, trial: &Trial) {
        self.reached += usize::from(trial.reached.is_some());
        self.seconds += trial.seconds;
        for kind in trial.wrong.iter().map(|(kind, _)| kind).collect::<BTreeSet<_>>() {
            *self.wrong.entry(kind.clone()).or_default() += 1;
        }
    }
}
