//! Reading a message by size: limits, structure, header, decoding; and digests of what was decoded.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a bench that cannot go on may stop")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mailshelf::message::{self, Limits};
use mailshelf_storage::Digest;

mod mails;

fn by_size(criterion: &mut Criterion) {
    let mut random = mails::Random::new(1);
    let mut group = criterion.benchmark_group("message");
    for (size, sizes) in [
        ("text only", &[][..]),
        ("10 KB", &[10_000]),
        ("100 KB", &[100_000]),
        ("1 MB", &[1_000_000]),
        ("10 MB", &[10_000_000]),
        ("100 x 10 KB", &[10_000; 100]),
    ] {
        let mail = mails::message(&mut random, 0, sizes);
        group.throughput(Throughput::Bytes(mail.len() as u64));
        group.bench_function(format!("read/{size}"), |bench| {
            bench.iter(|| message::read(black_box(mail.as_bytes()), &Limits::default()).unwrap());
        });
        group.bench_function(format!("digest/{size}"), |bench| {
            bench.iter(|| Digest::of(black_box(mail.as_bytes())));
        });
    }
    group.finish();
}

criterion_group!(benches, by_size);
criterion_main!(benches);
