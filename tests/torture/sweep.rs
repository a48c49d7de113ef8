//! One thing done at each call of a pass in turn, until a run has no such call any more; shared among workers.

use std::sync::atomic::{AtomicUsize, Ordering};

/// How far apart the calls are that are tried, and which is the first.
#[derive(Debug, Clone, Copy)]
pub struct Stride {
    pub first: usize,
    pub every: usize,
}

/// Runs end at slightly different calls, as their threads come to run: so many in a row must be beyond the end.
const BEYOND: usize = 3;

/// Numbers to be tried, given out to whoever asks.
pub struct Sweep {
    stride: Stride,
    given: AtomicUsize,
    beyond: AtomicUsize,
}

impl Sweep {
    pub fn new(stride: Stride) -> Sweep {
        Sweep { stride, given: AtomicUsize::new(0), beyond: AtomicUsize::new(0) }
    }

    /// Whether the runs were seen to end before what would be next.
    pub fn is_over(&self) -> bool {
        self.beyond.load(Ordering::Relaxed) >= BEYOND
    }

    /// The next call; once, if it is to be `only` one.
    pub fn next(&self, only: Option<usize>) -> Option<usize> {
        if self.is_over() {
            return None;
        }
        let nth = self.given.fetch_add(1, Ordering::Relaxed);
        match only {
            Some(only) => (nth == 0).then_some(only),
            None => Some(self.stride.first + self.stride.every * nth),
        }
    }

    /// Tells whether a run came to the call that it was given.
    pub fn told(&self, reached: bool) {
        if reached {
            self.beyond.store(0, Ordering::Relaxed);
        } else {
            self.beyond.fetch_add(1, Ordering::Relaxed);
        }
    }
}
