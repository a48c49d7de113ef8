//! A maker of honest mail, the same in every run: results in the words of the servers that people run.

use mailshelf_storage::model::Level;

use super::Random;
use super::forge::ID;

/// An honest mail and how well it proves its sender.
pub struct Honest {
    pub server: &'static str,
    pub mail: String,
    pub from: String,
    pub level: Level,
}

const BASE64: &[&str] = &["a", "Z", "0", "9", "+", "/", "x", "Q"];

fn tag(random: &mut Random) -> String {
    let tag: String = (0..8).map(|_| random.pick(BASE64)).collect();
    if tag.contains('/') { format!("\"{tag}\"") } else { tag }
}

fn local(random: &mut Random) -> String {
    let name = random.pick(&[
        "alice",
        "a.b",
        "Alice.O'Neil",
        "a+b",
        "a_b-c",
        "x=y",
        "\"a b\"",
        "info",
        "2026",
        "jürgen",
    ]);
    format!("{name}{}", if name.ends_with('"') { String::new() } else { random.below(1000).to_string() })
}

/// Rspamd, Gmail and others write all in one field; a second signature is that of whoever sends for the domain.
fn rspamd(random: &mut Random, domain: &str, path: &str) -> String {
    // A quote within a comment voids the field, on purpose: who has a blank in his address pays for that.
    let path = if path.contains('"') { domain } else { path };
    let second = format!("dkim=pass header.d=esp.example header.s=s header.b={};\r\n\t", tag(random));
    format!(
        "Authentication-Results: {ID};\r\n\tdkim=pass header.d={domain} header.s=s1 header.b={};\r\n\t{}\
         spf=pass ({ID}: domain of {path} designates 192.0.2.1 as permitted sender) smtp.mailfrom={path};\r\n\t\
         dmarc=pass (policy={}) header.from={domain}\r\n",
        tag(random),
        if random.below(2) == 0 { &second } else { "" },
        random.pick(&["none", "quarantine", "reject"]),
    )
}

fn gmail(random: &mut Random, domain: &str, path: &str) -> String {
    format!(
        "Authentication-Results: {ID};\r\n       dkim=pass header.i=@{domain} header.s=20230601 header.b={};\r\n       \
         spf=pass (google.com: domain of bounce@{domain} designates 2001:db8::1 as permitted sender) smtp.mailfrom={path};\r\n       \
         dmarc=pass (p=NONE sp=QUARANTINE dis=NONE) header.from={domain};\r\n       dara=pass header.i=@docs.example.org\r\n",
        tag(random)
    )
}

/// Two milters, a field each; in that of OpenDKIM one result for each signature.
fn opendmarc(random: &mut Random, domain: &str, _path: &str) -> String {
    let second = random.pick(&[
        "",
        "dkim=pass (1024-bit key; unprotected) header.d=esp.example header.i=@esp.example header.a=rsa-sha256 header.s=s header.b=\"a/b\";\r\n\t",
        "dkim=fail reason=\"signature verification failed\" (2048-bit key) header.d=list.example header.a=rsa-sha256 header.s=s header.b=xyz;\r\n\t",
    ]);
    let dkim = format!(
        "Authentication-Results: {ID};\r\n\tdkim=pass (2048-bit key; unprotected) header.d={domain} header.i=@{domain} \
         header.a=rsa-sha256 header.s=s1 header.b={};\r\n\t{second}dkim-atps=neutral\r\n",
        tag(random)
    );
    let dmarc =
        format!("Authentication-Results: {ID}; dmarc=pass (p=reject dis=none) header.from={domain}\r\n");
    if random.below(2) == 0 { dmarc + &dkim } else { dkim + &dmarc }
}

fn opendkim(random: &mut Random, domain: &str, _path: &str) -> String {
    // Nobody knows of `test` whether whoever owns a name below it owns those below that.
    let host = if domain.ends_with(".test") { "" } else { "mail." };
    let reason = random.pick(&[" (1024-bit key)", " reason=\"2048-bit key; unprotected key\"", ""]);
    format!(
        "Authentication-Results: {ID};\r\n\tdkim=pass{reason} header.d={host}{domain} header.i=@{domain} header.b={}\r\n",
        tag(random)
    )
}

fn amavis(random: &mut Random, domain: &str, _path: &str) -> String {
    let key = random.pick(&["(1024-bit key)", "(2048-bit key)", "(256-bit key)"]);
    format!(
        "Authentication-Results: {ID} (amavisd-new);\r\n\tdkim=pass {key} reason=\"pass (just generated, assumed good)\"\r\n\theader.d={domain}\r\n"
    )
}

fn policyd(_random: &mut Random, domain: &str, path: &str) -> String {
    format!(
        "Authentication-Results: {ID}; spf=pass (sender SPF authorized) smtp.mailfrom={path} \
         (client-ip=192.0.2.1; helo=mail.{domain}; envelope-from=bounce@{domain}; receiver=all@docs.example.org)\r\n"
    )
}

/// A field of OpenARC above those of the other two: it has the client's address, of IPv6 as often as not.
fn openarc(random: &mut Random, domain: &str, path: &str) -> String {
    let client = random.pick(&["192.0.2.1", "2001:db8:4864:20::529"]);
    let arc = format!("Authentication-Results: {ID}; arc=none smtp.remote-ip={client}\r\n");
    arc + &opendmarc(random, domain, path)
}

fn exim(random: &mut Random, domain: &str, path: &str) -> String {
    let client = random.pick(&["192.0.2.1", "2001:db8::1"]);
    format!(
        "Authentication-Results: {ID};\r\n\tiprev=pass (mail.{domain}) smtp.remote-ip={client};\r\n\tspf=pass smtp.mailfrom={path};\r\n\t\
         dkim=pass header.d={domain} header.s=s1 header.a=rsa-sha256;\r\n\tdmarc=pass header.from={domain}\r\n"
    )
}

/// As Fastmail runs it: all in one field, base64 without quotes.
fn authentication_milter(random: &mut Random, domain: &str, path: &str) -> String {
    let signature = tag(random).replace('"', "");
    format!(
        "Authentication-Results: {ID};\r\n    bimi=none (No BIMI records found);\r\n    arc=none (no signatures found);\r\n    \
         dkim=pass (2048-bit rsa key sha256) header.d={domain}\r\n      header.i=@{domain} header.b={signature} header.a=rsa-sha256\r\n      \
         header.s=s1;\r\n    dmarc=pass policy.published-domain-policy=reject\r\n      policy.applied-disposition=none policy.evaluated-disposition=none\r\n      \
         (p=reject,d=none,d.eval=none) policy.policy-from=p\r\n      header.from={domain};\r\n    iprev=pass smtp.remote-ip=2001:db8::1\r\n      \
         (mail.{domain});\r\n    spf=pass smtp.mailfrom={path}\r\n      smtp.helo=mail.{domain};\r\n    \
         x-return-mx=pass header.domain={domain} policy.is_org=yes\r\n      (MX Records found: mail.{domain});\r\n    \
         x-tls=pass smtp.version=TLSv1.3 smtp.cipher=TLS_AES_256_GCM_SHA384\r\n      smtp.bits=256/256\r\n"
    )
}

fn halon(random: &mut Random, domain: &str, path: &str) -> String {
    format!(
        "Authentication-Results: {ID}; spf=pass smtp.mailfrom={path}; dkim=pass header.d={domain} header.s=s1 \
         header.a=rsa-sha256 header.b={}; dmarc=pass header.from={domain}\r\n",
        tag(random)
    )
}

type Server = fn(&mut Random, &str, &str) -> String;

const SERVERS: [(&str, Server, Level); 10] = [
    ("Rspamd", rspamd, Level::Domain),
    ("Gmail", gmail, Level::Domain),
    ("OpenDKIM and OpenDMARC", opendmarc, Level::Domain),
    ("these and OpenARC", openarc, Level::Domain),
    ("OpenDKIM", opendkim, Level::Domain),
    ("Amavis", amavis, Level::Domain),
    ("Exim", exim, Level::Domain),
    ("Authentication Milter", authentication_milter, Level::Domain),
    ("Halon", halon, Level::Domain),
    ("policyd-spf", policyd, Level::Spf),
];

/// What a server writes above a mail that it takes in, and what that proves.
pub struct Word {
    pub server: &'static str,
    /// Its fields, its `Received` among them.
    pub above: String,
    pub level: Level,
}

/// The word of some server on mail from this address, whose domain in ASCII is `domain`, and whose user signs in as
/// `account`.
pub fn word(random: &mut Random, from: &str, domain: &str, account: &str) -> Word {
    let received = format!(
        "Received: from mail.example.net (mail.example.net [192.0.2.1])\r\n\tby {ID} (Postfix) with ESMTPS id 4F2C;\r\n\t\
         Sat, 21 Nov 2026 04:00:00 +0000 (UTC)\r\n"
    );
    let submission = random.below(12);
    // AuthAs names no user: it speaks for those of the site's own organisation.
    if submission < 4 && domain.ends_with("example.org") {
        let own = "X-MS-Exchange-Organization-AuthAs: Internal\r\nX-MS-Exchange-Organization-AuthMechanism: 04\r\n\
                   X-MS-Exchange-Organization-AuthSource: ex1.example.org\r\n";
        return Word { server: "Exchange", above: received + own, level: Level::Submission };
    }
    if submission == 1 {
        let results = format!("Authentication-Results: {ID}; auth=pass (plain) smtp.auth={account}\r\n");
        return Word { server: "SMTP AUTH", above: results + &received, level: Level::Submission };
    }
    let path = match random.below(3) {
        0 if from.is_ascii() => from.to_owned(),
        1 => format!("bounce+{}=docs.example.org@{domain}", random.below(1000)),
        _ => domain.to_owned(),
    };
    let (server, write, level) = random.pick(&SERVERS);
    Word { server, above: write(random, domain, &path) + &received, level }
}

fn mail(random: &mut Random, above: &str, from: &str) -> String {
    let name =
        random.pick(&["", "Alice ", "\"Alice, B.\" ", "=?utf-8?Q?J=C3=BCrgen?= ", "Alice Q. Public\r\n "]);
    format!(
        "{above}DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.net;\r\n\t\
         s=s1; h=from:to:subject; bh=x; b=x\r\nFrom: {name}<{from}>\r\nSubject: x\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/csv; name=a.csv\r\nContent-Disposition: attachment\r\n\r\na,b\r\n"
    )
}

pub fn honest(random: &mut Random) -> Honest {
    let domain = random.pick(&[
        "example.net",
        "mail.example.co.uk",
        "xn--mller-kva.example.com",
        "bücher.example",
        "a-b.example.org",
    ]);
    let from = format!("{}@{domain}", local(random));
    let Word { server, above, level } = word(random, &from, domain, "sender");
    Honest { server, mail: mail(random, &above, &from), from, level }
}
