//! Where a replay takes mail from: one file, a Maildir, or a folder with mail in it. Nothing of it is changed, its
//! access times included where the system lets us.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, openat, statat};
use rustix::io::Errno;

use super::mbox;
use crate::drop::{open_regular, shown};

/// How mail stands in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One mail; what a mail server of the kind of IIS wrote above it is its envelope.
    Mail,
    /// One mail as a Maildir has it.
    Maildir,
    /// Many mails.
    Mbox,
}

/// A file with mail.
#[derive(Debug, PartialEq, Eq)]
pub struct Item {
    /// Where it is.
    pub path: PathBuf,
    /// Where below the source it is, with `|` for `/`: what people get to see of it.
    pub name: OsString,
    /// What it holds.
    pub kind: Kind,
}

/// What a walk through a source meets.
#[derive(Debug)]
pub enum Found {
    /// Mail.
    Item(Item),
    /// No mail; its path below the source.
    PassedOver(String),
    /// Something that could not be read.
    Fault(PathBuf, io::Error),
}

/// A source that was there and readable when it was opened.
#[derive(Debug)]
pub struct Source {
    /// As it was named.
    pub named: PathBuf,
    /// Where it really is.
    pub path: PathBuf,
    /// What it holds, where it is a file.
    file: Option<Kind>,
}

/// Stands for `/` in the names of what lies below a source.
const BELOW: &str = "|";

impl Source {
    /// Looks at what is named, following links.
    pub fn open(named: &Path) -> io::Result<Source> {
        let path = named.canonicalize()?;
        let meta = fs::metadata(&path)?;
        let file = if meta.is_dir() {
            entries(&path)?;
            None
        } else {
            Some(kind_of_file(&path)?)
        };
        Ok(Source { named: named.to_owned(), path, file })
    }

    /// Walks through it, in order of names.
    pub fn walk(&self) -> Walk {
        let mut walk = Walk { levels: Vec::new(), ready: VecDeque::new() };
        match self.file {
            Some(kind) => {
                let name = self.path.file_name().unwrap_or_default().to_owned();
                walk.ready.push_back(Found::Item(Item { path: self.path.clone(), name, kind }));
            }
            None => walk.descend(self.path.clone(), OsString::new()),
        }
        walk
    }
}

/// What is named to be replayed may have any name; one that a folder would be asked for means here what it means there,
/// so that the same file is the same mail however one comes to it.
fn kind_of_file(path: &Path) -> io::Result<Kind> {
    let file = open_regular(path)?;
    if let Some(kind) = kind_by_name(path.file_name().unwrap_or_default()) {
        return Ok(kind);
    }
    let parent = path.parent().unwrap_or(Path::new("/"));
    let is_part = MAILS.iter().any(|name| parent.file_name() == Some(OsStr::new(name)));
    if is_part && parent.parent().is_some_and(|above| entries(above).is_ok_and(|all| is_maildir(&all))) {
        return Ok(Kind::Maildir);
    }
    let mut head = vec![0; 8 << 10];
    let length = file.read_at(&mut head, 0)?;
    head.truncate(length);
    Ok(if mbox::begins_one(&head) { Kind::Mbox } else { Kind::Mail })
}

fn kind_by_name(name: &OsStr) -> Option<Kind> {
    let name = Path::new(name);
    let ending = name.extension().unwrap_or(name.as_os_str());
    let is = |known: &str| ending.eq_ignore_ascii_case(known);
    match () {
        () if is("eml") && name.extension().is_some() => Some(Kind::Mail),
        () if is("mbox") || (is("mbx") && name.extension().is_some()) => Some(Kind::Mbox),
        () => None,
    }
}

/// Opens a folder without leaving a trace; where it is not ours, its access time may change.
fn open_folder(path: &Path) -> rustix::io::Result<rustix::fd::OwnedFd> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::RDONLY | OFlags::CLOEXEC;
    match openat(CWD, path, flags | OFlags::NOATIME, Mode::empty()) {
        Err(Errno::PERM) => openat(CWD, path, flags, Mode::empty()),
        opened => opened,
    }
}

type Entry = (OsString, FileType);

/// What a folder holds, in order of names.
fn entries(folder: &Path) -> io::Result<Vec<Entry>> {
    let mut all = Vec::new();
    for entry in Dir::new(open_folder(folder)?)? {
        let entry = entry?;
        let name = OsStr::from_bytes(entry.file_name().to_bytes());
        if name == "." || name == ".." {
            continue;
        }
        let kind = match entry.file_type() {
            FileType::Unknown => kind_at(&folder.join(name)),
            kind => kind,
        };
        all.push((name.to_owned(), kind));
    }
    all.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    Ok(all)
}

/// Not every file system tells it along with the name.
fn kind_at(path: &Path) -> FileType {
    let stat = statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW);
    stat.map_or(FileType::Unknown, |stat| FileType::from_raw_mode(stat.st_mode))
}

/// Where a Maildir has its mail.
const MAILS: [&str; 2] = ["cur", "new"];

fn is_maildir(entries: &[Entry]) -> bool {
    let is_there = |part: &str| entries.iter().any(|(name, kind)| name == part && kind.is_dir());
    MAILS.iter().all(|part| is_there(part))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Plain,
    Maildir,
    /// `cur` or `new` of a Maildir.
    Mails,
}

struct Level {
    place: Place,
    folder: PathBuf,
    /// Its own name below the source, with a [`BELOW`] behind it unless it is the source.
    name: OsString,
    entries: std::vec::IntoIter<Entry>,
}

/// A walk through a source, following no links.
pub struct Walk {
    levels: Vec<Level>,
    ready: VecDeque<Found>,
}

impl Walk {
    fn descend(&mut self, folder: PathBuf, name: OsString) {
        match entries(&folder) {
            Err(error) => self.ready.push_back(Found::Fault(folder, error)),
            Ok(entries) => {
                let place = if is_maildir(&entries) { Place::Maildir } else { Place::Plain };
                self.levels.push(Level { place, folder, name, entries: entries.into_iter() });
            }
        }
    }

    fn mails(&mut self, folder: PathBuf, name: OsString) {
        match entries(&folder) {
            Err(error) => self.ready.push_back(Found::Fault(folder, error)),
            Ok(entries) => {
                let entries = entries.into_iter();
                self.levels.push(Level { place: Place::Mails, folder, name, entries });
            }
        }
    }

    /// Looks at the next entry; false if there is none.
    fn step(&mut self) -> bool {
        let Some(level) = self.levels.last_mut() else { return false };
        let Some((entry, kind)) = level.entries.next() else {
            self.levels.pop();
            return true;
        };
        let (path, place) = (level.folder.join(&entry), level.place);
        let mut name = level.name.clone();
        name.push(&entry);
        let hidden = entry.as_bytes().starts_with(b".");
        if kind.is_dir() {
            self.folder(place, &entry, path, name, hidden);
        } else {
            let mail = match place {
                _ if hidden || !kind.is_file() => None,
                Place::Mails => Some(Kind::Maildir),
                Place::Plain | Place::Maildir => kind_by_name(&entry),
            };
            self.ready.push_back(match mail {
                Some(kind) => Found::Item(Item { path, name, kind }),
                None => passed_over(&name),
            });
        }
        true
    }

    fn folder(&mut self, place: Place, entry: &OsStr, path: PathBuf, mut name: OsString, hidden: bool) {
        let below = |mut name: OsString| {
            name.push(BELOW);
            name
        };
        match place {
            // What is still being delivered.
            Place::Maildir if entry == "tmp" => {}
            Place::Maildir if MAILS.iter().any(|part| entry == *part) => self.mails(path, below(name)),
            // `.Archive` and such: the folders of a Maildir++.
            Place::Maildir if hidden && !entries(&path).is_ok_and(|all| !is_maildir(&all)) => {
                self.descend(path, below(name));
            }
            Place::Plain | Place::Maildir if !hidden => self.descend(path, below(name)),
            Place::Plain | Place::Maildir | Place::Mails => {
                name.push("/");
                self.ready.push_back(passed_over(&name));
            }
        }
    }
}

fn passed_over(name: &OsStr) -> Found {
    Found::PassedOver(shown(name).replace(BELOW, "/"))
}

impl Iterator for Walk {
    type Item = Found;

    fn next(&mut self) -> Option<Found> {
        while self.ready.is_empty() && self.step() {}
        self.ready.pop_front()
    }
}

/// What a named source cannot be, in words.
pub fn why_not(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "there is none".to_owned(),
        _ => format!("cannot be read: {error}"),
    }
}

#[cfg(test)]
mod tests;
