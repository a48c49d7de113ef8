//! Alignment: whether a domain that signed may speak for that of From (RFC 7489 section 3.1.1, RFC 9989).

use super::dns::Dns;
use super::tags::Tags;
use super::{Clock, Unproven};
use crate::sender::align::{Alignment, is_above, is_suffix, is_within};

/// The tree is walked in so many steps at most (RFC 9989 section 4.10).
const STEPS: usize = 8;

/// Whether the policy that `from` publishes lets `signer` speak for it. There must be one.
///
/// A domain beside `from` (one parent, neither above the other) never may: whether the parent is one owner or a
/// registry with many, nothing in DNS reliably tells.
pub fn permits(signer: &str, from: &str, dns: &Dns, clock: &Clock<'_>) -> Result<(), Unproven> {
    const OTHER: Unproven = Unproven::Void("its domain may not sign for that of From");
    let policy = published(from, dns, clock)?;
    if signer == from || (policy.alignment == Alignment::Relaxed && is_above(signer, from)) {
        return Ok(());
    }
    if policy.alignment == Alignment::Strict {
        return Err(Unproven::Void("the policy of From's domain wants that very domain to sign (adkim=s)"));
    }
    // A sub-domain may where From's own domain says so; what its parent publishes is said of the parent.
    let child = is_within(signer, from) && policy.own && !is_suffix(from);
    if child { Ok(()) } else { Err(OTHER) }
}

/// What matters here of a DMARC policy.
struct Policy {
    /// How near to it whoever signs must be.
    alignment: Alignment,
    /// The domain publishes it itself.
    own: bool,
}

/// The policy of a domain: its own, else that of the nearest domain above it that has one.
fn published(domain: &str, dns: &Dns, clock: &Clock<'_>) -> Result<Policy, Unproven> {
    for owner in walk(domain) {
        let records = dns.txt(&format!("_dmarc.{owner}"), clock.until);
        let records = records.map_err(Unproven::Unavailable)?;
        let mut policies = records.iter().filter_map(|record| alignment(record));
        match (policies.next(), policies.next()) {
            (Some(alignment), None) => return Ok(Policy { alignment, own: owner == domain }),
            (Some(_), Some(_)) => return Err(Unproven::Void("From's domain has more than one DMARC policy")),
            (None, _) => {}
        }
    }
    Err(Unproven::Void("From's domain has no DMARC policy"))
}

/// A domain and those above it, top-level ones apart; of a very long one only the upper ones.
fn walk(domain: &str) -> impl Iterator<Item = &str> {
    let labels = |name: &str| name.split('.').count();
    std::iter::successors(Some(domain), |name| Some(name.split_once('.')?.1))
        .filter(move |name| labels(name) > 1 && (*name == domain || labels(name) < STEPS))
}

/// What a record asks for, if it is a DMARC policy. A registry's (`psd=y`) speaks for many owners: then only
/// the very domain may sign. So it is where `adkim=` says nothing known.
fn alignment(record: &[u8]) -> Option<Alignment> {
    let tags = Tags::of_record(record)?;
    if tags.first() != Some(("v", "DMARC1")) {
        return None;
    }
    let relaxed = tags.get("adkim").is_none_or(|mode| mode.eq_ignore_ascii_case("r"));
    let registry = tags.get("psd").is_some_and(|psd| psd.eq_ignore_ascii_case("y"));
    Some(if relaxed && !registry { Alignment::Relaxed } else { Alignment::Strict })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_is_walked_up_and_ends_below_the_top() {
        assert_eq!(walk("a.b.x.org").collect::<Vec<_>>(), ["a.b.x.org", "b.x.org", "x.org"]);
        assert_eq!(walk("org").count(), 0);
        let long = walk("a.b.c.d.e.f.g.h.i.x.org").collect::<Vec<_>>();
        assert_eq!((long.len(), long[1]), (7, "e.f.g.h.i.x.org"));
    }

    #[test]
    fn alignment_is_what_the_record_says_or_the_safer() {
        for (record, asked) in [
            ("v=DMARC1; p=none", Some(Alignment::Relaxed)),
            ("v=DMARC1; p=reject; adkim=r; rua=mailto:a@x.org,mailto:b@x.org;", Some(Alignment::Relaxed)),
            ("v=DMARC1; adkim=s", Some(Alignment::Strict)),
            ("v=DMARC1; adkim=x", Some(Alignment::Strict)),
            ("v=DMARC1; psd=y", Some(Alignment::Strict)),
            ("v=DMARC1; adkim=r; adkim=s", None),
            ("p=none; v=DMARC1", None),
            ("v=DMARC2; p=none", None),
            ("v=spf1 -all", None),
        ] {
            assert_eq!(alignment(record.as_bytes()), asked, "{record}");
        }
    }
}
