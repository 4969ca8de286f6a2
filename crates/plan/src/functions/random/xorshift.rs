//! Spark's XORShift generator behind the interface of `java.util.Random`.

/// The generator's state.
#[derive(Debug)]
pub(super) struct XorShift {
    state: i64,
    /// The second of two normal values that are made together.
    normal: Option<f64>,
}

impl XorShift {
    /// Seeds are hashed, because many are small numbers with few bits.
    pub fn new(seed: i64) -> Self {
        const ARRAY_SEED: u32 = 0x3C07_4A61;
        let bytes = seed.to_be_bytes();
        let low = murmur3(&bytes, ARRAY_SEED);
        let high = murmur3(&bytes, low);
        Self { state: (i64::from(high) << 32) | i64::from(low), normal: None }
    }

    fn bits(&mut self, count: u32) -> i32 {
        let mut next = self.state ^ (self.state << 21);
        next ^= ((next as u64) >> 35) as i64;
        next ^= next << 4;
        self.state = next;
        (next & ((1i64 << count) - 1)) as i32
    }

    /// From 0 to below 1.
    pub fn double(&mut self) -> f64 {
        let high = i64::from(self.bits(26)) << 27;
        #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
        let whole = (high + i64::from(self.bits(27))) as f64;
        whole / 9_007_199_254_740_992.0
    }

    /// Of the standard normal distribution, by the polar method.
    pub fn gaussian(&mut self) -> f64 {
        if let Some(value) = self.normal.take() {
            return value;
        }
        loop {
            let (a, b) = (2.0 * self.double() - 1.0, 2.0 * self.double() - 1.0);
            let square = a * a + b * b;
            if square < 1.0 && square != 0.0 {
                let factor = (-2.0 * square.ln() / square).sqrt();
                self.normal = Some(b * factor);
                return a * factor;
            }
        }
    }

    /// Digits and letters.
    pub fn text(&mut self, length: usize) -> String {
        const ALPHABET: &[u8; 62] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
        (0..length).map(|_| char::from(ALPHABET[(self.bits(32) % 62).unsigned_abs() as usize])).collect()
    }
}

/// Murmur3 of eight bytes.
fn murmur3(bytes: &[u8; 8], seed: u32) -> u32 {
    let mut hash = seed;
    for block in bytes.chunks_exact(4) {
        let block = block.iter().rev().fold(0u32, |all, b| all << 8 | u32::from(*b));
        let mixed = block.wrapping_mul(0xCC9E_2D51).rotate_left(15).wrapping_mul(0x1B87_3593);
        hash = (hash ^ mixed).rotate_left(13).wrapping_mul(5).wrapping_add(0xE654_6B64);
    }
    hash ^= 8;
    hash = (hash ^ (hash >> 16)).wrapping_mul(0x85EB_CA6B);
    hash = (hash ^ (hash >> 13)).wrapping_mul(0xC2B2_AE35);
    hash ^ (hash >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_many_values_are_below_a_half() {
        let mut random = XorShift::new(7);
        let below = (0..10_000).filter(|_| random.double() < 0.5).count();
        assert!((4_800..5_200).contains(&below), "{below}");
    }
}
