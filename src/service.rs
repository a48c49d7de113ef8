//! The service: a pass on each tick of the clock and as soon as mail arrives, never two at once, and a clean end.
//!
//! One thread makes all passes: whoever calls [`Service::run`]. Clock, watch and signals only ring its [`Bell`]. The
//! tick is what filing within the minute rests on; at each one the folders are compared with those that were opened, and
//! opened again where they are others; where a process that is confined may not, it ends, and another goes on. The
//! drop's lock is held as long as the service lives.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::config::WatchMode;
use crate::confine::Confinement;
use crate::drop::{DropError, DropFolder};
use crate::pass::{self, Completed, PassError, Scope};
use crate::site::{Site, Trusting};
use clock::Clock;
use watch::Watch;

mod bell;
pub mod clock;
mod watch;

pub use bell::Bell;

/// How long the clock may be unattended.
const ATTEND: Duration = Duration::from_secs(30);
/// How soon a catalog that was replaced, and could not be opened, is tried again.
const SOON: Duration = Duration::from_secs(1);

/// What the service tells whoever started it.
#[derive(Debug)]
pub enum Told {
    /// It looks at the drop, and by what it learns of new mail.
    Watching(&'static str),
    /// A pass was completed.
    Pass(Box<Completed>),
    /// Something is wrong that was not wrong before.
    Trouble {
        /// What.
        why: String,
        /// The way out, where there is one.
        hint: Option<String>,
    },
    /// The configuration was read again.
    Reloaded,
}

/// How a configuration comes into force.
#[derive(Clone, Copy)]
pub struct Load<'a> {
    /// Reads it again and opens its site.
    pub read: &'a (dyn Fn() -> Result<Site, NotLoaded> + 'a),
    /// Where it is out of reach: has somebody else try it.
    pub prove: &'a Prove<'a>,
}

/// Tries whether another process could go on, drop and all: our own drop is not held meanwhile.
pub type Prove<'a> = dyn Fn() -> Result<(), NotProven> + 'a;

/// Why no other process could go on.
#[derive(Debug)]
pub struct NotProven {
    /// What is wrong.
    pub why: String,
    /// The way out, where it is not in those words.
    pub hint: Option<String>,
    /// It may pass by itself.
    pub may_pass: bool,
}

impl From<DropError> for NotProven {
    fn from(error: DropError) -> NotProven {
        NotProven { why: error.to_string(), hint: error.hint(), may_pass: error.is_temporary() }
    }
}

/// Why a configuration is not in force.
#[derive(Debug)]
pub enum NotLoaded {
    /// It, or what it names, is wrong, and how.
    Wrong(String),
    /// Nothing is known to be wrong with it; but it has this place, which the process is confined from.
    OutOfReach(PathBuf),
}

/// Why a service ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Ended {
    /// It was told to.
    Stopped,
    /// The site has this place, which the process is confined from: another process is to go on.
    OutOfReach(PathBuf),
}

/// A service and all it holds.
pub struct Service<'a> {
    load: Load<'a>,
    tell: &'a mut dyn FnMut(Told),
    bell: Bell,
    confinement: &'a Confinement,
    site: Site,
    drop: Option<DropFolder>,
    watch: Option<Watch>,
    /// How the drop is watched, as it was last told; none since something went wrong with it, or another configuration.
    watching: Option<&'static str>,
    clock: Option<Clock>,
    /// The configuration could not be read again, by a fault that may pass.
    reload_again: bool,
    /// Somebody has asked for the configuration to be read again, and it is still being tried.
    asked: bool,
    /// A place that another process has to go on with.
    out_of_reach: Option<PathBuf>,
    /// Where the bare From header was last known to be believed.
    trusting: Trusting,
    /// What went wrong in passes, as far as it was told.
    faults: HashSet<String>,
    /// What was last told to be wrong, and still is.
    troubles: HashMap<About, String>,
}

/// What something may be wrong with.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum About {
    Configuration,
    Clock,
    Watch,
    Passes,
}

impl<'a> Service<'a> {
    /// Takes the drop's lock. Fails where the drop cannot be opened, or another service or pass has it.
    pub fn new(
        site: Site,
        load: Load<'a>,
        bell: Bell,
        confinement: &'a Confinement,
        tell: &'a mut dyn FnMut(Told),
    ) -> Result<Service<'a>, DropError> {
        let drop = Some(site.open_drop()?);
        Ok(Service { drop, ..Service::going_on(site, load, bell, confinement, tell) })
    }

    /// One that goes on with what another has ended with: it waits for a drop that it cannot have at once.
    pub fn going_on(
        site: Site,
        load: Load<'a>,
        bell: Bell,
        confinement: &'a Confinement,
        tell: &'a mut dyn FnMut(Told),
    ) -> Service<'a> {
        Service {
            load,
            tell,
            bell,
            confinement,
            site,
            drop: None,
            watch: None,
            watching: None,
            clock: None,
            reload_again: false,
            asked: false,
            faults: HashSet::new(),
            out_of_reach: None,
            trusting: Trusting::default(),
            troubles: HashMap::new(),
        }
    }

    /// Makes passes until the bell says stop, or the site is out of reach.
    pub fn run(mut self) -> Ended {
        self.start_clock();
        if self.drop.is_none() {
            self.open_drop();
        }
        self.watch();
        self.pass(Scope::Everything);
        while !self.is_stopped() {
            let rung = self.bell.wait(if self.site.stands() { ATTEND } else { SOON });
            let restarted = self.clock.as_mut().is_none_or(Clock::has_lost_time);
            if restarted {
                self.start_clock();
            }
            self.asked |= rung.reload;
            let astray = rung.tick && (self.reload_again || self.is_astray());
            let reload = rung.reload || astray || !self.site.stands();
            if rung.reload {
                // Whoever asks is told again.
                self.troubles.remove(&About::Configuration);
            }
            if reload {
                self.reload();
            } else if rung.tick {
                // Whatever was wrong has gone by itself, or nobody tries it any more: the next time is told anew.
                self.asked = false;
                self.troubles.remove(&About::Configuration);
            }
            if let Some(place) = self.out_of_reach.take() {
                return Ended::OutOfReach(place);
            }
            // Not a byte to a catalog that nobody will find again.
            if !self.site.stands() {
                continue;
            }
            if rung.tick || reload || restarted {
                self.attend();
                self.pass(Scope::Everything);
            } else if rung.finished || (rung.arrival && self.holds_mail()) {
                self.pass(Scope::Arrivals);
            }
        }
        Ended::Stopped
    }

    /// Whether a place of the site is another one now, and out of reach.
    fn is_astray(&self) -> bool {
        self.confinement.reaches(&self.site.config).is_err()
    }

    fn is_stopped(&self) -> bool {
        self.bell.stopped().load(Ordering::Relaxed)
    }

    /// An arrival that an earlier pass has taken already is no reason for another one.
    fn holds_mail(&self) -> bool {
        self.drop.as_ref().is_some_and(DropFolder::holds_mail)
    }

    fn start_clock(&mut self) {
        // The old one first: two of them would tick.
        self.clock = None;
        match Clock::start(&self.site.config.schedule.cron, self.bell.clone()) {
            Ok(clock) => {
                self.clock = Some(clock);
                self.troubles.remove(&About::Clock);
            }
            Err(error) => self.trouble(About::Clock, format!("the clock cannot be started: {error}"), None),
        }
    }

    fn watch(&mut self) {
        self.watch = None;
        let Some(drop) = &self.drop else { return };
        match Watch::open(self.site.config.schedule.watch, drop, &self.bell) {
            Ok(watch) => {
                let how = watch.as_ref().map_or("off", Watch::how);
                if self.watching.replace(how) != Some(how) {
                    (self.tell)(Told::Watching(how));
                }
                self.watch = watch;
                self.troubles.remove(&About::Watch);
            }
            Err(why) => {
                self.watching = None;
                self.trouble(About::Watch, why, None);
            }
        }
    }

    /// Opens again what is no longer what was opened.
    fn attend(&mut self) {
        if !self.drop.as_ref().is_some_and(DropFolder::stands) {
            // Its lock first: it may be our own that is in the way.
            self.drop = None;
            self.watch = None;
            if !self.open_drop() {
                return;
            }
        }
        let watched = self.watch.as_ref().is_some_and(Watch::stands);
        if !watched && self.site.config.schedule.watch != WatchMode::Off {
            self.watch();
        }
    }

    /// False if it cannot be opened, which is told.
    fn open_drop(&mut self) -> bool {
        match self.site.open_drop() {
            Ok(drop) => self.drop = Some(drop),
            Err(error) => self.unable(error),
        }
        self.drop.is_some()
    }

    fn pass(&mut self, scope: Scope) {
        let Some(drop) = &self.drop else { return };
        // The configuration may have been read again, and libraries change at any time.
        self.trusting = self.site.warn_of_trust(std::mem::take(&mut self.trusting));
        let tell = &mut *self.tell;
        let (mut faults, stop) = (HashSet::new(), self.bell.stopped());
        let known = &self.faults;
        let done = pass::run(&self.site, drop, scope, stop, |mut completed| {
            let found: Vec<_> = completed.faults.drain(..).collect();
            completed.faults = found.iter().filter(|fault| !known.contains(*fault)).cloned().collect();
            faults.extend(found);
            tell(Told::Pass(Box::new(completed)));
        });
        let unwell = !faults.is_empty();
        match scope {
            Scope::Everything => self.faults = faults,
            // It has not met them all.
            Scope::Arrivals => self.faults.extend(faults),
        }
        match done {
            Ok(()) if unwell => {}
            Ok(()) => {
                self.troubles.remove(&About::Passes);
            }
            Err(PassError::Drop(error)) => self.unable(error),
            Err(PassError::Storage(error)) => self.trouble(About::Passes, error.to_string(), None),
        }
    }

    /// There is no pass without its drop folder; the event log tells so.
    fn unable(&mut self, why: DropError) {
        self.watching = None;
        if !matches!(why, DropError::Held { .. }) {
            match pass::unable(&self.site, &why) {
                Ok(completed) => (self.tell)(Told::Pass(Box::new(completed))),
                Err(error) => self.trouble(About::Passes, error.to_string(), None),
            }
        }
        self.trouble(About::Passes, why.to_string(), why.hint());
    }

    fn trouble(&mut self, about: About, why: String, hint: Option<String>) {
        if self.troubles.get(&about) != Some(&why) {
            (self.tell)(Told::Trouble { why: why.clone(), hint });
            self.troubles.insert(about, why);
        }
    }

    /// A configuration that cannot be used leaves the old one in force.
    fn reload(&mut self) {
        self.reload_again = false;
        let site = match (self.load.read)() {
            Ok(site) => site,
            Err(NotLoaded::OutOfReach(place)) => return self.leave(place),
            Err(NotLoaded::Wrong(why)) => {
                return self.stay(NotProven { why, hint: None, may_pass: false });
            }
        };
        // Its lock first: the new one may be of the same folder.
        self.drop = None;
        match site.open_drop() {
            Ok(drop) => {
                self.drop = Some(drop);
                self.site = site;
                self.asked = false;
                self.troubles.remove(&About::Configuration);
                self.start_clock();
                (self.tell)(Told::Reloaded);
                self.watching = None;
                self.watch();
            }
            Err(error) => self.stay(error.into()),
        }
    }

    /// Has another process go on, if one can.
    fn leave(&mut self, place: PathBuf) {
        // Its lock first, as above.
        self.drop = None;
        match (self.load.prove)() {
            Ok(()) => self.out_of_reach = Some(place),
            Err(unproven) => self.stay(unproven),
        }
    }

    fn stay(&mut self, unproven: NotProven) {
        let NotProven { why, hint, may_pass } = unproven;
        // Somebody else may have had the lock just then.
        self.reload_again = may_pass;
        let what = if self.asked { "the old configuration stays in force" } else { "the service waits" };
        self.trouble(About::Configuration, format!("{what}: {why}"), hint);
    }
}
