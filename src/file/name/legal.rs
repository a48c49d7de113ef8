//! The rule of names once more, written apart from the code that keeps it: what tests and the fuzz target judge by.

use std::collections::HashSet;

use icu_casemap::CaseMapper;
use unicode_normalization::UnicodeNormalization;

/// Unicode's Default_Ignorable_Code_Point, all that is not assigned yet included.
const IGNORED: [(u32, u32); 17] = [
    (0xad, 0xad),
    (0x34f, 0x34f),
    (0x61c, 0x61c),
    (0x115f, 0x1160),
    (0x17b4, 0x17b5),
    (0x180b, 0x180f),
    (0x200b, 0x200f),
    (0x202a, 0x202e),
    (0x2060, 0x206f),
    (0x3164, 0x3164),
    (0xfe00, 0xfe0f),
    (0xfeff, 0xfeff),
    (0xffa0, 0xffa0),
    (0xfff0, 0xfff8),
    (0x1bca0, 0x1bca3),
    (0x1d173, 0x1d17a),
    (0xe0000, 0xe0fff),
];

fn is_unseen(c: char) -> bool {
    let number = u32::from(c);
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{fdd0}'..='\u{fdef}')
        || number & 0xffff >= 0xfffe
        || IGNORED.iter().any(|&(first, last)| (first..=last).contains(&number))
}

fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    let is_port = |port: &str| {
        stem.strip_prefix(port).is_some_and(|digit| {
            let mut digits = digit.chars();
            digits.next().is_some_and(|digit| "0123456789¹²³".contains(digit)) && digits.next().is_none()
        })
    };
    ["CON", "PRN", "AUX", "NUL", "CLOCK$", "CONIN$", "CONOUT$"].contains(&stem.as_str())
        || is_port("COM")
        || is_port("LPT")
}

/// What is wrong with a name.
pub fn fault(name: &str) -> Option<&'static str> {
    let decomposed: String = name.nfd().collect();
    let is_end = |c: char| c == '.' || c.is_whitespace();
    [
        (name.is_empty(), "empty"),
        (name.chars().count() > 128, "more than 128 characters"),
        (name.len() > 255, "more than 255 bytes"),
        (decomposed.contains(|c| "~#%&*{}\\:<>?/|\"".contains(c)), "a forbidden character"),
        (decomposed.contains(is_unseen), "a character that cannot be seen"),
        (name.starts_with(is_end) || name.ends_with(is_end), "a dot or a blank at an end"),
        (is_device(name), "a device name"),
        (!name.nfc().eq(name.chars()), "not NFC"),
    ]
    .into_iter()
    .find_map(|(is_so, what)| is_so.then_some(what))
}

/// What a file system compares that knows neither case, nor normal forms, nor what cannot be seen (D145).
fn compared(name: &str) -> String {
    let decomposed: String = name.nfd().filter(|c| !is_unseen(*c)).collect();
    CaseMapper::new().fold_string(&decomposed).nfd().collect()
}

/// The first name of a folder that is another's.
pub fn twin<'a>(names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let mut seen = HashSet::new();
    names.into_iter().find(|name| !seen.insert(compared(name)))
}
