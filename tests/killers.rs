//! Mail that kills whoever reads it, among much that does not: it costs three children at most, it ends in badmail, and
//! nothing else is held up. And a worker that is killed from outside, whatever it reads: that is no mail's doing.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs;
use std::process::{Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::util::{Limit, Site, entries, mail, sha256};

/// How a mail may kill: as the failpoint has it.
const FLAVOURS: [&str; 3] = ["abort", "overflow", "hog"];

/// A site with so many mails in its drop, called by their numbers.
fn site(mails: usize) -> Site {
    let site = Site::open_to_all();
    for nth in 0..mails {
        site.deliver(&format!("{nth:03}.eml"), text_of(nth));
    }
    site
}

fn text_of(nth: usize) -> String {
    mail(&format!("m{nth}"), &["all"], &format!("text {nth}"))
}

/// Each killer with its flavour, in the words of the failpoints; and every reading of a mail leaves a note.
fn poison(killers: &[(usize, &str)]) -> String {
    let kill = |(nth, flavour): &(usize, &str)| format!(";parsed:m{nth}@example.net={flavour}@*");
    format!("parsed=note@*{}", killers.iter().map(kill).collect::<String>())
}

/// `mailshelf` with such failpoints. A child that reads a mail alone inherits them. What wants all memory finds an end.
fn poisoned(site: &Site, poison: &str, command: &str) -> Command {
    let program = site.command(&[command]);
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -c 0; ulimit -v 8000000; exec \"$0\" \"$@\""]);
    limited.arg(program.get_program()).args(program.get_args());
    limited.env("MAILSHELF_FAILPOINT", poison).env("MAILSHELF_NOTES", site.path("notes"));
    // A child that is confined reaches its mail and no notes.
    limited.env("MAILSHELF_CONFINE", "off");
    limited.stdin(Stdio::null());
    limited
}

/// Runs again after each death, as a timer does; how many died, and the one that did not.
fn run_until_it_survives(site: &Site, poison: &str, most: usize) -> (usize, Output) {
    let mut deaths = 0;
    loop {
        let output = poisoned(site, poison, "run").output().unwrap();
        if output.status.code().is_some() {
            return (deaths, output);
        }
        deaths += 1;
        assert!(deaths <= most, "it died {deaths} times");
    }
}

/// How many processes read each mail.
fn readings(site: &Site) -> HashMap<String, usize> {
    let mut readings = HashMap::new();
    for line in fs::read_to_string(site.path("notes")).unwrap().lines() {
        *readings.entry(line.split_once(' ').unwrap().1.to_owned()).or_insert(0) += 1;
    }
    readings
}

/// All but the killers are filed once, these are in badmail as they came, and each has its one event.
fn assert_only_killers_are_bad(site: &Site, mails: usize, killers: &[usize]) {
    let documents = site.documents("all");
    let filed: Vec<_> = documents.iter().map(|document| document["sha256"].as_str().unwrap()).collect();
    for nth in 0..mails {
        let digest = sha256(format!("text {nth}").as_bytes());
        let times = filed.iter().filter(|other| **other == digest).count();
        assert_eq!(times, usize::from(!killers.contains(&nth)), "mail {nth}");
    }
    let bad: Vec<_> =
        entries(&site.path("state/badmail")).iter().map(|path| fs::read(path).unwrap()).collect();
    assert_eq!(bad.len(), killers.len());
    for nth in killers {
        assert!(bad.contains(&text_of(*nth).into_bytes()), "mail {nth}");
    }
    let critical: Vec<Value> = site.events().into_iter().filter(|event| event["event_id"] == 6872).collect();
    let mut files: Vec<_> = critical.iter().map(|event| event["file"].as_str().unwrap().to_owned()).collect();
    files.sort();
    assert_eq!(files, killers.iter().map(|nth| format!("{nth:03}.eml")).collect::<Vec<_>>());
    for event in &critical {
        assert!(event["error"].as_str().unwrap().contains("killed 3 processes"), "{event}");
    }
    site.assert_sound();
}

#[test]
fn a_killer_in_the_midst_of_five_hundred_costs_three_children() {
    let site = site(500);
    let poison = poison(&[(250, "abort")]);
    let (deaths, output) = run_until_it_survives(&site, &poison, 1);
    assert_eq!((deaths, output.status.code()), (1, Some(1)), "{output:?}");
    assert_only_killers_are_bad(&site, 500, &[250]);
    let readings = readings(&site);
    // By the worker that died of it, and by three children.
    assert_eq!(readings["m250@example.net"], 1 + 3);
    // By that worker, who died before it was on record, by a child if it was in hand then, and by the next worker.
    assert!(readings.values().all(|times| *times <= 4), "{readings:?}");
}

#[test]
fn several_killers_of_all_flavours_in_one_batch_cost_three_children_each() {
    let site = site(60);
    let killers: Vec<_> = [3, 4, 20, 21, 40, 59].into_iter().zip(FLAVOURS.into_iter().cycle()).collect();
    let (deaths, output) = run_until_it_survives(&site, &poison(&killers), killers.len());
    // Two at once, where two workers read.
    assert!((1..=killers.len()).contains(&deaths) && output.status.code() == Some(1), "{deaths} {output:?}");
    let numbers: Vec<_> = killers.iter().map(|(nth, _)| *nth).collect();
    assert_only_killers_are_bad(&site, 60, &numbers);
    let readings = readings(&site);
    for nth in numbers {
        let times = readings[&format!("m{nth}@example.net")];
        assert!((3..=4).contains(&times), "mail {nth} was read {times} times");
    }
}

/// Whoever supervises the service starts it again; as with `run`, that is all it takes.
#[test]
fn killers_that_come_to_the_service_are_found_out() {
    let site = site(30);
    let killers: Vec<_> = [5, 6, 17].into_iter().zip(FLAVOURS).collect();
    let poison = poison(&killers);
    let numbers: Vec<_> = killers.iter().map(|(nth, _)| *nth).collect();
    let mut deaths = 0;
    loop {
        let mut command = poisoned(&site, &poison, "serve");
        let serving = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let (_limit, pid) = (Limit::of(&serving), Pid::from_child(&serving));
        let serving = RefCell::new(serving);
        let is_dead = || serving.borrow_mut().try_wait().unwrap().is_some();
        site.wait_for("its death, or the end of the killers", |site| {
            is_dead()
                || entries(&site.path("state/badmail")).len() == killers.len() && site.claims().is_empty()
        });
        if !is_dead() {
            kill_process(pid, Signal::TERM).unwrap();
            assert_eq!(serving.borrow_mut().wait().unwrap().code(), Some(0));
            break;
        }
        deaths += 1;
        assert!(deaths <= killers.len(), "the service died {deaths} times");
    }
    assert!(deaths > 0);
    assert_only_killers_are_bad(&site, 30, &numbers);
    let readings = readings(&site);
    assert!(numbers.iter().all(|nth| readings[&format!("m{nth}@example.net")] <= 4), "{readings:?}");
}

/// The worker while it reads mail, and in every other round the child that reads a suspect alone.
#[test]
fn a_worker_killed_from_outside_a_hundred_times_sends_nothing_to_badmail() {
    let site = site(0);
    let mut mails = 0;
    for round in 0..100 {
        // A child is only asked of a mail that somebody had in hand, and once no other mail is left.
        let (failpoint, fresh) = match round % 2 {
            0 => (format!("parsed=kill@{}", 1 + round % 5), 6),
            _ => ("begun=note;begun=kill".to_owned(), 0),
        };
        for nth in mails..mails + fresh {
            site.deliver(&format!("{nth:03}.eml"), text_of(nth));
        }
        mails += fresh;
        let output = poisoned(&site, &failpoint, "run").output().unwrap();
        assert_ne!(output.status.code(), Some(0), "round {round}: nobody was killed");
    }
    let children = fs::read_to_string(site.path("notes")).unwrap().lines().count();
    assert_eq!(children, 50, "children that were killed");
    site.run();
    assert_only_killers_are_bad(&site, mails, &[]);
}

/// Deciding what becomes of a mail reads what strangers wrote, too: who dies of that finds its mail in the same way.
#[test]
fn a_mail_that_kills_whoever_decides_is_found_out() {
    let site = site(30);
    let (deaths, output) = run_until_it_survives(&site, "decided:m7@example.net=abort@*", 1);
    assert_eq!((deaths, output.status.code()), (1, Some(1)), "{output:?}");
    assert_only_killers_are_bad(&site, 30, &[7]);
}

/// One that kills the worker alone, and no process that tries to find out, holds up nobody.
#[test]
fn a_mail_that_kills_the_worker_alone_is_taken_last_from_then_on() {
    let site = site(30);
    for run in 0..4 {
        let output = poisoned(&site, "judged:m7@example.net=abort@*", "run").output().unwrap();
        assert_eq!(output.status.code(), None, "run {run}: {output:?}");
        site.deliver(&format!("{:03}.eml", 30 + run), text_of(30 + run));
    }
    // All that came before the last run, but the one; each with its original.
    assert_eq!(site.documents("all").len(), 2 * 32);
    site.run();
    assert_only_killers_are_bad(&site, 34, &[]);
}

/// Nor does it hold up another one that was in hand when a worker died.
#[test]
fn a_mail_that_kills_the_worker_alone_does_not_always_come_first() {
    let site = site(2);
    for _ in 0..2 {
        let both = "judged:m0@example.net=abort@*;judged:m1@example.net=abort@*";
        assert_eq!(poisoned(&site, both, "run").output().unwrap().status.code(), None);
    }
    let files_the_other = |_| {
        assert_eq!(
            poisoned(&site, "judged:m0@example.net=abort@*", "run").output().unwrap().status.code(),
            None
        );
        !site.documents("all").is_empty()
    };
    assert!((0..60).any(files_the_other));
    site.run();
    assert_only_killers_are_bad(&site, 2, &[]);
}
