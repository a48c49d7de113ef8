//! Where a mail stands that is to be explained, and whether it is one.

use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use mailshelf_storage::DeliveryId;
use serde::Serialize;

use super::ExplainError;
use crate::config::Config;
use crate::drop::{CLAIMS, Claimed, Format, open_regular};

/// Where a mail stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// In the drop, where a pass looks for mail.
    Drop,
    /// In a claim folder.
    Claimed,
    /// Among what was rejected and kept aside.
    Kept,
    /// Among what was given up.
    Badmail,
    /// Anywhere else.
    Elsewhere,
}

/// Refuses what is no mail that we could read. A fault of reading is none of that: it is explained.
pub fn check(file: &Path) -> Result<(), ExplainError> {
    let wrong =
        |why: String, hint: Option<String>| Err(ExplainError::File { path: file.to_owned(), why, hint });
    let meta = match fs::symlink_metadata(file) {
        Ok(meta) => meta,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return wrong("there is none".to_owned(), None);
        }
        Err(error) => return wrong(format!("cannot be looked at: {error}"), None),
    };
    if meta.is_symlink() {
        let hint = "a pass follows no links; name the file that this one leads to".to_owned();
        return wrong("a symbolic link, not a mail".to_owned(), Some(hint));
    }
    if !meta.is_file() {
        let what = if meta.is_dir() { "a folder" } else { "no regular file" };
        return wrong(format!("{what}, not a mail"), Some("name the file of one mail".to_owned()));
    }
    match open_regular(file) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            wrong("no right to read it".to_owned(), Some("ask as the user of the service".to_owned()))
        }
        _ => Ok(()),
    }
}

impl Place {
    /// Where `file` stands; `format` is that of the drop.
    pub fn of(file: &Path, config: &Config, format: Format) -> Place {
        let Some(folder) = folder(file) else { return Place::Elsewhere };
        let is = |path: &Path| path.canonicalize().is_ok_and(|path| path == folder);
        let drop = &config.drop;
        let in_drop = match format {
            Format::Folder => is(&drop.path),
            Format::Maildir => is(&drop.path.join("new")) || is(&drop.path.join("cur")),
        };
        let claims = drop.path.join(CLAIMS).canonicalize();
        if in_drop {
            Place::Drop
        } else if claims.is_ok_and(|claims| folder.parent() == Some(&claims)) {
            Place::Claimed
        } else if is(&drop.kept) {
            Place::Kept
        } else if is(&drop.badmail) {
            Place::Badmail
        } else {
            Place::Elsewhere
        }
    }

    /// The mail as if it were claimed, under the name it has or had in the drop. Only where we keep mail ourselves do
    /// we put a delivery id before that.
    pub fn claimed(self, file: &Path, format: Format) -> Claimed {
        let mut claimed = Claimed::alone(file, format);
        if matches!(self, Place::Drop | Place::Elsewhere) {
            claimed.id = DeliveryId::generate();
            claimed.name = file.file_name().unwrap_or_default().to_owned();
        }
        claimed
    }

    /// Why a pass would leave the file where it is, although it stands in the drop.
    pub fn obstacle(self, file: &Path, format: Format) -> Option<String> {
        if self != Place::Drop {
            return None;
        }
        if file.file_name().map(OsStr::as_encoded_bytes).is_some_and(|name| name.starts_with(b".")) {
            return Some("its name begins with a dot, and such files are passed over".to_owned());
        }
        let links = fs::symlink_metadata(file).map_or(1, |meta| meta.nlink());
        let in_delivery = links > 1 && format == Format::Folder;
        in_delivery.then(|| format!("it has {links} links, as a delivery in progress does"))
    }
}

fn folder(file: &Path) -> Option<PathBuf> {
    let parent = file.parent()?;
    let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
    parent.canonicalize().ok()
}
