//! ORDER BY, LIMIT, OFFSET, DISTINCT, dropDuplicates.

use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::logical_expr::{Expr as Plan, LogicalPlanBuilder, SortExpr};

use super::{Analyzer, Resolved};
use crate::analyzer::expression::Resolver;
use crate::analyzer::scope::{Attribute, Scope, column};
use crate::analyzer::{Typed, errors};
use crate::error::{Error, Result};
use crate::tree::{Expr, Relation, SortOrder, Value};
use crate::types::SparkType;

/// A sort key, resolved.
#[derive(Debug, Clone)]
pub(crate) struct Sorting {
    expr: Plan,
    ascending: bool,
    nulls_first: bool,
}

impl Sorting {
    /// `expr` in the direction of `order`.
    pub fn new(expr: Plan, order: &SortOrder) -> Self {
        Self { expr, ascending: order.ascending, nulls_first: order.nulls_first }
    }

    /// Whether it reads nothing but output columns, so that it may be sorted by above the projection.
    pub fn over_outputs(&self) -> bool {
        !self.expr.column_refs().iter().any(|c| !c.name.starts_with(OUTPUT))
    }

    /// For the plan, with output columns replaced by `outputs`.
    pub fn into_plan(self, outputs: &[Plan]) -> Result<SortExpr> {
        let replaced = self.expr.transform(|e| {
            let index = match &e {
                Plan::Column(column) => {
                    column.name.strip_prefix(OUTPUT).and_then(|i| i.parse::<usize>().ok())
                }
                _ => None,
            };
            Ok(match index.and_then(|i| outputs.get(i)) {
                Some(output) => Transformed::yes(output.clone()),
                None => Transformed::no(e),
            })
        });
        Ok(SortExpr::new(replaced.data()?, self.ascending, self.nulls_first))
    }
}

/// Start of the names by which sort keys mean columns of the select list.
const OUTPUT: &str = "\u{1}output";

/// The column of the select list at `index`, in a sort key.
pub(crate) fn output(index: usize) -> Plan {
    column(&format!("{OUTPUT}{index}"))
}

/// Names mean columns of the select list first, then columns of the input.
fn output_scope(outputs: &[Typed], input: &Resolved) -> Scope {
    let attribute = |(index, typed): (usize, &Typed)| Attribute {
        name: typed.name().into(),
        qualifier: Vec::new(),
        column: format!("{OUTPUT}{index}"),
        data_type: typed.data_type.clone(),
        nullable: typed.nullable,
        watermark: None,
    };
    let mut fallback = input.scope.attributes.clone();
    fallback.extend(input.scope.hidden.iter().cloned());
    let attributes = outputs.iter().enumerate().map(attribute).collect();
    Scope { attributes, fallback, ..input.scope.clone() }
}

impl Analyzer<'_> {
    pub(super) fn sort(&self, input: &Relation, order: &[SortOrder], global: bool) -> Result<Resolved> {
        let order: Vec<SortOrder> = order.iter().map(|o| self.parsed_order(o)).collect();
        match input {
            _ if !global => Err(Error::unsupported("SORT BY")),
            Relation::Project { input, expressions } => self.project(input, expressions, &order),
            Relation::Aggregate { .. } | Relation::Having { .. } => self.grouped(input, &order),
            other => {
                let input = self.relation(other)?;
                let outputs: Vec<Typed> = input.scope.attributes.iter().map(Attribute::typed).collect();
                let keys = self.sortings(&input, &order, &outputs)?;
                let columns: Vec<Plan> = input.scope.attributes.iter().map(Attribute::expr).collect();
                let keys = keys.into_iter().map(|k| k.into_plan(&columns)).collect::<Result<Vec<_>>>()?;
                let plan = LogicalPlanBuilder::new(input.plan).sort(keys)?.build()?;
                Ok(Resolved { plan, ..input })
            }
        }
    }

    fn parsed_order(&self, order: &SortOrder) -> SortOrder {
        match self.parsed(&order.child) {
            Expr::Sort(inner) => inner,
            child => SortOrder { child: Box::new(child), ..order.clone() },
        }
    }

    /// Sort keys over `input` whose select list is `outputs`: ordinals and output names mean outputs, all
    /// other names mean columns of the input.
    pub(super) fn sortings(
        &self,
        input: &Resolved,
        order: &[SortOrder],
        outputs: &[Typed],
    ) -> Result<Vec<Sorting>> {
        order.iter().map(|o| self.sorting(input, o, outputs)).collect()
    }

    fn sorting(&self, input: &Resolved, order: &SortOrder, outputs: &[Typed]) -> Result<Sorting> {
        let typed = match order.child.as_ref() {
            Expr::Literal(Value::Integer(position)) => {
                let index = usize::try_from(*position).ok().and_then(|p| p.checked_sub(1));
                let index = index.filter(|i| *i < outputs.len());
                let index = index.ok_or_else(|| errors::order_by_position(*position, outputs.len()))?;
                Typed { expr: output(index), ..outputs[index].clone() }
            }
            other => {
                let scope = output_scope(outputs, input);
                Resolver::new(self, &scope).resolve(other)?
            }
        };
        if let SparkType::Map(..) = typed.data_type {
            return Err(errors::invalid_ordering("sortorder", &typed.sql, &typed.data_type));
        }
        Ok(Sorting::new(typed.expr, order))
    }

    pub(super) fn limit(&self, input: &Relation, count: i64) -> Result<Resolved> {
        let count = self.rows_count("limit", count)?;
        // LIMIT over OFFSET is one node.
        if let Relation::Offset { input, count: skip } = input {
            let skip = self.rows_count("offset", *skip)?;
            let input = self.relation(input)?;
            let plan = LogicalPlanBuilder::new(input.plan).limit(skip, Some(count))?.build()?;
            return Ok(Resolved { plan, ..input });
        }
        let input = self.relation(input)?;
        let plan = LogicalPlanBuilder::new(input.plan).limit(0, Some(count))?.build()?;
        Ok(Resolved { plan, ..input })
    }

    pub(super) fn offset(&self, input: &Relation, count: i64) -> Result<Resolved> {
        let count = self.rows_count("offset", count)?;
        let input = self.relation(input)?;
        let plan = LogicalPlanBuilder::new(input.plan).limit(count, None)?.build()?;
        Ok(Resolved { plan, ..input })
    }

    fn rows_count(&self, name: &str, count: i64) -> Result<usize> {
        usize::try_from(count).map_err(|_| {
            errors::spark(
                "INVALID_LIMIT_LIKE_EXPRESSION.IS_NEGATIVE",
                [("name", name.to_owned()), ("expr", format!("\"{count}\"")), ("v", count.to_string())],
            )
        })
    }

    pub(super) fn distinct(&self, input: &Relation) -> Result<Resolved> {
        let input = self.relation(input)?;
        let columns = input.scope.attributes.iter().map(Attribute::expr);
        let plan = LogicalPlanBuilder::new(input.plan).project(columns)?.distinct()?.build()?;
        Ok(Resolved { plan, ..input })
    }

    pub(super) fn deduplicate(
        &self,
        input: &Relation,
        columns: &[String],
        within_watermark: bool,
    ) -> Result<Resolved> {
        if columns.is_empty() {
            return self.distinct(input);
        }
        let input = self.relation(input)?;
        if within_watermark && !input.streaming {
            return Err(errors::spark::<&str, &str, 0>("_LEGACY_ERROR_TEMP_1194", []));
        }
        let mut keys = Vec::with_capacity(columns.len());
        for name in columns {
            let found = input.scope.named(name);
            if found.is_empty() {
                return Err(input.scope.unresolved(std::slice::from_ref(name)));
            }
            keys.extend(found.into_iter().map(|i| input.scope.attributes[i].expr()));
        }
        let outputs = input.scope.attributes.iter().map(Attribute::expr).collect::<Vec<_>>();
        let plan = LogicalPlanBuilder::new(input.plan).distinct_on(keys, outputs, None)?.build()?;
        Ok(Resolved { plan, ..input })
    }
}
