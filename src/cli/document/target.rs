//! Where `-o FILE` leads: to a file that is replaced, or to something that is only written into.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use mailshelf::escape::is_unsafe;
use mailshelf_storage::digest::Hasher;
use mailshelf_storage::durable::{Existing, NewFile, sync_folder};
use mailshelf_storage::{Digest, Error};

use super::wrong;
use crate::cli::output::printed;

/// Text of more bytes than this is not looked through for a terminal.
const LONGEST: u64 = 1 << 20;

/// Opens what is to be written, anew at each call.
pub type Source<'a> = &'a dyn Fn() -> anyhow::Result<Box<dyn Read + Send>>;

/// Writes the bytes with this digest to a file (`-`: standard output), or else to standard output. There a terminal
/// gets nothing that is not plain text, unless it was named: whoever sent it may have meant it for the terminal.
pub fn write(source: Source<'_>, digest: Digest, output: Option<&Path>) -> anyhow::Result<()> {
    match output.filter(|file| *file != Path::new("-")) {
        Some(file) => return save(source, digest, file),
        None if output.is_none() && io::stdout().is_terminal() && !is_plain(source()?)? => {
            let hint = "-o FILE saves it; -o - writes it to the terminal all the same".to_owned();
            return Err(wrong("standard output: a terminal, and this is no plain text", Some(hint)));
        }
        None => {}
    }
    copy(source, digest, &mut io::stdout().lock(), &printed)
}

fn is_plain(from: impl Read) -> anyhow::Result<bool> {
    let mut bytes = Vec::new();
    from.take(LONGEST + 1).read_to_end(&mut bytes)?;
    let fits = bytes.len() as u64 <= LONGEST;
    let Some(text) = String::from_utf8(bytes).ok().filter(|_| fits) else { return Ok(false) };
    let mut lines = text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
    Ok(lines.all(|line| line.chars().all(|c| c == '\t' || !is_unsafe(c))))
}

/// Copies bytes and makes sure that they are those of the digest. `refused` says what becomes of a fault of writing;
/// whatever it says, no more is written.
pub fn copy(
    source: Source<'_>,
    digest: Digest,
    to: &mut dyn Write,
    refused: &dyn Fn(io::Error) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut from = source()?;
    let mut hasher = Hasher::default();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = from.read(&mut buffer).with_context(|| format!("content {digest}: cannot read"))?;
        let piece = buffer.get(..read).unwrap_or_default();
        if piece.is_empty() {
            break;
        }
        hasher.update(piece);
        if let Err(error) = to.write_all(piece) {
            return refused(error);
        }
    }
    if hasher.finish() != digest {
        let why = "its bytes are not those that were filed".to_owned();
        return Err(Error::Damaged { digest, why }.into());
    }
    to.flush().or_else(refused)
}

/// A regular file takes the place of one in one step; a device or a pipe is written into.
fn save(source: Source<'_>, digest: Digest, file: &Path) -> anyhow::Result<()> {
    let refused = |error| Err(anyhow::anyhow!("file {}: cannot write: {error}", file.display()));
    match find(file)? {
        Target::Stream(mut stream) => copy(source, digest, &mut stream, &refused),
        Target::File { folder, path } => {
            let mut new = NewFile::create_with_mode(&folder, 0o644)?;
            copy(source, digest, &mut new, &refused)?;
            new.sync()?;
            new.publish(&path, Existing::Replace)?;
            Ok(sync_folder(&folder)?)
        }
    }
}

/// What a document is saved to.
enum Target {
    /// A regular file, or none yet: replaced whole, by a rename.
    File {
        /// Where it stands.
        folder: PathBuf,
        /// It.
        path: PathBuf,
    },
    /// A device, a pipe, or what another program has open: a rename would put a file in its place.
    Stream(File),
}

/// As many links one after another as Linux follows.
const LINKS: u32 = 40;

/// Follows links to what they lead to, so that a link stays one and its target is replaced.
fn find(file: &Path) -> anyhow::Result<Target> {
    let wrong = |why: &str| wrong(format!("file {}: {why}", file.display()), None);
    let mut path = file.to_owned();
    for _ in 0..LINKS {
        let folder = match path.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        let folder = folder.canonicalize().map_err(|error| match error.kind() {
            ErrorKind::NotFound => wrong("its folder is not there"),
            _ => wrong(&format!("its folder cannot be entered: {error}")),
        })?;
        let Some(name) = path.file_name() else { return Err(wrong("it is a folder")) };
        let here = folder.join(name);
        // `/dev/stdout` and its like end here: links that are no paths, but what a process has open.
        if folder.starts_with("/proc") {
            return stream(file, &here);
        }
        match fs::symlink_metadata(&here) {
            Ok(found) if found.is_symlink() => path = folder.join(fs::read_link(&here)?),
            Ok(found) if found.is_dir() => return Err(wrong("it is a folder")),
            Ok(found) if !found.is_file() => return stream(file, &here),
            Ok(_) => return Ok(Target::File { folder, path: here }),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Ok(Target::File { folder, path: here });
            }
            Err(error) => return Err(wrong(&format!("cannot look at it: {error}"))),
        }
    }
    Err(wrong("its links lead in a circle"))
}

/// At the end, where it is a file after all that a shell had opened for more than us.
fn stream(file: &Path, here: &Path) -> anyhow::Result<Target> {
    let opened = OpenOptions::new().append(true).open(here);
    let opened =
        opened.map_err(|error| wrong(format!("file {}: cannot open: {error}", file.display()), None));
    Ok(Target::Stream(opened?))
}
