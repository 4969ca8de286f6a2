//! Which partition a record goes to when its writer does not say.
//!
//! Source: the Java client's rules, so that records with equal keys meet whichever client wrote them:
//! a key is hashed by murmur2 with seed 0x9747b28c and the sign bit cleared; records without a key
//! stay on one partition for a while and then move to another (KIP-480, KIP-794).

/// MurmurHash2 (32 bit) of `data`, as the Java client computes it.
pub fn murmur2(data: &[u8]) -> i32 {
    const M: u32 = 0x5bd1_e995;
    const SEED: u32 = 0x9747_b28c;
    let mut hash = SEED ^ data.len() as u32;
    let mut words = data.chunks_exact(4);
    for word in &mut words {
        let mut k = u32::from_le_bytes([word[0], word[1], word[2], word[3]]).wrapping_mul(M);
        k ^= k >> 24;
        hash = hash.wrapping_mul(M) ^ k.wrapping_mul(M);
    }
    let rest = words.remainder();
    if !rest.is_empty() {
        for (index, byte) in rest.iter().enumerate() {
            hash ^= u32::from(*byte) << (8 * index);
        }
        hash = hash.wrapping_mul(M);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(M);
    (hash ^ (hash >> 15)) as i32
}

/// Partition of a record with this key, of `partitions` (at least 1) in all.
pub fn partition_for_key(key: &[u8], partitions: i32) -> i32 {
    (murmur2(key) & i32::MAX) % partitions.max(1)
}

/// Chooses partitions for records without a key: stays on one until `batch_bytes` were sent to it.
///
/// Pure: the random numbers come from the caller.
#[derive(Debug, Clone)]
pub struct StickyPartitioner {
    batch_bytes: usize,
    current: Option<i32>,
    sent: usize,
}

impl StickyPartitioner {
    /// A partitioner that moves on after `batch_bytes` bytes (the producer's batch size).
    pub fn new(batch_bytes: usize) -> Self {
        Self { batch_bytes: batch_bytes.max(1), current: None, sent: 0 }
    }

    /// Partition for the next record of `bytes` bytes among `partitions`. `random` is drawn only when
    /// a new partition has to be chosen.
    pub fn choose(&mut self, partitions: i32, bytes: usize, random: impl FnOnce() -> u32) -> i32 {
        let partitions = partitions.max(1);
        let current = match self.current {
            Some(current) if current < partitions && self.sent < self.batch_bytes => current,
            previous => {
                self.sent = 0;
                Self::another(previous, partitions, random())
            }
        };
        self.current = Some(current);
        self.sent = self.sent.saturating_add(bytes);
        current
    }

    /// Moves to another partition at the next record, for instance because a batch was closed.
    pub fn move_on(&mut self) {
        self.sent = self.batch_bytes;
    }

    fn another(previous: Option<i32>, partitions: i32, random: u32) -> i32 {
        match previous {
            Some(previous) if previous < partitions && partitions > 1 => {
                let step = 1 + (random % (partitions as u32 - 1)) as i32;
                ((i64::from(previous) + i64::from(step)) % i64::from(partitions)) as i32
            }
            _ => (random % partitions as u32) as i32,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn murmur2_gives_the_values_of_the_java_client() {
        // Values published with the Java client's own tests.
        for (text, hash) in [
            ("21", -973_932_308),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
            ("abc", 479_470_107),
        ] {
            assert_eq!(murmur2(text.as_bytes()), hash, "{text}");
        }
    }

    #[test]
    fn a_keyless_record_stays_until_a_batch_is_full_and_then_moves() {
        let mut sticky = StickyPartitioner::new(100);
        let mut dice = 0u32;
        let mut seen = Vec::new();
        for _ in 0..40 {
            seen.push(sticky.choose(4, 10, || {
                dice = dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                dice >> 16
            }));
        }
        for run in seen.chunks(10) {
            assert!(run.iter().all(|partition| *partition == run[0]));
        }
        assert!(
            seen.chunks(10).map(|run| run[0]).collect::<Vec<_>>().windows(2).all(|pair| pair[0] != pair[1])
        );
        assert!(seen.iter().all(|partition| (0..4).contains(partition)));
        assert_eq!(StickyPartitioner::new(1).choose(1, 1, || 77), 0);
    }
}
