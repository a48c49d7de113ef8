//! Bytes of a message → what it says of itself and the parts it carries, within limits.
//!
//! mail-parser reads field values (addresses, ids), charsets and base64; it is known to this module alone. It never
//! sees a whole message; `structure` says why.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use jiff::Timestamp;
use mail_parser::HeaderValue;
use mail_parser::parsers::MessageStream;
use mailshelf_storage::Address;
use mailshelf_storage::model::Calendar;

use crate::sender::Traces;
use crate::sender::from::{self, NoMailbox};
use fields::{Field, Line};
use head::Head;
use hops::Hops;
use structure::Structure;

pub mod fields;
pub mod doubt;
pub mod shape;
pub mod params;
pub mod words;
pub mod decode;
pub mod limits;
pub mod likeness;
pub mod calendar;
pub mod hops;
mod head;
mod structure;
mod kind;
pub mod tnef;
mod open;
mod inside;
mod uu;
mod yenc;
mod flaws;

pub use limits::{Limits, Unreadable};

/// Of a field kept for the record no more is read.
const RECORDED_BYTES: usize = 8 << 10;

/// A message as read. Owns what it says, borrows nothing: it crosses threads beside the bytes it was read from.
#[derive(Debug)]
pub struct Message {
    /// What goes on record of its header.
    pub headline: Headline,
    /// The one From that rights may hang on, or why there is none.
    pub mailbox: Result<Address, NoMailbox>,
    /// What its header says about who sent it.
    pub traces: Traces,
    /// How it has travelled.
    pub hops: Hops,
    /// Every leaf, in order; behind a `winmail.dat` that was opened, what was attached in it. Parts of a forwarded
    /// message are inside that one.
    pub parts: Vec<Part>,
    /// Readers may find other files in it than these.
    pub parts_in_doubt: bool,
    /// What readers may read differently here, in words; what is the matter with one part is its note.
    pub flaws: BTreeSet<&'static str>,
}

impl Message {
    /// What it invites to, if it does; else what a calendar that is attached is about. `message` is what it was read from.
    pub fn calendar(&self, message: &[u8]) -> Calendar {
        let is_calendar = |part: &&Part| part.media_type == "text/calendar";
        let invitation = self.parts.iter().find(|part| part.kind == PartKind::Invitation);
        let part = invitation.or_else(|| self.parts.iter().find(is_calendar));
        part.map(|part| calendar::read(part.content.bytes(message))).unwrap_or_default()
    }

    /// How many bytes it holds beside those it was read from.
    pub fn decoded_bytes(&self) -> usize {
        let decoded = |part: &Part| match &part.content {
            Content::Range(_) | Content::Inside(..) => 0,
            Content::Decoded(bytes) => bytes.len(),
        };
        self.parts.iter().map(decoded).sum()
    }
}

/// What goes on record of a header, whatever becomes of the mail. All of it is a stranger's words.
#[derive(Debug, Default)]
pub struct Headline {
    /// The first `Message-ID`, without brackets.
    pub message_id: Option<String>,
    /// The first `Subject`, decoded.
    pub subject: Option<String>,
    /// Whom it claims to be from: every address of every `From`.
    pub from: Option<String>,
    /// Every address of every `To`.
    pub to: Option<String>,
    /// Every address of every `Cc`.
    pub cc: Option<String>,
    /// The first `Date`.
    pub date: Option<Timestamp>,
}

/// One leaf.
#[derive(Debug)]
pub struct Part {
    /// What it is to the library.
    pub kind: PartKind,
    /// The file name, decoded but not cleaned: a stranger's words, never a path.
    pub name: Option<String>,
    /// `type/subtype` as declared, lower case; the default of RFC 2045 or RFC 2046 where none is.
    pub media_type: String,
    /// Its bytes, transfer-decoded and otherwise untouched.
    pub content: Content,
    /// The `winmail.dat` it was attached in: which of the parts that is.
    pub inside: Option<usize>,
    /// What is the matter with it, in words: what of it is broken; of a `winmail.dat` that is filed itself, why.
    pub note: Option<String>,
}

/// What a part is to the library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartKind {
    /// The words of the mail, or another form of them.
    Body,
    /// A file.
    Attachment,
    /// A message as an attachment (`message/rfc822`, `message/global`).
    Forwarded,
    /// An image that the HTML body shows by its Content-ID.
    InlineImage,
    /// `text/calendar` that asks or answers something, and is no file that somebody attached.
    Invitation,
    /// A `winmail.dat` whose attachments stand in its place.
    Opened,
}

impl PartKind {
    /// Its one spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            PartKind::Body => "body",
            PartKind::Attachment => "attachment",
            PartKind::Forwarded => "forwarded",
            PartKind::InlineImage => "inline-image",
            PartKind::Invitation => "invitation",
            PartKind::Opened => "opened",
        }
    }
}

/// Where the bytes of a part are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// They stand in the message as they are.
    Range(Range<usize>),
    /// They had to be decoded.
    Decoded(Arc<Vec<u8>>),
    /// They stand in what had to be decoded for another part.
    Inside(Arc<Vec<u8>>, Range<usize>),
}

impl Content {
    /// The bytes; `message` is what the part was read from.
    pub fn bytes<'a>(&'a self, message: &'a [u8]) -> &'a [u8] {
        match self {
            Content::Range(range) => message.get(range.clone()).unwrap_or_default(),
            Content::Decoded(bytes) => bytes,
            Content::Inside(bytes, range) => bytes.get(range.clone()).unwrap_or_default(),
        }
    }
}

/// Reads a message. Time and memory are linear in its length, whatever it contains.
pub fn read(message: &[u8], limits: &Limits) -> Result<Message, Unreadable> {
    if message.is_empty() {
        return Err(Unreadable::Malformed("it is empty".to_owned()));
    }
    let mut header = fields::of_message(message);
    let (head, body) = Head::read(&mut header, limits)?;
    if !fields::of_message(message).any(|line| matches!(line, Line::Field(_))) {
        return Err(Unreadable::Malformed("it has no header field".to_owned()));
    }
    let mut structure = structure::walk(message, head, body, limits)?;
    let mut traces = Traces::read(message);
    if traces.ambiguous.is_some() {
        structure.flaws.insert("a header that readers may take differently");
    }
    let (parts, odd_files) = parts(message, &structure, limits)?;
    if odd_files {
        structure.ambiguous.get_or_insert(ODD_FILE);
    }
    let parts_in_doubt = structure.ambiguous.is_some();
    traces.ambiguous = traces.ambiguous.or(structure.ambiguous.map(str::to_owned));
    let top = Top::read(message);
    let mailbox = from::mailbox(message).and_then(|address| agreed(address, &top));
    let hops = Hops::read(message);
    Ok(Message {
        headline: top.headline(),
        mailbox,
        traces,
        hops,
        parts,
        parts_in_doubt,
        flaws: structure.flaws,
    })
}

/// Reads the header of a message that is refused as a whole, as far as its first bytes have it.
pub fn headline(message: &[u8]) -> Headline {
    let limits = Limits::default();
    let start = message.get(..message.len().min(limits.header_bytes)).unwrap_or_default();
    Top::read(start).headline()
}

/// The values of the fields kept for the record: the first of each, every `From`.
#[derive(Default)]
struct Top<'m> {
    id: Option<&'m [u8]>,
    subject: Option<&'m [u8]>,
    date: Option<&'m [u8]>,
    from: Vec<&'m [u8]>,
    to: Vec<&'m [u8]>,
    cc: Vec<&'m [u8]>,
}

impl<'m> Top<'m> {
    fn read(message: &'m [u8]) -> Top<'m> {
        let mut top = Top::default();
        for line in fields::of_message(message) {
            let Line::Field(field) = line else { continue };
            let Field { value, .. } = field;
            if field.is("message-id") {
                top.id.get_or_insert(value);
            } else if field.is("subject") {
                top.subject.get_or_insert(value);
            } else if field.is("date") {
                top.date.get_or_insert(value);
            } else if field.is("from") && top.from.len() < 10 {
                top.from.push(value);
            } else if field.is("to") && top.to.len() < 10 {
                top.to.push(value);
            } else if field.is("cc") && top.cc.len() < 10 {
                top.cc.push(value);
            }
        }
        top
    }

    fn headline(&self) -> Headline {
        let subject = self.subject.map(|value| words::unstructured(recorded(value)));
        Headline {
            message_id: self.id.and_then(message_id),
            subject: subject.filter(|text| !text.is_empty()),
            from: claimed(&self.from),
            to: claimed(&self.to),
            cc: claimed(&self.cc),
            date: self.date.and_then(date),
        }
    }
}

/// Not cut inside a character, or the rest would be no UTF-8 and be guessed wrong.
fn recorded(value: &[u8]) -> &[u8] {
    let Some(kept) = value.get(..RECORDED_BYTES) else { return value };
    let tail = kept.iter().rev().take(3).position(|&byte| byte >= 0xc0).map_or(0, |back| back + 1);
    kept.get(..kept.len() - tail).unwrap_or_default()
}

fn is_cut(value: &[u8]) -> bool {
    value.len() > RECORDED_BYTES
}

/// mail-parser ends a value only at a line break that no blank follows.
fn line(value: &[u8]) -> Vec<u8> {
    [recorded(value), b"\n"].concat()
}

/// It is the same however it is folded.
fn message_id(value: &[u8]) -> Option<String> {
    let mut line = recorded(value).to_vec();
    line.retain(|byte| !matches!(byte, b'\r' | b'\n'));
    line.push(b'\n');
    let id = match MessageStream::new(&line).parse_id() {
        HeaderValue::Text(id) => id.into_owned(),
        HeaderValue::TextList(ids) => ids.into_iter().next()?.into_owned(),
        _ => return None,
    };
    Some(id).filter(|id| !id.is_empty())
}

/// What is no date as RFC 5322 section 3.3 has it, or close to that, is none.
fn date(value: &[u8]) -> Option<Timestamp> {
    match MessageStream::new(&line(value)).parse_date() {
        HeaderValue::DateTime(date) if date.is_valid() => Timestamp::from_second(date.to_timestamp()).ok(),
        _ => None,
    }
}

/// The addresses mail-parser reads in a value; what has none is shown by its name.
fn addresses(value: &[u8]) -> Vec<String> {
    let line = line(value);
    match MessageStream::new(&line).parse_address() {
        HeaderValue::Address(addresses) => addresses
            .into_list()
            .into_iter()
            .filter_map(|one| one.address.or(one.name).map(Cow::into_owned))
            .collect(),
        _ => Vec::new(),
    }
}

fn claimed(from: &[&[u8]]) -> Option<String> {
    let all: Vec<String> = from.iter().flat_map(|value| addresses(value)).collect();
    (!all.is_empty()).then(|| all.join(", "))
}

/// Where two readers read two addresses there is none: the server that judged the sender may have read a third.
fn agreed(address: Address, top: &Top<'_>) -> Result<Address, NoMailbox> {
    let [value] = top.from.as_slice() else {
        return Err(NoMailbox::Doubt("the From is read differently by other programs"));
    };
    match addresses(value).as_slice() {
        [other] if other.parse().is_ok_and(|other: Address| other == address) => Ok(address),
        _ => Err(NoMailbox::Doubt("the From is read differently by other programs")),
    }
}

const ODD_FILE: &str = "a file in a transfer encoding that readers may take differently";

/// The parts, and whether readers may read other bytes in a file among them.
fn parts(message: &[u8], structure: &Structure, limits: &Limits) -> Result<(Vec<Part>, bool), Unreadable> {
    let mut odd_files = false;
    let mut opener = open::Opener::new(message, limits, structure.parts);
    for (index, leaf) in structure.leaves.iter().enumerate() {
        let raw = message.get(leaf.body.clone()).unwrap_or_default();
        let (bytes, sound) = leaf.head.encoding.decode(raw);
        let name = leaf.head.name();
        let kind = kind::kind(leaf, name.as_deref(), index == 0, raw);
        if kind == PartKind::Body && leaf.media_type == "text/html" {
            kind::shown(&bytes, &leaf.head.charset(), &mut opener.shown);
        }
        let is_odd = kind != PartKind::Body && !leaf.head.encoding.is_strict(raw);
        odd_files |= is_odd;
        let content = match bytes {
            Cow::Borrowed(_) => Content::Range(leaf.body.clone()),
            Cow::Owned(bytes) => Content::Decoded(Arc::new(bytes)),
        };
        let media_type = leaf.media_type.clone();
        let note = match (sound, is_odd) {
            (false, _) => Some("a broken transfer encoding".to_owned()),
            (true, true) => Some("a transfer encoding that readers may take differently".to_owned()),
            (true, false) => None,
        };
        let part = Part { kind, name, media_type, content, inside: None, note };
        let files = inside::files(message, &part, limits.parts)?;
        opener.take(part, leaf.head.content_id.clone());
        for file in files {
            opener.found(file)?;
        }
    }
    Ok((opener.finish(), odd_files))
}

#[cfg(test)]
mod tests;
