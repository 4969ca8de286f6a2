//! Answers that hold, one request for all who want the same.

use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::OnceCell;

use crate::error::{Error, Result};

/// Entries; one over them forgets all.
const MOST_ENTRIES: usize = 10_000;

/// Values that never change once known, and for a while the knowledge that there is none.
#[derive(Debug)]
pub(crate) struct Cache<K, V> {
    cells: Mutex<HashMap<K, Arc<OnceCell<V>>>>,
    missing: Mutex<HashMap<K, Instant>>,
    missing_for: Duration,
}

impl<K: Eq + Hash + Clone, V: Clone> Cache<K, V> {
    pub fn new(missing_for: Duration) -> Self {
        Self { cells: Mutex::default(), missing: Mutex::default(), missing_for }
    }

    /// The value of a key. Callers that come while it is fetched wait for that; if it fails, the next of them tries.
    /// The wait of each is bounded by `deadline`.
    pub async fn get<F>(&self, key: K, what: &str, deadline: Duration, fetch: impl FnOnce() -> F) -> Result<V>
    where
        F: Future<Output = Result<V>>,
    {
        if self.missing.lock().get(&key).is_some_and(|at| at.elapsed() < self.missing_for) {
            return Err(Error::NotFound { what: what.to_owned() });
        }
        let cell = {
            let mut cells = self.cells.lock();
            if cells.len() >= MOST_ENTRIES && !cells.contains_key(&key) {
                cells.clear();
            }
            Arc::clone(cells.entry(key.clone()).or_default())
        };
        // A little longer than the fetch, whose own error says more.
        let wait = deadline + Duration::from_secs(1);
        let found = tokio::time::timeout(wait, cell.get_or_try_init(fetch)).await;
        let found = found.unwrap_or_else(|_| {
            Err(Error::Unavailable {
                what: what.to_owned(),
                urls: "as set".into(),
                after: deadline,
                last: "another request for the same was still waiting".into(),
            })
        });
        if let Err(Error::NotFound { .. }) = found {
            let mut missing = self.missing.lock();
            if missing.len() >= MOST_ENTRIES {
                missing.clear();
            }
            missing.insert(key, Instant::now());
        }
        found.cloned()
    }
}
