//! Mail from elsewhere: the sources of `tests/replay`, and some that a test makes.

use std::collections::BTreeMap;
use std::fs::{self, File, FileTimes};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::util::{DOMAIN, PROGRAM, Site, entries, is_root, message, name, sha256};

const TO: &str = "all@docs.example.org";
const FROM: &str = "From alice@example.org Sat Nov 21 04:00:00 2026\n";

/// A site with the libraries `all` and `scans`, which take mail from anyone and keep originals.
fn site() -> Site {
    let site = Site::open_to_all();
    let anyone = ["--sender-policy", "anyone", "--save-original", "yes"];
    site.ok(&[["library", "add", "scans", "--alias", "scans"].as_slice(), &anyone].concat());
    site
}

/// A mail of `tests/replay`, in lines that end with LF.
fn mail(id: &str, before: &str, body: &str) -> String {
    format!(
        "{before}Received: from mail.example.net by mx.docs.example.org; Sat, 21 Nov 2026 04:00:00 +0000\n\
         From: Alice <alice@example.org>\nTo: somebody@example.com\nSubject: {id}\nMessage-ID: <{id}@example.net>\n\n{body}"
    )
}

fn short(id: &str, before: &str) -> String {
    mail(id, before, &format!("This is {id}.\n"))
}

/// Each source: for each library the mails that it must get, byte for byte.
fn sources() -> Vec<(&'static str, Vec<String>, Vec<String>)> {
    let crlf = |text: String| text.replace('\n', "\r\n");
    let counted = |id: &str, body: &str| {
        mail(id, "", body).replacen("\n\n", &format!("\nContent-Length: {}\n\n", body.len()), 1)
    };
    let stale = mail("cl-three", "", "stale\nFrom here\n").replacen("\n\n", "\nContent-Length: 4711\n\n", 1);
    vec![
        (
            "maildir",
            vec![
                short("two", "Return-Path: <>\nDelivered-To: bob@elsewhere.example\n"),
                crlf(short("three", "x-sender: mallory@example.com\nx-receiver: scans@docs.example.org\n")),
                short("archived", "Return-Path: <alice@example.org>\n"),
            ],
            vec![short(
                "one",
                "Return-Path: <alice@example.org>\nX-Original-To: scans@docs.example.org\nDelivered-To: bob@elsewhere.example\n",
            )],
        ),
        (
            "folder",
            vec![
                crlf(short("iis", "")),
                crlf(short("exchange", "")),
                // Without a block nothing of an .eml is an envelope.
                short("plain", "Delivered-To: scans@docs.example.org\n"),
                mail("from-line", FROM, &format!("one\n\n{FROM}>From here\n")),
                short("blank-first", " a blank comes first\n"),
            ],
            vec![crlf(short("iis", ""))],
        ),
        (
            "mboxo.mbox",
            vec![mail("o-one", "", "\nFrom the start\n>>From the reply\n")],
            vec![short("o-two", "Delivered-To: scans@docs.example.org\n")],
        ),
        (
            "mboxrd.mbox",
            vec![crlf(mail("rd-one", "", "\nFrom the start\n>From the reply\n>>From the reply to it\n\n\n"))],
            vec![crlf(short(
                "rd-two",
                "Return-Path: <alice@example.org>\nX-Original-To: scans@docs.example.org\n",
            ))],
        ),
        (
            "mboxcl2.mbox",
            vec![
                counted("cl-one", &format!("one\n\n{FROM}Subject: not a mail\n\n>From stays\n")),
                counted("cl-two", "no line end"),
                stale,
            ],
            vec![],
        ),
    ]
}

/// A copy of a source, with access times so old that any look would change them.
fn copied(site: &Site, source: &str) -> PathBuf {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/replay").join(source);
    fs::create_dir_all(site.path("sources")).unwrap();
    let to = site.path("sources").join(source);
    assert!(Command::new("cp").arg("-R").arg(from).arg(&to).status().unwrap().success());
    each(&to, &mut |path| {
        let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        let times = FileTimes::new().set_accessed(long_ago).set_modified(long_ago);
        File::open(path).unwrap().set_times(times).unwrap();
    });
    to
}

fn each(path: &Path, visit: &mut dyn FnMut(&Path)) {
    if path.is_dir() {
        entries(path).iter().for_each(|below| each(below, visit));
    }
    visit(path);
}

/// Every path with its times; read before the bytes are, which `bytes_of` does.
fn traces(path: &Path) -> BTreeMap<PathBuf, (i64, i64, i64, u32)> {
    let mut traces = BTreeMap::new();
    // From above, so that to look does not leave traces in what is looked at later.
    let mut paths = Vec::new();
    each(path, &mut |path| paths.push(path.to_owned()));
    for path in paths {
        let meta = fs::symlink_metadata(&path).unwrap();
        // Our own walk reads folders.
        let accessed = if meta.is_dir() { 0 } else { meta.atime() };
        traces.insert(path, (accessed, meta.mtime(), meta.ctime(), meta.mode()));
    }
    traces
}

fn digests(path: &Path) -> Vec<String> {
    let mut digests = Vec::new();
    each(path, &mut |path| digests.extend(path.is_file().then(|| sha256(&fs::read(path).unwrap()))));
    digests
}

/// The digests of what a library holds, sorted.
fn held(site: &Site, library: &str) -> Vec<String> {
    let documents = site.documents(library);
    let mut held: Vec<_> = documents.iter().map(|d| d["sha256"].as_str().unwrap().to_owned()).collect();
    held.sort();
    held
}

fn sorted_digests(mails: &[String]) -> Vec<String> {
    let mut digests: Vec<_> = mails.iter().map(|mail| sha256(mail.as_bytes())).collect();
    digests.sort();
    digests
}

/// The events 6871 of a replay that must end with this code.
fn replay(site: &Site, code: i32, arguments: &[&str]) -> Vec<Value> {
    let output = site.output(&[&["replay", "--json"], arguments].concat());
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let events = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    events.filter(|event| event["event_id"] == 6871).collect()
}

fn outcomes(events: &[Value]) -> Vec<&str> {
    let mails = events.iter().flat_map(|event| event["mails"].as_array().unwrap());
    mails
        .flat_map(|mail| mail["recipients"].as_array().unwrap())
        .map(|recipient| recipient["outcome"].as_str().unwrap())
        .collect()
}

/// Where copies of the mail stand, and those that were given up.
const COPIES: &str = "state/catalog.db-replay";
const BADMAIL: &str = "state/catalog.db-replay/badmail";

/// Nothing is left of the copies.
fn assert_clean(site: &Site) {
    assert!(!site.path(COPIES).exists());
    assert_eq!(entries(&site.path("state/kept")), Vec::<PathBuf>::new());
    site.assert_sound();
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn every_source_is_filed_byte_for_byte_and_once_and_stays_as_it_is() {
    for (source, all, scans) in sources() {
        println!("source {source}");
        let site = site();
        let path = copied(&site, source);
        let before = traces(&path);
        // Nothing in an mboxo tells it from an mboxrd.
        let style = if source == "mboxo.mbox" { "o" } else { "auto" };
        let arguments = ["--to", TO, "--mbox", style, text(&path)];
        let events = replay(&site, 0, &arguments);
        assert_eq!(events.len(), 1);
        assert_eq!(outcomes(&events), vec!["filed"; all.len() + scans.len()], "{events:#?}");
        assert_eq!(held(&site, "all"), sorted_digests(&all));
        assert_eq!(held(&site, "scans"), sorted_digests(&scans));
        let again = replay(&site, 0, &arguments);
        assert_eq!(outcomes(&again), vec!["duplicate"; all.len() + scans.len()]);
        assert_eq!(held(&site, "all"), sorted_digests(&all));
        assert_eq!(before, traces(&path), "the source has changed");
        let original = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/replay").join(source);
        assert_eq!(digests(&original), digests(&path));
        assert_clean(&site);
    }
}

#[test]
fn events_say_where_each_mail_came_from_and_who_the_source_says_sent_it() {
    let site = site();
    let told = |source: &str| {
        let path = copied(&site, source);
        let events = replay(&site, 0, &["--to", TO, text(&path)]);
        let mails = events[0]["mails"].as_array().unwrap().iter().map(|mail| {
            let word = |key: &str| mail[key].as_str().unwrap().to_owned();
            (word("file"), word("envelope_sender"))
        });
        let mut mails: Vec<_> = mails.collect();
        mails.sort();
        mails
    };
    let of = |expected: &[(&str, &str)]| -> Vec<(String, String)> {
        expected.iter().map(|(file, sender)| ((*file).to_owned(), (*sender).to_owned())).collect()
    };
    let alice = "alice@example.org";
    assert_eq!(
        told("maildir"),
        of(&[
            ("cur|1700000001.M1.mx", alice),
            ("cur|1700000002.M2.mx", ""),
            ("new|1700000003.M3.mx", ""),
            ("|.Archive|cur|1600000001.M1.mx", alice),
        ])
    );
    assert_eq!(
        told("folder"),
        of(&[
            ("2026|March|plain.eml", ""),
            ("2026|blank-first.eml", ""),
            ("exchange.EML", alice),
            ("from-line.eml", ""),
            ("iis.eml", alice),
        ])
    );
    // The sender of the separator counts where there is no return path.
    assert_eq!(told("mboxo.mbox"), of(&[("mboxo.mbox#1", alice), ("mboxo.mbox#2", "")]));
    assert_eq!(told("mboxrd.mbox"), of(&[("mboxrd.mbox#1", alice), ("mboxrd.mbox#2", alice)]));
}

#[test]
fn without_a_recipient_mail_is_rejected_not_kept_aside_and_the_way_out_is_told() {
    let site = site();
    let path = copied(&site, "folder");
    let output = site.output(&["replay", text(&path)]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(out.matches("  rejected   (no recipient): no-recipient").count(), 3, "{out}");
    assert!(out.contains("3 filed, 0 duplicate, 3 rejected, 0 deferred; 3 documents"), "{out}");
    assert!(out.contains("passed over 2 files that are no mail: 2026/.hidden.eml, README.md\n"), "{out}");
    assert!(!out.contains("completed a batch"), "{out}");
    assert_eq!(
        err,
        "mailshelf: mails that name no recipient in this site's domains: 3\nhint: --to ADDRESS names one for them\n"
    );
    let file = path.join("2026/March/plain.eml");
    assert_eq!(outcomes(&replay(&site, 0, &[text(&file), "--to", TO])), ["filed"]);
    assert_clean(&site);
}

#[test]
fn mbox_styles_are_what_the_option_says() {
    let site = site();
    let file = site.path("inbox");
    fs::write(&file, format!("{FROM}{}\n", mail("x", "", ">From a\n>>From b\n"))).unwrap();
    for (style, body) in
        [("o", "From a\n>>From b\n"), ("cl2", ">From a\n>>From b\n"), ("rd", "From a\n>From b\n")]
    {
        replay(&site, 0, &["--mbox", style, "--to", TO, text(&file)]);
        assert!(held(&site, "all").contains(&sha256(mail("x", "", body).as_bytes())), "{style}");
    }
    assert_eq!(outcomes(&replay(&site, 0, &["--to", TO, text(&file)])), ["duplicate"]);
}

#[test]
fn wrong_input_names_the_thing_and_the_way_out() {
    let site = site();
    let file = site.path("a.eml");
    fs::write(&file, message("a", "a")).unwrap();
    fs::create_dir(site.path("empty")).unwrap();
    fs::write(site.path("empty/README.md"), "").unwrap();
    let file = text(&file).to_owned();
    let at = |below: &str| site.path(below).to_str().unwrap().to_owned();
    for (arguments, expected) in [
        (vec![at("none")], vec!["source ", "none: there is none"]),
        (vec![file.clone(), at("none.eml")], vec!["none.eml: there is none"]),
        (vec![at("empty")], vec!["empty: holds no mail", "hint: name files with other names themselves"]),
        (vec![at("drop")], vec!["drop: belongs to drop.path of this site", "hint: "]),
        (vec![at("")], vec!["holds drop.path of this site"]),
        (vec![at("state")], vec!["state: holds ", " of this site"]),
        (vec![at("state/contents")], vec!["contents: belongs to storage.contents of this site"]),
        (vec![file.clone(), "--to".to_owned(), "all".to_owned()], vec!["--to", "LOCAL-PART@DOMAIN"]),
        (
            vec![file.clone(), "--to".to_owned(), "all@other.org".to_owned()],
            vec![
                "recipient all@other.org: not in a domain of this site",
                "hint: the site's domains: docs.example.org",
            ],
        ),
        (
            vec![file.clone(), "--to".to_owned(), format!("al@{DOMAIN}")],
            vec![
                "recipient al@docs.example.org: no library has this alias",
                "hint: `mailshelf library list`",
            ],
        ),
        (vec![], vec!["PATH"]),
    ] {
        let arguments: Vec<_> = [vec!["replay".to_owned()], arguments].concat();
        let told = site.fails(2, &arguments);
        assert!(expected.iter().all(|part| told.contains(part)), "{arguments:?}: {told}");
    }
    assert_eq!(site.events().len(), 0);
    assert_clean(&site);
}

#[test]
fn a_file_that_cannot_be_read_holds_up_no_other() {
    let site = site();
    let path = copied(&site, "folder");
    fs::write(path.join("bad.mbox"), "This is no mbox.\n").unwrap();
    let output = site.output(&["replay", text(&path), "--to", TO]);
    assert_eq!(output.status.code(), Some(1));
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(err.contains("bad.mbox: cannot be read: does not begin with a `From ` line"), "{err}");
    assert_eq!((held(&site, "all").len(), held(&site, "scans").len()), (5, 1));
    assert_clean(&site);
}

#[test]
fn mail_beyond_the_limit_is_rejected_and_not_kept_aside() {
    let site = site();
    site.configure("message = \"64MiB\"", "message = \"2KiB\"");
    site.configure("rejected = \"delete\"", "rejected = \"keep\"");
    let path = site.path("large.eml");
    fs::write(&path, mail("large", "", &"x\n".repeat(2 << 20))).unwrap();
    let events = replay(&site, 0, &[text(&path), "--to", TO]);
    assert_eq!(events[0]["mails"][0]["recipients"][0]["reason"], "message-too-large");
    assert_clean(&site);
}

#[test]
fn many_mails_are_a_pass_for_each_chunk() {
    let site = site();
    let path = site.path("many.mbox");
    let mails: String = (0..2100).map(|nth| format!("{FROM}{}\n", short(&nth.to_string(), ""))).collect();
    fs::write(&path, mails).unwrap();
    let events = replay(&site, 0, &[text(&path), "--to", TO]);
    let filed: Vec<_> = events.iter().map(|event| event["filed"].as_u64().unwrap()).collect();
    assert_eq!(filed, [2000, 100]);
    assert_clean(&site);
}

/// Ten mails, and what a library must hold when each is filed once.
fn ten(site: &Site) -> (PathBuf, Vec<String>) {
    let path = site.path("ten.mbox");
    let mails: Vec<_> = (0..10).map(|nth| short(&format!("ten-{nth}"), "")).collect();
    fs::write(&path, mails.iter().map(|mail| format!("{FROM}{mail}\n")).collect::<String>()).unwrap();
    (path, sorted_digests(&mails))
}

fn with_failpoint(site: &Site, path: &Path, failpoint: &str) -> Output {
    let mut command = site.command(&["replay", "--json", "--to", TO, text(path)]);
    command.env("MAILSHELF_FAILPOINT", failpoint).output().unwrap()
}

#[test]
fn killed_anywhere_it_goes_on_and_files_everything_once() {
    for failpoint in [
        "spooled=kill",
        "delivered=kill",
        "claimed=kill@3",
        "claimed=kill@10",
        "contents-written=kill",
        "stored=kill",
        "committed=kill",
        "disposed=kill@4",
        "concluded=kill",
    ] {
        let site = site();
        let (path, expected) = ten(&site);
        for _ in 0..2 {
            let died = with_failpoint(&site, &path, failpoint);
            // The second time there may be nothing left to be stored.
            assert!(died.status.code().is_none_or(|code| code == 0), "{failpoint}: {died:?}");
        }
        replay(&site, 0, &["--to", TO, text(&path)]);
        assert_eq!(held(&site, "all"), expected, "{failpoint}");
        assert_clean(&site);
    }
}

#[test]
fn killed_at_any_moment_it_goes_on_and_files_everything_once() {
    let site = site();
    let (path, expected) = ten(&site);
    let mut killed = 0;
    for nth in 0..40 {
        let mut command = site.command(&["replay", "--to", TO, text(&path)]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(nth * 2));
        child.kill().unwrap();
        killed += u32::from(child.wait().unwrap().code().is_none());
    }
    replay(&site, 0, &["--to", TO, text(&path)]);
    assert_eq!(held(&site, "all"), expected);
    assert!(killed > 0);
    assert_clean(&site);
}

#[test]
fn a_mail_that_kills_its_reader_is_given_up_once_and_holds_up_nobody() {
    let site = site();
    let (path, _) = ten(&site);
    let poison = "parsed:ten-4@example.net=abort@*";
    assert_eq!(with_failpoint(&site, &path, poison).status.code(), None);
    // Now it is a suspect, read alone, and known by its bytes when it is met again.
    for _ in 0..2 {
        let output = with_failpoint(&site, &path, poison);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(told.contains("ten.mbox, mail 5: given up before, and not tried again"), "{told}");
    }
    assert_eq!(held(&site, "all").len(), 9);
    let bad = entries(&site.path(BADMAIL));
    assert_eq!(bad.len(), 1);
    assert!(name(&bad[0]).ends_with("~ten.mbox#5"));
    assert_eq!(site.events().iter().filter(|event| event["event_id"] == 6872).count(), 1);
    // Nothing but that is left.
    assert_eq!(entries(&site.path(COPIES)), [site.path(BADMAIL)]);
    site.assert_sound();
    // Whoever mends the program takes it out of there.
    fs::remove_file(&bad[0]).unwrap();
    replay(&site, 0, &["--to", TO, text(&path)]);
    assert_eq!(held(&site, "all").len(), 10);
    assert_clean(&site);
}

/// Its block would be part of the mail in a Maildir, which was then filed twice, once as what nobody has sent.
#[test]
fn a_copy_that_was_given_up_is_never_put_into_the_drop() {
    let site = site();
    for part in ["new", "cur", "tmp"] {
        fs::create_dir(site.path("drop").join(part)).unwrap();
    }
    let (path, expected) = ten(&site);
    let poison = "parsed:ten-4@example.net=abort@*";
    assert_eq!(with_failpoint(&site, &path, poison).status.code(), None);
    let queue = site.json(&["queue"]);
    let suspect = queue.iter().find(|entry| entry["file"] == "ten.mbox#5").unwrap();
    assert_eq!(suspect["state"], "suspect");
    assert_eq!(
        suspect["why"],
        "a replay may have died of it: the same replay goes on with it, and reads it alone"
    );
    assert_eq!(with_failpoint(&site, &path, poison).status.code(), Some(1));
    assert_eq!(entries(&site.path("state/badmail")), [""; 0].map(PathBuf::from));
    let queue = site.json(&["queue"]);
    assert_eq!((queue.len(), &queue[0]["state"], &queue[0]["replay"]), (1, &"badmail".into(), &true.into()));
    let why = queue[0]["why"].as_str().unwrap();
    assert!(why.ends_with("; a copy that a replay made: its source has it"), "{why}");
    assert_eq!(
        problems(&site),
        [
            "1 mail was given up by a replay: `mailshelf queue` says why, and `mailshelf queue retry ID` what to do"
        ]
    );
    let id = queue[0]["mail"].as_str().unwrap();
    let copy = entries(&site.path(BADMAIL)).remove(0);
    let told = site.ok(&["mail", "show", id]);
    let line = format!("its file         in badmail, a copy that a replay made: {}\n", copy.display());
    assert!(told.contains(&line), "{told}");
    let hint = format!("once the cause is mended, remove {} and replay its source again\n", copy.display());
    for named in [id, &id[..20]] {
        let told = site.fails(2, &["queue", "retry", named]);
        assert_eq!(told, format!("mailshelf: mail {id}: it is a copy that a replay made\nhint: {hint}"));
    }
    let output = site.output(&["queue", "retry", "--all"]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(str::from_utf8(&output.stdout).unwrap(), "No mail stands in badmail.\n");
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.starts_with("mailshelf: badmail file ten.mbox#5: it is a copy"), "{told}");
    assert!(told.ends_with(&hint), "{told}");
    assert!(copy.exists());
    site.run();
    fs::remove_file(copy).unwrap();
    replay(&site, 0, &["--to", TO, text(&path)]);
    site.run();
    assert_eq!(held(&site, "all"), expected);
    assert!(!site.path(COPIES).exists());
    site.ok(&["verify"]);
}

/// What needs attention, but for the passes: in these tests there are none of the site's own.
fn problems(site: &Site) -> Vec<String> {
    let output = site.output(&["status", "--json"]);
    let status: Value = serde_json::from_slice(&output.stdout).unwrap();
    let problems = status["problems"].as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned());
    let problems: Vec<_> = problems.filter(|one| !one.contains(" free on its file system")).collect();
    assert!(output.status.success() == status["problems"].as_array().unwrap().is_empty());
    problems
}

#[test]
fn mail_that_a_replay_has_deferred_is_seen_everywhere_and_waits_for_the_same_replay() {
    let site = site();
    let (path, bytes) = (site.path("a.eml"), message("a", "a"));
    fs::write(&path, &bytes).unwrap();
    for first in 0..=255 {
        fs::write(site.path("state/contents").join(format!("{first:02x}")), "").unwrap();
    }
    assert_eq!(outcomes(&replay(&site, 1, &["--to", TO, text(&path)])), ["deferred"; 2]);
    let entry = site.json(&["queue"]).remove(0);
    assert_eq!((&entry["state"], &entry["file"]), (&"deferred".into(), &"a.eml".into()));
    let why = entry["why"].as_str().unwrap();
    assert!(why.contains("state/contents") && why.ends_with("; the same replay goes on with it"), "{why}");
    let told = site.ok(&["queue"]);
    assert!(told.contains("  each replay  ") && told.ends_with("\n1 deferred\n"), "{told}");
    assert_eq!(
        problems(&site),
        [
            "1 mail that a replay has claimed waits: `mailshelf queue` says why; the same replay goes on with it"
        ]
    );
    let id = entry["mail"].as_str().unwrap();
    assert_eq!(site.ok(&["mail", "get", id]), bytes);
    let file = &site.json(&["mail", "show", id])[0]["files"][0];
    assert_eq!((&file["place"], &file["replay"]), (&"claimed".into(), &true.into()));
    let told = site.ok(&["mail", "show", id]);
    assert!(
        told.contains("its file         claimed by a replay (the same replay goes on with it): "),
        "{told}"
    );
    let told = site.fails(2, &["queue", "retry", id]);
    let expected = format!("mailshelf: mail {id}: a replay has claimed it; it is not in badmail\n");
    assert_eq!(told, expected + "hint: the same replay goes on with it\n");
    // It is none of an ordinary pass's business.
    site.run();
    assert_eq!(site.json(&["queue"]).len(), 1);
    for first in 0..=255 {
        fs::remove_file(site.path("state/contents").join(format!("{first:02x}"))).unwrap();
    }
    replay(&site, 0, &["--to", TO, text(&path)]);
    assert_eq!(held(&site, "all").len(), 2);
    assert_eq!((site.json(&["queue"]).len(), problems(&site)), (0, Vec::new()));
    assert_clean(&site);
}

#[test]
fn the_pass_of_a_killed_replay_gets_its_event_from_the_next_pass_of_the_site() {
    let site = site();
    let (path, expected) = ten(&site);
    let of_replays = |site: &Site| {
        let mut events = site.events();
        events.retain(|event| {
            event["event_id"] == 6871 && event["node"].as_str().unwrap().ends_with("+replay")
        });
        events
    };
    site.run();
    assert!(!site.path(COPIES).exists());
    assert_eq!(with_failpoint(&site, &path, "committed=kill").status.code(), None);
    assert_eq!(of_replays(&site).len(), 0);
    site.run();
    let events = of_replays(&site);
    assert_eq!((events.len(), &events[0]["interrupted"], &events[0]["filed"]), (1, &true.into(), &10.into()));
    // Once.
    site.run();
    assert_eq!(of_replays(&site).len(), 1);
    replay(&site, 0, &["--to", TO, text(&path)]);
    assert_eq!(held(&site, "all"), expected);
    assert_clean(&site);
}

#[test]
fn a_pass_that_was_cut_off_gets_its_event_where_the_copies_are_gone_too() {
    let site = site();
    let (path, _) = ten(&site);
    assert_eq!(with_failpoint(&site, &path, "committed=kill").status.code(), None);
    fs::remove_dir_all(site.path(COPIES)).unwrap();
    site.run();
    assert_eq!(site.events().iter().filter(|event| event["interrupted"] == true).count(), 1);
    assert_clean(&site);
}

#[test]
fn badmail_that_cannot_be_read_is_told_of_and_is_no_end() {
    let site = site();
    let (path, expected) = ten(&site);
    fs::create_dir_all(site.path(BADMAIL)).unwrap();
    let begins = "x-sender: <>\r\n";
    let most = 64 << 20;
    // As long an envelope as nobody reads to its end.
    let endless = format!("{begins}{}", "x-receiver: <a@b.org>\r\n".repeat(most / 20));
    fs::write(site.path(BADMAIL).join("01ARZ3NDEKTSV4RRFFQ69G5FAV~x"), endless).unwrap();
    let output = site.output(&["replay", "--to", TO, text(&path)]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("badmail of replays: cannot read ") && told.contains("its envelope"), "{told}");
    assert_eq!(held(&site, "all"), expected);
}

fn waiting(site: &Site, path: &Path) -> std::process::Child {
    let mut command = site.command(&["replay", "--to", TO, text(path)]);
    command.env("MAILSHELF_FAILPOINT", "stored=wait").env("MAILSHELF_GATE", site.path("gate"));
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    site.wait_for("something to be stored", |site| !site.contents().is_empty());
    child
}

#[test]
fn a_second_replay_of_the_site_is_held_and_takes_nothing_from_the_first() {
    let site = site();
    let (path, expected) = ten(&site);
    let first = waiting(&site, &path);
    let told = site.fails(75, &["replay", text(&path), "--to", TO]);
    assert!(told.contains("another replay of it is under way\nhint: wait for it to end\n"), "{told}");
    // An ordinary pass is none of its business.
    site.deliver("a.eml", crate::util::mail("a", &["scans"], "a"));
    assert_eq!(site.pass()["filed"], 1);
    assert_eq!(problems(&site), [""; 0]);
    // Its pass goes on, and is nobody's to end.
    assert_eq!(site.events().iter().filter(|event| event["interrupted"] == true).count(), 0);
    fs::write(site.path("gate"), "").unwrap();
    let output = first.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(held(&site, "all"), expected);
    assert_clean(&site);
}

#[test]
fn a_signal_ends_it_after_the_batch_in_hand_and_the_same_command_goes_on() {
    let site = site();
    let path = site.path("many.mbox");
    let mails: Vec<_> = (0..1800).map(|nth| short(&nth.to_string(), "")).collect();
    fs::write(&path, mails.iter().map(|mail| format!("{FROM}{mail}\n")).collect::<String>()).unwrap();
    let child = waiting(&site, &path);
    rustix::process::kill_process(rustix::process::Pid::from_child(&child), rustix::process::Signal::INT)
        .unwrap();
    fs::write(site.path("gate"), "").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let told = String::from_utf8(output.stderr).unwrap();
    let filed = held(&site, "all").len();
    assert!((256..1800).contains(&filed), "{filed}");
    let expected = format!("replay: interrupted after {filed} mails\nhint: the same command goes on");
    assert!(told.contains(&expected), "{told}");
    replay(&site, 0, &["--to", TO, text(&path)]);
    assert_eq!(held(&site, "all"), sorted_digests(&mails));
    assert_clean(&site);
}

/// Runs a shell script as root in a mount namespace of its own; `None`, and says so, where that cannot be done.
pub fn with_mounts(script: &str, arguments: &[&Path]) -> Option<Output> {
    if !is_root() {
        crate::util::skip("only root can mount");
        return None;
    }
    let output = Command::new("unshare").args(["--mount", "sh", "-c", script, "sh"]).args(arguments).output();
    let output = output.unwrap();
    if output.status.code() == Some(99) {
        crate::util::skip(format_args!("this machine lets nobody mount: {output:?}"));
        assert!(std::env::var_os("CI").is_none(), "skipped where it must not be");
        return None;
    }
    Some(output)
}

#[test]
fn a_source_on_a_read_only_mount() {
    let site = site();
    let path = copied(&site, "maildir");
    let script = "mount --bind \"$1\" \"$1\" && mount -o remount,bind,ro \"$1\" || exit 99; \
                  touch \"$1/x\" 2>/dev/null && exit 98; exec \"$2\" --config \"$3\" replay \"$1\" --to all@docs.example.org";
    let Some(output) = with_mounts(script, &[&path, Path::new(PROGRAM), &site.path("mailshelf.toml")]) else {
        return;
    };
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!((held(&site, "all").len(), held(&site, "scans").len()), (3, 1));
    assert_clean(&site);
}

#[test]
fn a_source_that_nobody_may_write_to() {
    let site = site();
    let path = copied(&site, "maildir");
    each(&path, &mut |path| {
        let mode = fs::metadata(path).unwrap().mode() & !0o222;
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    });
    replay(&site, 0, &[text(&path), "--to", TO]);
    assert_eq!(held(&site, "all").len(), 3);
    each(&path, &mut |path| fs::set_permissions(path, fs::Permissions::from_mode(0o700)).unwrap());
}

#[test]
fn a_full_disk_is_told_of_by_its_place_and_what_was_filed_is_filed() {
    let site = site();
    let (path, _) = ten(&site);
    let large = site.path("large.eml");
    fs::write(&large, mail("large", "", &"x\n".repeat(1 << 20))).unwrap();
    fs::create_dir(site.path("state/catalog.db-replay")).unwrap();
    let script = "mount -t tmpfs -o size=1m tmpfs \"$1\" || exit 99; for source in \"$4\" \"$5\"; do \
                  \"$2\" --config \"$3\" replay \"$source\" --to all@docs.example.org; echo \"code $?\"; done; ls -A \"$1\"";
    let places = [
        &site.path("state/catalog.db-replay"),
        Path::new(PROGRAM),
        &site.path("mailshelf.toml"),
        &path,
        &large,
    ];
    let Some(output) = with_mounts(script, &places) else { return };
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(out.contains("10 filed") && out.contains("code 0\n") && out.ends_with("code 1\n"), "{out}");
    assert!(
        err.contains("cannot write a copy of a mail in ")
            && err.contains("state/catalog.db-replay/next: No space left"),
        "{err}"
    );
    fs::remove_dir(site.path("state/catalog.db-replay")).unwrap();
    replay(&site, 0, &[text(&path), text(&large), "--to", TO]);
    assert_eq!(held(&site, "all").len(), 11);
    assert_clean(&site);
}

#[test]
fn progress_is_shown_on_a_terminal_and_nowhere_else() {
    let site = site();
    let (path, _) = ten(&site);
    let output = site.output(&["replay", text(&path), "--to", TO]);
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    let config = site.path("mailshelf.toml");
    let command = format!("'{PROGRAM}' --config '{}' replay '{}' --to {TO}", text(&config), text(&path));
    let Ok(output) =
        Command::new("script").args(["-qec", &command, "/dev/null"]).stdin(Stdio::null()).output()
    else {
        crate::util::skip("no script(1) to make a terminal with");
        return;
    };
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(shown.contains("10 mails  ") && shown.contains("/s  ") && shown.contains(" left"), "{shown:?}");
    assert!(shown.contains("0 filed, 10 duplicate"), "{shown:?}");
}

/// In a file whose owner could write it, the fields of our server may be the owner's.
#[test]
fn headers_of_old_mail_are_believed_as_configured_or_not_at_all() {
    let site = site();
    site.configure("authserv_id = []", "authserv_id = [\"mx1\"]");
    site.configure("trust_from = false", "trust_from = true");
    site.ok(&["user", "add", "alice", "--address", "alice@example.org"]);
    let elsewhere = tempfile::tempdir().unwrap();
    let replay = |id: &str, flags: &[&str]| {
        let file = elsewhere.path().join(format!("{id}.eml"));
        let above = "Authentication-Results: mx1; dmarc=pass header.from=example.org\n";
        fs::write(&file, short(id, above)).unwrap();
        let output = site.output(&[&["replay", file.to_str().unwrap(), "--to", TO], flags].concat());
        assert!(output.status.success(), "{output:?}");
        let by = site
            .documents("all")
            .iter()
            .find(|one| one["name"].as_str().unwrap().starts_with(id))
            .unwrap()["created_by"]
            .clone();
        (by, String::from_utf8(output.stderr).unwrap())
    };
    let (by, told) = replay("one", &[]);
    assert_eq!(by, "alice");
    assert!(
        told.contains("replay: headers of these mails prove who sent them, as sender says (authserv_id)"),
        "{told}"
    );
    assert!(told.contains("--unproven"), "{told}");
    let (by, told) = replay("two", &["--unproven"]);
    assert_eq!((by.as_str(), told.as_str()), (Some("System Account"), ""));
}

/// What waits is gone on with by whichever replay comes next; it must not be believed more then.
#[test]
fn headers_that_were_not_to_be_believed_are_not_believed_later() {
    let site = site();
    site.configure("authserv_id = []", "authserv_id = [\"mx1\"]");
    site.ok(&["user", "add", "alice", "--address", "alice@example.org"]);
    let elsewhere = tempfile::tempdir().unwrap();
    let file = |id: &str| {
        let file = elsewhere.path().join(format!("{id}.eml"));
        fs::write(&file, short(id, "Authentication-Results: mx1; dmarc=pass header.from=example.org\n"))
            .unwrap();
        file
    };
    let (forged, honest) = (file("forged"), file("honest"));
    let blocked = |first: u32| site.path("state/contents").join(format!("{first:02x}"));
    (0..=255).for_each(|first| fs::write(blocked(first), "").unwrap());
    assert_eq!(outcomes(&replay(&site, 1, &["--to", TO, "--unproven", text(&forged)])), ["deferred"; 2]);
    (0..=255).for_each(|first| fs::remove_file(blocked(first)).unwrap());
    let told = site.fails(2, &["replay", "--to", TO, text(&honest)]);
    assert!(told.contains("mail of a replay with --unproven still waits"), "{told}");
    assert!(told.contains("hint: replay with --unproven until nothing of it waits"), "{told}");
    site.ok(&["replay", "--to", TO, "--unproven", text(&forged)]);
    site.ok(&["replay", "--to", TO, text(&honest)]);
    let by: Vec<_> = site.documents("all").iter().map(|one| one["created_by"].clone()).collect();
    assert!(by.contains(&"System Account".into()) && by.contains(&"alice".into()), "{by:?}");
    assert!(!site.path("state/catalog.db-replay").exists());
}
