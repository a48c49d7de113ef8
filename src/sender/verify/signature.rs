//! One signature: `DKIM-Signature` (RFC 6376 section 3.5) or `ARC-Message-Signature` (RFC 8617 section 4.1.2).

use std::collections::HashMap;

use jiff::Timestamp;

use super::dns::Dns;
use super::key::{Form, Key, Method};
use super::message::{Signed, SignedField};
use super::tags::{Tags, base64};
use super::{Clock, Unproven};
use crate::message::doubt;
use crate::message::fields::Field;
use crate::sender::align::is_within;

/// Longer than any honest signature, in bytes.
const LONGEST: usize = 16 << 10;
/// No honest signature names more fields.
const MOST_FIELDS: usize = 200;
/// How far a clock may be ahead of ours, in seconds.
const SKEW: i64 = 300;

/// Where it stands: the grammars differ in little.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `DKIM-Signature`
    Dkim,
    /// `ARC-Message-Signature`
    Arc,
}

/// Who says to have signed, and how: what signatures and seals have in common.
pub struct Signer {
    /// `d=`, lower case.
    pub domain: String,
    /// `s=`, lower case.
    pub selector: String,
    /// `a=`
    pub method: Method,
    /// `b=`
    pub bytes: Vec<u8>,
}

impl Signer {
    /// Of a list that must name all of it. The words of an error are about the signature.
    pub fn read(tags: &Tags<'_>) -> Result<Signer, &'static str> {
        let method = match tags.get("a") {
            Some("rsa-sha256") => Method::Rsa,
            Some("ed25519-sha256") => Method::Ed25519,
            _ => return Err("its algorithm is none that counts"),
        };
        let name = |tag| tags.get(tag).filter(|name| is_name(name)).map(str::to_ascii_lowercase);
        let bytes = tags.joined("b").and_then(|text| base64(&text)).filter(|bytes| !bytes.is_empty());
        match (name("d"), name("s"), bytes) {
            (Some(domain), Some(selector), Some(bytes)) => {
                let signer = Signer { domain, selector, method, bytes };
                if is_name(&signer.key_name()) { Ok(signer) } else { Err("it is malformed") }
            }
            _ => Err("it is malformed"),
        }
    }

    /// Where its key is published (RFC 6376 section 3.6.2.1).
    fn key_name(&self) -> String {
        format!("{}._domainkey.{}", self.selector, self.domain)
    }

    /// The key it was made with, if it may be used.
    pub fn key(&self, dns: &Dns, clock: &Clock<'_>) -> Result<Key, Unproven> {
        let records = dns.txt(&self.key_name(), clock.until).map_err(Unproven::Unavailable)?;
        Key::read(&records, self.method).map_err(Unproven::Void)
    }
}

/// A host name, in ASCII, that DNS can be asked for (RFC 1035 section 2.3); underscores may stand in it. A signature that
/// names another one is void: who is asked for its key cannot answer, now or later.
pub fn is_name(name: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= 253 && name.split('.').all(label)
}

/// The value of a field, if it is short enough and text.
pub fn text<'m>(field: &Field<'m>) -> Option<&'m str> {
    std::str::from_utf8(field.value).ok().filter(|text| text.len() <= LONGEST && field.exact)
}

/// A signature field without the signature itself: what it signs of itself (RFC 6376 section 3.7).
pub fn unsigned(text: &str, tags: &Tags<'_>) -> Option<Vec<u8>> {
    let span = tags.span("b")?;
    Some([text.get(..span.start)?, text.get(span.end..)?].concat().into_bytes())
}

/// A signature that says what it must.
pub struct Signature<'m> {
    /// Who says to have made it.
    pub signer: Signer,
    name: &'m [u8],
    unsigned: Vec<u8>,
    header: Form,
    body: Form,
    body_hash: Vec<u8>,
    /// `h=`, lower case.
    signs: Vec<String>,
    /// The domain of `i=`, if it has one.
    on_behalf: Option<String>,
}

impl<'m> Signature<'m> {
    /// Reads a signature and judges it as far as it says itself whether it counts. `arrived` is when the mail came to
    /// us: one that expires while a mail waits for DNS does not.
    pub fn read(
        field: &Field<'m>,
        signer: Signer,
        tags: &Tags<'_>,
        kind: Kind,
        arrived: Timestamp,
    ) -> Result<Signature<'m>, &'static str> {
        const MALFORMED: &str = "it is malformed";
        if kind == Kind::Dkim && tags.get("v") != Some("1") {
            return Err(MALFORMED);
        }
        if tags.get("l").is_some() {
            return Err("it covers only the first bytes of the body (l=)");
        }
        if tags.joined("q").is_some_and(|queries| !queries.split(':').any(|query| query == "dns/txt")) {
            return Err("its key is not in DNS");
        }
        timely(tags, arrived)?;
        let (header, body) = forms(tags.joined("c").as_deref().unwrap_or("simple")).ok_or(MALFORMED)?;
        let signs = fields_signed(&tags.joined("h").ok_or(MALFORMED)?)?;
        let body_hash = tags.joined("bh").and_then(|text| base64(&text)).ok_or(MALFORMED)?;
        let unsigned = text(field).and_then(|text| unsigned(text, tags)).ok_or(MALFORMED)?;
        let on_behalf = match tags.get("i").filter(|_| kind == Kind::Dkim) {
            Some(agent) => Some(agent.rsplit_once('@').ok_or(MALFORMED)?.1.to_ascii_lowercase()),
            None => None,
        };
        if on_behalf.as_ref().is_some_and(|domain| !is_within(domain, &signer.domain)) {
            return Err("it signs on behalf of another domain (i=)");
        }
        Ok(Signature { signer, name: field.name, unsigned, header, body, body_hash, signs, on_behalf })
    }

    /// Whether it holds for the message.
    pub fn check(&self, message: &Signed<'_>, dns: &Dns, clock: &Clock<'_>) -> Result<(), Unproven> {
        if message.body_hash(self.body) != self.body_hash {
            return Err(Unproven::Void("the body was changed"));
        }
        if !self.covers_the_shape(message) && !message.is_fixed() {
            return Err(Unproven::Void(
                "it does not sign Content-Type, and with another one the body would be read otherwise",
            ));
        }
        let mut fields = self.fields(message)?;
        fields.push((self.name, self.unsigned.clone()));
        let key = self.signer.key(dns, clock)?;
        if key.strict && self.on_behalf.as_ref().is_some_and(|domain| *domain != self.signer.domain) {
            return Err(Unproven::Void("its key is for its own domain alone (t=s)"));
        }
        match key.made(&self.signer.bytes, self.signer.method, self.header, &fields) {
            true => Ok(()),
            false => Err(Unproven::Void("the header was changed, or it is forged")),
        }
    }

    /// Whether it signs those fields that say how the body is to be read.
    fn covers_the_shape(&self, message: &Signed<'_>) -> bool {
        let mut shaping = message.fields.iter().filter(|field| doubt::is_shaping(field));
        shaping.all(|field| self.signs.iter().any(|name| field.is(name)))
    }

    /// The fields it signs, in its order: of several of one name the lowest first; names that no field is left for
    /// stand for nothing (RFC 6376 section 5.4.2).
    fn fields<'f>(&self, message: &Signed<'f>) -> Result<Vec<SignedField<'f>>, Unproven> {
        let mut by_name: HashMap<String, Vec<&Field<'f>>> = HashMap::new();
        for field in &message.fields {
            let name = String::from_utf8_lossy(field.name).to_ascii_lowercase();
            by_name.entry(name).or_default().push(field);
        }
        let next = |name: &String| by_name.get_mut(name).and_then(Vec::pop);
        let taken: Vec<_> = self.signs.iter().filter_map(next).collect();
        // Blanks before a colon and form feeds are read differently by different programs.
        if taken.iter().any(|field| !field.exact || field.value.contains(&b'\x0c')) {
            return Err(Unproven::Void("a field that it signs can be read in two ways"));
        }
        Ok(taken.iter().map(|field| (field.name, [field.value, b"\r\n"].concat())).collect())
    }
}

/// `t=` and `x=`.
fn timely(tags: &Tags<'_>, arrived: Timestamp) -> Result<(), &'static str> {
    let seconds = |tag| match tags.get(tag) {
        None => Ok(None),
        Some(text) if (1..=12).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()) => {
            text.parse::<i64>().map(Some).map_err(|_| "it is malformed")
        }
        Some(_) => Err("it is malformed"),
    };
    let (made, expires) = (seconds("t")?, seconds("x")?);
    if made.is_some_and(|made| made > Timestamp::now().as_second() + SKEW) {
        return Err("it was made in the future");
    }
    match expires {
        Some(expires) if made.is_some_and(|made| expires <= made) => Err("it is malformed"),
        Some(expires) if expires <= arrived.as_second() => Err("it has expired"),
        _ => Ok(()),
    }
}

/// `c=`: the form of the header, then that of the body, which is simple unless named.
fn forms(text: &str) -> Option<(Form, Form)> {
    let form = |text| match text {
        "simple" => Some(Form::Simple),
        "relaxed" => Some(Form::Relaxed),
        _ => None,
    };
    let (header, body) = text.split_once('/').unwrap_or((text, "simple"));
    Some((form(header)?, form(body)?))
}

/// `h=`, lower case; From must be among them.
fn fields_signed(text: &str) -> Result<Vec<String>, &'static str> {
    let names: Vec<String> = text.split(':').map(str::to_ascii_lowercase).collect();
    if names.len() > MOST_FIELDS || names.iter().any(String::is_empty) {
        return Err("it is malformed");
    }
    if !names.iter().any(|name| name == "from") {
        return Err("it does not sign From");
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::fields::Line;

    const GOOD: &str = "v=1; a=rsa-sha256; c=relaxed/relaxed; d=X.org; s=S1; t=1000; x=2000; h=From : To;\r\n bh=QUJD; b=QUJD";

    fn read(list: &str, kind: Kind) -> Result<(), &'static str> {
        let header = format!("DKIM-Signature: {list}\r\n\r\n");
        let Some(Line::Field(field)) = crate::message::fields::of_message(header.as_bytes()).next() else {
            return Err("no field");
        };
        let tags = Tags::read(text(&field).ok_or("no text")?).ok_or("no list")?;
        let signer = Signer::read(&tags)?;
        assert_eq!((signer.domain.as_str(), signer.selector.as_str()), ("x.org", "s1"));
        let arrived = Timestamp::from_second(1500).unwrap();
        Signature::read(&field, signer, &tags, kind, arrived).map(|signature| {
            assert_eq!(signature.signs, ["from", "to"]);
            assert!(signature.unsigned.ends_with(b"bh=QUJD; b="));
        })
    }

    #[test]
    fn what_a_signature_must_say() {
        assert_eq!(read(GOOD, Kind::Dkim), Ok(()));
        for (from, to, why) in [
            ("v=1; ", "", "it is malformed"),
            ("v=1", "v=2", "it is malformed"),
            ("rsa-sha256", "rsa-sha1", "its algorithm is none that counts"),
            ("relaxed/relaxed", "relaxed/other", "it is malformed"),
            ("x=2000", "x=1400", "it has expired"),
            ("x=2000", "x=1500", "it has expired"),
            ("x=2000", "x=900", "it is malformed"),
            ("x=2000", "x=2e3", "it is malformed"),
            ("t=1000; x=2000", "t=99999999999", "it was made in the future"),
            ("x=2000", "l=0", "it covers only the first bytes of the body (l=)"),
            ("From : To", "To", "it does not sign From"),
            ("From : To", "From::To", "it is malformed"),
            ("x=2000", "q=other", "its key is not in DNS"),
            ("x=2000", "i=@y.org", "it signs on behalf of another domain (i=)"),
            ("x=2000", "i=@xx.org", "it signs on behalf of another domain (i=)"),
            ("bh=QUJD", "bh=QUJ", "it is malformed"),
            ("b=QUJD", "b=", "it is malformed"),
            ("x=2000", "t=1", "no list"),
        ] {
            // The last b= is the signature; the first one belongs to bh=.
            let at = if from == "b=QUJD" { GOOD.rfind(from) } else { GOOD.find(from) }.unwrap();
            let (before, rest) = GOOD.split_at(at);
            let list = format!("{before}{to}{}", rest.strip_prefix(from).unwrap());
            assert_eq!(read(&list, Kind::Dkim), Err(why), "{list}");
        }
        assert_eq!(read(&GOOD.replace("x=2000", "i=a@m.x.org; q=dns/txt"), Kind::Dkim), Ok(()));
        let hop = GOOD.replace("v=1; ", "i=1; ");
        assert_eq!(read(&hop, Kind::Arc), Ok(()));
        assert_eq!(read(&hop.replace("From : To", "To"), Kind::Arc), Err("it does not sign From"));
        let part = hop.replace("x=2000", "l=0");
        assert_eq!(read(&part, Kind::Arc), Err("it covers only the first bytes of the body (l=)"));
    }

    #[test]
    fn a_name_that_nobody_can_be_asked_for_voids_the_signature() {
        let long = |length: usize| {
            let labels = vec!["a".repeat(49); 4].join(".");
            format!("{}.{labels}", "b".repeat(length - labels.len() - 1))
        };
        for (good, selector) in [
            (true, "a"),
            (true, "a.b-c._d"),
            (true, &"a".repeat(63)),
            (false, "-a"),
            (false, "a-"),
            (false, "a.-"),
            (false, "a..b"),
            (false, ".a"),
            (false, "a."),
            (false, &"a".repeat(64)),
            // With `._domainkey.x.org` it is 253 octets, and one more.
            (true, &long(253 - "._domainkey.x.org".len())),
            (false, &long(254 - "._domainkey.x.org".len())),
        ] {
            let list = format!("a=rsa-sha256; d=x.org; s={selector}; b=QUJD");
            let read = Signer::read(&Tags::read(&list).unwrap()).map(|signer| signer.selector);
            let expected = if good { Ok(selector.to_owned()) } else { Err("it is malformed") };
            assert_eq!(read, expected, "{selector}");
        }
    }
}
