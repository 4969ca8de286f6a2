//! `*`, `alias.*` and `struct_column.*`, in a select list and among the arguments of a function.

use crate::analyzer::errors;
use crate::analyzer::typed::Typed;
use crate::error::Result;
use crate::functions;
use crate::tree::Expr;
use crate::types::SparkType;

use super::Resolver;

/// An entry of a select list.
#[derive(Debug)]
pub(crate) enum Item<'e> {
    /// An expression that is not resolved yet.
    Expression(&'e Expr),
    /// A column that a star stands for.
    Column(Typed),
}

impl Resolver<'_> {
    /// A select list with its stars replaced by columns.
    pub fn items<'e>(&self, expressions: &'e [Expr]) -> Result<Vec<Item<'e>>> {
        let mut items = Vec::with_capacity(expressions.len());
        for expression in expressions {
            match expression {
                Expr::Star { target } => items.extend(self.star(target)?.into_iter().map(Item::Column)),
                other => items.push(Item::Expression(other)),
            }
        }
        Ok(items)
    }

    /// Arguments with their stars replaced by columns.
    pub fn arguments(&self, arguments: &[Expr]) -> Result<Vec<Typed>> {
        let mut args = Vec::with_capacity(arguments.len());
        for item in self.items(arguments)? {
            args.push(match item {
                Item::Column(column) => column,
                Item::Expression(expression) => self.resolve(expression)?,
            });
        }
        Ok(args)
    }

    /// The columns that a star stands for.
    pub fn star(&self, target: &[String]) -> Result<Vec<Typed>> {
        if target.is_empty() {
            return Ok(self.scope.attributes.iter().map(|a| a.typed()).collect());
        }
        let relation = self.scope.of_relation(target);
        if !relation.is_empty() {
            return Ok(relation.into_iter().map(|a| a.typed()).collect());
        }
        if self.scope.lookup(target)?.is_none() {
            return Err(cannot_expand(target, self));
        }
        let base = self.attribute(target)?;
        let SparkType::Struct(fields) = &base.data_type else { return Err(cannot_expand(target, self)) };
        fields
            .fields
            .iter()
            .enumerate()
            .map(|(index, _)| Ok(functions::field_at(&base, fields, index)))
            .collect()
    }
}

fn cannot_expand(target: &[String], resolver: &Resolver<'_>) -> crate::error::Error {
    let columns: Vec<String> =
        resolver.scope.attributes.iter().map(|a| errors::identifier(&[&a.name])).collect();
    errors::spark(
        "CANNOT_RESOLVE_STAR_EXPAND",
        [("targetString", errors::identifier(target)), ("columns", columns.join(", "))],
    )
}
