//! Mail that another implementation signed, made into mail of somebody else in the domain that signed it. Its keys are
//! good for any mailbox of that domain: that none but the signed one comes of it is all up to us.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use mailshelf::config::{Sender, Verify};
use mailshelf::message::{self, Limits};
use mailshelf::sender::verify::{Verified, Verifier};
use mailshelf::sender::{Identity, Known, Rules, Verification, evidence, identity, verification};
use mailshelf_storage::Reader;

use super::{Random, forge};
use crate::dkim::zone;

/// Who signed mail, and who never did.
pub const SIGNER: &str = "alice@sender.test";
pub const VICTIM: &str = "bob@sender.test";

/// Proven by DKIM, and by ARC.
const SOUND: [&str; 6] = ["relaxed", "simple", "ed25519", "many-fields", "arc", "arc-two-hops"];

pub fn mails() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dkim/mails");
    let read = |name: &str| fs::read_to_string(folder.join(format!("{name}.eml"))).unwrap();
    SOUND.map(read).into()
}

/// Knows the records of `zone.conf`.
pub fn verifier() -> Verifier {
    let records = zone::records();
    let records: Vec<_> = records.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    Verifier::with_records(&["lists.test"], &records)
}

/// Who sent a message, by our own eyes; `None` where it is not even read.
pub fn judge(message: &[u8], verifier: &Verifier, people: &dyn Reader) -> Option<Identity> {
    let read = message::read(message, &Limits::default()).ok()?;
    let from = read.mailbox.ok()?;
    let settings =
        Sender { verify: Verify::Dmarc, arc_sealers: vec!["lists.test".to_owned()], ..Sender::default() };
    let rules = Rules::of(&settings, false);
    let mut found = evidence::collect(&read.traces, &from, &settings);
    let known = Known::look_up(&from, &found, people).unwrap();
    if verification::may_help(&from, &known, &found, &settings, &rules) {
        let deadline = Instant::now() + Duration::from_secs(60);
        let arrived = "2026-11-21T04:00:00Z".parse().unwrap();
        let verified = verifier.verify(message, &from, arrived, deadline);
        // Nobody is asked: all that there is is known.
        let findings = if let Verified::Found(findings) = verified { Some(findings) } else { None };
        Verification::Done(findings.unwrap()).add_to(&from, &mut found, &settings);
    }
    Some(identity::judge(&from, &known, &found, &rules))
}

/// A second From, or another in place of the signed one; then some lines more, and some bytes changed.
pub fn forgery(random: &mut Random, mails: &[String]) -> Vec<u8> {
    let mail = &mails[random.below(mails.len())];
    let other = random.pick(&[
        "From: Bob <bob@sender.test>\r\n",
        "From: bob@sender.test\r\n",
        "from:bob@sender.test\r\n",
        "From: \"alice@sender.test\" <bob@sender.test>\r\n",
        "From: bob@sender.test (Alice)\r\n",
    ]);
    let (start, rest) = mail.split_at(mail.find("\r\nFrom: ").unwrap() + 2);
    let (signed, rest) = rest.split_at(rest.find("\r\n").unwrap() + 2);
    let mut mail = match random.below(6) {
        0 => format!("{other}{start}{signed}{rest}"),
        1 => format!("{start}{signed}{other}{rest}"),
        2 => format!("{start}X-Was-{signed}{other}{rest}"),
        3 => format!("{start}{other} {signed}{rest}"),
        4 => format!("{other}{signed}\r\n{start}{rest}"),
        _ => format!("{start}{other}{rest}"),
    };
    for _ in 0..random.below(3) {
        mail.insert_str(0, &forge::line(random));
    }
    let mut mutated = mail.into_bytes();
    let header = mutated.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    for _ in 0..random.below(3) {
        let (at, byte) = (random.below(header), random.pick(b"\0\r\n \t:;()\"\\@<>,aF="));
        match random.below(3) {
            0 => mutated[at] = byte,
            1 => mutated.insert(at, byte),
            _ => drop(mutated.remove(at)),
        }
    }
    mutated
}
