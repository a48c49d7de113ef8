//! Two workers that file under the same names at once.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::*;
use crate::model::{Clash, Level, Mail, MailFields, MailState, NewDocument, Placed};
use crate::{DeliveryId, Digest, LibraryId};

const WORKERS: usize = 4;
const MAILS: usize = 60;

fn mail() -> Mail {
    Mail {
        delivery: DeliveryId::generate(),
        file: "f".to_owned(),
        node: "n".to_owned(),
        digest: None,
        size: 1,
        message_id: None,
        from: None,
        envelope_sender: None,
        subject: None,
        arrived_at: Timestamp::UNIX_EPOCH,
        state: MailState::Open,
        attempts: 0,
        fault: None,
        fields: MailFields::default(),
        flaws: Vec::new(),
    }
}

/// Files a mail with two documents of one name, and of bytes that no other has; gives their places.
fn file(catalog: &SqliteCatalog, library: LibraryId, clash: impl Fn(u32) -> Clash) -> Vec<(Placed, Digest)> {
    let mail = mail();
    let mut writer = catalog.write().unwrap();
    writer.put_mail(&mail).unwrap();
    let mut places = Vec::new();
    for nth in 1..=2 {
        let bytes = format!("{} {nth}", mail.delivery);
        let digest = Digest::of(bytes.as_bytes());
        writer.add_content(digest, bytes.len() as u64).unwrap();
        let new = NewDocument {
            library,
            folder: ["Folder", "FOLDER"][nth as usize - 1].to_owned(),
            name: ["a.pdf", "A.PDF"][nth as usize - 1].to_owned(),
            clash: clash(nth),
            digest,
            size: bytes.len() as u64,
            media_type: "t".to_owned(),
            sniffed_type: None,
            created_by: "by".to_owned(),
            identity: None,
            level: Level::None,
            created_at: Timestamp::UNIX_EPOCH,
            delivery: mail.delivery,
            original: false,
        };
        places.push((writer.add_document(&new).unwrap(), digest));
    }
    writer.commit().unwrap();
    places
}

/// Each worker has a catalog of its own, as a process has: there is a lock in the file between them, and none in memory.
/// Gives what each filing was told.
fn filed_at_once(path: &Path, clash: impl Fn(u32) -> Clash + Copy + Sync) -> Vec<(Placed, Digest)> {
    add_library(&SqliteCatalog::open(path).unwrap(), "l").unwrap();
    let barrier = Barrier::new(WORKERS);
    let work = || {
        let catalog = SqliteCatalog::open(path).unwrap();
        barrier.wait();
        (0..MAILS).flat_map(|_| file(&catalog, LibraryId(1), clash)).collect::<Vec<_>>()
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    })
}

/// What each was told is what is there, and no two were told the same.
fn check(path: &Path, told: &[(Placed, Digest)]) -> BTreeMap<(String, u32), Digest> {
    let catalog = SqliteCatalog::open(path).unwrap();
    let reader = catalog.read().unwrap();
    let mut places = BTreeMap::new();
    for (place, digest) in told {
        let found = reader.document(LibraryId(1), &place.folder, &place.name, Some(place.version)).unwrap();
        assert_eq!(found.unwrap().digest, *digest, "{place:?}");
        assert_eq!(places.insert((place.path(), place.version), *digest), None, "{place:?}");
    }
    assert_eq!(places.len(), 2 * WORKERS * MAILS, "none is lost");
    assert_eq!(reader.counts().unwrap().contents as usize, places.len());
    places
}

#[test]
fn workers_that_number_the_same_names_never_clash() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("catalog.db");
    let places = check(&path, &filed_at_once(&path, |_| Clash::Number));
    assert!(places.keys().all(|(path, version)| *version == 1 && path.starts_with("Folder/")));
}

#[test]
fn workers_that_add_versions_to_the_same_names_lose_none() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("catalog.db");
    let places = check(&path, &filed_at_once(&path, Clash::Version));
    let versions = 1..=u32::try_from(WORKERS * MAILS).unwrap();
    let of = |name: &str| versions.clone().map(|version| (name.to_owned(), version)).collect::<Vec<_>>();
    let expected = [of("Folder/A (2).PDF"), of("Folder/a.pdf")].concat();
    assert_eq!(places.keys().cloned().collect::<Vec<_>>(), expected, "one after the other, without a gap");
}

/// Everything in the library, and in its recycle bin: path and version by digest.
fn held(catalog: &SqliteCatalog) -> BTreeMap<Digest, (String, i64, bool)> {
    let reader = catalog.read().unwrap();
    let mut contents = Vec::new();
    let visit = &mut |digest, _| {
        contents.push(digest);
        Ok(())
    };
    reader.each_content(visit).unwrap();
    let place = |digest| {
        let filed = reader.filed_as(digest, 9).unwrap();
        assert_eq!(filed.len(), 1, "{digest}: once, wherever that is");
        (digest, (filed[0].path.clone(), filed[0].version, filed[0].removed))
    };
    contents.into_iter().map(place).collect()
}

/// Somebody removes a document that others write over, and restores it while they take its name.
#[test]
fn documents_are_removed_and_restored_while_workers_write_over_them() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("catalog.db");
    let catalog = SqliteCatalog::open(&path).unwrap();
    add_library(&catalog, "l").unwrap();
    // Side by side round after round: left alone, whoever has the lock keeps getting it.
    let round = Barrier::new(3);
    let (mut removed, mut renamed) = (0, 0);
    let told = std::thread::scope(|scope| {
        let work = || {
            let catalog = SqliteCatalog::open(&path).unwrap();
            let file = |_| {
                round.wait();
                file(&catalog, LibraryId(1), Clash::Version)
            };
            (0..MAILS).flat_map(file).collect::<Vec<_>>()
        };
        let workers = [scope.spawn(work), scope.spawn(work)];
        let mut bin = Vec::new();
        for nth in 0..MAILS {
            round.wait();
            let mut writer = catalog.write().unwrap();
            if nth % 3 == 2 && !bin.is_empty() {
                renamed += u32::from(writer.restore_document(bin.remove(0)).unwrap().name != "a.pdf");
            } else {
                let removal = crate::RemovalId::generate();
                if let Ok(document) = writer.remove_document(LibraryId(1), "folder", "a.pdf", removal) {
                    let gone = versions_removed(&*writer, removal);
                    assert_eq!(gone, document.version, "all of them went along");
                    bin.push(removal);
                    removed += 1;
                }
            }
            writer.commit().unwrap();
        }
        workers.map(|worker| worker.join().unwrap()).concat()
    });
    assert!(removed > 2 && renamed > 0, "{removed} {renamed}: the test has shown nothing");
    let held = held(&catalog);
    assert_eq!(held.len(), told.len(), "none is lost, and none is there twice");
    let mut standing: Vec<_> = held.values().filter(|(.., removed)| !removed).collect();
    standing.sort();
    let count = standing.len();
    standing.dedup();
    assert_eq!(standing.len(), count, "one name, one document");
    assert_eq!(catalog.read().unwrap().integrity().unwrap(), [""; 0]);
}

/// How many versions a removed document has.
fn versions_removed(reader: &dyn Reader, removal: crate::RemovalId) -> u32 {
    let mails = reader.deliveries("", usize::MAX >> 1).unwrap();
    let filed = mails.into_iter().flat_map(|delivery| reader.documents_of(delivery).unwrap());
    u32::try_from(filed.filter(|one| one.removal == Some(removal)).count()).unwrap()
}
