//! `winmail.dat` among the parts of a mail: opened, and what was attached in it put behind it; or left as it is, with
//! the reason.
//!
//! All or nothing hangs on doubt: of a stream that is not sound to its end no file is taken, for none can be told from
//! its wreckage. But a sound one may hold what is no file: then its files are taken, and it stays a file itself. So it
//! is with a forwarded message: in TNEF that is a set of properties and no `.eml`, and making one would file what
//! nobody sent. The files attached to it can be had, its words are in the `winmail.dat`.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use super::limits::{Limits, Unreadable};
use super::tnef::{self, Attachment, Doubt, Tnef};
use super::{Content, Part, PartKind, head, kind};

/// Collects the parts of a message.
pub(super) struct Opener<'m> {
    message: &'m [u8],
    parts_limit: usize,
    depth: usize,
    /// Parts that count against the limit.
    counted: usize,
    parts: Vec<Part>,
    /// The Content-ID of each of them.
    content_ids: Vec<Option<Vec<u8>>>,
    /// The Content-IDs that bodies show.
    pub shown: HashSet<Vec<u8>>,
}

impl<'m> Opener<'m> {
    /// For a message of which so many parts were counted.
    pub fn new(message: &'m [u8], limits: &Limits, counted: usize) -> Opener<'m> {
        let Limits { parts, depth, .. } = *limits;
        let (list, content_ids, shown) = (Vec::new(), Vec::new(), HashSet::new());
        Opener { message, parts_limit: parts, depth, counted, parts: list, content_ids, shown }
    }

    /// Takes in one part, and what is attached in it.
    pub fn take(&mut self, part: Part, content_id: Option<Vec<u8>>) {
        let opened = is_tnef(&part, self.message).then(|| self.open(&part));
        let index = self.parts.len();
        self.parts.push(part);
        self.content_ids.push(content_id);
        let why = match opened {
            None => return,
            Some(Err(doubt)) => Some(format!("not opened: {doubt}")),
            Some(Ok(tnef)) => {
                self.attached(index, tnef.attachments);
                also_holds(&tnef.rest)
            }
        };
        if let Some(part) = self.parts.get_mut(index) {
            part.kind = if why.is_some() { PartKind::Attachment } else { PartKind::Opened };
            part.note =
                [part.note.take(), why].into_iter().flatten().reduce(|note, why| format!("{note}; {why}"));
        }
    }

    /// Takes in a file that was found in the words of the part before it.
    pub fn found(&mut self, file: Part) -> Result<(), Unreadable> {
        self.counted += 1;
        if self.counted > self.parts_limit {
            return Err(Unreadable::more_than(self.parts_limit, "parts"));
        }
        self.take(file, None);
        Ok(())
    }

    /// The parts, images that a body shows told apart from those that are attached.
    pub fn finish(mut self) -> Vec<Part> {
        for (part, id) in self.parts.iter_mut().zip(&self.content_ids) {
            let id = id.as_deref().filter(|_| part.media_type.starts_with("image/"));
            if id.is_some_and(|id| kind::is_shown(id, &self.shown)) {
                part.kind = PartKind::InlineImage;
            }
        }
        self.parts
    }

    fn open(&mut self, part: &Part) -> Result<Tnef, Doubt> {
        let bytes = part.content.bytes(self.message);
        let parts = self.parts_limit.saturating_sub(self.counted);
        let tnef = tnef::read(bytes, &tnef::Limits { parts, depth: self.depth })?;
        self.counted += tnef.parts;
        if tnef.attachments.iter().any(|attachment| attachment.content_id.is_some()) {
            tnef.bodies(bytes, |html| kind::shown(html, b"", &mut self.shown));
        }
        Ok(tnef)
    }

    fn attached(&mut self, index: usize, attachments: Vec<Attachment>) {
        let Some(content) = self.parts.get(index).map(|part| part.content.clone()) else { return };
        for Attachment { name, media_type, content_id, data } in attachments {
            let content = match &content {
                Content::Range(whole) => Content::Range(
                    whole.start.saturating_add(data.start)..whole.start.saturating_add(data.end),
                ),
                Content::Decoded(bytes) | Content::Inside(bytes, _) => {
                    Content::Inside(Arc::clone(bytes), data)
                }
            };
            let media_type = media_type.filter(|media_type| head::is_media_type(media_type));
            let media_type = media_type.unwrap_or_else(|| "application/octet-stream".to_owned());
            let kind = match media_type.as_str() {
                "message/rfc822" | "message/global" => PartKind::Forwarded,
                "text/calendar" => PartKind::Invitation,
                _ => PartKind::Attachment,
            };
            self.parts.push(Part { kind, name, media_type, content, inside: Some(index), note: None });
            self.content_ids.push(content_id);
        }
    }
}

/// A part that says it is TNEF, or that has its name and begins as it does.
fn is_tnef(part: &Part, message: &[u8]) -> bool {
    let named = part.name.as_deref().is_some_and(|name| {
        ["winmail.dat", "win.dat"].iter().any(|known| name.trim().eq_ignore_ascii_case(known))
    });
    part.kind == PartKind::Attachment
        && match part.media_type.as_str() {
            "application/ms-tnef" | "application/vnd.ms-tnef" => true,
            _ => named && part.content.bytes(message).starts_with(&tnef::SIGNATURE),
        }
}

fn also_holds(rest: &BTreeSet<&'static str>) -> Option<String> {
    let rest: Vec<_> = rest.iter().copied().collect();
    (!rest.is_empty())
        .then(|| format!("filed itself, for it holds what is no file of its own: {}", rest.join(", ")))
}

#[cfg(test)]
mod tests;
