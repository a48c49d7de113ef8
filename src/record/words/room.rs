//! Why a library has no room for a mail: fit to be sent to whoever has sent it.

use crate::explain::words::{bytes, thousands};

/// Its quota would be exceeded.
pub fn full(used: u64, quota: u64, needs: u64) -> String {
    let (used, needs) = (thousands(used), bytes(needs));
    format!(
        "the library is full: {used} of the {} it may hold are in use, and this mail needs {needs}",
        bytes(quota)
    )
}

/// More than senders whom nothing proves may file in a day.
pub fn too_much_today(today: u64, quota: u64, needs: u64) -> String {
    format!(
        "senders whom nothing proves have sent {} of the {} that they may file there in a day, all together, and this \
         mail needs {}; the next day begins at 00:00 UTC",
        thousands(today),
        bytes(quota),
        bytes(needs)
    )
}

/// The library is full, and it is not kept aside on that account.
pub fn kept_enough(full: &str, kept: u64) -> String {
    format!("{full}; no more is kept for it of senders whom nothing proves: {} are", bytes(kept))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_say_how_much_there_is_and_how_much_is_asked() {
        let full = full(9_990, 10_000, 35);
        assert_eq!(
            full,
            "the library is full: 9,990 of the 10,000 bytes it may hold are in use, and this mail needs 35 bytes"
        );
        assert!(kept_enough(&full, 1).starts_with(&full) && kept_enough(&full, 1).ends_with(": 1 byte are"));
        assert!(too_much_today(1_000, 2_000, 3_000).contains("sent 1,000 of the 2,000 bytes that they may"));
    }
}
