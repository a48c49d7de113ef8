//! Evidence → level → user: the tables of who may be whom, without effects.

use std::iter;

use mailshelf_storage::Address;
use mailshelf_storage::model::{Level, User};

use super::Identity;
use super::align::{Alignment, is_among};
use super::evidence::{Evidence, Findings, Kind};
use super::known::Known;
use crate::config;
use crate::escape::shorten;

/// What must be proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Of others.
    pub require: Level,
    /// Of senders of our own domains.
    pub internal_require: Level,
    /// Canonical.
    pub own_domains: Vec<String>,
    /// How near a proven domain must be to that of From.
    pub alignment: Alignment,
    /// The bare From is enough, of anyone.
    pub trust_from: bool,
}

impl Rules {
    /// Those of a site, and whether From is believed where the mail goes.
    pub fn of(settings: &config::Sender, trust_from: bool) -> Rules {
        Rules {
            require: settings.require.level(),
            internal_require: settings.internal_require.level(),
            own_domains: settings.own_domains.clone(),
            alignment: settings.alignment,
            trust_from,
        }
    }

    /// What must be proven of mail from this mailbox.
    pub fn required(&self, from: &Address) -> Level {
        match self {
            _ if self.trust_from => Level::FromHeader,
            _ if self.is_own(from) => self.internal_require,
            _ => self.require,
        }
    }

    /// Whether a mailbox is of one of our own domains, or one below.
    pub fn is_own(&self, from: &Address) -> bool {
        is_among(from.domain(), &self.own_domains)
    }
}

/// Who sent a mail whose From is this mailbox, of those who are known. In doubt nobody.
pub fn judge(from: &Address, known: &Known, findings: &Findings, rules: &Rules) -> Identity {
    let nobody = |proof: String| Identity {
        address: Some(from.clone()),
        user: None,
        level: Level::None,
        // What a server quotes of a stranger may be as long as its field.
        proof: shorten(&proof),
        known: !known.senders.is_empty(),
    };
    let user = match known.senders.as_slice() {
        [user] => user,
        [] => return nobody("nobody we know".to_owned()),
        _ => return nobody("more than one user has this address".to_owned()),
    };
    let another = findings.evidence.iter().find_map(|evidence| of_another(evidence, user, known));
    if let Some(why) = another.filter(|_| !rules.trust_from) {
        return nobody(why);
    }
    if let Some(why) = findings.somebody.as_ref().filter(|_| !rules.trust_from) {
        return nobody(format!("somebody signed in, and nobody knows who: {why}"));
    }
    let proof = best(from, user, known, &findings.evidence, rules);
    let required = rules.required(from);
    match proof {
        Some((level, by)) if level >= required => Identity {
            address: Some(from.clone()),
            user: Some(user.clone()),
            level,
            proof: by.to_owned(),
            known: true,
        },
        Some((level, by)) => {
            let weak = format!("{by} proves {level}, and {required} is required");
            nobody(told(iter::once(weak).chain(findings.remarks.iter().cloned())))
        }
        None => nobody(nothing(from, findings)),
    }
}

const BARE: &str = "From header, believed because trust_from is set";

/// The strongest evidence that the user sent it, the first of equals.
fn best<'e>(
    from: &Address,
    user: &User,
    known: &Known,
    evidence: &'e [Evidence],
    rules: &Rules,
) -> Option<(Level, &'e str)> {
    let mut best = rules.trust_from.then_some((Level::FromHeader, BARE));
    for evidence in evidence {
        let level = level(from, user, known, &evidence.kind, rules.alignment);
        if best.map_or(Level::None, |(best, _)| best) < level {
            best = Some((level, &evidence.by));
        }
    }
    best
}

/// How well evidence of a kind proves that this user sent a mail from this mailbox.
fn level(from: &Address, user: &User, known: &Known, kind: &Kind, alignment: Alignment) -> Level {
    let near = |domain: &str| alignment.holds(domain, from.domain());
    match kind {
        Kind::Spf { domain } if near(domain) => Level::Spf,
        Kind::Domain { domain } if near(domain) => Level::Domain,
        Kind::Submission { account } if is_account_of(account, user, known) => Level::Submission,
        Kind::Internal => Level::Submission,
        _ => Level::None,
    }
}

/// Somebody else signed in, or somebody who may be another, whatever else there is: in words.
fn of_another(evidence: &Evidence, user: &User, known: &Known) -> Option<String> {
    let Kind::Submission { account } = &evidence.kind else { return None };
    let by = &evidence.by;
    match known.of_account(account) {
        [_, _, ..] => Some(format!("{by}, an account of more than one user")),
        _ if is_account_of(account, user, known) => None,
        _ => Some(format!("{by}, who is not the user of this From")),
    }
}

/// An account is a user's where it means this one and nobody else: who signs in with what two users share may be either.
fn is_account_of(account: &str, user: &User, known: &Known) -> bool {
    matches!(known.of_account(account), [only] if only.id == user.id)
}

/// Why nothing is proven, in words.
fn nothing(from: &Address, findings: &Findings) -> String {
    // A level would have been found if they did.
    let other = |evidence: &Evidence| match &evidence.kind {
        Kind::Spf { .. } | Kind::Domain { .. } => {
            Some(format!("{} does not speak for {}", evidence.by, from.domain()))
        }
        _ => None,
    };
    let whys = findings.evidence.iter().filter_map(other).chain(findings.remarks.iter().cloned());
    match told(whys).as_str() {
        "" => "no proof: From is only a claim".to_owned(),
        whys => format!("no proof: {whys}"),
    }
}

fn told(whys: impl Iterator<Item = String>) -> String {
    whys.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests;
