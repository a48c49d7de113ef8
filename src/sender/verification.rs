//! What own verification adds to the evidence of a header, and where it is worth asking for.

use mailshelf_storage::Address;
use mailshelf_storage::model::Level;

use super::evidence::{Dmarc, Evidence, Findings, Kind};
use super::identity::{Rules, judge};
use super::known::Known;
use super::verify::Finding;
use crate::config::{Sender, Verify};

/// So many reasons why something proves nothing are told.
const TOLD: usize = 3;

/// What own verification of a mail came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verification {
    /// It is off, or it could change nothing.
    NotAsked,
    /// What there is to know.
    Done(Vec<Finding>),
    /// Not known for now, and why.
    Unavailable(String),
}

impl Verification {
    /// Adds what it found to what the header says of the same mail; or why it was not asked, where nothing else tells.
    pub fn add_to(&self, from: &Address, found: &mut Findings, settings: &Sender) {
        if found.ambiguous {
            return;
        }
        let findings = match self {
            Verification::Done(findings) => findings,
            Verification::NotAsked => return found.remarks.extend(pointless(from, found, settings)),
            Verification::Unavailable(_) => return,
        };
        let signatures = signatures_count(found, settings);
        let mut remarks = Vec::new();
        for finding in findings {
            match finding {
                Finding::Signed { by, .. } if !signatures => {
                    remarks.push(format!("{by}, which our server's word on DMARC outranks"));
                }
                Finding::Signed { domain, by } | Finding::Sealed { domain, by } => {
                    let kind = Kind::Domain { domain: domain.clone() };
                    found.evidence.push(Evidence { kind, by: by.clone() });
                }
                Finding::Void(why) => remarks.push(why.clone()),
            }
        }
        if findings.is_empty() {
            remarks.push("no signature that could speak for From, as verified by us".to_owned());
        }
        found.remarks.extend(remarks.into_iter().take(TOLD));
    }
}

/// Why own verification was not asked although it is on: more is required than it could prove.
fn pointless(from: &Address, found: &Findings, settings: &Sender) -> Option<String> {
    let required = Rules::of(settings, false).required(from);
    let silent = settings.verify != Verify::Off && found.evidence.is_empty() && required > Level::Domain;
    silent.then(|| {
        format!("no signature was looked at: it would prove {}, and {required} is required", Level::Domain)
    })
}

/// Whether signatures may still prove anything. Where our own server saw the policy of From's domain not met it knew
/// more than we do; where it could not tell, only asking for that policy helps.
fn signatures_count(found: &Findings, settings: &Sender) -> bool {
    match found.dmarc {
        Dmarc::Open => true,
        Dmarc::Unknown => settings.verify == Verify::Dmarc,
        Dmarc::Unmet => false,
    }
}

/// Whether own verification can make somebody the sender of a mail whose header speaks for nobody. It proves a domain,
/// so that is supposed, and judged as everything is.
pub fn may_help(from: &Address, known: &Known, found: &Findings, settings: &Sender, rules: &Rules) -> bool {
    let forwarders = !settings.arc_sealers.is_empty();
    if found.ambiguous || settings.verify == Verify::Off || !(forwarders || signatures_count(found, settings))
    {
        return false;
    }
    let identified = |findings: &Findings| judge(from, known, findings, rules).user.is_some();
    let mut supposed = found.clone();
    let kind = Kind::Domain { domain: from.domain().to_owned() };
    supposed.evidence.push(Evidence { kind, by: String::new() });
    !identified(found) && identified(&supposed)
}

#[cfg(test)]
mod tests {
    use mailshelf_storage::UserId;
    use mailshelf_storage::model::User;

    use super::*;
    use crate::config::{Require, ResultsAt};
    use crate::sender::evidence::collect;
    use crate::sender::traces::Traces;

    const SIGNED: &str = "dmarc=pass, verified by us";
    const SEALED: &str = "arc sealed by lists.org";

    fn from() -> Address {
        "alice@example.org".parse().unwrap()
    }

    /// Alice's, and no more.
    fn known() -> Known {
        let alice = User { id: UserId(1), login: "alice".parse().unwrap(), addresses: vec![from()] };
        let accounts = [("alice".to_owned(), vec![alice.clone()])].into();
        Known { senders: vec![alice], accounts }
    }

    fn settings(verify: Verify) -> Sender {
        Sender {
            authserv_id: vec!["mx".to_owned()],
            results_at: ResultsAt::Above,
            own_domains: vec!["docs.example.org".to_owned()],
            verify,
            ..Sender::default()
        }
    }

    /// What our server says, above its Received.
    fn header(results: &str, settings: &Sender) -> Findings {
        let header =
            format!("Authentication-Results: mx; {results}\nReceived: x\nFrom: alice@example.org\n\n");
        collect(&Traces::read(header.as_bytes()), &from(), settings)
    }

    fn signed(domain: &str) -> Finding {
        Finding::Signed { domain: domain.to_owned(), by: SIGNED.to_owned() }
    }

    fn sealed() -> Finding {
        Finding::Sealed { domain: "example.org".to_owned(), by: SEALED.to_owned() }
    }

    /// By what the mail is Alice's, if it is.
    fn proof(results: &str, verify: Verify, finding: Finding) -> Result<String, String> {
        let settings = settings(verify);
        let mut found = header(results, &settings);
        Verification::Done(vec![finding]).add_to(&from(), &mut found, &settings);
        let identity = judge(&from(), &known(), &found, &Rules::of(&settings, false));
        if identity.user.is_some() { Ok(identity.proof) } else { Err(identity.proof) }
    }

    #[test]
    fn findings_are_judged_as_all_evidence_is() {
        assert_eq!(proof("none", Verify::Dkim, signed("example.org")), Ok(SIGNED.to_owned()));
        assert_eq!(proof("none", Verify::Dmarc, sealed()), Ok(SEALED.to_owned()));
        let other = proof("none", Verify::Dkim, signed("example.com")).unwrap_err();
        assert!(other.contains("does not speak for example.org"), "{other}");
        let submission =
            proof("auth=pass smtp.auth=mallory", Verify::Dkim, signed("example.org")).unwrap_err();
        assert!(submission.contains("who is not the user of this From"), "{submission}");
        let void = Finding::Void("the DKIM signature of example.org: its key is revoked".to_owned());
        assert!(proof("none", Verify::Dkim, void).unwrap_err().ends_with("its key is revoked"));
    }

    #[test]
    fn what_our_server_says_of_dmarc_outranks_signatures_and_not_seals() {
        for (results, verify, counts) in [
            ("dmarc=none header.from=example.org", Verify::Dkim, true),
            ("dmarc=temperror header.from=example.org", Verify::Dkim, false),
            ("dmarc=temperror header.from=example.org", Verify::Dmarc, true),
            ("dmarc=permerror header.from=example.org", Verify::Dmarc, true),
            ("dmarc=fail header.from=example.org", Verify::Dkim, false),
            ("dmarc=fail header.from=example.org", Verify::Dmarc, false),
            ("dmarc=quarantine header.from=example.org", Verify::Dmarc, false),
            (
                "dmarc=temperror header.from=example.org; dmarc=temperror header.from=example.org",
                Verify::Dmarc,
                false,
            ),
        ] {
            let mut settings = settings(verify);
            let rules = Rules::of(&settings, false);
            let found = header(results, &settings);
            assert_eq!(proof(results, verify, signed("example.org")).is_ok(), counts, "{results}");
            assert_eq!(proof(results, verify, sealed()), Ok(SEALED.to_owned()), "{results}");
            assert_eq!(may_help(&from(), &known(), &found, &settings, &rules), counts, "{results}");
            settings.arc_sealers.push("lists.org".to_owned());
            assert!(may_help(&from(), &known(), &found, &settings, &rules), "{results}");
        }
    }

    #[test]
    fn it_is_asked_for_only_where_it_can_change_who_it_is() {
        let helps = |known: &Known, results: &str, settings: &Sender, trust_from: bool| {
            may_help(&from(), known, &header(results, settings), settings, &Rules::of(settings, trust_from))
        };
        let dkim = settings(Verify::Dkim);
        assert!(helps(&known(), "none", &dkim, false));
        assert!(helps(&known(), "spf=pass smtp.mailfrom=example.org", &dkim, false));
        assert!(!helps(&known(), "none", &settings(Verify::Off), false));
        assert!(!helps(&Known::default(), "none", &dkim, false));
        let senders = [known().senders, known().senders].concat();
        assert!(!helps(&Known { senders, ..known() }, "none", &dkim, false));
        assert!(!helps(&known(), "none", &dkim, true));
        assert!(!helps(&known(), "dmarc=pass header.from=example.org", &dkim, false));
        assert!(!helps(&known(), "auth=pass smtp.auth=alice", &dkim, false));
        assert!(!helps(&known(), "auth=pass smtp.auth=mallory", &dkim, false));
        let spf = Sender { require: Require::Spf, ..dkim.clone() };
        assert!(!helps(&known(), "spf=pass smtp.mailfrom=example.org", &spf, false));
        let own = Sender { own_domains: vec!["example.org".to_owned()], ..dkim.clone() };
        assert!(!helps(&known(), "none", &own, false));
        let lenient = Sender { internal_require: Require::Domain, ..own };
        assert!(helps(&known(), "none", &lenient, false));
        let strict = Sender { require: Require::Submission, ..dkim };
        assert!(!helps(&known(), "none", &strict, false));
    }

    #[test]
    fn the_words_tell_what_was_asked_and_found() {
        let told = |results: &str, settings: &Sender, verification: &Verification| {
            let mut found = header(results, settings);
            verification.add_to(&from(), &mut found, settings);
            judge(&from(), &known(), &found, &Rules::of(settings, false)).proof
        };
        let nothing_configured = Sender { authserv_id: Vec::new(), ..settings(Verify::Off) };
        let alone = Sender { verify: Verify::Dkim, ..nothing_configured.clone() };
        let none = Verification::Done(Vec::new());
        let pass = "dmarc=pass header.from=example.org";
        assert_eq!(
            told(pass, &nothing_configured, &Verification::NotAsked),
            "no proof: no authserv_id is configured"
        );
        assert_eq!(
            told(pass, &alone, &none),
            "no proof: no signature that could speak for From, as verified by us"
        );
        let spf = "spf=pass smtp.mailfrom=example.org";
        assert_eq!(
            told(spf, &settings(Verify::Dkim), &none),
            "spf=pass smtp.mailfrom=example.org by mx proves spf, and domain is required; no signature that could speak for From, as verified by us"
        );
        let strict = Sender { require: Require::Submission, ..alone };
        assert_eq!(
            told(pass, &strict, &Verification::NotAsked),
            "no proof: no signature was looked at: it would prove domain, and submission is required"
        );
        let header_too = Sender { authserv_id: vec!["mx".to_owned()], ..strict };
        assert_eq!(
            told(pass, &header_too, &Verification::NotAsked),
            "dmarc=pass by mx proves domain, and submission is required"
        );
    }
}
