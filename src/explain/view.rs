//! An explanation as plain values: what scripts read as JSON.

use mailshelf_storage::Digest;
use serde::Serialize;

use super::{PartFate, Place, Step};
use crate::file::{self, ReadMail};
use crate::pass::prepare::Whole;
use crate::record::words::{self, RecipientRecord, SenderRecord};

/// What would become of a mail, and why. Texts are as strangers wrote them, not escaped.
#[derive(Debug, Serialize)]
pub struct Explanation {
    /// The file's name in the drop.
    pub file: String,
    /// Where it stands.
    pub place: Place,
    /// What has to be known to read the rest rightly; one sentence each.
    pub notes: Vec<String>,
    /// What is asked once for the whole mail: drop, envelope, message, sender.
    pub stages: Vec<Step>,
    /// What the server wrote about it; `None` if it could not be read.
    pub envelope: Option<EnvelopeView>,
    /// What it says itself; `None` if it could not be read.
    pub message: Option<MessageView>,
    /// Who sent it; where libraries ask for different proof, the best there is.
    pub sender: SenderRecord,
    /// What becomes of it, for each recipient once.
    pub recipients: Vec<Recipient>,
    /// Why it would wait, or be given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// It would be moved to badmail.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub badmail: bool,
    /// What becomes of the file.
    pub disposal: Disposal,
}

/// The envelope.
#[derive(Debug, Serialize)]
pub struct EnvelopeView {
    /// `folder` or `maildir`.
    pub format: &'static str,
    /// The return path; empty for the null one.
    pub sender: Option<String>,
    /// The recipients as written.
    pub recipients: Vec<String>,
    /// The recipients are not the mail's own, but those of [`super::Request::to`].
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub recipients_given: bool,
    /// The byte of the file at which the message begins.
    pub message_at: usize,
}

/// The message.
#[derive(Debug, Serialize)]
pub struct MessageView {
    /// With its brackets.
    pub message_id: Option<String>,
    /// The address in From: a claim.
    pub from: Option<String>,
    /// As decoded.
    pub subject: Option<String>,
    /// In bytes.
    pub size: u64,
    /// Of the message.
    pub sha256: String,
    /// Its leaves in order; none where it is refused as a whole.
    pub parts: Vec<PartView>,
    /// What is the matter with it, as it goes on record.
    pub flaws: Vec<String>,
}

/// A part.
#[derive(Debug, Serialize)]
pub struct PartView {
    /// `body`, `attachment`, `forwarded`, `inline-image`, `invitation` or `opened`: a `winmail.dat` whose attachments
    /// stand in its place.
    pub kind: &'static str,
    /// The file name, decoded, not cleaned.
    pub name: Option<String>,
    /// As declared.
    pub media_type: String,
    /// As the bytes show, where that is another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sniffed_type: Option<&'static str>,
    /// In bytes, decoded.
    pub size: u64,
    /// Of these bytes.
    pub sha256: String,
    /// The `winmail.dat` it was attached in: which of the parts that is, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inside: Option<usize>,
    /// What is the matter with it; of a `winmail.dat` that is filed itself: why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// What becomes of a mail for one recipient.
#[derive(Debug, Serialize)]
pub struct Recipient {
    /// What a pass would put on record.
    #[serde(flatten)]
    pub record: RecipientRecord,
    /// What the reason means, in a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meaning: Option<&'static str>,
    /// What becomes of each part of the message, in its order; none where the outcome is on record already, and nothing
    /// of it asked again.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<PartFate>,
    /// What is asked for this recipient: route, authorise, file, record; as far as it comes.
    pub steps: Vec<Step>,
}

/// What becomes of the file.
#[derive(Debug, Serialize)]
pub struct Disposal {
    /// In one word.
    pub action: Action,
    /// Where it is moved to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// The same as a step.
    #[serde(flatten)]
    pub step: Step,
}

/// What becomes of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// It is deleted.
    Delete,
    /// It is kept aside.
    Keep,
    /// It waits for another pass.
    Wait,
    /// It is given up, and moved to badmail.
    Badmail,
}

impl MessageView {
    /// Of a message of so many bytes, with this digest.
    pub(super) fn new(whole: &Whole, size: u64, digest: Digest) -> MessageView {
        let (headline, parts, flaws) = match whole {
            Whole::Mail(read) => (&read.message.headline, parts(read), read.message.told_flaws()),
            Whole::Unfit(_, headline) => (&**headline, Vec::new(), Vec::new()),
        };
        MessageView {
            message_id: headline.message_id.as_deref().map(words::bracketed),
            from: headline.from.clone(),
            subject: headline.subject.clone(),
            size,
            sha256: digest.to_string(),
            parts,
            flaws,
        }
    }
}

fn parts(read: &ReadMail) -> Vec<PartView> {
    let parts = read.message.parts.iter().zip(&read.part_digests);
    let view = parts.map(|(part, digest)| PartView {
        kind: part.kind.as_str(),
        name: part.name.clone(),
        media_type: part.media_type.clone(),
        sniffed_type: file::sniff::otherwise(part.content.bytes(&read.bytes), &part.media_type),
        size: part.content.bytes(&read.bytes).len() as u64,
        sha256: digest.to_string(),
        inside: part.inside,
        note: part.note.clone(),
    });
    view.collect()
}
