//! Stage 4: who sent it, and by what proof. No proof, no identity.
//!
//! [`mod@from`] finds the one mailbox that rights may hang on, [`traces`] what the header says of it ([`results`] and
//! [`received`] read the fields, and [`client`] says from which server it came), [`evidence`] what of that counts,
//! [`mod@known`] which users come into question, and [`identity`] whom it makes the sender. The first two are part of
//! reading a message; the others are settled by the settings of the moment. Where all that proves nobody, and the site
//! wants it, [`verify`] looks at signatures, and [`verification`] makes evidence of what it finds.

use mailshelf_storage::model::{Level, TrustFrom, User};
use mailshelf_storage::{Address, Reader, Result};

pub mod from;
pub mod results;
pub mod received;
pub mod client;
pub mod traces;
pub mod align;
pub mod evidence;
pub mod known;
pub mod identity;
pub mod verify;
pub mod verification;

pub use evidence::Findings;
pub use from::NoMailbox;
pub use identity::Rules;
pub use known::Known;
pub use traces::Traces;
pub use verification::Verification;

/// Who sent a mail, as far as it is proven.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The one mailbox in From; only a claim.
    pub address: Option<Address>,
    /// The user, if it is proven to be one.
    pub user: Option<User>,
    /// How well.
    pub level: Level,
    /// By what, or why not, in words.
    pub proof: String,
    /// Whether some user has the claimed address.
    pub known: bool,
}

/// Whether the bare From header is believed for a library: it says so itself, or the site does.
pub fn trusts_from(library: TrustFrom, site: bool) -> bool {
    match library {
        TrustFrom::Inherit => site,
        TrustFrom::Yes => true,
        TrustFrom::No => false,
    }
}

/// Who sent a mail, by the mailbox that its From names and what speaks for it, for libraries that believe the bare From
/// or do not.
pub fn identify(
    mailbox: &std::result::Result<Address, NoMailbox>,
    findings: &Findings,
    rules: &Rules,
    people: &dyn Reader,
) -> Result<Identity> {
    match mailbox {
        Ok(from) => Ok(identity::judge(from, &Known::look_up(from, findings, people)?, findings, rules)),
        Err(why) => Ok(Identity {
            address: None,
            user: None,
            level: Level::None,
            proof: why.to_string(),
            known: false,
        }),
    }
}
