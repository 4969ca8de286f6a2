//! The wire format: what protobuf.dev calls "Encoding".
//!
//! | element | bytes |
//! |---|---|
//! | varint | 7 bits a byte, lowest first; the high bit says that another byte follows; at most 10 bytes |
//! | zigzag | a varint `n`: `n / 2`, or `-(n + 1) / 2` where `n` is odd |
//! | tag | a varint: field number (1 to 2^29 - 1) << 3, or'ed with the wire type |
//! | wire type 0 | a varint |
//! | wire type 1 | 8 bytes, little-endian |
//! | wire type 2 | a varint length, then so many bytes |
//! | wire type 3 | fields up to the tag of wire type 4 with the same number |
//! | wire type 5 | 4 bytes, little-endian |

/// What comes behind a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WireType {
    Varint = 0,
    Fixed64 = 1,
    Length = 2,
    StartGroup = 3,
    EndGroup = 4,
    Fixed32 = 5,
}

/// Messages and groups inside of each other; Java's parser has the same limit.
pub(super) const MAX_DEPTH: usize = 100;

/// Bytes that are no message. The text says why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Malformed {
    pub what: &'static str,
    /// Names of the fields that lead there, the innermost first.
    pub path: Vec<String>,
}

impl Malformed {
    #[cold]
    pub fn new(what: &'static str) -> Self {
        Self { what, path: Vec::new() }
    }

    #[cold]
    pub fn inside(mut self, field: &str) -> Self {
        self.path.push(field.to_owned());
        self
    }
}

pub(super) type Result<T> = std::result::Result<T, Malformed>;

/// A part of a payload: `bytes` is all of it, so that places stay places in the payload.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wire<'a> {
    pub bytes: &'a [u8],
    pub at: usize,
    pub end: usize,
}

impl<'a> Wire<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, end: bytes.len() }
    }

    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.at >= self.end
    }

    #[inline(always)]
    pub fn varint(&mut self) -> Result<u64> {
        if self.at < self.end {
            let first = self.bytes[self.at];
            if first < 0x80 {
                self.at += 1;
                return Ok(first.into());
            }
        }
        self.long_varint()
    }

    fn long_varint(&mut self) -> Result<u64> {
        let mut value = 0u64;
        for (index, byte) in self.bytes[self.at..self.end].iter().take(10).enumerate() {
            value |= u64::from(byte & 0x7f) << (7 * index);
            if *byte < 0x80 {
                self.at += index + 1;
                return Ok(value);
            }
        }
        Err(Malformed::new(if self.end - self.at < 10 {
            "the message ends inside of a number"
        } else {
            "a number has more than 10 bytes"
        }))
    }

    /// Field number and wire type.
    #[inline(always)]
    pub fn tag(&mut self) -> Result<(u32, WireType)> {
        // A tag has 32 bits; what is beyond is lost in Java too.
        let tag = self.varint()? as u32;
        let kind = match tag & 7 {
            0 => WireType::Varint,
            1 => WireType::Fixed64,
            2 => WireType::Length,
            3 => WireType::StartGroup,
            4 => WireType::EndGroup,
            5 => WireType::Fixed32,
            _ => return Err(Malformed::new("a wire type that there is not")),
        };
        if tag >> 3 == 0 { Err(Malformed::new("a field number of 0")) } else { Ok((tag >> 3, kind)) }
    }

    #[inline(always)]
    pub fn fixed32(&mut self) -> Result<[u8; 4]> {
        let found = self.bytes[self.at..self.end].first_chunk::<4>();
        let found = found.ok_or(Malformed::new("the message ends inside of a number"))?;
        self.at += 4;
        Ok(*found)
    }

    #[inline(always)]
    pub fn fixed64(&mut self) -> Result<[u8; 8]> {
        let found = self.bytes[self.at..self.end].first_chunk::<8>();
        let found = found.ok_or(Malformed::new("the message ends inside of a number"))?;
        self.at += 8;
        Ok(*found)
    }

    /// The bytes behind a length, as a part of their own.
    #[inline(always)]
    pub fn part(&mut self) -> Result<Wire<'a>> {
        let length = self.varint()?;
        // Java reads lengths as 32 bits with a sign.
        let left = self.end - self.at;
        let length = usize::try_from(length).ok().filter(|length| *length <= left);
        let length = length.ok_or(Malformed::new("a length goes beyond the message"))?;
        let part = Wire { bytes: self.bytes, at: self.at, end: self.at + length };
        self.at += length;
        Ok(part)
    }

    /// The rest as bytes.
    pub fn rest(&self) -> &'a [u8] {
        &self.bytes[self.at..self.end]
    }

    /// Passes over a field whose tag was read.
    pub fn skip(&mut self, number: u32, kind: WireType, depth: usize) -> Result<()> {
        match kind {
            WireType::Varint => self.varint().map(drop),
            WireType::Fixed64 => self.fixed64().map(drop),
            WireType::Fixed32 => self.fixed32().map(drop),
            WireType::Length => self.part().map(drop),
            WireType::EndGroup => Err(Malformed::new("a group ends that did not begin")),
            WireType::StartGroup => self.skip_group(number, depth),
        }
    }

    /// Groups inside of groups are kept on a list of their numbers, not on the stack.
    fn skip_group(&mut self, number: u32, depth: usize) -> Result<()> {
        let mut open = vec![number];
        while let Some(group) = open.last().copied() {
            if self.is_empty() {
                return Err(Malformed::new("the message ends inside of a group"));
            }
            match self.tag()? {
                (number, WireType::EndGroup) if number == group => drop(open.pop()),
                (number, WireType::StartGroup) => {
                    if depth + open.len() >= MAX_DEPTH {
                        return Err(Malformed::new("messages are nested too deeply"));
                    }
                    open.push(number);
                }
                (number, kind) => self.skip(number, kind, depth)?,
            }
        }
        Ok(())
    }
}

/// Undoes the zigzag coding.
#[inline(always)]
pub(super) fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

/// Appends a varint.
pub(super) fn push_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a tag.
pub(super) fn push_tag(number: u32, kind: WireType, out: &mut Vec<u8>) {
    push_varint(u64::from(number) << 3 | kind as u64, out);
}

/// The zigzag coding.
pub(super) fn zigzag(value: i64) -> u64 {
    (value << 1 ^ value >> 63) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each row of the module's table, on bytes.
    #[test]
    fn the_elements_are_those_of_the_table() {
        let mut wire = Wire::new(&[0x96, 0x01]);
        assert_eq!(wire.varint(), Ok(150));
        let ten = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
        assert_eq!(Wire::new(&ten).varint(), Ok(u64::MAX));
        assert!(Wire::new(&[0x80; 11]).varint().is_err());
        assert!(Wire::new(&[0x80]).varint().is_err());
        assert_eq!([0, 1, 2, 3, u64::MAX].map(unzigzag), [0, -1, 1, -2, i64::MIN]);
        assert_eq!([0, -1, 1, -2, i64::MIN].map(zigzag), [0, 1, 2, 3, u64::MAX]);
        let kinds = [
            WireType::Varint,
            WireType::Fixed64,
            WireType::Length,
            WireType::StartGroup,
            WireType::EndGroup,
            WireType::Fixed32,
        ];
        for (code, kind) in kinds.into_iter().enumerate() {
            let bytes = [(2 << 3) | code as u8];
            assert_eq!(Wire::new(&bytes).tag(), Ok((2, kind)));
            let mut written = Vec::new();
            push_tag(2, kind, &mut written);
            assert_eq!(written, bytes);
        }
        assert!(Wire::new(&[0x06 | 8]).tag().is_err() && Wire::new(&[0x07 | 8]).tag().is_err());
        assert!(Wire::new(&[0x00]).tag().is_err());
        assert_eq!(
            Wire::new(&[1, 2, 3, 4, 5, 6, 7, 8]).fixed64().map(u64::from_le_bytes),
            Ok(0x0807060504030201)
        );
        assert_eq!(Wire::new(&[1, 2, 3, 4]).fixed32().map(u32::from_le_bytes), Ok(0x04030201));
        assert_eq!(Wire::new(&[2, 7, 8, 9]).part().map(|part| part.rest().to_vec()), Ok(vec![7, 8]));
        assert!(Wire::new(&[4, 7, 8, 9]).part().is_err());
        // Field 1 of a group of number 2 inside of it, then the ends.
        let group = [0x08, 0x01, 0x13, 0x14, 0x0c];
        let mut wire = Wire::new(&group);
        assert_eq!(wire.skip(1, WireType::StartGroup, 0), Ok(()));
        assert!(wire.is_empty());
        assert!(Wire::new(&[0x14]).skip(1, WireType::StartGroup, 0).is_err());
        assert!(Wire::new(&[0x0b; 200]).skip(1, WireType::StartGroup, 0).is_err());
    }

    #[test]
    fn varints_are_read_as_they_are_written() {
        for shift in 0..64 {
            for value in [1u64 << shift, (1u64 << shift) - 1, u64::MAX >> shift] {
                let mut bytes = Vec::new();
                push_varint(value, &mut bytes);
                assert_eq!(Wire::new(&bytes).varint(), Ok(value));
            }
        }
    }
}
