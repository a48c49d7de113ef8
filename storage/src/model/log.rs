//! Passes and events.

use jiff::Timestamp;

use crate::PassId;

/// A pass that has begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pass {
    /// Which.
    pub id: PassId,
    /// The worker that makes it.
    pub node: String,
    /// When it began.
    pub started_at: Timestamp,
}

/// An event to be recorded: its words are made elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEvent {
    /// 6871, 6872 or 6873.
    pub event_id: u16,
    /// The pass it belongs to.
    pub pass: PassId,
    /// When.
    pub time: Timestamp,
    /// A JSON object without `seq`.
    pub body: String,
}

/// An event on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Grows by one.
    pub seq: u64,
    /// 6871, 6872 or 6873.
    pub event_id: u16,
    /// When, to the millisecond.
    pub time: Timestamp,
    /// A JSON object without `seq`.
    pub body: String,
}
