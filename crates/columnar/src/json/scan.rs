//! Finding the end of a string's plain part, and how many digits follow, many bytes at a time.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// The first index from `at` on that holds the quote, a backslash or a byte below 0x20; the length if there
/// is none.
#[inline(always)]
pub(super) fn string_end(bytes: &[u8], at: usize, quote: u8) -> usize {
    let Some(mut rest) = bytes.get(at..) else { return bytes.len() };
    while let Some((chunk, behind)) = rest.split_first_chunk::<16>() {
        let hits = wide::hits(u128::from_le_bytes(*chunk), quote);
        if hits != 0 {
            return bytes.len().wrapping_sub(rest.len()).wrapping_add(wide::lowest(hits));
        }
        rest = behind;
    }
    last_string_end(bytes.len(), rest, quote)
}

/// Whether sixteen bytes hold no double quote, backslash or byte below 0x20.
#[inline(always)]
pub(super) fn is_plain(bytes: u128) -> bool {
    wide::hits(bytes, b'"') == 0
}

/// In the last bytes of `length`.
#[inline(never)]
fn last_string_end(length: usize, mut rest: &[u8], quote: u8) -> usize {
    if let Some((chunk, behind)) = rest.split_first_chunk::<8>() {
        let hits = hits(u64::from_le_bytes(*chunk), quote);
        if hits != 0 {
            return length - rest.len() + hits.trailing_zeros() as usize / 8;
        }
        rest = behind;
    }
    let ends = |byte: &u8| *byte == quote || *byte == b'\\' || *byte < 0x20;
    length - rest.len() + rest.iter().position(ends).unwrap_or(rest.len())
}

/// High bits of the bytes that end a string's plain part. Bits above the lowest hit may be wrong.
#[inline(always)]
fn hits(word: u64, quote: u8) -> u64 {
    let quotes = ONES * u64::from(quote);
    (zero_bytes(word ^ quotes) | zero_bytes(word ^ (ONES * 0x5c)) | below_0x20(word)) & HIGH
}

/// High bits of the bytes that are zero, with the same reservation.
#[inline(always)]
fn zero_bytes(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word
}

/// High bits of the bytes that are below 0x20, with the same reservation.
#[inline(always)]
fn below_0x20(word: u64) -> u64 {
    word.wrapping_sub(ONES * 0x20) & !word
}

/// Sixteen bytes at once.
#[cfg(target_arch = "x86_64")]
mod wide {
    pub(in crate::json) use crate::raw::ends_of_text as hits;

    #[inline(always)]
    pub fn lowest(hits: u32) -> usize {
        hits.trailing_zeros() as usize
    }
}

#[cfg(not(target_arch = "x86_64"))]
mod wide {
    /// High bits of the bytes that end a string's plain part; only the lowest counts.
    #[inline(always)]
    pub fn hits(word: u128, quote: u8) -> u128 {
        let low = super::hits(word as u64, quote);
        u128::from(low) | u128::from(super::hits((word >> 64) as u64, quote)) << 64
    }

    #[inline(always)]
    pub fn lowest(hits: u128) -> usize {
        hits.trailing_zeros() as usize / 8
    }
}

/// How many of the eight bytes, from the lowest on, are ASCII digits.
#[inline(always)]
pub(super) fn leading_digits(word: u64) -> usize {
    // A digit becomes 0 to 9; anything else sets its high bit here or has it set already.
    let digits = word ^ (ONES * u64::from(b'0'));
    let others = (digits.wrapping_add(ONES * 0x76) | digits) & HIGH;
    others.trailing_zeros() as usize / 8
}

/// The number that the lowest `count` (1 to 8) bytes write in ASCII digits, the first digit lowest.
#[inline(always)]
pub(super) fn digits_value(word: u64, count: usize) -> u64 {
    // Digits to the high end, zeros before them; then neighbours are added up: pairs, fours, eights.
    let digits = (word ^ (ONES * u64::from(b'0'))) << (64 - 8 * count);
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = pairs.wrapping_mul(100).wrapping_add(pairs >> 16) & 0x0000_ffff_0000_ffff;
    fours.wrapping_mul(10_000).wrapping_add(fours >> 32) & 0xffff_ffff
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_at_every_place_is_found_as_by_a_plain_loop() {
        for quote in [b'"', b'\''] {
            for length in 0..40 {
                for at in 0..length {
                    for byte in 0..=255u8 {
                        let mut bytes = vec![0xc3; length];
                        bytes[at] = byte;
                        if at > 1 {
                            bytes[at - 2] = 0x20;
                        }
                        let stops = |byte: &u8| *byte == quote || *byte == b'\\' || *byte < 0x20;
                        let expected = bytes.iter().position(stops).unwrap_or(length);
                        assert_eq!(string_end(&bytes, 0, quote), expected, "{byte} at {at} of {length}");
                    }
                }
            }
        }
    }

    #[test]
    fn digits_are_counted_and_added_up_as_by_a_plain_loop() {
        for count in 0..=8usize {
            for byte in (0..=255u8).filter(|byte| !byte.is_ascii_digit()) {
                let mut text = *b"90817263";
                if count < 8 {
                    text[count] = byte;
                }
                let word = u64::from_le_bytes(text);
                assert_eq!(leading_digits(word), count, "{text:?}");
                if count > 0 {
                    let expected: u64 = std::str::from_utf8(&text[..count]).unwrap().parse().unwrap();
                    assert_eq!(digits_value(word, count), expected, "{text:?}");
                }
            }
        }
    }
}
