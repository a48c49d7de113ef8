//! Reading a claimed mail: once, into memory of our own. Everything after works on those bytes, whatever happens to the
//! file. A private unlinked copy would promise the same and is not needed: mail within the limit fits into memory, and
//! of larger mail only the digest is wanted. Never mapped: a mapped file that is truncated kills the process.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::PoisonError;
use std::time::Duration;

use jiff::Timestamp;
use rustix::fs::OFlags;
use rustix::io::Errno;

use super::error::site_wide;
use super::settle::{self, Facts, Lease, Look, Verdict};
use super::{Claimed, Format, lease};

/// How much is read of a mail beyond the limit: enough for its envelope and header.
const HEAD: u64 = 1 << 20;
const PIECE: usize = 1 << 18;

/// A mail that was read.
#[derive(Debug)]
pub struct Taken {
    /// The whole file; of a mail beyond the limit, its first MiB.
    pub bytes: Vec<u8>,
    /// The size of the file in bytes.
    pub size: u64,
    /// When it was last written.
    pub arrived_at: Timestamp,
    /// Of a mail beyond the limit what follows `bytes`, however little; `None` for every other.
    pub rest: Option<Rest>,
}

/// Why a claimed mail could not be read. It stays claimed.
#[derive(Debug)]
pub enum NotTaken {
    /// It is still being written, or changed while it was read; nobody's fault.
    Busy(String),
    /// Something failed.
    Fault {
        /// What.
        why: String,
        /// True for a fault of the site; false for one that only this file shows.
        site: bool,
    },
}

impl fmt::Display for NotTaken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotTaken::Busy(why) | NotTaken::Fault { why, .. } => f.write_str(why),
        }
    }
}

impl Claimed {
    /// Reads the mail, if it is whole. A mail of more than `limit` bytes is left open in [`Taken::rest`].
    pub fn read(&self, limit: u64) -> Result<Taken, NotTaken> {
        let mut open = self.open()?;
        let size = open.look.size;
        let whole = size <= limit;
        let bytes = open.read(if whole { size } else { size.min(HEAD) })?;
        let arrived_at = Timestamp::from_nanosecond(open.look.modified).unwrap_or_else(|_| Timestamp::now());
        if whole {
            open.check_unchanged()?;
            return Ok(Taken { bytes, size, arrived_at, rest: None });
        }
        let left = size.saturating_sub(size.min(HEAD));
        Ok(Taken { bytes, size, arrived_at, rest: Some(Rest { open, left }) })
    }

    /// After [`NotTaken::Busy`]: how long to wait until, if nothing changes, the mail can be read. `None` where that
    /// depends on somebody else, who has it open for writing.
    pub fn worth_waiting(&self) -> Option<Duration> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner).wait
    }

    fn open(&self) -> Result<Open, NotTaken> {
        let file = open_regular(&self.path).map_err(|error| match error.kind() {
            // Another process has a write lease, as Samba has for a client that is writing.
            io::ErrorKind::WouldBlock => NotTaken::Busy("a process holds it for writing".to_owned()),
            _ => fault("open", &error),
        })?;
        let lease = if self.rules.leases { lease::take(&file) } else { Lease::None };
        let look = Look::of(&file.metadata().map_err(|error| fault("look at", &error))?);
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let facts = Facts {
            maildir: self.rules.format == Format::Maildir,
            lease,
            settle: self.rules.settle,
            now: settle::now(),
            look,
            before_claim: self.before,
            watched: memory.watched(look),
        };
        match facts.verdict() {
            Verdict::Settled => {
                memory.wait = Some(Duration::ZERO);
                Ok(Open { file, look, leased: lease == Lease::Granted })
            }
            Verdict::Busy { why, wait } => {
                memory.wait = wait;
                Err(NotTaken::Busy(why))
            }
        }
    }
}

/// Opens a regular file, without following a link and without waiting for the other end of a pipe. Reading it is no
/// access that its file keeps a time of, where the system lets us say so: to its owner and to root (open(2)).
pub(crate) fn open_regular(path: &Path) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let open =
        |flags: OFlags| OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path);
    let opened = match open(flags | OFlags::NOATIME) {
        Err(error) if Errno::from_io_error(&error) == Some(Errno::PERM) => open(flags),
        opened => opened,
    };
    let file = match opened {
        // A link, or a socket.
        Err(error) if matches!(Errno::from_io_error(&error), Some(Errno::LOOP | Errno::NXIO)) => None,
        other => Some(other?),
    };
    match file {
        Some(file) if file.metadata()?.is_file() => Ok(file),
        _ => Err(io::Error::other("not a regular file")),
    }
}

fn fault(action: &str, error: &io::Error) -> NotTaken {
    NotTaken::Fault { why: format!("cannot {action} it: {error}"), site: site_wide(error) }
}

fn changed() -> NotTaken {
    NotTaken::Busy("it changed while it was read".to_owned())
}

/// A settled file, open; its lease, if it has one, lasts as long as this.
#[derive(Debug)]
struct Open {
    file: File,
    look: Look,
    leased: bool,
}

impl Open {
    /// Reads exactly `length` bytes more.
    fn read(&mut self, length: u64) -> Result<Vec<u8>, NotTaken> {
        let room = usize::try_from(length).unwrap_or(usize::MAX);
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(room).map_err(|_| fault("read", &Errno::NOMEM.into()))?;
        (&mut self.file).take(length).read_to_end(&mut bytes).map_err(|error| fault("read", &error))?;
        if bytes.len() < room { Err(changed()) } else { Ok(bytes) }
    }

    /// What was read is the file only if it looks after the reading as it did before.
    fn check_unchanged(&self) -> Result<(), NotTaken> {
        let after = Look::of(&self.file.metadata().map_err(|error| fault("look at", &error))?);
        let written_to = self.leased && !lease::stands(&self.file);
        if after != self.look || written_to { Err(changed()) } else { Ok(()) }
    }
}

/// What follows the head of a mail beyond the limit.
#[derive(Debug)]
pub struct Rest {
    open: Open,
    left: u64,
}

impl Rest {
    /// Shows the rest to `visit`, piece by piece and in order; none of it is kept. Only after `Ok` is what was read,
    /// head and rest, known to be the file.
    pub fn each(mut self, mut visit: impl FnMut(&[u8])) -> Result<(), NotTaken> {
        let mut buffer = vec![0; PIECE];
        while self.left > 0 {
            let most = usize::try_from(self.left).unwrap_or(PIECE).min(PIECE);
            let room = buffer.get_mut(..most).unwrap_or_default();
            let read = match self.open.file.read(room) {
                Ok(0) => return Err(changed()),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(fault("read", &error)),
            };
            visit(buffer.get(..read).unwrap_or_default());
            self.left = self.left.saturating_sub(u64::try_from(read).unwrap_or_default());
        }
        self.open.check_unchanged()
    }
}
