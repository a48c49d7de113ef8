//! The drop folder: finds mail that is whole, claims it by rename, and reads each claimed mail once.
//!
//! A claim is a file `<drop>/.claimed/<node>/<delivery id>~<name>`. Every claim folder has a lock; whoever holds
//! the lock owns the claims in it, and claims whose owner died are adopted with their delivery ids.

mod error;
mod scan;
mod folder;
mod maildir;
mod home;
mod claim;
mod adopt;
mod settle;
mod lease;
mod take;
mod slots;
pub mod look;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use mailshelf_storage::durable::sync_folder;
use mailshelf_storage::{DeliveryId, IoContext};
use rustix::fs::{Access, AtFlags, CWD};
use rustix::io::Errno;

use home::Home;

pub use claim::Claimed;
pub(crate) use claim::{cut, parse as parse_claim, rename_new};
pub use error::DropError;
pub(crate) use home::{CLAIMS, LOCK, lock_file, make_folder, try_own};
pub use mailshelf_storage::name::shown;
pub use scan::Scan;
pub(crate) use slots::SLOTS;
pub use slots::{COMMITTER, Note, Slots};
pub(crate) use take::open_regular;
pub use take::{NotTaken, Rest, Taken};

/// How mail stands in the drop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A file for each mail, straight in the drop folder.
    Folder,
    /// A Maildir: mail is taken from `new/` and `cur/`.
    Maildir,
}

impl Format {
    /// The format of a drop folder: as set, or a Maildir where `new/`, `cur/` and `tmp/` stand.
    pub fn of(path: &Path, set: Option<Format>) -> Format {
        set.unwrap_or(if maildir::stands_at(path) { Format::Maildir } else { Format::Folder })
    }

    /// Its one spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            Format::Folder => "folder",
            Format::Maildir => "maildir",
        }
    }
}

/// Where the drop is and how it is read.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The drop folder.
    pub path: PathBuf,
    /// Its format; `None`: a Maildir where `new/`, `cur/` and `tmp/` stand, else a folder.
    pub format: Option<Format>,
    /// How long a file must have been still where no lease can prove it whole.
    pub settle: Duration,
    /// This worker's name: the name of its claim folder.
    pub node: String,
}

impl Settings {
    /// The format, as set or as found.
    pub fn format(&self) -> Format {
        Format::of(&self.path, self.format)
    }
}

/// One thing the scan met.
#[derive(Debug)]
pub enum Found {
    /// A mail, ours from now on.
    Claimed(Claimed),
    /// Something that cannot be taken for mail; it is left where it is.
    Complaint {
        /// The same for the same thing in every pass, so that it need be complained of only once.
        key: String,
        /// Its name, as [`Claimed::shown_name`] shows names.
        file: String,
        /// What is the matter with it.
        why: String,
    },
    /// The drop itself failed; the scan ends here.
    Fault(DropError),
}

/// What every claim of one drop folder has in common.
#[derive(Debug)]
struct Rules {
    format: Format,
    settle: Duration,
    /// Whether a lease says anything here about writers.
    leases: bool,
}

/// An open drop folder. Holds the lock of our claim folder until it is dropped.
#[derive(Debug)]
pub struct DropFolder {
    settings: Settings,
    sources: Vec<PathBuf>,
    device: u64,
    rules: Arc<Rules>,
    home: Home,
    slots: Slots,
    complaints: Mutex<VecDeque<Found>>,
}

impl DropFolder {
    /// Checks the drop folder, makes our claim folder where it is missing, and locks it. The drop folder itself
    /// is never made: one that is missing may only be not mounted.
    pub fn open(settings: &Settings) -> Result<DropFolder, DropError> {
        let path = &settings.path;
        let device = find_folder(path)?;
        check_rights(path)?;
        let (format, sources) = layout(settings)?;
        for source in &sources {
            check_rights(source)?;
        }
        let home = Home::open(path, &settings.node)?;
        for folder in &sources {
            home::check_same_file_system(folder, path, folder == path)?;
        }
        let slots = Slots::open(home.folder())?;
        let rules = Rules { format, settle: settings.settle, leases: lease::speak_for(home.folder()) };
        Ok(DropFolder {
            settings: settings.clone(),
            sources,
            device,
            rules: Arc::new(rules),
            home,
            slots,
            complaints: Mutex::default(),
        })
    }

    /// Whether what was opened is still what stands there; if not, open it again.
    pub fn stands(&self) -> bool {
        self.home.stands() && self.settings.format() == self.format()
    }

    /// The folders that mail is taken from.
    pub fn sources(&self) -> &[PathBuf] {
        &self.sources
    }

    /// Where our claims stand.
    pub fn claims(&self) -> &Path {
        self.home.folder()
    }

    /// Whether others may write to it past this machine's kernel, which then has nothing to tell of it.
    pub fn is_remote(&self) -> bool {
        !self.rules.leases
    }

    /// Whether some file stands in it: a short look, for nothing is decided by it. What cannot be looked at may be one.
    pub fn holds_mail(&self) -> bool {
        let holds = |entry: io::Result<fs::DirEntry>| {
            entry.is_ok_and(|entry| {
                !entry.file_name().as_encoded_bytes().starts_with(b".")
                    && entry.file_type().is_ok_and(|kind| kind.is_file())
            })
        };
        self.sources.iter().any(|source| fs::read_dir(source).map_or(true, |mut entries| entries.any(holds)))
    }

    /// The format, as set or as found.
    pub fn format(&self) -> Format {
        self.rules.format
    }

    /// Mail claimed earlier and not yet disposed of: our own, and that of nodes that died, which becomes ours with
    /// the same delivery ids. What [`Slots::suspects`] says is complete only after this. `bury` is told the name of
    /// each node that died, before the last trace of it is removed.
    pub fn leftovers(
        &self,
        bury: &mut dyn FnMut(&str) -> mailshelf_storage::Result<()>,
    ) -> Result<Vec<Claimed>, DropError> {
        let complaints = adopt::adopt_all(&self.home, &self.slots, bury)?;
        self.complaints.lock().unwrap_or_else(PoisonError::into_inner).extend(complaints);
        let entries = fs::read_dir(self.home.folder()).while_doing("read", self.home.folder())?;
        let mut claims = Vec::new();
        for entry in entries {
            let name = entry.while_doing("read", self.home.folder())?.file_name();
            if !name.as_encoded_bytes().starts_with(b".") {
                claims.extend(self.leftover(name)?);
            }
        }
        Ok(claims)
    }

    /// A file someone put by hand into our claim folder has no delivery id yet; it gets one, else it would stand
    /// there for ever and nobody would say why.
    fn leftover(&self, name: std::ffi::OsString) -> Result<Option<Claimed>, DropError> {
        if let Some((id, name)) = claim::parse(&name) {
            return Ok(Some(Claimed::again(id, name, &self.home, &self.rules)));
        }
        match claim::claim(&self.home.folder().join(&name), &name, None, &self.home, &self.rules) {
            claim::Outcome::Claimed(claimed) => Ok(Some(claimed)),
            claim::Outcome::Gone | claim::Outcome::NotThis(_) => Ok(None),
            claim::Outcome::Fault(error) => Err(error),
        }
    }

    /// Walks the drop and claims what it yields. Nothing is sorted, and nothing is held of what was passed over.
    pub fn scan(&self) -> Result<Scan<'_>, DropError> {
        Scan::new(self)
    }

    /// Makes the claims so far survive a power cut; once for a batch, before anything of it is committed. A file
    /// system that cannot sync folders is no fault: what is filed twice there is recognised by its content.
    pub fn sync(&self) -> Result<(), DropError> {
        // The claims first: until they are durable, the drop must go on naming the mail.
        sync_folder(self.home.folder())?;
        self.sources.iter().try_for_each(|source| sync_folder(source))?;
        Ok(())
    }

    /// Where each worker notes the mail it has in hand.
    pub fn slots(&self) -> &Slots {
        &self.slots
    }
}

/// Where what is put into the drop has to go: the folder itself, or `new/` of a Maildir. Makes nothing; we may
/// write to it.
pub fn entrance(settings: &Settings) -> Result<PathBuf, DropError> {
    find_folder(&settings.path)?;
    let (_, sources) = layout(settings)?;
    let entrance = sources.into_iter().next().unwrap_or_else(|| settings.path.clone());
    check_rights(&entrance)?;
    Ok(entrance)
}

/// The format, as set or as found, and the folders that mail is taken from.
fn layout(settings: &Settings) -> Result<(Format, Vec<PathBuf>), DropError> {
    let path = &settings.path;
    let format = settings.format();
    let sources = match format {
        Format::Folder => vec![path.clone()],
        Format::Maildir => maildir::sources(path)?,
    };
    Ok((format, sources))
}

/// The device of the drop folder.
fn find_folder(path: &Path) -> Result<u64, DropError> {
    match fs::metadata(path) {
        Ok(meta) if !meta.is_dir() => Err(DropError::NotAFolder(path.to_owned())),
        Ok(meta) => Ok(meta.dev()),
        Err(error) => Err(match error.kind() {
            io::ErrorKind::NotFound => DropError::Missing(path.to_owned()),
            io::ErrorKind::NotADirectory => DropError::NotAFolder(path.to_owned()),
            io::ErrorKind::PermissionDenied => DropError::Rights { path: path.to_owned(), what: "enter" },
            _ => DropError::io("look at", path, error),
        }),
    }
}

type Right = (Access, &'static str);
const READ: Right = (Access::READ_OK, "read");
const WRITE: Right = (Access::WRITE_OK, "take mail out of");
const ENTER: Right = (Access::EXEC_OK, "enter");

/// Asks beforehand, so that a missing right is said of the folder once and not of each mail in it.
fn check_rights(path: &Path) -> Result<(), DropError> {
    check_each(path, &[READ, WRITE, ENTER])
}

fn check_each(path: &Path, rights: &[Right]) -> Result<(), DropError> {
    for &(right, what) in rights {
        match rustix::fs::accessat(CWD, path, right, AtFlags::EACCESS) {
            Ok(()) => {}
            Err(Errno::ACCESS | Errno::PERM) => {
                return Err(DropError::Rights { path: path.to_owned(), what });
            }
            Err(Errno::ROFS) => return Err(DropError::ReadOnly(path.to_owned())),
            Err(errno) => return Err(DropError::io("look at", path, errno.into())),
        }
    }
    Ok(())
}

/// The delivery ids among `ids`, each once.
fn unique(mut ids: Vec<DeliveryId>) -> Vec<DeliveryId> {
    ids.sort();
    ids.dedup();
    ids
}
