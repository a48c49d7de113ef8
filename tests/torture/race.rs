//! Others at the drop while we read it: writers that are slow, that replace, truncate and unlink; a second worker; a
//! worker that stands still; clocks that are ten years off.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::bench::{Bench, Done, stuck};
use crate::mails::Scenario;
use crate::model::{self, Kind, Mail, Wrong};
use crate::seen::sha256;
use crate::trace::{Act, all};

/// What happens at a call of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Race {
    Replaced,
    Truncated,
    Unlinked,
    /// Another worker does all there is to do meanwhile.
    Stopped,
    /// Another worker does the same at the same time, and one is killed.
    Two,
}

pub const RACES: [(Race, &str); 5] = [
    (Race::Replaced, "replaced"),
    (Race::Truncated, "truncated"),
    (Race::Unlinked, "unlinked"),
    (Race::Stopped, "stopped"),
    (Race::Two, "two-workers"),
];

pub fn at_call(bench: &Bench, scenario: &Scenario, at: usize, race: Race) -> Done {
    bench.place.put(&scenario.picture);
    match race {
        Race::Replaced => replaced(bench, scenario, at),
        Race::Truncated | Race::Unlinked => spoilt(bench, scenario, at, race),
        Race::Stopped => stopped(bench, scenario, at),
        Race::Two => two(bench, scenario, at),
    }
}

/// The first mail of a scenario: where it stands now, in the drop or claimed.
fn stands(bench: &Bench) -> Option<PathBuf> {
    let drop = bench.place.drop();
    let claimed = fs::read_dir(drop.join(".claimed/torture")).into_iter().flatten().flatten();
    let claimed =
        claimed.map(|entry| entry.path()).find(|path| path.to_string_lossy().ends_with("~accepted.eml"));
    let waiting = drop.join("accepted.eml");
    if waiting.exists() { Some(waiting) } else { claimed }
}

/// A writer renames another mail over the name of the first. If that still stood in the drop, it is its writer who
/// took it away.
fn replaced(bench: &Bench, scenario: &Scenario, at: usize) -> Done {
    let waiting = bench.place.drop().join("accepted.eml");
    let unfinished = bench.place.drop().join(".later");
    let mail = fs::read_to_string(&waiting).unwrap().replace("accepted", "later");
    fs::write(&unfinished, &mail).unwrap();
    let later = relabelled(&scenario.mails[0], &mail);
    let mut taken_away = false;
    let mut replace = || {
        taken_away = waiting.exists();
        fs::rename(&unfinished, &waiting).unwrap();
    };
    let (ended, mut wrong) = bench.disturbed(all, at, Act::Meanwhile(&mut replace));
    if ended.reached.is_none() {
        return Done::case(None, wrong);
    }
    let mut mails = vec![later];
    mails.extend(scenario.mails.iter().skip(usize::from(taken_away)).cloned());
    wrong.extend(bench.judge_any_moment(&mails));
    wrong.extend(bench.recover_and_judge(&mails));
    Done::at(ended.reached, wrong)
}

/// The same mail under another Message-ID and subject: `file` is the whole of it.
fn relabelled(mail: &Mail, file: &str) -> Mail {
    let message = file.find("Received:").map(|at| sha256(&file.as_bytes()[at..])).unwrap();
    let mut mail =
        Mail { message_id: "later@example.net".to_owned(), file: sha256(file.as_bytes()), ..mail.clone() };
    for (_, fate) in &mut mail.fates {
        if let model::Fate::Filed { documents, .. } = fate {
            // The original is the last one.
            documents.pop();
            documents.push(message.clone());
        }
    }
    mail
}

/// Somebody cuts the first mail to half, or takes it away: what is on record of it must be true, and all others are
/// filed.
fn spoilt(bench: &Bench, scenario: &Scenario, at: usize, race: Race) -> Done {
    let whole = fs::read(stands(bench).unwrap()).unwrap();
    let message = whole.windows(9).position(|nine| nine == b"Received:").unwrap();
    let originals = [sha256(&whole[message..]), sha256(&whole[message..whole.len() / 2])];
    let (mut others, mut spoilt) = (None, false);
    let mut spoil = || {
        let Some(file) = stands(bench) else { return };
        spoilt = true;
        if race == Race::Unlinked {
            fs::remove_file(file).unwrap();
        } else {
            // Of a file with a lease this waits until it is given back, and so must not be waited for here.
            let size = (whole.len() / 2).to_string();
            others = Command::new("truncate").args(["--no-create", "--size", &size]).arg(file).spawn().ok();
        }
    };
    let (ended, mut wrong) = bench.disturbed(all, at, Act::Meanwhile(&mut spoil));
    if let Some(mut other) = others {
        other.wait().unwrap();
    }
    if ended.reached.is_none() {
        return Done::case(None, wrong);
    }
    wrong.extend(model::in_itself(&bench.look()));
    // Its exit code may well say that a mail is gone.
    bench.place.output(&["run", "--json"]);
    let seen = bench.look();
    wrong.extend(model::in_itself(&seen));
    let others: Vec<_> = scenario.mails.iter().skip(1).cloned().collect();
    let (of_spoilt, rest) = model::split(seen, &scenario.mails[0]);
    wrong.extend(model::when_settled(&others, &rest));
    for version in of_spoilt.versions.iter().filter(|version| version.original) {
        if !originals.contains(&version.content) {
            let what =
                format!("the original {} is neither the whole mail nor what was left", version.content);
            wrong.push(Wrong { kind: Kind::Dangling, what });
        }
    }
    if !spoilt {
        // It was filed and gone already.
        return Done { more: true, met: None, wrong };
    }
    // What was taken away before it was read is no mail of ours; all else has one fate.
    match of_spoilt.deliveries.as_slice() {
        [] if race == Race::Unlinked => {}
        [one] if one.state == "done" => {}
        // Taken away while it waited: an event says that it is gone.
        [one] if race == Race::Unlinked && is_told_gone(bench, &one.id) => {}
        [one] => wrong.push(Wrong { kind: Kind::Untold, what: format!("{one:?}") }),
        [] => wrong.push(Wrong { kind: Kind::Lost, what: "the mail is on no record".to_owned() }),
        more => wrong.push(Wrong { kind: Kind::Doubled, what: format!("{more:?}") }),
    }
    Done::at(ended.reached, wrong)
}

fn is_told_gone(bench: &Bench, delivery: &str) -> bool {
    let events = fs::read_to_string(bench.place.state().join("events.jsonl")).unwrap();
    events.lines().any(|event| event.contains(delivery) && event.contains("\"event_id\":6872"))
}

/// The configuration of another worker on the same site.
fn other(bench: &Bench) -> PathBuf {
    let config = bench.place.config();
    let text = fs::read_to_string(&config).unwrap().replace("node = \"torture\"", "node = \"other\"");
    let other = config.with_file_name("other.toml");
    fs::write(&other, text).unwrap();
    other
}

/// Everything stands still at a call, while another worker and one of the same name do what they can.
fn stopped(bench: &Bench, scenario: &Scenario, at: usize) -> Done {
    let other = other(bench);
    let mut meanwhile = || {
        for config in [bench.place.config(), other.clone()] {
            let ran = bench.place.output_as(&config, &["run"]);
            // What it could not do, the others will have done; but it waits for nobody for ever.
            assert!(!matches!(ran.status.code(), None | Some(124)), "it did not end by itself: {ran:?}");
        }
    };
    let (ended, mut wrong) = bench.disturbed(all, at, Act::Meanwhile(&mut meanwhile));
    wrong.extend(bench.judge_any_moment(&scenario.mails));
    wrong.extend(bench.recover_and_judge(&scenario.mails));
    Done::at(ended.reached, wrong)
}

/// Two workers at a time, one of which is killed.
fn two(bench: &Bench, scenario: &Scenario, at: usize) -> Done {
    let config = other(bench).display().to_string();
    let mut beside = Command::new(crate::place::program())
        .args(["--config", &config, "run"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let (ended, mut wrong) = bench.disturbed(all, at, Act::Kill);
    if beside.wait().unwrap().code().is_none() {
        wrong.push(stuck("the worker beside it died"));
    }
    wrong.extend(bench.judge_any_moment(&scenario.mails));
    wrong.extend(bench.recover_and_judge(&scenario.mails));
    Done::at(ended.reached, wrong)
}

/// A writer that has the file open and appends `at` pieces, with a run between each two. Gives whether that is a
/// number of pieces worth trying.
pub fn appended(bench: &Bench, scenario: &Scenario, at: usize) -> Done {
    bench.place.put(&scenario.picture);
    let file = stands(bench).unwrap();
    let whole = fs::read(&file).unwrap();
    if at > whole.len().min(40) {
        return Done::case(None, Vec::new());
    }
    File::create(&file).unwrap();
    let mut wrong = Vec::new();
    let mut writer = OpenOptions::new().append(true).open(&file).unwrap();
    for piece in whole.chunks(whole.len().div_ceil(at)) {
        writer.write_all(piece).unwrap();
        wrong.extend(bench.run().1);
        let seen = bench.look();
        let early =
            seen.deliveries.iter().any(|one| one.message_id.as_deref() == Some("accepted@example.net"));
        if early {
            wrong.push(Wrong { kind: Kind::Misfiled, what: "read while it was being written".to_owned() });
        }
    }
    drop(writer);
    wrong.extend(bench.judge_any_moment(&scenario.mails));
    wrong.extend(bench.recover_and_judge(&scenario.mails));
    Done::case(Some("appended"), wrong)
}

/// How far the clock is off in the run that is killed, and in the one after it; the last one has the right time.
pub const CLOCKS: [(&str, &str); 4] =
    [("+3650d", "+0d"), ("-3650d", "+0d"), ("+3650d", "-3650d"), ("-3650d", "+3650d")];

/// The library that tells another time.
pub const FAKE_TIME: [&str; 2] =
    ["/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1", "/usr/lib64/faketime/libfaketimeMT.so.1"];

/// Kills at call `at` with the clock off, and lets the next run have another one.
pub fn clock(bench: &Bench, scenario: &Scenario, at: usize, clocks: (&str, &str)) -> Done {
    bench.place.put(&scenario.picture);
    let library = FAKE_TIME.iter().find(|library| fs::exists(library).unwrap_or(false)).unwrap();
    let preload = format!("LD_PRELOAD={library}");
    let time = |offset: &str| format!("FAKETIME={offset}");
    let (first, second) = (time(clocks.0), time(clocks.1));
    // The library works with shared memory, which is out of reach of a process that is confined.
    let below = |time| ["env", "MAILSHELF_CONFINE=off", &preload, time];
    let (ended, mut wrong) = bench.disturbed_below(&below(&first), all, at, Act::Kill);
    wrong.extend(bench.judge_any_moment(&scenario.mails));
    let (again, stuck) = bench.disturbed_below(&below(&second), all, usize::MAX, Act::Kill);
    wrong.extend(stuck);
    if again.code != Some(0) {
        wrong.push(crate::bench::stuck(format!("the run at {} ended with {:?}", clocks.1, again.code)));
    }
    wrong.extend(bench.recover_and_judge(&scenario.mails));
    Done::at(ended.reached, wrong)
}
