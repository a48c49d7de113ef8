//! Documents that are removed, restored, moved and purged.

use super::*;
use crate::model::{Destination, Document, Purged, Wanted};
use crate::{Reader, RemovalId};

pub(super) const TESTS: &[CatalogTest] = &[
    a_removed_document_stands_nowhere_and_comes_back,
    a_name_taken_meanwhile_gives_the_next_number,
    what_comes_back_gets_no_others_name,
    what_is_removed_stands_in_nobodys_way,
    what_is_removed_does_not_stand_for_its_mail,
    a_library_goes_only_with_an_empty_bin,
    a_document_is_moved_with_all_its_versions,
    a_place_that_is_taken_is_not_moved_to,
    what_was_moved_stands_for_its_mail_where_that_was_filed,
    what_is_purged_leaves_its_contents_and_what_is_told,
    removals_come_in_order,
    what_cannot_be_done_changes_nothing,
];

fn paths(reader: &dyn Reader, library: LibraryId) -> Vec<String> {
    let mut paths = Vec::new();
    let visit = &mut |document: Document| {
        paths.push(format!("{} {}", document.path(), document.version));
        Ok(())
    };
    reader.each_document(library, visit).unwrap();
    paths
}

fn removed(reader: &dyn Reader, library: LibraryId) -> Vec<(String, u32)> {
    let mut found = Vec::new();
    let visit = &mut |document: Document| {
        assert!(document.removal.is_some());
        found.push((document.path(), document.version));
        Ok(())
    };
    reader.each_removed(library, visit).unwrap();
    found
}

fn remove(writer: &mut dyn Writer, library: LibraryId, folder: &str, name: &str) -> RemovalId {
    let removal = RemovalId::generate();
    let document = writer.remove_document(library, folder, name, removal).unwrap();
    assert_eq!(document.removal, Some(removal));
    removal
}

/// Adds bytes of its own as a document, or a version of one; gives the mail it came with.
fn add(
    writer: &mut dyn Writer,
    library: LibraryId,
    folder: &str,
    name: &str,
    clash: Clash,
) -> (Mail, String) {
    let mail = mail(None);
    let bytes = mail.delivery.to_string();
    writer.put_mail(&mail).unwrap();
    writer.add_content(Digest::of(bytes.as_bytes()), bytes.len() as u64).unwrap();
    let new = NewDocument { clash, ..document(library, folder, name, &mail, bytes.as_bytes()) };
    let path = writer.add_document(&new).unwrap().path();
    (mail, path)
}

const OVER: Clash = Clash::Version(1);

fn a_removed_document_stands_nowhere_and_comes_back(catalog: &dyn Catalog) {
    let library = write(catalog, |writer| add_library(writer, "l"));
    let (first, second) = write(catalog, |writer| {
        let first = add(writer, library, "März", "Scan.PDF", OVER).0;
        (first, add(writer, library, "März", "Scan.PDF", OVER).0)
    });
    let before = catalog.read().unwrap().versions(library, "März", "Scan.PDF").unwrap();
    let removal = write(catalog, |writer| remove(writer, library, "MÄRZ", "scan.pdf"));
    let reader = catalog.read().unwrap();
    assert_eq!(reader.document(library, "März", "Scan.PDF", None).unwrap(), None);
    assert_eq!(reader.document(library, "März", "Scan.PDF", Some(1)).unwrap(), None);
    assert_eq!(reader.versions(library, "März", "Scan.PDF").unwrap(), []);
    assert_eq!(paths(&*reader, library), [""; 0]);
    assert_eq!(removed(&*reader, library), [("März/Scan.PDF".to_owned(), 2)]);
    let counts = reader.counts().unwrap();
    assert_eq!((counts.documents, counts.removed, counts.contents), (0, 1, 2));
    assert_eq!(reader.integrity().unwrap(), [""; 0]);
    for (mail, version) in [(&first, 1), (&second, 2)] {
        let found = &reader.documents_of(mail.delivery).unwrap()[0];
        assert_eq!((found.removal, found.version), (Some(removal), version), "its mail still tells of it");
        let digest = found.digest;
        assert!(reader.filed_as(digest, 9).unwrap()[0].removed, "and has its content");
    }
    drop(reader);
    write(catalog, |writer| {
        let content = before[0].digest;
        assert!(!writer.doom_content(content).unwrap(), "what is in the bin has contents");
        let place = writer.restore_document(removal).unwrap();
        assert_eq!((place.path().as_str(), place.version), ("März/Scan.PDF", 2));
    });
    let reader = catalog.read().unwrap();
    assert_eq!(reader.versions(library, "März", "Scan.PDF").unwrap(), before, "all as it was");
    assert_eq!(removed(&*reader, library), []);
    assert_eq!(reader.integrity().unwrap(), [""; 0]);
}

fn a_name_taken_meanwhile_gives_the_next_number(catalog: &dyn Catalog) {
    write(catalog, |writer| {
        let library = add_library(writer, "l");
        let mut removals = Vec::new();
        for _ in 0..3 {
            assert_eq!(add(writer, library, "Folder", "a.pdf", Clash::Number).1, "Folder/a.pdf");
            removals.push(remove(writer, library, "folder", "A.PDF"));
        }
        add(writer, library, "FOLDER", "A.pdf", Clash::Number);
        let restore = |writer: &mut dyn Writer, removal| writer.restore_document(removal).unwrap().path();
        assert_eq!(restore(writer, removals[2]), "FOLDER/a (2).pdf", "spelt as the folder is now");
        assert_eq!(restore(writer, removals[0]), "FOLDER/a (3).pdf");
        // The second of a series goes on in its series.
        let second = remove(writer, library, "folder", "a (2).pdf");
        add(writer, library, "folder", "a (2).pdf", Clash::Number);
        assert_eq!(restore(writer, second), "FOLDER/a (4).pdf");
        let foretold =
            writer.names_for(library, &[Wanted { folder: "folder", name: "a.pdf", clash: Clash::Number }]);
        assert_eq!(foretold.unwrap()[0].name, "a (5).pdf", "the series counts it");
        assert_eq!(restore(writer, removals[1]), "FOLDER/a (5).pdf");
        let again = writer.restore_document(removals[1]);
        assert!(matches!(again, Err(Error::NotFound { .. })), "{again:?}");
    });
}

/// A name that another document of the bin had stays that one's: what is filed by it next must be no version of this.
fn what_comes_back_gets_no_others_name(catalog: &dyn Catalog) {
    write(catalog, |writer| {
        let library = add_library(writer, "l");
        for path in ["a.pdf", "a (2).pdf", "a (3).pdf"] {
            assert_eq!(add(writer, library, "", "a.pdf", Clash::Number).1, path);
        }
        let removals = ["a (3).pdf", "a (2).pdf", "a.pdf"].map(|name| remove(writer, library, "", name));
        for name in ["a (2).pdf", "a (3).pdf"] {
            assert_eq!(add(writer, library, "", name, Clash::Number).1, name);
        }
        let back = removals.map(|removal| writer.restore_document(removal).unwrap().path());
        assert_eq!(back, ["a (4).pdf", "a (5).pdf", "a.pdf"]);
    });
}

fn what_is_removed_stands_in_nobodys_way(catalog: &dyn Catalog) {
    let library = write(catalog, |writer| {
        let library = add_library(writer, "l");
        add(writer, library, "März", "a.pdf", OVER);
        add(writer, library, "März", "a.pdf", OVER);
        add(writer, library, "März", "a.pdf", Clash::Number);
        remove(writer, library, "März", "a.pdf");
        remove(writer, library, "März", "a (2).pdf");
        library
    });
    write(catalog, |writer| {
        for (clash, path) in [(OVER, "MÄRZ/A.pdf"), (Clash::Number, "MÄRZ/A (2).pdf"), (OVER, "MÄRZ/A.pdf")]
        {
            let asked = [Wanted { folder: "MÄRZ", name: "A.pdf", clash }];
            assert_eq!(writer.names_for(library, &asked).unwrap()[0].path(), path);
            assert_eq!(
                add(writer, library, "MÄRZ", "A.pdf", clash).1,
                path,
                "a folder that was empty is new"
            );
        }
    });
    let reader = catalog.read().unwrap();
    assert_eq!(paths(&*reader, library), ["MÄRZ/A (2).pdf 1", "MÄRZ/A.pdf 2"]);
    assert_eq!(removed(&*reader, library).len(), 2);
}

fn what_is_removed_does_not_stand_for_its_mail(catalog: &dyn Catalog) {
    let digest = Digest::of(b"mail");
    let mail = mail(Some(digest));
    let library = write(catalog, |writer| {
        let library = add_library(writer, "l");
        writer.put_mail(&mail).unwrap();
        let outcome = outcome("l@x.org", OutcomeKind::Filed, Some(library));
        writer.put_outcome(mail.delivery, PassId::generate(), &outcome, at(0)).unwrap();
        writer.add_content(Digest::of(b"x"), 1).unwrap();
        for name in ["a", "b"] {
            writer.add_document(&document(library, "", name, &mail, b"x")).unwrap();
        }
        library
    });
    let stands = |reader: &dyn Reader| reader.filed_before(library, digest, None).unwrap().len();
    write(catalog, |writer| {
        remove(writer, library, "", "a");
        assert_eq!(stands(&*writer), 1, "one of them still stands");
        let b = remove(writer, library, "", "b");
        assert_eq!(stands(&*writer), 0);
        writer.restore_document(b).unwrap();
        assert_eq!(stands(&*writer), 1);
        assert_eq!(writer.outcomes(mail.delivery).unwrap().len(), 1, "its record stays, whatever is removed");
    });
}

fn a_library_goes_only_with_an_empty_bin(catalog: &dyn Catalog) {
    write(catalog, |writer| {
        let library = add_library(writer, "l");
        add(writer, library, "", "a", OVER);
        add(writer, library, "", "b", OVER);
        let removals = ["a", "b"].map(|name| remove(writer, library, "", name));
        match writer.remove_library(library) {
            Err(Error::NotEmpty { name, documents: 0, removed: 2 }) => assert_eq!(name, "l"),
            other => panic!("{other:?}"),
        }
        for removal in removals {
            writer.purge_document(removal, "", at(0)).unwrap();
        }
        writer.remove_library(library).unwrap();
    });
}

fn a_document_is_moved_with_all_its_versions(catalog: &dyn Catalog) {
    let (here, there) = write(catalog, |writer| (add_library(writer, "here"), add_library(writer, "there")));
    let place = |library, folder, name| Destination { library, folder, name };
    write(catalog, |writer| {
        add(writer, here, "F", "a.pdf", OVER);
        add(writer, here, "f", "A.pdf", OVER);
        let moved = |writer: &mut dyn Writer, library, path: (&str, &str), to| {
            let placed = writer.move_document(library, path.0, path.1, to).unwrap();
            (placed.path(), placed.version)
        };
        assert_eq!(moved(writer, here, ("f", "a.pdf"), place(here, "f", "A.PDF")), ("f/A.PDF".to_owned(), 2));
        assert_eq!(moved(writer, here, ("f", "a.pdf"), place(here, "", "b.pdf")), ("b.pdf".to_owned(), 2));
        add(writer, there, "Folder", "c.pdf", OVER);
        let to = place(there, "FOLDER", "b.pdf");
        assert_eq!(moved(writer, here, ("", "B.PDF"), to), ("Folder/b.pdf".to_owned(), 2));
    });
    let reader = catalog.read().unwrap();
    assert_eq!(paths(&*reader, here), [""; 0]);
    assert_eq!(paths(&*reader, there), ["Folder/b.pdf 2", "Folder/c.pdf 1"]);
    let versions = reader.versions(there, "folder", "b.pdf").unwrap();
    assert_eq!(
        versions.iter().map(|one| (one.version, one.filed_in)).collect::<Vec<_>>(),
        [(2, here), (1, here)]
    );
    assert_eq!(reader.integrity().unwrap(), [""; 0]);
    drop(reader);
    write(catalog, |writer| {
        writer.move_document(there, "folder", "b.pdf", place(here, "", "a.pdf")).unwrap();
        add(writer, here, "", "a.pdf", OVER);
        assert_eq!(
            writer.document(here, "", "a.pdf", None).unwrap().unwrap().filed_in,
            here,
            "as if never moved"
        );
        assert_eq!(add(writer, here, "", "a.pdf", Clash::Number).1, "a (2).pdf");
    });
}

fn a_place_that_is_taken_is_not_moved_to(catalog: &dyn Catalog) {
    let library = write(catalog, |writer| {
        let library = add_library(writer, "l");
        add(writer, library, "f", "a", OVER);
        add(writer, library, "f", "b", OVER);
        library
    });
    write(catalog, |writer| {
        let to = |folder, name| Destination { library, folder, name };
        match writer.move_document(library, "f", "a", to("F", "B")) {
            Err(Error::Taken { what: "document", name, by }) => {
                assert_eq!((name.as_str(), by.as_str()), ("F/B", "a document of library l"));
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(writer.integrity().unwrap(), [""; 0], "nothing is left half way");
        remove(writer, library, "f", "b");
        writer.move_document(library, "f", "a", to("F", "B")).unwrap();
        assert_eq!(paths(&*writer, library), ["F/B 1"], "alone in its folder, it spells it");
    });
}

fn what_was_moved_stands_for_its_mail_where_that_was_filed(catalog: &dyn Catalog) {
    let digest = Digest::of(b"mail");
    let mail = mail(Some(digest));
    let ids = write(catalog, |writer| ["a", "b", "c"].map(|name| add_library(writer, name)));
    let [a, b, c] = ids;
    write(catalog, |writer| {
        writer.put_mail(&mail).unwrap();
        writer.add_content(Digest::of(b"x"), 1).unwrap();
        for library in [a, b] {
            let outcome = outcome(&format!("{}@x.org", library.0), OutcomeKind::Filed, Some(library));
            writer.put_outcome(mail.delivery, PassId::generate(), &outcome, at(0)).unwrap();
            writer.add_document(&document(library, "", "x", &mail, b"x")).unwrap();
        }
        let stands = |writer: &dyn Writer| {
            [a, b, c].map(|library| writer.filed_before(library, digest, None).unwrap().len())
        };
        remove(writer, b, "", "x");
        assert_eq!(stands(writer), [1, 0, 0]);
        let to = |library| Destination { library, folder: "", name: "x" };
        writer.move_document(a, "", "x", to(b)).unwrap();
        assert_eq!(stands(writer), [1, 0, 0], "it is not what was filed in b");
        writer.move_document(b, "", "x", to(c)).unwrap();
        writer.remove_library(a).unwrap();
        assert_eq!(stands(writer), [0, 0, 0]);
        let x = writer.document(c, "", "x", None).unwrap().unwrap();
        assert_eq!((x.filed_in, x.identity, x.level), (a, Some(the("alice")), Level::Domain));
        assert_eq!(writer.integrity().unwrap(), [""; 0]);
    });
}

fn what_is_purged_leaves_its_contents_and_what_is_told(catalog: &dyn Catalog) {
    let library = write(catalog, |writer| add_library(writer, "l"));
    write(catalog, |writer| {
        let first = add(writer, library, "f", "a", OVER).0;
        let second = add(writer, library, "f", "a", OVER).0;
        add(writer, library, "f", "b", OVER);
        let digest = |mail: &Mail| Digest::of(mail.delivery.to_string().as_bytes());
        let removal = remove(writer, library, "f", "a");
        let mut contents = writer.purge_document(removal, "asked for", at(7)).unwrap();
        let mut expected = [digest(&first), digest(&second)];
        contents.sort();
        expected.sort();
        assert_eq!(contents, expected);
        let doomed = [0, 1].map(|nth| writer.doom_content(contents[nth]).unwrap());
        assert_eq!(doomed, [true, true], "nothing refers to them any more");
        let told = |mail: &Mail, version| Purged {
            library: the("l"),
            path: "f/a".to_owned(),
            version,
            size: 26,
            digest: digest(mail),
            removal,
            why: "asked for".to_owned(),
            at: at(7),
        };
        assert_eq!(writer.purged_of(first.delivery).unwrap(), [told(&first, 1)]);
        assert_eq!(writer.purged_of(second.delivery).unwrap(), [told(&second, 2)]);
        assert_eq!(writer.documents_of(first.delivery).unwrap(), []);
        assert_eq!(writer.mail(first.delivery).unwrap(), Some(first));
        assert_eq!(paths(&*writer, library), ["f/b 1"]);
        let again = writer.purge_document(removal, "", at(8));
        assert!(matches!(again, Err(Error::NotFound { .. })), "{again:?}");
        let counts = writer.counts().unwrap();
        assert_eq!((counts.documents, counts.removed), (1, 0));
    });
}

fn removals_come_in_order(catalog: &dyn Catalog) {
    write(catalog, |writer| {
        let ids = ["a", "b"].map(|name| add_library(writer, name));
        // Given out of order, and in two libraries.
        let removals = [30, 10, 20].map(|ms| RemovalId::first_at(at(ms)));
        for (removal, library) in removals.into_iter().zip([ids[0], ids[1], ids[0]]) {
            add(writer, library, "", &removal.to_string(), OVER);
            writer.remove_document(library, "", &removal.to_string(), removal).unwrap();
        }
        let before = |ms, limit| writer.removed_before(RemovalId::first_at(at(ms)), limit).unwrap();
        assert_eq!(before(31, 9), [removals[1], removals[2], removals[0]]);
        assert_eq!(before(31, 2), [removals[1], removals[2]]);
        assert_eq!(before(20, 9), [removals[1]], "that one itself not");
        assert_eq!(before(10, 9), []);
        let names: Vec<_> = removed(&*writer, ids[0]).into_iter().map(|(path, _)| path).collect();
        assert_eq!(names, [removals[2].to_string(), removals[0].to_string()]);
    });
}

fn what_cannot_be_done_changes_nothing(catalog: &dyn Catalog) {
    write(catalog, |writer| {
        let library = add_library(writer, "l");
        add(writer, library, "", "a", OVER);
        add(writer, library, "", "b", OVER);
        let gone = remove(writer, library, "", "b");
        let is_missing = |error: Error| matches!(error, Error::NotFound { .. });
        let new = RemovalId::generate();
        assert!(is_missing(writer.remove_document(library, "", "b", new).unwrap_err()));
        assert!(is_missing(writer.remove_document(LibraryId(99), "", "a", new).unwrap_err()));
        let to = Destination { library, folder: "", name: "c" };
        assert!(is_missing(writer.move_document(library, "", "b", to).unwrap_err()));
        let nowhere = Destination { library: LibraryId(99), ..to };
        assert!(is_missing(writer.move_document(library, "", "a", nowhere).unwrap_err()));
        assert!(is_missing(writer.restore_document(new).unwrap_err()));
        assert!(is_missing(writer.purge_document(new, "", at(0)).unwrap_err()));
        let twice = writer.remove_document(library, "", "a", gone);
        assert!(matches!(twice, Err(Error::Refused { .. })), "{twice:?}");
        assert_eq!(paths(&*writer, library), ["a 1"]);
        assert_eq!(removed(&*writer, library), [("b".to_owned(), 1)]);
    });
}
