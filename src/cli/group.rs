//! `mailshelf group`: groups of people.

use mailshelf::site::Site;
use mailshelf_storage::{Error, GroupName, Login, model};
use serde::Serialize;
use serde_json::json;

use super::output::Show;
use super::{Context, DONE};

/// Groups of people: add, set, list, remove
#[derive(clap::Subcommand)]
pub enum Group {
    /// Make a group
    #[command(after_help = "Example: mailshelf group add accounting --member alice --member bob")]
    Add {
        /// What it is called
        name: GroupName,
        /// A member's login; may be repeated
        #[arg(long = "member", value_name = "LOGIN")]
        members: Vec<Login>,
    },
    /// Put these members in place of those it has
    #[command(after_help = "Example: mailshelf group set accounting --member alice")]
    #[command(group(clap::ArgGroup::new("change").required(true).args(["members", "no_member"])))]
    Set {
        /// Which
        name: GroupName,
        /// A member's login; may be repeated
        #[arg(long = "member", value_name = "LOGIN")]
        members: Vec<Login>,
        /// Take all members out
        #[arg(long)]
        no_member: bool,
    },
    /// Show all
    #[command(after_help = "Example: mailshelf group list")]
    List,
    /// Remove one, and its rights
    #[command(after_help = "Example: mailshelf group remove accounting")]
    Remove {
        /// Which
        name: GroupName,
    },
}

#[derive(Serialize)]
struct View {
    name: GroupName,
    members: Vec<Login>,
}

impl From<model::Group> for View {
    fn from(group: model::Group) -> View {
        View { name: group.name, members: group.members }
    }
}

impl Show for View {
    const COLUMNS: &'static [&'static str] = &["name", "members"];

    fn row(&self) -> Vec<String> {
        let members: Vec<_> = self.members.iter().map(Login::as_str).collect();
        vec![self.name.to_string(), members.join(", ")]
    }
}

impl Group {
    pub fn run(self, context: &Context) -> anyhow::Result<u8> {
        let site = context.site()?;
        match self {
            Group::Add { name, members } => {
                let mut writer = site.catalog.write()?;
                writer.add_group(&name, &members)?;
                writer.commit()?;
                show(context, &site, &name)
            }
            Group::Set { name, members, no_member: _ } => {
                let mut writer = site.catalog.write()?;
                writer.set_group(&name, &members)?;
                writer.commit()?;
                show(context, &site, &name)
            }
            Group::List => {
                let groups = site.catalog.read()?.groups()?.into_iter();
                let views: Vec<_> = groups.map(View::from).collect();
                context
                    .out
                    .list(&views, "There is no group. Make one: mailshelf group add NAME --member LOGIN")
            }
            Group::Remove { name } => {
                let mut writer = site.catalog.write()?;
                writer.remove_group(&name)?;
                writer.commit()?;
                let removed = json!({"name": name, "removed": true});
                context.out.value(&removed, || format!("Group {name} is removed."))
            }
        }?;
        Ok(DONE)
    }
}

fn show(context: &Context, site: &Site, name: &GroupName) -> anyhow::Result<()> {
    let group = site.catalog.read()?.group(name)?;
    let group = group.ok_or_else(|| Error::NotFound { what: "group", name: name.to_string() })?;
    context.out.show(&View::from(group))
}
