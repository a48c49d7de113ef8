use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use jiff::Timestamp;

use super::*;
use crate::catalog::sqlite::SqliteCatalog;
use crate::contents::Content;
use crate::contents::local::LocalContents;
use crate::faulty::{Faults, FaultyCatalog, FaultyContents};
use crate::model::{
    Clash, Destination, Level, LibrarySettings, Mail, MailFields, MailState, NewDocument, Outcome,
    OutcomeKind,
};
use crate::{DeliveryId, Error, LibraryId, PassId};

mod by_hand;
mod recycle;

struct Site {
    /// Removed with the site, where it is ours.
    _dir: Option<tempfile::TempDir>,
    folder: PathBuf,
    catalog: SqliteCatalog,
    contents: LocalContents,
    library: LibraryId,
}

impl Site {
    fn new() -> Site {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().to_owned();
        Site { _dir: Some(dir), ..Site::at(&folder) }
    }

    fn at(folder: &std::path::Path) -> Site {
        let catalog = SqliteCatalog::open(&folder.join("catalog.db")).unwrap();
        let contents = LocalContents::open(&folder.join("contents"), true).unwrap();
        let name = "invoices".parse().unwrap();
        let there = catalog.read().unwrap().library(&name).unwrap();
        if let Some(library) = there {
            let (folder, library) = (folder.to_owned(), library.id);
            return Site { _dir: None, folder, catalog, contents, library };
        }
        let mut writer = catalog.write().unwrap();
        let settings = LibrarySettings::default();
        let library =
            writer.add_library(&name, &"i".parse().unwrap(), &settings, Timestamp::UNIX_EPOCH).unwrap();
        writer.commit().unwrap();
        Site { _dir: None, folder: folder.to_owned(), catalog, contents, library }
    }

    fn put(&self, bytes: &[u8]) -> Digest {
        let digest = Digest::of(bytes);
        self.contents.put(&[Content { digest, bytes }]).unwrap();
        digest
    }

    /// Files as a worker must: contents first, then a look at each within the transaction.
    fn file(&self, name: &str, bytes: &[u8]) -> Digest {
        self.put(bytes);
        self.commit(name, bytes)
    }

    fn commit(&self, name: &str, bytes: &[u8]) -> Digest {
        let digest = Digest::of(bytes);
        let mut writer = self.catalog.write().unwrap();
        let is_there = match writer.content(digest).unwrap() {
            Some(known) => !known.doomed,
            None => self.contents.size(digest).unwrap().is_some(),
        };
        if !is_there {
            self.put(bytes);
        }
        writer.add_content(digest, bytes.len() as u64).unwrap();
        let mail = mail();
        writer.put_mail(&mail).unwrap();
        let now = Timestamp::UNIX_EPOCH;
        writer.put_outcome(mail.delivery, PassId::generate(), &filed(self.library), now).unwrap();
        writer.add_document(&document(self.library, name, mail.delivery, bytes)).unwrap();
        writer.commit().unwrap();
        digest
    }

    fn path(&self, digest: Digest) -> PathBuf {
        let hex = digest.to_string();
        self.folder.join("contents").join(hex.get(..2).unwrap()).join(&hex)
    }

    /// Changes a content behind the store's back.
    fn overwrite(&self, digest: Digest, bytes: &[u8]) {
        fs::remove_file(self.path(digest)).unwrap();
        fs::write(self.path(digest), bytes).unwrap();
    }

    fn verify(&self, repair: bool) -> Report {
        verify_within(&self.catalog, &self.contents, repair, Duration::ZERO, &mut |_| {}).unwrap()
    }
}

fn mail() -> Mail {
    Mail {
        delivery: DeliveryId::generate(),
        file: "a.eml".to_owned(),
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
        fields: MailFields::default(),
        flaws: Vec::new(),
    }
}

fn filed(library: LibraryId) -> Outcome {
    Outcome {
        recipient: "i@x.org".to_owned(),
        kind: OutcomeKind::Filed,
        reason: None,
        because: None,
        library: Some(library),
        identity: None,
        level: Level::None,
        proof: None,
        likeness: None,
        gone: None,
        former_alias: None,
        duplicate_of: None,
    }
}

fn document(library: LibraryId, name: &str, delivery: DeliveryId, bytes: &[u8]) -> NewDocument {
    NewDocument {
        library,
        folder: "f".to_owned(),
        name: name.to_owned(),
        clash: Clash::Number,
        digest: Digest::of(bytes),
        size: bytes.len() as u64,
        media_type: "text/plain".to_owned(),
        sniffed_type: None,
        created_by: Level::None.to_string(),
        identity: None,
        level: Level::None,
        created_at: Timestamp::UNIX_EPOCH,
        delivery,
        original: false,
    }
}

fn filed_as(path: &str) -> FiledAs {
    FiledAs { library: "invoices".to_owned(), path: path.to_owned(), version: 1, removed: false }
}

#[test]
fn a_sound_site_is_clean_and_every_byte_is_read() {
    let site = Site::new();
    site.file("a.txt", b"12345");
    site.file("b.txt", b"");
    site.file("c.txt", b"12345");
    let mut seen = Vec::new();
    let report = verify(&site.catalog, &site.contents, true, &mut |progress| seen.push(progress)).unwrap();
    assert!(report.is_clean() && report.repaired.is_empty(), "{report:?}");
    assert_eq!((report.documents, report.contents, report.mails), (3, 2, 3));
    assert_eq!(seen.len(), 2);
    assert_eq!(seen.last(), Some(&Progress { contents: 2, of: 2, bytes: 5 }));
}

#[test]
fn a_missing_content_is_named_with_its_paths_and_cannot_be_mended() {
    let site = Site::new();
    let digest = site.file("a.txt", b"one");
    site.file("a.txt", b"one");
    fs::remove_file(site.path(digest)).unwrap();
    for repair in [false, true] {
        let report = site.verify(repair);
        let filed_as = vec![filed_as("f/a.txt"), filed_as("f/a (2).txt")];
        assert_eq!(report.missing, [Broken { digest, why: "missing".to_owned(), filed_as }]);
        assert!(!report.is_clean() && report.damaged.is_empty() && report.orphans.is_empty(), "{report:?}");
    }
    site.put(b"one");
    assert!(site.verify(false).is_clean());
}

#[test]
fn a_damaged_content_is_told_how() {
    let site = Site::new();
    let [short, flipped, blocked] = [b"short", b"fl\xffip", b"block"].map(|bytes| site.file("a.txt", bytes));
    site.overwrite(short, b"sho");
    site.overwrite(flipped, b"fl\xfeip");
    fs::remove_file(site.path(blocked)).unwrap();
    fs::create_dir(site.path(blocked)).unwrap();
    for repair in [false, true] {
        let mut damaged = site.verify(repair).damaged;
        damaged.sort_by_key(|broken| broken.filed_as[0].path.clone());
        let told: Vec<_> = damaged.iter().map(|broken| (broken.digest, broken.why.as_str())).collect();
        let flipped_why = format!("its bytes have the digest {}", Digest::of(b"fl\xfeip"));
        let blocked_why = format!("content {blocked}: not a regular file");
        assert_eq!(
            told,
            [(flipped, flipped_why.as_str()), (blocked, &blocked_why), (short, "3 bytes, not 5")]
        );
    }
    assert_eq!(fs::read(site.path(short)).unwrap(), b"sho", "what documents refer to is never removed");
}

#[test]
fn orphans_are_told_apart_and_removed() {
    let site = Site::new();
    let kept = site.file("a.txt", b"kept");
    let [stored, recorded, both, doomed] =
        [b"stored", b"record", b"both..", b"doomed"].map(|bytes| Digest::of(bytes));
    site.put(b"stored");
    site.put(b"both..");
    let mut writer = site.catalog.write().unwrap();
    writer.add_content(recorded, 6).unwrap();
    writer.add_content(both, 6).unwrap();
    writer.doom_content(doomed).unwrap();
    writer.commit().unwrap();
    fs::write(site.folder.join("contents/tmp/left"), "x").unwrap();
    let report = site.verify(false);
    let mut expected = vec![
        Orphan::new(OrphanKind::Content, stored.to_string()),
        Orphan::new(OrphanKind::Record, recorded.to_string()),
        Orphan::new(OrphanKind::Content, both.to_string()),
        Orphan::new(OrphanKind::Record, doomed.to_string()),
    ];
    expected.sort_by(|a, b| a.name.cmp(&b.name));
    expected.push(Orphan::new(OrphanKind::Leftover, "tmp/left".to_owned()));
    assert_eq!(report.orphans, expected);
    assert!(report.missing.is_empty() && report.repaired.is_empty());

    let report = site.verify(true);
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(report.repaired.len(), 5);
    assert_eq!(fs::read(site.path(kept)).unwrap(), b"kept");
    for digest in [stored, recorded, both, doomed] {
        assert!(!site.path(digest).exists());
        assert_eq!(site.catalog.read().unwrap().content(digest).unwrap(), None);
    }
    assert!(!site.folder.join("contents/tmp/left").exists());
    assert!(site.verify(false).is_clean());
}

#[test]
fn an_orphan_that_cannot_be_removed_stays_doomed_and_says_why() {
    let site = Site::new();
    let digest = site.put(b"stuck");
    fs::remove_file(site.path(digest)).unwrap();
    fs::create_dir(site.path(digest)).unwrap();
    let mut writer = site.catalog.write().unwrap();
    writer.add_content(digest, 5).unwrap();
    writer.commit().unwrap();
    let report = site.verify(true);
    assert_eq!(report.orphans.len(), 1);
    assert!(report.orphans[0].why.starts_with("cannot remove"), "{report:?}");
    assert!(site.catalog.read().unwrap().content(digest).unwrap().unwrap().doomed);
}

#[test]
fn an_alien_is_reported_and_never_removed() {
    let site = Site::new();
    let alien = site.folder.join("contents/README");
    fs::write(&alien, "hello").unwrap();
    let report = site.verify(true);
    assert_eq!(report.aliens, ["README"]);
    assert!(!report.is_clean());
    assert!(alien.exists());
}

#[test]
fn a_size_that_only_the_catalog_has_wrong_is_the_catalogs_fault() {
    let site = Site::new();
    let digest = site.file("a.txt", b"12345");
    let mut writer = site.catalog.write().unwrap();
    writer.add_content(digest, 7).unwrap();
    writer.commit().unwrap();
    let report = site.verify(true);
    assert!(report.missing.is_empty() && report.damaged.is_empty());
    let told = [format!("content {digest} has 5 bytes, not 7 as on record")];
    assert_eq!(report.catalog, told);
}

/// A catalog in which a worker commits just before the last look of a verification.
struct Meanwhile<'a> {
    site: &'a Site,
    looks: AtomicU32,
}

impl Catalog for Meanwhile<'_> {
    fn read(&self) -> Result<Box<dyn Reader + '_>> {
        // The rows, what refers to them, and what looked wrong once more.
        if self.looks.fetch_add(1, Ordering::SeqCst) == 2 {
            self.site.commit("a.txt", b"under way");
        }
        self.site.catalog.read()
    }

    fn write(&self) -> Result<Box<dyn crate::Writer + '_>> {
        self.site.catalog.write()
    }
}

/// Published, not yet committed: so it looks to a verification that comes in between.
#[test]
fn a_content_committed_during_the_grace_is_no_orphan() {
    let site = Site::new();
    let digest = site.put(b"under way");
    let (begun, grace) = (Instant::now(), Duration::from_millis(50));
    let catalog = Meanwhile { site: &site, looks: AtomicU32::new(0) };
    let report = verify_within(&catalog, &site.contents, false, grace, &mut |_| {}).unwrap();
    assert!(begun.elapsed() >= grace);
    assert_eq!(catalog.looks.into_inner(), 3);
    assert!(report.is_clean() && report.documents == 0, "{report:?}");
    assert!(site.path(digest).exists());
}

/// What a crash leaves between the steps of a removal; a worker meets it, or the next repair does.
#[test]
fn a_removal_cut_off_harms_nobody() {
    for file_is_gone in [false, true] {
        for a_worker_comes_first in [false, true] {
            let site = Site::new();
            let digest = site.put(b"doomed");
            let mut writer = site.catalog.write().unwrap();
            assert!(writer.doom_content(digest).unwrap());
            writer.commit().unwrap();
            if file_is_gone {
                fs::remove_file(site.path(digest)).unwrap();
            }
            if a_worker_comes_first {
                // Its content was stored before all this.
                site.commit("a.txt", b"doomed");
            }
            let report = site.verify(true);
            assert!(report.is_clean(), "{report:?}");
            assert_eq!(site.path(digest).exists(), a_worker_comes_first);
        }
    }
}

/// Workers file the same few contents again and again, and some give up after storing, while repairs remove what
/// those leave behind. In the end every document must have its content.
#[test]
fn repair_runs_while_workers_file() {
    let site = Site::new();
    let (done, looks) = (AtomicBool::new(false), AtomicU32::new(0));
    let (mut repaired, mut wrong) = (0, Vec::new());
    std::thread::scope(|scope| {
        let worker = |worker: u8| {
            let (site, looks) = (&site, &looks);
            scope.spawn(move || {
                // One content is met for certain: a whole repair runs while it is stored and not filed yet.
                let own = [worker];
                site.put(&own);
                let before = looks.load(Ordering::SeqCst);
                while looks.load(Ordering::SeqCst) < before + 2 {
                    std::thread::sleep(Duration::from_millis(1));
                }
                site.file("a.txt", &own);
                for round in 0..60 {
                    let bytes = [b'a' + round];
                    if (round + worker).is_multiple_of(3) {
                        site.put(&bytes);
                        std::thread::sleep(Duration::from_millis(2));
                    }
                    site.file("a.txt", &bytes);
                }
            })
        };
        let workers = [worker(0), worker(1)];
        let done = &done;
        scope.spawn(move || {
            let ended = workers.map(|worker| worker.join());
            done.store(true, Ordering::SeqCst);
            assert!(ended.iter().all(|ended| ended.is_ok()));
        });
        while !done.load(Ordering::SeqCst) {
            let report = site.verify(true);
            repaired += report.repaired.len();
            wrong.extend(report.missing.into_iter().chain(report.damaged));
            looks.fetch_add(1, Ordering::SeqCst);
        }
    });
    assert_eq!(wrong, []);
    assert!(repaired > 0, "no repair met a worker: the test has shown nothing");
    let report = site.verify(false);
    assert!(report.is_clean() && report.documents == 122, "{report:?}");
}

/// A repair that fails anywhere, or whose commit leaves open what it did, leaves nothing that the next cannot mend.
#[test]
fn a_repair_may_fail_at_any_call() {
    for after_commit in [false, true] {
        for call in 1.. {
            let site = Site::new();
            site.file("a.txt", b"kept");
            let orphan = site.put(b"orphan");
            let (dir, faults) = (&site.folder, Faults::new());
            let catalog = SqliteCatalog::open(&dir.join("catalog.db")).unwrap();
            let contents = LocalContents::open(&dir.join("contents"), false).unwrap();
            let catalog = FaultyCatalog::new(Box::new(catalog), faults.clone());
            let contents = FaultyContents::new(Box::new(contents), faults.clone());
            faults.commit_before_failing(after_commit);
            faults.fail_at(call);
            let report = verify_within(&catalog, &contents, true, Duration::ZERO, &mut |_| {});
            let met = faults.calls() >= call;
            faults.reset();
            if let Err(error) = &report {
                assert!(matches!(error, Error::Io { .. } | Error::Catalog { .. }), "{error}");
            }
            let again = site.verify(true);
            assert!(again.is_clean(), "call {call}: {again:?}");
            assert!(!site.path(orphan).exists());
            if !met {
                assert!(report.unwrap().is_clean());
                assert!(call > 10);
                break;
            }
        }
    }
}

/// Stops the process at each point of storing and of removing; then a repair must leave a clean site that still has
/// what was committed.
#[test]
fn killed_at_each_point() {
    const SITE: &str = "MAILSHELF_TEST_SITE";
    if let Some(folder) = std::env::var_os(SITE) {
        let site = Site::at(std::path::Path::new(&folder));
        site.file("b.txt", b"second");
        site.verify(true);
        return;
    }
    let points = ["contents-written", "contents-published", "contents-doomed", "contents-removed"];
    for (point, documents) in points.into_iter().zip([1, 1, 2, 2]) {
        let site = Site::new();
        site.file("a.txt", b"first");
        let orphan = site.put(b"orphan");
        let child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "verify::tests::killed_at_each_point"])
            .env(SITE, &site.folder)
            .env("MAILSHELF_FAILPOINT", format!("{point}=abort"))
            .output()
            .unwrap();
        assert_eq!(child.status.code(), None, "{point} was never reached");
        let report = site.verify(true);
        assert!(report.is_clean(), "{point}: {report:?}");
        assert_eq!(report.documents, documents, "{point}");
        assert_eq!(site.catalog.read().unwrap().content(orphan).unwrap(), None);
        assert!(!site.path(orphan).exists() && site.path(Digest::of(b"first")).exists());
        assert_eq!(site.path(Digest::of(b"second")).exists(), documents == 2, "{point}");
    }
}

#[test]
fn a_wrong_sum_is_told_and_put_right() {
    let site = Site::new();
    site.file("a.txt", b"12345");
    let behind = rusqlite::Connection::open(site.folder.join("catalog.db")).unwrap();
    behind.execute_batch("UPDATE libraries SET used = 1000").unwrap();
    let wrong = ["library invoices has 1000 bytes on record, and its documents come to 5"];
    assert_eq!(site.verify(false).catalog, wrong);
    let repaired = site.verify(true);
    let mended = ["set the bytes of library invoices from 1000 to 5".to_owned()];
    assert_eq!((repaired.repaired.as_slice(), repaired.is_clean()), (&mended[..], true));
    assert!(site.verify(false).is_clean());
}
