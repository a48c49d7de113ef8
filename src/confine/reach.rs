//! What a process that files mail must reach, as its configuration says.

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::{covers, identity, libraries, real};
use crate::config::{Config, Resolver, Verify};
use crate::drop::make_folder;

/// Who may do what with a place, and with what stands below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Right {
    /// Read, write, make, move, remove.
    Ours,
    /// Read, write, make.
    Grow,
    /// Read.
    Read,
    /// Read and run.
    Run,
    /// Read and write, but not make.
    Device,
}

/// The places, and the one port of others that TCP may be spoken to.
#[derive(Debug)]
pub struct Reach {
    pub(super) places: Vec<(PathBuf, Right)>,
    pub(super) port: Option<u16>,
}

/// A place that is written to.
pub(super) struct Place {
    pub path: PathBuf,
    pub right: Right,
    /// It is made where it is missing.
    pub is_made: bool,
}

impl Reach {
    /// What a pass of this site needs, its catalog and contents being open. Folders for mail that is kept aside are
    /// made where nothing else would let them be made later.
    pub fn of(config: &Config, program: Option<&Path>) -> Reach {
        let mut places = written(config);
        places.push((PathBuf::from("/dev/null"), Right::Device));
        // SQLite's.
        places.push((PathBuf::from("/dev/urandom"), Right::Read));
        places.extend(program.into_iter().flat_map(of_program));
        let asks = config.sender.verify != Verify::Off;
        let port = asks.then(|| match config.sender.resolver {
            Resolver::System => DNS,
            Resolver::At(address) => address.port(),
        });
        if asks && matches!(config.sender.resolver, Resolver::System) {
            places.extend(of_resolver());
        }
        Reach { places, port }
    }

    /// What whoever reads this one file alone needs; nothing of a link, which nobody follows.
    pub fn of_file(file: &Path) -> Reach {
        let is_file = fs::symlink_metadata(file).is_ok_and(|found| found.is_file());
        Reach { places: is_file.then(|| (real(file), Right::Read)).into_iter().collect(), port: None }
    }

    /// And reads this, and what stands below it.
    pub fn reading(mut self, path: &Path) -> Reach {
        self.places.push((real(path), Right::Read));
        self
    }

    /// And reads this file again, though it may be another one by then: editors make it anew. Its folder is what has to
    /// be reached; of a link, the one of the link too.
    pub fn reading_again(mut self, file: &Path) -> Reach {
        self.places.extend(folders(file).map(|folder| (folder, Right::Read)));
        self
    }

    /// And writes to this.
    pub fn writing(mut self, path: &Path) -> Reach {
        self.places.push((real(path), Right::Ours));
        self
    }
}

/// Where DNS is asked (RFC 1035 section 4.2).
const DNS: u16 = 53;

/// The folder of a file; of a link the folder that it stands in too.
pub(super) fn folders(file: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let named = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    [named, real(file)].into_iter().filter_map(|file| file.parent().map(real))
}

/// What a pass writes to: a folder each, for files are made in it, and moved, and synced with it.
pub(super) fn own_places(config: &Config) -> Vec<Place> {
    let drop = &config.drop;
    let place = |path: PathBuf| Place { path, right: Right::Ours, is_made: false };
    let mut places = vec![place(drop.path.clone()), place(config.storage.contents.clone())];
    // The folders of a Maildir may be links.
    places.extend(["new", "cur"].map(|part| place(drop.path.join(part))));
    // SQLite keeps its log beside the catalog, and follows links to it.
    places.extend(real(&config.storage.catalog).parent().map(Path::to_owned).map(place));
    // An event file that is there may stand among those of others.
    places.extend(folders(&config.events).map(|path| Place { right: Right::Grow, ..place(path) }));
    places.extend([&drop.kept, &drop.badmail].map(|folder| Place { is_made: true, ..place(folder.clone()) }));
    places
}

/// The same where they are. Folders that are made where they are missing are made now, unless that can be done later.
fn written(config: &Config) -> Vec<(PathBuf, Right)> {
    let (made, there): (Vec<_>, Vec<_>) = own_places(config).into_iter().partition(|place| place.is_made);
    let there = there.into_iter().map(|place| (real(&place.path), place.right));
    let mut places: Vec<_> = there.collect();
    let ours = places.iter().filter(|(_, right)| *right == Right::Ours);
    let ours: HashSet<_> = ours.filter_map(|(path, _)| identity(path)).collect();
    for place in made {
        let path = real(&place.path);
        if identity(&path).is_none() && !covers(&ours, &path) {
            // If it cannot be made, that is told once it is needed.
            let _ = make_folder(&path);
        }
        places.push((path, place.right));
    }
    places
}

/// What it takes to start this program once more: a suspect is read by a child.
fn of_program(program: &Path) -> Vec<(PathBuf, Right)> {
    let mut libraries = libraries::loaded();
    libraries.remove(&real(program));
    // An update gives a library another file, and perhaps another name.
    let folders: BTreeSet<_> =
        libraries.iter().filter_map(|file| file.parent()).map(Path::to_owned).collect();
    let mut places: Vec<_> = libraries.into_iter().map(|file| (file, Right::Run)).collect();
    // As it is named: what that leads to may have no name of its own any more.
    places.push((program.to_owned(), Right::Run));
    places.extend(folders.into_iter().map(|folder| (folder, Right::Read)));
    places.extend(["/etc/ld.so.cache", "/etc/ld.so.preload"].map(|file| (PathBuf::from(file), Right::Read)));
    places
}

/// What tells who answers questions to DNS. Often it is a link into a folder where it is made anew with each network.
fn of_resolver() -> Vec<(PathBuf, Right)> {
    const FILE: &str = "/etc/resolv.conf";
    let file = real(Path::new(FILE));
    let folder = file.parent().filter(|folder| *folder != Path::new("/etc")).map(Path::to_owned);
    let mut places = vec![(file, Right::Read), (PathBuf::from("/etc/hosts"), Right::Read)];
    places.extend(folder.map(|folder| (folder, Right::Read)));
    places
}
