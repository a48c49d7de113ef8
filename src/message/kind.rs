//! What a part is to the library: the words of the mail, or a file.

use std::collections::HashSet;

use super::decode::Encoding;
use super::params::percent_decode;
use super::structure::Leaf;
use super::{PartKind, words};

/// The kind of a leaf, `first` if it is the first of its mail, `raw` its bytes as they stand. Images are attachments
/// until the HTML bodies have been looked through.
pub(super) fn kind(leaf: &Leaf, name: Option<&str>, first: bool, raw: &[u8]) -> PartKind {
    let unmarked = name.is_none() && !leaf.head.is_attachment();
    if unmarked && raw.trim_ascii().is_empty() && (first || !leaf.media_type.starts_with("message/external-"))
    {
        // Nothing under a header, whatever that promises, is no file; but an external body says all in the header.
        PartKind::Body
    } else if leaf.forwarded {
        PartKind::Forwarded
    } else if leaf.media_type == "text/calendar" && is_invitation(leaf, name) {
        PartKind::Invitation
    } else if !leaf.head.is_attachment() && is_body(leaf, name, first, raw) {
        PartKind::Body
    } else {
        PartKind::Attachment
    }
}

/// An invitation, or an answer to one, says by `method` what is asked (RFC 6047 section 2.4). Without it a calendar that
/// has a name or is called an attachment is a file that somebody attached; one that is neither is what a program sends.
fn is_invitation(leaf: &Leaf, name: Option<&str>) -> bool {
    leaf.head.has_method() || (name.is_none() && !leaf.head.is_attachment())
}

fn is_body(leaf: &Leaf, name: Option<&str>, first: bool, raw: &[u8]) -> bool {
    match leaf.media_type.as_str() {
        // Some programs name even the text one types; but a scanner's `invoice.pdf` called text is a file.
        "text/plain" | "text/html" => name.is_none_or(|name| first && is_text_name(name)),
        "text/enriched" | "text/richtext" if first => name.is_none(),
        // Words sent as a multipart that is none. A line that could delimit parts may hide files: then it is one.
        kind if kind.starts_with("multipart/") => {
            first && leaf.head.encoding == Encoding::Identity && !raw.starts_with(b"--") && !has_dashes(raw)
        }
        // Other forms of the same words (RFC 2046 section 5.1.4): enriched, watch-html, x-amp-html, markdown.
        kind => leaf.alternative && kind.starts_with("text/") && name.is_none(),
    }
}

fn has_dashes(raw: &[u8]) -> bool {
    memchr::memmem::find(raw, b"\n--").is_some()
}

fn is_text_name(name: &str) -> bool {
    name.rsplit_once('.').is_none_or(|(_, extension)| {
        ["txt", "text", "htm", "html"].iter().any(|known| extension.eq_ignore_ascii_case(known))
    })
}

/// The Content-IDs that an HTML body shows by `cid:` (RFC 2392), percent-decoded.
pub(super) fn shown(html: &[u8], charset: &[u8], ids: &mut HashSet<Vec<u8>>) {
    let wide = charset.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"utf-"))
        && !charset.eq_ignore_ascii_case(b"utf-8");
    if wide { collect(words::decode(charset, html).as_bytes(), ids) } else { collect(html, ids) }
}

fn collect(html: &[u8], ids: &mut HashSet<Vec<u8>>) {
    let mut at = 0;
    while let Some(colon) = html.get(at..).and_then(|rest| memchr::memchr(b':', rest)) {
        let start = at + colon + 1;
        at = start;
        let scheme = html.get(start.saturating_sub(4)..start).unwrap_or_default();
        if !scheme.eq_ignore_ascii_case(b"cid:") {
            continue;
        }
        let rest = html.get(start..).unwrap_or_default();
        let end = |byte: &u8| byte.is_ascii_whitespace() || b"\"'<>()".contains(byte);
        let id = rest.get(..rest.iter().position(end).unwrap_or(rest.len())).unwrap_or_default();
        at = start + id.len();
        // An id in a style may end at `&quot;`.
        let bare = id.split(|&byte| byte == b'&').next().unwrap_or_default();
        for id in [id, bare] {
            let mut decoded = Vec::with_capacity(id.len());
            percent_decode(id, &mut decoded);
            ids.insert(decoded);
        }
    }
}

/// Whether an image with this Content-ID is among those shown.
pub(super) fn is_shown(content_id: &[u8], ids: &HashSet<Vec<u8>>) -> bool {
    let mut decoded = Vec::with_capacity(content_id.len());
    percent_decode(content_id, &mut decoded);
    ids.contains(content_id) || ids.contains(&decoded)
}
