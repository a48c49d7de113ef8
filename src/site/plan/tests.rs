use std::cell::Cell;

use jiff::Timestamp;
use mailshelf_storage::catalog::sqlite::SqliteCatalog;
use mailshelf_storage::model::{Clash, Level, Mail, MailFields, MailState, NewDocument};
use mailshelf_storage::{Catalog, DeliveryId, Digest, Error, Writer};
use proptest::prelude::*;
use proptest::test_runner::{Config as Cases, TestRunner};

use super::*;
use crate::config;
use crate::site::declaration::{Lines, any, read};

fn site(toml: &str) -> Declaration {
    let (written, faults) = read(toml).unwrap();
    assert_eq!(faults, [], "{toml}");
    written.declaration
}

/// What the check says of a file, given what the site is: lines of the file, and why.
fn refused(now: &str, wanted: &str, prune: bool, site_config: &config::Site) -> Vec<(usize, String)> {
    let (written, faults) = read(wanted).unwrap();
    assert_eq!(faults, [], "{wanted}");
    let now = site(now);
    let faults = Plan::new(&now, &written.declaration, prune).check(&now, &written, site_config);
    let lines = Lines::of(wanted);
    faults.into_iter().map(|fault| (lines.place(fault.at).0, fault.why)).collect()
}

/// A catalog for plans that are never committed.
struct Bench {
    _dir: tempfile::TempDir,
    catalog: SqliteCatalog,
}

impl Bench {
    fn new() -> Bench {
        let dir = tempfile::tempdir().unwrap();
        let catalog = SqliteCatalog::open(&dir.path().join("catalog.db")).unwrap();
        Bench { catalog, _dir: dir }
    }

    fn write(&self) -> Box<dyn Writer + '_> {
        self.catalog.write().unwrap()
    }
}

/// Brings a site to what is wanted, as `apply` does; what it refuses, in words.
fn apply(writer: &mut dyn Writer, wanted: &str, prune: bool) -> Result<(), Vec<String>> {
    let (written, faults) = read(wanted).unwrap();
    assert_eq!(faults, [], "{wanted}");
    let now = Declaration::of(writer).unwrap();
    let plan = Plan::new(&now, &written.declaration, prune);
    let faults = plan.check(&now, &written, &config::Site::default());
    if !faults.is_empty() {
        return Err(faults.into_iter().map(|fault| fault.why).collect());
    }
    match plan.carry_out(writer, Timestamp::UNIX_EPOCH).unwrap() {
        Carried::Out => Ok(()),
        Carried::Not(libraries) => Err(libraries.into_iter().map(|one| one.why.to_string()).collect()),
    }
}

/// Puts a document into a library.
fn file(writer: &mut dyn Writer, library: &LibraryName) {
    let delivery = DeliveryId::generate();
    let mail = Mail {
        delivery,
        file: "a.eml".to_owned(),
        node: "wfe1".to_owned(),
        digest: None,
        size: 1,
        message_id: None,
        from: None,
        envelope_sender: None,
        subject: None,
        fields: MailFields::default(),
        flaws: Vec::new(),
        arrived_at: Timestamp::UNIX_EPOCH,
        state: MailState::Open,
        attempts: 0,
        fault: None,
    };
    writer.put_mail(&mail).unwrap();
    writer.add_content(Digest::of(b"x"), 1).unwrap();
    let document = NewDocument {
        library: writer.library(library).unwrap().unwrap().id,
        folder: String::new(),
        name: "a.pdf".to_owned(),
        clash: Clash::Number,
        digest: Digest::of(b"x"),
        size: 1,
        media_type: "application/pdf".to_owned(),
        sniffed_type: None,
        created_by: "alice".to_owned(),
        identity: None,
        level: Level::None,
        created_at: Timestamp::UNIX_EPOCH,
        delivery,
        original: false,
    };
    writer.add_document(&document).unwrap();
}

/// From each of these to the next, back again, and from the last to the first: what one change frees another needs.
#[test]
fn no_order_of_changes_trips_over_another() {
    let steps = [
        // Aliases swapped, in a ring, and passed on; that of a library which goes is taken by a new one.
        "library.a.alias='a'\nlibrary.b.alias='b'\nlibrary.c.alias='c'\nlibrary.gone.alias='free'",
        "library.a.alias='b'\nlibrary.b.alias='c'\nlibrary.c.alias='a'\nlibrary.new.alias='free'",
        "library.a.alias='c'\nlibrary.b.alias='b'\nlibrary.c.alias='a'\nlibrary.free.alias='new'",
        "library.a.alias='new'\nlibrary.b.alias='a'\nlibrary.free.alias='b'",
        // Groups turned inside out, and cut from what goes.
        "user.u={}\nuser.v={}\ngroup.a.members=['group:b']\ngroup.b.members=['group:c', 'u']\ngroup.c.members=['v']",
        "user.u={}\nuser.v={}\ngroup.c.members=['group:b']\ngroup.b.members=['group:a', 'v']\ngroup.a.members=['u']",
        "user.u={}\ngroup.b.members=['group:c', 'group:a', 'u']\ngroup.c={}\ngroup.a.members=['group:c']",
        "user.w={}\ngroup.d.members=['group:a', 'w']\ngroup.a.members=[]",
        // A login that becomes the name of a group, with a right each time.
        "user.x={}\n[library.l]\nalias='l'\ngrants={'user:x'='owner', everyone='reader'}",
        "group.x={}\n[library.l]\nalias='l'\ngrants={'group:x'='reader', everyone='owner'}",
        "group.l={}\nuser.y.addresses=['y@x.org']\n[library.x]\nalias='l'\ngrants={'group:l'='contributor'}",
        "user.y.addresses=['z@x.org']\nuser.z.addresses=['y@x.org']",
    ];
    let bench = Bench::new();
    let mut writer = bench.write();
    let there_and_back = steps.iter().chain(steps.iter().rev()).chain(steps.first());
    for wanted in there_and_back {
        assert_eq!(apply(&mut *writer, wanted, true), Ok(()), "{wanted}");
        assert_eq!(Declaration::of(&*writer).unwrap(), site(wanted));
    }
    for first in &steps {
        for second in &steps {
            assert_eq!(apply(&mut *writer, first, true), Ok(()));
            assert_eq!(apply(&mut *writer, second, true), Ok(()), "{first}\n\n{second}");
        }
    }
}

/// What a group has keeps its id, and so does a library: outcomes and rights of others hang on it.
#[test]
fn what_stays_is_not_made_anew() {
    let bench = Bench::new();
    let mut writer = bench.write();
    apply(&mut *writer, "library.a.alias='a'\nlibrary.b.alias='b'\nuser.u={}", false).unwrap();
    let before = (writer.libraries().unwrap(), writer.users().unwrap());
    let version = writer.settings_version().unwrap();
    apply(&mut *writer, "library.a.alias='a'\nlibrary.b.alias='b'\nuser.u={}", true).unwrap();
    assert_eq!(writer.settings_version().unwrap(), version, "nothing was written");
    apply(&mut *writer, "library.a.alias='b'\nlibrary.b.alias='a'\nuser.u.addresses=['u@x.org']", true)
        .unwrap();
    let now = (writer.libraries().unwrap(), writer.users().unwrap());
    assert_eq!(
        now.0.iter().map(|l| l.id).collect::<Vec<_>>(),
        before.0.iter().map(|l| l.id).collect::<Vec<_>>()
    );
    assert_eq!(now.0[0].created_at, before.0[0].created_at);
    assert_eq!(now.1[0].id, before.1[0].id);
}

#[test]
fn without_prune_what_the_file_lacks_stays_and_is_counted() {
    let now = site(
        "user.u.addresses=['u@x.org']\nuser.v={}\ngroup.g.members=['u', 'v']\nlibrary.z.alias='z'\n\
         [library.l]\nalias='l'\nenabled=false\ngrants={everyone='reader', 'user:u'='owner'}",
    );
    let wanted = site(
        "user.u={}\ngroup.g.members=['u']\n[library.l]\nalias='m'\ngrants={'user:u'='reader', 'group:g'='owner'}",
    );
    let plan = Plan::new(&now, &wanted, false);
    assert_eq!(plan.kept, Kept { users: 1, groups: 0, libraries: 1, grants: 1 });
    let target = site(
        "user.u={}\nuser.v={}\ngroup.g.members=['u']\nlibrary.z.alias='z'\n\
         [library.l]\nalias='m'\ngrants={everyone='reader', 'user:u'='reader', 'group:g'='owner'}",
    );
    assert_eq!(plan.target, target);
    assert_eq!((plan.users.len(), plan.groups.len(), plan.libraries.len(), plan.grants.len()), (1, 1, 1, 2));
    let pruned = Plan::new(&now, &wanted, true);
    assert_eq!((pruned.len(), pruned.kept, &pruned.target), (8, Kept::default(), &wanted));
    assert_eq!(pruned.grants[0].which.1, Principal::User("u".parse().unwrap()));
    let gone: Vec<_> =
        pruned.grants.iter().filter(|grant| grant.to.is_none()).map(|grant| &grant.which.1).collect();
    assert_eq!(gone, [&Principal::Everyone]);
    assert!(Plan::new(&target, &wanted, false).is_empty());
}

#[test]
fn what_a_site_cannot_be_is_refused_where_it_stands() {
    let shop = config::Site { system_account: "Root".to_owned(), ..config::Site::default() };
    let now = "user.u={}\nlibrary.x.alias='taken'\nlibrary.old.alias='abuse'\ngroup.g.members=['group:h']\ngroup.h={}";
    for (wanted, prune, expected) in [
        ("library.a.alias='q'\nlibrary.b.alias='Q'", false, vec![(2, "alias q: already taken by library a")]),
        ("library.b.alias='taken'", false, vec![(1, "alias taken: already taken by library x")]),
        ("library.b.alias='taken'", true, vec![]),
        ("library.b.alias='taken'\nlibrary.x.alias='b'", false, vec![]),
        ("library.old.alias='abuse'", false, vec![]),
        (
            "library.new.alias='postmaster'",
            false,
            vec![(1, "alias postmaster: postmaster must reach a person (RFC 5321 section 4.5.1)")],
        ),
        ("\nuser.root={}", false, vec![(2, "user root: that is the system account (site.system_account)")]),
        ("group.k.members=['u']", false, vec![]),
        ("group.k.members=['u']", true, vec![(1, "group k: member u: there is no user u")]),
        (
            "group.k.members=['group:u', 'nobody']",
            false,
            vec![
                (1, "group k: member group:u: there is no group u"),
                (1, "group k: member nobody: there is no user nobody"),
            ],
        ),
        (
            "[library.l]\nalias='l'\n[library.l.grants]\n'user:w'='owner'\n'group:g'='reader'",
            false,
            vec![(4, "library l: right of user:w: there is no user w")],
        ),
        ("group.a.members=['group:a']", false, vec![(1, "group a: a member of itself")]),
        // The file adds the link that closes a circle through a group it does not name.
        ("group.h.members=['group:g']", false, vec![(1, "group h: a member of itself through g")]),
        ("group.h.members=['group:g']\ngroup.g={}", false, vec![]),
        (
            "group.a.members=['group:b']\ngroup.b.members=['group:c']\ngroup.c.members=['group:a', 'group:b']",
            true,
            vec![
                (1, "group a: a member of itself through b, c"),
                (2, "group b: a member of itself through c"),
            ],
        ),
    ] {
        let found = refused(now, wanted, prune, &shop);
        let found: Vec<_> = found.iter().map(|(line, why)| (*line, why.as_str())).collect();
        assert_eq!(found, expected, "{wanted}");
    }
}

#[test]
fn a_long_chain_of_groups_is_no_circle_until_it_is_closed() {
    let chain: String = (0..20_000).map(|n| format!("g{n}.members=['group:g{}']\n", n + 1)).collect();
    let open = format!("[group]\n{chain}g20000={{}}");
    assert_eq!(refused("", &open, true, &config::Site::default()), []);
    let closed = format!("[group]\n{chain}g20000.members=['group:g0']");
    assert_eq!(refused("", &closed, true, &config::Site::default()).len(), 1);
}

/// There are more ways from the first group to the last than anybody can go.
#[test]
fn groups_that_are_reached_by_many_ways_are_looked_at_once() {
    let level = |n: u32| {
        format!(
            "a{n}.members=['group:a{0}', 'group:b{0}']\nb{n}.members=['group:a{0}', 'group:b{0}']\n",
            n + 1
        )
    };
    let levels: String = (0..64).map(level).collect();
    let open = format!("[group]\n{levels}a64={{}}\nb64={{}}");
    assert_eq!(refused("", &open, true, &config::Site::default()), []);
    let closed = format!("[group]\n{levels}a64.members=['group:b64']\nb64.members=['group:a64']");
    assert_eq!(refused("", &closed, true, &config::Site::default()).len(), 1);
}

#[test]
fn a_library_with_documents_is_in_the_way() {
    let bench = Bench::new();
    let mut writer = bench.write();
    apply(&mut *writer, "library.a.alias='a'\nlibrary.b.alias='b'\nlibrary.c.alias='c'", false).unwrap();
    ["a", "c"].iter().for_each(|name| file(&mut *writer, &name.parse().unwrap()));
    let refused = apply(&mut *writer, "library.b.alias='b'", true).unwrap_err();
    assert_eq!(refused, ["library a: it holds 1 documents", "library c: it holds 1 documents"]);
}

/// An error of the catalog is not taken for a refusal.
#[test]
fn a_plan_that_was_made_of_another_site_is_an_error() {
    let bench = Bench::new();
    let mut writer = bench.write();
    let plan = Plan::new(&site("user.u={}"), &site("user.u.addresses=['u@x.org']"), true);
    let error = plan.carry_out(&mut *writer, Timestamp::UNIX_EPOCH).unwrap_err();
    assert!(matches!(error, Error::NotFound { what: "user", .. }), "{error:?}");
    writer.add_user(&"v".parse().unwrap(), &[]).unwrap();
    let plan = Plan::new(&Declaration::default(), &site("user.u={}"), true);
    let error = plan.carry_out(&mut *writer, Timestamp::UNIX_EPOCH).unwrap_err();
    assert!(matches!(error, Error::Refused { .. }), "{error:?}");
}

#[test]
fn from_any_site_to_any_other() {
    let bench = Bench::new();
    let pairs = (any::site(), any::site(), proptest::collection::vec(any::<bool>(), 6));
    let (refused, merged) = (Cell::new(0), Cell::new(0));
    TestRunner::new(Cases { cases: 200, ..Cases::default() })
        .run(&pairs, |(first, second, full)| {
            let (a, b) = (first.to_toml(), second.to_toml());
            let mut writer = bench.write();
            prop_assert_eq!(apply(&mut *writer, &a, false), Ok(()), "onto an empty site");
            prop_assert_eq!(&Declaration::of(&*writer).unwrap().to_toml(), &a);
            let version = writer.settings_version().unwrap();
            for prune in [false, true] {
                prop_assert_eq!(apply(&mut *writer, &a, prune), Ok(()));
                prop_assert_eq!(
                    writer.settings_version().unwrap(),
                    version,
                    "its own export changes nothing"
                );
            }
            let full: Vec<_> =
                first.libraries.keys().zip(&full).filter(|(_, full)| **full).map(|(name, _)| name).collect();
            full.iter().for_each(|name| file(&mut *writer, name));

            writer.savepoint().unwrap();
            let kept = full.iter().filter(|name| !second.libraries.contains_key(**name));
            let kept: Vec<_> = kept.map(|name| format!("library {name}: it holds 1 documents")).collect();
            match apply(&mut *writer, &b, true) {
                Ok(()) => {
                    prop_assert_eq!(kept, Vec::<String>::new());
                    prop_assert_eq!(&Declaration::of(&*writer).unwrap().to_toml(), &b);
                }
                Err(reasons) => {
                    refused.set(refused.get() + 1);
                    prop_assert_eq!(reasons, kept);
                }
            }
            writer.roll_back().unwrap();

            match apply(&mut *writer, &b, false) {
                Ok(()) => {
                    merged.set(merged.get() + 1);
                    let now = Declaration::of(&*writer).unwrap();
                    prop_assert!(Plan::new(&now, &second, false).is_empty(), "all that was wanted is so");
                    prop_assert!(
                        first.users.keys().all(|login| now.users.contains_key(login)),
                        "and nothing is gone"
                    );
                    prop_assert!(first.grants.keys().all(|right| now.grants.contains_key(right)));
                }
                Err(reasons) => {
                    let known =
                        |why: &String| why.contains("already taken by") || why.contains("a member of itself");
                    prop_assert!(reasons.iter().all(known), "{:?}", reasons);
                }
            }
            Ok(())
        })
        .unwrap();
    let (refused, merged) = (refused.get(), merged.get());
    assert!(refused > 10 && merged > 10, "{refused} refused, {merged} merged");
}
