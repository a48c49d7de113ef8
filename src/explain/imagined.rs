//! A shelf on which nothing is put: what would be filed there stands beside what is.

use mailshelf_storage::model::{Library, Outcome, OutcomeKind, Placed};
use mailshelf_storage::{Digest, Error, LibraryId, Reader};

use crate::file::{Proposal, Proposed};
use crate::record::shelf::Shelf;

/// The catalog, and what one mail would have added to it so far.
pub struct Imagined<'a> {
    reader: &'a dyn Reader,
    filed: Vec<Outcome>,
}

impl<'a> Imagined<'a> {
    pub fn new(reader: &'a dyn Reader) -> Imagined<'a> {
        Imagined { reader, filed: Vec::new() }
    }

    /// Takes note of how the mail would have ended for one recipient.
    pub fn put(&mut self, outcome: Outcome) {
        let is_first = self.filed.iter().all(|filed| filed.library != outcome.library);
        // The first of a library stands for all later ones.
        if outcome.kind == OutcomeKind::Filed && is_first {
            self.filed.push(outcome);
        }
    }
}

impl Shelf for Imagined<'_> {
    type Error = Error;

    fn filed_before(&mut self, library: LibraryId, digest: Digest) -> Result<Vec<Outcome>, Error> {
        let mut before = self.reader.filed_before(library, digest)?;
        before.extend(self.filed.iter().filter(|filed| filed.library == Some(library)).cloned());
        Ok(before)
    }

    /// A library gets a mail once: to it a second recipient has the same identity, of the same level. So no name is
    /// asked for beside others of this mail that were asked for before.
    fn add(&mut self, library: &Library, proposal: &Proposal<'_>, _: &str) -> Result<Vec<Placed>, Error> {
        let wanted: Vec<_> = proposal.documents.iter().map(Proposed::wanted).collect();
        self.reader.names_for(library.id, &wanted)
    }
}
