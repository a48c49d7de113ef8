//! The last step: events go from the catalog to the event file, in order, each once, each whole.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use mailshelf_storage::durable::sync_folder;
use mailshelf_storage::{Catalog, Error, IoContext, Result};

use super::words;
use crate::lock;

/// Events read and written at a time; one of them may be some MB.
const AT_ONCE: usize = 32;

/// Writes every event to the file that is not there yet, and says how many those were.
///
/// The file itself says how far it has come: its last whole line. A torn one after it, from a crash in the middle
/// of a write, is cut off and written again. An empty or missing file gets all events.
pub fn publish(catalog: &dyn Catalog, path: &Path) -> Result<u64> {
    let fresh = !path.exists();
    let mut file = open(path)?;
    if fresh {
        sync_folder(path.parent().unwrap_or(Path::new(".")))?;
    }
    // Another publisher of the same file waits here, and then finds our lines. One that stands still holds up no pass
    // for ever: the events are in the catalog, and the next pass puts them there.
    lock::wait(&file).while_doing("lock", path)?;
    let mut seq = last_line(&mut file, path)?;
    let newest = catalog.read()?.last_event()?;
    if seq > newest {
        return Err(Error::Setup(format!(
            "event file {}: has event {seq}, but the newest in the catalog is {newest}; \
             if the catalog was restored from a backup, move the event file aside",
            path.display()
        )));
    }
    let begun_at = seq;
    while seq < newest {
        let events = catalog.read()?.events_after(seq, AT_ONCE)?;
        let Some(last) = events.last() else { break };
        seq = last.seq;
        let text: String = events.iter().map(|event| words::line(event) + "\n").collect();
        file.write_all(text.as_bytes()).while_doing("write", path)?;
    }
    if seq > begun_at {
        file.sync_data().while_doing("sync", path)?;
    }
    Ok(seq - begun_at)
}

/// How many events the catalog has that are not in the file.
pub fn unpublished(catalog: &dyn Catalog, path: &Path) -> Result<u64> {
    let newest = catalog.read()?.last_event()?;
    match File::open(path) {
        Ok(mut file) => Ok(newest.saturating_sub(find_last_line(&mut file, path)?.1)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(newest),
        Err(error) => Err(error).while_doing("open", path),
    }
}

fn open(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    // Who mails what to whom is nobody else's business.
    options.read(true).append(true).create(true).mode(0o640);
    options.open(path).while_doing("open", path)
}

/// The `seq` of the last event in the file; 0 if it is empty. What stands after that event is cut off: a torn line just
/// so, since the catalog has it whole, and anything else once it has been kept aside.
fn last_line(file: &mut File, path: &Path) -> Result<u64> {
    let (end, seq) = find_last_line(file, path)?;
    let length = file.metadata().while_doing("look at", path)?.len();
    if newline_before(file, length).while_doing("read", path)?.is_some_and(|newline| newline >= end) {
        keep_aside(file, end, path)?;
    }
    if length > end {
        file.set_len(end).while_doing("cut", path)?;
    }
    Ok(seq)
}

/// Whole lines after the last event are not ours, or a power cut made them of ours.
fn keep_aside(file: &mut File, from: u64, path: &Path) -> Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".cut");
    let aside = path.with_file_name(name);
    file.seek(SeekFrom::Start(from)).while_doing("read", path)?;
    let mut kept = open(&aside)?;
    io::copy(file, &mut kept).while_doing("write", &aside)?;
    kept.sync_all().while_doing("sync", &aside)
}

/// Where the last line that is an event ends, and its `seq`; zeros for an empty file.
fn find_last_line(file: &mut File, path: &Path) -> Result<(u64, u64)> {
    #[derive(serde::Deserialize)]
    struct Line {
        seq: u64,
    }
    let length = file.metadata().while_doing("look at", path)?.len();
    let Some(mut end) = newline_before(file, length).while_doing("read", path)? else {
        return torn_only(file, length, path);
    };
    loop {
        let before = newline_before(file, end).while_doing("read", path)?;
        let start = before.map_or(0, |newline| newline + 1);
        file.seek(SeekFrom::Start(start)).while_doing("read", path)?;
        let line = io::BufReader::new(file.take(end - start));
        match (serde_json::from_reader::<_, Line>(line), before) {
            (Ok(line), _) => return Ok((end + 1, line.seq)),
            (Err(_), Some(newline)) => end = newline,
            (Err(_), None) => return Err(foreign(path)),
        }
    }
}

/// A file without a whole line is empty, or begins with the torn first line of ours; else it is somebody else's.
fn torn_only(file: &mut File, length: u64, path: &Path) -> Result<(u64, u64)> {
    const OURS: &[u8] = b"{\"seq\":";
    let mut start = Vec::new();
    file.seek(SeekFrom::Start(0)).while_doing("read", path)?;
    file.take(OURS.len() as u64).read_to_end(&mut start).while_doing("read", path)?;
    if OURS.starts_with(&start) && (length <= OURS.len() as u64 || start == OURS) {
        return Ok((0, 0));
    }
    Err(foreign(path))
}

fn foreign(path: &Path) -> Error {
    Error::Setup(format!("event file {}: no line of it is an event; move it aside", path.display()))
}

/// The offset of the last newline before `end`.
fn newline_before(file: &mut File, end: u64) -> io::Result<Option<u64>> {
    const BLOCK: u64 = 64 << 10;
    let mut end = end;
    let mut block = Vec::new();
    while end > 0 {
        let start = end.saturating_sub(BLOCK);
        file.seek(SeekFrom::Start(start))?;
        block.clear();
        file.take(end - start).read_to_end(&mut block)?;
        if let Some(at) = block.iter().rposition(|&byte| byte == b'\n') {
            return Ok(Some(start + at as u64));
        }
        end = start;
    }
    Ok(None)
}
