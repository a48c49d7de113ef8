//! The first half of the line, for one mail: read once, envelope, message, digests, proof of its sender. It changes
//! nothing, so any number of workers may do it side by side.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use mailshelf_storage::digest::Hasher;
use mailshelf_storage::{Digest, failpoint};

use crate::config::Limits;
use crate::drop::{Claimed, Format, NotTaken, Taken};
use crate::envelope::{self, Envelope};
use crate::explain::words::beyond;
use crate::file::{ReadMail, Refusal};
use crate::message::likeness::likeness;
use crate::message::{self, Headline, Unreadable};
use crate::outcome::Reason;
use crate::pass::proof::Prover;
use crate::sender::Verification;

/// A claimed mail, read as far as it can be.
#[derive(Debug)]
pub struct Prepared {
    /// Its claim.
    pub claimed: Claimed,
    /// When the file came to the drop.
    pub arrived_at: Timestamp,
    /// How long this took.
    pub elapsed: Duration,
    /// What came of it.
    pub reading: Reading,
    /// What proves its sender.
    pub verification: Verification,
}

/// What came of reading a mail.
#[derive(Debug)]
pub enum Reading {
    /// It was read.
    Read {
        /// Who sends it to whom, as our own server wrote it.
        envelope: Envelope,
        /// Bytes of the message.
        size: u64,
        /// Their digest.
        digest: Digest,
        /// The message itself.
        whole: Whole,
    },
    /// It is still being written.
    Busy(String),
    /// It could not be read.
    Fault {
        /// Why.
        why: String,
        /// Whether that is a fault of the site, not of this file.
        site: bool,
    },
    /// We panicked over it. Whose fault that is, a process of its own finds out: it may have been short of something.
    Panicked(String),
    /// Reading it breaks us: our fault.
    Culprit(String),
}

/// A message, or why it is not read.
#[derive(Debug)]
pub enum Whole {
    /// Read, and within the limits.
    Mail(Box<ReadMail>),
    /// Refused as a whole, for every recipient.
    Unfit(Refusal, Box<Headline>),
}

/// Far more than parsing needs within the limits, and only touched pages count.
pub const STACK: usize = 16 << 20;

/// About what a recipient weighs once everything is decided, in bytes.
const RECIPIENT: usize = 1 << 10;

/// The envelope block may have so many bytes beside the message's own limit.
const ENVELOPE_ROOM: u64 = 1 << 20;

impl Prepared {
    /// A mail that is not to be read.
    pub fn unread(claimed: Claimed, reading: Reading) -> Prepared {
        let (arrived_at, elapsed) = (Timestamp::now(), Duration::ZERO);
        Prepared { claimed, arrived_at, elapsed, reading, verification: Verification::NotAsked }
    }

    /// Has its sender verified, where that can matter.
    pub fn prove(&mut self, prover: &Prover<'_>) {
        let Reading::Read { envelope, whole: Whole::Mail(read), .. } = &self.reading else { return };
        let prove = || prover.prove(&envelope.recipients, read, self.arrived_at);
        match catch_unwind(AssertUnwindSafe(prove)) {
            Ok(verification) => self.verification = verification,
            Err(panic) => self.reading = Reading::Panicked(panicked(panic.as_ref())),
        }
    }

    /// DNS did not tell who sent it. Where that is because nobody waited, it is as if it had never been read.
    pub fn lacks_proof(&self) -> bool {
        matches!(self.verification, Verification::Unavailable(_))
    }

    /// Bytes it holds in memory, for closing a batch.
    pub fn weight(&self) -> usize {
        match &self.reading {
            Reading::Read { envelope, whole: Whole::Mail(read), .. } => {
                read.bytes.len() + read.message.decoded_bytes() + RECIPIENT * envelope.recipients.len()
            }
            _ => 0,
        }
    }
}

/// The largest file that is read as a whole, in bytes; of a larger one only the beginning is parsed.
pub(crate) fn at_most(limits: &Limits) -> u64 {
    limits.message.saturating_add(ENVELOPE_ROOM)
}

/// Reads one mail, and has its sender verified. `blame` is told before its bytes are looked at, and its result dropped
/// after.
pub fn prepare<G>(
    claimed: Claimed,
    format: Format,
    limits: &Limits,
    prover: &Prover<'_>,
    blame: impl FnOnce() -> G,
) -> Prepared {
    let started = Instant::now();
    let mut arrived_at = Timestamp::now();
    let mut blamed = None;
    let reading = match claimed.read(at_most(limits)) {
        Err(NotTaken::Busy(why)) => Reading::Busy(why),
        Err(NotTaken::Fault { why, site }) => Reading::Fault { why, site },
        Ok(taken) => {
            arrived_at = taken.arrived_at;
            blamed = Some(blame());
            // What a worker was doing when it panicked is dropped whole; nothing half-done is used again.
            catch_unwind(AssertUnwindSafe(|| read(taken, format, limits)))
                .unwrap_or_else(|panic| Reading::Panicked(panicked(panic.as_ref())))
        }
    };
    let (elapsed, verification) = (Duration::ZERO, Verification::NotAsked);
    let mut prepared = Prepared { claimed, arrived_at, elapsed, reading, verification };
    prepared.prove(prover);
    drop(blamed);
    prepared.elapsed = started.elapsed();
    prepared
}

/// What a caught panic says.
pub(super) fn panicked(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or(panic.downcast_ref::<String>().map(String::as_str));
    format!("mailshelf failed over it: {}", text.unwrap_or("panic"))
}

fn read(taken: Taken, format: Format, limits: &Limits) -> Reading {
    let envelope = match format {
        Format::Folder => envelope::folder(&taken.bytes),
        Format::Maildir => envelope::maildir(&taken.bytes),
    };
    let Taken { mut bytes, rest, .. } = taken;
    bytes.drain(..envelope.message.min(bytes.len()));
    let mut hasher = Hasher::default();
    hasher.update(&bytes);
    let mut size = bytes.len() as u64;
    if let Some(rest) = rest {
        let hashed = rest.each(|piece| {
            hasher.update(piece);
            size += piece.len() as u64;
        });
        match hashed {
            Err(NotTaken::Busy(why)) => return Reading::Busy(why),
            Err(NotTaken::Fault { why, site }) => return Reading::Fault { why, site },
            Ok(()) => {}
        }
    }
    let digest = hasher.finish();
    let whole = whole(bytes, size, digest, limits);
    Reading::Read { envelope, size, digest, whole }
}

/// What the settings say of messages, in the terms of [`message::read`].
pub fn bounds(limits: &Limits) -> message::Limits {
    message::Limits { parts: limits.parts, depth: limits.depth, ..message::Limits::default() }
}

fn whole(bytes: Vec<u8>, size: u64, digest: Digest, limits: &Limits) -> Whole {
    let unfit = |reason, because| {
        Whole::Unfit(Refusal { reason, because: Some(because) }, Box::new(message::headline(&bytes)))
    };
    if size > limits.message {
        return unfit(Reason::MessageTooLarge, beyond(size, "limits.message", limits.message));
    }
    match message::read(&bytes, &bounds(limits)) {
        Err(Unreadable::TooComplex(why)) => unfit(Reason::TooComplex, why),
        Err(Unreadable::Malformed(why)) => unfit(Reason::Malformed, why),
        Ok(message) => {
            failpoint::reached("parsed", message.headline.message_id.as_deref().unwrap_or_default());
            let digests = message.parts.iter().map(|part| Digest::of(part.content.bytes(&bytes)));
            let part_digests: Vec<_> = digests.collect();
            let likeness = likeness(&bytes, &message.parts, &part_digests);
            Whole::Mail(Box::new(ReadMail { digest, likeness, part_digests, message, bytes }))
        }
    }
}
