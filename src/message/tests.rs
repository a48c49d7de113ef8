use super::*;

fn default(message: &[u8]) -> Message {
    read(message, &Limits::default()).unwrap()
}

fn too_complex(message: &[u8]) -> String {
    match read(message, &Limits::default()) {
        Err(Unreadable::TooComplex(why)) => why,
        other => panic!("{other:?}"),
    }
}

/// Each part as `kind type name bytes`.
fn listed(message: &str) -> Vec<String> {
    let bytes = message.as_bytes();
    let parts = default(bytes).parts;
    let one = |part: &Part| {
        let name = part.name.as_deref().unwrap_or("-");
        format!("{:?} {} {name} {}", part.kind, part.media_type, part.content.bytes(bytes).escape_ascii())
    };
    parts.iter().map(one).collect()
}

/// A mail of these parts, each a header and a body; `B` delimits them.
fn mixed(subtype: &str, parts: &[&str]) -> String {
    let parts: String = parts.iter().map(|part| format!("--B\n{part}\n")).collect();
    format!("Content-Type: multipart/{subtype}; boundary=B\n\n{parts}--B--\n")
}

#[test]
fn what_a_message_says_of_itself() {
    let message = default(
        b"Message-ID: <1@x.org>\nFrom: Alice <a@x.org>\nSubject: =?utf-8?q?M=C3=A4rz?=\n =?utf-8?q?_2?=\n\nhi",
    );
    assert_eq!(message.headline.message_id.as_deref(), Some("1@x.org"));
    assert_eq!(message.headline.subject.as_deref(), Some("März 2"));
    assert_eq!(message.headline.from.as_deref(), Some("a@x.org"));
    assert_eq!(message.mailbox.unwrap().as_str(), "a@x.org");
    let message = default(b"From: a@x.org, \"B\" <b@x.org>\nFrom: c@x.org\n\n");
    assert_eq!(message.headline.from.as_deref(), Some("a@x.org, b@x.org, c@x.org"));
    assert!(message.mailbox.is_err());
    let long = default(format!("Subject: x{}\n\n", "ä".repeat(9000)).as_bytes()).headline.subject.unwrap();
    assert!(long.len() > 8000 && long.ends_with('ä'));
    let message = default(b"X: y\n\n");
    assert_eq!(
        (message.headline.message_id, message.headline.subject, message.headline.from),
        (None, None, None)
    );
}

#[test]
fn whom_it_is_to_and_of_when() {
    let text = "To: A <a@x.org>, undisclosed\nCC: c@x.org\nCc: =?utf-8?q?D=C3=A4?= <d@x.org>\n\
                Date: Sat, 21 Nov 2026 05:06:07 +0100 (MEZ)\nDate: Sun, 22 Nov 2026 05:06:07 +0100\n\nhi";
    let headline = default(text.as_bytes()).headline;
    assert_eq!(headline.to.as_deref(), Some("a@x.org, undisclosed"));
    assert_eq!(headline.cc.as_deref(), Some("c@x.org, d@x.org"));
    assert_eq!(headline.date.map(|date| date.to_string()).as_deref(), Some("2026-11-21T04:06:07Z"));
    for date in ["", "yesterday", "32 Nov 2026 05:06:07 +0100", "Sat, 21 Nov 99999999999 05:06:07 +0100"] {
        assert_eq!(default(format!("Date: {date}\n\nhi").as_bytes()).headline.date, None, "{date}");
    }
}

#[test]
fn the_invitation_is_what_a_mail_is_about() {
    let calendar = |uid: &str| format!("BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:{uid}\nEND:VEVENT\nEND:VCALENDAR");
    let file = format!(
        "Content-Type: text/calendar; name=a.ics\nContent-Disposition: attachment; filename=a.ics\n\n{}",
        calendar("file")
    );
    let invitation = format!("Content-Type: text/calendar; method=REQUEST\n\n{}", calendar("invitation"));
    for (parts, uid) in [
        (vec![file.as_str(), &invitation], Some("invitation")),
        (vec![file.as_str()], Some("file")),
        (vec!["\n\nUID:none"], None),
    ] {
        let text = mixed("mixed", &parts);
        let found = default(text.as_bytes()).calendar(text.as_bytes()).uid;
        assert_eq!(found.as_deref(), uid);
    }
}

#[test]
fn of_a_field_that_stands_twice_the_first_counts() {
    let twice = "Subject: one\nSubject: two\nMessage-ID: <1@x>\nMessage-ID: <2@x>\nContent-Type: a/b\nContent-Type: c/d\n\nhi";
    let message = default(twice.as_bytes());
    assert_eq!(message.headline.subject.as_deref(), Some("one"));
    assert_eq!(message.headline.message_id.as_deref(), Some("1@x"));
    assert_eq!(message.parts[0].media_type, "a/b");
    assert!(message.flaws.contains("a header that readers may take differently"));
    assert!(
        default(b"Subject: one\nSubject: two\n\nhi")
            .flaws
            .contains("a header that readers may take differently")
    );
    assert!(default(b"X-A: one\nX-A: two\n\nhi").flaws.is_empty());
}

#[test]
fn where_two_readers_read_two_addresses_there_is_none() {
    // mail-parser takes a quoted local-part outside brackets for a name.
    assert!(default(b"From: \"a b\"@x.org\n\n").mailbox.is_err());
    assert!(default(b"From: <\"a b\"@x.org>\n\n").mailbox.is_ok());
}

#[test]
fn bodies_and_files() {
    for (parts, kinds) in [
        (vec!["Content-Type: text/plain\n\nhi"], vec!["Body"]),
        (vec!["Content-Type: text/plain; name=a.txt\n\nhi"], vec!["Body"]),
        (vec!["Content-Type: text/plain; name=a.pdf\n\nhi"], vec!["Attachment"]),
        (vec!["Content-Type: text/html\nContent-Disposition: attachment\n\nhi"], vec!["Attachment"]),
        (vec!["\nhi", "Content-Type: text/plain; name=a.txt\n\nhi"], vec!["Body", "Attachment"]),
        (vec!["\nhi", "Content-Type: text/plain\n\nfooter"], vec!["Body", "Body"]),
        (
            vec!["\nhi", "Content-Type: application/pdf\nContent-Disposition: inline\n\n%PDF"],
            vec!["Body", "Attachment"],
        ),
        (vec!["Content-Type: text/calendar; method=REQUEST\n\nBEGIN"], vec!["Invitation"]),
        (vec!["Content-Type: text/enriched\n\nhi"], vec!["Body"]),
        (vec!["\nhi", "Content-Type: text/enriched\n\nhi"], vec!["Body", "Attachment"]),
        (vec!["Content-Type: application/pdf\n\n \n"], vec!["Body"]),
        (vec!["Content-Type: application/pdf; name=empty.pdf\n\n"], vec!["Attachment"]),
        (vec!["Content-Type: application/ms-tnef; name=winmail.dat\n\nx"], vec!["Attachment"]),
        (vec!["Content-Type: message/rfc822\n\nSubject: x\n\nhi", "\nhi"], vec!["Forwarded", "Body"]),
        (vec!["Content-Type: message/delivery-status\n\nStatus: 5.0.0"], vec!["Attachment"]),
        (vec!["Content-Type: pdf\n\nhi"], vec!["Attachment"]),
        (vec!["Content-Type: text\n\nhi"], vec!["Body"]),
    ] {
        let mail = mixed("mixed", &parts);
        let message = default(mail.as_bytes());
        let found: Vec<String> = message.parts.iter().map(|part| format!("{:?}", part.kind)).collect();
        assert_eq!(found, kinds, "{mail}");
    }
    let forms = [
        "Content-Type: text/plain\n\nhi",
        "Content-Type: text/watch-html\n\nhi",
        "Content-Type: application/rtf\n\nhi",
    ];
    let kinds: Vec<_> =
        default(mixed("alternative", &forms).as_bytes()).parts.iter().map(|part| part.kind).collect();
    assert_eq!(kinds, [PartKind::Body, PartKind::Body, PartKind::Attachment]);
}

#[test]
fn invitations_and_attached_calendars() {
    for (header, kind) in [
        ("text/calendar; method=REQUEST", PartKind::Invitation),
        ("text/calendar; charset=utf-8; METHOD=reply; name=a.ics", PartKind::Invitation),
        (
            "text/calendar; method=REQUEST\nContent-Disposition: attachment; filename=a.ics",
            PartKind::Invitation,
        ),
        ("text/calendar", PartKind::Invitation),
        ("text/calendar; name=a.ics", PartKind::Attachment),
        ("text/calendar\nContent-Disposition: inline; filename=a.ics", PartKind::Attachment),
        ("text/calendar\nContent-Disposition: attachment", PartKind::Attachment),
        ("application/ics; name=a.ics; method=REQUEST", PartKind::Attachment),
    ] {
        let part = format!("Content-Type: {header}\n\nBEGIN:VCALENDAR\nMETHOD:REQUEST\nEND:VCALENDAR");
        let message = default(mixed("mixed", &["\nhi", &part]).as_bytes());
        assert_eq!(message.parts[1].kind, kind, "{header}");
    }
}

/// What is signed or encrypted is filed as it came: opening it is up to whoever has the key.
#[test]
fn signed_and_encrypted_parts_are_kept_whole() {
    let opaque = "Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\n\
                  Content-Disposition: attachment; filename=smime.p7m\nContent-Transfer-Encoding: base64\n\nAAEC";
    assert_eq!(listed(opaque), ["Attachment application/pkcs7-mime smime.p7m \\x00\\x01\\x02"]);
    let signature = "Content-Type: application/pkcs7-signature; name=smime.p7s\n\
                     Content-Transfer-Encoding: base64\n\nAAEC";
    let pdf = "Content-Type: application/pdf; name=a.pdf\n\nPDF";
    let signed =
        mixed("signed", &[&format!("{}\n", mixed("mixed", &["\nhi", pdf]).replace('B', "C")), signature]);
    assert_eq!(
        listed(&signed)[1..],
        [
            "Attachment application/pdf a.pdf PDF",
            "Attachment application/pkcs7-signature smime.p7s \\x00\\x01\\x02"
        ]
    );
    let encrypted = mixed(
        "encrypted",
        &[
            "Content-Type: application/pgp-encrypted\n\nVersion: 1",
            "Content-Type: application/octet-stream; name=encrypted.asc\n\n-----BEGIN PGP MESSAGE-----",
        ],
    );
    assert_eq!(
        listed(&encrypted),
        [
            "Attachment application/pgp-encrypted - Version: 1",
            "Attachment application/octet-stream encrypted.asc -----BEGIN PGP MESSAGE-----"
        ]
    );
}

/// Words, a file, words again, and a list's words at the end: all of them are the body.
#[test]
fn a_mail_with_several_bodies() {
    let plain = "Content-Type: text/plain\n\nwords";
    let html = "Content-Type: text/html\nContent-Disposition: inline\n\n<p>";
    let pdf = "Content-Type: application/pdf; name=a.pdf\n\nPDF";
    let mail = mixed("mixed", &[plain, pdf, html, pdf, plain]);
    let kinds: Vec<_> = default(mail.as_bytes()).parts.iter().map(|part| part.kind).collect();
    use PartKind::{Attachment, Body};
    assert_eq!(kinds, [Body, Attachment, Body, Attachment, Body]);
}

/// A name in each charset that programs still write, as an encoded word, by RFC 2231, and what is broken in either.
#[test]
fn names_in_every_charset() {
    for (charset, hex, name) in [
        ("utf-8", "C3A4", "ä"),
        ("iso-8859-1", "E4", "ä"),
        ("iso-8859-15", "A4", "€"),
        ("windows-1252", "80", "€"),
        ("iso-8859-2", "B9", "š"),
        ("windows-1250", "9A", "š"),
        ("iso-8859-5", "B6", "Ж"),
        ("windows-1251", "C6", "Ж"),
        ("koi8-r", "F6", "Ж"),
        ("iso-8859-7", "E1", "α"),
        ("windows-1255", "E0", "א"),
        ("windows-1256", "C8", "ب"),
        ("iso-8859-9", "FD", "ı"),
        ("macintosh", "8A", "ä"),
        ("gb2312", "D6D0", "中"),
        ("gbk", "D6D0", "中"),
        ("gb18030", "D6D0", "中"),
        ("big5", "A4A4", "中"),
        ("shift_jis", "93FA", "日"),
        ("euc-jp", "C6FC", "日"),
        ("iso-2022-jp", "1B2442467C1B2842", "日"),
        ("euc-kr", "C7D1", "한"),
        ("ks_c_5601-1987", "C7D1", "한"),
        ("utf-16be", "00E4", "ä"),
        ("utf-7", "2B41 4F512D", "ä"),
        ("us-ascii", "61", "a"),
        ("no-such", "C3A4", "ä"),
    ] {
        let hex: Vec<_> = hex
            .replace(' ', "")
            .as_bytes()
            .chunks(2)
            .map(|pair| String::from_utf8(pair.into()).unwrap())
            .collect();
        let coded = |mark: &str| hex.iter().map(|pair| format!("{mark}{pair}")).collect::<String>();
        for value in [
            format!("filename=\"=?{charset}?q?{}?=.pdf\"", coded("=")),
            format!("filename*={}''{}.pdf", charset, coded("%")),
            format!("filename*0*={charset}'en'{}; filename*1=\".pdf\"", coded("%")),
        ] {
            // `.pdf` would have to be in that charset as well.
            if charset == "utf-16be" && !value.contains('?') {
                continue;
            }
            let mail = format!("Content-Type: a/b\nContent-Disposition: attachment; {value}\n\nx");
            let found = default(mail.as_bytes()).parts[0].name.clone().unwrap_or_default();
            assert_eq!(found, format!("{name}.pdf"), "{value}");
        }
    }
}

#[test]
fn images_that_the_html_shows() {
    let image =
        "Content-Type: image/png; name=i.png\nContent-ID: <i%1@x>\nContent-Disposition: inline\n\nPNG";
    let other = "Content-Type: image/png\nContent-ID: <other@x>\n\nPNG";
    for (html, shown) in [
        ("<img src=\"cid:i%251@x\">", true),
        ("<IMG SRC='CID:i%251@x'>", true),
        ("<p style=\"background:url(&quot;cid:i%251@x&quot;)\">", true),
        ("<img src=cid:other>", false),
        ("no image", false),
    ] {
        let mail = mixed("related", &[&format!("Content-Type: text/html\n\n{html}"), image, other]);
        let kinds: Vec<_> = default(mail.as_bytes()).parts.iter().map(|part| part.kind).collect();
        let expected = if shown { PartKind::InlineImage } else { PartKind::Attachment };
        assert_eq!(kinds, [PartKind::Body, expected, PartKind::Attachment], "{html}");
    }
}

#[test]
fn bytes_of_files_are_those_of_the_sender() {
    let csv = "Content-Type: text/csv; charset=iso-8859-1; name=a.csv\nContent-Transfer-Encoding: quoted-printable\n\n=E4;=\n1\n";
    let mail =
        mixed("mixed", &["\nhi", csv, "Content-Type: a/b\nContent-Transfer-Encoding: base64\n\nAAH/\n"]);
    assert_eq!(
        listed(&mail)[1..],
        ["Attachment text/csv a.csv \\xe4;1\\n", "Attachment a/b - \\x00\\x01\\xff"]
    );
    let mail = mixed("mixed", &["Content-Type: a/b\n\nx\r\n\r\n"]).replace("\r\n\n--B--", "\r\n\r\n--B--");
    assert_eq!(listed(&mail), ["Attachment a/b - x\\r\\n\\r\\n"]);
    let broken = mixed("mixed", &["Content-Type: a/b\nContent-Transfer-Encoding: base64\n\nQU\u{1}I="]);
    assert_eq!(listed(&broken), ["Attachment a/b - AB"]);
    assert_eq!(default(broken.as_bytes()).parts[0].note.as_deref(), Some("a broken transfer encoding"));
}

#[test]
fn forwarded_messages_are_files() {
    let inner = mixed("mixed", &["\none", "Content-Type: a/b; name=x\n\ntwo"])
        .replace("--B", "--C")
        .replace("=B", "=C");
    let mail = mixed(
        "mixed",
        &["\nhi", &format!("Content-Type: message/rfc822\n\n{inner}"), "Content-Type: a/b\n\nthree"],
    );
    let parts = listed(&mail);
    assert_eq!(parts.len(), 3);
    assert_eq!(parts[1], format!("Forwarded message/rfc822 - {}", inner.escape_default()));
    assert_eq!(parts[2], "Attachment a/b - three");
    let coded = "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nU3ViamVjdDogeAoKaGk=";
    assert_eq!(listed(&mixed("mixed", &[coded])), ["Forwarded message/rfc822 - Subject: x\\n\\nhi"]);
    let digest =
        mixed("digest", &["\nSubject: 1\n\none", "Content-Type: text/plain\n\ntwo", "\nSubject: 3\n\nthree"]);
    let expected = [
        "Forwarded message/rfc822 - Subject: 1\\n\\none",
        "Body text/plain - two",
        "Forwarded message/rfc822 - Subject: 3\\n\\nthree",
    ];
    assert_eq!(listed(&digest), expected);
}

/// Each of these hides files from some readers.
#[test]
fn no_file_vanishes() {
    let pdf = "Content-Type: application/pdf\n\nPDF";
    let inner = "Content-Type: multipart/alternative; boundary=C\n\n--C\n\nhi";
    let cases = [
        ("inner multipart never closed", mixed("mixed", &[inner, pdf])),
        ("nothing closed", mixed("mixed", &["\nhi", pdf]).replace("\n--B--\n", "")),
        ("header without body", mixed("mixed", &["Content-Type: text/plain", pdf])),
        ("parts behind the end", mixed("mixed", &["\nhi"]) + &format!("--B\n{pdf}\n--B--\n")),
        ("outer boundary begins the inner one", {
            let inner = inner.replace("boundary=C", "boundary=B1").replace("--C", "--B1");
            mixed("mixed", &[&format!("{inner}\n--B1--\n"), pdf])
        }),
        (
            "inner boundary equals the outer",
            mixed("mixed", &[&inner.replace("=C", "=B").replace("--C", "--B"), pdf]),
        ),
        ("delimiter inside a line", mixed("mixed", &["\nhi --B\nor so", pdf])),
        ("blanks behind a delimiter", mixed("mixed", &["\nhi", pdf]).replace("--B\n", "--B \t\r\n")),
        (
            "type with a blank before the colon",
            mixed("mixed", &["\nhi", pdf]).replace("Type: multi", "Type : multi"),
        ),
        (
            "boundary in pieces",
            mixed("mixed", &["\nhi", pdf]).replace("boundary=B", "boundary*0=\"\"; boundary*1=B"),
        ),
    ];
    for (case, mail) in cases {
        let parts = listed(&mail);
        assert!(parts.iter().any(|part| part == "Attachment application/pdf - PDF"), "{case}: {parts:?}");
    }
}

#[test]
fn a_multipart_that_is_none_is_kept_whole() {
    for (header, body) in [
        ("Content-Type: multipart/mixed", "--B\n\nhi\n--B--\n"),
        ("Content-Type: multipart/mixed; boundary=\"\"", "--\n\nhi\n"),
        ("Content-Type: multipart/mixed; boundary=C", "--B\n\nhi\n--B--\n"),
        ("Content-Type: multipart/mixed; boundary=C", "hi\n--C--\n"),
    ] {
        let mail = format!("{header}\n\n{body}");
        assert_eq!(listed(&mail), [format!("Attachment multipart/mixed - {}", body.escape_default())]);
        assert!(!default(mail.as_bytes()).flaws.is_empty());
    }
    assert_eq!(listed("Content-Type: multipart/mixed\n\njust words"), ["Body multipart/mixed - just words"]);
    let coded = "Content-Type: multipart/mixed; boundary=C\nContent-Transfer-Encoding: base64\n\naGk=";
    assert_eq!(listed(coded), ["Attachment multipart/mixed - hi"]);
}

#[test]
fn empty_and_headless() {
    for bad in ["", "\n", "\r\n\r\nhi", "just text", "no field\nnor here\nA: 1\n\n"] {
        assert!(matches!(read(bad.as_bytes(), &Limits::default()), Err(Unreadable::Malformed(_))), "{bad:?}");
    }
    assert_eq!(listed("A: 1"), ["Body text/plain - "]);
    assert_eq!(listed("A: 1\nno empty line"), ["Body text/plain - no empty line"]);
    assert_eq!(listed("From x Mon\nA: 1\n\nhi"), ["Body text/plain - hi"]);
}

/// `depth` levels of the header of one container in another.
fn nested(depth: usize, level: impl Fn(usize) -> String) -> Vec<u8> {
    (0..depth).map(level).collect::<String>().into_bytes()
}

#[test]
fn nesting_is_counted_and_never_recursed_on() {
    let spellings = ["Content-Type: message/rfc822\n\n", "content-type :\tMESSAGE/Global (x);y\r\n\r\n"];
    for spelling in spellings {
        assert_eq!(
            too_complex(&nested(22_500, |_| spelling.to_owned())),
            "more than 32 levels of parts inside parts"
        );
        assert!(read(&nested(32, |_| spelling.to_owned()), &Limits::default()).is_ok());
    }
    let multiparts = |n: usize| format!("Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n");
    assert_eq!(too_complex(&nested(100_000, multiparts)), "more than 32 levels of parts inside parts");
    let digests = |n: usize| format!("Content-Type: multipart/digest; boundary=b{n}\n\n--b{n}\n\n");
    assert_eq!(too_complex(&nested(100_000, digests)), "more than 32 levels of parts inside parts");
    // Encoded ones are not opened, so they may nest as they like.
    let coded = "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n";
    assert_eq!(default(coded.repeat(22_500).as_bytes()).parts.len(), 1);
    // With every limit off the walk still has its own stack, and needs next to none of the thread's.
    let deep = || {
        let none = Limits { depth: usize::MAX, parts: usize::MAX, ..Limits::default() };
        read("Content-Type: message/rfc822\n\n".repeat(22_500).as_bytes(), &none).unwrap().parts.len()
    };
    let small = std::thread::Builder::new().stack_size(128 << 10);
    assert_eq!(small.spawn(deep).unwrap().join().unwrap(), 1);
}

#[test]
fn parts_fields_and_parameters_are_counted() {
    let parts = mixed("mixed", &[]).replace("--B--", &"--B\n\n".repeat(100_000));
    assert_eq!(too_complex(parts.as_bytes()), "more than 1000 parts");
    assert_eq!(too_complex("a:\n".repeat(1_000_000).as_bytes()), "more than 10000 header fields");
    assert_eq!(
        too_complex(format!("a: {}\n\n", "x".repeat(5 << 20)).as_bytes()),
        "more than 4194304 bytes of header"
    );
    assert_eq!(
        too_complex(format!("a: b\n{}\n", " x\n".repeat(2 << 20)).as_bytes()),
        "more than 4194304 bytes of header"
    );
    let bomb = format!("Content-Type: a/b{}\n\n", ";x*1*=%41".repeat(200));
    assert_eq!(too_complex(bomb.as_bytes()), "more than 128 parameters in one field");
    let long = format!("Content-Disposition: attachment; filename={}\n\n", "x".repeat(70_000));
    assert_eq!(too_complex(long.as_bytes()), "more than 65536 bytes in one field");
    // A megabyte in a field we only record is no reason to refuse.
    let long = format!("Subject: {}\nFrom: {}\n\n", "=?ab?q? ".repeat(100_000), "(".repeat(1_000_000));
    assert!(read(long.as_bytes(), &Limits::default()).is_ok());
}

/// Seconds that this thread has had the processor for.
fn seconds_at_work() -> i64 {
    rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime).tv_sec
}

/// Each of these costs a careless reader the square of its length; ten seconds is far above what they take.
#[test]
fn time_is_linear() {
    let before = seconds_at_work();
    let many = |unit: &str| unit.repeat(1_000_000);
    for mail in [
        format!("A: 1\n\n{}", many("--\n")),
        format!("Content-Type: multipart/mixed; boundary=\"{}\"\n\n{}", "-".repeat(60_000), many("-")),
        format!("Content-Type: multipart/mixed; boundary=B\n\n{}", many("--B--\n")),
        format!("Content-Type: text/html\n\n{}", many("cid:")),
        format!("Content-Type: text/html\n\n{}", many("cid:x\"")),
        format!("A: 1\n{}\n", many("\r")),
        format!("Content-Transfer-Encoding: base64\n\n!{}", many("QQ=")),
        format!("Content-Transfer-Encoding: quoted-printable\n\n{}", many("= ")),
        format!("A: 1\n\n{}", many("begin 644 a\n#0V%T\n")),
        format!("A: 1\n\nbegin 644 a\n{}", many("#0V%T\n")),
        format!("A: 1\n\n{}", many("begin-base64 644 a\nQUJD\n")),
        format!("A: 1\n\n{}", many("=ybegin line=1 size=1\n")),
        format!("A: 1\n\n=ybegin line=1 size=1 name=a\n{}", many("=")),
    ] {
        let _ = read(mail.as_bytes(), &Limits::default());
    }
    let taken = seconds_at_work() - before;
    assert!(taken < 10, "{taken} s");
}

/// No cut of a mail and no changed byte in it is a reason to panic.
#[test]
fn cut_and_changed_mails() {
    let inner = mixed("digest", &["\nFrom: a@b\n\none", "Content-Type: message/rfc822\n\nA: 1\n\nx"])
        .replace("B", "C");
    let image = "Content-Type: image/png; name*0*=utf-8''%c3; name*1*=%a4\nContent-ID: <i>\nContent-Transfer-Encoding: base64\n\nQUI=";
    let mail = mixed("mixed", &["Content-Type: text/html\n\n<img src=cid:i>", image, &inner]);
    let mail = format!("From: =?utf-8?q?A?= <a@b.org>\nSubject: =?utf-8?b?w6Q=?=\n{mail}");
    for cut in 0..mail.len() {
        let _ = read(&mail.as_bytes()[..cut], &Limits::default());
        for byte in [0, b'\n', b'-', b'=', b':', b'"', b'%', 0xff] {
            let mut changed = mail.clone().into_bytes();
            changed[cut] = byte;
            if let Ok(message) = read(&changed, &Limits::default()) {
                assert!(message.parts.iter().all(|part| part.content.bytes(&changed).len() <= changed.len()));
            }
        }
    }
}

/// In what is forwarded, too: some readers open it, and read on into what follows.
#[test]
fn parts_that_readers_take_differently_are_noted_where_the_sender_stands() {
    let ambiguous = |mail: &str| default(mail.as_bytes()).traces.ambiguous;
    let header = "a header that readers may take differently";
    let twice = "Content-Type: text/csv\nContent-Type: text/html\n\nx";
    assert_eq!(ambiguous(&mixed("mixed", &["\nhi", twice])).as_deref(), Some(header));
    assert_eq!(
        ambiguous(&mixed("mixed", &["Content-Type: text/plain;\ncharset=x\nX: y\n\nhi"])).as_deref(),
        Some(header)
    );
    let forwarded = format!(
        "Content-Type: message/rfc822\n\n{}",
        mixed("mixed", &[twice]).replace("=B", "=C").replace("--B", "--C")
    );
    let read = default(mixed("mixed", &["\nhi", &forwarded]).as_bytes());
    assert_eq!(read.traces.ambiguous.as_deref(), Some(header));
    let boundary = "a boundary that readers may take differently";
    for (from, to) in [("=B", "=B; boundary=C"), ("=B", "=B (x)"), ("boundary=", "boundary*0=")] {
        let mail = mixed("mixed", &["\nhi"]).replacen(from, to, 1);
        assert_eq!(ambiguous(&mail).as_deref(), Some(boundary), "{mail}");
    }
    let behind = mixed("mixed", &["\nhi"]) + "--B\n\nmore\n--B--\n";
    assert_eq!(ambiguous(&behind).as_deref(), Some("parts behind the end of a multipart"));
    assert_eq!(
        ambiguous("Content-Type: multipart/mixed\n\nhi").as_deref(),
        Some("a multipart without parts")
    );
    assert_eq!(
        ambiguous(&mixed("mixed", &["\nhi"]).replace("--B--", "")).as_deref(),
        Some("a multipart that is never closed")
    );
}

/// What mail-parser and mailparse were found to read differently, by the fuzz target `differ`: each of these has other
/// files, or other bytes in them, to some reader.
#[test]
fn what_readers_were_found_to_differ_on_is_ambiguous() {
    let pdf = "Content-Type: application/pdf\n\nPDF";
    let inner = |boundary: &str| {
        format!("Content-Type: multipart/mixed; boundary={boundary}\n\n--{boundary}\n\none\n--{boundary}--\n")
    };
    let unclosed = inner("C").replace("--C--\n", "");
    let two = "Content-Type: message/rfc822\n\n".repeat(2);
    let coded = |encoding: &str| format!("Content-Transfer-Encoding: {encoding}\n\nQUJD");
    let mut unseen = Vec::new();
    for (case, mail) in [
        ("delimiter in the midst of a line", mixed("mixed", &["\nhi --B\nor so", pdf])),
        ("delimiter begins a longer line", mixed("mixed", &["\nhi\n--Bx\nor so", pdf])),
        ("delimiter in a header", mixed("mixed", &["A: --B\n\nhi", pdf])),
        ("outer boundary begins the inner one", mixed("mixed", &[&inner("B1"), pdf])),
        (
            "inner boundary begins the outer one",
            mixed("mixed", &[&unclosed, pdf]).replace("=B", "=CC").replace("--B", "--CC"),
        ),
        ("inner boundary equals the outer", mixed("mixed", &[&inner("B"), pdf])),
        ("inner multipart never closed", mixed("mixed", &[&unclosed, pdf])),
        ("header without body", mixed("mixed", &["Content-Type: text/plain", pdf])),
        ("empty message forwarded", mixed("digest", &["", "\nA: 1\n\nx"])),
        ("header forwarded without body", mixed("mixed", &["Content-Type: message/rfc822\n\nA: 1", pdf])),
        ("words forwarded without header", mixed("digest", &["\nhi", "\nA: 1\n\nx"])),
        ("part without header", mixed("mixed", &["hi", pdf])),
        ("header cut short", mixed("mixed", &["\nhi", "Content-Type: a/b"]).replace("\n--B--\n", "")),
        ("encoding with a comment", mixed("mixed", &[&coded("base64 (so it is)")])),
        ("encoding in quotes", mixed("mixed", &[&coded("\"base64\"")])),
        ("encoding with a semicolon", mixed("mixed", &[&coded("quoted-printable;")])),
        ("encoding as an encoded word", mixed("mixed", &[&coded("=?utf-8?b?YmFzZTY0?=")])),
        ("encoding with a blank that is none", mixed("mixed", &[&coded("\u{a0}base64")])),
        ("a blank before a colon", mixed("mixed", &[&coded("base64").replace(':', " :")])),
        ("a message that is nothing but another", mixed("mixed", &[&two, pdf])),
        ("a parameter that is none", mixed("mixed", &["\nhi"]).replace("; b", "; l*; b")),
        ("a blank that is none behind it", mixed("mixed", &["\nhi", pdf]).replace("B\n\n", "B\u{c}\n\n")),
        ("nearly a message", mixed("mixed", &["Content-Type: message/rfc822\"\n\nA: 1\n\n"])),
        ("nearly a multipart", mixed("mixed", &["\nhi", pdf]).replace("multipart/mixed", "multipart")),
        ("nearly a multipart, too", mixed("mixed", &["\nhi", pdf]).replace("multipart/", "multiparts/")),
        ("a word before the type", mixed("mixed", &["\nhi", pdf]).replace("multi", "x\n multi")),
    ] {
        if default(mail.as_bytes()).traces.ambiguous.is_none() {
            unseen.push(case);
        }
    }
    assert_eq!(unseen, Vec::<&str>::new());
    for (case, mail) in [
        ("nested", mixed("mixed", &[&inner("C"), pdf])),
        ("CRLF", mixed("mixed", &[&inner("C"), pdf]).replace('\n', "\r\n")),
        ("no blank line but that of the delimiter", mixed("mixed", &["A: 1\n", pdf])),
        ("a name in encoded words", mixed("mixed", &["Content-Type: a/b; name=\"=?utf-8?q?a=3Bb?=\"\n\nx"])),
        ("an encoding nobody knows", mixed("mixed", &[&coded("x-none")])),
    ] {
        assert_eq!(default(mail.as_bytes()).traces.ambiguous, None, "{case}: {mail}");
    }
}

/// Each of these splits Python's email, mail-parser and mailparse (`tests/hostile/run.py`).
#[test]
fn what_other_readers_take_for_other_parts_is_in_doubt() {
    let ambiguous = |mail: &str| default(mail.as_bytes()).traces.ambiguous;
    let file = "Content-Type: a/b\nContent-Disposition: attachment\n\nx";
    let sound = mixed("mixed", &["\nhi", file]);
    assert_eq!(ambiguous(&sound), None);
    let crlf = sound.replace('\n', "\r\n");
    // Breaks inside a part give the mail no shape, and whoever delivers it writes lines of his own above it.
    assert_eq!(ambiguous(&crlf.replace("hi", "h\ni")), None);
    assert_eq!(ambiguous(&format!("Return-Path: <a@b>\n{crlf}")), None);
    assert_eq!(ambiguous(&format!("Content-Transfer-Encoding: 8bit\n{sound}")), None);
    assert_eq!(ambiguous(&format!("Subject: x\n\t\n y\n \n{sound}")), None);
    assert_eq!(ambiguous(&sound.replace("hi", "hi -- you\n-- \n---\nB-- B")), None);
    let almost = "a line that only some readers take for a delimiter";
    let header = "a header that readers may take differently";
    let cut = "a header that is cut off";
    let encoded = "a file in a transfer encoding that readers may take differently";
    let never = "a multipart that is never closed";
    let whole = "a multipart in a transfer encoding";
    let shared = "a multipart inside another whose boundary is the same or begins alike";
    let forwarded =
        |inner: &str| sound.replacen("\nhi", &format!("Content-Type: message/rfc822\n\n{inner}"), 1);
    let of = |subtype: &str, end: &str| {
        format!("Content-Type: multipart/{subtype}; boundary=C\n\n--C\n\nx\n{end}")
    };
    for (mail, why) in [
        (sound.replace("hi", "see --B here"), almost),
        (sound.replace("hi", " --B"), almost),
        (sound.replace("hi", "---B"), almost),
        (sound.replace("hi", "x\r--B\rContent-Type: a/c\r\ry"), almost),
        (sound.replacen("--B\n", "--B\u{c}\n", 1), almost),
        (sound.replacen("--B\n", "--B\r\r\n", 1), almost),
        (sound.replace("--B--", "--B---"), almost),
        (sound.replace("a/b", "a/b\rX: y"), header),
        (sound.replace("a/b\n", "a/b\r\r\n"), header),
        (sound.replace("a/b", "a/b\0"), header),
        (sound.replace("a/b", "a/b\n \nX: y"), header),
        (sound.replacen("multipart/mixed;", "multipart/mixed;\n\t\n", 1), header),
        (sound.replace("Content-Disposition:", "Content-Disposition :"), header),
        (sound.replace("Content-Disposition:", "X-Any :"), header),
        (sound.replacen("\nhi", "hi\n", 1), header),
        (sound.replace("a/b", "a/b\nContent-Transfer-Encoding: base64;"), header),
        (sound.replace("multipart/mixed", "multipart/mixed (x)"), header),
        (format!("Content-Transfer-Encoding: base64\n{sound}"), whole),
        (format!("Content-Transfer-Encoding: quoted-printable\n{sound}"), whole),
        (sound.replacen("--B\n", "--B\nContent-Type: text/html\n--B\n", 1), cut),
        (sound.replace("a/b", "a/b\nContent-Transfer-Encoding: base64").replace("\nx", "\nQUJDRA"), encoded),
        (crlf.replace("--B\r\n", "--B\n"), almost),
        (crlf.replace("hi\r\n", "hi\n"), almost),
        (format!("Return-Path: <a@b>\n{}", crlf.replace("hi\r\n", "hi\n")), almost),
        (crlf.replace("a/b\r\n", "a/b\n"), header),
        (crlf.replace("attachment\r\n\r\n", "attachment\n\n"), header),
        (format!("X-A: 1\r\nX-B: 2\n{crlf}"), header),
        (sound.replace("--B--", ""), never),
        (sound.replacen("\nhi", &of("mixed", ""), 1), never),
        (
            sound.replacen("\nhi", &of("mixed", "--C--").replace('C', "B").replace("Bontent", "Content"), 1),
            shared,
        ),
        (
            sound.replacen("\nhi", &of("mixed", "--C--").replace("=C", "=B--").replace("--C", "--B--"), 1),
            shared,
        ),
        (forwarded(&of("mixed", "")), never),
        (forwarded(&of("mixed", "").replace("--C", "")), "a multipart without parts"),
        (forwarded("Subject: x"), cut),
        (mixed("mixed", &["\nhi", "Content-Type: message/rfc822\n\nSubject: x"]), cut),
        (forwarded("words"), header),
        (forwarded("Subject: x\nwords"), header),
    ] {
        assert_eq!(ambiguous(&mail).as_deref(), Some(why), "{mail:?}");
    }
    // Where nothing follows the delimiter itself may be taken for more of it.
    let last = mixed("mixed", &["\nhi", &format!("Content-Type: message/rfc822\n\n{}", of("mixed", ""))]);
    assert_eq!(ambiguous(&last).as_deref(), Some(never));
    assert_eq!(ambiguous(&forwarded(&of("mixed", "--C--"))), None);
    // Words are no file: what is broken in them is in the original as it came.
    assert_eq!(ambiguous(&sound.replacen("\nhi", "Content-Transfer-Encoding: base64\n\nQ!", 1)), None);
}

/// Looking for what is almost a delimiter costs a bounded number of looks at each byte.
#[test]
fn lines_that_may_delimit_parts_cost_no_square() {
    let before = seconds_at_work();
    let boundaries: Vec<String> = (0..30).map(|n| format!("{}{n}", "-".repeat(60))).collect();
    let start =
        |boundary: &String| format!("Content-Type: multipart/mixed; boundary={boundary}\n\n--{boundary}\n");
    let head: String = boundaries.iter().map(start).collect();
    for line in ["--\n", "--------------\n", &"-".repeat(4000)] {
        let mail = format!("{head}\n{}", line.repeat((16 << 20) / line.len()));
        let read = default(mail.as_bytes());
        assert!(read.traces.ambiguous.is_some());
    }
    let taken = seconds_at_work() - before;
    assert!(taken < 20, "{taken} s");
}
