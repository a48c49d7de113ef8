//! What a document is called: any text a stranger wrote, made into a name that every file system takes.

use sanitise_file_name::{Options, sanitise_with_options};
use unicode_normalization::UnicodeNormalization;

use mailshelf_storage::model::NAME_LENGTH;

use crate::escape::is_unsafe;

/// Cleans a name: NFC, at most 128 characters, free of `~ # % & * { } \ : < > ? / | "`, of controls and bidi marks,
/// of dots and blanks at its ends and of reserved device names. What has no letter left is called `fallback`.
///
/// A name is data, never a path: separators are replaced like any other forbidden character.
pub fn clean(raw: &str, fallback: &str) -> String {
    // Far more than a name may have, so that a megabyte of name costs nothing.
    let raw: String = raw.chars().take(4 * NAME_LENGTH).nfc().filter_map(replaced).collect();
    let name = shortened(&sanitise_with_options(&raw, &OPTIONS).nfc().collect::<String>());
    // What was cut may have bared a blank, a dot or a device name.
    let name: String = sanitise_with_options(&name, &OPTIONS).nfc().collect();
    let name = no_device(name.trim_matches(is_end));
    if name.chars().all(|c| c == '_' || is_end(c)) { fallback.to_owned() } else { name }
}

fn is_end(c: char) -> bool {
    c == '.' || c.is_whitespace()
}

/// Windows takes `CON.anything` for the console; the library above sees only some of these.
fn no_device(name: &str) -> String {
    let (stem, rest) = name.split_at(name.find('.').unwrap_or(name.len()));
    let device = stem.trim_end().to_ascii_uppercase();
    let numbered = |device: &str| {
        let digit = device.strip_prefix("COM").or_else(|| device.strip_prefix("LPT"));
        digit
            .is_some_and(|digit| digit.chars().count() == 1 && digit.contains(|c| "123456789¹²³".contains(c)))
    };
    if matches!(device.as_str(), "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$") || numbered(&device) {
        shortened(&format!("{}_{rest}", stem.trim_end()))
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
        _ if is_unsafe(c) => None,
        '~' | '#' | '%' | '&' | '*' | '{' | '}' | '\\' | ':' | '<' | '>' | '?' | '/' | '|' | '"' => Some('_'),
        _ => Some(c),
    }
}

/// Cuts the stem so that the whole has at most 128 characters; the extension, if it is one, stays.
fn shortened(name: &str) -> String {
    let length = name.chars().count();
    if length <= NAME_LENGTH {
        return name.to_owned();
    }
    let (stem, extension) = match name.rfind('.').filter(|&dot| dot > 0 && name.len() - dot <= 20) {
        Some(dot) => name.split_at(dot),
        None => (name, ""),
    };
    let stem: String = stem.chars().take(NAME_LENGTH.saturating_sub(extension.chars().count())).collect();
    format!("{}{extension}", stem.trim_end_matches(is_end))
}

/// A name with an extension: added where the name does not end in it already.
pub fn with_extension(name: &str, extension: &str) -> String {
    match name.get(name.len().saturating_sub(extension.len())..) {
        Some(end) if end.eq_ignore_ascii_case(extension) => name.to_owned(),
        _ => format!("{name}{extension}"),
    }
}

/// The extension that files of a media type usually have; for parts that come without a name.
pub fn extension(media_type: &str) -> &'static str {
    match media_type {
        "application/pdf" => ".pdf",
        "application/zip" => ".zip",
        "application/json" => ".json",
        "application/rtf" | "text/rtf" => ".rtf",
        "application/xml" | "text/xml" => ".xml",
        "application/msword" => ".doc",
        "application/vnd.ms-excel" => ".xls",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document" => ".docx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" => ".xlsx",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation" => ".pptx",
        "application/pgp-signature" => ".asc",
        "application/pkcs7-signature" | "application/x-pkcs7-signature" => ".p7s",
        "application/pkcs7-mime" | "application/x-pkcs7-mime" => ".p7m",
        "application/ms-tnef" | "application/vnd.ms-tnef" => ".dat",
        "image/gif" => ".gif",
        "image/jpeg" | "image/jpg" => ".jpg",
        "image/png" => ".png",
        "image/tiff" => ".tif",
        "image/svg+xml" => ".svg",
        "message/rfc822" | "message/global" => ".eml",
        "text/calendar" => ".ics",
        "text/csv" => ".csv",
        "text/html" => ".html",
        "text/vcard" | "text/x-vcard" => ".vcf",
        _ if media_type.starts_with("text/") || media_type.starts_with("message/") => ".txt",
        _ => ".bin",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_that_strangers_send() {
        for (raw, expected) in [
            ("March.pdf", "March.pdf"),
            ("../../etc/passwd", "_.._etc_passwd"),
            ("C:\\temp\\a.txt", "C__temp_a.txt"),
            ("CON", "CON_"),
            ("con.txt", "con_.txt"),
            ("a.txt:stream", "a.txt_stream"),
            ("invoice\u{202e}fdp.exe", "invoicefdp.exe"),
            ("a\0b\x1b[2Jc", "ab[2Jc"),
            (" .hidden. ", "hidden"),
            ("50%~#&*{}<>?|\".csv", "50____________.csv"),
            ("", "x"),
            ("...", "x"),
            ("???", "x"),
            ("Ra\u{308}nge.txt", "Ränge.txt"),
            ("two\r\n lines.txt", "two  lines.txt"),
        ] {
            let name = clean(raw, "x");
            let collapsed = |s: &str| s.split_whitespace().collect::<Vec<_>>().join(" ");
            assert_eq!(collapsed(&name), collapsed(expected), "{raw:?}");
        }
    }

    #[test]
    fn a_long_name_keeps_its_extension() {
        let name = clean(&format!("{}.pdf", "ä".repeat(300)), "x");
        assert_eq!(name.chars().count(), NAME_LENGTH);
        assert!(name.ends_with("ä.pdf"));
    }

    #[test]
    fn an_extension_is_added_once() {
        assert_eq!(with_extension("a.EML", ".eml"), "a.EML");
        assert_eq!(with_extension("a", ".eml"), "a.eml");
        assert_eq!(with_extension("ä", ".eml"), "ä.eml");
    }

    fn legal(name: &str) -> Result<(), String> {
        let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
        let reserved = ["CON", "PRN", "AUX", "NUL"].contains(&stem.as_str())
            || (stem.len() == 4
                && (stem.starts_with("COM") || stem.starts_with("LPT"))
                && stem.ends_with(|c: char| ('1'..='9').contains(&c)));
        let forbidden = |c: char| "~#%&*{}\\:<>?/|\"".contains(c) || is_unsafe(c);
        for (wrong, why) in [
            (name.is_empty(), "empty"),
            (name.chars().count() > NAME_LENGTH, "long"),
            (name.contains(forbidden), "forbidden"),
            (name.starts_with(['.', ' ']) || name.ends_with(['.', ' ']), "ends"),
            (reserved, "reserved"),
            (name.nfc().collect::<String>() != name, "not NFC"),
        ] {
            if wrong {
                return Err(format!("{why}: {name:?}"));
            }
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn any_text_becomes_a_legal_name(raw in any::<String>()) {
            prop_assert_eq!(legal(&clean(&raw, "x")), Ok(()));
        }

        #[test]
        fn awkward_text_becomes_a_legal_name(raw in "(CON|nul|COM1|[ ./\\\\:~\u{301}\u{202e}a]|\\PC){0,200}") {
            prop_assert_eq!(legal(&clean(&raw, "x")), Ok(()));
        }

        #[test]
        fn a_clean_name_stays_as_it_is(raw in any::<String>()) {
            let once = clean(&raw, "x");
            prop_assert_eq!(clean(&once, "x"), once);
        }
    }
}
