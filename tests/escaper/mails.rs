//! Mails in which every field that a stranger writes holds a payload, each field another one.

use super::payloads::Payload;

/// How a payload stands in a field.
#[derive(Clone, Copy)]
enum Form {
    /// As it is; line ends begin new lines.
    Bare,
    /// As it is, line ends folded: the field keeps all of it.
    Folded,
    /// As encoded words (RFC 2047): UTF-8 what is that, Latin-1 what is not.
    Word,
    /// Between quotes, with quotes and backslashes escaped (RFC 5322 section 3.2.4).
    Quoted,
    /// In percent (RFC 2231 section 4).
    Percent,
    /// The same in pieces (RFC 2231 section 3).
    Pieces,
    /// As base64, where a body is.
    Winmail,
}

use Form::*;

/// Every field that a stranger writes and this program reads, by the name it has in the templates below.
const FIELDS: &[(&str, Form)] = &[
    // The envelope, and what servers on the way have written.
    ("x-sender", Folded),
    ("x-receiver local-part", Folded),
    ("x-receiver domain", Folded),
    ("x-receiver", Bare),
    ("Return-Path", Folded),
    ("Delivered-To", Folded),
    ("X-Original-To", Folded),
    ("Received from", Folded),
    ("Received with", Folded),
    ("Received comment", Bare),
    // What authenticates.
    ("authserv-id", Folded),
    ("method", Folded),
    ("method result", Folded),
    ("reason", Quoted),
    ("property", Folded),
    ("DKIM d", Folded),
    ("DKIM s", Folded),
    ("DKIM i", Folded),
    ("DKIM a", Folded),
    ("ARC d", Folded),
    ("ARC results", Bare),
    // The header.
    ("From name", Word),
    ("From quoted name", Quoted),
    ("From comment", Folded),
    ("From local-part", Folded),
    ("From quoted local-part", Quoted),
    ("From domain", Folded),
    ("From", Bare),
    ("Sender", Folded),
    ("Reply-To", Word),
    ("To", Word),
    ("Cc", Folded),
    ("Subject", Word),
    ("Subject folded", Folded),
    ("Subject bare", Bare),
    ("Date", Folded),
    ("Message-ID", Folded),
    ("In-Reply-To", Folded),
    ("List-Id", Folded),
    ("Auto-Submitted", Folded),
    ("odd field name", Bare),
    ("MIME-Version", Folded),
    // The structure.
    ("boundary", Quoted),
    ("boundary bare", Bare),
    ("media type", Folded),
    ("parameter name", Folded),
    ("charset", Quoted),
    ("transfer encoding", Folded),
    ("disposition", Folded),
    ("preamble", Bare),
    ("body", Bare),
    // The files.
    ("filename quoted", Quoted),
    ("filename bare", Folded),
    ("filename percent", Percent),
    ("filename pieces", Pieces),
    ("filename word", Word),
    ("name", Quoted),
    ("extension", Quoted),
    ("Content-ID", Folded),
    ("Content-Description", Word),
    ("file's media type", Folded),
    ("winmail.dat", Winmail),
    ("uuencode", Folded),
    ("yEnc", Folded),
    ("calendar summary", Folded),
    ("calendar uid", Folded),
    ("calendar stamp", Bare),
    ("inner Subject", Word),
    ("inner From", Folded),
];

/// A mail of every day but for its fields.
const LETTER: &str = "x-sender: <<x-sender>>@example.net\r\n\
x-receiver: all@docs.example.org\r\nx-receiver: subjects@docs.example.org\r\nx-receiver: senders@docs.example.org\r\n\
x-receiver: <<x-receiver local-part>>@docs.example.org\r\nx-receiver: all@<<x-receiver domain>>\r\n\
Authentication-Results: <<authserv-id>>; dmarc=pass header.from=example.org\r\n\
Authentication-Results: mx.docs.example.org; dmarc=<<method result>> reason=\"<<reason>>\" header.from=<<property>>\r\n\
Authentication-Results: mx.docs.example.org; <<method>>=pass\r\n\
Received: from mail.example.net by mx.docs.example.org; Sat, 21 Nov 2026 04:00:00 +0000\r\n\
Received: from <<Received from>> by x (<<Received comment>>) with <<Received with>>; Sat, 21 Nov 2026 04:00:00 +0000\r\n\
DKIM-Signature: v=1; a=<<DKIM a>>; d=<<DKIM d>>; s=<<DKIM s>>; i=<<DKIM i>>; h=from; bh=eA==; b=eA==\r\n\
ARC-Seal: i=1; a=rsa-sha256; cv=none; d=<<ARC d>>; s=x; b=eA==\r\n\
ARC-Authentication-Results: i=1; <<ARC results>>\r\n\
From: <<FROM>>\r\nSender: <<Sender>>\r\nReply-To: <<Reply-To>> <a@example.org>\r\n\
To: <<To>> <all@docs.example.org>\r\nCc: <<Cc>>@example.org\r\nSubject: <<SUBJECT>>\r\nDate: <<Date>>\r\n\
Message-ID: <<<Message-ID>>@example.net>\r\nIn-Reply-To: <<In-Reply-To>>\r\nList-Id: <<List-Id>>\r\n\
X-<<odd field name>>: x\r\nMIME-Version: <<MIME-Version>>\r\n\
Content-Type: multipart/mixed; boundary=b\r\n\r\n<<preamble>>\r\n\
--b\r\nContent-Type: text/plain\r\n\r\n<<body>>\r\n\
--b\r\nContent-Type: text/plain\r\nContent-Disposition: attachment; filename=\"<<filename quoted>>\"\r\n\r\nfile\r\n--b--\r\n";

/// How From and Subject may stand there; one after the other.
const FROMS: [&str; 5] = [
    "<<From name>> <alice@example.org>",
    "\"<<From quoted name>>\" (<<From comment>>) <<<From local-part>>@example.org>",
    "<alice@<<From domain>>>",
    "\"<<From quoted local-part>>\"@example.org",
    "<<From>>",
];
const SUBJECTS: [&str; 3] = ["<<Subject>>", "<<Subject folded>>", "<<Subject bare>>"];

/// A mail of files.
const FILES: &str = "x-sender: alice@example.org\r\nx-receiver: all@docs.example.org\r\nx-receiver: strict@docs.example.org\r\n\
Received: from mail.example.net by mx.docs.example.org; Sat, 21 Nov 2026 04:00:00 +0000\r\n\
From: alice@example.org\r\nSubject: files\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
--b\r\nContent-Type: text/plain\r\n\r\n\
begin 644 <<uuencode>>\r\n#86)C\r\n`\r\nend\r\n\r\n\
=ybegin line=128 size=3 name=<<yEnc>>\r\nPQR\r\n=yend size=3\r\n\
--b\r\nContent-Type: application/x-a\r\nContent-Disposition: attachment; filename=<<filename bare>>\r\n\r\na\r\n\
--b\r\nContent-Type: application/x-b\r\nContent-Disposition: attachment; filename*=<<filename percent>>\r\n\r\nb\r\n\
--b\r\nContent-Type: application/x-c\r\nContent-Disposition: attachment; <<filename pieces>>\r\n\r\nc\r\n\
--b\r\nContent-Type: application/x-d\r\nContent-Disposition: attachment; filename=\"<<filename word>>\"\r\n\r\nd\r\n\
--b\r\nContent-Type: application/x-e; name=\"<<name>>\"\r\nContent-Description: <<Content-Description>>\r\n\r\ne\r\n\
--b\r\nContent-Type: application/<<file's media type>>\r\nContent-Disposition: attachment; filename=\"f.<<extension>>\"\r\n\r\nf\r\n\
--b\r\nContent-Type: image/png\r\nContent-ID: <<<Content-ID>>>\r\nContent-Disposition: inline\r\n\r\ng\r\n\
--b\r\nContent-Type: application/ms-tnef; name=winmail.dat\r\nContent-Transfer-Encoding: base64\r\n\r\n<<winmail.dat>>\r\n\
--b\r\nContent-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\n\
UID:<<calendar uid>>\r\nSUMMARY:<<calendar summary>>\r\nDTSTAMP:<<calendar stamp>>\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n\
--b\r\nContent-Type: message/rfc822\r\n\r\nFrom: <<inner From>>\r\nSubject: <<inner Subject>>\r\n\r\ninner\r\n--b--\r\n";

/// A mail whose structure is a payload.
const FRAMES: [&str; 3] = [
    "x-sender: alice@example.org\r\nx-receiver: all@docs.example.org\r\nReceived: by x\r\nFrom: a@example.org\r\n\
     Auto-Submitted: <<Auto-Submitted>>\r\nContent-Type: multipart/mixed; boundary=\"<<boundary>>\"\r\n\r\n\
     --<<boundary bare>>\r\nContent-Disposition: attachment\r\n\r\nx\r\n--b--\r\n",
    "x-sender: alice@example.org\r\nx-receiver: all@docs.example.org\r\nReceived: by x\r\nFrom: a@example.org\r\n\
     Content-Type: <<media type>>; <<parameter name>>=x; charset=\"<<charset>>\"\r\n\
     Content-Disposition: <<disposition>>; filename=x\r\n\
     Content-Transfer-Encoding: <<transfer encoding>>\r\n\r\nx\r\n",
    "x-sender: alice@example.org\r\nx-receiver: <<x-receiver>>\r\n\
     Return-Path: <<<Return-Path>>>\r\nDelivered-To: <<Delivered-To>>\r\nX-Original-To: <<X-Original-To>>@docs.example.org\r\n\
     Received: by x\r\nFrom: a@example.org\r\n\r\nx\r\n",
];

/// A mail as it stands in a drop folder, and the name of its file.
pub struct Hostile {
    pub file: Vec<u8>,
    pub mail: Vec<u8>,
}

/// All of these payloads in all fields, if `all`; else in all fields together, each payload in some.
pub fn hostile(payloads: &[Payload], all: bool) -> Vec<Hostile> {
    let step = if all { 1 } else { 12 };
    let mut mails = Vec::new();
    for nth in (0..payloads.len()).step_by(step) {
        // So that each payload stands in each of the forms that exclude each other.
        let turns = if all { FROMS.len() } else { 1 };
        for turn in 0..turns {
            let turn = if all { turn } else { nth / step };
            let letter = LETTER
                .replace("<<FROM>>", FROMS[turn % FROMS.len()])
                .replace("<<SUBJECT>>", SUBJECTS[turn % SUBJECTS.len()]);
            mails.push(made(payloads, nth, &format!("l{turn}"), &letter));
        }
        mails.push(made(payloads, nth, "f", FILES));
        for (which, frame) in FRAMES.iter().enumerate() {
            mails.push(made(payloads, nth, &format!("s{which}"), frame));
        }
    }
    mails
}

fn made(payloads: &[Payload], nth: usize, kind: &str, template: &str) -> Hostile {
    let mut file = file_name(&payloads[nth].bytes);
    file.extend_from_slice(format!("-{nth}{kind}.eml").as_bytes());
    Hostile { file, mail: filled(template, |field| payload(payloads, nth, field)) }
}

/// The payload of a field in the mail with this number. The fields of a mail are far apart in the list.
fn payload(payloads: &[Payload], nth: usize, field: usize) -> &[u8] {
    &payloads[(nth + field * 37) % payloads.len()].bytes
}

/// A name that a folder can hold, and that a delivery id can be put before.
pub fn file_name(payload: &[u8]) -> Vec<u8> {
    let legal = |byte: &u8| !matches!(byte, 0 | b'/');
    let mut name: Vec<u8> = payload.iter().copied().filter(legal).take(180).collect();
    // Programs that deliver begin the names of what is not finished with a dot.
    if name.first() == Some(&b'.') {
        name.insert(0, b'x');
    }
    name
}

/// The text with its fields filled in.
fn filled<'a>(template: &str, payload: impl Fn(usize) -> &'a [u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("<<") {
        bytes.extend_from_slice(before.as_bytes());
        // An angle bracket of the mail's own stands before those of the field.
        let after = after.strip_prefix('<').inspect(|_| bytes.push(b'<')).unwrap_or(after);
        let (name, after) = after.split_once(">>").unwrap();
        let field = FIELDS.iter().position(|(field, _)| *field == name);
        let field = field.ok_or(name).unwrap();
        bytes.extend(FIELDS[field].1.of(payload(field)));
        rest = after;
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}

impl Form {
    fn of(self, payload: &[u8]) -> Vec<u8> {
        match self {
            Bare => payload.to_vec(),
            Folded => folded(payload),
            Word => words(payload),
            Quoted => {
                let escaped = payload.iter().flat_map(|&byte| match byte {
                    b'"' | b'\\' => vec![b'\\', byte],
                    _ => vec![byte],
                });
                folded(&escaped.collect::<Vec<_>>())
            }
            Percent => format!("{}''{}", charset(payload), percent(payload)).into_bytes(),
            Pieces => {
                let mut parameters = Vec::new();
                for (nth, piece) in payload.chunks(11).enumerate() {
                    let start = if nth == 0 { format!("{}''", charset(payload)) } else { String::new() };
                    parameters.push(format!("filename*{nth}*={start}{}", percent(piece)));
                }
                parameters.join(";\r\n ").into_bytes()
            }
            Winmail => base64(&winmail(payload)).into_bytes(),
        }
    }
}

fn folded(payload: &[u8]) -> Vec<u8> {
    payload.iter().flat_map(|&byte| if byte == b'\n' { b"\r\n ".to_vec() } else { vec![byte] }).collect()
}

fn charset(payload: &[u8]) -> &'static str {
    if std::str::from_utf8(payload).is_ok() { "utf-8" } else { "iso-8859-1" }
}

/// Each is shorter than 75 characters and holds whole characters.
fn words(payload: &[u8]) -> Vec<u8> {
    let mut words = Vec::new();
    match std::str::from_utf8(payload) {
        Err(_) => {
            for piece in payload.chunks(18) {
                let hex: String = piece.iter().map(|byte| format!("={byte:02X}")).collect();
                words.push(format!("=?iso-8859-1?Q?{hex}?="));
            }
        }
        Ok(text) => {
            let mut piece = String::new();
            for c in text.chars() {
                if piece.len() + c.len_utf8() > 42 {
                    words.push(format!("=?utf-8?B?{}?=", base64(piece.as_bytes())));
                    piece.clear();
                }
                piece.push(c);
            }
            words.push(format!("=?utf-8?B?{}?=", base64(piece.as_bytes())));
        }
    }
    words.join("\r\n ").into_bytes()
}

fn percent(payload: &[u8]) -> String {
    payload.iter().map(|byte| format!("%{byte:02X}")).collect()
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let bits =
            group.iter().fold(0_u32, |bits, &byte| bits << 8 | u32::from(byte)) << (8 * (3 - group.len()));
        for at in 0..4 {
            let sextet = (bits >> (18 - 6 * at) & 63) as usize;
            text.push(if at <= group.len() { char::from(ALPHABET[sextet]) } else { '=' });
        }
    }
    text
}

/// A TNEF stream (MS-OXTNEF) with one file of that name.
fn winmail(name: &[u8]) -> Vec<u8> {
    let attribute = |level: u8, id: u32, data: &[u8]| {
        let sum = data.iter().fold(0_u16, |sum, &byte| sum.wrapping_add(u16::from(byte)));
        let length = u32::try_from(data.len()).unwrap();
        [&[level][..], &id.to_le_bytes(), &length.to_le_bytes(), data, &sum.to_le_bytes()].concat()
    };
    let title: Vec<u8> = name.iter().copied().filter(|&byte| byte != 0).chain([0]).collect();
    let rendering = [&[1, 0][..], &[0xff; 4], &[32, 0, 32, 0, 0, 0, 0, 0]].concat();
    [
        0x223e_9f78_u32.to_le_bytes().to_vec(),
        vec![1, 0],
        attribute(1, 0x0008_9006, &[0, 0, 1, 0]),
        attribute(1, 0x0006_9007, &[0xe4, 4, 0, 0, 0, 0, 0, 0]),
        attribute(1, 0x0007_8008, b"IPM.Microsoft Mail.Note\0"),
        attribute(2, 0x0006_9002, &rendering),
        attribute(2, 0x0001_8010, &title),
        attribute(2, 0x0006_800f, b"opened"),
    ]
    .concat()
}

/// What a Subject of encoded words says, of the mails whose Subject is that: the number in the file's name leads to it.
pub fn subject_of(payloads: &[Payload], nth: usize) -> Option<&str> {
    let field = FIELDS.iter().position(|(name, _)| *name == "Subject").unwrap();
    std::str::from_utf8(payload(payloads, nth, field)).ok()
}

/// What stands before the @ of the return path.
pub fn sender_of(payloads: &[Payload], nth: usize) -> &[u8] {
    let field = FIELDS.iter().position(|(name, _)| *name == "x-sender").unwrap();
    payload(payloads, nth, field)
}

#[test]
fn every_payload_stands_in_every_field() {
    let payloads = super::payloads::all();
    for field in 0..FIELDS.len() {
        let mut at: Vec<_> =
            (0..payloads.len()).map(|nth| payload(&payloads, nth, field).as_ptr().addr()).collect();
        at.sort_unstable();
        at.dedup();
        assert_eq!(at.len(), payloads.len());
    }
    // Each field stands in a template, and each template fills in fields that there are.
    let all = [LETTER, FILES].into_iter().chain(FROMS).chain(SUBJECTS).chain(FRAMES).collect::<String>();
    for (name, _) in FIELDS {
        assert!(all.contains(&format!("<<{name}>>")), "{name}");
    }
    assert_eq!(base64(b"\x1b[P7x"), "G1tQN3g=");
}
