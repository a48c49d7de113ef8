//! Fields of which a message has one each. Where one stands there twice, one reader takes the first and another the
//! last, and whoever adds the second gives the same signed words another meaning.

use super::fields::{self, Field, Line};

/// RFC 5322 section 3.6, but From, which [`crate::sender::from`] looks at; and RFC 2045.
const SINGLE: [&str; 15] = [
    "Sender",
    "Reply-To",
    "To",
    "Cc",
    "Bcc",
    "Date",
    "Subject",
    "Message-ID",
    "In-Reply-To",
    "References",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
    "Content-Disposition",
    "Content-ID",
];

/// What a reader takes the body by; those of them that have a blank before their colon are fields to one reader only.
const SHAPING: [&str; 3] = ["Content-Type", "Content-Transfer-Encoding", "Content-Disposition"];

/// What is in doubt in the header of a message, in words.
pub fn in_header(message: &[u8]) -> Option<String> {
    let mut seen = [false; SINGLE.len()];
    for line in fields::of_message(message) {
        let Line::Field(field) = line else { continue };
        let Some((name, seen)) = SINGLE.iter().zip(&mut seen).find(|(name, _)| field.is(name)) else {
            continue;
        };
        if std::mem::replace(seen, true) {
            return Some(format!("{name} stands twice in the header"));
        }
        if !field.exact && SHAPING.contains(name) {
            return Some(format!("a blank stands before the colon of {name}"));
        }
    }
    None
}

/// Whether a field says how the body is to be read.
pub fn is_shaping(field: &Field<'_>) -> bool {
    SHAPING.iter().any(|name| field.is(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_may_stand_once() {
        for name in SINGLE {
            let one = format!("{name}: x\r\n");
            let other = format!("{}: y\r\n", name.to_ascii_lowercase());
            let words = Some(format!("{name} stands twice in the header"));
            assert_eq!(in_header(format!("{one}From: a@b\r\n\r\n{other}").as_bytes()), None, "{name}");
            assert_eq!(in_header(format!("{one}From: a@b\r\n{other}\r\n").as_bytes()), words);
            assert_eq!(in_header(format!("{one}{name} : y\r\n\r\n").as_bytes()), words);
        }
        assert_eq!(in_header(b"Received: x\r\nReceived: y\r\nX-A: 1\r\nX-A: 2\r\n\r\n"), None);
    }

    #[test]
    fn a_blank_before_the_colon_of_what_gives_the_body_its_shape() {
        let words = Some("a blank stands before the colon of Content-Type".to_owned());
        assert_eq!(in_header(b"Content-Type : text/plain\r\n\r\n"), words);
        assert_eq!(in_header(b"Subject : x\r\n\r\n"), None);
    }
}
