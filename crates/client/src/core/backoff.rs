//! Pauses between attempts: exponential with jitter (KIP-580), time and dice given by the caller.

use std::time::Duration;

use rand::Rng;

/// Share of a pause that chance adds or takes away, so that clients do not return in step.
const JITTER: f64 = 0.2;

/// Doubles from `first` to `max` with every failure in a row.
#[derive(Debug, Clone)]
pub(crate) struct Backoff {
    first: Duration,
    max: Duration,
    failures: u32,
}

impl Backoff {
    pub(crate) fn new(first: Duration, max: Duration) -> Self {
        Self { first, max: max.max(first), failures: 0 }
    }

    /// Counts a failure and says how long to wait before the next attempt.
    pub(crate) fn fail(&mut self, rng: &mut impl Rng) -> Duration {
        let doublings = self.failures.min(30);
        self.failures = self.failures.saturating_add(1);
        let full = self.first.saturating_mul(1 << doublings).min(self.max);
        full.mul_f64(rng.random_range(1.0 - JITTER..=1.0 + JITTER))
    }

    /// As if `failures` had happened in a row before this one.
    pub(crate) fn after(first: Duration, max: Duration, failures: u32, rng: &mut impl Rng) -> Duration {
        let mut backoff = Self::new(first, max);
        backoff.failures = failures;
        backoff.fail(rng)
    }

    /// The next failure is again the first.
    pub(crate) fn succeed(&mut self) {
        self.failures = 0;
    }

    /// Failures in a row so far.
    pub(crate) fn failures(&self) -> u32 {
        self.failures
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    #[test]
    fn pauses_double_up_to_the_maximum_within_the_jitter() {
        let mut rng = StdRng::seed_from_u64(7);
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(1));
        for expected in [100.0, 200.0, 400.0, 800.0, 1000.0, 1000.0] {
            let pause = backoff.fail(&mut rng).as_secs_f64() * 1000.0;
            assert!((expected * 0.8..=expected * 1.2).contains(&pause), "{pause} for {expected}");
        }
        assert_eq!(backoff.failures(), 6);
    }

    #[test]
    fn success_starts_over() {
        let mut rng = StdRng::seed_from_u64(7);
        let mut backoff = Backoff::new(Duration::from_millis(10), Duration::from_secs(1));
        for _ in 0..40 {
            backoff.fail(&mut rng);
        }
        backoff.succeed();
        assert!(backoff.fail(&mut rng) <= Duration::from_millis(12));
    }
}
