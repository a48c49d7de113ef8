//! yEnc, the encoding of newsgroups, which comes into mail by gateways: `=ybegin`, lines of raw bytes, `=yend`
//! (www.yenc.org, yEnc 1.3). A large file comes in several pieces, usually each in a mail of its own.

use std::ops::Range;

use super::fields::line_at;

/// What stands between two such lines.
#[derive(Debug)]
pub(super) struct Piece {
    /// As written.
    pub name: Vec<u8>,
    /// Of the whole file, in bytes.
    pub size: u64,
    /// Which piece it is; `None` where it is the whole file.
    pub part: Option<Part>,
    /// Decoded.
    pub bytes: Vec<u8>,
    /// Its size and its check sum are as it says.
    pub sound: bool,
    /// Where it stands, encoded.
    pub range: Range<usize>,
}

/// A piece of several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// From 1.
    pub number: u64,
    /// Of how many, where it says so.
    pub total: Option<u64>,
    /// Its first byte in the file, from 1.
    pub begin: u64,
    /// Its last.
    pub end: u64,
}

/// The piece that begins with the line at an offset. One without an end goes on to the next beginning or the end of the
/// text.
pub(super) fn read(text: &[u8], at: usize) -> Option<Piece> {
    let (line, mut next) = line_at(text, at)?;
    let line = line.strip_prefix(b"=ybegin ")?;
    let (keys, name) = split(line, b" name=")?;
    let name = name.trim_ascii().to_vec();
    key(keys, "line")?;
    let size = key(keys, "size")?;
    let mut part = None;
    if let Some(number) = key(keys, "part") {
        let (line, after) = line_at(text, next)?;
        let piece = line.strip_prefix(b"=ypart ")?;
        let (begin, end) = (key(piece, "begin")?, key(piece, "end")?);
        part = Some(Part { number, total: key(keys, "total"), begin, end });
        next = after;
    }
    let mut piece = Piece { name, size, part, bytes: Vec::new(), sound: false, range: at..next };
    if piece.name.is_empty() {
        return None;
    }
    piece.take(text);
    Some(piece)
}

impl Piece {
    fn take(&mut self, text: &[u8]) {
        while let Some((line, next)) = line_at(text, self.range.end) {
            if line.starts_with(b"=ybegin ") {
                return;
            }
            self.range.end = next;
            match line.strip_prefix(b"=yend") {
                Some(end) => return self.sound = self.is_as_told(end),
                None => decode(line, &mut self.bytes),
            }
        }
    }

    /// By its own words and those of its end; the check sum is that of the piece, where there are several.
    fn is_as_told(&self, end: &[u8]) -> bool {
        let expected = match self.part {
            Some(part) => part.end.checked_sub(part.begin).and_then(|size| size.checked_add(1)),
            None => Some(self.size),
        };
        let size = Some(self.bytes.len() as u64);
        let sum = hexadecimal(end, if self.part.is_some() { "pcrc32" } else { "crc32" });
        size == expected
            && key(end, "size") == size
            && sum.is_none_or(|sum| sum == crc32fast::hash(&self.bytes))
    }
}

fn decode(line: &[u8], bytes: &mut Vec<u8>) {
    let mut escaped = false;
    for &byte in line {
        match byte {
            b'=' if !escaped => escaped = true,
            _ => {
                let shift = if std::mem::take(&mut escaped) { 42 + 64 } else { 42 };
                bytes.push(byte.wrapping_sub(shift));
            }
        }
    }
}

fn split<'a>(line: &'a [u8], at: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let found = memchr::memmem::find(line, at)?;
    Some((line.get(..found)?, line.get(found + at.len()..)?))
}

fn value<'a>(keys: &'a [u8], name: &str) -> Option<&'a str> {
    let mut words = keys.split(|&byte| byte == b' ');
    let value = words.find_map(|word| word.strip_prefix(name.as_bytes())?.strip_prefix(b"="))?;
    std::str::from_utf8(value).ok()
}

fn key(keys: &[u8], name: &str) -> Option<u64> {
    value(keys, name)?.trim().parse().ok()
}

fn hexadecimal(keys: &[u8], name: &str) -> Option<u32> {
    u32::from_str_radix(value(keys, name)?.trim(), 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// "Cat" and the four bytes that must be escaped.
    const CAT: &[u8] =
        b"=ybegin line=128 size=7 name= my cat.bin \r\n\x6d\x8b\r\n\x9e=@=J=M=}\r\n=yend size=7 crc32=";

    fn bytes() -> Vec<u8> {
        vec![b'C', b'a', b't', 0xd6, 0xe0, 0xe3, 0x13]
    }

    fn told(head: &[u8], sum: &str) -> Piece {
        read(&[head, sum.as_bytes(), b"\r\nmore"].concat(), 0).unwrap()
    }

    #[test]
    fn a_file_and_its_check_sum() {
        let sum = format!("{:08X}", crc32fast::hash(&bytes()));
        let piece = told(CAT, &sum);
        assert_eq!((piece.bytes, piece.sound, piece.part), (bytes(), true, None));
        assert_eq!((piece.name.as_slice(), piece.range.end), (b"my cat.bin".as_slice(), CAT.len() + 10));
        assert!(!told(CAT, "00000000").sound);
        let shorter = String::from_utf8_lossy(&CAT[CAT.len() - 20..]).replace("size=7", "size=6");
        assert!(!told(&[&CAT[..CAT.len() - 20], shorter.as_bytes()].concat(), &sum).sound);
        let unchecked = &CAT[..CAT.len() - 7];
        assert!(told(unchecked, "").sound, "no check sum, no doubt");
    }

    #[test]
    fn a_piece_of_several() {
        let text = b"=ybegin part=2 total=3 line=128 size=10 name=a\n=ypart begin=4 end=6\n\x6d\x8b\x9e\n=yend size=3 part=2 crc32=1\n";
        let piece = read(text, 0).unwrap();
        assert_eq!(piece.part, Some(Part { number: 2, total: Some(3), begin: 4, end: 6 }));
        assert_eq!((piece.bytes.as_slice(), piece.size, piece.sound), (b"Cat".as_slice(), 10, true));
    }

    #[test]
    fn what_has_no_end_or_is_none() {
        let cut =
            read(b"=ybegin line=128 size=3 name=a\n\x6d\x8b\n=ybegin line=128 size=1 name=b\n", 0).unwrap();
        assert_eq!((cut.bytes.as_slice(), cut.sound, cut.range.end), (b"Ca".as_slice(), false, 34));
        for none in [
            "=ybegin line=128 name=a\n",
            "=ybegin size=1 name=a\n",
            "=ybegin line=128 size=1\n",
            "=ybegin line=128 size=1 name= \n",
            "=ybegin part=1 line=128 size=1 name=a\nx\n",
            "=ybegin part=1 line=128 size=1 name=a",
            "=ybegins",
            "",
        ] {
            assert!(read(none.as_bytes(), 0).is_none(), "{none}");
        }
        let huge = b"=ybegin part=1 line=1 size=18446744073709551615 name=a\n=ypart begin=0 end=18446744073709551615\n=yend size=0\n";
        assert!(!read(huge, 0).unwrap().sound);
    }
}
