//! Own verification of DKIM, DMARC and ARC: mails that another implementation signed (`tests/dkim/sign.py`), keys and
//! policies from a real resolver (unbound, on loopback, with a zone of our own).

use std::fs;
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use crate::serve::{EACH_SECOND, Service};
use crate::util::{Limit, Site, entries, name};

pub mod zone;

pub const RESOLVER: &str = "resolver = \"system\"";

/// unbound with the zone of the tests; stopped with this value.
pub struct Unbound {
    child: Child,
    pub port: u16,
    _dir: TempDir,
}

/// Mails and zone, as `sign.py` makes them.
fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dkim")
}

pub fn fixture(name: &str) -> Vec<u8> {
    fs::read(fixtures().join("mails").join(format!("{name}.eml"))).unwrap()
}

/// A resolver that never says anything; nobody else can have its port meanwhile.
fn silent() -> (UdpSocket, u16) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = socket.local_addr().unwrap().port();
    (socket, port)
}

impl Unbound {
    /// None where the machine has no unbound: the test says so and ends.
    fn start() -> Option<Unbound> {
        Unbound::with(&fixtures().join("zone.conf"))
    }

    /// The same with another zone.
    pub fn with(zone: &Path) -> Option<Unbound> {
        for attempt in 1.. {
            // Free a moment ago: should somebody take it before unbound does, there is another.
            let (_, port) = silent();
            let Some(unbound) = Unbound::at(port, zone) else {
                crate::util::skip("there is no unbound");
                return None;
            };
            if unbound.port != 0 {
                return Some(unbound);
            }
            assert!(attempt < 5, "unbound does not start");
        }
        None
    }

    /// With port 0 if somebody else has the port by now.
    fn at(port: u16, zone: &Path) -> Option<Unbound> {
        let dir = tempfile::tempdir().unwrap();
        let config = dir.path().join("unbound.conf");
        let path = dir.path().display();
        let text = format!(
            "server:\n interface: 127.0.0.1@{port}\n access-control: 127.0.0.0/8 allow\n do-ip6: no\n \
             username: \"\"\n chroot: \"\"\n directory: \"{path}\"\n pidfile: \"{path}/pid\"\n use-syslog: no\n \
             logfile: \"{path}/log\"\n num-threads: 1\n module-config: \"iterator\"\n \
             local-zone: \"test.\" static\n local-zone: \"silent.test.\" always_deny\n \
             local-zone: \"broken.test.\" transparent\n \
             local-zone: \"silent._domainkey.sender.test.\" always_deny\n \
             local-zone: \"broken._domainkey.sender.test.\" transparent\n include: \"{}\"\n\
             forward-zone:\n name: \"broken.test.\"\n forward-addr: 127.0.0.1@1\n\
             forward-zone:\n name: \"broken._domainkey.sender.test.\"\n forward-addr: 127.0.0.1@1\n\
             remote-control:\n control-enable: no\n",
            zone.display()
        );
        fs::write(&config, text).unwrap();
        let program = ["unbound", "/usr/sbin/unbound"].into_iter();
        let child = program.into_iter().find_map(|program| {
            let mut command = Command::new(program);
            command.arg("-d").arg("-c").arg(&config).stdout(Stdio::null()).stderr(Stdio::null());
            command.spawn().ok()
        })?;
        let mut unbound = Unbound { child, port, _dir: dir };
        if !unbound.answers() {
            unbound.port = 0;
        }
        Some(unbound)
    }

    /// Waits until it answers a question, or has ended.
    fn answers(&mut self) -> bool {
        // One question: TXT of `test`.
        let question = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x04test\x00\x00\x10\x00\x01";
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(60) {
            if self.child.try_wait().unwrap().is_some() {
                return false;
            }
            let _ = socket.send_to(question, ("127.0.0.1", self.port));
            if socket.recv(&mut [0; 512]).is_ok() {
                return true;
            }
        }
        false
    }
}

impl Drop for Unbound {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A site with a library `board` that Alice may contribute to, under each address that the mails use.
fn site(verify: &str, port: u16) -> Site {
    let site = Site::new();
    site.configure("verify = \"off\"", &format!("verify = \"{verify}\""));
    site.configure(RESOLVER, &format!("resolver = \"127.0.0.1:{port}\""));
    site.configure("rejected = \"delete\"", "rejected = \"keep\"");
    site.ok(&["library", "add", "board", "--alias", "board", "--save-original", "yes"]);
    let mut user = vec!["user".to_owned(), "add".to_owned(), "alice".to_owned()];
    for domain in ["sender", "sub.sender", "strict", "sub.strict", "bare", "broken", "silent"] {
        user.extend(["--address".to_owned(), format!("alice@{domain}.test")]);
    }
    site.ok(&user);
    site.ok(&["user", "add", "bob", "--address", "bob@sender.test"]);
    site.ok(&["grant", "board", "everyone", "contributor"]);
    site
}

fn deliver(site: &Site, name: &str, message: &[u8]) {
    let envelope = b"x-sender: bounce@lists.test\r\nx-receiver: board@docs.example.org\r\n";
    site.deliver(&format!("{name}.eml"), [envelope.as_slice(), message].concat());
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn explain(site: &Site, file: &str) -> Value {
    site.json(&["explain", site.path(file).to_str().unwrap()]).remove(0)
}

/// What became of each mail, by name: outcome, level and proof.
fn outcomes(event: &Value) -> Vec<(String, String, String)> {
    let mails = event["mails"].as_array().unwrap();
    mails
        .iter()
        .map(|mail| {
            let outcome = text(&mail["recipients"][0]["outcome"]);
            let file = text(&mail["file"]).trim_end_matches(".eml").to_owned();
            let proof = text(&mail["sender"]["proof"]);
            let why = if proof.is_empty() { text(&mail["error"]) } else { proof };
            let filed = outcome == "filed";
            assert_eq!(filed, mail["sender"]["level"] == "domain", "{file}");
            assert_eq!(filed, mail["recipients"][0]["created_by"] == "alice", "{file}");
            // Nobody was to believe results here: that there are none proves nothing and tells nothing.
            assert!(!why.contains("authserv_id"), "{file}: {why}");
            (file, outcome, why)
        })
        .collect()
}

/// Delivers these mails, and asserts what becomes of each: an empty reason means filed as Alice, any other that it is
/// refused and that the proof names it.
fn assert_judged(site: &Site, cases: &[(&str, &str)]) {
    for (name, _) in cases {
        deliver(site, name, &fixture(name));
    }
    let judged = outcomes(&site.pass());
    assert_eq!(judged.len(), cases.len());
    let mut wrong = Vec::new();
    for (name, outcome, why) in judged {
        let (_, reason) = cases.iter().find(|(case, _)| *case == name).unwrap();
        let expected = if reason.is_empty() { "filed" } else { "rejected" };
        if outcome != expected || !why.contains(reason) {
            wrong.push(format!("{name}: {outcome}, {why}"));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    site.assert_sound();
}

/// Judged alike whether a policy is asked for or not.
const EITHER: &[(&str, &str)] = &[
    ("relaxed", ""),
    ("simple", ""),
    ("simple-body", ""),
    ("ed25519", ""),
    ("rsa1024", ""),
    ("rsa4096", ""),
    ("blank-end", ""),
    ("blank-end-simple", ""),
    ("no-body", ""),
    ("no-body-simple", ""),
    ("oversigned", ""),
    ("many-fields", ""),
    ("not-expired", ""),
    ("parent-signs", ""),
    ("strict", ""),
    ("one-of-two", ""),
    ("own-domain", ""),
    ("gmail", ""),
    ("gmail-text", ""),
    ("gmail-retyped", "it does not sign Content-Type"),
    ("gmail-typed", "it does not sign Content-Type"),
    ("rsa512", "its key is too weak"),
    ("rsa768", "its key is too weak"),
    ("length", "it covers only the first bytes of the body (l=)"),
    ("expired", "it has expired"),
    ("future", "it was made in the future"),
    ("from-unsigned", "it does not sign From"),
    ("sha1", "its algorithm is none that counts"),
    ("other-domain", "no signature that could speak for From"),
    ("sibling-signs", "no signature that could speak for From"),
    ("changed-body", "the body was changed"),
    ("changed-from", "the header was changed, or it is forged"),
    ("changed-subject", "the header was changed, or it is forged"),
    ("second-from", "there is more than one From"),
    ("second-subject", "ambiguous: Subject stands twice in the header"),
    ("second-type", "ambiguous: Content-Type stands twice in the header"),
    ("too-many", "the body was changed"),
    ("revoked", "its key is revoked"),
    ("testing", "its domain only tests it (t=y)"),
    ("absent", "it has no key"),
    ("doubled", "it has more than one key"),
    ("not-mail", "its key is not for mail"),
    ("other-kind", "its key is of another kind"),
    ("agent", "its key is for its own domain alone (t=s)"),
    // No forwarder is believed unless the site names it.
    ("arc", "the body was changed"),
];

const DKIM: &[(&str, &str)] = &[
    ("strict-parent-signs", ""),
    ("no-policy", ""),
    ("child-signs", "no signature that could speak for From"),
    ("grandchild-signs", "no signature that could speak for From"),
    ("strict-child-signs", "no signature that could speak for From"),
];

const DMARC: &[(&str, &str)] = &[
    ("child-signs", ""),
    ("strict-parent-signs", "adkim=s"),
    ("strict-child-signs", "adkim=s"),
    ("grandchild-signs", "its domain may not sign for that of From"),
    ("no-policy", "From's domain has no DMARC policy"),
];

const ARC: &[(&str, &str)] = &[
    ("arc", ""),
    ("arc-microsoft", ""),
    ("arc-two-hops", ""),
    ("relaxed", ""),
    ("arc-last-unlisted", "the body was changed"),
    ("arc-saw-fail", "its last sealer saw no dmarc=pass for From"),
    ("arc-saw-another", "its last sealer saw no dmarc=pass for From"),
    ("arc-results-changed", "a seal is forged"),
    ("arc-changed-since", "the ARC chain: the body was changed"),
    ("arc-cv-fail", "a sealer found the chain broken before (cv=)"),
    ("arc-hop-missing", "the chain is broken"),
    ("arc-forged-hop", "a seal is forged"),
    ("arc-unsealed", "the chain is broken"),
];

#[test]
fn signatures_are_verified() {
    let Some(unbound) = Unbound::start() else { return };
    let site = site("dkim", unbound.port);
    assert_judged(&site, &[EITHER, DKIM].concat());
}

#[test]
fn policies_are_asked_for() {
    let Some(unbound) = Unbound::start() else { return };
    let site = site("dmarc", unbound.port);
    assert_judged(&site, &[EITHER, DMARC].concat());
}

#[test]
fn a_forwarder_that_is_believed_vouches() {
    let Some(unbound) = Unbound::start() else { return };
    let site = site("dmarc", unbound.port);
    site.configure("arc_sealers = []", "arc_sealers = [\"Lists.test\"]");
    assert_judged(&site, ARC);
}

#[test]
fn every_mail_that_is_signed_here_is_judged_by_some_test() {
    let others = ["servfail", "silent"];
    for file in entries(&fixtures().join("mails")) {
        let name = name(&file);
        let name = name.trim_end_matches(".eml");
        let mut judged = [EITHER, DKIM, DMARC, ARC].concat().into_iter().map(|(name, _)| name).chain(others);
        assert!(judged.any(|one| one == name), "{name}");
    }
}

#[test]
fn line_ends_of_a_maildir_do_not_break_a_signature() {
    let Some(unbound) = Unbound::start() else { return };
    let site = site("dkim", unbound.port);
    let lf = |name: &str| String::from_utf8(fixture(name)).unwrap().replace("\r\n", "\n").into_bytes();
    deliver(&site, "simple", &lf("simple"));
    deliver(&site, "relaxed", &lf("relaxed"));
    let mixed = String::from_utf8(fixture("simple-body")).unwrap().replace("below.", "below.\n");
    deliver(&site, "simple-body", mixed.as_bytes());
    let mut judged = outcomes(&site.pass());
    judged.sort();
    let [relaxed, simple, mixed] = &judged[..] else { panic!("{judged:?}") };
    assert_eq!((relaxed.1.as_str(), simple.1.as_str(), mixed.1.as_str()), ("filed", "filed", "rejected"));
    assert!(mixed.2.contains("the lines of its body end in different ways"), "{}", mixed.2);
}

#[test]
fn mail_waits_while_dns_does_not_tell_and_is_filed_when_it_does() {
    let (_silent, port) = silent();
    let site = site("dmarc", port);
    deliver(&site, "relaxed", &fixture("relaxed"));
    let told = explain(&site, "drop/relaxed.eml");
    assert_eq!(told["recipients"][0]["outcome"], "deferred");
    assert_eq!(told["sender"]["address"], "alice@sender.test");
    assert!(
        text(&told["sender"]["proof"]).starts_with("not known yet: DNS: the resolver 127.0.0.1:"),
        "{told}"
    );
    assert!(text(&told["error"]).starts_with("DNS: the resolver 127.0.0.1:"), "{told}");
    site.fails(1, &["run"]);
    let events = site.events();
    let warning = events.iter().find(|event| event["event_id"] == 6873).unwrap();
    let error = warning["error"].as_str().unwrap();
    let asked = format!(
        "DNS: the resolver 127.0.0.1:{port} does not tell the TXT records of rsa2048._domainkey.sender.test: "
    );
    assert!(error.starts_with(&asked), "{error}");
    let pass = events.iter().find(|event| event["event_id"] == 6871).unwrap();
    assert_eq!((&pass["deferred"], &pass["rejected"]), (&1.into(), &0.into()));
    assert_eq!(site.claims().len(), 1);
    let Some(unbound) = Unbound::start() else { return };
    site.configure(&format!("127.0.0.1:{port}"), &format!("127.0.0.1:{}", unbound.port));
    let node = name(&entries(&site.path("drop/.claimed"))[0]);
    let told = explain(&site, &format!("drop/.claimed/{node}/{}", site.claims()[0]));
    assert_eq!(told["recipients"][0]["outcome"], "filed", "{told}");
    let event = site.pass();
    let judged = outcomes(&event);
    assert_eq!((judged.len(), judged[0].1.as_str()), (1, "filed"));
    assert_eq!(told["sender"], event["mails"][0]["sender"]);
    let proof = "dmarc=pass, verified by us: signed by sender.test (s=rsa2048)";
    let id = text(&event["mails"][0]["mail"]);
    let shown = &site.json(&["mail", "show", &id])[0]["recipients"][0];
    assert_eq!(
        (&shown["identity"], &shown["level"], &shown["proof"]),
        (&"alice".into(), &"domain".into(), &proof.into())
    );
    let shown = site.ok(&["mail", "show", &id]);
    assert!(shown.contains("alice (level domain)\n") && shown.contains(proof), "{shown}");
    site.assert_sound();
}

#[test]
fn a_resolver_that_fails_defers_and_holds_up_no_stranger() {
    let Some(unbound) = Unbound::start() else { return };
    let site = site("dkim", unbound.port);
    site.ok(&["user", "add", "carol", "--address", "carol@docs.example.org"]);
    deliver(&site, "servfail", &fixture("servfail"));
    deliver(&site, "silent", &fixture("silent"));
    let with = |name: &str, from: &str| {
        let mail = String::from_utf8(fixture("silent")).unwrap().replace("alice@silent.test", from);
        deliver(&site, name, mail.as_bytes());
    };
    with("stranger", "mallory@silent.test");
    // From our own domains more is asked than a signature can prove.
    with("own", "carol@docs.example.org");
    deliver(&site, "good", &fixture("relaxed"));
    let output = site.output(&["run", "--json"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let event = site.events().into_iter().find(|event| event["event_id"] == 6871).unwrap();
    let judged = outcomes(&event);
    let of = |name: &str| judged.iter().find(|(one, _, _)| one == name).unwrap();
    for (name, outcome) in [
        ("servfail", "deferred"),
        ("silent", "deferred"),
        ("stranger", "rejected"),
        ("own", "rejected"),
        ("good", "filed"),
    ] {
        assert_eq!(of(name).1, outcome, "{:?}", of(name));
    }
    assert!(of("own").2.ends_with("it would prove domain, and submission is required"), "{:?}", of("own"));
    assert!(of("servfail").2.contains("rsa2048._domainkey.broken.test: "), "{:?}", of("servfail"));
    assert!(of("servfail").2.to_lowercase().contains("server failure"), "{:?}", of("servfail"));
    assert_eq!(site.claims().len(), 2);
}

/// Signed with a key that the signer says stands under this selector: no more than a claim, which a stranger may make in the
/// name of Alice's domain.
fn claimed(selector: &str) -> Vec<u8> {
    let mail = String::from_utf8(fixture("relaxed")).unwrap();
    assert!(mail.contains(" s=rsa2048;"));
    mail.replace(" s=rsa2048;", &format!(" s={selector};")).into_bytes()
}

/// What a stranger makes up waits where nobody can tell, and is refused where nobody ever will; it is nothing to the mail
/// that the domain did sign, in whatever order they come.
#[test]
fn a_selector_that_nobody_answers_for_holds_up_no_other_mail() {
    let Some(unbound) = Unbound::start() else { return };
    let site = site("dkim", unbound.port);
    for name in ["a", "b", "c", "d"] {
        deliver(&site, &format!("broken-{name}"), &claimed(&format!("{name}.broken")));
        deliver(&site, &format!("silent-{name}"), &claimed(&format!("{name}.silent")));
    }
    for (name, selector) in [
        ("hyphen", "-a"),
        ("empty", "a..b"),
        ("label", &*"a".repeat(64)),
        ("long", &*vec!["a".repeat(60); 4].join(".")),
    ] {
        deliver(&site, &format!("malformed-{name}"), &claimed(selector));
    }
    for good in ["relaxed", "simple", "ed25519", "rsa4096"] {
        deliver(&site, good, &fixture(good));
    }
    assert_eq!(site.output(&["run"]).status.code(), Some(1));
    let event = site.events().into_iter().find(|event| event["event_id"] == 6871).unwrap();
    let judged = outcomes(&event);
    assert_eq!(judged.len(), 16);
    for (name, outcome, why) in judged {
        let (expected, reason) = match name.split_once('-') {
            Some(("broken", _)) => ("deferred", ".broken._domainkey.sender.test: "),
            Some(("silent", _)) => ("deferred", ".silent._domainkey.sender.test: "),
            Some(("malformed", _)) => ("rejected", "the DKIM signature of sender.test: it is malformed"),
            _ => ("filed", "dkim=pass"),
        };
        assert!(outcome == expected && why.contains(reason), "{name}: {outcome}, {why}");
    }
    assert_eq!(site.claims().len(), 8);
}

#[test]
fn while_made_up_mail_is_tried_again_and_again_good_mail_is_filed() {
    let Some(unbound) = Unbound::start() else { return };
    let site = site("dkim", unbound.port);
    for name in ["a", "b", "c", "d", "e", "f"] {
        deliver(&site, name, &claimed(&format!("{name}.broken")));
    }
    let service = Service::start(&site, EACH_SECOND, "inotify");
    site.wait_for("the made-up mail", |site| site.told("f.broken._domainkey"));
    for good in ["relaxed", "simple", "ed25519", "rsa4096"] {
        deliver(&site, good, &fixture(good));
        site.wait_for(good, |site| {
            site.documents("board").iter().any(|one| one["path"] == format!("{good}.txt"))
        });
    }
    assert_eq!(service.stop().0, Some(0));
    assert_eq!(site.claims().len(), 6);
}

/// The mail is as it was before: nothing of it is on record, and the next run takes it up.
#[test]
fn a_run_that_is_told_to_stop_waits_for_no_answer() {
    let (silent, port) = silent();
    let site = site("dkim", port);
    deliver(&site, "relaxed", &fixture("relaxed"));
    let run = site.command(&["run", "--json"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let limit = Limit::of(&run);
    silent.recv(&mut [0; 512]).unwrap();
    kill_process(Pid::from_child(&run), Signal::TERM).unwrap();
    let output = run.wait_with_output().unwrap();
    drop(limit);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let event: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&event["interrupted"], &event["processed"]), (&true.into(), &0.into()), "{event}");
    assert_eq!(site.claims().len(), 1);
    assert_eq!(site.json(&["mail", "list"]), Vec::<Value>::new());
    let Some(unbound) = Unbound::start() else { return };
    site.configure(&format!("127.0.0.1:{port}"), &format!("127.0.0.1:{}", unbound.port));
    assert_eq!(outcomes(&site.pass())[0].1, "filed");
    site.assert_sound();
}

/// Where the bare From is believed anyway, nobody is asked and nothing waits.
#[test]
fn nothing_is_asked_where_it_changes_nothing() {
    let (_silent, port) = silent();
    let site = site("dmarc", port);
    site.ok(&["library", "set", "board", "--trust-from", "yes"]);
    deliver(&site, "silent", &fixture("silent"));
    let event = site.pass();
    assert_eq!(event["mails"][0]["sender"]["level"], "from-header");
    assert_eq!(event["filed"], 1);
    let to_nobody = b"x-sender: a@lists.test\r\nx-receiver: nobody@docs.example.org\r\n";
    site.deliver("nobody.eml", [to_nobody.as_slice(), &fixture("relaxed")].concat());
    assert_eq!(site.pass()["mails"][0]["recipients"][0]["reason"], "unknown-alias");
    site.assert_sound();
}

/// What our own server says comes first: where it proves the domain nobody else is asked, and where it saw the policy of
/// From's domain not met no signature helps.
#[test]
fn our_servers_word_comes_before_our_own_eyes() {
    let (_silent, port) = silent();
    let site = site("dmarc", port);
    site.configure("authserv_id = []", "authserv_id = [\"mx1\"]");
    let with = |name: &str, result: &str| {
        let above =
            format!("Authentication-Results: mx1; dmarc={result} header.from=sender.test\r\nReceived: x\r\n");
        deliver(&site, name, &[above.as_bytes(), &fixture("relaxed")].concat());
    };
    with("pass", "pass");
    with("fail", "fail");
    let judged = outcomes(&site.pass());
    let of = |name: &str| judged.iter().find(|(one, _, _)| one == name).unwrap();
    assert_eq!((of("pass").1.as_str(), of("pass").2.as_str()), ("filed", "dmarc=pass by mx1"));
    assert_eq!((of("fail").1.as_str(), of("fail").2.as_str()), ("rejected", "no proof: dmarc=fail by mx1"));
    with("unknown", "temperror");
    site.fails(1, &["run"]);
    assert_eq!(site.claims().len(), 1);
}
