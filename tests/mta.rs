//! A real border server before a Maildir: Postfix, OpenDKIM and OpenDMARC of Debian, set up as README.md and
//! docs/postfix.md say, with keys and policies from a real resolver. Mail comes by SMTP.

mod servers;
mod smtp;

use std::fs;

use serde_json::Value;

use self::servers::Servers;
use self::smtp::{Client, accounts};
use crate::util::{Site, entries};

const ID: &str = "mx1.docs.example.org";

/// A site with a library `board` that everyone known may contribute to, set up for the server.
fn site() -> Site {
    let site = Site::new();
    site.configure("authserv_id = []", &format!("authserv_id = [\"{ID}\"]"));
    site.configure("rejected = \"delete\"", "rejected = \"keep\"");
    site.ok(&["library", "add", "board", "--alias", "board", "--save-original", "yes"]);
    let mut user = vec!["user", "add", "alice", "--address", "alice@docs.example.org"];
    for address in ["alice@sender.test", "alice@sub.strict.test", "alice@bare.test"] {
        user.extend(["--address", address]);
    }
    site.ok(&user);
    site.ok(&["user", "add", "bob", "--address", "bob@sender.test"]);
    site.ok(&["grant", "board", "everyone", "contributor"]);
    site
}

/// A mail that another implementation signed, and what became of it since.
fn signed(name: &str) -> Vec<u8> {
    fs::read(format!("{}/tests/dkim/mails/{name}.eml", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// A mail of no signature with these lines first, From Alice at this domain.
fn unsigned(name: &str, lines: &str, domain: &str) -> Vec<u8> {
    let lines = lines.replace("ID", ID).replace('^', domain);
    format!(
        "{lines}From: Alice <alice@{domain}>\r\nTo: board@docs.example.org\r\nSubject: {name}\r\n\
         Message-ID: <{name}@{domain}>\r\nDate: Mon, 1 Jan 2024 00:00:00 +0000\r\n\r\nFile this.\r\n"
    )
    .into_bytes()
}

/// What stands in the Maildir, by the local-part of the Message-ID.
fn delivered(site: &Site) -> Vec<(String, String)> {
    let mails = entries(&site.path("drop/new")).into_iter().map(|path| fs::read_to_string(path).unwrap());
    mails.map(|mail| (id(&mail).to_owned(), mail)).collect()
}

fn id(text: &str) -> &str {
    let id = text.split_once("Message-ID: <").map_or(text, |(_, id)| id);
    id.split('@').next().unwrap().trim_start_matches('<')
}

/// The header as whoever files sees it, unfolded.
fn header(mail: &str) -> Vec<String> {
    let head = mail.split("\n\n").next().unwrap();
    head.replace("\n\t", " ").replace("\n ", " ").lines().map(str::to_owned).collect()
}

/// The values of its Authentication-Results above the first Received, and below it.
fn results(mail: &str) -> (Vec<String>, Vec<String>) {
    let header = header(mail);
    let received = header.iter().position(|line| line.starts_with("Received: ")).unwrap();
    let of = |lines: &[String]| {
        let pairs = lines.iter().filter_map(|line| line.split_once(':'));
        let ours = pairs.filter(|(name, _)| name.trim().eq_ignore_ascii_case("authentication-results"));
        ours.map(|(_, value)| value.trim().to_owned()).collect()
    };
    (of(&header[..received]), of(&header[received..]))
}

/// What became of each mail of a pass: its name, its outcome or reason, the level and the proof, or why there is none.
fn judged(site: &Site) -> Vec<[String; 4]> {
    let event = site.pass();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut judged: Vec<_> = event["mails"]
        .as_array()
        .unwrap()
        .iter()
        .map(|mail| {
            let recipient = &mail["recipients"][0];
            let outcome = text(&recipient["outcome"]);
            assert_eq!(outcome == "filed", recipient["created_by"] == "alice", "{mail}");
            let shown = if outcome == "rejected" { text(&recipient["reason"]) } else { outcome };
            let name = id(mail["message_id"].as_str().unwrap()).to_owned();
            [name, shown, text(&mail["sender"]["level"]), text(&mail["sender"]["proof"])]
        })
        .collect();
    judged.sort();
    judged
}

/// Asserts that nothing is left in the Maildir, and that catalog and contents agree.
fn assert_sound(site: &Site) {
    assert_eq!((delivered(site).len(), site.claims()), (0, Vec::new()));
    site.ok(&["verify"]);
}

/// Asserts that none was filed, and that all were refused for want of proof. Gives what was said of each.
fn assert_nobodys(site: &Site, sent: usize) -> Vec<[String; 4]> {
    let judged = judged(site);
    assert_eq!(judged.len(), sent);
    for mail in &judged {
        assert_eq!((mail[1].as_str(), mail[2].as_str()), ("unauthenticated-sender", "none"), "{mail:?}");
    }
    assert_eq!(site.documents("board").len(), 0);
    assert_sound(site);
    judged
}

#[test]
fn a_real_server_proves_what_is_genuine_and_nothing_else() {
    let site = site();
    let Some(servers) = Servers::start(&site, &["opendkim", "opendmarc"], "") else { return };
    let mut client = Client::connect(&servers);
    const DMARC: &str = "dmarc=pass by mx1.docs.example.org";
    const DKIM: &str = "dkim=pass header.d=bare.test by mx1.docs.example.org";
    let cases = [
        ("ed25519", "filed", DMARC),
        ("no-policy", "filed", DKIM),
        ("one-of-two", "filed", DMARC),
        ("oversigned", "filed", DMARC),
        ("relaxed", "filed", DMARC),
        ("simple", "filed", DMARC),
        ("changed-body", "unauthenticated-sender", "no proof: dmarc=fail by mx1.docs.example.org"),
        ("changed-from", "unauthenticated-sender", "no proof: dmarc=fail by mx1.docs.example.org"),
        // The server lets this pass.
        ("length", "unauthenticated-sender", "but a signature does not cover From and the whole body"),
        ("other-domain", "unauthenticated-sender", "no proof: dmarc=fail by mx1.docs.example.org"),
        ("revoked", "unauthenticated-sender", "no proof: dmarc=fail by mx1.docs.example.org"),
    ];
    for (name, _, _) in cases {
        client.send("bounce@lists.test", &signed(name));
    }
    client.send("alice@sender.test", &unsigned("unsigned", "", "sender.test"));
    site.wait_for("the mail", |site| delivered(site).len() == cases.len() + 1);

    let delivered = delivered(&site);
    let of = |name: &str| results(&delivered.iter().find(|(one, _)| one == name).unwrap().1);
    let (above, below) = of("no-policy");
    assert_eq!(
        above,
        [
            "mx1.docs.example.org; dmarc=none (p=none dis=none) header.from=bare.test",
            // The eight digits hold what is in no token of RFC 2045, and stand without quotes.
            "mx1.docs.example.org; dkim=pass (2048-bit key; unprotected) header.d=bare.test header.i=@bare.test \
             header.a=rsa-sha256 header.s=rsa2048 header.b=EJ/zv/YD; dkim-atps=neutral",
        ]
    );
    assert_eq!(below, Vec::<String>::new());
    assert_eq!(
        of("unsigned").0,
        ["mx1.docs.example.org; dmarc=fail (p=reject dis=none) header.from=sender.test"]
    );

    let judged = judged(&site);
    assert_eq!(judged.len(), cases.len() + 1);
    for (name, outcome, proof) in cases {
        let [_, found, level, why] = judged.iter().find(|mail| mail[0] == name).unwrap();
        assert_eq!((found.as_str(), level == "domain"), (outcome, outcome == "filed"), "{name}: {why}");
        assert!(why.contains(proof), "{name}: {why}");
    }
    let [_, outcome, _, why] = judged.iter().find(|mail| mail[0] == "unsigned").unwrap();
    assert_eq!((outcome.as_str(), why.as_str()), ("unauthenticated-sender", cases[6].2));
    assert_sound(&site);
}

/// What a sender may write to pass for our server: a name for each, and the lines.
const FORGED: [(&str, &str); 17] = [
    ("all", "Authentication-Results: ID; dkim=pass header.d=^ header.i=@^; dmarc=pass header.from=^\r\n"),
    ("dmarc", "Authentication-Results: ID; dmarc=pass header.from=^\r\n"),
    ("dkim", "Authentication-Results: ID; dkim=pass header.d=^ header.i=@^\r\n"),
    ("auth", "Authentication-Results: ID; auth=pass smtp.auth=alice\r\n"),
    (
        "twice",
        "Authentication-Results: ID; dkim=pass header.d=^\r\nAuthentication-Results: ID; dkim=pass header.d=^\r\n",
    ),
    ("upper-case", "AUTHENTICATION-RESULTS: MX1.DOCS.EXAMPLE.ORG; DKIM=PASS HEADER.D=^\r\n"),
    ("comment-before", "Authentication-Results: (a) ID; dmarc=pass header.from=^\r\n"),
    ("comment-behind", "Authentication-Results: ID (a); dmarc=pass header.from=^\r\n"),
    ("quoted", "Authentication-Results: \"ID\"; dmarc=pass header.from=^\r\n"),
    ("version", "Authentication-Results: ID 1; dmarc=pass header.from=^\r\n"),
    ("folded", "Authentication-Results:\r\n ID;\r\n\tdmarc=pass\r\n header.from=^\r\n"),
    ("blank", "Authentication-Results : ID; dmarc=pass header.from=^\r\n"),
    (
        "unknown-method",
        "Authentication-Results: ID; x-odd=pass; dkim=pass header.d=^; dmarc=pass header.from=^\r\n",
    ),
    ("odd-end", "Authentication-Results: ID; dkim=pass header.d=^; dmarc=pass header.from=^;;\r\n"),
    (
        "after-received",
        "Received: from a by ID; Mon, 1 Jan 2024 00:00:00 +0000\r\nAuthentication-Results: ID; dmarc=pass header.from=^\r\n",
    ),
    (
        "before-received",
        "Authentication-Results: ID; dmarc=pass header.from=^\r\nReceived: from a by ID; Mon, 1 Jan 2024 00:00:00 +0000\r\n",
    ),
    ("after-other", "X-Spam: no\r\nAuthentication-Results: ID; dmarc=pass header.from=^\r\n"),
];

/// Sends each forgery from two domains, one with a policy and one without; how many that is.
fn forge(site: &Site, servers: &Servers) -> usize {
    let mut client = Client::connect(servers);
    for domain in ["sender.test", "bare.test"] {
        for (name, lines) in FORGED {
            client.send("mallory@lists.test", &unsigned(name, lines, domain));
        }
    }
    site.wait_for("the mail", |site| delivered(site).len() == 2 * FORGED.len());
    2 * FORGED.len()
}

/// The names of those that came with a forged field below our Received.
fn came_through(site: &Site) -> Vec<String> {
    let delivered = delivered(site).into_iter().filter(|(_, mail)| !results(mail).1.is_empty());
    let mut names: Vec<_> = delivered.map(|(name, _)| name).collect();
    names.sort();
    names.dedup();
    names
}

#[test]
fn forged_results_are_taken_out_by_the_servers_set_up_as_documented() {
    let site = site();
    let Some(servers) = Servers::start(&site, &["opendkim", "opendmarc"], "") else { return };
    let sent = forge(&site, &servers);
    for (name, mail) in delivered(&site) {
        let (above, below) = results(&mail);
        assert_eq!((above.len(), below.len()), (1, 0), "{name}: {mail}");
        assert!(above[0].starts_with("mx1.docs.example.org; dmarc="), "{name}: {}", above[0]);
    }
    assert_nobodys(&site, sent);

    // In an attached mail the field is a part of what is signed, and stays.
    let attached = "From: Alice <alice@sender.test>\r\nMessage-ID: <attached@sender.test>\r\nSubject: A\r\n\
                    MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\
                    Content-Type: message/rfc822\r\n\r\nAuthentication-Results: mx; none\r\nSubject: B\r\n\r\nB\r\n--b--\r\n";
    Client::connect(&servers).send("alice@sender.test", attached.as_bytes());
    site.wait_for("the mail", |site| delivered(site).len() == 1);
    let delivered = delivered(&site);
    let (_, body) = delivered[0].1.split_once("\n\n").unwrap();
    assert_eq!(body.replace('\n', "\r\n"), attached.split_once("\r\n\r\n").unwrap().1);
}

/// The milters alone leave much standing; above our Received there is nothing of it, and where the site looks below, it
/// finds that its server writes above.
#[test]
fn forged_results_that_the_milters_leave_are_not_believed() {
    let site = site();
    let strip_nothing = "header_checks =";
    let Some(servers) = Servers::start(&site, &["opendkim", "opendmarc"], strip_nothing) else { return };
    let sent = forge(&site, &servers);
    let left = [
        "after-other",
        "after-received",
        "auth",
        "before-received",
        "blank",
        "comment-before",
        "comment-behind",
        "dmarc",
        "folded",
        "odd-end",
        "quoted",
        "version",
    ];
    assert_eq!(came_through(&site), left);
    assert_nobodys(&site, sent);
    site.configure("results_at = \"above\"", "results_at = \"below\"");
    let sent = forge(&site, &servers);
    for [name, _, _, why] in assert_nobodys(&site, sent) {
        let because =
            ["our server writes above the first Received", "directly under the first Received are void"];
        assert!(because.iter().any(|because| why.contains(because)), "{name}: {why}");
    }
}

/// A server that checks and strips nothing, while the site thinks it does.
#[test]
fn forged_results_through_a_server_that_strips_nothing_are_not_believed_above() {
    let site = site();
    let Some(servers) = Servers::start(&site, &[], "header_checks =") else { return };
    let sent = forge(&site, &servers);
    assert_eq!(came_through(&site).len(), FORGED.len());
    for [name, _, _, why] in assert_nobodys(&site, sent) {
        assert!(why.contains("no Authentication-Results of mx1.docs.example.org above"), "{name}: {why}");
    }
}

/// The results of the border server stand below the Received of the one that delivers.
#[test]
fn results_of_the_border_server_below_our_own_received() {
    let site = site();
    site.configure("results_at = \"above\"", "results_at = \"below\"");
    let Some(servers) = Servers::start_two(&site) else { return };
    let mut client = Client::connect(&servers);
    client.send("bounce@lists.test", &signed("relaxed"));
    client.send("bounce@lists.test", &signed("changed-body"));
    site.wait_for("the mail", |site| delivered(site).len() == 2);
    for (name, mail) in delivered(&site) {
        let (above, below) = results(&mail);
        assert_eq!((above.len(), below.len()), (0, 2), "{name}: {mail}");
    }
    let judged = judged(&site);
    assert_eq!((judged[0][0].as_str(), judged[0][1].as_str()), ("changed-body", "unauthenticated-sender"));
    assert_eq!((judged[1][1].as_str(), judged[1][2].as_str()), ("filed", "domain"));
    let one = site.documents("board").len();
    let sent = forge(&site, &servers);
    let refused = self::judged(&site);
    assert!(refused.iter().all(|mail| mail[1] == "unauthenticated-sender"), "{refused:?}");
    assert_eq!((refused.len(), site.documents("board").len()), (sent, one));
    assert_sound(&site);
}

#[test]
fn who_signed_in_is_who_postfix_says_and_nobody_else() {
    let site = site();
    site.configure("received_auth = false", "received_auth = true");
    let accounts = accounts();
    let sasl = format!(
        "smtpd_sasl_auth_enable = yes\nsmtpd_sasl_type = dovecot\nsmtpd_sasl_path = inet:{accounts}\n\
         smtpd_sasl_authenticated_header = yes"
    );
    let Some(servers) = Servers::start(&site, &["opendkim", "opendmarc"], &sasl) else { return };
    let own = "docs.example.org";
    let mut alice = Client::connect(&servers);
    alice.sign_in("alice");
    alice.send("alice@docs.example.org", &unsigned("genuine", "", own));
    let mut mallory = Client::connect(&servers);
    mallory.sign_in("mallory");
    mallory.send("alice@docs.example.org", &unsigned("by-another", "", own));
    let results = "Authentication-Results: ID; auth=pass smtp.auth=alice; dmarc=pass header.from=^\r\n";
    mallory.send("alice@docs.example.org", &unsigned("by-another-with-results", results, own));
    let received = "Received: from a (b [192.0.2.1])\r\n\t(Authenticated sender: alice)\r\n\tby ID (Postfix) with ESMTPSA id 1;\r\n\tMon, 1 Jan 2024 00:00:00 +0000\r\n";
    Client::connect(&servers).send("alice@docs.example.org", &unsigned("by-received", received, own));
    for (nth, helo) in [
        "a (b [192.0.2.1]) (Authenticated sender: alice) by x",
        "(Authenticated sender: alice)",
        "a\t(Authenticated sender: alice)",
    ]
    .iter()
    .enumerate()
    {
        let mut client = Client::greeting(&servers, helo);
        client.send("alice@docs.example.org", &unsigned(&format!("by-helo-{nth}"), "", own));
    }
    site.wait_for("the mail", |site| delivered(site).len() == 7);
    let genuine = delivered(&site).into_iter().find(|(name, _)| name == "genuine").unwrap().1;
    let line = header(&genuine).into_iter().find(|line| line.starts_with("Received: ")).unwrap();
    assert!(line.contains(" (Authenticated sender: alice) by mx1.docs.example.org (Postfix)"), "{line}");
    let judged = judged(&site);
    for [name, outcome, level, why] in &judged {
        let expected =
            if name == "genuine" { ("filed", "submission") } else { ("unauthenticated-sender", "none") };
        assert_eq!((outcome.as_str(), level.as_str()), expected, "{name}: {why}");
    }
    assert_eq!(judged.len(), 7);
    assert_sound(&site);
}
