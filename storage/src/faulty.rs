//! Contents and a catalog that fail when they are told to: at the Nth call, or from the Nth call on.
//!
//! Every call of a method of the traits counts, on everything that shares one [`Faults`]. A run with a fault at call
//! 1, 2, 3, … until one no longer meets a fault has failed at every place there is.

use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use jiff::Timestamp;

use crate::contents::Stored;
use crate::model::{
    Aside, Counts, Destination, Document, Event, EventQuery, FiledAs, Filing, FormerAlias, Grant, Group,
    KeptEnd, KnownContent, Library, LibrarySettings, Mail, MailQuery, Member, Miscount, NewAside,
    NewDocument, NewEvent, Outcome, Pass, Placed, Principal, Purged, Role, UnusedAddress, Usage, User,
    Wanted, Way,
};
use crate::{
    Address, Alias, Catalog, Content, Contents, DeliveryId, Digest, Error, GroupName, IoContext, LibraryId,
    LibraryName, Login, PassId, Reader, RemovalId, Result, UserId, Writer,
};

/// When to fail; clones share one count. Fresh ones never fail.
#[derive(Clone, Default)]
pub struct Faults(Arc<State>);

#[derive(Default)]
struct State {
    calls: AtomicU64,
    /// Counts from 1; 0: never.
    at: AtomicU64,
    for_ever: AtomicBool,
    after_commit: AtomicBool,
}

impl Faults {
    /// No fault so far.
    pub fn new() -> Faults {
        Faults::default()
    }

    /// Fails once, at the call that is the `n`th since the last [`Faults::reset`], 1 being the first.
    pub fn fail_at(&self, n: u64) {
        self.0.for_ever.store(false, Ordering::SeqCst);
        self.0.at.store(n, Ordering::SeqCst);
    }

    /// Fails at the `n`th call and at every later one.
    pub fn fail_from(&self, n: u64) {
        self.0.for_ever.store(true, Ordering::SeqCst);
        self.0.at.store(n, Ordering::SeqCst);
    }

    /// Whether a commit that fails has committed all the same: the case that a caller cannot tell from the other.
    pub fn commit_before_failing(&self, yes: bool) {
        self.0.after_commit.store(yes, Ordering::SeqCst);
    }

    /// Calls since the last [`Faults::reset`].
    pub fn calls(&self) -> u64 {
        self.0.calls.load(Ordering::SeqCst)
    }

    /// No more faults; counts from 0 again.
    pub fn reset(&self) {
        self.0.at.store(0, Ordering::SeqCst);
        self.0.calls.store(0, Ordering::SeqCst);
    }

    fn fails_now(&self) -> bool {
        let call = self.0.calls.fetch_add(1, Ordering::SeqCst) + 1;
        let at = self.0.at.load(Ordering::SeqCst);
        let for_ever = self.0.for_ever.load(Ordering::SeqCst);
        at > 0 && (call == at || for_ever && call > at)
    }

    fn contents(&self, action: &'static str) -> Result<()> {
        if self.fails_now() { disk_fault(action) } else { Ok(()) }
    }

    fn catalog(&self, action: &'static str) -> Result<()> {
        if self.fails_now() { catalog_fault(action) } else { Ok(()) }
    }
}

fn disk_fault<T>(action: &'static str) -> Result<T> {
    Err(io::Error::other("a fault that a test asked for")).while_doing(action, Path::new("faulty contents"))
}

fn catalog_fault<T>(action: &'static str) -> Result<T> {
    let why = "a fault that a test asked for".to_owned();
    Err(Error::Catalog { name: "faulty".to_owned(), action, why })
}

/// Contents that fail when told to.
pub struct FaultyContents {
    inner: Box<dyn Contents>,
    faults: Faults,
}

impl FaultyContents {
    /// Wraps `inner`.
    pub fn new(inner: Box<dyn Contents>, faults: Faults) -> FaultyContents {
        FaultyContents { inner, faults }
    }
}

impl Contents for FaultyContents {
    /// One that fails has kept the first half: callers must bear that too.
    fn put(&self, batch: &[Content<'_>]) -> Result<()> {
        if !self.faults.fails_now() {
            return self.inner.put(batch);
        }
        let (half, _) = batch.split_at(batch.len() / 2);
        self.inner.put(half)?;
        disk_fault("put")
    }

    fn tidy(&self) -> Result<u64> {
        self.faults.contents("tidy")?;
        self.inner.tidy()
    }

    fn size(&self, digest: Digest) -> Result<Option<u64>> {
        self.faults.contents("size")?;
        self.inner.size(digest)
    }

    fn open(&self, digest: Digest) -> Result<Box<dyn Read + Send>> {
        self.faults.contents("open")?;
        self.inner.open(digest)
    }

    fn remove(&self, stored: &Stored) -> Result<()> {
        self.faults.contents("remove")?;
        self.inner.remove(stored)
    }

    fn each(&self, visit: &mut dyn FnMut(Stored) -> Result<()>) -> Result<()> {
        self.faults.contents("each")?;
        self.inner.each(visit)
    }
}

/// A catalog that fails when told to.
pub struct FaultyCatalog {
    inner: Box<dyn Catalog>,
    faults: Faults,
}

impl FaultyCatalog {
    /// Wraps `inner`.
    pub fn new(inner: Box<dyn Catalog>, faults: Faults) -> FaultyCatalog {
        FaultyCatalog { inner, faults }
    }
}

impl Catalog for FaultyCatalog {
    fn read(&self) -> Result<Box<dyn Reader + '_>> {
        self.faults.catalog("read")?;
        Ok(Box::new(FaultyReader { inner: self.inner.read()?, faults: &self.faults }))
    }

    fn write(&self) -> Result<Box<dyn Writer + '_>> {
        self.faults.catalog("write")?;
        Ok(Box::new(FaultyWriter { inner: self.inner.write()?, faults: &self.faults }))
    }
}

struct FaultyReader<'c> {
    inner: Box<dyn Reader + 'c>,
    faults: &'c Faults,
}

struct FaultyWriter<'c> {
    inner: Box<dyn Writer + 'c>,
    faults: &'c Faults,
}

macro_rules! hand_on {
    ($(fn $name:ident($($arg:ident: $type:ty),*) -> $given:ty;)+) => {$(
        fn $name(&self $(, $arg: $type)*) -> Result<$given> {
            self.faults.catalog(stringify!($name))?;
            self.inner.$name($($arg),*)
        }
    )+};
}

macro_rules! hand_on_mut {
    ($(fn $name:ident($($arg:ident: $type:ty),*) -> $given:ty;)+) => {$(
        fn $name(&mut self $(, $arg: $type)*) -> Result<$given> {
            self.faults.catalog(stringify!($name))?;
            self.inner.$name($($arg),*)
        }
    )+};
}

macro_rules! reads {
    ($wrapper:ident) => {
        impl Reader for $wrapper<'_> {
            hand_on! {
                fn settings_version() -> u64;
                fn library_by_alias(alias: &Alias) -> Option<Library>;
                fn library_by_former_alias(alias: &Alias) -> Option<(Library, Timestamp)>;
                fn former_aliases(library: LibraryId) -> Vec<FormerAlias>;
                fn library(name: &LibraryName) -> Option<Library>;
                fn libraries() -> Vec<Library>;
                fn users_by_address(address: &Address) -> Vec<User>;
                fn user(login: &Login) -> Option<User>;
                fn users() -> Vec<User>;
                fn unused_addresses() -> Vec<UnusedAddress>;
                fn group(name: &GroupName) -> Option<Group>;
                fn groups() -> Vec<Group>;
                fn grants(library: LibraryId) -> Vec<Grant>;
                fn role(library: LibraryId, user: UserId) -> Option<Role>;
                fn ways(library: LibraryId, user: UserId, limit: usize) -> Vec<Way>;
                fn mail(delivery: DeliveryId) -> Option<Mail>;
                fn outcomes(delivery: DeliveryId) -> Vec<Outcome>;
                fn kept_end(delivery: DeliveryId) -> Option<KeptEnd>;
                fn given_back(digest: Digest, recipient: &str) -> Option<DeliveryId>;
                fn mails(query: &MailQuery) -> Vec<Mail>;
                fn open_mails(node: &str) -> Vec<DeliveryId>;
                fn deliveries(prefix: &str, limit: usize) -> Vec<DeliveryId>;
                fn filed_deliveries(digest: Digest, likeness: Option<Digest>, limit: usize) -> Vec<DeliveryId>;
                fn filed_before(library: LibraryId, digest: Digest, likeness: Option<Digest>) -> Vec<Filing>;
                fn each_document(library: LibraryId, visit: &mut dyn FnMut(Document) -> Result<()>) -> ();
                fn document(library: LibraryId, folder: &str, name: &str, version: Option<u32>) -> Option<Document>;
                fn documents_of(delivery: DeliveryId) -> Vec<Document>;
                fn versions(library: LibraryId, folder: &str, name: &str) -> Vec<Document>;
                fn each_removed(library: LibraryId, visit: &mut dyn FnMut(Document) -> Result<()>) -> ();
                fn removed_before(before: RemovalId, limit: usize) -> Vec<RemovalId>;
                fn purged_of(delivery: DeliveryId) -> Vec<Purged>;
                fn names_for(library: LibraryId, wanted: &[Wanted<'_>]) -> Vec<Placed>;
                fn content(digest: Digest) -> Option<KnownContent>;
                fn each_content(visit: &mut dyn FnMut(Digest, KnownContent) -> Result<()>) -> ();
                fn filed_as(digest: Digest, limit: usize) -> Vec<FiledAs>;
                fn counts() -> Counts;
                fn has_contents() -> bool;
                fn open_passes(node: &str) -> Vec<Pass>;
                fn last_pass(node: &str) -> Option<(PassId, Timestamp)>;
                fn records(pass: PassId) -> Vec<String>;
                fn events_after(seq: u64, limit: usize) -> Vec<Event>;
                fn events(query: &EventQuery) -> Vec<Event>;
                fn events_between(since: Timestamp, until: Timestamp) -> Option<(u64, u64)>;
                fn last_event() -> u64;
                fn usage(library: LibraryId, at: Timestamp) -> Usage;
                fn aside(library: LibraryId, at: Timestamp, since: Timestamp) -> Aside;
                fn miscounts() -> Vec<Miscount>;
                fn integrity() -> Vec<String>;
                fn losses() -> Vec<String>;
            }
        }
    };
}

reads!(FaultyReader);
reads!(FaultyWriter);

impl Writer for FaultyWriter<'_> {
    hand_on_mut! {
        fn add_library(name: &LibraryName, alias: &Alias, settings: &LibrarySettings, now: Timestamp) -> LibraryId;
        fn set_library(library: LibraryId, alias: &Alias, settings: &LibrarySettings) -> ();
        fn forget_former_alias(library: LibraryId, alias: &Alias) -> bool;
        fn set_aliases(aliases: &[(LibraryId, Alias)]) -> ();
        fn remove_library(library: LibraryId) -> ();
        fn add_user(login: &Login, addresses: &[Address]) -> UserId;
        fn set_user(user: UserId, addresses: &[Address]) -> ();
        fn remove_user(user: UserId) -> ();
        fn add_group(name: &GroupName, members: &[Member]) -> ();
        fn set_group(name: &GroupName, members: &[Member]) -> ();
        fn remove_group(name: &GroupName) -> ();
        fn grant(library: LibraryId, principal: &Principal, role: Role) -> ();
        fn revoke(library: LibraryId, principal: &Principal) -> bool;
        fn begin_pass(pass: &Pass) -> ();
        fn end_pass(pass: PassId, now: Timestamp) -> ();
        fn put_mail(mail: &Mail) -> ();
        fn put_outcome(delivery: DeliveryId, pass: PassId, outcome: &Outcome, now: Timestamp) -> ();
        fn put_kept_end(delivery: DeliveryId, end: &KeptEnd) -> ();
        fn put_taken(kept: DeliveryId) -> ();
        fn add_document(document: &NewDocument) -> Placed;
        fn add_anonymous(library: LibraryId, at: Timestamp, bytes: u64) -> ();
        fn put_aside(library: LibraryId, at: Timestamp, mail: &NewAside) -> ();
        fn recount() -> Vec<Miscount>;
        fn remove_document(library: LibraryId, folder: &str, name: &str, removal: RemovalId) -> Document;
        fn restore_document(removal: RemovalId) -> Placed;
        fn move_document(library: LibraryId, folder: &str, name: &str, to: Destination<'_>) -> Placed;
        fn purge_document(removal: RemovalId, why: &str, now: Timestamp) -> Vec<Digest>;
        fn add_content(digest: Digest, size: u64) -> ();
        fn doom_content(digest: Digest) -> bool;
        fn drop_content(digest: Digest) -> ();
        fn add_record(pass: PassId, delivery: DeliveryId, body: &str) -> ();
        fn add_event(event: &NewEvent) -> u64;
        fn add_notice(node: &str, key: &str, now: Timestamp) -> bool;
        fn keep_notices(node: &str, keys: &[String]) -> bool;
        fn savepoint() -> ();
        fn release() -> ();
        fn roll_back() -> ();
    }

    fn commit(self: Box<Self>) -> Result<()> {
        if !self.faults.fails_now() {
            return self.inner.commit();
        }
        if self.faults.0.after_commit.load(Ordering::SeqCst) {
            self.inner.commit()?;
        }
        catalog_fault("commit")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::sqlite::SqliteCatalog;
    use crate::contents::local::LocalContents;

    fn catalog(dir: &Path, faults: &Faults) -> FaultyCatalog {
        let inner = SqliteCatalog::open(&dir.join("catalog.db")).unwrap();
        FaultyCatalog::new(Box::new(inner), faults.clone())
    }

    fn add_user(catalog: &FaultyCatalog, login: &str) -> Result<()> {
        let mut writer = catalog.write()?;
        writer.add_user(&login.parse().unwrap(), &[])?;
        writer.commit()
    }

    fn users(catalog: &FaultyCatalog) -> usize {
        catalog.read().unwrap().users().unwrap().len()
    }

    #[test]
    fn fails_once_at_the_call_named_and_counts() {
        let (dir, faults) = (tempfile::tempdir().unwrap(), Faults::new());
        let catalog = catalog(dir.path(), &faults);
        for n in 1..=3 {
            faults.reset();
            faults.fail_at(n);
            assert!(matches!(add_user(&catalog, "a"), Err(Error::Catalog { .. })), "call {n}");
            assert_eq!(faults.calls(), n);
        }
        faults.reset();
        faults.fail_at(4);
        add_user(&catalog, "a").unwrap();
        faults.reset();
        assert_eq!(users(&catalog), 1);
    }

    #[test]
    fn fails_for_ever_until_reset() {
        let (dir, faults) = (tempfile::tempdir().unwrap(), Faults::new());
        let catalog = catalog(dir.path(), &faults);
        faults.fail_from(2);
        add_user(&catalog, "a").unwrap_err();
        add_user(&catalog, "a").unwrap_err();
        faults.reset();
        add_user(&catalog, "a").unwrap();
    }

    #[test]
    fn a_commit_fails_before_or_after() {
        let (dir, faults) = (tempfile::tempdir().unwrap(), Faults::new());
        let catalog = catalog(dir.path(), &faults);
        faults.fail_at(3);
        add_user(&catalog, "before").unwrap_err();
        assert_eq!(users(&catalog), 0);
        faults.reset();
        faults.fail_at(3);
        faults.commit_before_failing(true);
        add_user(&catalog, "after").unwrap_err();
        assert_eq!(users(&catalog), 1);
    }

    #[test]
    fn a_put_that_fails_has_kept_half() {
        let (dir, faults) = (tempfile::tempdir().unwrap(), Faults::new());
        let inner = LocalContents::open(&dir.path().join("contents"), true).unwrap();
        let contents = FaultyContents::new(Box::new(inner), faults.clone());
        let batch = [b"a", b"b"].map(|bytes| Content { digest: Digest::of(bytes), bytes });
        faults.fail_at(1);
        assert!(matches!(contents.put(&batch), Err(Error::Io { .. })));
        assert_eq!(contents.size(Digest::of(b"a")).unwrap(), Some(1));
        assert_eq!(contents.size(Digest::of(b"b")).unwrap(), None);
    }

    #[test]
    fn without_faults_all_is_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let made = std::cell::Cell::new(0);
        let next = || {
            made.set(made.get() + 1);
            dir.path().join(made.get().to_string())
        };
        crate::conformance::contents(&|| {
            let inner = LocalContents::open(&next(), true).unwrap();
            Box::new(FaultyContents::new(Box::new(inner), Faults::new()))
        });
        crate::conformance::catalog(&|| {
            let inner = SqliteCatalog::open(&next()).unwrap();
            Box::new(FaultyCatalog::new(Box::new(inner), Faults::new()))
        });
    }
}
