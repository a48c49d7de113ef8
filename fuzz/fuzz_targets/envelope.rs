//! Envelope: what the server wrote in front of a message is all of it, and nothing that a sender writes becomes part of it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mailshelf::envelope::{self, Envelope};
use mailshelf_fuzz::BLOCK;

fuzz_target!(|bytes: &[u8]| {
    block(bytes);
    receivers(bytes);
    folder_holds(bytes);
    maildir(bytes);
});

/// The block ends where a line does, and says the same without the message behind it.
fn block(file: &[u8]) {
    let read = envelope::folder(file);
    let block = file.get(..read.message).unwrap();
    assert!(block.is_empty() || block.ends_with(b"\n") || block.len() == file.len());
    if read.sender.is_none() {
        assert_eq!(read, Envelope::default());
    }
    assert_eq!(envelope::folder(block), read);
}

/// They are whole lines of the block; without one of them it says the same of the others.
fn receivers(file: &[u8]) {
    let read = envelope::folder(file);
    let found = envelope::receivers(file);
    assert!(found.iter().map(|(address, _)| address).eq(&read.recipients));
    let mut end = 0;
    for (_, lines) in &found {
        assert!(end <= lines.start && lines.start < lines.end && lines.end <= read.message);
        assert!(lines.start == 0 || file[lines.start - 1] == b'\n');
        end = lines.end;
    }
    for (index, (_, lines)) in found.iter().enumerate().take(3) {
        let without = [&file[..lines.start], &file[lines.end..]].concat();
        let mut recipients = read.recipients.clone();
        recipients.remove(index);
        let message = read.message - lines.len();
        assert_eq!(envelope::folder(&without), Envelope { recipients, message, ..read.clone() });
    }
}

/// Below the `Received` of our server, or the last line of Exchange, stands what may be anybody's.
fn folder_holds(message: &[u8]) {
    let sender = Some("alice@example.org".to_owned());
    let recipients = vec!["docs@docs.example.org".to_owned()];
    let mine = Envelope { sender, recipients, source: None, message: BLOCK.len() };
    let file = [BLOCK.as_bytes(), b"Received: from x\r\n", message].concat();
    assert_eq!(envelope::folder(&file), mine);
    let exchange = format!("{BLOCK}X-EndOfInjectedXHeaders: 1\r\n");
    let file = [exchange.as_bytes(), message].concat();
    assert_eq!(envelope::folder(&file), Envelope { message: exchange.len(), ..mine });
}

/// The message is the whole file, and nothing below the first `Received` is ours.
fn maildir(file: &[u8]) {
    let read = envelope::maildir(file);
    assert!(read.message == 0 && read.source.is_none() && read.recipients.len() <= 1);
    let ours = b"Return-Path: <a@example.org>\nDelivered-To: b@docs.example.org\nReceived: x\n";
    let read = envelope::maildir(&[ours, file].concat());
    assert_eq!(read.sender.as_deref(), Some("a@example.org"));
    assert_eq!(read.recipients, ["b@docs.example.org"]);
}
