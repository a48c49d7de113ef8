//! One walk through the drop: decides of each entry whether it is mail, and claims it if so.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::fs::{self, DirEntry, FileType, ReadDir};
use std::io;
use std::os::unix::fs::{DirEntryExt, FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::PoisonError;

use super::claim::{self, Outcome};
use super::error::site_wide;
use super::folder::{Linked, SecondLook};
use super::settle::Look;
use super::{DropError, DropFolder, Format, Found, shown};

/// So many entries are put in order at once; a folder of more is walked in parts.
const IN_ORDER: usize = 10_000;

/// Yields what the drop holds, claimed as it goes: what was written first comes first, as which of two mails is the newer
/// version of a document hangs on it, and no name tells (those of IIS count their low digits first). After
/// [`Found::Fault`] there is no more.
#[derive(Debug)]
pub struct Scan<'a> {
    drop: &'a DropFolder,
    sources: std::slice::Iter<'a, PathBuf>,
    /// The folder being walked; `None` once each entry was looked at.
    pub(super) reading: Option<(&'a Path, ReadDir)>,
    /// What was read of it and not looked at, in order.
    next: VecDeque<DirEntry>,
    linked: SecondLook,
    again: VecDeque<Linked>,
    complaints: VecDeque<Found>,
    ended: bool,
}

impl<'a> Scan<'a> {
    pub(super) fn new(drop: &'a DropFolder) -> Result<Scan<'a>, DropError> {
        let complaints = std::mem::take(&mut *drop.complaints.lock().unwrap_or_else(PoisonError::into_inner));
        let mut scan = Scan {
            drop,
            sources: drop.sources.iter(),
            reading: None,
            next: VecDeque::new(),
            linked: SecondLook::default(),
            again: VecDeque::new(),
            complaints,
            ended: false,
        };
        scan.next_source()?;
        Ok(scan)
    }

    fn next_source(&mut self) -> Result<(), DropError> {
        self.reading = match self.sources.next() {
            None => None,
            Some(path) => {
                let entries = fs::read_dir(path).map_err(|error| DropError::io("read", path, error))?;
                Some((path.as_path(), entries))
            }
        };
        Ok(())
    }

    /// One step of the walk; `None` where the step yielded nothing to tell of.
    pub(super) fn step(&mut self) -> Result<Option<Found>, DropError> {
        if let Some(linked) = self.again.pop_front() {
            return self.second_look(linked);
        }
        if self.linked.is_full() {
            self.again = self.linked.due().into();
            return Ok(None);
        }
        let Some((folder, entries)) = &mut self.reading else {
            self.again = self.linked.due().into();
            self.ended = self.again.is_empty();
            return Ok(None);
        };
        let folder = *folder;
        if self.next.is_empty() {
            self.next = in_order(entries).map_err(|error| DropError::io("read", folder, error))?;
        }
        match self.next.pop_front() {
            None => self.next_source().map(|()| None),
            Some(entry) => self.look(folder, &entry),
        }
    }

    fn look(&mut self, folder: &Path, entry: &DirEntry) -> Result<Option<Found>, DropError> {
        let name = entry.file_name();
        if name.as_encoded_bytes().starts_with(b".") {
            return Ok(None);
        }
        match entry.file_type() {
            Err(error) => self.unreadable(&name, entry.ino(), error),
            Ok(kind) if !kind.is_file() => Ok(Some(self.complaint(&name, entry.ino(), not_mail(kind)))),
            Ok(_) if self.drop.format() == Format::Maildir => self.claim(folder, name, entry.ino(), None),
            Ok(_) => self.look_in_folder(folder, name, entry.ino()),
        }
    }

    fn look_in_folder(
        &mut self,
        folder: &Path,
        name: OsString,
        inode: u64,
    ) -> Result<Option<Found>, DropError> {
        match fs::symlink_metadata(folder.join(&name)) {
            Err(error) => self.unreadable(&name, inode, error),
            Ok(meta) if !meta.is_file() => Ok(Some(self.complaint(&name, inode, not_mail(meta.file_type())))),
            Ok(meta) if meta.nlink() > 1 => {
                self.linked.add(Linked { name, inode });
                Ok(None)
            }
            Ok(meta) => self.claim(folder, name, inode, Some(Look::of(&meta))),
        }
    }

    /// Links come up in a plain folder only, which is its own one source.
    fn second_look(&mut self, Linked { name, inode }: Linked) -> Result<Option<Found>, DropError> {
        let Some(folder) = self.drop.sources.first() else { return Ok(None) };
        match fs::symlink_metadata(folder.join(&name)) {
            Err(error) => self.unreadable(&name, inode, error),
            Ok(meta) if !meta.is_file() => Ok(Some(self.complaint(&name, inode, not_mail(meta.file_type())))),
            Ok(meta) if meta.nlink() > 1 => Ok(Some(self.complaint(&name, inode, linked(meta.nlink())))),
            Ok(meta) => self.claim(folder, name, inode, Some(Look::of(&meta))),
        }
    }

    fn claim(
        &self,
        folder: &Path,
        name: OsString,
        inode: u64,
        before: Option<Look>,
    ) -> Result<Option<Found>, DropError> {
        match claim::claim(&folder.join(&name), &name, before, &self.drop.home, &self.drop.rules) {
            Outcome::Claimed(claimed) => Ok(Some(Found::Claimed(claimed))),
            Outcome::Gone => Ok(None),
            Outcome::Fault(error) => Err(error),
            Outcome::NotThis(error) => {
                // Where the folder lost its rights in the meantime, that is said of it, not of every mail.
                super::check_rights(folder)?;
                Ok(Some(self.complaint(&name, inode, format!("cannot be claimed: {error}"))))
            }
        }
    }

    fn unreadable(&self, name: &OsStr, inode: u64, error: io::Error) -> Result<Option<Found>, DropError> {
        if error.kind() == io::ErrorKind::NotFound {
            return Ok(None);
        }
        if site_wide(&error) {
            return Err(DropError::io("look at", Path::new(name), error));
        }
        Ok(Some(self.complaint(name, inode, unreadable(&error))))
    }

    fn complaint(&self, name: &OsStr, inode: u64, why: String) -> Found {
        let file = shown(name);
        Found::Complaint { key: format!("{}:{inode}:{file}", self.drop.device), file, why }
    }
}

impl Iterator for Scan<'_> {
    type Item = Found;

    fn next(&mut self) -> Option<Found> {
        if let Some(complaint) = self.complaints.pop_front() {
            return Some(complaint);
        }
        while !self.ended {
            match self.step() {
                Ok(None) => {}
                Ok(found) => return found,
                Err(error) => {
                    self.ended = true;
                    return Some(Found::Fault(error));
                }
            }
        }
        None
    }
}

/// The next entries of a folder, by when they were last written. One that cannot be looked at is dealt with first.
fn in_order(entries: &mut ReadDir) -> io::Result<VecDeque<DirEntry>> {
    let written = |entry: &DirEntry| entry.metadata().map(|meta| (meta.mtime(), meta.mtime_nsec())).ok();
    let mut found = Vec::new();
    for entry in entries.take(IN_ORDER) {
        let entry = entry?;
        found.push((written(&entry), entry.file_name(), entry));
    }
    found.sort_by(|(time, name, _), (other, another, _)| (time, name).cmp(&(other, another)));
    Ok(found.into_iter().map(|(_, _, entry)| entry).collect())
}

/// Why what is no regular file stays where it is.
pub(super) fn not_mail(kind: FileType) -> String {
    format!("{}, not a mail: left where it is", what_is(kind))
}

/// Why a file with so many links stays where it is, in a plain folder.
pub(super) fn linked(links: u64) -> String {
    format!("has {links} links, as a delivery in progress does: left where it is")
}

/// Why nobody knows what it is.
pub(super) fn unreadable(error: &io::Error) -> String {
    format!("cannot be looked at: {error}")
}

fn what_is(kind: FileType) -> &'static str {
    match kind {
        kind if kind.is_symlink() => "a symbolic link",
        kind if kind.is_dir() => "a folder",
        kind if kind.is_fifo() => "a named pipe",
        kind if kind.is_socket() => "a socket",
        kind if kind.is_block_device() || kind.is_char_device() => "a device",
        _ => "no regular file",
    }
}
