//! What a file is by its bytes: a table of how files of each kind begin.
//!
//! Mail is refused by this table (`blocked`), so a mark is only in it if no honest file of another kind begins
//! so: two letters, as some tables have them, also begin a letter. Text without a mark (a script for Windows, say) and
//! what is inside an archive are not recognised.

mod kinds;

use kinds::{FILES, MEDIA, TEXTS};

/// So many bytes at the beginning are looked at, but for the marks that stand further down.
const BEGINNING: usize = 4096;
/// Readers of PDF find its header in so many bytes.
const PDF_BEGINS: usize = 1024;

/// A kind of file.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// In words.
    pub what: &'static str,
    /// Its media types; the first is the one that is recorded. `x*` is every one that begins so, `*x` that ends so.
    types: &'static [&'static str],
    /// The extensions that mean this kind.
    names: &'static [&'static str],
    /// Extensions of files that are made this way and are something else to people: a `.docx` is an archive too.
    /// With such a name only the name counts.
    own: &'static [&'static str],
}

impl Kind {
    /// Its media type.
    pub fn media_type(&self) -> &'static str {
        self.types.first().copied().unwrap_or("application/octet-stream")
    }

    /// The extension that it mostly has.
    pub fn extension(&self) -> &'static str {
        self.names.first().copied().unwrap_or_default()
    }

    /// Whether a declared media type, in lower case, is one of its own.
    pub fn is_declared(&self, media_type: &str) -> bool {
        self.types.iter().any(|known| match (known.strip_suffix('*'), known.strip_prefix('*')) {
            (Some(start), _) => media_type.starts_with(start),
            (_, Some(end)) => media_type.ends_with(end),
            _ => *known == media_type,
        })
    }

    /// Whether an extension, in lower case, means files like this one, whose name is `name`, in lower case.
    pub fn is_meant(&self, extension: &str, name: &str) -> bool {
        self.names.contains(&extension) && !self.own.iter().any(|own| ends_in(name, own))
    }
}

/// Whether a name has this extension; one such as `tar.gz` too.
pub fn ends_in(name: &str, extension: &str) -> bool {
    name.strip_suffix(extension).is_some_and(|rest| rest.ends_with('.'))
}

/// How files of a kind begin.
enum Mark {
    /// These bytes at these places.
    Bytes(&'static [(usize, &'static [u8])]),
    /// As this says of the whole file.
    Test(fn(&[u8]) -> bool),
}

impl Mark {
    fn is_on(&self, bytes: &[u8]) -> bool {
        match self {
            Mark::Bytes(marks) => {
                marks.iter().all(|(at, mark)| bytes.get(*at..).is_some_and(|rest| rest.starts_with(mark)))
            }
            Mark::Test(test) => test(bytes),
        }
    }
}

/// All of the table, in the order in which its marks are looked for.
fn kinds() -> impl Iterator<Item = &'static (Mark, Kind)> {
    [FILES, MEDIA, TEXTS].into_iter().flatten()
}

/// What a file is; `None` of most text, and of what the table does not have. Its beginning decides, whatever follows.
pub fn sniff(bytes: &[u8]) -> Option<&'static Kind> {
    kinds().find(|(mark, _)| mark.is_on(bytes)).map(|(_, kind)| kind)
}

/// The media type that the bytes show, where it is another than the declared one.
pub fn otherwise(bytes: &[u8], declared: &str) -> Option<&'static str> {
    sniff(bytes).filter(|kind| !kind.is_declared(declared)).map(Kind::media_type)
}

fn beginning(bytes: &[u8]) -> &[u8] {
    bytes.get(..BEGINNING).unwrap_or(bytes)
}

/// Whether this is no text: it holds a control character that no text has.
fn is_binary(bytes: &[u8]) -> bool {
    bytes.iter().any(|byte| *byte < 0x20 && !b"\t\n\x0b\x0c\r\x1a\x1b".contains(byte))
}

/// The header of DOS (`MZ`, which every program for Windows begins with too), and not a word that begins so.
fn is_mz(bytes: &[u8]) -> bool {
    bytes.starts_with(b"MZ") && is_binary(bytes.get(..64).unwrap_or(bytes))
}

fn is_flash(bytes: &[u8]) -> bool {
    let known = [&b"FWS"[..], b"CWS", b"ZWS"];
    known.iter().any(|mark| bytes.starts_with(mark)) && is_binary(bytes.get(..16).unwrap_or(bytes))
}

/// `CAFEBABE` begins both: a version follows, 45 at least, or how many programs are in the file.
fn fat(bytes: &[u8]) -> Option<u32> {
    let rest = bytes.strip_prefix(b"\xca\xfe\xba\xbe")?;
    rest.first_chunk().map(|number| u32::from_be_bytes(*number))
}

fn is_java(bytes: &[u8]) -> bool {
    fat(bytes).is_some_and(|version| version >= 45)
}

fn is_mach(bytes: &[u8]) -> bool {
    const THIN: [&[u8]; 4] =
        [b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe", b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf"];
    fat(bytes).is_some_and(|programs| programs < 45) || THIN.iter().any(|mark| bytes.starts_with(mark))
}

fn is_script(bytes: &[u8]) -> bool {
    let first = text(bytes).strip_prefix(b"#!").map(<[u8]>::trim_ascii_start);
    first.is_some_and(|program| program.starts_with(b"/"))
}

fn is_bzip2(bytes: &[u8]) -> bool {
    let block = bytes.strip_prefix(b"BZh").and_then(|rest| rest.split_first());
    block.is_some_and(|(size, rest)| size.is_ascii_digit() && rest.starts_with(b"1AY&SY"))
}

fn is_pdf(bytes: &[u8]) -> bool {
    memchr::memmem::find(bytes.get(..PDF_BEGINS).unwrap_or(bytes), b"%PDF-").is_some()
}

/// The name of the first file in an archive of the zip kind.
fn first_in_zip(bytes: &[u8]) -> Option<&[u8]> {
    let header = bytes.strip_prefix(b"PK\x03\x04")?;
    let length = u16::from_le_bytes(*header.get(22..24)?.first_chunk()?);
    header.get(26..26 + usize::from(length))
}

/// Whether Office's list of contents, or its relations, come first, and then this folder: they name what it is.
fn is_office(bytes: &[u8], folder: &[u8]) -> bool {
    let first = first_in_zip(bytes).unwrap_or_default();
    let starts = |start: &[u8]| first.starts_with(start);
    let listed = starts(b"[Content_Types].xml") || starts(b"_rels/") || starts(b"docProps/");
    starts(folder) || (listed && names_in_zip(bytes).any(|name| name.starts_with(folder)))
}

/// The names of the files in an archive of the zip kind, as its directory has them: every one of them stands behind its
/// mark.
fn names_in_zip(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    memchr::memmem::find_iter(bytes, b"PK\x01\x02").filter_map(|at| {
        let header = bytes.get(at..)?;
        let length = u16::from_le_bytes(*header.get(28..30)?.first_chunk()?);
        header.get(46..46 + usize::from(length))
    })
}

fn is_word(bytes: &[u8]) -> bool {
    is_office(bytes, b"word/")
}

fn is_excel(bytes: &[u8]) -> bool {
    is_office(bytes, b"xl/")
}

fn is_powerpoint(bytes: &[u8]) -> bool {
    is_office(bytes, b"ppt/")
}

/// A program for Java: its manifest comes first.
fn is_jar(bytes: &[u8]) -> bool {
    first_in_zip(bytes).is_some_and(|name| name.starts_with(b"META-INF/"))
}

/// OpenDocument and EPUB say first, uncompressed, what they are.
fn says_first(bytes: &[u8], media_type: &[u8]) -> bool {
    first_in_zip(bytes) == Some(b"mimetype") && {
        let said = bytes.get(38..).unwrap_or_default();
        said.starts_with(media_type)
    }
}

fn is_open_document(bytes: &[u8]) -> bool {
    says_first(bytes, b"application/vnd.oasis.opendocument.")
}

fn is_epub(bytes: &[u8]) -> bool {
    says_first(bytes, b"application/epub+zip")
}

/// Text from its first letter on: without a byte order mark of UTF-8, and blanks.
fn text(bytes: &[u8]) -> &[u8] {
    let bytes = beginning(bytes);
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start()
}

/// Its first element, behind the declarations and comments that may stand before it.
fn first_element(bytes: &[u8]) -> &[u8] {
    let mut rest = text(bytes);
    for (start, end) in
        [(&b"<?xml"[..], &b"?>"[..]), (b"<!--", b"-->"), (b"<!--", b"-->"), (b"<!DOCTYPE svg", b">")]
    {
        if rest.starts_with(start) {
            let after = memchr::memmem::find(rest, end).and_then(|at| rest.get(at + end.len()..));
            rest = after.unwrap_or_default().trim_ascii_start();
        }
    }
    rest
}

fn begins_with_any(bytes: &[u8], marks: &[&[u8]]) -> bool {
    marks.iter().any(|mark| bytes.get(..mark.len()).is_some_and(|start| start.eq_ignore_ascii_case(mark)))
}

fn is_html(bytes: &[u8]) -> bool {
    const MARKS: [&[u8]; 6] = [b"<!doctype html", b"<html", b"<head", b"<body", b"<script", b"<iframe"];
    begins_with_any(first_element(bytes), &MARKS)
}

fn is_svg(bytes: &[u8]) -> bool {
    begins_with_any(first_element(bytes), &[b"<svg"])
}

fn is_php(bytes: &[u8]) -> bool {
    begins_with_any(text(bytes), &[b"<?php"])
}

fn is_rtf(bytes: &[u8]) -> bool {
    text(bytes).starts_with(b"{\\rtf")
}

/// Files that the registry of Windows takes in, in either of their encodings.
fn is_registry(bytes: &[u8]) -> bool {
    const WIDE: &[u8] = b"\xff\xfeW\0i\0n\0d\0o\0w\0s\0 \0R\0e\0g\0i\0s\0t\0r\0y\0";
    begins_with_any(text(bytes), &[b"Windows Registry Editor", b"REGEDIT4"]) || bytes.starts_with(WIDE)
}

fn is_internet_shortcut(bytes: &[u8]) -> bool {
    begins_with_any(text(bytes), &[b"[InternetShortcut]"])
}

#[cfg(test)]
mod tests;
