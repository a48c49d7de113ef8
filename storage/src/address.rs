//! Mail addresses in the one form in which they are compared.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// `local@domain` (RFC 5321 section 4.1.2) in canonical form: lower case, a needless quoting of the local-part
/// taken off, no final dot. ASCII only: two addresses that merely look alike must never compare equal.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Address {
    text: String,
    at: usize,
}

/// Not an address we can compare.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an address is LOCAL-PART@DOMAIN in ASCII, at most 254 characters")]
pub struct BadAddress;

impl Address {
    /// What stands before the last `@`.
    pub fn local_part(&self) -> &str {
        self.text.get(..self.at).unwrap_or_default()
    }

    /// What stands after the last `@`.
    pub fn domain(&self) -> &str {
        self.text.get(self.at + 1..).unwrap_or_default()
    }

    /// The whole.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

fn is_atext(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte)
}

fn is_dot_atom(text: &str) -> bool {
    text.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(is_atext))
}

/// The inside of a quoted string (RFC 5321 `QcontentSMTP`), unescaped.
fn unquote(text: &str) -> Option<String> {
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    let mut plain = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => plain.push(chars.next().filter(|c| matches!(c, ' '..='~'))?),
            '"' => return None,
            ' '..='~' => plain.push(c),
            _ => return None,
        }
    }
    Some(plain)
}

fn local_part(text: &str) -> Option<String> {
    if is_dot_atom(text) {
        return Some(text.to_ascii_lowercase());
    }
    let plain = unquote(text)?;
    if is_dot_atom(&plain) {
        return Some(plain.to_ascii_lowercase());
    }
    let escaped = plain.replace('\\', "\\\\").replace('"', "\\\"");
    Some(format!("\"{}\"", escaped.to_ascii_lowercase()))
}

fn domain(text: &str) -> Option<String> {
    let text = text.strip_suffix('.').unwrap_or(text);
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    text.split('.').all(label).then(|| text.to_ascii_lowercase())
}

impl FromStr for Address {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Address, BadAddress> {
        if text.len() > 254 {
            return Err(BadAddress);
        }
        let (local, host) = text.rsplit_once('@').ok_or(BadAddress)?;
        let local = local_part(local).ok_or(BadAddress)?;
        let host = domain(host).ok_or(BadAddress)?;
        Ok(Address { at: local.len(), text: format!("{local}@{host}") })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(text: &str) -> Option<String> {
        text.parse().ok().map(|address: Address| address.to_string())
    }

    #[test]
    fn forms_of_one_address_are_equal() {
        for form in ["a.b@x.org", "A.B@X.ORG", "\"a.b\"@x.org", "a.b@x.org.", "\"a\\.b\"@x.org"] {
            assert_eq!(canonical(form).as_deref(), Some("a.b@x.org"), "{form}");
        }
    }

    #[test]
    fn a_quoted_local_part_that_needs_its_quotes_keeps_them() {
        assert_eq!(canonical("\"a b\"@x.org").as_deref(), Some("\"a b\"@x.org"));
        assert_eq!(canonical("\"a@b\"@x.org").as_deref(), Some("\"a@b\"@x.org"));
        assert_eq!(
            canonical("\"a@b\"@x.org").map(|a| a.parse::<Address>().unwrap().domain().to_owned()).as_deref(),
            Some("x.org")
        );
    }

    #[test]
    fn what_is_no_address() {
        for bad in [
            "",
            "a",
            "@x.org",
            "a@",
            "a b@x.org",
            "a@x..org",
            "a@b@x.org",
            "ä@x.org",
            "a@[192.0.2.1]",
            "a..b@x.org",
            "a@x org",
        ] {
            assert_eq!(canonical(bad), None, "{bad}");
        }
    }
}
