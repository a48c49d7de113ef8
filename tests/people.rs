//! People: one address is one whatever its spelling, groups hold groups, and everybody can see who may file where.

use serde_json::{Value, json};

use crate::util::{PROGRAM, Site, mail};

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

/// Each of those who share an account could else file as the other.
#[test]
fn an_account_of_two_users_is_neithers() {
    let site = site();
    site.configure("authserv_id = []", "authserv_id = [\"mx1\"]");
    site.configure("received_auth = false", "received_auth = true");
    site.ok(&["library", "set", "invoices", "--trust-from", "no"]);
    site.ok(&["grant", "invoices", "everyone", "contributor"]);
    let team = "team@docs.example.org";
    site.ok(&["user", "set", "alice", "--address", "alice@docs.example.org", "--address", team]);
    let signed_in = |from: &str, account: &str, by_received: bool| {
        let (results, comment) = match by_received {
            true => ("none".to_owned(), format!(" (Authenticated sender: {account})")),
            false => (format!("auth=pass smtp.auth={account}"), String::new()),
        };
        let mail = mail("a", &["invoices"], from).replace("Alice <alice@example.org>", from);
        let ours = format!(
            "\r\nAuthentication-Results: mx1; {results}\r\nReceived: from x (y [192.0.2.1]){comment} by mx1; x\r\nReceived:"
        );
        site.deliver("a.eml", mail.replacen("\r\nReceived:", &ours, 1));
        site.pass()["mails"][0]["sender"].clone()
    };
    for by_received in [true, false] {
        for account in ["alice", "alice@docs.example.org", team] {
            let sender = signed_in("alice@docs.example.org", account, by_received);
            assert_eq!(sender["identity"], "alice", "{account}: {sender}");
        }
    }
    let warned = |arguments: &[&str]| String::from_utf8(site.output(arguments).stderr).unwrap();
    let told = warned(&["user", "add", "bob", "--address", "bob@docs.example.org", "--address", team]);
    assert!(told.contains("address team@docs.example.org: alice has it too"), "{told}");
    let told = warned(&["user", "add", "alice@docs.example.org", "--address", "eve@docs.example.org"]);
    assert_eq!(
        told,
        "mailshelf: warning: login alice@docs.example.org: it is an address of alice\n\
         hint: whoever signs in by it is nobody while it may mean two users\n"
    );
    let told = warned(&["user", "set", "alice", "--address", "alice@docs.example.org", "--address", team]);
    assert!(told.contains("address alice@docs.example.org: it is the login of user alice@docs.example.org"));
    for by_received in [true, false] {
        for from in ["alice@docs.example.org", "bob@docs.example.org", "eve@docs.example.org"] {
            for account in [team, "alice@docs.example.org"] {
                let sender = signed_in(from, account, by_received);
                assert_eq!(sender["identity"], Value::Null, "{from} by {account}: {sender}");
                let proof = sender["proof"].as_str().unwrap();
                assert!(proof.ends_with(", an account of more than one user"), "{proof}");
            }
        }
        assert_eq!(signed_in("alice@docs.example.org", "alice", by_received)["identity"], "alice");
        assert_eq!(signed_in("bob@docs.example.org", "bob", by_received)["identity"], "bob");
    }
    // By one account or another whoever signs in may be told from others, or by none.
    site.ok(&["user", "set", "alice@docs.example.org", "--address", team]);
    site.ok(&["user", "set", "alice", "--address", "alice@docs.example.org"]);
    site.ok(&["user", "set", "bob", "--address", "bob@docs.example.org"]);
    let proof = |login: &str| access(&site, login)["proof"].as_str().unwrap().to_owned();
    assert!(proof("alice@docs.example.org").contains("auth=pass for the user by mx1"));
    site.ok(&["user", "add", team]);
    let nothing = "team@docs.example.org: nothing, for sender.internal_require asks for submission";
    assert!(proof("alice@docs.example.org").starts_with(nothing), "{}", proof("alice@docs.example.org"));
    // Nor can a sign-in be what would help.
    let hints = access(&site, "alice@docs.example.org")["hints"].to_string();
    let helps = "name what proves submission: exchange_internal, or have internal_require ask for less";
    assert!(hints.contains(helps), "{hints}");
    site.assert_sound();
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

/// What `access` says of one user.
fn access(site: &Site, login: &str) -> Value {
    let told = site.json(&["access", "invoices", "--user", login]);
    assert_eq!(told.len(), 1);
    told[0].clone()
}

#[test]
fn access_tells_every_way_and_the_proof() {
    let site = site();
    site.ok(&["user", "add", "bob", "--address", "bob@example.org"]);
    site.ok(&["user", "add", "eve"]);
    site.ok(&["group", "add", "b", "--member", "alice", "--member", "bob"]);
    site.ok(&["group", "add", "a", "--member", "group:b"]);
    site.ok(&["grant", "invoices", "group:a", "owner"]);
    site.ok(&["grant", "invoices", "group:b", "reader"]);
    let proof = "alice@example.org: the From header alone (trust_from), which anybody can forge";
    let alice = json!({
        "library": "invoices",
        "user": "alice",
        "role": "owner",
        "may_file": true,
        "ways": [
            {"role": "owner", "through": ["group:a", "group:b"]},
            {"role": "contributor", "through": ["user:alice"]},
            {"role": "reader", "through": ["group:b"]},
        ],
        "because": "owner by group:a › group:b; contributor by user:alice; reader by group:b",
        "proof": proof,
        "hints": [],
    });
    let all = site.json(&["access", "invoices"]);
    assert_eq!(all.iter().map(|row| row["user"].as_str().unwrap()).collect::<Vec<_>>(), ["alice", "bob"]);
    assert_eq!((&all[0], &access(&site, "alice")), (&alice, &alice));
    let table = site.ok(&["access", "invoices"]);
    assert!(table.starts_with("user   role   may file  because "), "{table}");
    assert!(table.contains("alice  owner  yes       owner by group:a › group:b; "), "{table}");
    let text = site.ok(&["access", "invoices", "--user", "alice"]);
    let because = alice["because"].as_str().unwrap();
    assert_eq!(text, format!("alice may file in invoices: {because}.\nProof: {proof}.\n"));
    assert_eq!(judged(&site, "bob@example.org")["recipients"][0]["created_by"], "bob", "as it was told");
    site.deliver("b.eml", mail("b", &["invoices"], "b").replace("alice@example.org", "bob@example.org"));
    let told = site.json(&["explain", site.path("drop/b.eml").to_str().unwrap()]).remove(0);
    let steps = told["recipients"][0]["steps"].as_array().unwrap();
    let authorise = steps.iter().find(|step| step["stage"] == "authorise").unwrap();
    assert_eq!(authorise["answer"], "yes, as bob (level from-header): owner by group:a › group:b");
}

/// Runs what is suggested, and sees that it helps.
#[test]
fn access_tells_what_would_make_a_no_a_yes() {
    let site = site();
    site.ok(&["user", "add", "o'neil", "--address", "o'neil@example.org"]);
    site.ok(&["grant", "invoices", "everyone", "reader"]);
    site.ok(&["library", "set", "invoices", "--trust-from", "no", "--enabled", "no"]);
    let no = access(&site, "o'neil");
    assert_eq!((&no["may_file"], &no["role"]), (&json!(false), &json!("reader")));
    assert_eq!(
        no["because"],
        "the library takes no mail (enabled is no); reader is not enough: contributor is needed; \
         no mail can be proven to come from o'neil"
    );
    let text = site.ok(&["access", "invoices", "--user", "o'neil"]);
    assert!(text.contains("\nRole: reader by everyone.\nProof: o'neil@example.org: nothing, "), "{text}");
    assert!(text.starts_with("o'neil may not file in invoices: the library takes no mail "), "{text}");
    assert!(
        text.contains(r"What would help: mailshelf grant invoices 'user:o'\''neil' contributor"),
        "{text}"
    );
    assert_eq!(judged(&site, "o'neil@example.org")["recipients"][0]["outcome"], "rejected");
    let hints = no["hints"].as_array().unwrap();
    let [commands @ .., configure] = hints.as_slice() else { panic!("{hints:?}") };
    assert_eq!(commands.len(), 2);
    for hint in commands {
        assert_eq!(access(&site, "o'neil")["may_file"], false);
        let command = hint.as_str().unwrap().replacen("mailshelf", "\"$0\" --config \"$1\"", 1);
        let mut shell = std::process::Command::new("sh");
        shell.args(["-c", &command, PROGRAM]).arg(site.path("mailshelf.toml"));
        assert!(shell.output().unwrap().status.success(), "{hint}");
    }
    assert_eq!(access(&site, "o'neil")["may_file"], false);
    assert!(configure.as_str().unwrap().contains("mailshelf.toml, section [sender]"), "{configure}");
    site.configure("authserv_id = []", "authserv_id = [\"mx1\"]");
    let yes = access(&site, "o'neil");
    assert_eq!((&yes["may_file"], &yes["hints"]), (&json!(true), &json!([])));
    let proof =
        "o'neil@example.org: dmarc=pass, dkim=pass or auth=pass by mx1 (sender.require asks for domain)";
    assert_eq!(yes["proof"], proof);
}

#[test]
fn access_tells_what_proof_is_asked_for() {
    let site = site();
    site.ok(&["library", "set", "invoices", "--trust-from", "no"]);
    let own = "alice@docs.example.org";
    site.ok(&["user", "set", "alice", "--address", "alice@example.org", "--address", own]);
    let proof = |site: &Site| access(site, "alice")["proof"].as_str().unwrap().to_owned();
    assert_eq!(
        proof(&site),
        "alice@docs.example.org: nothing, for sender.internal_require asks for submission, and no proof of that is \
         believed; alice@example.org: nothing, for sender.require asks for domain, and no proof of that is believed"
    );
    site.configure("verify = \"off\"", "verify = \"dmarc\"");
    site.configure("arc_sealers = []", "arc_sealers = [\"lists.org\"]");
    site.configure("received_auth = false", "received_auth = true");
    site.configure("exchange_internal = false", "exchange_internal = true");
    assert_eq!(
        proof(&site),
        "alice@docs.example.org: the user's sign-in in our first Received, or AuthAs Internal by Exchange \
         (sender.internal_require asks for submission); alice@example.org: a DKIM signature that we verify and DMARC \
         allows, or an ARC seal of lists.org that we verify, or the user's sign-in in our first Received, \
         or AuthAs Internal by Exchange (sender.require asks for domain)"
    );
    site.configure("own_domains = []", "own_domains = [\"elsewhere.org\"]");
    site.configure("\nrequire = \"domain\"", "\nrequire = \"spf\"");
    site.configure("authserv_id = []", "authserv_id = [\"mx1\", \"mx2\"]");
    let expected =
        "alice@example.org: dmarc=pass, dkim=pass, spf=pass or auth=pass by mx1 or mx2, or a DKIM signature";
    assert!(proof(&site).contains(expected), "{}", proof(&site));
    assert!(!proof(&site).contains("internal_require"), "{}", proof(&site));
}

/// What is suggested must help: each key that is named, and none that cannot.
#[test]
fn access_suggests_what_can_prove_what_is_asked_for() {
    let site = site();
    site.ok(&["library", "set", "invoices", "--trust-from", "no"]);
    let hint = |site: &Site| {
        let told = access(site, "alice");
        let hint = told["hints"][0].as_str().unwrap_or_default().to_owned();
        hint.split_once("section [sender], ").map_or(hint.clone(), |(_, keys)| keys.to_owned())
    };
    assert_eq!(
        hint(&site),
        "name what proves domain: authserv_id, verify, received_auth or exchange_internal, or have require ask \
         for less"
    );
    let own = "alice@docs.example.org";
    site.ok(&["user", "set", "alice", "--address", own]);
    // A signature proves a domain, and never a submission.
    site.configure("verify = \"off\"", "verify = \"dkim\"");
    let submission = "name what proves submission: authserv_id, received_auth or exchange_internal, or have internal_require ask \
         for less";
    assert_eq!(hint(&site), submission);
    for (default, helps) in [
        ("authserv_id = []", "authserv_id = [\"mx1\"]"),
        ("received_auth = false", "received_auth = true"),
        ("exchange_internal = false", "exchange_internal = true"),
        ("internal_require = \"submission\"", "internal_require = \"domain\""),
    ] {
        site.configure(default, helps);
        assert_eq!(access(&site, "alice")["may_file"], true, "{helps}");
        site.configure(helps, default);
    }
}

/// What an earlier version took for an address may be none any more; who had it must learn of it before the mail does.
#[test]
fn addresses_that_are_no_longer_in_use_are_shown() {
    let site = site();
    site.run();
    let catalog = rusqlite::Connection::open(site.path("state/catalog.db")).unwrap();
    catalog.execute("UPDATE addresses SET address = 'xn@xn--zzzz.example'", []).unwrap();
    let why =
        "the domain of an address is labels with dots between them, each of one script and fit for the DNS";
    let shown = site.json(&["user", "list"]).remove(0);
    assert_eq!(
        shown,
        json!({"login": "alice", "addresses": [], "not_in_use": [{"address": "xn@xn--zzzz.example", "why": why}]})
    );
    let marked = format!("xn@xn--zzzz.example (not in use: {why})");
    assert!(site.ok(&["user", "list"]).contains(&marked));
    let no = access(&site, "alice");
    assert_eq!((&no["may_file"], &no["because"]), (&json!(false), &json!("no address of alice is in use")));
    assert_eq!(no["proof"], format!("xn@xn--zzzz.example: nothing, for it is not in use: {why}"));
    assert_eq!(no["hints"], json!(["mailshelf user set alice --address ADDRESS"]));

    let command = "`mailshelf user set alice --address ADDRESS` puts others in place of all the user has";
    let status = site.output(&["status"]);
    let told = String::from_utf8(status.stdout).unwrap();
    assert_eq!(status.status.code(), Some(1), "{told}");
    assert!(
        told.contains("problem: 1 address is not in use, of alice for one,") && told.contains(command),
        "{told}"
    );
    let verify = site.output(&["verify"]);
    let told = String::from_utf8(verify.stdout).unwrap();
    assert_eq!(verify.status.code(), Some(1), "{told}");
    assert!(
        told.contains("address xn@xn--zzzz.example of user alice: nobody") && told.contains(command),
        "{told}"
    );

    // The other one does, and the first is told of still.
    catalog.execute("INSERT INTO addresses VALUES ('alice@example.org', 1)", []).unwrap();
    let yes = access(&site, "alice");
    assert_eq!((&yes["may_file"], &yes["hints"]), (&json!(true), &json!([])));
    assert!(yes["proof"].as_str().unwrap().contains("; xn@xn--zzzz.example: nothing"), "{yes}");
    site.ok(&["user", "set", "alice", "--address", "alice@example.org"]);
    assert_eq!(site.json(&["user", "list"]), [json!({"login": "alice", "addresses": ["alice@example.org"]})]);
    site.ok(&["status"]);
    site.assert_sound();
}

#[test]
fn access_goes_by_addresses_too() {
    let site = site();
    site.ok(&["user", "set", "alice", "--no-address"]);
    assert_eq!(access(&site, "alice")["because"], "alice has no address to send from");
    site.ok(&["user", "set", "alice", "--address", "alice@example.org", "--address", "a@example.org"]);
    site.ok(&["user", "add", "bob", "--address", "A@example.org"]);
    let alice = access(&site, "alice");
    assert_eq!(alice["may_file"], true);
    assert!(
        alice["proof"].as_str().unwrap().starts_with("a@example.org: nothing, for bob has it too; alice@")
    );
    site.ok(&["grant", "invoices", "user:bob", "owner"]);
    let bob = access(&site, "bob");
    assert_eq!(
        (&bob["may_file"], &bob["because"]),
        (&json!(false), &json!("no address is this user's alone"))
    );
    assert_eq!(bob["hints"], json!(["mailshelf user set bob --address ADDRESS"]));
}

#[test]
fn access_of_a_library_that_takes_mail_from_anyone() {
    let site = site();
    site.ok(&["user", "add", "bob", "--address", "bob@example.org"]);
    let rows = |site: &Site| -> Vec<(Value, Value, Value)> {
        let rows = site.json(&["access", "invoices"]).into_iter();
        rows.map(|row| (row["user"].clone(), row["may_file"].clone(), row["role"].clone())).collect()
    };
    let row = |user: Option<&str>, may: bool, role: Option<&str>| (json!(user), json!(may), json!(role));
    site.ok(&["library", "set", "invoices", "--sender-policy", "anyone"]);
    let alice = row(Some("alice"), true, Some("contributor"));
    assert_eq!(rows(&site), [alice.clone(), row(None, true, None)]);
    assert_eq!(access(&site, "bob")["because"], "the library takes mail from anyone (sender-policy anyone)");
    assert!(site.ok(&["access", "invoices"]).contains("\nanyone  none "));

    site.ok(&["library", "set", "invoices", "--trust-from", "no"]);
    assert_eq!(
        access(&site, "bob")["because"],
        "the library takes mail from anyone (sender-policy anyone), but under the name of System Account"
    );
    assert_eq!(judged(&site, "bob@example.org")["recipients"][0]["created_by"], "System Account");

    site.configure("authenticated_only = false", "authenticated_only = true");
    let refused = row(Some("alice"), false, Some("contributor"));
    assert_eq!(rows(&site), [refused, row(Some("bob"), false, None)], "nobody is proven");
    site.ok(&["library", "set", "invoices", "--trust-from", "yes"]);
    assert_eq!(rows(&site), [alice, row(Some("bob"), true, None)], "every known user");
    assert_eq!(judged(&site, "bob@example.org")["recipients"][0]["created_by"], "bob");
    assert_eq!(judged(&site, "eve@example.org")["recipients"][0]["outcome"], "rejected");

    site.configure("authenticated_only = true", "authenticated_only = false");
    site.ok(&["library", "set", "invoices", "--enabled", "no"]);
    assert!(rows(&site).iter().all(|(_, may, _)| may == false));
}

#[test]
fn access_to_what_is_not_there() {
    let site = site();
    let error = site.fails(2, &["access", "nowhere"]);
    assert!(error.starts_with("mailshelf: library nowhere: there is none\nhint: "), "{error}");
    let error = site.fails(2, &["access", "invoices", "--user", "nobody"]);
    assert!(error.starts_with("mailshelf: user nobody: there is none\nhint: "), "{error}");
    site.ok(&["revoke", "invoices", "user:alice"]);
    assert!(site.ok(&["access", "invoices"]).starts_with("Nobody may file in library invoices. "));
    assert_eq!(site.json(&["access", "invoices"]), Vec::<Value>::new());
    let no = access(&site, "alice");
    assert_eq!((&no["role"], &no["ways"]), (&Value::Null, &json!([])));
    assert_eq!(no["hints"], json!(["mailshelf grant invoices user:alice contributor"]));
}
