//! A pass: the drop's mail, a batch at a time, down the whole line.
//!
//! A batch is decided by one snapshot of the settings, its contents are made durable, one transaction records it,
//! and only then is anything of it unlinked: see [`commit`]. While one batch is committed the next is read: see
//! `produce`. Mail that waits from earlier comes after the new, and mail that may have killed a worker last and alone
//! ([`blame`]): one bad mail never holds up the others.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use mailshelf_storage::durable::sweep;
use mailshelf_storage::model;
use mailshelf_storage::{Error, PassId};

use crate::config::Rejected;
use crate::dispose::kept;
use crate::drop::{Claimed, DropError, DropFolder};
use crate::escape::Escaped;
use crate::record::words::{Expired, FaultEvent, PassEvent};
use crate::recycle;
use crate::site::Site;
use blame::Finding;
use conclude::{end_passes, end_replays};
use inherit::inherit;
use patience::Patience;
use prepare::{Prepared, Reading, prepare};
use produce::{COMPLAINTS, Complaint, Produced, Producer};
use proof::Prover;

pub mod blame;
pub mod commit;
mod conclude;
pub mod decide;
mod inherit;
pub mod prepare;
mod produce;
pub mod patience;
pub mod proof;
mod store;

pub use conclude::unable;
pub use produce::workers;

/// A pass takes at most so many mails, so that its event stays bounded.
const PASS_MAILS: usize = 10_000;
/// A mail that takes longer to be written is worth an event.
const LONG: SignedDuration = SignedDuration::from_mins(1);
/// The longest that a pass waits for mail to settle; what needs longer is left for the next one.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why there was no pass, or none to its end.
#[derive(Debug, thiserror::Error)]
pub enum PassError {
    /// The drop folder.
    #[error(transparent)]
    Drop(#[from] DropError),
    /// The catalog, the contents or the event file.
    #[error(transparent)]
    Storage(#[from] Error),
}

/// A pass that ended, as it stands in the event log.
#[derive(Debug)]
pub struct Completed {
    /// Its event.
    pub event: PassEvent,
    /// What was wrong with single mails: its 6872 and 6873.
    pub warnings: Vec<FaultEvent>,
    /// All of these as the event file has them, in order.
    pub lines: Vec<String>,
    /// What went wrong besides, in words.
    pub faults: Vec<String>,
}

/// What a run takes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// All there is.
    Everything,
    /// What has arrived. Mail that waits is left alone: how often it is tried must not hang on how much other mail
    /// comes.
    Arrivals,
}

/// Makes passes until the drop is empty, at least one; each is given to `done` as soon as its event is on record.
/// `stop` ends it after the batch in hand.
pub fn run(
    site: &Site,
    drop: &DropFolder,
    scope: Scope,
    stop: &AtomicBool,
    mut done: impl FnMut(Completed),
) -> Result<(), PassError> {
    end_passes(site, &site.config.site.node)?;
    end_replays(site)?;
    let mut inherited = inherit(site, drop)?;
    match scope {
        Scope::Everything => tidy(site),
        Scope::Arrivals => {
            inherited.waiting.clear();
            inherited.suspects.clear();
            inherited.gone.clear();
        }
    }
    let (mut busy, mut panicked, mut noticed) = (Vec::new(), Vec::new(), Vec::new());
    loop {
        let mut pass = Pass::begin(site, drop, stop, scope)?;
        pass.busy.append(&mut busy);
        pass.panicked.append(&mut panicked);
        pass.noticed.append(&mut noticed);
        pass.dispose_settled(std::mem::take(&mut inherited.settled));
        pass.complaints.extend(inherited.gone.drain(..).take(COMPLAINTS).map(Complaint::of_gone));
        let rest = inherited.fresh.split_off(inherited.fresh.len().min(PASS_MAILS));
        let fresh = std::mem::replace(&mut inherited.fresh, rest);
        let waiting =
            if inherited.fresh.is_empty() { std::mem::take(&mut inherited.waiting) } else { Vec::new() };
        let mut produced = pass.work(fresh, waiting);
        if let Ok(produced) = &mut produced {
            inherited.waiting.append(&mut produced.waiting);
        }
        let more = !inherited.fresh.is_empty() || produced.as_ref().is_ok_and(|produced| produced.more);
        if more {
            busy.append(&mut pass.busy);
            panicked.append(&mut pass.panicked);
        } else {
            pass.look_again();
            pass.examine_panicked();
            pass.purge();
            // Last: one of them may kill this process, too.
            pass.examine(std::mem::take(&mut inherited.suspects));
        }
        pass.left_work |= more && pass.cut_off();
        let more = more && !pass.cut_off() && !pass.stalled;
        let (completed, keys) = pass.finish(produced, !more)?;
        noticed = keys;
        done(completed);
        if !more {
            return Ok(());
        }
    }
}

/// Removes what interrupted writes have left. What cannot be removed is in nobody's way.
fn tidy(site: &Site) {
    let folders = [&site.config.drop.kept, &site.config.drop.badmail];
    let swept = folders.into_iter().map(|folder| sweep(folder)).chain([site.contents.tidy()]);
    for error in swept.filter_map(Result::err) {
        tracing::warn!(why = %Escaped(&error.to_string()), "leftovers not removed");
    }
}

/// One pass under way; the committing side.
struct Pass<'a> {
    site: &'a Site,
    drop: &'a DropFolder,
    stop: &'a AtomicBool,
    pass: model::Pass,
    begun: Instant,
    /// The newest event when it began.
    events_before: u64,
    scope: Scope,
    /// Claims that were still being written.
    busy: Vec<Claimed>,
    /// Mails that we panicked over.
    panicked: Vec<Prepared>,
    /// What is wrong with single files: to be complained of once.
    complaints: Vec<Complaint>,
    /// The keys of what earlier passes of this run complained of.
    noticed: Vec<String>,
    /// What went wrong, in words.
    faults: Vec<String>,
    /// Some mail got its final outcome.
    settled_any: bool,
    /// Several mails in a row could not be settled: nothing more is taken from the drop in this run.
    stalled: bool,
    /// Nothing can be put on record any more.
    broken: bool,
    /// What was deleted because its term was over.
    purged: Expired,
    /// It was told to stop before all was done.
    left_work: bool,
}

impl<'a> Pass<'a> {
    fn begin(
        site: &'a Site,
        drop: &'a DropFolder,
        stop: &'a AtomicBool,
        scope: Scope,
    ) -> Result<Pass<'a>, Error> {
        let node = site.config.site.node.clone();
        let pass = model::Pass { id: PassId::generate(), node, started_at: Timestamp::now() };
        let mut writer = site.catalog.write()?;
        let events_before = writer.last_event()?;
        writer.begin_pass(&pass)?;
        writer.commit()?;
        Ok(Pass {
            site,
            drop,
            stop,
            pass,
            begun: Instant::now(),
            events_before,
            scope,
            busy: Vec::new(),
            panicked: Vec::new(),
            complaints: Vec::new(),
            noticed: Vec::new(),
            faults: Vec::new(),
            settled_any: false,
            stalled: false,
            broken: false,
            purged: Expired::default(),
            left_work: false,
        })
    }

    fn cut_off(&self) -> bool {
        self.broken || self.stop.load(Ordering::Relaxed)
    }

    fn complain_of(&mut self, claimed: &Claimed, why: String) {
        if self.complaints.len() < COMPLAINTS {
            self.complaints.push(Complaint::of_claim(claimed, why));
        }
    }

    /// Takes claims and the drop down the line.
    fn work(&mut self, fresh: Vec<Claimed>, waiting: Vec<Claimed>) -> Result<Produced, DropError> {
        self.overlapped(move |producer, batches| producer.produce(fresh, waiting, batches))
    }

    /// Has mail read on other threads while this one commits what was read before.
    fn overlapped<T: Send>(
        &mut self,
        produce: impl FnOnce(&Producer<'_>, &SyncSender<Vec<Prepared>>) -> Result<T, DropError> + Send,
    ) -> Result<T, DropError> {
        let producer = Producer {
            drop: self.drop,
            limits: &self.site.config.limits,
            prover: Prover::of(self.site, self.stop, Patience::with_new()),
            again: Prover::of(self.site, self.stop, Patience::with_waiting()),
            stop: self.stop,
            at_most: PASS_MAILS,
        };
        // One batch may wait while one is committed and one is read: that bounds the memory.
        let (sender, batches) = sync_channel(1);
        thread::scope(|scope| {
            let producing = thread::Builder::new()
                .stack_size(prepare::STACK)
                .spawn_scoped(scope, move || produce(&producer, &sender))
                .map_err(|error| DropError::thread(error, &self.site.config.drop.path))?;
            for batch in &batches {
                self.commit(batch);
                if self.broken || self.stalled {
                    break;
                }
            }
            // Whoever still produces finds nobody listening, and ends.
            drop(batches);
            producing.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// Mails that a worker died over are read alone, in a child, and then one by one. A suspicion that could not be
    /// looked into stays noted, for the next run.
    fn examine(&mut self, suspects: Vec<Claimed>) {
        for suspect in suspects {
            if self.cut_off() {
                self.left_work = true;
                return;
            }
            self.stalled = false;
            let id = suspect.id;
            let acquitted = match self.finding(&suspect) {
                // Acquitted only afterwards: if it kills us all the same, it is taken last and alone again.
                Finding::Harmless => match self.read_and_commit(suspect) {
                    Ok(true) => self.drop.slots().acquit(id),
                    unsettled => unsettled.map(drop),
                },
                Finding::Culprit(why) => {
                    // Once that is on record nobody reads it again, suspect or not.
                    self.commit(vec![Prepared::unread(suspect, Reading::Culprit(why))]);
                    Ok(())
                }
                Finding::Unknown(why) => {
                    self.commit(vec![Prepared::unread(suspect, Reading::Fault { why, site: true })]);
                    // That may have taken long, and so may the others: new mail comes first.
                    return;
                }
            };
            self.faults.extend(acquitted.err().map(|error| error.to_string()));
        }
    }

    fn finding(&self, suspect: &Claimed) -> Finding {
        match &self.site.program {
            Some(program) => {
                blame::examine(program, &self.site.config, suspect, self.drop.format(), self.stop)
            }
            None => Finding::Unknown("no program to read it alone with".to_owned()),
        }
    }

    /// Mails that we panicked over are read alone too: only if that panics as well it is they that break us.
    fn examine_panicked(&mut self) {
        for mail in std::mem::take(&mut self.panicked) {
            if self.cut_off() {
                self.left_work = true;
                return;
            }
            match self.finding(&mail.claimed) {
                Finding::Harmless => {
                    let read = self.read_and_commit(mail.claimed);
                    self.faults.extend(read.err().map(|error| error.to_string()));
                }
                Finding::Culprit(_) => self.give_up(mail),
                Finding::Unknown(why) => {
                    self.commit(vec![Prepared::unread(mail.claimed, Reading::Fault { why, site: true })]);
                }
            }
        }
    }

    /// Puts a mail that breaks us on record, so that nobody reads it again.
    fn give_up(&mut self, mut mail: Prepared) {
        if let Reading::Panicked(why) = mail.reading {
            mail.reading = Reading::Culprit(why);
        }
        self.commit(vec![mail]);
    }

    /// Mails that were still being written get one more chance, once they have had time to settle. How long a
    /// process keeps one open nobody knows: nobody waits for that.
    fn look_again(&mut self) {
        let busy = std::mem::take(&mut self.busy);
        let wait = busy.iter().filter_map(Claimed::worth_waiting).max().unwrap_or_default();
        let until = Instant::now() + wait.min(PATIENCE);
        while Instant::now() < until && !self.cut_off() {
            thread::sleep(Duration::from_millis(10));
        }
        // As many as a pass may take; the others are claimed, and the next run begins with them.
        let busy: Vec<_> = busy.into_iter().take(PASS_MAILS).collect();
        self.stalled = false;
        match self.overlapped(move |producer, batches| producer.again(busy, batches)) {
            Ok(seen) => self.left_work |= !seen,
            Err(error) => self.faults.push(error.to_string()),
        }
        let now = Timestamp::now();
        let still = std::mem::take(&mut self.busy);
        for claimed in still.into_iter().filter(|claimed| now.duration_since(claimed.id.time()) > LONG) {
            // Nobody would know why it is not filed.
            let why = "somebody still has it open for writing, or it still changes".to_owned();
            self.complain_of(&claimed, why);
        }
    }

    /// Deletes kept mail and removed documents whose term is over; a replay, whose mail is kept by its source, does not.
    fn purge(&mut self) {
        let drop = &self.site.config.drop;
        if self.scope != Scope::Everything || drop.rejected == Rejected::Copied || self.cut_off() {
            return;
        }
        let (site, now) = (self.site, Timestamp::now());
        let Expired { mails, documents } = &mut self.purged;
        let ended = [
            kept::purge_expired(&site.config, &*site.catalog, now, mails),
            recycle::purge_expired(site, now, documents),
        ];
        self.faults.extend(ended.into_iter().filter_map(Result::err).map(|error| error.to_string()));
    }

    /// Reads one mail, with the stack that it had in the child, and commits it; false if that came to nothing.
    fn read_and_commit(&mut self, claimed: Claimed) -> Result<bool, DropError> {
        let id = claimed.id;
        let blame = || self.drop.slots().enter(0, id).ok();
        let prover = Prover::of(self.site, self.stop, Patience::with_new());
        let read = || prepare(claimed, self.drop.format(), &self.site.config.limits, &prover, blame);
        let prepared = thread::scope(|scope| {
            let reading = thread::Builder::new().stack_size(prepare::STACK).spawn_scoped(scope, read)?;
            Ok(reading.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        });
        let prepared = prepared.map_err(|error| DropError::thread(error, &self.site.config.drop.path))?;
        if prepared.lacks_proof() && self.cut_off() {
            self.left_work = true;
            return Ok(false);
        }
        // A process of its own could read it, and this one cannot: there is nobody left to ask.
        self.give_up(prepared);
        Ok(!self.broken && !self.stalled)
    }
}
