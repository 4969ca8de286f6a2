//! Queries inside expressions. They may not yet refer to the columns around them.

use std::sync::Arc;

use datafusion::common::Spans;
use datafusion::logical_expr::expr::{Exists, InSubquery};
use datafusion::logical_expr::{Expr as Plan, LogicalPlanBuilder, Subquery};

use super::{Analyzer, Resolved};
use crate::analyzer::scope::Attribute;
use crate::analyzer::{Typed, cast_to, comparison_type, errors};
use crate::error::{Error, Result};
use crate::tree::Relation;
use crate::types::SparkType;

impl Analyzer<'_> {
    /// `(SELECT ...)` as a value.
    pub(crate) fn scalar_subquery(&self, query: &Relation) -> Result<Typed> {
        let query = self.inner_query(query)?;
        let [column] = query.scope.attributes.as_slice() else {
            let count = query.scope.attributes.len().to_string();
            return Err(errors::spark(
                "INVALID_SUBQUERY_EXPRESSION.SCALAR_SUBQUERY_RETURN_MORE_THAN_ONE_OUTPUT_COLUMN",
                [("number", count)],
            ));
        };
        let data_type = column.data_type.clone();
        let expr = Plan::ScalarSubquery(subquery(&query)?);
        Ok(Typed::new(expr, data_type, "scalarsubquery()"))
    }

    /// The query of a subquery, which runs once and so cannot be a stream.
    fn inner_query(&self, query: &Relation) -> Result<Resolved> {
        let query = self.relation(query)?;
        if query.streaming {
            return Err(errors::spark(
                "INVALID_SUBQUERY_EXPRESSION.STREAMING_QUERY",
                [] as [(&str, &str); 0],
            ));
        }
        Ok(query)
    }

    /// `EXISTS (SELECT ...)`.
    pub(crate) fn exists(&self, query: &Relation) -> Result<Typed> {
        let query = self.inner_query(query)?;
        let expr = Plan::Exists(Exists { subquery: subquery(&query)?, negated: false });
        Ok(Typed::new(expr, SparkType::Boolean, "exists()").nullable(false))
    }

    /// `value IN (SELECT ...)`.
    pub(crate) fn in_subquery(&self, values: &[Typed], query: &Relation) -> Result<Typed> {
        let query = self.inner_query(query)?;
        let ([value], [column]) = (values, query.scope.attributes.as_slice()) else {
            return Err(Error::unsupported("IN (subquery) with several columns"));
        };
        let sql = format!("({} IN (listquery()))", value.sql);
        let common = comparison_type(&value.data_type, &column.data_type, self.conf)
            .ok_or_else(|| errors::different_operands(&sql, &value.data_type, &column.data_type))?;
        let value = cast_to(value.clone(), &common, self.conf)?;
        let name = self.fresh(&column.name);
        let cast = cast_to(column.typed(), &common, self.conf)?.expr.alias(name);
        let plan = LogicalPlanBuilder::new(query.plan.clone()).project([cast])?.build()?;
        let nullable = value.nullable || column.nullable;
        let query = Subquery { subquery: Arc::new(plan), outer_ref_columns: Vec::new(), spans: Spans::new() };
        let expr = Plan::InSubquery(InSubquery::new(Box::new(value.expr), query, false));
        Ok(Typed::new(expr, SparkType::Boolean, sql).nullable(nullable))
    }
}

fn subquery(query: &Resolved) -> Result<Subquery> {
    let columns = query.scope.attributes.iter().map(Attribute::expr);
    let plan = LogicalPlanBuilder::new(query.plan.clone()).project(columns)?.build()?;
    Ok(Subquery { subquery: Arc::new(plan), outer_ref_columns: Vec::new(), spans: Spans::new() })
}
