//! A user's tree reduced to what the checks ask: kinds of operation, which of them stream, where event time
//! flows.
//!
//! Views, SQL texts and WITH names are followed, so the shape stands alone. Names are compared without regard
//! to case and by their last part, which is as much as can be known before analysis.

use std::collections::{BTreeSet, HashMap};

use millstream_plan::analyzer::Catalog;
use millstream_plan::sql::{parse_expression, parse_query};
use millstream_plan::tree::{Expr, JoinCondition, JoinKind, Relation, SetKind};

use super::render::output_name;
use crate::error::{Error, Result};

/// Views inside views, and queries inside queries.
const MAX_DEPTH: usize = 200;

/// One operation.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    pub(super) kind: Kind,
    pub(super) streaming: bool,
    pub(super) children: Vec<Shape>,
    pub(super) expressions: Vec<Expr>,
    /// Names of columns that carry a watermark, lower case.
    pub(super) event_time: BTreeSet<String>,
}

/// What an operation is. Those without a rule are `Other`.
#[derive(Debug, Clone)]
pub(super) enum Kind {
    Aggregate(Vec<Expr>),
    Distinct,
    Deduplicate { within_watermark: bool },
    Join(Join),
    Set(SetKind),
    Sort,
    Limit,
    Offset,
    Sample,
    WithWatermark,
    Other,
}

/// A join and its condition; USING names stand as equalities of a column with itself.
#[derive(Debug, Clone)]
pub(super) struct Join {
    pub(super) kind: JoinKind,
    pub(super) condition: Option<Expr>,
    pub(super) using: Vec<String>,
}

impl Shape {
    /// The shape of a tree; its names are looked up in the catalog.
    pub(super) fn of(relation: &Relation, catalog: &dyn Catalog) -> Result<Self> {
        Builder { catalog, names: HashMap::new(), depth: 0 }.build(relation)
    }

    /// Visits every operation, inputs first.
    pub(super) fn up(&self, visit: &mut impl FnMut(&Shape) -> Result<()>) -> Result<()> {
        for child in &self.children {
            child.up(visit)?;
        }
        visit(self)
    }

    /// Visits every operation from the top.
    pub(super) fn down<'a>(&'a self, visit: &mut impl FnMut(&'a Shape)) {
        visit(self);
        for child in &self.children {
            child.down(visit);
        }
    }

    /// Whether it remembers rows of earlier batches.
    pub(super) fn is_stateful(&self) -> bool {
        match &self.kind {
            Kind::Aggregate(_) | Kind::Distinct | Kind::Deduplicate { .. } => self.streaming,
            Kind::Join(_) => self.children.iter().all(|side| side.streaming),
            _ => false,
        }
    }

    /// Whether an aggregation has a key that its watermark will pass.
    pub(super) fn groups_by_event_time(&self) -> bool {
        let Some(input) = self.children.first() else { return false };
        match &self.kind {
            Kind::Aggregate(group) => group.iter().any(|key| self.key_is_event_time(key, input)),
            Kind::Distinct => !input.event_time.is_empty(),
            _ => false,
        }
    }

    /// A key may be an alias of the output, as in `SELECT window(..) AS w .. GROUP BY w`.
    fn key_is_event_time(&self, key: &Expr, input: &Shape) -> bool {
        is_event_time(key, &input.event_time)
            || column(key).is_some_and(|name| {
                let mut named = self.expressions.iter().filter(|output| output_name(output) == name);
                named.any(|output| is_event_time(output, &input.event_time))
            })
    }

    /// Whether an aggregation groups by session windows.
    pub(super) fn groups_by_session(&self) -> bool {
        let Kind::Aggregate(group) = &self.kind else { return false };
        group.iter().chain(&self.expressions).any(|key| is_call(strip_alias(key), &["session_window"]))
    }
}

/// Whether an expression is a watermarked column, or a window over one.
fn is_event_time(expression: &Expr, event_time: &BTreeSet<String>) -> bool {
    match strip_alias(expression) {
        Expr::Call(call) if is_call(strip_alias(expression), &["window", "session_window"]) => {
            call.arguments.first().is_some_and(|time| is_event_time(time, event_time))
        }
        other => column(other).is_some_and(|name| event_time.contains(&name)),
    }
}

/// The last part of a column's name, lower case.
pub(super) fn column(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Attribute(parts) => parts.last().map(|part| part.to_lowercase()),
        _ => None,
    }
}

pub(super) fn strip_alias(expression: &Expr) -> &Expr {
    match expression {
        Expr::Alias { child, .. } => strip_alias(child),
        other => other,
    }
}

pub(super) fn is_call(expression: &Expr, names: &[&str]) -> bool {
    matches!(expression, Expr::Call(call) if names.iter().any(|name| call.name.eq_ignore_ascii_case(name)))
}

struct Builder<'a> {
    catalog: &'a dyn Catalog,
    /// WITH names in force, lower case.
    names: HashMap<String, Shape>,
    depth: usize,
}

impl Builder<'_> {
    fn build(&mut self, relation: &Relation) -> Result<Shape> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Error::Misuse(format!(
                "the query is nested deeper than {MAX_DEPTH} levels: simplify it"
            )));
        }
        let shape = self.build_one(relation);
        self.depth -= 1;
        shape
    }

    fn build_one(&mut self, relation: &Relation) -> Result<Shape> {
        match relation {
            Relation::Read(read) => Ok(leaf(read.streaming)),
            Relation::Table(parts) => self.table(parts),
            Relation::Sql(text) => {
                let query = parse_query(text)?;
                self.build(&query)
            }
            Relation::With { ctes, input } => self.with(ctes, input),
            Relation::Join { left, right, kind, condition } => self.join(left, right, *kind, condition),
            Relation::SetOperation { left, right, kind, .. } => {
                let children = vec![self.build(left)?, self.build(right)?];
                let event_time = children[0].event_time.clone();
                Ok(node(Kind::Set(*kind), children, Vec::new(), event_time))
            }
            Relation::Project { input, expressions } => {
                let input = self.build(input)?;
                let expressions = parsed(expressions)?;
                let event_time = projected(&expressions, &input.event_time);
                let kind = match expressions.iter().any(has_aggregate) {
                    true => Kind::Aggregate(Vec::new()),
                    false => Kind::Other,
                };
                Ok(node(kind, vec![input], expressions, event_time))
            }
            Relation::Aggregate { input, group, output, .. } => {
                let input = self.build(input)?;
                let (group, output) = (parsed(group)?, parsed(output)?);
                let event_time = projected(&output, &input.event_time);
                Ok(node(Kind::Aggregate(group), vec![input], output, event_time))
            }
            Relation::WithWatermark { input, column, .. } => {
                let input = self.build(input)?;
                let mut event_time = input.event_time.clone();
                event_time.insert(column.to_lowercase());
                Ok(node(Kind::WithWatermark, vec![input], Vec::new(), event_time))
            }
            other => self.unary(other),
        }
    }

    /// Operations with one input, and leaves that never stream.
    fn unary(&mut self, relation: &Relation) -> Result<Shape> {
        let none = Vec::new;
        let (kind, input, expressions) = match relation {
            Relation::Filter { input, condition } | Relation::Having { input, condition } => {
                (Kind::Other, input, parsed(std::slice::from_ref(condition))?)
            }
            Relation::WithColumns { input, columns } => {
                let values: Vec<Expr> = columns.iter().map(|(_, value)| value.clone()).collect();
                (Kind::Other, input, parsed(&values)?)
            }
            Relation::Sort { input, .. } => (Kind::Sort, input, none()),
            Relation::Limit { input, .. } => (Kind::Limit, input, none()),
            Relation::Offset { input, .. } => (Kind::Offset, input, none()),
            Relation::Distinct { input } => (Kind::Distinct, input, none()),
            Relation::Deduplicate { input, within_watermark, .. } => {
                (Kind::Deduplicate { within_watermark: *within_watermark }, input, none())
            }
            Relation::Sample { input, .. } => (Kind::Sample, input, none()),
            Relation::WithColumnsRenamed { input, .. }
            | Relation::ToDf { input, .. }
            | Relation::Drop { input, .. }
            | Relation::SubqueryAlias { input, .. }
            | Relation::Repartition { input, .. }
            | Relation::Generate { input, .. } => (Kind::Other, input, none()),
            _ => return Ok(leaf(false)),
        };
        let input = self.build(input)?;
        let mut event_time = input.event_time.clone();
        if let Relation::WithColumnsRenamed { renames, .. } = relation {
            for (old, new) in renames {
                if event_time.remove(&old.to_lowercase()) {
                    event_time.insert(new.to_lowercase());
                }
            }
        }
        Ok(node(kind, vec![input], expressions, event_time))
    }

    fn table(&mut self, parts: &[String]) -> Result<Shape> {
        let name = parts.last().map(|part| part.to_lowercase()).unwrap_or_default();
        if let Some(named) = self.names.get(&name).filter(|_| parts.len() == 1) {
            return Ok(named.clone());
        }
        match self.catalog.table(&parts.join(".")) {
            Some(relation) => {
                // A view does not see the WITH names around its use.
                let names = std::mem::take(&mut self.names);
                let shape = self.build(&relation);
                self.names = names;
                shape
            }
            None => Ok(leaf(false)),
        }
    }

    fn with(&mut self, ctes: &[(String, Relation)], input: &Relation) -> Result<Shape> {
        let outside = self.names.clone();
        for (name, query) in ctes {
            let shape = self.build(query)?;
            self.names.insert(name.to_lowercase(), shape);
        }
        let shape = self.build(input);
        self.names = outside;
        shape
    }

    fn join(
        &mut self,
        left: &Relation,
        right: &Relation,
        kind: JoinKind,
        condition: &JoinCondition,
    ) -> Result<Shape> {
        let children = vec![self.build(left)?, self.build(right)?];
        let (condition, using) = match condition {
            JoinCondition::On(condition) => (Some(parse(condition)?), Vec::new()),
            JoinCondition::Using(names) => (None, names.clone()),
            JoinCondition::None | JoinCondition::Natural => (None, Vec::new()),
        };
        let event_time = children.iter().flat_map(|side| side.event_time.clone()).collect();
        Ok(node(Kind::Join(Join { kind, condition, using }), children, Vec::new(), event_time))
    }
}

fn leaf(streaming: bool) -> Shape {
    let (children, expressions, event_time) = (Vec::new(), Vec::new(), BTreeSet::new());
    Shape { kind: Kind::Other, streaming, children, expressions, event_time }
}

fn node(kind: Kind, children: Vec<Shape>, expressions: Vec<Expr>, event_time: BTreeSet<String>) -> Shape {
    let streaming = children.iter().any(|child| child.streaming);
    Shape { kind, streaming, children, expressions, event_time }
}

/// The watermarked columns of a projection.
fn projected(expressions: &[Expr], event_time: &BTreeSet<String>) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    for expression in expressions {
        if matches!(expression, Expr::Star { .. }) {
            out.extend(event_time.iter().cloned());
        } else if is_event_time(expression, event_time) {
            out.insert(output_name(expression));
        }
    }
    out
}

fn parsed(expressions: &[Expr]) -> Result<Vec<Expr>> {
    expressions.iter().map(parse).collect()
}

/// Texts inside an expression are parsed where they stand on their own or under an alias, which is where
/// users put them.
fn parse(expression: &Expr) -> Result<Expr> {
    Ok(match expression {
        Expr::Sql(text) => parse_expression(text)?,
        Expr::Alias { child, names } => Expr::Alias { child: Box::new(parse(child)?), names: names.clone() },
        other => other.clone(),
    })
}

/// Aggregate functions without OVER make a projection an aggregation of everything.
fn has_aggregate(expression: &Expr) -> bool {
    const AGGREGATES: [&str; 18] = [
        "count",
        "sum",
        "min",
        "max",
        "avg",
        "mean",
        "first",
        "last",
        "any_value",
        "collect_list",
        "collect_set",
        "approx_count_distinct",
        "stddev",
        "variance",
        "count_if",
        "bool_and",
        "bool_or",
        "max_by",
    ];
    match expression {
        Expr::Window(_) => false,
        Expr::Call(_) if is_call(expression, &AGGREGATES) => true,
        _ => super::operations::inner(expression).into_iter().any(has_aggregate),
    }
}
