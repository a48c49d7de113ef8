//! Where a site stands: its drop, its contents and all else, each in a folder that may be a file system of its own.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

static PROGRAM: OnceLock<String> = OnceLock::new();

/// Takes a copy of the program into a folder: what is tried stays the same, whatever is built meanwhile.
pub fn take_program(folder: &Path) {
    let copy = folder.join("mailshelf");
    fs::copy(env!("CARGO_BIN_EXE_mailshelf"), &copy).unwrap();
    PROGRAM.get_or_init(|| copy.to_str().unwrap().to_owned());
}

pub fn program() -> &'static str {
    PROGRAM.get().unwrap()
}

fn command(config: &Path, arguments: &[&str]) -> Vec<String> {
    let begin = [program(), "--config", &config.display().to_string()].map(str::to_owned);
    begin.into_iter().chain(arguments.iter().map(|&one| one.to_owned())).collect()
}

pub const DOMAIN: &str = "docs.example.org";

/// The folders of a site; the configuration stands beside them.
#[derive(Debug, Clone)]
pub struct Place {
    root: PathBuf,
    /// Of the drop, of the contents, of the rest.
    below: [PathBuf; 3],
}

impl Place {
    /// Below one folder.
    pub fn new(root: &Path) -> Place {
        Place::spread(root, [root, root, root])
    }

    /// With the drop, the contents and the rest below a folder of their own each.
    pub fn spread(root: &Path, below: [&Path; 3]) -> Place {
        Place { root: root.to_path_buf(), below: below.map(Path::to_path_buf) }
    }

    pub fn drop(&self) -> PathBuf {
        self.below[0].join("drop")
    }

    pub fn contents(&self) -> PathBuf {
        self.below[1].join("contents")
    }

    pub fn state(&self) -> PathBuf {
        self.below[2].join("state")
    }

    pub fn config(&self) -> PathBuf {
        self.root.join("mailshelf.toml")
    }

    /// Writes the configuration and makes the folders.
    pub fn make(&self, rejected: &str) {
        for folder in [&self.root, &self.drop(), &self.contents(), &self.state()] {
            fs::create_dir_all(folder).unwrap();
        }
        let [drop, contents, state] =
            [self.drop(), self.contents(), self.state()].map(|path| path.display().to_string());
        let text = format!(
            "[site]\ndomains = [\"{DOMAIN}\"]\nnode = \"torture\"\n\
             [drop]\npath = \"{drop}\"\nsettle = \"0s\"\nrejected = \"{rejected}\"\n\
             kept = \"{state}/kept\"\nbadmail = \"{state}/badmail\"\n\
             [storage]\ncatalog = \"sqlite:{state}/catalog.db\"\ncontents = \"file:{contents}\"\n\
             [events]\nfile = \"{state}/events.jsonl\"\n"
        );
        fs::write(self.config(), text).unwrap();
    }

    /// The program and its arguments.
    pub fn command(&self, arguments: &[&str]) -> Vec<String> {
        command(&self.config(), arguments)
    }

    /// What it does; if it does not end, it is ended, with the exit code 124.
    pub fn output(&self, arguments: &[&str]) -> Output {
        self.output_as(&self.config(), arguments)
    }

    /// The same with another configuration.
    pub fn output_as(&self, config: &Path, arguments: &[&str]) -> Output {
        Command::new("timeout")
            .args(["--kill-after=1", "120"])
            .args(command(config, arguments))
            .output()
            .unwrap()
    }

    pub fn ok(&self, arguments: &[&str]) -> String {
        let output = self.output(arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// All that is there, to be put elsewhere.
    pub fn picture(&self) -> Picture {
        let mut kept = [const { Vec::new() }; 3];
        for (folder, kept) in [self.drop(), self.contents(), self.state()].iter().zip(&mut kept) {
            read(folder, Path::new(""), kept);
        }
        Picture { folders: kept, config: fs::read_to_string(self.config()).unwrap() }
    }

    /// Makes the folders as they are in the picture, whatever was there; and what becomes of rejected mail is as there.
    pub fn put(&self, picture: &Picture) {
        let is_rejected = |line: &&str| line.starts_with("rejected = ");
        let own = fs::read_to_string(self.config()).unwrap();
        let (was, wanted) =
            (own.lines().find(is_rejected).unwrap(), picture.config.lines().find(is_rejected).unwrap());
        fs::write(self.config(), own.replace(was, wanted)).unwrap();
        for (folder, entries) in [self.drop(), self.contents(), self.state()].iter().zip(&picture.folders) {
            if folder.exists() {
                fs::remove_dir_all(folder).unwrap();
            }
            for entry in entries {
                let path = folder.join(&entry.path);
                match &entry.bytes {
                    None => fs::create_dir_all(&path).unwrap(),
                    Some(bytes) => fs::write(&path, bytes).unwrap(),
                }
                fs::set_permissions(&path, Permissions::from_mode(entry.mode)).unwrap();
            }
        }
    }
}

/// A site as it stood at one moment, in memory.
pub struct Picture {
    folders: [Vec<Entry>; 3],
    config: String,
}

struct Entry {
    path: PathBuf,
    mode: u32,
    /// Nothing of a folder.
    bytes: Option<Vec<u8>>,
}

/// A folder before what is in it.
fn read(folder: &Path, path: &Path, into: &mut Vec<Entry>) {
    let whole = folder.join(path);
    let facts = fs::symlink_metadata(&whole).unwrap();
    let bytes = (!facts.is_dir()).then(|| fs::read(&whole).unwrap());
    into.push(Entry { path: path.to_path_buf(), mode: facts.permissions().mode(), bytes });
    if facts.is_dir() {
        let mut names: Vec<_> =
            fs::read_dir(&whole).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        for name in names {
            read(folder, &path.join(name), into);
        }
    }
}
