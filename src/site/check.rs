//! What a site needs of the file system, looked at before anything is opened: only here is it known which key to name,
//! and that it is the set-up that is wrong and not the moment.

use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use mailshelf_storage::{Error, IoContext, Result};
use rustix::fs::{Access, AtFlags, CWD, accessat};
use rustix::io::Errno;

use crate::config::Config;

/// A path of the configuration and the key that names it.
struct Place<'a> {
    key: &'static str,
    path: &'a Path,
}

/// Whether the catalog, the contents and the event file are what they must be, and may be read and written.
pub fn check(config: &Config) -> Result<()> {
    // SQLite writes its log beside the catalog, so the folder must be writable although the catalog is there.
    Place { key: "storage.catalog", path: &config.storage.catalog }.is_file_in(&FOLDER)?;
    Place { key: "storage.contents", path: &config.storage.contents }.is_folder()?;
    Place { key: "events.file", path: &config.events }.is_file_in(&[ENTER])
}

type Right = (Access, &'static str);
const READ: Right = (Access::READ_OK, "read");
const WRITE: Right = (Access::WRITE_OK, "write to");
const ENTER: Right = (Access::EXEC_OK, "enter");
const FOLDER: [Right; 3] = [READ, WRITE, ENTER];

impl Place<'_> {
    /// A file, or room for one in a folder where we have these rights.
    fn is_file_in(&self, rights: &[Right]) -> Result<()> {
        let found = self.look(self.path)?;
        self.is_in_a_folder(if found.is_some() { rights } else { &FOLDER })?;
        match found {
            None => Ok(()),
            Some(found) if found.is_dir() => Err(self.wrong("a folder, not a file")),
            Some(_) => self.may(self.path, &[READ, WRITE]),
        }
    }

    /// A folder, or room for one.
    fn is_folder(&self) -> Result<()> {
        match self.look(self.path)? {
            None => self.is_in_a_folder(&[]),
            Some(found) if !found.is_dir() => Err(self.wrong("not a folder")),
            Some(_) => self.may(self.path, &FOLDER),
        }
    }

    fn is_in_a_folder(&self, rights: &[Right]) -> Result<()> {
        let parent = self.parent();
        match self.look(&parent)? {
            None => Err(self.wrong(&format!("its folder {} is not there", parent.display()))),
            Some(found) if !found.is_dir() => {
                Err(self.wrong(&format!("{} is not a folder", parent.display())))
            }
            Some(_) => self.may(&parent, rights),
        }
    }

    fn parent(&self) -> PathBuf {
        // The target of a link is what is opened and made.
        let path = self.path.canonicalize().unwrap_or_else(|_| self.path.to_owned());
        match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            Some(_) => PathBuf::from("."),
            None => path,
        }
    }

    /// What stands there; `None` if nothing does.
    fn look(&self, path: &Path) -> Result<Option<Metadata>> {
        match fs::metadata(path) {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => match error.kind() {
                io::ErrorKind::PermissionDenied => {
                    Err(self.wrong(&format!("no right to enter the folders above {}", path.display())))
                }
                io::ErrorKind::NotADirectory => Err(self.wrong("a file stands where a folder should")),
                _ if Errno::from_io_error(&error) == Some(Errno::LOOP) => {
                    Err(self.wrong("its links lead in a circle"))
                }
                _ => Err(error).while_doing("look at", path),
            },
        }
    }

    /// Whether this process has these rights. A file system that is read-only is no matter of rights: it may be so
    /// for a moment, after a fault of its disk.
    fn may(&self, path: &Path, rights: &[Right]) -> Result<()> {
        for (access, what) in rights {
            match accessat(CWD, path, *access, AtFlags::EACCESS) {
                Ok(()) => {}
                Err(Errno::ACCESS | Errno::PERM) => {
                    return Err(self.wrong(&format!("no right to {what} {}", path.display())));
                }
                Err(errno) => return Err(errno).while_doing(what, path),
            }
        }
        Ok(())
    }

    fn wrong(&self, why: &str) -> Error {
        Error::Setup(format!("{} {}: {why}", self.key, self.path.display()))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn told(result: Result<()>) -> String {
        let error = result.unwrap_err();
        assert!(!error.is_temporary(), "{error}");
        error.to_string().split_once(": ").unwrap().1.to_owned()
    }

    #[test]
    fn each_wrong_set_up_is_told_by_its_own_words() {
        let dir = tempfile::tempdir().unwrap();
        let base = dir.path();
        fs::write(base.join("file"), "").unwrap();
        fs::create_dir(base.join("folder")).unwrap();
        symlink("circle", base.join("circle")).unwrap();
        let place = |below: &str| base.join(below);
        let file = |below: &str| Place { key: "k", path: &place(below) }.is_file_in(&FOLDER);
        let folder = |below: &str| Place { key: "k", path: &place(below) }.is_folder();
        for sound in [file("file"), file("new"), folder("folder"), folder("new")] {
            sound.unwrap();
        }
        let missing = format!("its folder {} is not there", place("no").display());
        assert_eq!(told(file("no/file")), missing);
        assert_eq!(told(folder("no/folder")), missing);
        assert_eq!(told(file("folder")), "a folder, not a file");
        assert_eq!(told(folder("file")), "not a folder");
        assert_eq!(told(file("file/file")), "a file stands where a folder should");
        assert_eq!(told(file("circle")), "its links lead in a circle");
    }
}
