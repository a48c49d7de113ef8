//! Which aliases a library may have: mail to some addresses must not end in one.

use mailshelf_storage::Alias;

use crate::config::Site;

/// Local-parts that no library takes, and why. Those that RFC 2142 keeps for departments (`info`, `sales`, `support`) may
/// well be a library.
const RESERVED: &[(&str, &str)] = &[
    ("postmaster", "must reach a person (RFC 5321 section 4.5.1)"),
    ("abuse", "must reach a person (RFC 2142 section 4)"),
    ("noc", "must reach a person (RFC 2142 section 4)"),
    ("security", "must reach a person (RFC 2142 section 4)"),
    ("hostmaster", "must reach whoever keeps the DNS (RFC 2142 section 5)"),
    ("webmaster", "must reach whoever keeps the web site (RFC 2142 section 5)"),
];

/// Under which mail servers send what they could not deliver.
const SERVERS: &str = "mailer-daemon";

/// Why a library of this site cannot have an alias, if it cannot. What counts is the local-part that mail comes to: the
/// alias with the site's prefix before it, as far as its subaddress.
pub fn refusal(alias: &Alias, site: &Site) -> Option<String> {
    let prefix = &site.alias_prefix;
    let whole = format!("{prefix}{alias}");
    if let Err(why) = whole.parse::<Alias>() {
        return Some(format!("with the prefix {prefix}: {why}"));
    }
    let local = whole.split('+').next().unwrap_or_default();
    if local == SERVERS {
        return Some(format!("mail servers write under {local}, and what answers them is for nobody"));
    }
    let reserved = RESERVED.iter().find(|(name, _)| *name == local);
    reserved.map(|(name, why)| format!("{name} {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(alias: &str, prefix: &str) -> bool {
        let site = Site { alias_prefix: prefix.to_owned(), ..Site::default() };
        refusal(&alias.parse().unwrap(), &site).is_some()
    }

    #[test]
    fn what_counts_is_the_local_part_that_mail_comes_to() {
        assert!(refused("Postmaster", "") && refused("abuse+x", "") && refused("mailer-daemon", ""));
        assert!(refused("master", "post") && !refused("postmaster", "to-") && !refused("master", ""));
        assert!(!refused("+postmaster", "") && !refused("postmasters", ""));
        assert!(refused(&"a".repeat(128), "x") && !refused(&"a".repeat(127), "x"));
        assert!(!refused("x", "a."), "a dot may end the prefix");
    }
}
