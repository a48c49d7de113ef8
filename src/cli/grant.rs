//! `mailshelf grant` and `mailshelf revoke`: who may do what in a library.

use mailshelf_storage::LibraryName;
use mailshelf_storage::model::{Principal, Role};
use serde::Serialize;

use super::{Context, DONE, library, wrong};

/// Give a right in a library, in place of the one the principal had there
#[derive(clap::Args)]
#[command(after_help = "Example: mailshelf grant invoices group:accounting contributor")]
pub struct Grant {
    /// In which
    library: LibraryName,
    /// To whom: user:LOGIN, group:NAME or everyone (every known user)
    principal: Principal,
    /// Which: reader, contributor (may file) or owner
    role: Role,
}

/// Take a right in a library
#[derive(clap::Args)]
#[command(after_help = "Example: mailshelf revoke invoices group:accounting")]
pub struct Revoke {
    /// In which
    library: LibraryName,
    /// From whom: user:LOGIN, group:NAME or everyone
    principal: Principal,
}

#[derive(Serialize)]
struct Given<'a> {
    library: &'a LibraryName,
    principal: &'a Principal,
    role: Option<Role>,
}

impl Grant {
    pub fn run(&self, context: &Context) -> anyhow::Result<u8> {
        let site = context.site()?;
        let mut writer = site.catalog.write()?;
        let library = library::find(&*writer, &self.library)?;
        writer.grant(library.id, &self.principal, self.role)?;
        writer.commit()?;
        let given = Given { library: &self.library, principal: &self.principal, role: Some(self.role) };
        context.out.value(&given, || format!("{} is {} of {}", self.principal, self.role, self.library))?;
        Ok(DONE)
    }
}

impl Revoke {
    pub fn run(&self, context: &Context) -> anyhow::Result<u8> {
        let site = context.site()?;
        let mut writer = site.catalog.write()?;
        let library = library::find(&*writer, &self.library)?;
        if !writer.revoke(library.id, &self.principal)? {
            let what = format!("right of {} in library {}: there is none", self.principal, self.library);
            let hint = format!("`mailshelf library show {}` shows the rights given there", self.library);
            return Err(wrong(what, Some(hint)));
        }
        writer.commit()?;
        let taken = Given { library: &self.library, principal: &self.principal, role: None };
        context.out.value(&taken, || {
            format!("{} has no right of its own in {} now", self.principal, self.library)
        })?;
        Ok(DONE)
    }
}
