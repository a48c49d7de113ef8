//! What every store of contents and every catalog must do, as a suite that each implementation runs. It panics at
//! the first thing that is not so.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a suite of tests, for tests only: it fails by panicking"
)]

use jiff::Timestamp;

use crate::contents::Stored;
use crate::model::{
    Calendar, Clash, Level, LibrarySettings, Mail, MailFields, MailState, Member, NewDocument, Outcome,
    OutcomeKind, Pass, Principal, Role,
};
use crate::{
    Address, Alias, Catalog, Content, Contents, DeliveryId, Digest, Error, GroupName, LibraryId, LibraryName,
    Login, PassId, UserId, Writer,
};

mod store;
mod transactions;
mod people;
mod groups;
mod filing;
mod versions;
mod removed;
mod lookup;
mod history;
mod usage;

/// Tests a store of contents. `make` gives a new, empty one at each call.
pub fn contents(make: &dyn Fn() -> Box<dyn Contents>) {
    for test in store::TESTS {
        test(&*make());
    }
}

/// Tests a catalog. `make` gives a new, empty one at each call.
pub fn catalog(make: &dyn Fn() -> Box<dyn Catalog>) {
    let suites = [
        transactions::TESTS,
        people::TESTS,
        groups::TESTS,
        filing::TESTS,
        versions::TESTS,
        removed::TESTS,
        lookup::TESTS,
        history::TESTS,
        usage::TESTS,
    ];
    for test in suites.into_iter().flatten() {
        test(&*make());
    }
}

type CatalogTest = fn(&dyn Catalog);

/// A time that is not a whole second, so that one kept too coarsely is noticed.
fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(1_700_000_000_123 + ms).unwrap()
}

/// A value from its text.
fn the<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

fn write<T>(catalog: &dyn Catalog, change: impl FnOnce(&mut dyn Writer) -> T) -> T {
    let mut writer = catalog.write().unwrap();
    let done = change(&mut *writer);
    writer.commit().unwrap();
    done
}

fn add_library(writer: &mut dyn Writer, name: &str) -> LibraryId {
    writer.add_library(&the(name), &the(name), &LibrarySettings::default(), at(0)).unwrap()
}

fn mail(digest: Option<Digest>) -> Mail {
    Mail {
        delivery: DeliveryId::generate(),
        file: "a\u{1b}[31m\\xFF.eml".to_owned(),
        node: "wfe1".to_owned(),
        digest,
        size: 9120,
        message_id: Some("a@b".to_owned()),
        from: Some("alice@example.org".to_owned()),
        envelope_sender: None,
        subject: Some("März\0\u{202e}".to_owned()),
        arrived_at: at(0),
        state: MailState::Open,
        attempts: 0,
        fault: None,
        fields: MailFields {
            to: Some("b@x.org, c@x.org".to_owned()),
            cc: None,
            date: Some(at(-9)),
            calendar: Calendar { uid: Some("u@x.org".to_owned()), sequence: Some(7), stamp: Some(at(-99)) },
        },
        flaws: vec!["“a\n\"b\u{1b}”: broken".to_owned(), String::new()],
    }
}

fn outcome(recipient: &str, kind: OutcomeKind, library: Option<LibraryId>) -> Outcome {
    Outcome {
        recipient: recipient.to_owned(),
        kind,
        reason: None,
        because: Some("a.pdf: too large".to_owned()),
        library,
        identity: Some(the("alice")),
        level: Level::Domain,
        proof: Some("dmarc=pass by mx1.x.org".to_owned()),
        likeness: None,
        gone: None,
        former_alias: Some(the("before")),
        duplicate_of: None,
    }
}

fn document(library: LibraryId, folder: &str, name: &str, mail: &Mail, bytes: &[u8]) -> NewDocument {
    NewDocument {
        library,
        folder: folder.to_owned(),
        name: name.to_owned(),
        clash: Clash::Number,
        digest: Digest::of(bytes),
        size: bytes.len() as u64,
        media_type: "application/pdf".to_owned(),
        sniffed_type: Some("image/png".to_owned()),
        created_by: "alice".to_owned(),
        identity: Some(the("alice")),
        level: Level::Domain,
        created_at: at(5),
        delivery: mail.delivery,
        original: false,
    }
}

/// Puts a mail and its content on record and files it; gives the name it got.
fn file(writer: &mut dyn Writer, library: LibraryId, folder: &str, name: &str) -> String {
    let mail = mail(None);
    writer.put_mail(&mail).unwrap();
    writer.add_content(Digest::of(b"x"), 1).unwrap();
    writer.add_document(&document(library, folder, name, &mail, b"x")).unwrap().name
}
