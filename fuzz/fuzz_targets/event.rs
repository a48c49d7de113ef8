//! Events: whatever strangers wrote into one, it is one line of JSON that holds no unsafe character, and the same values
//! when it is read again; nor is there such a character in what people are told of it. Numbers are the first eight bytes;
//! the texts stand behind, a byte 0xff between them.
#![no_main]

use std::time::Duration;

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use mailshelf::escape::{Escaped, is_unsafe, json};
use mailshelf::record::words::{self, About, FaultEvent, LeftOutRecord, MailRecord, PassEvent};
use mailshelf::record::words::{Expired, PassFacts, RecipientRecord, SenderRecord, VersionRecord};
use mailshelf_storage::model::{Event, Pass};
use mailshelf_storage::{DeliveryId, PassId};
use serde::Serialize;
use serde::de::DeserializeOwned;

fuzz_target!(|bytes: &[u8]| {
    let Some((numbers, texts)) = bytes.split_at_checked(8) else { return };
    let number = u64::from_le_bytes(numbers.try_into().unwrap());
    let mut draw = Draw { number, texts: texts.split(|&byte| byte == 0xff).collect(), at: 0 };
    let pass = draw.pass();
    let mails: Vec<_> = (0..1 + number % 3).map(|_| draw.mail()).collect();
    for mail in &mails {
        let body = json::to_string(mail).unwrap();
        safe(&body);
        assert_eq!(json::to_string(&MailRecord::parse(&body)).unwrap(), body);
        assert!(mail.lines().iter().all(|line| is_safe(&line.to_string())));
    }
    let event: PassEvent = words::pass_completed(&pass, mails);
    assert!(is_safe(&event.text()));
    kept(&event, pass.id);
    let fault = draw.fault(&pass);
    kept(&fault, pass.id);
    let text = draw.text();
    assert!(is_safe(&Escaped(&text).to_string()));
});

fn is_safe(text: &str) -> bool {
    !text.contains(is_unsafe)
}

fn safe(json: &str) {
    assert!(is_safe(json), "{json:?}");
}

/// As the catalog keeps it, and as a line of the event file.
fn kept<T: Serialize + DeserializeOwned + std::fmt::Debug>(event: &T, pass: PassId) {
    let value = serde_json::to_value(event).unwrap();
    let body = words::stored(words::PASS_COMPLETED, pass, Timestamp::UNIX_EPOCH, event).unwrap().body;
    safe(&body);
    let read: T = serde_json::from_str(&body).unwrap();
    assert_eq!(format!("{read:?}"), format!("{event:?}"));
    let picked = words::pick(&body, |_| true).unwrap();
    assert!(picked.is_none_or(|picked| picked == body));
    // An earlier version kept each character as it was.
    for body in [body, serde_json::to_string(event).unwrap()] {
        let time = Timestamp::UNIX_EPOCH;
        let line = words::line(&Event { seq: 7, event_id: words::PASS_COMPLETED, time, body });
        safe(&line);
        let mut read: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(read.as_object_mut().unwrap().remove("seq"), Some(7.into()));
        assert_eq!(read, value);
    }
}

/// Draws values until the texts are used up, and then from the first again.
struct Draw<'b> {
    number: u64,
    texts: Vec<&'b [u8]>,
    at: usize,
}

impl Draw<'_> {
    fn text(&mut self) -> String {
        let text = self.texts[self.at % self.texts.len()];
        self.at += 1;
        String::from_utf8_lossy(text).into_owned()
    }

    /// The next bit of the numbers.
    fn flag(&mut self) -> bool {
        self.number = self.number.rotate_right(1);
        self.number & 1 == 1
    }

    fn maybe(&mut self) -> Option<String> {
        self.flag().then(|| self.text())
    }

    fn several(&mut self) -> Vec<String> {
        (0..self.number % 3).map(|_| self.text()).collect()
    }

    fn pass(&mut self) -> PassFacts {
        PassFacts {
            id: "01JDZZZZZZZZZZZZZZZZZZZZZZ".parse().unwrap(),
            node: self.text(),
            elapsed: Duration::from_millis(self.number),
            ended_at: Timestamp::UNIX_EPOCH,
            interrupted: self.flag(),
            purged: Expired { mails: self.number % 2, documents: self.number % 5 },
        }
    }

    fn fault(&mut self, pass: &PassFacts) -> FaultEvent {
        let (file, error) = (self.text(), self.text());
        let mail: Option<DeliveryId> = self.flag().then(|| "01JDZZZZZZZZZZZZZZZZZZZZZY".parse().unwrap());
        let about = About { file: &file, mail };
        let pass = Pass { id: pass.id, node: pass.node.clone(), started_at: pass.ended_at };
        words::fault(words::MAIL_CRITICAL, &pass, Timestamp::UNIX_EPOCH, about, &error)
    }

    fn mail(&mut self) -> MailRecord {
        MailRecord {
            mail: self.text(),
            file: self.text(),
            sha256: self.maybe(),
            message_id: self.maybe(),
            from: self.maybe(),
            envelope_sender: self.maybe(),
            subject: self.maybe(),
            // Sizes are added up.
            size: self.number >> 8,
            elapsed_us: self.number,
            flaws: self.several(),
            sender: SenderRecord {
                address: self.maybe(),
                identity: self.maybe(),
                level: self.text(),
                proof: self.text(),
            },
            recipients: (0..self.number % 3).map(|_| self.recipient()).collect(),
            error: self.maybe(),
            badmail: self.flag(),
        }
    }

    fn recipient(&mut self) -> RecipientRecord {
        const OUTCOMES: [&str; 4] = ["filed", "duplicate", "rejected", "deferred"];
        RecipientRecord {
            address: self.text(),
            outcome: OUTCOMES[(self.number % 4) as usize].to_owned(),
            reason: if self.flag() { Some("unknown-alias".to_owned()) } else { self.maybe() },
            because: self.maybe(),
            library: self.maybe(),
            former_alias: self.maybe(),
            duplicate_of: self.maybe(),
            created_by: self.maybe(),
            unverified: self.flag(),
            identity: self.flag().then(|| self.maybe()),
            level: self.maybe(),
            proof: self.maybe(),
            documents: self.several(),
            versions: self.several().into_iter().map(|path| VersionRecord { path, version: 2 }).collect(),
            left_out: self.several().into_iter().map(|part| self.left_out(part)).collect(),
        }
    }

    fn left_out(&mut self, part: String) -> LeftOutRecord {
        LeftOutRecord { part, sha256: self.text(), why: self.text() }
    }
}
