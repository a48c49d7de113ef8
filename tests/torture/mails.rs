//! The short passes that are made to fail: what stands in the drop, and what must become of it.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::model::{Fate, Mail};
use crate::place::{DOMAIN, Picture, Place};
use crate::seen::sha256;

/// A pass to be disturbed.
pub struct Scenario {
    pub name: &'static str,
    pub mails: Vec<Mail>,
    pub picture: Picture,
}

/// A mail and the name of its file.
struct Delivered {
    file: String,
    bytes: Vec<u8>,
    fates: Vec<(String, Fate)>,
}

/// What a mail is made of.
struct Making<'a> {
    id: &'a str,
    recipients: &'a [&'a str],
    /// Name, type and bytes; as base64.
    attachments: &'a [(&'a str, &'a str, &'a [u8])],
}

impl Making<'_> {
    /// The message, envelope apart.
    fn message(&self) -> Vec<u8> {
        let id = self.id;
        let mut text = format!(
            "Received: from mail.example.net by mx.{DOMAIN}; Sat, 21 Nov 2026 04:00:00 +0000\r\n\
             From: Alice <alice@example.org>\r\nSubject: Mail {id}\r\nMessage-ID: <{id}@example.net>\r\n\
             MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
             --b\r\nContent-Type: text/plain\r\n\r\nSee below.\r\n"
        );
        for (name, kind, bytes) in self.attachments {
            text.push_str(&format!(
                "--b\r\nContent-Type: {kind}\r\nContent-Disposition: attachment; filename=\"{name}\"\r\n\
                 Content-Transfer-Encoding: base64\r\n\r\n"
            ));
            for line in base64(bytes).as_bytes().chunks(76) {
                text.push_str(std::str::from_utf8(line).unwrap());
                text.push_str("\r\n");
            }
        }
        text.push_str("--b--\r\n");
        text.into_bytes()
    }

    fn file(&self, form: Form) -> Vec<u8> {
        let (sender, receiver) = match form {
            Form::Maildir => ("Return-Path: <alice@example.org>", "Delivered-To"),
            Form::Folder | Form::Keeping => ("x-sender: alice@example.org", "x-receiver"),
        };
        let mut text = format!("{sender}\r\n");
        for recipient in self.recipients {
            text.push_str(&format!("{receiver}: {recipient}@{DOMAIN}\r\n"));
        }
        [text.into_bytes(), self.message()].concat()
    }

    /// Filed as what it has attached, or as those `opened` where they are in another file.
    fn delivered(&self, form: Form, opened: Option<&[&[u8]]>) -> Delivered {
        let documents: Vec<_> = match opened {
            Some(opened) => opened.iter().map(|bytes| sha256(bytes)).collect(),
            None => self.attachments.iter().map(|(_, _, bytes)| sha256(bytes)).collect(),
        };
        let fate = |recipient: &str| match recipient {
            "nobody" => Fate::Rejected { reason: "unknown-alias".to_owned() },
            "own" => Fate::Rejected { reason: "unauthenticated-sender".to_owned() },
            "trusting" => Fate::Filed {
                library: "trusting".to_owned(),
                by: "alice".to_owned(),
                documents: documents.clone(),
            },
            _ => {
                let mut documents = documents.clone();
                // In a Maildir the file is the message.
                let message = if form == Form::Maildir { self.file(form) } else { self.message() };
                documents.push(sha256(&message));
                Fate::Filed { library: "all".to_owned(), by: "System Account".to_owned(), documents }
            }
        };
        let fates = self.recipients.iter().map(|one| (format!("{one}@{DOMAIN}"), fate(one))).collect();
        Delivered { file: format!("{}.eml", self.id), bytes: self.file(form), fates }
    }
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let number =
            three.iter().fold(0u32, |number, &byte| number << 8 | u32::from(byte)) << (8 * (3 - three.len()));
        for nth in 0..4 {
            let digit = DIGITS[(number >> (18 - 6 * nth) & 63) as usize];
            text.push(if nth <= three.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

/// Which of the sites a scenario stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Folder,
    /// Rejected mail is kept aside.
    Keeping,
    Maildir,
}

/// All scenarios, made at `place`.
pub fn scenarios(place: &Place) -> Vec<Scenario> {
    let text = |id| Making { id, recipients: &["all"], attachments: &[("a.txt", "text/plain", b"text\r\n")] };
    let accept = || vec![text("accepted").delivered(Form::Folder, None)];
    let reject =
        || vec![Making { recipients: &["own", "nobody"], ..text("rejected") }.delivered(Form::Folder, None)];
    let two = || Making { recipients: &["all", "trusting"], ..text("two") }.delivered(Form::Folder, None);
    let duplicate = || {
        let again = Delivered { file: "again.eml".to_owned(), ..accept().remove(0) };
        accept().into_iter().chain([again]).collect::<Vec<_>>()
    };
    let winmail: &[u8] = include_bytes!("../../fuzz/seeds/tnef/two-files.tnef");
    let tnef = || {
        let attachments: &[(&str, &str, &[u8])] = &[("winmail.dat", "application/ms-tnef", winmail)];
        vec![Making { attachments, ..text("tnef") }.delivered(Form::Folder, Some(&[b"one\r\n", b"two\r\n"]))]
    };
    let large: Vec<u8> = (0..3_000_000u32).map(|nth| (nth.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let large = || {
        let attachments: &[(&str, &str, &[u8])] = &[("large.bin", "application/octet-stream", &large)];
        vec![Making { attachments, ..text("large") }.delivered(Form::Folder, None)]
    };
    let mixed = || accept().into_iter().chain(reject()).chain([two()]).collect::<Vec<_>>();
    let mut scenarios = vec![
        scenario(place, "accept", Form::Folder, accept(), None),
        scenario(place, "reject", Form::Folder, reject(), None),
        scenario(place, "reject-kept", Form::Keeping, reject(), None),
        scenario(place, "two-recipients", Form::Folder, vec![two()], None),
        scenario(place, "duplicate", Form::Folder, duplicate(), None),
        scenario(place, "tnef", Form::Folder, tnef(), None),
        scenario(place, "large", Form::Folder, large(), None),
        scenario(place, "mixed", Form::Folder, mixed(), None),
        scenario(
            place,
            "maildir",
            Form::Maildir,
            vec![text("accepted").delivered(Form::Maildir, None)],
            None,
        ),
    ];
    // Recovery from a death at each row of the crash table, and over a mail in hand.
    for (name, failpoint) in [
        ("recovery-claimed", "claimed=kill@2"),
        ("recovery-suspect", "parsed=kill"),
        ("recovery-stored", "stored=kill"),
        ("recovery-committed", "committed=kill"),
        ("recovery-disposed", "disposed=kill@2"),
    ] {
        scenarios.push(scenario(place, name, Form::Folder, mixed(), Some(failpoint)));
    }
    scenarios
}

fn scenario(
    place: &Place,
    name: &'static str,
    form: Form,
    delivered: Vec<Delivered>,
    failpoint: Option<&str>,
) -> Scenario {
    for folder in [place.drop(), place.contents(), place.state()] {
        let _ = fs::remove_dir_all(folder);
    }
    place.make(if form == Form::Keeping { "keep" } else { "delete" });
    let add = |name: &str, more: &[&str]| {
        place.ok(&[&["library", "add", name, "--alias", name], more].concat());
    };
    add("all", &["--sender-policy", "anyone", "--save-original", "yes"]);
    add("own", &[]);
    add("trusting", &["--trust-from", "yes"]);
    place.ok(&["user", "add", "alice", "--address", "alice@example.org"]);
    place.ok(&["grant", "own", "user:alice", "contributor"]);
    place.ok(&["grant", "trusting", "user:alice", "contributor"]);
    let mut mails: Vec<Mail> = Vec::new();
    for one in delivered {
        deliver(&place.drop(), form, &one);
        let message_id = one.file.trim_end_matches(".eml");
        let digest = sha256(&one.bytes);
        match mails.iter_mut().find(|mail| mail.file == digest) {
            Some(mail) => mail.deliveries += 1,
            None => mails.push(Mail {
                message_id: format!("{message_id}@example.net"),
                file: digest,
                deliveries: 1,
                kept: form == Form::Keeping,
                fates: one.fates,
            }),
        }
    }
    if let Some(failpoint) = failpoint {
        let command = place.command(&["run"]);
        let output = Command::new(&command[0])
            .args(&command[1..])
            .env("MAILSHELF_FAILPOINT", failpoint)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), None, "{name} did not die: {output:?}");
    }
    Scenario { name, mails, picture: place.picture() }
}

fn deliver(drop: &Path, form: Form, one: &Delivered) {
    let folder = match form {
        Form::Folder | Form::Keeping => drop.to_path_buf(),
        Form::Maildir => {
            for name in ["tmp", "new", "cur"] {
                fs::create_dir_all(drop.join(name)).unwrap();
            }
            drop.join("new")
        }
    };
    fs::write(folder.join(&one.file), &one.bytes).unwrap();
}
