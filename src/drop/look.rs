//! Looking without touching: what stands in a drop and what was claimed from it. Makes nothing, opens no mail, and holds
//! a lock for an instant only, which whoever takes one over has the patience for. Others go on meanwhile: mail may be
//! met twice, in the drop and claimed, but none that stays where it is is passed over.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{self, DirEntry, Metadata, ReadDir, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use jiff::Timestamp;
use mailshelf_storage::DeliveryId;

use super::error::site_wide;
use super::home::{CLAIMS, LOCK};
use super::slots::{self, SLOTS};
use super::{DropError, ENTER, Format, READ, Settings, claim, open_regular, scan, shown};

/// Something that stands in the drop, or was claimed from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Its name in the drop, as [`super::Claimed::shown_name`] shows names; of a claim, what its file's name holds of
    /// it.
    pub file: String,
    /// Bytes of the file.
    pub size: u64,
    /// In the drop: when it was last written ([`since`]); claimed: when that was. `None` where nobody knows.
    pub since: Option<Timestamp>,
    /// Where, and what of that.
    pub place: Place,
}

/// Where something stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the drop, for the next pass.
    Waiting,
    /// In the drop, where it stays: it is no mail, or not yet; and why, in the words of the scan.
    NotMail(String),
    /// In a claim folder.
    Claimed(Claim),
}

/// A claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// `None` of a file that someone put among the claims; it gets one in the next pass.
    pub id: Option<DeliveryId>,
    /// The worker whose claim folder it is in.
    pub node: String,
    /// What is known of that worker.
    pub owner: Owner,
    /// A worker may have died of it.
    pub suspect: bool,
}

/// Whether a claim folder has an owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// A process holds its lock.
    Lives,
    /// No process does: the claims are for the next pass.
    Gone,
    /// Nobody here can tell.
    Unknown,
}

/// What stands in the drop, and then what is claimed, one after the other and in no order. After an error there is no
/// more.
#[derive(Debug)]
pub struct Look {
    format: Format,
    sources: std::vec::IntoIter<PathBuf>,
    /// Where claim folders are, until they have been listed.
    claims: Option<PathBuf>,
    nodes: Option<(PathBuf, ReadDir)>,
    reading: Option<Reading>,
}

/// Everything in the drop and every claim. Refused as [`super::DropFolder::open`] is where there is no drop.
pub fn look(settings: &Settings) -> Result<Look, DropError> {
    super::find_folder(&settings.path)?;
    let (format, sources) = super::layout(settings)?;
    for source in &sources {
        super::check_each(source, &[READ, ENTER])?;
    }
    Ok(Look { sources: sources.into_iter(), ..claims_in(&settings.path, format) })
}

/// The claims alone; none where there is no drop.
pub fn claims(drop: &Path) -> Look {
    claims_in(drop, Format::Folder)
}

fn claims_in(drop: &Path, format: Format) -> Look {
    Look {
        format,
        sources: Vec::new().into_iter(),
        claims: Some(drop.join(CLAIMS)),
        nodes: None,
        reading: None,
    }
}

/// When a file was last written; not later than its last change of any kind, so that the clock of whoever wrote it may
/// go wrong and still hides no wait.
pub fn since(meta: &Metadata) -> Timestamp {
    let at = |seconds: i64, nanos: i64| {
        let nanos = i32::try_from(nanos).unwrap_or_default();
        Timestamp::new(seconds, nanos).unwrap_or(Timestamp::MAX)
    };
    at(meta.mtime(), meta.mtime_nsec()).min(at(meta.ctime(), meta.ctime_nsec()))
}

/// A folder that is being read.
#[derive(Debug)]
struct Reading {
    folder: PathBuf,
    entries: ReadDir,
    /// Of a claim folder.
    node: Option<Rc<Node>>,
}

/// What is known of a claim folder.
#[derive(Debug)]
struct Node {
    name: String,
    owner: Owner,
    suspects: HashSet<DeliveryId>,
}

impl Look {
    /// One step; `None` where it met nothing to tell of.
    fn step(&mut self) -> Result<Option<Standing>, DropError> {
        if let Some(reading) = &mut self.reading {
            return match reading.entries.next() {
                None => {
                    self.reading = None;
                    Ok(None)
                }
                Some(Err(error)) => Err(DropError::io("read", &reading.folder, error)),
                Some(Ok(entry)) => standing(&entry, self.format, reading.node.as_deref()),
            };
        }
        if let Some(folder) = self.sources.next() {
            let entries = read_folder(&folder)?;
            self.reading = entries.map(|entries| Reading { folder, entries, node: None });
        } else if let Some(claims) = self.claims.take() {
            self.nodes = claim_folders(&claims)?.map(|nodes| (claims, nodes));
        } else if let Some((claims, nodes)) = &mut self.nodes {
            match nodes.next() {
                None => self.nodes = None,
                Some(Err(error)) => return Err(DropError::io("read", claims, error)),
                Some(Ok(entry)) => self.reading = claims_of(&entry)?,
            }
        }
        Ok(None)
    }

    fn ended(&self) -> bool {
        let Look { format: _, sources, claims, nodes, reading } = self;
        sources.len() == 0 && claims.is_none() && nodes.is_none() && reading.is_none()
    }

    fn end(&mut self) {
        *self = Look { claims: None, ..claims_in(Path::new(""), self.format) };
    }
}

impl Iterator for Look {
    type Item = Result<Standing, DropError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.ended() {
            match self.step() {
                Ok(None) => {}
                Ok(Some(standing)) => return Some(Ok(standing)),
                Err(error) => {
                    self.end();
                    return Some(Err(error));
                }
            }
        }
        None
    }
}

/// `None` if it is gone: a claim folder may be adopted under our eyes.
fn read_folder(folder: &Path) -> Result<Option<ReadDir>, DropError> {
    match fs::read_dir(folder) {
        Ok(entries) => Ok(Some(entries)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            Err(DropError::Rights { path: folder.to_owned(), what: "read" })
        }
        Err(error) => Err(DropError::io("read", folder, error)),
    }
}

/// `None` where nothing was claimed yet.
fn claim_folders(claims: &Path) -> Result<Option<ReadDir>, DropError> {
    match fs::symlink_metadata(claims) {
        Ok(meta) if meta.is_symlink() => Err(DropError::ClaimsAreALink(claims.to_owned())),
        Ok(meta) if !meta.is_dir() => Err(DropError::ClaimsAreNoFolder(claims.to_owned())),
        // What fails here fails there too, and is told there.
        _ => read_folder(claims),
    }
}

/// `None` of what is no claim folder.
fn claims_of(entry: &DirEntry) -> Result<Option<Reading>, DropError> {
    if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
        return Ok(None);
    }
    let folder = entry.path();
    super::check_each(&folder, &[READ, ENTER])
        .or_else(|error| if error.is_not_found() { Ok(()) } else { Err(error) })?;
    let Some(entries) = read_folder(&folder)? else { return Ok(None) };
    let owner = owner(&folder);
    let node = Node { name: shown(entry.file_name()), owner, suspects: suspects(&folder, owner) };
    Ok(Some(Reading { folder, entries, node: Some(Rc::new(node)) }))
}

/// Whether a process has the lock of this folder. Asks for it as many may have it at once, and gives it back. Whoever
/// wants it for itself just then asks again, or adopts these claims in the next pass.
pub(crate) fn owner(folder: &Path) -> Owner {
    let lock = match open_regular(&folder.join(LOCK)) {
        Ok(lock) => lock,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Owner::Gone,
        Err(_) => return Owner::Unknown,
    };
    match lock.try_lock_shared() {
        Ok(()) => Owner::Gone,
        Err(TryLockError::WouldBlock) => Owner::Lives,
        Err(TryLockError::Error(_)) => Owner::Unknown,
    }
}

/// Slots that cannot be read name nobody: the worker says so, when it opens them.
fn suspects(folder: &Path, owner: Owner) -> HashSet<DeliveryId> {
    let Ok(file) = open_regular(&folder.join(SLOTS)) else { return HashSet::new() };
    let ids = if owner == Owner::Gone { slots::read(&file) } else { slots::read_suspects(&file) };
    ids.unwrap_or_default().into_iter().collect()
}

/// `None` of what is hidden, and of what went while we looked.
fn standing(entry: &DirEntry, format: Format, node: Option<&Node>) -> Result<Option<Standing>, DropError> {
    let name = entry.file_name();
    if name.as_encoded_bytes().starts_with(b".") {
        return Ok(None);
    }
    let meta = match entry.metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) if site_wide(&error) => return Err(DropError::io("look at", &entry.path(), error)),
        meta => meta,
    };
    let (file, size) = (shown(&name), meta.as_ref().map_or(0, Metadata::len));
    let since = meta.as_ref().ok().map(since);
    Ok(Some(match node {
        None => Standing { file, size, since, place: in_drop(&meta, format) },
        Some(node) => claimed(&name, Standing { file, size, since, place: Place::Waiting }, node),
    }))
}

fn in_drop(meta: &io::Result<Metadata>, format: Format) -> Place {
    match meta {
        Err(error) => Place::NotMail(scan::unreadable(error)),
        Ok(meta) if !meta.is_file() => Place::NotMail(scan::not_mail(meta.file_type())),
        Ok(meta) if format == Format::Folder && meta.nlink() > 1 => {
            Place::NotMail(scan::linked(meta.nlink()))
        }
        Ok(_) => Place::Waiting,
    }
}

fn claimed(name: &OsStr, found: Standing, node: &Node) -> Standing {
    let (node_name, owner) = (node.name.clone(), node.owner);
    match claim::parse(name) {
        Some((id, name)) => {
            let suspect = node.suspects.contains(&id);
            let place = Place::Claimed(Claim { id: Some(id), node: node_name, owner, suspect });
            Standing { file: shown(&name), since: Some(id.time()), place, ..found }
        }
        None => {
            let place = Place::Claimed(Claim { id: None, node: node_name, owner, suspect: false });
            Standing { place, ..found }
        }
    }
}
