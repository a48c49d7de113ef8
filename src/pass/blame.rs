//! Blame: a mail that may have killed the worker is read alone, in a child process, before it is trusted again.

use std::ffi::OsString;
use std::io::{Read, Write, stdout};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use mailshelf_storage::failpoint;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::config::{Config, Verify};
use crate::drop::{Claimed, Format};
use crate::message;

/// How many children a mail may kill.
const DEATHS: u32 = 3;
/// How long a child may take by the clock before nobody waits for it any more: so long no new mail is filed.
const PATIENCE: Duration = Duration::from_secs(30);
/// How much processor time it may take before that is its mail's doing. The largest mail takes less than one.
const PROCESSOR_SECONDS: u64 = 10;
/// How a child says that its mail made it panic; nothing else exits with this (`EX_SOFTWARE` of sysexits.h).
pub const PANICKED: u8 = 70;

/// What a suspect turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub enum Finding {
    /// It can be read.
    Harmless,
    /// It kills whoever reads it, and how.
    Culprit(String),
    /// Not found out: the child was killed from outside, or could not be started. Nobody is to blame.
    Unknown(String),
}

/// Reads a suspect in children of `program`, until one of them survives or it has killed three.
pub fn examine(
    program: &Path,
    config: &Config,
    suspect: &Claimed,
    format: Format,
    stop: &AtomicBool,
) -> Finding {
    let mut last = String::new();
    for _ in 0..DEATHS {
        match child(program, config, suspect, format, stop) {
            Ok(Ending::Survived) => return Finding::Harmless,
            Ok(Ending::Died(how)) => last = how,
            Ok(Ending::Unclear(how)) => return Finding::Unknown(how),
            Err(error) => {
                let name = called().unwrap_or_else(|| program.into());
                return Finding::Unknown(format!("cannot start {}: {error}", name.display()));
            }
        }
    }
    Finding::Culprit(format!("reading it killed {DEATHS} processes ({last})"))
}

/// What this program was called by.
fn called() -> Option<OsString> {
    std::env::args_os().next().filter(|name| !name.is_empty())
}

enum Ending {
    Survived,
    Died(String),
    Unclear(String),
}

fn child(
    program: &Path,
    config: &Config,
    suspect: &Claimed,
    format: Format,
    stop: &AtomicBool,
) -> std::io::Result<Ending> {
    let mut command = Command::new(program);
    if let Some(name) = called() {
        command.arg0(name);
    }
    // All it needs is on its command line: what may be wrong with the site by now is not the mail's fault.
    command.arg("parse-alone");
    if format == Format::Maildir {
        command.arg("--maildir");
    }
    if config.sender.verify != Verify::Off {
        command.arg("--verify");
    }
    let limits = &config.limits;
    let (parts, depth) = (limits.parts as u64, limits.depth as u64);
    for (name, limit) in [("--message", limits.message), ("--parts", parts), ("--depth", depth)] {
        command.arg(name).arg(limit.to_string());
    }
    command.arg("--").arg(&suspect.path).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn()?;
    match wait(&mut child, stop)? {
        Some(status) => {
            let mut told = Vec::new();
            if let Some(stdout) = &mut child.stdout {
                stdout.take(BEGUN.len() as u64).read_to_end(&mut told)?;
            }
            Ok(ending(status, told == BEGUN))
        }
        None => {
            child.kill()?;
            child.wait()?;
            let why = match stop.load(Ordering::Relaxed) {
                true => "reading it was stopped".to_owned(),
                false => format!("reading it took more than {} s", PATIENCE.as_secs()),
            };
            Ok(Ending::Unclear(why))
        }
    }
}

fn wait(child: &mut Child, stop: &AtomicBool) -> std::io::Result<Option<ExitStatus>> {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE && !stop.load(Ordering::Relaxed) {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        sleep(Duration::from_millis(5));
    }
    Ok(None)
}

/// What a child says when it begins with its mail.
const BEGUN: &[u8] = b"begun\n";
/// What it reads first: whatever reading needs of the system must be had for this, too.
const REHEARSAL: &[u8] = b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\ntext\n--b\n\
    Content-Disposition: attachment; filename=a.txt\n\ntext\n--b--\n";

/// For the child: sees that mail can be read here at all, and tells the parent that its own comes now.
pub fn begin(limits: &message::Limits) -> std::io::Result<()> {
    let _ = message::read(REHEARSAL, limits);
    failpoint::reached("begun", "");
    let mut out = stdout().lock();
    out.write_all(BEGUN)?;
    out.flush()
}

/// A child dies of its mail once it has `begun` with it, by a signal that a program brings on itself, by the limit on
/// its time, or by a panic that it owns up to. Whatever else ends it (a person, a system out of memory or of threads)
/// says nothing about the mail.
fn ending(status: ExitStatus, begun: bool) -> Ending {
    use std::os::unix::process::ExitStatusExt;
    const BY_ITSELF: [i32; 7] =
        [libc::SIGSEGV, libc::SIGABRT, libc::SIGBUS, libc::SIGILL, libc::SIGFPE, libc::SIGXCPU, libc::SIGSYS];
    match (status.code(), status.signal()) {
        (Some(0), _) if begun => Ending::Survived,
        _ if !begun => Ending::Unclear(format!("the process that was to read it ended with {status} before")),
        (Some(code), _) if code == i32::from(PANICKED) => Ending::Died("a panic".to_owned()),
        (_, Some(signal)) if BY_ITSELF.contains(&signal) => Ending::Died(format!("signal {signal}")),
        _ => Ending::Unclear(format!("the process that read it alone ended with {status}")),
    }
}

/// Bounds this process, the child, so that a mail that wants all memory or all time dies of itself.
pub fn confine(message_limit: u64) -> std::io::Result<()> {
    let memory = message_limit.saturating_mul(16).saturating_add(1 << 30);
    for (resource, limit) in [(Resource::As, memory), (Resource::Cpu, PROCESSOR_SECONDS)] {
        let maximum = getrlimit(resource).maximum;
        let limit = maximum.map_or(limit, |maximum| maximum.min(limit));
        setrlimit(resource, Rlimit { current: Some(limit), maximum })?;
    }
    Ok(())
}
