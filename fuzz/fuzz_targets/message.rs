//! A whole message: no bytes make the reader panic, every file it finds stands within them or was decoded from them, and
//! it reads the same twice, and whatever way the mail came.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mailshelf::message::likeness::likeness;
use mailshelf::message::{Content, Limits, Message, Part, PartKind, headline, read};
use mailshelf_storage::Digest;

fuzz_target!(|bytes: &[u8]| {
    let bytes = mailshelf_fuzz::message(bytes);
    headline(bytes);
    let Ok(message) = read(bytes, &Limits::default()) else { return };
    stands(bytes, &message);
    told(&message);
    message.calendar(bytes);
    let again = read(bytes, &Limits::default()).unwrap();
    alike(bytes, &message, bytes, &again);
    assert_eq!(message.told_flaws(), again.told_flaws());
    assert_eq!(like(bytes, &message), like(bytes, &again));
    with_other_line_ends(bytes, &message);
});

/// Nothing is longer than what was sent, but for a uuencoded file, of which a lost line of blanks is 45 zeros.
fn stands(bytes: &[u8], message: &Message) {
    for (index, part) in message.parts.iter().enumerate() {
        match &part.content {
            Content::Range(range) => assert!(bytes.get(range.clone()).is_some()),
            Content::Inside(whole, range) => assert!(whole.get(range.clone()).is_some()),
            Content::Decoded(_) => {}
        }
        if let Some(inside) = part.inside {
            assert!(inside < index);
            let whole = &message.parts[inside];
            assert!(matches!(whole.kind, PartKind::Opened | PartKind::Attachment), "{whole:?}");
        }
    }
    assert!(message.decoded_bytes() <= 8 * bytes.len() + 1024);
}

/// What goes on record of it is short.
fn told(message: &Message) {
    let flaws = message.told_flaws();
    assert!(flaws.len() <= 17 && flaws.iter().all(|flaw| flaw.chars().count() <= 256));
    assert!(!message.parts.iter().any(|part| part.note.as_deref() == Some("")));
}

fn alike(bytes: &[u8], one: &Message, others: &[u8], other: &Message) {
    assert_eq!(one.parts.len(), other.parts.len());
    for (one, other) in one.parts.iter().zip(&other.parts) {
        same(one, other);
        assert_eq!(one.content.bytes(bytes), other.content.bytes(others));
    }
}

fn same(one: &Part, other: &Part) {
    assert_eq!((one.kind, &one.name, &one.media_type), (other.kind, &other.name, &other.media_type));
    assert_eq!((one.inside, &one.note), (other.inside, &other.note));
}

fn like(bytes: &[u8], message: &Message) -> Option<Digest> {
    let digests: Vec<_> = message.parts.iter().map(|part| Digest::of(part.content.bytes(bytes))).collect();
    likeness(bytes, &message.parts, &digests)
}

/// A Maildir has each mail with LF that an IIS drop has with CRLF: it is the same mail. Not so where a CR stands for
/// something else, or where line ends are part of a file: one with a NUL, or one that was encoded by lines. How many zeros
/// a uuencoded file may be of hangs on its length as it was sent.
fn with_other_line_ends(bytes: &[u8], message: &Message) {
    let uuencoded = bytes.windows(6).any(|six| six == b"begin ");
    if bytes.contains(&b'\r') || uuencoded {
        return;
    }
    let crlf = String::from_utf8_lossy(bytes).replace('\n', "\r\n");
    if crlf.contains('\u{fffd}') {
        return;
    }
    let crlf = crlf.as_bytes();
    let other = read(crlf, &Limits::default()).unwrap();
    assert_eq!(message.parts.len(), other.parts.len());
    message.parts.iter().zip(&other.parts).for_each(|(one, other)| same(one, other));
    assert_eq!(message.mailbox, other.mailbox);
    assert_eq!(message.flaws, other.flaws);
    let as_sent = |part: &Part| matches!(part.content, Content::Range(_)) && part.inside.is_none();
    if message.parts.iter().all(as_sent) && !bytes.contains(&0) {
        assert_eq!(like(bytes, message), like(crlf, &other));
    }
}
