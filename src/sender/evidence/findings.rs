//! What was found: evidence, and why there is no more of it.

/// Something that speaks for a sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// What it shows.
    pub kind: Kind,
    /// By what, in words: `spf=pass smtp.mailfrom=example.org by mx1.docs.example.org`.
    pub by: String,
}

/// What evidence shows. Domains and accounts are as reported; whether they fit the From is judged later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A server that this domain lets send for it has sent the mail.
    Spf {
        /// That of the return path.
        domain: String,
    },
    /// This domain answers for the mail: a signature, or DMARC.
    Domain {
        /// `d=` of the signature, or the domain of From where a policy was met.
        domain: String,
    },
    /// This account signed in at our own server.
    Submission {
        /// Its name, or its address.
        account: String,
    },
    /// Our Exchange takes the sender for the one that From names.
    Internal,
}

/// All the evidence of a mail, and why there is no more of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// What counts.
    pub evidence: Vec<Evidence>,
    /// What was looked at and does not count, in words.
    pub remarks: Vec<String>,
    /// What our servers say of the policy of From's domain.
    pub dmarc: Dmarc,
    /// Readers may take the mail differently: nothing speaks for its sender, and nothing can.
    pub ambiguous: bool,
    /// Somebody signed in, in words, and nobody knows who.
    pub somebody: Option<String>,
}

/// Whether the owner of From's domain lets other evidence speak for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dmarc {
    /// The policy is met, or there is none, or our servers do not speak of it.
    #[default]
    Open,
    /// They could not tell.
    Unknown,
    /// It is not met, or they contradict themselves.
    Unmet,
}

impl Findings {
    pub(super) fn add(&mut self, kind: Kind, by: String) {
        self.evidence.push(Evidence { kind, by });
    }

    /// The accounts that signed in.
    pub fn accounts(&self) -> impl Iterator<Item = &str> {
        self.evidence.iter().filter_map(|evidence| match &evidence.kind {
            Kind::Submission { account } => Some(account.as_str()),
            _ => None,
        })
    }

    pub(super) fn remark(&mut self, remark: impl Into<String>) {
        self.remarks.push(remark.into());
    }
}
