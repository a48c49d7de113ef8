//! Whether a claimed file is whole: a pure decision from what was seen.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// What a file looked like. Times are nanoseconds since 1970, as the file system tells them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Look {
    pub size: u64,
    pub modified: i128,
    pub changed: i128,
}

impl Look {
    pub fn of(meta: &Metadata) -> Look {
        let nanos = |seconds: i64, nanos: i64| i128::from(seconds) * 1_000_000_000 + i128::from(nanos);
        Look {
            size: meta.size(),
            modified: nanos(meta.mtime(), meta.mtime_nsec()),
            changed: nanos(meta.ctime(), meta.ctime_nsec()),
        }
    }

    fn same_content(&self, other: &Look) -> bool {
        (self.size, self.modified) == (other.size, other.modified)
    }
}

/// What asking for a read lease came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lease {
    /// No process has the file open for writing.
    Granted,
    /// Some process has.
    Refused,
    /// Nobody here can tell.
    None,
}

/// All that the decision rests on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts {
    pub maildir: bool,
    pub lease: Lease,
    pub settle: Duration,
    /// The clock, in nanoseconds since 1970.
    pub now: i128,
    pub look: Look,
    pub before_claim: Option<Look>,
    /// For how long this process has seen it just like that, by a clock that does not jump.
    pub watched: Duration,
}

/// The decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Settled,
    /// Not yet, and why. After `wait`, if nothing changes, it will be; `None`: that depends on somebody else.
    Busy {
        why: String,
        wait: Option<Duration>,
    },
}

impl Facts {
    pub fn verdict(&self) -> Verdict {
        match self.lease {
            // A process that makes a file has it open for writing only an instant after its name can be seen: of an
            // empty one a lease proves nothing.
            Lease::Granted if self.look.size > 0 => return Verdict::Settled,
            Lease::Refused => {
                let why = "a process has it open for writing".to_owned();
                return Verdict::Busy { why, wait: None };
            }
            Lease::Granted | Lease::None => {}
        }
        // The Maildir protocol gives a mail its place in new/ only when it is whole.
        if self.maildir {
            return Verdict::Settled;
        }
        let still = self.watched.max(self.still_by_the_clock().unwrap_or_default());
        match self.settle.checked_sub(still).filter(|wait| !wait.is_zero()) {
            None => Verdict::Settled,
            Some(wait) => {
                let why = format!("still for {still:.1?} only, settle is {:?}", self.settle);
                Verdict::Busy { why, wait: Some(wait) }
            }
        }
    }

    /// For how long by the clock; `None` where its times lie ahead of the clock and tell nothing. The rename of the
    /// claim may have counted as a change; what was seen before it tells of the content.
    fn still_by_the_clock(&self) -> Option<Duration> {
        let seen = self.before_claim.filter(|before| before.same_content(&self.look)).unwrap_or(self.look);
        let age = self.now - seen.modified.max(seen.changed);
        u64::try_from(age).ok().map(Duration::from_nanos)
    }
}

/// The clock, as [`Facts::now`] wants it.
pub(super) fn now() -> i128 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i128::try_from(since.as_nanos()).unwrap_or_default()
}

/// What was seen of one file the last time, and since when it has looked so.
#[derive(Debug, Default)]
pub(super) struct Memory {
    pub seen: Option<(Look, Instant)>,
    /// How long to wait before another look is worth it.
    pub wait: Option<Duration>,
}

impl Memory {
    /// For how long the file has looked like `look`.
    pub fn watched(&mut self, look: Look) -> Duration {
        match self.seen {
            Some((seen, since)) if seen == look => since.elapsed(),
            _ => {
                self.seen = Some((look, Instant::now()));
                Duration::ZERO
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i128 = 1_000_000_000;

    fn facts(age: i128) -> Facts {
        Facts {
            maildir: false,
            lease: Lease::None,
            settle: Duration::from_secs(2),
            now: 1000 * SECOND,
            look: Look { size: 5, modified: 1000 * SECOND - age, changed: 1000 * SECOND - age },
            before_claim: None,
            watched: Duration::ZERO,
        }
    }

    fn settled(facts: Facts) -> bool {
        facts.verdict() == Verdict::Settled
    }

    #[test]
    fn a_lease_outranks_the_clock() {
        assert!(settled(Facts { lease: Lease::Granted, ..facts(0) }));
        let refused = Facts { lease: Lease::Refused, maildir: true, ..facts(100 * SECOND) };
        assert!(matches!(refused.verdict(), Verdict::Busy { wait: None, .. }));
    }

    /// Its maker may be about to open it.
    #[test]
    fn of_an_empty_file_a_lease_proves_nothing() {
        let empty = Facts { lease: Lease::Granted, look: Look { size: 0, ..facts(0).look }, ..facts(0) };
        assert!(matches!(empty.verdict(), Verdict::Busy { wait: Some(_), .. }));
        assert!(settled(Facts { now: empty.now + 2 * SECOND, ..empty }));
        assert!(settled(Facts { maildir: true, ..empty }));
    }

    #[test]
    fn a_maildir_needs_no_lease() {
        assert!(settled(Facts { maildir: true, ..facts(0) }));
    }

    #[test]
    fn still_for_settle_by_the_clock() {
        assert!(settled(facts(2 * SECOND)));
        let Verdict::Busy { wait, .. } = facts(2 * SECOND - 1).verdict() else { panic!("settled early") };
        assert_eq!(wait, Some(Duration::from_nanos(1)));
        assert!(settled(Facts { settle: Duration::ZERO, ..facts(0) }));
    }

    #[test]
    fn changed_counts_as_much_as_modified() {
        let look = Look { size: 5, modified: 0, changed: 999 * SECOND };
        assert!(!settled(Facts { look, ..facts(0) }));
    }

    #[test]
    fn a_time_to_come_settles_by_watching_only() {
        let early = facts(-5000 * SECOND);
        assert!(!settled(early));
        assert!(settled(Facts { watched: Duration::from_secs(2), ..early }));
        assert!(settled(Facts { settle: Duration::ZERO, ..early }));
    }

    #[test]
    fn the_claim_itself_is_no_change_of_content() {
        let before = Look { size: 5, modified: 990 * SECOND, changed: 990 * SECOND };
        let after = Look { changed: 1000 * SECOND, ..before };
        assert!(settled(Facts { look: after, before_claim: Some(before), ..facts(0) }));
        let grown = Look { size: 6, modified: 1000 * SECOND, ..after };
        assert!(!settled(Facts { look: grown, before_claim: Some(before), ..facts(0) }));
    }

    #[test]
    fn watching_begins_again_with_every_change() {
        let mut memory = Memory::default();
        let look = facts(0).look;
        assert_eq!(memory.watched(look), Duration::ZERO);
        std::thread::sleep(Duration::from_millis(5));
        assert!(memory.watched(look) >= Duration::from_millis(5));
        assert_eq!(memory.watched(Look { size: 6, ..look }), Duration::ZERO);
    }
}
