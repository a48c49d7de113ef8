//! Confinement: whoever files mail reaches the places of the site, wherever they are, and nothing else.

use std::fs;
use std::io::Read;
use std::net::{TcpListener, UdpSocket};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use landlock::{ABI, Access, CompatLevel, Compatible, Ruleset, RulesetAttr, Scope};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::dkim::fixture;
use crate::replay::with_mounts;
use crate::serve::{EACH_SECOND, NEVER, Service};
use crate::util::{Limit, PROGRAM, Site, entries, lines, mail, message, sha256, skip};

const REFUSED: &str = "Permission denied (os error 13)";
const FORBIDDEN: &str = "Operation not permitted (os error 1)";

/// A folder that is none of the site's, and a port of this machine that nobody should speak to.
struct Outside {
    dir: TempDir,
    listener: TcpListener,
    _socket: UnixListener,
}

impl Outside {
    fn new() -> Outside {
        let dir = tempfile::tempdir().unwrap();
        for name in ["secret", "cut", "removed"] {
            fs::write(dir.path().join(name), "as it was").unwrap();
        }
        let name = SocketAddr::from_abstract_name(dir.path().as_os_str().as_encoded_bytes()).unwrap();
        let _socket = UnixListener::bind_addr(&name).unwrap();
        Outside { dir, listener: TcpListener::bind("127.0.0.1:0").unwrap(), _socket }
    }

    /// Has a command try everything with it as soon as it has read a mail.
    fn tempt(&self, command: &mut Command, confine: &str) {
        let port = self.listener.local_addr().unwrap().port();
        command.env("MAILSHELF_FAILPOINT", "parsed=trespass").env("MAILSHELF_OUTSIDE", self.dir.path());
        command.env("MAILSHELF_PORT", port.to_string()).env("MAILSHELF_CONFINE", confine);
    }

    fn assert_untouched(&self, said: &str) {
        let tried = tried(said);
        let names: Vec<_> = tried.iter().map(|(what, _)| what.as_str()).collect();
        let all = ["read", "list", "write", "cut", "remove", "make", "run", "connect", "call", "signal"];
        assert_eq!(names, all, "{said}");
        assert!(tried[..8].iter().all(|(_, how)| how == REFUSED), "{said}");
        assert!(tried[8..].iter().all(|(_, how)| how == FORBIDDEN), "{said}");
        let names: Vec<_> = entries(self.dir.path()).iter().map(|path| crate::util::name(path)).collect();
        assert_eq!(names, ["cut", "removed", "secret"]);
        assert_eq!(fs::read_to_string(self.dir.path().join("cut")).unwrap(), "as it was");
    }

    /// The other way round: all of it can be done by whoever is not confined.
    fn assert_touched(&self, said: &str) {
        assert!(tried(said).len() == 10 && tried(said).iter().all(|(_, how)| how == "done"), "{said}");
        let names: Vec<_> = entries(self.dir.path()).iter().map(|path| crate::util::name(path)).collect();
        assert_eq!(names, ["cut", "made", "secret", "written"]);
        assert_eq!(fs::read_to_string(self.dir.path().join("cut")).unwrap(), "");
    }
}

/// What was tried, and how each went.
fn tried(said: &str) -> Vec<(String, String)> {
    let told = said.lines().filter_map(|line| line.strip_prefix("trespass: "));
    told.map(|line| line.split_once(": ").unwrap()).map(|(what, how)| (what.into(), how.into())).collect()
}

fn said(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn assert_filed(site: &Site, ids: &[&str]) {
    let digests: Vec<_> = site.documents("all").into_iter().map(|found| found["sha256"].clone()).collect();
    for id in ids {
        assert!(digests.iter().any(|digest| digest == sha256(message(id, id).as_bytes()).as_str()), "{id}");
    }
    site.assert_sound();
}

#[test]
fn what_is_outside_is_refused_to_a_run_and_the_mail_is_filed() {
    if !refuses_all() {
        return;
    }
    for (confine, touched) in [("on", false), ("off", true)] {
        let (site, outside) = (Site::open_to_all(), Outside::new());
        for id in ["one", "two", "three"] {
            site.deliver(&format!("{id}.eml"), mail(id, &["all"], id));
        }
        let mut command = site.command(&["run"]);
        outside.tempt(&mut command, confine);
        let said = said(&command.output().unwrap());
        if touched {
            outside.assert_touched(&said)
        } else {
            outside.assert_untouched(&said)
        }
        assert_filed(&site, &["one", "two", "three"]);
    }
}

#[test]
fn what_is_outside_is_refused_to_a_service_and_to_a_replay() {
    if !refuses_all() {
        return;
    }
    let (site, outside) = (Site::open_to_all(), Outside::new());
    let mut command = site.command(&["serve"]);
    outside.tempt(&mut command, "on");
    let service = Service::spawn(command);
    site.deliver("one.eml", mail("one", &["all"], "one"));
    site.wait_for("the mail", |site| site.told("<one@example.net>"));
    let (code, said_by_it) = service.stop();
    assert_eq!(code, Some(0), "{said_by_it}");
    outside.assert_untouched(&said_by_it);

    let source = tempfile::tempdir().unwrap();
    fs::write(source.path().join("two.eml"), mail("two", &["all"], "two")).unwrap();
    let mut command = site.command(&["replay"]);
    command.arg(source.path());
    outside.tempt(&mut command, "on");
    outside.assert_untouched(&said(&command.output().unwrap()));
    assert_filed(&site, &["one", "two"]);
}

/// Whoever reads a suspect alone reaches nothing but its file, not even the site.
#[test]
fn who_reads_a_suspect_alone_reaches_its_file_and_no_more() {
    let site = Site::open_to_all();
    for (confine, refused) in [("on", true), ("off", false)] {
        fs::write(site.path("state/secret"), "").unwrap();
        fs::write(site.path("suspect"), mail("one", &["all"], "one")).unwrap();
        let mut command = Command::new(PROGRAM);
        command.args(["parse-alone", "--message", "1000000", "--parts", "100", "--depth", "9", "--"]);
        command.arg(site.path("suspect")).env("MAILSHELF_CONFINE", confine);
        command.env("MAILSHELF_FAILPOINT", "parsed=trespass").env("MAILSHELF_OUTSIDE", site.path("state"));
        let said = said(&command.output().unwrap());
        for what in ["read", "list", "write", "make", "run"] {
            let how = &tried(&said).into_iter().find(|(tried, _)| tried == what).unwrap().1;
            assert_eq!(how == REFUSED, refused, "{confine} {what}: {how}");
        }
        assert_eq!(site.path("state/written").exists(), !refused);
    }
}

/// A suspect is still found out: its reader starts, reads, and dies of it.
#[test]
fn a_suspect_is_read_by_a_child_of_a_confined_process() {
    let site = Site::open_to_all();
    site.deliver("bad.eml", mail("bad", &["all"], "bad"));
    site.deliver("good.eml", mail("good", &["all"], "good"));
    let deadly = "parsed:bad@example.net=abort@*";
    site.die(deadly);
    let output = site.command(&["run"]).env("MAILSHELF_FAILPOINT", deadly).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "one was given up: {output:?}");
    let told = site.events().into_iter().find(|event| event["event_id"] == 6872).unwrap().to_string();
    assert!(told.contains("reading it killed 3 processes (signal 6)"), "{told}");
    assert_eq!(entries(&site.path("state/badmail")).len(), 1);
    assert_filed(&site, &["good"]);
}

/// A site whose places are all somewhere else, each in a folder of its own; `rejected` mail is kept.
fn scattered(site: &Site, at: impl Fn(&str) -> String) {
    let text = fs::read_to_string(site.path("mailshelf.toml")).unwrap();
    assert!(text.contains("rejected = \"delete\""));
    for (from, to) in [
        ("path = \"drop\"", format!("path = \"{}\"", at("drop"))),
        ("kept = \"state/kept\"", format!("kept = \"{}\"", at("kept"))),
        ("badmail = \"state/badmail\"", format!("badmail = \"{}\"", at("badmail"))),
        ("sqlite:state/catalog.db", format!("sqlite:{}/catalog.db", at("catalog"))),
        ("file:state/contents", format!("file:{}", at("contents"))),
        ("file = \"state/events.jsonl\"", format!("file = \"{}/events.jsonl\"", at("events"))),
        ("rejected = \"delete\"", "rejected = \"keep\"".to_owned()),
    ] {
        site.configure(from, &to);
    }
}

const ADD: [&str; 8] =
    ["library", "add", "all", "--alias", "all", "--sender-policy", "anyone", "--save-original=yes"];

/// Files one mail, keeps one aside, gives one up, and sees that all of it is where it should be. `program` runs the
/// program on the site, `put` delivers, `names` tells what a folder holds.
fn files_keeps_and_gives_up(
    program: impl Fn(&[&str], Option<&str>) -> Output,
    put: impl Fn(&str, &str),
    names: impl Fn(&str) -> Vec<String>,
) {
    let run = |failpoint: Option<&str>, code: Option<i32>| {
        let output = program(&["run", "--json"], failpoint);
        assert_eq!(output.status.code(), code, "{output:?}");
        output
    };
    let added = program(&ADD, None);
    assert!(added.status.success(), "{added:?}");
    put("bad.eml", &mail("bad", &["all"], "bad"));
    let deadly = Some("parsed:bad@example.net=abort@*");
    run(deadly, None);
    put("one.eml", &mail("one", &["all"], "one"));
    put("nobody.eml", &mail("nobody", &["nobody"], "nobody"));
    // One mail was given up.
    let output = run(deadly, Some(1));
    let events = lines(&String::from_utf8(output.stdout).unwrap());
    assert!(events.iter().any(|event| event["event_id"] == 6872), "{events:#?}");
    let (kept, badmail) = (names("kept"), names("badmail"));
    assert!(kept.len() == 1 && kept[0].ends_with("~nobody.eml"), "{kept:?}");
    assert!(badmail.len() == 1 && badmail[0].ends_with("~bad.eml"), "{badmail:?}");
    let listed = program(&["document", "list", "all", "--json"], None);
    let listed = lines(&String::from_utf8(listed.stdout).unwrap());
    assert_eq!(listed.len(), 2, "{listed:#?}");
    assert!(program(&["verify"], None).status.success());
    assert_eq!(names("events"), ["events.jsonl"]);
}

fn names_in(folder: &Path) -> Vec<String> {
    entries(folder).iter().map(|path| crate::util::name(path)).collect()
}

fn on(site: &Site) -> impl Fn(&[&str], Option<&str>) -> Output + '_ {
    |arguments, failpoint| {
        let mut command = site.command(arguments);
        command.envs(failpoint.map(|failpoint| ("MAILSHELF_FAILPOINT", failpoint)));
        command.output().unwrap()
    }
}

/// Absolute, in different folders; `kept` and `badmail` are made on demand.
#[test]
fn a_site_may_be_scattered() {
    let (site, elsewhere) = (Site::new(), tempfile::tempdir().unwrap());
    let at = |name: &str| elsewhere.path().join(format!("at {name}")).join(name);
    for name in ["drop", "catalog", "contents", "kept", "badmail", "events"] {
        fs::create_dir(at(name).parent().unwrap()).unwrap();
    }
    for name in ["drop", "catalog", "events"] {
        fs::create_dir(at(name)).unwrap();
    }
    scattered(&site, |name| at(name).display().to_string());
    let put = |name: &str, mail: &str| fs::write(at("drop").join(name), mail).unwrap();
    files_keeps_and_gives_up(on(&site), put, |name| names_in(&at(name)));
    assert_eq!(names_in(&at("catalog")), ["catalog.db"], "SQLite's log is removed with the last connection");
}

/// Every folder a link; the catalog and the event file too, one to a file that is not there yet.
#[test]
fn a_site_may_be_all_links() {
    let (site, elsewhere) = (Site::new(), tempfile::tempdir().unwrap());
    let to = |name: &str| elsewhere.path().join("to").join(name);
    let at = |name: &str| elsewhere.path().join(name);
    for name in ["drop", "catalog", "contents", "kept", "badmail", "events"] {
        fs::create_dir_all(to(name)).unwrap();
        fs::create_dir(at(name)).unwrap();
    }
    for name in ["drop", "contents", "kept", "badmail"] {
        fs::remove_dir(at(name)).unwrap();
        symlink(to(name), at(name)).unwrap();
    }
    symlink("../to/catalog/real.db", at("catalog/catalog.db")).unwrap();
    symlink(to("events").join("events.jsonl"), at("events/events.jsonl")).unwrap();
    scattered(&site, |name| at(name).display().to_string());
    let put = |name: &str, mail: &str| fs::write(at("drop").join(name), mail).unwrap();
    files_keeps_and_gives_up(on(&site), put, |name| names_in(&to(name)));
    assert_eq!(names_in(&to("catalog")), ["real.db"]);
}

/// Every folder a file system of its own, named by a path relative to the configuration.
#[test]
fn a_site_may_be_many_file_systems() {
    let site = Site::new();
    let folders = ["drop", "catalog", "contents", "kept", "badmail", "events"];
    scattered(&site, |name| format!("mounted/./{name}"));
    for name in folders {
        fs::create_dir_all(site.path("mounted").join(name)).unwrap();
    }
    for (name, recipient) in [("bad", "all"), ("one", "all"), ("nobody", "nobody")] {
        fs::write(site.path(&format!("{name}.eml")), mail(name, &[recipient], name)).unwrap();
    }
    let script = "cd \"$1\" || exit 99
        for one in drop catalog contents kept badmail events; do
            mount -t tmpfs tmpfs mounted/$one || exit 99
        done
        program=$2; site() { \"$program\" --config mailshelf.toml \"$@\"; }
        site library add all --alias all --sender-policy anyone --save-original yes >&2 || exit 1
        cp bad.eml mounted/drop
        export MAILSHELF_FAILPOINT=parsed:bad@example.net=abort@*
        site run >&2 && exit 2
        cp one.eml nobody.eml mounted/drop
        site run >&2; test $? = 1 || exit 3
        unset MAILSHELF_FAILPOINT
        site verify >&2 || exit 4
        ls mounted/drop mounted/kept mounted/badmail mounted/events
        site document list all --json";
    let Some(output) = with_mounts(script, &[&site.path(""), Path::new(PROGRAM)]) else { return };
    let printed = String::from_utf8(output.stdout.clone()).unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    for held in ["~nobody.eml\n", "~bad.eml\n", "events.jsonl\n"] {
        assert_eq!(printed.matches(held).count(), 1, "{held} {printed}");
    }
    assert_eq!(printed.matches("\"library\":\"all\"").count(), 2, "{printed}");
}

/// DNS is asked by TCP where an answer is too long for UDP, and that alone is let through.
#[test]
fn dns_may_be_asked_over_tcp() {
    let site = Site::open_to_all();
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = tcp.local_addr().unwrap().port();
    let Ok(udp) = UdpSocket::bind(("127.0.0.1", port)) else { return skip("a port was taken") };
    site.configure("verify = \"off\"", "verify = \"dkim\"");
    site.ok(&["user", "add", "alice", "--address", "alice@sender.test"]);
    site.configure("resolver = \"system\"", &format!("resolver = \"127.0.0.1:{port}\""));
    // Whatever is asked: too long, ask again by TCP.
    std::thread::spawn(move || {
        let mut question = [0; 512];
        while let Ok((length, from)) = udp.recv_from(&mut question) {
            question[2] |= 0b1000_0010;
            let _ = udp.send_to(&question[..length], from);
        }
    });
    let envelope = b"x-sender: alice@sender.test\r\nx-receiver: all@docs.example.org\r\n";
    site.deliver("one.eml", [envelope.as_slice(), &fixture("relaxed")].concat());
    let mut child = site.command(&["run"]).spawn().unwrap();
    let _limit = Limit::of(&child);
    let asked = std::thread::spawn(move || {
        let (mut connection, _) = tcp.accept().unwrap();
        let mut question = [0; 64];
        connection.read(&mut question).unwrap()
    });
    site.wait_for("a question by TCP", |_| asked.is_finished());
    assert!(asked.join().unwrap() > 12);
    let _ = kill_process(Pid::from_child(&child), Signal::KILL);
    child.wait().unwrap();
}

/// A kernel of another ABI, as strace makes the program believe it; `None` where there is no strace.
fn believing(command: &Command, answer: &str) -> Option<Command> {
    let mut traced = Command::new("strace");
    traced.args(["-f", "-qqq", "-e", "trace=landlock_create_ruleset", "-o", "/dev/null"]);
    traced.arg("-e").arg(format!("inject=landlock_create_ruleset:{answer}"));
    traced.arg(command.get_program()).args(command.get_args()).env_remove("MAILSHELF_FAILPOINT");
    has_strace().then_some(traced)
}

fn has_strace() -> bool {
    let works = Command::new("strace").args(["-qqq", "-o", "/dev/null", "true"]).status();
    let works = works.is_ok_and(|status| status.success());
    if !works {
        skip("no strace, or nobody may trace");
    }
    works
}

/// Whether the kernel refuses all that is tried outside: signals are the last that it has learnt to.
fn refuses_all() -> bool {
    let rules = Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
    let able = rules.scope(Scope::from_all(ABI::V6)).is_ok();
    if !able {
        skip("no Landlock of ABI 6 (Linux 6.12)");
    }
    able
}

/// Without Landlock, with one that cannot let mail be moved, and with the oldest one that can.
#[test]
fn an_older_kernel_files_mail_as_well() {
    let none = "none: this kernel has no Landlock";
    // The first two questions are which ABI it is; the third makes the rules.
    for (answer, told) in [
        ("error=ENOSYS", none),
        ("error=EOPNOTSUPP", none),
        ("retval=1", none),
        ("retval=2:when=1..2", "by Landlock"),
        ("retval=3:when=1..2", "by Landlock"),
    ] {
        let (site, outside) = (Site::open_to_all(), Outside::new());
        let Some(mut status) = believing(&site.command(&["status"]), answer) else { return };
        let status = String::from_utf8(status.output().unwrap().stdout).unwrap();
        assert!(status.contains(told), "{answer}: {status}");
        site.deliver("one.eml", mail("one", &["all"], "one"));
        let mut run = believing(&site.command(&["run"]), answer).unwrap();
        outside.tempt(&mut run, "on");
        let said = said(&run.output().unwrap());
        // A timer would say it each minute.
        assert!(!said.contains("confinement"), "{said}");
        match told == none {
            true => outside.assert_touched(&said),
            false => {
                assert!(tried(&said).iter().any(|(what, how)| what == "write" && how == REFUSED), "{said}")
            }
        }
        assert_filed(&site, &["one"]);
    }
    let site = Site::open_to_all();
    let Some(serve) = believing(&site.command(&["serve"]), "error=ENOSYS") else { return };
    let service = Service::spawn(serve);
    site.deliver("one.eml", mail("one", &["all"], "one"));
    site.wait_for("the mail", |site| site.told("<one@example.net>"));
    let said = service.said();
    assert_eq!(said.matches(none).count(), 1, "once, at the start: {said}");
}

#[test]
fn a_wrong_wish_is_told() {
    let site = Site::open_to_all();
    for command in ["run", "serve"] {
        let output = site.command(&[command]).env("MAILSHELF_CONFINE", "no").output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.starts_with("mailshelf: MAILSHELF_CONFINE no: it is on or off\nhint: "), "{said}");
    }
}

/// `status` says it in a word that programs understand, and what is wrong about it with all else that is.
#[test]
fn status_tells_how_mail_is_filed() {
    let site = Site::open_to_all();
    site.run();
    let status = |confine: &str| {
        let mut command = site.command(&["status", "--json"]);
        let output = command.env("MAILSHELF_CONFINE", confine).output().unwrap();
        (output.status.code(), lines(&String::from_utf8(output.stdout).unwrap()).remove(0))
    };
    for (confine, token) in [("on", "landlock"), ("off", "off")] {
        let (code, told) = status(confine);
        assert_eq!((code, &told["confinement"]), (Some(0), &token.into()), "{told}");
    }
    let (code, told) = status("no");
    assert_eq!((code, told["confinement"].is_null()), (Some(1), true), "{told}");
    let problem = told["problems"][0].as_str().unwrap();
    assert!(problem.starts_with("MAILSHELF_CONFINE no: it is on or off, so nobody"), "{problem}");

    // The configuration file itself can be written to.
    site.configure("file = \"state/events.jsonl\"", "file = \"events.jsonl\"");
    let (code, told) = status("on");
    let problem = told["problems"][0].as_str().unwrap();
    assert!(code == Some(1) && problem.contains("mailshelf.toml can be written to by"), "{problem}");
}

/// A folder of contents that is away for a while: nobody has asked for anything, and it is told once each time. Somebody
/// who asked for something else before, in vain, has not asked for this either.
#[test]
fn a_service_that_nobody_reloads_says_that_it_waits() {
    const WAITS: &str = "mailshelf: the service waits: catalog ";
    let site = Site::open_to_all();
    let service = Service::start(&site, EACH_SECOND, "off");
    let is_away = |times: usize, id: &str| {
        fs::rename(site.path("state"), site.path("old")).unwrap();
        site.wait_for("its words", |_| service.said().matches(WAITS).count() >= times);
        fs::rename(site.path("old"), site.path("state")).unwrap();
        // Nothing but a tick files it.
        site.deliver(&format!("{id}.eml"), mail(id, &["all"], id));
        site.wait_for("the mail", |site| site.told(&format!("<{id}@example.net>")));
    };
    is_away(1, "one");
    is_away(2, "two");
    site.configure("path = \"drop\"", "path = \"nowhere\"");
    service.signal(Signal::HUP);
    service.wait_until_it_says("mailshelf: the old configuration stays in force: ");
    site.configure("path = \"nowhere\"", "path = \"drop\"");
    // Whoever asked may still file the first of them; the second one a tick does.
    for id in ["three", "four"] {
        site.deliver(&format!("{id}.eml"), mail(id, &["all"], id));
        site.wait_for("the mail", |site| site.told(&format!("<{id}@example.net>")));
    }
    is_away(3, "five");
    let (code, said) = service.stop();
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(
        (said.matches(WAITS).count(), said.matches("the old configuration").count()),
        (3, 1),
        "{said}"
    );
    assert_filed(&site, &["one", "two", "three", "four", "five"]);
}

/// The processes that a process has started.
fn children(of: &Service) -> Vec<u32> {
    started_by(of.id())
}

/// By any thread of it.
fn started_by(id: u32) -> Vec<u32> {
    let told = |task: &PathBuf| fs::read_to_string(task.join("children")).unwrap_or_default();
    let told: String = entries(Path::new(&format!("/proc/{id}/task"))).iter().map(told).collect();
    told.split_whitespace().map(|child| child.parse().unwrap()).collect()
}

/// What was out of reach when it was started is not after the configuration was read again; what is wrong changes nothing.
#[test]
fn a_service_moves_to_other_places() {
    let (site, elsewhere) = (Site::open_to_all(), tempfile::tempdir().unwrap());
    let place = |name: &str| elsewhere.path().join(name);
    let service = Service::start(&site, EACH_SECOND, "inotify");
    let before = children(&service);
    let drop = format!("path = \"{}\"", place("drop").display());
    site.configure("path = \"drop\"", &drop);
    service.signal(Signal::HUP);
    service.wait_until_it_says("drop: there is none");
    assert!(service.says("the old configuration stays in force"));
    site.deliver("one.eml", mail("one", &["all"], "one"));
    site.wait_for("the mail in the old drop", |site| site.told("<one@example.net>"));
    assert_eq!(children(&service), before);

    fs::create_dir(place("drop")).unwrap();
    fs::create_dir(place("aside")).unwrap();
    site.configure("kept = \"state/kept\"", &format!("kept = \"{}\"", place("aside/kept").display()));
    site.configure("rejected = \"delete\"", "rejected = \"keep\"");
    service.signal(Signal::HUP);
    site.wait_for("another process", |_| {
        let now = children(&service);
        now.len() == 1 && now != before
    });
    fs::write(place("drop/two.eml"), mail("two", &["all"], "two")).unwrap();
    fs::write(place("drop/nobody.eml"), mail("nobody", &["nobody"], "nobody")).unwrap();
    site.wait_for("the mail in the new drop", |site| {
        site.told("<two@example.net>") && site.told("<nobody@example.net>")
    });
    assert_eq!(entries(&place("aside/kept")).len(), 1);

    // Kept mail is gone, folder and all: the place for it is made anew, and within reach.
    fs::remove_dir_all(place("aside/kept")).unwrap();
    site.wait_for("the folder", |_| place("aside/kept").exists());
    fs::write(place("drop/nobody.eml"), mail("again", &["nobody"], "again")).unwrap();
    site.wait_for("the mail that is kept", |site| site.told("<again@example.net>"));
    assert_eq!(entries(&place("aside/kept")).len(), 1);
    let (code, said) = service.stop();
    assert_eq!(code, Some(0), "{said}");
    assert_filed(&site, &["one", "two"]);
}

/// A place is made anew, and the configuration has become one that nobody can go on with: the old drop is served, and
/// all of it is told once.
#[test]
fn what_stays_out_of_reach_is_told_once_and_not_at_each_tick() {
    let site = Site::open_to_all();
    site.configure("file = \"state/events.jsonl\"", "file = \"log/events.jsonl\"");
    fs::create_dir(site.path("log")).unwrap();
    let service = Service::start(&site, EACH_SECOND, "inotify");
    site.configure("path = \"drop\"", "path = \"nowhere\"");
    fs::rename(site.path("log"), site.path("old")).unwrap();
    fs::create_dir(site.path("log")).unwrap();
    service.wait_until_it_says("mailshelf: the service waits: ");
    // A pass comes after the drop was opened again.
    site.deliver("one.eml", mail("one", &["all"], "one"));
    site.wait_for("the mail", |site| site.documents("all").len() == 2);
    let (code, said) = service.stop();
    assert_eq!((code, said.matches("watch: ").count()), (Some(0), 1), "{said}");
}

/// The folder of catalog and contents is put back bit by bit, as from a backup: the service waits for all of it.
#[test]
fn a_state_folder_that_is_put_back_is_waited_for() {
    let site = Site::open_to_all();
    site.deliver("one.eml", mail("one", &["all"], "one"));
    site.run();
    let service = Service::start(&site, NEVER, "off");
    site.wait_for("its first pass", |site| site.told("\"processed\":0"));
    fs::rename(site.path("state"), site.path("old")).unwrap();
    fs::create_dir(site.path("state")).unwrap();
    site.deliver("two.eml", mail("two", &["all"], "two"));
    for name in ["catalog.db", "catalog.db-wal", "events.jsonl"] {
        fs::copy(site.path("old").join(name), site.path("state").join(name)).unwrap();
    }
    service.signal(Signal::HUP);
    service.wait_until_it_says("it is gone although the catalog has contents");
    fs::rename(site.path("old/contents"), site.path("state/contents")).unwrap();
    site.wait_for("the mail", |site| site.told("<two@example.net>"));
    let (code, said) = service.stop();
    assert_eq!(
        (code, said.matches("it is gone although the catalog has contents").count()),
        (Some(0), 1),
        "{said}"
    );
    assert_filed(&site, &["one", "two"]);
}

/// An editor writes another file and renames it: the service reads that one.
#[test]
fn a_configuration_that_is_another_file_is_read_again() {
    let site = Site::open_to_all();
    let service = Service::start(&site, EACH_SECOND, "inotify");
    let before = (children(&service), fs::metadata(site.path("mailshelf.toml")).unwrap().ino());
    fs::copy(site.path("mailshelf.toml"), site.path("edited")).unwrap();
    fs::rename(site.path("edited"), site.path("mailshelf.toml")).unwrap();
    service.signal(Signal::HUP);
    service.wait_until_it_says("The configuration was read again.");
    assert_eq!(children(&service), before.0, "the same process");
    assert_ne!(fs::metadata(site.path("mailshelf.toml")).unwrap().ino(), before.1);
}

/// A terminal and systemd send a signal to both processes: that is one signal, and no second one.
#[test]
fn one_signal_to_both_processes_is_one() {
    let site = Site::open_to_all();
    for id in ["one", "two", "three"] {
        site.deliver(&format!("{id}.eml"), mail(id, &["all"], id));
    }
    let mut command = site.command(&["serve"]);
    command.env("MAILSHELF_FAILPOINT", "stored=wait").env("MAILSHELF_GATE", site.path("gate"));
    let service = Service::spawn(command);
    site.wait_for("a first batch", |site| !site.contents().is_empty());
    for child in children(&service) {
        kill_process(Pid::from_raw(child.cast_signed()).unwrap(), Signal::TERM).unwrap();
    }
    service.signal(Signal::TERM);
    fs::write(site.path("gate"), "").unwrap();
    let (code, said) = service.end();
    assert_eq!(code, Some(0), "{said}");
    site.run();
    assert_filed(&site, &["one", "two", "three"]);
}

/// A second signal ends it at once, in the midst of a batch; nothing is lost.
#[test]
fn a_second_signal_ends_it_at_once() {
    let site = Site::open_to_all();
    site.deliver("one.eml", mail("one", &["all"], "one"));
    let mut command = site.command(&["serve"]);
    // The gate never opens.
    command.env("MAILSHELF_FAILPOINT", "stored=wait").env("MAILSHELF_GATE", site.path("gate"));
    let service = Service::spawn(command);
    site.wait_for("a first batch", |site| !site.contents().is_empty());
    service.signal(Signal::TERM);
    let id = service.id();
    // Two at once would be one to the system: the first has to be heard.
    site.wait_for("the first", |_| pending(id) == 0);
    service.signal(Signal::TERM);
    assert_eq!(service.end().0, Some(128 + 15));
    site.run();
    assert_filed(&site, &["one"]);
}

/// The signals that a process has yet to be given (proc_pid_status(5)).
fn pending(id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("ShdPnd:")).unwrap();
    u64::from_str_radix(line.trim(), 16).unwrap()
}

/// Whoever serves does not outlive its keeper, and its keeper dies as it does.
#[test]
fn neither_process_outlives_the_other() {
    let site = Site::open_to_all();
    let service = Service::start(&site, EACH_SECOND, "inotify");
    let serving: PathBuf = format!("/proc/{}", children(&service)[0]).into();
    service.signal(Signal::KILL);
    assert_eq!(service.end().0, None);
    site.wait_for("its end", |_| !serving.exists());
    site.run();

    let service = Service::spawn(site.command(&["serve"]));
    kill_process(Pid::from_raw(children(&service)[0].cast_signed()).unwrap(), Signal::ABORT).unwrap();
    assert_eq!(service.end_signal(), Some(6));
    site.run();
    site.assert_sound();
}

/// A service whose serving process waits at its start, before it leaves signals to the keeper.
fn beginning(site: &Site, mut command: Command, failpoints: &str) -> (Service, u32) {
    command.env("MAILSHELF_FAILPOINT", format!("kept=wait@*;{failpoints}"));
    command.env("MAILSHELF_GATE", site.path("gate"));
    let service = Service::begin(command);
    site.wait_for("the serving process", |_| children(&service).len() == 1);
    let serving = children(&service)[0];
    (service, serving)
}

fn send(to: u32, signal: Signal) {
    kill_process(Pid::from_raw(to.cast_signed()).unwrap(), signal).unwrap();
}

/// A signal that is for both processes meets the one that serves before it can leave it to the keeper.
#[test]
fn a_signal_while_the_serving_process_starts_is_the_keepers() {
    for signal in [Signal::HUP, Signal::TERM] {
        let site = Site::open_to_all();
        site.deliver("one.eml", mail("one", &["all"], "one"));
        let (service, serving) = beginning(&site, site.command(&["serve"]), "");
        send(serving, signal);
        site.wait_for("another one", |_| children(&service).first().is_some_and(|now| *now != serving));
        fs::write(site.path("gate"), "").unwrap();
        service.wait_until_it_says("watch: ");
        let (code, said) = service.stop();
        assert_eq!(code, Some(0), "{said}");
        site.run();
        assert_filed(&site, &["one"]);
    }
    // To the keeper first: it is told to end, and does.
    let site = Site::open_to_all();
    let (service, serving) = beginning(&site, site.command(&["serve"]), "");
    service.signal(Signal::TERM);
    send(serving, Signal::TERM);
    assert_eq!(service.end().0, Some(0));
}

/// The program's file is replaced by another version, and removed: the one that was started goes on, and reads suspects.
#[test]
fn the_program_is_the_one_that_was_started() {
    let (site, elsewhere) = (Site::open_to_all(), tempfile::tempdir().unwrap());
    let program = elsewhere.path().join("program");
    fs::copy(PROGRAM, &program).unwrap();
    let other = "#!/bin/sh\ntouch \"$(dirname \"$0\")/ran\"\nexit 76\n";
    let deadly = "parsed:bad@example.net=abort@*";
    site.deliver("bad.eml", mail("bad", &["all"], "bad"));
    site.die(deadly);
    site.configure("cron = \"0 * * * * *\"", "cron = \"* * * * * *\"");
    let mut command = Command::new(&program);
    command.arg("--config").arg(site.path("mailshelf.toml")).arg("serve");
    let (service, before) = beginning(&site, command, deadly);
    fs::write(elsewhere.path().join("new"), other).unwrap();
    fs::set_permissions(elsewhere.path().join("new"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::rename(elsewhere.path().join("new"), &program).unwrap();
    fs::write(site.path("gate"), "").unwrap();
    site.wait_for("the verdict on the suspect", |site| site.told("reading it killed 3 processes (signal 6)"));
    let drop = elsewhere.path().join("drop");
    fs::create_dir(&drop).unwrap();
    site.configure("path = \"drop\"", &format!("path = \"{}\"", drop.display()));
    fs::remove_file(&program).unwrap();
    service.signal(Signal::HUP);
    fs::write(drop.join("one.eml"), mail("one", &["all"], "one")).unwrap();
    site.wait_for("the mail in the new drop", |site| site.told("<one@example.net>"));
    assert_ne!(children(&service), [before], "another process");
    let (code, said) = service.stop();
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(names_in(elsewhere.path()), ["drop"], "the other version never ran");
    assert_filed(&site, &["one"]);
}

/// Has the configuration that is to be gone on with be wrong once another process has to, which waits at its start.
fn goes_wrong(site: &Site, service: &Service, to_start: impl Fn()) {
    let before = children(service);
    fs::create_dir(site.path("other")).unwrap();
    site.configure("path = \"drop\"", "path = \"other\"");
    fs::remove_file(site.path("gate")).unwrap();
    service.signal(Signal::HUP);
    to_start();
    site.wait_for("another process", |_| {
        let now = children(service);
        now.len() == 1 && now != before
    });
    site.configure("[drop]", "[drop]\none = 1");
    fs::write(site.path("gate"), "").unwrap();
    service.wait_until_it_says("cannot go on as yet: ");
    service.wait_until_it_says("unknown key `drop.one`");
}

/// What nobody can go on with is told once, whatever was told before; and again to whoever asks.
#[test]
fn why_nobody_can_go_on_is_told_whenever_it_is_something_else() {
    let site = Site::open_to_all();
    fs::write(site.path("gate"), "").unwrap();
    let mut command = site.command(&["serve"]);
    command.env("MAILSHELF_FAILPOINT", "kept=wait@*").env("MAILSHELF_GATE", site.path("gate"));
    let service = Service::spawn(command);
    goes_wrong(&site, &service, || {});
    let says = |what: &str, times: usize| {
        site.wait_for(what, |_| service.said().matches(what).count() >= times);
    };
    site.configure("[drop]\none", "[drop]\ntwo");
    says("unknown key `drop.two`", 1);
    service.signal(Signal::HUP);
    says("unknown key `drop.two`", 2);
    site.configure("[drop]\ntwo = 1", "[drop]");
    fs::write(site.path("other/one.eml"), mail("one", &["all"], "one")).unwrap();
    site.wait_for("the mail in the new drop", |site| site.told("<one@example.net>"));
    let (code, said) = service.stop();
    let times = ["one", "two"].map(|key| said.matches(&format!("unknown key `drop.{key}`")).count());
    assert_eq!((code, times), (Some(0), [1, 2]), "{said}");
    assert_filed(&site, &["one"]);
}

/// The system refuses to start another process, as strace makes the keeper believe it: at first, or later and once.
#[test]
fn what_cannot_be_started_is_told_and_tried_again() {
    if !has_strace() {
        return;
    }
    let refusing = |site: &Site, nth: &str| {
        let mut traced = Command::new("strace");
        traced.args(["-D", "-qqq", "-e", "signal=none", "-o", "/dev/null", "-e"]);
        traced.arg(format!("inject=clone,clone3,vfork:error=EAGAIN:when={nth}"));
        let command = site.command(&["serve"]);
        traced.arg(command.get_program()).args(command.get_args());
        traced
    };
    let site = Site::open_to_all();
    let output = refusing(&site, "1").output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    let refused = "Resource temporarily unavailable (os error 11)\n";
    assert!(said.starts_with("mailshelf: program ") && said.ends_with(refused), "{said}");

    fs::write(site.path("gate"), "").unwrap();
    // The second one is the probe.
    let mut command = refusing(&site, "3..4");
    command.env("MAILSHELF_FAILPOINT", "kept=wait@*").env("MAILSHELF_GATE", site.path("gate"));
    let service = Service::spawn(command);
    goes_wrong(&site, &service, || service.wait_until_it_says("cannot start "));
    site.configure("[drop]\none = 1", "[drop]");
    fs::write(site.path("other/one.eml"), mail("one", &["all"], "one")).unwrap();
    site.wait_for("the mail in the new drop", |site| site.told("<one@example.net>"));
    let (code, said) = service.stop();
    assert_eq!((code, said.matches("cannot start ").count()), (Some(0), 1), "{said}");
    assert_filed(&site, &["one"]);
}

/// A configuration that cannot be opened leaves the old one in force, in the same words whether or not its places are in
/// reach: a catalog that is none, and a drop that somebody else holds.
#[test]
fn a_configuration_out_of_reach_that_cannot_be_opened_changes_nothing() {
    let elsewhere = tempfile::tempdir().unwrap();
    let other = Site::open_to_all();
    fs::write(elsewhere.path().join("catalog.db"), "this is no database; ".repeat(100)).unwrap();
    let _holder = Service::start(&other, NEVER, "off");
    let catalog = format!("sqlite:{}", elsewhere.path().join("catalog.db").display());
    let held = other.path("drop").display().to_string();
    for (from, to) in
        [("sqlite:state/catalog.db", &catalog), ("path = \"drop\"", &format!("path = \"{held}\""))]
    {
        let said = ["on", "off"].map(|confine| {
            let site = Site::open_to_all();
            let mut command = site.command(&["serve"]);
            command.env("MAILSHELF_CONFINE", confine);
            let service = Service::spawn(command);
            let before = children(&service);
            let text = fs::read_to_string(site.path("mailshelf.toml")).unwrap();
            site.configure(from, to);
            service.signal(Signal::HUP);
            service.wait_until_it_says("the old configuration stays in force: ");
            fs::write(site.path("mailshelf.toml"), text).unwrap();
            site.deliver("one.eml", mail("one", &["all"], "one"));
            site.wait_for("the mail in the old drop", |site| site.told("<one@example.net>"));
            assert_eq!(children(&service), before, "the same process");
            let (code, said) = service.stop();
            assert_eq!(code, Some(0), "{said}");
            assert_filed(&site, &["one"]);
            let told = |line: &&str| line.starts_with("mailshelf: ") || line.starts_with("hint: ");
            said.lines().filter(told).map(str::to_owned).collect::<Vec<_>>()
        });
        assert_eq!(said[0], said[1]);
        assert!(!said[0].is_empty());
    }
}

/// Signals to others are refused, and the reader of a suspect is none: it is ended with the service.
#[test]
fn the_reader_of_a_suspect_ends_with_the_service() {
    let site = Site::open_to_all();
    site.deliver("bad.eml", mail("bad", &["all"], "bad"));
    site.die("parsed:bad@example.net=abort@*");
    let mut command = site.command(&["serve"]);
    // The gate never opens.
    command.env("MAILSHELF_FAILPOINT", "begun=wait@*").env("MAILSHELF_GATE", site.path("gate"));
    let service = Service::spawn(command);
    let readers = || children(&service).first().map(|serving| started_by(*serving)).unwrap_or_default();
    site.wait_for("the reader", |_| !readers().is_empty());
    let reader = PathBuf::from(format!("/proc/{}", readers()[0]));
    let (code, said) = service.stop();
    assert_eq!(code, Some(0), "{said}");
    assert!(!reader.exists(), "it was killed and waited for");
    site.run();
    assert_filed(&site, &["bad"]);
}
