//! One `Authentication-Results` value (RFC 8601 section 2.2), read whole or not at all: whatever departs from the grammar
//! voids all of it, since part of what it says may be a stranger's words that a server copied into it.
//!
//! Beyond the grammar stand only `:` and `/` in a property's value, `_` in its name, and base64 as `header.b` (RFC 6008):
//! OpenARC, Exim, OpenDKIM and Authentication Milter write addresses of IPv6, digits of signatures and
//! `policy.is_org=yes` without quotes, and none of these characters ends anything. So no trailing `;`, no bare
//! `key=value`, no empty value. Where mail is internationalized, local-parts, domains, quoted texts and comments may be
//! UTF-8 (RFC 8601 with RFC 6531, RFC 6532 and RFC 8616); words and names stay ASCII. Less than the grammar is accepted:
//! nothing invisible; blanks around every comment, and no quote or backslash in one; no property twice in one result.
//! Each of these is how text smuggled in through MAIL FROM, HELO or a signature's `d=` would show ("Composition Kills",
//! USENIX Security 2020, section 4.2), and no server is known to write them of its own accord.

use crate::escape::is_unsafe;

mod sealed;
mod spelling;
mod written;

pub use sealed::instance;
use spelling::{is_domain, is_dot_string, is_token, is_value, is_word};

/// Longer than what any server writes, in bytes.
pub const LONGEST: usize = 8 << 10;
/// More results, or properties of one, than any server writes.
pub const MOST: usize = 64;
/// Comments in comments in comments.
const DEEPEST: usize = 4;

/// Why a value is void.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub &'static str);

/// What one server says in one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Results {
    /// Who says so (authserv-id), lower case: it compares without case.
    pub id: String,
    /// What was checked; empty where it says `none`.
    pub results: Vec<MethodResult>,
}

/// What came of one method (`resinfo`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MethodResult {
    /// `spf`, `dkim`, `dmarc`, `auth` …, lower case.
    pub method: String,
    /// Its version; 1 where none is written (RFC 8601 section 2.6).
    pub version: u32,
    /// `pass`, `fail`, `none` …, lower case.
    pub result: String,
    /// Why, unquoted.
    pub reason: Option<String>,
    /// What it was checked on, each property once.
    pub properties: Vec<Property>,
}

/// `ptype.property=pvalue`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Property {
    /// `smtp`, `header`, `body`, `policy` …, lower case.
    pub kind: String,
    /// Its name, lower case.
    pub name: String,
    /// Its value.
    pub value: Value,
}

/// A property's value, unquoted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A word, a domain or a quoted text.
    Text(String),
    /// `local-part@domain`, or `@domain` where the local-part is empty.
    Address {
        /// Unquoted.
        local: String,
        /// As written.
        domain: String,
    },
}

impl MethodResult {
    /// The value of a property.
    pub fn property(&self, kind: &str, name: &str) -> Option<&Value> {
        let is = |property: &&Property| property.kind == kind && property.name == name;
        self.properties.iter().find(is).map(|property| &property.value)
    }
}

impl Results {
    /// A type of property that RFC 8601 section 2.3 does not name, if there is one.
    pub fn odd_kind(&self) -> Option<&str> {
        let properties = self.results.iter().flat_map(|result| &result.properties);
        let mut kinds = properties.map(|property| property.kind.as_str());
        kinds.find(|kind| !["smtp", "header", "body", "policy"].contains(kind))
    }

    /// Reads what follows the colon of the field, folds included.
    pub fn parse(value: &[u8]) -> Result<Results, Malformed> {
        read(value, false)
    }
}

fn read(value: &[u8], passes_over: bool) -> Result<Results, Malformed> {
    if value.len() > LONGEST {
        return Err(Malformed("it is too long"));
    }
    let text = unfold(value)?;
    Reader { text: &text, at: 0, passes_over }.field()
}

/// The text of a value, its line breaks taken out. Each must be followed by a blank, and by more than blanks on that
/// line: where it is not, other readers end the header.
pub(super) fn unfold(value: &[u8]) -> Result<String, Malformed> {
    let value = std::str::from_utf8(value).map_err(|_| Malformed("it is not UTF-8"))?;
    let mut text = String::with_capacity(value.len());
    for (nth, line) in value.split('\n').enumerate() {
        let line = line.strip_suffix('\r').unwrap_or(line);
        if !line.chars().all(is_seen) {
            return Err(Malformed("it holds a character that is not seen"));
        }
        if nth > 0 && (!line.starts_with([' ', '\t']) || line.trim_ascii().is_empty()) {
            return Err(Malformed("it is folded wrongly"));
        }
        text.push_str(line);
    }
    Ok(text)
}

/// What every reader sees as it stands, a blank of ASCII among it: no controls, nothing that turns text around, and no
/// blank that might be taken for one.
fn is_seen(c: char) -> bool {
    matches!(c, '\t' | ' '..='~') || !(c.is_ascii() || is_unsafe(c) || c.is_whitespace())
}

/// Reads on from `at`, which always stands between two characters.
struct Reader<'t> {
    text: &'t str,
    at: usize,
    /// Whether a bare `key=value` among the properties is in nobody's way.
    passes_over: bool,
}

impl<'t> Reader<'t> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip(&mut self, byte: u8) -> bool {
        let is = self.peek() == Some(byte);
        self.at += usize::from(is);
        is
    }

    fn need(&mut self, byte: u8, why: &'static str) -> Result<(), Malformed> {
        self.skip(byte).then_some(()).ok_or(Malformed(why))
    }

    /// What stands here, as far as all of it is such; perhaps nothing.
    fn run(&mut self, is: impl Fn(u8) -> bool) -> &'t str {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let length = rest.bytes().position(|byte| !is(byte)).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }

    fn field(&mut self) -> Result<Results, Malformed> {
        self.gap()?;
        let id = self.value()?.to_ascii_lowercase();
        if id.is_empty() {
            return Err(Malformed("it names no server"));
        }
        if self.gap()? && self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            if self.number()? != 1 {
                return Err(Malformed("it is of an unknown version"));
            }
            self.gap()?;
        }
        let mut results = Vec::new();
        self.need(b';', "no result follows the server's name")?;
        loop {
            self.gap()?;
            let method = self.keyword()?;
            self.gap()?;
            if method == "none" && results.is_empty() && self.peek().is_none() {
                break;
            }
            results.push(self.result(method)?);
            if results.len() > MOST {
                return Err(Malformed("it holds too many results"));
            }
            if self.peek().is_none() {
                break;
            }
            self.need(b';', "a result is not ended")?;
        }
        Ok(Results { id, results })
    }

    /// From behind the method's name to the end or the `;`.
    fn result(&mut self, method: String) -> Result<MethodResult, Malformed> {
        let mut version = 1;
        if self.skip(b'/') {
            self.gap()?;
            version = self.number()?;
            self.gap()?;
        }
        self.need(b'=', "a method has no result")?;
        self.gap()?;
        let result = self.keyword()?;
        let mut read = MethodResult { method, version, result, reason: None, properties: Vec::new() };
        while self.goes_on()? {
            let word = self.keyword()?;
            self.gap()?;
            if word == "reason" && read.reason.is_none() && read.properties.is_empty() && self.skip(b'=') {
                self.gap()?;
                read.reason = Some(self.value()?);
                continue;
            }
            if self.passes_over && self.skip(b'=') {
                self.gap()?;
                self.value()?;
                continue;
            }
            let property = self.property(word)?;
            if read.property(&property.kind, &property.name).is_some() {
                return Err(Malformed("a property stands twice in one result"));
            }
            read.properties.push(property);
            if read.properties.len() > MOST {
                return Err(Malformed("a result has too many properties"));
            }
        }
        Ok(read)
    }

    /// Whether the result has more to say; then a gap was before it.
    fn goes_on(&mut self) -> Result<bool, Malformed> {
        let apart = self.gap()?;
        match self.peek() {
            None | Some(b';') => Ok(false),
            Some(_) if apart => Ok(true),
            Some(_) => Err(Malformed("a value goes on where it should end")),
        }
    }

    fn property(&mut self, kind: String) -> Result<Property, Malformed> {
        self.need(b'.', "a property has no type")?;
        self.gap()?;
        let name = self.property_name()?;
        self.gap()?;
        self.need(b'=', "a property has no value")?;
        self.gap()?;
        let of_signature = kind == "header" && name == "b" && self.peek() != Some(b'"');
        let value = if of_signature { self.base64()? } else { self.property_value()? };
        Ok(Property { kind, name, value })
    }

    /// Blanks and comments; whether there were any.
    fn gap(&mut self) -> Result<bool, Malformed> {
        let start = self.at;
        loop {
            self.run(|byte| matches!(byte, b' ' | b'\t'));
            if self.peek() != Some(b'(') {
                return Ok(self.at > start);
            }
            let before = self.at.checked_sub(1).and_then(|before| self.text.as_bytes().get(before));
            self.comment()?;
            let apart = |byte: Option<&u8>| matches!(byte, None | Some(b' ' | b'\t' | b';'));
            if !apart(before) || !apart(self.peek().as_ref()) {
                return Err(Malformed("no blank sets a comment apart"));
            }
        }
    }

    fn comment(&mut self) -> Result<(), Malformed> {
        let mut depth = 0;
        loop {
            match self.peek() {
                None => return Err(Malformed("a comment is never closed")),
                Some(b'(') => depth += 1,
                Some(b')') => depth -= 1,
                Some(b'"' | b'\\') => return Err(Malformed("a comment holds a quote or a backslash")),
                Some(_) => {}
            }
            self.at += 1;
            match depth {
                0 => return Ok(()),
                1..=DEEPEST => {}
                _ => return Err(Malformed("comments stand too deep in each other")),
            }
        }
    }

    /// A keyword (RFC 5321 section 4.1.2), in lower case.
    fn keyword(&mut self) -> Result<String, Malformed> {
        self.word(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    }

    /// A keyword that may hold `_`.
    fn property_name(&mut self) -> Result<String, Malformed> {
        self.word(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    }

    fn word(&mut self, is: impl Fn(u8) -> bool) -> Result<String, Malformed> {
        let word = self.run(is);
        match word.bytes().last() {
            Some(last) if last != b'-' => Ok(word.to_ascii_lowercase()),
            _ => Err(Malformed("a word is missing or is none")),
        }
    }

    fn number(&mut self) -> Result<u32, Malformed> {
        self.run(|byte| byte.is_ascii_digit()).parse().map_err(|_| Malformed("a version is no number"))
    }

    /// A token or a quoted string (RFC 2045 section 5.1), unquoted.
    fn value(&mut self) -> Result<String, Malformed> {
        if self.peek() == Some(b'"') {
            return self.quoted();
        }
        match self.run(is_token) {
            "" => Err(Malformed("a value is missing")),
            token => Ok(token.to_owned()),
        }
    }

    /// A quoted string (RFC 5322 section 3.2.4), unquoted.
    fn quoted(&mut self) -> Result<String, Malformed> {
        let mut plain = String::new();
        self.at += 1;
        let mut rest = self.text.get(self.at..).unwrap_or_default().char_indices();
        while let Some((at, c)) = rest.next() {
            match c {
                '"' => {
                    self.at += at + 1;
                    return Ok(plain);
                }
                '\\' => plain.extend(rest.next().map(|(_, escaped)| escaped)),
                _ => plain.push(c),
            }
        }
        Err(Malformed("a quoted text is never closed"))
    }

    /// The beginning of a signature (`header.b`) without quotes.
    fn base64(&mut self) -> Result<Value, Malformed> {
        let digits = self.run(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte));
        if digits.is_empty() { Err(ODD) } else { Ok(Value::Text(digits.to_owned())) }
    }

    /// A value, or a domain with an optional local-part before it. A domain alone is a token, too.
    fn property_value(&mut self) -> Result<Value, Malformed> {
        if self.peek() == Some(b'"') {
            let local = self.quoted()?;
            if !self.skip(b'@') {
                return Ok(Value::Text(local));
            }
            let domain = self.run(is_value).to_owned();
            return if is_domain(&domain) { Ok(Value::Address { local, domain }) } else { Err(ODD) };
        }
        let written = self.run(is_value);
        match written.rsplit_once('@') {
            Some((local, domain)) if (local.is_empty() || is_dot_string(local)) && is_domain(domain) => {
                Ok(Value::Address { local: local.to_owned(), domain: domain.to_owned() })
            }
            None if !written.is_empty() && (written.bytes().all(is_word) || is_domain(written)) => {
                Ok(Value::Text(written.to_owned()))
            }
            _ => Err(ODD),
        }
    }
}

const ODD: Malformed = Malformed("a value is neither a word nor an address");

#[cfg(test)]
mod tests;
