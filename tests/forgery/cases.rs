//! Forgeries that are known: those of the tool espoofer ("Composition Kills", USENIX Security 2020) under its names, and
//! those of "Weak Links in Authentication Chains" (USENIX Security 2021), as they would stand in a drop behind a border
//! server that copies what it is given. Each wants to be admin@legitimate.example.

pub struct Case {
    pub name: &'static str,
    /// The Authentication-Results of the border, without its id; each stands above its Received.
    pub results: &'static [&'static str],
    /// What the sender wrote.
    pub header: &'static str,
    /// Why it is nobody, as it stands on record.
    pub why: &'static str,
}

const fn case(
    name: &'static str,
    results: &'static [&'static str],
    header: &'static str,
    why: &'static str,
) -> Case {
    Case { name, results, header, why }
}

const ATTACKER: &str = "dmarc=pass header.from=attack.example; spf=pass smtp.mailfrom=any@attack.example";
const ADMIN: &str = "From: <admin@legitimate.example>\r\n";
const TWO: &str = "there is more than one From";
const ODD: &str = "the header holds a line that is no field";
const OPEN: &str = "no empty line ends the header";
const LIST: &str = "the From names more than one mailbox";
const VOID: &str =
    "no proof: the Authentication-Results of mx1.docs.example.org above the first Received are void: ";

/// The 22 of espoofer.
pub const ESPOOFER: &[Case] = &[
    case(
        "server_a1",
        &["spf=pass smtp.helo=helo.attack.example; dmarc=fail header.from=legitimate.example"],
        ADMIN,
        "no proof: dmarc=fail by mx1.docs.example.org",
    ),
    case(
        "server_a2",
        &["spf=pass smtp.mailfrom=(any@legitimate.example"],
        ADMIN,
        "a comment is never closed",
    ),
    case(
        "server_a3",
        &["dkim=pass header.d=legitimate.example"],
        "DKIM-Signature: v=1; d=legitimate.example; s=selector._domainkey.attack.example.\0.any; h=from; b=x\r\nFrom: <admin@legitimate.example>\r\n",
        "the header holds a NUL or a bare CR",
    ),
    case(
        "server_a4",
        &["dkim=pass header.d=legitimate.example'a.attack.example"],
        ADMIN,
        "no proof: dkim=pass by mx1.docs.example.org names no domain",
    ),
    case(
        "server_a5",
        &["spf=pass smtp.mailfrom=any@legitimate.example(.attack.example"],
        ADMIN,
        "no blank sets a comment apart|a comment is never closed",
    ),
    case(
        "server_a6",
        &["spf=pass smtp.mailfrom=any@legitimate.example'@any.attack.example"],
        ADMIN,
        "a value is neither a word nor an address",
    ),
    case(
        "server_a7",
        &["spf=pass smtp.mailfrom=@legitimate.example,@any.example:'any@attack.example"],
        ADMIN,
        "a value is neither a word nor an address",
    ),
    case(
        "server_a8",
        &[ATTACKER],
        "From: <first@attack.example>\r\nFrom: <admin@legitimate.example>\r\n",
        TWO,
    ),
    case(
        "server_a9",
        &[ATTACKER],
        " From: <first@attack.example>\r\nFrom: <admin@legitimate.example>\r\n",
        "no proof: the Authentication-Results are for another From: attack.example",
    ),
    case(
        "server_a10",
        &[ATTACKER],
        "From: <first@attack.example>\r\nFrom : <admin@legitimate.example>\r\n",
        "a blank stands before the colon of From",
    ),
    case(
        "server_a11",
        &[ATTACKER],
        "From\r\n : <first@attack.example>\r\nFrom: <admin@legitimate.example>\r\n",
        OPEN,
    ),
    case(
        "server_a12",
        &[ATTACKER],
        "From\r\n : <first@attack.example>\r\nSender: <admin@legitimate.example>\r\n",
        OPEN,
    ),
    case(
        "server_a13",
        &[ATTACKER],
        "From\r\n : <first@attack.example>\r\nResent-From: <admin@legitimate.example>\r\n",
        OPEN,
    ),
    case(
        "server_a14",
        &[ATTACKER],
        "From: <first@attack.example>, <admin@legitimate.example>\r\nSender: <s@sender.legitimate.example>\r\n",
        LIST,
    ),
    case(
        "server_a15",
        &[ATTACKER],
        "From:=?utf-8?B?PGFkbWluQGxlZ2l0aW1hdGUuZXhhbXBsZT4=?=,<second@attack.example>\r\n",
        LIST,
    ),
    case(
        "server_a16",
        &[ATTACKER],
        "From: <@attack.example,@any.example:admin@legitimate.example>\r\n",
        LIST,
    ),
    case(
        "server_a17",
        &[ATTACKER],
        "From: <admin@legitimate.example>\\,<second@attack.example>\r\n",
        "the From holds a character out of place",
    ),
    case("server_a18", &[ATTACKER], "From: admin@legitimate.example,<second@attack.example>\r\n", LIST),
    case(
        "server_a19",
        &[ATTACKER],
        "From: <any@attack.example>admin@legitimate.example\r\n",
        "the From holds more than a name and one address",
    ),
    case(
        "client_a1",
        &["auth=pass smtp.auth=attacker@legitimate.example; dmarc=pass header.from=legitimate.example"],
        "From: <attacker@legitimate.example>\r\nFrom: <admin@legitimate.example>\r\n",
        TWO,
    ),
    case(
        "client_a2",
        &["auth=pass smtp.auth=attacker@legitimate.example; dmarc=pass header.from=legitimate.example"],
        "From: <attacker@legitimate.example>, <admin@legitimate.example>\r\n",
        LIST,
    ),
    case(
        "client_a3",
        &["auth=pass smtp.auth=attacker@legitimate.example; dmarc=pass header.from=legitimate.example"],
        ADMIN,
        "auth=pass by mx1.docs.example.org for attacker@legitimate.example, who is not the user of this From",
    ),
];

/// Those of the other paper that are more than these, and combinations of them.
pub const WEAK_LINKS: &[Case] = &[
    case(
        "another return path",
        &["spf=pass smtp.mailfrom=any@attack.example"],
        ADMIN,
        "no proof: spf=pass smtp.mailfrom=attack.example by mx1.docs.example.org does not speak for legitimate.example",
    ),
    case(
        "no return path, SPF by HELO",
        &["spf=pass smtp.helo=legitimate.example"],
        ADMIN,
        "no proof: spf=pass by mx1.docs.example.org names no domain",
    ),
    case(
        "a null return path, written as such",
        &["spf=pass smtp.mailfrom=<>; dmarc=pass header.from=legitimate.example"],
        ADMIN,
        VOID,
    ),
    case(
        "Sender beside From",
        &[ATTACKER],
        "Sender: <admin@legitimate.example>\r\nFrom: <first@attack.example>\r\n",
        "nobody we know",
    ),
    case(
        "Resent-From beside From",
        &[ATTACKER],
        "Resent-From: <admin@legitimate.example>\r\nFrom: <first@attack.example>\r\n",
        "nobody we know",
    ),
    case(
        "Reply-To and a name like an address",
        &[ATTACKER],
        "Reply-To: admin@legitimate.example\r\nFrom: \"admin@legitimate.example\" <first@attack.example>\r\n",
        "nobody we know",
    ),
    case("no From", &[ATTACKER], "Sender: <admin@legitimate.example>\r\n", "there is no From"),
    case(
        "a From that ends at a NUL",
        &[ATTACKER],
        "From: <admin@legitimate.example>\0@attack.example\r\n",
        "the header holds a NUL or a bare CR",
    ),
    case(
        "a From behind a bare CR",
        &[ATTACKER],
        "Subject: x\rFrom: <admin@legitimate.example>\r\nFrom: <first@attack.example>\r\n",
        "the header holds a NUL or a bare CR",
    ),
    case(
        "an encoded address",
        &[ATTACKER],
        "From: =?utf-8?B?YWRtaW5AbGVnaXRpbWF0ZS5leGFtcGxl?= <first@attack.example>\r\n",
        "nobody we know",
    ),
    case(
        "an encoded word for an address",
        &[ATTACKER],
        "From: <=?utf-8?Q?admin=40legitimate.example?=>\r\n",
        "the From hides its address in an encoded word",
    ),
    case(
        "an encoded word with another address behind",
        &[ATTACKER],
        "From: =?utf-8?Q?=3Cadmin=40legitimate.example=3E?=@attack.example\r\n",
        "the From hides its address in an encoded word",
    ),
    case("a group", &[ATTACKER], "From: x: admin@legitimate.example;\r\n", "the From is a group or a route"),
    case(
        "an unclosed quote",
        &[ATTACKER],
        "From: \"x <admin@legitimate.example>\r\n",
        "a quoted string in the From is never closed",
    ),
    case(
        "an address in a comment",
        &[ATTACKER],
        "From: first@attack.example (admin@legitimate.example)\r\n",
        "a comment in the From holds signs of an address",
    ),
    case(
        "a subdomain that is not there",
        &["spf=none smtp.mailfrom=a@x.legitimate.example; dmarc=fail header.from=x.legitimate.example"],
        "From: <admin@x.legitimate.example>\r\n",
        "nobody we know",
    ),
    case(
        "letters that look alike",
        &["dmarc=pass header.from=xn--legitimte-6fg.example"],
        "From: <admin@xn--legitimte-6fg.example>\r\n",
        "the From is no plain address: the domain of an address is labels with dots between them, each of one script",
    ),
    case(
        "letters of another script",
        &[ATTACKER],
        "From: <admin@l\u{435}gitimate.example>\r\n",
        "the From is no plain address: the domain of an address is labels with dots between them, each of one script",
    ),
    case(
        "text turned around",
        &[ATTACKER],
        "From: \u{202e}<admin@legitimate.example>\r\n",
        "no proof: the Authentication-Results are for another From: attack.example",
    ),
    case(
        "forwarded, sealed by whoever forwards",
        &["arc=pass (i=1 spf=pass dkim=pass dmarc=pass); dmarc=fail header.from=legitimate.example"],
        "ARC-Seal: i=1; cv=none; d=attack.example; s=s; b=x\r\nARC-Authentication-Results: i=1; mx1.docs.example.org; dmarc=pass header.from=legitimate.example\r\nFrom: <admin@legitimate.example>\r\n",
        "no proof: dmarc=fail by mx1.docs.example.org",
    ),
    case(
        "arc=pass alone",
        &["arc=pass"],
        ADMIN,
        "no proof: the Authentication-Results of mx1.docs.example.org prove nothing",
    ),
    case(
        "forwarded, signed by whoever forwards",
        &["dkim=pass header.d=forward.example"],
        ADMIN,
        "no proof: dkim=pass header.d=forward.example by mx1.docs.example.org does not speak for legitimate.example",
    ),
    case(
        "sent on with more than was signed",
        &["dkim=pass header.d=legitimate.example; dmarc=pass header.from=legitimate.example"],
        "DKIM-Signature: v=1; a=rsa-sha256; d=legitimate.example; s=s; h=from; l=10; bh=x; b=x\r\nFrom: <admin@legitimate.example>\r\n",
        "does not cover From and the whole body",
    ),
    case(
        "a signature of another, and a return path of a third",
        &[
            "dkim=pass header.d=attack.example; spf=pass smtp.mailfrom=any@any.example; dmarc=fail header.from=legitimate.example",
        ],
        ADMIN,
        "no proof: dmarc=fail by mx1.docs.example.org",
    ),
    case(
        "results of the sender's, below a Received of the sender's",
        &["dmarc=fail header.from=legitimate.example"],
        "Authentication-Results: mx1.docs.example.org; dmarc=pass header.from=legitimate.example\r\nReceived: from a by mx1.docs.example.org; x\r\nFrom: <admin@legitimate.example>\r\n",
        "no proof: dmarc=fail by mx1.docs.example.org",
    ),
    case(
        "results of the sender's, and none of ours",
        &[],
        "Authentication-Results: mx1.docs.example.org; dmarc=pass header.from=legitimate.example\r\nFrom: <admin@legitimate.example>\r\n",
        "a field that bears our id stands where our server does not write",
    ),
    case(
        "two of espoofer's at once",
        &["spf=pass smtp.mailfrom=any@legitimate.example(.attack.example"],
        " From: <first@attack.example>\r\nX: \r\nY\r\nFrom: <admin@legitimate.example>\r\n",
        ODD,
    ),
    case(
        "no empty line before another header",
        &[ATTACKER],
        "From: <first@attack.example>\r\nhello\r\n\r\nFrom: <admin@legitimate.example>\r\n",
        OPEN,
    ),
];
