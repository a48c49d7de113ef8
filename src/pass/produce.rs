//! The producing side of a pass: claims mail and has it read, a batch at a time, while the other side commits.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Mutex, OnceLock};
use std::thread;

use mailshelf_storage::DeliveryId;
use mailshelf_storage::model::Mail;

use crate::config::Limits;
use crate::drop::{Claimed, DropError, DropFolder, Found};
use crate::pass::prepare::{Prepared, STACK, prepare};
use crate::pass::proof::Prover;
use crate::record::words::{MAIL_CRITICAL, MAIL_WARNING};

/// A batch closes at so many mails …
const BATCH_MAILS: usize = 256;
/// … or so many bytes in memory: with one batch being read, one waiting and one being committed, and a mail over the
/// edge of each, a pass stays within a bound that does not depend on the drop.
const BATCH_BYTES: usize = 24 << 20;
/// So many complaints go on record in one pass.
pub const COMPLAINTS: usize = 1000;

/// Something in the drop that is no mail, or not yet.
#[derive(Debug)]
pub struct Complaint {
    /// The same thing has the same key in each pass.
    pub key: String,
    /// Its name, as shown.
    pub file: String,
    /// The delivery, if it is one.
    pub mail: Option<DeliveryId>,
    /// What is wrong with it.
    pub why: String,
    /// The event that tells of it.
    pub event_id: u16,
}

impl Complaint {
    /// Of a mail that is claimed already.
    pub fn of_claim(claimed: &Claimed, why: String) -> Complaint {
        let (key, file) = (format!("claim {}", claimed.id), claimed.shown_name());
        Complaint { key, file, mail: Some(claimed.id), why, event_id: MAIL_WARNING }
    }

    /// Of a mail that waits, and whose file somebody took away.
    pub fn of_gone(mail: Mail) -> Complaint {
        let why = "it was waiting, and its file is gone from the claim folder: not by mailshelf".to_owned();
        let (key, id) = (format!("gone {}", mail.delivery), Some(mail.delivery));
        Complaint { key, file: mail.file, mail: id, why, event_id: MAIL_CRITICAL }
    }
}

/// What producing came to.
#[derive(Debug, Default)]
pub struct Produced {
    /// What is wrong in the drop.
    pub complaints: Vec<Complaint>,
    /// The whole drop was seen.
    pub complete: bool,
    /// The pass is full, and the drop may hold more.
    pub more: bool,
    /// Mail from earlier that there was no room for.
    pub waiting: Vec<Claimed>,
}

/// Claims and reads mail of one pass.
pub struct Producer<'a> {
    /// Where from.
    pub drop: &'a DropFolder,
    /// How large it may be.
    pub limits: &'a Limits,
    /// Who verifies its sender.
    pub prover: Prover<'a>,
    /// And that of mail that waits from earlier.
    pub again: Prover<'a>,
    /// Stop at the next mail.
    pub stop: &'a AtomicBool,
    /// At most so many mails.
    pub at_most: usize,
}

impl Producer<'_> {
    /// Sends batches until nothing is left, the pass is full, or nobody takes them any more: first what was claimed and
    /// not tried yet, then what is new, then what has been `waiting` from earlier.
    pub fn produce(
        &self,
        mut fresh: Vec<Claimed>,
        mut waiting: Vec<Claimed>,
        batches: &SyncSender<Vec<Prepared>>,
    ) -> Result<Produced, DropError> {
        let mut room = self.at_most.saturating_sub(fresh.len());
        // Whoever claimed them may have died before the claims were durable.
        if !self.sync_and_send(&mut fresh, &self.prover, batches)? {
            return Ok(Produced::default());
        }
        let mut produced = self.scan(&mut room, batches)?;
        if !produced.more {
            produced.waiting = waiting.split_off(waiting.len().min(room));
            produced.more = !produced.waiting.is_empty();
            produced.complete &= self.sync_and_send(&mut waiting, &self.again, batches)?;
        } else {
            produced.waiting = waiting;
        }
        Ok(produced)
    }

    /// Sends batches of mail that was looked at before; false if it was stopped.
    pub fn again(
        &self,
        claims: Vec<Claimed>,
        batches: &SyncSender<Vec<Prepared>>,
    ) -> Result<bool, DropError> {
        Ok(claims.is_empty() || self.send(claims, &self.prover, batches))
    }

    fn scan(&self, room: &mut usize, batches: &SyncSender<Vec<Prepared>>) -> Result<Produced, DropError> {
        let mut produced = Produced { more: *room == 0, ..Produced::default() };
        if produced.more {
            return Ok(produced);
        }
        let mut claims = Vec::new();
        for found in self.drop.scan()? {
            match found {
                Found::Fault(error) => return Err(error),
                Found::Claimed(claimed) => {
                    claims.push(claimed);
                    *room -= 1;
                }
                Found::Complaint { key, file, why } if produced.complaints.len() < COMPLAINTS => {
                    produced.complaints.push(Complaint {
                        key,
                        file,
                        mail: None,
                        why,
                        event_id: MAIL_WARNING,
                    });
                }
                Found::Complaint { .. } => {}
            }
            if claims.len() == BATCH_MAILS && !self.sync_and_send(&mut claims, &self.prover, batches)? {
                return Ok(produced);
            }
            if *room == 0 || self.stop.load(Ordering::Relaxed) {
                produced.more = *room == 0;
                self.sync_and_send(&mut claims, &self.prover, batches)?;
                return Ok(produced);
            }
        }
        produced.complete = self.sync_and_send(&mut claims, &self.prover, batches)?;
        Ok(produced)
    }

    /// The claims must be durable before anything of them is committed: a power cut must not bring back under its
    /// old name what is on record under its delivery id.
    fn sync_and_send(
        &self,
        claims: &mut Vec<Claimed>,
        prover: &Prover<'_>,
        batches: &SyncSender<Vec<Prepared>>,
    ) -> Result<bool, DropError> {
        if claims.is_empty() {
            return Ok(true);
        }
        self.drop.sync()?;
        Ok(self.send(std::mem::take(claims), prover, batches))
    }

    /// Reads claims in as many batches as their bytes ask for. False if nobody takes them any more.
    fn send(&self, claims: Vec<Claimed>, prover: &Prover<'_>, batches: &SyncSender<Vec<Prepared>>) -> bool {
        let queue = Mutex::new(claims.into_iter());
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return false;
            }
            let batch = self.read_batch(&queue, prover);
            if batch.is_empty() {
                // Told to stop, it may have left mail unread.
                return !self.stop.load(Ordering::Relaxed);
            }
            if batches.send(batch).is_err() {
                return false;
            }
        }
    }

    fn read_batch(&self, queue: &Mutex<std::vec::IntoIter<Claimed>>, prover: &Prover<'_>) -> Vec<Prepared> {
        let bytes = AtomicUsize::new(0);
        let count = AtomicUsize::new(0);
        let batch = Mutex::new(Vec::new());
        let work = |worker: usize| {
            while bytes.load(Ordering::Relaxed) < BATCH_BYTES
                && count.fetch_add(1, Ordering::Relaxed) < BATCH_MAILS
            {
                let Some(claimed) = lock(queue).next() else { break };
                let id = claimed.id;
                let blame = || self.drop.slots().enter(worker, id).ok();
                let prepared = prepare(claimed, self.drop.format(), self.limits, prover, blame);
                if prepared.lacks_proof() && self.stop.load(Ordering::Relaxed) {
                    // Its claim stays, and the next run goes on with it.
                    break;
                }
                bytes.fetch_add(prepared.weight(), Ordering::Relaxed);
                lock(&batch).push(prepared);
            }
        };
        let workers = workers().min(lock(queue).len());
        thread::scope(|scope| {
            for worker in 1..workers {
                // Too few threads for now is no fault: the work is done by those there are.
                let _ = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, move || work(worker));
            }
            work(0);
        });
        let mut batch = batch.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
        // Whichever was read first: what came first is filed first.
        batch.sort_by(|one, other| {
            (one.arrived_at, &one.claimed.name).cmp(&(other.arrived_at, &other.claimed.name))
        });
        batch
    }
}

/// How many mails are read at a time. It is found out once: the files that tell it are out of reach of a process that is
/// confined, and so it asks before that.
pub fn workers() -> usize {
    static WORKERS: OnceLock<usize> = OnceLock::new();
    *WORKERS.get_or_init(|| thread::available_parallelism().map_or(1, usize::from))
}

/// A panic of another worker left nothing half-done behind these locks.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}
