//! Signs that a mail goes round in circles. Neither is needed by honest mail, and no reply is sent to any mail here: so
//! `Auto-Submitted`, `List-*` and a null return path, which warn those who would answer, are no such signs.

use super::addresses;
use super::fields::{self, Line};

/// More servers than honest mail passes: the limit of Postfix (`hopcount_limit`) and others.
pub const MOST: usize = 50;
/// So many addresses are read.
const NAMED: usize = 20;

/// How a mail has travelled so far.
#[derive(Debug, Default)]
pub struct Hops {
    /// How many servers have taken it: its `Received` fields (RFC 5321 section 6.3).
    pub received: usize,
    /// On whose behalf it was sent on: the addresses in `X-Loop`, in no RFC, by which whoever sends mail on in the name
    /// of an address knows its own again (procmail, mailing lists, ticket systems).
    pub loops: Vec<String>,
}

impl Hops {
    /// Reads the header of a message.
    pub fn read(message: &[u8]) -> Hops {
        let mut hops = Hops::default();
        for line in fields::of_message(message) {
            let Line::Field(field) = line else { continue };
            if field.is("received") {
                hops.received += 1;
            } else if field.is("x-loop") && hops.loops.len() < NAMED {
                let room = NAMED - hops.loops.len();
                hops.loops.extend(addresses(field.value).into_iter().take(room));
            }
        }
        hops
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_and_addresses_are_counted() {
        let hops = Hops::read(
            b"Received: a\nreceived: b\nX-Received: c\nX-Loop: <l@x.org>\nX-Loop: m@x.org\n\nReceived: d",
        );
        assert_eq!((hops.received, hops.loops), (2, vec!["l@x.org".to_owned(), "m@x.org".to_owned()]));
        let many = Hops::read("X-Loop: a@x.org, b@x.org, c@x.org\n".repeat(1000).as_bytes());
        assert_eq!(many.loops.len(), NAMED);
    }
}
