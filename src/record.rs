//! Stage 8: outcomes become rows of the catalog, in one transaction for a batch, and then lines of the event file.

use std::collections::HashSet;
use std::rc::Rc;
use std::time::Duration;

use jiff::Timestamp;
use mailshelf_storage::model::{
    Filing, Level, Library, Mail, MailState, NewDocument, OutcomeKind, Pass, Placed,
};
use mailshelf_storage::{Catalog, Contents, DeliveryId, Digest, Error, LibraryId, Login, Writer};

use crate::config;
use crate::escape::json;
use crate::file::{Proposal, Proposed, Refusal};
use crate::route::Former;
use quota::{Asked, Note, Rooms, Terms};
use shelf::{Marks, Shelf, Standings};
use words::{MailRecord, RecipientRecord, SenderRecord, Standing};

pub mod publish;
pub(crate) mod quota;
pub(crate) mod shelf;
pub mod words;

/// How often a mail may fail by a fault that only it shows, before it is given up.
pub const ATTEMPTS: u32 = 8;

/// A mail with everything decided about it; not yet on record.
#[derive(Debug)]
pub struct Decided<'a> {
    /// Its row; state and attempts are settled here.
    pub mail: Mail,
    /// What it is the same mail by, however it came; of one that was read, and has a Message-ID or a Date.
    pub likeness: Option<Digest>,
    /// Who sent it.
    pub sender: SenderRecord,
    /// How long it took to read and judge.
    pub elapsed: Duration,
    /// For each recipient, once, what was decided.
    pub recipients: Vec<Decision<'a>>,
    /// What the mail as a whole came to.
    pub fate: Fate,
    /// The delivery as which it was kept aside, where an administrator gave it back and it was not taken since.
    pub given_back: Option<DeliveryId>,
}

/// What a mail as a whole came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It was read and judged.
    Judged,
    /// A fault of the site: it waits, for ever if need be.
    Waits(String),
    /// A fault that only this mail shows: it waits, but not for ever.
    Fails(String),
    /// It cannot be dealt with, by our fault: to badmail at once.
    GivenUp(String),
}

impl Fate {
    /// The state of a mail that failed `attempts` times before: the state, its attempts now, and its fault.
    pub(crate) fn state(&self, attempts: u32) -> (MailState, u32, Option<String>) {
        match self {
            Fate::Judged => (MailState::Done, attempts, None),
            Fate::Waits(why) => (MailState::Open, attempts, Some(why.clone())),
            Fate::Fails(why) if attempts + 1 < ATTEMPTS => (MailState::Open, attempts + 1, Some(why.clone())),
            Fate::Fails(why) => (MailState::Badmail, attempts + 1, Some(why.clone())),
            Fate::GivenUp(why) => (MailState::Badmail, attempts, Some(why.clone())),
        }
    }
}

/// What was decided for one recipient.
#[derive(Debug)]
pub struct Decision<'a> {
    /// In canonical form.
    pub recipient: String,
    /// Where it leads.
    pub library: Option<Library>,
    /// By which alias, where that is not the library's any more.
    pub former: Option<Former>,
    /// The user it is proven to come from.
    pub identity: Option<Login>,
    /// How well.
    pub level: Level,
    /// The same in words, where it is not what is on record of the mail as a whole: one library may believe a From
    /// that another does not.
    pub sender: Option<SenderRecord>,
    /// File it, as whom; or refuse it.
    pub verdict: Verdict<'a>,
}

/// File it or refuse it.
#[derive(Debug)]
pub enum Verdict<'a> {
    /// These documents, created by this account. One mail to a thousand addresses of a library is one proposal.
    File(Rc<Proposal<'a>>, String),
    /// Nothing is filed.
    Refuse(Refusal),
    /// The mail waits, whoever it is for.
    Undecided,
}

/// Where a mail stands once the transaction is committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// Every recipient has a final outcome.
    Final,
    /// It waits for another pass.
    Waiting,
    /// Given up.
    Badmail,
}

/// Why nothing was recorded.
#[derive(Debug)]
pub enum Unwritten {
    /// The settings have changed since the decision: decide and store again.
    Stale,
    /// This mail relies on a content that is not there: the same, and store all of its own.
    Missing(DeliveryId),
    /// The catalog failed.
    Failed(Error),
}

impl From<Error> for Unwritten {
    fn from(error: Error) -> Unwritten {
        Unwritten::Failed(error)
    }
}

type Written<T> = Result<T, Unwritten>;

/// Where outcomes of one pass are written.
pub struct Book<'a> {
    /// The catalog.
    pub catalog: &'a dyn Catalog,
    /// The store that holds what the documents refer to.
    pub contents: &'a dyn Contents,
    /// The pass that decided.
    pub pass: &'a Pass,
    /// What becomes of refused mail.
    pub drop: &'a config::Drop,
}

impl Book<'_> {
    /// Records a batch in one transaction. `version` is that of the settings it was decided by. A mail that the
    /// catalog refuses is left out, and its error stands in its place; any other error leaves no trace at all.
    pub fn record(&self, version: u64, batch: &[Decided<'_>]) -> Written<Vec<Result<Settled, Error>>> {
        let mut writer = self.catalog.write()?;
        if writer.settings_version()? != version {
            return Err(Unwritten::Stale);
        }
        let now = Timestamp::now();
        let mut settled = Vec::with_capacity(batch.len());
        let mut rooms = Rooms::new(Terms::of(self.drop, now));
        for decided in batch {
            writer.savepoint()?;
            let (standings, rooms) = (Standings::default(), &mut rooms);
            let mut entry = Entry { book: self, writer: &mut *writer, decided, now, standings, rooms };
            match entry.record() {
                Err(Unwritten::Failed(error)) if !error.is_temporary() => {
                    writer.roll_back()?;
                    rooms.forget();
                    settled.push(Err(error));
                }
                result => {
                    settled.push(Ok(result?));
                    writer.release()?;
                }
            }
        }
        writer.commit()?;
        Ok(settled)
    }
}

/// One mail being written.
struct Entry<'a, 'b> {
    book: &'a Book<'a>,
    writer: &'a mut (dyn Writer + 'b),
    decided: &'a Decided<'a>,
    now: Timestamp,
    standings: Standings,
    rooms: &'a mut Rooms,
}

impl Entry<'_, '_> {
    fn delivery(&self) -> DeliveryId {
        self.decided.mail.delivery
    }

    fn record(&mut self) -> Written<Settled> {
        let known = self.writer.mail(self.delivery())?;
        match known.as_ref().map(|mail| mail.state) {
            // A crash, or an error that was none, came between commit and disposal.
            Some(MailState::Done) => return Ok(Settled::Final),
            Some(MailState::Badmail) => return Ok(Settled::Badmail),
            Some(MailState::Open) | None => {}
        }
        let mail = self.row(known.as_ref());
        self.writer.put_mail(&mail)?;
        let recipients = self.recipients(&mail)?;
        self.complain(known.as_ref(), &mail)?;
        self.add_record(&mail, recipients)?;
        // One that waits, or is given up, is tried again.
        if let Some(kept) = self.decided.given_back.filter(|_| mail.state == MailState::Done) {
            self.writer.put_taken(kept)?;
        }
        Ok(match mail.state {
            MailState::Done => Settled::Final,
            MailState::Open => Settled::Waiting,
            MailState::Badmail => Settled::Badmail,
        })
    }

    fn row(&self, known: Option<&Mail>) -> Mail {
        let attempts = known.map_or(0, |mail| mail.attempts);
        let (state, attempts, fault) = self.decided.fate.state(attempts);
        Mail { state, attempts, fault, ..self.decided.mail.clone() }
    }

    fn recipients(&mut self, mail: &Mail) -> Written<Vec<RecipientRecord>> {
        let closed: HashSet<String> = self
            .writer
            .outcomes(self.delivery())?
            .into_iter()
            .filter(|outcome| outcome.kind != OutcomeKind::Deferred)
            .map(|outcome| outcome.recipient)
            .collect();
        let mut records = Vec::new();
        for decision in self.decided.recipients.iter().filter(|d| !closed.contains(&d.recipient)) {
            let record = shelf::settle(self, self.decided, decision, mail.fault.as_deref())?;
            let outcome = shelf::outcome(self.decided, decision, &record);
            self.writer.put_outcome(self.delivery(), self.book.pass.id, &outcome, self.now)?;
            records.push(record);
        }
        Ok(records)
    }

    /// A document may only refer to a content that is there. Whoever removes one marks it doomed first and deletes it
    /// within a transaction, and while we write there is no other: so a row that is not doomed, or else the file
    /// itself, is proof enough.
    fn rely_on(&mut self, digest: Digest, size: u64) -> Written<()> {
        match self.writer.content(digest)? {
            Some(known) if !known.doomed && known.size == size => Ok(()),
            // New, or doomed and not removed yet, or stored afresh by us: we hold the lock that a removal needs.
            _ if self.book.contents.size(digest)? == Some(size) => {
                Ok(self.writer.add_content(digest, size)?)
            }
            _ => Err(Unwritten::Missing(self.delivery())),
        }
    }

    fn new_document(
        &self,
        library: &Library,
        decision: &Decision<'_>,
        document: &Proposed<'_>,
        created_by: &str,
    ) -> NewDocument {
        NewDocument {
            library: library.id,
            folder: document.folder.clone(),
            name: document.name.clone(),
            clash: document.clash,
            digest: document.content.digest,
            size: document.content.bytes.len() as u64,
            media_type: document.media_type.to_owned(),
            sniffed_type: document.sniffed_type.map(str::to_owned),
            created_by: created_by.to_owned(),
            identity: decision.identity.clone(),
            level: decision.level,
            created_at: self.now,
            delivery: self.delivery(),
            original: document.original,
        }
    }

    /// One 6872 when a mail is given up; one 6873 when it first has to wait.
    fn complain(&mut self, known: Option<&Mail>, mail: &Mail) -> Written<()> {
        let Some(fault) = &mail.fault else { return Ok(()) };
        let event_id = match mail.state {
            MailState::Badmail => words::MAIL_CRITICAL,
            _ if known.is_none_or(|known| known.fault.is_none()) => words::MAIL_WARNING,
            _ => return Ok(()),
        };
        let pass = self.book.pass;
        let about = words::About { file: &mail.file, mail: Some(mail.delivery) };
        let event = words::fault(event_id, pass, self.now, about, fault);
        let event = words::stored(event_id, pass.id, self.now, &event).map_err(unwritable)?;
        self.writer.add_event(&event)?;
        Ok(())
    }

    fn add_record(&mut self, mail: &Mail, recipients: Vec<RecipientRecord>) -> Written<()> {
        let record = MailRecord {
            mail: mail.delivery.to_string(),
            file: mail.file.clone(),
            sha256: mail.digest.map(|digest| digest.to_string()),
            message_id: mail.message_id.as_deref().map(words::bracketed),
            from: mail.from.clone(),
            envelope_sender: mail.envelope_sender.clone(),
            subject: mail.subject.clone(),
            size: mail.size,
            elapsed_us: u64::try_from(self.decided.elapsed.as_micros()).unwrap_or(u64::MAX),
            flaws: mail.flaws.clone(),
            sender: self.decided.sender.clone(),
            recipients,
            error: mail.fault.clone(),
            badmail: mail.state == MailState::Badmail,
        };
        let body = json::to_string(&record).map_err(unwritable)?;
        Ok(self.writer.add_record(self.book.pass.id, mail.delivery, &body)?)
    }
}

/// Where a pass files.
impl Shelf for Entry<'_, '_> {
    type Error = Unwritten;

    fn filed_before(&mut self, library: LibraryId, marks: Marks) -> Written<Vec<Filing>> {
        Ok(self.writer.filed_before(library, marks.digest, marks.likeness)?)
    }

    fn standing(&mut self, library: &Library, delivery: DeliveryId) -> Written<Standing> {
        Ok(self.standings.of(&*self.writer, library, delivery)?)
    }

    fn admit(&mut self, library: &Library, asked: &Asked) -> Written<Result<(), Refusal>> {
        let answer = self.rooms.ask(&*self.writer, library, asked)?;
        match answer.note {
            Some(Note::Filed(bytes)) => self.writer.add_anonymous(library.id, self.now, bytes)?,
            Some(Note::Aside(mail)) => self.writer.put_aside(library.id, self.now, &mail)?,
            None => {}
        }
        Ok(answer.verdict)
    }

    fn add(
        &mut self,
        library: &Library,
        decision: &Decision<'_>,
        proposal: &Proposal<'_>,
        created_by: &str,
    ) -> Written<Vec<Placed>> {
        let mut places = Vec::with_capacity(proposal.documents.len());
        for document in &proposal.documents {
            self.rely_on(document.content.digest, document.content.bytes.len() as u64)?;
            places
                .push(self.writer.add_document(&self.new_document(library, decision, document, created_by))?);
        }
        Ok(places)
    }
}

/// What can never be written: no retry would help.
pub(crate) fn unwritable(error: serde_json::Error) -> Error {
    Error::Refused { action: "write an event", why: error.to_string() }
}
