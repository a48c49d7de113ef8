//! `mailshelf user`: people who send.

use mailshelf::sender::known::by_account;
use mailshelf::site::Site;
use mailshelf_storage::model::UnusedAddress;
use mailshelf_storage::{Address, Error, Login, Reader, model};
use serde::Serialize;
use serde_json::json;

use super::output::Show;
use super::{Context, DONE, library, wrong};

/// People who send mail: add, set, list, remove
#[derive(clap::Subcommand)]
pub enum User {
    /// Make a user
    #[command(
        after_help = "Example: mailshelf user add alice --address alice@example.org --address a@example.net"
    )]
    Add {
        /// Who
        login: Login,
        /// An address the user sends from; may be repeated
        #[arg(long = "address", value_name = "ADDRESS")]
        addresses: Vec<Address>,
    },
    /// Put these addresses in place of those the user has
    #[command(after_help = "Example: mailshelf user set alice --address alice@example.org")]
    #[command(group(clap::ArgGroup::new("change").required(true).args(["addresses", "no_address"])))]
    Set {
        /// Who
        login: Login,
        /// An address the user sends from; may be repeated
        #[arg(long = "address", value_name = "ADDRESS")]
        addresses: Vec<Address>,
        /// Take all addresses away
        #[arg(long)]
        no_address: bool,
    },
    /// Show all
    #[command(after_help = "Example: mailshelf user list")]
    List,
    /// Remove one, from groups and rights too; documents stay
    #[command(after_help = "Example: mailshelf user remove alice")]
    Remove {
        /// Who
        login: Login,
    },
}

#[derive(Serialize)]
struct View {
    login: Login,
    addresses: Vec<Address>,
    /// Those on record that nobody is found by.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_in_use: Vec<UnusedAddress>,
}

impl View {
    /// `unused` are those of all users.
    fn new(user: model::User, unused: &[UnusedAddress]) -> View {
        let not_in_use = unused.iter().filter(|one| one.login == user.login).cloned().collect();
        View { login: user.login, addresses: user.addresses, not_in_use }
    }
}

impl Show for View {
    const COLUMNS: &'static [&'static str] = &["login", "addresses"];

    fn row(&self) -> Vec<String> {
        let used = self.addresses.iter().map(ToString::to_string);
        let not = self.not_in_use.iter().map(|one| format!("{} (not in use: {})", one.address, one.why));
        let addresses: Vec<_> = used.chain(not).collect();
        vec![self.login.to_string(), addresses.join(", ")]
    }
}

/// The user of a login, or that there is none.
pub fn find(reader: &(impl Reader + ?Sized), login: &Login) -> Result<model::User, Error> {
    reader.user(login)?.ok_or_else(|| Error::NotFound { what: "user", name: login.to_string() })
}

/// Says where an address is somebody else's too: mail from it will belong to neither. So it is with sign-ins by a word
/// that is the login of one and an address of the other. `warn` takes each warning and the way out.
pub fn warn_of_shared(
    reader: &dyn Reader,
    login: &Login,
    addresses: &[Address],
    warn: &mut dyn FnMut(String, &str),
) -> Result<(), Error> {
    for address in addresses {
        let others = reader.users_by_address(address)?;
        if let Some(other) = others.iter().find(|user| user.login != *login) {
            let what = format!("warning: address {address}: {} has it too", other.login);
            warn(what, "mail from it is nobody's while two users have it");
        }
        let namesake = address.as_str().parse().ok().filter(|name| name != login);
        if let Some(other) = namesake.map(|name| reader.user(&name)).transpose()?.flatten() {
            let what = format!("warning: address {address}: it is the login of user {}", other.login);
            warn(what, NEITHERS);
        }
    }
    let others = by_account(login.as_str(), reader)?;
    if let Some(other) = others.iter().find(|user| user.login != *login) {
        let what = format!("warning: login {login}: it is an address of {}", other.login);
        warn(what, NEITHERS);
    }
    Ok(())
}

const NEITHERS: &str = "whoever signs in by it is nobody while it may mean two users";

impl User {
    pub fn run(self, context: &Context) -> anyhow::Result<u8> {
        let site = context.site()?;
        match self {
            User::Add { login, addresses } => {
                refuse_the_system_account(&site, &login)?;
                let mut writer = site.catalog.write()?;
                warn_of_shared(&*writer, &login, &addresses, &mut library::warn)?;
                writer.add_user(&login, &addresses)?;
                writer.commit()?;
                show(context, &site, &login)
            }
            User::Set { login, addresses, no_address: _ } => {
                let mut writer = site.catalog.write()?;
                let user = find(&*writer, &login)?;
                warn_of_shared(&*writer, &login, &addresses, &mut library::warn)?;
                writer.set_user(user.id, &addresses)?;
                writer.commit()?;
                show(context, &site, &login)
            }
            User::List => {
                let reader = site.catalog.read()?;
                let unused = reader.unused_addresses()?;
                let views: Vec<_> =
                    reader.users()?.into_iter().map(|user| View::new(user, &unused)).collect();
                drop(reader);
                context.out.list(&views, "There is no user. Make one: mailshelf user add LOGIN --address A")
            }
            User::Remove { login } => {
                let mut writer = site.catalog.write()?;
                let user = find(&*writer, &login)?;
                writer.remove_user(user.id)?;
                writer.commit()?;
                let removed = json!({"login": login, "removed": true});
                context.out.value(&removed, || format!("User {login} is removed."))
            }
        }?;
        Ok(DONE)
    }
}

/// A user of that login would own what nobody proven has sent.
fn refuse_the_system_account(site: &Site, login: &Login) -> anyhow::Result<()> {
    if login.as_str() != site.config.site.system_account.to_lowercase() {
        return Ok(());
    }
    let what = format!("user {login}: that is the system account (site.system_account)");
    Err(wrong(what, Some("choose another login".to_owned())))
}

fn show(context: &Context, site: &Site, login: &Login) -> anyhow::Result<()> {
    let reader = site.catalog.read()?;
    context.out.show(&View::new(find(&*reader, login)?, &reader.unused_addresses()?))
}
