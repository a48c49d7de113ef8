use proptest::prelude::*;

use super::*;
use crate::escape::is_unsafe;

/// What is wrong with a declaration: line, column, why, and the way out.
fn faults(toml: &str) -> Vec<(usize, usize, String, Option<String>)> {
    let faults = match read(toml) {
        Ok((_, faults)) | Err(faults) => faults,
    };
    let lines = Lines::of(toml);
    let placed = faults.into_iter().map(|fault| {
        let (line, column) = lines.place(fault.at);
        (line, column, fault.why, fault.hint)
    });
    placed.collect()
}

fn only(toml: &str) -> (usize, usize, String, Option<String>) {
    let mut faults = faults(toml);
    assert_eq!(faults.len(), 1, "{toml}: {faults:?}");
    faults.remove(0)
}

/// A setting that is on record is one that is declared: by the very keys.
#[test]
fn every_setting_has_its_key() {
    let all = LibrarySettings::default();
    let json = serde_json::to_value(&all).unwrap();
    let mut declared: Vec<_> = settings(&all).into_iter().map(|(key, _)| key).collect();
    declared.sort_unstable();
    assert_eq!(json.as_object().unwrap().keys().collect::<Vec<_>>(), declared);
}

#[test]
fn what_a_file_leaves_out_is_as_by_default() {
    let toml = "[library.A]\nalias = 'B'\n[user.U]\n[group.g]\n[library.c]\nalias = 'c'\nenabled = false\n\
                grants = { everyone = 'reader', 'user:U' = 'owner' }\n";
    let (written, faults) = read(toml).unwrap();
    assert_eq!(faults, []);
    let Declaration { libraries, users, groups, grants } = written.declaration;
    let a = Library { alias: "b".parse().unwrap(), settings: LibrarySettings::default() };
    assert_eq!(libraries[&"a".parse().unwrap()], a);
    assert_eq!(
        libraries[&"c".parse().unwrap()].settings,
        LibrarySettings { enabled: false, ..LibrarySettings::default() }
    );
    assert_eq!(users[&"u".parse().unwrap()], BTreeSet::new());
    assert_eq!(groups[&"g".parse().unwrap()], BTreeSet::new());
    let right = |principal: &str| grants[&("c".parse().unwrap(), principal.parse().unwrap())];
    assert_eq!((right("everyone"), right("user:u"), grants.len()), (Role::Reader, Role::Owner, 2));
    let reads = |toml: &str| read(toml).unwrap().0.declaration;
    assert_eq!(reads(""), Declaration::default());
    assert_eq!(reads("\u{feff}library.a.alias = 'a'\r\n"), reads("[library.a]\nalias = \"a\""));
}

#[test]
fn each_fault_is_told_with_its_place() {
    for (toml, line, column, why) in [
        ("[users.x]", 1, 2, "unknown key `users`"),
        ("user = 1", 1, 1, "`user` is a section: [user.NAME]"),
        ("[library]\na.alias = 'a'\na.b = 1", 3, 3, "unknown key `library.a.b`"),
        ("[library]\na = 1", 2, 1, "`library.a` is a section: [library.a]"),
        ("[group]\n\"ä\" = 1", 2, 1, "`group.\"ä\"` is a section: [group.\"ä\"]"),
        ("[user.\"a b\"]", 1, 7, "user.\"a b\": a name is made of letters, digits and . _ - + & ' = @"),
        ("[user.a]\naddresses = 'a@b.c'", 2, 1, "user.a.addresses is a list, not a text in quotes"),
        (
            "[user.a]\naddresses = ['a@b.c', 3]",
            2,
            23,
            "user.a.addresses is a list of texts in quotes; one in it is a whole number",
        ),
        (
            "[user.a]\naddresses = ['é@b.c', 'x']",
            2,
            23,
            "user.a.addresses: \"x\": an address is LOCAL-PART@DOMAIN, at most 254 bytes",
        ),
        (
            "[user.a]\naddresses = ['a@b.c', 'A@B.c']",
            2,
            23,
            "user.a.addresses: a@b.c stands in the list twice",
        ),
        ("[user.a]\n\n [user.A]", 3, 8, "user a stands in line 1, column 7 already"),
        ("[group.b]\n[group.B]", 2, 8, "group b stands in line 1, column 8 already"),
        (
            "[library.B]\nalias='x'\n[library.b]\nalias='y'",
            3,
            10,
            "library b stands in line 1, column 10 already",
        ),
        (
            "[group.a]\nmembers = ['u', 'user:U']",
            2,
            17,
            "group.a.members: u stands in line 2, column 12 already",
        ),
        (
            "[group.a]\nmembers = ['x:y']",
            2,
            12,
            "group.a.members: \"x:y\": a member is LOGIN, user:LOGIN or group:NAME",
        ),
        ("[library.a]", 1, 10, "library.a has no alias"),
        ("[library.a]\nalias = 1", 2, 1, "library.a.alias is a text in quotes, not a whole number"),
        (
            "[library.a]\nalias = 'a..b'",
            2,
            9,
            "library.a.alias: \"a..b\": an alias has no dot at an end and no two dots together",
        ),
        (
            "[library.a]\nalias = 'a'\noverwrite = 1",
            3,
            1,
            "library.a.overwrite is true or false, not a whole number",
        ),
        (
            "[library.a]\nalias = 'a'\noverwrite = 'yes'",
            3,
            1,
            "library.a.overwrite is true or false, not a text in quotes",
        ),
        ("[library.a]\nalias = 'a'\ntitle = true", 3, 1, "library.a.title is a text in quotes, not true"),
        (
            "[library.a]\nalias = 'a'\ntitle = \"\\t\"",
            3,
            1,
            "library.a.title is no title: a title has no control characters",
        ),
        (
            "[library.a]\nalias = 'a'\ntrust-from = true",
            3,
            1,
            "library.a.trust-from is one of \"inherit\", \"yes\", \"no\", not true",
        ),
        (
            "[library.a]\nalias = 'a'\nattachments = 'Root'",
            3,
            1,
            "library.a.attachments is one of \"root\", \"subject\", \"sender\", not \"Root\"",
        ),
        (
            "[library.a]\nalias = 'a'\ngrants = []",
            3,
            1,
            "`library.a.grants` is a section: [library.a.grants]",
        ),
        (
            "[library.a]\nalias = 'a'\ngrants.everyone = 'write'",
            3,
            19,
            "library.a.grants.everyone is one of \"reader\", \"contributor\", \"owner\", not \"write\"",
        ),
        (
            "[library.a]\nalias = 'a'\ngrants.everyone = true",
            3,
            8,
            "library.a.grants.everyone is one of \"reader\", \"contributor\", \"owner\", not true or false",
        ),
        (
            "[library.a]\nalias = 'a'\ngrants.bob = 'owner'",
            3,
            8,
            "library.a.grants.bob: a principal is user:LOGIN, group:NAME or everyone",
        ),
        (
            "[library.a]\nalias = 'a'\n[library.a.grants]\n'user:b' = 'owner'\n'user:B' = 'owner'",
            5,
            1,
            "the right of user:b in library a stands in line 4, column 1 already",
        ),
        ("[user.a]\n[user.a]", 2, 7, "`a` stands here a second time"),
        ("[user.a", 1, 8, "unclosed table, expected `]`"),
    ] {
        let found = faults(toml);
        let (at, reason) =
            found.first().map(|(line, column, why, _)| ((*line, *column), why.as_str())).unwrap();
        assert_eq!((at, reason), ((line, column), why), "{toml}: {found:?}");
    }
}

#[test]
fn an_unknown_key_has_a_known_one_near_it() {
    for (toml, hint) in [
        ("[users.x]", "the nearest known one is `user`"),
        ("[libary.x]", "the nearest known one is `library`"),
        ("[user.x]\naddress = []", "the nearest known one is `user.x.addresses`"),
        ("[group.x]\nmember = []", "the nearest known one is `group.x.members`"),
        (
            "[library.x]\nalias='x'\nsave_original = true",
            "the nearest known one is `library.x.save-original`",
        ),
        (
            "[library.x]\nalias='x'\npolicy-sender = 'anyone'",
            "the nearest known one is `library.x.sender-policy`",
        ),
        ("[library.x]\nalias='x'\ngrant.everyone = 'owner'", "the nearest known one is `library.x.grants`"),
    ] {
        assert_eq!(only(toml).3.as_deref(), Some(hint));
    }
}

#[test]
fn all_faults_are_told_at_once_in_their_order() {
    let toml =
        "[library.b]\nalias = '.'\n[library.a]\nenabld = true\n[user.z]\naddresses = ['x']\n[group.'']\n";
    let places: Vec<_> = faults(toml).into_iter().map(|(line, ..)| line).collect();
    assert_eq!(places, [2, 3, 4, 6, 7]);
    let broken = "a = \nb = c\n[d\n";
    let places: Vec<_> = faults(broken).into_iter().map(|(line, column, ..)| (line, column)).collect();
    assert_eq!(places, [(1, 5), (2, 5), (3, 3)]);
}

proptest! {
    #[test]
    fn any_site_is_read_as_it_was_written(site in any::site()) {
        let toml = site.to_toml();
        prop_assert_eq!(toml.chars().find(|&c| is_unsafe(c) && c != '\n'), None);
        let (written, faults) = read(&toml).unwrap();
        prop_assert_eq!(faults, []);
        prop_assert_eq!(&written.declaration, &site);
        prop_assert_eq!(&written.declaration.to_toml(), &toml);
        let all: toml::Table = toml.parse().unwrap();
        let count = |kind: &str| all.get(kind).map_or(0, |table| table.as_table().unwrap().len());
        prop_assert_eq!(count("library"), site.libraries.len(), "what others read is the same");
    }

    /// A file that somebody has worked on.
    #[test]
    fn every_fault_stands_in_the_file(
        site in any::site(),
        edits in proptest::collection::vec((any::<u16>(), 0..4_usize, "[\\[\\]a-c=\"'.\n#{}, é1]{0,3}"), 0..6),
    ) {
        let mut toml = site.to_toml();
        for (at, cut, text) in edits {
            let begin = toml.floor_char_boundary(usize::from(at) % (toml.len() + 1));
            let end = toml.floor_char_boundary((begin + cut).min(toml.len())).max(begin);
            toml.replace_range(begin..end, &text);
        }
        match read(&toml) {
            Ok((written, faults)) => {
                prop_assert!(faults.iter().all(|fault| toml.is_char_boundary(fault.at) && !fault.why.is_empty()));
                prop_assert!(written.places.values().all(|at| *at < toml.len()));
                if faults.is_empty() {
                    let again = written.declaration.to_toml();
                    prop_assert_eq!(read(&again).unwrap().0.declaration, written.declaration);
                }
            }
            Err(faults) => {
                prop_assert!(!faults.is_empty() && faults.iter().all(|fault| fault.at <= toml.len()));
            }
        }
    }

    #[test]
    fn any_text_has_an_end(text in any::<String>()) {
        let _ = read(&text);
    }
}
