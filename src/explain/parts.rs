//! The parts of a mail, and what becomes of each for one recipient.

use std::borrow::Cow;
use std::collections::HashMap;

use mailshelf_storage::model::{LibrarySettings, OutcomeKind};
use serde::Serialize;

use super::words::{bytes, few, quoted};
use super::{Stage, meaning};
use crate::config::Limits;
use crate::file::{self, NO_ORIGINAL, ReadMail, Share, sniff};
use crate::message::{Part, PartKind};
use crate::outcome::Reason;
use crate::pass::prepare::{Prepared, Reading, Whole};
use crate::record::words::RecipientRecord;
use crate::record::{Decision, Verdict};

/// What becomes of a part: a document, or none.
#[derive(Clone, Debug, Serialize)]
pub struct PartFate {
    /// Which part of the message, from 0.
    pub part: usize,
    /// The document's path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
    /// Which version of it, where it was there before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// Why it becomes no document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<Cow<'static, str>>,
    /// In two words, before the why.
    #[serde(skip)]
    how: &'static str,
}

/// Why a library gets a mail itself that keeps no originals.
const IN_DOUBT: &str = "readers may find other files in it";

/// Why a part becomes no document: in two words, and in more.
type Why = (&'static str, Cow<'static, str>);

/// A mail's parts for one recipient.
pub struct Parts<'a> {
    read: Option<&'a ReadMail>,
    /// One for each part.
    pub fates: Vec<PartFate>,
}

/// Whether it comes so far that a library is asked what it files of a mail.
pub fn are_asked(decision: &Decision<'_>) -> bool {
    match &decision.verdict {
        Verdict::Undecided => false,
        Verdict::Refuse(refusal) => Stage::that_refuses_for(refusal.reason) == Stage::File,
        Verdict::File(..) => true,
    }
}

impl<'a> Parts<'a> {
    pub fn of(
        prepared: &'a Prepared,
        decision: &Decision<'_>,
        record: &RecipientRecord,
        limits: &Limits,
    ) -> Parts<'a> {
        let Reading::Read { whole: Whole::Mail(read), .. } = &prepared.reading else {
            return Parts { read: None, fates: Vec::new() };
        };
        let nothing = nothing(decision, record);
        let library = decision.library.as_ref().filter(|_| are_asked(decision));
        let settings = library.map(|one| file::settings_for(&read.message, &one.settings));
        let settings = settings.as_deref();
        let versions: HashMap<_, _> = record.versions.iter().map(|one| (&one.path, one.version)).collect();
        let mut documents = record.documents.iter();
        let mut fate = |(nth, part): (usize, &Part)| {
            let content = part.content.bytes(&read.bytes);
            let why = settings.map_or(nothing.clone(), |settings| {
                why_not(file::share(part, content, settings, limits), content, settings, nothing.as_ref())
            });
            let document = why.is_none().then(|| documents.next()).flatten();
            let version = document.and_then(|path| versions.get(path)).copied();
            let (how, why) = why.map_or(("", None), |(how, why)| (how, Some(why)));
            PartFate { part: nth, document: document.cloned(), version, why, how }
        };
        let fates = read.message.parts.iter().enumerate().map(&mut fate).collect();
        Parts { read: Some(read), fates }
    }

    /// What is filed, as what: what stands above the list, and a line for each part.
    pub fn answer(&self, decision: &Decision<'_>, record: &RecipientRecord) -> (String, Vec<String>) {
        let is_filed = record.outcome == OutcomeKind::Filed.as_str();
        if !is_filed && record.reason.is_none() && record.duplicate_of.is_none() {
            return (format!("nothing: {OTHER}"), Vec::new());
        }
        let lead = match meaning(record) {
            Some(meaning) => format!("nothing: {meaning}"),
            None if is_filed => documents(decision, record),
            None => format!("nothing: {BEFORE}"),
        };
        let mut items = few(self.fates.iter().filter_map(|fate| self.line(fate)));
        let filed = self.fates.iter().filter(|fate| fate.document.is_some()).count();
        if let Some(original) = record.documents.get(filed) {
            let wanted = decision.library.as_ref().is_some_and(|library| library.settings.save_original);
            let why = if wanted { "save-original yes" } else { IN_DOUBT };
            items.push(format!("the mail itself → {} ({why})", quoted(name(original))));
        }
        if record.reason.as_deref() == Some(Reason::NothingToFile.as_str()) {
            items.push(self.way_out());
        }
        (lead, items)
    }

    fn line(&self, fate: &PartFate) -> Option<String> {
        let read = self.read?;
        let part = read.message.parts.get(fate.part)?;
        let label = label(part, read);
        if let (PartKind::Opened, Some(opened)) = (part.kind, self.opened(fate.part)) {
            return Some(format!("{label} opened: {opened}"));
        }
        Some(match (&fate.document, fate.version, &fate.why) {
            (Some(path), Some(version), _) => {
                format!("{label} → version {version} of {} (overwrite yes)", quoted(name(path)))
            }
            (Some(path), None, _) => format!("{label} → {}", quoted(name(path))),
            (None, _, Some(why)) if fate.how.is_empty() => format!("{label}: {why}"),
            (None, _, why) => format!("{label} {}: {}", fate.how, why.as_deref().unwrap_or_default()),
        })
    }

    /// How many of the files in a `winmail.dat` are filed; `None` if it is not so simple.
    fn opened(&self, container: usize) -> Option<String> {
        let parts = &self.read?.message.parts;
        let pairs = parts.iter().zip(&self.fates);
        let inside = || pairs.clone().filter(|(part, _)| part.inside == Some(container));
        let filed = inside().filter(|(_, fate)| fate.document.is_some()).count();
        match (filed, inside().count()) {
            (0, _) => None,
            (1, 1) => Some("its one file is filed".to_owned()),
            (filed, all) if filed == all => Some(format!("its {all} files are filed")),
            (filed, all) => Some(format!("of its {all} files {filed} {} filed", are(filed))),
        }
    }

    /// By which settings something would be filed of a mail of which nothing is.
    fn way_out(&self) -> String {
        let parts = self.read.map(|read| read.message.parts.as_slice()).unwrap_or_default();
        let has = |kind| parts.iter().any(|part| part.kind == kind);
        let images = has(PartKind::InlineImage).then_some("the inline images with inline-images yes");
        let invitations = has(PartKind::Invitation).then_some("the invitation with save-invitations yes");
        let original = Some("the mail itself, with all that is in it, with save-original yes");
        let ways: Vec<_> = [images, invitations, original].into_iter().flatten().collect();
        format!("would be filed: {}", ways.join("; "))
    }
}

const BEFORE: &str = "the mail was filed before";
const OTHER: &str = "the mail is filed there for another of its recipients";

/// Why nothing of a mail is filed, if nothing is.
fn nothing(decision: &Decision<'_>, record: &RecipientRecord) -> Option<Why> {
    let kind = |kind: OutcomeKind| record.outcome == kind.as_str();
    if kind(OutcomeKind::Filed) {
        return None;
    }
    if kind(OutcomeKind::Duplicate) {
        let why = if record.duplicate_of.is_some() { BEFORE } else { OTHER };
        return Some(("not filed again", why.into()));
    }
    Some((
        "not filed",
        match meaning(record) {
            Some(_) if are_asked(decision) => {
                "one mail is one record, and nothing of this one is filed".into()
            }
            Some(meaning) => meaning.into(),
            None => record.because.clone().unwrap_or_default().into(),
        },
    ))
}

/// Why a part becomes no document of a library that was asked; `nothing`: why no part does.
fn why_not(share: Share, content: &[u8], settings: &LibrarySettings, nothing: Option<&Why>) -> Option<Why> {
    match share {
        Share::Words if content.trim_ascii().is_empty() => Some(("not filed", "blank".into())),
        Share::Words if !settings.save_original => Some(("not filed", NO_ORIGINAL.into())),
        Share::Words => nothing.cloned().or(Some(("", "in the original alone".into()))),
        Share::LeftOut(_, why) => Some(("left out", why.into())),
        Share::Refused(_, _, why) => Some(("refused", why.into())),
        Share::Document(_) => nothing.cloned(),
    }
}

/// How many documents, and in which folder.
fn documents(decision: &Decision<'_>, record: &RecipientRecord) -> String {
    let count = record.documents.len();
    let documents = format!("{count} document{}", if count == 1 { "" } else { "s" });
    let folder = record.documents.first().and_then(|path| path.rsplit_once('/'));
    match (folder, &decision.library) {
        (Some((folder, _)), Some(library)) => {
            let attachments = library.settings.attachments;
            format!("{documents} in the folder {} (attachments {attachments})", quoted(folder))
        }
        _ => documents,
    }
}

/// Each part as it came.
pub fn all(read: &ReadMail) -> impl Iterator<Item = String> {
    let parts = &read.message.parts;
    parts.iter().map(|part| {
        let name = part.name.is_some() || part.kind != PartKind::Body;
        let name = if name { format!(" {}", part_name(part)) } else { String::new() };
        let content = part.content.bytes(&read.bytes);
        let size = bytes(content.len() as u64);
        let kind = part.kind.as_str();
        let shows = sniff::otherwise(content, &part.media_type);
        let shows = shows.map(|other| format!(", its bytes show {other}")).unwrap_or_default();
        let inside = part.inside.and_then(|container| parts.get(container));
        let inside = inside.map_or(String::new(), |container| format!(", in {}", part_name(container)));
        let note = part.note.as_deref().map_or(String::new(), |note| format!("; {note}"));
        format!("{kind}{name} ({}{shows}, {size}{inside}{note})", part.media_type)
    })
}

fn part_name(part: &Part) -> String {
    part.name.as_deref().map_or("without a name".to_owned(), quoted)
}

/// A part by its name; without one, by what else tells it from others.
fn label(part: &Part, read: &ReadMail) -> String {
    let size = bytes(part.content.bytes(&read.bytes).len() as u64);
    match (part.kind, &part.name) {
        (PartKind::Body, None) => format!("the words ({}, {size})", part.media_type),
        (PartKind::Body, Some(name)) => format!("the words {} ({}, {size})", quoted(name), part.media_type),
        (_, Some(name)) => quoted(name),
        (kind, None) => format!("{} without a name ({}, {size})", kind.as_str(), part.media_type),
    }
}

fn name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

fn are(count: usize) -> &'static str {
    if count == 1 { "is" } else { "are" }
}
