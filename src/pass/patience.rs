//! How long DNS may keep a pass waiting. Whoever writes a mail chooses the names that are asked for, so answers may be
//! slow, or fail to come, as often as a stranger likes.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The longest that DNS is asked for one mail.
const LONGEST: Duration = Duration::from_secs(10);
/// The shortest: a resolver that knows the answer gives it sooner, and it knows the answers to what it was asked before.
const SHORTEST: Duration = Duration::from_millis(100);

/// Shared by the workers of one pass. Only what was waited for in vain counts; each mail may use up a share of what is
/// left, so that the first gets long and the others still something.
#[derive(Debug)]
pub struct Patience {
    left: Mutex<Duration>,
    /// One of so many parts is for the next mail.
    shares: u32,
    /// Whether each mail is given the shortest, whatever is left.
    endless: bool,
}

impl Patience {
    /// With new mail: half a minute, and after that the shortest for each. So mail that can be proven is, whatever came
    /// before it.
    pub fn with_new() -> Patience {
        Patience { left: Mutex::new(Duration::from_secs(30)), shares: 3, endless: true }
    }

    /// With mail that waits from earlier: ten seconds in all, for new mail waits until they are over.
    pub fn with_waiting() -> Patience {
        Patience { left: Mutex::new(Duration::from_secs(10)), shares: 10, endless: false }
    }

    /// Until when DNS may be asked for the next mail; `None` if no more in this pass.
    pub fn deadline(&self, now: Instant) -> Option<Instant> {
        let share = *self.lock() / self.shares;
        let some = self.endless || share >= SHORTEST;
        some.then(|| now + share.clamp(SHORTEST, LONGEST))
    }

    /// So long it was asked in vain.
    pub fn lose(&self, time: Duration) {
        let mut left = self.lock();
        *left = left.saturating_sub(time);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Duration> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What so many mails that are never answered for are given, one after the other.
    fn given(patience: &Patience, mails: usize) -> Vec<Duration> {
        let now = Instant::now();
        let mut given = Vec::new();
        for _ in 0..mails {
            let Some(deadline) = patience.deadline(now) else { break };
            patience.lose(deadline - now);
            given.push(deadline - now);
        }
        given
    }

    #[test]
    fn new_mail_is_always_given_something() {
        let given = given(&Patience::with_new(), 1000);
        assert_eq!((given.len(), given[0], given[999]), (1000, LONGEST, SHORTEST));
        assert!(given.is_sorted_by(|one, next| one >= next));
        let longer: Duration = given.iter().map(|time| *time - SHORTEST).sum();
        assert!(longer <= Duration::from_secs(30), "{longer:?}");
    }

    #[test]
    fn mail_that_waits_takes_no_longer_however_much_there_is() {
        let given = given(&Patience::with_waiting(), 1000);
        assert!((10..100).contains(&given.len()), "{}", given.len());
        assert!(given.iter().sum::<Duration>() <= Duration::from_secs(10));
    }

    #[test]
    fn what_is_answered_costs_nothing() {
        let (patience, now) = (Patience::with_waiting(), Instant::now());
        let first = patience.deadline(now);
        assert_eq!((first, patience.deadline(now)), (Some(now + Duration::from_secs(1)), first));
        patience.lose(Duration::from_secs(60));
        assert_eq!(patience.deadline(now), None);
    }
}
