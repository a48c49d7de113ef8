//! Rejected mail that is kept aside: what is told of it, how it comes back, and how it goes.

use std::fs;

use serde_json::Value;

use crate::util::{Site, entries, mail, name};

/// A site that keeps what it rejects, with a mail for `all`, which takes it, and `later`, which is not there yet.
fn kept() -> (Site, String) {
    let site = Site::open_to_all();
    site.configure("rejected = \"delete\"", "rejected = \"keep\"");
    site.deliver("a.eml", mail("a", &["all", "later"], "a"));
    let event = site.pass();
    assert_eq!((&event["filed"], &event["rejected"]), (&1.into(), &1.into()));
    let id = event["mails"][0]["mail"].as_str().unwrap().to_owned();
    (site, id)
}

fn files(site: &Site) -> Vec<String> {
    entries(&site.path("state/kept")).iter().map(|path| name(path)).collect()
}

fn add_later(site: &Site) {
    site.ok(&["library", "add", "later", "--alias", "later", "--sender-policy", "anyone"]);
}

#[test]
fn what_is_kept_is_told_with_its_reason_and_its_term() {
    let (site, id) = kept();
    assert_eq!(files(&site), [format!("{id}~a.eml")]);
    let listed = site.json(&["rejected", "list"]);
    assert_eq!(listed.len(), 1);
    let entry = &listed[0];
    assert_eq!((&entry["mail"], &entry["subject"]), (&id.as_str().into(), &"Mail a".into()));
    assert_eq!(entry["path"], site.path(&format!("state/kept/{id}~a.eml")).to_str().unwrap());
    assert_eq!(entry["recipients"][1]["reason"], "unknown-alias");
    let days = |at: &Value| at.as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_second() / 86_400;
    assert_eq!(days(&entry["kept_until"]) - days(&entry["kept_at"]), 30);
    let text = site.ok(&["rejected", "list"]);
    assert!(text.contains(&id) && text.contains("Mail a") && text.ends_with("unknown-alias\n"), "{text}");
    assert_eq!(site.json(&["rejected", "list", "--reason", "unknown-alias"]).len(), 1);
    assert_eq!(site.ok(&["rejected", "list", "--reason", "no-permission"]), "No rejected mail is kept.\n");
    let error = site.fails(2, &["rejected", "list", "--reason", "spam"]);
    assert!(error.contains("reason spam: there is no such reason\nhint: those there are: "), "{error}");
    let shown = site.ok(&["rejected", "show", &id[..20]]);
    assert!(shown.contains("kept aside: ") && shown.contains("unknown-alias"), "{shown}");
    site.deliver("b.eml", mail("b", &["all"], "b"));
    let filed = site.pass()["mails"][0]["mail"].as_str().unwrap().to_owned();
    let error = site.fails(2, &["rejected", "show", &filed]);
    assert!(error.contains(&format!("mail {filed}: it is not kept aside\nhint: ")), "{error}");
}

#[test]
fn a_mail_that_is_given_back_is_filed_where_it_was_not() {
    let (site, id) = kept();
    add_later(&site);
    let back = site.json(&["rejected", "replay", &id.to_lowercase()[..20]]);
    assert_eq!((&back[0]["mail"], &back[0]["file"]), (&id.as_str().into(), &"a.eml".into()));
    assert_eq!(files(&site), [""; 0]);
    // Who has it already is not asked again, whoever the sender is by now.
    assert_eq!(fs::read_to_string(site.path("drop/a.eml")).unwrap(), mail("a", &["later"], "a"));
    let event = site.pass();
    let recipients = event["mails"][0]["recipients"].as_array().unwrap();
    assert_eq!(recipients.len(), 1);
    assert_eq!((&recipients[0]["library"], &recipients[0]["outcome"]), (&"later".into(), &"filed".into()));
    assert_eq!((site.documents("all").len(), site.documents("later").len()), (2, 1));
    // It is on record, and it is not there to be given back once more.
    let error = site.fails(2, &["rejected", "replay", &id]);
    assert!(error.contains(&format!("mail {id}: it was replayed 2")), "{error}");
    assert!(error.contains("asked for by `mailshelf rejected replay`"), "{error}");
    let shown = site.json(&["rejected", "show", &id]);
    assert_eq!(shown[0]["left_kept"]["fate"], "replayed");
    assert!(site.ok(&["mail", "show", &id]).contains("kept aside       replayed 2"));
    site.assert_sound();
}

#[test]
fn what_was_rejected_for_one_reason_goes_back_or_is_deleted_alone() {
    let (site, id) = kept();
    site.ok(&["library", "add", "closed", "--alias", "closed"]);
    site.deliver("b.eml", mail("b", &["closed"], "b"));
    let other = site.pass()["mails"][0]["mail"].as_str().unwrap().to_owned();
    let error = site.fails(2, &["rejected", "replay", "--reason", "spam"]);
    assert!(error.contains("reason spam: there is no such reason\nhint: those there are: "), "{error}");
    site.fails(2, &["rejected", "replay", "--reason", "unknown-alias", &id]);
    let none = site.ok(&["rejected", "purge", "--reason", "quota-exceeded"]);
    assert_eq!((none.as_str(), files(&site).len()), ("Nothing was deleted.\n", 2));
    let back = site.json(&["rejected", "replay", "--reason", "unknown-alias"]);
    assert_eq!((back.len(), &back[0]["mail"]), (1, &id.as_str().into()));
    assert_eq!(files(&site), [format!("{other}~b.eml")]);
    let reason = site.json(&["rejected", "list"])[0]["recipients"][0]["reason"].as_str().unwrap().to_owned();
    let early = site.ok(&["rejected", "purge", "--reason", &reason, "--older-than", "7d"]);
    assert_eq!(early, "Nothing was deleted.\n");
    let gone = site.json(&["rejected", "purge", "--all", "--reason", &reason]);
    assert_eq!((gone.len(), &gone[0]["mail"]), (1, &other.as_str().into()));
    assert_eq!(files(&site), [""; 0]);
}

/// A recipient that was filed is never filed again, even if the sender is better proven by now.
#[test]
fn nobody_who_has_it_gets_it_again() {
    let (site, id) = kept();
    add_later(&site);
    site.ok(&["user", "add", "alice", "--address", "alice@example.org"]);
    site.configure("trust_from = false", "trust_from = true");
    site.ok(&["rejected", "replay", &id]);
    let event = site.pass();
    assert_eq!((&event["filed"], &event["processed"]), (&1.into(), &1.into()));
    assert_eq!(event["mails"][0]["recipients"][0]["created_by"], "alice");
    assert_eq!((site.documents("all").len(), site.documents("later").len()), (2, 1));
}

#[test]
fn what_is_still_refused_is_kept_again() {
    let (site, id) = kept();
    site.ok(&["rejected", "replay", "--all"]);
    assert_eq!(site.pass()["rejected"], 1);
    let files = files(&site);
    assert!(files.len() == 1 && !files[0].starts_with(&id), "{files:?}");
}

#[test]
fn a_replay_that_was_interrupted_loses_nothing() {
    let (site, id) = kept();
    add_later(&site);
    for (failpoint, waiting) in [("kept-recorded", 0), ("put-back-copied", 1)] {
        let mut replay = site.command(&["rejected", "replay", &id]);
        let died = replay.env("MAILSHELF_FAILPOINT", format!("{failpoint}=kill")).output().unwrap();
        assert_eq!(died.status.code(), None, "{died:?}");
        assert_eq!((files(&site).len(), site.waiting().len()), (1, waiting), "{failpoint}");
    }
    assert_eq!(site.pass()["filed"], 1);
    // It stands in both places: to give it back once more files nothing twice.
    assert_eq!(site.json(&["rejected", "replay", &id]).len(), 1);
    let event = site.pass();
    assert_eq!((&event["filed"], &event["duplicate"]), (&0.into(), &1.into()));
    assert_eq!((site.documents("all").len(), site.documents("later").len()), (2, 1));
    assert_eq!(files(&site), [""; 0]);
    site.assert_sound();
}

#[test]
fn kept_mail_is_deleted_on_request_and_that_is_on_record() {
    let (site, id) = kept();
    let error = site.fails(2, &["rejected", "purge"]);
    assert!(error.contains("no mail is named\nhint: "), "{error}");
    assert_eq!(site.ok(&["rejected", "purge", "--older-than", "1d"]), "Nothing was deleted.\n");
    fs::write(site.path("state/kept/note"), "by hand").unwrap();
    let died =
        site.command(&["rejected", "purge", &id]).env("MAILSHELF_FAILPOINT", "kept-recorded=kill").output();
    assert_eq!(died.unwrap().status.code(), None);
    assert_eq!(files(&site).len(), 2);
    let gone = site.json(&["rejected", "purge", &id[..10]]);
    assert_eq!((gone.len(), &gone[0]["mail"]), (1, &id.as_str().into()));
    assert_eq!(files(&site), ["note"]);
    for command in ["replay", "purge"] {
        let error = site.fails(2, &["rejected", command, &id]);
        assert!(error.contains(&format!("mail {id}: it was purged 2")), "{error}");
    }
    let shown = site.json(&["rejected", "show", &id]);
    assert_eq!(shown[0]["left_kept"]["why"], "asked for by `mailshelf rejected purge`");
    let error = site.fails(1, &["rejected", "purge", "--all"]);
    assert!(error.contains("kept file note: it is not on record as rejected, and stays"), "{error}");
    assert_eq!(files(&site), ["note"]);
    site.assert_sound();
}

#[test]
fn a_pass_deletes_what_has_had_its_term() {
    let (site, id) = kept();
    fs::write(site.path("state/kept/note"), "by hand").unwrap();
    fs::write(site.path("state/kept/01AAAAAAAAAAAAAAAAAAAAAAAA~x.eml"), "not on record").unwrap();
    assert_eq!(site.pass().get("purged"), None);
    assert_eq!(files(&site).len(), 3);
    site.configure("keep_rejected = \"30d\"", "keep_rejected = \"1s\"");
    let purged = std::cell::Cell::new(0);
    site.wait_for("the term", |site| {
        purged.set(purged.get() + site.pass()["purged"].as_u64().unwrap_or_default());
        purged.get() > 0
    });
    assert_eq!(purged.get(), 1);
    assert_eq!(files(&site), ["01AAAAAAAAAAAAAAAAAAAAAAAA~x.eml", "note"]);
    let shown = site.json(&["rejected", "show", &id]);
    assert_eq!(shown[0]["left_kept"]["why"], "its term (drop.keep_rejected) was over");
    site.assert_sound();
}

#[test]
fn without_the_setting_only_what_is_always_kept_is() {
    let site = Site::open_to_all();
    site.deliver("a.eml", mail("a", &["nobody"], "a"));
    site.deliver("b.eml", mail("b", &[], "b"));
    site.run();
    let listed = site.json(&["rejected", "list"]);
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0]["recipients"][0]["reason"], "no-recipient");
}

/// A block is only read in a folder: in a Maildir it would be part of the mail.
#[test]
fn a_drop_that_reads_mail_otherwise_gets_none_back() {
    let (site, id) = kept();
    site.configure("format = \"auto\"", "format = \"maildir\"");
    for part in ["new", "cur", "tmp"] {
        fs::create_dir(site.path("drop").join(part)).unwrap();
    }
    let error = site.fails(1, &["rejected", "replay", &id]);
    assert!(error.contains("(maildir), the file is not the mail on record\nhint: "), "{error}");
    assert_eq!(files(&site).len(), 1);
    assert!(site.json(&["rejected", "show", &id])[0].get("left_kept").is_none());
}

#[test]
fn who_stands_still_at_the_folder_holds_up_no_command_for_ever() {
    let (site, id) = kept();
    let folder = site.path("state/kept");
    let held = fs::File::open(&folder).unwrap();
    held.lock().unwrap();
    let output = site.output(&["rejected", "purge", &id]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains(&format!("cannot lock {}: another process holds", folder.display())), "{said}");
    drop(held);
    site.ok(&["rejected", "purge", &id]);
    assert!(files(&site).is_empty());
}
