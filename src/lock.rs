//! Locks of files that another process holds for a moment: waited for, but not for ever.

use std::fs::{File, TryLockError};
use std::io;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Whoever holds a lock longer than this has much to do, or stands still: nobody can tell. The catalog's lock is waited
/// for as long.
const PATIENCE: Duration = Duration::from_secs(10);
const STEP: Duration = Duration::from_millis(5);

/// Locks a file for this process alone.
///
/// # Errors
/// [`io::ErrorKind::TimedOut`] if another process holds it for ten seconds; [`io::ErrorKind::Unsupported`] where the
/// file system knows no locks.
pub(crate) fn wait(file: &File) -> io::Result<()> {
    let begun = Instant::now();
    loop {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) if begun.elapsed() < PATIENCE => sleep(STEP),
            Err(TryLockError::WouldBlock) => {
                let why = format!("another process holds its lock for more than {} s", PATIENCE.as_secs());
                return Err(io::Error::new(io::ErrorKind::TimedOut, why));
            }
            Err(TryLockError::Error(error)) => return Err(error),
            Ok(()) => return Ok(()),
        }
    }
}
