//! A batch handed to the user: a frame over exactly its rows, and its id.
//!
//! The frame may be evaluated any number of times, each time over the same ranges; it stops working when the
//! function returns. The function's error fails the query, and the next start runs the same batch again.

use std::future::Future;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;

use crate::frame::DataFrame;

/// What a user's function returns: any error will do.
pub type UserResult = std::result::Result<(), Box<dyn std::error::Error + Send + Sync>>;

/// The user's function, as the engine keeps it.
pub type ForeachBatchFn = Arc<dyn Fn(DataFrame, i64) -> BoxFuture<'static, UserResult> + Send + Sync>;

/// Wraps an async closure of any error type.
pub fn foreach_batch<F, Fut, E>(function: F) -> ForeachBatchFn
where
    F: Fn(DataFrame, i64) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = std::result::Result<(), E>> + Send + 'static,
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    Arc::new(move |frame, batch_id| {
        function(frame, batch_id).map(|result| result.map_err(Into::into)).boxed()
    })
}
