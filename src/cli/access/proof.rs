//! By what proof a user's mail must come.

use std::iter;

use mailshelf::config::{Config, Sender, Verify};
use mailshelf::sender::evidence::is_internal;
use mailshelf::sender::known::by_account;
use mailshelf::sender::{Rules, trusts_from};
use mailshelf_storage::model::{Level, Library, User};
use mailshelf_storage::{Address, Error, Reader};

use super::{Asked, Obstacle};
use crate::cli::paste::quoted;

/// What must prove that mail is a user's.
pub struct Proof {
    /// For each address, in words.
    pub text: String,
    /// Where no address will do.
    pub obstacle: Option<Obstacle>,
}

/// What a key of `[sender]` asks for, of which nothing that is believed is proof.
#[derive(PartialEq, Eq)]
struct Demand {
    key: &'static str,
    level: Level,
}

/// What must prove that mail comes from this address, in words; where nothing can, what is asked for. What a site may ask
/// for is told here and nowhere else.
fn demanded(config: &Config, library: &Library, address: &Address, signs_in: bool) -> Result<String, Demand> {
    let settings = &config.sender;
    if trusts_from(library.settings.trust_from, settings.trust_from) {
        return Ok(format!("{address}: the From header alone (trust_from), which anybody can forge"));
    }
    let rules = Rules::of(settings, false);
    let key = if rules.is_own(address) { "internal_require" } else { "require" };
    let level = rules.required(address);
    match accepted(settings, level, address, signs_in).as_slice() {
        [] => Err(Demand { key, level }),
        proofs => Ok(format!("{address}: {} (sender.{key} asks for {level})", proofs.join(", or "))),
    }
}

/// What is believed that proves this level of this address; a sign-in only of a user who has an account that is nobody
/// else's.
fn accepted(settings: &Sender, level: Level, address: &Address, signs_in: bool) -> Vec<String> {
    let mut proofs = Vec::new();
    if !settings.authserv_id.is_empty() {
        let methods = match (level, signs_in) {
            (Level::Submission | Level::Signature, true) => Some("auth=pass for the user"),
            (Level::Submission | Level::Signature, false) => None,
            (Level::Domain, true) => Some("dmarc=pass, dkim=pass or auth=pass"),
            (Level::Domain, false) => Some("dmarc=pass or dkim=pass"),
            (_, true) => Some("dmarc=pass, dkim=pass, spf=pass or auth=pass"),
            (_, false) => Some("dmarc=pass, dkim=pass or spf=pass"),
        };
        let ids = settings.authserv_id.join(" or ");
        proofs.extend(methods.map(|methods| format!("{methods} by {ids}")));
    }
    if level <= Level::Domain {
        match settings.verify {
            Verify::Off => {}
            Verify::Dkim => proofs.push("a DKIM signature that we verify".to_owned()),
            Verify::Dmarc => proofs.push("a DKIM signature that we verify and DMARC allows".to_owned()),
        }
        if settings.verify != Verify::Off && !settings.arc_sealers.is_empty() {
            let sealers = settings.arc_sealers.join(" or ");
            proofs.push(format!("an ARC seal of {sealers} that we verify"));
        }
    }
    if settings.received_auth && signs_in {
        proofs.push("the user's sign-in in our first Received".to_owned());
    }
    if settings.exchange_internal && is_internal(address, settings) {
        proofs.push("AuthAs Internal by Exchange".to_owned());
    }
    proofs
}

/// Whether some account is this user's alone.
fn signs_in(user: &User, reader: &dyn Reader) -> Result<bool, Error> {
    let addresses = user.addresses.iter().map(Address::as_str);
    for account in iter::once(user.login.as_str()).chain(addresses) {
        if matches!(by_account(account, reader)?.as_slice(), [only] if only.id == user.id) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What to do where no proof is believed of what is asked for. To believe From is no help: anybody can forge it.
fn believe(config: &Config, demands: &[Demand], signs_in: bool) -> String {
    let each: Vec<_> = demands.iter().map(|demand| demand.met_by(signs_in)).collect();
    format!("in {}, section [sender], {}", config.file.display(), each.join("; "))
}

impl Demand {
    /// The keys by which proof of this level comes to be believed, and the one that asks for it.
    fn met_by(&self, signs_in: bool) -> String {
        let Demand { key, level } = self;
        let domain = *level <= Level::Domain;
        let keys = [
            ("authserv_id", domain || signs_in),
            ("verify", domain),
            ("received_auth", signs_in),
            ("exchange_internal", true),
        ];
        let keys: Vec<_> = keys.into_iter().filter(|(_, helps)| *helps).map(|(key, _)| key).collect();
        let less = if *level > Level::Spf { format!(", or have {key} ask for less") } else { String::new() };
        format!("name what proves {level}: {}{less}", or(&keys))
    }
}

/// As people name a choice.
fn or(words: &[&str]) -> String {
    match words {
        [some @ .., last] if !some.is_empty() => format!("{} or {last}", some.join(", ")),
        words => words.concat(),
    }
}

impl Proof {
    pub fn of(asked: &Asked<'_>, user: &User) -> Result<Proof, Error> {
        let Asked { config, reader, library, unused } = asked;
        let login = &user.login;
        let signs_in = signs_in(user, *reader)?;
        let (mut told, mut demands) = (Vec::new(), Vec::new());
        let mut provable = false;
        for address in &user.addresses {
            let others = reader.users_by_address(address)?;
            if let Some(other) = others.iter().find(|other| other.id != user.id) {
                told.push(format!("{address}: nothing, for {} has it too", other.login));
                continue;
            }
            match demanded(config, library, address, signs_in) {
                Ok(proof) => {
                    provable = true;
                    told.push(proof);
                }
                Err(demand) => {
                    let Demand { key, level } = &demand;
                    told.push(format!(
                        "{address}: nothing, for sender.{key} asks for {level}, and no proof of that is believed"
                    ));
                    if !demands.contains(&demand) {
                        demands.push(demand);
                    }
                }
            }
        }
        let unused = unused.iter().filter(|one| one.login == *login);
        let none_in_use = told.is_empty();
        told.extend(unused.map(|one| format!("{}: nothing, for it is not in use: {}", one.address, one.why)));
        if provable {
            return Ok(Proof { text: told.join("; "), obstacle: None });
        }
        let set_address = format!("mailshelf user set {} --address ADDRESS", quoted(login.as_str()));
        let (what, hint) = if none_in_use && !told.is_empty() {
            (format!("no address of {login} is in use"), set_address)
        } else if none_in_use {
            (format!("{login} has no address to send from"), set_address)
        } else if demands.is_empty() {
            ("no address is this user's alone".to_owned(), set_address)
        } else {
            (format!("no mail can be proven to come from {login}"), believe(config, &demands, signs_in))
        };
        let text = if told.is_empty() { format!("none: {what}") } else { told.join("; ") };
        Ok(Proof { text, obstacle: Some(Obstacle { what, hint }) })
    }
}
