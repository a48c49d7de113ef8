//! `mailshelf group`: groups of people, and of groups.

use mailshelf::site::Site;
use mailshelf_storage::model::Member;
use mailshelf_storage::{Error, GroupName, model};
use serde::Serialize;

use super::output::Show;
use super::{Context, DONE};

/// Groups of people: add, set, list, remove
#[derive(clap::Subcommand)]
pub enum Group {
    /// Make a group
    #[command(after_help = "Example: mailshelf group add accounting --member alice --member group:interns")]
    Add {
        /// What it is called
        name: GroupName,
        /// A member: a login, or a group whose members are members too; may be repeated
        #[arg(long = "member", value_name = "LOGIN|group:NAME")]
        members: Vec<Member>,
    },
    /// Put these members in place of those it has
    #[command(after_help = "Example: mailshelf group set accounting --member alice")]
    #[command(group(clap::ArgGroup::new("change").required(true).args(["members", "no_member"])))]
    Set {
        /// Which
        name: GroupName,
        /// A member: a login, or a group whose members are members too; may be repeated
        #[arg(long = "member", value_name = "LOGIN|group:NAME")]
        members: Vec<Member>,
        /// Take all members out
        #[arg(long)]
        no_member: bool,
    },
    /// Show all
    #[command(after_help = "Example: mailshelf group list")]
    List,
    /// Remove one, from other groups and rights too
    #[command(after_help = "Example: mailshelf group remove accounting")]
    Remove {
        /// Which
        name: GroupName,
    },
}

#[derive(Serialize)]
struct View {
    name: GroupName,
    members: Vec<Member>,
}

impl From<model::Group> for View {
    fn from(group: model::Group) -> View {
        View { name: group.name, members: group.members }
    }
}

/// A group that is gone, and the groups that it was a member of.
#[derive(Serialize)]
struct Removed {
    name: GroupName,
    removed: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    removed_from: Vec<GroupName>,
}

impl Removed {
    fn text(&self) -> String {
        let outer: Vec<_> = self.removed_from.iter().map(GroupName::as_str).collect();
        match outer.as_slice() {
            [] => format!("Group {} is removed.", self.name),
            outer => {
                format!("Group {} is removed, and is no longer a member of {}.", self.name, outer.join(", "))
            }
        }
    }
}

impl Show for View {
    const COLUMNS: &'static [&'static str] = &["name", "members"];

    fn row(&self) -> Vec<String> {
        let members: Vec<_> = self.members.iter().map(Member::to_string).collect();
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
                let itself = Member::Group(name.clone());
                let outer = writer.groups()?.into_iter().filter(|group| group.members.contains(&itself));
                let removed_from = outer.map(|group| group.name).collect();
                writer.remove_group(&name)?;
                writer.commit()?;
                let removed = Removed { name, removed: true, removed_from };
                context.out.value(&removed, || removed.text())
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
