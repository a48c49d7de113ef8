//! The tables: marks in the order in which they are looked for, and what they mean.

use super::Mark::{self, Bytes, Test};
use super::{
    Kind, is_bzip2, is_epub, is_excel, is_flash, is_html, is_internet_shortcut, is_jar, is_java, is_mach,
    is_mz, is_open_document, is_pdf, is_php, is_powerpoint, is_registry, is_rtf, is_script, is_svg, is_word,
};

mod media;

pub(super) use media::MEDIA;

type List = &'static [&'static str];
type Table = &'static [(Mark, Kind)];

/// A kind whose extensions all mean the same.
const fn kind(what: &'static str, types: List, names: List) -> Kind {
    Kind { what, types, names, own: &[] }
}

/// A kind that other files are made of.
const fn container(what: &'static str, types: List, names: List, own: List) -> Kind {
    Kind { what, types, names, own }
}

const WORD: List = &["docx", "docm", "dotx", "dotm"];
const EXCEL: List = &["xlsx", "xlsm", "xltx", "xltm", "xlsb", "xlam"];
const POWERPOINT: List = &["pptx", "pptm", "potx", "potm", "ppsx", "ppsm", "ppam"];
const OPEN_DOCUMENT: List =
    &["odt", "ods", "odp", "odg", "odf", "odc", "odb", "odm", "ott", "ots", "otp", "otg"];
const OLE: List = &[
    "doc", "dot", "xls", "xlt", "xla", "ppt", "pps", "pot", "ppa", "msi", "msp", "mst", "msg", "vsd", "mpp",
    "pub",
];
/// What is made as an archive of the zip kind, beside those that are told apart.
const ZIPPED: List = &[
    "docx", "docm", "dotx", "dotm", "xlsx", "xlsm", "xltx", "xltm", "xlsb", "xlam", "pptx", "pptm", "potx",
    "potm", "ppsx", "ppsm", "ppam", "odt", "ods", "odp", "odg", "odf", "odc", "odb", "odm", "ott", "ots",
    "otp", "otg", "epub", "jar", "war", "ear", "apk", "aab", "ipa", "xpi", "crx", "kmz", "vsdx", "vsdm",
    "thmx", "oxps", "xps", "3mf", "cbz", "pages", "numbers", "key", "sketch", "gadget", "appx", "msix",
    "nupkg", "vsix", "whl", "dwfx",
];
const ZIP_TYPES: List = &[
    "application/zip",
    "application/x-zip",
    "application/x-zip-compressed",
    "application/zip-compressed",
    "application/vnd.*",
    "application/java-archive",
    "application/x-java-archive",
    "application/msword",
    "application/oxps",
    "application/x-xpinstall",
    "*+zip",
];

/// Programs, documents and archives.
pub(super) static FILES: Table = &[
    // Programs.
    (
        Test(is_mz),
        kind(
            "a program for Windows or DOS",
            &[
                "application/vnd.microsoft.portable-executable",
                "application/x-msdownload",
                "application/x-msdos-program",
                "application/x-dosexec",
                "application/x-ms-dos-executable",
                "application/exe",
                "application/x-exe",
            ],
            &["exe", "dll", "scr", "com", "pif", "cpl", "sys", "drv", "ocx", "ax", "xll", "mui", "efi"],
        ),
    ),
    (
        Bytes(&[(0, b"\x7fELF")]),
        kind(
            "a program for Linux (ELF)",
            &[
                "application/x-elf",
                "application/x-executable",
                "application/x-sharedlib",
                "application/x-pie-executable",
            ],
            &["elf", "so", "ko", "o", "axf", "appimage"],
        ),
    ),
    (Test(is_java), kind("a program for Java", &["application/java-vm", "application/java"], &["class"])),
    (
        Test(is_mach),
        kind("a program for macOS", &["application/x-mach-binary"], &["macho", "dylib", "bundle"]),
    ),
    (Bytes(&[(0, b"\0asm")]), kind("a program for browsers", &["application/wasm"], &["wasm"])),
    (Bytes(&[(0, b"dex\n0")]), kind("a program for Android", &["application/vnd.android.dex"], &["dex"])),
    (
        Test(is_flash),
        kind(
            "a Flash film",
            &["application/x-shockwave-flash", "application/vnd.adobe.flash.movie"],
            &["swf"],
        ),
    ),
    (
        Test(is_script),
        kind(
            "a script",
            &["text/x-shellscript", "application/x-sh", "application/x-shellscript", "text/*"],
            &["sh", "bash", "ksh", "zsh", "csh", "command", "run"],
        ),
    ),
    (Test(is_php), kind("a script for PHP", &["application/x-httpd-php", "text/*"], &["php", "phtml"])),
    (
        Bytes(&[(0, b"L\0\0\0\x01\x14\x02\0")]),
        kind("a shortcut of Windows", &["application/x-ms-shortcut"], &["lnk"]),
    ),
    (
        Test(is_internet_shortcut),
        kind(
            "a shortcut of Windows",
            &["application/internet-shortcut", "application/x-mswinurl", "text/*"],
            &["url"],
        ),
    ),
    (
        Test(is_registry),
        kind("a change of the registry of Windows", &["text/x-ms-regedit", "text/*"], &["reg"]),
    ),
    (
        Bytes(&[(0, b"ITSF\x03\0\0\0")]),
        kind("a help file of Windows", &["application/vnd.ms-htmlhelp", "application/x-chm"], &["chm"]),
    ),
    (Bytes(&[(0, b"?_\x03\0")]), kind("a help file of Windows", &["application/winhlp"], &["hlp"])),
    // Documents made as archives, and archives.
    (
        Test(is_word),
        container(
            "a document of Word",
            &[
                "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
                "application/vnd.openxmlformats-*",
                "application/vnd.ms-word*",
                "application/msword",
                "application/zip",
            ],
            WORD,
            WORD,
        ),
    ),
    (
        Test(is_excel),
        container(
            "a table of Excel",
            &[
                "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
                "application/vnd.openxmlformats-*",
                "application/vnd.ms-excel*",
                "application/zip",
            ],
            EXCEL,
            EXCEL,
        ),
    ),
    (
        Test(is_powerpoint),
        container(
            "slides of PowerPoint",
            &[
                "application/vnd.openxmlformats-officedocument.presentationml.presentation",
                "application/vnd.openxmlformats-*",
                "application/vnd.ms-powerpoint*",
                "application/zip",
            ],
            POWERPOINT,
            POWERPOINT,
        ),
    ),
    (
        Test(is_open_document),
        container(
            "an OpenDocument",
            &[
                "application/vnd.oasis.opendocument.text",
                "application/vnd.oasis.opendocument.*",
                "application/zip",
            ],
            OPEN_DOCUMENT,
            OPEN_DOCUMENT,
        ),
    ),
    (Test(is_epub), kind("a book", &["application/epub+zip", "application/zip"], &["epub"])),
    (
        Test(is_jar),
        container(
            "a program for Java",
            &[
                "application/java-archive",
                "application/x-java-archive",
                "application/zip",
                "application/x-zip-compressed",
                "application/vnd.*",
            ],
            &["jar", "war", "ear"],
            &["apk", "aab", "xpi", "zip", "epub"],
        ),
    ),
    (Bytes(&[(0, b"PK\x03\x04")]), container("an archive (zip)", ZIP_TYPES, &["zip"], ZIPPED)),
    (Bytes(&[(0, b"PK\x05\x06")]), container("an archive (zip)", ZIP_TYPES, &["zip"], ZIPPED)),
    (
        Bytes(&[(0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")]),
        container(
            "a file of Office before 2007, or an installer of Windows",
            &[
                "application/x-ole-storage",
                "application/msword",
                "application/vnd.ms-*",
                "application/vnd.visio",
                "application/x-msi",
                "application/x-mspublisher",
                "application/excel",
                "application/x-msexcel",
                "application/mspowerpoint",
                "application/msexcel",
            ],
            OLE,
            OLE,
        ),
    ),
    (
        Bytes(&[(0, b"Rar!\x1a\x07")]),
        container(
            "an archive (rar)",
            &["application/vnd.rar", "application/x-rar-compressed", "application/x-rar", "application/rar"],
            &["rar"],
            &["cbr"],
        ),
    ),
    (
        Bytes(&[(0, b"7z\xbc\xaf\x27\x1c")]),
        container("an archive (7z)", &["application/x-7z-compressed", "application/7z"], &["7z"], &["cb7"]),
    ),
    (
        Bytes(&[(0, b"\x1f\x8b\x08")]),
        container(
            "a file packed by gzip",
            &[
                "application/gzip",
                "application/x-gzip",
                "application/x-gtar*",
                "application/x-compressed*",
                "application/x-tgz",
                "*+gzip",
            ],
            &["gz"],
            &["tgz", "svgz", "emz", "wmz"],
        ),
    ),
    (
        Test(is_bzip2),
        container(
            "a file packed by bzip2",
            &["application/x-bzip2", "application/bzip2", "application/x-bzip"],
            &["bz2"],
            &["tbz", "tbz2"],
        ),
    ),
    (
        Bytes(&[(0, b"\xfd7zXZ\0")]),
        container("a file packed by xz", &["application/x-xz"], &["xz"], &["txz"]),
    ),
    (
        Bytes(&[(0, b"\x28\xb5\x2f\xfd")]),
        container("a file packed by zstd", &["application/zstd"], &["zst"], &["tzst"]),
    ),
    (
        Bytes(&[(0, b"LZIP\x01")]),
        kind("a file packed by lzip", &["application/x-lzip", "application/lzip"], &["lz"]),
    ),
    (Bytes(&[(7, b"**ACE**")]), kind("an archive (ace)", &["application/x-ace-compressed"], &["ace"])),
    (
        Bytes(&[(0, b"MSCF\0\0\0\0")]),
        container(
            "an archive (cabinet)",
            &["application/vnd.ms-cab-compressed", "application/x-cab"],
            &["cab"],
            &["msu", "wsp"],
        ),
    ),
    (
        Bytes(&[(257, b"ustar")]),
        kind("an archive (tar)", &["application/x-tar", "application/x-ustar"], &["tar"]),
    ),
    (
        Bytes(&[(0, b"!<arch>\ndebian")]),
        kind(
            "a package of Debian",
            &["application/vnd.debian.binary-package", "application/x-deb", "application/x-debian-package"],
            &["deb", "udeb"],
        ),
    ),
    (
        Bytes(&[(0, b"\xed\xab\xee\xdb")]),
        kind("a package (rpm)", &["application/x-rpm", "application/x-redhat-package-manager"], &["rpm"]),
    ),
    (
        Bytes(&[(32_769, b"CD001")]),
        kind(
            "the image of a disc",
            &["application/x-iso9660-image", "application/vnd.efi.iso"],
            &["iso", "img", "udf"],
        ),
    ),
    (Bytes(&[(0, b"vhdxfile")]), kind("the image of a disk", &["application/x-vhdx"], &["vhdx"])),
    (Bytes(&[(0, b"conectix")]), kind("the image of a disk", &["application/x-vhd"], &["vhd"])),
    (
        Bytes(&[(0, b"\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xae\xb1\x53\x78\xd0\x29\x96\xd3")]),
        kind("notes of OneNote", &["application/onenote", "application/msonenote"], &["one", "onepkg"]),
    ),
    (
        Bytes(&[(4, b"Standard Jet DB")]),
        kind(
            "a database of Access",
            &["application/vnd.ms-access", "application/x-msaccess", "application/msaccess"],
            &["mdb", "mde"],
        ),
    ),
    (
        Bytes(&[(4, b"Standard ACE DB")]),
        kind(
            "a database of Access",
            &["application/vnd.ms-access", "application/x-msaccess", "application/msaccess"],
            &["accdb", "accde", "accdr"],
        ),
    ),
    (
        Bytes(&[(0, b"SQLite format 3\0")]),
        kind(
            "a database of SQLite",
            &["application/vnd.sqlite3", "application/x-sqlite3"],
            &["sqlite", "sqlite3", "db"],
        ),
    ),
    (
        Bytes(&[(0, b"\x78\x9f\x3e\x22")]),
        kind("TNEF (winmail.dat)", &["application/vnd.ms-tnef", "application/ms-tnef"], &["tnef"]),
    ),
];

/// Text that says what it is. PDF comes last: its mark may stand below the beginning.
pub(super) static TEXTS: Table = &[
    (
        Test(is_rtf),
        container(
            "a document (RTF)",
            &["application/rtf", "text/rtf", "text/richtext", "application/msword"],
            &["rtf"],
            &["doc"],
        ),
    ),
    (
        Bytes(&[(0, b"%!PS")]),
        kind("PostScript", &["application/postscript", "application/eps", "image/x-eps"], &["ps", "eps"]),
    ),
    (
        Test(is_svg),
        kind("a picture (SVG)", &["image/svg+xml", "image/svg", "text/xml", "application/xml"], &["svg"]),
    ),
    (
        Test(is_html),
        container(
            "a web page",
            &["text/html", "application/xhtml+xml"],
            &["html", "htm", "xhtml", "shtml"],
            &["hta", "asp", "aspx", "jsp"],
        ),
    ),
    (
        Test(is_pdf),
        container(
            "a document (PDF)",
            &["application/pdf", "application/x-pdf", "application/acrobat", "text/pdf"],
            &["pdf"],
            &["ai", "fdf"],
        ),
    ),
];
