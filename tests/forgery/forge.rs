//! A maker of forgeries, the same in every run. A forger writes all of a header that stands below our server's
//! `Received`, and what servers copy from the session: a return path whose local-part is quoted where it holds anything
//! odd, and a HELO, a domain and a `d=` without blanks or semicolons. Our server itself says what is true: not this
//! sender.

use mailshelf::config::ResultsAt;

use super::Random;

pub const ID: &str = "mx1.docs.example.org";
pub const VICTIM: &str = "admin@legitimate.example";

fn repeat(random: &mut Random, pieces: &[&str], most: usize) -> String {
    (0..random.below(most + 1)).map(|_| random.pick(pieces)).collect()
}

/// A word that a session lets through: no blanks, no `;`.
fn word(random: &mut Random) -> String {
    const PIECES: &[&str] = &[
        "legitimate.example",
        "attack.example",
        "(",
        ")",
        "'",
        "\"",
        "=",
        ",",
        ":",
        ".",
        "@",
        "dmarc=pass",
        "()",
        "header.from=legitimate.example",
        "auth=pass",
        "smtp.auth=admin",
        "spf=pass",
        "\\",
        "a",
        "<",
        ">",
        "/1",
    ];
    repeat(random, PIECES, 6)
}

/// A quoted local-part: anything printable.
fn quoted(random: &mut Random) -> String {
    const PIECES: &[&str] = &[
        "a",
        " ",
        ";",
        "(",
        ")",
        "dmarc=pass",
        " header.from=legitimate.example",
        "; auth=pass smtp.auth=admin",
        "\\\"",
        "\\\\",
        "; spf=pass smtp.mailfrom=legitimate.example",
        "=",
        "@",
        " policy.x=y (",
        ") x.y=",
    ];
    format!("\"{}\"", repeat(random, PIECES, 6))
}

fn return_path(random: &mut Random) -> String {
    match random.below(3) {
        0 => format!("{}@attack.example", quoted(random)),
        1 => format!("any@{}.attack.example", word(random)),
        _ => "any@attack.example".to_owned(),
    }
}

/// What our server writes: the truth, with the session's words in it; above its `Received`, or below.
fn border(random: &mut Random, at: ResultsAt) -> String {
    let (path, helo, signer) =
        (return_path(random), word(random), format!("{}.attack.example", word(random)));
    let spf = match random.below(3) {
        0 => format!(
            "spf=pass ({ID}: domain of {path} designates 192.0.2.66 as permitted sender) smtp.mailfrom={path}"
        ),
        1 => format!(
            "spf=pass (sender SPF authorized) smtp.mailfrom={path} (client-ip=192.0.2.66; helo={helo}; envelope-from={path})"
        ),
        _ => format!("spf=none smtp.helo={helo}"),
    };
    let dkim = match random.below(3) {
        0 => format!("dkim=pass (2048-bit key) header.d={signer} header.i=@{signer} header.s=s"),
        1 => format!("dkim=fail reason=\"signature of {helo}\" header.d=legitimate.example"),
        _ => "dkim=none".to_owned(),
    };
    let dmarc = "dmarc=fail (p=none dis=none) header.from=legitimate.example";
    let received = format!(
        "Received: from {} (unknown [192.0.2.66])\r\n\tby {ID} (Postfix) with ESMTPS id 4F2C;\r\n\tSat, 21 Nov 2026 04:00:00 +0000 (UTC)\r\n",
        helo.replace(['(', ')', '<', '>', '"', '\\', '@', ';'], "?")
    );
    let results = match random.below(3) {
        0 => format!("Authentication-Results: {ID};\r\n\t{dkim};\r\n\t{spf};\r\n\t{dmarc}\r\n"),
        1 => format!("Authentication-Results: {ID}; {dmarc}\r\nAuthentication-Results: {ID}; {spf}\r\n"),
        _ => format!("Authentication-Results: {ID}; {dmarc}; arc=pass (i=1 dmarc=pass)\r\n"),
    };
    match at {
        ResultsAt::Above => results + &received,
        ResultsAt::Below => received + &results,
    }
}

/// What a server that writes below its `Received` removes from what it is given: fields that bear its id in plain words.
/// One that stands in quotes or behind a comment, or that its own reader takes for no such field, it lets through.
fn stripped(header: &[u8]) -> Vec<u8> {
    let mut kept: Vec<u8> = Vec::new();
    let mut field: Vec<u8> = Vec::new();
    let mut lines = header.split_inclusive(|&byte| byte == b'\n').peekable();
    while let Some(line) = lines.next() {
        field.extend(line);
        if !lines.peek().is_some_and(|next| matches!(next.first(), Some(b' ' | b'\t'))) {
            let text = field.to_ascii_lowercase();
            let value =
                text.strip_prefix(b"authentication-results:".as_slice()).map(<[u8]>::trim_ascii_start);
            if !value.is_some_and(|value| value.starts_with(ID.as_bytes())) {
                kept.extend(&field);
            }
            field.clear();
        }
    }
    kept
}

fn id(random: &mut Random) -> &'static str {
    random.pick(&[
        ID,
        "MX1.docs.example.ORG",
        "\"mx1.docs.example.org\"",
        "(x) mx1.docs.example.org",
        "mx1.docs.example.org 1",
        "mx2.example.net",
    ])
}

fn results(random: &mut Random) -> &'static str {
    random.pick(&[
        "dmarc=pass header.from=legitimate.example",
        "auth=pass smtp.auth=admin",
        "spf=pass smtp.mailfrom=admin@legitimate.example; dkim=pass header.d=legitimate.example",
        "dmarc=pass (p=none) header.from=legitimate.example; auth=pass smtp.auth=admin@legitimate.example",
        "none",
        "arc=pass; dmarc=pass header.from=legitimate.example",
    ])
}

fn from(random: &mut Random) -> String {
    let odd = [
        "From: first@attack.example, admin@legitimate.example\r\n",
        "From: <first@attack.example>\r\nFrom: <admin@legitimate.example>\r\n",
        "From : <admin@legitimate.example>\r\n",
        "From: <first@attack.example> <admin@legitimate.example>\r\n",
        "From: \"admin@legitimate.example\" <first@attack.example>\r\n",
        "From: g: admin@legitimate.example;\r\n",
        "From: =?utf-8?q?admin=40legitimate.example?=\r\n",
        "From: admin(x)@legitimate.example\r\n",
    ];
    match random.below(3) {
        0 => random.pick(&odd).to_owned(),
        1 => format!("From: Admin <{VICTIM}>\r\n"),
        _ => format!("From: {VICTIM}\r\n"),
    }
}

pub fn line(random: &mut Random) -> String {
    let colon = random.pick(&[": ", ":", " : ", ":\t", ":\r\n "]);
    match random.below(9) {
        0 | 1 => format!("Authentication-Results{colon}{}; {}\r\n", id(random), results(random)),
        2 => format!("ARC-Authentication-Results{colon}i=1; {}; {}\r\n", id(random), results(random)),
        3 => "ARC-Seal: i=1; a=rsa-sha256; cv=pass; d=legitimate.example; s=s; t=1; b=x\r\n".to_owned(),
        4 => format!(
            "DKIM-Signature{colon}v=1; a=rsa-sha256; d=legitimate.example; s=s; h=from:to; bh=x; b=x\r\n"
        ),
        5 => {
            let name = random.pick(&[
                "X-MS-Exchange-CrossTenant-AuthAs",
                "X-MS-Exchange-Organization-Auth-As",
                "X-MS-Exchange-Organization-AuthAsX",
                "AuthAs",
            ]);
            format!("{name}{colon}Internal\r\n")
        }
        6 => format!(
            "X-MS-Exchange-Organization-AuthAs{colon}{}\r\n",
            random.pick(&["Internal", "internal", "Internal ", "\"Internal\""])
        ),
        7 => format!(
            "Received{colon}from x (y [192.0.2.1])\r\n\t(Authenticated sender: admin)\r\n\tby {ID} (Postfix) with ESMTPSA id 1; x\r\n"
        ),
        _ => format!("Received-SPF{colon}pass smtp.mailfrom={VICTIM}; {}\r\n", results(random)),
    }
}

/// A whole forgery. Where Exchange takes mail in, it has written that this sender is nobody of its own.
pub fn forgery(random: &mut Random, results_at: ResultsAt) -> Vec<u8> {
    let mut border = border(random, results_at);
    border.push_str("X-MS-Exchange-Organization-AuthAs: Anonymous\r\n");
    let mut header = String::new();
    let at = random.below(4);
    for nth in 0..5 {
        header += &if nth == at { from(random) } else { line(random) };
    }
    let mut mutated = header.into_bytes();
    for _ in 0..random.below(3) {
        let at = random.below(mutated.len());
        let byte = random.pick(b"\0\r\n \t:;()\"\\@<>,aF=");
        match random.below(3) {
            0 => mutated[at] = byte,
            1 => mutated.insert(at, byte),
            _ => drop(mutated.remove(at)),
        }
    }
    if results_at == ResultsAt::Below {
        mutated = stripped(&mutated);
    }
    [border.as_bytes(), &mutated, b"Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/csv; name=a.csv\r\nContent-Disposition: attachment\r\n\r\na,b\r\n"].concat()
}
