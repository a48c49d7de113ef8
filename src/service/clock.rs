//! The clock: rings the bell at each time of a cron expression. The only user of `tokio` and `tokio-cron-scheduler`.
//!
//! The job does nothing but ring: jobs of this scheduler overlap, and one that panics is never run again. The
//! scheduler keeps the time of the next run and not the time until then, so after the system's clock was set back it
//! would be silent for as long; [`Clock::has_lost_time`] notices, and the clock is started anew.

use std::io;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

use tokio::runtime::Builder;
use tokio::sync::oneshot;
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};

use super::Bell;

/// The system's clock may run so far from a steady one before that is a jump.
const DRIFT: Duration = Duration::from_secs(2);

/// A running clock; stops when dropped.
pub struct Clock {
    thread: JoinHandle<()>,
    /// Dropped with the clock: the end of its thread.
    _stop: oneshot::Sender<()>,
    looked: (SystemTime, Instant),
}

/// Whether a text is a cron expression of six fields, seconds first; else why not.
pub fn check(cron: &str) -> Result<(), String> {
    Job::new(cron, |_, _| {}).map(|_| ()).map_err(|error| error.to_string())
}

impl Clock {
    /// Starts a clock that rings at each time of `cron`, in UTC.
    pub fn start(cron: &str, bell: Bell) -> io::Result<Clock> {
        let (stop, stopped) = oneshot::channel();
        let cron = cron.to_owned();
        let tick = move || {
            if let Err(error) = tick(&cron, bell, stopped) {
                tracing::error!(%error, "the clock stopped");
            }
        };
        let thread = thread::Builder::new().name("clock".to_owned()).spawn(tick)?;
        Ok(Clock { thread, _stop: stop, looked: (SystemTime::now(), Instant::now()) })
    }

    /// Whether it has stopped, or the system's clock has jumped since the last time this was asked.
    pub fn has_lost_time(&mut self) -> bool {
        let now = (SystemTime::now(), Instant::now());
        let before = std::mem::replace(&mut self.looked, now);
        self.thread.is_finished() || has_jumped(before, now)
    }
}

/// Whether the system's clock went another way than the steady one, from one look at both to the next.
fn has_jumped(
    (wall_before, steady_before): (SystemTime, Instant),
    (wall, steady): (SystemTime, Instant),
) -> bool {
    let expected = wall_before + (steady - steady_before);
    let off = wall.duration_since(expected).or_else(|_| expected.duration_since(wall));
    off.is_ok_and(|off| off > DRIFT)
}

fn tick(cron: &str, bell: Bell, stopped: oneshot::Receiver<()>) -> Result<(), JobSchedulerError> {
    let runtime = Builder::new_current_thread().enable_time().build();
    runtime.map_err(|_| JobSchedulerError::CantInit)?.block_on(async {
        let scheduler = JobScheduler::new().await?;
        scheduler.add(Job::new(cron, move |_, _| bell.tick())?).await?;
        scheduler.start().await?;
        // An error says that the clock was dropped, which is all that is waited for.
        let _ = stopped.await;
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_fields_make_a_schedule() {
        for cron in ["0 * * * * *", "*/5 * * * * *", "0 30 2 * * MON-FRI"] {
            check(cron).unwrap();
        }
        for wrong in ["", "hourly", "* * * * *", "0 99 * * * *", "0 * * * * * * *"] {
            check(wrong).unwrap_err();
        }
    }

    #[test]
    fn it_ticks_and_stops() {
        let bell = Bell::default();
        let clock = Clock::start("* * * * * *", bell.clone()).unwrap();
        assert!(bell.wait(Duration::from_secs(60)).tick);
        let Clock { thread, _stop, .. } = clock;
        drop(_stop);
        thread.join().unwrap();
    }

    #[test]
    fn a_jump_of_the_system_clock_is_noticed() {
        let (wall, steady) = (SystemTime::now(), Instant::now());
        let (minute, hour) = (Duration::from_secs(60), Duration::from_secs(3600));
        let jumped = |now| has_jumped((wall, steady), (now, steady + minute));
        assert!(!jumped(wall + minute) && !jumped(wall + minute + DRIFT) && !jumped(wall + minute - DRIFT));
        assert!(jumped(wall + minute - hour), "set back");
        assert!(jumped(wall + minute + hour), "set forward");
    }

    #[test]
    fn a_jump_is_told_once() {
        let mut clock = Clock::start("0 0 0 1 1 *", Bell::default()).unwrap();
        let hour = Duration::from_secs(3600);
        clock.looked.0 += hour;
        assert!(clock.has_lost_time());
        assert!(clock.looked.0 < SystemTime::now() + hour / 2, "the next look is compared with this one");
    }
}
