//! Whether a library has room for a mail: by its own quota, and by that for what nobody proven sends.
//!
//! What is refused because a library is full is kept aside, whatever `drop.rejected` says: that it is full is the
//! administrator's affair and not the sender's. Strangers must not fill the disk that way instead, so of what nobody
//! proven sends only as much stands aside for a library as its quota, or one mail more; beyond that, and beyond what
//! strangers may file in a day, it is refused as theirs, and `drop.rejected` decides. Who is nobody proven is not a matter
//! of addresses, nor of a From that is believed without proof: both can be changed from mail to mail.
//!
//! What an administrator gives back (`rejected replay`) is no flood: it is asked for the library's quota alone, and kept
//! again while that is exceeded.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use jiff::Timestamp;
use mailshelf_storage::model::{Aside, Level, Library, LibrarySettings, NewAside, Usage};
use mailshelf_storage::{DeliveryId, Error, LibraryId, Reader};

use super::words::room;
use super::{Decided, Decision};
use crate::config::{Drop, Rejected, term};
use crate::file::{Proposal, Refusal};
use crate::outcome::Reason;

/// What a mail asks of a library.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    delivery: DeliveryId,
    /// Bytes of the documents that it would become.
    documents: u64,
    /// Bytes of the mail itself.
    mail: u64,
    /// Something better than the bare From speaks for its sender.
    is_proven: bool,
    /// An administrator gave it back.
    is_given_back: bool,
}

impl Asked {
    /// What is decided to be filed for a recipient.
    pub fn of(decided: &Decided<'_>, decision: &Decision<'_>, proposal: &Proposal<'_>) -> Asked {
        Asked {
            delivery: decided.mail.delivery,
            documents: proposal.documents.iter().map(|document| document.content.bytes.len() as u64).sum(),
            mail: decided.mail.size,
            is_proven: decision.identity.is_some() && decision.level > Level::FromHeader,
            is_given_back: decided.given_back.is_some(),
        }
    }

    /// A stranger sends it: what bounds strangers holds for it.
    fn is_strangers(&self) -> bool {
        !self.is_proven && !self.is_given_back
    }

    fn aside(&self) -> NewAside {
        let Asked { delivery, mail: size, is_proven, is_given_back: again, .. } = *self;
        NewAside { delivery, size, anonymous: !is_proven, again }
    }
}

/// Whether a library asks for room at all.
pub fn is_bounded(settings: &LibrarySettings) -> bool {
    settings.quota.is_some() || settings.anonymous_quota.is_some()
}

/// When it is asked, and how long what is kept aside stays.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    now: Timestamp,
    /// What was kept aside before has gone by now.
    since: Timestamp,
    /// Mail is kept aside at all: a copy is not.
    keeps: bool,
}

impl Terms {
    /// As the site has them.
    pub fn of(drop: &Drop, now: Timestamp) -> Terms {
        Terms {
            now,
            since: term::begun(now, drop.keep_rejected).unwrap_or(Timestamp::MIN),
            keeps: drop.rejected != Rejected::Copied,
        }
    }
}

/// What is in a library.
#[derive(Clone, Debug, Default)]
struct Room {
    usage: Usage,
    /// What stands aside for it. A row for each mail is read: only where it matters.
    aside: Option<Aside>,
}

type Look<'a> = &'a dyn Fn() -> Result<Aside, Error>;

impl Room {
    fn aside(&mut self, look: Look<'_>) -> Result<Aside, Error> {
        match self.aside {
            Some(aside) => Ok(aside),
            None => Ok(*self.aside.insert(look()?)),
        }
    }

    /// Whether there is room for what is asked.
    fn judge(
        &mut self,
        settings: &LibrarySettings,
        asked: &Asked,
        keeps: bool,
        look: Look<'_>,
    ) -> Result<Result<(), Refusal>, Error> {
        let refuse = |reason, because| Ok(Err(Refusal { reason, because: Some(because) }));
        let exceeds = |used: u64, quota: u64| used.saturating_add(asked.documents) > quota;
        if let Some(allowed) = settings.anonymous_quota.filter(|_| asked.is_strangers()) {
            let today = self.usage.filed_today.saturating_add(self.aside(look)?.today);
            if exceeds(today, allowed) {
                let because = room::too_much_today(today, allowed, asked.documents);
                return refuse(Reason::AnonymousQuotaExceeded, because);
            }
        }
        let used = self.usage.used;
        let Some(quota) = settings.quota.filter(|quota| exceeds(used, *quota)) else { return Ok(Ok(())) };
        let full = room::full(used, quota, asked.documents);
        if asked.is_strangers() && keeps {
            // Whatever its size, one is kept where none was: at most that one goes beyond.
            let kept = self.aside(look)?.anonymous;
            if kept >= quota {
                return refuse(Reason::AnonymousQuotaExceeded, room::kept_enough(&full, kept));
            }
        }
        refuse(Reason::QuotaExceeded, full)
    }

    fn file(&mut self, asked: &Asked) {
        self.usage.used = self.usage.used.saturating_add(asked.documents);
        if asked.is_strangers() {
            self.usage.filed_today = self.usage.filed_today.saturating_add(asked.documents);
        }
    }

    /// What was not looked up yet will be found with it.
    fn put_aside(&mut self, asked: &Asked) {
        let Some(aside) = &mut self.aside else { return };
        let bytes = |is_meant: bool| if is_meant { asked.mail } else { 0 };
        aside.mails = aside.mails.saturating_add(1);
        aside.anonymous = aside.anonymous.saturating_add(bytes(!asked.is_proven));
        aside.today = aside.today.saturating_add(bytes(asked.is_strangers()));
    }
}

/// What libraries have room for, mail after mail. Each is looked up once and counted on from there: in the one write
/// transaction, where nobody else files meanwhile; or before it, to foresee what it will find.
pub struct Rooms {
    terms: Terms,
    rooms: HashMap<LibraryId, Room>,
    /// A mail may go to very many addresses of one library, and asks there once.
    answered: HashMap<(DeliveryId, LibraryId), Result<(), Refusal>>,
}

/// What came of asking.
pub struct Answer {
    /// There is room, or why there is none.
    pub verdict: Result<(), Refusal>,
    /// What is to be put on record of it.
    pub note: Option<Note>,
}

/// What is on record of a mail that has asked for room.
pub enum Note {
    /// A stranger has filed so many bytes.
    Filed(u64),
    /// It is kept aside because the library is full.
    Aside(NewAside),
}

impl Rooms {
    /// None asked for so far.
    pub fn new(terms: Terms) -> Rooms {
        Rooms { terms, rooms: HashMap::new(), answered: HashMap::new() }
    }

    /// Asks a library for room, by what `reader` sees now and what has asked before.
    pub fn ask(&mut self, reader: &dyn Reader, library: &Library, asked: &Asked) -> Result<Answer, Error> {
        if !is_bounded(&library.settings) {
            return Ok(Answer { verdict: Ok(()), note: filed(asked) });
        }
        let key = (asked.delivery, library.id);
        if let Some(verdict) = self.answered.get(&key) {
            return Ok(Answer { verdict: verdict.clone(), note: None });
        }
        let Terms { now, since, keeps } = self.terms;
        let room = match self.rooms.entry(library.id) {
            Entry::Occupied(room) => room.into_mut(),
            Entry::Vacant(new) => new.insert(Room { usage: reader.usage(library.id, now)?, aside: None }),
        };
        let look = || reader.aside(library.id, now, since);
        let verdict = room.judge(&library.settings, asked, keeps, &look)?;
        self.answered.insert(key, verdict.clone());
        let note = match &verdict {
            Ok(()) => {
                room.file(asked);
                filed(asked)
            }
            Err(refusal) if refusal.reason == Reason::QuotaExceeded && keeps => {
                room.put_aside(asked);
                Some(Note::Aside(asked.aside()))
            }
            Err(_) => None,
        };
        Ok(Answer { verdict, note })
    }

    /// What was put on record last is taken back: everything is looked up anew.
    pub fn forget(&mut self) {
        self.rooms.clear();
        self.answered.clear();
    }
}

fn filed(asked: &Asked) -> Option<Note> {
    asked.is_strangers().then_some(Note::Filed(asked.documents))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy, Debug)]
    enum By {
        Proven,
        Stranger,
        GivenBack,
    }
    use By::{GivenBack, Proven, Stranger};

    fn asked(from: By) -> Asked {
        let (is_proven, is_given_back) = (matches!(from, Proven), matches!(from, GivenBack));
        Asked { delivery: DeliveryId::generate(), documents: 10, mail: 30, is_proven, is_given_back }
    }

    /// `aside`: what came today, and all.
    fn judge(
        settings: &LibrarySettings,
        usage: Usage,
        aside: (u64, u64),
        from: By,
        keeps: bool,
    ) -> Option<Reason> {
        let look = || Ok(Aside { mails: 1, today: aside.0, anonymous: aside.1 });
        let verdict = Room { usage, aside: None }.judge(settings, &asked(from), keeps, &look).unwrap();
        verdict.err().map(|refusal| refusal.reason)
    }

    #[test]
    fn every_bound_to_the_byte() {
        let (full, theirs) = (Some(Reason::QuotaExceeded), Some(Reason::AnonymousQuotaExceeded));
        for (quota, daily, (used, filed_today), aside, from, expected) in [
            (None, None, (u64::MAX, u64::MAX), (u64::MAX, u64::MAX), Stranger, None),
            (Some(100), None, (90, 0), (0, 0), Proven, None),
            (Some(100), None, (91, 0), (0, 0), Proven, full),
            (Some(100), None, (u64::MAX, 0), (0, 0), Proven, full),
            // Of the proven all is kept, and they know no days.
            (Some(100), Some(1), (91, 999), (999, 999), Proven, full),
            (None, Some(1), (0, 999), (999, 999), Proven, None),
            // Nor does what an administrator gives back.
            (Some(100), Some(1), (91, 999), (999, 999), GivenBack, full),
            (Some(100), Some(1), (90, 999), (999, 999), GivenBack, None),
            (None, Some(100), (0, 90), (0, 0), Stranger, None),
            (None, Some(100), (0, 91), (0, 0), Stranger, theirs),
            (None, Some(100), (0, 90), (1, 1), Stranger, theirs),
            // Of strangers so much is kept as the library may hold …
            (Some(100), None, (91, 0), (99, 99), Stranger, full),
            (Some(100), None, (91, 0), (0, 100), Stranger, theirs),
            (Some(5), None, (0, 0), (0, 0), Stranger, full),
            // … and as they may send in a day.
            (Some(100), Some(90), (91, 50), (30, 30), Stranger, full),
            (Some(100), Some(90), (91, 50), (31, 31), Stranger, theirs),
        ] {
            let settings = LibrarySettings { quota, anonymous_quota: daily, ..LibrarySettings::default() };
            let found = judge(&settings, Usage { used, filed_today }, aside, from, true);
            assert_eq!(found, expected, "{quota:?} {daily:?} {used} {filed_today} {aside:?} {from:?}");
        }
    }

    #[test]
    fn copies_are_not_kept_and_fill_nothing() {
        let settings = LibrarySettings { quota: Some(100), ..LibrarySettings::default() };
        let usage = Usage { used: 91, filed_today: 0 };
        assert_eq!(judge(&settings, usage, (0, 999), Stranger, false), Some(Reason::QuotaExceeded));
    }

    #[test]
    fn what_stands_aside_is_looked_up_only_where_it_matters() {
        let settings = LibrarySettings { quota: Some(100), ..LibrarySettings::default() };
        let look = || -> Result<Aside, Error> { panic!("looked") };
        for (used, from) in [(90, Stranger), (91, Proven), (91, GivenBack)] {
            let mut room = Room { usage: Usage { used, filed_today: 0 }, aside: None };
            let _ = room.judge(&settings, &asked(from), true, &look).unwrap();
        }
    }
}
