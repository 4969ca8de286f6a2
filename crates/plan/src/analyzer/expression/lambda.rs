//! Calls with lambdas: parameters get the types of the collection's parts, the body is resolved with them in sight.
//!
//! A parameter is a column of the body's own plan, `#lambda#depth#name`; columns from around the lambda are captured.

use std::collections::BTreeSet;

use datafusion::common::Column;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::Expr as Plan;

use super::Resolver;
use crate::analyzer::coercion::{cast_to, common_type};
use crate::analyzer::errors;
use crate::analyzer::typed::{Label, Typed};
use crate::error::{Error, Result};
use crate::functions;
use crate::functions::{Higher, HigherOrder, Lambda};
use crate::tree::{Call, Expr, Value};
use crate::types::SparkType;

/// Parameters in sight: their names and what they stand for.
pub(super) type Parameters = Vec<(String, Typed)>;

/// A lambda whose body is resolved.
struct Bound {
    body: Typed,
    parameters: Vec<String>,
    captures: Vec<Column>,
    sql: String,
}

impl Resolver<'_> {
    /// The call when its function takes a lambda and one is given.
    pub(super) fn higher_order(&self, name: &str, call: &Call) -> Result<Option<Typed>> {
        let (function, counts): (Higher, &[usize]) = match name {
            "transform" => (Higher::Transform, &[2]),
            "filter" => (Higher::Filter, &[2]),
            "exists" => (Higher::Exists, &[2]),
            "forall" => (Higher::ForAll, &[2]),
            "aggregate" | "reduce" => (Higher::Aggregate, &[3, 4]),
            "zip_with" => (Higher::ZipWith, &[3]),
            "array_sort" if call.arguments.len() > 1 => (Higher::Sort, &[2]),
            "map_filter" => (Higher::MapFilter, &[2]),
            "transform_keys" => (Higher::TransformKeys, &[2]),
            "transform_values" => (Higher::TransformValues, &[2]),
            "map_zip_with" => (Higher::MapZipWith, &[3]),
            _ => return Ok(None),
        };
        if !counts.contains(&call.arguments.len()) {
            let expected = if counts.len() == 1 { counts[0].to_string() } else { "[3, 4]".to_owned() };
            return Err(errors::wrong_num_args(name, &expected, call.arguments.len()));
        }
        let arguments = &call.arguments;
        match function {
            Higher::Aggregate => self.fold(name, arguments).map(Some),
            Higher::ZipWith | Higher::MapZipWith => self.pairwise(name, function, arguments).map(Some),
            _ => self.single_collection(name, function, arguments).map(Some),
        }
    }

    fn single_collection(&self, name: &str, function: Higher, arguments: &[Expr]) -> Result<Typed> {
        let collection = self.resolve(&arguments[0])?;
        let on_map = matches!(function, Higher::MapFilter | Higher::TransformKeys | Higher::TransformValues);
        let required = if on_map { "\"MAP\"" } else { "\"ARRAY\"" };
        let parts: Vec<(SparkType, bool)> = match (&collection.data_type, on_map) {
            (SparkType::Array(item, nulls), false) if function == Higher::Sort => {
                vec![((**item).clone(), *nulls), ((**item).clone(), *nulls)]
            }
            (SparkType::Array(item, nulls), false) => {
                let indexed = matches!(function, Higher::Transform | Higher::Filter);
                let place =
                    (indexed && parameter_count(&arguments[1]) == 2).then_some((SparkType::Integer, false));
                [Some(((**item).clone(), *nulls)), place].into_iter().flatten().collect()
            }
            (SparkType::Map(key, value, nulls), true) => {
                vec![((**key).clone(), false), ((**value).clone(), *nulls)]
            }
            _ => {
                let sql = format!("{name}({}, {})", collection.sql, unbound(&arguments[1]));
                return Err(errors::unexpected_input(&sql, 0, required, &collection));
            }
        };
        let lambda = self.bind(&arguments[1], &parts)?;
        let sql = format!("{name}({}, {})", collection.sql, lambda.sql);
        let yields_boolean =
            matches!(function, Higher::Filter | Higher::Exists | Higher::ForAll | Higher::MapFilter);
        let wanted = match function {
            _ if yields_boolean => Some((SparkType::Boolean, "\"BOOLEAN\"")),
            Higher::Sort => Some((SparkType::Integer, "\"INT\"")),
            _ => None,
        };
        let mut lambda = lambda;
        if let Some((wanted, required)) = wanted {
            if lambda.body.data_type != wanted && lambda.body.data_type != SparkType::Null {
                let shown = Typed { sql: lambda.sql.clone(), ..lambda.body };
                return Err(errors::unexpected_input(&sql, 1, required, &shown));
            }
            lambda.body = cast_to(lambda.body, &wanted, self.conf())?;
        }
        let made = (lambda.body.data_type.clone(), lambda.body.nullable);
        let returns = match (&collection.data_type, function) {
            (_, Higher::Exists | Higher::ForAll) => SparkType::Boolean,
            (_, Higher::Transform) => SparkType::Array(Box::new(made.0), made.1),
            (SparkType::Map(_, value, nulls), Higher::TransformKeys) => {
                SparkType::Map(Box::new(made.0), value.clone(), *nulls)
            }
            (SparkType::Map(key, ..), Higher::TransformValues) => {
                SparkType::Map(key.clone(), Box::new(made.0), made.1)
            }
            (same, _) => same.clone(),
        };
        let nullable = collection.nullable || (returns == SparkType::Boolean && made.1);
        Ok(self.calling(function, vec![collection], vec![lambda], returns, sql).nullable(nullable))
    }

    fn fold(&self, name: &str, arguments: &[Expr]) -> Result<Typed> {
        let (array, start) = (self.resolve(&arguments[0])?, self.resolve(&arguments[1])?);
        let SparkType::Array(item, nulls) = &array.data_type else {
            let sql = format!("{name}({}, {}, {})", array.sql, start.sql, unbound(&arguments[2]));
            return Err(errors::unexpected_input(&sql, 0, "\"ARRAY\"", &array));
        };
        let value = (start.data_type.clone(), true);
        let mut merge = self.bind(&arguments[2], &[value.clone(), ((**item).clone(), *nulls)])?;
        let finish =
            arguments.get(3).map(|finish| self.bind(finish, std::slice::from_ref(&value))).transpose()?;
        let identity = "lambdafunction(namedlambdavariable(), namedlambdavariable())";
        let last = finish.as_ref().map_or(identity, |f| f.sql.as_str());
        let sql = format!("{name}({}, {}, {}, {last})", array.sql, start.sql, merge.sql);
        if !same_but_nulls(&merge.body.data_type, &start.data_type) {
            let shown = Typed { sql: merge.sql.clone(), ..merge.body };
            return Err(errors::unexpected_input(&sql, 2, &errors::quoted_type(&start.data_type), &shown));
        }
        merge.body = cast_to(merge.body, &start.data_type, self.conf())?;
        let returns = finish.as_ref().map_or(start.data_type.clone(), |f| f.body.data_type.clone());
        let lambdas = [Some(merge), finish].into_iter().flatten().collect();
        Ok(self.calling(Higher::Aggregate, vec![array, start], lambdas, returns, sql))
    }

    fn pairwise(&self, name: &str, function: Higher, arguments: &[Expr]) -> Result<Typed> {
        let (mut left, mut right) = (self.resolve(&arguments[0])?, self.resolve(&arguments[1])?);
        let types = (left.data_type.clone(), right.data_type.clone());
        let (parts, key) = match types {
            (SparkType::Array(a, _), SparkType::Array(b, _)) if function == Higher::ZipWith => {
                (vec![((*a).clone(), true), ((*b).clone(), true)], None)
            }
            (SparkType::Map(ak, av, an), SparkType::Map(bk, bv, bn)) if function == Higher::MapZipWith => {
                let key = common_type(&ak, &bk, self.conf()).ok_or_else(|| {
                    Error::unsupported(format!("{name} of maps whose keys have no common type"))
                })?;
                let of = |value, nulls| SparkType::Map(Box::new(key.clone()), value, nulls);
                left = cast_to(left, &of(av.clone(), an), self.conf())?;
                right = cast_to(right, &of(bv.clone(), bn), self.conf())?;
                (vec![(key.clone(), false), ((*av).clone(), true), ((*bv).clone(), true)], Some(key))
            }
            (SparkType::Array(..) | SparkType::Map(..), _) => {
                let sql = format!("{name}({}, {}, {})", left.sql, right.sql, unbound(&arguments[2]));
                let required = if function == Higher::ZipWith { "\"ARRAY\"" } else { "\"MAP\"" };
                return Err(errors::unexpected_input(&sql, 1, required, &right));
            }
            _ => {
                let sql = format!("{name}({}, {}, {})", left.sql, right.sql, unbound(&arguments[2]));
                let required = if function == Higher::ZipWith { "\"ARRAY\"" } else { "\"MAP\"" };
                return Err(errors::unexpected_input(&sql, 0, required, &left));
            }
        };
        let lambda = self.bind(&arguments[2], &parts)?;
        let sql = format!("{name}({}, {}, {})", left.sql, right.sql, lambda.sql);
        let (made, nulls) = (Box::new(lambda.body.data_type.clone()), lambda.body.nullable);
        let returns = match key {
            Some(key) => SparkType::Map(Box::new(key), made, nulls),
            None => SparkType::Array(made, nulls),
        };
        let nullable = left.nullable || right.nullable;
        Ok(self.calling(function, vec![left, right], vec![lambda], returns, sql).nullable(nullable))
    }

    fn calling(
        &self,
        function: Higher,
        collections: Vec<Typed>,
        lambdas: Vec<Bound>,
        returns: SparkType,
        sql: String,
    ) -> Typed {
        let foldable =
            collections.iter().all(|c| c.foldable) && lambdas.iter().all(|l| l.captures.is_empty());
        let kernel = HigherOrder {
            function,
            collections: collections.len(),
            returns: returns.clone(),
            last_wins: functions::last_wins(self.conf()),
            lambdas: lambdas
                .iter()
                .map(|l| Lambda {
                    body: l.body.expr.clone(),
                    parameters: l.parameters.clone(),
                    captures: l.captures.iter().map(|c| c.name.clone()).collect(),
                })
                .collect(),
        };
        let captures = lambdas.into_iter().flat_map(|l| l.captures).map(Plan::Column);
        let args = collections.into_iter().map(|c| c.expr).chain(captures).collect();
        let expr = functions::udf::call(kernel, args);
        Typed { expr, data_type: returns, nullable: true, sql, label: Label::Sql, foldable }
    }

    /// Resolves a lambda whose parameters have the given types.
    fn bind(&self, expr: &Expr, parts: &[(SparkType, bool)]) -> Result<Bound> {
        let none = Vec::new();
        let (body, names) = match expr {
            Expr::Lambda { body, parameters } => (&**body, parameters),
            // What is no lambda is the body of one that does not look at its parameters.
            other => (other, &none),
        };
        if !names.is_empty() && names.len() != parts.len() {
            return Err(errors::spark(
                "INVALID_LAMBDA_FUNCTION_CALL.NUM_ARGS_MISMATCH",
                [("expectedNumArgs", names.len().to_string()), ("actualNumArgs", parts.len().to_string())],
            ));
        }
        let depth = self.lambdas.borrow().len();
        let own: Vec<String> = names.iter().map(|name| format!("#lambda#{depth}#{name}")).collect();
        let parameters: Parameters = names
            .iter()
            .zip(&own)
            .zip(parts)
            .map(|((name, column), (data_type, nullable))| {
                let expr = Plan::Column(Column::new_unqualified(column));
                let typed = Typed::new(expr, data_type.clone(), "namedlambdavariable()").nullable(*nullable);
                (name.clone(), Typed { label: Label::Attribute(name.clone()), foldable: true, ..typed })
            })
            .collect();
        self.lambdas.borrow_mut().push(parameters);
        let body = self.resolve(body);
        self.lambdas.borrow_mut().pop();
        let body = body?;
        let captures = captured(&body.expr, &own)?;
        let sql = format!("lambdafunction({}{})", body.sql, ", namedlambdavariable()".repeat(names.len()));
        Ok(Bound { body, parameters: own, captures, sql })
    }

    /// A parameter of a lambda around, and fields of it.
    pub(super) fn lambda_variable(&self, parts: &[String]) -> Result<Typed> {
        let found = {
            let lambdas = self.lambdas.borrow();
            let all = lambdas.iter().rev().flat_map(|parameters| parameters.iter());
            all.into_iter().find(|(name, _)| self.scope.same(name, &parts[0])).map(|(_, typed)| typed.clone())
        };
        let Some(mut typed) = found else { return self.attribute(parts) };
        for field in &parts[1..] {
            let key = super::literal(&Value::String(field.clone()), self.conf())?;
            typed = functions::extract(&typed, &key, self.conf())?;
            typed.label = Label::Field(field.clone());
        }
        Ok(typed)
    }
}

/// The columns of a body that are not its own parameters, each once.
fn captured(body: &Plan, own: &[String]) -> Result<Vec<Column>> {
    let mut found = BTreeSet::new();
    body.apply(|expr| {
        if let Plan::Column(column) = expr
            && !own.contains(&column.name)
        {
            found.insert(column.clone());
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(found.into_iter().collect())
}

fn parameter_count(expr: &Expr) -> usize {
    match expr {
        Expr::Lambda { parameters, .. } => parameters.len(),
        _ => 0,
    }
}

/// A lambda as Spark prints one that it has not resolved; only of bodies that are names.
fn unbound(expr: &Expr) -> String {
    match expr {
        Expr::Lambda { body, parameters } => {
            format!("lambdafunction({}, {})", unbound(body), parameters.join(", "))
        }
        Expr::LambdaVariable(parts) | Expr::Attribute(parts) => parts.join("."),
        _ => "...".to_owned(),
    }
}

/// Equal types, whatever they say about NULL inside.
fn same_but_nulls(a: &SparkType, b: &SparkType) -> bool {
    match (a, b) {
        (SparkType::Null, _) => true,
        (SparkType::Array(a, _), SparkType::Array(b, _)) => same_but_nulls(a, b),
        (SparkType::Map(ak, av, _), SparkType::Map(bk, bv, _)) => {
            same_but_nulls(ak, bk) && same_but_nulls(av, bv)
        }
        (SparkType::Struct(a), SparkType::Struct(b)) => {
            a.fields.len() == b.fields.len()
                && a.fields.iter().zip(&b.fields).all(|(a, b)| same_but_nulls(&a.data_type, &b.data_type))
        }
        _ => a == b,
    }
}
