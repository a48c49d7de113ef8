//! A program under ptrace(2): each system call of it, of its threads and of its children, in one count.
//!
//! strace counts each thread by itself: with it the calls of a second thread that are numbered as earlier ones of the
//! first are never met. Here a number means one call of the whole run.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use nix::errno::Errno;
use nix::libc;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill, killpg};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use syscalls::Sysno;

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
compile_error!("the torture knows Linux and the registers of x86-64 alone");

/// A run that takes longer hangs. The slowest one takes a second, traced and beside another one; but SQLite, whose locks
/// fail for ever, tries for ten seconds each time that it is asked.
const PATIENCE: Duration = Duration::from_secs(180);

/// What is done to the run at one call.
pub enum Act<'a> {
    /// The process that is about to make the call is killed.
    Kill,
    /// The call is not made and fails.
    Fail(Errno),
    /// It fails, and so do all that come after it and are of its kind; if it was interrupted, every other one: whoever
    /// is interrupted tries again, and nothing is interrupted each time.
    FailForEver(Errno),
    /// Everything stands still while this happens; then the whole run is killed.
    Halt(&'a mut dyn FnMut()),
    /// The same, and the run goes on.
    Meanwhile(&'a mut dyn FnMut()),
    /// From the first call on nothing is synced, and each call that should says that it was.
    Lie,
}

/// How a run went.
#[derive(Debug)]
pub struct Ended {
    /// The call that was acted upon, if the run came to it.
    pub reached: Option<Sysno>,
    /// How many calls were counted, up to the one that was acted upon.
    pub calls: usize,
    /// The exit code of the program, unless a signal ended it.
    pub code: Option<i32>,
    /// It was killed because it did not end; where it stood.
    pub hung: Option<String>,
}

/// Which calls are counted.
pub type Counts = fn(Sysno) -> bool;

pub fn all(_: Sysno) -> bool {
    true
}

/// Calls after which a disk may hold something else than before.
const CHANGES: &[Sysno] = &[
    Sysno::chmod,
    Sysno::chown,
    Sysno::copy_file_range,
    Sysno::fallocate,
    Sysno::fchmod,
    Sysno::fchmodat,
    Sysno::fchown,
    Sysno::fchownat,
    Sysno::fdatasync,
    Sysno::fsetxattr,
    Sysno::fsync,
    Sysno::ftruncate,
    Sysno::ioctl,
    Sysno::lchown,
    Sysno::link,
    Sysno::linkat,
    Sysno::mkdir,
    Sysno::mkdirat,
    Sysno::mknod,
    Sysno::mknodat,
    Sysno::open,
    Sysno::openat,
    Sysno::openat2,
    Sysno::pwrite64,
    Sysno::pwritev,
    Sysno::pwritev2,
    Sysno::rename,
    Sysno::renameat,
    Sysno::renameat2,
    Sysno::rmdir,
    Sysno::sendfile,
    Sysno::setxattr,
    Sysno::splice,
    Sysno::symlink,
    Sysno::symlinkat,
    Sysno::sync_file_range,
    Sysno::syncfs,
    Sysno::truncate,
    Sysno::unlink,
    Sysno::unlinkat,
    Sysno::utimensat,
    Sysno::write,
];

/// Calls that the kernel always grants.
const GRANTED: &[Sysno] = &[
    Sysno::arch_prctl,
    Sysno::exit,
    Sysno::exit_group,
    Sysno::futex,
    Sysno::getcwd,
    Sysno::geteuid,
    Sysno::getpid,
    Sysno::gettid,
    Sysno::rseq,
    Sysno::rt_sigreturn,
    Sysno::sched_yield,
    Sysno::set_tid_address,
    Sysno::uname,
];

/// Calls that may fail.
pub fn fallible(call: Sysno) -> bool {
    !GRANTED.contains(&call)
}

/// Calls that change a disk, or give the means to.
pub fn changes(call: Sysno) -> bool {
    CHANGES.contains(&call)
}

/// Runs `command` to its end, and acts at the call of number `at`, the first being 1. What it prints goes to `output`.
#[expect(clippy::zombie_processes, reason = "the tracer waits for it, and for all that it starts")]
pub fn run(command: &[&str], output: &Path, counts: Counts, at: usize, act: Act<'_>) -> Ended {
    let out = File::create(output).unwrap();
    // It waits until it is traced: what is traced from its first call on need not be raced for.
    let mut child = Command::new("/bin/sh")
        .args(["-c", "read -r begin; exec \"$@\"", "sh"])
        .args(command)
        .stdin(Stdio::piped())
        .stdout(out.try_clone().unwrap())
        .stderr(out)
        .process_group(0)
        .spawn()
        .unwrap();
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap());
    let options = Options::PTRACE_O_TRACESYSGOOD
        | Options::PTRACE_O_TRACECLONE
        | Options::PTRACE_O_TRACEFORK
        | Options::PTRACE_O_TRACEVFORK
        | Options::PTRACE_O_TRACEEXEC
        | Options::PTRACE_O_EXITKILL;
    ptrace::seize(pid, options).unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"\n").unwrap();
    drop(stdin);
    let (ended, told) = channel::<()>();
    let halted = Arc::new(AtomicBool::new(false));
    let stands_still = Arc::clone(&halted);
    std::thread::scope(|scope| {
        let patience = scope.spawn(move || {
            // While it stands still others may wait for what it has locked, as long as they like.
            loop {
                match told.recv_timeout(PATIENCE) {
                    Err(RecvTimeoutError::Disconnected) => return None,
                    Err(RecvTimeoutError::Timeout) if !stands_still.load(Ordering::SeqCst) => {
                        return Some(hang(pid));
                    }
                    Err(RecvTimeoutError::Timeout) | Ok(()) => {}
                }
            }
        });
        let mut tracer = Tracer {
            begun: false,
            calls: 0,
            reached: None,
            counts,
            at,
            act,
            alike: 0,
            code: None,
            pending: HashMap::new(),
            halted,
            goes_on: ended,
        };
        tracer.follow(pid);
        let Tracer { reached, calls, code, goes_on, .. } = tracer;
        drop(goes_on);
        Ended { reached, calls, code, hung: patience.join().unwrap() }
    })
}

/// Kills a run that does not end; gives where it stood.
fn hang(pid: Pid) -> String {
    let stood = stands(pid);
    let _ = killpg(pid, Signal::SIGKILL);
    stood
}

/// What each thread of a process waits for.
fn stands(pid: Pid) -> String {
    let mut stood = String::new();
    for thread in std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten() {
        let told = |name: &str| std::fs::read_to_string(thread.path().join(name)).unwrap_or_default();
        stood.push_str(&format!("{}: {}; ", told("comm").trim(), told("syscall").trim()));
    }
    stood
}

struct Tracer<'a> {
    /// The program itself runs, and no longer the shell before it.
    begun: bool,
    calls: usize,
    reached: Option<Sysno>,
    counts: Counts,
    at: usize,
    act: Act<'a>,
    /// How many calls of the kind that fails for ever there were.
    alike: usize,
    code: Option<i32>,
    /// Threads in a call that was suppressed, and what it shall return.
    pending: HashMap<Pid, i64>,
    /// Nothing of it runs, for something else happens.
    halted: Arc<AtomicBool>,
    /// Told that it goes on; dropped at its end.
    goes_on: Sender<()>,
}

impl Tracer<'_> {
    fn follow(&mut self, root: Pid) {
        // Only what this thread traces, and no other child of it: others do the same beside it.
        let group = Pid::from_raw(-root.as_raw());
        let own = WaitPidFlag::__WALL | WaitPidFlag::__WNOTHREAD;
        let mut alive = HashSet::from([root]);
        loop {
            match waitpid(group, Some(own)) {
                Ok(WaitStatus::PtraceSyscall(pid)) => {
                    alive.insert(pid);
                    self.stopped(pid, root);
                }
                Ok(WaitStatus::PtraceEvent(pid, _, event)) => {
                    alive.insert(pid);
                    self.begun |= event == libc::PTRACE_EVENT_EXEC;
                    self.go_on(pid, None);
                }
                Ok(WaitStatus::Exited(pid, code)) if pid == root => self.code = Some(code),
                Ok(WaitStatus::Stopped(pid, signal)) => self.go_on(pid, Some(signal)),
                Ok(_) => {}
                Err(Errno::ECHILD) => return,
                Err(error) => panic!("waitpid: {error}"),
            }
        }
    }

    /// A thread may have been killed meanwhile: that is told by waitpid.
    fn go_on(&self, pid: Pid, signal: Option<Signal>) {
        let _ = if self.watches() { ptrace::syscall(pid, signal) } else { ptrace::cont(pid, signal) };
    }

    /// Whether there is a call yet to be acted upon.
    fn watches(&self) -> bool {
        let done = self.reached.is_some() && self.pending.is_empty();
        self.begun && (!done || matches!(self.act, Act::FailForEver(_) | Act::Lie))
    }

    fn stopped(&mut self, pid: Pid, root: Pid) {
        let Ok(info) = ptrace::syscall_info(pid) else { return };
        if info.op == libc::PTRACE_SYSCALL_INFO_ENTRY {
            let Ok(mut registers) = ptrace::getregs(pid) else { return };
            if let Some(call) = usize::try_from(registers.orig_rax).ok().and_then(Sysno::new) {
                self.entered(pid, root, call, &mut registers);
            }
        } else if let Some(answer) = self.pending.remove(&pid) {
            let Ok(mut registers) = ptrace::getregs(pid) else { return };
            registers.rax = answer.cast_unsigned();
            let _ = ptrace::setregs(pid, registers);
        }
        self.go_on(pid, None);
    }

    fn entered(&mut self, pid: Pid, root: Pid, call: Sysno, registers: &mut libc::user_regs_struct) {
        if !(self.counts)(call) {
            return;
        }
        self.calls += 1;
        let here = self.calls == self.at;
        if here {
            self.reached = Some(call);
        }
        let answer = match &mut self.act {
            Act::Kill if here => {
                let _ = kill(process_of(pid), Signal::SIGKILL);
                return;
            }
            Act::Halt(happens) if here => {
                self.halted.store(true, Ordering::SeqCst);
                happens();
                self.halted.store(false, Ordering::SeqCst);
                let _ = self.goes_on.send(());
                let _ = killpg(root, Signal::SIGKILL);
                return;
            }
            Act::Meanwhile(happens) if here => {
                self.halted.store(true, Ordering::SeqCst);
                happens();
                self.halted.store(false, Ordering::SeqCst);
                let _ = self.goes_on.send(());
                return;
            }
            Act::Fail(error) if here => failed(*error),
            Act::FailForEver(error) if self.reached.is_some_and(|first| alike(first, call)) => {
                self.alike += 1;
                if *error == Errno::EINTR && self.alike.is_multiple_of(2) {
                    return;
                }
                failed(*error)
            }
            Act::Lie if syncs(call) => 0,
            _ => return,
        };
        // The call is not made; its answer is put in its place when it would have returned. Only a file that could not
        // be closed is closed all the same (close(2)).
        if call != Sysno::close {
            registers.orig_rax = u64::MAX;
        }
        if ptrace::setregs(pid, *registers).is_ok() {
            self.pending.insert(pid, answer);
        }
    }
}

/// What a call returns that fails with this.
fn failed(error: Errno) -> i64 {
    -i64::from(error as i32)
}

fn syncs(call: Sysno) -> bool {
    [Sysno::fsync, Sysno::fdatasync, Sysno::syncfs, Sysno::sync_file_range].contains(&call)
}

/// Whether a disk that fails the one call may be expected to fail the other: those that write do so together, and so
/// do those that give memory; of the others each stands alone.
fn alike(first: Sysno, other: Sysno) -> bool {
    let memory = |call| [Sysno::mmap, Sysno::brk, Sysno::mremap, Sysno::mprotect].contains(&call);
    first == other || (changes(first) && changes(other)) || (memory(first) && memory(other))
}

/// The process that a thread belongs to.
fn process_of(thread: Pid) -> Pid {
    let status = std::fs::read_to_string(format!("/proc/{thread}/status")).unwrap_or_default();
    let group = status.lines().find_map(|line| line.strip_prefix("Tgid:")?.trim().parse().ok());
    Pid::from_raw(group.unwrap_or(thread.as_raw()))
}
