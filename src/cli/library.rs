//! `mailshelf library`: where documents are filed.

use jiff::Timestamp;
use mailshelf::route::alias::refusal;
use mailshelf::site::Site;
use mailshelf::site::declaration::{self, check_title};
use mailshelf_storage::model::{self, Attachments, LibrarySettings, SenderPolicy, TrustFrom};
use mailshelf_storage::{Alias, Error, LibraryName, Reader};
use serde_json::json;

use super::{Context, DONE, complain, wrong};

pub mod former;
mod meaning;
mod view;

use view::{Fill, Grant, View, Whole};

/// Libraries: add, set, show, list, remove
#[derive(clap::Subcommand)]
pub enum Library {
    /// Make a library
    #[command(
        after_help = "Defaults: --attachments root, --overwrite no, --save-original no, --save-invitations no, \
                      --inline-images no, --sender-policy permissions, --trust-from inherit, --enabled yes, \
                      --quota none, --anonymous-quota none\n\
                      Example: mailshelf library add invoices --alias invoices --save-original yes"
    )]
    Add {
        /// What it is called
        name: LibraryName,
        /// The local-part that mail to it is sent to
        #[arg(long)]
        alias: Alias,
        #[command(flatten)]
        settings: Settings,
    },
    /// Change what is named, and nothing else
    #[command(after_help = "Example: mailshelf library set invoices --save-original no --title Invoices")]
    Set {
        /// Which
        name: LibraryName,
        /// The local-part that mail to it is sent to; the one it had still leads to it for site.former_alias
        #[arg(long)]
        alias: Option<Alias>,
        /// A former alias that shall lead to it no longer
        #[arg(long, value_name = "ALIAS")]
        forget: Vec<Alias>,
        #[command(flatten)]
        settings: Settings,
    },
    /// Show one, what each of its settings means, and the rights given in it
    #[command(after_help = "Example: mailshelf library show invoices")]
    Show {
        /// Which
        name: LibraryName,
    },
    /// Show all
    #[command(after_help = "Example: mailshelf library list --json")]
    List,
    /// Remove one that holds no documents
    #[command(after_help = "Example: mailshelf library remove invoices")]
    Remove {
        /// Which
        name: LibraryName,
    },
}

#[derive(clap::Args)]
pub struct Settings {
    /// Shown to people in place of the name
    #[arg(long, value_parser = title)]
    title: Option<String>,
    /// Where documents stand: in the root, or in a folder named by the subject or by the From address
    #[arg(long, value_name = "root|subject|sender")]
    attachments: Option<Attachments>,
    /// A document whose name is taken becomes a new version of the one that has it; else it gets a number
    #[arg(long, value_name = "yes|no", value_parser = yes_or_no)]
    overwrite: Option<bool>,
    /// File the mail itself too
    #[arg(long, value_name = "yes|no", value_parser = yes_or_no)]
    save_original: Option<bool>,
    /// File invitations (text/calendar) too
    #[arg(long, value_name = "yes|no", value_parser = yes_or_no)]
    save_invitations: Option<bool>,
    /// File the images too that the HTML body shows
    #[arg(long, value_name = "yes|no", value_parser = yes_or_no)]
    inline_images: Option<bool>,
    /// Whom it takes mail from
    #[arg(long, value_name = "permissions|anyone")]
    sender_policy: Option<SenderPolicy>,
    /// Believe the bare From header, which anybody can forge
    #[arg(long, value_name = "inherit|yes|no")]
    trust_from: Option<TrustFrom>,
    /// Take mail at all
    #[arg(long, value_name = "yes|no", value_parser = yes_or_no)]
    enabled: Option<bool>,
    /// The most that all versions of all its documents may come to by mail, removed ones included until they are purged;
    /// mail beyond that is rejected as quota-exceeded, and kept aside
    #[arg(long, value_name = "SIZE|none", value_parser = quota)]
    quota: Option<Quota>,
    /// The most that senders whom nothing proves may file in a day (UTC), all together; mail beyond that is rejected as
    /// anonymous-quota-exceeded
    #[arg(long, value_name = "SIZE|none", value_parser = quota)]
    anonymous_quota: Option<Quota>,
}

/// Bytes; `None`: any number.
#[derive(Clone, Copy)]
struct Quota(Option<u64>);

fn quota(text: &str) -> Result<Quota, String> {
    declaration::quota(text).map(Quota)
}

fn yes_or_no(text: &str) -> Result<bool, String> {
    match text {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err("say yes or no".to_owned()),
    }
}

fn title(text: &str) -> Result<String, String> {
    check_title(text).map(|()| text.to_owned())
}

impl Settings {
    fn is_empty(&self) -> bool {
        let Settings { title, save_original, sender_policy, trust_from, enabled, .. } = self;
        let Settings { attachments, overwrite, save_invitations, inline_images, .. } = self;
        let Settings { quota, anonymous_quota, .. } = self;
        title.is_none()
            && attachments.is_none()
            && overwrite.is_none()
            && save_original.is_none()
            && save_invitations.is_none()
            && inline_images.is_none()
            && sender_policy.is_none()
            && trust_from.is_none()
            && enabled.is_none()
            && quota.is_none()
            && anonymous_quota.is_none()
    }

    fn over(self, old: LibrarySettings) -> LibrarySettings {
        LibrarySettings {
            title: self.title.unwrap_or(old.title),
            attachments: self.attachments.unwrap_or(old.attachments),
            overwrite: self.overwrite.unwrap_or(old.overwrite),
            save_original: self.save_original.unwrap_or(old.save_original),
            save_invitations: self.save_invitations.unwrap_or(old.save_invitations),
            inline_images: self.inline_images.unwrap_or(old.inline_images),
            sender_policy: self.sender_policy.unwrap_or(old.sender_policy),
            trust_from: self.trust_from.unwrap_or(old.trust_from),
            enabled: self.enabled.unwrap_or(old.enabled),
            quota: self.quota.map_or(old.quota, |Quota(bytes)| bytes),
            anonymous_quota: self.anonymous_quota.map_or(old.anonymous_quota, |Quota(bytes)| bytes),
        }
    }
}

/// As people write it.
pub fn word(yes: bool) -> String {
    if yes { "yes" } else { "no" }.to_owned()
}

/// The library of a name, or that there is none.
pub fn find(reader: &(impl Reader + ?Sized), name: &LibraryName) -> Result<model::Library, Error> {
    reader.library(name)?.ok_or_else(|| Error::NotFound { what: "library", name: name.to_string() })
}

impl Library {
    pub fn run(self, context: &Context) -> anyhow::Result<u8> {
        if let Library::Set { name, alias: None, forget, settings } = &self
            && forget.is_empty()
            && settings.is_empty()
        {
            let hint = "`mailshelf library set --help` shows the settings".to_owned();
            return Err(wrong(format!("library {name}: nothing is named to be changed"), Some(hint)));
        }
        let site = context.site()?;
        match self {
            Library::Add { name, alias, settings } => {
                check_alias(&alias, &site)?;
                let mut writer = site.catalog.write()?;
                let settings = settings.over(LibrarySettings::default());
                let loser = former::loser(&*writer, &alias, &name, &site)?;
                writer.add_library(&name, &alias, &settings, Timestamp::now())?;
                writer.commit()?;
                former::warn_of_loser(&alias, &name, loser, &mut warn);
                warn_of_trust(&name, settings.trust_from, &mut warn);
                show(context, &site, &name)
            }
            Library::Set { name, alias, forget, settings } => {
                alias.iter().try_for_each(|alias| check_alias(alias, &site))?;
                let mut writer = site.catalog.write()?;
                let library = find(&*writer, &name)?;
                let alias = alias.unwrap_or(library.alias);
                let asked = settings.trust_from;
                let loser = former::loser(&*writer, &alias, &name, &site)?;
                writer.set_library(library.id, &alias, &settings.over(library.settings))?;
                former::forget(&mut *writer, library.id, &name, &forget)?;
                writer.commit()?;
                former::warn_of_loser(&alias, &name, loser, &mut warn);
                if let Some(trust_from) = asked {
                    warn_of_trust(&name, trust_from, &mut warn);
                }
                show(context, &site, &name)
            }
            Library::Show { name } => show(context, &site, &name),
            Library::List => {
                let (reader, now) = (site.catalog.read()?, Timestamp::now());
                let view = |library: model::Library| {
                    let fill = Fill::of(&*reader, library.id, now)?;
                    Ok(View::new(library, fill, &site.config))
                };
                let views: Vec<_> =
                    reader.libraries()?.into_iter().map(view).collect::<Result<_, Error>>()?;
                context
                    .out
                    .list(&views, "There is no library. Make one: mailshelf library add NAME --alias A")?;
                Ok(DONE)
            }
            Library::Remove { name } => {
                let mut writer = site.catalog.write()?;
                let library = find(&*writer, &name)?;
                writer.remove_library(library.id)?;
                writer.commit()?;
                let removed = json!({"name": name, "removed": true});
                context.out.value(&removed, || format!("Library {name} is removed."))?;
                Ok(DONE)
            }
        }
    }
}

/// Says so where a library is told to believe From. `warn` takes the warning and the way out.
pub fn warn_of_trust(name: &LibraryName, trust_from: TrustFrom, warn: &mut dyn FnMut(String, &str)) {
    if trust_from == TrustFrom::Yes {
        let what = format!("warning: library {name}: whoever writes a From header files there as that user");
        let hint = format!("`mailshelf library set {name} --trust-from no` asks for proof");
        warn(what, &hint);
    }
}

/// On standard error.
pub fn warn(what: String, hint: &str) {
    complain(&what, Some(hint));
}

/// Refuses what a library may not have at this site; whether it is taken the catalog knows. An alias that is not named
/// is left as it is.
fn check_alias(alias: &Alias, site: &Site) -> anyhow::Result<()> {
    let hint = "choose another; with + a subaddress reaches the library of what stands before it".to_owned();
    match refusal(alias, &site.config.site) {
        Some(why) => Err(wrong(format!("alias {alias}: {why}"), Some(hint))),
        None => Ok(()),
    }
}

fn show(context: &Context, site: &Site, name: &LibraryName) -> anyhow::Result<u8> {
    let reader = site.catalog.read()?;
    let library = find(&*reader, name)?;
    let grants = reader.grants(library.id)?.into_iter();
    let grants = grants.map(|grant| Grant { principal: grant.principal, role: grant.role }).collect();
    let meanings = meaning::meanings(&library.settings, &site.config);
    let (now, former_aliases) = (Timestamp::now(), former::aliases(&*reader, library.id, site)?);
    let fill = Fill::of(&*reader, library.id, now)?;
    let library = View::new(library, fill, &site.config);
    context.out.show(&Whole { library, grants, former_aliases, meanings })?;
    Ok(DONE)
}
