//! Passes in words, for people.

use std::fmt::Write;

use super::PassEvent;
use crate::escape::Escaped;

impl PassEvent {
    /// As SharePoint words it, with the ids and aliases filled in; fit for a terminal.
    pub fn text(&self) -> String {
        let seconds = self.elapsed_ms / 1000;
        let mut text = format!(
            "The Incoming E-Mail service has completed a batch. The elapsed time was {:02}:{:02}:{:02}. \
             The service processed {} message(s) in total.",
            seconds / 3600,
            seconds / 60 % 60,
            seconds % 60,
            self.processed
        );
        let failed: Vec<_> = self.mails.iter().filter(|mail| mail.failed()).collect();
        if !failed.is_empty() {
            let ids: Vec<_> = failed.iter().map(|mail| mail.shown_id()).collect();
            // Writing to a String cannot fail.
            let _ = write!(
                text,
                " Errors occurred processing {} message(s): Message ID: {}.",
                ids.len(),
                ids.join(", ")
            );
        }
        if !self.unknown_aliases.is_empty() {
            let aliases = self.unknown_aliases.join(" ");
            let _ = write!(text, " The following aliases were unknown: {}.", Escaped(&aliases));
        }
        if self.interrupted {
            text.push_str(" The batch was interrupted.");
        }
        text
    }

    /// The counts in a line.
    pub fn summary(&self) -> String {
        format!(
            "{} filed, {} duplicate, {} rejected, {} deferred; {} documents",
            self.filed, self.duplicate, self.rejected, self.deferred, self.documents
        )
    }
}
