//! `mailshelf verify` on a whole site: what it prints and how it exits. Each disagreement has its own test in storage.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::util::{Site, mail, sha256};

fn site() -> Site {
    let site = Site::open_to_all();
    site.deliver("a.eml", mail("a", &["all"], "a"));
    site.run();
    site
}

fn content(site: &Site, bytes: &[u8]) -> PathBuf {
    let digest = sha256(bytes);
    site.path("state/contents").join(&digest[..2]).join(digest)
}

fn report(site: &Site, code: i32, arguments: &[&str]) -> Value {
    let output = site.output(&[&["verify", "--json"], arguments].concat());
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn overwrite(path: &PathBuf, bytes: &[u8]) {
    fs::remove_file(path).unwrap();
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_sound_site() {
    let report = report(&site(), 0, &[]);
    for (key, count) in [("documents", 2), ("contents", 2), ("mails", 1), ("unpublished_events", 0)] {
        assert_eq!(report[key], count, "{key}");
    }
    for key in ["missing", "damaged", "orphans"] {
        assert_eq!(report[key], serde_json::json!([]), "{key}");
    }
}

#[test]
fn damage_and_loss_are_named_with_the_documents_they_hit() {
    let site = site();
    overwrite(&content(&site, b"a"), b"b");
    let found = report(&site, 1, &["--repair"]);
    assert_eq!(found["damaged"][0]["digest"], sha256(b"a"));
    assert_eq!(found["damaged"][0]["filed_as"][0]["path"], "attachment.txt");
    let error = site.fails(1, &["document", "get", "all", "attachment.txt"]);
    assert!(error.contains("not those that were filed"), "{error}");
    fs::remove_file(content(&site, b"a")).unwrap();
    let found = report(&site, 1, &["--repair"]);
    assert_eq!(found["missing"][0]["digest"], sha256(b"a"));
    let text = String::from_utf8(site.output(&["verify"]).stdout).unwrap();
    assert!(text.contains("missing: ") && text.ends_with("Not everything agrees.\n"), "{text}");
}

#[test]
fn leftovers_are_found_and_removed() {
    let site = site();
    let orphan = content(&site, b"orphan");
    fs::create_dir_all(orphan.parent().unwrap()).unwrap();
    fs::write(&orphan, b"orphan").unwrap();
    let found = report(&site, 1, &[]);
    assert_eq!(found["orphans"].as_array().unwrap().len(), 1);
    assert!(orphan.exists());
    report(&site, 0, &["--repair"]);
    assert!(!orphan.exists());
    report(&site, 0, &[]);
}

#[test]
fn an_unpublished_event_is_published() {
    let site = site();
    site.run();
    let file = site.path("state/events.jsonl");
    let whole = fs::read_to_string(&file).unwrap();
    fs::write(&file, whole.lines().next().unwrap().to_owned() + "\n").unwrap();
    assert_eq!(report(&site, 1, &[])["unpublished_events"], 1);
    assert_eq!(report(&site, 0, &["--repair"])["published_events"], 1);
    assert_eq!(fs::read_to_string(&file).unwrap(), whole);
}

/// Stopped in the middle of writing there, say.
#[test]
fn another_worker_that_stands_still_at_the_event_file_holds_up_no_pass_for_ever() {
    let site = site();
    site.run();
    let path = site.path("state/events.jsonl");
    let before = fs::read_to_string(&path).unwrap();
    let held = fs::File::open(&path).unwrap();
    held.lock().unwrap();
    site.deliver("b.eml", mail("b", &["all"], "b"));
    let output = site.output(&["run"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    let fault = format!("cannot lock {}: another process holds its lock", path.display());
    assert!(said.contains(&fault), "{said}");
    assert_eq!(site.json(&["mail", "list"]).len(), 2);
    assert_eq!(fs::read_to_string(&path).unwrap(), before);
    drop(held);
    site.run();
    report(&site, 0, &[]);
    let after = fs::read_to_string(&path).unwrap();
    assert!(after.starts_with(&before));
    assert!(after.lines().count() > before.lines().count() + 1);
}

#[test]
fn a_lost_content_comes_back_with_the_next_mail_that_has_it() {
    let site = site();
    fs::remove_file(content(&site, b"a")).unwrap();
    site.deliver("b.eml", mail("b", &["all"], "a"));
    site.run();
    report(&site, 0, &[]);
    assert_eq!(site.document("all", "attachment.txt"), b"a");
}
