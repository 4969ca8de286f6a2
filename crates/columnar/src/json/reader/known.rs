//! A text that was met before and is likely to be met again, compared sixteen bytes at a time.

/// A text of 1 to [`LONGEST`] bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Known {
    /// The first 16 bytes, zeros where there are fewer.
    first: u128,
    mask: u128,
    /// Bytes 16 to 31 and the last 16, where there are so many.
    second: u128,
    last: u128,
    length: usize,
}

/// Longest text that is remembered.
pub(super) const LONGEST: usize = 48;

impl Known {
    pub const NOTHING: Self = Self { first: 0, mask: 0, second: 0, last: 0, length: 0 };

    /// None for a text that is too long.
    pub fn new(text: &[u8]) -> Option<Self> {
        (text.len() <= LONGEST).then(|| Self {
            first: word(text),
            mask: if text.len() < 16 { (1 << (8 * text.len())) - 1 } else { u128::MAX },
            second: word(text.get(16..).unwrap_or_default()),
            last: word(text.get(text.len().wrapping_sub(16)..).unwrap_or_default()),
            length: text.len(),
        })
    }

    /// What follows the text, if `rest` begins with it.
    #[inline(always)]
    pub fn behind<'a>(&self, rest: &'a [u8]) -> Option<&'a [u8]> {
        let Some(chunk) = rest.first_chunk::<16>() else {
            return self.behind_at_the_end(rest);
        };
        if (u128::from_le_bytes(*chunk) ^ self.first) & self.mask != 0 {
            return None;
        }
        if self.length > 16 && !self.rest_is_same(rest) {
            return None;
        }
        rest.get(self.length..)
    }

    #[inline(always)]
    fn rest_is_same(&self, rest: &[u8]) -> bool {
        let same = |from: usize, expected: u128| match rest.get(from..).and_then(<[u8]>::first_chunk::<16>) {
            Some(chunk) => u128::from_le_bytes(*chunk) == expected,
            None => false,
        };
        same(self.length.wrapping_sub(16), self.last) && (self.length <= 32 || same(16, self.second))
    }

    /// Fewer than 16 bytes are left.
    #[inline(never)]
    fn behind_at_the_end<'a>(&self, rest: &'a [u8]) -> Option<&'a [u8]> {
        let behind = rest.get(self.length..)?;
        ((word(rest) ^ self.first) & self.mask == 0).then_some(behind)
    }
}

/// Up to 16 bytes, zeros behind them.
fn word(text: &[u8]) -> u128 {
    text.iter().take(16).rev().fold(0, |word, byte| word << 8 | u128::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_any_length_is_known_again_and_no_other() {
        for length in 1..=LONGEST {
            let known: Vec<u8> = (0..length as u8).map(|byte| byte + 1).collect();
            let text = Known::new(&known).unwrap();
            for behind in 0..20 {
                let mut rest = [known.as_slice(), &vec![b'y'; behind]].concat();
                assert_eq!(text.behind(&rest), Some(&rest[length..]));
                for at in 0..length {
                    rest[at] ^= 0x80;
                    assert_eq!(text.behind(&rest), None, "{at} of {length}");
                    rest[at] ^= 0x80;
                }
                assert_eq!(text.behind(&rest[..length - 1]), None);
            }
        }
        assert_eq!(Known::new(&[1; LONGEST + 1]), None);
    }
}
