//! Why mail is refused. A rejection is no error: refusing is part of the work.

use std::fmt;

/// Why a mail was rejected for a recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// No library has this alias.
    UnknownAlias,
    /// The address is in none of our domains.
    ForeignDomain,
    /// The library takes no mail.
    MailDisabled,
    /// It comes from a server that is not in `drop.safe_servers`.
    UnsafeServer,
    /// The mail names no recipient.
    NoRecipient,
    /// The claimed sender is nobody we know.
    UnknownSender,
    /// The claimed sender is known, but nothing proves it.
    UnauthenticatedSender,
    /// The sender is proven and may not contribute.
    NoPermission,
    /// Larger than `limits.message`.
    MessageTooLarge,
    /// An attachment is larger than `limits.attachment`.
    AttachmentTooLarge,
    /// An attachment is of a type in `limits.blocked_types`.
    BlockedType,
    /// Deeper, or of more parts or header, than the limits.
    TooComplex,
    /// No attachment, and the original is not wanted.
    NothingToFile,
    /// The library's quota would be exceeded.
    QuotaExceeded,
    /// More than senders whom nothing proves may file there, or have kept for it.
    AnonymousQuotaExceeded,
    /// It goes round in circles.
    MailLoop,
    /// No mail at all.
    Malformed,
}

impl Reason {
    /// Every one.
    pub const ALL: &'static [Reason] = &[
        Reason::UnknownAlias,
        Reason::ForeignDomain,
        Reason::MailDisabled,
        Reason::NoRecipient,
        Reason::UnsafeServer,
        Reason::UnknownSender,
        Reason::UnauthenticatedSender,
        Reason::NoPermission,
        Reason::MessageTooLarge,
        Reason::AttachmentTooLarge,
        Reason::BlockedType,
        Reason::TooComplex,
        Reason::NothingToFile,
        Reason::QuotaExceeded,
        Reason::AnonymousQuotaExceeded,
        Reason::MailLoop,
        Reason::Malformed,
    ];

    /// Its one spelling, in events and in the catalog.
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::UnknownAlias => "unknown-alias",
            Reason::ForeignDomain => "foreign-domain",
            Reason::MailDisabled => "mail-disabled",
            Reason::NoRecipient => "no-recipient",
            Reason::UnsafeServer => "unsafe-server",
            Reason::UnknownSender => "unknown-sender",
            Reason::UnauthenticatedSender => "unauthenticated-sender",
            Reason::NoPermission => "no-permission",
            Reason::MessageTooLarge => "message-too-large",
            Reason::AttachmentTooLarge => "attachment-too-large",
            Reason::BlockedType => "blocked-type",
            Reason::TooComplex => "too-complex",
            Reason::NothingToFile => "nothing-to-file",
            Reason::QuotaExceeded => "quota-exceeded",
            Reason::AnonymousQuotaExceeded => "anonymous-quota-exceeded",
            Reason::MailLoop => "mail-loop",
            Reason::Malformed => "malformed",
        }
    }

    /// The reason that is spelt so.
    pub fn of(word: &str) -> Option<Reason> {
        Reason::ALL.iter().copied().find(|reason| reason.as_str() == word)
    }

    /// What it means, in a sentence without its full stop.
    pub fn meaning(self) -> &'static str {
        match self {
            Reason::UnknownAlias => "no library has the alias that the address names",
            Reason::ForeignDomain => "the address is in none of the domains of this site",
            Reason::MailDisabled => "the library takes no mail at present",
            Reason::NoRecipient => "the mail names no recipient",
            Reason::UnsafeServer => "it does not come from one of the servers that this site takes mail from",
            Reason::UnknownSender => "the library takes mail from known senders only, and this is none",
            Reason::UnauthenticatedSender => {
                "the sender claims the address of a user, and nothing proves that the claim is true"
            }
            Reason::NoPermission => "the sender is proven, and has no right to contribute to the library",
            Reason::MessageTooLarge => "the message is larger than limits.message",
            Reason::AttachmentTooLarge => "an attachment is larger than limits.attachment",
            Reason::BlockedType => "an attachment is of a type that this site never files",
            Reason::TooComplex => "the message has more parts, levels or header than the limits allow",
            Reason::NothingToFile => "the mail holds nothing that the library files",
            Reason::QuotaExceeded => "the library is full: with this mail it would hold more than it may",
            Reason::AnonymousQuotaExceeded => {
                "senders whom nothing proves have sent as much there as the library takes of them"
            }
            Reason::MailLoop => "the mail goes round in circles",
            Reason::Malformed => "it is no mail: it is empty, or has no header",
        }
    }

    /// Mail rejected for one of these is kept aside, whatever `drop.rejected` says: it may have been the mail server's
    /// fault or ours; and that a library is full is its administrator's affair, and not the sender's.
    pub fn is_always_kept(reason: &str) -> bool {
        matches!(
            Reason::of(reason),
            Some(
                Reason::Malformed
                    | Reason::TooComplex
                    | Reason::NoRecipient
                    | Reason::ForeignDomain
                    | Reason::QuotaExceeded
            )
        )
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A reason that is new does not compile before it has a place here, nor pass before it has one in the list.
    #[test]
    fn every_reason_is_listed() {
        let place = |reason| match reason {
            Reason::UnknownAlias => 0,
            Reason::ForeignDomain => 1,
            Reason::MailDisabled => 2,
            Reason::NoRecipient => 3,
            Reason::UnsafeServer => 4,
            Reason::UnknownSender => 5,
            Reason::UnauthenticatedSender => 6,
            Reason::NoPermission => 7,
            Reason::MessageTooLarge => 8,
            Reason::AttachmentTooLarge => 9,
            Reason::BlockedType => 10,
            Reason::TooComplex => 11,
            Reason::NothingToFile => 12,
            Reason::QuotaExceeded => 13,
            Reason::AnonymousQuotaExceeded => 14,
            Reason::MailLoop => 15,
            Reason::Malformed => 16,
        };
        let places: Vec<usize> = Reason::ALL.iter().map(|reason| place(*reason)).collect();
        assert_eq!(places, (0..17).collect::<Vec<_>>());
    }

    #[test]
    fn each_reason_has_a_word_and_a_sentence_of_its_own() {
        for &reason in Reason::ALL {
            assert_eq!(Reason::of(reason.as_str()), Some(reason));
            let alike = |other: &&Reason| other.meaning() == reason.meaning();
            assert_eq!(Reason::ALL.iter().filter(alike).count(), 1, "{reason}");
        }
        assert_eq!(Reason::of("no-such-reason"), None);
    }
}
