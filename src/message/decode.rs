//! Transfer encodings (RFC 2045 section 6): the bytes of a file out of the raw range of its part. What is sound is
//! decoded and what is broken never fails the mail: a file with a hole is worth more than none.

use std::borrow::Cow;

use mail_parser::decoders::base64::base64_decode;

use super::fields::line_at;
use super::params::hex;

/// How a part's bytes were made fit for transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Encoding {
    /// `7bit`, `8bit`, `binary`, none, or one we do not know: the bytes stand for themselves.
    #[default]
    Identity,
    /// `base64`.
    Base64,
    /// `quoted-printable`.
    QuotedPrintable,
    /// `x-uuencode`, in no RFC but in old mail.
    Uuencode,
}

impl Encoding {
    /// From the value of a `Content-Transfer-Encoding` field.
    pub fn parse(raw: &[u8]) -> Encoding {
        let end = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b';' | b'(');
        let token = raw.trim_ascii().split(end).next().unwrap_or_default().trim_ascii();
        let token = token.strip_prefix(b"\"").and_then(|token| token.strip_suffix(b"\"")).unwrap_or(token);
        match token.to_ascii_lowercase().as_slice() {
            b"base64" => Encoding::Base64,
            b"quoted-printable" => Encoding::QuotedPrintable,
            b"x-uuencode" | b"x-uue" | b"uuencode" | b"uue" => Encoding::Uuencode,
            _ => Encoding::Identity,
        }
    }

    /// Whether two readers may take the value for two encodings: it is none of the standard ones to the letter, but some
    /// reader may see one in it, comments, encoded words and stray signs taken off.
    pub fn is_odd(raw: &[u8]) -> bool {
        const NAMES: [&[u8]; 2] = [b"base64", b"quoted-printable"];
        let value = raw.to_ascii_lowercase();
        let value = match value.iter().position(|byte| !matches!(byte, b' ' | b'\t')) {
            Some(start) => value.get(start..).unwrap_or_default(),
            None => return false,
        };
        let spells = |name: &[u8]| {
            let mut found = value.iter();
            name.iter()
                .filter(|byte| byte.is_ascii_alphanumeric())
                .all(|byte| found.any(|other| other == byte))
        };
        !NAMES.contains(&value)
            && (Encoding::parse(raw) != Encoding::Identity
                || value.contains(&b'(')
                || memchr::memmem::find(value, b"=?").is_some()
                || NAMES.into_iter().any(spells))
    }

    /// Whether every reader gets the same bytes out of it: it is as the RFC has it to the letter, and not only such as can
    /// be made sense of.
    pub fn is_strict(self, raw: &[u8]) -> bool {
        match self {
            Encoding::Identity => true,
            Encoding::Base64 => is_strict_base64(raw),
            Encoding::QuotedPrintable => is_strict_quoted_printable(raw),
            Encoding::Uuencode => false,
        }
    }

    /// The decoded bytes, and whether the encoding was sound; borrowed where the bytes stand for themselves.
    pub fn decode(self, raw: &[u8]) -> (Cow<'_, [u8]>, bool) {
        let (bytes, sound) = match self {
            Encoding::Identity => return (raw.into(), true),
            Encoding::Base64 => base64(raw),
            Encoding::QuotedPrintable => quoted_printable(raw),
            Encoding::Uuencode => match uuencoded(raw) {
                Some(bytes) => (bytes, true),
                None => return (raw.into(), false),
            },
        };
        (bytes.into(), sound)
    }
}

/// Base64 (RFC 2045 section 6.8). Sound text, padded pieces one after another included, is mail-parser's; that one
/// gives up at the first odd character, so what it refuses is decoded here.
pub fn base64(raw: &[u8]) -> (Vec<u8>, bool) {
    match base64_decode(raw) {
        Some(bytes) => (bytes, true),
        None => (base64_tolerant(raw), false),
    }
}

/// Nothing but the alphabet and blanks, in whole groups, padding at the end alone.
fn is_strict_base64(raw: &[u8]) -> bool {
    let (mut count, mut padding) = (0_usize, 0_usize);
    for &byte in raw {
        match byte {
            b'=' => padding += 1,
            b' ' | b'\t' | b'\r' | b'\n' => continue,
            _ if padding > 0 || sextet(byte).is_none() => return false,
            _ => {}
        }
        count += 1;
    }
    count % 4 == 0 && padding <= 2
}

fn sextet(byte: u8) -> Option<u32> {
    Some(u32::from(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    }))
}

/// Characters outside the alphabet are skipped, as the RFC tells decoders to. After padding only what looks like
/// another piece goes on: list servers append a line of text behind the last line of a file.
fn base64_tolerant(raw: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(raw.len() / 4 * 3);
    let (mut group, mut have) = (0u32, 0u8);
    let mut trusted = 0;
    for (at, &byte) in raw.iter().enumerate() {
        if let Some(value) = sextet(byte) {
            group = group << 6 | value;
            have += 1;
            if have == 4 {
                bytes.extend(group.to_be_bytes().into_iter().skip(1));
                (group, have) = (0, 0);
            }
        } else if byte == b'=' {
            let padded = have >= 2;
            flush(group, have, &mut bytes);
            (group, have) = (0, 0);
            if padded && at >= trusted {
                match another_piece(raw, at) {
                    Some(end) => trusted = end,
                    None => return bytes,
                }
            }
        }
    }
    flush(group, have, &mut bytes);
    bytes
}

/// The bits of an unfinished group that make whole bytes.
fn flush(group: u32, have: u8, bytes: &mut Vec<u8>) {
    match have {
        2 => bytes.extend((group << 4).to_be_bytes().into_iter().skip(2).take(1)),
        3 => bytes.extend((group << 6).to_be_bytes().into_iter().skip(1).take(2)),
        _ => {}
    }
}

/// Where the first line after padding that is not empty ends, if it is base64 and nothing else.
fn another_piece(raw: &[u8], padding: usize) -> Option<usize> {
    let mut at = padding;
    while let Some((line, next)) = line_at(raw, at) {
        let text = line.trim_ascii().trim_ascii_start();
        let skip = text.iter().position(|&byte| byte != b'=').unwrap_or(text.len());
        let text = text.get(skip..).unwrap_or_default();
        if !text.is_empty() {
            let sound = text.iter().all(|&byte| sextet(byte).is_some() || byte == b'=');
            return (sound && text.len() % 4 == 0).then_some(next);
        }
        at = next;
    }
    None
}

/// Quoted-printable (RFC 2045 section 6.7): blanks at the end of a line are transport's and go; an `=` that encodes
/// nothing stays.
pub fn quoted_printable(raw: &[u8]) -> (Vec<u8>, bool) {
    let mut bytes = Vec::with_capacity(raw.len());
    let mut sound = true;
    let mut at = 0;
    while let Some((line, next)) = line_at(raw, at) {
        let end = line.iter().rposition(|byte| !matches!(byte, b' ' | b'\t')).map_or(0, |last| last + 1);
        let line_break = raw.get(at + line.len()..next).unwrap_or_default();
        let line = line.get(..end).unwrap_or_default();
        match line.strip_suffix(b"=") {
            Some(soft) => sound &= quoted_line(soft, &mut bytes),
            None => {
                sound &= quoted_line(line, &mut bytes);
                bytes.extend_from_slice(line_break);
            }
        }
        at = next;
    }
    (bytes, sound)
}

/// Printable ASCII and blanks, none of these at the end of a line or of the file; each `=` begins an encoded byte or ends a
/// line, and a line follows: of a file that ends in `=` mail-parser takes two bytes more off than others.
fn is_strict_quoted_printable(raw: &[u8]) -> bool {
    let is_break = |rest: &[u8]| matches!(rest, [b'\n', ..] | [b'\r', b'\n', ..]);
    let mut rest = raw;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'=' if is_break(rest) => {}
            b'=' => match rest {
                [high, low, ..] if hex(*high).is_some() && hex(*low).is_some() => {}
                _ => return false,
            },
            b' ' | b'\t' if rest.is_empty() || is_break(rest) => return false,
            b'\r' if !rest.starts_with(b"\n") => return false,
            b' '..=b'~' | b'\t' | b'\r' | b'\n' => {}
            _ => return false,
        }
    }
    true
}

fn quoted_line(line: &[u8], bytes: &mut Vec<u8>) -> bool {
    let mut sound = true;
    let mut rest = line;
    while let Some(equals) = memchr::memchr(b'=', rest) {
        let (plain, coded) = rest.split_at_checked(equals).unwrap_or((rest, &[]));
        bytes.extend_from_slice(plain);
        if let [_, high, low, tail @ ..] = coded
            && let (Some(high), Some(low)) = (hex(*high), hex(*low))
        {
            bytes.push(high << 4 | low);
            rest = tail;
        } else {
            sound = false;
            bytes.push(b'=');
            rest = coded.get(1..).unwrap_or_default();
        }
    }
    bytes.extend_from_slice(rest);
    sound
}

/// Uuencoded bytes are three quarters of their lines. But a line of blanks that got lost is one character for up to 63
/// zeros: a file may be of these in part, and one of nothing else is there to fill a disk.
pub(super) const MOST_OF_ZEROS: usize = 2;

/// What stands between `begin 644 name` and `end`; nothing if no such line begins it, or if it is far more than was sent.
fn uuencoded(raw: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(raw.len() / 4 * 3);
    let (mut at, mut begun) = (0, false);
    while let Some((line, next)) = line_at(raw, at) {
        at = next;
        match (begun, line) {
            (false, _) => begun = line.starts_with(b"begin "),
            (true, b"end" | b"`" | []) => break,
            (true, [count, text @ ..]) => uuencoded_line(count.wrapping_sub(b' ') & 63, text, &mut bytes),
        }
        if bytes.len() > raw.len().saturating_mul(MOST_OF_ZEROS) {
            return None;
        }
    }
    begun.then_some(bytes)
}

/// Adds the `count` bytes that a line holds. Blanks at its end, which stand for zeros, may have got lost.
pub(super) fn uuencoded_line(count: u8, text: &[u8], bytes: &mut Vec<u8>) {
    let wanted = bytes.len() + usize::from(count);
    for chunk in text.chunks(4) {
        let group = (0..4).fold(0u32, |group, index| {
            let byte = chunk.get(index).copied().unwrap_or(b' ');
            group << 6 | u32::from(byte.wrapping_sub(b' ') & 63)
        });
        bytes.extend(group.to_be_bytes().into_iter().skip(1).take(wanted.saturating_sub(bytes.len())));
    }
    bytes.resize(wanted, 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base64_text(raw: &str) -> (String, bool) {
        let (bytes, sound) = base64(raw.as_bytes());
        (String::from_utf8_lossy(&bytes).into_owned(), sound)
    }

    #[test]
    fn base64_sound_and_broken() {
        for (raw, text, sound) in [
            ("QUJDRA==", "ABCD", true),
            ("QUJD\r\nRA==\r\n", "ABCD", true),
            ("QUJDRA", "ABCD", true),
            ("QUI=QUI=", "ABAB", true),
            ("QUI=\r\nQUI=", "ABAB", true),
            ("QUJDR", "ABC", true),
            ("QU*JD", "ABC", false),
            ("QU-JD", "ABC", false),
            ("QUI=\r\n_____\r\nUnsubscribe here", "AB", false),
            ("QUI=\r\nQ!UI=", "AB", false),
            ("Q!UI=\r\nQUI=", "ABAB", false),
            ("", "", true),
            ("=", "", true),
            ("!=!==", "", false),
        ] {
            assert_eq!(base64_text(raw), (text.to_owned(), sound), "{raw}");
        }
    }

    #[test]
    fn padding_bombs_cost_no_square() {
        base64(format!("!{}", "QQ=".repeat(300_000)).as_bytes());
        base64(format!("!{}", "QQ==\n\n".repeat(300_000)).as_bytes());
        base64(format!("!QQ=={}", "\n".repeat(300_000)).as_bytes());
    }

    #[test]
    fn quoted_printable_sound_and_broken() {
        for (raw, text, sound) in [
            ("a=C3=A4\r\nb", "aä\r\nb", true),
            ("a=\r\nb=  \nc", "abc", true),
            ("a \t\r\nb", "a\r\nb", true),
            ("a\nb\r\nc\n", "a\nb\r\nc\n", true),
            ("50=% =3", "50=% =3", false),
            ("==41", "=A", false),
            ("a=", "a", true),
            ("=3d=3D", "==", true),
        ] {
            let (bytes, is_sound) = quoted_printable(raw.as_bytes());
            assert_eq!((String::from_utf8_lossy(&bytes).as_ref(), is_sound), (text, sound), "{raw}");
        }
    }

    #[test]
    fn uuencode_by_its_header() {
        let raw = b"junk\nbegin 644 a.txt\n#0V%T\n`\nend\n";
        assert_eq!(Encoding::Uuencode.decode(raw).0.as_ref(), b"Cat");
        assert_eq!(Encoding::Uuencode.decode(b"no such line").0.as_ref(), b"no such line");
        let zeros = [&b"begin 644 a\n"[..], &b"_\n".repeat(1000)].concat();
        assert_eq!(Encoding::Uuencode.decode(&zeros).0.as_ref(), zeros);
    }

    #[test]
    fn what_every_reader_decodes_alike() {
        for (raw, strict) in [
            ("QUJDRA==", true),
            ("QUJD\r\n RA==\r\n", true),
            ("", true),
            ("QUJDRA", false),
            ("QUI=QUI=", false),
            ("QUI=\r\nQUJD", false),
            ("QU*JD", false),
            ("QUJDR", false),
            ("====", false),
            ("QUJD\0", false),
        ] {
            assert_eq!(Encoding::Base64.is_strict(raw.as_bytes()), strict, "{raw}");
        }
        for (raw, strict) in [
            ("a=C3=a4=\r\nb\tc=\nd\n", true),
            ("", true),
            ("a=", false),
            ("a=\r", false),
            ("a= ", false),
            ("a ", false),
            ("a\t", false),
            ("a=4", false),
            ("a= \n", false),
            ("a \r\nb", false),
            ("50=%", false),
            ("a\rb", false),
            ("\u{e4}", false),
            ("a\0", false),
        ] {
            assert_eq!(Encoding::QuotedPrintable.is_strict(raw.as_bytes()), strict, "{raw}");
        }
        assert!(Encoding::Identity.is_strict(b"\0") && !Encoding::Uuencode.is_strict(b""));
    }

    #[test]
    fn encodings_that_readers_may_call_otherwise() {
        for sound in ["", " ", " base64", "\tQuoted-Printable", " 8bit", " 7-bit", " binary", " x-unknown"] {
            assert!(!Encoding::is_odd(sound.as_bytes()), "{sound}");
        }
        for odd in [
            " base64;",
            " base64 ",
            " base64 (x)",
            " \"base64\"",
            "\r\n base64",
            " x-base64",
            " x-uuencode",
            " 7bit base64",
            " ba(x)se64",
            " base-64",
            " quotedprintable",
            " binary (x)",
            " =?utf-8?q?base=36=34?=",
        ] {
            assert!(Encoding::is_odd(odd.as_bytes()), "{odd}");
        }
    }

    #[test]
    fn names_of_encodings() {
        for (raw, encoding) in [
            (" BASE64 ", Encoding::Base64),
            (" quoted-printable;", Encoding::QuotedPrintable),
            (" base64 (so it is)", Encoding::Base64),
            (" 8bit", Encoding::Identity),
            (" x-unknown", Encoding::Identity),
            ("", Encoding::Identity),
        ] {
            assert_eq!(Encoding::parse(raw.as_bytes()), encoding, "{raw}");
        }
    }
}
