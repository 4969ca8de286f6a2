//! Finding the end of a string's plain part, eight bytes at a time.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// The first index from `at` on that holds the quote, a backslash or a byte below 0x20; the length if there
/// is none.
#[inline(always)]
pub(super) fn string_end(bytes: &[u8], mut at: usize, quote: u8) -> usize {
    let quotes = ONES * u64::from(quote);
    while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let word = u64::from_le_bytes(*chunk);
        let hits = (zero_bytes(word ^ quotes) | zero_bytes(word ^ (ONES * 0x5c)) | below_0x20(word)) & HIGH;
        if hits != 0 {
            return at + hits.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    while let Some(&byte) = bytes.get(at)
        && byte != quote
        && byte != b'\\'
        && byte >= 0x20
    {
        at += 1;
    }
    at
}

/// High bits of the bytes that are zero. Bits above the lowest hit may be wrong; only the lowest is used.
#[inline(always)]
fn zero_bytes(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word
}

/// High bits of the bytes that are below 0x20, with the same reservation.
#[inline(always)]
fn below_0x20(word: u64) -> u64 {
    word.wrapping_sub(ONES * 0x20) & !word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_at_every_place_is_found_as_by_a_plain_loop() {
        for quote in [b'"', b'\''] {
            for length in 0..20 {
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
}
