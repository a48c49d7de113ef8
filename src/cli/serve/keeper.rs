//! The keeper: starts the process that serves, passes signals on to it, and has another one go on where a place of the site
//! is out of its reach. A process that is confined can never be given more; the keeper is not confined, starts no thread,
//! and touches nothing but that process, and the probe that it starts for it: see [`super::probe`].

use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use clap::ValueEnum;
use mailshelf::service::Bell;
use mailshelf::site::PROGRAM;
use mailshelf_storage::failpoint;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::backend::SignalDelivery;
use signal_hook::iterator::exfiltrator::SignalOnly;
use signal_hook::{flag, low_level};

use crate::cli::{Context, DONE, FAILED, complain, paste};

/// Which process it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Turn {
    /// What it cannot have at once it does not wait for.
    First,
    /// It goes on where another has ended, or could not as yet.
    Next,
    /// It serves nothing: it tries whether another one could go on, while one still serves.
    Probe,
}

/// How a process says that another one is to go on; nothing else exits with this.
pub const NEXT: u8 = 76;
/// How one that is to go on says that it cannot as yet, and has told the keeper why; nothing else exits with this either.
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

/// What the process that serves asks of the keeper, and what begins the answer: then come how the probe ended, how long
/// what it printed is (two bytes, the greater first), and that.
const PROBE: u8 = b'p';
/// How it begins to tell why it cannot go on as yet; it ends then.
const CANNOT: u8 = b'c';

type Signals = SignalDelivery<UnixStream, SignalOnly>;

/// Keeps the service until it ends; its exit code. A second signal that asks for the end gets it at once.
pub fn keep(context: &Context) -> anyhow::Result<u8> {
    // Before anything takes its time: a signal that nobody listens for would end us.
    let (read, write) = UnixStream::pair()?;
    let mut signals = SignalDelivery::with_pipe(read, write, SignalOnly, [SIGHUP, SIGINT, SIGTERM, SIGCHLD])?;
    let (mut turn, mut stopping, mut told) = (Turn::First, false, Told::default());
    loop {
        let ended = match Serving::start(context, turn) {
            Ok(serving) => serving.until_it_ends(&mut signals, &mut stopping, &mut told)?,
            Err(error) if turn == Turn::First => {
                return Err(anyhow::anyhow!("program {}: cannot be started: {error}", paste::program()));
            }
            Err(error) => {
                told.not_yet(format!("cannot start {}: {error}", paste::program()));
                match rest(&mut signals, &mut told) {
                    true => return Ok(DONE),
                    false => continue,
                }
            }
        };
        let code = ended.code().and_then(|code| u8::try_from(code).ok());
        match code {
            Some(NEXT) => (turn, told) = (Turn::Next, Told::default()),
            Some(NOT_YET) => {}
            // One that came before it left signals to us; if it was for both of us, ours has come too.
            _ if ended.signal().is_some_and(|signal| OURS.contains(&signal)) => {
                stopping |= is_told_to_end(&mut signals, &mut told);
            }
            _ => return Ok(end_like(ended)),
        }
        if stopping || (code == Some(NOT_YET) && rest(&mut signals, &mut told)) {
            return Ok(DONE);
        }
    }
}

/// Why nobody can go on as yet, as it was last told.
#[derive(Default)]
struct Told(Option<String>);

impl Told {
    /// Tells it once, however often it is tried.
    fn not_yet(&mut self, why: String) {
        if self.0.as_ref() != Some(&why) {
            complain(&format!("the service cannot go on as yet: {why}"), None);
            self.0 = Some(why);
        }
    }

    /// Whoever asks is told again.
    fn asked(&mut self) {
        self.0 = None;
    }
}

/// The process that serves, and the probe that it has asked for.
struct Serving<'a> {
    context: &'a Context,
    child: Child,
    /// To the standard input of the child, and back.
    line: UnixStream,
    probe: Option<Child>,
    /// It cannot go on as yet, and why.
    cannot: Option<String>,
}

impl<'a> Serving<'a> {
    fn start(context: &'a Context, turn: Turn) -> std::io::Result<Serving<'a>> {
        let (line, theirs) = UnixStream::pair()?;
        let child = command(context, turn).stdin(OwnedFd::from(theirs)).spawn()?;
        Ok(Serving { context, child, line, probe: None, cannot: None })
    }

    fn until_it_ends(
        mut self,
        signals: &mut Signals,
        stopping: &mut bool,
        told: &mut Told,
    ) -> anyhow::Result<ExitStatus> {
        let mut hears = true;
        loop {
            let (signalled, asked) = wait(signals.get_read(), hears.then_some(&self.line))?;
            // There may have been one before this child, or several at once.
            for signal in signalled.then(|| signals.pending()).into_iter().flatten() {
                match signal {
                    SIGCHLD => {}
                    SIGHUP => {
                        told.asked();
                        self.say(&[RELOAD]);
                    }
                    _ if *stopping => {
                        self.child.kill()?;
                        self.child.wait()?;
                        std::process::exit(128 + signal);
                    }
                    _ => {
                        *stopping = true;
                        self.say(&[STOP]);
                    }
                }
            }
            if asked {
                hears = self.hear();
            }
            self.answer()?;
            if let Some(status) = self.child.try_wait()? {
                if let Some(mut probe) = self.probe.take() {
                    // Nobody wants to know any more, and it may hold the drop.
                    probe.kill()?;
                    probe.wait()?;
                }
                if status.code() == Some(i32::from(NOT_YET)) {
                    // What it said last may be unheard.
                    let _ = hears && self.hear();
                    told.not_yet(self.cannot.unwrap_or_default());
                }
                return Ok(status);
            }
        }
    }

    fn say(&mut self, what: &[u8]) {
        // Whoever does not hear it has ended.
        let _ = self.line.write_all(what);
    }

    /// False if nothing more will be asked.
    fn hear(&mut self) -> bool {
        let mut asked = [0];
        match self.line.read(&mut asked) {
            Ok(1) if asked == [PROBE] && self.probe.is_none() => {
                match command(self.context, Turn::Probe).stdin(Stdio::null()).stdout(Stdio::piped()).spawn() {
                    Ok(probe) => self.probe = Some(probe),
                    Err(error) => {
                        let why = format!("cannot start {}: {error}", paste::program());
                        self.tell(FAILED, why.as_bytes());
                    }
                }
                true
            }
            Ok(1) if asked == [CANNOT] => {
                let mut why = Vec::new();
                let _ = (&self.line).take(u64::from(u16::MAX)).read_to_end(&mut why);
                self.cannot = Some(String::from_utf8_lossy(&why).into_owned());
                false
            }
            Ok(1) => true,
            Ok(_) | Err(_) => false,
        }
    }

    /// Passes on what a probe has found, once it has ended.
    fn answer(&mut self) -> std::io::Result<()> {
        let Some(probe) = &mut self.probe else { return Ok(()) };
        let Some(status) = probe.try_wait()? else { return Ok(()) };
        let mut printed = Vec::new();
        if let Some(out) = probe.stdout.take() {
            out.take(u64::from(u16::MAX)).read_to_end(&mut printed)?;
        }
        self.probe = None;
        let code = status.code().and_then(|code| u8::try_from(code).ok());
        if code.is_none() {
            printed = format!("whoever tried it ended with {status}").into_bytes();
        }
        self.tell(code.unwrap_or(FAILED), &printed);
        Ok(())
    }

    fn tell(&mut self, code: u8, what: &[u8]) {
        let length = u16::try_from(what.len()).unwrap_or(u16::MAX);
        let head = [&[PROBE, code], length.to_be_bytes().as_slice()].concat();
        self.say(&[&head, what].concat());
    }
}

/// Waits for a signal, or for what is asked; which of them there is.
fn wait(signals: &UnixStream, line: Option<&UnixStream>) -> std::io::Result<(bool, bool)> {
    let hears = line.is_some();
    let mut sources = [signals, line.unwrap_or(signals)].map(|source| PollFd::new(source, PollFlags::IN));
    match poll(&mut sources, None) {
        Ok(_) | Err(Errno::INTR) => {}
        Err(error) => return Err(error.into()),
    }
    let [signals, asked] = sources.map(|source| !source.revents().is_empty());
    Ok((signals, hears && asked))
}

/// Waits a while; true if it is told to end.
fn rest(signals: &mut Signals, told: &mut Told) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < SOON {
        if is_told_to_end(signals, told) {
            return true;
        }
        thread::sleep(LOOK);
    }
    false
}

fn is_told_to_end(signals: &mut Signals, told: &mut Told) -> bool {
    signals.pending().fold(false, |ends, signal| {
        if signal == SIGHUP {
            told.asked();
        }
        ends || [SIGINT, SIGTERM].contains(&signal)
    })
}

/// What one that is to go on ends with if it cannot as yet. Why is for the keeper to tell, who knows what it has told.
pub fn not_yet(why: &str) -> u8 {
    let said = [&[CANNOT], why.as_bytes()].concat();
    // Whoever does not hear it has ended.
    let _ = rustix::io::write(std::io::stdin(), &said);
    NOT_YET
}

/// The same program, whatever has its name by now.
fn command(context: &Context, turn: Turn) -> Command {
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
    command.arg("serve").arg("--kept").arg(turn);
    command
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

/// How the process that serves has the keeper start a probe.
pub struct Line(Receiver<(u8, Vec<u8>)>);

impl Line {
    /// How a probe ended, and what it printed.
    pub fn probe(&self) -> (u8, Vec<u8>) {
        let asked = rustix::io::write(std::io::stdin(), &[PROBE]).map_err(|error| error.to_string());
        // Without a keeper we end at once.
        let answer = asked.and_then(|_| self.0.recv().map_err(|error| error.to_string()));
        answer.unwrap_or_else(|why| (FAILED, why.into_bytes()))
    }
}

/// Has what the keeper says ring the bell. Without a keeper nobody could end us: so we end at once, which loses nothing.
pub fn listen(bell: &Bell) -> std::io::Result<Line> {
    let bell = bell.clone();
    let (answered, answers) = channel();
    let hear = move |line: &mut dyn Read| -> std::io::Result<()> {
        let mut said = [0];
        loop {
            line.read_exact(&mut said)?;
            match said {
                [RELOAD] => bell.reload(),
                [STOP] => drop(bell.stop()),
                _ => {
                    let mut head = [0; 3];
                    line.read_exact(&mut head)?;
                    let [code, length @ ..] = head;
                    let mut printed = vec![0; usize::from(u16::from_be_bytes(length))];
                    line.read_exact(&mut printed)?;
                    // If nobody asked, nobody minds.
                    let _ = answered.send((code, printed));
                }
            }
        }
    };
    let listening = move || {
        let _ = hear(&mut std::io::stdin().lock());
        std::process::exit(i32::from(FAILED));
    };
    thread::Builder::new().name("keeper".to_owned()).spawn(listening)?;
    Ok(Line(answers))
}
