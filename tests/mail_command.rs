//! `mailshelf mail`: what became of each mail, and the mail itself while it is anywhere.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::colour::in_terminal;
use crate::util::{Site, entries, mail, message, name, sha256};

/// Three mails, each taken by a run of its own: filed, filed again and refused, from somebody else and refused.
fn busy() -> Site {
    let site = Site::open_to_all();
    site.deliver("a.eml", mail("a", &["all"], "a"));
    site.run();
    site.deliver("b.eml", mail("a", &["all", "docs72"], "a"));
    site.run();
    site.deliver("c.eml", mail("c", &["docs74"], "c").replace("alice@example.org", "bob@example.com"));
    site.run();
    site
}

fn files(site: &Site, arguments: &[&str]) -> Vec<String> {
    let mails = site.json(&[&["mail", "list"], arguments].concat());
    mails.iter().map(|mail| mail["file"].as_str().unwrap().to_owned()).collect()
}

/// The id of the mail that stood in the drop under this name.
fn id(site: &Site, file: &str) -> String {
    let mails = site.json(&["mail", "list"]);
    mails.iter().find(|mail| mail["file"] == file).unwrap()["mail"].as_str().unwrap().to_owned()
}

#[test]
fn mails_are_listed_newest_first_with_their_outcomes() {
    let site = busy();
    let text = site.ok(&["mail", "list"]);
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 4, "{text}");
    assert_eq!(
        lines[0].split_whitespace().collect::<Vec<_>>(),
        ["id", "taken", "from", "subject", "outcome"]
    );
    for (line, file, end) in [
        (lines[1], "c.eml", "bob@example.com    Mail c   rejected unknown-alias"),
        (lines[2], "b.eml", "alice@example.org  Mail a   duplicate all, rejected unknown-alias"),
        (lines[3], "a.eml", "alice@example.org  Mail a   filed all"),
    ] {
        assert!(line.starts_with(&id(&site, file)) && line.ends_with(end), "{text}");
    }
    assert_eq!(files(&site, &[]), ["c.eml", "b.eml", "a.eml"]);
}

#[test]
fn a_mail_as_json_has_all_that_scripts_ask_for() {
    let site = busy();
    let shown = site.json(&["mail", "list"]).remove(2);
    let bytes = message("a", "a");
    let event = &site.events()[0]["mails"][0];
    for key in ["mail", "sha256", "message_id", "from", "envelope_sender", "subject", "size", "file"] {
        assert_eq!(shown[key], event[key], "{key}: as the event has it");
    }
    assert_eq!(shown["sha256"], sha256(bytes.as_bytes()));
    assert_eq!(shown["state"], "done");
    assert_eq!((&shown["attempts"], &shown["error"]), (&0.into(), &Value::Null));
    for time in ["taken_at", "arrived_at"] {
        assert_eq!(shown[time].as_str().unwrap().len(), 24, "{time}");
    }
    assert_eq!(
        shown["recipients"],
        json!([{
            "address": "all@docs.example.org", "outcome": "filed", "reason": null, "library": "all",
            "identity": null, "level": "none", "proof": "nobody we know", "unverified": true, "documents": ["attachment.txt", "Mail a.eml"],
        }])
    );
}

#[test]
fn only_the_newest_and_it_is_said_that_there_are_more() {
    let site = busy();
    assert_eq!(files(&site, &["-n", "2"]), ["c.eml", "b.eml"]);
    assert_eq!(files(&site, &["-n", "0"]), ["c.eml", "b.eml", "a.eml"]);
    let more = |arguments: &[&str]| {
        let text = site.ok(&[&["mail", "list"], arguments].concat());
        text.lines().last().unwrap().starts_with("There are more than these ")
    };
    assert!(more(&["-n", "2"]));
    assert!(!more(&["-n", "3"]) && !more(&["-n", "0"]) && !more(&[]));
    assert!(more(&["-n", "1", "--outcome", "rejected"]));
    assert!(!more(&["-n", "1", "--outcome", "filed"]));
}

#[test]
fn a_long_list_is_read_a_page_at_a_time() {
    let site = busy();
    let catalog = rusqlite::Connection::open(site.path("state/catalog.db")).unwrap();
    let sql = "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 600)
               INSERT INTO mails (delivery, file, node, digest, size, message_id, from_address, envelope_sender, subject,
                   arrived_at, state, attempts, fault)
               SELECT printf('01ARZ3NDEK%016d', n), file, node, digest, size, message_id,
                   from_address, envelope_sender, subject, arrived_at, state, attempts, fault
               FROM numbers JOIN mails WHERE file = 'a.eml'";
    assert_eq!(catalog.execute(sql, []).unwrap(), 600);
    let all = site.json(&["mail", "list", "-n", "0"]);
    let ids: Vec<_> = all.iter().map(|mail| mail["mail"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 603);
    assert!(ids.is_sorted_by(|one, next| one > next), "newest first, each once");
    assert_eq!(site.json(&["mail", "list", "-n", "300"]), all[..300]);
    assert_eq!(site.ok(&["mail", "list", "-n", "0"]).lines().count(), 604);
    let last = |n: &str| site.ok(&["mail", "list", "-n", n]).lines().last().unwrap().to_owned();
    assert_eq!(last("300"), "There are more than these 300: -n N shows N, -n 0 all.");
    // The end of a page: what follows has not been looked at.
    assert_eq!(last("256"), "There may be more than these 256: -n N shows N, -n 0 all.");
    assert!(last("603").starts_with("01ARZ3NDEK"));
    assert_eq!(site.json(&["mail", "list", "--sender", "bob@example.com", "-n", "0"]).len(), 1);
}

#[test]
fn documents_are_those_of_the_recipient_that_was_filed() {
    let site = Site::open_to_all();
    site.deliver("a.eml", mail("a", &["all", "all+scans"], "a"));
    site.run();
    let recipients = site.json(&["mail", "list"]).remove(0)["recipients"].clone();
    assert_eq!(
        (&recipients[0]["outcome"], &recipients[1]["outcome"]),
        (&"filed".into(), &"duplicate".into())
    );
    assert_eq!(recipients[0]["documents"], json!(["attachment.txt", "Mail a.eml"]));
    assert_eq!((&recipients[1]["library"], &recipients[1]["documents"]), (&"all".into(), &json!([])));
}

#[test]
fn mails_of_a_time_an_outcome_a_library_and_a_sender() {
    let site = busy();
    let taken = site.json(&["mail", "list"])[1]["taken_at"].as_str().unwrap().to_owned();
    assert_eq!(files(&site, &["--since", &taken]), ["c.eml", "b.eml"]);
    assert_eq!(files(&site, &["--until", &taken]), ["a.eml"]);
    assert_eq!(files(&site, &["--since", "1h", "--until", "now"]), ["c.eml", "b.eml", "a.eml"]);
    assert_eq!(files(&site, &["--outcome", "rejected"]), ["c.eml", "b.eml"]);
    assert_eq!(files(&site, &["--outcome", "duplicate", "--library", "ALL"]), ["b.eml"]);
    assert_eq!(files(&site, &["--reason", "unknown-alias", "--sender", "@EXAMPLE.com"]), ["c.eml"]);
    assert_eq!(files(&site, &["--sender", "alice@example.org"]), ["b.eml", "a.eml"]);
    assert_eq!(files(&site, &["--library", "all", "--reason", "unknown-alias"]), Vec::<String>::new());
    assert_eq!(site.ok(&["mail", "list", "--sender", "nobody"]), "No mail matches.\n");
    let error = site.fails(2, &["mail", "list", "--library", "al"]);
    assert!(error.starts_with("mailshelf: library al: there is none\nhint: "), "{error}");
}

#[test]
fn a_user_is_found_by_login() {
    let site = Site::new();
    site.ok(&["library", "add", "x", "--alias", "x", "--trust-from", "yes"]);
    site.ok(&["user", "add", "carol", "--address", "alice@example.org"]);
    site.ok(&["grant", "x", "user:carol", "contributor"]);
    site.deliver("a.eml", mail("a", &["x"], "a"));
    site.run();
    for login in ["carol", "Carol"] {
        assert_eq!(files(&site, &["--sender", login]), ["a.eml"]);
        assert_eq!(site.json(&["events", "--sender", login]).len(), 1);
    }
    assert_eq!(files(&site, &["--sender", "alice"]), Vec::<String>::new());
    let recipient = &site.json(&["mail", "list"])[0]["recipients"][0];
    assert_eq!((&recipient["identity"], &recipient["unverified"]), (&"carol".into(), &Value::Null));
    assert!(site.ok(&["mail", "show", &id(&site, "a.eml")]).contains(", by carol\n"));
}

#[test]
fn what_strangers_wrote_is_cut_and_escaped() {
    let site = Site::open_to_all();
    let nasty = mail("a", &["all"], "a").replace(
        "Subject: Mail a",
        &format!("Subject: =?utf-8?Q?=1B[2J=0Ax=E2=80=AEy?= {}", "long ".repeat(30)),
    );
    site.deliver("a\u{1b}[31m\n.eml", nasty);
    site.run();
    let id = site.json(&["mail", "list"])[0]["mail"].as_str().unwrap().to_owned();
    for text in [site.ok(&["mail", "list"]), site.ok(&["mail", "show", &id])] {
        let unsafe_char = |c: &char| (c.is_control() && *c != '\n') || *c == '\u{202e}';
        assert_eq!(text.chars().find(unsafe_char), None, "{text:?}");
    }
    assert!(site.ok(&["mail", "list"]).contains("…  filed all"));
    assert_eq!(site.ok(&["mail", "list"]).lines().count(), 2);
}

#[test]
fn one_mail_is_shown_with_everything_on_record() {
    let site = busy();
    let (a, b) = (id(&site, "a.eml"), id(&site, "b.eml"));
    let text = site.ok(&["mail", "show", &a]);
    for line in [
        &format!("mail             {a}"),
        "from             alice@example.org",
        "message-id       <a@example.net>",
        "state            done",
        "its file         deleted, every outcome being on record",
        "original         in the contents",
        "for              all@docs.example.org",
        "  outcome        filed",
        "  document       attachment.txt, version 1, 1 bytes, by System Account, unverified",
    ] {
        assert!(text.lines().any(|shown| shown == line), "{line}: {text}");
    }
    assert!(!text.contains("also filed as"), "{text}");
    let text = site.ok(&["mail", "show", &b]);
    assert!(text.contains(&format!("also filed as    {a}, taken ")), "{text}");
    assert!(text.contains("  reason         unknown-alias\n"), "{text}");

    let shown = site.json(&["mail", "show", &b]).remove(0);
    let listed = site.json(&["mail", "list"]).remove(1);
    for (key, value) in listed.as_object().unwrap() {
        assert_eq!(&shown[key], value, "{key}");
    }
    assert_eq!((&shown["original"], &shown["also_filed"]), (&true.into(), &json!([a])));
    assert_eq!((&shown["documents"], &shown["files"]), (&json!([]), &json!([])));
    let documents = site.json(&["mail", "show", &a]).remove(0)["documents"].clone();
    assert_eq!(documents[0]["path"], "attachment.txt");
    assert_eq!((&documents[1]["original"], &documents[1]["version"]), (&true.into(), &1.into()));
}

#[test]
fn the_beginning_of_an_id_will_do_if_it_is_the_only_one() {
    let site = busy();
    let a = id(&site, "a.eml");
    let shown = site.ok(&["mail", "show", &a]);
    assert_eq!(site.ok(&["mail", "show", &a[..25]]), shown);
    assert_eq!(site.ok(&["mail", "show", &a.to_lowercase()]), shown);
    let catalog = rusqlite::Connection::open(site.path("state/catalog.db")).unwrap();
    for id in ["01ARZ3NDEKTSV4RRFFQ69G5FA1", "01ARZ3NDEKTSV4RRFFQ69G5FA2"] {
        let sql = "INSERT INTO mails (delivery, file, node, digest, size, message_id, from_address, envelope_sender, subject,
                   arrived_at, state, attempts, fault)
               SELECT ?1, file, node, digest, size, message_id, from_address, envelope_sender,
                   subject, arrived_at, state, attempts, fault FROM mails WHERE delivery = ?2";
        assert_eq!(catalog.execute(sql, [id, &a]).unwrap(), 1);
    }
    for (command, (id, why)) in ["show", "get"].iter().flat_map(|command| {
        let wrong = [
            ("01ARZ3NDEK", "several ids begin like that"),
            ("01ARZ3N", "8 of them"),
            ("01ARZ3NDEKTSV4RRFFQ69G5FA3", "there is none"),
            ("nonsense!", "there is none"),
            ("~~~~~~~~", "there is none"),
            ("%%%%%%%%", "there is none"),
        ];
        wrong.map(|wrong| (command, wrong))
    }) {
        let error = site.fails(2, &["mail", command, id]);
        assert!(error.starts_with(&format!("mailshelf: mail {id}: ")), "{error}");
        assert!(error.contains(why) && error.contains("\nhint: "), "{error}");
    }
    site.ok(&["mail", "show", "01ARZ3NDEKTSV4RRFFQ69G5FA2"]);
}

fn get(site: &Site, id: &str) -> Vec<u8> {
    let output = site.output(&["mail", "get", id]);
    assert!(output.status.success(), "{output:?}");
    output.stdout
}

#[test]
fn a_mail_that_was_filed_with_its_original_comes_back_to_the_byte() {
    let site = busy();
    for file in ["a.eml", "b.eml"] {
        assert_eq!(get(&site, &id(&site, file)), message("a", "a").as_bytes(), "{file}");
    }
    let file = site.path("out");
    fs::write(&file, "old").unwrap();
    site.ok(&["mail", "get", &id(&site, "a.eml"), "-o", file.to_str().unwrap()]);
    assert_eq!(fs::read(&file).unwrap(), message("a", "a").as_bytes());
}

#[test]
fn a_mail_that_is_kept_aside_comes_back_without_its_envelope() {
    let site = Site::new();
    site.configure("rejected = \"delete\"", "rejected = \"keep\"");
    site.deliver("a.eml", mail("a", &["nobody"], "a"));
    site.run();
    let id = id(&site, "a.eml");
    assert_eq!(get(&site, &id), message("a", "a").as_bytes());
    let kept = entries(&site.path("state/kept")).remove(0);
    let shown = site.json(&["mail", "show", &id]).remove(0);
    assert_eq!(shown["files"], json!([{"place": "kept", "path": kept}]));
    assert!(
        site.ok(&["mail", "show", &id])
            .contains(&format!("its file         kept aside: {}\n", kept.display()))
    );

    // In badmail, and still claimed: the same file.
    let name = name(&kept);
    for (folder, place) in [("state/badmail", "badmail"), ("drop/.claimed/other", "claimed")] {
        fs::create_dir_all(site.path(folder)).unwrap();
        let there = site.path(folder).join(&name);
        fs::rename(&kept, &there).unwrap();
        assert_eq!(get(&site, &id), message("a", "a").as_bytes(), "{place}");
        assert_eq!(site.json(&["mail", "show", &id])[0]["files"][0]["place"], place);
        assert_eq!(fs::read_to_string(&there).unwrap(), mail("a", &["nobody"], "a"), "left as it was");
        fs::rename(&there, &kept).unwrap();
    }

    fs::write(&kept, mail("a", &["nobody"], "A")).unwrap();
    let out = site.path("out");
    let error = site.fails(1, &["mail", "get", &id, "-o", out.to_str().unwrap()]);
    assert!(error.contains("its bytes are not those that were taken"), "{error}");
    assert!(!out.exists());
}

#[test]
fn a_mail_of_a_maildir_comes_back_whole() {
    let site = Site::new();
    for part in ["new", "cur", "tmp"] {
        fs::create_dir(site.path("drop").join(part)).unwrap();
    }
    site.configure("rejected = \"delete\"", "rejected = \"keep\"");
    let mail = format!("X-Original-To: nobody@docs.example.org\r\n{}", message("a", "a"));
    fs::write(site.path("drop/new/1.M1P1.host"), &mail).unwrap();
    site.run();
    assert_eq!(get(&site, &id(&site, "1.M1P1.host")), mail.as_bytes());
}

#[test]
fn a_mail_that_waits_is_found_among_the_claims() {
    let site = Site::open_to_all();
    for first in 0..=255 {
        fs::write(site.path("state/contents").join(format!("{first:02x}")), "").unwrap();
    }
    site.deliver("a.eml", mail("a", &["all"], "a"));
    site.fails(1, &["run"]);
    let id = id(&site, "a.eml");
    assert_eq!(files(&site, &["--outcome", "deferred"]), ["a.eml"]);
    assert_eq!(get(&site, &id), message("a", "a").as_bytes());
    let text = site.ok(&["mail", "show", &id]);
    for part in [
        "state            open",
        "error            ",
        "its file         claimed: ",
        "  outcome        deferred",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn a_mail_that_was_given_up_unread_is_told_with_its_place() {
    let site = Site::open_to_all();
    site.deliver("a.eml", mail("a", &["all"], "a"));
    let output =
        site.command(&["run"]).env("MAILSHELF_FAILPOINT", "parsed:a@example.net=panic").output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let id = id(&site, "a.eml");
    let bad = entries(&site.path("state/badmail")).remove(0);
    assert!(site.ok(&["mail", "list"]).trim_end().ends_with("(no subject)  badmail"));
    let error = site.fails(1, &["mail", "get", &id]);
    assert!(
        error.contains("it could not be read")
            && error.contains(&format!("hint: its file is {}", bad.display()))
    );
    assert!(
        site.ok(&["mail", "show", &id])
            .contains(&format!("its file         in badmail: {}\n", bad.display()))
    );
}

#[test]
fn a_mail_that_is_nowhere_is_told_why_and_what_keeps_those_to_come() {
    let site = Site::open_to_all();
    site.ok(&["library", "set", "all", "--save-original", "no"]);
    site.deliver("a.eml", mail("a", &["all"], "a"));
    site.deliver("b.eml", mail("b", &["nobody"], "b"));
    site.run();
    for (file, what, hint) in [
        ("a.eml", "only its attachments were kept", "`mailshelf library set all --save-original yes` keeps"),
        ("b.eml", "it was rejected, and not kept", "drop.rejected = \"keep\" keeps"),
    ] {
        let id = id(&site, file);
        let error = site.fails(1, &["mail", "get", &id]);
        assert!(error.starts_with(&format!("mailshelf: mail {id}: {what}\nhint: {hint}")), "{error}");
        assert_eq!(site.json(&["mail", "show", &id])[0]["original"], false);
    }
}

#[test]
fn a_mail_that_is_not_done_with_was_not_rejected_although_its_file_is_gone() {
    let site = Site::open_to_all();
    for first in 0..=255 {
        fs::write(site.path("state/contents").join(format!("{first:02x}")), "").unwrap();
    }
    site.deliver("a.eml", mail("a", &["all"], "a"));
    site.fails(1, &["run"]);
    fs::remove_dir_all(site.path("drop/.claimed")).unwrap();
    let id = id(&site, "a.eml");
    let catalog = rusqlite::Connection::open(site.path("state/catalog.db")).unwrap();
    for (state, told) in [
        ("open", "it is deferred, and its file is not found among the claims"),
        ("badmail", "it was given up, and its file is not found in badmail"),
    ] {
        catalog.execute("UPDATE mails SET state = ?1", [state]).unwrap();
        let error = site.fails(1, &["mail", "get", &id]);
        let hint = format!("`mailshelf mail show {id}` tells what is on record of it");
        assert_eq!(error, format!("mailshelf: mail {id}: {told}\nhint: {hint}\n"));
    }
}

#[test]
fn what_only_looks_makes_no_catalog() {
    let site = busy();
    let (id, catalog) = (id(&site, "a.eml"), site.path("state/catalog.db"));
    fs::rename(site.path("state"), site.path("away")).unwrap();
    fs::create_dir(site.path("state")).unwrap();
    for command in [&["mail", "list"][..], &["mail", "show", &id], &["events"]] {
        let error = site.fails(2, command);
        assert!(error.contains("state/catalog.db") && error.contains("there is none"), "{error}");
        assert!(!catalog.exists());
    }
}

#[test]
fn a_damaged_original_is_never_passed_off_as_the_mail() {
    let site = busy();
    let digest = sha256(message("a", "a").as_bytes());
    let content = site.contents().into_iter().find(|path| name(path) == digest).unwrap();
    let replace = |bytes: &[u8]| {
        fs::remove_file(&content).unwrap();
        fs::write(&content, bytes).unwrap();
    };
    let out = site.path("out");
    for bytes in [vec![b'x'; message("a", "a").len()], Vec::new()] {
        replace(&bytes);
        site.fails(1, &["mail", "get", &id(&site, "a.eml"), "-o", out.to_str().unwrap()]);
        assert!(!out.exists());
    }
    fs::remove_file(&content).unwrap();
    assert!(site.fails(1, &["mail", "get", &id(&site, "a.eml")]).contains(&digest));
}

#[test]
fn a_terminal_gets_plain_text_and_nothing_else_unless_it_is_named() {
    let site = Site::open_to_all();
    site.deliver("a.eml", mail("a", &["all"], "\u{1b}[2J"));
    site.deliver("b.eml", mail("b", &["all"], "plain\ttext"));
    site.run();
    let terminal = |arguments: &str| in_terminal(&site, &[("NO_COLOR", "1")], arguments);
    let nasty = message("a", "\u{1b}[2J").replace("\r\n", "\n");
    let (a, b) = (id(&site, "a.eml"), id(&site, "b.eml"));
    let Some(refused) = terminal(&format!("mail get {a}")) else { return };
    assert!(
        refused
            .starts_with("mailshelf: standard output: a terminal, and this is no plain text\nhint: -o FILE")
    );
    assert!(!refused.contains("Mail a"), "{refused:?}");
    assert_eq!(terminal(&format!("mail get {a} -o -")).unwrap().replace('\r', ""), nasty.replace('\r', ""));
    assert!(terminal(&format!("mail get {b}")).unwrap().contains("plain\ttext"));
    let nasty = site.documents("all").into_iter().find(|document| document["size"] == 4).unwrap();
    let path = nasty["path"].as_str().unwrap();
    let refused = terminal(&format!("document get all '{path}'")).unwrap();
    assert!(refused.contains("no plain text") && !refused.contains('\u{1b}'), "{refused:?}");
    assert!(Path::new(path).extension().is_some());
}
