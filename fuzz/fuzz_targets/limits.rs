//! Limits: what is read within small ones is within them, and the same within larger ones; and a mail of one thing a
//! hundred thousand times costs no more than another of its length. The first six bytes are the limits, the seventh
//! says whether the rest is a mail, or what stands before, in and behind such a row, a byte 0xff between them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mailshelf::message::fields::{self, Line};
use mailshelf::message::{Limits, Message, Unreadable, read};

/// The length of such a row.
const ROW: usize = 256 << 10;

fuzz_target!(|bytes: &[u8]| {
    let [parts, depth, fields, header, structured, parameters, kind, rest @ ..] = bytes else { return };
    if kind % 4 == 3 {
        return row(rest);
    }
    let small = Limits {
        parts: 1 + usize::from(parts % 16),
        depth: 1 + usize::from(depth % 8),
        header_fields: 1 + usize::from(fields % 32),
        header_bytes: 1 + 8 * usize::from(*header),
        structured_bytes: 1 + 2 * usize::from(*structured),
        parameters: 1 + usize::from(parameters % 16),
    };
    match read(rest, &small) {
        Ok(message) => {
            within(rest, &message, &small);
            same(rest, &message, &read(rest, &Limits::default()).unwrap());
        }
        Err(Unreadable::TooComplex(why)) => {
            let Limits { parts, depth, header_fields, header_bytes, structured_bytes, parameters } = small;
            let limits = [parts, depth, header_fields, header_bytes, structured_bytes, parameters];
            assert!(limits.iter().any(|limit| why.starts_with(&format!("more than {limit} "))), "{why}");
        }
        Err(Unreadable::Malformed(_)) => assert!(read(rest, &Limits::default()).is_err()),
    }
});

fn within(bytes: &[u8], message: &Message, limits: &Limits) {
    assert!(message.parts.len() <= limits.parts);
    let mut header = fields::of_message(bytes);
    assert!(header.by_ref().count() <= limits.header_fields);
    // The empty line behind it is none of its own.
    assert!(header.offset() <= limits.header_bytes + 2 || !ends_shortly(bytes, header.offset()));
    for line in fields::of_message(bytes) {
        let Line::Field(field) = line else { continue };
        if field.is("content-type") {
            assert!(field.value.len() <= limits.structured_bytes);
            break;
        }
    }
}

/// Whether the line before an offset is no row of CRs, which may be of any length.
fn ends_shortly(bytes: &[u8], offset: usize) -> bool {
    !bytes[..offset].ends_with(b"\r\r\n")
}

/// A `winmail.dat` of more parts than the small limits is left closed there.
fn same(bytes: &[u8], small: &Message, large: &Message) {
    let closed = |note: &str| note.contains("not opened");
    if small.parts.iter().any(|part| part.note.as_deref().is_some_and(closed)) {
        return;
    }
    assert_eq!(small.parts.len(), large.parts.len());
    for (one, other) in small.parts.iter().zip(&large.parts) {
        assert_eq!((one.kind, &one.name, &one.media_type), (other.kind, &other.name, &other.media_type));
        assert_eq!(one.content.bytes(bytes), other.content.bytes(bytes));
    }
    assert_eq!(small.traces.ambiguous, large.traces.ambiguous);
}

/// What is superlinear here takes longer than the fuzzer gives it.
fn row(bytes: &[u8]) {
    let mut pieces = bytes.splitn(3, |&byte| byte == 0xff);
    let mut next = || pieces.next().unwrap_or_default();
    let (before, unit, behind) = (next(), next(), next());
    if unit.is_empty() {
        return;
    }
    let mail = [before, &unit.repeat(ROW.div_ceil(unit.len())), behind].concat();
    if let Ok(message) = read(&mail, &Limits::default()) {
        message.told_flaws();
        message.calendar(&mail);
    }
    mailshelf::envelope::folder(&mail);
    mailshelf::envelope::maildir(&mail);
}
