//! A site as a file declares it: `apply` and `export`.

use std::fs::{self, File};
use std::io::Write;
use std::process::{Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::util::{Limit, Site, is_root, mail};

const SHOP: &str = r#"
[user.alice]
addresses = ["alice@example.org", "a@example.net"]
[user.bob]
addresses = ["bob@example.org"]
[group.interns]
members = ["bob"]
[group.accounting]
members = ["alice", "group:interns"]
[library.invoices]
alias = "invoices"
title = "Rechnungen \u202E \"2026\" \\"
save-original = true
grants = { "group:accounting" = "contributor", everyone = "reader" }
[library.scans]
alias = "scans"
sender-policy = "anyone"
"#;

/// Applies a declaration; it stands in a file beside the site.
fn apply(site: &Site, toml: impl AsRef<[u8]>, options: &[&str]) -> Output {
    let file = site.path("site.toml");
    fs::write(&file, toml).unwrap();
    site.output(&[&["apply", file.to_str().unwrap()], options].concat())
}

#[track_caller]
fn done(output: Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// What was said of a file that was refused, without its name; nothing must have been printed.
#[track_caller]
fn refused(output: Output) -> Vec<String> {
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert_eq!(output.stdout, b"");
    let told = String::from_utf8(output.stderr).unwrap();
    told.lines()
        .map(|line| line.split_once("site.toml: ").map_or(line, |(_, rest)| rest).to_owned())
        .collect()
}

fn export(site: &Site) -> String {
    site.ok(&["export"])
}

fn shop() -> Site {
    let site = Site::new();
    done(apply(&site, SHOP, &[]));
    site
}

#[test]
fn what_changes_is_shown_done_once_and_undone() {
    let site = Site::new();
    let empty = export(&site);
    let dry = done(apply(&site, SHOP, &["--dry-run"]));
    assert_eq!(
        dry,
        "+ user alice (a@example.net, alice@example.org)\n\
         + user bob (bob@example.org)\n\
         + group accounting (alice, group:interns)\n\
         + group interns (bob)\n\
         + library invoices (alias invoices, title “Rechnungen \\u{202e} \"2026\" \\”, save-original yes)\n\
         + library scans (alias scans, sender-policy anyone)\n\
         + grant invoices: group:accounting contributor\n\
         + grant invoices: everyone reader\n\
         8 changes would be made; nothing is changed.\n"
    );
    assert_eq!(export(&site), empty);
    let made = done(apply(&site, SHOP, &[]));
    assert_eq!(made, dry.replace("would be made; nothing is changed", "are made"));
    assert_eq!(done(apply(&site, SHOP, &[])), "Nothing to change.\n");
    assert_eq!(done(apply(&site, SHOP, &["--prune"])), "Nothing to change.\n");

    let shown = site.json(&["library", "show", "invoices"]).remove(0);
    assert_eq!(
        (&shown["title"], &shown["save_original"]),
        (&json!("Rechnungen \u{202e} \"2026\" \\"), &json!(true))
    );
    let rights = json!([
        {"principal": "group:accounting", "role": "contributor"},
        {"principal": "everyone", "role": "reader"},
    ]);
    assert_eq!(shown["grants"], rights);
    assert_eq!(site.json(&["user", "list"])[0]["addresses"], json!(["a@example.net", "alice@example.org"]));

    let less = "[user.alice]\naddresses = ['alice@example.org', 'new@example.org']\n[library.invoices]\n\
                alias = 'bills'\ngrants = { everyone = 'owner' }\n";
    assert_eq!(
        done(apply(&site, less, &[])),
        "~ user alice: addresses +new@example.org, -a@example.net\n\
         ~ library invoices: alias invoices → bills, title “Rechnungen \\u{202e} \"2026\" \\” → “”, save-original yes → no\n\
         ~ grant invoices: everyone reader → owner\n\
         3 changes are made. The file lacks 1 user, 2 groups, 1 library, 1 right, which stay; --prune removes them.\n"
    );
    assert_eq!(
        done(apply(&site, less, &["--prune"])),
        "- user bob\n- group accounting\n- group interns\n- library scans\n- grant invoices: group:accounting\n\
         5 changes are made.\n"
    );
    assert_eq!(done(apply(&site, &empty, &["--prune"])).lines().last(), Some("3 changes are made."));
    assert_eq!(export(&site), empty);
}

#[test]
fn scripts_see_each_change_and_a_summary() {
    let site = shop();
    let toml = "[user.alice]\naddresses = ['alice@example.org']\n[library.new]\nalias = 'new'\noverwrite = true\n\
                [library.invoices]\nalias = 'invoices'\nsave-original = true\ntrust-from = 'no'\n\
                grants = { everyone = 'owner' }";
    let lines: Vec<Value> = done(apply(&site, toml, &["--json"]))
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let field = |key: &str, from: Value, to: Value| json!({"key": key, "from": from, "to": to});
    let was = "Rechnungen \u{202e} \"2026\" \\";
    assert_eq!(
        lines,
        [
            json!({"change": "change", "kind": "user", "name": "alice", "fields":
                [field("addresses", json!(["a@example.net", "alice@example.org"]), json!(["alice@example.org"]))]}),
            json!({"change": "change", "kind": "library", "name": "invoices", "fields":
                [field("title", json!(was), json!("")), field("trust-from", json!("inherit"), json!("no"))]}),
            json!({"change": "add", "kind": "library", "name": "new", "fields":
                [field("alias", Value::Null, json!("new")), field("overwrite", Value::Null, json!(true))]}),
            json!({"change": "change", "kind": "grant", "name": "everyone", "library": "invoices", "fields":
                [field("role", json!("reader"), json!("owner"))]}),
            json!({"changes": 4, "applied": true, "dry_run": false,
                "kept": {"users": 1, "groups": 2, "libraries": 1, "grants": 1}}),
        ]
    );
    let dry = done(apply(&site, "# nothing", &["--json", "--prune", "--dry-run"]));
    assert!(dry.contains(r#"{"change":"remove","kind":"user","name":"bob","fields":[]}"#), "{dry}");
    assert!(dry.contains(r#""applied":false,"dry_run":true"#), "{dry}");
}

/// The file of a site makes the same site elsewhere, and nothing else of it.
#[test]
fn a_site_moves_by_its_file() {
    let (site, other) = (shop(), Site::new());
    let file = other.path("moved.toml");
    assert_eq!(site.ok(&["export", "-o", file.to_str().unwrap()]), "");
    other.ok(&["apply", file.to_str().unwrap()]);
    assert_eq!(export(&other), export(&site));
    assert_eq!(export(&other), fs::read_to_string(file).unwrap());
    assert_eq!(other.ok(&["export", "-o", "-"]), export(&other));
    let mut child = other
        .command(&["apply", "-", "--prune"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(export(&site).as_bytes()).unwrap();
    assert_eq!(done(child.wait_with_output().unwrap()), "Nothing to change.\n");
}

#[test]
fn an_export_has_every_setting_and_nothing_unsafe() {
    let site = shop();
    let toml = export(&site);
    assert!(toml.contains(r#"title = "Rechnungen \u202E \"2026\" \\""#), "{toml}");
    let declared: toml::Table = toml.parse().unwrap();
    let declared = declared["library"]["invoices"].as_table().unwrap();
    for (key, value) in site.json(&["library", "show", "invoices"]).remove(0).as_object().unwrap() {
        // What makes it another library, and what hangs on the site or the hour.
        let passing = ["name", "address", "created_at", "used", "anonymous_today", "former_aliases"];
        if passing.contains(&key.as_str()) {
            continue;
        }
        let there = declared.get(&key.replace('_', "-"));
        let there = there.unwrap_or_else(|| panic!("{key}"));
        let same = match value.is_null() {
            true => there.as_str() == Some("none"),
            false => there.is_table() || *value == serde_json::to_value(there).unwrap(),
        };
        assert!(same, "{key}: {value} {there}");
    }
}

#[test]
fn a_wrong_file_changes_nothing_and_all_of_it_is_told() {
    let site = shop();
    let before = export(&site);
    let toml = "[user.carol]\n[library.x]\nalias = \"scans\"\nsave-orginal = true\n[library.x.grants]\n\
                \"group:none\" = \"owner\"\neveryone = \"writer\"\n[library.y]\nalias = \"abuse\"\n\
                [group.interns]\nmembers = [\"carl\", \"group:accounting\"]\n[libary.z]\n";
    assert_eq!(
        refused(apply(&site, toml, &[])),
        [
            "line 3, column 9: alias scans: already taken by library scans",
            "hint: the file lacks library scans: give it another alias in [library.scans], or let it go by --prune",
            "line 4, column 1: unknown key `library.x.save-orginal`",
            "hint: the nearest known one is `library.x.save-original`",
            "line 6, column 1: library x: right of group:none: there is no group none",
            "hint: [group.none] makes one",
            "line 7, column 12: library.x.grants.everyone is one of \"reader\", \"contributor\", \"owner\", not \"writer\"",
            "line 9, column 9: alias abuse: abuse must reach a person (RFC 2142 section 4)",
            "hint: choose another; with + a subaddress reaches the library of what stands before it",
            "line 11, column 12: group interns: member carl: there is no user carl",
            "hint: [user.carl] makes one",
            "line 11, column 20: group interns: a member of itself through accounting",
            "line 12, column 2: unknown key `libary`",
            "hint: the nearest known one is `library`",
            "nothing is changed",
        ]
    );
    let told = refused(apply(&site, "[user.zoe]\n[group.g\n[group.h]\nmembers = [\"bob\"", &["--prune"]));
    assert_eq!(told[0], "line 2, column 9: unclosed table, expected `]`");
    let told = refused(apply(&site, "[group.interns]\nmembers = ['bob']", &["--prune"]));
    assert_eq!(
        told,
        [
            "line 2, column 12: group interns: member bob: there is no user bob",
            "hint: --prune removes that user, which the file lacks; [user.bob] keeps it",
            "nothing is changed"
        ]
    );
    let many: String = (0..250).map(|n| format!("[users{n}]\n")).collect();
    let told = refused(apply(&site, many, &[]));
    assert_eq!((told.len(), told[200].as_str()), (201, "150 more faults; nothing is changed"));
    assert_eq!(export(&site), before);
}

#[test]
fn a_library_with_documents_is_never_removed() {
    let site = shop();
    site.deliver("a.eml", mail("a", &["scans"], "the bytes"));
    site.run();
    let before = export(&site);
    let toml = "[user.carol]\n[library.other]\nalias = 'scans'\n";
    for options in [&["--prune"][..], &["--prune", "--dry-run"]] {
        let told = refused(apply(&site, toml, options));
        assert_eq!(
            told,
            [
                "mailshelf: library scans: it holds 1 documents, and --prune would remove it: the file lacks it",
                "hint: name [library.scans] in the file; `mailshelf export` shows it as it is",
                "nothing is changed",
            ]
        );
    }
    assert_eq!(export(&site), before);
    done(apply(&site, "[library.scans]\nalias = 'other'", &["--prune"]));
    assert_eq!(site.documents("scans").len(), 1);
    site.assert_sound();
}

#[test]
fn two_libraries_change_aliases_and_mail_follows() {
    let site = Site::new();
    let toml = "[library]\na = { alias = 'x', sender-policy = 'anyone' }\nb = { alias = 'y', sender-policy = 'anyone' }";
    done(apply(&site, toml, &[]));
    let swapped = toml.replace("'x'", "'_'").replace("'y'", "'x'").replace("'_'", "'y'");
    let told = apply(&site, swapped, &[]);
    for (alias, from, to) in [("y", "b", "a"), ("x", "a", "b")] {
        let warning = format!(
            "alias {alias}: mail to it went to library {from} until now, and goes to {to} from now on"
        );
        assert!(String::from_utf8_lossy(&told.stderr).contains(&warning), "{told:?}");
    }
    let changes = "~ library a: alias x → y\n~ library b: alias y → x\n2 changes are made.\n";
    assert_eq!(done(told), changes);
    site.deliver("a.eml", mail("a", &["x"], "to b"));
    site.run();
    assert_eq!((site.documents("a").len(), site.documents("b").len()), (0, 1));
}

/// An alias that an earlier version let pass, or another prefix made a reserved one, is no reason to refuse the file.
#[test]
fn what_a_library_has_already_it_keeps() {
    let site = Site::new();
    done(apply(&site, "library.a.alias = 'master'", &[]));
    site.configure("alias_prefix = \"\"", "alias_prefix = \"post\"");
    let toml = export(&site);
    assert_eq!(done(apply(&site, &toml, &["--prune"])), "Nothing to change.\n");
    let told = refused(apply(&site, toml.replace("library.a]", "library.b]"), &["--prune"]));
    assert!(told[0].contains("alias master: postmaster must reach a person"), "{told:?}");
}

#[test]
fn a_file_that_is_none_is_told_as_such() {
    let site = shop();
    let before = export(&site);
    let told = refused(apply(&site, b"[user.a]\n# \xc3\xa9 \xff\n", &[]));
    assert_eq!(told[0], "line 2, column 5: not UTF-8");
    let told = refused(apply(&site, " \n", &["--prune"]));
    assert_eq!(told[0], "it is empty, and --prune would remove all there is");
    for blank in ["\u{feff}", "\u{feff}\r\n \t\n"] {
        let told = refused(apply(&site, blank, &["--prune"]));
        assert_eq!(told[0], "it is empty, and --prune would remove all there is", "{blank:?}");
    }
    let at = |name: &str| site.path(name).to_str().unwrap().to_owned();
    let told = site.fails(2, &["apply", &at("nowhere.toml")]);
    assert!(told.contains("nowhere.toml: cannot be read: No such file"), "{told}");
    assert!(told.contains("hint: `mailshelf export -o FILE` writes one"), "{told}");
    let told = site.fails(2, &["apply", &at("drop")]);
    assert!(told.contains("drop: cannot be read: Is a directory"), "{told}");
    File::create(site.path("huge.toml")).unwrap().set_len((64 << 20) + 1).unwrap();
    let told = site.fails(2, &["apply", &at("huge.toml")]);
    assert!(told.contains("huge.toml: it has more than 64 MiB"), "{told}");
    if !is_root() {
        let told = site.fails(2, &["apply", "/etc/shadow"]);
        assert!(told.contains("Permission denied"), "{told}");
    }
    let told = site.fails(2, &["export", "-o", &at("drop")]);
    assert!(told.contains("it is a folder"), "{told}");
    assert_eq!(export(&site), before);
}

/// Whoever is stopped before the commit has changed nothing.
#[test]
fn interrupted_it_leaves_the_site_as_it_was() {
    let site = shop();
    let before = export(&site);
    let file = site.path("site.toml");
    fs::write(&file, "[library.new]\nalias = 'new'\n[user.zoe]").unwrap();
    let arguments = ["apply", file.to_str().unwrap(), "--prune"];
    let killed = site.command(&arguments).env("MAILSHELF_FAILPOINT", "applied=kill").output().unwrap();
    assert_eq!((killed.status.code(), killed.stdout.as_slice()), (None, &b""[..]));
    assert_eq!(export(&site), before);

    // Ctrl-C, once all is done but the commit: somebody else's change waits for it to end.
    let mut stopped = site.command(&arguments);
    let stopped =
        stopped.env("MAILSHELF_FAILPOINT", "applied=wait").env("MAILSHELF_GATE", site.path("never"));
    let mut child = stopped.stdout(Stdio::piped()).spawn().unwrap();
    let _limit = Limit::of(&child);
    let lock = site.path("state/catalog.db");
    site.wait_for("the write transaction", |_| {
        let other = rusqlite::Connection::open(&lock).unwrap();
        other.busy_timeout(std::time::Duration::ZERO).unwrap();
        other.execute_batch("BEGIN IMMEDIATE; ROLLBACK").is_err()
    });
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), None);
    assert_eq!(export(&site), before);
    site.ok(&["verify"]);
}

/// A change that comes between the plan and the commit waits for it, and what was shown is what was done.
#[test]
fn nobody_changes_the_site_meanwhile() {
    let site = shop();
    let (file, gate) = (site.path("site.toml"), site.path("gate"));
    fs::write(&file, format!("{SHOP}\n[library.new]\nalias = 'new'\n")).unwrap();
    let mut applying = site.command(&["apply", file.to_str().unwrap(), "--prune"]);
    applying.env("MAILSHELF_FAILPOINT", "applied=wait").env("MAILSHELF_GATE", &gate);
    let applying = applying.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let _limit = Limit::of(&applying);
    let database = site.path("state/catalog.db");
    site.wait_for("the write transaction", |_| {
        let other = rusqlite::Connection::open(&database).unwrap();
        other.busy_timeout(std::time::Duration::ZERO).unwrap();
        other.execute_batch("BEGIN IMMEDIATE; ROLLBACK").is_err()
    });
    let mut other = site.command(&["library", "add", "late", "--alias", "new"]);
    let other = other.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    fs::write(&gate, "").unwrap();
    assert_eq!(done(applying.wait_with_output().unwrap()), "+ library new (alias new)\n1 change is made.\n");
    let other = other.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&other.stderr).into_owned();
    assert!(told.contains("alias new: already taken by library new"), "{told}");
}

#[test]
fn what_other_commands_warn_of_it_warns_of() {
    let site = Site::new();
    let toml = "[user.alice]\naddresses = ['a@x.org']\n[user.bob]\naddresses = ['a@x.org']\n[user.carol]\n\
                addresses = ['c@x.org']\n[user.'a@x.org']\n[group.g]\nmembers = ['carol', 'bob']\n\
                [library.l]\nalias = 'l'\ntrust-from = 'yes'\n[library.m]\nalias = 'm'\n\
                grants = { 'group:g' = 'contributor', 'user:alice' = 'reader' }\n\
                [library.open]\nalias = 'o'\nsender-policy = 'anyone'\ngrants = { 'group:g' = 'owner' }";
    let output = apply(&site, toml, &[]);
    assert!(output.status.success(), "{output:?}");
    let told = String::from_utf8(output.stderr).unwrap();
    for warning in [
        "warning: library l: whoever writes a From header files there as that user",
        "warning: address a@x.org: bob has it too",
        "warning: login a@x.org: it is an address of alice",
        "warning: user bob may file in library m, but no address is this user's alone",
        "warning: user carol may file in library m, but no mail can be proven to come from carol",
        "hint: `mailshelf library set l --trust-from no` asks for proof",
    ] {
        assert_eq!(told.matches(warning).count(), 1, "{warning}\n{told}");
    }
    assert!(!told.contains("library open"), "{told}");
    let again = apply(&site, toml, &[]);
    assert_eq!((again.status.code(), String::from_utf8_lossy(&again.stderr).as_ref()), (Some(0), ""));
    // Another way to be proven, and a right that there was before, are nobody's warning.
    site.configure("authserv_id = []", "authserv_id = [\"mx1\"]");
    let proven =
        "[user.carol]\naddresses = ['c@x.org', 'd@x.org']\n[library.l]\nalias = 'l'\ntrust-from = 'no'";
    let output = apply(&site, proven, &[]);
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
}

/// By the option that every command has; what `apply` takes is TOML.
#[test]
fn an_export_for_programs_says_what_the_file_says() {
    let site = shop();
    let mut expected = serde_json::to_value(export(&site).parse::<toml::Table>().unwrap()).unwrap();
    expected["library"]["scans"]["grants"] = json!({});
    let printed = site.ok(&["export", "--json"]);
    assert_eq!((printed.lines().count(), printed.contains('\u{202e}')), (1, false), "{printed}");
    assert_eq!(serde_json::from_str::<Value>(&printed).unwrap(), expected);
    let file = site.path("site.json");
    site.ok(&["export", "--json", "-o", file.to_str().unwrap()]);
    assert_eq!(fs::read_to_string(&file).unwrap(), printed);
    let error = site.fails(2, &["apply", file.to_str().unwrap()]);
    assert!(
        error.contains("a declaration is TOML, and this is none\nhint: `mailshelf export` without"),
        "{error}"
    );
    let empty = Site::new().json(&["export"]);
    assert_eq!(empty, [json!({"user": {}, "group": {}, "library": {}})]);
}

/// A pipe that a shell hands over is read; one that stands in a folder keeps nobody waiting.
#[test]
fn what_is_applied_is_a_file_or_comes_by_a_pipe_of_the_shell() {
    let site = shop();
    site.ok(&["export", "-o", site.path("site.toml").to_str().unwrap()]);
    let fifo = site.path("fifo");
    let made = Command::new("mkfifo").arg(&fifo).status().unwrap();
    assert!(made.success());
    let run = |script: &str| {
        let mut command = Command::new("sh");
        command.args(["-c", script, "sh", crate::util::PROGRAM, "--config"]);
        command.current_dir(site.path("")).arg("mailshelf.toml");
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let _limit = Limit::of(&child);
        child.wait_with_output().unwrap()
    };
    let refused = run("exec \"$@\" apply fifo < /dev/null");
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("declaration fifo: it is no regular file\nhint: name a file; `-`"), "{said}");
    for script in [
        "cat site.toml | \"$@\" apply - --prune",
        "(sleep 0.1; cat site.toml) | \"$@\" apply /dev/stdin --prune",
        "\"$@\" apply /dev/stdin --prune < site.toml",
        "(sleep 0.1; cat site.toml) | \"$@\" apply /dev/fd/3 --prune 3<&0 < /dev/null",
        "cat site.toml > fifo & \"$@\" apply - --prune < fifo",
        "cat site.toml > fifo & \"$@\" apply /dev/stdin --prune < fifo",
    ] {
        assert_eq!(done(run(script)), "Nothing to change.\n", "{script}");
    }
}

/// The file in the README is one.
#[test]
fn the_example_of_the_readme_can_be_applied() {
    let readme = include_str!("../README.md");
    let blocks = readme.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let block = blocks.into_iter().find(|block| block.contains("[library.")).unwrap();
    let site = Site::new();
    done(apply(&site, block, &[]));
    assert_eq!(done(apply(&site, block, &["--prune"])), "Nothing to change.\n");
}

#[test]
fn quotas_are_declared_as_sizes_and_former_aliases_go_along() {
    let site = shop();
    site.ok(&["library", "set", "invoices", "--quota", "10GiB", "--anonymous-quota", "3KiB"]);
    let toml = export(&site);
    assert!(toml.contains("quota = \"10GiB\"\nanonymous-quota = \"3KiB\"\n"), "{toml}");
    let apply = |toml: &str| apply(&site, toml, &[]);
    for (wrong, why) in [("0", "say none for no quota"), ("much", "is no size"), ("8388608TiB", "is no size")]
    {
        let told = apply(&toml.replace("10GiB", wrong));
        let stderr = String::from_utf8(told.stderr).unwrap();
        assert!(told.status.code() == Some(2) && stderr.contains(why), "{wrong}: {stderr}");
    }
    let alias = "alias = \"invoices\"";
    assert!(toml.contains(alias));
    assert!(apply(&toml.replace(alias, "alias = \"bills\"")).status.success());
    let former = site.json(&["library", "show", "invoices"]).remove(0)["former_aliases"].clone();
    assert_eq!(former[0]["alias"], "invoices");
    let taken =
        format!("{}\n[library.new]\nalias = \"invoices\"\n", toml.replace(alias, "alias = \"bills\""));
    let told = String::from_utf8(apply(&taken).stderr).unwrap();
    let warning = "warning: alias invoices: mail to it went to library invoices until now, and goes to new";
    assert!(told.contains(warning), "{told}");
    let former = site.json(&["library", "show", "invoices"]).remove(0)["former_aliases"].clone();
    assert_eq!(former, json!([]));
}
