//! What may come out, judged by definitions of its own: nothing here is taken from the program.

use serde_json::Value;

use super::payloads::FORGED;

/// Where it comes out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Sink {
    /// Nothing but text and line ends.
    Pipe,
    /// And our own colours around our own words.
    Terminal,
}

/// Unicode's Default_Ignorable_Code_Point and Bidi_Control, its controls (Cc) and its separators of lines and paragraphs:
/// written down anew.
const UNSAFE: &[(u32, u32)] = &[
    (0x00, 0x09),
    (0x0b, 0x1f),
    (0x7f, 0x9f),
    (0xad, 0xad),
    (0x34f, 0x34f),
    (0x61c, 0x61c),
    (0x115f, 0x1160),
    (0x17b4, 0x17b5),
    (0x180b, 0x180f),
    (0x200b, 0x200f),
    (0x2028, 0x202e),
    (0x2060, 0x206f),
    (0x3164, 0x3164),
    (0xfe00, 0xfe0f),
    (0xfeff, 0xfeff),
    (0xffa0, 0xffa0),
    (0xfff0, 0xfffb),
    (0x1bca0, 0x1bca3),
    (0x1d173, 0x1d17a),
    (0xe0000, 0xe0fff),
];

/// Whether a character but the end of a line may do more than stand in its cell.
pub fn is_unsafe(c: char) -> bool {
    !matches!(c, ' '..='~') && UNSAFE.iter().any(|&(first, last)| (first..=last).contains(&u32::from(c)))
}

/// The text, if it is fit for the sink; or what is wrong with it.
pub fn read(bytes: &[u8], sink: Sink) -> Result<String, String> {
    let text = std::str::from_utf8(bytes)
        .map_err(|error| format!("no UTF-8: {error}: {}", around(bytes, error.valid_up_to())))?;
    let text = match sink {
        Sink::Pipe => text.to_owned(),
        Sink::Terminal => unpainted(&text.replace("\r\n", "\n"))?,
    };
    if let Some((at, c)) = text.char_indices().find(|&(_, c)| is_unsafe(c)) {
        return Err(format!("unsafe {c:?}: {}", around(text.as_bytes(), at)));
    }
    Ok(text)
}

/// The first line that a payload has made. Where `explain` breaks a long line between words, what follows stands further
/// in than any line of ours begins.
pub fn forged(text: &str) -> Option<&str> {
    // As it would be if a payload had taken one of our own lines.
    let starts = ["", "mailshelf: ", "hint: ", "Usage: "].map(|start| format!("{start}{FORGED}"));
    let is_forged = |line: &str| starts.iter().any(|start| line.trim_start().starts_with(start));
    text.lines().find(|line| is_forged(line) && !line.starts_with("    "))
}

fn around(bytes: &[u8], at: usize) -> String {
    let (from, to) = (at.saturating_sub(120), bytes.len().min(at + 60));
    bytes[from..to].escape_ascii().to_string()
}

/// Our colours, by the codes that begin them; each ends with the next.
const BEGIN: [&str; 11] = [
    "\u{1b}[1m",
    "\u{1b}[31m",
    "\u{1b}[32m",
    "\u{1b}[33m",
    "\u{1b}[35m",
    "\u{1b}[36m",
    "\u{1b}[38;5;1m",
    "\u{1b}[38;5;2m",
    "\u{1b}[38;5;3m",
    "\u{1b}[38;5;5m",
    "\u{1b}[38;5;6m",
];
const END: [&str; 2] = ["\u{1b}[0m", "\u{1b}[39m"];

/// Whether it is a word that we paint: an outcome, a heading, a level, a list such as `filed all, rejected
/// unknown-alias`. No payload is like them, for each that has colours has a capital before or in them.
fn is_ours(word: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b" -:,()".contains(&byte);
    word.bytes().all(plain) || ["ERROR", "WARN"].contains(&word)
}

/// The text without our own colours. Any other escape sequence stays.
fn unpainted(text: &str) -> Result<String, String> {
    let mut bare = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('\u{1b}') {
        bare.push_str(&rest[..at]);
        rest = &rest[at..];
        let Some(after) = BEGIN.iter().find_map(|code| rest.strip_prefix(code)) else {
            return Err(format!("an escape sequence not ours: {}", around(rest.as_bytes(), 0)));
        };
        let (word, after) = after.split_at(after.find('\u{1b}').unwrap_or(after.len()));
        let Some(after) = END.iter().find_map(|end| after.strip_prefix(end)).filter(|_| is_ours(word)) else {
            return Err(format!("a colour around what is not ours: {}", around(rest.as_bytes(), 0)));
        };
        bare.push_str(word);
        rest = after.strip_prefix("\u{1b}[0m").unwrap_or(after);
    }
    bare.push_str(rest);
    Ok(bare)
}

/// The objects of a text of JSON, one a line.
pub fn objects(text: &str) -> Result<Vec<Value>, String> {
    text.lines()
        .map(|line| match serde_json::from_str(line) {
            Ok(value @ Value::Object(_)) => Ok(value),
            Ok(_) => Err(format!("no object: {line}")),
            Err(error) => Err(format!("no JSON: {error}: {line}")),
        })
        .collect()
}

#[test]
fn what_is_unsafe_is_found() {
    let refused = |text: &str, sink| read(text.as_bytes(), sink).is_err();
    for payload in super::payloads::all() {
        let bad = payload.text().is_none_or(|text| text.contains(is_unsafe));
        assert_eq!(read(&payload.bytes, Sink::Pipe).is_err(), bad, "{}", payload.bytes.escape_ascii());
        if payload.bytes.contains(&0x1b) {
            let passed = read(&payload.bytes, Sink::Terminal).is_ok_and(|text| forged(&text).is_none());
            assert!(!passed, "{}", payload.bytes.escape_ascii());
        }
    }
    assert!(forged("x\n  F0RGED y").is_some() && forged("x F0RGED\ny").is_none());
    assert!(!refused("\u{1b}[32mfiled\u{1b}[0m  x\r\n", Sink::Terminal));
    assert!(refused("\u{1b}[32mfiled\u{1b}[0m  x", Sink::Pipe));
    assert!(refused("\u{1b}[32mP7\u{1b}[0m", Sink::Terminal) && refused("\u{1b}[32mfiled", Sink::Terminal));
    assert!(objects("{}\n{\"a\":1}").is_ok() && objects("{}\n[]").is_err() && objects("{").is_err());
}
