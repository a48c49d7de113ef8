//! Documents of the recycle bin, and what becomes of their contents.

use super::*;
use crate::RemovalId;
use crate::recycle::purge;

impl Site {
    fn remove(&self, name: &str) -> RemovalId {
        let removal = RemovalId::generate();
        let mut writer = self.catalog.write().unwrap();
        writer.remove_document(self.library, "f", name, removal).unwrap();
        writer.commit().unwrap();
        removal
    }

    fn purge(&self, removals: &[RemovalId]) -> u64 {
        let mut purged = 0;
        purge(&self.catalog, &self.contents, removals, "why", &mut |_| purged += 1).unwrap();
        purged
    }
}

#[test]
fn what_is_removed_keeps_its_content_until_it_is_purged() {
    let site = Site::new();
    let (shared, own) = (site.file("a", b"shared"), site.file("b", b"own"));
    site.file("c", b"shared");
    let removals = [site.remove("a"), site.remove("b")];
    let report = site.verify(true);
    assert!(report.is_clean() && (report.documents, report.removed) == (1, 2), "{report:?}");
    assert!(site.path(own).exists(), "a repair leaves it alone");
    assert_eq!(site.purge(&removals), 2);
    assert!(!site.path(own).exists());
    assert!(site.path(shared).exists(), "another document has it");
    assert_eq!(site.catalog.read().unwrap().content(own).unwrap(), None);
    let report = site.verify(false);
    assert!(report.is_clean() && (report.documents, report.removed) == (1, 0), "{report:?}");
    assert_eq!(site.purge(&removals), 0, "again is no harm");
}

#[test]
fn a_content_that_only_a_bin_has_is_missed_too() {
    let site = Site::new();
    let digest = site.file("a", b"own");
    site.remove("a");
    fs::remove_file(site.path(digest)).unwrap();
    let report = site.verify(true);
    let filed_as = vec![FiledAs { removed: true, ..filed_as("f/a") }];
    assert_eq!(report.missing, [Broken { digest, why: "missing".to_owned(), filed_as }]);
}

/// A purge that fails anywhere leaves the document in the bin, or nothing that a repair does not remove.
#[test]
fn a_purge_may_fail_at_any_call() {
    for after_commit in [false, true] {
        for call in 1.. {
            let site = Site::new();
            let own = site.file("a", b"own");
            let removal = site.remove("a");
            let (dir, faults) = (&site.folder, Faults::new());
            let catalog = SqliteCatalog::open(&dir.join("catalog.db")).unwrap();
            let contents = LocalContents::open(&dir.join("contents"), false).unwrap();
            let catalog = FaultyCatalog::new(Box::new(catalog), faults.clone());
            let contents = FaultyContents::new(Box::new(contents), faults.clone());
            faults.commit_before_failing(after_commit);
            faults.fail_at(call);
            let mut told = 0;
            let purged = purge(&catalog, &contents, &[removal], "why", &mut |_| told += 1);
            let met = faults.calls() >= call;
            faults.reset();
            assert_eq!(purged.is_err(), met, "call {call}");
            let again = site.verify(true);
            assert!(again.is_clean(), "call {call}: {again:?}");
            assert_eq!(site.path(own).exists(), again.removed == 1, "call {call}");
            // What an error of the commit means nobody knows; else what is gone was told, and nothing else.
            assert!(told + again.removed == 1 || (after_commit && told + again.removed == 0), "call {call}");
            if !met {
                assert!(call > 5 && again.removed == 0);
                break;
            }
        }
    }
}

/// Workers file the same few contents again and again while documents that have them are removed and purged.
#[test]
fn purges_run_while_workers_file() {
    let site = Site::new();
    let done = AtomicBool::new(false);
    let mut purged = 0;
    std::thread::scope(|scope| {
        let worker = || {
            let site = &site;
            scope.spawn(move || {
                for round in 0..60_u8 {
                    site.file("a", &[b'a' + round % 3]);
                }
            })
        };
        let workers = [worker(), worker()];
        let done = &done;
        scope.spawn(move || {
            let ended = workers.map(|worker| worker.join());
            done.store(true, Ordering::SeqCst);
            assert!(ended.iter().all(|ended| ended.is_ok()));
        });
        loop {
            let last = done.load(Ordering::SeqCst);
            let mut names = Vec::new();
            let visit = &mut |document: crate::model::Document| {
                names.push(document.name);
                Ok(())
            };
            site.catalog.read().unwrap().each_document(site.library, visit).unwrap();
            let removals: Vec<_> = names.iter().map(|name| site.remove(name)).collect();
            purged += site.purge(&removals);
            if last {
                break;
            }
        }
    });
    assert_eq!(purged, 120);
    let report = site.verify(false);
    assert!(report.is_clean() && (report.documents, report.contents) == (0, 0), "{report:?}");
}
