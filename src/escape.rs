//! The one escaper: what a stranger wrote, made fit for a terminal or a line of a log.

use std::fmt::{self, Write};

pub mod json;

/// Shows text with everything escaped that could move a cursor, end a line, or hide or reorder what stands there:
/// controls (C0, DEL, C1), line and paragraph separators, bidi marks, zero-width and other invisible characters.
///
/// What is safe stays as it is, backslashes too, so to escape twice changes nothing, and a text in which somebody has
/// typed `\u{1b}` looks like one in which it was escaped: [`json`] tells them apart.
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

/// Whether a character may change more on a terminal or a page than its own cell, or is not seen at all: controls, the
/// separators of lines and paragraphs, bidi marks, and what Unicode calls Default_Ignorable_Code_Point. Variation
/// selectors are among these: they change how wide the cell before them is, and hide any text in a run of them.
pub fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// The longest text of a stranger that goes on record, in characters (RFC 5322 section 2.1.1: a line).
const LONGEST: usize = 998;

/// Text of a stranger as it goes on record: whole unless it is longer than any honest one.
pub fn shorten(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_that_moves_a_cursor_or_reorders_text_comes_through() {
        let shown = Escaped("a\x1b[2Jb\u{9b}c\u{202e}d\r\ne\u{200b}\u{7f}").to_string();
        assert_eq!(shown, "a\\u{1b}[2Jb\\u{9b}c\\u{202e}d\\r\\ne\\u{200b}\\u{7f}");
    }

    /// Any text, with more of what is unsafe than chance would bring.
    fn texts() -> impl Strategy<Value = String> {
        let bad: Vec<char> = (char::MIN..=char::MAX).filter(|&c| is_unsafe(c)).collect();
        let one = prop_oneof![any::<char>(), proptest::sample::select(bad), Just('\\')];
        proptest::collection::vec(one, 0..40).prop_map(String::from_iter)
    }

    proptest! {
        #[test]
        fn any_text_becomes_one_safe_line_and_escaping_it_again_changes_nothing(text in texts()) {
            let shown = Escaped(&text).to_string();
            prop_assert_eq!(shown.chars().find(|&c| is_unsafe(c)), None);
            prop_assert!(shown.lines().count() <= 1);
            prop_assert_eq!(Escaped(&shown).to_string(), shown);
        }

        #[test]
        fn nothing_but_what_is_unsafe_is_changed(text in texts()) {
            let mut shown = Escaped(&text).to_string();
            for c in text.chars() {
                let expected = match c {
                    '\t' => "\\t".to_owned(),
                    '\n' => "\\n".to_owned(),
                    '\r' => "\\r".to_owned(),
                    c if is_unsafe(c) => format!("\\u{{{:x}}}", u32::from(c)),
                    c => c.to_string(),
                };
                prop_assert!(shown.starts_with(&expected), "{}", shown);
                shown.drain(..expected.len());
            }
            prop_assert_eq!(shown, "");
        }
    }

    #[test]
    fn ordinary_text_of_any_script_is_left_alone() {
        for text in ["Überprüfung März.pdf", "請求書", "ملف", "back\\slash"] {
            assert_eq!(Escaped(text).to_string(), text);
        }
    }
}
