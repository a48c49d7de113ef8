//! Names that strangers send, known and made up.

use super::*;
use mailshelf_storage::Catalog;
use mailshelf_storage::catalog::sqlite::SqliteCatalog;
use mailshelf_storage::model::{Clash, LibrarySettings, Wanted};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

#[test]
fn names_that_strangers_send() {
    for (raw, expected) in [
        ("March.pdf", "March.pdf"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("C:\\temp\\a.txt", "C__temp_a.txt"),
        ("CON", "CON_"),
        ("con.txt", "con_.txt"),
        ("a.txt:stream", "a.txt_stream"),
        ("invoice\u{202e}fdp.exe", "invoicefdp.exe"),
        ("a\0b\x1b[2Jc", "ab[2Jc"),
        (" .hidden. ", "hidden"),
        ("50%~#&*{}<>?|\".csv", "50____________.csv"),
        ("", "x"),
        ("...", "x"),
        ("???", "x"),
        ("Ra\u{308}nge.txt", "Ränge.txt"),
        ("two\r\n lines.txt", "two  lines.txt"),
    ] {
        let name = clean(raw, "x");
        let collapsed = |s: &str| s.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(collapsed(&name), collapsed(expected), "{raw:?}");
    }
}

#[test]
fn a_long_name_keeps_its_extension() {
    let name = clean(&format!("{}.pdf", "ä".repeat(300)), "x");
    assert_eq!(name.chars().count(), NAME_LENGTH);
    assert!(name.ends_with("ä.pdf"));
}

#[test]
fn an_extension_is_added_once() {
    assert_eq!(with_extension("a.EML", ".eml"), "a.EML");
    assert_eq!(with_extension("a", ".eml"), "a.eml");
    assert_eq!(with_extension("ä", ".eml"), "ä.eml");
}

#[test]
fn what_is_but_an_extension_gets_a_stem() {
    for (raw, expected) in [
        (".pdf", "scan.pdf"),
        (" .PDF ", "scan.PDF"),
        ("..jpeg", "scan.jpeg"),
        ("\u{200b}.pdf", "scan.pdf"),
        (".hidden", "hidden"),
        (".tar.gz", "tar.gz"),
        ("pdf", "pdf"),
        (".\u{e4}", "\u{e4}"),
    ] {
        assert_eq!(clean(raw, "scan.bin"), expected, "{raw:?}");
    }
}

#[test]
fn what_cannot_be_seen_tells_no_two_names_apart() {
    for raw in [
        "a\u{200d}b",
        "a\u{fe0f}b",
        "a\u{34f}b",
        "a\u{ad}b",
        "a\u{ffff}b",
        "\u{2066}ab\u{2069}",
        "ab\u{2800}",
    ] {
        assert_eq!(clean(raw, "x"), "ab", "{raw:?}");
    }
    assert_eq!(clean("e\u{200b}\u{301}", "x"), "\u{e9}", "what comes together is one letter");
    assert_eq!(clean("\u{2800}", "x"), "x");
}

#[test]
fn devices_are_none_whatever_stands_behind_them() {
    for raw in [
        "aux",
        "AUX .txt",
        "nul.tar.gz",
        "com\u{b9}",
        "LPT\u{b3}.x",
        "CONOUT$",
        "con\u{200b}",
        " con.",
        "Clock$.txt",
        "COM0",
        "lpt0.prn",
    ] {
        let name = clean(raw, "x");
        assert_eq!(legal::fault(&name), None, "{name:?}");
        assert!(name.contains('_'), "{name:?}");
    }
    for raw in ["console", "com10", "com00", "clock", "clock$s", "auxiliary.txt", "nul-modem.pdf", "com"] {
        assert_eq!(clean(raw, "x"), raw);
    }
}

#[test]
fn a_name_without_end_keeps_its_extension_and_whole_letters() {
    assert!(clean(&format!("{}.pdf", "a".repeat(1 << 20)), "x").ends_with("a.pdf"));
    let letter = "x\u{301}\u{302}";
    let name = clean(&format!("{}.pdf", letter.repeat(60)), "x");
    assert_eq!(name, format!("{}.pdf", letter.repeat(41)));
    assert_eq!(with_extension(&"\u{8acb}".repeat(85), ".eml"), format!("{}.eml", "\u{8acb}".repeat(83)));
}

/// What clean names are made of, and what is hard to make one of.
const PIECES: &[&str] = &[
    "a",
    "A",
    "b",
    "x",
    " ",
    ".",
    "..",
    "_",
    "-",
    "/",
    "\\",
    ":",
    "~",
    "#",
    "?",
    "\0",
    "\t",
    "\r\n",
    "\u{1b}",
    "\u{7f}",
    "CON",
    "nul",
    "Aux",
    "com1",
    "COM\u{b9}",
    "LPT\u{b2}",
    "CONIN$",
    "CLOCK$",
    "lpt0",
    "<\u{338}",
    ">\u{338}",
    "=\u{338}",
    "\u{226e}",
    "\u{301}",
    "\u{323}",
    "\u{345}",
    "\u{3099}",
    "\u{202e}",
    "\u{2066}",
    "\u{200b}",
    "\u{200d}",
    "\u{feff}",
    "\u{fe0f}",
    "\u{34f}",
    "\u{180b}",
    "\u{ad}",
    "\u{115f}",
    "\u{3164}",
    "\u{e0041}",
    "\u{a0}",
    "\u{3000}",
    "\u{2800}",
    "\u{2028}",
    "\u{85}",
    "\u{fdd0}",
    "\u{ffff}",
    "\u{10ffff}",
    "\u{e000}",
    "\u{fffd}",
    "\u{df}",
    "\u{1e9e}",
    "SS",
    "ss",
    "\u{17f}",
    "s",
    "\u{130}",
    "i",
    "I",
    "\u{131}",
    "\u{3a3}",
    "\u{3c3}",
    "\u{3c2}",
    "\u{1f80}",
    "\u{3b1}",
    "\u{390}",
    "\u{1fd3}",
    "\u{fb01}",
    "fi",
    "\u{212a}",
    "k",
    "\u{212b}",
    "\u{e5}",
    "\u{e4}",
    "a\u{308}",
    "\u{d55c}",
    "\u{1112}\u{1161}\u{11ab}",
    "\u{8acb}",
    "\u{1f469}",
    "\u{1f3fd}",
    "\u{1f1e9}",
    "\u{1f1ea}",
    " (2)",
    " (3)",
    "(2)",
    " (4294967295)",
    ".pdf",
    ".PDF",
    ".tar",
    ".gz",
    ".html",
    ".e\u{301}",
    ".a b",
    "~1",
];

fn name() -> impl Strategy<Value = String> {
    let piece = || prop::sample::select(PIECES);
    let pieces =
        |count: std::ops::Range<usize>| prop::collection::vec(piece(), count).prop_map(|all| all.concat());
    let near_the_limit = (piece(), 100..140_usize, pieces(0..6))
        .prop_map(|(piece, count, tail)| format!("{}{tail}", piece.repeat(count)));
    let spelt_otherwise = (pieces(1..4), 0..5_u8).prop_map(|(name, how)| match how {
        0 => name.to_uppercase(),
        1 => name.to_lowercase(),
        2 => name.nfd().collect(),
        3 => format!("{name} (2)"),
        _ => name,
    });
    prop_oneof![any::<String>(), "\\PC{0,24}", pieces(0..12), near_the_limit, spelt_otherwise]
}

/// So many names come to a folder at once. `PROPTEST_CASES` times this many are tried.
const FOLDER: usize = 50;

/// Whatever strangers send: each name is legal, with its number too, and none is another's. The catalog that settles
/// them is a real one.
#[test]
fn names_of_a_folder_are_legal_and_none_is_anothers() {
    let dir = tempfile::tempdir().unwrap();
    let catalog = SqliteCatalog::open(&dir.path().join("catalog.db")).unwrap();
    let mut writer = catalog.write().unwrap();
    let (settings, now) = (LibrarySettings::default(), jiff::Timestamp::UNIX_EPOCH);
    let library = writer.add_library(&"l".parse().unwrap(), &"l".parse().unwrap(), &settings, now).unwrap();
    writer.commit().unwrap();
    let reader = catalog.read().unwrap();
    let folder =
        (prop::collection::vec(name(), FOLDER), prop_oneof![Just(Clash::Number), Just(Clash::Version(1))]);
    let judge = |(raw, clash): (Vec<String>, Clash)| {
        let clean: Vec<_> = raw.iter().map(|raw| super::clean(raw, "x")).collect();
        let wanted: Vec<_> = clean.iter().map(|name| Wanted { folder: "", name, clash }).collect();
        let places = reader.names_for(library, &wanted).unwrap();
        for (name, place) in clean.iter().zip(&places) {
            prop_assert_eq!(legal::fault(name), None, "{:?}", name);
            prop_assert_eq!(legal::fault(&place.name), None, "{:?}", &place.name);
            prop_assert_eq!(&super::clean(&place.name, "x"), &place.name, "it stays as it is");
        }
        prop_assert_eq!(legal::twin(places.iter().map(|place| place.name.as_str())), None);
        Ok(())
    };
    if let Err(found) = TestRunner::default().run(&folder, judge) {
        panic!("{found}");
    }
}

proptest! {
    #[test]
    fn any_text_becomes_a_legal_name(raw in name()) {
        prop_assert_eq!(legal::fault(&clean(&raw, "x")), None);
    }

    #[test]
    fn a_clean_name_stays_as_it_is(raw in name()) {
        let once = clean(&raw, "x");
        prop_assert_eq!(clean(&once, "x"), once);
    }

    #[test]
    fn an_added_extension_leaves_a_name_legal(raw in name()) {
        let name = with_extension(&clean(&raw, "x"), ".eml");
        prop_assert_eq!(legal::fault(&name), None);
        prop_assert!(name.to_lowercase().ends_with(".eml"));
    }
}
