//! Files that stand in the midst of words: uuencoded ([`super::uu`]) or as yEnc ([`super::yenc`]). The words stay the
//! body, whole; what is found in them are attachments like others. So what only looks like a file costs no text.

use std::collections::HashMap;
use std::iter;
use std::ops::Range;
use std::sync::Arc;

use super::fields::line_at;
use super::limits::Unreadable;
use super::yenc::{self, Piece};
use super::{Content, Part, PartKind, uu, words};

/// The files that stand in the words of a part; more than `most` make the message unreadable.
pub(super) fn files(message: &[u8], part: &Part, most: usize) -> Result<Vec<Part>, Unreadable> {
    if part.kind != PartKind::Body || part.media_type != "text/plain" {
        return Ok(Vec::new());
    }
    let start = match &part.content {
        Content::Range(range) => Some(range.start),
        Content::Decoded(_) | Content::Inside(..) => None,
    };
    let text = part.content.bytes(message);
    let mut words = Words { text, start, most, files: Vec::new(), pieces: Vec::new() };
    words.look()?;
    Ok(words.all())
}

struct Words<'t> {
    text: &'t [u8],
    /// Where it begins in the message, if it stands there as it is.
    start: Option<usize>,
    most: usize,
    /// Where each begins, for the order.
    files: Vec<(usize, Part)>,
    pieces: Vec<Piece>,
}

impl Words<'_> {
    /// Each line is looked at twice at most: what was read for a file and is none holds no beginning of another.
    fn look(&mut self) -> Result<(), Unreadable> {
        let mut at = 0;
        while let Some((line, next)) = line_at(self.text, at) {
            let start = at;
            at = next;
            if line.starts_with(b"begin") {
                let Some(file) = uu::read(self.text, start) else { continue };
                let note = (!file.whole).then_some("a uuencoded file that is cut short");
                at = file.next;
                self.files.push((start, attachment(words::guess(&file.name), decoded(file.bytes), note)));
            } else if line.starts_with(b"=ybegin ") {
                let Some(piece) = yenc::read(self.text, start) else { continue };
                at = piece.range.end;
                self.pieces.push(piece);
            }
            if self.files.len() + self.pieces.len() > self.most {
                return Err(Unreadable::more_than(self.most, "parts"));
            }
        }
        Ok(())
    }

    fn all(mut self) -> Vec<Part> {
        let mut several: HashMap<(Vec<u8>, u64), Vec<Piece>> = HashMap::new();
        for piece in std::mem::take(&mut self.pieces) {
            if piece.part.is_some() {
                several.entry((piece.name.clone(), piece.size)).or_default().push(piece);
            } else {
                let note = (!piece.sound).then_some("a yEnc file that is not as it says");
                let file = attachment(words::guess(&piece.name), decoded(piece.bytes), note);
                self.files.push((piece.range.start, file));
            }
        }
        for ((name, size), mut pieces) in several {
            pieces.sort_by_key(|piece| piece.part.map(|part| part.begin));
            let start = pieces.iter().map(|piece| piece.range.start).min().unwrap_or_default();
            if is_complete(&pieces, size) {
                let bytes = decoded(pieces.into_iter().flat_map(|piece| piece.bytes).collect());
                self.files.push((start, attachment(words::guess(&name), bytes, None)));
            } else {
                // Said once of each file, of its first piece.
                let notes = iter::once("a yEnc file of which pieces are missing").map(Some);
                let pieces = pieces.iter().zip(notes.chain(iter::repeat(None)));
                let kept: Vec<_> = pieces.map(|(piece, note)| self.as_it_is(piece, note)).collect();
                self.files.extend(kept);
            }
        }
        self.files.sort_by_key(|(start, _)| *start);
        self.files.into_iter().map(|(_, file)| file).collect()
    }

    /// A piece alone is no file; whoever has the others can join them.
    fn as_it_is(&self, piece: &Piece, note: Option<&str>) -> (usize, Part) {
        let (number, total) = piece.part.map_or((0, None), |part| (part.number, part.total));
        let of = total.map(|total| format!(" of {total}")).unwrap_or_default();
        let name = format!("{} (part {number}{of}).yenc", words::guess(&piece.name));
        (piece.range.start, attachment(name, self.content(piece.range.clone()), note))
    }

    fn content(&self, range: Range<usize>) -> Content {
        match self.start {
            Some(start) => Content::Range(start + range.start..start + range.end),
            None => decoded(self.text.get(range).unwrap_or_default().to_vec()),
        }
    }
}

/// Whether sound pieces, in order, make up the whole file.
fn is_complete(pieces: &[Piece], size: u64) -> bool {
    let mut next = Some(1);
    for piece in pieces {
        let begins = piece.part.map(|part| part.begin);
        if !piece.sound || next.is_none() || begins != next {
            return false;
        }
        next = piece.part.and_then(|part| part.end.checked_add(1));
    }
    next.is_some_and(|next| next - 1 == size)
}

fn attachment(name: String, content: Content, note: Option<&str>) -> Part {
    let (kind, media_type) = (PartKind::Attachment, "application/octet-stream".to_owned());
    Part { kind, name: Some(name), media_type, content, inside: None, note: note.map(str::to_owned) }
}

fn decoded(bytes: Vec<u8>) -> Content {
    Content::Decoded(Arc::new(bytes))
}

#[cfg(test)]
mod tests;
