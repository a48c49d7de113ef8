//! Looks at a site while nothing runs, by the disk and by SQL alone, and changes nothing in it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use mailshelf_storage::Digest;
use rusqlite::Connection;
use serde_json::Value;

use crate::model::{Claim, Delivery, Outcome, Seen, Version};
use crate::place::Place;

/// What is seen of the site at `place`. `scratch` is an empty folder for a copy of the catalog: to open it where it is
/// would begin to mend it.
pub fn look(place: &Place, scratch: &Path) -> Seen {
    let mut seen = Seen { waiting: waiting(&place.drop()), ..Seen::default() };
    for node in folders(&place.drop().join(".claimed")) {
        seen.claimed.extend(claims(&node));
    }
    seen.badmail = claims(&place.state().join("badmail"));
    seen.kept = claims(&place.state().join("kept"));
    for folder in folders(&place.contents()) {
        let unfinished = folder.ends_with("tmp");
        for file in files(&folder) {
            if unfinished {
                seen.unfinished += 1;
            } else {
                let bytes = fs::read(&file).unwrap();
                seen.contents.insert(name(&file), (sha256(&bytes), bytes.len() as u64));
            }
        }
    }
    events(&place.state().join("events.jsonl"), &mut seen);
    for end in ["", "-wal", "-journal"] {
        let from = place.state().join(format!("catalog.db{end}"));
        if from.exists() {
            fs::copy(from, scratch.join(format!("catalog.db{end}"))).unwrap();
        }
    }
    if let Err(error) = catalog(&scratch.join("catalog.db"), &mut seen) {
        seen.catalog = Some(error.to_string());
    }
    seen
}

fn waiting(drop: &Path) -> Vec<String> {
    let places = [drop.to_path_buf(), drop.join("new"), drop.join("cur")];
    let files = places.iter().flat_map(|place| files(place));
    files.filter(|path| !name(path).starts_with('.')).map(|path| sha256(&fs::read(path).unwrap())).collect()
}

/// Files whose names begin with a delivery id.
fn claims(folder: &Path) -> Vec<Claim> {
    let named = files(folder).into_iter().filter_map(|path| {
        let delivery = name(&path).split_once('~')?.0.to_owned();
        Some(Claim { delivery, file: sha256(&fs::read(&path).unwrap()) })
    });
    named.collect()
}

fn events(file: &Path, seen: &mut Seen) {
    let text = fs::read(file).unwrap_or_default();
    let whole = text.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
    seen.torn = whole < text.len();
    for line in text[..whole].split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
        let Ok(event) = serde_json::from_slice::<Value>(line) else {
            seen.garbled += 1;
            continue;
        };
        seen.seqs.push(event["seq"].as_u64().unwrap_or(0));
        for mail in event["mails"].as_array().unwrap_or(&Vec::new()) {
            for recipient in mail["recipients"].as_array().unwrap_or(&Vec::new()) {
                let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                seen.told.push((
                    text(&mail["mail"]),
                    text(&recipient["address"]),
                    text(&recipient["outcome"]),
                ));
            }
        }
    }
}

fn catalog(file: &Path, seen: &mut Seen) -> rusqlite::Result<()> {
    let catalog = Connection::open(file)?;
    let says: String = catalog.query_one("PRAGMA integrity_check", [], |row| row.get(0))?;
    seen.catalog = (says != "ok").then_some(says);
    let mut outcomes: BTreeMap<String, Vec<Outcome>> = BTreeMap::new();
    let mut select = catalog.prepare("SELECT delivery, recipient, kind, reason FROM outcomes")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let outcome = Outcome { recipient: row.get(1)?, kind: row.get(2)?, reason: row.get(3)? };
        outcomes.entry(row.get(0)?).or_default().push(outcome);
    }
    let mut select = catalog.prepare("SELECT delivery, message_id, state FROM mails")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let id: String = row.get(0)?;
        let outcomes = outcomes.remove(&id).unwrap_or_default();
        seen.deliveries.push(Delivery { id, message_id: row.get(1)?, state: row.get(2)?, outcomes });
    }
    let mut select = catalog.prepare(
        "SELECT v.delivery, l.name, v.created_by, lower(hex(c.digest)), c.size, v.original
         FROM versions v JOIN documents d ON d.id = v.document JOIN libraries l ON l.id = d.library
              LEFT JOIN contents c ON c.id = v.content",
    )?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let content: Option<String> = row.get(3)?;
        let size: Option<i64> = row.get(4)?;
        seen.versions.push(Version {
            delivery: row.get(0)?,
            library: row.get(1)?,
            by: row.get(2)?,
            content: content.unwrap_or_else(|| "nothing".to_owned()),
            size: size.unwrap_or(0).cast_unsigned(),
            original: row.get(5)?,
        });
    }
    Ok(())
}

pub fn sha256(bytes: &[u8]) -> String {
    Digest::of(bytes).to_string()
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn files(folder: &Path) -> Vec<PathBuf> {
    entries(folder).into_iter().filter(|path| path.is_file()).collect()
}

fn folders(folder: &Path) -> Vec<PathBuf> {
    entries(folder).into_iter().filter(|path| path.is_dir()).collect()
}
