//! What is told of who sent a mail, and by what proof: in events, in lists, and to people.

use serde_json::{Value, json};

use crate::util::{Site, mail};

/// A site where `alice`, of alice@example.org, may file: in `strict` with proof alone, in `lax` by the bare From too, and in
/// `all` as anybody may.
fn site() -> Site {
    let site = Site::open_to_all();
    site.ok(&["user", "add", "alice", "--address", "alice@example.org"]);
    for (library, trust_from) in [("strict", "no"), ("lax", "yes")] {
        site.ok(&["library", "add", library, "--alias", library, "--trust-from", trust_from]);
        site.ok(&["grant", library, "user:alice", "contributor"]);
    }
    site
}

#[test]
fn a_recipient_to_whom_nobody_is_proven_says_so() {
    let site = site();
    site.deliver("a.eml", mail("a", &["strict", "lax", "nowhere"], "a"));
    let event = site.pass();
    let told = &event["mails"][0];
    assert_eq!(
        (&told["sender"]["identity"], &told["sender"]["level"]),
        (&json!("alice"), &json!("from-header"))
    );
    let [strict, lax, nowhere] = [0, 1, 2].map(|nth| told["recipients"][nth].as_object().unwrap());
    let no_proof = "no proof: no authserv_id is configured";
    for (recipient, proof) in [(strict, no_proof), (nowhere, "not asked for")] {
        assert_eq!(recipient.get("identity"), Some(&Value::Null), "{recipient:?}");
        assert_eq!((&recipient["level"], &recipient["proof"]), (&json!("none"), &json!(proof)));
    }
    assert!(!["identity", "level", "proof"].iter().any(|key| lax.contains_key(*key)), "as the mail: {lax:?}");
    assert_eq!(site.events()[0], event, "as it was read back and written");

    let shown = site.json(&["mail", "show", told["mail"].as_str().unwrap()]).remove(0);
    for (nth, recipient) in [strict, lax, nowhere].into_iter().enumerate() {
        for key in ["identity", "level", "proof"] {
            let own = recipient.get(key).unwrap_or(&told["sender"][key]);
            assert_eq!(shown["recipients"][nth][key], *own, "{nth} {key}");
        }
    }
}

#[test]
fn recipients_that_say_the_same_as_the_mail_say_nothing() {
    let site = site();
    site.deliver("a.eml", mail("a", &["strict", "nowhere"], "a"));
    let told = site.pass()["mails"][0].clone();
    for nth in [0, 1] {
        let recipient = told["recipients"][nth].as_object().unwrap();
        assert!(!["identity", "level", "proof"].iter().any(|key| recipient.contains_key(*key)), "{told:#}");
    }
}

#[test]
fn what_is_not_proven_is_marked_wherever_it_is_told() {
    let site = site();
    let odd = mail("b", &["all"], "b")
        .replace("Alice <alice@example.org>", "a@x.org, =?utf-8?Q?=1B[2J?= <b@x.org>");
    site.deliver(
        "a.eml",
        mail("a", &["all", "lax", "nowhere"], "a").replace("Alice <alice@", "Alice <Alice@"),
    );
    let unverified = "by System Account (unverified, claims to be alice@example.org)";
    let explained = site.ok(&["explain", site.path("drop/a.eml").to_str().unwrap()]);
    assert!(explained.contains(&format!("filed in all, {unverified}")), "{explained}");
    let text = site.ok(&["run"]);
    assert!(text.contains(&format!("all: attachment.txt, Mail a.eml, {unverified}  [")), "{text}");
    assert!(text.contains("lax: attachment.txt, by alice (from-header)  ["), "{text}");
    site.deliver("b.eml", odd);
    site.run();
    let events = site.ok(&["events"]);
    assert!(events.contains(&format!("all: attachment.txt, Mail a.eml, {unverified}  [")), "{events}");
    assert!(events.contains(", by System Account (unverified)  ["), "{events}");

    let mut documents = site.documents("all");
    documents.sort_by_key(|document| document["mail"].to_string());
    let facts = |document: &Value| ["level", "unverified", "claimed"].map(|key| document[key].clone());
    assert_eq!(facts(&documents[0]), [json!("none"), json!(true), json!("alice@example.org")]);
    assert_eq!(facts(&documents[2]), [json!("none"), json!(true), Value::Null]);
    assert_eq!(
        facts(&site.documents("lax")[0]),
        [json!("from-header"), json!(false), json!("alice@example.org")]
    );
    let mut shown = site.json(&["document", "show", "all", "attachment.txt"]).remove(0);
    assert_eq!(facts(&shown["versions"][0]), [json!("none"), json!(true), json!("alice@example.org")]);
    shown.as_object_mut().unwrap().retain(|key, _| !["email", "versions"].contains(&key.as_str()));
    assert!(documents.contains(&shown));
    let shown = site.ok(&["document", "show", "all", "attachment.txt"]);
    assert!(shown.contains("System Account (unverified, claims to be alice@example.org)\n"), "{shown}");
    assert!(shown.lines().any(|line| line.split_whitespace().eq(["level", "none"])), "{shown}");
    let listed = site.ok(&["document", "list", "lax"]);
    assert!(listed.contains("  alice (from-header)  "), "{listed}");

    let mail = documents[0]["mail"].as_str().unwrap();
    let shown = site.json(&["mail", "show", mail]).remove(0);
    assert_eq!(
        (&shown["from"], &shown["claimed"]),
        (&json!("Alice@example.org"), &json!("alice@example.org"))
    );
    let shown = site.ok(&["mail", "show", mail]);
    assert!(shown.contains("\nclaims to be     alice@example.org\n"), "{shown}");
}

#[test]
fn whoever_may_not_file_is_told_what_is_missing() {
    let site = site();
    site.ok(&["revoke", "lax", "user:alice"]);
    let because = |site: &Site| {
        site.deliver("a.eml", mail("a", &["lax"], "a"));
        let told = site.pass()["mails"][0].clone();
        assert_eq!(told["sender"]["level"], "from-header", "the proof stands there");
        assert_eq!(told["recipients"][0]["reason"], "no-permission");
        told["recipients"][0]["because"].clone()
    };
    assert_eq!(because(&site), "no role here; contributor is asked for");
    site.ok(&["grant", "lax", "everyone", "reader"]);
    assert_eq!(because(&site), "reader by everyone; contributor is asked for");
}
