//! What somebody did by hand to a sound site.

use super::*;
use crate::RemovalId;

impl Site {
    /// Does this behind the catalog's back, once the site was found sound; gives what verify says of the catalog then.
    fn told_after(&self, by_hand: &str) -> Vec<String> {
        let report = self.verify(false);
        assert!(report.is_clean(), "{report:?}");
        let behind = rusqlite::Connection::open(self.folder.join("catalog.db")).unwrap();
        let rules = "PRAGMA foreign_keys = off; PRAGMA ignore_check_constraints = on; ";
        behind.execute_batch(&format!("{rules}{by_hand}")).unwrap();
        let delivery: String =
            behind.query_row("SELECT min(delivery) FROM mails", [], |row| row.get(0)).unwrap();
        let told = self.verify(false).catalog;
        told.iter().map(|told| told.replace(&delivery, "DELIVERY")).collect()
    }
}

fn told_after(by_hand: &str) -> Vec<String> {
    let site = Site::new();
    site.file("a.txt", b"12345");
    site.told_after(by_hand)
}

#[test]
fn what_the_catalog_must_not_say_is_told() {
    let filed_in = "document 1 version 1 was filed in a library that never was, or in its own";
    for (by_hand, told) in [
        ("UPDATE documents SET name_key = 'zzz'", "document 1 (a.txt) is not found by its own name"),
        ("UPDATE documents SET folder_key = 'zzz'", "document 1 (a.txt) is not found by its own name"),
        ("UPDATE versions SET version = 7", "document 1 (a.txt) has not all of its versions"),
        ("UPDATE versions SET filed_in = 1", filed_in),
        (
            "INSERT INTO former_aliases SELECT alias, id, 0 FROM libraries",
            "alias i of library invoices is a former one, too",
        ),
        (
            "INSERT INTO kept (delivery, fate, why, at) SELECT delivery, 'purged', 'why', 0 FROM mails",
            "mail DELIVERY is said to have been kept aside, and was never rejected",
        ),
        (
            "INSERT INTO kept (delivery, fate, why, at) SELECT delivery, 'purged', 'why', 0 FROM mails; UPDATE mails SET state = 'open';
             UPDATE outcomes SET recipient = 'j'; INSERT INTO outcomes (delivery, recipient, kind, level, pass, recorded_at)
             SELECT delivery, 'k', 'rejected', 'none', pass, 0 FROM outcomes",
            "mail DELIVERY is said to have been kept aside, and is not done",
        ),
        ("DELETE FROM outcomes", "mail DELIVERY is done and has no outcome"),
        (
            "INSERT INTO purged (delivery, library, filed_in, document, path, version, size, digest, removal, why, at)
             SELECT delivery, 'invoices', 1, 1, 'f/a.txt', 1, 5, zeroblob(32), '01J0000000000000000000000A', 'why', 0
             FROM mails",
            "document 1 version 1 is said to have been purged, and stands",
        ),
    ] {
        assert_eq!(told_after(by_hand), [told], "{by_hand}");
    }
}

#[test]
fn what_cannot_be_read_is_told_and_ends_nothing() {
    for (by_hand, told) in [
        (
            "UPDATE documents SET name = '../x', name_key = '../x'",
            "table documents: the name ../x is no name of a document",
        ),
        (
            "UPDATE documents SET name = 'a' || char(10), name_key = 'a' || char(10)",
            "table documents: the name a\n is no name of a document",
        ),
        (
            "UPDATE documents SET folder = '..', folder_key = '..'",
            "table documents: the folder .. is no name of a folder",
        ),
        (
            "UPDATE documents SET removal = 'x', folder_key = '/', name_key = 'x'",
            "table documents: the removal x is no id of a removal",
        ),
        (
            "UPDATE versions SET created_at = 9223372036854775807",
            "table versions: the created_at 9223372036854775807 is no time",
        ),
        ("UPDATE libraries SET alias = 'A B'", "table libraries: the alias A B is no alias"),
        (
            "UPDATE libraries SET name = 'In voices'",
            "table libraries: the name In voices is no name of a library",
        ),
        (
            "INSERT INTO users (login) VALUES ('A B'); INSERT INTO addresses VALUES ('?', 1)",
            "table users: the login A B is no login",
        ),
        (
            "UPDATE mails SET delivery = 'x'; UPDATE versions SET delivery = 'x'; UPDATE outcomes SET delivery = 'x'",
            "table mails: the delivery DELIVERY is no id of a delivery",
        ),
    ] {
        assert_eq!(told_after(by_hand), [told], "{by_hand}");
    }
    let told = told_after("UPDATE documents SET name = CAST(x'ff' AS TEXT)");
    assert!(
        told.contains(&"table documents: the name \u{fffd} is no name of a document".to_owned()),
        "{told:?}"
    );
}

/// What refers to a content refers to it, however it is written.
#[test]
fn a_repair_spares_what_an_unreadable_row_has() {
    let site = Site::new();
    let digest = site.file("a.txt", b"12345");
    site.told_after("UPDATE documents SET removal = 'x', folder_key = '/', name_key = 'x'; UPDATE mails SET delivery = 'y'; \
                     UPDATE versions SET delivery = 'y'; UPDATE outcomes SET delivery = 'y'");
    let report = site.verify(true);
    assert!(report.orphans.is_empty() && site.path(digest).exists(), "{report:?}");
    fs::remove_file(site.path(digest)).unwrap();
    let filed_as = vec![FiledAs { removed: true, ..filed_as("f/a.txt") }];
    assert_eq!(site.verify(false).missing, [Broken { digest, why: "missing".to_owned(), filed_as }]);
}

#[test]
fn a_part_of_the_schema_that_is_not_there_is_told() {
    for (by_hand, told) in [
        ("DROP TRIGGER used_less", "trigger used_less is missing"),
        ("DROP INDEX documents_removed", "index documents_removed is missing"),
        ("DROP TABLE former_aliases", "table former_aliases is missing"),
        (
            "DROP TRIGGER used_less; CREATE TRIGGER used_less AFTER DELETE ON versions BEGIN SELECT 1; END",
            "trigger used_less is not that of this schema",
        ),
        (
            "CREATE TRIGGER more AFTER DELETE ON versions BEGIN SELECT 1; END",
            "trigger more is not of this schema",
        ),
    ] {
        let found = told_after(by_hand);
        assert!(found.iter().any(|found| found == told), "{by_hand} {found:?}");
        assert!(found.len() == 1 || by_hand.contains("TABLE"), "{found:?}");
    }
    assert!(told_after("CREATE INDEX mine ON mails (subject); ANALYZE").is_empty());
}

#[test]
fn a_filed_mail_without_documents_is_told_and_no_orphan_is_removed() {
    for by_hand in [
        "DELETE FROM versions; DELETE FROM documents",
        "DELETE FROM versions; DELETE FROM documents; DELETE FROM libraries; UPDATE outcomes SET library = NULL",
    ] {
        let site = Site::new();
        let digest = site.file("a.txt", b"12345");
        let lost =
            "mail DELIVERY was filed for i@x.org, and no document of it is there, nor on record as purged";
        assert_eq!(site.told_after(by_hand), [lost]);
        fs::write(site.folder.join("contents/tmp/left"), "x").unwrap();
        for repair in [false, true] {
            let report = site.verify(repair);
            assert_eq!(report.repaired.len(), usize::from(repair), "the leftover is nobody's");
            let orphan = &report.orphans[0];
            assert_eq!(orphan.name, digest.to_string());
            assert!(orphan.why.starts_with("not removed, for it may be what is lost: mail "), "{orphan:?}");
            assert!(site.path(digest).exists() && !report.is_clean());
        }
    }
    let site = Site::new();
    let digest = site.file("a.txt", b"12345");
    site.told_after("DELETE FROM versions; DELETE FROM documents; DELETE FROM outcomes");
    assert!(site.verify(true).repaired.is_empty() && site.path(digest).exists());
}

/// Of a mail to two libraries each is looked for by itself, wherever its document is by now.
#[test]
fn a_mail_whose_documents_were_moved_or_purged_is_not_lost() {
    let site = Site::new();
    site.file("a.txt", b"12345");
    let mut writer = site.catalog.write().unwrap();
    let settings = LibrarySettings::default();
    let [b, c] = ["b", "c"].map(|name| {
        let (name, alias) = (name.parse().unwrap(), name.parse().unwrap());
        writer.add_library(&name, &alias, &settings, Timestamp::UNIX_EPOCH).unwrap()
    });
    let mail = mail();
    writer.put_mail(&mail).unwrap();
    for library in [site.library, b] {
        let outcome = Outcome { recipient: format!("{}@x.org", library.0), ..filed(library) };
        writer.put_outcome(mail.delivery, PassId::generate(), &outcome, Timestamp::UNIX_EPOCH).unwrap();
        writer.add_document(&document(library, "b.txt", mail.delivery, b"12345")).unwrap();
    }
    let to = |library| Destination { library, folder: "f", name: "c.txt" };
    writer.move_document(b, "f", "b.txt", to(c)).unwrap();
    writer.remove_library(b).unwrap();
    writer.commit().unwrap();
    assert_eq!(site.verify(false).catalog, [""; 0], "it was moved");

    let removal = RemovalId::generate();
    let mut writer = site.catalog.write().unwrap();
    writer.remove_document(c, "f", "c.txt", removal).unwrap();
    writer.commit().unwrap();
    assert_eq!(site.verify(false).catalog, [""; 0], "it was removed");
    crate::recycle::purge(&site.catalog, &site.contents, &[removal], "why", &mut |_| ()).unwrap();
    assert_eq!(site.verify(false).catalog, [""; 0], "it was purged");

    let delivery = mail.delivery;
    let behind = rusqlite::Connection::open(site.folder.join("catalog.db")).unwrap();
    behind.execute_batch("DELETE FROM purged").unwrap();
    let told = site.verify(false).catalog;
    let lost = format!("mail {delivery} was filed for {}@x.org, and no document of it is there", b.0);
    assert!(told.len() == 1 && told[0].starts_with(&lost), "{told:?}");
}
