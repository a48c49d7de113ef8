//! What a site cannot be, whoever declares it: told for each part of the declaration that says so.

use std::collections::{BTreeMap, BTreeSet};

use mailshelf_storage::model::{Member, Principal};
use mailshelf_storage::{Alias, Error, GroupName, LibraryName, Login};

use super::Plan;
use crate::config;
use crate::route::alias::refusal;
use crate::site::declaration::{Declaration, Fault, Library, Part, Written, key};

/// A part that cannot be as it is declared.
struct Refusal {
    part: Part,
    why: String,
    hint: Option<String>,
}

impl Refusal {
    fn new(part: Part, why: impl Into<String>) -> Refusal {
        Refusal { part, why: why.into(), hint: None }
    }

    fn hint(mut self, hint: impl Into<String>) -> Refusal {
        self.hint = Some(hint.into());
        self
    }
}

impl Plan {
    /// Everything that is wrong with what was written, given what the site is `now`, in the order of the text.
    pub fn check(&self, now: &Declaration, written: &Written, site: &config::Site) -> Vec<Fault> {
        let wanted = &written.declaration;
        let check = Check { now, wanted, target: &self.target };
        let mut refusals = check.aliases(site);
        refusals.extend(check.logins(site));
        refusals.extend(check.members());
        refusals.extend(check.principals());
        refusals.extend(check.circles());
        let place = |refusal: Refusal| Fault {
            at: written.places.get(&refusal.part).copied().unwrap_or_default(),
            why: refusal.why,
            hint: refusal.hint,
        };
        let mut faults: Vec<_> = refusals.into_iter().map(place).collect();
        faults.sort_by_key(|fault| fault.at);
        faults
    }
}

struct Check<'a> {
    now: &'a Declaration,
    wanted: &'a Declaration,
    target: &'a Declaration,
}

impl Check<'_> {
    /// Each alias is one library's, and fit to be one at this site. One that a library has already stays, whatever a
    /// later version or another prefix thinks of it.
    fn aliases(&self, site: &config::Site) -> Vec<Refusal> {
        let mut owners: BTreeMap<&Alias, Vec<&LibraryName>> = BTreeMap::new();
        for (name, library) in &self.target.libraries {
            owners.entry(&library.alias).or_default().push(name);
        }
        let mut refusals = Vec::new();
        for (name, Library { alias, settings: _ }) in &self.wanted.libraries {
            let part = || Part::Alias(name.clone());
            let owners = owners.get(alias).into_iter().flatten();
            // Of those in the file the first has it; one that is not in the file has it before them all.
            let mut others = owners.filter(|other| **other != name);
            if let Some(other) = others.clone().find(|other| !self.wanted.libraries.contains_key(**other)) {
                let refusal = Refusal::new(part(), taken(alias, other));
                refusals.push(refusal.hint(format!(
                    "the file lacks library {other}: give it another alias in [library.{}], or let it go by --prune",
                    key(other.as_str())
                )));
            } else if let Some(other) = others.find(|other| **other < name) {
                refusals.push(Refusal::new(part(), taken(alias, other)).hint("choose another"));
            }
            let had = self.now.libraries.get(name).is_some_and(|library| library.alias == *alias);
            if let Some(why) = refusal(alias, site).filter(|_| !had) {
                let hint = "choose another; with + a subaddress reaches the library of what stands before it";
                refusals.push(Refusal::new(part(), format!("alias {alias}: {why}")).hint(hint));
            }
        }
        refusals
    }

    /// A user with the login of the system account would own what nobody proven has sent.
    fn logins(&self, site: &config::Site) -> Vec<Refusal> {
        let system = site.system_account.to_lowercase();
        let users = self.wanted.users.keys().filter(|login| login.as_str() == system);
        let refuse = |login: &Login| {
            let why = format!("user {login}: that is the system account (site.system_account)");
            Refusal::new(Part::User(login.clone()), why).hint("choose another login")
        };
        users.map(refuse).collect()
    }

    fn members(&self) -> Vec<Refusal> {
        let all =
            self.wanted.groups.iter().flat_map(|(group, members)| members.iter().map(move |m| (group, m)));
        let refuse = |(group, member): (&GroupName, &Member)| {
            let principal = match member {
                Member::User(login) => Principal::User(login.clone()),
                Member::Group(name) => Principal::Group(name.clone()),
            };
            let part = Part::Member(group.clone(), member.clone());
            self.missing(&principal, part, &format!("group {group}: member {member}"))
        };
        all.filter_map(refuse).collect()
    }

    fn principals(&self) -> Vec<Refusal> {
        let refuse = |(library, principal): &(LibraryName, Principal)| {
            let part = Part::Grant(library.clone(), principal.clone());
            self.missing(principal, part, &format!("library {library}: right of {principal}"))
        };
        self.wanted.grants.keys().filter_map(refuse).collect()
    }

    /// That nobody is there whom a part of the file names.
    fn missing(&self, principal: &Principal, part: Part, what: &str) -> Option<Refusal> {
        let there = |site: &Declaration| match principal {
            Principal::User(login) => site.users.contains_key(login),
            Principal::Group(name) => site.groups.contains_key(name),
            Principal::Everyone => true,
        };
        if there(self.target) {
            return None;
        }
        let (kind, name) = match principal {
            Principal::Group(name) => ("group", name.as_str()),
            Principal::User(login) => ("user", login.as_str()),
            Principal::Everyone => ("everyone", ""),
        };
        let section = format!("[{kind}.{}]", key(name));
        let refusal = Refusal::new(part, format!("{what}: there is no {kind} {name}"));
        Some(match there(self.now) {
            true => {
                refusal.hint(format!("--prune removes that {kind}, which the file lacks; {section} keeps it"))
            }
            false => refusal.hint(format!("{section} makes one")),
        })
    }

    /// Groups that would be in themselves, each circle once, by a member that the file names. Chains of groups may be
    /// long: no recursion.
    fn circles(&self) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        let mut done: BTreeSet<&GroupName> = BTreeSet::new();
        for start in self.target.groups.keys() {
            // From `start` down: each group with those of its members that are still to be looked at.
            let mut path: Vec<(&GroupName, Vec<&GroupName>)> = Vec::new();
            let mut on_path: BTreeSet<&GroupName> = BTreeSet::new();
            let mut next = (!done.contains(start)).then_some(start);
            loop {
                if let Some(group) = next.take() {
                    on_path.insert(group);
                    path.push((group, self.inner(group)));
                }
                let Some((group, open)) = path.last_mut() else { break };
                match open.pop() {
                    None => {
                        done.insert(*group);
                        on_path.remove(*group);
                        path.pop();
                    }
                    Some(member) if on_path.contains(member) => {
                        let names = path.iter().map(|(name, _)| *name);
                        let circle: Vec<_> = names.skip_while(|name| *name != member).collect();
                        refusals.extend(self.circle(&circle));
                    }
                    Some(member) if done.contains(member) => {}
                    Some(member) => next = Some(member),
                }
            }
        }
        refusals
    }

    /// The groups that are members of one, the last first.
    fn inner(&self, group: &GroupName) -> Vec<&GroupName> {
        let members = self.target.groups.get(group).into_iter().flatten().rev();
        let groups = members.filter_map(|member| match member {
            Member::Group(name) => Some(name),
            Member::User(_) => None,
        });
        groups.collect()
    }

    /// `circle`: each next group is a member of the one before it, and the first of the last. One at least is in the file:
    /// the site has none.
    fn circle(&self, circle: &[&GroupName]) -> Option<Refusal> {
        let nth = circle.iter().position(|group| self.wanted.groups.contains_key(*group))?;
        let mut turned = circle.iter().cycle().skip(nth).take(circle.len() + 1).copied().cloned();
        let (group, member) = (turned.next()?, turned.next()?);
        let between = (circle.len() > 1).then(|| std::iter::once(member.clone()).chain(turned));
        let mut through: Vec<_> = between.into_iter().flatten().collect();
        through.pop();
        let why = Error::Cycle { name: group.to_string(), through }.to_string();
        Some(Refusal::new(Part::Member(group, Member::Group(member)), why))
    }
}

fn taken(alias: &Alias, by: &LibraryName) -> String {
    Error::Taken { what: "alias", name: alias.to_string(), by: format!("library {by}") }.to_string()
}
