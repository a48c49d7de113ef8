//! Faults of the site, made by the wrappers that fail at the Nth call: nothing is lost, nothing is filed twice.

use std::sync::atomic::AtomicBool;

use mailshelf::config::Config;
use mailshelf::pass::{self, Completed, Scope};
use mailshelf_storage::faulty::{Faults, FaultyCatalog, FaultyContents};

use crate::util::{Site, mail, message, sha256};

const MAILS: [&str; 4] = ["one", "two", "three", "four"];

fn site() -> Site {
    let site = Site::open_to_all();
    for id in MAILS {
        site.deliver(&format!("{id}.eml"), mail(id, &["all", "nobody"], id));
    }
    site
}

/// One run in this process, with a catalog and contents that fail as `faults` say.
fn run(site: &Site, faults: &Faults) -> Result<Vec<Completed>, pass::PassError> {
    let config = Config::load(&site.path("mailshelf.toml")).unwrap();
    let mut opened = mailshelf::site::Site::open(config).unwrap();
    opened.catalog = Box::new(FaultyCatalog::new(opened.catalog, faults.clone()));
    opened.contents = Box::new(FaultyContents::new(opened.contents, faults.clone()));
    let mut completed = Vec::new();
    let drop = opened.open_drop()?;
    let stop = AtomicBool::new(false);
    pass::run(&opened, &drop, Scope::Everything, &stop, |one| completed.push(one)).map(|()| completed)
}

fn assert_filed_once(site: &Site) {
    site.run();
    let documents = site.documents("all");
    assert_eq!(documents.len(), 2 * MAILS.len(), "{documents:#?}");
    for id in MAILS {
        for bytes in [id.to_owned(), message(id, id)] {
            let digest = sha256(bytes.as_bytes());
            assert_eq!(documents.iter().filter(|document| document["sha256"] == digest.as_str()).count(), 1);
        }
    }
    assert!(crate::util::entries(&site.path("state/badmail")).is_empty());
    site.assert_sound();
}

/// Lets each call of the storage fail once, one after the other, until a run no longer gets that far.
fn each_call_fails(commit_before_failing: bool) {
    let mut nth = 1;
    loop {
        let site = site();
        let faults = Faults::new();
        faults.commit_before_failing(commit_before_failing);
        faults.fail_at(nth);
        // Whether the run as a whole fails is not the question here: what is left must be whole.
        let _ = run(&site, &faults);
        assert_filed_once(&site);
        if faults.calls() < nth {
            break;
        }
        nth += 1;
    }
    assert!(nth > 50, "only {nth} calls were made to fail");
}

#[test]
fn any_one_call_of_storage_may_fail() {
    each_call_fails(false);
}

#[test]
fn a_commit_may_be_done_and_say_that_it_failed() {
    each_call_fails(true);
}

#[test]
fn storage_may_stop_working_at_any_call() {
    // Every seventh call keeps this short; each of them comes first in some order of events.
    for nth in (1..120).step_by(7) {
        let site = site();
        let faults = Faults::new();
        faults.fail_from(nth);
        let _ = run(&site, &faults);
        assert_filed_once(&site);
    }
}

/// How often a mail that waits is tried hangs on the clock alone, not on how much other mail comes.
#[test]
fn mail_that_waits_is_not_tried_with_every_arrival() {
    let site = site();
    let config = Config::load(&site.path("mailshelf.toml")).unwrap();
    let opened = mailshelf::site::Site::open(config).unwrap();
    let failpoint = "decided:one@example.net=panic@*";
    let fails = site.command(&["run"]).env("MAILSHELF_FAILPOINT", failpoint).output().unwrap();
    assert_eq!(fails.status.code(), Some(1));
    let drop = opened.open_drop().unwrap();
    let pass = |scope| {
        let mut processed = Vec::new();
        let stop = AtomicBool::new(false);
        let done = |completed: Completed| processed.push((completed.event.processed, completed.event.filed));
        pass::run(&opened, &drop, scope, &stop, done).unwrap();
        processed
    };
    assert_eq!(pass(Scope::Arrivals), [(0, 0)]);
    assert_eq!(pass(Scope::Everything), [(1, 1)]);
}

#[test]
fn a_site_that_cannot_store_leaves_the_drop_as_it_is_and_says_so() {
    let site = site();
    let contents = site.path("state/contents");
    // A file where the folder of a content should be made.
    for first in 0..=255 {
        std::fs::write(contents.join(format!("{first:02x}")), "in the way").unwrap();
    }
    let error = site.fails(1, &["run"]);
    assert!(error.contains("cannot "), "{error}");
    assert_eq!(site.documents("all").len(), 0);
    assert_eq!(site.waiting().len() + site.claims().len(), MAILS.len());
    let warned = site.events().iter().filter(|event| event["event_id"] == 6873).count();
    assert!(warned >= 1, "no 6873 was written");
    for first in 0..=255 {
        std::fs::remove_file(contents.join(format!("{first:02x}"))).unwrap();
    }
    assert_filed_once(&site);
}

#[test]
fn a_mail_that_cannot_be_deleted_is_filed_once_and_complained_of_once() {
    if !crate::util::is_root() {
        crate::util::skip("only root can make a file immutable");
        return;
    }
    let site = site();
    site.die("committed=abort");
    let claims: Vec<_> = crate::util::entries(&site.path("drop/.claimed"))
        .iter()
        .flat_map(|node| crate::util::entries(node))
        .collect();
    let claim = claims.iter().find(|path| crate::util::name(path).ends_with("one.eml")).unwrap();
    let chattr = |flag: &str| std::process::Command::new("chattr").arg(flag).arg(claim).status();
    if !chattr("+i").is_ok_and(|status| status.success()) {
        crate::util::skip("this file system has no immutable files");
        return;
    }
    for _ in 0..2 {
        site.fails(1, &["run"]);
    }
    assert_eq!(site.documents("all").len(), 2 * MAILS.len());
    let warned = site.events().iter().filter(|event| event["event_id"] == 6873).count();
    assert_eq!(warned, 1);
    chattr("-i").unwrap();
    assert_filed_once(&site);
}

#[test]
fn an_event_file_that_cannot_be_written_delays_events_and_no_mail() {
    let site = site();
    // A full disk, for this file alone.
    std::os::unix::fs::symlink("/dev/full", site.path("state/events.jsonl")).unwrap();
    site.fails(1, &["run"]);
    std::fs::remove_file(site.path("state/events.jsonl")).unwrap();
    assert_filed_once(&site);
}

#[test]
fn a_fault_that_only_one_mail_shows_is_tried_eight_times_and_then_set_aside() {
    let site = site();
    site.run();
    let node = crate::util::entries(&site.path("drop/.claimed")).remove(0);
    // Nothing that can be read, under a delivery id of its own.
    std::fs::create_dir(node.join(format!("{}~odd.eml", mailshelf_storage::DeliveryId::generate()))).unwrap();
    for attempt in 1..=8 {
        assert!(crate::util::entries(&site.path("state/badmail")).is_empty(), "attempt {attempt}");
        site.deliver("good.eml", mail(&format!("good-{attempt}"), &["all"], &format!("good {attempt}")));
        site.fails(1, &["run"]);
        assert_eq!(site.documents("all").len(), 2 * (MAILS.len() + attempt));
    }
    assert_eq!(crate::util::entries(&site.path("state/badmail")).len(), 1);
    let told = |event_id| site.events().iter().filter(|event| event["event_id"] == event_id).count();
    assert_eq!((told(6873), told(6872)), (1, 1));
    site.assert_sound();
}
