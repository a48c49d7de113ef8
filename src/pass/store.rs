//! What has to be in the contents before a batch is recorded.

use std::collections::{HashMap, HashSet};

use mailshelf_storage::model::Library;
use mailshelf_storage::{Content, Contents, DeliveryId, Digest, Error, LibraryId, Reader};

use crate::record::quota::{Asked, Rooms, Terms, is_bounded};
use crate::record::shelf::{covers, stands_for};
use crate::record::{Decided, Decision, Verdict};

/// The contents that the documents of a batch will refer to, each once, without those that are there in full. Of the mails
/// in `all_of` all that they would file: what was foreseen of them was wrong before.
pub(super) fn wanted<'a>(
    decided: &'a [Decided<'a>],
    contents: &dyn Contents,
    reader: &dyn Reader,
    terms: Terms,
    all_of: &HashSet<DeliveryId>,
) -> Result<Vec<Content<'a>>, Error> {
    let mut batch = Batch {
        contents,
        reader,
        rooms: Rooms::new(terms),
        all_of,
        seen: HashSet::new(),
        ahead: HashMap::new(),
        wanted: Vec::new(),
    };
    for mail in decided {
        for decision in &mail.recipients {
            batch.add(mail, decision)?;
        }
    }
    Ok(batch.wanted)
}

struct Batch<'a, 'b> {
    contents: &'b dyn Contents,
    reader: &'b dyn Reader,
    /// What will end as a duplicate, or find no room, needs no contents of its own: nothing would refer to them, and
    /// mail that is refused must not fill the disk with them. That is looked up before it is decided, so it may be
    /// wrong of a mail; if that one then relies on a content that is missing, all is decided again, with this one in
    /// `all_of`.
    rooms: Rooms,
    all_of: &'b HashSet<DeliveryId>,
    seen: HashSet<Digest>,
    /// What mails of this batch file, by library and likeness.
    ahead: HashMap<(LibraryId, Digest), Vec<&'a Decision<'a>>>,
    wanted: Vec<Content<'a>>,
}

impl<'a> Batch<'a, '_> {
    fn add(&mut self, mail: &'a Decided<'a>, decision: &'a Decision<'a>) -> Result<(), Error> {
        let (Verdict::File(proposal, _), Some(library)) = (&decision.verdict, &decision.library) else {
            return Ok(());
        };
        let mut missing = Vec::new();
        for content in proposal.documents.iter().map(|document| document.content) {
            if !self.seen.contains(&content.digest) && !self.is_stored(content)? {
                missing.push(content);
            }
        }
        let (is_bounded, is_sure) =
            (is_bounded(&library.settings), self.all_of.contains(&mail.mail.delivery));
        let is_asked = !is_sure && (is_bounded || !missing.is_empty());
        if is_asked && self.is_duplicate(mail, decision, library)? {
            return Ok(());
        }
        let finds_room = !is_bounded || self.has_room(library, &Asked::of(mail, decision, proposal))?;
        if !finds_room && !is_sure {
            return Ok(());
        }
        self.wanted.extend(missing.into_iter().filter(|content| self.seen.insert(content.digest)));
        if let Some(likeness) = mail.likeness {
            self.ahead.entry((library.id, likeness)).or_default().push(decision);
        }
        Ok(())
    }

    fn is_duplicate(
        &self,
        mail: &Decided<'_>,
        decision: &Decision<'_>,
        library: &Library,
    ) -> Result<bool, Error> {
        let Some((digest, likeness)) = mail.mail.digest.zip(mail.likeness) else { return Ok(false) };
        let ahead = self.ahead.get(&(library.id, likeness)).into_iter().flatten();
        if ahead.into_iter().any(|before| stands_for((before.identity.as_ref(), before.level), decision)) {
            return Ok(true);
        }
        let before = self.reader.filed_before(library.id, digest, Some(likeness))?;
        Ok(before.iter().any(|before| covers(&before.outcome, decision)))
    }

    fn has_room(&mut self, library: &Library, asked: &Asked) -> Result<bool, Error> {
        Ok(self.rooms.ask(self.reader, library, asked)?.verdict.is_ok())
    }

    fn is_stored(&self, content: Content<'_>) -> Result<bool, Error> {
        match self.reader.content(content.digest)? {
            Some(known) if !known.doomed => Ok(self.contents.size(content.digest)? == Some(known.size)),
            _ => Ok(false),
        }
    }
}
