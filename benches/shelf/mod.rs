//! A site to measure passes of, and such a pass.

use std::fs;
use std::path::Path;

use jiff::Timestamp;
use mailshelf::config::Config;
use mailshelf::site::Site;
use mailshelf_storage::model::{LibrarySettings, SenderPolicy};
use tempfile::TempDir;

pub const MAILS: usize = 1000;
const ENVELOPE: &str = "x-sender: alice@example.org\r\nx-receiver: all@docs.example.org\r\n";

/// On the disk that the project is on: a temporary folder may be in memory.
pub fn folder() -> TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

pub fn fill(drop: &Path, mails: &[String]) {
    for (nth, mail) in mails.iter().enumerate() {
        fs::write(drop.join(format!("{nth:06}.eml")), format!("{ENVELOPE}{mail}")).unwrap();
    }
    sync(drop);
}

pub fn sync(folder: &Path) {
    rustix::fs::syncfs(fs::File::open(folder).unwrap()).unwrap();
}

/// With these mails in its drop, and the library `all`, which takes mail from anyone.
pub fn site(mails: &[String], save_original: bool, configuration: &str) -> (TempDir, Site) {
    let dir = folder();
    for made in ["drop", "state"] {
        fs::create_dir(dir.path().join(made)).unwrap();
    }
    fs::write(dir.path().join("mailshelf.toml"), configuration).unwrap();
    let site = Site::open(Config::load(&dir.path().join("mailshelf.toml")).unwrap()).unwrap();
    let settings =
        LibrarySettings { save_original, sender_policy: SenderPolicy::Anyone, ..LibrarySettings::default() };
    let mut writer = site.catalog.write().unwrap();
    let name = "all".parse().unwrap();
    writer.add_library(&name, &"all".parse().unwrap(), &settings, Timestamp::now()).unwrap();
    writer.commit().unwrap();
    fill(&dir.path().join("drop"), mails);
    (dir, site)
}
