//! People, groups, and the rights they have.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::{Member, words};
use crate::name::BadName;
use crate::{Address, GroupName, Login, UserId};

words!(
    /// What a principal may do in a library; each includes those before it.
    Role, "a role" {
        /// May read.
        Reader = "reader",
        /// May file.
        Contributor = "contributor",
        /// May change the library.
        Owner = "owner",
    }
);

/// A person. Two users may share an address; then mail from it belongs to neither.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The row.
    pub id: UserId,
    /// What the user signs in as; unique.
    pub login: Login,
    /// The addresses the user sends from, sorted.
    pub addresses: Vec<Address>,
}

/// An address on record that nobody is found by, because its form is not the canonical one: an earlier version, or somebody
/// else, wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UnusedAddress {
    /// Whose it would be.
    #[serde(skip)]
    pub login: Login,
    /// As it stands there.
    pub address: String,
    /// Why it is not in use.
    pub why: String,
}

impl fmt::Display for UnusedAddress {
    /// In a sentence, with the command that mends it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let UnusedAddress { login, address, why } = self;
        write!(f, "address {address} of user {login}: nobody is found by it: {why}; ")?;
        write!(f, "`mailshelf user set {login} --address ADDRESS` puts others in place of all the user has")
    }
}

/// A group of users, and of other groups. None is in itself, at whatever depth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// What it is called; unique.
    pub name: GroupName,
    /// Its members, sorted, users first.
    pub members: Vec<Member>,
}

/// Whom a right is given to: `user:LOGIN`, `group:NAME` or `everyone`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Principal {
    /// One user.
    User(Login),
    /// The members of a group, and of the groups in it.
    Group(GroupName),
    /// Every known user.
    Everyone,
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Principal::User(login) => write!(f, "user:{login}"),
            Principal::Group(name) => write!(f, "group:{name}"),
            Principal::Everyone => f.write_str("everyone"),
        }
    }
}

impl FromStr for Principal {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Principal, BadName> {
        match text.split_once(':') {
            Some(("user", login)) => login.parse().map(Principal::User),
            Some(("group", name)) => name.parse().map(Principal::Group),
            None if text == "everyone" => Ok(Principal::Everyone),
            _ => Err(BadName("a principal is user:LOGIN, group:NAME or everyone")),
        }
    }
}

impl Serialize for Principal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A right in a library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// To whom.
    pub principal: Principal,
    /// Which.
    pub role: Role,
}
