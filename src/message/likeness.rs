//! What makes a mail the same mail, whatever way it came: its Message-ID, From, Date, Subject and parts. Another server,
//! a resend (RFC 5322 section 3.6.6) or a list changes what stands above these, where lines are folded, how they end,
//! and in which encoding a part travels; none of that counts here.

use mailshelf_storage::Digest;
use mailshelf_storage::digest::Hasher;
use memchr::memchr;
use memchr::memmem::find_iter;

use super::fields::{self, Field, Line};
use super::{Content, Part, PartKind, addresses, is_cut, message_id, words};

/// So that no other digest is ever taken for one of these, nor one of another version of this module.
const DOMAIN: &[u8] = b"mailshelf likeness 1\0";

/// The likeness of a message with these parts. `digests` are those of their bytes: of most parts it needs no other.
/// Everything that stands for a document, its name and its folder is in it, so mails that are alike file the same.
/// `None` without a Message-ID and a Date: a device that sends the same twice may mean it.
pub fn likeness(message: &[u8], parts: &[Part], digests: &[Digest]) -> Option<Digest> {
    let mut frame = Frame(Hasher::default());
    frame.0.update(DOMAIN);
    if !frame.header(message) {
        return None;
    }
    frame.count(parts.len());
    for (part, digest) in parts.iter().zip(digests) {
        frame.text(part.kind.as_str());
        frame.maybe(part.name.as_deref());
        frame.text(&part.media_type);
        frame.0.update(of_part(part, part.content.bytes(message), *digest).as_bytes());
    }
    Some(frame.0.finish())
}

/// Fields of any length, each with its length before it: no two lists of fields give the same bytes.
struct Frame(Hasher);

impl Frame {
    fn count(&mut self, count: usize) {
        self.0.update(&(count as u64).to_be_bytes());
    }

    fn text(&mut self, text: &str) {
        self.count(text.len());
        self.0.update(text.as_bytes());
    }

    fn maybe(&mut self, text: Option<&str>) {
        self.count(usize::from(text.is_some()));
        if let Some(text) = text {
            self.text(text);
        }
    }

    /// The first of each field, as on record, but every From. Whether anything tells one sending from another.
    fn header(&mut self, message: &[u8]) -> bool {
        let (mut id, mut date, mut subject, mut from) = (None, None, None, Vec::new());
        for line in fields::of_message(message) {
            let Line::Field(field) = line else { continue };
            let Field { value, .. } = field;
            if field.is("message-id") {
                id.get_or_insert(value);
            } else if field.is("date") {
                date.get_or_insert(value);
            } else if field.is("subject") {
                subject.get_or_insert(value);
            } else if field.is("from") {
                from.push(value);
            }
        }
        let (id, date) = (id.and_then(message_id), date.map(text_of));
        self.maybe(id.as_deref());
        self.maybe(date.as_deref());
        self.maybe(subject.map(text_of).as_deref());
        self.count(from.len());
        from.into_iter().for_each(|value| self.from(value));
        id.is_some() || date.is_some_and(|date| !date.is_empty())
    }

    /// Its addresses: servers write the names beside them anew. A value without any, or longer than is read for them,
    /// is taken as text.
    fn from(&mut self, value: &[u8]) {
        let mut addresses = addresses(value);
        if addresses.is_empty() || is_cut(value) {
            addresses.push(text_of(value));
        }
        self.count(addresses.len());
        addresses.iter().for_each(|address| self.text(address));
    }
}

/// A value without its folds: where a line is folded, one blank may stand for another.
fn text_of(value: &[u8]) -> String {
    words::unstructured(value).split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

/// The digest of a part's bytes, each CRLF taken for LF where they came as lines: an IIS drop has the one, a Maildir the
/// other. What travelled in an encoding and is no text did not, nor did what holds a NUL (RFC 2045 section 2.8): those
/// bytes are what was sent. At the end of the words servers add and remove empty lines.
fn of_part(part: &Part, bytes: &[u8], digest: Digest) -> Digest {
    if !matches!(part.content, Content::Range(_)) && !part.media_type.starts_with("text/") {
        return digest;
    }
    let kept = match part.kind {
        PartKind::Body => before_breaks(bytes),
        _ => bytes,
    };
    let mut breaks = find_iter(kept, b"\r\n").peekable();
    if kept.len() == bytes.len() && (breaks.peek().is_none() || memchr(0, kept).is_some()) {
        return digest;
    }
    let mut hasher = Hasher::default();
    let mut at = 0;
    for found in breaks {
        hasher.update(kept.get(at..found).unwrap_or_default());
        at = found + 1;
    }
    hasher.update(kept.get(at..).unwrap_or_default());
    hasher.finish()
}

fn before_breaks(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|byte| !matches!(byte, b'\r' | b'\n')).map_or(0, |last| last + 1);
    bytes.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests;
