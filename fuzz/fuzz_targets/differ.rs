//! Two other readers of mail, against each other and against ours: where they find two sets of files, or another sender,
//! ours must say that the mail is ambiguous, or find no mailbox in it; either way nobody is its sender.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mailshelf::message::{Limits, Message, read};
use mailshelf_fuzz::readers::{self, Leaf};

fuzz_target!(|bytes: &[u8]| {
    let message = [b"From: alice@example.org\r\n", mailshelf_fuzz::message(bytes)].concat();
    let Ok(ours) = read(&message, &Limits::default()) else { return };
    let Ok(from) = &ours.mailbox else { return };
    if ours.traces.ambiguous.is_some() {
        return;
    }
    // Who refuses a mail as a whole, as mailparse does where a lone CR stands for the empty line, reads nothing else in it.
    let Some(other) = readers::mailparse(&message) else { return };
    // Of a part without header and body one makes an empty part, another none: neither finds a file.
    let filled =
        |leaves: Vec<Leaf>| -> Vec<Leaf> { leaves.into_iter().filter(|leaf| !leaf.is_empty()).collect() };
    let (one, other) = (filled(readers::mail_parser(&message).unwrap_or_default()), filled(other));
    assert_eq!(one, other);
    if let Some(ours) = leaves(&message, &ours) {
        assert_eq!(one, filled(ours));
    }
    for addresses in readers::from_by_each(&message) {
        assert!(
            matches!(addresses.as_slice(), [one] if one.parse().as_ref() == Ok(from)),
            "{addresses:?} {from}"
        );
    }
});

/// What we file, and the words; `None` where we look further than the others do, into words and encodings.
fn leaves(bytes: &[u8], message: &Message) -> Option<Vec<Leaf>> {
    let further = ["begin", "=ybegin", "uue", "uuencode"];
    let text = String::from_utf8_lossy(bytes).to_ascii_lowercase();
    if further.iter().any(|word| text.contains(word))
        || message.parts.iter().any(|part| part.inside.is_some())
    {
        return None;
    }
    Some(message.parts.iter().map(|part| readers::leaf(part.content.bytes(bytes))).collect())
}
