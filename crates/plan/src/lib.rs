//! Spark's language over DataFusion: from SQL text and API calls to a logical plan, and from batches back to text.
//!
//! The parts in the order in which a query passes them:
//! - [`sql`]: SQL text to the unresolved tree,
//! - [`tree`]: the unresolved relations and expressions; every way into the engine builds this tree,
//! - [`types`]: Spark's data types with their four spellings (DDL, simple string, SQL name, JSON) and their Arrow form,
//! - [`analyzer`]: the tree to a DataFusion plan of resolved expressions, by Spark's rules,
//! - [`functions`]: Spark's functions and casts,
//! - [`schemas`]: what functions on registered schemas ask the session for,
//! - [`session`]: the DataFusion session that plans run in,
//! - [`show`]: result batches as `show()` prints them.
//!
//! Errors that Spark's users know carry Spark's condition, SQLSTATE and parameters: [`error`].
#![forbid(unsafe_code)]

pub mod analyzer;
pub mod error;
pub mod functions;
pub mod schemas;
pub mod session;
pub mod show;
pub mod sql;
#[cfg(test)]
mod test_session;
pub mod tree;
pub mod types;

pub use error::{Error, Result, SparkError};
