//! `mailshelf mail get`: the mail as it was received.

use std::io::{Seek, SeekFrom};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use mailshelf::drop::shown;
use mailshelf::site::Site;
use mailshelf::whereabouts;
use mailshelf_storage::model::{Mail, MailState, Outcome, OutcomeKind};
use mailshelf_storage::{Digest, Error};

use super::find;
use crate::cli::document::target;
use crate::cli::failed;

pub fn get(site: &Site, id: &str, output: Option<&Path>) -> anyhow::Result<()> {
    let reader = site.catalog.read()?;
    let delivery = find(&*reader, id)?;
    let gone = || Error::NotFound { what: "mail", name: delivery.to_string() };
    let mail = reader.mail(delivery)?.ok_or_else(gone)?;
    let outcomes = reader.outcomes(delivery)?;
    let Some(digest) = mail.digest else { return Err(never_read(site, &mail)) };
    let known = reader.content(digest)?.filter(|known| !known.doomed);
    drop(reader);
    let contents = || target::write(&|| Ok(site.contents.open(digest)?), digest, output);
    if known.is_some_and(|known| matches!(site.contents.size(digest), Ok(Some(size)) if size == known.size)) {
        return contents();
    }
    let (path, at) = match aside(site, &mail, digest)? {
        Some(found) => found,
        // Says what is wrong with it.
        None if known.is_some() => return contents(),
        None => return Err(not_kept(site, &mail, &outcomes)),
    };
    let open = || {
        let mut file =
            whereabouts::open(&path).with_context(|| format!("file {}: cannot open", shown(&path)))?;
        file.seek(SeekFrom::Start(at)).with_context(|| format!("file {}: cannot read", shown(&path)))?;
        Ok(Box::new(file) as Box<_>)
    };
    target::write(&open, digest, output)
}

/// The file that holds the mail outside the contents, and where in it the message begins. A file with other bytes is
/// somebody else's, whatever its name.
fn aside(site: &Site, mail: &Mail, digest: Digest) -> anyhow::Result<Option<(PathBuf, u64)>> {
    let mut why = None;
    for found in whereabouts::find(&site.config, mail.delivery)? {
        let path = found.shown_path();
        match whereabouts::message_at(&found.path, digest, &site.config.limits) {
            Ok(Some(at)) => return Ok(Some((found.path, at))),
            Ok(None) => why = Some(format!("file {path}: its bytes are not those that were taken")),
            Err(error) => why = Some(format!("file {path}: {error}")),
        }
    }
    match why {
        Some(why) => Err(anyhow::anyhow!("mail {}: {why}", mail.delivery)),
        None => Ok(None),
    }
}

fn never_read(site: &Site, mail: &Mail) -> anyhow::Error {
    let files = whereabouts::find(&site.config, mail.delivery).unwrap_or_default();
    let hint = match files.first() {
        Some(found) => format!("its file is {}", found.shown_path()),
        None => on_record(mail),
    };
    failed(format!("mail {}: it could not be read, so nobody knows its bytes", mail.delivery), hint)
}

fn on_record(mail: &Mail) -> String {
    format!("`mailshelf mail show {}` tells what is on record of it", mail.delivery)
}

fn not_kept(site: &Site, mail: &Mail, outcomes: &[Outcome]) -> anyhow::Error {
    let state = match mail.state {
        MailState::Open => Some("it is deferred, and its file is not found among the claims"),
        MailState::Badmail => Some("it was given up, and its file is not found in badmail"),
        MailState::Done => None,
    };
    if let Some(state) = state {
        return failed(format!("mail {}: {state}", mail.delivery), on_record(mail));
    }
    let filed = |outcome: &&Outcome| matches!(outcome.kind, OutcomeKind::Filed | OutcomeKind::Duplicate);
    let Some(filed) = outcomes.iter().find(filed) else {
        let hint = "drop.rejected = \"keep\" keeps those to come";
        return failed(format!("mail {}: it was rejected, and not kept", mail.delivery), hint);
    };
    let libraries = site.catalog.read().and_then(|reader| reader.libraries()).unwrap_or_default();
    let library = libraries.iter().find(|library| filed.library == Some(library.id));
    let name = library.map_or("NAME", |library| library.name.as_str());
    failed(
        format!("mail {}: only its attachments were kept", mail.delivery),
        format!("`mailshelf library set {name} --save-original yes` keeps those to come"),
    )
}
