//! TNEF: no bytes make the reader panic, what it finds stands within them, and it finds no more than it may.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mailshelf::message::tnef::{self, Limits};

fuzz_target!(|bytes: &[u8]| {
    // The checksums of a stream are hard to guess: they are put right first.
    let mended = mended(bytes);
    for bytes in [bytes, &mended] {
        let limits = Limits { parts: 50, depth: 4 };
        let Ok(found) = tnef::read(bytes, &limits) else { continue };
        assert!(found.attachments.len() <= found.parts && found.parts <= limits.parts);
        for one in &found.attachments {
            assert!(bytes.get(one.data.clone()).is_some());
        }
        let mut looked_at = 0;
        found.bodies(bytes, |body| looked_at += body.len());
        assert!(looked_at <= 64 * (bytes.len() * 9 + 4096));
    }
});

/// The same with right checksums, as far as the lengths hold; those of inner streams come right before the outer one's.
fn mended(bytes: &[u8]) -> Vec<u8> {
    let mut mended = bytes.to_vec();
    let starts: Vec<usize> =
        bytes.windows(4).enumerate().filter(|(_, four)| *four == tnef::SIGNATURE).map(|(at, _)| at).collect();
    for start in starts.into_iter().rev().take(8) {
        let mut at = start + 6;
        while let Some(length) = mended.get(at + 5..).and_then(<[u8]>::first_chunk) {
            let data = at + 9;
            let end = data.saturating_add(u32::from_le_bytes(*length) as usize);
            let Some(content) = mended.get(data..end) else { break };
            let sum = content.iter().fold(0u16, |sum, &byte| sum.wrapping_add(byte.into()));
            let Some(place) = mended.get_mut(end..end + 2) else { break };
            place.copy_from_slice(&sum.to_le_bytes());
            at = end + 2;
        }
    }
    mended
}
