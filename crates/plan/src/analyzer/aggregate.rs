//! GROUP BY: which expressions are keys, which are aggregations, and what may stand beside them.
//!
//! Output expressions are resolved over the input with every aggregate function replaced by a column of the
//! Aggregate node; then every part that equals a key is replaced by the key's column. What still refers to
//! the input is an error.

use std::cell::RefCell;

use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{Expr as Plan, GroupingSet, LogicalPlanBuilder};

use super::expression::{Item, Resolver};
use super::relation::{Analyzer, Resolved, Sorting, output as output_column};
use super::scope::{Attribute, Scope};
use super::typed::{Label, Typed};
use super::{errors, scope};
use crate::error::{Error, Result};
use crate::functions::aggregate::{Modifiers, build, is_aggregate};
use crate::functions::{self};
use crate::tree::{Call, Expr, Grouping, SortOrder, Value};
use crate::types::SparkType;

/// The aggregations of one Aggregate node.
#[derive(Debug, Default)]
pub(crate) struct Aggregates {
    /// Expression and the name of its column.
    calls: Vec<(Plan, String)>,
}

/// An aggregation to plan.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Aggregation<'e> {
    /// Keys.
    pub group: &'e [Expr],
    /// Columns that come out.
    pub output: &'e [Expr],
    /// Sets of keys.
    pub grouping: &'e Grouping,
    /// HAVING.
    pub having: Option<&'e Expr>,
    /// ORDER BY over it, which may use aggregates and keys that do not come out.
    pub order: &'e [SortOrder],
}

/// Whether an expression holds an aggregate function (a window function's own does not count).
pub(crate) fn holds_aggregate(expr: &Expr) -> bool {
    match expr {
        Expr::Call(call) => {
            is_aggregate(&call.name.to_lowercase()) || call.arguments.iter().any(holds_aggregate)
        }
        Expr::Alias { child, .. } | Expr::Cast { child, .. } => holds_aggregate(child),
        Expr::Case { branches, otherwise } => {
            branches.iter().any(|(c, v)| holds_aggregate(c) || holds_aggregate(v))
                || otherwise.as_deref().is_some_and(holds_aggregate)
        }
        Expr::Extract { child, key } => holds_aggregate(child) || holds_aggregate(key),
        Expr::Sort(order) => holds_aggregate(&order.child),
        Expr::InSubquery { values, .. } => values.iter().any(holds_aggregate),
        _ => false,
    }
}

impl Resolver<'_> {
    /// A call of an aggregate function as the column that will hold its result.
    pub(super) fn aggregate(
        &self,
        name: &str,
        call: &Call,
        aggregates: &RefCell<Aggregates>,
    ) -> Result<Typed> {
        let inner = Resolver::new(self.analyzer, self.scope);
        if call.arguments.iter().any(holds_aggregate) {
            return Err(errors::spark::<&str, &str, 0>("NESTED_AGGREGATE_FUNCTION", []));
        }
        let counts_rows = name == "count"
            && matches!(call.arguments.as_slice(), [Expr::Star { target }] if target.is_empty());
        let args = if counts_rows {
            vec![inner.resolve(&Expr::Literal(Value::Integer(1)))?]
        } else {
            inner.arguments(&call.arguments)?
        };
        let filter = call.filter.as_deref().map(|f| inner.condition(f)).transpose()?;
        let mut sql = printed(name, call.distinct, &args);
        if let Some(filter) = &filter {
            sql = format!("{sql} FILTER (WHERE {})", filter.sql);
        }
        let modifiers = Modifiers {
            distinct: call.distinct,
            filter: filter.map(|f| f.expr),
            ignore_nulls: call.ignore_nulls,
        };
        let resolved = functions::Call { name: name.to_owned(), args, conf: self.conf() };
        let built = build(&resolved, &modifiers)?;
        let mut aggregates = aggregates.borrow_mut();
        let known = aggregates.calls.iter().find(|(e, _)| *e == built.aggregate).map(|(_, c)| c.clone());
        let column = known.unwrap_or_else(|| {
            let column = self.analyzer.fresh(name);
            aggregates.calls.push((built.aggregate.clone(), column.clone()));
            column
        });
        let expr = built.finish.apply(scope::column(&column));
        Ok(Typed { nullable: built.nullable, ..Typed::new(expr, built.data_type, sql) })
    }
}

/// `count(DISTINCT a, b)`.
fn printed(name: &str, distinct: bool, args: &[Typed]) -> String {
    let names: Vec<&str> = args.iter().map(|a| a.sql.as_str()).collect();
    let word = if distinct { "DISTINCT " } else { "" };
    format!("{name}({word}{})", names.join(", "))
}

/// A grouping key.
struct Key {
    /// As resolved over the input.
    expr: Plan,
    /// Its column.
    attribute: Attribute,
}

impl Analyzer<'_> {
    /// Plans an aggregation over `input`.
    pub(crate) fn aggregation(&self, input: Resolved, spec: Aggregation<'_>) -> Result<Resolved> {
        // Windows that keys and output call are columns of the input.
        let all: Vec<Expr> = spec.group.iter().chain(spec.output).map(|e| self.parsed(e)).collect();
        let (input, mut all) = self.event_windows(input, &all)?;
        let output = all.split_off(spec.group.len());
        self.aggregate_over(input, Aggregation { group: &all, output: &output, ..spec })
    }

    fn aggregate_over(&self, input: Resolved, spec: Aggregation<'_>) -> Result<Resolved> {
        let over_input = Resolver::new(self, &input.scope);
        let items = over_input.items(spec.output)?;
        let group = self.keys(&over_input, &items, spec)?;
        let keys = group.iter().map(|k| self.key(k)).collect::<Result<Vec<_>>>()?;
        let collected = RefCell::new(Aggregates::default());
        let resolver = Resolver::new(self, &input.scope).collecting(&collected);
        let mut outputs = Vec::with_capacity(items.len());
        for item in items {
            let typed = match item {
                Item::Column(column) => column,
                Item::Expression(expression) => resolver.resolve(expression)?,
            };
            outputs.push(over_keys(typed, &keys, &input.scope)?);
        }
        let having = spec.having.map(|h| resolver.condition(&aliased(h, spec.output))).transpose()?;
        let having = having.map(|h| over_keys(h, &keys, &input.scope)).transpose()?;
        let mut sorting = Vec::with_capacity(spec.order.len());
        for order in spec.order {
            let typed = self.order_key(&resolver, order, spec.output, &outputs)?;
            sorting.push(Sorting::new(over_keys(typed, &keys, &input.scope)?.expr, order));
        }
        let streaming = input.streaming;
        let mut plan = self.aggregate_node(input, &keys, spec, &collected.into_inner())?;
        if let Some(having) = having {
            plan = LogicalPlanBuilder::new(plan).filter(having.expr)?.build()?;
        }
        let mut scope_below = Scope { case_sensitive: self.conf.case_sensitive(), ..Scope::default() };
        scope_below.attributes = keys.into_iter().map(|k| k.attribute).collect();
        let below = Resolved::new(plan, scope_below, streaming);
        self.select(below, outputs, sorting)
    }

    /// The grouping keys, resolved: ordinals and aliases of the output are looked up.
    fn keys(&self, resolver: &Resolver<'_>, items: &[Item<'_>], spec: Aggregation<'_>) -> Result<Vec<Typed>> {
        if *spec.grouping == Grouping::All {
            let plain = items.iter().filter(|i| !matches!(i, Item::Expression(e) if holds_aggregate(e)));
            return plain.map(|item| resolve_item(resolver, item)).collect();
        }
        spec.group.iter().map(|key| self.one_key(resolver, items, key)).collect()
    }

    fn one_key(&self, resolver: &Resolver<'_>, items: &[Item<'_>], key: &Expr) -> Result<Typed> {
        if let Expr::Literal(Value::Integer(position)) = key {
            let index = usize::try_from(*position).ok().and_then(|p| p.checked_sub(1));
            let Some(item) = index.and_then(|i| items.get(i)) else {
                return Err(errors::spark(
                    "GROUP_BY_POS_OUT_OF_RANGE",
                    [("index", position.to_string()), ("size", items.len().to_string())],
                ));
            };
            return resolve_item(resolver, item);
        }
        if let Expr::Attribute(parts) = key
            && let [name] = parts.as_slice()
            && resolver.scope.lookup(parts)?.is_none()
        {
            let aliased = items.iter().find_map(|item| match item {
                Item::Expression(Expr::Alias { child, names }) if names.len() == 1 => {
                    resolver.scope.same(&names[0], name).then_some(child)
                }
                _ => None,
            });
            if let Some(child) = aliased {
                return resolver.resolve(child);
            }
        }
        resolver.resolve(key)
    }

    fn key(&self, typed: &Typed) -> Result<Key> {
        if let SparkType::Map(..) = typed.data_type {
            return Err(errors::spark(
                "GROUP_EXPRESSION_TYPE_IS_NOT_ORDERABLE",
                [("sqlExpr", typed.quoted_sql()), ("dataType", errors::quoted_type(&typed.data_type))],
            ));
        }
        let column = self.fresh(typed.name());
        let attribute = Attribute {
            name: typed.name().into(),
            qualifier: Vec::new(),
            column,
            data_type: typed.data_type.clone(),
            nullable: typed.nullable,
            watermark: None,
        };
        Ok(Key { expr: typed.expr.clone(), attribute })
    }

    fn aggregate_node(
        &self,
        input: Resolved,
        keys: &[Key],
        spec: Aggregation<'_>,
        aggregates: &Aggregates,
    ) -> Result<datafusion::logical_expr::LogicalPlan> {
        let mut below: Vec<Plan> =
            input.scope.attributes.iter().chain(&input.scope.hidden).map(Attribute::expr).collect();
        below.extend(keys.iter().map(|k| k.expr.clone().alias(&k.attribute.column)));
        let columns: Vec<Plan> = keys.iter().map(|k| k.attribute.expr()).collect();
        let group = match spec.grouping {
            _ if columns.is_empty() => Vec::new(),
            Grouping::GroupBy | Grouping::All => columns,
            Grouping::Rollup => vec![Plan::GroupingSet(GroupingSet::Rollup(columns))],
            Grouping::Cube => vec![Plan::GroupingSet(GroupingSet::Cube(columns))],
            Grouping::Sets(_) => return Err(Error::unsupported("GROUPING SETS")),
        };
        let calls = aggregates.calls.iter().map(|(call, column)| call.clone().alias(column));
        if group.is_empty() && aggregates.calls.is_empty() {
            return Err(Error::unsupported("an aggregation without keys and aggregate functions"));
        }
        Ok(LogicalPlanBuilder::new(input.plan).project(below)?.aggregate(group, calls)?.build()?)
    }

    /// A sort key over an aggregation: a column that comes out, or what the aggregation knows.
    fn order_key(
        &self,
        resolver: &Resolver<'_>,
        order: &SortOrder,
        output: &[Expr],
        outputs: &[Typed],
    ) -> Result<Typed> {
        match order.child.as_ref() {
            Expr::Literal(Value::Integer(position)) => {
                let index = usize::try_from(*position).ok().and_then(|p| p.checked_sub(1));
                let index = index.filter(|i| *i < outputs.len());
                let index = index.ok_or_else(|| errors::order_by_position(*position, outputs.len()))?;
                Ok(Typed { expr: output_column(index), ..outputs[index].clone() })
            }
            Expr::Attribute(parts) if parts.len() == 1 => {
                match outputs.iter().position(|t| resolver.scope.same(t.name(), &parts[0])) {
                    Some(index) => Ok(Typed { expr: output_column(index), ..outputs[index].clone() }),
                    None => resolver.resolve(&order.child),
                }
            }
            other => resolver.resolve(&aliased(other, output)),
        }
    }
}

fn resolve_item(resolver: &Resolver<'_>, item: &Item<'_>) -> Result<Typed> {
    match item {
        Item::Column(column) => Ok(column.clone()),
        Item::Expression(expression) => {
            let mut typed = resolver.resolve(expression)?;
            if let (Label::Alias(_), Expr::Alias { child, .. }) = (&typed.label, expression) {
                typed = Typed { label: typed.label, ..resolver.resolve(child)? };
            }
            Ok(typed)
        }
    }
}

/// `expr` with the names of output columns replaced by what they stand for, where they are aliases.
fn aliased(expr: &Expr, output: &[Expr]) -> Expr {
    let replace = |e: &Expr| aliased(e, output);
    match expr {
        Expr::Attribute(parts) if parts.len() == 1 => output
            .iter()
            .find_map(|o| match o {
                Expr::Alias { child, names }
                    if names.len() == 1 && names[0].eq_ignore_ascii_case(&parts[0]) =>
                {
                    Some((**child).clone())
                }
                _ => None,
            })
            .unwrap_or_else(|| expr.clone()),
        Expr::Call(call) if !is_aggregate(&call.name.to_lowercase()) => {
            Expr::Call(Call { arguments: call.arguments.iter().map(replace).collect(), ..call.clone() })
        }
        Expr::Cast { child, to, mode } => {
            Expr::Cast { child: Box::new(replace(child)), to: to.clone(), mode: *mode }
        }
        other => other.clone(),
    }
}

/// `typed` with every part that equals a key replaced by the key's column.
fn over_keys(typed: Typed, keys: &[Key], scope: &Scope) -> Result<Typed> {
    let replaced = typed
        .expr
        .clone()
        .transform_down(|e| {
            let found = keys.iter().find(|k| k.expr == e || k.attribute.expr() == e);
            Ok(match found {
                Some(key) => Transformed::new(key.attribute.expr(), true, TreeNodeRecursion::Jump),
                None => Transformed::no(e),
            })
        })
        .data()?;
    let mut stray = None;
    replaced.apply(|e| {
        if let Plan::Column(column) = e {
            let own = scope.attributes.iter().chain(&scope.hidden).find(|a| a.column == column.name);
            if let Some(attribute) = own.filter(|_| !keys.iter().any(|k| k.attribute.column == column.name)) {
                stray = Some(attribute.name.to_string());
                return Ok(TreeNodeRecursion::Stop);
            }
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    match stray {
        Some(_) if keys.is_empty() => Err(errors::missing_group_by()),
        Some(name) => Err(errors::missing_aggregation(&name)),
        None => Ok(Typed { expr: replaced, ..typed }),
    }
}
