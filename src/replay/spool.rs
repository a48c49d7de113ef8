//! The private drop folder that copies of a replay's mail go through: beside the catalog and named after it, for us
//! alone. Two sites may have their catalogs in one folder, and what one has claimed is never the other's.
//!
//! `next/` has the copies being made, `drop/` those that a pass files. Copies are durable before a pass sees them: it
//! may claim them and die, and what it has claimed the next replay goes on with, after a power cut too. What nobody has
//! claimed is deleted; the source has it. `badmail/` has those that were given up: never do they go to the site's own,
//! for what stands there may be put back into the drop, which would read the block above a copy as part of the mail.
//! The file `unproven` says that no header of these copies is to be believed, whoever goes on with them.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, FileTimes};
use std::io::{self, BufWriter, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, SystemTime};

use mailshelf_storage::digest::Hasher;
use mailshelf_storage::durable::{Existing, NewFile, Together, sync_folder};
use mailshelf_storage::{Digest, Error, IoContext, failpoint};

use super::ReplayError;
use crate::config::{Config, DropFormat, Rejected};
use crate::dispose::aside::entries;
use crate::dispose::discard_copies;
use crate::drop::look::{self, Owner};
use crate::drop::{CLAIMS, DropError, LOCK, SLOTS, lock_file, make_folder, rename_new, try_own};

/// A chunk is full with so many mails …
const MAILS: usize = 2000;
/// … or so many bytes: two chunks and one mail are all that is ever there twice.
const BYTES: u64 = 256 << 20;
/// So many copies are made durable at a time, …
const TOGETHER: usize = 256;
/// … and fewer than this one by one.
const FEW: usize = 4;
/// How often and how long apart the lock is asked for: who has ended removes the folder, lock and all.
const TRIES: u32 = 20;
const APART: Duration = Duration::from_millis(10);
/// The mark of copies whose headers are not believed.
const UNPROVEN: &str = "unproven";
/// The longest name of a copy, in bytes: a claim puts its id in front of it.
const LONGEST: usize = 200;

/// The folder of one site's replays, locked until this is dropped.
#[derive(Debug)]
pub struct Spool {
    home: PathBuf,
    _lock: File,
}

impl Spool {
    /// Where it is, or would be.
    pub fn place(config: &Config) -> PathBuf {
        let mut place = OsString::from(&config.storage.catalog);
        place.push("-replay");
        place.into()
    }

    /// The configuration of a site whose drop is the folder of copies. The node's name is one that no worker can have:
    /// the passes of a name that are cut off are ended by whoever comes next under it.
    pub fn site(config: &Config) -> Config {
        let place = Spool::place(config);
        let mut config = config.clone();
        config.drop.path = place.join("drop");
        config.drop.badmail = place.join("badmail");
        config.drop.format = DropFormat::Folder;
        config.drop.settle = Duration::ZERO;
        config.drop.rejected = Rejected::Copied;
        config.site.node.push_str("+replay");
        config
    }

    /// Whether a replay of the site is under way; makes nothing.
    pub fn owner(config: &Config) -> Owner {
        look::owner(&Spool::place(config))
    }

    /// Makes the folder where it is missing, locks it, and deletes what an earlier replay left unclaimed.
    pub fn open(config: &Config) -> Result<Spool, ReplayError> {
        let home = Spool::place(config);
        for _ in 0..TRIES {
            make_folder(&home)?;
            if let Some(lock) = lock_file(&home)?
                && try_own(&home, &lock)?
            {
                let spool = Spool { home, _lock: lock };
                make_folder(&spool.drop())?;
                make_folder(&spool.next())?;
                spool.sweep()?;
                return Ok(spool);
            }
            thread::sleep(APART);
        }
        Err(ReplayError::Held(config.file.clone()))
    }

    /// The folder itself.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Where passes take mail from.
    pub fn drop(&self) -> PathBuf {
        self.home.join("drop")
    }

    fn next(&self) -> PathBuf {
        self.home.join("next")
    }

    fn sweep(&self) -> Result<(), Error> {
        discard_copies(&self.drop())?;
        discard_copies(&self.next())
    }

    /// Whether an earlier replay has claimed mail that it did not get done with.
    pub fn has_claims(&self) -> Result<bool, DropError> {
        Ok(look::claims(&self.drop()).next().transpose()?.is_some())
    }

    /// Marks the copies as such whose headers are not believed: what waits outlives this replay.
    pub fn mark_unproven(&self) -> Result<(), Error> {
        let mark = self.home.join(UNPROVEN);
        File::create(&mark).while_doing("make", &mark)?;
        sync_folder(&self.home)
    }

    /// Takes the mark away where nothing waits any more; true where it has to stay.
    pub fn stays_unproven(&self) -> Result<bool, ReplayError> {
        let mark = self.home.join(UNPROVEN);
        if mark.try_exists().while_doing("look at", &mark)? && self.has_claims()? {
            return Ok(true);
        }
        gone(fs::remove_file(&mark), &mark)?;
        Ok(false)
    }

    /// Where passes put what they give up.
    pub fn badmail(&self) -> PathBuf {
        self.home.join("badmail")
    }

    /// Deletes what is unclaimed, and the folders unless mail waits in them or was given up.
    pub fn clear(&self) -> Result<(), ReplayError> {
        self.sweep()?;
        if self.has_claims()? {
            return Ok(());
        }
        let claims = self.drop().join(CLAIMS);
        for node in entries(&claims)? {
            let node = node?.path();
            for name in [SLOTS, LOCK] {
                gone(fs::remove_file(node.join(name)), &node)?;
            }
            gone(fs::remove_dir(&node), &node)?;
        }
        for folder in [claims, self.drop(), self.next(), self.badmail()] {
            gone(fs::remove_dir(&folder), &folder)?;
        }
        gone(fs::remove_file(self.home.join(UNPROVEN)), &self.home)?;
        // Our lock goes last but one: who waits for it finds that it has no name any more, and begins anew.
        gone(fs::remove_file(self.home.join(LOCK)), &self.home)?;
        Ok(gone(fs::remove_dir(&self.home), &self.home)?)
    }
}

/// Removes what is ours where it is there and empty. A folder may be a mount point, and then it stays.
fn gone(removed: io::Result<()>, path: &Path) -> Result<(), Error> {
    use io::ErrorKind::{DirectoryNotEmpty, NotADirectory, NotFound, ResourceBusy};
    const NEVER_MIND: [io::ErrorKind; 4] = [NotFound, NotADirectory, DirectoryNotEmpty, ResourceBusy];
    match removed {
        Err(error) if NEVER_MIND.contains(&error.kind()) => Ok(()),
        other => other.while_doing("remove", path),
    }
}

/// A copy being made: an envelope block, then the message.
pub struct Copy {
    file: BufWriter<NewFile>,
    folder: PathBuf,
    block: u64,
    size: u64,
}

impl Copy {
    /// Adds to the message.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.size += bytes.len() as u64;
        self.file.write_all(bytes).while_doing("write a copy of a mail in", &self.folder)
    }

    /// Bytes of the message so far.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The digest of the message so far, by what was written.
    pub fn digest(&mut self) -> Result<Digest, Error> {
        self.file.flush().while_doing("write a copy of a mail in", &self.folder)?;
        digest(self.file.get_ref().file(), self.block).while_doing("read a copy of a mail in", &self.folder)
    }
}

/// The digest of a file from an offset on.
pub fn digest(file: &File, from: u64) -> io::Result<Digest> {
    let mut hasher = Hasher::default();
    let mut buffer = vec![0; 1 << 18];
    let mut at = from;
    loop {
        let read = file.read_at(&mut buffer, at)?;
        if read == 0 {
            return Ok(hasher.finish());
        }
        hasher.update(buffer.get(..read).unwrap_or_default());
        at += read as u64;
    }
}

/// Copies for one pass.
pub struct Chunk {
    drop: PathBuf,
    next: PathBuf,
    together: Option<Together>,
    open: Vec<(NewFile, OsString)>,
    names: HashSet<OsString>,
    bytes: u64,
}

impl Chunk {
    /// An empty one.
    pub fn new(spool: &Spool) -> Chunk {
        let (names, open) = (HashSet::new(), Vec::new());
        Chunk { drop: spool.drop(), next: spool.next(), together: None, open, names, bytes: 0 }
    }

    /// Whether it has as much as it should.
    pub fn is_full(&self) -> bool {
        self.names.len() >= MAILS || self.bytes >= BYTES
    }

    /// Whether it has nothing.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Begins a copy. Dropped without [`Chunk::add`] it leaves nothing behind.
    pub fn begin(&mut self, block: &[u8]) -> Result<Copy, Error> {
        if self.open.is_empty() {
            self.together = Together::begin(&self.next)?;
        }
        let file = BufWriter::with_capacity(1 << 16, NewFile::create_with_mode(&self.next, 0o600)?);
        let mut copy = Copy { file, folder: self.next.clone(), block: 0, size: 0 };
        copy.write(block)?;
        Ok(Copy { block: block.len() as u64, size: 0, ..copy })
    }

    /// Takes in a copy that is whole, under a name made of where it came from. `arrived` is when that was written.
    pub fn add(
        &mut self,
        copy: Copy,
        from: &OsStr,
        number: Option<u64>,
        arrived: Option<SystemTime>,
    ) -> Result<(), Error> {
        let (block, size) = (copy.block, copy.size);
        let file = copy.file.into_inner().map_err(io::IntoInnerError::into_error);
        let file = file.while_doing("write a copy of a mail in", &self.next)?;
        if let Some(arrived) = arrived {
            // A file system that cannot keep it takes the mail all the same.
            let _ = file.file().set_times(FileTimes::new().set_modified(arrived));
        }
        let name = (1..).map(|nth| name(from, number, nth)).find(|name| !self.names.contains(name));
        let name = name.unwrap_or_default();
        self.names.insert(name.clone());
        self.open.push((file, name));
        self.bytes += block + size;
        if self.open.len() >= TOGETHER { self.flush() } else { Ok(()) }
    }

    /// Makes durable what is not yet, and gives it its names.
    fn flush(&mut self) -> Result<(), Error> {
        let (mut files, names): (Vec<_>, Vec<_>) = std::mem::take(&mut self.open).into_iter().unzip();
        match self.together.take().filter(|_| files.len() >= FEW) {
            Some(together) => together.sync(&mut files)?,
            None => files.iter_mut().try_for_each(NewFile::sync)?,
        }
        for (file, name) in files.into_iter().zip(names) {
            file.publish(&self.next.join(name), Existing::Refuse)?;
        }
        failpoint::reached("spooled", "");
        Ok(())
    }

    /// Ends it: everything in it is durable.
    pub fn finish(mut self) -> Result<Chunk, Error> {
        self.flush().map(|()| self)
    }

    /// Moves the copies to where a pass finds them.
    pub fn deliver(self) -> Result<(), Error> {
        for name in &self.names {
            let from = self.next.join(name);
            rename_new(&from, &self.drop.join(name)).while_doing("move", &from)?;
        }
        failpoint::reached("delivered", "");
        Ok(())
    }
}

/// The name of a copy: where it came from and its number there, the beginning cut off if it is too long; `~2` and so on
/// behind it where there is one of that name. Never hidden.
fn name(from: &OsStr, number: Option<u64>, nth: u64) -> OsString {
    let number = number.map(|number| format!("#{number}")).unwrap_or_default();
    let again = if nth > 1 { format!("~{nth}") } else { String::new() };
    let room = LONGEST - number.len() - again.len();
    let mut name = if from.len() > room {
        let mut cut = OsString::from("…");
        cut.push(tail(from, room - cut.len()));
        cut
    } else if from.as_bytes().starts_with(b".") {
        let mut shown = OsString::from("|");
        shown.push(from);
        shown
    } else {
        from.to_owned()
    };
    name.push(number + &again);
    name
}

/// The last `room` bytes, or fewer, so as not to cut a character.
fn tail(name: &OsStr, room: usize) -> OsString {
    let from = name.len() - room.min(name.len());
    let from = name.to_str().map_or(from, |text| text.ceil_char_boundary(from));
    OsString::from_vec(name.as_bytes().get(from..).unwrap_or_default().to_vec())
}

#[cfg(test)]
mod tests;
