//! Files in the midst of words, as mail had them before MIME: `begin 644 name`, lines, `end` (POSIX, uuencode), and its
//! base64 form `begin-base64 644 name`, lines, `====`.

use super::decode::{MOST_OF_ZEROS, base64, uuencoded_line};
use super::fields::line_at;

/// What stands between two such lines.
#[derive(Debug)]
pub(super) struct File {
    /// As written.
    pub name: Vec<u8>,
    /// Decoded.
    pub bytes: Vec<u8>,
    /// It came to its end.
    pub whole: bool,
    /// Where the words go on.
    pub next: usize,
}

/// The file that begins with the line at an offset. Words may begin like one: it is none without an end, unless a line
/// as long as encoders write them stands there. Then it is cut short, and what is left of it worth keeping.
pub(super) fn read(text: &[u8], at: usize) -> Option<File> {
    let (line, next) = line_at(text, at)?;
    let rest = line.strip_prefix(b"begin")?;
    let (is_base64, rest) = match rest.strip_prefix(b"-base64") {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    let (is_encoded, rest) = match rest.strip_prefix(b"-encoded") {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    let name = name(rest)?;
    let name = if is_encoded { base64(name).0 } else { name.to_vec() };
    let file = File { name, bytes: Vec::new(), whole: false, next };
    if is_base64 { in_base64(text, file) } else { in_lines(text, file) }
}

/// ` 644 name`: the mode in octal, and the rest of the line.
fn name(rest: &[u8]) -> Option<&[u8]> {
    let rest = rest.strip_prefix(b" ")?;
    let digits = rest.iter().position(|byte| !matches!(byte, b'0'..=b'7'))?;
    let name = rest.get(digits..)?.strip_prefix(b" ")?.trim_ascii();
    (matches!(digits, 3..=4) && !name.is_empty()).then_some(name)
}

fn in_lines(text: &[u8], mut file: File) -> Option<File> {
    let (start, mut full, mut ended) = (file.next, false, false);
    while let Some((line, next)) = line_at(text, file.next) {
        match line {
            b"end" => {
                (file.whole, file.next) = (true, next);
                break;
            }
            // The line of no bytes, its blank stripped perhaps.
            [] | [b'`' | b' ', ..] if line.trim_ascii_end().len() <= 1 => ended = true,
            [count, data @ ..] if !ended && is_data(*count, data) => {
                full |= *count == b'M' && data.len() >= 60;
                uuencoded_line(count.wrapping_sub(b' ') & 63, data, &mut file.bytes);
            }
            _ => break,
        }
        file.next = next;
        if file.bytes.len() > text.len().saturating_mul(MOST_OF_ZEROS) {
            return None;
        }
    }
    let is_sent = file.bytes.len() <= (file.next - start).saturating_mul(MOST_OF_ZEROS);
    (is_sent && (file.whole || full)).then_some(file)
}

/// Whether a line can hold as many bytes as it says: no longer than they need, but for one character that some encoders
/// add as a check sum; it may be shorter, as blanks at its end get lost.
fn is_data(count: u8, data: &[u8]) -> bool {
    let code = |byte: &u8| matches!(byte, b' '..=b'`');
    let needed = usize::from(count.wrapping_sub(b' ') & 63).div_ceil(3) * 4;
    code(&count) && data.iter().all(code) && data.len() <= needed + 1
}

fn in_base64(text: &[u8], mut file: File) -> Option<File> {
    let (start, mut end, mut full) = (file.next, file.next, false);
    while let Some((line, next)) = line_at(text, file.next) {
        let line = line.trim_ascii_end();
        if line == b"====" {
            (file.whole, file.next) = (true, next);
            break;
        }
        let is_code = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
        if !line.iter().all(is_code) {
            break;
        }
        full |= line.len() >= 60;
        (file.next, end) = (next, next);
    }
    file.bytes = base64(text.get(start..end)?).0;
    (file.whole || full).then_some(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAT: &str = "begin 644 cat.txt\n#0V%T\n`\nend\n";

    fn found(text: &str) -> Option<(String, String, bool, &str)> {
        let file = read(text.as_bytes(), 0)?;
        let string = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Some((string(file.name), string(file.bytes), file.whole, text.get(file.next..)?))
    }

    fn some<'a>(
        name: &str,
        bytes: &str,
        whole: bool,
        rest: &'a str,
    ) -> Option<(String, String, bool, &'a str)> {
        Some((name.to_owned(), bytes.to_owned(), whole, rest))
    }

    #[test]
    fn files_however_written() {
        let line = format!("M{}", "0V%T".repeat(15));
        let cats = "Cat".repeat(15);
        for (text, expected) in [
            (format!("{CAT}more"), some("cat.txt", "Cat", true, "more")),
            (CAT.replace('\n', "\r\n"), some("cat.txt", "Cat", true, "")),
            (CAT.replace("644 cat", "0600 my cat"), some("my cat.txt", "Cat", true, "")),
            (CAT.replace('`', " "), some("cat.txt", "Cat", true, "")),
            (CAT.replace('`', ""), some("cat.txt", "Cat", true, "")),
            (CAT.replace("`\n", ""), some("cat.txt", "Cat", true, "")),
            (CAT.replace("V%T", "V%T1"), some("cat.txt", "Cat", true, "")),
            (CAT.replace("#0V%T\n", ""), some("cat.txt", "", true, "")),
            (CAT.replace("#0V%T", "#"), some("cat.txt", "\0\0\0", true, "")),
            (
                format!("begin 644 a\n)\n{line}\n`\nend\n"),
                some("a", &format!("{}{cats}", "\0".repeat(9)), true, ""),
            ),
            ("begin-base64 644 cat.txt\nQ2F0\n====\nmore".to_owned(), some("cat.txt", "Cat", true, "more")),
            ("begin-base64-encoded 644 Y2F0\nQ2F0\n====\n".to_owned(), some("cat", "Cat", true, "")),
            (format!("begin 644 a\n{line}\nThe words go on."), some("a", &cats, false, "The words go on.")),
            (format!("begin 644 a\n{line}"), some("a", &cats, false, "")),
        ] {
            assert_eq!(found(&text), expected, "{text}");
        }
    }

    #[test]
    fn words_are_none() {
        for text in [
            "begin 644 a\nThe words go on.\nend\n",
            "begin 644 a\n#0V%T\n",
            "begin 644 a\nHELLO\n\nThe words go on.",
            "begin 644 \n#0V%T\n`\nend\n",
            "begin 648 a\n#0V%T\n`\nend\n",
            "begin 64 a\n#0V%T\n`\nend\n",
            "begin  with that\n#0V%T\n`\nend\n",
            "beginning 644 a\n#0V%T\n`\nend\n",
            "> begin 644 a\n#0V%T\n`\nend\n",
            "begin-base64 644 a\nQ2F0\n",
            "begin-base64 644 a\nThe words go on.\n====\n",
            "begin 644 a",
            &format!("begin 644 a\n{}`\nend\n", "_\n".repeat(100)),
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }
}
