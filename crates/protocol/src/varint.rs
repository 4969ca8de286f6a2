//! Variable-length integers: seven bits a byte, least significant first, the high bit says "more".
//!
//! Records use zigzag numbers of 32 and 64 bits, compact messages unsigned numbers of 32 bits. A number
//! that needs more than 5 (10) bytes, or whose last byte has bits beyond the width, is an error; Kafka's
//! writers never make one. Padding with zero groups inside the width (`80 00`) is accepted, as Kafka
//! itself accepts it.

/// Longest 32-bit number.
pub(crate) const MAX_32: usize = 5;
/// Longest 64-bit number.
pub(crate) const MAX_64: usize = 10;

/// Reads an unsigned number. `None` when it is cut off or overflows; `bytes` is then unchanged.
#[inline(always)]
pub(crate) fn read_u32(bytes: &mut &[u8]) -> Option<u32> {
    match *bytes {
        [a, rest @ ..] if *a < 0x80 => {
            *bytes = rest;
            Some(u32::from(*a))
        }
        [a, b, rest @ ..] if *b < 0x80 => {
            *bytes = rest;
            Some(u32::from(*a & 0x7f) | u32::from(*b) << 7)
        }
        _ => read_long_u32(bytes),
    }
}

/// Reads an unsigned number at a place, which moves behind it; for the hot loop, where one place costs less to
/// keep than a slice. `None` when it is cut off or overflows; the place may then be anywhere.
#[inline(always)]
pub(crate) fn u32_at(bytes: &[u8], at: &mut usize) -> Option<u32> {
    let a = *bytes.get(*at)?;
    let next = at.wrapping_add(1);
    if a < 0x80 {
        *at = next;
        return Some(u32::from(a));
    }
    match bytes.get(next) {
        Some(b) if *b < 0x80 => {
            *at = at.wrapping_add(2);
            Some(u32::from(a & 0x7f) | u32::from(*b) << 7)
        }
        _ => {
            let (value, length) = long_u32(bytes.get(*at..)?)?;
            *at = at.wrapping_add(length);
            Some(value)
        }
    }
}

/// As [`u32_at`], for 64 bits.
#[inline(always)]
pub(crate) fn u64_at(bytes: &[u8], at: &mut usize) -> Option<u64> {
    let a = *bytes.get(*at)?;
    let next = at.wrapping_add(1);
    if a < 0x80 {
        *at = next;
        return Some(u64::from(a));
    }
    match bytes.get(next) {
        Some(b) if *b < 0x80 => {
            *at = at.wrapping_add(2);
            Some(u64::from(a & 0x7f) | u64::from(*b) << 7)
        }
        _ => {
            let (value, length) = long_u64(bytes.get(*at..)?)?;
            *at = at.wrapping_add(length);
            Some(value)
        }
    }
}

/// The signed number that a zigzag number of 32 bits stands for.
#[inline(always)]
pub(crate) fn signed_32(raw: u32) -> i32 {
    (raw >> 1) as i32 ^ -((raw & 1) as i32)
}

/// The signed number that a zigzag number of 64 bits stands for.
#[inline(always)]
pub(crate) fn signed_64(raw: u64) -> i64 {
    (raw >> 1) as i64 ^ -((raw & 1) as i64)
}

/// Reads a zigzag number of 32 bits.
#[inline(always)]
pub(crate) fn read_i32(bytes: &mut &[u8]) -> Option<i32> {
    read_u32(bytes).map(signed_32)
}

/// The zigzag form of a 32-bit number.
#[inline(always)]
pub(crate) fn zigzag_32(value: i32) -> u32 {
    ((value << 1) ^ (value >> 31)) as u32
}

/// The zigzag form of a 64-bit number.
#[inline(always)]
pub(crate) fn zigzag_64(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

/// Bytes that an unsigned number takes.
#[inline(always)]
pub(crate) fn size_u64(value: u64) -> usize {
    (70 - (value | 1).leading_zeros() as usize) / 7
}

/// Bytes that a zigzag number of 32 bits takes.
#[inline(always)]
pub(crate) fn size_i32(value: i32) -> usize {
    size_u64(u64::from(zigzag_32(value)))
}

/// Bytes that a zigzag number of 64 bits takes.
#[inline(always)]
pub(crate) fn size_i64(value: i64) -> usize {
    size_u64(zigzag_64(value))
}

/// Appends an unsigned number.
#[inline(always)]
pub(crate) fn write_u64(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends an unsigned number of 32 bits.
#[inline(always)]
pub(crate) fn write_u32(out: &mut Vec<u8>, value: u32) {
    write_u64(out, u64::from(value));
}

/// Appends a zigzag number of 32 bits.
#[inline(always)]
pub(crate) fn write_i32(out: &mut Vec<u8>, value: i32) {
    write_u64(out, u64::from(zigzag_32(value)));
}

/// A few numbers that are appended together: what stands before the key of a record.
#[derive(Debug)]
pub(crate) struct Short {
    bytes: [u8; 32],
    length: usize,
}

impl Default for Short {
    #[inline(always)]
    fn default() -> Self {
        Self { bytes: [0; 32], length: 0 }
    }
}

impl Short {
    /// Adds an unsigned number; all together may take 32 bytes.
    #[inline(always)]
    pub(crate) fn push_u64(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes[self.length & 31] = value as u8 | 0x80;
            self.length += 1;
            value >>= 7;
        }
        self.bytes[self.length & 31] = value as u8;
        self.length += 1;
    }

    /// The numbers so far.
    #[inline(always)]
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

#[inline(never)]
fn read_long_u32(bytes: &mut &[u8]) -> Option<u32> {
    let (value, length) = long_u32(bytes)?;
    *bytes = bytes.get(length..)?;
    Some(value)
}

/// A number of any length and how many bytes it takes.
#[inline(never)]
fn long_u32(bytes: &[u8]) -> Option<(u32, usize)> {
    let mut value = 0u64;
    for (index, byte) in bytes.iter().take(MAX_32).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if *byte < 0x80 {
            return Some((u32::try_from(value).ok()?, index + 1));
        }
    }
    None
}

#[inline(never)]
fn long_u64(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut value = 0u64;
    for (index, byte) in bytes.iter().take(MAX_64).enumerate() {
        if index == MAX_64 - 1 && *byte > 1 {
            return None;
        }
        value |= u64::from(byte & 0x7f) << (7 * index);
        if *byte < 0x80 {
            return Some((value, index + 1));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_width_comes_back_with_the_size_that_was_foretold() {
        for shift in 0..64 {
            for value in [1u64 << shift, (1u64 << shift) - 1, (1u64 << shift) + 1, u64::MAX >> shift] {
                for value in [value as i64, (value as i64).wrapping_neg()] {
                    let mut out = Vec::new();
                    write_u64(&mut out, zigzag_64(value));
                    assert_eq!(out.len(), size_i64(value), "{value}");
                    let mut at = 0;
                    assert_eq!(u64_at(&out, &mut at).map(signed_64), Some(value));
                    assert_eq!(at, out.len());
                    let narrow = value as i32;
                    let mut out = Vec::new();
                    write_i32(&mut out, narrow);
                    assert_eq!(out.len(), size_i32(narrow));
                    assert_eq!(read_i32(&mut &out[..]), Some(narrow));
                    let mut at = 0;
                    assert_eq!(u32_at(&out, &mut at).map(signed_32), Some(narrow));
                    assert_eq!(at, out.len());
                    for cut in 0..out.len() {
                        assert_eq!(read_i32(&mut &out[..cut]), None);
                        assert_eq!(u32_at(&out[..cut], &mut 0), None);
                        assert_eq!(u64_at(&out[..cut], &mut 0), None);
                    }
                }
            }
        }
    }

    #[test]
    fn case_10_overlong_and_overflowing_numbers_are_errors() {
        assert_eq!(read_u32(&mut &[0xff, 0xff, 0xff, 0xff, 0x0f][..]), Some(u32::MAX));
        assert_eq!(read_u32(&mut &[0xff, 0xff, 0xff, 0xff, 0x1f][..]), None);
        assert_eq!(read_u32(&mut &[0x80, 0x80, 0x80, 0x80, 0x80, 0x00][..]), None);
        let max = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
        assert_eq!(u64_at(&max, &mut 0), Some(u64::MAX));
        let mut over = max;
        over[9] = 0x02;
        assert_eq!(u64_at(&[0x80; 11], &mut 0), None);
        assert_eq!(u32_at(&[0xff, 0xff, 0xff, 0xff, 0x1f], &mut 0), None);
        assert_eq!(u64_at(&over, &mut 0), None);
    }
}
