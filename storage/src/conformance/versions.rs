//! Folders, versions of documents, and what is foretold of both.

use super::*;
use crate::model::{Clash, Placed, Wanted};

pub(super) const TESTS: &[CatalogTest] = &[
    a_taken_name_gets_a_version,
    one_mail_never_overwrites_its_own,
    a_mail_that_comes_in_two_parts_never_overwrites_its_own,
    versions_and_numbers_live_side_by_side,
    a_folder_is_spelt_as_it_was_first,
    nobody_can_use_up_the_numbers_of_others,
    many_of_one_name_in_one_mail,
    what_cannot_be_added_leaves_no_version,
    places_are_foretold,
];

type Asked<'a> = (&'a str, &'a str, Clash);

fn placed(folder: &str, name: &str, version: u32) -> Placed {
    Placed { folder: folder.to_owned(), name: name.to_owned(), version }
}

/// Files the documents of one mail, each of other bytes.
fn add(writer: &mut dyn Writer, library: LibraryId, wanted: &[Asked<'_>]) -> Vec<Placed> {
    let mail = mail(None);
    writer.put_mail(&mail).unwrap();
    add_of(writer, library, &mail, wanted)
}

fn add_of(writer: &mut dyn Writer, library: LibraryId, mail: &Mail, wanted: &[Asked<'_>]) -> Vec<Placed> {
    let places = wanted.iter().enumerate().map(|(nth, (folder, name, clash))| {
        let bytes = format!("{} {nth}", mail.delivery);
        writer.add_content(Digest::of(bytes.as_bytes()), bytes.len() as u64).unwrap();
        let new = NewDocument { clash: *clash, ..document(library, folder, name, mail, bytes.as_bytes()) };
        writer.add_document(&new).unwrap()
    });
    places.collect()
}

fn a_taken_name_gets_a_version(catalog: &dyn Catalog) {
    let one = |name: &'static str| [("F", name, Clash::Version(1))];
    let (library, first) = write(catalog, |writer| {
        let library = add_library(writer, "a");
        let first = mail(None);
        writer.put_mail(&first).unwrap();
        assert_eq!(add_of(writer, library, &first, &one("Scan.PDF")), [placed("F", "Scan.PDF", 1)]);
        assert_eq!(
            add(writer, library, &one("scan.pdf")),
            [placed("F", "Scan.PDF", 2)],
            "spelt as the first"
        );
        (library, first)
    });
    write(catalog, |writer| {
        assert_eq!(add(writer, library, &one("SCAN.pdf")), [placed("F", "Scan.PDF", 3)]);
        assert_eq!(add(writer, library, &[("", "Scan.PDF", Clash::Version(1))]), [placed("", "Scan.PDF", 1)]);
    });
    let reader = catalog.read().unwrap();
    let versions = reader.versions(library, "f", "SCAN.PDF").unwrap();
    assert_eq!(versions.iter().map(|one| one.version).collect::<Vec<_>>(), [3, 2, 1], "the newest first");
    for version in &versions {
        let found = reader.document(library, "f", "scan.pdf", Some(version.version)).unwrap();
        assert_eq!(found.as_ref(), Some(version));
    }
    assert_eq!((versions[2].delivery, versions[2].digest), (first.delivery, digest(&first, 0)));
    assert_eq!(reader.document(library, "F", "Scan.PDF", None).unwrap().as_ref(), versions.first());
    assert_eq!(reader.document(library, "F", "Scan.PDF", Some(4)).unwrap(), None);
    assert_eq!(reader.versions(library, "F", "other.pdf").unwrap(), []);
    let mut listed = Vec::new();
    let visit = &mut |document: crate::model::Document| {
        listed.push((document.path(), document.version));
        Ok(())
    };
    reader.each_document(library, visit).unwrap();
    assert_eq!(listed, [("Scan.PDF".to_owned(), 1), ("F/Scan.PDF".to_owned(), 3)], "each once, the newest");
    assert_eq!(reader.counts().unwrap().documents, 2);
    assert_eq!(reader.documents_of(first.delivery).unwrap().len(), 1, "the oldest version still stands");
}

fn digest(mail: &Mail, nth: usize) -> Digest {
    Digest::of(format!("{} {nth}", mail.delivery).as_bytes())
}

fn one_mail_never_overwrites_its_own(catalog: &dyn Catalog) {
    let twice = [
        ("", "a.pdf", Clash::Version(1)),
        ("", "A.PDF", Clash::Version(2)),
        ("", "a.pdf", Clash::Version(3)),
    ];
    // It is in the way of the second in the series, and in nobody's the next time.
    let more = [("", "a (2).pdf", Clash::Version(1)), twice[0], twice[1]];
    write(catalog, |writer| {
        let library = add_library(writer, "a");
        for version in 1..4 {
            let expected = [
                placed("", "a.pdf", version),
                placed("", "A (2).PDF", version),
                placed("", "a (3).pdf", version),
            ];
            assert_eq!(add(writer, library, &twice), expected);
        }
        let third = [("third", "a.pdf", Clash::Version(3))];
        assert_eq!(add(writer, library, &third), [placed("third", "a (3).pdf", 1)], "whatever is there");
        let places = add(writer, library, &more);
        assert_eq!(places, [placed("", "A (2).PDF", 4), placed("", "a.pdf", 4), placed("", "a (3).pdf", 4)]);
    });
}

/// The rest of a mail may be filed by a later pass.
fn a_mail_that_comes_in_two_parts_never_overwrites_its_own(catalog: &dyn Catalog) {
    let one = [("", "a.pdf", Clash::Version(1))];
    let mail = mail(None);
    let library = write(catalog, |writer| {
        let library = add_library(writer, "a");
        writer.put_mail(&mail).unwrap();
        assert_eq!(add_of(writer, library, &mail, &one), [placed("", "a.pdf", 1)]);
        library
    });
    write(catalog, |writer| {
        assert_eq!(add_of(writer, library, &mail, &one), [placed("", "a (2).pdf", 1)]);
        assert_eq!(add(writer, library, &one), [placed("", "a.pdf", 2)]);
    });
}

fn versions_and_numbers_live_side_by_side(catalog: &dyn Catalog) {
    let number = [("", "a.pdf", Clash::Number)];
    let version = [("", "a.pdf", Clash::Version(1))];
    write(catalog, |writer| {
        let library = add_library(writer, "a");
        assert_eq!(add(writer, library, &number), [placed("", "a.pdf", 1)]);
        assert_eq!(add(writer, library, &number), [placed("", "a (2).pdf", 1)]);
        assert_eq!(add(writer, library, &version), [placed("", "a.pdf", 2)]);
        assert_eq!(add(writer, library, &number), [placed("", "a (3).pdf", 1)]);
        assert_eq!(
            add(writer, library, &[("", "a (3).pdf", Clash::Version(1))]),
            [placed("", "a (3).pdf", 2)]
        );
        writer.savepoint().unwrap();
        assert_eq!(add(writer, library, &version), [placed("", "a.pdf", 3)]);
        writer.roll_back().unwrap();
        assert_eq!(add(writer, library, &version), [placed("", "a.pdf", 3)], "a version taken back is free");
    });
}

fn a_folder_is_spelt_as_it_was_first(catalog: &dyn Catalog) {
    write(catalog, |writer| {
        let (library, other) = (add_library(writer, "a"), add_library(writer, "b"));
        for (folder, spelt) in [("März", "März"), ("MÄRZ", "März"), ("Ma\u{308}rz", "März"), ("Marz", "Marz")]
        {
            let asked = [(folder, "x", Clash::Number)];
            let foretold = writer.names_for(library, &wanted(&asked)).unwrap();
            let places = add(writer, library, &asked);
            assert_eq!((places[0].folder.as_str(), &places), (spelt, &foretold), "{folder}");
        }
        assert_eq!(add(writer, other, &[("MÄRZ", "x", Clash::Number)]), [placed("MÄRZ", "x", 1)]);
    });
}

/// Whoever asks each time which name is next, and takes it, makes nobody else's mail fail.
fn nobody_can_use_up_the_numbers_of_others(catalog: &dyn Catalog) {
    let asked = [("", "a.pdf", Clash::Number)];
    write(catalog, |writer| {
        let library = add_library(writer, "a");
        for _ in 0..400 {
            let next = writer.names_for(library, &wanted(&asked)).unwrap().remove(0);
            assert_eq!(add(writer, library, &[("", next.name.as_str(), Clash::Number)]), [next]);
        }
        let foretold = writer.names_for(library, &wanted(&asked)).unwrap();
        assert_eq!(add(writer, library, &asked), foretold);
    });
}

fn many_of_one_name_in_one_mail(catalog: &dyn Catalog) {
    let asked = [("", "a.pdf", Clash::Version(8)); 400];
    write(catalog, |writer| {
        let library = add_library(writer, "a");
        let mut places = add(writer, library, &asked);
        assert_eq!(add(writer, library, &asked).len(), asked.len());
        places.sort_by(|a, b| a.name.cmp(&b.name));
        places.dedup();
        assert_eq!(places.len(), asked.len());
    });
}

fn what_cannot_be_added_leaves_no_version(catalog: &dyn Catalog) {
    let library = write(catalog, |writer| {
        let library = add_library(writer, "a");
        add(writer, library, &[("", "a.pdf", Clash::Version(1))]);
        let mail = mail(None);
        writer.put_mail(&mail).unwrap();
        let new = NewDocument {
            clash: Clash::Version(1),
            ..document(library, "", "a.pdf", &mail, b"not on record")
        };
        assert!(matches!(writer.add_document(&new), Err(Error::Refused { .. })));
        library
    });
    assert_eq!(catalog.read().unwrap().versions(library, "", "a.pdf").unwrap().len(), 1);
}

fn wanted<'a>(asked: &[Asked<'a>]) -> Vec<Wanted<'a>> {
    asked.iter().map(|&(folder, name, clash)| Wanted { folder, name, clash }).collect()
}

/// Whatever comes in one mail, and whatever is there.
fn places_are_foretold(catalog: &dyn Catalog) {
    let library = write(catalog, |writer| add_library(writer, "a"));
    let names = ["a.pdf", "A.PDF", "a (2).pdf", "a (2) (2).pdf", "b", "a (4).pdf"];
    let folders = ["", "f", "F"];
    // Any sequence will do, as long as it is the same one each time.
    let mut state = 1_u32;
    let mut next = |below: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) as usize % below
    };
    for round in 0..200 {
        let asked: Vec<_> = (0..=next(6))
            .map(|_| {
                let clash = if next(3) == 0 {
                    Clash::Number
                } else {
                    Clash::Version(u32::try_from(next(4)).unwrap())
                };
                (folders[next(3)], names[next(names.len())], clash)
            })
            .collect();
        let foretold = catalog.read().unwrap().names_for(library, &wanted(&asked)).unwrap();
        let again = catalog.read().unwrap().names_for(library, &wanted(&asked)).unwrap();
        assert_eq!(again, foretold, "nothing was taken by asking");
        assert_eq!(write(catalog, |writer| add(writer, library, &asked)), foretold, "{round} {asked:?}");
        let mut paths: Vec<_> = foretold.iter().map(|place| place.path().to_lowercase()).collect();
        paths.sort();
        paths.dedup();
        assert_eq!(paths.len(), asked.len(), "one mail, one path each: {asked:?}");
    }
}
