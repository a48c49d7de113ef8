//! Rejected mail that was kept aside, and how it leaves the folder again: back to the drop, or for good. That it does is
//! on record before its file goes; whoever is interrupted leaves the file, and begins again.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use mailshelf_storage::model::{KeptEnd, KeptFate, MailState, Outcome, OutcomeKind};
use mailshelf_storage::{Catalog, DeliveryId, Error, IoContext, Reader, Result, failpoint};

use super::Disposer;
use super::aside::{self, Kept};
use crate::config::{Config, Limits, term};
use crate::drop::{Format, NotTaken, open_regular};
use crate::envelope;
use crate::lock;
use crate::pass::prepare::at_most;
use crate::route::canonical;
use crate::whereabouts::message_at;

/// A pass deletes at most so many, so that it stays short.
const AT_ONCE: usize = 1000;

/// Why a mail is not given back.
#[derive(Debug, thiserror::Error)]
pub enum NotGiven {
    /// It would be another mail to the drop as it is set up now.
    #[error("as the drop is read now ({}), the file is not the mail on record", format.as_str())]
    Another {
        /// The drop's format.
        format: Format,
    },
    /// It cannot be read.
    #[error("{0}")]
    Unread(String),
    /// Storage failed.
    #[error(transparent)]
    Storage(#[from] Error),
}

/// Whoever takes mail out of the folder holds this: a mail is not deleted while it is given back. `None` where the file
/// system knows no locks.
pub struct Taking(#[expect(dead_code, reason = "the lock goes with it")] Option<File>);

impl Taking {
    /// Waits for whoever has it, but not for ever.
    pub fn begin(folder: &Path) -> Result<Taking> {
        Taking::of(folder, lock::wait).while_doing("lock", folder)
    }

    /// `None` while another has it.
    fn try_begin(folder: &Path) -> Result<Option<Taking>> {
        let mut held = false;
        let taking = Taking::of(folder, |file| {
            held = matches!(file.try_lock(), Err(std::fs::TryLockError::WouldBlock));
            Ok(())
        });
        Ok(Some(taking.while_doing("lock", folder)?).filter(|_| !held))
    }

    fn of(folder: &Path, lock: impl FnOnce(&File) -> io::Result<()>) -> io::Result<Taking> {
        match File::open(folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Taking(None)),
            Err(error) => Err(error),
            Ok(file) => match lock(&file) {
                Err(error) if error.kind() == io::ErrorKind::Unsupported => Ok(Taking(None)),
                locked => locked.map(|()| Taking(Some(file))),
            },
        }
    }
}

/// When the term of a kept mail is over; `None`: never.
pub fn until(kept: &Kept, term: Duration) -> Option<Timestamp> {
    term::until(kept.kept_at, term)
}

/// Whether a file is a mail that we kept: on record as rejected. What else stands there is nobody's to delete but its
/// owner's.
pub fn is_ours(reader: &dyn Reader, id: DeliveryId) -> Result<bool> {
    let is_done = reader.mail(id)?.is_some_and(|mail| mail.state == MailState::Done);
    Ok(is_done && reader.outcomes(id)?.iter().any(|outcome| outcome.kind == OutcomeKind::Rejected))
}

/// Deletes mail whose term is over at `now`, a bounded number; `purged` counts it, also where it ends with a fault. While
/// somebody else takes mail out of the folder none is: the next pass comes by.
pub fn purge_expired(config: &Config, catalog: &dyn Catalog, now: Timestamp, purged: &mut u64) -> Result<()> {
    let (folder, term) = (&config.drop.kept, config.drop.keep_rejected);
    let Some(_taking) = Taking::try_begin(folder)? else { return Ok(()) };
    let over = |kept: &Kept| until(kept, term).is_some_and(|until| until <= now);
    let Some(begun) = term::begun(now, term) else { return Ok(()) };
    let mut expired = Vec::new();
    let reader = catalog.read()?;
    for kept in aside::claimed_by(folder, begun)? {
        let kept = kept?;
        let Some(id) = kept.id.filter(|_| over(&kept)) else { continue };
        if is_ours(&*reader, id)? {
            expired.push(kept);
        }
        if expired.len() == AT_ONCE {
            break;
        }
    }
    drop(reader);
    purge(catalog, &expired, "its term (drop.keep_rejected) was over", &mut |_| *purged += 1)
}

/// Deletes kept mail that has an id; `told` learns of each whose file is gone. One that cannot be deleted holds up no
/// other: the first such fault is given at the end. The caller is [`Taking`].
pub fn purge(catalog: &dyn Catalog, expired: &[Kept], why: &str, told: &mut dyn FnMut(&Kept)) -> Result<()> {
    record(catalog, expired, KeptFate::Purged, why)?;
    let (disposer, mut fault) = (Disposer::default(), None);
    for kept in expired {
        match disposer.release(kept) {
            Ok(()) => told(kept),
            Err(error) => fault = fault.or(Some(error)),
        }
    }
    disposer.sync()?;
    fault.map_or(Ok(()), Err)
}

fn record(catalog: &dyn Catalog, leaving: &[Kept], fate: KeptFate, why: &str) -> Result<()> {
    if leaving.is_empty() {
        return Ok(());
    }
    let end = KeptEnd { fate, why: why.to_owned(), at: Timestamp::now() };
    let mut writer = catalog.write()?;
    leaving.iter().filter_map(|kept| kept.id).try_for_each(|id| writer.put_kept_end(id, &end))?;
    writer.commit()?;
    failpoint::reached("kept-recorded", "");
    Ok(())
}

/// Gives a kept mail back to the drop, whose mail goes in at `entrance` and is of this format; gives its new place. It
/// goes back for those whom it was refused for: the others are taken out of its envelope, so that nothing that was filed
/// is asked again. The caller is [`Taking`], and has the disposer synced.
pub fn give_back(
    (config, catalog): (&Config, &dyn Catalog),
    disposer: &Disposer,
    kept: &Kept,
    entrance: &Path,
    format: Format,
) -> std::result::Result<PathBuf, NotGiven> {
    let Some(id) = kept.id else { return Err(NotGiven::Another { format }) };
    let reader = catalog.read()?;
    let (mail, outcomes) = (reader.mail(id)?, reader.outcomes(id)?);
    drop(reader);
    let file = Beginning::read(&kept.path, &config.limits, format)?;
    let unread = |fault: NotTaken| match fault {
        NotTaken::Busy(why) | NotTaken::Fault { why, .. } => NotGiven::Unread(why),
    };
    let digest = mail.and_then(|mail| mail.digest).ok_or(NotGiven::Another { format })?;
    if message_at(&kept.path, digest, &config.limits).map_err(unread)? != Some(file.message) {
        return Err(NotGiven::Another { format });
    }
    record(
        catalog,
        std::slice::from_ref(kept),
        KeptFate::Replayed,
        "asked for by `mailshelf rejected replay`",
    )?;
    Ok(disposer.put_back(kept, entrance, &file.settled(&outcomes))?)
}

/// What the drop makes of the beginning of a file.
struct Beginning {
    /// Where the message begins.
    message: u64,
    /// The lines of its recipients.
    receivers: Vec<(String, Range<usize>)>,
}

impl Beginning {
    fn read(path: &Path, limits: &Limits, format: Format) -> Result<Beginning> {
        if format == Format::Maildir {
            return Ok(Beginning { message: 0, receivers: Vec::new() });
        }
        let mut bytes = Vec::new();
        let file = open_regular(path).while_doing("open", path)?;
        file.take(at_most(limits)).read_to_end(&mut bytes).while_doing("read", path)?;
        let message = envelope::folder(&bytes).message as u64;
        Ok(Beginning { message, receivers: envelope::receivers(&bytes) })
    }

    /// The lines of those whom the mail was filed for, now or before.
    fn settled(self, outcomes: &[Outcome]) -> Vec<Range<usize>> {
        let settled = outcomes.iter().filter(|one| one.kind != OutcomeKind::Rejected);
        let settled: HashSet<_> = settled.map(|outcome| outcome.recipient.as_str()).collect();
        let lines = self.receivers.into_iter();
        lines.filter(|(address, _)| settled.contains(&*canonical(address))).map(|(_, line)| line).collect()
    }
}
