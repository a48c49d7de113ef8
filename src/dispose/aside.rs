//! What stands aside: mail in the folders that [`super::Disposer::keep`] fills.

use std::ffi::{OsStr, OsString};
use std::fs::{self, DirEntry};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use mailshelf_storage::{DeliveryId, IoContext, Result};

use crate::drop::{look, parse_claim, shown};

/// A file that stands aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Where.
    pub path: PathBuf,
    /// Of the mail; `None` of a file that we did not put there.
    pub id: Option<DeliveryId>,
    /// Its name in the drop; the whole name of a file that we did not put there.
    pub name: OsString,
    /// Bytes of the file.
    pub size: u64,
    /// When it was claimed; when it was last written, if we did not put it there.
    pub since: Timestamp,
    /// When it came to stand here: a move is the last change of a file, unless somebody has touched it since.
    pub kept_at: Timestamp,
}

impl Kept {
    /// The name in the drop as people may see it, not escaped.
    pub fn shown_name(&self) -> String {
        shown(&self.name)
    }

    /// The name that it can have in a drop, where names that begin with a dot are passed over.
    pub(super) fn drop_name(&self) -> OsString {
        let mut name = OsString::new();
        if self.name.is_empty() || self.name.as_encoded_bytes().starts_with(b".") {
            name.push("mail");
        }
        name.push(&self.name);
        name
    }
}

/// The regular files in a folder of mail that was kept aside, in no order; temporaries and what else is hidden left out.
/// A folder that is not there is empty: it is made when first needed.
pub fn kept_in(folder: &Path) -> Result<impl Iterator<Item = Result<Kept>> + use<>> {
    let entries = entries(folder)?;
    Ok(entries.filter_map(|entry| entry.and_then(|entry| kept(&entry)).transpose()))
}

/// The same, but only mail that was claimed by then: of the others nothing is asked.
pub fn claimed_by(folder: &Path, then: Timestamp) -> Result<impl Iterator<Item = Result<Kept>> + use<>> {
    let is_meant =
        move |entry: &DirEntry| parse_claim(&entry.file_name()).is_some_and(|(id, _)| id.time() <= then);
    let entries = entries(folder)?.filter(move |entry| entry.as_ref().map_or(true, is_meant));
    Ok(entries.filter_map(|entry| entry.and_then(|entry| kept(&entry)).transpose()))
}

/// How many those are.
pub fn count_in(folder: &Path) -> Result<u64> {
    let mut count = 0;
    for entry in entries(folder)? {
        let entry = entry?;
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        count += u64::from(is_file && !is_hidden(&entry.file_name()));
    }
    Ok(count)
}

/// What a folder holds, in no order; nothing if there is none.
pub(crate) fn entries(folder: &Path) -> Result<impl Iterator<Item = Result<DirEntry>> + use<>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        entries => Some(entries.while_doing("read", folder)?),
    };
    let folder = folder.to_owned();
    Ok(entries.into_iter().flatten().map(move |entry| entry.while_doing("read", &folder)))
}

fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

/// `None` of what is no mail, and of what went while we looked.
fn kept(entry: &DirEntry) -> Result<Option<Kept>> {
    let name = entry.file_name();
    if is_hidden(&name) {
        return Ok(None);
    }
    let meta = match entry.metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        meta => meta.while_doing("look at", &entry.path())?,
    };
    let (path, size) = (entry.path(), meta.len());
    let changed = Timestamp::new(meta.ctime(), 0).unwrap_or(Timestamp::MAX);
    let kept = match parse_claim(&name) {
        Some((id, name)) => {
            Kept { path, id: Some(id), name, size, since: id.time(), kept_at: changed.max(id.time()) }
        }
        None => Kept { path, id: None, name, size, since: look::since(&meta), kept_at: changed },
    };
    Ok(meta.is_file().then_some(kept))
}
