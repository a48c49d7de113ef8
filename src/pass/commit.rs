//! The committing side of a pass: decide, store, record, dispose, in this order and no other.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use jiff::Timestamp;
use mailshelf_storage::model::{Outcome, OutcomeKind};
use mailshelf_storage::{DeliveryId, Error, failpoint};

use super::prepare::{Prepared, Reading, panicked};
use super::{Pass, decide, store};
use crate::config::Rejected;
use crate::dispose::Disposer;
use crate::drop::{COMMITTER, Claimed};
use crate::escape::Escaped;
use crate::outcome::Reason;
use crate::record::quota::Terms;
use crate::record::{Book, Decided, Fate, Settled, Unwritten};

/// Settings that change during so many decisions in a row change too fast.
const DECISIONS: u32 = 20;
/// After so many mails in a row that could not be recorded, the rest of the drop is left where it is.
const FAILURES: u32 = 3;

/// What became of each mail of a batch: settled, or refused by the catalog for itself alone.
type Batch = Vec<Result<Settled, Error>>;

/// Why a batch was not settled.
enum Unsettled {
    /// Storage failed.
    Failed(Error),
    /// We did.
    Panicked(String),
}

impl From<Error> for Unsettled {
    fn from(error: Error) -> Unsettled {
        Unsettled::Failed(error)
    }
}

impl std::fmt::Display for Unsettled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Unsettled::Failed(error) => error.fmt(f),
            Unsettled::Panicked(why) => f.write_str(why),
        }
    }
}

impl Pass<'_> {
    /// Takes a batch from decision to disposal; if it fails as a whole, each mail alone.
    pub(super) fn commit(&mut self, batch: Vec<Prepared>) {
        let (busy, batch): (Vec<_>, Vec<_>) =
            batch.into_iter().partition(|mail| matches!(mail.reading, Reading::Busy(_)));
        self.busy.extend(busy.into_iter().map(|mail| mail.claimed));
        let (panicked, batch): (Vec<_>, Vec<_>) =
            batch.into_iter().partition(|mail| matches!(mail.reading, Reading::Panicked(_)));
        self.panicked.extend(panicked);
        if batch.is_empty() {
            return;
        }
        match self.settle(&batch, None) {
            Ok(settled) => {
                tracing::debug!(pass = %self.pass.id, mails = batch.len(), "batch committed");
                self.conclude_batch(&batch, settled);
            }
            Err(error) => {
                let why = error.to_string();
                tracing::warn!(why = %Escaped(&why), mails = batch.len(), "batch failed; trying each mail alone");
                self.commit_each(&batch);
            }
        }
    }

    fn commit_each(&mut self, batch: &[Prepared]) {
        let mut failures = 0;
        for mail in batch {
            if self.cut_off() {
                return;
            }
            let alone = std::slice::from_ref(mail);
            match self.settle(alone, None) {
                Ok(settled) => {
                    failures = 0;
                    self.conclude_batch(alone, settled);
                }
                Err(error) => {
                    failures += 1;
                    self.put_off(alone, &error);
                    if failures == FAILURES {
                        self.faults.push(error.to_string());
                        self.stalled = true;
                        return;
                    }
                }
            }
        }
    }

    /// Records of one mail that it waits, and why. If not even that can be done, nothing can.
    fn put_off(&mut self, alone: &[Prepared], error: &Unsettled) {
        let why = error.to_string();
        for mail in alone {
            let file = mail.claimed.shown_name();
            tracing::warn!(why = %Escaped(&why), file = %Escaped(&file), "mail put off");
        }
        let fate = match error {
            // While others are settled it is this mail that we stumble over.
            Unsettled::Panicked(_) if self.settled_any => Fate::Fails(why),
            _ => Fate::Waits(why),
        };
        match self.settle(alone, Some(fate)) {
            Ok(settled) => self.conclude_batch(alone, settled),
            Err(worse) => {
                self.faults.push(worse.to_string());
                self.broken = true;
            }
        }
    }

    /// Decides, stores and records; decides again if the settings changed meanwhile or a content is missing. `fate`
    /// stands in for a decision: then nothing is decided or stored. A panic is caught and is no end of the pass.
    fn settle(&self, batch: &[Prepared], fate: Option<Fate>) -> Result<Batch, Unsettled> {
        let mut all_of = HashSet::new();
        for _ in 0..DECISIONS {
            // What was being written when it panicked is taken back: the writer is dropped without a commit.
            let tried = catch_unwind(AssertUnwindSafe(|| self.try_settle(batch, fate.as_ref(), &all_of)));
            match tried.map_err(|panic| Unsettled::Panicked(panicked(panic.as_ref())))? {
                Ok(settled) => return Ok(settled),
                Err(Unwritten::Failed(error)) => return Err(error.into()),
                Err(Unwritten::Stale) => {}
                Err(Unwritten::Missing(mail)) => {
                    all_of.insert(mail);
                }
            }
        }
        let name = self.site.config.storage.catalog.display().to_string();
        let why = "settings or contents change faster than mail can be decided".to_owned();
        Err(Error::Catalog { name, action: "decide", why }.into())
    }

    /// What looks like a duplicate, or as if it found no room, gets no contents, unless that was wrong of it: `all_of`.
    fn try_settle(
        &self,
        batch: &[Prepared],
        fate: Option<&Fate>,
        all_of: &HashSet<DeliveryId>,
    ) -> Result<Batch, Unwritten> {
        let site = self.site;
        let reader = site.catalog.read()?;
        let version = reader.settings_version()?;
        let decided = batch.iter().map(|mail| match fate {
            Some(fate) => Ok(decide::undecided(mail, &site.config, fate.clone())),
            None => {
                // Deciding reads what strangers wrote, too: names, and the first bytes of files.
                let _blamed = self.drop.slots().enter(COMMITTER, mail.claimed.id);
                let decided = decide::decide(mail, &site.config, &*reader);
                decided.inspect(|Decided { mail, .. }| {
                    failpoint::reached("judged", mail.message_id.as_deref().unwrap_or_default());
                })
            }
        });
        let decided = decided.collect::<Result<Vec<_>, _>>()?;
        let terms = Terms::of(&site.config.drop, Timestamp::now());
        let wanted = store::wanted(&decided, &*site.contents, &*reader, terms, all_of)?;
        if !wanted.is_empty() {
            site.contents.put(&wanted)?;
        }
        drop(reader);
        failpoint::reached("stored", "");
        let (catalog, contents) = (&*site.catalog, &*site.contents);
        let book = Book { catalog, contents, pass: &self.pass, drop: &site.config.drop };
        let settled = book.record(version, &decided)?;
        failpoint::reached("committed", "");
        Ok(settled)
    }

    fn conclude_batch(&mut self, batch: &[Prepared], settled: Batch) {
        let mut disposer = Disposer::default();
        for (mail, settled) in batch.iter().zip(settled) {
            self.settled_any |= matches!(settled, Ok(Settled::Final));
            let disposed = match settled {
                Ok(settled) => self.dispose(&mut disposer, &mail.claimed, settled),
                Err(error) => self.refused(mail, &error),
            };
            if let Err(why) = disposed {
                self.undisposed(&mail.claimed, why);
            }
        }
        if let Err(error) = disposer.sync() {
            self.faults.push(error.to_string());
        }
    }

    /// Deals with claims whose fate was on record before this run: nothing of them is read again.
    pub(super) fn dispose_settled(&mut self, claims: Vec<(Claimed, Settled)>) {
        let mut disposer = Disposer::default();
        for (claimed, settled) in claims {
            if let Err(why) = self.dispose(&mut disposer, &claimed, settled) {
                self.undisposed(&claimed, why);
            }
        }
        self.faults.extend(disposer.sync().err().map(|error| error.to_string()));
    }

    fn dispose(&self, disposer: &mut Disposer, claimed: &Claimed, settled: Settled) -> Result<(), String> {
        let done = match settled {
            Settled::Final => return self.dispose_final(disposer, claimed),
            Settled::Badmail => disposer.set_aside(claimed, &self.site.config.drop.badmail).map(drop),
            Settled::Waiting => Ok(()),
        };
        done.map_err(|error| error.to_string())
    }

    /// Every recipient has a final outcome on record: the claim may go, or be kept aside where a reason asks for it.
    fn dispose_final(&self, disposer: &mut Disposer, claimed: &Claimed) -> Result<(), String> {
        let outcomes = self.site.catalog.read().and_then(|reader| reader.outcomes(claimed.id));
        let outcomes = outcomes.map_err(|error| error.to_string())?;
        let done = if is_kept(&outcomes, self.site.config.drop.rejected) {
            disposer.keep(claimed, &self.site.config.drop.kept).map(drop)
        } else {
            disposer.discard(claimed)
        };
        done.map_err(|error| error.to_string())
    }

    /// The catalog refused this mail alone: it waits, but not for ever.
    fn refused(&mut self, mail: &Prepared, error: &Error) -> Result<(), String> {
        let alone = std::slice::from_ref(mail);
        let settled = self.settle(alone, Some(Fate::Fails(error.to_string())));
        let settled = settled.map_err(|error| error.to_string())?.into_iter().collect::<Result<Vec<_>, _>>();
        let settled = settled.map_err(|error| error.to_string())?;
        self.conclude_batch(alone, settled.into_iter().map(Ok).collect());
        Ok(())
    }

    /// The outcome is on record, the file could not be dealt with: it stays claimed, and the next pass finishes it
    /// by its delivery id.
    fn undisposed(&mut self, claimed: &Claimed, why: String) {
        let file = claimed.shown_name();
        self.faults.push(format!("mail {file}: {why}"));
        self.complain_of(claimed, why);
    }
}

/// Whether a mail with these final outcomes is kept aside: one of them is a rejection, and the site, or the reason of
/// it, asks for that; and the mail stands nowhere else.
pub(crate) fn is_kept(outcomes: &[Outcome], rejected: Rejected) -> bool {
    let mut rejections = outcomes.iter().filter(|outcome| outcome.kind == OutcomeKind::Rejected);
    match rejected {
        Rejected::Copied => false,
        Rejected::Keep => rejections.next().is_some(),
        Rejected::Delete => {
            rejections.any(|outcome| outcome.reason.as_deref().is_some_and(Reason::is_always_kept))
        }
    }
}
