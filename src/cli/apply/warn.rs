//! What a declaration brings about that its author may not mean: the warnings of the single commands, for what changed.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use mailshelf::config::Config;
use mailshelf::sender::trusts_from;
use mailshelf::site::Site;
use mailshelf::site::declaration::Declaration;
use mailshelf::site::plan::Plan;
use mailshelf_storage::model::{Member, Principal, Role, SenderPolicy};
use mailshelf_storage::{Error, GroupName, LibraryName, Login, Reader};

use crate::cli::access::{Obstacle, unprovable};
use crate::cli::library::former;
use crate::cli::{library, user};

/// Warnings told one by one; the rest are counted.
const TOLD: usize = 20;

/// One of them, and the way out.
pub struct Warning {
    pub what: String,
    pub hint: String,
}

impl Warning {
    fn new(what: String, hint: impl Into<String>) -> Warning {
        Warning { what, hint: hint.into() }
    }
}

/// `now` is what the site was; `reader` sees it as it is by this plan.
pub fn warnings(
    config: &Config,
    reader: &dyn Reader,
    now: &Declaration,
    plan: &Plan,
) -> Result<Vec<Warning>, Error> {
    let mut warnings = Vec::new();
    for change in &plan.libraries {
        let before = change.from.as_ref().map(|library| library.settings.trust_from);
        if let Some(to) = change.to.as_ref().filter(|to| Some(to.settings.trust_from) != before) {
            library::warn_of_trust(&change.which, to.settings.trust_from, &mut |what, hint| {
                warnings.push(Warning::new(what, hint));
            });
        }
    }
    for change in &plan.users {
        if let Some(addresses) = &change.to {
            let addresses: Vec<_> = addresses.iter().cloned().collect();
            user::warn_of_shared(reader, &change.which, &addresses, &mut |what, hint| {
                warnings.push(Warning::new(what, hint));
            })?;
        }
    }
    warnings.extend(of_proof(config, reader, now, plan)?);
    Ok(warnings)
}

/// Libraries that lose an alias to another: one that they have, or had and still answer for. As it is before this plan.
pub fn of_aliases(
    site: &Site,
    reader: &dyn Reader,
    now: &Declaration,
    plan: &Plan,
) -> Result<Vec<Warning>, Error> {
    let holders: HashMap<_, _> = now.libraries.iter().map(|(name, library)| (&library.alias, name)).collect();
    let mut warnings = Vec::new();
    for change in &plan.libraries {
        if let Some(to) = &change.to {
            let holder = holders.get(&to.alias).filter(|holder| **holder != &change.which);
            let loser = match holder {
                Some(holder) => Some((*holder).clone()),
                None => former::loser(reader, &to.alias, &change.which, site)?,
            };
            former::warn_of_loser(&to.alias, &change.which, loser, &mut |what, hint| {
                warnings.push(Warning::new(what, hint));
            });
        }
    }
    Ok(warnings)
}

/// For whom it is in vain that they may file, as no mail can be proven to be theirs. One warning for each way out.
fn of_proof(
    config: &Config,
    reader: &dyn Reader,
    now: &Declaration,
    plan: &Plan,
) -> Result<Vec<Warning>, Error> {
    let unused = reader.unused_addresses()?;
    let mut known: HashMap<(&Login, bool), Option<Obstacle>> = HashMap::new();
    let mut found: BTreeMap<String, (String, usize)> = BTreeMap::new();
    for (name, login) in newly_entitled(now, plan) {
        let (Some(library), Some(user)) = (reader.library(name)?, reader.user(login)?) else { continue };
        let anyone = library.settings.sender_policy == SenderPolicy::Anyone;
        if anyone && !config.site.authenticated_only {
            continue;
        }
        let obstacle =
            match known.entry((login, trusts_from(library.settings.trust_from, config.sender.trust_from))) {
                Entry::Occupied(entry) => entry.into_mut(),
                Entry::Vacant(entry) => entry.insert(unprovable(config, reader, &library, &user, &unused)?),
            };
        if let Some(Obstacle { what, hint }) = obstacle {
            let first = || (format!("warning: user {login} may file in library {name}, but {what}"), 0);
            found.entry(hint.clone()).or_insert_with(first).1 += 1;
        }
    }
    let more = found.len().saturating_sub(TOLD);
    let more = (more > 0).then(|| {
        let what =
            format!("warning: {more} more users may file somewhere, but no mail can be proven to be theirs");
        Warning::new(what, "`mailshelf access LIBRARY` names them")
    });
    let told = found.into_iter().take(TOLD).map(|(hint, (what, count))| match count {
        1 => Warning::new(what, hint),
        count => Warning::new(format!("{what}; so it is with {} more rights", count - 1), hint),
    });
    Ok(told.chain(more).collect())
}

/// Who may file where by this plan, and could not before, or had other addresses, or was believed.
fn newly_entitled<'a>(now: &'a Declaration, plan: &'a Plan) -> Vec<(&'a LibraryName, &'a Login)> {
    let readdressed: BTreeSet<_> = plan.users.iter().map(|user| &user.which).collect();
    let changed: BTreeSet<_> = plan.libraries.iter().map(|library| &library.which).collect();
    let before = entitled(now);
    let new = |(library, login): &(&LibraryName, &Login)| {
        readdressed.contains(login) || changed.contains(library) || !before.contains(&(*library, *login))
    };
    entitled(&plan.target).into_iter().filter(new).collect()
}

/// Everybody who may file in a library by name or by a group; not those who may as one of everyone.
fn entitled(site: &Declaration) -> BTreeSet<(&LibraryName, &Login)> {
    let mut members: HashMap<&GroupName, Vec<&Login>> = HashMap::new();
    let mut found = BTreeSet::new();
    for ((library, principal), role) in &site.grants {
        match principal {
            _ if *role < Role::Contributor => {}
            Principal::Everyone => {}
            Principal::User(login) => drop(found.insert((library, login))),
            Principal::Group(group) => {
                let logins = members.entry(group).or_insert_with(|| everybody_in(site, group));
                found.extend(logins.iter().map(|login| (library, *login)));
            }
        }
    }
    found
}

/// The users in a group, at whatever depth.
fn everybody_in<'a>(site: &'a Declaration, group: &'a GroupName) -> Vec<&'a Login> {
    let (mut open, mut seen) = (vec![group], BTreeSet::from([group]));
    let mut users = BTreeSet::new();
    while let Some(group) = open.pop() {
        for member in site.groups.get(group).into_iter().flatten() {
            match member {
                Member::User(login) => drop(users.insert(login)),
                Member::Group(inner) if seen.insert(inner) => open.push(inner),
                Member::Group(_) => {}
            }
        }
    }
    users.into_iter().collect()
}
