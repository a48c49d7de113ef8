use super::*;
use crate::message::tnef::made::*;
use crate::message::{Message, read};

const PNG: &str = "image/png";

/// A mail with this stream in the middle of three parts, in binary and as base64.
fn mails(head: &str, stream: &[u8]) -> [Vec<u8>; 2] {
    [("binary", stream.to_vec()), ("base64", encoded(stream).into_bytes())].map(|(encoding, content)| {
        let parts = format!(
            "Content-Type: multipart/mixed; boundary=B\n\n--B\nContent-Type: text/html\n\n<img src=cid:a@x>\n--B\n\
             {head}\nContent-Transfer-Encoding: {encoding}\n\n"
        );
        let end = "\n--B\nContent-Type: image/png\nContent-ID: <a@x>\n\nPNG\n--B--\n";
        [parts.as_bytes(), &content, end.as_bytes()].concat()
    })
}

fn encoded(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let number =
            group.iter().fold(0u32, |number, &byte| number << 8 | u32::from(byte)) << (8 * (3 - group.len()));
        for nth in 0..4 {
            let letter = ALPHABET[(number >> (18 - 6 * nth)) as usize & 63];
            text.push(if nth <= group.len() { letter.into() } else { '=' });
        }
        if text.len() % 77 == 76 {
            text.push('\n');
        }
    }
    text
}

/// Each part as `kind type name bytes (inside) note`, without the first and the last one and what TNEF holds as a whole.
fn listed(message: &Message, mail: &[u8]) -> Vec<String> {
    let shown = |part: &Part| {
        let kind = part.kind.as_str();
        let whole =
            part.media_type.ends_with("ms-tnef") || part.content.bytes(mail).starts_with(&tnef::SIGNATURE);
        let bytes =
            if whole { "…".to_owned() } else { part.content.bytes(mail).escape_ascii().to_string() };
        let name = part.name.as_deref().unwrap_or("-");
        let inside = part.inside.map_or(String::new(), |index| format!(" in {index}"));
        let note = part.note.as_deref().map_or(String::new(), |note| format!("; {note}"));
        format!("{kind} {} {name} {bytes}{inside}{note}", part.media_type)
    };
    let [first, middle @ .., last] = message.parts.as_slice() else { panic!("{message:?}") };
    assert_eq!((first.kind, last.kind), (PartKind::Body, PartKind::InlineImage));
    middle.iter().map(shown).collect()
}

fn parts(head: &str, stream: &[u8]) -> Vec<String> {
    let [binary, base64] = mails(head, stream);
    let [one, other] = [binary, base64].map(|mail| listed(&read(&mail, &Limits::default()).unwrap(), &mail));
    assert_eq!(one, other);
    one
}

const TNEF: &str = "Content-Type: application/ms-tnef; name=winmail.dat";

#[test]
fn attachments_stand_in_the_place_of_winmail_dat() {
    let typed = |name: &[u8], media_type: &str, id: &str| {
        let properties = properties(&[
            string8(0x3707, name),
            string8(0x370e, media_type.as_bytes()),
            string8(0x3712, id.as_bytes()),
        ]);
        attachment(&[data(name), properties])
    };
    let all = stream(&[
        message(&[binary(0x1013, b"<img src=\"cid:c@x\">")]),
        file("a.pdf", b"PDF"),
        typed(b"b.eml", "message/rfc822", ""),
        typed(b"c.png", PNG, "<c@x>"),
        typed(b"d.png", PNG, "<d@x>"),
        typed(b"e.pdf", "application/pdf", "<c@x>"),
        typed(b"f.ics", "text/calendar", ""),
        typed(b"g", "no type", ""),
        typed(b"h.png", PNG, "<a@x>"),
    ]);
    let expected = [
        "opened application/ms-tnef winmail.dat …",
        "attachment application/octet-stream a.pdf PDF in 1",
        "forwarded message/rfc822 b.eml b.eml in 1",
        "inline-image image/png c.png c.png in 1",
        "attachment image/png d.png d.png in 1",
        "attachment application/pdf e.pdf e.pdf in 1",
        "invitation text/calendar f.ics f.ics in 1",
        "attachment application/octet-stream g g in 1",
        "inline-image image/png h.png h.png in 1",
    ];
    assert_eq!(parts(TNEF, &all), expected);
}

#[test]
fn what_is_taken_for_tnef() {
    let sound = stream(&[file("a.txt", b"x")]);
    let opened = |head: &str, stream: &[u8]| parts(head, stream).remove(0);
    for head in [
        TNEF,
        "Content-Type: application/vnd.ms-tnef",
        "Content-Type: application/octet-stream; name=WINMAIL.DAT",
        "Content-Type: a/b\nContent-Disposition: attachment; filename=win.dat",
    ] {
        assert!(opened(head, &sound).starts_with("opened "), "{head}");
    }
    assert_eq!(
        opened("Content-Type: a/b; name=other.dat", &sound),
        "attachment a/b other.dat …",
        "neither type nor name"
    );
    assert_eq!(opened("Content-Type: a/b; name=winmail.dat", b"x"), "attachment a/b winmail.dat x");
    let mistaken = "attachment application/ms-tnef winmail.dat …; not opened: it does not begin as TNEF does";
    assert_eq!(parts(TNEF, b"PK"), [mistaken]);
    assert_eq!(parts(TNEF, b""), [mistaken]);
    // Nothing attached: the words of the mail are no file.
    assert_eq!(parts(TNEF, &stream(&[])), ["opened application/ms-tnef winmail.dat …"]);
}

#[test]
fn doubt_files_winmail_dat_itself() {
    let mut broken = stream(&[file("a.txt", b"one"), file("b.txt", b"two")]);
    let last = broken.len() - 1;
    broken[last] ^= 1;
    let [only] = parts(TNEF, &broken).try_into().unwrap();
    assert!(
        only.starts_with("attachment application/ms-tnef winmail.dat …; not opened: the checksum of"),
        "{only}"
    );
    let with_a_message = stream(&[inner(&stream(&[file("b.txt", b"two")])), file("a.txt", b"one")]);
    let expected = [
        "attachment application/ms-tnef winmail.dat …; filed itself, for it holds what is no file of its own: a message",
        "attachment application/octet-stream a.txt one in 1",
        "attachment application/octet-stream b.txt two in 1",
    ];
    assert_eq!(parts(TNEF, &with_a_message), expected);
}

#[test]
fn what_is_attached_counts_as_parts_do() {
    let [_, mail] = mails(TNEF, &stream(&vec![file("a.txt", b"x"); 6]));
    // Four parts of MIME: the multipart and three leaves.
    let with = |parts| read(&mail, &Limits { parts, ..Limits::default() }).unwrap();
    assert_eq!(with(10).parts.len(), 9);
    let above = listed(&with(9), &mail);
    assert_eq!(
        above,
        [
            "attachment application/ms-tnef winmail.dat …; not opened: it takes the mail above its limit of parts"
        ]
    );
    // Each of several draws on what the others have left.
    let two = String::from_utf8(mail.clone()).unwrap();
    let part = two.split("--B\n").nth(2).unwrap();
    let two = two.replacen(part, &format!("{part}--B\n{part}"), 1);
    let message = read(two.as_bytes(), &Limits { parts: 12, ..Limits::default() }).unwrap();
    let kinds: Vec<_> =
        message.parts.iter().filter(|part| part.inside.is_none()).map(|part| part.kind).collect();
    assert_eq!(kinds, [PartKind::Body, PartKind::Opened, PartKind::Attachment, PartKind::InlineImage]);
    // What is decoded is held once, whatever was attached in it.
    assert_eq!(with(10).decoded_bytes(), stream(&vec![file("a.txt", b"x"); 6]).len());
}

#[test]
fn what_is_attached_is_not_opened_again() {
    let innermost = stream(&[file("a.txt", b"x")]);
    let expected = [
        "opened application/ms-tnef winmail.dat …",
        "attachment application/octet-stream winmail.dat … in 1",
    ];
    assert_eq!(parts(TNEF, &stream(&[file("winmail.dat", &innermost)])), expected);
}
