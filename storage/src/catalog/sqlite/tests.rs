//! What is SQLite's own: opening, migrations, errors. What every catalog must do is in `crate::conformance`.

use std::sync::Barrier;

use super::*;
use crate::model::LibrarySettings;
use crate::{DeliveryId, Digest, Error};

mod upgrade;
mod workers;

fn setup_error(path: &Path) -> String {
    match SqliteCatalog::open(path).map(drop) {
        Err(Error::Setup(why)) => why,
        other => panic!("{other:?}"),
    }
}

fn add_library(catalog: &SqliteCatalog, name: &str) -> Result<()> {
    let mut writer = catalog.write()?;
    let (name, alias) = (name.parse().unwrap(), name.parse().unwrap());
    writer.add_library(&name, &alias, &LibrarySettings::default(), jiff::Timestamp::UNIX_EPOCH)?;
    writer.commit()
}

fn names(catalog: &SqliteCatalog) -> Vec<String> {
    catalog.read().unwrap().libraries().unwrap().into_iter().map(|library| library.name.to_string()).collect()
}

#[test]
fn conformance() {
    let dir = tempfile::tempdir().unwrap();
    let made = std::cell::Cell::new(0);
    crate::conformance::catalog(&|| {
        made.set(made.get() + 1);
        Box::new(SqliteCatalog::open(&dir.path().join(format!("{}.db", made.get()))).unwrap())
    });
}

#[test]
fn what_was_committed_is_there_after_opening_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("catalog.db");
    for round in 0..3 {
        let catalog = SqliteCatalog::open(&path).unwrap();
        assert_eq!(names(&catalog).len(), round);
        add_library(&catalog, &format!("l{round}")).unwrap();
    }
}

/// As many as there are migrations.
fn newest_schema() -> u32 {
    let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/sqlite")).unwrap();
    u32::try_from(files.count()).unwrap()
}

#[test]
fn a_fresh_catalog_is_of_the_newest_schema_and_safe() {
    let dir = tempfile::tempdir().unwrap();
    let catalog = SqliteCatalog::open(&dir.path().join("catalog.db")).unwrap();
    let db = catalog.writer.lock().unwrap();
    let get =
        |pragma: &str| db.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(get("user_version"), i64::from(newest_schema()));
    assert_eq!(get("application_id"), 0x4d53_4c46);
    assert_eq!(get("synchronous"), 2);
    assert_eq!(get("foreign_keys"), 1);
    assert_eq!(get("trusted_schema"), 0);
    assert_eq!(db.query_row("PRAGMA journal_mode", [], |row| row.get::<_, String>(0)).unwrap(), "wal");
    let lax = "SELECT count(*) FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND NOT strict
               AND name NOT LIKE 'sqlite_%'";
    assert_eq!(db.query_row(lax, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
}

#[test]
fn strangers_may_not_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("catalog.db");
    add_library(&SqliteCatalog::open(&path).unwrap(), "a").unwrap();
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o007, 0, "{entry:?}");
    }
}

#[test]
fn a_newer_catalog_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("catalog.db");
    drop(SqliteCatalog::open(&path).unwrap());
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 700).unwrap();
    match SqliteCatalog::open(&path).map(drop) {
        Err(Error::TooNew { found: 700, known, .. }) => assert_eq!(known, newest_schema()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_foreign_database_is_refused_and_left_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("foreign.db");
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE t (a); INSERT INTO t VALUES (1)").unwrap();
    let before = std::fs::read(&path).unwrap();
    let why = setup_error(&path);
    assert!(why.ends_with("an SQLite database, but not a catalog of mailshelf"), "{why}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn what_is_no_database_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("garbage.db");
    std::fs::write(&path, "not a database, but long enough to have a header ".repeat(100)).unwrap();
    let why = setup_error(&path);
    assert!(why.ends_with("not an SQLite database"), "{why}");
    let why = setup_error(&dir.path().join("no/such/folder.db"));
    assert!(why.ends_with("its folder is not there"), "{why}");
    assert!(SqliteCatalog::open(dir.path()).map(drop).unwrap_err().is_temporary());
}

#[test]
fn many_that_open_a_new_catalog_at_once_all_succeed() {
    for _ in 0..20 {
        let dir = tempfile::tempdir().unwrap();
        let (path, barrier) = (dir.path().join("catalog.db"), Barrier::new(8));
        std::thread::scope(|scope| {
            for worker in 0..8 {
                let (path, barrier) = (&path, &barrier);
                scope.spawn(move || {
                    barrier.wait();
                    let catalog = SqliteCatalog::open(path).unwrap();
                    add_library(&catalog, &format!("l{worker}")).unwrap();
                });
            }
        });
        let catalog = SqliteCatalog::open(&path).unwrap();
        assert_eq!(names(&catalog).len(), 8);
        assert_eq!(catalog.read().unwrap().settings_version().unwrap(), 8);
    }
}

#[test]
fn two_processes_open_a_new_catalog_at_once() {
    const PATH: &str = "MAILSHELF_TEST_CATALOG";
    if let Some(path) = std::env::var_os(PATH) {
        let catalog = SqliteCatalog::open(Path::new(&path)).unwrap();
        let mine = format!("p{}", std::process::id());
        return add_library(&catalog, &mine).unwrap();
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("catalog.db");
    let start = |_| {
        std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "catalog::sqlite::tests::two_processes_open_a_new_catalog_at_once"])
            .env(PATH, &path)
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap()
    };
    for mut child in (0..4).map(start).collect::<Vec<_>>() {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(names(&SqliteCatalog::open(&path).unwrap()).len(), 4);
}

#[test]
fn a_writer_that_panics_leaves_no_trace_and_does_not_stand_in_the_way() {
    let dir = tempfile::tempdir().unwrap();
    let catalog = SqliteCatalog::open(&dir.path().join("catalog.db")).unwrap();
    let panicked = std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut writer = catalog.write().unwrap();
            let (name, alias) = ("x".parse().unwrap(), "x".parse().unwrap());
            writer
                .add_library(&name, &alias, &LibrarySettings::default(), jiff::Timestamp::UNIX_EPOCH)
                .unwrap();
            let _reader = catalog.read().unwrap();
            panic!("as the test wants");
        });
        writer.join().is_err()
    });
    assert!(panicked && catalog.writer.is_poisoned());
    add_library(&catalog, "a").unwrap();
    assert_eq!(names(&catalog), ["a"]);
}

#[test]
fn more_readers_than_connections_are_kept_all_read() {
    let dir = tempfile::tempdir().unwrap();
    let catalog = SqliteCatalog::open(&dir.path().join("catalog.db")).unwrap();
    let readers: Vec<_> = (0..3 * READERS).map(|_| catalog.read().unwrap()).collect();
    add_library(&catalog, "a").unwrap();
    assert!(readers.iter().all(|reader| reader.libraries().unwrap().is_empty()));
    drop(readers);
    assert_eq!(names(&catalog), ["a"]);
}

/// After some errors SQLite ends the transaction by itself; what follows must not become durable on its own.
#[test]
fn nothing_is_written_outside_a_transaction() {
    let dir = tempfile::tempdir().unwrap();
    let catalog = SqliteCatalog::open(&dir.path().join("catalog.db")).unwrap();
    let held = Held::Shared(catalog.writer.lock().unwrap());
    held.begin("BEGIN IMMEDIATE").unwrap();
    let mut session = Session::new(held, "c");
    session.add_user(&"a".parse().unwrap(), &[]).unwrap();
    session.end_for_test();
    let user = "b".parse().unwrap();
    let error = session.add_user(&user, &[]).unwrap_err();
    assert!(matches!(error, Error::Catalog { .. }) && error.is_temporary(), "{error}");
    assert!(session.savepoint().unwrap_err().is_temporary());
    assert!(Box::new(session).commit().unwrap_err().is_temporary());
    assert!(catalog.read().unwrap().users().unwrap().is_empty());
}

#[test]
fn a_full_disk_is_the_sites_fault_and_a_broken_rule_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let catalog = SqliteCatalog::open(&dir.path().join("catalog.db")).unwrap();
    let pages: i64 = {
        let db = catalog.writer.lock().unwrap();
        let pages = db.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
        db.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(())).unwrap();
        pages
    };
    assert!(pages > 0);
    let mut writer = catalog.write().unwrap();
    let key = "x".repeat(1 << 20);
    let error = writer.add_notice("n", &key, jiff::Timestamp::UNIX_EPOCH).unwrap_err();
    assert!(matches!(error, Error::Catalog { .. }), "{error}");
    drop(writer);
    let mut writer = catalog.write().unwrap();
    let error =
        writer.grant(crate::LibraryId(1), &crate::model::Principal::Everyone, crate::model::Role::Owner);
    assert!(matches!(error, Err(Error::NotFound { what: "library", .. })), "{error:?}");
    assert!(!writer.add_content(crate::Digest::of(b""), u64::MAX).unwrap_err().is_temporary());
}

/// Who only reads needs room, too: for the index of the log.
#[test]
fn a_disk_that_is_full_for_readers_is_called_full() {
    let failure = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_IOERR_SHMSIZE);
    let error =
        told("c", "set it up", rusqlite::Error::SqliteFailure(failure, Some("disk I/O error".to_owned())));
    assert!(error.is_temporary() && error.to_string().contains("the disk is full"), "{error}");
}

/// Name and bytes of each file in a folder, but for the index of the log: it is no record, and made anew from the log.
fn held(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let mut held: Vec<_> = entries
        .map(|entry| (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap()))
        .map(|(name, bytes)| if name.ends_with("-shm") { (name, Vec::new()) } else { (name, bytes) })
        .collect();
    held.sort();
    held
}

#[test]
fn who_looks_leaves_nothing_behind_and_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("catalog.db");
    add_library(&SqliteCatalog::open(&path).unwrap(), "a").unwrap();
    let before = held(dir.path());
    assert_eq!(before.len(), 1);
    let catalog = SqliteCatalog::look(&path).unwrap();
    assert_eq!(names(&catalog), ["a"]);
    assert!(add_library(&catalog, "b").is_err());
    assert_eq!(names(&catalog), ["a"]);
    drop(catalog);
    assert_eq!(held(dir.path()), before);
}

/// As a worker that was killed leaves it: what was committed stands in the log alone.
#[test]
fn who_looks_sees_what_is_in_the_log_and_leaves_it_there() {
    let (dir, killed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let path = dir.path().join("catalog.db");
    let catalog = SqliteCatalog::open(&path).unwrap();
    add_library(&catalog, "a").unwrap();
    for name in ["catalog.db", "catalog.db-wal", "catalog.db-shm"] {
        std::fs::copy(dir.path().join(name), killed.path().join(name)).unwrap();
    }
    let before = held(killed.path());
    let catalog = SqliteCatalog::look(&killed.path().join("catalog.db")).unwrap();
    assert_eq!(names(&catalog), ["a"]);
    drop(catalog);
    assert_eq!(held(killed.path()), before);
}

#[test]
fn who_looks_makes_no_catalog_and_brings_none_up_to_date() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("catalog.db");
    let refused = || match SqliteCatalog::look(&path).map(drop) {
        Err(Error::Setup(why)) => why,
        other => panic!("{other:?}"),
    };
    assert!(refused().contains("there is none yet"), "{}", refused());
    assert!(held(dir.path()).is_empty());
    std::fs::write(&path, "").unwrap();
    assert!(refused().contains("it is empty"), "{}", refused());
    assert_eq!(held(dir.path()), [("catalog.db".to_owned(), Vec::new())]);
    drop(SqliteCatalog::open(&path).unwrap());
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 0).unwrap();
    let before = held(dir.path());
    assert!(refused().contains("is older"), "{}", refused());
    assert_eq!(held(dir.path()), before);
}

/// Such rows may be older than the form, or than the Unicode that it is of. They must stand in nobody's way.
#[test]
fn an_address_that_is_not_canonical_is_passed_over_and_told_of() {
    let dir = tempfile::tempdir().unwrap();
    let catalog = SqliteCatalog::open(&dir.path().join("catalog.db")).unwrap();
    let mut writer = catalog.write().unwrap();
    let alice = writer.add_user(&"alice".parse().unwrap(), &["a@x.org".parse().unwrap()]).unwrap();
    writer.commit().unwrap();
    catalog
        .writer
        .lock()
        .unwrap()
        .execute_batch("INSERT INTO addresses VALUES ('A@Bücher.example', 1), ('?', 1)")
        .unwrap();
    let reader = catalog.read().unwrap();
    let addresses = ["a@x.org".parse().unwrap()];
    assert_eq!(reader.users().unwrap()[0].addresses, addresses);
    assert_eq!(reader.users_by_address(&addresses[0]).unwrap()[0].addresses, addresses);
    assert_eq!(reader.users_by_address(&"a@bücher.example".parse().unwrap()).unwrap(), []);
    let unused = |address: &str, why: &str| crate::model::UnusedAddress {
        login: "alice".parse().unwrap(),
        address: address.to_owned(),
        why: why.to_owned(),
    };
    let unused = [
        unused("?", "an address is LOCAL-PART@DOMAIN, at most 254 bytes"),
        unused("A@Bücher.example", "its canonical form is a@xn--bcher-kva.example"),
    ];
    assert_eq!(reader.unused_addresses().unwrap(), unused);
    assert_eq!(reader.integrity().unwrap(), unused.map(|one| one.to_string()));
    assert_eq!(
        reader.integrity().unwrap()[0],
        "address ? of user alice: nobody is found by it: an address is LOCAL-PART@DOMAIN, at most 254 bytes; \
         `mailshelf user set alice --address ADDRESS` puts others in place of all the user has"
    );
    drop(reader);
    let mut writer = catalog.write().unwrap();
    writer.set_user(alice, &["a@bücher.example".parse().unwrap()]).unwrap();
    writer.commit().unwrap();
    let reader = catalog.read().unwrap();
    assert_eq!(reader.users_by_address(&"A@xn--BCHER-kva.example".parse().unwrap()).unwrap().len(), 1);
    assert_eq!(reader.integrity().unwrap(), [""; 0]);
}

/// Nobody of ours makes one; who wrote it by hand must not hang a pass.
#[test]
fn a_circle_of_groups_comes_to_an_end_and_is_told_of() {
    let dir = tempfile::tempdir().unwrap();
    let catalog = SqliteCatalog::open(&dir.path().join("catalog.db")).unwrap();
    add_library(&catalog, "l").unwrap();
    let mut writer = catalog.write().unwrap();
    let alice = writer.add_user(&"alice".parse().unwrap(), &[]).unwrap();
    writer.add_group(&"a".parse().unwrap(), &["alice".parse().unwrap()]).unwrap();
    writer.add_group(&"b".parse().unwrap(), &["group:a".parse().unwrap()]).unwrap();
    let role = crate::model::Role::Reader;
    writer.grant(crate::LibraryId(1), &"group:b".parse().unwrap(), role).unwrap();
    writer.commit().unwrap();
    catalog.writer.lock().unwrap().execute_batch("INSERT INTO nested VALUES (1, 2)").unwrap();
    let reader = catalog.read().unwrap();
    assert_eq!(reader.role(crate::LibraryId(1), alice).unwrap(), Some(role));
    assert_eq!(reader.ways(crate::LibraryId(1), alice, 9).unwrap().len(), 1);
    assert_eq!(
        reader.integrity().unwrap(),
        ["group a is a member of itself", "group b is a member of itself"]
    );
}

/// Two processes have a lock in the file between them, and none in memory.
#[test]
fn two_catalogs_of_one_file_make_no_circle() {
    let dir = tempfile::tempdir().unwrap();
    let open = || SqliteCatalog::open(&dir.path().join("catalog.db")).unwrap();
    let (one, other, barrier) = (open(), open(), Barrier::new(2));
    let mut writer = one.write().unwrap();
    for name in ["a", "b"] {
        writer.add_group(&name.parse().unwrap(), &[]).unwrap();
    }
    writer.commit().unwrap();
    let change = |catalog: &SqliteCatalog, group: &str, member: &str| {
        barrier.wait();
        let mut writer = catalog.write().unwrap();
        writer.set_group(&group.parse().unwrap(), &[member.parse().unwrap()])?;
        writer.commit()
    };
    let (a, b) = std::thread::scope(|scope| {
        let second = scope.spawn(|| change(&other, "b", "group:a"));
        (change(&one, "a", "group:b"), second.join().unwrap())
    });
    assert!(
        matches!((&a, &b), (Ok(()), Err(Error::Cycle { .. })) | (Err(Error::Cycle { .. }), Ok(()))),
        "{a:?} {b:?}"
    );
}

#[test]
fn a_catalog_of_the_first_schema_keeps_its_groups() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("catalog.db");
    let db = Connection::open(&path).unwrap();
    db.execute_batch(include_str!("../../../migrations/sqlite/0001_init.sql")).unwrap();
    db.execute_batch(
        "INSERT INTO users (login) VALUES ('alice'); INSERT INTO groups (name) VALUES ('g');
         INSERT INTO members VALUES (1, 1); PRAGMA user_version = 1; PRAGMA application_id = 0x4d534c46",
    )
    .unwrap();
    drop(db);
    let catalog = SqliteCatalog::open(&path).unwrap();
    let mut writer = catalog.write().unwrap();
    writer.add_group(&"outer".parse().unwrap(), &["group:g".parse().unwrap()]).unwrap();
    writer.commit().unwrap();
    let groups = catalog.read().unwrap().groups().unwrap();
    assert_eq!(groups[0].members, ["alice".parse().unwrap()]);
    assert_eq!(groups[1].members, ["group:g".parse().unwrap()]);
}

#[test]
fn a_catalog_that_knew_no_sniffed_types_keeps_its_documents() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("catalog.db");
    let db = Connection::open(&path).unwrap();
    for old in [
        include_str!("../../../migrations/sqlite/0001_init.sql"),
        include_str!("../../../migrations/sqlite/0002_look_back.sql"),
        include_str!("../../../migrations/sqlite/0003_nested_groups.sql"),
        include_str!("../../../migrations/sqlite/0004_proof.sql"),
    ] {
        db.execute_batch(old).unwrap();
    }
    let delivery = crate::DeliveryId::generate();
    let text = "INSERT INTO libraries VALUES (1, 'l', 'l', '', 0, 'anyone', 'no', 1, 0);
         INSERT INTO mails (delivery, file, node, size, arrived_at, state, attempts)
             VALUES ('ID', 'a.eml', 'n1', 1, 0, 'done', 0);
         INSERT INTO outcomes (delivery, recipient, kind, reason, library, level, pass, recorded_at)
             VALUES ('ID', 'l@x.org', 'rejected', 'no-permission', 1, 'none', 'ID', 0);
         INSERT INTO contents VALUES (1, zeroblob(32), 1, 0);
         INSERT INTO documents VALUES (1, 1, '', '', 'a.pdf', 'a.pdf', 'a (2).pdf', 1);
         INSERT INTO versions VALUES (1, 1, 1, 'application/pdf', 'alice', 0, 'ID', 0);
         PRAGMA user_version = 4; PRAGMA application_id = 0x4d534c46";
    db.execute_batch(&text.replace("ID", &delivery.to_string())).unwrap();
    drop(db);
    let catalog = SqliteCatalog::open(&path).unwrap();
    let reader = catalog.read().unwrap();
    let outcomes = reader.outcomes(delivery).unwrap();
    assert_eq!((outcomes[0].reason.as_deref(), &outcomes[0].because), (Some("no-permission"), &None));
    let documents = reader.documents_of(delivery).unwrap();
    assert_eq!((documents[0].media_type.as_str(), &documents[0].sniffed_type), ("application/pdf", &None));
    assert_eq!(reader.kept_end(delivery).unwrap(), None);
}

/// What an earlier version filed is found by its bytes as before, and what is filed from now on by its likeness too.
#[test]
fn a_catalog_without_likeness_keeps_what_was_filed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("catalog.db");
    let db = Connection::open(&path).unwrap();
    for sql in [
        include_str!("../../../migrations/sqlite/0001_init.sql"),
        include_str!("../../../migrations/sqlite/0002_look_back.sql"),
        include_str!("../../../migrations/sqlite/0003_nested_groups.sql"),
        include_str!("../../../migrations/sqlite/0004_proof.sql"),
    ] {
        db.execute_batch(sql).unwrap();
    }
    let delivery = DeliveryId::generate();
    db.execute_batch(&format!(
        "INSERT INTO libraries VALUES (1, 'l', 'l', '', 0, 'anyone', 'inherit', 1, 0);
         INSERT INTO mails VALUES ('{delivery}', 'a.eml', 'n', zeroblob(32), 1, NULL, NULL, NULL, NULL, 0, 'done', 0, NULL);
         INSERT INTO outcomes VALUES (1, '{delivery}', 'l@x.org', 'filed', NULL, 1, NULL, 'none', 'p', 0, zeroblob(32), NULL);
         INSERT INTO contents VALUES (1, zeroblob(32), 1, 0);
         INSERT INTO documents VALUES (1, 1, '', '', 'a', 'a', 'a', 1);
         INSERT INTO versions VALUES (1, 1, 1, 'text/plain', 'x', 0, '{delivery}', 0);
         PRAGMA user_version = 4; PRAGMA application_id = 0x4d534c46"
    ))
    .unwrap();
    drop(db);
    let catalog = SqliteCatalog::open(&path).unwrap();
    let (library, digest) = (crate::LibraryId(1), Digest::from_bytes([0; 32]));
    let found = |digest, likeness| catalog.read().unwrap().filed_before(library, digest, likeness).unwrap();
    let like = Some(Digest::of(b"like it"));
    let before = found(digest, like);
    assert_eq!((before.len(), before[0].delivery, before[0].exact), (1, delivery, true));
    assert_eq!(before[0].outcome.likeness, None);
    assert_eq!(found(Digest::of(b"x"), like), []);
}
