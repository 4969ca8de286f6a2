//! The Mersenne Twister (MT19937) by Matsumoto and Nishimura, seeded with an array of two numbers.

const SIZE: usize = 624;
const MIDDLE: usize = 397;

/// The generator's state.
#[derive(Debug)]
pub(super) struct Twister {
    state: [u32; SIZE],
    at: usize,
}

impl Twister {
    /// Of the high and the low half of a seed.
    pub fn new(seed: i64) -> Self {
        let key = [(seed >> 32) as u32, seed as u32];
        let mut state = [0u32; SIZE];
        state[0] = 19_650_218;
        for at in 1..SIZE {
            state[at] = mixed(state[at - 1], 1_812_433_253).wrapping_add(at as u32);
        }
        let (mut at, mut part) = (1, 0);
        for _ in 0..SIZE {
            let next = state[at] ^ mixed(state[at - 1], 1_664_525);
            state[at] = next.wrapping_add(key[part]).wrapping_add(part as u32);
            at = after(at, &mut state);
            part = (part + 1) % key.len();
        }
        for _ in 1..SIZE {
            state[at] = (state[at] ^ mixed(state[at - 1], 1_566_083_941)).wrapping_sub(at as u32);
            at = after(at, &mut state);
        }
        state[0] = 0x8000_0000;
        Self { state, at: SIZE }
    }

    fn next(&mut self) -> u32 {
        if self.at == SIZE {
            self.refill();
        }
        let mut value = self.state[self.at];
        self.at += 1;
        value ^= value >> 11;
        value ^= (value << 7) & 0x9D2C_5680;
        value ^= (value << 15) & 0xEFC6_0000;
        value ^ (value >> 18)
    }

    fn refill(&mut self) {
        for at in 0..SIZE {
            let pair = (self.state[at] & 0x8000_0000) | (self.state[(at + 1) % SIZE] & 0x7FFF_FFFF);
            let odd = if pair & 1 == 1 { 0x9908_B0DF } else { 0 };
            self.state[at] = self.state[(at + MIDDLE) % SIZE] ^ (pair >> 1) ^ odd;
        }
        self.at = 0;
    }

    fn long(&mut self) -> u64 {
        u64::from(self.next()) << 32 | u64::from(self.next())
    }

    /// A UUID of version 4.
    pub fn uuid(&mut self) -> String {
        let high = (self.long() & 0xFFFF_FFFF_FFFF_0FFF) | 0x4000;
        let low = (self.long() | 0x8000_0000_0000_0000) & 0xBFFF_FFFF_FFFF_FFFF;
        format!(
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xFFFF,
            high & 0xFFFF,
            low >> 48,
            low & 0xFFFF_FFFF_FFFF
        )
    }

    /// The numbers below `count`, in random order.
    pub fn order(&mut self, count: i32) -> Vec<i32> {
        let mut order: Vec<i32> = Vec::new();
        for next in 0..count {
            let place = self.below(next + 1) as usize;
            order.push(next);
            let last = order.len() - 1;
            order.swap(place, last);
        }
        order
    }

    fn below(&mut self, limit: i32) -> i32 {
        if limit & limit.wrapping_neg() == limit {
            return ((i64::from(limit) * i64::from(self.next() >> 1)) >> 31) as i32;
        }
        loop {
            let bits = (self.next() >> 1) as i32;
            let value = bits % limit;
            if bits.wrapping_sub(value).wrapping_add(limit - 1) >= 0 {
                return value;
            }
        }
    }
}

fn mixed(before: u32, factor: u32) -> u32 {
    (before ^ (before >> 30)).wrapping_mul(factor)
}

/// The next place; the last one is that before the second.
fn after(at: usize, state: &mut [u32; SIZE]) -> usize {
    if at + 1 < SIZE {
        return at + 1;
    }
    state[0] = state[SIZE - 1];
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_have_their_version_and_orders_are_whole() {
        let mut random = Twister::new(-5);
        let uuid = random.uuid();
        assert_eq!((uuid.len(), &uuid[14..15]), (36, "4"));
        assert!(matches!(&uuid[19..20], "8" | "9" | "a" | "b"));
        let mut order = random.order(100);
        order.sort_unstable();
        assert_eq!(order, (0..100).collect::<Vec<_>>());
    }
}
