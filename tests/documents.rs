//! Documents that are moved, removed, restored and purged.

use std::cell::Cell;
use std::fs;
use std::os::unix::fs::symlink;

use jiff::Timestamp;
use mailshelf_storage::catalog::sqlite::SqliteCatalog;
use mailshelf_storage::model::{Clash, Level, NewDocument};
use mailshelf_storage::{Catalog, Digest};
use serde_json::Value;

use crate::util::{Site, entries, lines, mail, name, sha256};

/// A library with `attachment.txt` and its original, `Mail a.eml`.
fn filed() -> Site {
    let site = Site::open_to_all();
    site.deliver("a.eml", mail("a", &["all"], "first"));
    site.pass();
    site
}

fn paths(site: &Site) -> Vec<String> {
    let paths = site.documents("all").into_iter();
    paths.map(|document| document["path"].as_str().unwrap().to_owned()).collect()
}

fn removed(site: &Site) -> Vec<Value> {
    site.json(&["document", "list", "all", "--removed"])
}

#[test]
fn a_document_is_removed_and_comes_back() {
    let site = filed();
    let gone = site.json(&["document", "remove", "all", "ATTACHMENT.txt"]).remove(0);
    assert_eq!(gone["path"], "attachment.txt");
    assert_eq!(paths(&site), ["Mail a.eml"]);
    let error = site.fails(2, &["document", "get", "all", "attachment.txt"]);
    assert!(error.contains("there is none in library all\nhint: it was removed: "), "{error}");
    let listed = removed(&site);
    assert_eq!(listed, std::slice::from_ref(&gone));
    assert!(listed[0]["removed_at"].as_str() < listed[0]["removed_until"].as_str());
    assert!(site.ok(&["document", "list", "all", "--removed"]).contains(gone["id"].as_str().unwrap()));
    site.assert_sound();
    assert!(site.ok(&["verify"]).starts_with("1 documents and 1 removed ones, 2 contents, 1 mails"));
    let told = site.ok(&["document", "restore", "all", "Attachment.TXT"]);
    assert_eq!(told, "attachment.txt is back in library all.\n");
    assert_eq!(site.document("all", "attachment.txt"), b"first");
    assert_eq!(
        site.ok(&["document", "list", "all", "--removed"]),
        "The recycle bin of library all is empty.\n"
    );
}

#[test]
fn all_that_is_named_is_removed_or_nothing() {
    let site = filed();
    let error = site.fails(2, &["document", "remove", "all", "attachment.txt", "no such"]);
    assert!(
        error.contains("document no such: there is none in library all\nhint: `mailshelf document list all`")
    );
    site.fails(2, &["document", "remove", "all", "attachment.txt", "attachment.txt"]);
    assert_eq!(paths(&site).len(), 2);
    site.ok(&["document", "remove", "all", "attachment.txt", "Mail a.eml"]);
    let error = site.fails(2, &["document", "restore", "all", "attachment.txt", "no such"]);
    assert!(error.contains("document no such: there is none in the recycle bin of library all"), "{error}");
    assert_eq!(paths(&site), [""; 0]);
}

/// Not every other path is a place that was taken; an id will do, and so will its beginning.
#[test]
fn what_comes_back_to_a_folder_spelt_anew_is_told_so() {
    let site = filed();
    site.ok(&["document", "move", "all", "attachment.txt", "Folder/"]);
    site.ok(&["document", "remove", "all", "folder/attachment.txt"]);
    site.ok(&["document", "move", "all", "Mail a.eml", "FOLDER/"]);
    let error = site.fails(2, &["document", "restore", "all", "0"]);
    assert!(error.contains("document 0: there is none in the recycle bin of library all"), "{error}");
    let id = removed(&site)[0]["id"].as_str().unwrap().to_lowercase();
    let told = site.ok(&["document", "restore", "all", &id[..20]]);
    let expected = "Folder/attachment.txt is back in library all as FOLDER/attachment.txt: its folder is spelt so now.\n";
    assert_eq!(told, expected);
    for path in ["FOLDER/attachment.txt", "FOLDER/Mail a.eml"] {
        site.ok(&["document", "remove", "all", path]);
    }
    let ids: Vec<_> = removed(&site).iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect();
    let shared = ids[0].bytes().zip(ids[1].bytes()).take_while(|(a, b)| a == b).count();
    if shared >= 8 {
        let error = site.fails(2, &["document", "restore", "all", &ids[0][..shared]]);
        assert!(error.contains("several ids begin like that\nhint: name more of it: "), "{error}");
    }
}

/// A mail sent again is filed again once nothing of it stands; what is restored then stands beside.
#[test]
fn what_is_removed_is_filed_again_and_both_may_stand() {
    let site = filed();
    site.ok(&["document", "remove", "all", "attachment.txt"]);
    site.deliver("b.eml", mail("a", &["all"], "first"));
    assert_eq!(site.pass()["duplicate"], 1, "its original still stands");
    site.ok(&["document", "remove", "all", "Mail a.eml"]);
    site.deliver("c.eml", mail("a", &["all"], "first"));
    let explained = site.ok(&["explain", site.path("drop/c.eml").to_str().unwrap()]);
    let explained = explained.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(explained.contains("Filed before? no; it was, as delivery 0"), "{explained}");
    assert!(explained.contains(", but no document of that stands any more ⇒ filed in all"), "{explained}");
    assert_eq!(site.pass()["filed"], 1);
    let told = site.ok(&["document", "restore", "all", "attachment.txt"]);
    assert_eq!(told, "attachment.txt is back in library all as attachment (2).txt: its place was taken.\n");
    assert_eq!(paths(&site), ["attachment (2).txt", "attachment.txt", "Mail a.eml"]);
    site.assert_sound();
}

#[test]
fn of_two_with_one_path_the_id_says_which() {
    let site = filed();
    site.ok(&["document", "remove", "all", "attachment.txt"]);
    site.deliver("b.eml", mail("b", &["all"], "second"));
    site.pass();
    site.ok(&["document", "remove", "all", "attachment.txt"]);
    let ids: Vec<_> = removed(&site).iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect();
    let error = site.fails(2, &["document", "restore", "all", "attachment.txt"]);
    assert!(error.contains("several of these were removed\nhint: name the one"), "{error}");
    assert!(ids.iter().all(|id| error.contains(id)), "{error}");
    site.ok(&["document", "restore", "all", &ids[1].to_lowercase(), &ids[1]]);
    assert_eq!(site.document("all", "attachment.txt"), b"second");
}

#[test]
fn a_document_moves_by_name_folder_and_library() {
    let site = filed();
    site.ok(&["library", "add", "other", "--alias", "other"]);
    let told = site.ok(&["document", "move", "all", "attachment.txt", "2026/"]);
    assert_eq!(told, "attachment.txt is now 2026/attachment.txt.\n");
    let told = site.ok(&["document", "move", "all", "2026/attachment.txt", "a:b?.txt"]);
    assert_eq!(told, "2026/attachment.txt is now a_b_.txt, as names are here.\n");
    let error = site.fails(2, &["document", "move", "all", "a_b_.txt", "mail A.eml"]);
    assert!(error.contains("document mail A.eml: already taken by a document of library all\nhint: choose"));
    let error = site.fails(2, &["document", "move", "all", "a_b_.txt", "a/b/c"]);
    assert!(error.contains("a folder in a folder\nhint: "), "{error}");
    let error = site.fails(2, &["document", "move", "all", "a_b_.txt", "--to", "no-such"]);
    assert!(error.contains("library no-such: there is none"), "{error}");
    let moved = site.json(&["document", "move", "all", "a_b_.txt", "--to", "other"]).remove(0);
    assert_eq!((&moved["library"], &moved["from"]["library"]), (&"other".into(), &"all".into()));
    assert_eq!(site.document("other", "a_b_.txt"), b"first");
    assert_eq!(paths(&site), ["Mail a.eml"]);
    // For the mail it stands where that was filed.
    site.ok(&["document", "remove", "all", "Mail a.eml"]);
    site.deliver("b.eml", mail("a", &["all"], "first"));
    let event = site.pass();
    let recipient = &event["mails"][0]["recipients"][0];
    assert_eq!(recipient["outcome"], "duplicate");
    assert_eq!(
        recipient["because"],
        "filed before, as “a_b_.txt in library other”, for all@docs.example.org"
    );
    let id = event["mails"][0]["recipients"][0]["duplicate_of"].as_str().unwrap();
    let shown = site.ok(&["mail", "show", id]);
    assert!(shown.contains("document       a_b_.txt (moved to other since), version 1"), "{shown}");
    assert!(shown.contains("the original, by System Account, unverified; removed 2"), "{shown}");
    let shown = site.json(&["document", "show", "other", "a_b_.txt"]).remove(0);
    assert_eq!(
        (&shown["unverified"], &shown["level"]),
        (&true.into(), &"none".into()),
        "who filed it is known"
    );
    site.assert_sound();
}

/// Mail that nothing but its From ties to a user, and a stranger's: what is not proven of it is told of its documents as
/// long as they stand, wherever that is, and whatever becomes of the library that took it.
#[test]
fn who_is_not_proven_stays_so_without_the_library_that_filed() {
    let site = Site::new();
    site.ok(&["user", "add", "alice", "--address", "alice@example.org"]);
    site.ok(&["library", "add", "a", "--alias", "a", "--trust-from", "yes"]);
    site.ok(&["library", "add", "b", "--alias", "b"]);
    site.ok(&["library", "add", "c", "--alias", "c", "--sender-policy", "anyone"]);
    site.ok(&["grant", "a", "user:alice", "contributor"]);
    site.deliver("a.eml", mail("forged", &["a", "c"], "forged"));
    assert_eq!(site.pass()["filed"], 2);
    let told = |library: &str, path: &str| {
        let list = site.ok(&["document", "list", library]);
        let shown = site.json(&["document", "show", library, path]).remove(0);
        (list, shown["level"].clone(), shown["unverified"].clone())
    };
    for (from, to, mark, level, unverified) in [
        ("a", "from-a.txt", "  alice (from-header)  ", "from-header", false),
        ("c", "from-c.txt", " (unverified, claims to be alice@example.org)  ", "none", true),
    ] {
        let told = |library, path| {
            let (list, was, is_unverified) = told(library, path);
            assert!(list.contains(mark), "{list}");
            assert_eq!((was, is_unverified), (level.into(), unverified.into()), "{library}/{path}");
        };
        told(from, "attachment.txt");
        site.ok(&["document", "move", from, "attachment.txt", "--to", "b", to]);
        told("b", to);
        site.ok(&["library", "remove", from]);
        told("b", to);
        let shown = site.ok(&["document", "show", "b", to]);
        assert!(shown.contains(mark.trim_end()), "{shown}");
    }
    // Another library of that name is not the one that filed.
    site.ok(&["library", "add", "a", "--alias", "a", "--trust-from", "yes"]);
    site.ok(&["document", "move", "b", "from-a.txt", "--to", "a"]);
    let listed = site.json(&["mail", "list"]).remove(0);
    let shown = site.ok(&["mail", "show", listed["mail"].as_str().unwrap()]);
    for line in [
        "  library        a (since removed)\n",
        "  document       from-a.txt (moved to a since), version 1, 6 bytes, by alice\n",
        "  library        c (since removed)\n",
        "  document       from-c.txt (moved to b since), version 1, 6 bytes, by System Account, unverified\n",
    ] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
    let recipient = &listed["recipients"][0];
    assert_eq!((&recipient["library"], &recipient["library_removed"]), (&"a".into(), &true.into()));
    assert_eq!(recipient["documents"], serde_json::json!([]), "there is nothing in that library");
    assert_eq!(recipient["moved"], serde_json::json!([{"library": "a", "path": "from-a.txt"}]));
    assert!(site.ok(&["mail", "list"]).contains("filed a (since removed), filed c (since removed)"));
    site.assert_sound();
}

/// What is said to be in a library is there.
#[test]
fn what_was_moved_is_told_of_with_its_library() {
    let site = filed();
    site.ok(&["library", "add", "other", "--alias", "other"]);
    site.ok(&["document", "move", "all", "attachment.txt", "--to", "other", "moved.txt"]);
    for command in
        [vec!["mail", "list"], vec!["mail", "show", site.events()[0]["mails"][0]["mail"].as_str().unwrap()]]
    {
        let recipient = &site.json(&command).remove(0)["recipients"][0];
        assert_eq!(recipient["library"], "all");
        assert_eq!(recipient["documents"], serde_json::json!(["Mail a.eml"]));
        assert_eq!(recipient["moved"], serde_json::json!([{"library": "other", "path": "moved.txt"}]));
    }
    site.ok(&["document", "move", "other", "moved.txt", "--to", "all"]);
    let recipient = &site.json(&["mail", "list"]).remove(0)["recipients"][0];
    assert_eq!((recipient["documents"].as_array().unwrap().len(), recipient.get("moved")), (2, None));
}

/// A document whose mail has no outcome to match is told of all the same.
#[test]
fn a_document_of_no_recipient_is_told_of_by_itself() {
    let site = filed();
    let listed = site.json(&["mail", "list"]).remove(0);
    let id = listed["mail"].as_str().unwrap();
    let catalog = SqliteCatalog::open(&site.path("state/catalog.db")).unwrap();
    let mut writer = catalog.write().unwrap();
    let other = "other".parse().unwrap();
    let settings = writer.libraries().unwrap().remove(0).settings;
    let library = writer.add_library(&other, &"other".parse().unwrap(), &settings, Timestamp::now()).unwrap();
    let digest = Digest::of(b"first");
    let document = NewDocument {
        library,
        folder: String::new(),
        name: "stray.txt".to_owned(),
        clash: Clash::Number,
        digest,
        size: 5,
        media_type: "text/plain".to_owned(),
        sniffed_type: None,
        created_by: "somebody".to_owned(),
        identity: None,
        level: Level::None,
        created_at: Timestamp::now(),
        delivery: id.parse().unwrap(),
        original: false,
    };
    writer.add_document(&document).unwrap();
    writer.commit().unwrap();
    let shown = site.ok(&["mail", "show", id]);
    let line = "\ndocument         stray.txt in other, version 1, 5 bytes, by somebody, unverified\n";
    assert!(shown.contains(line), "{shown}");
    assert_eq!(shown.matches("stray.txt").count(), 1);
}

#[test]
fn what_is_purged_is_gone_and_told_of() {
    let site = filed();
    let id = site.events()[0]["mails"][0]["mail"].as_str().unwrap().to_owned();
    site.ok(&["document", "remove", "all", "attachment.txt", "Mail a.eml"]);
    let error = site.fails(2, &["library", "remove", "all"]);
    assert!(
        error.contains(
            "library all: it holds no documents, but 2 in its recycle bin\nhint: `mailshelf document purge"
        ),
        "{error}"
    );
    let error = site.fails(2, &["document", "purge", "all"]);
    assert!(error.contains("no document is named\nhint: "), "{error}");
    assert_eq!(site.ok(&["document", "purge", "all", "--older-than", "1d"]), "Nothing was purged.\n");
    assert_eq!(site.contents().len(), 2);
    site.ok(&["document", "purge", "all", "attachment.txt"]);
    assert_eq!(site.contents().len(), 1);
    site.ok(&["document", "purge", "all", "--all"]);
    assert_eq!(site.contents().len(), 0);
    let shown = site.json(&["mail", "show", &id]).remove(0);
    assert_eq!(shown["purged"][0]["path"], "attachment.txt");
    assert_eq!(shown["purged"][0]["why"], "asked for by `mailshelf document purge`");
    assert_eq!(
        (&shown["recipients"][0]["outcome"], &shown["documents"]),
        (&"filed".into(), &Value::Array(vec![]))
    );
    assert!(site.ok(&["mail", "show", &id]).contains("purged           Mail a.eml, version 1, in all, 2"));
    site.assert_sound();
    site.ok(&["library", "remove", "all"]);
}

#[test]
fn a_pass_purges_what_has_had_its_term() {
    let site = filed();
    site.ok(&["document", "remove", "all", "attachment.txt"]);
    assert_eq!(site.pass().get("purged_documents"), None);
    site.configure("recycle = \"30d\"", "recycle = \"1s\"");
    let purged = Cell::new(0);
    site.wait_for("the term", |site| {
        purged.set(purged.get() + site.pass()["purged_documents"].as_u64().unwrap_or_default());
        purged.get() > 0
    });
    assert_eq!((purged.get(), site.contents().len()), (1, 1));
    assert_eq!(removed(&site), [] as [Value; 0]);
    site.assert_sound();
}

/// A content in whose place stands what cannot be unlinked.
fn obstruct(site: &Site, bytes: &[u8]) {
    let content = site.contents().into_iter().find(|path| name(path) == sha256(bytes)).unwrap();
    fs::remove_file(&content).unwrap();
    fs::create_dir(&content).unwrap();
}

/// The rows are gone, and the event says so, whatever becomes of the contents.
#[test]
fn a_content_that_cannot_be_removed_keeps_no_purge_out_of_the_event() {
    let site = filed();
    obstruct(&site, b"first");
    site.ok(&["document", "remove", "all", "attachment.txt", "Mail a.eml"]);
    site.configure("recycle = \"30d\"", "recycle = \"1s\"");
    let (purged, said) = (Cell::new(0), Cell::new(String::new()));
    site.wait_for("the term", |site| {
        let output = site.output(&["run", "--json"]);
        said.set(said.take() + &String::from_utf8(output.stderr).unwrap());
        let event = lines(&String::from_utf8(output.stdout).unwrap()).remove(0);
        purged.set(purged.get() + event["purged_documents"].as_u64().unwrap_or_default());
        removed(site).is_empty()
    });
    let said = said.take();
    assert!(said.contains("cannot remove") && said.contains(&sha256(b"first")), "{said}");
    assert_eq!((purged.get(), site.contents().len()), (2, 1));
}

/// The same by hand: what is gone is told, and then the fault.
#[test]
fn what_is_purged_by_hand_is_told_before_the_fault() {
    let site = filed();
    obstruct(&site, b"first");
    site.ok(&["document", "remove", "all", "attachment.txt", "Mail a.eml"]);
    let output = site.output(&["document", "purge", "all", "--all", "--json"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(lines(&String::from_utf8(output.stdout).unwrap()).len(), 2);
    assert!(String::from_utf8(output.stderr).unwrap().contains(&sha256(b"first")));
    assert_eq!(site.ok(&["document", "purge", "all", "--all"]), "Nothing was purged.\n");
}

#[test]
fn an_overwritten_document_is_removed_with_its_versions() {
    let site = filed();
    site.ok(&["library", "set", "all", "--overwrite", "yes"]);
    site.deliver("b.eml", mail("b", &["all"], "second"));
    site.pass();
    let told = site.ok(&["document", "remove", "all", "attachment.txt"]);
    assert!(told.starts_with("attachment.txt, with its 2 versions, is in the recycle bin until 2"), "{told}");
    site.deliver("c.eml", mail("c", &["all"], "third"));
    site.pass();
    let shown = site.json(&["document", "show", "all", "attachment.txt"]).remove(0);
    assert_eq!(shown["version"], 1, "what is removed gets no version");
    site.ok(&["document", "restore", "all", "attachment.txt"]);
    let output = site.output(&["document", "get", "all", "attachment (2).txt", "--version", "1"]);
    assert_eq!(output.stdout, b"first");
    site.assert_sound();
}

#[test]
fn a_document_shows_the_fields_of_its_mail() {
    let site = Site::open_to_all();
    site.ok(&["library", "set", "all", "--save-invitations", "yes", "--save-original", "no"]);
    let mail = "x-sender: bounce@example.org\r\nx-receiver: all@docs.example.org\r\n\
        From: Alice <alice@example.org>\r\nTo: all@docs.example.org, Bob <bob@example.org>\r\n\
        Cc: =?utf-8?q?C=1B[31m?=\r\nSubject: Meeting\r\nMessage-ID: <m@example.org>\r\n\
        Date: Sat, 21 Nov 2026 05:06:07 +0100\r\nContent-Type: text/calendar; method=REQUEST\r\n\r\n\
        BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:u-1\r\n @example.org\r\nSEQUENCE:2\r\nDTSTAMP:20261120T000000Z\r\n\
        END:VEVENT\r\nEND:VCALENDAR\r\n";
    site.deliver("a.eml", mail);
    assert_eq!(site.pass()["filed"], 1);
    let shown = site.json(&["document", "show", "all", "invitation.ics"]).remove(0);
    let expected = serde_json::json!({
        "envelope_sender": "bounce@example.org", "from": "alice@example.org", "subject": "Meeting",
        "message_id": "<m@example.org>", "to": "all@docs.example.org, bob@example.org", "cc": "C\u{1b}[31m",
        "date": "2026-11-21T04:06:07.000Z", "calendar_uid": "u-1@example.org", "calendar_sequence": 2,
        "calendar_stamp": "2026-11-20T00:00:00.000Z"
    });
    assert_eq!(shown["email"], expected);
    let text = site.ok(&["document", "show", "all", "invitation.ics"]);
    assert!(
        text.contains(
            "\nIts mail:\nenvelope sender  bounce@example.org\nfrom             alice@example.org\n"
        ),
        "{text}"
    );
    assert!(text.contains("cc               C\\u{1b}[31m\n"), "{text}");
    let id = shown["mail"].as_str().unwrap();
    let mail = site.json(&["mail", "show", id]).remove(0);
    for field in ["to", "cc", "date", "calendar_uid", "calendar_sequence", "calendar_stamp"] {
        assert_eq!(mail[field], expected[field], "{field}");
    }
    assert!(
        site.ok(&["mail", "show", id]).contains("\ncalendar uid     u-1@example.org\nsequence         2\n")
    );
}

/// A library with a folder that is called as a document, and a document of two versions.
fn to_export() -> Site {
    let site = filed();
    site.ok(&["library", "set", "all", "--overwrite", "yes"]);
    site.deliver("b.eml", mail("b", &["all"], "second"));
    site.pass();
    site.ok(&["document", "move", "all", "Mail b.eml", "attachment.TXT/x.eml"]);
    site
}

#[test]
fn a_library_is_exported_as_files() {
    let site = to_export();
    let to = site.path("out");
    let told = site.ok(&["document", "export", "all", to.to_str().unwrap()]);
    let expected = format!(
        "attachment.txt is attachment (2).txt there.\n3 files written to {}; 775 bytes in all.\n",
        to.display()
    );
    assert_eq!(told, expected);
    assert_eq!(fs::read(to.join("attachment (2).txt")).unwrap(), b"second");
    let filed = site.documents("all");
    for path in ["Mail a.eml", "attachment.TXT/x.eml"] {
        assert_eq!(fs::read(to.join(path)).unwrap(), site.document("all", path));
        let document = filed.iter().find(|one| one["path"] == path).unwrap();
        let modified = fs::metadata(to.join(path)).unwrap().modified().unwrap();
        let modified = jiff::Timestamp::try_from(modified).unwrap();
        assert_eq!(document["created_at"], format!("{modified:.3}"), "{path}");
    }
    assert_eq!(entries(&to).len(), 3);
    let error = site.fails(2, &["document", "export", "all", to.to_str().unwrap()]);
    assert!(error.contains("it is not empty\nhint: name a new one; --into adds"), "{error}");
}

/// Whatever it is called itself.
#[test]
fn an_export_tells_what_it_calls_otherwise() {
    let site = to_export();
    site.ok(&["document", "move", "all", "Mail a.eml", "b (version 1).txt"]);
    site.deliver("c.eml", mail("c", &["all"], "third"));
    site.pass();
    site.ok(&["document", "move", "all", "Mail c.eml", "B (version 1).txt/y.eml"]);
    let to = site.path("out");
    let told = site.ok(&["document", "export", "all", to.to_str().unwrap(), "--versions"]);
    let expected = "attachment.txt, version 2, is attachment (2) (version 2).txt there.\n\
                    attachment.txt, version 1, is attachment (2) (version 1).txt there.\n\
                    attachment.txt is attachment (2).txt there.\n\
                    b (version 1).txt is b (version 1) (2).txt there.\n\
                    6 files written to ";
    assert!(told.starts_with(expected), "{told}");
    fs::remove_file(to.join("attachment (2).txt")).unwrap();
    let told = site.ok(&["document", "export", "all", to.to_str().unwrap(), "--versions", "--into"]);
    let written = "attachment.txt is attachment (2).txt there.\n1 file written to ";
    assert!(told.starts_with(written) && told.contains(", 5 there before; "), "{told}");
}

#[test]
fn an_export_goes_on_and_replaces_nothing() {
    let site = to_export();
    let to = site.path("out");
    let dir = to.to_str().unwrap();
    let first = site.json(&["document", "export", "all", dir, "--versions"]);
    let files: Vec<_> =
        first.iter().map(|one| (one["file"].as_str().unwrap(), one["version"].as_u64())).collect();
    assert_eq!(
        files,
        [
            ("attachment (2) (version 1).txt", Some(1)),
            ("attachment (2).txt", Some(2)),
            ("Mail a.eml", Some(1)),
            ("attachment.TXT/x.eml", Some(1)),
        ]
    );
    assert_eq!(fs::read(to.join("attachment (2) (version 1).txt")).unwrap(), b"first");
    fs::remove_file(to.join("Mail a.eml")).unwrap();
    fs::write(to.join("attachment (2).txt"), "2econd").unwrap();
    fs::write(to.join("note"), "mine").unwrap();
    let output = site.output(&["document", "export", "all", dir, "--versions", "--into", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let told = lines(&String::from_utf8(output.stdout).unwrap());
    let state = |path: &str, version: u64| {
        let is_it = |one: &&Value| one["path"] == path && one["version"] == version;
        told.iter().find(is_it).unwrap()["state"].clone()
    };
    assert_eq!(state("Mail a.eml", 1), "written");
    assert_eq!(state("attachment.txt", 1), "present");
    assert_eq!(state("attachment.TXT/x.eml", 1), "present");
    assert_eq!(state("attachment.txt", 2), "failed");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("document attachment.txt, version 2: another file has its name"), "{said}");
    assert_eq!(fs::read(to.join("attachment (2).txt")).unwrap(), b"2econd");
    assert_eq!(fs::read(to.join("note")).unwrap(), b"mine");
}

/// A document that is filed later under the name of a folder leaves the folder where it was exported to.
#[test]
fn an_export_goes_on_although_a_document_is_called_as_a_folder_by_now() {
    let site = filed();
    site.ok(&["document", "move", "all", "Mail a.eml", "Reports/x.eml"]);
    let to = site.path("out");
    let dir = to.to_str().unwrap();
    site.ok(&["document", "export", "all", dir]);
    site.deliver("b.eml", mail("b", &["all"], "second"));
    site.pass();
    site.ok(&["document", "move", "all", "Mail b.eml", "Reports"]);
    let told = site.json(&["document", "export", "all", dir, "--into"]);
    let state = |file: &str| told.iter().find(|one| one["file"] == file).unwrap()["state"].clone();
    assert_eq!((state("Reports/x.eml"), state("Reports (2)")), ("present".into(), "written".into()));
}

/// What an earlier export left goes once this one is sure to begin; nothing else ever does.
#[test]
fn an_export_deletes_nothing_that_is_not_its_own() {
    let site = to_export();
    let to = site.path("out");
    let dir = to.to_str().unwrap();
    let left = to.join(".tmp-01KAJ4R5XQ0000000000000000");
    fs::create_dir(&to).unwrap();
    fs::write(&left, "left").unwrap();
    fs::write(to.join(".tmp-work"), "mine").unwrap();
    let error = site.fails(2, &["document", "export", "all", dir]);
    assert!(error.contains("it is not empty"), "{error}");
    assert!(left.exists());
    site.ok(&["document", "export", "all", dir, "--into"]);
    assert!(!left.exists());
    assert_eq!(fs::read(to.join(".tmp-work")).unwrap(), b"mine");
    fs::remove_dir_all(&to).unwrap();
    fs::create_dir(&to).unwrap();
    fs::write(&left, "left").unwrap();
    site.ok(&["document", "export", "all", dir]);
    assert!(!left.exists() && to.join("Mail a.eml").exists());
}

#[test]
fn an_export_stays_in_its_folder_and_out_of_the_site() {
    let site = to_export();
    let (to, elsewhere) = (site.path("out"), site.path("elsewhere"));
    fs::create_dir(&to).unwrap();
    fs::create_dir(&elsewhere).unwrap();
    symlink(&elsewhere, to.join("attachment.TXT")).unwrap();
    symlink(elsewhere.join("new"), to.join("Mail a.eml")).unwrap();
    let dir = to.to_str().unwrap();
    let error = site.fails(1, &["document", "export", "all", dir, "--into"]);
    assert!(error.contains("document Mail a.eml, version 1: another file has its name"), "{error}");
    assert!(
        error.contains("x.eml, version 1: its folder cannot be made: something else is called"),
        "{error}"
    );
    assert_eq!(entries(&elsewhere).len(), 0);
    assert_eq!(fs::read(to.join("attachment (2).txt")).unwrap(), b"second");
    for (place, key) in
        [("drop/out", "drop.path"), ("state/contents", "storage.contents"), ("state", "storage.contents")]
    {
        let dir = site.path(place);
        let error = site.fails(2, &["document", "export", "all", dir.to_str().unwrap(), "--into"]);
        assert!(error.contains(key), "{error}");
    }
    let error = site.fails(2, &["document", "export", "all", site.path("no/such").to_str().unwrap()]);
    assert!(error.contains("its parent is not there"), "{error}");
    site.assert_sound();
}

#[test]
fn a_damaged_content_gets_no_file_and_holds_up_no_other() {
    let site = to_export();
    let sha256 = site.documents("all")[0]["sha256"].as_str().unwrap().to_owned();
    let content = site.contents().into_iter().find(|path| name(path) == sha256).unwrap();
    fs::remove_file(&content).unwrap();
    fs::write(&content, "damage").unwrap();
    let to = site.path("out");
    let error = site.fails(1, &["document", "export", "all", to.to_str().unwrap()]);
    assert!(error.contains("document attachment.txt, version 2: content "), "{error}");
    assert_eq!(
        entries(&to).iter().map(|path| name(path)).collect::<Vec<_>>(),
        ["Mail a.eml", "attachment.TXT"]
    );
}
