//! The bytes a reader may hold: in flight, and fetched but not yet dropped by its caller.
//!
//! A response's frame is one allocation, so it is one permit, shared by the slices of all its partitions:
//! memory is counted as long as any of them pins it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A limit in bytes and what of it is in use. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Budget {
    limit: usize,
    used: Arc<AtomicUsize>,
}

/// Bytes taken from a [`Budget`], given back when dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    bytes: usize,
    used: Arc<AtomicUsize>,
}

impl Budget {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, used: Arc::default() }
    }

    /// Takes up to `want` bytes; nothing when fewer than `least` are free.
    pub(crate) fn take(&self, want: usize, least: usize) -> Option<Permit> {
        let mut granted = 0;
        let grant = |used: usize| {
            granted = self.limit.saturating_sub(used).min(want);
            (granted >= least && granted > 0).then_some(used + granted)
        };
        self.used.fetch_update(Ordering::AcqRel, Ordering::Acquire, grant).ok()?;
        Some(Permit { bytes: granted, used: self.used.clone() })
    }

    /// Takes `want` bytes whether they are free or not: for a reader who waits with nothing fetched.
    pub(crate) fn overdraw(&self, want: usize) -> Permit {
        self.used.fetch_add(want, Ordering::AcqRel);
        Permit { bytes: want, used: self.used.clone() }
    }

    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    #[cfg(test)]
    pub(crate) fn used(&self) -> usize {
        self.used.load(Ordering::Acquire)
    }
}

impl Permit {
    /// How many bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// What was expected has become what is there.
    pub(crate) fn resize(&mut self, bytes: usize) {
        if bytes > self.bytes {
            self.used.fetch_add(bytes - self.bytes, Ordering::AcqRel);
        } else {
            self.used.fetch_sub(self.bytes - bytes, Ordering::AcqRel);
        }
        self.bytes = bytes;
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.used.fetch_sub(self.bytes, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_never_exceeds_the_limit_unless_overdrawn() {
        let budget = Budget::new(100);
        let first = budget.take(70, 10).expect("free");
        let second = budget.take(70, 10).expect("a part is free");
        assert_eq!((first.bytes(), second.bytes(), budget.used()), (70, 30, 100));
        assert!(budget.take(1, 1).is_none());
        let third = budget.overdraw(5);
        assert_eq!(budget.used(), 105);
        drop((first, third));
        assert_eq!(budget.used(), 30);
    }

    #[test]
    fn a_permit_follows_the_size_of_what_came() {
        let budget = Budget::new(100);
        let mut permit = budget.take(50, 1).expect("free");
        permit.resize(20);
        assert_eq!(budget.used(), 20);
        permit.resize(120);
        assert_eq!(budget.used(), 120);
        drop(permit);
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn too_little_is_not_taken() {
        let budget = Budget::new(100);
        let _most = budget.take(95, 1).expect("free");
        assert!(budget.take(50, 10).is_none());
        assert_eq!(budget.used(), 95);
    }
}
