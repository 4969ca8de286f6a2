//! Why a query ended: Spark's `STREAM_FAILED` around what went wrong.

use std::fmt;
use std::sync::Arc;

use uuid::Uuid;

use crate::error::Error;

/// The failure of a query. Every handle on the query gives the same one.
#[derive(Debug, Clone)]
pub struct StreamingQueryException {
    /// The query.
    pub id: Uuid,
    /// The run that failed.
    pub run_id: Uuid,
    /// What went wrong.
    pub cause: Arc<Error>,
}

impl StreamingQueryException {
    pub(crate) fn new(id: Uuid, run_id: Uuid, cause: Error) -> Self {
        Self { id, run_id, cause: Arc::new(cause) }
    }

    /// Spark's name for a failed query. The cause's own condition is [`Error::spark`] of the cause.
    pub fn condition(&self) -> &'static str {
        "STREAM_FAILED"
    }

    /// Spark's SQLSTATE for a failed query.
    pub fn sqlstate(&self) -> &'static str {
        "XXKST"
    }
}

impl fmt::Display for StreamingQueryException {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, run_id, cause } = self;
        write!(
            out,
            "[STREAM_FAILED] Query [id = {id}, runId = {run_id}] terminated with exception: {cause}"
        )?;
        write!(out, " SQLSTATE: {}", self.sqlstate())
    }
}

impl std::error::Error for StreamingQueryException {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(self.cause.as_ref())
    }
}
