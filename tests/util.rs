//! A temporary site, and the program run on it.

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use mailshelf_storage::Digest;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_mailshelf");
pub const DOMAIN: &str = "docs.example.org";

/// So long a test waits for what must come, however slow the machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A site made by `mailshelf init`; gone with this value.
pub struct Site {
    dir: TempDir,
}

impl Site {
    /// A site without libraries.
    pub fn new() -> Site {
        let site = Site { dir: tempfile::tempdir().unwrap() };
        let output = Command::new(PROGRAM).arg("init").arg(site.path("")).args(["--domain", DOMAIN]).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{output:?}");
        // Without a lease (another owner, another file system) a test would wait for its mail to settle.
        site.configure("settle = \"2s\"", "settle = \"0s\"");
        site
    }

    /// A site with the library `all`, which takes mail from anyone and keeps originals.
    pub fn open_to_all() -> Site {
        let site = Site::new();
        site.ok(&[
            "library",
            "add",
            "all",
            "--alias",
            "all",
            "--sender-policy",
            "anyone",
            "--save-original",
            "yes",
        ]);
        site
    }

    pub fn path(&self, below: &str) -> PathBuf {
        self.dir.path().join(below)
    }

    /// Replaces a line of the configuration.
    pub fn configure(&self, from: &str, to: &str) {
        let file = self.path("mailshelf.toml");
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains(from), "{from}");
        fs::write(file, text.replace(from, to)).unwrap();
    }

    pub fn command(&self, arguments: &[impl AsRef<OsStr>]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.arg("--config").arg(self.path("mailshelf.toml")).args(arguments);
        command.env_remove("MAILSHELF_FAILPOINT").env_remove("MAILSHELF_LOG");
        command
    }

    pub fn output(&self, arguments: &[impl AsRef<OsStr>]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs a command that must succeed; gives what it printed.
    pub fn ok(&self, arguments: &[impl AsRef<OsStr> + std::fmt::Debug]) -> String {
        let output = self.output(arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs a command that must fail with this exit code; gives what it said on standard error.
    pub fn fails(&self, code: i32, arguments: &[impl AsRef<OsStr> + std::fmt::Debug]) -> String {
        let output = self.output(arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {output:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    /// The lines of JSON that a command prints, which must succeed.
    pub fn json(&self, arguments: &[&str]) -> Vec<Value> {
        let arguments = [arguments, &["--json"]].concat();
        lines(&self.ok(&arguments))
    }

    /// Delivers a mail as a mail server does: written elsewhere, then renamed into the drop.
    pub fn deliver(&self, name: &str, mail: impl AsRef<[u8]>) {
        let unfinished = self.path("drop").join(format!(".{name}"));
        fs::write(&unfinished, mail).unwrap();
        fs::rename(unfinished, self.path("drop").join(name)).unwrap();
    }

    /// Empties the drop; the events 6871 of all passes.
    pub fn run(&self) -> Vec<Value> {
        let mut events = self.json(&["run"]);
        events.retain(|event| event["event_id"] == 6871);
        events
    }

    /// Empties the drop in one pass; its event.
    pub fn pass(&self) -> Value {
        let mut events = self.run();
        assert_eq!(events.len(), 1);
        events.remove(0)
    }

    /// Runs with a failpoint, and asserts that the process died of it.
    pub fn die(&self, failpoint: &str) {
        let output = self.command(&["run"]).env("MAILSHELF_FAILPOINT", failpoint).output().unwrap();
        assert_eq!(output.status.code(), None, "did not die at {failpoint}: {output:?}");
    }

    pub fn documents(&self, library: &str) -> Vec<Value> {
        self.json(&["document", "list", library])
    }

    /// The bytes of a document.
    pub fn document(&self, library: &str, path: &str) -> Vec<u8> {
        let output = self.output(&["document", "get", library, path]);
        assert!(output.status.success(), "{output:?}");
        output.stdout
    }

    /// The event file, parsed.
    pub fn events(&self) -> Vec<Value> {
        lines(&fs::read_to_string(self.path("state/events.jsonl")).unwrap_or_default())
    }

    /// The names of the mail that was claimed and not disposed of.
    pub fn claims(&self) -> Vec<String> {
        let mut names = Vec::new();
        for node in entries(&self.path("drop/.claimed")) {
            names.extend(entries(&node).iter().map(|path| name(path)).filter(|name| !name.starts_with('.')));
        }
        names
    }

    /// The names in the drop, without those that begin with a dot.
    pub fn waiting(&self) -> Vec<String> {
        let names = entries(&self.path("drop"));
        names.iter().map(|path| name(path)).filter(|name| !name.starts_with('.')).collect()
    }

    /// The files in the contents folder that have a digest for a name.
    pub fn contents(&self) -> Vec<PathBuf> {
        let folders = entries(&self.path("state/contents"));
        folders.iter().flat_map(|folder| entries(folder)).filter(|path| name(path).len() == 64).collect()
    }

    /// Whether the event file holds this text; its last line may be half written as yet.
    pub fn told(&self, text: &str) -> bool {
        fs::read(self.path("state/events.jsonl"))
            .is_ok_and(|file| String::from_utf8_lossy(&file).contains(text))
    }

    /// Looks again and again, and leaves the processor to others meanwhile.
    pub fn wait_for(&self, what: &str, met: impl Fn(&Site) -> bool) {
        let begun = Instant::now();
        while !met(self) {
            assert!(begun.elapsed() < PATIENCE, "waited in vain for {what}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Asserts what must hold whenever the drop has been emptied: nothing is left of the mail but what is on record,
    /// the catalog and the contents agree, and the events have numbers without a gap.
    pub fn assert_sound(&self) {
        assert_eq!(self.claims(), Vec::<String>::new());
        assert_eq!(self.waiting(), Vec::<String>::new());
        self.ok(&["verify"]);
        let seqs: Vec<_> = self.events().iter().map(|event| event["seq"].as_u64().unwrap()).collect();
        assert_eq!(seqs, (1..=seqs.len() as u64).collect::<Vec<_>>());
    }
}

/// While this lives, a process that does not end is killed once patience is over: whoever waits for it, or for what it
/// prints, fails and does not wait for ever.
pub struct Limit {
    _ended: Sender<()>,
}

impl Limit {
    pub fn of(child: &Child) -> Limit {
        let pid = Pid::from_child(child);
        let (ended, told) = channel();
        std::thread::spawn(move || {
            if told.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                let _ = kill_process(pid, Signal::KILL);
            }
        });
        Limit { _ended: ended }
    }
}

/// Lines of JSON, parsed.
pub fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What a folder holds, sorted; nothing if there is none.
pub fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

pub fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

pub fn sha256(bytes: &[u8]) -> String {
    Digest::of(bytes).to_string()
}

/// The message of a mail to `recipients` with one attachment, `attachment.txt`, of this text.
pub fn message(id: &str, text: &str) -> String {
    format!(
        "Received: from mail.example.net by mx.{DOMAIN}; Sat, 21 Nov 2026 04:00:00 +0000\r\n\
         From: Alice <alice@example.org>\r\nSubject: Mail {id}\r\nMessage-ID: <{id}@example.net>\r\n\
         MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
         --b\r\nContent-Type: text/plain\r\n\r\nSee below.\r\n\
         --b\r\nContent-Type: text/plain\r\nContent-Disposition: attachment; filename=\"attachment.txt\"\r\n\r\n\
         {text}\r\n--b--\r\n"
    )
}

/// The same as it stands in a drop folder, its envelope block first.
pub fn mail(id: &str, recipients: &[&str], text: &str) -> String {
    let receivers: String =
        recipients.iter().map(|recipient| format!("x-receiver: {recipient}@{DOMAIN}\r\n")).collect();
    format!("x-sender: alice@example.org\r\n{receivers}{}", message(id, text))
}

/// Says that a test is not made here, and why. Written past the harness, which keeps to itself what a test that passes
/// prints by the macros.
pub fn skip(why: impl std::fmt::Display) {
    let _ = writeln!(std::io::stderr(), "skipped: {why}");
}

pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
