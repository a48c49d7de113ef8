//! Mailboxes in one file (RFC 4155 and what came before it): where each mail begins and ends, and what it was before it
//! was put there. Read as a stream: neither a mail nor a line of it is held in memory.
//!
//! A mail begins after a line `From …` (the separator) at the start of the file or after an empty line, which belongs
//! to the separator. Two ways keep a mail's own lines of that kind apart: quoting them with `>` (mboxo, mboxrd), and
//! counting (`Content-Length`, mboxcl2).

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use memchr::memchr;

use crate::envelope;
use crate::message::fields::{self, Line};

/// How a mail's own `From ` lines are kept apart from separators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// By a true `Content-Length`; where a mail has none, as [`Style::Rd`].
    Auto,
    /// `From ` was quoted and `>From ` was not.
    O,
    /// `From `, `>From `, `>>From ` and so on were quoted by one more `>`.
    Rd,
    /// Nothing was quoted; where a mail has no true `Content-Length`, its next separator ends it.
    Cl2,
}

const FROM: &[u8] = b"From ";
/// So many bytes decide whether a line is a separator; a longer line is none.
const LOOK: usize = 4 << 10;
const BUFFER: usize = 256 << 10;
/// How much of a mail is looked at for its header, at first and at most.
const HEAD: usize = 8 << 10;
const MOST_HEAD: usize = 1 << 20;

/// The beginning of a mail.
#[derive(Debug)]
pub struct Head {
    /// The address that its separator names, if it names one.
    pub sender: Option<String>,
    /// Its header with the empty line, or the first MiB of it, as it stands in the file.
    pub bytes: Vec<u8>,
    /// Where its body begins, if the header ended.
    body: Option<u64>,
}

/// A mailbox being read. What is added to the file meanwhile is not seen.
#[derive(Debug)]
pub struct Mbox<'f> {
    file: &'f File,
    style: Style,
    size: u64,
    buffer: Vec<u8>,
    /// How much of the buffer is used up.
    used: usize,
    /// Where in the file the unused rest of the buffer begins.
    at: u64,
}

impl<'f> Mbox<'f> {
    /// Begins to read; `None` if this is no mailbox: if it does not begin with a separator, and is not empty.
    pub fn open(file: &'f File, style: Style) -> io::Result<Option<Mbox<'f>>> {
        let size = file.metadata()?.len();
        let mut mbox = Mbox { file, style, size, buffer: Vec::new(), used: 0, at: 0 };
        let is_one = size == 0 || separator(mbox.look()?).is_some();
        Ok(is_one.then_some(mbox))
    }

    /// How far it has been read, in bytes of the file.
    pub fn offset(&self) -> u64 {
        self.at
    }

    /// Goes past the next separator; `None` at the end of the file. The mail before it must have been copied.
    pub fn next_mail(&mut self) -> io::Result<Option<Head>> {
        let look = self.look()?;
        let Some(line) = separator(look) else { return Ok(None) };
        let (sender, length) = (sender(line), line_length(look));
        self.consume(length);
        let bytes = self.head()?;
        let body = header_length(&bytes).map(|length| self.at + length as u64);
        Ok(Some(Head { sender, bytes, body }))
    }

    /// Gives the mail that begins here to `sink`, piece by piece, as it was before it was put into the mailbox.
    pub fn copy<E: From<io::Error>>(
        &mut self,
        head: &Head,
        mut sink: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let counted = match self.style {
            Style::Auto | Style::Cl2 => self.counted(head)?,
            Style::O | Style::Rd => None,
        };
        match counted {
            Some((end, next)) => {
                self.copy_to(end, &mut sink)?;
                Ok(self.copy_to(next, &mut |_: &[u8]| Ok::<(), io::Error>(()))?)
            }
            None => self.copy_lines(&mut sink),
        }
    }

    /// Where the body ends by `Content-Length`, and where the next separator or the end of the file is. Senders write
    /// that field too, and it goes stale: it is believed only if it leads to such a place.
    fn counted(&self, head: &Head) -> io::Result<Option<(u64, u64)>> {
        let (Some(body), Some(length)) = (head.body, content_length(&head.bytes)) else { return Ok(None) };
        let Some(end) = body.checked_add(length).filter(|end| *end <= self.size) else { return Ok(None) };
        let after = self.read_at(end, 2 * LOOK)?;
        let mut rest = after.as_slice();
        if self.read_at(end - 1, 1)? != b"\n" && !rest.is_empty() {
            // The line that the mail left open was ended by whoever put it here.
            let Some(ended) = after_break(rest) else { return Ok(None) };
            rest = ended;
        }
        rest = after_break(rest).unwrap_or(rest);
        let leads_there = rest.is_empty() || separator(rest).is_some();
        Ok(leads_there.then(|| (end, end + (after.len() - rest.len()) as u64)))
    }

    /// Gives everything up to an offset, as it is.
    fn copy_to<E: From<io::Error>>(
        &mut self,
        end: u64,
        sink: &mut impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        while self.at < end {
            let left = usize::try_from(end - self.at).unwrap_or(usize::MAX);
            let piece = self.buffered(1)?;
            let piece = piece.get(..left).unwrap_or(piece);
            sink(piece)?;
            let length = piece.len();
            self.consume(length);
        }
        Ok(())
    }

    /// Gives everything up to the next separator or the end of the file, without the empty line before it, and takes
    /// the quoting off.
    fn copy_lines<E: From<io::Error>>(
        &mut self,
        sink: &mut impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut empty: Option<&'static [u8]> = None;
        loop {
            let look = self.look()?;
            if look.is_empty() || (empty.is_some() && separator(look).is_some()) {
                return Ok(());
            }
            if let Some(empty) = empty.take() {
                sink(empty)?;
            }
            empty = line_break(look);
            match empty {
                Some(line) => self.consume(line.len()),
                None => {
                    if self.is_quoted()? {
                        self.consume(1);
                    }
                    self.copy_line(sink)?;
                }
            }
        }
    }

    fn copy_line<E: From<io::Error>>(
        &mut self,
        sink: &mut impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        loop {
            let piece = self.buffered(1)?;
            let end = memchr(b'\n', piece).map(|lf| lf + 1);
            let piece = end.and_then(|end| piece.get(..end)).unwrap_or(piece);
            sink(piece)?;
            let length = piece.len();
            self.consume(length);
            if end.is_some() || length == 0 {
                return Ok(());
            }
        }
    }

    /// Whether the line that begins here has a `>` that was put before it.
    fn is_quoted(&mut self) -> io::Result<bool> {
        let style = self.style;
        let look = self.look()?;
        match style {
            Style::Cl2 => return Ok(false),
            Style::O => return Ok(look.starts_with(b">From ")),
            Style::Auto | Style::Rd if !look.starts_with(b">") => return Ok(false),
            Style::Auto | Style::Rd => {}
        }
        let run = look.iter().position(|&byte| byte != b'>');
        if let Some(next) = run.and_then(|run| look.get(run..run + FROM.len())) {
            return Ok(next == FROM);
        }
        // More of them than one looks at, or the end of the file is near: only what follows the last one tells.
        let mut at = self.at;
        loop {
            let piece = self.read_at(at, LOOK)?;
            match piece.iter().position(|&byte| byte != b'>') {
                Some(run) => return Ok(self.read_at(at + run as u64, FROM.len())? == FROM),
                None if piece.is_empty() => return Ok(false),
                None => at += piece.len() as u64,
            }
        }
    }

    /// The header that begins here, as far as it matters.
    fn head(&self) -> io::Result<Vec<u8>> {
        let mut most = HEAD;
        loop {
            let mut bytes = self.read_at(self.at, most)?;
            if let Some(length) = header_length(&bytes) {
                bytes.truncate(length);
                return Ok(bytes);
            }
            if bytes.len() < most || most >= MOST_HEAD {
                return Ok(bytes);
            }
            most = MOST_HEAD.min(most * 8);
        }
    }

    /// What decides about the line that begins here: [`LOOK`] bytes, or what is left of the file.
    fn look(&mut self) -> io::Result<&[u8]> {
        let buffered = self.buffered(LOOK)?;
        Ok(buffered.get(..LOOK).unwrap_or(buffered))
    }

    /// At least so many bytes from here on, or what is left of the file.
    fn buffered(&mut self, least: usize) -> io::Result<&[u8]> {
        let have = self.buffer.len() - self.used;
        let from = self.at + have as u64;
        if have < least && from < self.size {
            self.buffer.drain(..self.used);
            self.used = 0;
            let more = self.read_at(from, BUFFER - have)?;
            self.buffer.extend_from_slice(&more);
        }
        Ok(self.buffer.get(self.used..).unwrap_or_default())
    }

    fn consume(&mut self, length: usize) {
        self.used += length;
        self.at += length as u64;
    }

    /// Up to `most` bytes, as many as the file has there. One that was cut short meanwhile is an error.
    fn read_at(&self, at: u64, most: usize) -> io::Result<Vec<u8>> {
        let left = usize::try_from(self.size.saturating_sub(at)).unwrap_or(usize::MAX);
        let mut bytes = vec![0; most.min(left)];
        self.file.read_exact_at(&mut bytes, at)?;
        Ok(bytes)
    }
}

/// The separator at the start of `text`, without its line end: `From `, and a time of day. Netscape and its heirs, and
/// some services, write `From -` or only an address: these count if a header field follows.
fn separator(text: &[u8]) -> Option<&[u8]> {
    let rest = text.strip_prefix(FROM)?;
    let end = memchr(b'\n', text);
    if end.is_none() && text.len() >= LOOK {
        return None;
    }
    let line = text.get(..end.unwrap_or(text.len()))?.trim_ascii_end();
    if has_time(line) {
        return Some(line);
    }
    let words = rest.get(..line.len().saturating_sub(FROM.len())).unwrap_or_default().trim_ascii();
    let is_bare = words == b"-" || (words.contains(&b'@') && !words.iter().any(u8::is_ascii_whitespace));
    let next = text.get(end? + 1..).unwrap_or_default();
    let name = next.get(..memchr(b':', next)?).unwrap_or_default();
    (is_bare && !name.is_empty() && name.iter().all(u8::is_ascii_graphic)).then_some(line)
}

/// Whether the file begins as a mailbox does.
pub fn begins_one(head: &[u8]) -> bool {
    separator(head.get(..LOOK).unwrap_or(head)).is_some()
}

/// Whether `hh:mm` stands in a line.
fn has_time(line: &[u8]) -> bool {
    let is_time = |at: usize| {
        let before = at.checked_sub(1).and_then(|before| line.get(before));
        match line.get(at..at + 5) {
            Some([h, hh, b':', m, mm]) => {
                [h, hh, m, mm].iter().all(|digit| digit.is_ascii_digit())
                    && (*h < b'2' || (*h == b'2' && *hh < b'4'))
                    && *m < b'6'
                    && !before.is_some_and(u8::is_ascii_digit)
                    && !line.get(at + 5).is_some_and(u8::is_ascii_digit)
            }
            _ => false,
        }
    };
    (0..line.len()).any(is_time)
}

/// The address that a separator names. `-` and `MAILER-DAEMON` are none.
fn sender(separator: &[u8]) -> Option<String> {
    let rest = separator.strip_prefix(FROM)?.trim_ascii_start();
    Some(envelope::address(rest)).filter(|address| address.contains('@'))
}

/// The length of the first line, its end included.
fn line_length(text: &[u8]) -> usize {
    memchr(b'\n', text).map_or(text.len(), |lf| lf + 1)
}

fn line_break(text: &[u8]) -> Option<&'static [u8]> {
    match text {
        [b'\n', ..] => Some(b"\n"),
        [b'\r', b'\n', ..] => Some(b"\r\n"),
        _ => None,
    }
}

fn after_break(text: &[u8]) -> Option<&[u8]> {
    text.get(line_break(text)?.len()..)
}

/// The length of a header, its empty line included; `None` if it has not ended.
fn header_length(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    while let Some(line) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        if let Some(end) = line_break(line) {
            return Some(at + end.len());
        }
        at += memchr(b'\n', line)? + 1;
    }
    None
}

/// The one number that the `Content-Length` fields give; `None` where they differ, since nobody knows which is whose.
fn content_length(header: &[u8]) -> Option<u64> {
    let mut lengths = fields::of_message(header).filter_map(|line| match line {
        Line::Field(field) if field.is("content-length") => {
            let digits = str::from_utf8(field.value.trim_ascii()).ok();
            Some(digits.filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?.parse().ok())
        }
        _ => None,
    });
    let first: Option<u64> = lengths.next()?;
    first.filter(|_| lengths.all(|other| other == first))
}

#[cfg(test)]
mod tests;
