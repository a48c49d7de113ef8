//! Whether two domains belong together (RFC 7489 section 3.1; RFC 8617 and RFC 8601 lean on the same). All of them as they
//! stand in an address: ASCII, lower case.

use serde::Deserialize;

/// How near to that of From a domain must be (RFC 7489 section 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Alignment {
    /// The same.
    Strict,
    /// Of the same organisation.
    Relaxed,
}

impl Alignment {
    /// Whether a proven domain speaks for that of a From. Relaxed it does where it is one above it, which gave it its name
    /// and could give it any key, or where both are below the same registered domain.
    pub fn holds(self, proven: &str, from: &str) -> bool {
        match self {
            Alignment::Strict => proven == from,
            Alignment::Relaxed => is_above(proven, from) || aligned(proven, from),
        }
    }
}

/// Whether a domain is that of a From, or one above it. A top-level domain, and a registry, is above none.
pub fn is_above(signer: &str, from: &str) -> bool {
    signer == from || (signer.contains('.') && is_within(from, signer) && !is_suffix(signer))
}

/// Whether `domain` is `parent`, or below it.
pub fn is_within(domain: &str, parent: &str) -> bool {
    domain.strip_suffix(parent).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// Whether a domain whose servers sent a mail belongs to that of its From, relaxed: they are the same, or below the same
/// registered domain by the public suffix list, its private part included, and its rule `*` for what is not on it.
pub fn aligned(proven: &str, from: &str) -> bool {
    proven == from || registered(proven).is_some_and(|domain| registered(from) == Some(domain))
}

/// Whether a domain is one of these, or below one. All as they stand in an address: ASCII, lower case.
pub fn is_among(domain: &str, these: &[String]) -> bool {
    these.iter().any(|one| is_within(domain, one))
}

/// Whether many owners register names right below a domain, by the public suffix list, its private part included. What
/// is said by such a domain is said of none of them, nor by any of them of it.
pub fn is_suffix(domain: &str) -> bool {
    psl::suffix(domain.as_bytes())
        .is_some_and(|suffix| suffix.is_known() && suffix.as_bytes() == domain.as_bytes())
}

/// The domain one label below the public suffix.
fn registered(domain: &str) -> Option<&str> {
    let found = psl::domain(domain.as_bytes())?;
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
    fn a_domain_speaks_for_itself_and_relaxed_for_its_organisation() {
        for (proven, from, above, relaxed) in [
            ("example.org", "example.org", true, true),
            ("example.org", "mail.example.org", true, true),
            ("example.org", "a.b.example.org", true, true),
            ("corp.internal", "mail.corp.internal", true, true),
            ("github.io", "github.io", true, true),
            ("localhost", "localhost", true, true),
            ("mail.example.org", "example.org", false, true),
            ("a.example.org", "b.example.org", false, true),
            ("mail.corp.internal", "corp.internal", false, true),
            ("xample.org", "example.org", false, false),
            ("example.org.evil.net", "example.org", false, false),
            ("org", "example.org", false, false),
            ("internal", "corp.internal", false, false),
            ("co.uk", "x.co.uk", false, false),
            ("github.io", "x.github.io", false, false),
            ("y.github.io", "x.github.io", false, false),
            ("", "example.org", false, false),
        ] {
            assert_eq!(is_above(proven, from), above, "{proven} {from}");
            assert_eq!(Alignment::Relaxed.holds(proven, from), relaxed, "{proven} {from}");
            assert_eq!(Alignment::Strict.holds(proven, from), proven == from, "{proven} {from}");
        }
    }

    #[test]
    fn a_domain_is_within_itself_and_its_parents() {
        assert!(is_within("x.org", "x.org") && is_within("a.x.org", "x.org"));
        assert!(!is_within("ax.org", "x.org") && !is_within("x.org", "a.x.org"));
    }

    #[test]
    fn domains_and_what_lies_below_them() {
        let ours = ["example.org".to_owned(), "corp.internal".to_owned()];
        for domain in ["example.org", "sales.example.org", "a.b.example.org", "x.corp.internal"] {
            assert!(is_among(domain, &ours), "{domain}");
        }
        for domain in ["notexample.org", "org", "example.org.evil.net", "internal", ".org", ""] {
            assert!(!is_among(domain, &ours), "{domain}");
        }
        assert!(!is_among("example.org", &[]));
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
            ("corp.internal", "internal"),
            ("example.org'a.attack.com", "example.org"),
        ] {
            assert!(!aligned(proven, from), "{proven} {from}");
        }
    }
}
