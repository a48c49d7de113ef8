//! What `explain` foretells is what a pass then does, and the telling changes nothing.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::cases;
use crate::util::{DOMAIN, PROGRAM, Site, entries, is_root, mail, message, name};

fn explain(site: &Site, file: &str, more: &[&str]) -> Value {
    let file = site.path(file);
    let mut told = site.json(&[&["explain", file.to_str().unwrap()], more].concat());
    assert_eq!(told.len(), 1);
    told.remove(0)
}

fn text(site: &Site, file: &str, more: &[&str]) -> String {
    let file = site.path(file);
    site.ok(&[&["explain", file.to_str().unwrap()], more].concat())
}

/// The recipients as events have them.
fn recorded(told: &Value) -> Value {
    let mut recipients = told["recipients"].clone();
    for recipient in recipients.as_array_mut().unwrap() {
        for more in ["steps", "meaning", "parts"] {
            recipient.as_object_mut().unwrap().remove(more);
        }
    }
    recipients
}

/// Asserts that the event of a pass tells the same of a mail.
fn assert_foretold(told: &Value, event: &Value) {
    let mail = event["mails"].as_array().unwrap().iter().find(|mail| mail["file"] == told["file"]);
    let mail = mail.unwrap_or(&Value::Null);
    assert_eq!(recorded(told), mail["recipients"], "{told:#}");
    assert_parts(told);
    assert_eq!(told["sender"], mail["sender"]);
    assert_eq!(told["envelope"]["sender"], mail["envelope_sender"]);
    for field in ["message_id", "from", "subject", "size", "sha256"] {
        assert_eq!(told["message"][field], mail[field], "{field}");
    }
    assert_eq!((told.get("error"), told.get("badmail")), (mail.get("error"), mail.get("badmail")));
}

/// Asserts that each recipient has each part once, and that these become its documents.
fn assert_parts(told: &Value) {
    let parts = told["message"]["parts"].as_array().map_or(0, Vec::len);
    for recipient in told["recipients"].as_array().unwrap() {
        let none = Vec::new();
        let list = |key: &str| recipient.get(key).map_or(&none, |list| list.as_array().unwrap()).clone();
        let fates = list("parts");
        let indexes: Vec<_> = fates.iter().map(|fate| fate["part"].as_u64().unwrap()).collect();
        assert_eq!(indexes, (0..parts as u64).collect::<Vec<_>>(), "{recipient:#}");
        assert!(fates.iter().all(|fate| fate.get("document").is_some() != fate.get("why").is_some()));
        assert!(fates.iter().all(|fate| fate.get("why").is_none_or(|why| why != "")), "{recipient:#}");
        let mut documents: Vec<_> = fates.iter().filter_map(|fate| fate.get("document")).cloned().collect();
        let all = list("documents");
        documents.extend(all.iter().skip(documents.len()).take(1).cloned());
        assert_eq!(documents, all, "the parts in their order, and the original: {recipient:#}");
        let versions = fates.iter().filter(|fate| fate.get("version").is_some());
        let versions: Vec<_> = versions.map(|fate| (&fate["document"], &fate["version"])).collect();
        let recorded = list("versions");
        let recorded: Vec<_> = recorded.iter().map(|one| (&one["path"], &one["version"])).collect();
        assert!(recorded.starts_with(&versions), "{recipient:#}");
        let why = |fate: &&Value| list("left_out").iter().any(|left| fate.get("why") == left.get("why"));
        assert_eq!(fates.iter().filter(why).count(), list("left_out").len(), "{recipient:#}");
    }
}

/// Explains a mail in the drop, runs a pass, and compares.
fn foretell(site: &Site, file: &str) -> Value {
    let told = explain(site, &format!("drop/{file}"), &[]);
    let event = site.pass();
    assert_foretold(&told, &event);
    told
}

fn outcomes(told: &Value) -> Vec<&str> {
    told["recipients"].as_array().unwrap().iter().map(|one| one["outcome"].as_str().unwrap()).collect()
}

/// The answer of a stage, for the mail or for its first recipient.
fn answer<'a>(told: &'a Value, stage: &str) -> &'a str {
    let steps = [&told["stages"], &told["recipients"][0]["steps"]];
    let mut steps = steps.into_iter().filter_map(Value::as_array).flatten();
    let step = steps.find(|step| step["stage"] == stage);
    step.and_then(|step| step["answer"].as_str()).unwrap_or_default()
}

#[test]
fn every_case_ends_as_foretold() {
    for case in cases::cases() {
        println!("case {}", name(&case));
        let site = cases::site(&case);
        let told = foretell(&site, "mail.eml");
        let kept = entries(&site.path("state/kept")).len();
        let action = if kept == 1 { "keep" } else { "delete" };
        assert_eq!(told["disposal"]["action"], action);
        // Once more: what was filed is a duplicate now, and names are taken.
        site.deliver("mail.eml", fs::read(case.join("mail.eml")).unwrap());
        foretell(&site, "mail.eml");
        site.assert_sound();
    }
}

#[test]
fn duplicates_and_taken_names_are_foretold() {
    let site = Site::open_to_all();
    site.ok(&["library", "add", "other", "--alias", "other", "--sender-policy", "anyone"]);
    site.deliver("a.eml", mail("a", &["all", "ALL", "all+x", "other", "nobody"], "a"));
    let told = foretell(&site, "a.eml");
    assert_eq!(outcomes(&told), ["filed", "duplicate", "filed", "rejected"]);
    site.deliver("a.eml", mail("a", &["other", "all+x"], "a"));
    assert_eq!(outcomes(&foretell(&site, "a.eml")), ["duplicate", "duplicate"]);
    for nth in 2..5 {
        site.deliver("b.eml", mail("a", &["all", "other"], &format!("b{nth}")));
        let told = foretell(&site, "b.eml");
        let names = serde_json::json!([format!("attachment ({nth}).txt"), format!("Mail a ({nth}).eml")]);
        assert_eq!(told["recipients"][0]["documents"], names);
        let file = format!(
            "2 documents: the words (text/plain, 10 bytes): in the original alone; \
             “attachment.txt” → “attachment ({nth}).txt”; \
             the mail itself → “Mail a ({nth}).eml” (save-original yes)"
        );
        assert_eq!(answer(&told, "file"), file);
    }
    site.assert_sound();
}

/// One mail whose attachments are all called alike, to a library that has such names already.
#[test]
fn names_within_one_mail_are_foretold() {
    let site = Site::open_to_all();
    let part = |name: &str, text: &str| {
        format!(
            "--b\r\nContent-Type: text/plain\r\nContent-Disposition: attachment; filename=\"{name}\"\r\n\r\n{text}\r\n"
        )
    };
    for (nth, names) in [["a.txt", "a (3).txt", "A.TXT"], ["a.txt", "a.txt", "a (2).txt"]].iter().enumerate()
    {
        let parts: String = names.iter().map(|name| part(name, &format!("{name} {nth}"))).collect();
        let mail = format!(
            "x-sender: a@x.org\r\nx-receiver: all@{DOMAIN}\r\nReceived: x\r\nFrom: a@x.org\r\nSubject: a\r\n\
             MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n{parts}--b--\r\n"
        );
        site.deliver("a.eml", mail);
        let told = foretell(&site, "a.eml");
        assert_eq!(told["recipients"][0]["documents"].as_array().unwrap().len(), 4);
    }
}

/// A mail with an attachment of each of these names.
fn with_attachments(from: &str, names: &[String]) -> String {
    let part = |name: &String| {
        format!(
            "--b\r\nContent-Type: text/plain\r\nContent-Disposition: attachment; filename=\"{name}\"\r\n\r\nx\r\n"
        )
    };
    let parts: String = names.iter().map(part).collect();
    format!(
        "x-sender: a@x.org\r\nx-receiver: all@{DOMAIN}\r\nReceived: x\r\nFrom: {from}\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=b\r\n\r\n{parts}--b--\r\n"
    )
}

fn open_site() -> Site {
    let site = Site::new();
    site.ok(&["library", "add", "all", "--alias", "all", "--sender-policy", "anyone"]);
    site
}

/// Every number that would be tried first for one name is taken, as somebody may do who wants to be a nuisance.
#[test]
fn names_that_somebody_took_in_advance_keep_nobodys_mail_back() {
    let site = open_site();
    let doubled = (0..26).map(|power| 101_u64 << power);
    let mut names: Vec<_> = (2..102).chain(doubled).map(|number| format!("a ({number}).txt")).collect();
    names.push("a.txt".to_owned());
    site.deliver("full.eml", with_attachments("a@x.org", &names));
    assert_eq!(outcomes(&foretell(&site, "full.eml")), ["filed"]);
    site.deliver("a.eml", with_attachments("b@x.org", &["a.txt".to_owned()]));
    assert_eq!(outcomes(&foretell(&site, "a.eml")), ["filed"]);
    site.assert_sound();
}

/// No number is left for one name, as no mail can bring about.
#[test]
fn a_mail_that_the_catalog_refuses_is_foretold() {
    let site = open_site();
    site.deliver("full.eml", with_attachments("a@x.org", &["a.txt".to_owned()]));
    assert_eq!(outcomes(&foretell(&site, "full.eml")), ["filed"]);
    let catalog = rusqlite::Connection::open(site.path("state/catalog.db")).unwrap();
    catalog.execute("UPDATE documents SET number = ?1", [u32::MAX]).unwrap();
    drop(catalog);
    site.deliver("a.eml", with_attachments("b@x.org", &["a.txt".to_owned()]));
    let told = explain(&site, "drop/a.eml", &[]);
    assert_eq!(told["error"], "catalog: name a document refused: no free number for a.txt");
    assert_eq!((outcomes(&told), &told["disposal"]["action"]), (vec!["deferred"], &"wait".into()));
    let output = site.output(&["run", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let events: Vec<Value> =
        output.stdout.split(|&byte| byte == b'\n').flat_map(serde_json::from_slice).collect();
    assert_foretold(&told, events.iter().find(|event| event["event_id"] == 6871).unwrap());
}

#[test]
fn better_proof_is_foretold() {
    let site = Site::open_to_all();
    site.ok(&["user", "add", "alice", "--address", "alice@example.org"]);
    for (trust, outcome) in [("no", "filed"), ("no", "duplicate"), ("yes", "filed"), ("no", "duplicate")] {
        site.ok(&["library", "set", "all", "--trust-from", trust]);
        site.deliver("a.eml", mail("a", &["all"], "a"));
        assert_eq!(outcomes(&foretell(&site, "a.eml")), [outcome]);
    }
}

#[test]
fn the_right_that_decides_is_named() {
    let site = Site::new();
    site.ok(&["library", "add", "in", "--alias", "in", "--trust-from", "yes"]);
    site.ok(&["user", "add", "alice", "--address", "alice@example.org"]);
    site.ok(&["group", "add", "accounting", "--member", "alice"]);
    site.deliver("a.eml", mail("a", &["in"], "a"));
    let told = || explain(&site, "drop/a.eml", &[]);
    assert_eq!(
        answer(&told(), "authorise"),
        "no: neither the user, nor a group of the user, nor everyone has a right there"
    );
    site.ok(&["grant", "in", "everyone", "reader"]);
    let only = "no: the sender is only reader by everyone, and contributor is asked for";
    assert_eq!(answer(&told(), "authorise"), only);
    assert_eq!(told()["recipients"][0]["reason"], "no-permission");
    site.ok(&["grant", "in", "group:accounting", "contributor"]);
    let by_group = "yes, as alice (level from-header): contributor by group:accounting";
    assert_eq!(answer(&told(), "authorise"), by_group);
    site.ok(&["grant", "in", "user:alice", "owner"]);
    assert_eq!(answer(&told(), "authorise"), "yes, as alice (level from-header): owner by user:alice");
    foretell(&site, "a.eml");
}

/// Path, kind, mode, size, modification and bytes of everything below a folder.
fn everything(folder: &Path) -> Vec<(String, u32, u64, SystemTime, Vec<u8>)> {
    let mut all = Vec::new();
    for path in entries(folder) {
        let meta = fs::symlink_metadata(&path).unwrap();
        let shown = path.display().to_string();
        if meta.is_dir() {
            // SQLite makes files beside the catalog while it is open, and removes them: only that folder's time tells.
            all.push((shown, meta.mode(), 0, SystemTime::UNIX_EPOCH, Vec::new()));
            all.extend(everything(&path));
        } else {
            all.push((shown, meta.mode(), meta.size(), meta.modified().unwrap(), fs::read(&path).unwrap()));
        }
    }
    all
}

#[test]
fn nothing_is_changed_by_the_telling() {
    let site = Site::open_to_all();
    site.configure("rejected = \"delete\"", "rejected = \"keep\"");
    site.deliver("kept.eml", mail("kept", &["nobody"], "kept"));
    site.run();
    site.deliver("claimed.eml", mail("claimed", &["all"], "claimed"));
    site.die("committed=kill");
    site.deliver("new.eml", mail("new", &["all", "nobody"], "new"));
    let kept = format!("state/kept/{}", name(&entries(&site.path("state/kept"))[0]));
    let claims = entries(&entries(&site.path("drop/.claimed"))[0]);
    let claim = claims.iter().find(|path| name(path).ends_with("~claimed.eml")).unwrap();
    let claim = claim.strip_prefix(site.path("")).unwrap().to_str().unwrap().to_owned();
    for file in ["drop/new.eml", &claim, &kept] {
        // So long ago that a file system would note any access.
        let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_436_263_371);
        let times = fs::FileTimes::new().set_accessed(long_ago);
        fs::File::options().write(true).open(site.path(file)).unwrap().set_times(times).unwrap();
        for more in [&[][..], &["--json"], &["--format", "maildir", "--to", "all@docs.example.org"]] {
            text(&site, file, more);
        }
        assert_eq!(fs::metadata(site.path(file)).unwrap().accessed().unwrap(), long_ago, "{file}");
    }
    // The pass that was killed has left its log, and with it the catalog: the telling must write none of it back.
    assert!(site.path("state/catalog.db-wal").exists());
    let without_index = || {
        let mut all = everything(&site.path(""));
        all.retain(|(path, ..)| !path.ends_with("-shm"));
        all
    };
    let before = without_index();
    for file in ["drop/new.eml", &claim, &kept] {
        text(&site, file, &[]);
    }
    assert_eq!(without_index(), before);
    site.run();
    assert!(!site.path("state/catalog.db-wal").exists());
    site.deliver("new.eml", mail("new", &["all"], "new"));
    let before = everything(&site.path(""));
    text(&site, "drop/new.eml", &[]);
    assert_eq!(everything(&site.path("")), before);
    site.run();
    site.assert_sound();
}

#[test]
fn a_claim_is_told_by_what_is_on_record_of_it() {
    for (failpoint, settled) in [("claimed=kill", false), ("stored=kill", false), ("committed=kill", true)] {
        let site = Site::open_to_all();
        site.deliver("a.eml", mail("a", &["all", "nobody"], "a"));
        site.die(failpoint);
        let claims = entries(&entries(&site.path("drop/.claimed"))[0]);
        let claim = claims.iter().find(|path| name(path).ends_with("~a.eml")).unwrap();
        let claim = claim.strip_prefix(site.path("")).unwrap().to_str().unwrap().to_owned();
        let told = explain(&site, &claim, &[]);
        assert_eq!((&told["place"], &told["file"]), (&"claimed".into(), &"a.eml".into()));
        assert_eq!(outcomes(&told), ["filed", "rejected"], "{failpoint}");
        assert_eq!(told["disposal"]["action"], "delete");
        let id = &name(Path::new(&claim))[..26];
        assert!(answer(&told, "drop").ends_with(&format!("claimed as delivery {id}")));
        if settled {
            let record = answer(&told, "record");
            assert!(
                record.starts_with("this delivery is on record already: filed (nobody proven; "),
                "{record}"
            );
        } else {
            assert_eq!(answer(&told, "record"), "no");
            let event = site.run().pop().unwrap();
            assert_foretold(&told, &event);
        }
        site.run();
        site.assert_sound();
    }
}

/// What was kept aside or stands anywhere else is explained as if it came anew.
#[test]
fn a_mail_elsewhere_is_told_as_if_it_came() {
    let site = Site::open_to_all();
    site.configure("rejected = \"delete\"", "rejected = \"keep\"");
    site.deliver("a.eml", mail("a", &["soon"], "a"));
    site.run();
    let kept = format!("state/kept/{}", name(&entries(&site.path("state/kept"))[0]));
    let told = explain(&site, &kept, &[]);
    assert_eq!((&told["place"], &told["file"]), (&"kept".into(), &"a.eml".into()));
    assert_eq!(told["recipients"][0]["reason"], "unknown-alias");
    assert_eq!(told["recipients"][0]["meaning"], "no library has the alias that the address names");
    site.ok(&["library", "set", "all", "--alias", "soon"]);
    let told = explain(&site, &kept, &[]);
    assert_eq!(outcomes(&told), ["filed"]);
    assert!(told["disposal"]["answer"].as_str().unwrap().ends_with("this file here stays as it is"));
    fs::create_dir(site.path("else")).unwrap();
    fs::write(site.path("else/b.eml"), mail("b", &["soon"], "b")).unwrap();
    assert_eq!(explain(&site, "else/b.eml", &[])["place"], "elsewhere");
    // In the drop, and yet no pass would take them.
    fs::write(site.path("drop/.b.eml"), mail("b", &["soon"], "b")).unwrap();
    fs::write(site.path("drop/b.eml"), mail("b", &["soon"], "b")).unwrap();
    fs::hard_link(site.path("drop/b.eml"), site.path("else/link")).unwrap();
    for (file, why) in
        [(".b.eml", "begins with a dot"), ("b.eml", "has 2 links, as a delivery in progress does")]
    {
        let told = explain(&site, &format!("drop/{file}"), &[]);
        assert!(answer(&told, "drop").starts_with("not as it stands: it"), "{told:#}");
        assert!(answer(&told, "drop").contains(why), "{told:#}");
    }
}

#[test]
fn the_drop_says_how_a_mail_is_read_unless_it_is_said() {
    let site = Site::open_to_all();
    let delivered = format!("Return-Path: <a@x.org>\nDelivered-To: all@{DOMAIN}\n{}", message("a", "a"));
    fs::write(site.path("m.eml"), &delivered).unwrap();
    let told = explain(&site, "m.eml", &[]);
    assert_eq!(told["envelope"]["format"], "folder");
    assert_eq!(told["recipients"][0]["reason"], "no-recipient");
    assert_eq!(told["disposal"]["action"], "keep");
    let told = explain(&site, "m.eml", &["--format", "maildir"]);
    assert_eq!(told["envelope"]["message_at"], 0);
    assert_eq!(outcomes(&told), ["filed"]);
    ["new", "cur", "tmp"].iter().for_each(|part| fs::create_dir(site.path("drop").join(part)).unwrap());
    fs::write(site.path("drop/new/m"), &delivered).unwrap();
    let told = explain(&site, "drop/new/m", &[]);
    assert_eq!((&told["place"], &told["envelope"]["format"]), (&"drop".into(), &"maildir".into()));
    assert_foretold(&told, &site.pass());
    fs::remove_dir_all(site.path("drop")).unwrap();
    let told = explain(&site, "m.eml", &[]);
    assert_eq!(told["envelope"]["format"], "folder");
    assert!(told["notes"][0].as_str().unwrap().contains("there is none now"), "{told:#}");
    assert!(!site.path("drop").exists());
}

#[test]
fn recipients_are_given_only_to_a_mail_without_any() {
    let site = Site::open_to_all();
    fs::write(site.path("a.eml"), message("a", "a")).unwrap();
    let (all, other) = (format!("all@{DOMAIN}"), format!("other@{DOMAIN}"));
    let told = explain(&site, "a.eml", &["--to", &all, "--to", &other]);
    assert_eq!(outcomes(&told), ["filed", "rejected"]);
    assert_eq!(told["envelope"]["recipients_given"], true);
    fs::write(site.path("b.eml"), mail("b", &["all"], "b")).unwrap();
    let told = explain(&site, "b.eml", &["--to", &other]);
    assert_eq!(outcomes(&told), ["filed"]);
    assert_eq!(told["notes"][0], "the mail names its recipients itself: those of --to are left out");
    site.fails(2, &["explain", "a.eml", "--to", "no address"]);
}

#[test]
fn what_is_no_mail_is_named_with_the_way_out() {
    let site = Site::open_to_all();
    let at = |below: &str| site.path(below).display().to_string();
    fs::write(site.path("a.eml"), message("a", "a")).unwrap();
    symlink("a.eml", site.path("link")).unwrap();
    for (file, why) in [
        ("no.eml", "there is none"),
        ("a.eml/b", "there is none"),
        ("drop", "a folder, not a mail\nhint: name the file of one mail"),
        (
            "link",
            "a symbolic link, not a mail\nhint: a pass follows no links; name the file that this one leads to",
        ),
    ] {
        let said = site.fails(2, &["explain", &at(file)]);
        assert_eq!(said, format!("mailshelf: mail {}: {why}\n", at(file)));
    }
    let said = site.fails(2, &["explain", "/dev/null"]);
    assert!(said.contains("no regular file, not a mail"), "{said}");
    let said = site.fails(2, &["explain", &at("a.eml"), "--format", "mbox"]);
    assert!(said.contains("a format is one of folder maildir"), "{said}");
}

#[test]
fn who_may_not_read_a_mail_is_told_to_ask_as_who_may() {
    let site = Site::open_to_all();
    fs::write(site.path("a.eml"), message("a", "a")).unwrap();
    fs::set_permissions(site.path("a.eml"), fs::Permissions::from_mode(0o000)).unwrap();
    let mut command = site.command(&["explain"]);
    if is_root() {
        // As an ordinary user, who may have no right to go where the program was built.
        let all = Command::new("chown").args(["-R", "65534:65534"]).arg(site.path("")).status().unwrap();
        assert!(all.success());
        fs::copy(PROGRAM, site.path("program")).unwrap();
        command = Command::new(site.path("program"));
        command.arg("--config").arg(site.path("mailshelf.toml")).arg("explain").uid(65534).gid(65534);
    }
    let output = command.arg(site.path("a.eml")).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.ends_with("no right to read it\nhint: ask as the user of the service\n"), "{said}");
}

#[test]
fn without_a_catalog_none_is_made() {
    let site = Site::new();
    fs::write(site.path("a.eml"), message("a", "a")).unwrap();
    fs::remove_file(site.path("state/catalog.db")).unwrap();
    let before = everything(&site.path(""));
    let said = site.fails(2, &["explain", site.path("a.eml").to_str().unwrap()]);
    assert!(said.contains("there is none yet"), "{said}");
    assert_eq!(everything(&site.path("")), before);
}

#[test]
fn people_read_it_safely_and_in_lines_that_fit() {
    let site = Site::open_to_all();
    let receivers: String = (0..40).map(|nth| format!("x-receiver: all+{nth}@{DOMAIN}\r\n")).collect();
    let mail = format!(
        "x-sender: \u{1b}[2Ja@x.org\r\n{receivers}Received: x\r\nFrom: a@x.org\r\nSubject: \u{1b}[31mred\r\n\
         Message-ID: <a@x.org>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; name=\"\u{202e}fdp.exe\"\r\n\
         Content-Disposition: attachment; filename=\"=?utf-8?q?=1B]0;x=07{}?=\"\r\n\r\nx\r\n",
        "many_words_".repeat(30)
    );
    site.deliver("\u{1b}[2J.eml", mail);
    let shown = text(&site, "drop/\u{1b}[2J.eml", &[]);
    assert!(shown.chars().all(|c| c == '\n' || !c.is_control()), "{shown:?}");
    assert!(!shown.contains('\u{202e}'));
    assert!(shown.contains("“\\u{1b}[31mred”"), "{shown}");
    assert!(shown.contains("all+11@docs.example.org and 28 more"), "{shown}");
    for line in shown.lines().filter(|line| line.chars().count() > 100) {
        let words = line.split_whitespace().filter(|word| word.chars().count() > 40).count();
        assert_eq!(words, 1, "only a long word makes a long line: {line}");
    }
    foretell(&site, "\u{1b}[2J.eml");
}

/// As the README of a site's operator has it.
#[test]
fn a_refusal_reads_as_a_path_that_ends() {
    let site = Site::open_to_all();
    site.deliver("a.eml", mail("a", &["docs72"], "a"));
    let expected = "\
a.eml: “Mail a” from alice@example.org
  1 drop       Is it whole, and ours to take?     yes, unless somebody still writes to it: a regular
                                                  file of 446 bytes
  2 envelope   Who sends it, to whom?             alice@example.org → docs72@docs.example.org
                                                  (x-sender and x-receiver lines, 66 bytes)
  3 message    Can it be read within the limits?  yes: 2 parts
                                                  - body (text/plain, 10 bytes)
                                                  - attachment “attachment.txt” (text/plain, 1 byte)
  4 sender     Who is it, by what proof?          nobody proven: From is alice@example.org; nobody
                                                  we know
For docs72@docs.example.org
  5 route      Which library?                     none has the alias docs72
  ⇒ rejected: unknown-alias: no library has the alias that the address names
  9 dispose    And the file?                      deleted, once all of this is on record
";
    assert_eq!(text(&site, "drop/a.eml", &[]), expected);
}

/// The lines of the list under a question.
fn list(text: &str, question: &str) -> Vec<String> {
    let below = text.lines().skip_while(|line| !line.contains(question)).skip(1);
    let mut items: Vec<String> = Vec::new();
    for line in below.take_while(|line| line.starts_with(&" ".repeat(50))) {
        match (line.trim().strip_prefix("- "), items.last_mut()) {
            (Some(item), _) => items.push(item.to_owned()),
            (None, Some(item)) => *item = format!("{item} {}", line.trim()),
            (None, None) => {}
        }
    }
    items
}

/// One part with each of these headers, and one byte.
fn with_parts(headers: &[String]) -> String {
    let parts: String = headers.iter().map(|header| format!("--b\r\n{header}\r\n\r\nx\r\n")).collect();
    format!(
        "x-sender: a@x.org\r\nx-receiver: all@{DOMAIN}\r\nReceived: x\r\nFrom: a@x.org\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=b\r\n\r\n{parts}--b--\r\n"
    )
}

const WORDS: &str = "Content-Type: text/html";
const INVITATION: &str = "Content-Type: text/calendar; method=REQUEST";

fn file(name: &str) -> String {
    format!("Content-Type: text/plain\r\nContent-Disposition: attachment; filename=\"{name}\"")
}

const NO_ORIGINAL: &str = "they are in the original alone, which the library does not keep: save-original no";

#[test]
fn of_nothing_to_file_each_part_is_told_and_the_setting_that_would_file_it() {
    let site = open_site();
    site.ok(&["library", "set", "all", "--save-original", "no", "--save-invitations", "no"]);
    let invitation = "the library leaves out invitations: save-invitations no";
    let original = "the mail itself, with all that is in it, with save-original yes";
    for (parts, because, lines) in [
        (
            vec![WORDS],
            format!("the words: {NO_ORIGINAL}"),
            vec![
                format!("the words (text/html, 1 byte) not filed: {NO_ORIGINAL}"),
                format!("would be filed: {original}"),
            ],
        ),
        (
            vec![WORDS, INVITATION],
            format!("invitation.ics: {invitation}; the words: {NO_ORIGINAL}"),
            vec![
                format!("the words (text/html, 1 byte) not filed: {NO_ORIGINAL}"),
                format!("invitation without a name (text/calendar, 1 byte) left out: {invitation}"),
                format!("would be filed: the invitation with save-invitations yes; {original}"),
            ],
        ),
    ] {
        site.deliver("a.eml", with_parts(&parts.into_iter().map(str::to_owned).collect::<Vec<_>>()));
        assert_eq!(list(&text(&site, "drop/a.eml", &[]), "What is filed"), lines);
        let told = foretell(&site, "a.eml");
        assert_eq!(told["recipients"][0]["reason"], "nothing-to-file");
        assert_eq!(told["recipients"][0]["because"], because);
        assert_eq!(told["recipients"][0]["parts"][0]["why"], NO_ORIGINAL);
    }
    site.deliver("a.eml", with_parts(&[WORDS.to_owned()]).replace("\r\nx\r\n", "\r\n \r\n"));
    let told = foretell(&site, "a.eml");
    assert_eq!(told["recipients"][0]["because"], "it has neither words nor files");
    assert_eq!(told["recipients"][0]["parts"][0]["why"], "blank");
}

#[test]
fn however_many_parts_each_has_its_line() {
    let site = open_site();
    site.ok(&["library", "set", "all", "--save-original", "yes", "--save-invitations", "no"]);
    let mut parts = vec![WORDS.to_owned()];
    parts.extend((0..30).map(|_| file("a.txt")));
    parts.push(INVITATION.to_owned());
    site.deliver("a.eml", with_parts(&parts));
    let shown = text(&site, "drop/a.eml", &[]);
    let came = list(&shown, "Can it be read");
    assert_eq!((came.len(), came[30].as_str()), (32, "attachment “a.txt” (text/plain, 1 byte)"));
    let mut lines = vec!["the words (text/html, 1 byte): in the original alone".to_owned()];
    lines.push("“a.txt” → “a.txt”".to_owned());
    lines.extend((2..31).map(|number| format!("“a.txt” → “a ({number}).txt”")));
    lines.push(
        "invitation without a name (text/calendar, 1 byte) left out: the library leaves out invitations: \
         save-invitations no"
            .to_owned(),
    );
    lines.push("the mail itself → “no subject.eml” (save-original yes)".to_owned());
    assert_eq!(list(&shown, "What is filed"), lines);
    let told = foretell(&site, "a.eml");
    assert_eq!(answer(&told, "file"), format!("31 documents: {}", lines.join("; ")));
    assert_eq!(told["recipients"][0]["parts"][30], serde_json::json!({"part": 30, "document": "a (30).txt"}));
    // More than anybody sends: the text says what is missing, and where it is.
    parts.extend((0..100).map(|_| file("b.txt")));
    site.deliver("b.eml", with_parts(&parts));
    let lines = list(&text(&site, "drop/b.eml", &[]), "What is filed");
    assert_eq!(lines[99], "“b.txt” → “b (68).txt”");
    assert_eq!(lines[100], "32 more, not shown here: with --json `parts` has all");
    assert_eq!(lines[101], "the mail itself → “no subject (2).eml” (save-original yes)");
    foretell(&site, "b.eml");
}

#[test]
fn the_part_that_is_refused_says_why_and_the_others_that_a_mail_is_one_record() {
    let site = open_site();
    site.ok(&["library", "set", "all", "--save-original", "yes", "--save-invitations", "no"]);
    site.configure("attachment = \"50MiB\"", "attachment = \"3\"");
    site.configure("blocked_types = []", "blocked_types = [\"exe\"]");
    let parts = [WORDS.to_owned(), file("a.txt"), file("b.exe"), file("c.txt"), INVITATION.to_owned()];
    let one = "one mail is one record, and nothing of this one is filed";
    let invitation = "the library leaves out invitations: save-invitations no";
    let large = "4 bytes, and limits.attachment is 3";
    let exe = "its name ends in .exe, which limits.blocked_types has";
    site.deliver("a.eml", with_parts(&parts).replace("c.txt\"\r\n\r\nx", "c.txt\"\r\n\r\nfour"));
    let shown = text(&site, "drop/a.eml", &[]);
    assert!(shown.contains("nothing: an attachment is of a type that this"), "{shown}");
    assert_eq!(
        list(&shown, "What is filed"),
        [
            format!("the words (text/html, 1 byte) not filed: {one}"),
            format!("“a.txt” not filed: {one}"),
            format!("“b.exe” refused: {exe}"),
            format!("“c.txt” refused: {large}"),
            format!("invitation without a name (text/calendar, 1 byte) left out: {invitation}"),
        ]
    );
    let told = foretell(&site, "a.eml");
    let whys: Vec<_> =
        (0..5).map(|part| told["recipients"][0]["parts"][part]["why"].as_str().unwrap()).collect();
    assert_eq!(whys, [one, one, exe, large, invitation]);
}

/// No library is asked, or it has the mail already, or it is full.
#[test]
fn parts_of_what_is_not_filed_at_all_say_why() {
    let site = open_site();
    site.deliver("a.eml", with_attachments("a@x.org", &["a.txt".to_owned()]));
    site.pass();
    let again = with_attachments("a@x.org", &["a.txt".to_owned()]);
    site.deliver("a.eml", again.replace("Received", &format!("x-receiver: all+x@{DOMAIN}\r\nReceived")));
    let shown = text(&site, "drop/a.eml", &[]);
    assert_eq!(list(&shown, "What is filed"), ["“a.txt” not filed again: the mail was filed before"]);
    foretell(&site, "a.eml");
    let new = with_attachments("b@x.org", &["a.txt".to_owned()]);
    let more = format!("x-receiver: all+x@{DOMAIN}\r\nx-receiver: no@{DOMAIN}\r\nReceived");
    site.deliver("b.eml", new.replace("Received", &more));
    let told = foretell(&site, "b.eml");
    let fate = |recipient: usize| told["recipients"][recipient]["parts"][0].clone();
    assert_eq!(fate(0)["document"], "a (2).txt");
    let other = "the mail is filed there for another of its recipients";
    assert_eq!(fate(1)["why"], other);
    assert_eq!(told["recipients"][1]["steps"][2]["answer"], format!("nothing: {other}"));
    assert_eq!(fate(2)["why"], "no library has the alias that the address names");
    site.ok(&["library", "set", "all", "--quota", "2"]);
    site.deliver("c.eml", with_attachments("c@x.org", &["a.txt".to_owned()]));
    let told = foretell(&site, "c.eml");
    assert_eq!(told["recipients"][0]["reason"], "quota-exceeded");
    let why = &told["recipients"][0]["parts"][0]["why"];
    assert_eq!(why, "one mail is one record, and nothing of this one is filed");
}
