//! File systems made for a site, each below a worker's own folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::place::Place;

/// What the file systems are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Three in memory.
    Memory,
    /// So many of this kind, on loop devices.
    Loop { kind: &'static str, count: usize },
    /// One ext4 on an image in a memory file system that can be made too small.
    Thin,
}

pub struct Mounts {
    work: PathBuf,
    form: Form,
    folders: Vec<PathBuf>,
}

pub fn command(name: &str, arguments: &[&str]) {
    let run = || Command::new(name).args(arguments).output().unwrap();
    let mut output = run();
    // mount(8) reads a list of all mounts, and misses some of it while others mount and unmount.
    for _ in 0..20 {
        if output.status.success() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
        output = run();
    }
    assert!(output.status.success(), "{name} {arguments:?}: {output:?}");
}

pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Tries to make and to mount one of each kind; why that cannot be done.
pub fn loops(work: &Path) -> Result<(), String> {
    for kind in ["ext4", "xfs"] {
        let (image, at) = (work.join(format!("{kind}.image")), work.join(kind));
        fs::create_dir_all(&at).unwrap();
        fs::File::create(&image).unwrap().set_len(SIZE).unwrap();
        let force = if kind == "xfs" { "-f" } else { "-F" };
        for (name, arguments) in [
            (format!("mkfs.{kind}"), vec!["-q", force, text(&image)]),
            ("mount".to_owned(), vec!["-o", "loop", text(&image), text(&at)]),
            ("umount".to_owned(), vec![text(&at)]),
        ] {
            let output =
                Command::new(&name).args(arguments).output().map_err(|error| format!("{name}: {error}"))?;
            if !output.status.success() {
                return Err(format!("{name}: {}", String::from_utf8_lossy(&output.stderr).trim()));
            }
        }
        fs::remove_file(image).unwrap();
    }
    Ok(())
}

/// Of an image: the smallest that mkfs.xfs makes; of memory only what is used is taken.
const SIZE: u64 = 320 << 20;

impl Mounts {
    /// Makes and mounts them below `work`, an empty folder.
    pub fn make(work: &Path, form: Form) -> (Mounts, Place) {
        let count = match form {
            Form::Memory => 3,
            Form::Loop { count, .. } => count,
            Form::Thin => 1,
        };
        let folders: Vec<_> = (0..count).map(|nth| work.join(format!("mounted-{nth}"))).collect();
        let mounts = Mounts { work: work.to_path_buf(), form, folders };
        fs::create_dir_all(mounts.below()).unwrap();
        if form == Form::Thin {
            command("mount", &["-t", "tmpfs", "thin", text(&mounts.below())]);
        }
        for nth in 0..count {
            fs::create_dir_all(mounts.folder(nth)).unwrap();
            if form != Form::Memory {
                fs::File::create(mounts.image(nth)).unwrap().set_len(SIZE).unwrap();
                let kind = mounts.kind();
                let force = if kind == "xfs" { "-f" } else { "-F" };
                command(&format!("mkfs.{kind}"), &["-q", force, text(&mounts.image(nth))]);
            }
            mounts.mount(nth);
        }
        let below = [0, 1, 2].map(|nth: usize| mounts.folder(nth % count).to_path_buf());
        let place = Place::spread(&work.join("spread"), [&below[0], &below[1], &below[2]]);
        place.make("delete");
        (mounts, place)
    }

    pub fn form(&self) -> Form {
        self.form
    }

    pub fn folder(&self, nth: usize) -> &Path {
        &self.folders[nth]
    }

    fn kind(&self) -> &'static str {
        match self.form {
            Form::Loop { kind, .. } => kind,
            Form::Memory | Form::Thin => "ext4",
        }
    }

    /// Where the images are.
    fn below(&self) -> PathBuf {
        self.work.join("images")
    }

    fn image(&self, nth: usize) -> PathBuf {
        self.below().join(nth.to_string())
    }

    fn mount(&self, nth: usize) {
        let at = text(&self.folders[nth]);
        match self.kind() {
            _ if self.form == Form::Memory => command("mount", &["-t", "tmpfs", "memory", at]),
            "ext4" => command("mount", &["-o", "loop,errors=remount-ro", text(&self.image(nth)), at]),
            _ => command("mount", &["-o", "loop", text(&self.image(nth)), at]),
        }
    }

    pub fn sync(&self) {
        for at in &self.folders {
            command("sync", &["-f", text(at)]);
        }
    }

    /// Takes the power away; what becomes of the log of the file system is said by `flushed`.
    pub fn cut(&self, flushed: bool) {
        for at in &self.folders {
            let how = if flushed { "shutdown -f" } else { "shutdown" };
            command("xfs_io", &["-x", "-c", how, text(at)]);
        }
    }

    pub fn mount_again(&self) {
        for (nth, at) in self.folders.iter().enumerate() {
            command("umount", &[text(at)]);
            self.mount(nth);
        }
    }

    /// The same, with what was found broken put right as an administrator would.
    pub fn mend_and_mount(&self) {
        for (nth, at) in self.folders.iter().enumerate() {
            command("umount", &[text(at)]);
            let fsck = Command::new("fsck.ext4").args(["-y", text(&self.image(nth))]).output().unwrap();
            assert!(fsck.status.code() < Some(4), "{fsck:?}");
            self.mount(nth);
        }
    }

    /// Sets options of one in memory.
    pub fn limit(&self, nth: usize, options: &str) {
        command("mount", &["-o", &format!("remount,{options}"), text(&self.folders[nth])]);
    }

    /// Sets options of that which holds the images.
    pub fn limit_below(&self, options: &str) {
        command("mount", &["-o", &format!("remount,{options}"), text(&self.below())]);
    }

    /// How many bytes the images take.
    pub fn used_below(&self) -> u64 {
        let facts = rustix::fs::statvfs(self.below()).unwrap();
        (facts.f_blocks - facts.f_bfree) * facts.f_frsize
    }

    /// Makes ext4 believe that it found an error.
    pub fn find_broken(&self) {
        for at in &self.folders {
            let source = Command::new("findmnt").args(["-no", "SOURCE", text(at)]).output().unwrap();
            let source = String::from_utf8(source.stdout).unwrap();
            let device = source.trim().trim_start_matches("/dev/");
            fs::write(format!("/sys/fs/ext4/{device}/trigger_fs_error"), "torture").unwrap();
        }
    }
}

impl Drop for Mounts {
    fn drop(&mut self) {
        for at in &self.folders {
            let _ = Command::new("umount").arg(at).status();
        }
        if self.form == Form::Thin {
            let _ = Command::new("umount").arg(self.below()).status();
        }
        let _ = fs::remove_dir_all(self.below());
    }
}
