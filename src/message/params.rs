//! `Content-Type` and `Content-Disposition`: a main value and parameters (RFC 2045 section 5.1, RFC 2183, RFC 2231).
//! Values stay bytes until asked for as text: raw 8-bit names are frequent, and guessing needs the bytes.

use super::words;

/// One such field value, taken apart.
#[derive(Clone, Debug, Default)]
pub struct Params {
    /// What stands before the first semicolon, lower case, comments and blanks taken off.
    pub main: String,
    list: Vec<(String, Vec<u8>)>,
    boundaries: u8,
    odd_boundary: bool,
    odd_type: bool,
}

/// More parameters than the limit.
#[derive(Debug, PartialEq, Eq)]
pub struct TooMany;

impl Params {
    /// Takes a raw field value apart; never fails but on `limit`, and reads each byte a bounded number of times.
    pub fn parse(raw: &[u8], limit: usize) -> Result<Params, TooMany> {
        let text: Vec<u8> = raw.iter().filter(|&&byte| byte != b'\r' && byte != b'\n').copied().collect();
        let (main, mut rest) = split_once(&text, b';');
        let mut params = Params { main: main_value(main), ..Params::default() };
        // A parameter that no semicolon sets apart from the type; encoded words, which have no place here, and which some
        // decode first of all.
        params.odd_boundary = main.contains(&b'=') || has_encoded_word(&text) || has_control(&text);
        params.odd_type = may_hold_parts(main) && !is_clean_type(main);
        let folded = has_odd_fold(raw);
        let mut quotes_close = true;
        while !rest.is_empty() {
            let (name, after) = name(rest);
            let Some(after) = after else {
                let (piece, next) = split_once(rest, b';');
                params.odd_boundary |= !piece.trim_ascii().is_empty();
                rest = next;
                continue;
            };
            // What is odd in any parameter may hide one from some readers, or show them another.
            params.odd_boundary |= !is_token(name.as_bytes()) || !is_plain(after);
            let is_boundary = name.contains("boundary");
            let (value, left) = value(after, &mut quotes_close);
            if is_boundary {
                params.boundaries = params.boundaries.saturating_add(1);
                // Python takes angle brackets off as if they were quotes.
                let is_bracketed = value.starts_with(b"<") && value.ends_with(b">");
                let has_blanks = value.trim_ascii().len() < value.len();
                params.odd_boundary |= name != "boundary" || folded || is_bracketed || has_blanks;
            }
            rest = left;
            if params.list.len() == limit {
                return Err(TooMany);
            }
            params.list.push((name, value));
        }
        Ok(params)
    }

    /// A parameter as bytes, its RFC 2231 pieces put together; for boundaries and charsets.
    pub fn raw(&self, name: &str) -> Option<Vec<u8>> {
        self.plain(name).map(<[u8]>::to_vec).or_else(|| self.extended(name).map(|(_, value)| value))
    }

    /// A parameter as text: RFC 2231 first, since whoever writes both writes the plain one for old readers; then
    /// RFC 2047, which does not belong here but is what many write; then raw 8-bit text.
    pub fn text(&self, name: &str) -> Option<String> {
        let text = match self.extended(name) {
            Some((Some(charset), value)) => words::decode(&charset, &value),
            Some((None, value)) => words::unstructured(&value),
            None => words::unstructured(self.plain(name)?),
        };
        Some(text.replace('\t', " ").trim().to_owned()).filter(|text| !text.is_empty())
    }

    /// Whether two readers may read two boundaries: there is more than one, it is in pieces or encoded, or in angle
    /// brackets, or it holds what none may (RFC 2046 section 5.1.1); or anything in the whole value is not to the grammar
    /// (RFC 2045 section 5.1): comments, quotes and escapes that leave doubt where a parameter ends, or what is none.
    pub fn is_boundary_odd(&self) -> bool {
        self.odd_boundary || self.boundaries > 1
    }

    /// Whether two readers may read two types of which one has parts: it is not just `type/subtype`.
    pub fn is_type_odd(&self) -> bool {
        self.odd_type
    }

    fn plain(&self, wanted: &str) -> Option<&[u8]> {
        self.list.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_slice())
    }

    /// `name*`, or `name*0`, `name*1*`, … in the order of their numbers; of two with one number the first counts.
    fn extended(&self, wanted: &str) -> Option<(Option<Vec<u8>>, Vec<u8>)> {
        let mut pieces: Vec<(u32, bool, &[u8])> = self
            .list
            .iter()
            .filter_map(|(name, value)| Some((piece(name, wanted)?, value)))
            .map(|((n, enc), value)| (n, enc, value.as_slice()))
            .collect();
        pieces.sort_by_key(|&(number, _, _)| number);
        pieces.dedup_by_key(|&mut (number, _, _)| number);
        let &(_, encoded, _) = pieces.first()?;
        let mut charset = None;
        let mut whole = Vec::new();
        for (index, &(_, encoded, value)) in pieces.iter().enumerate() {
            let mut value = value;
            if index == 0 && encoded {
                (charset, value) = charset_of(value);
            }
            if encoded { percent_decode(value, &mut whole) } else { whole.extend_from_slice(value) }
        }
        // An extended value without a charset is UTF-8 or guessed, but no encoded word.
        if encoded && charset.is_none() {
            charset = Some(Vec::new());
        }
        Some((charset, whole))
    }
}

/// The number of a piece of `wanted`, and whether it is percent-encoded.
fn piece(name: &str, wanted: &str) -> Option<(u32, bool)> {
    let rest = name.strip_prefix(wanted)?.strip_prefix('*')?;
    if rest.is_empty() {
        return Some((0, true));
    }
    let (number, encoded) = rest.strip_suffix('*').map_or((rest, false), |number| (number, true));
    (number.len() <= 4).then(|| number.parse().ok()).flatten().map(|number| (number, encoded))
}

/// `charset'language'` before an extended value (RFC 2231 section 4).
fn charset_of(value: &[u8]) -> (Option<Vec<u8>>, &[u8]) {
    let (charset, rest) = split_once(value, b'\'');
    if charset.len() == value.len() {
        return (None, value);
    }
    match rest.iter().position(|&byte| byte == b'\'') {
        Some(quote) => (Some(charset.to_vec()), rest.get(quote + 1..).unwrap_or_default()),
        None => (None, value),
    }
}

/// Percent-decoding (RFC 2231 section 4); what is no `%XX` stays as it is.
pub fn percent_decode(value: &[u8], into: &mut Vec<u8>) {
    let mut rest = value;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte == b'%'
            && let [high, low, tail @ ..] = rest
            && let (Some(high), Some(low)) = (hex(*high), hex(*low))
        {
            into.push(high << 4 | low);
            rest = tail;
        } else {
            into.push(byte);
        }
    }
}

/// The value of a hexadecimal digit of either case.
pub fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

fn split_once(bytes: &[u8], at: u8) -> (&[u8], &[u8]) {
    match memchr::memchr(at, bytes) {
        Some(found) => (bytes.get(..found).unwrap_or_default(), bytes.get(found + 1..).unwrap_or_default()),
        None => (bytes, &[]),
    }
}

/// `type/subtype` or a disposition: up to a comment or, after that, a blank (`text/plain charset=x` lacks a semicolon).
fn main_value(raw: &[u8]) -> String {
    let raw = split_once(raw, b'(').0.trim_ascii();
    let text = String::from_utf8_lossy(raw).to_ascii_lowercase();
    match text.split_once('/') {
        Some((kind, subtype)) => {
            let subtype = subtype.split_ascii_whitespace().next().unwrap_or_default();
            format!("{}/{subtype}", kind.trim_end())
        }
        None => text.split_ascii_whitespace().next().unwrap_or_default().to_owned(),
    }
}

/// Whether it is `type/subtype` in the letters of RFC 2045 section 5.1, and blanks around; not one that is called after a
/// multipart without being one (`multiparts/mixed`), which some readers do not tell from one.
fn is_clean_type(main: &[u8]) -> bool {
    let (kind, subtype) = split_once(main.trim_ascii(), b'/');
    let is_called_after =
        kind.len() > 9 && kind.get(..9).is_some_and(|start| start.eq_ignore_ascii_case(b"multipart"));
    is_token(kind) && is_token(subtype) && !is_called_after
}

/// A token of RFC 2045 section 5.1.
fn is_token(text: &[u8]) -> bool {
    !text.is_empty()
        && text.iter().all(|byte| byte.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?=".contains(byte))
}

/// Some reader may see `multipart` or `message` in it, comments, escapes and encodings taken off: what is left of the
/// letters of one of them stands there in their order.
fn may_hold_parts(main: &[u8]) -> bool {
    [&b"multipart"[..], b"message"].iter().any(|wanted| {
        let mut letters = main.iter().map(u8::to_ascii_lowercase);
        wanted.iter().all(|letter| letters.any(|found| found == *letter))
    })
}

/// Whether something begins like an encoded word (RFC 2047 section 2) and, further on, something ends like one. A boundary
/// may hold the signs of either (RFC 2046 section 5.1.1).
fn has_encoded_word(text: &[u8]) -> bool {
    let start = memchr::memmem::find(text, b"=?");
    let rest = start.and_then(|start| text.get(start + 2..)).unwrap_or_default();
    memchr::memmem::find(rest, b"?=").is_some()
}

/// The lower-case name of the parameter at the front, and what follows its `=`; nothing if there is none before the
/// next semicolon.
fn name(rest: &[u8]) -> (String, Option<&[u8]>) {
    let Some(end) = rest.iter().position(|byte| matches!(byte, b'=' | b';')) else {
        return (String::new(), None);
    };
    let name = String::from_utf8_lossy(rest.get(..end).unwrap_or_default().trim_ascii()).to_ascii_lowercase();
    let after = rest.get(end + 1..).filter(|_| rest.get(end) == Some(&b'=') && !name.is_empty());
    (name, after)
}

/// Whether a line is folded in a quoted string, where some readers take only the line break out and some the blank too, or
/// behind an `=`, where some find no value.
fn has_odd_fold(raw: &[u8]) -> bool {
    let (mut quoted, mut equals) = (false, false);
    raw.iter().any(|&byte| {
        quoted ^= byte == b'"';
        equals = byte == b'=' || equals && byte.is_ascii_whitespace();
        byte == b'\n' && (quoted || equals)
    })
}

/// Some readers take a form feed, a vertical tab or a NUL for a blank.
fn has_control(text: &[u8]) -> bool {
    text.iter().any(|&byte| byte.is_ascii_control() && byte != b'\t')
}

/// Whether the value at the front is written so that every reader sees where it ends. Unquoted it need be no token:
/// honest programs write `=` and `/` so.
fn is_plain(after: &[u8]) -> bool {
    let after = after.trim_ascii_start();
    let Some(quoted) = after.strip_prefix(b"\"") else {
        let value = split_once(after, b';').0.trim_ascii_end();
        return !value.is_empty()
            && value.iter().all(|byte| byte.is_ascii_graphic() && !b"\"()\\".contains(byte));
    };
    let (value, rest) = split_once(quoted, b'"');
    let rest = rest.trim_ascii_start();
    let ends = value.len() < quoted.len() && (rest.is_empty() || rest.starts_with(b";"));
    ends && value.iter().all(|&byte| matches!(byte, b' '..=b'~') && byte != b'\\')
}

/// The value at the front, and what follows the semicolon after it.
fn value<'a>(after: &'a [u8], quotes_close: &mut bool) -> (Vec<u8>, &'a [u8]) {
    let after = after.trim_ascii_start();
    if let Some(quoted) = after.strip_prefix(b"\"") {
        return quoted_value(quoted, quotes_close);
    }
    let (value, rest) = split_once(after, b';');
    (value.trim_ascii_end().to_vec(), rest)
}

/// A quoted string. Programs write quotes inside quotes (`"a "b" c.pdf"`): the closing one is that before a semicolon
/// or the end; without such, the first. Only `\"` and `\\` are escapes: `"C:\mail\a.pdf"` is written far more often
/// than a needless escape.
fn quoted_value<'a>(text: &'a [u8], quotes_close: &mut bool) -> (Vec<u8>, &'a [u8]) {
    let mut value = Vec::new();
    let mut first: Option<(usize, usize)> = None;
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        at += 1;
        match (byte, text.get(at)) {
            (b'\\', Some(&next @ (b'"' | b'\\'))) => {
                value.push(next);
                at += 1;
            }
            (b'"', _) => {
                let rest = text.get(at..).unwrap_or_default().trim_ascii_start();
                if rest.is_empty() || rest.starts_with(b";") {
                    return (value, rest.get(1..).unwrap_or_default());
                }
                first.get_or_insert((value.len(), at));
                if !*quotes_close {
                    break;
                }
                value.push(byte);
            }
            _ => value.push(byte),
        }
    }
    let Some((length, at)) = first else { return (value, &[]) };
    // No quote from here on closes well: do not look for one again, or many parameters would cost the square.
    *quotes_close = false;
    value.truncate(length);
    (value, split_once(text.get(at..).unwrap_or_default(), b';').1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(raw: &[u8]) -> Params {
        Params::parse(raw, 128).unwrap()
    }

    fn name_in(raw: &[u8]) -> Option<String> {
        parse(raw).text("filename")
    }

    #[test]
    fn main_values() {
        for (raw, main) in [
            (" Text/HTML; charset=x", "text/html"),
            ("text / plain", "text/plain"),
            ("text/plain (a comment); x=y", "text/plain"),
            ("text/plain charset=utf-8", "text/plain"),
            ("attachment", "attachment"),
            ("", ""),
            (";x=y", ""),
        ] {
            assert_eq!(parse(raw.as_bytes()).main, main, "{raw}");
        }
    }

    #[test]
    fn names_however_written() {
        for (raw, name) in [
            ("attachment; filename=a.pdf", "a.pdf"),
            ("attachment; filename=my file (1).pdf ; size=3", "my file (1).pdf"),
            ("attachment; filename=\"a;b.pdf\"", "a;b.pdf"),
            ("attachment; filename=\"a\\\"b.pdf\"", "a\"b.pdf"),
            ("attachment; filename=\"C:\\mail\\a.pdf\"", "C:\\mail\\a.pdf"),
            ("attachment; filename=\"a \"b\" c.pdf\"; x=y", "a \"b\" c.pdf"),
            ("attachment; filename=\"a.pdf\" size=3", "a.pdf"),
            ("attachment; filename=\"a.pdf", "a.pdf"),
            ("attachment; FileName = \"a.pdf\"", "a.pdf"),
            ("attachment;\r\n filename=\"a\r\n\tb.pdf\"", "a b.pdf"),
            ("attachment; filename*=utf-8'en'%e2%82%ac.pdf; filename=EUR.pdf", "€.pdf"),
            ("attachment; filename*=%e2%82%ac.pdf", "€.pdf"),
            ("attachment; filename*1*=%82%ac; filename*0*=utf-8''%e2; filename*2=\".pdf\"", "€.pdf"),
            ("attachment; filename*0=a; filename*1=b; filename*1=c", "ab"),
            ("attachment; filename=\"=?utf-8?q?=e2=82=ac?=\r\n =?utf-8?b?LnBkZg==?=\"", "€.pdf"),
            ("attachment; filename*0=\"=?utf-8?q?=e2=8\"; filename*1=\"2=ac?=\"", "€"),
        ] {
            assert_eq!(name_in(raw.as_bytes()).as_deref(), Some(name), "{raw}");
        }
        assert_eq!(name_in(b"attachment; filename=\"\""), None);
        assert_eq!(name_in(b"attachment; filename=\"\xe4.pdf\"").as_deref(), Some("ä.pdf"));
        assert_eq!(name_in("attachment; filename=ä.pdf".as_bytes()).as_deref(), Some("ä.pdf"));
    }

    #[test]
    fn boundaries_that_leave_no_doubt() {
        let odd = |rest: &str| parse(format!("multipart/mixed{rest}").as_bytes()).is_boundary_odd();
        assert!(odd("; name=\"=?utf-8?q?=22;boundary=3Dc;x=3D=22?=\"; boundary=b"));
        for sound in [
            "; boundary=b",
            "; boundary=\"b\"",
            "; charset=x; BOUNDARY = \"----=_Part (1) : ?\" ; type=\"text/html\"",
            ";\r\n\tboundary=----=_NextPart_000_0001_01DA.x/y",
            "; boundary=\"b\";",
            "; boundary=\"_004_(x)'+_,-./:=?\"",
            "; type=\"multipart/alternative\"; start=\"<a@b>\"; x=\" \"; y*=utf-8''z; boundary=b",
            "",
        ] {
            assert!(!odd(sound), "{sound}");
        }
        for doubtful in [
            "; boundary=b; boundary=b",
            "; boundary=b; boundary*0=c",
            "; boundary*=utf-8''b",
            "; boundary*0=b; boundary*1=c",
            "; boundary=b(c)",
            "; boundary=b (c)",
            "; boundary=\"b\" (c)",
            "; (c) boundary=b",
            "; boundary=b c",
            "; boundary=\"b\"c",
            "; boundary=\"b",
            "; boundary=\"b\\c\"",
            "; boundary=b\"c",
            "; boundary=\"b\0c\"",
            "; boundary\u{c}=b",
            "\u{b}; boundary=b",
            "; boundary=b\u{e4}",
            "; boundary=\" b\"",
            "; boundary=\"b \"",
            "; boundary=\"b\r\n c\"",
            "; boundary=\r\n b",
            " boundary=b; boundary=c",
            " boundary=b",
            "; boundary=\"=?utf-8?q?b?=\"",
            "; x==?utf-8?q?b?=; boundary=b",
            "; x=a\"b; boundary=c; y=d\"; z=e",
            "; x='\"=[ ; boundary=b; z=1",
            "; x=\"a\\\"; boundary=c; y=\"; boundary=b",
            "; x=a b; boundary=b",
            "; x y=a; boundary=b",
            "; x*0=; boundary=b",
            "; x=\"a\" boundary=c; boundary=b",
            "; x=\"a\tb\"; boundary=b",
            "; boundary=\"<b>\"",
            "; boundary=<b>",
        ] {
            assert!(odd(doubtful), "{doubtful}");
        }
    }

    #[test]
    fn types_that_leave_no_doubt() {
        let odd = |main: &str| parse(main.as_bytes()).is_type_odd();
        for sound in [
            "multipart/mixed",
            " Multipart/MIXED ",
            "text/plain",
            "text",
            "pdf",
            "",
            "image / png",
            "text/x (y)",
        ] {
            assert!(!odd(sound), "{sound}");
        }
        for doubtful in [
            "multipart",
            "multipart/",
            "multipart/mixed/x",
            "multipart / mixed",
            "multipart/mixed (x)",
            "multi(x)part/mixed",
            "(text/plain) multipart/mixed",
            "\"multipart/mixed\"",
            "=?utf-8?q?multipart/mixed?=",
            "message/rfc822 x",
        ] {
            assert!(odd(doubtful), "{doubtful}");
        }
    }

    #[test]
    fn a_parameter_bomb_is_counted_and_costs_no_square() {
        let many = format!("a/b{}", "; filename*1*=x".repeat(129));
        assert_eq!(Params::parse(many.as_bytes(), 128).unwrap_err(), TooMany);
        let quotes = format!("a/b{}", ";x=\"\" y".repeat(9000));
        Params::parse(quotes.as_bytes(), usize::MAX).unwrap();
        let nothing = format!("a/b{}", ";".repeat(60_000));
        Params::parse(nothing.as_bytes(), 128).unwrap();
    }
}
