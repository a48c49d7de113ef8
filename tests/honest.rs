//! A thousand honest mails that dkimpy signed (`tests/dkim/genuine.py`): each is filed as whoever sent it, by our own
//! eyes on the signature and by the word of our server, as real servers put it.
//!
//! They are made anew for each machine, not committed: `MAILSHELF_SIGNED` names the folder.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::dkim::{RESOLVER, Unbound};
use crate::forgery::Random;
use crate::forgery::forge::ID;
use crate::forgery::genuine::word;
use crate::util::Site;

/// A signed mail, and who sent it.
struct Signed {
    file: String,
    user: String,
    address: String,
    domain: String,
    mail: Vec<u8>,
}

/// The folder with the signed mails; None where there is none: the test says so and ends.
fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("MAILSHELF_SIGNED").map(PathBuf::from);
    if folder.is_none() {
        crate::util::skip(
            "MAILSHELF_SIGNED names no folder made by tests/dkim/genuine.py, which needs dkimpy",
        );
    }
    folder
}

fn mails(folder: &std::path::Path) -> Vec<Signed> {
    let listed = fs::read_to_string(folder.join("mails.jsonl")).unwrap();
    let read = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        let text = |key: &str| line[key].as_str().unwrap().to_owned();
        let file = text("file");
        let mail = fs::read(folder.join(&file)).unwrap();
        Signed { user: text("user"), address: text("address"), domain: text("domain"), mail, file }
    };
    let mails: Vec<Signed> = listed.lines().map(read).collect();
    assert_eq!(mails.len(), 1000);
    mails
}

/// A site that knows all who sent them, with the library `board`.
fn site(mails: &[Signed]) -> Site {
    let site = Site::new();
    site.ok(&["library", "add", "board", "--alias", "board", "--save-original", "yes"]);
    let mut users: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for mail in mails {
        users.entry(&mail.user).or_default().insert(&mail.address);
    }
    for (login, addresses) in users {
        let addresses = addresses.into_iter().flat_map(|address| ["--address", address]);
        let user = ["user", "add", login].into_iter().chain(addresses);
        site.ok(&user.collect::<Vec<_>>());
    }
    site.ok(&["grant", "board", "everyone", "contributor"]);
    site
}

fn deliver(site: &Site, file: &str, above: &str, message: &[u8]) {
    let envelope = "x-sender: bounce@lists.test\r\nx-receiver: board@docs.example.org\r\n";
    site.deliver(file, [envelope.as_bytes(), above.as_bytes(), message].concat());
}

/// Asserts that each mail is filed, as its user, at the level that was proven.
fn assert_filed(site: &Site, expected: &BTreeMap<String, (String, String)>) {
    let event = site.pass();
    let judged = event["mails"].as_array().unwrap();
    assert_eq!(judged.len(), expected.len());
    let refused = judged.iter().filter(|mail| {
        let (user, level) = &expected[mail["file"].as_str().unwrap()];
        let to = &mail["recipients"][0];
        to["outcome"] != "filed" || to["created_by"] != **user || mail["sender"]["level"] != **level
    });
    let refused: Vec<_> =
        refused.map(|mail| (&mail["file"], &mail["sender"]["proof"], &mail["error"])).collect();
    assert!(refused.is_empty(), "{} of {}: {refused:#?}", refused.len(), expected.len());
    site.assert_sound();
}

fn own_eyes(verify: &str) {
    let Some(folder) = folder() else { return };
    let Some(unbound) = Unbound::with(&folder.join("zone.conf")) else { return };
    let mails = mails(&folder);
    let site = site(&mails);
    site.configure("verify = \"off\"", &format!("verify = \"{verify}\""));
    site.configure(RESOLVER, &format!("resolver = \"127.0.0.1:{}\"", unbound.port));
    let mut expected = BTreeMap::new();
    for (nth, mail) in mails.iter().enumerate() {
        // A server that writes Maildirs may store lines as its system has them.
        let lf = nth % 10 == 0 && mail.mail.is_ascii();
        let message = String::from_utf8_lossy(&mail.mail).replace("\r\n", "\n");
        deliver(&site, &mail.file, "", if lf { message.as_bytes() } else { &mail.mail });
        expected.insert(mail.file.clone(), (mail.user.clone(), "domain".to_owned()));
    }
    assert_filed(&site, &expected);
}

#[test]
fn a_thousand_signed_mails_are_filed_by_their_signatures() {
    own_eyes("dkim");
}

#[test]
fn a_thousand_signed_mails_are_filed_by_their_domains_policies() {
    own_eyes("dmarc");
}

#[test]
fn a_thousand_signed_mails_are_filed_by_the_word_of_our_server() {
    let Some(folder) = folder() else { return };
    let mails = mails(&folder);
    let site = site(&mails);
    site.configure("authserv_id = []", &format!("authserv_id = [\"{ID}\"]"));
    site.configure("\nrequire = \"domain\"", "\nrequire = \"spf\"");
    let (mut random, mut servers, mut expected) = (Random::new(4), BTreeMap::new(), BTreeMap::new());
    for mail in &mails {
        let word = word(&mut random, &mail.address, &mail.domain, &mail.user);
        deliver(&site, &mail.file, &word.above, &mail.mail);
        expected.insert(mail.file.clone(), (mail.user.clone(), word.level.to_string()));
        *servers.entry(word.server).or_insert(0) += 1;
    }
    assert!(servers.len() == 11 && servers.values().all(|mails| *mails > 40), "{servers:?}");
    assert_filed(&site, &expected);
}
