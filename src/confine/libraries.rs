//! What this program is made of on disk: itself, its loader, and the libraries that it has loaded.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Every file that this process runs code of, as the system tells it; none where it does not.
pub fn loaded() -> BTreeSet<PathBuf> {
    files(&fs::read_to_string("/proc/self/maps").unwrap_or_default())
}

/// The files of `/proc/self/maps` (proc_pid_maps(5)) that are mapped to be run: the sixth field, where that is a path.
fn files(maps: &str) -> BTreeSet<PathBuf> {
    let path = |line: &str| {
        let (fields, path) = line.split_once('/')?;
        let may_run = fields.split_ascii_whitespace().nth(1)?.contains('x');
        let stands = may_run && !path.ends_with(" (deleted)");
        stands.then(|| Path::new("/").join(path))
    };
    maps.lines().filter_map(path).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_mapped_to_be_run_is_told_once() {
        let maps = "55d0-55d4 r--p 00000000 fe:01 11 /usr/local/bin/mailshelf\n\
                    55d4-55d8 r-xp 00004000 fe:01 11                   /usr/local/bin/mailshelf\n\
                    55d8-55e0 r-xp 00004000 fe:01 11                   /usr/local/bin/mailshelf\n\
                    7f00-7f10 r-xp 00000000 fe:01 12                   /nix/store/a b/libc.so.6\n\
                    7f10-7f20 rw-s 00000000 fe:01 13                   /srv/state/catalog.db-shm\n\
                    7f20-7f30 r-xp 00000000 fe:01 14                   /usr/lib/libold.so (deleted)\n\
                    7ffc-7ffd rw-p 00000000 00:00 0                    [stack]\n\
                    7ffd-7fff r-xp 00000000 00:00 0                    [vdso]\n\
                    7fff-8000 rw-p 00000000 00:00 0\n";
        let found: Vec<_> = files(maps).into_iter().collect();
        assert_eq!(found, ["/nix/store/a b/libc.so.6", "/usr/local/bin/mailshelf"].map(PathBuf::from));
    }

    #[test]
    fn this_program_is_among_them() {
        assert!(loaded().contains(&std::env::current_exe().unwrap()));
    }
}
