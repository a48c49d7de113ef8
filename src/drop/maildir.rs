//! A Maildir as a drop. Its protocol (written in `tmp/`, then linked or renamed into `new/`) proves a mail whole, and
//! two links are only a delivery that has not yet unlinked its name in `tmp/`.

use std::path::{Path, PathBuf};

use super::DropError;

const PARTS: [&str; 3] = ["new", "cur", "tmp"];

/// Whether the three folders of a Maildir stand at `path`.
pub(super) fn stands_at(path: &Path) -> bool {
    PARTS.iter().all(|part| path.join(part).is_dir())
}

/// The folders mail is taken from.
pub(super) fn sources(path: &Path) -> Result<Vec<PathBuf>, DropError> {
    match PARTS.iter().find(|part| !path.join(part).is_dir()) {
        Some(missing) => Err(DropError::NotAMaildir { path: path.to_owned(), missing }),
        None => Ok(vec![path.join("new"), path.join("cur")]),
    }
}
