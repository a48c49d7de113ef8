//! mail-parser and mailparse, and what each finds in a message.

use std::fmt;

use mail_parser::{HeaderName, MessageParser, MessagePart, MimeHeaders, PartType};
use mailparse::body::Body;
use mailparse::{MailAddr, MailHeaderMap, ParsedMail};
use mailshelf::message::decode::Encoding;

/// The bytes of a leaf, decoded. What its encoding is, each reader says for itself; the decoding is ours, for how much is
/// saved of a broken one is another question than where a file begins and ends.
#[derive(PartialEq, Eq)]
pub struct Leaf(Vec<u8>);

impl Leaf {
    /// Nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Leaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.escape_ascii())
    }
}

/// Line breaks and blanks at the end are taken off: readers give the break before a delimiter to the one or to the other,
/// and no file is another one for it.
pub fn leaf(bytes: &[u8]) -> Leaf {
    Leaf(bytes.trim_ascii_end().to_vec())
}

fn decoded(encoding: Encoding, raw: &[u8]) -> Leaf {
    leaf(&encoding.decode(raw).0)
}

/// mail-parser, reading only what is compared: its reading of a date that is none goes on over the end of the header.
fn parser() -> MessageParser {
    let parser = MessageParser::new().header_content_type(HeaderName::ContentType);
    parser.header_text(HeaderName::ContentTransferEncoding).header_address(HeaderName::From)
}

/// The leaves as mail-parser finds them; a forwarded message is one, whatever is in it.
pub fn mail_parser(message: &[u8]) -> Option<Vec<Leaf>> {
    let read = parser().parse(message)?;
    let leaves = read.parts.iter().filter(|part| !matches!(part.body, PartType::Multipart(_)));
    let leaf = |part: &MessagePart<'_>| {
        let raw = message.get(part.offset_body as usize..part.offset_end as usize).unwrap_or_default();
        let encoding = match part.content_transfer_encoding() {
            Some(name) if name.eq_ignore_ascii_case("base64") => Encoding::Base64,
            Some(name) if name.eq_ignore_ascii_case("quoted-printable") => Encoding::QuotedPrintable,
            _ => Encoding::Identity,
        };
        decoded(encoding, raw)
    };
    Some(leaves.map(leaf).collect())
}

/// The leaves as mailparse finds them; it opens no forwarded message.
pub fn mailparse(message: &[u8]) -> Option<Vec<Leaf>> {
    let read = mailparse::parse_mail(message).ok()?;
    let mut leaves = Vec::new();
    collect(&read, &mut leaves);
    Some(leaves)
}

fn collect(part: &ParsedMail<'_>, leaves: &mut Vec<Leaf>) {
    if !part.subparts.is_empty() {
        return part.subparts.iter().for_each(|part| collect(part, leaves));
    }
    let (encoding, raw) = match part.get_body_encoded() {
        Body::Base64(body) => (Encoding::Base64, body.get_raw()),
        Body::QuotedPrintable(body) => (Encoding::QuotedPrintable, body.get_raw()),
        Body::SevenBit(body) | Body::EightBit(body) => (Encoding::Identity, body.get_raw()),
        Body::Binary(body) => (Encoding::Identity, body.get_raw()),
    };
    leaves.push(decoded(encoding, raw));
}

/// The addresses of every From, as mail-parser reads them.
fn from_by_mail_parser(message: &[u8]) -> Vec<String> {
    let Some(read) = parser().parse_headers(message) else { return Vec::new() };
    let values = read.headers().iter().filter(|header| header.name.as_str().eq_ignore_ascii_case("from"));
    let addresses = values.filter_map(|header| header.value.as_address());
    addresses.flat_map(|one| one.iter()).filter_map(|one| one.address.as_deref().map(str::to_owned)).collect()
}

/// The same, as mailparse reads them; `None` where it refuses one of the fields.
fn from_by_mailparse(message: &[u8]) -> Option<Vec<String>> {
    let (headers, _) = mailparse::parse_headers(message).ok()?;
    let mut addresses = Vec::new();
    for header in headers.get_all_headers("From") {
        for one in mailparse::addrparse_header(header).ok()?.into_inner() {
            match one {
                MailAddr::Single(one) => addresses.push(one.addr),
                MailAddr::Group(group) => addresses.extend(group.addrs.into_iter().map(|one| one.addr)),
            }
        }
    }
    Some(addresses)
}

/// Whom the mail is from, to each of them that does not refuse to say.
pub fn from_by_each(message: &[u8]) -> impl Iterator<Item = Vec<String>> {
    [Some(from_by_mail_parser(message)), from_by_mailparse(message)].into_iter().flatten()
}
