//! The queue: what stands where, why, and how what was given up comes back.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Stdio};

use mailshelf_storage::DeliveryId;
use serde_json::Value;

use crate::util::{Site, entries, mail, name};

/// What the queue holds, as `state file`, sorted.
fn queued(site: &Site) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut told: Vec<_> = site
        .json(&["queue"])
        .iter()
        .map(|entry| format!("{} {}", text(&entry["state"]), text(&entry["file"])))
        .collect();
    told.sort();
    told
}

/// The one thing in the queue.
fn only(site: &Site) -> Value {
    let mut queue = site.json(&["queue"]);
    assert_eq!(queue.len(), 1, "{queue:#?}");
    queue.remove(0)
}

fn badmail(site: &Site) -> Vec<String> {
    entries(&site.path("state/badmail")).iter().map(|path| name(path)).collect()
}

/// A site with `two.eml` given up: it killed its reader three times.
fn given_up() -> (Site, String) {
    let site = Site::open_to_all();
    for id in ["one", "two"] {
        site.deliver(&format!("{id}.eml"), mail(id, &["all", "nobody"], id));
    }
    let poison = "parsed:two@example.net=abort";
    site.die(poison);
    let output = site.command(&["run"]).env("MAILSHELF_FAILPOINT", poison).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let id = badmail(&site)[0][..26].to_owned();
    (site, id)
}

/// A run that stops at a failpoint until the gate is there.
fn held(site: &Site, failpoint: &str) -> (Child, PathBuf) {
    let gate = site.path("gate");
    let mut command = site.command(&["run"]);
    command.env("MAILSHELF_FAILPOINT", format!("{failpoint}=wait")).env("MAILSHELF_GATE", &gate);
    (command.stdout(Stdio::null()).spawn().unwrap(), gate)
}

#[test]
fn nothing_waits() {
    let site = Site::open_to_all();
    assert_eq!(site.ok(&["queue"]), "Nothing waits.\n");
    assert_eq!(site.ok(&["queue", "--json"]), "");
    site.deliver("a.eml", mail("a", &["all"], "a"));
    site.run();
    assert_eq!(site.ok(&["queue"]), "Nothing waits.\n");
}

#[test]
fn what_stands_in_the_drop_is_told_and_stays() {
    let site = Site::open_to_all();
    let bytes = mail("a", &["all"], "a");
    site.deliver("a.eml", &bytes);
    fs::create_dir(site.path("drop/folder")).unwrap();
    fs::write(site.path("drop/.hidden"), "").unwrap();
    let queue = site.json(&["queue"]);
    let find = |file: &str| queue.iter().find(|entry| entry["file"] == file).unwrap();
    let waiting = find("a.eml");
    assert_eq!((&waiting["state"], &waiting["why"]), (&"waiting".into(), &"for the next pass".into()));
    assert_eq!((&waiting["size"], &waiting["attempts"]), (&bytes.len().into(), &0.into()));
    for unknown in ["mail", "node", "from", "subject", "message_id"] {
        assert_eq!(waiting.get(unknown), Some(&Value::Null), "{unknown}");
    }
    assert_eq!(waiting["recipients"], serde_json::json!([]));
    let folder = find("folder");
    assert_eq!((&folder["state"], &folder["attempts"]), (&"not-mail".into(), &Value::Null));
    assert_eq!(folder["why"], "a folder, not a mail: left where it is");
    assert_eq!(queue.len(), 2);
    assert!(!site.path("drop/.claimed").exists());
    let text = site.ok(&["queue"]);
    assert!(text.ends_with("\n1 waiting, 1 not-mail\n"), "{text}");
}

#[test]
fn people_see_the_oldest_hundred_and_scripts_see_all() {
    let site = Site::new();
    for nth in 0..250 {
        let path = site.path("drop").join(format!("{nth:03}.eml"));
        fs::write(&path, "").unwrap();
        // The later the name, the older the mail.
        let time = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000 - nth);
        fs::File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
    }
    assert_eq!(site.json(&["queue"]).len(), 250);
    let text = site.ok(&["queue"]);
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 1 + 100 + 2);
    assert!(lines[1].contains(" 249.eml ") && lines[100].contains(" 150.eml "), "{text}");
    assert_eq!(lines[101..], ["… and 150 more waiting", "250 waiting"]);
}

#[test]
fn a_claim_tells_whether_its_worker_lives() {
    let site = Site::open_to_all();
    site.configure("node = \"\"", "node = \"n1\"");
    site.deliver("a.eml", mail("a", &["all"], "a"));
    let (mut run, gate) = held(&site, "claimed");
    site.wait_for("the claim", |site| site.claims().len() == 1);
    let entry = only(&site);
    assert_eq!((&entry["state"], &entry["node"]), (&"claimed".into(), &"n1".into()));
    assert_eq!(entry["why"], "a worker of node n1 has taken it and is at work");
    let id: DeliveryId = entry["mail"].as_str().unwrap().parse().unwrap();
    assert_eq!(entry["since"], format!("{:.3}", id.time()));
    run.kill().unwrap();
    run.wait().unwrap();
    assert_eq!(only(&site)["why"], "no worker of node n1 is at work: the next pass adopts it");
    fs::write(gate, "").unwrap();
    site.run();
    assert_eq!(site.documents("all").len(), 2);
    site.assert_sound();
}

#[test]
fn a_claim_whose_outcome_is_on_record_is_only_to_be_disposed_of() {
    let site = Site::open_to_all();
    site.deliver("a.eml", mail("a", &["all"], "a"));
    site.die("committed=abort");
    let entry = only(&site);
    assert_eq!(entry["state"], "claimed");
    assert_eq!(entry["why"], "its outcome is on record; the next pass disposes of it");
    assert_eq!((&entry["from"], &entry["subject"]), (&"alice@example.org".into(), &"Mail a".into()));
    assert_eq!(entry["message_id"], "<a@example.net>");
    assert_eq!(
        entry["recipients"],
        serde_json::json!([{"address": "all@docs.example.org", "outcome": "filed"}])
    );
    site.run();
    assert_eq!(queued(&site), [""; 0]);
}

#[test]
fn a_mail_that_a_worker_died_over_is_a_suspect() {
    let site = Site::open_to_all();
    site.deliver("a.eml", mail("a", &["all"], "a"));
    site.die("parsed=abort");
    let entry = only(&site);
    assert_eq!(entry["state"], "suspect");
    assert_eq!(entry["why"], "a worker may have died of it: the next pass reads it alone");
    site.run();
    assert_eq!(queued(&site), [""; 0]);
}

/// In the way of the folder of every content.
fn block_contents(site: &Site) {
    for first in 0..=255 {
        fs::write(site.path("state/contents").join(format!("{first:02x}")), "").unwrap();
    }
}

#[test]
fn a_deferred_mail_is_told_with_its_fault_and_is_no_badmail() {
    let site = Site::open_to_all();
    block_contents(&site);
    site.deliver("a.eml", mail("a", &["all", "nobody"], "a"));
    assert_eq!(site.output(&["run"]).status.code(), Some(1));
    let entry = only(&site);
    assert_eq!((&entry["state"], &entry["attempts"]), (&"deferred".into(), &0.into()));
    assert!(entry["why"].as_str().unwrap().contains("state/contents"), "{entry}");
    assert_eq!(entry["recipients"][0]["outcome"], "deferred");
    let text = site.ok(&["queue"]);
    assert!(text.contains("  each pass  ") && text.ends_with("\n1 deferred\n"), "{text}");
    let id = entry["mail"].as_str().unwrap();
    for named in [id, &id[..12]] {
        let error = site.fails(2, &["queue", "retry", named]);
        assert!(error.contains(&format!("{id}: it is deferred, not in badmail")), "{error}");
        assert!(error.contains("\nhint: "), "{error}");
    }
}

#[test]
fn a_mail_that_fails_by_itself_tells_how_often() {
    let site = Site::open_to_all();
    for id in ["one", "two"] {
        site.deliver(&format!("{id}.eml"), mail(id, &["all"], id));
    }
    for run in 1..=2 {
        // What is filed shows that it is this mail we stumble over.
        site.deliver(&format!("later{run}.eml"), mail(&format!("later{run}"), &["all"], &format!("{run}")));
        let mut command = site.command(&["run"]);
        command.env("MAILSHELF_FAILPOINT", "decided:two@example.net=panic@*").output().unwrap();
    }
    assert_eq!((&only(&site)["state"], &only(&site)["attempts"]), (&"deferred".into(), &2.into()));
    assert!(site.ok(&["queue"]).contains("  2 of 8  "));
}

#[test]
fn mail_that_was_given_up_is_put_back_and_filed() {
    let (site, id) = given_up();
    let entry = only(&site);
    assert_eq!((&entry["state"], &entry["file"]), (&"badmail".into(), &"two.eml".into()));
    assert_eq!(entry["mail"], id.as_str());
    assert!(entry["why"].as_str().unwrap().contains("killed 3 processes"), "{entry}");
    let back = site.json(&["queue", "retry", &id.to_lowercase()[..20]]);
    assert_eq!(back.len(), 1);
    assert_eq!((&back[0]["mail"], &back[0]["file"]), (&id.as_str().into(), &"two.eml".into()));
    assert_eq!(back[0]["path"], site.path("drop/two.eml").to_str().unwrap());
    assert_eq!(
        fs::read_to_string(site.path("drop/two.eml")).unwrap(),
        mail("two", &["all", "nobody"], "two")
    );
    assert_eq!(badmail(&site), [""; 0]);
    assert_eq!(queued(&site), ["waiting two.eml"]);
    let event = site.pass();
    assert_eq!((&event["filed"], &event["rejected"]), (&1.into(), &1.into()));
    assert_ne!(event["mails"][0]["mail"], id.as_str());
    assert_eq!(site.documents("all").len(), 4);
    // What is on record of the old id stays.
    let error = site.fails(2, &["queue", "retry", &id]);
    assert!(
        error.contains(&format!("mail {id}: it is on record as badmail, and its file is not in")),
        "{error}"
    );
    site.assert_sound();
}

#[test]
fn all_of_it_is_put_back_but_what_is_not_ours() {
    let (site, id) = given_up();
    fs::write(site.path("state/badmail/note"), "by hand").unwrap();
    site.deliver("two.eml", mail("other", &["all"], "other"));
    let output = site.output(&["queue", "retry", "--all"]);
    assert!(output.status.success(), "{output:?}");
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(told, format!("Mail {id} is back in the drop as two.eml~2; the next pass takes it as new.\n"));
    assert!(String::from_utf8(output.stderr).unwrap().contains("badmail file note: it has no id"));
    assert_eq!(badmail(&site), ["note"]);
    assert_eq!(queued(&site), ["badmail note", "waiting two.eml", "waiting two.eml~2"]);
    assert_eq!(site.pass()["filed"], 2);
    assert_eq!(site.ok(&["queue", "retry", "--all"]), "No mail stands in badmail.\n");
    assert_eq!(only(&site)["why"], "not put there by mailshelf");
}

#[test]
fn a_retry_names_what_is_there_or_touches_nothing() {
    let (site, id) = given_up();
    for (wanted, arguments) in [
        ("no mail is named", &["queue", "retry"][..]),
        ("cannot be used with", &["queue", "retry", &id, "--all"]),
        ("8 of them must be named", &["queue", "retry", &id, &id[..7]]),
        ("mail 01AAAAAA: there is none in badmail", &["queue", "retry", &id, "01AAAAAA"]),
        ("there is none in badmail", &["queue", "retry", &id, &DeliveryId::generate().to_string()]),
    ] {
        let error = site.fails(2, arguments);
        assert!(error.contains(wanted) && error.contains("hint: "), "{arguments:?}: {error}");
        assert_eq!(badmail(&site).len(), 1);
    }
    let other = format!("{}ZZZZ", &id[..22]);
    fs::write(site.path("state/badmail").join(format!("{other}~x.eml")), "").unwrap();
    let error = site.fails(2, &["queue", "retry", &id[..22]]);
    assert!(error.contains("several ids begin like that\nhint: name more of it: "), "{error}");
    assert_eq!(badmail(&site).len(), 2);
    // The same mail twice is that mail.
    assert_eq!(site.json(&["queue", "retry", &id, &id]).len(), 1);
    assert_eq!(badmail(&site), [format!("{other}~x.eml")]);
}

#[test]
fn mail_that_is_still_being_set_aside_is_not_put_back() {
    let (site, id) = given_up();
    let node = entries(&site.path("drop/.claimed")).remove(0);
    fs::copy(site.path("state/badmail").join(&badmail(&site)[0]), node.join(format!("{id}~two.eml")))
        .unwrap();
    for named in [&id, "--all"] {
        let error = site.fails(2, &["queue", "retry", named]);
        assert!(error.contains("it is still being moved to badmail"), "{error}");
    }
    site.output(&["run"]);
    assert_eq!(badmail(&site).len(), 1);
    assert_eq!(site.json(&["queue", "retry", "--all"]).len(), 1);
}

#[test]
fn a_retry_that_was_interrupted_ends_as_a_duplicate() {
    let (site, id) = given_up();
    let Ok(elsewhere) = tempfile::tempdir_in("/dev/shm") else {
        crate::util::skip("no second file system here");
        return;
    };
    let badmail = elsewhere.path().join("badmail");
    fs::create_dir(&badmail).unwrap();
    let file = format!("{id}~two.eml");
    fs::copy(site.path("state/badmail").join(&file), badmail.join(&file)).unwrap();
    fs::remove_file(site.path("state/badmail").join(&file)).unwrap();
    site.configure("badmail = \"state/badmail\"", &format!("badmail = {badmail:?}"));
    let mut retry = site.command(&["queue", "retry", &id]);
    let died = retry.env("MAILSHELF_FAILPOINT", "put-back-copied=abort").output().unwrap();
    assert_eq!(died.status.code(), None, "{died:?}");
    assert_eq!((entries(&badmail).len(), site.waiting()), (1, vec!["two.eml".to_owned()]));
    assert_eq!(site.pass()["filed"], 1);
    assert_eq!(site.json(&["queue", "retry", &id]).len(), 1);
    assert_eq!(entries(&badmail).len(), 0);
    let event = site.pass();
    assert_eq!((&event["filed"], &event["duplicate"]), (&0.into(), &1.into()));
    assert_eq!(site.documents("all").len(), 4);
    site.assert_sound();
}

#[test]
fn a_maildir_takes_it_back_into_new() {
    let (site, id) = given_up();
    for part in ["new", "cur", "tmp"] {
        fs::create_dir(site.path("drop").join(part)).unwrap();
    }
    let back = site.json(&["queue", "retry", &id]);
    assert_eq!(back[0]["path"], site.path("drop/new/two.eml").to_str().unwrap());
    assert_eq!(queued(&site), ["waiting two.eml"]);
}

#[test]
fn the_queue_makes_nothing_and_lets_nothing_through_to_a_terminal() {
    let (site, id) = given_up();
    let (from, hostile) = (format!("{id}~two.eml"), format!("{id}~\u{1b}[31m\n\u{202e}.eml"));
    fs::rename(site.path("state/badmail").join(from), site.path("state/badmail").join(hostile)).unwrap();
    fs::write(site.path("drop/\u{1b}[31m\n.eml"), "").unwrap();
    fs::write(site.path("state/badmail/\u{9b}note"), "").unwrap();
    let output = site.output(&["queue", "retry", "--all"]);
    let mut text = site.ok(&["queue"]) + str::from_utf8(&output.stdout).unwrap();
    text.push_str(str::from_utf8(&output.stderr).unwrap());
    let unsafe_char = |c: &char| (c.is_control() && *c != '\n') || *c == '\u{202e}';
    assert_eq!(text.chars().find(unsafe_char), None, "{text:?}");
    let catalog = site.path("state/catalog.db");
    fs::rename(&catalog, site.path("state/away")).unwrap();
    for command in [&["queue"][..], &["queue", "retry", "--all"], &["status"]] {
        let error = site.fails(2, command);
        assert!(error.contains("state/catalog.db") && error.contains("there is none"), "{error}");
        assert!(!catalog.exists());
    }
    fs::rename(site.path("state/away"), &catalog).unwrap();
    fs::rename(site.path("drop"), site.path("away")).unwrap();
    for command in [&["queue"][..], &["queue", "retry", "--all"]] {
        let error = site.fails(2, command);
        assert!(error.contains("drop: there is none") && error.contains("hint: "), "{error}");
    }
    assert!(!site.path("drop").exists());
}
