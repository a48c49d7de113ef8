//! A replay: mail from elsewhere (a Maildir, a mailbox in one file, a folder of mail) goes down the one line there is.
//!
//! Copies of it are put, an envelope block first, into a private drop folder ([`spool`]), a chunk at a time, and an
//! ordinary pass files each chunk while the next one is copied. Claims, crash recovery, blame, order of writing and
//! events are those of every mail; the source stays as it is. Repeated, it is harmless: what was filed before is a
//! duplicate.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use mailshelf_storage::{Address, Digest, Error};

use crate::config::{Config, apart};
use crate::confine::Reach;
use crate::drop::{DropError, shown};
use crate::outcome::Reason;
use crate::pass::{self, Completed, PassError, Scope};
use crate::route::{Route, route};
use crate::site::{Site, Trusting};
use copying::{Copying, Halt};
use mbox::Style;
use source::{Found, Source};
use spool::Spool;

pub mod source;
pub mod mbox;
mod block;
pub mod spool;
mod copying;

/// What shall be replayed.
#[derive(Debug, Clone)]
pub struct Request {
    /// Files and folders.
    pub paths: Vec<PathBuf>,
    /// Recipients of the mail that names none in the site's domains.
    pub to: Vec<Address>,
    /// How an mbox keeps its mails apart.
    pub style: Style,
    /// Whoever owns the files could have written what stands in them: no header proves who sent a mail.
    pub unproven: bool,
}

/// Why there was no replay, or none to its end.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// A source that cannot be replayed.
    #[error("source {}: {why}", shown(path))]
    Source {
        /// As it was named.
        path: PathBuf,
        /// Why not.
        why: String,
        /// The way out, where one is known.
        hint: Option<String>,
    },
    /// A recipient was asked for that leads nowhere.
    #[error("recipient {address}: {why}")]
    Recipient {
        /// The recipient.
        address: Address,
        /// Why not.
        why: String,
        /// The way out.
        hint: String,
    },
    /// Another replay of the same site is under way: nothing is wrong.
    #[error("site {}: another replay of it is under way", .0.display())]
    Held(PathBuf),
    /// Mail waits whose headers are not to be believed.
    #[error("site {}: mail of a replay with --unproven still waits", .0.display())]
    Unproven(PathBuf),
    /// The folder that copies go through.
    #[error("copies that are filed: {0}")]
    Copies(#[from] DropError),
    /// The catalog, the contents, the event file, or copying.
    #[error(transparent)]
    Storage(#[from] Error),
}

impl From<PassError> for ReplayError {
    fn from(error: PassError) -> ReplayError {
        match error {
            PassError::Drop(error) => ReplayError::Copies(error),
            PassError::Storage(error) => ReplayError::Storage(error),
        }
    }
}

/// What is told of while a replay is under way.
#[derive(Debug)]
pub enum Step {
    /// A mail was copied; so many bytes of the source are read with it.
    Copied(u64),
    /// A pass ended.
    Pass(Box<Completed>),
    /// Something of the source was left out, and why.
    Complaint(String),
}

/// How a replay ended.
#[derive(Debug, Default)]
pub struct Report {
    /// The source was read to its end, and every pass ran to its end.
    pub complete: bool,
    /// How many files were no mail.
    pub passed_over: u64,
    /// The first of them.
    pub examples: Vec<String>,
}

/// The message of a mail that was given up, and the file in badmail: by its size, to be compared by its digest.
type GivenUp = HashMap<u64, Vec<(Digest, PathBuf)>>;

/// A replay about to begin. Holds the lock that keeps another one of the same site away.
pub struct Replay {
    site: Site,
    spool: Spool,
    sources: Vec<Source>,
    to: Vec<Address>,
    style: Style,
    /// Bytes of the files with mail, when they were counted.
    pub size: u64,
}

impl Replay {
    /// Checks everything that was asked for, before anything is done.
    pub fn open(config: &Config, request: Request) -> Result<Replay, ReplayError> {
        let sources: Vec<Source> =
            request.paths.iter().map(|path| open_source(config, path)).collect::<Result<_, _>>()?;
        let place = Spool::place(config);
        if let Some(overlap) = apart::beside(config, "the folder of replays", &place) {
            return Err(Error::Setup(format!("{overlap}; {}", apart::Overlap::HINT)).into());
        }
        let mut settings = Spool::site(config);
        if request.unproven {
            settings.sender = settings.sender.without_headers();
        }
        let site = Site::open(settings)?;
        request.to.iter().try_for_each(|address| check_recipient(&site, address))?;
        let sizes = sources.iter().map(count).collect::<Result<Vec<u64>, _>>()?;
        let spool = Spool::open(config)?;
        if request.unproven {
            spool.mark_unproven()?;
        } else if spool.stays_unproven()? {
            return Err(ReplayError::Unproven(config.file.clone()));
        }
        let Request { to, style, .. } = request;
        Ok(Replay { site, spool, sources, to, style, size: sizes.iter().sum() })
    }

    /// As [`Site::warn_of_trust`]: old mail is as easily forged as new.
    pub fn warn_of_trust(&self) {
        self.site.warn_of_trust(Trusting::default());
    }

    /// What it takes to file everything.
    pub fn reach(&self) -> Reach {
        let reach = Reach::of(&self.site.config, self.site.program.as_deref()).writing(self.spool.home());
        self.sources.iter().fold(reach, |reach, source| reach.reading(&source.path))
    }

    /// What is believed of the headers of this mail, by the names of the keys in `[sender]` that say so.
    pub fn believes(&self) -> Vec<&'static str> {
        self.site.config.sender.headers()
    }

    /// Files everything; `stop` ends it after the batch in hand. Whatever ends it, the same replay goes on with what is
    /// left: nothing is filed twice.
    pub fn run(&self, stop: &AtomicBool, tell: &(dyn Fn(Step) + Sync)) -> Result<Report, ReplayError> {
        let done = self.work(stop, tell);
        let cleared = self.spool.clear();
        let report = done?;
        cleared?;
        Ok(report)
    }

    fn work(&self, stop: &AtomicBool, tell: &(dyn Fn(Step) + Sync)) -> Result<Report, ReplayError> {
        // Before anything is copied again: a mail that killed the last replay is given up now, or it would kill this
        // one too.
        if self.spool.has_claims()? && !self.pass(Scope::Everything, stop, tell)? {
            return Ok(Report::default());
        }
        let given_up = copying::given_up(&self.spool.badmail(), tell)?;
        // A chunk is copied while the one before it is filed, and waits until that is done.
        let (sender, chunks) = sync_channel(0);
        thread::scope(|scope| {
            let copying = Copying::new(self, &given_up, stop, tell, sender);
            let copying = thread::Builder::new()
                .spawn_scoped(scope, move || copying.run(&self.sources))
                .map_err(|error| DropError::thread(error, &self.spool.drop()))?;
            let filed = self.file(chunks, stop, tell);
            let copied = copying.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            let whole = filed?;
            match copied {
                Ok(report) => Ok(Report { complete: whole, ..report }),
                Err(Halt::Failed(error)) => Err(error.into()),
                Err(Halt::Unreadable(_) | Halt::Stopped) => Ok(Report::default()),
            }
        })
    }

    /// Files chunk after chunk; false if that was cut off.
    fn file(
        &self,
        chunks: Receiver<spool::Chunk>,
        stop: &AtomicBool,
        tell: &(dyn Fn(Step) + Sync),
    ) -> Result<bool, ReplayError> {
        for chunk in chunks {
            if stop.load(Ordering::Relaxed) {
                return Ok(false);
            }
            chunk.deliver()?;
            if !self.pass(Scope::Arrivals, stop, tell)? {
                return Ok(false);
            }
        }
        // Mail that had to wait is tried once more, and not with each chunk.
        Ok(!self.spool.has_claims()? || self.pass(Scope::Everything, stop, tell)?)
    }

    /// A pass over what was delivered and what was claimed before; false if it was cut off.
    fn pass(
        &self,
        scope: Scope,
        stop: &AtomicBool,
        tell: &(dyn Fn(Step) + Sync),
    ) -> Result<bool, ReplayError> {
        let mut whole = true;
        let drop = self.site.open_drop()?;
        pass::run(&self.site, &drop, scope, stop, |completed| {
            whole &= !completed.event.interrupted;
            tell(Step::Pass(Box::new(completed)));
        })?;
        Ok(whole)
    }
}

fn open_source(config: &Config, path: &Path) -> Result<Source, ReplayError> {
    let wrong = |why: String, hint| ReplayError::Source { path: path.to_owned(), why, hint };
    let source = Source::open(path).map_err(|error| wrong(source::why_not(&error), None))?;
    let overlap = |other: &str, inside: bool| {
        let why = match inside {
            true => format!("belongs to {other} of this site"),
            false => format!("holds {other} of this site"),
        };
        wrong(
            why,
            Some(
                "a replay takes mail from outside the site: name a place that is none of its own".to_owned(),
            ),
        )
    };
    const NAME: &str = "the source";
    if let Some(found) = apart::beside(config, NAME, &source.path) {
        let inside = found.inner == NAME;
        return Err(overlap(if inside { found.outer } else { found.inner }, inside));
    }
    let spool = Spool::place(config).canonicalize().unwrap_or_default();
    match () {
        () if spool.as_os_str().is_empty() => Ok(source),
        () if source.path.starts_with(&spool) => Err(overlap("the folder of replays", true)),
        () if spool.starts_with(&source.path) => Err(overlap("the folder of replays", false)),
        () => Ok(source),
    }
}

/// Whoever asks for a recipient wants its mail filed: what leads nowhere is refused before a thousand mails are.
fn check_recipient(site: &Site, address: &Address) -> Result<(), ReplayError> {
    let reader = site.catalog.read()?;
    let reason = match route(address.as_str(), &site.config.site, &*reader)? {
        Route::Nowhere(reason) => reason,
        Route::To(_) | Route::Disabled(_) => return Ok(()),
    };
    let domains = site.config.site.domains.join(", ");
    let (why, hint) = match reason {
        Reason::ForeignDomain => {
            ("not in a domain of this site".to_owned(), format!("the site's domains: {domains}"))
        }
        _ => (
            "no library has this alias".to_owned(),
            "`mailshelf library list` shows those there are".to_owned(),
        ),
    };
    Err(ReplayError::Recipient { address: address.clone(), why, hint })
}

/// The bytes of all mail in a source, without reading any of it.
fn count(source: &Source) -> Result<u64, ReplayError> {
    let (mut size, mut nothing) = (0, true);
    for found in source.walk() {
        match found {
            Found::Item(item) => size += fs::symlink_metadata(&item.path).map_or(0, |meta| meta.len()),
            Found::PassedOver(_) => continue,
            // The replay itself tells of it.
            Found::Fault(..) => {}
        }
        nothing = false;
    }
    if !nothing {
        return Ok(size);
    }
    let why =
        "holds no mail: no Maildir, no *.eml, and no mbox by the name of *.mbox, *.mbx or mbox".to_owned();
    let hint = "name files with other names themselves: \
                one that begins with a `From ` line is an mbox, any other a mail";
    Err(ReplayError::Source { path: source.named.clone(), why, hint: Some(hint.to_owned()) })
}
