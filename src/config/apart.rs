//! Every place of a site stands apart from every other. A drop is emptied, and the rest of a site is what a pass must
//! never take for mail; what is kept aside must not be taken for contents either.

use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

use super::Config;

/// Two places of which one is the other, or lies inside it.
#[derive(Debug, PartialEq, Eq)]
pub struct Overlap {
    /// The key of the one inside, or of either where they are the same.
    pub inner: &'static str,
    /// The key of the other.
    pub outer: &'static str,
    /// Where the inner one stands.
    pub path: PathBuf,
    same: bool,
}

impl std::fmt::Display for Overlap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let how = if self.same { "is the same as" } else { "lies inside" };
        write!(f, "{} {}: {how} {}", self.inner, self.path.display(), self.outer)
    }
}

impl Overlap {
    /// The way out.
    pub const HINT: &'static str =
        "give the drop and everything that the site keeps a place of its own, none inside another";
}

/// The first two of these places that do not stand apart. Paths are compared as they are: make them absolute first.
pub fn overlap(places: &[(&'static str, PathBuf)]) -> Option<Overlap> {
    places.iter().enumerate().find_map(|(nth, (name, path))| {
        places.iter().skip(nth + 1).find_map(|(other, there)| {
            let found =
                |inner, outer, path: &Path, same| Some(Overlap { inner, outer, path: path.to_owned(), same });
            match (path.starts_with(there), there.starts_with(path)) {
                _ if name == other => None,
                (true, same) => found(name, other, path, same),
                (false, true) => found(other, name, there, false),
                (false, false) => None,
            }
        })
    })
}

/// Every place of a site, under its key. SQLite keeps more files beside the catalog; they are the catalog's too.
fn places(config: &Config) -> Vec<(&'static str, PathBuf)> {
    let mut places = vec![
        ("the configuration", config.file.clone()),
        ("drop.path", config.drop.path.clone()),
        ("storage.contents", config.storage.contents.clone()),
        ("drop.kept", config.drop.kept.clone()),
        ("drop.badmail", config.drop.badmail.clone()),
        ("events.file", config.events.clone()),
        ("storage.catalog", config.storage.catalog.clone()),
    ];
    places.extend(["-wal", "-shm", "-journal"].map(|ending| {
        let mut path = OsString::from(&config.storage.catalog);
        path.push(ending);
        ("storage.catalog", path.into())
    }));
    places
}

/// Where a site's places overlap as they are written.
pub fn as_written(config: &Config) -> Option<Overlap> {
    let places: Vec<_> = places(config).into_iter().map(|(name, path)| (name, lexical(&path))).collect();
    overlap(&places)
}

/// Where they overlap once links are followed: only the file system knows.
pub fn on_disk(config: &Config) -> Option<Overlap> {
    let places: Vec<_> = places(config).into_iter().map(|(name, path)| (name, canonical(&path))).collect();
    overlap(&places)
}

/// Where one more place would overlap a site's, links followed. The configuration file is not asked: it is only read.
pub fn beside(config: &Config, name: &'static str, place: &Path) -> Option<Overlap> {
    let place = canonical(place);
    let places = places(config).into_iter().filter(|(_, path)| *path != config.file);
    places
        .map(|(key, path)| (key, canonical(&path)))
        .find_map(|other| overlap(&[(name, place.clone()), other]))
}

/// Absolute, without `.` and `..`.
fn lexical(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    absolute.components().fold(PathBuf::new(), |mut done, component| {
        match component {
            Component::CurDir => {}
            Component::ParentDir => drop(done.pop()),
            other => done.push(other),
        }
        done
    })
}

/// Absolute, with links followed as far as there is something.
fn canonical(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    for part in path.ancestors() {
        if let Ok(found) = part.canonicalize() {
            let rest = path.strip_prefix(part).unwrap_or(Path::new(""));
            return lexical(&found.join(rest));
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFAULT: [(&str, &str); 7] = [
        ("the configuration", "/site/mailshelf.toml"),
        ("drop.path", "/site/drop"),
        ("storage.contents", "/site/state/contents"),
        ("drop.kept", "/site/state/kept"),
        ("drop.badmail", "/site/state/badmail"),
        ("events.file", "/site/state/events.jsonl"),
        ("storage.catalog", "/site/state/catalog.db"),
    ];

    /// The default layout with one place moved.
    fn moved(key: &str, to: &str) -> Option<String> {
        let places: Vec<_> = DEFAULT
            .iter()
            .map(|&(name, path)| (name, PathBuf::from(if name == key { to } else { path })))
            .collect();
        overlap(&places).map(|overlap| overlap.to_string())
    }

    #[test]
    fn places_that_stand_apart_are_legal() {
        assert_eq!(moved("", ""), None);
        for (key, to) in [
            ("drop.path", "/site/state/drop"),
            ("drop.path", "/var/spool/drop"),
            // A name that only begins alike is another.
            ("drop.kept", "/site/drop-kept"),
            ("events.file", "/site/events.jsonl"),
        ] {
            assert_eq!(moved(key, to), None, "{key} {to}");
        }
    }

    #[test]
    fn no_place_is_or_lies_inside_another() {
        for (key, to, told) in [
            ("drop.path", "/site", "the configuration /site/mailshelf.toml: lies inside drop.path"),
            ("drop.path", "/", "the configuration /site/mailshelf.toml: lies inside drop.path"),
            ("drop.path", "/site/state", "storage.contents /site/state/contents: lies inside drop.path"),
            (
                "drop.path",
                "/site/state/contents",
                "drop.path /site/state/contents: is the same as storage.contents",
            ),
            ("drop.path", "/site/state/kept/drop", "drop.path /site/state/kept/drop: lies inside drop.kept"),
            (
                "drop.path",
                "/site/state/badmail/a/b",
                "drop.path /site/state/badmail/a/b: lies inside drop.badmail",
            ),
            ("drop.kept", "/site/drop/kept", "drop.kept /site/drop/kept: lies inside drop.path"),
            (
                "drop.kept",
                "/site/state/badmail",
                "drop.kept /site/state/badmail: is the same as drop.badmail",
            ),
            ("drop.badmail", "/site/drop", "drop.path /site/drop: is the same as drop.badmail"),
            ("storage.contents", "/site/state", "drop.kept /site/state/kept: lies inside storage.contents"),
            (
                "storage.catalog",
                "/site/drop/catalog.db",
                "storage.catalog /site/drop/catalog.db: lies inside drop.path",
            ),
            (
                "storage.catalog",
                "/site/state/contents/c.db",
                "storage.catalog /site/state/contents/c.db: lies inside storage.contents",
            ),
            ("events.file", "/site/drop/e.jsonl", "events.file /site/drop/e.jsonl: lies inside drop.path"),
            (
                "events.file",
                "/site/mailshelf.toml",
                "the configuration /site/mailshelf.toml: is the same as events.file",
            ),
            (
                "events.file",
                "/site/state/kept/e.jsonl",
                "events.file /site/state/kept/e.jsonl: lies inside drop.kept",
            ),
        ] {
            assert_eq!(moved(key, to).as_deref(), Some(told), "{key} {to}");
        }
    }

    #[test]
    fn dots_lead_nowhere_else() {
        assert_eq!(lexical(Path::new("/site/./state/../drop/")), Path::new("/site/drop"));
        assert_eq!(lexical(Path::new("/../../x")), Path::new("/x"));
    }

    #[test]
    fn a_link_leads_where_it_points_and_what_is_missing_stays() {
        let dir = tempfile::tempdir().unwrap();
        let base = dir.path().canonicalize().unwrap();
        std::os::unix::fs::symlink(&base, base.join("link")).unwrap();
        assert_eq!(canonical(&base.join("link/not/yet")), base.join("not/yet"));
    }
}
