//! Mail to measure with: made here, the same in every run.

/// A generator of our own, so that every run measures the same bytes.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}

/// A base64 body of so many decoded bytes, no two alike.
fn base64(random: &mut Random, bytes: usize) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes * 4 / 3 + bytes / 50);
    for nth in 0..bytes / 3 * 4 {
        if nth % 76 == 0 && nth > 0 {
            text.push_str("\r\n");
        }
        text.push(char::from(ALPHABET[usize::try_from(random.below(64)).unwrap_or(0)]));
    }
    text
}

fn header(nth: usize) -> String {
    format!(
        "Received: from mail.example.net ([192.0.2.1]) by mx1.docs.example.org; Sat, 21 Nov 2026 04:00:00 +0000\r\n\
         From: Alice <alice@example.org>\r\nTo: all@docs.example.org\r\nSubject: Mail {nth}\r\n\
         Message-ID: <{nth}@example.net>\r\nDate: Sat, 21 Nov 2026 04:00:00 +0000\r\nMIME-Version: 1.0\r\n"
    )
}

/// A message with attachments of these sizes.
pub fn message(random: &mut Random, nth: usize, sizes: &[usize]) -> String {
    let mut mail = header(nth) + "Content-Type: multipart/mixed; boundary=\"=_b\"\r\n\r\n";
    mail += "--=_b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nPlease find attached what you asked for.\r\n";
    for (part, size) in sizes.iter().enumerate() {
        mail += &format!(
            "--=_b\r\nContent-Type: application/pdf; name=\"file-{part}.pdf\"\r\n\
             Content-Transfer-Encoding: base64\r\n\
             Content-Disposition: attachment; filename=\"file-{part}.pdf\"\r\n\r\n{}\r\n",
            base64(random, *size)
        );
    }
    mail + "--=_b--\r\n"
}

/// The mail of an ordinary day: 30 % text alone, the others with one to three attachments, most of them around
/// 100 KB, one in twenty of some MB.
#[allow(dead_code, reason = "each bench uses what it needs of this module")]
pub fn ordinary(random: &mut Random, nth: usize) -> String {
    let sizes: Vec<usize> = match random.below(100) {
        0..30 => Vec::new(),
        30..95 => (0..=random.below(3)).map(|_| 10_000 << random.below(6)).collect(),
        _ => vec![2_000_000 + usize::try_from(random.below(3_000_000)).unwrap_or(0)],
    };
    message(random, nth, &sizes)
}
