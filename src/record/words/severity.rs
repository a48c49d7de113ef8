//! How grave an event is.

use std::fmt;

use super::{MAIL_CRITICAL, MAIL_WARNING, PASS_COMPLETED};

/// `level` of an event; the worse, the greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// As it should be: 6871.
    Information,
    /// Something waits or is in the way: 6873.
    Warning,
    /// Somebody has to look: 6872.
    Critical,
}

impl Severity {
    /// Every value, in order.
    pub const ALL: &'static [Severity] = &[Severity::Information, Severity::Warning, Severity::Critical];

    /// That of an event's id.
    pub fn of(event_id: u16) -> Severity {
        match event_id {
            MAIL_CRITICAL => Severity::Critical,
            MAIL_WARNING => Severity::Warning,
            _ => Severity::Information,
        }
    }

    /// Its one spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Information => "information",
            Severity::Warning => "warning",
            Severity::Critical => "critical",
        }
    }

    /// The ids of all events that are as grave, or graver.
    pub fn event_ids(self) -> &'static [u16] {
        match self {
            Severity::Information => &[PASS_COMPLETED, MAIL_WARNING, MAIL_CRITICAL],
            Severity::Warning => &[MAIL_WARNING, MAIL_CRITICAL],
            Severity::Critical => &[MAIL_CRITICAL],
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_level_has_the_ids_of_itself_and_of_what_is_worse() {
        for level in Severity::ALL {
            for id in [PASS_COMPLETED, MAIL_WARNING, MAIL_CRITICAL] {
                assert_eq!(level.event_ids().contains(&id), Severity::of(id) >= *level, "{level} {id}");
            }
        }
    }
}
