//! Reading forward in a stretch of the input, by offsets of the whole input. Nothing here allocates.

use std::ops::Range;

use super::Doubt;

/// Where reading stands, and where it must end.
#[derive(Debug)]
pub(super) struct Cursor<'t> {
    bytes: &'t [u8],
    at: usize,
    end: usize,
}

impl<'t> Cursor<'t> {
    pub fn new(bytes: &'t [u8], range: Range<usize>) -> Cursor<'t> {
        Cursor { bytes, at: range.start, end: range.end.min(bytes.len()) }
    }

    pub fn offset(&self) -> usize {
        self.at
    }

    /// What is still to be read.
    pub fn rest(&self) -> &'t [u8] {
        self.bytes.get(self.at..self.end).unwrap_or_default()
    }

    /// The next `length` bytes: where they stand.
    pub fn take(&mut self, length: usize) -> Result<Range<usize>, Doubt> {
        let end = self.at.checked_add(length).filter(|&end| end <= self.end);
        let end = end.ok_or(Doubt::CutShort(self.at))?;
        Ok(std::mem::replace(&mut self.at, end)..end)
    }

    fn number<const N: usize>(&mut self) -> Result<[u8; N], Doubt> {
        let at = self.at;
        let range = self.take(N)?;
        self.bytes.get(range).and_then(<[u8]>::first_chunk).copied().ok_or(Doubt::CutShort(at))
    }

    pub fn u8(&mut self) -> Result<u8, Doubt> {
        self.number().map(u8::from_le_bytes)
    }

    pub fn u16(&mut self) -> Result<u16, Doubt> {
        self.number().map(u16::from_le_bytes)
    }

    pub fn u32(&mut self) -> Result<u32, Doubt> {
        self.number().map(u32::from_le_bytes)
    }

    /// As many bytes as the number in front of them says.
    pub fn counted(&mut self) -> Result<Range<usize>, Doubt> {
        let at = self.at;
        let length = usize::try_from(self.u32()?).map_err(|_| Doubt::CutShort(at))?;
        self.take(length).map_err(|_| Doubt::CutShort(at))
    }

    /// The same, and what fills them up to a multiple of four.
    pub fn counted_padded(&mut self) -> Result<Range<usize>, Doubt> {
        let range = self.counted()?;
        self.take(range.len().next_multiple_of(4) - range.len())?;
        Ok(range)
    }
}
