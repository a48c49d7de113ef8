use super::*;
use crate::message::limits::Limits;
use crate::message::read;

const CAT: &str = "begin 644 cat.txt\n#0V%T\n`\nend\n";

fn parts(message: &[u8]) -> Vec<String> {
    let read = read(message, &Limits::default()).unwrap();
    let one = |part: &Part| {
        let name = part.name.as_deref().unwrap_or("-");
        format!("{:?} {name} {}", part.kind, part.content.bytes(message).escape_ascii())
    };
    read.parts.iter().skip(1).map(one).collect()
}

fn notes(message: &[u8]) -> Vec<String> {
    read(message, &Limits::default()).unwrap().parts.into_iter().filter_map(|part| part.note).collect()
}

#[test]
fn uuencoded_files_in_words() {
    let dog = CAT.replace("cat", "d\u{fc}g").replace("#0V%T", "#1&]G");
    let body = format!("Hello,\n{CAT}\nand one more:\n{dog}-- \nbye\n");
    let expected = ["Attachment cat.txt Cat", "Attachment düg.txt Dog"];
    let plain = format!("From: a@x.org\n\n{body}");
    assert_eq!(parts(plain.as_bytes()), expected);
    assert_eq!(parts(plain.replace('\n', "\r\n").as_bytes()), expected);
    let latin: Vec<u8> = plain.chars().map(|c| c as u8).collect();
    assert_eq!(parts(&latin), expected, "a name in windows-1252");
    let quoted = format!("Content-Transfer-Encoding: quoted-printable\n\n{}", body.replace('ü', "=C3=BC"));
    assert_eq!(parts(quoted.as_bytes()), expected);
    let part = format!("Content-Type: text/plain\n\n{body}");
    let mixed = format!("Content-Type: multipart/mixed; boundary=B\n\n--B\n\nhi\n--B\n{part}\n--B--\n");
    assert_eq!(parts(mixed.as_bytes())[1..], expected);
    assert!(notes(plain.as_bytes()).is_empty());
}

/// What is a file already is filed as it is, and what is shown as HTML has no such lines.
#[test]
fn other_parts_are_not_looked_through() {
    for header in [
        "Content-Type: text/html",
        "Content-Type: text/plain\nContent-Disposition: attachment; filename=a.uue",
        "Content-Type: application/x-uuencode",
    ] {
        assert_eq!(parts(format!("{header}\n\n{CAT}").as_bytes()), Vec::<String>::new(), "{header}");
    }
}

#[test]
fn a_file_cut_short_is_kept_and_noted() {
    let mail = format!("A: 1\n\nbegin 644 a\nM{}\nThe words go on.\n", "0V%T".repeat(15));
    assert_eq!(parts(mail.as_bytes()), [format!("Attachment a {}", "Cat".repeat(15))]);
    assert_eq!(notes(mail.as_bytes()), ["a uuencoded file that is cut short"]);
    let words = "A: 1\n\nbegin 644 a\nThe words go on.\n";
    assert_eq!((parts(words.as_bytes()), notes(words.as_bytes())), (vec![], vec![]));
}

fn piece(number: usize, begin: usize, bytes: &[u8]) -> Vec<u8> {
    let coded: Vec<u8> = bytes.iter().map(|byte| byte + 42).collect();
    let end = begin + bytes.len() - 1;
    let head =
        format!("=ybegin part={number} total=2 line=128 size=6 name=a.bin\n=ypart begin={begin} end={end}\n");
    let foot = format!("\n=yend size={} part={number} pcrc32={:08x}\n", bytes.len(), crc32fast::hash(bytes));
    [head.as_bytes(), &coded, foot.as_bytes()].concat()
}

#[test]
fn yenc_in_words() {
    let head = b"A: 1\n\nHello,\n";
    let single = b"=ybegin line=128 size=3 name=cat\n\x6d\x8b\x9e\n=yend size=3\nbye\n";
    assert_eq!(parts(&[head, single.as_slice()].concat()), ["Attachment cat Cat"]);
    let (one, two) = (piece(1, 1, b"Cat"), piece(2, 4, b"Dog"));
    let both = [head, one.as_slice(), b"and\n", &two].concat();
    assert_eq!((parts(&both), notes(&both)), (vec!["Attachment a.bin CatDog".to_owned()], vec![]));
    let turned = [head, two.as_slice(), &one].concat();
    assert_eq!(parts(&turned), ["Attachment a.bin CatDog"]);
    let alone = [head, two.as_slice()].concat();
    let expected = format!("Attachment a.bin (part 2 of 2).yenc {}", two.escape_ascii());
    assert_eq!(parts(&alone), std::slice::from_ref(&expected), "as it stands");
    assert_eq!(notes(&alone), ["a yEnc file of which pieces are missing"]);
    let broken = [head, one.as_slice(), &two.escape_ascii().to_string().into_bytes()].concat();
    assert_eq!(parts(&broken).len(), 1);
    let twice = [head, one.as_slice(), &one].concat();
    assert_eq!((parts(&twice).len(), notes(&twice).len()), (2, 1), "each as it stands");
    let quoted = |byte: &u8| if *byte == b'\n' { "\n".to_owned() } else { format!("={byte:02X}") };
    let coded: String = two.iter().map(quoted).collect();
    let decoded = format!("Content-Transfer-Encoding: quoted-printable\n\n{coded}").into_bytes();
    assert_eq!(parts(&decoded), [expected]);
    let mut wrong = [head, single.as_slice()].concat();
    wrong[46] = b'x';
    assert_eq!((parts(&wrong).len(), notes(&wrong).len()), (1, 0), "no check sum");
    let short = [head, b"=ybegin line=128 size=4 name=cat\n\x6d\x8b\x9e\n=yend size=3\n".as_slice()].concat();
    assert_eq!((parts(&short), notes(&short).len()), (vec!["Attachment cat Cat".to_owned()], 1));
}

/// What words hold counts as parts do.
#[test]
fn files_in_words_are_counted() {
    for unit in [CAT, "=ybegin line=1 size=0 name=a\n=yend size=0\n"] {
        let mail = |count: usize| format!("A: 1\n\n{}", unit.repeat(count));
        assert_eq!(parts(mail(999).as_bytes()).len(), 999);
        match read(mail(1000).as_bytes(), &Limits::default()) {
            Err(Unreadable::TooComplex(why)) => assert_eq!(why, "more than 1000 parts"),
            other => panic!("{other:?}"),
        }
    }
}
