use std::os::unix::fs::symlink;

use super::*;

#[test]
fn confined_is_who_can_be_and_shall_be() {
    assert_eq!(decide(true, || true), Ok(()));
    assert_eq!(decide(true, || false), Err(Free::Unable));
    assert_eq!(decide(false, || true), Err(Free::Asked));
    assert_eq!(decide(false, || false), Err(Free::Asked));
}

/// The rights of every kind, for folders and for files; none that nobody needs.
#[test]
fn nobody_may_make_what_no_site_has() {
    use AccessFs::{Execute, IoctlDev, MakeBlock, MakeChar, MakeFifo, MakeSock, MakeSym, Refer, WriteFile};
    for right in [Right::Ours, Right::Grow, Right::Read, Right::Run, Right::Device] {
        for is_folder in [true, false] {
            let rights = access(right, is_folder);
            assert!(!rights.intersects(MakeChar | MakeBlock | MakeSock | MakeFifo | MakeSym | IoctlDev));
            assert_eq!(rights.contains(Execute), right == Right::Run);
            assert_eq!(rights.contains(Refer), right == Right::Ours && is_folder);
            let writes = matches!(right, Right::Ours | Right::Grow | Right::Device);
            assert_eq!(rights.contains(WriteFile), writes, "{right:?}");
        }
    }
}

#[test]
fn a_path_leads_where_its_links_do_also_to_what_is_not_there() {
    let dir = tempfile::tempdir().unwrap();
    let base = dir.path().canonicalize().unwrap();
    fs::create_dir(base.join("folder")).unwrap();
    symlink("folder/none", base.join("once")).unwrap();
    symlink(base.join("once"), base.join("twice")).unwrap();
    symlink("circle", base.join("circle")).unwrap();
    symlink("folder", base.join("link")).unwrap();
    for (path, leads) in [
        ("folder", "folder"),
        ("link", "folder"),
        ("link/../folder/.", "folder"),
        ("twice", "folder/none"),
        ("link/new", "folder/new"),
        ("circle", "circle"),
    ] {
        assert_eq!(real(&base.join(path)), base.join(leads), "{path}");
    }
}

/// A site in a temporary folder, and a confinement to some of its folders.
fn confined(base: &Path, ours: &[&str], grow: &[&str]) -> (Config, Confinement) {
    let text = "[site]\ndomains = [\"docs.example.org\"]\n[drop]\nkept = \"aside/kept\"\n\
                badmail = \"aside/badmail\"\n[events]\nfile = \"log/events.jsonl\"\n";
    fs::write(base.join("mailshelf.toml"), text).unwrap();
    for folder in ["drop", "state", "aside", "log"] {
        fs::create_dir_all(base.join(folder)).unwrap();
    }
    let these =
        |names: &[&str]| names.iter().map(|name| identity(&base.join(name)).unwrap()).collect::<HashSet<_>>();
    let writable = Writable { ours: these(ours), grow: these(grow) };
    (Config::load(&base.join("mailshelf.toml")).unwrap(), Confinement(Some(writable)))
}

#[test]
fn what_is_made_anew_is_out_of_reach_unless_something_above_it_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let base = dir.path().canonicalize().unwrap();
    let (config, confinement) = confined(&base, &["drop", "state", "aside"], &["log"]);
    assert_eq!(confinement.reaches(&config), Ok(()), "kept and badmail can be made");

    // Below the catalog's folder anything may be made anew.
    fs::create_dir(base.join("state/contents")).unwrap();
    assert_eq!(confinement.reaches(&config), Ok(()));

    // Kept for the next ones: so no new folder gets the old one's inode.
    fs::rename(base.join("drop"), base.join("gone")).unwrap();
    assert_eq!(confinement.reaches(&config), Ok(()), "it is not there");
    fs::create_dir(base.join("drop")).unwrap();
    assert_eq!(confinement.reaches(&config), Err(base.join("drop")));
    fs::remove_dir(base.join("drop")).unwrap();
    symlink("gone", base.join("drop")).unwrap();
    assert_eq!(confinement.reaches(&config), Ok(()), "the old one by a link");

    fs::rename(base.join("log"), base.join("old log")).unwrap();
    fs::create_dir(base.join("log")).unwrap();
    assert_eq!(confinement.reaches(&config), Err(base.join("log")));
    assert_eq!(Confinement::none().reaches(&config), Ok(()));
}

#[test]
fn what_has_to_be_made_out_of_reach_is_told_if_it_can_be_made() {
    let dir = tempfile::tempdir().unwrap();
    let base = dir.path().canonicalize().unwrap();
    let (config, confinement) = confined(&base, &["drop", "state"], &["log", "aside"]);
    assert_eq!(confinement.reaches(&config), Err(base.join("aside/kept")), "to grow is not enough");
    fs::remove_dir(base.join("aside")).unwrap();
    assert_eq!(confinement.reaches(&config), Ok(()), "nothing can be made there");
}

/// A configuration can be another one where its file is, and where a link to that is.
#[test]
fn a_configuration_is_exposed_by_a_link_to_it_too() {
    let dir = tempfile::tempdir().unwrap();
    let base = dir.path().canonicalize().unwrap();
    let (mut config, _) = confined(&base, &[], &[]);
    let exposed_by = |config: &Config| exposed(config).into_iter().map(|(_, folder)| folder).next();
    assert_eq!(exposed_by(&config), None);
    symlink("../mailshelf.toml", base.join("state/link.toml")).unwrap();
    symlink("..", base.join("state/link")).unwrap();
    fs::write(base.join("state/other.toml"), "").unwrap();
    symlink("state/other.toml", base.join("link.toml")).unwrap();
    for file in ["state/link.toml", "state/link/mailshelf.toml", "link.toml"] {
        config.file = base.join(file);
        assert_eq!(exposed_by(&config), Some(base.join("state")), "{file}");
    }
}

/// All that a pass of one site may reach: a place more is a decision.
#[test]
fn the_reach_of_a_site_is_this() {
    use crate::config::{Resolver, Verify};
    let dir = tempfile::tempdir().unwrap();
    let base = dir.path().canonicalize().unwrap();
    let (mut config, _) = confined(&base, &[], &[]);
    config.sender.verify = Verify::Dkim;
    config.sender.resolver = Resolver::At("127.0.0.1:5353".parse().unwrap());
    let own = [
        ("drop", Right::Ours),
        ("state/contents", Right::Ours),
        ("drop/new", Right::Ours),
        ("drop/cur", Right::Ours),
        ("state", Right::Ours),
        ("log", Right::Grow),
        ("log", Right::Grow),
        ("aside/kept", Right::Ours),
        ("aside/badmail", Right::Ours),
    ];
    let others = [("/dev/null", Right::Device), ("/dev/urandom", Right::Read)];
    let own = own.map(|(path, right)| (base.join(path), right));
    let expected: Vec<_> =
        own.into_iter().chain(others.map(|(path, right)| (PathBuf::from(path), right))).collect();
    let reach = Reach::of(&config, None);
    assert_eq!((reach.places, reach.port), (expected.clone(), Some(5353)));
    assert!(base.join("aside/kept").is_dir(), "nobody could make it later");

    // The program, its loader and libraries run; their folders, and what the loader reads, are read.
    let reach = Reach::of(&config, Some(Path::new(crate::site::PROGRAM)));
    let more: Vec<_> = reach.places.into_iter().filter(|place| !expected.contains(place)).collect();
    let files: Vec<_> = more.iter().filter(|(_, right)| *right == Right::Run).map(|(path, _)| path).collect();
    assert!(files.contains(&&PathBuf::from(crate::site::PROGRAM)));
    let folder_of_one = |path: &Path| files.iter().any(|file| file.parent() == Some(path));
    for (path, right) in &more {
        let known = path.starts_with("/etc/ld.so.cache") || path.starts_with("/etc/ld.so.preload");
        let fits = match right {
            Right::Run => path.is_file(),
            Right::Read => known || folder_of_one(path),
            _ => false,
        };
        assert!(fits, "{path:?} {right:?}");
    }

    config.sender.verify = Verify::Off;
    let reach = Reach::of(&config, None);
    assert_eq!((reach.places, reach.port), (expected, None));
}
