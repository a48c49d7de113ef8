//! A shelf on which nothing is put: what would be filed there stands beside what is.

use jiff::Timestamp;
use mailshelf_storage::model::{Filing, Library, Outcome, OutcomeKind, Placed};
use mailshelf_storage::{DeliveryId, Error, LibraryId, Reader};

use crate::config;
use crate::file::{Proposal, Proposed, Refusal};
use crate::record::Decision;
use crate::record::quota::{Asked, Rooms, Terms};
use crate::record::shelf::{Marks, Shelf, Standings};
use crate::record::words::Standing;

/// The catalog, and what one mail would have added to it so far.
pub struct Imagined<'a> {
    reader: &'a dyn Reader,
    /// Filings of the mail itself.
    filed: Vec<Filing>,
    standings: Standings,
    rooms: Rooms,
}

impl<'a> Imagined<'a> {
    pub fn new(reader: &'a dyn Reader, drop: &config::Drop) -> Imagined<'a> {
        let rooms = Rooms::new(Terms::of(drop, Timestamp::now()));
        Imagined { reader, filed: Vec::new(), standings: Standings::default(), rooms }
    }

    /// Takes note of how the mail would have ended for one recipient, and as which documents.
    pub fn put(&mut self, delivery: DeliveryId, outcome: Outcome, paths: &[String]) {
        let is_first = self.filed.iter().all(|filed| filed.outcome.library != outcome.library);
        // The first of a library stands for all later ones.
        if let (OutcomeKind::Filed, true, Some(library)) = (outcome.kind, is_first, outcome.library) {
            self.standings.put(library, delivery, paths);
            self.filed.push(Filing { delivery, exact: true, outcome });
        }
    }
}

impl Shelf for Imagined<'_> {
    type Error = Error;

    fn filed_before(&mut self, library: LibraryId, marks: Marks) -> Result<Vec<Filing>, Error> {
        let mut before = self.reader.filed_before(library, marks.digest, marks.likeness)?;
        let ours = self.filed.iter().filter(|filed| filed.outcome.library == Some(library));
        before.extend(ours.cloned());
        Ok(before)
    }

    fn standing(&mut self, library: &Library, delivery: DeliveryId) -> Result<Standing, Error> {
        self.standings.of(self.reader, library, delivery)
    }

    /// No two recipients of one library both find room: see below.
    fn admit(&mut self, library: &Library, asked: &Asked) -> Result<Result<(), Refusal>, Error> {
        Ok(self.rooms.ask(self.reader, library, asked)?.verdict)
    }

    /// A library gets a mail once: to it a second recipient has the same identity, of the same level. So no name is
    /// asked for beside others of this mail that were asked for before.
    fn add(
        &mut self,
        library: &Library,
        _: &Decision<'_>,
        proposal: &Proposal<'_>,
        _: &str,
    ) -> Result<Vec<Placed>, Error> {
        let wanted: Vec<_> = proposal.documents.iter().map(Proposed::wanted).collect();
        self.reader.names_for(library.id, &wanted)
    }
}
