use std::os::unix::fs::symlink;

use super::*;

fn make(base: &Path, files: &[&str]) {
    for file in files {
        let path = base.join(file);
        if file.ends_with('/') {
            fs::create_dir_all(path).unwrap();
        } else {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "A: 1\n\n").unwrap();
        }
    }
}

/// What a walk finds: mail as `kind name`, everything else as `- name`, faults as `! name`.
fn walked(source: &Source) -> Vec<String> {
    let told = source.walk().map(|found| match found {
        Found::Item(item) => format!("{:?} {}", item.kind, shown(&item.name)),
        Found::PassedOver(name) => format!("- {name}"),
        Found::Fault(path, _) => format!("! {}", shown(path.file_name().unwrap())),
    });
    told.collect()
}

#[test]
fn a_maildir_and_its_folders() {
    let dir = tempfile::tempdir().unwrap();
    make(
        dir.path(),
        &[
            "cur/1:2,S",
            "cur/.hidden",
            "cur/sub/x.eml",
            "new/2",
            "tmp/3",
            "dovecot-uidlist",
            "a.eml",
            ".Archive/cur/4",
            ".Archive/new/",
            ".Archive/maildirfolder",
            ".git/config",
            "plain/5.eml",
        ],
    );
    symlink("1:2,S", dir.path().join("cur/link")).unwrap();
    let source = Source::open(dir.path()).unwrap();
    assert_eq!(
        walked(&source),
        [
            "Maildir .Archive|cur|4",
            "- .Archive/maildirfolder",
            "- .git/",
            "Mail a.eml",
            "- cur/.hidden",
            "Maildir cur|1:2,S",
            "- cur/link",
            "- cur/sub/",
            "- dovecot-uidlist",
            "Maildir new|2",
            "Mail plain|5.eml",
        ]
    );
}

#[test]
fn any_other_folder_is_searched_and_links_are_not_followed() {
    let dir = tempfile::tempdir().unwrap();
    make(
        dir.path(),
        &[
            "a.EML",
            "b.mbox",
            "c.Mbx",
            "mbox",
            "eml",
            "mbx",
            "README.md",
            ".d.eml",
            ".hidden/e.eml",
            "2019/March/f.eml",
            "box/cur/g",
            "box/new/",
            "half/cur/h",
            "half/cur/i.eml",
            "tmp/j.eml",
        ],
    );
    symlink("2019", dir.path().join("link")).unwrap();
    symlink("a.EML", dir.path().join("link.eml")).unwrap();
    let source = Source::open(dir.path()).unwrap();
    assert_eq!(
        walked(&source),
        [
            "- .d.eml",
            "- .hidden/",
            "Mail 2019|March|f.eml",
            "- README.md",
            "Mail a.EML",
            "Mbox b.mbox",
            "Maildir box|cur|g",
            "Mbox c.Mbx",
            "- eml",
            "- half/cur/h",
            "Mail half|cur|i.eml",
            "- link",
            "- link.eml",
            "Mbox mbox",
            "- mbx",
            "Mail tmp|j.eml",
        ]
    );
}

#[test]
fn a_named_file_is_what_it_would_be_in_its_folder_and_else_what_it_looks_like() {
    let dir = tempfile::tempdir().unwrap();
    make(dir.path(), &["a.eml", "b.mbox", "inbox", "mail", "box/cur/1", "box/new/", "half/cur/2"]);
    for name in ["a.eml", "inbox", "box/cur/1"] {
        fs::write(dir.path().join(name), "From a@x.org Sat Nov 21 04:00:00 2026\nA: 1\n\n").unwrap();
    }
    symlink("inbox", dir.path().join("link")).unwrap();
    for (name, kind) in [
        ("a.eml", Kind::Mail),
        ("b.mbox", Kind::Mbox),
        ("inbox", Kind::Mbox),
        ("mail", Kind::Mail),
        ("box/cur/1", Kind::Maildir),
        ("half/cur/2", Kind::Mail),
        ("link", Kind::Mbox),
    ] {
        let source = Source::open(&dir.path().join(name)).unwrap();
        let Some(Found::Item(item)) = source.walk().next() else { panic!("{name}") };
        assert_eq!(item.kind, kind, "{name}");
    }
    let refused = |name: &str| why_not(&Source::open(&dir.path().join(name)).unwrap_err());
    assert_eq!(refused("none"), "there is none");
    rustix::fs::mknodat(CWD, dir.path().join("pipe"), FileType::Fifo, Mode::RUSR, 0).unwrap();
    assert_eq!(refused("pipe"), "cannot be read: not a regular file");
}
