//! Which parts a message has, and on which bytes (RFC 2046 section 5.1).
//!
//! The walk is ours and not mail-parser's, because files hang on it: that one looks for a delimiter anywhere in a line
//! and not only at its start; reads a header without body on into the next part; and, where an inner multipart is never
//! closed, takes everything up to the end of the mail for its last part, so that what was attached after it vanishes.
//! And it recurses. Here a line is compared with the delimiters of every open multipart, the innermost first, and the
//! stack is a vector with a limit.

use std::collections::BTreeSet;
use std::ops::Range;

use memchr::memmem;

use super::decode::Encoding;
use super::fields::{Fields, line_at};
use super::head::Head;
use super::limits::{Limits, Unreadable};

mod looks;

/// A part with no parts of its own, or a forwarded message, which is a file to us whatever it contains.
#[derive(Debug)]
pub(super) struct Leaf {
    pub head: Head,
    pub media_type: String,
    pub body: Range<usize>,
    pub forwarded: bool,
    /// It stands directly in a multipart/alternative.
    pub alternative: bool,
}

/// What was found.
#[derive(Debug)]
pub(super) struct Structure {
    pub leaves: Vec<Leaf>,
    /// How many parts were counted, those that are no leaves too.
    pub parts: usize,
    pub flaws: BTreeSet<&'static str>,
    /// That of the flaws, outside forwarded messages, by which two readers may find two sets of parts.
    pub ambiguous: Option<&'static str>,
}

enum Open {
    Multipart {
        boundary: Vec<u8>,
        /// Finds its delimiter anywhere.
        finder: Box<memmem::Finder<'static>>,
        digest: bool,
        alternative: bool,
        closed: bool,
    },
    /// A forwarded message that is not encoded, and which leaf it is; none when inside another one.
    Forwarded(Option<usize>),
}

struct Delimiter {
    line: usize,
    next: usize,
    level: usize,
    last: bool,
}

struct Walk<'m, 'l> {
    bytes: &'m [u8],
    limits: &'l Limits,
    parts: usize,
    open: Vec<Open>,
    leaves: Vec<Leaf>,
    flaws: BTreeSet<&'static str>,
    ambiguous: Option<&'static str>,
    /// Where the first line of its header ends that ends in CRLF: from there on so should all that give it its shape.
    crlf: Option<usize>,
    /// Bytes looked through for what almost delimits parts.
    looked: usize,
}

/// Walks the message whose header has been read already.
pub(super) fn walk(bytes: &[u8], head: Head, body: usize, limits: &Limits) -> Result<Structure, Unreadable> {
    let (open, leaves) = (Vec::new(), Vec::new());
    let mut walk = Walk {
        bytes,
        limits,
        parts: 0,
        open,
        leaves,
        flaws: BTreeSet::new(),
        ambiguous: None,
        crlf: looks::first_crlf(bytes, body),
        looked: 0,
    };
    walk.look_at_breaks(0, body);
    let mut next = walk.part(head, body)?;
    while let Some(at) = next {
        let stop = |line: &[u8]| matching(&walk.open, line).is_some();
        let (head, body) = Head::read(&mut Fields::of_part(bytes, at, stop), limits)?;
        walk.look_at_header(at, body);
        walk.look_at_breaks(at, body);
        next = walk.part(head, body)?;
    }
    walk.close_above(0, bytes.len());
    let Walk { leaves, parts, flaws, ambiguous, .. } = walk;
    Ok(Structure { leaves, parts, flaws, ambiguous })
}

impl Walk<'_, '_> {
    /// Takes one part in; gives where the next one begins.
    fn part(&mut self, head: Head, body: usize) -> Result<Option<usize>, Unreadable> {
        self.parts += 1;
        if self.parts > self.limits.parts {
            return Err(Unreadable::more_than(self.limits.parts, "parts"));
        }
        if head.odd {
            self.doubt(ODD_HEADER);
        }
        if head.cut || (head.none && self.in_forwarded()) {
            self.doubt(CUT);
        }
        if head.is_boundary_odd() {
            self.doubt("a boundary that readers may take differently");
        }
        let media_type = head.media_type(self.in_digest());
        if media_type.starts_with("multipart/") {
            if head.encoding != Encoding::Identity {
                self.doubt("a multipart in a transfer encoding");
            }
            return self.multipart(head, media_type, body);
        }
        let forwarded = matches!(media_type.as_str(), "message/rfc822" | "message/global");
        if forwarded && head.encoding == Encoding::Identity {
            if matches!(self.open.last(), Some(Open::Forwarded(_))) {
                // mail-parser does not find its way back out of two.
                self.flaws.insert(BARE);
                self.ambiguous.get_or_insert(BARE);
            }
            let leaf = self.record(head, media_type, body..body, true);
            self.enter(Open::Forwarded(leaf))?;
            return Ok(Some(body));
        }
        let delimiter = self.delimiter(body);
        self.leaf(head, media_type, body, delimiter.as_ref(), forwarded);
        Ok(self.step(delimiter))
    }

    /// A multipart whose delimiter never comes has no parts: it is one, whole.
    fn multipart(
        &mut self,
        head: Head,
        media_type: String,
        body: usize,
    ) -> Result<Option<usize>, Unreadable> {
        if let Some(boundary) = head.boundary() {
            let level = self.open.len();
            let (digest, alternative) =
                (media_type == "multipart/digest", media_type == "multipart/alternative");
            if self.is_taken(&boundary) {
                self.flaws.insert(SHARED);
                self.ambiguous.get_or_insert(SHARED);
            }
            let delimiter = [b"--", boundary.as_slice()].concat();
            let finder = Box::new(memmem::Finder::new(&delimiter).into_owned());
            self.enter(Open::Multipart { boundary, finder, digest, alternative, closed: false })?;
            let first = self.delimiter(body);
            if first.as_ref().is_some_and(|first| first.level == level && !first.last) {
                return Ok(self.step(first));
            }
            self.open.pop();
        }
        self.doubt("a multipart without parts");
        let delimiter = self.delimiter(body);
        self.leaf(head, media_type, body, delimiter.as_ref(), false);
        Ok(self.step(delimiter))
    }

    fn enter(&mut self, open: Open) -> Result<(), Unreadable> {
        self.open.push(open);
        if self.open.len() > self.limits.depth {
            return Err(Unreadable::more_than(self.limits.depth, "levels of parts inside parts"));
        }
        Ok(())
    }

    /// Notes a flaw by which readers differ. In a forwarded message, too: who opens it may read on into what follows it.
    fn doubt(&mut self, flaw: &'static str) {
        self.flaws.insert(flaw);
        self.ambiguous.get_or_insert(flaw);
    }

    fn in_forwarded(&self) -> bool {
        self.open.iter().any(|open| matches!(open, Open::Forwarded(_)))
    }

    /// Of two multiparts with one boundary, the one inside the other or in a message forwarded by it, only some readers
    /// see the end of the inner one; where one boundary begins with the other, a delimiter of the longer is one of the
    /// shorter too to whoever compares as RFC 2046 section 5.1.1 has it, by the start of the line alone.
    fn is_taken(&self, boundary: &[u8]) -> bool {
        let outside = self.open.iter().take_while(|open| !matches!(open, Open::Forwarded(_)));
        let mut boundaries = outside.filter_map(|open| match open {
            Open::Multipart { boundary, .. } => Some(boundary.as_slice()),
            Open::Forwarded(_) => None,
        });
        boundaries.any(|other| other.starts_with(boundary) || boundary.starts_with(other))
    }

    fn in_digest(&self) -> bool {
        matches!(self.open.last(), Some(Open::Multipart { digest: true, .. }))
    }

    fn leaf(
        &mut self,
        head: Head,
        media_type: String,
        body: usize,
        end: Option<&Delimiter>,
        forwarded: bool,
    ) {
        let end = end.map_or(self.bytes.len(), |delimiter| self.before_break(body, delimiter.line));
        self.record(head, media_type, body..end, forwarded);
    }

    /// Parts of a forwarded message are counted but are no files of this one.
    fn record(
        &mut self,
        head: Head,
        media_type: String,
        body: Range<usize>,
        forwarded: bool,
    ) -> Option<usize> {
        if self.in_forwarded() {
            return None;
        }
        let alternative = matches!(self.open.last(), Some(Open::Multipart { alternative: true, .. }));
        self.leaves.push(Leaf { head, media_type, body, forwarded, alternative });
        Some(self.leaves.len() - 1)
    }

    /// The line break before a delimiter belongs to the delimiter (RFC 2046 section 5.1.1).
    fn before_break(&self, body: usize, line: usize) -> usize {
        let content = self.bytes.get(body..line).unwrap_or_default();
        let content =
            content.strip_suffix(b"\n").map_or(content, |text| text.strip_suffix(b"\r").unwrap_or(text));
        body + content.len()
    }

    /// The next line from `at`, the start of one, that delimits parts of any open multipart.
    fn delimiter(&mut self, at: usize) -> Option<Delimiter> {
        let mut at = at;
        while let Some((line, next)) = line_at(self.bytes, at) {
            if let Some((level, last)) = matching(&self.open, line) {
                let end = self.bytes.get(at + line.len()..next).unwrap_or_default();
                if !looks::is_plain(line, end) || self.has_bare_break(at) || self.has_bare_break(next) {
                    self.doubt(looks::ALMOST);
                }
                return Some(Delimiter { line: at, next, level, last });
            }
            if self.ambiguous.is_none() {
                self.look(line);
            }
            at = next;
        }
        None
    }

    /// Goes on from a delimiter to the part it begins, over the ends of multiparts and what stands behind them.
    fn step(&mut self, mut delimiter: Option<Delimiter>) -> Option<usize> {
        while let Some(found) = delimiter {
            self.close_above(found.level + 1, found.line);
            if let Some(Open::Multipart { closed, .. }) = self.open.get_mut(found.level) {
                let again = std::mem::replace(closed, found.last);
                if again && !found.last {
                    // Most readers stop at the closing delimiter: what follows would vanish in silence.
                    self.doubt("parts behind the end of a multipart");
                }
            }
            if !found.last {
                return Some(found.next);
            }
            delimiter = self.delimiter(found.next);
        }
        None
    }

    /// Ends everything at `level` and above: an outer delimiter, or the end of the mail, has come.
    fn close_above(&mut self, level: usize, line: usize) {
        while self.open.len() > level {
            match self.open.pop() {
                None | Some(Open::Multipart { closed: true, .. }) => {}
                // Some readers give its last part what follows, and some do not decode that.
                Some(Open::Multipart { .. }) => self.doubt("a multipart that is never closed"),
                Some(Open::Forwarded(leaf)) => self.end_forwarded(leaf, line),
            }
        }
    }

    fn end_forwarded(&mut self, leaf: Option<usize>, line: usize) {
        let start = leaf.and_then(|leaf| self.leaves.get(leaf)).map(|leaf| leaf.body.start);
        let end = start.map(|start| match line < self.bytes.len() {
            true => self.before_break(start, line),
            false => line,
        });
        if let (Some(leaf), Some(end)) = (leaf.and_then(|leaf| self.leaves.get_mut(leaf)), end) {
            leaf.body.end = end;
        }
    }
}

const CUT: &str = "a header that is cut off";
const ODD_HEADER: &str = "a header that readers may take differently";
const BARE: &str = "a forwarded message that is nothing but another";
const SHARED: &str = "a multipart inside another whose boundary is the same or begins alike";

/// Which open multipart a line delimits, and whether it closes it: `--boundary` or `--boundary--` and blanks. Among
/// equal boundaries one still open counts before one closed.
fn matching(open: &[Open], line: &[u8]) -> Option<(usize, bool)> {
    let rest = line.strip_prefix(b"--")?.trim_ascii_end();
    for wanted in [false, true] {
        for (level, open) in open.iter().enumerate().rev() {
            let Open::Multipart { boundary, closed, .. } = open else { continue };
            let Some(tail) = rest.strip_prefix(boundary.as_slice()).filter(|_| *closed == wanted) else {
                continue;
            };
            if tail.is_empty() || tail == b"--" {
                return Some((level, !tail.is_empty()));
            }
        }
    }
    None
}
