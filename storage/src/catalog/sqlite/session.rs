//! One reading or one writing: each method of the traits hands over to the file that knows its table.

use jiff::Timestamp;

use super::fault::Fault;
use super::{
    Held, contents, documents, integrity, kept, libraries, mails, nested, passes, people, removed, usage,
};
use crate::catalog::{Reader, Writer};
use crate::model::{
    Aside, Counts, Destination, Document, Event, EventQuery, FiledAs, Filing, FormerAlias, Grant, Group,
    KeptEnd, KnownContent, Library, LibrarySettings, Mail, MailQuery, Member, Miscount, NewAside,
    NewDocument, NewEvent, Outcome, Pass, Placed, Principal, Purged, Role, UnusedAddress, Usage, User,
    Wanted, Way,
};
use crate::{
    Address, Alias, DeliveryId, Digest, GroupName, LibraryId, LibraryName, Login, PassId, RemovalId, Result,
    UserId,
};

mod run;

pub(super) struct Session<'c> {
    held: Held<'c>,
    name: &'c str,
    /// Savepoints that stand open.
    depth: u32,
}

impl Reader for Session<'_> {
    fn settings_version(&self) -> Result<u64> {
        self.run("read the version of the settings", passes::settings_version)
    }

    fn library_by_alias(&self, alias: &Alias) -> Result<Option<Library>> {
        self.run("look up an alias", |db| libraries::by_alias(db, alias))
    }

    fn library_by_former_alias(&self, alias: &Alias) -> Result<Option<(Library, Timestamp)>> {
        self.run("look up a former alias", |db| libraries::by_former_alias(db, alias))
    }

    fn former_aliases(&self, library: LibraryId) -> Result<Vec<FormerAlias>> {
        self.run("list former aliases", |db| libraries::former_aliases(db, library))
    }

    fn library(&self, name: &LibraryName) -> Result<Option<Library>> {
        self.run("look up a library", |db| libraries::by_name(db, name))
    }

    fn libraries(&self) -> Result<Vec<Library>> {
        self.run("list libraries", libraries::all)
    }

    fn users_by_address(&self, address: &Address) -> Result<Vec<User>> {
        self.run("look up an address", |db| people::users_by_address(db, address))
    }

    fn user(&self, login: &Login) -> Result<Option<User>> {
        self.run("look up a user", |db| people::user(db, login))
    }

    fn users(&self) -> Result<Vec<User>> {
        self.run("list users", people::users)
    }

    fn unused_addresses(&self) -> Result<Vec<UnusedAddress>> {
        self.run("read addresses", people::unused_addresses)
    }

    fn group(&self, name: &GroupName) -> Result<Option<Group>> {
        self.run("look up a group", |db| people::group(db, name))
    }

    fn groups(&self) -> Result<Vec<Group>> {
        self.run("list groups", people::groups)
    }

    fn grants(&self, library: LibraryId) -> Result<Vec<Grant>> {
        self.run("list rights", |db| libraries::grants(db, library))
    }

    fn role(&self, library: LibraryId, user: UserId) -> Result<Option<Role>> {
        self.run("look up a role", |db| nested::role(db, library, user))
    }

    fn ways(&self, library: LibraryId, user: UserId, limit: usize) -> Result<Vec<Way>> {
        self.run("look up where a role comes from", |db| nested::ways(db, library, user, limit))
    }

    fn mail(&self, delivery: DeliveryId) -> Result<Option<Mail>> {
        self.run("look up a mail", |db| mails::mail(db, delivery))
    }

    fn outcomes(&self, delivery: DeliveryId) -> Result<Vec<Outcome>> {
        self.run("list outcomes", |db| mails::outcomes(db, delivery))
    }

    fn kept_end(&self, delivery: DeliveryId) -> Result<Option<KeptEnd>> {
        self.run("look up kept mail", |db| kept::end(db, delivery))
    }

    fn given_back(&self, digest: Digest, recipient: &str) -> Result<Option<DeliveryId>> {
        self.run("look for mail that was given back", |db| kept::given_back(db, digest, recipient))
    }

    fn mails(&self, query: &MailQuery) -> Result<Vec<Mail>> {
        self.run("list mails", |db| mails::list(db, query))
    }

    fn open_mails(&self, node: &str) -> Result<Vec<DeliveryId>> {
        self.run("list open mails", |db| mails::open(db, node))
    }

    fn deliveries(&self, prefix: &str, limit: usize) -> Result<Vec<DeliveryId>> {
        self.run("look up a delivery", |db| mails::deliveries(db, prefix, limit))
    }

    fn filed_deliveries(
        &self,
        digest: Digest,
        likeness: Option<Digest>,
        limit: usize,
    ) -> Result<Vec<DeliveryId>> {
        self.run("look for filed deliveries", |db| mails::filed_deliveries(db, digest, likeness, limit))
    }

    fn filed_before(
        &self,
        library: LibraryId,
        digest: Digest,
        likeness: Option<Digest>,
    ) -> Result<Vec<Filing>> {
        self.run("look for a duplicate", |db| mails::filed_before(db, library, digest, likeness))
    }

    fn each_document(&self, library: LibraryId, visit: &mut dyn FnMut(Document) -> Result<()>) -> Result<()> {
        self.run("list documents", |db| documents::each(db, library, visit))
    }

    fn document(
        &self,
        library: LibraryId,
        folder: &str,
        name: &str,
        version: Option<u32>,
    ) -> Result<Option<Document>> {
        self.run("look up a document", |db| documents::find(db, library, folder, name, version))
    }

    fn documents_of(&self, delivery: DeliveryId) -> Result<Vec<Document>> {
        self.run("list documents of a mail", |db| documents::of_delivery(db, delivery))
    }

    fn versions(&self, library: LibraryId, folder: &str, name: &str) -> Result<Vec<Document>> {
        self.run("list versions", |db| documents::versions(db, library, folder, name))
    }

    fn each_removed(&self, library: LibraryId, visit: &mut dyn FnMut(Document) -> Result<()>) -> Result<()> {
        self.run("list removed documents", |db| removed::each(db, library, visit))
    }

    fn removed_before(&self, before: RemovalId, limit: usize) -> Result<Vec<RemovalId>> {
        self.run("look for removed documents", |db| removed::before(db, before, limit))
    }

    fn purged_of(&self, delivery: DeliveryId) -> Result<Vec<Purged>> {
        self.run("list purged documents", |db| removed::purged(db, delivery))
    }

    fn names_for(&self, library: LibraryId, wanted: &[Wanted<'_>]) -> Result<Vec<Placed>> {
        self.run("look for free names", |db| documents::names(db, library, wanted))
    }

    fn content(&self, digest: Digest) -> Result<Option<KnownContent>> {
        self.run("look up a content", |db| contents::find(db, digest))
    }

    fn each_content(&self, visit: &mut dyn FnMut(Digest, KnownContent) -> Result<()>) -> Result<()> {
        self.run("list contents", |db| contents::each(db, visit))
    }

    fn filed_as(&self, digest: Digest, limit: usize) -> Result<Vec<FiledAs>> {
        self.run("list what refers to a content", |db| documents::filed_as(db, digest, limit))
    }

    fn counts(&self) -> Result<Counts> {
        self.run("count", contents::counts)
    }

    fn has_contents(&self) -> Result<bool> {
        self.run("look for a content", contents::any)
    }

    fn open_passes(&self, node: &str) -> Result<Vec<Pass>> {
        self.run("list open passes", |db| passes::open(db, node))
    }

    fn last_pass(&self, node: &str) -> Result<Option<(PassId, Timestamp)>> {
        self.run("find the last pass", |db| passes::last(db, node))
    }

    fn records(&self, pass: PassId) -> Result<Vec<String>> {
        self.run("list records", |db| passes::records(db, pass))
    }

    fn events_after(&self, seq: u64, limit: usize) -> Result<Vec<Event>> {
        self.run("list events", |db| passes::events_after(db, seq, limit))
    }

    fn events(&self, query: &EventQuery) -> Result<Vec<Event>> {
        self.run("list events", |db| passes::events(db, query))
    }

    fn events_between(&self, since: Timestamp, until: Timestamp) -> Result<Option<(u64, u64)>> {
        self.run("look for events of a time", |db| passes::events_between(db, since, until))
    }

    fn last_event(&self) -> Result<u64> {
        self.run("look up the last event", passes::last_event)
    }

    fn usage(&self, library: LibraryId, at: Timestamp) -> Result<Usage> {
        self.run("look how full a library is", |db| usage::of(db, library, at))
    }

    fn aside(&self, library: LibraryId, at: Timestamp, since: Timestamp) -> Result<Aside> {
        self.run("look what stands aside", |db| usage::aside(db, library, at, since))
    }

    fn miscounts(&self) -> Result<Vec<Miscount>> {
        self.run("count bytes", usage::miscounts)
    }

    fn integrity(&self) -> Result<Vec<String>> {
        self.run("look for damage", integrity::problems)
    }

    fn losses(&self) -> Result<Vec<String>> {
        self.run("look for losses", integrity::losses)
    }
}

impl Writer for Session<'_> {
    fn add_library(
        &mut self,
        name: &LibraryName,
        alias: &Alias,
        settings: &LibrarySettings,
        now: Timestamp,
    ) -> Result<LibraryId> {
        self.change("add a library", |db| libraries::add(db, name, alias, settings, now))
    }

    fn set_library(&mut self, library: LibraryId, alias: &Alias, settings: &LibrarySettings) -> Result<()> {
        self.change("change a library", |db| libraries::set(db, library, alias, settings))
    }

    fn forget_former_alias(&mut self, library: LibraryId, alias: &Alias) -> Result<bool> {
        self.change("forget a former alias", |db| libraries::forget_former_alias(db, library, alias))
    }

    fn set_aliases(&mut self, aliases: &[(LibraryId, Alias)]) -> Result<()> {
        self.change("change aliases", |db| libraries::set_aliases(db, aliases))
    }

    fn remove_library(&mut self, library: LibraryId) -> Result<()> {
        self.change("remove a library", |db| libraries::remove(db, library))
    }

    fn add_user(&mut self, login: &Login, addresses: &[Address]) -> Result<UserId> {
        self.change("add a user", |db| people::add_user(db, login, addresses))
    }

    fn set_user(&mut self, user: UserId, addresses: &[Address]) -> Result<()> {
        self.change("change a user", |db| people::set_user(db, user, addresses))
    }

    fn remove_user(&mut self, user: UserId) -> Result<()> {
        self.change("remove a user", |db| people::remove_user(db, user))
    }

    fn add_group(&mut self, name: &GroupName, members: &[Member]) -> Result<()> {
        self.change("add a group", |db| people::add_group(db, name, members))
    }

    fn set_group(&mut self, name: &GroupName, members: &[Member]) -> Result<()> {
        self.change("change a group", |db| people::set_group(db, name, members))
    }

    fn remove_group(&mut self, name: &GroupName) -> Result<()> {
        self.change("remove a group", |db| people::remove_group(db, name))
    }

    fn grant(&mut self, library: LibraryId, principal: &Principal, role: Role) -> Result<()> {
        self.change("give a right", |db| libraries::grant(db, library, principal, role))
    }

    fn revoke(&mut self, library: LibraryId, principal: &Principal) -> Result<bool> {
        self.change("take a right", |db| libraries::revoke(db, library, principal))
    }

    fn begin_pass(&mut self, pass: &Pass) -> Result<()> {
        self.run("begin a pass", |db| passes::begin(db, pass))
    }

    fn end_pass(&mut self, pass: PassId, now: Timestamp) -> Result<()> {
        self.run("end a pass", |db| passes::end(db, pass, now))
    }

    fn put_mail(&mut self, mail: &Mail) -> Result<()> {
        self.run("record a mail", |db| mails::put_mail(db, mail))
    }

    fn put_outcome(
        &mut self,
        delivery: DeliveryId,
        pass: PassId,
        outcome: &Outcome,
        now: Timestamp,
    ) -> Result<()> {
        self.run("record an outcome", |db| mails::put_outcome(db, delivery, pass, outcome, now))
    }

    fn put_kept_end(&mut self, delivery: DeliveryId, end: &KeptEnd) -> Result<()> {
        self.run_whole("record what becomes of kept mail", |db| kept::put_end(db, delivery, end))
    }

    fn put_taken(&mut self, kept: DeliveryId) -> Result<()> {
        self.run("record that mail has come back", |db| kept::put_taken(db, kept))
    }

    fn add_document(&mut self, document: &NewDocument) -> Result<Placed> {
        self.run("add a document", |db| documents::add(db, document))
    }

    fn add_anonymous(&mut self, library: LibraryId, at: Timestamp, bytes: u64) -> Result<()> {
        self.run_whole("count what nobody proven files", |db| usage::add(db, library, at, bytes))
    }

    fn put_aside(&mut self, library: LibraryId, at: Timestamp, mail: &NewAside) -> Result<()> {
        self.run("put mail aside", |db| usage::put_aside(db, library, at, mail))
    }

    fn recount(&mut self) -> Result<Vec<Miscount>> {
        self.run_whole("count bytes anew", usage::recount)
    }

    fn remove_document(
        &mut self,
        library: LibraryId,
        folder: &str,
        name: &str,
        removal: RemovalId,
    ) -> Result<Document> {
        self.run("remove a document", |db| removed::remove(db, library, folder, name, removal))
    }

    fn restore_document(&mut self, removal: RemovalId) -> Result<Placed> {
        self.run_whole("restore a document", |db| removed::restore(db, removal))
    }

    fn move_document(
        &mut self,
        library: LibraryId,
        folder: &str,
        name: &str,
        to: Destination<'_>,
    ) -> Result<Placed> {
        self.run_whole("move a document", |db| removed::relocate(db, library, (folder, name), to))
    }

    fn purge_document(&mut self, removal: RemovalId, why: &str, now: Timestamp) -> Result<Vec<Digest>> {
        self.run_whole("purge a document", |db| removed::purge(db, removal, why, now))
    }

    fn add_content(&mut self, digest: Digest, size: u64) -> Result<()> {
        self.run("record a content", |db| contents::add(db, digest, size))
    }

    fn doom_content(&mut self, digest: Digest) -> Result<bool> {
        self.run("doom a content", |db| contents::doom(db, digest))
    }

    fn drop_content(&mut self, digest: Digest) -> Result<()> {
        self.run("forget a content", |db| contents::forget(db, digest))
    }

    fn add_record(&mut self, pass: PassId, delivery: DeliveryId, body: &str) -> Result<()> {
        self.run("add a record", |db| passes::add_record(db, pass, delivery, body))
    }

    fn add_event(&mut self, event: &NewEvent) -> Result<u64> {
        self.run("add an event", |db| passes::add_event(db, event))
    }

    fn add_notice(&mut self, node: &str, key: &str, now: Timestamp) -> Result<bool> {
        self.run("add a notice", |db| passes::add_notice(db, node, key, now))
    }

    fn keep_notices(&mut self, node: &str, keys: &[String]) -> Result<bool> {
        self.run_whole("forget notices", |db| passes::keep_notices(db, node, keys))
    }

    fn savepoint(&mut self) -> Result<()> {
        self.part("begin a part", &["SAVEPOINT part"], true)
    }

    fn release(&mut self) -> Result<()> {
        self.part("end a part", &["RELEASE part"], false)
    }

    fn roll_back(&mut self) -> Result<()> {
        self.part("take a part back", &["ROLLBACK TO part", "RELEASE part"], false)
    }

    fn commit(self: Box<Self>) -> Result<()> {
        self.run("commit", |db| db.execute_batch("COMMIT").map_err(Fault::from))
    }
}
