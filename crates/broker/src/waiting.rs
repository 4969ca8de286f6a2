//! Who waits for a thing to change: wakers by connection, so that asking again does not pile them up.

use std::collections::BTreeMap;
use std::task::Waker;

/// Wakers by the number of the connection that waits.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    wakers: BTreeMap<u64, Waker>,
}

impl Waiters {
    /// Wakes the connection on the next change.
    pub(crate) fn add(&mut self, connection: u64, waker: &Waker) {
        self.wakers.insert(connection, waker.clone());
    }

    /// The connection no longer waits.
    pub(crate) fn remove(&mut self, connection: u64) {
        self.wakers.remove(&connection);
    }

    /// Something changed: everyone is woken once.
    pub(crate) fn wake(&mut self) {
        for (_, waker) in std::mem::take(&mut self.wakers) {
            waker.wake();
        }
    }
}
