use super::*;

mod sign_in;
use crate::config::Sender;

const FROM: &str = "alice@example.org";

fn settings() -> Sender {
    Sender { authserv_id: vec!["mx1.docs.example.org".to_owned()], ..Sender::default() }
}

fn found(header: &str, settings: &Sender) -> Findings {
    let header = header.replace("~", "Authentication-Results: mx1.docs.example.org");
    collect(&Traces::read(format!("{header}\n\n").as_bytes()), &FROM.parse().unwrap(), settings)
}

/// The evidence where the header's first lines are these, above our Received.
fn above(fields: &str) -> Findings {
    found(&format!("{fields}\nReceived: x\nFrom: {FROM}"), &settings())
}

fn domain(domain: &str, by: &str) -> Evidence {
    Evidence { kind: Kind::Domain { domain: domain.to_owned() }, by: by.to_owned() }
}

fn spf(domain: &str) -> Evidence {
    let by = format!("spf=pass smtp.mailfrom={domain} by mx1.docs.example.org");
    Evidence { kind: Kind::Spf { domain: domain.to_owned() }, by }
}

const DMARC: &str = "dmarc=pass by mx1.docs.example.org";

fn dkim(signer: &str) -> Evidence {
    domain(signer, &format!("dkim=pass header.d={signer} by mx1.docs.example.org"))
}

#[track_caller]
fn counts(fields: &str, expected: &[Evidence]) {
    assert_eq!(above(fields).evidence, expected, "{fields}: {:?}", above(fields).remarks);
}

#[track_caller]
fn nothing(fields: &str, why: &str) {
    let found = above(fields);
    assert_eq!((found.evidence, found.remarks.join("; ")), (Vec::new(), why.to_owned()), "{fields}");
}

#[test]
fn what_counts() {
    let dmarc = [domain("example.org", DMARC)];
    counts("~; dmarc=pass header.from=example.org", &dmarc);
    counts("~; dmarc=pass (p=none) header.from=Example.ORG", &dmarc);
    counts("~; dmarc=pass header.from=Alice@example.org", &dmarc);
    counts("Authentication-Results: MX1.Docs.Example.Org 1; dmarc=pass header.from=example.org", &dmarc);
    counts("~; dkim=pass header.d=mail.example.org", &[dkim("mail.example.org")]);
    for value in
        ["a@bounce.example.org", "bounce.example.org", "@bounce.example.org", "\"a@bounce.example.org\""]
    {
        counts(&format!("~; spf=pass smtp.mailfrom={value}"), &[spf("bounce.example.org")]);
    }
    let all = "~; dkim=pass header.d=x.net; spf=pass smtp.mailfrom=x.net; dmarc=pass header.from=example.org";
    counts(all, &[spf("x.net"), dmarc[0].clone(), dkim("x.net")]);
    // Two milters write two fields; another server's field and a second signature are in nobody's way.
    counts(
        "~; dkim=pass header.d=example.org; dkim=pass header.d=x.net\n~; dmarc=pass header.from=example.org",
        &dmarc,
    );
    counts(
        "Authentication-Results: x; dmarc=fail header.from=x.org\n~; dmarc=pass header.from=example.org",
        &dmarc,
    );
    counts("Authentication-Results: (\n~; dmarc=pass header.from=example.org", &dmarc);
    counts("~; dmarc=none header.from=example.org; dkim=pass header.d=example.org", &[dkim("example.org")]);
    let signed_in = |account: &str| Evidence {
        kind: Kind::Submission { account: account.to_owned() },
        by: format!("auth=pass by mx1.docs.example.org for {account}"),
    };
    counts("~; auth=pass (plain) smtp.auth=alice smtp.mailfrom=a@x.org", &[signed_in("alice")]);
    counts(
        "~; auth=pass smtp.auth=alice@example.org; dmarc=fail header.from=example.org",
        &[signed_in("alice@example.org")],
    );
}

#[test]
fn what_does_not_and_why() {
    let no = "no Authentication-Results of mx1.docs.example.org above the first Received";
    let stray = "a field that bears our id stands where our server does not write";
    nothing("Subject: x", no);
    nothing("Authentication-Results: mx1.docs.example.org.evil.net; dmarc=pass header.from=example.org", no);
    nothing("ARC-Authentication-Results: i=1; mx1.docs.example.org; dmarc=pass header.from=example.org", no);
    nothing("Received: y\n~; dmarc=pass header.from=example.org", &format!("{no}; {stray}"));
    nothing(
        "From: x\n~; dmarc=pass header.from=example.org",
        "no Received above From: nothing tells our server's fields from the sender's",
    );
    nothing("~; none", "the Authentication-Results of mx1.docs.example.org prove nothing");
    let fail = |method: &str| format!("{method} by mx1.docs.example.org");
    nothing("~; dmarc=fail header.from=example.org", &fail("dmarc=fail"));
    nothing("~; dmarc=none header.from=example.org", &fail("dmarc=none"));
    nothing("~; dmarc=pass", &(fail("dmarc=pass") + " names no From"));
    nothing("~; arc=pass", "the Authentication-Results of mx1.docs.example.org prove nothing");
    nothing("~; auth=fail smtp.auth=alice", &fail("auth=fail"));
    nothing("~; spf=pass smtp.helo=example.org", &(fail("spf=pass") + " names no domain"));
    nothing("~; spf=softfail smtp.mailfrom=example.org", &fail("spf=softfail"));
    nothing("~; dkim=pass header.i=@example.org", &(fail("dkim=pass") + " names no domain"));
    nothing("~; dkim=pass header.d=a@example.org", &(fail("dkim=pass") + " names no domain"));
    nothing("~; dkim=pass header.d=example.org'a.x.net", &(fail("dkim=pass") + " names no domain"));
    nothing(&("~; none\n".repeat(100) + "~; none"), "too many Authentication-Results");
}

/// By which methods, reported how often in which fields, a mail is proven.
#[test]
fn a_method_that_is_reported_twice_voids_all() {
    const D: &str = "dmarc=pass header.from=example.org";
    const K: &str = "dkim=pass header.d=example.org";
    const S: &str = "spf=pass smtp.mailfrom=example.org";
    const A: &str = "auth=pass smtp.auth=alice";
    let twice =
        |method: &str| format!("{method} is reported twice, which voids all the Authentication-Results");
    let others = [D, K, S, A, "arc=pass", "iprev=pass policy.iprev=192.0.2.1", "x-odd=pass", "dmarc/2=pass"];
    for one in
        [D, S, A, "arc=pass", "iprev=pass", "x-odd=none", "spf=fail smtp.mailfrom=x.net", "dmarc/2=pass"]
    {
        let method = one.split(['=', '/']).next().unwrap();
        for other in others {
            let both = if other.starts_with(method) { one.to_owned() } else { format!("{one}; {other}") };
            let void = twice(method);
            for fields in [
                format!("~; {one}; {both}"),
                format!("~; {both}; {one}"),
                format!("~; {one}\n~; {both}"),
                format!("~; {both}\n~; {one}"),
                format!("~; {one}\n~; none\n~; {both}"),
            ] {
                let found = above(&fields);
                assert_eq!(found.evidence, [], "{fields}");
                assert!(found.remarks.contains(&void), "{fields}: {:?}", found.remarks);
            }
        }
    }
    // In two fields dkim is a method like the others.
    for other in ["dkim=fail header.d=x.net", K, "dkim=none"] {
        for fields in [format!("~; {K}; {D}; {A}\n~; {other}"), format!("~; {other}; {other}; {D}\n~; {K}")] {
            nothing(&fields, &twice("dkim"));
        }
    }
}

/// One server, one field, a report for each signature: they prove nothing by themselves, and are in nobody's way.
#[test]
fn several_signatures_in_one_field_void_dkim_alone() {
    let unclear = "dkim is reported of several signatures, or in an unknown version";
    let dmarc = [domain("example.org", DMARC)];
    for second in [
        "dkim=pass header.d=x.net",
        "dkim=pass header.d=example.org",
        "dkim=fail header.d=x.net",
        "dkim=none",
    ] {
        let both = format!("dkim=pass header.d=example.org; {second}");
        nothing(&format!("~; {both}"), unclear);
        nothing(&format!("~; {both}; dkim=pass header.d=example.org"), unclear);
        counts(&format!("~; {both}; dmarc=pass header.from=example.org"), &dmarc);
        counts(&format!("~; dmarc=pass header.from=example.org; {both}"), &dmarc);
        counts(&format!("~; {both}\n~; dmarc=pass header.from=example.org"), &dmarc);
        counts(&format!("~; {both}; spf=pass smtp.mailfrom=example.org"), &[spf("example.org")]);
    }
    nothing("~; dkim/2=pass header.d=example.org", unclear);
    nothing("~; dmarc/2=pass header.from=example.org", "dmarc is reported in an unknown version");
}

/// An old signature may be anybody's work by now.
#[test]
fn a_signature_by_an_old_algorithm_is_none() {
    let of = |algorithm: &str| format!("~; dkim=pass header.d=example.org header.a={algorithm}");
    for sound in ["rsa-sha256", "RSA-SHA256", "ed25519-sha256", "\"rsa-sha256\""] {
        counts(&of(sound), &[dkim("example.org")]);
    }
    for old in ["rsa-sha1", "RSA-SHA1", "rsa-md5", "\"rsa-sha1\"", "sha256", "\"\""] {
        let why =
            format!("{} is no algorithm that counts", if old == "\"rsa-sha1\"" { "rsa-sha1" } else { old });
        nothing(&of(old), &format!("dkim=pass by mx1.docs.example.org: {why}"));
    }
    // What stands in a comment is no property.
    counts("~; dkim=pass (512-bit key) header.d=example.org", &[dkim("example.org")]);
    // DMARC is what our server says it is.
    let both = "~; dkim=pass header.d=example.org header.a=rsa-sha1; dmarc=pass header.from=example.org";
    counts(both, &[domain("example.org", DMARC)]);
}

/// Void results prove nothing; that the policy is not met they may tell still.
#[test]
fn what_is_void_still_speaks_against_a_mail() {
    let dmarc = |fields: &str| above(fields).dmarc;
    assert_eq!(dmarc("~; dmarc=pass header.from=example.org; spf=none; spf=none"), Dmarc::Open);
    assert_eq!(dmarc("~; dmarc=fail header.from=example.org; spf=none; spf=none"), Dmarc::Unmet);
    assert_eq!(
        dmarc("~; dmarc=pass header.from=example.org; dmarc=pass header.from=example.org"),
        Dmarc::Unmet
    );
}

#[test]
fn doubt_about_one_result_spreads() {
    // The owner of the domain asks for more than we would.
    for result in ["fail", "permerror", "temperror", "bestguesspass"] {
        let fields = format!(
            "~; dmarc={result} header.from=example.org; dkim=pass header.d=example.org; spf=pass smtp.mailfrom=example.org"
        );
        nothing(&fields, &format!("dmarc={result} by mx1.docs.example.org"));
    }
    for other in ["example.net", "mail.example.org", "bob@example.org", "\"\"", "example.org'a.x.net"] {
        let fields = format!("~; auth=pass smtp.auth=alice; dmarc=pass header.from={other}");
        nothing(&fields, &format!("the Authentication-Results are for another From: {other}"));
    }
    let void = |why: &str| {
        format!("the Authentication-Results of mx1.docs.example.org above the first Received are void: {why}")
    };
    nothing("~; dmarc=pass header.from=example.org\n~; dkim=", &void("a word is missing or is none"));
    nothing(
        "~; dmarc=pass header.from=example.org\nAuthentication-Results : mx1.docs.example.org; none",
        &void("a blank stands before its colon"),
    );
    nothing(
        "~; dmarc=pass header.from=example.org\nAuthentication-Results: (mx1.docs.example.org; none",
        &void("a comment is never closed"),
    );
}

/// Somebody who got such a mail may add to it and send it on.
#[test]
fn a_signature_with_room_for_more_is_worth_nothing() {
    let partly = "DKIM-Signature: v=1; d=example.org; h=from:to; l=100; b=x\nFrom: alice@example.org";
    let of = |results: &str| found(&format!("~; {results}\nReceived: x\n{partly}"), &settings());
    let why = "by mx1.docs.example.org, but a signature does not cover From and the whole body";
    let found = of("dkim=pass header.d=example.org; dmarc=pass header.from=example.org");
    assert_eq!(found.evidence, []);
    assert_eq!(found.remarks, [format!("dmarc=pass {why}"), format!("dkim=pass header.d=example.org {why}")]);
    let found = of("dmarc=pass header.from=example.org; spf=pass smtp.mailfrom=x.net");
    assert_eq!(found.evidence, [spf("x.net")]);
    // Who has a domain beside it could send on what was signed, changed.
    let found = of("dmarc=pass header.from=example.org; spf=pass smtp.mailfrom=b.example.org");
    assert_eq!(found.evidence, [spf("b.example.org")]);
    let found = of("dmarc=pass header.from=example.org; spf=pass smtp.mailfrom=example.org");
    assert_eq!(found.evidence, [spf("example.org"), domain("example.org", DMARC)]);
}

/// Whoever adds a field above those that are signed gives the same words another meaning.
#[test]
fn what_readers_take_differently_speaks_for_nobody() {
    let settings = Sender { received_auth: true, exchange_internal: true, ..settings() };
    let signed_in = "Received: from x (y [192.0.2.1]) (Authenticated sender: alice) by mx1.docs.example.org with ESMTPSA id 1\n\
                     X-MS-Exchange-Organization-AuthAs: Internal";
    let header = format!(
        "~; dmarc=pass header.from=example.org; auth=pass smtp.auth=alice\n{signed_in}\nFrom: {FROM}"
    );
    assert!(!found(&header, &settings).evidence.is_empty());
    for (fields, why) in [
        ("Subject: a\nsubject: b", "Subject stands twice in the header"),
        (
            "Content-Type: text/plain\nX: y\nContent-Type: text/plain",
            "Content-Type stands twice in the header",
        ),
        ("Content-Type : text/plain", "a blank stands before the colon of Content-Type"),
        ("To: a@b\nDate: x\nTo: c@d", "To stands twice in the header"),
    ] {
        let found = found(&format!("{header}\n{fields}"), &settings);
        assert!(found.ambiguous);
        assert_eq!((found.evidence, found.remarks), (Vec::new(), vec![format!("ambiguous: {why}")]));
    }
}

#[test]
fn below_our_received() {
    let settings = Sender { results_at: ResultsAt::Below, ..settings() };
    let dmarc = [domain("example.org", DMARC)];
    let results = "~; dmarc=pass header.from=example.org";
    for (header, expected) in [
        (format!("Received: ours\nX-Spam: no\n{results}\nReceived: theirs\nFrom: {FROM}"), &dmarc[..]),
        (format!("Received: ours\n{results}\nFrom: {FROM}"), &dmarc),
        // Another server's fields are in nobody's way.
        (format!("Authentication-Results: x; (\nReceived: ours\n{results}\nFrom: {FROM}"), &dmarc),
        // A policy service of the same server writes above.
        (format!("~; spf=pass smtp.mailfrom=example.org\nReceived: ours\n{results}\nFrom: {FROM}"), &dmarc),
        // Its milters do: whoever wrote the mail wrote what is below.
        (format!("~; dmarc=fail header.from=example.org\nReceived: ours\n{results}\nFrom: {FROM}"), &[]),
        (format!("~; dmarc=fail header.from=<>\nReceived: ours\n{results}\nFrom: {FROM}"), &[]),
        (format!("~; dkim=fail\nReceived: ours\n{results}\nFrom: {FROM}"), &[]),
        (format!("~; (\nReceived: ours\n{results}\nFrom: {FROM}"), &[]),
        (format!("{results}\nReceived: ours\nFrom: {FROM}"), &[]),
        (format!("Received: ours\nReceived: theirs\n{results}\nFrom: {FROM}"), &[]),
        (format!("Received: ours\nFrom: {FROM}\n{results}"), &[]),
        // Our server does not remove what bears its id: then this may not be ours either.
        (format!("Received: ours\n{results}\nReceived: theirs\n{results}\nFrom: {FROM}"), &[]),
        (format!("Received: ours\n{results}\nFrom: {FROM}\n~; ("), &[]),
        (format!("Received: ours\n{results}\n{results}\nFrom: {FROM}"), &[]),
    ] {
        assert_eq!(found(&header, &settings).evidence, expected, "{header}");
    }
    // opendkim cannot read it, and leaves it where the sender put it.
    let odd = found(&format!("Received: ours\n{results}; x=pass dns.zone=x.org\nFrom: {FROM}"), &settings);
    let why = "the Authentication-Results of mx1.docs.example.org directly under the first Received are void: \
               dns is no type of property";
    assert_eq!((odd.evidence, odd.remarks), (Vec::new(), vec![why.to_owned()]));
    counts("~; dmarc=pass header.from=example.org; dnswl=pass dns.zone=x.org", &dmarc);
    let found = found(&format!("Received: ours\nFrom: {FROM}"), &settings);
    let why = "no Authentication-Results of mx1.docs.example.org directly under the first Received";
    assert_eq!(found.remarks, [why]);
}

#[test]
fn nothing_counts_that_the_site_does_not_say() {
    let header = format!(
        "~; dmarc=pass header.from=example.org; auth=pass smtp.auth=alice\n\
         Received: from x (y [192.0.2.1]) (Authenticated sender: alice) by mx1 with ESMTPSA id 1\n\
         X-MS-Exchange-Organization-AuthAs: Internal\nFrom: {FROM}"
    );
    let none = found(&header, &Sender::default());
    assert_eq!((none.evidence, none.remarks), (Vec::new(), vec!["no authserv_id is configured".to_owned()]));
    let elsewhere = Sender { verify: Verify::Dkim, ..Sender::default() };
    assert_eq!(found(&header, &elsewhere), Findings::default());
    let received = found(&header, &Sender { received_auth: true, ..Sender::default() });
    assert_eq!(
        received.evidence,
        [Evidence {
            kind: Kind::Submission { account: "alice".to_owned() },
            by: "signed in as alice, by our first Received".to_owned()
        }]
    );
    // It names no user: for a sender of another domain it says nothing.
    let exchange = |own: &str| {
        let own_domains = vec![own.to_owned()];
        found(&header, &Sender { exchange_internal: true, own_domains, ..Sender::default() })
    };
    let why = "AuthAs Internal by Exchange, which counts for senders of our own organisation alone";
    assert_eq!(
        (exchange("example.net").evidence, exchange("example.net").remarks),
        (vec![], vec![why.to_owned()])
    );
    let exchange = exchange("docs.example.org");
    assert_eq!(
        exchange.evidence,
        [Evidence { kind: Kind::Internal, by: "AuthAs Internal by Exchange".to_owned() }]
    );
}
