//! Where the file of a mail is once it has left the drop: claimed, in badmail, kept aside; or nowhere any more.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use mailshelf_storage::digest::Hasher;
use mailshelf_storage::{DeliveryId, Digest, Result};
use serde::Serialize;

use crate::config::{Config, Limits};
use crate::dispose::aside::entries;
use crate::drop::{CLAIMS, Claimed, Format, NotTaken, open_regular, shown};
use crate::envelope;
use crate::pass::prepare::at_most;
use crate::replay::spool::Spool;

/// What became of the file of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// A worker has it: its fate is not final, or the file not yet disposed of.
    Claimed,
    /// It was given up.
    Badmail,
    /// It was rejected, and is kept.
    Kept,
}

/// A file that bears the delivery id of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What became of it.
    pub place: Place,
    /// It is a copy that a replay made.
    pub replay: bool,
    /// Where it stands.
    pub path: PathBuf,
}

impl Found {
    /// The path as people may see it: bytes that are not UTF-8 as `\xNN`.
    pub fn shown_path(&self) -> String {
        shown(self.path.as_os_str())
    }
}

/// Every file of a delivery outside the contents. In the order in which a file moves, so that one that moves meanwhile
/// is met again and not missed.
pub fn find(config: &Config, id: DeliveryId) -> Result<Vec<Found>> {
    let mut found = Vec::new();
    for (config, replay) in [(config, false), (&Spool::site(config), true)] {
        let mut add = |place, folder: &Path| -> Result<()> {
            found.extend(named(folder, id)?.into_iter().map(|path| Found { place, replay, path }));
            Ok(())
        };
        for node in entries(&config.drop.path.join(CLAIMS))? {
            let node = node?.path();
            if node.is_dir() {
                add(Place::Claimed, &node)?;
            }
        }
        add(Place::Badmail, &config.drop.badmail)?;
        // A replay keeps nothing: the source has it.
        if !replay {
            add(Place::Kept, &config.drop.kept)?;
        }
    }
    Ok(found)
}

fn named(folder: &Path, id: DeliveryId) -> Result<Vec<PathBuf>> {
    let begins = format!("{id}~");
    let is_named = |path: &Path| {
        path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(begins.as_bytes()))
    };
    let paths = entries(folder)?.map(|entry| Ok(entry?.path()));
    paths.filter(|path| path.as_ref().map_or(true, |path| is_named(path))).collect()
}

/// Where in a file the message with this digest begins: below its envelope block, or at once, as in a Maildir. The
/// digest decides and not the drop's format, which may have been another one when the file came. `None` if it is
/// another message.
pub fn message_at(
    path: &Path,
    digest: Digest,
    limits: &Limits,
) -> std::result::Result<Option<u64>, NotTaken> {
    let taken = Claimed::alone(path, Format::Folder).read(at_most(limits))?;
    let below = envelope::folder(&taken.bytes).message;
    let (mut of_all, mut of_message) = (Hasher::default(), Hasher::default());
    of_all.update(&taken.bytes);
    of_message.update(taken.bytes.get(below..).unwrap_or_default());
    if let Some(rest) = taken.rest {
        rest.each(|piece| {
            of_all.update(piece);
            of_message.update(piece);
        })?;
    }
    Ok(match digest {
        _ if of_message.finish() == digest => Some(below as u64),
        _ if of_all.finish() == digest => Some(0),
        _ => None,
    })
}

/// Opens such a file to read it; never through a link.
pub fn open(path: &Path) -> io::Result<File> {
    open_regular(path)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::config::Config;

    fn limits(message: u64) -> Limits {
        Limits { message, attachment: 1, parts: 1, depth: 1, blocked_types: Vec::new() }
    }

    #[test]
    fn the_digest_tells_where_the_message_begins() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("mail");
        let block = "x-sender: a@b.org\r\nx-receiver: c@d.org\r\n";
        let message = format!("Received: x\r\nSubject: y\r\n\r\n{}", "0123456789".repeat(300_000));
        fs::write(&path, format!("{block}{message}")).unwrap();
        let whole = Digest::of(format!("{block}{message}").as_bytes());
        // Read whole, and as one beyond the limit.
        for limits in [limits(64 << 20), limits(1)] {
            let at = |digest| message_at(&path, digest, &limits).unwrap();
            assert_eq!(at(Digest::of(message.as_bytes())), Some(block.len() as u64));
            assert_eq!(at(whole), Some(0));
            assert_eq!(at(Digest::of(b"else")), None);
        }
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("/etc/hostname", &path).unwrap();
        assert!(message_at(&path, whole, &limits(1)).is_err());
        assert!(open(&path).is_err());
    }

    #[test]
    fn files_are_found_by_their_id_wherever_they_are() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("mailshelf.toml");
        fs::write(&file, "[site]\ndomains = [\"docs.example.org\"]\n").unwrap();
        let config = Config::load(&file).unwrap();
        let (drop, replay) = (&config.drop, Spool::site(&config).drop);
        let (id, other) = (DeliveryId::generate(), DeliveryId::generate());
        assert_eq!(find(&config, id).unwrap(), []);
        let node = drop.path.join(CLAIMS).join("n1");
        let copies = replay.path.join(CLAIMS).join("n1+replay");
        for folder in [&node, &drop.badmail, &drop.kept, &copies, &replay.badmail] {
            fs::create_dir_all(folder).unwrap();
            fs::write(folder.join(format!("{other}~a.eml")), "").unwrap();
            fs::write(folder.join(format!("{id}.eml")), "").unwrap();
        }
        fs::write(drop.path.join(CLAIMS).join(format!("{id}~no node")), "").unwrap();
        assert_eq!(find(&config, id).unwrap(), []);
        let name = format!("{id}~a.eml");
        let places = [
            (Place::Claimed, false, node),
            (Place::Badmail, false, drop.badmail.clone()),
            (Place::Kept, false, drop.kept.clone()),
            (Place::Claimed, true, copies),
            (Place::Badmail, true, replay.badmail),
        ];
        let expected =
            places.map(|(place, replay, folder)| Found { place, replay, path: folder.join(&name) });
        expected.iter().for_each(|found| fs::write(&found.path, "").unwrap());
        assert_eq!(find(&config, id).unwrap(), expected);
    }
}
