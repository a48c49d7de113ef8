//! Text in header fields: charsets, encoded words (RFC 2047) and raw 8-bit text.

use mail_parser::decoders::charsets::map::charset_decoder;

use super::decode;
use super::params::hex;

/// Bytes in a charset as text. What names no charset we know is guessed.
pub fn decode(charset: &[u8], bytes: &[u8]) -> String {
    match charset_decoder(charset).filter(|_| !charset.is_empty()) {
        Some(decoder) => decoder(bytes),
        None => guess(bytes),
    }
}

/// Raw 8-bit text: UTF-8 (RFC 6532) if it is that, else what Windows programs in the West write.
pub fn guess(bytes: &[u8]) -> String {
    match (std::str::from_utf8(bytes), charset_decoder(b"windows-1252")) {
        (Ok(text), _) => text.to_owned(),
        (Err(_), Some(decoder)) => decoder(bytes),
        (Err(_), None) => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// An unstructured value: unfolded, its encoded words decoded, the blanks between two of them taken out
/// (RFC 2047 section 6.2). Neighbours of one charset are joined before decoding: many programs cut inside a character.
pub fn unstructured(raw: &[u8]) -> String {
    let raw: Vec<u8> = raw.iter().filter(|&&byte| byte != b'\r' && byte != b'\n').copied().collect();
    // Past the last `?=` no word can close; without this mark a row of openings would cost the square.
    let last = memchr::memmem::rfind(&raw, b"?=").unwrap_or(0);
    let mut text = String::with_capacity(raw.len());
    let mut pending: Option<(Vec<u8>, Vec<u8>)> = None;
    let mut plain = 0;
    let mut at = 0;
    while let Some(found) = raw.get(at..=last).and_then(|rest| memchr::memmem::find(rest, b"=?")) {
        let start = at + found;
        let Some((charset, bytes, end)) = word(&raw, start) else {
            at = start + 2;
            continue;
        };
        let between = raw.get(plain..start).unwrap_or_default();
        let joined = pending.is_some() && between.trim_ascii().is_empty();
        match &mut pending {
            Some((same, whole)) if joined && same.eq_ignore_ascii_case(charset) => whole.extend(bytes),
            _ => {
                flush(&mut pending, &mut text);
                if !joined {
                    text.push_str(&guess(between));
                }
                pending = Some((charset.to_vec(), bytes));
            }
        }
        (plain, at) = (end, end);
    }
    flush(&mut pending, &mut text);
    text.push_str(&guess(raw.get(plain..).unwrap_or_default()));
    text.trim().to_owned()
}

fn flush(pending: &mut Option<(Vec<u8>, Vec<u8>)>, text: &mut String) {
    if let Some((charset, bytes)) = pending.take() {
        text.push_str(&decode(&charset, &bytes));
    }
}

/// `=?charset*language?encoding?text?=` at an offset: charset, decoded bytes, and where it ends.
fn word(raw: &[u8], start: usize) -> Option<(&[u8], Vec<u8>, usize)> {
    let rest = raw.get(start + 2..)?;
    // No charset name is longer than 64; the search stays short wherever a word does not close.
    let mark = rest.iter().take(64).position(|&byte| byte == b'?')?;
    let charset = rest.get(..mark)?;
    let charset = charset.split(|&byte| byte == b'*').next().filter(|charset| !charset.is_empty())?;
    let [encoding, b'?', text @ ..] = rest.get(mark + 1..)? else { return None };
    let close = memchr::memmem::find(text, b"?=")?;
    let inside = text.get(..close)?;
    let bytes = match encoding {
        b'b' | b'B' => decode::base64(inside).0,
        b'q' | b'Q' => q(inside),
        _ => return None,
    };
    Some((charset, bytes, start + 2 + mark + 3 + close + 2))
}

/// The "Q" encoding (RFC 2047 section 4.2).
fn q(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        match (byte, rest) {
            (b'_', _) => bytes.push(b' '),
            (b'=', [high, low, tail @ ..]) if let (Some(high), Some(low)) = (hex(*high), hex(*low)) => {
                bytes.push(high << 4 | low);
                rest = tail;
            }
            _ => bytes.push(byte),
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_words() {
        for (raw, text) in [
            (" plain  text ", "plain  text"),
            ("=?utf-8?Q?a_b=C3=A4?=", "a bä"),
            ("=?ISO-8859-1?q?=E4?= b", "ä b"),
            ("x =?utf-8?b?w6Q=?=\r\n =?utf-8?b?w7Y=?= y", "x äö y"),
            ("=?utf-8?b?4oI=?= =?utf-8?b?rA==?=", "€"),
            ("=?utf-8*en?q?a?=", "a"),
            ("=?utf-8?x?a?=", "=?utf-8?x?a?="),
            ("=?utf-8?q?never closed", "=?utf-8?q?never closed"),
            ("=?no-such?q?=C3=A4?=", "ä"),
            ("a =?b", "a =?b"),
            ("", ""),
        ] {
            assert_eq!(unstructured(raw.as_bytes()), text, "{raw}");
        }
        assert_eq!(unstructured(b"Gr\xfc\xdfe"), "Grüße");
    }

    #[test]
    fn words_that_never_close_cost_no_square() {
        for unit in ["=?ab?q? ", "=?ab?q?=?", "=?", "=?a"] {
            unstructured(unit.repeat(200_000).as_bytes());
            unstructured(format!("{}?=", unit.repeat(200_000)).as_bytes());
        }
    }
}
