//! Stage 5: a recipient's local-part names a library, or there is none.

use std::time::Duration;

use jiff::Timestamp;
use mailshelf_storage::address::canonical_domain;
use mailshelf_storage::model::Library;
use mailshelf_storage::{Address, Alias, Reader, Result};

use crate::config::{Site, term};
use crate::outcome::Reason;

pub mod alias;

/// Where a recipient leads.
#[derive(Clone, Debug)]
pub enum Route {
    /// To a library that takes mail.
    To(Reached),
    /// To a library that takes none.
    Disabled(Reached),
    /// Nowhere, and why.
    Nowhere(Reason),
}

/// A library that a recipient leads to.
#[derive(Clone, Debug)]
pub struct Reached {
    /// Which.
    pub library: Library,
    /// By what, where that is not its alias any more.
    pub former: Option<Former>,
}

/// An alias that a library had before, and that still leads to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Former {
    /// The alias.
    pub alias: Alias,
    /// From then on it leads nowhere.
    pub until: Timestamp,
}

impl Former {
    /// Of an alias that was changed at `since`; `None` where that is `term` (`site.former_alias`) ago, or more.
    pub fn now(alias: Alias, since: Timestamp, term: Duration) -> Option<Former> {
        let until = term::until(since, term).unwrap_or(Timestamp::MAX);
        (!term.is_zero() && until > Timestamp::now()).then_some(Former { alias, until })
    }
}

/// The one form in which a recipient is compared and recorded: canonical where it is an address, else as written.
pub fn canonical(recipient: &str) -> String {
    recipient.parse().map_or_else(|_| recipient.to_owned(), |address: Address| address.to_string())
}

/// Finds the library of a recipient.
pub fn route(recipient: &str, site: &Site, libraries: &dyn Reader) -> Result<Route> {
    if recipient.is_empty() {
        return Ok(Route::Nowhere(Reason::NoRecipient));
    }
    let Some((local, domain)) = split(recipient) else {
        return Ok(Route::Nowhere(Reason::ForeignDomain));
    };
    if !site.domains.contains(&domain) {
        return Ok(Route::Nowhere(Reason::ForeignDomain));
    }
    for alias in aliases(&local, &site.alias_prefix) {
        match reach(alias, site, libraries)? {
            Some(reached) if reached.library.settings.enabled => return Ok(Route::To(reached)),
            Some(reached) => return Ok(Route::Disabled(reached)),
            None => {}
        }
    }
    Ok(Route::Nowhere(Reason::UnknownAlias))
}

/// The library that has an alias, or had it and no other has it now. A former alias that matches whole comes before a
/// library of what stands before its `+`: while it was in use, it did.
fn reach(alias: Alias, site: &Site, libraries: &dyn Reader) -> Result<Option<Reached>> {
    if let Some(library) = libraries.library_by_alias(&alias)? {
        return Ok(Some(Reached { library, former: None }));
    }
    if site.former_alias.is_zero() {
        return Ok(None);
    }
    let Some((library, since)) = libraries.library_by_former_alias(&alias)? else { return Ok(None) };
    let former = Former::now(alias, since, site.former_alias);
    Ok(former.map(|former| Reached { library, former: Some(former) }))
}

/// The aliases that a recipient is looked for by, in this order.
pub(crate) fn tried(recipient: &str, site: &Site) -> Vec<Alias> {
    split(recipient).map_or_else(Vec::new, |(local, _)| aliases(&local, &site.alias_prefix).collect())
}

/// Whether a recipient is meant for one of our domains, whatever stands before the `@`.
pub fn is_ours(recipient: &str, site: &Site) -> bool {
    split(recipient).is_some_and(|(_, domain)| site.domains.contains(&domain))
}

/// Local-part and domain, in lower case. What is no canonical address may still be meant for one of our domains.
fn split(recipient: &str) -> Option<(String, String)> {
    match recipient.parse::<Address>() {
        Ok(address) => Some((address.local_part().to_owned(), address.domain().to_owned())),
        Err(_) => {
            let (local, domain) = recipient.rsplit_once('@')?;
            let plain = || domain.trim_end_matches('.').to_ascii_lowercase();
            Some((local.to_lowercase(), canonical_domain(domain).unwrap_or_else(plain)))
        }
    }
}

/// The aliases that a local-part may mean: the whole of it; else what stands before the first `+` (a subaddress,
/// RFC 5233). The site's prefix is taken off first.
fn aliases<'a>(local: &'a str, prefix: &str) -> impl Iterator<Item = Alias> + use<'a> {
    let name = local.strip_prefix(prefix);
    let before_plus = name.and_then(|name| name.split_once('+')).map(|(before, _)| before);
    name.into_iter().chain(before_plus).filter_map(|alias| alias.parse().ok())
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    fn tried(local: &str, prefix: &str) -> Vec<String> {
        aliases(local, prefix).map(|alias| alias.to_string()).collect()
    }

    #[test]
    fn a_former_alias_leads_on_for_its_term() {
        let (alias, hour) = (|| "old".parse::<Alias>().unwrap(), Duration::from_secs(3600));
        let changed = Timestamp::now() - SignedDuration::from_mins(59);
        let former = Former::now(alias(), changed, hour).unwrap();
        assert_eq!((former.alias, former.until), (alias(), changed + SignedDuration::from_hours(1)));
        assert_eq!(Former::now(alias(), changed, hour - Duration::from_secs(61)), None);
        assert_eq!(
            Former::now(alias(), Timestamp::now() + SignedDuration::from_hours(1), Duration::ZERO),
            None
        );
        assert_eq!(Former::now(alias(), changed, Duration::MAX).unwrap().until, Timestamp::MAX);
    }

    #[test]
    fn the_whole_local_part_comes_before_the_subaddress() {
        assert_eq!(tried("invoices", ""), ["invoices"]);
        assert_eq!(tried("invoices+march+2", ""), ["invoices+march+2", "invoices"]);
        assert_eq!(tried("+march", ""), ["+march"]);
    }

    #[test]
    fn a_prefix_is_asked_for_and_taken_off() {
        assert_eq!(tried("to-invoices+x", "to-"), ["invoices+x", "invoices"]);
        assert!(tried("invoices", "to-").is_empty());
    }

    #[test]
    fn what_is_no_address_leads_nowhere() {
        let site = Site { domains: vec!["docs.example.org".to_owned()], ..Site::default() };
        for odd in ["in..voices@docs.example.org", "in voices@docs.example.org", "invoices", "@"] {
            assert!(super::tried(odd, &site).is_empty(), "{odd}");
        }
        let found = super::tried("INVOICES@docs.example.org..", &site);
        assert_eq!(found.iter().map(Alias::as_str).collect::<Vec<_>>(), ["invoices"]);
    }

    #[test]
    fn one_recipient_has_one_form() {
        assert_eq!(canonical("\"Invoices\"@Docs.Example.org."), "invoices@docs.example.org");
        assert_eq!(canonical("not an address"), "not an address");
        assert_eq!(
            canonical("Invoices+M\u{c4}RZ@B\u{dc}cher.example"),
            "invoices+märz@xn--bcher-kva.example"
        );
    }

    #[test]
    fn what_is_no_address_may_still_lead_to_a_library() {
        let domain = || "xn--bcher-kva.example".to_owned();
        for (recipient, local) in [
            ("Invoices+M\u{430}rch@B\u{dc}cher.example", "invoices+m\u{430}rch"),
            ("invoices+\u{202e}x@bu\u{308}cher.example.", "invoices+\u{202e}x"),
            ("a..b@XN--BCHER-KVA.example", "a..b"),
            ("Invoices@xn--bcher-kva.example..", "invoices"),
        ] {
            assert!(recipient.parse::<Address>().is_err(), "{recipient}");
            assert_eq!(split(recipient), Some((local.to_owned(), domain())), "{recipient}");
        }
        assert_eq!(tried("invoices+m\u{430}rch", ""), ["invoices"]);
    }
}
