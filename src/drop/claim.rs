//! Claiming: a rename into our claim folder, under a new delivery id. From then on the mail is ours alone.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mailshelf_storage::{DeliveryId, failpoint};
use rustix::fs::{CWD, RenameFlags};
use rustix::io::Errno;

use super::error::site_wide;
use super::home::Home;
use super::settle::{Look, Memory};
use super::{DropError, Format, Rules, shown};

/// A mail that is ours. Dropping this changes nothing: the claim file stays until it is disposed of.
#[derive(Debug)]
pub struct Claimed {
    /// Its delivery id, the same until its fate is final.
    pub id: DeliveryId,
    /// Its name in the drop; of a mail claimed in an earlier pass, what the claim file's name could hold of it.
    pub name: OsString,
    /// The claim file.
    pub path: PathBuf,
    pub(super) rules: Arc<Rules>,
    /// How it looked before it was claimed: the rename itself may count as a change.
    pub(super) before: Option<Look>,
    pub(super) memory: Mutex<Memory>,
}

impl Claimed {
    /// A mail claimed earlier.
    pub(super) fn again(id: DeliveryId, name: OsString, home: &Home, rules: &Arc<Rules>) -> Claimed {
        let path = home.folder().join(file_name(&id.to_string(), &name, usize::MAX));
        Claimed { id, name, path, rules: Arc::clone(rules), before: None, memory: Mutex::default() }
    }

    /// A claim file of another process, to be read and nothing else: that it is whole is for the owner to say.
    pub fn alone(path: &Path, format: Format) -> Claimed {
        let rules = Arc::new(Rules { format, settle: Duration::ZERO, leases: false });
        let name = path.file_name().unwrap_or_default();
        let (id, name) = parse(name).unwrap_or_else(|| (DeliveryId::generate(), name.to_owned()));
        Claimed { id, name, path: path.to_owned(), rules, before: None, memory: Mutex::default() }
    }

    /// The name in the drop as people may see it: bytes that are not UTF-8 as `\xNN`. Control characters are left to
    /// whoever writes to a terminal.
    pub fn shown_name(&self) -> String {
        shown(&self.name)
    }
}

/// What became of one attempt to claim.
pub(super) enum Outcome {
    Claimed(Claimed),
    /// Somebody else took it, or whoever delivered it took it back.
    Gone,
    /// This one cannot be claimed; the next one may.
    NotThis(io::Error),
    Fault(DropError),
}

/// Claims `from`, whose name in the drop is `name` and which looked like `before` just now.
pub(super) fn claim(
    from: &Path,
    name: &OsStr,
    before: Option<Look>,
    home: &Home,
    rules: &Arc<Rules>,
) -> Outcome {
    let id = DeliveryId::generate();
    let path = home.folder().join(file_name(&id.to_string(), name, home.longest_name()));
    if let Err(error) = rename_new(from, &path) {
        // An error may come after the deed (a network file system, a lost answer): the target tells. That it was there
        // before us is another matter, though with a new id it cannot be.
        let done = error.kind() != io::ErrorKind::AlreadyExists && fs::symlink_metadata(&path).is_ok();
        if !done {
            return failed(from, error, home);
        }
    }
    failpoint::reached("claimed", &shown(name));
    let (name, rules) = (name.to_owned(), Arc::clone(rules));
    Outcome::Claimed(Claimed { id, name, path, rules, before, memory: Mutex::default() })
}

fn failed(from: &Path, error: io::Error, home: &Home) -> Outcome {
    match error.kind() {
        io::ErrorKind::NotFound if home.stands() => Outcome::Gone,
        io::ErrorKind::NotFound => Outcome::Fault(DropError::ClaimsGone(home.folder().to_owned())),
        io::ErrorKind::CrossesDevices => Outcome::Fault(DropError::OtherFileSystem(home.folder().to_owned())),
        _ if site_wide(&error) => Outcome::Fault(DropError::io("claim", from, error)),
        _ => Outcome::NotThis(error),
    }
}

/// Renames, but never over something that is there already. Some file systems (NFS) cannot promise that; there we look
/// first, and names that begin with a new id leave nobody to race with.
pub(crate) fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    match rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {}
        other => return Ok(other?),
    }
    match fs::symlink_metadata(to) {
        Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => fs::rename(from, to),
        Err(error) => Err(error),
    }
}

/// `<id>~<name>`, cut at its end to `longest` bytes; between characters where the name is UTF-8.
pub(super) fn file_name(id: &str, name: &OsStr, longest: usize) -> OsString {
    let mut made = OsString::from(id);
    made.push("~");
    made.push(cut(name, longest.saturating_sub(made.len())));
    made
}

/// The first `room` bytes of a name, or fewer, so as not to cut a character.
pub(crate) fn cut(name: &OsStr, room: usize) -> &OsStr {
    let end = name.to_str().map_or(room.min(name.len()), |text| text.floor_char_boundary(room));
    name.as_bytes().get(..end).map_or(name, OsStr::from_bytes)
}

/// The delivery id and the name that a claim file's name holds; `None` if we did not make that name.
pub(crate) fn parse(file_name: &OsStr) -> Option<(DeliveryId, OsString)> {
    let (id, name) = file_name.as_bytes().split_at_checked(26)?;
    let name = name.strip_prefix(b"~")?;
    let text = str::from_utf8(id).ok()?;
    let id: DeliveryId = text.parse().ok()?;
    // Ids can be written in more than one way; only ours leads back to the same file.
    (id.to_string() == text).then(|| (id, OsString::from_vec(name.to_vec())))
}
