//! Relations: from the tree's nodes to plan nodes, with the scope that the node above sees.

mod join;
mod project;
mod set;
mod sort;
mod source;
mod subquery;

use std::cell::{Cell, RefCell};

use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder};

pub(crate) use sort::{Sorting, output};
pub use source::PARTITION_ID_COLUMN;

use super::aggregate::Aggregation;
use super::expression::Resolver;
use super::scope::Scope;
use super::{Analyzed, Catalog, Conf, errors};
use crate::error::{Error, Result};
use crate::sql::{self, ParseOptions};
use crate::tree::Relation;
use crate::types::SparkType;

/// Relations nested deeper than this are refused.
const MAX_DEPTH: usize = 300;

/// Resolves one tree.
pub(crate) struct Analyzer<'a> {
    /// Tables, views and sources.
    pub catalog: &'a dyn Catalog,
    /// The session's settings.
    pub conf: &'a Conf,
    /// Number of the next internal column.
    next: Cell<u32>,
    depth: Cell<usize>,
    /// Names of WITH, innermost last.
    ctes: RefCell<Vec<(String, Relation)>>,
}

/// A resolved relation.
#[derive(Debug, Clone)]
pub(crate) struct Resolved {
    /// The plan.
    pub plan: LogicalPlan,
    /// Its columns.
    pub scope: Scope,
    /// Whether it reads a stream.
    pub streaming: bool,
}

impl Resolved {
    /// A relation whose plan has the columns of `scope`.
    pub fn new(plan: LogicalPlan, scope: Scope, streaming: bool) -> Self {
        Self { plan, scope, streaming }
    }

    /// The end of the analysis.
    ///
    /// # Errors
    /// A plan that DataFusion refuses.
    pub fn into_analyzed(self) -> Result<Analyzed> {
        let schema = self.scope.schema();
        let marked = self.scope.attributes.iter().enumerate();
        let watermarks = marked.filter_map(|(i, a)| a.watermark.map(|delay| (i, delay))).collect();
        // The plan's columns in the order of the scope, and no others.
        let columns: Vec<_> = self.scope.attributes.iter().map(super::Attribute::expr).collect();
        let names = self.scope.attributes.iter().map(|a| a.column.as_str());
        let exact = self.plan.schema().fields().iter().map(|f| f.name().as_str()).eq(names);
        let plan =
            if exact { self.plan } else { LogicalPlanBuilder::new(self.plan).project(columns)?.build()? };
        Ok(Analyzed { plan, schema, streaming: self.streaming, watermarks })
    }
}

impl<'a> Analyzer<'a> {
    /// With nothing resolved yet.
    pub fn new(catalog: &'a dyn Catalog, conf: &'a Conf) -> Self {
        Self { catalog, conf, next: Cell::new(0), depth: Cell::new(0), ctes: RefCell::default() }
    }

    /// An internal column name that no other column of the plan has.
    pub fn fresh(&self, name: &str) -> String {
        let id = self.next.get();
        self.next.set(id + 1);
        format!("{name}#{id}")
    }

    /// How SQL text is read in this session.
    pub fn parse_options(&self) -> ParseOptions {
        ParseOptions { time_zone: self.conf.time_zone().to_owned() }
    }

    /// Resolves a relation.
    pub fn relation(&self, relation: &Relation) -> Result<Resolved> {
        self.depth.set(self.depth.get() + 1);
        let resolved = if self.depth.get() > MAX_DEPTH {
            Err(Error::unsupported(format!("a query nested deeper than {MAX_DEPTH} levels")))
        } else {
            self.node(relation)
        };
        self.depth.set(self.depth.get() - 1);
        resolved
    }

    fn node(&self, relation: &Relation) -> Result<Resolved> {
        match relation {
            Relation::Read(read) => self.read(read),
            Relation::Rows { schema, rows } => self.rows(schema, rows),
            Relation::Table(parts) => self.table(parts),
            Relation::Range { start, end, step, .. } => self.range(*start, *end, *step),
            Relation::Values(rows) => self.values(rows),
            Relation::OneRow => self.one_row(),
            Relation::Sql(text) => self.relation(&sql::parse_query_with(text, &self.parse_options())?),
            Relation::Project { input, expressions } => self.project(input, expressions, &[]),
            Relation::Filter { input, condition } => self.filter(input, condition),
            Relation::WithColumns { input, columns } => self.with_columns(input, columns),
            Relation::WithColumnsRenamed { input, renames } => self.renamed(input, renames),
            Relation::ToDf { input, names } => self.to_df(input, names),
            Relation::Drop { input, columns } => self.drop_columns(input, columns),
            Relation::SubqueryAlias { input, alias, columns } => self.subquery_alias(input, alias, columns),
            Relation::Aggregate { .. } | Relation::Having { .. } => self.grouped(relation, &[]),
            Relation::Join { left, right, kind, condition } => self.join(left, right, *kind, condition),
            Relation::SetOperation { .. } => self.set_operation(relation),
            Relation::Sort { input, order, global } => self.sort(input, order, *global),
            Relation::Limit { input, count } => self.limit(input, *count),
            Relation::Offset { input, count } => self.offset(input, *count),
            Relation::Distinct { input } => self.distinct(input),
            Relation::Deduplicate { input, columns, within_watermark } => {
                self.deduplicate(input, columns, *within_watermark)
            }
            Relation::WithWatermark { input, column, delay } => self.with_watermark(input, column, delay),
            Relation::Repartition { input, .. } => self.relation(input),
            Relation::With { ctes, input } => self.with(ctes, input),
            Relation::Generate { input, generator, outer, alias, columns } => {
                let input = self.relation(input)?;
                self.lateral_view(input, generator, *outer, alias.as_deref(), columns)
            }
            Relation::TableFunction { name, arguments } => self.table_function(name, arguments),
            Relation::Sample { input, .. } => {
                let input = self.relation(input)?;
                // Of a stream it is refused in Spark's words when the query starts.
                if input.streaming { Ok(input) } else { Err(Error::unsupported("sample")) }
            }
        }
    }

    fn filter(&self, input: &Relation, condition: &crate::tree::Expr) -> Result<Resolved> {
        let input = self.relation(input)?;
        let condition = Resolver::new(self, &input.scope).condition(condition)?;
        let plan = LogicalPlanBuilder::new(input.plan).filter(condition.expr)?.build()?;
        Ok(Resolved { plan, ..input })
    }

    /// An aggregation with the HAVING and ORDER BY that stand over it.
    fn grouped(&self, relation: &Relation, order: &[crate::tree::SortOrder]) -> Result<Resolved> {
        let (aggregate, having) = match relation {
            Relation::Having { input, condition } => (input.as_ref(), Some(condition)),
            other => (other, None),
        };
        let Relation::Aggregate { input, group, output, grouping } = aggregate else {
            return Err(Error::unsupported("HAVING without an aggregation"));
        };
        let input = self.relation(input)?;
        self.aggregation(input, Aggregation { group, output, grouping, having, order })
    }

    fn with_watermark(&self, input: &Relation, column: &str, delay: &str) -> Result<Resolved> {
        let mut input = self.relation(input)?;
        let span = sql::parse_interval(delay)?;
        // A month counts as 31 days in a watermark's delay.
        let days = i64::from(span.months) * 31 + i64::from(span.days);
        let delay_micros = days.saturating_mul(86_400_000_000).saturating_add(span.microseconds);
        if delay_micros < 0 {
            let message = format!("the delay of a watermark ({delay}) must not be negative");
            return Err(crate::error::SparkError::without_condition(message).into());
        }
        let parts = sql::parse_name(column)?;
        let Some((found, [])) = input.scope.lookup(&parts)? else {
            return Err(input.scope.unresolved(&parts));
        };
        if !matches!(found.data_type, SparkType::Timestamp) {
            return Err(errors::spark(
                "EVENT_TIME_IS_NOT_ON_TIMESTAMP_TYPE",
                [
                    ("eventName", format!("`{}`", found.name)),
                    ("eventType", errors::quoted_type(&found.data_type)),
                ],
            ));
        }
        let wanted = found.column.clone();
        let marked = input.scope.attributes.iter_mut().filter(|a| a.column == wanted);
        marked.for_each(|a| a.watermark = Some(delay_micros));
        Ok(input)
    }

    fn with(&self, ctes: &[(String, Relation)], input: &Relation) -> Result<Resolved> {
        let before = self.ctes.borrow().len();
        self.ctes.borrow_mut().extend(ctes.iter().cloned());
        let resolved = self.relation(input);
        self.ctes.borrow_mut().truncate(before);
        resolved
    }

    /// The query behind a name of WITH, and how many names it may itself use.
    fn cte(&self, name: &str) -> Option<(Relation, usize)> {
        let ctes = self.ctes.borrow();
        let same = |known: &str| super::same_name(known, name, self.conf.case_sensitive());
        let at = ctes.iter().rposition(|(known, _)| same(known))?;
        Some((ctes[at].1.clone(), at))
    }
}
