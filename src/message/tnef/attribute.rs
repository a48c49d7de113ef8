//! The attributes of a stream, one behind the other, each with its checksum (MS-OXTNEF section 2.1.3.1).

use std::ops::Range;

use super::cursor::Cursor;
use super::{Doubt, SIGNATURE};

/// `attOemCodepage`.
pub(super) const OEM_CODEPAGE: u32 = 0x0006_9007;
/// `attMessageClass`.
pub(super) const MESSAGE_CLASS: u32 = 0x0007_8008;
/// `attMsgProps`.
pub(super) const MESSAGE_PROPERTIES: u32 = 0x0006_9003;
/// `attAttachRendData`, which begins an attachment.
pub(super) const ATTACH_REND_DATA: u32 = 0x0006_9002;
/// `attAttachTitle`.
pub(super) const ATTACH_TITLE: u32 = 0x0001_8010;
/// `attAttachData`.
pub(super) const ATTACH_DATA: u32 = 0x0006_800f;
/// `attAttachment`.
pub(super) const ATTACHMENT: u32 = 0x0006_9005;
/// The other ones that an attachment has: picture, times, name in transport. Without their types.
pub(super) const OF_ATTACHMENTS: [u32; 4] = [0x8011, 0x8012, 0x8013, 0x9001];

/// What an attribute says something of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    Message,
    Attachment,
}

#[derive(Debug)]
pub(super) struct Attribute {
    pub at: usize,
    pub level: Level,
    /// Type and number. Writers differ in the type, readers look at the number: see [`Attributes::next`].
    pub id: u32,
    pub data: Range<usize>,
}

/// The attributes of one stream.
pub(super) struct Attributes<'t> {
    bytes: &'t [u8],
    cursor: Cursor<'t>,
}

impl<'t> Attributes<'t> {
    /// Begins with the signature and the key, which means nothing any more.
    pub fn open(bytes: &'t [u8], range: Range<usize>) -> Result<Attributes<'t>, Doubt> {
        let mut cursor = Cursor::new(bytes, range);
        if !cursor.rest().starts_with(&SIGNATURE) {
            return Err(Doubt::Signature);
        }
        cursor.take(SIGNATURE.len())?;
        cursor.u16()?;
        Ok(Attributes { bytes, cursor })
    }

    /// The next one. Blanks and NULs at the end, as transports append them, hide nothing.
    pub fn next(&mut self) -> Result<Option<Attribute>, Doubt> {
        let at = self.cursor.offset();
        let level = match self.cursor.rest().first() {
            None => return Ok(None),
            Some(1) => Level::Message,
            Some(2) => Level::Attachment,
            Some(_) if self.cursor.rest().iter().all(|&byte| byte == 0 || byte.is_ascii_whitespace()) => {
                return Ok(None);
            }
            Some(_) => return Err(Doubt::Attribute(at)),
        };
        self.cursor.u8()?;
        let id = known(self.cursor.u32()?);
        let data = self.cursor.counted()?;
        let checksum = self.cursor.u16()?;
        if sum(self.bytes.get(data.clone()).unwrap_or_default()) != checksum {
            return Err(Doubt::Checksum(at));
        }
        Ok(Some(Attribute { at, level, id, data }))
    }
}

/// Some writers leave the type out (upper half); the number below says all.
fn known(id: u32) -> u32 {
    let all = [
        OEM_CODEPAGE,
        MESSAGE_CLASS,
        MESSAGE_PROPERTIES,
        ATTACH_REND_DATA,
        ATTACH_TITLE,
        ATTACH_DATA,
        ATTACHMENT,
    ];
    all.into_iter().find(|known| known & 0xffff == id & 0xffff).unwrap_or(id)
}

/// The sum of the bytes, modulo 65,536.
fn sum(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |sum, &byte| sum.wrapping_add(u16::from(byte)))
}
