//! Which mails: the same four options wherever mails are listed.

use mailshelf::outcome::Reason;
use mailshelf::record::words::MailRecord;
use mailshelf_storage::model::OutcomeKind;
use mailshelf_storage::{LibraryName, Login};

/// A mail is meant if it is from the sender and one of its recipients has outcome, reason and library together.
#[derive(clap::Args, Default)]
pub struct Filter {
    /// Only mails that ended so for a recipient: filed, duplicate, rejected or deferred
    #[arg(long)]
    outcome: Option<OutcomeKind>,
    /// Only mails rejected for this, such as unknown-alias
    #[arg(long, value_parser = reason)]
    reason: Option<Reason>,
    /// Only mails to this library
    #[arg(long)]
    pub library: Option<LibraryName>,
    /// Only mails from this address, from any address of @DOMAIN, or from the user of this login
    #[arg(long, value_name = "ADDRESS|@DOMAIN|LOGIN")]
    sender: Option<Sender>,
}

fn reason(text: &str) -> Result<Reason, String> {
    Reason::of(text).ok_or_else(|| {
        let all: Vec<_> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
        format!("a reason is one of {}", all.join(" "))
    })
}

/// Who sent it, by what the mail claims or by what was proven; in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Sender {
    Domain(String),
    /// A login may look like an address.
    AddressOrLogin(String),
}

impl std::str::FromStr for Sender {
    type Err = String;

    fn from_str(text: &str) -> Result<Sender, String> {
        let lower = text.trim().to_lowercase();
        let wrong = || format!("{text:?} is neither an address nor @DOMAIN nor a login");
        match lower.rsplit_once('@') {
            Some((_, "")) => Err(wrong()),
            Some(("", domain)) => Ok(Sender::Domain(domain.to_owned())),
            None if lower.parse::<Login>().is_err() => Err(wrong()),
            _ => Ok(Sender::AddressOrLogin(lower)),
        }
    }
}

impl Sender {
    fn is<'a>(
        &self,
        mut addresses: impl Iterator<Item = &'a str>,
        mut logins: impl Iterator<Item = &'a str>,
    ) -> bool {
        match self {
            Sender::Domain(wanted) => addresses.any(|address| {
                address.rsplit_once('@').is_some_and(|(_, domain)| domain.to_lowercase() == *wanted)
            }),
            Sender::AddressOrLogin(wanted) => {
                addresses.any(|address| address.to_lowercase() == *wanted)
                    || logins.any(|login| login == wanted)
            }
        }
    }
}

impl Filter {
    /// Whether every mail is meant.
    pub fn is_empty(&self) -> bool {
        self.sender.is_none() && self.any_recipient()
    }

    fn any_recipient(&self) -> bool {
        self.outcome.is_none() && self.reason.is_none() && self.library.is_none()
    }

    /// Whether it is from the sender that is meant, by what it claims and who was proven to have sent it.
    pub fn is_from<'a>(
        &self,
        addresses: impl IntoIterator<Item = Option<&'a str>>,
        logins: impl IntoIterator<Item = Option<&'a str>>,
    ) -> bool {
        let Some(sender) = &self.sender else { return true };
        sender.is(addresses.into_iter().flatten(), logins.into_iter().flatten())
    }

    /// Whether one of these recipients (outcome, reason, library) is meant. Mail whose recipients nobody could read
    /// waits, as if it were for one that is deferred.
    pub fn has<'a>(
        &self,
        recipients: impl IntoIterator<Item = (&'a str, Option<&'a str>, Option<&'a str>)>,
    ) -> bool {
        let mut recipients = recipients.into_iter().peekable();
        if recipients.peek().is_none() {
            return self.any_recipient() || self.is_meant(OutcomeKind::Deferred.as_str(), None, None);
        }
        recipients.any(|(outcome, reason, library)| self.is_meant(outcome, reason, library))
    }

    fn is_meant(&self, outcome: &str, reason: Option<&str>, library: Option<&str>) -> bool {
        self.outcome.is_none_or(|wanted| wanted.as_str() == outcome)
            && self.reason.is_none_or(|wanted| reason == Some(wanted.as_str()))
            && self.library.as_ref().is_none_or(|wanted| library == Some(wanted.as_str()))
    }

    /// Whether a mail of an event is meant.
    pub fn matches(&self, mail: &MailRecord) -> bool {
        let addresses = [&mail.from, &mail.envelope_sender, &mail.sender.address].map(Option::as_deref);
        let by = mail.recipients.iter().map(|recipient| recipient.created_by.as_deref());
        self.is_from(addresses, by.chain([mail.sender.identity.as_deref()]))
            && self.has(mail.recipients.iter().map(|recipient| {
                (recipient.outcome.as_str(), recipient.reason.as_deref(), recipient.library.as_deref())
            }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(sender: &str) -> Filter {
        Filter { sender: Some(sender.parse().unwrap()), ..Filter::default() }
    }

    #[test]
    fn a_sender_is_an_address_a_domain_or_a_login() {
        let addresses = [Some("Alice@Example.org"), None, Some("bounce@lists.example.net")];
        for (sender, is) in [
            ("alice@example.org", true),
            ("ALICE@EXAMPLE.ORG", true),
            ("bounce@lists.example.net", true),
            ("@example.org", true),
            ("@Example.ORG", true),
            ("@lists.example.net", true),
            ("@example.net", false),
            ("@ample.org", false),
            ("lice@example.org", false),
            ("alice", false),
            ("al", true),
            ("AL", true),
            ("al@corp", true),
        ] {
            assert_eq!(from(sender).is_from(addresses, [Some("al"), None, Some("al@corp")]), is, "{sender}");
        }
        assert!(Filter::default().is_from([], []));
        for bad in ["", "@", "a@", "a b", " "] {
            assert!(bad.parse::<Sender>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn outcome_reason_and_library_are_those_of_one_recipient() {
        let filter = Filter {
            outcome: Some(OutcomeKind::Rejected),
            library: Some("b".parse().unwrap()),
            ..Filter::default()
        };
        assert!(!filter.has([("rejected", None, Some("a")), ("filed", None, Some("b"))]));
        assert!(filter.has([("filed", None, Some("a")), ("rejected", Some("no-permission"), Some("b"))]));
        let filter = Filter { reason: Some(Reason::NoPermission), ..filter };
        assert!(!filter.has([("rejected", Some("mail-disabled"), Some("b"))]));
        assert!(filter.has([("rejected", Some("no-permission"), Some("b"))]));
    }

    #[test]
    fn mail_without_recipients_is_deferred() {
        let deferred = Filter { outcome: Some(OutcomeKind::Deferred), ..Filter::default() };
        assert!(deferred.has([]) && Filter::default().has([]) && from("a").has([]));
        assert!(!Filter { library: Some("a".parse().unwrap()), ..deferred }.has([]));
    }

    #[test]
    fn an_unknown_reason_is_told_those_there_are() {
        assert_eq!(reason("unknown-alias").unwrap(), Reason::UnknownAlias);
        let error = reason("spam").unwrap_err();
        assert!(error.contains("unknown-alias") && error.contains("malformed"), "{error}");
    }
}
