//! Adoption: claims whose owner is dead become ours, under the same delivery ids, so that what was filed of them already
//! is not filed twice.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::Path;

use mailshelf_storage::durable::sync_folder;
use mailshelf_storage::{DeliveryId, IoContext};

use super::claim::rename_new;
use super::home::{self, Home, LOCK};
use super::slots::{self, SLOTS, Slots};
use super::{DropError, Found, shown};

/// What is told of a dead node while its lock is ours and its claim folder still there: its passes get their end. After
/// an error the folder stays, and the next one to adopt it tells again.
pub(super) type Bury<'a> = &'a mut dyn FnMut(&str) -> mailshelf_storage::Result<()>;

/// Takes over every claim folder beside ours whose lock is free. One that resists is complained of and no reason to
/// leave our own mail lying.
pub(super) fn adopt_all(home: &Home, slots: &Slots, bury: Bury<'_>) -> Result<Vec<Found>, DropError> {
    let mut complaints = Vec::new();
    let Some(claims) = home.folder().parent() else { return Ok(complaints) };
    for entry in fs::read_dir(claims).while_doing("read", claims)? {
        let entry = entry.while_doing("read", claims)?;
        let name = entry.file_name();
        let other = home.folder().file_name() != Some(&name);
        if !other || !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            continue;
        }
        if let Err(error) = adopt(&entry.path(), home, slots, bury, &mut complaints) {
            complaints.push(complaint(&name, format!("cannot be adopted: {error}")));
        }
    }
    Ok(complaints)
}

fn adopt(
    folder: &Path,
    home: &Home,
    slots: &Slots,
    bury: Bury<'_>,
    complaints: &mut Vec<Found>,
) -> Result<(), DropError> {
    let Some(lock) = home::lock_file(folder)? else { return Ok(()) };
    if !home::try_own(folder, &lock)? {
        return Ok(());
    }
    // Noted among ours before theirs go: a suspicion outlives whoever has it.
    slots.suspect(suspects_of(folder)?)?;
    let mut left = 0;
    for entry in fs::read_dir(folder).while_doing("read", folder)? {
        let entry = entry.while_doing("read", folder)?;
        let name = entry.file_name();
        if [LOCK, SLOTS].iter().any(|ours| name == *ours) {
            continue;
        }
        if let Err(error) = rename_new(&entry.path(), &home.folder().join(&name)) {
            complaints.push(complaint(&name, format!("cannot be adopted: {error}")));
            left += 1;
        }
    }
    // Ours first, then theirs: at no time may a power cut leave a claim without a name.
    sync_folder(home.folder())?;
    sync_folder(folder)?;
    if left > 0 {
        return Ok(());
    }
    bury(&folder.file_name().unwrap_or_default().to_string_lossy())?;
    remove(folder)
}

fn suspects_of(folder: &Path) -> Result<Vec<DeliveryId>, DropError> {
    let path = folder.join(SLOTS);
    if fs::symlink_metadata(&path).is_err() {
        return Ok(Vec::new());
    }
    let file = home::own_file(&path).while_doing("open", &path)?;
    Ok(slots::read(&file).while_doing("read", &path)?)
}

/// Removes what is left of a claim folder whose lock we hold. The lock file goes last but one: whoever waits for it
/// finds that it has no name any more, and makes the folder anew.
fn remove(folder: &Path) -> Result<(), DropError> {
    for name in [SLOTS, LOCK] {
        let path = folder.join(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            other => other.while_doing("remove", &path)?,
        }
    }
    match fs::remove_dir(folder) {
        // Its node is back already and has begun anew in it.
        Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => Ok(other.while_doing("remove", folder)?),
    }
}

fn complaint(name: &OsStr, why: String) -> Found {
    let file = shown(name);
    Found::Complaint { key: format!("claimed:{file}"), file, why }
}
