//! Blame: each worker notes which mail it is about to parse, and the committer which it is about to decide, so that
//! after a death only those are suspects. A file of fixed records in the claim folder, one for each of them. Never
//! synced: what the kernel has survives the death of a process, and a power cut is nobody's blame.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use mailshelf_storage::{DeliveryId, IoContext};

use super::{DropError, home, unique};

/// In each claim folder.
pub(crate) const SLOTS: &str = ".slots";
/// An id, blanks, and a newline, so that people can read it too.
const RECORD: usize = 32;
/// Slots of workers, of which the last one is the committer's; the records of suspects follow them.
const WORKERS: usize = 256;
/// The number of the one who decides what becomes of mail.
pub const COMMITTER: usize = WORKERS - 1;
/// More records than any machine has workers; what follows was not written by us.
const MOST: u64 = 1 << 16;
const EMPTY: [u8; RECORD] = *b"                               \n";

/// The slots of our workers. May be used by many threads at once, each under its own number.
#[derive(Debug)]
pub struct Slots {
    file: File,
    path: PathBuf,
    suspects: Mutex<Vec<DeliveryId>>,
}

impl Slots {
    /// Reads who was at work when the last owner of this claim folder died, and keeps them as suspects.
    pub(super) fn open(folder: &Path) -> Result<Slots, DropError> {
        let path = folder.join(SLOTS);
        let file = home::own_file(&path).while_doing("open", &path)?;
        let suspects = unique(read(&file).while_doing("read", &path)?);
        let slots = Slots { file, path, suspects: Mutex::new(suspects) };
        // The suspects first: whoever dies between the two leaves them noted twice, not never.
        slots.note_suspects(&slots.lock())?;
        slots.file.write_all_at(&EMPTY.repeat(WORKERS), 0).while_doing("write", &slots.path)?;
        Ok(slots)
    }

    /// Notes that worker number `worker` (from 0; those beyond the slots share the last one) has `id` in hand; forgotten
    /// when the note is dropped, which a death does not do.
    pub fn enter(&self, worker: usize, id: DeliveryId) -> Result<Note<'_>, DropError> {
        let slot = worker.min(WORKERS - 1);
        self.write(slot, Some(id))?;
        Ok(Note { slots: self, slot })
    }

    /// The mails that somebody had in hand who died, here or on a node that was adopted, and that nobody
    /// has acquitted since: a suspicion outlives every process that dies before it could look into it.
    pub fn suspects(&self) -> Vec<DeliveryId> {
        self.lock().clone()
    }

    /// It was looked into: no longer a suspect.
    pub fn acquit(&self, id: DeliveryId) -> Result<(), DropError> {
        let mut suspects = self.lock();
        suspects.retain(|suspect| *suspect != id);
        self.note_suspects(&suspects)
    }

    /// Takes over the suspects of another claim folder.
    pub(super) fn suspect(&self, ids: Vec<DeliveryId>) -> Result<(), DropError> {
        let mut suspects = self.lock();
        suspects.extend(ids);
        *suspects = unique(std::mem::take(&mut *suspects));
        self.note_suspects(&suspects)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<DeliveryId>> {
        self.suspects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Their records follow those of the workers, and nothing follows them.
    fn note_suspects(&self, suspects: &[DeliveryId]) -> Result<(), DropError> {
        for (nth, id) in suspects.iter().enumerate() {
            self.write(WORKERS + nth, Some(*id))?;
        }
        let end = (WORKERS + suspects.len()) as u64 * RECORD as u64;
        Ok(self.file.set_len(end).while_doing("cut", &self.path)?)
    }

    fn write(&self, slot: usize, id: Option<DeliveryId>) -> Result<(), DropError> {
        let mut record = EMPTY;
        let text = id.map(|id| id.to_string()).unwrap_or_default();
        record.iter_mut().zip(text.bytes()).for_each(|(byte, letter)| *byte = letter);
        Ok(self.file.write_all_at(&record, slot as u64 * RECORD as u64).while_doing("write", &self.path)?)
    }
}

/// A worker has a mail in hand, until this is dropped.
#[derive(Debug)]
pub struct Note<'a> {
    slots: &'a Slots,
    slot: usize,
}

impl Drop for Note<'_> {
    fn drop(&mut self) {
        // Left standing it makes a suspect of an innocent mail, which is parsed with more care and filed.
        let _ = self.slots.write(self.slot, None);
    }
}

/// The ids a slot file names; what is no record of ours is passed over.
pub(super) fn read(file: &File) -> io::Result<Vec<DeliveryId>> {
    read_from(file, 0)
}

/// The suspects that a slot file names while its owner lives, who has innocent mail in the slots of its workers.
pub(super) fn read_suspects(file: &File) -> io::Result<Vec<DeliveryId>> {
    read_from(file, WORKERS as u64)
}

fn read_from(mut file: &File, first: u64) -> io::Result<Vec<DeliveryId>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(first * RECORD as u64))?;
    file.take((MOST - first) * RECORD as u64).read_to_end(&mut bytes)?;
    let (records, _) = bytes.as_chunks();
    Ok(records.iter().filter_map(id_in).collect())
}

fn id_in(record: &[u8; RECORD]) -> Option<DeliveryId> {
    str::from_utf8(record).ok()?.trim_end().parse().ok()
}
