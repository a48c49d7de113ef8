//! The one escaper: what a stranger wrote, made fit for a terminal or a line of a log.

use std::fmt::{self, Write};

pub mod json;

/// Shows text with everything escaped that could move a cursor, end a line, or hide or reorder what stands there:
/// controls (C0, DEL, C1), line and paragraph separators, bidi marks, zero-width and other invisible characters.
pub struct Escaped<'a>(pub &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '\t' | '\n' | '\r' => write!(f, "{}", c.escape_default())?,
                _ if is_unsafe(c) => write!(f, "\\u{{{:x}}}", u32::from(c))?,
                _ => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

/// Whether a character may change more on a terminal or a page than its own cell.
pub fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// The longest text of a stranger that goes on record, in characters (RFC 5322 section 2.1.1: a line).
const LONGEST: usize = 998;

/// Text of a stranger as it goes on record: whole unless it is longer than any honest one.
pub fn shorten(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_moves_a_cursor_or_reorders_text_comes_through() {
        let shown = Escaped("a\x1b[2Jb\u{9b}c\u{202e}d\r\ne\u{200b}\u{7f}").to_string();
        assert_eq!(shown, "a\\u{1b}[2Jb\\u{9b}c\\u{202e}d\\r\\ne\\u{200b}\\u{7f}");
    }

    #[test]
    fn ordinary_text_of_any_script_is_left_alone() {
        for text in ["Überprüfung März.pdf", "請求書", "ملف", "back\\slash"] {
            assert_eq!(Escaped(text).to_string(), text);
        }
    }
}
