//! The watch: rings the bell as soon as mail seems to arrive. The only user of `notify`.
//!
//! Nothing rests on it. An event may be lost, late or wrong, a folder may be replaced under it: the next tick of the
//! clock finds the mail, and whether the watch still looks at the folders that are there.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use mailshelf_storage::IoContext;
use notify::event::{AccessKind, AccessMode, ModifyKind, RenameMode};
use notify::{Config, Event, EventKind, PollWatcher, RecommendedWatcher, RecursiveMode, Watcher};

use super::Bell;
use crate::config::WatchMode;
use crate::drop::DropFolder;
use crate::escape::Escaped;

/// How often a folder is listed where nobody tells of changes.
const POLL: Duration = Duration::from_secs(5);

/// Folders under watch, until dropped.
pub struct Watch {
    how: &'static str,
    /// Each folder, open: so its inode cannot become another folder's, and a new one of its name is known for new.
    folders: Vec<(PathBuf, File)>,
    _watcher: Box<dyn Watcher + Send>,
}

impl Watch {
    /// Watches a drop as the configuration says; `None` if it says off. By itself it has the system tell of changes
    /// or, where that cannot know of all of them or has no room for another watch, looks every few seconds.
    pub fn open(mode: WatchMode, drop: &DropFolder, bell: &Bell) -> Result<Option<Watch>, String> {
        match mode {
            WatchMode::Off => Ok(None),
            WatchMode::Inotify => Watch::told(drop, bell).map(Some),
            WatchMode::Poll => Watch::polled(drop, bell).map(Some),
            WatchMode::Auto if drop.is_remote() => Watch::polled(drop, bell).map(Some),
            WatchMode::Auto => {
                let told = Watch::told(drop, bell).or_else(|why| {
                    tracing::warn!(why = %Escaped(&why), "no watch by inotify; the drop is looked at every few seconds");
                    Watch::polled(drop, bell)
                });
                told.map(Some)
            }
        }
    }

    fn told(drop: &DropFolder, bell: &Bell) -> Result<Watch, String> {
        let claims = claims_of(drop)?;
        // A mail that was claimed while it was being written ends there.
        let folders = drop.sources().iter().cloned().chain([claims.clone()]).collect();
        let bell = bell.clone();
        let handler = move |event: notify::Result<Event>| ring(&bell, &claims, event);
        let watcher = RecommendedWatcher::new(handler, Config::default());
        Watch::over(folders, Box::new(watcher.map_err(|error| said(&error))?), "inotify")
    }

    fn polled(drop: &DropFolder, bell: &Bell) -> Result<Watch, String> {
        let (bell, claims) = (bell.clone(), claims_of(drop)?);
        let handler = move |event: notify::Result<Event>| ring(&bell, &claims, event);
        let watcher = PollWatcher::new(handler, Config::default().with_poll_interval(POLL));
        Watch::over(drop.sources().to_vec(), Box::new(watcher.map_err(|error| said(&error))?), "poll")
    }

    fn over(
        folders: Vec<PathBuf>,
        mut watcher: Box<dyn Watcher + Send>,
        how: &'static str,
    ) -> Result<Watch, String> {
        let mut open = Vec::new();
        for folder in folders {
            let file = File::open(&folder).while_doing("open", &folder).map_err(|error| error.to_string())?;
            watcher.watch(&folder, RecursiveMode::NonRecursive).map_err(|error| said(&error))?;
            open.push((folder, file));
        }
        Ok(Watch { how, folders: open, _watcher: watcher })
    }

    /// By what it learns of changes.
    pub fn how(&self) -> &'static str {
        self.how
    }

    /// Whether the folders that it looks at are those that have their names now.
    pub fn stands(&self) -> bool {
        self.folders.iter().all(|(path, file)| is_still(path, file).unwrap_or(false))
    }
}

/// The claim folder as events name it: they are told of absolute paths.
fn claims_of(drop: &DropFolder) -> Result<PathBuf, String> {
    std::path::absolute(drop.claims()).map_err(|error| format!("cannot watch: {error}"))
}

fn is_still(path: &Path, file: &File) -> io::Result<bool> {
    let (named, open) = (fs::metadata(path)?, file.metadata()?);
    Ok((named.dev(), named.ino()) == (open.dev(), open.ino()))
}

fn said(error: &notify::Error) -> String {
    use notify::ErrorKind;
    let hint = match &error.kind {
        ErrorKind::MaxFilesWatch => "; raise fs.inotify.max_user_watches (sysctl)",
        ErrorKind::Io(cause) if cause.raw_os_error() == Some(rustix::io::Errno::MFILE.raw_os_error()) => {
            "; raise fs.inotify.max_user_instances (sysctl)"
        }
        _ => "",
    };
    format!("cannot watch: {error}{hint}")
}

fn ring(bell: &Bell, claims: &Path, event: notify::Result<Event>) {
    match event {
        Ok(event) => match meaning(claims, &event) {
            Some(Meaning::Arrival) => bell.arrival(),
            Some(Meaning::Finished) => bell.finished(),
            Some(Meaning::Overflow) => {
                bell.arrival();
                bell.finished();
            }
            None => {}
        },
        // Whatever it was about, a look does no harm.
        Err(error) => {
            tracing::warn!(why = %Escaped(&said(&error)), "watch");
            bell.arrival();
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Meaning {
    /// Something may have come to the drop.
    Arrival,
    /// A mail that was claimed while somebody wrote it is whole.
    Finished,
    /// Events were lost.
    Overflow,
}

/// What an event means; `None` for what is no news, such as what we do ourselves: claim, lock, list.
fn meaning(claims: &Path, event: &Event) -> Option<Meaning> {
    if event.need_rescan() {
        return Some(Meaning::Overflow);
    }
    let is_hidden =
        |path: &PathBuf| path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    if event.paths.iter().any(is_hidden) {
        return None;
    }
    let is_written = event.kind == EventKind::Access(AccessKind::Close(AccessMode::Write));
    if event.paths.iter().any(|path| path.parent() == Some(claims)) {
        return is_written.then_some(Meaning::Finished);
    }
    let is_new = matches!(
        event.kind,
        EventKind::Create(_) | EventKind::Modify(ModifyKind::Name(RenameMode::To | RenameMode::Any))
    );
    (is_new || is_written).then_some(Meaning::Arrival)
}

#[cfg(test)]
mod tests {
    use notify::event::{CreateKind, Flag, RemoveKind};

    use super::*;

    fn of(kind: EventKind, path: &str) -> Option<Meaning> {
        meaning(Path::new("/drop/.claimed/n1"), &Event::new(kind).add_path(path.into()))
    }

    #[test]
    fn every_way_to_deliver_is_an_arrival() {
        let closed = EventKind::Access(AccessKind::Close(AccessMode::Write));
        let renamed = EventKind::Modify(ModifyKind::Name(RenameMode::To));
        for kind in [EventKind::Create(CreateKind::File), closed, renamed] {
            assert_eq!(of(kind, "/drop/a.eml"), Some(Meaning::Arrival), "{kind:?}");
        }
        assert_eq!(of(closed, "/drop/.claimed/n1/01X~a.eml"), Some(Meaning::Finished));
    }

    #[test]
    fn what_we_do_ourselves_is_no_news() {
        let renamed = |mode| EventKind::Modify(ModifyKind::Name(mode));
        let closed = EventKind::Access(AccessKind::Close(AccessMode::Write));
        for (kind, path) in [
            (renamed(RenameMode::From), "/drop/a.eml"),
            (renamed(RenameMode::To), "/drop/.claimed/n1/01X~a.eml"),
            (EventKind::Create(CreateKind::Folder), "/drop/.claimed"),
            (closed, "/drop/.claimed/n1/.slots"),
            (EventKind::Remove(RemoveKind::File), "/drop/a.eml"),
            (EventKind::Access(AccessKind::Open(AccessMode::Any)), "/drop"),
        ] {
            assert_eq!(of(kind, path), None, "{kind:?} {path}");
        }
        let both = Event::new(renamed(RenameMode::Both))
            .add_path("/drop/a.eml".into())
            .add_path("/drop/.claimed/n1/01X~a.eml".into());
        assert_eq!(meaning(Path::new("/drop/.claimed/n1"), &both), None);
    }

    #[test]
    fn lost_events_may_have_been_anything() {
        let event = Event::new(EventKind::Other).set_flag(Flag::Rescan);
        assert_eq!(meaning(Path::new("/drop/.claimed/n1"), &event), Some(Meaning::Overflow));
    }
}
