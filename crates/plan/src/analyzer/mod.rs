//! From the unresolved tree to a DataFusion plan of resolved expressions, by Spark's rules.
//!
//! DataFusion's SQL planner and type coercion are not used: they differ from Spark in answers (integer
//! division, literal types, lower-cased names, nanosecond timestamps), not only in errors. Here every name is
//! bound to one column, every expression has its Spark type and every implicit cast is written out, so
//! that the optimizer gets a plan in which nothing is left to guess.
//!
//! Columns of the plan have internal names, unique in the plan (`name#7`), because Spark allows a relation
//! to have several columns of one name and DataFusion does not. The names that the user sees are those of
//! [`Analyzed::schema`], by position.
//!
//! Order of reading: `scope` (what names mean), `typed` (a resolved expression), `expression/` (one
//! file per kind), `coercion` (implicit casts), `relation/` (one file per kind of relation).

mod aggregate;
mod coercion;
pub(crate) mod conditions;
mod conf;
mod expression;
mod generator;
mod over;
mod relation;
mod rewrite;
mod scope;
#[cfg(test)]
mod tests;
mod typed;
mod window;

use std::sync::Arc;

use arrow_array::RecordBatch;
use datafusion::catalog::TableProvider;
use datafusion::logical_expr::LogicalPlan;

pub(crate) use self::conditions as errors;
pub(crate) use coercion::{
    Expected, cast_to, cast_with, common_type, comparison_type, decimal_for, implicit_cast, is_integral,
    tightest,
};
pub use conf::Conf;
pub(crate) use expression::{arithmetic, integer_literal};
pub use relation::PARTITION_ID_COLUMN;
pub(crate) use scope::{Attribute, Scope, same_name};
pub(crate) use typed::{Label, Typed};

use crate::error::Result;
use crate::tree::{Read, Relation};
use crate::types::StructType;

/// What the analyzer asks the session for.
pub trait Catalog {
    /// The relation behind a view or table name, or none. Names are compared without regard to case.
    fn table(&self, name: &str) -> Option<Relation>;

    /// The source that a read names, with its options checked.
    ///
    /// # Errors
    /// What Spark reports when the reader's `load()` is called.
    fn source(&self, read: &Read) -> Result<Source>;
}

/// A source that is ready to be planned.
#[derive(Debug, Clone)]
pub struct Source {
    /// Scans of it become nodes of the plan.
    pub provider: Arc<dyn TableProvider>,
    /// Its columns, in the order of the provider's schema.
    pub schema: StructType,
    /// Whether it is read as a stream.
    pub streaming: bool,
}

/// A relation whose every name and type is known.
#[derive(Debug, Clone)]
pub struct Analyzed {
    /// The plan. Its columns have internal names; [`Analyzed::rename`] gives batches the user's names.
    pub plan: LogicalPlan,
    /// The columns as the user sees them. Names may repeat.
    pub schema: StructType,
    /// Whether any source in it is a stream.
    pub streaming: bool,
    /// Event-time columns that a watermark was set on, by position in `schema`, with the delay in
    /// microseconds.
    pub watermarks: Vec<(usize, i64)>,
}

impl Analyzed {
    /// A batch of the plan's result under the user's column names.
    ///
    /// # Errors
    /// When the batch is not of this plan.
    pub fn rename(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let schema = self.schema.to_arrow();
        let options = arrow_array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        RecordBatch::try_new_with_options(schema, batch.columns().to_vec(), &options)
            .map_err(|e| datafusion::error::DataFusionError::from(e).into())
    }
}

/// Resolves a relation.
///
/// # Errors
/// Spark's analysis errors with their conditions, and `Unsupported` for what Spark has and this engine lacks.
pub fn analyze(relation: &Relation, catalog: &dyn Catalog, conf: &Conf) -> Result<Analyzed> {
    let analyzer = relation::Analyzer::new(catalog, conf);
    let resolved = analyzer.relation(relation)?;
    resolved.into_analyzed()
}
