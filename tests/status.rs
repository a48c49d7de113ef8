//! How the site does, and what needs attention.

use std::fs;
use std::process::{Child, Stdio};
use std::time::{Duration, SystemTime};

use mailshelf_storage::catalog::sqlite::SqliteCatalog;
use mailshelf_storage::model::{NewEvent, Pass};
use mailshelf_storage::{Catalog, PassId};
use serde_json::Value;

use crate::util::{Site, entries, mail};

/// How much space this machine has left is no matter of a test.
const SPACE: &str = "free on its file system";

/// The status, and whether all is well. Of its problems those are left out that the machine has.
fn status(site: &Site, arguments: &[&str]) -> (Value, bool) {
    let output = site.output(&[&["status", "--json"], arguments].concat());
    let mut value: Value = serde_json::from_slice(&output.stdout).unwrap();
    let code = output.status.code();
    let expected = if value["state"] == "ok" { Some(0) } else { Some(1) };
    assert_eq!(code, expected, "{value:#}");
    assert_eq!(value["state"] == "ok", value["problems"] == serde_json::json!([]), "{value:#}");
    let problems = value["problems"].as_array_mut().unwrap();
    problems.retain(|problem| !problem.as_str().unwrap().contains(SPACE));
    let well = problems.is_empty();
    (value, well)
}

/// What needs attention; each problem must name `wanted`, in order.
fn assert_problems(site: &Site, arguments: &[&str], wanted: &[&str]) -> Value {
    let (value, _) = status(site, arguments);
    let problems: Vec<_> =
        value["problems"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
    assert_eq!(problems.len(), wanted.len(), "{problems:#?}");
    for (problem, wanted) in problems.iter().zip(wanted) {
        assert!(problem.contains(wanted), "{wanted} is not in: {problem}");
    }
    value
}

#[test]
fn a_new_site_is_well() {
    let site = Site::new();
    let (value, well) = status(&site, &["--max-wait", "0s"]);
    assert!(well, "{value:#}");
    assert_eq!(value.get("last_pass"), Some(&Value::Null));
    assert_eq!(value.get("oldest_waiting"), Some(&Value::Null));
    for zero in ["backlog", "deferred", "badmail", "kept", "documents", "contents", "contents_bytes", "mails"]
    {
        assert_eq!(value[zero], 0, "{zero}");
    }
    assert_eq!(value["catalog_bytes"], fs::metadata(site.path("state/catalog.db")).unwrap().len());
    assert!(value["free_bytes"]["catalog"].as_u64().unwrap() > 0);
    assert!(value["free_bytes"]["contents"].as_u64().unwrap() > 0);
}

/// A prefix may make an alias what none may be: mail to postmaster would be filed, and nobody read it.
#[test]
fn a_prefix_that_makes_an_alias_a_reserved_one_needs_attention() {
    let site = Site::new();
    let long = "l".repeat(126);
    for (name, alias) in [("master", "master"), ("long", long.as_str()), ("fine", "fine")] {
        site.ok(&["library", "add", name, "--alias", alias]);
    }
    assert_problems(&site, &[], &[]);
    site.configure("alias_prefix = \"\"", "alias_prefix = \"post\"");
    let wanted = [
        "library long has the alias llll",
        "library master has the alias master, and may not: postmaster must reach a person (RFC 5321 section 4.5.1): \
         `mailshelf library set master --alias ALIAS` gives it another",
    ];
    assert_problems(&site, &[], &wanted);
    site.ok(&["library", "set", "long", "--alias", "short"]);
    site.ok(&["library", "set", "master", "--alias", "other"]);
    // What it was called still leads there.
    let wanted = [
        "former alias llll",
        "former alias master leads to library master, and may not: postmaster must reach a person (RFC 5321 section \
         4.5.1): `mailshelf library set master --forget master` ends it",
    ];
    assert_problems(&site, &[], &wanted);
    site.ok(&["library", "set", "master", "--forget", "master"]);
    site.ok(&["library", "set", "long", "--forget", &long]);
    assert_problems(&site, &[], &[]);
}

#[test]
fn what_was_filed_and_what_is_kept_is_counted() {
    let site = Site::open_to_all();
    site.deliver("a.eml", mail("a", &["all", "nobody"], "the bytes"));
    site.deliver("b.eml", "Received: x\r\nSubject: no envelope\r\n\r\nbody\r\n");
    let event = site.pass();
    let (value, well) = status(&site, &["--max-wait", "1h"]);
    assert!(well, "{value:#}");
    let last = &value["last_pass"];
    for field in
        ["pass", "time", "node", "elapsed_ms", "processed", "filed", "duplicate", "rejected", "deferred"]
    {
        assert_eq!(last[field], event[field], "{field}");
    }
    assert_eq!((&last["interrupted"], &last["filed"]), (&false.into(), &1.into()));
    let sizes: u64 = site.documents("all").iter().map(|document| document["size"].as_u64().unwrap()).sum();
    assert_eq!((&value["contents_bytes"], &value["contents"]), (&sizes.into(), &2.into()));
    assert_eq!((&value["mails"], &value["documents"], &value["kept"]), (&2.into(), &2.into(), &1.into()));
    assert_eq!((&value["libraries"], &value["users"]), (&1.into(), &0.into()));
    let text = String::from_utf8(site.output(&["status"]).stdout).unwrap();
    let state = value["state"].as_str().unwrap();
    assert!(text.starts_with(&format!("state           {state}\nlast pass       2")), "{text}");
    assert!(text.lines().all(|line| !line.starts_with("problem: ") || line.contains(SPACE)), "{text}");
}

#[test]
fn mail_that_nobody_takes_needs_attention() {
    let site = Site::open_to_all();
    site.deliver("a.eml", mail("a", &["all"], "a"));
    let value = assert_problems(&site, &[], &["no pass has ended yet: is the timer or the service running?"]);
    assert_eq!((&value["backlog"], &value["oldest_waiting"]["file"]), (&1.into(), &"a.eml".into()));
    site.run();
    assert_problems(&site, &[], &[]);
    // No pass ended within no time at all.
    assert_problems(
        &site,
        &["--max-wait", "0s"],
        &["--max-wait is 0s: is the timer or the service running?"],
    );
    site.deliver("b.eml", mail("b", &["all"], "b"));
    site.deliver("c.eml", mail("c", &["all"], "c"));
    let time = SystemTime::now() - Duration::from_secs(3 * 3600 + 60);
    fs::File::options().write(true).open(site.path("drop/c.eml")).unwrap().set_modified(time).unwrap();
    let value =
        assert_problems(&site, &[], &["mail has waited for 3h, and --max-wait is 5m: `mailshelf queue`"]);
    assert_eq!((&value["backlog"], &value["oldest_waiting"]["file"]), (&2.into(), &"c.eml".into()));
    assert!(value["oldest_waiting"]["age_ms"].as_u64().unwrap() >= (3 * 3600 + 60) * 1000);
    assert_problems(&site, &["--max-wait", "1d"], &[]);
}

#[test]
fn deferred_mail_needs_attention_and_is_no_backlog() {
    let site = Site::open_to_all();
    for first in 0..=255 {
        fs::write(site.path("state/contents").join(format!("{first:02x}")), "").unwrap();
    }
    for id in ["a", "b", "c"] {
        site.deliver(&format!("{id}.eml"), mail(id, &["all"], id));
    }
    assert_eq!(site.output(&["run"]).status.code(), Some(1));
    let value = assert_problems(&site, &[], &["3 mails are deferred: `mailshelf queue` says why"]);
    assert_eq!((&value["deferred"], &value["backlog"]), (&3.into(), &0.into()));
}

/// A run that stops once contents are stored, until the gate is there.
fn held(site: &Site) -> Child {
    let mut command = site.command(&["run"]);
    command.env("MAILSHELF_FAILPOINT", "stored=wait").env("MAILSHELF_GATE", site.path("gate"));
    let run = command.stdout(Stdio::null()).spawn().unwrap();
    site.wait_for("the contents", |site| !site.contents().is_empty());
    run
}

#[test]
fn a_pass_that_was_interrupted_needs_attention_until_the_next() {
    let site = Site::open_to_all();
    // More than one batch that is committed, one that waits and one that is read: the next is never begun.
    for nth in 0..1000 {
        site.deliver(&format!("{nth}.eml"), mail(&nth.to_string(), &["all"], "a"));
    }
    let mut run = held(&site);
    let pid = rustix::process::Pid::from_child(&run);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    fs::write(site.path("gate"), "").unwrap();
    assert_eq!(run.wait().unwrap().code(), Some(1));
    let value = assert_problems(&site, &[], &["the last pass was interrupted"]);
    assert_eq!(value["last_pass"]["interrupted"], true);
    site.run();
    assert_problems(&site, &[], &[]);
}

#[test]
fn badmail_needs_attention_until_it_is_put_back() {
    let site = Site::open_to_all();
    site.deliver("a.eml", mail("a", &["all"], "a"));
    let mut run = site.command(&["run"]);
    run.env("MAILSHELF_FAILPOINT", "parsed=panic").output().unwrap();
    let value = assert_problems(&site, &[], &["1 mail stands in badmail: `mailshelf queue` says why, and "]);
    assert_eq!(value["badmail"], 1);
    let text = String::from_utf8(site.output(&["status"]).stdout).unwrap();
    assert!(
        text.starts_with("state           attention\n") && text.contains("\nproblem: 1 mail stands"),
        "{text}"
    );
    site.ok(&["queue", "retry", "--all"]);
    site.run();
    assert_problems(&site, &[], &[]);
}

#[test]
fn claimed_mail_is_backlog_and_its_worker_is_left_alone() {
    let site = Site::open_to_all();
    for id in ["a", "b"] {
        site.deliver(&format!("{id}.eml"), mail(id, &["all"], id));
    }
    let mut run = held(&site);
    let value = assert_problems(&site, &[], &["no pass has ended yet"]);
    assert_eq!((&value["backlog"], &value["deferred"]), (&2.into(), &0.into()));
    fs::write(site.path("gate"), "").unwrap();
    assert!(run.wait().unwrap().success());
    assert_problems(&site, &[], &[]);
    site.assert_sound();
}

#[test]
fn a_drop_that_is_gone_is_a_problem_and_is_not_made() {
    let site = Site::open_to_all();
    site.run();
    fs::remove_dir_all(site.path("drop")).unwrap();
    let value = assert_problems(&site, &[], &["drop: there is none: make it (mkdir "]);
    for unknown in ["backlog", "oldest_waiting", "deferred"] {
        assert_eq!(value.get(unknown), Some(&Value::Null), "{unknown}");
    }
    assert!(!site.path("drop").exists());
    fs::write(site.path("drop"), "").unwrap();
    assert_problems(&site, &[], &["drop: not a folder"]);
    fs::remove_file(site.path("drop")).unwrap();
    fs::create_dir(site.path("drop")).unwrap();
    fs::write(site.path("state/badmail"), "").unwrap();
    let value = assert_problems(&site, &[], &["cannot read "]);
    assert_eq!((&value["badmail"], &value["kept"]), (&Value::Null, &0.into()));
    // What was missing was not made either.
    assert_eq!(entries(&site.path("drop")).len(), 0);
    assert!(!site.path("state/kept").exists());
}

/// However many passes another node has made since, some of them in the same millisecond.
#[test]
fn the_last_pass_is_that_of_this_node() {
    let site = Site::new();
    let ours = site.pass();
    let (id, ended_at) = {
        let catalog = SqliteCatalog::open(&site.path("state/catalog.db")).unwrap();
        let last = catalog.read().unwrap().last_pass(ours["node"].as_str().unwrap()).unwrap().unwrap();
        let mut writer = catalog.write().unwrap();
        for nth in 0..300 {
            let pass = Pass { id: PassId::generate(), node: "other".to_owned(), started_at: last.1 };
            let mut body = ours.clone();
            body["node"] = "other".into();
            body["pass"] = pass.id.to_string().into();
            let time = last.1 + Duration::from_millis(nth / 100);
            let event = NewEvent { event_id: 6871, pass: pass.id, time, body: body.to_string() };
            writer.begin_pass(&pass).unwrap();
            writer.add_event(&event).unwrap();
            writer.end_pass(pass.id, time).unwrap();
        }
        writer.commit().unwrap();
        last
    };
    let (value, _) = status(&site, &[]);
    assert_eq!(value["last_pass"]["pass"], id.to_string());
    assert_eq!(value["last_pass"]["time"], format!("{ended_at:.3}"));
    assert_eq!(value["last_pass"]["node"], ours["node"]);
}

#[test]
fn what_is_configured_wrongly_is_exit_code_2() {
    let site = Site::new();
    let error = site.fails(2, &["status", "--max-wait", "soon"]);
    assert!(error.contains("\"soon\" is no time; one looks like \"2s\" or \"30d\""), "{error}");
    site.configure("[drop]", "[dorp]");
    assert!(site.fails(2, &["status"]).contains("dorp"));
}
