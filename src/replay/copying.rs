//! The copying side of a replay: reads the source, mail by mail, and makes chunks of copies.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;

use mailshelf_storage::{Digest, Error, IoContext};

use super::block::{addressed, block};
use super::mbox::Mbox;
use super::source::{Found, Item, Kind, Source};
use super::spool::{self, Chunk, Copy};
use super::{GivenUp, Replay, Report, Step};
use crate::dispose::aside;
use crate::drop::{open_regular, shown};
use crate::envelope::{self, Envelope};

/// The names of so many files that are no mail are told.
const EXAMPLES: usize = 5;
/// How much of a file is read for its envelope; a block of more recipients is read on to its end, up to the most.
const HEAD: u64 = 1 << 20;
const MOST_HEAD: u64 = 64 << 20;
const PIECE: usize = 256 << 10;

/// Why copying went no further.
#[derive(Debug)]
pub enum Halt {
    /// This file of the source cannot be read; the next one may.
    Unreadable(io::Error),
    /// A copy could not be made.
    Failed(Error),
    /// Nobody wants more.
    Stopped,
}

impl From<io::Error> for Halt {
    fn from(error: io::Error) -> Halt {
        Halt::Unreadable(error)
    }
}

impl From<Error> for Halt {
    fn from(error: Error) -> Halt {
        Halt::Failed(error)
    }
}

/// Copies a source. Everything it makes goes out as chunks.
pub struct Copying<'a> {
    replay: &'a Replay,
    given_up: &'a GivenUp,
    stop: &'a AtomicBool,
    tell: &'a (dyn Fn(Step) + Sync),
    chunks: SyncSender<Chunk>,
    chunk: Chunk,
    report: Report,
}

/// One mail as the source has it.
struct Mail<'a> {
    item: &'a Item,
    /// Its number in an mbox, from 1.
    number: Option<u64>,
    file: &'a File,
    /// How the file looked before it was read.
    before: &'a Metadata,
    envelope: Envelope,
}

impl<'a> Copying<'a> {
    /// Ready to begin.
    pub fn new(
        replay: &'a Replay,
        given_up: &'a GivenUp,
        stop: &'a AtomicBool,
        tell: &'a (dyn Fn(Step) + Sync),
        chunks: SyncSender<Chunk>,
    ) -> Copying<'a> {
        let chunk = Chunk::new(&replay.spool);
        Copying { replay, given_up, stop, tell, chunks, chunk, report: Report::default() }
    }

    /// Copies all of it.
    pub fn run(mut self, sources: &[Source]) -> Result<Report, Halt> {
        for found in sources.iter().flat_map(Source::walk) {
            match found {
                Found::Item(item) => match self.item(&item) {
                    Err(Halt::Unreadable(error)) => self.complain(&item.path, None, &error),
                    done => done?,
                },
                Found::Fault(path, error) => self.complain(&path, None, &error),
                Found::PassedOver(name) => {
                    self.report.passed_over += 1;
                    if self.report.examples.len() < EXAMPLES {
                        self.report.examples.push(name);
                    }
                }
            }
        }
        self.send()?;
        Ok(self.report)
    }

    fn complain(&self, path: &Path, number: Option<u64>, error: &io::Error) {
        let which = number.map(|number| format!(", mail {number} and what follows it")).unwrap_or_default();
        let why = format!("source {}{which}: cannot be read: {error}", shown(path.as_os_str()));
        (self.tell)(Step::Complaint(why));
    }

    /// Hands over what there is, if there is anything.
    fn send(&mut self) -> Result<(), Halt> {
        if self.chunk.is_empty() {
            return Ok(());
        }
        let chunk = std::mem::replace(&mut self.chunk, Chunk::new(&self.replay.spool)).finish()?;
        self.chunks.send(chunk).map_err(|_| Halt::Stopped)
    }

    fn item(&mut self, item: &Item) -> Result<(), Halt> {
        let file = open_regular(&item.path)?;
        let before = file.metadata()?;
        if item.kind == Kind::Mbox {
            return self.mbox(item, &file, &before);
        }
        let envelope =
            if item.kind == Kind::Maildir { envelope::maildir(&head(&file, HEAD)?) } else { above(&file)? };
        let from = envelope.message as u64;
        let mail = Mail { item, number: None, file: &file, before: &before, envelope };
        self.mail(mail, |sink| copy_from(&file, from, sink))?;
        (self.tell)(Step::Copied(before.len()));
        Ok(())
    }

    fn mbox(&mut self, item: &Item, file: &File, before: &Metadata) -> Result<(), Halt> {
        let Some(mut mbox) = Mbox::open(file, self.replay.style)? else {
            return Err(io::Error::other("does not begin with a `From ` line, as an mbox does").into());
        };
        for number in 1.. {
            let from = mbox.offset();
            match self.next_of(
                &mut mbox,
                Mail { item, number: Some(number), file, before, envelope: Envelope::default() },
            ) {
                Ok(true) => (self.tell)(Step::Copied(mbox.offset() - from)),
                Ok(false) => break,
                Err(Halt::Unreadable(error)) => {
                    self.complain(&item.path, Some(number), &error);
                    break;
                }
                Err(halt) => return Err(halt),
            }
        }
        Ok(())
    }

    /// Copies the next mail of an mbox; false at its end.
    fn next_of(&mut self, mbox: &mut Mbox<'_>, mail: Mail<'_>) -> Result<bool, Halt> {
        let Some(head) = mbox.next_mail()? else { return Ok(false) };
        let envelope = envelope::maildir(&head.bytes);
        let sender = envelope.sender.clone().or_else(|| head.sender.clone());
        self.mail(Mail { envelope: Envelope { sender, ..envelope }, ..mail }, |sink| mbox.copy(&head, sink))?;
        Ok(true)
    }

    /// Copies one mail; `read` gives its message, piece by piece.
    fn mail(
        &mut self,
        mail: Mail<'_>,
        read: impl FnOnce(&mut dyn FnMut(&[u8]) -> Result<(), Halt>) -> Result<(), Halt>,
    ) -> Result<(), Halt> {
        let Mail { item, number, file, before, envelope } = mail;
        let envelope = addressed(envelope, &self.replay.to, &self.replay.site.config.site);
        let mut copy = self.chunk.begin(&block(&envelope))?;
        read(&mut |piece| match self.stop.load(Ordering::Relaxed) {
            true => Err(Halt::Stopped),
            false => Ok(copy.write(piece)?),
        })?;
        check_unchanged(file, before)?;
        if let Some(bad) = self.is_given_up(&mut copy)? {
            let which = number.map(|number| format!(", mail {number}")).unwrap_or_default();
            (self.tell)(Step::Complaint(format!(
                "source {}{which}: given up before, and not tried again while it stands in badmail: {}",
                shown(item.path.as_os_str()),
                shown(bad.as_os_str())
            )));
            return Ok(());
        }
        let arrived = if number.is_none() { before.modified().ok() } else { None };
        self.chunk.add(copy, &item.name, number, arrived)?;
        if self.chunk.is_full() { self.send() } else { Ok(()) }
    }

    fn is_given_up(&self, copy: &mut Copy) -> Result<Option<&'a Path>, Error> {
        let Some(candidates) = self.given_up.get(&copy.size()) else { return Ok(None) };
        let digest = copy.digest()?;
        let found = candidates.iter().find(|(known, _)| *known == digest);
        Ok(found.map(|(_, path)| path.as_path()))
    }
}

/// A mail that is still being written is no mail yet; the next replay finds it whole.
fn check_unchanged(file: &File, before: &Metadata) -> io::Result<()> {
    let now = file.metadata()?;
    let look = |meta: &Metadata| (meta.len(), meta.mtime(), meta.mtime_nsec());
    match look(&now) == look(before) {
        true => Ok(()),
        false => Err(io::Error::other("it changed while it was read")),
    }
}

/// The first bytes of a file.
fn head(file: &File, most: u64) -> io::Result<Vec<u8>> {
    let size = file.metadata()?.len().min(most);
    let mut bytes = vec![0; usize::try_from(size).unwrap_or(usize::MAX)];
    file.read_exact_at(&mut bytes, 0)?;
    Ok(bytes)
}

/// The envelope of a file that may have a block above its message.
fn above(file: &File) -> io::Result<Envelope> {
    let mut most = HEAD;
    loop {
        let bytes = head(file, most)?;
        let envelope = envelope::folder(&bytes);
        let has_block = bytes.get(..9).is_some_and(|start| start.eq_ignore_ascii_case(b"x-sender:"));
        // Only a line after the block, whole and seen, ends it.
        let rest = bytes.get(envelope.message..).unwrap_or_default();
        if !has_block || (bytes.len() as u64) < most || rest.contains(&b'\n') {
            return Ok(envelope);
        }
        if most >= MOST_HEAD {
            return Err(io::Error::other("its envelope does not end within 64 MiB"));
        }
        most *= 4;
    }
}

fn copy_from(file: &File, from: u64, sink: &mut dyn FnMut(&[u8]) -> Result<(), Halt>) -> Result<(), Halt> {
    let mut buffer = vec![0; PIECE];
    let mut at = from;
    loop {
        let read = file.read_at(&mut buffer, at)?;
        if read == 0 {
            return Ok(());
        }
        sink(buffer.get(..read).unwrap_or_default())?;
        at += read as u64;
    }
}

/// The mails that replays have given up: what kills its reader must not be copied and read again by each of them. One
/// that cannot be read is told of, and not known when it is met again.
pub fn given_up(badmail: &Path, tell: &(dyn Fn(Step) + Sync)) -> Result<GivenUp, Error> {
    let mut known = GivenUp::new();
    for kept in aside::kept_in(badmail)? {
        match kept.and_then(|kept| message_of(kept.path)) {
            Ok((size, digest, path)) => known.entry(size).or_default().push((digest, path)),
            Err(error) => tell(Step::Complaint(format!(
                "badmail of replays: {error}; if the source still has that mail, it is tried again"
            ))),
        }
    }
    Ok(known)
}

/// Size and digest of the message in a copy.
fn message_of(path: PathBuf) -> Result<(u64, Digest, PathBuf), Error> {
    let file = open_regular(&path).while_doing("open", &path)?;
    let message = above(&file).while_doing("read", &path)?.message as u64;
    let digest = spool::digest(&file, message).while_doing("read", &path)?;
    let size = file.metadata().while_doing("look at", &path)?.len().saturating_sub(message);
    Ok((size, digest, path))
}
