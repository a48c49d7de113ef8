//! One attachment: what its attributes and properties say of it, and what that makes it.

use std::ops::Range;

use super::attribute::{self, Attribute};
use super::property::{self, Property};
use super::text::Text;
use super::{Attachment, Doubt};

/// What is no file of its own.
pub(super) const MESSAGE: &str = "a message";
const OBJECT: &str = "an OLE object";
const LINK: &str = "a link to a file";
const NO_DATA: &str = "an attachment without content";
const UNKNOWN: &str = "an attachment of an unknown kind";

/// `IID_IMessage`: the object is a message, a stream of its own (MS-OXTNEF section 2.1.3.4).
const IID_MESSAGE: [u8; 16] = [0x07, 0x03, 0x02, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46];

/// An attachment being read.
#[derive(Debug, Default)]
pub(super) struct Draft {
    /// The type in `attAttachRendData`.
    rendering: Option<u16>,
    title: Option<Text>,
    data: Option<Range<usize>>,
    encapsulated: Option<Property>,
    method: Option<u32>,
    long_name: Option<Text>,
    short_name: Option<Text>,
    display_name: Option<Text>,
    media_type: Option<Text>,
    content_id: Option<Text>,
}

/// What an attachment turns out to be.
#[derive(Debug)]
pub(super) enum Found {
    File(Attachment),
    /// A message, and where its stream is.
    Message(Range<usize>),
    /// Nothing that could be filed by itself, in words.
    NoFile(&'static str),
}

impl Draft {
    pub fn begin(bytes: &[u8], rendering: &Attribute) -> Draft {
        let kind = bytes.get(rendering.data.clone()).and_then(<[u8]>::first_chunk);
        Draft { rendering: kind.map(|kind| u16::from_le_bytes(*kind)), ..Draft::default() }
    }

    /// Takes in one more attribute.
    pub fn take(&mut self, bytes: &[u8], attribute: &Attribute) -> Result<(), Doubt> {
        match attribute.id {
            attribute::ATTACH_TITLE => {
                self.title.get_or_insert(Text { range: attribute.data.clone(), wide: false });
                Ok(())
            }
            attribute::ATTACH_DATA => {
                once(&mut self.data, attribute.data.clone(), "a file's content", attribute.at)
            }
            attribute::ATTACHMENT => {
                property::each(bytes, attribute.data.clone(), |one| self.property(bytes, one))
            }
            id if attribute::OF_ATTACHMENTS.contains(&(id & 0xffff)) => Ok(()),
            // No checksum covers the id: what this one once was nobody knows.
            _ => Err(Doubt::Attribute(attribute.at)),
        }
    }

    fn property(&mut self, bytes: &[u8], property: Property) -> Result<(), Doubt> {
        let text = match property.id {
            property::ATTACH_DATA if matches!(property.kind, property::BINARY | property::OBJECT) => {
                let at = property.at;
                return once(&mut self.encapsulated, property, "a file's content", at);
            }
            property::ATTACH_METHOD if property.kind == property::INTEGER32 => {
                let method = bytes.get(property.value).and_then(<[u8]>::first_chunk).copied();
                return once(&mut self.method, method.map_or(0, u32::from_le_bytes), "a method", property.at);
            }
            property::ATTACH_LONG_FILENAME => &mut self.long_name,
            property::ATTACH_FILENAME => &mut self.short_name,
            property::DISPLAY_NAME => &mut self.display_name,
            property::ATTACH_MIME_TAG => &mut self.media_type,
            property::ATTACH_CONTENT_ID => &mut self.content_id,
            _ => return Ok(()),
        };
        // Of a text written in both ways that in Unicode counts: a code page may lack some of its letters.
        if let Some(new) = property.text()
            && text.as_ref().is_none_or(|old| new.wide && !old.wide)
        {
            *text = Some(new);
        }
        Ok(())
    }

    /// What it is, by `PidTagAttachMethod` (MS-OXCMSG section 2.2.2.9); without that, by `attAttachRendData`.
    pub fn finish(self, bytes: &[u8], codepage: u32) -> Result<Found, Doubt> {
        if let Some(object) = self.encapsulated.as_ref().filter(|one| one.kind == property::OBJECT) {
            return Ok(object_in(bytes, &object.value));
        }
        Ok(match (self.method, self.rendering) {
            (Some(5), _) => Found::NoFile(MESSAGE),
            (Some(6), _) | (None, Some(2 | 3)) => Found::NoFile(OBJECT),
            (Some(2 | 3 | 4 | 7), _) => Found::NoFile(LINK),
            (Some(8..), _) => Found::NoFile(UNKNOWN),
            (Some(0 | 1) | None, _) => match self.content(bytes)? {
                Some(data) => Found::File(self.file(bytes, codepage, data)),
                None => Found::NoFile(NO_DATA),
            },
        })
    }

    /// The bytes of a file stand in an attribute or in a property; in both, they must be the same.
    fn content(&self, bytes: &[u8]) -> Result<Option<Range<usize>>, Doubt> {
        let Some(encapsulated) = &self.encapsulated else { return Ok(self.data.clone()) };
        match &self.data {
            Some(data) if bytes.get(data.clone()) != bytes.get(encapsulated.value.clone()) => {
                Err(Doubt::Twice { what: "a file's content", at: encapsulated.at })
            }
            _ => Ok(Some(encapsulated.value.clone())),
        }
    }

    fn file(&self, bytes: &[u8], codepage: u32, data: Range<usize>) -> Attachment {
        let read = |text: &Option<Text>| text.as_ref().and_then(|text| text.name(bytes, codepage));
        let short = read(&self.short_name).or_else(|| read(&self.title));
        // `VIANYT~1.PDF` is called `VIA Nytt 1402.pdf`.
        let whole = short.as_ref().filter(|short| !short.contains('~')).cloned();
        let name = read(&self.long_name).or(whole).or_else(|| read(&self.display_name)).or(short);
        let content_id = read(&self.content_id).map(|id| {
            let id = id.strip_prefix('<').unwrap_or(&id);
            id.strip_suffix('>').unwrap_or(id).as_bytes().to_vec()
        });
        let media_type = read(&self.media_type).map(|media_type| media_type.to_ascii_lowercase());
        Attachment { name, media_type, content_id: content_id.filter(|id| !id.is_empty()), data }
    }
}

/// What an object is, by the interface in front of it.
fn object_in(bytes: &[u8], object: &Range<usize>) -> Found {
    let is_message = bytes.get(object.clone()).is_some_and(|object| object.starts_with(&IID_MESSAGE));
    match is_message {
        true => Found::Message(object.start + IID_MESSAGE.len()..object.end),
        false => Found::NoFile(OBJECT),
    }
}

fn once<T>(place: &mut Option<T>, value: T, what: &'static str, at: usize) -> Result<(), Doubt> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(Doubt::Twice { what, at }),
    }
}
