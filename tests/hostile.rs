//! What a stranger wrote, told as JSON: no byte of it moves a cursor or turns text round, and every value is whole.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::Command;

use mailshelf::escape::is_unsafe;
use serde_json::Value;

use crate::util::{PROGRAM, Site, mail, skip};

/// Each of these is unsafe where it stands bare, and legal in a mail.
const NASTY: &str = "\u{9b}31mred\u{9b}0m\u{202e}x\u{200b}\u{feff}\u{e0041}\u{7f}";

/// A mail with that in its subject, From, recipient and attachment's name, encoded or bare.
fn nasty() -> String {
    mail("a", &["all"], "text")
        .replace("Subject: Mail a", &format!("Subject: {NASTY}"))
        .replace("From: Alice <alice@", &format!("From: {NASTY} <alice{NASTY}@"))
        .replace("x-receiver: all@", &format!("x-receiver: no{NASTY}@docs.example.org\r\nx-receiver: all@"))
        .replace("attachment.txt", &format!("a{NASTY}.txt"))
}

/// The lines of JSON in it, once no character of it but the end of a line is unsafe.
fn parsed(what: &str, text: &str) -> Vec<Value> {
    assert_eq!(text.chars().find(|&c| is_unsafe(c) && c != '\n'), None, "{what}: {text:?}");
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn printed(site: &Site, arguments: &[impl AsRef<OsStr>]) -> Vec<Value> {
    let output = site.output(arguments);
    let what: Vec<_> = arguments.iter().map(|argument| argument.as_ref().to_string_lossy()).collect();
    parsed(&what.join(" "), &String::from_utf8(output.stdout).unwrap())
}

#[test]
fn json_holds_nothing_unsafe_and_the_same_values() {
    let site = Site::open_to_all();
    let file = format!("a{NASTY}.eml");
    let path = site.path("drop").join(&file);
    site.deliver(&file, nasty());

    let queue = printed(&site, &["queue", "--json"]);
    assert_eq!((queue.len(), &queue[0]["file"]), (1, &file.as_str().into()));
    let explained = printed(&site, &["explain".as_ref(), path.as_os_str(), "--json".as_ref()]);
    assert_eq!(explained[0]["message"]["subject"], NASTY, "{:#}", explained[0]);

    fs::create_dir(site.path("drop").join(format!("folder{NASTY}"))).unwrap();
    let events = printed(&site, &["run", "--json"]);
    assert_eq!(events.len(), 2);
    assert_eq!(events[0]["file"], format!("folder{NASTY}"));
    let told = &events[1]["mails"][0];
    assert_eq!((&told["file"], &told["subject"]), (&file.as_str().into(), &NASTY.into()));
    assert_eq!(printed(&site, &["events", "--json"]), events);
    let published = fs::read_to_string(site.path("state/events.jsonl")).unwrap();
    assert_eq!(parsed("events.jsonl", &published), events);
    let picked = printed(&site, &["events", "--outcome", "filed", "--json"]);
    assert_eq!(picked[0]["mails"][0], *told);

    let shown = printed(&site, &["mail", "show", told["mail"].as_str().unwrap(), "--json"]);
    assert_eq!((&shown[0]["file"], &shown[0]["subject"]), (&file.as_str().into(), &NASTY.into()));
    assert_eq!(printed(&site, &["mail", "list", "--json"])[0]["subject"], NASTY);
    assert_eq!(printed(&site, &["document", "list", "all", "--json"]).len(), 2);
}

/// An earlier version stored events with every character as it was.
#[test]
fn an_event_of_an_earlier_version_is_told_as_safely() {
    let site = Site::open_to_all();
    site.deliver("a.eml", nasty());
    let event = site.pass();
    let catalog = rusqlite::Connection::open(site.path("state/catalog.db")).unwrap();
    let mut bare = event.clone();
    bare.as_object_mut().unwrap().remove("seq");
    let bare = serde_json::to_string(&bare).unwrap();
    assert!(bare.contains('\u{9b}'));
    catalog.execute("UPDATE events SET body = ?1", [bare]).unwrap();
    assert_eq!(printed(&site, &["events", "--json"]), [event]);
}

/// Each sixtieth of the cases of `tests/hostile/make.py`; `.ci/run` has all of them filed, by a build that may be timed.
#[test]
fn a_sample_of_hostile_mail_is_filed_and_nothing_of_it_vanishes() {
    let readers = Path::new(PROGRAM).with_file_name("examples/readers");
    if !readers.exists() {
        return skip("examples/readers is not built");
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hostile/run.py");
    let mut python = Command::new("python3");
    python.arg(script).args([Path::new(PROGRAM), &readers]).args(["--untimed", "--every", "60"]);
    match python.output() {
        Err(error) => skip(format!("python3: {error}")),
        Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout)),
    }
}
