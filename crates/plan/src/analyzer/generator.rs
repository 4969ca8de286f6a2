//! Generators in a select list: explode, posexplode, inline, stack and their `_outer` forms.
//!
//! Each becomes a list column, an Unnest node that turns its elements into rows (repeating the other
//! columns), and columns of the element. A row whose list is NULL or empty disappears, or stays with NULLs in
//! the outer form. Several generators in one list give all combinations.

use datafusion::common::{Column, NullHandling, UnnestOptions};
use datafusion::logical_expr::LogicalPlanBuilder;

use super::coercion::Expected;
use super::errors;
use super::expression::Resolver;
use super::relation::{Analyzer, Resolved};
use super::scope::{Attribute, column};
use super::typed::{Label, Typed};
use crate::error::{Error, Result};
use crate::functions::generator::{GeneratorRows, stacked};
use crate::functions::{self, field_at, json_tuple, udf};
use crate::tree::{Call, Expr};
use crate::types::SparkType;

/// A generator call by what it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Explode {
        position: bool,
        outer: bool,
    },
    Inline {
        outer: bool,
    },
    Stack,
    /// One row, so nothing is unnested.
    JsonTuple,
}

fn kind(name: &str) -> Option<Kind> {
    Some(match name.to_lowercase().as_str() {
        "explode" => Kind::Explode { position: false, outer: false },
        "explode_outer" => Kind::Explode { position: false, outer: true },
        "posexplode" => Kind::Explode { position: true, outer: false },
        "posexplode_outer" => Kind::Explode { position: true, outer: true },
        "inline" => Kind::Inline { outer: false },
        "inline_outer" => Kind::Inline { outer: true },
        "stack" => Kind::Stack,
        "json_tuple" => Kind::JsonTuple,
        _ => return None,
    })
}

fn generator(expr: &Expr) -> Option<(Kind, &Call, &[String])> {
    match expr {
        Expr::Alias { child, names } => match child.as_ref() {
            Expr::Call(call) => kind(&call.name).map(|k| (k, call, names.as_slice())),
            _ => None,
        },
        Expr::Call(call) => kind(&call.name).map(|k| (k, call, [].as_slice())),
        _ => None,
    }
}

/// The rows of a generator before they are unnested.
struct Rows {
    /// A list.
    list: Typed,
    /// The columns of an element by name; none if the element is itself the column `col`.
    fields: bool,
    /// Whether there is one row for each row of the input, so that `list` is itself the element.
    single: bool,
    /// A list that is NULL or empty gives one row of NULLs.
    outer: bool,
}

impl Analyzer<'_> {
    /// Puts the generators of a select list under it. For each expression, the columns that it generates.
    pub(super) fn generators(
        &self,
        input: Resolved,
        expressions: &[Expr],
    ) -> Result<(Resolved, Vec<Option<Vec<Typed>>>)> {
        let mut input = input;
        let mut generated = Vec::with_capacity(expressions.len());
        let mut extra: Vec<String> = Vec::new();
        for expression in expressions {
            let Some((kind, call, names)) = generator(expression) else {
                generated.push(None);
                continue;
            };
            let rows = self.rows_of(&input, kind, call)?;
            let (under, element) = self.unnested(input, &rows, &mut extra)?;
            input = under;
            generated.push(Some(named(&element, rows.fields, names)?));
        }
        Ok((input, generated))
    }

    /// LATERAL VIEW: the generated columns beside all columns of the input.
    pub(super) fn lateral_view(
        &self,
        input: Resolved,
        call: &Expr,
        outer: bool,
        alias: Option<&str>,
        names: &[String],
    ) -> Result<Resolved> {
        let Some((kind, call, _)) = generator(call) else {
            return Err(Error::unsupported("LATERAL VIEW of what is no generator"));
        };
        let mut outputs: Vec<Typed> = input.scope.attributes.iter().map(Attribute::typed).collect();
        let width = outputs.len();
        let rows = self.rows_of(&input, kind, call)?;
        let rows = Rows { outer: rows.outer || outer, ..rows };
        let (under, element) = self.unnested(input, &rows, &mut Vec::new())?;
        outputs.extend(named(&element, rows.fields, names)?);
        let mut view = self.select(under, outputs, Vec::new())?;
        for attribute in &mut view.scope.attributes[width..] {
            attribute.qualifier = alias.map(str::to_owned).into_iter().collect();
        }
        Ok(view)
    }

    fn rows_of(&self, input: &Resolved, kind: Kind, call: &Call) -> Result<Rows> {
        let resolver = Resolver::new(self, &input.scope);
        let args = resolver.arguments(&call.arguments)?;
        let sql = format!(
            "{}({})",
            call.name.to_lowercase(),
            args.iter().map(|a| a.sql.as_str()).collect::<Vec<_>>().join(", ")
        );
        if kind == Kind::Stack {
            let list = stacked(&args, &sql, self.conf)?;
            return Ok(Rows { list, fields: true, single: false, outer: false });
        }
        if kind == Kind::JsonTuple {
            let list = json_tuple(&functions::Call { name: "json_tuple".into(), args, conf: self.conf })?;
            return Ok(Rows { list, fields: true, single: true, outer: false });
        }
        let [arg] = args.as_slice() else {
            return Err(errors::wrong_num_args(&call.name, "1", args.len()));
        };
        let (position, outer) = match kind {
            Kind::Explode { position, outer } => (position, outer),
            Kind::Inline { outer } => (false, outer),
            Kind::Stack | Kind::JsonTuple => (false, false),
        };
        let structs = match (&arg.data_type, kind) {
            (SparkType::Array(element, _), Kind::Inline { .. }) => matches!(**element, SparkType::Struct(_)),
            (SparkType::Array(..) | SparkType::Map(..), Kind::Explode { .. }) => true,
            _ => false,
        };
        if !structs {
            let required = match kind {
                Kind::Inline { .. } => "\"ARRAY<STRUCT>\"".to_owned(),
                _ => Expected::OneOf(&[Expected::Array, Expected::Map]).describe(),
            };
            return Err(errors::unexpected_input(&sql, 0, &required, arg));
        }
        let is_map = matches!(arg.data_type, SparkType::Map(..));
        let kernel = GeneratorRows::new(&arg.data_type, position);
        let data_type = kernel.list();
        let expr = if kernel.changes_nothing() {
            arg.expr.clone()
        } else {
            udf::call(kernel, vec![arg.expr.clone()])
        };
        let fields = position || is_map || matches!(kind, Kind::Inline { .. });
        Ok(Rows { list: Typed::new(expr, data_type, sql), fields, single: false, outer })
    }

    /// The input with one row for each element of the list, and the element.
    fn unnested(&self, input: Resolved, rows: &Rows, extra: &mut Vec<String>) -> Result<(Resolved, Typed)> {
        let name = self.fresh("col");
        let mut columns: Vec<_> =
            input.scope.attributes.iter().chain(&input.scope.hidden).map(Attribute::expr).collect();
        columns.extend(extra.iter().map(|c| column(c)));
        columns.push(rows.list.expr.clone().alias(&name));
        let null_handling =
            if rows.outer { NullHandling::PreserveAndExpandEmpty } else { NullHandling::Drop };
        let options = UnnestOptions { null_handling, ..UnnestOptions::default() };
        let builder = LogicalPlanBuilder::new(input.plan).project(columns)?;
        let (plan, element) = match &rows.list.data_type {
            SparkType::Array(element, _) if !rows.single => {
                let list = vec![Column::new_unqualified(name.clone())];
                (builder.unnest_columns_with_options(list, options)?.build()?, (**element).clone())
            }
            other => (builder.build()?, other.clone()),
        };
        extra.push(name.clone());
        let typed =
            Typed { label: Label::Attribute("col".into()), ..Typed::new(column(&name), element, "col") };
        Ok((Resolved { plan, ..input }, typed))
    }
}

/// The columns of an element under their own or the user's names.
fn named(element: &Typed, fields: bool, names: &[String]) -> Result<Vec<Typed>> {
    let mut columns = match &element.data_type {
        SparkType::Struct(all) if fields => {
            (0..all.fields.len()).map(|i| field_at(element, all, i)).collect()
        }
        _ => vec![element.clone()],
    };
    if names.is_empty() {
        return Ok(columns);
    }
    if names.len() != columns.len() {
        return Err(errors::spark(
            "UDTF_ALIAS_NUMBER_MISMATCH",
            [("aliasesSize", columns.len().to_string()), ("aliasesNames", names.join(","))],
        ));
    }
    for (column, name) in columns.iter_mut().zip(names) {
        column.label = Label::Alias(name.clone());
    }
    Ok(columns)
}
