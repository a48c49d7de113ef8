//! Settings of libraries at each of their values: what a pass does by them, and that `explain` foretells it.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::util::{DOMAIN, PROGRAM, Site, sha256};

/// A mail to the library `all` with these lines of header, and an attachment for each name and text.
fn mail(header: &str, attachments: &[(&str, &str)]) -> String {
    let parts: String = attachments
        .iter()
        .map(|(name, text)| {
            format!(
                "--b\r\nContent-Type: application/octet-stream\r\n\
                 Content-Disposition: attachment; filename=\"{name}\"\r\n\r\n{text}\r\n"
            )
        })
        .collect();
    format!(
        "x-sender: alice@example.org\r\nx-receiver: all@{DOMAIN}\r\nReceived: from x by mx.{DOMAIN}\r\n{header}\
         MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n{parts}--b--\r\n"
    )
}

fn site(settings: &[&str]) -> Site {
    let site = Site::new();
    let add = ["library", "add", "all", "--alias", "all", "--sender-policy", "anyone"];
    site.ok(&[&add, settings].concat());
    site
}

/// Explains a mail, files it, and asserts that this was foretold; gives what is on record for its one recipient.
fn filed(site: &Site, mail: &str) -> Value {
    site.deliver("a.eml", mail);
    let told = site.json(&["explain", site.path("drop/a.eml").to_str().unwrap()]).remove(0);
    let record = site.pass()["mails"][0]["recipients"][0].clone();
    for field in ["outcome", "documents", "versions", "left_out", "because"] {
        assert_eq!(told["recipients"][0].get(field), record.get(field), "{field}");
    }
    site.assert_sound();
    record
}

/// What people read, without the line breaks that it has for them.
fn steps(site: &Site, mail: &str) -> String {
    site.deliver("told.eml", mail);
    let file = site.path("drop/told.eml");
    let text = site.ok(&["explain", file.to_str().unwrap()]);
    fs::remove_file(file).unwrap();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn folders_by_subject_and_by_sender() {
    for (by, header, folder) in [
        ("subject", "Subject: Quarter 1\r\nFrom: a@x.org\r\n", "Quarter 1"),
        ("subject", "Subject: Re: 3/4 \"done\".\r\nFrom: a@x.org\r\n", "Re_ 3_4 _done_"),
        ("subject", "Subject: =?utf-8?q?M=C3=A4rz?=\r\nFrom: a@x.org\r\n", "März"),
        ("subject", "Subject: ../../etc\r\nFrom: a@x.org\r\n", "_.._etc"),
        ("subject", "Subject: aux\r\nFrom: a@x.org\r\n", "aux_"),
        ("subject", "From: a@x.org\r\n", "no subject"),
        ("subject", "Subject: \r\nFrom: a@x.org\r\n", "no subject"),
        ("sender", "From: Alice <ALICE@Example.org>\r\n", "alice@example.org"),
        ("sender", "From: a@b\u{fc}cher.example\r\n", "a@xn--bcher-kva.example"),
        ("sender", "From: a@x.org, b@y.org\r\n", "a@x.org, b@y.org"),
        ("sender", "Subject: x\r\n", "no sender"),
        ("sender", "From: a|b@x.org\r\n", "a_b@x.org"),
    ] {
        let site = site(&["--attachments", by]);
        let record = filed(&site, &mail(header, &[("a.txt", "bytes")]));
        assert_eq!(record["documents"], serde_json::json!([format!("{folder}/a.txt")]), "{header}");
        assert_eq!(site.documents("all")[0]["folder"], folder);
        assert_eq!(site.document("all", &format!("{folder}/a.txt")), b"bytes");
    }
}

#[test]
fn the_original_stands_beside_its_documents_and_a_folder_keeps_its_spelling() {
    let site = site(&["--attachments", "subject", "--save-original", "yes"]);
    let first = filed(&site, &mail("Subject: March\r\n", &[("a.txt", "1")]));
    assert_eq!(first["documents"], serde_json::json!(["March/a.txt", "March/March.eml"]));
    let second = mail("Subject: MARCH\r\n", &[("A.txt", "2")]);
    let told = steps(&site, &second);
    assert!(
        told.contains("in the folder “March” (attachments subject) - “A.txt” → “A (2).txt” - "),
        "{told}"
    );
    let second = filed(&site, &second);
    assert_eq!(second["documents"], serde_json::json!(["March/A (2).txt", "March/MARCH (2).eml"]));
    let text = site.ok(&["document", "show", "all", "march/a.TXT"]);
    assert!(text.contains("folder      March\n") && text.contains("path        March/a.txt\n"), "{text}");
}

#[test]
fn overwriting_adds_versions_and_keeps_the_older_ones() {
    let site = site(&["--overwrite", "yes"]);
    for (version, header) in [(1, "Subject: 1\r\n"), (2, "Subject: 2\r\n"), (3, "Subject: 3\r\n")] {
        let texts = [format!("first {version}"), format!("second {version}")];
        let mail = mail(header, &[("a.txt", texts[0].as_str()), ("A.TXT", texts[1].as_str())]);
        let told = steps(&site, &mail);
        let said = format!("“A.TXT” → version {version} of “A (2).TXT” (overwrite yes)");
        assert_eq!(told.contains(&said), version > 1, "{told}");
        let record = filed(&site, &mail);
        assert_eq!(record["documents"], serde_json::json!(["a.txt", "A (2).TXT"]), "never onto its own");
        if version > 1 {
            assert_eq!(record["versions"][0], serde_json::json!({"path": "a.txt", "version": version}));
            assert_eq!(record["versions"].as_array().unwrap().len(), 2);
        }
    }
    assert_eq!(site.documents("all").len(), 2);
    for version in 1..=3 {
        for (path, text) in [("A.txt", "first"), ("a (2).txt", "second")] {
            let number = version.to_string();
            let got = site.ok(&["document", "get", "all", path, "--version", &number]);
            assert_eq!(got, format!("{text} {version}"));
            let shown = site.json(&["document", "show", "all", path, "--version", &number]).remove(0);
            assert_eq!(
                (&shown["version"], &shown["sha256"]),
                (&version.into(), &sha256(got.as_bytes()).into())
            );
            let listed: Vec<_> = shown["versions"]
                .as_array()
                .unwrap()
                .iter()
                .map(|one| one["version"].as_u64().unwrap())
                .collect();
            assert_eq!(listed, [3, 2, 1]);
        }
    }
    assert_eq!(site.document("all", "a.txt"), b"first 3");
    let text = site.ok(&["document", "show", "all", "a.txt"]);
    assert_eq!(text.split_once("\nVersions:\n").unwrap().1.lines().count(), 4, "{text}");
    let error = site.fails(2, &["document", "get", "all", "a.txt", "--version", "4"]);
    assert!(error.contains("document a.txt, version 4: there is none in library all"), "{error}");
    // The same mail again is no new version.
    let again = mail("Subject: 3\r\n", &[("a.txt", "first 3"), ("A.TXT", "second 3")]);
    assert_eq!(filed(&site, &again)["outcome"], "duplicate");
    // Overwriting no more: numbers, from the next on.
    site.ok(&["library", "set", "all", "--overwrite", "no"]);
    let record = filed(&site, &mail("Subject: 4\r\n", &[("a.txt", "4")]));
    assert_eq!((&record["documents"][0], record.get("versions")), (&"a (3).txt".into(), None));
    assert_eq!(site.document("all", "a.txt"), b"first 3");
}

/// More than a batch of them, with names that say nothing, as after an outage.
#[test]
fn mails_that_waited_become_versions_in_the_order_in_which_they_came() {
    let site = site(&["--overwrite", "yes"]);
    for nth in 0..300_u64 {
        let name = format!("{:02x}{nth}.eml", nth * 101 % 256);
        let text = nth.to_string();
        site.deliver(&name, mail("Subject: s\r\n", &[("a.txt", text.as_str())]));
        let file = fs::File::options().write(true).open(site.path("drop").join(name)).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000 + nth)).unwrap();
    }
    site.run();
    for version in [1, 2, 99, 255, 256, 257, 258, 300] {
        let number = version.to_string();
        let got = site.ok(&["document", "get", "all", "a.txt", "--version", &number]);
        assert_eq!(got, (version - 1).to_string());
    }
}

#[test]
fn the_version_is_told_where_events_are_read() {
    let site = site(&["--overwrite", "yes"]);
    for text in ["1", "2"] {
        site.deliver("a.eml", mail(&format!("Subject: {text}\r\n"), &[("a.txt", text)]));
        site.run();
        let told = site.ok(&["events"]);
        assert_eq!(told.contains("all: a.txt (version 2), by System Account"), text == "2", "{told}");
    }
    let id = site.documents("all")[0]["mail"].as_str().unwrap().to_owned();
    assert!(site.ok(&["mail", "show", &id]).contains("a.txt, version 2, 1 bytes, by System Account"));
}

const SHOWN: &str = "x-sender: a@x.org\r\nx-receiver: all@docs.example.org\r\nReceived: x\r\nSubject: s\r\n\
    MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
    --b\r\nContent-Type: text/html\r\n\r\n<img src=\"cid:logo@x\"><img src=\"cid:none@x\">\r\n\
    --b\r\nContent-Type: image/png\r\nContent-ID: <logo@x>\r\n\r\nPNG\r\n\
    --b\r\nContent-Type: image/png; name=\"b.png\"\r\nContent-ID: <none@x>\r\n\r\nPNG2\r\n\
    --b\r\nContent-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR\r\n\
    --b\r\nContent-Type: text/calendar; name=\"meeting.txt\"; method=REPLY\r\n\r\nBEGIN:VCALENDAR 2\r\n\
    --b\r\nContent-Type: text/plain; name=\"a.txt\"\r\nContent-Disposition: attachment\r\n\r\nbytes\r\n--b--\r\n";

#[test]
fn invitations_and_inline_images_are_filed_where_they_are_wanted() {
    let images = ["image.png", "b.png"];
    let invitations = ["invitation.ics", "meeting.txt.ics"];
    for (settings, documents, left_out) in [
        (&[][..], vec!["a.txt"], [&images[..], &invitations].concat()),
        (&["--inline-images", "yes"], [&images[..], &["a.txt"]].concat(), invitations.to_vec()),
        (&["--save-invitations", "yes"], [&invitations[..], &["a.txt"]].concat(), images.to_vec()),
        (
            &["--save-invitations", "yes", "--inline-images", "yes"],
            [&images[..], &invitations, &["a.txt"]].concat(),
            vec![],
        ),
    ] {
        let site = site(settings);
        let told = steps(&site, SHOWN);
        for setting in ["inline-images", "save-invitations"] {
            let no = !settings.contains(&format!("--{setting}").as_str());
            assert_eq!(told.contains(&format!("{setting} no")), no, "{told}");
        }
        let record = filed(&site, SHOWN);
        assert_eq!(record["documents"], serde_json::json!(documents), "{settings:?}");
        let parts: Vec<_> = record["left_out"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|left| left["part"].as_str().unwrap())
            .collect();
        assert_eq!(parts, left_out, "{settings:?}");
    }
}

#[test]
fn a_mail_of_nothing_but_what_is_left_out_says_by_which_setting() {
    let only = SHOWN.replace("name=\"a.txt\"\r\nContent-Disposition: attachment", "x=y");
    let site = site(&[]);
    let record = filed(&site, &only);
    assert_eq!(record["reason"], "nothing-to-file");
    let because = record["because"].as_str().unwrap();
    assert!(because.contains("inline-images no") && because.contains("save-invitations no"), "{because}");
}

/// Two workers of two nodes serve one drop and file under the same names; neither waits for the other to end.
#[test]
fn two_workers_lose_no_version_and_give_no_name_twice() {
    const MAILS: usize = 60;
    for (overwrite, documents) in [("yes", 2), ("no", 2 * MAILS)] {
        let site = site(&["--overwrite", overwrite, "--attachments", "sender"]);
        let configuration = fs::read_to_string(site.path("mailshelf.toml")).unwrap();
        for node in ["one", "two"] {
            let of_node = configuration.replace("node = \"\"", &format!("node = \"{node}\""));
            fs::write(site.path(&format!("{node}.toml")), of_node).unwrap();
        }
        for nth in 0..MAILS {
            let texts = [format!("first {nth}"), format!("second {nth}")];
            let mail =
                mail("From: a@x.org\r\n", &[("a.txt", texts[0].as_str()), ("A.txt", texts[1].as_str())]);
            site.deliver(&format!("{nth}.eml"), mail);
        }
        let run = |node: &str| {
            let mut command = Command::new(PROGRAM);
            command.arg("--config").arg(site.path(&format!("{node}.toml"))).arg("run");
            command.env_remove("MAILSHELF_LOG").stdout(Stdio::null()).spawn().unwrap()
        };
        for mut worker in ["one", "two"].map(run) {
            assert!(worker.wait().unwrap().success());
        }
        assert_eq!(site.documents("all").len(), documents, "overwrite {overwrite}");
        let mut digests = Vec::new();
        for document in site.documents("all") {
            let path = document["path"].as_str().unwrap();
            let versions = site.json(&["document", "show", "all", path]).remove(0)["versions"].take();
            let versions = versions.as_array().unwrap().clone();
            let numbers: Vec<_> = versions.iter().rev().map(|one| one["version"].as_u64().unwrap()).collect();
            assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>(), "{path}");
            digests.extend(versions.iter().map(|one| one["sha256"].as_str().unwrap().to_owned()));
        }
        let mut expected: Vec<_> = (0..MAILS)
            .flat_map(|nth| ["first", "second"].map(|which| sha256(format!("{which} {nth}").as_bytes())))
            .collect();
        digests.sort();
        expected.sort();
        assert_eq!(digests, expected, "overwrite {overwrite}");
        site.assert_sound();
    }
}

/// Stopped at each place of the crash table, a mail makes one version of its documents, whatever it is tried.
#[test]
fn a_crash_makes_no_version_twice() {
    let failpoints = [
        "claimed=abort",
        "contents-written=abort",
        "contents-published=abort",
        "stored=abort",
        "committed=abort",
        "disposed=abort",
        "concluded=abort",
    ];
    let site = site(&["--overwrite", "yes"]);
    for (nth, failpoint) in failpoints.iter().enumerate() {
        let text = format!("text {nth}");
        site.deliver(
            "a.eml",
            mail(&format!("Subject: {nth}\r\n"), &[("a.txt", text.as_str()), ("a.txt", "2nd")]),
        );
        site.die(failpoint);
        site.run();
        let shown = site.json(&["document", "show", "all", "a.txt"]).remove(0);
        assert_eq!(shown["version"], nth + 1, "{failpoint}");
        assert_eq!(shown["sha256"], sha256(text.as_bytes()), "{failpoint}");
        assert_eq!(
            site.json(&["document", "show", "all", "a (2).txt"])[0]["version"],
            nth + 1,
            "{failpoint}"
        );
        site.assert_sound();
    }
    assert_eq!(site.documents("all").len(), 2);
}

#[test]
fn aliases_that_no_library_may_have_are_refused_with_the_reason() {
    let site = site(&[]);
    site.ok(&["library", "add", "l", "--alias", "l"]);
    for (alias, why) in [
        ("postmaster", "postmaster must reach a person (RFC 5321 section 4.5.1)"),
        ("PostMaster", "postmaster must reach a person (RFC 5321 section 4.5.1)"),
        ("postmaster+scans", "postmaster must reach a person"),
        ("abuse", "abuse must reach a person (RFC 2142 section 4)"),
        ("noc", "(RFC 2142 section 4)"),
        ("security", "(RFC 2142 section 4)"),
        ("hostmaster", "(RFC 2142 section 5)"),
        ("webmaster", "(RFC 2142 section 5)"),
        ("mailer-daemon", "mail servers write under mailer-daemon"),
        ("all", "alias all: already taken by library all"),
        ("ALL", "alias all: already taken by library all"),
        ("a b", "an alias is made of a-z 0-9 . _ - + & ' ="),
        ("", "an alias has 1 to 128 characters"),
        (".a", "an alias has no dot at an end"),
        ("a..b", "no two dots together"),
        ("b\u{fc}cher", "an alias is made of"),
        ("a@b", "an alias is made of"),
    ] {
        for command in
            [&["library", "add", "new", "--alias", alias][..], &["library", "set", "l", "--alias", alias]]
        {
            let error = site.fails(2, command);
            assert!(error.contains(why), "{command:?}: {error}");
            assert!(error.starts_with("mailshelf: ") && error.contains("\nhint: "), "{command:?}: {error}");
        }
    }
    for alias in ["abused", "post-master", "info", "support", "sales"] {
        site.ok(&["library", "set", "l", "--alias", alias]);
    }
    assert_eq!(site.json(&["library", "list"]).len(), 2);
}

#[test]
fn an_alias_is_judged_with_the_prefix_before_it() {
    let site = Site::new();
    site.configure("alias_prefix = \"\"", "alias_prefix = \"post\"");
    let error = site.fails(2, &["library", "add", "l", "--alias", "master"]);
    assert!(error.contains("alias master: postmaster must reach a person"), "{error}");
    let long = "a".repeat(125);
    let error = site.fails(2, &["library", "add", "l", "--alias", &long]);
    assert!(error.contains("with the prefix post: an alias has 1 to 128 characters"), "{error}");
    let made = site.json(&["library", "add", "l", "--alias", "postmaster", "--sender-policy", "anyone"]);
    assert_eq!(made[0]["address"], format!("postpostmaster@{DOMAIN}"));
    let error = site.fails(2, &["library", "set", "l", "--alias", "master"]);
    assert!(error.contains("postmaster must reach a person"), "{error}");
    site.ok(&["library", "set", "l", "--title", "Other"]);
    let mail = mail("", &[("a.txt", "1")]).replace("x-receiver: all@", "x-receiver: postpostmaster@");
    site.deliver("a.eml", mail);
    assert_eq!(site.pass()["filed"], 1);
}
