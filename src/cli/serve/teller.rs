//! Shows what the service tells, on a thread of its own: whoever reads our output slowly, or no more, holds up no pass.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::Duration;

use mailshelf::service::Told;

use crate::cli::complain;

/// So much may be told and not yet shown. A pass may tell of 10,000 mails, so these must be few.
const AHEAD: usize = 16;
/// At the end so long is waited for somebody to read the rest.
const PATIENCE: Duration = Duration::from_secs(2);

/// Tells, and never waits.
pub struct Teller {
    told: SyncSender<Told>,
    missed: Arc<AtomicU64>,
    ended: Receiver<anyhow::Result<()>>,
}

impl Teller {
    /// Has `show` show whatever is told, in order.
    pub fn start(show: impl Fn(Told) -> anyhow::Result<()> + Send + 'static) -> std::io::Result<Teller> {
        let (told, to_show) = sync_channel(AHEAD);
        let (end, ended) = sync_channel(1);
        let missed = Arc::new(AtomicU64::new(0));
        let lost = Arc::clone(&missed);
        let showing = move || {
            let mut shown = Ok(());
            for told in to_show {
                let now = show(told);
                shown = std::mem::replace(&mut shown, Ok(())).and(now);
                let lost = lost.swap(0, Ordering::Relaxed);
                if lost > 0 {
                    complain(
                        &format!("{lost} more were not shown: nobody read them"),
                        Some("`mailshelf events` has them"),
                    );
                }
            }
            // Nobody waits for it any more if this fails.
            let _ = end.send(shown);
        };
        thread::Builder::new().name("teller".to_owned()).spawn(showing)?;
        Ok(Teller { told, missed, ended })
    }

    /// Tells something; lost if too much is waiting to be shown.
    pub fn tell(&self, told: Told) {
        if let Err(TrySendError::Full(_)) = self.told.try_send(told) {
            self.missed.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until all is shown, but not for ever.
    pub fn end(self) -> anyhow::Result<()> {
        drop(self.told);
        self.ended.recv_timeout(PATIENCE).unwrap_or(Ok(()))
    }
}
