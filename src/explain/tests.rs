//! What no test can bring about from outside: mail that cannot be read.

use mailshelf_storage::PassId;
use mailshelf_storage::catalog::sqlite::SqliteCatalog;
use mailshelf_storage::{Catalog, DeliveryId};
use tempfile::TempDir;

use super::*;
use crate::drop::Claimed;

struct Site {
    dir: TempDir,
    config: Config,
    catalog: SqliteCatalog,
}

impl Site {
    fn new() -> Site {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("mailshelf.toml");
        std::fs::write(&file, "[site]\ndomains = [\"docs.example.org\"]\n").unwrap();
        std::fs::create_dir(dir.path().join("drop")).unwrap();
        let catalog = SqliteCatalog::open(&dir.path().join("catalog.db")).unwrap();
        Site { config: Config::load(&file).unwrap(), catalog, dir }
    }

    fn claimed(&self) -> Claimed {
        let name = format!("{}~a.eml", DeliveryId::generate());
        Claimed::alone(&self.dir.path().join("drop/.claimed/n1").join(name), Format::Folder)
    }

    fn explain(&self, prepared: &Prepared) -> Explanation {
        let reader = self.catalog.read().unwrap();
        let (format, place) = (Format::Folder, Place::Claimed);
        let about =
            About { config: &self.config, reader: &*reader, format, place, given: false, obstacle: None };
        about.explain(prepared).unwrap()
    }

    fn unread(&self, reading: Reading) -> Explanation {
        self.explain(&Prepared::unread(self.claimed(), reading))
    }
}

fn answers(explanation: &Explanation) -> Vec<&str> {
    explanation.stages.iter().map(|step| step.answer.as_str()).collect()
}

#[test]
fn a_mail_that_cannot_be_read_is_explained_as_deferred() {
    let site = Site::new();
    let why = || "cannot read it: Input/output error".to_owned();
    for (reading, answer, disposal) in [
        (
            Reading::Fault { why: why(), site: true },
            "it cannot be read: cannot read it: Input/output error",
            "it waits, and every pass tries it again",
        ),
        (
            Reading::Fault { why: why(), site: false },
            "it cannot be read: cannot read it: Input/output error",
            "it waits, and is tried again: failure 1 of 8",
        ),
        (
            Reading::Busy(why()),
            "not yet: cannot read it: Input/output error",
            "it waits, and every pass tries it again",
        ),
    ] {
        let told = site.unread(reading);
        assert_eq!(answers(&told), [answer]);
        assert_eq!((told.error, told.badmail), (Some(why()), false));
        assert_eq!((told.disposal.action, told.disposal.step.answer.as_str()), (Action::Wait, disposal));
        assert!(told.recipients.is_empty() && told.envelope.is_none() && told.message.is_none());
    }
}

#[test]
fn a_mail_that_breaks_the_reader_goes_to_badmail() {
    let site = Site::new();
    let told = site.unread(Reading::Culprit("mailshelf failed over it: panic".to_owned()));
    assert_eq!((told.disposal.action, told.badmail), (Action::Badmail, true));
    assert!(told.disposal.folder.unwrap().ends_with("badmail"));
}

/// The eighth failure is the last, and what was given up is not asked about again.
#[test]
fn failures_on_record_count() {
    let site = Site::new();
    let why = "cannot open it: denied".to_owned();
    for (state, attempts, action) in [
        (MailState::Open, 6, Action::Wait),
        (MailState::Open, 7, Action::Badmail),
        (MailState::Badmail, 8, Action::Badmail),
    ] {
        let reading = Reading::Fault { why: why.clone(), site: false };
        let prepared = Prepared::unread(site.claimed(), reading);
        let reader = site.catalog.read().unwrap();
        let row = decide::decide(&prepared, &site.config, &*reader).unwrap().mail;
        drop(reader);
        let mut writer = site.catalog.write().unwrap();
        writer.put_mail(&Mail { state, attempts, fault: Some(why.clone()), ..row }).unwrap();
        let outcome = Outcome {
            recipient: "a@x.org".to_owned(),
            kind: OutcomeKind::Deferred,
            reason: None,
            because: None,
            library: None,
            identity: None,
            level: Level::None,
            proof: None,
            likeness: None,
            gone: None,
            former_alias: None,
            duplicate_of: None,
        };
        let now = jiff::Timestamp::UNIX_EPOCH;
        writer.put_outcome(prepared.claimed.id, PassId::generate(), &outcome, now).unwrap();
        writer.commit().unwrap();
        let told = site.explain(&prepared);
        assert_eq!((told.disposal.action, told.badmail), (action, action == Action::Badmail));
        assert_eq!(told.error.as_ref(), Some(&why));
        assert_eq!(told.recipients.len(), usize::from(state == MailState::Badmail));
    }
}

#[test]
fn a_mail_is_read_within_the_limits_of_a_pass() {
    let mut site = Site::new();
    site.config.limits.message = 10;
    let file = site.dir.path().join("a.eml");
    std::fs::write(&file, format!("Subject: x\n\n{}", "x".repeat(3 << 20))).unwrap();
    let reader = site.catalog.read().unwrap();
    let request = Request { file: &file, format: None, to: &["a@docs.example.org".parse().unwrap()] };
    let told = explain(&site.config, &*reader, &Prover::Nobody, &request).unwrap();
    assert_eq!(told.recipients[0].record.reason.as_deref(), Some("message-too-large"));
    assert_eq!(told.message.unwrap().size, (3 << 20) + 12);
    assert_eq!(told.disposal.action, Action::Delete);
}
