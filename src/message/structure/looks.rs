//! Looking for what is no delimiter or no line to us, and is one to some other reader.

use memchr::memmem;

use super::{ODD_HEADER, Open, Walk, matching};
use crate::message::fields::line_at;
use crate::message::head::is_blank;

pub(super) const ALMOST: &str = "a line that only some readers take for a delimiter";

/// Looking for what almost delimits parts may cost so many times the length of the message, and something; a mail with
/// more lines that may be that is one to be in doubt of.
const LOOKS: usize = 12;
/// What looking at one line costs beside its length.
const LOOK: usize = 48;

impl Walk<'_, '_> {
    /// To readers that end lines at CRLF alone, one that ends otherwise goes on.
    pub(super) fn look_at_breaks(&mut self, start: usize, body: usize) {
        let header = self.bytes.get(start..body).unwrap_or_default();
        if memchr::memchr_iter(b'\n', header).any(|at| self.has_bare_break(start + at + 1)) {
            self.doubt(ODD_HEADER);
        }
    }

    /// Whether an LF alone stands before `at`, in a message whose lines end in CRLF up to there. Whoever delivers it may
    /// have written lines of his own above them.
    pub(super) fn has_bare_break(&self, at: usize) -> bool {
        let before = self.bytes.get(..at).unwrap_or_default();
        self.crlf.is_some_and(|first| at > first) && before.ends_with(b"\n") && !before.ends_with(b"\r\n")
    }

    /// Some readers look for delimiters in the header of a part, too.
    pub(super) fn look_at_header(&mut self, mut at: usize, body: usize) {
        while self.ambiguous.is_none()
            && at < body
            && let Some((line, next)) = line_at(self.bytes, at)
        {
            if is_blank(line) {
                // Those who sign mail fold the header of the whole like that, but nobody that of a part.
                self.doubt(ODD_HEADER);
            } else if matching(&self.open, line).is_none() {
                self.look(line);
            }
            at = next;
        }
    }

    /// Looks for a delimiter in a line that is none to us: some readers find it behind a blank or a bare CR, or with more
    /// behind it.
    pub(super) fn look(&mut self, line: &[u8]) {
        if memmem::find(line, b"--").is_none() {
            return;
        }
        let mut found = false;
        for open in &self.open {
            let Open::Multipart { finder, .. } = open else { continue };
            self.looked += line.len() + LOOK;
            found = finder.find(line).is_some();
            if found {
                break;
            }
        }
        if found || self.looked > self.bytes.len().saturating_mul(LOOKS).saturating_add(1 << 20) {
            self.doubt(ALMOST);
        }
    }
}

/// Where the first CRLF of the header ends, which itself ends before `body`.
pub(super) fn first_crlf(bytes: &[u8], body: usize) -> Option<usize> {
    memmem::find(bytes.get(..body)?, b"\r\n").map(|at| at + 2)
}

/// Whether a line that delimits parts does so to every reader: only blanks follow, and one line break.
pub(super) fn is_plain(line: &[u8], end: &[u8]) -> bool {
    let blanks = line.iter().rev().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    line.trim_ascii_end().len() + blanks == line.len() && matches!(end, b"" | b"\n" | b"\r\n")
}
