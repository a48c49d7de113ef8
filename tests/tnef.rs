//! `winmail.dat` as users see it. What becomes of the mails themselves is in `tests/mail/winmail-dat-…`.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::util::Site;

/// A site for the mail of a case, which stands in its drop.
fn site(case: &str) -> Site {
    let site = Site::new();
    site.ok(&["library", "add", "all", "--alias", "all", "--sender-policy", "anyone"]);
    let case = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mail").join(case);
    site.deliver("mail.eml", fs::read(case.join("mail.eml")).unwrap());
    site
}

/// What `explain` answers about the message, and its parts as JSON.
fn explained(site: &Site) -> (String, Vec<serde_json::Value>) {
    let file = site.path("drop/mail.eml");
    let told = site.json(&["explain", file.to_str().unwrap()]).remove(0);
    let stage = told["stages"].as_array().unwrap().iter().find(|step| step["stage"] == "message").unwrap();
    (stage["answer"].as_str().unwrap().to_owned(), told["message"]["parts"].as_array().unwrap().clone())
}

#[test]
fn explain_shows_what_was_in_winmail_dat() {
    let (answer, parts) = explained(&site("winmail-dat-is-opened"));
    assert_eq!(
        answer,
        "yes: 4 parts: body (text/plain, 12 bytes); opened “winmail.dat” (application/ms-tnef, 519 bytes); inline-image “logo.png” (image/png, 26 bytes, \
         in “winmail.dat”); attachment “beside.txt” (application/octet-stream, 6 bytes, in “winmail.dat”)"
    );
    let inside: Vec<_> = parts.iter().map(|part| part.get("inside").cloned()).collect();
    assert_eq!(inside, [None, None, Some(json!(1)), Some(json!(1))]);
    assert_eq!(parts[1]["kind"], "opened");
}

#[test]
fn explain_counts_the_files_of_winmail_dat_that_are_filed() {
    let site = site("winmail-dat-is-opened");
    for (images, opened) in [("no", "of its 2 files 1 is filed"), ("yes", "its 2 files are filed")] {
        site.ok(&["library", "set", "all", "--inline-images", images]);
        let told = site.ok(&["explain", site.path("drop/mail.eml").to_str().unwrap()]);
        assert!(told.contains(&format!("- “winmail.dat” opened: {opened}\n")), "{told}");
    }
}

#[test]
fn explain_says_why_winmail_dat_is_filed_itself() {
    for (case, note) in [
        ("winmail-dat-that-is-broken", "not opened: the checksum of the attribute at byte 262 is wrong"),
        (
            "winmail-dat-with-a-message-inside",
            "filed itself, for it holds what is no file of its own: a message",
        ),
    ] {
        let (answer, parts) = explained(&site(case));
        assert_eq!(parts[1]["note"], note);
        assert_eq!(parts[1]["kind"], "attachment");
        assert!(answer.contains(&format!("; {note})")), "{answer}");
    }
}

#[test]
fn limits_hold_for_what_is_inside() {
    let site = site("winmail-dat-is-opened");
    site.configure("attachment = \"50MiB\"", "attachment = \"5\"");
    let refused = site.pass()["mails"][0]["recipients"][0].clone();
    assert_eq!(
        (refused["reason"].as_str(), refused["because"].as_str()),
        (Some("attachment-too-large"), Some("beside.txt: 6 bytes, and limits.attachment is 5"))
    );
    site.assert_sound();
}
