//! Who the server says sent a file's mail, and to whom: from the lines it wrote in front of the message.
//!
//! Only those lines count, since everything below them is the sender's words. In a folder they are a block at the very
//! start: one `x-sender`, then `x-receiver` lines and what Exchange adds, up to the first other field. A message
//! whose own first field is `x-receiver` could lengthen that block: hence an MTA must write its `Received:` line there,
//! and a second `x-sender` ends the block, being the start of what a sender tries to pass off as one.

use std::ops::Range;

use crate::message::fields::{self, Field, Line};

/// What the server said about a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Envelope {
    /// The return path as written, without brackets; empty for the null one (`<>`), nothing if none was given.
    pub sender: Option<String>,
    /// The recipients as written, in order, repeated ones repeated.
    pub recipients: Vec<String>,
    /// The address of the client, as Exchange noted it; only from a block of Exchange that is whole.
    pub source: Option<String>,
    /// Where in the file the message begins.
    pub message: usize,
}

/// Exchange's lines beside the addresses. Their contents say nothing we need.
const RELATIVES: [&str; 7] = [
    "x-createdby",
    "x-helodomain",
    "x-extendedprops",
    "x-extendedmessageprops",
    "x-legacyextendedprops",
    "x-source",
    "x-sourceipport",
];

/// The client's address, as Exchange saw it.
const SOURCE: &str = "x-sourceipaddress";

/// Exchange's last line. Its number is no length of this block (it is larger than the whole of it in real files, and
/// no document says what it counts), so nothing is read from it.
const LAST: &str = "x-endofinjectedxheaders";

/// The envelope of a file in a drop folder. Without a block the file is all message and has no recipients. An `X-`
/// line we do not know ends the block like any other field: the message begins there and keeps it.
pub fn folder(file: &[u8]) -> Envelope {
    let mut lines = fields::of_message(file);
    let mut envelope = Envelope::default();
    let mut sources = Vec::new();
    loop {
        let at = lines.offset();
        let Some(Line::Field(field)) = lines.next().filter(|line| exact(line)) else {
            return envelope.starting(at);
        };
        if field.is("x-sender") && envelope.sender.is_none() {
            envelope.sender = Some(address(field.value));
        } else if envelope.sender.is_none() {
            return Envelope::default();
        } else if field.is("x-receiver") {
            envelope.recipients.push(address(field.value));
        } else if field.is(LAST) {
            // Up to its own line end: a message whose first line begins with a blank must not pass for its fold.
            let message = fields::line_at(file, at).map_or(at, |(_, next)| next);
            // Of two nobody knows which is Exchange's own: that is none, and not as if it had said nothing.
            envelope.source = sources.pop().map(|last| if sources.is_empty() { last } else { String::new() });
            return envelope.starting(message);
        } else if field.is(SOURCE) {
            sources.push(String::from_utf8_lossy(field.value.trim_ascii()).into_owned());
        } else if !RELATIVES.iter().any(|name| field.is(name)) {
            return envelope.starting(at);
        }
    }
}

fn exact(line: &Line<'_>) -> bool {
    matches!(line, Line::Field(field) if field.exact)
}

impl Envelope {
    fn starting(self, message: usize) -> Envelope {
        match self.sender {
            Some(_) => Envelope { message, ..self },
            None => Envelope::default(),
        }
    }
}

/// Where in the block of a file in a drop folder each recipient stands, with the address as written: whole lines.
pub fn receivers(file: &[u8]) -> Vec<(String, Range<usize>)> {
    let end = folder(file).message;
    let mut lines = fields::of_message(file);
    let mut found = Vec::new();
    loop {
        let at = lines.offset();
        match lines.next() {
            Some(Line::Field(field)) if at < end => {
                if field.is("x-receiver") {
                    found.push((address(field.value), at..lines.offset()));
                }
            }
            _ => return found,
        }
    }
}

/// The envelope of a file in a Maildir: the topmost `Return-Path`, and of the fields in which delivery agents note the
/// recipient the topmost of the best kind, above the first `Received:`. The message is the whole file.
pub fn maildir(file: &[u8]) -> Envelope {
    const KINDS: [&str; 3] = ["x-original-to", "delivered-to", "envelope-to"];
    let mut sender = None;
    let mut found: [Option<Field<'_>>; 3] = [None; 3];
    for line in fields::of_message(file) {
        let Line::Field(field) = line else { break };
        if field.is("received") || !field.exact {
            break;
        }
        if field.is("return-path") && sender.is_none() {
            sender = Some(address(field.value));
        }
        for (kind, slot) in KINDS.iter().zip(&mut found) {
            if field.is(kind) {
                slot.get_or_insert(field);
            }
        }
    }
    let recipients = found.into_iter().flatten().map(|field| address(field.value)).take(1).collect();
    Envelope { sender, recipients, source: None, message: 0 }
}

/// The address in a value: what is between the brackets, a source route (RFC 5321 appendix C) and, without brackets,
/// ESMTP parameters taken off. Blanks and brackets inside a quoted local-part are part of it.
pub(crate) fn address(value: &[u8]) -> String {
    let value = value.trim_ascii();
    let path = match value.strip_prefix(b"<") {
        Some(path) => path.get(..end(path, |byte| byte == b'>')).unwrap_or_default().trim_ascii(),
        None => value,
    };
    let path = path.get(..end(path, |byte| byte.is_ascii_whitespace())).unwrap_or_default();
    let path = path.strip_prefix(b"@").map_or(path, |route| {
        let colon = end(route, |byte| byte == b':');
        route.get(colon + 1..).unwrap_or(path)
    });
    String::from_utf8_lossy(path).into_owned()
}

/// Where the first such byte stands outside quotes; the end of the text if nowhere. A quote that is never closed does
/// not count as one.
fn end(text: &[u8], is_end: impl Fn(u8) -> bool) -> usize {
    let mut unclosed = None;
    let (mut quoted, mut escaped) = (false, false);
    for (at, &byte) in text.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => {
                quoted = !quoted;
                unclosed = None;
            }
            _ if !is_end(byte) => {}
            _ if quoted => unclosed = unclosed.or(Some(at)),
            _ => return at,
        }
    }
    unclosed.filter(|_| quoted).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn folder_is(file: &str, sender: Option<&str>, recipients: &[&str], message: &str) {
        let envelope = folder(file.as_bytes());
        assert_eq!(envelope.sender.as_deref(), sender, "{file}");
        assert_eq!(envelope.recipients, recipients, "{file}");
        assert_eq!(String::from_utf8_lossy(&file.as_bytes()[envelope.message..]), message, "{file}");
    }

    #[test]
    fn the_block_of_iis() {
        let block = "x-sender: alice@example.org\r\nx-receiver: a@docs.example.org\r\nx-receiver: b@docs.example.org\r\n";
        let message = "Received: from x\r\nx-receiver: board@docs.example.org\r\n\r\nhi";
        let both = ["a@docs.example.org", "b@docs.example.org"];
        folder_is(&format!("{block}{message}"), Some("alice@example.org"), &both, message);
    }

    #[test]
    fn the_block_of_exchange() {
        let block = "X-Sender: <a@b.org> BODY=8BITMIME\r\nX-Receiver: <c@d.org> ORCPT=rfc822;c@d.org NOTIFY=NEVER;\r\n\
            \tX-ExtendedProps=BQAV\r\nX-CreatedBy: MSExchange15\r\nX-HeloDomain: h.b.org\r\nX-ExtendedProps: BQBj\r\n\
            X-Source: SMTP:Default X\r\nX-SourceIPAddress: 192.0.2.1\r\nX-EndOfInjectedXHeaders: 20998\r\n";
        for message in ["X-Virus-Scanned: yes\r\n\r\nhi", "X-Receiver: board@d.org\r\n\r\nhi"] {
            folder_is(&format!("{block}{message}"), Some("a@b.org"), &["c@d.org"], message);
        }
    }

    #[test]
    fn the_client_as_exchange_saw_it() {
        let source = |lines: &str| {
            folder(format!("X-Sender: <a@b>\r\nX-Receiver: <c@d>\r\n{lines}\r\n\r\n").as_bytes()).source
        };
        let last = "X-EndOfInjectedXHeaders: 9";
        assert_eq!(source(&format!("X-SourceIPAddress: 192.0.2.1 \r\n{last}")).as_deref(), Some("192.0.2.1"));
        assert_eq!(source(last), None);
        // Without its end the block may be the sender's.
        assert_eq!(source("X-SourceIPAddress: 192.0.2.1\r\nSubject: x"), None);
        let two = format!("X-SourceIPAddress: 192.0.2.1\r\nX-SourceIPAddress: 192.0.2.2\r\n{last}");
        assert_eq!(source(&two).as_deref(), Some(""));
        assert_eq!(source(&format!("{last}\r\nX-SourceIPAddress: 192.0.2.1")), None);
    }

    #[test]
    fn what_ends_a_block() {
        folder_is("x-sender: a@b\nx-receiver: c@d\n\nbody", Some("a@b"), &["c@d"], "\nbody");
        folder_is(
            "x-sender: a@b\nx-receiver: c@d\nX-Else: 1\nx-receiver: e@f\n\n",
            Some("a@b"),
            &["c@d"],
            "X-Else: 1\nx-receiver: e@f\n\n",
        );
        folder_is(
            "x-sender: a@b\nx-receiver: c@d\nx-sender: e@f\n\n",
            Some("a@b"),
            &["c@d"],
            "x-sender: e@f\n\n",
        );
        folder_is("x-sender: a@b\nx-receiver : c@d\n\n", Some("a@b"), &[], "x-receiver : c@d\n\n");
        folder_is("x-sender: a@b\nx-receiver: c@d", Some("a@b"), &["c@d"], "");
        folder_is("x-sender: a@b\nX-EndOfInjectedXHeaders: 0\n folded\n\n", Some("a@b"), &[], " folded\n\n");
        folder_is(
            "x-sender: a@b\nx-receiver: c@d\nno field\nA: 1\n\n",
            Some("a@b"),
            &["c@d"],
            "no field\nA: 1\n\n",
        );
    }

    #[test]
    fn no_block_no_recipients() {
        for file in [
            "",
            "\n",
            "Received: x\nx-sender: a@b\nx-receiver: c@d\n\n",
            "x-receiver: c@d\nx-sender: a@b\n\n",
            "X-CreatedBy: x\nx-sender: a@b\nx-receiver: c@d\n\n",
            " x-sender: a@b\nx-receiver: c@d\n\n",
            "no field",
        ] {
            folder_is(file, None, &[], file);
        }
    }

    #[test]
    fn addresses_however_written() {
        for (value, written) in [
            ("a@b", "a@b"),
            ("<a@b>", "a@b"),
            ("  < a@b > SIZE=3", "a@b"),
            ("<>", ""),
            ("", ""),
            ("a@b \t", "a@b"),
            ("<a@b", "a@b"),
            ("<a@b SIZE=3", "a@b"),
            ("a@b BODY=8BITMIME", "a@b"),
            ("<\"a b>c\"@d>", "\"a b>c\"@d"),
            ("\"a b\"@d X=y", "\"a b\"@d"),
            ("<\"a\\\" b\"@d>", "\"a\\\" b\"@d"),
            ("<@a,@b:c@d>", "c@d"),
            ("<\"a b@d>", "\"a"),
            ("a\u{0}\u{1b}@b", "a\u{0}\u{1b}@b"),
        ] {
            assert_eq!(address(value.as_bytes()), written, "{value}");
        }
        assert_eq!(address(b"\xe4@b"), "\u{fffd}@b");
    }

    #[test]
    fn of_a_maildir() {
        let file = "Return-Path: <a@b>\nX-Original-To: one@d\nDelivered-To: two@d\nX-Original-To: three@d\nReceived: x\n\n";
        let envelope = maildir(file.as_bytes());
        assert_eq!(
            envelope,
            Envelope {
                sender: Some("a@b".into()),
                recipients: vec!["one@d".into()],
                source: None,
                message: 0
            }
        );
        let to = |file: &str| maildir(file.as_bytes()).recipients;
        assert_eq!(to("Envelope-To: three@d\nDelivered-To: two@d\nReceived: x\n\n"), ["two@d"]);
        assert_eq!(to("Envelope-To: three@d\n\n"), ["three@d"]);
        assert!(to("Received: x\nX-Original-To: one@d\n\n").is_empty());
        assert!(to("Received : x\nX-Original-To: one@d\n\n").is_empty());
        assert!(to("To: one@d\n\nX-Original-To: one@d\n").is_empty());
        assert_eq!(maildir(b"Return-Path: <>\n\n").sender.as_deref(), Some(""));
        assert_eq!(maildir(b"").sender, None);
    }

    #[test]
    fn a_million_recipients_are_read_in_linear_time() {
        let file = format!("x-sender: a@b\n{}\n", "x-receiver: \"<c@d\n".repeat(1_000_000));
        assert_eq!(folder(file.as_bytes()).recipients.len(), 1_000_000);
    }
}
