//! Disks that are full, lie, turn read-only or rot.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::bench::{Bench, Done};
use crate::mails::Scenario;
use crate::model::{Kind, Wrong};
use crate::mounts::{Mounts, command, text};
use crate::trace::{Act, changes};

/// What there is too little of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Scarce {
    Blocks,
    Inodes,
}

/// Runs with room for `at` - 1 more blocks, or files, where `part` of the site is: the drop, the contents, the rest. Gives
/// whether that was too little.
pub fn full(bench: &Bench, mounts: &Mounts, scenario: &Scenario, at: usize, part: usize, of: Scarce) -> Done {
    let folder = mounts.folder(part);
    mounts.limit(part, "size=1g,nr_inodes=100000");
    bench.place.put(&scenario.picture);
    let facts = rustix::fs::statvfs(folder).unwrap();
    let limit = match of {
        Scarce::Blocks => {
            // None at all would mean any number.
            format!("size={}", (facts.f_blocks - facts.f_bfree + at as u64 - 1).max(1) * facts.f_frsize)
        }
        Scarce::Inodes => format!("nr_inodes={}", facts.f_files - facts.f_ffree + at as u64 - 1),
    };
    mounts.limit(part, &limit);
    let (code, mut wrong) = bench.run();
    wrong.extend(bench.judge_any_moment(&scenario.mails));
    // Whatever the program says of it.
    let facts = rustix::fs::statvfs(folder).unwrap();
    let failed = code != Some(0) || facts.f_bfree == 0 || facts.f_ffree == 0;
    mounts.limit(part, "size=1g,nr_inodes=100000");
    wrong.extend(bench.recover_and_judge(&scenario.mails));
    Done::case(failed.then_some("full"), wrong)
}

/// Runs on a disk image for which there is no room: writes that were accepted fail when they are written back. Gives
/// whether anything failed.
pub fn thin(bench: &Bench, mounts: &Mounts, scenario: &Scenario, at: usize) -> Done {
    mounts.limit_below("size=1g");
    bench.place.put(&scenario.picture);
    mounts.sync();
    // What the file system itself still has to write is written; 16 KiB more at each step.
    mounts.limit_below(&format!("size={}", mounts.used_below() + (at as u64 - 1) * (16 << 10)));
    let (code, mut wrong) = bench.run();
    mounts.limit_below("size=1g");
    mounts.mend_and_mount();
    wrong.extend(bench.judge_any_moment(&scenario.mails));
    wrong.extend(bench.recover_and_judge(&scenario.mails));
    let failed = code != Some(0);
    Done::case(failed.then_some("full"), wrong)
}

/// The file system finds itself broken at the call `at` of those that change it, and turns read-only.
pub fn read_only(bench: &Bench, mounts: &Mounts, scenario: &Scenario, at: usize) -> Done {
    bench.place.put(&scenario.picture);
    mounts.sync();
    let (ended, mut wrong) = bench.disturbed(changes, at, Act::Meanwhile(&mut || mounts.find_broken()));
    mounts.mend_and_mount();
    wrong.extend(bench.judge_any_moment(&scenario.mails));
    wrong.extend(bench.recover_and_judge(&scenario.mails));
    Done::at(ended.reached, wrong)
}

/// From the call `at` of those that change a disk nothing can be removed from the drop.
pub fn undeletable(bench: &Bench, scenario: &Scenario, at: usize) -> Done {
    bench.place.put(&scenario.picture);
    let drop = bench.place.drop();
    let folders = [drop.clone(), drop.join("new"), drop.join(".claimed"), drop.join(".claimed/torture")];
    let chattr = |flag: &str| {
        for folder in folders.iter().filter(|folder| folder.exists()) {
            command("chattr", &[flag, text(folder)]);
        }
    };
    let (ended, mut wrong) = bench.disturbed(changes, at, Act::Meanwhile(&mut || chattr("+i")));
    wrong.extend(bench.judge_any_moment(&scenario.mails));
    chattr("-i");
    wrong.extend(bench.recover_and_judge(&scenario.mails));
    Done::at(ended.reached, wrong)
}

/// What is done to a content.
const DAMAGES: [&str; 9] = [
    "first-bit",
    "middle-bit",
    "last-bit",
    "one-byte-less",
    "half",
    "empty",
    "one-byte-more",
    "deleted",
    "a-folder",
];

/// Damages one of the contents of a settled site: `verify` must find it and name it. Gives whether there is a damage
/// of number `at`.
pub fn damaged(bench: &Bench, scenario: &Scenario, at: usize) -> Done {
    bench.place.put(&scenario.picture);
    let mut wrong = bench.recover_and_judge(&scenario.mails);
    let contents = contents(&bench.place.contents());
    let Some((file, damage)) =
        contents.get((at - 1) / DAMAGES.len()).map(|file| (file, DAMAGES[(at - 1) % DAMAGES.len()]))
    else {
        return Done::case(None, wrong);
    };
    spoil(file, damage);
    let verify = bench.place.output(&["verify", "--json"]);
    let digest = file.file_name().unwrap().to_string_lossy();
    if verify.status.success() || !String::from_utf8_lossy(&verify.stdout).contains(&*digest) {
        let said = String::from_utf8_lossy(&verify.stdout).into_owned();
        wrong.push(Wrong {
            kind: Kind::Dangling,
            what: format!("{damage} of {digest} was not found: {said}"),
        });
    }
    Done::case(Some(damage), wrong)
}

fn contents(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .flat_map(|entry| fs::read_dir(entry.unwrap().path()).unwrap())
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
}

fn spoil(file: &Path, damage: &str) {
    // Contents are written by nobody.
    fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
    let size = fs::metadata(file).unwrap().len();
    let open = || OpenOptions::new().read(true).write(true).open(file).unwrap();
    let flip = |at: u64| {
        let (file, mut byte) = (open(), [0]);
        file.read_exact_at(&mut byte, at).unwrap();
        file.write_all_at(&[byte[0] ^ 1], at).unwrap();
    };
    match damage {
        "first-bit" => flip(0),
        "middle-bit" => flip(size / 2),
        "last-bit" => flip(size - 1),
        "one-byte-less" => open().set_len(size - 1).unwrap(),
        "half" => open().set_len(size / 2).unwrap(),
        "empty" => open().set_len(0).unwrap(),
        "one-byte-more" => open().set_len(size + 1).unwrap(),
        "deleted" => fs::remove_file(file).unwrap(),
        _ => {
            fs::remove_file(file).unwrap();
            fs::create_dir(file).unwrap();
        }
    }
}

/// Whether `chattr` can make a folder immutable here.
pub fn can_be_immutable(folder: &Path) -> bool {
    let chattr = |flag: &str| {
        Command::new("chattr").arg(flag).arg(folder).output().is_ok_and(|ran| ran.status.success())
    };
    chattr("+i") && chattr("-i")
}
