//! Compressed RTF (MS-OXRTFCP): only to see which images the words of a mail show.

/// What the window holds before the first byte (MS-OXRTFCP section 2.1.2.1).
const INITIAL: &[u8; 207] =
    b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \
\\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\
\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";

/// So far back a reference can point, in bytes.
const WINDOW: usize = 4096;

/// No more is decompressed, in bytes: an image that is shown only behind that is filed.
const AT_MOST: usize = 4 << 20;

/// As much as is sound, behind what the window begins with; empty if it is neither form of the format.
pub(super) fn decompress(bytes: &[u8]) -> Vec<u8> {
    match (bytes.get(8..12), bytes.get(16..)) {
        (Some(b"MELA"), Some(plain)) => plain.get(..plain.len().min(AT_MOST)).unwrap_or_default().to_vec(),
        (Some(b"LZFu"), Some(packed)) => unpack(packed),
        _ => Vec::new(),
    }
}

/// Eight bytes or references follow each byte of flags, the lowest bit first.
fn unpack(mut packed: &[u8]) -> Vec<u8> {
    let mut out = INITIAL.to_vec();
    while let Some((&flags, mut rest)) = packed.split_first() {
        for bit in 0..8 {
            let is_reference = flags >> bit & 1 == 1;
            rest = match rest {
                _ if out.len() > AT_MOST => return out,
                [high, low, rest @ ..] if is_reference => {
                    let reference = u16::from_be_bytes([*high, *low]);
                    if !copy(&mut out, usize::from(reference >> 4), usize::from(reference & 0xf) + 2) {
                        return out;
                    }
                    rest
                }
                [byte, rest @ ..] if !is_reference => {
                    out.push(*byte);
                    rest
                }
                _ => return out,
            };
        }
        packed = rest;
    }
    out
}

/// Appends what stands at a place of the window, and may run into what it appends; false at the mark of the end.
fn copy(out: &mut Vec<u8>, place: usize, length: usize) -> bool {
    let back = (out.len() + WINDOW - place) % WINDOW;
    for _ in 0..length {
        match out.len().checked_sub(back).and_then(|from| out.get(from)) {
            Some(&byte) => out.push(byte),
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of MS-OXRTFCP section 3.
    #[test]
    fn the_examples_of_the_specification() {
        assert_eq!(INITIAL.len(), 207);
        let simple = b"\x2d\0\0\0\x2b\0\0\0LZFu\xf1\xc5\xc7\xa7\x03\0\x0a\0rcpg125B2\x0a\xf3 hel\x09\0 bw\x05\xb0ld}\x0a\x80\x0f\xa0";
        assert_eq!(decompress(simple)[207..], *b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n");
        let overlapping = b"\x1a\0\0\0\x1c\0\0\0LZFu\xe2\xd4\x4b\x51\x41\0\x04\x20WXYZ\x0d\x6e}\x01\x0e\xb0";
        assert_eq!(decompress(overlapping)[207..], *b"{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}");
    }

    #[test]
    fn what_is_broken_ends_early_and_a_bomb_is_bounded() {
        assert_eq!(decompress(b"0123456789abcdefxyz"), b"");
        assert_eq!(decompress(b"01234567MELA4567{\\rtf1}"), b"{\\rtf1}");
        assert_eq!(decompress(b"01234567LZFu4567\x01\xff\xff")[207..], *b"");
        // Each reference repeats the byte before it 17 times.
        let mut bomb = b"01234567LZFu4567".to_vec();
        let mut length = INITIAL.len();
        while length < 2 * AT_MOST {
            bomb.push(0xff);
            for _ in 0..8 {
                let place = u16::try_from((length - 1) % WINDOW).unwrap();
                bomb.extend((place << 4 | 0xf).to_be_bytes());
                length += 17;
            }
        }
        let out = decompress(&bomb);
        assert!(out.len() > AT_MOST && out.len() < AT_MOST + 32);
    }
}
