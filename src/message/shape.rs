//! Whether a body is read in one way alone. Gmail and others sign the body and not the Content-Type above it: whoever
//! has such a mail may write another type there. Text that holds lines like delimiters (a quoted mail, say) becomes
//! parts then, and one of them a file that its author has never sent.
//!
//! A mail is safe from that if it has no parts, for what is filed of it is all that its author wrote, whatever it is
//! called; or if it begins with them: its first line, but for the sentence for old readers, is a delimiter, fields of MIME
//! follow, and the last delimiter comes. Then no other type fits the same bytes: the first line would be no delimiter, or
//! it is of the same boundary. Behind the last one mailing lists add what they like.
//! A forwarded text does not begin so by itself: below `---------- Forwarded message` stand From and Date.

use super::decode::Encoding;
use super::doubt;
use super::fields::{self, Field, Line, line_at};
use super::params::Params;

/// More parameters than an honest field has.
const PARAMETERS: usize = 128;
/// So many lines the sentence for old readers may have.
const SENTENCE: usize = 4;

/// Whether no other Content-Type, Content-Transfer-Encoding or Content-Disposition gives the body of this message other
/// files.
pub fn is_fixed(message: &[u8]) -> bool {
    let mut header = fields::of_message(message);
    let shaping = header.by_ref().filter_map(|line| match line {
        Line::Field(field) if doubt::is_shaping(&field) => Some(field),
        _ => None,
    });
    let shaping: Vec<Field<'_>> = shaping.collect();
    let body = message.get(header.offset()..).unwrap_or_default();
    let value = |name: &str| shaping.iter().find(|field| field.is(name)).map(|field| field.value);
    let encoding = value("Content-Transfer-Encoding").map(Encoding::parse).unwrap_or_default();
    let Ok(params) = Params::parse(value("Content-Type").unwrap_or_default(), PARAMETERS) else {
        return false;
    };
    let is_named = value("Content-Disposition").is_some()
        || ["name", "filename"].iter().any(|name| params.text(name).is_some());
    match params.main.as_str() {
        main if main.starts_with("message/") => false,
        // No file comes of words, whatever a list has written below them.
        "" | "text/plain" | "text/html" if !is_named && encoding != Encoding::Uuencode => true,
        main if !main.starts_with("multipart/") => encoding != Encoding::Uuencode && encoding.decode(body).1,
        _ if encoding == Encoding::Identity => {
            let boundary = params.raw("boundary").filter(|_| !params.is_boundary_odd());
            boundary.is_some_and(|boundary| begins_with_parts(body, &boundary))
        }
        _ => false,
    }
}

/// Whether the body begins with parts, and the first of them says what it is.
fn begins_with_parts(body: &[u8], boundary: &[u8]) -> bool {
    let delimiter = [b"--", boundary].concat();
    let end = [&delimiter, b"--".as_slice()].concat();
    let mut lines = Lines { body, at: 0 }.map(<[u8]>::trim_ascii_end).skip_while(|line| line.is_empty());
    let mut first = lines.next();
    if first.is_some_and(is_sentence) {
        first = lines.by_ref().take(SENTENCE).find(|line| line.starts_with(b"--"));
    }
    if boundary.is_empty()
        || !boundary.iter().all(|byte| matches!(byte, b' '..=b'~'))
        || boundary.ends_with(b" ")
        || first != Some(&delimiter)
    {
        return false;
    }
    let mut typed = false;
    for line in lines.by_ref().take_while(|line| !line.is_empty()) {
        let starts =
            |name: &[u8]| line.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
        typed |= starts(b"Content-");
        let folded = typed && matches!(line.first(), Some(b' ' | b'\t'));
        if !(folded || starts(b"Content-") || starts(b"MIME-Version:") || starts(b"X-")) {
            return false;
        }
    }
    typed && lines.any(|line| line == end)
}

/// `This is a multi-part message in MIME format.` and the like, of which there are a dozen.
fn is_sentence(line: &[u8]) -> bool {
    let line = line.to_ascii_lowercase();
    line.starts_with(b"this ") && line.windows(11).any(|window| window == b"mime format")
}

struct Lines<'m> {
    body: &'m [u8],
    at: usize,
}

impl<'m> Iterator for Lines<'m> {
    type Item = &'m [u8];

    fn next(&mut self) -> Option<&'m [u8]> {
        let (line, next) = line_at(self.body, self.at)?;
        self.at = next;
        Some(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARTS: &str = "--0000b1\r\nContent-Type: text/plain; charset=\"UTF-8\"\r\n\r\nHi\r\n\r\n--0000b1\r\n\
                         Content-Type: text/csv; name=\"a.csv\"\r\nContent-Disposition: attachment; filename=\"a.csv\"\r\n\
                         X-Attachment-Id: f_1\r\n\r\na,b\r\n--0000b1--\r\n";
    const MIXED: &str = "multipart/mixed; boundary=\"0000b1\"";

    fn fixed(content_type: &str, body: &str) -> bool {
        is_fixed(format!("From: a@b\r\nContent-Type: {content_type}\r\n\r\n{body}").as_bytes())
    }

    #[test]
    fn as_real_programs_write() {
        assert!(fixed(MIXED, PARTS));
        assert!(fixed(MIXED, &PARTS.replace("\r\n", "\n")));
        assert!(fixed(MIXED, &format!("\r\n{PARTS}\r\n \r\n")));
        assert!(fixed(&MIXED.replace("0000b1", "=_mixed 1_="), &PARTS.replace("0000b1", "=_mixed 1_=")));
        assert!(fixed(MIXED, &format!("{PARTS}-- \r\nA mailing list\r\n")));
        let apple = PARTS.replacen("Content-Type", "Content-Transfer-Encoding: 7bit\r\nContent-Type", 1);
        assert!(fixed(MIXED, &format!("\r\n{apple}")));
        for sentence in [
            "This is a multi-part message in MIME format.",
            "This is a multipart message in MIME format.\r\n",
            "This message is in MIME format. Since your mail reader does not understand\r\n\
             this format, some or all of this message may not be legible.\r\n",
            "This is a cryptographically signed message in MIME format.\r\n",
        ] {
            assert!(fixed(MIXED, &format!("{sentence}\r\n{PARTS}")), "{sentence}");
        }
        assert!(fixed(
            "text/plain; charset=\"UTF-8\"",
            "Hi\r\n\r\n--evil\r\nContent-Type: a/b\r\n\r\nx\r\n--evil--\r\n"
        ));
        assert!(fixed("text/html", "<p>Hi"));
        assert!(fixed("application/pdf; name=a.pdf\r\nContent-Disposition: attachment", "%PDF"));
        assert!(is_fixed(b"From: a@b\r\n\r\nHi"));
        for (encoding, body, sound) in [
            ("quoted-printable", "J=C3=BCrgen", true),
            ("quoted-printable", "1 = 1", true),
            ("base64", "SGVsbG8=", true),
            ("base64", "SGVsbG8=\r\n-- \r\nA mailing list", true),
            ("x-uuencode", "Hello, Bob.", false),
            ("8BIT", "Hello, Bob.", true),
        ] {
            let mail =
                format!("Content-Type: text/plain\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{body}");
            assert_eq!(is_fixed(mail.as_bytes()), sound, "{encoding} {body}");
        }
    }

    #[test]
    fn what_could_be_read_otherwise() {
        let forwarded = "---------- Forwarded message ---------\r\nFrom: Mallory\r\n\r\nx\r\n\
                         ---------- Forwarded message ---------\r\nContent-Type: a/b\r\n\r\ny\r\n\
                         ---------- Forwarded message -----------\r\n";
        let quoted = format!("For your information:\r\n\r\n{PARTS}");
        for (content_type, body) in [
            (MIXED, quoted.as_str()),
            (MIXED, &format!("This is what Mallory sent:\r\n{PARTS}")),
            (MIXED, &PARTS.replace("--0000b1--", "")),
            (
                MIXED,
                &PARTS.replacen("Content-Type: text/plain", "From: Mallory\r\nContent-Type: text/plain", 1),
            ),
            (MIXED, &PARTS.replacen("Content-Type: text/plain; charset=\"UTF-8\"\r\n", "", 1)),
            ("multipart/mixed; boundary=\"-------- Forwarded message ---------\"", forwarded),
            ("multipart/mixed; boundary=\"0000b1\"; boundary=c", PARTS),
            ("multipart/mixed", PARTS),
            ("message/rfc822", "From: a@b\r\n\r\nx"),
        ] {
            assert!(!fixed(content_type, body), "{content_type} {body}");
        }
        assert!(!is_fixed(b"Content-Transfer-Encoding: x-uuencode\r\n\r\nHi"));
        // Text that another encoding would turn into a file, but for what is left over of it.
        assert!(!is_fixed(
            b"Content-Type: a/b\r\nContent-Transfer-Encoding: base64\r\n\r\nHi, Bob:\r\nJVBERi0x\r\n"
        ));
        let encoded = format!("Content-Transfer-Encoding: base64\r\nContent-Type: {MIXED}\r\n\r\n{PARTS}");
        assert!(!is_fixed(encoded.as_bytes()));
    }
}
