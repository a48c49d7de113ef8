//! Why a drop folder cannot be used, and the way out.

use std::io;
use std::path::{Path, PathBuf};

use mailshelf_storage::Error as StorageError;
use rustix::io::Errno;

/// Why a drop folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DropError {
    /// It is missing.
    #[error("drop folder {}: there is none", .0.display())]
    Missing(PathBuf),
    /// Something else stands there.
    #[error("drop folder {}: not a folder", .0.display())]
    NotAFolder(PathBuf),
    /// We may not do there what we must.
    #[error("folder {}: no right to {what} it", path.display())]
    Rights {
        /// The folder.
        path: PathBuf,
        /// `read`, `enter`, …
        what: &'static str,
    },
    /// Its file system is mounted read-only.
    #[error("drop folder {}: its file system is read-only", .0.display())]
    ReadOnly(PathBuf),
    /// The configuration says Maildir; the folder is none.
    #[error("drop folder {}: format is maildir, but {missing}/ is missing", path.display())]
    NotAMaildir {
        /// The drop folder.
        path: PathBuf,
        /// `new`, `cur` or `tmp`.
        missing: &'static str,
    },
    /// The node's name cannot be a folder's.
    #[error("node name {0:?}: cannot be the name of a folder")]
    NodeName(String),
    /// Claims would be led elsewhere.
    #[error("claim folder {}: a symbolic link", .0.display())]
    ClaimsAreALink(PathBuf),
    /// Something else stands where claims belong.
    #[error("claim folder {}: not a folder", .0.display())]
    ClaimsAreNoFolder(PathBuf),
    /// Someone else could take claimed mail away.
    #[error("claim folder {}: belongs to user {owner}", path.display())]
    ClaimsOfAnother {
        /// The claim folder.
        path: PathBuf,
        /// Its owner's number.
        owner: u32,
    },
    /// A mail could not be claimed by rename.
    #[error("folder {}: on another file system than the drop folder, or a mount point", .0.display())]
    OtherFileSystem(PathBuf),
    /// Someone removed or replaced our claim folder under us.
    #[error("claim folder {}: was removed while a pass was under way", .0.display())]
    ClaimsGone(PathBuf),
    /// Another pass is under way, or the service is: nothing is wrong.
    #[error("drop folder {}: held by another pass, or the service, of node {node}", path.display())]
    Held {
        /// The drop folder.
        path: PathBuf,
        /// The node.
        node: String,
    },
    /// Reading or writing failed.
    #[error(transparent)]
    Io(#[from] StorageError),
}

impl DropError {
    /// The system gave no thread to read the drop with.
    pub fn thread(source: io::Error, path: &Path) -> DropError {
        DropError::io("start a thread for", path, source)
    }

    pub(super) fn io(action: &'static str, path: &Path, source: io::Error) -> DropError {
        DropError::Io(StorageError::Io { action, path: path.to_owned(), cause: source })
    }

    pub(super) fn is_not_found(&self) -> bool {
        matches!(self, DropError::Io(StorageError::Io { cause, .. }) if cause.kind() == io::ErrorKind::NotFound)
    }

    /// True where the same call may succeed later with nobody doing anything about it.
    pub fn is_temporary(&self) -> bool {
        match self {
            DropError::Held { .. } | DropError::ClaimsGone(_) => true,
            DropError::Io(error) => error.is_temporary(),
            _ => false,
        }
    }

    /// The way out, where there is one.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            DropError::Missing(path) => format!(
                "make it (mkdir {}), mount it, or set drop.path; it is never made by a pass, for it may only be not mounted",
                path.display()
            ),
            DropError::NotAFolder(_) => "set drop.path to a folder".to_owned(),
            DropError::Rights { path, .. } => {
                format!("give the user of the service the rights r, w and x on {}", path.display())
            }
            DropError::ReadOnly(_) => "mount it writable: mail is taken out of the drop".to_owned(),
            DropError::NotAMaildir { .. } => {
                "set drop.format to \"folder\" or \"auto\", or make new/, cur/ and tmp/".to_owned()
            }
            DropError::NodeName(_) => {
                "set site.node to 1 to 255 bytes without '/', and no dot in front".to_owned()
            }
            DropError::ClaimsAreALink(path) | DropError::ClaimsAreNoFolder(path) => {
                format!("look who made {}, then remove it: the next pass makes it anew", path.display())
            }
            DropError::ClaimsOfAnother { path, .. } => {
                format!("give {} and all in it to the user of the service (chown -R)", path.display())
            }
            DropError::OtherFileSystem(path) => format!(
                "mail is claimed by rename, which ends at a mount point: unmount {}, or point drop.path below it",
                path.display()
            ),
            DropError::ClaimsGone(_) => "the next pass makes it again".to_owned(),
            DropError::Held { .. } => {
                "wait for it to end; where two machines share a drop, give each its own site.node".to_owned()
            }
            DropError::Io(_) => return None,
        })
    }
}

/// True for what is wrong with the machine or the mount, whichever file was asked for.
pub(super) fn site_wide(error: &io::Error) -> bool {
    let Some(errno) = Errno::from_io_error(error) else { return error.kind() == io::ErrorKind::OutOfMemory };
    matches!(
        errno,
        Errno::MFILE
            | Errno::NFILE
            | Errno::NOMEM
            | Errno::STALE
            | Errno::ROFS
            | Errno::NOSPC
            | Errno::DQUOT
            | Errno::TIMEDOUT
            | Errno::INTR
            | Errno::NOTCONN
            | Errno::CONNABORTED
            | Errno::CONNRESET
            | Errno::HOSTDOWN
            | Errno::HOSTUNREACH
            | Errno::NETUNREACH
            | Errno::NETDOWN
            | Errno::SHUTDOWN
            | Errno::NOLCK
            | Errno::NODEV
            | Errno::NXIO
            | Errno::REMOTEIO
    )
}
