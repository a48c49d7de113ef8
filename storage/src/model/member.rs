//! Who is in a group, and the ways in which that gives a role.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::{Principal, Role};
use crate::name::BadName;
use crate::{GroupName, Login};

/// A member of a group: `LOGIN` or `group:NAME`; `user:LOGIN` is taken too.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Member {
    /// One user.
    User(Login),
    /// The members of another group, and of those in it.
    Group(GroupName),
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Member::User(login) => write!(f, "{login}"),
            Member::Group(name) => write!(f, "group:{name}"),
        }
    }
}

impl FromStr for Member {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Member, BadName> {
        match text.split_once(':') {
            None => text.parse().map(Member::User),
            Some(("user", login)) => login.parse().map(Member::User),
            Some(("group", name)) => name.parse().map(Member::Group),
            Some(_) => Err(BadName("a member is LOGIN, user:LOGIN or group:NAME")),
        }
    }
}

impl Serialize for Member {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A way in which a user has a role in a library.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Way {
    /// Which.
    pub role: Role,
    /// First the principal that the right is given to; where that is a group, each next group is a member of the one
    /// before it, and the user is a member of the last. Never empty.
    pub through: Vec<Principal>,
}

/// `contributor by group:all › group:team`
impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.role)?;
        self.through.iter().enumerate().try_for_each(|(nth, principal)| {
            let before = if nth == 0 { "by" } else { "›" };
            write!(f, " {before} {principal}")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_name_is_a_login() {
        for (text, shown) in [
            ("Alice", "alice"),
            ("user:alice", "alice"),
            ("group:Team", "group:team"),
            ("everyone", "everyone"),
        ] {
            let member: Member = text.parse().unwrap();
            assert_eq!(member.to_string(), shown);
            assert_eq!(shown.parse(), Ok(member));
        }
        for bad in ["", "group:", "team:a", "group:a:b", ":a"] {
            assert!(bad.parse::<Member>().is_err(), "{bad}");
        }
    }
}
