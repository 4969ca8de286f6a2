//! SELECT and the operations on columns: withColumn, rename, drop, alias.

use std::cell::RefCell;

use datafusion::logical_expr::{Expr as Plan, LogicalPlanBuilder};

use super::{Analyzer, Resolved, Sorting};
use crate::analyzer::aggregate::{Aggregation, holds_aggregate};
use crate::analyzer::expression::{Item, Resolver};
use crate::analyzer::over::Windows;
use crate::analyzer::scope::Attribute;
use crate::analyzer::{Label, Typed, errors};
use crate::error::Result;
use crate::tree::{Expr, Grouping, Relation, SortOrder};

impl Analyzer<'_> {
    /// SELECT, with the ORDER BY that stands over it.
    pub(super) fn project(
        &self,
        input: &Relation,
        expressions: &[Expr],
        order: &[SortOrder],
    ) -> Result<Resolved> {
        let input = self.relation(input)?;
        if expressions.iter().any(|e| holds_aggregate(&self.parsed(e))) {
            let output: Vec<Expr> = expressions.iter().map(|e| self.parsed(e)).collect();
            let grouping = Grouping::GroupBy;
            let spec = Aggregation { group: &[], output: &output, grouping: &grouping, having: None, order };
            return self.aggregation(input, spec);
        }
        let (input, outputs) = self.outputs(input, expressions)?;
        let sorting = self.sortings(&input, order, &outputs)?;
        self.select(input, outputs, sorting)
    }

    /// SQL text inside an expression, parsed, so that its aggregate functions and generators are seen. Text
    /// that cannot be parsed stays: resolving it gives the error.
    pub(crate) fn parsed(&self, expr: &Expr) -> Expr {
        match expr {
            Expr::Sql(text) => crate::sql::parse_expression_with(text, &self.parse_options())
                .unwrap_or_else(|_| expr.clone()),
            Expr::Alias { child, names } => {
                Expr::Alias { child: Box::new(self.parsed(child)), names: names.clone() }
            }
            other => other.clone(),
        }
    }

    /// The columns of a select list. Generators put nodes under the projection, so the input may change.
    fn outputs(&self, input: Resolved, expressions: &[Expr]) -> Result<(Resolved, Vec<Typed>)> {
        let parsed: Vec<Expr> = expressions.iter().map(|e| self.parsed(e)).collect();
        let (input, parsed) = self.event_windows(input, &parsed)?;
        let (input, generated) = self.generators(input, &parsed)?;
        let windows = RefCell::new(Windows::default());
        let scope = input.scope.clone();
        let resolver = Resolver::new(self, &scope).over(&windows);
        let mut outputs = Vec::with_capacity(parsed.len());
        for (expression, generated) in parsed.iter().zip(generated) {
            if let Some(columns) = generated {
                outputs.extend(columns);
                continue;
            }
            for item in resolver.items(std::slice::from_ref(expression))? {
                outputs.push(match item {
                    Item::Column(column) => column,
                    Item::Expression(expression) => resolver.resolve(expression)?,
                });
            }
        }
        Ok((self.with_windows(input, windows.into_inner())?, outputs))
    }

    /// A projection of `input` to `outputs`, sorted by `sorting` (expressions over `input`).
    pub(crate) fn select(
        &self,
        input: Resolved,
        outputs: Vec<Typed>,
        sorting: Vec<Sorting>,
    ) -> Result<Resolved> {
        let mut columns: Vec<Plan> = Vec::with_capacity(outputs.len());
        let mut attributes: Vec<Attribute> = Vec::with_capacity(outputs.len());
        let below: Vec<Plan> = outputs.iter().map(|t| t.expr.clone()).collect();
        for typed in outputs {
            let attribute = self.attribute(&typed, &input, &attributes);
            columns.push(match &typed.expr {
                Plan::Column(own) if own.name == attribute.column => typed.expr,
                _ => typed.expr.alias(&attribute.column),
            });
            attributes.push(attribute);
        }
        // A sort by columns that do not come out stands below the projection.
        let above = sorting.iter().all(Sorting::over_outputs);
        let names: Vec<Plan> = attributes.iter().map(Attribute::expr).collect();
        let keys = sorting.into_iter().map(|s| s.into_plan(if above { &names } else { &below }));
        let keys = keys.collect::<Result<Vec<_>>>()?;
        let builder = LogicalPlanBuilder::new(input.plan);
        let builder = match (keys.is_empty(), above) {
            (true, _) => builder.project(columns)?,
            (false, true) => builder.project(columns)?.sort(keys)?,
            (false, false) => builder.sort(keys)?.project(columns)?,
        };
        let plan = builder.build()?;
        let case_sensitive = self.conf.case_sensitive();
        let scope = crate::analyzer::Scope { attributes, case_sensitive, ..Default::default() };
        Ok(Resolved::new(plan, scope, input.streaming))
    }

    /// The column of an output expression. A plain column keeps its internal name, once.
    fn attribute(&self, typed: &Typed, input: &Resolved, taken: &[Attribute]) -> Attribute {
        let own = match &typed.expr {
            Plan::Column(column) => {
                input.scope.attributes.iter().chain(&input.scope.hidden).find(|a| a.column == column.name)
            }
            _ => None,
        };
        let keeps = own.filter(|a| taken.iter().all(|t| t.column != a.column));
        let unnamed = !matches!(typed.label, Label::Alias(_));
        Attribute {
            name: typed.name().into(),
            qualifier: own.filter(|_| unnamed).map(|a| a.qualifier.clone()).unwrap_or_default(),
            column: keeps.map_or_else(|| self.fresh(typed.name()), |a| a.column.clone()),
            data_type: typed.data_type.clone(),
            nullable: typed.nullable,
            watermark: own.and_then(|a| a.watermark),
        }
    }

    pub(super) fn with_columns(&self, input: &Relation, columns: &[(String, Expr)]) -> Result<Resolved> {
        let input = self.relation(input)?;
        let expressions: Vec<Expr> = columns.iter().map(|(_, e)| self.parsed(e)).collect();
        let (input, values) = self.outputs(input, &expressions)?;
        if values.len() != columns.len() {
            return Err(errors::spark(
                "NUM_COLUMNS_MISMATCH",
                [
                    ("operator", "withColumns".to_owned()),
                    ("firstNumColumns", columns.len().to_string()),
                    ("invalidNumColumns", values.len().to_string()),
                ],
            ));
        }
        let mut outputs: Vec<Typed> = input.scope.attributes.iter().map(Attribute::typed).collect();
        for ((name, _), mut value) in columns.iter().zip(values) {
            value.label = Label::Alias(name.clone());
            let mut replaced = false;
            for output in outputs.iter_mut().filter(|o| input.scope.same(o.name(), name)) {
                *output = value.clone();
                replaced = true;
            }
            if !replaced {
                outputs.push(value);
            }
        }
        self.select(input, outputs, Vec::new())
    }

    pub(super) fn renamed(&self, input: &Relation, renames: &[(String, String)]) -> Result<Resolved> {
        let mut input = self.relation(input)?;
        for (from, to) in renames {
            for index in input.scope.named(from) {
                input.scope.attributes[index].name = to.as_str().into();
            }
        }
        Ok(input)
    }

    pub(super) fn to_df(&self, input: &Relation, names: &[String]) -> Result<Resolved> {
        let mut input = self.relation(input)?;
        if names.len() != input.scope.attributes.len() {
            return Err(errors::spark(
                "ASSIGNMENT_ARITY_MISMATCH",
                [
                    ("numExpr", names.len().to_string()),
                    ("numTarget", input.scope.attributes.len().to_string()),
                ],
            ));
        }
        for (attribute, name) in input.scope.attributes.iter_mut().zip(names) {
            attribute.name = name.as_str().into();
        }
        Ok(input)
    }

    pub(super) fn drop_columns(&self, input: &Relation, columns: &[Expr]) -> Result<Resolved> {
        let mut input = self.relation(input)?;
        for column in columns {
            let Expr::Attribute(parts) = column else {
                return Err(crate::error::Error::unsupported("drop of what is no column"));
            };
            let dropped: Vec<String> = match parts.as_slice() {
                [name] => {
                    let named = input.scope.named(name);
                    named.into_iter().map(|i| input.scope.attributes[i].column.clone()).collect()
                }
                _ => match input.scope.lookup(parts)? {
                    Some((attribute, [])) => vec![attribute.column.clone()],
                    _ => Vec::new(),
                },
            };
            input.scope.attributes.retain(|a| !dropped.contains(&a.column));
        }
        let outputs = input.scope.attributes.iter().map(Attribute::typed).collect();
        self.select(input, outputs, Vec::new())
    }

    pub(super) fn subquery_alias(
        &self,
        input: &Relation,
        alias: &str,
        columns: &[String],
    ) -> Result<Resolved> {
        let mut input = if columns.is_empty() { self.relation(input)? } else { self.to_df(input, columns)? };
        input.scope.qualify(alias);
        Ok(input)
    }
}
