//! What the event log says, and that the event file has each event once, whole and in order.

use std::fs;

use crate::util::{Site, mail};

#[test]
fn a_pass_that_found_nothing_writes_its_event_too() {
    let site = Site::new();
    let event = site.pass();
    for (key, value) in [("event_id", 6871), ("processed", 0), ("filed", 0), ("seq", 1), ("bytes", 0)] {
        assert_eq!(event[key], value, "{key}");
    }
    assert_eq!((&event["level"], &event["event"]), (&"information".into(), &"pass-completed".into()));
    assert_eq!(event["mails"], serde_json::json!([]));
    assert_eq!(site.events(), [event]);
    site.pass();
    assert_eq!(site.events()[1]["seq"], 2);
}

/// The drop folder itself is in the way: each attempt has its event, and what is wrong is told once until it is mended.
#[test]
fn a_pass_without_a_drop_folder_is_told_of() {
    let site = Site::new();
    for nth in 0..2 {
        fs::remove_dir_all(site.path("drop")).unwrap();
        for _ in 0..2 {
            let error = site.fails(2, &["run"]);
            assert!(error.contains("drop folder ") && error.contains(": there is none"), "{error}");
        }
        let events = site.events();
        let told: Vec<_> = events.iter().filter(|event| event["event_id"] == 6872).collect();
        assert_eq!(told.len(), nth + 1);
        let told = told[nth];
        assert_eq!(told["file"], site.path("drop").to_str().unwrap());
        assert!(told["error"].as_str().unwrap().ends_with(": there is none"), "{told}");
        let last = events.last().unwrap();
        assert_eq!((&last["event_id"], &last["interrupted"]), (&6871.into(), &true.into()));
        fs::create_dir(site.path("drop")).unwrap();
        site.run();
    }
}

/// Somebody took a waiting mail's file away: that is told once, whatever is done about it.
#[test]
fn a_waiting_mail_whose_file_is_gone_is_told_of() {
    let site = Site::open_to_all();
    site.deliver("a.eml", mail("a", &["all"], "a"));
    let failpoint = "decided:a@example.net=panic@*";
    let output = site.command(&["run"]).env("MAILSHELF_FAILPOINT", failpoint).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    fs::remove_dir_all(site.path("drop")).unwrap();
    fs::create_dir(site.path("drop")).unwrap();
    for _ in 0..2 {
        site.run();
    }
    let events = site.events();
    let told: Vec<_> = events.iter().filter(|event| event["event_id"] == 6872).collect();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["file"], "a.eml");
    assert!(told[0]["error"].as_str().unwrap().contains("its file is gone"), "{}", told[0]);
}

#[test]
fn times_are_utc_with_milliseconds() {
    let site = Site::new();
    let time = site.pass()["time"].as_str().unwrap().to_owned();
    assert_eq!((time.len(), &time[10..11], &time[19..20], &time[23..]), (24, "T", ".", "Z"), "{time}");
}

#[test]
fn the_text_of_a_pass_reads_as_sharepoints_does() {
    let site = Site::open_to_all();
    site.deliver("a.eml", mail("a", &["all", "docs72"], "a"));
    site.deliver("b.eml", mail("b", &["docs74"], "b"));
    let text = site.ok(&["run"]);
    let line = text.lines().next().unwrap();
    let (before, after) = line.split_once("Message ID: ").unwrap();
    let (before, elapsed) = before.split_once(" The elapsed time was ").unwrap();
    assert_eq!(before, "The Incoming E-Mail service has completed a batch.");
    let (elapsed, counts) = elapsed.split_once(". ").unwrap();
    assert_eq!(elapsed.replace(|c: char| c.is_ascii_digit(), "0"), "00:00:00");
    assert_eq!(
        counts,
        "The service processed 2 message(s) in total. Errors occurred processing 2 message(s): "
    );
    for part in
        ["<a@example.net>", "<b@example.net>", "The following aliases were unknown: ", "docs72", "docs74"]
    {
        assert!(after.contains(part), "{part}: {after}");
    }
}

#[test]
fn a_torn_line_is_cut_and_written_again() {
    let site = Site::open_to_all();
    site.deliver("a.eml", mail("a", &["all"], "a"));
    site.pass();
    site.pass();
    let file = site.path("state/events.jsonl");
    let whole = fs::read(&file).unwrap();
    fs::write(&file, &whole[..whole.len() - 40]).unwrap();
    site.pass();
    let events = fs::read(&file).unwrap();
    assert!(events.starts_with(&whole));
    assert_eq!(site.events().len(), 3);
}

#[test]
fn a_missing_event_file_is_made_again_from_the_catalog() {
    let site = Site::open_to_all();
    site.deliver("a.eml", mail("a", &["all"], "a"));
    site.pass();
    let file = site.path("state/events.jsonl");
    let before = fs::read(&file).unwrap();
    fs::remove_file(&file).unwrap();
    assert_eq!(site.output(&["verify"]).status.code(), Some(1));
    site.ok(&["verify", "--repair"]);
    assert_eq!(fs::read(&file).unwrap(), before);
    site.ok(&["verify"]);
}

#[test]
fn an_event_file_that_is_not_ours_is_left_alone() {
    let site = Site::new();
    let file = site.path("state/events.jsonl");
    for text in ["dear diary\n", "dear diary", "{\"sequel\": 1}"] {
        fs::write(&file, text).unwrap();
        let error = site.fails(1, &["run"]);
        assert!(error.contains("no line of it is an event") && error.contains("move it aside"), "{error}");
        assert_eq!(fs::read_to_string(&file).unwrap(), text);
    }
}

#[test]
fn what_a_power_cut_left_after_the_last_event_is_kept_aside() {
    let site = Site::new();
    site.pass();
    let file = site.path("state/events.jsonl");
    let whole = fs::read(&file).unwrap();
    fs::write(&file, [whole.as_slice(), &[0; 5000], b"\n{\"seq\":\n"].concat()).unwrap();
    site.pass();
    assert!(fs::read(&file).unwrap().starts_with(&whole));
    assert_eq!(site.events().len(), 2);
    assert_eq!(
        fs::read(site.path("state/events.jsonl.cut")).unwrap(),
        [&[0; 5000], &b"\n{\"seq\":\n"[..]].concat()
    );
}

#[test]
fn a_run_prints_its_warnings_with_its_passes() {
    let site = Site::new();
    fs::create_dir(site.path("drop/folder.eml")).unwrap();
    let printed = site.json(&["run"]);
    assert_eq!(printed, site.events());
    assert_eq!(printed.iter().map(|event| &event["event_id"]).collect::<Vec<_>>(), [6873, 6871]);
    fs::create_dir(site.path("drop/other.eml")).unwrap();
    let text = site.ok(&["run"]);
    assert!(
        text.starts_with("An error occurred while processing the incoming e-mail file other.eml."),
        "{text}"
    );
}

#[test]
fn what_is_no_mail_is_complained_of_once() {
    let site = Site::open_to_all();
    std::os::unix::fs::symlink("/etc/hostname", site.path("drop/link.eml")).unwrap();
    fs::create_dir(site.path("drop/folder.eml")).unwrap();
    site.deliver("a.eml", mail("a", &["all"], "a"));
    fs::hard_link(site.path("drop/a.eml"), site.path("drop/b.eml")).unwrap();
    for _ in 0..3 {
        site.run();
    }
    let warned = || {
        let events = site.events();
        let mut files: Vec<_> = events
            .iter()
            .filter(|event| event["event_id"] == 6873)
            .map(|event| event["file"].as_str().unwrap().to_owned())
            .collect();
        files.sort();
        files
    };
    assert_eq!(warned(), ["a.eml", "b.eml", "folder.eml", "link.eml"]);
    // The delivery in progress ends: then it is mail.
    fs::remove_file(site.path("drop/b.eml")).unwrap();
    assert_eq!(site.pass()["filed"], 1);
    // Gone and come again: a new thing.
    fs::remove_file(site.path("drop/link.eml")).unwrap();
    site.run();
    std::os::unix::fs::symlink("/etc/hostname", site.path("drop/link.eml")).unwrap();
    site.run();
    assert_eq!(warned().iter().filter(|file| *file == "link.eml").count(), 2);
}

#[test]
fn nothing_a_stranger_wrote_reaches_a_terminal_or_splits_a_line() {
    let site = Site::open_to_all();
    let nasty = mail("a", &["all"], "a")
        .replace("Subject: Mail a", "Subject: =?utf-8?Q?=1B[2J=0Aseq=E2=80=AEx?=")
        .replace("attachment.txt", "=?utf-8?Q?a=1B]0;x=07=E2=80=AEb.txt?=");
    site.deliver("a\u{1b}[31m\n.eml", nasty.replace("x-receiver: all@", "x-receiver: no\u{1b}[1m@"));
    site.deliver("b.eml", nasty);
    let text = site.ok(&["run"]) + &site.ok(&["document", "list", "all"]);
    let unsafe_char = |c: &char| (c.is_control() && *c != '\n') || *c == '\u{202e}';
    assert_eq!(text.chars().find(unsafe_char), None, "{text:?}");
    assert_eq!(fs::read_to_string(site.path("state/events.jsonl")).unwrap().lines().count(), 1);
    assert_eq!(site.events()[0]["mails"].as_array().unwrap().len(), 2);
}

#[test]
fn nothing_a_stranger_wrote_reaches_the_operational_log() {
    let site = Site::open_to_all();
    // In the way of the folder of every content: the batch fails, each mail is put off, and both are logged.
    for first in 0..=255 {
        fs::write(site.path("state/contents").join(format!("{first:02x}")), "").unwrap();
    }
    site.deliver("a\u{1b}[31m\nERROR x\u{9b}\u{202e}.eml", mail("a", &["all"], "a"));
    let output = site.output(&["run"]);
    assert_eq!(output.status.code(), Some(1));
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(log.contains("mail put off"), "{log}");
    let unsafe_char = |c: &char| (c.is_control() && *c != '\n') || *c == '\u{202e}';
    assert_eq!(log.chars().find(unsafe_char), None, "{log:?}");
    assert!(!log.lines().any(|line| line.starts_with("ERROR")), "{log:?}");
}
