//! Any site at all, as far as names and the rules of groups let it be one.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use mailshelf_storage::model::{
    Attachments, LibrarySettings, Member, Principal, Role, SenderPolicy, TrustFrom,
};
use mailshelf_storage::{Address, Alias, GroupName, LibraryName, Login};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::{Declaration, Library};

/// Few letters, so that names meet; and such as are written in quotes, folded, invisible, or a word of the file's own.
fn name<T: FromStr + std::fmt::Debug>() -> impl Strategy<Value = T> {
    let letters = select("aaabbcC1._-+&'=@éßÉΣσЖ漢ſ\u{3164}\u{115f}\u{1d400}".chars().collect::<Vec<_>>());
    let words = select(vec!["everyone", "user", "group", "library", "grants", "true", "nan", "1979-05-27"]);
    let spelt = vec(letters, 1..4).prop_map(String::from_iter);
    let long = Just("x".repeat(128));
    let texts = prop_oneof![20 => spelt, 3 => words.prop_map(str::to_owned), 1 => long];
    texts.prop_filter_map("no name", |text| text.parse().ok())
}

fn address() -> impl Strategy<Value = Address> {
    let locals = select(vec!["a", "A.b", "o'neil", "\"a b\"", "\"a\\\"b\"", "é", "#=?", "Σ"]);
    let domains = select(vec!["x.org", "Bücher.example", "a_b.x", "漢字.example"]);
    (locals, domains)
        .prop_filter_map("no address", |(local, domain)| format!("{local}@{domain}").parse().ok())
}

fn title() -> impl Strategy<Value = String> {
    let hostile = select(
        "a \"'\\#[]={}\u{202e}\u{200b}\u{feff}\u{e0041}\u{10ffff}é漢\u{301}$`".chars().collect::<Vec<_>>(),
    );
    let any = any::<char>().prop_filter("a control", |c| !c.is_control());
    prop_oneof![
        3 => Just(String::new()),
        3 => vec(hostile.clone(), 0..8).prop_map(String::from_iter),
        2 => vec(any, 0..8).prop_map(String::from_iter),
        1 => vec(hostile, 255).prop_map(String::from_iter),
    ]
}

fn settings() -> impl Strategy<Value = LibrarySettings> {
    let words = (select(Attachments::ALL), select(SenderPolicy::ALL), select(TrustFrom::ALL));
    let quota = || option::of(1..i64::MAX as u64);
    (title(), words, any::<[bool; 5]>(), quota(), quota()).prop_map(
        |(title, words, switches, quota, anonymous_quota)| {
            let (attachments, sender_policy, trust_from) = words;
            let [overwrite, save_original, save_invitations, inline_images, enabled] = switches;
            LibrarySettings {
                title,
                attachments,
                overwrite,
                save_original,
                save_invitations,
                inline_images,
                sender_policy,
                trust_from,
                enabled,
                quota,
                anonymous_quota,
            }
        },
    )
}

/// Takes one of these, whichever; none of none.
fn pick<T: Clone>(of: &[T], which: u8) -> Option<T> {
    (!of.is_empty()).then(|| of[usize::from(which) % of.len()].clone())
}

/// Members of each group: users and groups. Of groups only those of a greater number, so that none is in itself; numbers
/// and names have nothing to do with each other.
fn groups(
    names: BTreeMap<GroupName, (u8, Vec<(bool, u8)>)>,
    users: &[Login],
) -> BTreeMap<GroupName, BTreeSet<Member>> {
    let mut ranked: Vec<_> = names.iter().map(|(name, (rank, _))| (*rank, name.clone())).collect();
    ranked.sort();
    let members = |name: &GroupName, rank: u8, wanted: &[(bool, u8)]| {
        let inner: Vec<_> = ranked.iter().filter(|other| **other > (rank, name.clone())).collect();
        let member = |(is_user, which): &(bool, u8)| match is_user {
            true => pick(users, *which).map(Member::User),
            false => pick(&inner, *which).map(|(_, name)| Member::Group(name.clone())),
        };
        wanted.iter().filter_map(member).collect()
    };
    names.iter().map(|(name, (rank, wanted))| (name.clone(), members(name, *rank, wanted))).collect()
}

/// A site.
pub fn site() -> impl Strategy<Value = Declaration> {
    let users = btree_map(name::<Login>(), btree_set(address(), 0..4), 0..6);
    let group = (any::<u8>(), vec((any::<bool>(), any::<u8>()), 0..5));
    let names = btree_map(name::<GroupName>(), group, 0..6);
    let libraries = btree_map(name::<LibraryName>(), settings(), 0..6);
    let aliases = btree_set(name::<Alias>(), 6).prop_map(Vec::from_iter).prop_shuffle();
    let rights = vec((any::<u8>(), 0..3_u8, any::<u8>(), select(Role::ALL)), 0..10);
    (users, names, libraries, aliases, rights).prop_map(|(users, names, settings, aliases, rights)| {
        let logins: Vec<_> = users.keys().cloned().collect();
        let groups = groups(names, &logins);
        let group_names: Vec<_> = groups.keys().cloned().collect();
        let named: Vec<_> = settings.keys().cloned().collect();
        let grants = rights.into_iter().filter_map(|(library, kind, which, role)| {
            let principal = match kind {
                0 => Principal::User(pick(&logins, which)?),
                1 => Principal::Group(pick(&group_names, which)?),
                _ => Principal::Everyone,
            };
            Some(((pick(&named, library)?, principal), role))
        });
        let grants = grants.collect();
        let libraries = settings.into_iter().zip(aliases);
        let libraries = libraries.map(|((name, settings), alias)| (name, Library { alias, settings }));
        Declaration { libraries: libraries.collect(), users, groups, grants }
    })
}
