//! Text in a stream: UTF-16, or bytes in the code page that the stream names.

use std::ops::Range;

use crate::message::words;

/// Of a text no more bytes are read: far more than a name may have.
const READ: usize = 4 << 10;

/// Where a text stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Text {
    pub range: Range<usize>,
    /// UTF-16, little-endian.
    pub wide: bool,
}

impl Text {
    /// The text up to its NUL. A body is read whole; of anything else use [`Text::name`].
    pub fn decode(&self, bytes: &[u8], codepage: u32) -> String {
        let bytes = bytes.get(self.range.clone()).unwrap_or_default();
        if self.wide {
            let (pairs, _) = bytes.as_chunks();
            let units = pairs.iter().map(|&pair| u16::from_le_bytes(pair)).take_while(|&unit| unit != 0);
            return char::decode_utf16(units)
                .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
                .collect();
        }
        let text = bytes.split(|&byte| byte == 0).next().unwrap_or_default();
        words::decode(charset(codepage).as_bytes(), text)
    }

    /// The same of a text that nobody writes long; nothing if it is empty.
    pub fn name(&self, bytes: &[u8], codepage: u32) -> Option<String> {
        let Range { start, end } = self.range;
        let text = Text { range: start..end.min(start.saturating_add(READ)), wide: self.wide };
        Some(text.decode(bytes, codepage).trim().to_owned()).filter(|text| !text.is_empty())
    }
}

/// The charset of a code page of Windows, as mail names it; empty for one we cannot read, and then it is guessed.
fn charset(codepage: u32) -> String {
    let name = match codepage {
        850 | 866 | 1250..=1258 => return format!("cp{codepage}"),
        28591..=28606 => return format!("iso-8859-{}", codepage - 28590),
        874 => "windows-874",
        932 => "shift_jis",
        936 => "gbk",
        949 => "euc-kr",
        950 => "big5",
        10000 => "macintosh",
        20866 => "koi8-r",
        21866 => "koi8-u",
        50220..=50222 => "iso-2022-jp",
        51932 => "euc-jp",
        51949 => "euc-kr",
        54936 => "gb18030",
        _ => "",
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_pages() {
        for (codepage, bytes, text) in [
            (1252, &b"\xe4.txt\0rest"[..], "ä.txt"),
            (1251, b"\xc4\xee\xe3\xee\xe2\xee\xf0\0", "Договор"),
            (1253, b"\xe1", "α"),
            (866, b"\x84", "Д"),
            (850, b"\x84", "ä"),
            (932, b"\x93\xfa\x96\x7b", "日本"),
            (936, b"\xd6\xd0", "中"),
            (949, b"\xc7\xd1", "한"),
            (950, b"\xa4\xa4", "中"),
            (20866, b"\xf0", "П"),
            (28592, b"\xb1", "ą"),
            (65001, "ß€".as_bytes(), "ß€"),
            (0, b"\xe4", "ä"),
            (437, "ä".as_bytes(), "ä"),
            (1252, b"", ""),
        ] {
            assert_eq!(
                Text { range: 0..bytes.len(), wide: false }.decode(bytes, codepage),
                text,
                "{codepage}"
            );
        }
        let wide = b"\xac\x20\x3d\xd8\x00\xde\0\0x\0";
        assert_eq!(Text { range: 0..wide.len(), wide: true }.decode(wide, 1252), "€😀");
        assert_eq!(Text { range: 0..3, wide: true }.decode(b"\x3d\xd8a", 0), "\u{fffd}");
    }

    #[test]
    fn names_are_bounded() {
        let long = vec![b'a'; 1 << 20];
        assert_eq!(Text { range: 0..long.len(), wide: false }.name(&long, 0).unwrap().len(), READ);
        assert_eq!(Text { range: 0..2, wide: false }.name(b" \0", 0), None);
    }
}
