//! `[sender]`: what counts as proof of who sent a mail.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use mailshelf_storage::model::Level;
use serde::Deserialize;

use super::{Fault, check_domain};
use crate::sender::align::Alignment;

/// `[sender]`: what counts as proof.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub struct Sender {
    /// Our border servers' ids, lower case; empty: no result is believed.
    pub authserv_id: Vec<String>,
    /// Where they write their results.
    pub results_at: ResultsAt,
    /// How near to that of From a domain must be that signed, or whose server sent.
    pub alignment: Alignment,
    /// Our server writes `(Authenticated sender: …)` into its `Received`.
    pub received_auth: bool,
    /// The domains our people write from, and those below them; lower case, those of the site where none are named.
    pub own_domains: Vec<String>,
    /// What others must prove.
    pub require: Require,
    /// What senders of our own domains must prove.
    pub internal_require: Require,
    /// The bare From header is believed.
    pub trust_from: bool,
    /// The drop is fed by an Exchange that strips `X-MS-Exchange-Organization-AuthAs` from what comes from outside.
    pub exchange_internal: bool,
    /// What we verify ourselves.
    pub verify: Verify,
    /// Whom we ask for keys and policies.
    pub resolver: Resolver,
    /// Domains, lower case, whose ARC seals are believed.
    pub arc_sealers: Vec<String>,
}

/// Where our servers write `Authentication-Results`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ResultsAt {
    /// Above the first `Received`.
    Above,
    /// Directly under it.
    Below,
}

/// The least proof that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Require {
    /// SPF, aligned with From.
    Spf,
    /// DMARC, or a signature aligned with From.
    Domain,
    /// The sender signed in.
    Submission,
}

impl Require {
    /// The level that it stands for.
    pub fn level(self) -> Level {
        match self {
            Require::Spf => Level::Spf,
            Require::Domain => Level::Domain,
            Require::Submission => Level::Submission,
        }
    }
}

/// What is verified with our own eyes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verify {
    /// Nothing.
    #[default]
    Off,
    /// DKIM signatures by the domain of From, or one above it.
    Dkim,
    /// The same, where From's domain publishes a DMARC policy that is met.
    Dmarc,
}

/// Which DNS resolver is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(try_from = "String")]
pub enum Resolver {
    /// Those of the system (`/etc/resolv.conf`).
    #[default]
    System,
    /// This one.
    At(SocketAddr),
}

impl TryFrom<String> for Resolver {
    type Error = String;

    fn try_from(text: String) -> Result<Resolver, String> {
        if text == "system" {
            return Ok(Resolver::System);
        }
        if let Ok(address) = text.parse::<SocketAddr>()
            && address.port() != 0
        {
            return Ok(Resolver::At(address));
        }
        let port = match text.parse::<IpAddr>() {
            Ok(ip) => format!("; with the usual port it is \"{}\"", SocketAddr::new(ip, 53)),
            Err(_) => String::new(),
        };
        Err(format!("sender.resolver is \"system\" or \"IP:PORT\", not {text:?}{port}"))
    }
}

impl fmt::Display for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Resolver::System => f.write_str("the system's resolver"),
            Resolver::At(address) => write!(f, "the resolver {address}"),
        }
    }
}

impl Default for Sender {
    fn default() -> Sender {
        Sender {
            authserv_id: Vec::new(),
            results_at: ResultsAt::Above,
            alignment: Alignment::Relaxed,
            received_auth: false,
            own_domains: Vec::new(),
            require: Require::Domain,
            internal_require: Require::Submission,
            trust_from: false,
            exchange_internal: false,
            verify: Verify::Off,
            resolver: Resolver::System,
            arc_sealers: Vec::new(),
        }
    }
}

impl Sender {
    /// The keys that are set by which a header proves who sent a mail.
    pub fn headers(&self) -> Vec<&'static str> {
        let keys = [
            ("authserv_id", !self.authserv_id.is_empty()),
            ("received_auth", self.received_auth),
            ("exchange_internal", self.exchange_internal),
        ];
        keys.into_iter().filter(|(_, set)| *set).map(|(key, _)| key).collect()
    }

    /// The same, but that no header proves anything, nor does the bare From.
    pub fn without_headers(self) -> Sender {
        Sender {
            authserv_id: Vec::new(),
            received_auth: false,
            exchange_internal: false,
            trust_from: false,
            ..self
        }
    }
}

/// Checks the ids and domains; `site` are the domains of the site.
pub(super) fn check(mut sender: Sender, site: &[String]) -> Result<Sender, Fault> {
    check_ids(&mut sender.authserv_id)?;
    check_domains(&mut sender.own_domains, "sender.own_domains")?;
    check_domains(&mut sender.arc_sealers, "sender.arc_sealers")?;
    // Whoever lists a sealer relies on what would not happen. Other idle keys ask for nothing that is not done.
    if !sender.arc_sealers.is_empty() && sender.verify == Verify::Off {
        let fault = Fault::new("sender.arc_sealers: nobody looks at seals while sender.verify is off");
        return Err(fault.of("sender.arc_sealers").hint("set verify = \"dmarc\", or leave arc_sealers out"));
    }
    if sender.own_domains.is_empty() {
        sender.own_domains = site.to_vec();
    }
    Ok(sender)
}

fn check_ids(ids: &mut [String]) -> Result<(), Fault> {
    for id in ids {
        // A token (RFC 2045 section 5.1) in practice: a host name, or a word.
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
        if id.is_empty() || id.len() > 253 || !id.bytes().all(plain) {
            let fault = Fault::new(format!("sender.authserv_id: {id:?} is no authserv-id"));
            let hint = "it is the first word of the Authentication-Results that your server writes, such as mx1.docs.example.org";
            return Err(fault.of("sender.authserv_id").hint(hint));
        }
        id.make_ascii_lowercase();
    }
    Ok(())
}

fn check_domains(domains: &mut [String], key: &'static str) -> Result<(), Fault> {
    for domain in domains {
        *domain = check_domain(domain).map_err(|why| Fault::new(format!("{key}: {why}")).of(key))?;
    }
    Ok(())
}
