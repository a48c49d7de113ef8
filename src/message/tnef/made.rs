//! TNEF streams for tests, sound ones and others.

/// A stream: signature, key, code page 1252, and these attributes.
pub fn stream(attributes: &[Vec<u8>]) -> Vec<u8> {
    let codepage = attribute(1, 0x0006_9007, &[1252u32.to_le_bytes(), [0; 4]].concat());
    [&[0x78, 0x9f, 0x3e, 0x22, 1, 0], codepage.as_slice(), &attributes.concat()].concat()
}

pub fn attribute(level: u8, id: u32, data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(data.len()).unwrap();
    let sum = data.iter().fold(0u16, |sum, &byte| sum.wrapping_add(byte.into()));
    [&[level], &id.to_le_bytes()[..], &length.to_le_bytes(), data, &sum.to_le_bytes()].concat()
}

/// `attMsgProps`.
pub fn message(properties: &[Vec<u8>]) -> Vec<u8> {
    attribute(1, 0x0006_9003, &counted(properties))
}

/// An attachment: `attAttachRendData`, then these attributes.
pub fn attachment(attributes: &[Vec<u8>]) -> Vec<u8> {
    let rendering = [&[1, 0], &[0xff; 4][..], &[0; 8]].concat();
    [attribute(2, 0x0006_9002, &rendering), attributes.concat()].concat()
}

/// `attAttachTitle`, with its NUL.
pub fn title(name: &[u8]) -> Vec<u8> {
    attribute(2, 0x0001_8010, &[name, b"\0"].concat())
}

/// `attAttachData`.
pub fn data(data: &[u8]) -> Vec<u8> {
    attribute(2, 0x0006_800f, data)
}

/// `attAttachment`.
pub fn properties(properties: &[Vec<u8>]) -> Vec<u8> {
    attribute(2, 0x0006_9005, &counted(properties))
}

/// A file as Outlook writes it.
pub fn file(name: &str, content: &[u8]) -> Vec<u8> {
    let properties = properties(&[number(0x3705, 1), string8(0x3707, name.as_bytes())]);
    attachment(&[title(b"SHORT~1.TXT"), data(content), properties])
}

/// A message as an attachment.
pub fn inner(stream: &[u8]) -> Vec<u8> {
    let object = [&b"\x07\x03\x02\0\0\0\0\0\xc0\0\0\0\0\0\0\x46"[..], stream].concat();
    attachment(&[
        data(b"This attachment is a message."),
        properties(&[number(0x3705, 5), many(0x000d, 0x3701, &[&object])]),
    ])
}

fn counted(properties: &[Vec<u8>]) -> Vec<u8> {
    [u32::try_from(properties.len()).unwrap().to_le_bytes().to_vec(), properties.concat()].concat()
}

/// A property of a type of fixed length.
pub fn fixed(kind: u16, id: u16, value: &[u8]) -> Vec<u8> {
    [&kind.to_le_bytes(), &id.to_le_bytes(), value].concat()
}

pub fn number(id: u16, value: u32) -> Vec<u8> {
    fixed(0x0003, id, &value.to_le_bytes())
}

/// A property of values of variable length, `name` being what stands between its tag and them.
pub fn named(kind: u16, id: u16, name: &[u8], values: &[&[u8]]) -> Vec<u8> {
    let mut bytes = [&kind.to_le_bytes(), &id.to_le_bytes(), name].concat();
    bytes.extend(u32::try_from(values.len()).unwrap().to_le_bytes());
    for value in values {
        bytes.extend(u32::try_from(value.len()).unwrap().to_le_bytes());
        bytes.extend_from_slice(value);
        bytes.resize(bytes.len() + value.len().next_multiple_of(4) - value.len(), 0);
    }
    bytes
}

pub fn many(kind: u16, id: u16, values: &[&[u8]]) -> Vec<u8> {
    named(kind, id, b"", values)
}

pub fn string8(id: u16, text: &[u8]) -> Vec<u8> {
    many(0x001e, id, &[&[text, b"\0"].concat()])
}

pub fn string(id: u16, text: &str) -> Vec<u8> {
    many(0x001f, id, &[&utf16(text)])
}

/// With its NUL.
pub fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect()
}

pub fn binary(id: u16, bytes: &[u8]) -> Vec<u8> {
    many(0x0102, id, &[bytes])
}
