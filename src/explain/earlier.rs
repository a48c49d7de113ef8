//! A mail that was filed before, and whose documents were removed since: it is filed again.

use mailshelf_storage::model::{Library, OutcomeKind};
use mailshelf_storage::{Error, LibraryId};

use super::About;
use super::{Stage, steps::Step};
use crate::record::words::RecipientRecord;
use crate::record::{Decided, Decision};

/// So many earlier deliveries are looked at.
const FEW: usize = 100;

impl About<'_> {
    /// Adds to a "no" that it was not always so.
    pub fn recall(
        &self,
        decided: &Decided<'_>,
        decision: &Decision<'_>,
        record: &RecipientRecord,
        steps: &mut [Step],
    ) -> Result<(), Error> {
        let is_filed = record.outcome == OutcomeKind::Filed.as_str();
        let (Some(library), Some(step)) = (&decision.library, steps.last_mut()) else { return Ok(()) };
        if is_filed
            && step.stage == Stage::Record
            && let Some(why) = self.was_removed(decided, library)?
        {
            step.answer = format!("{}; {why}", step.answer);
        }
        Ok(())
    }

    fn was_removed(&self, decided: &Decided<'_>, library: &Library) -> Result<Option<String>, Error> {
        let Some(digest) = decided.mail.digest else { return Ok(None) };
        for delivery in self.reader.filed_deliveries(digest, decided.likeness, FEW)? {
            let outcomes = self.reader.outcomes(delivery)?;
            let mut filed = outcomes.iter().filter(|one| one.kind == OutcomeKind::Filed);
            let documents = self.reader.documents_of(delivery)?;
            let stands =
                |id: LibraryId| documents.iter().any(|one| one.filed_in == id && one.removal.is_none());
            if filed.any(|one| one.library == Some(library.id)) && !stands(library.id) {
                return Ok(Some(format!(
                    "it was, as delivery {delivery}, but no document of that stands any more"
                )));
            }
        }
        Ok(None)
    }
}
