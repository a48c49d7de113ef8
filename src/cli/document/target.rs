//! Where `-o FILE` leads: to a file that is replaced, or to something that is only written into.

use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::wrong;

/// What a document is saved to.
pub enum Target {
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
pub fn find(file: &Path) -> anyhow::Result<Target> {
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
