//! A site: a configuration and what it names, opened.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use mailshelf_storage::catalog::sqlite::SqliteCatalog;
use mailshelf_storage::contents::local::LocalContents;
use mailshelf_storage::{Catalog, Contents, Error, Login, Reader, Result};

use crate::config::{Config, DropFormat, apart};
use crate::drop::{self, DropError, DropFolder, Format};
use crate::sender::verify::Verifier;

pub mod declaration;
pub mod plan;

mod check;
mod trust;

pub use trust::Trusting;

/// This program, once more: the file that it was started from, whatever has its name by now (proc_pid_exe(5)).
pub const PROGRAM: &str = "/proc/self/exe";

/// A configuration with its catalog and its contents open.
pub struct Site {
    /// What was configured.
    pub config: Config,
    /// Everything known about documents, people and mails.
    pub catalog: Box<dyn Catalog>,
    /// Their bytes.
    pub contents: Box<dyn Contents>,
    /// The catalog's file as it was when it was opened.
    catalog_file: Option<(u64, u64)>,
    /// Who verifies signatures, where that is wanted; it remembers what DNS said.
    pub verifier: Option<Verifier>,
    /// The program that suspects are parsed by, alone; see [`crate::pass`].
    pub program: Option<PathBuf>,
}

impl Site {
    /// Opens what the configuration names. A catalog and a contents folder are made where their parents exist, but
    /// a contents folder only for a catalog that has no contents yet.
    ///
    /// What is set up wrongly is [`Error::Setup`], and stays so until somebody mends it; any other error is a fault
    /// of the site that may pass.
    pub fn open(config: Config) -> Result<Site> {
        check_set_up(&config)?;
        let catalog = SqliteCatalog::open(&config.storage.catalog)?;
        let reader = catalog.read()?;
        check_system_account(&config, &*reader)?;
        let empty = !reader.has_contents()?;
        drop(reader);
        let contents = LocalContents::open(&config.storage.contents, empty)?;
        let program = Path::new(PROGRAM).exists().then(|| PROGRAM.into());
        let catalog_file = identity(&config.storage.catalog);
        let verifier = Verifier::open(&config.sender);
        let (catalog, contents) = (Box::new(catalog), Box::new(contents));
        Ok(Site { config, catalog, contents, catalog_file, verifier, program })
    }

    /// Whether the catalog that is open is the one that has its name now. Put back from a copy, say, it is another one,
    /// and what is written to the old one is lost.
    pub fn stands(&self) -> bool {
        identity(&self.config.storage.catalog) == self.catalog_file
    }

    /// Opens the drop folder and takes its lock. Refused with [`DropError::Held`] while another pass has it.
    pub fn open_drop(&self) -> std::result::Result<DropFolder, DropError> {
        DropFolder::open(&self.config.drop_settings())
    }
}

impl Config {
    /// Where the drop is and how it is read.
    pub fn drop_settings(&self) -> drop::Settings {
        drop::Settings {
            path: self.drop.path.clone(),
            format: match self.drop.format {
                DropFormat::Auto => None,
                DropFormat::Folder => Some(Format::Folder),
                DropFormat::Maildir => Some(Format::Maildir),
            },
            settle: self.drop.settle,
            node: self.site.node.clone(),
        }
    }
}

/// A site that is only looked at: nothing is made, and nothing changes.
pub struct Look {
    /// What was configured.
    pub config: Config,
    /// Everything known about documents, people and mails.
    pub catalog: Box<dyn Catalog>,
    /// Who verifies signatures, where that is wanted.
    pub verifier: Option<Verifier>,
}

impl Look {
    /// Opens the catalog that a configuration names. What is set up wrongly is [`Error::Setup`], as in [`Site::open`];
    /// so is a catalog that is not there yet.
    pub fn open(config: Config) -> Result<Look> {
        check_set_up(&config)?;
        let catalog = SqliteCatalog::look(&config.storage.catalog)?;
        check_system_account(&config, &*catalog.read()?)?;
        let verifier = Verifier::open(&config.sender);
        Ok(Look { config, catalog: Box::new(catalog), verifier })
    }
}

/// Device and inode of what has this name.
fn identity(path: &Path) -> Option<(u64, u64)> {
    fs::metadata(path).ok().map(|found| (found.dev(), found.ino()))
}

fn check_set_up(config: &Config) -> Result<()> {
    if let Some(overlap) = apart::on_disk(config) {
        return Err(Error::Setup(format!("{overlap}, once links are followed; {}", apart::Overlap::HINT)));
    }
    check::check(config)
}

fn check_system_account(config: &Config, reader: &dyn Reader) -> Result<()> {
    match config.site.system_account.parse::<Login>() {
        Ok(login) if reader.user(&login)?.is_some() => Err(Error::Setup(format!(
            "site.system_account {login}: a user has this login, and would own what nobody proven has sent"
        ))),
        _ => Ok(()),
    }
}
