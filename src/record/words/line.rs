//! What is said of one mail in lines: to people, fit for a terminal.

use std::fmt::{self, Write};

use super::{MailRecord, RecipientRecord};
use crate::escape::Escaped;

/// A line on a mail. Whoever prints it may give the outcome a colour of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// An outcome, or `badmail`.
    pub outcome: String,
    /// The rest, escaped.
    pub rest: String,
}

impl Line {
    /// The width of the longest outcome, in characters: what all of them are filled up to.
    pub const OUTCOME: usize = 9;
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<width$}  {}", self.outcome, self.rest, width = Line::OUTCOME)
    }
}

impl MailRecord {
    /// A line for each recipient: what became of it, where, and whose it was.
    pub fn lines(&self) -> Vec<Line> {
        let from = self.from.as_deref().unwrap_or("nobody");
        let subject = self.subject.as_deref().unwrap_or("(no subject)");
        let whose = format!("{} from {}", Escaped(subject), Escaped(from));
        if let (Some(error), true) = (&self.error, self.recipients.is_empty()) {
            let state = if self.badmail { "badmail" } else { "deferred" };
            let rest = format!("{}: {}", Escaped(&self.file), Escaped(error));
            return vec![Line { outcome: state.to_owned(), rest }];
        }
        let line = |recipient: &RecipientRecord| Line {
            outcome: Escaped(&recipient.outcome).to_string(),
            rest: format!("{}  [{whose}]", recipient.text()),
        };
        self.recipients.iter().map(line).collect()
    }
}

impl RecipientRecord {
    fn text(&self) -> String {
        let address = if self.address.is_empty() { "(no recipient)" } else { &self.address };
        let mut text = Escaped(address).to_string();
        let mut add = |label: &str, value: &str| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{label}{}", Escaped(value));
        };
        if !self.documents.is_empty() {
            add(" → ", self.library.as_deref().unwrap_or_default());
            add(": ", &self.documents.join(", "));
            add(", by ", self.created_by.as_deref().unwrap_or_default());
        }
        if let Some(reason) = &self.reason {
            add(": ", reason);
        }
        if let Some(because) = &self.because {
            add(" – ", because);
        }
        text
    }
}
