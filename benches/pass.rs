//! A pass over 1,000 mails, durable, beside copying the same files and syncing them: the ratio is what counts.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a bench that cannot go on may stop")]

use std::fs;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use criterion::{BatchSize, Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use mailshelf::config::TEMPLATE;
use mailshelf::pass::{Scope, run};
use mailshelf::site::Site;
use shelf::{MAILS, fill, folder, sync};
use tempfile::TempDir;

mod mails;
mod shelf;

fn site(mails: &[String], save_original: bool) -> (TempDir, Site) {
    shelf::site(mails, save_original, TEMPLATE)
}

fn pass((dir, site): (TempDir, Site)) -> (TempDir, Site) {
    let mut filed = 0;
    let (drop, stop) = (site.open_drop().unwrap(), AtomicBool::new(false));
    run(&site, &drop, Scope::Everything, &stop, |done| filed += done.event.processed).unwrap();
    assert_eq!(filed, MAILS as u64);
    (dir, site)
}

fn copy(dir: TempDir) -> TempDir {
    let to = dir.path().join("copy");
    fs::create_dir(&to).unwrap();
    for entry in fs::read_dir(dir.path().join("drop")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
    sync(&to);
    dir
}

fn filled(mails: &[String]) -> TempDir {
    let dir = folder();
    fs::create_dir(dir.path().join("drop")).unwrap();
    fill(&dir.path().join("drop"), mails);
    dir
}

fn passes(criterion: &mut Criterion) {
    let mut random = mails::Random::new(1);
    let ordinary: Vec<_> = (0..MAILS).map(|nth| mails::ordinary(&mut random, nth)).collect();
    let small: Vec<_> = (0..MAILS).map(|nth| mails::message(&mut random, nth, &[1500])).collect();
    for (kind, mails) in [("ordinary", &ordinary), ("small", &small)] {
        let bytes = mails.iter().map(String::len).sum::<usize>() as u64;
        // Both rates of the same passes: elements are mails.
        let throughput = Throughput::ElementsAndBytes { elements: MAILS as u64, bytes };
        let mut group = criterion.benchmark_group(format!("pass/{kind}"));
        group.throughput(throughput).sample_size(10).sampling_mode(SamplingMode::Flat);
        group.measurement_time(Duration::from_secs(10));
        group.bench_function("copy and sync", |bench| {
            bench.iter_batched(|| filled(mails), copy, BatchSize::PerIteration);
        });
        group.bench_function("attachments", |bench| {
            bench.iter_batched(|| site(mails, false), pass, BatchSize::PerIteration);
        });
        group.bench_function("attachments and originals", |bench| {
            bench.iter_batched(|| site(mails, true), pass, BatchSize::PerIteration);
        });
        group.finish();
    }
    criterion.bench_function("pass/empty", |bench| {
        let (_dir, site) = site(&[], false);
        let folder = site.open_drop().unwrap();
        bench.iter(|| run(&site, &folder, Scope::Everything, &AtomicBool::new(false), drop).unwrap());
    });
}

criterion_group!(benches, passes);
criterion_main!(benches);
