//! How complex a message may be. Everything is counted while the structure is read, and the structure is read with a
//! stack of our own: what a stranger mails decides neither how deep we recurse nor how much we keep.

/// Above these a message is refused as too complex. Each bounds one thing a small mail can blow up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Parts in all: multiparts, leaves, and what forwarded messages contain.
    pub parts: usize,
    /// Multiparts and forwarded messages inside one another.
    pub depth: usize,
    /// Fields of one header block.
    pub header_fields: usize,
    /// Bytes of one header block.
    pub header_bytes: usize,
    /// Bytes of one `Content-Type` or `Content-Disposition`.
    pub structured_bytes: usize,
    /// Parameters of one `Content-Type` or `Content-Disposition`, pieces of RFC 2231 counted singly.
    pub parameters: usize,
}

impl Default for Limits {
    /// Far above honest mail (the largest honest headers are lists of thousands of recipients), no higher than
    /// Dovecot's ceilings.
    fn default() -> Limits {
        Limits {
            parts: 1000,
            depth: 32,
            header_fields: 10_000,
            header_bytes: 4 << 20,
            structured_bytes: 64 << 10,
            parameters: 128,
        }
    }
}

/// Why a message was not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It exceeds a limit; the words say which.
    #[error("too complex: {0}")]
    TooComplex(String),
    /// It is no message.
    #[error("malformed: {0}")]
    Malformed(String),
}

impl Unreadable {
    /// More `what` than the limit.
    pub(super) fn more_than(limit: usize, what: &str) -> Unreadable {
        Unreadable::TooComplex(format!("more than {limit} {what}"))
    }
}
