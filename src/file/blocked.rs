//! What a site never files: `limits.blocked_types`, by the extension of a name and by what the bytes are.

use super::sniff::{Kind, ends_in, sniff};

/// Why a file of this name and these bytes is not to be filed, in words; `None` if nothing is said against it.
/// `blocked` has extensions, in lower case and without the dot before them.
///
/// A name is blocked by how it ends: `a.pdf.exe` by `exe`, `a.exe.pdf` not. Bytes are blocked by any extension that
/// means files of their kind, whatever the name: a program is one as `invoice.pdf` too.
pub fn why(name: &str, bytes: &[u8], blocked: &[String]) -> Option<String> {
    if blocked.is_empty() {
        return None;
    }
    let lower = name.to_lowercase();
    if let Some(extension) = blocked.iter().find(|extension| ends_in(&lower, extension)) {
        return Some(format!("its name ends in .{extension}, which limits.blocked_types has"));
    }
    let kind: &Kind = sniff(bytes)?;
    let extension = blocked.iter().find(|extension| kind.is_meant(extension, &lower))?;
    Some(format!("its bytes are {}, and limits.blocked_types has {extension}", kind.what))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MZ: &[u8] = b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0";
    const ZIP: &[u8] = b"PK\x03\x04\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x05\0\0\0a.txt";

    fn is_blocked(name: &str, bytes: &[u8], by: &[&str]) -> bool {
        why(name, bytes, &by.iter().map(|extension| (*extension).to_owned()).collect::<Vec<_>>()).is_some()
    }

    #[test]
    fn a_name_is_blocked_by_how_it_ends() {
        for name in ["a.exe", "A.EXE", "a.pdf.exe", ".exe", "b.ExE"] {
            assert!(is_blocked(name, b"text", &["js", "exe"]), "{name}");
        }
        for name in ["a.exe.pdf", "exe", "aexe", "a.exe_", "a.exe (2)", "exe.txt", "a.scr", ""] {
            assert!(!is_blocked(name, b"text", &["js", "exe"]), "{name}");
        }
        assert!(is_blocked("x.tar.gz", b"", &["tar.gz"]) && is_blocked("x.TAR.GZ", b"", &["gz"]));
        assert!(!is_blocked("x.gz", b"", &["tar.gz"]) && !is_blocked("xtar.gz", b"", &["tar.gz"]));
        assert!(!is_blocked("a.exe", MZ, &[]));
    }

    #[test]
    fn bytes_are_blocked_whatever_the_name() {
        for name in ["invoice.pdf", "a.scr", "a", "a.exe.pdf", "a.dll"] {
            assert!(is_blocked(name, MZ, &["exe"]), "{name}");
        }
        for extension in ["dll", "scr", "com", "pif", "cpl"] {
            assert!(is_blocked("invoice.pdf", MZ, &[extension]), "{extension}");
        }
        assert!(!is_blocked("invoice.pdf", MZ, &["elf", "js", "zip", "pdf.exe"]));
        assert!(is_blocked("invoice.pdf", b"\x7fELF\x02\x01", &["elf"]));
        assert!(!is_blocked("invoice.pdf", b"\x7fELF\x02\x01", &["exe"]));
        // A script for Windows is text like any other.
        assert!(!is_blocked("a.txt", b"WScript.Echo(1)", &["js", "vbs"]));
    }

    /// Whoever blocks archives means no documents of Word.
    #[test]
    fn what_is_made_of_another_kind_is_blocked_by_its_own_name_alone() {
        assert!(is_blocked("a.zip", b"", &["zip"]) && is_blocked("invoice.pdf", ZIP, &["zip"]));
        assert!(!is_blocked("a.docx", ZIP, &["zip"]) && !is_blocked("a.ODT", ZIP, &["zip"]));
        assert!(is_blocked("a.jar", ZIP, &["jar"]));
        let ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";
        assert!(!is_blocked("a.doc", ole, &["msi"]) && is_blocked("a.pdf", ole, &["msi"]));
        assert!(
            !is_blocked("page.hta.html", b"<html>", &["hta"]) && is_blocked("a.txt", b" <HTML>", &["htm"])
        );
    }

    #[test]
    fn the_reason_names_the_setting() {
        let told = |name, bytes| why(name, bytes, &["exe".to_owned()]).unwrap();
        assert_eq!(told("a.exe", MZ), "its name ends in .exe, which limits.blocked_types has");
        let expected = "its bytes are a program for Windows or DOS, and limits.blocked_types has exe";
        assert_eq!(told("a.pdf", MZ), expected);
    }
}
