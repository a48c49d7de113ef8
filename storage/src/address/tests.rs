//! One form for each address, none for what might be taken for another.

use proptest::prelude::*;

use super::*;

fn canonical(text: &str) -> Option<String> {
    text.parse().ok().map(|address: Address| address.to_string())
}

#[test]
fn forms_of_one_address_are_equal() {
    for form in ["a.b@x.org", "A.B@X.ORG", "\"a.b\"@x.org", "a.b@x.org.", "\"a\\.b\"@x.org"] {
        assert_eq!(canonical(form).as_deref(), Some("a.b@x.org"), "{form}");
    }
}

#[test]
fn a_quoted_local_part_that_needs_its_quotes_keeps_them() {
    assert_eq!(canonical("\"a b\"@x.org").as_deref(), Some("\"a b\"@x.org"));
    assert_eq!(canonical("\"a@b\"@x.org").as_deref(), Some("\"a@b\"@x.org"));
    assert_eq!(
        canonical("\"a@b\"@x.org").map(|a| a.parse::<Address>().unwrap().domain().to_owned()).as_deref(),
        Some("x.org")
    );
    assert_eq!(canonical("\"JÖRG \\\"M\"@x.org").as_deref(), Some("\"jörg \\\"m\"@x.org"));
    assert_eq!(canonical("\"Jörg\"@x.org").as_deref(), Some("jörg@x.org"));
}

#[test]
fn what_is_no_address() {
    for bad in [
        "",
        "a",
        "@x.org",
        "a@",
        "a b@x.org",
        "a@x..org",
        "a@b@x.org",
        "a@[192.0.2.1]",
        "a..b@x.org",
        "a@x org",
        "ä ö@x.org",
        "ä..ö@x.org",
        "\"ä\nö\"@x.org",
        "\"ä@x.org",
        "a@ü..org",
        "a@ü.org..",
        "a@-ü.org",
        "a@ü!.org",
        "a@ü%2e.org",
    ] {
        assert_eq!(canonical(bad), None, "{bad}");
    }
}

#[test]
fn ascii_is_taken_as_it_always_was() {
    for (written, form) in [
        ("A_B@_dmarc.X.org", "a_b@_dmarc.x.org"),
        ("a@-x-.org", "a@-x-.org"),
        ("a@r3---sn.example", "a@r3---sn.example"),
        ("!#$%&'*+-/=?^_`{|}~@x.org", "!#$%&'*+-/=?^_`{|}~@x.org"),
        ("\"\"@x.org", "\"\"@x.org"),
        ("\"A\\\\\\\" \"@x.org", "\"a\\\\\\\" \"@x.org"),
        ("a@localhost", "a@localhost"),
    ] {
        assert_eq!(canonical(written).as_deref(), Some(form), "{written}");
    }
    let long = |length: usize| {
        format!("{}@{}.org", "a".repeat(length - 64), ["b".repeat(29), "b".repeat(29)].join("."))
    };
    assert!(canonical(&long(254)).is_some());
    assert_eq!(canonical(&long(255)), None);
    assert_eq!(canonical(&format!("a@{}.org", "b".repeat(64))), None);
}

#[test]
fn two_spellings_are_one_address() {
    for (one, other, form) in [
        ("ALICE@BÜCHER.example", "alice@xn--bcher-kva.example", "alice@xn--bcher-kva.example"),
        ("a@XN--BCHER-KVA.example.", "a@bu\u{308}cher.example", "a@xn--bcher-kva.example"),
        ("a@faß.example", "a@FAẞ.example", "a@xn--fa-hia.example"),
        ("a@bücher。example", "a@bücher.example", "a@xn--bcher-kva.example"),
        ("a@α\u{345}\u{327}.example", "a@α\u{327}\u{345}.example", "a@xn--ota9yya.example"),
        ("JÖRG@x.org", "jo\u{308}rg@x.org", "jörg@x.org"),
        ("ΣΊΣΥΦΟΣ@x.org", "σίσυφος@x.org", "σίσυφοσ@x.org"),
        ("ИВАН@x.org", "иван@x.org", "иван@x.org"),
        ("\u{212b}sa@x.org", "åsa@x.org", "åsa@x.org"),
        ("山田.taro@x.org", "山田.TARO@x.org", "山田.taro@x.org"),
        ("o'neill+märz@x.org", "O'Neill+MÄRZ@x.org", "o'neill+märz@x.org"),
    ] {
        assert_eq!(canonical(one).as_deref(), Some(form), "{one}");
        assert_eq!(canonical(other).as_deref(), Some(form), "{other}");
    }
}

#[test]
fn what_looks_alike_is_another_or_none() {
    // All of one script: another address.
    assert_ne!(canonical("асе@x.org"), canonical("ace@x.org"));
    assert_ne!(canonical("a@faß.example"), canonical("a@fass.example"));
    for bad in [
        // A Cyrillic а among Latin letters, in each place, as a U-label and as its A-label.
        "\u{430}lice@x.org",
        "alice@p\u{430}ypal.example",
        "alice@xn--pypal-4ve.example",
        "alice@ok.xn--pypal-4ve.example",
        // Greek ο, Armenian օ.
        "b\u{3bf}b@x.org",
        "b\u{585}b@x.org",
        // What would become ASCII: the Kelvin sign, the long s, the Greek accent.
        "\u{212a}ate@x.org",
        "smith\u{17f}@x.org",
        "ä\u{1fef}@x.org",
        // What is folded into another letter, and is no capital of it: a Greek beta, a Cyrillic ve.
        "\u{3d0}ήτα@x.org",
        "\u{1c80}ода@x.org",
        // Wide and mathematical letters, ligatures, symbols.
        "ａlice@x.org",
        "𝐚lice@x.org",
        "ﬁ@x.org",
        "ä☃@x.org",
        "a@☃.example",
        // Controls, bidi, what cannot be seen.
        "ä\u{85}@x.org",
        "ä\u{202e}b@x.org",
        "ä\u{200b}b@x.org",
        "ä\u{ad}b@x.org",
        "ä\u{feff}@x.org",
        "ä\u{fe0f}@x.org",
        "ä\u{e0061}@x.org",
        "\u{628}\u{200f}@x.org",
        "क\u{94d}\u{200d}ष@x.org",
        "a@क\u{94d}\u{200d}ष.example",
        // A mark that stands on a dot, a sign, or nothing.
        "\u{308}a@x.org",
        "a.\u{308}b@x.org",
        "a=\u{338}b@x.org",
        "\"a\\\"\u{308}\"@x.org",
        // No A-label of anything.
        "a@xn--.example",
        "a@xn--a.example",
        "a@xn--zz-.example",
    ] {
        assert_eq!(canonical(bad), None, "{}", bad.escape_unicode());
    }
}

#[test]
fn a_long_spelling_of_an_address_that_is_not_too_long() {
    let decomposed = format!("{}@x.org", "o\u{308}".repeat(120));
    assert_eq!(canonical(&decomposed), Some(format!("{}@x.org", "ö".repeat(120))));
    assert_eq!(canonical(&format!("{}@x.org", "ö".repeat(125))), None);
    assert_eq!(canonical(&format!("ö@{}.org", "ö".repeat(64))), None);
}

#[test]
fn nothing_invisible_is_allowed() {
    let invisible = [
        0x80..=0x9f,
        0xad..=0xad,
        0x34f..=0x34f,
        0x61c..=0x61c,
        0x115f..=0x1160,
        0x17b4..=0x17b5,
        0x180b..=0x180f,
        0x200b..=0x200f,
        0x2028..=0x202e,
        0x2060..=0x206f,
        0x3164..=0x3164,
        0xe000..=0xf8ff,
        0xfe00..=0xfe0f,
        0xfeff..=0xfeff,
        0xffa0..=0xffa0,
        0xfff0..=0xfffd,
        0x1bca0..=0x1bca3,
        0x1d173..=0x1d17a,
        0xe0000..=0xe0fff,
        0xf0000..=0x10ffff,
    ];
    for c in invisible.into_iter().flatten().filter_map(char::from_u32) {
        assert!(!is_allowed(c), "{}", c.escape_unicode());
    }
}

/// Texts that are addresses more often than arbitrary ones are.
fn nearly() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[a-zA-Z0-9._+-]{1,5}",
        "[äÖüßẞıİσςΣиИåÅ\u{212a}\u{17f}\u{308}\u{327}\u{345}ᾳᾼǅ山田カひ한]{1,5}",
        "[\"\\\\ @.]{1,2}",
        any::<char>().prop_map(String::from),
    ];
    let side = || prop::collection::vec(piece.clone(), 1..4).prop_map(|pieces| pieces.concat());
    (side(), side()).prop_map(|(local, domain)| format!("{local}@{domain}"))
}

fn assert_canonical(text: &str) {
    if let Ok(address) = text.parse::<Address>() {
        assert_eq!(address.to_string().parse().as_ref(), Ok(&address), "{text:?}");
        assert_eq!(format!("{}@{}", address.local_part(), address.domain()), address.as_str());
        assert!(address.domain().is_ascii() && address.as_str().len() <= LONGEST, "{text:?}");
        assert_eq!(canonical_domain(address.domain()).as_deref(), Some(address.domain()));
        let decomposed: String = text.nfd().collect();
        assert_eq!(decomposed.parse(), Ok(address), "{text:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_one_address_or_none(text in any::<String>(), near in nearly()) {
        assert_canonical(&text);
        assert_canonical(&near);
    }
}

/// Every character of the first two planes by itself, which no number of samples would reach.
#[test]
fn any_character_has_one_form_or_none() {
    for c in (0..0x20000).filter_map(char::from_u32) {
        assert_canonical(&format!("{c}@x.org"));
        assert_canonical(&format!("x@{c}.org"));
    }
}
