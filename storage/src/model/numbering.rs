//! What names are compared by, and how one that is taken gets a number.

use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

/// The longest name of a document, in characters.
pub const NAME_LENGTH: usize = 128;
/// The longest name of a document, in bytes of UTF-8: what file systems of Linux take.
pub const NAME_BYTES: usize = 255;

/// What names are compared by: two names with one key are one name on some file system, and whatever two names a file
/// system takes for one have one key. Case and normal form count for nothing, and of letters with one capital (σ and ς,
/// s and ſ, ß and ẞ) one is as good as another (Unicode chapter 3.13, D145).
pub fn name_key(name: &str) -> String {
    // To lower case first, or the capital ẞ, which is upper case already, would stay apart from ß, which becomes SS. Taken
    // apart before that: an iota below a letter becomes one behind it, and what stands over the letter stays there.
    let name: String = name.nfd().collect();
    name.to_lowercase().to_uppercase().to_lowercase().nfc().collect()
}

/// `NAME (2).ext`, the stem cut where the whole would be too long. The first of a name goes without a number.
pub fn numbered(name: &str, number: u32) -> String {
    if number <= 1 {
        return name.to_owned();
    }
    let (stem, extension) = split_extension(name);
    fitted(stem, &format!(" ({number}){extension}"))
}

/// A name before its extension, and the extension with its dot. What has a blank in it, or is longer than any honest
/// one, is none.
pub fn split_extension(name: &str) -> (&str, &str) {
    let is_one = |extension: &str| extension.len() <= 20 && !extension.contains(char::is_whitespace);
    match name.rfind('.').filter(|&dot| dot > 0) {
        Some(dot) if is_one(name.split_at(dot).1) => name.split_at(dot),
        _ => (name, ""),
    }
}

/// `stem` with `tail` behind it; the stem is cut where the whole would be longer than a name may be, and not between a
/// letter and the marks that belong to it.
pub fn fitted(stem: &str, tail: &str) -> String {
    let length = NAME_LENGTH.saturating_sub(tail.chars().count());
    let bytes = NAME_BYTES.saturating_sub(tail.len());
    format!("{}{tail}", start(stem, length, bytes).trim_end())
}

/// As much of a text as has so many characters and bytes at most.
fn start(text: &str, length: usize, bytes: usize) -> &str {
    let end = |pieces: &mut dyn Iterator<Item = &str>| {
        let mut left = (length, bytes);
        let fits = pieces.map_while(|piece| {
            left = (left.0.checked_sub(piece.chars().count())?, left.1.checked_sub(piece.len())?);
            Some(piece.len())
        });
        fits.sum::<usize>()
    };
    let letters = end(&mut text.graphemes(true));
    // One letter with marks without end is cut all the same.
    let end = if letters > 0 { letters } else { end(&mut text.split_inclusive(|_: char| true)) };
    text.get(..end).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_stands_before_the_extension() {
        assert_eq!(numbered("scan.pdf", 1), "scan.pdf");
        assert_eq!(numbered("scan.pdf", 2), "scan (2).pdf");
        assert_eq!(numbered("README", 3), "README (3)");
        assert_eq!(numbered(".profile", 2), ".profile (2)");
        assert_eq!(numbered("v1.2 final report", 2), "v1.2 final report (2)");
    }

    #[test]
    fn a_name_is_cut_between_letters_and_not_between_marks() {
        let accents = "x\u{301}\u{302}";
        let name = numbered(&format!("{}.pdf", accents.repeat(42)), 10);
        assert_eq!(name, format!("{} (10).pdf", accents.repeat(39)));
        // A flag is two letters, a family is many.
        let name = numbered(&"🇩🇪".repeat(40), 10_000);
        assert_eq!(name, format!("{} (10000)", "🇩🇪".repeat(30)));
        let name = numbered(&format!("a{}.pdf", "\u{301}".repeat(200)), 2);
        assert!(name.ends_with("\u{301} (2).pdf") && name.chars().count() == NAME_LENGTH, "{name}");
    }

    #[test]
    fn a_name_fits_where_bytes_are_counted() {
        let name = fitted(&"請".repeat(128), ".pdf");
        assert_eq!(name, format!("{}.pdf", "請".repeat(83)));
        assert!(numbered(&name, 1000).len() <= NAME_BYTES);
        assert_eq!(fitted("a b", ".pdf"), "a b.pdf");
    }

    #[test]
    fn a_numbered_name_is_never_too_long() {
        let long = format!("{}.pdf", "ä".repeat(124));
        let name = numbered(&long, 1000);
        assert_eq!(name.chars().count(), NAME_LENGTH);
        assert!(name.ends_with(" (1000).pdf"), "{name}");
    }

    #[test]
    fn names_that_differ_in_case_only_have_one_key() {
        assert_eq!(name_key("ΣΊΣΥΦΟΣ.TXT"), name_key("σίσυφος.txt"));
        assert_eq!(name_key("Straße"), name_key("STRASSE"));
        assert_eq!(name_key("STRAẞE"), name_key("straße"));
        assert_ne!(name_key("a.txt"), name_key("b.txt"));
    }

    fn folded(name: &str) -> String {
        let mapper = icu_casemap::CaseMapper::new();
        let decomposed: String = name.nfd().collect();
        mapper.fold_string(&decomposed).nfd().collect()
    }

    /// Whether the Unicode of icu_casemap is newer than that of std, and has given this letter a case.
    fn is_news(c: &char) -> bool {
        let (mapper, c) = (icu_casemap::CaseMapper::new(), *c);
        let apart: String = c.to_string().nfd().collect();
        let has_case = mapper.simple_lowercase(c) != c || mapper.simple_uppercase(c) != c;
        (has_case || folded(&apart) != apart)
            && c.to_lowercase().chain(c.to_uppercase()).all(|same| same == c)
    }

    /// Letter by letter; further on come ideographs, which have no case.
    #[test]
    fn what_unicode_folds_together_has_one_key() {
        for c in ('\0'..'\u{20000}').filter(|c| !is_news(c)).map(String::from) {
            for other in
                [folded(&c), c.to_uppercase(), c.to_lowercase(), c.nfd().collect(), c.nfc().collect()]
            {
                assert_eq!(name_key(&other), name_key(&c), "{c:?} {other:?}");
            }
        }
    }

    /// Catalogs keep keys: a migration goes with each change of them, and this says that there was one. Only the letters
    /// of Europe, which no new version of Unicode changes.
    #[test]
    fn keys_are_those_that_catalogs_keep() {
        let mut hasher = crate::digest::Hasher::default();
        let letters = ('\0'..'\u{530}').chain('\u{1e00}'..'\u{2000}');
        letters.for_each(|c| hasher.update(name_key(&format!("{c}\n")).as_bytes()));
        assert_eq!(
            hasher.finish().to_string(),
            "405b099f89eb97ab88709bb3b448afb44aaa7afdeac5c4f6fa8c570e18a87077"
        );
    }

    proptest::proptest! {
        #[test]
        fn names_that_unicode_folds_together_have_one_key(name in "[\\PC\u{345}\u{300}-\u{304}ßẞΣσςıİ]{0,12}") {
            let name: String = name.chars().filter(|c| !is_news(c)).nfc().collect();
            // Apart first: of a whole letter with an iota below, the capital is two, and a mark behind it moves.
            let apart: String = name.nfd().collect();
            for other in [folded(&name), apart.to_uppercase(), apart.to_lowercase(), apart.clone()] {
                proptest::prop_assert_eq!(name_key(&other), name_key(&name), "{:?}", other);
            }
        }
    }
}
