//! The stages of the line, each with its question.

use serde::Serialize;

use crate::outcome::Reason;

/// A stage of the line, numbered as in the documentation of the crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Found whole, and claimed.
    Drop = 1,
    /// Who sends it to whom, as our own server wrote it.
    Envelope,
    /// Header and parts, within limits.
    Message,
    /// Who sent it, and the proof.
    Sender,
    /// From an address to a library.
    Route,
    /// The library's policy and rights.
    Authorise,
    /// What is filed, and names for it.
    File,
    /// Outcomes, documents, events.
    Record,
    /// What becomes of the file.
    Dispose,
}

impl Stage {
    /// Its place in the line, from 1.
    pub fn number(self) -> u8 {
        self as u8
    }

    /// Its one spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            Stage::Drop => "drop",
            Stage::Envelope => "envelope",
            Stage::Message => "message",
            Stage::Sender => "sender",
            Stage::Route => "route",
            Stage::Authorise => "authorise",
            Stage::File => "file",
            Stage::Record => "record",
            Stage::Dispose => "dispose",
        }
    }

    /// What is asked there.
    pub fn question(self) -> &'static str {
        match self {
            Stage::Drop => "Is it whole, and ours to take?",
            Stage::Envelope => "Who sends it, to whom?",
            Stage::Message => "Can it be read within the limits?",
            Stage::Sender => "Who is it, by what proof?",
            Stage::Route => "Which library?",
            Stage::Authorise => "May the sender file there?",
            Stage::File => "What is filed, as what?",
            Stage::Record => "Filed before?",
            Stage::Dispose => "And the file?",
        }
    }

    /// Where a mail is refused for a reason.
    pub(super) fn that_refuses_for(reason: Reason) -> Stage {
        match reason {
            Reason::UnsafeServer => Stage::Envelope,
            Reason::MessageTooLarge | Reason::TooComplex | Reason::Malformed => Stage::Message,
            Reason::UnknownAlias
            | Reason::ForeignDomain
            | Reason::MailDisabled
            | Reason::NoRecipient
            | Reason::MailLoop => Stage::Route,
            Reason::UnknownSender | Reason::UnauthenticatedSender | Reason::NoPermission => Stage::Authorise,
            Reason::AttachmentTooLarge | Reason::BlockedType | Reason::NothingToFile => Stage::File,
            Reason::QuotaExceeded | Reason::AnonymousQuotaExceeded => Stage::Record,
        }
    }
}
