//! From: an address that rights may hang on is one that two other readers read too, and no other.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mailshelf::message::{Limits, read};
use mailshelf_fuzz::readers;
use mailshelf_storage::Address;

fuzz_target!(|bytes: &[u8]| {
    let message = [b"Received: x\r\nFrom: ", bytes, b"\r\n\r\nhi"].concat();
    let Ok(Ok(from)) = read(&message, &Limits::default()).map(|message| message.mailbox) else { return };
    assert_eq!(from.as_str().parse().as_ref(), Ok(&from), "its canonical form is itself");
    for addresses in readers::from_by_each(&message) {
        let read: Vec<Option<Address>> = addresses.iter().map(|one| one.parse().ok()).collect();
        assert_eq!(read, [Some(from.clone())], "{addresses:?}");
    }
});
