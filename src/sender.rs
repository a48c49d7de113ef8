//! Stage 4: who sent it, and by what proof. No proof, no identity.

use mailshelf_storage::model::{Level, TrustFrom, User};
use mailshelf_storage::{Address, Reader, Result};

pub mod from;
pub mod results;
pub mod received;
pub mod traces;
pub mod align;
pub mod evidence;

pub use evidence::Findings;
pub use from::NoMailbox;
pub use traces::Traces;

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

/// Ties the claimed mailbox to a user where `trust_from` lets it; in every other case there is no identity.
pub fn identify(
    mailbox: &std::result::Result<Address, NoMailbox>,
    trust_from: bool,
    people: &dyn Reader,
) -> Result<Identity> {
    let nobody = |address: Option<&Address>, known, proof: &str| Identity {
        address: address.cloned(),
        user: None,
        level: Level::None,
        proof: proof.to_owned(),
        known,
    };
    let address = match mailbox {
        Ok(address) => address,
        Err(why) => return Ok(nobody(None, false, &why.to_string())),
    };
    let mut users = people.users_by_address(address)?;
    let (Some(user), None) = (users.pop(), users.pop()) else {
        let known = !users.is_empty() || people.users_by_address(address)?.len() > 1;
        let why = if known { "more than one user has this address" } else { "nobody we know" };
        return Ok(nobody(Some(address), known, why));
    };
    if !trust_from {
        return Ok(nobody(Some(address), true, "no proof: From is only a claim"));
    }
    Ok(Identity {
        address: Some(address.clone()),
        user: Some(user),
        level: Level::FromHeader,
        proof: "From header, believed because trust_from is set".to_owned(),
        known: true,
    })
}
