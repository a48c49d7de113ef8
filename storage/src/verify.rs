//! Reads catalog and contents whole and says where they disagree.
//!
//! Passes may go on meanwhile. What looks wrong at first is therefore looked at again at the end, with a fresh view
//! of the catalog: a content may have been published and not committed yet, or removed since.
//!
//! # Removing a content
//!
//! Nothing may refer to a content that is gone. Three steps see to that, in this order:
//!
//! 1. One transaction marks the content doomed, unless a document refers to it.
//! 2. In a second transaction, if it is still doomed, its file is deleted.
//! 3. The same transaction drops the row.
//!
//! Whoever commits a document looks, inside the write transaction, at the row of its content
//! ([`crate::Writer::add_content`] states the duty). There is one write transaction at a time, so the look falls
//! * before step 1: the document is seen by step 1, and nothing is doomed;
//! * between 1 and 2: the row is doomed; the committer stores the content afresh and takes the doom away; step 2
//!   finds that and leaves the file alone. That the file is deleted inside the transaction is what keeps the
//!   deletion from falling between the storing and the commit;
//! * after step 3: there is no row; the committer sees that the file is gone and stores it afresh.
//!
//! A crash after step 1 or in the midst of step 2 leaves a doomed row: nothing relies on it, and the next repair goes
//! on from there. A row that is not doomed always has its file.

use std::time::{Duration, Instant};

use serde::Serialize;

use crate::contents::Stored;
use crate::digest::Hasher;
pub use crate::model::FiledAs;
use crate::model::{KnownContent, Miscount};
use crate::{Catalog, Contents, Digest, Reader, Result};

mod repair;
pub(crate) use repair::remove_doomed;
#[cfg(test)]
mod tests;

/// From publishing a content to committing what refers to it takes less, unless the disk is very slow. Only how
/// many contents are called orphans hangs on it, never whether one is lost.
const GRACE: Duration = Duration::from_secs(1);
/// Paths named for a content that is not as it should be.
const PATHS: usize = 100;
const BUFFER: usize = 256 * 1024;

/// What was found.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// Documents in the catalog.
    pub documents: u64,
    /// Documents in recycle bins.
    pub removed: u64,
    /// Contents on record; every one was read.
    pub contents: u64,
    /// Mails on record.
    pub mails: u64,
    /// Contents that documents have and the store has not.
    pub missing: Vec<Broken>,
    /// Contents that are not what their names say, or cannot be read.
    pub damaged: Vec<Broken>,
    /// What nothing refers to.
    pub orphans: Vec<Orphan>,
    /// Things in the store that are not ours; never removed.
    pub aliens: Vec<String>,
    /// What is wrong within the catalog; a sentence each.
    pub catalog: Vec<String>,
    /// What was mended; a sentence each.
    pub repaired: Vec<String>,
}

impl Report {
    /// True if nothing is wrong, or nothing any more.
    pub fn is_clean(&self) -> bool {
        self.missing.is_empty()
            && self.damaged.is_empty()
            && self.orphans.is_empty()
            && self.aliens.is_empty()
            && self.catalog.is_empty()
    }
}

/// A content that documents refer to and that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Broken {
    /// The content.
    pub digest: Digest,
    /// What is wrong with it.
    pub why: String,
    /// The documents that have it, up to a hundred.
    pub filed_as: Vec<FiledAs>,
}

/// Something that nothing refers to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Orphan {
    /// What it is.
    pub kind: OrphanKind,
    /// The digest of a content or record; the name of a leftover.
    pub name: String,
    /// Why it could not be removed, or must not be; empty if that was not tried.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub why: String,
}

/// Kinds of orphans.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum OrphanKind {
    /// A content in the store that no document has, on record or not.
    Content,
    /// A content on record only: no document has it, nor has the store.
    Record,
    /// What an interrupted write left in the store.
    Leftover,
}

/// How far it has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Contents read.
    pub contents: u64,
    /// Contents to be read.
    pub of: u64,
    /// Bytes read.
    pub bytes: u64,
}

/// Reads everything. With `repair` it removes orphans; what is missing or damaged nobody can mend from here, and
/// aliens are not ours to remove. Afterwards the report holds what is still wrong.
pub fn verify(
    catalog: &dyn Catalog,
    contents: &dyn Contents,
    repair: bool,
    progress: &mut dyn FnMut(Progress),
) -> Result<Report> {
    verify_within(catalog, contents, repair, GRACE, progress)
}

fn verify_within(
    catalog: &dyn Catalog,
    contents: &dyn Contents,
    repair: bool,
    grace: Duration,
    progress: &mut dyn FnMut(Progress),
) -> Result<Report> {
    let mut report = Report::default();
    let (rows, miscounts) = on_record(&*catalog.read()?, &mut report)?;
    let listed = list(contents, &rows, &mut report)?;
    let since = Instant::now();
    let broken = read_all(contents, &rows, progress);
    let orphans = unreferenced(&*catalog.read()?, &rows, listed.unknown)?;
    if !orphans.is_empty() {
        std::thread::sleep(grace.saturating_sub(since.elapsed()));
    }
    confirm(&*catalog.read()?, contents, &broken, &orphans, &mut report)?;
    spare(catalog, &mut report)?;
    report.orphans.extend(listed.leftovers.into_iter().map(|name| Orphan::new(OrphanKind::Leftover, name)));
    if repair {
        repair::remove_orphans(catalog, contents, &mut report)?;
    }
    match repair && !miscounts.is_empty() {
        true => report.repaired.extend(repair::recount(catalog)?),
        false => report.catalog.extend(miscounts.iter().map(ToString::to_string)),
    }
    Ok(report)
}

/// Contents on record, in order of digest. Read at once and kept: a view of the catalog that stays open while all
/// contents are read would keep its log from being cut for hours.
type Rows = Vec<(Digest, KnownContent)>;

fn on_record(reader: &dyn Reader, report: &mut Report) -> Result<(Rows, Vec<Miscount>)> {
    let counts = reader.counts()?;
    (report.documents, report.contents, report.mails) = (counts.documents, counts.contents, counts.mails);
    report.removed = counts.removed;
    report.catalog = reader.integrity()?;
    let mut rows = Vec::new();
    reader.each_content(&mut |digest, known| {
        rows.push((digest, known));
        Ok(())
    })?;
    Ok((rows, reader.miscounts()?))
}

struct Listed {
    /// In the store, not on record.
    unknown: Vec<Digest>,
    leftovers: Vec<String>,
}

fn list(contents: &dyn Contents, rows: &Rows, report: &mut Report) -> Result<Listed> {
    let mut listed = Listed { unknown: Vec::new(), leftovers: Vec::new() };
    contents.each(&mut |stored| {
        match stored {
            Stored::Content(digest, _) if rows.binary_search_by_key(&digest, |(row, _)| *row).is_ok() => {}
            Stored::Content(digest, _) => listed.unknown.push(digest),
            Stored::Leftover(name) => listed.leftovers.push(name),
            Stored::Alien(name) => report.aliens.push(name),
        }
        Ok(())
    })?;
    listed.leftovers.sort();
    report.aliens.sort();
    Ok(listed)
}

/// Reads every content on record; gives those that are not as they should be.
fn read_all(contents: &dyn Contents, rows: &Rows, progress: &mut dyn FnMut(Progress)) -> Vec<Digest> {
    let mut broken = Vec::new();
    let mut state = Progress { of: rows.len() as u64, ..Progress::default() };
    for (digest, known) in rows {
        if !known.doomed && inspect(contents, *digest, known.size) != Condition::Sound {
            broken.push(*digest);
        }
        state.contents += 1;
        state.bytes += known.size;
        progress(state);
    }
    broken
}

#[derive(PartialEq, Eq)]
enum Condition {
    Sound,
    Missing,
    Damaged(String),
    /// The bytes are right and the catalog has their number wrong.
    Miscounted(u64),
}

/// Reads a content whole. One that cannot be read is as good as damaged, and no reason to stop.
fn inspect(contents: &dyn Contents, digest: Digest, size: u64) -> Condition {
    match contents.size(digest) {
        Ok(None) => return Condition::Missing,
        Ok(Some(_)) => {}
        Err(error) => return Condition::Damaged(error.to_string()),
    }
    match read(contents, digest) {
        Ok((found, bytes)) if found == digest && bytes == size => Condition::Sound,
        Ok((found, bytes)) if found == digest => Condition::Miscounted(bytes),
        Ok((_, bytes)) if bytes != size => Condition::Damaged(format!("{bytes} bytes, not {size}")),
        Ok((found, _)) => Condition::Damaged(format!("its bytes have the digest {found}")),
        Err(why) => Condition::Damaged(why),
    }
}

fn read(contents: &dyn Contents, digest: Digest) -> std::result::Result<(Digest, u64), String> {
    let mut reader = contents.open(digest).map_err(|error| error.to_string())?;
    let (mut hasher, mut bytes, mut buffer) = (Hasher::default(), 0, vec![0; BUFFER]);
    loop {
        let piece = match reader.read(&mut buffer) {
            Ok(length) => buffer.get(..length).unwrap_or_default(),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(format!("cannot read it: {error}")),
        };
        if piece.is_empty() {
            return Ok((hasher.finish(), bytes));
        }
        hasher.update(piece);
        bytes += piece.len() as u64;
    }
}

/// Contents that no document has, as far as can be seen now.
fn unreferenced(reader: &dyn Reader, rows: &Rows, unknown: Vec<Digest>) -> Result<Vec<Digest>> {
    let mut orphans = Vec::new();
    for digest in rows.iter().map(|(digest, _)| *digest).chain(unknown) {
        if reader.filed_as(digest, 1)?.is_empty() {
            orphans.push(digest);
        }
    }
    orphans.sort();
    Ok(orphans)
}

/// Looks once more at what looked wrong, as things are now.
fn confirm(
    reader: &dyn Reader,
    contents: &dyn Contents,
    broken: &[Digest],
    orphans: &[Digest],
    report: &mut Report,
) -> Result<()> {
    for &digest in broken {
        let filed_as = reader.filed_as(digest, PATHS)?;
        let Some(known) = reader.content(digest)?.filter(|_| !filed_as.is_empty()) else { continue };
        let told = |why| Broken { digest, why, filed_as };
        match inspect(contents, digest, known.size) {
            Condition::Sound => {}
            Condition::Missing => report.missing.push(told("missing".to_owned())),
            Condition::Damaged(why) => report.damaged.push(told(why)),
            Condition::Miscounted(bytes) => {
                let size = known.size;
                report.catalog.push(format!("content {digest} has {bytes} bytes, not {size} as on record"));
            }
        }
    }
    for &digest in orphans {
        report.orphans.extend(orphan(reader, contents, digest)?);
    }
    Ok(())
}

/// Where documents are gone that should be there, a content that no document has may be theirs, and the last trace of
/// them: each says so, and is not removed.
fn spare(catalog: &dyn Catalog, report: &mut Report) -> Result<()> {
    if report.orphans.is_empty() {
        return Ok(());
    }
    if let Some(loss) = catalog.read()?.losses()?.first() {
        let why = format!("not removed, for it may be what is lost: {loss}");
        report.orphans.iter_mut().for_each(|orphan| orphan.why.clone_from(&why));
    }
    Ok(())
}

/// The content as an orphan, if it is one now.
fn orphan(reader: &dyn Reader, contents: &dyn Contents, digest: Digest) -> Result<Option<Orphan>> {
    if !reader.filed_as(digest, 1)?.is_empty() {
        return Ok(None);
    }
    // What cannot be looked at is there.
    let stored = contents.size(digest).map_or(true, |size| size.is_some());
    let kind = match (stored, reader.content(digest)?) {
        (true, _) => OrphanKind::Content,
        (false, Some(_)) => OrphanKind::Record,
        (false, None) => return Ok(None),
    };
    Ok(Some(Orphan::new(kind, digest.to_string())))
}

impl Orphan {
    fn new(kind: OrphanKind, name: String) -> Orphan {
        Orphan { kind, name, why: String::new() }
    }
}
