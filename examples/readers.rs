//! What other readers find in mails: for comparing them with ours (`tests/hostile/run.py`). Reads paths from standard
//! input, one a line, and answers each with one JSON object: the leaves that mail-parser, mailparse and mailshelf see,
//! each by the digest of its bytes, whether mailshelf finds the mail ambiguous, and which of them are files to it.
//!
//! A parser that panics has no answer: mail-parser's sums overflow on some mail, in a build that checks them. But both
//! recurse, and a mail may kill this process: whoever asks starts it anew.

use std::collections::BTreeSet;
use std::io::{self, BufRead, Write};
use std::{panic, thread};

use mail_parser::decoders::{base64::base64_decode, quoted_printable::quoted_printable_decode};
use mail_parser::{Encoding, Message, MessageParser, MessagePart, PartType};
use mailparse::ParsedMail;
use mailshelf::envelope;
use mailshelf::message::{self, Limits, PartKind};
use mailshelf_storage::Digest;
use serde_json::{Value, json};

/// Enough for what both parsers do with any mail within our limits.
const STACK: usize = 256 << 20;

fn main() -> io::Result<()> {
    let answering = thread::Builder::new().stack_size(STACK).spawn(answer)?;
    answering.join().unwrap_or_else(|panic| panic::resume_unwind(panic))
}

fn answer() -> io::Result<()> {
    let mut out = io::stdout().lock();
    for path in io::stdin().lock().lines() {
        let path = path?;
        let file = std::fs::read(&path)?;
        let start = envelope::folder(&file).message;
        let bytes = file.get(start..).unwrap_or_default();
        let (ours, files, ambiguous) = ours(bytes);
        let mail_parser = panic::catch_unwind(|| by_mail_parser(bytes)).unwrap_or_default();
        let mailparse = panic::catch_unwind(|| by_mailparse(bytes)).unwrap_or_default();
        let readers = json!({"mail-parser": mail_parser, "mailparse": mailparse, "mailshelf": ours});
        let answer = json!({"start": start, "readers": readers, "ambiguous": ambiguous, "files": files});
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}

/// A leaf by its bytes, as far as they do not hang on how lines end and who counts the last break.
fn leaf(bytes: &[u8]) -> Option<String> {
    let text: Vec<u8> = bytes.iter().filter(|&&byte| byte != b'\r').copied().collect();
    let text = text.trim_ascii();
    (!text.is_empty()).then(|| Digest::of(text).to_string())
}

fn ours(bytes: &[u8]) -> (Value, Value, Value) {
    match message::read(bytes, &Limits::default()) {
        Err(why) => (json!(null), json!(null), json!(why.to_string())),
        Ok(read) => {
            // What stands inside a part is that part to others.
            let outer = read.parts.iter().filter(|part| part.inside.is_none());
            let leaves: BTreeSet<_> =
                outer.clone().filter_map(|part| leaf(part.content.bytes(bytes))).collect();
            let files = outer.filter(|part| matches!(part.kind, PartKind::Attachment | PartKind::Forwarded));
            let files: BTreeSet<_> = files.filter_map(|part| leaf(part.content.bytes(bytes))).collect();
            (json!(leaves), json!(files), json!(read.traces.ambiguous))
        }
    }
}

fn by_mail_parser(bytes: &[u8]) -> Option<BTreeSet<String>> {
    let message = MessageParser::default().parse(bytes)?;
    Some(message.parts.iter().filter_map(|part| leaf(&content(&message, part)?)).collect())
}

fn content(message: &Message<'_>, part: &MessagePart<'_>) -> Option<Vec<u8>> {
    let start = usize::try_from(part.offset_body).ok()?;
    let end = usize::try_from(part.offset_end).ok()?;
    let raw = message.raw_message.get(start..end).unwrap_or_default();
    match &part.body {
        PartType::Multipart(_) => None,
        PartType::Binary(bytes) | PartType::InlineBinary(bytes) => Some(bytes.to_vec()),
        // It converts text to UTF-8: the others do not.
        PartType::Text(_) | PartType::Html(_) | PartType::Message(_) => Some(match part.encoding {
            Encoding::Base64 => base64_decode(raw).unwrap_or_else(|| raw.to_vec()),
            Encoding::QuotedPrintable => quoted_printable_decode(raw).unwrap_or_else(|| raw.to_vec()),
            Encoding::None => raw.to_vec(),
        }),
    }
}

fn by_mailparse(bytes: &[u8]) -> Option<BTreeSet<String>> {
    let message = mailparse::parse_mail(bytes).ok()?;
    let mut leaves = BTreeSet::new();
    collect(&message, &mut leaves);
    Some(leaves)
}

fn collect(part: &ParsedMail<'_>, leaves: &mut BTreeSet<String>) {
    if part.subparts.is_empty() {
        leaves.extend(part.get_body_raw().ok().and_then(|bytes| leaf(&bytes)));
    }
    part.subparts.iter().for_each(|part| collect(part, leaves));
}
