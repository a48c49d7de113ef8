//! What is the matter with a mail: on record, and shown wherever the mail is.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::util::Site;

/// A name that would clear the screen, begin a line, and turn the text around.
const HOSTILE: &str = "a\u{1b}[2J\u{9b}\u{202e}”b.pdf";
const ESCAPED: &str = "a\\u{1b}[2J\\u{9b}\\u{202e}”b.pdf";

/// A message with a file that has a hole, under this name, and one without a name.
fn broken(name: &str) -> String {
    let name: String = name.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let file = |disposition: &str| {
        format!(
            "--b\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\
             Content-Disposition: attachment{disposition}\r\n\r\nQU*I\r\n"
        )
    };
    format!(
        "From: Alice <alice@example.org>\r\nSubject: Holes\r\nMessage-ID: <holes@example.net>\r\n\
         Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nSee below.\r\n{}{}--b--\r\n",
        file(&format!("; filename*=utf-8''{name}")),
        file("")
    )
}

fn expected(name: &str) -> Value {
    json!([
        format!("“{name}”: a broken transfer encoding"),
        "a part without a name: a broken transfer encoding"
    ])
}

/// Takes mail from anyone and keeps no originals.
fn site() -> Site {
    let site = Site::new();
    site.ok(&["library", "add", "all", "--alias", "all", "--sender-policy", "anyone"]);
    site
}

fn assert_shown(site: &Site, path: &str, flaws: &Value, shown: &[&str]) {
    let document = site.json(&["document", "show", "all", path]).remove(0);
    assert_eq!((&document["flaws"], &document["email"]["flaws"]), (flaws, &Value::Null));
    let id = document["mail"].as_str().unwrap();
    assert_eq!(&site.json(&["mail", "show", id])[0]["flaws"], flaws);
    assert_eq!(&site.json(&["events"])[0]["mails"][0]["flaws"], flaws);
    assert_eq!(&site.events()[0]["mails"][0]["flaws"], flaws);
    let [mail, document] = [vec!["mail", "show", id], vec!["document", "show", "all", path]];
    let (mail, document, events) = (site.ok(&mail), site.ok(&document), site.ok(&["events"]));
    for flaw in shown {
        assert!(mail.contains(&format!("\nflaw             {flaw}\n")), "{mail}");
        assert!(document.contains(&format!("\nflaw             {flaw}\n")), "{document}");
    }
    let more = if shown.len() > 1 { "; and more" } else { "" };
    assert!(events.ends_with(&format!("\n  flawed     {}{more}\n", shown[0])), "{events}");
}

#[test]
fn flaws_are_on_record_wherever_a_mail_is_shown() {
    for (name, escaped) in [("bad.pdf", "bad.pdf"), (HOSTILE, ESCAPED)] {
        let site = site();
        site.deliver(
            "a.eml",
            format!("x-sender: a@x.org\r\nx-receiver: all@docs.example.org\r\n{}", broken(name)),
        );
        let event = site.pass();
        assert_eq!((&event["filed"], &event["mails"][0]["flaws"]), (&json!(1), &expected(name)));
        let documents = site.documents("all");
        let path = documents.iter().map(|one| one["path"].as_str().unwrap()).find(|path| path.contains('b'));
        let flaw = format!("“{escaped}”: a broken transfer encoding");
        let unnamed = "a part without a name: a broken transfer encoding";
        assert_shown(&site, path.unwrap(), &expected(name), &[&flaw, unnamed]);
        site.assert_sound();
    }
}

#[test]
fn why_winmail_dat_is_filed_itself_is_on_record() {
    for (case, flaw) in [
        (
            "winmail-dat-that-is-broken",
            "“winmail.dat”: not opened: the checksum of the attribute at byte 262 is wrong",
        ),
        (
            "winmail-dat-with-a-message-inside",
            "“winmail.dat”: filed itself, for it holds what is no file of its own: a message",
        ),
    ] {
        let site = site();
        let case = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mail").join(case);
        site.deliver("mail.eml", fs::read(case.join("mail.eml")).unwrap());
        let explained = site.json(&["explain", site.path("drop/mail.eml").to_str().unwrap()]).remove(0);
        assert_eq!(explained["message"]["flaws"], json!([flaw]), "as it will be on record");
        assert_eq!(site.pass()["filed"], 1);
        assert_shown(&site, "winmail.dat", &json!([flaw]), &[flaw]);
    }
}

#[test]
fn a_replay_puts_them_on_record_too() {
    let site = site();
    let folder = site.path("old");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("a.eml"), broken("bad.pdf")).unwrap();
    site.ok(&["replay", folder.to_str().unwrap(), "--to", "all@docs.example.org"]);
    let flaw = "“bad.pdf”: a broken transfer encoding";
    let unnamed = "a part without a name: a broken transfer encoding";
    assert_shown(&site, "bad.pdf", &expected("bad.pdf"), &[flaw, unnamed]);
}

/// Nothing is said where nothing is the matter, nor of a mail that was not read.
#[test]
fn a_mail_without_flaws_has_no_such_key() {
    let site = site();
    site.deliver("a.eml", crate::util::mail("a", &["all"], "text"));
    let id = site.pass()["mails"][0]["mail"].as_str().unwrap().to_owned();
    site.deliver("b.eml", "");
    assert_eq!(site.pass()["mails"][0]["recipients"][0]["reason"], "malformed");
    let document = site.json(&["document", "show", "all", "attachment.txt"]).remove(0);
    let mail = site.json(&["mail", "show", &id]).remove(0);
    let events = site.events();
    for value in [&document, &mail, &events[0]["mails"][0], &events[1]["mails"][0]] {
        assert_eq!(value.get("flaws"), None, "{value}");
    }
    assert!(!site.ok(&["events"]).contains("flawed"));
}

/// Whoever has the files needs the mail too: another reader finds another file in it.
#[test]
fn the_mail_itself_is_kept_where_readers_may_find_other_files() {
    let site = site();
    let mail = |id: &str, name: &str| {
        crate::util::mail(id, &["all"], &format!("text {id}")).replace("attachment.txt", name)
    };
    let odd = mail("odd", "odd.txt").replace("boundary=b", "boundary=b; boundary=c");
    site.deliver("sound.eml", mail("sound", "sound.txt"));
    site.deliver("odd.eml", &odd);
    let drop = site.path("drop/odd.eml");
    let explained = site.ok(&["explain".as_ref(), drop.as_os_str()]);
    let explained = explained.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        explained.contains("the mail itself → “Mail odd.eml” (readers may find other files in it)"),
        "{explained}"
    );
    site.pass();
    let mut names: Vec<_> =
        site.documents("all").iter().map(|document| document["path"].as_str().unwrap().to_owned()).collect();
    names.sort();
    assert_eq!(names, ["Mail odd.eml", "odd.txt", "sound.txt"]);
    let message = odd.split_once("all@docs.example.org\r\n").unwrap().1;
    assert_eq!(site.document("all", "Mail odd.eml"), message.as_bytes());
    site.assert_sound();
}
