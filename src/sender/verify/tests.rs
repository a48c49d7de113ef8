use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;
use crate::sender::from;

#[path = "../../../tests/dkim/zone.rs"]
mod zone;

fn verifier() -> Verifier {
    let records = zone::records();
    let records: Vec<_> = records.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    Verifier::with_records(&["lists.test"], &records)
}

/// What the line does with a message: no sound From, nothing to verify.
fn is_proven(verifier: &Verifier, message: &[u8]) -> bool {
    let Ok(from) = from::mailbox(message) else { return false };
    let deadline = Instant::now() + Duration::from_secs(60);
    let verified = verifier.verify(message, &from, Timestamp::now(), deadline);
    let Verified::Found(findings) = verified else { return false };
    findings.iter().any(|finding| matches!(finding, Finding::Signed { .. } | Finding::Sealed { .. }))
}

const SIMPLE: &[u8] = include_bytes!("../../../tests/dkim/mails/simple.eml");
const RELAXED: &[u8] = include_bytes!("../../../tests/dkim/mails/relaxed.eml");
const SEALED: &[u8] = include_bytes!("../../../tests/dkim/mails/arc-two-hops.eml");

/// In the simple form each byte counts that is signed: all but the trace field that servers add.
#[test]
fn no_byte_of_what_is_signed_can_be_changed() {
    let verifier = verifier();
    assert!(is_proven(&verifier, SIMPLE));
    let text = std::str::from_utf8(SIMPLE).unwrap();
    let trace = text.find("Received: ").unwrap()..text.find("From: ").unwrap();
    for at in (0..SIMPLE.len()).filter(|at| !trace.contains(at)) {
        let mut changed = SIMPLE.to_vec();
        changed[at] ^= 1;
        assert!(!is_proven(&verifier, &changed), "byte {at} of {}", changed.escape_ascii());
    }
}

/// What may be changed in the relaxed form changes nothing that a reader sees.
#[test]
fn the_relaxed_form_forgives_blanks_alone() {
    let verifier = verifier();
    let text = std::str::from_utf8(RELAXED).unwrap();
    for (from, to, proven) in [
        ("Subject: Minutes", "subject:   Minutes", true),
        ("See  below.", "See below.", true),
        ("--b--\r\n", "--b-- \r\n \r\n\r\n", true),
        ("See  below.", "Seebelow.", false),
        ("Subject: Minutes", "Subject: Min utes", false),
        ("Subject: Minutes", "Subject: \u{c}Minutes", false),
        ("Subject: Minutes", "Subject : Minutes", false),
        ("\r\n\r\n--b", "\r\n\r\n\r\n--b", false),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text);
        assert_eq!(is_proven(&verifier, changed.as_bytes()), proven, "{to}");
    }
}

/// Ten thousand signatures, each of two hundred fields: only a few of them are looked at.
#[test]
fn a_header_full_of_signatures_is_no_work() {
    let names = vec!["from"; 200].join(":");
    let signature = format!(
        "DKIM-Signature: v=1; a=rsa-sha256; d=sender.test; s=rsa2048; h={names};\r\n bh={}=; b=QUJD\r\n",
        "A".repeat(43)
    );
    let message = [signature.repeat(10_000).as_bytes(), RELAXED].concat();
    assert!(!is_proven(&verifier(), &message));
}

#[test]
fn time_that_has_run_out_is_no_answer() {
    let settings = config::Sender {
        verify: Verify::Dkim,
        resolver: config::Resolver::At("127.0.0.1:9".parse().unwrap()),
        ..config::Sender::default()
    };
    let verifier = Verifier::open(&settings).unwrap();
    let from = from::mailbox(RELAXED).unwrap();
    let verified = verifier.verify(RELAXED, &from, Timestamp::now(), Instant::now());
    let Verified::Unavailable(why) = verified else { panic!("{verified:?}") };
    assert_eq!(
        why,
        "DNS: the resolver 127.0.0.1:9 does not tell the TXT records of rsa2048._domainkey.sender.test: \
         no time is left to ask for this mail"
    );
}

#[test]
fn a_signature_that_expired_while_the_mail_waited_counts() {
    let expired = include_bytes!("../../../tests/dkim/mails/expired.eml");
    let from = from::mailbox(expired).unwrap();
    let verified = |arrived: &str| {
        let deadline = Instant::now() + Duration::from_secs(60);
        verifier().verify(expired, &from, arrived.parse().unwrap(), deadline)
    };
    let Verified::Found(before) = verified("2024-01-01T00:00:59Z") else { panic!("not found") };
    assert!(matches!(before[..], [Finding::Signed { .. }]), "{before:?}");
    let Verified::Found(after) = verified("2024-01-01T00:01:00Z") else { panic!("not found") };
    assert_eq!(after, [Finding::Void("the DKIM signature of sender.test: it has expired".to_owned())]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// Whatever a stranger makes of sealed mail: nothing panics.
    #[test]
    fn mail_taken_apart_breaks_nothing(cuts in prop::collection::vec((0usize..6000, 0usize..6000, any::<u8>()), 1..8)) {
        let verifier = verifier();
        let mut mail = SEALED.to_vec();
        for (from, to, byte) in cuts {
            let (from, to) = (from.min(mail.len()), to.min(mail.len()));
            if from < to {
                let piece = mail[from..to].to_vec();
                mail.splice(to..to, piece);
            } else if let Some(at) = mail.get_mut(to) {
                *at = byte;
            }
        }
        // Even where the From is not sound, which nobody asks.
        let from = "alice@sender.test".parse().unwrap();
        verifier.verify(&mail, &from, Timestamp::now(), Instant::now());
    }

    /// Lists of tags that are almost sound.
    #[test]
    fn any_list_is_read_or_refused(list in "(v=1|a=rsa-sha256|d=sender.test|s=rsa2048|h=from|bh=QUJD|b=QUJD|[ -~]{0,9}|;|=|\r\n ){0,12}") {
        let message = format!("DKIM-Signature: {list}\r\nARC-Seal: i=1; {list}\r\nFrom: a@sender.test\r\n\r\n");
        prop_assert!(!is_proven(&verifier(), message.as_bytes()));
    }
}
