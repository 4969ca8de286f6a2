//! Avro's binary encoding, read from one payload (specification 1.12, "Binary Encoding").
//!
//! | type | bytes |
//! |---|---|
//! | null | none |
//! | boolean | one: 1 is true, anything else false |
//! | int, long | zigzag, then 7 bits a byte from the lowest, the high bit set on all but the last; 1-5 and 1-10 bytes |
//! | float, double | 4 and 8, IEEE 754, little endian |
//! | bytes, string | long length, then the bytes; strings are UTF-8 |
//! | fixed | its bytes |
//! | enum | int index of the symbol |
//! | array, map | blocks, the last one empty: long count, then items (of a map: string key and value) |
//! | | a negative count stands for its opposite and is followed by the block's size in bytes, a long |
//! | union | int index of the branch, then its value |
//! | record | its fields in the order of the schema |
//!
//! Bits of a varint's last byte beyond 32 or 64 are ignored, as Avro's Java library does.

/// A payload and how far it was read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a> {
    pub bytes: &'a [u8],
    pub at: usize,
}

/// Too few bytes, or bytes that cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    End,
    Varint,
    NegativeLength,
}

impl Fault {
    pub fn text(self) -> &'static str {
        match self {
            Self::End => "the payload ends too early",
            Self::Varint => "a number takes more bytes than its type has",
            Self::NegativeLength => "a length is negative",
        }
    }
}

impl<'a> Cursor<'a> {
    #[inline(always)]
    pub fn byte(&mut self) -> Result<u8, Fault> {
        let byte = *self.bytes.get(self.at).ok_or(Fault::End)?;
        self.at += 1;
        Ok(byte)
    }

    #[inline(always)]
    pub fn boolean(&mut self) -> Result<bool, Fault> {
        Ok(self.byte()? == 1)
    }

    #[inline(always)]
    pub fn int(&mut self) -> Result<i32, Fault> {
        let first = self.byte()?;
        if first < 0x80 {
            return Ok(unzigzag32(u32::from(first)));
        }
        let mut value = u32::from(first & 0x7F);
        for shift in [7, 14, 21, 28] {
            let byte = self.byte()?;
            value |= u32::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                return Ok(unzigzag32(value));
            }
        }
        Err(Fault::Varint)
    }

    #[inline(always)]
    pub fn long(&mut self) -> Result<i64, Fault> {
        let first = self.byte()?;
        if first < 0x80 {
            return Ok(unzigzag64(u64::from(first)));
        }
        self.long_rest(u64::from(first & 0x7F))
    }

    #[inline(always)]
    fn long_rest(&mut self, first: u64) -> Result<i64, Fault> {
        let mut value = first;
        let mut shift = 7;
        while shift < 70 {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                return Ok(unzigzag64(value));
            }
            shift += 7;
        }
        Err(Fault::Varint)
    }

    #[inline(always)]
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let chunk = self.bytes.get(self.at..).and_then(<[u8]>::first_chunk::<N>).ok_or(Fault::End)?;
        self.at += N;
        Ok(*chunk)
    }

    /// Passes over `length` bytes and tells where they began.
    #[inline(always)]
    pub fn skip(&mut self, length: usize) -> Result<usize, Fault> {
        let start = self.at;
        if length > self.bytes.len() - start {
            return Err(Fault::End);
        }
        self.at += length;
        Ok(start)
    }

    /// Passes over bytes behind their length and tells where they began.
    #[inline(always)]
    pub fn prefixed(&mut self) -> Result<usize, Fault> {
        let length = self.long()?;
        let length = usize::try_from(length).map_err(|_| Fault::NegativeLength)?;
        self.skip(length)
    }

    /// The next block of an array or map: its count, and its bytes if it tells them. A count of 0 ends the blocks.
    #[inline(always)]
    pub fn block(&mut self) -> Result<(u64, Option<i64>), Fault> {
        let count = self.long()?;
        if count >= 0 {
            return Ok((count.unsigned_abs(), None));
        }
        Ok((count.unsigned_abs(), Some(self.long()?)))
    }

    pub fn left(&self) -> usize {
        self.bytes.len() - self.at
    }
}

#[inline(always)]
fn unzigzag32(value: u32) -> i32 {
    (value >> 1) as i32 ^ -((value & 1) as i32)
}

#[inline(always)]
fn unzigzag64(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursor(bytes: &[u8]) -> Cursor<'_> {
        Cursor { bytes, at: 0 }
    }

    /// Each row of the table at the head: bytes, and what they are.
    #[test]
    fn every_row_of_the_table_is_read_as_it_says() {
        assert_eq!(cursor(&[1]).boolean(), Ok(true));
        assert_eq!(cursor(&[2]).boolean(), Ok(false));
        for (bytes, value) in
            [(&[0x00][..], 0), (&[0x01], -1), (&[0x02], 1), (&[0x7F], -64), (&[0x80, 1], 64)]
        {
            assert_eq!(cursor(bytes).int(), Ok(value));
            assert_eq!(cursor(bytes).long(), Ok(i64::from(value)));
        }
        assert_eq!(cursor(&[0xFF, 0xFF, 0xFF, 0xFF, 0x0F]).int(), Ok(i32::MIN));
        assert_eq!(
            cursor(&[0xFF, 0xFF, 0xFF, 0xFF, 0x1F]).int(),
            Ok(i32::MIN),
            "bits beyond 32 do not count"
        );
        assert_eq!(cursor(&[0x80; 5]).int(), Err(Fault::Varint));
        let mut most = [0xFF; 10];
        most[9] = 1;
        assert_eq!(cursor(&most).long(), Ok(i64::MIN));
        assert_eq!(cursor(&[0x80; 10]).long(), Err(Fault::Varint));
        assert_eq!(cursor(&[0x80; 9]).long(), Err(Fault::End));
        assert_eq!(cursor(&1.5f32.to_le_bytes()).array().map(f32::from_le_bytes), Ok(1.5));
        assert_eq!(cursor(&1.5f64.to_le_bytes()).array().map(f64::from_le_bytes), Ok(1.5));
        let mut text = cursor(&[6, b'a', b'b', b'c', 9]);
        assert_eq!((text.prefixed(), text.at), (Ok(1), 4));
        assert_eq!(cursor(&[8, b'a']).prefixed(), Err(Fault::End));
        assert_eq!(cursor(&[1]).prefixed(), Err(Fault::NegativeLength));
        assert_eq!(cursor(&[4]).block(), Ok((2, None)));
        assert_eq!(cursor(&[3, 10]).block(), Ok((2, Some(5))));
        assert_eq!(cursor(&[0]).block(), Ok((0, None)));
        assert_eq!(cursor(&most).block(), Err(Fault::End), "the count of most blocks is followed by a size");
    }
}
