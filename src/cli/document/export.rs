//! `mailshelf document export`: the documents of a library as files.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fs::{self, File, FileTimes, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use mailshelf::config::apart;
use mailshelf::escape::Escaped;
use mailshelf::site::Site;
use mailshelf_storage::durable::{Existing, NewFile, Together, is_leftover, sweep, sync_folder};
use mailshelf_storage::{Error, IoContext, LibraryName};
use rustix::fs::OFlags;
use serde::Serialize;

use super::target::copy;
use crate::cli::{Context, DONE, FAILED, complain, library, wrong};
use plan::{Item, plan};

mod plan;

/// So many files are made durable together.
const AT_ONCE: usize = 64;

/// What became of a version.
#[derive(Serialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
enum State {
    /// It was written.
    Written,
    /// It stood there before, byte for byte.
    Present,
    /// Something else has its name, or it cannot be read.
    Failed,
}

#[derive(Serialize)]
struct Exported<'a> {
    path: &'a str,
    version: u32,
    /// Below the folder.
    file: String,
    size: u64,
    sha256: String,
    state: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

/// What is asked for.
#[derive(clap::Args)]
pub struct Export {
    /// Of which
    library: LibraryName,
    /// A new folder, or an empty one
    dir: PathBuf,
    /// The older versions, too, as NAME (version N).EXT
    #[arg(long)]
    versions: bool,
    /// DIR may hold files: those that are right stay, no other is replaced. Goes on with an export that was cut off
    #[arg(long)]
    into: bool,
}

impl Export {
    pub fn run(&self, context: &Context, site: &Site) -> anyhow::Result<u8> {
        let reader = site.catalog.read()?;
        let library = library::find(&*reader, &self.library)?;
        let items = plan(&*reader, &library, self.versions)?;
        // Copying may take hours: nobody's log waits for it.
        drop(reader);
        self.prepare(site)?;
        let mut run =
            Run { context, site, dir: &self.dir, folders: BTreeSet::new(), counts: [0; 3], bytes: 0 };
        for part in items.chunks(AT_ONCE) {
            run.export(part)?;
        }
        run.end()
    }

    /// Makes the folder, or makes sure that nothing in it is in the way.
    fn prepare(&self, site: &Site) -> anyhow::Result<()> {
        let dir = &self.dir;
        let refuse = |why: &str, hint: &str| {
            Err(wrong(format!("folder {}: {why}", dir.display()), Some(hint.to_owned())))
        };
        if let Some(overlap) = apart::beside(&site.config, "the folder", dir) {
            return Err(wrong(overlap, Some("export to a folder outside the site".to_owned())));
        }
        match fs::create_dir(dir) {
            Ok(()) => Ok(sync_folder(
                dir.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new(".")),
            )?),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                refuse("its parent is not there", "make that first")
            }
            Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error).while_doing("make", dir)?,
            Err(_) if !dir.is_dir() => refuse("it is a file", "name a new folder"),
            Err(_) => {
                if !self.into && !is_empty(dir)? {
                    let hint = "name a new one; --into adds what is missing, and replaces nothing";
                    return refuse("it is not empty", hint);
                }
                // Not before: what is refused is left as it is.
                sweep(dir)?;
                Ok(())
            }
        }
    }
}

/// Whether a folder holds nothing but what an export that was cut off has left.
fn is_empty(dir: &Path) -> anyhow::Result<bool> {
    for entry in fs::read_dir(dir).while_doing("list", dir)? {
        if !is_leftover(&entry.while_doing("list", dir)?.path()) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// An export under way.
struct Run<'a> {
    context: &'a Context,
    site: &'a Site,
    dir: &'a Path,
    /// Those that were written to.
    folders: BTreeSet<PathBuf>,
    /// Written, present, failed.
    counts: [u64; 3],
    bytes: u64,
}

/// A file that is whole and has no name yet, or what became of it before that.
enum Begun {
    Whole(NewFile, PathBuf),
    Present,
    Failed(String),
}

impl Run<'_> {
    /// Writes files and makes them durable together; a fault of the target ends it all.
    fn export(&mut self, items: &[Item]) -> anyhow::Result<()> {
        let together = Together::begin(self.dir)?;
        let mut files = Vec::new();
        let mut targets = Vec::new();
        let mut ends = Vec::new();
        for item in items {
            match self.begin(item)? {
                Begun::Whole(file, target) => {
                    files.push(file);
                    targets.push((item, target));
                }
                Begun::Present => ends.push((item, State::Present, None)),
                Begun::Failed(why) => ends.push((item, State::Failed, Some(why))),
            }
        }
        if let Some(together) = together {
            together.sync(&mut files)?;
        }
        for (file, (item, target)) in files.into_iter().zip(targets) {
            match file.publish(&target, Existing::Refuse) {
                Ok(()) => ends.push((item, State::Written, None)),
                Err(Error::Io { cause, .. }) if cause.kind() == ErrorKind::AlreadyExists => {
                    ends.push((item, State::Failed, Some("another file has its name".to_owned())));
                }
                Err(error) => return Err(error.into()),
            }
        }
        ends.into_iter().try_for_each(|(item, state, why)| self.tell(item, state, why))
    }

    /// Copies one, unless it is there already. A content that cannot be read is a fault of that document alone.
    fn begin(&mut self, item: &Item) -> anyhow::Result<Begun> {
        let folder = match self.folder(&item.folder)? {
            Ok(folder) => folder,
            Err(why) => return Ok(Begun::Failed(why)),
        };
        let target = folder.join(&item.name);
        if fs::symlink_metadata(&target).is_ok() {
            return Ok(match is_same(&target, item) {
                Ok(true) => Begun::Present,
                Ok(false) => Begun::Failed("another file has its name".to_owned()),
                Err(error) => Begun::Failed(format!("a file has its name, and cannot be read: {error}")),
            });
        }
        let mut new = NewFile::create_with_mode(&folder, 0o644)?;
        let is_full = Cell::new(false);
        let refused = |error: io::Error| {
            is_full.set(true);
            Err(anyhow::anyhow!("file {}: cannot write: {error}", target.display()))
        };
        let contents = &self.site.contents;
        let source = || Ok(contents.open(item.digest)?);
        match copy(&source, item.digest, &mut new, &refused) {
            Ok(()) => {}
            Err(error) if is_full.get() => return Err(error),
            Err(error) => return Ok(Begun::Failed(format!("{error:#}"))),
        }
        new.file().set_times(FileTimes::new().set_modified(item.created_at)).while_doing("date", &target)?;
        Ok(Begun::Whole(new, target))
    }

    /// The folder of that name, made if need be. A link in its place is not followed.
    fn folder(&mut self, name: &str) -> anyhow::Result<Result<PathBuf, String>> {
        if name.is_empty() {
            self.folders.insert(self.dir.to_owned());
            return Ok(Ok(self.dir.to_owned()));
        }
        let path = self.dir.join(name);
        match fs::create_dir(&path) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                return Err(error).while_doing("make", &path)?;
            }
            _ => {}
        }
        if !fs::symlink_metadata(&path).while_doing("look at", &path)?.is_dir() {
            return Ok(Err(format!("its folder cannot be made: something else is called {name}")));
        }
        if self.folders.insert(path.clone()) {
            self.folders.insert(self.dir.to_owned());
            sweep(&path)?;
        }
        Ok(Ok(path))
    }

    fn tell(&mut self, item: &Item, state: State, why: Option<String>) -> anyhow::Result<()> {
        let file = item.target();
        if let Some(why) = &why {
            complain(&format!("document {}, version {}: {why}", item.path, item.version), None);
        } else {
            self.bytes += item.size;
        }
        let [written, present, failed] = &mut self.counts;
        match state {
            State::Written => *written += 1,
            State::Present => *present += 1,
            State::Failed => *failed += 1,
        }
        if self.context.out.is_json() {
            let Item { path, version, size, .. } = item;
            let (version, size, sha256) = (*version, *size, item.digest.to_string());
            return self.context.out.object(&Exported { path, version, file, size, sha256, state, why });
        }
        if state != State::Written || !item.is_renamed() {
            return Ok(());
        }
        let version = if item.is_older { format!(", version {},", item.version) } else { String::new() };
        self.context.out.line(&format!("{}{version} is {} there.", Escaped(&item.path), Escaped(&file)))
    }

    /// Makes the names durable, and says how it went.
    fn end(self) -> anyhow::Result<u8> {
        self.folders.iter().try_for_each(|folder| sync_folder(folder))?;
        let [written, present, failed] = self.counts;
        if !self.context.out.is_json() {
            let dir = Escaped(&self.dir.display().to_string()).to_string();
            let there = if present > 0 { format!(", {present} there before") } else { String::new() };
            let not = if failed > 0 { format!(", {failed} could not be exported") } else { String::new() };
            let (files, bytes) = (if written == 1 { "file" } else { "files" }, self.bytes);
            self.context
                .out
                .line(&format!("{written} {files} written to {dir}{there}{not}; {bytes} bytes in all."))?;
        }
        Ok(if failed == 0 { DONE } else { FAILED })
    }
}

/// Whether a regular file has just these bytes.
fn is_same(path: &Path, item: &Item) -> io::Result<bool> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let found = fs::symlink_metadata(path)?;
    if !found.is_file() || found.len() != item.size {
        return Ok(false);
    }
    let file: File = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let mut hasher = mailshelf_storage::digest::Hasher::default();
    let mut reader = io::BufReader::with_capacity(1 << 16, file);
    loop {
        let piece = io::BufRead::fill_buf(&mut reader)?;
        if piece.is_empty() {
            return Ok(hasher.finish() == item.digest);
        }
        hasher.update(piece);
        let read = piece.len();
        io::BufRead::consume(&mut reader, read);
    }
}
