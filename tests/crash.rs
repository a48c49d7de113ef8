//! The crash table: each row stops there, and the next run goes on.

use crate::util::{Site, entries, mail, message, sha256};

const MAILS: [&str; 3] = ["one", "two", "three"];

fn site() -> Site {
    let site = Site::open_to_all();
    for id in MAILS {
        site.deliver(&format!("{id}.eml"), mail(id, &["all", "nobody"], id));
    }
    site
}

/// Every mail was filed once: its attachment and its original, byte for byte, whatever happened before.
fn assert_filed_once(site: &Site) {
    let documents = site.documents("all");
    assert_eq!(documents.len(), 2 * MAILS.len(), "{documents:#?}");
    for id in MAILS {
        for bytes in [id.to_owned(), message(id, id)] {
            let digest = sha256(bytes.as_bytes());
            let filed = documents.iter().filter(|document| document["sha256"] == digest.as_str());
            assert_eq!(filed.count(), 1, "{id}");
        }
    }
    site.assert_sound();
}

/// The 6871 events, with what they say of each recipient taken together: every mail is told of exactly once.
fn assert_told_once(site: &Site) {
    let mut told: Vec<String> = Vec::new();
    for event in site.events().iter().filter(|event| event["event_id"] == 6871) {
        for mail in event["mails"].as_array().unwrap() {
            assert_eq!(mail["recipients"][0]["outcome"], "filed");
            assert_eq!(mail["recipients"][1]["reason"], "unknown-alias");
            told.push(mail["message_id"].as_str().unwrap().to_owned());
        }
    }
    told.sort();
    assert_eq!(told, ["<one@example.net>", "<three@example.net>", "<two@example.net>"]);
}

fn dies_and_goes_on(failpoint: &str) -> Site {
    let site = site();
    site.die(failpoint);
    site.run();
    assert_filed_once(&site);
    assert_told_once(&site);
    site
}

#[test]
fn after_the_first_claim() {
    let site = dies_and_goes_on("claimed=abort");
    let events = site.events();
    assert_eq!(events.len(), 2);
    assert_eq!((&events[0]["interrupted"], &events[0]["processed"]), (&true.into(), &0.into()));
    assert_eq!(events[1]["filed"], 3);
}

#[test]
fn after_the_last_claim() {
    dies_and_goes_on("claimed=abort@3");
}

#[test]
fn after_a_claim_the_delivery_id_stays() {
    let site = site();
    site.die("claimed=abort@3");
    let mut claimed: Vec<_> = site.claims().iter().map(|name| name[..26].to_owned()).collect();
    let event = site.run().remove(0);
    let mut recorded: Vec<_> = event["mails"]
        .as_array()
        .unwrap()
        .iter()
        .map(|mail| mail["mail"].as_str().unwrap().to_owned())
        .collect();
    claimed.sort();
    recorded.sort();
    assert_eq!(claimed, recorded);
}

#[test]
fn after_contents_were_written_and_have_no_name() {
    dies_and_goes_on("contents-written=abort");
}

#[test]
fn after_contents_were_published() {
    let site = site();
    site.die("contents-published=abort");
    // Nothing refers to them yet: that is all a crash may leave, and it is found.
    assert_eq!(site.documents("all").len(), 0);
    let report: serde_json::Value =
        serde_json::from_slice(&site.output(&["verify", "--json"]).stdout).unwrap();
    assert_eq!(report["orphans"].as_array().unwrap().len(), 6);
    assert_eq!(report["missing"].as_array().unwrap().len(), 0);
    site.run();
    assert_filed_once(&site);
}

/// Contents of a run that died before its commit are stored again, over those that are there: from a temporary name.
#[test]
fn while_contents_are_replaced() {
    let site = site();
    site.die("stored=abort");
    site.die("replacing=abort");
    let tmp = site.path("state/contents/tmp");
    assert_eq!(entries(&tmp).len(), 1);
    site.run();
    assert!(entries(&tmp).is_empty());
    assert_filed_once(&site);
}

#[test]
fn after_contents_were_stored() {
    dies_and_goes_on("stored=abort");
}

#[test]
fn after_commit() {
    let site = dies_and_goes_on("committed=abort");
    let events = site.events();
    // The pass that was cut off told of everything it had committed; the one after it had nothing left to tell.
    assert_eq!((&events[0]["interrupted"], &events[0]["processed"]), (&true.into(), &3.into()));
    assert_eq!(events[1]["processed"], 0);
}

#[test]
fn after_commit_every_claim_is_still_there() {
    let site = site();
    site.die("committed=abort");
    assert_eq!(site.claims().len(), 3);
    assert_eq!(site.documents("all").len(), 6);
}

#[test]
fn after_the_first_disposal() {
    dies_and_goes_on("disposed=abort");
}

#[test]
fn after_the_last_disposal() {
    let site = site();
    site.die("disposed=abort@3");
    assert_eq!(site.claims().len(), 0);
    assert_eq!(site.events().len(), 0);
    site.run();
    assert_filed_once(&site);
    assert_told_once(&site);
    assert_eq!(site.events()[0]["interrupted"], true);
}

#[test]
fn after_the_event_was_recorded_and_before_it_was_published() {
    let site = site();
    site.die("concluded=abort");
    assert_eq!(site.events().len(), 0);
    site.run();
    assert_filed_once(&site);
    assert_told_once(&site);
    assert_eq!(site.events()[0].get("interrupted"), None);
}

#[test]
fn again_while_going_on() {
    let site = site();
    for failpoint in
        ["claimed=abort@2", "stored=abort", "committed=abort", "disposed=abort", "concluded=abort"]
    {
        site.die(failpoint);
    }
    site.run();
    assert_filed_once(&site);
    assert_told_once(&site);
}

#[test]
fn kept_mail_is_kept_once_whatever_happens() {
    for failpoint in ["committed=abort", "disposed=abort", "concluded=abort"] {
        let site = Site::open_to_all();
        site.deliver("lost.eml", "Received: x\r\nSubject: no envelope\r\n\r\nbody\r\n");
        site.die(failpoint);
        site.run();
        let kept = crate::util::entries(&site.path("state/kept"));
        assert_eq!(kept.len(), 1, "{failpoint}");
        assert!(std::fs::read_to_string(&kept[0]).unwrap().ends_with("body\r\n"));
        site.assert_sound();
    }
}

#[test]
fn a_mail_that_kills_its_reader_goes_to_badmail_and_holds_up_nobody() {
    let site = site();
    let poison = "parsed:two@example.net=abort";
    site.die(poison);
    // The next run finds the suspect, reads it alone in children that die too, and files the rest.
    let output = site.command(&["run", "--json"]).env("MAILSHELF_FAILPOINT", poison).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(site.documents("all").len(), 4);
    let bad = crate::util::entries(&site.path("state/badmail"));
    assert_eq!(bad.len(), 1);
    assert_eq!(std::fs::read_to_string(&bad[0]).unwrap(), mail("two", &["all", "nobody"], "two"));
    let events = site.events();
    let critical: Vec<_> = events.iter().filter(|event| event["event_id"] == 6872).collect();
    assert_eq!(critical.len(), 1);
    assert_eq!((&critical[0]["level"], &critical[0]["file"]), (&"critical".into(), &"two.eml".into()));
    assert!(critical[0]["error"].as_str().unwrap().contains("killed 3 processes"), "{critical:?}");
    site.assert_sound();
}

#[test]
fn a_panic_over_a_mail_is_our_fault_and_the_mail_is_kept() {
    let site = site();
    let panics = "parsed:two@example.net=panic";
    let output = site.command(&["run", "--json"]).env("MAILSHELF_FAILPOINT", panics).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(site.documents("all").len(), 4);
    assert_eq!(crate::util::entries(&site.path("state/badmail")).len(), 1);
    assert_eq!(site.events().iter().filter(|event| event["event_id"] == 6872).count(), 1);
    site.assert_sound();
}

#[test]
fn a_worker_killed_from_outside_blames_nobody() {
    let site = site();
    // Dies with each mail in hand, in the worker and then in the child that reads it alone.
    for _ in 0..6 {
        let output = site.command(&["run"]).env("MAILSHELF_FAILPOINT", "parsed=kill").output().unwrap();
        assert!(!output.status.success(), "{output:?}");
    }
    site.run();
    assert_filed_once(&site);
    assert_eq!(crate::util::entries(&site.path("state/badmail")).len(), 0);
}

#[test]
fn the_pass_of_a_node_that_never_comes_back_is_told_by_the_one_that_adopts_its_mail() {
    for failpoint in ["claimed=abort@3", "stored=abort", "committed=abort", "disposed=abort@3"] {
        let site = site();
        site.configure("node = \"\"", "node = \"gone\"");
        site.die(failpoint);
        site.configure("node = \"gone\"", "node = \"other\"");
        site.run();
        assert_filed_once(&site);
        assert_told_once(&site);
        let first = &site.events()[0];
        assert_eq!((&first["node"], &first["interrupted"]), (&"gone".into(), &true.into()), "{failpoint}");
        assert!(!site.path("drop/.claimed/gone").exists());
    }
}

#[test]
fn mail_with_a_content_that_was_about_to_be_removed_is_filed() {
    for failpoint in ["contents-doomed=abort", "contents-removed=abort"] {
        let site = Site::open_to_all();
        let orphan = sha256(b"one");
        let folder = site.path("state/contents").join(&orphan[..2]);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(&orphan), b"one").unwrap();
        let mut verify = site.command(&["verify", "--repair"]);
        let died = verify.env("MAILSHELF_FAILPOINT", failpoint).output().unwrap();
        assert_eq!(died.status.code(), None, "{failpoint}: {died:?}");
        site.deliver("one.eml", mail("one", &["all"], "one"));
        assert_eq!(site.pass()["filed"], 1, "{failpoint}");
        site.assert_sound();
        assert_eq!(site.document("all", "attachment.txt"), b"one");
    }
}

/// A run with a failpoint that the program survives.
fn run_with(site: &Site, failpoint: &str) -> std::process::Output {
    site.command(&["run", "--json"]).env("MAILSHELF_FAILPOINT", failpoint).output().unwrap()
}

#[test]
fn a_mail_that_we_stumble_over_after_reading_it_holds_up_nobody() {
    let site = site();
    for run in 0..3 {
        site.deliver(
            &format!("later-{run}.eml"),
            mail(&format!("later-{run}"), &["all"], &format!("later {run}")),
        );
        assert_eq!(run_with(&site, "decided:two@example.net=panic@*").status.code(), Some(1));
        assert_eq!(site.documents("all").len(), 2 * (3 + run), "run {run}");
        assert_eq!(site.claims().len(), 1);
    }
    let warned = site.events().iter().filter(|event| event["event_id"] == 6873).count();
    assert_eq!(warned, 1);
    // Mended by a new version, say: nothing was lost.
    site.run();
    assert_eq!(site.documents("all").len(), 2 * 6);
    site.assert_sound();
}

#[test]
fn a_panic_over_every_mail_sends_none_of_them_to_badmail() {
    let site = site();
    for _ in 0..10 {
        assert_eq!(run_with(&site, "decided=panic@*").status.code(), Some(1));
    }
    assert_eq!(crate::util::entries(&site.path("state/badmail")).len(), 0);
    site.run();
    assert_filed_once(&site);
}

#[test]
fn a_culprit_that_cannot_be_moved_is_never_read_again() {
    let site = site();
    let poison = "parsed:two@example.net=abort";
    site.die(poison);
    std::fs::write(site.path("state/badmail"), "in the way").unwrap();
    for _ in 0..3 {
        assert_eq!(run_with(&site, poison).status.code(), Some(1));
    }
    assert_eq!(site.events().iter().filter(|event| event["event_id"] == 6872).count(), 1);
    std::fs::remove_file(site.path("state/badmail")).unwrap();
    site.ok(&["run"]);
    assert_eq!(crate::util::entries(&site.path("state/badmail")).len(), 1);
    site.assert_sound();
}

/// A process may panic or die because it is short of something: only what breaks one that has shown to be well is to
/// blame.
#[test]
fn a_panic_that_a_process_of_its_own_does_not_have_sends_nothing_to_badmail() {
    let site = site();
    // The worker reads two mails before it, a process for it alone none.
    let output = run_with(&site, "parsed=panic@3");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(site.events().iter().filter(|event| event["event_id"] == 6872).count(), 0);
    assert_filed_once(&site);
    assert_told_once(&site);
}

#[test]
fn a_process_that_dies_before_it_has_begun_with_a_mail_says_nothing_about_it() {
    for failpoint in ["begun=abort@*", "begun=panic@*"] {
        let site = site();
        site.die("parsed:two@example.net=kill");
        assert_eq!(run_with(&site, failpoint).status.code(), Some(1));
        // Another worker may have had another mail in hand.
        assert!(site.documents("all").len() <= 4);
        assert_eq!(crate::util::entries(&site.path("state/badmail")).len(), 0);
        site.run();
        assert_filed_once(&site);
    }
}
