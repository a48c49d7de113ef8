//! The one From that rights may hang on: exactly one field, exactly one mailbox, in a grammar so strict that every
//! reader reads the same (RFC 5322 section 3.4 without its obsolete forms, and less). Forgers live on what two programs
//! read differently; whatever could be such a thing makes a mail without identity, never a wrong one.

use mailshelf_storage::Address;
use mailshelf_storage::address::BadAddress;

use crate::message::fields::{self, End, Line};

/// Longer than any honest From (a line is at most 998 bytes, RFC 5322 section 2.1.1; two folds are plenty).
const LONGEST: usize = 2048;

/// Why a mail has no mailbox that identity could hang on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoMailbox {
    /// What the header leaves in doubt.
    #[error("{0}")]
    Doubt(&'static str),
    /// What stands for an address is none that can be compared.
    #[error("the From is no plain address: {0}")]
    Address(BadAddress),
}

/// The mailbox of a message's only From.
pub fn mailbox(message: &[u8]) -> Result<Address, NoMailbox> {
    parse(only_from(message)?)
}

/// The value of the only From, in a header that leaves no doubt of where it ends and which lines are fields.
fn only_from(message: &[u8]) -> Result<&[u8], NoMailbox> {
    let mut header = fields::of_message(message);
    let mut found = None;
    let mut first = true;
    for line in header.by_ref() {
        match line {
            Line::Junk(junk) if !(first && is_mbox_line(junk)) => {
                return Err(NoMailbox::Doubt("the header holds a line that is no field"));
            }
            Line::Field(field) if field.is("from") => {
                if !field.exact {
                    return Err(NoMailbox::Doubt("a blank stands before the colon of From"));
                }
                if found.replace(field.value).is_some() {
                    return Err(NoMailbox::Doubt("there is more than one From"));
                }
            }
            _ => {}
        }
        first = false;
    }
    if header.end() == Some(End::Text) {
        return Err(NoMailbox::Doubt("no empty line ends the header"));
    }
    if !is_plain(message.get(..header.offset()).unwrap_or_default()) {
        return Err(NoMailbox::Doubt("the header holds a NUL or a bare CR"));
    }
    found.ok_or(NoMailbox::Doubt("there is no From"))
}

/// The line that mbox writers put before a message; others take `From :` for a field.
fn is_mbox_line(line: &[u8]) -> bool {
    line.strip_prefix(b"From ").is_some_and(|rest| rest.first().is_some_and(u8::is_ascii_alphanumeric))
}

/// No NUL, and each CR before an LF: some readers break lines at a bare CR and find fields there.
fn is_plain(header: &[u8]) -> bool {
    let next = header.iter().skip(1).chain(std::iter::once(&0));
    header.iter().zip(next).all(|(&byte, &next)| byte != 0 && (byte != b'\r' || next == b'\n'))
}

/// What the value is made of, folds and comments apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'v> {
    Atom(&'v str),
    Quoted(&'v str),
    Special(u8),
    /// Blanks or a comment.
    Gap,
}

fn parse(value: &[u8]) -> Result<Address, NoMailbox> {
    if value.len() > LONGEST {
        return Err(NoMailbox::Doubt("the From is too long"));
    }
    let text = std::str::from_utf8(value).map_err(|_| NoMailbox::Doubt("the From is not UTF-8"))?;
    let tokens = tokens(text)?;
    // Between two quotes some readers lose count of them, and find addresses in the name.
    let is_between =
        |three: &[Token<'_>]| matches!(three, [Token::Quoted(_), Token::Special(b'<'), Token::Quoted(_)]);
    if tokens.windows(2).any(|two| matches!(two, [one, other] if is_glued(one, other)))
        || tokens.windows(3).any(is_between)
    {
        return Err(NoMailbox::Doubt("a quote of the From stands in the midst of a word"));
    }
    if !tokens.split(|token| matches!(token, Token::Gap)).all(words_end) {
        return Err(NoMailbox::Doubt(ENCODED));
    }
    for token in &tokens {
        match token {
            Token::Special(b',') => return Err(NoMailbox::Doubt("the From names more than one mailbox")),
            Token::Special(b':' | b';') => return Err(NoMailbox::Doubt("the From is a group or a route")),
            _ => {}
        }
    }
    let address = match tokens.iter().position(|&token| token == Token::Special(b'<')) {
        Some(open) => bracketed(&tokens, open)?,
        None => bare(&tokens),
    };
    let text: String =
        address.iter().map(|token| token.written()).collect::<Option<String>>().unwrap_or_default();
    if text.contains("=?") {
        return Err(NoMailbox::Doubt("the From hides its address in an encoded word"));
    }
    // The grammar of both sides of the @ is that of `Address`: dot-atom or quoted string, then a host name.
    text.parse().map_err(NoMailbox::Address)
}

const ENCODED: &str = "an encoded word of the From does not end where it stands";

/// Whether each encoded word (RFC 2047 section 2) that begins in these tokens, which no blank sets apart, ends in them, and
/// within the quotes if it began there: else some readers find its end behind, and decode what stands between.
fn words_end(tokens: &[Token<'_>]) -> bool {
    let (mut plain, mut quotes_end) = (String::new(), true);
    for token in tokens {
        match token {
            Token::Quoted(text) => quotes_end &= encoded_words_end(text),
            token => plain.extend(token.written()),
        }
    }
    quotes_end && encoded_words_end(&plain)
}

fn encoded_words_end(text: &str) -> bool {
    let mut rest = text;
    while let Some((_, word)) = rest.split_once("=?") {
        let encoded = word.split_once('?').and_then(|(_, word)| word.split_once('?'));
        match encoded.and_then(|(_, word)| word.split_once("?=")) {
            Some((_, behind)) => rest = behind,
            None => return false,
        }
    }
    true
}

/// A quoted string that no blank sets apart from the word beside it: to some readers its quotes are letters of that word.
fn is_glued(one: &Token<'_>, other: &Token<'_>) -> bool {
    let is_word =
        |token: &Token<'_>| matches!(token, Token::Atom(_) | Token::Quoted(_) | Token::Special(b'.'));
    let is_quoted = |token: &Token<'_>| matches!(token, Token::Quoted(_));
    (is_quoted(one) && is_word(other)) || (is_word(one) && is_quoted(other))
}

impl Token<'_> {
    /// As it stands in an address; a gap or another special does not stand there.
    fn written(&self) -> Option<String> {
        match self {
            Token::Atom(text) => Some((*text).to_owned()),
            Token::Quoted(text) => Some(format!("\"{text}\"")),
            Token::Special(byte @ (b'@' | b'.')) => Some(char::from(*byte).to_string()),
            _ => None,
        }
    }
}

/// `phrase <address>`: only words before it (and dots, as in `John Q. Public`), only gaps behind.
fn bracketed<'t, 'v>(tokens: &'t [Token<'v>], open: usize) -> Result<&'t [Token<'v>], NoMailbox> {
    let (phrase, rest) = tokens.split_at_checked(open).unwrap_or_default();
    let close = rest
        .iter()
        .position(|&token| token == Token::Special(b'>'))
        .ok_or(NoMailbox::Doubt("the From has no closing bracket"))?;
    let behind = rest.get(close + 1..).unwrap_or_default();
    let is_word = |token: &Token<'_>| !matches!(token, Token::Special(byte) if *byte != b'.');
    if !phrase.iter().all(is_word) || !behind.iter().all(|&token| token == Token::Gap) {
        return Err(NoMailbox::Doubt("the From holds more than a name and one address"));
    }
    Ok(rest.get(1..close).unwrap_or_default())
}

/// An address without brackets, gaps only around it.
fn bare<'t, 'v>(tokens: &'t [Token<'v>]) -> &'t [Token<'v>] {
    let not_gap = |token: &Token<'_>| *token != Token::Gap;
    let first = tokens.iter().position(not_gap).unwrap_or(tokens.len());
    let last = tokens.iter().rposition(not_gap).map_or(first, |last| last + 1);
    tokens.get(first..last).unwrap_or_default()
}

fn tokens(text: &str) -> Result<Vec<Token<'_>>, NoMailbox> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let (token, length) = match c {
            ' ' | '\t' | '\r' | '\n' => (Token::Gap, gap(rest)?),
            '(' => (Token::Gap, comment(rest)?),
            '"' => {
                let length = quoted(rest)?;
                (Token::Quoted(rest.get(1..length - 1).unwrap_or_default()), length)
            }
            '<' | '>' | '@' | ',' | ';' | ':' | '.' => {
                (Token::Special(u8::try_from(c).unwrap_or_default()), 1)
            }
            ')' | '[' | ']' | '\\' => {
                return Err(NoMailbox::Doubt("the From holds a character out of place"));
            }
            _ => {
                let length = atom(rest)?;
                (Token::Atom(rest.get(..length).unwrap_or_default()), length)
            }
        };
        tokens.push(token);
        rest = rest.get(length..).unwrap_or_default();
    }
    Ok(tokens)
}

/// Blanks, and folds that something follows: a line of blanks alone ends the header for some readers.
fn gap(text: &str) -> Result<usize, NoMailbox> {
    let length = text.find(|c| !matches!(c, ' ' | '\t' | '\r' | '\n')).unwrap_or(text.len());
    let lines = text.get(..length).unwrap_or_default().matches('\n').count();
    let last = length == text.len();
    if lines > 1 || (last && lines > 0) {
        return Err(NoMailbox::Doubt("a line of the From is blank"));
    }
    Ok(length)
}

/// A comment, with nothing in it that could pass for an address or a list; nor another comment, for some readers end both
/// at the first bracket and take what follows for the address.
fn comment(text: &str) -> Result<usize, NoMailbox> {
    for (at, c) in text.char_indices().skip(1) {
        match c {
            '(' => return Err(NoMailbox::Doubt("a comment in the From holds another")),
            ')' if encoded_words_end(text.get(..at).unwrap_or_default()) => return Ok(at + 1),
            ')' => return Err(NoMailbox::Doubt(ENCODED)),
            '<' | '>' | '@' | ',' | ';' | ':' | '"' | '\\' => {
                return Err(NoMailbox::Doubt("a comment in the From holds signs of an address"));
            }
            ' ' | '\t' | '\r' | '\n' => {}
            c if c.is_control() => return Err(NoMailbox::Doubt("the From holds a control character")),
            _ => {}
        }
    }
    Err(NoMailbox::Doubt("a comment in the From is never closed"))
}

/// A quoted string (RFC 5322 section 3.2.4), its quotes counted.
fn quoted(text: &str) -> Result<usize, NoMailbox> {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if c.is_control() && !matches!(c, '\t' | '\r' | '\n') => {
                return Err(NoMailbox::Doubt("the From holds a control character"));
            }
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Ok(at + 1),
            _ => {}
        }
    }
    Err(NoMailbox::Doubt("a quoted string in the From is never closed"))
}

/// An atom (RFC 5322 section 3.2.3), UTF-8 included (RFC 6532 section 3.2).
fn atom(text: &str) -> Result<usize, NoMailbox> {
    let inside = |c: char| {
        c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c) || (!c.is_ascii() && !c.is_control())
    };
    match text.find(|c| !inside(c)).unwrap_or(text.len()) {
        0 => Err(NoMailbox::Doubt("the From holds a control character")),
        length => Ok(length),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: &str = "the From is no plain address: an address is LOCAL-PART@DOMAIN, at most 254 bytes";
    const LOCAL: &str = "the From is no plain address: the local-part of an address is words with dots between them, of \
                         one script and without invisible characters";
    const DOMAIN: &str = "the From is no plain address: the domain of an address is labels with dots between them, each \
                          of one script and fit for the DNS";

    fn of(value: &str) -> Result<String, String> {
        let message = format!("Received: x\r\nFrom: {value}\r\nTo: b@x.org\r\n\r\nbody");
        mailbox(message.as_bytes()).map(|address| address.to_string()).map_err(|why| why.to_string())
    }

    #[test]
    fn plain_mailboxes() {
        for (value, address) in [
            ("a@x.org", "a@x.org"),
            ("A.B@X.org", "a.b@x.org"),
            ("<a@x.org>", "a@x.org"),
            ("Alice <a@x.org>", "a@x.org"),
            ("Alice\r\n <a@x.org>", "a@x.org"),
            ("\"Alice, B.\" <a@x.org> (at work)", "a@x.org"),
            ("\"b@x.org\" <a@x.org>", "a@x.org"),
            ("John Q. Public <a@x.org>", "a@x.org"),
            ("=?utf-8?Q?J=C3=BCrgen?= <a@x.org>", "a@x.org"),
            ("=?utf-8?Q?Dr._J=C3=BCrgen?= =?utf-8?b?TQ==?= <a@x.org>", "a@x.org"),
            ("\"=?utf-8?Q?J=C3=BCrgen M?=\" <a@x.org> (=?utf-8?q?x?=)", "a@x.org"),
            ("Jürgen <a@x.org>", "a@x.org"),
            ("a@x.org (Alice of X)", "a@x.org"),
            ("\"a b\"@x.org", "\"a b\"@x.org"),
            ("\"a.b\" <\"a.b\"@x.org>", "a.b@x.org"),
            ("Jürgen <JU\u{308}RGEN@BÜCHER.example>", "jürgen@xn--bcher-kva.example"),
        ] {
            assert_eq!(of(value), Ok(address.to_owned()), "{value}");
        }
    }

    #[test]
    fn what_carries_no_identity_and_why() {
        for (value, why) in [
            ("a@x.org, b@x.org", "the From names more than one mailbox"),
            ("g: a@x.org;", "the From is a group or a route"),
            ("<@r.org:a@x.org>", "the From is a group or a route"),
            ("=?utf-8?q?a=40x.org?=", "the From hides its address in an encoded word"),
            ("A <=?utf-8?q?a?=@x.org>", "the From hides its address in an encoded word"),
            ("=?utf-8?q?A \" ?= <b@x.org> \" <a@x.org>", ENCODED),
            ("\"=?utf-8?q?A\" B?= <a@x.org>", ENCODED),
            ("(=?utf-8?q?A) B?= <a@x.org>", ENCODED),
            ("=?utf-8?q?A<a@x.org>", ENCODED),
            ("n \"A@x, .B\"<\"o b\"@x.org>", "a quote of the From stands in the midst of a word"),
            ("<a@x.org> <b@x.org>", "the From holds more than a name and one address"),
            ("b@x.org <a@x.org>", "the From holds more than a name and one address"),
            ("<a@x.org> b", "the From holds more than a name and one address"),
            ("<a@x.org", "the From has no closing bracket"),
            ("a@x.org>", SHAPE),
            ("< a@x.org>", SHAPE),
            ("a @x.org", SHAPE),
            ("a(b)@x.org", SHAPE),
            ("a@[192.0.2.1]", "the From holds a character out of place"),
            ("a@x.org (b@x.org)", "a comment in the From holds signs of an address"),
            ("a@x.org (b", "a comment in the From is never closed"),
            ("a@x.org (Alice (of X))", "a comment in the From holds another"),
            ("\"a <a@x.org>", "a quoted string in the From is never closed"),
            ("Q\"<\" <a@x.org>", "a quote of the From stands in the midst of a word"),
            ("\"a\"b <a@x.org>", "a quote of the From stands in the midst of a word"),
            ("a\u{1}@x.org", "the From holds a control character"),
            ("\u{430}lice@x.org", LOCAL),
            ("ä\u{200b}@x.org", LOCAL),
            ("a@x.org\r\n ", "a line of the From is blank"),
            ("alice@ex\u{430}mple.org", DOMAIN),
            ("alice@xn--exmple-4nf.org", DOMAIN),
            ("", SHAPE),
            ("Alice", SHAPE),
            ("a..b@x.org", LOCAL),
            ("<>", SHAPE),
        ] {
            assert_eq!(of(value), Err(why.to_owned()), "{value}");
        }
        assert_eq!(of(&format!("{} <a@x.org>", "a ".repeat(2000))), Err("the From is too long".to_owned()));
    }

    #[test]
    fn headers_that_leave_doubt() {
        for (message, why) in [
            ("To: b@x.org\n\n", "there is no From"),
            ("From: a@x.org\nFrom: a@x.org\n\n", "there is more than one From"),
            ("From: a@x.org\nfrom: b@x.org\n\n", "there is more than one From"),
            ("From : a@x.org\n\n", "a blank stands before the colon of From"),
            ("From: a@x.org\nFrom\t: b@x.org\n\n", "a blank stands before the colon of From"),
            (" From: b@x.org\nFrom: a@x.org\n\n", "the header holds a line that is no field"),
            ("From: a@x.org\nFr om: b@x.org\nTo: b\n\n", "the header holds a line that is no field"),
            ("From: a@x.org\nx\nFrom: b@x.org\n\n", "the header holds a line that is no field"),
            ("From : b@x.org\nFrom: a@x.org\n\n", "a blank stands before the colon of From"),
            ("From: a@x.org\nFr om: b@x.org\n\n", "no empty line ends the header"),
            ("From: a@x.org\nx\n\nFrom: b@x.org\n", "no empty line ends the header"),
            ("From: a@x.org\nX: y\rFrom: b@x.org\n\n", "the header holds a NUL or a bare CR"),
            ("From: a@x.org\nX: y\0\n\n", "the header holds a NUL or a bare CR"),
            ("From: a@x.org\r\r\n\n", "the header holds a NUL or a bare CR"),
        ] {
            assert_eq!(mailbox(message.as_bytes()).unwrap_err().to_string(), why, "{message:?}");
        }
        assert!(mailbox(b"From a@x.org Mon Jan  1 00:00:00 2026\nFrom: a@x.org\n\n").is_ok());
        assert!(mailbox(b"From: a@x.org\n").is_ok());
    }
}
