//! JSON that is fit for a terminal or a line of a log.

use std::borrow::Cow;
use std::fmt::Write;

use serde::Serialize;

use super::is_unsafe;

/// A value as compact JSON, [`safe`].
pub fn to_string(value: &impl Serialize) -> serde_json::Result<String> {
    let json = serde_json::to_string(value)?;
    Ok(match safe(&json) {
        Cow::Borrowed(_) => json,
        Cow::Owned(escaped) => escaped,
    })
}

/// The same JSON value, with every character that [`is_unsafe`] written as `\uXXXX`, beyond the BMP as a surrogate pair
/// (RFC 8259 section 7). The controls below the blank stay: within strings JSON has none, and between tokens an escape
/// would be an error. Anything else that is unsafe can stand in a string only.
pub fn safe(json: &str) -> Cow<'_, str> {
    let Some(first) = json.find(in_a_string) else { return Cow::Borrowed(json) };
    let (before, rest) = json.split_at(first);
    let mut escaped = String::with_capacity(json.len() + 64);
    escaped.push_str(before);
    for c in rest.chars() {
        if in_a_string(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a String cannot fail.
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        } else {
            escaped.push(c);
        }
    }
    Cow::Owned(escaped)
}

fn in_a_string(c: char) -> bool {
    c > '~' && is_unsafe(c)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn nothing_unsafe_is_left_and_the_value_is_the_same() {
        for c in (char::MIN..=char::MAX).filter(|&c| is_unsafe(c)) {
            let value = json!({format!("k{c}"): [format!("é{c}\"\\{c}"), 1.5]});
            let json = to_string(&value).unwrap();
            assert_eq!(json.chars().find(|&c| is_unsafe(c)), None, "{c:?}: {json:?}");
            assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), value);
        }
    }

    #[test]
    fn escapes_are_those_of_json() {
        let json = to_string(&"\u{1b}[2J\u{7f}\u{9b}\u{202e}\u{e0041}\u{1f600}ü").unwrap();
        assert_eq!(json, r#""\u001b[2J\u007f\u009b\u202e\udb40\udc41😀ü""#);
    }

    #[test]
    fn what_needs_nothing_is_left_as_it_is() {
        let json = "{\"a\": [\"Überprüfung\", \"請求書\", \"\\u001b\"],\n\t\"b\": 1.50}";
        assert!(matches!(safe(json), Cow::Borrowed(same) if same == json));
    }
}
