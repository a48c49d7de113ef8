//! The same mail again: what was filed stands for it, but never for a mail with better proof.

use std::fs;

use serde_json::Value;

use crate::util::{DOMAIN, Site, lines, mail, message};

/// Delivers the same mail once more, by a way of its own; how it ended, and by whom it was filed if it was.
fn again(site: &Site) -> (String, Option<String>) {
    let way = format!("Received: by server {} of", site.events().len());
    site.deliver("a.eml", mail("a", &["all"], "a").replace("Received:", &way));
    let event = site.pass();
    let recipient = &event["mails"][0]["recipients"][0];
    let created_by = recipient.get("created_by").map(|by| by.as_str().unwrap().to_owned());
    (recipient["outcome"].as_str().unwrap().to_owned(), created_by)
}

#[test]
fn an_anonymous_copy_cannot_pre_empt_a_proven_one() {
    let site = Site::open_to_all();
    site.ok(&["user", "add", "alice", "--address", "alice@example.org"]);
    let filed = |by: &str| ("filed".to_owned(), Some(by.to_owned()));
    let duplicate = || ("duplicate".to_owned(), None);
    assert_eq!(again(&site), filed("System Account"));
    assert_eq!(again(&site), duplicate());
    site.ok(&["library", "set", "all", "--trust-from", "yes"]);
    assert_eq!(again(&site), filed("alice"));
    assert_eq!(again(&site), duplicate());
    // Without an identity it claims nothing that the better one has not.
    site.ok(&["library", "set", "all", "--trust-from", "no"]);
    assert_eq!(again(&site), duplicate());
    assert_eq!(site.documents("all").len(), 4);
}

#[test]
fn a_proven_filing_stands_for_an_anonymous_copy_and_not_for_another_users() {
    let site = Site::open_to_all();
    site.ok(&["library", "set", "all", "--trust-from", "yes"]);
    site.ok(&["user", "add", "alice", "--address", "alice@example.org"]);
    assert_eq!(again(&site).1.as_deref(), Some("alice"));
    site.ok(&["library", "set", "all", "--trust-from", "no"]);
    assert_eq!(again(&site).0, "duplicate");
    site.ok(&["library", "set", "all", "--trust-from", "yes"]);
    site.ok(&["user", "remove", "alice"]);
    site.ok(&["user", "add", "alicia", "--address", "alice@example.org"]);
    assert_eq!(again(&site).1.as_deref(), Some("alicia"));
}

#[test]
fn the_envelope_and_the_name_of_the_file_make_no_difference_and_one_byte_does() {
    let site = Site::open_to_all();
    site.ok(&["library", "add", "other", "--alias", "other", "--sender-policy", "anyone"]);
    site.deliver("a.eml", mail("a", &["all"], "a"));
    site.deliver(
        "b.eml",
        format!("x-sender: x@y.z\r\nx-receiver: all@docs.example.org\r\n{}", message("a", "a")),
    );
    site.deliver("c.eml", mail("a", &["other"], "a"));
    site.deliver("d.eml", mail("a", &["all"], "b"));
    let event = site.pass();
    assert_eq!((&event["filed"], &event["duplicate"]), (&3.into(), &1.into()));
    assert_eq!((site.documents("all").len(), site.documents("other").len()), (4, 1));
}

type Change = dyn Fn(&str) -> String;

/// The outcome of the one mail of a pass for its one recipient.
fn outcome(event: &Value) -> (&str, &str) {
    let recipient = &event["mails"][0]["recipients"][0];
    (recipient["outcome"].as_str().unwrap(), recipient["because"].as_str().unwrap_or_default())
}

#[test]
fn another_way_is_no_other_mail() {
    let site = Site::open_to_all();
    site.deliver("a.eml", mail("a", &["all"], "Größe\r\nund Preis"));
    let first = site.pass();
    assert_eq!(outcome(&first).0, "filed");
    let ways: [(&str, &Change); 6] = [
        ("LF", &|mail| mail.replace("\r\n", "\n")),
        ("another server", &|mail| mail.replace("from mail.example.net", "from mail2.example.net")),
        ("a resend", &|mail| mail.replace("From:", "Resent-From: bob@example.org\r\nFrom:")),
        ("a list", &|mail| {
            mail.replace("From:", "List-Id: <l.example.org>\r\nSender: l@example.org\r\nFrom:")
        }),
        ("quoted-printable", &|mail| {
            mail.replace("; filename", ";\r\n filename")
                .replace(
                    "attachment.txt\"\r\n",
                    "attachment.txt\"\r\nContent-Transfer-Encoding: quoted-printable\r\n",
                )
                .replace("Größe", "Gr=C3=B6=C3=9Fe")
        }),
        ("base64", &|mail| {
            mail.replace("attachment.txt\"\r\n", "attachment.txt\"\r\nContent-Transfer-Encoding: base64\r\n")
                .replace("Größe\r\nund Preis", "R3LDtsOfZQ0KdW5kIFByZWlz")
        }),
    ];
    for (way, change) in ways {
        let plain = mail("a", &["all"], "Größe\r\nund Preis");
        let changed = change(&plain);
        assert_ne!(changed, plain, "{way}");
        site.deliver("b.eml", &changed);
        let told = site.json(&["explain", site.path("drop/b.eml").to_str().unwrap()]).remove(0);
        let event = site.pass();
        let why = "filed before, as “attachment.txt”, “Mail a.eml”, for all@docs.example.org; it came another way \
                   then: Message-ID, From, Date, Subject and parts are the same";
        assert_eq!(outcome(&event), ("duplicate", why), "{way}");
        let recipient = &event["mails"][0]["recipients"][0];
        assert_eq!(recipient["duplicate_of"], first["mails"][0]["mail"], "{way}");
        assert_eq!(&told["recipients"][0]["because"], &recipient["because"], "{way}, foretold");
        let shown = site.json(&["mail", "show", event["mails"][0]["mail"].as_str().unwrap()]).remove(0);
        assert_eq!(shown["also_filed"][0], first["mails"][0]["mail"], "{way}");
        assert_eq!(shown["recipients"][0]["duplicate_of"], first["mails"][0]["mail"], "{way}");
        let text = site.ok(&["mail", "show", shown["mail"].as_str().unwrap()]);
        let line = format!("\n  duplicate of   {}\n", first["mails"][0]["mail"].as_str().unwrap());
        assert!(text.contains(&line), "{text}");
    }
    assert_eq!(site.documents("all").len(), 2);
    site.assert_sound();
}

#[test]
fn two_mails_are_two_whatever_they_share() {
    let site = Site::open_to_all();
    let plain = || mail("a", &["all"], "a");
    let mails = [
        plain(),
        plain().replace("See below.", "See above."),
        plain().replace("\r\na\r\n--b--", "\r\nb\r\n--b--"),
        plain().replace("<a@example.net>", "<b@example.net>"),
        plain().replace("Message-ID: <a@example.net>", "Date: Sat, 21 Nov 2026 04:00:00 +0000"),
        plain().replace("Subject: Mail a", "Subject: Mail b"),
        plain().replace("Alice <alice@", "Alice <alicia@"),
        plain().replace("Subject:", "Date: Sat, 21 Nov 2026 04:00:00 +0000\r\nSubject:"),
        plain().replace("attachment.txt", "attachment2.txt"),
    ];
    for (nth, mail) in mails.iter().enumerate() {
        site.deliver(&format!("{nth}.eml"), mail);
    }
    assert_eq!(site.pass()["filed"], mails.len());
    // Each of them is known again, with or without a Message-ID.
    for (nth, mail) in mails.iter().enumerate() {
        site.deliver(
            &format!("{nth}.eml"),
            mail.replace("Received: from", "Received: by another server from"),
        );
    }
    assert_eq!(site.pass()["duplicate"], mails.len());
}

#[test]
fn another_way_to_another_library_is_filed_there() {
    let site = Site::open_to_all();
    site.ok(&["library", "add", "other", "--alias", "other", "--sender-policy", "anyone"]);
    site.deliver("a.eml", mail("a", &["all"], "a"));
    site.deliver("b.eml", mail("a", &["other", "all"], "a").replace("Received: from", "Received: by x from"));
    let event = site.pass();
    assert_eq!((&event["filed"], &event["duplicate"]), (&2.into(), &1.into()));
    assert_eq!((site.documents("all").len(), site.documents("other").len()), (2, 1));
    // Nothing is stored that nothing refers to, be it in one batch.
    site.assert_sound();
}

#[test]
fn what_was_removed_meanwhile_stands_for_nothing() {
    let site = Site::open_to_all();
    assert_eq!(again(&site).0, "filed");
    assert_eq!(again(&site).0, "duplicate");
    let catalog = rusqlite::Connection::open(site.path("state/catalog.db")).unwrap();
    catalog.execute("DELETE FROM versions WHERE original = 1", []).unwrap();
    assert_eq!(again(&site).0, "duplicate", "one of its two documents still stands");
    catalog.execute_batch("DELETE FROM versions; DELETE FROM documents").unwrap();
    drop(catalog);
    assert_eq!(again(&site).0, "filed");
    assert_eq!(again(&site).0, "duplicate");
}

/// Old mail comes from the backup of a mailbox once more: with LF, and with a delivery's own fields above.
#[test]
fn a_maildir_replayed_after_the_drop_files_nothing_twice() {
    let site = Site::open_to_all();
    for nth in 0..3 {
        site.deliver(&format!("{nth}.eml"), mail(&nth.to_string(), &["all"], "a\r\nb"));
    }
    assert_eq!(site.pass()["filed"], 3);
    let maildir = site.path("old");
    for folder in ["cur", "new", "tmp"] {
        fs::create_dir_all(maildir.join(folder)).unwrap();
    }
    for nth in 0..4 {
        let own = format!("Return-Path: <alice@example.org>\nDelivered-To: all@{DOMAIN}\n");
        let text = own + &message(&nth.to_string(), "a\r\nb").replace("\r\n", "\n");
        fs::write(maildir.join(format!("new/{nth}")), text).unwrap();
    }
    let events = site.json(&["replay", maildir.to_str().unwrap()]);
    let event = events.iter().find(|event| event["event_id"] == 6871).unwrap();
    assert_eq!((&event["filed"], &event["duplicate"]), (&1.into(), &3.into()));
    assert_eq!(site.documents("all").len(), 8);
}

/// Two servers get every mail, each by its own way, and file into one catalog.
#[test]
fn two_workers_at_once_file_a_mail_once() {
    const MAILS: usize = 40;
    let site = Site::open_to_all();
    fs::create_dir(site.path("drop2")).unwrap();
    let config = fs::read_to_string(site.path("mailshelf.toml")).unwrap();
    let second =
        config.replace("path = \"drop\"", "path = \"drop2\"").replace("node = \"\"", "node = \"n2\"");
    assert_ne!(second, config);
    fs::write(site.path("second.toml"), second.replace("events.jsonl", "events2.jsonl")).unwrap();
    for nth in 0..MAILS {
        let name = format!("{nth}.eml");
        let text = mail(&nth.to_string(), &["all"], "a");
        site.deliver(&name, &text);
        fs::write(site.path("drop2").join(name), text.replace("Received: from", "Received: by n2 from"))
            .unwrap();
    }
    let run = |config: &str| {
        let mut command = site.command(&["run", "--json"]);
        command.env("MAILSHELF_CONFIG", "").arg("--config").arg(site.path(config));
        command.stdout(std::process::Stdio::piped()).spawn().unwrap()
    };
    let mut total = (0, 0);
    for worker in [run("mailshelf.toml"), run("second.toml")] {
        let output = worker.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
        for event in lines(&String::from_utf8(output.stdout).unwrap()) {
            total.0 += event["filed"].as_u64().unwrap();
            total.1 += event["duplicate"].as_u64().unwrap();
        }
    }
    assert_eq!(total, (MAILS as u64, MAILS as u64));
    assert_eq!(site.documents("all").len(), 2 * MAILS);
}

/// What has neither a Message-ID nor a Date is known again by its bytes alone.
#[test]
fn a_report_that_a_device_sends_twice_is_filed_twice() {
    let site = Site::open_to_all();
    let report = mail("a", &["all"], "All is well.").replace("Message-ID: <a@example.net>\r\n", "");
    for (text, end) in [
        (report.clone(), "filed"),
        (report.clone(), "duplicate"),
        (report.replace("04:00:00", "05:00:00"), "filed"),
    ] {
        site.deliver("a.eml", text);
        assert_eq!(outcome(&site.pass()).0, end);
    }
}
