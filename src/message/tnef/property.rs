//! MAPI properties as an attribute encapsulates them (MS-OXTNEF section 2.1.3.4; types MS-OXCDATA section 2.11.1; tags
//! MS-OXPROPS).

use std::ops::Range;

use super::Doubt;
use super::cursor::Cursor;
use super::text::Text;

/// `PidTagMessageClass`.
pub(super) const MESSAGE_CLASS: u16 = 0x001a;
/// `PidTagRtfCompressed`.
pub(super) const RTF_COMPRESSED: u16 = 0x1009;
/// `PidTagHtml` (binary), `PidTagBodyHtml` (text).
pub(super) const HTML: u16 = 0x1013;
/// `PidTagDisplayName`.
pub(super) const DISPLAY_NAME: u16 = 0x3001;
/// `PidTagAttachDataBinary`, `PidTagAttachDataObject`.
pub(super) const ATTACH_DATA: u16 = 0x3701;
/// `PidTagAttachFilename`, in the 8.3 form of DOS.
pub(super) const ATTACH_FILENAME: u16 = 0x3704;
/// `PidTagAttachMethod`.
pub(super) const ATTACH_METHOD: u16 = 0x3705;
/// `PidTagAttachLongFilename`.
pub(super) const ATTACH_LONG_FILENAME: u16 = 0x3707;
/// `PidTagAttachMimeTag`.
pub(super) const ATTACH_MIME_TAG: u16 = 0x370e;
/// `PidTagAttachContentId`.
pub(super) const ATTACH_CONTENT_ID: u16 = 0x3712;

/// `PtypInteger32`.
pub(super) const INTEGER32: u16 = 0x0003;
/// `PtypObject`.
pub(super) const OBJECT: u16 = 0x000d;
/// `PtypString8`.
pub(super) const STRING8: u16 = 0x001e;
/// `PtypString`, which is UTF-16.
pub(super) const STRING: u16 = 0x001f;
/// `PtypBinary`.
pub(super) const BINARY: u16 = 0x0102;

/// Its type has many values.
const MULTIPLE: u16 = 0x1000;
/// From here on a property has a name, and its number holds for this stream alone.
const FIRST_NAMED: u16 = 0x8000;

/// A property with one value.
#[derive(Debug)]
pub(super) struct Property {
    pub at: usize,
    pub id: u16,
    pub kind: u16,
    pub value: Range<usize>,
}

impl Property {
    /// Its value, if that is text.
    pub fn text(&self) -> Option<Text> {
        let wide = match self.kind {
            STRING8 => false,
            STRING => true,
            _ => return None,
        };
        Some(Text { range: self.value.clone(), wide })
    }
}

/// Walks over the properties of an attribute, which they must fill; `take` gets those of one value and no name, for
/// nothing that we look for has another form.
pub(super) fn each(
    bytes: &[u8],
    range: Range<usize>,
    mut take: impl FnMut(Property) -> Result<(), Doubt>,
) -> Result<(), Doubt> {
    let mut cursor = Cursor::new(bytes, range);
    // A wrong count ends at the end of the attribute: each property is some bytes long.
    for _ in 0..cursor.u32()? {
        let at = cursor.offset();
        let (kind, id) = (cursor.u16()?, cursor.u16()?);
        if id >= FIRST_NAMED {
            skip_name(&mut cursor)?;
        }
        let value = value(&mut cursor, kind, at)?;
        if let Some(value) = value.filter(|_| id < FIRST_NAMED) {
            take(Property { at, id, kind, value })?;
        }
    }
    if cursor.rest().iter().any(|&byte| byte != 0) {
        return Err(Doubt::Property(cursor.offset()));
    }
    Ok(())
}

/// A namespace, and a number or a text.
fn skip_name(cursor: &mut Cursor<'_>) -> Result<(), Doubt> {
    let at = cursor.offset();
    cursor.take(16)?;
    match cursor.u32()? {
        0 => cursor.u32().map(|_| ()),
        1 => cursor.counted_padded().map(|_| ()),
        _ => Err(Doubt::Property(at)),
    }
}

/// The value, if there is exactly one.
fn value(cursor: &mut Cursor<'_>, kind: u16, at: usize) -> Result<Option<Range<usize>>, Doubt> {
    let multiple = kind & MULTIPLE != 0;
    let variable = matches!(kind & !MULTIPLE, OBJECT | STRING8 | STRING | BINARY);
    let count = if multiple || variable { cursor.u32()? } else { 1 };
    // Only the many have many.
    if !multiple && count > 1 {
        return Err(Doubt::Property(at));
    }
    let mut value = None;
    for _ in 0..count {
        value = Some(if variable { cursor.counted_padded()? } else { fixed(cursor, kind, count, at)? });
    }
    Ok(value.filter(|_| !multiple))
}

fn fixed(cursor: &mut Cursor<'_>, kind: u16, count: u32, at: usize) -> Result<Range<usize>, Doubt> {
    let (length, padding) = match kind & !MULTIPLE {
        // Of several short ones some readers take each to be padded, some all together.
        0x0002 | 0x000b if count > 1 => return Err(Doubt::Property(at)),
        0x0002 | 0x000b => (2, 2),
        INTEGER32 | 0x0004 | 0x000a => (4, 0),
        0x0005 | 0x0006 | 0x0007 | 0x0014 | 0x0040 => (8, 0),
        0x0048 => (16, 0),
        _ => return Err(Doubt::Property(at)),
    };
    let value = cursor.take(length)?;
    cursor.take(padding)?;
    Ok(value)
}
