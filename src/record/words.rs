//! What is said of mails and passes: the one place that words events.

use std::time::Duration;

use jiff::Timestamp;
use mailshelf_storage::PassId;
use mailshelf_storage::model::{Event, NewEvent, OutcomeKind};
use serde::{Deserialize, Deserializer, Serialize};

use crate::escape::{Escaped, json};

mod before;
mod fault;
mod line;
mod pick;
pub(super) mod room;
mod severity;
mod text;

pub use before::{Standing, filed_before};
pub use fault::{About, FaultEvent, fault};
pub use line::{Line, mark};
pub use pick::pick;
pub use severity::Severity;

/// A pass was completed (SharePoint's event id).
pub const PASS_COMPLETED: u16 = 6871;
/// A mail was given up and moved to badmail.
pub const MAIL_CRITICAL: u16 = 6872;
/// Something is wrong with a mail, and it waits.
pub const MAIL_WARNING: u16 = 6873;

/// A time in UTC, RFC 3339, with milliseconds.
pub fn time(at: Timestamp) -> String {
    format!("{at:.3}")
}

/// A Message-ID with its brackets.
pub(crate) fn bracketed(id: &str) -> String {
    format!("<{id}>")
}

/// Event 6871.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PassEvent {
    /// Always 6871.
    pub event_id: u16,
    /// `information`.
    pub level: String,
    /// `pass-completed`.
    pub event: String,
    /// When it ended.
    pub time: String,
    /// The worker.
    pub node: String,
    /// The pass.
    pub pass: String,
    /// How long it took.
    pub elapsed_ms: u64,
    /// Mails.
    pub processed: u64,
    /// Of all (mail, recipient), how many were filed …
    pub filed: u64,
    /// … found filed before …
    pub duplicate: u64,
    /// … refused …
    pub rejected: u64,
    /// … or wait.
    pub deferred: u64,
    /// Documents that were added.
    pub documents: u64,
    /// Bytes of the mails.
    pub bytes: u64,
    /// Mails kept aside whose term was over, and that were deleted.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub purged: u64,
    /// Removed documents whose term was over, and that were purged.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub purged_documents: u64,
    /// Local-parts that lead to no library, each once.
    pub unknown_aliases: Vec<String>,
    /// The pass did not run to its end.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub interrupted: bool,
    /// Each mail.
    pub mails: Vec<MailRecord>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// What a pass says of a mail.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MailRecord {
    /// The delivery id: `mail` of its documents.
    pub mail: String,
    /// The file's name in the drop.
    pub file: String,
    /// Digest of the message.
    pub sha256: Option<String>,
    /// With its brackets.
    pub message_id: Option<String>,
    /// The address in From: a claim.
    pub from: Option<String>,
    /// The return path: a claim.
    pub envelope_sender: Option<String>,
    /// As decoded.
    pub subject: Option<String>,
    /// Bytes of the message.
    pub size: u64,
    /// How long reading and judging it took.
    pub elapsed_us: u64,
    /// What is the matter with it, a sentence each: see [`crate::message::Message::told_flaws`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flaws: Vec<String>,
    /// Who sent it.
    pub sender: SenderRecord,
    /// What became of it, for each recipient.
    pub recipients: Vec<RecipientRecord>,
    /// Why it waits, or was given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// It was moved to badmail.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub badmail: bool,
}

/// Who sent a mail.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SenderRecord {
    /// The claimed address.
    pub address: Option<String>,
    /// The login it was proven to be.
    pub identity: Option<String>,
    /// How well.
    pub level: String,
    /// By what.
    pub proof: String,
}

/// What became of a mail for one recipient.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RecipientRecord {
    /// The address; empty where the mail names none.
    pub address: String,
    /// `filed`, `duplicate`, `rejected` or `deferred`.
    pub outcome: String,
    /// Why it was rejected or deferred, in one word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Why, in more words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
    /// The library that the address leads to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub library: Option<String>,
    /// The alias that it led there by, where the library has another by now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub former_alias: Option<String>,
    /// The delivery that was filed, where it is another one and this a duplicate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duplicate_of: Option<String>,
    /// Who filed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// Filed without an identity.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unverified: bool,
    /// The login it was proven to be for this recipient, or nobody. This and the next two stand there together, and
    /// only where one of them is not the mail's.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "written")]
    pub identity: Option<Option<String>>,
    /// How well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
    /// By what, or why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<String>,
    /// The documents' paths.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub documents: Vec<String>,
    /// Which of them are a later version of a document that was there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<VersionRecord>,
    /// Parts that the library's settings leave out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOutRecord>,
}

/// A value that stands there, be it null.
fn written<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// A document that was there, and got a new version.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct VersionRecord {
    /// Its path.
    pub path: String,
    /// From 2.
    pub version: u32,
}

/// A part that was not filed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LeftOutRecord {
    /// What it would have been called.
    pub part: String,
    /// Digest of its bytes; in the original, if that was filed.
    pub sha256: String,
    /// Why it was not filed.
    pub why: String,
}

/// A pass, as far as its events need to know it.
#[derive(Debug, Clone)]
pub struct PassFacts {
    /// Which.
    pub id: PassId,
    /// The worker.
    pub node: String,
    /// How long it took; zero where nobody knows, because it was cut off.
    pub elapsed: Duration,
    /// When it ended.
    pub ended_at: Timestamp,
    /// Whether it was cut off.
    pub interrupted: bool,
    /// What it deleted.
    pub purged: Expired,
}

/// How much a pass has deleted because its term was over.
#[derive(Debug, Clone, Copy, Default)]
pub struct Expired {
    /// Mails kept aside.
    pub mails: u64,
    /// Removed documents.
    pub documents: u64,
}

/// Makes event 6871 from the records of a pass.
pub fn pass_completed(facts: &PassFacts, mails: Vec<MailRecord>) -> PassEvent {
    let recipients = || mails.iter().flat_map(|mail| &mail.recipients);
    let count = |kind: OutcomeKind| recipients().filter(|r| r.outcome == kind.as_str()).count() as u64;
    let unread = mails.iter().filter(|mail| mail.recipients.is_empty()).count() as u64;
    PassEvent {
        event_id: PASS_COMPLETED,
        level: Severity::Information.to_string(),
        event: "pass-completed".to_owned(),
        time: time(facts.ended_at),
        node: facts.node.clone(),
        pass: facts.id.to_string(),
        elapsed_ms: u64::try_from(facts.elapsed.as_millis()).unwrap_or(u64::MAX),
        processed: mails.len() as u64,
        filed: count(OutcomeKind::Filed),
        duplicate: count(OutcomeKind::Duplicate),
        rejected: count(OutcomeKind::Rejected),
        deferred: count(OutcomeKind::Deferred) + unread,
        documents: recipients().map(|r| r.documents.len() as u64).sum(),
        bytes: mails.iter().map(|mail| mail.size).sum(),
        purged: facts.purged.mails,
        purged_documents: facts.purged.documents,
        unknown_aliases: unknown_aliases(recipients()),
        interrupted: facts.interrupted,
        mails,
    }
}

fn unknown_aliases<'a>(recipients: impl Iterator<Item = &'a RecipientRecord>) -> Vec<String> {
    let unknown = crate::outcome::Reason::UnknownAlias.as_str();
    let mut seen = std::collections::HashSet::new();
    recipients
        .filter(|recipient| recipient.reason.as_deref() == Some(unknown))
        .filter_map(|recipient| recipient.address.rsplit_once('@'))
        .map(|(local, _)| local.to_owned())
        .filter(|local| seen.insert(local.clone()))
        .collect()
}

/// An event as the catalog keeps it.
pub fn stored(
    event_id: u16,
    pass: PassId,
    now: Timestamp,
    event: &impl Serialize,
) -> serde_json::Result<NewEvent> {
    Ok(NewEvent { event_id, pass, time: now, body: json::to_string(event)? })
}

/// An event as a line of the event file, without its end: the stored object with `seq` put first. An earlier version may
/// have stored it with characters that are unsafe.
pub fn line(event: &Event) -> String {
    let body = json::safe(&event.body);
    let rest = body.strip_prefix('{').unwrap_or(&body);
    format!("{{\"seq\":{},{rest}", event.seq)
}

impl MailRecord {
    /// A record as the catalog keeps it. One that cannot be read (no version of this program has written it so) is
    /// no reason to tell nothing of the others.
    pub fn parse(text: &str) -> MailRecord {
        serde_json::from_str(text).unwrap_or_else(|error| MailRecord {
            mail: String::new(),
            file: String::new(),
            sha256: None,
            message_id: None,
            from: None,
            envelope_sender: None,
            subject: None,
            size: 0,
            elapsed_us: 0,
            flaws: Vec::new(),
            sender: SenderRecord::default(),
            recipients: Vec::new(),
            error: Some(format!("what was recorded of this mail cannot be read: {error}")),
            badmail: false,
        })
    }

    /// Whether some recipient did not get it.
    fn failed(&self) -> bool {
        let bad = [OutcomeKind::Rejected.as_str(), OutcomeKind::Deferred.as_str()];
        self.error.is_some() || self.recipients.iter().any(|r| bad.contains(&r.outcome.as_str()))
    }

    /// Its Message-ID; where it has none, its file.
    fn shown_id(&self) -> String {
        match &self.message_id {
            Some(id) => Escaped(id).to_string(),
            None => format!("(none, file {})", Escaped(&self.file)),
        }
    }
}
