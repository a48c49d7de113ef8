//! The message as signatures see it: fields and body, every line ended by CRLF.

use std::borrow::Cow;
use std::cell::OnceCell;

use memchr::{memchr, memchr_iter};

use super::key::{self, Form};
use crate::message::fields::{self, Field, Line};
use crate::message::shape;

/// A field as it is signed: its name, and its value up to the line end, where one belongs.
pub type SignedField<'m> = (&'m [u8], Vec<u8>);

/// Fields and body of a message with CRLF line ends.
pub struct Signed<'m> {
    /// Top to bottom.
    pub fields: Vec<Field<'m>>,
    whole: &'m [u8],
    body: &'m [u8],
    fixed: OnceCell<bool>,
    /// Digests of the body, simple and relaxed.
    hashes: [OnceCell<Vec<u8>>; 2],
}

impl<'m> Signed<'m> {
    /// Reads a message whose header is sound ([`crate::sender::from::mailbox`]).
    pub fn read(message: &'m [u8]) -> Signed<'m> {
        let mut header = fields::of_message(message);
        let fields = header.by_ref().filter_map(|line| match line {
            Line::Field(field) => Some(field),
            Line::Junk(_) => None,
        });
        let fields = fields.collect();
        let body = message.get(header.offset()..).unwrap_or_default();
        Signed { fields, whole: message, body, fixed: OnceCell::new(), hashes: Default::default() }
    }

    /// Whether no other Content-Type gives the body other files; looked at once.
    pub fn is_fixed(&self) -> bool {
        *self.fixed.get_or_init(|| shape::is_fixed(self.whole))
    }

    /// The digest of the body in a canonical form (RFC 6376 section 3.4), computed once.
    pub fn body_hash(&self, form: Form) -> &[u8] {
        let [simple, relaxed] = &self.hashes;
        let cell = if form == Form::Simple { simple } else { relaxed };
        cell.get_or_init(|| key::body_hash(self.body, form))
    }
}

/// The message with CRLF line ends, as it travelled: a Maildir has LF alone. `Err` where line ends differ within the
/// body or a CR stands alone: what was signed was not that, whatever a lenient canonical form makes of it.
pub fn travelled(message: &[u8]) -> Result<Cow<'_, [u8]>, &'static str> {
    let mut header = fields::of_message(message);
    header.by_ref().for_each(drop);
    let body = message.get(header.offset()..).unwrap_or_default();
    let (mut bare, mut paired) = (0usize, 0usize);
    for at in memchr_iter(b'\n', body) {
        match at.checked_sub(1).and_then(|before| body.get(before)) {
            Some(b'\r') => paired += 1,
            _ => bare += 1,
        }
    }
    if bare > 0 && paired > 0 {
        return Err("the lines of its body end in different ways");
    }
    if memchr_iter(b'\r', body).count() != paired {
        return Err("a CR stands alone in its body");
    }
    Ok(with_crlf(message))
}

fn with_crlf(message: &[u8]) -> Cow<'_, [u8]> {
    let is_bare = |at: usize| at.checked_sub(1).and_then(|before| message.get(before)) != Some(&b'\r');
    if !memchr_iter(b'\n', message).any(is_bare) {
        return Cow::Borrowed(message);
    }
    let mut whole = Vec::with_capacity(message.len() + message.len() / 40);
    let mut rest = message;
    while let Some(at) = memchr(b'\n', rest) {
        let (line, after) = rest.split_at_checked(at).unwrap_or((rest, &[]));
        whole.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
        whole.extend_from_slice(b"\r\n");
        rest = after.get(1..).unwrap_or_default();
    }
    whole.extend_from_slice(rest);
    Cow::Owned(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_as_they_travelled() {
        let lf = b"Received: x\nFrom: a@x.org\n\none\ntwo\n";
        let crlf = b"Received: x\r\nFrom: a@x.org\r\n\r\none\r\ntwo\r\n";
        assert_eq!(travelled(lf).unwrap().as_ref(), crlf);
        assert!(matches!(travelled(crlf), Ok(Cow::Borrowed(_))));
        // What our own server adds above may end in another way.
        assert_eq!(travelled(b"Received: x\nFrom: a@x.org\r\n\r\none\r\n").unwrap().as_ref(), &crlf[..35]);
        assert!(travelled(b"From: a@x.org\r\n\r\none\r\ntwo\n").is_err());
        assert!(travelled(b"From: a@x.org\r\n\r\non\re\r\n").is_err());
        assert!(travelled(b"From: a@x.org\n\none\r").is_err());
        assert!(travelled(b"From: a@x.org\r\n\r\none\r\r\n").is_err());
    }
}
