//! Which mails and events are asked for: a bounded number at a time, however many there are.

use jiff::Timestamp;

use crate::DeliveryId;

/// Which mails. Their ids are in the order in which they were taken, to the millisecond; so are these bounds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MailQuery {
    /// Only those taken before this one; `None`: the newest too.
    pub before: Option<DeliveryId>,
    /// Only those taken then or later.
    pub since: Option<Timestamp>,
    /// Only those taken earlier.
    pub until: Option<Timestamp>,
    /// At most so many.
    pub limit: usize,
}

/// Which events. Times are compared to the millisecond.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventQuery {
    /// Only those with a greater `seq`.
    pub after: u64,
    /// Only those with a smaller `seq`; `None`: the newest too.
    pub before: Option<u64>,
    /// Only those of then or later.
    pub since: Option<Timestamp>,
    /// Only those of earlier.
    pub until: Option<Timestamp>,
    /// Only those with one of these ids; empty: with any.
    pub event_ids: &'static [u16],
    /// Begin with the newest.
    pub newest_first: bool,
    /// At most so many.
    pub limit: usize,
}
