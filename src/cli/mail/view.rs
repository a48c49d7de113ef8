//! A mail as it is shown.

use std::collections::HashMap;

use mailshelf::record::words::time;
use mailshelf_storage::model::{Document, Mail, MailFields, MailState, Outcome, OutcomeKind};
use mailshelf_storage::{Address, Alias, DeliveryId, LibraryId, LibraryName, Reader};
use serde::Serialize;

use crate::cli::filter::Filter;
use crate::cli::output::{Show, Tone};

/// What is on record of a mail.
#[derive(Serialize)]
pub struct View {
    pub mail: String,
    pub taken_at: String,
    pub arrived_at: String,
    pub file: String,
    pub node: String,
    pub sha256: Option<String>,
    pub size: u64,
    pub message_id: Option<String>,
    pub from: Option<String>,
    /// The one address that From names, in the form in which addresses are compared.
    pub claimed: Option<Address>,
    pub envelope_sender: Option<String>,
    pub subject: Option<String>,
    #[serde(flatten)]
    pub fields: Fields,
    /// What is the matter with it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub flaws: Vec<String>,
    pub state: MailState,
    pub attempts: u32,
    pub error: Option<String>,
    pub recipients: Vec<Recipient>,
}

/// What else it says of itself.
#[derive(Serialize)]
pub struct Fields {
    pub to: Option<String>,
    pub cc: Option<String>,
    pub date: Option<String>,
    /// Of what its calendar part is about; see `MailFields`.
    pub calendar_uid: Option<String>,
    pub calendar_sequence: Option<u32>,
    pub calendar_stamp: Option<String>,
}

impl From<MailFields> for Fields {
    fn from(fields: MailFields) -> Fields {
        let MailFields { to, cc, date, calendar } = fields;
        Fields {
            to,
            cc,
            date: date.map(time),
            calendar_uid: calendar.uid,
            calendar_sequence: calendar.sequence,
            calendar_stamp: calendar.stamp.map(time),
        }
    }
}

impl Fields {
    /// For people: what there is.
    pub fn lines(&self) -> impl Iterator<Item = (&'static str, String)> {
        let sequence = self.calendar_sequence.map(|number| number.to_string());
        let texts = [
            ("to", self.to.clone()),
            ("cc", self.cc.clone()),
            ("date", self.date.clone()),
            ("calendar uid", self.calendar_uid.clone()),
            ("sequence", sequence),
            ("stamp", self.calendar_stamp.clone()),
        ];
        texts.into_iter().filter_map(|(heading, text)| text.map(|text| (heading, text)))
    }
}

/// What became of it for one recipient.
#[derive(Serialize)]
pub struct Recipient {
    pub address: String,
    pub outcome: OutcomeKind,
    pub reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
    pub library: Option<String>,
    /// That one is gone; another may be called so by now.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub library_removed: bool,
    #[serde(skip)]
    library_id: Option<LibraryId>,
    /// The alias that the address led there by, where the library had another by then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub former_alias: Option<Alias>,
    /// The delivery that was filed, where it is another one and this a duplicate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duplicate_of: Option<DeliveryId>,
    pub identity: Option<String>,
    pub level: String,
    pub proof: Option<String>,
    /// Filed without an identity.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unverified: bool,
    /// Those that stand in that library.
    pub documents: Vec<String>,
    /// Those that were moved to another, and stand there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub moved: Vec<Moved>,
}

/// A document that stands in another library than it was filed in.
#[derive(Serialize)]
pub struct Moved {
    library: String,
    path: String,
}

/// What libraries are called.
pub struct Names(HashMap<LibraryId, String>);

impl Names {
    pub fn read(reader: &dyn Reader) -> mailshelf_storage::Result<Names> {
        let libraries = reader.libraries()?.into_iter();
        Ok(Names(libraries.map(|library| (library.id, library.name.to_string())).collect()))
    }

    fn of<'a>(&'a self, outcome: &'a Outcome) -> Option<&'a str> {
        let there = outcome.library.and_then(|id| self.0.get(&id)).map(String::as_str);
        there.or(outcome.gone.as_ref().map(LibraryName::as_str))
    }

    /// Whether a mail with these outcomes is meant.
    pub fn matches(&self, filter: &Filter, mail: &Mail, outcomes: &[Outcome]) -> bool {
        let addresses = [&mail.from, &mail.envelope_sender].map(Option::as_deref);
        let logins = outcomes.iter().map(|outcome| outcome.identity.as_ref().map(|login| login.as_str()));
        filter.is_from(addresses, logins)
            && filter.has(outcomes.iter().map(|one| (one.kind.as_str(), one.reason.as_deref(), self.of(one))))
    }
}

impl View {
    /// Of the recipients of one library only one is filed: what came with the mail there is that one's.
    pub fn new(mail: Mail, outcomes: Vec<Outcome>, names: &Names, documents: &[Document]) -> View {
        let recipient = |outcome: Outcome| {
            let recipient = Recipient {
                library: names.of(&outcome).map(str::to_owned),
                library_removed: outcome.gone.is_some(),
                unverified: outcome.kind == OutcomeKind::Filed && outcome.identity.is_none(),
                documents: Vec::new(),
                moved: Vec::new(),
                address: outcome.recipient,
                outcome: outcome.kind,
                library_id: outcome.library,
                reason: outcome.reason,
                because: outcome.because,
                former_alias: outcome.former_alias,
                duplicate_of: outcome.duplicate_of,
                identity: outcome.identity.map(|login| login.to_string()),
                level: outcome.level.to_string(),
                proof: outcome.proof,
            };
            recipient.with(documents)
        };
        View {
            claimed: mail.claimed(),
            taken_at: time(mail.delivery.time()),
            mail: mail.delivery.to_string(),
            arrived_at: time(mail.arrived_at),
            file: mail.file,
            node: mail.node,
            sha256: mail.digest.map(|digest| digest.to_string()),
            size: mail.size,
            message_id: mail.message_id.map(|id| format!("<{id}>")),
            from: mail.from,
            envelope_sender: mail.envelope_sender,
            subject: mail.subject,
            fields: mail.fields.into(),
            flaws: mail.flaws,
            state: mail.state,
            attempts: mail.attempts,
            error: mail.fault,
            recipients: outcomes.into_iter().map(recipient).collect(),
        }
    }

    /// From and subject, in cells.
    pub fn headline(&self) -> (String, String) {
        (cut(self.from.as_deref(), "(nobody)"), cut(self.subject.as_deref(), "(no subject)"))
    }

    /// The word that matters most to whoever looks after the site.
    fn gravest(&self) -> &str {
        let is = |kind| self.recipients.iter().any(|recipient| recipient.outcome == kind);
        match self.state {
            MailState::Badmail => MailState::Badmail.as_str(),
            _ if self.recipients.is_empty() => OutcomeKind::Deferred.as_str(),
            _ => OutcomeKind::ALL.iter().rev().find(|kind| is(**kind)).map_or("", |kind| kind.as_str()),
        }
    }

    /// In a cell: each different one once.
    fn outcomes(&self) -> String {
        /// More are counted.
        const SHOWN: usize = 4;
        if self.state == MailState::Badmail || self.recipients.is_empty() {
            return self.gravest().to_owned();
        }
        let mut each = Vec::new();
        for recipient in &self.recipients {
            let text = recipient.outcome_of();
            if !each.contains(&text) {
                each.push(text);
            }
        }
        let more = each.len().saturating_sub(SHOWN);
        each.truncate(SHOWN);
        let text = each.join(", ");
        if more > 0 { format!("{text} and {more} more") } else { text }
    }
}

impl Recipient {
    /// The same with what stands of these documents of its mail.
    fn with(mut self, documents: &[Document]) -> Recipient {
        let stands = |one: &&Document| one.removal.is_none() && self.is_of(one.filed_in);
        let is_there = |one: &&Document| self.is_in(one.library.as_str());
        let (there, moved): (Vec<_>, Vec<_>) = documents.iter().filter(stands).partition(is_there);
        let elsewhere = |one: &Document| Moved { library: one.library.to_string(), path: one.path() };
        self.documents = there.into_iter().map(Document::path).collect();
        self.moved = moved.into_iter().map(elsewhere).collect();
        self
    }

    /// Whether what was filed in a library was filed for it.
    pub fn is_of(&self, filed_in: LibraryId) -> bool {
        self.outcome == OutcomeKind::Filed && self.library_id == Some(filed_in)
    }

    /// Whether its library is the one that is called so now.
    pub fn is_in(&self, library: &str) -> bool {
        !self.library_removed && self.library.as_deref() == Some(library)
    }

    /// The library in words.
    pub fn library(&self) -> Option<String> {
        let removed = if self.library_removed { " (since removed)" } else { "" };
        self.library.as_ref().map(|library| format!("{library}{removed}"))
    }

    fn outcome_of(&self) -> String {
        match self.outcome {
            OutcomeKind::Filed | OutcomeKind::Duplicate => {
                // An earlier version kept no name.
                let library = self.library().unwrap_or_else(|| "(a library since removed)".to_owned());
                format!("{} {library}", self.outcome)
            }
            OutcomeKind::Rejected => {
                format!("{} {}", self.outcome, self.reason.as_deref().unwrap_or_default())
            }
            OutcomeKind::Deferred => self.outcome.to_string(),
        }
    }
}

/// The longest text of a stranger in a table, in characters.
const LONGEST: usize = 60;

fn cut(text: Option<&str>, none: &str) -> String {
    let Some(text) = text else { return none.to_owned() };
    match text.char_indices().nth(LONGEST) {
        Some(_) => text.chars().take(LONGEST - 1).chain(['…']).collect(),
        None => text.to_owned(),
    }
}

impl Show for View {
    const COLUMNS: &'static [&'static str] = &["id", "taken", "from", "subject", "outcome"];

    fn row(&self) -> Vec<String> {
        let (from, subject) = self.headline();
        vec![self.mail.clone(), self.taken_at.clone(), from, subject, self.outcomes()]
    }

    fn tone(&self, heading: &str) -> Option<Tone> {
        Tone::of_outcome(self.gravest()).filter(|_| heading == "outcome")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_cut_between_characters() {
        assert_eq!(cut(Some(&"ü".repeat(60)), ""), "ü".repeat(60));
        assert_eq!(cut(Some(&"ü".repeat(61)), ""), format!("{}…", "ü".repeat(59)));
        assert_eq!(cut(None, "(nobody)"), "(nobody)");
    }
}
