//! What several targets share: two other readers of mail, their findings put in one form.

pub mod readers;

/// What our server writes above a mail, and all that counts of it: a block of a drop folder with one recipient.
pub const BLOCK: &str = "x-sender: alice@example.org\r\nx-receiver: docs@docs.example.org\r\n";

/// The message in the file of a drop folder: what stands below the server's block, if there is one.
pub fn message(file: &[u8]) -> &[u8] {
    &file[mailshelf::envelope::folder(file).message..]
}
