//! The envelope block above a copy: it says to the drop what the source said of sender and recipients.

use mailshelf_storage::Address;

use crate::config::Site;
use crate::envelope::{self, Envelope};
use crate::route::is_ours;

/// The recipients that count: those the source names if one of them is ours, else those that were asked for.
pub fn addressed(envelope: Envelope, to: &[Address], site: &Site) -> Envelope {
    if to.is_empty() || envelope.recipients.iter().any(|recipient| is_ours(recipient, site)) {
        return envelope;
    }
    Envelope { recipients: to.iter().map(ToString::to_string).collect(), ..envelope }
}

/// The block that stands for an envelope, to be followed by the message. An address that would read back as another
/// one, or as more than one, is left out. Exchange's last line ends it, so that no line of the message can lengthen it.
pub fn block(envelope: &Envelope) -> Vec<u8> {
    let written = write(envelope);
    if reads_back(&written, envelope) {
        return written;
    }
    let alone = |sender: Option<&String>, recipient: Option<&String>| {
        let recipients = recipient.cloned().into_iter().collect();
        let envelope = Envelope { sender: sender.cloned(), recipients, source: None, message: 0 };
        reads_back(&write(&envelope), &envelope)
    };
    let sound = Envelope {
        sender: envelope.sender.clone().filter(|sender| alone(Some(sender), None)),
        recipients: envelope.recipients.iter().filter(|one| alone(None, Some(one))).cloned().collect(),
        source: envelope.source.clone().filter(|source| source.bytes().all(|byte| byte.is_ascii_graphic())),
        message: 0,
    };
    write(&sound)
}

fn write(envelope: &Envelope) -> Vec<u8> {
    // A block begins with a sender; none is the null one.
    let mut block = format!("x-sender: <{}>\r\n", envelope.sender.as_deref().unwrap_or_default());
    for recipient in &envelope.recipients {
        block.push_str("x-receiver: <");
        block.push_str(recipient);
        block.push_str(">\r\n");
    }
    if let Some(source) = &envelope.source {
        block.push_str("X-SourceIPAddress: ");
        block.push_str(source);
        block.push_str("\r\n");
    }
    block.push_str("X-EndOfInjectedXHeaders: 0\r\n");
    block.into_bytes()
}

fn reads_back(block: &[u8], envelope: &Envelope) -> bool {
    let read = envelope::folder(block);
    read.message == block.len()
        && read.recipients == envelope.recipients
        && read.source == envelope.source
        && read.sender.as_deref() == Some(envelope.sender.as_deref().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope(sender: Option<&str>, recipients: &[&str]) -> Envelope {
        let recipients = recipients.iter().map(ToString::to_string).collect();
        Envelope { sender: sender.map(str::to_owned), recipients, source: None, message: 7 }
    }

    /// What the drop reads in front of this message, which must come through whole.
    fn read(envelope: &Envelope, message: &[u8]) -> (Option<String>, Vec<String>) {
        let file = [block(envelope), message.to_vec()].concat();
        let read = envelope::folder(&file);
        assert_eq!(&file[read.message..], message);
        (read.sender, read.recipients)
    }

    #[test]
    fn every_address_reads_back_the_same_whatever_the_message_begins_with() {
        let recipients = ["a@x.org", "\"a > b\"@x.org", "", "a@x.org", "ä@x.org", "not an address"];
        for message in
            ["x-receiver: board@x.org\n\n", " folded\n", "\tfolded", "", "\n", "x-sender: a@b\n\n", "B: 1"]
        {
            let both = read(&envelope(Some("s@y.org"), &recipients[..5]), message.as_bytes());
            assert_eq!(
                both,
                (Some("s@y.org".to_owned()), recipients[..5].iter().map(ToString::to_string).collect())
            );
            assert_eq!(read(&envelope(None, &[]), message.as_bytes()), (Some(String::new()), Vec::new()));
        }
    }

    #[test]
    fn an_address_that_cannot_be_written_counts_as_none() {
        let odd =
            ["a@x.org", "a@x.org>\r\nx-receiver: <board@x.org", "a b@x.org", "a@x.org\nB: 1", "b@x.org"];
        let (sender, recipients) = read(&envelope(Some("a\n\nb@x.org"), &odd), b"Subject: x\n\n");
        assert_eq!(
            (sender.as_deref(), recipients),
            (Some(""), vec!["a@x.org".to_owned(), "b@x.org".to_owned()])
        );
    }

    #[test]
    fn who_asks_for_recipients_means_mail_that_names_none_of_ours() {
        let site = Site { domains: vec!["docs.example.org".to_owned()], ..Site::default() };
        let to: Vec<Address> = vec!["all@docs.example.org".parse().unwrap()];
        let after = |recipients: &[&str], to: &[Address]| {
            addressed(envelope(Some("s@y.org"), recipients), to, &site).recipients
        };
        assert_eq!(after(&[], &to), ["all@docs.example.org"]);
        assert_eq!(after(&["bob@elsewhere.org", "x@docs.example.org.evil"], &to), ["all@docs.example.org"]);
        for ours in ["scans@docs.example.org", "Scans@DOCS.example.org.", "ä@docs.example.org"] {
            assert_eq!(after(&[ours], &to), [ours]);
        }
        assert_eq!(after(&["a@docs.example.org", "b@y.org"], &to), ["a@docs.example.org", "b@y.org"]);
        assert_eq!(after(&["bob@elsewhere.org"], &[]), ["bob@elsewhere.org"]);
    }

    #[test]
    fn the_client_that_exchange_saw_stays_on_record() {
        for (source, read) in [("192.0.2.1", Some("192.0.2.1")), ("", Some("")), ("a\r\nb", None)] {
            let envelope =
                Envelope { source: Some(source.to_owned()), ..envelope(Some("a@b.org"), &["c@d.org"]) };
            assert_eq!(envelope::folder(&block(&envelope)).source.as_deref(), read, "{source}");
        }
    }
}
