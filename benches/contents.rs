//! Storing contents durably by size, beside plain writes of the same bytes that are not durable.

#![expect(clippy::unwrap_used, reason = "a bench that cannot go on may stop")]

use std::fs;

use criterion::{BatchSize, Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use mailshelf_storage::contents::local::LocalContents;
use mailshelf_storage::{Content, Contents, Digest};
use tempfile::TempDir;

fn folder() -> TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

fn by_size(criterion: &mut Criterion) {
    for (name, count, size) in [
        ("256 of 2 KiB", 256, 2 << 10),
        ("256 of 64 KiB", 256, 64 << 10),
        ("16 of 1 MiB", 16, 1 << 20),
        ("1 of 32 MiB", 1, 32 << 20),
    ] {
        let bytes: Vec<Vec<u8>> = (0..count).map(|nth: usize| vec![nth.to_le_bytes()[0]; size]).collect();
        let batch: Vec<_> = bytes.iter().map(|bytes| Content { digest: Digest::of(bytes), bytes }).collect();
        let mut group = criterion.benchmark_group(format!("contents/{name}"));
        group
            .throughput(Throughput::Bytes((count * size) as u64))
            .sample_size(10)
            .sampling_mode(SamplingMode::Flat);
        group.bench_function("plain writes", |bench| {
            bench.iter_batched(
                folder,
                |dir| {
                    batch
                        .iter()
                        .for_each(|c| fs::write(dir.path().join(c.digest.to_string()), c.bytes).unwrap());
                    dir
                },
                BatchSize::PerIteration,
            );
        });
        group.bench_function("durable batch", |bench| {
            let empty = || {
                let dir = folder();
                let store = LocalContents::open(&dir.path().join("contents"), true).unwrap();
                (dir, store)
            };
            bench.iter_batched(
                empty,
                |(dir, store)| {
                    store.put(&batch).unwrap();
                    (dir, store)
                },
                BatchSize::PerIteration,
            );
        });
        group.finish();
    }
}

criterion_group!(benches, by_size);
criterion_main!(benches);
