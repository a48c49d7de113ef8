//! What is the local folder's own. What every store must do is in `crate::conformance`.

use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;

#[test]
fn conformance() {
    let dir = tempfile::tempdir().unwrap();
    let made = std::cell::Cell::new(0);
    crate::conformance::contents(&|| {
        made.set(made.get() + 1);
        Box::new(LocalContents::open(&dir.path().join(made.get().to_string()), true).unwrap())
    });
}

fn store(dir: &Path) -> LocalContents {
    LocalContents::open(&dir.join("contents"), true).unwrap()
}

fn put(store: &LocalContents, bytes: &[u8]) -> (Digest, PathBuf) {
    let digest = Digest::of(bytes);
    store.put(&[Content { digest, bytes }]).unwrap();
    (digest, store.path(digest))
}

fn setup_error(folder: &Path, may_make: bool) -> String {
    match LocalContents::open(folder, may_make).map(drop) {
        Err(Error::Setup(why)) => why,
        other => panic!("{other:?}"),
    }
}

fn found(store: &LocalContents) -> Vec<Stored> {
    let mut found = Vec::new();
    store
        .each(&mut |stored| {
            found.push(stored);
            Ok(())
        })
        .unwrap();
    found.sort_by_key(|stored| format!("{stored:?}"));
    found
}

#[test]
fn a_content_stands_under_its_first_two_digits_and_nobody_may_write_it() {
    let dir = tempfile::tempdir().unwrap();
    let (_, path) = put(&store(dir.path()), b"abc");
    let hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(path, dir.path().join("contents/ba").join(hex));
    assert_eq!(fs::read(&path).unwrap(), b"abc");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o337, 0);
    assert_eq!(fs::read_dir(dir.path().join("contents/tmp")).unwrap().count(), 0);
}

#[test]
fn it_is_made_only_where_that_is_no_mistake() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("contents");
    let why = setup_error(&folder, false);
    assert!(why.ends_with("is gone although the catalog has contents; not mounted?"), "{why}");
    assert!(!folder.exists());
    fs::create_dir(&folder).unwrap();
    let why = setup_error(&folder, false);
    assert!(why.ends_with("holds no store although the catalog has contents; not mounted?"), "{why}");
    drop(LocalContents::open(&folder, true).unwrap());
    drop(LocalContents::open(&folder, false).unwrap());
    let why = setup_error(&dir.path().join("no/contents"), true);
    assert!(why.ends_with("cannot be made: its parent is not there"), "{why}");
    fs::write(dir.path().join("file"), "").unwrap();
    let why = setup_error(&dir.path().join("file"), true);
    assert!(why.ends_with("is not a folder"), "{why}");
}

/// What a power cut or a bad disk left is healed by storing it again.
#[test]
fn storing_again_replaces_what_is_damaged() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    let (digest, path) = put(&store, b"whole");
    fs::remove_file(&path).unwrap();
    fs::write(&path, "who").unwrap();
    assert_eq!(store.size(digest).unwrap(), Some(3));
    put(&store, b"whole");
    assert_eq!(fs::read(&path).unwrap(), b"whole");
}

#[test]
fn a_folder_taken_away_meanwhile_is_made_again() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    let (digest, path) = put(&store, b"x");
    fs::remove_dir_all(path.parent().unwrap()).unwrap();
    let batch = [Content { digest, bytes: b"x" }];
    assert!(store.put(&batch).unwrap_err().is_temporary());
    store.put(&batch).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"x");
}

#[test]
fn nothing_but_a_regular_file_is_a_content() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    let (digest, path) = put(&store, b"x");
    let secret = dir.path().join("secret");
    fs::write(&secret, "x").unwrap();
    let make: [&dyn Fn(); 3] =
        [&|| symlink(&secret, &path).unwrap(), &|| fs::create_dir(&path).unwrap(), &|| {
            let mode = rustix::fs::Mode::RWXU;
            rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        }];
    for make in make {
        let _ = fs::remove_file(&path).or_else(|_| fs::remove_dir(&path));
        make();
        for error in [store.size(digest).map(drop), store.open(digest).map(drop)] {
            match error {
                Err(Error::Damaged { why, .. }) => assert_eq!(why, "not a regular file"),
                other => panic!("{other:?}"),
            }
        }
        let name = format!("2d/{digest}");
        assert_eq!(found(&store), [Stored::Alien(name)]);
    }
}

#[test]
fn each_tells_contents_leftovers_and_aliens_apart() {
    let dir = tempfile::tempdir().unwrap();
    let (store, folder) = (store(dir.path()), dir.path().join("contents"));
    let (digest, path) = put(&store, b"abc");
    let misplaced = Digest::of(b"x").to_string();
    fs::write(folder.join("tmp/left"), "").unwrap();
    fs::write(folder.join(".tmp-top"), "").unwrap();
    fs::write(folder.join("ba/.tmp-fan"), "").unwrap();
    fs::write(folder.join("ba").join(&misplaced), "x").unwrap();
    fs::write(folder.join("README"), "").unwrap();
    fs::create_dir(folder.join("tmp/folder")).unwrap();
    fs::create_dir(folder.join("BA")).unwrap();
    fs::create_dir(folder.join("lost+found")).unwrap();
    let leftover = |name: &str| Stored::Leftover(name.to_owned());
    let alien = |name: &str| Stored::Alien(name.to_owned());
    let mut expected = vec![
        Stored::Content(digest, 3),
        leftover(".tmp-top"),
        leftover("ba/.tmp-fan"),
        leftover("tmp/left"),
        alien("BA"),
        alien("README"),
        alien(&format!("ba/{misplaced}")),
        alien("tmp/folder"),
    ];
    expected.sort_by_key(|stored| format!("{stored:?}"));
    assert_eq!(found(&store), expected);
    for name in [".tmp-top", "ba/.tmp-fan", "tmp/left", "tmp/left"] {
        store.remove(&leftover(name)).unwrap();
    }
    assert!(!found(&store).iter().any(|stored| matches!(stored, Stored::Leftover(_))));
    assert!(path.exists());
}

#[test]
fn a_write_under_way_is_no_leftover() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    let path = dir.path().join("contents/tmp/.tmp-x");
    let writer = File::create(&path).unwrap();
    writer.lock().unwrap();
    assert_eq!(found(&store), []);
    drop(writer);
    assert_eq!(found(&store), [Stored::Leftover("tmp/.tmp-x".to_owned())]);
}

#[test]
fn only_what_is_ours_is_removed() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    fs::write(dir.path().join(".tmp-outside"), "").unwrap();
    let absolute = dir.path().join(".tmp-outside").display().to_string();
    for name in ["../.tmp-outside", "tmp/../../.tmp-outside", "tmp", "tmp/..", "x", "ba/x", &absolute] {
        let refused = store.remove(&Stored::Leftover(name.to_owned()));
        assert!(matches!(refused, Err(Error::Refused { .. })), "{name}: {refused:?}");
    }
    assert!(dir.path().join(".tmp-outside").exists());
}
