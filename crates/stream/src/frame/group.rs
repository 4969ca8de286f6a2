//! Groups of rows, on the way from a frame to its aggregates.

use millstream_plan::tree::{Expr, Grouping, Relation, Value, call, col};

use super::{Column, DataFrame, IntoColumns};
use crate::error::Result;

/// A frame grouped by keys.
#[derive(Debug, Clone)]
pub struct GroupedData {
    frame: DataFrame,
    keys: Vec<Expr>,
    grouping: Grouping,
}

#[expect(clippy::missing_errors_doc, reason = "all of them: unknown names, wrong types, missing features")]
impl GroupedData {
    pub(super) fn new(frame: DataFrame, keys: impl IntoColumns, grouping: Grouping) -> Self {
        let keys = keys.into_columns().into_iter().map(Column::named).collect();
        Self { frame, keys, grouping }
    }

    /// The keys and these aggregates; texts are SQL, such as `sum(amount) AS total`.
    pub fn agg(&self, aggregates: impl IntoColumns) -> Result<DataFrame> {
        let aggregates = aggregates.into_columns().into_iter().map(Column::parsed);
        let output = self.keys.iter().cloned().chain(aggregates).collect();
        let (group, grouping) = (self.keys.clone(), self.grouping.clone());
        self.frame.derive(|input| Relation::Aggregate { input, group, output, grouping })
    }

    /// How many rows each group has, as column `count`.
    pub fn count(&self) -> Result<DataFrame> {
        self.agg(call("count", vec![Expr::Literal(Value::Integer(1))]).alias("count"))
    }

    /// The sum of each of these columns.
    pub fn sum(&self, columns: impl IntoColumns) -> Result<DataFrame> {
        self.each("sum", columns)
    }

    /// The smallest value of each of these columns.
    pub fn min(&self, columns: impl IntoColumns) -> Result<DataFrame> {
        self.each("min", columns)
    }

    /// The largest value of each of these columns.
    pub fn max(&self, columns: impl IntoColumns) -> Result<DataFrame> {
        self.each("max", columns)
    }

    /// The mean of each of these columns.
    pub fn avg(&self, columns: impl IntoColumns) -> Result<DataFrame> {
        self.each("avg", columns)
    }

    fn each(&self, function: &str, columns: impl IntoColumns) -> Result<DataFrame> {
        let over = |column| match column {
            Column::Text(name) => call(function, vec![col(&name)]),
            Column::Expr(expr) => call(function, vec![expr]),
        };
        self.agg(columns.into_columns().into_iter().map(over).collect::<Vec<Expr>>())
    }
}
