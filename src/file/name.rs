//! What a document is called: any text a stranger wrote, made into a name that every file system takes.
//!
//! The rule, of which [`clean`], [`with_extension`] and the number that the catalog may add keep every word: a name is
//! NFC, has at most 128 characters and 255 bytes, is free of `~ # % & * { } \ : < > ? / | "` and of characters that
//! cannot be seen, has no dot and no blank at its ends, and is no reserved device name.

use sanitise_file_name::{Options, sanitise_with_options};
use unicode_normalization::UnicodeNormalization;

use mailshelf_storage::model::{NAME_LENGTH, fitted, split_extension};

use crate::escape::is_unsafe;

pub mod extension;

#[cfg(test)]
mod legal;
#[cfg(test)]
mod tests;

/// Makes any text a name. What has no letter left is called `fallback`, and what is but an extension (`.pdf`) gets that
/// behind the fallback's stem.
///
/// A name is data, never a path: separators are replaced like any other forbidden character.
pub fn clean(raw: &str, fallback: &str) -> String {
    let (stem, extension) = split_extension(raw);
    // Far more than a name may have, so that a megabyte of name costs nothing.
    let raw = stem.chars().take(4 * NAME_LENGTH).chain(extension.chars());
    // What is taken away may bring together what makes one letter.
    let seen: String = raw.nfc().filter_map(replaced).collect();
    let seen: String = seen.nfc().collect();
    let name = match extension_alone(&seen) {
        Some(extension) => format!("{}.{extension}", split_extension(fallback).0),
        None => seen,
    };
    let name = settled(name);
    if name.chars().all(|c| c == '_' || is_end(c)) { fallback.to_owned() } else { name }
}

/// Tidied up until nothing is left to do: what is cut off may bare a blank, a dot or a device name.
fn settled(mut name: String) -> String {
    for _ in 0..4 {
        let tidy = tidied(&name);
        if tidy == name {
            break;
        }
        name = tidy;
    }
    name
}

fn tidied(name: &str) -> String {
    let safe: String = sanitise_with_options(name, &OPTIONS).nfc().collect();
    no_device(&shortened(safe.trim_matches(is_end)))
}

fn is_end(c: char) -> bool {
    c == '.' || c.is_whitespace()
}

/// Of `.pdf`, `pdf`: a file whose name its sender's program left empty.
fn extension_alone(name: &str) -> Option<&str> {
    let name = name.trim();
    let extension = name.trim_start_matches(is_end);
    let is_one = (1..=5).contains(&extension.len()) && extension.bytes().all(|b| b.is_ascii_alphanumeric());
    (name.starts_with('.') && is_one).then_some(extension)
}

/// Windows takes `CON.anything` for the console; the library above sees only some of these.
fn no_device(name: &str) -> String {
    let (stem, rest) = name.split_at(name.find('.').unwrap_or(name.len()));
    let device = stem.trim_end().to_ascii_uppercase();
    let numbered = |device: &str| {
        let digit = device.strip_prefix("COM").or_else(|| device.strip_prefix("LPT"));
        digit.is_some_and(|digit| {
            digit.chars().count() == 1 && digit.contains(|c| "0123456789¹²³".contains(c))
        })
    };
    if matches!(device.as_str(), "CON" | "PRN" | "AUX" | "NUL" | "CLOCK$" | "CONIN$" | "CONOUT$")
        || numbered(&device)
    {
        format!("{}_{rest}", stem.trim_end())
    } else {
        name.to_owned()
    }
}

const OPTIONS: Options<Option<char>> = Options {
    length_limit: 16 * NAME_LENGTH,
    replace_with: Some('_'),
    extension_cleverness: false,
    // An honest `_notes.txt` keeps its name.
    trim_more_punctuation: false,
    six_measures_of_barley: "_",
    ..Options::DEFAULT
};

fn replaced(c: char) -> Option<char> {
    match c {
        '\t' | '\n' | '\r' => Some(' '),
        // A blank that counts as a letter: the empty pattern of Braille.
        '\u{2800}' => Some(' '),
        _ if is_unsafe(c) || is_noncharacter(c) => None,
        '~' | '#' | '%' | '&' | '*' | '{' | '}' | '\\' | ':' | '<' | '>' | '?' | '/' | '|' | '"' => Some('_'),
        // `<` and `>` with a stroke through them, which some file systems take apart.
        '\u{226e}' | '\u{226f}' => Some('_'),
        _ => Some(c),
    }
}

/// What no text may hold, and some file systems refuse.
fn is_noncharacter(c: char) -> bool {
    u32::from(c) & 0xfffe == 0xfffe || matches!(c, '\u{fdd0}'..='\u{fdef}')
}

/// Cuts the stem of what is too long; the extension, if it is one, stays.
fn shortened(name: &str) -> String {
    let (stem, extension) = split_extension(name);
    let whole = fitted(name, "");
    if whole == name { whole } else { fitted(stem, extension) }
}

/// A clean name with an extension: added where it does not end in it already.
pub fn with_extension(name: &str, extension: &str) -> String {
    match name.get(name.len().saturating_sub(extension.len())..) {
        Some(end) if end.eq_ignore_ascii_case(extension) => name.to_owned(),
        _ => fitted(name, extension),
    }
}
