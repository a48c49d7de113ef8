//! What becomes of a mail for one recipient, once it is decided: filed, under which names, or not again. One code for a
//! pass, which files, and for [`crate::explain`], which only tells.

use mailshelf_storage::model::{Library, Outcome, OutcomeKind, Placed};
use mailshelf_storage::{Digest, LibraryId};

use super::words::{LeftOutRecord, RecipientRecord, VersionRecord};
use super::{Decided, Decision, Verdict};
use crate::file::{LeftOut, Proposal, Refusal};

/// Where documents are filed.
pub trait Shelf {
    /// Why they cannot be.
    type Error;

    /// Every filing of a mail with this digest in a library, this mail's own included; see
    /// [`mailshelf_storage::Reader::filed_before`].
    fn filed_before(&mut self, library: LibraryId, digest: Digest) -> Result<Vec<Outcome>, Self::Error>;

    /// Adds the documents of a proposal, and gives the place of each.
    fn add(
        &mut self,
        library: &Library,
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
        (None, Verdict::File(proposal, by)) => file(shelf, decided.mail.digest, decision, proposal, by),
    }
}

/// The same as a row of the catalog.
pub fn outcome(decided: &Decided<'_>, decision: &Decision<'_>, record: &RecipientRecord) -> Outcome {
    Outcome {
        recipient: decision.recipient.clone(),
        kind: record.outcome.parse().unwrap_or(OutcomeKind::Deferred),
        reason: record.reason.clone(),
        because: record.because.clone(),
        library: decision.library.as_ref().map(|library| library.id),
        identity: decision.identity.clone(),
        level: decision.level,
        proof: proof(decided, decision),
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
        ..bare(&outcome.recipient, outcome.kind, library)
    }
}

fn file<S: Shelf>(
    shelf: &mut S,
    digest: Option<Digest>,
    decision: &Decision<'_>,
    proposal: &Proposal<'_>,
    created_by: &str,
) -> Result<RecipientRecord, S::Error> {
    let mut record = record(decision, OutcomeKind::Filed);
    let (Some(library), Some(digest)) = (&decision.library, digest) else {
        return Ok(record);
    };
    let before = shelf.filed_before(library.id, digest)?;
    if let Some(before) = before.iter().find(|before| covers(before, decision)) {
        record.outcome = OutcomeKind::Duplicate.to_string();
        record.because = Some(format!("filed before, for {}", before.recipient));
        return Ok(record);
    }
    let places = shelf.add(library, proposal, created_by)?;
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

/// Whether an earlier filing stands for this one: nobody can pre-empt a mail with better proof, and one identity
/// never stands for another.
fn covers(before: &Outcome, now: &Decision<'_>) -> bool {
    now.identity.is_none() || (before.identity == now.identity && before.level >= now.level)
}

fn record(decision: &Decision<'_>, outcome: OutcomeKind) -> RecipientRecord {
    let sender = decision.sender.as_ref();
    RecipientRecord {
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
