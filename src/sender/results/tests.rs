use proptest::prelude::*;

use super::*;

fn parse(value: &str) -> Result<Results, &'static str> {
    Results::parse(value.as_bytes()).map_err(|why| why.0)
}

#[track_caller]
fn reads(value: &str, as_written: &str) {
    assert_eq!(parse(value).map(|read| read.to_string()).as_deref(), Ok(as_written), "{value}");
}

/// RFC 8601 appendix B.
#[test]
fn the_examples_of_the_standard() {
    reads(" example.org 1; none", "example.org; none");
    reads(
        " example.com;\r\n\tspf=pass smtp.mailfrom=example.net",
        "example.com; spf=pass smtp.mailfrom=example.net",
    );
    reads(
        " example.com;\r\n          auth=pass (cram-md5) smtp.auth=sender@example.net;\r\n          spf=pass smtp.mailfrom=example.net",
        "example.com; auth=pass smtp.auth=sender@example.net; spf=pass smtp.mailfrom=example.net",
    );
    reads(
        " example.com;\r\n iprev=pass\r\n policy.iprev=192.0.2.200",
        "example.com; iprev=pass policy.iprev=192.0.2.200",
    );
    reads(
        " example.com;\r\n      dkim=pass reason=\"good signature\"\r\n        header.i=@mail-router.example.net;\r\n      dkim=fail reason=\"bad signature\"\r\n        header.i=@newyork.example.com",
        "example.com; dkim=pass reason=\"good signature\" header.i=@mail-router.example.net; dkim=fail reason=\"bad signature\" header.i=@newyork.example.com",
    );
    reads(
        " foo.example.net (foobar) 1 (baz);\r\n    dkim (Because I like it) / 1 (One yay) = (wait for it) fail\r\n      policy (A dot can go here) . (like that) expired\r\n      (this surprised me) = (as I wanted to see it) 1362471462",
        "foo.example.net; dkim=fail policy.expired=1362471462",
    );
}

#[test]
fn every_form_of_a_value() {
    let read = parse("X.Example; DKIM=Pass Reason=\"a \\\"b\\\"\" HEADER.D=Example.ORG header.b=\"a/b=\" smtp.mailfrom=b+a=b.org@x.org smtp.helo=\"\" header.i=@x.org smtp.auth=\"a b\"@x.org").unwrap();
    assert_eq!(read.id, "x.example");
    let result = &read.results[0];
    assert_eq!((result.method.as_str(), result.version, result.result.as_str()), ("dkim", 1, "pass"));
    assert_eq!(result.reason.as_deref(), Some("a \"b\""));
    let text = |text: &str| Some(Value::Text(text.to_owned()));
    let address = |local: &str| Some(Value::Address { local: local.to_owned(), domain: "x.org".to_owned() });
    assert_eq!(result.property("header", "d").cloned(), text("Example.ORG"));
    assert_eq!(result.property("header", "b").cloned(), text("a/b="));
    assert_eq!(result.property("smtp", "mailfrom").cloned(), address("b+a=b.org"));
    assert_eq!(result.property("smtp", "helo").cloned(), text(""));
    assert_eq!(result.property("header", "i").cloned(), address(""));
    assert_eq!(result.property("smtp", "auth").cloned(), address("a b"));
    assert_eq!(result.property("smtp", "d"), None);
    assert_eq!(parse("\"x y\"/z; none"), Err("no result follows the server's name"));
    assert_eq!(parse("\"x y\"; none").unwrap(), Results { id: "x y".to_owned(), results: Vec::new() });
    assert_eq!(parse("x; dkim/2=pass").unwrap().results[0].version, 2);
}

/// As they come from Rspamd, OpenDKIM, OpenDMARC, the policy service for SPF, Amavis, Gmail and others.
#[test]
fn what_real_servers_write() {
    for value in [
        " mx.example.org;\r\n\tdkim=pass header.d=example.net header.s=s1 header.b=abcdEF12;\r\n\tspf=pass (mx.example.org: domain of a@example.net designates 192.0.2.1 as permitted sender) smtp.mailfrom=a@example.net;\r\n\tdmarc=pass (policy=quarantine) header.from=example.net",
        " mx.example.org;\r\n\tdkim=pass (2048-bit key; unprotected) header.d=example.net header.i=@example.net header.a=rsa-sha256 header.s=s1 header.b=\"aB/+cd12\";\r\n\tdkim-atps=neutral",
        " mx1.docs.example.org;\r\n\tdkim=pass (2048-bit key; unprotected) header.d=bare.test header.i=@bare.test header.a=rsa-sha256 header.s=rsa2048 header.b=EJ/zv/YD;\r\n\tdkim-atps=neutral",
        " mx1.docs.example.org;\r\n\tdkim=fail reason=\"key revoked\" header.d=sender.test header.i=@sender.test header.a=rsa-sha256 header.s=revoked header.b=UetWaP8H;\r\n\tdkim=pass (2048-bit key; unprotected) header.d=sender.test header.i=@sender.test header.a=rsa-sha256 header.s=rsa2048 header.b=hj0mJk1Q;\r\n\tdkim-atps=neutral",
        " mx1.docs.example.org; dmarc=none (p=none dis=none) header.from=bare.test",
        " mx.example.org; dmarc=pass (p=none dis=none) header.from=example.net",
        " mx.example.org; spf=pass (sender SPF authorized) smtp.mailfrom=example.net (client-ip=192.0.2.1; helo=mail.example.net; envelope-from=a@example.net; receiver=b@docs.example.org)",
        " mx.example.org (amavisd-new);\r\n\tdkim=pass (2048-bit key) reason=\"pass (just generated, assumed good)\" header.d=example.net",
        " mx.google.com;\r\n       dkim=pass header.i=@example.net header.s=20230601 header.b=\"W0/abcde\";\r\n       spf=pass (google.com: domain of a@example.net designates 192.0.2.1 as permitted sender) smtp.mailfrom=a@example.net;\r\n       dmarc=pass (p=NONE sp=QUARANTINE dis=NONE) header.from=example.net;\r\n       dara=pass header.i=@docs.example.org",
        // OpenARC, Exim and Authentication Milter: no quotes around IPv6 and base64, and a name with a low line.
        " mx.example.org; arc=none smtp.remote-ip=2a00:1450:4864:20::529",
        " mx.example.org;\r\n\tiprev=pass (mail.example.net) smtp.remote-ip=2001:db8::1;\r\n\tspf=pass smtp.mailfrom=example.net;\r\n\tdkim=pass header.d=example.net header.s=s1 header.a=rsa-sha256;\r\n\tdmarc=pass header.from=example.net",
        " mx.example.org;\r\n    auth=pass;\r\n    dkim=pass (2048-bit rsa key sha256) header.d=example.net header.i=@example.net\r\n      header.b=X99Qk5/i header.a=rsa-sha256 header.s=100003;\r\n    x-return-mx=pass header.domain=example.net policy.is_org=yes (MX Records\r\n found: mail.example.net);\r\n    x-tls=pass smtp.version=TLSv1.3 smtp.cipher=TLS_AES_256_GCM_SHA384\r\n      smtp.bits=256/256",
    ] {
        assert!(parse(value).is_ok(), "{value}: {:?}", parse(value));
    }
}

#[test]
fn what_departs_from_the_grammar_voids_all_of_it() {
    for (value, why) in [
        ("", "a value is missing"),
        ("x", "no result follows the server's name"),
        ("x;", "a word is missing or is none"),
        ("; none", "a value is missing"),
        ("\"\"; none", "it names no server"),
        ("x; none;", "a method has no result"),
        ("x; none; spf=pass", "a method has no result"),
        ("x; spf=pass;", "a word is missing or is none"),
        ("x; spf=pass;; dkim=pass", "a word is missing or is none"),
        ("x 2; none", "it is of an unknown version"),
        ("x 99999999999; none", "a version is no number"),
        ("x1; spf", "a method has no result"),
        ("x; spf=", "a word is missing or is none"),
        ("x; spf=pass-", "a word is missing or is none"),
        ("x; spf=pass smtp.mailfrom=", "a value is neither a word nor an address"),
        ("x; spf=pass smtp.mailfrom=<>", "a value is neither a word nor an address"),
        ("x; spf=pass smtp.mailfrom=a@b", "a value is neither a word nor an address"),
        ("x; spf=pass smtp.mailfrom=a@@b.org", "a value is neither a word nor an address"),
        ("x; dkim=pass header.b=", "a value is neither a word nor an address"),
        ("x; dkim=pass header.b=a/b@c.org", "a value goes on where it should end"),
        ("x; dkim=pass header.b=a/b(c)", "no blank sets a comment apart"),
        ("x; spf=pass smtp=a", "a property has no type"),
        ("x; spf=pass action=none", "a property has no type"),
        ("x; spf=pass smtp.a=b reason=c", "a property has no type"),
        ("x; spf=pass reason=c reason=d", "a property has no type"),
        ("x; spf=pass smtp.a=b smtp.A=c", "a property stands twice in one result"),
        ("x; spf=pass smtp.a=b,c", "a value is neither a word nor an address"),
        ("x; spf=pass smtp.a=\"b", "a quoted text is never closed"),
        ("x; spf=pass smtp.a=\"b\\", "a quoted text is never closed"),
        ("x; spf=pass smtp.a=\"b\"c", "a value goes on where it should end"),
        ("x; spf=pass smtp.a=\"b\"smtp.c=d", "a value goes on where it should end"),
        ("x; spf=pass (a", "a comment is never closed"),
        ("x; spf=pass a)", "a property has no type"),
        ("x; spf=pass (\\)) smtp.a=b", "a comment holds a quote or a backslash"),
        ("x; spf=pass (a \"b) smtp.a=b", "a comment holds a quote or a backslash"),
        ("x; spf=pass ((((( ))))) smtp.a=b", "comments stand too deep in each other"),
        ("x; spf=pass() smtp.a=b", "no blank sets a comment apart"),
        ("x; spf=pass ()smtp.a=b", "no blank sets a comment apart"),
        ("x; spf=pass smtp.a=b(c)", "no blank sets a comment apart"),
        ("x; spf=pass\r\nsmtp.a=b", "it is folded wrongly"),
        ("x; spf=pass\r\n \r\n smtp.a=b", "it is folded wrongly"),
        ("x; spf=pass\r\n ", "it is folded wrongly"),
        ("x; spf=pass\rsmtp.a=b", "it holds a character that is not seen"),
        ("x; spf=pass\0", "it holds a character that is not seen"),
        ("x; spf=pass smtp.a=ä", "a value is neither a word nor an address"),
        ("spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=x.org", "no result follows the server's name"),
        ("x  from=x.org; dkim=pass (ok)", "no result follows the server's name"),
    ] {
        assert_eq!(parse(value), Err(why), "{value:?}");
    }
}

/// Internationalized mail (RFC 6531, RFC 6532, RFC 8616).
#[test]
fn text_of_other_alphabets_stands_where_an_address_or_a_text_does() {
    let value = " mx;\r\n\tspf=pass (domain of jürgen@bücher.example (Jürgen) designates x) smtp.mailfrom=jürgen@bücher.example;\r\n\t\
                 dkim=pass reason=\"gültig\" header.d=bücher.example header.i=@bücher.example;\r\n\t\
                 dmarc=pass header.from=उदाहरण.परीक्षा; auth=pass smtp.auth=\"jür gen\"@xn--bcher-kva.example";
    reads(
        value,
        "mx; spf=pass smtp.mailfrom=jürgen@bücher.example; dkim=pass reason=\"gültig\" header.d=\"bücher.example\" \
         header.i=@bücher.example; dmarc=pass header.from=\"उदाहरण.परीक्षा\"; auth=pass smtp.auth=\"jür gen\"@xn--bcher-kva.example",
    );
    let read = parse(value).unwrap();
    let domain = |nth: usize, kind, name| read.results[nth].property(kind, name).unwrap().domain();
    assert_eq!(domain(0, "smtp", "mailfrom").as_deref(), Some("xn--bcher-kva.example"));
    assert_eq!(domain(1, "header", "d").as_deref(), Some("xn--bcher-kva.example"));
    assert_eq!(domain(2, "header", "from").as_deref(), Some("xn--p1b6ci4b4b3a.xn--11b5bs3a9aj6g"));
    for (value, why) in [
        ("mx; spf=pass smtp.mailfrom=jürgen", "a value is neither a word nor an address"),
        ("mx; späf=pass", "a method has no result"),
        ("mx; spf=päss", "a value goes on where it should end"),
        ("mx; spf=pass reason=gültig", "a value goes on where it should end"),
        ("mü; none", "no result follows the server's name"),
        ("mx; spf=pass smtp.mailfrom=a@x。org", "a value is neither a word nor an address"),
        ("mx; spf=pass smtp.mailfrom=a@x。y.org", "a value is neither a word nor an address"),
        ("mx; spf=pass smtp.mailfrom=ä；dmarc=pass@x.org", ""),
        ("mx; spf=pass smtp.mailfrom=a\u{202e}b@x.org", "it holds a character that is not seen"),
        ("mx; spf=pass (\u{200b}) smtp.mailfrom=x.org", "it holds a character that is not seen"),
        ("mx; spf=pass\u{a0}smtp.mailfrom=x.org", "it holds a character that is not seen"),
        ("mx; spf=pass smtp.mailfrom=x.org\u{85} y", "it holds a character that is not seen"),
        ("mx; spf=pass smtp.mailfrom=x.org\u{2028} y", "it holds a character that is not seen"),
    ] {
        assert_eq!(parse(value).err().unwrap_or_default(), why, "{value:?}");
    }
    assert_eq!(Results::parse(b"mx; spf=pass (\xff) smtp.mailfrom=x.org"), Err(Malformed("it is not UTF-8")));
}

/// What comes through servers that copy a stranger's words (espoofer, "Composition Kills").
#[test]
fn words_smuggled_in_void_all_of_it() {
    for value in [
        // MAIL FROM:<any@legitimate.example(.attack.example>
        "x; spf=pass smtp.mailfrom=any@legitimate.example(.attack.example; dmarc=fail (p=none) header.from=legitimate.example",
        // The same with labels that make it a whole comment and another property.
        "x; spf=pass smtp.mailfrom=any@legitimate.example(a)x.y=b.attack.example",
        "x; spf=pass smtp.mailfrom=any@legitimate.example'@any.attack.example",
        "x; spf=pass smtp.mailfrom=@legitimate.example,@any.example:'any@attack.example",
        // MAIL FROM:<"a) smtp.mailfrom=any@legitimate.example policy.x=y (b"@attack.example>
        "x; spf=pass (x: domain of \"a) smtp.mailfrom=any@legitimate.example policy.x=y (b\"@attack.example designates 192.0.2.1) smtp.mailfrom=\"a) smtp.mailfrom=any@legitimate.example policy.x=y (b\"@attack.example",
        "x; spf=pass (x: domain of a) smtp.mailfrom=any@legitimate.example policy.x=y (b@attack.example designates 192.0.2.1) smtp.mailfrom=b@attack.example",
        // HELO x);dmarc=pass()header.from=legitimate.example(
        "x; spf=none (helo=x);dmarc=pass()header.from=legitimate.example()",
        "x; dkim=pass header.d=legitimate.example\0.attack.example",
        "x; dkim=pass header.d=legitimate.example\"=(.attack.example",
    ] {
        assert!(parse(value).is_err(), "{value}");
    }
    // A token, but no domain: nothing can be compared with it.
    let read = parse("x; dkim=pass header.d=legitimate.example'a.attack.example").unwrap();
    assert_eq!(
        read.results[0].property("header", "d"),
        Some(&Value::Text("legitimate.example'a.attack.example".to_owned()))
    );
}

#[test]
fn nothing_grows_without_bound() {
    assert_eq!(
        parse(&format!("x; spf=pass {}", "(".repeat(8000))),
        Err("comments stand too deep in each other")
    );
    assert_eq!(parse(&" ".repeat(LONGEST + 1)), Err("it is too long"));
    assert_eq!(parse(&format!("x{}", "; a=b".repeat(MOST + 1))), Err("it holds too many results"));
    let properties: String = (0..=MOST).map(|nth| format!(" a.p{nth}=b")).collect();
    assert_eq!(parse(&format!("x; a=b{properties}")), Err("a result has too many properties"));
}

/// What is taken for a value is just what is written down for it.
fn reads_as_written(value: &[u8]) {
    if let Ok(read) = Results::parse(value) {
        assert_eq!(Results::parse(read.to_string().as_bytes()), Ok(read), "{}", value.escape_ascii());
    }
}

/// Pieces that make up values, sound and odd, so that many of the mixtures come near to the grammar.
fn pieces() -> impl Strategy<Value = Vec<String>> {
    const PIECES: &[&str] = &[
        "mx.example.org",
        ";",
        " ",
        "\r\n\t",
        "spf",
        "dkim",
        "=",
        "pass",
        "/",
        "1",
        "none",
        "smtp",
        ".",
        "mailfrom",
        "reason",
        "\"",
        "\\",
        "(",
        ")",
        "(a b)",
        "a@x.org",
        "@",
        "\"a b\"",
        "header.d=x.org",
        "dmarc=pass",
        "header.from=x.org",
        "'",
        ",",
        ":",
        "\0",
        "ä",
        "ü@bü.org",
        "\u{200b}",
        "\r",
        "x-",
        "-",
        "99999999999",
    ];
    proptest::collection::vec(proptest::sample::select(PIECES).prop_map(str::to_owned), 0..30)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn no_bytes_make_it_panic(value in proptest::collection::vec(any::<u8>(), 0..200)) {
        reads_as_written(&value);
    }

    #[test]
    fn no_mixture_reads_as_another(pieces in pieces()) {
        reads_as_written(pieces.concat().as_bytes());
    }

    #[test]
    fn a_sound_value_with_one_byte_changed(at in 0usize..200, byte in any::<u8>()) {
        let sound = "mx.example.org 1; dkim/1=pass (good) reason=\"a b\" header.d=example.org header.b=\"a/\\\"=\";\r\n\tspf=pass smtp.mailfrom=a=b@example.org; dmarc=pass header.from=example.org";
        let mut value = sound.as_bytes().to_vec();
        let at = at % value.len();
        value[at] = byte;
        reads_as_written(&value);
    }
}

/// A signature's beginning is base64 unless it is quoted: written down again it keeps its quotes.
#[test]
fn what_begins_a_signature_reads_the_same_once_written_down() {
    for value in ["abc", "abc+/=", "\"a-b\"", "\"\"", "\"a\"@x.org", "\"\"@x.org"] {
        let read = Results::parse(format!("mx; dkim=pass header.b={value}").as_bytes()).unwrap();
        assert_eq!(Results::parse(read.to_string().as_bytes()), Ok(read), "{value}");
    }
}
