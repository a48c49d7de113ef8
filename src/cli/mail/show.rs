//! `mailshelf mail show`: everything on record of one mail.

use mailshelf::escape::Escaped;
use mailshelf::record::words::time;
use mailshelf::site::Look;
use mailshelf::whereabouts::{self, Found, Place};
use mailshelf_storage::model::{Document, KeptEnd, KeptFate, MailState, Purged};
use mailshelf_storage::{Address, Alias, DeliveryId, Error, LibraryId};
use serde::Serialize;

use super::find;
use super::view::{Names, Recipient, View};
use crate::cli::output::{Output, Tone};

/// As many other deliveries are shown.
const OTHERS: usize = 20;

#[derive(Serialize)]
struct Whole {
    #[serde(flatten)]
    view: View,
    documents: Vec<Filed>,
    /// Whether the mail itself is in the contents.
    original: bool,
    /// Other deliveries of the same mail, by its bytes or its likeness, that were filed somewhere.
    also_filed: Vec<DeliveryId>,
    files: Vec<File>,
    /// Documents of it that were removed, and purged since.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    purged: Vec<Gone>,
    /// How it left the folder that rejected mail is kept in.
    #[serde(skip_serializing_if = "Option::is_none")]
    left_kept: Option<Left>,
}

#[derive(Serialize)]
struct Left {
    fate: KeptFate,
    why: String,
    at: String,
}

#[derive(Serialize)]
struct Filed {
    library: String,
    path: String,
    version: u32,
    size: u64,
    sha256: String,
    created_by: String,
    original: bool,
    /// Since when it is in the recycle bin.
    #[serde(skip_serializing_if = "Option::is_none")]
    removed_at: Option<String>,
    #[serde(skip)]
    unverified: bool,
    #[serde(skip)]
    filed_in: LibraryId,
}

#[derive(Serialize)]
struct Gone {
    library: String,
    path: String,
    version: u32,
    size: u64,
    sha256: String,
    removed_at: String,
    purged_at: String,
    why: String,
}

impl From<Purged> for Gone {
    fn from(purged: Purged) -> Gone {
        Gone {
            library: purged.library.to_string(),
            path: purged.path,
            version: purged.version,
            size: purged.size,
            sha256: purged.digest.to_string(),
            removed_at: time(purged.removal.time()),
            purged_at: time(purged.at),
            why: purged.why,
        }
    }
}

#[derive(Serialize)]
struct File {
    place: Place,
    /// A copy that a replay made.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    replay: bool,
    path: String,
}

pub fn show(site: &Look, out: &Output, id: &str) -> anyhow::Result<()> {
    let whole = read(site, id)?;
    if out.is_json() {
        return out.object(&whole);
    }
    Text { out, width: 0 }.whole(&whole)
}

fn read(site: &Look, id: &str) -> anyhow::Result<Whole> {
    let reader = site.catalog.read()?;
    let delivery = find(&*reader, id)?;
    let gone = || Error::NotFound { what: "mail", name: delivery.to_string() };
    let mail = reader.mail(delivery)?.ok_or_else(gone)?;
    let documents = reader.documents_of(delivery)?;
    let (mut original, mut also_filed) = (false, Vec::new());
    let outcomes = reader.outcomes(delivery)?;
    let likeness = outcomes.iter().find_map(|outcome| outcome.likeness);
    if let Some(digest) = mail.digest {
        original = reader.content(digest)?.is_some_and(|known| !known.doomed);
        also_filed = reader.filed_deliveries(digest, likeness, OTHERS + 1)?;
        also_filed.retain(|other| *other != delivery);
        also_filed.truncate(OTHERS);
    }
    let view = View::new(mail, outcomes, &Names::read(&*reader)?, &documents);
    let purged = reader.purged_of(delivery)?.into_iter().map(Gone::from).collect();
    let left_kept = reader.kept_end(delivery)?;
    let left_kept = left_kept.map(|KeptEnd { fate, why, at }| Left { fate, why, at: time(at) });
    drop(reader);
    let files = whereabouts::find(&site.config, delivery)?.into_iter().map(File::from).collect();
    let documents = documents.into_iter().map(Filed::from).collect();
    Ok(Whole { view, documents, original, also_filed, files, purged, left_kept })
}

impl From<Found> for File {
    fn from(found: Found) -> File {
        File { place: found.place, replay: found.replay, path: found.shown_path() }
    }
}

impl From<Document> for Filed {
    fn from(document: Document) -> Filed {
        Filed {
            path: document.path(),
            library: document.library.to_string(),
            version: document.version,
            size: document.size,
            sha256: document.digest.to_string(),
            created_by: document.created_by,
            original: document.original,
            removed_at: document.removal.map(|removal| time(removal.time())),
            unverified: document.identity.is_none(),
            filed_in: document.filed_in,
        }
    }
}

impl Filed {
    /// For people, below the recipient it was filed for, if that is known.
    fn line(&self, recipient: Option<&Recipient>) -> String {
        let Filed { path, version, size, created_by, library, .. } = self;
        let place = match recipient {
            Some(recipient) if recipient.is_in(library) => String::new(),
            Some(_) => format!(" (moved to {library} since)"),
            None => format!(" in {library}"),
        };
        let original = if self.original { ", the original" } else { "" };
        let unverified = if self.unverified { ", unverified" } else { "" };
        let removed = self.removed_at.as_ref().map(|at| format!("; removed {at}")).unwrap_or_default();
        format!(
            "{path}{place}, version {version}, {size} bytes{original}, by {created_by}{unverified}{removed}"
        )
    }
}

/// The same for people: a thing a line.
struct Text<'a> {
    out: &'a Output,
    /// Blanks before each heading.
    width: usize,
}

/// The longest heading.
const HEADING: usize = 15;

impl Text<'_> {
    fn line(&self, heading: &str, tone: Option<Tone>, value: &str) -> anyhow::Result<()> {
        let value = self.out.paint(tone, &Escaped(value).to_string());
        let (indent, width) = (self.width, HEADING.saturating_sub(self.width));
        let heading = self.out.padded(Some(Tone::Heading), heading, width);
        self.out.line(&format!("{:indent$}{heading}  {value}", ""))
    }

    fn plain(&self, heading: &str, value: &str) -> anyhow::Result<()> {
        self.line(heading, None, value)
    }

    /// Nothing is said of what is not there.
    fn some(&self, heading: &str, value: Option<&str>) -> anyhow::Result<()> {
        value.map_or(Ok(()), |value| self.plain(heading, value))
    }

    fn whole(&self, whole: &Whole) -> anyhow::Result<()> {
        let view = &whole.view;
        self.plain("mail", &view.mail)?;
        self.plain("taken", &view.taken_at)?;
        self.plain("arrived", &view.arrived_at)?;
        self.plain("file", &view.file)?;
        self.plain("node", &view.node)?;
        self.some("from", view.from.as_deref())?;
        self.some("claims to be", view.claimed.as_ref().map(Address::as_str))?;
        self.some("envelope sender", view.envelope_sender.as_deref())?;
        self.some("subject", view.subject.as_deref())?;
        self.some("message-id", view.message_id.as_deref())?;
        view.fields.lines().try_for_each(|(heading, text)| self.plain(heading, &text))?;
        view.flaws.iter().try_for_each(|flaw| self.plain("flaw", flaw))?;
        if let Some(sha256) = &view.sha256 {
            self.plain("size", &format!("{} bytes", view.size))?;
            self.plain("sha256", sha256)?;
        }
        let tone = (view.state == MailState::Badmail).then_some(Tone::Critical);
        self.line("state", tone, view.state.as_str())?;
        if let Some(error) = &view.error {
            self.plain("error", error)?;
            self.plain("attempts", &view.attempts.to_string())?;
        }
        self.whereabouts(whole)?;
        for other in &whole.also_filed {
            self.plain("also filed as", &format!("{other}, taken {}", time(other.time())))?;
        }
        for Gone { library, path, version, purged_at, why, .. } in &whole.purged {
            self.plain("purged", &format!("{path}, version {version}, in {library}, {purged_at}: {why}"))?;
        }
        for filed in &whole.documents {
            if !view.recipients.iter().any(|recipient| recipient.is_of(filed.filed_in)) {
                self.plain("document", &filed.line(None))?;
            }
        }
        view.recipients.iter().try_for_each(|recipient| self.recipient(recipient, &whole.documents))
    }

    fn whereabouts(&self, whole: &Whole) -> anyhow::Result<()> {
        for file in &whole.files {
            let place = match (file.place, file.replay) {
                (Place::Claimed, true) => "claimed by a replay (the same replay goes on with it)",
                (Place::Badmail, true) => "in badmail, a copy that a replay made",
                (Place::Claimed, false) => "claimed",
                (Place::Badmail, false) => "in badmail",
                (Place::Kept, _) => "kept aside",
            };
            self.plain("its file", &format!("{place}: {}", file.path))?;
        }
        if let Some(Left { fate, why, at }) = &whole.left_kept {
            self.plain("kept aside", &format!("{fate} {at}: {why}"))?;
        }
        if whole.files.is_empty() {
            let fate = match whole.view.state {
                MailState::Done if whole.left_kept.is_some() => "not kept aside any more",
                MailState::Done => "deleted, every outcome being on record",
                MailState::Open | MailState::Badmail => "not found, neither claimed nor in badmail",
            };
            self.plain("its file", fate)?;
        }
        self.plain("original", if whole.original { "in the contents" } else { "not in the contents" })
    }

    fn recipient(&self, recipient: &Recipient, documents: &[Filed]) -> anyhow::Result<()> {
        let address = if recipient.address.is_empty() { "(no recipient)" } else { &recipient.address };
        self.out.line("")?;
        self.plain("for", address)?;
        let below = Text { out: self.out, width: 2 };
        below.line("outcome", Tone::of_outcome(recipient.outcome.as_str()), recipient.outcome.as_str())?;
        below.some("reason", recipient.reason.as_deref())?;
        below.some("because", recipient.because.as_deref())?;
        if let Some(delivery) = recipient.duplicate_of {
            below.plain("duplicate of", &delivery.to_string())?;
        }
        below.some("library", recipient.library().as_deref())?;
        below.some("former alias", recipient.former_alias.as_ref().map(Alias::as_str))?;
        let identity = recipient.identity.as_deref().unwrap_or("nobody");
        below.plain("proven sender", &format!("{identity} (level {})", recipient.level))?;
        below.some("proof", recipient.proof.as_deref())?;
        for filed in documents.iter().filter(|filed| recipient.is_of(filed.filed_in)) {
            below.plain("document", &filed.line(Some(recipient)))?;
        }
        Ok(())
    }
}
