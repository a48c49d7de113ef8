//! Where the bare From header is believed, and the warning that says so.

use std::collections::BTreeSet;

use mailshelf_storage::LibraryName;

use super::Site;
use crate::sender::trusts_from;

/// Where the bare From header is believed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trusting {
    /// `sender.trust_from` is set.
    site: bool,
    /// The libraries that believe it, by the site's word or their own.
    libraries: BTreeSet<LibraryName>,
}

impl Trusting {
    /// Whether it is believed anywhere it was not `before`.
    fn exceeds(&self, before: &Trusting) -> bool {
        (self.site && !before.site) || !self.libraries.is_subset(&before.libraries)
    }
}

impl Site {
    /// Warns in the log if the bare From header is believed anywhere it was not `before`; gives where it is now. A
    /// catalog that cannot be read now is the affair of whoever comes to need it.
    pub fn warn_of_trust(&self, before: Trusting) -> Trusting {
        let Ok(libraries) = self.catalog.read().and_then(|reader| reader.libraries()) else { return before };
        let site = self.config.sender.trust_from;
        let libraries = libraries.into_iter();
        let trusting = libraries.filter(|library| trusts_from(library.settings.trust_from, site));
        let now = Trusting { site, libraries: trusting.map(|library| library.name).collect() };
        if now.exceeds(&before) {
            let names: Vec<_> = now.libraries.iter().map(LibraryName::as_str).collect();
            tracing::warn!(
                site,
                libraries = names.join(", "),
                "trust_from is set: whoever writes a From header files as that user"
            );
        }
        now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_more_trust_is_worth_a_warning() {
        let trusting = |site, names: &[&str]| Trusting {
            site,
            libraries: names.iter().map(|name| name.parse().unwrap()).collect(),
        };
        let nobody = Trusting::default();
        for (before, now, exceeds) in [
            (&nobody, &nobody, false),
            (&nobody, &trusting(true, &[]), true),
            (&nobody, &trusting(false, &["a"]), true),
            (&trusting(false, &["a"]), &trusting(false, &["a"]), false),
            (&trusting(false, &["a"]), &trusting(false, &["b"]), true),
            (&trusting(true, &["a", "b"]), &trusting(true, &["b"]), false),
            (&trusting(true, &["a", "b"]), &trusting(false, &["b"]), false),
            (&trusting(true, &["a"]), &trusting(true, &["a", "b"]), true),
        ] {
            assert_eq!(now.exceeds(before), exceeds, "{before:?} {now:?}");
        }
    }
}
