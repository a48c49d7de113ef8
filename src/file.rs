//! Stage 7: what of a mail is filed in a library, and under which proposed name.

use std::borrow::Cow;
use std::collections::HashMap;

use mailshelf_storage::model::{Attachments, Clash, LibrarySettings, Wanted, fitted, name_key};
use mailshelf_storage::{Content, Digest};

use crate::config::Limits;
use crate::explain::words::beyond;
use crate::message::{self, Message, Part, PartKind};
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
}

/// What becomes of one part, by the settings of a library and the limits of the site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Share {
    /// Words of the mail: no document of their own, they are in the original alone.
    Words,
    /// It would have this name, and is not filed; why.
    LeftOut(String, &'static str),
    /// It has this name and may not be filed, nor anything else of its mail; how it exceeds what.
    Refused(String, Reason, String),
    /// It becomes a document of this clean name, or of one like it if that is taken.
    Document(String),
}

/// Why nothing of a mail is filed: one mail is one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// In one word.
    pub reason: Reason,
    /// Which part, and how it exceeds what.
    pub because: Option<String>,
}

/// The settings of a library as they hold for a mail: where readers may find other files in it than ours, whoever has the
/// files needs the mail itself.
pub fn settings_for<'s>(mail: &Message, settings: &'s LibrarySettings) -> Cow<'s, LibrarySettings> {
    if mail.parts_in_doubt && !settings.save_original {
        return Cow::Owned(LibrarySettings { save_original: true, ..settings.clone() });
    }
    Cow::Borrowed(settings)
}

/// Says what of a mail is filed in a library with these settings.
pub fn propose<'a>(
    mail: &'a ReadMail,
    settings: &LibrarySettings,
    limits: &Limits,
) -> Result<Proposal<'a>, Refusal> {
    let settings = &*settings_for(&mail.message, settings);
    let mut proposal = Proposal::default();
    let folder = folder(mail, settings.attachments);
    for (part, digest) in mail.message.parts.iter().zip(&mail.part_digests) {
        let bytes = part.content.bytes(&mail.bytes);
        match share(part, bytes, settings, limits) {
            Share::Words => {}
            Share::LeftOut(part, why) => proposal.left_out.push(LeftOut { part, digest: *digest, why }),
            Share::Refused(name, reason, why) => {
                return Err(Refusal { reason, because: Some(format!("{name}: {why}")) });
            }
            Share::Document(name) => proposal.documents.push(Proposed {
                folder: folder.clone(),
                name,
                clash: Clash::Number,
                media_type: &part.media_type,
                sniffed_type: sniff::otherwise(bytes, &part.media_type),
                content: Content { digest: *digest, bytes },
                original: false,
            }),
        }
    }
    if settings.save_original {
        proposal.documents.push(original(mail, folder));
    }
    if proposal.documents.is_empty() {
        return Err(Refusal {
            reason: Reason::NothingToFile,
            because: Some(nothing(mail, &proposal.left_out)),
        });
    }
    if settings.overwrite {
        add_to_series(&mut proposal.documents);
    }
    Ok(proposal)
}

/// Says what becomes of a part of these bytes.
pub fn share(part: &Part, bytes: &[u8], settings: &LibrarySettings, limits: &Limits) -> Share {
    if part.kind == PartKind::Body {
        return Share::Words;
    }
    let name = part_name(part, bytes);
    let left_out = left_out(part.kind, settings);
    // What is left out as a file of its own the original holds all the same.
    let is_kept = left_out.is_none() || settings.save_original && part.kind != PartKind::Opened;
    let blocked = blocked::why(&name, bytes, &limits.blocked_types).filter(|_| is_kept);
    if let (Some(why), None) = (left_out, &blocked) {
        return Share::LeftOut(name, why);
    }
    if left_out.is_none() && bytes.len() as u64 > limits.attachment {
        let why = beyond(bytes.len() as u64, "limits.attachment", limits.attachment);
        return Share::Refused(name, Reason::AttachmentTooLarge, why);
    }
    match blocked {
        Some(why) => Share::Refused(name, Reason::BlockedType, why),
        None => Share::Document(name),
    }
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

/// Why there is no document: of each part, and of the words.
fn nothing(mail: &ReadMail, left_out: &[LeftOut]) -> String {
    let parts = left_out.iter().map(|left| format!("{}: {}", left.part, left.why));
    let has_words =
        mail.message.parts.iter().any(|part| {
            part.kind == PartKind::Body && !part.content.bytes(&mail.bytes).trim_ascii().is_empty()
        });
    let words = has_words.then(|| format!("the words: {NO_ORIGINAL}"));
    let why = parts.chain(words).collect::<Vec<_>>().join("; ");
    if why.is_empty() { "it has neither words nor files".to_owned() } else { why }
}

/// Why words are not filed.
pub const NO_ORIGINAL: &str =
    "they are in the original alone, which the library does not keep: save-original no";

fn part_name(part: &Part, bytes: &[u8]) -> String {
    let raw = part.name.as_deref().unwrap_or_default();
    let other = |fallback: &str| {
        name::clean(raw, &format!("{fallback}{}", name::extension::of(&part.media_type, bytes)))
    };
    match part.kind {
        // Others would not open these two under another extension, whatever their sender called them.
        PartKind::Forwarded => name::with_extension(&forwarded(raw, bytes), ".eml"),
        PartKind::Invitation => name::with_extension(&name::clean(raw, "invitation"), ".ics"),
        PartKind::InlineImage => other("image"),
        PartKind::Body | PartKind::Opened | PartKind::Attachment => other("attachment"),
    }
}

/// What a forwarded mail is called: as its sender called it, else by its own subject.
fn forwarded(raw: &str, bytes: &[u8]) -> String {
    let subject = if raw.is_empty() { message::headline(bytes).subject } else { None };
    name::clean(subject.as_deref().unwrap_or(raw), "forwarded message")
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
