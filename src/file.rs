//! Stage 7: what of a mail is filed in a library, and under which proposed name.

use mailshelf_storage::model::LibrarySettings;
use mailshelf_storage::{Content, Digest};

use crate::message::{Message, Part, PartKind};
use crate::outcome::Reason;

pub mod name;

/// A mail that was read: the bytes that are judged, hashed and stored, and what they say.
#[derive(Debug)]
pub struct ReadMail {
    /// The message, envelope block apart.
    pub bytes: Vec<u8>,
    /// Digest of just these bytes.
    pub digest: Digest,
    /// What they say.
    pub message: Message,
    /// A digest for each part of the message, in the same order.
    pub part_digests: Vec<Digest>,
}

/// A document to be, from a mail.
#[derive(Debug, Clone)]
pub struct Proposed<'a> {
    /// In which folder; empty: in the root.
    pub folder: String,
    /// A clean name; the catalog settles whether it is free.
    pub name: String,
    /// As the sender declared it.
    pub media_type: &'a str,
    /// Its bytes.
    pub content: Content<'a>,
    /// Whether it is the mail itself.
    pub original: bool,
}

/// A part that is not filed, and the setting or the rule that says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// What it would have been called.
    pub part: String,
    /// Its bytes.
    pub digest: Digest,
    /// Why it is not filed.
    pub why: &'static str,
}

/// What a library gets of a mail.
#[derive(Debug, Clone, Default)]
pub struct Proposal<'a> {
    /// Never empty.
    pub documents: Vec<Proposed<'a>>,
    /// What the library's settings leave out.
    pub left_out: Vec<LeftOut>,
}

/// Why nothing of a mail is filed: one mail is one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// In one word.
    pub reason: Reason,
    /// Which part, and how it exceeds what.
    pub because: Option<String>,
}

/// Says what of a mail is filed in a library with these settings.
pub fn propose<'a>(
    mail: &'a ReadMail,
    settings: &LibrarySettings,
    attachment_limit: u64,
) -> Result<Proposal<'a>, Refusal> {
    let mut proposal = Proposal::default();
    for (part, digest) in mail.message.parts.iter().zip(&mail.part_digests) {
        let bytes = part.content.bytes(&mail.bytes);
        match left_out(part.kind) {
            _ if part.kind == PartKind::Body => {}
            Some(why) => proposal.left_out.push(LeftOut { part: part_name(part), digest: *digest, why }),
            None if bytes.len() as u64 > attachment_limit => return Err(too_large(part, bytes.len())),
            None => proposal.documents.push(Proposed {
                folder: String::new(),
                name: part_name(part),
                media_type: &part.media_type,
                content: Content { digest: *digest, bytes },
                original: false,
            }),
        }
    }
    if settings.save_original {
        proposal.documents.push(original(mail));
    }
    if proposal.documents.is_empty() {
        return Err(Refusal { reason: Reason::NothingToFile, because: nothing(&proposal.left_out) });
    }
    Ok(proposal)
}

fn left_out(kind: PartKind) -> Option<&'static str> {
    match kind {
        PartKind::InlineImage => Some("inline images are not filed"),
        PartKind::Invitation => Some("invitations are not filed"),
        PartKind::Opened => Some("opened; only what is attached in it is filed"),
        PartKind::Body | PartKind::Attachment | PartKind::Forwarded => None,
    }
}

fn too_large(part: &Part, size: usize) -> Refusal {
    let because = format!("{}: {size} bytes", part_name(part));
    Refusal { reason: Reason::AttachmentTooLarge, because: Some(because) }
}

fn nothing(left_out: &[LeftOut]) -> Option<String> {
    let parts: Vec<_> = left_out.iter().map(|left| format!("{}: {}", left.part, left.why)).collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

fn part_name(part: &Part) -> String {
    let forwarded = part.kind == PartKind::Forwarded;
    let fallback = if forwarded { "forwarded message" } else { "attachment" };
    let fallback = format!("{fallback}{}", name::extension(&part.media_type));
    let raw = part.name.as_deref().unwrap_or_default();
    let raw = if forwarded && !raw.is_empty() { name::with_extension(raw, ".eml") } else { raw.to_owned() };
    name::clean(&raw, &fallback)
}

fn original(mail: &ReadMail) -> Proposed<'_> {
    let subject = mail.message.headline.subject.as_deref().unwrap_or_default().trim();
    Proposed {
        folder: String::new(),
        name: name::clean(&format!("{}.eml", name::clean(subject, "no subject")), "no subject.eml"),
        media_type: "message/rfc822",
        content: Content { digest: mail.digest, bytes: &mail.bytes },
        original: true,
    }
}
