//! TNEF, what Exchange and Outlook send as `winmail.dat` (MS-OXTNEF): the files in it, each a slice of the input.
//!
//! A stream is read whole or not at all: every length is held against what is there, every checksum is added up, every
//! property is walked over. Whatever leaves a doubt ends the reading, and the caller files the stream as it came. What
//! is sound but no file (an OLE object, the words of a forwarded message) is named in [`Tnef::rest`], and the caller
//! files the stream beside the files.

use std::collections::{BTreeSet, VecDeque};
use std::ops::Range;

use attribute::{Attribute, Level};
use draft::{Draft, Found};
use property::Property;
use text::Text;

mod attribute;
mod cursor;
mod draft;
mod property;
mod rtf;
mod text;

/// What begins every stream (MS-OXTNEF section 2.1.3.2), as its bytes stand there.
pub const SIGNATURE: [u8; 4] = [0x78, 0x9f, 0x3e, 0x22];

/// No more bodies are looked through for images: one or two to a message.
const BODIES: usize = 64;

/// What was found in a stream and in the messages inside it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Tnef {
    /// The files, in order; those of inner messages behind those of the outer one.
    pub attachments: Vec<Attachment>,
    /// What else it holds that is neither a file nor the words of the mail, in words.
    pub rest: BTreeSet<&'static str>,
    /// How many files, messages and others there are.
    pub parts: usize,
    /// The words of the mail, as far as they may show images.
    bodies: Vec<Body>,
}

/// A file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// Its name, the long one where there are several: a stranger's words, never a path.
    pub name: Option<String>,
    /// As the sender declared it (`PidTagAttachMimeTag`), not looked at.
    pub media_type: Option<String>,
    /// `PidTagAttachContentId`, without angle brackets.
    pub content_id: Option<Vec<u8>>,
    /// Where its bytes stand in the input.
    pub data: Range<usize>,
}

/// How much of it is read.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Files and messages in all.
    pub parts: usize,
    /// Messages inside one another.
    pub depth: usize,
}

/// Why a stream is not opened. Offsets are those of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Doubt {
    /// Something else under its name.
    #[error("it does not begin as TNEF does")]
    Signature,
    /// A length points behind the end.
    #[error("it is cut short, or the length at byte {0} is wrong")]
    CutShort(usize),
    /// Neither an attribute nor padding.
    #[error("what stands at byte {0} is no attribute")]
    Attribute(usize),
    /// Changed on its way, or made by a program that errs.
    #[error("the checksum of the attribute at byte {0} is wrong")]
    Checksum(usize),
    /// Properties that do not fill their attribute, or of an unknown type.
    #[error("what stands at byte {0} is no MAPI property")]
    Property(usize),
    /// Readers could take one or the other.
    #[error("it has {what} twice, again at byte {at}")]
    Twice {
        /// What.
        what: &'static str,
        /// Where the second one is.
        at: usize,
    },
    /// [`Limits::parts`].
    #[error("it takes the mail above its limit of parts")]
    TooMany,
    /// [`Limits::depth`].
    #[error("more than {0} messages stand in one another")]
    TooDeep(usize),
}

/// A body of the mail.
#[derive(Debug, PartialEq, Eq)]
enum Body {
    Html(Text),
    /// `PidTagRtfCompressed`; HTML may be wrapped in it (MS-OXRTFEX).
    Rtf(Range<usize>),
}

/// Reads a stream. Time is linear in its length for each message inside one another; no byte of a file is copied.
pub fn read(bytes: &[u8], limits: &Limits) -> Result<Tnef, Doubt> {
    let mut tnef = Tnef::default();
    let mut streams = VecDeque::from([(0..bytes.len(), 0)]);
    while let Some((range, depth)) = streams.pop_front() {
        let mut stream = Stream { bytes, tnef: &mut tnef, codepage: 0, inner: depth > 0, limits };
        let messages = stream.read(range)?;
        if !messages.is_empty() && depth >= limits.depth {
            return Err(Doubt::TooDeep(limits.depth));
        }
        streams.extend(messages.into_iter().map(|message| (message, depth + 1)));
    }
    Ok(tnef)
}

impl Tnef {
    /// Hands each body that may show images to `look`, as HTML or as RTF with HTML inside.
    pub fn bodies(&self, bytes: &[u8], mut look: impl FnMut(&[u8])) {
        for body in &self.bodies {
            match body {
                Body::Html(html) if html.wide => look(html.decode(bytes, 0).as_bytes()),
                Body::Html(html) => look(bytes.get(html.range.clone()).unwrap_or_default()),
                Body::Rtf(range) => look(&rtf::decompress(bytes.get(range.clone()).unwrap_or_default())),
            }
        }
    }
}

/// One stream being read: the outer one, or that of a message in it.
struct Stream<'t, 'r> {
    bytes: &'t [u8],
    tnef: &'r mut Tnef,
    /// `attOemCodepage`, which 8-bit strings are in; 0 until it comes.
    codepage: u32,
    inner: bool,
    limits: &'r Limits,
}

impl Stream<'_, '_> {
    /// Gives the streams of the messages in it.
    fn read(&mut self, range: Range<usize>) -> Result<Vec<Range<usize>>, Doubt> {
        let mut messages = Vec::new();
        let mut draft: Option<Draft> = None;
        let mut attributes = attribute::Attributes::open(self.bytes, range)?;
        while let Some(attribute) = attributes.next()? {
            match attribute.level {
                Level::Message => self.message(&attribute)?,
                Level::Attachment if attribute.id == attribute::ATTACH_REND_DATA => {
                    let next = Draft::begin(self.bytes, &attribute);
                    let done = draft.replace(next);
                    self.finish(done, &mut messages)?;
                }
                Level::Attachment => match draft.as_mut() {
                    Some(draft) => draft.take(self.bytes, &attribute)?,
                    None => return Err(Doubt::Attribute(attribute.at)),
                },
            }
        }
        self.finish(draft, &mut messages)?;
        Ok(messages)
    }

    fn finish(&mut self, draft: Option<Draft>, messages: &mut Vec<Range<usize>>) -> Result<(), Doubt> {
        let Some(draft) = draft else { return Ok(()) };
        self.tnef.parts += 1;
        if self.tnef.parts > self.limits.parts {
            return Err(Doubt::TooMany);
        }
        match draft.finish(self.bytes, self.codepage)? {
            Found::File(file) => self.tnef.attachments.push(file),
            Found::Message(stream) => {
                self.tnef.rest.insert(draft::MESSAGE);
                messages.push(stream);
            }
            Found::NoFile(what) => {
                self.tnef.rest.insert(what);
            }
        }
        Ok(())
    }

    fn message(&mut self, attribute: &Attribute) -> Result<(), Doubt> {
        let bytes = self.bytes;
        match attribute.id {
            attribute::OEM_CODEPAGE => {
                let codepage = bytes.get(attribute.data.clone()).and_then(<[u8]>::first_chunk);
                self.codepage = codepage.map_or(0, |bytes| u32::from_le_bytes(*bytes));
            }
            attribute::MESSAGE_CLASS => self.class(&Text { range: attribute.data.clone(), wide: false }),
            attribute::MESSAGE_PROPERTIES => {
                property::each(bytes, attribute.data.clone(), |property| {
                    self.property(property);
                    Ok(())
                })?;
            }
            _ => {}
        }
        Ok(())
    }

    fn property(&mut self, property: Property) {
        let text = property.text();
        let body = match (property.id, text, property.kind) {
            (property::MESSAGE_CLASS, Some(class), _) => return self.class(&class),
            (property::HTML, Some(html), _) => Body::Html(html),
            (property::HTML, None, property::BINARY) => {
                Body::Html(Text { range: property.value, wide: false })
            }
            (property::RTF_COMPRESSED, None, property::BINARY) => Body::Rtf(property.value),
            _ => return,
        };
        if self.tnef.bodies.len() < BODIES {
            self.tnef.bodies.push(body);
        }
    }

    /// A mail, a receipt or a report is all words. An appointment, a task or a contact is not, and what it is stands in
    /// properties that no other part of the mail need have.
    fn class(&mut self, class: &Text) {
        let class = class.name(self.bytes, self.codepage).unwrap_or_default().to_ascii_lowercase();
        let is =
            |known: &str| class.strip_prefix(known).is_some_and(|end| end.is_empty() || end.starts_with('.'));
        let words = ["ipm.note", "ipm.post", "ipm.microsoft mail", "report"].into_iter().any(is);
        if !self.inner && !words && !class.is_empty() && class != "ipm" {
            self.tnef.rest.insert("an appointment, task, contact or other item of Outlook");
        }
    }
}

#[cfg(test)]
pub(in crate::message) mod made;
#[cfg(test)]
mod tests;
