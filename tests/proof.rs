//! What is told of who sent a mail, and by what proof: in events, in lists, and to people.

use serde_json::{Value, json};

use crate::util::{Site, mail};

/// A site where `alice`, of alice@example.org, may file: in `strict` with proof alone, in `lax` by the bare From too.
fn site() -> Site {
    let site = Site::new();
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
