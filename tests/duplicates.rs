//! The same mail again: what was filed stands for it, but never for a mail with better proof.

use crate::util::{Site, mail, message};

/// Delivers the same mail once more; how it ended, and by whom it was filed if it was.
fn again(site: &Site) -> (String, Option<String>) {
    site.deliver("a.eml", mail("a", &["all"], "a"));
    let event = site.pass();
    let recipient = &event["mails"][0]["recipients"][0];
    let created_by = recipient.get("created_by").map(|by| by.as_str().unwrap().to_owned());
    (recipient["outcome"].as_str().unwrap().to_owned(), created_by)
}

#[test]
fn an_anonymous_copy_cannot_pre_empt_a_proven_one() {
    let site = Site::open_to_all();
    site.ok(&["user", "add", "alice", "--address", "alice@example.org"]);
    let filed = |by: &str| ("filed".to_owned(), Some(by.to_owned()));
    let duplicate = || ("duplicate".to_owned(), None);
    assert_eq!(again(&site), filed("System Account"));
    assert_eq!(again(&site), duplicate());
    site.ok(&["library", "set", "all", "--trust-from", "yes"]);
    assert_eq!(again(&site), filed("alice"));
    assert_eq!(again(&site), duplicate());
    // Without an identity it claims nothing that the better one has not.
    site.ok(&["library", "set", "all", "--trust-from", "no"]);
    assert_eq!(again(&site), duplicate());
    assert_eq!(site.documents("all").len(), 4);
}

#[test]
fn a_proven_filing_stands_for_an_anonymous_copy_and_not_for_another_users() {
    let site = Site::open_to_all();
    site.ok(&["library", "set", "all", "--trust-from", "yes"]);
    site.ok(&["user", "add", "alice", "--address", "alice@example.org"]);
    assert_eq!(again(&site).1.as_deref(), Some("alice"));
    site.ok(&["library", "set", "all", "--trust-from", "no"]);
    assert_eq!(again(&site).0, "duplicate");
    site.ok(&["library", "set", "all", "--trust-from", "yes"]);
    site.ok(&["user", "remove", "alice"]);
    site.ok(&["user", "add", "alicia", "--address", "alice@example.org"]);
    assert_eq!(again(&site).1.as_deref(), Some("alicia"));
}

#[test]
fn the_envelope_and_the_name_of_the_file_make_no_difference_and_one_byte_does() {
    let site = Site::open_to_all();
    site.ok(&["library", "add", "other", "--alias", "other", "--sender-policy", "anyone"]);
    site.deliver("a.eml", mail("a", &["all"], "a"));
    site.deliver(
        "b.eml",
        format!("x-sender: x@y.z\r\nx-receiver: all@docs.example.org\r\n{}", message("a", "a")),
    );
    site.deliver("c.eml", mail("a", &["other"], "a"));
    site.deliver("d.eml", mail("a", &["all"], "b"));
    let event = site.pass();
    assert_eq!((&event["filed"], &event["duplicate"]), (&3.into(), &1.into()));
    assert_eq!((site.documents("all").len(), site.documents("other").len()), (4, 1));
}
