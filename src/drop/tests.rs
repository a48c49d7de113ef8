//! Tests of the drop as a whole, against real folders.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::process::Command;
use std::thread;
use std::time::{Instant, SystemTime};

use rustix::fs::OFlags;
use tempfile::TempDir;

use super::*;

struct Site {
    dir: TempDir,
}

impl Site {
    fn new() -> Site {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("drop")).unwrap();
        Site { dir }
    }

    fn maildir() -> Site {
        let site = Site::new();
        ["new", "cur", "tmp"].iter().for_each(|part| fs::create_dir(site.path().join(part)).unwrap());
        site
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("drop")
    }

    fn settings(&self, node: &str) -> Settings {
        Settings { path: self.path(), format: None, settle: Duration::ZERO, node: node.to_owned() }
    }

    fn open(&self) -> DropFolder {
        DropFolder::open(&self.settings("n1")).unwrap()
    }

    /// A drop where no lease can be had, as on NFS.
    fn open_without_leases(&self, settle: Duration) -> DropFolder {
        let mut drop = DropFolder::open(&Settings { settle, ..self.settings("n1") }).unwrap();
        Arc::get_mut(&mut drop.rules).unwrap().leases = false;
        drop
    }

    fn put(&self, name: impl AsRef<OsStr>, bytes: &[u8]) -> PathBuf {
        let path = self.path().join(Path::new(name.as_ref()));
        fs::write(&path, bytes).unwrap();
        path
    }
}

/// What one scan found: names claimed, and complaints as `name: why`, each sorted.
fn scan(drop: &DropFolder) -> (Vec<String>, Vec<String>) {
    found(drop.scan().unwrap())
}

fn found(scan: Scan<'_>) -> (Vec<String>, Vec<String>) {
    let (mut claimed, mut complaints) = (Vec::new(), Vec::new());
    for found in scan {
        match found {
            Found::Claimed(mail) => claimed.push(mail.shown_name()),
            Found::Complaint { file, why, .. } => complaints.push(format!("{file}: {why}")),
            Found::Fault(error) => panic!("{error}"),
        }
    }
    claimed.sort();
    complaints.sort();
    (claimed, complaints)
}

fn claim_one(drop: &DropFolder) -> Claimed {
    match drop.scan().unwrap().next() {
        Some(Found::Claimed(claimed)) => claimed,
        other => panic!("{other:?}"),
    }
}

fn busy(result: Result<Taken, NotTaken>) -> String {
    match result {
        Err(NotTaken::Busy(why)) => why,
        other => panic!("{other:?}"),
    }
}

fn names(folder: &Path) -> Vec<std::ffi::OsString> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect()
}

#[test]
fn only_regular_files_are_mail() {
    let site = Site::new();
    site.put("mail.eml", b"x");
    site.put(".hidden", b"x");
    symlink("mail.eml", site.path().join("link")).unwrap();
    symlink("nowhere", site.path().join("dangling")).unwrap();
    fs::create_dir(site.path().join("folder")).unwrap();
    let _socket = UnixListener::bind(site.path().join("socket")).unwrap();
    rustix::fs::mknodat(CWD, site.path().join("pipe"), rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    let drop = site.open();
    let (claimed, complaints) = scan(&drop);
    assert_eq!(claimed, ["mail.eml"]);
    let left = |what| format!("{what}, not a mail: left where it is");
    let expected = [
        format!("dangling: {}", left("a symbolic link")),
        format!("folder: {}", left("a folder")),
        format!("link: {}", left("a symbolic link")),
        format!("pipe: {}", left("a named pipe")),
        format!("socket: {}", left("a socket")),
    ];
    assert_eq!(complaints, expected);
    assert!(site.path().join(".hidden").exists() && site.path().join("pipe").exists());
    let timed = |_| {
        let before = Instant::now();
        assert_eq!(scan(&drop).0, [""; 0]);
        before.elapsed()
    };
    let quickest = (0..20).map(timed).min();
    assert!(quickest < Some(Duration::from_millis(90)), "no waiting where there are no links");
}

#[test]
fn the_key_of_a_complaint_stays_and_tells_things_apart() {
    let site = Site::new();
    fs::create_dir(site.path().join("folder")).unwrap();
    let key = || match site.open().scan().unwrap().next() {
        Some(Found::Complaint { key, .. }) => key,
        other => panic!("{other:?}"),
    };
    let first = key();
    assert_eq!(key(), first);
    fs::rename(site.path().join("folder"), site.path().join(".old")).unwrap();
    fs::create_dir(site.path().join("folder")).unwrap();
    assert_ne!(key(), first);
}

#[test]
fn two_links_are_a_delivery_in_progress() {
    let site = Site::new();
    for name in ["done-soon", "never-done", "taken-back"] {
        let path = site.put(name, b"x");
        fs::hard_link(&path, site.dir.path().join(name)).unwrap();
    }
    let drop = site.open();
    let mut walk = drop.scan().unwrap();
    while walk.reading.is_some() {
        assert!(walk.step().unwrap().is_none(), "told of before the second look");
    }
    // Between the first look and the second.
    fs::remove_file(site.dir.path().join("done-soon")).unwrap();
    fs::remove_file(site.path().join("taken-back")).unwrap();
    let (claimed, complaints) = found(walk);
    assert_eq!(claimed, ["done-soon"]);
    assert_eq!(complaints, ["never-done: has 2 links, as a delivery in progress does: left where it is"]);
    assert!(site.path().join("never-done").exists());
}

#[test]
fn a_hundred_links_wait_together() {
    let site = Site::new();
    for nth in 0..100 {
        let path = site.put(nth.to_string(), b"x");
        fs::hard_link(&path, site.dir.path().join(nth.to_string())).unwrap();
    }
    let before = Instant::now();
    assert_eq!(scan(&site.open()).1.len(), 100);
    assert!(before.elapsed() < Duration::from_secs(9), "as long as one after the other");
}

#[test]
fn a_maildir_yields_new_and_cur_with_two_links_too() {
    let site = Site::maildir();
    site.put("new/1.a", b"x");
    site.put("cur/2.b:2,S", b"x");
    let tmp = site.put("tmp/3.c", b"x");
    site.put("tmp/4.d", b"x");
    site.put("stray", b"x");
    fs::hard_link(tmp, site.path().join("new/3.c")).unwrap();
    let drop = site.open();
    assert_eq!(drop.format(), Format::Maildir);
    assert_eq!(scan(&drop), (vec!["1.a".into(), "2.b:2,S".into(), "3.c".into()], vec![]));
    drop.sync().unwrap();
    assert!(site.path().join("stray").exists() && site.path().join("tmp/4.d").exists());
}

#[test]
fn a_format_that_is_set_is_not_guessed() {
    let site = Site::maildir();
    let set = |format| Settings { format: Some(format), ..site.settings("n1") };
    assert_eq!(DropFolder::open(&set(Format::Folder)).unwrap().format(), Format::Folder);
    fs::remove_dir(site.path().join("cur")).unwrap();
    assert_eq!(site.open().format(), Format::Folder);
    let error = DropFolder::open(&set(Format::Maildir)).unwrap_err();
    assert!(matches!(&error, DropError::NotAMaildir { missing: "cur", .. }), "{error}");
    assert!(error.hint().is_some());
}

#[test]
fn any_name_is_claimed_and_found_again() {
    let site = Site::new();
    let long = "é".repeat(127) + "x";
    let odd: [&[u8]; 7] =
        [b"a\nb", b"esc\x1b[2J", b"\xff\xfe.eml", "\u{202e}eml".as_bytes(), b"~", b" ", long.as_bytes()];
    for name in odd {
        site.put(OsStr::from_bytes(name), b"x");
    }
    let long_bytes = vec![0xC3; 255];
    site.put(OsStr::from_bytes(&long_bytes), b"x");
    let drop = site.open();
    let claimed: Vec<_> = drop.scan().unwrap().collect();
    assert_eq!(claimed.len(), 8);
    let mut again: Vec<_> =
        drop.leftovers(&mut |_| Ok(())).unwrap().into_iter().map(|mail| (mail.id, mail.name)).collect();
    for found in claimed {
        let Found::Claimed(mail) = found else { panic!("{found:?}") };
        assert_eq!(mail.read(100).unwrap().bytes, b"x");
        let file = mail.path.file_name().unwrap();
        assert!(file.len() <= 255, "{file:?}");
        assert!(mail.name.to_str().is_none() || file.to_str().is_some(), "cut inside a character: {file:?}");
        let at = again.iter().position(|(id, _)| *id == mail.id).unwrap();
        let (_, name) = again.swap_remove(at);
        assert!(mail.name.as_bytes().starts_with(name.as_bytes()));
        assert!(name == mail.name || mail.name.len() == 255, "{name:?}");
    }
    assert_eq!(again.len(), 0);
}

#[test]
fn names_that_are_not_utf8_are_shown_as_bytes() {
    assert_eq!(shown(OsStr::from_bytes(b"a\xffb\xc3\xa9\xc3.eml")), r"a\xFFbé\xC3.eml");
}

#[test]
fn only_names_of_ours_are_parsed() {
    let id = DeliveryId::generate().to_string();
    let (parsed, name) = claim::parse(OsStr::new(&format!("{id}~a~b"))).unwrap();
    assert_eq!((parsed.to_string(), name.to_str().unwrap()), (id.clone(), "a~b"));
    for bad in [&id, &id.to_lowercase(), &format!("{}~x", id.to_lowercase()), "~x", "short~x", ""] {
        assert!(claim::parse(OsStr::new(bad)).is_none(), "{bad}");
    }
    let full = claim::parse(OsStr::new(&format!("{id}~"))).unwrap();
    assert_eq!(full.1, "");
}

#[test]
fn the_claim_folder_is_for_us_alone() {
    let site = Site::new();
    site.put("a", b"x");
    let drop = site.open();
    let claimed = claim_one(&drop);
    drop.sync().unwrap();
    assert_eq!(claimed.path.parent().unwrap(), site.path().join(".claimed/n1"));
    for folder in [".claimed", ".claimed/n1"] {
        assert_eq!(fs::metadata(site.path().join(folder)).unwrap().permissions().mode() & 0o777, 0o700);
    }
}

#[test]
fn a_second_pass_is_held_off_until_the_first_ends() {
    let site = Site::new();
    let drop = site.open();
    let error = DropFolder::open(&site.settings("n1")).unwrap_err();
    assert!(matches!(error, DropError::Held { .. }), "{error}");
    assert!(error.is_temporary());
    DropFolder::open(&site.settings("n2")).unwrap();
    std::mem::drop(drop);
    site.open();
}

#[test]
fn broken_drop_folders_are_named_and_not_made() {
    let site = Site::new();
    let error = |path: &str| {
        let path = site.path().join(path);
        let error = DropFolder::open(&Settings { path: path.clone(), ..site.settings("n1") }).unwrap_err();
        assert!(error.hint().is_some() && !error.is_temporary());
        error.to_string().replace(path.to_str().unwrap(), "P")
    };
    assert_eq!(error("missing"), "drop folder P: there is none");
    assert!(!site.path().join("missing").exists());
    site.put("file", b"x");
    assert_eq!(error("file"), "drop folder P: not a folder");
    assert_eq!(error("file/below"), "drop folder P: not a folder");
    for node in ["", ".", "..", ".x", "a/b", "a\0b", &"x".repeat(256)] {
        let error = DropFolder::open(&site.settings(node)).unwrap_err();
        assert!(matches!(error, DropError::NodeName(_)), "{error}");
    }
}

#[test]
fn a_claim_folder_that_leads_elsewhere_is_refused() {
    for (link, dir) in [(".claimed", ""), (".claimed/n1", ".claimed")] {
        let site = Site::new();
        fs::create_dir_all(site.path().join(dir)).unwrap();
        let elsewhere = site.dir.path().join("elsewhere");
        fs::create_dir(&elsewhere).unwrap();
        symlink(&elsewhere, site.path().join(link)).unwrap();
        site.put("a", b"x");
        let error = DropFolder::open(&site.settings("n1")).unwrap_err();
        assert!(matches!(error, DropError::ClaimsAreALink(_)), "{error}");
        assert_eq!(names(&elsewhere).len(), 0);
        assert!(site.path().join("a").exists());
    }
}

#[test]
fn a_file_in_place_of_the_claim_folder_is_refused() {
    let site = Site::new();
    site.put(".claimed", b"x");
    let error = DropFolder::open(&site.settings("n1")).unwrap_err();
    assert!(matches!(error, DropError::ClaimsAreNoFolder(_)), "{error}");
}

#[test]
fn a_claim_folder_that_goes_ends_the_scan_and_comes_back() {
    let site = Site::new();
    site.put("a", b"x");
    let drop = site.open();
    fs::remove_dir_all(site.path().join(".claimed")).unwrap();
    let mut scan = drop.scan().unwrap();
    assert!(matches!(scan.next(), Some(Found::Fault(DropError::ClaimsGone(_)))));
    assert!(scan.next().is_none());
    std::mem::drop(drop);
    assert_eq!(claim_one(&site.open()).name, "a");
}

#[test]
fn leftovers_are_ours_again_with_their_ids() {
    let site = Site::new();
    site.put("a", b"x");
    let first = claim_one(&site.open());
    let drop = site.open();
    let again = drop.leftovers(&mut |_| Ok(())).unwrap();
    assert_eq!(again.len(), 1);
    assert_eq!((again[0].id, &again[0].name, &again[0].path), (first.id, &first.name, &first.path));
    assert_eq!(again[0].read(9).unwrap().bytes, b"x");
}

#[test]
fn a_file_put_among_the_claims_gets_an_id() {
    let site = Site::new();
    let drop = site.open();
    site.put(".claimed/n1/by-hand.eml", b"x");
    let first = drop.leftovers(&mut |_| Ok(())).unwrap();
    assert_eq!(first[0].name, "by-hand.eml");
    let again = drop.leftovers(&mut |_| Ok(())).unwrap();
    assert_eq!((again.len(), again[0].id), (1, first[0].id));
}

#[test]
fn claims_and_suspects_of_a_dead_node_are_adopted() {
    let site = Site::new();
    site.put("a", b"x");
    let dead = DropFolder::open(&site.settings("dead")).unwrap();
    let claimed = claim_one(&dead);
    std::mem::forget(dead.slots().enter(3, claimed.id).unwrap());
    std::mem::drop(dead);
    let drop = site.open();
    let adopted = drop.leftovers(&mut |_| Ok(())).unwrap();
    assert_eq!((adopted.len(), adopted[0].id), (1, claimed.id));
    assert_eq!(adopted[0].path.parent().unwrap(), site.path().join(".claimed/n1"));
    assert_eq!(drop.slots().suspects(), [claimed.id]);
    drop.slots().acquit(claimed.id).unwrap();
    assert_eq!(drop.slots().suspects(), []);
    assert_eq!(names(&site.path().join(".claimed")), ["n1"]);
    assert_eq!(scan(&drop), (vec![], vec![]));
    DropFolder::open(&site.settings("dead")).unwrap();
}

#[test]
fn claims_of_a_living_node_are_its_own() {
    let site = Site::new();
    site.put("a", b"x");
    let living = DropFolder::open(&site.settings("living")).unwrap();
    let claimed = claim_one(&living);
    let drop = site.open();
    assert_eq!(drop.leftovers(&mut |_| Ok(())).unwrap().len(), 0);
    assert!(claimed.path.exists());
    std::mem::drop(living);
    assert_eq!(drop.leftovers(&mut |_| Ok(())).unwrap().len(), 1);
}

#[test]
fn what_cannot_be_adopted_stays_and_is_complained_of() {
    let site = Site::new();
    site.put("a", b"dead");
    let claimed = claim_one(&DropFolder::open(&site.settings("dead")).unwrap());
    let drop = site.open();
    let ours = site.path().join(".claimed/n1").join(claimed.path.file_name().unwrap());
    fs::write(&ours, b"ours").unwrap();
    assert_eq!(drop.leftovers(&mut |_| Ok(())).unwrap().len(), 1);
    assert_eq!(fs::read(&ours).unwrap(), b"ours");
    assert_eq!(fs::read(&claimed.path).unwrap(), b"dead");
    assert_eq!(scan(&drop).1.len(), 1);
}

/// Nodes that come and go, each adopting what the others left: at the end every mail is claimed once.
#[test]
fn many_nodes_claim_each_mail_once() {
    let site = Site::new();
    (0..400).for_each(|nth| drop(site.put(nth.to_string(), b"x")));
    std::thread::scope(|scope| {
        for node in ["a", "b", "c", "d"] {
            let settings = site.settings(node);
            scope.spawn(move || {
                for _ in 0..20 {
                    let drop = DropFolder::open(&settings).unwrap();
                    drop.leftovers(&mut |_| Ok(())).unwrap();
                    drop.scan()
                        .unwrap()
                        .take(7)
                        .for_each(|found| assert!(matches!(found, Found::Claimed(_))));
                }
            });
        }
    });
    let drop = site.open();
    assert_eq!(scan(&drop).1, [""; 0]);
    let mut all: Vec<_> = drop.leftovers(&mut |_| Ok(())).unwrap().iter().map(Claimed::shown_name).collect();
    all.sort_by_key(|name| name.parse::<u32>().unwrap());
    assert_eq!(all, (0..400).map(|nth| nth.to_string()).collect::<Vec<_>>());
}

#[test]
fn a_file_open_for_writing_is_busy_until_it_is_closed() {
    let site = Site::new();
    let path = site.put("a", b"begun, ");
    let mut writer = OpenOptions::new().append(true).open(path).unwrap();
    let drop = site.open();
    let claimed = claim_one(&drop);
    assert_eq!(busy(claimed.read(100)), "a process has it open for writing");
    assert_eq!(claimed.worth_waiting(), None);
    writer.write_all(b"done").unwrap();
    std::mem::drop(writer);
    let taken = claimed.read(100).unwrap();
    assert_eq!((taken.bytes.as_slice(), taken.size), (b"begun, done".as_slice(), 11));
    assert!(taken.rest.is_none());
}

/// The kernel signals whoever holds a lease that is wanted; by default that signal kills.
#[test]
fn a_writer_that_comes_while_we_read_is_noticed_and_kills_nobody() {
    let site = Site::new();
    site.put("a", &vec![b'x'; 3 << 20]);
    let drop = site.open();
    let claimed = claim_one(&drop);
    let taken = claimed.read(10).unwrap();
    let nonblocking = OFlags::NONBLOCK.bits().cast_signed();
    let writer = OpenOptions::new().write(true).custom_flags(nonblocking).open(&claimed.path);
    assert_eq!(writer.unwrap_err().kind(), io::ErrorKind::WouldBlock);
    assert!(matches!(taken.rest.unwrap().each(|_| {}), Err(NotTaken::Busy(_))));
    OpenOptions::new().write(true).open(&claimed.path).unwrap();
    assert!(claimed.read(10).unwrap().rest.unwrap().each(|_| {}).is_ok());
}

#[test]
fn growth_and_truncation_while_reading_are_noticed_without_a_lease() {
    let site = Site::new();
    let drop = site.open_without_leases(Duration::ZERO);
    for change in [|file: &fs::File| file.set_len(5 << 20), |file: &fs::File| file.set_len(2 << 20)] {
        site.put("a", &vec![b'x'; 3 << 20]);
        let claimed = claim_one(&drop);
        let rest = claimed.read(10).unwrap().rest.unwrap();
        change(&OpenOptions::new().write(true).open(&claimed.path).unwrap()).unwrap();
        let error = rest.each(|_| {}).unwrap_err();
        assert!(matches!(&error, NotTaken::Busy(why) if why == "it changed while it was read"), "{error}");
        assert_eq!(fs::remove_file(&claimed.path).ok(), Some(()));
    }
}

#[test]
fn rewriting_in_place_while_reading_is_noticed() {
    let site = Site::new();
    let drop = site.open_without_leases(Duration::ZERO);
    site.put("a", &vec![b'x'; 3 << 20]);
    let claimed = claim_one(&drop);
    let rest = claimed.read(10).unwrap().rest.unwrap();
    std::thread::sleep(Duration::from_millis(20));
    OpenOptions::new().write(true).open(&claimed.path).unwrap().write_all(b"y").unwrap();
    assert!(matches!(rest.each(|_| {}), Err(NotTaken::Busy(_))));
}

#[test]
fn a_mail_beyond_the_limit_is_a_head_and_a_stream() {
    let site = Site::new();
    let drop = site.open();
    let pattern: Vec<u8> =
        (0..(3 << 20) + 7).map(|nth: u32| (nth.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for (size, limit, head) in
        [(pattern.len(), 1 << 20, 1 << 20), (100, 99, 100), (100, 100, 100), (0, 0, 0), (2, 0, 2)]
    {
        site.put("a", &pattern[..size]);
        let claimed = claim_one(&drop);
        let taken = claimed.read(limit as u64).unwrap();
        assert_eq!((taken.size, taken.bytes.len()), (size as u64, head));
        assert_eq!(taken.rest.is_some(), size > limit);
        let mut bytes = taken.bytes;
        if let Some(rest) = taken.rest {
            rest.each(|piece| bytes.extend_from_slice(piece)).unwrap();
        }
        assert!(bytes == pattern[..size]);
        fs::remove_file(&claimed.path).unwrap();
    }
}

#[test]
fn arrival_is_when_it_was_last_written() {
    let site = Site::new();
    let path = site.put("a", b"x");
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_millis(1_436_263_371_602)).unwrap();
    std::mem::drop(file);
    let taken = claim_one(&site.open()).read(9).unwrap();
    assert_eq!(taken.arrived_at.to_string(), "2015-07-07T10:02:51.602Z");
}

#[test]
fn without_a_lease_a_fresh_file_waits_for_settle() {
    let site = Site::new();
    site.put("a", b"x");
    let settle = Duration::from_secs(600);
    let drop = site.open_without_leases(settle);
    let claimed = claim_one(&drop);
    let why = busy(claimed.read(9));
    assert!(why.ends_with("only, settle is 600s"), "{why}");
    let wait = claimed.worth_waiting().unwrap();
    assert!(!wait.is_zero() && wait <= settle, "{wait:?}");
    // As if it had been seen so for as long as that.
    let mut memory = claimed.memory.lock().unwrap();
    memory.seen = memory.seen.map(|(look, since)| (look, since - settle));
    std::mem::drop(memory);
    assert_eq!(claimed.read(9).unwrap().bytes, b"x");
}

#[test]
fn without_a_lease_an_old_file_is_settled_though_just_claimed() {
    let site = Site::new();
    site.put("a", b"x");
    std::thread::sleep(Duration::from_millis(350));
    let drop = site.open_without_leases(Duration::from_millis(300));
    claim_one(&drop).read(9).unwrap();
}

#[test]
fn without_a_lease_a_time_to_come_is_settled_by_watching() {
    let site = Site::new();
    let path = site.put("a", b"x");
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_modified(SystemTime::now() + Duration::from_secs(86_400)).unwrap();
    let drop = site.open_without_leases(Duration::from_millis(100));
    let claimed = claim_one(&drop);
    busy(claimed.read(9));
    std::thread::sleep(claimed.worth_waiting().unwrap());
    claimed.read(9).unwrap();
}

#[test]
fn without_a_lease_a_maildir_waits_for_nothing() {
    let site = Site::maildir();
    site.put("new/a", b"x");
    claim_one(&site.open_without_leases(Duration::from_secs(100))).read(9).unwrap();
}

#[test]
fn what_became_of_a_claim_file_is_a_fault_of_that_file() {
    let site = Site::new();
    let drop = site.open();
    type Replace = fn(&Path);
    let replace: [(Replace, &str); 4] = [
        (|_| {}, "cannot open it: No such file or directory (os error 2)"),
        (|path| symlink("/etc/passwd", path).unwrap(), "cannot open it: not a regular file"),
        (|path| fs::create_dir(path).unwrap(), "cannot open it: not a regular file"),
        (|path| std::mem::drop(UnixListener::bind(path).unwrap()), "cannot open it: not a regular file"),
    ];
    for (replace, expected) in replace {
        site.put("a", b"x");
        let claimed = claim_one(&drop);
        fs::remove_file(&claimed.path).unwrap();
        // A socket's name must be short.
        replace(&site.dir.path().join("r"));
        let _ = fs::rename(site.dir.path().join("r"), &claimed.path);
        match claimed.read(9) {
            Err(NotTaken::Fault { why, site: false }) => assert_eq!(why, expected),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_pipe_in_place_of_a_claim_file_does_not_hold_us() {
    let site = Site::new();
    let drop = site.open();
    site.put("a", b"x");
    let claimed = claim_one(&drop);
    fs::remove_file(&claimed.path).unwrap();
    rustix::fs::mknodat(CWD, &claimed.path, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    assert!(matches!(claimed.read(9), Err(NotTaken::Fault { site: false, .. })));
}

#[test]
fn faults_of_the_site_are_told_from_those_of_a_file() {
    use rustix::io::Errno;
    for errno in [Errno::MFILE, Errno::NFILE, Errno::NOMEM, Errno::STALE, Errno::ROFS] {
        assert!(error::site_wide(&errno.into()), "{errno}");
    }
    for errno in [Errno::ACCESS, Errno::PERM, Errno::IO, Errno::NOENT, Errno::LOOP] {
        assert!(!error::site_wide(&errno.into()), "{errno}");
    }
}

/// Opens the drop of an outer test, in surroundings that only another process can have, and says what came of it.
#[test]
#[ignore = "a part of other tests, which run it in a process of its own"]
fn inner_open() {
    let Some(path) = std::env::var_os("MAILSHELF_TEST_DROP") else { return };
    let settings =
        Settings { path: path.into(), format: None, settle: Duration::from_secs(9), node: "n1".into() };
    let said = match DropFolder::open(&settings) {
        Err(error) => error.to_string(),
        Ok(drop) => match drop.scan().unwrap().next() {
            Some(Found::Claimed(claimed)) => format!("{:?}", claimed.read(9)),
            other => format!("{other:?}"),
        },
    };
    println!("said: {said}");
}

/// Runs `inner_open` by way of `wrap`; `None`, with the reason printed, where that is not possible.
fn open_within(site: &Site, wrap: &[&str]) -> Option<String> {
    let test = std::env::current_exe().unwrap();
    let (program, arguments) = wrap.split_first().unwrap();
    let out = Command::new(program)
        .args(arguments)
        .arg(test)
        .args(["--exact", "drop::tests::inner_open", "--ignored", "--nocapture"])
        .env("MAILSHELF_TEST_DROP", site.path())
        .output();
    let said = out.as_ref().ok().and_then(|out| {
        let text = String::from_utf8_lossy(&out.stdout).into_owned();
        text.split_once("said: ").map(|(_, said)| said.lines().next().unwrap_or_default().to_owned())
    });
    if said.is_none() {
        let _ = writeln!(std::io::stderr(), "skipped: {wrap:?} cannot be run here: {out:?}");
    }
    said
}

#[test]
fn a_claim_folder_that_is_a_mount_point_is_refused() {
    for claims in [".claimed", ".claimed/n1"] {
        let site = Site::new();
        let claims = site.path().join(claims);
        fs::create_dir_all(&claims).unwrap();
        let mount = ["mount --bind \"$D\" \"$D\"", "mount -t tmpfs none \"$D\""];
        for mount in mount {
            let script = format!("D='{}'; {mount} && exec \"$0\" \"$@\"", claims.display());
            let Some(said) = open_within(&site, &["unshare", "-m", "sh", "-c", &script]) else { return };
            let expected = "on another file system than the drop folder, or a mount point";
            assert_eq!(said, format!("folder {}: {expected}", claims.display()));
        }
    }
}

#[test]
fn a_drop_that_is_a_mount_point_is_fine() {
    let site = Site::new();
    site.put("a", b"x");
    let script = format!("mount --bind '{0}' '{0}' && exec \"$0\" \"$@\"", site.path().display());
    let Some(said) = open_within(&site, &["unshare", "-m", "sh", "-c", &script]) else { return };
    assert!(said.starts_with("Ok(Taken { bytes: [120]"), "{said}");
}

#[test]
fn a_drop_mounted_read_only_is_named() {
    let site = Site::new();
    let script = format!("mount --bind -o ro '{0}' '{0}' && exec \"$0\" \"$@\"", site.path().display());
    let Some(said) = open_within(&site, &["unshare", "-m", "sh", "-c", &script]) else { return };
    assert_eq!(said, format!("drop folder {}: its file system is read-only", site.path().display()));
}

const NOBODY: [&str; 4] = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];

fn allow(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn missing_rights_are_said_of_the_folder() {
    let site = Site::new();
    allow(site.dir.path(), 0o755);
    for (mode, what) in [(0o711, "read"), (0o755, "take mail out of"), (0o776, "enter")] {
        allow(&site.path(), mode);
        let Some(said) = open_within(&site, &NOBODY) else { return };
        assert_eq!(said, format!("folder {}: no right to {what} it", site.path().display()));
    }
    allow(&site.path(), 0o777);
    fs::create_dir(site.path().join(".claimed")).unwrap();
    allow(&site.path().join(".claimed"), 0o777);
    let Some(said) = open_within(&site, &NOBODY) else { return };
    assert!(
        said.starts_with("NotFound") || said.starts_with("None"),
        "root and the drop's owner may: {said}"
    );
}

#[test]
fn who_does_not_own_a_file_gets_no_lease_and_waits() {
    let site = Site::new();
    allow(site.dir.path(), 0o755);
    allow(&site.path(), 0o777);
    allow(&site.put("a", b"x"), 0o644);
    let Some(said) = open_within(&site, &NOBODY) else { return };
    assert!(said.starts_with("Err(Busy(\"still for "), "{said}");
}

#[test]
fn slots_name_who_was_at_work() {
    let dir = tempfile::tempdir().unwrap();
    let slots = Slots::open(dir.path()).unwrap();
    assert_eq!(slots.suspects(), []);
    let ids: Vec<_> = (0..4).map(|_| DeliveryId::generate()).collect();
    std::thread::scope(|scope| {
        for (worker, id) in ids.iter().enumerate() {
            let slots = &slots;
            scope.spawn(move || {
                std::mem::drop(slots.enter(worker, DeliveryId::generate()).unwrap());
                let note = slots.enter(worker, *id).unwrap();
                if worker == 2 { std::mem::drop(note) } else { std::mem::forget(note) }
            });
        }
    });
    let mut expected = vec![ids[0], ids[1], ids[3]];
    expected.sort();
    // Until somebody has looked into it, and said so.
    for _ in 0..2 {
        assert_eq!(Slots::open(dir.path()).unwrap().suspects(), expected);
    }
    Slots::open(dir.path()).unwrap().acquit(expected[1]).unwrap();
    expected.remove(1);
    assert_eq!(Slots::open(dir.path()).unwrap().suspects(), expected);
}

#[test]
fn slots_pass_over_what_is_no_record() {
    let dir = tempfile::tempdir().unwrap();
    let id = DeliveryId::generate();
    let text = id.to_string();
    let mut bytes = vec![0xFF; 32];
    bytes.extend([0; 32]);
    bytes.extend(format!("{text:<31}\n").bytes());
    bytes.extend(format!("{text:<31}\n").bytes().take(20));
    fs::write(dir.path().join(slots::SLOTS), bytes).unwrap();
    assert_eq!(Slots::open(dir.path()).unwrap().suspects(), [id]);
}

#[test]
fn a_suspicion_outlives_the_work_of_others() {
    let dir = tempfile::tempdir().unwrap();
    let slots = Slots::open(dir.path()).unwrap();
    let mut ids: Vec<_> = (0..3).map(|_| DeliveryId::generate()).collect();
    ids.sort();
    slots.suspect(vec![ids[0]]).unwrap();
    slots.suspect(vec![ids[1], ids[0]]).unwrap();
    for worker in [0, usize::MAX] {
        std::mem::drop(slots.enter(worker, ids[2]).unwrap());
    }
    assert_eq!(Slots::open(dir.path()).unwrap().suspects(), ids[..2]);
}

#[test]
fn a_claim_of_another_process_can_be_read_though_it_is_open() {
    let site = Site::new();
    site.put("a", b"x");
    let claimed = claim_one(&site.open());
    let _writer = OpenOptions::new().append(true).open(&claimed.path).unwrap();
    let alone = Claimed::alone(&claimed.path, Format::Folder);
    assert_eq!((alone.id, &alone.name), (claimed.id, &claimed.name));
    assert_eq!(alone.read(9).unwrap().bytes, b"x");
}

/// What a look finds, as `name: where`, sorted.
fn looked(settings: &Settings) -> Vec<String> {
    let told = |found: Result<look::Standing, DropError>| {
        let found = found.unwrap();
        match found.place {
            look::Place::Waiting => format!("{}: waiting, {}", found.file, found.size),
            look::Place::NotMail(why) => format!("{}: {why}", found.file),
            look::Place::Claimed(look::Claim { id, node, owner, suspect }) => {
                let id = if id.is_some() { "an id" } else { "no id" };
                format!("{}: {node} {owner:?}, {id}, suspect {suspect}, {}", found.file, found.size)
            }
        }
    };
    let mut told: Vec<_> = look::look(settings).unwrap().map(told).collect();
    told.sort();
    told
}

/// Every name below a folder.
fn tree(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for name in names(folder) {
        let path = folder.join(name);
        if path.is_dir() && !path.is_symlink() {
            found.append(&mut tree(&path));
        }
        found.push(path);
    }
    found.sort();
    found
}

#[test]
fn a_look_tells_of_everything_as_the_scan_does_and_makes_nothing() {
    let site = Site::new();
    site.put("mail.eml", b"four");
    site.put(".hidden", b"x");
    site.put(OsStr::from_bytes(b"\xff.eml"), b"");
    symlink("nowhere", site.path().join("link")).unwrap();
    fs::create_dir(site.path().join("folder")).unwrap();
    fs::hard_link(site.put("two.eml", b"x"), site.path().join(".other")).unwrap();
    let before = tree(&site.path());
    let seen = looked(&site.settings("n1"));
    assert_eq!(
        seen,
        [
            "\\xFF.eml: waiting, 0",
            "folder: a folder, not a mail: left where it is",
            "link: a symbolic link, not a mail: left where it is",
            "mail.eml: waiting, 4",
            "two.eml: has 2 links, as a delivery in progress does: left where it is",
        ]
    );
    assert_eq!(tree(&site.path()), before);
    // The scan says the same of what it leaves.
    let drop = site.open();
    let (claimed, complaints) = scan(&drop);
    assert_eq!(claimed, ["\\xFF.eml", "mail.eml"]);
    assert!(complaints.iter().all(|complaint| seen.contains(complaint)), "{complaints:?}");
}

#[test]
fn a_look_tells_claims_and_whether_their_worker_lives() {
    let site = Site::new();
    site.put("one.eml", b"four");
    site.put("two.eml", b"x");
    let drop = site.open();
    let claims: Vec<_> = drop
        .scan()
        .unwrap()
        .filter_map(|found| match found {
            Found::Claimed(claimed) => Some(claimed),
            _ => None,
        })
        .collect();
    let one = claims.iter().find(|claimed| claimed.name == "one.eml").unwrap();
    let note = drop.slots().enter(0, one.id).unwrap();
    fs::write(site.path().join(".claimed/n1/by-hand"), b"by hand").unwrap();
    fs::write(site.path().join(".claimed/stray"), b"").unwrap();
    // In hand is no suspicion while the worker lives.
    let told = |owner: &str, suspect: bool| {
        [
            format!("by-hand: n1 {owner}, no id, suspect false, 7"),
            format!("one.eml: n1 {owner}, an id, suspect {suspect}, 4"),
            format!("two.eml: n1 {owner}, an id, suspect false, 1"),
        ]
    };
    let settings = site.settings("n2");
    assert_eq!(looked(&settings), told("Lives", false));
    std::mem::forget(note);
    std::mem::drop(drop);
    assert_eq!(looked(&settings), told("Gone", true));
    // The next owner has it among its suspects.
    let drop = site.open();
    assert_eq!(looked(&settings), told("Lives", true));
    std::mem::drop(drop);
    fs::remove_file(site.path().join(".claimed/n1/.lock")).unwrap();
    assert_eq!(looked(&settings), told("Gone", true));
    assert!(!site.path().join(".claimed/n1/.lock").exists());
    let found = look::claims(&settings.path).filter_map(Result::ok);
    let made: Vec<_> = found.filter(|found| found.file == "one.eml").map(|found| found.since).collect();
    assert_eq!(made, [Some(one.id.time())]);
}

#[test]
fn a_look_holds_no_worker_off() {
    let site = Site::new();
    drop(site.open());
    let stop = std::sync::atomic::AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                looked(&site.settings("n2"));
            }
        });
        for _ in 0..200 {
            drop(site.open());
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}

#[test]
fn a_look_at_no_drop_is_refused_as_a_pass_is() {
    let site = Site::maildir();
    let missing = Settings { path: site.path().join("no"), ..site.settings("n1") };
    assert!(matches!(look::look(&missing), Err(DropError::Missing(_))));
    assert!(matches!(entrance(&missing), Err(DropError::Missing(_))));
    fs::write(site.path().join("file"), "").unwrap();
    let file = Settings { path: site.path().join("file"), ..site.settings("n1") };
    assert!(matches!(look::look(&file), Err(DropError::NotAFolder(_))));
    symlink("elsewhere", site.path().join(".claimed")).unwrap();
    let mut looked = look::look(&site.settings("n1")).unwrap();
    assert!(matches!(looked.next(), Some(Err(DropError::ClaimsAreALink(_)))));
    assert!(looked.next().is_none());
}

#[test]
fn a_look_at_a_maildir_sees_new_and_cur() {
    let site = Site::maildir();
    site.put("new/a", b"x");
    site.put("cur/b:2,S", b"x");
    site.put("tmp/c", b"x");
    fs::hard_link(site.path().join("new/a"), site.path().join("tmp/a")).unwrap();
    assert_eq!(looked(&site.settings("n1")), ["a: waiting, 1", "b:2,S: waiting, 1"]);
    assert_eq!(entrance(&site.settings("n1")).unwrap(), site.path().join("new"));
}

#[test]
fn a_clock_that_is_ahead_hides_no_wait() {
    let site = Site::new();
    let path = site.put("a.eml", b"x");
    let at = |time: SystemTime| {
        File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
        look::since(&fs::metadata(&path).unwrap())
    };
    let now = jiff::Timestamp::now();
    let ahead = at(SystemTime::now() + Duration::from_secs(86_400));
    assert!(ahead <= jiff::Timestamp::now() && ahead >= now - Duration::from_secs(60), "{ahead}");
    let past = SystemTime::UNIX_EPOCH + Duration::from_secs(1_436_263_371);
    assert_eq!(at(past).as_second(), 1_436_263_371);
}

#[test]
fn reading_a_mail_of_ours_is_no_access() {
    let site = Site::new();
    let path = site.put("a", b"x");
    let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_436_263_371);
    // Older than the modification, or a file system mounted with relatime would keep it for that alone.
    let times = fs::FileTimes::new().set_accessed(long_ago).set_modified(SystemTime::now());
    fs::File::options().write(true).open(&path).unwrap().set_times(times).unwrap();
    assert_eq!(Claimed::alone(&path, Format::Folder).read(9).unwrap().bytes, b"x");
    assert_eq!(fs::metadata(&path).unwrap().accessed().unwrap(), long_ago);
}
