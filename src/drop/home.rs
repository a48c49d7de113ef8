//! Claim folders and their locks. A claim folder belongs to the process that holds the lock of its `.lock`; the system
//! gives the lock back when that process ends, however it ends.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use mailshelf_storage::durable::sync_folder;
use mailshelf_storage::{IoContext, Result as StorageResult};
use rustix::fs::{AtFlags, CWD, OFlags, StatxAttributes, StatxFlags};

use super::DropError;

/// Below the drop folder; a folder for each node.
pub(crate) const CLAIMS: &str = ".claimed";
/// In each claim folder.
pub(crate) const LOCK: &str = ".lock";
/// How often and how long apart the lock is asked for: a node that adopts a claim folder holds it for an instant, and
/// that is no reason to call it held.
const TRIES: u32 = 20;
const APART: Duration = Duration::from_millis(10);

/// Our own claim folder, locked.
#[derive(Debug)]
pub(super) struct Home {
    folder: PathBuf,
    lock: File,
    longest_name: usize,
}

impl Home {
    /// Makes the claim folder of `node` in `drop` where it is missing, and locks it.
    pub fn open(drop: &Path, node: &str) -> Result<Home, DropError> {
        check_node(node)?;
        let claims = drop.join(CLAIMS);
        let folder = claims.join(node);
        let mut why = DropError::Held { path: drop.to_owned(), node: node.to_owned() };
        for _ in 0..TRIES {
            match attempt(drop, &claims, &folder) {
                Ok(Some(lock)) => return Ok(Home { longest_name: longest_name(&folder), folder, lock }),
                Ok(None) => {}
                // An adopter has just removed the folder; it is made anew.
                Err(error) if error.is_not_found() => why = error,
                Err(error) => return Err(error),
            }
            thread::sleep(APART);
        }
        Err(why)
    }

    /// Where our claims stand.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// How many bytes the name of a claim file may have.
    pub fn longest_name(&self) -> usize {
        self.longest_name
    }

    /// Whether the folder is still there and the same.
    pub fn stands(&self) -> bool {
        still_named(&self.folder.join(LOCK), &self.lock).unwrap_or(false)
    }
}

/// `None` if somebody else has the lock, or had it a moment ago and removed the folder.
fn attempt(drop: &Path, claims: &Path, folder: &Path) -> Result<Option<File>, DropError> {
    for (path, parent) in [(claims, drop), (folder, claims)] {
        make_folder(path)?;
        check_claims(path, drop, parent)?;
    }
    let Some(lock) = lock_file(folder)? else { return Ok(None) };
    Ok(try_own(folder, &lock)?.then_some(lock))
}

fn check_node(node: &str) -> Result<(), DropError> {
    let fits = (1..=255).contains(&node.len());
    if !fits || node.starts_with('.') || node.contains(['/', '\0']) {
        return Err(DropError::NodeName(node.to_owned()));
    }
    Ok(())
}

/// Makes a folder for us alone, if it is missing, and makes its name durable. The parent must exist.
pub(crate) fn make_folder(path: &Path) -> StorageResult<()> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
        other => other.while_doing("make", path)?,
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    sync_folder(parent)
}

fn check_claims(path: &Path, drop: &Path, parent: &Path) -> Result<(), DropError> {
    let meta = fs::symlink_metadata(path).while_doing("look at", path)?;
    if meta.is_symlink() {
        return Err(DropError::ClaimsAreALink(path.to_owned()));
    }
    if !meta.is_dir() {
        return Err(DropError::ClaimsAreNoFolder(path.to_owned()));
    }
    // Who may deliver may also have made `.claimed` first, and could then take claimed mail away again.
    let drop_owner = fs::metadata(drop).while_doing("look at", drop)?.uid();
    let us = rustix::process::geteuid().as_raw();
    if us != 0 && ![us, 0, drop_owner].contains(&meta.uid()) {
        return Err(DropError::ClaimsOfAnother { path: path.to_owned(), owner: meta.uid() });
    }
    super::check_rights(path)?;
    check_same_file_system(path, parent, false)
}

/// Mail is claimed by rename, which does not cross mount points, not even those of the same file system.
pub(super) fn check_same_file_system(path: &Path, other: &Path, is_drop: bool) -> Result<(), DropError> {
    let device = |path: &Path| fs::metadata(path).map(|meta| meta.dev()).while_doing("look at", path);
    if device(path)? != device(other)? || (!is_drop && is_mount_point(path)) {
        return Err(DropError::OtherFileSystem(path.to_owned()));
    }
    Ok(())
}

/// A kernel too old to tell says no; the rename then finds out.
fn is_mount_point(path: &Path) -> bool {
    rustix::fs::statx(CWD, path, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::empty())
        .is_ok_and(|statx| statx.stx_attributes.contains(StatxAttributes::MOUNT_ROOT))
}

fn longest_name(folder: &Path) -> usize {
    let told = rustix::fs::statvfs(folder).map_or(255, |facts| facts.f_namemax);
    // Less than this is no answer, but a file system that does not know.
    usize::try_from(told).unwrap_or(255).clamp(64, 255)
}

/// Opens the lock file of a claim folder, making it where it is missing; `None` if the folder is not there.
pub(crate) fn lock_file(folder: &Path) -> Result<Option<File>, DropError> {
    let path = folder.join(LOCK);
    match own_file(&path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(DropError::io("open", &path, error)),
    }
}

/// Opens a file of our own for reading and writing, making it where it is missing; never through a link.
pub(super) fn own_file(path: &Path) -> io::Result<File> {
    let no_follow = OFlags::NOFOLLOW.bits().cast_signed();
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(no_follow)
        .open(path)
}

/// Tries to lock; false if somebody else has the lock, or had it and removed the folder, lock file and all: a lock on a
/// file without a name protects nothing.
pub(crate) fn try_own(folder: &Path, lock: &File) -> Result<bool, DropError> {
    let path = folder.join(LOCK);
    match lock.try_lock() {
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(DropError::io("lock", &path, error)),
        Ok(()) => Ok(still_named(&path, lock).while_doing("look at", &path)?),
    }
}

fn still_named(path: &Path, file: &File) -> io::Result<bool> {
    let open = file.metadata()?;
    match fs::symlink_metadata(path) {
        Ok(named) => Ok((named.dev(), named.ino()) == (open.dev(), open.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
