//! Terms: for how long something stays.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// When a term that began then is over; `None`: never, for time does not go so far.
pub fn until(since: Timestamp, term: Duration) -> Option<Timestamp> {
    SignedDuration::try_from(term).ok().and_then(|term| since.checked_add(term).ok())
}

/// When a term began that is over now; `None`: none is over, it would have begun before time did.
pub fn begun(now: Timestamp, term: Duration) -> Option<Timestamp> {
    SignedDuration::try_from(term).ok().and_then(|term| now.checked_sub(term).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_longer_than_time_is_never_over() {
        let day = Duration::from_secs(86_400);
        let noon: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
        assert_eq!(until(noon, day), "2026-11-22T12:00:00Z".parse().ok());
        assert_eq!(begun(noon, day), "2026-11-20T12:00:00Z".parse().ok());
        for term in [Duration::from_secs(1 << 40), Duration::MAX] {
            assert_eq!((until(noon, term), begun(noon, term)), (None, None), "{term:?}");
        }
    }
}
