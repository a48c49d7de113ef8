//! `[sender]`: what counts as proof of who sent a mail.

use mailshelf_storage::model::Level;
use serde::Deserialize;

use super::{Fault, check_domain};

/// `[sender]`: what counts as proof.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub struct Sender {
    /// Our border servers' ids, lower case; empty: no result is believed.
    pub authserv_id: Vec<String>,
    /// Where they write their results.
    pub results_at: ResultsAt,
    /// Our server writes `(Authenticated sender: …)` into its `Received`.
    pub received_auth: bool,
    /// Lower case; those of the site where none are named.
    pub own_domains: Vec<String>,
    /// What others must prove.
    pub require: Require,
    /// What senders of our own domains must prove.
    pub internal_require: Require,
    /// The bare From header is believed.
    pub trust_from: bool,
    /// The drop is fed by an Exchange that strips `X-MS-Exchange-Organization-AuthAs` from what comes from outside.
    pub exchange_internal: bool,
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

impl Default for Sender {
    fn default() -> Sender {
        Sender {
            authserv_id: Vec::new(),
            results_at: ResultsAt::Above,
            received_auth: false,
            own_domains: Vec::new(),
            require: Require::Domain,
            internal_require: Require::Submission,
            trust_from: false,
            exchange_internal: false,
        }
    }
}

/// Checks the ids and domains; `site` are the domains of the site.
pub(super) fn check(mut sender: Sender, site: &[String]) -> Result<Sender, Fault> {
    for id in &mut sender.authserv_id {
        // A token (RFC 2045 section 5.1) in practice: a host name, or a word.
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
        if id.is_empty() || id.len() > 253 || !id.bytes().all(plain) {
            let fault = Fault::new(format!("sender.authserv_id: {id:?} is no authserv-id"));
            let hint = "it is the first word of the Authentication-Results that your server writes, such as mx1.docs.example.org";
            return Err(fault.of("sender.authserv_id").hint(hint));
        }
        id.make_ascii_lowercase();
    }
    for domain in &mut sender.own_domains {
        *domain = check_domain(domain)
            .map_err(|why| Fault::new(format!("sender.own_domains: {why}")).of("sender.own_domains"))?;
    }
    if sender.own_domains.is_empty() {
        sender.own_domains = site.to_vec();
    }
    Ok(sender)
}
