use std::io::Write as _;

use proptest::prelude::*;

use super::*;

fn file(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file
}

type Read = Vec<(Option<String>, Vec<u8>)>;

/// Each mail with its sender; and that the file was read to its end.
fn try_read(bytes: &[u8], style: Style) -> Option<Read> {
    let file = file(bytes);
    let mut mbox = Mbox::open(&file, style).unwrap()?;
    let mut mails = Vec::new();
    while let Some(head) = mbox.next_mail().unwrap() {
        let mut mail = Vec::new();
        mbox.copy(&head, |piece| {
            mail.extend_from_slice(piece);
            Ok::<(), io::Error>(())
        })
        .unwrap();
        mails.push((head.sender, mail));
    }
    assert_eq!(mbox.offset(), bytes.len() as u64);
    Some(mails)
}

#[track_caller]
fn mails_are(text: &str, style: Style, expected: &[&str]) {
    let mails = try_read(text.as_bytes(), style).expect("a mailbox");
    let mails: Vec<_> = mails.iter().map(|(_, mail)| String::from_utf8_lossy(mail)).collect();
    assert_eq!(mails, expected, "{style:?} {text:?}");
}

const FROM: &str = "From a@x.org Sat Nov 21 04:00:00 2026\n";

#[test]
fn the_empty_line_belongs_to_the_separator() {
    for style in [Style::Auto, Style::O, Style::Rd, Style::Cl2] {
        mails_are(
            &format!("{FROM}A: 1\n\none\n\n{FROM}B: 2\n\ntwo\n\n"),
            style,
            &["A: 1\n\none\n", "B: 2\n\ntwo\n"],
        );
        // Who did not write the last one, and who ended a mail with empty lines of its own.
        mails_are(
            &format!("{FROM}A: 1\n\none\n\n\n\n{FROM}B: 2\n\ntwo\n"),
            style,
            &["A: 1\n\none\n\n\n", "B: 2\n\ntwo\n"],
        );
        mails_are(&format!("{FROM}A: 1\n\none"), style, &["A: 1\n\none"]);
        mails_are(&format!("{FROM}\n{FROM}\n{FROM}A: 1\n\n"), style, &["", "", "A: 1\n"]);
        mails_are("", style, &[]);
    }
}

#[test]
fn line_ends_are_kept() {
    let from = FROM.replace('\n', "\r\n");
    mails_are(
        &format!("{from}A: 1\r\n\r\n>From b\r\n\r\n{from}B: 2\r\n\r\n"),
        Style::Rd,
        &["A: 1\r\n\r\nFrom b\r\n", "B: 2\r\n"],
    );
    mails_are(
        &format!("{FROM}A: 1\r\n\r\none\r\n\n{FROM}B\rC\n"),
        Style::Auto,
        &["A: 1\r\n\r\none\r\n", "B\rC\n"],
    );
}

#[test]
fn a_separator_stands_after_an_empty_line_and_tells_the_time() {
    let body = "A: 1\n\none\nFrom a@x.org Sat Nov 21 04:00:00 2026\n\nFrom here on it is 2026\n\nFrom 1:2:3\n\nFrom x 123:456\n\nFrom a@x.org, say\n";
    mails_are(&format!("{FROM}{body}\n{FROM}"), Style::Cl2, &[body, ""]);
    for line in [
        "From - Sat Nov 21 04:00:00 2026",
        "From \"a b\"@x.org Sat Nov 21 4:00 04:00 2026",
        "From ???@??? Mon Jan 01 00:00:00 1997",
        "From a 2026-11-21T04:00:00Z remote from b",
    ] {
        mails_are(
            &format!("{line}\nA: 1\n\none\n\n{line}\nB: 2\n"),
            Style::Auto,
            &["A: 1\n\none\n", "B: 2\n"],
        );
    }
}

#[test]
fn a_separator_without_a_time_counts_before_a_header_field() {
    for line in ["From -", "From - ", "From 18443@xxx", "From a@x.org\r"] {
        let body = format!("A: 1\n\none\n\n{line}\nand a line that is no field\n");
        mails_are(&format!("{line}\n{body}\n{line}\nB: 2\n"), Style::Auto, &[&body, "B: 2\n"]);
    }
    for other in [
        "From Russia\nA: 1\n",
        "From me and you\nA: 1\n",
        "A: 1\n\nb",
        "\nFrom - \nA: 1\n",
        "From -\n\nA: 1\n",
        "From -",
    ] {
        assert!(try_read(other.as_bytes(), Style::Auto).is_none(), "{other:?}");
        assert!(!begins_one(other.as_bytes()), "{other:?}");
    }
}

#[test]
fn senders() {
    for (line, sender) in [
        ("From a@x.org Sat Nov 21 04:00:00 2026", Some("a@x.org")),
        ("From <a@x.org> Sat Nov 21 04:00:00 2026", Some("a@x.org")),
        ("From  \"a b\"@x.org Sat Nov 21 04:00:00 2026", Some("\"a b\"@x.org")),
        ("From - Sat Nov 21 04:00:00 2026", None),
        ("From MAILER-DAEMON Sat Nov 21 04:00:00 2026", None),
    ] {
        let mails = try_read(format!("{line}\nA: 1\n").as_bytes(), Style::Auto).unwrap();
        assert_eq!(mails[0].0.as_deref(), sender, "{line}");
    }
}

#[test]
fn quoting_is_taken_off_by_style() {
    let body = "A: 1\n\n>From a\n>>From b\n>From\n> From c\n> >From d\n>fFrom e\n >From f\n>>>From g";
    let of = |style, expected: &str| {
        mails_are(&format!("{FROM}{body}\n\n"), style, &[&format!("A: 1\n\n{expected}\n")])
    };
    let same = "\n>From\n> From c\n> >From d\n>fFrom e\n >From f\n";
    of(Style::O, &format!("From a\n>>From b{same}>>>From g"));
    of(Style::Rd, &format!("From a\n>From b{same}>>From g"));
    of(Style::Auto, &format!("From a\n>From b{same}>>From g"));
    of(Style::Cl2, &format!(">From a\n>>From b{same}>>>From g"));
}

#[test]
fn a_true_content_length_counts_the_body() {
    let body = format!("one\n\n{FROM}>From b\nX: 1\n\n");
    let mail = format!("A: 1\nContent-Length: {}\n\n{body}", body.len());
    for end in ["", "\n"] {
        let text = format!("{FROM}{mail}{end}{FROM}B: 2\n\ntwo\n{end}");
        for style in [Style::Auto, Style::Cl2] {
            mails_are(&text, style, &[&mail, "B: 2\n\ntwo\n"]);
        }
        assert_eq!(try_read(text.as_bytes(), Style::Rd).unwrap().len(), 3);
    }
    let alone = format!("{FROM}{mail}");
    mails_are(&alone, Style::Auto, &[&mail]);
    mails_are(&format!("{alone}\n"), Style::Auto, &[&mail]);
    // A mail whose last line has no end: whoever put it here gave it one.
    let open = "A: 1\nContent-Length: 3\n\none";
    for end in ["\n", "\n\n"] {
        mails_are(&format!("{FROM}{open}{end}{FROM}B: 2\n"), Style::Auto, &[open, "B: 2\n"]);
    }
    let empty = "A: 1\ncontent-length: 0\n\n";
    mails_are(&format!("{FROM}{empty}\n{FROM}{empty}{FROM}B: 2\n"), Style::Auto, &[empty, empty, "B: 2\n"]);
}

#[test]
fn a_false_content_length_counts_nothing() {
    let two = "B: 2\n\ntwo\n";
    for length in ["0", "2", "6", "99", "18446744073709551615", "99999999999999999999", "-4", "4 ", "x"] {
        let is_true = length.trim() == "4";
        let mail =
            format!("A: 1\nContent-Length: {length}\n\n{}", if is_true { ">From b\n" } else { "one\n" });
        let text = format!("{FROM}{mail}\n{FROM}{two}\n");
        let plain = mail.replace(">From", "From");
        mails_are(&text, Style::Auto, &[&plain, two]);
    }
    // Two that differ: nobody knows which is whose.
    let body = format!("one\n\n{FROM}A: 1\n");
    let mail = format!("Content-Length: {}\nContent-Length: 4\n\n{body}", body.len());
    assert_eq!(try_read(format!("{FROM}{mail}\n").as_bytes(), Style::Auto).unwrap().len(), 2);
    let mail = mail.replace("Content-Length: 4\n", &format!("Content-Length: {}\n", body.len()));
    mails_are(&format!("{FROM}{mail}\n"), Style::Auto, &[&mail]);
}

#[test]
fn long_lines_and_long_quotes_are_read_as_short_ones() {
    for length in [LOOK - 6, LOOK - 5, LOOK - 1, LOOK, LOOK + 1, 3 * LOOK, BUFFER - 1, BUFFER, 3 * BUFFER + 7]
    {
        let quotes = ">".repeat(length);
        let line = "x".repeat(length);
        let body =
            format!("A: {line}\n\n{quotes}From b\n{line}\n\nFrom {line} 04:00\n{quotes}Frog\n{quotes}");
        let mail = format!(
            "{FROM}{}\n\n{FROM}B: 2\n",
            body.replace("\nFrom ", "\n>From ").replace(">From b", ">>From b")
        );
        mails_are(&mail, Style::Rd, &[&format!("{body}\n"), "B: 2\n"]);
    }
}

#[test]
fn what_is_added_while_it_is_read_is_not_seen_and_what_is_cut_off_is_an_error() {
    let file = file(format!("{FROM}A: 1\n").as_bytes());
    let mut mbox = Mbox::open(&file, Style::Auto).unwrap().unwrap();
    (&file).write_all(b"B: 2\n").unwrap();
    let head = mbox.next_mail().unwrap().unwrap();
    let mut mail = Vec::new();
    let keep = |piece: &[u8]| {
        mail.extend_from_slice(piece);
        Ok::<(), io::Error>(())
    };
    mbox.copy(&head, keep).unwrap();
    assert_eq!(mail, b"A: 1\n");
    (&file).write_all(&vec![b'x'; 2 * BUFFER]).unwrap();
    let mut mbox = Mbox::open(&file, Style::Auto).unwrap().unwrap();
    let head = mbox.next_mail().unwrap().unwrap();
    file.set_len(BUFFER as u64 + 100).unwrap();
    let error = mbox.copy(&head, |_| Ok::<(), io::Error>(())).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
}

/// As qmail's mbox(5) says: every line that is `From ` behind any number of `>` gets one more.
fn write_rd(mails: &[Vec<u8>]) -> Vec<u8> {
    let mut mbox = Vec::new();
    for mail in mails {
        mbox.extend_from_slice(FROM.as_bytes());
        for line in mail.split_inclusive(|&byte| byte == b'\n') {
            let quotes = line.iter().take_while(|&&byte| byte == b'>').count();
            if line[quotes..].starts_with(b"From ") {
                mbox.push(b'>');
            }
            mbox.extend_from_slice(line);
        }
        mbox.push(b'\n');
    }
    mbox
}

fn write_cl2(mails: &[Vec<u8>]) -> (Vec<u8>, Vec<Vec<u8>>) {
    let mut mbox = Vec::new();
    let counted =
        |body: &Vec<u8>| [format!("A: 1\nContent-Length: {}\n\n", body.len()).as_bytes(), body].concat();
    let mails: Vec<_> = mails.iter().map(counted).collect();
    for mail in &mails {
        mbox.extend_from_slice(FROM.as_bytes());
        mbox.extend_from_slice(mail);
        mbox.extend_from_slice(if mail.ends_with(b"\n") { b"\n" } else { b"\n\n" });
    }
    (mbox, mails)
}

/// Bodies of what might be mistaken for something else.
fn pieces() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let piece = prop_oneof![
        Just(FROM.as_bytes().to_vec()),
        Just(b"From - \n".to_vec()),
        Just(b"\n".to_vec()),
        Just(b"\r\n".to_vec()),
        Just(b">".to_vec()),
        Just(b"From x 10:00".to_vec()),
        Just(b"Content-Length: 4\n".to_vec()),
        Just(b"\n\n".to_vec()),
        proptest::collection::vec(any::<u8>(), 0..6),
    ];
    let mail = proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat());
    proptest::collection::vec(mail, 0..6)
}

proptest! {
    #[test]
    fn any_mails_written_as_mboxrd_read_back(mut mails in pieces()) {
        // A mail that does not end its last line cannot be told from one that does.
        mails.iter_mut().filter(|mail| !mail.is_empty() && !mail.ends_with(b"\n")).for_each(|mail| mail.push(b'\n'));
        let read = try_read(&write_rd(&mails), Style::Rd).unwrap();
        prop_assert_eq!(read.into_iter().map(|(_, mail)| mail).collect::<Vec<_>>(), mails);
    }

    #[test]
    fn any_mails_written_as_mboxcl2_read_back(bodies in pieces()) {
        let (mbox, mails) = write_cl2(&bodies);
        for style in [Style::Auto, Style::Cl2] {
            let read = try_read(&mbox, style).unwrap();
            prop_assert_eq!(read.into_iter().map(|(_, mail)| mail).collect::<Vec<_>>(), mails.clone());
        }
    }

    #[test]
    fn any_bytes_are_read_to_the_end(bytes in pieces()) {
        let text = [FROM.as_bytes(), &bytes.concat()].concat();
        for style in [Style::Auto, Style::O, Style::Rd, Style::Cl2] {
            prop_assert!(try_read(&text, style).is_some());
        }
    }
}
