//! A library as it is shown.

use jiff::{SignedDuration, Timestamp};
use mailshelf::config::{Config, Size};
use mailshelf::explain::words::{bytes, thousands};
use mailshelf::record::words::time;
use mailshelf_storage::model::{self, Aside, Attachments, Principal, Role, SenderPolicy, TrustFrom, Usage};
use mailshelf_storage::{Alias, Error, LibraryId, LibraryName, Reader};
use serde::Serialize;

use super::word;
use crate::cli::output::Show;

#[derive(Serialize)]
pub struct View {
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
    /// In bytes; null: none.
    quota: Option<u64>,
    /// In bytes a day; null: none.
    anonymous_quota: Option<u64>,
    /// Bytes of all versions of all documents.
    used: u64,
    /// Bytes that nobody proven has sent today.
    anonymous_today: u64,
    created_at: String,
}

/// A library with the rights given in it.
#[derive(Serialize)]
pub struct Whole {
    #[serde(flatten)]
    pub library: View,
    pub grants: Vec<Grant>,
    /// The aliases that it had, and that still lead to it.
    pub former_aliases: Vec<FormerAlias>,
    /// For people: what each setting does.
    #[serde(skip)]
    pub meanings: Vec<String>,
}

#[derive(Serialize)]
pub struct Grant {
    pub principal: Principal,
    pub role: Role,
}

/// An alias that it had.
#[derive(Serialize)]
pub struct FormerAlias {
    pub alias: Alias,
    /// From then on it is nobody's.
    pub until: String,
}

/// How full it is.
pub struct Fill {
    usage: Usage,
    aside: Aside,
}

impl Fill {
    pub fn of(reader: &dyn Reader, library: LibraryId, now: Timestamp) -> Result<Fill, Error> {
        // What came today began with the day, however long it is kept.
        let today = now.checked_sub(SignedDuration::from_hours(24)).unwrap_or(now);
        Ok(Fill { usage: reader.usage(library, now)?, aside: reader.aside(library, now, today)? })
    }
}

impl View {
    pub fn new(library: model::Library, Fill { usage, aside }: Fill, config: &Config) -> View {
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
            quota: library.settings.quota,
            anonymous_quota: library.settings.anonymous_quota,
            used: usage.used,
            anonymous_today: usage.filed_today.saturating_add(aside.today),
            created_at: time(library.created_at),
        }
    }
}

/// A quota as people write it.
pub fn quota(quota: Option<u64>) -> String {
    quota.map_or("none".to_owned(), |bytes| Size(bytes).to_string())
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
        "quota",
        "anonymous-quota",
        "used",
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
            quota(self.quota),
            quota(self.anonymous_quota),
            thousands(self.used),
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
        "quota",
        "anonymous-quota",
        "used",
        "created",
        "former-aliases",
        "rights",
    ];

    fn row(&self) -> Vec<String> {
        let View { name, address, title, created_at, used, anonymous_today, .. } = &self.library;
        let mut row = vec![name.to_string(), address.clone(), title.clone()];
        row.extend(self.meanings.iter().cloned());
        let today = thousands(*anonymous_today);
        row.push(format!("{}; {today} of nobody proven today", bytes(*used)));
        row.push(created_at.clone());
        let former: Vec<_> =
            self.former_aliases.iter().map(|f| format!("{} until {}", f.alias, f.until)).collect();
        row.push(if former.is_empty() { "none".to_owned() } else { former.join(", ") });
        let grants: Vec<_> = self.grants.iter().map(|g| format!("{} {}", g.principal, g.role)).collect();
        row.push(if grants.is_empty() { "none".to_owned() } else { grants.join(", ") });
        row
    }
}
