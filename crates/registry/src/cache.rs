//! Answers that hold, one request for all who want the same.
//!
//! What was used least makes room when the bytes of all entries exceed the limit; an entry that is larger than it is
//! not kept. Only successes take room: ids that a stranger made up push out nothing.

use std::future::Future;
use std::hash::Hash;
use std::sync::Arc;
use std::time::{Duration, Instant};

use quick_cache::sync::{Cache as Entries, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};
use tokio::time::timeout_at;

use crate::answer::{Schema, SchemaVersion};
use crate::error::{Error, Result};

/// Bytes that one cache keeps.
pub(crate) const MOST_BYTES: u64 = 64 << 20;
/// Keys known to be missing that one cache keeps.
const MOST_MISSING: usize = 10_000;
/// Expected size of an entry; what the cache's own tables are sized by.
const TYPICAL_BYTES: u64 = 4 << 10;
/// What an entry takes beside its texts, about.
const ENTRY_BYTES: usize = 256;

/// How much memory a key or a value takes, about.
pub(crate) trait Size {
    fn bytes(&self) -> usize;
}

/// Values that never change once known, and for a while the knowledge that there is none.
#[derive(Debug)]
pub(crate) struct Cache<K, V> {
    known: Entries<K, V, ByBytes>,
    missing: Entries<K, Instant>,
    missing_for: Duration,
}

#[derive(Debug, Clone)]
struct ByBytes;

impl<K: Size, V: Size> Weighter<K, V> for ByBytes {
    fn weight(&self, key: &K, value: &V) -> u64 {
        (key.bytes() + value.bytes() + ENTRY_BYTES) as u64
    }
}

impl<K: Eq + Hash + Clone + Size, V: Clone + Size> Cache<K, V> {
    /// Keeps at most so many bytes, and for how long it is not asked again for what is missing.
    pub fn new(most_bytes: u64, missing_for: Duration) -> Self {
        let items = usize::try_from(most_bytes / TYPICAL_BYTES).unwrap_or(usize::MAX).max(1);
        let options = OptionsBuilder::new()
            .shards(1)
            .estimated_items_capacity(items)
            .weight_capacity(most_bytes)
            .build()
            .expect("capacities are set, and nothing else is required");
        let (hasher, lifecycle) = (DefaultHashBuilder::default(), DefaultLifecycle::default());
        let known = Entries::with_options(options, ByBytes, hasher, lifecycle);
        Self { known, missing: Entries::new(MOST_MISSING), missing_for }
    }

    /// The value of a key. Callers that come while it is fetched wait for that, at most until their own deadline; if
    /// it fails, the next of them tries. `fetch` ends by the deadline itself.
    ///
    /// # Errors
    /// What `fetch` gives; the error of `late` when another's fetch took too long.
    pub async fn get<F>(
        &self,
        key: K,
        until: tokio::time::Instant,
        late: impl FnOnce() -> Error,
        fetch: impl FnOnce() -> F,
    ) -> Result<V>
    where
        F: Future<Output = Result<V>>,
    {
        match timeout_at(until, self.known.get_value_or_guard_async(&key)).await {
            Err(_) => Err(late()),
            Ok(Ok(known)) => Ok(known),
            Ok(Err(place)) => {
                let found = fetch().await?;
                // It fails when the key was inserted meanwhile, which nobody does.
                let _ = place.insert(found.clone());
                Ok(found)
            }
        }
    }

    /// As [`Cache::get`]; what was not found is not asked for again for a while.
    ///
    /// # Errors
    /// As [`Cache::get`]; the error of `missing` for what was lately not found.
    pub async fn get_unless_missing<F>(
        &self,
        key: K,
        until: tokio::time::Instant,
        late: impl FnOnce() -> Error,
        missing: impl Fn() -> Error,
        fetch: impl FnOnce() -> F,
    ) -> Result<V>
    where
        F: Future<Output = Result<V>>,
    {
        let is_missing = || self.missing.get(&key).is_some_and(|since| since.elapsed() < self.missing_for);
        if is_missing() {
            return Err(missing());
        }
        let fetch_unless_missing = || async {
            // Somebody who was waited for may have learned it.
            if is_missing() {
                return Err(missing());
            }
            let found = fetch().await;
            if let Err(Error::NotFound { .. }) = found {
                self.missing.insert(key.clone(), Instant::now());
            }
            found
        };
        self.get(key.clone(), until, late, fetch_unless_missing).await
    }
}

impl Size for u32 {
    fn bytes(&self) -> usize {
        size_of::<Self>()
    }
}

impl Size for (String, i32) {
    fn bytes(&self) -> usize {
        self.0.len()
    }
}

impl Size for (String, String) {
    fn bytes(&self) -> usize {
        self.0.len() + self.1.len()
    }
}

impl Size for Arc<Schema> {
    fn bytes(&self) -> usize {
        schema_bytes(self)
    }
}

impl Size for Arc<SchemaVersion> {
    fn bytes(&self) -> usize {
        self.subject.len() + schema_bytes(&self.schema)
    }
}

fn schema_bytes(schema: &Schema) -> usize {
    let references = schema.references.iter().map(|r| r.name.len() + r.subject.len() + ENTRY_BYTES);
    let resolved = schema.resolved.iter().map(|(name, text)| name.len() + text.len() + ENTRY_BYTES);
    schema.text.len() + references.sum::<usize>() + resolved.sum::<usize>()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn not_found() -> Error {
        Error::NotFound { what: "it".into(), urls: "here".into() }
    }

    fn late() -> Error {
        Error::Unavailable {
            what: "it".into(),
            urls: String::new(),
            after: Duration::ZERO,
            last: "late".into(),
        }
    }

    fn soon() -> tokio::time::Instant {
        tokio::time::Instant::now() + Duration::from_secs(60)
    }

    fn schema(bytes: usize) -> Arc<Schema> {
        Arc::new(Schema::avro("x".repeat(bytes)))
    }

    #[tokio::test]
    async fn no_more_bytes_are_kept_than_the_limit_says() {
        let cache: Cache<u32, Arc<Schema>> = Cache::new(100_000, Duration::from_secs(60));
        for id in 0..200 {
            cache.get(id, soon(), late, || async { Ok(schema(2_000)) }).await.unwrap();
        }
        assert!(cache.known.weight() <= 100_000, "{}", cache.known.weight());
        assert!(cache.known.len() > 20, "{}", cache.known.len());
        let large = cache.get(1_000, soon(), late, || async { Ok(schema(200_000)) }).await.unwrap();
        assert_eq!(large.text.len(), 200_000);
        assert!(cache.known.weight() <= 100_000, "{}", cache.known.weight());
    }

    #[tokio::test]
    async fn keys_that_are_missing_push_out_nothing_and_are_bounded_too() {
        let cache: Cache<u32, Arc<Schema>> = Cache::new(100_000, Duration::from_secs(60));
        cache.get(7, soon(), late, || async { Ok(schema(10)) }).await.unwrap();
        let asked = AtomicUsize::new(0);
        let fetch = || async {
            asked.fetch_add(1, Ordering::SeqCst);
            Err(not_found())
        };
        for id in 1_000..31_000 {
            cache.get_unless_missing(id, soon(), late, not_found, fetch).await.unwrap_err();
        }
        assert_eq!(asked.load(Ordering::SeqCst), 30_000);
        assert!(cache.missing.len() <= MOST_MISSING);
        cache.get_unless_missing(30_999, soon(), late, not_found, fetch).await.unwrap_err();
        assert_eq!(asked.load(Ordering::SeqCst), 30_000, "not asked again");
        cache.get(7, soon(), late, || async { Err(not_found()) }).await.unwrap();
    }

    #[tokio::test]
    async fn what_was_missing_is_asked_for_again_after_a_while() {
        let cache: Cache<u32, Arc<Schema>> = Cache::new(100_000, Duration::ZERO);
        cache
            .get_unless_missing(1, soon(), late, not_found, || async { Err(not_found()) })
            .await
            .unwrap_err();
        let found = cache.get_unless_missing(1, soon(), late, not_found, || async { Ok(schema(1)) }).await;
        assert_eq!(found.unwrap().text, "x");
    }

    #[tokio::test]
    async fn who_waits_for_anothers_fetch_does_so_until_the_own_deadline_and_tries_next_if_it_fails() {
        let cache: Cache<u32, Arc<Schema>> = Cache::new(100_000, Duration::from_secs(60));
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let slow = cache.get(1, soon(), late, || async {
            let _ = stopped.await;
            Err(late())
        });
        let now = tokio::time::Instant::now();
        let others = async {
            let hasty = cache.get(1, now, late, || async { Ok(schema(1)) }).await;
            let mut patient = std::pin::pin!(cache.get(1, soon(), late, || async { Ok(schema(5)) }));
            assert!(is_pending(patient.as_mut()).await, "it waits");
            stop.send(()).unwrap();
            (hasty, patient.await)
        };
        let (slow, (hasty, patient)) = tokio::join!(slow, others);
        assert!(slow.is_err() && matches!(hasty, Err(Error::Unavailable { .. })));
        assert_eq!(patient.unwrap().text.len(), 5);
    }

    /// Polls once; whether it is still pending.
    async fn is_pending<F: Future>(mut future: std::pin::Pin<&mut F>) -> bool {
        std::future::poll_fn(|context| std::task::Poll::Ready(future.as_mut().poll(context).is_pending()))
            .await
    }
}
