//! Mails, and what became of them.

use jiff::Timestamp;

use super::words;
use crate::{Address, Alias, DeliveryId, Digest, LibraryId, LibraryName, Login};

words!(
    /// How well it is proven who sent a mail, weakest first.
    Level, "a level" {
        /// Not at all.
        None = "none",
        /// The bare From header, because the site or the library says so.
        FromHeader = "from-header",
        /// SPF, aligned with From.
        Spf = "spf",
        /// DMARC, or DKIM aligned with From.
        Domain = "domain",
        /// Our own server saw the user sign in.
        Submission = "submission",
        /// The user signed it.
        Signature = "signature",
    }
);

words!(
    /// How a mail ended for one recipient.
    OutcomeKind, "an outcome" {
        /// Its documents are in the library.
        Filed = "filed",
        /// This very mail was filed in this library before.
        Duplicate = "duplicate",
        /// Refused, with a reason.
        Rejected = "rejected",
        /// Not an end but a wait.
        Deferred = "deferred",
    }
);

words!(
    /// Where a mail stands.
    MailState, "a mail state" {
        /// A recipient is deferred.
        Open = "open",
        /// Every recipient has a final outcome.
        Done = "done",
        /// Given up and moved to badmail.
        Badmail = "badmail",
    }
);

/// What is on record of a mail, whatever became of it. Texts are as the sender wrote them, decoded, not escaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// The delivery.
    pub delivery: DeliveryId,
    /// The file's name in the drop; bytes that are not UTF-8 as `\xNN`.
    pub file: String,
    /// The worker that took it.
    pub node: String,
    /// Digest of the message, envelope block apart; `None` where it could not be read.
    pub digest: Option<Digest>,
    /// Size of the message in bytes, envelope block apart.
    pub size: u64,
    /// `Message-ID`, without its brackets (RFC 5322 section 3.6.4).
    pub message_id: Option<String>,
    /// The address in `From`.
    pub from: Option<String>,
    /// The return path.
    pub envelope_sender: Option<String>,
    /// `Subject`.
    pub subject: Option<String>,
    /// When the file came to the drop.
    pub arrived_at: Timestamp,
    /// Where it stands.
    pub state: MailState,
    /// How often it failed by a fault that only this mail shows.
    pub attempts: u32,
    /// The last fault, in words.
    pub fault: Option<String>,
    /// What else it says of itself.
    pub fields: MailFields,
    /// What is the matter with it, where it was read: short sentences, with names of its parts as the sender wrote them.
    pub flaws: Vec<String>,
}

/// What a mail says of itself and nothing is decided by. All of it is a stranger's claim.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MailFields {
    /// The addresses in `To`.
    pub to: Option<String>,
    /// The addresses in `Cc`.
    pub cc: Option<String>,
    /// `Date`.
    pub date: Option<Timestamp>,
    /// What its calendar part is about.
    pub calendar: Calendar,
}

/// What the first `text/calendar` part of a mail is about (RFC 5545 sections 3.8.4.7, 3.8.7.4 and 3.8.7.2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calendar {
    /// `UID`.
    pub uid: Option<String>,
    /// `SEQUENCE`.
    pub sequence: Option<u32>,
    /// `DTSTAMP`.
    pub stamp: Option<Timestamp>,
}

impl Mail {
    /// Whom it claims to be from: the one address that `From` names, if it is one. Only ever a claim.
    pub fn claimed(&self) -> Option<Address> {
        self.from.as_deref()?.parse().ok()
    }
}

/// How a mail ended for one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The recipient: canonical where it can be, else as written; empty where the mail names none.
    pub recipient: String,
    /// How it ended.
    pub kind: OutcomeKind,
    /// Why it was rejected or deferred.
    pub reason: Option<String>,
    /// Why, in more words: which part, which address, what was filed before.
    pub because: Option<String>,
    /// The library that its address leads to; it may be gone.
    pub library: Option<LibraryId>,
    /// What that was called, where it is gone. For the catalog to say: what is recorded has none.
    pub gone: Option<LibraryName>,
    /// The alias that it led there by, where the library had another by then.
    pub former_alias: Option<Alias>,
    /// The delivery that was filed, where it is another one and this a duplicate.
    pub duplicate_of: Option<DeliveryId>,
    /// The user it was proven to come from.
    pub identity: Option<Login>,
    /// How well that was proven.
    pub level: Level,
    /// By what, or why not, in words; `None` where that was not asked.
    pub proof: Option<String>,
    /// What the mail is the same by, however it came; where it was filed, or is a duplicate.
    pub likeness: Option<Digest>,
}

/// That a mail was filed, and a document of it still stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filing {
    /// Which delivery.
    pub delivery: DeliveryId,
    /// It has the very bytes of the mail that was asked for, and not only its likeness.
    pub exact: bool,
    /// Who filed it, and how well that was proven.
    pub outcome: Outcome,
}
