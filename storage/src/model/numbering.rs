//! What names are compared by, and how one that is taken gets a number.

/// The longest name of a document, in characters.
pub const NAME_LENGTH: usize = 128;

/// What names are compared by: two names with one key are one name on some file system.
pub fn name_key(name: &str) -> String {
    // By way of upper case, so that letters with one capital (σ and ς, s and ſ) fall together too.
    name.to_uppercase().to_lowercase()
}

/// `NAME (2).ext`, the stem cut where the whole would be too long. The first of a name goes without a number.
pub fn numbered(name: &str, number: u32) -> String {
    if number <= 1 {
        return name.to_owned();
    }
    let suffix = format!(" ({number})");
    let (stem, extension) = match name.rfind('.').filter(|&dot| dot > 0 && name.len() - dot <= 20) {
        Some(dot) => name.split_at(dot),
        None => (name, ""),
    };
    let room = NAME_LENGTH.saturating_sub(suffix.len() + extension.chars().count());
    let stem: String = stem.chars().take(room).collect();
    format!("{}{suffix}{extension}", stem.trim_end())
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
        assert_ne!(name_key("a.txt"), name_key("b.txt"));
    }
}
