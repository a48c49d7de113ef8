//! The keeper: starts the process that serves, passes signals on to it, and has another one go on where a place of the site
//! is out of its reach. A process that is confined can never be given more; the keeper is not confined, starts no thread,
//! and touches nothing but that process.

use std::io::{Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::{Duration, Instant};

use clap::ValueEnum;
use mailshelf::service::Bell;
use mailshelf::site::PROGRAM;
use mailshelf_storage::failpoint;
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::{flag, low_level};

use crate::cli::{Context, DONE, FAILED, complain, paste};

/// Which process it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Turn {
    /// What it cannot have at once it does not wait for.
    First,
    /// It goes on where another has ended.
    Next,
    /// It tries what the last one could not do as yet.
    Again,
}

/// How a process says that another one is to go on; nothing else exits with this.
pub const NEXT: u8 = 76;
/// How one that is to go on says that it cannot as yet; nothing else exits with this either.
const NOT_YET: u8 = 77;
/// How long to wait before it is tried again.
const SOON: Duration = Duration::from_secs(1);
/// So often the keeper looks meanwhile whether it is told to end.
const LOOK: Duration = Duration::from_millis(50);

/// The signals that are the keeper's.
const OURS: [i32; 3] = [SIGHUP, SIGINT, SIGTERM];

/// What the keeper says to the process that serves, a byte each. When nothing more can come, the keeper is gone.
const RELOAD: u8 = b'h';
const STOP: u8 = b's';

/// Keeps the service until it ends; its exit code. A second signal that asks for the end gets it at once.
pub fn keep(context: &Context) -> anyhow::Result<u8> {
    // Before anything takes its time: a signal that nobody listens for would end us.
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM, SIGCHLD])?;
    let (mut turn, mut stopping) = (Turn::First, false);
    loop {
        let mut serving = match start(context, turn) {
            Ok(serving) => serving,
            Err(error) if turn == Turn::First => {
                return Err(anyhow::anyhow!("program {}: cannot be started: {error}", paste::program()));
            }
            Err(error) => {
                not_yet(turn, &format!("cannot start {}: {error}", paste::program()));
                turn = Turn::Again;
                match rest(&mut signals) {
                    true => return Ok(DONE),
                    false => continue,
                }
            }
        };
        let ended = loop {
            // There may have been one before this child, or several at once.
            for signal in signals.wait() {
                match signal {
                    SIGCHLD => {}
                    SIGHUP => say(&mut serving, RELOAD),
                    _ if stopping => {
                        serving.kill()?;
                        serving.wait()?;
                        std::process::exit(128 + signal);
                    }
                    _ => {
                        stopping = true;
                        say(&mut serving, STOP);
                    }
                }
            }
            if let Some(status) = serving.try_wait()? {
                break status;
            }
        };
        turn = match ended.code().and_then(|code| u8::try_from(code).ok()) {
            Some(NEXT) => Turn::Next,
            Some(NOT_YET) => Turn::Again,
            // One that came before it left signals to us; if it was for both of us, ours has come too.
            _ if ended.signal().is_some_and(|signal| OURS.contains(&signal)) => {
                stopping |= is_told_to_end(&mut signals);
                turn
            }
            _ => return Ok(end_like(ended)),
        };
        if stopping || (turn == Turn::Again && rest(&mut signals)) {
            return Ok(DONE);
        }
    }
}

/// Waits a while; true if it is told to end.
fn rest(signals: &mut Signals) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < SOON {
        if is_told_to_end(signals) {
            return true;
        }
        thread::sleep(LOOK);
    }
    false
}

fn is_told_to_end(signals: &mut Signals) -> bool {
    signals.pending().any(|signal| [SIGINT, SIGTERM].contains(&signal))
}

/// What one that is to go on ends with if it cannot as yet. Why is told once.
pub fn not_yet(turn: Turn, why: &str) -> u8 {
    if turn == Turn::Next {
        complain(&format!("the service cannot go on as yet: {why}"), None);
    }
    NOT_YET
}

/// The same program, whatever has its name by now.
fn start(context: &Context, turn: Turn) -> std::io::Result<Child> {
    let mut command = Command::new(PROGRAM);
    if let Some(name) = std::env::args_os().next() {
        command.arg0(name);
    }
    if let Some(config) = &context.config {
        command.arg("--config").arg(config);
    }
    if context.out.is_json() {
        command.arg("--json");
    }
    let turn = turn.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
    command.arg("serve").arg("--kept").arg(turn).stdin(Stdio::piped()).spawn()
}

fn say(serving: &mut Child, what: u8) {
    // Whoever does not hear it has ended.
    let _ = serving.stdin.as_mut().map(|pipe| pipe.write_all(&[what]));
}

/// As the process that served ended, so does this one: whoever started it need not know of two.
fn end_like(status: ExitStatus) -> u8 {
    if let Some(signal) = status.signal() {
        let _ = low_level::emulate_default_handler(signal);
        std::process::exit(128 + signal);
    }
    status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(FAILED)
}

/// Leaves signals to the keeper: a terminal, or systemd, sends them to both.
pub fn leave_signals() -> std::io::Result<()> {
    failpoint::reached("kept", "");
    let nobody = Arc::new(AtomicBool::new(false));
    OURS.into_iter().try_for_each(|signal| flag::register(signal, Arc::clone(&nobody)).map(|_| ()))
}

/// Has what the keeper says ring the bell. Without a keeper nobody could end us: so we end at once, which loses nothing.
pub fn listen(bell: &Bell) -> std::io::Result<()> {
    let bell = bell.clone();
    let listening = move || {
        for said in std::io::stdin().lock().bytes() {
            match said {
                Ok(RELOAD) => bell.reload(),
                Ok(STOP) => drop(bell.stop()),
                Ok(_) | Err(_) => break,
            }
        }
        std::process::exit(i32::from(FAILED));
    };
    thread::Builder::new().name("keeper".to_owned()).spawn(listening)?;
    Ok(())
}
