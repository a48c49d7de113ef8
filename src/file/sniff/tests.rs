use super::*;

fn sniffed(bytes: &[u8]) -> Option<&'static str> {
    sniff(bytes).map(Kind::media_type)
}

/// An archive with these empty files, in order.
fn zip(names: &[&str], first: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let length = |name: &str| (name.len() as u16).to_le_bytes();
    for (nth, name) in names.iter().enumerate() {
        bytes.extend_from_slice(b"PK\x03\x04\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
        bytes.extend_from_slice(&length(name));
        bytes.extend_from_slice(b"\0\0");
        bytes.extend_from_slice(name.as_bytes());
        bytes.extend_from_slice(if nth == 0 { first } else { b"" });
    }
    for name in names {
        bytes.extend_from_slice(b"PK\x01\x02");
        bytes.extend_from_slice(&[0; 24]);
        bytes.extend_from_slice(&length(name));
        bytes.extend_from_slice(&[0; 16]);
        bytes.extend_from_slice(name.as_bytes());
    }
    bytes
}

#[test]
fn what_files_are_by_their_bytes() {
    let tar = [&[b'a'; 257][..], b"ustar\0"].concat();
    let iso = [&[0; 32_769][..], b"CD001"].concat();
    for (bytes, media_type) in [
        (&b"MZ\x90\0\x03\0\0\0"[..], "application/vnd.microsoft.portable-executable"),
        (b"\x7fELF\x02\x01\x01\0", "application/x-elf"),
        (b"\xca\xfe\xba\xbe\0\0\0\x41", "application/java-vm"),
        (b"\xca\xfe\xba\xbe\0\0\0\x02", "application/x-mach-binary"),
        (b"\xcf\xfa\xed\xfe\x07\0\0\x01", "application/x-mach-binary"),
        (b"CWS\x0a\x10\x20\0\0x\x9c", "application/x-shockwave-flash"),
        (b"#!/bin/sh\necho", "text/x-shellscript"),
        (b"#! /usr/bin/env python3\n", "text/x-shellscript"),
        (b"\n<?PHP echo 1;", "application/x-httpd-php"),
        (b"L\0\0\0\x01\x14\x02\0\0", "application/x-ms-shortcut"),
        (b"\xff\xfeW\0i\0n\0d\0o\0w\0s\0 \0R\0e\0g\0i\0s\0t\0r\0y\0 \0", "text/x-ms-regedit"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0", "application/x-ole-storage"),
        (b"PK\x05\x06\0\0", "application/zip"),
        (b"\x1f\x8b\x08\0", "application/gzip"),
        (b"BZh91AY&SY", "application/x-bzip2"),
        (&tar, "application/x-tar"),
        (&iso, "application/x-iso9660-image"),
        (b"%PDF-1.7\n", "application/pdf"),
        (b"\r\n junk \r\n%PDF-1.4", "application/pdf"),
        (b"\x89PNG\r\n\x1a\n\0", "image/png"),
        (b"\xff\xd8\xff\xe0\0", "image/jpeg"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "image/webp"),
        (b"\0\0\0\x20ftypheic\0", "image/heic"),
        (b"\0\0\0\x20ftypisom\0", "video/mp4"),
        (b"\xef\xbb\xbf <!-- x --><!DOCTYPE HTML>", "text/html"),
        (b"<?xml version=\"1.0\"?>\n<!DOCTYPE svg PUBLIC \"x\"> <svg xmlns=\"y\">", "image/svg+xml"),
        (b"{\\rtf1\\ansi", "application/rtf"),
        (b"\x78\x9f\x3e\x22\x01", "application/vnd.ms-tnef"),
    ] {
        assert_eq!(sniffed(bytes), Some(media_type), "{}", bytes.get(..20).unwrap_or(bytes).escape_ascii());
    }
}

/// Honest text that begins like something else, and files cut short.
#[test]
fn what_is_not_known_is_nothing() {
    for bytes in [
        &b""[..],
        b"MZ",
        b"MZ 2026 was a good year\n",
        b"BC,1\n",
        b"CWS;FWS\n",
        b"BM of the month: none",
        b"0\x82 is no certificate",
        b"BZh is short",
        b"#!hashbang",
        b"a,b\r\n1,2",
        b"\x7fEL",
        b"PK\x03",
        b"WScript.Echo(1)",
    ] {
        assert_eq!(sniffed(bytes), None, "{}", bytes.escape_ascii());
    }
}

#[test]
fn archives_are_told_by_what_they_hold() {
    let office = |folder: &str| zip(&["[Content_Types].xml", "_rels/.rels", folder], b"");
    for (bytes, kind) in [
        (office("word/document.xml"), "a document of Word"),
        (office("xl/workbook.xml"), "a table of Excel"),
        (office("ppt/presentation.xml"), "slides of PowerPoint"),
        (zip(&["mimetype"], b"application/vnd.oasis.opendocument.spreadsheet"), "an OpenDocument"),
        (zip(&["mimetype"], b"application/epub+zip"), "a book"),
        (zip(&["META-INF/MANIFEST.MF", "A.class"], b""), "a program for Java"),
        (zip(&["a.txt", "word/x"], b""), "an archive (zip)"),
        (zip(&["[Content_Types].xml", "else"], b""), "an archive (zip)"),
        (b"PK\x03\x04".to_vec(), "an archive (zip)"),
        (b"PK\x03\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\xff\0\0a".to_vec(), "an archive (zip)"),
    ] {
        assert_eq!(sniff(&bytes).map(|kind| kind.what), Some(kind));
    }
}

#[test]
fn only_another_type_is_otherwise() {
    let pdf = b"%PDF-1.7\n";
    assert_eq!(otherwise(pdf, "application/pdf"), None);
    assert_eq!(otherwise(pdf, "application/x-pdf"), None);
    for declared in ["application/octet-stream", "image/png", "text/plain", "application/binary"] {
        assert_eq!(otherwise(pdf, declared), Some("application/pdf"), "{declared}");
    }
    assert_eq!(otherwise(b"a,b\n", "image/png"), None);
    assert_eq!(otherwise(b"#!/bin/sh\n", "text/plain"), None);
    let docx = zip(&["[Content_Types].xml", "word/document.xml"], b"");
    assert_eq!(otherwise(&docx, "application/zip"), None);
    assert_eq!(
        otherwise(&docx, "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        None
    );
    let plain = zip(&["a.txt"], b"");
    for declared in ["application/x-zip-compressed", "application/epub+zip", "application/vnd.ms-xpsdocument"]
    {
        assert_eq!(otherwise(&plain, declared), None, "{declared}");
    }
    assert_eq!(otherwise(&plain, "application/pdf"), Some("application/zip"));
}

#[test]
fn the_table_is_sound() {
    for (_, kind) in kinds() {
        assert!(!kind.what.is_empty() && !kind.names.is_empty() && kind.is_declared(kind.media_type()));
        assert!(!kind.media_type().contains('*'), "{}", kind.what);
        for text in kind.types.iter().chain(kind.names).chain(kind.own) {
            assert_eq!(*text, text.to_lowercase(), "{}", kind.what);
        }
    }
}

proptest::proptest! {
    /// Whatever follows a mark, and wherever a file is cut.
    #[test]
    fn any_bytes_are_looked_at(nth in 0..kinds().count(), tail in proptest::collection::vec(proptest::num::u8::ANY, 0..100)) {
        let mut bytes = match &kinds().nth(nth).unwrap().0 {
            Mark::Bytes(marks) => marks.iter().flat_map(|(_, mark)| mark.iter().copied()).collect(),
            Mark::Test(_) => b"PK\x03\x04".to_vec(),
        };
        bytes.extend_from_slice(&tail);
        for end in 0..=bytes.len() {
            sniff(&bytes[..end]);
        }
    }
}
