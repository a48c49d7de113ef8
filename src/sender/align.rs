//! Whether two domains belong together (RFC 7489 section 3.1, relaxed; RFC 8617 and RFC 8601 lean on the same).

/// Whether a domain that was proven speaks for the domain of a From: they are the same, or below the same registered
/// domain by the public suffix list, its private part included. Under a suffix that is not on the list only the
/// same domain is: nobody knows who registers there. Both as they stand in an address: ASCII, lower case.
pub fn aligned(proven: &str, from: &str) -> bool {
    proven == from || registered(proven).is_some_and(|domain| registered(from) == Some(domain))
}

/// Whether many owners register names right below a domain, by the public suffix list, its private part included. What
/// is said by such a domain is said of none of them, nor by any of them of it.
pub fn is_suffix(domain: &str) -> bool {
    psl::suffix(domain.as_bytes())
        .is_some_and(|suffix| suffix.is_known() && suffix.as_bytes() == domain.as_bytes())
}

/// The domain one label below the public suffix.
fn registered(domain: &str) -> Option<&str> {
    let found = psl::domain(domain.as_bytes()).filter(|found| found.suffix().is_known())?;
    std::str::from_utf8(found.as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_registered_domain() {
        for (proven, from) in [
            ("example.org", "example.org"),
            ("mail.example.org", "example.org"),
            ("example.org", "mail.example.org"),
            ("a.example.co.uk", "b.example.co.uk"),
            ("corp.internal", "corp.internal"),
            ("localhost", "localhost"),
        ] {
            assert!(aligned(proven, from), "{proven} {from}");
        }
    }

    #[test]
    fn registries() {
        for (domain, suffix) in [
            ("org", true),
            ("co.uk", true),
            ("github.io", true),
            ("example.org", false),
            ("corp.internal", false),
        ] {
            assert_eq!(is_suffix(domain), suffix, "{domain}");
        }
    }

    #[test]
    fn others() {
        for (proven, from) in [
            ("example.org", "example.com"),
            ("example.org", "notexample.org"),
            ("org", "example.org"),
            ("co.uk", "example.co.uk"),
            ("a.co.uk", "b.co.uk"),
            ("a.github.io", "b.github.io"),
            ("mail.corp.internal", "corp.internal"),
            ("example.org'a.attack.com", "example.org"),
        ] {
            assert!(!aligned(proven, from), "{proven} {from}");
        }
    }
}
