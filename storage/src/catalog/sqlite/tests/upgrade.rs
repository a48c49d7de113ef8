//! A catalog of an earlier version, opened by this one.

use super::*;
use crate::model::{Attachments, Level, SenderPolicy, TrustFrom};

const EARLIER: [&str; 4] = [
    include_str!("../../../../migrations/sqlite/0001_init.sql"),
    include_str!("../../../../migrations/sqlite/0002_look_back.sql"),
    include_str!("../../../../migrations/sqlite/0003_nested_groups.sql"),
    include_str!("../../../../migrations/sqlite/0004_proof.sql"),
];

/// Opens a catalog of the schema before library settings, with these rows.
fn upgraded(dir: &Path, rows: &str) -> SqliteCatalog {
    let path = dir.join("catalog.db");
    let db = Connection::open(&path).unwrap();
    EARLIER.iter().for_each(|sql| db.execute_batch(sql).unwrap());
    let library =
        "INSERT INTO libraries (name, alias, title, save_original, sender_policy, trust_from, enabled,
                                          created_at)
                   VALUES ('l', 'a', 'All', 1, 'anyone', 'no', 0, 0);
                   PRAGMA user_version = 4; PRAGMA application_id = 0x4d534c46;";
    db.execute_batch(&format!("{library}{rows}")).unwrap();
    drop(db);
    SqliteCatalog::open(&path).unwrap()
}

#[test]
fn a_library_of_an_earlier_version_does_what_it_did() {
    let dir = tempfile::tempdir().unwrap();
    let catalog = upgraded(dir.path(), "");
    let library = catalog.read().unwrap().library(&"l".parse().unwrap()).unwrap().unwrap();
    let expected = LibrarySettings {
        title: "All".to_owned(),
        attachments: Attachments::Root,
        overwrite: false,
        save_original: true,
        save_invitations: false,
        inline_images: false,
        sender_policy: SenderPolicy::Anyone,
        trust_from: TrustFrom::No,
        enabled: false,
        quota: None,
        anonymous_quota: None,
    };
    assert_eq!(library.settings, expected);
}

#[test]
fn a_mail_of_an_earlier_version_has_no_flaws_and_a_new_one_a_list() {
    let dir = tempfile::tempdir().unwrap();
    let rows = "INSERT INTO mails (delivery, file, node, size, arrived_at, state, attempts)
                VALUES ('01J0000000000000000000000A', 'f', 'n', 1, 0, 'done', 0);";
    let catalog = upgraded(dir.path(), rows);
    let id = "01J0000000000000000000000A".parse().unwrap();
    let mut mail = catalog.read().unwrap().mail(id).unwrap().unwrap();
    assert_eq!(mail.flaws, Vec::<String>::new());
    mail.flaws = vec!["“a.pdf”: broken".to_owned()];
    let mut writer = catalog.write().unwrap();
    writer.put_mail(&mail).unwrap();
    writer.commit().unwrap();
    assert_eq!(catalog.read().unwrap().mail(id).unwrap(), Some(mail));
    let db = catalog.writer.lock().unwrap();
    let listed = "SELECT value FROM mails, json_each(flaws)";
    assert_eq!(db.query_row(listed, [], |row| row.get::<_, String>(0)).unwrap(), "“a.pdf”: broken");
    let no_list = db.execute("UPDATE mails SET flaws = '{}'", []);
    assert!(no_list.unwrap_err().to_string().contains("CHECK constraint failed"));
}

#[test]
fn documents_of_an_earlier_version_are_found_and_stay_apart() {
    let dir = tempfile::tempdir().unwrap();
    // The keys are those that the earlier version gave them.
    let rows = "INSERT INTO mails (delivery, file, node, size, arrived_at, state, attempts)
                VALUES ('01J0000000000000000000000A', 'f', 'n', 1, 0, 'done', 0);
                INSERT INTO contents VALUES (1, zeroblob(32), 1, 0);
                INSERT INTO documents VALUES
                    (1, 1, '', '', 'straße.txt', 'strasse.txt', 'strasse (2).txt', 1),
                    (2, 1, '', '', 'STRAẞE.txt', 'straße.txt', 'straße (2).txt', 1),
                    (3, 1, '', '', 'GROẞ.txt', 'groß.txt', 'groß (2).txt', 1),
                    (4, 1, '', '', 'ΐ.txt', 'ι' || char(776) || char(769) || '.txt', 'ι (2).txt', 1);
                INSERT INTO versions
                SELECT id, 1, 1, 't', 'by', 0, '01J0000000000000000000000A', 0 FROM documents;";
    let catalog = upgraded(dir.path(), rows);
    let reader = catalog.read().unwrap();
    let library = crate::LibraryId(1);
    let find = |name: &str| {
        reader.document(library, "", name, None).unwrap().map(|document| document.name).unwrap_or_default()
    };
    assert_eq!(find("STRASSE.TXT"), "straße.txt");
    assert_eq!(find("straẞe (2).txt"), "STRAẞE (2).txt");
    assert_eq!(find("groß.txt"), "GROẞ.txt");
    assert_eq!(find("ΐ.TXT"), "ΐ.txt");
    let documents = catalog.writer.lock().unwrap();
    let old = "SELECT count(*) FROM documents WHERE instr(name_key || series_key, 'ß') > 0";
    assert_eq!(documents.query_row(old, [], |row| row.get::<_, u32>(0)).unwrap(), 0);
}

/// A catalog of the earlier version whose documents are these: folder, its key, name, its key.
fn upgraded_with(dir: &Path, documents: &[(&str, &str, &str, &str)]) -> SqliteCatalog {
    let delivery = "01J0000000000000000000000A";
    let mut rows = format!(
        "INSERT INTO mails (delivery, file, node, size, arrived_at, state, attempts)
         VALUES ('{delivery}', 'f', 'n', 1, 0, 'open', 0);
         INSERT INTO contents VALUES (1, zeroblob(32), 1, 0);"
    );
    for (folder, folder_key, name, key) in documents {
        let series = key.replacen('.', " (2).", 1);
        rows += &format!(
            "INSERT INTO documents (library, folder, folder_key, name, name_key, series_key, number)
             VALUES (1, '{folder}', '{folder_key}', '{name}', '{key}', '{series}', 1);"
        );
    }
    rows += &format!("INSERT INTO versions SELECT id, 1, 1, 't', 'by', 0, '{delivery}', 0 FROM documents;");
    upgraded(dir, &rows)
}

/// Path of each document in the order they were filed; none must be found wrong.
fn paths(catalog: &SqliteCatalog) -> Vec<String> {
    let reader = catalog.read().unwrap();
    assert_eq!(reader.integrity().unwrap(), [""; 0]);
    let documents = reader.filed_as(Digest::from_bytes([0; 32]), 1000).unwrap();
    documents.into_iter().map(|document| document.path).collect()
}

/// Whoever sent them knew what names an upgrade would give.
#[test]
fn names_that_are_taken_do_not_stop_an_upgrade() {
    let dir = tempfile::tempdir().unwrap();
    let mut named = vec![("straße.pdf".to_owned(), "strasse.pdf".to_owned())];
    named.push(("STRAẞE.pdf".to_owned(), "straße.pdf".to_owned()));
    named.extend(
        (1..40).map(|id| format!("{id} STRASSE.pdf")).map(|name| (name.clone(), name.to_lowercase())),
    );
    named.extend(
        (2..40).map(|n| format!("STRASSE ({n}).pdf")).map(|name| (name.clone(), name.to_lowercase())),
    );
    let documents: Vec<_> = named.iter().map(|(name, key)| ("", "", name.as_str(), key.as_str())).collect();
    let paths = paths(&upgraded_with(dir.path(), &documents));
    assert_eq!(paths[1], "STRAẞE (40).pdf");
    let others = named.iter().map(|(name, _)| name).enumerate().filter(|(at, _)| *at != 1);
    others.for_each(|(at, name)| assert_eq!(&paths[at], name));
}

#[test]
fn names_of_an_earlier_version_stay_legal_and_their_own() {
    let dir = tempfile::tempdir().unwrap();
    let tail = "a".repeat(118);
    let (long, capital) = (format!("straße{tail}.pdf"), format!("STRAẞE{tail}.pdf"));
    assert_eq!(capital.chars().count(), crate::model::NAME_LENGTH);
    let keys = [format!("strasse{tail}.pdf"), format!("straße{tail}.pdf")];
    let paths = paths(&upgraded_with(
        dir.path(),
        &[
            ("", "", &long, &keys[0]),
            ("", "", &capital, &keys[1]),
            // The first of three is the one whose keys were right; a number that could stay, stays.
            ("", "", "STRAẞE.pdf", "straße.pdf"),
            ("", "", "STRAẞE (2).pdf", "straße (2).pdf"),
            ("", "", "straße.pdf", "strasse.pdf"),
        ],
    ));
    assert_eq!(paths[1], format!("STRAẞE{} (2).pdf", "a".repeat(114)));
    assert_eq!(paths[1].chars().count(), crate::model::NAME_LENGTH);
    assert_eq!(paths[2..], ["STRAẞE (3).pdf", "STRAẞE (2).pdf", "straße.pdf"]);
}

#[test]
fn folders_of_an_earlier_version_that_are_one_now_become_one() {
    let dir = tempfile::tempdir().unwrap();
    let catalog = upgraded_with(
        dir.path(),
        &[
            ("STRAẞE", "straße", "a.pdf", "a.pdf"),
            ("straße", "strasse", "a.pdf", "a.pdf"),
            ("STRAẞE", "straße", "b.pdf", "b.pdf"),
            ("GROẞ", "groß", "c.pdf", "c.pdf"),
        ],
    );
    let paths = paths(&catalog);
    assert_eq!(paths, ["straße/a (2).pdf", "straße/a.pdf", "straße/b.pdf", "GROẞ/c.pdf"]);
    let find =
        |folder, name| catalog.read().unwrap().document(crate::LibraryId(1), folder, name, None).unwrap();
    assert!(find("STRASSE", "A (2).pdf").is_some() && find("gross", "c.PDF").is_some());
}

/// What moves documents, removes them, or finds a size wrong, keeps the sums right, and so does the upgrade itself.
#[test]
fn sums_of_an_earlier_version_are_made_and_kept() {
    let dir = tempfile::tempdir().unwrap();
    let rows = "INSERT INTO libraries (name, alias, title, save_original, sender_policy, trust_from, enabled,
                                       created_at)
                VALUES ('m', 'b', '', 0, 'anyone', 'no', 0, 0);
                INSERT INTO mails (delivery, file, node, size, arrived_at, state, attempts)
                VALUES ('01J0000000000000000000000A', 'f', 'n', 1, 0, 'done', 0);
                INSERT INTO contents VALUES (1, zeroblob(32), 1000, 0), (2, randomblob(32), 24, 0);
                INSERT INTO documents VALUES (1, 1, '', '', 'a', 'a', 'a (2)', 1), (2, 2, '', '', 'a', 'a', 'a (2)', 1);
                INSERT INTO versions
                SELECT documents.id, contents.id, contents.id, 't', 'by', 0, '01J0000000000000000000000A', 0
                FROM documents, contents WHERE documents.id = 1 OR contents.id = 2;";
    let catalog = upgraded(dir.path(), rows);
    let used = || {
        let reader = catalog.read().unwrap();
        assert_eq!(reader.miscounts().unwrap(), []);
        let now = jiff::Timestamp::UNIX_EPOCH;
        [1, 2].map(|id| reader.usage(crate::LibraryId(id), now).unwrap().used)
    };
    assert_eq!(used(), [1024, 24]);
    let change = |sql: &str| {
        catalog.writer.lock().unwrap().execute_batch(sql).unwrap();
        used()
    };
    assert_eq!(
        change("UPDATE documents SET library = 2, name = 'b', name_key = 'b' WHERE id = 1"),
        [0, 1048]
    );
    assert_eq!(change("UPDATE documents SET library = 1 WHERE id = 2"), [24, 1024]);
    assert_eq!(change("UPDATE versions SET content = 1 WHERE document = 2"), [1000, 1024]);
    assert_eq!(change("UPDATE versions SET document = 2 WHERE document = 1 AND version = 1"), [2000, 24]);
    assert_eq!(change("UPDATE contents SET size = 10 WHERE id = 1"), [20, 24]);
    assert_eq!(change("DELETE FROM versions WHERE document = 2 AND version = 2"), [10, 24]);
    assert_eq!(change("DELETE FROM versions; DELETE FROM documents;"), [0, 0]);
}

#[test]
fn documents_and_mails_of_an_earlier_version_can_be_removed_and_shown() {
    let dir = tempfile::tempdir().unwrap();
    let delivery = "01J0000000000000000000000A";
    let rows = format!(
        "INSERT INTO mails (delivery, file, node, size, arrived_at, state, attempts)
         VALUES ('{delivery}', 'f', 'n', 1, 0, 'open', 0);
         INSERT INTO contents VALUES (1, zeroblob(32), 1, 0);
         INSERT INTO documents VALUES (1, 1, 'F', 'f', 'a.txt', 'a.txt', 'a (2).txt', 1);
         INSERT INTO versions VALUES (1, 1, 1, 't', 'by', 0, '{delivery}', 0);"
    );
    let catalog = upgraded(dir.path(), &rows);
    let library = crate::LibraryId(1);
    let mut writer = catalog.write().unwrap();
    let found = writer.document(library, "f", "A.TXT", None).unwrap().unwrap();
    assert_eq!((found.removal, found.filed_in), (None, library));
    let mail = writer.mail(found.delivery).unwrap().unwrap();
    assert_eq!(mail.fields, crate::model::MailFields::default());
    let removal = crate::RemovalId::generate();
    writer.remove_document(library, "f", "a.txt", removal).unwrap();
    assert_eq!(writer.restore_document(removal).unwrap().path(), "F/a.txt");
    assert_eq!(writer.integrity().unwrap(), [""; 0]);
    writer.commit().unwrap();
}

/// Who filed a document is told with it from now on; where that is not on record nobody is proven.
#[test]
fn documents_of_an_earlier_version_say_by_whom_they_were_filed() {
    let dir = tempfile::tempdir().unwrap();
    let delivery = |letter| format!("01J0000000000000000000000{letter}");
    let mut rows = "INSERT INTO contents VALUES (1, zeroblob(32), 1, 0);
                    INSERT INTO libraries (name, alias, title, save_original, sender_policy, trust_from, enabled,
                                           created_at)
                    VALUES ('m', 'b', '', 0, 'anyone', 'no', 0, 0);"
        .to_owned();
    // The same mail may have been filed by another in another library, and refused for a second address.
    for (id, letter, outcomes) in [
        (1, 'A', "('filed', 1, 'alice', 'from-header'), ('filed', 2, 'bob', 'domain')"),
        (2, 'B', "('rejected', 1, 'bob', 'domain'), ('filed', 1, NULL, 'spf')"),
        (3, 'C', "('filed', 2, 'bob', 'domain'), ('duplicate', 1, 'bob', 'domain')"),
    ] {
        let delivery = delivery(letter);
        rows.push_str(&format!(
            "INSERT INTO mails (delivery, file, node, size, arrived_at, state, attempts)
             VALUES ('{delivery}', 'f', 'n', 1, 0, 'done', 0);
             INSERT INTO outcomes (delivery, recipient, kind, library, identity, level, pass, recorded_at)
             SELECT '{delivery}', column1 || column2, column1, column2, column3, column4, 'p', 0
             FROM (VALUES {outcomes});
             INSERT INTO documents VALUES ({id}, 1, '', '', '{id}', '{id}', '{id} (2)', 1);
             INSERT INTO versions VALUES ({id}, 1, 1, 't', 'by', 0, '{delivery}', 0);"
        ));
    }
    let catalog = upgraded(dir.path(), &rows);
    let reader = catalog.read().unwrap();
    let by = |name| {
        let found = reader.document(crate::LibraryId(1), "", name, None).unwrap().unwrap();
        (found.identity.map(|login| login.to_string()), found.level)
    };
    assert_eq!(by("1"), (Some("alice".to_owned()), Level::FromHeader));
    assert_eq!(by("2"), (None, Level::Spf));
    assert_eq!(by("3"), (None, Level::None));
}
