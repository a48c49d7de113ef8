//! The end of the line, and the one place that unlinks mail: the claim file goes, or is kept aside. Called only when
//! every recipient has a final outcome on record; what fails here is done again later, by its delivery id. What was kept
//! aside goes back to the beginning of the line from here too.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, FileTimes, Metadata, Permissions};
use std::io::{self, BufReader, Read};
use std::ops::Range;
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use mailshelf_storage::durable::{Existing, NewFile, sync_folder};
use mailshelf_storage::{DeliveryId, Error, IoContext, Result, failpoint};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use crate::drop::{Claimed, cut, make_folder, open_regular, rename_new};

pub mod aside;
pub mod kept;

/// How many other files may have taken a kept mail's name before we give up.
const NAMES: u32 = 100;
const LONGEST: usize = 255;

/// Disposes of claimed mail. Remembers the folders that changed, to sync them once for a batch.
#[derive(Debug, Default)]
pub struct Disposer {
    changed: Mutex<Changed>,
}

#[derive(Debug, Default)]
struct Changed {
    gained: BTreeSet<PathBuf>,
    lost: BTreeSet<PathBuf>,
}

impl Disposer {
    /// Deletes the claim file. One that is gone already is no error. Needs no sync: if it comes back after a power cut,
    /// its outcomes are on record and it is deleted again.
    pub fn discard(&self, claimed: &Claimed) -> Result<()> {
        unlink(&claimed.path)?;
        failpoint::reached("disposed", &claimed.id.to_string());
        Ok(())
    }

    /// Moves the claim file into `folder`, under its name `<delivery id>~<name>`, and tells where it is. The folder is
    /// made where it is missing; its parent must exist. No other file is ever replaced: where one has that name, `~2`
    /// and so on is put behind it.
    pub fn keep(&self, claimed: &Claimed, folder: &Path) -> Result<PathBuf> {
        make_folder(folder)?;
        let kept = self.move_into(&claimed.path, folder)?;
        failpoint::reached("disposed", &claimed.id.to_string());
        Ok(kept)
    }

    /// The same for mail that cannot be processed: into `badmail`.
    pub fn set_aside(&self, claimed: &Claimed, badmail: &Path) -> Result<PathBuf> {
        self.keep(claimed, badmail)
    }

    /// Moves mail that was kept aside into `entrance`, where the drop takes mail in, and tells where it is. It gets
    /// its name in the drop again; no other file is ever replaced: where one has that name, something is put behind
    /// it. If it is interrupted the mail may stand in both places, and never in none.
    ///
    /// What stands in `without` is left out of it: lines of its envelope block.
    pub fn put_back(&self, kept: &aside::Kept, entrance: &Path, without: &[Range<usize>]) -> Result<PathBuf> {
        let wanted = kept.drop_name();
        let unique = || name(&wanted, &DeliveryId::generate().to_string());
        let numbered = (1..=NAMES).map(|nth| numbered(&wanted, nth));
        for name in numbered.chain(std::iter::once_with(unique)) {
            let to = entrance.join(name);
            match self.enter(&kept.path, &to, without) {
                Err(Error::Io { cause, .. }) if cause.kind() == io::ErrorKind::AlreadyExists => {}
                moved => return moved.map(|()| to),
            }
        }
        let full = io::Error::from(io::ErrorKind::AlreadyExists);
        Err(full).while_doing("find a name for it in", entrance)
    }

    /// Deletes mail that was kept aside. That it goes must be on record.
    fn release(&self, kept: &aside::Kept) -> Result<()> {
        unlink(&kept.path)?;
        let mut changed = self.changed.lock().unwrap_or_else(PoisonError::into_inner);
        changed.lost.extend(kept.path.parent().map(Path::to_owned));
        Ok(())
    }

    /// Makes what was moved since the last call survive a power cut.
    pub fn sync(&self) -> Result<()> {
        let changed = std::mem::take(&mut *self.changed.lock().unwrap_or_else(PoisonError::into_inner));
        // Where mail went first, where it came from then: never is it without a durable name.
        changed.gained.iter().chain(&changed.lost).try_for_each(|folder| sync_folder(folder))
    }

    fn move_into(&self, from: &Path, folder: &Path) -> Result<PathBuf> {
        for nth in 1..=NAMES {
            let to = folder.join(numbered(from.file_name().unwrap_or_default(), nth));
            match self.move_to(from, &to) {
                Err(Error::Io { cause, .. }) if cause.kind() == io::ErrorKind::AlreadyExists => {
                    // An earlier attempt may have copied it and got no further.
                    if same_bytes(from, &to)? {
                        sync_folder(folder)?;
                        return unlink(from).map(|()| to);
                    }
                }
                moved => return moved.map(|()| to),
            }
        }
        let full = io::Error::from(io::ErrorKind::AlreadyExists);
        Err(full).while_doing("find a name for it in", folder)
    }

    /// Fails with `AlreadyExists` if there is something at `to`.
    fn move_to(&self, from: &Path, to: &Path) -> Result<()> {
        match rename_new(from, to) {
            Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
                copy(from, to, &[])?;
                unlink(from)
            }
            // The answer may have been lost, and the deed done.
            Err(error) if error.kind() == io::ErrorKind::NotFound && fs::symlink_metadata(to).is_ok() => {
                Ok(())
            }
            Err(error) => Err(error).while_doing("move", from),
            Ok(()) => {
                self.moved(from, to);
                Ok(())
            }
        }
    }

    /// Fails with `AlreadyExists` if there is something at `to`. Others give names there too, so that to look first
    /// and then to rename would not do: where the file system has no rename that replaces nothing, it is copied.
    fn enter(&self, from: &Path, to: &Path, without: &[Range<usize>]) -> Result<()> {
        // With a second name, in a backup say, it would pass for a delivery in progress, and stay.
        let linked = fs::symlink_metadata(from).while_doing("look at", from)?.nlink() > 1;
        let renamed = match linked || !without.is_empty() {
            true => Err(Errno::XDEV),
            false => renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE),
        };
        match renamed {
            Err(Errno::XDEV | Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
                if fs::symlink_metadata(to).is_ok() {
                    return Err(io::Error::from(io::ErrorKind::AlreadyExists)).while_doing("make", to);
                }
                copy(from, to, without)?;
                failpoint::reached("put-back-copied", "");
                unlink(from)?;
            }
            done => done.while_doing("move", from)?,
        }
        self.moved(from, to);
        Ok(())
    }

    fn moved(&self, from: &Path, to: &Path) {
        let mut changed = self.changed.lock().unwrap_or_else(PoisonError::into_inner);
        changed.gained.extend(to.parent().map(Path::to_owned));
        changed.lost.extend(from.parent().map(Path::to_owned));
    }
}

/// Deletes what a replay has copied to be filed and nobody has claimed: every file straight in `folder`. The mail itself
/// is where it was copied from.
pub fn discard_copies(folder: &Path) -> Result<()> {
    for entry in fs::read_dir(folder).while_doing("read", folder)? {
        let entry = entry.while_doing("read", folder)?;
        if entry.file_type().is_ok_and(|kind| !kind.is_dir()) {
            unlink(&entry.path())?;
        }
    }
    Ok(())
}

/// The name itself, then `~2` and so on behind it.
fn numbered(wanted: &OsStr, nth: u32) -> OsString {
    if nth == 1 { wanted.to_owned() } else { name(wanted, &nth.to_string()) }
}

/// `<name>~<behind>`, cut where no file system would take it.
fn name(wanted: &OsStr, behind: &str) -> OsString {
    let mut made = cut(wanted, LONGEST.saturating_sub(behind.len() + 1)).to_owned();
    made.push("~");
    made.push(behind);
    made
}

fn unlink(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other.while_doing("delete", path),
    }
}

/// Copies to another file system, with its owner, mode and time where the system lets us; when it returns, the copy
/// survives a power cut.
fn copy(from: &Path, to: &Path, without: &[Range<usize>]) -> Result<()> {
    let folder = to.parent().unwrap_or(Path::new("."));
    let mut source = open_regular(from).while_doing("open", from)?;
    let mut file = NewFile::create_with_mode(folder, 0o600)?;
    let mut at = 0;
    for left_out in without {
        let (start, end) = (left_out.start as u64, left_out.end as u64);
        io::copy(&mut source.by_ref().take(start.saturating_sub(at)), &mut file).while_doing("copy", from)?;
        io::copy(&mut source.by_ref().take(end.saturating_sub(start)), &mut io::sink())
            .while_doing("copy", from)?;
        at = end;
    }
    io::copy(&mut source, &mut file).while_doing("copy", from)?;
    if let Ok(meta) = source.metadata() {
        take_after(file.file(), &meta);
    }
    file.publish(to, Existing::Refuse)?;
    sync_folder(folder)
}

/// Gives a copy the owner, mode and time of the original. A file system that cannot keep them keeps the mail all the
/// same, and so does one where we may not give files away: then it is ours, and for us alone.
fn take_after(copy: &File, original: &Metadata) {
    let owner = (original.uid(), original.gid());
    let is_same = copy.metadata().is_ok_and(|meta| (meta.uid(), meta.gid()) == owner);
    // Rights for a group are rights for that group.
    if is_same || fchown(copy, Some(owner.0), Some(owner.1)).is_ok() {
        let _ = copy.set_permissions(Permissions::from_mode(original.mode() & 0o777));
    }
    // When it arrived.
    if let Ok(modified) = original.modified() {
        let _ = copy.set_times(FileTimes::new().set_modified(modified));
    }
}

fn same_bytes(one: &Path, other: &Path) -> Result<bool> {
    let one_file = open_regular(one).while_doing("open", one)?;
    // What is no regular file is not the mail.
    let Ok(other_file) = open_regular(other) else { return Ok(false) };
    let length = |file: &File| file.metadata().map(|meta| meta.len());
    if length(&one_file).while_doing("look at", one)? != length(&other_file).while_doing("look at", other)? {
        return Ok(false);
    }
    let (mut one_bytes, mut other_bytes) = (BufReader::new(one_file), BufReader::new(other_file));
    loop {
        let (mut a, mut b) = (Vec::new(), Vec::new());
        one_bytes.by_ref().take(1 << 16).read_to_end(&mut a).while_doing("read", one)?;
        other_bytes.by_ref().take(1 << 16).read_to_end(&mut b).while_doing("read", other)?;
        if a != b || a.is_empty() {
            return Ok(a == b);
        }
    }
}

#[cfg(test)]
mod tests;
