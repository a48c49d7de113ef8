//! What would become of a mail: the stages of the line, each with its question and its answer, by the code that a pass
//! decides with, and without effects. Nothing is claimed, stored or recorded, and the mail is only read.

use std::path::{Path, PathBuf};
use std::thread;

use mailshelf_storage::model::{Level, Mail, MailState, Outcome, OutcomeKind};
use mailshelf_storage::{Address, Error, Reader};

use crate::config::Config;
use crate::drop::{Format, shown};
use crate::outcome::Reason;
use crate::pass::prepare::{self, Prepared, Reading};
use crate::pass::proof::Prover;
use crate::pass::{commit, decide};
use crate::record::words::{RecipientRecord, SenderRecord};
use crate::record::{Decided, Fate, shelf};
use crate::sender::Identity;
use imagined::Imagined;
pub use parts::PartFate;
use parts::Parts;
pub use place::Place;
pub use stage::Stage;
pub use steps::Step;
pub use view::{Action, Disposal, EnvelopeView, Explanation, MessageView, PartView, Recipient};

mod view;
mod place;
mod parts;
mod earlier;
mod stage;
mod steps;
pub mod words;
mod imagined;

/// Which mail, and what it does not say itself.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Where it stands.
    pub file: &'a Path,
    /// How it is read; `None`: as the drop's mail is.
    pub format: Option<Format>,
    /// Whom it goes to if it names no recipient.
    pub to: &'a [Address],
}

/// Why a mail cannot be explained.
#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    /// It cannot be read as a mail.
    #[error("mail {}: {why}", shown(path))]
    File {
        /// Which.
        path: PathBuf,
        /// What is the matter with it.
        why: String,
        /// The way out, where there is one.
        hint: Option<String>,
    },
    /// The catalog cannot be read.
    #[error(transparent)]
    Storage(#[from] Error),
    /// The system gave no thread to read it on.
    #[error("cannot start a thread: {0}")]
    Thread(std::io::Error),
}

/// Explains a mail by the settings and documents that `reader` sees; `prover` is asked where a pass would ask.
pub fn explain(
    config: &Config,
    reader: &dyn Reader,
    prover: &Prover<'_>,
    request: &Request<'_>,
) -> Result<Explanation, ExplainError> {
    place::check(request.file)?;
    let mut notes = Vec::new();
    if !config.drop.path.is_dir() {
        let path = shown(config.drop.path.as_os_str());
        notes.push(format!("drop folder {path}: there is none now; its mail would be read as in any folder"));
    }
    let drop_format = config.drop_settings().format();
    let format = request.format.unwrap_or(drop_format);
    let place = Place::of(request.file, config, drop_format);
    let mut given = false;
    let prepared = on_large_stack(|| {
        let claimed = place.claimed(request.file, format);
        let mut prepared = prepare::prepare(claimed, format, &config.limits, &Prover::Nobody, || ());
        given = give_recipients(&mut prepared, request.to, &mut notes);
        prepared.prove(prover);
        prepared
    })?;
    let obstacle = place.obstacle(request.file, drop_format);
    let about = About { config, reader, format, place, given, obstacle };
    Ok(Explanation { notes, ..about.explain(&prepared)? })
}

/// Has it read on a stack as large as that of a pass.
fn on_large_stack(read: impl FnOnce() -> Prepared + Send) -> Result<Prepared, ExplainError> {
    thread::scope(|scope| {
        let reading = thread::Builder::new()
            .stack_size(prepare::STACK)
            .spawn_scoped(scope, read)
            .map_err(ExplainError::Thread)?;
        Ok(reading.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}

/// Whether `to` stands in for the recipients that the mail does not name.
fn give_recipients(prepared: &mut Prepared, to: &[Address], notes: &mut Vec<String>) -> bool {
    let Reading::Read { envelope, .. } = &mut prepared.reading else { return false };
    if !to.is_empty() && !envelope.recipients.is_empty() {
        notes.push("the mail names its recipients itself: those of --to are left out".to_owned());
        return false;
    }
    envelope.recipients.extend(to.iter().map(ToString::to_string));
    !to.is_empty()
}

/// A mail that was read, and all that its fate depends on.
struct About<'a> {
    config: &'a Config,
    reader: &'a dyn Reader,
    format: Format,
    place: Place,
    /// The recipients are given, and not the mail's own.
    given: bool,
    /// Why a pass would not take the file now.
    obstacle: Option<String>,
}

impl About<'_> {
    fn explain(&self, prepared: &Prepared) -> Result<Explanation, Error> {
        // Elsewhere the id in a name is of the past: a mail that comes back gets a new one.
        let known = match self.place {
            Place::Claimed => self.reader.mail(prepared.claimed.id)?,
            _ => None,
        };
        if let Some(mail) = known.as_ref().filter(|mail| mail.state != MailState::Open) {
            return self.settled(prepared, mail);
        }
        let attempts = known.map_or(0, |mail| mail.attempts);
        let mut identities = Vec::new();
        let mut decided = decide::decide_before(prepared, self.config, self.reader, &mut |_, identity| {
            identities.push(identity.clone());
        })?;
        if self.place == Place::Kept {
            // As it would be if it were given back.
            decided.given_back = Some(prepared.claimed.id);
        }
        let records = match self.foretell(&decided) {
            // What the catalog refuses is a fault that only this mail shows.
            Err(error) if !error.is_temporary() => {
                decided = decide::undecided(prepared, self.config, Fate::Fails(error.to_string()));
                self.foretell(&decided)?
            }
            records => records?,
        };
        self.told(prepared, &decided, &identities, records, attempts)
    }

    /// What a pass would put on record for each recipient.
    fn foretell(&self, decided: &Decided<'_>) -> Result<Vec<RecipientRecord>, Error> {
        let mut imagined = Imagined::new(self.reader, &self.config.drop);
        let (_, _, fault) = decided.fate.state(0);
        let mut records = Vec::with_capacity(decided.recipients.len());
        for decision in &decided.recipients {
            let record = shelf::settle(&mut imagined, decided, decision, fault.as_deref())?;
            let outcome = shelf::outcome(decided, decision, &record);
            imagined.put(decided.mail.delivery, outcome, &record.documents);
            records.push(record);
        }
        Ok(records)
    }

    fn told(
        &self,
        prepared: &Prepared,
        decided: &Decided<'_>,
        identities: &[Identity],
        records: Vec<RecipientRecord>,
        attempts: u32,
    ) -> Result<Explanation, Error> {
        let (state, attempts, error) = decided.fate.state(attempts);
        let pairs = decided.recipients.iter().zip(&records);
        let outcomes: Vec<_> =
            pairs.map(|(decision, record)| shelf::outcome(decided, decision, record)).collect();
        let mut recipients = Vec::with_capacity(records.len());
        for (nth, (decision, record)) in decided.recipients.iter().zip(records).enumerate() {
            let parts = Parts::of(prepared, decision, &record, &self.config.limits);
            let mut steps = self.recipient_steps(decision, identities.get(nth), &record, &parts)?;
            self.recall(decided, decision, &record, &mut steps)?;
            recipients.push(Recipient { meaning: meaning(&record), parts: parts.fates, record, steps });
        }
        let levels: Vec<Level> = identities.iter().map(|identity| identity.level).collect();
        // Who sent it is asked of what is judged, and of what waits for the answer.
        let is_asked = decided.fate == Fate::Judged || !decided.sender.proof.is_empty();
        let stages = self.stages(prepared, is_asked.then_some((&decided.sender, &levels)));
        let sender = decided.sender.clone();
        let disposal = self.disposal(state, &outcomes, (attempts, &decided.fate));
        let badmail = state == MailState::Badmail;
        Ok(Explanation { sender, recipients, error, badmail, ..self.read(prepared, stages, disposal) })
    }

    /// Its fate is on record; only the file is still there, and nothing of it is asked again.
    fn settled(&self, prepared: &Prepared, mail: &Mail) -> Result<Explanation, Error> {
        let outcomes = self.reader.outcomes(mail.delivery)?;
        let libraries = self.reader.libraries()?;
        let recipients = outcomes.iter().map(|outcome| {
            let library = libraries.iter().find(|library| Some(library.id) == outcome.library);
            let record = shelf::on_record(outcome, library);
            let steps = vec![steps::recorded(outcome)];
            Recipient { meaning: meaning(&record), parts: Vec::new(), record, steps }
        });
        let recipients = recipients.collect();
        let disposal = self.disposal(mail.state, &outcomes, (mail.attempts, &Fate::Judged));
        let explanation = self.read(prepared, self.stages(prepared, None), disposal);
        let (error, badmail) = (mail.fault.clone(), mail.state == MailState::Badmail);
        Ok(Explanation { recipients, error, badmail, ..explanation })
    }

    /// What can be told of every mail.
    fn read(&self, prepared: &Prepared, stages: Vec<Step>, disposal: Disposal) -> Explanation {
        let (envelope, message) = match &prepared.reading {
            Reading::Read { envelope, size, digest, whole } => {
                let envelope = EnvelopeView {
                    format: self.format.as_str(),
                    sender: envelope.sender.clone(),
                    recipients: envelope.recipients.clone(),
                    recipients_given: self.given,
                    message_at: envelope.message,
                };
                (Some(envelope), Some(MessageView::new(whole, *size, *digest)))
            }
            _ => (None, None),
        };
        Explanation {
            file: prepared.claimed.shown_name(),
            place: self.place,
            notes: Vec::new(),
            stages,
            envelope,
            message,
            sender: SenderRecord { level: Level::None.to_string(), ..SenderRecord::default() },
            recipients: Vec::new(),
            error: None,
            badmail: false,
            disposal,
        }
    }

    fn disposal(&self, state: MailState, outcomes: &[Outcome], tries: (u32, &Fate)) -> Disposal {
        let drop = &self.config.drop;
        let (action, folder) = match state {
            MailState::Open => (Action::Wait, None),
            MailState::Badmail => (Action::Badmail, Some(&drop.badmail)),
            MailState::Done if commit::is_kept(outcomes, drop.rejected) => (Action::Keep, Some(&drop.kept)),
            MailState::Done => (Action::Delete, None),
        };
        let folder = folder.map(|folder| shown(folder.as_os_str()));
        let step = self.dispose(action, folder.as_deref(), tries);
        Disposal { action, folder, step }
    }
}

/// What the reason of a refusal means.
fn meaning(record: &RecipientRecord) -> Option<&'static str> {
    let is_refused = record.outcome == OutcomeKind::Rejected.as_str();
    record.reason.as_deref().filter(|_| is_refused).and_then(Reason::of).map(Reason::meaning)
}

#[cfg(test)]
mod tests;
