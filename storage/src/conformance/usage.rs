//! How full libraries are, and what they were reached by before.

use super::*;
use crate::RemovalId;
use crate::model::{Aside, Destination, KeptEnd, KeptFate, NewAside, Usage};

pub(super) const TESTS: &[CatalogTest] = &[
    every_version_counts_and_what_is_taken_back_does_not,
    what_is_moved_removed_and_purged_counts_where_it_is,
    what_nobody_proven_files_is_counted_by_the_day,
    what_stands_aside_counts_until_it_leaves,
    a_former_alias_is_its_librarys_until_another_has_it,
    former_aliases_go_with_their_library,
];

const DAY: i64 = 86_400_000;

fn usage(writer: &dyn Writer, library: LibraryId) -> Usage {
    writer.usage(library, at(0)).unwrap()
}

fn every_version_counts_and_what_is_taken_back_does_not(catalog: &dyn Catalog) {
    write(catalog, |writer| {
        let (a, b) = (add_library(writer, "a"), add_library(writer, "b"));
        let version = writer.settings_version().unwrap();
        let mail = mail(None);
        writer.put_mail(&mail).unwrap();
        for bytes in [b"12345".as_slice(), b"", b"123"] {
            writer.add_content(Digest::of(bytes), bytes.len() as u64).unwrap();
        }
        let add = |writer: &mut dyn Writer, library, name: &str, bytes: &[u8]| {
            writer.add_document(&document(library, "", name, &mail, bytes)).unwrap();
        };
        add(writer, a, "1", b"12345");
        add(writer, a, "2", b"12345");
        add(writer, b, "1", b"");
        assert_eq!((usage(writer, a).used, usage(writer, b).used), (10, 0), "each document counts");
        writer.savepoint().unwrap();
        add(writer, a, "3", b"123");
        assert_eq!(usage(writer, a).used, 13);
        writer.roll_back().unwrap();
        let second = self::mail(None);
        writer.put_mail(&second).unwrap();
        let clash = Clash::Version(1);
        let version_of = NewDocument { clash, ..document(a, "", "1", &second, b"123") };
        assert_eq!(writer.add_document(&version_of).unwrap().version, 2);
        assert_eq!(usage(writer, a).used, 13, "so does each version");
        let unknown = document(a, "", "9", &mail, b"no such content");
        writer.add_document(&unknown).unwrap_err();
        assert_eq!(usage(writer, a), Usage { used: 13, ..Usage::default() });
        assert_eq!(writer.settings_version().unwrap(), version, "a sum is no setting");
        assert_eq!(writer.miscounts().unwrap(), []);
        assert_eq!(writer.recount().unwrap(), []);
        assert!(matches!(writer.usage(LibraryId(99), at(0)), Err(Error::NotFound { .. })));
    });
}

fn what_is_moved_removed_and_purged_counts_where_it_is(catalog: &dyn Catalog) {
    write(catalog, |writer| {
        let (a, b) = (add_library(writer, "a"), add_library(writer, "b"));
        for bytes in [b"12345".as_slice(), b"123"] {
            writer.add_content(Digest::of(bytes), bytes.len() as u64).unwrap();
            let mail = mail(None);
            writer.put_mail(&mail).unwrap();
            let version = NewDocument { clash: Clash::Version(1), ..document(a, "", "1", &mail, bytes) };
            writer.add_document(&version).unwrap();
        }
        let used = |writer: &dyn Writer| {
            assert_eq!(writer.miscounts().unwrap(), []);
            (usage(writer, a).used, usage(writer, b).used)
        };
        assert_eq!(used(writer), (8, 0));
        let to = Destination { library: b, folder: "F", name: "2" };
        writer.move_document(a, "", "1", to).unwrap();
        assert_eq!(used(writer), (0, 8), "with all its versions");
        writer.move_document(b, "F", "2", Destination { library: b, folder: "", name: "3" }).unwrap();
        assert_eq!(used(writer), (0, 8));
        let removal = RemovalId::generate();
        writer.remove_document(b, "", "3", removal).unwrap();
        assert_eq!(used(writer), (0, 8), "a recycle bin is no room");
        writer.restore_document(removal).unwrap();
        assert_eq!(used(writer), (0, 8));
        let removal = RemovalId::generate();
        writer.remove_document(b, "", "3", removal).unwrap();
        writer.savepoint().unwrap();
        writer.purge_document(removal, "asked for", at(0)).unwrap();
        assert_eq!(used(writer), (0, 0));
        writer.roll_back().unwrap();
        assert_eq!(used(writer), (0, 8));
    });
}

/// The first millisecond of a day.
fn midnight() -> i64 {
    at(0).as_millisecond().div_euclid(DAY) * DAY - at(0).as_millisecond()
}

fn what_nobody_proven_files_is_counted_by_the_day(catalog: &dyn Catalog) {
    write(catalog, |writer| {
        let (a, b) = (add_library(writer, "a"), add_library(writer, "b"));
        let midnight = midnight();
        writer.add_anonymous(a, at(midnight), 5).unwrap();
        writer.add_anonymous(a, at(midnight + DAY - 1), 7).unwrap();
        writer.add_anonymous(a, at(midnight + DAY), 100).unwrap();
        // The clock of another worker is not there yet.
        writer.add_anonymous(a, at(midnight + DAY - 1), 1).unwrap();
        writer.add_anonymous(b, at(midnight), 1000).unwrap();
        let of = |writer: &dyn Writer, ms| writer.usage(a, at(ms)).unwrap();
        assert_eq!(of(writer, midnight + 1000), Usage { used: 0, filed_today: 13 });
        assert_eq!(of(writer, midnight + DAY).filed_today, 100);
        assert_eq!(of(writer, midnight - 1), Usage::default());
        writer.add_anonymous(a, at(midnight + 2 * DAY), 0).unwrap();
        assert_eq!(of(writer, midnight).filed_today, 0, "forgotten: it is not the day before");
        assert_eq!(of(writer, midnight + DAY).filed_today, 100);
    });
}

fn what_stands_aside_counts_until_it_leaves(catalog: &dyn Catalog) {
    write(catalog, |writer| {
        let (a, b) = (add_library(writer, "a"), add_library(writer, "b"));
        let midnight = midnight();
        let mut put = |library, ms, size, anonymous, again| {
            let mail = mail(None);
            writer.put_mail(&mail).unwrap();
            let aside = NewAside { delivery: mail.delivery, size, anonymous, again };
            writer.put_aside(library, at(ms), &aside).unwrap();
            mail.delivery
        };
        let first = put(a, midnight - 1, 1, true, false);
        let second = put(a, midnight, 10, true, false);
        let proven = put(a, midnight, 100, false, false);
        put(a, midnight, 1000, true, true);
        put(b, midnight, 5, true, false);
        let of = |writer: &dyn Writer, library, since| {
            let Aside { mails, anonymous, today } =
                writer.aside(library, at(midnight + DAY - 1), at(since)).unwrap();
            (mails, anonymous, today)
        };
        assert_eq!(of(writer, a, midnight - 1), (4, 1011, 10));
        assert_eq!(of(writer, a, midnight), (3, 1010, 10));
        assert_eq!(writer.aside(a, at(midnight - 1), at(midnight - 1)).unwrap().today, 1);
        let end = |fate| KeptEnd { fate, why: String::new(), at: at(0) };
        writer.savepoint().unwrap();
        writer.put_kept_end(first, &end(KeptFate::Purged)).unwrap();
        writer.put_kept_end(second, &end(KeptFate::Replayed)).unwrap();
        writer.put_kept_end(proven, &end(KeptFate::Purged)).unwrap();
        assert_eq!(of(writer, a, midnight - 1), (1, 1000, 0));
        writer.roll_back().unwrap();
        assert_eq!(of(writer, a, midnight - 1), (4, 1011, 10));
        assert_eq!(of(writer, b, midnight), (1, 5, 5));
        let unknown = NewAside { delivery: DeliveryId::generate(), size: 1, anonymous: true, again: false };
        assert!(matches!(writer.put_aside(a, at(0), &unknown), Err(Error::Refused { .. })));
    });
}

fn a_former_alias_is_its_librarys_until_another_has_it(catalog: &dyn Catalog) {
    let settings = LibrarySettings::default();
    let (a, b) = write(catalog, |writer| (add_library(writer, "a"), add_library(writer, "b")));
    let set = |library, alias: &str| {
        write(catalog, |writer| writer.set_library(library, &the(alias), &settings).unwrap());
    };
    let former = |library| -> Vec<String> {
        let found = catalog.read().unwrap().former_aliases(library).unwrap();
        let mut found: Vec<_> = found.iter().map(|former| former.alias.to_string()).collect();
        found.sort();
        found
    };
    let leads = |alias: &str| {
        let found = catalog.read().unwrap().library_by_former_alias(&the(alias)).unwrap();
        found.map(|(library, _)| library.id)
    };
    let begun = Timestamp::now();
    set(a, "a");
    assert!(former(a).is_empty(), "nothing has changed");
    set(a, "a2");
    set(a, "a3");
    assert_eq!(former(a), ["a", "a2"]);
    assert_eq!((leads("A"), leads("a2"), leads("a3"), leads("b")), (Some(a), Some(a), None, None));
    let reader = catalog.read().unwrap();
    let (found, since) = reader.library_by_former_alias(&the("a")).unwrap().unwrap();
    assert_eq!((found.alias.as_str(), found.settings), ("a3", settings.clone()));
    assert!(since.as_millisecond() >= begun.as_millisecond() && since <= Timestamp::now());
    assert_eq!(reader.library_by_alias(&the("a")).unwrap(), None);
    drop(reader);
    // Back to the first.
    set(a, "a");
    assert_eq!(former(a), ["a2", "a3"]);
    // Another takes one, by a change and by being made; given up, it is that one's.
    set(b, "a2");
    assert_eq!((former(a), former(b)), (vec!["a3".to_owned()], vec!["b".to_owned()]));
    set(b, "b");
    assert_eq!((former(b), leads("a2")), (vec!["a2".to_owned()], Some(b)));
    let third = write(catalog, |writer| writer.add_library(&the("c"), &the("a3"), &settings, at(0)).unwrap());
    assert_eq!((former(a), leads("a3")), (vec![], None));
    set(third, "c");
    write(catalog, |writer| {
        let version = writer.settings_version().unwrap();
        assert!(!writer.forget_former_alias(a, &the("a3")).unwrap(), "it is another's");
        assert_eq!(writer.settings_version().unwrap(), version);
        assert!(writer.forget_former_alias(third, &the("a3")).unwrap());
        assert!(writer.settings_version().unwrap() > version);
    });
    assert_eq!(leads("a3"), None);
}

fn former_aliases_go_with_their_library(catalog: &dyn Catalog) {
    write(catalog, |writer| {
        let library = add_library(writer, "a");
        writer.set_library(library, &the("b"), &LibrarySettings::default()).unwrap();
        writer.add_anonymous(library, at(0), 1).unwrap();
        let mail = mail(None);
        writer.put_mail(&mail).unwrap();
        let aside = NewAside { delivery: mail.delivery, size: 1, anonymous: true, again: false };
        writer.put_aside(library, at(0), &aside).unwrap();
        writer.remove_library(library).unwrap();
        assert_eq!(writer.library_by_former_alias(&the("a")).unwrap(), None);
        assert_eq!(writer.integrity().unwrap(), Vec::<String>::new());
    });
}
