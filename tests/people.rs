//! People: one address is one whatever its spelling, groups hold groups, and everybody can see who may file where.

use serde_json::{Value, json};

use crate::util::{Site, mail};

/// A site with the library `invoices`, which believes the From header, and where `alice` may file.
fn site() -> Site {
    let site = Site::new();
    site.ok(&["library", "add", "invoices", "--alias", "invoices", "--trust-from", "yes"]);
    site.ok(&["user", "add", "alice", "--address", "alice@example.org"]);
    site.ok(&["grant", "invoices", "user:alice", "contributor"]);
    site
}

/// Delivers a mail with this From; its record in the event.
fn judged(site: &Site, from: &str) -> Value {
    let mail = mail("a", &["invoices"], from).replace("Alice <alice@example.org>", from);
    site.deliver("a.eml", mail);
    site.pass()["mails"][0].clone()
}

#[test]
fn two_spellings_of_an_address_are_one_user() {
    let site = site();
    let spelt = "JU\u{308}RGEN@B\u{dc}CHER.example";
    let shown =
        site.json(&["user", "add", "jürgen", "--address", spelt, "--address", "jürgen@bücher.example"]);
    assert_eq!(shown, [json!({"login": "jürgen", "addresses": ["jürgen@xn--bcher-kva.example"]})]);
    site.ok(&["grant", "invoices", "user:jürgen", "contributor"]);
    for from in ["Jürgen <jürgen@xn--bcher-kva.example>", "ju\u{308}rgen@bücher.example", spelt] {
        let mail = judged(&site, from);
        assert_eq!(mail["sender"]["address"], "jürgen@xn--bcher-kva.example", "{from}");
        assert_eq!(mail["recipients"][0]["created_by"], "jürgen", "{from}: {mail}");
    }
    site.assert_sound();
}

#[test]
fn an_address_that_merely_looks_like_a_users_is_nobodys() {
    let site = site();
    for (from, reason) in [
        ("\u{430}lice@example.org", "unknown-sender"),
        ("alice@ex\u{430}mple.org", "unknown-sender"),
        ("alice@xn--exmple-4nf.org", "unknown-sender"),
        ("ａlice@example.org", "unknown-sender"),
        ("al\u{131}ce@example.org", "unknown-sender"),
    ] {
        let mail = judged(&site, from);
        assert_eq!(mail["sender"]["identity"], Value::Null, "{from}");
        assert_eq!(mail["recipients"][0]["reason"], reason, "{from}: {mail}");
    }
    let error = site.fails(2, &["user", "add", "eve", "--address", "\u{430}lice@example.org"]);
    assert!(error.contains("of one script"), "{error}");
}

#[test]
fn an_address_of_two_users_is_neithers() {
    let site = site();
    assert_eq!(judged(&site, "ALICE@Example.ORG")["sender"]["identity"], "alice");
    site.ok(&["user", "add", "bob", "--address", "bob@example.org", "--address", "Alice@example.org"]);
    site.ok(&["grant", "invoices", "user:bob", "owner"]);
    let mail = judged(&site, "alice@example.org");
    assert_eq!(mail["sender"]["identity"], Value::Null);
    assert_eq!(mail["sender"]["proof"], "more than one user has this address");
    assert_eq!(mail["recipients"][0]["reason"], "unauthenticated-sender");
    assert_eq!(mail["recipients"][0]["because"], "more than one user has this address");
    let mail = judged(&site, "bob@example.org");
    assert_eq!(mail["recipients"][0]["created_by"], "bob", "by another address of his he is known still");
    site.ok(&["user", "set", "bob", "--address", "bob@example.org"]);
    assert_eq!(judged(&site, "alice@example.org")["sender"]["identity"], "alice");
}

#[test]
fn a_recipient_is_found_whatever_the_spelling_of_its_domain() {
    let site = Site::open_to_all();
    site.configure("\"docs.example.org\"", "\"docs.example.org\", \"Bücher.example\"");
    for (number, domain) in
        ["bücher.example", "BU\u{308}CHER.example.", "xn--bcher-kva.example", "XN--BCHER-KVA.EXAMPLE"]
            .iter()
            .enumerate()
    {
        for local in ["all", "ALL+märz", "all+m\u{430}rz", "all+\u{202e}"] {
            let mail = mail(&format!("{number}{local}"), &["all"], local);
            let receiver = format!("x-receiver: {local}@{domain}\r\n");
            site.deliver("a.eml", mail.replace("x-receiver: all@docs.example.org\r\n", &receiver));
            assert_eq!(site.pass()["filed"], 1, "{receiver}");
        }
    }
    site.assert_sound();
}

#[test]
fn groups_hold_groups_and_never_themselves() {
    let site = site();
    site.ok(&["user", "add", "bob", "--address", "bob@example.org"]);
    site.ok(&["group", "add", "c", "--member", "user:bob"]);
    site.ok(&["group", "add", "b", "--member", "group:c", "--member", "alice"]);
    let made = site.json(&["group", "add", "a", "--member", "group:b"]);
    assert_eq!(made, [json!({"name": "a", "members": ["group:b"]})]);
    assert_eq!(site.json(&["group", "list"])[1], json!({"name": "b", "members": ["alice", "group:c"]}));
    assert!(site.ok(&["group", "list"]).contains("alice, group:c"));

    assert_eq!(judged(&site, "bob@example.org")["recipients"][0]["reason"], "no-permission");
    site.ok(&["grant", "invoices", "group:a", "contributor"]);
    assert_eq!(judged(&site, "bob@example.org")["recipients"][0]["created_by"], "bob");

    let error = site.fails(2, &["group", "set", "c", "--member", "group:a"]);
    assert_eq!(
        error,
        "mailshelf: group c: a member of itself through a, b\nhint: `mailshelf group list` shows who is in which\n"
    );
    site.fails(2, &["group", "set", "c", "--member", "group:c"]);
    let error = site.fails(2, &["group", "set", "c", "--member", "group:nobody"]);
    assert!(error.starts_with("mailshelf: group nobody: there is none\n"), "{error}");
    let error = site.fails(2, &["group", "set", "c", "--member", "team:c"]);
    assert!(error.contains("a member is LOGIN, user:LOGIN or group:NAME"), "{error}");
    assert_eq!(site.json(&["group", "list"])[2]["members"], json!(["bob"]));

    assert_eq!(site.ok(&["group", "remove", "b"]), "Group b is removed, and is no longer a member of a.\n");
    assert_eq!(judged(&site, "bob@example.org")["recipients"][0]["reason"], "no-permission");
    site.ok(&["group", "set", "a", "--member", "group:c"]);
    let removed = site.json(&["group", "remove", "c"]);
    assert_eq!(removed, [json!({"name": "c", "removed": true, "removed_from": ["a"]})]);
    site.assert_sound();
}
