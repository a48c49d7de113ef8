//! Confinement: a process that files mail reaches the places of its site and nothing else, whatever a mail, or a fault of
//! ours, makes it try. By Landlock (landlock(7)); the only user of `landlock`.
//!
//! The kernel ties a rule to the folder that has a name at that moment, and never lets go of it: a folder that is made
//! anew under the same name is out of reach unless one above it is within. [`Confinement::reaches`] tells, and whoever
//! must go on begins anew, as another process.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, NetPort, PathBeneath, PathFd,
    PathFdError, RestrictionStatus, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetError, Scope,
    make_bitflags,
};
use rustix::io::Errno;

use crate::config::Config;
use reach::Right;

mod libraries;
mod reach;

pub use reach::Reach;

/// What is asked for of the file system, of kernels that know it: all that is known up to here. A newer kernel forbids
/// nothing that was not tried.
const FILES: ABI = ABI::V5;
/// The same of TCP.
const NETWORK: ABI = ABI::V4;
/// The same of what else passes between processes: signals, and Unix sockets of an abstract name.
const PROCESSES: ABI = ABI::V6;
/// So many links in a row are followed, as the kernel does.
const LINKS: usize = 40;

/// Why a process is not confined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Free {
    /// It was asked for.
    Asked,
    /// The kernel has no Landlock, or one before ABI 2, which forbids to move files from folder to folder.
    Unable,
}

/// Whether a process that files mail is to be confined, and can be.
pub fn verdict(wanted: bool) -> Result<(), Free> {
    decide(wanted, || {
        Ruleset::default()
            .set_compatibility(CompatLevel::HardRequirement)
            .handle_access(AccessFs::Refer)
            .is_ok()
    })
}

fn decide(wanted: bool, able: impl FnOnce() -> bool) -> Result<(), Free> {
    match wanted {
        false => Err(Free::Asked),
        true if able() => Ok(()),
        true => Err(Free::Unable),
    }
}

/// A process could not be confined. Nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum ConfineError {
    /// A place that is to be within reach.
    #[error("cannot look at {}: {cause}", path.display())]
    Place {
        /// Which.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// The kernel refused.
    #[error("the kernel refused: {0}")]
    Kernel(#[from] RulesetError),
}

/// What this process is confined to.
#[derive(Debug)]
pub struct Confinement(Option<Writable>);

/// The folders that are written to, with what stands below them.
#[derive(Debug, Default)]
struct Writable {
    ours: HashSet<Identity>,
    grow: HashSet<Identity>,
}

impl Writable {
    fn holds(&self, path: &Path, right: Right) -> bool {
        covers(&self.ours, path) || (right == Right::Grow && covers(&self.grow, path))
    }
}

/// What tells this program what to do, and can be written to by whoever files mail: the configuration file, or the program
/// itself; each with the folder that it stands below. Of a link, to it or to a folder above it, it is enough that the link
/// does: that may be removed, and something of its name be made.
pub fn exposed(config: &Config) -> Vec<(PathBuf, PathBuf)> {
    let folders: Vec<_> = reach::own_places(config).into_iter().map(|place| real(&place.path)).collect();
    let program = std::env::current_exe().ok();
    let whats = [Some(config.file.clone()), program].into_iter().flatten();
    let below = |what: PathBuf| {
        let stands_in: Vec<_> = what.ancestors().flat_map(reach::folders).collect();
        let folder = folders.iter().find(|folder| {
            let folder = identity(folder).into_iter().collect();
            stands_in.iter().any(|place| covers(&folder, place))
        });
        folder.map(|folder| (what, folder.clone()))
    };
    whats.filter_map(below).collect()
}

/// Device and inode.
type Identity = (u64, u64);

impl Confinement {
    /// None: everything is within reach.
    pub fn none() -> Confinement {
        Confinement(None)
    }

    /// Confines this thread, and every one that it starts from now on, and every process: for good. Call it before there
    /// is any other thread.
    pub fn enter(reach: Reach) -> Result<Confinement, ConfineError> {
        let mut rules = Ruleset::default()
            .handle_access(AccessFs::from_all(FILES))?
            .handle_access(AccessNet::from_all(NETWORK))?
            .scope(Scope::from_all(PROCESSES))?
            .create()?;
        let mut writable = Writable::default();
        for (path, right) in reach.places {
            let Some(place) = open(&path)? else { continue };
            match right {
                Right::Ours => writable.ours.extend(identity(&path)),
                Right::Grow => writable.grow.extend(identity(&path)),
                Right::Read | Right::Run | Right::Device => {}
            }
            let is_folder = path.is_dir();
            rules = rules.add_rule(PathBeneath::new(place, access(right, is_folder)))?;
        }
        if let Some(port) = reach.port {
            rules = rules.add_rule(NetPort::new(port, AccessNet::ConnectTcp))?;
        }
        let RestrictionStatus { ruleset, landlock, .. } = rules.restrict_self()?;
        tracing::info!(?ruleset, ?landlock, "confined");
        Ok(Confinement(Some(writable)))
    }

    /// Whether everything that this configuration has a pass write to is within reach, or else the first that is not.
    /// What is not there is out of reach only if it is to be made.
    pub fn reaches(&self, config: &Config) -> Result<(), PathBuf> {
        let Some(writable) = &self.0 else { return Ok(()) };
        let missed = reach::own_places(config).into_iter().find(|place| {
            let real = real(&place.path);
            match identity(&real) {
                None => place.is_made && may_make(&real) && !writable.holds(&real, place.right),
                Some(_) => !writable.holds(&real, place.right),
            }
        });
        missed.map_or(Ok(()), |place| Err(place.path))
    }
}

/// The rights, as the kernel names them.
fn access(right: Right, is_folder: bool) -> BitFlags<AccessFs> {
    let rights = match right {
        // The same everywhere: mail moves from one to the other, and must gain no right by that.
        Right::Ours => make_bitflags!(AccessFs::{
            ReadFile | WriteFile | Truncate | ReadDir | MakeReg | MakeDir | RemoveFile | RemoveDir | Refer
        }),
        Right::Grow => make_bitflags!(AccessFs::{ReadFile | WriteFile | Truncate | ReadDir | MakeReg}),
        Right::Read => make_bitflags!(AccessFs::{ReadFile | ReadDir}),
        Right::Run => make_bitflags!(AccessFs::{ReadFile | Execute}),
        Right::Device => make_bitflags!(AccessFs::{ReadFile | WriteFile}),
    };
    if is_folder { rights } else { rights & AccessFs::from_file(FILES) }
}

/// Opened for its place alone; `None` of what is not there, or may not be entered: who needs it will say so.
fn open(path: &Path) -> Result<Option<PathFd>, ConfineError> {
    const NEVER_MIND: [Errno; 4] = [Errno::NOENT, Errno::NOTDIR, Errno::ACCESS, Errno::LOOP];
    let cause = match PathFd::new(path) {
        Ok(place) => return Ok(Some(place)),
        Err(PathFdError::OpenCall { source, .. }) => source,
        Err(other) => io::Error::other(other),
    };
    match Errno::from_io_error(&cause) {
        Some(errno) if NEVER_MIND.contains(&errno) => Ok(None),
        _ => Err(ConfineError::Place { path: path.to_owned(), cause }),
    }
}

fn identity(path: &Path) -> Option<Identity> {
    fs::metadata(path).ok().map(|found| (found.dev(), found.ino()))
}

/// Whether a path is one of these or stands below one, as the kernel looks at it.
fn covers(ours: &HashSet<Identity>, real: &Path) -> bool {
    real.ancestors().filter_map(identity).any(|found| ours.contains(&found))
}

/// Whether there is a folder that it can be made in.
fn may_make(path: &Path) -> bool {
    use rustix::fs::{Access, AtFlags, CWD, accessat};
    path.parent().is_some_and(|parent| {
        parent.is_dir() && accessat(CWD, parent, Access::WRITE_OK | Access::EXEC_OK, AtFlags::EACCESS).is_ok()
    })
}

/// Where a path leads, links followed: also one at its end whose target is still to be made.
fn real(path: &Path) -> PathBuf {
    let mut path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    for _ in 0..LINKS {
        if let Ok(real) = path.canonicalize() {
            return real;
        }
        match (fs::read_link(&path), path.parent()) {
            (Ok(target), Some(parent)) => path = parent.join(target),
            _ => break,
        }
    }
    let parent = path.parent().and_then(|parent| parent.canonicalize().ok());
    match (parent, path.file_name()) {
        (Some(parent), Some(name)) => parent.join(name),
        _ => path,
    }
}

#[cfg(test)]
mod tests;
