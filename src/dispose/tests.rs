use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, SystemTime};

use mailshelf_storage::catalog::sqlite::SqliteCatalog;
use tempfile::TempDir;

use super::*;
use crate::drop::{DropFolder, Found, Settings};

fn drop_with(name: &str, bytes: &[u8]) -> (TempDir, Claimed) {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join(name), bytes).unwrap();
    let settings =
        Settings { path: dir.path().to_owned(), format: None, settle: Duration::ZERO, node: "n1".to_owned() };
    let drop = DropFolder::open(&settings).unwrap();
    let Some(Found::Claimed(claimed)) = drop.scan().unwrap().next() else { panic!("no mail") };
    (dir, claimed)
}

/// A folder on another file system than the drop's; `None` where the machine has none.
fn elsewhere(claimed: &Claimed) -> Option<TempDir> {
    let device = |path: &Path| fs::metadata(path).map(|meta| meta.dev()).ok();
    let other = tempfile::tempdir_in("/dev/shm").ok();
    let other = other.filter(|other| device(other.path()) != device(&claimed.path));
    if other.is_none() {
        let _ = writeln!(std::io::stderr(), "skipped: no second file system here");
    }
    other
}

fn count(folder: &Path) -> usize {
    fs::read_dir(folder).unwrap().count()
}

#[test]
fn discarded_mail_is_gone_and_may_be_gone_already() {
    let (_dir, claimed) = drop_with("a", b"x");
    let disposer = Disposer::default();
    disposer.discard(&claimed).unwrap();
    assert!(!claimed.path.exists());
    disposer.discard(&claimed).unwrap();
}

#[test]
fn kept_mail_moves_whole_under_its_id() {
    let (dir, claimed) = drop_with("a", b"x");
    let disposer = Disposer::default();
    let kept = disposer.keep(&claimed, &dir.path().join("kept")).unwrap();
    disposer.sync().unwrap();
    assert_eq!(kept, dir.path().join("kept").join(format!("{}~a", claimed.id)));
    assert_eq!(fs::read(&kept).unwrap(), b"x");
    assert!(!claimed.path.exists());
    assert_eq!(fs::metadata(dir.path().join("kept")).unwrap().mode() & 0o777, 0o700);
}

#[test]
fn a_folder_whose_parent_is_missing_is_not_made() {
    let (dir, claimed) = drop_with("a", b"x");
    let error = Disposer::default().set_aside(&claimed, &dir.path().join("no/such")).unwrap_err();
    assert!(error.is_temporary(), "{error}");
    assert!(claimed.path.exists());
}

#[test]
fn across_file_systems_it_is_copied_with_its_time() {
    let (_dir, claimed) = drop_with("a", &vec![b'x'; 1 << 20]);
    let Some(other) = elsewhere(&claimed) else { return };
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_436_263_371);
    File::options().write(true).open(&claimed.path).unwrap().set_modified(time).unwrap();
    let disposer = Disposer::default();
    let kept = disposer.set_aside(&claimed, &other.path().join("badmail")).unwrap();
    disposer.sync().unwrap();
    assert_eq!(fs::metadata(&kept).unwrap().len(), 1 << 20);
    assert_eq!(fs::metadata(&kept).unwrap().modified().unwrap(), time);
    assert!(!claimed.path.exists());
    assert_eq!(count(&other.path().join("badmail")), 1);
}

/// The copy was made and then the process died: the next attempt only deletes.
#[test]
fn an_interrupted_copy_is_finished() {
    let (dir, claimed) = drop_with("a", b"mail");
    let mut folders = vec![dir.path().join("kept")];
    let other = elsewhere(&claimed);
    folders.extend(other.iter().map(|other| other.path().join("kept")));
    for folder in folders {
        fs::create_dir(&folder).unwrap();
        fs::write(&claimed.path, b"mail").unwrap();
        fs::write(folder.join(claimed.path.file_name().unwrap()), b"mail").unwrap();
        Disposer::default().keep(&claimed, &folder).unwrap();
        assert!(!claimed.path.exists());
        assert_eq!(count(&folder), 1);
    }
}

#[test]
fn no_other_file_is_replaced() {
    let (dir, claimed) = drop_with(&"é".repeat(127), b"mail");
    let mut folders = vec![dir.path().join("kept")];
    let other = elsewhere(&claimed);
    folders.extend(other.iter().map(|other| other.path().join("kept")));
    for folder in folders {
        fs::create_dir(&folder).unwrap();
        fs::write(&claimed.path, b"mail").unwrap();
        let taken = folder.join(claimed.path.file_name().unwrap());
        fs::write(&taken, b"else").unwrap();
        let kept = Disposer::default().keep(&claimed, &folder).unwrap();
        assert!(kept.file_name().unwrap().to_str().unwrap().ends_with("~2"));
        assert_eq!(fs::read(&taken).unwrap(), b"else");
        assert_eq!(fs::read(&kept).unwrap(), b"mail");
        assert!(!claimed.path.exists());
    }
}

#[test]
fn bytes_are_compared_to_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let (one, other) = (dir.path().join("one"), dir.path().join("other"));
    let mut bytes = vec![b'x'; (1 << 17) + 1];
    fs::write(&one, &bytes).unwrap();
    fs::write(&other, &bytes).unwrap();
    assert!(same_bytes(&one, &other).unwrap());
    *bytes.last_mut().unwrap() = b'y';
    fs::write(&other, &bytes).unwrap();
    assert!(!same_bytes(&one, &other).unwrap());
    fs::write(&other, b"").unwrap();
    assert!(!same_bytes(&one, &other).unwrap());
    fs::remove_file(&other).unwrap();
    std::os::unix::fs::symlink(&one, &other).unwrap();
    assert!(!same_bytes(&one, &other).unwrap());
}

/// As when it was made immutable: it stays, and the caller hears of it.
#[test]
fn what_cannot_be_deleted_is_reported_and_stays() {
    let (_dir, claimed) = drop_with("a", b"x");
    fs::remove_file(&claimed.path).unwrap();
    fs::create_dir(&claimed.path).unwrap();
    let error = Disposer::default().discard(&claimed).unwrap_err();
    assert!(error.is_temporary() && error.to_string().starts_with("cannot delete "), "{error}");
}

#[test]
fn mail_moved_by_a_call_whose_answer_was_lost_is_kept() {
    let (dir, claimed) = drop_with("a", b"x");
    let folder = dir.path().join("kept");
    let disposer = Disposer::default();
    let kept = disposer.keep(&claimed, &folder).unwrap();
    assert_eq!(disposer.keep(&claimed, &folder).unwrap(), kept);
    fs::remove_file(&kept).unwrap();
    assert!(disposer.keep(&claimed, &folder).is_err(), "gone, and not by us");
}

/// The one file that stands aside in `folder`.
fn the_kept(folder: &Path) -> aside::Kept {
    let mut kept: Vec<_> = aside::kept_in(folder).unwrap().map(Result::unwrap).collect();
    assert_eq!(kept.len(), 1);
    kept.remove(0)
}

#[test]
fn mail_that_is_put_back_has_its_name_and_time_again() {
    let (dir, claimed) = drop_with("a\u{1b}b.eml", b"mail");
    let other = elsewhere(&claimed);
    let mut folders = vec![dir.path().join("badmail")];
    folders.extend(other.iter().map(|other| other.path().join("badmail")));
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_436_263_371);
    for folder in folders {
        fs::write(&claimed.path, b"mail").unwrap();
        let file = File::options().write(true).open(&claimed.path).unwrap();
        file.set_permissions(Permissions::from_mode(0o640)).unwrap();
        file.set_modified(time).unwrap();
        let disposer = Disposer::default();
        disposer.set_aside(&claimed, &folder).unwrap();
        let kept = the_kept(&folder);
        assert_eq!((kept.id, kept.name.as_os_str()), (Some(claimed.id), claimed.name.as_os_str()));
        assert_eq!((kept.size, kept.since), (4, claimed.id.time()));
        let back = disposer.put_back(&kept, dir.path(), &[]).unwrap();
        disposer.sync().unwrap();
        assert_eq!(back, dir.path().join("a\u{1b}b.eml"));
        assert_eq!(fs::read(&back).unwrap(), b"mail");
        let meta = fs::metadata(&back).unwrap();
        assert_eq!((meta.mode() & 0o777, meta.modified().unwrap(), meta.nlink()), (0o640, time, 1));
        assert_eq!(aside::count_in(&folder).unwrap(), 0);
        fs::remove_file(back).unwrap();
    }
}

#[test]
fn what_is_put_back_replaces_nothing_and_is_never_hidden() {
    let (dir, claimed) = drop_with("a", b"x");
    let entrance = dir.path().join("entrance");
    let other = elsewhere(&claimed);
    let mut folders = vec![dir.path().join("badmail")];
    folders.extend(other.iter().map(|other| other.path().join("badmail")));
    let id = claimed.id.to_string();
    for folder in folders {
        fs::create_dir(&folder).unwrap();
        fs::create_dir(&entrance).unwrap();
        let put_back = |name: &str, bytes: &str| {
            fs::write(folder.join(format!("{id}~{name}")), bytes).unwrap();
            let back = Disposer::default().put_back(&the_kept(&folder), &entrance, &[]).unwrap();
            assert_eq!(fs::read_to_string(&back).unwrap(), bytes);
            back.file_name().unwrap().to_str().unwrap().to_owned()
        };
        assert_eq!(put_back("a", "one"), "a");
        // The same bytes too: whose they are nobody knows.
        assert_eq!(put_back("a", "one"), "a~2");
        std::os::unix::fs::symlink("nowhere", entrance.join("b")).unwrap();
        assert_eq!(put_back("b", "two"), "b~2");
        assert_eq!(put_back(".c", "three"), "mail.c");
        assert_eq!(put_back("", "four"), "mail");
        let long = "é".repeat(114);
        assert_eq!(put_back(&long, "five"), long);
        for nth in 3..=100 {
            fs::write(entrance.join(format!("a~{nth}")), "").unwrap();
        }
        let unique = put_back("a", "six");
        assert!(unique.strip_prefix("a~").is_some_and(|id| id.parse::<DeliveryId>().is_ok()), "{unique}");
        assert_eq!(fs::read_to_string(entrance.join("a")).unwrap(), "one");
        assert_eq!(count(&folder), 0);
        fs::remove_dir_all(&entrance).unwrap();
    }
}

#[test]
fn mail_with_a_second_name_is_put_back_with_one() {
    let (dir, claimed) = drop_with("a", b"mail");
    let folder = dir.path().join("badmail");
    let kept = Disposer::default().set_aside(&claimed, &folder).unwrap();
    fs::hard_link(&kept, dir.path().join(".backup")).unwrap();
    let back = Disposer::default().put_back(&the_kept(&folder), dir.path(), &[]).unwrap();
    assert_eq!(fs::metadata(&back).unwrap().nlink(), 1);
    assert_eq!(fs::read(dir.path().join(".backup")).unwrap(), b"mail");
    assert_eq!(count(&folder), 0);
}

#[test]
fn a_copy_belongs_to_whom_the_mail_did_or_to_us_alone() {
    if !rustix::process::geteuid().is_root() {
        let _ = writeln!(std::io::stderr(), "skipped: only root may give files away");
        return;
    }
    let (dir, claimed) = drop_with("a", b"mail");
    let Some(other) = elsewhere(&claimed) else { return };
    std::os::unix::fs::chown(&claimed.path, Some(4321), Some(1234)).unwrap();
    fs::set_permissions(&claimed.path, Permissions::from_mode(0o664)).unwrap();
    let disposer = Disposer::default();
    let kept = disposer.set_aside(&claimed, &other.path().join("badmail")).unwrap();
    let back = disposer.put_back(&the_kept(kept.parent().unwrap()), dir.path(), &[]).unwrap();
    let meta = fs::metadata(back).unwrap();
    assert_eq!((meta.uid(), meta.gid(), meta.mode() & 0o777), (4321, 1234, 0o664));
}

#[test]
fn what_stands_aside_is_told_from_what_does_not() {
    let (dir, claimed) = drop_with("a", b"mail");
    let folder = dir.path().join("badmail");
    assert_eq!(aside::kept_in(&folder).unwrap().count(), 0);
    assert_eq!(aside::count_in(&folder).unwrap(), 0);
    Disposer::default().set_aside(&claimed, &folder).unwrap();
    fs::write(folder.join(".tmp-x"), "").unwrap();
    fs::create_dir(folder.join("folder")).unwrap();
    std::os::unix::fs::symlink("nowhere", folder.join("link")).unwrap();
    fs::write(folder.join("note"), "by hand").unwrap();
    let mut kept: Vec<_> = aside::kept_in(&folder).unwrap().map(Result::unwrap).collect();
    kept.sort_by_key(|kept| kept.size);
    let told: Vec<_> = kept.iter().map(|kept| (kept.id, kept.shown_name())).collect();
    assert_eq!(told, [(Some(claimed.id), "a".to_owned()), (None, "note".to_owned())]);
    assert_eq!(aside::count_in(&folder).unwrap(), 2);
}

/// What is deleted is counted, and what cannot be holds up no other.
#[test]
fn kept_mail_that_cannot_be_deleted_hides_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let catalog = SqliteCatalog::open(&dir.path().join("catalog.db")).unwrap();
    fs::create_dir(dir.path().join("a")).unwrap();
    fs::write(dir.path().join("b"), "x").unwrap();
    let [a, b] = ["a", "b"].map(|name| aside::Kept {
        path: dir.path().join(name),
        id: None,
        name: name.into(),
        size: 1,
        since: jiff::Timestamp::UNIX_EPOCH,
        kept_at: jiff::Timestamp::UNIX_EPOCH,
    });
    let mut told = Vec::new();
    let error = kept::purge(&catalog, &[a.clone(), b.clone()], "", &mut |kept| told.push(kept.clone()));
    assert!(error.unwrap_err().to_string().contains(&a.path.display().to_string()));
    assert_eq!((told, b.path.exists()), (vec![b], false));
}
