use std::os::unix::fs::{MetadataExt, PermissionsExt};

use super::*;
use crate::Error;

/// Both ways: as the file system likes it, and with a name from the start.
const WAYS: [fn(&Path) -> Result<NewFile>; 2] =
    [NewFile::create_in, |folder| NewFile::create_named(folder, MODE)];

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_published_file_has_its_bytes_and_nothing_else_is_left() {
    for create in WAYS {
        let dir = tempfile::tempdir().unwrap();
        let mut file = create(dir.path()).unwrap();
        file.write_all(b"one ").unwrap();
        file.sync().unwrap();
        file.write_all(b"two").unwrap();
        file.publish(&dir.path().join("a"), Existing::Refuse).unwrap();
        sync_folder(dir.path()).unwrap();
        assert_eq!(fs::read(dir.path().join("a")).unwrap(), b"one two");
        assert_eq!(names(dir.path()), ["a"]);
    }
}

#[test]
fn refuse_leaves_the_old_file_and_no_temporary() {
    for create in WAYS {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("a"), "old").unwrap();
        let mut file = create(dir.path()).unwrap();
        file.write_all(b"new").unwrap();
        let error = file.publish(&dir.path().join("a"), Existing::Refuse).unwrap_err();
        assert!(
            matches!(&error, Error::Io { cause, .. } if cause.kind() == io::ErrorKind::AlreadyExists),
            "{error}"
        );
        assert_eq!(fs::read(dir.path().join("a")).unwrap(), b"old");
        assert_eq!(names(dir.path()), ["a"]);
    }
}

#[test]
fn replace_is_a_new_file_in_one_step() {
    for create in WAYS {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("a");
        fs::write(&target, "old").unwrap();
        let (old, before) = (File::open(&target).unwrap(), fs::metadata(&target).unwrap().ino());
        let mut file = create(dir.path()).unwrap();
        file.write_all(b"newer").unwrap();
        file.publish(&target, Existing::Replace).unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"newer");
        assert_ne!(fs::metadata(&target).unwrap().ino(), before);
        assert_eq!(io::read_to_string(old).unwrap(), "old", "who had it open reads on what it was");
        assert_eq!(names(dir.path()), ["a"]);
    }
}

#[test]
fn a_dropped_file_leaves_nothing() {
    for create in WAYS {
        let dir = tempfile::tempdir().unwrap();
        create(dir.path()).unwrap().write_all(b"x").unwrap();
        assert_eq!(names(dir.path()), [""; 0]);
    }
}

#[test]
fn a_failed_publish_leaves_nothing() {
    for create in WAYS {
        let dir = tempfile::tempdir().unwrap();
        for existing in [Existing::Replace, Existing::Refuse] {
            let file = create(dir.path()).unwrap();
            file.publish(&dir.path().join("no/such"), existing).unwrap_err();
            let file = create(dir.path()).unwrap();
            file.publish(dir.path(), existing).unwrap_err();
        }
        assert_eq!(names(dir.path()), [""; 0]);
    }
}

#[test]
fn a_failed_sync_is_not_tried_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut file = NewFile::create_in(dir.path()).unwrap();
    file.state = State::SyncFailed;
    file.write_all(b"x").unwrap();
    assert!(file.sync().unwrap_err().to_string().ends_with("an earlier sync of it failed"));
    file.publish(&dir.path().join("a"), Existing::Replace).unwrap_err();
    assert_eq!(names(dir.path()), [""; 0]);
}

#[test]
fn only_a_temporary_that_nobody_writes_is_abandoned() {
    let dir = tempfile::tempdir().unwrap();
    let file = NewFile::create_named(dir.path(), MODE).unwrap();
    let path = file.temporary.clone().unwrap();
    assert!(!is_abandoned(&path));
    let left = dir.path().join(".tmp-left");
    fs::write(&left, "x").unwrap();
    assert!(is_abandoned(&left));
}

#[test]
fn a_sweep_removes_leftovers_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let file = NewFile::create_named(dir.path(), MODE).unwrap();
    let id = "01KAJ4R5XQ0000000000000000";
    fs::write(dir.path().join(format!(".tmp-{id}")), "x").unwrap();
    let others = ["a", ".tmp-", ".tmp-work", ".tmp-01KAJ4R5XQ", ".tmp-01kaj4r5xq0000000000000000", id];
    others.iter().for_each(|name| fs::write(dir.path().join(name), "x").unwrap());
    let folder = ".tmp-01KAJ4R5XQ0000000000000001";
    fs::create_dir(dir.path().join(folder)).unwrap();
    assert_eq!(sweep(dir.path()).unwrap(), 1);
    assert_eq!(sweep(dir.path()).unwrap(), 0);
    let under_way = file.temporary.as_deref().unwrap().file_name().unwrap().to_str().unwrap().to_owned();
    let mut left: Vec<_> = others.into_iter().chain([folder]).map(str::to_owned).chain([under_way]).collect();
    left.sort();
    assert_eq!(names(dir.path()), left);
    file.publish(&dir.path().join("b"), Existing::Refuse).unwrap();
    assert_eq!(sweep(&dir.path().join("gone")).unwrap(), 0);
}

/// A sweep may come between the making of a file and its lock.
#[test]
fn a_file_that_was_swept_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(".tmp-x");
    let file = File::create_new(&path).unwrap();
    assert!(remove_abandoned(&path).unwrap());
    assert!(is_swept(&file).unwrap());
    let file = File::create_new(&path).unwrap();
    let sweeper = File::open(&path).unwrap();
    sweeper.lock().unwrap();
    assert!(is_swept(&file).unwrap());
    drop(sweeper);
    assert!(!is_swept(&file).unwrap());
    assert!(!remove_abandoned(&path).unwrap());
}

#[test]
fn strangers_may_not_read_it() {
    for create in WAYS {
        let dir = tempfile::tempdir().unwrap();
        create(dir.path()).unwrap().publish(&dir.path().join("a"), Existing::Refuse).unwrap();
        assert_eq!(fs::metadata(dir.path().join("a")).unwrap().permissions().mode() & 0o137, 0);
    }
}

#[test]
fn a_folder_that_is_none_cannot_be_synced() {
    let dir = tempfile::tempdir().unwrap();
    sync_folder(&dir.path().join("gone")).unwrap_err();
    fs::write(dir.path().join("file"), "").unwrap();
    sync_folder(&dir.path().join("file")).unwrap_err();
}

#[test]
fn files_synced_together_are_published_without_another_sync() {
    let dir = tempfile::tempdir().unwrap();
    let Some(together) = Together::begin(dir.path()).unwrap() else { return };
    let mut files = WAYS.map(|create| create(dir.path()).unwrap());
    files.iter_mut().for_each(|file| file.write_all(b"x").unwrap());
    together.sync(&mut files).unwrap();
    for (number, file) in files.into_iter().enumerate() {
        assert!(file.state == State::Synced);
        file.publish(&dir.path().join(number.to_string()), Existing::Refuse).unwrap();
    }
    assert_eq!(names(dir.path()), ["0", "1"]);
}

#[test]
fn a_failed_sync_is_not_made_good_by_one_together() {
    let dir = tempfile::tempdir().unwrap();
    let Some(together) = Together::begin(dir.path()).unwrap() else { return };
    let mut file = NewFile::create_in(dir.path()).unwrap();
    file.state = State::SyncFailed;
    together.sync(std::slice::from_mut(&mut file)).unwrap();
    file.publish(&dir.path().join("a"), Existing::Refuse).unwrap_err();
}
