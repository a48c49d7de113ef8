//! Whom a mail may be from, as far as the site knows: the users who have its address, and those whom the accounts mean
//! that signed in.

use std::collections::HashMap;

use mailshelf_storage::model::User;
use mailshelf_storage::{Address, Reader, Result};

use super::evidence::Findings;

/// The users who come into question.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// Those who have the address that From names.
    pub senders: Vec<User>,
    /// For each account that signed in, all whom it may mean.
    pub accounts: HashMap<String, Vec<User>>,
}

impl Known {
    /// Looks them up.
    pub fn look_up(from: &Address, findings: &Findings, people: &dyn Reader) -> Result<Known> {
        let of = |account: &str| Ok((account.to_owned(), by_account(account, people)?));
        Ok(Known {
            senders: people.users_by_address(from)?,
            accounts: findings.accounts().map(of).collect::<Result<_>>()?,
        })
    }

    /// All whom an account may mean.
    pub fn of_account(&self, account: &str) -> &[User] {
        self.accounts.get(account).map(Vec::as_slice).unwrap_or_default()
    }
}

/// Every user that an account may mean, each once: it is the login of one, or an address of one or several. What a server
/// calls by a word that is one user's login and another's address is the account of neither.
pub fn by_account(account: &str, people: &dyn Reader) -> Result<Vec<User>> {
    let mut users = match account.parse() {
        Ok(address) => people.users_by_address(&address)?,
        Err(_) => Vec::new(),
    };
    if let Ok(login) = account.parse()
        && let Some(user) = people.user(&login)?
        && users.iter().all(|other| other.id != user.id)
    {
        users.push(user);
    }
    Ok(users)
}
