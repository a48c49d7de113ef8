//! One escaper: over a thousand payloads in every field that a stranger writes, and every way out of the program looked at.
//!
//! `MAILSHELF_PAYLOADS=all` has each payload stand in each field, and tries more commands on more mails; without it each
//! payload stands in some.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Write;
use std::net::UdpSocket;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::Value;

use crate::util::{PROGRAM, Site, entries};
use judge::Sink;
use mails::{Hostile, file_name, hostile};
use payloads::Payload;

mod judge;
mod mails;
mod payloads;

fn is_whole() -> bool {
    std::env::var_os("MAILSHELF_PAYLOADS").is_some_and(|which| which == "all")
}

/// Some of them, from the first to the last: about so many, each of which costs a process or two.
fn some<T>(all: &[T], about: usize) -> impl Iterator<Item = &T> {
    let about = if is_whole() { 8 * about } else { about };
    all.iter().step_by((all.len() / about).max(1))
}

/// A site, and what came out of it that should not have.
struct Bench {
    site: Site,
    wrong: RefCell<BTreeSet<String>>,
}

impl Bench {
    fn new() -> Bench {
        let site = Site::new();
        site.configure("rejected = \"delete\"", "rejected = \"keep\"");
        site.configure("blocked_types = []", "blocked_types = [\"exe\", \"js\"]");
        site.configure("authserv_id = []", "authserv_id = [\"mx.docs.example.org\"]");
        let library = |name: &str, settings: &[&str]| {
            let add = ["library", "add", name, "--alias", name, "--sender-policy", "anyone"];
            site.ok(&[&add, settings].concat());
        };
        let whole = ["--save-original", "yes", "--inline-images", "yes", "--save-invitations", "yes"];
        library("all", &whole);
        library("subjects", &["--attachments", "subject", "--overwrite", "yes", "--save-original", "yes"]);
        library("senders", &["--attachments", "sender", "--trust-from", "yes"]);
        library("strict", &[]);
        site.ok(&["user", "add", "alice", "--address", "alice@example.org"]);
        Bench { site, wrong: RefCell::default() }
    }

    fn blame(&self, what: &str, why: &str) {
        self.wrong.borrow_mut().insert(format!("{what}: {why}"));
    }

    /// What came out, judged. Names of documents are clean and may begin a line of a table: those lines are counted.
    fn judged(&self, what: &str, bytes: &[u8], sink: Sink) -> String {
        let text = judge::read(bytes, sink).unwrap_or_else(|why| {
            self.blame(what, &why);
            String::from_utf8_lossy(bytes).into_owned()
        });
        if let Some(line) = judge::forged(&text).filter(|_| !what.starts_with("[\"document\", ")) {
            self.blame(what, &format!("a forged line: {line}"));
        }
        text
    }

    fn command(&self, arguments: &[impl AsRef<OsStr>]) -> Command {
        let mut command = self.site.command(arguments);
        command.env_remove("RUST_BACKTRACE");
        command
    }

    /// Into pipes; both are judged. What the log says is part of it.
    fn output(&self, command: &mut Command) -> (Output, String, String) {
        let what = format!("{:?}", command.get_args().skip(2).collect::<Vec<_>>());
        let output = command.output().unwrap();
        let said = self.judged(&format!("{what}, standard error"), &output.stderr, Sink::Pipe);
        for line in said.lines().filter(|line| !begins_as_ours(line)) {
            self.blame(&what, &format!("a line of standard error that is not ours: {line}"));
        }
        let printed = self.judged(&what, &output.stdout, Sink::Pipe);
        (output, printed, said)
    }

    fn text(&self, arguments: &[impl AsRef<OsStr>]) -> String {
        self.output(&mut self.command(arguments)).1
    }

    /// The objects it prints; each line must be one.
    fn json(&self, arguments: &[impl AsRef<OsStr>]) -> Vec<Value> {
        let mut command = self.command(&["--json"]);
        command.args(arguments);
        let printed = self.output(&mut command).1;
        judge::objects(&printed).unwrap_or_else(|why| {
            self.blame(&format!("{:?}", command.get_args().skip(2).collect::<Vec<_>>()), &why);
            Vec::new()
        })
    }

    /// On a terminal, standard error included.
    fn terminal(&self, arguments: &[impl AsRef<OsStr>]) -> String {
        let Some(bytes) = in_terminal(&self.site, arguments) else { return String::new() };
        let what: Vec<_> = arguments.iter().map(AsRef::as_ref).collect();
        self.judged(&format!("{what:?} on a terminal"), &bytes, Sink::Terminal)
    }

    fn end(self) -> Site {
        let wrong = self.wrong.into_inner();
        let told: Vec<_> = wrong.iter().take(20).map(String::as_str).collect();
        assert!(wrong.is_empty(), "{} things came out:\n{}", wrong.len(), told.join("\n"));
        self.site
    }
}

/// A complaint, its hint, a usage error, a line of the log: nothing else is said on standard error.
fn begins_as_ours(line: &str) -> bool {
    let is_time = line.len() > 27 && line.starts_with("20") && line.as_bytes()[26] == b'Z';
    let starts = ["mailshelf: ", "hint: ", "Usage: "];
    is_time || line.is_empty() || starts.iter().any(|start| line.starts_with(start))
}

/// The bytes that a terminal gets. None where there is no `script` (util-linux) to make one.
fn in_terminal(site: &Site, arguments: &[impl AsRef<OsStr>]) -> Option<Vec<u8>> {
    let quoted = |word: &[u8]| {
        let inner: Vec<u8> = word
            .iter()
            .flat_map(|&byte| if byte == b'\'' { b"'\\''".to_vec() } else { vec![byte] })
            .collect();
        [b"'", inner.as_slice(), b"' "].concat()
    };
    let config = site.path("mailshelf.toml");
    let words = [OsStr::new(PROGRAM), OsStr::new("--config"), config.as_os_str()];
    let words = words.into_iter().chain(arguments.iter().map(AsRef::as_ref));
    let line: Vec<u8> = words.flat_map(|word| quoted(word.as_bytes())).collect();
    let mut command = Command::new("script");
    command
        .current_dir(site.path("state"))
        .arg("-qec")
        .arg(OsString::from_vec(line))
        .arg("/dev/null")
        .env("TERM", "xterm")
        .env_remove("NO_COLOR");
    match command.stdin(Stdio::null()).output() {
        Ok(output) => Some(output.stdout),
        Err(_) => {
            crate::util::skip("there is no script(1) here");
            assert!(std::env::var_os("CI").is_none(), "skipped where it must not be");
            None
        }
    }
}

fn deliver(site: &Site, one: &Hostile) {
    let unfinished = site.path("drop/.unfinished");
    fs::write(&unfinished, &one.mail).unwrap();
    fs::rename(unfinished, site.path("drop").join(OsStr::from_bytes(&one.file))).unwrap();
}

fn string(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A name as it is shown, where it is not UTF-8: by the contract.
fn shown(name: &[u8]) -> String {
    let mut shown = String::new();
    for chunk in name.utf8_chunks() {
        shown.push_str(chunk.valid());
        chunk.invalid().iter().for_each(|byte| shown.push_str(&format!("\\x{byte:02X}")));
    }
    shown
}

#[test]
fn nothing_a_stranger_writes_comes_out_as_it_is() {
    let payloads = payloads::all();
    let bench = Bench::new();
    let mails = hostile(&payloads, is_whole());
    assert!(mails.len() > 400, "{}", mails.len());
    for (nth, third) in mails.chunks(mails.len().div_ceil(3)).enumerate() {
        third.iter().for_each(|mail| deliver(&bench.site, mail));
        before(&bench, third);
        match nth {
            0 => {
                let mut command = bench.command(&["run"]);
                bench.output(command.env("MAILSHELF_LOG", "trace"));
            }
            1 => drop(bench.terminal(&["run"])),
            _ => drop(bench.json(&["run"])),
        }
    }
    assert_eq!(bench.site.waiting(), Vec::<String>::new());
    told_as_it_was(&bench, &payloads, &mails);
    lists(&bench);
    each_mail(&bench);
    documents(&bench);
    aside(&bench);
    sound(&bench.end());
}

/// While they stand in the drop.
fn before(bench: &Bench, mails: &[Hostile]) {
    assert_eq!(bench.json(&["queue"]).len(), mails.len());
    assert_eq!(
        bench.text(&["queue"]).lines().count(),
        1 + mails.len().min(100) + 1 + usize::from(mails.len() > 100)
    );
    bench.terminal(&["queue"]);
    bench.text(&["status"]);
    for (nth, mail) in some(mails, 24).enumerate() {
        let path = bench.site.path("drop").join(OsStr::from_bytes(&mail.file));
        let arguments = [OsStr::new("explain"), path.as_os_str()];
        match nth % 3 {
            0 => drop(bench.terminal(&arguments)),
            1 => assert_eq!(bench.json(&arguments).len(), 1),
            _ => drop(bench.text(&arguments)),
        }
    }
}

/// Every value is whole: the file's name, the Subject, the return path; in the catalog, in JSON, in the event file.
fn told_as_it_was(bench: &Bench, payloads: &[Payload], mails: &[Hostile]) {
    let listed = bench.json(&["mail", "list", "-n", "0"]);
    let names: BTreeSet<_> = listed.iter().map(|mail| string(&mail["file"]).to_owned()).collect();
    assert_eq!(names, mails.iter().map(|mail| shown(&mail.file)).collect());
    let (mut subjects, mut senders) = (0, 0);
    for mail in &listed {
        let (_, mark) = string(&mail["file"]).rsplit_once('-').unwrap();
        let digits = mark.find(|c: char| !c.is_ascii_digit()).unwrap();
        let (nth, kind): (usize, _) = (mark[..digits].parse().unwrap(), &mark[digits..]);
        let turn: Option<usize> =
            kind.strip_prefix('l').map(|turn| turn.trim_end_matches(".eml").parse().unwrap());
        if let (Some(turn), Some(text)) = (turn, mails::subject_of(payloads, nth))
            && turn % 3 == 0
            // Another field may have ended the header above it.
            && !mail["subject"].is_null()
        {
            let expected: String = text.chars().take(998).collect();
            // Blanks at its ends are no part of a field's value.
            if string(&mail["subject"]).trim() != expected.trim() {
                bench.blame("subject", &format!("{text:?} is told as {}", mail["subject"]));
            }
            subjects += 1;
        }
        let sender = mails::sender_of(payloads, nth);
        let is_plain = |byte: &u8| !byte.is_ascii_whitespace() && !b"<>\"\\@:".contains(byte);
        if turn.is_some() && sender.iter().all(is_plain) {
            let expected = format!("{}@example.net", String::from_utf8_lossy(sender));
            let expected: String = expected.chars().take(998).collect();
            if string(&mail["envelope_sender"]) != expected {
                bench.blame("return path", &format!("{expected:?} is told as {}", mail["envelope_sender"]));
            }
            senders += 1;
        }
    }
    assert!(subjects > 10 && senders > 30, "{subjects} {senders}");

    let file = fs::read(bench.site.path("state/events.jsonl")).unwrap();
    let events = judge::objects(&bench.judged("events.jsonl", &file, Sink::Pipe)).unwrap();
    assert_eq!(events, bench.json(&["events"]));
    let told = events.iter().flat_map(|event| event["mails"].as_array().into_iter().flatten());
    let told: HashMap<_, _> = told.map(|mail| (string(&mail["mail"]), mail)).collect();
    assert_eq!(told.len(), listed.len());
    let catalog = rusqlite::Connection::open(bench.site.path("state/catalog.db")).unwrap();
    let mut rows = catalog
        .prepare(
            "SELECT delivery, file, subject, from_address, envelope_sender FROM mails ORDER BY delivery DESC",
        )
        .unwrap();
    let mut rows = rows.query([]).unwrap();
    for mail in &listed {
        let row = rows.next().unwrap().unwrap();
        for (column, key) in ["mail", "file", "subject", "from", "envelope_sender"].into_iter().enumerate() {
            assert_eq!(row.get::<_, Option<String>>(column).unwrap().as_deref(), mail[key].as_str(), "{key}");
        }
        let event = &told[string(&mail["mail"])];
        for key in ["file", "subject", "from", "envelope_sender", "message_id"] {
            assert_eq!(event[key], mail[key], "{key}");
        }
    }
}

fn lists(bench: &Bench) {
    let count = bench.json(&["mail", "list", "-n", "0"]).len();
    assert_eq!(bench.text(&["mail", "list", "-n", "0"]).lines().count(), count + 1 + (count - 1) / 1000);
    bench.terminal(&["mail", "list", "-n", "0"]);
    let events = bench.text(&["events"]);
    let ours = |line: &str| {
        ["20", "  filed", "  duplicate", "  rejected", "  deferred", "  flawed", "  badmail"]
            .iter()
            .any(|start| line.starts_with(start))
    };
    assert_eq!(events.lines().find(|line| !ours(line)), None);
    bench.terminal(&["events"]);
    bench.text(&["status"]);
    bench.terminal(&["status"]);
    bench.json(&["status"]);
    bench.json(&["verify"]);
    bench.text(&["verify"]);
    bench.text(&["export"]);
    bench.text(&["library", "list"]);
    bench.text(&["access", "all"]);
}

fn each_mail(bench: &Bench) {
    let listed = bench.json(&["mail", "list", "-n", "0"]);
    for (nth, mail) in some(&listed, 90).enumerate() {
        let show = ["mail", "show", string(&mail["mail"])];
        match nth % 3 {
            0 => drop(bench.terminal(&show)),
            1 => assert_eq!(bench.json(&show)[0]["file"], mail["file"]),
            _ => drop(bench.text(&show)),
        }
    }
    // Each is found by its own sender and nobody else's is: nothing in it is a pattern.
    let of =
        |mail: &Value| ["from", "claimed", "envelope_sender"].map(|key| string(&mail[key]).to_lowercase());
    let known: Vec<_> = listed.iter().map(|mail| (of(mail), string(&mail["mail"]))).collect();
    let senders: Vec<_> =
        listed.iter().filter(|mail| string(&mail["envelope_sender"]) != "alice@example.org").collect();
    // Each asks for all mails.
    for (nth, mail) in senders.iter().step_by(senders.len() / 60).enumerate() {
        let sender = string(&mail["envelope_sender"]);
        // Without an @ it would be a login, with nothing before it a domain.
        if !sender.contains('@')
            || sender.starts_with('@')
            || sender.contains('\0')
            || sender.trim() != sender
            || sender.len() > 1000
        {
            continue;
        }
        let argument = format!("--sender={sender}");
        let lower = sender.to_lowercase();
        let expected = known.iter().filter(|(senders, _)| senders.contains(&lower));
        let expected: BTreeSet<_> = expected.map(|(_, id)| (*id).to_owned()).collect();
        let found: Vec<Value> = if nth % 2 == 0 {
            bench.json(&["mail", "list", "-n", "0", &argument])
        } else {
            let mut events = bench.json(&["events", &argument]);
            events
                .iter_mut()
                .flat_map(|event| event["mails"].take().as_array().cloned().unwrap_or_default())
                .collect()
        };
        let found: BTreeSet<_> = found.iter().map(|mail| string(&mail["mail"]).to_owned()).collect();
        assert_eq!(found, expected, "{sender:?}");
        assert!(!found.is_empty(), "{sender:?}");
    }
}

fn documents(bench: &Bench) {
    let site = &bench.site;
    for library in ["all", "subjects", "senders", "strict"] {
        let listed = bench.json(&["document", "list", library]);
        let text = bench.text(&["document", "list", library]);
        assert_eq!(text.lines().count(), listed.len() + 1, "{library}");
        assert_eq!(bench.terminal(&["document", "list", library]), text);
        let paths: Vec<_> = listed.iter().map(|one| string(&one["path"])).collect();
        for (nth, path) in some(&paths, 24).enumerate() {
            match nth % 4 {
                0 => drop(bench.terminal(&["document", "show", library, "--", path])),
                1 => assert_eq!(bench.json(&["document", "show", library, "--", path])[0]["path"], *path),
                2 => drop(bench.text(&["document", "show", library, "--", path])),
                // Nothing but plain text is put on a terminal.
                _ => drop(judge_document(bench, library, path)),
            }
        }
        let exported = site.path(&format!("exported-{library}"));
        let arguments =
            [OsStr::new("document"), OsStr::new("export"), OsStr::new(library), exported.as_os_str()];
        match library {
            "all" => drop(bench.text(&arguments)),
            "subjects" => drop(bench.terminal(&arguments)),
            _ => assert_eq!(bench.json(&arguments).len(), listed.len()),
        }
        assert_eq!(names_below(bench, &exported), listed.len(), "{library}");
        bin(bench, library, &paths);
    }
}

fn judge_document(bench: &Bench, library: &str, path: &str) -> Option<()> {
    let bytes = in_terminal(&bench.site, &["document", "get", library, "--", path])?;
    // Its line ends and tabs are plain text.
    let text = String::from_utf8_lossy(&bytes).replace("\r\r\n", "\n").replace('\t', " ");
    bench.judged(
        &format!("[\"document\", \"get\", {path:?}] on a terminal"),
        text.as_bytes(),
        Sink::Terminal,
    );
    Some(())
}

/// The files below a folder; each has a name that does nothing.
fn names_below(bench: &Bench, folder: &Path) -> usize {
    let mut count = 0;
    for path in entries(folder) {
        let name = path.file_name().unwrap().as_bytes();
        match judge::read(name, Sink::Pipe) {
            Ok(text) if !text.contains('\n') => {}
            _ => bench.blame("exported", &name.escape_ascii().to_string()),
        }
        count += if path.is_dir() { names_below(bench, &path) } else { 1 };
    }
    count
}

/// There and back again, all that are named at once.
fn bin(bench: &Bench, library: &str, paths: &[&str]) {
    let some: Vec<_> = some(paths, 60).take(200).copied().collect();
    let with = |verb| [&["document", verb, library, "--"][..], &some].concat();
    assert_eq!(bench.text(&with("remove")).lines().count(), some.len());
    bench.text(&["document", "list", library, "--removed"]);
    bench.terminal(&["document", "list", library, "--removed"]);
    assert_eq!(bench.json(&with("restore")).len(), some.len());
    for (nth, path) in some[..6].iter().enumerate() {
        let to = format!("moved {nth}/{}", path.rsplit('/').next().unwrap());
        assert_eq!(bench.text(&["document", "move", library, "--", path, &to]).lines().count(), 1);
        bench.terminal(&["document", "remove", library, "--", &to]);
    }
    let purged = bench.text(&["document", "purge", library, "--all"]);
    assert_eq!(purged.lines().count(), 6, "{purged}");
}

/// What was refused and kept.
fn aside(bench: &Bench) {
    let kept = bench.json(&["rejected", "list"]);
    assert!(kept.len() > 20, "{}", kept.len());
    assert_eq!(bench.text(&["rejected", "list"]).lines().count(), kept.len() + 1);
    bench.terminal(&["rejected", "list"]);
    for one in some(&kept, 9) {
        bench.text(&["rejected", "show", string(&one["mail"])]);
    }
    let back = string(&kept[0]["mail"]);
    assert_eq!(bench.text(&["rejected", "replay", back]).lines().count(), 1);
    bench.text(&["run"]);
    assert_eq!(bench.text(&["rejected", "purge", "--all"]).lines().count(), kept.len());
}

/// No query did anything but what was asked.
fn sound(site: &Site) {
    site.assert_sound();
    let catalog = rusqlite::Connection::open(site.path("state/catalog.db")).unwrap();
    let told: String = catalog.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(told, "ok");
    let count = |table: &str| -> u64 {
        catalog.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
    };
    assert_eq!((count("libraries"), count("users"), count("grants")), (4, 1, 0));
}

/// Files that are no mail, and mail that breaks the reader: events 6873 and 6872, the log, the queue and what panics say.
#[test]
fn nor_do_warnings_panics_and_the_queue_tell_it() {
    let payloads = payloads::all();
    let bench = Bench::new();
    let drop = bench.site.path("drop");
    let chosen: Vec<_> = some(&payloads, 80).collect();
    for (nth, payload) in chosen.iter().enumerate() {
        let name = [&file_name(&payload.bytes)[..], format!("-{nth}").as_bytes()].concat();
        let path = drop.join(OsStr::from_bytes(&name));
        match nth % 3 {
            0 => fs::create_dir(path).unwrap(),
            1 => std::os::unix::fs::symlink("/dev/null", path).unwrap(),
            _ => {
                let id = String::from_utf8_lossy(&payload.bytes).replace(['\r', '\n', '\0'], " ");
                let head =
                    "x-sender: a@example.net\r\nx-receiver: all@docs.example.org\r\nReceived: by x\r\n";
                fs::write(path, format!("{head}Message-ID: <{id}@{nth}>\r\nSubject: {id}\r\n\r\n{nth}"))
                    .unwrap();
            }
        }
    }
    bench.json(&["queue"]);
    bench.terminal(&["queue"]);
    for attempt in 0..9 {
        let mut command = bench.command(&["run"]);
        command.env("MAILSHELF_FAILPOINT", "parsed=panic@*").env("MAILSHELF_LOG", "trace");
        if attempt % 2 == 0 {
            command.arg("--json");
        }
        bench.output(&mut command);
        bench.text(&["queue"]);
    }
    let given_up = bench.json(&["queue"]).iter().filter(|one| one["state"] == "badmail").count();
    assert_eq!(given_up, chosen.len() / 3);
    bench.terminal(&["queue"]);
    bench.text(&["status"]);
    let events = bench.json(&["events"]);
    let of = |id: u64| events.iter().filter(|event| event["event_id"] == id).count();
    assert!(of(6872) == given_up && of(6873) > chosen.len() / 2, "{} {}", of(6872), of(6873));
    bench.text(&["events"]);
    bench.terminal(&["events", "--level", "warning"]);
    let file = fs::read(bench.site.path("state/events.jsonl")).unwrap();
    bench.judged("events.jsonl", &file, Sink::Pipe);
    for mail in some(&bench.json(&["mail", "list", "-n", "0"]), 12) {
        bench.text(&["mail", "show", string(&mail["mail"])]);
        bench.terminal(&["mail", "get", string(&mail["mail"])]);
    }
    bench.text(&["queue", "retry", "--all"]);
    bench.terminal(&["run"]);
    bench.text(&["queue"]);
    bench.end().ok(&["verify"]);
}

/// What is typed may have been copied from a mail.
#[test]
fn nor_do_errors_that_quote_it() {
    let payloads = payloads::all();
    let bench = Bench::new();
    // Nothing is made below /dev/null, wherever a payload leads from there.
    let forms: &[&[&str]] = &[
        &["mail", "show", "--", "P"],
        &["mail", "show", "--P"],
        &["mail", "show", "-P"],
        &["mail", "get", "--", "P"],
        &["mail", "list", "--sender=P"],
        &["mail", "list", "--library=P"],
        &["mail", "list", "--reason=P"],
        &["mail", "list", "--since=P"],
        &["mail", "list", "-n=P"],
        &["document", "get", "all", "--", "P"],
        &["document", "show", "all", "--", "P"],
        &["document", "list", "--", "P"],
        &["document", "restore", "all", "--", "P"],
        &["document", "purge", "all", "--", "P"],
        &["document", "move", "all", "--", "P", "P"],
        &["document", "export", "all", "--", "/dev/null/P"],
        &["events", "--sender=P"],
        &["events", "--outcome=P"],
        &["events", "--level=P"],
        &["rejected", "show", "--", "P"],
        &["rejected", "list", "--reason=P"],
        &["rejected", "replay", "--", "P"],
        &["queue", "retry", "--", "P"],
        &["queue", "P"],
        &["explain", "--", "/dev/null/P"],
        &["explain", "--to=P", "x"],
        &["explain", "--format=P", "x"],
        &["replay", "--", "/dev/null/P"],
        &["replay", "--to=P", "x"],
        &["replay", "--mbox=P", "x"],
        &["library", "show", "--", "P"],
        &["library", "add", "new", "--alias=P"],
        &["library", "add", "--alias=new", "--", "P"],
        &["library", "set", "all", "--quota=P"],
        &["user", "add", "new", "--address=P"],
        &["user", "add", "--address=a@b.org", "--", "P"],
        &["group", "add", "g", "--member=P"],
        &["grant", "--", "all", "P", "reader"],
        &["grant", "--", "all", "user:P", "reader"],
        &["grant", "--", "all", "everyone", "P"],
        &["access", "all", "--user=P"],
        &["apply", "--", "/dev/null/P"],
        &["status", "--max-wait=P"],
        &["--config=/dev/null/P", "status"],
        &["init", "--domain=P", "--", "/dev/null/P"],
        &["P"],
        &["status", "--P"],
        &["status", "P"],
        &["verify", "--repair=P"],
    ];
    let log_is = |payload: &OsStr| {
        let mut command = bench.command(&["mail", "list"]);
        command.env("MAILSHELF_LOG", payload);
        command
    };
    let mut made = 0;
    for (nth, payload) in
        payloads.iter().enumerate().filter(|(_, payload)| payload.bytes.iter().all(|&byte| byte != 0))
    {
        let rounds = match payload.class {
            "usage" => forms.len(),
            _ if is_whole() => 4,
            _ => usize::from(nth % 3 == 0),
        };
        for round in 0..rounds {
            let form = forms[(nth / 3 + round * 7) % forms.len()];
            let arguments: Vec<_> =
                form.iter().map(|word| OsString::from_vec(put(word, &payload.bytes))).collect();
            made += 1;
            if made % 16 == 0 {
                bench.terminal(&arguments);
            } else {
                bench.output(bench.command(&arguments).current_dir(bench.site.path("state")));
            }
        }
        if nth % 40 == 0 {
            bench.output(&mut log_is(OsStr::from_bytes(&payload.bytes)));
        }
    }
    assert!(made > 400, "{made}");
    bench.end().ok(&["verify"]);
}

/// Errors name files as lists do: by the contract, bytes that are not UTF-8 as `\xNN`.
#[test]
fn an_error_tells_every_byte_of_a_file_s_name() {
    let site = Site::open_to_all();
    let gone = site.path("drop").join(OsStr::from_bytes(b"a\x9b\xff.eml"));
    let told = site.fails(2, &[OsStr::new("explain"), gone.as_os_str()]);
    assert!(told.starts_with("mailshelf: mail ") && told.contains(r"/a\x9B\xFF.eml: "), "{told}");
    let told = site.fails(2, &[OsStr::new("replay"), gone.as_os_str()]);
    assert!(told.starts_with("mailshelf: source ") && told.contains(r"/a\x9B\xFF.eml: "), "{told}");
    let alien = site.path("state/contents").join(OsStr::from_bytes(b"\x9b31m"));
    fs::write(alien, "x").unwrap();
    let told = String::from_utf8(site.output(&["verify"]).stdout).unwrap();
    assert!(told.contains(r"not ours, left alone: \x9B31m"), "{told}");
}

/// The word with the payload for each P that stands alone.
fn put(word: &str, payload: &[u8]) -> Vec<u8> {
    word.bytes().flat_map(|byte| if byte == b'P' { payload.to_vec() } else { vec![byte] }).collect()
}

/// The source of a replay: folders and files of such names, mail of such fields, an mbox.
#[test]
fn nor_does_a_replay() {
    let payloads = payloads::all();
    let bench = Bench::new();
    let source = bench.site.path("source");
    fs::create_dir(&source).unwrap();
    let mut mbox = Vec::new();
    for (nth, mail) in hostile(&payloads, false).iter().enumerate().filter(|(nth, _)| nth % 3 == 0) {
        let folder = source.join(OsStr::from_bytes(&file_name(&payloads[nth % payloads.len()].bytes)));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(OsStr::from_bytes(&mail.file)), &mail.mail).unwrap();
        // No mail, and passed over by name.
        fs::write(folder.join(OsStr::from_bytes(&[&mail.file[..], b"x"].concat())), "x").unwrap();
        if nth % 9 == 0 {
            let payload = String::from_utf8_lossy(&payloads[nth % payloads.len()].bytes).replace('\n', " ");
            writeln!(mbox, "From {payload} Sat Nov 21 04:00:00 2026").unwrap();
            mbox.extend_from_slice(&mail.mail);
            mbox.extend_from_slice(b"\n\n");
        }
    }
    let mbox_at = source.join(OsStr::from_bytes(b"\x1b]0;P7\x07\x9b31m\xe2\x80\xae.mbox"));
    fs::write(&mbox_at, mbox).unwrap();
    fs::write(source.join(OsStr::from_bytes(b"\n\xff.mbox")), "no mbox").unwrap();
    let with = |path: &Path| {
        [OsStr::new("replay").to_owned(), path.as_os_str().to_owned(), "--to=all@docs.example.org".into()]
    };
    if let Some(bytes) = in_terminal(&bench.site, &with(&mbox_at)) {
        bench.judged("replay on a terminal", &without_bar(&bytes), Sink::Terminal);
    }
    let mut command = bench.command(&with(&source));
    bench.output(command.env("MAILSHELF_LOG", "trace"));
    bench.json(&with(&source));
    bench.text(&["events"]);
    bench.text(&["mail", "list", "-n", "0"]);
    bench.text(&["queue"]);
    // Sources that cannot be read are named.
    for payload in some(&payloads, 40).filter(|payload| !payload.bytes.contains(&0)) {
        let path = source.join(OsStr::from_bytes(&[b"gone", &file_name(&payload.bytes)[..]].concat()));
        bench.output(&mut bench.command(&with(&path)));
    }
    bench.end().ok(&["verify"]);
}

/// The bar of a replay draws itself by these and no others; what it shows are numbers.
fn without_bar(bytes: &[u8]) -> Vec<u8> {
    let mut text = bytes.to_vec();
    for code in [&b"\x1b[2K"[..], b"\x1b[1A", b"\x1b[1B", b"\x1b[0J", b"\r"] {
        let mut kept = Vec::new();
        let mut at = 0;
        while at < text.len() {
            if text[at..].starts_with(code) && !text[at..].starts_with(b"\r\n") {
                at += code.len();
            } else {
                kept.push(text[at]);
                at += 1;
            }
        }
        text = kept;
    }
    text
}

/// A Maildir, whose envelope is fields of the header, and a service: what it says goes to the journal line by line.
#[test]
fn nor_does_a_maildir_or_the_service() {
    let payloads = payloads::all();
    let bench = Bench::new();
    for folder in ["new", "cur", "tmp"] {
        fs::create_dir(bench.site.path("drop").join(folder)).unwrap();
    }
    let fields = [
        "Return-Path: <P>",
        "X-Original-To: P@docs.example.org",
        "Delivered-To: P",
        "Envelope-To: P@P",
        "Return-Path: P@example.net",
    ];
    for (nth, payload) in some(&payloads, 200).enumerate() {
        let mut mail = put(fields[nth % fields.len()], &payload.bytes);
        mail.extend(format!("\r\nX-Original-To: all@docs.example.org\r\nReceived: by x\r\nFrom: a@example.org\r\nSubject: {nth}\r\n\r\nx").bytes());
        let name = [&file_name(&payload.bytes)[..], format!("{nth}:2,S").as_bytes()].concat();
        fs::write(bench.site.path("drop/new").join(OsStr::from_bytes(&name)), mail).unwrap();
    }
    bench.text(&["queue"]);
    let service = crate::serve::Service::start(&bench.site, crate::serve::EACH_SECOND, "poll");
    bench.site.wait_for("the mail to be filed", |site| {
        entries(&site.path("drop/new")).is_empty() && site.claims().is_empty()
    });
    let (code, said) = service.stop();
    assert_eq!(code, Some(0), "{said}");
    let said = bench.judged("serve", said.as_bytes(), Sink::Pipe);
    let ours = |line: &str| {
        begins_as_ours(line)
            || line.starts_with("20")
            || line.starts_with("  ")
            || line.starts_with("The Incoming E-Mail service")
            || line.starts_with("Serving ")
            || line
                .split_once(" filed, ")
                .is_some_and(|(count, _)| count.bytes().all(|byte| byte.is_ascii_digit()))
    };
    assert_eq!(said.lines().find(|line| !ours(line)), None, "{said}");
    bench.text(&["events"]);
    bench.json(&["mail", "list", "-n", "0"]);
    bench.end().ok(&["verify"]);
}

/// Keys and policies are looked up in what strangers have DNS answer; the log of the resolver tells of it.
#[test]
fn nor_does_what_dns_answers() {
    let payloads = payloads::all();
    let bench = Bench::new();
    let site = &bench.site;
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    site.configure("verify = \"off\"", "verify = \"dmarc\"");
    let resolver = format!("resolver = \"{}\"", server.local_addr().unwrap());
    site.configure(crate::dkim::RESOLVER, &resolver);
    site.ok(&["library", "add", "board", "--alias", "board"]);
    site.ok(&["user", "add", "bob", "--address", "alice@sender.test"]);
    site.ok(&["grant", "board", "everyone", "contributor"]);
    let chosen: Vec<&Payload> = some(&payloads, 150).collect();
    let signed = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dkim/mails/relaxed.eml");
    let signed = fs::read_to_string(signed).unwrap();
    assert!(signed.contains("s=rsa2048;"));
    for nth in 0..chosen.len() {
        let mail = signed.replace("s=rsa2048;", &format!("s=s{nth};"));
        let head = "x-sender: a@sender.test\r\nx-receiver: board@docs.example.org\r\n";
        site.deliver(&format!("{nth}.eml"), format!("{head}{mail}"));
    }
    let answered = AtomicUsize::new(0);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| answer(&server, &chosen, &answered, &done));
        let explain = site.path("drop/7.eml");
        bench.text(&[OsStr::new("explain"), explain.as_os_str()]);
        let said = bench.output(bench.command(&["run"]).env("MAILSHELF_LOG", "trace")).2;
        done.store(true, Ordering::Relaxed);
        assert!(said.contains("hickory"), "{said}");
    });
    assert!(answered.load(Ordering::Relaxed) > chosen.len());
    bench.text(&["events"]);
    bench.json(&["mail", "list", "-n", "0"]);
    bench.end().ok(&["verify"]);
}

/// Answers each question with the payload of its number: as a text, as a tag of a key, as a name that is pointed to.
fn answer(server: &UdpSocket, payloads: &[&Payload], answered: &AtomicUsize, done: &AtomicBool) {
    server.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    let mut question = [0; 512];
    while !done.load(Ordering::Relaxed) {
        let Ok((length, whom)) = server.recv_from(&mut question) else { continue };
        let length = 12 + question[12..length].iter().position(|&byte| byte == 0).unwrap() + 5;
        let label = String::from_utf8_lossy(&question[13..13 + usize::from(question[12])]).into_owned();
        let number = label.strip_prefix('s').and_then(|number| number.parse().ok());
        let nth: usize = number.unwrap_or_else(|| answered.load(Ordering::Relaxed)) % payloads.len();
        let payload = &payloads[nth].bytes;
        let start: &[u8] =
            [&b""[..], b"v=DKIM1; p=", b"v=DKIM1; k=", b"v=DMARC1; p=", b"v=DKIM1; n="][nth % 5];
        let (kind, data): (u8, Vec<u8>) = match nth % 7 {
            0 => {
                let label = &payload[..payload.len().min(63)];
                (5, [&[label.len() as u8], label, b"\x04test\0"].concat())
            }
            _ => {
                let text = [start, payload.as_slice()].concat();
                (
                    16,
                    text.chunks(255)
                        .take(3)
                        .flat_map(|piece| [&[piece.len() as u8], piece].concat())
                        .collect(),
                )
            }
        };
        let mut reply = question[..length].to_vec();
        reply[2..12].copy_from_slice(&[0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0]);
        reply.extend([0xc0, 12, 0, kind, 0, 1, 0, 0, 0, 60]);
        reply.extend((data.len() as u16).to_be_bytes());
        reply.extend(data);
        server.send_to(&reply, whom).unwrap();
        answered.fetch_add(1, Ordering::Relaxed);
    }
}
