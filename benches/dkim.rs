//! Verifying one signature, the key at hand: what a proven sender costs beside reading the mail.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a bench that cannot go on may stop")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use jiff::Timestamp;
use mail_auth::common::crypto::{DkimKey, Ed25519Key, RsaKey};
use mail_auth::common::headers::HeaderWriter;
use mail_auth::dkim::DkimSigner;
use mailshelf::sender::verify::{Finding, Verified, Verifier};
use rustls_pki_types::{PrivateKeyDer, pem::PemObject};

mod mails;

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let held = three.iter().fold(0, |held, &byte| held << 8 | u32::from(byte)) << (8 * (3 - three.len()));
        for nth in 0..4 {
            let sextet = usize::try_from(held >> (18 - 6 * nth) & 63).unwrap();
            text.push(if nth > three.len() { '=' } else { char::from(ALPHABET[sextet]) });
        }
    }
    text
}

fn keys() -> [(&'static str, DkimKey, String); 2] {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/dkim/keys/rsa2048.pem");
    let rsa =
        RsaKey::from_key_der(PrivateKeyDer::from_pem_slice(&std::fs::read(file).unwrap()).unwrap()).unwrap();
    let ed25519 = Ed25519Key::from_pkcs8_der(&Ed25519Key::generate_pkcs8().unwrap()).unwrap();
    let rsa_record = format!("v=DKIM1; k=rsa; p={}", base64(&rsa.public_key()));
    let ed25519_record = format!("v=DKIM1; k=ed25519; p={}", base64(&ed25519.public_key()));
    [("rsa-2048", rsa.into(), rsa_record), ("ed25519", ed25519.into(), ed25519_record)]
}

fn by_size(criterion: &mut Criterion) {
    let mut random = mails::Random::new(1);
    let mut group = criterion.benchmark_group("dkim");
    let from = "alice@example.org".parse().unwrap();
    let bodies: Vec<_> = [("10 KB", 10_000), ("1 MB", 1_000_000)]
        .map(|(size, bytes)| (size, mails::message(&mut random, 0, &[bytes])))
        .into();
    for (kind, key, record) in keys() {
        let fields = ["From", "To", "Subject", "Message-ID", "Date", "MIME-Version", "Content-Type"];
        let signer = DkimSigner::from_key(key).domain("example.org").selector("s").headers(fields);
        let records =
            [("s._domainkey.example.org", record.as_str()), ("_dmarc.example.org", "v=DMARC1; p=reject")];
        let verifier = Verifier::with_records(&[], &records);
        for (size, mail) in &bodies {
            let signed = signer.sign(mail.as_bytes()).unwrap().to_header() + mail;
            let verify = || {
                let deadline = Instant::now() + Duration::from_secs(60);
                verifier.verify(black_box(signed.as_bytes()), &from, Timestamp::now(), deadline)
            };
            let Verified::Found(findings) = verify() else { continue };
            assert!(matches!(findings[..], [Finding::Signed { .. }]), "{findings:?}");
            group.throughput(Throughput::Bytes(signed.len() as u64));
            group.bench_function(format!("{kind}/{size}"), |bench| bench.iter(verify));
        }
    }
    group.finish();
}

criterion_group!(benches, by_size);
criterion_main!(benches);
