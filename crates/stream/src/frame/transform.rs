//! What makes a frame out of a frame. Every call analyses at once and reports what Spark reports there.

use millstream_plan::tree::{Expr, Grouping, Relation, SetKind};

use super::columns::join_kind;
use super::{Column, DataFrame, GroupedData, IntoColumns, IntoCondition, IntoJoin};
use crate::error::Result;

#[expect(clippy::missing_errors_doc, reason = "all of them: unknown names, wrong types, missing features")]
impl DataFrame {
    /// These columns; `"*"` and `"a.*"` stand for several.
    pub fn select(&self, columns: impl IntoColumns) -> Result<Self> {
        let expressions = columns.into_columns().into_iter().map(Column::named).collect();
        self.derive(|input| Relation::Project { input, expressions })
    }

    /// These columns as SQL text, such as `CAST(value AS STRING)` or `id AS key`.
    pub fn select_expr(&self, expressions: impl IntoColumns) -> Result<Self> {
        let expressions = expressions.into_columns().into_iter().map(Column::parsed).collect();
        self.derive(|input| Relation::Project { input, expressions })
    }

    /// One more column, or another value for the column of that name.
    pub fn with_column(&self, name: impl Into<String>, value: impl Into<Expr>) -> Result<Self> {
        let columns = vec![(name.into(), value.into())];
        self.derive(|input| Relation::WithColumns { input, columns })
    }

    /// Another name for a column; no change when there is no such column.
    pub fn with_column_renamed(&self, from: impl Into<String>, to: impl Into<String>) -> Result<Self> {
        let renames = vec![(from.into(), to.into())];
        self.derive(|input| Relation::WithColumnsRenamed { input, renames })
    }

    /// New names for all columns.
    pub fn to_df<S: Into<String>>(&self, names: impl IntoIterator<Item = S>) -> Result<Self> {
        let names = names.into_iter().map(Into::into).collect();
        self.derive(|input| Relation::ToDf { input, names })
    }

    /// The rows for which the condition is true; an expression or SQL text.
    pub fn filter(&self, condition: impl IntoCondition) -> Result<Self> {
        let condition = condition.into_condition();
        self.derive(|input| Relation::Filter { input, condition })
    }

    /// [`DataFrame::filter`].
    pub fn where_(&self, condition: impl IntoCondition) -> Result<Self> {
        self.filter(condition)
    }

    /// Without these columns; names that do not exist are passed over.
    pub fn drop(&self, columns: impl IntoColumns) -> Result<Self> {
        let by_name = |column| match column {
            Column::Text(name) => Expr::Attribute(vec![name]),
            Column::Expr(expr) => expr,
        };
        let columns = columns.into_columns().into_iter().map(by_name).collect();
        self.derive(|input| Relation::Drop { input, columns })
    }

    /// A name for the frame, by which its columns can be told apart: `a.id`.
    pub fn alias(&self, name: impl Into<String>) -> Result<Self> {
        let alias = name.into();
        self.derive(|input| Relation::SubqueryAlias { input, alias, columns: Vec::new() })
    }

    /// Groups by columns; go on with [`GroupedData::agg`] or one of its shorthands.
    pub fn group_by(&self, keys: impl IntoColumns) -> GroupedData {
        GroupedData::new(self.clone(), keys, Grouping::GroupBy)
    }

    /// Groups by all prefixes of the columns.
    pub fn rollup(&self, keys: impl IntoColumns) -> GroupedData {
        GroupedData::new(self.clone(), keys, Grouping::Rollup)
    }

    /// Groups by all subsets of the columns.
    pub fn cube(&self, keys: impl IntoColumns) -> GroupedData {
        GroupedData::new(self.clone(), keys, Grouping::Cube)
    }

    /// Aggregates over all rows; texts are SQL, such as `count(1)`.
    pub fn agg(&self, aggregates: impl IntoColumns) -> Result<Self> {
        self.group_by(()).agg(aggregates)
    }

    /// Joins; `on` is a name or names that both frames have, or a condition, `how` one of Spark's names.
    pub fn join(&self, right: &DataFrame, on: impl IntoJoin, how: &str) -> Result<Self> {
        let kind = join_kind(how)?;
        let (condition, right) = (on.into_join(), Box::new(right.relation().clone()));
        self.derive(|left| Relation::Join { left, right, kind, condition })
    }

    /// Every row of this frame with every row of the other.
    pub fn cross_join(&self, right: &DataFrame) -> Result<Self> {
        self.join(right, millstream_plan::tree::JoinCondition::None, "cross")
    }

    /// The rows of both, by position; duplicates stay.
    pub fn union(&self, other: &DataFrame) -> Result<Self> {
        self.set_operation(other, SetKind::Union, true, false)
    }

    /// The rows of both, by the names of the columns; duplicates stay.
    pub fn union_by_name(&self, other: &DataFrame) -> Result<Self> {
        self.set_operation(other, SetKind::Union, true, true)
    }

    /// The distinct rows that both have.
    pub fn intersect(&self, other: &DataFrame) -> Result<Self> {
        self.set_operation(other, SetKind::Intersect, false, false)
    }

    /// The distinct rows that the other has not.
    pub fn subtract(&self, other: &DataFrame) -> Result<Self> {
        self.set_operation(other, SetKind::Except, false, false)
    }

    /// The rows that the other has not, each as often as it is left over.
    pub fn except_all(&self, other: &DataFrame) -> Result<Self> {
        self.set_operation(other, SetKind::Except, true, false)
    }

    fn set_operation(&self, other: &DataFrame, kind: SetKind, all: bool, by_name: bool) -> Result<Self> {
        let right = Box::new(other.relation().clone());
        let node =
            |left| Relation::SetOperation { left, right, kind, all, by_name, allow_missing_columns: false };
        self.derive(node)
    }

    /// Sorted by columns, ascending with NULLs first unless `asc()` or `desc()` say otherwise.
    pub fn order_by(&self, columns: impl IntoColumns) -> Result<Self> {
        let order = columns.into_columns().into_iter().map(Column::sorted).collect();
        self.derive(|input| Relation::Sort { input, order, global: true })
    }

    /// At most so many rows.
    pub fn limit(&self, count: i64) -> Result<Self> {
        self.derive(|input| Relation::Limit { input, count })
    }

    /// Without the first rows.
    pub fn offset(&self, count: i64) -> Result<Self> {
        self.derive(|input| Relation::Offset { input, count })
    }

    /// Each row once: [`DataFrame::drop_duplicates`] over all columns, which on a stream is a rule of its own.
    pub fn distinct(&self) -> Result<Self> {
        self.drop_duplicates([] as [&str; 0])
    }

    /// One row for each value of these columns; `()` for all columns.
    pub fn drop_duplicates<S: Into<String>>(&self, columns: impl IntoIterator<Item = S>) -> Result<Self> {
        let columns = columns.into_iter().map(Into::into).collect();
        self.derive(|input| Relation::Deduplicate { input, columns, within_watermark: false })
    }

    /// [`DataFrame::drop_duplicates`] that forgets keys behind the watermark.
    pub fn drop_duplicates_within_watermark<S: Into<String>>(
        &self,
        columns: impl IntoIterator<Item = S>,
    ) -> Result<Self> {
        let columns = columns.into_iter().map(Into::into).collect();
        self.derive(|input| Relation::Deduplicate { input, columns, within_watermark: true })
    }

    /// How late rows may come, by an event-time column and a delay such as `10 seconds`.
    pub fn with_watermark(&self, column: impl Into<String>, delay: impl Into<String>) -> Result<Self> {
        let (column, delay) = (column.into(), delay.into());
        self.derive(|input| Relation::WithWatermark { input, column, delay })
    }

    /// About this share of the rows; the same rows again for the same seed.
    pub fn sample(&self, with_replacement: bool, fraction: f64, seed: Option<i64>) -> Result<Self> {
        self.derive(|input| Relation::Sample { input, lower: 0.0, upper: fraction, with_replacement, seed })
    }
}
