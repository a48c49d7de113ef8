//! Free space, and when it is too little.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use mailshelf_storage::{IoContext, Result};

/// Less than this is too little …
const LEAST: u64 = 1 << 30;
/// … or less than one part in so many, on small file systems.
const PART: u64 = 20;

/// The file system that a place is on.
#[derive(Debug)]
pub struct Space {
    key: &'static str,
    path: PathBuf,
    device: u64,
    /// Bytes that may still be written by who is not root.
    pub free: u64,
    /// Bytes in all.
    total: u64,
}

impl Space {
    pub fn of(key: &'static str, path: &Path) -> Result<Space> {
        let facts = rustix::fs::statvfs(path).while_doing("look at the file system of", path)?;
        let device = fs::metadata(path).while_doing("look at", path)?.dev();
        let (free, total) =
            (facts.f_bavail.saturating_mul(facts.f_frsize), facts.f_blocks.saturating_mul(facts.f_frsize));
        Ok(Space { key, path: path.to_owned(), device, free, total })
    }

    /// How much should be free at least.
    fn least(&self) -> u64 {
        LEAST.min(self.total / PART)
    }
}

/// A sentence for each file system that is short of space.
pub fn shortages(spaces: impl Iterator<Item = Space>) -> Vec<String> {
    let mut seen = Vec::new();
    let mut found = Vec::new();
    for space in spaces.filter(|space| space.free < space.least()) {
        if !seen.contains(&space.device) {
            seen.push(space.device);
            let (free, least) = (size(space.free), size(space.least()));
            let Space { key, path, .. } = &space;
            found.push(format!(
                "{key} {}: {free} free on its file system, less than {least}: make room, or move it to another",
                path.display()
            ));
        }
    }
    found
}

/// A size with its unit, cut to a tenth.
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    let mut shown = format!("{bytes} bytes");
    let mut tenths = u128::from(bytes) * 10;
    for unit in UNITS {
        tenths /= 1024;
        if tenths < 10 {
            break;
        }
        shown = format!("{}.{} {unit}", tenths / 10, tenths % 10);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn space(free: u64, total: u64, device: u64) -> Space {
        Space { key: "storage.contents", path: "/srv/c".into(), device, free, total }
    }

    #[test]
    fn too_little_is_a_twentieth_or_a_gibibyte_whichever_is_less() {
        let short = |free, total| !shortages([space(free, total, 1)].into_iter()).is_empty();
        assert!(short((1 << 30) - 1, 1 << 40) && !short(1 << 30, 1 << 40));
        assert!(short(49, 1000) && !short(50, 1000));
        // A file system that does not know.
        assert!(!short(0, 0));
        let told = shortages([space(0, 1 << 40, 1), space(0, 1 << 40, 1), space(0, 2000, 2)].into_iter());
        assert_eq!(
            told,
            [
                "storage.contents /srv/c: 0 bytes free on its file system, less than 1.0 GiB: make room, or move it to another",
                "storage.contents /srv/c: 0 bytes free on its file system, less than 100 bytes: make room, or move it to another",
            ]
        );
    }

    #[test]
    fn sizes_have_the_largest_unit_that_fits() {
        let told = [0, 1023, 1024, 1536, 1 << 20, (1 << 30) - 1, 5 << 40, u64::MAX].map(size);
        let expected = [
            "0 bytes",
            "1023 bytes",
            "1.0 KiB",
            "1.5 KiB",
            "1.0 MiB",
            "1023.9 MiB",
            "5.0 TiB",
            "16777215.9 TiB",
        ];
        assert_eq!(told, expected);
    }
}
