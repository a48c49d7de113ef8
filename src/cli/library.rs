//! `mailshelf library`: where documents are filed.

use jiff::Timestamp;
use mailshelf::config::Config;
use mailshelf::record::words::time;
use mailshelf::route::alias::refusal;
use mailshelf::site::Site;
use mailshelf_storage::model::{
    self, Attachments, LibrarySettings, Principal, Role, SenderPolicy, TrustFrom,
};
use mailshelf_storage::{Alias, Error, LibraryName, Reader};
use serde::Serialize;
use serde_json::json;

use super::output::Show;
use super::{Context, DONE, complain, wrong};

mod meaning;

/// Libraries: add, set, show, list, remove
#[derive(clap::Subcommand)]
pub enum Library {
    /// Make a library
    #[command(
        after_help = "Defaults: --attachments root, --overwrite no, --save-original no, --save-invitations no, \
                      --inline-images no, --sender-policy permissions, --trust-from inherit, --enabled yes\n\
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
        /// The local-part that mail to it is sent to
        #[arg(long)]
        alias: Option<Alias>,
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
}

fn yes_or_no(text: &str) -> Result<bool, String> {
    match text {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err("say yes or no".to_owned()),
    }
}

/// The longest title, in characters.
const LONGEST_TITLE: usize = 255;

fn title(text: &str) -> Result<String, String> {
    if text.chars().any(char::is_control) {
        return Err("a title has no control characters".to_owned());
    }
    if text.chars().count() > LONGEST_TITLE {
        return Err(format!("a title has at most {LONGEST_TITLE} characters"));
    }
    Ok(text.to_owned())
}

impl Settings {
    fn is_empty(&self) -> bool {
        let Settings { title, save_original, sender_policy, trust_from, enabled, .. } = self;
        let Settings { attachments, overwrite, save_invitations, inline_images, .. } = self;
        title.is_none()
            && attachments.is_none()
            && overwrite.is_none()
            && save_original.is_none()
            && save_invitations.is_none()
            && inline_images.is_none()
            && sender_policy.is_none()
            && trust_from.is_none()
            && enabled.is_none()
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
        }
    }
}

#[derive(Serialize)]
struct View {
    name: LibraryName,
    address: String,
    alias: Alias,
    title: String,
    attachments: Attachments,
    overwrite: bool,
    save_original: bool,
    save_invitations: bool,
    inline_images: bool,
    sender_policy: SenderPolicy,
    trust_from: TrustFrom,
    enabled: bool,
    created_at: String,
}

/// A library with the rights given in it.
#[derive(Serialize)]
struct Whole {
    #[serde(flatten)]
    library: View,
    grants: Vec<Grant>,
    /// For people: what each setting does.
    #[serde(skip)]
    meanings: Vec<String>,
}

#[derive(Serialize)]
struct Grant {
    principal: Principal,
    role: Role,
}

impl View {
    fn new(library: model::Library, config: &Config) -> View {
        let domain = config.site.domains.first().map(String::as_str).unwrap_or_default();
        View {
            address: format!("{}{}@{domain}", config.site.alias_prefix, library.alias),
            name: library.name,
            alias: library.alias,
            title: library.settings.title,
            attachments: library.settings.attachments,
            overwrite: library.settings.overwrite,
            save_original: library.settings.save_original,
            save_invitations: library.settings.save_invitations,
            inline_images: library.settings.inline_images,
            sender_policy: library.settings.sender_policy,
            trust_from: library.settings.trust_from,
            enabled: library.settings.enabled,
            created_at: time(library.created_at),
        }
    }
}

/// As people write it.
pub fn word(yes: bool) -> String {
    if yes { "yes" } else { "no" }.to_owned()
}

impl Show for View {
    const COLUMNS: &'static [&'static str] = &[
        "name",
        "address",
        "title",
        "attachments",
        "overwrite",
        "save-original",
        "save-invitations",
        "inline-images",
        "sender-policy",
        "trust-from",
        "enabled",
    ];

    fn row(&self) -> Vec<String> {
        vec![
            self.name.to_string(),
            self.address.clone(),
            self.title.clone(),
            self.attachments.to_string(),
            word(self.overwrite),
            word(self.save_original),
            word(self.save_invitations),
            word(self.inline_images),
            self.sender_policy.to_string(),
            self.trust_from.to_string(),
            word(self.enabled),
        ]
    }
}

impl Show for Whole {
    const COLUMNS: &'static [&'static str] = &[
        "name",
        "address",
        "title",
        "attachments",
        "overwrite",
        "save-original",
        "save-invitations",
        "inline-images",
        "sender-policy",
        "trust-from",
        "enabled",
        "created",
        "rights",
    ];

    fn row(&self) -> Vec<String> {
        let View { name, address, title, created_at, .. } = &self.library;
        let mut row = vec![name.to_string(), address.clone(), title.clone()];
        row.extend(self.meanings.iter().cloned());
        row.push(created_at.clone());
        let grants: Vec<_> = self.grants.iter().map(|g| format!("{} {}", g.principal, g.role)).collect();
        row.push(if grants.is_empty() { "none".to_owned() } else { grants.join(", ") });
        row
    }
}

/// The library of a name, or that there is none.
pub fn find(reader: &(impl Reader + ?Sized), name: &LibraryName) -> Result<model::Library, Error> {
    reader.library(name)?.ok_or_else(|| Error::NotFound { what: "library", name: name.to_string() })
}

impl Library {
    pub fn run(self, context: &Context) -> anyhow::Result<u8> {
        if let Library::Set { name, alias: None, settings } = &self
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
                writer.add_library(&name, &alias, &settings, Timestamp::now())?;
                writer.commit()?;
                warn_of_trust(&name, settings.trust_from);
                show(context, &site, &name)
            }
            Library::Set { name, alias, settings } => {
                alias.iter().try_for_each(|alias| check_alias(alias, &site))?;
                let mut writer = site.catalog.write()?;
                let library = find(&*writer, &name)?;
                let alias = alias.unwrap_or(library.alias);
                let asked = settings.trust_from;
                writer.set_library(library.id, &alias, &settings.over(library.settings))?;
                writer.commit()?;
                if let Some(trust_from) = asked {
                    warn_of_trust(&name, trust_from);
                }
                show(context, &site, &name)
            }
            Library::Show { name } => show(context, &site, &name),
            Library::List => {
                let libraries = site.catalog.read()?.libraries()?;
                let views: Vec<_> = libraries.into_iter().map(|l| View::new(l, &site.config)).collect();
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

/// Says so where a library is told to believe From.
fn warn_of_trust(name: &LibraryName, trust_from: TrustFrom) {
    if trust_from == TrustFrom::Yes {
        let what = format!("warning: library {name}: whoever writes a From header files there as that user");
        let hint = format!("`mailshelf library set {name} --trust-from no` asks for proof");
        complain(&what, Some(&hint));
    }
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
    context.out.show(&Whole { library: View::new(library, &site.config), grants, meanings })?;
    Ok(DONE)
}
