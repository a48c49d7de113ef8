//! The one durable write of the program: a file that has no name, or one nobody reads, until its bytes are on
//! stable storage; then its name, in one step.
//!
//! What holds, whatever fails in between:
//! * Under the target's name stands what stood there before, or the new file whole. Never a part of it, and after a
//!   power cut never a file whose bytes did not reach the disk.
//! * A new name survives a power cut only after [`sync_folder`] of its folder. Callers that publish many files call
//!   it once for each folder.
//! * A sync that failed is never tried again on the same file: the system may have dropped the bytes and then say
//!   that all is well. Such a file can no longer be published.
//! * What a crash leaves behind is at most a temporary, named `.tmp-` and a ULID. Whoever writes one holds a lock on
//!   it, so [`is_leftover`] tells a leftover from a write under way, and [`sweep`] removes leftovers only.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use rustix::fs::{
    AtFlags, CWD, Mode, OFlags, RenameFlags, fdatasync, fsync, linkat, open, renameat_with, syncfs,
};
use rustix::io::{Errno, retry_on_intr};
use ulid::Ulid;

use crate::failpoint::reached;
use crate::{IoContext, Result};

/// What the names of temporaries begin with.
pub const TEMPORARY: &str = ".tmp-";

/// The mode of a new file unless asked otherwise, before the umask: no stranger reads mail.
const MODE: u32 = 0o640;

/// What to do with a file that has the target's name already.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Existing {
    /// The new one takes its place in one step.
    Replace,
    /// It stays, and publishing fails with [`io::ErrorKind::AlreadyExists`].
    Refuse,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Written,
    Synced,
    SyncFailed,
}

/// A file that is being written. Dropped without [`NewFile::publish`], it leaves nothing behind.
pub struct NewFile {
    file: File,
    folder: PathBuf,
    /// Its temporary name; `None` where the file system lets a file be without one.
    temporary: Option<PathBuf>,
    state: State,
}

impl NewFile {
    /// Begins a file in `folder`, which must be on the file system of the later target.
    pub fn create_in(folder: &Path) -> Result<NewFile> {
        NewFile::create_with_mode(folder, MODE)
    }

    /// The same with a mode of its own, before the umask.
    pub fn create_with_mode(folder: &Path, mode: u32) -> Result<NewFile> {
        match create_unnamed(folder, mode) {
            Ok(Some(file)) => Ok(NewFile::new(file, folder, None)),
            Ok(None) => NewFile::create_named(folder, mode),
            Err(errno) => Err(errno).while_doing("make a file in", folder),
        }
    }

    fn create_named(folder: &Path, mode: u32) -> Result<NewFile> {
        loop {
            let path = temporary_in(folder);
            let file = OpenOptions::new().read(true).write(true).create_new(true).mode(mode).open(&path);
            let file = file.while_doing("make", &path)?;
            // Until it was locked it looked abandoned.
            if !is_swept(&file).while_doing("look at", &path)? {
                return Ok(NewFile::new(file, folder, Some(path)));
            }
        }
    }

    fn new(file: File, folder: &Path, temporary: Option<PathBuf>) -> NewFile {
        NewFile { file, folder: folder.to_owned(), temporary, state: State::Written }
    }

    /// The open file, for reading back what was written or for cloning bytes into it before anything is written.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Waits until the bytes are on stable storage. After a failure the file is lost: begin a new one.
    pub fn sync(&mut self) -> Result<()> {
        let done = match self.state {
            State::Synced => Ok(()),
            State::SyncFailed => Err(io::Error::other("an earlier sync of it failed")),
            State::Written => fdatasync(&self.file).map_err(io::Error::from),
        };
        self.state = if done.is_ok() { State::Synced } else { State::SyncFailed };
        done.while_doing("sync", self.shown())
    }

    /// Gives the file its name, after a sync if there was none since the last write. After an error the target may
    /// have either file, whole.
    pub fn publish(mut self, target: &Path, existing: Existing) -> Result<()> {
        self.sync()?;
        let done = match (self.temporary.take(), existing) {
            (None, Existing::Refuse) => self.link(target),
            (None, Existing::Replace) => match self.link(target) {
                Err(Errno::EXIST) => return self.link_over(target),
                done => done,
            },
            (Some(temporary), existing) => {
                let done = rename(&temporary, target, existing);
                self.temporary = done.is_err().then_some(temporary);
                done
            }
        };
        done.while_doing("give its name to", target)
    }

    /// There is no link that replaces: the file gets a temporary name first.
    fn link_over(mut self, target: &Path) -> Result<()> {
        let temporary = temporary_in(&self.folder);
        hold(&self.file);
        self.link(&temporary).while_doing("make", &temporary)?;
        self.temporary = Some(temporary.clone());
        reached("replacing", "");
        fs::rename(&temporary, target).while_doing("replace", target)?;
        self.temporary = None;
        Ok(())
    }

    fn link(&self, target: &Path) -> rustix::io::Result<()> {
        // Before Linux 6.10 the first way needs a privilege and says ENOENT without it; the second needs /proc.
        match linkat(&self.file, "", CWD, target, AtFlags::EMPTY_PATH) {
            Err(Errno::NOENT | Errno::PERM | Errno::INVAL) => {
                let link = format!("/proc/self/fd/{}", self.file.as_raw_fd());
                linkat(CWD, &link, CWD, target, AtFlags::SYMLINK_FOLLOW)
            }
            done => done,
        }
    }

    fn shown(&self) -> &Path {
        self.temporary.as_deref().unwrap_or(&self.folder)
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.state == State::Synced {
            self.state = State::Written;
        }
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if let Some(temporary) = &self.temporary {
            // Nothing more can be done: it stays as a leftover, which `verify` finds.
            let _ = fs::remove_file(temporary);
        }
    }
}

/// One sync for many files, where one call does that and reports what fails: local file systems, on Linux 5.17 or
/// later (before, a failing journal went unreported). For a hundred files it takes a third of the time.
pub struct Together {
    /// Opened before the first write: it reports every write-back error of the file system since then.
    folder: File,
    path: PathBuf,
}

impl Together {
    /// Begins before anything is written; `None` where each file must be synced for itself.
    pub fn begin(folder: &Path) -> Result<Option<Together>> {
        if !is_kernel_new_enough() || !is_local(folder).while_doing("look at", folder)? {
            return Ok(None);
        }
        let file = File::open(folder).while_doing("open folder", folder)?;
        Ok(Some(Together { folder: file, path: folder.to_owned() }))
    }

    /// Makes durable whatever was written and named on this file system since the beginning, these files among it.
    /// After a failure all of them are lost: begin new ones.
    pub fn sync(self, files: &mut [NewFile]) -> Result<()> {
        let done = syncfs(&self.folder);
        let state = if done.is_ok() { State::Synced } else { State::SyncFailed };
        for file in files.iter_mut().filter(|file| file.state == State::Written) {
            file.state = state;
        }
        done.while_doing("sync the file system of", &self.path)
    }
}

fn is_kernel_new_enough() -> bool {
    static NEW_ENOUGH: OnceLock<bool> = OnceLock::new();
    *NEW_ENOUGH.get_or_init(|| {
        let uname = rustix::system::uname();
        let release = uname.release().to_string_lossy();
        let mut numbers =
            release.split(|c: char| !c.is_ascii_digit()).map(|number| number.parse().unwrap_or(0));
        (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= (5u32, 17u32)
    })
}

/// ext2 to ext4, xfs, btrfs, tmpfs.
fn is_local(folder: &Path) -> rustix::io::Result<bool> {
    let magic = rustix::fs::statfs(folder)?.f_type;
    Ok(matches!(magic, 0xef53 | 0x5846_5342 | 0x9123_683e | 0x0102_1994))
}

/// Makes the names in a folder durable: those that came and those that went. Where the file system cannot sync a
/// folder there is nothing to wait for, and that is no error.
pub fn sync_folder(folder: &Path) -> Result<()> {
    let opened =
        retry_on_intr(|| open(folder, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()));
    match fsync(opened.while_doing("open folder", folder)?) {
        Err(Errno::INVAL | Errno::OPNOTSUPP) => Ok(()),
        done => done.while_doing("sync folder", folder),
    }
}

/// Whether nobody writes this temporary any more. Where the file system has no locks, or it cannot be read, that
/// cannot be known, and it counts as in use.
pub fn is_abandoned(temporary: &Path) -> bool {
    abandoned(temporary).is_some()
}

/// Removes a temporary that nobody writes any more; false, and nothing done, if somebody does.
pub fn remove_abandoned(temporary: &Path) -> Result<bool> {
    // Locked until it is gone, so that whoever has just made it finds out: see `is_swept`.
    let Some(_lock) = abandoned(temporary) else { return Ok(false) };
    match fs::remove_file(temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error).while_doing("remove", temporary),
        _ => Ok(true),
    }
}

/// Whether this is what an interrupted write has left: named as temporaries are, to the letter, and nobody writes it. What
/// somebody else calls `.tmp-work` is none.
pub fn is_leftover(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    let id = name.and_then(|name| name.strip_prefix(TEMPORARY));
    // Reading an id is lenient, in case for one.
    id.is_some_and(|id| Ulid::from_string(id).is_ok_and(|read| read.to_string() == id)) && is_abandoned(path)
}

/// Removes what interrupted writes have left in a folder; tells how many there were. A folder that is not there holds
/// none.
pub fn sweep(folder: &Path) -> Result<u64> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        entries => entries.while_doing("list", folder)?,
    };
    let mut removed = 0;
    for entry in entries {
        let path = entry.while_doing("list", folder)?.path();
        if is_leftover(&path) {
            removed += u64::from(remove_abandoned(&path)?);
        }
    }
    Ok(removed)
}

/// A leftover, open and locked.
fn abandoned(temporary: &Path) -> Option<File> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let opened = OpenOptions::new().read(true).custom_flags(flags).open(temporary);
    opened.ok().filter(|file| file.metadata().is_ok_and(|found| found.is_file()) && file.try_lock().is_ok())
}

/// Locks a new temporary; true if a sweep came first and it has no name any more, or is about to lose it. Only sweeps
/// and [`is_abandoned`] ask for the lock, so a file system without locks does no harm.
fn is_swept(file: &File) -> io::Result<bool> {
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(_)) => Ok(false),
        Ok(()) => Ok(file.metadata()?.nlink() == 0),
    }
}

/// Locks a temporary before it gets its name, for as long as it is open.
fn hold(file: &File) {
    let _ = file.try_lock();
}

fn temporary_in(folder: &Path) -> PathBuf {
    folder.join(format!("{TEMPORARY}{}", Ulid::generate()))
}

/// `None` where a file must have a name from the start.
fn create_unnamed(folder: &Path, mode: u32) -> rustix::io::Result<Option<File>> {
    static PROC: OnceLock<bool> = OnceLock::new();
    if !*PROC.get_or_init(|| Path::new("/proc/self/fd").exists()) {
        return Ok(None);
    }
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    match retry_on_intr(|| open(folder, flags, Mode::from_raw_mode(mode))) {
        Ok(file) => Ok(Some(file.into())),
        // Each of these is said by some file system, or by an old kernel, that has no unnamed files.
        Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::INVAL | Errno::NOSYS) => Ok(None),
        Err(errno) => Err(errno),
    }
}

fn rename(from: &Path, to: &Path, existing: Existing) -> rustix::io::Result<()> {
    if existing == Existing::Replace {
        return rustix::fs::rename(from, to);
    }
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // NFS cannot; a link does not replace either.
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
            linkat(CWD, from, CWD, to, AtFlags::empty())?;
            rustix::fs::unlink(from)
        }
        done => done,
    }
}

#[cfg(test)]
mod tests;
