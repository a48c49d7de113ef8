//! Own verification of DKIM, DMARC and ARC: which domain vouches for From, found by asking DNS for keys and policies.
//!
//! Only what could matter is looked at: signatures by the domain of From or one that its policy may let speak for it,
//! and chains sealed by a forwarder the site believes. So a stranger has us ask about no domain but those that From
//! and the site itself name. SPF is not checked: the address the mail came from is not ours to know.
//!
//! A resolver that fails is no answer: [`Verified::Unavailable`]. mail-auth is known to `key` alone, and the resolver
//! to `dns`.

use jiff::Timestamp;
use mailshelf_storage::Address;

use crate::config::{self, Verify};
use crate::message::doubt;
use crate::sender::align::{Alignment, is_above, is_within};
use dns::Dns;
pub use dns::Until;
use message::{Signed, travelled};
use signature::{Kind, Signature, Signer, is_name, text};
use tags::Tags;

mod message;
mod tags;
mod signature;
mod key;
mod policy;
mod arc;
mod dns;

/// So many signatures that could matter are looked at; honest mail has one or two.
const SIGNATURES: usize = 10;

/// What own verification found: plain facts, not what follows from them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// The From is of this domain: a signature that may speak for it.
    Signed {
        /// That of From, lower case.
        domain: String,
        /// By what, in words.
        by: String,
    },
    /// The From is of this domain: a forwarder that is believed has seen that.
    Sealed {
        /// That of From, lower case.
        domain: String,
        /// By what, in words.
        by: String,
    },
    /// A signature, seal or policy that proves nothing, and why, in words.
    Void(String),
}

/// What came of verifying a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verified {
    /// All that can be known.
    Found(Vec<Finding>),
    /// Nothing was proven, and DNS did not tell something that could have: the words name resolver and question.
    Unavailable(String),
}

/// Verifies mails; one serves all threads, and remembers what DNS said.
pub struct Verifier {
    policies: bool,
    /// How near to From's domain a signer must be, whatever its policy allows.
    alignment: Alignment,
    sealers: Vec<String>,
    dns: Dns,
}

/// The times that matter for one mail.
struct Clock<'a> {
    arrived: Timestamp,
    until: Until<'a>,
}

/// Why something proves nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Unproven {
    /// It does not count.
    Void(&'static str),
    /// Whether it counts is not known.
    Unavailable(String),
}

impl Verifier {
    /// As configured; none where nothing is to be verified. The resolver is opened when it is first needed.
    pub fn open(settings: &config::Sender) -> Option<Verifier> {
        let policies = match settings.verify {
            Verify::Off => return None,
            Verify::Dkim => false,
            Verify::Dmarc => true,
        };
        let (alignment, sealers) = (settings.alignment, settings.arc_sealers.clone());
        Some(Verifier { policies, alignment, sealers, dns: Dns::new(settings.resolver) })
    }

    /// One that asks for policies, and knows these TXT records (name, text) and no others: DNS is not asked.
    pub fn with_records(arc_sealers: &[&str], records: &[(&str, &str)]) -> Verifier {
        let sealers = arc_sealers.iter().map(|&sealer| sealer.to_owned()).collect();
        Verifier { policies: true, alignment: Alignment::Relaxed, sealers, dns: Dns::records(records) }
    }

    /// Looks for proof of the domain of `from`, which must be what [`super::from::mailbox`] reads in this message.
    /// `arrived` is when the mail came to us: what expired since then still counts. DNS is asked, and waited
    /// for, no longer than `until`.
    pub fn verify<'a>(
        &self,
        message: &[u8],
        from: &Address,
        arrived: Timestamp,
        until: impl Into<Until<'a>>,
    ) -> Verified {
        let clock = Clock { arrived, until: until.into() };
        let nothing_counts =
            |why: &str| Verified::Found(vec![Finding::Void(format!("no signature counts: {why}"))]);
        if let Some(why) = doubt::in_header(message) {
            return nothing_counts(&why);
        }
        let message = match travelled(message) {
            Ok(message) => message,
            Err(why) => return nothing_counts(why),
        };
        let message = Signed::read(&message);
        let mut found = Vec::new();
        let mut unavailable = None;
        let domain = from.domain();
        let signed = self.signed(&message, domain, &clock);
        let signed = signed.map(|one| one.map(|by| Finding::Signed { domain: domain.to_owned(), by }));
        let sealed = self.forwarded(&message, from, &clock);
        let sealed = sealed.map(|one| one.map(|by| Finding::Sealed { domain: domain.to_owned(), by }));
        // One at a time: the first proof is enough, and nobody is asked for more.
        for one in signed.chain(sealed) {
            match one {
                Ok(proof) => return Verified::Found(vec![proof]),
                Err((what, Unproven::Void(why))) => {
                    let void = Finding::Void(format!("{what}: {why}"));
                    if !found.contains(&void) {
                        found.push(void);
                    }
                }
                Err((_, Unproven::Unavailable(why))) => unavailable = unavailable.or(Some(why)),
            }
        }
        match unavailable {
            Some(why) => Verified::Unavailable(why),
            None => Verified::Found(found),
        }
    }

    /// What each signature that could matter proves.
    fn signed(&self, message: &Signed<'_>, from: &str, clock: &Clock<'_>) -> impl Iterator<Item = Proof> {
        let fields = message.fields.iter().filter(|field| field.is("dkim-signature"));
        let candidates = fields.filter_map(move |field| {
            let list = text(field)?;
            let tags = Tags::read(list)?;
            let signer = Signer::read(&tags);
            let claimed = tags.get("d").unwrap_or_default().to_ascii_lowercase();
            let may = match self.alignment {
                Alignment::Strict => claimed == from,
                Alignment::Relaxed => {
                    is_above(&claimed, from) || (self.policies && is_within(&claimed, from))
                }
            };
            (may && is_name(&claimed)).then_some((field, tags, signer, claimed))
        });
        candidates.take(SIGNATURES).map(move |(field, tags, signer, claimed)| {
            let what = format!("the DKIM signature of {claimed}");
            let proven = signer.map_err(Unproven::Void).and_then(|signer| {
                let signature = Signature::read(field, signer, &tags, Kind::Dkim, clock.arrived);
                let signature = signature.map_err(Unproven::Void)?;
                signature.check(message, &self.dns, clock)?;
                if self.policies {
                    policy::permits(&claimed, from, &self.dns, clock)?;
                }
                Ok(signature.signer.selector)
            });
            match proven {
                Ok(selector) if self.policies => {
                    Ok(format!("dmarc=pass, verified by us: signed by {claimed} (s={selector})"))
                }
                Ok(selector) => Ok(format!("dkim=pass, verified by us: signed by {claimed} (s={selector})")),
                Err(why) => Err((what, why)),
            }
        })
    }

    /// What a forwarder that is believed saw.
    fn forwarded(
        &self,
        message: &Signed<'_>,
        from: &Address,
        clock: &Clock<'_>,
    ) -> impl Iterator<Item = Proof> {
        let ask = move || match self.sealers.as_slice() {
            [] => None,
            sealers => arc::seen_by(message, sealers, from, &self.dns, clock),
        };
        let seen = std::iter::once_with(ask).flatten();
        seen.map(|seen| match seen {
            Ok(sealer) => Ok(format!("arc sealed by {sealer}, which saw dmarc=pass")),
            Err(why) => Err(("the ARC chain".to_owned(), why)),
        })
    }
}

/// What proves the domain, in words; or what does not, and why.
type Proof = Result<String, (String, Unproven)>;

#[cfg(test)]
mod tests;
