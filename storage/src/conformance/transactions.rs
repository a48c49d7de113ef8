//! What a reader sees, what a writer leaves, and what can be taken back.

use super::*;

pub(super) const TESTS: &[CatalogTest] = &[
    a_reader_stays_at_its_moment,
    a_writer_sees_its_own_changes,
    a_writer_that_is_dropped_leaves_no_trace,
    a_savepoint_takes_back_only_its_part,
    savepoints_nest,
    savepoints_that_never_began,
    commit_keeps_open_parts,
    writers_wait_for_one_another,
    a_method_that_fails_changes_nothing,
];

fn logins(catalog: &dyn Catalog) -> Vec<String> {
    catalog.read().unwrap().users().unwrap().into_iter().map(|user| user.login.to_string()).collect()
}

fn add(writer: &mut dyn Writer, login: &str) {
    writer.add_user(&the(login), &[]).unwrap();
}

fn a_reader_stays_at_its_moment(catalog: &dyn Catalog) {
    let reader = catalog.read().unwrap();
    write(catalog, |writer| add(writer, "a"));
    assert!(reader.users().unwrap().is_empty(), "committed after the reader began");
    assert_eq!(reader.settings_version().unwrap(), 0);
    let later = catalog.read().unwrap();
    write(catalog, |writer| add(writer, "b"));
    assert_eq!(later.users().unwrap().len(), 1);
    assert!(reader.users().unwrap().is_empty());
    drop((reader, later));
    assert_eq!(logins(catalog), ["a", "b"]);
}

fn a_writer_sees_its_own_changes(catalog: &dyn Catalog) {
    write(catalog, |writer| {
        add(writer, "a");
        assert_eq!(writer.users().unwrap().len(), 1);
        assert!(catalog.read().unwrap().users().unwrap().is_empty(), "nobody else does");
    });
}

fn a_writer_that_is_dropped_leaves_no_trace(catalog: &dyn Catalog) {
    let mut writer = catalog.write().unwrap();
    add(&mut *writer, "a");
    drop(writer);
    let mut writer = catalog.write().unwrap();
    add(&mut *writer, "b");
    writer.savepoint().unwrap();
    add(&mut *writer, "c");
    drop(writer);
    assert_eq!(logins(catalog), [""; 0]);
    assert_eq!(catalog.write().unwrap().settings_version().unwrap(), 0);
}

fn a_savepoint_takes_back_only_its_part(catalog: &dyn Catalog) {
    write(catalog, |writer| {
        add(writer, "before");
        writer.savepoint().unwrap();
        add(writer, "taken-back");
        writer.roll_back().unwrap();
        writer.savepoint().unwrap();
        add(writer, "kept");
        writer.release().unwrap();
        add(writer, "x-after");
    });
    assert_eq!(logins(catalog), ["before", "kept", "x-after"]);
    assert_eq!(catalog.read().unwrap().settings_version().unwrap(), 3);
}

fn savepoints_nest(catalog: &dyn Catalog) {
    write(catalog, |writer| {
        writer.savepoint().unwrap();
        add(writer, "outer");
        writer.savepoint().unwrap();
        add(writer, "inner-kept");
        writer.release().unwrap();
        writer.savepoint().unwrap();
        add(writer, "inner-gone");
        writer.roll_back().unwrap();
        assert_eq!(writer.users().unwrap().len(), 2);
        writer.roll_back().unwrap();
        add(writer, "last");
    });
    assert_eq!(logins(catalog), ["last"]);
}

fn savepoints_that_never_began(catalog: &dyn Catalog) {
    write(catalog, |writer| {
        assert!(matches!(writer.release(), Err(Error::Refused { .. })));
        assert!(matches!(writer.roll_back(), Err(Error::Refused { .. })));
        add(writer, "a");
    });
    assert_eq!(logins(catalog), ["a"]);
}

fn commit_keeps_open_parts(catalog: &dyn Catalog) {
    write(catalog, |writer| {
        writer.savepoint().unwrap();
        add(writer, "a");
    });
    assert_eq!(logins(catalog), ["a"]);
}

fn writers_wait_for_one_another(catalog: &dyn Catalog) {
    std::thread::scope(|scope| {
        for worker in 0..4 {
            scope.spawn(move || {
                for round in 0..5 {
                    write(catalog, |writer| {
                        let before = writer.users().unwrap().len();
                        add(writer, &format!("u{worker}-{round}"));
                        assert_eq!(writer.users().unwrap().len(), before + 1);
                    });
                }
            });
        }
    });
    assert_eq!(logins(catalog).len(), 20);
}

/// The caller may go on and commit the rest.
fn a_method_that_fails_changes_nothing(catalog: &dyn Catalog) {
    write(catalog, |writer| {
        add(writer, "a");
        writer.add_group(&the("g"), &[the("a")]).unwrap();
        let library = add_library(writer, "l");
        let mail = mail(None);
        writer.put_mail(&mail).unwrap();
        let version = writer.settings_version().unwrap();
        assert!(writer.add_group(&the("h"), &[the("a"), the("nobody")]).is_err());
        assert!(writer.set_group(&the("g"), &[the("nobody")]).is_err());
        assert!(writer.add_document(&document(library, "", "a.pdf", &mail, b"not on record")).is_err());
        assert_eq!(writer.settings_version().unwrap(), version);
    });
    let reader = catalog.read().unwrap();
    let groups = reader.groups().unwrap();
    assert_eq!(groups.len(), 1);
    assert_eq!(groups[0].members, [the::<Member>("a")]);
    assert_eq!(reader.counts().unwrap().documents, 0);
}
