//! Libraries, users, groups and rights.

use super::*;
use crate::model::{Attachments, Grant, Group, Library, SenderPolicy, TrustFrom};

pub(super) const TESTS: &[CatalogTest] = &[
    a_library_comes_back_as_it_went_in,
    names_and_aliases_are_one_librarys,
    libraries_may_change_aliases_among_each_other,
    a_library_with_documents_is_not_removed,
    an_id_is_never_another_librarys,
    users_and_their_addresses,
    two_users_may_share_an_address,
    groups_and_their_members,
    rights,
    a_role_is_the_strongest,
    each_change_raises_the_version,
    what_is_not_there,
];

fn a_library_comes_back_as_it_went_in(catalog: &dyn Catalog) {
    let settings = LibrarySettings {
        title: "Rechnungen \u{202e}".to_owned(),
        attachments: Attachments::Sender,
        overwrite: true,
        save_original: true,
        save_invitations: true,
        inline_images: true,
        sender_policy: SenderPolicy::Anyone,
        trust_from: TrustFrom::No,
        enabled: false,
        quota: Some(1 << 40),
        anonymous_quota: Some(0),
    };
    let (name, alias): (LibraryName, Alias) = (the("invoices"), the("bills"));
    let id = write(catalog, |writer| {
        add_library(writer, "zz");
        writer.add_library(&name, &alias, &settings, at(0)).unwrap()
    });
    let expected = Library { id, name: name.clone(), alias: alias.clone(), settings, created_at: at(0) };
    let reader = catalog.read().unwrap();
    assert_eq!(reader.library(&name).unwrap().as_ref(), Some(&expected));
    assert_eq!(reader.library_by_alias(&alias).unwrap().as_ref(), Some(&expected));
    let all = reader.libraries().unwrap();
    assert_eq!((all.len(), &all[0]), (2, &expected), "sorted by name");
    assert_eq!(reader.library(&the("bills")).unwrap(), None);
    assert_eq!(reader.library_by_alias(&the("invoices")).unwrap(), None);
    drop(reader);
    write(catalog, |writer| writer.set_library(id, &the("new"), &LibrarySettings::default()).unwrap());
    let reader = catalog.read().unwrap();
    assert_eq!(reader.library_by_alias(&alias).unwrap(), None);
    let now = reader.library_by_alias(&the("new")).unwrap().unwrap();
    assert_eq!((now.id, now.settings, now.created_at), (id, LibrarySettings::default(), at(0)));
}

fn names_and_aliases_are_one_librarys(catalog: &dyn Catalog) {
    write(catalog, |writer| {
        let first = add_library(writer, "a");
        let second = add_library(writer, "b");
        let settings = LibrarySettings::default();
        match writer.add_library(&the("c"), &the("a"), &settings, at(0)) {
            Err(Error::Taken { what: "alias", name, by }) => {
                assert_eq!((name.as_str(), by.as_str()), ("a", "library a"));
            }
            other => panic!("{other:?}"),
        }
        let again = writer.add_library(&the("a"), &the("free"), &settings, at(0));
        assert!(matches!(again, Err(Error::Taken { what: "library", .. })), "{again:?}");
        let taken = writer.set_library(second, &the("a"), &settings);
        assert!(matches!(taken, Err(Error::Taken { what: "alias", .. })), "{taken:?}");
        writer.set_library(first, &the("a"), &settings).unwrap();
    });
    assert_eq!(catalog.read().unwrap().libraries().unwrap().len(), 2);
}

fn libraries_may_change_aliases_among_each_other(catalog: &dyn Catalog) {
    let [a, b, c] = write(catalog, |writer| ["a", "b", "c"].map(|name| add_library(writer, name)));
    let aliases = || {
        let libraries = catalog.read().unwrap().libraries().unwrap();
        libraries.into_iter().map(|library| library.alias.to_string()).collect::<Vec<_>>()
    };
    let before = catalog.read().unwrap().settings_version().unwrap();
    write(catalog, |writer| writer.set_aliases(&[(a, the("b")), (b, the("new")), (c, the("a"))]).unwrap());
    assert_eq!(aliases(), ["b", "new", "a"]);
    let former = |library| -> Vec<String> {
        let found = catalog.read().unwrap().former_aliases(library).unwrap();
        found.into_iter().map(|former| former.alias.to_string()).collect()
    };
    assert_eq!(
        [former(a), former(b), former(c)],
        [vec![], vec![], vec!["c".to_owned()]],
        "none that is in use"
    );
    assert!(catalog.read().unwrap().settings_version().unwrap() > before);
    write(catalog, |writer| {
        for (taken, name, by) in [
            ([(a, the("new")), (c, the("c"))], "new", "library b"),
            ([(a, the("x")), (c, the("x"))], "x", "library a"),
        ] {
            match writer.set_aliases(&taken) {
                Err(Error::Taken { what: "alias", name: alias, by: other }) => {
                    assert_eq!((alias.as_str(), other.as_str()), (name, by));
                }
                other => panic!("{other:?}"),
            }
        }
        writer.remove_library(b).unwrap();
        let gone = writer.set_aliases(&[(a, the("c")), (b, the("b"))]);
        assert!(matches!(gone, Err(Error::NotFound { .. })), "{gone:?}");
    });
    assert_eq!(aliases(), ["b", "a"], "all of it, or nothing");
}

fn a_library_with_documents_is_not_removed(catalog: &dyn Catalog) {
    let (full, empty) = write(catalog, |writer| (add_library(writer, "full"), add_library(writer, "empty")));
    let (mail, waiting) = (mail(None), mail(None));
    write(catalog, |writer| {
        file(writer, full, "", "a.pdf");
        file(writer, full, "", "b.pdf");
        match writer.remove_library(full) {
            Err(Error::NotEmpty { name, documents: 2, removed: 0 }) => assert_eq!(name, "full"),
            other => panic!("{other:?}"),
        }
        writer.put_mail(&mail).unwrap();
        let rejected = outcome("empty@x.org", OutcomeKind::Rejected, Some(empty));
        writer.put_outcome(mail.delivery, PassId::generate(), &rejected, at(0)).unwrap();
        writer.put_mail(&waiting).unwrap();
        let deferred = outcome("empty@x.org", OutcomeKind::Deferred, Some(empty));
        writer.put_outcome(waiting.delivery, PassId::generate(), &deferred, at(0)).unwrap();
        writer.grant(empty, &Principal::Everyone, Role::Reader).unwrap();
        writer.remove_library(empty).unwrap();
        // The next pass decides anew, and the library is not there any more.
        let decided = outcome("empty@x.org", OutcomeKind::Rejected, None);
        writer.put_outcome(waiting.delivery, PassId::generate(), &decided, at(1)).unwrap();
        assert_eq!(writer.outcomes(waiting.delivery).unwrap(), [decided]);
    });
    let reader = catalog.read().unwrap();
    assert_eq!(reader.libraries().unwrap().len(), 1);
    let told = outcome("empty@x.org", OutcomeKind::Rejected, Some(empty));
    let told = Outcome { gone: Some(the("empty")), ..told };
    assert_eq!(reader.outcomes(mail.delivery).unwrap(), [told], "what it was called stays on record");
}

/// Somebody may still hold it.
fn an_id_is_never_another_librarys(catalog: &dyn Catalog) {
    let removed = write(catalog, |writer| add_library(writer, "a"));
    write(catalog, |writer| writer.remove_library(removed).unwrap());
    assert_ne!(write(catalog, |writer| add_library(writer, "a")), removed);
}

fn users_and_their_addresses(catalog: &dyn Catalog) {
    let addresses: [Address; 3] = [the("b@x.org"), the("a@x.org"), the("b@x.org")];
    let id = write(catalog, |writer| {
        writer.add_user(&the("zoe"), &[]).unwrap();
        let id = writer.add_user(&the("alice"), &addresses).unwrap();
        let again = writer.add_user(&the("alice"), &[]);
        assert!(matches!(again, Err(Error::Taken { .. })), "{again:?}");
        id
    });
    let reader = catalog.read().unwrap();
    let alice = reader.user(&the("alice")).unwrap().unwrap();
    assert_eq!(alice.id, id);
    assert_eq!(alice.addresses, [the::<Address>("a@x.org"), the("b@x.org")], "sorted, each once");
    assert_eq!(reader.users_by_address(&the("a@x.org")).unwrap().as_slice(), std::slice::from_ref(&alice));
    let logins: Vec<_> = reader.users().unwrap().into_iter().map(|user| user.login).collect();
    assert_eq!(logins, [the::<Login>("alice"), the("zoe")]);
    write(catalog, |writer| writer.set_user(id, &[the("c@x.org")]).unwrap());
    let reader = catalog.read().unwrap();
    assert_eq!(reader.users_by_address(&the("a@x.org")).unwrap(), []);
    assert_eq!(reader.user(&the("alice")).unwrap().unwrap().addresses, [the::<Address>("c@x.org")]);
}

fn two_users_may_share_an_address(catalog: &dyn Catalog) {
    write(catalog, |writer| {
        writer.add_user(&the("b"), &[the("both@x.org"), the("b@x.org")]).unwrap();
        writer.add_user(&the("a"), &[the("both@x.org")]).unwrap();
    });
    let found = catalog.read().unwrap().users_by_address(&the("both@x.org")).unwrap();
    let logins: Vec<_> = found.iter().map(|user| user.login.as_str()).collect();
    assert_eq!(logins, ["a", "b"]);
    assert_eq!(found[1].addresses.len(), 2, "all of a user's addresses, not only the one asked for");
}

fn groups_and_their_members(catalog: &dyn Catalog) {
    let (team, empty): (GroupName, GroupName) = (the("team"), the("empty"));
    let bob = write(catalog, |writer| {
        writer.add_user(&the("alice"), &[]).unwrap();
        let bob = writer.add_user(&the("bob"), &[]).unwrap();
        writer.add_group(&team, &[the("bob"), the("alice"), the("bob")]).unwrap();
        writer.add_group(&empty, &[]).unwrap();
        assert!(matches!(writer.add_group(&team, &[]), Err(Error::Taken { .. })));
        bob
    });
    let both = Group { name: team.clone(), members: vec![the("alice"), the("bob")] };
    let none = Group { name: empty, members: Vec::new() };
    let reader = catalog.read().unwrap();
    assert_eq!(reader.groups().unwrap(), [none, both.clone()]);
    assert_eq!(reader.group(&team).unwrap(), Some(both));
    drop(reader);
    write(catalog, |writer| writer.remove_user(bob).unwrap());
    assert_eq!(catalog.read().unwrap().group(&team).unwrap().unwrap().members, [the::<Member>("alice")]);
    write(catalog, |writer| writer.set_group(&team, &[]).unwrap());
    assert_eq!(catalog.read().unwrap().group(&team).unwrap().unwrap().members, []);
    write(catalog, |writer| writer.remove_group(&team).unwrap());
    assert_eq!(catalog.read().unwrap().group(&team).unwrap(), None);
}

fn rights(catalog: &dyn Catalog) {
    let (user, group) = (Principal::User(the("alice")), Principal::Group(the("team")));
    let (library, alice) = write(catalog, |writer| {
        let alice = writer.add_user(&the("alice"), &[]).unwrap();
        writer.add_group(&the("team"), &[]).unwrap();
        let library = add_library(writer, "a");
        for principal in [&Principal::Everyone, &group, &user] {
            writer.grant(library, principal, Role::Reader).unwrap();
        }
        writer.grant(library, &user, Role::Owner).unwrap();
        (library, alice)
    });
    let grants = |catalog: &dyn Catalog| catalog.read().unwrap().grants(library).unwrap();
    let is = |principal: &Principal, role| Grant { principal: principal.clone(), role };
    let everyone = is(&Principal::Everyone, Role::Reader);
    assert_eq!(grants(catalog), [is(&user, Role::Owner), is(&group, Role::Reader), everyone.clone()]);
    write(catalog, |writer| {
        assert!(writer.revoke(library, &group).unwrap());
        assert!(!writer.revoke(library, &group).unwrap());
        writer.grant(library, &group, Role::Contributor).unwrap();
        writer.remove_group(&the("team")).unwrap();
        writer.remove_user(alice).unwrap();
    });
    assert_eq!(grants(catalog), [everyone]);
}

fn a_role_is_the_strongest(catalog: &dyn Catalog) {
    let (library, other, alice) = write(catalog, |writer| {
        let alice = writer.add_user(&the("alice"), &[]).unwrap();
        (add_library(writer, "a"), add_library(writer, "b"), alice)
    });
    let role = || catalog.read().unwrap().role(library, alice).unwrap();
    assert_eq!(role(), None);
    write(catalog, |writer| {
        writer.add_group(&the("in"), &[the("alice")]).unwrap();
        writer.add_group(&the("out"), &[]).unwrap();
        writer.grant(library, &Principal::Group(the("out")), Role::Owner).unwrap();
        writer.grant(other, &Principal::User(the("alice")), Role::Owner).unwrap();
    });
    assert_eq!(role(), None, "neither another group nor another library counts");
    write(catalog, |writer| writer.grant(library, &Principal::Everyone, Role::Reader).unwrap());
    assert_eq!(role(), Some(Role::Reader));
    write(catalog, |writer| writer.grant(library, &Principal::Group(the("in")), Role::Contributor).unwrap());
    assert_eq!(role(), Some(Role::Contributor));
    write(catalog, |writer| writer.grant(library, &Principal::User(the("alice")), Role::Reader).unwrap());
    assert_eq!(role(), Some(Role::Contributor), "the strongest, not the nearest");
    write(catalog, |writer| writer.grant(library, &Principal::User(the("alice")), Role::Owner).unwrap());
    assert_eq!(role(), Some(Role::Owner));
    write(catalog, |writer| writer.remove_user(alice).unwrap());
    assert_eq!(role(), None, "everyone means every known user");
}

fn each_change_raises_the_version(catalog: &dyn Catalog) {
    type Change = fn(&mut dyn Writer);
    const CHANGES: &[Change] = &[
        |writer| assert!(add_library(writer, "a").0 > 0),
        |writer| assert!(writer.add_user(&the("u"), &[]).unwrap().0 > 0),
        |writer| writer.add_group(&the("g"), &[]).unwrap(),
        |writer| writer.set_group(&the("g"), &[the("u")]).unwrap(),
        |writer| {
            let user = writer.user(&the("u")).unwrap().unwrap();
            writer.set_user(user.id, &[the("u@x.org")]).unwrap();
        },
        |writer| {
            let library = writer.library(&the("a")).unwrap().unwrap();
            writer.set_library(library.id, &the("b"), &library.settings).unwrap();
            writer.grant(library.id, &Principal::Everyone, Role::Owner).unwrap();
        },
        |writer| {
            let library = writer.library(&the("a")).unwrap().unwrap();
            assert!(writer.revoke(library.id, &Principal::Everyone).unwrap());
        },
        |writer| writer.remove_group(&the("g")).unwrap(),
        |writer| {
            let user = writer.user(&the("u")).unwrap().unwrap();
            writer.remove_user(user.id).unwrap();
        },
        |writer| {
            let library = writer.library(&the("a")).unwrap().unwrap();
            writer.remove_library(library.id).unwrap();
        },
    ];
    let mut version = catalog.read().unwrap().settings_version().unwrap();
    for (number, change) in CHANGES.iter().enumerate() {
        write(catalog, |writer| change(writer));
        let now = catalog.read().unwrap().settings_version().unwrap();
        assert!(now > version, "change {number}");
        version = now;
    }
    write(catalog, |writer| writer.put_mail(&mail(None)).unwrap());
    assert_eq!(catalog.read().unwrap().settings_version().unwrap(), version, "a mail is no setting");
}

fn what_is_not_there(catalog: &dyn Catalog) {
    let nobody = Principal::User(the("nobody"));
    write(catalog, |writer| {
        let (library, user) = (add_library(writer, "a"), writer.add_user(&the("u"), &[]).unwrap());
        writer.remove_library(library).unwrap();
        writer.remove_user(user).unwrap();
        let settings = LibrarySettings::default();
        let there = add_library(writer, "b");
        for missing in [
            writer.set_library(library, &the("x"), &settings),
            writer.remove_library(library),
            writer.set_user(user, &[]),
            writer.remove_user(user),
            writer.add_group(&the("g"), &[the("u")]),
            writer.set_group(&the("g"), &[]),
            writer.remove_group(&the("g")),
            writer.grant(library, &Principal::Everyone, Role::Owner),
            writer.grant(there, &nobody, Role::Owner),
            writer.grant(there, &Principal::Group(the("g")), Role::Owner),
            writer.revoke(there, &nobody).map(drop),
        ] {
            assert!(matches!(missing, Err(Error::NotFound { .. })), "{missing:?}");
        }
    });
}
