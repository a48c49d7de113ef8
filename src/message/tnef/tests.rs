use proptest::prelude::*;

use super::made::*;
use super::*;

const LIMITS: Limits = Limits { parts: 100, depth: 5 };

/// Each file as `name bytes`, and the rest.
fn found(stream: &[u8]) -> (Vec<String>, Vec<&'static str>) {
    let tnef = read(stream, &LIMITS).unwrap();
    let shown = |one: &Attachment| {
        let name = one.name.as_deref().unwrap_or("-");
        format!("{name} {}", stream[one.data.clone()].escape_ascii())
    };
    (tnef.attachments.iter().map(shown).collect(), tnef.rest.into_iter().collect())
}

fn files(attachments: &[Vec<u8>]) -> Vec<String> {
    let (files, rest) = found(&stream(attachments));
    assert_eq!(rest, [""; 0]);
    files
}

fn rest(attachments: &[Vec<u8>]) -> Vec<&'static str> {
    let (files, rest) = found(&stream(attachments));
    assert_eq!(files, [""; 0]);
    rest
}

fn doubt(stream: &[u8]) -> Doubt {
    read(stream, &LIMITS).unwrap_err()
}

#[test]
fn files_wherever_their_bytes_stand() {
    assert_eq!(files(&[]), [""; 0]);
    assert_eq!(
        files(&[file("a long name.txt", b"one"), file("b.txt", b"")]),
        ["a long name.txt one", "b.txt "]
    );
    // In a property alone; the content before the name; without properties; without a name.
    let encapsulated = properties(&[binary(0x3701, b"12345"), string8(0x3707, b"a.bin")]);
    assert_eq!(files(&[attachment(&[encapsulated])]), ["a.bin 12345"]);
    assert_eq!(files(&[attachment(&[data(b"x"), title(b"boot.ini")])]), ["boot.ini x"]);
    assert_eq!(files(&[attachment(&[data(b"x")])]), ["- x"]);
    // Twice, and the same.
    let twice = [data(b"x"), properties(&[binary(0x3701, b"x")])];
    assert_eq!(files(&[attachment(&twice)]), ["- x"]);
    // The upper half of an id left out, as some writers do.
    let bare = [attribute(2, 0x9002, b""), attribute(2, 0x800f, b"x")].concat();
    assert_eq!(files(&[bare]), ["- x"]);
}

#[test]
fn names_long_before_short_and_in_their_code_page() {
    let (long, short, shown) = (0x3707, 0x3704, 0x3001);
    for (properties_, name) in [
        (
            vec![string8(long, b"Long name.pdf"), string8(short, b"LONGNA~1.PDF"), string8(shown, b"x")],
            "Long name.pdf",
        ),
        (vec![string8(long, b""), string8(short, b"b.pdf"), string8(shown, b"x")], "b.pdf"),
        (vec![string8(short, b"LONGNA~1.PDF"), string8(shown, b"Long name.pdf")], "Long name.pdf"),
        (vec![string8(short, b"LONGNA~1.PDF")], "LONGNA~1.PDF"),
        (vec![string8(shown, b"x.pdf")], "title.pdf"),
        (vec![string8(long, b"?.pdf"), string(long, "日本.pdf")], "日本.pdf"),
        (vec![string(long, "日本.pdf"), string8(long, b"?.pdf")], "日本.pdf"),
        (vec![string8(long, b"\xfcber.pdf")], "über.pdf"),
    ] {
        let one = attachment(&[title(b"title.pdf"), data(b"x"), properties(&properties_)]);
        assert_eq!(files(&[one]), [format!("{name} x")]);
    }
    let cyrillic = attribute(1, 0x0006_9007, &[1251u32.to_le_bytes(), [0; 4]].concat());
    let one = attachment(&[title(b"\xc4.txt"), data(b"x")]);
    assert_eq!(files(&[cyrillic, one]), ["Д.txt x"]);
}

#[test]
fn types_and_content_ids() {
    let image = properties(&[string8(0x370e, b"Image/PNG"), string(0x3712, "<a@b>")]);
    let stream = stream(&[attachment(&[data(b"x"), image]), attachment(&[data(b"y")])]);
    let found = read(&stream, &LIMITS).unwrap().attachments;
    assert_eq!(found[0].media_type.as_deref(), Some("image/png"));
    assert_eq!(found[0].content_id.as_deref(), Some(&b"a@b"[..]));
    assert_eq!((found[1].media_type.as_deref(), found[1].content_id.as_deref()), (None, None));
}

#[test]
fn properties_of_every_type_are_walked_over() {
    let guid = [7; 16];
    let id = [&guid[..], &[0; 4], &[1, 2, 3, 4]].concat();
    let text = utf16("Keywords");
    let length = u32::try_from(text.len()).unwrap().to_le_bytes();
    let name = [&guid[..], &[1, 0, 0, 0], &length, &text, &[0; 2]].concat();
    let mut all = vec![
        named(0x001e, 0x8001, &id, &[b"named by number\0"]),
        named(0x101f, 0x8002, &name, &[&utf16("several"), &utf16("texts!"), b""]),
        many(0x1102, 0x0e00, &[b"1", b"22", b"", b"4444"]),
        many(0x001e, 0x0e01, &[]),
        fixed(0x1003, 0x0e02, &[2, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]),
        fixed(0x1014, 0x0e03, &[0; 4]),
        fixed(0x000b, 0x0e04, &[1, 0, 0xcc, 0xcc]),
    ];
    for (kind, length) in
        [(2, 4), (3, 4), (4, 4), (5, 8), (6, 8), (7, 8), (10, 4), (20, 8), (0x40, 8), (0x48, 16)]
    {
        all.push(fixed(kind, 0x0e10 + kind, &vec![9; length]));
    }
    all.push(string8(0x3707, b"behind them all.txt"));
    assert_eq!(
        files(&[message(&all), attachment(&[data(b"x"), properties(&all)])]),
        ["behind them all.txt x"]
    );
}

#[test]
fn what_is_no_file_is_named() {
    let with = |property: Vec<u8>| attachment(&[data(b"stub"), properties(&[property])]);
    let storage = many(0x000d, 0x3701, &[b"\x0b\0\0\0\0\0\0\0\xc0\0\0\0\0\0\0\x46\xd0\xcf"]);
    for (one, what) in [
        (with(storage), "an OLE object"),
        (with(number(0x3705, 6)), "an OLE object"),
        ([attribute(2, 0x0006_9002, &[2, 0]), data(b"x")].concat(), "an OLE object"),
        (with(number(0x3705, 5)), "a message"),
        (with(number(0x3705, 2)), "a link to a file"),
        (with(number(0x3705, 7)), "a link to a file"),
        (with(number(0x3705, 8)), "an attachment of an unknown kind"),
        (attachment(&[]), "an attachment without content"),
        (attachment(&[title(b"a.txt"), properties(&[number(0x3705, 1)])]), "an attachment without content"),
        (inner(&stream(&[])), "a message"),
        (
            message(&[string8(0x001a, b"IPM.Appointment")]),
            "an appointment, task, contact or other item of Outlook",
        ),
        (
            attribute(1, 0x0007_8008, b"IPM.Microsoft Schedule.MtgReq\0"),
            "an appointment, task, contact or other item of Outlook",
        ),
    ] {
        assert_eq!(rest(&[one]), [what]);
    }
    for words in ["IPM", "IPM.Note", "ipm.note.SMIME", "IPM.Microsoft Mail.Note", "REPORT.IPM.Note.NDR", ""] {
        let class = message(&[string(0x001a, words)]);
        assert_eq!(rest(&[class, attribute(1, 0x0002_800c, b"the words")]), [""; 0], "{words}");
    }
    // A file beside it is found all the same.
    let both = stream(&[with(number(0x3705, 6)), file("a.txt", b"x")]);
    assert_eq!(found(&both), (vec!["a.txt x".to_owned()], vec!["an OLE object"]));
}

#[test]
fn messages_inside_are_opened_in_turn() {
    let innermost = stream(&[message(&[string8(0x001a, b"IPM.Task")]), file("c.txt", b"three")]);
    let middle = stream(&[file("b.txt", b"two"), inner(&innermost)]);
    let outer = stream(&[inner(&middle), file("a.txt", b"one")]);
    let (files, rest) = found(&outer);
    assert_eq!(
        (files, rest),
        (vec!["a.txt one".to_owned(), "b.txt two".to_owned(), "c.txt three".to_owned()], vec!["a message"])
    );
    // A doubt inside is a doubt.
    let mut broken = middle.clone();
    let at = broken.len() - 1;
    broken[at] ^= 1;
    assert!(matches!(doubt(&stream(&[inner(&broken)])), Doubt::Checksum(_)));
    assert_eq!(doubt(&stream(&[inner(b"no stream")])), Doubt::Signature);
    let mut deep = stream(&[]);
    for level in 0..=LIMITS.depth {
        assert!(read(&deep, &LIMITS).is_ok(), "{level}");
        deep = stream(&[inner(&deep)]);
    }
    assert_eq!(doubt(&deep), Doubt::TooDeep(LIMITS.depth));
}

#[test]
fn every_doubt() {
    let sound = stream(&[file("a.txt", b"one"), file("b.txt", b"two")]);
    assert_eq!(doubt(b""), Doubt::Signature);
    assert_eq!(doubt(&sound[1..]), Doubt::Signature);
    let boundaries = [6, 6 + 19, 6 + 19 + (sound.len() - 25) / 2];
    for length in 4..sound.len() {
        // Between two attributes nobody can see that anything is missing; within one everybody can.
        let cut = read(&sound[..length], &LIMITS);
        assert!(!boundaries.contains(&length) || cut.is_ok(), "{length}");
        if let Ok(cut) = cut {
            assert!(cut.attachments.len() + cut.rest.len() <= 2 && ends_well(&sound, length), "{length}");
        }
    }
    for at in 6..sound.len() {
        let mut changed = sound.clone();
        changed[at] ^= 0x40;
        let header = read(&changed, &LIMITS);
        // The id of an attribute is the one thing that no checksum covers.
        assert!(header.is_err() || in_an_id(&sound, at), "{at}");
    }
    let end = sound.len();
    for padding in [&b"\n"[..], b"\0\0", b"\r\n\r\n", &[b' '; 100]] {
        assert!(read(&[&sound, padding].concat(), &LIMITS).is_ok());
    }
    assert_eq!(doubt(&[&sound[..], b"\0\0x"].concat()), Doubt::Attribute(end));
    assert_eq!(doubt(&[&sound[..], b"\x02rest"].concat()), Doubt::CutShort(end + 5));
    assert_eq!(doubt(&stream(&[data(b"x")])), Doubt::Attribute(25));
    assert_eq!(doubt(&stream(&[attachment(&[attribute(2, 0x0006_800e, b"x")])])), Doubt::Attribute(25 + 25));
    assert!(
        read(&stream(&[attachment(&[attribute(2, 0x0003_8013, b"a date"), data(b"x")])]), &LIMITS).is_ok()
    );
    for twice in [
        vec![data(b"x"), data(b"x")],
        vec![data(b"x"), properties(&[binary(0x3701, b"y")])],
        vec![properties(&[binary(0x3701, b"x"), many(0x000d, 0x3701, &[b"x"])])],
        vec![properties(&[number(0x3705, 1), number(0x3705, 6)])],
    ] {
        assert!(matches!(doubt(&stream(&[attachment(&twice)])), Doubt::Twice { .. }), "{twice:?}");
    }
    let many = vec![file("a.txt", b""); LIMITS.parts];
    assert_eq!(read(&stream(&many), &LIMITS).unwrap().attachments.len(), LIMITS.parts);
    assert_eq!(doubt(&stream(&[many, vec![attachment(&[])]].concat())), Doubt::TooMany);
}

/// Where each attribute begins.
fn attributes(sound: &[u8]) -> Vec<usize> {
    let mut starts = vec![6];
    while let Some(length) = sound.get(starts.last().unwrap() + 5..).and_then(<[u8]>::first_chunk) {
        let length = usize::try_from(u32::from_le_bytes(*length)).unwrap();
        starts.push(starts.last().unwrap() + 11 + length);
    }
    starts
}

fn ends_well(sound: &[u8], length: usize) -> bool {
    attributes(sound).contains(&length)
}

fn in_an_id(sound: &[u8], at: usize) -> bool {
    attributes(sound).iter().any(|start| (start + 1..start + 5).contains(&at))
}

#[test]
fn properties_that_leave_a_doubt() {
    let count = |count: u32, rest: &[u8]| [&count.to_le_bytes()[..], rest].concat();
    let unknown_name = [&[7; 16][..], &[2, 0, 0, 0]].concat();
    for list in [
        count(u32::MAX, b""),
        count(2, &number(0x3705, 1)),
        count(1, &[number(0x3705, 1), vec![1]].concat()),
        count(1, &fixed(0x0001, 0x3705, b"")),
        count(1, &fixed(0x00ff, 0x3705, &[0; 16])),
        count(1, &many(0x001e, 0x3707, &[b"a", b"b"])),
        count(1, &fixed(0x1002, 0x0e00, &[2, 0, 0, 0, 1, 0, 2, 0])),
        count(1, &named(0x001e, 0x8000, &unknown_name, &[b"a"])),
        count(1, &fixed(0x0102, 0x3701, &[1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0])),
        count(1, &fixed(0x1102, 0x3701, &[0xff, 0xff, 0xff, 0x7f, 0, 0, 0, 0])),
        b"\0\0".to_vec(),
    ] {
        for level in [attribute(1, 0x0006_9003, &list), attachment(&[attribute(2, 0x0006_9005, &list)])] {
            let doubt = doubt(&stream(&[level]));
            assert!(matches!(doubt, Doubt::Property(_) | Doubt::CutShort(_)), "{doubt}: {list:?}");
        }
    }
}

#[test]
fn bodies_show_their_images() {
    let rtf = b"01234567MELA4567{\\rtf1 <img src=\"cid:b@x\">}";
    let stream = stream(&[message(&[binary(0x1013, b"<img src='cid:a@x'>"), binary(0x1009, rtf)])]);
    let mut all = Vec::new();
    read(&stream, &LIMITS).unwrap().bodies(&stream, |body| all.extend_from_slice(body));
    assert_eq!(all, b"<img src='cid:a@x'>{\\rtf1 <img src=\"cid:b@x\">}");
    let stream = made::stream(&[message(&[string(0x1013, "<p>€")])]);
    read(&stream, &LIMITS).unwrap().bodies(&stream, |body| assert_eq!(body, "<p>€".as_bytes()));
}

#[test]
fn a_million_attributes_cost_no_square() {
    let many = attribute(1, 0x0002_800c, b"x").repeat(1_000_000);
    read(&stream(&[many]), &LIMITS).unwrap();
    let properties = vec![number(0x0e00, 1); 1_000_000];
    read(&stream(&[message(&properties)]), &LIMITS).unwrap();
    assert!(read(&[&stream(&[]), b"\x01".repeat(1_000_000).as_slice()].concat(), &LIMITS).is_err());
    assert!(read(&[stream(&[]), vec![0; 4_000_000]].concat(), &LIMITS).is_ok());
}

/// Attributes and properties of honest lengths with bytes of chance, so that more than the first check is reached.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..40);
    let ids =
        prop::sample::select(vec![0x3701u16, 0x3705, 0x3707, 0x1009, 0x1013, 0x001a, 0x8000, 0x370e, 0x3712]);
    let kinds = prop::sample::select(vec![0x1eu16, 0x1f, 0x0d, 0x102, 0x03, 0x0b, 0x101e, 0x1003, 0x48]);
    let property = (kinds, ids, bytes()).prop_map(|(kind, id, bytes)| match kind {
        0x1e | 0x1f | 0x0d | 0x102 | 0x101e => many(kind, id, &[&bytes]),
        _ => fixed(kind, id, &bytes),
    });
    let list = prop::collection::vec(property, 0..4);
    let attributes =
        prop::sample::select(vec![0x0006_9002u32, 0x0001_8010, 0x0006_800f, 0x0006_9007, 0x0007_8008]);
    prop_oneof![
        (1..=2u8, attributes, bytes()).prop_map(|(level, id, bytes)| attribute(level, id, &bytes)),
        list.clone().prop_map(|list| message(&list)),
        list.prop_map(|list| attachment(&[properties(&list)])),
        Just(attachment(&[])),
        bytes(),
    ]
}

/// What must hold of any bytes.
fn check(bytes: &[u8]) {
    if let Ok(tnef) = read(bytes, &LIMITS) {
        assert!(tnef.attachments.len() <= tnef.parts && tnef.parts <= LIMITS.parts);
        for one in &tnef.attachments {
            assert!(one.data.start <= one.data.end && one.data.end <= bytes.len());
            assert!(one.name.as_ref().is_none_or(|name| name.len() <= 4 * 4096));
        }
        tnef.bodies(bytes, |_| {});
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_doubted(bytes in any::<Vec<u8>>()) {
        check(&bytes);
        check(&[&SIGNATURE[..], &bytes].concat());
    }

    #[test]
    fn any_pieces_are_read_or_doubted(pieces in prop::collection::vec(pieces(), 0..8)) {
        check(&stream(&pieces));
        check(&stream(&[inner(&stream(&pieces))]));
    }
}
