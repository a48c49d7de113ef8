//! The catalog: everything that is known about documents, people, mails and events.

use jiff::Timestamp;

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

pub mod sqlite;

/// A catalog. Every implementation passes `conformance::catalog` (feature `testing`).
pub trait Catalog: Send + Sync {
    /// Begins to read: everything read through it must be of one moment, whatever is committed meanwhile.
    fn read(&self) -> Result<Box<dyn Reader + '_>>;

    /// Begins the one write transaction; waits for another one to end. What it reads it must read as of now, its
    /// own changes included. Dropped without [`Writer::commit`] it must leave no trace.
    fn write(&self) -> Result<Box<dyn Writer + '_>>;
}

/// Look-ups. Lists are sorted by name unless said otherwise.
pub trait Reader {
    /// Grows with every change of libraries, users, groups or grants.
    fn settings_version(&self) -> Result<u64>;

    /// The library of an alias.
    fn library_by_alias(&self, alias: &Alias) -> Result<Option<Library>>;
    /// The library that had this alias before it got another, and when it did. None where a library has the alias now.
    fn library_by_former_alias(&self, alias: &Alias) -> Result<Option<(Library, Timestamp)>>;
    /// The aliases that a library had before, the newest first.
    fn former_aliases(&self, library: LibraryId) -> Result<Vec<FormerAlias>>;
    /// The library of a name.
    fn library(&self, name: &LibraryName) -> Result<Option<Library>>;
    /// All libraries.
    fn libraries(&self) -> Result<Vec<Library>>;
    /// Every user with this address.
    fn users_by_address(&self, address: &Address) -> Result<Vec<User>>;
    /// The user of a login.
    fn user(&self, login: &Login) -> Result<Option<User>>;
    /// All users.
    fn users(&self) -> Result<Vec<User>>;
    /// Addresses on record that nobody is found by, by login. Looks at every address: for reports, not for each pass.
    fn unused_addresses(&self) -> Result<Vec<UnusedAddress>>;
    /// The group of a name.
    fn group(&self, name: &GroupName) -> Result<Option<Group>>;
    /// All groups.
    fn groups(&self) -> Result<Vec<Group>>;
    /// The rights given in a library.
    fn grants(&self, library: LibraryId) -> Result<Vec<Grant>>;
    /// The strongest role that a user has in a library: by name, by a group at whatever depth, or as one of everyone.
    fn role(&self, library: LibraryId, user: UserId) -> Result<Option<Role>>;
    /// Every way in which a user has a role in a library, the strongest role first, then the shortest way. Groups in
    /// groups may lead there in very many ways: of those by one right at most `limit` are given.
    fn ways(&self, library: LibraryId, user: UserId, limit: usize) -> Result<Vec<Way>>;

    /// What is on record of a delivery.
    fn mail(&self, delivery: DeliveryId) -> Result<Option<Mail>>;
    /// Its outcomes, in the order in which they were first recorded.
    fn outcomes(&self, delivery: DeliveryId) -> Result<Vec<Outcome>>;
    /// How a mail that was kept aside left the folder, if it has.
    fn kept_end(&self, delivery: DeliveryId) -> Result<Option<KeptEnd>>;
    /// The kept delivery that was given back to the drop and is this mail: it has the same digest, was rejected for this
    /// recipient, and has not been taken yet.
    fn given_back(&self, digest: Digest, recipient: &str) -> Result<Option<DeliveryId>>;
    /// Mails, newest first.
    fn mails(&self, query: &MailQuery) -> Result<Vec<Mail>>;
    /// The deliveries that this node took and that wait, oldest first.
    fn open_mails(&self, node: &str) -> Result<Vec<DeliveryId>>;
    /// Up to `limit` deliveries whose ids begin with `prefix`, in order. Ids are in upper case.
    fn deliveries(&self, prefix: &str, limit: usize) -> Result<Vec<DeliveryId>>;
    /// Up to `limit` deliveries of a mail with this digest or this likeness that were filed somewhere, oldest first.
    fn filed_deliveries(
        &self,
        digest: Digest,
        likeness: Option<Digest>,
        limit: usize,
    ) -> Result<Vec<DeliveryId>>;
    /// Every `filed` outcome in this library of a mail with this digest or this likeness of which a document still
    /// stands, in the order in which they were recorded. What an earlier version filed has no likeness.
    fn filed_before(
        &self,
        library: LibraryId,
        digest: Digest,
        likeness: Option<Digest>,
    ) -> Result<Vec<Filing>>;

    /// The newest version of each document that stands in a library, by path, one after the other.
    fn each_document(&self, library: LibraryId, visit: &mut dyn FnMut(Document) -> Result<()>) -> Result<()>;
    /// A version of a document that stands, the newest if none is named; folder and name compare without case.
    fn document(
        &self,
        library: LibraryId,
        folder: &str,
        name: &str,
        version: Option<u32>,
    ) -> Result<Option<Document>>;
    /// Every version that came with a delivery, removed ones too, in the order in which they were added.
    fn documents_of(&self, delivery: DeliveryId) -> Result<Vec<Document>>;
    /// Every version of a document, the newest first; none if there is no such document. Folder and name compare without
    /// case.
    fn versions(&self, library: LibraryId, folder: &str, name: &str) -> Result<Vec<Document>>;
    /// The newest version of each document in the recycle bin of a library, in the order of their removals.
    fn each_removed(&self, library: LibraryId, visit: &mut dyn FnMut(Document) -> Result<()>) -> Result<()>;
    /// Up to `limit` removals of documents in a recycle bin, of whatever library, that are less than this one: the first
    /// first.
    fn removed_before(&self, before: RemovalId, limit: usize) -> Result<Vec<RemovalId>>;
    /// What came with a delivery and was purged, in the order in which it was.
    fn purged_of(&self, delivery: DeliveryId) -> Result<Vec<Purged>>;
    /// The places that the documents of one mail would get if they were added now, in this order.
    /// [`Writer::add_document`] gives no others.
    fn names_for(&self, library: LibraryId, wanted: &[Wanted<'_>]) -> Result<Vec<Placed>>;
    /// What is known of a content.
    fn content(&self, digest: Digest) -> Result<Option<KnownContent>>;
    /// Every content on record, in order of digest.
    fn each_content(&self, visit: &mut dyn FnMut(Digest, KnownContent) -> Result<()>) -> Result<()>;
    /// The paths (library, path, version) that a content is filed under, those in a recycle bin too, at most `limit`.
    fn filed_as(&self, digest: Digest, limit: usize) -> Result<Vec<FiledAs>>;
    /// How much there is. Looks at every row of several tables: for reports, not for each pass.
    fn counts(&self) -> Result<Counts>;
    /// Whether any content is on record, a doomed one too; one look-up.
    fn has_contents(&self) -> Result<bool>;

    /// Passes of this worker that have begun and not ended, oldest first.
    fn open_passes(&self, node: &str) -> Result<Vec<Pass>>;
    /// Of the passes of this worker that have ended the one that was begun last, and when it ended. Looks at every pass
    /// that was begun since then.
    fn last_pass(&self, node: &str) -> Result<Option<(PassId, Timestamp)>>;
    /// The records of a pass that has not ended, in the order in which they were added.
    fn records(&self, pass: PassId) -> Result<Vec<String>>;
    /// Up to `limit` events after `seq`, in order.
    fn events_after(&self, seq: u64, limit: usize) -> Result<Vec<Event>>;
    /// Events, in order of `seq`.
    fn events(&self, query: &EventQuery) -> Result<Vec<Event>>;
    /// The least and the greatest `seq` of the events from `since` on and before `until`; `None` if there are none.
    /// Not all between them need be of that time: clocks are set back, and those of two nodes differ.
    fn events_between(&self, since: Timestamp, until: Timestamp) -> Result<Option<(u64, u64)>>;
    /// The `seq` of the newest event; 0 if there is none.
    fn last_event(&self) -> Result<u64>;

    /// How full a library is, and what was filed on the day (UTC) of `at`. Two look-ups.
    fn usage(&self, library: LibraryId, at: Timestamp) -> Result<Usage>;
    /// What stands aside because a library was full, put there at `since` or later; what came on the day (UTC) of `at`. A
    /// row for each such mail is read.
    fn aside(&self, library: LibraryId, at: Timestamp, since: Timestamp) -> Result<Aside>;
    /// The libraries whose sum of bytes is wrong. Looks at every version: for `verify`.
    fn miscounts(&self) -> Result<Vec<Miscount>>;

    /// Looks for damage of the catalog itself; one sentence for each.
    fn integrity(&self) -> Result<Vec<String>>;
    /// What of that lets it seem that documents are gone which nobody removed.
    fn losses(&self) -> Result<Vec<String>>;
}

/// Changes. Each change of libraries, users, groups or grants raises [`Reader::settings_version`].
pub trait Writer: Reader {
    /// `Error::Taken` if the name or the alias is.
    fn add_library(
        &mut self,
        name: &LibraryName,
        alias: &Alias,
        settings: &LibrarySettings,
        now: Timestamp,
    ) -> Result<LibraryId>;
    /// Changes alias and settings. `Error::Taken` if the alias is another library's. The alias that it had becomes a
    /// former one; the one it gets is nobody's former one any more.
    fn set_library(&mut self, library: LibraryId, alias: &Alias, settings: &LibrarySettings) -> Result<()>;
    /// Forgets a former alias; false if the library has none such.
    fn forget_former_alias(&mut self, library: LibraryId, alias: &Alias) -> Result<bool>;
    /// Gives libraries other aliases, all in one step: two of them may change theirs for each other's. `Error::Taken` if
    /// one is another library's afterwards.
    fn set_aliases(&mut self, aliases: &[(LibraryId, Alias)]) -> Result<()>;
    /// `Error::NotEmpty` if it holds documents, be they in its recycle bin. Outcomes that name it stay, and say what it was
    /// called.
    fn remove_library(&mut self, library: LibraryId) -> Result<()>;
    /// `Error::Taken` if the login is.
    fn add_user(&mut self, login: &Login, addresses: &[Address]) -> Result<UserId>;
    /// Puts `addresses` in place of those the user has.
    fn set_user(&mut self, user: UserId, addresses: &[Address]) -> Result<()>;
    /// Takes the user out of all groups and rights too.
    fn remove_user(&mut self, user: UserId) -> Result<()>;
    /// `Error::Taken` if the name is; `Error::NotFound` for an unknown member; `Error::Cycle` if it is its own.
    fn add_group(&mut self, name: &GroupName, members: &[Member]) -> Result<()>;
    /// Puts `members` in place of those the group has. `Error::NotFound` for an unknown group or member;
    /// `Error::Cycle` if it would be a member of itself, at whatever depth: looked for in this transaction.
    fn set_group(&mut self, name: &GroupName, members: &[Member]) -> Result<()>;
    /// Takes its rights, and itself out of other groups, too. `Error::NotFound` for an unknown group.
    fn remove_group(&mut self, name: &GroupName) -> Result<()>;
    /// Gives a right, in place of the one the principal had there. `Error::NotFound` for an unknown principal.
    fn grant(&mut self, library: LibraryId, principal: &Principal, role: Role) -> Result<()>;
    /// Takes a right; false if there was none. `Error::NotFound` for an unknown principal.
    fn revoke(&mut self, library: LibraryId, principal: &Principal) -> Result<bool>;

    /// A pass begins.
    fn begin_pass(&mut self, pass: &Pass) -> Result<()>;
    /// A pass has ended: its event is on record, and has taken over what its records say. They go.
    fn end_pass(&mut self, pass: PassId, now: Timestamp) -> Result<()>;
    /// Records a mail, or what has changed of it.
    fn put_mail(&mut self, mail: &Mail) -> Result<()>;
    /// Records an outcome, in place of a `deferred` one. Refused (`Error::Refused`) where a final one stands.
    fn put_outcome(
        &mut self,
        delivery: DeliveryId,
        pass: PassId,
        outcome: &Outcome,
        now: Timestamp,
    ) -> Result<()>;
    /// Records how a kept mail leaves the folder, in place of what was recorded before: a move may be begun again. It
    /// stands aside for no library any more. One that is given back is awaited.
    fn put_kept_end(&mut self, delivery: DeliveryId, end: &KeptEnd) -> Result<()>;
    /// A mail that was given back has been taken: it is awaited no more. `kept` is what [`Reader::given_back`] gave.
    fn put_taken(&mut self, kept: DeliveryId) -> Result<()>;
    /// Adds a document under the name proposed or, where that is taken, under the next free number
    /// ([`crate::model::numbered`]) or as a new version, as it says itself; gives the place it has now. Its content must
    /// be on record with its size, and not doomed; else `Error::Refused`.
    fn add_document(&mut self, document: &NewDocument) -> Result<Placed>;
    /// Adds to what nobody proven has filed in a library on the day (UTC) of `at`, and forgets all but this day and the one
    /// before.
    fn add_anonymous(&mut self, library: LibraryId, at: Timestamp, bytes: u64) -> Result<()>;
    /// A mail is put aside because a library is full. It counts there until [`Writer::put_kept_end`] says that it leaves.
    fn put_aside(&mut self, library: LibraryId, at: Timestamp, mail: &NewAside) -> Result<()>;
    /// Puts right what [`Reader::miscounts`] finds, and gives it as it was found.
    fn recount(&mut self) -> Result<Vec<Miscount>>;
    /// Puts a document with all its versions into the recycle bin of its library; gives its newest version. Its name is
    /// free at once, and it stands for no mail any more. `removal` is one that nothing was removed by yet.
    /// `Error::NotFound` if no such document stands.
    fn remove_document(
        &mut self,
        library: LibraryId,
        folder: &str,
        name: &str,
        removal: RemovalId,
    ) -> Result<Document>;
    /// Takes a document out of the recycle bin again: under the name it had or, where that is taken, under the next free
    /// number. `Error::NotFound` if it is not there any more.
    fn restore_document(&mut self, removal: RemovalId) -> Result<Placed>;
    /// Moves a document with all its versions to another place. For the library its mails were filed in it stands as
    /// before. `Error::NotFound` if it does not stand, or there is no such library; `Error::Taken` if another document
    /// has the place.
    fn move_document(
        &mut self,
        library: LibraryId,
        folder: &str,
        name: &str,
        to: Destination<'_>,
    ) -> Result<Placed>;
    /// Forgets a document of the recycle bin with all its versions, but for what [`Reader::purged_of`] tells; gives the
    /// contents it had, each once. `Error::NotFound` if it is not there any more.
    fn purge_document(&mut self, removal: RemovalId, why: &str, now: Timestamp) -> Result<Vec<Digest>>;
    /// A content is in the store and durable; no longer doomed if it was.
    ///
    /// Contents are removed while passes go on. So whoever adds a document must look, in this same transaction, at
    /// [`Reader::content`] of each content it relies on. Not doomed: it is there. Doomed: store it afresh and call
    /// this. No row: see by [`crate::Contents::size`] that it is still there, else store it afresh; then call this.
    /// [`crate::verify`] says why that is enough.
    fn add_content(&mut self, digest: Digest, size: u64) -> Result<()>;
    /// A content is about to be removed. False, and nothing done, if a document refers to it.
    fn doom_content(&mut self, digest: Digest) -> Result<bool>;
    /// A doomed content has been removed. One that is no longer doomed stays.
    fn drop_content(&mut self, digest: Digest) -> Result<()>;
    /// Adds what a pass has to say of a mail, in place of what it had to say before; a JSON object.
    fn add_record(&mut self, pass: PassId, delivery: DeliveryId, body: &str) -> Result<()>;
    /// Adds an event and gives its `seq`, one more than the last.
    fn add_event(&mut self, event: &NewEvent) -> Result<u64>;
    /// Notes that something in the drop of `node` was complained of; false if it was noted before.
    fn add_notice(&mut self, node: &str, key: &str, now: Timestamp) -> Result<bool>;
    /// Forgets the notices of `node` but those in `keys`: what they were about is gone. `Ok(true)` if any was.
    fn keep_notices(&mut self, node: &str, keys: &[String]) -> Result<bool>;

    /// Begins a part that can be taken back by itself. They nest.
    fn savepoint(&mut self) -> Result<()>;
    /// Ends the innermost part and keeps it.
    fn release(&mut self) -> Result<()>;
    /// Takes the innermost part back.
    fn roll_back(&mut self) -> Result<()>;

    /// Makes all of it durable (it must survive a power cut) and visible. An error may mean either: look.
    fn commit(self: Box<Self>) -> Result<()>;
}
