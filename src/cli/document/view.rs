//! A document as it is shown.

use mailshelf::record::words::{mark, time};
use mailshelf_storage::model::{Document, Level, Mail};
use mailshelf_storage::{Address, Error, Reader};
use serde::Serialize;

use crate::cli::library::word;
use crate::cli::mail::view::Fields;
use crate::cli::output::Show;

/// A version of a document.
#[derive(Serialize)]
pub struct View {
    pub library: String,
    pub folder: String,
    pub name: String,
    pub path: String,
    pub version: u32,
    pub size: u64,
    pub sha256: String,
    pub media_type: String,
    /// What the bytes show, where that is another type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sniffed_type: Option<String>,
    pub created_by: String,
    pub created_at: String,
    /// How well it was proven who sent it.
    pub level: Level,
    /// Nobody was proven to have.
    pub unverified: bool,
    /// Whom the mail claims to be from.
    pub claimed: Option<Address>,
    pub mail: String,
    pub original: bool,
}

impl View {
    /// A document, with whom the mail it came with claims to be from.
    pub fn new(document: Document, reader: &dyn Reader) -> Result<View, Error> {
        Ok(View {
            level: document.level,
            unverified: document.identity.is_none(),
            claimed: reader.mail(document.delivery)?.and_then(|mail| mail.claimed()),
            path: document.path(),
            library: document.library.to_string(),
            folder: document.folder,
            name: document.name,
            version: document.version,
            size: document.size,
            sha256: document.digest.to_string(),
            media_type: document.media_type,
            sniffed_type: document.sniffed_type,
            created_by: document.created_by,
            created_at: time(document.created_at),
            mail: document.delivery.to_string(),
            original: document.original,
        })
    }

    /// For people: who created it, and what is not proven of that.
    pub fn by(&self) -> String {
        by(&self.created_by, self.unverified, self.level, self.claimed.as_ref())
    }
}

/// Who created it, and what is not proven of that.
fn by(created_by: &str, unverified: bool, level: Level, claimed: Option<&Address>) -> String {
    format!("{created_by}{}", mark(unverified, level.as_str(), claimed.map(Address::as_str)))
}

/// A document with all its versions, the newest first.
#[derive(Serialize)]
pub struct Whole {
    #[serde(flatten)]
    pub document: View,
    /// What the mail says of itself that this version came with.
    pub email: Email,
    /// What is the matter with that mail.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub flaws: Vec<String>,
    pub versions: Vec<Version>,
}

/// The fields of a mail, for those who look at its document. All of them are a stranger's claim.
#[derive(Serialize)]
pub struct Email {
    /// The return path.
    pub envelope_sender: Option<String>,
    pub from: Option<String>,
    pub subject: Option<String>,
    pub message_id: Option<String>,
    #[serde(flatten)]
    pub fields: Fields,
}

impl From<Mail> for Email {
    fn from(mail: Mail) -> Email {
        Email {
            envelope_sender: mail.envelope_sender,
            from: mail.from,
            subject: mail.subject,
            message_id: mail.message_id.map(|id| format!("<{id}>")),
            fields: mail.fields.into(),
        }
    }
}

impl Email {
    /// For people: what there is.
    pub fn lines(&self) -> impl Iterator<Item = (&'static str, String)> {
        let texts = [
            ("envelope sender", &self.envelope_sender),
            ("from", &self.from),
            ("subject", &self.subject),
            ("message-id", &self.message_id),
        ];
        let texts = texts.into_iter().filter_map(|(heading, text)| text.clone().map(|text| (heading, text)));
        texts.chain(self.fields.lines())
    }
}

#[derive(Serialize)]
pub struct Version {
    version: u32,
    size: u64,
    sha256: String,
    created_by: String,
    level: Level,
    unverified: bool,
    claimed: Option<Address>,
    created_at: String,
    mail: String,
}

impl Version {
    /// With whom the mail it came with claims to be from.
    pub fn new(document: Document, reader: &dyn Reader) -> Result<Version, Error> {
        let View { version, size, sha256, created_by, created_at, level, unverified, claimed, mail, .. } =
            View::new(document, reader)?;
        Ok(Version { version, size, sha256, created_by, level, unverified, claimed, created_at, mail })
    }
}

/// The same in a table, where a digest has no room.
impl Show for Version {
    const COLUMNS: &'static [&'static str] = &["version", "size", "created by", "created at", "mail"];

    fn row(&self) -> Vec<String> {
        let Version { version, size, created_by, created_at, mail, .. } = self;
        let by = by(created_by, self.unverified, self.level, self.claimed.as_ref());
        vec![version.to_string(), size.to_string(), by, created_at.clone(), mail.clone()]
    }
}

impl Show for View {
    const COLUMNS: &'static [&'static str] = &[
        "library",
        "folder",
        "path",
        "original",
        "version",
        "size",
        "created by",
        "level",
        "created at",
        "media type",
        "mail",
        "sha256",
    ];

    fn row(&self) -> Vec<String> {
        vec![
            self.library.clone(),
            if self.folder.is_empty() { "(root)".to_owned() } else { self.folder.clone() },
            self.path.clone(),
            word(self.original),
            self.version.to_string(),
            self.size.to_string(),
            self.by(),
            self.level.to_string(),
            self.created_at.clone(),
            self.types(),
            self.mail.clone(),
            self.sha256.clone(),
        ]
    }
}

impl View {
    /// Both types, where the bytes show another than was declared.
    fn types(&self) -> String {
        match &self.sniffed_type {
            Some(sniffed) => format!("{} (its bytes show {sniffed})", self.media_type),
            None => self.media_type.clone(),
        }
    }
}

/// The same in a table, where a digest has no room.
#[derive(Serialize)]
pub struct Row(pub View);

impl Show for Row {
    const COLUMNS: &'static [&'static str] = &["path", "version", "size", "created by", "created at", "mail"];

    fn row(&self) -> Vec<String> {
        let view = &self.0;
        let (version, size, by) = (view.version.to_string(), view.size.to_string(), view.by());
        vec![view.path.clone(), version, size, by, view.created_at.clone(), view.mail.clone()]
    }
}
