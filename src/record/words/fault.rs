//! What is said of a mail that is in trouble: events 6872 and 6873.

use jiff::Timestamp;
use mailshelf_storage::DeliveryId;
use mailshelf_storage::model::Pass;
use serde::{Deserialize, Serialize};

use super::{MAIL_CRITICAL, Severity, time};
use crate::escape::Escaped;

/// Events 6872 and 6873.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FaultEvent {
    /// 6872 or 6873.
    pub event_id: u16,
    /// `critical` or `warning`.
    pub level: String,
    /// `mail-critical` or `mail-warning`.
    pub event: String,
    /// When.
    pub time: String,
    /// The worker.
    pub node: String,
    /// The pass.
    pub pass: String,
    /// The file's name in the drop.
    pub file: String,
    /// The delivery, where it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail: Option<String>,
    /// What is wrong.
    pub error: String,
}

/// What a 6872 or 6873 is about.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    /// The file's name in the drop, or the drop folder.
    pub file: &'a str,
    /// The delivery, if it is one.
    pub mail: Option<DeliveryId>,
}

/// Makes event 6872 or 6873.
pub fn fault(event_id: u16, pass: &Pass, now: Timestamp, about: About<'_>, error: &str) -> FaultEvent {
    let event = if event_id == MAIL_CRITICAL { "mail-critical" } else { "mail-warning" };
    FaultEvent {
        event_id,
        level: Severity::of(event_id).to_string(),
        event: event.to_owned(),
        time: time(now),
        node: pass.node.clone(),
        pass: pass.id.to_string(),
        file: about.file.to_owned(),
        mail: about.mail.map(|id| id.to_string()),
        error: error.to_owned(),
    }
}

impl FaultEvent {
    /// As SharePoint words it; fit for a terminal.
    pub fn text(&self) -> String {
        let kind = if self.event_id == MAIL_CRITICAL { "A critical error" } else { "An error" };
        let (file, error) = (Escaped(&self.file), Escaped(&self.error));
        format!("{kind} occurred while processing the incoming e-mail file {file}. The error was: {error}.")
    }
}
