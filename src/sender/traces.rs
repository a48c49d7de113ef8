//! What a header says about who sent the mail, and where it says so. None of it is believed here: any of it may be the
//! sender's own words. [`super::evidence`] decides what counts, by what the site says of its servers.

use std::net::IpAddr;

use super::client;
use super::received::{self, Protocol, Session, SignIn};
use super::results::{Malformed, Results};
use crate::message::doubt;
use crate::message::fields::{self, Field, Line};
use crate::message::shape;

/// More `Authentication-Results` than any honest mail has collected.
const MOST: usize = 100;
/// Of a value that is void, so many bytes tell whose it would be.
const START: usize = 1 << 10;

/// What servers, or a sender in their place, have written.
#[derive(Debug, Default)]
pub struct Traces {
    /// Each `Authentication-Results`, in order, up to a bound.
    pub results: Vec<Written>,
    /// There were more.
    pub flooded: bool,
    /// A `Received` stands above From: else nothing tells our server's fields from the sender's.
    pub received: bool,
    /// What the first `Received` says of who brought the mail.
    pub session: Session,
    /// The address of the client, by the first `Received`.
    pub client: Option<IpAddr>,
    /// What Exchange says.
    pub exchange: Exchange,
    /// Some signature does not cover the whole body, or not From: what a server says of signatures may rest on it.
    pub partly_signed: bool,
    /// Some signature does not cover how the body is to be read, and it could be read otherwise.
    pub reshapable: bool,
    /// What in the header or among the parts readers may take differently, in words: what our server judged may be
    /// another mail than the one we read.
    pub ambiguous: Option<String>,
}

/// Where a field stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Above the first `Received`.
    Above,
    /// Directly under the first `Received`: before the next one, and before any field that whoever wrote the mail
    /// writes. There many milters insert theirs, and a server that mail is handed on to finds them.
    Below,
    /// Elsewhere.
    Elsewhere,
}

/// One `Authentication-Results`.
#[derive(Debug)]
pub struct Written {
    /// Where it stands.
    pub place: Place,
    /// What it says.
    pub reading: Result<Results, Void>,
}

/// A value that could not be read.
#[derive(Debug)]
pub struct Void {
    /// Why.
    pub why: Malformed,
    /// How it begins, in lower case.
    start: Vec<u8>,
}

impl Void {
    /// Whether it may be what the server of this id wrote.
    pub fn may_be_of(&self, id: &str) -> bool {
        self.start.windows(id.len().max(1)).any(|window| window == id.as_bytes())
    }
}

/// Who the sender is to Exchange (`X-MS-Exchange-Organization-AuthAs`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Exchange {
    /// It does not say.
    #[default]
    Unsaid,
    /// Somebody of its organisation.
    Internal,
    /// Somebody else.
    Other,
    /// It says so twice, or in an odd way.
    Odd,
    /// Whoever comes through a connector that asks nobody to sign in (`AuthMechanism: 10`, "externally secured").
    Relayed,
}

impl Traces {
    /// Reads the header of a message.
    pub fn read(message: &[u8]) -> Traces {
        let mut traces = Traces { ambiguous: doubt::in_header(message), ..Traces::default() };
        let mut place = Place::Above;
        let (mut authas, mut mechanism) = (Vec::new(), Vec::new());
        let (mut signatures, mut shaping) = (Vec::new(), Vec::new());
        for line in fields::of_message(message) {
            let Line::Field(field) = line else { continue };
            if field.is("received") {
                place = traces.passed(&field, place);
            } else if place == Place::Above && field.is("from") {
                // Whoever wrote From wrote what is above it, too.
                place = Place::Elsewhere;
            } else if place == Place::Below && ORIGINAL.iter().any(|name| field.is(name)) {
                place = Place::Elsewhere;
            }
            if field.is("authentication-results") {
                traces.add(&field, place);
            } else if field.is("dkim-signature") {
                signatures.push(field.value);
            } else if doubt::is_shaping(&field) {
                shaping.push(field);
            } else if field.is("x-ms-exchange-organization-authas") {
                authas.push(field);
            } else if field.is("x-ms-exchange-organization-authmechanism") {
                mechanism.push(field);
            }
        }
        traces.exchange = exchange(&authas, &mechanism);
        traces.partly_signed = !signatures.iter().all(|value| is_whole(value));
        let covers = |value: &[u8]| shaping.iter().all(|field| covers(value, field));
        traces.reshapable = !signatures.iter().all(|value| covers(value)) && !shape::is_fixed(message);
        traces
    }

    fn passed(&mut self, received: &Field<'_>, place: Place) -> Place {
        if place != Place::Above {
            return Place::Elsewhere;
        }
        self.received = true;
        self.session = received::session(received.value);
        if !received.exact {
            self.session = Session { sign_in: SignIn::Odd, protocol: Protocol::Other };
        }
        self.client = client::client(received.value).filter(|_| received.exact);
        Place::Below
    }

    fn add(&mut self, field: &Field<'_>, place: Place) {
        if self.results.len() == MOST {
            self.flooded = true;
            return;
        }
        let read = match Results::parse(field.value) {
            _ if !field.exact => Err(BLANK),
            Ok(results) if !is_plain(field.value, &results.id) => Err(HIDDEN),
            read => read,
        };
        let start = || field.value.get(..START).unwrap_or(field.value).to_ascii_lowercase();
        let reading = read.map_err(|why| Void { why, start: start() });
        self.results.push(Written { place, reading });
    }
}

const BLANK: Malformed = Malformed("a blank stands before its colon");
const HIDDEN: Malformed = Malformed("the server's name is quoted, or stands behind a comment");

/// Whether the server's name stands first, and not in quotes. No server writes its own in another way, and one that
/// removes forged fields may not see through it.
fn is_plain(value: &[u8], id: &str) -> bool {
    let value = value.trim_ascii_start();
    value.get(..id.len()).is_some_and(|start| start.eq_ignore_ascii_case(id.as_bytes()))
}

/// The fields that a mail is written with (RFC 5322 section 3.6, RFC 2045) or signed with by its own side; no milter
/// on its way in inserts them above its results.
const ORIGINAL: [&str; 17] = [
    "from",
    "sender",
    "reply-to",
    "to",
    "cc",
    "bcc",
    "date",
    "subject",
    "message-id",
    "in-reply-to",
    "references",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
    "dkim-signature",
    "domainkey-signature",
    "resent-from",
];

/// Whether a signature (RFC 6376 section 3.5) covers all of the body (no `l=`), and From: what it leaves out is left to
/// whoever comes by.
fn is_whole(value: &[u8]) -> bool {
    const FROM: Field<'_> = Field { name: b"from", value: b"", exact: true };
    !tags(value).any(|(name, _)| name.eq_ignore_ascii_case(b"l")) && covers(value, &FROM)
}

/// Whether a signature covers a field (`h=`).
fn covers(value: &[u8], field: &Field<'_>) -> bool {
    let mut lists = tags(value).filter(|(name, _)| name.eq_ignore_ascii_case(b"h"));
    lists.any(|(_, list)| {
        list.split(|&byte| byte == b':').any(|name| name.trim_ascii().eq_ignore_ascii_case(field.name))
    })
}

/// Names and values of a list of tags.
fn tags(value: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    value.split(|&byte| byte == b';').map(|tag| {
        let equals = tag.iter().position(|&byte| byte == b'=').unwrap_or(tag.len());
        let (name, content) = tag.split_at(equals);
        (name.trim_ascii(), content.get(1..).unwrap_or_default())
    })
}

fn exchange(authas: &[Field<'_>], mechanism: &[Field<'_>]) -> Exchange {
    let [authas] = authas else {
        return if authas.is_empty() { Exchange::Unsaid } else { Exchange::Odd };
    };
    let relayed = match mechanism {
        [] => false,
        [one] => one.value.trim_ascii() == b"10",
        _ => return Exchange::Odd,
    };
    match authas.value.trim_ascii() {
        _ if !authas.exact => Exchange::Odd,
        value if !value.eq_ignore_ascii_case(b"internal") => Exchange::Other,
        _ if relayed => Exchange::Relayed,
        _ => Exchange::Internal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(header: &str) -> Vec<(Place, String)> {
        let of = |written: &Written| (written.place, written.reading.as_ref().unwrap().id.clone());
        Traces::read(header.as_bytes()).results.iter().map(of).collect()
    }

    #[test]
    fn where_a_field_stands() {
        let header = "Return-Path: <a@b>\nAuthentication-Results: a; none\nReceived: x\nX-Spam: no\nauthentication-results: b; none\n\
            DKIM-Filter: y\nAuthentication-Results: c; none\nReceived: x\nAuthentication-Results: d; none\nFrom: a@b\n\
            Authentication-Results: e; none\n\nAuthentication-Results: f; none\n";
        use Place::{Above, Below, Elsewhere};
        let expected = [(Above, "a"), (Below, "b"), (Below, "c"), (Elsewhere, "d"), (Elsewhere, "e")];
        assert_eq!(places(header), expected.map(|(place, id)| (place, id.to_owned())));
        assert!(Traces::read(header.as_bytes()).received);
    }

    #[test]
    fn whoever_wrote_the_mail_begins_with_one_of_its_fields() {
        for name in ORIGINAL {
            let header = format!("Received: x\n{name}: y\nAuthentication-Results: a; none\n\n");
            assert_eq!(places(&header), [(Place::Elsewhere, "a".to_owned())], "{name}");
        }
        let header = "From: y\nAuthentication-Results: a; none\nReceived: x\n\n";
        assert_eq!(places(header), [(Place::Elsewhere, "a".to_owned())]);
        assert!(!Traces::read(header.as_bytes()).received);
        assert_eq!(
            places("Received : x\nAuthentication-Results: a; none\n\n"),
            [(Place::Below, "a".to_owned())]
        );
        assert!(!Traces::read(b"Authentication-Results: a; none\n\n").received);
    }

    #[test]
    fn what_is_void_still_tells_whose_it_may_be() {
        let written = [" : MX.org; none", ": (MX.org; none", ": \"MX.org\"; none", ": (a) MX.org; none"];
        let header: String = written.map(|value| format!("Authentication-Results{value}\n")).concat();
        let traces = Traces::read(header.as_bytes());
        for written in &traces.results {
            let void = written.reading.as_ref().unwrap_err();
            assert!(void.may_be_of("mx.org") && !void.may_be_of("mx.net"), "{void:?}");
        }
        assert_eq!(traces.results.len(), written.len());
    }

    #[test]
    fn a_flood_is_bounded() {
        let traces = Traces::read("Authentication-Results: a; none\n".repeat(MOST + 1).as_bytes());
        assert_eq!((traces.results.len(), traces.flooded), (MOST, true));
    }

    #[test]
    fn signatures_that_do_not_cover_all() {
        let partial =
            |value: &str| Traces::read(format!("DKIM-Signature: {value}\n\n").as_bytes()).partly_signed;
        assert!(!partial("v=1; d=x.org; h=to : From:subject; bh=l=; b=abc="));
        assert!(!partial("v=1; h=from; b=l"));
        for value in [
            "v=1; h=from; l=10",
            "v=1; h=from;\r\n\tl =\r\n 10",
            "h=from;L=1",
            "v=1; h=to",
            "v=1",
            "",
            "h=from-x",
        ] {
            assert!(partial(value), "{value}");
        }
        let two = "DKIM-Signature: h=from\nDKIM-Signature: h=from; l=1\n\n";
        assert!(Traces::read(two.as_bytes()).partly_signed);
        assert!(!Traces::read(b"From: a@b\n\n").partly_signed);
    }

    #[test]
    fn signatures_that_do_not_cover_how_the_body_is_read() {
        let read = |header: &str, body: &str| {
            let header = header.replace("h=", "DKIM-Signature: v=1; d=x.org; bh=x; b=x; h=");
            Traces::read(format!("{header}\n\n{body}").as_bytes()).reshapable
        };
        let file = "Content-Type: text/csv; name=a.csv";
        assert!(!read(&format!("h=from:to\n{file}"), "a,b"), "there is nothing else to take it for");
        let quoting = "hi\n--b\nContent-Type: text/csv\n\na,b\n--b--\n";
        let retyped = "Content-Type: multipart/mixed; boundary=b";
        assert!(!read(retyped, quoting), "nothing is signed");
        assert!(!read(&format!("h=from:content-type\n{retyped}"), quoting));
        assert!(read(&format!("h=from:content-type\nh=from:to\n{retyped}"), quoting));
        let parts = "Content-Type: multipart/mixed; boundary=b";
        assert!(!read(&format!("h=from:to\n{parts}"), "--b\nContent-Type: text/plain\n\nhi\n--b--\n"));
        assert!(read(&format!("h=from:to\n{parts}"), "hi\n--b\nContent-Type: text/csv\n\na,b\n--b--\n"));
        assert!(!read("h=from:to\nContent-Type: text/plain", "hi\n--b\n\nhi\n--b--\n"));
    }

    #[test]
    fn what_exchange_says() {
        let says = |header: &str| {
            let header = header.replace('~', "X-MS-Exchange-Organization-Auth");
            Traces::read(format!("{header}\n\n").as_bytes()).exchange
        };
        for (header, said) in [
            ("From: a@b", Exchange::Unsaid),
            ("~As: Internal", Exchange::Internal),
            ("~As: INTERNAL \n~Source: ex1\n~Mechanism: 04", Exchange::Internal),
            ("~As: Anonymous", Exchange::Other),
            ("~As: Internal (really)", Exchange::Other),
            ("~As: \"Internal\"", Exchange::Other),
            ("~As: Int\n ernal", Exchange::Other),
            ("~As:", Exchange::Other),
            ("~As: Internal\n~As: Internal", Exchange::Odd),
            ("~As: Anonymous\n~As: Internal", Exchange::Odd),
            ("~As : Internal", Exchange::Odd),
            ("~As: Internal\n~Mechanism: 10", Exchange::Relayed),
            ("~As: Internal\n~Mechanism: 04\n~Mechanism: 04", Exchange::Odd),
            ("X-MS-Exchange-CrossTenant-AuthAs: Internal", Exchange::Unsaid),
            ("Subject: x\n\n~As: Internal", Exchange::Unsaid),
        ] {
            assert_eq!(says(header), said, "{header}");
        }
    }
}
