use super::*;
use crate::message::{Limits, read};

fn of(message: impl AsRef<[u8]>) -> Digest {
    likeness_of(message).unwrap()
}

fn likeness_of(message: impl AsRef<[u8]>) -> Option<Digest> {
    let bytes = message.as_ref();
    let parts = read(bytes, &Limits::default()).unwrap().parts;
    let digests: Vec<_> = parts.iter().map(|part| Digest::of(part.content.bytes(bytes))).collect();
    likeness(bytes, &parts, &digests)
}

/// A mail of words, a text file and a picture, with LF.
const MAIL: &str = "Received: from a by b; Sat, 21 Nov 2026 04:00:00 +0000
From: \"Alice Liddell\" <alice@example.org>
To: docs@example.org
Date: Sat, 21 Nov 2026 04:00:00 +0000
Subject: =?utf-8?q?M=C3=A4rz?= and April
Message-ID: <1@example.org>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

Größe =3D
--b
Content-Type: text/csv; name=\"März.csv\"
Content-Transfer-Encoding: 8bit

a;ä
b;ö

--b
Content-Type: image/png; name=a.png
Content-Transfer-Encoding: base64

AA0KQQ==
--b--
";

type Change = dyn Fn(&str) -> String;

#[test]
fn the_way_it_came_makes_no_difference() {
    let ways: [(&str, &Change); 12] = [
        ("CRLF", &|mail| mail.replace('\n', "\r\n")),
        ("another server", &|mail| mail.replace("from a by b", "from a by c\n with ESMTP id 7")),
        ("a return path", &|mail| format!("Return-Path: <x@y.z>\nDelivered-To: docs@example.org\n{mail}")),
        ("a resend", &|mail| format!("Resent-From: bob@example.org\nResent-Message-ID: <2@x>\n{mail}")),
        ("a list", &|mail| {
            format!("List-Id: <l.example.org>\nSender: l@example.org\nPrecedence: list\n{mail}")
        }),
        ("to and cc", &|mail| mail.replace("To: docs", "To: all@example.org\nCc: docs")),
        ("other folds", &|mail| mail.replace("?= and", "?=\n\tand").replace("Nov 2026", "Nov\n 2026")),
        ("another coding of the same words", &|mail| {
            mail.replace("=?utf-8?q?M=C3=A4rz?=", "=?iso-8859-1?b?TeRyeg==?=")
        }),
        ("a name written anew", &|mail| mail.replace("\"Alice Liddell\"", "Alice Liddell")),
        ("8bit as quoted-printable", &|mail| {
            let mail =
                mail.replace("8bit", "quoted-printable").replace("Größe =3D", "Gr=C3=B6=C3=9Fe=20=\n=3D3D");
            mail.replace("a;ä\nb;ö", "a;=C3=A4\nb;=C3=\n=B6")
        }),
        ("8bit as base64", &|mail| {
            // Whoever encodes text ends its lines in CRLF (RFC 2045 section 6.8).
            let mail = mail.replacen("8bit", "base64", 1).replace("Größe =3D", "R3LDtsOfZSA9M0Q=");
            mail.replacen("8bit", "base64", 1).replace("a;ä\nb;ö\n", "YTvDpA0KYjvDtg0K")
        }),
        ("lines behind the words", &|mail| mail.replace("=3D\n--b", "=3D\n\n\n--b")),
    ];
    let plain = of(MAIL);
    for (way, change) in ways {
        let changed = change(MAIL);
        assert_ne!(changed, MAIL, "{way}");
        assert_eq!(of(&changed), plain, "{way}");
        assert_eq!(of(changed.replace("\r\n", "\n").replace('\n', "\r\n")), plain, "{way}, with CRLF");
    }
}

#[test]
fn what_it_says_or_carries_does() {
    let mut seen = vec![of(MAIL)];
    for (from, to) in [
        ("<1@example.org>", "<2@example.org>"),
        ("Message-ID: <1@example.org>\n", ""),
        ("alice@example.org", "alicia@example.org"),
        ("From: ", "From: eve@example.org\nFrom: "),
        ("From: \"Alice Liddell\" <alice@example.org>\n", ""),
        ("04:00:00 +0000\nSubject", "04:00:01 +0000\nSubject"),
        ("and April", "and May"),
        ("and April", "andApril"),
        ("Größe", "Grösse"),
        ("Größe", "Größe "),
        ("a;ä", "a;a"),
        ("b;ö\n\n", "b;ö\n"),
        ("März.csv", "Mai.csv"),
        ("; name=\"März.csv\"", ""),
        ("text/csv", "text/x-csv"),
        // With a NUL it cannot have come as lines: CRLF and LF are two files.
        ("AA0KQQ==", "AApB"),
        ("image/png; name=a.png", "image/png; name=a.png\nContent-Disposition: attachment; filename=b.png"),
        ("--b--", "--b\nContent-Type: image/png; name=a.png\n\n--b--"),
        ("--b\nContent-Type: text/plain", "--b\n\n--b\nContent-Type: text/plain"),
    ] {
        let changed = MAIL.replacen(from, to, 1);
        assert_ne!(changed, MAIL, "{from}");
        let likeness = of(&changed);
        assert!(!seen.contains(&likeness), "{from} → {to}");
        seen.push(likeness);
    }
    // What was encoded, and is no text, is the bytes that were sent.
    let [crlf, lf] = ["WA0KQQ==", "WApB"].map(|coded| of(MAIL.replace("AA0KQQ==", coded)));
    assert_ne!(crlf, lf);
}

/// The same bytes in another place are another mail.
#[test]
fn fields_cannot_be_shifted_into_one_another() {
    let mails = [
        "Subject: ab\nDate: c\n\n",
        "Subject: a\nDate: bc\n\n",
        "Subject: abc\n\n",
        "Date: abc\n\n",
        "X-Message-ID: <i>\nMessage-ID: <iabc>\n\n",
        "From: abc\n\n",
        "From: a\nFrom: bc\n\n",
        "From: a, bc\n\n",
        "X: y\n\nabc",
        "Content-Disposition: attachment; filename=abc\n\n",
    ];
    let with_id = |mail: &&str| match mail.contains("Message-ID") {
        true => of(mail),
        false => of(format!("Message-ID: <i>\n{mail}")),
    };
    let mut all: Vec<_> = mails.iter().map(with_id).collect();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), mails.len());
}

#[test]
fn an_image_that_the_words_show_is_not_one_that_is_attached() {
    let mail = |id: &str| {
        format!(
            "Date: d\nContent-Type: multipart/related; boundary=b\n\n--b\nContent-Type: text/html\n\n<img src=cid:i>\n\
             --b\nContent-Type: image/png; name=i.png\nContent-ID: <{id}>\n\nPNG\n--b--\n"
        )
    };
    assert_ne!(of(mail("i")), of(mail("j")));
}

/// What is read of a long From is not all of it.
#[test]
fn a_long_from_counts_to_its_end() {
    let mail = |end: &str| format!("Date: d\nFrom: {}{end}\n\nhi", "a@x.org,\n ".repeat(2000));
    assert_ne!(of(mail("b@x.org")), of(mail("c@x.org")));
}

/// A device may send the same report each day, and neither number nor date it.
#[test]
fn without_id_and_date_no_mail_is_like_another() {
    for (header, is_known) in [
        ("Message-ID: <a@b>\n", true),
        ("Date: Sat, 21 Nov 2026 04:00:00 +0000\n", true),
        ("Message-ID:\nDate: \n", false),
        ("", false),
    ] {
        let mail = format!("{header}From: scanner@example.org\nSubject: Report\n\nAll is well.\n");
        assert_eq!(likeness_of(mail).is_some(), is_known, "{header}");
    }
}
