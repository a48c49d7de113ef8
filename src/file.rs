//! Stage 7: what of a mail is filed in a library, and under which proposed name.

use std::collections::HashMap;

use mailshelf_storage::model::{Attachments, Clash, LibrarySettings, Wanted, fitted, name_key};
use mailshelf_storage::{Content, Digest};

use crate::config::Limits;
use crate::message::{Message, Part, PartKind};
use crate::outcome::Reason;

pub mod name;
pub mod sniff;
mod blocked;

/// A mail that was read: the bytes that are judged, hashed and stored, and what they say.
#[derive(Debug)]
pub struct ReadMail {
    /// The message, envelope block apart.
    pub bytes: Vec<u8>,
    /// Digest of just these bytes.
    pub digest: Digest,
    /// What it is the same mail by, however it came; see [`crate::message::likeness`].
    pub likeness: Option<Digest>,
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
    /// What if it is not.
    pub clash: Clash,
    /// As the sender declared it.
    pub media_type: &'a str,
    /// The type that its bytes show, where that is another.
    pub sniffed_type: Option<&'static str>,
    /// Its bytes.
    pub content: Content<'a>,
    /// Whether it is the mail itself.
    pub original: bool,
}

impl Proposed<'_> {
    /// The place that is asked for.
    pub fn wanted(&self) -> Wanted<'_> {
        Wanted { folder: &self.folder, name: &self.name, clash: self.clash }
    }
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
    /// Whether the mail has words; they are no document of their own.
    pub words: bool,
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
    limits: &Limits,
) -> Result<Proposal<'a>, Refusal> {
    let mut proposal = Proposal::default();
    let folder = folder(mail, settings.attachments);
    for (part, digest) in mail.message.parts.iter().zip(&mail.part_digests) {
        let bytes = part.content.bytes(&mail.bytes);
        if part.kind == PartKind::Body {
            proposal.words |= !bytes.trim_ascii().is_empty();
            continue;
        }
        let name = part_name(part, bytes);
        match left_out(part.kind, settings) {
            Some(why) => proposal.left_out.push(LeftOut { part: name, digest: *digest, why }),
            None => {
                check(&name, bytes, limits)?;
                proposal.documents.push(Proposed {
                    folder: folder.clone(),
                    name,
                    clash: Clash::Number,
                    media_type: &part.media_type,
                    sniffed_type: sniff::otherwise(bytes, &part.media_type),
                    content: Content { digest: *digest, bytes },
                    original: false,
                });
            }
        }
    }
    if settings.save_original {
        proposal.documents.push(original(mail, folder));
    }
    if proposal.documents.is_empty() {
        return Err(Refusal { reason: Reason::NothingToFile, because: nothing(&proposal.left_out) });
    }
    if settings.overwrite {
        add_to_series(&mut proposal.documents);
    }
    Ok(proposal)
}

/// The folder for the documents of a mail; empty: the root. It is named by what the mail claims, and gives nobody a
/// right.
fn folder(mail: &ReadMail, attachments: Attachments) -> String {
    match attachments {
        Attachments::Root => String::new(),
        Attachments::Subject => subject(mail),
        Attachments::Sender => {
            let claimed = mail.message.headline.from.clone().unwrap_or_default();
            let from = mail.message.mailbox.as_ref().map_or(claimed, ToString::to_string);
            name::clean(&from, "no sender")
        }
    }
}

fn subject(mail: &ReadMail) -> String {
    name::clean(mail.message.headline.subject.as_deref().unwrap_or_default(), "no subject")
}

/// The first of a name becomes a version of the first of that series, the second of the second, so that a next mail like
/// this one adds to each.
fn add_to_series(documents: &mut [Proposed<'_>]) {
    let mut counts = HashMap::new();
    for document in documents {
        let count = counts.entry(name_key(&document.name)).or_insert(0_u32);
        *count = count.saturating_add(1);
        document.clash = Clash::Version(*count);
    }
}

fn left_out(kind: PartKind, settings: &LibrarySettings) -> Option<&'static str> {
    match kind {
        PartKind::InlineImage if !settings.inline_images => {
            Some("the library leaves out inline images: inline-images no")
        }
        PartKind::Invitation if !settings.save_invitations => {
            Some("the library leaves out invitations: save-invitations no")
        }
        PartKind::Opened => Some("opened; only what is attached in it is filed"),
        _ => None,
    }
}

/// Whether a part may be filed at all.
fn check(name: &str, bytes: &[u8], limits: &Limits) -> Result<(), Refusal> {
    let refuse = |reason, why: String| Err(Refusal { reason, because: Some(format!("{name}: {why}")) });
    if bytes.len() as u64 > limits.attachment {
        return refuse(Reason::AttachmentTooLarge, format!("{} bytes", bytes.len()));
    }
    match blocked::why(name, bytes, &limits.blocked_types) {
        Some(why) => refuse(Reason::BlockedType, why),
        None => Ok(()),
    }
}

fn nothing(left_out: &[LeftOut]) -> Option<String> {
    let parts: Vec<_> = left_out.iter().map(|left| format!("{}: {}", left.part, left.why)).collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

fn part_name(part: &Part, bytes: &[u8]) -> String {
    // Others would not open it under another extension, whatever its sender called it.
    let (fallback, fixed) = match part.kind {
        PartKind::Forwarded => ("forwarded message", Some(".eml")),
        PartKind::Invitation => ("invitation", Some(".ics")),
        PartKind::InlineImage => ("image", None),
        PartKind::Body | PartKind::Opened | PartKind::Attachment => ("attachment", None),
    };
    let raw = part.name.as_deref().unwrap_or_default();
    match fixed {
        Some(extension) => name::with_extension(&name::clean(raw, fallback), extension),
        None => name::clean(raw, &format!("{fallback}{}", extension(&part.media_type, bytes))),
    }
}

/// For a part without a name. Who declares `application/octet-stream` has said nothing; the bytes may.
fn extension(media_type: &str, bytes: &[u8]) -> String {
    match sniff::sniff(bytes).map(sniff::Kind::extension) {
        Some(known) if media_type == "application/octet-stream" => format!(".{known}"),
        _ => name::extension(media_type).to_owned(),
    }
}

fn original(mail: &ReadMail, folder: String) -> Proposed<'_> {
    Proposed {
        folder,
        name: fitted(&subject(mail), ".eml"),
        clash: Clash::Number,
        media_type: "message/rfc822",
        sniffed_type: None,
        content: Content { digest: mail.digest, bytes: &mail.bytes },
        original: true,
    }
}
