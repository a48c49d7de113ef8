//! The bell: how others tell the one thread that makes passes that there may be something to do. A ring is never lost
//! and never counted: what is to be done is found out by looking.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Rung by any thread, waited for by one.
#[derive(Clone, Default)]
pub struct Bell(Arc<Shared>);

#[derive(Default)]
struct Shared {
    rung: Mutex<Rung>,
    changed: Condvar,
    stop: AtomicBool,
}

/// Why it was rung since the last look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rung {
    /// The time has come for a pass.
    pub tick: bool,
    /// Mail seems to have arrived.
    pub arrival: bool,
    /// A mail that was claimed before it was whole is whole.
    pub finished: bool,
    /// The configuration is to be read again.
    pub reload: bool,
}

impl Bell {
    /// The time has come for a pass.
    pub fn tick(&self) {
        self.ring(|rung| rung.tick = true);
    }

    /// Mail seems to have arrived.
    pub fn arrival(&self) {
        self.ring(|rung| rung.arrival = true);
    }

    /// A mail that was claimed before it was whole is whole.
    pub fn finished(&self) {
        self.ring(|rung| rung.finished = true);
    }

    /// The configuration is to be read again.
    pub fn reload(&self) {
        self.ring(|rung| rung.reload = true);
    }

    /// Ends the service after the batch in hand. True if that was asked for before.
    pub fn stop(&self) -> bool {
        let before = self.0.stop.swap(true, Ordering::Relaxed);
        self.ring(|_| {});
        before
    }

    /// Set once the service is to end.
    pub fn stopped(&self) -> &AtomicBool {
        &self.0.stop
    }

    /// Waits until it rings or `at_most` has passed, and tells why it rang since the last time.
    pub fn wait(&self, at_most: Duration) -> Rung {
        let quiet = |rung: &mut Rung| *rung == Rung::default() && !self.0.stop.load(Ordering::Relaxed);
        let waited = self.0.changed.wait_timeout_while(self.lock(), at_most, quiet);
        let (mut rung, _) = waited.unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *rung)
    }

    fn ring(&self, why: impl FnOnce(&mut Rung)) {
        why(&mut self.lock());
        self.0.changed.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Rung> {
        // Nothing can panic while it is held, and a flag more or less does no harm.
        self.0.rung.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rings_add_up_and_are_heard_once() {
        let bell = Bell::default();
        bell.tick();
        bell.arrival();
        bell.arrival();
        assert_eq!(bell.wait(Duration::from_secs(60)), Rung { tick: true, arrival: true, ..Rung::default() });
        assert_eq!(bell.wait(Duration::ZERO), Rung::default());
    }

    #[test]
    fn whoever_waits_is_woken() {
        let bell = Bell::default();
        let other = bell.clone();
        let ringing = std::thread::spawn(move || other.reload());
        assert!(bell.wait(Duration::from_secs(60)).reload);
        ringing.join().unwrap();
        assert!(!bell.stop());
        assert_eq!(bell.wait(Duration::from_secs(60)), Rung::default());
        assert!(bell.stop());
    }
}
