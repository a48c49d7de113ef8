//! Whether a library has room for a mail: by its own quota, and by that for what nobody proven sends.
//!
//! What is refused because a library is full is kept aside, whatever `drop.rejected` says: that it is full is the
//! administrator's affair and not the sender's. Strangers must not fill the disk that way instead, so of what nobody
//! proven sends only as much is kept for a library as its quota, or one mail more; beyond that, and beyond what strangers may file
//! in a day, it is refused as theirs, and `drop.rejected` decides. Who is nobody proven is not a matter of addresses, nor
//! of a From that is believed without proof: both can be changed from mail to mail.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use mailshelf_storage::model::{Anonymous, Level, Library, LibrarySettings, Usage};
use mailshelf_storage::{Error, LibraryId, Reader};

use super::words::room;
use super::{Decided, Decision};
use crate::config::{Drop, Rejected};
use crate::file::{Proposal, Refusal};
use crate::outcome::Reason;

/// What a mail asks of a library.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// Bytes of the documents that it would become.
    documents: u64,
    /// Bytes of the mail itself.
    mail: u64,
    /// Something better than the bare From speaks for its sender.
    is_proven: bool,
}

impl Asked {
    /// What is decided to be filed for a recipient.
    pub fn of(decided: &Decided<'_>, decision: &Decision<'_>, proposal: &Proposal<'_>) -> Asked {
        Asked {
            documents: proposal.documents.iter().map(|document| document.content.bytes.len() as u64).sum(),
            mail: decided.mail.size,
            is_proven: decision.identity.is_some() && decision.level > Level::FromHeader,
        }
    }

    /// What is on record of it then.
    fn filed(&self) -> Option<Anonymous> {
        (!self.is_proven).then_some(Anonymous { filed: self.documents, kept: 0 })
    }
}

/// Whether a library asks for room at all.
pub fn is_bounded(settings: &LibrarySettings) -> bool {
    settings.quota.is_some() || settings.anonymous_quota.is_some()
}

/// When it is asked, and how long what is kept aside stays.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// Now.
    pub now: Timestamp,
    /// What was kept aside before has gone by now.
    pub since: Timestamp,
    /// Mail is kept aside at all: a copy is not.
    keeps: bool,
}

impl Terms {
    /// As the site has them.
    pub fn of(drop: &Drop, now: Timestamp) -> Terms {
        let begun = SignedDuration::try_from(drop.keep_rejected).ok();
        let since = begun.and_then(|term| now.checked_sub(term).ok()).unwrap_or(Timestamp::MIN);
        Terms { now, since, keeps: drop.rejected != Rejected::Copied }
    }

    /// How full a library is.
    pub fn usage(&self, reader: &dyn Reader, library: LibraryId) -> Result<Usage, Error> {
        reader.usage(library, self.now, self.since)
    }

    /// Whether there is room.
    pub fn judge(&self, settings: &LibrarySettings, usage: &Usage, asked: &Asked) -> Result<(), Refusal> {
        let today = usage.today.filed.saturating_add(usage.today.kept);
        let exceeds = |used: u64, more: u64, quota: Option<u64>| {
            quota.filter(|quota| used.saturating_add(more) > *quota)
        };
        let refuse = |reason, because| Err(Refusal { reason, because: Some(because) });
        let daily = settings.anonymous_quota.filter(|_| !asked.is_proven);
        if let Some(allowed) = exceeds(today, asked.documents, daily) {
            let because = room::too_much_today(today, allowed, asked.documents);
            return refuse(Reason::AnonymousQuotaExceeded, because);
        }
        let Some(quota) = exceeds(usage.used, asked.documents, settings.quota) else { return Ok(()) };
        let full = room::full(usage.used, quota, asked.documents);
        // Whatever its size, one is kept where none was: at most that one goes beyond.
        match !asked.is_proven && self.keeps && usage.kept >= quota {
            true => refuse(Reason::AnonymousQuotaExceeded, room::kept_enough(&full, usage.kept)),
            false => refuse(Reason::QuotaExceeded, full),
        }
    }
}

/// The rooms that one mail asks for. It may go to very many addresses of one library, and is refused there once.
pub struct Rooms {
    terms: Terms,
    refused: HashMap<LibraryId, Refusal>,
}

/// What came of asking, and what is to be put on record of it.
pub struct Answer {
    /// There is room, or why there is none.
    pub verdict: Result<(), Refusal>,
    /// What nobody proven sends.
    pub anonymous: Option<Anonymous>,
}

impl Rooms {
    /// None asked for so far.
    pub fn new(terms: Terms) -> Rooms {
        Rooms { terms, refused: HashMap::new() }
    }

    /// Asks a library for room, by what `reader` sees now.
    pub fn ask(&mut self, reader: &dyn Reader, library: &Library, asked: &Asked) -> Result<Answer, Error> {
        if let Some(refusal) = self.refused.get(&library.id) {
            return Ok(Answer { verdict: Err(refusal.clone()), anonymous: None });
        }
        if !is_bounded(&library.settings) {
            return Ok(Answer { verdict: Ok(()), anonymous: asked.filed() });
        }
        let usage = self.terms.usage(reader, library.id)?;
        let verdict = self.terms.judge(&library.settings, &usage, asked);
        let Err(refusal) = &verdict else { return Ok(Answer { verdict, anonymous: asked.filed() }) };
        self.refused.insert(library.id, refusal.clone());
        let is_kept = refusal.reason == Reason::QuotaExceeded && self.terms.keeps && !asked.is_proven;
        let anonymous = is_kept.then_some(Anonymous { filed: 0, kept: asked.mail });
        Ok(Answer { verdict, anonymous })
    }

    /// When it is asked.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }
}

/// What libraries will have room for, mail after mail, before any of it is on record.
pub struct Foresight {
    terms: Terms,
    usages: HashMap<LibraryId, Usage>,
}

impl Foresight {
    /// By what is on record.
    pub fn new(terms: Terms) -> Foresight {
        Foresight { terms, usages: HashMap::new() }
    }

    /// Whether there will be room for what is asked, beside what was asked before and found room.
    pub fn has_room(&mut self, reader: &dyn Reader, library: &Library, asked: &Asked) -> Result<bool, Error> {
        if !self.usages.contains_key(&library.id) {
            self.usages.insert(library.id, self.terms.usage(reader, library.id)?);
        }
        let usage = self.usages.entry(library.id).or_default();
        let has_room = self.terms.judge(&library.settings, usage, asked).is_ok();
        if has_room {
            usage.used = usage.used.saturating_add(asked.documents);
            let filed = asked.filed().unwrap_or_default().filed;
            usage.today.filed = usage.today.filed.saturating_add(filed);
        }
        Ok(has_room)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(keeps: bool) -> Terms {
        Terms { now: Timestamp::UNIX_EPOCH, since: Timestamp::UNIX_EPOCH, keeps }
    }

    fn asked(is_proven: bool) -> Asked {
        Asked { documents: 10, mail: 30, is_proven }
    }

    fn usage(used: u64, filed: u64, kept_today: u64, kept: u64) -> Usage {
        Usage { used, today: Anonymous { filed, kept: kept_today }, kept }
    }

    #[test]
    fn every_bound_to_the_byte() {
        let (full, theirs) = (Some(Reason::QuotaExceeded), Some(Reason::AnonymousQuotaExceeded));
        for (quota, daily, usage, proven, expected) in [
            (None, None, usage(u64::MAX, u64::MAX, u64::MAX, u64::MAX), false, None),
            (Some(100), None, usage(90, 0, 0, 0), true, None),
            (Some(100), None, usage(91, 0, 0, 0), true, full),
            (Some(100), None, usage(u64::MAX, 0, 0, 0), true, full),
            // Of the proven all is kept, and they know no days.
            (Some(100), Some(1), usage(91, 999, 999, 999), true, full),
            (None, Some(1), usage(0, 999, 999, 999), true, None),
            (None, Some(100), usage(0, 90, 0, 0), false, None),
            (None, Some(100), usage(0, 91, 0, 0), false, theirs),
            (None, Some(100), usage(0, 90, 1, 1), false, theirs),
            // Of strangers so much is kept as the library may hold …
            (Some(100), None, usage(91, 0, 99, 99), false, full),
            (Some(100), None, usage(91, 0, 0, 100), false, theirs),
            (Some(5), None, usage(0, 0, 0, 0), false, full),
            // … and as they may send in a day.
            (Some(100), Some(90), usage(91, 50, 30, 30), false, full),
            (Some(100), Some(90), usage(91, 50, 31, 31), false, theirs),
        ] {
            let settings = LibrarySettings { quota, anonymous_quota: daily, ..LibrarySettings::default() };
            let found = terms(true).judge(&settings, &usage, &asked(proven)).err().map(|r| r.reason);
            assert_eq!(found, expected, "{quota:?} {daily:?} {usage:?} {proven}");
        }
    }

    #[test]
    fn copies_are_not_kept_and_fill_nothing() {
        let settings = LibrarySettings { quota: Some(100), ..LibrarySettings::default() };
        let refusal = terms(false).judge(&settings, &usage(91, 0, 999, 999), &asked(false)).unwrap_err();
        assert_eq!(refusal.reason, Reason::QuotaExceeded);
    }
}
