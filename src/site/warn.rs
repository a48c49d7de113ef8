//! What a site believes more readily than its administrator may know.

use std::sync::Once;

use super::Site;
use crate::sender::trusts_from;

impl Site {
    /// Warns in the log, once in the life of this process, where the bare From header is believed. A catalog that cannot
    /// be read now is the affair of whoever comes to need it.
    pub fn warn_of_trust(&self) {
        static WARNED: Once = Once::new();
        let libraries = self.catalog.read().and_then(|reader| reader.libraries()).unwrap_or_default();
        let site = self.config.sender.trust_from;
        let trusting = libraries.iter().filter(|library| trusts_from(library.settings.trust_from, site));
        let names: Vec<_> = trusting.map(|library| library.name.as_str()).collect();
        if site || !names.is_empty() {
            WARNED.call_once(|| {
                let names = names.join(", ");
                tracing::warn!(
                    site,
                    libraries = names,
                    "trust_from is set: whoever writes a From header files as that user"
                );
            });
        }
    }
}
