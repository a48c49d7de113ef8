//! What becomes of a mail for one recipient, once it is decided: filed, under which names, or not again. One code for a
//! pass, which files, and for [`crate::explain`], which only tells.

use std::collections::HashMap;

use mailshelf_storage::model::{Document, Filing, Level, Library, Outcome, OutcomeKind, Placed};
use mailshelf_storage::{DeliveryId, Digest, Error, LibraryId, Login, Reader};

use super::quota::Asked;
use super::words::{self, LeftOutRecord, RecipientRecord, Standing, VersionRecord};
use super::{Decided, Decision, Verdict};
use crate::file::{LeftOut, Proposal, Refusal};

/// What a mail is known again by.
#[derive(Clone, Copy, Debug)]
pub struct Marks {
    /// That of its bytes.
    pub digest: Digest,
    /// That of what it is, however it came.
    pub likeness: Option<Digest>,
}

/// Where documents are filed.
pub trait Shelf {
    /// Why they cannot be.
    type Error;

    /// Every filing of a mail with these marks in a library, this mail's own included; see
    /// [`mailshelf_storage::Reader::filed_before`].
    fn filed_before(&mut self, library: LibraryId, marks: Marks) -> Result<Vec<Filing>, Self::Error>;

    /// What stands in a library of a delivery.
    fn standing(&mut self, library: &Library, delivery: DeliveryId) -> Result<Standing, Self::Error>;

    /// Whether a library has room for what is asked, or why it has none; takes note of it.
    fn admit(&mut self, library: &Library, asked: &Asked) -> Result<Result<(), Refusal>, Self::Error>;

    /// Adds the documents of a proposal, and gives the place of each.
    fn add(
        &mut self,
        library: &Library,
        decision: &Decision<'_>,
        proposal: &Proposal<'_>,
        created_by: &str,
    ) -> Result<Vec<Placed>, Self::Error>;
}

/// What becomes of a mail for one recipient. `fault` is what the mail as a whole waits for, or was given up for.
pub fn settle<S: Shelf>(
    shelf: &mut S,
    decided: &Decided<'_>,
    decision: &Decision<'_>,
    fault: Option<&str>,
) -> Result<RecipientRecord, S::Error> {
    match (fault, &decision.verdict) {
        (Some(why), _) => Ok(waiting(decision, why)),
        (None, Verdict::Undecided) => Ok(waiting(decision, "not decided")),
        (None, Verdict::Refuse(refusal)) => Ok(refused(decision, refusal)),
        (None, Verdict::File(proposal, by)) => file(shelf, decided, decision, proposal, by),
    }
}

/// The same as a row of the catalog.
pub fn outcome(decided: &Decided<'_>, decision: &Decision<'_>, record: &RecipientRecord) -> Outcome {
    let kind = record.outcome.parse().unwrap_or(OutcomeKind::Deferred);
    let is_known_again = matches!(kind, OutcomeKind::Filed | OutcomeKind::Duplicate);
    Outcome {
        recipient: decision.recipient.clone(),
        kind,
        reason: record.reason.clone(),
        because: record.because.clone(),
        library: decision.library.as_ref().map(|library| library.id),
        identity: decision.identity.clone(),
        level: decision.level,
        proof: proof(decided, decision),
        likeness: decided.likeness.filter(|_| is_known_again),
        gone: None,
        former_alias: decision.former.as_ref().map(|former| former.alias.clone()),
        duplicate_of: record.duplicate_of.as_ref().and_then(|id| id.parse().ok()),
    }
}

/// Its own, or that of the mail as a whole, unless another recipient has it better proven than was asked for this one.
fn proof(decided: &Decided<'_>, decision: &Decision<'_>) -> Option<String> {
    let same = decision.level.as_str() == decided.sender.level;
    let sender = decision.sender.as_ref().or_else(|| same.then_some(&decided.sender));
    sender.map(|sender| sender.proof.clone()).filter(|proof| !proof.is_empty())
}

/// An outcome that is on record, as far as the catalog tells.
pub fn on_record(outcome: &Outcome, library: Option<&Library>) -> RecipientRecord {
    RecipientRecord {
        reason: outcome.reason.clone(),
        because: outcome.because.clone(),
        identity: Some(outcome.identity.as_ref().map(ToString::to_string)),
        level: Some(outcome.level.to_string()),
        proof: outcome.proof.clone(),
        former_alias: outcome.former_alias.as_ref().map(ToString::to_string),
        duplicate_of: outcome.duplicate_of.map(|delivery| delivery.to_string()),
        library: library.map(|library| &library.name).or(outcome.gone.as_ref()).map(ToString::to_string),
        ..bare(&outcome.recipient, outcome.kind, library)
    }
}

fn file<S: Shelf>(
    shelf: &mut S,
    decided: &Decided<'_>,
    decision: &Decision<'_>,
    proposal: &Proposal<'_>,
    created_by: &str,
) -> Result<RecipientRecord, S::Error> {
    let mut record = record(decision, OutcomeKind::Filed);
    let (Some(library), Some(digest)) = (&decision.library, decided.mail.digest) else {
        return Ok(record);
    };
    let before = shelf.filed_before(library.id, Marks { digest, likeness: decided.likeness })?;
    if let Some(before) = before.iter().find(|before| covers(&before.outcome, decision)) {
        let standing = shelf.standing(library, before.delivery)?;
        record.outcome = OutcomeKind::Duplicate.to_string();
        record.because = Some(words::filed_before(&standing, &before.outcome.recipient, before.exact));
        let is_other = before.delivery != decided.mail.delivery;
        record.duplicate_of = is_other.then(|| before.delivery.to_string());
        return Ok(record);
    }
    if let Err(refusal) = shelf.admit(library, &Asked::of(decided, decision, proposal))? {
        return Ok(refused(decision, &refusal));
    }
    let places = shelf.add(library, decision, proposal, created_by)?;
    record.documents = places.iter().map(Placed::path).collect();
    let later = places.iter().filter(|place| place.version > 1);
    let version = |place: &Placed| VersionRecord { path: place.path(), version: place.version };
    record.versions = later.map(version).collect();
    record.created_by = Some(created_by.to_owned());
    record.unverified = decision.identity.is_none();
    let left_out = |left: &LeftOut| LeftOutRecord {
        part: left.part.clone(),
        sha256: left.digest.to_string(),
        why: left.why.to_owned(),
    };
    record.left_out = proposal.left_out.iter().map(left_out).collect();
    Ok(record)
}

/// What stands of earlier filings, as far as it was asked for. A mail may go to very many addresses of one library.
#[derive(Default)]
pub struct Standings(HashMap<(LibraryId, DeliveryId), Standing>);

impl Standings {
    /// Takes note of what is not in the catalog.
    pub fn put(&mut self, library: LibraryId, delivery: DeliveryId, paths: &[String]) {
        self.0.insert((library, delivery), paths.iter().cloned().collect());
    }

    /// What stands of a delivery that was filed in a library, wherever it was moved since.
    pub fn of(
        &mut self,
        reader: &dyn Reader,
        library: &Library,
        delivery: DeliveryId,
    ) -> Result<Standing, Error> {
        if let Some(standing) = self.0.get(&(library.id, delivery)) {
            return Ok(standing.clone());
        }
        let documents = reader.documents_of(delivery)?.into_iter();
        let documents = documents.filter(|one| one.removal.is_none() && one.filed_in == library.id);
        let place = |document: Document| match document.path() {
            path if document.library == library.name => path,
            path => format!("{path} in library {}", document.library),
        };
        let standing: Standing = documents.map(place).collect();
        self.0.insert((library.id, delivery), standing.clone());
        Ok(standing)
    }
}

/// Whether an earlier filing stands for this one: nobody can pre-empt a mail with better proof, and one identity
/// never stands for another.
pub fn covers(before: &Outcome, now: &Decision<'_>) -> bool {
    stands_for((before.identity.as_ref(), before.level), now)
}

/// The same of one that is not on record yet.
pub fn stands_for((identity, level): (Option<&Login>, Level), now: &Decision<'_>) -> bool {
    now.identity.is_none() || (identity == now.identity.as_ref() && level >= now.level)
}

fn record(decision: &Decision<'_>, outcome: OutcomeKind) -> RecipientRecord {
    let sender = decision.sender.as_ref();
    RecipientRecord {
        former_alias: decision.former.as_ref().map(|former| former.alias.to_string()),
        identity: sender.map(|sender| sender.identity.clone()),
        level: sender.map(|sender| sender.level.clone()),
        proof: sender.map(|sender| sender.proof.clone()),
        ..bare(&decision.recipient, outcome, decision.library.as_ref())
    }
}

fn bare(recipient: &str, outcome: OutcomeKind, library: Option<&Library>) -> RecipientRecord {
    RecipientRecord {
        address: recipient.to_owned(),
        outcome: outcome.to_string(),
        reason: None,
        because: None,
        library: library.map(|library| library.name.to_string()),
        former_alias: None,
        duplicate_of: None,
        created_by: None,
        unverified: false,
        identity: None,
        level: None,
        proof: None,
        documents: Vec::new(),
        versions: Vec::new(),
        left_out: Vec::new(),
    }
}

fn refused(decision: &Decision<'_>, refusal: &Refusal) -> RecipientRecord {
    RecipientRecord {
        reason: Some(refusal.reason.to_string()),
        because: refusal.because.clone(),
        ..record(decision, OutcomeKind::Rejected)
    }
}

fn waiting(decision: &Decision<'_>, why: &str) -> RecipientRecord {
    RecipientRecord { because: Some(why.to_owned()), ..record(decision, OutcomeKind::Deferred) }
}
