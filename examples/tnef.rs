//! Opens TNEF files and prints what each holds, one JSON object a line: for comparing the reader with others
//! (`tests/compare/tnef.py`).

use std::io::{self, Write};

use mailshelf::message::tnef::{self, Limits, Tnef};
use mailshelf_storage::Digest;
use serde_json::{Value, json};

fn main() -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    for path in std::env::args_os().skip(1) {
        let bytes = std::fs::read(&path)?;
        let read = match tnef::read(&bytes, &Limits { parts: 1000, depth: 32 }) {
            Ok(Tnef { attachments, rest, .. }) => {
                let attachments: Vec<Value> = attachments.iter().map(|one| shown(one, &bytes)).collect();
                json!({"file": path.to_string_lossy(), "attachments": attachments, "rest": rest})
            }
            Err(doubt) => json!({"file": path.to_string_lossy(), "doubt": doubt.to_string()}),
        };
        writeln!(out, "{read}")?;
    }
    out.flush()
}

fn shown(attachment: &tnef::Attachment, bytes: &[u8]) -> Value {
    let data = bytes.get(attachment.data.clone()).unwrap_or_default();
    json!({"name": attachment.name, "media_type": attachment.media_type, "at": attachment.data.start, "size": data.len(),
           "content_id": attachment.content_id.as_deref().map(String::from_utf8_lossy),
           "sha256": Digest::of(data).to_string()})
}
