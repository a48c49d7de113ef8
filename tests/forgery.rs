//! Nobody files as somebody else: known forgeries, made-up ones by the thousand, and honest mail beside them, which must
//! not be refused.

use mailshelf::config::{Require, ResultsAt, Sender};
use mailshelf::message::{self, Limits};
use mailshelf::sender::{Findings, Identity, Rules, evidence, identify};
use mailshelf_storage::catalog::sqlite::SqliteCatalog;
use mailshelf_storage::model::Level;
use mailshelf_storage::{Address, Catalog, Reader};

use crate::util::{DOMAIN, Site};
use cases::{Case, ESPOOFER, WEAK_LINKS};
use forge::{ID, VICTIM};

mod cases;
pub mod forge;
pub mod genuine;
mod signed;

/// A generator of our own: the same mail in every run.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

/// A site that believes whatever can be believed: any proof at all is enough.
fn settings() -> Sender {
    Sender {
        authserv_id: vec![ID.to_owned()],
        received_auth: true,
        exchange_internal: true,
        own_domains: ["legitimate.example", "example.net", "example.co.uk", "example.com", "example.org"]
            .map(str::to_owned)
            .into(),
        require: Require::Spf,
        internal_require: Require::Spf,
        ..Sender::default()
    }
}

/// A catalog that knows one user, in a folder that goes with it.
struct People {
    catalog: SqliteCatalog,
    _dir: tempfile::TempDir,
}

impl People {
    fn one(login: &str, addresses: &[&str]) -> People {
        let dir = tempfile::tempdir().unwrap();
        let catalog = SqliteCatalog::open(&dir.path().join("catalog.db")).unwrap();
        let addresses: Vec<Address> = addresses.iter().map(|address| address.parse().unwrap()).collect();
        let mut writer = catalog.write().unwrap();
        writer.add_user(&login.parse().unwrap(), &addresses).unwrap();
        writer.commit().unwrap();
        People { catalog, _dir: dir }
    }

    fn read(&self) -> Box<dyn Reader + '_> {
        self.catalog.read().unwrap()
    }
}

/// Who sent a message; `None` where it is not even read.
fn judge(message: &[u8], people: &dyn Reader, settings: &Sender) -> Option<Identity> {
    let read = message::read(message, &Limits::default()).ok()?;
    let findings = match &read.mailbox {
        Ok(from) => evidence::collect(&read.traces, from, settings),
        Err(_) => Findings::default(),
    };
    Some(identify(&read.mailbox, &findings, &Rules::of(settings, false), people).unwrap())
}

fn message(case: &Case) -> String {
    let results: String =
        case.results.iter().map(|results| format!("Authentication-Results: {ID}; {results}\r\n")).collect();
    let received =
        format!("Received: from x (unknown [192.0.2.66]) by {ID}; Sat, 21 Nov 2026 04:00:00 +0000");
    // A line that begins with a blank belongs to the one before it.
    format!("{results}{received}\r\n{}To: x@docs.example.org\r\nSubject: x\r\n\r\nHi.\r\n", case.header)
}

#[test]
fn known_forgeries_are_nobody_and_the_event_says_why() {
    let people = People::one("admin", &[VICTIM]);
    let people = people.read();
    assert_eq!(ESPOOFER.len(), 22);
    for case in ESPOOFER.iter().chain(WEAK_LINKS) {
        let identity = judge(message(case).as_bytes(), &*people, &settings()).unwrap();
        assert_eq!(identity.user, None, "{}: {}", case.name, identity.proof);
        let told = case.why.split('|').any(|why| identity.proof.contains(why));
        assert!(told, "{}: {}", case.name, identity.proof);
    }
}

/// The same mail is filed where it is what it says: so it is the trick that is refused.
#[test]
fn what_the_forgers_imitate_is_somebody() {
    let people = People::one("admin", &[VICTIM]);
    let people = people.read();
    for (results, level) in [
        ("dmarc=pass header.from=legitimate.example", Level::Domain),
        ("dkim=pass header.d=legitimate.example", Level::Domain),
        ("spf=pass smtp.mailfrom=any@legitimate.example", Level::Spf),
        (
            "auth=pass smtp.auth=admin@legitimate.example; dmarc=pass header.from=legitimate.example",
            Level::Submission,
        ),
    ] {
        let results = &[results];
        let message = format!(
            "Authentication-Results: {ID}; {}\r\nReceived: from x by {ID}; x\r\nFrom: <{VICTIM}>\r\n\r\nHi.\r\n",
            results[0]
        );
        let identity = judge(message.as_bytes(), &*people, &settings()).unwrap();
        assert_eq!(identity.level, level, "{}", identity.proof);
    }
}

#[test]
fn ten_thousand_forgeries_file_as_nobody() {
    let people = People::one("admin", &[VICTIM]);
    let people = people.read();
    for results_at in [ResultsAt::Above, ResultsAt::Below] {
        let (mut random, settings) = (Random(1), Sender { results_at, ..settings() });
        let (mut sound, mut read) = (0, 0);
        for nth in 0..5_000 {
            let message = forge::forgery(&mut random, results_at);
            let Some(identity) = judge(&message, &*people, &settings) else { continue };
            let shown = String::from_utf8_lossy(&message);
            assert_eq!(identity.user, None, "{results_at:?} {nth}: {}\n{shown}", identity.proof);
            sound += usize::from(identity.known);
            let void =
                ["are void", "a field that bears our id"].iter().any(|why| identity.proof.contains(why));
            read += usize::from(identity.known && !void);
        }
        // Not all of them fall for their From, nor for what is smuggled into our server's field.
        assert!(sound > 1_500 && read > 300, "{results_at:?}: {sound} {read}");
    }
}

#[test]
fn a_thousand_honest_mails_are_all_somebody() {
    let mut random = Random(2);
    let mails: Vec<_> = (0..1_000).map(|_| genuine::honest(&mut random)).collect();
    let addresses: Vec<_> = mails.iter().map(|honest| honest.from.as_str()).collect();
    let people = People::one("sender", &addresses);
    let people = people.read();
    let mut servers = std::collections::BTreeMap::new();
    for honest in mails {
        let identity = judge(honest.mail.as_bytes(), &*people, &settings()).unwrap();
        assert_eq!(identity.level, honest.level, "{}: {}\n{}", honest.server, identity.proof, honest.mail);
        *servers.entry(honest.server).or_insert(0) += 1;
    }
    assert!(servers.len() == 12 && servers.values().all(|mails| *mails > 50), "{servers:?}");
}

/// The same with our own eyes on signatures: what a domain signed for one of its mailboxes is never another's.
#[test]
fn signed_mail_of_one_is_never_made_anothers() {
    let (verifier, mails, mut random) = (signed::verifier(), signed::mails(), Random(3));
    let (signer, victim) = (People::one("user", &[signed::SIGNER]), People::one("user", &[signed::VICTIM]));
    let (signer, victim) = (signer.read(), victim.read());
    for mail in &mails {
        let identity = signed::judge(mail.as_bytes(), &verifier, &*signer).unwrap();
        assert_eq!(identity.level, Level::Domain, "{}\n{mail}", identity.proof);
    }
    let mut asked = 0;
    for nth in 0..3_000 {
        let message = signed::forgery(&mut random, &mails);
        let Some(identity) = signed::judge(&message, &verifier, &*victim) else { continue };
        assert_eq!(identity.user, None, "{nth}: {}\n{}", identity.proof, String::from_utf8_lossy(&message));
        asked += usize::from(identity.known);
    }
    // Not all of them fall for their From.
    assert!(asked > 500, "{asked}");
}

/// Exchange Online puts no name in front of its results: nothing says whose they are.
#[test]
fn results_without_a_name_are_nobodys() {
    let people = People::one("admin", &[VICTIM]);
    let people = people.read();
    let message = format!(
        "Authentication-Results: spf=pass (sender IP is 192.0.2.1)\r\n smtp.mailfrom=legitimate.example; dkim=pass (signature was verified)\r\n \
         header.d=legitimate.example;dmarc=pass action=none\r\n header.from=legitimate.example;compauth=pass reason=100\r\n\
         Received: from x by {ID}; x\r\nFrom: <{VICTIM}>\r\n\r\nHi.\r\n"
    );
    let identity = judge(message.as_bytes(), &*people, &settings()).unwrap();
    assert_eq!(identity.user, None);
    assert_eq!(
        identity.proof,
        format!(
            "no proof: no Authentication-Results of {ID} above the first Received; \
                 our first Received names no authenticated sender; no AuthAs by Exchange"
        )
    );
}

/// A site as [`settings`] has it, whose users are admin and sender, with the open library `all`.
fn site() -> Site {
    let site = Site::open_to_all();
    site.configure("authserv_id = []", &format!("authserv_id = [\"{ID}\"]"));
    site.configure("received_auth = false", "received_auth = true");
    site.configure("exchange_internal = false", "exchange_internal = true");
    site.configure("\nrequire = \"domain\"", "\nrequire = \"spf\"");
    site.ok(&["user", "add", "admin", "--address", VICTIM]);
    site
}

#[test]
fn the_program_files_no_forgery_as_a_user() {
    let site = site();
    let mut random = Random(3);
    let block = format!("x-sender: any@attack.example\r\nx-receiver: all@{DOMAIN}\r\n");
    for nth in 0..300 {
        let message = forge::forgery(&mut random, ResultsAt::Above);
        site.deliver(&format!("{nth}.eml"), [block.as_bytes(), &message].concat());
    }
    for case in ESPOOFER.iter().chain(WEAK_LINKS) {
        site.deliver(&format!("{}.eml", case.name.replace(' ', "-")), block.clone() + &message(case));
    }
    let genuine = format!(
        "{block}Authentication-Results: {ID}; dmarc=pass header.from=legitimate.example\r\nReceived: from x by {ID}; x\r\n\
         From: {VICTIM}\r\nSubject: genuine\r\n\r\nHi.\r\n"
    );
    site.deliver("genuine.eml", genuine);
    let event = site.pass();
    let mails = event["mails"].as_array().unwrap();
    assert_eq!(mails.len(), 301 + ESPOOFER.len() + WEAK_LINKS.len());
    for mail in mails {
        let file = mail["file"].as_str().unwrap();
        let by = if file == "genuine.eml" { "admin" } else { "System Account" };
        for recipient in mail["recipients"].as_array().unwrap() {
            if recipient["outcome"] == "filed" {
                assert_eq!(recipient["created_by"], by, "{mail:#}");
            }
        }
        assert_eq!(mail["sender"]["identity"].is_string(), file == "genuine.eml", "{mail:#}");
    }
}

#[test]
fn run_warns_where_the_bare_from_is_believed() {
    let told = |site: &Site| String::from_utf8(site.output(&["run"]).stderr).unwrap();
    let site = Site::open_to_all();
    assert_eq!(told(&site), "");
    site.ok(&["library", "add", "trusting", "--alias", "trusting", "--trust-from", "yes"]);
    let warning = told(&site);
    assert!(
        warning.contains("trust_from is set") && warning.contains("trusting") && !warning.contains("all,"),
        "{warning}"
    );
    site.configure("trust_from = false", "trust_from = true");
    assert_eq!(told(&site).matches("trust_from is set").count(), 1);
}

#[test]
fn a_library_that_is_to_believe_the_bare_from_is_warned_of() {
    let site = Site::new();
    let told = |arguments: &[&str]| {
        let output = site.output(arguments);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let warning = "mailshelf: warning: library a: whoever writes a From header files there as that user\n\
                   hint: `mailshelf library set a --trust-from no` asks for proof\n";
    assert_eq!(told(&["library", "add", "a", "--alias", "a", "--trust-from", "yes"]), warning);
    assert_eq!(told(&["library", "set", "a", "--save-original", "yes"]), "");
    assert_eq!(told(&["library", "set", "a", "--trust-from", "inherit"]), "");
    assert_eq!(told(&["library", "set", "a", "--trust-from", "yes"]), warning);
    assert_eq!(told(&["library", "add", "b", "--alias", "b"]), "");
}

#[test]
fn replay_warns_where_the_bare_from_is_believed() {
    let site = Site::open_to_all();
    let elsewhere = tempfile::tempdir().unwrap();
    let file = elsewhere.path().join("old.eml");
    std::fs::write(&file, crate::util::mail("old", &["all"], "x")).unwrap();
    let told = |site: &Site| {
        let output = site.output(&["replay", file.to_str().unwrap()]);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    assert_eq!(told(&site), "");
    site.ok(&["library", "set", "all", "--trust-from", "yes"]);
    let warning = told(&site);
    assert!(warning.contains("trust_from is set") && warning.contains("all"), "{warning}");
}
