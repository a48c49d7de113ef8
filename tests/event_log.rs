//! `mailshelf events`: what was recorded, whole and in order, and only what was asked for.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::util::{Limit, Site, mail};

/// Four passes: nothing; two mails, one of which nobody wants; a folder that is in the way (its 6873 first); a mail
/// of somebody else.
fn lively() -> Site {
    let site = Site::open_to_all();
    site.pass();
    site.deliver("a.eml", mail("a", &["all"], "a"));
    site.deliver("b.eml", mail("b", &["docs72", "all"], "b"));
    site.pass();
    fs::create_dir(site.path("drop/folder.eml")).unwrap();
    site.pass();
    site.deliver("c.eml", mail("c", &["docs74"], "c").replace("alice@example.org", "bob@example.com"));
    site.pass();
    site
}

const NONE: [u64; 0] = [];

fn seqs(site: &Site, arguments: &[&str]) -> Vec<u64> {
    let events = site.json(&[&["events"], arguments].concat());
    events.iter().map(|event| event["seq"].as_u64().unwrap()).collect()
}

#[test]
fn as_json_it_is_the_event_file_to_the_byte() {
    let site = lively();
    let file = fs::read_to_string(site.path("state/events.jsonl")).unwrap();
    assert_eq!(site.ok(&["events", "--json"]), file);
    fs::remove_file(site.path("state/events.jsonl")).unwrap();
    assert_eq!(site.ok(&["events", "--json"]), file, "the catalog is what is read");
}

#[test]
fn people_read_each_pass_and_below_it_its_mails() {
    let site = lively();
    let events = site.events();
    let text = site.ok(&["events"]);
    let lines: Vec<_> = text.lines().collect();
    let begins = |event: &Value| {
        let time = event["time"].as_str().unwrap();
        format!("{time}  {:<11}  {}  ", event["level"].as_str().unwrap(), event["event_id"])
    };
    let heads: Vec<_> = lines.iter().filter(|line| !line.starts_with(' ')).collect();
    assert_eq!(heads.len(), events.len(), "{text}");
    for (line, event) in heads.iter().zip(&events) {
        assert!(line.starts_with(&begins(event)), "{line}");
    }
    assert!(heads[0].ends_with("The service processed 0 message(s) in total."), "{text}");
    assert!(
        heads[2].contains("An error occurred while processing the incoming e-mail file folder.eml."),
        "{text}"
    );
    let mails: Vec<_> = lines.iter().filter(|line| line.starts_with("  ")).collect();
    assert_eq!(mails.len(), 4, "{text}");
    for part in [
        "  filed      all@docs.example.org → all: attachment.txt",
        "  rejected   docs72@docs.example.org: unknown-alias  [Mail b from alice@example.org]",
        "  rejected   docs74@docs.example.org: unknown-alias  [Mail c from bob@example.com]",
    ] {
        assert!(mails.iter().any(|line| line.starts_with(part)), "{part}: {text}");
    }
}

#[test]
fn the_newest_and_those_of_a_time() {
    let site = lively();
    let times: Vec<_> =
        site.events().iter().map(|event| event["time"].as_str().unwrap().to_owned()).collect();
    assert_eq!(seqs(&site, &["-n", "2"]), [4, 5]);
    assert_eq!(seqs(&site, &["--last", "99"]), [1, 2, 3, 4, 5]);
    assert_eq!(seqs(&site, &["-n", "0"]), NONE);
    assert_eq!(seqs(&site, &["--since", &times[1]]), [2, 3, 4, 5]);
    assert_eq!(seqs(&site, &["--since", &times[1], "--until", &times[4]]), [2, 3, 4]);
    assert_eq!(seqs(&site, &["--until", &times[1]]), [1]);
    assert_eq!(seqs(&site, &["--since", &times[1], "-n", "1"]), [5]);
    assert_eq!(seqs(&site, &["--until", &times[4], "-n", "1"]), [4]);
    assert_eq!(seqs(&site, &["--since", "1h"]), [1, 2, 3, 4, 5]);
    assert_eq!(seqs(&site, &["--until", "1h"]), NONE);
    assert_eq!(seqs(&site, &["--since", "9998-01-01"]), NONE);
}

#[test]
fn a_level_means_that_or_worse() {
    let site = lively();
    assert_eq!(seqs(&site, &["--level", "information"]), [1, 2, 3, 4, 5]);
    assert_eq!(seqs(&site, &["--level", "warning"]), [3]);
    assert_eq!(seqs(&site, &["--level", "critical"]), NONE);
    assert_eq!(seqs(&site, &["--level", "warning", "-n", "1"]), [3]);
    assert_eq!(site.ok(&["events", "--level", "critical"]), "No event matches.\n");
}

#[test]
fn only_passes_with_such_a_mail_and_of_them_only_these_mails() {
    let site = lively();
    assert_eq!(seqs(&site, &["--outcome", "filed"]), [2]);
    assert_eq!(seqs(&site, &["--outcome", "rejected"]), [2, 5]);
    assert_eq!(seqs(&site, &["--outcome", "rejected", "-n", "1"]), [5]);
    assert_eq!(seqs(&site, &["--outcome", "filed", "-n", "1"]), [2], "the newest that is meant");
    assert_eq!(seqs(&site, &["--reason", "unknown-alias", "--sender", "@example.org"]), [2]);
    assert_eq!(seqs(&site, &["--sender", "Bob@Example.com"]), [5]);
    assert_eq!(seqs(&site, &["--library", "ALL"]), [2]);
    assert_eq!(
        seqs(&site, &["--library", "all", "--outcome", "rejected"]),
        NONE,
        "they are not of one recipient"
    );
    assert_eq!(
        seqs(&site, &["--outcome", "rejected", "--level", "warning"]),
        NONE,
        "these name no recipient"
    );

    let whole = &site.events()[1];
    let mut shown = site.json(&["events", "--outcome", "rejected", "--until", "now"]).remove(0);
    assert_eq!(shown["mails"].as_array().unwrap().len(), 1);
    assert_eq!(shown["mails"][0]["message_id"], "<b@example.net>");
    assert_eq!(shown["mails"][0]["recipients"].as_array().unwrap().len(), 2, "a mail is shown whole");
    shown["mails"] = whole["mails"].clone();
    assert_eq!(&shown, whole, "everything else is as it was");

    let text = site.ok(&["events", "--outcome", "rejected", "-n", "2"]);
    assert_eq!(text.lines().filter(|line| line.starts_with("  ")).count(), 3, "{text}");
    assert!(
        text.contains("The service processed 2 message(s) in total.") && !text.contains("[Mail a "),
        "{text}"
    );
}

#[test]
fn words_that_there_are_not_are_told_those_there_are() {
    let site = Site::new();
    for (arguments, parts) in [
        (["--outcome", "badmail"], ["invalid value 'badmail'", "filed duplicate rejected deferred"]),
        (["--reason", "spam"], ["invalid value 'spam'", "unknown-alias"]),
        (["--level", "error"], ["invalid value 'error'", "information warning critical"]),
        (["--since", "soon"], ["invalid value 'soon'", "yesterday"]),
        (["--sender", "@"], ["invalid value '@'", "@DOMAIN"]),
    ] {
        let error = site.fails(2, &[&["events"], &arguments[..]].concat());
        assert!(parts.iter().all(|part| error.contains(part)), "{error}");
    }
    site.fails(2, &["events", "--follow", "--until", "now"]);
    assert_eq!(site.ok(&["events"]), "There are no events yet.\n");
    assert_eq!(site.ok(&["events", "--json"]), "");
}

#[test]
fn nothing_a_stranger_wrote_reaches_the_terminal() {
    let site = Site::open_to_all();
    let nasty =
        mail("a", &["all"], "a").replace("Subject: Mail a", "Subject: =?utf-8?Q?=1B[2J=0Ax=E2=80=AEy?=");
    site.deliver("a\u{1b}[31m\n.eml", nasty.replace("x-receiver: all@", "x-receiver: no\u{1b}[1m@"));
    fs::create_dir(site.path("drop/b\u{1b}[31m\n.eml")).unwrap();
    site.pass();
    let text = site.ok(&["events"]);
    let unsafe_char = |c: &char| (c.is_control() && *c != '\n') || *c == '\u{202e}';
    assert_eq!(text.chars().find(unsafe_char), None, "{text:?}");
    assert_eq!(text.lines().count(), 3, "{text}");
}

/// `mailshelf events --follow`, and what it prints.
struct Followed {
    _limit: Limit,
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Followed {
    fn begin(site: &Site, arguments: &[&str]) -> Followed {
        let mut command = site.command(&[&["events", "--follow", "--json"], arguments].concat());
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Followed { _limit: Limit::of(&child), child, lines }
    }

    fn next(&mut self) -> u64 {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        serde_json::from_str::<Value>(&line).unwrap()["seq"].as_u64().unwrap()
    }
}

#[test]
fn following_shows_the_last_ten_then_what_comes_until_it_is_told_to_end() {
    let site = Site::new();
    for _ in 0..12 {
        site.pass();
    }
    for signal in [Signal::TERM, Signal::INT] {
        let newest = site.events().len() as u64;
        let mut followed = Followed::begin(&site, &[]);
        assert_eq!(
            (0..10).map(|_| followed.next()).collect::<Vec<_>>(),
            (newest - 9..=newest).collect::<Vec<_>>()
        );
        site.pass();
        assert_eq!(followed.next(), newest + 1);
        site.pass();
        assert_eq!(followed.next(), newest + 2);
        kill_process(Pid::from_child(&followed.child), signal).unwrap();
        assert_eq!(followed.child.wait().unwrap().code(), Some(0), "{signal:?}");
    }
}

#[test]
fn following_shows_only_what_is_asked_for() {
    let site = lively();
    let mut all = Followed::begin(&site, &["--since", "1h"]);
    assert_eq!(all.next(), 1);
    let mut warnings = Followed::begin(&site, &["--level", "warning", "-n", "1"]);
    assert_eq!(warnings.next(), 3);
    let mut filed = Followed::begin(&site, &["--outcome", "filed"]);
    assert_eq!(filed.next(), 2);
    site.deliver("d.eml", mail("d", &["all"], "d"));
    site.pass();
    assert_eq!(filed.next(), 6);
    fs::create_dir(site.path("drop/other.eml")).unwrap();
    site.pass();
    assert_eq!(warnings.next(), 7);
    for mut followed in [all, warnings, filed] {
        kill_process(Pid::from_child(&followed.child), Signal::TERM).unwrap();
        assert_eq!(followed.child.wait().unwrap().code(), Some(0));
    }
}

#[test]
fn following_ends_when_nobody_reads_any_more() {
    let site = lively();
    let mut followed = Followed::begin(&site, &[]);
    assert_eq!([(); 5].map(|()| followed.next()), [1, 2, 3, 4, 5]);
    let Followed { _limit, mut child, lines } = followed;
    drop(lines);
    // Nothing more happens that it could try to print.
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
