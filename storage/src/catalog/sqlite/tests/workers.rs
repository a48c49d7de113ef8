//! Two workers that file under the same names at once.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::*;
use crate::model::{Clash, Mail, MailState, NewDocument, Placed};
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
        state: MailState::Done,
        attempts: 0,
        fault: None,
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
