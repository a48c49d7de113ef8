//! The header block, line by line: which lines are fields, and where the block ends. Everything that looks at header
//! fields (the envelope, the structure of parts, the From that rights hang on) sees them through here.

use memchr::memchr;

/// One header field (RFC 5322 section 2.2), as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'m> {
    /// The name, without the colon and without blanks before it.
    pub name: &'m [u8],
    /// What follows the colon, folds included, the last line break not.
    pub value: &'m [u8],
    /// No blank stood between name and colon.
    pub exact: bool,
}

impl Field<'_> {
    /// Field names compare without case.
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }
}

/// A field, or a line in the midst of fields that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line<'m> {
    /// A field.
    Field(Field<'m>),
    /// A line no field begins on: skipped, because fields follow, and noted, because other readers end the header
    /// there or make a field of it.
    Junk(&'m [u8]),
}

/// What ended a header block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The empty line, as it should be.
    Blank,
    /// A delimiter of the multipart around it: a part without body.
    Delimiter,
    /// A line that is no field, with no field after it: the empty line is missing and the body begins here.
    Text,
    /// The end of the file.
    File,
}

/// The lines of one header block, lazily: a file of millions of fields costs no memory.
pub struct Fields<'m, S> {
    bytes: &'m [u8],
    at: usize,
    stop: S,
    seen: bool,
    end: Option<End>,
}

/// No line ends the block before its time: for a whole message.
pub fn never(_line: &[u8]) -> bool {
    false
}

/// The header of a whole message. A line that is no field may stand first: the `From ` line of an mbox, say.
pub fn of_message(bytes: &[u8]) -> Fields<'_, fn(&[u8]) -> bool> {
    Fields { bytes, at: 0, stop: never, seen: true, end: None }
}

impl<'m, S: Fn(&[u8]) -> bool> Fields<'m, S> {
    /// The header that begins at `at`; lines for which `stop` holds end it.
    pub fn of_part(bytes: &'m [u8], at: usize, stop: S) -> Self {
        Fields { bytes, at, stop, seen: false, end: None }
    }

    /// How far it has been read; once it has ended, where the body begins.
    pub fn offset(&self) -> usize {
        self.at
    }

    /// What has been read since an offset.
    pub fn since(&self, start: usize) -> &'m [u8] {
        self.bytes.get(start..self.at).unwrap_or_default()
    }

    /// What ended it; nothing while it goes on.
    pub fn end(&self) -> Option<End> {
        self.end
    }

    fn field(&mut self, line: &'m [u8], colon: usize, next: usize) -> Field<'m> {
        let start = self.at;
        let mut end = start + line.len();
        self.at = next;
        while let Some((more, next)) = line_at(self.bytes, self.at)
            && matches!(more.first(), Some(b' ' | b'\t'))
        {
            end = self.at + more.len();
            self.at = next;
        }
        let named = line.get(..colon).unwrap_or_default();
        let name = named.trim_ascii_end();
        let value = self.bytes.get(start + colon + 1..end).unwrap_or_default();
        Field { name, value, exact: name.len() == named.len() }
    }
}

impl<'m, S: Fn(&[u8]) -> bool> Iterator for Fields<'m, S> {
    type Item = Line<'m>;

    fn next(&mut self) -> Option<Line<'m>> {
        if self.end.is_some() {
            return None;
        }
        let Some((line, next)) = line_at(self.bytes, self.at) else {
            self.end = Some(End::File);
            return None;
        };
        if line.is_empty() {
            self.at = next;
            self.end = Some(End::Blank);
            return None;
        }
        if (self.stop)(line) {
            self.end = Some(End::Delimiter);
            return None;
        }
        if let Some(colon) = colon(line) {
            self.seen = true;
            return Some(Line::Field(self.field(line, colon, next)));
        }
        if self.seen && line_at(self.bytes, next).is_some_and(|(line, _)| colon(line).is_some()) {
            self.at = next;
            return Some(Line::Junk(line));
        }
        self.end = Some(End::Text);
        None
    }
}

/// The line at an offset without its line break (LF, any CR before it), and where the next one begins.
pub fn line_at(bytes: &[u8], at: usize) -> Option<(&[u8], usize)> {
    let rest = bytes.get(at..).filter(|rest| !rest.is_empty())?;
    let (line, length) = match memchr(b'\n', rest) {
        Some(lf) => (rest.get(..lf).unwrap_or_default(), lf + 1),
        None => (rest, rest.len()),
    };
    let kept = line.iter().rposition(|&byte| byte != b'\r').map_or(0, |last| last + 1);
    Some((line.get(..kept).unwrap_or_default(), at + length))
}

/// Where the colon of a field stands: after a name of printable ASCII (RFC 5322 section 2.2) and perhaps blanks, which
/// its section 4.5 still allows.
fn colon(line: &[u8]) -> Option<usize> {
    let name = line.iter().position(|byte| !matches!(byte, b'!'..=b'9' | b';'..=b'~'))?;
    let rest = line.get(name..)?;
    let blanks = rest.iter().position(|byte| !matches!(byte, b' ' | b'\t'))?;
    (name > 0 && rest.get(blanks) == Some(&b':')).then_some(name + blanks)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> (Vec<String>, Option<End>, usize) {
        let mut fields = of_message(bytes);
        let mut seen = Vec::new();
        for line in fields.by_ref() {
            seen.push(match line {
                Line::Field(field) => format!(
                    "{}{}{}",
                    String::from_utf8_lossy(field.name),
                    if field.exact { "=" } else { "~" },
                    field.value.escape_ascii()
                ),
                Line::Junk(junk) => format!("junk {}", junk.escape_ascii()),
            });
        }
        (seen, fields.end(), fields.offset())
    }

    #[test]
    fn fields_folds_and_the_empty_line() {
        let (seen, end, at) = read(b"A: 1\r\nb : 2\r\n 3\n\t4\r\nC:\r\n\r\nbody");
        assert_eq!(seen, ["A= 1", "b~ 2\\r\\n 3\\n\\t4", "C="]);
        assert_eq!((end, at), (Some(End::Blank), 26));
    }

    #[test]
    fn a_line_that_is_no_field_is_skipped_only_when_fields_follow() {
        assert_eq!(read(b"From x Mon\nA: 1\n\n").0, ["junk From x Mon", "A= 1"]);
        assert_eq!(read(b"A: 1\nFr om: x\nB: 2\n\n").0, ["A= 1", "junk Fr om: x", "B= 2"]);
        let (seen, end, at) = read(b"A: 1\nHello,\n\nhow are you");
        assert_eq!((seen, end, at), (vec!["A= 1".to_owned()], Some(End::Text), 5));
    }

    #[test]
    fn a_line_of_blanks_is_a_fold_and_a_line_of_crs_is_empty() {
        let (seen, end, _) = read(b"A: 1\n \t\nB: 2\n\nbody");
        assert_eq!((seen, end), (vec!["A= 1\\n \\t".to_owned(), "B= 2".to_owned()], Some(End::Blank)));
        assert_eq!(read(b"A: 1\r\r\n\r\r\nB: 2\n").0, ["A= 1"]);
    }

    #[test]
    fn a_header_may_end_with_the_file() {
        assert_eq!(read(b"A: 1").1, Some(End::File));
        assert_eq!(read(b"A: 1\r\n").1, Some(End::File));
        assert_eq!(read(b"").1, Some(End::File));
    }
}
