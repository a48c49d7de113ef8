//! Contents as files of one folder: `xx/` and 64 hexadecimal digits, `xx` being the first two of them.

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, DirEntry, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rustix::fs::OFlags;
use rustix::io::Errno;

use super::{Content, Contents, Stored};
use crate::durable::{
    Existing, NewFile, TEMPORARY, Together, is_abandoned, remove_abandoned, sweep, sync_folder,
};
use crate::failpoint::reached;
use crate::name::shown;
use crate::{Digest, Error, IoContext, Result};

/// Contents are never changed, so nobody needs to write them.
const FILE_MODE: u32 = 0o440;
const FOLDER_MODE: u32 = 0o750;
/// Files held open by one `put`: well below the 1,024 that a process may have open by default.
const OPEN_AT_ONCE: usize = 256;
/// From as many files on, one sync of the whole file system is faster than one for each.
const MANY: usize = 8;
/// A sync together that takes longer than this and the next for each file waited for others.
const PATIENCE: Duration = Duration::from_millis(250);
const PATIENCE_EACH: Duration = Duration::from_millis(4);
/// Syncs to be done one by one after that.
const ALONE: u32 = 64;
/// Where temporaries stand; it also marks the folder as a store.
const TMP: &str = "tmp";

/// Contents in a local folder. Several processes may use one at once.
pub struct LocalContents {
    folder: PathBuf,
    /// By first byte of a digest: whether this process knows the folder for it to be there and durable.
    fans: Box<[AtomicBool; 256]>,
    /// Syncs still to be done one by one.
    alone: AtomicU32,
}

impl LocalContents {
    /// Opens the store in `folder`. It is made if its parent is there and `may_make`: say so only while the catalog
    /// has no contents, else a file system that is not mounted would look like an empty store.
    pub fn open(folder: &Path, may_make: bool) -> Result<LocalContents> {
        match fs::metadata(folder) {
            Ok(found) if !found.is_dir() => return Err(setup(folder, "it is not a folder")),
            Ok(_) if !may_make && !holds_a_store(folder)? => {
                return Err(setup(
                    folder,
                    "it holds no store although the catalog has contents; not mounted?",
                ));
            }
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound && may_make => make(folder)?,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(setup(folder, "it is gone although the catalog has contents; not mounted?"));
            }
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                return Err(setup(folder, "no right to enter the folders above it"));
            }
            Err(error) => return Err(error).while_doing("open contents folder", folder),
        }
        prepare(folder).map_err(|error| match &error {
            Error::Io { cause, .. } if cause.kind() == ErrorKind::PermissionDenied => {
                setup(folder, "no right to write to it")
            }
            _ => error,
        })?;
        let fans = Box::new([const { AtomicBool::new(false) }; 256]);
        Ok(LocalContents { folder: folder.to_owned(), fans, alone: AtomicU32::new(0) })
    }

    fn fan(&self, first: u8) -> PathBuf {
        self.folder.join(format!("{first:02x}"))
    }

    fn path(&self, digest: Digest) -> PathBuf {
        self.fan(first(digest)).join(digest.to_string())
    }

    /// Makes the folders that are not known to be there, and their names durable: a content under a folder that a
    /// power cut takes away would be lost with it. Another process may have made one and not synced it yet, so each
    /// process syncs once for itself.
    fn make_fans(&self, touched: &BTreeSet<u8>) -> Result<()> {
        let fan = |&first: &u8| self.fans.get(usize::from(first)).map(|known| (known, first));
        let is_unknown = |(known, _): &(&AtomicBool, u8)| !known.load(Ordering::Acquire);
        let unknown: Vec<_> = touched.iter().filter_map(fan).filter(is_unknown).collect();
        if unknown.is_empty() {
            return Ok(());
        }
        for (_, first) in &unknown {
            make_if_absent(&self.fan(*first))?;
        }
        sync_folder(&self.folder)?;
        unknown.iter().for_each(|(known, _)| known.store(true, Ordering::Release));
        Ok(())
    }

    fn put_all(&self, batch: &[Content<'_>]) -> Result<()> {
        let touched: BTreeSet<u8> = batch.iter().map(|content| first(content.digest)).collect();
        self.make_fans(&touched)?;
        let together = self.together(touched.len())?;
        for part in batch.chunks(OPEN_AT_ONCE) {
            self.put_part(part)?;
        }
        match together {
            Some(together) => self.timed(touched.len(), || together.sync(&mut [])),
            None => touched.iter().try_for_each(|&first| sync_folder(&self.fan(first))),
        }
    }

    /// One sync for `many` files or folders, if that is likely to be faster.
    fn together(&self, many: usize) -> Result<Option<Together>> {
        let avoid = self.alone.try_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        if many < MANY || avoid.is_ok() { Ok(None) } else { Together::begin(&self.folder) }
    }

    /// A sync together waits for everybody's bytes. Where others write a lot to the same file system, do without it
    /// for a while.
    fn timed(&self, many: usize, sync: impl FnOnce() -> Result<()>) -> Result<()> {
        let begun = Instant::now();
        let done = sync();
        if begun.elapsed() > PATIENCE + PATIENCE_EACH.saturating_mul(many.try_into().unwrap_or(u32::MAX)) {
            self.alone.store(ALONE, Ordering::Relaxed);
        }
        done
    }

    /// All bytes are durable before the first name is given: a name may replace a content that others rely on.
    fn put_part(&self, part: &[Content<'_>]) -> Result<()> {
        let tmp = self.folder.join(TMP);
        let together = self.together(part.len())?;
        let written: Result<Vec<NewFile>> = part.iter().map(|content| write(&tmp, content.bytes)).collect();
        let mut written = written?;
        match together {
            Some(together) => self.timed(part.len(), || together.sync(&mut written))?,
            None => written.iter_mut().try_for_each(NewFile::sync)?,
        }
        reached("contents-written", "");
        for (content, file) in part.iter().zip(written) {
            file.publish(&self.path(content.digest), Existing::Replace)?;
        }
        Ok(())
    }

    /// The path of a leftover, if the name is one that `each` may have given.
    fn leftover(&self, name: &str) -> Option<PathBuf> {
        let mut parts = Path::new(name).components();
        match (parts.next()?, parts.next(), parts.next()) {
            (Component::Normal(_), None, None) if name.starts_with(TEMPORARY) => {}
            (Component::Normal(folder), Some(Component::Normal(_)), None) if folder == TMP => {}
            (Component::Normal(_), Some(Component::Normal(file)), None)
                if file.to_str()?.starts_with(TEMPORARY) => {}
            _ => return None,
        }
        Some(self.folder.join(name))
    }

    fn each_of_fan(&self, fan: &str, visit: &mut dyn FnMut(Stored) -> Result<()>) -> Result<()> {
        each_entry(&self.folder.join(fan), &mut |entry, name| {
            let content = name.parse::<Digest>().ok().filter(|_| name.starts_with(fan));
            match content.zip(file_size(entry)?) {
                Some((digest, size)) => visit(Stored::Content(digest, size)),
                None => self.other(format!("{fan}/{name}"), visit),
            }
        })
    }

    /// What is no content, by its name within the store: a leftover, nobody's, or a write under way, which is not
    /// for anyone to see.
    fn other(&self, name: String, visit: &mut dyn FnMut(Stored) -> Result<()>) -> Result<()> {
        let path = self.leftover(&name).filter(|path| is_file(path));
        match path {
            Some(path) if is_abandoned(&path) => visit(Stored::Leftover(name)),
            Some(_) => Ok(()),
            None => visit(Stored::Alien(name)),
        }
    }
}

impl Contents for LocalContents {
    fn put(&self, batch: &[Content<'_>]) -> Result<()> {
        self.put_all(batch).inspect_err(|_| {
            // The folders may have gone away under us: look again next time.
            self.fans.iter().for_each(|known| known.store(false, Ordering::Release));
        })?;
        reached("contents-published", "");
        Ok(())
    }

    fn tidy(&self) -> Result<u64> {
        sweep(&self.folder.join(TMP))
    }

    fn size(&self, digest: Digest) -> Result<Option<u64>> {
        let path = self.path(digest);
        match fs::symlink_metadata(&path) {
            Ok(found) if found.is_file() => Ok(Some(found.len())),
            Ok(_) => Err(not_a_file(digest)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).while_doing("look at", &path),
        }
    }

    fn open(&self, digest: Digest) -> Result<Box<dyn Read + Send>> {
        let path = self.path(digest);
        match open_file(&path) {
            Ok(Some(file)) => Ok(Box::new(file)),
            Ok(None) => Err(not_a_file(digest)),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                Err(Error::Damaged { digest, why: "missing".to_owned() })
            }
            Err(error) => Err(error).while_doing("open", &path),
        }
    }

    fn remove(&self, stored: &Stored) -> Result<()> {
        let path = match stored {
            Stored::Content(digest, _) => Some(self.path(*digest)),
            Stored::Leftover(name) => self.leftover(name),
            Stored::Alien(_) => None,
        };
        let why = || format!("{stored:?} is not ours");
        let path = path.ok_or_else(|| Error::Refused { action: "remove from the contents", why: why() })?;
        if matches!(stored, Stored::Leftover(_)) {
            return remove_abandoned(&path).map(drop);
        }
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error).while_doing("remove", &path),
            _ => Ok(()),
        }
    }

    fn each(&self, visit: &mut dyn FnMut(Stored) -> Result<()>) -> Result<()> {
        each_entry(&self.folder, &mut |entry, name| {
            let is_dir = entry.file_type().is_ok_and(|kind| kind.is_dir());
            match name {
                TMP if is_dir => {
                    each_entry(&entry.path(), &mut |_, name| self.other(format!("{TMP}/{name}"), visit))
                }
                // The root of an ext4 file system has one.
                "lost+found" if is_dir => Ok(()),
                fan if is_dir && is_fan(fan) => self.each_of_fan(fan, visit),
                other => self.other(other.to_owned(), visit),
            }
        })
    }
}

fn first(digest: Digest) -> u8 {
    let [first, ..] = digest.as_bytes();
    *first
}

fn is_fan(name: &str) -> bool {
    name.len() == 2 && name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn setup(folder: &Path, why: &str) -> Error {
    Error::Setup(format!("contents folder {}: {why}", folder.display()))
}

fn not_a_file(digest: Digest) -> Error {
    Error::Damaged { digest, why: "not a regular file".to_owned() }
}

/// Whether the folder is a store. One that we may not enter is not taken for an empty one.
fn holds_a_store(folder: &Path) -> Result<bool> {
    match fs::metadata(folder.join(TMP)) {
        Ok(found) => Ok(found.is_dir()),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            Err(setup(folder, "no right to enter it"))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error).while_doing("look at", &folder.join(TMP)),
    }
}

fn make(folder: &Path) -> Result<()> {
    let parent = match folder.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => Path::new("/"),
    };
    if !parent.is_dir() {
        return Err(setup(folder, "it cannot be made: its parent is not there"));
    }
    make_if_absent(folder)?;
    sync_folder(parent)
}

fn make_if_absent(folder: &Path) -> Result<()> {
    match DirBuilder::new().mode(FOLDER_MODE).create(folder) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            Err(error).while_doing("make folder", folder)
        }
        _ => Ok(()),
    }
}

/// Makes what a store needs and proves that it can be written.
fn prepare(folder: &Path) -> Result<()> {
    let tmp = folder.join(TMP);
    make_if_absent(&tmp)?;
    sync_folder(folder)?;
    NewFile::create_in(&tmp).map(drop)
}

fn write(folder: &Path, bytes: &[u8]) -> Result<NewFile> {
    let mut file = NewFile::create_with_mode(folder, FILE_MODE)?;
    file.write_all(bytes).while_doing("write a content in", folder)?;
    Ok(file)
}

/// A regular file; `None` if something else has its name. Never a symbolic link's target, never waits for a pipe.
fn open_file(path: &Path) -> io::Result<Option<File>> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    match OpenOptions::new().read(true).custom_flags(flags).open(path) {
        Err(error) if error.raw_os_error() == Some(Errno::LOOP.raw_os_error()) => Ok(None),
        Err(error) => Err(error),
        Ok(file) => Ok(file.metadata()?.is_file().then_some(file)),
    }
}

fn is_file(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.is_file())
}

/// The size of a regular file; `None` for anything else.
fn file_size(entry: &DirEntry) -> Result<Option<u64>> {
    match entry.metadata() {
        Ok(found) => Ok(found.is_file().then_some(found.len())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).while_doing("look at", &entry.path()),
    }
}

/// Visits what stands in a folder. Names that are not UTF-8 are not ours; they are shown with replacements.
fn each_entry(folder: &Path, visit: &mut dyn FnMut(&DirEntry, &str) -> Result<()>) -> Result<()> {
    for entry in fs::read_dir(folder).while_doing("list", folder)? {
        let entry = entry.while_doing("list", folder)?;
        visit(&entry, &shown(entry.file_name()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
