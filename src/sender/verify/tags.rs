//! Tag lists (RFC 6376 section 3.2), which signatures, seals, keys and policies are written in. Read strictly: a list
//! that two programs could read differently is none.

use std::ops::Range;

/// No honest list has more.
const MOST: usize = 64;

/// A tag list; each name stands in it once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tags<'v>(Vec<Tag<'v>>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Tag<'v> {
    name: &'v str,
    value: &'v str,
    /// All between its `=` and the next `;`, blanks included.
    span: Range<usize>,
}

impl<'v> Tags<'v> {
    /// Reads a list. None if it is not one, if a name stands there twice, or if it is absurdly long.
    pub fn read(text: &'v str) -> Option<Tags<'v>> {
        Tags::pieces(text, false)
    }

    /// The same of a DNS record, where many a semicolon stands too much and means nothing.
    pub fn of_record(record: &'v [u8]) -> Option<Tags<'v>> {
        Tags::pieces(std::str::from_utf8(record).ok()?, true)
    }

    fn pieces(text: &'v str, may_be_empty: bool) -> Option<Tags<'v>> {
        let mut tags: Vec<Tag<'v>> = Vec::new();
        let mut at = 0;
        for piece in text.split(';') {
            let start = at;
            at += piece.len() + 1;
            if trim(piece).is_empty() {
                // Only the end of the list may be empty.
                if at <= text.len() && !may_be_empty {
                    return None;
                }
                continue;
            }
            let (name, value) = piece.split_once('=')?;
            let span = start + name.len() + 1..start + piece.len();
            let (name, value) = (trim(name), trim(value));
            let new = tags.iter().all(|tag| !tag.name.eq_ignore_ascii_case(name));
            if !is_name(name) || !is_value(value) || !new || tags.len() == MOST {
                return None;
            }
            tags.push(Tag { name, value, span });
        }
        Some(Tags(tags))
    }

    /// The value of a tag, without the blanks around it. Names are case-sensitive.
    pub fn get(&self, name: &str) -> Option<&'v str> {
        self.0.iter().find(|tag| tag.name == name).map(|tag| tag.value)
    }

    /// The value of a tag without any blanks: how base64 and lists are folded.
    pub fn joined(&self, name: &str) -> Option<String> {
        Some(self.get(name)?.chars().filter(|c| !is_blank(*c)).collect())
    }

    /// The first tag of the list.
    pub fn first(&self) -> Option<(&'v str, &'v str)> {
        self.0.first().map(|tag| (tag.name, tag.value))
    }

    /// Where the value of a tag stands in the text, blanks included.
    pub fn span(&self, name: &str) -> Option<Range<usize>> {
        self.0.iter().find(|tag| tag.name == name).map(|tag| tag.span.clone())
    }
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

fn trim(text: &str) -> &str {
    text.trim_matches(is_blank)
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn is_value(value: &str) -> bool {
    value.chars().all(|c| is_blank(c) || matches!(c, '!'..='~'))
}

/// Decodes base64 (RFC 4648 section 4), padding included, nothing else allowed: no two texts are the same bytes.
pub fn base64(text: &str) -> Option<Vec<u8>> {
    let sextet = |byte: u8| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let digits = text.trim_end_matches('=');
    if !text.len().is_multiple_of(4) || text.len() - digits.len() > 2 {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut held, mut bits) = (0u32, 0);
    for byte in digits.bytes() {
        held = held << 6 | u32::from(sextet(byte)?);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(held >> bits).ok()?);
            held &= (1 << bits) - 1;
        }
    }
    (held == 0).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_whole_or_not_at_all() {
        let tags = Tags::read("v=1; a = rsa-sha256;\r\n\tb=QU\r\n JD ; h=from").unwrap();
        assert_eq!(tags.get("a"), Some("rsa-sha256"));
        assert_eq!(tags.joined("b").as_deref(), Some("QUJD"));
        assert_eq!(tags.first(), Some(("v", "1")));
        assert_eq!(tags.get("B"), None);
        assert!(Tags::read("v=1; p=;").is_some_and(|tags| tags.get("p") == Some("")));
        for bad in
            ["v", "v=1;;a=2", "v=1; v=1", "h=from; H=to", "=1", "1a=2", "a b=c", "a=\u{e4}", "a=\u{1}", ";"]
        {
            assert_eq!(Tags::read(bad), None, "{bad:?}");
        }
        assert!(Tags::of_record(b"v=DMARC1;; p=none; ;").is_some_and(|tags| tags.get("p") == Some("none")));
        assert_eq!(Tags::read(&(0..65).map(|n| format!("a{n}=;")).collect::<String>()), None);
    }

    #[test]
    fn a_span_is_all_between_the_signs() {
        let span = |text: &'static str| text.get(Tags::read(text).unwrap().span("b").unwrap());
        assert_eq!(span("v=1; b= QUJD\r\n ; d=x.org"), Some(" QUJD\r\n "));
        assert_eq!(span("d=x.org; b=\r\n QUJD"), Some("\r\n QUJD"));
    }

    #[test]
    fn base64_is_strict() {
        for (text, bytes) in [("", ""), ("QQ==", "A"), ("QUI=", "AB"), ("QUJD", "ABC"), ("+/+/", "\u{fb}")] {
            let decoded = base64(text).unwrap();
            if text != "+/+/" {
                assert_eq!(decoded, bytes.as_bytes(), "{text}");
            } else {
                assert_eq!(decoded, [0xfb, 0xff, 0xbf]);
            }
        }
        for bad in ["QQ", "QQ=", "Q===", "QU=D", "QUJ-", "QUJD=", "QU JD", "QR==", "QUJ="] {
            assert_eq!(base64(bad), None, "{bad}");
        }
    }
}
