//! Quotas of libraries: what a pass refuses by them, that `explain` foretells it, and that nothing is lost by it nor left
//! behind by what is refused.

use std::fs;
use std::process::Stdio;

use serde_json::Value;

use crate::util::{DOMAIN, Site, entries, mail, message};

const OPEN: [&str; 7] = ["library", "add", "all", "--alias", "all", "--sender-policy", "anyone"];

/// A site whose library `all` takes mail from anyone, with these settings.
fn site(settings: &[&str]) -> Site {
    let site = Site::new();
    site.ok(&[&OPEN, settings].concat());
    site
}

fn show(site: &Site, library: &str) -> Value {
    site.json(&["library", "show", library]).remove(0)
}

/// Explains a mail, files it, and asserts that this was foretold; gives the one recipient, as it is on record.
fn filed(site: &Site, mail: &str) -> Value {
    site.deliver("a.eml", mail);
    let told = site.json(&["explain", site.path("drop/a.eml").to_str().unwrap()]).remove(0);
    let record = site.pass()["mails"][0]["recipients"][0].clone();
    for field in ["outcome", "reason", "because", "documents"] {
        assert_eq!(told["recipients"][0].get(field), record.get(field), "{field}");
    }
    let is_kept = told["disposal"]["action"] == "keep";
    let kept = entries(&site.path("state/kept"));
    let id = site.events().pop().unwrap()["mails"][0]["mail"].as_str().unwrap().to_owned();
    assert_eq!(kept.iter().any(|path| path.to_string_lossy().contains(&id)), is_kept, "{told}");
    site.assert_sound();
    record
}

fn kept(site: &Site) -> usize {
    entries(&site.path("state/kept")).len()
}

/// A mail whose attachment has so many bytes; signed in as alice where it is `proven`.
fn sized(id: &str, bytes: usize, proven: bool) -> String {
    let mail = mail(id, &["all"], &"x".repeat(bytes));
    let auth = format!("Authentication-Results: mx.{DOMAIN}; dmarc=pass header.from=example.org\r\n");
    if proven { mail.replace("Received: ", &format!("{auth}Received: ")) } else { mail }
}

fn know_alice(site: &Site) {
    site.configure("authserv_id = []", &format!("authserv_id = [\"mx.{DOMAIN}\"]"));
    site.ok(&["user", "add", "alice", "--address", "alice@example.org"]);
}

#[test]
fn a_full_library_refuses_and_nothing_is_lost() {
    let site = site(&["--quota", "3000"]);
    assert_eq!(filed(&site, &sized("1", 2000, false))["outcome"], "filed");
    assert_eq!(show(&site, "all")["used"], 2000);
    let refused = filed(&site, &sized("2", 1001, false));
    assert_eq!((&refused["outcome"], &refused["reason"]), (&"rejected".into(), &"quota-exceeded".into()));
    let because = "the library is full: 2,000 of the 3,000 bytes it may hold are in use, and this mail needs 1,001 bytes";
    assert_eq!(refused["because"], because);
    assert_eq!((kept(&site), site.contents().len()), (1, 1), "kept although drop.rejected is delete");
    let listed = site.json(&["mail", "list", "--reason", "quota-exceeded"]).remove(0);
    assert_eq!(listed["recipients"][0]["because"], because);
    // Sent again it is the same as was filed; to the byte there is room.
    assert_eq!(filed(&site, &sized("1", 2000, false))["outcome"], "duplicate");
    assert_eq!(filed(&site, &sized("3", 1000, false))["outcome"], "filed");
    assert_eq!(show(&site, "all")["used"], 3000);
    // Once there is room, it is filed after all.
    assert_eq!(site.json(&["library", "set", "all", "--quota", "1MiB"])[0]["quota"], 1 << 20);
    site.ok(&["rejected", "replay", "--all"]);
    assert_eq!(site.pass()["filed"], 1);
    assert_eq!((show(&site, "all")["used"].clone(), kept(&site)), (4001.into(), 0));
    site.assert_sound();
}

#[test]
fn people_read_what_is_full_and_why() {
    let site = site(&["--quota", "10", "--anonymous-quota", "1MiB"]);
    site.deliver("a.eml", sized("1", 1000, false));
    let file = site.path("drop/a.eml");
    let told = site.ok(&["explain", file.to_str().unwrap()]);
    let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "no, and there is no room: the library is full: 0 of the 10 bytes it may hold are in use",
        "the library is full: with this mail it would hold more than it may",
        "kept aside in",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let shown = site.ok(&["library", "show", "all"]);
    let line = |of: &str| shown.lines().find(|line| line.starts_with(of)).unwrap().to_owned();
    assert!(line("anonymous-quota").contains(" 1MiB: "), "{shown}");
    assert!(line("used").ends_with(" 0 bytes; 0 of nobody proven today"), "{shown}");
    for wrong in ["0", "1TB", "-1", "9223372036854775807"] {
        site.fails(2, &["library", "set", "all", &format!("--quota={wrong}")]);
    }
}

#[test]
fn a_batch_is_filed_to_the_brim_and_no_further() {
    let site = site(&["--quota", "5000"]);
    for nth in 0..20 {
        site.deliver(
            &format!("{nth}.eml"),
            sized(&nth.to_string(), 1000, false).replace("xx", &format!("{nth:02}")),
        );
    }
    let event = site.pass();
    assert_eq!((&event["filed"], &event["rejected"]), (&5.into(), &15.into()));
    assert_eq!((show(&site, "all")["used"].clone(), site.contents().len()), (5000.into(), 5));
    site.assert_sound();
}

/// Two workers on one catalog: a pass over the drop, and a replay.
#[test]
fn two_workers_do_not_overshoot() {
    let site = site(&["--quota", "20000"]);
    let source = site.path("source");
    fs::create_dir(&source).unwrap();
    for nth in 0..40 {
        let text = format!("{nth:01000}");
        site.deliver(&format!("{nth}.eml"), mail(&format!("d{nth}"), &["all"], &text));
        fs::write(source.join(format!("{nth}.eml")), message(&format!("s{nth}"), &text)).unwrap();
    }
    let to = format!("all@{DOMAIN}");
    let replay = ["replay", source.to_str().unwrap(), "--to", &to];
    let replay = site.command(&replay).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let run = site.command(&["run"]).stdout(Stdio::null()).spawn().unwrap();
    for mut worker in [replay, run] {
        assert!(worker.wait().unwrap().success());
    }
    assert_eq!((show(&site, "all")["used"].clone(), site.documents("all").len()), (20_000.into(), 20));
    assert_eq!(site.json(&["mail", "list", "--outcome", "rejected", "-n", "100"]).len(), 60);
    // What one had stored before the other took the room.
    site.ok(&["verify", "--repair"]);
    site.assert_sound();
}

#[test]
fn a_mail_is_filed_where_there_is_room_and_kept_for_the_others() {
    let site = site(&["--quota", "100"]);
    site.ok(&["library", "add", "b", "--alias", "b", "--sender-policy", "anyone"]);
    site.deliver("a.eml", mail("1", &["all", "b", "all+x"], &"x".repeat(1000)));
    let recipients = site.pass()["mails"][0]["recipients"].clone();
    let found: Vec<_> = (0..3).map(|nth| recipients[nth]["outcome"].as_str().unwrap()).collect();
    assert_eq!(found, ["rejected", "filed", "rejected"]);
    assert_eq!(recipients[0]["because"], recipients[2]["because"], "asked once");
    site.ok(&["library", "set", "all", "--quota", "none"]);
    site.ok(&["rejected", "replay", "--all"]);
    let event = site.pass();
    let addresses: Vec<_> = (0..2)
        .map(|nth| event["mails"][0]["recipients"][nth]["address"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(addresses, [format!("all@{DOMAIN}"), format!("all+x@{DOMAIN}")]);
    assert_eq!((&event["filed"], &event["duplicate"]), (&1.into(), &1.into()));
    assert_eq!((site.documents("b").len(), site.documents("all").len()), (1, 1));
    site.assert_sound();
}

#[test]
fn older_versions_and_originals_take_up_room() {
    let site = site(&["--quota", "2500", "--overwrite", "yes"]);
    for (id, outcome) in [("1", "filed"), ("2", "filed"), ("3", "rejected")] {
        assert_eq!(filed(&site, &sized(id, 1000, false))["outcome"], outcome, "{id}");
    }
    assert_eq!(site.documents("all")[0]["version"], 2);
    site.ok(&["library", "set", "all", "--save-original", "yes", "--quota", "3100"]);
    let refused = filed(&site, &sized("4", 1000, false));
    assert_eq!(refused["reason"], "quota-exceeded");
}

/// From is what a stranger likes, and so is the return path.
#[test]
fn what_nobody_proven_sends_in_a_day_is_bounded_whoever_it_claims_to_be_from() {
    let site = site(&["--anonymous-quota", "2500"]);
    know_alice(&site);
    let from = |id: &str, from: &str| sized(id, 1000, false).replace("alice@example.org", from);
    assert_eq!(filed(&site, &from("1", "a@x.org"))["outcome"], "filed");
    assert_eq!(filed(&site, &from("2", "b@y.org"))["outcome"], "filed");
    let refused = filed(&site, &from("3", "c@z.org"));
    assert_eq!(refused["reason"], "anonymous-quota-exceeded");
    assert_eq!(
        refused["because"],
        "senders whom nothing proves have sent 2,000 of the 2,500 bytes that they may file there in a day, all together, \
         and this mail needs 1,000 bytes; the next day begins at 00:00 UTC"
    );
    assert_eq!((kept(&site), site.contents().len()), (0, 1), "refused as drop.rejected says");
    // A From that is believed without proof is none.
    site.ok(&["library", "set", "all", "--trust-from", "yes"]);
    let trusted = filed(&site, &sized("4", 1000, false));
    assert_eq!((&trusted["level"], &trusted["reason"]), (&Value::Null, &"anonymous-quota-exceeded".into()));
    // Who is proven is not held up by strangers.
    let proven = filed(&site, &sized("5", 1000, true));
    assert_eq!((&proven["outcome"], &proven["created_by"]), (&"filed".into(), &"alice".into()));
    let shown = show(&site, "all");
    assert_eq!((&shown["used"], &shown["anonymous_today"]), (&3000.into(), &2000.into()));
}

/// A flood of a full library does not fill the disk with what is kept aside, nor with contents that nothing refers to; and
/// what a user sends there is kept, however much it is.
#[test]
fn strangers_fill_a_full_library_at_most_once_more() {
    let site = site(&["--quota", "5000"]);
    know_alice(&site);
    for nth in 0..30 {
        let text = format!("{nth:01000}");
        site.deliver(&format!("{nth}.eml"), mail(&format!("flood{nth}"), &["all"], &text));
    }
    let event = site.pass();
    assert_eq!(event["filed"], 5);
    let reasons =
        event["mails"].as_array().unwrap().iter().map(|mail| mail["recipients"][0]["reason"].as_str());
    let (full, theirs) = ("quota-exceeded", "anonymous-quota-exceeded");
    let count = |reason: &str| reasons.clone().filter(|found| *found == Some(reason)).count();
    assert_eq!((count(full), count(theirs)), (kept(&site), 25 - kept(&site)));
    let aside: u64 =
        entries(&site.path("state/kept")).iter().map(|path| path.metadata().unwrap().len()).sum();
    assert!((5000..7000).contains(&aside), "and the one that went beyond: {aside}");
    assert_eq!(site.contents().len(), 5);
    site.assert_sound();
    let before = kept(&site);
    for nth in 0..10 {
        let record = filed(&site, &sized(&format!("alice{nth}"), 1000, true));
        assert_eq!(record["reason"], full);
    }
    assert_eq!(kept(&site), before + 10);
    let last = filed(&site, &sized("last", 1000, false));
    assert_eq!(last["reason"], theirs);
    assert!(
        last["because"].as_str().unwrap().contains("no more is kept for it of senders whom nothing proves")
    );
}

/// Gives back all that is kept, has it judged, and gives the reasons, none where it was filed.
fn again(site: &Site) -> Vec<String> {
    site.ok(&["rejected", "replay", "--all"]);
    let event = site.pass();
    site.assert_sound();
    let recipients = event["mails"].as_array().unwrap().iter().map(|mail| &mail["recipients"][0]);
    let mut reasons: Vec<_> =
        recipients.map(|one| one["reason"].as_str().unwrap_or_default().to_owned()).collect();
    reasons.sort();
    reasons
}

const FULL: &str = "quota-exceeded";
const THEIRS: &str = "anonymous-quota-exceeded";

/// Whoever asks whether there is room now must not lose it by asking.
#[test]
fn what_is_given_back_to_a_full_library_is_kept_again() {
    let site = site(&["--quota", "1KiB"]);
    filed(&site, &sized("1", 900, false));
    assert_eq!(filed(&site, &sized("2", 900, false))["reason"], FULL);
    for _ in 0..3 {
        assert_eq!(again(&site), [FULL]);
        assert_eq!((kept(&site), site.contents().len()), (1, 1));
    }
    // It is told before.
    let file = entries(&site.path("state/kept")).remove(0);
    let told = site.json(&["explain", file.to_str().unwrap()]).remove(0);
    assert_eq!(
        (&told["recipients"][0]["reason"], &told["disposal"]["action"]),
        (&FULL.into(), &"keep".into())
    );
    // What it takes up among what is kept for the library it still does.
    assert_eq!(filed(&site, &sized("3", 900, false))["reason"], THEIRS);
    // Nor does it go if we die before it stands there again.
    site.ok(&["rejected", "replay", "--all"]);
    site.die("committed=kill");
    site.run();
    assert_eq!(kept(&site), 1);
    site.ok(&["library", "set", "all", "--quota", "1MiB"]);
    assert_eq!(again(&site), [""]);
    assert_eq!((kept(&site), show(&site, "all")["used"].clone()), (0, 1800.into()));
}

#[test]
fn with_room_for_some_of_what_is_given_back_the_others_are_kept() {
    let site = site(&["--quota", "4KiB"]);
    for nth in 0..7 {
        let text = format!("{nth:01000}");
        site.deliver(&format!("{nth}.eml"), mail(&nth.to_string(), &["all"], &text));
    }
    assert_eq!(site.pass()["filed"], 4);
    assert_eq!(kept(&site), 3);
    site.ok(&["library", "set", "all", "--quota", "5KiB"]);
    assert_eq!(again(&site), ["", FULL, FULL]);
    assert_eq!((kept(&site), site.contents().len()), (2, 5));
    assert_eq!(again(&site), [FULL, FULL]);
}

/// The bound is one on floods. Neither does it hold for what is given back, nor is it used up by it.
#[test]
fn no_bound_of_a_day_holds_for_what_is_given_back() {
    let site = site(&["--quota", "1KiB", "--anonymous-quota", "3KiB"]);
    let today = || show(&site, "all")["anonymous_today"].as_u64().unwrap();
    filed(&site, &sized("1", 900, false));
    let refused = sized("2", 1200, false);
    let size = refused.split_once("\r\nReceived").unwrap().1.len() as u64 + "Received".len() as u64;
    assert_eq!(filed(&site, &refused)["reason"], FULL);
    assert_eq!(today(), 900 + size, "what is kept counts as well as what is filed");
    assert_eq!(again(&site), [FULL]);
    assert_eq!(today(), 900, "nobody has sent it now");
    site.ok(&["library", "set", "all", "--anonymous-quota", "900"]);
    assert_eq!(filed(&site, &sized("3", 1, false))["reason"], THEIRS);
    assert_eq!(again(&site), [FULL]);
    site.ok(&["library", "set", "all", "--quota", "none"]);
    assert_eq!(again(&site), [""]);
    assert_eq!((today(), kept(&site), show(&site, "all")["used"].clone()), (900, 0, 2100.into()));
}

/// Once for each time that it is given back.
#[test]
fn only_what_was_given_back_is_kept_on_that_account() {
    let site = site(&["--quota", "2KiB"]);
    filed(&site, &sized("0", 2000, false));
    let refused = sized("1", 1000, false);
    assert_eq!(filed(&site, &refused)["reason"], FULL);
    assert_eq!(filed(&site, &sized("2", 1000, false))["reason"], FULL);
    assert_eq!(filed(&site, &refused)["reason"], THEIRS, "a copy is another mail");
    site.ok(&["library", "set", "all", "--quota", "1KiB"]);
    let first = site.json(&["rejected", "list"]).remove(0);
    site.ok(&["rejected", "replay", first["mail"].as_str().unwrap()]);
    // To somebody else it is not the one that was given back.
    site.deliver("0.eml", refused.replace("x-receiver: all@", "x-receiver: all+x@"));
    let event = site.pass();
    let reason = |nth: usize| event["mails"][nth]["recipients"][0]["reason"].as_str().unwrap().to_owned();
    let mut reasons = [reason(0), reason(1)];
    reasons.sort();
    assert_eq!((reasons, kept(&site)), ([THEIRS.to_owned(), FULL.to_owned()], 2));
    assert_eq!(filed(&site, &refused)["reason"], THEIRS, "it has come back, and is awaited no more");
    assert_eq!(kept(&site), 2);
}

/// A source that is replayed keeps its mail itself: nothing of it stands aside.
#[test]
fn what_a_replay_refuses_takes_up_nothing() {
    let site = site(&["--quota", "1KiB"]);
    let source = site.path("source");
    fs::create_dir(&source).unwrap();
    for nth in 0..3 {
        fs::write(source.join(format!("{nth}.eml")), message(&nth.to_string(), &format!("{nth:01000}")))
            .unwrap();
    }
    site.ok(&["replay", source.to_str().unwrap(), "--to", &format!("all@{DOMAIN}")]);
    assert_eq!((site.documents("all").len(), kept(&site)), (1, 0));
    assert_eq!(filed(&site, &sized("a", 1000, false))["reason"], FULL);
    assert_eq!(kept(&site), 1);
}

#[test]
fn what_is_purged_makes_room_for_what_is_kept() {
    let site = site(&["--quota", "1KiB"]);
    filed(&site, &sized("1", 1000, false));
    for id in ["2", "3"] {
        assert_eq!(filed(&site, &sized(id, 1000, false))["reason"], FULL);
        assert_eq!(filed(&site, &sized("more", 1000, false))["reason"], THEIRS);
        site.ok(&["rejected", "purge", "--all"]);
    }
    assert_eq!(show(&site, "all")["anonymous_today"], 1000);
    // So does the end of its term.
    assert_eq!(filed(&site, &sized("4", 1000, false))["reason"], FULL);
    site.configure("keep_rejected = \"30d\"", "keep_rejected = \"1s\"");
    site.wait_for("the term", |site| site.pass().get("purged").is_some());
    site.configure("keep_rejected = \"1s\"", "keep_rejected = \"30d\"");
    assert_eq!(filed(&site, &sized("5", 1000, false))["reason"], FULL);
}

#[test]
fn status_tells_of_mail_that_waits_for_room() {
    let site = site(&["--quota", "1KiB"]);
    know_alice(&site);
    let problems = || {
        let status = site.output(&["status", "--json"]);
        let value: Value = serde_json::from_slice(&status.stdout).unwrap();
        let problems =
            value["problems"].as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned());
        let problems: Vec<_> = problems.filter(|one| one.starts_with("library ")).collect();
        assert!(problems.is_empty() || status.status.code() == Some(1));
        problems
    };
    filed(&site, &sized("1", 1000, false));
    assert_eq!(problems(), [""; 0]);
    filed(&site, &sized("2", 1000, false));
    filed(&site, &sized("3", 1000, true));
    assert_eq!(
        problems(),
        [
            "library all: 2 mails are kept aside because it was full: `mailshelf rejected list --reason quota-exceeded` \
          says until when; `mailshelf library set all --quota SIZE` makes room, and `mailshelf rejected replay --reason \
             quota-exceeded` gives it back"
        ]
    );
    again(&site);
    assert_eq!(problems().len(), 1);
    site.ok(&["library", "set", "all", "--quota", "1MiB"]);
    again(&site);
    assert_eq!(problems(), [""; 0]);
    site.ok(&["library", "set", "all", "--quota", "1KiB"]);
    filed(&site, &sized("4", 1000, false));
    assert!(problems()[0].starts_with("library all: 1 mail is kept aside"), "{:?}", problems());
    // Who has taken it out by hand knows.
    entries(&site.path("state/kept")).iter().for_each(|path| fs::remove_file(path).unwrap());
    assert_eq!(problems(), [""; 0]);
}

/// That all was decided again, by settings that changed meanwhile, is no reason to store what nobody will refer to.
#[test]
fn settings_that_change_leave_no_contents_of_what_is_refused() {
    let site = site(&["--quota", "1500"]);
    for nth in 0..5 {
        let text = format!("{nth:01000}");
        site.deliver(&format!("{nth}.eml"), mail(&nth.to_string(), &["all"], &text));
    }
    let mut run = site.command(&["run"]);
    run.env("MAILSHELF_FAILPOINT", "stored=wait").env("MAILSHELF_GATE", site.path("gate"));
    let mut run = run.stdout(Stdio::null()).spawn().unwrap();
    site.wait_for("the contents", |site| !site.contents().is_empty());
    site.ok(&["user", "add", "bob", "--address", "bob@example.org"]);
    fs::write(site.path("gate"), "").unwrap();
    assert!(run.wait().unwrap().success());
    assert_eq!((site.documents("all").len(), site.contents().len()), (1, 1));
    site.assert_sound();
}

/// What was foreseen of one mail was wrong: its contents are stored after all, and no others.
#[test]
fn a_mail_that_finds_room_after_all_brings_no_contents_of_others() {
    let site = site(&["--quota", "1500"]);
    site.ok(&["library", "add", "b", "--alias", "b", "--sender-policy", "anyone"]);
    filed(&site, &sized("1", 1000, false));
    for nth in 0..6 {
        let (to, text) = (if nth == 0 { "b" } else { "all" }, format!("{nth:01000}"));
        site.deliver(&format!("{nth}.eml"), mail(&format!("m{nth}"), &[to], &text));
    }
    let mut run = site.command(&["run"]);
    run.env("MAILSHELF_FAILPOINT", "stored=wait").env("MAILSHELF_GATE", site.path("gate"));
    let mut run = run.stdout(Stdio::null()).spawn().unwrap();
    site.wait_for("the contents", |site| site.contents().len() == 2);
    site.ok(&["document", "remove", "all", "attachment.txt"]);
    site.ok(&["document", "purge", "all", "--all"]);
    fs::write(site.path("gate"), "").unwrap();
    assert!(run.wait().unwrap().success());
    assert_eq!((site.documents("all").len(), site.documents("b").len(), kept(&site)), (1, 1, 2));
    assert_eq!(site.contents().len(), 2);
    site.assert_sound();
}
