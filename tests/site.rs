//! What administrators do: libraries, people, rights, documents; and that settings take effect at once.

use std::fs;

use crate::util::{Site, mail, message};

#[test]
fn a_library_is_shown_as_it_was_set() {
    let site = Site::new();
    let made =
        site.json(&["library", "add", "Invoices", "--alias", "Bills", "--title", "All bills"]).remove(0);
    for (key, value) in [
        ("name", "invoices"),
        ("alias", "bills"),
        ("title", "All bills"),
        ("sender_policy", "permissions"),
        ("trust_from", "inherit"),
    ] {
        assert_eq!(made[key], value, "{key}");
    }
    assert_eq!((&made["save_original"], &made["enabled"]), (&false.into(), &true.into()));
    let changed = site.json(&["library", "set", "invoices", "--save-original", "yes", "--trust-from", "yes"]);
    assert_eq!((&changed[0]["save_original"], &changed[0]["trust_from"]), (&true.into(), &"yes".into()));
    assert_eq!(changed[0]["title"], "All bills");
    assert_eq!(site.json(&["library", "show", "invoices"]), changed);
    assert!(site.ok(&["library", "list"]).contains("bills@docs.example.org"));
    site.ok(&["library", "remove", "invoices"]);
    assert!(site.ok(&["library", "list"]).starts_with("There is no library."));
}

#[test]
fn a_library_that_holds_documents_is_not_removed() {
    let site = Site::open_to_all();
    site.deliver("a.eml", mail("a", &["all"], "a"));
    site.run();
    let error = site.fails(2, &["library", "remove", "all"]);
    assert!(error.contains("library all: it holds 2 documents"), "{error}");
    assert_eq!(site.documents("all").len(), 2);
}

#[test]
fn rights_by_name_by_group_and_as_one_of_everyone() {
    let site = Site::new();
    site.ok(&["user", "add", "alice", "--address", "alice@example.org"]);
    site.ok(&["group", "add", "accounting", "--member", "alice"]);
    for (library, principal, role) in [
        ("named", "user:alice", "contributor"),
        ("grouped", "group:accounting", "owner"),
        ("open", "everyone", "contributor"),
        ("readable", "everyone", "reader"),
    ] {
        site.ok(&["library", "add", library, "--alias", library, "--trust-from", "yes"]);
        site.ok(&["grant", library, principal, role]);
    }
    let outcomes = |id: &str| {
        site.deliver("a.eml", mail(id, &["named", "grouped", "open", "readable"], id));
        let event = site.pass();
        let recipients = event["mails"][0]["recipients"].as_array().unwrap().clone();
        let reason = |r: &serde_json::Value| r.get("reason").unwrap_or(&r["created_by"]).clone();
        recipients.iter().map(reason).collect::<Vec<_>>()
    };
    assert_eq!(outcomes("one"), ["alice", "alice", "alice", "no-permission"]);
    site.ok(&["revoke", "named", "user:alice"]);
    site.ok(&["group", "set", "accounting", "--no-member"]);
    assert_eq!(outcomes("two"), ["no-permission", "no-permission", "alice", "no-permission"]);
    site.ok(&["user", "remove", "alice"]);
    assert_eq!(outcomes("three"), ["unknown-sender"; 4]);
    let shown = site.json(&["library", "show", "open"]).remove(0);
    assert_eq!(shown["grants"], serde_json::json!([{"principal": "everyone", "role": "contributor"}]));
}

#[test]
fn an_address_of_two_users_is_nobodys() {
    let site = Site::new();
    site.ok(&["library", "add", "x", "--alias", "x", "--trust-from", "yes"]);
    site.ok(&["grant", "x", "everyone", "contributor"]);
    site.ok(&["user", "add", "alice", "--address", "alice@example.org"]);
    let output = site.output(&["user", "add", "alicia", "--address", "Alice@Example.org"]);
    assert!(output.status.success());
    assert!(String::from_utf8(output.stderr).unwrap().contains("alice has it too"));
    site.deliver("a.eml", mail("a", &["x"], "a"));
    let event = site.pass();
    assert_eq!(event["mails"][0]["recipients"][0]["reason"], "unauthenticated-sender");
}

#[test]
fn a_document_is_shown_and_fetched_by_its_path() {
    let site = Site::open_to_all();
    site.deliver("a.eml", mail("a", &["all"], "the bytes"));
    site.run();
    let mut shown = site.json(&["document", "show", "all", "ATTACHMENT.TXT"]).remove(0);
    let versions = shown.as_object_mut().unwrap().remove("versions").unwrap();
    assert_eq!((versions.as_array().unwrap().len(), &versions[0]["version"]), (1, &1.into()));
    let email = shown.as_object_mut().unwrap().remove("email").unwrap();
    assert_eq!(email["subject"], "Mail a");
    let listed = site.documents("all");
    assert!(listed.contains(&shown));
    for (key, value) in [
        ("library", "all"),
        ("folder", ""),
        ("name", "attachment.txt"),
        ("path", "attachment.txt"),
        ("sha256", &crate::util::sha256(b"the bytes")),
        ("media_type", "text/plain"),
        ("created_by", "System Account"),
    ] {
        assert_eq!(shown[key], value, "{key}");
    }
    assert_eq!(
        (&shown["version"], &shown["size"], &shown["original"]),
        (&1.into(), &9.into(), &false.into())
    );
    assert_eq!(site.document("all", "attachment.txt"), b"the bytes");
    assert_eq!(site.document("all", "Mail a.eml"), message("a", "the bytes").as_bytes());
    let file = site.path("out");
    fs::write(&file, "old").unwrap();
    site.ok(&["document", "get", "all", "attachment.txt", "-o", file.to_str().unwrap()]);
    assert_eq!(fs::read(&file).unwrap(), b"the bytes");
    assert!(
        site.fails(2, &["document", "get", "all", "attachment.txt", "--version", "2"]).contains("version 2")
    );
}

#[test]
fn settings_changed_while_a_batch_is_decided_are_the_ones_that_count() {
    let site = Site::open_to_all();
    site.deliver("a.eml", mail("a", &["all"], "a"));
    let mut command = site.command(&["run", "--json"]);
    command.env("MAILSHELF_FAILPOINT", "stored=wait").env("MAILSHELF_GATE", site.path("gate"));
    let child = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
    // The batch is decided and being stored; now the library is closed.
    site.wait_for("something to be stored", |site| !site.contents().is_empty());
    site.ok(&["library", "set", "all", "--enabled", "no"]);
    fs::write(site.path("gate"), "").unwrap();
    let output = child.wait_with_output().unwrap();
    let event: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(event["mails"][0]["recipients"][0]["reason"], "mail-disabled", "{event}");
    assert_eq!(site.documents("all").len(), 0);
}

#[test]
fn a_maildir_is_read_from_new_and_cur() {
    let site = Site::open_to_all();
    for folder in ["new", "cur", "tmp"] {
        fs::create_dir(site.path("drop").join(folder)).unwrap();
    }
    let maildir = |id: &str| {
        format!("Return-Path: <alice@example.org>\nX-Original-To: all@docs.example.org\n{}", message(id, id))
            .replace("\r\n", "\n")
    };
    fs::write(site.path("drop/new/1.M1P1.host"), maildir("one")).unwrap();
    fs::write(site.path("drop/cur/2.M2P2.host:2,S"), maildir("two")).unwrap();
    fs::write(site.path("drop/tmp/3.M3P3.host"), maildir("three")).unwrap();
    let event = site.pass();
    assert_eq!((&event["processed"], &event["filed"]), (&2.into(), &2.into()));
    // In a Maildir the original is the whole file.
    assert_eq!(site.document("all", "Mail one.eml"), maildir("one").as_bytes());
    assert!(site.path("drop/tmp/3.M3P3.host").exists());
    assert_eq!(crate::util::entries(&site.path("drop/new")).len(), 0);
}

#[test]
fn a_file_that_is_being_written_is_left_until_it_is_whole() {
    let site = Site::open_to_all();
    let whole = mail("a", &["all"], "a");
    let (first, rest) = whole.as_bytes().split_at(whole.len() / 2);
    let mut writer = fs::File::create(site.path("drop/a.eml")).unwrap();
    std::io::Write::write_all(&mut writer, first).unwrap();
    // It may be a delivery in progress; when it has been one for more than a minute, that is told, and once.
    for told in [0, 0, 1, 1] {
        if told == 1 {
            let claim = site.claims().remove(0);
            let node = crate::util::entries(&site.path("drop/.claimed")).remove(0);
            fs::rename(node.join(claim), node.join("01JD5N3C000000000000000000~a.eml")).unwrap();
        }
        assert_eq!(site.pass()["processed"], 0);
        let warned = site.events().iter().filter(|event| event["event_id"] == 6873).count();
        assert_eq!(warned, told);
    }
    std::io::Write::write_all(&mut writer, rest).unwrap();
    drop(writer);
    assert_eq!(site.pass()["filed"], 1);
    assert_eq!(site.document("all", "Mail a.eml"), message("a", "a").as_bytes());
}

#[test]
fn many_passes_empty_a_large_drop() {
    let site = Site::new();
    for nth in 0..10_050 {
        fs::write(site.path("drop").join(format!("{nth}.eml")), mail("x", &["nobody"], "x")).unwrap();
    }
    let events = site.run();
    let processed: Vec<_> = events.iter().map(|event| event["processed"].as_u64().unwrap()).collect();
    assert_eq!(processed, [10_000, 50]);
    assert_eq!(events[0]["unknown_aliases"], serde_json::json!(["nobody"]));
    site.assert_sound();
}

#[test]
fn rejected_mail_is_kept_where_the_site_says_so() {
    let site = Site::new();
    site.deliver("a.eml", mail("a", &["nobody"], "a"));
    site.run();
    assert_eq!(crate::util::entries(&site.path("state/kept")).len(), 0);
    site.configure("rejected = \"delete\"", "rejected = \"keep\"");
    site.deliver("b.eml", mail("b", &["nobody"], "b"));
    site.run();
    let kept = crate::util::entries(&site.path("state/kept"));
    assert_eq!(kept.len(), 1);
    assert_eq!(fs::read_to_string(&kept[0]).unwrap(), mail("b", &["nobody"], "b"));
}

#[test]
fn the_demo_shows_mail_filed_and_refused_and_may_be_run_again() {
    let dir = tempfile::tempdir().unwrap();
    let demo = || {
        let output =
            std::process::Command::new(crate::util::PROGRAM).arg("demo").arg(dir.path().join("d")).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let first = demo();
    for part in [
        "scans@docs.example.org → scans: Scan 0001.pdf, Scan 0001.eml, by System Account",
        "March.csv, Überweisungen.txt, by alice",
        "unauthenticated-sender",
        "unknown-sender",
        "The following aliases were unknown: docs72.",
        "duplicate",
    ] {
        assert!(first.contains(part), "{part}: {first}");
    }
    assert!(!demo().contains("filed      "));
}

/// Each setting is what it was made, one is changed and the others stay, and people read what it does.
#[test]
fn each_setting_of_a_library_can_be_changed_alone() {
    let site = Site::new();
    let settings = [
        ("attachments", "attachments", "root", "subject", "in a folder named by its subject"),
        ("attachments", "attachments", "root", "sender", "in a folder named by its From address"),
        ("overwrite", "overwrite", "no", "yes", "becomes a new version of the one there"),
        ("save-original", "save_original", "no", "yes", "the mail itself is filed too"),
        ("save-invitations", "save_invitations", "no", "yes", "invitations are filed too, as .ics"),
        ("inline-images", "inline_images", "no", "yes", "images that the text of a mail shows are filed too"),
        ("sender-policy", "sender_policy", "permissions", "anyone", "takes mail from anyone"),
        ("trust-from", "trust_from", "inherit", "yes", "the bare From header is believed"),
        ("enabled", "enabled", "yes", "no", "mail to it is rejected as mail-disabled"),
        ("quota", "quota", "none", "10GiB", "beyond that is rejected as quota-exceeded, and kept aside"),
        (
            "anonymous-quota",
            "anonymous_quota",
            "none",
            "3KiB",
            "more is rejected as anonymous-quota-exceeded",
        ),
    ];
    // Where there is a third word, yes and no are words too.
    let plain = |key: &str, word: &str| match word {
        "none" => serde_json::Value::Null,
        "10GiB" => (10_u64 << 30).into(),
        "3KiB" => 3072.into(),
        "yes" | "no" if key != "trust_from" => (word == "yes").into(),
        word => serde_json::Value::from(word),
    };
    site.ok(&["library", "add", "l", "--alias", "l"]);
    let made = site.json(&["library", "show", "l"]).remove(0);
    for (setting, key, default, other, meaning) in settings {
        assert_eq!(made[key], plain(key, default), "{setting}");
        let flag = format!("--{setting}");
        let changed = site.json(&["library", "set", "l", &flag, other]).remove(0);
        assert_eq!(changed[key], plain(key, other), "{setting}");
        let listed = site.json(&["library", "list"]).remove(0);
        assert_eq!(listed[key], plain(key, other), "{setting}");
        let text = site.ok(&["library", "show", "l"]);
        let line = text.lines().find(|line| line.starts_with(setting)).unwrap();
        assert!(line.contains(&format!(" {other}: ")) && line.contains(meaning), "{line}");
        let mut back = site.json(&["library", "set", "l", &flag, default]).remove(0);
        assert_eq!(back, made, "{setting}: nothing else has changed");
        back[key] = plain(key, other);
        assert_eq!(back, changed, "{setting}: nothing else had changed");
        let error = site.fails(2, &["library", "set", "l", &flag, "perhaps"]);
        assert!(error.contains(&flag) && error.contains("perhaps") && error.contains(default), "{error}");
    }
}
