//! Groups in groups, and the ways in which they give a role.

use super::*;
use crate::model::{Group, Way};

pub(super) const TESTS: &[CatalogTest] = &[
    a_group_has_users_and_groups,
    a_role_comes_through_groups_in_groups,
    a_diamond_gives_each_way_once,
    ways_are_in_order_of_strength,
    no_group_is_in_itself,
    two_at_once_make_no_circle,
    a_group_that_is_removed_leaves_the_others,
    nesting_raises_the_version,
    however_deep,
    however_many_ways,
];

/// Makes a group, or gives it other members.
fn put(writer: &mut dyn Writer, name: &str, members: &[&str]) -> crate::Result<()> {
    let members: Vec<Member> = members.iter().map(|member| the(member)).collect();
    match writer.group(&the(name))? {
        Some(_) => writer.set_group(&the(name), &members),
        None => writer.add_group(&the(name), &members),
    }
}

fn members(catalog: &dyn Catalog, group: &str) -> Vec<String> {
    let group = catalog.read().unwrap().group(&the(group)).unwrap().unwrap();
    group.members.iter().map(ToString::to_string).collect()
}

/// A library, and the user alice.
fn site(writer: &mut dyn Writer) -> (LibraryId, UserId) {
    (add_library(writer, "a"), writer.add_user(&the("alice"), &[]).unwrap())
}

fn give(writer: &mut dyn Writer, library: LibraryId, principal: &str, role: Role) {
    writer.grant(library, &the(principal), role).unwrap();
}

/// `role: principal > principal`, and that the strongest is the user's role.
fn ways(catalog: &dyn Catalog, library: LibraryId, user: UserId, limit: usize) -> Vec<String> {
    let reader = catalog.read().unwrap();
    let ways = reader.ways(library, user, limit).unwrap();
    assert_eq!(ways.first().map(|way| way.role), reader.role(library, user).unwrap());
    let text = |way: &Way| way.through.iter().map(ToString::to_string).collect::<Vec<_>>().join(" > ");
    ways.iter().map(|way| format!("{}: {}", way.role, text(way))).collect()
}

fn a_group_has_users_and_groups(catalog: &dyn Catalog) {
    write(catalog, |writer| {
        site(writer);
        writer.add_user(&the("zoe"), &[]).unwrap();
        put(writer, "inner", &[]).unwrap();
        put(writer, "alpha", &[]).unwrap();
        put(writer, "outer", &["group:inner", "zoe", "group:alpha", "alice", "group:inner", "zoe"]).unwrap();
        for unknown in ["group:nobody", "nobody", "inner"] {
            let missing = put(writer, "outer", &["alice", unknown]);
            assert!(matches!(missing, Err(Error::NotFound { .. })), "{missing:?}");
        }
    });
    assert_eq!(members(catalog, "outer"), ["alice", "zoe", "group:alpha", "group:inner"]);
    let groups = catalog.read().unwrap().groups().unwrap();
    assert_eq!(
        groups.iter().map(|group| group.name.as_str()).collect::<Vec<_>>(),
        ["alpha", "inner", "outer"]
    );
    assert_eq!(groups[1], Group { name: the("inner"), members: Vec::new() });
    assert_eq!(groups[2].members.len(), 4);
    write(catalog, |writer| put(writer, "outer", &["group:alpha"]).unwrap());
    assert_eq!(members(catalog, "outer"), ["group:alpha"], "in place of all, users and groups");
}

fn a_role_comes_through_groups_in_groups(catalog: &dyn Catalog) {
    let (library, alice) = write(catalog, |writer| {
        let ids = site(writer);
        put(writer, "c", &["alice"]).unwrap();
        put(writer, "b", &["group:c"]).unwrap();
        put(writer, "a", &["group:b"]).unwrap();
        put(writer, "beside", &["group:a"]).unwrap();
        ids
    });
    let role = || catalog.read().unwrap().role(library, alice).unwrap();
    assert_eq!(role(), None);
    write(catalog, |writer| give(writer, library, "group:a", Role::Contributor));
    assert_eq!(role(), Some(Role::Contributor));
    assert_eq!(ways(catalog, library, alice, 9), ["contributor: group:a > group:b > group:c"]);
    write(catalog, |writer| put(writer, "b", &[]).unwrap());
    assert_eq!(role(), None, "the chain is cut in the middle");
    write(catalog, |writer| {
        put(writer, "b", &["group:c"]).unwrap();
        put(writer, "c", &[]).unwrap();
        put(writer, "beside", &["alice", "group:a"]).unwrap();
    });
    assert_eq!(role(), None, "who is in the outer group is not in the inner one");
    assert_eq!(ways(catalog, library, alice, 9), [""; 0]);
}

fn a_diamond_gives_each_way_once(catalog: &dyn Catalog) {
    let (library, alice) = write(catalog, |writer| {
        let ids = site(writer);
        put(writer, "bottom", &["alice"]).unwrap();
        put(writer, "left", &["group:bottom"]).unwrap();
        put(writer, "right", &["group:bottom", "alice"]).unwrap();
        put(writer, "top", &["group:left", "group:right"]).unwrap();
        give(writer, ids.0, "group:top", Role::Owner);
        ids
    });
    let all = [
        "owner: group:top > group:right",
        "owner: group:top > group:left > group:bottom",
        "owner: group:top > group:right > group:bottom",
    ];
    assert_eq!(ways(catalog, library, alice, 9), all);
    assert_eq!(ways(catalog, library, alice, 2).len(), 2);
}

fn ways_are_in_order_of_strength(catalog: &dyn Catalog) {
    let (library, alice, bob) = write(catalog, |writer| {
        let (library, alice) = site(writer);
        let bob = writer.add_user(&the("bob"), &[]).unwrap();
        let other = add_library(writer, "other");
        put(writer, "team", &["alice"]).unwrap();
        put(writer, "all", &["group:team"]).unwrap();
        put(writer, "strangers", &["bob"]).unwrap();
        give(writer, library, "everyone", Role::Reader);
        give(writer, library, "user:alice", Role::Reader);
        give(writer, library, "group:team", Role::Contributor);
        give(writer, library, "group:all", Role::Owner);
        give(writer, library, "group:strangers", Role::Owner);
        give(writer, other, "user:alice", Role::Owner);
        (library, alice, bob)
    });
    let all = [
        "owner: group:all > group:team",
        "contributor: group:team",
        "reader: user:alice",
        "reader: everyone",
    ];
    assert_eq!(ways(catalog, library, alice, 9), all);
    assert_eq!(ways(catalog, library, bob, 9), ["owner: group:strangers", "reader: everyone"]);
    write(catalog, |writer| writer.remove_user(alice).unwrap());
    assert_eq!(ways(catalog, library, alice, 9), [""; 0], "everyone means every known user");
}

fn no_group_is_in_itself(catalog: &dyn Catalog) {
    write(catalog, |writer| {
        site(writer);
        put(writer, "c", &["alice"]).unwrap();
        put(writer, "b", &["group:c"]).unwrap();
        put(writer, "a", &["group:b"]).unwrap();
        put(writer, "alone", &[]).unwrap();
    });
    for (group, member, told) in [
        ("c", "group:a", "group c: a member of itself through a, b"),
        ("b", "group:a", "group b: a member of itself through a"),
        ("a", "group:a", "group a: a member of itself"),
        ("new", "group:new", "group new: a member of itself"),
    ] {
        let mut writer = catalog.write().unwrap();
        let version = writer.settings_version().unwrap();
        let refused = put(&mut *writer, group, &["group:alone", member]).unwrap_err();
        assert!(matches!(refused, Error::Cycle { .. }) && !refused.is_temporary(), "{refused:?}");
        assert_eq!(refused.to_string(), told);
        assert_eq!(writer.settings_version().unwrap(), version, "what is refused changes nothing");
        writer.commit().unwrap();
    }
    assert_eq!(catalog.read().unwrap().group(&the("new")).unwrap(), None);
    assert_eq!(members(catalog, "c"), ["alice"]);
    write(catalog, |writer| {
        // What is replaced no longer counts.
        put(writer, "b", &[]).unwrap();
        put(writer, "c", &["group:a"]).unwrap();
        put(writer, "a", &["group:b"]).unwrap();
    });
    assert_eq!(catalog.read().unwrap().integrity().unwrap(), [""; 0]);
}

/// Each of two administrators would be right by what they saw before.
fn two_at_once_make_no_circle(catalog: &dyn Catalog) {
    write(catalog, |writer| ["a", "b"].map(|name| put(writer, name, &[]).unwrap()));
    let barrier = std::sync::Barrier::new(2);
    let change = |group: &'static str, member: &'static str| {
        assert_eq!(catalog.read().unwrap().groups().unwrap().len(), 2);
        barrier.wait();
        let mut writer = catalog.write().unwrap();
        put(&mut *writer, group, &[member]).and_then(|()| writer.commit()).is_ok()
    };
    let done = std::thread::scope(|scope| {
        let other = scope.spawn(|| change("a", "group:b"));
        [change("b", "group:a"), other.join().unwrap()]
    });
    assert_eq!(done.into_iter().filter(|done| *done).count(), 1);
    assert_eq!(members(catalog, "a").len() + members(catalog, "b").len(), 1);
}

fn a_group_that_is_removed_leaves_the_others(catalog: &dyn Catalog) {
    let (library, alice) = write(catalog, |writer| {
        let ids = site(writer);
        put(writer, "c", &["alice"]).unwrap();
        put(writer, "b", &["group:c"]).unwrap();
        put(writer, "a", &["group:b", "group:c"]).unwrap();
        put(writer, "z", &["group:b"]).unwrap();
        give(writer, ids.0, "group:z", Role::Owner);
        give(writer, ids.0, "group:a", Role::Reader);
        ids
    });
    assert_eq!(ways(catalog, library, alice, 9).len(), 3);
    write(catalog, |writer| writer.remove_group(&the("b")).unwrap());
    assert_eq!(members(catalog, "a"), ["group:c"]);
    assert_eq!(members(catalog, "z"), [""; 0]);
    assert_eq!(ways(catalog, library, alice, 9), ["reader: group:a > group:c"]);
    // One of the same name is another group.
    write(catalog, |writer| put(writer, "b", &["group:c"]).unwrap());
    assert_eq!(members(catalog, "z"), [""; 0]);
    assert_eq!(catalog.read().unwrap().integrity().unwrap(), [""; 0]);
}

fn nesting_raises_the_version(catalog: &dyn Catalog) {
    write(catalog, |writer| ["a", "b"].map(|name| put(writer, name, &[]).unwrap()));
    let version = || catalog.read().unwrap().settings_version().unwrap();
    for members in [&["group:b"][..], &[]] {
        let before = version();
        write(catalog, |writer| put(writer, "a", members).unwrap());
        assert!(version() > before, "{members:?}");
    }
}

fn however_deep(catalog: &dyn Catalog) {
    const DEPTH: usize = 500;
    let (library, alice) = write(catalog, |writer| {
        let ids = site(writer);
        put(writer, "g0", &["alice"]).unwrap();
        for depth in 1..=DEPTH {
            put(writer, &format!("g{depth}"), &[&format!("group:g{}", depth - 1)]).unwrap();
        }
        give(writer, ids.0, &format!("group:g{DEPTH}"), Role::Contributor);
        ids
    });
    let reader = catalog.read().unwrap();
    assert_eq!(reader.role(library, alice).unwrap(), Some(Role::Contributor));
    assert_eq!(reader.ways(library, alice, 9).unwrap()[0].through.len(), DEPTH + 1);
    drop(reader);
    match put(&mut *catalog.write().unwrap(), "g0", &[&format!("group:g{DEPTH}")]) {
        Err(Error::Cycle { through, .. }) => assert_eq!(through.len(), DEPTH),
        other => panic!("{other:?}"),
    }
}

/// Two to the power of forty ways: nobody may try them all.
fn however_many_ways(catalog: &dyn Catalog) {
    const HIGH: usize = 40;
    let (library, alice) = write(catalog, |writer| {
        let ids = site(writer);
        let mut below = vec!["alice".to_owned()];
        for level in 0..HIGH {
            let members: Vec<_> = below.iter().map(String::as_str).collect();
            let names = ["l", "r"].map(|side| format!("{side}{level}"));
            names.iter().for_each(|name| put(writer, name, &members).unwrap());
            below = names.iter().map(|name| format!("group:{name}")).collect();
        }
        give(writer, ids.0, &below[0], Role::Contributor);
        give(writer, ids.0, "everyone", Role::Reader);
        ids
    });
    let ways = ways(catalog, library, alice, 10);
    assert_eq!((ways.len(), ways[10].as_str()), (11, "reader: everyone"));
    let mut writer = catalog.write().unwrap();
    let refused = put(&mut *writer, "l0", &[&format!("group:r{}", HIGH - 1)]);
    assert!(matches!(refused, Err(Error::Cycle { .. })), "{refused:?}");
}
